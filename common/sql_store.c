#include "common/sql_store.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/sql_store_internal.h"
#include "common/text.h"

/* Somebody with SQLite's own command may look at it, or recover the log after a
 * crash: not for long. */
#define BUSY_MS 5000

/* The file that keeps a second process out stands beside the database: closing
 * any descriptor of the database itself would drop the locks that SQLite has
 * on it in this process. */
#define LOCK_SUFFIX ".lock"

/* Statements of every store, behind those of the plan. */
enum { BEGIN, BEGIN_READING, COMMIT, ROLLBACK, OWN_COUNT };
static const char *const own_statement[OWN_COUNT] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [BEGIN_READING] = "BEGIN",
    [COMMIT] = "COMMIT",
    [ROLLBACK] = "ROLLBACK",
};

static sqlite3_stmt *of(struct sql_statement *statement)
{
    return (sqlite3_stmt *)(void *)statement;
}

/* ---- SQLite's answers as ours ---- */

enum status sql_store_failed(const struct sql_store *store, int code,
                             struct error *err)
{
    const char *words = sqlite3_errmsg(store->db);

    if (code == SQLITE_IOERR_NOMEM)
        return error_memory(err, store->plan->what);
    switch (code & 0xff) {
    case SQLITE_NOMEM:
        return error_memory(err, store->plan->what);
    case SQLITE_FULL:
        return error_set(err, E_IO, "%s: the disk is full", store->path);
    case SQLITE_CONSTRAINT:
        return error_set(err, E_INPUT,
                         "%s: a new row is there already; the database was "
                         "altered",
                         store->path);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return error_set(err, E_INPUT, "%s: the database is damaged: %s",
                         store->path, words);
    default:
        return error_set(err, E_IO, "%s: %s", store->path, words);
    }
}

enum status sql_store_execute(struct sql_store *store, const char *sql,
                              struct error *err)
{
    int code = sqlite3_exec(store->db, sql, NULL, NULL, NULL);

    return code == SQLITE_OK ? OK : sql_store_failed(store, code, err);
}

/* ---- statements ---- */

static enum status compile(struct sql_store *store, size_t which,
                           struct error *err)
{
    size_t count = store->plan->statement_count;
    const char *sql = which < count ? store->plan->statement[which]
                                    : own_statement[which - count];
    int code;

    if (store->statement[which] != NULL)
        return OK;
    code = sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT,
                              &store->statement[which], NULL);
    return code == SQLITE_OK ? OK : sql_store_failed(store, code, err);
}

/* No other statement may see what an abandoned transaction has written. */
static enum status end_abandoned(struct sql_store *store, struct error *err)
{
    sql_store_rollback(store);
    if (store->abandoned)
        return error_set(err, E_IO, "%s: a transaction cannot be rolled back",
                         store->path);
    return OK;
}

static enum status prepare(struct sql_store *store, size_t which,
                           sqlite3_stmt **statement, struct error *err)
{
    enum status status = store->abandoned ? end_abandoned(store, err) : OK;

    if (status == OK)
        status = compile(store, which, err);
    if (status != OK)
        return status;
    *statement = store->statement[which];
    sqlite3_reset(*statement);
    return OK;
}

enum status sql_store_prepare(struct sql_store *store, size_t which,
                              struct sql_statement **statement,
                              struct error *err)
{
    sqlite3_stmt *prepared = NULL;
    enum status status;

    assert(which < store->plan->statement_count);
    status = prepare(store, which, &prepared, err);
    *statement = (struct sql_statement *)(void *)prepared;
    return status;
}

/* Binding copies nothing, so it cannot fail: the index is right and the size
 * below SQLite's limit, or it is our own mistake. */
void sql_bind_bytes(struct sql_statement *statement, int at, struct bytes bytes)
{
    int code = sqlite3_bind_blob64(
        of(statement), at, bytes.size > 0 ? bytes.data : (const uint8_t *)"",
        bytes.size, SQLITE_STATIC);

    assert(code == SQLITE_OK);
}

void sql_bind_text(struct sql_statement *statement, int at, const char *text)
{
    int code = sqlite3_bind_text(of(statement), at, text, -1, SQLITE_STATIC);

    assert(code == SQLITE_OK);
}

void sql_bind_number(struct sql_statement *statement, int at, uint64_t number)
{
    int code;

    assert(number <= INT64_MAX);
    code = sqlite3_bind_int64(of(statement), at, (sqlite3_int64)number);
    assert(code == SQLITE_OK);
}

void sql_bind_integer(struct sql_statement *statement, int at, int64_t integer)
{
    int code = sqlite3_bind_int64(of(statement), at, integer);

    assert(code == SQLITE_OK);
}

enum status sql_store_run(struct sql_store *store,
                          struct sql_statement *statement, struct error *err)
{
    int code = sqlite3_step(of(statement));
    enum status status = OK;

    if (code != SQLITE_DONE)
        status = sql_store_failed(store, code, err);
    sqlite3_reset(of(statement));
    return status;
}

void sql_store_read_anew(struct sql_store *store)
{
    assert(sqlite3_get_autocommit(store->db) != 0);
    (void)sqlite3_db_release_memory(store->db);
}

uint64_t sql_store_changes(const struct sql_store *store)
{
    return (uint64_t)sqlite3_changes64(store->db);
}

enum status sql_store_step(struct sql_store *store,
                           struct sql_statement *statement, bool *found,
                           struct error *err)
{
    int code = sqlite3_step(of(statement));

    *found = code == SQLITE_ROW;
    if (code == SQLITE_ROW || code == SQLITE_DONE)
        return OK;
    return sql_store_failed(store, code, err);
}

void sql_store_reset(struct sql_statement *statement)
{
    if (statement != NULL)
        sqlite3_reset(of(statement));
}

struct bytes sql_column_bytes(struct sql_statement *statement, int at)
{
    const void *data = sqlite3_column_blob(of(statement), at);

    return bytes_of(
        data,
        data == NULL ? 0 : (size_t)sqlite3_column_bytes(of(statement), at));
}

bool sql_column_number(struct sql_statement *statement, int at,
                       uint64_t *number)
{
    sqlite3_int64 stored = sqlite3_column_int64(of(statement), at);

    *number = (uint64_t)stored;
    return stored >= 0;
}

int64_t sql_column_integer(struct sql_statement *statement, int at)
{
    return sqlite3_column_int64(of(statement), at);
}

bool sql_column_is_integer(struct sql_statement *statement, int at)
{
    return sqlite3_column_type(of(statement), at) == SQLITE_INTEGER;
}

bool sql_column_fixed(struct sql_statement *statement, int at, void *out,
                      size_t size)
{
    struct bytes bytes = sql_column_bytes(statement, at);

    if (bytes.size != size)
        return false;
    memcpy(out, bytes.data, size);
    return true;
}

/* An integer as such: asked for its bytes, SQLite would make a text of it. */
static bool columns_equal(struct sql_statement *a, struct sql_statement *b,
                          int at)
{
    if (sqlite3_column_type(of(a), at) != sqlite3_column_type(of(b), at))
        return false;
    if (sql_column_is_integer(a, at))
        return sql_column_integer(a, at) == sql_column_integer(b, at);
    return bytes_equal(sql_column_bytes(a, at), sql_column_bytes(b, at));
}

bool sql_rows_equal(struct sql_statement *a, struct sql_statement *b)
{
    for (int i = 0; i < sqlite3_column_count(of(a)); i++)
        if (!columns_equal(a, b, i))
            return false;
    return true;
}

/* ---- transactions ---- */

static enum status run_own(struct sql_store *store, size_t which,
                           struct error *err)
{
    sqlite3_stmt *statement = NULL;
    enum status status =
        prepare(store, store->plan->statement_count + which, &statement, err);
    int code;

    if (status != OK)
        return status;
    code = sqlite3_step(statement);
    if (code != SQLITE_DONE)
        status = sql_store_failed(store, code, err);
    sqlite3_reset(statement);
    return status;
}

enum status sql_store_begin(struct sql_store *store, struct error *err)
{
    return run_own(store, store->reads ? BEGIN_READING : BEGIN, err);
}

enum status sql_store_commit(struct sql_store *store, struct error *err)
{
    return run_own(store, COMMIT, err);
}

/* The statement is there since the store was opened: to roll back is what one
 * does when memory is short. */
void sql_store_rollback(struct sql_store *store)
{
    sqlite3_stmt *statement =
        store->statement[store->plan->statement_count + ROLLBACK];

    /* Nothing to roll back when SQLite has done so itself. */
    if (sqlite3_get_autocommit(store->db) == 0) {
        sqlite3_reset(statement);
        sqlite3_step(statement);
        sqlite3_reset(statement);
    }
    store->abandoned = sqlite3_get_autocommit(store->db) == 0;
}

/* ---- opening ---- */

static enum status take_lock(struct sql_store *store, struct error *err)
{
    struct text path;
    enum status status;

    text_init(&path);
    status = text_printf(&path, err, "%s%s", store->path, LOCK_SUFFIX);
    if (status == OK) {
        store->lock = openat(AT_FDCWD, path.data,
                             O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
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
static enum status make_file(struct sql_store *store, struct error *err)
{
    int fd = openat(AT_FDCWD, store->path,
                    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0 && errno != EEXIST)
        return error_set_errno(err, E_INPUT, errno, "%s", store->path);
    if (fd >= 0)
        close(fd);
    return OK;
}

static enum status check_file(struct sql_store *store, struct error *err)
{
    struct stat is;

    if (stat(store->path, &is) != 0)
        return error_set_errno(err, E_INPUT, errno, "%s", store->path);
    if (!S_ISREG(is.st_mode))
        return error_set(err, E_INPUT, "%s: is no regular file", store->path);
    if (!store->plan->shared && (is.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return error_set(err, E_INPUT,
                         "%s: has mode %04o; it is for its owner alone: chmod "
                         "600",
                         store->path, (unsigned)(is.st_mode & 07777));
    return OK;
}

/* The journal that was asked for, since some file systems cannot have it. */
static enum status set_journal(struct sql_store *store, struct error *err)
{
    bool ahead = store->plan->write_ahead;
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(store->db,
                                  ahead ? "PRAGMA journal_mode = WAL"
                                        : "PRAGMA journal_mode = DELETE",
                                  -1, &statement, NULL);
    enum status status = OK;

    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code != SQLITE_ROW)
        status = sql_store_failed(store, code, err);
    else if (strcmp((const char *)sqlite3_column_text(statement, 0),
                    ahead ? "wal" : "delete") != 0)
        status = error_set(err, E_IO,
                           "%s: its file system cannot have the journal that "
                           "is needed",
                           store->path);
    sqlite3_finalize(statement);
    return status;
}

/* What a writer asks for, once the file is known to be ours.  EXTRA is FULL
 * with the folder synced when a rollback journal goes: without it, power that
 * fails then can bring the journal back, and with it the state before a commit
 * that we have told others of. */
static enum status set_writing(struct sql_store *store, struct error *err)
{
    enum status status = set_journal(store, err);

    if (status == OK)
        status = sql_store_execute(store,
                                   store->plan->sync_later
                                       ? "PRAGMA synchronous = NORMAL"
                                       : "PRAGMA synchronous = EXTRA",
                                   err);
    if (status == OK && store->plan->log_kib > 0)
        status = sql_store_watch_log(store, err);
    return status;
}

/* A page is what each change of a row costs the log. */
static enum status set_page_size(struct sql_store *store, struct error *err)
{
    char pragma[64];

    snprintf(pragma, sizeof pragma, "PRAGMA page_size = %u",
             store->plan->page_size);
    return sql_store_execute(store, pragma, err);
}

static enum status set_cache(struct sql_store *store, struct error *err)
{
    char pragma[64];

    snprintf(pragma, sizeof pragma, "PRAGMA cache_size = -%u",
             store->plan->cache_kib);
    return sql_store_execute(store, pragma, err);
}

/* One that nobody else reads is locked once, for as long as it is open, not for
 * each statement: that took longer than the statements themselves. */
static enum status set_private(struct sql_store *store, struct error *err)
{
    return sql_store_execute(store,
                             "PRAGMA locking_mode = EXCLUSIVE;"
                             "PRAGMA secure_delete = ON;"
                             "PRAGMA temp_store = MEMORY",
                             err);
}

static enum status open_database(struct sql_store *store, struct error *err)
{
    int flags = store->reads ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    int code = sqlite3_open_v2(store->path, &store->db,
                               flags | SQLITE_OPEN_NOMUTEX, NULL);
    enum status status;

    if (store->db == NULL)
        return error_memory(err, store->plan->what);
    if ((code & 0xff) == SQLITE_CANTOPEN)
        return error_set(err, E_INPUT, "%s: cannot be opened", store->path);
    if (code != SQLITE_OK)
        return sql_store_failed(store, code, err);
    sqlite3_extended_result_codes(store->db, 1);
    sqlite3_busy_timeout(store->db, BUSY_MS);
    sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(store->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    status = sql_store_execute(store, "PRAGMA cell_size_check = ON", err);
    if (status == OK && !store->plan->shared)
        status = set_private(store, err);
    if (status == OK && !store->reads && store->plan->page_size > 0)
        status = set_page_size(store, err);
    if (status == OK && !store->reads)
        status = set_cache(store, err);
    if (status == OK)
        status = compile(store, store->plan->statement_count + ROLLBACK, err);
    return status;
}

/* Are there exactly our tables?  *count: tables, indexes and all else that has
 * a text. */
static enum status compare_schema(struct sql_store *store, bool *ours,
                                  size_t *count, struct error *err)
{
    const struct sql_plan *plan = store->plan;
    sqlite3_stmt *statement = NULL;
    enum status status = OK;
    int code = sqlite3_prepare_v2(store->db,
                                  "SELECT sql FROM sqlite_schema WHERE sql IS "
                                  "NOT NULL ORDER BY rowid",
                                  -1, &statement, NULL);

    *ours = true;
    for (*count = 0; code == SQLITE_OK || code == SQLITE_ROW; ++*count) {
        struct bytes text;

        code = sqlite3_step(statement);
        if (code != SQLITE_ROW)
            break;
        text = bytes_of(sqlite3_column_blob(statement, 0),
                        (size_t)sqlite3_column_bytes(statement, 0));
        *ours = *ours && *count < plan->table_count && text.data != NULL &&
                bytes_equal_string(text, plan->schema[*count]);
    }
    if (code != SQLITE_DONE)
        status = sql_store_failed(store, code, err);
    sqlite3_finalize(statement);
    *ours = *ours && *count == plan->table_count;
    return status;
}

/* Nothing is changed in a database that is not ours. */
static enum status settle_schema(struct sql_store *store, enum sql_open how,
                                 bool *fresh, struct error *err)
{
    bool ours = false;
    size_t count = 0;
    enum status status = compare_schema(store, &ours, &count, err);

    if (status != OK)
        return status;
    if (count > 0 && how == SQL_CREATE)
        return error_set(err, E_INPUT,
                         "%s: exists already, and is not overwritten",
                         store->path);
    *fresh = count == 0 && (how == SQL_OPEN_OR_CREATE || how == SQL_CREATE);
    if (!ours && !*fresh)
        return error_set(
            err, E_INPUT,
            "%s: does not have the tables of %s of this version; it "
            "is of another one, or damaged",
            store->path, store->plan->what);
    if (!store->reads)
        status = set_writing(store, err);
    if (*fresh && status == OK)
        status = sql_store_begin(store, err);
    for (size_t i = 0; *fresh && status == OK && i < store->plan->table_count;
         i++)
        status = sql_store_execute(store, store->plan->schema[i], err);
    return status;
}

/* The file as it has to be, and nobody else who may write to it. */
static enum status take_file(struct sql_store *store, enum sql_open how,
                             struct error *err)
{
    enum status status = OK;

    if (how == SQL_OPEN_EXISTING || how == SQL_READ)
        status = check_file(store, err);
    if (status == OK && how != SQL_READ)
        status = take_lock(store, err);
    if (status == OK && (how == SQL_OPEN_OR_CREATE || how == SQL_CREATE))
        status = make_file(store, err);
    if (status == OK)
        status = check_file(store, err);
    return status;
}

enum status sql_store_open(struct sql_store **out, const char *path,
                           const struct sql_plan *plan, enum sql_open how,
                           bool *fresh, struct error *err)
{
    struct sql_store *store = calloc(1, sizeof *store);
    bool is_fresh = false;
    enum status status = OK;

    assert(plan->write_ahead || (!plan->shared && !plan->sync_later &&
                                 plan->log_kib == 0 && plan->page_size == 0));
    assert(plan->shared || how != SQL_READ);
    *out = NULL;
    if (store == NULL)
        return error_memory(err, plan->what);
    store->plan = plan;
    store->reads = how == SQL_READ;
    store->lock = -1;
    store->path = string_copy(path);
    store->statement =
        calloc(plan->statement_count + OWN_COUNT, sizeof *store->statement);
    if (store->path == NULL || store->statement == NULL)
        status = error_memory(err, plan->what);
    if (status == OK)
        status = take_file(store, how, err);
    if (status == OK)
        status = open_database(store, err);
    if (status == OK)
        status = settle_schema(store, how, &is_fresh, err);
    if (status == OK && is_fresh && fresh == NULL)
        status = sql_store_commit(store, err);
    if (status != OK)
        sql_store_close(&store);
    else if (fresh != NULL)
        *fresh = is_fresh;
    *out = store;
    return status;
}

void sql_store_close(struct sql_store **handle)
{
    struct sql_store *store = *handle;

    if (store == NULL)
        return;
    sql_store_stop_copying(store);
    for (size_t i = 0; store->statement != NULL &&
                       i < store->plan->statement_count + OWN_COUNT;
         i++)
        sqlite3_finalize(store->statement[i]);
    sqlite3_close(store->db); /* ends what was not committed */
    if (store->lock >= 0)
        close(store->lock);
    free(store->statement);
    free(store->path);
    free(store);
    *handle = NULL;
}

const char *sql_store_path(const struct sql_store *store)
{
    return store->path;
}
