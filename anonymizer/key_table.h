/*
 * anonymizer/key_table.h - the distinct tuples of some columns, and how they
 * group by some of them.
 *
 *     rows of the file  ->  tuples with counts  ->  groups by columns {1, 4}
 *
 * Groups by a set of columns are those by a smaller set, refined by one column
 * more: whoever walks through sets, depth first, pays one pass for each.
 *
 * Elsewhere: reading (table.h), generalization (lattice.h).
 */
#ifndef ANONYMIZER_KEY_TABLE_H
#define ANONYMIZER_KEY_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/hash.h"

/* Sets of columns are masks. */
#define KEY_COLUMNS_MAX 64

#define KEY_NO_CODE UINT32_MAX

/* Borrowed. */
struct key_table {
    size_t column_count;         /* 1 .. KEY_COLUMNS_MAX */
    uint32_t tuple_count;        /* distinct; none twice */
    const uint32_t *const *code; /* [column][tuple] */
    const uint32_t *code_count;  /* [column]: codes are below */
    const uint32_t *missing;     /* [column]: the code of a missing value, or
                                    KEY_NO_CODE */
    const uint32_t *rows;        /* [tuple], >= 1 */
};

struct refiner {
    struct hash_key key;
    uint64_t *pair; /* of a slot that is taken */
    uint32_t *slot; /* group + 1, 0 empty; all 0 between calls */
    size_t slot_count;
};

/* For lists of at most so many tuples. */
MUST_USE enum status refiner_init(struct refiner *refiner, size_t tuples,
                                  struct error *err);
void refiner_clear(struct refiner *refiner);

/* group[i] < group_count is that of tuple[i]; refined[i] := its group by one
 * column more, numbered by first appearance.  `refined` may be `group`.
 * Returns how many there are. */
uint32_t refine(struct refiner *refiner, const uint32_t *tuple, size_t count,
                const uint32_t *group, uint32_t group_count,
                const uint32_t *code, uint32_t code_count, uint32_t *refined);

#endif
