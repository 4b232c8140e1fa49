#include <assert.h>
#include <stdlib.h>

#include "anonymizer/vault_internal.h"
#include "common/encoding.h"
#include "common/merkle.h"
#include "common/sign.h"

/* A permitted row of the batch, its key not opened yet. */
struct fetched {
    struct row_head head;
    struct digest sealed_digest;
    struct wrapped_key wrapped;
    size_t begin; /* of what is sealed, in sealed */
    size_t size;
};

struct vault_reader {
    struct vault *vault;
    struct keyring *keyring;
    struct vault_request request;
    struct vault_dataset dataset;
    struct row_home home;
    uint64_t number; /* of the dataset */
    size_t column_count;

    uint64_t next; /* row that has not been looked at */
    struct merkle_tree tree;
    uint64_t announced; /* rows before it were, in this pass or an earlier */
    uint64_t erased;
    bool failed;

    struct fetched *fetched;
    struct subject_id *subject; /* of fetched */
    size_t count, at;           /* fetched, given out */
    struct text sealed;
    struct text plain;       /* of the row that was given out */
    struct bytes *cell;      /* in plain */
    struct subject_key *key; /* while a row is opened */
    struct vault_row row;
};

/* ---- opening ---- */

static enum status take_dataset(struct vault_reader *reader, struct error *err)
{
    struct vault *vault = reader->vault;
    const struct dataset_id *id = &reader->request.dataset;
    struct vault_schema schema;
    bool found = false;
    enum status status = vault_find_numbered(vault, id, &reader->dataset,
                                             &reader->number, &found, err);

    if (status != OK)
        return status;
    if (!found)
        return vault_refuse(vault, id, err, "there is none");
    status = vault_find_schema(vault, id, &schema, err);
    if (status != OK)
        return status;
    reader->column_count = schema.column_count;
    vault_schema_clear(&schema);
    reader->home = (struct row_home){*id, reader->dataset.schema};
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
    reader->vault = vault;
    reader->keyring = keyring;
    reader->request = *request;
    text_init(&reader->sealed);
    text_init(&reader->plain);
    vault_reader_rewind(reader);
    reader->key = secret_allocate(sizeof *reader->key);
    reader->fetched = calloc(VAULT_BATCH_ROWS, sizeof *reader->fetched);
    reader->subject = calloc(VAULT_BATCH_ROWS, sizeof *reader->subject);
    status = reader->key == NULL || reader->fetched == NULL ||
                     reader->subject == NULL
                 ? error_memory(err, "a reader")
                 : take_dataset(reader, err);
    if (status != OK)
        vault_reader_close(&reader);
    *out = reader;
    return status;
}

static void wipe_plain(struct vault_reader *reader)
{
    if (reader->plain.size > 0)
        secret_wipe(reader->plain.data, reader->plain.size);
    text_reset(&reader->plain);
}

void vault_reader_close(struct vault_reader **handle)
{
    struct vault_reader *reader = *handle;

    if (reader == NULL)
        return;
    wipe_plain(reader);
    text_clear(&reader->plain);
    text_clear(&reader->sealed);
    secret_release(reader->key, sizeof *reader->key);
    free(reader->fetched);
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
    reader->count = reader->at = 0;
}

uint64_t vault_reader_erased(const struct vault_reader *reader)
{
    return reader->erased;
}

/* ---- a batch ---- */

static enum status altered(const struct vault_reader *reader, uint64_t row,
                           const char *what, struct error *err)
{
    return vault_refuse(reader->vault, &reader->request.dataset, err,
                        "row %ju: %s", (uintmax_t)row, what);
}

static int compare_ids(const void *a, const void *b)
{
    return subject_id_compare(a, b);
}

static bool is_permitted(const struct vault_reader *reader,
                         const struct subject_id *subject)
{
    const struct vault_request *request = &reader->request;

    return request->permitted_count > 0 &&
           bsearch(subject, request->permitted, request->permitted_count,
                   sizeof *subject, compare_ids) != NULL;
}

/* The columns of the present row, and that they belong to the tree. */
static enum status take_head(struct vault_reader *reader,
                             struct sql_statement *rows,
                             struct fetched *fetched, struct bytes *sealed,
                             struct error *err)
{
    struct row_head *head = &fetched->head;
    uint64_t first = reader->number << VAULT_PLACE_BITS, place = 0;
    struct digest stored, leaf;

    head->number = reader->next;
    if (!sql_column_number(rows, 0, &place) || place != first + head->number)
        return head->number < reader->dataset.rows
                   ? altered(reader, head->number, "is missing", err)
                   : altered(reader, head->number, "is one too many", err);
    if (head->number >= reader->dataset.rows)
        return altered(reader, head->number, "is one too many", err);
    if (!sql_column_fixed(rows, 1, head->subject.byte, SUBJECT_ID_SIZE) ||
        !sql_column_fixed(rows, 2, head->key_id, KEY_ID_SIZE) ||
        !sql_column_fixed(rows, 3, head->token, ROW_TOKEN_SIZE) ||
        !sql_column_fixed(rows, 4, head->commitment, DIGEST_SIZE) ||
        !sql_column_fixed(rows, 5, stored.byte, DIGEST_SIZE))
        return altered(reader, head->number, "was altered", err);
    *sealed = sql_column_bytes(rows, 6);
    digest_parts(&fetched->sealed_digest, sealed, 1);
    row_leaf(head, &fetched->sealed_digest, &leaf);
    if (memcmp(&leaf, &stored, sizeof leaf) != 0)
        return altered(reader, head->number, "was altered", err);
    return merkle_append(&reader->tree, &leaf, NULL, NULL, err);
}

/* Into the batch, if it may be read and its key has not ended. */
static enum status take_row(struct vault_reader *reader,
                            struct sql_statement *rows, struct error *err)
{
    struct fetched *fetched = &reader->fetched[reader->count];
    struct bytes sealed = bytes_of(NULL, 0);
    bool found = false;
    enum status status = take_head(reader, rows, fetched, &sealed, err);

    if (status != OK)
        return status;
    reader->next++;
    if (!is_permitted(reader, &fetched->head.subject))
        return OK;
    status = keyring_find(reader->keyring, &fetched->head.subject,
                          &fetched->wrapped, &found, err);
    if (status != OK)
        return status;
    if (!found ||
        memcmp(fetched->wrapped.id, fetched->head.key_id, KEY_ID_SIZE) != 0) {
        reader->erased++;
        return OK;
    }
    fetched->begin = reader->sealed.size;
    fetched->size = sealed.size;
    status = text_append(&reader->sealed, sealed.data, sealed.size, err);
    if (status == OK)
        reader->subject[reader->count++] = fetched->head.subject;
    return status;
}

/* Rows until the batch is full or the dataset ends; it is empty at the end
 * only. */
static enum status fetch(struct vault_reader *reader, struct error *err)
{
    struct sql_store *store = reader->vault->store;
    uint64_t first = reader->number << VAULT_PLACE_BITS;
    struct sql_statement *rows = NULL;
    bool found = true;
    enum status status = sql_store_prepare(store, VAULT_NEXT_ROWS, &rows, err);

    reader->count = reader->at = 0;
    text_reset(&reader->sealed);
    if (status != OK)
        return status;
    sql_bind_number(rows, 1, first + reader->next);
    sql_bind_number(rows, 2, (reader->number + 1) << VAULT_PLACE_BITS);
    while (status == OK && reader->count < VAULT_BATCH_ROWS &&
           reader->sealed.size < VAULT_BATCH_SIZE) {
        status = sql_store_step(store, rows, &found, err);
        if (status != OK || !found)
            break;
        status = take_row(reader, rows, err);
    }
    sql_store_reset(rows);
    if (status == OK && !found && reader->next < reader->dataset.rows)
        status = altered(reader, reader->next, "is missing", err);
    return status;
}

static enum status check_root(const struct vault_reader *reader,
                              struct error *err)
{
    struct digest root;

    merkle_root(&reader->tree, &root);
    if (memcmp(&root, &reader->dataset.root, sizeof root) != 0)
        return vault_refuse(reader->vault, &reader->request.dataset, err,
                            "its rows do not have its root; it was altered");
    return OK;
}

/* The next batch, announced.  Empty at the end, with all rows proven. */
static enum status next_batch(struct vault_reader *reader, struct error *err)
{
    enum status status = fetch(reader, err);

    if (status != OK)
        return status;
    if (reader->count == 0)
        return check_root(reader, err);
    if (reader->next <= reader->announced)
        return OK;
    status = reader->request.access(reader->request.context,
                                    &reader->request.dataset, reader->subject,
                                    reader->count, err);
    if (status != OK)
        return error_wrap(err, "access to rows is not recorded");
    reader->announced = reader->next;
    return OK;
}

/* ---- a row ---- */

static enum status unseal(struct vault_reader *reader,
                          const struct fetched *fetched, struct error *err)
{
    const struct row_head *head = &fetched->head;
    struct row_association associated =
        row_associate(&reader->home, head->token);
    uint8_t commitment[DIGEST_SIZE];
    enum status status;

    if (fetched->size < SEAL_EXTRA)
        return altered(reader, head->number, "is too short", err);
    status = text_reserve(&reader->plain, fetched->size, err);
    if (status == OK)
        status = keyring_unwrap(reader->keyring, &head->subject,
                                &fetched->wrapped, reader->key, err);
    if (status == OK)
        status = row_commit(&reader->home, head, &fetched->sealed_digest,
                            reader->key->salt, commitment, err);
    if (status == OK && memcmp(commitment, head->commitment, DIGEST_SIZE) != 0)
        status = altered(reader, head->number,
                         "does not have its commitment; it was altered", err);
    if (status == OK)
        status = seal_open(
            reader->vault->seal, reader->key->key,
            bytes_of(associated.byte, sizeof associated.byte),
            bytes_of(reader->sealed.data + fetched->begin, fetched->size),
            (uint8_t *)reader->plain.data, err);
    if (status == E_REFUSED)
        status = altered(reader, head->number, "was altered", err);
    if (status == OK)
        reader->plain.size = fetched->size - SEAL_EXTRA;
    secret_wipe(reader->key, sizeof *reader->key);
    return status;
}

/* be32(size) || cell, for each cell and nothing behind. */
static bool split(struct vault_reader *reader)
{
    struct bytes left = text_bytes(&reader->plain);

    for (size_t c = 0; c < reader->column_count; c++) {
        uint32_t size = left.size < 4 ? 0 : get_be32(left.data);

        if (left.size < 4 || size > left.size - 4)
            return false;
        reader->cell[c] = bytes_of(left.data + 4, size);
        left = bytes_of(left.data + 4 + size, left.size - 4 - size);
    }
    return left.size == 0;
}

static enum status open_row(struct vault_reader *reader, struct error *err)
{
    const struct fetched *fetched = &reader->fetched[reader->at];
    enum status status;

    wipe_plain(reader);
    status = unseal(reader, fetched, err);
    if (status != OK)
        return status;
    if (!split(reader))
        return altered(reader, fetched->head.number,
                       "has other columns than its schema", err);
    reader->row = (struct vault_row){.number = fetched->head.number,
                                     .subject = fetched->head.subject,
                                     .cell = reader->cell,
                                     .cell_count = reader->column_count};
    reader->at++;
    return OK;
}

enum status vault_reader_next(struct vault_reader *reader,
                              const struct vault_row **row, struct error *err)
{
    enum status status = OK;

    assert(!reader->failed);
    *row = NULL;
    if (reader->at == reader->count)
        status = next_batch(reader, err);
    if (status == OK && reader->at < reader->count) {
        status = open_row(reader, err);
        if (status == OK)
            *row = &reader->row;
    }
    reader->failed = status != OK;
    if (status != OK || *row == NULL)
        wipe_plain(reader);
    return status;
}
