#include <assert.h>
#include <string.h>

#include "common/encoding.h"
#include "ledger/ledger_store_internal.h"

/* ---- meta ---- */

static struct sealed_row sealed_meta(const char *key, struct bytes value)
{
    return (struct sealed_row){"meta", bytes_of_string(key), value, {0}};
}

enum status store_get_meta(struct ledger_store *store, const char *key,
                           void *out, size_t size, bool *found,
                           struct error *err)
{
    struct sql_statement *statement = NULL;
    enum status status = store_prepare(store, SQL_GET_META, &statement, err);

    if (status != OK)
        return status;
    sql_bind_text(statement, 1, key);
    status = store_step(store, statement, found, err);
    if (status == OK && *found)
        status = store_column_fixed(store, statement, 0, out, size, err);
    if (status == OK && *found) {
        struct sealed_row row = sealed_meta(key, bytes_of(out, size));

        status = store_check_seal(store, statement, 1, &row, err);
    }
    sql_store_reset(statement);
    return status;
}

enum status store_put_meta(struct ledger_store *store, const char *key,
                           struct bytes value, struct error *err)
{
    struct sealed_row row = sealed_meta(key, value);
    struct sql_statement *statement = NULL;
    enum status status = store_prepare(store, SQL_PUT_META, &statement, err);

    if (status != OK)
        return status;
    sql_bind_text(statement, 1, key);
    sql_bind_bytes(statement, 2, value);
    sql_bind_integer(statement, 3, store_seal(&row));
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

    put_be64(encoded, size);
    memcpy(encoded + 8, root->byte, DIGEST_SIZE);
    return store_put_meta(store, "cosigned", bytes_of(encoded, sizeof encoded),
                          err);
}

enum status ledger_store_anchored(struct ledger_store *store, uint64_t *size,
                                  struct text *note, struct error *err)
{
    struct sql_statement *statement = NULL;
    bool found;
    enum status status = store_prepare(store, SQL_ANCHORED, &statement, err);

    *size = 0;
    text_reset(note);
    if (status != OK)
        return status;
    status = store_step(store, statement, &found, err);
    if (status == OK && found) {
        struct bytes bytes = sql_column_bytes(statement, 1);

        if (!sql_column_number(statement, 0, size))
            status = store_altered(store, "a checkpoint's size is none", err);
        else
            status = text_append(note, bytes.data, bytes.size, err);
    }
    sql_store_reset(statement);
    return status;
}

enum status ledger_store_set_anchored(struct ledger_store *store, uint64_t size,
                                      struct bytes note, struct error *err)
{
    struct sql_statement *statement = NULL;
    enum status status =
        store_prepare(store, SQL_ADD_ANCHORED, &statement, err);

    if (status != OK)
        return status;
    sql_bind_number(statement, 1, size);
    sql_bind_bytes(statement, 2, note);
    status = store_run(store, statement, err);
    return status == OK ? store_simple(store, SQL_DROP_ANCHORED, err) : status;
}

/* ---- state ---- */

static struct sealed_row sealed_state(struct bytes key, struct bytes value,
                                      uint64_t version)
{
    return (struct sealed_row){"state", key, value, {version}};
}

/* previous: STORE_NONE in the first. */
static struct sealed_row sealed_history(const char *key, uint64_t position,
                                        uint64_t previous)
{
    return (struct sealed_row){
        "history", bytes_of_string(key), {0}, {position, previous}};
}

/* The state's row at the columns from `at` on. */
static enum status read_state(const struct ledger_store *store,
                              struct sql_statement *statement, int at,
                              struct bytes key, uint64_t *version,
                              struct error *err)
{
    struct sealed_row row;

    if (!sql_column_number(statement, at + 1, version))
        return store_altered(store, "a state has no version", err);
    row = sealed_state(key, sql_column_bytes(statement, at), *version);
    return store_check_seal(store, statement, at + 2, &row, err);
}

/* value may be NULL. */
static enum status get(struct ledger_store *store, const char *key,
                       struct text *value, uint64_t *version, struct error *err)
{
    struct sql_statement *statement = NULL;
    bool found;
    enum status status = store_prepare(store, SQL_GET, &statement, err);

    *version = STORE_NONE;
    if (status != OK)
        return status;
    sql_bind_text(statement, 1, key);
    status = store_step(store, statement, &found, err);
    if (status == OK && found)
        status =
            read_state(store, statement, 0, bytes_of_string(key), version, err);
    if (status == OK && found && value != NULL) {
        struct bytes bytes = sql_column_bytes(statement, 0);

        status = text_append(value, bytes.data, bytes.size, err);
    }
    sql_store_reset(statement);
    return status;
}

enum status ledger_store_get(struct ledger_store *store, const char *key,
                             struct text *value, uint64_t *version,
                             struct error *err)
{
    text_reset(value);
    return get(store, key, value, version, err);
}

static enum status add_history(struct ledger_store *store, const char *key,
                               uint64_t position, uint64_t previous,
                               struct error *err)
{
    struct sealed_row row = sealed_history(key, position, previous);
    struct sql_statement *statement = NULL;
    enum status status = store_prepare(store, SQL_ADD_HISTORY, &statement, err);

    if (status != OK)
        return status;
    sql_bind_text(statement, 1, key);
    sql_bind_number(statement, 2, position);
    sql_bind_integer(statement, 3, (int64_t)previous);
    sql_bind_integer(statement, 4, store_seal(&row));
    store->writes++;
    return store_run(store, statement, err);
}

enum status ledger_store_put(struct ledger_store *store, const char *key,
                             struct bytes value, uint64_t version,
                             struct error *err)
{
    struct sealed_row row = sealed_state(bytes_of_string(key), value, version);
    struct sql_statement *statement = NULL;
    uint64_t previous;
    enum status status = get(store, key, NULL, &previous, err);

    if (status == OK)
        status = store_prepare(store, SQL_PUT, &statement, err);
    if (status != OK)
        return status;
    sql_bind_text(statement, 1, key);
    sql_bind_bytes(statement, 2, value);
    sql_bind_number(statement, 3, version);
    sql_bind_integer(statement, 4, store_seal(&row));
    status = store_run(store, statement, err);
    /* An entry may write a key twice. */
    if (status == OK && previous != version)
        status = add_history(store, key, version, previous, err);
    return status;
}

/* One row of a key's history.  *last is the position before it: STORE_NONE at
 * the beginning, and where rows before `from` were not read. */
static enum status read_history(const struct ledger_store *store,
                                struct sql_statement *statement,
                                const char *key, uint64_t from, uint64_t *last,
                                struct error *err)
{
    uint64_t previous = (uint64_t)sql_column_integer(statement, 1);
    struct sealed_row row;
    uint64_t position;

    if (!sql_column_number(statement, 0, &position))
        return store_altered(store, "a history has no position", err);
    row = sealed_history(key, position, previous);
    if (store_check_seal(store, statement, 2, &row, err) != OK)
        return err->status;
    if (previous != *last &&
        !(*last == STORE_NONE && previous < from && previous < position))
        return store_altered(store, "a history lacks a row", err);
    *last = position;
    return OK;
}

/* Its end is the position that wrote the state. */
static enum status check_end(struct ledger_store *store, const char *key,
                             uint64_t from, uint64_t last, struct error *err)
{
    uint64_t version;
    enum status status = get(store, key, NULL, &version, err);
    bool is_end = last != STORE_NONE ? last == version
                                     : version == STORE_NONE || version < from;

    if (status == OK && !is_end)
        status = store_altered(store, "a history lacks its end", err);
    return status;
}

enum status ledger_store_history(struct ledger_store *store, const char *key,
                                 uint64_t from, size_t max, struct text *out,
                                 bool *more, struct error *err)
{
    struct sql_statement *statement = NULL;
    uint64_t last = STORE_NONE;
    size_t count = 0;
    bool found = true;
    enum status status = store_prepare(store, SQL_HISTORY, &statement, err);

    *more = false;
    if (status != OK || from > INT64_MAX)
        return status;
    assert(max < INT64_MAX);
    sql_bind_text(statement, 1, key);
    sql_bind_number(statement, 2, from);
    sql_bind_number(statement, 3, (uint64_t)max + 1);
    while (status == OK && !*more) {
        uint8_t position[8];

        status = store_step(store, statement, &found, err);
        if (status == OK && found)
            status = read_history(store, statement, key, from, &last, err);
        if (status != OK || !found)
            break;
        *more = count++ == max;
        put_be64(position, last);
        if (!*more)
            status = text_append(out, position, sizeof position, err);
    }
    sql_store_reset(statement);
    if (status == OK && !*more)
        status = check_end(store, key, from, last, err);
    return status;
}

enum status ledger_store_check_writes(struct ledger_store *store,
                                      const struct stored_entry *entry,
                                      struct error *err)
{
    struct sql_statement *statement = NULL;
    uint64_t count = 0;
    bool found = true;
    enum status status = store_prepare(store, SQL_WRITTEN, &statement, err);

    if (status != OK)
        return status;
    sql_bind_number(statement, 1, entry->position);
    while (status == OK && found) {
        uint64_t version;

        status = store_step(store, statement, &found, err);
        if (status != OK || !found)
            break;
        count++;
        status = read_state(store, statement, 1, sql_column_bytes(statement, 0),
                            &version, err);
        if (status == OK && version < entry->position)
            status =
                store_altered(store, "a state is older than its history", err);
    }
    sql_store_reset(statement);
    if (status == OK && count != entry->writes)
        status =
            store_altered(store, "what an entry wrote is not all there", err);
    return status;
}
