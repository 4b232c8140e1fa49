/*
 * anonymizer/population_newton.h - two equations in two unknowns, by Newton's
 * method from several starts.
 *
 *     x := x - J(x)^-1 F(x)
 *
 * until both |F_i| are at most NEWTON_TOLERANCE times the magnitude that the
 * function gives for each.  A start is left when it goes where the function
 * has no value, or after NEWTON_STEPS_MAX steps; then the next one is tried,
 * in the order of the list.  So the answer depends on nothing but the
 * arguments.
 */
#ifndef ANONYMIZER_POPULATION_NEWTON_H
#define ANONYMIZER_POPULATION_NEWTON_H

#include <stdbool.h>
#include <stddef.h>

/* Convergence is quadratic: from a good start it takes some ten steps, and what
 * has not converged in ten times as many wanders. */
#define NEWTON_STEPS_MAX 100

/* Far above the rounding of the sums, far below what an estimate can tell. */
#define NEWTON_TOLERANCE 1e-10

struct newton_values {
    double f[2];
    double magnitude[2]; /* of what was subtracted to get f */
    double slope[2][2];  /* [i][j]: derivative of f[i] by x[j] */
};

struct newton_start {
    double x[2];
};

/* False where it has no value. */
typedef bool newton_function(const void *context, const double *x,
                             struct newton_values *values);

struct newton_problem {
    newton_function *function;
    const void *context;
    const struct newton_start *start;
    size_t start_count;
    double step_max; /* longer steps are shortened to this; may be INFINITY */
};

/* False if no start leads to a solution. */
bool newton_solve(const struct newton_problem *problem, double *x);

#endif
