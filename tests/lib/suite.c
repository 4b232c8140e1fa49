#include "tests/lib/suite.h"

#include <stdlib.h>

void suite_add(const char *name, const struct test *tests, size_t count)
{
    CU_pSuite suite = CU_add_suite(name, NULL, NULL);

    if (suite == NULL)
        abort();
    for (size_t i = 0; i < count; i++)
        if (CU_add_test(suite, tests[i].sentence, tests[i].function) == NULL)
            abort();
}
