/*
 * anonymizer/criterion_distance.h - how far the values of a class are from
 * those of the whole table.
 *
 * N is the rows of the table, suppressed ones included, N_v those with value v;
 * c and n_v are the same of a class; P_v = N_v / N, q_v = n_v / c.
 *
 *     t-closeness, equal    sum over v of max(0, q_v - P_v) <= t
 *
 * that is, half of sum |q_v - P_v|: the share of a class's rows that would have
 * to be moved to other values, at one cost for all;
 *
 *     t-closeness, ordered  sum over i of |q_1 + ... + q_i - P_1 - ... - P_i|
 *                           / (D - 1) <= t
 *
 * over the D values of the table in their order (value_order.h): what has to be
 * carried across each step from one value to the next;
 *
 *     t-closeness, hierarchical
 *         sum over j = 0 .. h - 1 of E_j / h <= t
 *
 * where E_j is the equal distance of what becomes of both at level j of the
 * attribute's hierarchy, whose one root is at level h.  That is the earth
 * mover's distance if two values that meet at level j are j / h apart: along
 * the tree half of 1 / h is paid at both ends of each edge, so that what flows
 * through a node at level j, |q - P| of it, costs half of 1 / h.  (The paper
 * sums j / h times what meets at each node of level j, which is the same.)
 *
 *     delta-disclosure      |log2(q_v / P_v)| < delta  for each v in the class
 *     beta-likeness, basic     (q_v - P_v) / P_v <= beta
 *     beta-likeness, enhanced  (q_v - P_v) / P_v <= min(beta, -ln P_v)
 *
 * Everything is counted in units of 1 / (c N), in whole numbers: N n_v and c
 * N_v are below 2^64, and so are the sums of them, whichever the order of the
 * values (those over i and j have 128 bits).  One division and one comparison
 * round, both monotone: a class whose distance is t as the policy writes it is
 * inside.
 *
 * Survivors (criterion.h, criteria_removal): what survives of a class in finer
 * transformations is a union of classes that satisfy the model.  A distance is
 * convex in q, and the q of a union is a mean of the q of its parts, so the
 * survivors satisfy the model, too.  Of c' rows, m_v <= n_v of value v, the
 * distance is
 *
 *     sum max(0, P_v - m_v / c')  >=  1 - sum min(P_v, n_v / c')
 *
 * over the values in the class, which never falls as c' grows.  In order, with
 * A of the class's rows at values 1 to i, at most A and at least c' - (c - A)
 * of the survivors' are there, so that step i carries at least
 *
 *     max(0, P_1 + ... + P_i - A / c', 1 - (c - A) / c' - P_1 - ... - P_i)
 *
 * which never falls either, and for c' = c is what it carries.  So the largest
 * c' for which the bound is at most t bounds the survivors; it is bisected,
 * with slack for rounding.
 * By hierarchy, the bound of the equal distance holds at each level.
 *
 * Delta-disclosure says nothing of values that a class lacks, so that a union
 * of classes may break it that satisfy it each: one lacks v, the other has a
 * rest of it.  But q_v < 2^delta P_v for all v, which it implies, is closed
 * under union, since it holds for q_v = 0, too.  Of c' survivors at most
 * min(n_v, 2^delta P_v c') have value v, and all of them some: the sum of that,
 * divided by c', never grows with c', and must be 1 at least.  Beta-likeness is
 * of that form altogether, with the factor 1 + beta, or 1 + min(beta, -ln P_v).
 *
 * A is constant between two values of the class and P_1 + ... + P_i grows with
 * i, so that the sum over such steps is found by bisection and two differences:
 * a class costs its own values, not those of the table.
 */
#ifndef ANONYMIZER_CRITERION_DISTANCE_H
#define ANONYMIZER_CRITERION_DISTANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "anonymizer/policy.h"
#include "anonymizer/table.h"
#include "common/error.h"

/* What becomes of values at one level of their hierarchy. */
struct reference_level {
    uint32_t *node;   /* [value] */
    uint32_t *number; /* [node]: rows of the table */
};

/* One sensitive attribute in the whole table. */
struct reference {
    uint64_t rows; /* N; 0: not set */
    uint32_t value_count;
    uint32_t *number; /* [value]: N_v, none is 0 */
    uint32_t *rank;   /* [value]: place in the order, from 0; NULL if none */
    uint32_t *below;  /* [rank]: N_v of all values up to there */
    uint64_t *area;   /* [rank]: sum of below[] of all ranks before */
    struct reference_level *level; /* of the hierarchy; NULL if none */
    uint32_t height;               /* levels below the root */
};

/* The values of one class, in any order. */
struct class_values {
    uint32_t size;
    uint32_t count;
    const uint32_t *value;
    const uint32_t *number;
    uint64_t *scratch; /* room for `count` */
};

/* May be cleared even if this fails. */
MUST_USE enum status reference_init(struct reference *reference,
                                    const struct table *table, size_t sensitive,
                                    struct error *err);
/* What a model needs beyond the numbers, unless it is there. */
MUST_USE enum status
reference_prepare(struct reference *reference, const struct policy *policy,
                  const struct table *table, size_t sensitive,
                  enum privacy_model model, struct error *err);
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
