/*
 * anonymizer/table.h - a table, coded once: strings become numbers, rows
 * become distinct tuples with counts.
 *
 *     Male;39;White  ->  quasi-identifiers (0, 17, 2)  ->  tuple 4711
 *     Male;39;White  ->                  the same      ->  tuple 4711, 2 rows
 *
 * Everything between reading and writing works on tuples.  A quasi-identifier
 * value is a *value number*, 0.., in order of first appearance; its place in
 * the hierarchy is quasi.row[value].  All tokens of table.missing are one
 * value.  Sensitive attributes are coded only where a model looks at them; a
 * tuple holds how often each of their values occurs in its rows.
 *
 * With a subset (subset.h), rows are those of the research sample, and all rows
 * of the file are the population: both make tuples, so that a tuple may have no
 * rows.  Cells of sensitive attributes outside the sample are not looked at.
 *
 * Invariants: rows of all tuples sum up to rows; no two tuples are equal;
 * tuples are numbered by first appearance; quasi-identifiers and sensitive
 * attributes stand in the order of the file's columns.
 *
 * A file is read in blocks by several threads, each of which codes what it
 * takes (table_coder.h); then their numbers become one numbering
 * (table_join.h), which is that of the file's order.  Where anything is wrong,
 * and in a stream, records are taken one after the other.  Memory: tuples, four
 * bytes a row, what the codes of judged sensitive attributes need, and eight
 * bytes a row while subjects are compared.
 *
 * Elsewhere: text (csv.h), generalization (lattice.h), the output (release.h).
 */
#ifndef ANONYMIZER_TABLE_H
#define ANONYMIZER_TABLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "anonymizer/csv.h"
#include "anonymizer/dictionary.h"
#include "anonymizer/hierarchy.h"
#include "anonymizer/policy.h"
#include "common/error.h"
#include "common/region.h"

/* In the place of a tuple: the row is none of the subset. */
#define TABLE_OUTSIDE UINT32_MAX

/* What becomes of a column of the file. */
struct table_column {
    enum column_fate { COLUMN_REMOVED, COLUMN_KEPT, COLUMN_GENERALIZED } fate;
    size_t quasi; /* index into table.quasi if generalized */
};

struct quasi_identifier {
    size_t attribute; /* index into policy.attribute */
    size_t column;    /* of the file */
    const struct hierarchy *hierarchy;
    struct hierarchy *flat; /* ours, where the policy gives none */
    uint32_t value_count;   /* distinct values that occur */
    uint32_t *row;          /* [value]: row of the hierarchy */
};

/* How often each value of one sensitive attribute occurs in each tuple:
 * entries begin[t] .. begin[t + 1] - 1 of value[] and number[]. */
struct histograms {
    uint64_t *begin;
    uint32_t *value;
    uint32_t *number;
};

struct sensitive_attribute {
    size_t attribute;
    size_t column;
    uint32_t value_count;
    struct dictionary dictionary; /* the values' texts */
    struct histograms histograms;
};

struct table {
    struct table_column *column; /* by column of the file */
    size_t column_count;
    char delimiter;
    char newline[3];
    struct quasi_identifier *quasi;
    size_t quasi_count;
    struct sensitive_attribute *sensitive;
    size_t sensitive_count;
    struct hierarchy **built; /* by policy.attribute: what its builder made of
                                 the values, NULL where there is none */
    size_t built_count;
    uint64_t rows;            /* of the subset, if there is one */
    uint64_t population_rows; /* of the file */
    struct region row_region; /* which has tuple_of_row */
    uint32_t *tuple_of_row;   /* [row of the file], or TABLE_OUTSIDE */
    uint32_t tuple_count;
    uint32_t *value;            /* [tuple * quasi_count + quasi] */
    uint32_t *tuple_rows;       /* [tuple] */
    uint32_t *tuple_population; /* [tuple], those outside the subset included;
                                   NULL without one */
};

/* Read the table at fd, from offset 0.  fd must be a regular file when the
 * policy names a subject (repeated subjects are looked up in a second pass).
 * E_INPUT: no rows, none in the subset or fewer than it lists; columns that
 * policy and table do not share; a value without a place in its hierarchy; a
 * subject with more than one row or none. `cancel` may be NULL. */
MUST_USE enum status table_read(struct table **table,
                                const struct policy *policy, int fd,
                                const char *name, unsigned threads,
                                atomic_bool *cancel, struct error *err);
/* The same of a stream, from where it stands.  E_INPUT also if the stream's
 * subject is not the policy's, or if the policy has a subset: the order of a
 * stream is not that of a file.  Identifying columns may be missing: a vault
 * does not have them. */
MUST_USE enum status table_read_stream(struct table **table,
                                       const struct policy *policy,
                                       const struct csv_stream *stream,
                                       const char *name, atomic_bool *cancel,
                                       struct error *err);
void table_destroy(struct table **table);

/* Text of a value as the output shows it at level 0. */
struct bytes table_value_text(const struct quasi_identifier *quasi,
                              uint32_t value);

#endif
