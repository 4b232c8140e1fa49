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

/* ---- by hand ---- */

static enum status run(struct fixture *fixture, struct search_result *result,
                       struct error *err)
{
    error_init(err);
    return search_run(result, &fixture->problem, 2, NULL, err);
}

/* With a gs-factor of 1 generalization is free, so every node without
 * suppressed rows scores 0.  Of 0,1 and 1,0, equally high, the first is
 * smaller; 0,0 leaves four rows alone, 1,1 is all `*`. */
static void equal_scores_and_heights_go_to_the_smallest_vector(void)
{
    struct fixture fixture;
    struct search_result result;
    struct error err;

    fixture_init(&fixture);
    fixture_attribute(&fixture, "a", ROLE_QUASI_IDENTIFYING, NULL);
    fixture_attribute(&fixture, "b", ROLE_QUASI_IDENTIFYING, NULL);
    fixture_k(&fixture, 2);
    fixture.policy.gs_factor = 1;
    fixture_load(&fixture, "a;b\n1;1\n1;2\n2;1\n2;2\n");
    CU_ASSERT_EQUAL_FATAL(run(&fixture, &result, &err), OK);
    CU_ASSERT_EQUAL(result.level[0], 0);
    CU_ASSERT_EQUAL(result.level[1], 1);
    CU_ASSERT_EQUAL(result.verdict.score[0], 0);
    CU_ASSERT_EQUAL(result.verdict.suppressed, 0);
    fixture_clear(&fixture);
}

/* Level 1 of b renames its values, so 0,1 helps nothing; 0,2 is the smaller
 * vector, but 1,0 is lower. */
static void equal_scores_go_to_the_lowest_node(void)
{
    struct fixture fixture;
    struct search_result result;
    struct error err;

    fixture_init(&fixture);
    fixture_attribute(&fixture, "a", ROLE_QUASI_IDENTIFYING, NULL);
    fixture_attribute(&fixture, "b", ROLE_QUASI_IDENTIFYING,
                      "1;one;*\n2;two;*\n");
    fixture_k(&fixture, 2);
    fixture.policy.gs_factor = 1;
    fixture_load(&fixture, "a;b\n1;1\n1;2\n2;1\n2;2\n");
    CU_ASSERT_EQUAL_FATAL(run(&fixture, &result, &err), OK);
    CU_ASSERT_EQUAL(result.level[0], 1);
    CU_ASSERT_EQUAL(result.level[1], 0);
    fixture_clear(&fixture);
}

/* Only the class of all rows has three, and it says nothing. */
static void class_of_stars_is_no_solution(void)
{
    struct fixture fixture;
    struct search_result result;
    struct error err;

    fixture_init(&fixture);
    fixture_attribute(&fixture, "a", ROLE_QUASI_IDENTIFYING, NULL);
    fixture_k(&fixture, 3);
    fixture_load(&fixture, "a\n1\n2\n3\n");
    CU_ASSERT_EQUAL(run(&fixture, &result, &err), E_NO);
    CU_ASSERT_STRING_EQUAL(
        err.text, "no transformation satisfies the policy: even at the "
                  "highest levels 3 of 3 rows would be suppressed, and the "
                  "limit is 0; rows that are `*` in every quasi-identifier "
                  "count as suppressed");
    fixture.policy.suppression_limit = 1;
    fixture_build(&fixture);
    CU_ASSERT_EQUAL_FATAL(run(&fixture, &result, &err), OK);
    CU_ASSERT_EQUAL(result.verdict.suppressed, 3);
    CU_ASSERT_EQUAL(result.level[0], 0);
    CU_ASSERT_EQUAL(result.verdict.score[0], 1);
    fixture_clear(&fixture);
}

/* Of 20 rows the 4 of x are too few, and the 10 of y all have one diagnosis;
 * the 4 settle the verdict, but the text must count all 14.  The limit is the
 * whole part of 0.19 * 20 = 3.8. */
static void no_solution_counts_what_is_in_the_way(void)
{
    struct fixture fixture;
    struct search_result result;
    struct error err;
    size_t ward;

    fixture_init(&fixture);
    ward = fixture_attribute(&fixture, "ward", ROLE_QUASI_IDENTIFYING, NULL);
    fixture.attribute[ward].level_max = 0;
    fixture_model(&fixture, &(struct privacy_criterion){
                                .model = MODEL_DISTINCT_L_DIVERSITY,
                                .attribute = fixture_attribute(
                                    &fixture, "d", ROLE_SENSITIVE, NULL),
                                .l = 2});
    fixture_k(&fixture, 5);
    fixture.policy.suppression_limit = 0.19;
    fixture_load(&fixture, "ward;d\nx;1\nx;2\nx;3\nx;4\n"
                           "y;1\ny;1\ny;1\ny;1\ny;1\n"
                           "y;1\ny;1\ny;1\ny;1\ny;1\n"
                           "z;1\nz;2\nz;3\nz;4\nz;5\nz;6\n");
    CU_ASSERT_EQUAL(run(&fixture, &result, &err), E_NO);
    CU_ASSERT_STRING_EQUAL(
        err.text, "no transformation satisfies the policy: even at the "
                  "highest levels 14 of 20 rows would be suppressed, and the "
                  "limit is 3");
    fixture_clear(&fixture);
}

/* 2^64 transformations, none of which can make a class of five out of three
 * rows: known from the top, not by looking at each. */
static void lattice_that_is_dead_from_the_top_ends_at_once(void)
{
    struct fixture fixture;
    struct search_result result;
    struct error err;
    struct text csv;
    char name[8];

    fixture_init(&fixture);
    text_init(&csv);
    for (int a = 0; a < QUASI_IDENTIFIERS_MAX; a++) {
        snprintf(name, sizeof name, "a%d", a);
        fixture_attribute(&fixture, name, ROLE_QUASI_IDENTIFYING, NULL);
        CU_ASSERT_EQUAL(
            text_printf(&csv, &err, "%s%s", a == 0 ? "" : ";", name), OK);
    }
    for (int i = 0; i < 3 * QUASI_IDENTIFIERS_MAX; i++)
        CU_ASSERT_EQUAL(text_printf(&csv, &err, "%s%d",
                                    i % QUASI_IDENTIFIERS_MAX == 0 ? "\n" : ";",
                                    i),
                        OK);
    fixture_k(&fixture, 5);
    fixture_load(&fixture, csv.data);
    CU_ASSERT_EQUAL(fixture.lattice->size, 18446744073709551616.0);
    CU_ASSERT_EQUAL(run(&fixture, &result, &err), E_NO);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "3 of 3 rows"));
    text_clear(&csv);
    fixture_clear(&fixture);
}

static void cancel_flag_ends_it(void)
{
    struct fixture fixture;
    struct search_result result;
    atomic_bool cancel = true;
    struct error err;

    fixture_init(&fixture);
    fixture_attribute(&fixture, "a", ROLE_QUASI_IDENTIFYING, NULL);
    fixture_k(&fixture, 1);
    fixture_load(&fixture, "a\n1\n2\n");
    for (unsigned threads = 1; threads <= 3; threads++) {
        error_init(&err);
        CU_ASSERT_EQUAL(
            search_run(&result, &fixture.problem, threads, &cancel, &err),
            E_CANCELLED);
        CU_ASSERT_STRING_EQUAL(err.text, "interrupted");
    }
    cancel = false;
    CU_ASSERT_EQUAL(search_run(&result, &fixture.problem, 3, &cancel, &err),
                    OK);
    CU_ASSERT_EQUAL(result.level[0], 0);
    fixture_clear(&fixture);
}

void suite_search(void)
{
    static const struct test tests[] = {
        {"the search finds what looking at every node finds",
         finds_what_looking_at_all_nodes_finds},
        {"among equal scores and heights the smallest vector is chosen",
         equal_scores_and_heights_go_to_the_smallest_vector},
        {"among equal scores the lowest node is chosen",
         equal_scores_go_to_the_lowest_node},
        {"a class of stars alone is no solution",
         class_of_stars_is_no_solution},
        {"without a solution all rows in the way are counted",
         no_solution_counts_what_is_in_the_way},
        {"a lattice that is dead from the top ends at once",
         lattice_that_is_dead_from_the_top_ends_at_once},
        {"the cancel flag ends the search", cancel_flag_ends_it},
    };

    suite_add("search", tests, sizeof tests / sizeof tests[0]);
}
