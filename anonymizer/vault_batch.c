#include "anonymizer/vault_batch.h"

#include <assert.h>
#include <stdlib.h>

#include "common/encoding.h"
#include "common/sign.h"

/* ---- making one ---- */

enum status vault_batch_init(struct vault_batch *batch,
                             const struct vault *vault,
                             const struct keyring *keyring,
                             const struct vault_request *request,
                             struct error *err)
{
    *batch = (struct vault_batch){
        .vault = vault, .keyring = keyring, .request = request};
    text_init(&batch->sealed);
    text_init(&batch->plain);
    batch->row = calloc(VAULT_BATCH_ROWS, sizeof *batch->row);
    batch->chosen = calloc(VAULT_BATCH_ROWS, sizeof *batch->chosen);
    if (batch->row == NULL || batch->chosen == NULL)
        return error_memory(err, "a batch of rows");
    return keyring_crew_create(&batch->crew, vault->threads, err);
}

void vault_batch_wipe(struct vault_batch *batch)
{
    if (batch->plain.size > 0)
        secret_wipe(batch->plain.data, batch->plain.size);
    text_reset(&batch->plain);
}

void vault_batch_clear(struct vault_batch *batch)
{
    keyring_crew_destroy(&batch->crew);
    vault_batch_wipe(batch);
    text_clear(&batch->plain);
    text_clear(&batch->sealed);
    free(batch->chosen);
    free(batch->row);
}

static enum status altered(const struct vault_batch *batch, uint64_t row,
                           const char *what, struct error *err)
{
    return vault_refuse(batch->vault, &batch->place.home.dataset, err,
                        "row %ju: %s", (uintmax_t)row, what);
}

/* ---- fetching ---- */

static enum status take_row(struct vault_batch *batch, uint64_t number,
                            struct sql_statement *rows, struct error *err)
{
    struct batch_row *row = &batch->row[batch->count];
    uint64_t first = batch->place.number << VAULT_PLACE_BITS, place = 0;
    struct bytes sealed;
    enum status status;

    row->head.number = number;
    if (number >= batch->place.rows)
        return altered(batch, number, "is one too many", err);
    if (!sql_column_number(rows, 0, &place) || place != first + number)
        return altered(batch, number, "is missing", err);
    if (!sql_column_fixed(rows, 1, row->head.subject.byte, SUBJECT_ID_SIZE) ||
        !sql_column_fixed(rows, 2, row->head.key_id, KEY_ID_SIZE) ||
        !sql_column_fixed(rows, 3, row->head.token, ROW_TOKEN_SIZE) ||
        !sql_column_fixed(rows, 4, row->head.commitment, DIGEST_SIZE) ||
        !sql_column_fixed(rows, 5, row->leaf.byte, DIGEST_SIZE))
        return altered(batch, number, "was altered", err);
    sealed = sql_column_bytes(rows, 6);
    row->begin = batch->sealed.size;
    row->size = sealed.size;
    status = text_append(&batch->sealed, sealed.data, sealed.size, err);
    if (status == OK)
        batch->count++;
    return status;
}

enum status vault_batch_fetch(struct vault_batch *batch, uint64_t next,
                              struct error *err)
{
    struct sql_store *store = batch->vault->store;
    struct sql_statement *rows = NULL;
    bool found = true;
    enum status status = sql_store_prepare(store, VAULT_NEXT_ROWS, &rows, err);

    vault_batch_wipe(batch);
    text_reset(&batch->sealed);
    batch->count = batch->chosen_count = 0;
    if (status != OK)
        return status;
    sql_bind_number(rows, 1, (batch->place.number << VAULT_PLACE_BITS) + next);
    sql_bind_number(rows, 2, (batch->place.number + 1) << VAULT_PLACE_BITS);
    while (status == OK && batch->count < VAULT_BATCH_ROWS &&
           batch->sealed.size < VAULT_BATCH_SIZE) {
        status = sql_store_step(store, rows, &found, err);
        if (status != OK || !found)
            break;
        status = take_row(batch, next + batch->count, rows, err);
    }
    sql_store_reset(rows);
    if (status == OK && !found && next + batch->count < batch->place.rows)
        status = altered(batch, next + batch->count, "is missing", err);
    return status;
}

/* ---- checking ---- */

static size_t find_permitted(const struct vault_request *request,
                             const struct subject_id *subject)
{
    size_t low = 0, high = request->permitted_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (subject_id_compare(&request->permitted[middle], subject) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < request->permitted_count &&
                   subject_id_compare(&request->permitted[low], subject) == 0
               ? low
               : NOT_PERMITTED;
}

static enum status check_row(void *context, const struct keyring_share *share,
                             size_t item, struct error *err)
{
    struct vault_batch *batch = context;
    struct batch_row *row = &batch->row[item];
    struct bytes sealed = bytes_of(batch->sealed.data + row->begin, row->size);
    struct digest leaf;

    (void)share;
    digest_parts(&row->sealed_digest, &sealed, 1);
    row_leaf(&row->head, &row->sealed_digest, &leaf);
    if (memcmp(&leaf, &row->leaf, sizeof leaf) != 0)
        return altered(batch, row->head.number, "was altered", err);
    row->permitted = find_permitted(batch->request, &row->head.subject);
    return OK;
}

enum status vault_batch_check(struct vault_batch *batch, struct error *err)
{
    return keyring_crew_run(batch->crew, batch->count, check_row, batch, err);
}

/* ---- opening ---- */

static enum status open_row(void *context, const struct keyring_share *share,
                            size_t item, struct error *err)
{
    struct vault_batch *batch = context;
    const struct batch_row *row = &batch->row[batch->chosen[item]];
    const struct row_head *head = &row->head;
    struct row_association associated =
        row_associate(&batch->place.home, head->token);
    struct digest commitment;
    enum status status;

    if (row->size < SEAL_EXTRA)
        return altered(batch, head->number, "is too short", err);
    status = keyring_unwrap_by(batch->keyring, share->seal, &head->subject,
                               &batch->key[row->permitted], share->key, err);
    if (status != OK)
        return status;
    row_commit(&batch->place.home, head, &row->sealed_digest, share->key->salt,
               &commitment);
    if (memcmp(commitment.byte, head->commitment, DIGEST_SIZE) != 0)
        status = altered(batch, head->number,
                         "does not have its commitment; it was altered", err);
    if (status == OK)
        status = seal_open(share->seal, share->key->key,
                           bytes_of(associated.byte, sizeof associated.byte),
                           bytes_of(batch->sealed.data + row->begin, row->size),
                           (uint8_t *)batch->plain.data + row->begin, err);
    if (status == E_REFUSED)
        status = altered(batch, head->number, "was altered", err);
    return status;
}

enum status vault_batch_open(struct vault_batch *batch,
                             const struct wrapped_key *key, struct error *err)
{
    enum status status = text_reserve(&batch->plain, batch->sealed.size, err);

    if (status != OK)
        return status;
    /* Wiped up to here, whatever comes of it. */
    batch->plain.size = batch->sealed.size;
    batch->key = key;
    status = keyring_crew_run(batch->crew, batch->chosen_count, open_row, batch,
                              err);
    if (status != OK)
        vault_batch_wipe(batch);
    return status;
}

/* be32(size) || cell, for each cell and nothing behind. */
bool vault_batch_split(const struct vault_batch *batch, size_t row,
                       struct bytes *cell, size_t count)
{
    const struct batch_row *at = &batch->row[row];
    struct bytes left =
        bytes_of(batch->plain.data + at->begin, at->size - SEAL_EXTRA);

    assert(batch->plain.size == batch->sealed.size);
    for (size_t c = 0; c < count; c++) {
        uint32_t size = left.size < 4 ? 0 : get_be32(left.data);

        if (left.size < 4 || size > left.size - 4)
            return false;
        cell[c] = bytes_of(left.data + 4, size);
        left = bytes_of(left.data + 4 + size, left.size - 4 - size);
    }
    return left.size == 0;
}
