/*
 * anonymizer/criterion_sample.h - models of the released classes as a whole.
 *
 * Average risk, sample uniqueness and population uniqueness are conditions on
 * the set of classes that are released: on how many there are of each size.
 * With n rows in u classes, f_1 of them of one row:
 *
 *     average risk            u / n <= t, and if it says so, the share of rows
 *                             in classes smaller than 1/r is at most q
 *     sample uniqueness       f_1 / n <= t
 *     population uniqueness   0 < E / N <= t, or E = 0 and f_1 = 0, where E is
 *                             the estimate for N people (population.h); an
 *                             estimate that is not known satisfies nothing
 *
 * Nothing released satisfies all of them.  If a node's classes do not, then the
 * smallest ones are suppressed, in ascending order of (rows, what the metric
 * says that they lose, first row in the table), up to a cut:
 *
 *     low = 0, high = classes - 1;  while low <= high:
 *         middle = (low + high) / 2
 *         do the others satisfy all models when 0..middle are suppressed?
 *             yes: high = middle - 1        no: low = middle + 1
 *     suppress 0..low
 *
 * This is ARX's cut: where several models are asked for, they are asked
 * together.  It satisfies the models: high + 1 was satisfying whenever it was
 * set, all classes are, and low ends as high + 1.  For average risk and
 * sample uniqueness it is the least there is (see below); the condition of
 * population uniqueness may hold, break and hold again as classes go, so there
 * it is a cut, not the least one.  That is part of the definition of what a
 * transformation costs: the optimum is one under this cut.
 *
 * What the search may conclude about finer transformations.  Let n' lie below
 * n, and release the classes K'.  Let G be the classes of n that hold at least
 * one class of K'.  Then |G| <= |K'|, rows(G) >= rows(K'), and a class of one
 * row in G is one in K'.  So if K' satisfies u / n <= t and f_1 / n <= t, then
 * so does G.  G has no class that is too small for the other models, since it
 * would be in K' too.  Hence n' suppresses at least as many rows as the best
 * choice among the classes of n that are not too small, whatever other models
 * say of them, and even if they are `*`.
 *   The best choice is the cut: a choice X of classes to suppress satisfies
 * u / n <= t iff the sum over X of 1 - t c_g reaches some deficit (f_1 / n <= t
 * likewise, with 1 or 0 for 1), and that is the larger the smaller c_g.  If
 * the p - 1 smallest do not reach it, no p - 1 classes do, and none p have
 * fewer rows than the p smallest.  A p-th class that adds nothing is never
 * needed: without those that add something both conditions hold.
 *   The share q of rows at risk is not monotone: a suppressed row that joins a
 * released small class in n makes it count for more.  What holds: rows of n in
 * classes smaller than 1/r are released in n' in such classes or not at all,
 * so of A such rows, with B others, y <= q (y + B) are released.
 *   Population uniqueness tells nothing: no estimator is known to be monotone
 * when suppression goes along.
 */
#ifndef ANONYMIZER_CRITERION_SAMPLE_H
#define ANONYMIZER_CRITERION_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

#include "anonymizer/classes.h"
#include "anonymizer/policy.h"
#include "anonymizer/population.h"
#include "common/error.h"

struct metric;

/* Those models of a policy; borrowed from it. */
struct sample_models {
    const struct privacy_criterion *model[CRITERIA_MAX];
    size_t count;
    bool bounds; /* does any of them say something about finer nodes? */
};

/* E_INPUT if a population is smaller than the rows that count. */
MUST_USE enum status sample_models_init(struct sample_models *models,
                                        const struct policy *policy,
                                        uint64_t rows, struct error *err);

/* The smallest class that is not at risk: 1/r as a whole number, where what
 * rounding took away from r is less than a hundredth. */
uint64_t sample_size_threshold(double highest_risk);

bool sample_models_hold(const struct sample_models *models,
                        struct class_sizes sizes);

/* The cut: how many of the smallest classes are suppressed; 0 if all models
 * hold as it is. */
struct sample_cut {
    uint64_t classes;
    uint64_t rows;    /* in those */
    uint64_t size;    /* all classes of fewer rows go, ... */
    uint64_t of_size; /* ... and so many of exactly these */
};

/* Memory of one thread for what follows. */
struct sample_scratch {
    uint64_t *small; /* [size] */
    uint32_t *large; /* sizes that are not small */
    struct class_size *entry;
    struct sample_candidate *candidate;
};

MUST_USE enum status sample_scratch_init(struct sample_scratch *scratch,
                                         uint32_t classes_max,
                                         struct error *err);
void sample_scratch_clear(struct sample_scratch *scratch);

/* The sizes of those classes that are not lost; of the scratch's memory. */
struct class_sizes sample_sizes(struct sample_scratch *scratch,
                                const struct classes *classes,
                                const bool *lost);

/* `sizes` is sample_sizes' last answer; it is as before when this returns. */
struct sample_cut sample_models_cut(const struct sample_models *models,
                                    struct sample_scratch *scratch,
                                    struct class_sizes sizes);

/* Rows that every transformation below a node loses, of those in these classes
 * of it, among which are all that are not too small.  Likewise. */
uint64_t sample_models_removal(const struct sample_models *models,
                               struct sample_scratch *scratch,
                               struct class_sizes sizes);

/* Mark what the cut takes as lost.  `classes` are numbered by their first
 * rows. */
void sample_suppress(struct sample_scratch *scratch,
                     const struct sample_cut *cut, const struct metric *metric,
                     const uint8_t *level, const struct classes *classes,
                     bool *lost);

#endif
