/*
 * anonymizer/metric.h - what a transformation costs: Loss.
 *
 * For each quasi-identifier d with R_d rows in its hierarchy, a cell at a node
 * of the hierarchy with r rows below it covers the share r / R_d of the
 * domain.  Over all N rows, with generalization factor w and suppression
 * factor s (from gs_factor g: w = min(1, 2 - 2g), s = min(1, 2g)):
 *
 *     raw_d = sum over released rows of w share
 *           + sum over suppressed rows of share + s (1 - share)
 *     x_d   = floor10( max(0, (raw_d - w N / R_d) / (N - w N / R_d)) )
 *
 * where floor10 cuts off after ten digits (which makes ties).  The score is
 * the aggregate of the x_d, times the attributes' weights divided by the
 * largest, over the m attributes in column order:
 *
 *     sum              sum a_d x_d
 *     maximum          max a_d x_d
 *     arithmetic mean  sum (x_d / m) a_d
 *     geometric mean   prod (a_d x_d + 1)^(1/m) - 1
 *     rank             all a_d x_d, descending, compared in this order
 *
 * Lower is better.  [Iyengar 2002; the exact form, its truncation and order of
 * summation are those of ARX, so that optima agree to the last digit.]
 *
 * Sums of rows times domain sizes are whole numbers, so a score does not
 * depend on the order in which classes are visited.
 *
 * The bound of a node is its score if no row were suppressed.  A suppressed
 * row never costs less than a released one and a share never shrinks upwards,
 * so no node costs less than its bound, and no node has a lower bound than one
 * below it; both hold for the rounded numbers too, since every step is
 * monotone (the power function with a hair's breadth of allowance).
 *
 * A set X of rows that is lost in all nodes below one costs more there than if
 * it were kept, for attribute d and in units of 1 / R_d by
 *
 *     sum over X of r + s (R_d - r) - w r
 *
 * with r at that node's level: the surcharge.  Below, r is smaller and the sum
 * larger (its slope is 1 - s - w, at most 0, since w or s is 1).
 */
#ifndef ANONYMIZER_METRIC_H
#define ANONYMIZER_METRIC_H

#include <stdbool.h>
#include <stdint.h>

#include "anonymizer/lattice.h"
#include "anonymizer/policy.h"
#include "common/error.h"

struct metric_dimension {
    double weight;      /* a_d */
    double domain_size; /* R_d */
    double cost_min;    /* w N: R_d times the least raw_d there can be */
    double cost_max;    /* N R_d: R_d times the largest */
    uint64_t *total;    /* [level]: sum over all rows of r */
    double *bound;      /* [level]: x_d without suppression */
};

struct metric {
    const struct lattice *lattice;
    enum aggregate aggregate;
    double generalization; /* w */
    double suppression;    /* s */
    double rows;           /* N */
    size_t score_count;    /* numbers of a score: 1, or m for rank */
    struct metric_dimension dimension[QUASI_IDENTIFIERS_MAX];
};

MUST_USE enum status metric_create(struct metric **metric,
                                   const struct policy *policy,
                                   const struct table *table,
                                   const struct lattice *lattice,
                                   struct error *err);
void metric_destroy(struct metric **metric);

/* score[0 .. score_count - 1] := the bound of a node. */
void metric_bound(const struct metric *metric, const uint8_t *level,
                  double *score);

/* The same of a node below the one that the surcharge is from. */
void metric_bound_below(const struct metric *metric, const uint8_t *level,
                        const double *surcharge, double *score);

/* surcharge[d] := what rows that a node loses, and every node below it, too,
 * add at the least to the cost of attribute d there.  False where nothing of
 * that kind is proven. */
bool metric_surcharge(const struct metric *metric, uint64_t suppressed,
                      const uint64_t *lost, double *surcharge);

/* score := what the node costs when `suppressed` rows are lost, and
 * lost[d] = sum over those of r; x (if not NULL) gets the x_d. */
void metric_score(const struct metric *metric, const uint8_t *level,
                  uint64_t suppressed, const uint64_t *lost, double *score,
                  double *x);

/* <0, 0, >0 as a is better than, equal to, worse than b. */
int metric_compare(const struct metric *metric, const double *a,
                   const double *b);

#endif
