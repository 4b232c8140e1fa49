/*
 * ledger/block.h - batches as Raft orders them, blocks as they are executed.
 *
 * A batch is what a leader proposes (docs/protocol.md, "Blocks"):
 *
 *     be64(clock, Unix ms) || be32(count) ||
 *     count * (be32(size) || entry || be32(size) || signatures) || zeros
 *
 * to a multiple of 8.  A block's header holds what its execution added, and the
 * raft index that it came from; its hash chains it to the one before.
 */
#ifndef LEDGER_BLOCK_H
#define LEDGER_BLOCK_H

#include <stdint.h>

#include "common/bytes.h"
#include "common/digest.h"
#include "common/error.h"
#include "common/text.h"

/* Entries of a batch, and its bytes: one Raft message, one transaction. */
#define BATCH_ENTRIES_MAX 1024
#define BATCH_SIZE_MAX (8u << 20)
/* The largest clock of a batch: what JSON's numbers can say, the year 287,396.
 * Far from where time + 1 would be another time. */
#define BATCH_TIME_MAX (UINT64_C(1) << 53)

struct block {
    uint64_t number;
    struct digest previous; /* of block 0: the digest of genesis.json */
    uint32_t entries;
    uint64_t bytes; /* of its entries and signatures */
    struct digest entries_root;
    uint64_t size; /* of the log, after it */
    struct digest root;
    uint64_t time_ms;
    uint64_t raft_index; /* of the batch that became this block */
};

#define BLOCK_HEADER_SIZE 140

void block_hash(const struct block *block, struct digest *hash);

/* The fields in order, fixed sizes, big-endian. */
void block_encode(const struct block *block, uint8_t out[BLOCK_HEADER_SIZE]);
void block_decode(struct block *block, const uint8_t in[BLOCK_HEADER_SIZE]);

/* One item of a batch, borrowed from its bytes. */
struct batch_item {
    struct bytes entry;
    struct bytes signatures;
};

struct batch {
    uint64_t time_ms;
    uint32_t count;
    struct batch_item *item; /* [count], owned */
};

/* Starts a batch in `out`, which must be empty. */
MUST_USE enum status batch_begin(struct text *out, struct error *err);
/* E_LIMIT, and the batch as it was, if it would be larger than
 * BATCH_SIZE_MAX. */
MUST_USE enum status batch_add(struct text *out, struct bytes entry,
                               struct bytes signatures, struct error *err);
/* Fill in clock and count, pad.  Asserts the clock's limit. */
MUST_USE enum status batch_end(struct text *out, uint64_t time_ms,
                               uint32_t count, struct error *err);

/* Take one apart; the items borrow from `bytes`.  E_INPUT unless it is exactly
 * a batch. */
MUST_USE enum status batch_parse(struct batch *batch, struct bytes bytes,
                                 struct error *err);
void batch_clear(struct batch *batch);

#endif
