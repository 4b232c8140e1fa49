/*
 * anonymizer/recheck_diversity.h - what one class is worth, from its counts.
 *
 * A histogram says how often each value of a sensitive attribute occurs in a
 * class: n(1) >= n(2) >= ... >= n(m) > 0, c = n(1) + ... + n(m).
 *
 *     distinct l       m
 *     entropy l        exp(H), H = ln c - sum n ln n / c
 *     recursive c(l)   n(1) / (n(l) + ... + n(m))
 *     alpha            n(1) / c
 *
 * Machanavajjhala et al., l-Diversity, ACM TKDD 1(1), 2007; alpha: Wong et
 * al., (alpha, k)-Anonymity, KDD 2006.
 *
 * Whether a class on the border is inside depends on how the sums are rounded.
 * It is laid down: doubles, summed from n(1) to n(m), compared without slack.
 */
#ifndef ANONYMIZER_RECHECK_DIVERSITY_H
#define ANONYMIZER_RECHECK_DIVERSITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "anonymizer/policy.h"
#include "anonymizer/recheck.h"

struct recheck_histogram {
    const uint64_t *count; /* descending, none is 0 */
    size_t distinct;
    uint64_t rows; /* their sum */
};

/* Does a class satisfy one of the diversity models?  *value is its own figure
 * for the model; infinite for recursive-(c,l) with fewer than l values. */
bool recheck_diversity_holds(const struct privacy_criterion *criterion,
                             const struct recheck_histogram *histogram,
                             double *value);

/* Let the figures of the worst class know of one more.  All 0 before the
 * first, whose distinct values recursive_c has room for. */
void recheck_diversity_include(struct diversity_figures *figures,
                               const struct recheck_histogram *histogram);

#endif
