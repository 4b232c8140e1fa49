/*
 * common/sql_store_internal.h - a store as its parts have it.
 *
 *     sql_store.c        the file, its tables, statements, transactions
 *     sql_store_log.c    the write-ahead log: copying and syncing it
 */
#ifndef COMMON_SQL_STORE_INTERNAL_H
#define COMMON_SQL_STORE_INTERNAL_H

#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "common/error.h"
#include "common/sql_store.h"

struct copier;

struct sql_store {
    const struct sql_plan *plan;
    sqlite3 *db;
    sqlite3_stmt **statement; /* of the plan, then our own */
    struct copier *copier;    /* NULL: whoever writes copies the log */
    int log_pages;            /* as large as the log should be */
    int log_due;              /* it is copied from so many pages on */
    int lock;                 /* descriptor that keeps others out, or -1 */
    bool reads;               /* and cannot write */
    bool abandoned; /* a transaction that could not even be rolled back */
    bool spares_disk;
    atomic_bool log_has_name; /* durably */
    char *path;
};

/* What SQLite said last, as ours. */
MUST_USE enum status sql_store_failed(const struct sql_store *store, int code,
                                      struct error *err);
/* What returns no rows, and is run once. */
MUST_USE enum status sql_store_execute(struct sql_store *store, const char *sql,
                                       struct error *err);

/* Of one that writes: have the log copied when it is as large as the plan
 * says. */
MUST_USE enum status sql_store_watch_log(struct sql_store *store,
                                         struct error *err);
/* Before the store is closed. */
void sql_store_stop_copying(struct sql_store *store);

#endif
