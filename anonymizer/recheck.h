/*
 * anonymizer/recheck.h - reads a finished table and counts it again.
 *
 * The second of two independent proofs that a release satisfies its policy:
 * the search counted codes by hashing; this reads the finished file as any
 * recipient would, and counts cells by sorting.  It shares no code with table,
 * lattice, classes, criterion, metric and search, only the CSV reader, the
 * hierarchies and the policy.
 *
 * An equivalence class is a set of rows with equal cells in all
 * quasi-identifiers.  Rows whose quasi-identifiers are all `*` are suppressed
 * and belong to none.  All tokens of table.missing are one value.
 *
 * Memory: distinct (class, sensitive values) combinations, not rows.
 */
#ifndef ANONYMIZER_RECHECK_H
#define ANONYMIZER_RECHECK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "anonymizer/policy.h"
#include "common/error.h"

/* What the classes of a table are like; all 0 when there are none. */
struct class_figures {
    uint64_t rows;       /* of the table, suppressed ones included */
    uint64_t suppressed; /* rows all `*` */
    uint64_t count;      /* classes */
    uint64_t min, max;   /* rows of the smallest and the largest class */
    double average;      /* (rows - suppressed) / count */
    uint64_t uniques;    /* classes of one row */
    double risk_highest; /* 1 / min */
    double risk_average; /* count / (rows - suppressed) */
};

/* The worst class for one sensitive attribute. */
struct diversity_figures {
    size_t attribute;    /* index into policy.attribute */
    uint64_t distinct_l; /* fewest distinct values */
    double entropy_l;    /* smallest exp(H), H in natural logarithms */
    double alpha;        /* largest share of one value */
    double *recursive_c; /* [l], l = 2..distinct_l: largest
                            r1 / (rl + ... + rm); [0] and [1] unused */
};

/* One model of the policy. */
struct criterion_figures {
    bool satisfied;
    double value;       /* of the worst class: size, distinct values, exp(H)
                           (with the model's estimator), r1/(rl+..); NaN if
                           there is no class or it is infinite */
    uint64_t violating; /* classes that break it */
};

struct recheck_result {
    struct class_figures classes;
    struct diversity_figures *diversity; /* one per sensitive attribute */
    size_t diversity_count;
    struct criterion_figures *criterion; /* one per policy.criterion */
    size_t criterion_count;
    bool satisfied; /* all of them */
};

/* Read the table at fd from its current offset (fd stays the caller's; `name`
 * is for errors) and fill *result.  The policy's columns must be there: a
 * subject or identifying column may be missing, a column that the policy does
 * not name is E_INPUT unless it removes unlisted ones, a missing
 * quasi-identifier or sensitive column is E_INPUT.  A table without rows is
 * E_INPUT.  `cancel` (may be NULL) makes it return E_CANCELLED soon after it
 * turns true. */
MUST_USE enum status recheck_table(struct recheck_result **result,
                                   const struct policy *policy, int fd,
                                   const char *name, atomic_bool *cancel,
                                   struct error *err);
void recheck_destroy(struct recheck_result **result);

/* What the search claims of a release that it wrote. */
struct recheck_claim {
    uint64_t rows;         /* of the input */
    uint64_t suppressed;   /* rows suppressed, dropped ones included */
    const uint32_t *level; /* per policy.attribute; only those of
                              quasi-identifiers are looked at */
};

/* Does the finished file, read by recheck_table, bear out the claim and the
 * policy?  All models hold, rows and suppressed agree, the suppression limit
 * is kept, no subject or identifying column is in it.  E_SYSTEM and a text
 * that says what disagrees if not: such a file must not be published. */
MUST_USE enum status recheck_release(struct recheck_result **result,
                                     const struct policy *policy, int fd,
                                     const char *name,
                                     const struct recheck_claim *claim,
                                     atomic_bool *cancel, struct error *err);

#endif
