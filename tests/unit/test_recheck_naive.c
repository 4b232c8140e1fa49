#include "anonymizer/recheck.h"

#include <math.h>

#include "common/random.h"
#include "common/text.h"
#include "tests/lib/fixture.h"
#include "tests/lib/rechecked.h"
#include "tests/lib/suite.h"

void suite_recheck_naive(void);

/* Against counting by hand, each row with each other. */

#define NAIVE_ROWS_MAX 40
#define NAIVE_COLUMNS 4 /* two quasi-identifiers, two sensitive ones */
#define NAIVE_VALUES 6

struct naive {
    unsigned cell[NAIVE_ROWS_MAX][NAIVE_COLUMNS]; /* 0: `*` in the first two */
    unsigned rows;
};

static void naive_fill(struct naive *table, struct random *random,
                       struct text *text)
{
    struct error err;
    unsigned values = 1 + (unsigned)random_below(random, NAIVE_VALUES);

    table->rows = 1 + (unsigned)random_below(random, NAIVE_ROWS_MAX);
    text_reset(text);
    CU_ASSERT_EQUAL_FATAL(text_append_string(text, "q,r,s,t\n", &err), OK);
    for (unsigned i = 0; i < table->rows; i++)
        for (unsigned j = 0; j < NAIVE_COLUMNS; j++) {
            unsigned value = (unsigned)random_below(
                random, j < 2 ? (values + 1) / 2 : values);

            table->cell[i][j] = value;
            CU_ASSERT_EQUAL_FATAL(
                j < 2 && value == 0
                    ? text_append_string(text, "*", &err)
                    : text_printf(text, &err, "value-%u", value),
                OK);
            CU_ASSERT_EQUAL_FATAL(
                text_append(text, j + 1 < NAIVE_COLUMNS ? "," : "\n", 1, &err),
                OK);
        }
}

static bool naive_same_class(const struct naive *table, unsigned a, unsigned b)
{
    return table->cell[a][0] == table->cell[b][0] &&
           table->cell[a][1] == table->cell[b][1];
}

static bool naive_is_suppressed(const struct naive *table, unsigned row)
{
    return table->cell[row][0] == 0 && table->cell[row][1] == 0;
}

/* The counts of column j in the class of a row, descending, 0s behind. */
static unsigned naive_counts(const struct naive *table, unsigned row,
                             unsigned column, unsigned count[NAIVE_VALUES])
{
    unsigned size = 0;

    memset(count, 0, NAIVE_VALUES * sizeof *count);
    for (unsigned i = 0; i < table->rows; i++)
        if (naive_same_class(table, row, i)) {
            count[table->cell[i][column]]++;
            size++;
        }
    for (unsigned i = 0; i < NAIVE_VALUES; i++)
        for (unsigned j = i + 1; j < NAIVE_VALUES; j++)
            if (count[j] > count[i]) {
                unsigned swap = count[i];

                count[i] = count[j];
                count[j] = swap;
            }
    return size;
}

/* Two to the entropy in bits: another way to the same number. */
static double naive_perplexity(const unsigned count[NAIVE_VALUES],
                               unsigned size)
{
    double bits = 0;

    for (unsigned i = 0; i < NAIVE_VALUES && count[i] > 0; i++) {
        double share = (double)count[i] / size;

        bits -= share * log2(share);
    }
    return exp2(bits);
}

/* r1 / (rl + ...), infinite with fewer than l values. */
static double naive_ratio(const unsigned count[NAIVE_VALUES], unsigned l)
{
    unsigned rest = 0;

    for (unsigned i = l - 1; i < NAIVE_VALUES; i++)
        rest += count[i];
    return rest == 0 ? INFINITY : (double)count[0] / rest;
}

struct naive_worst {
    unsigned distinct;
    double perplexity, share, ratio[NAIVE_VALUES + 1];
};

static struct naive_worst naive_diversity(const struct naive *table,
                                          unsigned column)
{
    struct naive_worst worst = {NAIVE_VALUES + 1, INFINITY, 0, {0}};

    for (unsigned row = 0; row < table->rows; row++) {
        unsigned count[NAIVE_VALUES], distinct = 0;
        unsigned size = naive_counts(table, row, column, count);

        if (naive_is_suppressed(table, row))
            continue;
        while (distinct < NAIVE_VALUES && count[distinct] > 0)
            distinct++;
        if (distinct < worst.distinct)
            worst.distinct = distinct;
        worst.perplexity =
            fmin(worst.perplexity, naive_perplexity(count, size));
        worst.share = fmax(worst.share, (double)count[0] / size);
        for (unsigned l = 2; l <= NAIVE_VALUES; l++)
            worst.ratio[l] = fmax(worst.ratio[l], naive_ratio(count, l));
    }
    return worst;
}

static void naive_compare_classes(const struct naive *table,
                                  const struct class_figures *classes)
{
    unsigned min = UINT32_MAX, max = 0, count = 0, suppressed = 0, uniques = 0;

    for (unsigned row = 0; row < table->rows; row++) {
        unsigned first = row, size = 0;

        if (naive_is_suppressed(table, row)) {
            suppressed++;
            continue;
        }
        for (unsigned i = 0; i < table->rows; i++)
            if (naive_same_class(table, row, i)) {
                size++;
                if (i < first)
                    first = i;
            }
        count += first == row;
        uniques += size == 1;
        min = size < min ? size : min;
        max = size > max ? size : max;
    }
    CU_ASSERT_EQUAL(classes->rows, table->rows);
    CU_ASSERT_EQUAL(classes->suppressed, suppressed);
    CU_ASSERT_EQUAL(classes->count, count);
    CU_ASSERT_EQUAL(classes->min, count > 0 ? min : 0);
    CU_ASSERT_EQUAL(classes->max, max);
    CU_ASSERT_EQUAL(classes->uniques, uniques);
}

static void naive_compare_diversity(const struct naive_worst *worst,
                                    const struct diversity_figures *figures)
{
    CU_ASSERT_EQUAL(figures->distinct_l, worst->distinct);
    CU_ASSERT(rechecked_near(figures->entropy_l, worst->perplexity));
    CU_ASSERT(rechecked_near(figures->alpha, worst->share));
    for (unsigned l = 2; l <= figures->distinct_l; l++)
        CU_ASSERT_EQUAL(figures->recursive_c[l], worst->ratio[l]);
}

/* The criteria are those of naive_policy.  Its l = 1.7 is no power of a ratio
 * of small counts, and c = 2.25 no quotient of them: nothing is on a border. */
static void naive_compare_criteria(const struct naive_worst *worst,
                                   const struct recheck_result *result)
{
    const struct criterion_figures *criterion = result->criterion;
    bool any = result->classes.count > 0;

    CU_ASSERT_EQUAL(criterion[0].satisfied, !any || result->classes.min >= 3);
    CU_ASSERT_EQUAL(criterion[1].satisfied, !any || worst[0].distinct >= 2);
    CU_ASSERT_EQUAL(criterion[2].satisfied, !any || worst[1].perplexity >= 1.7);
    CU_ASSERT_EQUAL(criterion[3].satisfied, !any || worst[1].ratio[3] < 2.25);
    CU_ASSERT_EQUAL(result->satisfied,
                    criterion[0].satisfied && criterion[1].satisfied &&
                        criterion[2].satisfied && criterion[3].satisfied);
    if (!any)
        return;
    CU_ASSERT_EQUAL(criterion[0].value, (double)result->classes.min);
    CU_ASSERT_EQUAL(criterion[1].value, (double)worst[0].distinct);
    CU_ASSERT(rechecked_near(criterion[2].value, worst[1].perplexity));
    CU_ASSERT(isinf(worst[1].ratio[3])
                  ? isnan(criterion[3].value)
                  : criterion[3].value == worst[1].ratio[3]);
}

static void naive_policy(struct rechecked *f)
{
    rechecked_init(f);
    rechecked_attribute(f, "s", ROLE_SENSITIVE);
    rechecked_attribute(f, "q", ROLE_QUASI_IDENTIFYING);
    rechecked_attribute(f, "t", ROLE_SENSITIVE);
    rechecked_attribute(f, "r", ROLE_QUASI_IDENTIFYING);
    rechecked_k(f, 3);
    rechecked_l(f, MODEL_DISTINCT_L_DIVERSITY, 0, 2);
    rechecked_l(f, MODEL_ENTROPY_L_DIVERSITY, 2, 1.7);
    rechecked_l(f, MODEL_RECURSIVE_CL_DIVERSITY, 2, 3)->c = 2.25;
}

static void random_tables_agree_with_naive_counting(void)
{
    struct rechecked f;
    struct text text;
    struct random random;

    random_init(&random, fixture_seed("recheck"));
    naive_policy(&f);
    text_init(&text);
    for (int round = 0; round < 2000; round++) {
        struct naive table;
        struct naive_worst worst[2];

        naive_fill(&table, &random, &text);
        CU_ASSERT_EQUAL_FATAL(rechecked_bytes(&f, text_bytes(&text)), OK);
        worst[0] = naive_diversity(&table, 2);
        worst[1] = naive_diversity(&table, 3);
        naive_compare_classes(&table, &f.result->classes);
        for (size_t i = 0; f.result->classes.count > 0 && i < 2; i++)
            naive_compare_diversity(&worst[i], &f.result->diversity[i]);
        naive_compare_criteria(worst, f.result);
        recheck_destroy(&f.result);
    }
    text_clear(&text);
    rechecked_clear(&f);
}

void suite_recheck_naive(void)
{
    static const struct test tests[] = {
        {"random tables agree with naive counting",
         random_tables_agree_with_naive_counting},
    };

    suite_add("recheck_naive", tests, sizeof tests / sizeof tests[0]);
}
