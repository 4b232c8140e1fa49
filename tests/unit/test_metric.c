#include "anonymizer/metric.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/fixture.h"
#include "tests/lib/suite.h"

void suite_metric(void);

/*
 * Six rows, by hand: ages of a domain of four, sexes of a domain of two.
 *
 *     31 F, 31 F, 35 M, 41 M, 41 M, 47 F
 *
 * Level 1 of age covers 2 of 4, so a cell costs 1/2; sex at level 0 covers 1
 * of 2.  The least that N rows can cost is w N / 4 and w N / 2.  With k = 2
 * the classes 30-39 M and 40-49 F are lost, one row each.
 */
static void six_rows(struct fixture *fixture, uint32_t k)
{
    fixture_init(fixture);
    fixture_attribute(fixture, "age", ROLE_QUASI_IDENTIFYING,
                      "31;30-39;*\n35;30-39;*\n41;40-49;*\n47;40-49;*\n");
    fixture_attribute(fixture, "sex", ROLE_QUASI_IDENTIFYING, NULL);
    fixture_k(fixture, k);
    fixture->policy.suppression_limit = 1;
    fixture_load(fixture, "age;sex\n31;F\n31;F\n35;M\n41;M\n41;M\n47;F\n");
}

static const uint8_t node[] = {1, 0};

static void judge(const struct fixture *fixture, const uint8_t *level,
                  struct verdict *verdict)
{
    struct evaluator *evaluator = NULL;
    struct error err;

    CU_ASSERT_EQUAL_FATAL(evaluator_create(&evaluator, &fixture->problem, &err),
                          OK);
    CU_ASSERT_EQUAL(evaluator_judge(evaluator, level, verdict, &err), OK);
    evaluator_destroy(&evaluator);
}

static void nothing_lost_nothing_generalized_is_free(void)
{
    static const uint8_t bottom[] = {0, 0};
    struct fixture fixture;
    struct verdict verdict;

    six_rows(&fixture, 1);
    judge(&fixture, bottom, &verdict);
    CU_ASSERT_EQUAL(verdict.score[0], 0);
    CU_ASSERT_EQUAL(verdict.attribute_score[0], 0);
    CU_ASSERT_EQUAL(verdict.attribute_score[1], 0);
    /* 31 - 1.5 of 4.5, and nothing. */
    judge(&fixture, node, &verdict);
    CU_ASSERT_EQUAL(verdict.attribute_score[0], 0.3333333333);
    CU_ASSERT_EQUAL(verdict.attribute_score[1], 0);
    fixture_clear(&fixture);
}

/* All is lost that there is. */
static void all_lost_costs_all(void)
{
    static const uint8_t top[] = {2, 1};
    struct fixture fixture;
    struct verdict verdict;

    six_rows(&fixture, 1);
    judge(&fixture, top, &verdict);
    CU_ASSERT_EQUAL(verdict.suppressed, 6);
    CU_ASSERT_EQUAL(verdict.score[0], 1);
    fixture_clear(&fixture);
}

/*
 * Level 1,0, four rows kept at 1/2, two lost:
 *   gs     s    w    age                          sex
 *   0      0    1    (2 + 1 - 1.5) / 4.5          (2 + 1 - 3) / 3
 *   0.25   0.5  1    (2 + 1.5 - 1.5) / 4.5        (2 + 1.5 - 3) / 3
 *   0.5    1    1    (2 + 2 - 1.5) / 4.5          (2 + 2 - 3) / 3
 *   0.75   1    0.5  (1 + 2 - 0.75) / 5.25        (1 + 2 - 1.5) / 4.5
 *   1      1    0    2 / 6                        2 / 6
 */
static void gs_factor_weighs_suppression(void)
{
    static const double expected[][3] = {{0, 0.3333333333, 0},
                                         {0.25, 0.4444444444, 0.1666666666},
                                         {0.5, 0.5555555555, 0.3333333333},
                                         {0.75, 0.4285714285, 0.3333333333},
                                         {1, 0.3333333333, 0.3333333333}};
    struct fixture fixture;
    struct verdict verdict;

    six_rows(&fixture, 2);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        fixture.policy.gs_factor = expected[i][0];
        fixture_build(&fixture);
        judge(&fixture, node, &verdict);
        CU_ASSERT_EQUAL(verdict.attribute_score[0], expected[i][1]);
        CU_ASSERT_EQUAL(verdict.attribute_score[1], expected[i][2]);
    }
    fixture_clear(&fixture);
}

/*
 * The other metrics of attributes, of the same node.
 *
 * Precision: age (4 w / 2 + 2 s) / 6, sex (0 + 2 s) / 6.
 *
 * Entropy, in bits: of three rows 30-39 two are 31, likewise 40-49 and 41, so
 * age misses 2 (2 log2(3 / 2) + log2(3)) = 5.5097750043...; the labels of the
 * two suppressed rows differ in both attributes, which adds s 2 log2(2).
 * All ages under one label would miss 4 log2(3) + 2 log2(6) =
 * 11.5097750043..., all sexes 6.
 */
static void precision_height_and_entropy(void)
{
    static const struct {
        enum quality_metric metric;
        double gs_factor, age, sex;
    } rows[] = {
        {METRIC_PRECISION, 0.5, 4.0 / 6, 2.0 / 6},
        {METRIC_PRECISION, 0.25, 3.0 / 6, 1.0 / 6},
        {METRIC_PRECISION, 0.75, 3.0 / 6, 2.0 / 6},
        {METRIC_PRECISION, 0, 2.0 / 6, 0},
        {METRIC_PRECISION_MONOTONIC, 0.5, 0.5, 0},
        {METRIC_PRECISION_MONOTONIC, 0.25, 0.5, 0},
        {METRIC_PRECISION_MONOTONIC, 0.75, 0.25, 0},
        {METRIC_PRECISION_MONOTONIC, 1, 0, 0},
        {METRIC_HEIGHT, 0.5, 1, 0},
        {METRIC_NON_UNIFORM_ENTROPY, 0.5, 7.5097750043, 2},
        {METRIC_NON_UNIFORM_ENTROPY, 0.25, 6.5097750043, 1},
        {METRIC_NON_UNIFORM_ENTROPY, 0.75, 4.7548875021, 2},
        {METRIC_NON_UNIFORM_ENTROPY_MONOTONIC, 0.5, 5.5097750043, 0},
        {METRIC_NON_UNIFORM_ENTROPY_MONOTONIC, 0.75, 2.7548875021, 0},
        {METRIC_NORMALIZED_NON_UNIFORM_ENTROPY, 0.5,
         7.5097750043 / 11.5097750043, 2.0 / 6},
    };
    struct fixture fixture;
    struct verdict verdict;

    six_rows(&fixture, 2);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        fixture.policy.metric = rows[i].metric;
        fixture.policy.gs_factor = rows[i].gs_factor;
        fixture.policy.aggregate = AGGREGATE_SUM;
        fixture_build(&fixture);
        judge(&fixture, node, &verdict);
        CU_ASSERT_EQUAL(verdict.attribute_score[0], rows[i].age);
        CU_ASSERT_EQUAL(verdict.attribute_score[1], rows[i].sex);
        CU_ASSERT_EQUAL(verdict.score[0], rows[i].age + rows[i].sex);
    }
    fixture_clear(&fixture);
}

/*
 * Two classes of two rows kept, two of one row lost:
 *
 *     discernibility   2 * 2^2 + 2 * 6 * 1;   monotonic  2 * 2^2 + 2 * 1^2
 *     aecs             6 / (2 s + w)
 *     ambiguity        4 rows * 2 ages * 1 sex + 2 rows * 4 * 2
 */
static void metrics_of_classes(void)
{
    static const struct {
        enum quality_metric metric;
        double gs_factor, lost, kept; /* with k = 2 and k = 1 */
    } rows[] = {
        {METRIC_DISCERNIBILITY, 0.5, 20, 10},
        {METRIC_DISCERNIBILITY_MONOTONIC, 0.5, 10, 10},
        {METRIC_AECS, 0.5, 2, 1.5},
        {METRIC_AECS, 0.25, 3, 3},
        {METRIC_AECS, 0.75, 2.4, 1.5},
        {METRIC_AMBIGUITY, 0.5, 24, 12},
    };
    struct fixture fixture;
    struct verdict verdict;

    for (uint32_t k = 1; k <= 2; k++) {
        six_rows(&fixture, k);
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            fixture.policy.metric = rows[i].metric;
            fixture.policy.gs_factor = rows[i].gs_factor;
            fixture.policy.aggregate = AGGREGATE_NONE;
            fixture_build(&fixture);
            judge(&fixture, node, &verdict);
            CU_ASSERT_EQUAL(verdict.score[0],
                            k == 2 ? rows[i].lost : rows[i].kept);
            CU_ASSERT_EQUAL(verdict.attribute_score[0], 0);
            CU_ASSERT_EQUAL(fixture.metric->score_count, 1);
        }
        fixture_clear(&fixture);
    }
}

/*
 * The same six rows, every second one of a file; those between are the
 * population, and leave classes of no rows: 41 F, 47 M and others.  They cost
 * nothing.  The normalized entropy alone counts them: 12 rows, so that one
 * label for all would miss 6 more bits of each attribute, 17.5097750043 and
 * 12.
 */
static void rows_outside_a_subset_cost_nothing(void)
{
    static const struct {
        enum quality_metric metric;
        enum aggregate aggregate;
        double score;
    } rows[] = {
        {METRIC_LOSS, AGGREGATE_SUM, 0.5555555555 + 0.3333333333},
        {METRIC_PRECISION, AGGREGATE_SUM, 4.0 / 6 + 2.0 / 6},
        {METRIC_NON_UNIFORM_ENTROPY, AGGREGATE_SUM, 9.5097750043},
        {METRIC_NORMALIZED_NON_UNIFORM_ENTROPY, AGGREGATE_SUM,
         7.5097750043 / 17.5097750043 + 2.0 / 12},
        {METRIC_DISCERNIBILITY, AGGREGATE_NONE, 20},
        {METRIC_DISCERNIBILITY_MONOTONIC, AGGREGATE_NONE, 10},
        {METRIC_AECS, AGGREGATE_NONE, 2},
        {METRIC_AMBIGUITY, AGGREGATE_NONE, 24},
    };
    struct fixture fixture;
    struct verdict verdict;

    fixture_init(&fixture);
    fixture_attribute(&fixture, "age", ROLE_QUASI_IDENTIFYING,
                      "31;30-39;*\n35;30-39;*\n41;40-49;*\n47;40-49;*\n");
    fixture_attribute(&fixture, "sex", ROLE_QUASI_IDENTIFYING, "F;*\nM;*\n");
    fixture_k(&fixture, 2);
    fixture.policy.suppression_limit = 1;
    fixture_subset(&fixture, "i % 2 == 0");
    fixture_load(&fixture, "age;sex\n31;F\n41;F\n31;F\n41;F\n35;M\n47;M\n"
                           "41;M\n47;M\n41;M\n35;M\n47;F\n35;F\n");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        fixture.policy.metric = rows[i].metric;
        fixture.policy.aggregate = rows[i].aggregate;
        fixture_build(&fixture);
        judge(&fixture, node, &verdict);
        CU_ASSERT_DOUBLE_EQUAL(verdict.score[0], rows[i].score, 1e-14);
        CU_ASSERT_EQUAL(verdict.suppressed, 2);
    }
    fixture_clear(&fixture);
}

/* 0.5555555555 and 0.3333333333 put together; weights 1 and 2 become 0.5 and
 * 1.  Geometric means by 40 digits: sqrt(1.5555555555 * 1.3333333333) - 1 and
 * sqrt(1.27777777775 * 1.3333333333) - 1. */
static void aggregates_and_weights(void)
{
    static const struct {
        enum aggregate aggregate;
        double weight[2], expected[2];
    } rows[] = {
        {AGGREGATE_SUM, {1, 1}, {0.8888888888}},
        {AGGREGATE_SUM, {1, 2}, {0.61111111105}},
        {AGGREGATE_SUM, {0, 3}, {0.3333333333}},
        {AGGREGATE_SUM, {0, 0}, {0.8888888888}},
        {AGGREGATE_MAXIMUM, {1, 1}, {0.5555555555}},
        {AGGREGATE_MAXIMUM, {1, 2}, {0.3333333333}},
        {AGGREGATE_ARITHMETIC_MEAN, {7, 7}, {0.4444444444}},
        {AGGREGATE_ARITHMETIC_MEAN, {1, 2}, {0.305555555525}},
        {AGGREGATE_GEOMETRIC_MEAN, {1, 1}, {0.440164599602471880}},
        {AGGREGATE_GEOMETRIC_MEAN, {1, 2}, {0.305260013799577817}},
        {AGGREGATE_RANK, {1, 1}, {0.5555555555, 0.3333333333}},
        {AGGREGATE_RANK, {1, 2}, {0.3333333333, 0.27777777775}},
    };
    struct fixture fixture;
    struct verdict verdict;

    six_rows(&fixture, 2);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        fixture.policy.aggregate = rows[i].aggregate;
        fixture.attribute[0].weight = rows[i].weight[0];
        fixture.attribute[1].weight = rows[i].weight[1];
        fixture_build(&fixture);
        CU_ASSERT_EQUAL(fixture.metric->score_count,
                        rows[i].aggregate == AGGREGATE_RANK ? 2 : 1);
        verdict.score[1] = 0;
        judge(&fixture, node, &verdict);
        CU_ASSERT_DOUBLE_EQUAL(verdict.score[0], rows[i].expected[0], 1e-15);
        CU_ASSERT_DOUBLE_EQUAL(verdict.score[1], rows[i].expected[1], 1e-15);
    }
    fixture_clear(&fixture);
}

/* A domain of one value: the value costs nothing, since all is known; lost
 * rows cost only where keeping them would be free (w = 0). */
static void domain_of_one_value_loses_nothing(void)
{
    static const uint8_t bottom[] = {0, 0};
    struct fixture fixture;
    struct verdict verdict;

    fixture_init(&fixture);
    fixture_attribute(&fixture, "q", ROLE_QUASI_IDENTIFYING, NULL);
    fixture_attribute(&fixture, "r", ROLE_QUASI_IDENTIFYING, NULL);
    fixture_k(&fixture, 2);
    fixture.policy.suppression_limit = 1;
    fixture_load(&fixture, "q;r\nx;1\nx;2\nx;2\nx;2\n");
    judge(&fixture, bottom, &verdict);
    CU_ASSERT_EQUAL(verdict.suppressed, 1);
    CU_ASSERT_EQUAL(verdict.attribute_score[0], 0);
    fixture.policy.metric = METRIC_NORMALIZED_NON_UNIFORM_ENTROPY;
    fixture_build(&fixture);
    judge(&fixture, bottom, &verdict);
    CU_ASSERT_EQUAL(verdict.attribute_score[0], 0);
    fixture.policy.metric = METRIC_LOSS;
    fixture.policy.gs_factor = 1;
    fixture_build(&fixture);
    judge(&fixture, bottom, &verdict);
    CU_ASSERT_EQUAL(verdict.attribute_score[0], 0.25);
    fixture_clear(&fixture);
}

static void rank_compares_the_largest_first(void)
{
    static const double a[] = {0.5, 0.25}, b[] = {0.5, 0.375}, c[] = {0.75, 0};
    struct fixture fixture;

    six_rows(&fixture, 2);
    fixture.policy.aggregate = AGGREGATE_RANK;
    fixture_build(&fixture);
    CU_ASSERT(metric_compare(fixture.metric, a, b) < 0);
    CU_ASSERT(metric_compare(fixture.metric, b, a) > 0);
    CU_ASSERT(metric_compare(fixture.metric, b, c) < 0);
    CU_ASSERT_EQUAL(metric_compare(fixture.metric, a, a), 0);
    fixture_clear(&fixture);
}

/* ---- bounds ---- */

/* What one node says of others, against what those cost. */
struct said {
    uint8_t level[QUASI_IDENTIFIERS_MAX];
    struct verdict verdict;
    double bound[QUASI_IDENTIFIERS_MAX];
};

static bool is_above(const struct fixture *fixture, const struct said *low,
                     const struct said *high)
{
    const struct metric *metric = fixture->metric;
    double below[QUASI_IDENTIFIERS_MAX];
    bool good = metric_compare(metric, low->bound, high->bound) <= 0;

    if (high->verdict.valid)
        good = good &&
               metric_compare(metric, low->bound, high->verdict.score) <= 0 &&
               (!low->verdict.has_floor ||
                metric_compare(metric, low->verdict.floor,
                               high->verdict.score) <= 0);
    if (high->verdict.has_surcharge && low->verdict.valid) {
        metric_bound_below(metric, low->level, high->verdict.surcharge, below);
        good = good && metric_compare(metric, below, low->verdict.score) <= 0;
    }
    return good;
}

/* All nodes against all above them; each is judged. */
static unsigned check_bounds(const struct fixture *fixture, size_t *floors,
                             size_t *surcharges)
{
    static struct said said[1024];
    struct evaluator *evaluator = NULL;
    uint8_t level[QUASI_IDENTIFIERS_MAX];
    size_t count = 0;
    unsigned wrong = 0;
    struct error err;

    CU_ASSERT_EQUAL_FATAL(evaluator_create(&evaluator, &fixture->problem, &err),
                          OK);
    fixture_first_node(fixture, level);
    do {
        struct said *now = &said[count++];

        memcpy(now->level, level, sizeof level);
        CU_ASSERT_EQUAL(evaluator_judge(evaluator, level, &now->verdict, &err),
                        OK);
        metric_bound(fixture->metric, level, now->bound);
        *floors += now->verdict.has_floor;
        *surcharges += now->verdict.has_surcharge;
    } while (count < 1024 && fixture_next_node(fixture, level));
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++)
            if (lattice_below(fixture->lattice, said[i].level, said[j].level))
                wrong += !is_above(fixture, &said[i], &said[j]);
    evaluator_destroy(&evaluator);
    return wrong;
}

/* Of every metric, with models, limits, weights and gs-factors at random. */
static void bounds_hold_for_all_nodes_above_and_below(void)
{
    static const struct fixture_shape shape = {.quasi_max = 4,
                                               .domain_max = 20,
                                               .levels_max = 5,
                                               .rows_max = 120,
                                               .sensitive_max = 1,
                                               .subsets = true};
    size_t floors = 0, surcharges = 0;
    struct random random;

    random_init(&random, fixture_seed(__func__));
    for (int i = 0; i < 1000; i++) {
        struct fixture fixture;
        unsigned wrong;

        fixture_random(&fixture, &random, &shape);
        wrong = check_bounds(&fixture, &floors, &surcharges);
        CU_ASSERT_EQUAL(wrong, 0);
        if (wrong > 0)
            fprintf(stderr, "\ncase %d: %u wrong with %s\n", i, wrong,
                    quality_metric_name(fixture.policy.metric));
        fixture_clear(&fixture);
    }
    /* They are there to be judged. */
    CU_ASSERT(floors > 1000 && surcharges > 1000);
}

/* ---- ranges ---- */

/* 64 domains of 2^16 values: 2^1024 is no double any more. */
static void more_ambiguity_than_a_number_holds_is_refused(void)
{
    struct fixture fixture;
    struct metric *metric = NULL;
    struct text text, header, row;
    struct error err;

    fixture_init(&fixture);
    text_init(&text);
    text_init(&header);
    text_init(&row);
    for (unsigned v = 0; v < 65536; v++) {
        char line[16];

        snprintf(line, sizeof line, "%u\n", v);
        CU_ASSERT_EQUAL(text_append_string(&text, line, &err), OK);
    }
    for (unsigned a = 0; a < QUASI_IDENTIFIERS_MAX; a++) {
        char name[16];

        snprintf(name, sizeof name, "%sa%u", a == 0 ? "" : ";", a);
        CU_ASSERT_EQUAL(text_append_string(&header, name, &err), OK);
        CU_ASSERT_EQUAL(text_append_string(&row, a == 0 ? "7" : ";7", &err),
                        OK);
        fixture_attribute(&fixture, name + (a > 0), ROLE_QUASI_IDENTIFYING,
                          text.data);
    }
    CU_ASSERT_EQUAL(text_append_string(&header, "\n", &err), OK);
    CU_ASSERT_EQUAL(text_append_string(&header, row.data, &err), OK);
    fixture_k(&fixture, 1);
    fixture_load(&fixture, header.data);
    fixture.policy.metric = METRIC_AMBIGUITY;
    fixture.policy.aggregate = AGGREGATE_NONE;
    CU_ASSERT_EQUAL(metric_create(&metric, &fixture.policy, fixture.table,
                                  fixture.lattice,
                                  fixture.criteria->class_size_min, &err),
                    E_LIMIT);
    CU_ASSERT_STRING_EQUAL(
        err.text, "the metric \"ambiguity\" multiplies the sizes of all "
                  "domains, which comes to more than 10^308; expected another "
                  "metric, or fewer quasi-identifiers");
    CU_ASSERT_PTR_NULL(metric);
    text_clear(&text);
    text_clear(&header);
    text_clear(&row);
    fixture_clear(&fixture);
}

void suite_metric(void)
{
    static const struct test tests[] = {
        {"nothing lost, nothing generalized is free",
         nothing_lost_nothing_generalized_is_free},
        {"all lost costs all", all_lost_costs_all},
        {"the gs-factor weighs suppression", gs_factor_weighs_suppression},
        {"precision, height and entropy", precision_height_and_entropy},
        {"metrics of classes", metrics_of_classes},
        {"rows outside a subset cost nothing",
         rows_outside_a_subset_cost_nothing},
        {"aggregates and weights", aggregates_and_weights},
        {"a domain of one value loses nothing",
         domain_of_one_value_loses_nothing},
        {"rank compares the largest first", rank_compares_the_largest_first},
        {"bounds hold for all nodes above and below",
         bounds_hold_for_all_nodes_above_and_below},
        {"more ambiguity than a number holds is refused",
         more_ambiguity_than_a_number_holds_is_refused},
    };

    suite_add("metric", tests, sizeof tests / sizeof tests[0]);
}
