#include <assert.h>
#include <string.h>

#include "common/encoding.h"
#include "ledger/ledger_store_internal.h"

/* ---- meta ---- */

enum status store_get_meta(struct ledger_store *store, const char *key,
                           void *out, size_t size, bool *found,
                           struct error *err)
{
    sqlite3_stmt *statement = NULL;
    enum status status = store_prepare(store, SQL_GET_META, &statement, err);

    if (status != OK)
        return status;
    store_bind_text(statement, 1, key);
    status = store_step(store, statement, found, err);
    if (status == OK && *found)
        status = store_column_fixed(store, statement, 0, out, size, err);
    sqlite3_reset(statement);
    return status;
}

enum status store_put_meta(struct ledger_store *store, const char *key,
                           struct bytes value, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    enum status status = store_prepare(store, SQL_PUT_META, &statement, err);

    if (status != OK)
        return status;
    store_bind_text(statement, 1, key);
    store_bind_bytes(statement, 2, value);
    return store_run(store, statement, err);
}

enum status ledger_store_raft_index(struct ledger_store *store, uint64_t *index,
                                    struct error *err)
{
    uint8_t encoded[8] = {0};
    bool found;
    enum status status =
        store_get_meta(store, "raft", encoded, sizeof encoded, &found, err);

    *index = get_be64(encoded);
    return status;
}

enum status ledger_store_set_raft_index(struct ledger_store *store,
                                        uint64_t index, struct error *err)
{
    uint8_t encoded[8];

    put_be64(encoded, index);
    return store_put_meta(store, "raft", bytes_of(encoded, sizeof encoded),
                          err);
}

/* be64(size) || root */
#define COSIGNED_SIZE (8 + DIGEST_SIZE)

enum status ledger_store_cosigned(struct ledger_store *store, uint64_t *size,
                                  struct digest *root, struct error *err)
{
    uint8_t encoded[COSIGNED_SIZE] = {0};
    bool found;
    enum status status =
        store_get_meta(store, "cosigned", encoded, sizeof encoded, &found, err);

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
    status = store_put_meta(store, "cosigned",
                            bytes_of(encoded, sizeof encoded), err);
    return status == OK ? ledger_store_sync(store, err) : status;
}

enum status ledger_store_anchored(struct ledger_store *store, uint64_t *size,
                                  struct text *note, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    bool found;
    enum status status = store_prepare(store, SQL_ANCHORED, &statement, err);

    *size = 0;
    text_reset(note);
    if (status != OK)
        return status;
    status = store_step(store, statement, &found, err);
    if (status == OK && found) {
        struct bytes bytes = store_column_bytes(statement, 1);

        if (!store_column_number(statement, 0, size))
            status = store_altered(store, "a checkpoint's size is none", err);
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
    enum status status =
        store_prepare(store, SQL_ADD_ANCHORED, &statement, err);

    if (status != OK)
        return status;
    store_bind_number(statement, 1, size);
    store_bind_bytes(statement, 2, note);
    status = store_run(store, statement, err);
    return status == OK ? store_simple(store, SQL_DROP_ANCHORED, err) : status;
}

/* ---- state ---- */

enum status ledger_store_get(struct ledger_store *store, const char *key,
                             struct text *value, uint64_t *version,
                             struct error *err)
{
    sqlite3_stmt *statement = NULL;
    bool found;
    enum status status = store_prepare(store, SQL_GET, &statement, err);

    *version = STORE_NONE;
    text_reset(value);
    if (status != OK)
        return status;
    store_bind_text(statement, 1, key);
    status = store_step(store, statement, &found, err);
    if (status == OK && found) {
        struct bytes bytes = store_column_bytes(statement, 0);

        if (!store_column_number(statement, 1, version))
            status = store_altered(store, "a state's version is none", err);
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
    enum status status = store_prepare(store, SQL_PUT, &statement, err);

    if (status != OK)
        return status;
    store_bind_text(statement, 1, key);
    store_bind_bytes(statement, 2, value);
    store_bind_number(statement, 3, version);
    status = store_run(store, statement, err);
    if (status == OK)
        status = store_prepare(store, SQL_ADD_HISTORY, &statement, err);
    if (status != OK)
        return status;
    store_bind_text(statement, 1, key);
    store_bind_number(statement, 2, version);
    return store_run(store, statement, err);
}

enum status ledger_store_history(struct ledger_store *store, const char *key,
                                 uint64_t from, size_t max, struct text *out,
                                 bool *more, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    size_t count = 0;
    bool found = true;
    enum status status = store_prepare(store, SQL_HISTORY, &statement, err);

    *more = false;
    if (status != OK || from > INT64_MAX)
        return status;
    assert(max < INT64_MAX);
    store_bind_text(statement, 1, key);
    store_bind_number(statement, 2, from);
    store_bind_number(statement, 3, (uint64_t)max + 1);
    while (status == OK && !*more) {
        uint8_t position[8];

        status = store_step(store, statement, &found, err);
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
