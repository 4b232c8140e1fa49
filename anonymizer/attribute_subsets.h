/*
 * anonymizer/attribute_subsets.h - how well sets of attributes tell rows apart.
 *
 *     distinction   groups / rows
 *     separation    share of the unordered pairs of rows that differ
 *                   = 1 - sum c (c - 1) / (n (n - 1))     over groups of size c
 *
 * R. Motwani, Y. Xu, "Efficient algorithms for masking and finding
 * quasi-identifiers", 2007.  Rows whose values were all taken away (`*`) do not
 * count; without any that do, both are 0, as is the separation of one row.
 *
 * Every set is a refinement of the one with an attribute less (key_table.h):
 * one pass over the tuples each.
 */
#ifndef ANONYMIZER_ATTRIBUTE_SUBSETS_H
#define ANONYMIZER_ATTRIBUTE_SUBSETS_H

#include <stdatomic.h>

#include "anonymizer/key_table.h"
#include "common/error.h"

/* Sets in one answer; all of 20 attributes. */
#define ATTRIBUTE_SUBSETS_MAX ((size_t)1 << 20)

struct attribute_subset {
    uint64_t columns; /* a bit each */
    double distinction, separation;
};

/* All sets of 1 .. size_max columns, by (size, distinction, separation,
 * columns).  star[column] is the code of `*`, or KEY_NO_CODE.  *subset is to be
 * freed.  E_LIMIT if there are more than ATTRIBUTE_SUBSETS_MAX. */
MUST_USE enum status attribute_subsets(const struct key_table *table,
                                       const uint32_t *star, size_t size_max,
                                       atomic_bool *cancel,
                                       struct attribute_subset **subset,
                                       size_t *count, struct error *err);

#endif
