#include "tests/lib/suite.h"

#include <CUnit/Basic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void suite_add(const char *name, const struct test *tests, size_t count)
{
    CU_pSuite suite = CU_add_suite(name, NULL, NULL);

    if (suite == NULL)
        abort();
    for (size_t i = 0; i < count; i++)
        if (CU_add_test(suite, tests[i].sentence, tests[i].function) == NULL)
            abort();
}

unsigned suite_patience(void)
{
    const char *text = getenv("PATIENCE");
    unsigned long patience;
    char *end;

    if (text == NULL)
        return 1;
    patience = strtoul(text, &end, 10);
    if (*text == '\0' || *end != '\0' || patience < 1 || patience > 1000) {
        fprintf(stderr, "PATIENCE=%s: expected 1 to 1000\n", text);
        exit(2);
    }
    return (unsigned)patience;
}

static bool add_named(const struct suite *suites, size_t count,
                      const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(suites[i].name, name) == 0) {
            suites[i].add();
            return true;
        }
    return false;
}

int suite_main(const struct suite *suites, size_t count, int argc, char **argv)
{
    unsigned failures;

    if (CU_initialize_registry() != CUE_SUCCESS)
        return 2;
    CU_set_error_action(CUEA_FAIL);
    for (int i = 1; i < argc; i++)
        if (!add_named(suites, count, argv[i])) {
            fprintf(stderr, "%s: there is no suite %s\n", argv[0], argv[i]);
            return 2;
        }
    for (size_t i = 0; argc < 2 && i < count; i++)
        suites[i].add();
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures > 0;
}
