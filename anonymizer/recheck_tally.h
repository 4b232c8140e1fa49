/*
 * anonymizer/recheck_tally.h - how often each tuple of codes occurs, by
 * sorting.
 *
 * Rows are gathered in a block.  A full block is packed (each column gets as
 * many bits as its codes need, side by side in 64-bit words), sorted, and
 * collapsed into a run of (tuple, count), strictly ascending.  Runs are merged
 * as in a log-structured merge tree (O'Neil et al., 1996): each run on the
 * stack is at least twice as long as the next, so that all of them together
 * hold at most twice as many tuples as are distinct.
 *
 *     rows -> block -> sorted run |
 *                            runs |===============|=======|===|
 *
 * Memory grows with the distinct tuples, not with the rows.
 *
 *     init -> add* -> finish -> size, code, count, same     -> clear
 *
 * After a failure only clear may be called.
 */
#ifndef ANONYMIZER_RECHECK_TALLY_H
#define ANONYMIZER_RECHECK_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/limits.h"

#define RECHECK_COLUMNS_MAX (QUASI_IDENTIFIERS_MAX + SENSITIVE_MAX)

/* Each run is at least twice as long as the next one, and none has more than
 * TABLE_ROWS_MAX < 2^32 tuples; one more stands there before it is merged. */
#define RECHECK_RUNS_MAX 34

/* Where the code of a column stands in a packed tuple.  No field crosses the
 * border of two words; earlier columns stand in earlier words and higher bits,
 * so that the order of packed tuples is that of the codes, whatever the widths
 * are. */
struct recheck_field {
    uint32_t mask;
    unsigned char bits, word, shift;
};

struct recheck_layout {
    struct recheck_field field[RECHECK_COLUMNS_MAX];
    size_t words; /* of a packed tuple, >= 1 */
};

struct recheck_run {
    uint64_t *tuple;
    uint32_t *count;
    size_t size;
};

struct recheck_tally {
    size_t columns;
    size_t prefix;                      /* the first columns make the class */
    uint32_t seen[RECHECK_COLUMNS_MAX]; /* all codes so far, or-ed */
    struct recheck_layout layout;       /* of all runs */
    uint64_t prefix_mask[RECHECK_COLUMNS_MAX];
    uint32_t *block; /* block_rows rows of codes, not packed yet */
    size_t block_rows;
    uint64_t rows;
    struct recheck_run run[RECHECK_RUNS_MAX];
    size_t run_count;
};

/* Tuples of `columns` codes, of which the first `prefix` make the class. */
MUST_USE enum status recheck_tally_init(struct recheck_tally *tally,
                                        size_t columns, size_t prefix,
                                        struct error *err);
void recheck_tally_clear(struct recheck_tally *tally);

/* One row; E_LIMIT if there are more than TABLE_ROWS_MAX. */
MUST_USE enum status recheck_tally_add(struct recheck_tally *tally,
                                       const uint32_t *codes,
                                       struct error *err);
MUST_USE enum status recheck_tally_finish(struct recheck_tally *tally,
                                          struct error *err);

/* Distinct tuples; they are numbered in ascending order. */
size_t recheck_tally_size(const struct recheck_tally *tally);
uint32_t recheck_tally_code(const struct recheck_tally *tally, size_t tuple,
                            size_t column);
uint32_t recheck_tally_count(const struct recheck_tally *tally, size_t tuple);
/* Do both agree in the first `prefix` columns? */
bool recheck_tally_same(const struct recheck_tally *tally, size_t a, size_t b);

#endif
