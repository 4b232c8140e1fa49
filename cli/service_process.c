#include "cli/service_process.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/files.h"
#include "common/network.h"

#define PID_FILE_MAX 256
/* /proc/PID/stat: 52 numbers and a name of 16 bytes. */
#define STAT_MAX 4096
/* Its fields, proc(5); the first behind the name is field 3. */
#define STAT_FLAGS_FIELD 9
#define STAT_START_FIELD 22
/* Of those flags: the process is on its way out of the kernel. */
#define STAT_IS_EXITING UINT64_C(0x4)
/* /proc/PID/status: some 60 lines; the masks of groups can be long. */
#define STATUS_MAX 16384
#define BOOT_ID_SIZE 37
#define KILL_MS 5000
/* Of a log: what a person reads at once. */
#define LOG_TAIL_LINES 8
#define LOG_TAIL_SIZE 1500

/* One process in all time. */
struct mark {
    pid_t pid;
    uint64_t start; /* clock ticks since boot */
    char boot[BOOT_ID_SIZE];
};

/* ---- who is it ---- */

static enum status read_boot_id(char boot[BOOT_ID_SIZE], struct error *err)
{
    static const char path[] = "/proc/sys/kernel/random/boot_id";
    struct text text;
    enum status status;

    text_init(&text);
    status = file_read(path, 64, &text, err);
    if (status == OK && text.size < BOOT_ID_SIZE - 1)
        status = error_set(err, E_SYSTEM, "%s: too short", path);
    if (status == OK) {
        memcpy(boot, text.data, BOOT_ID_SIZE - 1);
        boot[BOOT_ID_SIZE - 1] = '\0';
    }
    text_clear(&text);
    return status;
}

/* What /proc says of a process at one moment. */
struct sight {
    uint64_t start;
    bool dies; /* nothing can keep it any more, though it may not be gone */
};

/* The whole file of a process, as a string; false if there is none. */
static bool read_proc(pid_t pid, const char *name, char *out, size_t size_max)
{
    char path[64];
    size_t size = 0;
    ssize_t got = 1;
    int fd;

    snprintf(path, sizeof path, "/proc/%ld/%s", (long)pid, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    while (got > 0 && size < size_max - 1) {
        got = read(fd, out + size, size_max - 1 - size);
        size += got > 0 ? (size_t)got : 0;
    }
    close(fd);
    out[size] = '\0';
    return got >= 0 && size > 0;
}

/* Field `index` of /proc/PID/stat from `at`, which is field 3. */
static bool stat_field(const char *at, int index, uint64_t *number)
{
    char *end;

    for (int field = 3; field < index; field++) {
        at = strchr(at, ' ');
        if (at == NULL)
            return false;
        at++;
    }
    errno = 0;
    *number = strtoull(at, &end, 10);
    return errno == 0 && end != at && *end == ' ';
}

/* The name stands in parentheses and may have any byte in it. */
static bool parse_stat(const char *stat, struct sight *sight)
{
    const char *at = strrchr(stat, ')');
    uint64_t flags;

    if (at == NULL || at[1] != ' ' ||
        !stat_field(at + 2, STAT_FLAGS_FIELD, &flags) ||
        !stat_field(at + 2, STAT_START_FIELD, &sight->start))
        return false;
    sight->dies =
        at[2] == 'Z' || at[2] == 'X' || (flags & STAT_IS_EXITING) != 0;
    return true;
}

/* Does SIGKILL wait for the process in this line of /proc/PID/status? */
static bool kill_pends(const char *status, const char *key)
{
    const char *at = strstr(status, key);

    return at != NULL && (strtoull(at + strlen(key), NULL, 16) &
                          UINT64_C(1) << (SIGKILL - 1)) != 0;
}

/* False: it is gone. */
static bool look_at(pid_t pid, struct sight *sight)
{
    char status[STATUS_MAX], stat[STAT_MAX];

    /* In this order: a signal that has just been taken is not pending any more,
     * and soon afterwards the process is marked as exiting. */
    if (!read_proc(pid, "status", status, sizeof status) ||
        !read_proc(pid, "stat", stat, sizeof stat) || !parse_stat(stat, sight))
        return false;
    sight->dies = sight->dies || kill_pends(status, "\nSigPnd:") ||
                  kill_pends(status, "\nShdPnd:");
    return true;
}

/* A whole number and the space behind it. */
static bool parse_number(const char **at, uint64_t max, uint64_t *number)
{
    char *end;

    if (**at < '0' || **at > '9')
        return false;
    errno = 0;
    *number = strtoull(*at, &end, 10);
    if (errno != 0 || *end != ' ' || *number > max)
        return false;
    *at = end + 1;
    return true;
}

static bool parse_mark(const char *text, struct mark *mark)
{
    uint64_t pid;

    if (!parse_number(&text, INT32_MAX, &pid) || pid < 1 ||
        !parse_number(&text, UINT64_MAX, &mark->start) ||
        strlen(text) != BOOT_ID_SIZE || text[BOOT_ID_SIZE - 1] != '\n')
        return false;
    mark->pid = (pid_t)pid;
    memcpy(mark->boot, text, BOOT_ID_SIZE - 1);
    mark->boot[BOOT_ID_SIZE - 1] = '\0';
    return true;
}

/* *there: is there a file?  One that cannot be read as a mark is E_INPUT: we
 * would start a second one. */
static enum status read_mark(const char *folder, struct mark *mark, bool *there,
                             struct error *err)
{
    struct text path, text;
    enum status status;

    *there = false;
    text_init(&path);
    text_init(&text);
    status = network_path(folder, "pid", &path, err);
    if (status == OK && access(path.data, F_OK) == 0) {
        *there = true;
        status = file_read(path.data, PID_FILE_MAX, &text, err);
        if (status == OK && !parse_mark(text.data, mark))
            status =
                error_set(err, E_INPUT, "%s: does not say which process it is",
                          path.data);
    }
    text_clear(&text);
    text_clear(&path);
    return status;
}

/* A descriptor of a process is readable when all of its threads are gone, and
 * with them its locks and ports. */
static bool await_gone(int descriptor, int timeout_ms)
{
    struct pollfd poll_fd = {.fd = descriptor, .events = POLLIN};
    int result;

    do
        result = poll(&poll_fd, 1, timeout_ms);
    while (result < 0 && errno == EINTR);
    return result > 0;
}

enum status service_process_find(const char *folder, bool *running, pid_t *pid,
                                 int *descriptor, struct error *err)
{
    struct mark mark = {.pid = 0};
    struct sight sight = {.dies = false};
    char boot[BOOT_ID_SIZE];
    enum status status = OK;
    bool there;
    int fd;

    *running = false;
    if (read_mark(folder, &mark, &there, err) != OK)
        return err->status;
    if (!there)
        return OK;
    if (read_boot_id(boot, err) != OK)
        return err->status;
    if (strcmp(boot, mark.boot) != 0)
        return OK;
    fd = pidfd_open(mark.pid, 0);
    if (fd < 0 && errno == ESRCH)
        return OK;
    if (fd < 0)
        return error_set_errno(err, E_SYSTEM, errno, "process %ld",
                               (long)mark.pid);
    /* Behind pidfd_open: what is read now is of the process it holds. */
    *running = look_at(mark.pid, &sight) && sight.start == mark.start;
    *pid = mark.pid;
    if (*running && sight.dies) {
        *running = false;
        if (!await_gone(fd, KILL_MS))
            status = error_set(err, E_SYSTEM,
                               "process %ld was killed, but does not end",
                               (long)mark.pid);
    }
    if (*running && descriptor != NULL)
        *descriptor = fd;
    else
        close(fd);
    return status;
}

/* ---- starting ---- */

static enum status write_mark(const char *folder, struct error *err)
{
    struct mark mark = {.pid = getpid()};
    struct sight sight = {.dies = false};
    struct new_file *file = NULL;
    struct text path, text;
    enum status status = read_boot_id(mark.boot, err);

    text_init(&path);
    text_init(&text);
    if (status == OK && !look_at(mark.pid, &sight))
        status = error_set(err, E_SYSTEM, "/proc: has no start time of ours");
    mark.start = sight.start;
    if (status == OK)
        status = network_path(folder, "pid", &path, err);
    if (status == OK)
        status = text_printf(&text, err, "%ld %" PRIu64 " %s\n", (long)mark.pid,
                             mark.start, mark.boot);
    if (status == OK)
        status = new_file_create(&file, path.data, 0600, err);
    if (status == OK)
        status = descriptor_write(new_file_descriptor(file), text_bytes(&text),
                                  path.data, err);
    if (status == OK)
        status = new_file_publish(&file, err);
    new_file_discard(&file);
    text_clear(&text);
    text_clear(&path);
    return status;
}

static enum status open_log(const char *folder, struct error *err)
{
    struct text path;
    int fd = -1, nothing = -1;
    enum status status;

    text_init(&path);
    status = network_path(folder, "log", &path, err);
    if (status == OK)
        fd = open(path.data, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (status == OK)
        nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (status == OK && (fd < 0 || nothing < 0 || dup2(nothing, 0) < 0 ||
                         dup2(fd, 1) < 0 || dup2(fd, 2) < 0))
        status = error_set_errno(err, E_IO, errno, "%s", path.data);
    if (fd >= 0)
        close(fd);
    if (nothing >= 0)
        close(nothing);
    text_clear(&path);
    return status;
}

/* In the child; does not return.  Why it cannot become the service goes to
 * `failure`; otherwise that closes by itself. */
static _Noreturn void become_service(const char *program, const char *folder,
                                     int ready, int failure)
{
    const char *slash = strrchr(program, '/');
    struct error unwritten;
    struct text config, name;
    struct error err;
    char number[16];
    enum status status;

    error_init(&err);
    text_init(&config);
    text_init(&name);
    /* Not of the terminal's group: its Ctrl-C is for the command alone. */
    setsid();
    status = open_log(folder, &err);
    if (status == OK)
        status = write_mark(folder, &err);
    if (status == OK)
        status = network_path(folder, "config.json", &config, &err);
    if (status == OK)
        status = text_append_string(&name, slash != NULL ? slash + 1 : program,
                                    &err);
    if (status == OK && fcntl(ready, F_SETFD, 0) != 0)
        status = error_set_errno(&err, E_SYSTEM, errno, "the ready pipe");
    if (status == OK) {
        char *argv[] = {name.data,   (char[]){"--config"},
                        config.data, (char[]){"--ready-fd"},
                        number,      NULL};

        snprintf(number, sizeof number, "%d", ready);
        execv(program, argv);
        status = error_set_errno(&err, E_SYSTEM, errno, "%s", program);
    }
    /* If nobody reads it, nobody waits for this service any more. */
    (void)!descriptor_write(failure, bytes_of_string(err.text), "the parent",
                            &unwritten);
    _exit(status_exit_code(status));
}

/* Returns when the child is the service, and FOLDER/pid says so, or has
 * failed. */
static enum status await_service(int failure, struct error *err)
{
    char text[ERROR_TEXT_MAX / 2];
    size_t size;
    enum status status =
        descriptor_read(failure, text, sizeof text, &size, "a pipe", err);

    if (status == OK && size > 0)
        status = error_set(err, E_SYSTEM, "%.*s", (int)size, text);
    return status;
}

enum status service_process_start(const char *program, const char *folder,
                                  int *ready, struct error *err)
{
    int ready_pipe[2], failure_pipe[2];
    enum status status;
    pid_t child;

    if (pipe2(ready_pipe, O_CLOEXEC) != 0)
        return error_set_errno(err, E_SYSTEM, errno, "a pipe");
    if (pipe2(failure_pipe, O_CLOEXEC) != 0) {
        close(ready_pipe[0]);
        close(ready_pipe[1]);
        return error_set_errno(err, E_SYSTEM, errno, "a pipe");
    }
    fflush(stdout);
    child = fork();
    if (child == 0)
        become_service(program, folder, ready_pipe[1], failure_pipe[1]);
    status =
        child > 0 ? OK : error_set_errno(err, E_SYSTEM, errno, "a new process");
    close(ready_pipe[1]);
    close(failure_pipe[1]);
    if (status == OK)
        status = await_service(failure_pipe[0], err);
    close(failure_pipe[0]);
    if (status == OK)
        *ready = ready_pipe[0];
    else
        close(ready_pipe[0]);
    return status;
}

/* ---- ending ---- */

static enum status send_signal(const char *folder, int number,
                               struct error *err)
{
    bool running;
    int descriptor;
    pid_t pid = 0;
    enum status status =
        service_process_find(folder, &running, &pid, &descriptor, err);

    if (status != OK || !running)
        return status;
    if (pidfd_send_signal(descriptor, number, NULL, 0) != 0 && errno != ESRCH)
        status =
            error_set_errno(err, E_SYSTEM, errno, "process %ld", (long)pid);
    close(descriptor);
    return status;
}

enum status service_process_end(const char *folder, struct error *err)
{
    return send_signal(folder, SIGTERM, err);
}

/* Ours is also waited for: it would stay as a zombie. */
static enum status await_end(const char *folder, int timeout_ms, bool *ended,
                             struct error *err)
{
    bool running;
    int descriptor;
    pid_t pid = 0;
    enum status status =
        service_process_find(folder, &running, &pid, &descriptor, err);

    *ended = true;
    if (status != OK || !running)
        return status;
    *ended = await_gone(descriptor, timeout_ms);
    close(descriptor);
    if (*ended)
        waitpid(pid, NULL, WNOHANG);
    return OK;
}

enum status service_process_wait(const char *folder, int timeout_ms,
                                 bool *killed, struct error *err)
{
    struct text path;
    bool ended;
    enum status status = await_end(folder, timeout_ms, &ended, err);

    if (killed != NULL)
        *killed = status == OK && !ended;
    if (status == OK && !ended) {
        status = send_signal(folder, SIGKILL, err);
        if (status == OK)
            status = await_end(folder, KILL_MS, &ended, err);
        if (status == OK && !ended)
            status = error_set(err, E_SYSTEM, "%s: its process does not end",
                               folder);
    }
    if (status != OK)
        return status;
    text_init(&path);
    status = network_path(folder, "pid", &path, err);
    if (status == OK && unlink(path.data) != 0 && errno != ENOENT)
        status = error_set_errno(err, E_IO, errno, "%s", path.data);
    text_clear(&path);
    return status;
}

/* ---- its log ---- */

/* Where the last lines of it begin. */
static size_t tail_start(const char *data, size_t size)
{
    size_t at = size, lines = 0;

    while (at > 0) {
        if (data[at - 1] == '\n' && at < size && ++lines == LOG_TAIL_LINES)
            break;
        at--;
    }
    return at;
}

enum status service_process_log(const char *folder, struct text *out,
                                struct error *err)
{
    char tail[LOG_TAIL_SIZE];
    struct stat about;
    struct text path;
    size_t got = 0, start;
    int fd = -1;
    enum status status;

    text_init(&path);
    status = network_path(folder, "log", &path, err);
    if (status == OK)
        fd = open(path.data, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        if (fstat(fd, &about) == 0 && about.st_size > (off_t)sizeof tail)
            lseek(fd, -(off_t)sizeof tail, SEEK_END);
        status = descriptor_read(fd, tail, sizeof tail, &got, path.data, err);
        close(fd);
    }
    if (status == OK) {
        start = tail_start(tail, got);
        status = text_append(out, tail + start, got - start, err);
    }
    text_clear(&path);
    return status;
}
