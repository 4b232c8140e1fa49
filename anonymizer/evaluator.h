/*
 * anonymizer/evaluator.h - counts one transformation out: which classes it
 * makes, which of them must be suppressed, what that costs.
 *
 * A class is suppressed if it breaks a model, or if it is `*` in every
 * quasi-identifier (then it says nothing, and every reader counts it as
 * suppressed).  One without rows, which a subset makes possible, is as good as
 * suppressed: nothing of it is released, and it costs nothing.  A
 * transformation is valid if no more rows are suppressed than
 * the policy allows.  It is dead if, beyond that, every transformation below it
 * must lose more rows than allowed (criterion.h says how that is known).
 *
 * An evaluator remembers classes to make others from (rollup.h).  It belongs to
 * one thread; what it points to is shared and read only.
 */
#ifndef ANONYMIZER_EVALUATOR_H
#define ANONYMIZER_EVALUATOR_H

#include <stdbool.h>
#include <stdint.h>

#include "anonymizer/classes.h"
#include "anonymizer/criterion.h"
#include "anonymizer/lattice.h"
#include "anonymizer/metric.h"
#include "common/error.h"

struct problem {
    const struct table *table;
    const struct lattice *lattice;
    const struct criteria *criteria;
    const struct metric *metric;
    struct classes bottom;
    uint64_t suppressed_max; /* rows */
};

struct verdict {
    bool valid;
    bool dead;
    uint64_t suppressed;                 /* rows; at the least, if dead */
    double score[QUASI_IDENTIFIERS_MAX]; /* if valid */
    double attribute_score[QUASI_IDENTIFIERS_MAX]; /* if valid: the x_d */
    bool has_floor; /* what no node above it is below */
    double floor[QUASI_IDENTIFIERS_MAX];
    bool has_surcharge; /* what it loses, every node below loses, too */
    double surcharge[QUASI_IDENTIFIERS_MAX]; /* metric.h */
};

struct evaluator;

MUST_USE enum status evaluator_create(struct evaluator **evaluator,
                                      const struct problem *problem,
                                      struct error *err);
void evaluator_destroy(struct evaluator **evaluator);

MUST_USE enum status evaluator_judge(struct evaluator *evaluator,
                                     const uint8_t *level,
                                     struct verdict *verdict,
                                     struct error *err);

/* Classes looked at so far, and the least that a judgement counts for: the same
 * for the same sequence of judgements, in every run. */
#define EVALUATOR_JUDGEMENT_WORK 256
uint64_t evaluator_work(const struct evaluator *evaluator);

/* Rows that a node suppresses, counted to the end. */
uint64_t evaluator_suppressed(struct evaluator *evaluator,
                              const uint8_t *level);

/* Like judge, from the bottom; suppressed[tuple] says which tuples are lost,
 * and *classes borrows the classes until the next call: their sizes, and
 * lost[class]. */
void evaluator_expand(struct evaluator *evaluator, const uint8_t *level,
                      struct verdict *verdict, bool *suppressed,
                      const struct classes **classes, const bool **lost);

#endif
