/*
 * tests/lib/suite.h - the list of CUnit suites, one per module.
 *
 * tests/unit/test_<module>.c defines
 *
 *     void suite_<module>(void)
 *     {
 *         static const struct test tests[] = {
 *             {"too large body leaves the chain unchanged", too_large_body},
 *         };
 *         suite_add("chain", tests, sizeof tests / sizeof *tests);
 *     }
 *
 * and so does tests/fault/fault_<module>.c in another program.  The Makefile
 * collects the names of the files into suites.def.
 */
#ifndef TESTS_LIB_SUITE_H
#define TESTS_LIB_SUITE_H

#include <CUnit/CUnit.h>
#include <stddef.h>

struct test {
    const char *sentence;
    CU_TestFunc function;
};

void suite_add(const char *name, const struct test *tests, size_t count);

/* How many times longer than usual a test waits before it gives up: the whole
 * number in the environment's PATIENCE, which the Makefile sets for builds with
 * sanitizers and for valgrind; 1 without it. */
unsigned suite_patience(void);

struct suite {
    const char *name;
    void (*add)(void);
};

/* main() of a test program: run the suites named on the command line, or all.
 * Returns the exit code: 1 if any test failed (CUnit's own run functions
 * return success then), 2 if there is no such suite. */
int suite_main(const struct suite *suites, size_t count, int argc, char **argv);

#endif
