#include "anonymizer/population_series.h"

#include <assert.h>
#include <math.h>

/* From here on the series below are exact to the last digit: the first term
 * left out of each is below 1e-17. */
#define SERIES_FROM 16

/* digamma(x) - ln x */
static double digamma_rest(double x)
{
    double y = 1 / (x * x);

    return -0.5 / x -
           y * (1.0 / 12 -
                y * (1.0 / 120 -
                     y * (1.0 / 252 -
                          y * (1.0 / 240 -
                               y * (1.0 / 132 -
                                    y * (691.0 / 32760 - y * (1.0 / 12)))))));
}

/* trigamma(x) - 1 / x */
static double trigamma_rest(double x)
{
    double y = 1 / (x * x);

    return y * (0.5 + (1.0 / 6 -
                       y * (1.0 / 30 -
                            y * (1.0 / 42 -
                                 y * (1.0 / 30 -
                                      y * (5.0 / 66 - y * (691.0 / 2730 -
                                                           y * (7.0 / 6))))))) /
                          x);
}

/* ln Gamma(x) - ((x - 1/2) ln x - x + ln(2 pi) / 2) */
static double gamma_rest(double x)
{
    double y = 1 / (x * x);

    return (1.0 / 12 -
            y * (1.0 / 360 -
                 y * (1.0 / 1260 -
                      y * (1.0 / 1680 -
                           y * (1.0 / 1188 -
                                y * (691.0 / 360360 - y * (1.0 / 156))))))) /
           x;
}

/* x >= 0 */
static double reciprocals_above(double x, double count)
{
    double sum = 0;

    if (count > 0 && x == 0)
        return INFINITY;
    while (count > 0 && x < SERIES_FROM) {
        sum += 1 / x;
        x++;
        count--;
    }
    if (count > 0)
        sum += log1p(count / x) + digamma_rest(x + count) - digamma_rest(x);
    return sum;
}

static double squares_above(double x, double count)
{
    double sum = 0;

    if (count > 0 && x == 0)
        return INFINITY;
    while (count > 0 && x < SERIES_FROM) {
        sum += 1 / (x * x);
        x++;
        count--;
    }
    if (count > 0)
        sum += count / x / (x + count) + trigamma_rest(x) -
               trigamma_rest(x + count);
    return sum;
}

/* How many of the terms x, x + 1, ... are below 0. */
static double terms_below(double x, double count)
{
    return x < 0 ? fmin(count, ceil(-x)) : 0;
}

double series_reciprocals(double x, double count)
{
    double below = terms_below(x, count);

    if (!isfinite(x))
        return NAN;
    /* Those below 0, from the last: -1/y, -1/(y + 1), ... */
    return reciprocals_above(x + below, count - below) -
           (below > 0 ? reciprocals_above(-(x + below - 1), below) : 0);
}

double series_squares(double x, double count)
{
    double below = terms_below(x, count);

    if (!isfinite(x))
        return NAN;
    return squares_above(x + below, count - below) +
           (below > 0 ? squares_above(-(x + below - 1), below) : 0);
}

double series_gamma_ratio(double x, double y)
{
    double shift = 0;

    assert(x > 0 && y > 0);
    /* Gamma(x + 1) = x Gamma(x) */
    while (x < SERIES_FROM)
        shift -= log(x++);
    while (y < SERIES_FROM)
        shift += log(y++);
    return (x - 0.5) * log1p((x - y) / y) + (x - y) * (log(y) - 1) +
           (gamma_rest(x) - gamma_rest(y)) + shift;
}
