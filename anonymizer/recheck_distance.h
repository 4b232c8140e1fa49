/*
 * anonymizer/recheck_distance.h - how far a class is from the whole table, from
 * its counts.
 *
 * Of N rows N(v) have value v of a sensitive attribute; of the c rows of a
 * class n(v).  q(v) = n(v) / c, P(v) = N(v) / N.
 *
 *     t-closeness, equal     sum |q(v) - P(v)| / 2     over all v
 *     t-closeness, ordered   sum |Q(i) - R(i)| / (D - 1), where Q and R sum q
 *                            and P over the first i of the D values of the
 *                            whole table, in their order (value_order.h)
 *     t-closeness,           sum over the nodes above the values of (j / h)
 *       hierarchical         min(gains, losses), where j is the node's level, h
 *                            that of the root, and gains and losses sum up what
 *                            q - P is too much or too little at its children
 *     delta-disclosure       max |log2(q(v) / P(v))| over the values that the
 *                            class has: Brickell, Shmatikov, The Cost of
 *                            Privacy, KDD 2008
 *     beta-likeness          max (q(v) - P(v)) / P(v), 0 if no share grows;
 *                            enhanced: each bounded by -ln P(v), too: Cao,
 *                            Karras, Publishing Microdata with a Robust Privacy
 *                            Guarantee, PVLDB 5(11), 2012
 *
 * Li, Li, Venkatasubramanian, t-Closeness, ICDE 2007.  Counted in whole numbers
 * and divided once; compared without slack.
 *
 * The whole table is the input.  A release that keeps its suppressed rows has
 * all of its values; of one that drops them, the search says how many there
 * were (recheck.h, recheck_claim), and without that the models cannot be
 * judged.
 */
#ifndef ANONYMIZER_RECHECK_DISTANCE_H
#define ANONYMIZER_RECHECK_DISTANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "anonymizer/hierarchy.h"
#include "anonymizer/policy.h"
#include "anonymizer/recheck.h"
#include "common/error.h"

/* The values of the whole table in their order, and in their hierarchy. */
struct recheck_order;
struct recheck_tree;

/* One sensitive attribute in the whole table. */
struct recheck_whole {
    uint64_t rows;
    uint64_t *number; /* per code; NULL: not known */
    uint32_t *value;  /* codes of the values that occur; in their order if
                         there is `order` */
    size_t distinct;
    struct recheck_order *order; /* NULL: they have none */
    const struct hierarchy *hierarchy;
    struct hierarchy *built;   /* ours, where the policy describes it */
    uint32_t *row;             /* per code that occurs: where it is there */
    struct recheck_tree *tree; /* NULL: they have no hierarchy */
};

/* The same of one class: codes that occur, in any order. */
struct recheck_part {
    uint64_t rows;
    size_t distinct;
    const uint32_t *code;
    const uint64_t *number;
};

/* From a whole whose values stand in their order.  NULL without memory. */
struct recheck_order *recheck_order_create(const struct recheck_whole *whole);
void recheck_order_destroy(struct recheck_order **order);

/* From a whole with hierarchy and rows.  NULL without memory. */
struct recheck_tree *recheck_tree_create(const struct recheck_whole *whole);
void recheck_tree_destroy(struct recheck_tree **tree);

/* Does a class satisfy a model for which privacy_model_compares?  *value is its
 * own figure. */
bool recheck_distance_holds(const struct privacy_criterion *criterion,
                            const struct recheck_whole *whole,
                            const struct recheck_part *part, double *value);

/* Note one class; each figure is that of the class that is farthest away.  The
 * first one finds NAN wherever the whole has what a figure needs. */
void recheck_distance_include(struct distance_figures *figures,
                              const struct recheck_whole *whole,
                              const struct recheck_part *part);

#endif
