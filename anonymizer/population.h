/*
 * anonymizer/population.h - how many people of a population would be unique,
 * estimated from the classes of a sample.
 *
 * A table of n rows is a sample of N people; f = n / N is the sampling
 * fraction.  Its classes have sizes; f_i of them have i rows, and u = sum f_i.
 * Somebody who is unique in the sample need not be unique in the population.
 * What an estimator says is the expected number of classes of one person in the
 * population, 0..N:
 *
 *   Zayatz   p = (f_1/u) h(1) / sum_i (f_i/u) h(i), uniques = f_1 p / f, where
 *            h(i) = (i n/N) prod_{j=0}^{i-2} (N-n-j)/(N-1-j) is the chance that
 *            a class of i people has exactly one in the sample.
 *            [L. Zayatz, "Estimation of the percent of unique population
 *            elements on a microdata file using the sample", 1991]
 *   Pitman   the maximum-likelihood theta, alpha of Pitman's sampling formula,
 *            then uniques = Gamma(theta+1) / Gamma(theta+alpha) N^alpha.
 *            [N. Hoshino, "Applying Pitman's sampling formula to microdata
 *            disclosure risk assessment", 2001]
 *   SNB      K classes, of 1 + NegativeBinomial(a, b) people each: K by
 *            Shlosser's estimator, a and b from f_1 and f_2, then
 *            uniques = K b^a.
 *            [G. Chen, S. Keller-McNulty, "Estimation of identification
 *            disclosure risk in microdata", 1998; P. Haas, L. Stokes,
 *            "Estimating the number of classes in a finite population", 1998]
 *   Dankar   f <= 0.1: Pitman.  Else SNB, if it is known and no more than
 *            Zayatz; else Zayatz.
 *            [F. Dankar et al., "Estimating the re-identification risk of
 *            clinical data sets", 2012]
 *
 * Without sample uniques every estimate is 0.  If n = N the sample is the
 * population, and its uniques are known.  Pitman and SNB solve two equations by
 * Newton's method (population_newton.h) from a fixed list of starts; limits
 * are counts of steps, never time, so that a result is a function of its
 * arguments.  What has no solution is said to have none: it is not 0.
 *
 * ARX 3.9.2 computes the same, but for: SNB, where it subtracts 1 per distinct
 * size in Shlosser's estimator and multiplies by a power that divides; Newton's
 * method, which it stops by the clock and at an absolute 1e-6; the case n = N,
 * and estimates that are unknown, which it reports as 0.
 *
 * Pure functions: no allocation, no state.
 */
#ifndef ANONYMIZER_POPULATION_H
#define ANONYMIZER_POPULATION_H

#include <stddef.h>
#include <stdint.h>

#include "anonymizer/policy.h"

/* `number` classes of `size` rows, both at least 1. */
struct class_size {
    uint64_t size;
    uint64_t number;
};

/* The classes of a sample, by ascending size, each size once.  Borrowed. */
struct class_sizes {
    const struct class_size *entry;
    size_t count; /* 0: a sample without classes */
};

enum population_state {
    POPULATION_KNOWN,
    POPULATION_NO_SOLUTION, /* the estimator's equations were not solved */
    POPULATION_OUT_OF_RANGE /* solved, but not by 0..N people */
};

struct population_estimate {
    enum population_state state;
    double uniques;                 /* people; NAN unless known */
    enum population_estimator used; /* Dankar: which one it chose */
    /* What was solved for: theta, alpha of Pitman; a, b, K of SNB; NAN where
     * there is nothing, or nothing had to be. */
    double parameter[3];
};

/* In words, for people: "" if known. */
const char *population_state_text(enum population_state state);

uint64_t class_sizes_rows(struct class_sizes sizes);
uint64_t class_sizes_classes(struct class_sizes sizes);
/* Classes of exactly so many rows. */
uint64_t class_sizes_number(struct class_sizes sizes, uint64_t size);

/* `population`: N, a whole number, at least the rows of all classes. */
struct population_estimate population_uniques(struct class_sizes sizes,
                                              double population,
                                              enum population_estimator by);

#endif
