#include "anonymizer/search.h"

#include <errno.h>
#include <string.h>

#include "anonymizer/criterion.h"
#include "anonymizer/lattice.h"
#include "anonymizer/metric.h"
#include "tests/fault/fault.h"
#include "tests/lib/fixture.h"
#include "tests/lib/suite.h"

void suite_search(void);

static struct fixture fixture;
static struct error err;

/* Four columns, diversity by entropy, 60 rows: nodes are remembered, the queue
 * and the lists of what is known are filled. */
static void prepare(uint32_t k)
{
    struct text csv;

    fixture_init(&fixture);
    for (char name[] = "a"; name[0] <= 'd'; name[0]++)
        fixture_attribute(&fixture, name, ROLE_QUASI_IDENTIFYING,
                          "0;0-1;0-3;*\n1;0-1;0-3;*\n2;2-3;0-3;*\n"
                          "3;2-3;0-3;*\n4;4-5;4-5;*\n5;4-5;4-5;*\n");
    fixture_model(&fixture, &(struct privacy_criterion){
                                .model = MODEL_ENTROPY_L_DIVERSITY,
                                .attribute = fixture_attribute(
                                    &fixture, "s", ROLE_SENSITIVE,
                                    "0;0-1;*\n1;0-1;*\n2;2-3;*\n3;2-3;*\n"),
                                .l = 1.5});
    fixture_model(
        &fixture,
        &(struct privacy_criterion){
            .model = MODEL_T_CLOSENESS_ORDERED, .attribute = 4, .t = 0.5});
    fixture_model(
        &fixture,
        &(struct privacy_criterion){
            .model = MODEL_T_CLOSENESS_HIERARCHICAL, .attribute = 4, .t = 0.5});
    fixture_k(&fixture, k);
    fixture.policy.suppression_limit = 0.1;
    text_init(&csv);
    CU_ASSERT_EQUAL(text_append_string(&csv, "a,b,c,d,s\n", &err), OK);
    for (int i = 0; i < 60; i++)
        CU_ASSERT_EQUAL(text_printf(&csv, &err, "%d,%d,%d,%d,%d\n", i % 6,
                                    i / 6 % 6, i * 7 % 6, i * 11 % 5, i % 4),
                        OK);
    fixture_load(&fixture, csv.data);
    text_clear(&csv);
}

/* What the search works on. */
static enum status build(void)
{
    struct lattice *lattice = NULL;
    struct criteria *criteria = NULL;
    struct metric *metric = NULL;
    struct classes bottom = {0};
    enum status status;

    error_init(&err);
    fault_on();
    status = lattice_create(&lattice, &fixture.policy, fixture.table, &err);
    if (status == OK)
        status =
            criteria_create(&criteria, &fixture.policy, fixture.table, &err);
    if (status == OK)
        status = metric_create(&metric, &fixture.policy, fixture.table, lattice,
                               criteria->class_size_min, &err);
    if (status == OK)
        status = classes_bottom(&bottom, fixture.table, lattice, &err);
    fault_off();
    classes_clear(&bottom);
    metric_destroy(&metric);
    criteria_destroy(&criteria);
    lattice_destroy(&lattice);
    return status;
}

static void without_memory_nothing_is_built(void)
{
    prepare(3);
    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        fault_expect(build(), &err, E_MEMORY);
    }
    fixture_clear(&fixture);
}

static enum status search(unsigned threads, struct search_result *result)
{
    enum status status;

    error_init(&err);
    fault_on();
    status = search_run(result, &fixture.problem, threads, NULL, &err);
    fault_off();
    return status;
}

static void without_memory_nothing_is_found(void)
{
    struct search_result result;

    prepare(3);
    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        fault_expect(search(1, &result), &err, E_MEMORY);
    }
    FAULT_LOOP(FAULT_RANDOM, ENOSYS)
    {
        fault_expect(search(1, &result), &err, E_SYSTEM);
    }
    fixture_clear(&fixture);
}

static enum status search_limited_by_work(struct search_result *result)
{
    static const struct search_limit limit = {.seconds = 0.01};
    static const struct search_options options = {.threads = 1,
                                                  .limit = &limit};
    enum status status;

    error_init(&err);
    fault_on();
    status = search_with(result, &fixture.problem, &options, &err);
    fault_off();
    return status;
}

static void without_memory_nothing_is_found_within_a_limit(void)
{
    struct search_result result;

    prepare(3);
    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        fault_expect(search_limited_by_work(&result), &err, E_MEMORY);
    }
    fixture_clear(&fixture);
}

/* The calls of several threads come in any order; what fails in one of them
 * ends all. */
static void thread_without_memory_ends_all(void)
{
    struct search_result result;

    prepare(3);
    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        enum status status = search(3, &result);

        CU_ASSERT(status == OK || status == E_MEMORY);
        CU_ASSERT_EQUAL(err.status, status);
    }
    fixture_clear(&fixture);
}

/* A no is explained by counting once more. */
static void no_is_explained_or_memory_lacks(void)
{
    struct search_result result;

    prepare(55);
    for (size_t a = 0; a < 4; a++)
        fixture.attribute[a].level_max = 1;
    fixture_build(&fixture);
    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        enum status status = search(1, &result);

        CU_ASSERT_EQUAL(status, fault_happened() ? E_MEMORY : E_NO);
        CU_ASSERT_EQUAL(err.status, status);
    }
    fixture_clear(&fixture);
}

static void missing_threads_change_nothing(void)
{
    struct search_result expected, result;

    prepare(3);
    CU_ASSERT_EQUAL(search(1, &expected), OK);
    FAULT_LOOP(FAULT_THREAD, EAGAIN)
    {
        fault_expect(search(4, &result), &err, OK);
        CU_ASSERT_EQUAL(memcmp(result.level, expected.level, 4), 0);
        CU_ASSERT_EQUAL(result.verdict.score[0], expected.verdict.score[0]);
    }
    fixture_clear(&fixture);
}

void suite_search(void)
{
    static const struct test tests[] = {
        {"without memory nothing is built", without_memory_nothing_is_built},
        {"without memory nothing is found", without_memory_nothing_is_found},
        {"without memory nothing is found within a limit",
         without_memory_nothing_is_found_within_a_limit},
        {"a thread without memory ends all", thread_without_memory_ends_all},
        {"a no is explained, or memory lacks", no_is_explained_or_memory_lacks},
        {"missing threads change nothing", missing_threads_change_nothing},
    };

    suite_add("search", tests, sizeof tests / sizeof tests[0]);
}
