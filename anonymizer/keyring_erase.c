#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "anonymizer/keyring_internal.h"
#include "common/encoding.h"
#include "common/limits.h"
#include "common/secret_file.h"
#include "common/sign.h"

/* Keys that are wrapped anew between two looks at the database. */
#define REWRAP_KEYS 1024

/* An epoch key is "<keyring>-<epoch>.epoch", in hex. */
#define EPOCH_SUFFIX ".epoch"
#define EPOCH_DASH ((size_t)2 * NAME_SIZE)
#define EPOCH_FILE_SIZE (4 * NAME_SIZE + 1 + sizeof EPOCH_SUFFIX)

/* ---- epochs ---- */

void epoch_release(struct epoch **epoch)
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
        sql_store_prepare(keyring->store, SQL_NEXT_KEYS, &next, err);

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
            status = keyring_altered(keyring, "a row has a wrong size", err);
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
        status = keyring_wrap(keyring, keyring->seal, fresh, &key->subject,
                              open, &key->wrapped, err);
    if (status == OK)
        status = sql_store_prepare(keyring->store, SQL_REWRAP, &update, err);
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

static enum status put_epoch(struct keyring *keyring, const struct epoch *epoch,
                             struct error *err)
{
    uint8_t check[SEAL_EXTRA];
    enum status status = keyring_put_meta(
        keyring, "epoch", bytes_of(epoch->name, NAME_SIZE), err);

    if (status == OK)
        status = keyring_check_close(keyring, epoch, check, err);
    if (status == OK)
        status = keyring_put_meta(keyring, "check",
                                  bytes_of(check, sizeof check), err);
    return status;
}

/* Step 3. */
static enum status move_to(struct keyring *keyring, const struct epoch *fresh,
                           uint64_t *erased, struct error *err)
{
    enum status status = sql_store_begin(keyring->store, err);

    if (status == OK)
        status = run_plain(keyring, SQL_DROP_MARKED, err);
    if (status == OK) {
        *erased = sql_store_changes(keyring->store);
        status = rewrap_all(keyring, fresh, err);
    }
    if (status == OK)
        status = run_plain(keyring, SQL_CLEAR_MARKS, err);
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

/* ---- settling ---- */

/* The key of the epoch that keys.db names, proven to be it.  *none: it names
 * none, which only a keyring without keys may do. */
static enum status load_epoch(struct keyring *keyring, bool *none,
                              struct error *err)
{
    struct epoch *epoch = keyring->epoch;
    uint8_t check[SEAL_EXTRA];
    char file[EPOCH_FILE_SIZE];
    struct text path;
    bool has = false, has_check = false;
    uint64_t count = 0;
    enum status status =
        keyring_get_meta(keyring, "epoch", epoch->name, NAME_SIZE, &has, err);

    if (status == OK)
        status = keyring_get_meta(keyring, "check", check, sizeof check,
                                  &has_check, err);
    if (status == OK && !has)
        status = keyring_count(keyring, &count, err);
    if (status != OK)
        return status;
    *none = !has && !has_check && count == 0;
    if (*none)
        return OK;
    if (!has || !has_check)
        return keyring_altered(keyring, "the epoch is missing", err);
    text_init(&path);
    epoch_file(keyring, epoch->name, file);
    status = epoch_path(keyring, file, &path, err);
    if (status == OK)
        status = secret_file_read(path.data, epoch->key, SEAL_KEY_SIZE, err);
    if (status == OK) {
        status = keyring_check_open(keyring, epoch, check, err);
        if (status == E_REFUSED)
            status = error_set(err, E_INPUT,
                               "%s: is not the epoch key of %s, or one of them "
                               "was altered",
                               path.data, sql_store_path(keyring->store));
    }
    text_clear(&path);
    return status;
}

enum status keyring_settle(struct keyring *keyring, struct error *err)
{
    struct sql_statement *marked = NULL;
    bool none = false, found = false;
    uint64_t pending = 0, erased = 0;
    enum status status = load_epoch(keyring, &none, err);

    /* Only now, when it is certain that the right one is there. */
    if (status == OK && !none)
        status = destroy_others(keyring, err);
    if (status == OK)
        status = sql_store_prepare(keyring->store, SQL_MARKED, &marked, err);
    if (status == OK)
        status = sql_store_step(keyring->store, marked, &found, err);
    if (status == OK && (!found || !sql_column_number(marked, 0, &pending)))
        status = keyring_altered(keyring, "marks cannot be counted", err);
    sql_store_reset(marked);
    if (status == OK && (none || pending > 0))
        status = turn(keyring, &erased, err);
    return status;
}

/* ---- erasing ---- */

/* Step 1. */
static enum status mark(struct keyring *keyring,
                        const struct subject_id *subject, size_t count,
                        struct error *err)
{
    enum status status = sql_store_begin(keyring->store, err);

    for (size_t i = 0; status == OK && i < count; i++) {
        struct sql_statement *add = NULL;

        status = sql_store_prepare(keyring->store, SQL_MARK, &add, err);
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
    enum status status = keyring_check_going(keyring, err);

    if (status == OK)
        status = keyring_check_batch(count, err);
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
