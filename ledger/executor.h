/*
 * ledger/executor.h - what Raft has ordered becomes blocks, entries, state.
 *
 * Deterministic: the same batches in the same order give the same log, tree and
 * state on every node.  One SQLite transaction per batch holds everything that
 * it adds and the raft index it came from; a batch whose index is done already
 * is passed over, so that replaying after a crash is harmless.
 *
 * Signatures of a batch are verified on all cores; the rest runs in order, on
 * the caller's thread, which must always be the same.
 */
#ifndef LEDGER_EXECUTOR_H
#define LEDGER_EXECUTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "common/crew.h"
#include "common/entry.h"
#include "common/error.h"
#include "common/genesis.h"
#include "ledger/ledger_store.h"
#include "ledger/registry.h"

struct executor;

/* What became of one entry of a batch. */
struct outcome {
    struct digest id;
    uint64_t position; /* STORE_NONE: it is not in the log */
    uint64_t block;
    enum entry_verdict verdict;
    bool well_formed;   /* if not, the rest says nothing */
    bool seen_before;   /* position, block and verdict are those of then */
    struct digest leaf; /* hash; of what is in the log and not seen before */
    bool changes_identities;           /* a valid enrol or revoke */
    char revoked[CERTIFICATE_ID_SIZE]; /* by this entry; "" if none */
};

struct executed {
    struct outcome *outcome; /* one per item of the batch, in order */
    uint32_t count;
    bool new_block;
    struct block block; /* the newest, new or not */
};

/* Borrows genesis, store and crew. */
MUST_USE enum status executor_create(struct executor **executor,
                                     const struct genesis *genesis,
                                     struct ledger_store *store,
                                     struct crew *crew, struct error *err);
void executor_destroy(struct executor **executor);

/* Execute a batch.  What has no form, another origin or channel, an unknown
 * signer or a signature that does not hold is passed over: no honest leader
 * proposes it, and who is nobody cannot fill the log.  Nor does the wrong form
 * of a whole batch stop anybody.
 *
 * *executed borrows from the executor until its next call; count is 0 if the
 * index was done before.  An error leaves the log as it was: the same call may
 * be made again. */
MUST_USE enum status executor_apply(struct executor *executor,
                                    uint64_t raft_index, struct bytes batch,
                                    const struct executed **executed,
                                    struct error *err);

/* Execute a block that somebody has executed already: another node, from which
 * it was pulled, or this one, whose database is audited.  `block` is its
 * header, `item` its entries.  E_INPUT, and nothing changed, unless it is the
 * next one and everything in the header comes out the same; after that
 * *executed says what came out instead, count 0 if it was not even tried. */
MUST_USE enum status
executor_replay(struct executor *executor, const struct block *block,
                const struct batch_item *item, uint32_t count,
                const struct executed **executed, struct error *err);

/* Size and root of the log. */
void executor_tip(const struct executor *executor, uint64_t *size,
                  struct digest *root);
/* Raft index done last. */
uint64_t executor_raft_index(const struct executor *executor);
/* The newest block and its hash; false before the first. */
bool executor_block(const struct executor *executor, struct block *block,
                    struct digest *hash);

#endif
