/*
 * Discernibility and average class size: how large classes are.
 *
 * Over the classes of a node with c rows each, kept ones and lost ones:
 *
 *     discernibility            sum kept c^2 + sum lost N c
 *     discernibility-monotonic  sum c^2, lost or not
 *     aecs                      N / (s kept + w)      w only if any is lost
 *
 * [Bayardo and Agrawal, Data Privacy through Optimal k-Anonymization, 2005; the
 * average equivalence class size of LeFevre et al., Mondrian, 2006, is N /
 * (kept k): aecs is ARX's form.]  Classes of no rows, which there are with a
 * subset, do not count.
 *
 * A kept class has at least K = class_size_min rows (criterion.h), unless it is
 * not counted at all.
 *
 * Bounds of what is above a node with classes c_1, c_2, ...  Up there, classes
 * are unions of these.
 *
 *  - A row in a class of c rows costs c, or if the class is lost N >= c, or for
 *    the monotonic form c again.  So sum c^2 never falls upwards and is the
 *    bound of both.  A kept class has K rows at least, and a lost row costs N:
 *    without the monotonic form F = sum c max(c, min(K, N)).
 *  - A kept class up there either contains one that has K rows here, or is made
 *    of smaller ones, K rows of them at the least: kept <= kept_max = classes
 *    of K rows or more + floor(rows in smaller ones / K).  F = N / (s kept_max
 *    + w), w only if any row may be lost.
 *
 * Bounds without counting.
 *
 *  - By the concavity of the logarithm, mean of ln c_i over rows i <= ln of the
 *    mean of c_i.  With p_i = c_i / N the mean of -ln p_i is the entropy H of
 *    the classes, so sum c^2 = sum over rows c_i >= N exp(ln N - H).  H is at
 *    most the sum of the attributes' entropies H_d [Shannon 1948]:
 *
 *        B = N^2 exp(-sum_d H_d(l_d))
 *
 *    and merging values never raises an H_d.  Rounding: an H_d is a sum of up
 *    to 2^24 terms (HIERARCHY_ROWS_MAX) and at most 17 (ln 2^24), so it is off
 *    by 17 * 2^24 * 2^-53 at the worst, and 64 of them by 2.1e-6: allowed for.
 *  - There are no more classes than combinations of values, nor kept ones than
 *    floor(N / K): B = N / (s min(these) + w).  Neither grows upwards.
 *
 * Surcharge of discernibility: sum lost c (N - c), which classes below, smaller
 * ones, can only make larger; added to B, which has c for these rows.
 *
 * The form of aecs is monotone in floating point, step by step.  Whole numbers
 * are summed as such: N < 2^32, so squares fit into 64 bits.
 */
#include "anonymizer/metric_internal.h"

/* Relative. */
#define ENTROPY_SLACK 1e-5

/* ---- discernibility ---- */

/* base := entropy of the values at each level, in nats. */
static void discernibility_prepare(struct metric *metric, size_t d,
                                   const uint64_t *rows, uint64_t *room)
{
    const struct dimension *dimension = &metric->lattice->dimension[d];
    double all = (double)metric->rows;

    (void)room;
    for (uint32_t level = dimension->levels; level-- > 0;) {
        double sum = 0;
        uint32_t to;

        for (uint32_t from = 0; from < dimension->leaf_count; from = to) {
            double share = 0;

            to = metric_node_end(dimension, level, from);
            for (uint32_t i = from; i < to; i++)
                share += (double)rows[i];
            share /= all;
            sum -= share > 0 ? share * log(share) : 0;
        }
        /* Rounding must not make it grow upwards. */
        if (level + 1 < dimension->levels)
            sum = fmax(sum, metric->dimension[d].base[level + 1]);
        metric->dimension[d].base[level] = sum;
    }
}

static double discernibility_bound(const struct metric *metric,
                                   const uint8_t *level)
{
    double rows = (double)metric->rows, entropy = 0;

    for (size_t d = 0; d < metric->lattice->dimension_count; d++)
        entropy += metric->dimension[d].base[level[d]];
    return rows * rows * exp(-entropy) * (1 - ENTROPY_SLACK);
}

static void discernibility_cost(const struct metric *metric,
                                const struct metric_node *node, double *x,
                                double *surcharge)
{
    uint64_t sum = 0, more = 0;

    for (uint32_t c = 0; c < node->classes->count; c++) {
        uint64_t size = node->classes->size[c];

        sum += size * size;
        more += node->lost[c] ? size * (metric->rows - size) : 0;
    }
    x[0] = (double)(sum + more);
    if (surcharge != NULL)
        surcharge[0] = (double)more * (1 - METRIC_SURCHARGE_SLACK);
}

static void discernibility_below(const struct metric *metric,
                                 const uint8_t *level, const double *surcharge,
                                 double *x)
{
    x[0] = discernibility_bound(metric, level) + surcharge[0];
}

static double discernibility_floor(const struct metric *metric,
                                   const struct metric_node *node)
{
    uint64_t least = metric->class_size_min, sum = 0;

    if (least > metric->rows)
        least = metric->rows;
    for (uint32_t c = 0; c < node->classes->count; c++) {
        uint64_t size = node->classes->size[c];

        sum += size * (size < least ? least : size);
    }
    return (double)sum;
}

static double squares(const struct metric *metric,
                      const struct metric_node *node)
{
    uint64_t sum = 0;

    (void)metric;
    for (uint32_t c = 0; c < node->classes->count; c++)
        sum += (uint64_t)node->classes->size[c] * node->classes->size[c];
    return (double)sum;
}

static void squares_cost(const struct metric *metric,
                         const struct metric_node *node, double *x,
                         double *surcharge)
{
    (void)surcharge;
    x[0] = squares(metric, node);
}

const struct metric_family metric_discernibility = {
    .prepare = discernibility_prepare,
    .cost = discernibility_cost,
    .below = discernibility_below,
    .bound = discernibility_bound,
    .floor = discernibility_floor};
const struct metric_family metric_discernibility_monotonic = {
    .prepare = discernibility_prepare,
    .cost = squares_cost,
    .bound = discernibility_bound,
    .floor = squares};

/* ---- average class size ---- */

/* base := how many values there are at each level. */
static void aecs_prepare(struct metric *metric, size_t d, const uint64_t *rows,
                         uint64_t *room)
{
    const struct dimension *dimension = &metric->lattice->dimension[d];

    (void)rows, (void)room;
    for (uint32_t level = 0; level < dimension->levels; level++)
        for (uint32_t from = 0; from < dimension->leaf_count;
             from = metric_node_end(dimension, level, from))
            metric->dimension[d].base[level]++;
}

static double aecs(const struct metric *metric, double kept, bool any_lost)
{
    return (double)metric->rows / (metric->suppression * kept +
                                   (any_lost ? metric->generalization : 0));
}

static double aecs_bound(const struct metric *metric, const uint8_t *level)
{
    uint64_t classes = metric->rows / metric->class_size_min;
    double combinations = 1;

    for (size_t d = 0; d < metric->lattice->dimension_count; d++)
        combinations *= metric->dimension[d].base[level[d]];
    return aecs(metric, fmin(combinations, (double)classes),
                metric->suppressed_max > 0);
}

static void aecs_cost(const struct metric *metric,
                      const struct metric_node *node, double *x,
                      double *surcharge)
{
    uint32_t kept = 0;

    (void)surcharge;
    for (uint32_t c = 0; c < node->classes->count; c++)
        kept += node->classes->size[c] > 0 && !node->lost[c];
    x[0] = aecs(metric, (double)kept, node->suppressed > 0);
}

static double aecs_floor(const struct metric *metric,
                         const struct metric_node *node)
{
    uint32_t least = metric->class_size_min;
    uint64_t large = 0, rest = 0;

    for (uint32_t c = 0; c < node->classes->count; c++)
        if (node->classes->size[c] >= least)
            large++;
        else
            rest += node->classes->size[c];
    large += rest / least;
    return aecs(metric, (double)large, metric->suppressed_max > 0);
}

const struct metric_family metric_aecs = {.prepare = aecs_prepare,
                                          .cost = aecs_cost,
                                          .bound = aecs_bound,
                                          .floor = aecs_floor};
