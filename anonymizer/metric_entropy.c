/*
 * Non-uniform entropy: the bits that are missing to tell a cell's value from
 * its generalization.
 *
 * a_v is how many rows have the value v, b_v how many have its generalization
 * at level l_d, n_x how many suppressed rows have the generalized value x:
 *
 *     E_d  = w sum_v a_v log2(a_v / b_v)
 *     E'_d = s sum_x n_x log2(n_x / S)             0 if S = 0
 *
 *     non-uniform-entropy             x_d = floor10(-(E_d + E'_d))
 *     non-uniform-entropy-monotonic   x_d = floor10(-E_d)
 *     normalized-non-uniform-entropy  w = s = 1, and the first divided by
 *                                     floor10(-sum_v a_v log2(a_v / all rows of
 *                                     the file, those outside a subset, too)),
 *                                     which without a subset is what one label
 *                                     for all would cost; 0 if that is 0
 *
 * [Gionis and Tassa, k-Anonymization with Minimal Loss of Information, 2009.]
 * E_d is over all rows, suppressed ones included; E'_d is ARX's addition: what
 * it costs to turn the suppressed rows' labels into one.  So the whole is not
 * monotone: fewer suppressed rows, or some that are more alike, cost less.
 *
 * Bound: floor10(-E_d), which is the monotonic score.  No term of E'_d is above
 * 0, in floating point either (n_x / S <= 1), so adding it never lowers the
 * cost.  b_v grows upwards, so each term of E_d falls or stays; computed ones,
 * too: quotients of two whole numbers below 2^32 by one and the same a_v differ
 * by 2^-32 relative or not at all, far more than a logarithm is off.
 *
 * Surcharge: E'_d of the lost rows X, with their labels there.  S times the
 * entropy of the labels of S rows is superadditive (entropy is concave), so
 * more lost rows make it no smaller; finer labels do not, either.
 *
 * Both are summed over values in order of first appearance in the table: E_d as
 * ARX does, E'_d by the labels of those.  The order of classes has no part in
 * it.
 */
#include "anonymizer/metric_internal.h"

/* Relative: a sum of up to 2^24 terms (HIERARCHY_ROWS_MAX), twice. */
#define ENTROPY_SLACK 1e-8

#define LN_2 0.69314718055994530942

static double log_2(double x)
{
    return log(x) / LN_2;
}

/* floor10(-entropy), or its share of the divisor. */
static double entropy_x(const struct metric_dimension *dimension,
                        bool normalized, double entropy)
{
    double x = metric_floor10(-entropy);

    if (!normalized)
        return x;
    return dimension->divisor > 0 ? x / dimension->divisor : 0;
}

/* b[leaf] := rows whose value lies below the same node; first[leaf] := the leaf
 * that stands for that (lattice.h). */
static void fill_level(const struct dimension *dimension, uint32_t level,
                       const uint64_t *rows, uint64_t *b, uint32_t *first)
{
    uint32_t to;

    for (uint32_t from = 0; from < dimension->leaf_count; from = to) {
        uint64_t all = 0;

        to = metric_node_end(dimension, level, from);
        for (uint32_t i = from; i < to; i++)
            all += rows[i];
        for (uint32_t i = from; i < to; i++) {
            b[i] = all;
            first[i] = from;
        }
    }
}

/* sum_v a_v log2(a_v / b_v) */
static double entropy_of_values(const struct dimension *dimension,
                                const uint64_t *a, const uint64_t *b)
{
    double sum = 0;

    for (uint32_t value = 0; value < dimension->leaf_count; value++) {
        uint32_t i = dimension->leaf[value];

        if (a[i] > 0)
            sum += (double)a[i] * log_2((double)a[i] / (double)b[i]);
    }
    return sum;
}

/* sum_x n_x log2(n_x / S); the counts are zeroes again afterwards. */
static double entropy_of_suppressed(const struct metric *metric, size_t d,
                                    const struct metric_node *node)
{
    const struct dimension *dimension = &metric->lattice->dimension[d];
    const struct metric_dimension *own = &metric->dimension[d];
    const uint32_t *first =
        own->first + (size_t)node->level[d] * dimension->leaf_count;
    uint64_t *count = node->scratch + own->scratch;
    double sum = 0;

    for (uint32_t value = 0; value < dimension->leaf_count; value++) {
        uint64_t *n = &count[first[dimension->leaf[value]]];

        if (*n == 0)
            continue;
        sum += (double)*n * log_2((double)*n / (double)node->suppressed);
        *n = 0;
    }
    return sum;
}

static void count_suppressed(const struct metric *metric,
                             const struct metric_node *node)
{
    const struct lattice *lattice = metric->lattice;

    for (uint32_t c = 0; c < node->classes->count; c++)
        for (size_t d = 0; node->lost[c] && d < lattice->dimension_count; d++)
            node->scratch[metric->dimension[d].scratch +
                          dimension_leaf(&lattice->dimension[d],
                                         metric_key(node, c))] +=
                node->classes->size[c];
}

static bool is_normalized(const struct metric *metric)
{
    return metric->kind == METRIC_NORMALIZED_NON_UNIFORM_ENTROPY;
}

static void entropy_prepare(struct metric *metric, size_t d,
                            const uint64_t *rows, uint64_t *room)
{
    const struct dimension *dimension = &metric->lattice->dimension[d];
    struct metric_dimension *out = &metric->dimension[d];

    for (uint32_t i = 0; i < dimension->leaf_count; i++)
        room[i] = metric->population_rows;
    out->divisor = metric_floor10(-entropy_of_values(dimension, rows, room));
    for (uint32_t level = 0; level < dimension->levels; level++) {
        fill_level(dimension, level, rows, room,
                   out->first + (size_t)level * dimension->leaf_count);
        out->base[level] =
            metric->generalization * entropy_of_values(dimension, rows, room);
        out->bound[level] =
            entropy_x(out, is_normalized(metric), out->base[level]);
    }
    if (metric->kind == METRIC_NON_UNIFORM_ENTROPY_MONOTONIC)
        return;
    out->scratch = metric->scratch_size;
    metric->scratch_size += dimension->leaf_count;
}

static void entropy_monotonic_cost(const struct metric *metric,
                                   const struct metric_node *node, double *x,
                                   double *surcharge)
{
    (void)surcharge;
    for (size_t d = 0; d < metric->lattice->dimension_count; d++)
        x[d] = metric->dimension[d].bound[node->level[d]];
}

static void entropy_cost(const struct metric *metric,
                         const struct metric_node *node, double *x,
                         double *surcharge)
{
    if (node->suppressed > 0)
        count_suppressed(metric, node);
    for (size_t d = 0; d < metric->lattice->dimension_count; d++) {
        const struct metric_dimension *dimension = &metric->dimension[d];
        double more = 0;

        if (node->suppressed > 0)
            more = metric->suppression * entropy_of_suppressed(metric, d, node);
        x[d] = entropy_x(dimension, is_normalized(metric),
                         dimension->base[node->level[d]] + more);
        if (surcharge != NULL)
            surcharge[d] = more * (1 - ENTROPY_SLACK);
    }
}

static void entropy_below(const struct metric *metric, const uint8_t *level,
                          const double *surcharge, double *x)
{
    for (size_t d = 0; d < metric->lattice->dimension_count; d++) {
        const struct metric_dimension *dimension = &metric->dimension[d];

        x[d] = entropy_x(dimension, is_normalized(metric),
                         dimension->base[level[d]] + surcharge[d]);
    }
}

const struct metric_family metric_entropy = {.needs_first = true,
                                             .prepare = entropy_prepare,
                                             .cost = entropy_cost,
                                             .below = entropy_below};
const struct metric_family metric_entropy_monotonic = {
    .needs_first = true,
    .prepare = entropy_prepare,
    .cost = entropy_monotonic_cost};
const struct metric_family metric_entropy_normalized = {.needs_first = true,
                                                        .prepare =
                                                            entropy_prepare,
                                                        .cost = entropy_cost,
                                                        .below = entropy_below};
