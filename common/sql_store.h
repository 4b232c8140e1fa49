/*
 * common/sql_store.h - a database file of ours, by SQLite: how it is opened,
 * what its failures mean.
 *
 * A module that keeps something says, in a plan, which tables there are and
 * which statements it runs:
 *
 *     enum { ADD, FIND, STATEMENT_COUNT };
 *     static const char *const schema[] = {"CREATE TABLE ..."};
 *     static const char *const statement[] = {"INSERT ...", "SELECT ..."};
 *     static const struct sql_plan plan = {.what = "a vault", ...};
 *
 *     struct sql_statement *find;
 *
 *     status = sql_store_prepare(store, FIND, &find, err);
 *     if (status == OK) {
 *         sql_bind_number(find, 1, place);
 *         status = sql_store_step(store, find, &found, err);
 *     }
 *     ... sql_column_bytes(find, 0) ...
 *     sql_store_reset(find);
 *
 * The file has mode 0600 and is refused when wider; it holds exactly these
 * tables: a trigger or a view of somebody's would change what the statements
 * mean.  One process has it at a time.  Commits are synced, folder included.
 *
 * Errors name the file and what SQLite says of its structure, never a value.
 * Values that are read are for the caller to distrust.
 */
#ifndef COMMON_SQL_STORE_H
#define COMMON_SQL_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/error.h"

struct sql_store;
struct sql_statement; /* prepared; the store's own */

struct sql_plan {
    const char *what;          /* "a keyring", for messages */
    const char *const *schema; /* one CREATE TABLE each */
    size_t table_count;
    const char *const *statement; /* by the module's own enum */
    size_t statement_count;
    unsigned cache_kib; /* pages at hand; taken as they are needed */
    /* Fewer syncs, at the price of a second file while it is open; without it a
     * commit leaves the whole state in the one file. */
    bool write_ahead;
};

enum sql_open { SQL_OPEN_EXISTING, SQL_OPEN_OR_CREATE, SQL_CREATE };

/* E_INPUT if the file is not there (SQL_OPEN_EXISTING), is there with tables in
 * it (SQL_CREATE), is not such a database, is open to others, or in use
 * ("<path>.lock" keeps others out, and stays behind).  *fresh, where not NULL,
 * says that the tables were made: in a transaction that is still open, for the
 * caller to put first rows in and commit. */
MUST_USE enum status sql_store_open(struct sql_store **store, const char *path,
                                    const struct sql_plan *plan,
                                    enum sql_open how, bool *fresh,
                                    struct error *err);
void sql_store_close(struct sql_store **store);

const char *sql_store_path(const struct sql_store *store);

MUST_USE enum status sql_store_begin(struct sql_store *store,
                                     struct error *err);
MUST_USE enum status sql_store_commit(struct sql_store *store,
                                      struct error *err);
/* Does nothing outside of a transaction.  Where even that fails, no statement
 * runs until it has succeeded. */
void sql_store_rollback(struct sql_store *store);

/* A statement of the plan, reset. */
MUST_USE enum status sql_store_prepare(struct sql_store *store, size_t which,
                                       struct sql_statement **statement,
                                       struct error *err);

/* Parameters from 1 on; bytes are borrowed until the reset. */
void sql_bind_bytes(struct sql_statement *statement, int at,
                    struct bytes bytes);
void sql_bind_text(struct sql_statement *statement, int at, const char *text);
/* At most INT64_MAX, asserted. */
void sql_bind_number(struct sql_statement *statement, int at, uint64_t number);

/* Run one that returns no rows, and reset it.  E_INPUT if a row that is new by
 * all that we know is there already. */
MUST_USE enum status sql_store_run(struct sql_store *store,
                                   struct sql_statement *statement,
                                   struct error *err);
/* Rows that the last statement changed. */
uint64_t sql_store_changes(const struct sql_store *store);
/* To the next row; *found is false behind the last. */
MUST_USE enum status sql_store_step(struct sql_store *store,
                                    struct sql_statement *statement,
                                    bool *found, struct error *err);
void sql_store_reset(struct sql_statement *statement);

/* Columns of the present row, from 0 on.  Bytes are borrowed until the next
 * step. */
struct bytes sql_column_bytes(struct sql_statement *statement, int at);
/* False if it is negative, which no number of ours is. */
MUST_USE bool sql_column_number(struct sql_statement *statement, int at,
                                uint64_t *number);
/* False, and nothing copied, if it does not have this size. */
MUST_USE bool sql_column_fixed(struct sql_statement *statement, int at,
                               void *out, size_t size);

#endif
