/*
 * tests/unit/main.c - runs the unit test suites named on the command line, or
 * all of them.  Exit code 1 if any test failed: CUnit's own run functions
 * return success then.
 */
#include <CUnit/Basic.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/suite.h"

#define X(name) void suite_##name(void);
#include "suites.def"
#undef X

static const struct {
    const char *name;
    void (*add)(void);
} suites[] = {
#define X(name) {#name, suite_##name},
#include "suites.def"
#undef X
};

static const size_t suite_count = sizeof suites / sizeof suites[0];

static int add_named(const char *name)
{
    for (size_t i = 0; i < suite_count; i++)
        if (strcmp(suites[i].name, name) == 0) {
            suites[i].add();
            return 0;
        }
    fprintf(stderr, "unit: there is no suite %s\n", name);
    return 2;
}

int main(int argc, char **argv)
{
    unsigned failures;

    if (CU_initialize_registry() != CUE_SUCCESS)
        return 2;
    CU_set_error_action(CUEA_FAIL);
    for (int i = 1; i < argc; i++)
        if (add_named(argv[i]) != 0)
            return 2;
    for (size_t i = 0; argc < 2 && i < suite_count; i++)
        suites[i].add();
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures > 0;
}
