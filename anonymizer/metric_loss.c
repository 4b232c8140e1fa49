/*
 * Loss: the share of its domain that a cell covers.
 *
 * A cell at a node of the hierarchy with r of the R_d rows of the domain below
 * it covers the share r / R_d.  Over all rows:
 *
 *     raw_d = sum over released rows of w share
 *           + sum over suppressed rows of share + s (1 - share)
 *     x_d   = floor10( max(0, (raw_d - w N / R_d) / (N - w N / R_d)) )
 *
 * [Iyengar, Transforming Data to Satisfy Privacy Constraints, KDD 2002.]  All
 * is computed times R_d: for w = s = 1 these are whole numbers, and nothing but
 * the quotient is rounded.
 *
 * Bound: x_d if no row were suppressed.  A suppressed row costs share +
 * s (1 - share) >= share >= w share, so suppression never makes it cheaper; a
 * share never shrinks upwards.  In floating point: kept and lost rows enter as
 * whole numbers, w is 1 or s is 1, and products and sums of numbers that are
 * not negative are monotone.
 *
 * Surcharge, in units of 1 / R_d:
 *
 *     sum over X of r + s (R_d - r) - w r
 *
 * Below, r is smaller and the sum larger: its slope is 1 - s - w, at most 0,
 * since w or s is 1.
 */
#include <assert.h>

#include "anonymizer/metric_internal.h"

static double share_x(const struct metric_dimension *dimension, double cost)
{
    if (dimension->cost_max <= dimension->cost_min)
        return 0; /* a domain of one value: nothing to lose */
    return metric_floor10((cost - dimension->cost_min) /
                          (dimension->cost_max - dimension->cost_min));
}

static double loss_x(const struct metric *metric, size_t d, uint64_t kept,
                     uint64_t lost, uint64_t suppressed)
{
    const struct metric_dimension *dimension = &metric->dimension[d];
    double whole = (double)suppressed * dimension->domain_size;
    double cost = metric->generalization * (double)kept;

    if (metric->suppression == 1)
        cost += whole;
    else
        cost += (double)lost + metric->suppression * (whole - (double)lost);
    return share_x(dimension, cost);
}

static void loss_prepare(struct metric *metric, size_t d, const uint64_t *rows,
                         uint64_t *room)
{
    const struct dimension *dimension = &metric->lattice->dimension[d];
    struct metric_dimension *out = &metric->dimension[d];
    double all = (double)metric->rows;

    (void)room;
    out->cost_min = metric->generalization * all;
    out->cost_max = all * out->domain_size;
    for (uint32_t level = 0; level < dimension->levels; level++) {
        for (uint32_t i = 0; i < dimension->leaf_count; i++)
            out->total[level] += rows[i] * metric_domain(metric, d, level, i);
        out->bound[level] = loss_x(metric, d, out->total[level], 0, 0);
    }
}

/* Domain rows of the suppressed rows. */
static uint64_t sum_lost(const struct metric *metric,
                         const struct metric_node *node, size_t d)
{
    const struct dimension *dimension = &metric->lattice->dimension[d];
    const struct classes *classes = node->classes;
    uint64_t sum = 0;

    for (uint32_t c = 0; c < classes->count; c++)
        if (node->lost[c])
            sum +=
                (uint64_t)classes->size[c] *
                metric_domain(metric, d, node->level[d],
                              dimension_leaf(dimension, metric_key(node, c)));
    return sum;
}

static double surcharge_of(const struct metric *metric, size_t d, uint64_t lost,
                           uint64_t suppressed)
{
    double whole = (double)suppressed * metric->dimension[d].domain_size;
    double rest = (double)lost;
    double more = rest + metric->suppression * (whole - rest) -
                  metric->generalization * rest;

    return more > 0 ? more * (1 - METRIC_SURCHARGE_SLACK) : 0;
}

static void loss_cost(const struct metric *metric,
                      const struct metric_node *node, double *x,
                      double *surcharge)
{
    for (size_t d = 0; d < metric->lattice->dimension_count; d++) {
        uint64_t total = metric->dimension[d].total[node->level[d]];
        uint64_t lost = node->suppressed > 0 ? sum_lost(metric, node, d) : 0;

        assert(lost <= total);
        x[d] = loss_x(metric, d, total - lost, lost, node->suppressed);
        if (surcharge != NULL)
            surcharge[d] = surcharge_of(metric, d, lost, node->suppressed);
    }
}

static void loss_below(const struct metric *metric, const uint8_t *level,
                       const double *surcharge, double *x)
{
    for (size_t d = 0; d < metric->lattice->dimension_count; d++) {
        const struct metric_dimension *dimension = &metric->dimension[d];
        double kept = (double)dimension->total[level[d]];

        x[d] = share_x(dimension, metric->generalization * kept + surcharge[d]);
    }
}

const struct metric_family metric_loss = {
    .prepare = loss_prepare, .cost = loss_cost, .below = loss_below};
