#include "ledger/ledger_store.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/encoding.h"
#include "common/files.h"

/* Raised with every change of the tables below. */
#define SCHEMA_VERSION 1

/* A reader that recovers a log after a crash holds its lock for so long at
 * most. */
#define BUSY_MS 5000

/* Statements by name; prepared when first used. */
#define STATEMENT_TABLE(X)                                                     \
    X(BEGIN, "BEGIN IMMEDIATE")                                                \
    X(BEGIN_READING, "BEGIN")                                                  \
    X(COMMIT, "COMMIT")                                                        \
    X(ROLLBACK, "ROLLBACK")                                                    \
    X(ADD_ENTRY, "INSERT INTO entry(position, id, bytes, signatures, verdict," \
                 " block) VALUES(?1, ?2, ?3, ?4, ?5, ?6)")                     \
    X(ADD_NONCE, "INSERT INTO nonce(nonce, position) VALUES(?1, ?2) ON"        \
                 " CONFLICT(nonce) DO NOTHING")                                \
    X(ENTRY, "SELECT id, bytes, signatures, verdict, block FROM entry WHERE"   \
             " position = ?1")                                                 \
    X(FIND, "SELECT position, verdict, block FROM entry WHERE id = ?1")        \
    X(NONCE, "SELECT position FROM nonce WHERE nonce = ?1")                    \
    X(PUT_NODE, "INSERT INTO node(place, hash) VALUES(?1, ?2)")                \
    X(GET_NODE, "SELECT hash FROM node WHERE place = ?1")                      \
    X(ADD_BLOCK, "INSERT INTO block(number, header, hash) VALUES(?1, ?2, ?3)") \
    X(BLOCK, "SELECT number, header, hash FROM block WHERE number = ?1")       \
    X(TIP, "SELECT number, header, hash FROM block ORDER BY number DESC LIMIT" \
           " 1")                                                               \
    X(GET, "SELECT value, version FROM state WHERE key = ?1")                  \
    X(PUT, "INSERT INTO state(key, value, version) VALUES(?1, ?2, ?3) ON"      \
           " CONFLICT(key) DO UPDATE SET value = ?2, version = ?3")            \
    X(ADD_HISTORY, "INSERT INTO history(key, position) VALUES(?1, ?2) ON"      \
                   " CONFLICT(key, position) DO NOTHING")                      \
    X(HISTORY, "SELECT position FROM history WHERE key = ?1 AND position >= "  \
               "?2 ORDER BY position LIMIT ?3")                                \
    X(GET_META, "SELECT value FROM meta WHERE key = ?1")                       \
    X(PUT_META, "INSERT INTO meta(key, value) VALUES(?1, ?2) ON"               \
                " CONFLICT(key) DO UPDATE SET value = ?2")                     \
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

static const char *const statement_sql[] = {
#define STATEMENT_SQL(id, sql) sql,
    STATEMENT_TABLE(STATEMENT_SQL)
#undef STATEMENT_SQL
};

/* STRICT: a column holds its type and nothing else, whoever wrote it.  What
 * stands in a file must be these very texts. */
static const char *const schema[] = {
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB NOT NULL)"
    " STRICT, WITHOUT ROWID",
    "CREATE TABLE block(number INTEGER PRIMARY KEY, header BLOB NOT NULL,"
    " hash BLOB NOT NULL) STRICT",
    "CREATE TABLE entry(position INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE,"
    " bytes BLOB NOT NULL, signatures BLOB NOT NULL, verdict INTEGER NOT NULL,"
    " block INTEGER NOT NULL) STRICT",
    "CREATE TABLE nonce(nonce TEXT PRIMARY KEY, position INTEGER NOT NULL)"
    " STRICT, WITHOUT ROWID",
    "CREATE TABLE node(place INTEGER PRIMARY KEY, hash BLOB NOT NULL) STRICT",
    "CREATE TABLE state(key TEXT PRIMARY KEY, value BLOB NOT NULL,"
    " version INTEGER NOT NULL) STRICT, WITHOUT ROWID",
    "CREATE TABLE history(key TEXT NOT NULL, position INTEGER NOT NULL,"
    " PRIMARY KEY(key, position)) STRICT, WITHOUT ROWID",
    "CREATE TABLE checkpoint(size INTEGER PRIMARY KEY, note BLOB NOT NULL)"
    " STRICT",
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
 * database.  64 MiB of them at hand spare most reads; and copying them from the
 * WAL into the database only after 64 MiB, not after the usual 4, which are one
 * or two batches, lets most be overwritten before they are copied. */
#define CACHE_SIZE "-65536"
#define WAL_PAGES "16384"

struct ledger_store {
    sqlite3 *db;
    atomic_bool wal_has_name; /* durably */
    sqlite3_stmt *statement[STATEMENT_COUNT];
    int lock; /* descriptor that keeps other writers out; -1: a reader */
    bool spares_disk;
    bool abandoned; /* a transaction that could not even be rolled back */
    char *path;
};

/* ---- SQLite's answers as ours ---- */

static enum status altered(struct ledger_store *store, const char *what,
                           struct error *err)
{
    return error_set(err, E_INPUT, "%s: %s; the database was altered",
                     store->path, what);
}

static enum status failed(struct ledger_store *store, int code,
                          struct error *err)
{
    const char *words = sqlite3_errmsg(store->db);

    if (code == SQLITE_IOERR_NOMEM)
        return error_memory(err, "the ledger's database");
    switch (code & 0xff) {
    case SQLITE_NOMEM:
        return error_memory(err, "the ledger's database");
    case SQLITE_FULL:
        return error_set(err, E_IO, "%s: the disk is full", store->path);
    case SQLITE_CONSTRAINT:
        /* What we add is new by all that the log says. */
        return altered(store, "a new row is there already", err);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return error_set(err, E_INPUT, "%s: the database is damaged: %s",
                         store->path, words);
    default:
        return error_set(err, E_IO, "%s: %s", store->path, words);
    }
}

static enum status compile(struct ledger_store *store, enum statement which,
                           struct error *err)
{
    int code;

    if (store->statement[which] != NULL)
        return OK;
    code = sqlite3_prepare_v3(store->db, statement_sql[which], -1,
                              SQLITE_PREPARE_PERSISTENT,
                              &store->statement[which], NULL);
    return code == SQLITE_OK ? OK : failed(store, code, err);
}

/* No other statement may see what an abandoned transaction has written. */
static enum status end_abandoned(struct ledger_store *store, struct error *err)
{
    ledger_store_rollback(store);
    if (store->abandoned)
        return error_set(err, E_IO, "%s: a transaction cannot be rolled back",
                         store->path);
    return OK;
}

static enum status prepare(struct ledger_store *store, enum statement which,
                           sqlite3_stmt **statement, struct error *err)
{
    enum status status = OK;

    if (store->abandoned)
        status = end_abandoned(store, err);
    if (status == OK)
        status = compile(store, which, err);
    if (status != OK)
        return status;
    *statement = store->statement[which];
    sqlite3_reset(*statement);
    return OK;
}

static void bind_bytes(sqlite3_stmt *statement, int at, struct bytes bytes)
{
    sqlite3_bind_blob64(statement, at,
                        bytes.size > 0 ? bytes.data : (const uint8_t *)"",
                        bytes.size, SQLITE_STATIC);
}

static void bind_digest(sqlite3_stmt *statement, int at,
                        const struct digest *digest)
{
    bind_bytes(statement, at, bytes_of(digest->byte, DIGEST_SIZE));
}

static void bind_text(sqlite3_stmt *statement, int at, const char *text)
{
    sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
}

static void bind_number(sqlite3_stmt *statement, int at, uint64_t number)
{
    assert(number <= INT64_MAX);
    sqlite3_bind_int64(statement, at, (sqlite3_int64)number);
}

/* Run one that returns nothing. */
static enum status run(struct ledger_store *store, sqlite3_stmt *statement,
                       struct error *err)
{
    int code = sqlite3_step(statement);
    enum status status = OK;

    if (code != SQLITE_DONE)
        status = failed(store, code, err);
    sqlite3_reset(statement);
    return status;
}

/* Step to a row; *found is false at the end. */
static enum status step(struct ledger_store *store, sqlite3_stmt *statement,
                        bool *found, struct error *err)
{
    int code = sqlite3_step(statement);

    *found = code == SQLITE_ROW;
    if (code == SQLITE_ROW || code == SQLITE_DONE)
        return OK;
    return failed(store, code, err);
}

static struct bytes column_bytes(sqlite3_stmt *statement, int at)
{
    const void *data = sqlite3_column_blob(statement, at);

    return bytes_of(
        data, data == NULL ? 0 : (size_t)sqlite3_column_bytes(statement, at));
}

/* False if it is negative, which no number of ours is. */
static bool column_number(sqlite3_stmt *statement, int at, uint64_t *number)
{
    sqlite3_int64 stored = sqlite3_column_int64(statement, at);

    *number = (uint64_t)stored;
    return stored >= 0;
}

/* A column that must have a fixed size has been altered if it has not. */
static enum status column_fixed(struct ledger_store *store,
                                sqlite3_stmt *statement, int at, void *out,
                                size_t size, struct error *err)
{
    struct bytes bytes = column_bytes(statement, at);

    if (bytes.size != size)
        return altered(store, "a row has a wrong size", err);
    memcpy(out, bytes.data, size);
    return OK;
}

/* ---- opening ---- */

static enum status execute(struct ledger_store *store, const char *sql,
                           struct error *err)
{
    int code = sqlite3_exec(store->db, sql, NULL, NULL, NULL);

    return code == SQLITE_OK ? OK : failed(store, code, err);
}

static enum status get_meta(struct ledger_store *store, const char *key,
                            void *out, size_t size, bool *found,
                            struct error *err)
{
    sqlite3_stmt *statement = NULL;
    enum status status = prepare(store, SQL_GET_META, &statement, err);

    if (status != OK)
        return status;
    bind_text(statement, 1, key);
    status = step(store, statement, found, err);
    if (status == OK && *found)
        status = column_fixed(store, statement, 0, out, size, err);
    sqlite3_reset(statement);
    return status;
}

static enum status put_meta(struct ledger_store *store, const char *key,
                            struct bytes value, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    enum status status = prepare(store, SQL_PUT_META, &statement, err);

    if (status != OK)
        return status;
    bind_text(statement, 1, key);
    bind_bytes(statement, 2, value);
    return run(store, statement, err);
}

static enum status make_schema(struct ledger_store *store,
                               const struct digest *genesis, struct error *err)
{
    static const uint8_t version = SCHEMA_VERSION;
    enum status status = ledger_store_begin(store, err);

    for (size_t i = 0; status == OK && i < TABLE_COUNT; i++)
        status = execute(store, schema[i], err);
    if (status == OK)
        status = put_meta(store, "schema", bytes_of(&version, 1), err);
    if (status == OK)
        status = put_meta(store, "genesis",
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
    enum status status = code == SQLITE_OK ? OK : failed(store, code, err);

    *ours = true;
    while (status == OK && found) {
        status = step(store, statement, &found, err);
        if (status != OK || !found)
            break;
        *ours = *ours && count < TABLE_COUNT &&
                bytes_equal_string(column_bytes(statement, 0), schema[count]);
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
        status = get_meta(store, "schema", &version, 1, &has, err);
    if (status == OK && (!has || version != SCHEMA_VERSION))
        return error_set(err, E_INPUT, "%s: is of another version",
                         store->path);
    if (status == OK)
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
    enum status status = code == SQLITE_OK ? OK : failed(store, code, err);

    if (status == OK)
        status = step(store, statement, &found, err);
    if (status == OK &&
        (!found || !bytes_equal_string(column_bytes(statement, 0), "wal")))
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
        return failed(store, code, err);
    sqlite3_extended_result_codes(store->db, 1);
    sqlite3_busy_timeout(store->db, BUSY_MS);
    sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(store->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    status = execute(store, "PRAGMA cell_size_check = ON", err);
    if (status == OK)
        status = compile(store, SQL_ROLLBACK, err);
    if (status == OK && writer)
        status = use_wal(store, err);
    if (status == OK && writer)
        status = execute(store,
                         "PRAGMA synchronous = NORMAL;"
                         "PRAGMA cache_size = " CACHE_SIZE ";"
                         "PRAGMA wal_autocheckpoint = " WAL_PAGES ";"
                         "PRAGMA journal_size_limit = " JOURNAL_SIZE_LIMIT,
                         err);
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
    enum status status = get_meta(store, "genesis", genesis->byte,
                                  sizeof genesis->byte, &found, err);

    return status == OK && !found
               ? altered(store, "the genesis is missing", err)
               : status;
}

static enum status simple(struct ledger_store *store, enum statement which,
                          struct error *err)
{
    sqlite3_stmt *statement = NULL;
    enum status status = prepare(store, which, &statement, err);

    return status == OK ? run(store, statement, err) : status;
}

enum status ledger_store_begin(struct ledger_store *store, struct error *err)
{
    return simple(store, store->lock < 0 ? SQL_BEGIN_READING : SQL_BEGIN, err);
}

enum status ledger_store_commit(struct ledger_store *store, struct error *err)
{
    return simple(store, SQL_COMMIT, err);
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

/* ---- log ---- */

void stored_entry_init(struct stored_entry *entry)
{
    *entry = (struct stored_entry){0};
    text_init(&entry->bytes);
    text_init(&entry->signatures);
}

void stored_entry_clear(struct stored_entry *entry)
{
    text_clear(&entry->bytes);
    text_clear(&entry->signatures);
}

enum status ledger_store_add_entry(struct ledger_store *store,
                                   const struct new_entry *entry,
                                   struct error *err)
{
    sqlite3_stmt *statement = NULL;
    enum status status = prepare(store, SQL_ADD_ENTRY, &statement, err);

    if (status != OK)
        return status;
    bind_number(statement, 1, entry->position);
    bind_digest(statement, 2, entry->id);
    bind_bytes(statement, 3, entry->bytes);
    bind_bytes(statement, 4, entry->signatures);
    bind_number(statement, 5, entry->verdict);
    bind_number(statement, 6, entry->block);
    status = run(store, statement, err);
    if (status == OK)
        status = prepare(store, SQL_ADD_NONCE, &statement, err);
    if (status != OK)
        return status;
    /* Of two entries with one nonce, the first keeps it. */
    bind_text(statement, 1, entry->nonce);
    bind_number(statement, 2, entry->position);
    return run(store, statement, err);
}

static bool column_verdict(sqlite3_stmt *statement, int at,
                           enum entry_verdict *verdict)
{
    switch (sqlite3_column_int64(statement, at)) {
#define VERDICT_CASE(byte, id, name)                                           \
    case byte:                                                                 \
        *verdict = VERDICT_##id;                                               \
        return true;
        VERDICT_TABLE(VERDICT_CASE)
#undef VERDICT_CASE
    default:
        return false;
    }
}

static enum status read_entry(struct ledger_store *store,
                              sqlite3_stmt *statement,
                              struct stored_entry *entry, struct error *err)
{
    struct bytes bytes = column_bytes(statement, 1);
    struct bytes signatures = column_bytes(statement, 2);
    enum status status =
        column_fixed(store, statement, 0, &entry->id, sizeof entry->id, err);

    text_reset(&entry->bytes);
    text_reset(&entry->signatures);
    if (status == OK)
        status = text_append(&entry->bytes, bytes.data, bytes.size, err);
    if (status == OK)
        status = text_append(&entry->signatures, signatures.data,
                             signatures.size, err);
    if (status == OK && (!column_verdict(statement, 3, &entry->verdict) ||
                         !column_number(statement, 4, &entry->block)))
        status = altered(store, "an entry's verdict or block is none", err);
    return status;
}

enum status ledger_store_entry(struct ledger_store *store, uint64_t position,
                               struct stored_entry *entry, bool *found,
                               struct error *err)
{
    sqlite3_stmt *statement = NULL;
    enum status status = prepare(store, SQL_ENTRY, &statement, err);

    *found = false;
    if (status != OK || position > INT64_MAX)
        return status;
    entry->position = position;
    bind_number(statement, 1, position);
    status = step(store, statement, found, err);
    if (status == OK && *found)
        status = read_entry(store, statement, entry, err);
    sqlite3_reset(statement);
    return status;
}

enum status ledger_store_answer(struct ledger_store *store,
                                const struct digest *id,
                                struct stored_answer *answer, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    bool found = false;
    enum status status = prepare(store, SQL_FIND, &statement, err);

    *answer = (struct stored_answer){.position = STORE_NONE};
    if (status != OK)
        return status;
    bind_digest(statement, 1, id);
    status = step(store, statement, &found, err);
    if (status == OK && found &&
        (!column_number(statement, 0, &answer->position) ||
         !column_verdict(statement, 1, &answer->verdict) ||
         !column_number(statement, 2, &answer->block)))
        status = altered(store, "an entry's position, verdict or block is none",
                         err);
    sqlite3_reset(statement);
    return status;
}

enum status ledger_store_find(struct ledger_store *store,
                              const struct digest *id, uint64_t *position,
                              struct error *err)
{
    struct stored_answer answer;
    enum status status = ledger_store_answer(store, id, &answer, err);

    *position = answer.position;
    return status;
}

enum status ledger_store_nonce_seen(struct ledger_store *store,
                                    const char *nonce, bool *seen,
                                    struct error *err)
{
    sqlite3_stmt *statement = NULL;
    enum status status = prepare(store, SQL_NONCE, &statement, err);

    *seen = false;
    if (status != OK)
        return status;
    bind_text(statement, 1, nonce);
    status = step(store, statement, seen, err);
    sqlite3_reset(statement);
    return status;
}

/* Level and index of a tree node as one number: levels are below 64, and no
 * log has 2^57 leaves. */
#define INDEX_BITS 57

static bool place_of(unsigned level, uint64_t index, uint64_t *place)
{
    *place = (uint64_t)level << INDEX_BITS | index;
    return level < 1u << (63 - INDEX_BITS) && index < UINT64_C(1) << INDEX_BITS;
}

enum status ledger_store_put_node(void *context, unsigned level, uint64_t index,
                                  const struct digest *hash, struct error *err)
{
    struct ledger_store *store = context;
    sqlite3_stmt *statement = NULL;
    uint64_t place;
    enum status status;

    if (!place_of(level, index, &place))
        return error_set(err, E_LIMIT, "%s: the log is full", store->path);
    status = prepare(store, SQL_PUT_NODE, &statement, err);
    if (status != OK)
        return status;
    bind_number(statement, 1, place);
    bind_digest(statement, 2, hash);
    return run(store, statement, err);
}

enum status ledger_store_get_node(void *context, unsigned level, uint64_t index,
                                  struct digest *hash, struct error *err)
{
    struct ledger_store *store = context;
    sqlite3_stmt *statement = NULL;
    uint64_t place;
    bool found = false;
    enum status status;

    if (!place_of(level, index, &place))
        return altered(store, "a log of an impossible size", err);
    status = prepare(store, SQL_GET_NODE, &statement, err);
    if (status != OK)
        return status;
    bind_number(statement, 1, place);
    status = step(store, statement, &found, err);
    if (status == OK && !found)
        status = altered(store, "a node of the tree is missing", err);
    if (status == OK)
        status = column_fixed(store, statement, 0, hash, sizeof *hash, err);
    sqlite3_reset(statement);
    return status;
}

enum status ledger_store_add_block(struct ledger_store *store,
                                   const struct block *block,
                                   const struct digest *hash, struct error *err)
{
    uint8_t header[BLOCK_HEADER_SIZE];
    sqlite3_stmt *statement = NULL;
    enum status status = prepare(store, SQL_ADD_BLOCK, &statement, err);

    if (status != OK)
        return status;
    block_encode(block, header);
    bind_number(statement, 1, block->number);
    bind_bytes(statement, 2, bytes_of(header, sizeof header));
    bind_digest(statement, 3, hash);
    return run(store, statement, err);
}

static enum status first_block(struct ledger_store *store,
                               sqlite3_stmt *statement, struct block *block,
                               struct digest *hash, bool *found,
                               struct error *err)
{
    uint8_t header[BLOCK_HEADER_SIZE];
    struct digest stored, computed;
    enum status status = step(store, statement, found, err);

    if (status != OK || !*found)
        goto done;
    status = column_fixed(store, statement, 1, header, sizeof header, err);
    if (status == OK)
        status = column_fixed(store, statement, 2, &stored, sizeof stored, err);
    if (status != OK)
        goto done;
    block_decode(block, header);
    block_hash(block, &computed);
    if ((sqlite3_int64)block->number != sqlite3_column_int64(statement, 0) ||
        block->number > INT64_MAX)
        status = altered(store, "a block's header is of another block", err);
    else if (memcmp(&stored, &computed, sizeof stored) != 0)
        status = altered(store, "a block's header does not have its hash", err);
    else if (hash != NULL)
        *hash = stored;
done:
    sqlite3_reset(statement);
    return status;
}

enum status ledger_store_block(struct ledger_store *store, uint64_t number,
                               struct block *block, struct digest *hash,
                               bool *found, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    enum status status = prepare(store, SQL_BLOCK, &statement, err);

    *found = false;
    if (status != OK || number > INT64_MAX)
        return status;
    bind_number(statement, 1, number);
    return first_block(store, statement, block, hash, found, err);
}

enum status ledger_store_tip(struct ledger_store *store, struct block *block,
                             struct digest *hash, bool *found,
                             struct error *err)
{
    sqlite3_stmt *statement = NULL;
    enum status status = prepare(store, SQL_TIP, &statement, err);

    if (status != OK)
        return status;
    return first_block(store, statement, block, hash, found, err);
}

/* ---- meta ---- */

enum status ledger_store_raft_index(struct ledger_store *store, uint64_t *index,
                                    struct error *err)
{
    uint8_t encoded[8] = {0};
    bool found;
    enum status status =
        get_meta(store, "raft", encoded, sizeof encoded, &found, err);

    *index = get_be64(encoded);
    return status;
}

enum status ledger_store_set_raft_index(struct ledger_store *store,
                                        uint64_t index, struct error *err)
{
    uint8_t encoded[8];

    put_be64(encoded, index);
    return put_meta(store, "raft", bytes_of(encoded, sizeof encoded), err);
}

/* be64(size) || root */
#define COSIGNED_SIZE (8 + DIGEST_SIZE)

enum status ledger_store_cosigned(struct ledger_store *store, uint64_t *size,
                                  struct digest *root, struct error *err)
{
    uint8_t encoded[COSIGNED_SIZE] = {0};
    bool found;
    enum status status =
        get_meta(store, "cosigned", encoded, sizeof encoded, &found, err);

    *size = get_be64(encoded);
    memcpy(root->byte, encoded + 8, DIGEST_SIZE);
    return status;
}

enum status ledger_store_set_cosigned(struct ledger_store *store, uint64_t size,
                                      const struct digest *root,
                                      struct error *err)
{
    uint8_t encoded[COSIGNED_SIZE];

    enum status status;

    put_be64(encoded, size);
    memcpy(encoded + 8, root->byte, DIGEST_SIZE);
    status =
        put_meta(store, "cosigned", bytes_of(encoded, sizeof encoded), err);
    return status == OK ? ledger_store_sync(store, err) : status;
}

enum status ledger_store_anchored(struct ledger_store *store, uint64_t *size,
                                  struct text *note, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    bool found;
    enum status status = prepare(store, SQL_ANCHORED, &statement, err);

    *size = 0;
    text_reset(note);
    if (status != OK)
        return status;
    status = step(store, statement, &found, err);
    if (status == OK && found) {
        struct bytes bytes = column_bytes(statement, 1);

        if (!column_number(statement, 0, size))
            status = altered(store, "a checkpoint's size is none", err);
        else
            status = text_append(note, bytes.data, bytes.size, err);
    }
    sqlite3_reset(statement);
    return status;
}

enum status ledger_store_set_anchored(struct ledger_store *store, uint64_t size,
                                      struct bytes note, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    enum status status = prepare(store, SQL_ADD_ANCHORED, &statement, err);

    if (status != OK)
        return status;
    bind_number(statement, 1, size);
    bind_bytes(statement, 2, note);
    status = run(store, statement, err);
    return status == OK ? simple(store, SQL_DROP_ANCHORED, err) : status;
}

/* ---- state ---- */

enum status ledger_store_get(struct ledger_store *store, const char *key,
                             struct text *value, uint64_t *version,
                             struct error *err)
{
    sqlite3_stmt *statement = NULL;
    bool found;
    enum status status = prepare(store, SQL_GET, &statement, err);

    *version = STORE_NONE;
    text_reset(value);
    if (status != OK)
        return status;
    bind_text(statement, 1, key);
    status = step(store, statement, &found, err);
    if (status == OK && found) {
        struct bytes bytes = column_bytes(statement, 0);

        if (!column_number(statement, 1, version))
            status = altered(store, "a state's version is none", err);
        else
            status = text_append(value, bytes.data, bytes.size, err);
    }
    sqlite3_reset(statement);
    return status;
}

enum status ledger_store_put(struct ledger_store *store, const char *key,
                             struct bytes value, uint64_t version,
                             struct error *err)
{
    sqlite3_stmt *statement = NULL;
    enum status status = prepare(store, SQL_PUT, &statement, err);

    if (status != OK)
        return status;
    bind_text(statement, 1, key);
    bind_bytes(statement, 2, value);
    bind_number(statement, 3, version);
    status = run(store, statement, err);
    if (status == OK)
        status = prepare(store, SQL_ADD_HISTORY, &statement, err);
    if (status != OK)
        return status;
    bind_text(statement, 1, key);
    bind_number(statement, 2, version);
    return run(store, statement, err);
}

enum status ledger_store_history(struct ledger_store *store, const char *key,
                                 uint64_t from, size_t max, struct text *out,
                                 bool *more, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    size_t count = 0;
    bool found = true;
    enum status status = prepare(store, SQL_HISTORY, &statement, err);

    *more = false;
    if (status != OK || from > INT64_MAX)
        return status;
    assert(max < INT64_MAX);
    bind_text(statement, 1, key);
    bind_number(statement, 2, from);
    bind_number(statement, 3, (uint64_t)max + 1);
    while (status == OK && !*more) {
        uint8_t position[8];

        status = step(store, statement, &found, err);
        if (status != OK || !found)
            break;
        *more = count++ == max;
        put_be64(position, (uint64_t)sqlite3_column_int64(statement, 0));
        if (!*more)
            status = text_append(out, position, sizeof position, err);
    }
    sqlite3_reset(statement);
    return status;
}

/* ---- comparing ---- */

static const struct {
    const char *table;
    const char *rows; /* the key first, in its order */
} compared[] = {
    {"entry", "SELECT position, id, bytes, signatures, verdict, block FROM "
              "entry ORDER BY position"},
    {"block", "SELECT number, header, hash FROM block ORDER BY number"},
    {"nonce", "SELECT nonce, position FROM nonce ORDER BY nonce"},
    {"node", "SELECT place, hash FROM node ORDER BY place"},
    {"state", "SELECT key, value, version FROM state ORDER BY key"},
    {"history", "SELECT key, position FROM history ORDER BY key, position"},
};

static bool same_row(sqlite3_stmt *a, sqlite3_stmt *b)
{
    for (int i = 0; i < sqlite3_column_count(a); i++)
        if (sqlite3_column_type(a, i) != sqlite3_column_type(b, i) ||
            !bytes_equal(column_bytes(a, i), column_bytes(b, i)))
            return false;
    return true;
}

static void name_row(struct store_difference *difference, const char *table,
                     sqlite3_stmt *row)
{
    struct bytes key;

    difference->table = table;
    if (sqlite3_column_type(row, 0) == SQLITE_INTEGER &&
        !column_number(row, 0, &difference->number))
        difference->number = STORE_NONE;
    key = column_bytes(row, 0);
    if (key.size >= sizeof difference->key)
        key.size = sizeof difference->key - 1;
    /* Somebody else's bytes: nothing in them may steer a terminal. */
    for (size_t i = 0; i < key.size; i++)
        difference->key[i] =
            key.data[i] > ' ' && key.data[i] < 0x7f ? (char)key.data[i] : '?';
    difference->key[key.size] = '\0';
}

static enum status compare_rows(struct ledger_store *a, sqlite3_stmt *rows_a,
                                struct ledger_store *b, sqlite3_stmt *rows_b,
                                const char *table,
                                struct store_difference *difference,
                                struct error *err)
{
    bool more_a = true, more_b = true;
    enum status status = OK;

    while (more_a && difference->table == NULL) {
        status = step(a, rows_a, &more_a, err);
        if (status == OK)
            status = step(b, rows_b, &more_b, err);
        if (status != OK)
            return status;
        if (more_a != more_b || (more_a && !same_row(rows_a, rows_b)))
            name_row(difference, table, more_a ? rows_a : rows_b);
    }
    return status;
}

/* One table of both. */
static enum status compare_table(struct ledger_store *a, struct ledger_store *b,
                                 size_t which,
                                 struct store_difference *difference,
                                 struct error *err)
{
    sqlite3_stmt *rows_a = NULL, *rows_b = NULL;
    enum status status = OK;
    int code =
        sqlite3_prepare_v2(a->db, compared[which].rows, -1, &rows_a, NULL);

    if (code != SQLITE_OK)
        status = failed(a, code, err);
    if (status == OK) {
        code =
            sqlite3_prepare_v2(b->db, compared[which].rows, -1, &rows_b, NULL);
        if (code != SQLITE_OK)
            status = failed(b, code, err);
    }
    if (status == OK)
        status = compare_rows(a, rows_a, b, rows_b, compared[which].table,
                              difference, err);
    sqlite3_finalize(rows_a);
    sqlite3_finalize(rows_b);
    return status;
}

enum status ledger_store_compare(struct ledger_store *a, struct ledger_store *b,
                                 struct store_difference *difference,
                                 struct error *err)
{
    enum status status = OK;

    *difference = (struct store_difference){.number = STORE_NONE};
    for (size_t i = 0; status == OK && difference->table == NULL &&
                       i < sizeof compared / sizeof compared[0];
         i++)
        status = compare_table(a, b, i, difference, err);
    return status;
}

enum status ledger_store_check(struct ledger_store *store, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    bool found = false;
    int code = sqlite3_prepare_v2(store->db, "PRAGMA integrity_check(1)", -1,
                                  &statement, NULL);
    enum status status = code == SQLITE_OK ? OK : failed(store, code, err);

    if (status == OK)
        status = step(store, statement, &found, err);
    if (status == OK &&
        (!found || !bytes_equal_string(column_bytes(statement, 0), "ok")))
        status = error_set(err, E_INPUT,
                           "%s: the database is damaged: its pages or indexes "
                           "do not fit together",
                           store->path);
    sqlite3_finalize(statement);
    return status;
}
