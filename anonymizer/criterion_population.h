/*
 * anonymizer/criterion_population.h - models over the population that a table
 * is a sample of.
 *
 * c rows of the sample and p rows of the population, those of the sample
 * included, have the same quasi-identifiers; p is known where the policy has a
 * subset.
 *
 *     delta-presence   min <= c / p <= max, also where c = 0: whoever knows
 *                      that somebody is in the population must not learn
 *                      whether he is in the sample
 *                      [Nergiz, Atzori, Clifton, Hiding the Presence of
 *                      Individuals from Shared Databases, SIGMOD 2007]
 *     k-map            p >= k                 [Sweeney 2001]
 *       by estimate    c >= k', where p is not known: k' is so large that a
 *                      class of k of the population had as many rows in the
 *                      sample only with the probability `significance`
 *                      [El Emam, Dankar, Protecting Privacy Using k-Anonymity,
 *                      JAMIA 15(5), 2008]
 *
 * k' for a table of n rows from a population of N: the rows that a class of k
 * has in the sample are Poisson distributed with mean m = k n / N.  Let q be
 * the least number with P(X > q) <= significance, X being what is so
 * distributed, and for the zero-truncated Poisson the same of P(X > q | X > 0),
 * q >= 1.  Then k' = q + 1 if truncated, and q + 2 if not (one more than the
 * test needs, as ARX has it: it errs on the safe side); never more than k or n,
 * since p >= c.
 *
 * P(X > q) is summed up from its largest term, which is computed by Loader's
 * saddle-point expansion (Fast and Accurate Computation of Binomial
 * Probabilities, 2000), so that nothing overflows or cancels for any k.
 *
 * What the search may conclude, for a class G of c rows that fails:
 *
 *  - k-map.  p never shrinks upwards: each part of G in a finer transformation
 *    has no more of the population than G, and fails.  All c rows are lost
 *    there, too.
 *  - delta-presence, c = 0 < min.  A finer transformation has a part of G,
 * which has no row of the sample either: it is as invalid as this one, and no
 *    suppression mends it, since there is nothing to suppress.
 *  - delta-presence, c > 0.  Classes that satisfy it are closed under union:
 * the share of a union lies between the least and the largest of its parts (the
 *    mediant), and rounding a quotient preserves order.  What survives of G in
 *    a finer transformation is such a union, of c' <= c rows and o' <= o = p -
 * c others, so that c' / (c' + o) <= c' / (c' + o') <= max.  c' is therefore no
 * more than the largest number with c' / (c' + o) <= max, which is found by
 * bisection, that quotient growing with c'.  Should c / p be below min, not all
 * of G survives, or the union of its parts, which is G, would not fail: c' <= c
 * - 1.  A part without rows of the sample makes the finer transformation
 * invalid by itself.
 *
 * Under generalization all are monotone, then; under suppression k-map is, and
 * delta-presence is not: a failing class may have parts that hold.
 */
#ifndef ANONYMIZER_CRITERION_POPULATION_H
#define ANONYMIZER_CRITERION_POPULATION_H

#include <stdbool.h>
#include <stdint.h>

#include "anonymizer/policy.h"

/* k-map by estimate, of a table of so many rows: the k'. */
uint32_t population_map_k(const struct privacy_criterion *model, uint64_t rows);

/* P(X > count) for a Poisson distributed X with this mean. */
double population_poisson_tail(double mean, uint64_t count);

/* delta-presence of `rows` of a population of that many, of which there is
 * one at least. */
bool population_presence_holds(const struct privacy_criterion *model,
                               uint32_t rows, uint32_t population);

/* Rows, at the most, that survive of a class with rows that fails. */
uint32_t population_presence_survivors(const struct privacy_criterion *model,
                                       uint32_t rows, uint32_t population);

#endif
