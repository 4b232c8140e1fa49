#include <assert.h>
#include <string.h>

#include "common/encoding.h"
#include "ledger/ledger_store_internal.h"

static const char *const statement_sql[] = {
#define STATEMENT_SQL(id, sql) sql,
    STATEMENT_TABLE(STATEMENT_SQL)
#undef STATEMENT_SQL
};

enum status store_altered(const struct ledger_store *store, const char *what,
                          struct error *err)
{
    return error_set(err, E_INPUT, "%s: %s; the database was altered",
                     store->path, what);
}

enum status store_failed(const struct ledger_store *store, int code,
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
        return store_altered(store, "a new row is there already", err);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return error_set(err, E_INPUT, "%s: the database is damaged: %s",
                         store->path, words);
    default:
        return error_set(err, E_IO, "%s: %s", store->path, words);
    }
}

enum status store_compile(struct ledger_store *store, enum statement which,
                          struct error *err)
{
    int code;

    if (store->statement[which] != NULL)
        return OK;
    code = sqlite3_prepare_v3(store->db, statement_sql[which], -1,
                              SQLITE_PREPARE_PERSISTENT,
                              &store->statement[which], NULL);
    return code == SQLITE_OK ? OK : store_failed(store, code, err);
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

enum status store_prepare(struct ledger_store *store, enum statement which,
                          sqlite3_stmt **statement, struct error *err)
{
    enum status status = OK;

    if (store->abandoned)
        status = end_abandoned(store, err);
    if (status == OK)
        status = store_compile(store, which, err);
    if (status != OK)
        return status;
    *statement = store->statement[which];
    sqlite3_reset(*statement);
    return OK;
}

void store_bind_bytes(sqlite3_stmt *statement, int at, struct bytes bytes)
{
    sqlite3_bind_blob64(statement, at,
                        bytes.size > 0 ? bytes.data : (const uint8_t *)"",
                        bytes.size, SQLITE_STATIC);
}

void store_bind_digest(sqlite3_stmt *statement, int at,
                       const struct digest *digest)
{
    store_bind_bytes(statement, at, bytes_of(digest->byte, DIGEST_SIZE));
}

void store_bind_text(sqlite3_stmt *statement, int at, const char *text)
{
    sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
}

void store_bind_number(sqlite3_stmt *statement, int at, uint64_t number)
{
    assert(number <= INT64_MAX);
    sqlite3_bind_int64(statement, at, (sqlite3_int64)number);
}

enum status store_run(struct ledger_store *store, sqlite3_stmt *statement,
                      struct error *err)
{
    int code = sqlite3_step(statement);
    enum status status = OK;

    if (code != SQLITE_DONE)
        status = store_failed(store, code, err);
    sqlite3_reset(statement);
    return status;
}

enum status store_step(struct ledger_store *store, sqlite3_stmt *statement,
                       bool *found, struct error *err)
{
    int code = sqlite3_step(statement);

    *found = code == SQLITE_ROW;
    if (code == SQLITE_ROW || code == SQLITE_DONE)
        return OK;
    return store_failed(store, code, err);
}

struct bytes store_column_bytes(sqlite3_stmt *statement, int at)
{
    const void *data = sqlite3_column_blob(statement, at);

    return bytes_of(
        data, data == NULL ? 0 : (size_t)sqlite3_column_bytes(statement, at));
}

bool store_column_number(sqlite3_stmt *statement, int at, uint64_t *number)
{
    sqlite3_int64 stored = sqlite3_column_int64(statement, at);

    *number = (uint64_t)stored;
    return stored >= 0;
}

enum status store_column_fixed(const struct ledger_store *store,
                               sqlite3_stmt *statement, int at, void *out,
                               size_t size, struct error *err)
{
    struct bytes bytes = store_column_bytes(statement, at);

    if (bytes.size != size)
        return store_altered(store, "a row has a wrong size", err);
    memcpy(out, bytes.data, size);
    return OK;
}

enum status store_simple(struct ledger_store *store, enum statement which,
                         struct error *err)
{
    sqlite3_stmt *statement = NULL;
    enum status status = store_prepare(store, which, &statement, err);

    return status == OK ? store_run(store, statement, err) : status;
}

int64_t store_seal(const struct sealed_row *row)
{
    struct bytes part[] = {
        {0}, bytes_of_string(row->table), row->key, row->value};
    uint8_t head[(SEALED_NUMBERS_MAX + 2) * 8];
    struct digest digest;

    /* Sizes first: where one part ends must not be open. */
    put_be64(head, row->key.size);
    put_be64(head + 8, row->value.size);
    for (size_t i = 0; i < SEALED_NUMBERS_MAX; i++)
        put_be64(head + 16 + 8 * i, row->number[i]);
    part[0] = bytes_of(head, sizeof head);
    digest_parts(&digest, part, sizeof part / sizeof part[0]);
    return (int64_t)get_be64(digest.byte);
}

void store_printable(struct bytes key, char out[STORE_KEY_SHOWN])
{
    if (key.size >= STORE_KEY_SHOWN)
        key.size = STORE_KEY_SHOWN - 1;
    for (size_t i = 0; i < key.size; i++)
        out[i] =
            key.data[i] > ' ' && key.data[i] < 0x7f ? (char)key.data[i] : '?';
    out[key.size] = '\0';
}

enum status store_check_seal(const struct ledger_store *store,
                             sqlite3_stmt *statement, int at,
                             const struct sealed_row *row, struct error *err)
{
    char key[STORE_KEY_SHOWN];

    if (sqlite3_column_int64(statement, at) == store_seal(row))
        return OK;
    store_printable(row->key, key);
    return error_set(err, E_INPUT,
                     "%s: table %s: row %s does not have its seal; the "
                     "database was altered",
                     store->path, row->table, key);
}
