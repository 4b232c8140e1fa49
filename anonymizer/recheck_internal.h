/*
 * anonymizer/recheck_internal.h - the parts of which recheck.c is put together.
 *
 *     recheck.c           reads the table, judges its classes
 *     recheck_whole.c     the whole table, for models that compare with it
 *     recheck_population.c  the input again, for models over a population
 *     recheck_claim.c     what is claimed of a release against what it is
 */
#ifndef ANONYMIZER_RECHECK_INTERNAL_H
#define ANONYMIZER_RECHECK_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "anonymizer/recheck.h"
#include "anonymizer/recheck_distance.h"
#include "anonymizer/recheck_sample.h"
#include "anonymizer/recheck_tally.h"
#include "anonymizer/recheck_texts.h"

/* Code of a quasi-identifier's `*`: the first text that it is told of. */
#define CODE_STAR 0

/* A column that is counted: a quasi-identifier or a sensitive attribute. */
struct recheck_column {
    size_t attribute; /* index into policy.attribute */
    size_t field;     /* index into a record */
    struct recheck_texts texts;
    bool *is_label; /* per code, only under a claim: a label of its level? */
    struct recheck_whole whole; /* if it was found (recheck_whole_find) */
};

/* One table that is being counted. */
struct recount {
    const struct policy *policy;
    const char *name; /* of the table, for errors */
    const struct recheck_claim *claim;
    struct recheck_column
        column[RECHECK_COLUMNS_MAX]; /* quasi-identifiers first */
    size_t quasi_count;
    size_t column_count;
    struct recheck_tally tally;

    /* For the histogram of one class, each with room for all codes of the
     * column that has most. */
    uint32_t *code_rows; /* per code; all 0 between two classes */
    uint32_t *code;      /* those that are not 0 */
    uint64_t *number;    /* of each of them */
    uint64_t *count;     /* sorted */
    uint64_t *spare;

    uint64_t asked[CRITERIA_MAX]; /* rows of a class, by each model; 0: it does
                                     not go by them alone */
    bool of_sample; /* has the policy models of all classes together? */
    struct recheck_sample sample;

    uint64_t mislabelled; /* rows with a cell that is no label */
    size_t mislabelled_column;
};

/* Rows first..end-1 of the sorted tuples. */
struct recheck_class {
    size_t first;
    size_t end;
    uint64_t rows;
};

struct recheck_class recheck_class_at(const struct recheck_tally *tally,
                                      size_t first);
bool recheck_class_is_suppressed(const struct recount *recount,
                                 const struct recheck_class *class);

const char *recheck_column_name(const struct recount *recount, size_t column);

/* The policy's limit for a table of so many rows: multiplied as double, then
 * cut off, as the search does it. */
uint64_t recheck_suppression_limit(const struct policy *policy, uint64_t rows);

/* Is there what a model that compares compares with?  Rows that were dropped
 * are unknown to who has but the file, and of a hierarchy there may be but the
 * digest. */
bool recheck_whole_is_known(const struct recount *recount,
                            const struct privacy_criterion *criterion);

/* Are all rows known of which the table was made, by number? */
bool recheck_rows_are_known(const struct recount *recount);

/* Judge what needs the rows of the population in each class, from the input,
 * which is generalized once more, and compare the sizes of all classes with it.
 * Nothing without a claim. */
MUST_USE enum status recheck_population(struct recount *recount,
                                        struct recheck_result *result,
                                        atomic_bool *cancel, struct error *err);

/* k-map by estimate: the rows that it asks of a class of a table with so
 * many. */
uint64_t recheck_map_k(const struct privacy_criterion *criterion,
                       uint64_t rows);

/* When all rows are counted: find the whole table of each column that a model
 * compares, or of each sensitive one where nothing is claimed; then it is the
 * table as it stands. */
MUST_USE enum status recheck_whole_find(struct recount *recount,
                                        struct error *err);
void recheck_whole_clear(struct recheck_whole *whole);

/* Which texts are labels of the claimed levels?  Nothing without a claim. */
MUST_USE enum status recheck_claim_prepare(struct recount *recount,
                                           struct error *err);

/* Note the rows of a class with a cell that is no label. */
void recheck_claim_labels(struct recount *recount,
                          const struct recheck_class *class);

/* Does what was counted bear out the claim? */
MUST_USE enum status recheck_claim_check(const struct recount *recount,
                                         const struct recheck_result *result,
                                         struct error *err);

#endif
