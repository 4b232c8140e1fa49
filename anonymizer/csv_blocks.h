/*
 * anonymizer/csv_blocks.h - a table in a regular file, for several threads.
 *
 * The file is cut into blocks of equal size.  A record belongs to the block
 * that the newline before it stands in; it may end in the next one.  Each
 * thread takes the next block, reads and scans it, and hands its records over
 * in batches:
 *
 *     blocks   |........N......N....|...N........N.....|..
 *     of 0     <=================================>        (N: newlines)
 *     of 1                               <=========...
 *
 * A newline inside quotes ends no record.  In a table that follows the rules of
 * csv.h a byte stands inside quotes iff the quotes before it are odd in number,
 * so that each block must know whether those of all blocks before it are; and
 * how many lines those have, to number its rows.  Both are counted while a
 * block is scanned, and summed up in the order of the blocks (common/turn.h):
 * exact, without a second pass, and short enough that nobody waits.
 *
 * This reader says only that something is wrong, never what: whatever breaks a
 * rule of csv.h, and a record longer than a block too, makes it stop with
 * csv_blocks_odd().  The caller then starts again with csv_next(), which finds
 * the first error in the order of the file, in its words; or reads on, where
 * there is none.
 *
 *     csv_open -> csv_blocks_open -> csv_block_create, csv_block_next,
 *     csv_block_rows  (each thread) -> csv_blocks_close
 */
#ifndef ANONYMIZER_CSV_BLOCKS_H
#define ANONYMIZER_CSV_BLOCKS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "anonymizer/csv.h"
#include "common/error.h"

struct csv_blocks; /* of a file, for all threads */
struct csv_block;  /* of one thread */

/* Records of a batch: their cells' places fit a first-level cache. */
#define CSV_BATCH_ROWS 64

/* What follows the header that `reader` has just read, which `fd`, a regular
 * file at any offset, is the file of; `reader` is not used again.  Both and
 * `name` must outlive it.  `cancel` may be NULL. */
MUST_USE enum status csv_blocks_open(struct csv_blocks **blocks,
                                     const struct csv_reader *reader, int fd,
                                     const char *name, atomic_bool *cancel,
                                     struct error *err);
void csv_blocks_close(struct csv_blocks **blocks);

/* Upper bound of the records there are. */
uint64_t csv_blocks_rows_max(const struct csv_blocks *blocks);

/* Blocks there are. */
uint64_t csv_blocks_count(const struct csv_blocks *blocks);

/* Is there anything that only csv_next() can judge?  To be asked when all
 * threads are done. */
bool csv_blocks_odd(const struct csv_blocks *blocks);

/* Let all threads end at their next csv_block_next(). */
void csv_blocks_stop(struct csv_blocks *blocks);
/* Was it called, or is something odd? */
bool csv_blocks_stopped(const struct csv_blocks *blocks);

MUST_USE enum status csv_block_create(struct csv_block **block,
                                      struct csv_blocks *blocks,
                                      struct error *err);
void csv_block_destroy(struct csv_block **block);

/* Take the next block; *found is false if there is none or all have stopped. */
MUST_USE enum status csv_block_next(struct csv_block *block, bool *found,
                                    struct error *err);

/* Of the block that was taken. */
uint64_t csv_block_number(const struct csv_block *block);
/* Records of the file before its first one. */
uint64_t csv_block_first_row(const struct csv_block *block);

/* The next records of it, at most CSV_BATCH_ROWS; 0 at its end.  Cell c of
 * record r stands from data[at[r][c]] to data[at[r][c + 1] - 1], that byte left
 * out, where at[r] is at + r * (columns + 1); cells of `data`, its borrower
 * until the next call, may be read 64 bytes beyond their ends. */
struct csv_batch {
    const uint8_t *data;
    const uint32_t *at;
    size_t columns;
    size_t rows;
};

MUST_USE enum status csv_block_rows(struct csv_block *block,
                                    struct csv_batch *batch, struct error *err);

/* A cell as it stands in the file, quotes included. */
static inline struct bytes csv_batch_raw(const struct csv_batch *batch,
                                         size_t row, size_t column)
{
    const uint32_t *at = batch->at + row * (batch->columns + 1) + column;

    return bytes_of(batch->data + at[0], at[1] - at[0] - 1);
}

/* Its value; one with doubled quotes is written to `unquoted`, which has room
 * for CSV_BLOCK_CELL_MAX bytes. */
#define CSV_BLOCK_CELL_MAX (1u << 20)
struct bytes csv_unquote(struct bytes raw, uint8_t *unquoted);

static inline struct bytes csv_batch_value(const struct csv_batch *batch,
                                           size_t row, size_t column,
                                           uint8_t *unquoted)
{
    struct bytes raw = csv_batch_raw(batch, row, column);

    return raw.size > 0 && raw.data[0] == '"' ? csv_unquote(raw, unquoted)
                                              : raw;
}

#endif
