/*
 * anonymizer/policy_risk.h - "risk" of a policy: which figures `anchorite risk`
 * computes, and from what (docs/risk.md).
 */
#ifndef ANONYMIZER_POLICY_RISK_H
#define ANONYMIZER_POLICY_RISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

/* Thresholds, and population sizes: more are not read side by side. */
#define RISK_LIST_MAX 16

/* The largest population: more than the people there will be, and exact as a
 * double. */
#define RISK_POPULATION_MAX (UINT64_C(1) << 40)

enum suda_form { SUDA_FACTORIAL, SUDA_NORMALISED };

struct policy_risk {
    double threshold[RISK_LIST_MAX]; /* 0..1 */
    size_t threshold_count;          /* never 0 */
    bool thresholds_given;
    uint64_t population[RISK_LIST_MAX]; /* people */
    size_t population_count;
    uint32_t subset_size; /* attributes; 0: nobody asked */
    double missing_match; /* 0..1 (key_match.h) */
    size_t weight;        /* attribute, or NO_ATTRIBUTE */
    size_t household;     /* likewise */
    bool suda;
    double suda_fraction; /* above 0, below 1 */
    enum suda_form suda_form;
    double recursive_c; /* above 0 */
};

/* What is computed if nobody says otherwise. */
void policy_risk_init(struct policy_risk *risk);

/* One more; E_LIMIT if there are too many.  A threshold takes the place of the
 * usual ones. */
MUST_USE enum status policy_risk_add_threshold(struct policy_risk *risk,
                                               double threshold,
                                               struct error *err);
MUST_USE enum status policy_risk_add_population(struct policy_risk *risk,
                                                uint64_t people,
                                                struct error *err);
/* By its name; E_INPUT with the names there are. */
MUST_USE enum status policy_risk_add_region(struct policy_risk *risk,
                                            const char *name,
                                            struct error *err);

#endif
