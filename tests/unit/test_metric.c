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
static void six_rows(struct fixture *fixture)
{
    fixture_init(fixture);
    fixture_attribute(fixture, "age", ROLE_QUASI_IDENTIFYING,
                      "31;30-39;*\n35;30-39;*\n41;40-49;*\n47;40-49;*\n");
    fixture_attribute(fixture, "sex", ROLE_QUASI_IDENTIFYING, NULL);
    fixture_k(fixture, 2);
    fixture_load(fixture, "age;sex\n31;F\n31;F\n35;M\n41;M\n41;M\n47;F\n");
}

/* Two rows lost at level 1,0: domain rows 2 + 2 of age, 1 + 1 of sex. */
static const uint8_t node[] = {1, 0};
static const uint64_t lost[] = {4, 2};

static void nothing_lost_nothing_generalized_is_free(void)
{
    static const uint8_t bottom[] = {0, 0}, top[] = {2, 1};
    static const uint64_t none[] = {0, 0};
    struct fixture fixture;
    double score, x[2];

    six_rows(&fixture);
    metric_score(fixture.metric, bottom, 0, none, &score, x);
    CU_ASSERT_EQUAL(score, 0);
    CU_ASSERT_EQUAL(x[0], 0);
    CU_ASSERT_EQUAL(x[1], 0);
    metric_score(fixture.metric, top, 0, none, &score, NULL);
    CU_ASSERT_EQUAL(score, 1);
    /* 31 - 1.5 of 4.5, and nothing. */
    metric_score(fixture.metric, node, 0, none, &score, x);
    CU_ASSERT_EQUAL(x[0], 0.3333333333);
    CU_ASSERT_EQUAL(x[1], 0);
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
    double score, x[2];

    six_rows(&fixture);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        fixture.policy.gs_factor = expected[i][0];
        fixture_build(&fixture);
        metric_score(fixture.metric, node, 2, lost, &score, x);
        CU_ASSERT_EQUAL(x[0], expected[i][1]);
        CU_ASSERT_EQUAL(x[1], expected[i][2]);
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
    double score[2] = {0};

    six_rows(&fixture);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        fixture.policy.aggregate = rows[i].aggregate;
        fixture.attribute[0].weight = rows[i].weight[0];
        fixture.attribute[1].weight = rows[i].weight[1];
        fixture_build(&fixture);
        CU_ASSERT_EQUAL(fixture.metric->score_count,
                        rows[i].aggregate == AGGREGATE_RANK ? 2 : 1);
        score[1] = 0;
        metric_score(fixture.metric, node, 2, lost, score, NULL);
        CU_ASSERT_DOUBLE_EQUAL(score[0], rows[i].expected[0], 1e-15);
        CU_ASSERT_DOUBLE_EQUAL(score[1], rows[i].expected[1], 1e-15);
    }
    fixture_clear(&fixture);
}

/* A domain of one value: the value costs nothing, since all is known; lost
 * rows cost only where keeping them would be free (w = 0). */
static void domain_of_one_value_loses_nothing(void)
{
    static const uint8_t bottom[] = {0};
    static const uint64_t one[] = {1};
    struct fixture fixture;
    double score;

    fixture_init(&fixture);
    fixture_attribute(&fixture, "q", ROLE_QUASI_IDENTIFYING, NULL);
    fixture_k(&fixture, 1);
    fixture_load(&fixture, "q\nx\nx\n");
    metric_score(fixture.metric, bottom, 1, one, &score, NULL);
    CU_ASSERT_EQUAL(score, 0);
    fixture.policy.gs_factor = 1;
    fixture_build(&fixture);
    metric_score(fixture.metric, bottom, 1, one, &score, NULL);
    CU_ASSERT_EQUAL(score, 0.5);
    fixture_clear(&fixture);
}

static void rank_compares_the_largest_first(void)
{
    static const double a[] = {0.5, 0.25}, b[] = {0.5, 0.375}, c[] = {0.75, 0};
    struct fixture fixture;

    six_rows(&fixture);
    fixture.policy.aggregate = AGGREGATE_RANK;
    fixture_build(&fixture);
    CU_ASSERT(metric_compare(fixture.metric, a, b) < 0);
    CU_ASSERT(metric_compare(fixture.metric, b, a) > 0);
    CU_ASSERT(metric_compare(fixture.metric, b, c) < 0);
    CU_ASSERT_EQUAL(metric_compare(fixture.metric, a, a), 0);
    fixture_clear(&fixture);
}

/* ---- bounds ---- */

/* Of one node: not above the score, whatever is lost, and not above the bounds
 * of its successors. */
static bool bound_holds(const struct fixture *fixture, struct random *random,
                        uint8_t *level)
{
    const struct metric *metric = fixture->metric;
    const struct lattice *lattice = fixture->lattice;
    const struct table *table = fixture->table;
    double bound[QUASI_IDENTIFIERS_MAX], other[QUASI_IDENTIFIERS_MAX];
    uint64_t rows = 0, some[QUASI_IDENTIFIERS_MAX] = {0};
    bool good = true;

    metric_bound(metric, level, bound);
    for (uint32_t t = 0; t < table->tuple_count; t++) {
        if (random_below(random, 3) > 0)
            continue;
        rows += table->tuple_rows[t];
        for (size_t d = 0; d < lattice->dimension_count; d++) {
            const struct dimension *dimension = &lattice->dimension[d];
            uint32_t value = table->value[t * table->quasi_count + d];

            some[d] += (uint64_t)table->tuple_rows[t] *
                       dimension->domain[level[d] * dimension->leaf_count +
                                         dimension->leaf[value]];
        }
    }
    metric_score(metric, level, rows, some, other, NULL);
    good = metric_compare(metric, bound, other) <= 0;
    for (size_t d = 0; d < lattice->dimension_count; d++) {
        if (level[d] + 1u == lattice->dimension[d].levels)
            continue;
        level[d]++;
        metric_bound(metric, level, other);
        good = good && metric_compare(metric, bound, other) <= 0;
        level[d]--;
    }
    return good;
}

static void bounds_are_below_scores_and_grow_upwards(void)
{
    static const struct fixture_shape shape = {.quasi_max = 4,
                                               .domain_max = 20,
                                               .levels_max = 5,
                                               .rows_max = 80,
                                               .sensitive_max = 0};
    struct random random;

    random_init(&random, fixture_seed(__func__));
    for (int i = 0; i < 300; i++) {
        uint8_t level[QUASI_IDENTIFIERS_MAX];
        struct fixture fixture;
        unsigned wrong = 0;

        fixture_random(&fixture, &random, &shape);
        fixture_first_node(&fixture, level);
        do
            wrong += !bound_holds(&fixture, &random, level);
        while (fixture_next_node(&fixture, level));
        CU_ASSERT_EQUAL(wrong, 0);
        fixture_clear(&fixture);
    }
}

void suite_metric(void)
{
    static const struct test tests[] = {
        {"nothing lost, nothing generalized is free",
         nothing_lost_nothing_generalized_is_free},
        {"the gs-factor weighs suppression", gs_factor_weighs_suppression},
        {"aggregates and weights", aggregates_and_weights},
        {"a domain of one value loses nothing",
         domain_of_one_value_loses_nothing},
        {"rank compares the largest first", rank_compares_the_largest_first},
        {"bounds are below scores and grow upwards",
         bounds_are_below_scores_and_grow_upwards},
    };

    suite_add("metric", tests, sizeof tests / sizeof tests[0]);
}
