/*
 * anonymizer/profile_subsets.h - how well attributes, and subsets of them, tell
 * rows apart.
 *
 * Rows that agree on a subset are a class; class j has f_j rows, u classes of n
 * rows in all (Motwani and Xu, 2007):
 *
 *     distinction = u / n                     1: each row is alone
 *     separation  = 1 - sum f_j (f_j - 1) / (n (n - 1))
 *                                             share of the pairs of rows that
 *                                             differ; 0 for a single row
 *
 * Rows that are `*` in all of a subset are suppressed and not counted; without
 * any other row both are 0.  A missing value is a value.
 *
 * Rows become distinct tuples first, which attribute_subsets.h counts.
 */
#ifndef ANONYMIZER_PROFILE_SUBSETS_H
#define ANONYMIZER_PROFILE_SUBSETS_H

#include "anonymizer/attribute_subsets.h"
#include "anonymizer/profile_column.h"
#include "common/error.h"
#include "common/limits.h"

struct profile_separation {
    uint64_t classes;
    double distinction, separation;
};

struct profile_subsets {
    struct attribute_subset *at; /* by size, then distinction, separation */
    size_t count;
    uint32_t column[PROFILE_SUBSET_COLUMNS_MAX]; /* that bit i of a subset is */
    uint32_t columns;
    uint32_t size_measured; /* of the largest */
    bool limited; /* more were asked for, and would take too many steps */
    uint32_t tuples;
    struct profile_separation all; /* of all of the columns together */
};

/* One column by itself; not an exceeded one. */
struct profile_separation
profile_column_separation(const struct profile_column *column);

/* All subsets of up to `size` of these columns, none of them exceeded and at
 * most PROFILE_SUBSET_COLUMNS_MAX; sizes go only so far as all subsets of one
 * take PROFILE_STEPS_MAX steps, and their list ATTRIBUTE_SUBSETS_MAX.  With
 * `size` 0 only `all` is measured. */
MUST_USE enum status profile_subsets_measure(
    struct profile_subsets *subsets, const struct profile_columns *columns,
    const uint32_t *column, uint32_t count, uint32_t size, struct error *err);
void profile_subsets_clear(struct profile_subsets *subsets);

#endif
