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
 * The Makefile collects the names of the files into suites.def.
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

#endif
