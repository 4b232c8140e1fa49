#include "ledger/ledger_store.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/files.h"
#include "ledger/ledger_store_internal.h"

/* Raised with every change of the tables below. */
#define SCHEMA_VERSION 3

/* A reader that recovers a log after a crash holds its lock for so long at
 * most. */
#define BUSY_MS 5000

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
#define TABLE_COUNT (sizeof schema / sizeof schema[0])

/* The file that keeps a second writer out stands beside the database: closing
 * any descriptor of the database itself would drop the locks that SQLite has
 * on it in this process. */
#define LOCK_SUFFIX ".lock"
/* SQLite's. */
#define WAL_SUFFIX "-wal"

/* A WAL that grew while somebody read for long is cut down to this again. */
#define JOURNAL_SIZE_LIMIT "67108864"

/* Ids and nonces are random, so that a batch touches pages all over the
 * database: 64 MiB of them at hand spare most reads. */
#define CACHE_SIZE "-65536"

/* ---- opening ---- */

static enum status execute(struct ledger_store *store, const char *sql,
                           struct error *err)
{
    int code = sqlite3_exec(store->db, sql, NULL, NULL, NULL);

    return code == SQLITE_OK ? OK : store_failed(store, code, err);
}

static enum status make_schema(struct ledger_store *store,
                               const struct digest *genesis, struct error *err)
{
    static const uint8_t version = SCHEMA_VERSION;
    enum status status = ledger_store_begin(store, err);

    for (size_t i = 0; status == OK && i < TABLE_COUNT; i++)
        status = execute(store, schema[i], err);
    if (status == OK)
        status = store_put_meta(store, "schema", bytes_of(&version, 1), err);
    if (status == OK)
        status = store_put_meta(store, "genesis",
                                bytes_of(genesis->byte, DIGEST_SIZE), err);
    if (status == OK)
        status = ledger_store_commit(store, err);
    if (status != OK)
        ledger_store_rollback(store);
    return status;
}

/* Are there exactly our tables?  A trigger or a view of somebody's would change
 * what our statements mean.  *empty: there is nothing at all. */
static enum status compare_schema(struct ledger_store *store, bool *ours,
                                  bool *empty, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    size_t count = 0;
    bool found = true;
    int code = sqlite3_prepare_v2(store->db,
                                  "SELECT sql FROM sqlite_schema WHERE sql IS "
                                  "NOT NULL ORDER BY rowid",
                                  -1, &statement, NULL);
    enum status status =
        code == SQLITE_OK ? OK : store_failed(store, code, err);

    *ours = true;
    while (status == OK && found) {
        status = store_step(store, statement, &found, err);
        if (status != OK || !found)
            break;
        *ours =
            *ours && count < TABLE_COUNT &&
            bytes_equal_string(store_column_bytes(statement, 0), schema[count]);
        count++;
    }
    sqlite3_finalize(statement);
    *empty = count == 0;
    *ours = *ours && count == TABLE_COUNT;
    return status;
}

static enum status check_schema(struct ledger_store *store,
                                const struct digest *genesis, struct error *err)
{
    struct digest stored;
    uint8_t version = 0;
    bool ours = false, empty = false, has = false;
    enum status status = compare_schema(store, &ours, &empty, err);

    if (status == OK && empty && genesis != NULL)
        return make_schema(store, genesis, err);
    if (status == OK && !ours)
        return error_set(err, E_INPUT,
                         "%s: does not have the tables of a ledger of this "
                         "version",
                         store->path);
    if (status == OK)
        status = store_get_meta(store, "schema", &version, 1, &has, err);
    if (status == OK && (!has || version != SCHEMA_VERSION))
        return error_set(err, E_INPUT, "%s: is of another version",
                         store->path);
    if (status == OK && genesis != NULL)
        status = ledger_store_genesis(store, &stored, err);
    if (status == OK && genesis != NULL &&
        memcmp(&stored, genesis, sizeof stored) != 0)
        return error_set(err, E_INPUT, "%s: belongs to another network",
                         store->path);
    return status;
}

/* A lock of our own: SQLite would let a second node in between two of our
 * transactions.  It ends with the process, however that ends. */
static enum status take_lock(struct ledger_store *store, struct error *err)
{
    struct text path;
    enum status status;

    text_init(&path);
    status = text_printf(&path, err, "%s%s", store->path, LOCK_SUFFIX);
    if (status == OK) {
        store->lock = open(path.data, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (store->lock < 0)
            status = error_set_errno(err, E_INPUT, errno, "%s", path.data);
        else if (flock(store->lock, LOCK_EX | LOCK_NB) != 0)
            status = error_set(err, E_INPUT, "%s: another process is using it",
                               store->path);
    }
    text_clear(&path);
    return status;
}

/* SQLite would make the file readable for all. */
static enum status make_file(struct ledger_store *store, struct error *err)
{
    int fd = open(store->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0 && errno != EEXIST)
        return error_set_errno(err, E_INPUT, errno, "%s", store->path);
    if (fd >= 0)
        close(fd);
    return OK;
}

static enum status use_wal(struct ledger_store *store, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    bool found = false;
    int code = sqlite3_prepare_v2(store->db, "PRAGMA journal_mode = WAL", -1,
                                  &statement, NULL);
    enum status status =
        code == SQLITE_OK ? OK : store_failed(store, code, err);

    if (status == OK)
        status = store_step(store, statement, &found, err);
    if (status == OK &&
        (!found ||
         !bytes_equal_string(store_column_bytes(statement, 0), "wal")))
        status = error_set(err, E_IO,
                           "%s: its file system cannot have a database that "
                           "is read and written at once",
                           store->path);
    sqlite3_finalize(statement);
    return status;
}

/* SQLite would find out later, and say less. */
static enum status check_file(struct ledger_store *store, struct error *err)
{
    struct stat is;

    if (stat(store->path, &is) != 0)
        return error_set_errno(err, E_INPUT, errno, "%s", store->path);
    if (!S_ISREG(is.st_mode))
        return error_set(err, E_INPUT, "%s: is no regular file", store->path);
    return OK;
}

static enum status open_database(struct ledger_store *store, bool writer,
                                 struct error *err)
{
    int flags = writer ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
    int code = sqlite3_open_v2(store->path, &store->db,
                               flags | SQLITE_OPEN_NOMUTEX, NULL);
    enum status status;

    if (store->db == NULL)
        return error_memory(err, "a database");
    if (code == SQLITE_CANTOPEN)
        return error_set(err, E_INPUT, "%s: cannot be opened", store->path);
    if (code != SQLITE_OK)
        return store_failed(store, code, err);
    sqlite3_extended_result_codes(store->db, 1);
    sqlite3_busy_timeout(store->db, BUSY_MS);
    sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(store->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    status = execute(store, "PRAGMA cell_size_check = ON", err);
    if (status == OK)
        status = store_compile(store, SQL_ROLLBACK, err);
    if (status == OK && writer)
        status = use_wal(store, err);
    if (status == OK && writer)
        status = execute(store,
                         "PRAGMA synchronous = NORMAL;"
                         "PRAGMA cache_size = " CACHE_SIZE ";"
                         "PRAGMA journal_size_limit = " JOURNAL_SIZE_LIMIT,
                         err);
    if (status == OK && writer)
        store_watch_log(store);
    return status;
}

static enum status open_store(struct ledger_store **out, const char *path,
                              const struct digest *genesis, struct error *err)
{
    struct ledger_store *store = calloc(1, sizeof *store);
    bool writer = genesis != NULL;
    enum status status = OK;

    *out = NULL;
    if (store == NULL)
        return error_memory(err, "a ledger");
    store->lock = -1;
    store->path = string_copy(path);
    if (store->path == NULL)
        status = error_memory(err, "a ledger");
    if (status == OK && writer)
        status = take_lock(store, err);
    if (status == OK && writer)
        status = make_file(store, err);
    if (status == OK)
        status = check_file(store, err);
    if (status == OK)
        status = open_database(store, writer, err);
    if (status == OK)
        status = check_schema(store, genesis, err);
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
    store_stop_copying(store);
    for (size_t i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_finalize(store->statement[i]);
    sqlite3_close(store->db);
    if (store->lock >= 0)
        close(store->lock);
    free(store->path);
    free(store);
    *handle = NULL;
}

enum status ledger_store_spare_disk(struct ledger_store *store,
                                    struct error *err)
{
    store->spares_disk = true;
    return execute(store, "PRAGMA synchronous = OFF", err);
}

enum status ledger_store_sync(struct ledger_store *store, struct error *err)
{
    struct text path;
    enum status status;

    if (store->spares_disk)
        return OK;
    text_init(&path);
    status = text_printf(&path, err, "%s%s", store->path, WAL_SUFFIX);
    if (status == OK)
        status = file_sync(path.data, err);
    /* SQLite made its name, and has perhaps not synced the folder. */
    if (status == OK && !atomic_load(&store->wal_has_name)) {
        status = file_sync_folder(path.data, err);
        atomic_store(&store->wal_has_name, status == OK);
    }
    text_clear(&path);
    return status;
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
    return store_simple(store, store->lock < 0 ? SQL_BEGIN_READING : SQL_BEGIN,
                        err);
}

enum status ledger_store_commit(struct ledger_store *store, struct error *err)
{
    return store_simple(store, SQL_COMMIT, err);
}

/* The statement is there since the store was opened: to roll back is what one
 * does when memory is short. */
void ledger_store_rollback(struct ledger_store *store)
{
    sqlite3_stmt *statement = store->statement[SQL_ROLLBACK];

    /* Nothing to roll back when SQLite has done so itself. */
    if (sqlite3_get_autocommit(store->db) == 0) {
        sqlite3_reset(statement);
        sqlite3_step(statement);
        sqlite3_reset(statement);
    }
    store->abandoned = sqlite3_get_autocommit(store->db) == 0;
}
