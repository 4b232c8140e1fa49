#include "anonymizer/keyring.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>

#include "anonymizer/keyring_crew.h"
#include "anonymizer/keyring_drafts.h"
#include "common/encoding.h"
#include "common/limits.h"
#include "common/secret_file.h"
#include "common/sign.h"
#include "common/sql_store.h"
#include "common/text.h"

/* Raised with every change of what keys.db holds. */
#define SCHEMA_VERSION 1

/* Of keyrings and of epochs: 128 random bits. */
#define NAME_SIZE 16

/* Rows that are passed over in the search for the next one: a new search takes
 * as long as some ten steps. */
#define STEPS_MAX 16

/* Keys that are wrapped anew between two looks at the database. */
#define REWRAP_KEYS 1024

/* An epoch key is "<keyring>-<epoch>.epoch", in hex. */
#define EPOCH_SUFFIX ".epoch"
#define EPOCH_DASH ((size_t)2 * NAME_SIZE)
#define EPOCH_FILE_SIZE (4 * NAME_SIZE + 1 + sizeof EPOCH_SUFFIX)

enum {
    GET_META,
    PUT_META,
    COUNT,
    ADD,
    FIND,
    FIND_FROM,
    MARK,
    MARKED,
    DROP_MARKED,
    CLEAR_MARKS,
    NEXT_KEYS,
    REWRAP,
    STATEMENT_COUNT
};

static const char *const statements[] = {
    [GET_META] = "SELECT value FROM meta WHERE key = ?1",
    [PUT_META] = "INSERT INTO meta(key, value) VALUES(?1, ?2) ON CONFLICT(key)"
                 " DO UPDATE SET value = ?2",
    [COUNT] = "SELECT count(*) FROM subject",
    [ADD] = "INSERT INTO subject(id, key, wrapped) VALUES(?1, ?2, ?3)",
    [FIND] = "SELECT key, wrapped FROM subject WHERE id = ?1",
    [FIND_FROM] = "SELECT id, key, wrapped FROM subject WHERE id >= ?1 ORDER BY"
                  " id",
    [MARK] = "INSERT INTO marked(id) SELECT id FROM subject WHERE id = ?1 ON"
             " CONFLICT DO NOTHING",
    [MARKED] = "SELECT EXISTS (SELECT 1 FROM marked)",
    [DROP_MARKED] = "DELETE FROM subject WHERE id IN (SELECT id FROM marked)",
    [CLEAR_MARKS] = "DELETE FROM marked",
    [NEXT_KEYS] = "SELECT id, key, wrapped FROM subject WHERE id > ?1 ORDER BY"
                  " id LIMIT ?2",
    [REWRAP] = "UPDATE subject SET wrapped = ?2 WHERE id = ?1",
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
    .statement_count = STATEMENT_COUNT,
    .cache_kib = KEYRING_CACHE_KIB,
};

/* An epoch: its name and its key, in memory that is wiped. */
struct epoch {
    uint8_t name[NAME_SIZE];
    uint8_t key[SEAL_KEY_SIZE];
};

struct keyring {
    struct sql_store *store;
    struct seal *seal;
    struct text folder;
    struct epoch *epoch; /* zeros in a keyring that has none yet */
    uint8_t name[NAME_SIZE];
    bool stopped;        /* an erasure failed half-way */
    uint64_t generation; /* erasures since it was opened */
    struct keyring_drafts drafts;
};

static enum status altered(const struct keyring *keyring, const char *what,
                           struct error *err)
{
    return error_set(err, E_INPUT, "%s: %s; the database was altered",
                     sql_store_path(keyring->store), what);
}

/* ---- meta ---- */

static enum status get_meta(struct keyring *keyring, const char *key, void *out,
                            size_t size, bool *found, struct error *err)
{
    struct sql_statement *get = NULL;
    enum status status = sql_store_prepare(keyring->store, GET_META, &get, err);

    if (status != OK)
        return status;
    sql_bind_text(get, 1, key);
    status = sql_store_step(keyring->store, get, found, err);
    if (status == OK && *found && !sql_column_fixed(get, 0, out, size))
        status = altered(keyring, "a row has a wrong size", err);
    sql_store_reset(get);
    return status;
}

static enum status put_meta(struct keyring *keyring, const char *key,
                            struct bytes value, struct error *err)
{
    struct sql_statement *put = NULL;
    enum status status = sql_store_prepare(keyring->store, PUT_META, &put, err);

    if (status != OK)
        return status;
    sql_bind_text(put, 1, key);
    sql_bind_bytes(put, 2, value);
    return sql_store_run(keyring->store, put, err);
}

/* ---- wrapping ---- */

#define TAG_SIZE ((size_t)24)

struct association {
    uint8_t tag[TAG_SIZE];
    uint8_t keyring[NAME_SIZE];
    uint8_t epoch[NAME_SIZE];
    uint8_t subject[SUBJECT_ID_SIZE];
    uint8_t key_id[KEY_ID_SIZE];
};

/* What a wrapped key belongs to.  Without a subject: the epoch's own check. */
static struct association associate(const struct keyring *keyring,
                                    const struct epoch *epoch,
                                    const struct subject_id *subject,
                                    const uint8_t key_id[KEY_ID_SIZE])
{
    static const char wrap_tag[TAG_SIZE] = "anchorite wrapped key 1";
    static const char check_tag[TAG_SIZE] = "anchorite epoch check 1";
    struct association out;

    memset(&out, 0, sizeof out);
    memcpy(out.tag, subject == NULL ? check_tag : wrap_tag, TAG_SIZE);
    memcpy(out.keyring, keyring->name, NAME_SIZE);
    memcpy(out.epoch, epoch->name, NAME_SIZE);
    if (subject != NULL) {
        memcpy(out.subject, subject->byte, SUBJECT_ID_SIZE);
        memcpy(out.key_id, key_id, KEY_ID_SIZE);
    }
    return out;
}

static struct bytes association_bytes(const struct association *association)
{
    return bytes_of(association, sizeof *association);
}

static enum status wrap(const struct keyring *keyring, struct seal *seal,
                        const struct epoch *epoch,
                        const struct subject_id *subject,
                        const struct subject_key *key,
                        struct wrapped_key *wrapped, struct error *err)
{
    struct association associated =
        associate(keyring, epoch, subject, wrapped->id);

    static_assert(sizeof *key == SEAL_KEY_SIZE + SALT_SIZE, "no padding");
    return seal_close(seal, epoch->key, association_bytes(&associated),
                      bytes_of(key, sizeof *key), wrapped->wrapped, err);
}

enum status keyring_unwrap_by(const struct keyring *keyring, struct seal *seal,
                              const struct subject_id *subject,
                              const struct wrapped_key *wrapped,
                              struct subject_key *key, struct error *err)
{
    struct association associated =
        associate(keyring, keyring->epoch, subject, wrapped->id);
    enum status status = seal_open(
        seal, keyring->epoch->key, association_bytes(&associated),
        bytes_of(wrapped->wrapped, WRAPPED_SIZE), (uint8_t *)key, err);

    return status == E_REFUSED
               ? altered(keyring, "a wrapped key is damaged", err)
               : status;
}

enum status keyring_unwrap(struct keyring *keyring,
                           const struct subject_id *subject,
                           const struct wrapped_key *wrapped,
                           struct subject_key *key, struct error *err)
{
    return keyring_unwrap_by(keyring, keyring->seal, subject, wrapped, key,
                             err);
}

/* ---- epochs ---- */

static void epoch_release(struct epoch **epoch)
{
    secret_release(*epoch, sizeof **epoch);
    *epoch = NULL;
}

static void epoch_file(const struct keyring *keyring,
                       const uint8_t epoch[NAME_SIZE],
                       char file[EPOCH_FILE_SIZE])
{
    hex_encode(bytes_of(keyring->name, NAME_SIZE), file);
    file[EPOCH_DASH] = '-';
    hex_encode(bytes_of(epoch, NAME_SIZE), file + EPOCH_DASH + 1);
    memcpy(file + 2 * EPOCH_DASH + 1, EPOCH_SUFFIX, sizeof EPOCH_SUFFIX);
}

static enum status epoch_path(const struct keyring *keyring, const char *file,
                              struct text *path, struct error *err)
{
    text_reset(path);
    return text_printf(path, err, "%s/%s", keyring->folder.data, file);
}

/* Step 2: a fresh one, durable before anything is wrapped under it. */
static enum status epoch_create(struct keyring *keyring, struct epoch **out,
                                struct error *err)
{
    struct epoch *epoch = secret_allocate(sizeof *epoch);
    char file[EPOCH_FILE_SIZE];
    struct text path;
    enum status status;

    *out = NULL;
    if (epoch == NULL)
        return error_memory(err, "an epoch key");
    text_init(&path);
    status = random_secret(epoch, sizeof *epoch, err);
    epoch_file(keyring, epoch->name, file);
    if (status == OK)
        status = epoch_path(keyring, file, &path, err);
    if (status == OK)
        status = secret_file_create(path.data,
                                    bytes_of(epoch->key, SEAL_KEY_SIZE), err);
    if (status != OK)
        epoch_release(&epoch);
    text_clear(&path);
    *out = epoch;
    return status;
}

static bool is_other_epoch(const struct keyring *keyring, const char *file)
{
    char present[EPOCH_FILE_SIZE];

    epoch_file(keyring, keyring->epoch->name, present);
    return strlen(file) == EPOCH_FILE_SIZE - 1 &&
           strncmp(file, present, EPOCH_DASH + 1) == 0 &&
           strcmp(file + 2 * EPOCH_DASH + 1, EPOCH_SUFFIX) == 0 &&
           strcmp(file, present) != 0;
}

/* Step 4: whatever epoch key of ours keys.db does not name. */
static enum status destroy_others(struct keyring *keyring, struct error *err)
{
    DIR *folder = opendir(keyring->folder.data);
    const struct dirent *entry;
    struct text path;
    enum status status = OK;

    if (folder == NULL)
        return error_set_errno(err, E_IO, errno, "%s", keyring->folder.data);
    text_init(&path);
    for (unsigned seen = 0; status == OK; seen++) {
        errno = 0;
        entry = readdir(folder);
        if (entry == NULL) {
            if (errno != 0)
                status = error_set_errno(err, E_IO, errno, "%s",
                                         keyring->folder.data);
            break;
        }
        if (seen == EPOCH_FILES_MAX)
            status = error_set(err, E_LIMIT,
                               "%s: more than %d files; the folder is for "
                               "epoch keys alone",
                               keyring->folder.data, EPOCH_FILES_MAX);
        else if (is_other_epoch(keyring, entry->d_name)) {
            status = epoch_path(keyring, entry->d_name, &path, err);
            if (status == OK)
                status = secret_file_destroy(path.data, err);
        }
    }
    closedir(folder);
    text_clear(&path);
    return status;
}

/* ---- wrapping all keys anew ---- */

struct numbered_key {
    struct subject_id subject;
    struct wrapped_key wrapped;
};

/* The keys behind `after`, in the order of ids. */
static enum status next_keys(struct keyring *keyring,
                             const struct subject_id *after, bool first,
                             struct numbered_key *key, size_t *count,
                             struct error *err)
{
    struct sql_statement *next = NULL;
    bool found = true;
    enum status status =
        sql_store_prepare(keyring->store, NEXT_KEYS, &next, err);

    *count = 0;
    if (status != OK)
        return status;
    /* The empty id is before all others. */
    sql_bind_bytes(next, 1, bytes_of(after->byte, first ? 0 : SUBJECT_ID_SIZE));
    sql_bind_number(next, 2, REWRAP_KEYS);
    while (status == OK && *count < REWRAP_KEYS) {
        struct numbered_key *here = &key[*count];

        status = sql_store_step(keyring->store, next, &found, err);
        if (status != OK || !found)
            break;
        if (!sql_column_fixed(next, 0, here->subject.byte, SUBJECT_ID_SIZE) ||
            !sql_column_fixed(next, 1, here->wrapped.id, KEY_ID_SIZE) ||
            !sql_column_fixed(next, 2, here->wrapped.wrapped, WRAPPED_SIZE))
            status = altered(keyring, "a row has a wrong size", err);
        ++*count;
    }
    sql_store_reset(next);
    return status;
}

static enum status rewrap(struct keyring *keyring, const struct epoch *fresh,
                          struct numbered_key *key, struct subject_key *open,
                          struct error *err)
{
    struct sql_statement *update = NULL;
    enum status status =
        keyring_unwrap(keyring, &key->subject, &key->wrapped, open, err);

    if (status == OK)
        status = wrap(keyring, keyring->seal, fresh, &key->subject, open,
                      &key->wrapped, err);
    if (status == OK)
        status = sql_store_prepare(keyring->store, REWRAP, &update, err);
    if (status != OK)
        return status;
    sql_bind_bytes(update, 1, bytes_of(key->subject.byte, SUBJECT_ID_SIZE));
    sql_bind_bytes(update, 2, bytes_of(key->wrapped.wrapped, WRAPPED_SIZE));
    return sql_store_run(keyring->store, update, err);
}

static enum status rewrap_all(struct keyring *keyring,
                              const struct epoch *fresh, struct error *err)
{
    struct numbered_key *key = calloc(REWRAP_KEYS, sizeof *key);
    struct subject_key *open = secret_allocate(sizeof *open);
    struct subject_id after = {{0}};
    size_t count = REWRAP_KEYS;
    enum status status = OK;

    if (key == NULL || open == NULL)
        status = error_memory(err, "wrapping keys anew");
    for (bool first = true; status == OK && count == REWRAP_KEYS;
         first = false) {
        status = next_keys(keyring, &after, first, key, &count, err);
        for (size_t i = 0; status == OK && i < count; i++)
            status = rewrap(keyring, fresh, &key[i], open, err);
        if (status == OK && count > 0)
            after = key[count - 1].subject;
    }
    secret_release(open, sizeof *open);
    free(key);
    return status;
}

static enum status run_plain(struct keyring *keyring, size_t which,
                             struct error *err)
{
    struct sql_statement *statement = NULL;
    enum status status =
        sql_store_prepare(keyring->store, which, &statement, err);

    return status == OK ? sql_store_run(keyring->store, statement, err)
                        : status;
}

/* That this key is the one of this epoch: nothing, sealed under it. */
static enum status put_epoch(struct keyring *keyring, const struct epoch *epoch,
                             struct error *err)
{
    struct association associated = associate(keyring, epoch, NULL, NULL);
    uint8_t check[SEAL_EXTRA];
    enum status status =
        put_meta(keyring, "epoch", bytes_of(epoch->name, NAME_SIZE), err);

    if (status == OK)
        status = seal_close(keyring->seal, epoch->key,
                            association_bytes(&associated), bytes_of(NULL, 0),
                            check, err);
    if (status == OK)
        status = put_meta(keyring, "check", bytes_of(check, sizeof check), err);
    return status;
}

/* Step 3. */
static enum status move_to(struct keyring *keyring, const struct epoch *fresh,
                           uint64_t *erased, struct error *err)
{
    enum status status = sql_store_begin(keyring->store, err);

    if (status == OK)
        status = run_plain(keyring, DROP_MARKED, err);
    if (status == OK) {
        *erased = sql_store_changes(keyring->store);
        status = rewrap_all(keyring, fresh, err);
    }
    if (status == OK)
        status = run_plain(keyring, CLEAR_MARKS, err);
    if (status == OK)
        status = put_epoch(keyring, fresh, err);
    if (status == OK)
        status = sql_store_commit(keyring->store, err);
    if (status != OK)
        sql_store_rollback(keyring->store);
    return status;
}

/* Steps 2 to 4. */
static enum status turn(struct keyring *keyring, uint64_t *erased,
                        struct error *err)
{
    struct epoch *fresh = NULL;
    enum status status = epoch_create(keyring, &fresh, err);

    if (status == OK)
        status = move_to(keyring, fresh, erased, err);
    if (status == OK) {
        epoch_release(&keyring->epoch);
        keyring->epoch = fresh;
        keyring->generation++;
        fresh = NULL;
        status = destroy_others(keyring, err);
    }
    epoch_release(&fresh);
    return status;
}

/* ---- opening ---- */

/* The key of the epoch that keys.db names, proven to be it.  *none: it names
 * none, which only a keyring without keys may do. */
static enum status load_epoch(struct keyring *keyring, bool *none,
                              struct error *err)
{
    struct epoch *epoch = keyring->epoch;
    struct association associated;
    uint8_t check[SEAL_EXTRA], nothing[1];
    char file[EPOCH_FILE_SIZE];
    struct text path;
    bool has = false, has_check = false;
    uint64_t count = 0;
    enum status status =
        get_meta(keyring, "epoch", epoch->name, NAME_SIZE, &has, err);

    if (status == OK)
        status =
            get_meta(keyring, "check", check, sizeof check, &has_check, err);
    if (status == OK && !has)
        status = keyring_count(keyring, &count, err);
    if (status != OK)
        return status;
    *none = !has && !has_check && count == 0;
    if (*none)
        return OK;
    if (!has || !has_check)
        return altered(keyring, "the epoch is missing", err);
    text_init(&path);
    epoch_file(keyring, epoch->name, file);
    status = epoch_path(keyring, file, &path, err);
    if (status == OK)
        status = secret_file_read(path.data, epoch->key, SEAL_KEY_SIZE, err);
    if (status == OK) {
        associated = associate(keyring, epoch, NULL, NULL);
        status =
            seal_open(keyring->seal, epoch->key, association_bytes(&associated),
                      bytes_of(check, sizeof check), nothing, err);
        if (status == E_REFUSED)
            status = error_set(err, E_INPUT,
                               "%s: is not the epoch key of %s, or one of them "
                               "was altered",
                               path.data, sql_store_path(keyring->store));
    }
    text_clear(&path);
    return status;
}

/* Also where an erasure, or the making of the keyring, was interrupted. */
static enum status settle(struct keyring *keyring, struct error *err)
{
    struct sql_statement *marked = NULL;
    bool none = false, found = false;
    uint64_t pending = 0, erased = 0;
    enum status status = load_epoch(keyring, &none, err);

    /* Only now, when it is certain that the right one is there. */
    if (status == OK && !none)
        status = destroy_others(keyring, err);
    if (status == OK)
        status = sql_store_prepare(keyring->store, MARKED, &marked, err);
    if (status == OK)
        status = sql_store_step(keyring->store, marked, &found, err);
    if (status == OK && (!found || !sql_column_number(marked, 0, &pending)))
        status = altered(keyring, "marks cannot be counted", err);
    sql_store_reset(marked);
    if (status == OK && (none || pending > 0))
        status = turn(keyring, &erased, err);
    return status;
}

static enum status first_rows(struct keyring *keyring, struct error *err)
{
    static const uint8_t version = SCHEMA_VERSION;
    enum status status = random_secret(keyring->name, NAME_SIZE, err);

    if (status == OK)
        status = put_meta(keyring, "schema", bytes_of(&version, 1), err);
    if (status == OK)
        status = put_meta(keyring, "keyring",
                          bytes_of(keyring->name, NAME_SIZE), err);
    return status == OK ? sql_store_commit(keyring->store, err) : status;
}

static enum status read_rows(struct keyring *keyring, struct error *err)
{
    uint8_t version = 0;
    bool found = false;
    enum status status = get_meta(keyring, "schema", &version, 1, &found, err);

    if (status == OK && (!found || version != SCHEMA_VERSION))
        return error_set(err, E_INPUT, "%s: is of another version",
                         sql_store_path(keyring->store));
    if (status == OK)
        status =
            get_meta(keyring, "keyring", keyring->name, NAME_SIZE, &found, err);
    if (status == OK && !found)
        status = altered(keyring, "the keyring's name is missing", err);
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
        status = settle(keyring, err);
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

static enum status check_going(const struct keyring *keyring, struct error *err)
{
    if (keyring->stopped)
        return error_set(err, E_SYSTEM,
                         "%s: an erasure failed half-way; the keyring has to "
                         "be opened anew",
                         sql_store_path(keyring->store));
    return OK;
}

enum status keyring_count(struct keyring *keyring, uint64_t *count,
                          struct error *err)
{
    struct sql_statement *statement = NULL;
    bool found = false;
    enum status status = check_going(keyring, err);

    if (status == OK)
        status = sql_store_prepare(keyring->store, COUNT, &statement, err);
    if (status == OK)
        status = sql_store_step(keyring->store, statement, &found, err);
    if (status == OK && (!found || !sql_column_number(statement, 0, count)))
        status = altered(keyring, "keys cannot be counted", err);
    sql_store_reset(statement);
    return status;
}

enum status keyring_find(struct keyring *keyring,
                         const struct subject_id *subject,
                         struct wrapped_key *wrapped, bool *found,
                         struct error *err)
{
    struct sql_statement *find = NULL;
    enum status status = check_going(keyring, err);

    if (status == OK)
        status = sql_store_prepare(keyring->store, FIND, &find, err);
    if (status != OK)
        return status;
    sql_bind_bytes(find, 1, bytes_of(subject->byte, SUBJECT_ID_SIZE));
    status = sql_store_step(keyring->store, find, found, err);
    if (status == OK && *found &&
        (!sql_column_fixed(find, 0, wrapped->id, KEY_ID_SIZE) ||
         !sql_column_fixed(find, 1, wrapped->wrapped, WRAPPED_SIZE)))
        status = altered(keyring, "a row has a wrong size", err);
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
        status = altered(keyring, "a row has a wrong size", err);
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
        status = sql_store_prepare(keyring->store, FIND_FROM, &walk->from, err);
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
    enum status status = check_going(keyring, err);

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
            status = altered(keyring, "a row has a wrong size", err);
    }
    sql_store_reset(walk.from);
    return status;
}

/* ---- new keys ---- */

/* Subjects of a batch without a draft, ascending, and what keys.db knows of
 * them. */
struct unknown {
    const struct keyring *keyring;
    struct subject_id *subject;
    struct wrapped_key *key;
    bool *found;
    size_t count;
};

static int compare_ids(const void *a, const void *b)
{
    return subject_id_compare(a, b);
}

static void unknown_clear(struct unknown *unknown)
{
    free(unknown->subject);
    free(unknown->key);
    free(unknown->found);
}

static enum status unknown_collect(struct unknown *unknown,
                                   const struct subject_id *subject,
                                   size_t count, struct error *err)
{
    size_t distinct = 0;

    unknown->subject = calloc(count + 1, sizeof *unknown->subject);
    unknown->key = calloc(count + 1, sizeof *unknown->key);
    unknown->found = calloc(count + 1, sizeof *unknown->found);
    if (unknown->subject == NULL || unknown->key == NULL ||
        unknown->found == NULL)
        return error_memory(err, "new keys");
    for (size_t i = 0; i < count; i++)
        if (keyring_drafts_find(&unknown->keyring->drafts, &subject[i]) == NULL)
            unknown->subject[unknown->count++] = subject[i];
    qsort(unknown->subject, unknown->count, sizeof *unknown->subject,
          compare_ids);
    for (size_t i = 0; i < unknown->count; i++)
        if (i == 0 ||
            compare_ids(&unknown->subject[i - 1], &unknown->subject[i]) != 0)
            unknown->subject[distinct++] = unknown->subject[i];
    unknown->count = distinct;
    return OK;
}

static void take_known(void *context, size_t i, const struct wrapped_key *key)
{
    struct unknown *unknown = context;

    unknown->key[i] = *key;
    unknown->found[i] = true;
}

static enum status make_key(void *context, const struct keyring_share *share,
                            size_t item, struct error *err)
{
    struct unknown *unknown = context;
    const struct keyring *keyring = unknown->keyring;
    struct wrapped_key *key = &unknown->key[item];
    enum status status;

    if (unknown->found[item])
        return OK;
    status = random_secret(share->key, sizeof *share->key, err);
    if (status == OK)
        status = random_secret(key->id, KEY_ID_SIZE, err);
    return status == OK ? wrap(keyring, share->seal, keyring->epoch,
                               &unknown->subject[item], share->key, key, err)
                        : status;
}

/* The key of each subject: a draft, or what was found. */
static void give_keys(const struct unknown *unknown,
                      const struct subject_id *subject, size_t count,
                      struct wrapped_key *key)
{
    for (size_t i = 0; i < count; i++) {
        const struct wrapped_key *draft =
            keyring_drafts_find(&unknown->keyring->drafts, &subject[i]);
        const struct subject_id *known;

        if (draft != NULL) {
            key[i] = *draft;
            continue;
        }
        known = bsearch(&subject[i], unknown->subject, unknown->count,
                        sizeof *unknown->subject, compare_ids);
        assert(known != NULL && unknown->found[known - unknown->subject]);
        key[i] = unknown->key[known - unknown->subject];
    }
}

static enum status check_batch(size_t count, struct error *err)
{
    if (count > KEYRING_BATCH_MAX)
        return error_set(err, E_LIMIT,
                         "%zu subjects in one call, the limit is %u", count,
                         KEYRING_BATCH_MAX);
    return OK;
}

enum status keyring_draft(struct keyring *keyring, struct keyring_crew *crew,
                          const struct subject_id *subject, size_t count,
                          struct wrapped_key *key, struct error *err)
{
    struct unknown unknown = {.keyring = keyring};
    enum status status = check_going(keyring, err);

    if (status == OK)
        status = check_batch(count, err);
    if (status == OK && keyring->drafts.count + count > KEYRING_BATCH_MAX)
        status = keyring_save(keyring, err);
    if (status != OK)
        return status;
    status = unknown_collect(&unknown, subject, count, err);
    if (status == OK)
        status = keyring_find_many(keyring, unknown.subject, unknown.count,
                                   take_known, &unknown, err);
    if (status == OK)
        status = keyring_crew_run(crew, unknown.count, make_key, &unknown, err);
    if (status == OK)
        status = keyring_drafts_reserve(&keyring->drafts, unknown.count, err);
    if (status == OK) {
        for (size_t i = 0; i < unknown.count; i++)
            if (!unknown.found[i])
                keyring_drafts_add(&keyring->drafts, &unknown.subject[i],
                                   &unknown.key[i]);
        give_keys(&unknown, subject, count, key);
    }
    unknown_clear(&unknown);
    return status;
}

static enum status save_one(struct keyring *keyring, const struct draft *draft,
                            struct error *err)
{
    struct sql_statement *add = NULL;
    enum status status = sql_store_prepare(keyring->store, ADD, &add, err);

    if (status != OK)
        return status;
    sql_bind_bytes(add, 1, bytes_of(draft->subject.byte, SUBJECT_ID_SIZE));
    sql_bind_bytes(add, 2, bytes_of(draft->key.id, KEY_ID_SIZE));
    sql_bind_bytes(add, 3, bytes_of(draft->key.wrapped, WRAPPED_SIZE));
    return sql_store_run(keyring->store, add, err);
}

enum status keyring_save(struct keyring *keyring, struct error *err)
{
    const struct draft **draft;
    size_t count = keyring->drafts.count;
    enum status status = check_going(keyring, err);

    if (status != OK || count == 0)
        return status;
    /* In the order of ids, so that each page is written once. */
    draft = keyring_drafts_sorted(&keyring->drafts);
    if (draft == NULL)
        return error_memory(err, "new keys");
    status = sql_store_begin(keyring->store, err);
    for (size_t i = 0; status == OK && i < count; i++)
        status = save_one(keyring, draft[i], err);
    if (status == OK)
        status = sql_store_commit(keyring->store, err);
    if (status == OK)
        keyring_drafts_clear(&keyring->drafts);
    else
        sql_store_rollback(keyring->store);
    free(draft);
    return status;
}

enum status keyring_add(struct keyring *keyring,
                        const struct subject_id *subject, size_t count,
                        struct error *err)
{
    struct keyring_crew *crew = NULL;
    struct wrapped_key *key = NULL;
    enum status status = check_batch(count, err);

    if (status == OK)
        status = keyring_crew_create(&crew, 1, err);
    if (status == OK && (key = calloc(count + 1, sizeof *key)) == NULL)
        status = error_memory(err, "new keys");
    if (status == OK)
        status = keyring_draft(keyring, crew, subject, count, key, err);
    if (status == OK)
        status = keyring_save(keyring, err);
    free(key);
    keyring_crew_destroy(&crew);
    return status;
}

/* Step 1. */
static enum status mark(struct keyring *keyring,
                        const struct subject_id *subject, size_t count,
                        struct error *err)
{
    enum status status = sql_store_begin(keyring->store, err);

    for (size_t i = 0; status == OK && i < count; i++) {
        struct sql_statement *add = NULL;

        status = sql_store_prepare(keyring->store, MARK, &add, err);
        if (status != OK)
            break;
        sql_bind_bytes(add, 1, bytes_of(subject[i].byte, SUBJECT_ID_SIZE));
        status = sql_store_run(keyring->store, add, err);
    }
    if (status == OK)
        status = sql_store_commit(keyring->store, err);
    if (status != OK)
        sql_store_rollback(keyring->store);
    return status;
}

enum status keyring_erase(struct keyring *keyring,
                          const struct subject_id *subject, size_t count,
                          uint64_t *erased, struct error *err)
{
    enum status status = check_going(keyring, err);

    if (status == OK)
        status = check_batch(count, err);
    if (status != OK)
        return status;
    *erased = 0;
    /* Of the old epoch: they could not be opened after it. */
    status = keyring_save(keyring, err);
    if (status != OK)
        return status;
    status = mark(keyring, subject, count, err);
    if (status == OK)
        status = turn(keyring, erased, err);
    /* Marks, epochs and files may say different things now; opening puts them
     * right, and only that. */
    keyring->stopped = status != OK;
    return status;
}
