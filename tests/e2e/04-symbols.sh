#!/bin/sh
# .ci/symbols: passes a library without state, and sees each kind of it.
set -eu
. tests/e2e/lib.sh

library() { # the source on stdin
    cat >"$work/engine.c"
    gcc -std=c11 -D_GNU_SOURCE -O1 -c -o "$work/engine.o" "$work/engine.c"
    rm -f "$work/lib.a"
    ar rcs "$work/lib.a" "$work/engine.o"
}
passes() {
    .ci/symbols "$work/lib.a" >"$work/said" || fail "$(cat "$work/said")"
}
refuses() { # THE LINE
    code=0
    .ci/symbols "$work/lib.a" >"$work/said" 2>&1 || code=$?
    [ "$code" -eq 1 ] || fail "exit code $code instead of 1"
    echo "engine.o: $1" | diff - "$work/said" >"$work/difference" ||
        fail "$(cat "$work/difference")"
}

story "constants, also with addresses in them, are no state"
library <<'END'
#include <stdlib.h>
static const char *const names[] = {"a", "b"};
const int numbers[] = {1, 2};
const char *name_of(int i);
const char *name_of(int i)
{
    return malloc((size_t)numbers[i]) != NULL ? names[i] : NULL;
}
END
passes

story "a variable is state: global, static, inside a function, of a thread"
echo 'int counter = 1;' | library
refuses "counter is state: the engine keeps none"
echo 'int counter;' | library
refuses "counter is state: the engine keeps none"
echo 'static int counter; int *f(void); int *f(void) { return &counter; }' |
    library
refuses "counter is state: the engine keeps none"
echo '_Thread_local int counter;' | library
refuses "counter is state: the engine keeps none"

story "a clock, a socket, a log, the environment"
while IFS='|' read -r name reason call; do
    library <<END
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
long f(void);
long f(void)
{
    return (long)$call;
}
END
    refuses "$name is $reason: the engine has none"
done <<'END'
time|a clock|time(NULL)
clock|a clock|clock()
socket|a socket|socket(AF_UNIX, SOCK_STREAM, 0)
printf|a log|printf("%d", 3)
stderr|a log|stderr
getenv|state of the process|getenv("HOME")
END
