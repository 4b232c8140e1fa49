#include "common/encoding.h"
#include "ledger/ledger_store_internal.h"

enum status store_altered(const struct ledger_store *store, const char *what,
                          struct error *err)
{
    return error_set(err, E_INPUT, "%s: %s; the database was altered",
                     sql_store_path(store->sql), what);
}

enum status store_prepare(struct ledger_store *store, enum statement which,
                          struct sql_statement **statement, struct error *err)
{
    return sql_store_prepare(store->sql, which, statement, err);
}

enum status store_run(struct ledger_store *store,
                      struct sql_statement *statement, struct error *err)
{
    return sql_store_run(store->sql, statement, err);
}

enum status store_step(struct ledger_store *store,
                       struct sql_statement *statement, bool *found,
                       struct error *err)
{
    return sql_store_step(store->sql, statement, found, err);
}

enum status store_simple(struct ledger_store *store, enum statement which,
                         struct error *err)
{
    struct sql_statement *statement = NULL;
    enum status status = store_prepare(store, which, &statement, err);

    return status == OK ? store_run(store, statement, err) : status;
}

void store_bind_digest(struct sql_statement *statement, int at,
                       const struct digest *digest)
{
    sql_bind_bytes(statement, at, bytes_of(digest->byte, DIGEST_SIZE));
}

enum status store_column_fixed(const struct ledger_store *store,
                               struct sql_statement *statement, int at,
                               void *out, size_t size, struct error *err)
{
    if (!sql_column_fixed(statement, at, out, size))
        return store_altered(store, "a row has a wrong size", err);
    return OK;
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
                             struct sql_statement *statement, int at,
                             const struct sealed_row *row, struct error *err)
{
    char key[STORE_KEY_SHOWN];

    if (sql_column_integer(statement, at) == store_seal(row))
        return OK;
    store_printable(row->key, key);
    return error_set(err, E_INPUT,
                     "%s: table %s: row %s does not have its seal; the "
                     "database was altered",
                     sql_store_path(store->sql), row->table, key);
}
