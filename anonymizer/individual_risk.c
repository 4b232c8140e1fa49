#include "anonymizer/individual_risk.h"

#include <assert.h>
#include <math.h>

/* Near p = 1 the closed forms are differences of large numbers: there the
 * series in q, of E(1 / F | f) = sum over j of C(f + j - 1, j) p^f q^j /
 * (f + j), whose terms fall like q^j. */
#define SERIES_Q 0.01
#define SERIES_TERMS 24

static double series(double f, double p, double q)
{
    double term = pow(p, f), sum = 0;

    for (int j = 0; j < SERIES_TERMS; j++) {
        sum += term / (f + j);
        term *= q * (f + j) / (j + 1);
    }
    return sum;
}

double individual_risk(double sample, double population)
{
    double f = sample, p, q, odds;

    assert(sample >= 1 && population > 0);
    if (population <= sample)
        return 1 / f;
    p = f / population;
    q = (population - f) / population;
    odds = p / q;
    if (f != 1 && f != 2)
        return p / (f - q);
    if (q < SERIES_Q)
        return series(f, p, q);
    if (f == 1)
        return odds * log(1 / p);
    return odds - odds * odds * log(1 / p);
}
