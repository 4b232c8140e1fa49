/*
 * Precision and height: how high the levels are, whatever the data.
 *
 *     precision            x_d = ((N - S) l_d / (H_d - 1) w + S s) / N
 *     precision-monotonic  x_d = w l_d / (H_d - 1)
 *     height               x_d = l_d
 *
 * l_d is the level, H_d the number of levels of the hierarchy, whatever part of
 * them the policy allows; l_d / (H_d - 1) is 0 where there is only one.
 * [Sweeney, Achieving k-Anonymity Privacy Protection Using Generalization and
 * Suppression, 2002: her Prec is 1 minus the mean of the monotonic form.]
 *
 * Bound.  The last two are known without counting: the bound is the score.
 * Precision is linear in S, so it is nowhere below the smaller of its values
 * for S = 0 and for the most rows that may be suppressed; with s < l_d / (H_d -
 * 1) w the second one is the smaller: suppressing a row is then cheaper than to
 * release it.  Each of both grows with l_d, so their minimum does.  In floating
 * point the value for another S may come out lower by the rounding of five
 * operations on each side, 10 * 2^-53 relative: that is allowed for, unless
 * nothing may be suppressed.
 *
 * Surcharge: the number of lost rows.  Below, S is that at the least, so the
 * same minimum is taken from there on.
 */
#include "anonymizer/metric_internal.h"

#define PRECISION_SLACK 0x1p-48

static double share_of_height(const struct metric *metric, size_t d,
                              uint32_t level)
{
    uint32_t top = metric->lattice->dimension[d].levels - 1;

    return top == 0 ? 0 : (double)level / (double)top;
}

/* ---- precision ---- */

static double precision_x(const struct metric *metric, double height,
                          uint64_t suppressed)
{
    double kept = (double)(metric->rows - suppressed);

    return (kept * height * metric->generalization +
            (double)suppressed * metric->suppression) /
           (double)metric->rows;
}

/* With at least so many rows suppressed. */
static double least_x(const struct metric *metric, double height,
                      uint64_t suppressed)
{
    double least = precision_x(metric, height, suppressed);

    if (suppressed == metric->suppressed_max)
        return least;
    return fmin(least, precision_x(metric, height, metric->suppressed_max)) *
           (1 - PRECISION_SLACK);
}

static void precision_prepare(struct metric *metric, size_t d,
                              const uint64_t *rows, uint64_t *room)
{
    struct metric_dimension *out = &metric->dimension[d];

    (void)rows, (void)room;
    for (uint32_t level = 0; level < metric->lattice->dimension[d].levels;
         level++) {
        out->base[level] = share_of_height(metric, d, level);
        out->bound[level] = least_x(metric, out->base[level], 0);
    }
}

static void precision_cost(const struct metric *metric,
                           const struct metric_node *node, double *x,
                           double *surcharge)
{
    for (size_t d = 0; d < metric->lattice->dimension_count; d++) {
        x[d] = precision_x(metric, metric->dimension[d].base[node->level[d]],
                           node->suppressed);
        if (surcharge != NULL)
            surcharge[d] = (double)node->suppressed;
    }
}

static void precision_below(const struct metric *metric, const uint8_t *level,
                            const double *surcharge, double *x)
{
    for (size_t d = 0; d < metric->lattice->dimension_count; d++)
        x[d] = least_x(metric, metric->dimension[d].base[level[d]],
                       (uint64_t)surcharge[d]);
}

const struct metric_family metric_precision = {.prepare = precision_prepare,
                                               .cost = precision_cost,
                                               .below = precision_below};

/* ---- what the levels alone say ---- */

static void precision_monotonic_prepare(struct metric *metric, size_t d,
                                        const uint64_t *rows, uint64_t *room)
{
    (void)rows, (void)room;
    for (uint32_t level = 0; level < metric->lattice->dimension[d].levels;
         level++)
        metric->dimension[d].bound[level] =
            share_of_height(metric, d, level) * metric->generalization;
}

static void height_prepare(struct metric *metric, size_t d,
                           const uint64_t *rows, uint64_t *room)
{
    (void)rows, (void)room;
    for (uint32_t level = 0; level < metric->lattice->dimension[d].levels;
         level++)
        metric->dimension[d].bound[level] = (double)level;
}

static void level_cost(const struct metric *metric,
                       const struct metric_node *node, double *x,
                       double *surcharge)
{
    (void)surcharge;
    for (size_t d = 0; d < metric->lattice->dimension_count; d++)
        x[d] = metric->dimension[d].bound[node->level[d]];
}

const struct metric_family metric_precision_monotonic = {
    .prepare = precision_monotonic_prepare, .cost = level_cost};
const struct metric_family metric_height = {.prepare = height_prepare,
                                            .cost = level_cost};
