#include "anonymizer/recheck_sort.h"

#include <stdlib.h>
#include <string.h>

#include "common/random.h"
#include "tests/lib/fixture.h"
#include "tests/lib/suite.h"

void suite_recheck_sort(void);

#define WORDS_MAX 3

static size_t words_of_qsort;

static int compare_for_qsort(const void *a, const void *b)
{
    return recheck_compare(a, b, words_of_qsort);
}

/* Few values in some words make large groups of equals, many in others make
 * small ones. */
static void sorts_like_the_library(void)
{
    enum { COUNT_MAX = 3000 };
    static uint64_t record[COUNT_MAX * WORDS_MAX];
    static uint64_t spare[COUNT_MAX * WORDS_MAX];
    static uint64_t expected[COUNT_MAX * WORDS_MAX];
    struct random random;

    random_init(&random, fixture_seed("recheck_sort"));
    for (int round = 0; round < 200; round++) {
        size_t count = random_below(&random, COUNT_MAX);
        size_t words = 1 + random_below(&random, WORDS_MAX);

        for (size_t i = 0; i < count * words; i++)
            record[i] = random_below(&random, 2) != 0
                            ? random_below(&random, 3)
                            : random_next(&random) >> random_below(&random, 64);
        memcpy(expected, record, count * words * sizeof *record);
        words_of_qsort = words;
        qsort(expected, count, words * sizeof *expected, compare_for_qsort);
        recheck_sort(record, spare, count, words);
        CU_ASSERT_EQUAL_FATAL(
            memcmp(record, expected, count * words * sizeof *record), 0);
    }
}

void suite_recheck_sort(void)
{
    static const struct test tests[] = {
        {"records are sorted as the C library does", sorts_like_the_library},
    };

    suite_add("recheck_sort", tests, sizeof tests / sizeof tests[0]);
}
