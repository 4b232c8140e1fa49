/*
 * The cut by hand, and against every choice of classes to suppress: it must be
 * the least for average risk and sample uniqueness, and what finer
 * transformations are said to lose must be no more than any choice does.
 * Whole tables: tests/property, by tests/lib/oracle_sample.c.
 */
#include "anonymizer/criterion_sample.h"

#include <stdio.h>
#include <string.h>

#include "common/random.h"
#include "tests/lib/suite.h"

void suite_criterion_sample(void);

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])
#define CLASSES_MAX 10

/* Classes of these sizes, and models over them. */
struct world {
    uint32_t size[CLASSES_MAX];
    bool lost[CLASSES_MAX];
    struct classes classes;
    struct privacy_criterion criterion[2];
    struct policy policy;
    struct sample_models models;
    struct sample_scratch scratch;
    struct class_sizes sizes;
};

static void world_open(struct world *world, const uint32_t *size,
                       uint32_t count, const struct privacy_criterion *model,
                       size_t models)
{
    struct error err;
    uint64_t rows = 0;

    error_init(&err);
    memset(world, 0, sizeof *world);
    memcpy(world->size, size, count * sizeof *size);
    memcpy(world->criterion, model, models * sizeof *model);
    for (uint32_t i = 0; i < count; i++)
        rows += size[i];
    world->policy.criterion = world->criterion;
    world->policy.criterion_count = models;
    world->classes.count = count;
    world->classes.size = world->size;
    CU_ASSERT_EQUAL_FATAL(
        sample_models_init(&world->models, &world->policy, rows, &err), OK);
    CU_ASSERT_EQUAL_FATAL(sample_scratch_init(&world->scratch, count, &err),
                          OK);
    world->sizes = sample_sizes(&world->scratch, &world->classes, world->lost);
}

static struct sample_cut cut_of(struct world *world)
{
    return sample_models_cut(&world->models, &world->scratch, world->sizes);
}

static void close_world(struct world *world)
{
    sample_scratch_clear(&world->scratch);
}

static const struct privacy_criterion average = {
    .model = MODEL_AVERAGE_RISK, .attribute = NO_ATTRIBUTE, .threshold = 0.25};

static void sizes_are_counted_in_ascending_order(void)
{
    static const uint32_t size[] = {5000, 1, 3, 1023, 1024, 3, 0, 5000, 1};
    static const struct class_size expected[] = {
        {1, 2}, {3, 2}, {1023, 1}, {1024, 1}, {5000, 2}};
    struct world world;

    world_open(&world, size, COUNT_OF(size), &average, 1);
    CU_ASSERT_EQUAL_FATAL(world.sizes.count, COUNT_OF(expected));
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        CU_ASSERT_EQUAL(world.sizes.entry[i].size, expected[i].size);
        CU_ASSERT_EQUAL(world.sizes.entry[i].number, expected[i].number);
    }
    close_world(&world);
}

/* 1, 2, 2, 10: 4 / 15 is above 1/4, 3 / 14 is not. */
static void the_smallest_class_goes_first(void)
{
    static const uint32_t size[] = {10, 2, 1, 2}, good[] = {4, 4}, bad[] = {1};
    struct world world;
    struct sample_cut cut;

    world_open(&world, size, 4, &average, 1);
    CU_ASSERT_FALSE(sample_models_hold(&world.models, world.sizes));
    cut = cut_of(&world);
    CU_ASSERT_EQUAL(cut.classes, 1);
    CU_ASSERT_EQUAL(cut.rows, 1);
    CU_ASSERT_EQUAL(cut.size, 1);
    CU_ASSERT_EQUAL(cut.of_size, 1);
    close_world(&world);
    world_open(&world, good, 2, &average, 1);
    CU_ASSERT_EQUAL(cut_of(&world).classes, 0);
    close_world(&world);
    /* Nothing satisfies everything. */
    world_open(&world, bad, 1, &average, 1);
    CU_ASSERT_EQUAL(cut_of(&world).classes, 1);
    close_world(&world);
}

/* 1/r whole but for less than a hundredth of r: 0.3333 is a third. */
static void the_size_at_risk_is_whole(void)
{
    CU_ASSERT_EQUAL(sample_size_threshold(1), 1);
    CU_ASSERT_EQUAL(sample_size_threshold(0.5), 2);
    CU_ASSERT_EQUAL(sample_size_threshold(0.3333), 3);
    CU_ASSERT_EQUAL(sample_size_threshold(0.3), 4);
    CU_ASSERT_EQUAL(sample_size_threshold(0.2), 5);
    CU_ASSERT_EQUAL(sample_size_threshold(0.09), 12);
}

static void a_population_below_the_rows_is_refused(void)
{
    struct privacy_criterion model = {.model = MODEL_POPULATION_UNIQUENESS,
                                      .attribute = NO_ATTRIBUTE,
                                      .population_estimator = POPULATION_ZAYATZ,
                                      .population = 99};
    struct policy policy = {.criterion = &model, .criterion_count = 1};
    struct sample_models models;
    struct error err;

    error_init(&err);
    CU_ASSERT_EQUAL(sample_models_init(&models, &policy, 99, &err), OK);
    CU_ASSERT_FALSE(models.bounds);
    CU_ASSERT_EQUAL(sample_models_init(&models, &policy, 100, &err), E_INPUT);
    CU_ASSERT_STRING_EQUAL(
        err.text, "population-uniqueness: a population of 99, expected at "
                  "least the 100 rows of the table that is a sample of it");
}

/* Do those classes that are not in the set satisfy the model? */
static bool holds_without(const struct world *world, unsigned set,
                          uint64_t *lost)
{
    const struct privacy_criterion *model = &world->criterion[0];
    double rows = 0, classes = 0, uniques = 0, at_risk = 0;

    *lost = 0;
    for (uint32_t c = 0; c < world->classes.count; c++) {
        uint32_t size = world->size[c];

        if (set >> c & 1) {
            *lost += size;
            continue;
        }
        rows += size;
        classes++;
        uniques += size == 1;
        if (model->highest_risk > 0 &&
            size < sample_size_threshold(model->highest_risk))
            at_risk += size;
    }
    if (classes == 0)
        return true;
    if (model->model == MODEL_SAMPLE_UNIQUENESS)
        return uniques / rows <= model->threshold;
    return classes / rows <= model->threshold &&
           (model->highest_risk == 0 ||
            at_risk / rows <= model->records_at_risk);
}

static void no_choice_of_classes_loses_fewer_rows(void)
{
    struct random dice;

    random_init(&dice, 511);
    for (int trial = 0; trial < 2000; trial++) {
        uint32_t size[CLASSES_MAX];
        uint32_t count = 1 + (uint32_t)random_below(&dice, CLASSES_MAX);
        struct privacy_criterion model = average;
        struct world world;
        uint64_t least = UINT64_MAX, lost, removal;

        for (uint32_t i = 0; i < count; i++)
            size[i] = 1 + (uint32_t)random_below(
                              &dice, random_below(&dice, 3) == 0 ? 30 : 4);
        model.threshold = (1 + (double)random_below(&dice, 40)) / 40;
        if (random_below(&dice, 2) == 0)
            model.model = MODEL_SAMPLE_UNIQUENESS;
        else if (random_below(&dice, 2) == 0) {
            model.highest_risk = 0.3;
            model.records_at_risk = random_double(&dice) / 2;
        }
        world_open(&world, size, count, &model, 1);
        for (unsigned set = 0; set < 1u << count; set++)
            if (holds_without(&world, set, &lost) && lost < least)
                least = lost;
        removal =
            sample_models_removal(&world.models, &world.scratch, world.sizes);
        CU_ASSERT(removal <= least);
        if (model.highest_risk == 0) {
            CU_ASSERT_EQUAL(cut_of(&world).rows, least);
            CU_ASSERT_EQUAL(removal, least);
        }
        close_world(&world);
    }
}

/* Classes of n' are parts of those of n.  Whatever of them is released, it
 * loses at least what n says. */
static void finer_classes_lose_at_least_the_bound(void)
{
    struct random dice;

    random_init(&dice, 512);
    for (int trial = 0; trial < 2000; trial++) {
        uint32_t coarse[CLASSES_MAX], fine[CLASSES_MAX];
        uint32_t count = 0, parts = 0;
        struct privacy_criterion model = average;
        struct world above, below;
        uint64_t removal, lost;

        while (parts < CLASSES_MAX - 2) {
            coarse[count] = 0;
            for (uint64_t n = 1 + random_below(&dice, 2); n > 0; n--) {
                fine[parts] = 1 + (uint32_t)random_below(&dice, 6);
                coarse[count] += fine[parts++];
            }
            count++;
        }
        model.threshold = (1 + (double)random_below(&dice, 20)) / 40;
        if (random_below(&dice, 3) == 0)
            model.model = MODEL_SAMPLE_UNIQUENESS;
        else if (random_below(&dice, 2) == 0) {
            model.highest_risk = 0.25;
            model.records_at_risk = random_double(&dice) / 2;
        }
        world_open(&above, coarse, count, &model, 1);
        world_open(&below, fine, parts, &model, 1);
        removal =
            sample_models_removal(&above.models, &above.scratch, above.sizes);
        for (unsigned set = 0; set < 1u << parts; set++)
            if (holds_without(&below, set, &lost))
                CU_ASSERT(lost >= removal);
        close_world(&above);
        close_world(&below);
    }
}

void suite_criterion_sample(void)
{
    static const struct test tests[] = {
        {"sizes are counted in ascending order",
         sizes_are_counted_in_ascending_order},
        {"the smallest class goes first", the_smallest_class_goes_first},
        {"the size at risk is whole", the_size_at_risk_is_whole},
        {"a population below the rows is refused",
         a_population_below_the_rows_is_refused},
        {"no choice of classes loses fewer rows",
         no_choice_of_classes_loses_fewer_rows},
        {"finer classes lose at least the bound",
         finer_classes_lose_at_least_the_bound},
    };

    suite_add("criterion_sample", tests, COUNT_OF(tests));
}
