#include "anonymizer/criterion_distance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "anonymizer/criterion.h"
#include "tests/lib/fixture.h"
#include "tests/lib/suite.h"

void suite_criterion_distance(void);

#define VALUES_MAX 5

/* A whole table with number[v] rows of value v, in the order 1, 2, 3, ..., 0 of
 * values, and in a hierarchy of two levels below the root, in which 0 and 1
 * meet at the first, and 2 and 3, and 4 is alone.  One at a time. */
static struct reference reference_of(const uint32_t *number, uint32_t count)
{
    static uint32_t whole[VALUES_MAX];
    static uint32_t rank[VALUES_MAX], below[VALUES_MAX];
    static uint64_t area[VALUES_MAX + 1];
    static uint32_t node[2][VALUES_MAX], above[2][VALUES_MAX];
    static struct reference_level level[] = {{node[0], above[0]},
                                             {node[1], above[1]}};
    struct reference reference = {.value_count = count,
                                  .number = whole,
                                  .level = level,
                                  .height = 2,
                                  .rank = rank,
                                  .below = below,
                                  .area = area};

    memcpy(whole, number, count * sizeof *number);
    memset(above, 0, sizeof above);
    for (uint32_t v = 0; v < count; v++) {
        node[0][v] = v;
        node[1][v] = v / 2;
        above[0][v] = number[v];
        above[1][v / 2] += number[v];
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t value = (i + 1) % count;

        rank[value] = i;
        reference.rows += number[value];
        below[i] = (uint32_t)reference.rows;
        area[i + 1] = area[i] + below[i];
    }
    return reference;
}

/* Rows of a class by value; those it lacks are left out. */
struct sparse {
    uint32_t value[VALUES_MAX], number[VALUES_MAX];
    uint64_t scratch[VALUES_MAX];
    struct class_values values;
};

static void make_sparse(struct sparse *sparse, const uint32_t *number,
                        uint32_t count)
{
    sparse->values = (struct class_values){.value = sparse->value,
                                           .number = sparse->number,
                                           .scratch = sparse->scratch};
    for (uint32_t v = 0; v < count; v++) {
        if (number[v] == 0)
            continue;
        sparse->value[sparse->values.count] = v;
        sparse->number[sparse->values.count++] = number[v];
        sparse->values.size += number[v];
    }
}

static bool holds(const struct reference *reference,
                  const struct privacy_criterion *model, const uint32_t *number)
{
    struct sparse sparse;

    make_sparse(&sparse, number, reference->value_count);
    return reference_holds(reference, model, &sparse.values);
}

/* The whole is 3, 2, 1: the shares 1/2, 1/3, 1/6. */
static void equal_distances_by_hand(void)
{
    static const struct {
        double t;
        uint32_t number[3];
        bool holds;
    } rows[] = {
        {0, {3, 2, 1}, true},          {0, {6, 4, 2}, true},
        {1.0 / 6, {2, 1, 0}, true}, /* half of 1/6, 0, 1/6 */
        {0.1666, {2, 1, 0}, false},    {0.5, {1, 0, 0}, true},
        {0.4999999, {1, 0, 0}, false}, {5.0 / 6, {0, 0, 9}, true},
        {0.83, {0, 0, 9}, false},      {1, {0, 0, 9}, true},
    };
    uint32_t whole[] = {3, 2, 1};
    struct reference reference = reference_of(whole, 3);

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct privacy_criterion model = {.model = MODEL_T_CLOSENESS_EQUAL,
                                          .t = rows[i].t};

        CU_ASSERT_EQUAL(holds(&reference, &model, rows[i].number),
                        rows[i].holds);
    }
}

/* In order 3, 1, 2 of 6 rows: sums 1/2, 2/3, 1.  A class of 1, 0, 2 has 1/3,
 * 1/3, 1: what is carried is 1/6 and 1/3, over two steps 1/4. */
static void ordered_distances_by_hand(void)
{
    static const struct {
        double t;
        uint32_t number[3]; /* of the last, the first and the second */
        bool holds;
    } rows[] = {
        {0, {2, 3, 1}, true},       {0.25, {2, 1, 0}, true},
        {0.2499, {2, 1, 0}, false}, {5.0 / 12, {0, 7, 0}, true},
        {0.4166, {0, 7, 0}, false}, {7.0 / 12, {1, 0, 0}, true},
        {0.5833, {1, 0, 0}, false}, {5.0 / 12, {0, 0, 4}, true},
        {0.4166, {0, 0, 4}, false},
    };
    uint32_t whole[] = {2, 3, 1};
    struct reference reference = reference_of(whole, 3);

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct privacy_criterion model = {.model = MODEL_T_CLOSENESS_ORDERED,
                                          .t = rows[i].t};

        CU_ASSERT_EQUAL(holds(&reference, &model, rows[i].number),
                        rows[i].holds);
    }
}

/* 2, 2 and 1, 1 of 6 rows.  A class of 2, 0 and 1, 0 moves 1/3 and 1/6 to what
 * is half as far: 1/4.  One of 0, 0, 1, 0 moves 1/6 halfway and 2/3 all the
 * way: 3/4. */
static void hierarchical_distances_by_hand(void)
{
    static const struct {
        uint32_t number[4];
        double t;
        bool holds;
    } rows[] = {
        {{2, 2, 1, 1}, 0, true},       {{2, 0, 1, 0}, 0.25, true},
        {{2, 0, 1, 0}, 0.2499, false}, {{0, 0, 1, 0}, 0.75, true},
        {{0, 0, 1, 0}, 0.7499, false}, {{0, 0, 3, 3}, 2.0 / 3, true},
        {{0, 0, 3, 3}, 0.6666, false},
    };
    uint32_t whole[] = {2, 2, 1, 1};
    struct reference reference = reference_of(whole, 4);

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct privacy_criterion model = {
            .model = MODEL_T_CLOSENESS_HIERARCHICAL, .t = rows[i].t};

        CU_ASSERT_EQUAL(holds(&reference, &model, rows[i].number),
                        rows[i].holds);
    }
}

/* Shares of 1/2, 1/4, 1/4.  1, 1, 2 has a half of the first's share, twice the
 * last's: one bit each, which is not below one.  2, 1 has 4/3 of both: 0.415
 * bits; of the last nothing is said. */
static void disclosures_by_hand(void)
{
    static const struct {
        double delta;
        uint32_t number[3];
        bool holds;
    } rows[] = {
        {1e-9, {2, 1, 1}, true},   {1, {1, 1, 2}, false},
        {1.01, {1, 1, 2}, true},   {0.416, {2, 1, 0}, true},
        {0.415, {2, 1, 0}, false}, {2, {0, 3, 0}, false},
        {2.1, {0, 3, 0}, true},    {2.16, {17, 1, 0}, false},
        {2.18, {17, 1, 0}, true},
    };
    uint32_t whole[] = {2, 1, 1};
    struct reference reference = reference_of(whole, 3);

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct privacy_criterion model = {.model = MODEL_DELTA_DISCLOSURE,
                                          .delta = rows[i].delta};

        CU_ASSERT_EQUAL(holds(&reference, &model, rows[i].number),
                        rows[i].holds);
    }
}

/* Why the search may not take unions for granted: 16 of 16 and 4 of 5 hold
 * with shares of 5/8 and 3/8; 20 of 21 do not, since the last is 1 of 21. */
static void unions_may_disclose_more(void)
{
    static const uint32_t a[] = {16, 0}, b[] = {4, 1}, both[] = {20, 1};
    uint32_t whole[] = {5, 3};
    struct reference reference = reference_of(whole, 2);
    struct privacy_criterion model = {.model = MODEL_DELTA_DISCLOSURE,
                                      .delta = 1};

    CU_ASSERT_TRUE(holds(&reference, &model, a));
    CU_ASSERT_TRUE(holds(&reference, &model, b));
    CU_ASSERT_FALSE(holds(&reference, &model, both));
}

/* Shares of 1/2, 1/4, 1/4, of which -ln is 0.693, 1.386.  1, 1, 2 has twice the
 * last's share: a growth of 1.  4, 1, 0 has 8/5 of the first's: 0.6, and 9, 1,
 * 0 9/5: 0.8. */
static void likenesses_by_hand(void)
{
    static const struct {
        double beta;
        uint32_t number[3];
        bool basic, enhanced;
    } rows[] = {
        {1e-9, {2, 1, 1}, true, true},   {1, {1, 1, 2}, true, true},
        {0.99, {1, 1, 2}, false, false}, {0.6, {4, 1, 0}, true, true},
        {0.59, {4, 1, 0}, false, false}, {0.81, {9, 1, 0}, true, false},
        {9, {9, 1, 0}, true, false},     {3, {0, 3, 0}, true, false},
        {2.9, {0, 3, 0}, false, false},
    };
    uint32_t whole[] = {2, 1, 1};
    struct reference reference = reference_of(whole, 3);

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct privacy_criterion model = {.model = MODEL_BASIC_BETA_LIKENESS,
                                          .beta = rows[i].beta};

        CU_ASSERT_EQUAL(holds(&reference, &model, rows[i].number),
                        rows[i].basic);
        model.model = MODEL_ENHANCED_BETA_LIKENESS;
        CU_ASSERT_EQUAL(holds(&reference, &model, rows[i].number),
                        rows[i].enhanced);
    }
}

static void one_value_is_no_distance_away(void)
{
    static const uint32_t number[] = {3};
    uint32_t whole[] = {5};
    struct reference reference = reference_of(whole, 1);
    struct privacy_criterion model = {.model = MODEL_T_CLOSENESS_ORDERED};

    CU_ASSERT_TRUE(holds(&reference, &model, number));
    model.model = MODEL_T_CLOSENESS_EQUAL;
    CU_ASSERT_TRUE(holds(&reference, &model, number));
    model.model = MODEL_ENHANCED_BETA_LIKENESS;
    model.beta = 1e-300;
    CU_ASSERT_TRUE(holds(&reference, &model, number));
    model.model = MODEL_DELTA_DISCLOSURE;
    model.delta = 1e-300;
    CU_ASSERT_TRUE(holds(&reference, &model, number));
    model.model = MODEL_T_CLOSENESS_HIERARCHICAL;
    CU_ASSERT_TRUE(holds(&reference, &model, number));
    reference.height = 0;
    CU_ASSERT_TRUE(holds(&reference, &model, number));
}

/* A fifth of the rows would have to be moved, which no double is. */
static void a_class_on_the_border_is_inside(void)
{
    static const uint32_t number[] = {7, 3};
    uint32_t whole[] = {5, 5};
    struct reference reference = reference_of(whole, 2);
    struct privacy_criterion model = {.model = MODEL_T_CLOSENESS_EQUAL,
                                      .t = 0.2};

    CU_ASSERT_TRUE(holds(&reference, &model, number));
    model.t = 0.19999999999999998;
    CU_ASSERT_FALSE(holds(&reference, &model, number));
}

/* 2^32 - 2 rows: half of them of another value. */
static void the_largest_tables_do_not_overflow(void)
{
    static const uint32_t number[] = {4294967294u, 0};
    uint32_t whole[] = {2147483647u, 2147483647u};
    struct reference reference = reference_of(whole, 2);
    struct privacy_criterion model = {.model = MODEL_T_CLOSENESS_EQUAL,
                                      .t = 0.5};
    struct sparse sparse;

    CU_ASSERT_TRUE(holds(&reference, &model, number));
    model.t = 0.49;
    CU_ASSERT_FALSE(holds(&reference, &model, number));
    make_sparse(&sparse, number, 2);
    CU_ASSERT_EQUAL(reference_survivors(&reference, &model, &sparse.values), 0);
    model.t = 0;
    CU_ASSERT_TRUE(holds(&reference, &model, whole));
    model.model = MODEL_T_CLOSENESS_ORDERED;
    CU_ASSERT_TRUE(holds(&reference, &model, whole));
    model.t = 0.5;
    CU_ASSERT_TRUE(holds(&reference, &model, number));
    model.t = 0.49;
    CU_ASSERT_FALSE(holds(&reference, &model, number));
}

/* Half of the table is of a value that the class lacks: it is 1/2 away from it
 * at the least.  With 3 a, 1 b against 1/2, 1/2: at t = 0.1, b may be 0.4 of
 * what survives, so that 2.5 rows do. */
static void survivors_by_hand(void)
{
    static const uint32_t three[] = {3, 1, 0}, one[] = {0, 0, 4};
    uint32_t halves[] = {5, 5, 0}, rest[] = {3, 2, 5};
    struct reference reference = reference_of(halves, 2);
    struct privacy_criterion model = {.model = MODEL_T_CLOSENESS_EQUAL,
                                      .t = 0.1};
    struct sparse sparse;

    make_sparse(&sparse, three, 2);
    CU_ASSERT_EQUAL(reference_survivors(&reference, &model, &sparse.values), 2);
    reference = reference_of(rest, 3);
    make_sparse(&sparse, three, 3);
    model.t = 0.49;
    CU_ASSERT_EQUAL(reference_survivors(&reference, &model, &sparse.values), 0);
    make_sparse(&sparse, one, 3);
    CU_ASSERT_EQUAL(reference_survivors(&reference, &model, &sparse.values), 0);
}

/* The most rows in a part of the class that satisfies the model: all parts are
 * tried. */
static uint32_t largest_part(const struct reference *reference,
                             const struct privacy_criterion *model,
                             const uint32_t *number)
{
    uint32_t part[VALUES_MAX] = {0}, largest = 0;

    for (;;) {
        uint32_t size = 0, v = 0;

        for (uint32_t i = 0; i < reference->value_count; i++)
            size += part[i];
        if (size > largest && holds(reference, model, part))
            largest = size;
        while (v < reference->value_count && part[v] == number[v])
            part[v++] = 0;
        if (v == reference->value_count)
            return largest;
        part[v]++;
    }
}

static void random_model(struct random *random, struct privacy_criterion *model)
{
    static const enum privacy_model models[] = {
        MODEL_T_CLOSENESS_EQUAL,        MODEL_T_CLOSENESS_ORDERED,
        MODEL_T_CLOSENESS_HIERARCHICAL, MODEL_DELTA_DISCLOSURE,
        MODEL_BASIC_BETA_LIKENESS,      MODEL_ENHANCED_BETA_LIKENESS};

    *model = (struct privacy_criterion){
        .model = models[random_below(random, sizeof models / sizeof *models)],
        .t = random_double(random) * 0.7,
        .delta = 0.1 + random_double(random) * 2,
        .beta = random_double(random) * 2};
}

/* A class and the table that it is part of. */
static void random_class(struct random *random, uint32_t count,
                         uint32_t *number, uint32_t *whole)
{
    uint32_t size = 0;

    for (uint32_t v = 0; v < count; v++) {
        number[v] = random_below(random, 3) == 0
                        ? 0
                        : (uint32_t)random_below(random, 6);
        whole[v] = number[v] + 1 + (uint32_t)random_below(random, 20);
        size += number[v];
    }
    if (size == 0)
        number[0] = 1;
}

/* No part that satisfies a model is larger than what is said to survive. */
static void no_part_is_larger_than_the_survivors(void)
{
    struct random random;
    unsigned tried = 0, close = 0;

    random_init(&random, fixture_seed(__func__));
    for (int i = 0; i < 4000; i++) {
        uint32_t number[VALUES_MAX], whole[VALUES_MAX], count, survivors, best;
        struct privacy_criterion model;
        struct reference reference;
        struct sparse sparse;

        count = 1 + (uint32_t)random_below(&random, VALUES_MAX);
        random_model(&random, &model);
        random_class(&random, count, number, whole);
        reference = reference_of(whole, count);
        if (holds(&reference, &model, number))
            continue;
        make_sparse(&sparse, number, count);
        survivors = reference_survivors(&reference, &model, &sparse.values);
        best = largest_part(&reference, &model, number);
        CU_ASSERT(best <= survivors && survivors <= sparse.values.size);
        tried++;
        close += survivors - best <= 2;
    }
    CU_ASSERT(tried > 1000 && close > tried / 4);
}

/* What the search builds on: classes that satisfy a model make one together. */
static void unions_satisfy_what_their_parts_do(void)
{
    struct random random;
    unsigned tried = 0;

    random_init(&random, fixture_seed(__func__));
    for (int i = 0; i < 60000; i++) {
        uint32_t a[VALUES_MAX], b[VALUES_MAX], whole[VALUES_MAX], count;
        struct privacy_criterion model;
        struct reference reference;

        count = 1 + (uint32_t)random_below(&random, VALUES_MAX);
        do
            random_model(&random, &model);
        while (model.model == MODEL_DELTA_DISCLOSURE);
        random_class(&random, count, a, whole);
        random_class(&random, count, b, whole);
        reference = reference_of(whole, count);
        if (!holds(&reference, &model, a) || !holds(&reference, &model, b))
            continue;
        tried++;
        for (uint32_t v = 0; v < count; v++)
            a[v] += b[v];
        /* Rounding may take what is on the border across it. */
        model.t += 1e-12;
        model.beta += 1e-12;
        CU_ASSERT(holds(&reference, &model, a));
    }
    CU_ASSERT(tried > 1000);
}

/* The policy's model is bound to the values of its attribute, of all rows. */
static void criteria_know_the_whole_table(void)
{
    static const uint32_t value[] = {1}, number[] = {1};
    struct privacy_criterion model = {
        .model = MODEL_T_CLOSENESS_EQUAL, .attribute = 1, .t = 0.75};
    struct class_view view = {.size = 1,
                              .number = {number},
                              .value = {value},
                              .value_number = {number},
                              .distinct = {1}};
    struct fixture fixture;

    fixture_init(&fixture);
    fixture_attribute(&fixture, "q", ROLE_QUASI_IDENTIFYING, NULL);
    fixture_attribute(&fixture, "d", ROLE_SENSITIVE, NULL);
    fixture_model(&fixture, &model);
    fixture_load(&fixture, "q,d\nx,flu\ny,cold\nx,flu\nx,flu\n");
    CU_ASSERT_EQUAL(fixture.criteria->reference[0].rows, 4);
    CU_ASSERT_EQUAL(fixture.criteria->reference[0].number[0], 3);
    CU_ASSERT_EQUAL(fixture.criteria->reference[0].number[1], 1);
    CU_ASSERT_TRUE(fixture.criteria->needs_histograms);
    CU_ASSERT_EQUAL(fixture.criteria->class_size_min, 1);
    CU_ASSERT_FALSE(criteria_final(fixture.criteria, &view));
    CU_ASSERT_TRUE(criteria_hold(fixture.criteria, &view));
    fixture.criterion[0].t = 0.74;
    CU_ASSERT_FALSE(criteria_hold(fixture.criteria, &view));
    CU_ASSERT_EQUAL(criteria_removal(fixture.criteria, &view), 1);
    fixture_clear(&fixture);
}

void suite_criterion_distance(void)
{
    static const struct test tests[] = {
        {"equal distances, by hand", equal_distances_by_hand},
        {"ordered distances, by hand", ordered_distances_by_hand},
        {"hierarchical distances, by hand", hierarchical_distances_by_hand},
        {"disclosures, by hand", disclosures_by_hand},
        {"unions may disclose more", unions_may_disclose_more},
        {"likenesses, by hand", likenesses_by_hand},
        {"one value is no distance away", one_value_is_no_distance_away},
        {"a class on the border is inside", a_class_on_the_border_is_inside},
        {"the largest tables do not overflow",
         the_largest_tables_do_not_overflow},
        {"survivors, by hand", survivors_by_hand},
        {"no part is larger than the survivors",
         no_part_is_larger_than_the_survivors},
        {"unions satisfy what their parts do",
         unions_satisfy_what_their_parts_do},
        {"criteria know the whole table", criteria_know_the_whole_table},
    };

    suite_add("criterion_distance", tests, sizeof tests / sizeof tests[0]);
}
