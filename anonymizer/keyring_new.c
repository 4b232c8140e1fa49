#include <assert.h>
#include <stdlib.h>

#include "anonymizer/keyring_crew.h"
#include "anonymizer/keyring_internal.h"
#include "common/limits.h"
#include "common/sign.h"

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
    return status == OK
               ? keyring_wrap(keyring, share->seal, keyring->epoch,
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

enum status keyring_draft(struct keyring *keyring, struct keyring_crew *crew,
                          const struct subject_id *subject, size_t count,
                          struct wrapped_key *key, struct error *err)
{
    struct unknown unknown = {.keyring = keyring};
    enum status status = keyring_check_going(keyring, err);

    if (status == OK)
        status = keyring_check_batch(count, err);
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
    enum status status = sql_store_prepare(keyring->store, SQL_ADD, &add, err);

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
    enum status status = keyring_check_going(keyring, err);

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
    enum status status = keyring_check_batch(count, err);

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
