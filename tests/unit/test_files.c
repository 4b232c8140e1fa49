#include "common/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/child.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_files(void);

static struct scratch scratch;
static struct error err;

/* Nobody's rights, so that access bits count even where tests run as root. */
static int become_nobody(void)
{
    return geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0);
}

/* Status of an attempt to create `name`, and whether the error names it. */
static enum status creating(const char *path)
{
    struct new_file *file = NULL;
    enum status status;

    error_init(&err);
    status = new_file_create(&file, path, 0644, &err);
    CU_ASSERT(status == OK || strncmp(err.text, path, 500) == 0 ||
              strstr(err.text, path) != NULL);
    CU_ASSERT_EQUAL(status == OK, file != NULL);
    CU_ASSERT_EQUAL(status, err.status);
    new_file_discard(&file);
    CU_ASSERT_PTR_NULL(file);
    return status;
}

static enum status publishing(const char *path, const char *string, mode_t mode)
{
    struct new_file *file = NULL;
    enum status status = new_file_create(&file, path, mode, &err);

    if (status == OK)
        status = descriptor_write(new_file_descriptor(file),
                                  bytes_of_string(string), path, &err);
    if (status == OK)
        return new_file_publish(&file, &err);
    new_file_discard(&file);
    return status;
}

/* ---- reading whole files ---- */

static void whole_file_is_appended(void)
{
    struct text text;

    scratch_open(&scratch);
    scratch_write(&scratch, "a", "behind");
    text_init(&text);
    CU_ASSERT_EQUAL(text_append_string(&text, "before ", &err), OK);
    CU_ASSERT_EQUAL(file_read(scratch_path(&scratch, "a"), 100, &text, &err),
                    OK);
    CU_ASSERT_STRING_EQUAL(text.data, "before behind");
    CU_ASSERT_EQUAL(text.size, 13);
    text_clear(&text);
    scratch_close(&scratch);
}

static void file_may_be_as_long_as_its_limit(void)
{
    struct text text;

    scratch_open(&scratch);
    scratch_write(&scratch, "six", "123456");
    scratch_write(&scratch, "none", "");
    text_init(&text);
    CU_ASSERT_EQUAL(file_read(scratch_path(&scratch, "six"), 6, &text, &err),
                    OK);
    CU_ASSERT_STRING_EQUAL(text.data, "123456");
    CU_ASSERT_EQUAL(file_read(scratch_path(&scratch, "none"), 0, &text, &err),
                    OK);
    CU_ASSERT_STRING_EQUAL(text.data, "123456");
    CU_ASSERT_EQUAL(file_read(scratch_path(&scratch, "six"), 5, &text, &err),
                    E_LIMIT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "six: has 6 bytes"));
    CU_ASSERT_STRING_EQUAL(text.data, "123456");
    text_clear(&text);
    scratch_close(&scratch);
}

/* Feed `size` bytes through a pipe to file_read with the limit `size_max`. */
static enum status read_piped(size_t size, size_t size_max, struct text *text)
{
    int ends[2];
    char path[32];
    enum status status;
    pid_t child;

    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    fflush(NULL);
    child = fork();
    if (child == 0) {
        signal(SIGPIPE, SIG_IGN);
        close(ends[0]);
        for (size_t i = 0; i < size; i++)
            if (write(ends[1], &"0123456789"[i % 10], 1) != 1)
                break;
        _exit(0);
    }
    CU_ASSERT_FATAL(child > 0);
    close(ends[1]);
    snprintf(path, sizeof path, "/proc/self/fd/%d", ends[0]);
    status = file_read(path, size_max, text, &err);
    close(ends[0]);
    CU_ASSERT_EQUAL(waitpid(child, NULL, 0), child);
    return status;
}

static enum status take_size(struct bytes content, void *target,
                             struct error *why)
{
    *(size_t *)target = content.size;
    return bytes_equal_string(content, "wrong")
               ? error_set(why, E_VERSION, "line 1: is wrong")
               : OK;
}

static void refusal_of_a_content_names_the_file(void)
{
    size_t size = 9;

    scratch_open(&scratch);
    error_init(&err);
    scratch_write(&scratch, "f", "right");
    CU_ASSERT_EQUAL(
        file_load(scratch_path(&scratch, "f"), 5, take_size, &size, &err), OK);
    CU_ASSERT_EQUAL(size, 5);
    size = 9;
    CU_ASSERT_EQUAL(
        file_load(scratch_path(&scratch, "f"), 4, take_size, &size, &err),
        E_LIMIT);
    CU_ASSERT_EQUAL(size, 9);
    error_init(&err);
    scratch_write(&scratch, "f", "wrong");
    CU_ASSERT_EQUAL(
        file_load(scratch_path(&scratch, "f"), 5, take_size, &size, &err),
        E_VERSION);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "/f: line 1: is wrong"));
    scratch_close(&scratch);
}

static void pipe_is_read_to_its_end(void)
{
    struct text text;
    bool right = true;

    text_init(&text);
    CU_ASSERT_EQUAL(read_piped(20001, 20001, &text), OK);
    CU_ASSERT_EQUAL_FATAL(text.size, 20001);
    for (size_t i = 0; i < text.size; i++)
        right = right && text.data[i] == "0123456789"[i % 10];
    CU_ASSERT(right);
    text_reset(&text);
    CU_ASSERT_EQUAL(read_piped(20001, 20000, &text), E_LIMIT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "limit of 20000 bytes"));
    CU_ASSERT_EQUAL(text.size, 0);
    text_clear(&text);
}

static void only_files_and_pipes_are_read(void)
{
    struct text text;

    scratch_open(&scratch);
    text_init(&text);
    CU_ASSERT_EQUAL(
        file_read(scratch_path(&scratch, "missing"), 9, &text, &err), E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "/missing: cannot be opened: No "));
    CU_ASSERT_EQUAL(file_read(scratch.path, 9, &text, &err), E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "is a folder"));
    CU_ASSERT_EQUAL(file_read("/dev/null", 9, &text, &err), E_INPUT);
    CU_ASSERT_STRING_EQUAL(err.text,
                           "/dev/null: is not a regular file or pipe");
    CU_ASSERT_EQUAL(text.capacity, 0);
    scratch_close(&scratch);
}

static int read_secret(void)
{
    struct text text;

    text_init(&text);
    return become_nobody() ||
           file_read(scratch_path(&scratch, "secret"), 9, &text, &err) !=
               E_INPUT ||
           strstr(err.text, "secret: cannot be opened: Permission") == NULL;
}

static void file_without_right_to_read_is_bad_input(void)
{
    scratch_open(&scratch);
    scratch_write(&scratch, "secret", "x");
    CU_ASSERT_EQUAL(chmod(scratch_path(&scratch, "secret"), 0), 0);
    CU_ASSERT_EQUAL(child_run(read_secret), 0);
    scratch_close(&scratch);
}

/* ---- files that appear whole ---- */

static void new_file_is_invisible_until_published(void)
{
    struct new_file *file = NULL;
    char back[6] = "";
    size_t got = 0;
    int fd;

    scratch_open(&scratch);
    CU_ASSERT_EQUAL_FATAL(
        new_file_create(&file, scratch_path(&scratch, "out"), 0600, &err), OK);
    fd = new_file_descriptor(file);
    CU_ASSERT_EQUAL(descriptor_write(fd, bytes_of_string("hello"), "o", &err),
                    OK);
    CU_ASSERT_EQUAL(scratch_count(&scratch), 0);
    CU_ASSERT_EQUAL(lseek(fd, 0, SEEK_SET), 0);
    CU_ASSERT_EQUAL(descriptor_read(fd, back, sizeof back, &got, "o", &err),
                    OK);
    CU_ASSERT_EQUAL(got, 5);
    CU_ASSERT_STRING_EQUAL(back, "hello");
    CU_ASSERT_EQUAL(new_file_publish(&file, &err), OK);
    CU_ASSERT_PTR_NULL(file);
    CU_ASSERT(scratch_holds(&scratch, "out", "hello"));
    CU_ASSERT_EQUAL(scratch_count(&scratch), 1);
    scratch_close(&scratch);
}

static void discarded_file_leaves_nothing(void)
{
    struct new_file *file = NULL;

    scratch_open(&scratch);
    scratch_write(&scratch, "out", "old");
    new_file_discard(&file);
    CU_ASSERT_EQUAL(creating(scratch_path(&scratch, "new")), OK);
    CU_ASSERT_EQUAL(creating(scratch_path(&scratch, "out")), OK);
    CU_ASSERT(scratch_holds(&scratch, "out", "old"));
    CU_ASSERT_EQUAL(scratch_count(&scratch), 1);
    scratch_close(&scratch);
}

static void published_file_has_its_mode_less_the_umask(void)
{
    mode_t before = umask(026);
    struct stat is;

    scratch_open(&scratch);
    CU_ASSERT_EQUAL(publishing(scratch_path(&scratch, "a"), "x", 0664), OK);
    CU_ASSERT_EQUAL(stat(scratch_path(&scratch, "a"), &is), 0);
    CU_ASSERT_EQUAL(is.st_mode & 07777, 0640);
    CU_ASSERT_EQUAL(publishing(scratch_path(&scratch, "b"), "x", 0600), OK);
    CU_ASSERT_EQUAL(stat(scratch_path(&scratch, "b"), &is), 0);
    CU_ASSERT_EQUAL(is.st_mode & 07777, 0600);
    /* Replaced, it does not become readable for others. */
    CU_ASSERT_EQUAL(publishing(scratch_path(&scratch, "b"), "y", 0666), OK);
    CU_ASSERT_EQUAL(stat(scratch_path(&scratch, "b"), &is), 0);
    CU_ASSERT_EQUAL(is.st_mode & 07777, 0600);
    umask(before);
    scratch_close(&scratch);
}

static void existing_file_is_replaced_whole(void)
{
    char back[4] = "";
    size_t got = 0;
    int reader;

    scratch_open(&scratch);
    scratch_write(&scratch, "out", "old");
    reader = open(scratch_path(&scratch, "out"), O_RDONLY);
    CU_ASSERT_EQUAL(publishing(scratch_path(&scratch, "out"), "new", 0644), OK);
    CU_ASSERT(scratch_holds(&scratch, "out", "new"));
    CU_ASSERT_EQUAL(descriptor_read(reader, back, 3, &got, "out", &err), OK);
    CU_ASSERT_STRING_EQUAL(back, "old");
    close(reader);
    CU_ASSERT_EQUAL(scratch_count(&scratch), 1);
    scratch_close(&scratch);
}

static void file_appears_in_the_working_folder(void)
{
    int before = open(".", O_PATH | O_DIRECTORY);

    scratch_open(&scratch);
    CU_ASSERT_EQUAL(chdir(scratch.path), 0);
    CU_ASSERT_EQUAL(publishing("plain", "x", 0644), OK);
    CU_ASSERT_EQUAL(fchdir(before), 0);
    close(before);
    CU_ASSERT(scratch_holds(&scratch, "plain", "x"));
    scratch_close(&scratch);
}

static void file_behind_a_link_is_replaced(void)
{
    struct stat is;

    scratch_open(&scratch);
    CU_ASSERT_EQUAL(mkdir(scratch_path(&scratch, "far"), 0755), 0);
    scratch_write(&scratch, "far/real", "old");
    CU_ASSERT_EQUAL(symlink("far/real", scratch_path(&scratch, "link")), 0);
    CU_ASSERT_EQUAL(publishing(scratch_path(&scratch, "link"), "new", 0644),
                    OK);
    CU_ASSERT_EQUAL(lstat(scratch_path(&scratch, "link"), &is), 0);
    CU_ASSERT(S_ISLNK(is.st_mode));
    CU_ASSERT(scratch_holds(&scratch, "far/real", "new"));
    scratch_close(&scratch);
}

static void link_to_nothing_is_refused(void)
{
    scratch_open(&scratch);
    CU_ASSERT_EQUAL(symlink("gone", scratch_path(&scratch, "link")), 0);
    CU_ASSERT_EQUAL(creating(scratch_path(&scratch, "link")), E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "symbolic link to nothing"));
    CU_ASSERT_EQUAL(scratch_count(&scratch), 1);
    scratch_close(&scratch);
}

static void circle_of_links_is_refused(void)
{
    scratch_open(&scratch);
    CU_ASSERT_EQUAL(symlink("b", scratch_path(&scratch, "a")), 0);
    CU_ASSERT_EQUAL(symlink("a", scratch_path(&scratch, "b")), 0);
    CU_ASSERT_EQUAL(creating(scratch_path(&scratch, "a")), E_INPUT);
    scratch_close(&scratch);
}

static void only_regular_files_are_replaced(void)
{
    scratch_open(&scratch);
    CU_ASSERT_EQUAL(mkfifo(scratch_path(&scratch, "pipe"), 0600), 0);
    CU_ASSERT_EQUAL(creating(scratch_path(&scratch, "pipe")), E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "pipe: is not a regular file"));
    CU_ASSERT_EQUAL(creating("/dev/null"), E_INPUT);
    CU_ASSERT_STRING_EQUAL(err.text, "/dev/null: is not a regular file");
    CU_ASSERT_EQUAL(creating(scratch.path), E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, ": is a folder"));
    scratch_close(&scratch);
}

static void path_without_a_place_is_refused(void)
{
    char long_name[300], long_path[PATH_MAX + 10];

    scratch_open(&scratch);
    scratch_write(&scratch, "file", "");
    CU_ASSERT_EQUAL(creating(scratch_path(&scratch, "missing/out")), E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "/missing cannot be opened"));
    CU_ASSERT_EQUAL(creating(scratch_path(&scratch, "file/out")), E_INPUT);
    CU_ASSERT_EQUAL(creating(scratch_path(&scratch, "missing/")), E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "names a folder"));
    CU_ASSERT_EQUAL(creating(""), E_INPUT);
    memset(long_name, 'n', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    CU_ASSERT_EQUAL(creating(scratch_path(&scratch, long_name)), E_INPUT);
    for (size_t i = 0; i < sizeof long_path - 1; i += 2)
        memcpy(long_path + i, "./", 2);
    long_path[sizeof long_path - 2] = 'x';
    long_path[sizeof long_path - 1] = '\0';
    CU_ASSERT_EQUAL(creating(long_path), E_INPUT);
    CU_ASSERT_EQUAL(scratch_count(&scratch), 1);
    scratch_close(&scratch);
}

static int create_without_right(void)
{
    return become_nobody() ||
           creating(scratch_path(&scratch, "out")) != E_INPUT ||
           strstr(err.text, "takes no new file: Permission") == NULL;
}

static void folder_without_right_to_write_is_refused(void)
{
    scratch_open(&scratch);
    CU_ASSERT_EQUAL(chmod(scratch.path, 0555), 0);
    CU_ASSERT_EQUAL(child_run(create_without_right), 0);
    CU_ASSERT_EQUAL(chmod(scratch.path, 0755), 0);
    scratch_close(&scratch);
}

static int replace_protected(void)
{
    return become_nobody() ||
           creating(scratch_path(&scratch, "out")) != E_INPUT ||
           strstr(err.text, "cannot be replaced: Permission") == NULL;
}

static void protected_file_is_not_replaced(void)
{
    scratch_open(&scratch);
    scratch_write(&scratch, "out", "old");
    CU_ASSERT_EQUAL(chmod(scratch_path(&scratch, "out"), 0444), 0);
    CU_ASSERT_EQUAL(chmod(scratch.path, 0777), 0);
    CU_ASSERT_EQUAL(child_run(replace_protected), 0);
    CU_ASSERT(scratch_holds(&scratch, "out", "old"));
    scratch_close(&scratch);
}

static void name_taken_by_a_folder_meanwhile_is_left_alone(void)
{
    struct new_file *file = NULL;

    scratch_open(&scratch);
    CU_ASSERT_EQUAL_FATAL(
        new_file_create(&file, scratch_path(&scratch, "out"), 0600, &err), OK);
    CU_ASSERT_EQUAL(mkdir(scratch_path(&scratch, "out"), 0755), 0);
    CU_ASSERT_EQUAL(new_file_publish(&file, &err), E_IO);
    CU_ASSERT_PTR_NULL(file);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "out: cannot be put in its place"));
    CU_ASSERT_EQUAL(scratch_count(&scratch), 1);
    scratch_close(&scratch);
}

static int write_and_die(void)
{
    struct new_file *file = NULL;

    if (new_file_create(&file, scratch_path(&scratch, "out"), 0600, &err) != OK)
        return 1;
    for (int i = 0; i < 100; i++)
        if (descriptor_write(new_file_descriptor(file),
                             bytes_of_string("half a line"), "o", &err) != OK)
            return 1;
    raise(SIGKILL);
    return 2;
}

static void killed_writer_leaves_nothing(void)
{
    scratch_open(&scratch);
    CU_ASSERT_EQUAL(child_run(write_and_die), CHILD_KILLED + SIGKILL);
    CU_ASSERT_EQUAL(scratch_count(&scratch), 0);
    scratch_write(&scratch, "out", "old");
    CU_ASSERT_EQUAL(child_run(write_and_die), CHILD_KILLED + SIGKILL);
    CU_ASSERT(scratch_holds(&scratch, "out", "old"));
    CU_ASSERT_EQUAL(scratch_count(&scratch), 1);
    scratch_close(&scratch);
}

/* A limit on the size of files stands for the full disk: write(2) first
 * writes a part, then fails. */
static int write_over_the_limit(void)
{
    const struct rlimit limit = {1000, 1000};
    char line[300];

    memset(line, 'x', sizeof line - 1);
    line[sizeof line - 1] = '\0';
    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
        return 1;
    struct new_file *file = NULL;
    enum status status =
        new_file_create(&file, scratch_path(&scratch, "out"), 0600, &err);

    for (int i = 0; status == OK && i < 5; i++)
        status = descriptor_write(new_file_descriptor(file),
                                  bytes_of_string(line), "out.csv", &err);
    new_file_discard(&file);
    return status != E_IO ||
           strcmp(err.text, "out.csv: writing failed: File too large") != 0;
}

static void full_disk_fails_and_leaves_nothing(void)
{
    int full = open("/dev/full", O_WRONLY);

    scratch_open(&scratch);
    scratch_write(&scratch, "out", "old");
    CU_ASSERT_EQUAL(child_run(write_over_the_limit), 0);
    CU_ASSERT(scratch_holds(&scratch, "out", "old"));
    CU_ASSERT_EQUAL(scratch_count(&scratch), 1);
    scratch_close(&scratch);
    CU_ASSERT_EQUAL(
        descriptor_write(full, bytes_of_string("x"), "out.csv", &err), E_IO);
    CU_ASSERT_STRING_EQUAL(err.text,
                           "out.csv: writing failed: No space left on device");
    close(full);
}

/* ---- links that somebody else laid ---- */

static int follow_foreign_link(void)
{
    return become_nobody() ||
           creating(scratch_path(&scratch, "link")) != E_INPUT ||
           strstr(err.text, "link: cannot be written: Permission") == NULL;
}

static void foreign_link_in_a_shared_folder_is_not_followed(void)
{
    FILE *setting = fopen("/proc/sys/fs/protected_symlinks", "r");
    bool protected = setting != NULL && fgetc(setting) == '1';

    if (setting != NULL)
        fclose(setting);
    if (!protected || geteuid() != 0)
        return; /* it takes two users and the kernel's help */
    scratch_open(&scratch);
    scratch_write(&scratch, "victim", "old");
    CU_ASSERT_EQUAL(chmod(scratch_path(&scratch, "victim"), 0666), 0);
    CU_ASSERT_EQUAL(symlink("victim", scratch_path(&scratch, "link")), 0);
    CU_ASSERT_EQUAL(lchown(scratch_path(&scratch, "link"), 65533, 65533), 0);
    CU_ASSERT_EQUAL(chmod(scratch.path, 01777), 0);
    CU_ASSERT_EQUAL(child_run(follow_foreign_link), 0);
    CU_ASSERT(scratch_holds(&scratch, "victim", "old"));
    scratch_close(&scratch);
}

/* ---- descriptors ---- */

static void on_alarm(int number)
{
    (void)number;
}

/* Write 1 MiB into a pipe that is emptied slowly, while an alarm interrupts
 * every millisecond; the reader counts. */
static void write_to_slow_reader(bool blocking)
{
    const struct itimerval fast = {{0, 1000}, {0, 1000}}, off = {{0}, {0}};
    const struct sigaction action = {.sa_handler = on_alarm};
    static uint8_t block[1 << 20];
    int ends[2], state = 0;
    pid_t child;

    CU_ASSERT_EQUAL_FATAL(pipe2(ends, blocking ? 0 : O_NONBLOCK), 0);
    fflush(NULL);
    child = fork();
    if (child == 0) {
        size_t got = 0, sum = 0;
        char part[20000];

        close(ends[1]);
        do {
            usleep(500);
            if (descriptor_read(ends[0], part, sizeof part, &got, "pipe",
                                &err) != OK)
                _exit(2);
            sum += got;
        } while (got == sizeof part);
        _exit(sum == sizeof block ? 0 : 1);
    }
    CU_ASSERT_FATAL(child > 0);
    close(ends[0]);
    sigaction(SIGALRM, &action, NULL); /* no SA_RESTART */
    setitimer(ITIMER_REAL, &fast, NULL);
    CU_ASSERT_EQUAL(
        descriptor_write(ends[1], bytes_of(block, sizeof block), "pipe", &err),
        OK);
    setitimer(ITIMER_REAL, &off, NULL);
    signal(SIGALRM, SIG_IGN); /* one may still be on its way */
    close(ends[1]);
    CU_ASSERT_EQUAL(waitpid(child, &state, 0), child);
    CU_ASSERT(WIFEXITED(state) && WEXITSTATUS(state) == 0);
}

static void interrupted_transfer_goes_on(void)
{
    write_to_slow_reader(true);
}

static void transfer_waits_for_a_descriptor_that_does_not_block(void)
{
    write_to_slow_reader(false);
}

static void closed_pipe_fails(void)
{
    void (*before)(int) = signal(SIGPIPE, SIG_IGN);
    int ends[2];

    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    close(ends[0]);
    CU_ASSERT_EQUAL(
        descriptor_write(ends[1], bytes_of_string("x"), "stdout", &err), E_IO);
    CU_ASSERT_STRING_EQUAL(err.text, "stdout: writing failed: Broken pipe");
    close(ends[1]);
    signal(SIGPIPE, before);
}

static void unreadable_descriptor_fails(void)
{
    int fd = open("/dev/null", O_WRONLY);
    size_t got = 7;
    char byte;

    CU_ASSERT_EQUAL(descriptor_read(fd, &byte, 1, &got, "in.csv", &err), E_IO);
    CU_ASSERT_STRING_EQUAL(err.text,
                           "in.csv: reading failed: Bad file descriptor");
    CU_ASSERT_EQUAL(got, 7);
    close(fd);
}

/* ---- temporary files and paths ---- */

static void temporary_file_has_no_name(void)
{
    size_t got = 0;
    struct stat is;
    char back[2];
    int fd = -1;

    scratch_open(&scratch);
    setenv("TMPDIR", scratch.path, 1);
    CU_ASSERT_EQUAL_FATAL(temporary_open(&fd, &err), OK);
    CU_ASSERT_EQUAL(scratch_count(&scratch), 0);
    CU_ASSERT_EQUAL(fstat(fd, &is), 0);
    CU_ASSERT_EQUAL(is.st_mode & 07777, 0600);
    CU_ASSERT_EQUAL(descriptor_write(fd, bytes_of_string("ab"), "t", &err), OK);
    CU_ASSERT_EQUAL(lseek(fd, 1, SEEK_SET), 1);
    CU_ASSERT_EQUAL(descriptor_read(fd, back, 2, &got, "t", &err), OK);
    CU_ASSERT(got == 1 && back[0] == 'b');
    close(fd);
    setenv("TMPDIR", scratch_path(&scratch, "missing"), 1);
    CU_ASSERT_EQUAL(temporary_open(&fd, &err), E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "missing: takes no temporary"));
    setenv("TMPDIR", "", 1);
    CU_ASSERT_EQUAL(temporary_open(&fd, &err), OK);
    close(fd);
    unsetenv("TMPDIR");
    CU_ASSERT_EQUAL(temporary_open(&fd, &err), OK);
    close(fd);
    scratch_close(&scratch);
}

static void same_file_is_seen_through_links(void)
{
    scratch_open(&scratch);
    scratch_write(&scratch, "a", "");
    scratch_write(&scratch, "b", "");
    CU_ASSERT_EQUAL(symlink("a", scratch_path(&scratch, "soft")), 0);
    CU_ASSERT_EQUAL(
        link(scratch_path(&scratch, "a"), scratch_path(&scratch, "hard")), 0);
    const char *a = scratch_path(&scratch, "a");

    CU_ASSERT(file_same(a, a));
    CU_ASSERT(file_same(a, scratch_path(&scratch, "./a")));
    CU_ASSERT(file_same(a, scratch_path(&scratch, "soft")));
    CU_ASSERT(file_same(scratch_path(&scratch, "hard"), a));
    CU_ASSERT(!file_same(a, scratch_path(&scratch, "b")));
    CU_ASSERT(!file_same(a, scratch_path(&scratch, "missing")));
    CU_ASSERT(!file_same(scratch_path(&scratch, "missing"), a));

    int fd = open(a, O_RDONLY);

    CU_ASSERT(file_is_open_as(a, fd));
    CU_ASSERT(file_is_open_as(scratch_path(&scratch, "hard"), fd));
    CU_ASSERT(!file_is_open_as(scratch_path(&scratch, "b"), fd));
    CU_ASSERT(!file_is_open_as(scratch_path(&scratch, "missing"), fd));
    close(fd);
    CU_ASSERT(!file_is_open_as(a, fd));
    scratch_close(&scratch);
}

/* 0 if the next file opened gets `next` and a standard descriptor that was
 * closed can be neither read nor written. */
static int use_occupied(void)
{
    struct error error;
    char byte = 'x';

    error_init(&error);
    if (standard_descriptors_occupy(&error) != OK)
        return 1;
    if (open("/dev/null", O_RDWR) <= STDERR_FILENO)
        return 2;
    return read(STDIN_FILENO, &byte, 1) == -1 && errno == EBADF &&
                   write(STDOUT_FILENO, &byte, 1) == -1 && errno == EBADF &&
                   write(STDERR_FILENO, &byte, 1) == -1 && errno == EBADF
               ? 0
               : 3;
}

static int use_all_closed(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        close(fd);
    return use_occupied();
}

/* What is open stays what it is. */
static int use_one_closed(void)
{
    struct error error;
    struct stat before, after;

    error_init(&error);
    close(STDIN_FILENO);
    if (fstat(STDERR_FILENO, &before) != 0 ||
        standard_descriptors_occupy(&error) != OK ||
        fstat(STDERR_FILENO, &after) != 0)
        return 1;
    return before.st_ino == after.st_ino && before.st_dev == after.st_dev &&
                   open("/dev/null", O_RDWR) > STDERR_FILENO
               ? 0
               : 2;
}

static void closed_standard_descriptors_are_given_to_no_file(void)
{
    CU_ASSERT_EQUAL(child_run(use_all_closed), 0);
    CU_ASSERT_EQUAL(child_run(use_one_closed), 0);
}

static void path_beside_stays_in_the_folder(void)
{
    static const struct {
        const char *beside, *name, *expected;
    } rows[] = {
        {"policy.json", "age.csv", "age.csv"},
        {"dir/policy.json", "age.csv", "dir/age.csv"},
        {"/a/b/policy.json", "../age.csv", "/a/b/../age.csv"},
        {"/policy.json", "age.csv", "/age.csv"},
        {"dir/policy.json", "/abs/age.csv", "/abs/age.csv"},
        {"-", "age.csv", "age.csv"},
    };
    struct text text;

    text_init(&text);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        text_reset(&text);
        CU_ASSERT_EQUAL(path_beside(rows[i].beside, rows[i].name, &text, &err),
                        OK);
        CU_ASSERT_STRING_EQUAL(text.data, rows[i].expected);
    }
    text_clear(&text);
}

/* Nothing is replaced, with and without somebody else being first. */
static void fresh_file_replaces_nothing(void)
{
    struct scratch own;
    struct error own_err;
    struct new_file *file = NULL;
    const char *path;

    scratch_open(&own);
    path = scratch_path(&own, "out");
    CU_ASSERT_EQUAL_FATAL(new_file_create(&file, path, 0600, &own_err), OK);
    CU_ASSERT_EQUAL(new_file_publish_fresh(&file, &own_err), OK);
    CU_ASSERT_PTR_NULL(file);
    CU_ASSERT(scratch_holds(&own, "out", ""));
    scratch_write(&own, "out", "old");
    CU_ASSERT_EQUAL_FATAL(new_file_create(&file, path, 0600, &own_err), OK);
    CU_ASSERT_EQUAL(new_file_publish_fresh(&file, &own_err), E_INPUT);
    CU_ASSERT_PTR_NULL(file);
    CU_ASSERT(scratch_holds(&own, "out", "old"));
    CU_ASSERT_EQUAL(scratch_count(&own), 1);
    scratch_close(&own);
}

static void folder_is_removed_with_all_in_it_and_no_more(void)
{
    char folder[SCRATCH_PATH_MAX];

    scratch_open(&scratch);
    snprintf(folder, sizeof folder, "%s", scratch_path(&scratch, "folder"));
    CU_ASSERT_EQUAL_FATAL(mkdir(folder, 0700), 0);
    CU_ASSERT_EQUAL_FATAL(mkdir(scratch_path(&scratch, "folder/deep"), 0700),
                          0);
    CU_ASSERT_EQUAL_FATAL(mkdir(scratch_path(&scratch, "kept"), 0700), 0);
    scratch_write(&scratch, "kept/file", "k");
    scratch_write(&scratch, "folder/deep/file", "f");
    CU_ASSERT_EQUAL_FATAL(symlink(scratch_path(&scratch, "kept"),
                                  scratch_path(&scratch, "folder/link")),
                          0);
    CU_ASSERT(folder_remove(folder));
    CU_ASSERT_EQUAL(access(folder, F_OK), -1);
    CU_ASSERT_EQUAL(access(scratch_path(&scratch, "kept/file"), F_OK), 0);
    CU_ASSERT(!folder_remove(folder)); /* it is gone */
    scratch_close(&scratch);
}

void suite_files(void)
{
    static const struct test tests[] = {
        {"a whole file is appended", whole_file_is_appended},
        {"a file may be as long as its limit",
         file_may_be_as_long_as_its_limit},
        {"the refusal of a content names the file",
         refusal_of_a_content_names_the_file},
        {"a pipe is read to its end", pipe_is_read_to_its_end},
        {"only files and pipes are read", only_files_and_pipes_are_read},
        {"a file without the right to read is bad input",
         file_without_right_to_read_is_bad_input},
        {"a new file is invisible until published",
         new_file_is_invisible_until_published},
        {"a discarded file leaves nothing", discarded_file_leaves_nothing},
        {"a published file has its mode less the umask",
         published_file_has_its_mode_less_the_umask},
        {"an existing file is replaced whole", existing_file_is_replaced_whole},
        {"a file appears in the working folder",
         file_appears_in_the_working_folder},
        {"the file behind a link is replaced", file_behind_a_link_is_replaced},
        {"a link to nothing is refused", link_to_nothing_is_refused},
        {"a circle of links is refused", circle_of_links_is_refused},
        {"only regular files are replaced", only_regular_files_are_replaced},
        {"a path without a place is refused", path_without_a_place_is_refused},
        {"a folder without the right to write is refused",
         folder_without_right_to_write_is_refused},
        {"a protected file is not replaced", protected_file_is_not_replaced},
        {"a name taken by a folder meanwhile is left alone",
         name_taken_by_a_folder_meanwhile_is_left_alone},
        {"a killed writer leaves nothing", killed_writer_leaves_nothing},
        {"a full disk fails and leaves nothing",
         full_disk_fails_and_leaves_nothing},
        {"a foreign link in a shared folder is not followed",
         foreign_link_in_a_shared_folder_is_not_followed},
        {"an interrupted transfer goes on", interrupted_transfer_goes_on},
        {"a transfer waits for a descriptor that does not block",
         transfer_waits_for_a_descriptor_that_does_not_block},
        {"a closed pipe fails", closed_pipe_fails},
        {"an unreadable descriptor fails", unreadable_descriptor_fails},
        {"a temporary file has no name", temporary_file_has_no_name},
        {"the same file is seen through links",
         same_file_is_seen_through_links},
        {"closed standard descriptors are given to no file",
         closed_standard_descriptors_are_given_to_no_file},
        {"a path beside stays in the folder", path_beside_stays_in_the_folder},
        {"a folder is removed with all in it, and no more",
         folder_is_removed_with_all_in_it_and_no_more},
        {"a fresh file replaces nothing", fresh_file_replaces_nothing},
    };

    suite_add("files", tests, sizeof tests / sizeof tests[0]);
}
