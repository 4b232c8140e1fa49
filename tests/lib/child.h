/*
 * tests/lib/child.h - run something that changes or ends its process.
 */
#ifndef TESTS_LIB_CHILD_H
#define TESTS_LIB_CHILD_H

#include <stdbool.h>

/* Added to the number of the signal that ended the child. */
#define CHILD_KILLED 256

/* Run `body` in a child process.  Returns what it returned, 0 .. 255, or
 * CHILD_KILLED plus a signal.  Checks of CUnit inside count for nothing: say it
 * with the return value. */
int child_run(int (*body)(void));

/* The same, but is it something else than 0?  What it prints is swallowed. */
bool child_fails(int (*body)(void));

/* Does an assertion stop `body`?  What it prints is swallowed. */
bool child_aborts(int (*body)(void));

#endif
