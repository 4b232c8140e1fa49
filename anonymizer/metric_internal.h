/*
 * anonymizer/metric_internal.h - what a family of metrics must be able to do.
 */
#ifndef ANONYMIZER_METRIC_INTERNAL_H
#define ANONYMIZER_METRIC_INTERNAL_H

#include <math.h>

#include "anonymizer/metric.h"

struct metric_family {
    bool needs_first; /* metric_dimension.first */

    /* Fill what the family needs of dimension d, whose arrays are there, all
     * 0.  rows[leaf]: how many rows of the table have that value; room: as
     * many numbers. */
    void (*prepare)(struct metric *metric, size_t d, const uint64_t *rows,
                    uint64_t *room);

    /* x[0 .. m - 1], or without attributes x[0]; likewise the surcharge, if
     * not NULL. */
    void (*cost)(const struct metric *metric, const struct metric_node *node,
                 double *x, double *surcharge);

    /* NULL if there is no surcharge: the least x with it. */
    void (*below)(const struct metric *metric, const uint8_t *level,
                  const double *surcharge, double *x);

    /* Without attributes: B, of the dimensions' base; and F. */
    double (*bound)(const struct metric *metric, const uint8_t *level);
    double (*floor)(const struct metric *metric,
                    const struct metric_node *node);
};

/* Relative, for the rounding of a surcharge: some sums and products. */
#define METRIC_SURCHARGE_SLACK 1e-12

extern const struct metric_family metric_loss;
extern const struct metric_family metric_precision;
extern const struct metric_family metric_precision_monotonic;
extern const struct metric_family metric_height;
extern const struct metric_family metric_entropy;
extern const struct metric_family metric_entropy_monotonic;
extern const struct metric_family metric_entropy_normalized;
extern const struct metric_family metric_discernibility;
extern const struct metric_family metric_discernibility_monotonic;
extern const struct metric_family metric_aecs;
extern const struct metric_family metric_ambiguity;

/* Cut off after ten digits.  Monotone: multiplication, floor and division
 * are. */
static inline double metric_floor10(double x)
{
    return x <= 0 ? 0 : floor(x * 1e10) / 1e10;
}

/* Rows of the hierarchy below the ancestor of a leaf at a level. */
static inline uint32_t metric_domain(const struct metric *metric, size_t d,
                                     uint32_t level, uint32_t leaf)
{
    const struct dimension *dimension = &metric->lattice->dimension[d];

    return dimension->domain[(size_t)level * dimension->leaf_count + leaf];
}

/* One past the last leaf below the node that stands over leaf `from`: they are
 * side by side. */
static inline uint32_t metric_node_end(const struct dimension *dimension,
                                       uint32_t level, uint32_t from)
{
    unsigned dropped = dimension->dropped[level];
    uint32_t to = from + 1;

    while (to < dimension->leaf_count &&
           (dropped == 64 ||
            dimension->code[to] >> dropped == dimension->code[from] >> dropped))
        to++;
    return to;
}

/* Of one class. */
static inline const uint64_t *metric_key(const struct metric_node *node,
                                         uint32_t class)
{
    return node->classes->key + (size_t) class * node->classes->words;
}

#endif
