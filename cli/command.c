#include "cli/command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/files.h"
#include "common/limits.h"

/* Bytes copied at a time. */
#define COPY_SIZE 65536

/* ---- messages ---- */

/* C1 controls are two bytes in UTF-8. */
static void print_harmless(FILE *out, const char *text, bool lines)
{
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0';
         at++) {
        bool c1 = at[0] == 0xc2 && at[1] >= 0x80 && at[1] <= 0x9f;
        bool newline = lines && *at == '\n';

        putc((*at < 0x20 && !newline) || *at == 0x7f || c1 ? '?' : *at, out);
        at += c1;
    }
}

void command_print_harmless(FILE *out, const char *text)
{
    print_harmless(out, text, false);
}

void command_print_lines(FILE *out, const char *text)
{
    print_harmless(out, text, true);
}

/* Which one runs; none before it is known. */
static const char *running;

void command_runs(const char *name)
{
    running = name;
}

int command_fail(const struct error *err)
{
    fflush(stdout);
    fprintf(stderr, "anchorite%s%s: ", running != NULL ? " " : "",
            running != NULL ? running : "");
    command_print_harmless(stderr, err->text);
    fputc('\n', stderr);
    return status_exit_code(err->status);
}

int command_misuse(const char *command, const char *format, ...)
{
    char text[ERROR_TEXT_MAX];
    const char *blank = command != NULL ? " " : "";
    va_list args;

    if (command == NULL)
        command = "";
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fprintf(stderr, "anchorite%s%s: ", blank, command);
    command_print_harmless(stderr, text);
    fprintf(stderr, "\nTry \"anchorite%s%s --help\".\n", blank, command);
    return status_exit_code(E_USAGE);
}

int command_help(const char *text)
{
    struct error err;

    error_init(&err);
    fputs(text, stdout);
    if (command_finish_output(&err) != OK)
        return command_fail(&err);
    return status_exit_code(OK);
}

/* ---- signals ---- */

static atomic_bool cancelled;

/* There is something to clean up. */
static atomic_bool deferred;

/* Only what signal-safety(7) allows. */
static void end_on_signal(int signal_number)
{
    static const char words[] = "anchorite: interrupted\n";
    ssize_t written;

    (void)signal_number;
    atomic_store(&cancelled, true);
    if (atomic_load(&deferred))
        return;
    written = write(STDERR_FILENO, words, sizeof words - 1);
    (void)written; /* nobody is left to be told */
    _exit(status_exit_code(E_CANCELLED));
}

void command_watch_signals(void)
{
    struct sigaction action = {.sa_handler = end_on_signal,
                               .sa_flags = SA_RESTART | (int)SA_RESETHAND};

    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

atomic_bool *command_cancel(void)
{
    atomic_store(&deferred, true);
    return &cancelled;
}

/* ---- input ---- */

static enum status spool(int from, const char *name, int *fd, struct error *err)
{
    uint8_t block[COPY_SIZE];
    size_t got = 0;
    enum status status = temporary_open(fd, err);

    if (status != OK)
        return status;
    do {
        status = descriptor_read(from, block, sizeof block, &got, name, err);
        if (status == OK)
            status = descriptor_write(*fd, bytes_of(block, got),
                                      "a temporary copy of the input", err);
    } while (status == OK && got > 0);
    if (status == OK && lseek(*fd, 0, SEEK_SET) != 0)
        status = error_set_errno(err, E_IO, errno, "%s", name);
    if (status != OK) {
        close(*fd);
        *fd = -1;
    }
    return status;
}

/* A table ends; what a device like /dev/zero gives does not. */
static bool is_stream(int fd, mode_t mode)
{
    return S_ISREG(mode) || S_ISFIFO(mode) || S_ISSOCK(mode) || isatty(fd) == 1;
}

enum status command_open_input(const char *path, bool rewindable, int *fd,
                               const char **name, struct error *err)
{
    bool standard = strcmp(path, "-") == 0;
    struct stat about;
    int source;
    enum status status;

    *name = standard ? "standard input" : path;
    source = standard ? dup(STDIN_FILENO)
                      : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (source < 0)
        return error_set_errno(
            err, errno == EMFILE || errno == ENFILE ? E_SYSTEM : E_INPUT, errno,
            "%s: cannot be opened", *name);
    if (fstat(source, &about) != 0)
        status = error_set_errno(err, E_IO, errno, "%s", *name);
    else if (S_ISDIR(about.st_mode))
        status = error_set(err, E_INPUT, "%s: is a folder, not a table", *name);
    else if (!is_stream(source, about.st_mode))
        status =
            error_set(err, E_INPUT, "%s: is not a regular file or pipe", *name);
    else if (!rewindable ||
             (S_ISREG(about.st_mode) && lseek(source, 0, SEEK_CUR) == 0)) {
        *fd = source;
        return OK;
    } else
        status = spool(source, *name, fd, err);
    close(source);
    return status;
}

/* ---- output ---- */

enum status command_finish_output(struct error *err)
{
    if (fflush(stdout) != 0 || ferror(stdout))
        return error_set_errno(err, E_IO, errno, "standard output");
    return OK;
}

enum status command_print_json(const struct json *json, struct error *err)
{
    struct text text;
    enum status status;

    text_init(&text);
    status = json_print(json_root(json), &text, err);
    if (status == OK) {
        fwrite(text.data, 1, text.size, stdout);
        putchar('\n');
        status = command_finish_output(err);
    }
    text_clear(&text);
    return status;
}
