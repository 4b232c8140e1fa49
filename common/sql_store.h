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
 * The file is made with mode 0600; it holds exactly these tables: a trigger or
 * a view of somebody's would change what the statements mean.  One store at a
 * time may write to it.  Where the plan says no more, nobody else may read it,
 * a file that is open to others is refused, and commits are synced, folder
 * included.
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
    const char *const *schema; /* one CREATE each */
    size_t table_count;
    const char *const *statement; /* by the module's own enum */
    size_t statement_count;
    unsigned cache_kib; /* pages at hand; taken as they are needed */
    /* Fewer syncs, at the price of a second file while it is open; without it a
     * commit leaves the whole state in the one file. */
    bool write_ahead;

    /* ---- with write_ahead ---- */

    /* Read while it is written: by any number of stores that are opened with
     * SQL_READ, here or in other processes.  Such a file keeps no secret: who
     * may read it is for its owner to say, and what is deleted in it may stay
     * readable. */
    bool shared;
    /* A commit survives the process.  A loss of power may take the newest,
     * never one without those behind it, up to the last sql_store_sync(). */
    bool sync_later;
    /* From this size on the second file is copied into the first; 0: from
     * SQLite's usual 4 MiB on. */
    unsigned log_kib;
    /* Bytes of a page of a new file; 0: SQLite's usual 4,096.  An old file
     * keeps its own. */
    unsigned page_size;
};

enum sql_open { SQL_OPEN_EXISTING, SQL_OPEN_OR_CREATE, SQL_CREATE, SQL_READ };

/* E_INPUT if the file is not there (SQL_OPEN_EXISTING, SQL_READ), is there with
 * tables in it (SQL_CREATE), is not such a database, is open to others, or in
 * use ("<path>.lock" keeps others out, and stays behind).  *fresh, if not NULL,
 * says that the tables were made: in a transaction that is still open, for the
 * caller to put first rows in and commit. */
MUST_USE enum status sql_store_open(struct sql_store **store, const char *path,
                                    const struct sql_plan *plan,
                                    enum sql_open how, bool *fresh,
                                    struct error *err);
void sql_store_close(struct sql_store **store);

const char *sql_store_path(const struct sql_store *store);

/* Of a plan with log_kib that is shared: copy on a thread of its own from now
 * on, so that no transaction waits for it. */
MUST_USE enum status sql_store_copy_aside(struct sql_store *store,
                                          struct error *err);
/* Sync nothing from now on: for a file that nobody opens again after a crash.
 */
MUST_USE enum status sql_store_spare_disk(struct sql_store *store,
                                          struct error *err);
/* Of a plan with sync_later: returns when all that was committed is on the
 * disk. May be called while another thread uses the store. */
MUST_USE enum status sql_store_sync(struct sql_store *store, struct error *err);

/* What comes next is read from the file, not from pages of it that were read
 * before: for who looks whether the file is what it was.  In no transaction. */
void sql_store_read_anew(struct sql_store *store);

/* One that reads sees one state from here to the commit. */
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
/* Of any sign. */
void sql_bind_integer(struct sql_statement *statement, int at, int64_t integer);

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
int64_t sql_column_integer(struct sql_statement *statement, int at);
bool sql_column_is_integer(struct sql_statement *statement, int at);
/* False, and nothing copied, if it does not have this size. */
MUST_USE bool sql_column_fixed(struct sql_statement *statement, int at,
                               void *out, size_t size);
/* Do the present rows of two runs of the same text say the same? */
bool sql_rows_equal(struct sql_statement *a, struct sql_statement *b);

#endif
