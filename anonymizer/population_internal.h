/*
 * anonymizer/population_internal.h - the parts of which the estimators are put
 * together.
 *
 *     population.c          sizes, Zayatz, Dankar
 *     population_pitman.c   Pitman
 *     population_snb.c      SNB
 *
 * All take samples with at least one unique row and fewer rows than people.
 */
#ifndef ANONYMIZER_POPULATION_INTERNAL_H
#define ANONYMIZER_POPULATION_INTERNAL_H

#include "anonymizer/population.h"

struct population_estimate population_by_pitman(struct class_sizes sizes,
                                                double population);
struct population_estimate population_by_snb(struct class_sizes sizes,
                                             double population);

/* Known if it is a number of people there can be; its parameters are NAN. */
struct population_estimate population_said(double uniques, double population,
                                           enum population_estimator by);
struct population_estimate population_unsolved(enum population_estimator by);
struct population_estimate
population_out_of_range(enum population_estimator by);

#endif
