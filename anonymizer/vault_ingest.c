#include <assert.h>
#include <stdlib.h>

#include "anonymizer/keyring_crew.h"
#include "anonymizer/vault_internal.h"
#include "common/encoding.h"
#include "common/merkle.h"
#include "common/sign.h"
#include "common/utf8.h"

/* A row that waits for its batch to be full, and then, sealed, to be written.
 */
struct waiting {
    size_t begin; /* of its plain text in plain */
    size_t size;
    struct row_head head;
    struct digest leaf;
};

struct vault_ingest {
    struct vault *vault;
    struct keyring *keyring;
    struct keyring_crew *crew;
    struct row_home home;
    uint64_t number; /* of the dataset */
    size_t column_count;
    uint64_t rows; /* written */
    struct merkle_tree tree;
    bool failed;

    /* The batch: waiting[i] is subject[i]'s, by key[i]. */
    struct text plain;
    struct text sealed; /* each row SEAL_EXTRA longer than in plain */
    struct subject_id *subject;
    struct wrapped_key *key;
    struct waiting *waiting;
    size_t count;
};

/* ---- beginning ---- */

static enum status add_dataset(struct vault_ingest *ingest, struct bytes schema,
                               struct error *err)
{
    struct sql_store *store = ingest->vault->store;
    struct sql_statement *statement = NULL;
    bool found = false;
    uint64_t count = 0;
    enum status status =
        sql_store_prepare(store, VAULT_COUNT_DATASETS, &statement, err);

    if (status == OK)
        status = sql_store_step(store, statement, &found, err);
    if (status == OK && (!found || !sql_column_number(statement, 0, &count) ||
                         count >= VAULT_DATASETS_MAX))
        status = error_set(err, E_LIMIT, "%s: has %u datasets, the limit",
                           sql_store_path(store), VAULT_DATASETS_MAX);
    sql_store_reset(statement);
    if (status == OK)
        status = sql_store_prepare(store, VAULT_ADD_DATASET, &statement, err);
    if (status != OK)
        return status;
    sql_bind_bytes(statement, 1,
                   bytes_of(ingest->home.dataset.byte, DATASET_ID_SIZE));
    sql_bind_bytes(statement, 2, schema);
    status = sql_store_step(store, statement, &found, err);
    if (status == OK &&
        (!found || !sql_column_number(statement, 0, &ingest->number) ||
         ingest->number >= VAULT_NUMBER_MAX))
        status = error_set(err, E_INPUT,
                           "%s: a dataset has a wrong number; the database "
                           "was altered",
                           sql_store_path(store));
    /* What RETURNING returns is only written when it has come to its end. */
    if (status == OK)
        status = sql_store_step(store, statement, &found, err);
    sql_store_reset(statement);
    return status;
}

static void ingest_release(struct vault_ingest **handle)
{
    struct vault_ingest *ingest = *handle;

    if (ingest->plain.capacity > 0)
        secret_wipe(ingest->plain.data, ingest->plain.capacity);
    text_clear(&ingest->plain);
    text_clear(&ingest->sealed);
    keyring_crew_destroy(&ingest->crew);
    free(ingest->subject);
    free(ingest->key);
    free(ingest->waiting);
    free(ingest);
    *handle = NULL;
}

static enum status take_schema(struct vault_ingest *ingest,
                               const struct vault_schema *schema,
                               struct text *json, struct error *err)
{
    struct bytes bytes;
    enum status status = vault_schema_encode(schema, json, err);

    if (status != OK)
        return status;
    bytes = text_bytes(json);
    digest_parts(&ingest->home.schema, &bytes, 1);
    ingest->column_count = schema->column_count;
    return OK;
}

enum status vault_ingest_begin(struct vault_ingest **out, struct vault *vault,
                               struct keyring *keyring,
                               const struct vault_schema *schema,
                               struct error *err)
{
    struct vault_ingest *ingest = calloc(1, sizeof *ingest);
    struct text json;
    enum status status = OK;

    *out = NULL;
    if (ingest == NULL)
        return error_memory(err, "an ingest");
    ingest->vault = vault;
    ingest->keyring = keyring;
    merkle_tree_init(&ingest->tree);
    text_init(&json);
    text_init(&ingest->plain);
    text_init(&ingest->sealed);
    ingest->key = calloc(VAULT_BATCH_ROWS, sizeof *ingest->key);
    ingest->subject = calloc(VAULT_BATCH_ROWS, sizeof *ingest->subject);
    ingest->waiting = calloc(VAULT_BATCH_ROWS, sizeof *ingest->waiting);
    if (ingest->key == NULL || ingest->subject == NULL ||
        ingest->waiting == NULL)
        status = error_memory(err, "an ingest");
    if (status == OK)
        status = keyring_crew_create(&ingest->crew, vault->threads, err);
    if (status == OK)
        status = take_schema(ingest, schema, &json, err);
    if (status == OK)
        status = random_secret(ingest->home.dataset.byte, DATASET_ID_SIZE, err);
    if (status == OK)
        status = add_dataset(ingest, text_bytes(&json), err);
    if (status != OK)
        ingest_release(&ingest);
    text_clear(&json);
    *out = ingest;
    return status;
}

struct dataset_id vault_ingest_id(const struct vault_ingest *ingest)
{
    return ingest->home.dataset;
}

/* ---- a batch ---- */

static size_t sealed_begin(const struct vault_ingest *ingest, size_t i)
{
    return ingest->waiting[i].begin + i * SEAL_EXTRA;
}

static enum status seal_row(void *context, const struct keyring_share *share,
                            size_t i, struct error *err)
{
    struct vault_ingest *ingest = context;
    struct waiting *waiting = &ingest->waiting[i];
    struct row_head *head = &waiting->head;
    uint8_t *to = (uint8_t *)ingest->sealed.data + sealed_begin(ingest, i);
    struct bytes sealed = bytes_of(to, waiting->size + SEAL_EXTRA);
    struct row_association associated;
    struct digest sealed_digest, commitment;
    enum status status;

    head->number = ingest->rows + i;
    head->subject = ingest->subject[i];
    memcpy(head->key_id, ingest->key[i].id, KEY_ID_SIZE);
    status = random_secret(head->token, ROW_TOKEN_SIZE, err);
    if (status == OK)
        status = keyring_unwrap_by(ingest->keyring, share->seal, &head->subject,
                                   &ingest->key[i], share->key, err);
    if (status != OK)
        return status;
    associated = row_associate(&ingest->home, head->token);
    status = seal_close(
        share->seal, share->key->key,
        bytes_of(associated.byte, sizeof associated.byte),
        bytes_of(ingest->plain.data + waiting->begin, waiting->size), to, err);
    if (status != OK)
        return status;
    digest_parts(&sealed_digest, &sealed, 1);
    row_commit(&ingest->home, head, &sealed_digest, share->key->salt,
               &commitment);
    memcpy(head->commitment, commitment.byte, DIGEST_SIZE);
    row_leaf(head, &sealed_digest, &waiting->leaf);
    return OK;
}

static enum status write_row(struct vault_ingest *ingest, size_t i,
                             struct merkle_tree *tree, struct error *err)
{
    struct sql_store *store = ingest->vault->store;
    const struct waiting *waiting = &ingest->waiting[i];
    const struct row_head *head = &waiting->head;
    struct sql_statement *add = NULL;
    enum status status = merkle_append(tree, &waiting->leaf, NULL, NULL, err);

    if (status == OK)
        status = sql_store_prepare(store, VAULT_ADD_ROW, &add, err);
    if (status != OK)
        return status;
    sql_bind_number(add, 1,
                    (ingest->number << VAULT_PLACE_BITS) + head->number);
    sql_bind_bytes(add, 2, bytes_of(head->subject.byte, SUBJECT_ID_SIZE));
    sql_bind_bytes(add, 3, bytes_of(head->key_id, KEY_ID_SIZE));
    sql_bind_bytes(add, 4, bytes_of(head->token, ROW_TOKEN_SIZE));
    sql_bind_bytes(add, 5, bytes_of(head->commitment, DIGEST_SIZE));
    sql_bind_bytes(add, 6, bytes_of(waiting->leaf.byte, DIGEST_SIZE));
    sql_bind_bytes(add, 7,
                   bytes_of(ingest->sealed.data + sealed_begin(ingest, i),
                            waiting->size + SEAL_EXTRA));
    return sql_store_run(store, add, err);
}

static enum status seal_batch(struct vault_ingest *ingest, struct error *err)
{
    size_t size = ingest->plain.size + ingest->count * SEAL_EXTRA;
    enum status status =
        keyring_draft(ingest->keyring, ingest->crew, ingest->subject,
                      ingest->count, ingest->key, err);

    text_reset(&ingest->sealed);
    if (status == OK)
        status = text_reserve(&ingest->sealed, size, err);
    return status == OK ? keyring_crew_run(ingest->crew, ingest->count,
                                           seal_row, ingest, err)
                        : status;
}

static enum status write_batch(struct vault_ingest *ingest, struct error *err)
{
    struct sql_store *store = ingest->vault->store;
    struct merkle_tree tree = ingest->tree;
    enum status status = seal_batch(ingest, err);

    if (status == OK)
        status = sql_store_begin(store, err);
    for (size_t i = 0; status == OK && i < ingest->count; i++)
        status = write_row(ingest, i, &tree, err);
    if (status == OK)
        status = sql_store_commit(store, err);
    if (status != OK)
        sql_store_rollback(store);
    secret_wipe(ingest->plain.data, ingest->plain.size);
    text_reset(&ingest->plain);
    if (status == OK) {
        ingest->tree = tree;
        ingest->rows += ingest->count;
        ingest->count = 0;
    }
    return status;
}

/* ---- a row ---- */

static enum status check_row(const struct vault_ingest *ingest,
                             const struct bytes *cell, size_t count,
                             size_t *size, struct error *err)
{
    uint64_t row = ingest->rows + ingest->count;

    if (row == TABLE_ROWS_MAX)
        return error_set(err, E_LIMIT, "row %ju: a dataset has at most %u rows",
                         (uintmax_t)row, TABLE_ROWS_MAX);
    if (count != ingest->column_count)
        return error_set(err, E_INPUT, "row %ju: %zu cells, expected %zu",
                         (uintmax_t)row, count, ingest->column_count);
    *size = 0;
    for (size_t c = 0; c < count; c++) {
        if (cell[c].size > CSV_FIELD_MAX)
            return error_set(
                err, E_LIMIT, "row %ju, column %zu: %zu bytes, the limit is %u",
                (uintmax_t)row, c + 1, cell[c].size, CSV_FIELD_MAX);
        if (cell[c].size > 0 &&
            (!utf8_valid(cell[c]) ||
             memchr(cell[c].data, '\0', cell[c].size) != NULL))
            return error_set(err, E_INPUT,
                             "row %ju, column %zu: is not UTF-8 without NUL",
                             (uintmax_t)row, c + 1);
        *size += cell[c].size;
        if (*size > CSV_RECORD_MAX)
            return error_set(err, E_LIMIT,
                             "row %ju: more than %u bytes, the limit",
                             (uintmax_t)row, CSV_RECORD_MAX);
    }
    *size += 4 * count;
    return OK;
}

/* More room for the batch's plain text, the old room wiped. */
static enum status grow_plain(struct text *plain, size_t size,
                              struct error *err)
{
    size_t capacity = VAULT_BATCH_SIZE;
    struct text wider;
    enum status status;

    if (plain->capacity - plain->size > size)
        return OK;
    while (capacity <= plain->size + size)
        capacity *= 2;
    text_init(&wider);
    status = text_reserve(&wider, capacity, err);
    if (status == OK)
        status = text_append(&wider, plain->data, plain->size, err);
    if (status != OK) {
        text_clear(&wider);
        return status;
    }
    if (plain->capacity > 0)
        secret_wipe(plain->data, plain->capacity);
    text_clear(plain);
    *plain = wider;
    return OK;
}

enum status vault_ingest_add(struct vault_ingest *ingest,
                             const struct subject_id *subject,
                             const struct bytes *cell, size_t count,
                             struct error *err)
{
    struct text *plain = &ingest->plain;
    struct waiting *waiting;
    size_t size = 0;
    enum status status;

    assert(!ingest->failed);
    status = check_row(ingest, cell, count, &size, err);
    if (status == OK &&
        (ingest->count == VAULT_BATCH_ROWS ||
         (ingest->count > 0 && plain->size + size > VAULT_BATCH_SIZE)))
        status = write_batch(ingest, err);
    if (status == OK)
        status = grow_plain(plain, size, err);
    ingest->failed = status != OK;
    if (status != OK)
        return status;
    waiting = &ingest->waiting[ingest->count];
    *waiting = (struct waiting){.begin = plain->size, .size = size};
    ingest->subject[ingest->count++] = *subject;
    for (size_t c = 0; c < count; c++) {
        uint8_t *to = (uint8_t *)plain->data + plain->size;

        put_be32(to, (uint32_t)cell[c].size);
        if (cell[c].size > 0)
            memcpy(to + 4, cell[c].data, cell[c].size);
        plain->size += 4 + cell[c].size;
    }
    assert(plain->size == waiting->begin + size);
    return OK;
}

/* ---- the end ---- */

static enum status finish_dataset(struct vault_ingest *ingest,
                                  struct vault_dataset *dataset,
                                  struct error *err)
{
    struct sql_store *store = ingest->vault->store;
    struct sql_statement *finish = NULL;
    enum status status =
        sql_store_prepare(store, VAULT_FINISH_DATASET, &finish, err);

    if (status != OK)
        return status;
    *dataset = (struct vault_dataset){.id = ingest->home.dataset,
                                      .rows = ingest->rows,
                                      .schema = ingest->home.schema};
    merkle_root(&ingest->tree, &dataset->root);
    sql_bind_number(finish, 1, ingest->number);
    sql_bind_number(finish, 2, dataset->rows);
    sql_bind_bytes(finish, 3, bytes_of(dataset->root.byte, DIGEST_SIZE));
    return sql_store_run(store, finish, err);
}

enum status vault_ingest_finish(struct vault_ingest **handle,
                                struct vault_dataset *dataset,
                                struct error *err)
{
    struct vault_ingest *ingest = *handle;
    enum status status = OK;

    assert(!ingest->failed);
    if (ingest->count > 0)
        status = write_batch(ingest, err);
    if (status == OK && ingest->rows == 0)
        status = error_set(err, E_INPUT, "a dataset without rows");
    /* Rows without keys, which a crash could leave, are of no dataset yet. */
    if (status == OK)
        status = keyring_save(ingest->keyring, err);
    if (status == OK)
        status = finish_dataset(ingest, dataset, err);
    if (status != OK)
        vault_ingest_discard(handle);
    else
        ingest_release(handle);
    return status;
}

void vault_ingest_discard(struct vault_ingest **ingest)
{
    struct error unused;

    if (*ingest == NULL)
        return;
    error_init(&unused);
    /* Nobody sees it in either case, and the next opening tries again. */
    if (vault_drop((*ingest)->vault, (*ingest)->number, &unused) != OK)
        error_init(&unused);
    ingest_release(ingest);
}
