#include "ledger/ledger_store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/ledger_store_internal.h"

/* Raised with every change of the tables below. */
#define SCHEMA_VERSION 3

/* STRICT: a column holds its type and nothing else, whoever wrote it.  What
 * stands in a file must be these very texts. */
static const char *const schema[] = {
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB NOT NULL,"
    " seal INTEGER NOT NULL) STRICT, WITHOUT ROWID",
    "CREATE TABLE block(number INTEGER PRIMARY KEY, header BLOB NOT NULL,"
    " hash BLOB NOT NULL) STRICT",
    "CREATE TABLE entry(position INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE,"
    " bytes BLOB NOT NULL, signatures BLOB NOT NULL, verdict INTEGER NOT NULL,"
    " block INTEGER NOT NULL, writes INTEGER NOT NULL,"
    " seal INTEGER NOT NULL) STRICT",
    "CREATE TABLE nonce(nonce TEXT PRIMARY KEY, position INTEGER NOT NULL,"
    " seal INTEGER NOT NULL) STRICT, WITHOUT ROWID",
    "CREATE TABLE node(place INTEGER PRIMARY KEY, hash BLOB NOT NULL) STRICT",
    "CREATE TABLE state(key TEXT PRIMARY KEY, value BLOB NOT NULL,"
    " version INTEGER NOT NULL, seal INTEGER NOT NULL)"
    " STRICT, WITHOUT ROWID",
    "CREATE TABLE history(key TEXT NOT NULL, position INTEGER NOT NULL,"
    " previous INTEGER NOT NULL, seal INTEGER NOT NULL,"
    " PRIMARY KEY(key, position)) STRICT, WITHOUT ROWID",
    "CREATE TABLE checkpoint(size INTEGER PRIMARY KEY, note BLOB NOT NULL)"
    " STRICT",
    "CREATE INDEX written ON history(position)",
};

static const char *const statement[] = {
#define STATEMENT_SQL(id, sql) [SQL_##id] = sql,
    STATEMENT_TABLE(STATEMENT_SQL)
#undef STATEMENT_SQL
};

/* Ids and nonces are random, so that a batch touches pages all over the
 * database: 64 MiB of them at hand spare most reads, and a log of 1 GiB, not
 * SQLite's usual 4 MiB, lets most be written several times before they are
 * copied: at 3,000 entries a second it is full every 23 seconds.  In each such
 * page one row of some 100 bytes changes, and all of it is written: pages of 2
 * KiB are 17 KiB of log for an entry, of 4 KiB 27. */
static const struct sql_plan plan = {
    .what = "a ledger",
    .schema = schema,
    .table_count = sizeof schema / sizeof schema[0],
    .statement = statement,
    .statement_count = STATEMENT_COUNT,
    .cache_kib = 65536,
    .write_ahead = true,
    .shared = true,
    .sync_later = true,
    .log_kib = 1048576,
    .page_size = 2048,
};

/* ---- opening ---- */

/* The rows of a new ledger, in the transaction that made its tables. */
static enum status add_first(struct ledger_store *store,
                             const struct digest *genesis, struct error *err)
{
    static const uint8_t version = SCHEMA_VERSION;
    enum status status =
        store_put_meta(store, "schema", bytes_of(&version, 1), err);

    if (status == OK)
        status = store_put_meta(store, "genesis",
                                bytes_of(genesis->byte, DIGEST_SIZE), err);
    return status == OK ? ledger_store_commit(store, err) : status;
}

/* genesis is NULL for a reader, who takes any. */
static enum status check_first(struct ledger_store *store,
                               const struct digest *genesis, struct error *err)
{
    const char *path = sql_store_path(store->sql);
    struct digest stored;
    uint8_t version = 0;
    bool has = false;
    enum status status =
        store_get_meta(store, "schema", &version, 1, &has, err);

    if (status == OK && (!has || version != SCHEMA_VERSION))
        return error_set(err, E_INPUT, "%s: is of another version", path);
    if (status == OK && genesis != NULL)
        status = ledger_store_genesis(store, &stored, err);
    if (status == OK && genesis != NULL &&
        memcmp(&stored, genesis, sizeof stored) != 0)
        return error_set(err, E_INPUT, "%s: belongs to another network", path);
    return status;
}

static enum status open_store(struct ledger_store **out, const char *path,
                              const struct digest *genesis, struct error *err)
{
    struct ledger_store *store = calloc(1, sizeof *store);
    bool fresh = false;
    enum status status;

    *out = NULL;
    if (store == NULL)
        return error_memory(err, "a ledger");
    status = sql_store_open(&store->sql, path, &plan,
                            genesis != NULL ? SQL_OPEN_OR_CREATE : SQL_READ,
                            &fresh, err);
    if (status == OK)
        status = fresh ? add_first(store, genesis, err)
                       : check_first(store, genesis, err);
    if (status != OK)
        ledger_store_close(&store);
    *out = store;
    return status;
}

enum status ledger_store_open(struct ledger_store **store, const char *path,
                              const struct digest *genesis, struct error *err)
{
    assert(genesis != NULL);
    return open_store(store, path, genesis, err);
}

enum status ledger_store_open_reader(struct ledger_store **store,
                                     const char *path, struct error *err)
{
    return open_store(store, path, NULL, err);
}

void ledger_store_close(struct ledger_store **handle)
{
    struct ledger_store *store = *handle;

    if (store == NULL)
        return;
    sql_store_close(&store->sql);
    free(store);
    *handle = NULL;
}

enum status ledger_store_copy_aside(struct ledger_store *store,
                                    struct error *err)
{
    return sql_store_copy_aside(store->sql, err);
}

enum status ledger_store_spare_disk(struct ledger_store *store,
                                    struct error *err)
{
    return sql_store_spare_disk(store->sql, err);
}

enum status ledger_store_sync(struct ledger_store *store, struct error *err)
{
    return sql_store_sync(store->sql, err);
}

enum status ledger_store_genesis(struct ledger_store *store,
                                 struct digest *genesis, struct error *err)
{
    bool found = false;
    enum status status = store_get_meta(store, "genesis", genesis->byte,
                                        sizeof genesis->byte, &found, err);

    return status == OK && !found
               ? store_altered(store, "the genesis is missing", err)
               : status;
}

enum status ledger_store_begin(struct ledger_store *store, struct error *err)
{
    store->writes = 0;
    return sql_store_begin(store->sql, err);
}

enum status ledger_store_commit(struct ledger_store *store, struct error *err)
{
    return sql_store_commit(store->sql, err);
}

void ledger_store_rollback(struct ledger_store *store)
{
    sql_store_rollback(store->sql);
}

void ledger_store_read_anew(struct ledger_store *store)
{
    sql_store_read_anew(store->sql);
}
