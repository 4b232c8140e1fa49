/*
 * anonymizer/recheck.h - reads a finished table and counts it again.
 *
 * The second of two independent proofs that a release satisfies its policy:
 * the search counted codes by hashing; this reads the finished file as any
 * recipient would, and counts cells by sorting.  It shares no code with table,
 * lattice, classes, criterion, metric and search, only the CSV reader, the
 * hierarchies and the policy.
 *
 *     CSV -> codes of texts (recheck_texts.h) -> counted tuples, sorted
 *     (recheck_tally.h) -> classes -> figures (recheck_diversity.h,
 *     recheck_distance.h, recheck_sample.h)
 *
 * An equivalence class is a set of rows with equal cells in all
 * quasi-identifiers.  Rows whose quasi-identifiers are all `*` are suppressed
 * and belong to none.  All tokens of table.missing are one value, except that
 * `*` in a quasi-identifier always means that the value was taken away.
 * Without any quasi-identifier all rows are one class.
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

/* The class that is farthest from the table as it stands, for one sensitive
 * attribute (recheck_distance.h).  Where rows were dropped, that is not what
 * models compare with.  NAN: there is no class, or values have no such
 * distance. */
struct distance_figures {
    double t_equal;
    double t_ordered;      /* of types with an order, if all values have it */
    double t_hierarchical; /* by a hierarchy with one root and all values */
    double beta;           /* basic */
    double delta;          /* bits */
};

/* One model of the policy. */
struct criterion_figures {
    bool judged;        /* false: it cannot be said, since rows were dropped
                           with which the model compares, or but the digest is
                           there of a hierarchy by which it does, or it is about
                           a population, which the table does not show */
    bool satisfied;     /* false if it was not judged */
    double value;       /* of the worst class: size, distinct values, exp(H)
                           (with the model's estimator), r1/(rl+..), distance,
                           largest share, or size, of the population;
                           NaN if there is no class or it is infinite; of all
                           classes together: recheck_sample.h */
    uint64_t violating; /* classes that break it; 1 if all together do */
};

struct recheck_result {
    struct class_figures classes;
    struct diversity_figures *diversity; /* one per sensitive attribute */
    size_t diversity_count;
    struct distance_figures *distance; /* likewise, in the same order; NULL of a
                                          release, where models alone count */
    struct criterion_figures *criterion; /* one per policy.criterion */
    size_t criterion_count;
    uint64_t suppressed_max; /* floor(suppression_limit * rows) */
    char **unremoved; /* names of the columns that the policy removes and the
                         table still has: subject, identifying, and unlisted
                         ones where unlisted_remove */
    size_t unremoved_count;
    bool satisfied; /* all models were judged and hold, at most suppressed_max
                       rows are suppressed, no column is unremoved */
};

/* Read the table at fd from its current offset (fd stays the caller's; `name`
 * is for errors) and fill *result.  The policy's columns must be there, only
 * subject and identifying ones may be missing: else E_INPUT, as is a column
 * that the policy does not name, unless it removes unlisted ones.  A table
 * without rows is E_INPUT.  `cancel` (may be NULL) makes it return E_CANCELLED
 * soon after it turns true. */
MUST_USE enum status recheck_table(struct recheck_result **result,
                                   const struct policy *policy, int fd,
                                   const char *name, atomic_bool *cancel,
                                   struct error *err);
void recheck_destroy(struct recheck_result **result);

/* How often the values of a sensitive attribute stand in the input: each once,
 * all tokens of table.missing as any one of them. */
struct recheck_value {
    struct bytes text;
    uint64_t rows;
};

struct recheck_values {
    size_t attribute; /* index into policy.attribute */
    const struct recheck_value *value;
    size_t count;
};

/* The table of which a subset was released: a file that can be read again. */
struct recheck_population {
    int fd;
    const char *name;
};

/* What the search claims of a release that it wrote. */
struct recheck_claim {
    uint64_t rows;         /* of the input, or of its subset */
    uint64_t suppressed;   /* rows suppressed, dropped ones included */
    const uint32_t *level; /* per policy.attribute; only those of
                              quasi-identifiers are looked at */
    char delimiter;        /* of the file; 0: as the policy says.  What is left
                              of a header need not show it any more */
    const struct recheck_values *values; /* of each attribute that a model
                                            compares; only looked at where the
                                            policy drops suppressed rows, since
                                            else the file shows them */
    size_t values_count;
    const struct recheck_population *population; /* only looked at where a model
                                                    needs it */
};

/* Does the finished file, read by recheck_table, bear out the claim and the
 * policy?
 *
 *   1. No column is in it that the policy removes.
 *   2. The levels exist and lie between the policy's level_min and level_max.
 *   3. Rows and suppressed rows are as many as claimed; if the policy drops
 *      suppressed rows, there are none, and the other rows are as many.
 *   4. No more than floor(suppression_limit * claim.rows) are suppressed.
 *   5. Each cell of a released row's quasi-identifiers is a label of the
 *      claimed level of its hierarchy; without a hierarchy, anything at level
 *      0, `*` at level 1.
 *   6. No value of a sensitive attribute stands there more often than claimed
 *      of the input, if the policy drops suppressed rows.
 *   7. All models hold.
 *   8. If one of them needs the population: each class is one of those into
 *      which the claimed levels divide the input, and has as many rows as the
 *      subset has there.
 *
 * E_SYSTEM and a text that says what disagrees if not: such a file must not be
 * published. */
MUST_USE enum status recheck_release(struct recheck_result **result,
                                     const struct policy *policy, int fd,
                                     const char *name,
                                     const struct recheck_claim *claim,
                                     atomic_bool *cancel, struct error *err);

#endif
