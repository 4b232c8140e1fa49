#include "anonymizer/criterion_population.h"

#include <assert.h>
#include <math.h>

#define LN_2_PI 1.83787706640934548356065947281123527

/* Terms below this part of their sum do not change it. */
#define TERM_MIN 1e-18

/* ---- the Poisson distribution ---- */

/* ln n! - (n + 1/2) ln n + n - ln(2 pi) / 2, Stirling's error. */
static double stirling_error(double n)
{
    double square = n * n;

    if (n <= 15)
        return lgamma(n + 1) - (n + 0.5) * log(n) + n - LN_2_PI / 2;
    return (1.0 / 12 -
            (1.0 / 360 - (1.0 / 1260 - 1.0 / 1680 / square) / square) /
                square) /
           n;
}

/* n ln(n / mean) + mean - n, also where both are nearly equal. */
static double deviance(double n, double mean)
{
    double ratio, term, sum;

    if (fabs(n - mean) >= 0.1 * (n + mean))
        return n * log(n / mean) + mean - n;
    ratio = (n - mean) / (n + mean);
    sum = (n - mean) * ratio;
    term = 2 * n * ratio;
    for (int i = 3;; i += 2) {
        double next;

        term *= ratio * ratio;
        next = sum + term / i;
        if (next == sum)
            return sum;
        sum = next;
    }
}

static double poisson(double mean, uint64_t count)
{
    double n = (double)count;

    if (count == 0)
        return exp(-mean);
    return exp(-stirling_error(n) - deviance(n, mean)) / sqrt(exp(LN_2_PI) * n);
}

double population_poisson_tail(double mean, uint64_t count)
{
    double term, sum;

    assert(mean > 0);
    if ((double)count + 1 >= mean) {
        /* Upwards each term is less than the one before. */
        sum = term = poisson(mean, count + 1);
        for (uint64_t n = count + 2; term > sum * TERM_MIN; n++)
            sum += term *= mean / (double)n;
        return sum < 1 ? sum : 1;
    }
    sum = term = poisson(mean, count);
    for (uint64_t n = count; n > 0 && term > sum * TERM_MIN; n--)
        sum += term *= (double)n / mean;
    return sum < 1 ? 1 - sum : 0;
}

uint32_t population_map_k(const struct privacy_criterion *model, uint64_t rows)
{
    bool truncated = model->map == K_MAP_ZERO_TRUNCATED_POISSON;
    double mean = model->k * ((double)rows / model->population);
    double scale = truncated ? -expm1(-mean) : 1;
    uint64_t low = truncated, high = model->k, least;

    assert(model->map != K_MAP_SUBSET && rows > 0);
    /* high is large enough, or no larger one matters. */
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;

        if (population_poisson_tail(mean, middle) / scale <=
            model->significance)
            high = middle;
        else
            low = middle + 1;
    }
    least = low + (truncated ? 1 : 2);
    if (least > model->k)
        least = model->k;
    return (uint32_t)(least < rows ? least : rows);
}

/* ---- delta-presence ---- */

bool population_presence_holds(const struct privacy_criterion *model,
                               uint32_t rows, uint32_t population)
{
    double share = (double)rows / (double)population;

    return model->min <= share && share <= model->max;
}

uint32_t population_presence_survivors(const struct privacy_criterion *model,
                                       uint32_t rows, uint32_t population)
{
    double others = (double)(population - rows);
    uint32_t good = 0, bad = rows;

    assert(rows > 0);
    if ((double)rows / (double)population <= model->max)
        return rows - 1;
    while (bad - good > 1) {
        uint32_t middle = good + (bad - good) / 2;

        if ((double)middle / (middle + others) <= model->max)
            good = middle;
        else
            bad = middle;
    }
    return good;
}
