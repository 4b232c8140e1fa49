#include "broker/broker_store.h"

#include <assert.h>
#include <stdlib.h>

#include "broker/broker_store_internal.h"
#include "common/encoding.h"
#include "common/limits.h"

static const char *const statements[] = {
#define BROKER_SQL(name, sql) [BROKER_##name] = (sql),
    BROKER_STATEMENTS(BROKER_SQL)
#undef BROKER_SQL
};

/* said_at is said the other way round: who has said something since.  Who asked
 * for an entry is an upload, 16 bytes, or, where nobody has to be found by it,
 * the entry's own id. */
static const char *const schema[] = {
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB NOT NULL)"
    " STRICT, WITHOUT ROWID",
    "CREATE TABLE own(number INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE,"
    " type INTEGER NOT NULL, entry BLOB NOT NULL, signatures BLOB NOT NULL,"
    " statement BLOB NOT NULL, salt BLOB NOT NULL, asked BLOB NOT NULL UNIQUE,"
    " settled INTEGER NOT NULL, position INTEGER NOT NULL, verdict INTEGER NOT"
    " NULL) STRICT",
    "CREATE TABLE pending(number INTEGER PRIMARY KEY) STRICT",
    "CREATE TABLE person(certificate TEXT PRIMARY KEY, organisation TEXT NOT"
    " NULL, role INTEGER NOT NULL, revoked INTEGER NOT NULL)"
    " STRICT, WITHOUT ROWID",
    "CREATE TABLE wish(number INTEGER PRIMARY KEY, says BLOB NOT NULL UNIQUE)"
    " STRICT",
    "CREATE TABLE said(subject BLOB, position INTEGER, wish INTEGER,"
    " PRIMARY KEY(subject, position, wish)) STRICT, WITHOUT ROWID",
    "CREATE TABLE said_at(position INTEGER, subject BLOB,"
    " PRIMARY KEY(position, subject)) STRICT, WITHOUT ROWID",
    "CREATE TABLE unresolved(id BLOB PRIMARY KEY, position INTEGER NOT NULL,"
    " type INTEGER NOT NULL, commitment TEXT NOT NULL) STRICT, WITHOUT ROWID",
    "CREATE TABLE request(id BLOB PRIMARY KEY, position INTEGER NOT NULL"
    " UNIQUE, author TEXT NOT NULL, salt BLOB NOT NULL, terms BLOB NOT NULL,"
    " bundle BLOB NOT NULL) STRICT",
    "CREATE TABLE answer(request BLOB PRIMARY KEY, id BLOB NOT NULL, approved"
    " INTEGER NOT NULL, author TEXT NOT NULL) STRICT, WITHOUT ROWID",
    "CREATE TABLE permit(id BLOB PRIMARY KEY, request BLOB NOT NULL, size"
    " INTEGER NOT NULL, expires INTEGER NOT NULL, seed BLOB NOT NULL, list"
    " BLOB NOT NULL) STRICT",
    "CREATE TABLE release(request BLOB PRIMARY KEY, state INTEGER NOT NULL,"
    " restarts INTEGER NOT NULL, drafts INTEGER NOT NULL, permit BLOB NOT NULL,"
    " draft BLOB NOT NULL, checked INTEGER NOT NULL, name TEXT NOT NULL, salt"
    " BLOB NOT NULL, statement BLOB NOT NULL, status INTEGER NOT NULL, why BLOB"
    " NOT NULL) STRICT, WITHOUT ROWID",
};

static const struct sql_plan plan = {
    .what = "a broker",
    .schema = schema,
    .table_count = sizeof schema / sizeof schema[0],
    .statement = statements,
    .statement_count = BROKER_STATEMENT_COUNT,
    .cache_kib = BROKER_CACHE_KIB,
    .write_ahead = true,
};

/* A broker locks what it has open: who reads gets nothing, or one state. */
static const struct sql_plan reading_plan = {
    .what = "a broker",
    .schema = schema,
    .table_count = sizeof schema / sizeof schema[0],
    .statement = statements,
    .statement_count = BROKER_STATEMENT_COUNT,
    .write_ahead = true,
    .shared = true,
};

enum status broker_store_altered(const struct broker_store *store,
                                 const char *what, struct error *err)
{
    return error_set(err, E_INPUT,
                     "%s: %s is not what was written; the database was altered",
                     sql_store_path(store->sql), what);
}

bool broker_store_string(struct sql_statement *row, int at, char *out,
                         size_t size)
{
    struct bytes text = sql_column_bytes(row, at);

    if (text.size >= size ||
        (text.size > 0 && memchr(text.data, '\0', text.size) != NULL))
        return false;
    if (text.size > 0)
        memcpy(out, text.data, text.size);
    out[text.size] = '\0';
    return true;
}

/* ---- meta ---- */

static enum status get_meta(struct broker_store *store, const char *key,
                            void *out, size_t size, bool *found,
                            struct error *err)
{
    struct sql_statement *get = NULL;
    enum status status =
        sql_store_prepare(store->sql, BROKER_GET_META, &get, err);

    if (status != OK)
        return status;
    sql_bind_text(get, 1, key);
    status = sql_store_step(store->sql, get, found, err);
    if (status == OK && *found && !sql_column_fixed(get, 0, out, size))
        status = broker_store_altered(store, key, err);
    sql_store_reset(get);
    return status;
}

static enum status put_meta(struct broker_store *store, const char *key,
                            struct bytes value, struct error *err)
{
    struct sql_statement *put = NULL;
    enum status status =
        sql_store_prepare(store->sql, BROKER_PUT_META, &put, err);

    if (status != OK)
        return status;
    sql_bind_text(put, 1, key);
    sql_bind_bytes(put, 2, value);
    return sql_store_run(store->sql, put, err);
}

static const char *const number_key[] = {
    [BROKER_CURSOR] = "cursor", [BROKER_NARROWED] = "narrowed"};

enum status broker_store_number(struct broker_store *store,
                                enum broker_number which, uint64_t *number,
                                struct error *err)
{
    uint8_t value[8];
    bool found = false;
    enum status status =
        get_meta(store, number_key[which], value, sizeof value, &found, err);

    if (status == OK)
        *number = found ? get_be64(value) : 0;
    return status;
}

enum status broker_store_set_number(struct broker_store *store,
                                    enum broker_number which, uint64_t number,
                                    struct error *err)
{
    uint8_t value[8];

    put_be64(value, number);
    return put_meta(store, number_key[which], bytes_of(value, sizeof value),
                    err);
}

/* ---- opening ---- */

static enum status check_network(struct broker_store *store,
                                 const struct digest *network, bool fresh,
                                 struct error *err)
{
    struct digest stored;
    bool found = false;
    enum status status;

    if (fresh) {
        status =
            put_meta(store, "network", bytes_of(network, sizeof *network), err);
        return status == OK ? sql_store_commit(store->sql, err) : status;
    }
    status = get_meta(store, "network", &stored, sizeof stored, &found, err);
    if (status == OK &&
        (!found || memcmp(&stored, network, sizeof stored) != 0))
        status = error_set(err, E_INPUT, "%s: belongs to another network",
                           sql_store_path(store->sql));
    return status;
}

enum status broker_store_open(struct broker_store **out, const char *path,
                              const struct digest *network, bool *fresh,
                              struct error *err)
{
    struct broker_store *store = calloc(1, sizeof *store);
    enum status status;

    *out = NULL;
    if (store == NULL)
        return error_memory(err, "a broker's store");
    status = sql_store_open(&store->sql, path, &plan, SQL_OPEN_OR_CREATE, fresh,
                            err);
    if (status == OK)
        status = check_network(store, network, *fresh, err);
    if (status != OK)
        broker_store_close(&store);
    *out = store;
    return status;
}

/* The transaction lasts until it is closed. */
enum status broker_store_open_to_read(struct broker_store **out,
                                      const char *path,
                                      const struct digest *network,
                                      struct error *err)
{
    struct broker_store *store = calloc(1, sizeof *store);
    enum status status;

    *out = NULL;
    if (store == NULL)
        return error_memory(err, "a broker's store");
    status =
        sql_store_open(&store->sql, path, &reading_plan, SQL_READ, NULL, err);
    if (status == OK)
        status = sql_store_begin(store->sql, err);
    if (status == OK)
        status = check_network(store, network, false, err);
    if (status == E_IO)
        status = error_wrap(err, "it is read while its broker is stopped, or "
                                 "from a copy");
    if (status != OK)
        broker_store_close(&store);
    *out = store;
    return status;
}

void broker_store_close(struct broker_store **handle)
{
    struct broker_store *store = *handle;

    if (store == NULL)
        return;
    sql_store_close(&store->sql);
    free(store);
    *handle = NULL;
}

enum status broker_store_begin(struct broker_store *store, struct error *err)
{
    return sql_store_begin(store->sql, err);
}

enum status broker_store_commit(struct broker_store *store, struct error *err)
{
    return sql_store_commit(store->sql, err);
}

void broker_store_rollback(struct broker_store *store)
{
    sql_store_rollback(store->sql);
}

enum status broker_store_end(struct broker_store *store, enum status status,
                             struct error *err)
{
    if (status == OK)
        status = sql_store_commit(store->sql, err);
    if (status != OK)
        sql_store_rollback(store->sql);
    return status;
}

/* ---- our own entries ---- */

static enum status make_pending(struct broker_store *store,
                                const struct digest *id, struct error *err)
{
    struct sql_statement *add = NULL;
    enum status status =
        sql_store_prepare(store->sql, BROKER_ADD_PENDING, &add, err);

    if (status != OK)
        return status;
    sql_bind_bytes(add, 1, bytes_of(id, sizeof *id));
    return sql_store_run(store->sql, add, err);
}

enum status broker_store_add_own(struct broker_store *store,
                                 const struct own_entry *own,
                                 struct bytes asked, struct error *err)
{
    struct bytes id = bytes_of(&own->id, sizeof own->id);
    struct sql_statement *add = NULL;
    enum status status =
        sql_store_prepare(store->sql, BROKER_ADD_OWN, &add, err);

    if (status != OK)
        return status;
    sql_bind_bytes(add, 1, id);
    sql_bind_number(add, 2, own->type);
    sql_bind_bytes(add, 3, text_bytes(&own->bytes));
    sql_bind_bytes(add, 4, text_bytes(&own->signatures));
    sql_bind_bytes(add, 5, text_bytes(&own->statement));
    sql_bind_bytes(add, 6, bytes_of(&own->salt, sizeof own->salt));
    sql_bind_bytes(add, 7, asked.size > 0 ? asked : id);
    status = sql_store_run(store->sql, add, err);
    if (status == OK && own->signatures.size > 0)
        status = make_pending(store, &own->id, err);
    return status;
}

enum status broker_store_sign_own(struct broker_store *store,
                                  const struct own_entry *own,
                                  struct error *err)
{
    struct sql_statement *sign = NULL;
    enum status status =
        sql_store_prepare(store->sql, BROKER_SIGN_OWN, &sign, err);

    assert(own->signatures.size > 0);
    if (status != OK)
        return status;
    sql_bind_bytes(sign, 1, bytes_of(&own->id, sizeof own->id));
    sql_bind_bytes(sign, 2, text_bytes(&own->signatures));
    status = sql_store_run(store->sql, sign, err);
    return status == OK ? make_pending(store, &own->id, err) : status;
}

static enum status read_own(struct broker_store *store,
                            struct sql_statement *row, struct own_entry *own,
                            struct error *err)
{
    uint64_t type, settled, verdict;
    struct digest id;
    enum status status;

    if (!sql_column_fixed(row, 0, &own->id, sizeof own->id) ||
        !sql_column_number(row, 1, &type) || type >= ENTRY_TYPE_COUNT ||
        !sql_column_fixed(row, 5, &own->salt, sizeof own->salt) ||
        !sql_column_number(row, 6, &settled) || settled > 1 ||
        !sql_column_number(row, 7, &own->position) ||
        !sql_column_number(row, 8, &verdict) || verdict > UINT8_MAX)
        return broker_store_altered(store, "an entry of our own", err);
    own->type = (enum entry_type)type;
    own->settled = settled != 0;
    own->verdict = (enum entry_verdict)verdict;
    text_reset(&own->bytes);
    text_reset(&own->signatures);
    text_reset(&own->statement);
    status = text_append(&own->bytes, sql_column_bytes(row, 2).data,
                         sql_column_bytes(row, 2).size, err);
    if (status == OK)
        status = text_append(&own->signatures, sql_column_bytes(row, 3).data,
                             sql_column_bytes(row, 3).size, err);
    if (status == OK)
        status = text_append(&own->statement, sql_column_bytes(row, 4).data,
                             sql_column_bytes(row, 4).size, err);
    if (status == OK)
        status = digest_bytes(&id, text_bytes(&own->bytes), err);
    if (status == OK && memcmp(&id, &own->id, sizeof id) != 0)
        status = broker_store_altered(store, "an entry of our own", err);
    return status;
}

static enum status find_own(struct broker_store *store, size_t which,
                            struct bytes by, struct own_entry *own, bool *found,
                            struct error *err)
{
    struct sql_statement *find = NULL;
    enum status status = sql_store_prepare(store->sql, which, &find, err);

    if (status != OK)
        return status;
    if (by.size > 0)
        sql_bind_bytes(find, 1, by);
    status = sql_store_step(store->sql, find, found, err);
    if (status == OK && *found)
        status = read_own(store, find, own, err);
    sql_store_reset(find);
    return status;
}

enum status broker_store_find_own(struct broker_store *store,
                                  const struct digest *id,
                                  struct own_entry *own, bool *found,
                                  struct error *err)
{
    return find_own(store, BROKER_FIND_OWN, bytes_of(id, sizeof *id), own,
                    found, err);
}

enum status broker_store_find_asked(struct broker_store *store,
                                    struct bytes asked, struct own_entry *own,
                                    bool *found, struct error *err)
{
    assert(asked.size > 0);
    return find_own(store, BROKER_FIND_ASKED, asked, own, found, err);
}

enum status broker_store_first_pending(struct broker_store *store,
                                       struct own_entry *own, bool *found,
                                       struct error *err)
{
    return find_own(store, BROKER_FIRST_PENDING, bytes_of(NULL, 0), own, found,
                    err);
}

enum status broker_store_drop_pending(struct broker_store *store,
                                      const struct digest *id,
                                      struct error *err)
{
    struct sql_statement *drop = NULL;
    enum status status =
        sql_store_prepare(store->sql, BROKER_DROP_PENDING, &drop, err);

    if (status != OK)
        return status;
    sql_bind_bytes(drop, 1, bytes_of(id, sizeof *id));
    return sql_store_run(store->sql, drop, err);
}

enum status broker_store_settle(struct broker_store *store,
                                const struct digest *id, uint64_t position,
                                enum entry_verdict verdict, struct error *err)
{
    struct sql_statement *settle = NULL;
    enum status status =
        sql_store_prepare(store->sql, BROKER_SETTLE_OWN, &settle, err);

    if (status != OK)
        return status;
    sql_bind_bytes(settle, 1, bytes_of(id, sizeof *id));
    sql_bind_number(settle, 2, position);
    sql_bind_number(settle, 3, verdict);
    status = sql_store_run(store->sql, settle, err);
    return status == OK ? broker_store_drop_pending(store, id, err) : status;
}

/* ---- people ---- */

enum status broker_store_add_person(struct broker_store *store,
                                    const struct certificate *certificate,
                                    struct error *err)
{
    const struct certificate_subject *subject =
        certificate_subject(certificate);
    struct sql_statement *add = NULL;
    enum status status =
        sql_store_prepare(store->sql, BROKER_ADD_PERSON, &add, err);

    if (status != OK)
        return status;
    sql_bind_text(add, 1, certificate_id(certificate));
    sql_bind_text(add, 2, subject->organisation);
    sql_bind_number(add, 3, subject->role);
    return sql_store_run(store->sql, add, err);
}

enum status broker_store_find_person(struct broker_store *store, const char *id,
                                     struct person *person, bool *found,
                                     struct error *err)
{
    struct sql_statement *find = NULL;
    uint64_t role, revoked;
    enum status status =
        sql_store_prepare(store->sql, BROKER_FIND_PERSON, &find, err);

    if (status != OK)
        return status;
    sql_bind_text(find, 1, id);
    status = sql_store_step(store->sql, find, found, err);
    if (status == OK && *found) {
        if (!broker_store_string(find, 0, person->organisation,
                                 sizeof person->organisation) ||
            !sql_column_number(find, 1, &role) || role >= IDENTITY_ROLE_COUNT ||
            !sql_column_number(find, 2, &revoked) || revoked > 1)
            status = broker_store_altered(store, "a person", err);
        else {
            person->role = (enum identity_role)role;
            person->revoked = revoked != 0;
        }
    }
    sql_store_reset(find);
    return status;
}

enum status broker_store_revoke_person(struct broker_store *store,
                                       const char *id, struct error *err)
{
    struct sql_statement *revoke = NULL;
    enum status status =
        sql_store_prepare(store->sql, BROKER_REVOKE_PERSON, &revoke, err);

    if (status != OK)
        return status;
    sql_bind_text(revoke, 1, id);
    return sql_store_run(store->sql, revoke, err);
}
