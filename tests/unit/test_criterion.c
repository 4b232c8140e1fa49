#include "anonymizer/criterion.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/fixture.h"
#include "tests/lib/suite.h"

void suite_criterion(void);

/* Criteria of one sensitive attribute over a table of two rows, which bounds
 * the table of x ln x. */
static void open_criteria(struct fixture *fixture,
                          const struct privacy_criterion *model, size_t count)
{
    fixture_init(fixture);
    fixture_attribute(fixture, "q", ROLE_QUASI_IDENTIFYING, NULL);
    fixture_attribute(fixture, "d", ROLE_SENSITIVE, NULL);
    for (size_t i = 0; i < count; i++)
        fixture_model(fixture, &model[i]);
    fixture_load(fixture, "q,d\nx,flu\ny,cold\n");
}

static struct class_view view_of(const uint32_t *number, uint32_t distinct)
{
    struct class_view view = {.number = {number}, .distinct = {distinct}};

    for (uint32_t i = 0; i < distinct; i++)
        view.size += number[i];
    return view;
}

static bool satisfies(const struct criteria *criteria, const uint32_t *number,
                      uint32_t distinct)
{
    struct class_view view = view_of(number, distinct);

    return !criteria_final(criteria, &view) && criteria_hold(criteria, &view);
}

/* ---- single classes by hand ---- */

static void thresholds_are_the_strictest_of_all_models(void)
{
    static const struct privacy_criterion models[] = {
        {.model = MODEL_K_ANONYMITY, .attribute = NO_ATTRIBUTE, .k = 2},
        {.model = MODEL_ENTROPY_L_DIVERSITY, .attribute = 1, .l = 2.5},
        {.model = MODEL_RECURSIVE_CL_DIVERSITY, .attribute = 1, .l = 2, .c = 3},
    };
    static const struct privacy_criterion only_k[] = {
        {.model = MODEL_K_ANONYMITY, .attribute = NO_ATTRIBUTE, .k = 7},
        {.model = MODEL_K_ANONYMITY, .attribute = NO_ATTRIBUTE, .k = 3},
    };
    static const struct privacy_criterion endless[] = {
        {.model = MODEL_DISTINCT_L_DIVERSITY, .attribute = 1, .l = 1e300},
    };
    static const uint32_t three[] = {1, 1, 1}, two[] = {9, 9};
    struct fixture fixture;
    struct class_view view;

    open_criteria(&fixture, models, 3);
    CU_ASSERT_EQUAL(fixture.criteria->class_size_min, 3);
    CU_ASSERT_EQUAL(fixture.criteria->distinct_min[0], 3);
    CU_ASSERT(fixture.criteria->needs_histograms);
    CU_ASSERT(fixture.criteria->needs_order[0]);
    view = view_of(three, 3);
    CU_ASSERT_FALSE(criteria_final(fixture.criteria, &view));
    view = view_of(two, 2);
    CU_ASSERT(criteria_final(fixture.criteria, &view));
    fixture_clear(&fixture);
    open_criteria(&fixture, only_k, 2);
    CU_ASSERT_EQUAL(fixture.criteria->class_size_min, 7);
    CU_ASSERT_FALSE(fixture.criteria->needs_histograms);
    view = (struct class_view){.size = 6};
    CU_ASSERT(criteria_final(fixture.criteria, &view));
    view.size = 7;
    CU_ASSERT_FALSE(criteria_final(fixture.criteria, &view));
    CU_ASSERT(criteria_hold(fixture.criteria, &view));
    fixture_clear(&fixture);
    open_criteria(&fixture, endless, 1);
    CU_ASSERT_EQUAL(fixture.criteria->class_size_min, UINT32_MAX);
    CU_ASSERT_FALSE(fixture.criteria->needs_order[0]);
    fixture_clear(&fixture);
}

/* A value of l or c at which a class is diverse, and one at which it is not:
 * 3,1      exp(H) = 4 / 27^(1/4)   = 1.754765
 * 2,1,1    exp(H) = 2 sqrt 2       = 2.828427
 * 4,2,1    r1 < c (2 + 1), r1 < c 1 for l 3, r1 < c 7 for l 1 */
static void classes_by_hand(void)
{
    static const struct {
        struct privacy_criterion model;
        uint32_t number[4];
        uint32_t distinct;
        bool satisfied;
    } rows[] = {
#define DISTINCT(l_) {.model = MODEL_DISTINCT_L_DIVERSITY, .l = l_}
#define ENTROPY(l_)                                                            \
    {                                                                          \
        .model = MODEL_ENTROPY_L_DIVERSITY, .l = l_                            \
    }
#define RECURSIVE(c_, l_)                                                      \
    {                                                                          \
        .model = MODEL_RECURSIVE_CL_DIVERSITY, .c = c_, .l = l_                \
    }
        {DISTINCT(2), {9, 1}, 2, true},
        {DISTINCT(2.1), {9, 1}, 2, false},
        {DISTINCT(1), {1}, 1, true},
        {ENTROPY(1), {5}, 1, true},
        {ENTROPY(1.0000001), {5}, 1, false},
        {ENTROPY(2), {1, 1}, 2, true},
        {ENTROPY(2), {2, 2}, 2, true},
        {ENTROPY(1.754764), {3, 1}, 2, true},
        {ENTROPY(1.754766), {3, 1}, 2, false},
        {ENTROPY(2.828427), {2, 1, 1}, 3, true},
        {ENTROPY(2.828428), {2, 1, 1}, 3, false},
        /* Beyond the table of x ln x. */
        {ENTROPY(1.999999), {4000000, 4000000}, 2, true},
        {ENTROPY(1.754764), {3000000, 1000000}, 2, true},
        {ENTROPY(1.754766), {3000000, 1000000}, 2, false},
        {RECURSIVE(2, 2), {4, 2, 1}, 3, true},
        {RECURSIVE(1.25, 2), {4, 2, 1}, 3, false},
        /* Strictly less: 3 < 1 * 3 does not hold. */
        {RECURSIVE(1, 2), {3, 2, 1}, 3, false},
        {RECURSIVE(1.000001, 2), {3, 2, 1}, 3, true},
        {RECURSIVE(4, 3), {4, 2, 1}, 3, false},
        {RECURSIVE(4.5, 3), {4, 2, 1}, 3, true},
        {RECURSIVE(0.5, 1), {4, 2, 1}, 3, false},
        {RECURSIVE(0.75, 1), {4, 2, 1}, 3, true},
        {RECURSIVE(9, 3), {4, 3}, 2, false},
        /* 2^32 - 2 rows: sums do not wrap. */
        {RECURSIVE(1, 2), {2147483647, 2147483647}, 2, false},
        {RECURSIVE(1.5, 2), {2147483646, 1073741824, 1073741824}, 3, true},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct privacy_criterion model = rows[i].model;
        struct fixture fixture;
        bool satisfied;

        model.attribute = 1;
        open_criteria(&fixture, &model, 1);
        satisfied =
            satisfies(fixture.criteria, rows[i].number, rows[i].distinct);
        CU_ASSERT_EQUAL(satisfied, rows[i].satisfied);
        if (satisfied != rows[i].satisfied)
            fprintf(stderr, "\nrow %zu\n", i);
        fixture_clear(&fixture);
    }
}

static void all_models_must_hold(void)
{
    static const struct privacy_criterion models[] = {
        {.model = MODEL_ENTROPY_L_DIVERSITY, .attribute = 1, .l = 1.75},
        {.model = MODEL_RECURSIVE_CL_DIVERSITY, .attribute = 1, .l = 2, .c = 3},
        {.model = MODEL_K_ANONYMITY, .attribute = NO_ATTRIBUTE, .k = 4},
    };
    /* 6,2 is 3,1 with c * 2 = 6 not below 6. */
    static const uint32_t good[] = {5, 2}, skewed[] = {6, 2}, small[] = {2, 1};
    struct fixture fixture;

    open_criteria(&fixture, models, 3);
    CU_ASSERT(satisfies(fixture.criteria, good, 2));
    CU_ASSERT_FALSE(satisfies(fixture.criteria, skewed, 2));
    CU_ASSERT_FALSE(satisfies(fixture.criteria, small, 2));
    fixture_clear(&fixture);
}

/* ---- Grassberger ---- */

#define EULER_GAMMA 0.577215664901532860606512090082402431L

/* G by its recursion alone, for any n. */
static long double grassberger(uint32_t n)
{
    long double g = -EULER_GAMMA - logl(2);

    for (uint32_t i = 2; i <= n; i += 2)
        g += 2.0L / (long double)(i - 1);
    return g;
}

/* Two values of n rows each are diverse up to ln l = G(2n) - G(n).  100 is the
 * last n that is summed up, so 50 and 51 look across, and 100 and 101. */
static void grassbergers_estimate_follows_its_recursion(void)
{
    static const uint32_t numbers[] = {1,  2,  3,   4,   5,   49,   50,
                                       51, 52, 100, 101, 102, 1000, 100001};
    struct privacy_criterion model = {.model = MODEL_ENTROPY_L_DIVERSITY,
                                      .attribute = 1,
                                      .estimator = ESTIMATOR_GRASSBERGER,
                                      .l = 1};
    struct fixture fixture;

    open_criteria(&fixture, &model, 1);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        uint32_t number[] = {numbers[i], numbers[i]};
        struct class_view view = view_of(number, 2);
        double l =
            (double)expl(grassberger(2 * numbers[i]) - grassberger(numbers[i]));

        fixture.criterion[0].l = l * (1 - 1e-12);
        CU_ASSERT(criteria_hold(fixture.criteria, &view));
        fixture.criterion[0].l = l * (1 + 1e-12);
        CU_ASSERT_FALSE(criteria_hold(fixture.criteria, &view));
    }
    fixture_clear(&fixture);
}

/* 3 (G(3) - ln l) >= 2 G(2) + G(1): G(3) = G(2) = 2 - gamma - ln 2, G(1) is 2
 * less; so 3 ln l <= G(2) - G(1) = 2, l <= exp(2/3) = 1.947734.  Shannon's
 * would be 3 / 4^(1/3) = 1.889882. */
static void grassbergers_estimate_is_above_shannons(void)
{
    static const uint32_t number[] = {2, 1};
    struct privacy_criterion model = {.model = MODEL_ENTROPY_L_DIVERSITY,
                                      .attribute = 1,
                                      .estimator = ESTIMATOR_GRASSBERGER,
                                      .l = 1.947734};
    struct fixture fixture;

    open_criteria(&fixture, &model, 1);
    CU_ASSERT(satisfies(fixture.criteria, number, 2));
    fixture.criterion[0].l = 1.947735;
    CU_ASSERT_FALSE(satisfies(fixture.criteria, number, 2));
    fixture_clear(&fixture);
    model.estimator = ESTIMATOR_SHANNON;
    model.l = 1.889881;
    open_criteria(&fixture, &model, 1);
    CU_ASSERT(satisfies(fixture.criteria, number, 2));
    fixture.criterion[0].l = 1.889882;
    CU_ASSERT_FALSE(satisfies(fixture.criteria, number, 2));
    fixture_clear(&fixture);
}

/* ---- what is lost in every finer transformation ---- */

static void sort_descending(uint32_t *number, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++)
        for (uint32_t at = i; at > 0 && number[at - 1] < number[at]; at--) {
            uint32_t moving = number[at];

            number[at] = number[at - 1];
            number[at - 1] = moving;
        }
}

/* Rows of the largest part of a class that satisfies the models: all parts
 * are tried. */
static uint32_t largest_part(const struct criteria *criteria,
                             const uint32_t *number, uint32_t distinct)
{
    uint32_t part[8] = {0}, largest = 0;

    for (;;) {
        uint32_t sorted[8], kept = 0, size = 0, i = 0;

        for (uint32_t v = 0; v < distinct; v++) {
            size += part[v];
            if (part[v] > 0)
                sorted[kept++] = part[v];
        }
        sort_descending(sorted, kept);
        if (size > largest && satisfies(criteria, sorted, kept))
            largest = size;
        while (i < distinct && part[i] == number[i])
            part[i++] = 0;
        if (i == distinct)
            return largest;
        part[i]++;
    }
}

static void random_models(struct random *random,
                          struct privacy_criterion *model, size_t *count)
{
    *count = 0;
    if (random_below(random, 3) == 0)
        model[(*count)++] = (struct privacy_criterion){
            .model = MODEL_K_ANONYMITY,
            .attribute = NO_ATTRIBUTE,
            .k = 1 + (uint32_t)random_below(random, 8)};
    if (random_below(random, 2) == 0)
        model[(*count)++] =
            (struct privacy_criterion){.model = MODEL_ENTROPY_L_DIVERSITY,
                                       .attribute = 1,
                                       .l = 1 + 3 * random_double(random)};
    else
        model[(*count)++] =
            (struct privacy_criterion){.model = MODEL_RECURSIVE_CL_DIVERSITY,
                                       .attribute = 1,
                                       .l = 1 + (double)random_below(random, 3),
                                       .c = 0.3 + 3 * random_double(random)};
}

static uint32_t random_class(struct random *random, uint32_t *number,
                             uint32_t largest)
{
    uint32_t distinct = 1 + (uint32_t)random_below(random, 4);

    for (uint32_t v = 0; v < distinct; v++)
        number[v] = 1 + (uint32_t)random_below(random, largest);
    sort_descending(number, distinct);
    return distinct;
}

/* Never more than that.  Not much less either: caps are whole numbers, so
 * that up to a row for each value but one is given away.  Where a smallest
 * size cuts in, or round parameters make comparisons a tie, more may be. */
static void removal_is_a_close_lower_bound(void)
{
    struct random random;
    unsigned tried = 0, everything = 0;

    random_init(&random, fixture_seed(__func__));
    for (int i = 0; i < 4000; i++) {
        struct privacy_criterion model[2];
        struct fixture fixture;
        struct class_view view;
        uint32_t number[8], distinct, best, removal;
        size_t count;
        bool round = random_below(&random, 4) == 0;

        random_models(&random, model, &count);
        if (round) {
            model[count - 1].l = floor(model[count - 1].l);
            model[count - 1].c = ceil(model[count - 1].c);
        }
        open_criteria(&fixture, model, count);
        distinct = random_class(&random, number, 9);
        view = view_of(number, distinct);
        if (!criteria_final(fixture.criteria, &view) &&
            !criteria_hold(fixture.criteria, &view)) {
            tried++;
            best = largest_part(fixture.criteria, number, distinct);
            removal = criteria_removal(fixture.criteria, &view);
            everything += best == 0;
            CU_ASSERT(removal <= view.size - best);
            CU_ASSERT(round || count > 1 ||
                      removal + distinct > view.size - best);
        }
        fixture_clear(&fixture);
    }
    CU_ASSERT(tried > 500 && everything > 50 && everything < tried / 2);
}

/* 9,1 with l = 2 by entropy: only 1,1 is diverse, 8 rows go.  With k = 3 none
 * is.  Grassberger's form promises nothing. */
static void removal_by_hand(void)
{
    static const uint32_t number[] = {9, 1};
    struct privacy_criterion model[] = {
        {.model = MODEL_ENTROPY_L_DIVERSITY, .attribute = 1, .l = 2},
        {.model = MODEL_K_ANONYMITY, .attribute = NO_ATTRIBUTE, .k = 3},
    };
    struct class_view view = view_of(number, 2);
    struct fixture fixture;

    open_criteria(&fixture, model, 1);
    CU_ASSERT_EQUAL(criteria_removal(fixture.criteria, &view), 8);
    fixture_clear(&fixture);
    open_criteria(&fixture, model, 2);
    CU_ASSERT_EQUAL(criteria_removal(fixture.criteria, &view), 10);
    fixture_clear(&fixture);
    model[0].estimator = ESTIMATOR_GRASSBERGER;
    open_criteria(&fixture, model, 1);
    CU_ASSERT_EQUAL(criteria_removal(fixture.criteria, &view), 0);
    fixture_clear(&fixture);
}

/* What the proof in criterion.h rests on.  Counts of the same values are
 * added; a hair's breadth of allowance for rounding. */
static void unions_of_diverse_classes_are_diverse(void)
{
    struct random random;
    unsigned tried = 0;

    random_init(&random, fixture_seed(__func__));
    for (int i = 0; i < 20000; i++) {
        struct privacy_criterion model[2];
        struct fixture fixture;
        uint32_t a[8] = {0}, b[8] = {0}, sum[8] = {0}, distinct;
        size_t count;

        random_models(&random, model, &count);
        open_criteria(&fixture, &model[count - 1], 1);
        distinct = random_class(&random, a, 30);
        if (satisfies(fixture.criteria, a, distinct)) {
            distinct = random_class(&random, b, 30);
            if (satisfies(fixture.criteria, b, distinct)) {
                tried++;
                /* The largest of one need not be the largest of the other. */
                random_shuffle(&random, b, 5, sizeof *b);
                distinct = 0;
                for (int v = 0; v < 8; v++)
                    if (a[v] + b[v] > 0)
                        sum[distinct++] = a[v] + b[v];
                sort_descending(sum, distinct);
                fixture.criterion[0].l *=
                    fixture.criterion[0].model == MODEL_ENTROPY_L_DIVERSITY
                        ? 1 - 1e-12
                        : 1;
                CU_ASSERT(satisfies(fixture.criteria, sum, distinct));
            }
        }
        fixture_clear(&fixture);
    }
    CU_ASSERT(tried > 1000);
}

void suite_criterion(void)
{
    static const struct test tests[] = {
        {"thresholds are the strictest of all models",
         thresholds_are_the_strictest_of_all_models},
        {"single classes, by hand", classes_by_hand},
        {"all models must hold", all_models_must_hold},
        {"Grassberger's estimate follows its recursion",
         grassbergers_estimate_follows_its_recursion},
        {"Grassberger's estimate is above Shannon's",
         grassbergers_estimate_is_above_shannons},
        {"removal is a lower bound, and a close one",
         removal_is_a_close_lower_bound},
        {"removal, by hand", removal_by_hand},
        {"unions of diverse classes are diverse",
         unions_of_diverse_classes_are_diverse},
    };

    suite_add("criterion", tests, sizeof tests / sizeof tests[0]);
}
