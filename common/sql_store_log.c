/*
 * common/sql_store_log.c - the write-ahead log (WAL): copied into the database
 * on a thread and a connection of its own, where that was asked for; synced.
 *
 * SQLite would copy it at the end of the transaction that made it large, and
 * whoever waits for that transaction would wait for the copying of thousands of
 * pages and two syncs as well: some 100 ms each second under the ledger's load.
 */
#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/files.h"
#include "common/sql_store_internal.h"
#include "common/text.h"

/* SQLite's. */
#define LOG_SUFFIX "-wal"

/* Where the log is so many times as large as it should be, whoever writes waits
 * for the copying after all. */
#define LOG_BEHIND 8
/* While pages are copied and synced, more are written, which the next pass
 * finds: far fewer, and few enough after so many passes that a writer can wait
 * for the rest. */
#define PASSES 3
/* The log begins anew when no page in it is left to copy and nobody reads it.
 * Where somebody does, it is copied again when it has grown by this part of
 * what it should be. */
#define LOG_STEPS 4

/* What the two threads say to each other: the writer that pages are to be
 * copied, the copier that most are. */
enum copying { RESTING, COPYING, COPIED };

struct copier {
    sqlite3 *db;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    enum copying state;
    bool stop;
};

/* ---- copying ---- */

/* Never waits for who reads or writes.  What fails here, a full disk say, fails
 * for the writer as well, who can tell it. */
static bool copy(sqlite3 *db)
{
    int pages = -1;
    int code = sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE,
                                         &pages, NULL);

    /* A connection that has no log open says that all is well. */
    assert(code != SQLITE_OK || pages >= 0);
    return code == SQLITE_OK;
}

static void *run(void *argument)
{
    struct copier *copier = argument;

    pthread_mutex_lock(&copier->lock);
    for (;;) {
        while (copier->state != COPYING && !copier->stop)
            pthread_cond_wait(&copier->changed, &copier->lock);
        if (copier->stop)
            break;
        pthread_mutex_unlock(&copier->lock);
        for (int pass = 0; pass < PASSES && copy(copier->db); pass++)
            ;
        pthread_mutex_lock(&copier->lock);
        copier->state = COPIED;
        pthread_cond_signal(&copier->changed);
    }
    pthread_mutex_unlock(&copier->lock);
    return NULL;
}

/* True when most is copied.  Asks for it, if need be waits. */
static bool is_copied(struct copier *copier, bool waits)
{
    bool copied;

    pthread_mutex_lock(&copier->lock);
    if (copier->state == RESTING) {
        copier->state = COPYING;
        pthread_cond_signal(&copier->changed);
    }
    while (waits && copier->state == COPYING)
        pthread_cond_wait(&copier->changed, &copier->lock);
    copied = copier->state == COPIED;
    if (copied)
        copier->state = RESTING;
    pthread_mutex_unlock(&copier->lock);
    return copied;
}

/* After each transaction, on the writer's thread.  The copier alone would never
 * be done: behind what it copies there is always a newer transaction, and the
 * log would grow for ever.  The writer copies the last of them, while there can
 * be none behind; its next one is the first of the new log. */
static int on_commit(void *context, sqlite3 *db, const char *name, int pages)
{
    struct sql_store *store = context;
    int large = store->log_pages;

    (void)name;
    if (pages < large)
        store->log_due = large;
    if (pages < store->log_due)
        return SQLITE_OK;
    if (store->copier != NULL &&
        !is_copied(store->copier, pages / LOG_BEHIND >= large))
        return SQLITE_OK;
    (void)copy(db);
    store->log_due = pages + large / LOG_STEPS;
    return SQLITE_OK;
}

static enum status count_log_pages(struct sql_store *store, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    enum status status = OK;
    int code =
        sqlite3_prepare_v2(store->db, "PRAGMA page_size", -1, &statement, NULL);

    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code != SQLITE_ROW)
        status = sql_store_failed(store, code, err);
    else
        store->log_pages = (int)(store->plan->log_kib * 1024ull /
                                 (unsigned)sqlite3_column_int(statement, 0));
    sqlite3_finalize(statement);
    return status;
}

/* A log that grew while somebody read for long is cut down again; what it grows
 * by while it is copied, it keeps: to cut off 400 MiB takes 300 ms, and to have
 * the file system give them again is more to sync. */
enum status sql_store_watch_log(struct sql_store *store, struct error *err)
{
    char pragma[64];
    enum status status = count_log_pages(store, err);

    snprintf(pragma, sizeof pragma, "PRAGMA journal_size_limit = %llu",
             2ull * store->plan->log_kib * 1024);
    if (status == OK)
        status = sql_store_execute(store, pragma, err);
    if (status == OK)
        sqlite3_wal_hook(store->db, on_commit, store);
    return status;
}

enum status sql_store_copy_aside(struct sql_store *store, struct error *err)
{
    struct copier *copier = calloc(1, sizeof *copier);
    int code;

    assert(store->plan->log_kib > 0 && store->plan->shared);
    assert(!store->reads && store->copier == NULL);
    if (copier == NULL)
        return error_memory(err, "the copying of the database's log");
    code = sqlite3_open_v2(store->path, &copier->db,
                           SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code != SQLITE_OK) {
        sqlite3_close(copier->db);
        free(copier);
        return error_set(err, E_IO, "%s: cannot be opened a second time",
                         store->path);
    }
    /* SQLite opens the log of a connection when that reads first; until then
     * there is nothing to copy for it. */
    code = sqlite3_exec(copier->db, "SELECT count(*) FROM sqlite_schema", NULL,
                        NULL, NULL);
    if (code != SQLITE_OK) {
        sqlite3_close(copier->db);
        free(copier);
        return error_set(err, E_IO, "%s: cannot be read a second time",
                         store->path);
    }
    pthread_mutex_init(&copier->lock, NULL);
    pthread_cond_init(&copier->changed, NULL);
    if (pthread_create(&copier->thread, NULL, run, copier) != 0) {
        pthread_cond_destroy(&copier->changed);
        pthread_mutex_destroy(&copier->lock);
        sqlite3_close(copier->db);
        free(copier);
        return error_set(err, E_SYSTEM, "a thread cannot be started");
    }
    store->copier = copier;
    return OK;
}

void sql_store_stop_copying(struct sql_store *store)
{
    struct copier *copier = store->copier;

    if (copier == NULL)
        return;
    pthread_mutex_lock(&copier->lock);
    copier->stop = true;
    pthread_cond_signal(&copier->changed);
    pthread_mutex_unlock(&copier->lock);
    pthread_join(copier->thread, NULL);
    pthread_cond_destroy(&copier->changed);
    pthread_mutex_destroy(&copier->lock);
    sqlite3_close(copier->db);
    free(copier);
    store->copier = NULL;
}

/* ---- syncing ---- */

enum status sql_store_spare_disk(struct sql_store *store, struct error *err)
{
    store->spares_disk = true;
    return sql_store_execute(store, "PRAGMA synchronous = OFF", err);
}

enum status sql_store_sync(struct sql_store *store, struct error *err)
{
    struct text path;
    enum status status;

    assert(store->plan->sync_later);
    if (store->spares_disk)
        return OK;
    text_init(&path);
    status = text_printf(&path, err, "%s%s", store->path, LOG_SUFFIX);
    if (status == OK)
        status = file_sync(path.data, err);
    /* SQLite made its name, and has perhaps not synced the folder. */
    if (status == OK && !atomic_load(&store->log_has_name)) {
        status = file_sync_folder(path.data, err);
        atomic_store(&store->log_has_name, status == OK);
    }
    text_clear(&path);
    return status;
}
