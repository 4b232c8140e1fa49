#include "anonymizer/population_newton.h"

#include <math.h>
#include <string.h>

static bool is_solved(const struct newton_values *values)
{
    for (int i = 0; i < 2; i++)
        if (!(fabs(values->f[i]) <= NEWTON_TOLERANCE * values->magnitude[i]))
            return false;
    return true;
}

/* The step, by the inverse of a 2 x 2 matrix; false if there is none. */
static bool step(const struct newton_values *values, double step_max,
                 double *dx)
{
    const double(*j)[2] = values->slope;
    double determinant = j[0][0] * j[1][1] - j[0][1] * j[1][0];
    double length;

    if (determinant == 0 || !isfinite(determinant))
        return false;
    dx[0] = (j[1][1] * values->f[0] - j[0][1] * values->f[1]) / determinant;
    dx[1] = (j[0][0] * values->f[1] - j[1][0] * values->f[0]) / determinant;
    length = fmax(fabs(dx[0]), fabs(dx[1]));
    if (!isfinite(length))
        return false;
    if (length > step_max) {
        dx[0] *= step_max / length;
        dx[1] *= step_max / length;
    }
    return true;
}

static bool solve_from(const struct newton_problem *problem, double *x)
{
    for (int i = 0; i <= NEWTON_STEPS_MAX; i++) {
        struct newton_values values;
        double dx[2];

        if (!problem->function(problem->context, x, &values))
            return false;
        if (is_solved(&values))
            return true;
        if (!step(&values, problem->step_max, dx))
            return false;
        x[0] -= dx[0];
        x[1] -= dx[1];
    }
    return false;
}

bool newton_solve(const struct newton_problem *problem, double *x)
{
    for (size_t i = 0; i < problem->start_count; i++) {
        memcpy(x, problem->start[i].x, sizeof problem->start[i].x);
        if (solve_from(problem, x))
            return true;
    }
    return false;
}
