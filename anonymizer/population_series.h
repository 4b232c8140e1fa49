/*
 * anonymizer/population_series.h - long sums of reciprocals, and ratios of
 * gamma functions, in constant time.
 *
 *     series_reciprocals(x, m)   sum_{i=0}^{m-1} 1 / (x + i)
 *                                = digamma(x + m) - digamma(x)
 *     series_squares(x, m)       sum_{i=0}^{m-1} 1 / (x + i)^2
 *                                = trigamma(x) - trigamma(x + m)
 *     series_gamma_ratio(x, y)   ln Gamma(x) - ln Gamma(y)
 *
 * As differences of digammas they would lose all digits where x is far above
 * m.  So terms are added up to x = 16, and from there on the asymptotic series
 * are subtracted term by term, the leading one by log1p.  [M. Abramowitz,
 * I. Stegun, "Handbook of Mathematical Functions", 1964: 6.1.41, 6.3.18,
 * 6.4.12.]  Relative error below 1e-14 for x > 0; where terms of both signs
 * are added, relative to the larger side.
 */
#ifndef ANONYMIZER_POPULATION_SERIES_H
#define ANONYMIZER_POPULATION_SERIES_H

/* `count` is a whole number >= 0.  Infinite if a term has no value. */
double series_reciprocals(double x, double count);
double series_squares(double x, double count);

/* For x, y > 0. */
double series_gamma_ratio(double x, double y);

#endif
