/*
 * tests/lib/cases.h - tests that are rows of a file, tests/data/.../X.cases:
 *
 *     # a comment
 *     name | input | expected
 *
 * Spaces around the bars do not count.  <0A> in the input is the byte 0x0A,
 * for what a line of text cannot hold.
 */
#ifndef TESTS_LIB_CASES_H
#define TESTS_LIB_CASES_H

#include "common/bytes.h"

struct test_case {
    const char *name;
    struct bytes input; /* on the heap without a byte behind it, so that a
                           sanitizer sees who reads too far */
    const char *expected;
};

/* Call `run` for each row; fails if the file cannot be read, a row is wrong or
 * there is none.  `path` is relative to the root of the project. */
void cases_run(const char *path, void (*run)(const struct test_case *test));

/* Fails, and says which case it was, unless got is what the case expects. */
void case_expect(const struct test_case *test, const char *got);

#endif
