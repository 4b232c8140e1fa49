#include <assert.h>
#include <stdlib.h>

#include "anonymizer/vault_batch.h"
#include "common/merkle.h"

/* Keys of permitted subjects, found in one walk through keys.db: their ids are
 * random, and a search for each row took longer than all the rest. */
struct found_keys {
    struct wrapped_key *key; /* [permitted] */
    bool *found;             /* [permitted] */
    bool loaded;
    uint64_t generation; /* of the keyring when they were found */
};

struct vault_reader {
    struct keyring *keyring;
    struct vault_request request;
    struct vault_dataset dataset;
    size_t column_count;

    uint64_t next; /* row that has not been looked at */
    struct merkle_tree tree;
    uint64_t announced; /* rows before it were, in this pass or an earlier */
    uint64_t erased;
    bool failed;

    struct found_keys keys;
    struct vault_batch batch;
    struct subject_id *subject; /* of the batch's chosen rows */
    size_t at;                  /* chosen rows given out */
    struct bytes *cell;         /* of the row that was given out */
    struct vault_row row;
};

/* ---- opening ---- */

static enum status take_dataset(struct vault_reader *reader,
                                struct vault *vault, struct error *err)
{
    const struct dataset_id *id = &reader->request.dataset;
    struct vault_schema schema;
    uint64_t number = 0;
    bool found = false;
    enum status status =
        vault_find_numbered(vault, id, &reader->dataset, &number, &found, err);

    if (status != OK)
        return status;
    if (!found)
        return vault_refuse(vault, id, err, "there is none");
    status = vault_find_schema(vault, id, &schema, err);
    if (status != OK)
        return status;
    reader->column_count = schema.column_count;
    vault_schema_clear(&schema);
    reader->batch.place =
        (struct batch_place){.home = {*id, reader->dataset.schema},
                             .number = number,
                             .rows = reader->dataset.rows};
    reader->cell = calloc(reader->column_count, sizeof *reader->cell);
    return reader->cell == NULL ? error_memory(err, "a reader") : OK;
}

static enum status check_permitted(const struct vault_request *request,
                                   struct error *err)
{
    for (size_t i = 1; i < request->permitted_count; i++)
        if (subject_id_compare(&request->permitted[i - 1],
                               &request->permitted[i]) >= 0)
            return error_set(err, E_INPUT,
                             "the permitted subjects are not in ascending "
                             "order, or one is there twice");
    return OK;
}

enum status vault_reader_open(struct vault_reader **out, struct vault *vault,
                              struct keyring *keyring,
                              const struct vault_request *request,
                              struct error *err)
{
    struct vault_reader *reader;
    enum status status = check_permitted(request, err);

    assert(request->access != NULL);
    *out = NULL;
    if (status != OK)
        return status;
    reader = calloc(1, sizeof *reader);
    if (reader == NULL)
        return error_memory(err, "a reader");
    reader->keyring = keyring;
    reader->request = *request;
    status =
        vault_batch_init(&reader->batch, vault, keyring, &reader->request, err);
    if (status == OK)
        status = take_dataset(reader, vault, err);
    if (status == OK) {
        reader->subject = calloc(VAULT_BATCH_ROWS, sizeof *reader->subject);
        if (reader->subject == NULL)
            status = error_memory(err, "a reader");
    }
    if (status == OK)
        vault_reader_rewind(reader);
    else
        vault_reader_close(&reader);
    *out = reader;
    return status;
}

void vault_reader_close(struct vault_reader **handle)
{
    struct vault_reader *reader = *handle;

    if (reader == NULL)
        return;
    vault_batch_clear(&reader->batch);
    free(reader->keys.key);
    free(reader->keys.found);
    free(reader->subject);
    free(reader->cell);
    free(reader);
    *handle = NULL;
}

void vault_reader_rewind(struct vault_reader *reader)
{
    assert(!reader->failed);
    merkle_tree_init(&reader->tree);
    reader->next = reader->erased = 0;
    reader->batch.chosen_count = reader->at = 0;
    vault_batch_wipe(&reader->batch);
}

uint64_t vault_reader_erased(const struct vault_reader *reader)
{
    return reader->erased;
}

/* ---- keys ---- */

static void take_key(void *context, size_t i, const struct wrapped_key *key)
{
    struct found_keys *keys = context;

    keys->key[i] = *key;
    keys->found[i] = true;
}

/* As they are now: an erasure since the last batch has wrapped them anew. */
static enum status load_keys(struct vault_reader *reader, struct error *err)
{
    const struct vault_request *request = &reader->request;
    struct found_keys *keys = &reader->keys;
    uint64_t generation = keyring_generation(reader->keyring);
    size_t count = request->permitted_count;
    enum status status;

    if (keys->loaded && keys->generation == generation)
        return OK;
    free(keys->key);
    free(keys->found);
    keys->loaded = false;
    keys->key = calloc(count > 0 ? count : 1, sizeof *keys->key);
    keys->found = calloc(count > 0 ? count : 1, sizeof *keys->found);
    if (keys->key == NULL || keys->found == NULL)
        return error_memory(err, "the permitted subjects' keys");
    status = keyring_find_many(reader->keyring, request->permitted, count,
                               take_key, keys, err);
    keys->loaded = status == OK;
    keys->generation = generation;
    return status;
}

/* ---- a batch ---- */

/* What has to be in order: the tree, and which rows may be opened because their
 * keys have not ended. */
static enum status choose_rows(struct vault_reader *reader, struct error *err)
{
    struct vault_batch *batch = &reader->batch;
    const struct found_keys *keys = &reader->keys;
    enum status status = OK;

    for (size_t i = 0; status == OK && i < batch->count; i++) {
        const struct batch_row *row = &batch->row[i];
        size_t p = row->permitted;

        status = merkle_append(&reader->tree, &row->leaf, NULL, NULL, err);
        if (p == NOT_PERMITTED)
            continue;
        if (!keys->found[p] ||
            memcmp(keys->key[p].id, row->head.key_id, KEY_ID_SIZE) != 0) {
            reader->erased++;
            continue;
        }
        reader->subject[batch->chosen_count] = row->head.subject;
        batch->chosen[batch->chosen_count++] = i;
    }
    reader->next += batch->count;
    return status;
}

static enum status check_root(const struct vault_reader *reader,
                              struct error *err)
{
    struct digest root;

    merkle_root(&reader->tree, &root);
    if (memcmp(&root, &reader->dataset.root, sizeof root) != 0)
        return vault_refuse(reader->batch.vault, &reader->request.dataset, err,
                            "its rows do not have its root; it was altered");
    return OK;
}

/* Before the first key of them is opened. */
static enum status announce(struct vault_reader *reader, struct error *err)
{
    enum status status;

    if (reader->next <= reader->announced)
        return OK;
    status = reader->request.access(reader->request.context,
                                    &reader->request.dataset, reader->subject,
                                    reader->batch.chosen_count, err);
    if (status != OK)
        return error_wrap(err, "access to rows is not recorded");
    reader->announced = reader->next;
    return OK;
}

/* The next batch with rows to give, announced and opened.  Without one at the
 * end, with all rows proven. */
static enum status next_batch(struct vault_reader *reader, struct error *err)
{
    struct vault_batch *batch = &reader->batch;
    enum status status = load_keys(reader, err);

    reader->at = 0;
    do {
        if (status == OK)
            status = vault_batch_fetch(batch, reader->next, err);
        if (status == OK)
            status = vault_batch_check(batch, err);
        if (status == OK)
            status = choose_rows(reader, err);
    } while (status == OK && batch->count > 0 && batch->chosen_count == 0);
    if (status == OK && batch->count == 0)
        return check_root(reader, err);
    if (status == OK)
        status = announce(reader, err);
    return status == OK ? vault_batch_open(batch, reader->keys.key, err)
                        : status;
}

/* ---- a row ---- */

static enum status give_row(struct vault_reader *reader, struct error *err)
{
    const struct vault_batch *batch = &reader->batch;
    size_t chosen = batch->chosen[reader->at++];
    const struct row_head *head = &batch->row[chosen].head;

    if (!vault_batch_split(batch, chosen, reader->cell, reader->column_count))
        return vault_refuse(batch->vault, &reader->request.dataset, err,
                            "row %ju: has other columns than its schema",
                            (uintmax_t)head->number);
    reader->row = (struct vault_row){.number = head->number,
                                     .subject = head->subject,
                                     .cell = reader->cell,
                                     .cell_count = reader->column_count};
    return OK;
}

enum status vault_reader_next(struct vault_reader *reader,
                              const struct vault_row **row, struct error *err)
{
    enum status status = OK;

    assert(!reader->failed);
    *row = NULL;
    if (reader->at == reader->batch.chosen_count)
        status = next_batch(reader, err);
    if (status == OK && reader->at < reader->batch.chosen_count) {
        status = give_row(reader, err);
        if (status == OK)
            *row = &reader->row;
    }
    reader->failed = status != OK;
    if (status != OK || *row == NULL)
        vault_batch_wipe(&reader->batch);
    return status;
}
