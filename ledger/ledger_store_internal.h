/*
 * ledger/ledger_store_internal.h - SQLite as the store's parts use it.
 *
 *     ledger_store.c          file, schema, transactions
 *     ledger_store_sql.c      statements, and SQLite's answers as ours
 *     ledger_store_log.c      entries, blocks, the tree
 *     ledger_store_state.c    state, history, nonces, what there is one of
 *     ledger_store_copier.c   from the database's log into the database
 *     ledger_store_compare.c  two ledgers, row by row
 */
#ifndef LEDGER_LEDGER_STORE_INTERNAL_H
#define LEDGER_LEDGER_STORE_INTERNAL_H

#include <sqlite3.h>
#include <stdatomic.h>

#include "ledger/ledger_store.h"

/* Statements by name; prepared when first used. */
#define STATEMENT_TABLE(X)                                                     \
    X(BEGIN, "BEGIN IMMEDIATE")                                                \
    X(BEGIN_READING, "BEGIN")                                                  \
    X(COMMIT, "COMMIT")                                                        \
    X(ROLLBACK, "ROLLBACK")                                                    \
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
                     " FROM checkpoint)")

enum statement {
#define STATEMENT_ENUM(id, sql) SQL_##id,
    STATEMENT_TABLE(STATEMENT_ENUM)
#undef STATEMENT_ENUM
        STATEMENT_COUNT
};

struct copier;

struct ledger_store {
    sqlite3 *db;
    struct copier *copier; /* NULL: the writer copies itself */
    int log_pages;         /* from so many on the log is copied */
    sqlite3_stmt *statement[STATEMENT_COUNT];
    int lock; /* descriptor that keeps other writers out; -1: a reader */
    atomic_bool wal_has_name; /* durably */
    uint64_t writes;          /* to the state, since an entry was added */
    bool spares_disk;
    bool abandoned; /* a transaction that could not even be rolled back */
    char *path;
};

/* ---- SQLite's answers as ours ---- */

/* E_INPUT: a row says what we did not write. */
MUST_USE enum status store_altered(const struct ledger_store *store,
                                   const char *what, struct error *err);
/* What SQLite said last. */
MUST_USE enum status store_failed(const struct ledger_store *store, int code,
                                  struct error *err);

/* ---- statements ---- */

/* Have it ready, not to need memory later. */
MUST_USE enum status store_compile(struct ledger_store *store,
                                   enum statement which, struct error *err);
/* Ready to be bound; *statement is the store's own. */
MUST_USE enum status store_prepare(struct ledger_store *store,
                                   enum statement which,
                                   sqlite3_stmt **statement, struct error *err);

/* What is bound is borrowed until the statement was run. */
void store_bind_bytes(sqlite3_stmt *statement, int at, struct bytes bytes);
void store_bind_digest(sqlite3_stmt *statement, int at,
                       const struct digest *digest);
void store_bind_text(sqlite3_stmt *statement, int at, const char *text);
void store_bind_number(sqlite3_stmt *statement, int at, uint64_t number);

/* Run one that returns nothing. */
MUST_USE enum status store_run(struct ledger_store *store,
                               sqlite3_stmt *statement, struct error *err);
/* The same for one that has nothing to bind. */
MUST_USE enum status store_simple(struct ledger_store *store,
                                  enum statement which, struct error *err);
/* Step to a row; *found is false at the end. */
MUST_USE enum status store_step(struct ledger_store *store,
                                sqlite3_stmt *statement, bool *found,
                                struct error *err);

/* Until the next step. */
struct bytes store_column_bytes(sqlite3_stmt *statement, int at);
/* False if it is negative, which no number of ours is. */
bool store_column_number(sqlite3_stmt *statement, int at, uint64_t *number);
/* A column that must have a fixed size has been altered if it has not. */
MUST_USE enum status store_column_fixed(const struct ledger_store *store,
                                        sqlite3_stmt *statement, int at,
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
                                      sqlite3_stmt *statement, int at,
                                      const struct sealed_row *row,
                                      struct error *err);

/* ---- the database's log ---- */

/* Of a writer: have it copied when it is large. */
void store_watch_log(struct ledger_store *store);
/* To be called before the store is closed; none is as good. */
void store_stop_copying(struct ledger_store *store);

/* ---- what there is one of ---- */

MUST_USE enum status store_get_meta(struct ledger_store *store, const char *key,
                                    void *out, size_t size, bool *found,
                                    struct error *err);
MUST_USE enum status store_put_meta(struct ledger_store *store, const char *key,
                                    struct bytes value, struct error *err);

#endif
