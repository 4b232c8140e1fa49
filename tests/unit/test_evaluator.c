#include "anonymizer/evaluator.h"

#include <string.h>

#include "tests/lib/fixture.h"
#include "tests/lib/suite.h"

void suite_evaluator(void);

#define TUPLES_MAX 512

static struct evaluator *evaluator_of(const struct fixture *fixture)
{
    struct evaluator *evaluator = NULL;
    struct error err;

    CU_ASSERT_EQUAL_FATAL(evaluator_create(&evaluator, &fixture->problem, &err),
                          OK);
    return evaluator;
}

/* ---- by hand ---- */

/*
 * At level 1,0 with k = 2 and distinct 2, of ten rows
 *
 *     30-39 F   flu, cold          kept
 *     30-39 M   flu, flu           all one value
 *     40-49 F   flu                too small
 *     40-49 M   flu, cold, rash    kept
 *     50-59 F   flu, cold          kept
 */
#define TEN                                                                    \
    "age;sex;d\n31;F;flu\n32;F;cold\n31;M;flu\n32;M;flu\n41;F;flu\n"           \
    "42;M;flu\n41;M;cold\n42;M;rash\n51;F;flu\n51;F;cold\n"

static void ten_rows(struct fixture *fixture)
{
    fixture_init(fixture);
    fixture_attribute(fixture, "age", ROLE_QUASI_IDENTIFYING,
                      "31;30-39;*\n32;30-39;*\n41;40-49;*\n42;40-49;*\n"
                      "51;50-59;*\n52;50-59;*\n");
    fixture_attribute(fixture, "sex", ROLE_QUASI_IDENTIFYING, NULL);
    fixture_model(fixture, &(struct privacy_criterion){
                               .model = MODEL_DISTINCT_L_DIVERSITY,
                               .attribute = fixture_attribute(
                                   fixture, "d", ROLE_SENSITIVE, NULL),
                               .l = 2});
    fixture_k(fixture, 2);
    fixture->policy.suppression_limit = 0.3;
    fixture_load(fixture, TEN);
}

static void failing_classes_are_lost(void)
{
    static const uint8_t level[] = {1, 0};
    /* 31 F, 32 F, 31 M, 32 M, 41 F, 42 M, 41 M, 51 F */
    static const bool expected[] = {false, false, true,  true,
                                    true,  false, false, false};
    static const uint32_t size[] = {2, 2, 1, 3, 2};
    static const bool lost_class[] = {false, true, true, false, false};
    struct fixture fixture;
    struct evaluator *evaluator;
    struct verdict verdict, judged;
    const struct classes *classes;
    const bool *lost;
    bool suppressed[8];
    struct error err;

    ten_rows(&fixture);
    CU_ASSERT_EQUAL_FATAL(fixture.table->tuple_count, 8);
    CU_ASSERT_EQUAL(fixture.problem.suppressed_max, 3);
    evaluator = evaluator_of(&fixture);
    evaluator_expand(evaluator, level, &verdict, suppressed, &classes, &lost);
    CU_ASSERT(verdict.valid);
    CU_ASSERT_FALSE(verdict.dead);
    CU_ASSERT_EQUAL(verdict.suppressed, 3);
    CU_ASSERT_EQUAL(memcmp(suppressed, expected, sizeof expected), 0);
    CU_ASSERT_EQUAL_FATAL(classes->count, 5);
    CU_ASSERT_EQUAL(memcmp(classes->size, size, sizeof size), 0);
    CU_ASSERT_EQUAL(memcmp(lost, lost_class, sizeof lost_class), 0);
    /* Age: 7 rows at 2/6, 3 lost, least 10/6: (16/3 - 5/3) / (25/3) = 0.44.
     * Sex: 7 at 1/2, 3 lost, least 5: 1.5 / 5 = 0.3. */
    CU_ASSERT_DOUBLE_EQUAL(verdict.attribute_score[0], 0.44, 1.1e-10);
    CU_ASSERT_DOUBLE_EQUAL(verdict.attribute_score[1], 0.3, 1.1e-10);
    CU_ASSERT_DOUBLE_EQUAL(verdict.score[0], 0.37, 1.1e-10);
    CU_ASSERT_EQUAL(evaluator_judge(evaluator, level, &judged, &err), OK);
    CU_ASSERT(judged.valid);
    CU_ASSERT_EQUAL(judged.score[0], verdict.score[0]);
    CU_ASSERT_EQUAL(evaluator_suppressed(evaluator, level), 3);
    evaluator_destroy(&evaluator);
    evaluator_destroy(&evaluator);
    fixture_clear(&fixture);
}

/* The same node with a limit of 2: both the single row and the two of one
 * value stay lost in whatever is finer, so it is dead. */
static void what_no_finer_one_can_save_is_dead(void)
{
    static const uint8_t level[] = {1, 0}, top[] = {2, 1};
    struct fixture fixture;
    struct evaluator *evaluator;
    struct verdict verdict;
    struct error err;

    ten_rows(&fixture);
    fixture.policy.suppression_limit = 0.2;
    fixture_build(&fixture);
    evaluator = evaluator_of(&fixture);
    CU_ASSERT_EQUAL(evaluator_judge(evaluator, level, &verdict, &err), OK);
    CU_ASSERT(verdict.dead);
    CU_ASSERT_FALSE(verdict.valid);
    /* All rows together satisfy both models, but are all `*`: that says
     * nothing about what is finer. */
    CU_ASSERT_EQUAL(evaluator_judge(evaluator, top, &verdict, &err), OK);
    CU_ASSERT_FALSE(verdict.dead);
    CU_ASSERT_FALSE(verdict.valid);
    CU_ASSERT_EQUAL(verdict.suppressed, 10);
    CU_ASSERT_EQUAL(evaluator_suppressed(evaluator, level), 3);
    evaluator_destroy(&evaluator);
    fixture_clear(&fixture);
}

/* ---- properties ---- */

/* A class without rows of a subset may spoil a node in which none is lost. */
static bool same_verdict(const struct fixture *fixture,
                         const struct verdict *judged,
                         const struct verdict *expanded)
{
    size_t scores = fixture->metric->score_count * sizeof(double);
    size_t width = fixture->lattice->dimension_count * sizeof(double);

    if (judged->valid != expanded->valid || judged->dead != expanded->dead)
        return false;
    if (judged->dead)
        return judged->suppressed <= expanded->suppressed &&
               (judged->suppressed > 0 || fixture->policy.has_subset);
    return judged->suppressed == expanded->suppressed &&
           (!judged->valid ||
            (memcmp(judged->score, expanded->score, scores) == 0 &&
             memcmp(judged->attribute_score, expanded->attribute_score,
                    width) == 0));
}

/* Below a dead node all must lose too many rows, or have a class without rows
 * of the subset that is not allowed. */
static bool all_below_are_invalid(const struct fixture *fixture,
                                  struct evaluator *evaluator,
                                  const uint8_t *dead)
{
    uint8_t level[QUASI_IDENTIFIERS_MAX];

    fixture_first_node(fixture, level);
    do {
        bool suppressed[TUPLES_MAX];
        const struct classes *classes;
        struct verdict verdict;
        const bool *lost;

        if (!lattice_below(fixture->lattice, level, dead))
            continue;
        evaluator_expand(evaluator, level, &verdict, suppressed, &classes,
                         &lost);
        if (verdict.valid ||
            (verdict.suppressed <= fixture->problem.suppressed_max &&
             !fixture->policy.has_subset))
            return false;
    } while (fixture_next_node(fixture, level));
    return true;
}

static void random_node(const struct fixture *fixture, struct random *random,
                        uint8_t *level)
{
    for (size_t d = 0; d < fixture->lattice->dimension_count; d++) {
        const struct dimension *dimension = &fixture->lattice->dimension[d];

        level[d] =
            (uint8_t)(dimension->level_min +
                      random_below(random, dimension->level_max -
                                               dimension->level_min + 1));
    }
}

/* Nodes in random order, so that what is remembered is used in all ways. */
static unsigned judge_at_random(const struct fixture *fixture,
                                struct random *random, unsigned *dead)
{
    struct evaluator *remembering = evaluator_of(fixture);
    struct evaluator *fresh = evaluator_of(fixture);
    unsigned wrong = 0;

    for (int i = 0; i < 60; i++) {
        uint8_t level[QUASI_IDENTIFIERS_MAX];
        struct verdict judged, expanded;
        bool suppressed[TUPLES_MAX];
        const struct classes *classes;
        const bool *lost;
        uint64_t rows = 0;
        struct error err;

        random_node(fixture, random, level);
        CU_ASSERT_EQUAL(evaluator_judge(remembering, level, &judged, &err), OK);
        evaluator_expand(fresh, level, &expanded, suppressed, &classes, &lost);
        wrong += !same_verdict(fixture, &judged, &expanded);
        for (uint32_t t = 0; t < fixture->table->tuple_count; t++)
            rows += suppressed[t] ? fixture->table->tuple_rows[t] : 0;
        wrong += rows != expanded.suppressed;
        *dead += judged.dead;
        if (judged.dead && i < 10)
            wrong += !all_below_are_invalid(fixture, fresh, level);
    }
    evaluator_destroy(&remembering);
    evaluator_destroy(&fresh);
    return wrong;
}

static void memory_changes_nothing_and_dead_means_dead(void)
{
    static const struct fixture_shape shape = {.quasi_max = 4,
                                               .domain_max = 10,
                                               .levels_max = 4,
                                               .rows_max = 150,
                                               .sensitive_max = 2,
                                               .subsets = true};
    struct random random;
    unsigned dead = 0;

    random_init(&random, fixture_seed(__func__));
    for (int i = 0; i < 150; i++) {
        struct fixture fixture;

        fixture_random(&fixture, &random, &shape);
        CU_ASSERT_FATAL(fixture.table->tuple_count <= TUPLES_MAX);
        CU_ASSERT_EQUAL(judge_at_random(&fixture, &random, &dead), 0);
        fixture_clear(&fixture);
    }
    CU_ASSERT(dead > 500);
}

/* Nodes below one with a surcharge that cost less than that says. */
static unsigned cheaper_below(const struct fixture *fixture,
                              struct evaluator *evaluator, const uint8_t *above,
                              const struct verdict *verdict)
{
    uint8_t level[QUASI_IDENTIFIERS_MAX];
    unsigned wrong = 0;

    fixture_first_node(fixture, level);
    do {
        double bound[QUASI_IDENTIFIERS_MAX];
        bool suppressed[TUPLES_MAX];
        const struct classes *classes;
        struct verdict below;
        const bool *lost;

        if (!lattice_below(fixture->lattice, level, above))
            continue;
        evaluator_expand(evaluator, level, &below, suppressed, &classes, &lost);
        if (!below.valid)
            continue;
        metric_bound_below(fixture->metric, level, verdict->surcharge, bound);
        wrong += metric_compare(fixture->metric, bound, below.score) > 0;
        wrong += below.suppressed < verdict->suppressed;
    } while (fixture_next_node(fixture, level));
    return wrong;
}

static void surcharges_are_below_scores(void)
{
    static const struct fixture_shape shape = {.quasi_max = 4,
                                               .domain_max = 10,
                                               .levels_max = 4,
                                               .rows_max = 150,
                                               .sensitive_max = 2,
                                               .subsets = true};
    struct random random;
    unsigned surcharges = 0, wrong = 0;

    random_init(&random, fixture_seed(__func__));
    for (int i = 0; i < 300; i++) {
        struct fixture fixture;
        struct evaluator *evaluator;

        fixture_random(&fixture, &random, &shape);
        evaluator = evaluator_of(&fixture);
        for (int j = 0; j < 10; j++) {
            uint8_t level[QUASI_IDENTIFIERS_MAX];
            struct verdict verdict;
            struct error err;

            random_node(&fixture, &random, level);
            CU_ASSERT_EQUAL(evaluator_judge(evaluator, level, &verdict, &err),
                            OK);
            if (!verdict.has_surcharge)
                continue;
            surcharges++;
            wrong += cheaper_below(&fixture, evaluator, level, &verdict);
        }
        evaluator_destroy(&evaluator);
        fixture_clear(&fixture);
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT(surcharges > 100);
}

/* More values in one class than are sorted by insertion, the largest last: 98
 * values once, one twice, one a hundred times. */
static void classes_of_many_values_are_sorted(void)
{
    static const uint8_t level[] = {0};
    struct fixture fixture;
    struct evaluator *evaluator;
    struct verdict verdict;
    struct text csv;
    struct error err;
    size_t d;

    fixture_init(&fixture);
    fixture_attribute(&fixture, "q", ROLE_QUASI_IDENTIFYING, NULL);
    d = fixture_attribute(&fixture, "d", ROLE_SENSITIVE, NULL);
    fixture_model(&fixture, &(struct privacy_criterion){
                                .model = MODEL_RECURSIVE_CL_DIVERSITY,
                                .attribute = d,
                                .l = 2,
                                .c = 1});
    text_init(&csv);
    CU_ASSERT_EQUAL(text_append_string(&csv, "q,d\n", &err), OK);
    for (int i = 0; i < 200; i++)
        CU_ASSERT_EQUAL(
            text_printf(&csv, &err, "x,%d\n", i < 99 ? i : 99 - (i < 100)), OK);
    fixture_load(&fixture, csv.data);
    text_clear(&csv);
    evaluator = evaluator_of(&fixture);
    /* 100 < c (98 + 2) */
    CU_ASSERT_EQUAL(fixture.table->sensitive[0].value_count, 100);
    CU_ASSERT_EQUAL(evaluator_judge(evaluator, level, &verdict, &err), OK);
    CU_ASSERT_FALSE(verdict.valid);
    fixture.criterion[0].c = 1.001;
    CU_ASSERT_EQUAL(evaluator_judge(evaluator, level, &verdict, &err), OK);
    CU_ASSERT(verdict.valid);
    evaluator_destroy(&evaluator);
    fixture_clear(&fixture);
}

void suite_evaluator(void)
{
    static const struct test tests[] = {
        {"failing classes are lost", failing_classes_are_lost},
        {"what no finer one can save is dead",
         what_no_finer_one_can_save_is_dead},
        {"memory changes nothing, and dead means dead",
         memory_changes_nothing_and_dead_means_dead},
        {"surcharges are below scores", surcharges_are_below_scores},
        {"classes of many values are sorted",
         classes_of_many_values_are_sorted},
    };

    suite_add("evaluator", tests, sizeof tests / sizeof tests[0]);
}
