#include "anonymizer/recheck_diversity.h"

#include "common/text.h"
#include "tests/lib/rechecked.h"
#include "tests/lib/suite.h"

void suite_recheck_diversity(void);

/* One class with the counts 2, 1, 1: H = 1.5 ln 2. */
static void figures_of_one_class(void)
{
    struct rechecked f;
    const struct diversity_figures *figures;

    rechecked_illness(&f);
    rechecked_k(&f, 1);
    CU_ASSERT_EQUAL_FATAL(
        rechecked_text(&f, RECHECKED_HEADER
                       "1,f,flu\n1,f,cold\n1,f,gout\n1,f,cold\n"),
        OK);
    CU_ASSERT_EQUAL_FATAL(f.result->diversity_count, 1);
    figures = &f.result->diversity[0];
    CU_ASSERT_EQUAL(figures->attribute, 2);
    CU_ASSERT_EQUAL(figures->distinct_l, 3);
    CU_ASSERT(rechecked_near(figures->entropy_l, 2.8284271247461903));
    CU_ASSERT_EQUAL(figures->alpha, 0.5);
    CU_ASSERT_EQUAL(figures->recursive_c[2], 1.0); /* 2 / (1 + 1) */
    CU_ASSERT_EQUAL(figures->recursive_c[3], 2.0); /* 2 / 1 */
    rechecked_clear(&f);
}

/* Classes 3,1 (zip 1) and 2,2,2 (zip 2): each figure of the worse one. */
static void figures_are_of_the_worst_class(void)
{
    struct rechecked f;
    const struct diversity_figures *figures;

    rechecked_illness(&f);
    rechecked_k(&f, 1);
    CU_ASSERT_EQUAL_FATAL(rechecked_text(&f, RECHECKED_HEADER
                                         "2,f,a\n2,f,b\n2,f,c\n"
                                         "2,f,a\n2,f,b\n2,f,c\n"
                                         "1,f,a\n1,f,a\n1,f,b\n1,f,a\n"),
                          OK);
    figures = &f.result->diversity[0];
    CU_ASSERT_EQUAL(figures->distinct_l, 2);
    CU_ASSERT_EQUAL(figures->alpha, 0.75);
    CU_ASSERT_EQUAL(figures->recursive_c[2], 3.0);
    /* 4 / 27^(1/4), from H = ln 4 - (3/4) ln 3. */
    CU_ASSERT(rechecked_near(figures->entropy_l, 1.7547653506033234));
    rechecked_clear(&f);
}

/* Column 2 has 2 values in the class, column 3 has 3. */
static void sensitive_attributes_are_counted_apart(void)
{
    struct rechecked f;

    rechecked_illness(&f);
    rechecked_attribute(&f, "drug", ROLE_SENSITIVE);
    rechecked_l(&f, MODEL_DISTINCT_L_DIVERSITY, 2, 3);
    rechecked_l(&f, MODEL_DISTINCT_L_DIVERSITY, 3, 3);
    CU_ASSERT_EQUAL_FATAL(rechecked_text(&f,
                                         "drug,zip,sex,illness\n"
                                         "x,1,f,a\ny,1,f,a\nz,1,f,b\nx,1,f,b\n"
                                         "x,1,f,a\n"),
                          OK);
    CU_ASSERT_EQUAL_FATAL(f.result->diversity_count, 2);
    CU_ASSERT_EQUAL(f.result->diversity[0].distinct_l, 2);
    CU_ASSERT_EQUAL(f.result->diversity[0].alpha, 0.6);
    CU_ASSERT_EQUAL(f.result->diversity[1].distinct_l, 3);
    CU_ASSERT_EQUAL(f.result->diversity[1].alpha, 0.6);
    CU_ASSERT_EQUAL(f.result->diversity[1].recursive_c[3], 3.0);
    CU_ASSERT_FALSE(f.result->criterion[0].satisfied);
    CU_ASSERT_TRUE(f.result->criterion[1].satisfied);
    rechecked_clear(&f);
}

/* Does a class with these counts satisfy the criterion?  *value is its own. */
static bool holds(enum privacy_model model, double l, double c,
                  enum entropy_estimator estimator, const unsigned *count,
                  size_t values, double *value)
{
    struct rechecked f;
    struct text text;
    struct error err;
    struct privacy_criterion *criterion;
    bool satisfied;

    rechecked_illness(&f);
    criterion = rechecked_l(&f, model, 2, l);
    criterion->c = c;
    criterion->estimator = estimator;
    text_init(&text);
    CU_ASSERT_EQUAL_FATAL(text_append_string(&text, RECHECKED_HEADER, &err),
                          OK);
    for (size_t i = 0; i < values; i++)
        for (unsigned j = 0; j < count[i]; j++)
            CU_ASSERT_EQUAL_FATAL(text_printf(&text, &err, "1,f,%zu\n", i), OK);
    CU_ASSERT_EQUAL_FATAL(rechecked_bytes(&f, text_bytes(&text)), OK);
    satisfied = f.result->satisfied;
    CU_ASSERT_EQUAL(satisfied, f.result->criterion[0].violating == 0);
    *value = f.result->criterion[0].value;
    text_clear(&text);
    rechecked_clear(&f);
    return satisfied;
}

#define COUNTS(...)                                                            \
    (const unsigned[]){__VA_ARGS__},                                           \
        sizeof((const unsigned[]){__VA_ARGS__}) / sizeof(unsigned)

static void distinct_l_is_rounded_up(void)
{
    enum privacy_model model = MODEL_DISTINCT_L_DIVERSITY;
    double value;

    CU_ASSERT_TRUE(holds(model, 2, 0, ESTIMATOR_SHANNON, COUNTS(5, 1), &value));
    CU_ASSERT_EQUAL(value, 2.0);
    CU_ASSERT_FALSE(
        holds(model, 2.5, 0, ESTIMATOR_SHANNON, COUNTS(5, 1), &value));
    CU_ASSERT_TRUE(
        holds(model, 2.5, 0, ESTIMATOR_SHANNON, COUNTS(5, 1, 1), &value));
}

static void equal_counts_are_on_the_border_of_entropy_l(void)
{
    enum privacy_model model = MODEL_ENTROPY_L_DIVERSITY;
    double value;

    CU_ASSERT_TRUE(holds(model, 2, 0, ESTIMATOR_SHANNON, COUNTS(1, 1), &value));
    CU_ASSERT(rechecked_near(value, 2.0));
    CU_ASSERT_TRUE(holds(model, 2, 0, ESTIMATOR_SHANNON, COUNTS(2, 2), &value));
    CU_ASSERT_TRUE(holds(model, 1, 0, ESTIMATOR_SHANNON, COUNTS(7), &value));
    CU_ASSERT_FALSE(
        holds(model, 2, 0, ESTIMATOR_SHANNON, COUNTS(3, 2), &value));
    /* 5 / (27 * 4)^(1/5) */
    CU_ASSERT(rechecked_near(value, 1.960131704207789));
}

/* 2, 1, 1 has exp(H) = 2.83 but only three values. */
static void entropy_l_needs_as_many_values(void)
{
    enum privacy_model model = MODEL_ENTROPY_L_DIVERSITY;
    double value;

    CU_ASSERT_TRUE(
        holds(model, 2.8, 0, ESTIMATOR_SHANNON, COUNTS(2, 1, 1), &value));
    CU_ASSERT_FALSE(
        holds(model, 2.9, 0, ESTIMATOR_SHANNON, COUNTS(2, 1, 1), &value));
    /* Grassberger's estimate of two single values is exp(2), see below. */
    CU_ASSERT_FALSE(
        holds(model, 2.1, 0, ESTIMATOR_GRASSBERGER, COUNTS(1, 1), &value));
}

/* G(2) - G(1) = 2, and G(3) = G(2): counts 1, 1 give exp(2); counts 2, 1 give
 * G(2) - (2 G(2) + G(1)) / 3 = 2/3. */
static void grassberger_of_small_counts(void)
{
    enum privacy_model model = MODEL_ENTROPY_L_DIVERSITY;
    double value;

    CU_ASSERT_TRUE(
        holds(model, 2, 0, ESTIMATOR_GRASSBERGER, COUNTS(1, 1), &value));
    CU_ASSERT(rechecked_near(value, 7.3890560989306502));
    CU_ASSERT_TRUE(
        holds(model, 1.9, 0, ESTIMATOR_GRASSBERGER, COUNTS(2, 1), &value));
    CU_ASSERT(rechecked_near(value, 1.9477340410546757));
    CU_ASSERT_FALSE(
        holds(model, 1.95, 0, ESTIMATOR_GRASSBERGER, COUNTS(2, 1), &value));
}

/* Counts 100, 100: G(200) - G(100) is the sum of 2 / (2i + 1), i = 50..99, by
 * the recurrence.  Counts 101 and 102 are beyond the exact table. */
static void grassberger_of_large_counts(void)
{
    enum privacy_model model = MODEL_ENTROPY_L_DIVERSITY;
    double value, sum = 0, more;

    for (int i = 50; i < 100; i++)
        sum += 2.0 / (2 * i + 1);
    CU_ASSERT_FALSE(
        holds(model, 2, 0, ESTIMATOR_GRASSBERGER, COUNTS(100, 100), &value));
    CU_ASSERT(fabs(value - exp(sum)) < 1e-9);

    /* G(101) = G(100), G(102) = G(100) + 2/101, G(203) = G(202). */
    more = sum + 2.0 / 201 -
           102.0 * (2.0 / 101) / 203; /* G(203) - (101 G(101) + ...) / 203 */
    CU_ASSERT_FALSE(
        holds(model, 2, 0, ESTIMATOR_GRASSBERGER, COUNTS(102, 101), &value));
    CU_ASSERT(fabs(value - exp(more)) < 1e-9);
}

static void recursive_is_strict(void)
{
    enum privacy_model model = MODEL_RECURSIVE_CL_DIVERSITY;
    double value;

    CU_ASSERT_FALSE(
        holds(model, 2, 1, ESTIMATOR_SHANNON, COUNTS(2, 1, 1), &value));
    CU_ASSERT_EQUAL(value, 1.0);
    CU_ASSERT_TRUE(
        holds(model, 2, 1.5, ESTIMATOR_SHANNON, COUNTS(1, 2, 1), &value));
    CU_ASSERT_TRUE(
        holds(model, 3, 2.5, ESTIMATOR_SHANNON, COUNTS(1, 1, 2), &value));
    CU_ASSERT_EQUAL(value, 2.0);
    CU_ASSERT_FALSE(
        holds(model, 4, 100, ESTIMATOR_SHANNON, COUNTS(2, 1, 1), &value));
    CU_ASSERT_TRUE(isnan(value));
    CU_ASSERT_TRUE(holds(model, 1, 1, ESTIMATOR_SHANNON, COUNTS(2, 1), &value));
    CU_ASSERT(rechecked_near(value, 2.0 / 3.0));
}

void suite_recheck_diversity(void)
{
    static const struct test tests[] = {
        {"the figures of one class are those of its counts",
         figures_of_one_class},
        {"the figures of a table are those of its worst class",
         figures_are_of_the_worst_class},
        {"several sensitive attributes are counted apart",
         sensitive_attributes_are_counted_apart},
        {"distinct l is rounded up", distinct_l_is_rounded_up},
        {"equal counts satisfy entropy l of their number",
         equal_counts_are_on_the_border_of_entropy_l},
        {"entropy l needs at least l values", entropy_l_needs_as_many_values},
        {"Grassberger's estimate of small counts is that of its recurrence",
         grassberger_of_small_counts},
        {"Grassberger's estimate of large counts is that of its recurrence",
         grassberger_of_large_counts},
        {"recursive (c,l) is strict", recursive_is_strict},
    };

    suite_add("recheck_diversity", tests, sizeof tests / sizeof tests[0]);
}
