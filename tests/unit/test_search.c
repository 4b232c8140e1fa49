#include "anonymizer/search.h"

#include <stdio.h>
#include <string.h>

#include "anonymizer/frontier.h"
#include "tests/lib/fixture.h"
#include "tests/lib/suite.h"

void suite_search(void);

/* ---- against looking at every node ---- */

/* The best node by judging all of them from the bottom; false: none is
 * valid. */
static bool best_of_all(const struct fixture *fixture, struct rank *best,
                        struct verdict *best_verdict)
{
    struct evaluator *evaluator = NULL;
    uint8_t level[QUASI_IDENTIFIERS_MAX];
    bool suppressed[512], found = false;
    const struct classes *classes;
    const bool *lost;
    struct error err;

    CU_ASSERT_FATAL(fixture->table->tuple_count <= 512);
    CU_ASSERT_EQUAL_FATAL(evaluator_create(&evaluator, &fixture->problem, &err),
                          OK);
    fixture_first_node(fixture, level);
    do {
        struct verdict verdict;
        struct rank rank;

        evaluator_expand(evaluator, level, &verdict, suppressed, &classes,
                         &lost);
        if (!verdict.valid)
            continue;
        memcpy(rank.score, verdict.score, sizeof rank.score);
        memcpy(rank.level, level, sizeof level);
        rank.height = lattice_height(fixture->lattice, level);
        if (found && rank_compare(fixture->metric, &rank, best) >= 0)
            continue;
        found = true;
        *best = rank;
        *best_verdict = verdict;
    } while (fixture_next_node(fixture, level));
    evaluator_destroy(&evaluator);
    return found;
}

static bool same_as_best(const struct fixture *fixture, bool exists,
                         const struct rank *best, const struct verdict *verdict,
                         unsigned threads)
{
    struct search_result result;
    struct error err;
    enum status status =
        search_run(&result, &fixture->problem, threads, NULL, &err);
    size_t scores = fixture->metric->score_count * sizeof(double);
    size_t width = fixture->lattice->dimension_count;

    if (!exists)
        return status == E_NO;
    return status == OK && memcmp(result.level, best->level, width) == 0 &&
           memcmp(result.verdict.score, best->score, scores) == 0 &&
           memcmp(result.verdict.attribute_score, verdict->attribute_score,
                  width * sizeof(double)) == 0 &&
           result.verdict.suppressed == verdict->suppressed &&
           result.judged >= 1 &&
           (double)result.judged <= fixture->lattice->size * (double)threads;
}

static void finds_what_looking_at_all_nodes_finds(void)
{
    static const struct fixture_shape shape = {.quasi_max = 4,
                                               .domain_max = 12,
                                               .levels_max = 5,
                                               .rows_max = 120,
                                               .sensitive_max = 2};
    struct random random;
    unsigned solved = 0, unsolved = 0;

    random_init(&random, fixture_seed(__func__));
    for (int i = 0; i < 600; i++) {
        struct fixture fixture;
        struct rank best;
        struct verdict verdict;
        bool exists, same;

        fixture_random(&fixture, &random, &shape);
        exists = best_of_all(&fixture, &best, &verdict);
        solved += exists;
        unsolved += !exists;
        same = true;
        for (unsigned threads = 1; threads <= 4 && same; threads++)
            same = same_as_best(&fixture, exists, &best, &verdict, threads);
        CU_ASSERT(same);
        fixture_clear(&fixture);
        if (!same) {
            fprintf(stderr, "\ncase %d differs\n", i);
            break;
        }
    }
    /* Neither answer is rare, or the test would say little. */
    CU_ASSERT(solved > 100 && unsolved > 20);
}

void suite_search(void)
{
    static const struct test tests[] = {
        {"the search finds what looking at every node finds",
         finds_what_looking_at_all_nodes_finds},
    };

    suite_add("search", tests, sizeof tests / sizeof tests[0]);
}
