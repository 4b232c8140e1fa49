/*
 * The equations, by which the likelihood of the sizes is largest:
 *
 *     sum_{i=1}^{u-1} 1/(theta + i alpha) = sum_{i=1}^{n-1} 1/(theta + i)
 *     sum_{i=1}^{u-1} i/(theta + i alpha)
 *         = sum_{i>=2} f_i sum_{j=1}^{i-1} 1/(j - alpha)
 *
 * alpha may be below 0: then the classes of the population are limited to some
 * -theta/alpha.
 *
 * With x = theta/alpha the left sides are R = 1/alpha sum 1/(x + i) and
 * ((u - 1) - theta R) / alpha, and so are their derivatives: constant time for
 * each size (population_series.h).
 */
#include "anonymizer/population_internal.h"

#include <math.h>

#include "anonymizer/population_newton.h"
#include "anonymizer/population_series.h"

struct pitman {
    struct class_sizes sizes;
    double n, u;
};

static bool pitman_equations(const void *context, const double *x,
                             struct newton_values *values)
{
    const struct pitman *pitman = context;
    double theta = x[0], alpha = x[1], m = pitman->u - 1;
    double r, rr, s, sr, ss, harmonic, sizes = 0, sizes_slope = 0;

    if (!(theta >= 0) || alpha == 0 || !isfinite(theta) || !isfinite(alpha))
        return false;
    /* r: sum 1/t, rr: 1/t^2, s: i/t, sr: i/t^2, ss: i^2/t^2, with
     * t = theta + i alpha, hence i = (t - theta) / alpha. */
    r = series_reciprocals(theta / alpha + 1, m) / alpha;
    rr = series_squares(theta / alpha + 1, m) / (alpha * alpha);
    s = (m - theta * r) / alpha;
    sr = (r - theta * rr) / alpha;
    ss = (s - theta * sr) / alpha;
    harmonic = series_reciprocals(theta + 1, pitman->n - 1);
    for (size_t i = 0; i < pitman->sizes.count; i++) {
        double number = (double)pitman->sizes.entry[i].number;
        double terms = (double)(pitman->sizes.entry[i].size - 1);

        sizes += number * series_reciprocals(1 - alpha, terms);
        sizes_slope += number * series_squares(1 - alpha, terms);
    }
    values->f[0] = r - harmonic;
    values->f[1] = s - sizes;
    values->magnitude[0] = fabs(r) + fabs(harmonic);
    values->magnitude[1] = fabs(s) + fabs(sizes);
    values->slope[0][0] = -rr + series_squares(theta + 1, pitman->n - 1);
    values->slope[0][1] = -sr;
    values->slope[1][0] = -sr;
    values->slope[1][1] = -ss - sizes_slope;
    return isfinite(values->f[0]) && isfinite(values->f[1]);
}

/* Where moments would put it. */
static struct newton_start first_start(const struct pitman *pitman)
{
    double c1 = (double)class_sizes_number(pitman->sizes, 1);
    double c2 = (double)class_sizes_number(pitman->sizes, 2);
    double n = pitman->n, u = pitman->u;
    double c = c1 * (c1 - 1) / (c2 > 0 ? c2 : 1);
    double theta = (n * u * c - c1 * (n - 1) * (2 * u + c)) /
                   (2 * c1 * u + c1 * c - n * c);
    double alpha = (theta * (c1 - n) + (n - 1) * c1) / (n * u);

    return (struct newton_start){{theta, alpha}};
}

struct population_estimate population_by_pitman(struct class_sizes sizes,
                                                double population)
{
    static const double grid[] = {0, 0.33, 0.66, 0.99};
    const struct pitman pitman = {sizes, (double)class_sizes_rows(sizes),
                                  (double)class_sizes_classes(sizes)};
    struct newton_start start[1 + 16];
    const struct newton_problem problem = {pitman_equations, &pitman, start,
                                           sizeof start / sizeof start[0],
                                           INFINITY};
    struct population_estimate said;
    double x[2];

    start[0] = first_start(&pitman);
    for (size_t i = 0; i < 16; i++)
        start[1 + i] = (struct newton_start){{grid[i / 4], grid[i % 4]}};
    if (!newton_solve(&problem, x))
        return population_unsolved(POPULATION_PITMAN);
    /* Elsewhere a factor of the likelihood is not above 0. */
    if (!(x[1] < 1 && x[0] + x[1] > 0 && x[0] + (pitman.u - 1) * x[1] > 0))
        return population_out_of_range(POPULATION_PITMAN);
    said = population_said(
        exp(series_gamma_ratio(x[0] + 1, x[0] + x[1]) + x[1] * log(population)),
        population, POPULATION_PITMAN);
    said.parameter[0] = x[0];
    said.parameter[1] = x[1];
    return said;
}
