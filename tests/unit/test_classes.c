#include "anonymizer/classes.h"

#include <stdlib.h>
#include <string.h>

#include "anonymizer/hierarchy.h"
#include "tests/lib/fixture.h"
#include "tests/lib/suite.h"

void suite_classes(void);

#define TUPLES_MAX 512
#define VALUES_MAX 8

/* What the classes of a node are, by comparing nodes of hierarchies. */
struct expected {
    uint32_t count;
    uint32_t class_of[TUPLES_MAX];
    uint32_t size[TUPLES_MAX];
    uint32_t population[TUPLES_MAX];
    uint32_t number[FIXTURE_ATTRIBUTES_MAX][TUPLES_MAX][VALUES_MAX];
};

static bool same_class(const struct fixture *fixture, const uint8_t *level,
                       uint32_t a, uint32_t b)
{
    const struct table *table = fixture->table;

    for (size_t q = 0; q < table->quasi_count; q++) {
        const struct quasi_identifier *quasi = &table->quasi[q];
        uint32_t x = quasi->row[table->value[a * table->quasi_count + q]];
        uint32_t y = quasi->row[table->value[b * table->quasi_count + q]];

        if (hierarchy_node(quasi->hierarchy, level[q], x) !=
            hierarchy_node(quasi->hierarchy, level[q], y))
            return false;
    }
    return true;
}

static void expect(const struct fixture *fixture, const uint8_t *level,
                   struct expected *expected)
{
    const struct table *table = fixture->table;

    CU_ASSERT_FATAL(table->tuple_count <= TUPLES_MAX);
    memset(expected, 0, sizeof *expected);
    for (uint32_t t = 0; t < table->tuple_count; t++) {
        uint32_t class, other = 0;

        while (other < t && !same_class(fixture, level, other, t))
            other++;
        class = other < t ? expected->class_of[other] : expected->count++;
        expected->class_of[t] = class;
        expected->size[class] += table->tuple_rows[t];
        if (table->tuple_population != NULL)
            expected->population[class] += table->tuple_population[t];
        for (size_t s = 0; s < table->sensitive_count; s++) {
            const struct histograms *histogram =
                &table->sensitive[s].histograms;

            for (uint64_t e = histogram->begin[t]; e < histogram->begin[t + 1];
                 e++)
                expected->number[s][class][histogram->value[e]] +=
                    histogram->number[e];
        }
    }
}

static bool is_expected(const struct classes *classes,
                        const struct expected *expected)
{
    if (classes->count != expected->count ||
        memcmp(classes->size, expected->size,
               classes->count * sizeof *classes->size) != 0)
        return false;
    if (classes->population != NULL &&
        memcmp(classes->population, expected->population,
               classes->count * sizeof *classes->population) != 0)
        return false;
    for (size_t s = 0; s < classes->sensitive_count; s++) {
        const struct histograms *histogram = &classes->histogram[s];

        for (uint32_t c = 0; c < classes->count; c++) {
            uint32_t number[VALUES_MAX] = {0};

            for (uint64_t e = histogram->begin[c]; e < histogram->begin[c + 1];
                 e++) {
                if (histogram->number[e] == 0 ||
                    number[histogram->value[e]] != 0)
                    return false; /* no empty and no double entries */
                number[histogram->value[e]] = histogram->number[e];
            }
            if (memcmp(number, expected->number[s][c], sizeof number) != 0)
                return false;
        }
    }
    return true;
}

static void random_node(const struct fixture *fixture, struct random *random,
                        const uint8_t *from, uint8_t *level)
{
    for (size_t d = 0; d < fixture->lattice->dimension_count; d++)
        level[d] = (uint8_t)(from[d] +
                             random_below(
                                 random, fixture->lattice->dimension[d].levels -
                                             from[d]));
}

/* Bottom to a node, on to a node above it, and there from the bottom, in one
 * way of merging. */
static bool rolls_up(const struct fixture *fixture, const uint8_t *middle,
                     const uint8_t *high, bool bit_gather)
{
    static struct expected expected;
    struct classes first, second, copy;
    struct grouper grouper;
    uint64_t mask[QUASI_IDENTIFIERS_MAX];
    const struct classes *bottom = &fixture->problem.bottom;
    struct error err;
    bool good;

    CU_ASSERT_EQUAL_FATAL(grouper_init(&grouper, bottom, fixture->table, &err),
                          OK);
    CU_ASSERT_EQUAL_FATAL(classes_reserve(&first, bottom, &err), OK);
    CU_ASSERT_EQUAL_FATAL(classes_reserve(&second, bottom, &err), OK);
    grouper.bit_gather &= bit_gather;
    lattice_mask(fixture->lattice, middle, mask);
    classes_group(&grouper, bottom, mask, &first);
    classes_sum_histograms(&grouper, bottom, &first);
    expect(fixture, middle, &expected);
    good = is_expected(&first, &expected) &&
           memcmp(grouper.class_of, expected.class_of,
                  bottom->count * sizeof(uint32_t)) == 0;
    CU_ASSERT_EQUAL_FATAL(classes_copy(&copy, &first, &err), OK);
    good = good && is_expected(&copy, &expected);
    lattice_mask(fixture->lattice, high, mask);
    classes_group(&grouper, &copy, mask, &second);
    classes_sum_histograms(&grouper, &copy, &second);
    expect(fixture, high, &expected);
    good = good && is_expected(&second, &expected);
    classes_group(&grouper, bottom, mask, &first);
    classes_sum_histograms(&grouper, bottom, &first);
    good = good && is_expected(&first, &expected) &&
           memcmp(first.key, second.key,
                  first.count * first.words * sizeof *first.key) == 0;
    classes_measure(&grouper, &copy, mask, &second);
    good =
        good && second.count == first.count &&
        memcmp(first.key, second.key,
               first.count * first.words * sizeof *first.key) == 0 &&
        memcmp(first.size, second.size, first.count * sizeof *first.size) == 0;
    for (size_t i = 0; i < grouper.slot_count; i++)
        good = good && grouper.slot[i] == 0 && grouper.wide[i] == 0;
    grouper_clear(&grouper);
    classes_clear(&first);
    classes_clear(&second);
    classes_clear(&copy);
    return good;
}

/* Ways of merging that were seen. */
struct seen {
    unsigned gathered, hashed, wide, subsets;
};

static void roll_up_random(struct random *random,
                           const struct fixture_shape *shape, struct seen *seen)
{
    static const uint8_t zero[QUASI_IDENTIFIERS_MAX];
    uint8_t middle[QUASI_IDENTIFIERS_MAX], high[QUASI_IDENTIFIERS_MAX];
    struct fixture fixture;
    uint64_t mask[QUASI_IDENTIFIERS_MAX];

    fixture_random(&fixture, random, shape);
    random_node(&fixture, random, zero, middle);
    random_node(&fixture, random, middle, high);
    lattice_mask(fixture.lattice, middle, mask);
    seen->subsets += fixture.policy.has_subset;
    if (fixture.lattice->words > 1)
        seen->wide++;
    else if (__builtin_popcountll(mask[0]) <= 18)
        seen->gathered++;
    else
        seen->hashed++;
    CU_ASSERT(rolls_up(&fixture, middle, high, true));
    CU_ASSERT(rolls_up(&fixture, middle, high, false));
    fixture_clear(&fixture);
}

static void rolling_up_equals_comparing_labels(void)
{
    static const struct fixture_shape narrow = {.quasi_max = 3,
                                                .domain_max = 10,
                                                .levels_max = 5,
                                                .rows_max = 200,
                                                .sensitive_max = 2,
                                                .subsets = true};
    static const struct fixture_shape medium = {.quasi_max = 8,
                                                .domain_max = 30,
                                                .levels_max = 4,
                                                .rows_max = 200,
                                                .sensitive_max = 1,
                                                .subsets = true};
    static const struct fixture_shape wide = {.quasi_max = 50,
                                              .domain_max = 6,
                                              .levels_max = 3,
                                              .rows_max = 200,
                                              .sensitive_max = 1,
                                              .subsets = true};
    struct seen seen = {0};
    struct random random;

    random_init(&random, fixture_seed(__func__));
    for (int i = 0; i < 100; i++) {
        roll_up_random(&random, &narrow, &seen);
        roll_up_random(&random, &medium, &seen);
        roll_up_random(&random, &wide, &seen);
    }
    CU_ASSERT(seen.gathered > 20 && seen.hashed > 20 && seen.wide > 20 &&
              seen.subsets > 20);
}

/* Two tuples of two rows; x has 1 flu and 1 cold, y 2 colds. */
static void classes_of_the_bottom_are_the_tuples(void)
{
    struct fixture fixture;
    struct classes copy;
    struct error err;

    fixture_init(&fixture);
    fixture_attribute(&fixture, "q", ROLE_QUASI_IDENTIFYING, NULL);
    fixture_model(&fixture, &(struct privacy_criterion){
                                .model = MODEL_DISTINCT_L_DIVERSITY,
                                .attribute = fixture_attribute(
                                    &fixture, "d", ROLE_SENSITIVE, NULL),
                                .l = 2});
    fixture_load(&fixture, "q,d\nx,flu\ny,cold\nx,cold\ny,cold\n");
    CU_ASSERT_EQUAL(fixture.problem.bottom.count, 2);
    CU_ASSERT_EQUAL(fixture.problem.bottom.size[0], 2);
    CU_ASSERT_EQUAL(fixture.problem.bottom.size[1], 2);
    CU_ASSERT(fixture.problem.bottom.borrowed);
    CU_ASSERT_EQUAL(classes_copy(&copy, &fixture.problem.bottom, &err), OK);
    CU_ASSERT_FALSE(copy.borrowed);
    CU_ASSERT_EQUAL(copy.histogram[0].begin[2], 3);
    /* Two keys of one word, two sizes; begins of two, three entries of two
     * numbers. */
    CU_ASSERT_EQUAL(classes_bytes(&copy), 2 * (8 + 4) + 2 * 8 + 3 * 8);
    classes_clear(&copy);
    CU_ASSERT_EQUAL(copy.count, 0);
    classes_clear(&copy);
    fixture_clear(&fixture);
}

void suite_classes(void)
{
    static const struct test tests[] = {
        {"the classes of the bottom are the tuples",
         classes_of_the_bottom_are_the_tuples},
        {"rolling up equals comparing labels",
         rolling_up_equals_comparing_labels},
    };

    suite_add("classes", tests, sizeof tests / sizeof tests[0]);
}
