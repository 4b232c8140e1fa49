/*
 * anonymizer/profile_column.h - the columns of a table, coded for a profile.
 *
 * One pass over the reader.  Each column has its own dictionary; code 0 is a
 * missing value (PROFILE_MISSING), 1.. the others in order of first appearance.
 * A cell takes one byte while its column has at most 256 codes, two up to
 * 65,536, four beyond.
 *
 * A column with more than PROFILE_DISTINCT_MAX distinct values, or
 * PROFILE_TEXT_MAX bytes of them, is `exceeded`: its cells are forgotten, its
 * missing ones are counted on, and what is known of its values is known of
 * those that came first.
 */
#ifndef ANONYMIZER_PROFILE_COLUMN_H
#define ANONYMIZER_PROFILE_COLUMN_H

#include <stdbool.h>
#include <stdint.h>

#include "anonymizer/dictionary.h"
#include "common/error.h"

/* What a drafted policy names in table.missing; the first four are what a
 * policy has that says nothing. */
#define PROFILE_MISSING_TABLE(X)                                               \
    X("")                                                                      \
    X("?")                                                                     \
    X("NA")                                                                    \
    X("NULL")                                                                  \
    X("N/A")                                                                   \
    X("n/a")                                                                   \
    X("NaN")                                                                   \
    X("nan")                                                                   \
    X("null")

struct profile_column {
    char *name;
    struct dictionary dictionary;
    uint64_t *rows; /* [code]; of the first rows only where exceeded */
    uint32_t rows_capacity;
    void *cell; /* [row], each of `width` bytes; NULL where exceeded */
    uint64_t cell_capacity;
    unsigned width;
    uint64_t missing;
    bool exceeded;
    bool repeats; /* a value stands in more than one row */
};

struct profile_columns {
    struct profile_column *at;
    size_t count;
    uint64_t rows;
};

struct profile_columns_options {
    /* The first line is a header even if it looks like a record. */
    bool any_header;
};

/* Read the table at fd from where it stands.  E_INPUT: no rows, or a first line
 * that looks like a record: a name of a column that is a number with a decimal
 * point, a date or an e-mail address, or one of the column's own values.  Such
 * a line is not shown: no message names its cells. */
MUST_USE enum status
profile_columns_read(struct profile_columns *columns, int fd, const char *name,
                     struct profile_columns_options options, struct error *err);
void profile_columns_clear(struct profile_columns *columns);

/* Distinct values, missing ones not counted; of an exceeded column at least so
 * many. */
uint32_t profile_column_distinct(const struct profile_column *column);

/* Text of a code that is not 0; borrowed. */
struct bytes profile_column_value(const struct profile_column *column,
                                  uint32_t code);

/* Code of a cell; not of an exceeded column. */
static inline uint32_t profile_column_code(const struct profile_column *column,
                                           uint64_t row)
{
    if (column->width == 1)
        return ((const uint8_t *)column->cell)[row];
    if (column->width == 2)
        return ((const uint16_t *)column->cell)[row];
    return ((const uint32_t *)column->cell)[row];
}

#endif
