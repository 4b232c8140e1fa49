#include "tests/lib/child.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static int run(int (*body)(void), bool quiet)
{
    int state = 0;
    pid_t child;

    fflush(NULL);
    child = fork();
    if (child == 0) {
        const struct rlimit no_core = {0, 0};
        int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

        if (quiet && (setrlimit(RLIMIT_CORE, &no_core) != 0 ||
                      dup2(nowhere, STDERR_FILENO) < 0))
            _exit(255);
        close(nowhere);
        _exit(body());
    }
    if (child < 0 || waitpid(child, &state, 0) != child) {
        perror("child_run");
        abort();
    }
    return WIFEXITED(state) ? WEXITSTATUS(state)
                            : CHILD_KILLED + WTERMSIG(state);
}

int child_run(int (*body)(void))
{
    return run(body, false);
}

bool child_fails(int (*body)(void))
{
    return run(body, true) != 0;
}

bool child_aborts(int (*body)(void))
{
    return run(body, true) == CHILD_KILLED + SIGABRT;
}
