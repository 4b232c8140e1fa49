#include "anonymizer/population_internal.h"

#include <assert.h>
#include <float.h>
#include <math.h>

/* Above this sampling fraction Dankar's rule leaves Pitman's estimator. */
#define DANKAR_FRACTION 0.1

static const char *const state_texts[] = {
    [POPULATION_KNOWN] = "",
    [POPULATION_NO_SOLUTION] = "the estimator's equations have no solution "
                               "that was found",
    [POPULATION_OUT_OF_RANGE] =
        "the estimator's equations have a solution that "
        "no population can have",
};

const char *population_state_text(enum population_state state)
{
    return state_texts[state];
}

/* ---- sizes ---- */

uint64_t class_sizes_rows(struct class_sizes sizes)
{
    uint64_t rows = 0;

    for (size_t i = 0; i < sizes.count; i++)
        rows += sizes.entry[i].size * sizes.entry[i].number;
    return rows;
}

uint64_t class_sizes_classes(struct class_sizes sizes)
{
    uint64_t classes = 0;

    for (size_t i = 0; i < sizes.count; i++)
        classes += sizes.entry[i].number;
    return classes;
}

uint64_t class_sizes_number(struct class_sizes sizes, uint64_t size)
{
    for (size_t i = 0; i < sizes.count && sizes.entry[i].size <= size; i++)
        if (sizes.entry[i].size == size)
            return sizes.entry[i].number;
    return 0;
}

/* ---- estimates ---- */

static struct population_estimate estimate(enum population_state state,
                                           double uniques,
                                           enum population_estimator by)
{
    return (struct population_estimate){state, uniques, by, {NAN, NAN, NAN}};
}

struct population_estimate population_said(double uniques, double population,
                                           enum population_estimator by)
{
    if (isnan(uniques))
        return population_unsolved(by);
    if (uniques < 0 || uniques > population)
        return population_out_of_range(by);
    return estimate(POPULATION_KNOWN, uniques, by);
}

struct population_estimate population_unsolved(enum population_estimator by)
{
    return estimate(POPULATION_NO_SOLUTION, NAN, by);
}

struct population_estimate population_out_of_range(enum population_estimator by)
{
    return estimate(POPULATION_OUT_OF_RANGE, NAN, by);
}

/* The product of h(i) goes on from size to size, until it is nothing: that
 * takes about 708 / f steps at the most, where normal numbers end (below them
 * it would stand still), and never more than the largest class, hence no more
 * than sqrt(708 N). */
static struct population_estimate by_zayatz(struct class_sizes sizes,
                                            double population)
{
    double n = (double)class_sizes_rows(sizes);
    double unique = (double)class_sizes_number(sizes, 1);
    double product = 1, sum = 0;
    uint64_t factors = 0;

    for (size_t i = 0; i < sizes.count && product >= DBL_MIN; i++) {
        double size = (double)sizes.entry[i].size;

        for (; factors + 1 < sizes.entry[i].size && product >= DBL_MIN;
             factors++) {
            double j = (double)factors;

            /* More people of a class than are outside of the sample. */
            product *= n + j >= population
                           ? 0
                           : (population - n - j) / (population - 1 - j);
        }
        sum += (double)sizes.entry[i].number * size * product;
    }
    /* h(1) = n/N = f cancels: uniques = f_1 (f_1 h(1) / sum f_i h(i)) / f. */
    return population_said(unique * unique / sum * (population / n), population,
                           POPULATION_ZAYATZ);
}

static struct population_estimate by_dankar(struct class_sizes sizes,
                                            double population)
{
    double n = (double)class_sizes_rows(sizes);
    struct population_estimate zayatz, snb;

    if (n / population <= DANKAR_FRACTION)
        return population_by_pitman(sizes, population);
    zayatz = by_zayatz(sizes, population);
    snb = population_by_snb(sizes, population);
    if (snb.state == POPULATION_KNOWN && zayatz.state == POPULATION_KNOWN &&
        snb.uniques <= zayatz.uniques)
        return snb;
    return zayatz;
}

struct population_estimate population_uniques(struct class_sizes sizes,
                                              double population,
                                              enum population_estimator by)
{
    double unique = (double)class_sizes_number(sizes, 1);
    double n = (double)class_sizes_rows(sizes);

    assert(population >= n);
    if (unique == 0 || n == population)
        return population_said(unique, population, by);
    switch (by) {
    case POPULATION_PITMAN:
        return population_by_pitman(sizes, population);
    case POPULATION_ZAYATZ:
        return by_zayatz(sizes, population);
    case POPULATION_SNB:
        return population_by_snb(sizes, population);
    case POPULATION_DANKAR:
        return by_dankar(sizes, population);
    }
    assert(false && "an estimator without a rule");
    return population_unsolved(by);
}
