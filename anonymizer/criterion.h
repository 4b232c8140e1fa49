/*
 * anonymizer/criterion.h - the privacy models, judged one class at a time.
 *
 * c is the rows of a class, n_1 >= n_2 >= ... >= n_m > 0 the counts of the m
 * values of the sensitive attribute in it.
 *
 *     k-anonymity         c >= k                       [Sweeney 2002]
 *     distinct l          m >= ceil(l)                 [Machanavajjhala 2007]
 *     entropy l           m >= ceil(l) and
 *                         c (f(c) - ln l) >= sum n_i f(n_i)       [likewise]
 *         Shannon         f = ln
 *         Grassberger     f = psi, a less biased estimate of the entropy of
 *                         what the class was drawn from  [Grassberger 2003]
 *     recursive (c', l)   m >= l and n_1 < c' (n_l + ... + n_m)   [likewise]
 *     t-closeness         distance from the whole table <= t      [Li 2007]
 *     delta-disclosure    no share changed by a factor of 2^delta
 *                         [Brickell 2008]
 *     beta-likeness       no share grown by more than beta of itself
 *                         [Cao 2012]    (these three: criterion_distance.h)
 *     delta-presence      the sample's share of the population lies between
 *                         min and max                  [Nergiz 2007]
 *     k-map               k or more of the population  [Sweeney 2001]
 *                                       (these two: criterion_population.h)
 *
 * Sums run over the counts in descending order, so that they do not depend on
 * how values are numbered; comparisons have no slack.
 *
 * What the search needs beyond yes and no:
 *  - class_size_min: no class smaller than this satisfies all models, since
 *    m <= c.
 *  - criteria_final: a failing class of whose rows no subset can satisfy the
 *    models (too small, too few values): its rows are lost in every finer
 *    transformation.
 *  - criteria_removal: how many rows a failing class loses at the least in any
 *    finer transformation.  What survives there is a union of classes that
 *    satisfy the models.  Entropy l (Shannon: entropy is concave) and recursive
 *    (c', l) (n_1 and the sum of the l - 1 largest are subadditive) are closed
 *    under union, so the survivors satisfy them too, and are no more than the
 *    largest subset that does.  Among subsets of one size the flattest,
 *    min(n_i, t), is the best for both (it is majorized by all others), so t is
 *    searched.  Here comparisons do have slack: rounding must not cost the
 *    optimum.  Closure of Grassberger's form is not shown; it loses nothing.
 *    For models that compare with the whole table: criterion_distance.h.
 *
 * Models of all classes together are not judged here: criterion_sample.h.
 */
#ifndef ANONYMIZER_CRITERION_H
#define ANONYMIZER_CRITERION_H

#include <stdbool.h>
#include <stdint.h>

#include "anonymizer/criterion_distance.h"
#include "anonymizer/criterion_sample.h"
#include "anonymizer/policy.h"
#include "anonymizer/table.h"
#include "common/error.h"

struct criterion {
    const struct privacy_criterion *model; /* borrowed from the policy */
    size_t sensitive; /* index into table.sensitive; 0 where there is none */
};

/* x f(x) for x up to the table's rows or CRITERION_TABLE_MAX. */
#define CRITERION_TABLE_MAX (1u << 16)

struct criteria {
    struct criterion *criterion;
    size_t count;
    struct sample_models sample; /* those that are not of a class each */
    uint32_t class_size_min;
    uint32_t population_min; /* of the population in a class with rows */
    bool needs_population;
    bool needs_histograms;
    size_t sensitive_count;
    uint32_t *distinct_min; /* [sensitive]: fewest values any model allows */
    bool *needs_order;      /* [sensitive]: does a model need sorted counts? */
    double *shannon;        /* [x]: x ln x, for x < table_size */
    uint32_t table_size;
    struct reference
        *reference; /* [sensitive]; empty unless a model needs it */
};

/* One class: its size and, by sensitive attribute, the counts of its values;
 * those of attributes with needs_order descending.  value_number are the same
 * counts in the order of value, which models need that compare. */
struct class_view {
    uint32_t size;
    const uint32_t *number[SENSITIVE_MAX];
    const uint32_t *value[SENSITIVE_MAX];
    const uint32_t *value_number[SENSITIVE_MAX];
    uint64_t *scratch; /* room for the values of any of them */
    uint32_t distinct[SENSITIVE_MAX];
};

/* E_INPUT if a k-map's population is smaller than the table. */
MUST_USE enum status criteria_create(struct criteria **criteria,
                                     const struct policy *policy,
                                     const struct table *table,
                                     struct error *err);
void criteria_destroy(struct criteria **criteria);

/* Does a class satisfy what the models say about the population?  One without
 * rows of the sample, too. */
bool criteria_population_hold(const struct criteria *criteria, uint32_t rows,
                              uint32_t population);

/* Rows that one with rows that does not loses at the least. */
uint32_t criteria_population_removal(const struct criteria *criteria,
                                     uint32_t rows, uint32_t population);

/* Too small or too few values, whatever the counts: no subset of its rows can
 * satisfy the models. */
bool criteria_final(const struct criteria *criteria,
                    const struct class_view *view);

/* Does a class that is not final satisfy all models? */
bool criteria_hold(const struct criteria *criteria,
                   const struct class_view *view);

/* Rows that a class which does not hold, and is not final, loses at the
 * least. */
uint32_t criteria_removal(const struct criteria *criteria,
                          const struct class_view *view);

#endif
