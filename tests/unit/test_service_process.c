#include "cli/service_process.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_service_process(void);

/* What a node does, as far as a process is concerned: $2 is the configuration,
 * $4 the descriptor. */
#define READY_AND_STAY                                                         \
    "#!/bin/sh\necho \"config $2\"\necho ready >&\"$4\"\n"                     \
    "exec sleep 60\n"
#define STUBBORN                                                               \
    "#!/bin/sh\ntrap '' TERM\necho ready >&\"$4\"\n"                           \
    "while :; do sleep 0.05; done\n"
#define FAILING "#!/bin/sh\necho 'the disk is full' >&2\nexit 3\n"

static void write_program(const struct scratch *scratch, const char *text)
{
    scratch_write(scratch, "program", text);
    CU_ASSERT_EQUAL_FATAL(chmod(scratch_path(scratch, "program"), 0700), 0);
}

static enum status start(const struct scratch *scratch, int *ready,
                         struct error *err)
{
    error_init(err);
    return service_process_start(scratch_path(scratch, "program"),
                                 scratch->path, ready, err);
}

/* What the pipe says until a newline or its end. */
static void read_line(int fd, char *line, size_t size)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    ssize_t got = 0;

    CU_ASSERT_EQUAL_FATAL(poll(&poll_fd, 1, 10000 * (int)suite_patience()), 1);
    got = read(fd, line, size - 1);
    line[got > 0 ? got : 0] = '\0';
}

static bool is_running(const struct scratch *scratch, pid_t *pid)
{
    struct error err;
    bool running = false;

    error_init(&err);
    CU_ASSERT_EQUAL(
        service_process_find(scratch->path, &running, pid, NULL, &err), OK);
    return running;
}

static void end(const struct scratch *scratch, int timeout_ms, bool *killed)
{
    struct error err;

    error_init(&err);
    CU_ASSERT_EQUAL(service_process_end(scratch->path, &err), OK);
    CU_ASSERT_EQUAL(
        service_process_wait(scratch->path, timeout_ms, killed, &err), OK);
    CU_ASSERT_STRING_EQUAL(err.text, "");
}

static void starts_says_ready_and_ends(void)
{
    struct scratch scratch;
    struct stat about;
    struct error err;
    struct text log;
    char line[32], expected[SCRATCH_PATH_MAX + 32];
    bool killed;
    pid_t pid = 0;
    int ready;

    scratch_open(&scratch);
    write_program(&scratch, READY_AND_STAY);
    CU_ASSERT_FALSE(is_running(&scratch, &pid));
    CU_ASSERT_EQUAL_FATAL(start(&scratch, &ready, &err), OK);
    read_line(ready, line, sizeof line);
    CU_ASSERT_STRING_EQUAL(line, "ready\n");
    CU_ASSERT_TRUE(is_running(&scratch, &pid));
    CU_ASSERT_EQUAL(kill(pid, 0), 0);
    CU_ASSERT_EQUAL(getsid(pid), pid); /* Ctrl-C is not for it */
    CU_ASSERT_EQUAL(stat(scratch_path(&scratch, "log"), &about), 0);
    CU_ASSERT_EQUAL(about.st_mode & 0777, 0600);
    text_init(&log);
    CU_ASSERT_EQUAL(service_process_log(scratch.path, &log, &err), OK);
    snprintf(expected, sizeof expected, "config %s\n",
             scratch_path(&scratch, "config.json"));
    CU_ASSERT_STRING_EQUAL(log.data, expected);
    text_clear(&log);
    end(&scratch, 10000, &killed);
    CU_ASSERT_FALSE(killed);
    CU_ASSERT_FALSE(is_running(&scratch, &pid));
    CU_ASSERT_NOT_EQUAL(access(scratch_path(&scratch, "pid"), F_OK), 0);
    /* Nothing to do is no mistake. */
    end(&scratch, 10000, &killed);
    CU_ASSERT_FALSE(killed);
    close(ready);
    scratch_close(&scratch);
}

static void what_does_not_end_is_killed(void)
{
    struct scratch scratch;
    struct error err;
    char line[32];
    bool killed;
    pid_t pid;
    int ready;

    scratch_open(&scratch);
    write_program(&scratch, STUBBORN);
    CU_ASSERT_EQUAL_FATAL(start(&scratch, &ready, &err), OK);
    read_line(ready, line, sizeof line);
    end(&scratch, 100, &killed);
    CU_ASSERT_TRUE(killed);
    CU_ASSERT_FALSE(is_running(&scratch, &pid));
    close(ready);
    scratch_close(&scratch);
}

static void one_that_fails_closes_the_pipe_and_leaves_words(void)
{
    struct scratch scratch;
    siginfo_t about;
    struct error err;
    struct text log;
    char line[32];
    pid_t pid;
    int ready;

    scratch_open(&scratch);
    write_program(&scratch, FAILING);
    CU_ASSERT_EQUAL_FATAL(start(&scratch, &ready, &err), OK);
    read_line(ready, line, sizeof line);
    CU_ASSERT_STRING_EQUAL(line, "");
    text_init(&log);
    CU_ASSERT_EQUAL(service_process_log(scratch.path, &log, &err), OK);
    CU_ASSERT_STRING_EQUAL(log.data, "the disk is full\n");
    text_clear(&log);
    /* Ended and not waited for by us: that is not running. */
    CU_ASSERT_EQUAL(waitid(P_ALL, 0, &about, WEXITED | WNOWAIT), 0);
    for (int i = 0; i < 500 && is_running(&scratch, &pid); i++)
        usleep(10000); /* it closes the pipe before it has ended */
    CU_ASSERT_FALSE(is_running(&scratch, &pid));
    close(ready);
    while (waitpid(-1, NULL, WNOHANG) > 0)
        continue;
    scratch_close(&scratch);
}

static void a_program_that_is_not_there_is_told_at_once(void)
{
    struct scratch scratch;
    struct error err;
    int ready;

    scratch_open(&scratch);
    CU_ASSERT_EQUAL(start(&scratch, &ready, &err), E_SYSTEM);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "No such file or directory"));
    while (waitpid(-1, NULL, WNOHANG) > 0)
        continue;
    scratch_close(&scratch);
}

/* The number of a living process, ours, under a start time or a boot that is
 * not its own: it must neither count as the node nor get a signal. */
static void another_process_with_that_number_is_left_alone(void)
{
    struct scratch scratch;
    char text[128], boot[64] = "";
    bool killed;
    pid_t pid, child = fork();
    FILE *file;

    if (child == 0) {
        pause();
        _exit(0);
    }
    CU_ASSERT_FATAL(child > 0);
    file = fopen("/proc/sys/kernel/random/boot_id", "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_PTR_NOT_NULL(fgets(boot, sizeof boot, file));
    fclose(file);
    scratch_open(&scratch);
    snprintf(text, sizeof text, "%ld 1 %s", (long)child, boot);
    scratch_write(&scratch, "pid", text);
    CU_ASSERT_FALSE(is_running(&scratch, &pid));
    end(&scratch, 1000, &killed);
    CU_ASSERT_FALSE(killed);
    snprintf(text, sizeof text, "%ld 1 00000000-0000-0000-0000-000000000000\n",
             (long)child);
    scratch_write(&scratch, "pid", text);
    CU_ASSERT_FALSE(is_running(&scratch, &pid));
    end(&scratch, 1000, &killed);
    CU_ASSERT_EQUAL(waitpid(child, NULL, WNOHANG), 0); /* it lives */
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    scratch_close(&scratch);
}

/* FOLDER/pid for a child that is no node: field 22 of its stat, proc(5). */
static void mark(const struct scratch *scratch, pid_t pid)
{
    unsigned long long start = 0;
    char path[64], text[128], boot[64] = "", stat[1024] = "", *at;
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "r");

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_PTR_NOT_NULL(fgets(boot, sizeof boot, file));
    fclose(file);
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    file = fopen(path, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_PTR_NOT_NULL(fgets(stat, sizeof stat, file));
    fclose(file);
    at = strrchr(stat, ')');
    CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    for (int field = 2; field < 22; field++) {
        at = strchr(at, ' ');
        CU_ASSERT_PTR_NOT_NULL_FATAL(at);
        at++;
    }
    start = strtoull(at, NULL, 10);
    CU_ASSERT(start > 0);
    snprintf(text, sizeof text, "%ld %llu %s", (long)pid, start, boot);
    scratch_write(scratch, "pid", text);
}

/* When it is said not to run, it is gone, and its files are free. */
static void one_that_was_just_killed_is_waited_for(void)
{
    struct scratch scratch;
    pid_t pid;

    scratch_open(&scratch);
    for (int i = 0; i < 100; i++) {
        pid_t child = fork();

        if (child == 0)
            for (;;)
                if (i % 2 == 0)
                    pause();
        CU_ASSERT_FATAL(child > 0);
        mark(&scratch, child);
        CU_ASSERT_TRUE(is_running(&scratch, &pid));
        kill(child, SIGKILL);
        CU_ASSERT_FALSE(is_running(&scratch, &pid));
        CU_ASSERT_EQUAL(waitpid(child, NULL, WNOHANG), child);
    }
    scratch_close(&scratch);
}

static void *linger(void *unused)
{
    (void)unused;
    usleep(300000);
    _exit(0);
}

/* Its first thread has ended, the others still have its files. */
static void one_whose_threads_still_end_is_waited_for(void)
{
    struct scratch scratch;
    char path[64], stat[256];
    pid_t pid, child = fork();
    bool is_zombie = false;

    if (child == 0) {
        pthread_t thread;

        if (pthread_create(&thread, NULL, linger, NULL) != 0)
            _exit(1);
        pthread_exit(NULL);
    }
    CU_ASSERT_FATAL(child > 0);
    scratch_open(&scratch);
    mark(&scratch, child);
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)child);
    for (unsigned i = 0; i < 5000 * suite_patience() && !is_zombie; i++) {
        FILE *file = fopen(path, "r");

        CU_ASSERT_PTR_NOT_NULL_FATAL(file);
        CU_ASSERT_PTR_NOT_NULL(fgets(stat, sizeof stat, file));
        fclose(file);
        is_zombie = strstr(stat, ") Z ") != NULL;
        usleep(1000);
    }
    CU_ASSERT_TRUE(is_zombie);
    CU_ASSERT_FALSE(is_running(&scratch, &pid));
    CU_ASSERT_EQUAL(waitpid(child, NULL, WNOHANG), child);
    scratch_close(&scratch);
}

static void a_pid_file_that_says_nothing_is_refused(void)
{
    static const char *const texts[] = {
        "", "x", "12 3", "-5 3 boot", "99999999999 3 boot", "0 3 boot"};
    struct scratch scratch;
    struct error err;
    bool running;
    pid_t pid;

    scratch_open(&scratch);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        scratch_write(&scratch, "pid", texts[i]);
        error_init(&err);
        CU_ASSERT_EQUAL(
            service_process_find(scratch.path, &running, &pid, NULL, &err),
            E_INPUT);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, scratch_path(&scratch, "pid")));
    }
    scratch_close(&scratch);
}

static void of_a_long_log_the_last_eight_lines_are_shown(void)
{
    struct scratch scratch;
    struct error err;
    struct text log, all;

    scratch_open(&scratch);
    text_init(&log);
    text_init(&all);
    CU_ASSERT_EQUAL(service_process_log(scratch.path, &log, &err), OK);
    CU_ASSERT_STRING_EQUAL(log.data, "");
    for (int i = 1; i <= 1000; i++)
        CU_ASSERT_EQUAL(text_printf(&all, &err, "line %d\n", i), OK);
    scratch_write(&scratch, "log", all.data);
    CU_ASSERT_EQUAL(service_process_log(scratch.path, &log, &err), OK);
    CU_ASSERT_STRING_EQUAL(log.data,
                           "line 993\nline 994\nline 995\nline 996\n"
                           "line 997\nline 998\nline 999\nline 1000\n");
    text_clear(&all);
    text_clear(&log);
    scratch_close(&scratch);
}

/* Not that of Debian 12. */
static bool valgrind_lacks_pidfd(void)
{
    int descriptor;

    if (getenv("UNDER_VALGRIND") == NULL)
        return false;
    descriptor = pidfd_open(getpid(), 0);
    if (descriptor >= 0)
        close(descriptor);
    return descriptor < 0 && errno == ENOSYS;
}

void suite_service_process(void)
{
    static const struct test tests[] = {
        {"a program that is not there is told at once",
         a_program_that_is_not_there_is_told_at_once},
        {"a pid file that says nothing is refused",
         a_pid_file_that_says_nothing_is_refused},
        {"of a long log the last eight lines are shown",
         of_a_long_log_the_last_eight_lines_are_shown},
    };
    static const struct test tests_with_pidfd[] = {
        {"starts, says ready and ends", starts_says_ready_and_ends},
        {"what does not end is killed", what_does_not_end_is_killed},
        {"one that fails closes the pipe and leaves words",
         one_that_fails_closes_the_pipe_and_leaves_words},
        {"another process with that number is left alone",
         another_process_with_that_number_is_left_alone},
        {"one that was just killed is waited for",
         one_that_was_just_killed_is_waited_for},
        {"one whose threads still end is waited for",
         one_whose_threads_still_end_is_waited_for},
    };

    suite_add("service_process", tests, sizeof tests / sizeof *tests);
    if (valgrind_lacks_pidfd())
        fprintf(stderr, "service_process: this valgrind knows no pidfd_open, "
                        "what needs it is not tried\n");
    else
        suite_add("service_process with pidfd", tests_with_pidfd,
                  sizeof tests_with_pidfd / sizeof *tests_with_pidfd);
}
