/*
 * anonymizer/risk.h - how easily the people behind a table are found again.
 *
 * Of n records in u classes, by an attacker who knows the quasi-identifiers of
 *
 *     prosecutor   one person, who is in the table: 1 / c for a class of c
 *     journalist   one person, who is in the population of which the table is
 *                  a sample: 1 / C for C such people in the population
 *     marketer     everybody: the expected share of right matches
 *
 *     average      classes / records: the share of records that a prosecutor
 *                  finds, one in each class; not the mean of 1 / c over
 *                  classes, which is larger where classes are uneven
 *     at risk      the share of records with 1 / c above a threshold; a
 *                  threshold t is effectively 1 / floor(1 / t), the largest
 *                  risk that is not above it, or one class size more where that
 *                  overshoots t by a hundredth of it or more
 *
 * B. C. M. Fung et al., "Introduction to Privacy-Preserving Data Publishing",
 * 2010; K. El Emam, "Guide to the De-Identification of Personal Health
 * Information", 2013.  Each figure with its formula: docs/risk.md.
 *
 * Record by record, what else is known: how many look like it with missing
 * values that may be any (key_match.h), the individual risk
 * (individual_risk.h), that of its household, special uniques (suda.h), the
 * diversity of sensitive values in its class.
 *
 * A figure that is not defined is NAN.
 */
#ifndef ANONYMIZER_RISK_H
#define ANONYMIZER_RISK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "anonymizer/attribute_subsets.h"
#include "anonymizer/policy.h"
#include "anonymizer/population.h"
#include "anonymizer/risk_table.h"
#include "anonymizer/suda.h"
#include "common/error.h"

struct attacker_risk {
    double highest, lowest, average;
};

struct risk_threshold {
    double threshold, effective;
    double prosecutor, journalist; /* shares of records at risk */
};

/* Of one population size. */
struct risk_population {
    uint64_t people;
    struct population_estimate zayatz, pitman, snb, dankar;
};

/* Of risks, record by record. */
struct risk_sum {
    double highest;
    double expected; /* their sum: re-identifications to expect */
    double share;    /* of the records */
};

/* k for which records in classes below it are counted. */
#define RISK_VIOLATIONS(X) X(2) X(3) X(5) X(10)
#define RISK_COUNT_VIOLATION(k) +1
#define RISK_VIOLATION_COUNT (0 RISK_VIOLATIONS(RISK_COUNT_VIOLATION))

struct individual_figures {
    uint64_t sample_uniques; /* records that nobody looks like */
    double frequency_sum;
    struct risk_sum plain;
    uint64_t violations[RISK_VIOLATION_COUNT];
    double weight_sum; /* with weights */
    struct risk_sum weighted;
};

/* A record's household is found by any of its members. */
struct household_figures {
    uint64_t households;
    struct risk_sum plain, weighted;
};

/* l of the class of each record. */
struct diversity_sum {
    double min, sum;
};

struct sensitive_figures {
    size_t attribute; /* index into policy.attribute */
    struct diversity_sum distinct, entropy, recursive;
    uint64_t below[2]; /* records with less than 2, than 3 values */
    double *class_distinct, *class_entropy, *class_recursive; /* [class] */
};

struct risk {
    uint64_t rows, records, suppressed;
    uint64_t classes, min, max;
    double average_size;
    struct class_size *histogram; /* by size */
    size_t histogram_count;
    uint64_t sample_uniques;
    struct attacker_risk prosecutor, journalist;
    double marketer;
    uint64_t at_highest, at_lowest; /* records in the smallest, the largest */
    struct risk_threshold threshold[RISK_LIST_MAX];
    size_t threshold_count;
    struct risk_population population[RISK_LIST_MAX];
    size_t population_count;
    struct attribute_subset *subset; /* NULL if not asked for */
    size_t subset_count;
    struct individual_figures individual;
    struct household_figures household; /* if policy.risk.household */
    struct suda *suda;                  /* NULL if not asked for */
    struct sensitive_figures *sensitive;
    size_t sensitive_count;

    /* Record by record, by class or row. */
    double *frequency;          /* [class] */
    double *weighted_frequency; /* [class], with weights */
    double *household_risk;     /* [household] */
    double *household_weighted; /* [household] */
};

/* All that policy->risk asks for, of a table that was read for it.  E_INPUT if
 * a population is smaller than the table. */
MUST_USE enum status risk_compute(struct risk **risk,
                                  const struct policy *policy,
                                  const struct risk_table *table,
                                  atomic_bool *cancel, struct error *err);
void risk_destroy(struct risk **risk);

/* The largest risk 1 / size that a threshold allows. */
double risk_effective_threshold(double threshold);

#endif
