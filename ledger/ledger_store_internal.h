/*
 * ledger/ledger_store_internal.h - the database as the store's parts use it.
 *
 *     ledger_store.c          tables, opening, transactions
 *     ledger_store_sql.c      statements, seals
 *     ledger_store_log.c      entries, blocks, the tree
 *     ledger_store_state.c    state, history, nonces, what there is one of
 *     ledger_store_compare.c  two ledgers, row by row
 */
#ifndef LEDGER_LEDGER_STORE_INTERNAL_H
#define LEDGER_LEDGER_STORE_INTERNAL_H

#include "common/sql_store.h"
#include "ledger/ledger_store.h"

/* Statements by name; prepared when first used. */
#define STATEMENT_TABLE(X)                                                     \
    X(ADD_ENTRY,                                                               \
      "INSERT INTO entry(position, id, bytes, signatures, verdict, block, "    \
      "writes, seal) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")                  \
    X(ADD_NONCE, "INSERT INTO nonce(nonce, position, seal) VALUES(?1, ?2, "    \
                 "?3) ON CONFLICT(nonce) DO NOTHING")                          \
    X(ENTRY, "SELECT position, id, verdict, block, writes, seal, bytes, "      \
             "signatures FROM entry WHERE position = ?1")                      \
    X(FIND, "SELECT position, id, verdict, block, writes, seal FROM entry "    \
            "WHERE id = ?1")                                                   \
    X(NONCE, "SELECT position, seal FROM nonce WHERE nonce = ?1")              \
    X(PUT_NODE, "INSERT INTO node(place, hash) VALUES(?1, ?2)")                \
    X(GET_NODE, "SELECT hash FROM node WHERE place = ?1")                      \
    X(ADD_BLOCK, "INSERT INTO block(number, header, hash) VALUES(?1, ?2, ?3)") \
    X(BLOCK, "SELECT number, header, hash FROM block WHERE number = ?1")       \
    X(TIP, "SELECT number, header, hash FROM block ORDER BY number DESC LIMIT" \
           " 1")                                                               \
    X(GET, "SELECT value, version, seal FROM state WHERE key = ?1")            \
    X(PUT,                                                                     \
      "INSERT INTO state(key, value, version, seal) VALUES(?1, ?2, ?3, ?4) "   \
      "ON CONFLICT(key) DO UPDATE SET value = ?2, version = ?3, seal = ?4")    \
    X(ADD_HISTORY, "INSERT INTO history(key, position, previous, seal) "       \
                   "VALUES(?1, ?2, ?3, ?4)")                                   \
    X(HISTORY, "SELECT position, previous, seal FROM history WHERE key = ?1 "  \
               "AND position >= ?2 ORDER BY position LIMIT ?3")                \
    X(WRITTEN, "SELECT history.key, state.value, state.version, state.seal "   \
               "FROM history LEFT JOIN state ON state.key = history.key "      \
               "WHERE history.position = ?1")                                  \
    X(GET_META, "SELECT value, seal FROM meta WHERE key = ?1")                 \
    X(PUT_META, "INSERT INTO meta(key, value, seal) VALUES(?1, ?2, ?3) ON "    \
                "CONFLICT(key) DO UPDATE SET value = ?2, seal = ?3")           \
    X(ANCHORED,                                                                \
      "SELECT size, note FROM checkpoint ORDER BY size DESC LIMIT 1")          \
    X(ADD_ANCHORED, "INSERT OR REPLACE INTO checkpoint(size, note)"            \
                    " VALUES(?1, ?2)")                                         \
    X(DROP_ANCHORED, "DELETE FROM checkpoint WHERE size < (SELECT max(size)"   \
                     " FROM checkpoint)")                                      \
    X(ALL_ENTRIES, "SELECT position, id, bytes, signatures, verdict, block, "  \
                   "writes, seal FROM entry ORDER BY position")                \
    X(ALL_BLOCKS, "SELECT number, header, hash FROM block ORDER BY number")    \
    X(ALL_NONCES, "SELECT nonce, position, seal FROM nonce ORDER BY nonce")    \
    X(ALL_NODES, "SELECT place, hash FROM node ORDER BY place")                \
    X(ALL_STATES, "SELECT key, value, version, seal FROM state ORDER BY key")  \
    X(ALL_HISTORY, "SELECT key, position, previous, seal FROM history ORDER "  \
                   "BY key, position")                                         \
    X(CHECK, "PRAGMA integrity_check(1)")

enum statement {
#define STATEMENT_ENUM(id, sql) SQL_##id,
    STATEMENT_TABLE(STATEMENT_ENUM)
#undef STATEMENT_ENUM
        STATEMENT_COUNT
};

struct ledger_store {
    struct sql_store *sql;
    uint64_t writes; /* to the state, since an entry was added */
};

/* E_INPUT: a row says what we did not write. */
MUST_USE enum status store_altered(const struct ledger_store *store,
                                   const char *what, struct error *err);
/* ---- statements: common/sql_store.h says how they are used ---- */

MUST_USE enum status store_prepare(struct ledger_store *store,
                                   enum statement which,
                                   struct sql_statement **statement,
                                   struct error *err);
/* The same for one that has nothing to bind and returns nothing: run. */
MUST_USE enum status store_simple(struct ledger_store *store,
                                  enum statement which, struct error *err);
MUST_USE enum status store_run(struct ledger_store *store,
                               struct sql_statement *statement,
                               struct error *err);
MUST_USE enum status store_step(struct ledger_store *store,
                                struct sql_statement *statement, bool *found,
                                struct error *err);
void store_bind_digest(struct sql_statement *statement, int at,
                       const struct digest *digest);
/* A column that must have a fixed size has been altered if it has not. */
MUST_USE enum status store_column_fixed(const struct ledger_store *store,
                                        struct sql_statement *statement, int at,
                                        void *out, size_t size,
                                        struct error *err);

/* ---- seals ----
 * A row that no hash of the log covers carries its own, so that a bit flipped
 * in it is found when it is read.  They are no secret: what was altered by
 * somebody who makes them fit, the other nodes' roots and an audit show. */

#define SEALED_NUMBERS_MAX 4

struct sealed_row {
    const char *table;
    struct bytes key;
    struct bytes value;
    uint64_t number[SEALED_NUMBERS_MAX];
};

int64_t store_seal(const struct sealed_row *row);
/* A row's key for messages.  Somebody else's bytes may be in it: nothing may
 * steer a terminal. */
#define STORE_KEY_SHOWN 128
void store_printable(struct bytes key, char out[STORE_KEY_SHOWN]);
/* Is the column at `at` the row's seal?  E_INPUT if not. */
MUST_USE enum status store_check_seal(const struct ledger_store *store,
                                      struct sql_statement *statement, int at,
                                      const struct sealed_row *row,
                                      struct error *err);

/* ---- what there is one of ---- */

MUST_USE enum status store_get_meta(struct ledger_store *store, const char *key,
                                    void *out, size_t size, bool *found,
                                    struct error *err);
MUST_USE enum status store_put_meta(struct ledger_store *store, const char *key,
                                    struct bytes value, struct error *err);

#endif
