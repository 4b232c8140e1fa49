/*
 * tests/tools/strike.c - for end-to-end tests: a signal to a process at the
 * moment at which a log says something.
 *
 *     strike LOG WORDS PID SIGNAL
 *
 * Says "ready" when it watches, looks at what is written behind that, sends the
 * signal (a number) as soon as WORDS are among it, and ends.  Exit code 1 after
 * a minute without them.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOG_MAX ((size_t)1 << 20)
#define PAUSE_NS 50000L
#define LOOKS (60 * (1000000000L / PAUSE_NS))

/* Nothing here may take long: what is struck does not wait. */
static int watch(int fd, const char *words, pid_t pid, int number)
{
    static char seen[LOG_MAX + 1];
    const struct timespec pause = {.tv_nsec = PAUSE_NS};
    size_t size = 0;

    for (long i = 0; i < LOOKS && size < LOG_MAX; i++) {
        ssize_t got = read(fd, seen + size, LOG_MAX - size);

        if (got < 0)
            return 2;
        size += (size_t)got;
        seen[size] = '\0';
        if (got > 0 && strstr(seen, words) != NULL)
            return kill(pid, number) == 0 ? 0 : 2;
        nanosleep(&pause, NULL);
    }
    return 1;
}

int main(int argc, char **argv)
{
    int fd, code;

    if (argc != 5) {
        fputs("strike: see its source\n", stderr);
        return 2;
    }
    fd = open(argv[1], O_RDONLY | O_CLOEXEC);
    if (fd < 0 || lseek(fd, 0, SEEK_END) < 0) {
        perror(argv[1]);
        return 2;
    }
    puts("ready");
    fflush(stdout);
    code = watch(fd, argv[2], (pid_t)strtol(argv[3], NULL, 10),
                 (int)strtol(argv[4], NULL, 10));
    close(fd);
    return code;
}
