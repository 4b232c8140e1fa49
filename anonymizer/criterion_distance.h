/*
 * anonymizer/criterion_distance.h - how far the values of a class are from
 * those of the whole table.
 *
 * N is the rows of the table, suppressed ones included, N_v those with value v;
 * c and n_v are the same of a class; P_v = N_v / N, q_v = n_v / c.
 *
 *     t-closeness, equal   sum over v of max(0, q_v - P_v) <= t
 *
 * that is, half of sum |q_v - P_v|: the share of a class's rows that would have
 * to be moved to other values, at one cost for all.  Everything is counted in
 * units of 1 / (c N), in whole numbers: N n_v and c N_v are below 2^64, and so
 * are the sums of them, whichever the order of the values.  One division and
 * one comparison round, both monotone: a class whose distance is t as the
 * policy writes it is inside.
 *
 * Survivors (criterion.h, criteria_removal): what survives of a class in finer
 * transformations is a union of classes that satisfy the model.  A distance is
 * convex in q, and the q of a union is a mean of the q of its parts, so the
 * survivors satisfy the model, too.  Of c' rows, m_v <= n_v of value v, the
 * distance is
 *
 *     sum max(0, P_v - m_v / c')  >=  1 - sum min(P_v, n_v / c')
 *
 * over the values in the class, which never falls as c' grows.  So the largest
 * c' for which the right side is at most t bounds the survivors; it is
 * bisected, with slack for rounding.
 */
#ifndef ANONYMIZER_CRITERION_DISTANCE_H
#define ANONYMIZER_CRITERION_DISTANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "anonymizer/policy.h"
#include "anonymizer/table.h"
#include "common/error.h"

/* One sensitive attribute in the whole table. */
struct reference {
    uint64_t rows; /* N; 0: not set */
    uint32_t value_count;
    uint32_t *number; /* [value]: N_v, none is 0 */
};

/* The values of one class, in any order. */
struct class_values {
    uint32_t size;
    uint32_t count;
    const uint32_t *value;
    const uint32_t *number;
};

/* May be cleared even if this fails. */
MUST_USE enum status reference_init(struct reference *reference,
                                    const struct table *table, size_t sensitive,
                                    struct error *err);
void reference_clear(struct reference *reference);

/* Does a class satisfy a model that compares (privacy_model_compares)? */
bool reference_holds(const struct reference *reference,
                     const struct privacy_criterion *model,
                     const struct class_values *class);

/* The most rows of a class that can survive under a model which it breaks. */
uint32_t reference_survivors(const struct reference *reference,
                             const struct privacy_criterion *model,
                             const struct class_values *class);

#endif
