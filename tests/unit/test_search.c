#include "anonymizer/search.h"

#include <stdatomic.h>
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
                                               .sensitive_max = 2,
                                               .subsets = true};
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

/* ---- within a limit ---- */

static double long_ago(void *context)
{
    (void)context;
    return 1e9;
}

/* A limit in seconds of work, without a clock unless `elapsed`. */
static enum status run_limited(struct fixture *fixture, double seconds,
                               uint64_t seed, unsigned threads,
                               double (*elapsed)(void *),
                               struct search_result *result, struct error *err)
{
    const struct search_limit limit = {
        .seconds = seconds, .seed = seed, .elapsed = elapsed};
    const struct search_options options = {.threads = threads, .limit = &limit};

    error_init(err);
    return search_with(result, &fixture->problem, &options, err);
}

/* Small lattices are finished, and then the answer is that of a search without
 * limit, an honest no included. */
static void a_limit_that_is_not_reached_changes_nothing(void)
{
    static const struct fixture_shape shape = {.quasi_max = 4,
                                               .domain_max = 12,
                                               .levels_max = 5,
                                               .rows_max = 120,
                                               .sensitive_max = 2};
    struct random random;
    unsigned wrong = 0;

    random_init(&random, fixture_seed(__func__));
    for (int i = 0; i < 60; i++) {
        struct search_result all, limited;
        struct fixture fixture;
        struct error err;
        enum status status;

        fixture_random(&fixture, &random, &shape);
        status = run(&fixture, &all, &err);
        wrong += run_limited(&fixture, 10, (uint64_t)i, 1 + (unsigned)i % 3,
                             NULL, &limited, &err) != status;
        if (status == OK)
            wrong += limited.end != SEARCH_FINISHED ||
                     memcmp(limited.level, all.level,
                            fixture.lattice->dimension_count) != 0 ||
                     metric_compare(fixture.metric, limited.verdict.score,
                                    all.verdict.score) != 0 ||
                     metric_compare(fixture.metric, limited.bound,
                                    all.verdict.score) != 0;
        fixture_clear(&fixture);
    }
    CU_ASSERT_EQUAL(wrong, 0);
}

/* Twelve quasi-identifiers with five levels each, 2.4e8 nodes; values that
 * depend on each other. */
static void load_wide(struct fixture *fixture)
{
    struct random random;
    struct text csv, hierarchy;
    struct error err;

    random_init(&random, 12);
    text_init(&csv);
    text_init(&hierarchy);
    for (int v = 0; v < 16; v++)
        CU_ASSERT_EQUAL_FATAL(text_printf(&hierarchy, &err,
                                          "%d;a%d;b%d;c%d;*\n", v, v / 2, v / 4,
                                          v / 8),
                              OK);
    fixture_init(fixture);
    for (int q = 0; q < 12; q++) {
        char name[8];

        snprintf(name, sizeof name, "q%d", q);
        fixture_attribute(fixture, name, ROLE_QUASI_IDENTIFYING,
                          hierarchy.data);
        CU_ASSERT_EQUAL_FATAL(
            text_printf(&csv, &err, "%s%c", name, q < 11 ? ',' : '\n'), OK);
    }
    for (int row = 0; row < 400; row++) {
        uint64_t kind = random_below(&random, 6);

        for (int q = 0; q < 12; q++) {
            uint64_t v = random_below(&random, 10) < 8
                             ? kind * (uint64_t)(q + 3) % 16
                             : random_below(&random, 16);

            CU_ASSERT_EQUAL_FATAL(
                text_printf(&csv, &err, "%d%c", (int)v, q < 11 ? ',' : '\n'),
                OK);
        }
    }
    fixture_k(fixture, 3);
    fixture->policy.suppression_limit = 0.05;
    fixture_load(fixture, csv.data);
    text_clear(&csv);
    text_clear(&hierarchy);
}

/* Without a clock the same seed gives the same result, however many threads
 * there are, and it is what counting that node out says. */
static void what_a_limit_leaves_depends_on_the_seed_alone(void)
{
    struct fixture fixture;
    struct search_result first;
    struct error err;

    load_wide(&fixture);
    for (uint64_t seed = 0; seed < 3; seed++)
        for (unsigned threads = 1; threads <= 4; threads++) {
            struct search_result result;
            struct evaluator *evaluator = NULL;
            struct verdict verdict;

            CU_ASSERT_EQUAL_FATAL(
                run_limited(&fixture, 0.05, seed, threads, NULL, &result, &err),
                OK);
            if (threads == 1)
                first = result;
            CU_ASSERT_EQUAL(result.end, SEARCH_WORK_SPENT);
            CU_ASSERT_EQUAL(memcmp(result.level, first.level, 12), 0);
            CU_ASSERT_EQUAL(result.verdict.score[0], first.verdict.score[0]);
            CU_ASSERT_EQUAL(result.bound[0], first.bound[0]);
            CU_ASSERT_EQUAL(result.judged, first.judged);
            CU_ASSERT(result.bound[0] <= result.verdict.score[0]);
            CU_ASSERT_EQUAL(
                evaluator_create(&evaluator, &fixture.problem, &err), OK);
            CU_ASSERT_EQUAL(
                evaluator_judge(evaluator, result.level, &verdict, &err), OK);
            CU_ASSERT(verdict.valid);
            CU_ASSERT_EQUAL(verdict.score[0], result.verdict.score[0]);
            evaluator_destroy(&evaluator);
        }
    fixture_clear(&fixture);
}

static void a_clock_ends_a_search_and_the_result_says_so(void)
{
    struct fixture fixture;
    struct search_result result;
    struct error err;

    load_wide(&fixture);
    /* It is over before it begins: nothing was found, and that is no proof. */
    CU_ASSERT_EQUAL(run_limited(&fixture, 1, 0, 2, long_ago, &result, &err),
                    E_LIMIT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "does not say that there is none"));
    fixture_clear(&fixture);
}

static void a_limited_search_can_be_cancelled(void)
{
    static const struct search_limit limit = {.seconds = 1000};
    atomic_bool cancel = true;
    const struct search_options options = {
        .threads = 2, .cancel = &cancel, .limit = &limit};
    struct fixture fixture;
    struct search_result result;
    struct error err;

    load_wide(&fixture);
    error_init(&err);
    CU_ASSERT_EQUAL(search_with(&result, &fixture.problem, &options, &err),
                    E_CANCELLED);
    fixture_clear(&fixture);
}

static void count_progress(const struct search_progress *progress,
                           void *context)
{
    uint64_t *told = context;

    CU_ASSERT_EQUAL(progress->judged, *told + 1);
    CU_ASSERT(!progress->found || progress->bound[0] <= progress->score[0]);
    *told = progress->judged;
}

static void progress_is_told_of_each_judgement(void)
{
    uint64_t told = 0;
    const struct search_options options = {
        .threads = 3, .on_progress = count_progress, .context = &told};
    struct fixture fixture;
    struct search_result result;
    struct error err;

    fixture_init(&fixture);
    fixture_attribute(&fixture, "a", ROLE_QUASI_IDENTIFYING, "1;x;*\n2;x;*\n");
    fixture_attribute(&fixture, "b", ROLE_QUASI_IDENTIFYING, "1;x;*\n2;x;*\n");
    fixture_k(&fixture, 2);
    fixture_load(&fixture, "a,b\n1,1\n1,2\n2,1\n2,2\n");
    error_init(&err);
    CU_ASSERT_EQUAL(search_with(&result, &fixture.problem, &options, &err), OK);
    CU_ASSERT_EQUAL(told, result.judged);
    CU_ASSERT_EQUAL(result.end, SEARCH_FINISHED);
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
        {"a limit that is not reached changes nothing",
         a_limit_that_is_not_reached_changes_nothing},
        {"what a limit leaves depends on the seed alone",
         what_a_limit_leaves_depends_on_the_seed_alone},
        {"a clock ends a search, and the result says so",
         a_clock_ends_a_search_and_the_result_says_so},
        {"a limited search can be cancelled",
         a_limited_search_can_be_cancelled},
        {"progress is told of each judgement",
         progress_is_told_of_each_judgement},
    };

    suite_add("search", tests, sizeof tests / sizeof tests[0]);
}
