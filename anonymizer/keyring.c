#include "anonymizer/keyring.h"

#include <assert.h>
#include <stdlib.h>

#include "anonymizer/keyring_internal.h"
#include "common/limits.h"
#include "common/secret_file.h"
#include "common/sign.h"

/* Raised with every change of what keys.db holds. */
#define SCHEMA_VERSION 1

/* Rows that are passed over in the search for the next one: a new search takes
 * as long as some ten steps. */
#define STEPS_MAX 16

static const char *const statements[] = {
    [SQL_GET_META] = "SELECT value FROM meta WHERE key = ?1",
    [SQL_PUT_META] =
        "INSERT INTO meta(key, value) VALUES(?1, ?2) ON CONFLICT(key)"
        " DO UPDATE SET value = ?2",
    [SQL_COUNT] = "SELECT count(*) FROM subject",
    [SQL_ADD] = "INSERT INTO subject(id, key, wrapped) VALUES(?1, ?2, ?3)",
    [SQL_FIND] = "SELECT key, wrapped FROM subject WHERE id = ?1",
    [SQL_FIND_FROM] =
        "SELECT id, key, wrapped FROM subject WHERE id >= ?1 ORDER BY"
        " id",
    [SQL_MARK] =
        "INSERT INTO marked(id) SELECT id FROM subject WHERE id = ?1 ON"
        " CONFLICT DO NOTHING",
    [SQL_MARKED] = "SELECT EXISTS (SELECT 1 FROM marked)",
    [SQL_DROP_MARKED] =
        "DELETE FROM subject WHERE id IN (SELECT id FROM marked)",
    [SQL_CLEAR_MARKS] = "DELETE FROM marked",
    [SQL_NEXT_KEYS] =
        "SELECT id, key, wrapped FROM subject WHERE id > ?1 ORDER BY"
        " id LIMIT ?2",
    [SQL_REWRAP] = "UPDATE subject SET wrapped = ?2 WHERE id = ?1",
};

static const char *const schema[] = {
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB NOT NULL)"
    " STRICT, WITHOUT ROWID",
    "CREATE TABLE subject(id BLOB PRIMARY KEY, key BLOB NOT NULL,"
    " wrapped BLOB NOT NULL) STRICT, WITHOUT ROWID",
    "CREATE TABLE marked(id BLOB PRIMARY KEY) STRICT, WITHOUT ROWID",
};

/* A rollback journal: a commit leaves the whole state in the one file, and
 * nothing of the old one beside it. */
static const struct sql_plan plan = {
    .what = "a keyring",
    .schema = schema,
    .table_count = sizeof schema / sizeof schema[0],
    .statement = statements,
    .statement_count = KEYRING_STATEMENTS,
    .cache_kib = KEYRING_CACHE_KIB,
};

enum status keyring_altered(const struct keyring *keyring, const char *what,
                            struct error *err)
{
    return error_set(err, E_INPUT, "%s: %s; the database was altered",
                     sql_store_path(keyring->store), what);
}

/* ---- meta ---- */

enum status keyring_get_meta(struct keyring *keyring, const char *key,
                             void *out, size_t size, bool *found,
                             struct error *err)
{
    struct sql_statement *get = NULL;
    enum status status =
        sql_store_prepare(keyring->store, SQL_GET_META, &get, err);

    if (status != OK)
        return status;
    sql_bind_text(get, 1, key);
    status = sql_store_step(keyring->store, get, found, err);
    if (status == OK && *found && !sql_column_fixed(get, 0, out, size))
        status = keyring_altered(keyring, "a row has a wrong size", err);
    sql_store_reset(get);
    return status;
}

enum status keyring_put_meta(struct keyring *keyring, const char *key,
                             struct bytes value, struct error *err)
{
    struct sql_statement *put = NULL;
    enum status status =
        sql_store_prepare(keyring->store, SQL_PUT_META, &put, err);

    if (status != OK)
        return status;
    sql_bind_text(put, 1, key);
    sql_bind_bytes(put, 2, value);
    return sql_store_run(keyring->store, put, err);
}

/* ---- checks ---- */

enum status keyring_check_going(const struct keyring *keyring,
                                struct error *err)
{
    if (keyring->stopped)
        return error_set(err, E_SYSTEM,
                         "%s: an erasure failed half-way; the keyring has to "
                         "be opened anew",
                         sql_store_path(keyring->store));
    return OK;
}

enum status keyring_check_batch(size_t count, struct error *err)
{
    if (count > KEYRING_BATCH_MAX)
        return error_set(err, E_LIMIT,
                         "%zu subjects in one call, the limit is %u", count,
                         KEYRING_BATCH_MAX);
    return OK;
}

/* ---- opening ---- */

static enum status first_rows(struct keyring *keyring, struct error *err)
{
    static const uint8_t version = SCHEMA_VERSION;
    enum status status = random_secret(keyring->name, NAME_SIZE, err);

    if (status == OK)
        status =
            keyring_put_meta(keyring, "schema", bytes_of(&version, 1), err);
    if (status == OK)
        status = keyring_put_meta(keyring, "keyring",
                                  bytes_of(keyring->name, NAME_SIZE), err);
    return status == OK ? sql_store_commit(keyring->store, err) : status;
}

static enum status read_rows(struct keyring *keyring, struct error *err)
{
    uint8_t version = 0;
    bool found = false;
    enum status status =
        keyring_get_meta(keyring, "schema", &version, 1, &found, err);

    if (status == OK && (!found || version != SCHEMA_VERSION))
        return error_set(err, E_INPUT, "%s: is of another version",
                         sql_store_path(keyring->store));
    if (status == OK)
        status = keyring_get_meta(keyring, "keyring", keyring->name, NAME_SIZE,
                                  &found, err);
    if (status == OK && !found)
        status = keyring_altered(keyring, "the keyring's name is missing", err);
    return status;
}

static enum status open_keyring(struct keyring **out,
                                const struct keyring_place *place,
                                enum sql_open how, struct error *err)
{
    struct keyring *keyring = NULL;
    bool fresh = false;
    enum status status = secret_folder_check(place->epoch_folder, err);

    *out = NULL;
    if (status != OK)
        return status;
    keyring = calloc(1, sizeof *keyring);
    if (keyring == NULL)
        return error_memory(err, "a keyring");
    text_init(&keyring->folder);
    keyring_drafts_init(&keyring->drafts);
    keyring->epoch = secret_allocate(sizeof *keyring->epoch);
    status =
        keyring->epoch == NULL
            ? error_memory(err, "an epoch key")
            : text_append_string(&keyring->folder, place->epoch_folder, err);
    if (status == OK)
        status = seal_create(&keyring->seal, err);
    if (status == OK)
        status = sql_store_open(&keyring->store, place->database, &plan, how,
                                &fresh, err);
    if (status == OK)
        status = fresh ? first_rows(keyring, err) : read_rows(keyring, err);
    if (status == OK)
        status = keyring_settle(keyring, err);
    if (status != OK)
        keyring_close(&keyring);
    *out = keyring;
    return status;
}

enum status keyring_create(const struct keyring_place *place, struct error *err)
{
    struct keyring *keyring = NULL;
    enum status status = open_keyring(&keyring, place, SQL_CREATE, err);

    keyring_close(&keyring);
    return status;
}

enum status keyring_open(struct keyring **keyring,
                         const struct keyring_place *place, struct error *err)
{
    return open_keyring(keyring, place, SQL_OPEN_EXISTING, err);
}

void keyring_close(struct keyring **handle)
{
    struct keyring *keyring = *handle;

    if (keyring == NULL)
        return;
    sql_store_close(&keyring->store);
    seal_destroy(&keyring->seal);
    epoch_release(&keyring->epoch);
    keyring_drafts_clear(&keyring->drafts);
    text_clear(&keyring->folder);
    free(keyring);
    *handle = NULL;
}

/* ---- keys ---- */

enum status keyring_count(struct keyring *keyring, uint64_t *count,
                          struct error *err)
{
    struct sql_statement *statement = NULL;
    bool found = false;
    enum status status = keyring_check_going(keyring, err);

    if (status == OK)
        status = sql_store_prepare(keyring->store, SQL_COUNT, &statement, err);
    if (status == OK)
        status = sql_store_step(keyring->store, statement, &found, err);
    if (status == OK && (!found || !sql_column_number(statement, 0, count)))
        status = keyring_altered(keyring, "keys cannot be counted", err);
    sql_store_reset(statement);
    return status;
}

enum status keyring_find(struct keyring *keyring,
                         const struct subject_id *subject,
                         struct wrapped_key *wrapped, bool *found,
                         struct error *err)
{
    struct sql_statement *find = NULL;
    enum status status = keyring_check_going(keyring, err);

    if (status == OK)
        status = sql_store_prepare(keyring->store, SQL_FIND, &find, err);
    if (status != OK)
        return status;
    sql_bind_bytes(find, 1, bytes_of(subject->byte, SUBJECT_ID_SIZE));
    status = sql_store_step(keyring->store, find, found, err);
    if (status == OK && *found &&
        (!sql_column_fixed(find, 0, wrapped->id, KEY_ID_SIZE) ||
         !sql_column_fixed(find, 1, wrapped->wrapped, WRAPPED_SIZE)))
        status = keyring_altered(keyring, "a row has a wrong size", err);
    sql_store_reset(find);
    return status;
}

uint64_t keyring_generation(const struct keyring *keyring)
{
    return keyring->generation;
}

/* A walk through keys.db. */
struct walk {
    struct sql_statement *from;
    struct subject_id at; /* of the present row */
    bool found;           /* there is one */
};

static enum status walk_step(struct keyring *keyring, struct walk *walk,
                             struct error *err)
{
    enum status status =
        sql_store_step(keyring->store, walk->from, &walk->found, err);

    if (status == OK && walk->found &&
        !sql_column_fixed(walk->from, 0, walk->at.byte, SUBJECT_ID_SIZE))
        status = keyring_altered(keyring, "a row has a wrong size", err);
    return status;
}

/* To the first row that is not before `subject`: a few steps, or a new search
 * when it is farther away. */
static enum status walk_to(struct keyring *keyring, struct walk *walk,
                           const struct subject_id *subject, struct error *err)
{
    enum status status = OK;

    for (unsigned step = 0; status == OK && walk->from != NULL; step++) {
        if (!walk->found || subject_id_compare(&walk->at, subject) >= 0)
            return OK;
        if (step == STEPS_MAX)
            break;
        status = walk_step(keyring, walk, err);
    }
    if (status == OK)
        status =
            sql_store_prepare(keyring->store, SQL_FIND_FROM, &walk->from, err);
    if (status != OK)
        return status;
    sql_bind_bytes(walk->from, 1, bytes_of(subject->byte, SUBJECT_ID_SIZE));
    return walk_step(keyring, walk, err);
}

enum status keyring_find_many(struct keyring *keyring,
                              const struct subject_id *subject, size_t count,
                              keyring_take *take, void *context,
                              struct error *err)
{
    struct walk walk = {0};
    struct wrapped_key key;
    enum status status = keyring_check_going(keyring, err);

    for (size_t i = 0; status == OK && i < count; i++) {
        assert(i == 0 || subject_id_compare(&subject[i - 1], &subject[i]) < 0);
        status = walk_to(keyring, &walk, &subject[i], err);
        if (status != OK || !walk.found)
            break;
        if (subject_id_compare(&walk.at, &subject[i]) != 0)
            continue;
        if (sql_column_fixed(walk.from, 1, key.id, KEY_ID_SIZE) &&
            sql_column_fixed(walk.from, 2, key.wrapped, WRAPPED_SIZE))
            take(context, i, &key);
        else
            status = keyring_altered(keyring, "a row has a wrong size", err);
    }
    sql_store_reset(walk.from);
    return status;
}
