/*
 * ledger/ledger_store_copier.c - copies the log of the database (WAL) into the
 * database, on a thread and a connection of its own.
 *
 * SQLite would do it at the end of the transaction that made the log large, and
 * whoever waits for that transaction would wait for the copying of thousands of
 * pages and two syncs as well: some 100 ms each second under load.
 */
#include <pthread.h>
#include <stdlib.h>

#include "ledger/ledger_store_internal.h"

/* Ids and nonces are random, so that a batch touches pages all over the
 * database.  64 MiB of them, not SQLite's usual 4, let most be overwritten
 * before they are copied.  Where the copier is so many times behind, whoever
 * writes waits for the copying after all. */
#define LOG_PAGES 16384
#define LOG_BEHIND 8
/* While pages are copied, more are written; the log begins anew once none is
 * left.  The second pass has a hundredth of the first. */
#define PASSES_MAX 16

struct copier {
    sqlite3 *db;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool wanted;
    bool stop;
};

static void copy(sqlite3 *db)
{
    int in_log = 0, copied = 0;

    /* What fails here, a full disk say, fails for the writer as well, who can
     * tell it. */
    for (int pass = 0; pass < PASSES_MAX; pass++)
        if (sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE,
                                      &in_log, &copied) != SQLITE_OK ||
            in_log == copied)
            break;
}

static void *run(void *argument)
{
    struct copier *copier = argument;

    pthread_mutex_lock(&copier->lock);
    for (;;) {
        while (!copier->wanted && !copier->stop)
            pthread_cond_wait(&copier->changed, &copier->lock);
        if (copier->stop)
            break;
        copier->wanted = false;
        pthread_mutex_unlock(&copier->lock);
        copy(copier->db);
        pthread_mutex_lock(&copier->lock);
    }
    pthread_mutex_unlock(&copier->lock);
    return NULL;
}

static void ask(struct copier *copier)
{
    pthread_mutex_lock(&copier->lock);
    copier->wanted = true;
    pthread_cond_signal(&copier->changed);
    pthread_mutex_unlock(&copier->lock);
}

/* After each transaction, on the writer's thread. */
static int on_commit(void *context, sqlite3 *db, const char *name, int pages)
{
    struct ledger_store *store = context;

    if (pages < store->log_pages)
        return SQLITE_OK;
    if (store->copier != NULL && pages / LOG_BEHIND < store->log_pages)
        ask(store->copier);
    else
        sqlite3_wal_checkpoint_v2(db, name, SQLITE_CHECKPOINT_PASSIVE, NULL,
                                  NULL);
    return SQLITE_OK;
}

void store_watch_log(struct ledger_store *store)
{
    store->log_pages = LOG_PAGES;
    sqlite3_wal_hook(store->db, on_commit, store);
}

enum status ledger_store_copy_aside(struct ledger_store *store,
                                    struct error *err)
{
    struct copier *copier = calloc(1, sizeof *copier);
    int code;

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

void store_stop_copying(struct ledger_store *store)
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
