#include "anonymizer/recheck_diversity.h"

#include <assert.h>
#include <math.h>

#define EULER_GAMMA 0.57721566490153286061
#define LN_2 0.69314718055994530942

#define GRASSBERGER_EXACT_MAX 100

/* Grassberger's G(n), which replaces ln n where n is a sample: G(1) =
 * -gamma - ln 2, G(2) = 2 + G(1), G(2i + 2) = G(2i) + 2 / (2i + 1), G(2i + 1)
 * = G(2i); above 100 its asymptotic series (Grassberger, Entropy Estimates
 * from Insufficient Samplings, arXiv:physics/0307138). */
static double grassberger(uint64_t n)
{
    uint64_t half = n / 2;
    double sum, x = (double)half, m;

    assert(n > 0);
    if (n == 1)
        return -EULER_GAMMA - LN_2;
    if (n <= GRASSBERGER_EXACT_MAX) {
        sum = 2.0 - EULER_GAMMA - LN_2;
        for (uint64_t i = 1; i < half; i++)
            sum += 2.0 / (double)(2 * i + 1);
        return sum;
    }
    m = 1.0 / (x * x);
    return log(2.0 * x) +
           m * (1.0 / 24.0 - m * (7.0 / 960.0 - m * (31.0 / 8064.0)));
}

static double logarithm(enum entropy_estimator estimator, uint64_t n)
{
    return estimator == ESTIMATOR_GRASSBERGER ? grassberger(n) : log((double)n);
}

/* sum n ln n, from the largest n to the smallest. */
static double weighted_sum(const struct recheck_histogram *histogram,
                           enum entropy_estimator estimator)
{
    double sum = 0;

    for (size_t i = 0; i < histogram->distinct; i++)
        sum += (double)histogram->count[i] *
               logarithm(estimator, histogram->count[i]);
    return sum;
}

static bool entropy_holds(const struct privacy_criterion *criterion,
                          const struct recheck_histogram *histogram,
                          double *value)
{
    double rows = (double)histogram->rows;
    double whole = logarithm(criterion->estimator, histogram->rows);
    double sum = weighted_sum(histogram, criterion->estimator);

    *value = exp(whole - sum / rows);
    return (double)histogram->distinct >= ceil(criterion->l) &&
           rows * (whole - log(criterion->l)) >= sum;
}

/* n(l) + ... + n(m); 0 if there are fewer than l values. */
static uint64_t tail(const struct recheck_histogram *histogram, size_t l)
{
    uint64_t sum = 0;

    assert(l >= 1);
    for (size_t i = l - 1; i < histogram->distinct; i++)
        sum += histogram->count[i];
    return sum;
}

static bool recursive_holds(const struct privacy_criterion *criterion,
                            const struct recheck_histogram *histogram,
                            double *value)
{
    double most = (double)histogram->count[0], rest;

    *value = INFINITY;
    if ((double)histogram->distinct < criterion->l)
        return false;
    rest = (double)tail(histogram, (size_t)criterion->l);
    *value = most / rest;
    return most < criterion->c * rest;
}

bool recheck_diversity_holds(const struct privacy_criterion *criterion,
                             const struct recheck_histogram *histogram,
                             double *value)
{
    assert(histogram->distinct > 0 && criterion->l >= 1);
    switch (criterion->model) {
    case MODEL_DISTINCT_L_DIVERSITY:
        *value = (double)histogram->distinct;
        return *value >= ceil(criterion->l);
    case MODEL_ENTROPY_L_DIVERSITY:
        return entropy_holds(criterion, histogram, value);
    case MODEL_RECURSIVE_CL_DIVERSITY:
        return recursive_holds(criterion, histogram, value);
    case MODEL_K_ANONYMITY:
    case MODEL_T_CLOSENESS_EQUAL:
    case MODEL_T_CLOSENESS_ORDERED:
    case MODEL_T_CLOSENESS_HIERARCHICAL:
    case MODEL_DELTA_DISCLOSURE:
    case MODEL_BASIC_BETA_LIKENESS:
    case MODEL_ENHANCED_BETA_LIKENESS:
    case MODEL_DELTA_PRESENCE:
    case MODEL_K_MAP:
    case MODEL_AVERAGE_RISK:
    case MODEL_SAMPLE_UNIQUENESS:
    case MODEL_POPULATION_UNIQUENESS:
        break;
    }
    assert(false); /* the caller knows which models these are */
    return false;
}

/* exp(H) lies between 1 and m; rounding must not carry it outside. */
static double entropy_l(const struct recheck_histogram *histogram)
{
    double rows = (double)histogram->rows;
    double sum = weighted_sum(histogram, ESTIMATOR_SHANNON);

    return fmin(fmax(exp(log(rows) - sum / rows), 1.0),
                (double)histogram->distinct);
}

/* Keep the larger ratio for each l that every class reaches. */
static void include_recursive(struct diversity_figures *figures,
                              const struct recheck_histogram *histogram,
                              bool first)
{
    uint64_t rest = histogram->rows;

    for (size_t l = 2; l <= figures->distinct_l; l++) {
        double ratio;

        rest -= histogram->count[l - 2];
        ratio = (double)histogram->count[0] / (double)rest;
        if (first || ratio > figures->recursive_c[l])
            figures->recursive_c[l] = ratio;
    }
}

void recheck_diversity_include(struct diversity_figures *figures,
                               const struct recheck_histogram *histogram)
{
    bool first = figures->distinct_l == 0;
    double share = (double)histogram->count[0] / (double)histogram->rows;
    double entropy = entropy_l(histogram);

    if (first || histogram->distinct < figures->distinct_l)
        figures->distinct_l = histogram->distinct;
    if (first || entropy < figures->entropy_l)
        figures->entropy_l = entropy;
    if (first || share > figures->alpha)
        figures->alpha = share;
    include_recursive(figures, histogram, first);
}
