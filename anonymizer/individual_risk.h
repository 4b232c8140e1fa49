/*
 * anonymizer/individual_risk.h - the risk of one record, from the records that
 * look like it.
 *
 * f records of the sample could be it (key_match.h), F of the population, which
 * is estimated by the sum of their sampling weights.
 *
 *     without weights   1 / f
 *     with weights      E(1 / F | f), where the population's records of the key
 *                       are negative binomial, p = f / F, q = 1 - p:
 *
 *         f = 1         p / q ln(1 / p)
 *         f = 2         p / q - (p / q)^2 ln(1 / p)
 *         otherwise     p / (f - q)
 *         F <= f        1 / f
 *
 * [R. Benedetti, L. Franconi, "Statistical and technological solutions for
 * controlled data dissemination", 1998; the approximation for f > 2: M.
 * Polettini, "Some remarks on the individual risk methodology", 2003; the form
 * of sdcMicro's "approx".]  A population with fewer such records than the
 * sample is none: F <= f means that the sample has all of them.
 *
 * A household is found by any of its members: 1 - product of (1 - r).
 */
#ifndef ANONYMIZER_INDIVIDUAL_RISK_H
#define ANONYMIZER_INDIVIDUAL_RISK_H

/* f >= 1 (alpha of key_match.h makes it no whole number), F > 0. */
double individual_risk(double sample, double population);

#endif
