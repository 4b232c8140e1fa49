/*
 * anonymizer/risk_table.h - a table as an attacker has it: cells as they are,
 * rows as tuples of quasi-identifiers.
 *
 * With a research subset the records are its rows, and the whole table is the
 * population.  Hierarchies play no part, values need not stand in them.  Rows
 * whose quasi-identifiers are all `*` are suppressed and count nowhere but in
 * `suppressed`; the others are records, and each tuple is a class.
 *
 * What is said of rows one by one, weights and households, is read in a second
 * pass, and only if it was asked for.
 */
#ifndef ANONYMIZER_RISK_TABLE_H
#define ANONYMIZER_RISK_TABLE_H

#include <stdatomic.h>

#include "anonymizer/key_table.h"
#include "anonymizer/table.h"

struct risk_table {
    struct table *table;
    uint64_t rows, suppressed; /* of the subset, if there is one */
    struct key_table keys;     /* classes: tuples of records */
    uint32_t *star;            /* [column]: code of `*`, or KEY_NO_CODE */
    uint32_t *of_table;        /* [class]: tuple of table */
    uint32_t *class_of;        /* [row of the file]: class, or KEY_NO_CODE */
    uint32_t *population; /* [class]: its rows in the whole table; NULL without
                             a subset */
    size_t *attribute;    /* [column]: index into policy.attribute */
    double *weight;       /* [row of the file], NULL if not asked for */
    uint32_t *household;  /* likewise */
    uint32_t household_count;
};

/* The table at fd, from offset 0, of which it is a regular file.  Columns that
 * are the subject's or identify may be missing.  E_INPUT: as table_read, a
 * weight that is no number above 0. */
MUST_USE enum status risk_table_read(struct risk_table **table,
                                     const struct policy *policy, int fd,
                                     const char *name, unsigned threads,
                                     atomic_bool *cancel, struct error *err);
void risk_table_destroy(struct risk_table **table);

#endif
