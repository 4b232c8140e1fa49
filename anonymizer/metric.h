/*
 * anonymizer/metric.h - what a transformation costs, and what it must cost at
 * the least.
 *
 * Lower is better.  Formulas and their sources: docs/quality.md; each with the
 * proof of its bound at the head of its file:
 *
 *     metric_loss.c            loss
 *     metric_precision.c       precision, precision-monotonic, height
 *     metric_entropy.c         non-uniform-entropy, -monotonic, normalized
 *     metric_classes.c         discernibility, -monotonic, aecs
 *     metric_ambiguity.c       ambiguity
 *
 * The first three give each quasi-identifier d a cost x_d; the score is their
 * aggregate, times the attributes' weights divided by the largest, over the m
 * attributes in column order:
 *
 *     sum              sum a_d x_d
 *     maximum          max a_d x_d
 *     arithmetic mean  sum (x_d / m) a_d
 *     geometric mean   prod (a_d x_d + 1)^(1/m) - 1
 *     rank             all a_d x_d, descending, compared in this order
 *
 * The others price classes as a whole and give one number.  Throughout, N is
 * the number of rows, S of those that are suppressed, and the gs-factor g of
 * the policy is s = min(1, 2g) for suppression and w = min(1, 2 - 2g) for
 * generalization.  floor10 cuts off after ten digits, which makes ties.  The
 * exact forms, truncation and order of summation are those of ARX, so that
 * optima agree to the last digit.
 *
 * Two bounds.  B(n) is known without counting; F(n) once the classes of n are:
 *
 *     B(n) <= score of every valid node n
 *     B(n) <= B(n')                        for all n' above n
 *     F(n) <= score of every valid node n' above n, and of n itself
 *
 * A set X of rows that is lost in n and in all nodes below it costs more there
 * than if it were kept: the surcharge C, one number for each attribute, or one
 * alone.  B with it is not above the score of any valid node below n, and does
 * not fall from a node to one above it.
 *
 * All hold for the rounded numbers too.  An aggregate does not fall when one
 * of its x_d rises, each step of it being monotone in floating point (the power
 * function with a hair's breadth of allowance): so it is enough that each x_d
 * has a bound.
 *
 * A score does not depend on the order of classes: sums over classes are whole
 * numbers, and sums of other numbers run over an attribute's values in a fixed
 * order.
 */
#ifndef ANONYMIZER_METRIC_H
#define ANONYMIZER_METRIC_H

#include <stdbool.h>
#include <stdint.h>

#include "anonymizer/classes.h"
#include "anonymizer/lattice.h"
#include "anonymizer/policy.h"
#include "common/error.h"

struct metric_family;

/* What a level of one attribute costs; by level where there is an array. */
struct metric_dimension {
    double weight;      /* a_d */
    double domain_size; /* R_d */
    double cost_min;    /* loss: R_d times the least raw cost there can be */
    double cost_max;    /* loss: R_d times the largest */
    double divisor;     /* normalized entropy: the most that can be lost */
    uint64_t *total;    /* loss: sum over all rows of the rows of the domain */
    double *base;       /* the family's number without suppression */
    double *bound;      /* least x_d */
    uint32_t *first;    /* [level * leaves + leaf]; entropy: the first leaf
                           below the same node */
    size_t scratch;     /* entropy: where its values are counted */
};

struct metric {
    const struct lattice *lattice;
    const struct metric_family *family;
    enum quality_metric kind;
    enum aggregate aggregate;
    double generalization;    /* w */
    double suppression;       /* s */
    uint64_t rows;            /* N */
    uint64_t population_rows; /* with those outside the subset */
    uint64_t suppressed_max;
    uint32_t class_size_min; /* criterion.h */
    size_t score_count;      /* numbers of a score: 1, or m for rank */
    bool has_attributes;     /* there are x_d */
    bool has_floor;          /* there is an F, and it says more than B */
    bool has_surcharge;      /* there is a C */
    size_t scratch_size;
    struct metric_dimension dimension[QUASI_IDENTIFIERS_MAX];
};

/* A node counted out. */
struct metric_node {
    const uint8_t *level;
    const struct classes *classes;
    const bool *lost; /* [class] */
    uint64_t suppressed;
    uint64_t *scratch; /* metric.scratch_size zeroes, left so */
};

/* class_size_min: no class smaller than this is released (criterion.h). */
MUST_USE enum status metric_create(struct metric **metric,
                                   const struct policy *policy,
                                   const struct table *table,
                                   const struct lattice *lattice,
                                   uint32_t class_size_min, struct error *err);
void metric_destroy(struct metric **metric);

/* score[0 .. score_count - 1] := B. */
void metric_bound(const struct metric *metric, const uint8_t *level,
                  double *score);

/* score := F, if the metric has one.  lost and suppressed do not matter. */
void metric_floor(const struct metric *metric, const struct metric_node *node,
                  double *score);

/* score := what the node costs; x (if not NULL) gets the x_d, 0 without, and
 * surcharge (if not NULL; only if there is one) what the lost rows add at the
 * least in all nodes below that lose them, too. */
void metric_score(const struct metric *metric, const struct metric_node *node,
                  double *score, double *x, double *surcharge);

/* score := B with the surcharge of a node, for one below that. */
void metric_bound_below(const struct metric *metric, const uint8_t *level,
                        const double *surcharge, double *score);

/* loss := what one class says that it loses, by which classes of equal size are
 * put in order (criterion_sample.h), in as many numbers as a score has.  Of the
 * metric loss the aggregate of the rows times the share of the domain that
 * their cells cover, as it stands, neither cut off nor related to what there is
 * to lose; of all others 0. */
void metric_class_loss(const struct metric *metric, const uint8_t *level,
                       const uint64_t *key, uint32_t rows, double *loss);

/* <0, 0, >0 as a is better than, equal to, worse than b. */
int metric_compare(const struct metric *metric, const double *a,
                   const double *b);

#endif
