/*
 * K classes have 1 + NB(a, b) people: z (b / (1 - (1-b) z))^a is what their
 * sizes' generating function is.  A sample of the fraction f takes each person
 * with the chance f, so the expected numbers of classes with one and with two
 * people in the sample are its first and half its second derivative at 1 - f,
 * times f and f^2.  With q = (1 - f)(1 - b):
 *
 *     f_1 = K f (b/(1-q))^a (1 + a q/(1-q))
 *     f_2 = K f^2/2 a (1-b) b^a (2 - (1-a) q) / (1-q)^(a+2)
 *
 * K is Shlosser's estimator:
 *
 *     K = u + f_1 (A/B) (C/D)^2
 *     A = sum i f^2 (1-f^2)^(i-1) f_i    B = sum (1-f)^i ((1+f)^i - 1) f_i
 *     C = sum (1-f)^i f_i                D = sum i f (1-f)^(i-1) f_i
 *
 * Solved as logarithms, by ln a and ln(b / (1-b)), which may be any numbers.
 */
#include "anonymizer/population_internal.h"

#include <math.h>

#include "anonymizer/population_newton.h"

/* e^4: a Newton step may change a, or the odds of b, by no larger factor. */
#define SNB_STEP_MAX 4

struct snb {
    double fraction;
    double classes; /* K */
    double unique, pairs;
};

static double shlosser(struct class_sizes sizes, double f)
{
    double a = 0, b = 0, c = 0, d = 0;
    double unique = (double)class_sizes_number(sizes, 1);

    for (size_t k = 0; k < sizes.count; k++) {
        double i = (double)sizes.entry[k].size;
        double number = (double)sizes.entry[k].number;
        double outside = exp(i * log1p(-f)); /* (1-f)^i */

        a += number * i * f * f * exp((i - 1) * log1p(-f * f));
        b += number * outside * expm1(i * log1p(f));
        c += number * outside;
        d += number * i * f * outside / (1 - f);
    }
    return (double)class_sizes_classes(sizes) +
           unique * (a / b) * (c / d) * (c / d);
}

static bool snb_equations(const void *context, const double *x,
                          struct newton_values *values)
{
    const struct snb *snb = context;
    double f = snb->fraction;
    double a = exp(x[0]), b = 1 / (1 + exp(-x[1])), w = 1 / (1 + exp(x[1]));
    double q = (1 - f) * w, p = f + (1 - f) * b; /* p = 1 - q */
    double s = q / p, t = 2 - (1 - a) * q;
    double by_a, by_b;

    if (!(a > 0) || !isfinite(a) || !(b > 0) || !(w > 0))
        return false;
    values->f[0] =
        log(snb->classes * f / snb->unique) + a * log(b / p) + log1p(a * s);
    by_a = log(b / p) + s / (1 + a * s);
    by_b = a * (1 / b - (1 - f) / p) - a * (1 - f) / (p * p) / (1 + a * s);
    values->slope[0][0] = a * by_a;
    values->slope[0][1] = b * w * by_b;
    values->f[1] = log(snb->classes * f * f / 2 / snb->pairs) + log(a) +
                   log(w) + a * log(b / p) + log(t) - 2 * log(p);
    by_a = 1 / a + log(b / p) + q / t;
    by_b = a / b - 1 / w + (1 - a) * (1 - f) / t - (a + 2) * (1 - f) / p;
    values->slope[1][0] = a * by_a;
    values->slope[1][1] = b * w * by_b;
    values->magnitude[0] = values->magnitude[1] = 1;
    return isfinite(values->f[0]) && isfinite(values->f[1]);
}

struct population_estimate population_by_snb(struct class_sizes sizes,
                                             double population)
{
    /* ln a and ln(b / (1-b)): from the middle outwards. */
    static const double grid[] = {0, -1.5, 1.5, -3, 3};
    double f = (double)class_sizes_rows(sizes) / population;
    const struct snb snb = {f, shlosser(sizes, f),
                            (double)class_sizes_number(sizes, 1),
                            (double)class_sizes_number(sizes, 2)};
    struct newton_start start[25];
    const struct newton_problem problem = {snb_equations, &snb, start,
                                           sizeof start / sizeof start[0],
                                           SNB_STEP_MAX};
    struct population_estimate said;
    double x[2];

    /* Without a pair a or 1 - b would have to be 0. */
    if (snb.pairs == 0 || !isfinite(snb.classes))
        return population_unsolved(POPULATION_SNB);
    for (size_t i = 0; i < 25; i++)
        start[i] = (struct newton_start){{grid[i / 5], grid[i % 5]}};
    if (!newton_solve(&problem, x))
        return population_unsolved(POPULATION_SNB);
    said = population_said(snb.classes * exp(-exp(x[0]) * log1p(exp(-x[1]))),
                           population, POPULATION_SNB);
    said.parameter[0] = exp(x[0]);
    said.parameter[1] = 1 / (1 + exp(-x[1]));
    said.parameter[2] = snb.classes;
    return said;
}
