/*
 * ledger/ledger_store.h - a node's log, its tree, its state, in SQLite.
 *
 *     block        number, header, hash
 *     entry        position, id, bytes, signatures, verdict, block, and how
 *                  many keys of the state it wrote
 *     node         complete nodes of the Merkle tree, by level and index
 *     state        key, value, version (position of the entry that wrote it)
 *     history      key, position of each entry that wrote it, and of the one
 *                  before that
 *     nonce        nonce, position of the entry that had it first
 *     checkpoint   the newest anchored: size, note with cosignatures
 *     meta         schema, genesis digest, raft index, what was cosigned last
 *
 * One writer, in transactions: what a block adds is there whole or not at all,
 * together with the raft index that it came from, so that a replay after a
 * crash finds what it has done already.  What is committed survives the
 * process.  A loss of power may take the newest transactions, never one without
 * those behind it, up to the last ledger_store_sync(): Raft's log has what they
 * came from.  Any number of readers, each a store of
 * its own opened read-only (WAL).
 *
 * Entries, tree and blocks must say what the log's hashes say: that is for the
 * reader to see (ledger/reader.h, ledger/audit.h).  What no hash of the log
 * covers has a seal in its row, and a row that does not have its own is E_INPUT
 * here, whoever reads it.
 */
#ifndef LEDGER_LEDGER_STORE_H
#define LEDGER_LEDGER_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/digest.h"
#include "common/entry.h"
#include "common/error.h"
#include "common/text.h"
#include "ledger/block.h"

struct ledger_store;

/* Not there: a position, a raft index. */
#define STORE_NONE UINT64_MAX

/* Open for writing; a new file (of mode 0600) is made for this genesis, an old
 * one must be of it (E_INPUT).  Only one may: E_INPUT if another process has
 * it, or this one; "<path>.lock" stays behind. */
MUST_USE enum status ledger_store_open(struct ledger_store **store,
                                       const char *path,
                                       const struct digest *genesis,
                                       struct error *err);
/* Open an existing one for reading. */
MUST_USE enum status ledger_store_open_reader(struct ledger_store **store,
                                              const char *path,
                                              struct error *err);
void ledger_store_close(struct ledger_store **store);

/* Copy the database's log into the database on a thread of its own from now on,
 * so that no transaction waits for it. */
MUST_USE enum status ledger_store_copy_aside(struct ledger_store *store,
                                             struct error *err);

/* Sync nothing from now on: for a scratch ledger, which nobody opens again
 * after a crash. */
MUST_USE enum status ledger_store_spare_disk(struct ledger_store *store,
                                             struct error *err);

/* Returns when all that was committed is on the disk.  Raft may then forget
 * what it came from.  May be called while another thread uses the store. */
MUST_USE enum status ledger_store_sync(struct ledger_store *store,
                                       struct error *err);

/* Digest of the genesis that it was made for. */
MUST_USE enum status ledger_store_genesis(struct ledger_store *store,
                                          struct digest *genesis,
                                          struct error *err);

/* A reader sees one state of the ledger from begin to commit. */
MUST_USE enum status ledger_store_begin(struct ledger_store *store,
                                        struct error *err);
MUST_USE enum status ledger_store_commit(struct ledger_store *store,
                                         struct error *err);
void ledger_store_rollback(struct ledger_store *store);

/* As sql_store_read_anew. */
void ledger_store_read_anew(struct ledger_store *store);

/* ---- log ---- */

struct stored_entry {
    uint64_t position;
    struct digest id;
    struct text bytes;
    struct text signatures;
    enum entry_verdict verdict;
    uint64_t block;
    uint64_t writes; /* keys of the state */
};
void stored_entry_init(struct stored_entry *entry);
void stored_entry_clear(struct stored_entry *entry);

struct new_entry {
    uint64_t position;
    const struct digest *id;
    const char *nonce;
    struct bytes bytes;
    struct bytes signatures;
    enum entry_verdict verdict;
    uint64_t block;
};

/* After all that it writes to the state. */
MUST_USE enum status ledger_store_add_entry(struct ledger_store *store,
                                            const struct new_entry *entry,
                                            struct error *err);
/* *found says whether there is one. */
MUST_USE enum status ledger_store_entry(struct ledger_store *store,
                                        uint64_t position,
                                        struct stored_entry *entry, bool *found,
                                        struct error *err);
/* Position of an entry by its id; STORE_NONE if there is none. */
MUST_USE enum status ledger_store_find(struct ledger_store *store,
                                       const struct digest *id,
                                       uint64_t *position, struct error *err);
/* What was found of an entry: position STORE_NONE if it is not there. */
struct stored_answer {
    uint64_t position;
    uint64_t block;
    enum entry_verdict verdict;
};
MUST_USE enum status ledger_store_answer(struct ledger_store *store,
                                         const struct digest *id,
                                         struct stored_answer *answer,
                                         struct error *err);
/* Position of the first entry with this nonce, STORE_NONE if there is none. */
MUST_USE enum status ledger_store_find_nonce(struct ledger_store *store,
                                             const char *nonce,
                                             uint64_t *position,
                                             struct error *err);

/* Complete nodes of the tree, as merkle_store and merkle_fetch want them; the
 * context is the store. */
enum status ledger_store_put_node(void *store, unsigned level, uint64_t index,
                                  const struct digest *hash, struct error *err);
enum status ledger_store_get_node(void *store, unsigned level, uint64_t index,
                                  struct digest *hash, struct error *err);

MUST_USE enum status ledger_store_add_block(struct ledger_store *store,
                                            const struct block *block,
                                            const struct digest *hash,
                                            struct error *err);
/* By number; *found says whether there is one.  hash may be NULL.  E_INPUT if
 * the header is not that block's or does not have the hash that is stored. */
MUST_USE enum status ledger_store_block(struct ledger_store *store,
                                        uint64_t number, struct block *block,
                                        struct digest *hash, bool *found,
                                        struct error *err);
/* The newest. */
MUST_USE enum status ledger_store_tip(struct ledger_store *store,
                                      struct block *block, struct digest *hash,
                                      bool *found, struct error *err);

/* The raft index that was executed last, 0 in a new store. */
MUST_USE enum status ledger_store_raft_index(struct ledger_store *store,
                                             uint64_t *index,
                                             struct error *err);
MUST_USE enum status ledger_store_set_raft_index(struct ledger_store *store,
                                                 uint64_t index,
                                                 struct error *err);

/* ---- state ---- */

/* Version STORE_NONE and an empty value if there is no such key. */
MUST_USE enum status ledger_store_get(struct ledger_store *store,
                                      const char *key, struct text *value,
                                      uint64_t *version, struct error *err);
/* Sets the key and adds to its history. */
MUST_USE enum status ledger_store_put(struct ledger_store *store,
                                      const char *key, struct bytes value,
                                      uint64_t version, struct error *err);
/* In a transaction, to see state and history of one moment: positions that
 * wrote the key, ascending, from `from` on, at most `max`; `out`
 * gets be64 each. */
MUST_USE enum status ledger_store_history(struct ledger_store *store,
                                          const char *key, uint64_t from,
                                          size_t max, struct text *out,
                                          bool *more, struct error *err);

/* E_INPUT unless all that the entry wrote to the state is there, or what was
 * written over it later. */
MUST_USE enum status ledger_store_check_writes(struct ledger_store *store,
                                               const struct stored_entry *entry,
                                               struct error *err);

/* ---- checkpoints ---- */

/* What this node cosigned last: size and root; size 0 if nothing. */
MUST_USE enum status ledger_store_cosigned(struct ledger_store *store,
                                           uint64_t *size, struct digest *root,
                                           struct error *err);
/* Not synced: a promise is, before the signature leaves. */
MUST_USE enum status ledger_store_set_cosigned(struct ledger_store *store,
                                               uint64_t size,
                                               const struct digest *root,
                                               struct error *err);
/* The newest anchored checkpoint with its cosignatures; size 0 and an empty
 * note if there is none. */
MUST_USE enum status ledger_store_anchored(struct ledger_store *store,
                                           uint64_t *size, struct text *note,
                                           struct error *err);
/* Forgets those that are smaller. */
MUST_USE enum status ledger_store_set_anchored(struct ledger_store *store,
                                               uint64_t size, struct bytes note,
                                               struct error *err);

/* ---- comparing ---- */

/* The first row in which two ledgers differ; table NULL if in none. */
struct store_difference {
    const char *table;
    char key[128];   /* of the row, shortened, printable */
    uint64_t number; /* the same, if it is a number, else STORE_NONE */
};

/* Log, tree, state and history of both, row by row. */
MUST_USE enum status ledger_store_compare(struct ledger_store *a,
                                          struct ledger_store *b,
                                          struct store_difference *difference,
                                          struct error *err);

/* E_INPUT if SQLite finds that its pages, indexes and constraints do not fit
 * together.  Reads all of it. */
MUST_USE enum status ledger_store_check(struct ledger_store *store,
                                        struct error *err);

#endif
