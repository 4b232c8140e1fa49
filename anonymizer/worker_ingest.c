#include "anonymizer/worker_ingest.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "anonymizer/vault_schema.h"
#include "common/encoding.h"
#include "common/limits.h"
#include "common/log.h"

struct ingest {
    bool used;
    char owner[CERTIFICATE_ID_SIZE];
    uint8_t id[UPLOAD_ID_SIZE];
    uint64_t touched_ms;
    size_t column_count;
    struct bytes *cell; /* column_count */
    struct vault_ingest *vault;
    struct text subjects; /* SUBJECT_ID_SIZE each, in the order of rows */
};

struct worker_ingests {
    struct worker_vault *vault;
    struct worker_store *store;
    struct ingest ingest[INGESTS_MAX];
};

enum status worker_ingests_create(struct worker_ingests **out,
                                  struct worker_vault *vault,
                                  struct worker_store *store, struct error *err)
{
    struct worker_ingests *ingests = calloc(1, sizeof *ingests);

    *out = ingests;
    if (ingests == NULL)
        return error_memory(err, "ingests");
    ingests->vault = vault;
    ingests->store = store;
    return OK;
}

/* End it; what is in the vault of it goes. */
static void drop(struct worker_ingests *ingests, struct ingest *ingest)
{
    struct keyring *keyring;

    if (!ingest->used)
        return;
    worker_vault_take(ingests->vault, &keyring);
    vault_ingest_discard(&ingest->vault);
    worker_vault_end_use(ingests->vault);
    worker_vault_give(ingests->vault);
    free(ingest->cell);
    text_clear(&ingest->subjects);
    *ingest = (struct ingest){.used = false};
}

void worker_ingests_destroy(struct worker_ingests **handle)
{
    struct worker_ingests *ingests = *handle;

    if (ingests == NULL)
        return;
    for (size_t i = 0; i < INGESTS_MAX; i++)
        drop(ingests, &ingests->ingest[i]);
    free(ingests);
    *handle = NULL;
}

void worker_ingests_expire(struct worker_ingests *ingests, uint64_t now_ms)
{
    for (size_t i = 0; i < INGESTS_MAX; i++) {
        struct ingest *ingest = &ingests->ingest[i];

        if (ingest->used && now_ms - ingest->touched_ms > INGEST_IDLE_MS)
            drop(ingests, ingest);
    }
}

static struct ingest *find(struct worker_ingests *ingests,
                           const struct ingest_call *call)
{
    for (size_t i = 0; i < INGESTS_MAX; i++) {
        struct ingest *ingest = &ingests->ingest[i];

        if (ingest->used && strcmp(ingest->owner, call->owner) == 0 &&
            bytes_equal(call->id, bytes_of(ingest->id, UPLOAD_ID_SIZE))) {
            ingest->touched_ms = call->now_ms;
            return ingest;
        }
    }
    return NULL;
}

static enum status unknown(struct error *err)
{
    return error_set(err, E_INPUT,
                     "there is no such ingest (any more); begin anew");
}

static uint64_t rows_of(const struct ingest *ingest)
{
    return ingest->subjects.size / SUBJECT_ID_SIZE;
}

/* ---- beginning ---- */

static enum status begin_in_vault(struct worker_ingests *ingests,
                                  struct ingest *ingest,
                                  const struct vault_schema *schema,
                                  struct error *err)
{
    struct keyring *keyring;
    struct vault *vault = worker_vault_take(ingests->vault, &keyring);
    enum status status =
        keyring == NULL
            ? error_set(err, E_SYSTEM, "the keyring has to be opened anew")
            : vault_ingest_begin(&ingest->vault, vault, keyring, schema, err);

    if (status == OK)
        worker_vault_begin_use(ingests->vault);
    worker_vault_give(ingests->vault);
    return status;
}

static enum status begin(struct worker_ingests *ingests, struct ingest *ingest,
                         const struct ingest_call *call, struct bytes json,
                         struct error *err)
{
    struct vault_schema schema;
    enum status status;

    vault_schema_init(&schema);
    status = vault_schema_decode(&schema, json, err);
    if (status != OK)
        return error_wrap(err, "the dataset's schema");
    ingest->cell = calloc(schema.column_count, sizeof *ingest->cell);
    ingest->column_count = schema.column_count;
    if (ingest->cell == NULL)
        status = error_memory(err, "an ingest");
    if (status == OK)
        status = begin_in_vault(ingests, ingest, &schema, err);
    vault_schema_clear(&schema);
    if (status != OK) {
        free(ingest->cell);
        *ingest = (struct ingest){.used = false};
        return status;
    }
    text_init(&ingest->subjects);
    memcpy(ingest->owner, call->owner, strlen(call->owner) + 1);
    memcpy(ingest->id, call->id.data, UPLOAD_ID_SIZE);
    ingest->touched_ms = call->now_ms;
    ingest->used = true;
    return OK;
}

enum status worker_ingests_begin(struct worker_ingests *ingests,
                                 const struct ingest_call *call,
                                 struct bytes schema, uint64_t *size,
                                 struct error *err)
{
    struct ingest *ingest = find(ingests, call);

    assert(strlen(call->owner) < CERTIFICATE_ID_SIZE);
    assert(call->id.size == UPLOAD_ID_SIZE);
    *size = 0;
    if (ingest != NULL) {
        *size = rows_of(ingest);
        return OK;
    }
    worker_ingests_expire(ingests, call->now_ms);
    for (size_t i = 0; i < INGESTS_MAX; i++)
        if (!ingests->ingest[i].used)
            return begin(ingests, &ingests->ingest[i], call, schema, err);
    return error_set(err, E_SYSTEM, "%d ingests are under way; ask again",
                     INGESTS_MAX);
}

/* ---- rows ---- */

/* One row from the front of *rows. */
static bool take_row(struct ingest *ingest, struct bytes *rows,
                     struct subject_id *subject)
{
    if (rows->size < SUBJECT_ID_SIZE)
        return false;
    memcpy(subject->byte, rows->data, SUBJECT_ID_SIZE);
    *rows =
        bytes_of(rows->data + SUBJECT_ID_SIZE, rows->size - SUBJECT_ID_SIZE);
    for (size_t c = 0; c < ingest->column_count; c++) {
        uint32_t size = rows->size < 4 ? 0 : get_be32(rows->data);

        if (rows->size < 4 || size > rows->size - 4)
            return false;
        ingest->cell[c] = bytes_of(rows->data + 4, size);
        *rows = bytes_of(rows->data + 4 + size, rows->size - 4 - size);
    }
    return true;
}

/* Rows before `skip` were taken already. */
static enum status add_rows(struct ingest *ingest, uint64_t number,
                            struct bytes rows, struct error *err)
{
    uint64_t skip = rows_of(ingest) - number;
    enum status status = OK;

    for (uint64_t i = 0; status == OK && rows.size > 0; i++) {
        struct subject_id subject;

        if (!take_row(ingest, &rows, &subject))
            return error_set(err, E_INPUT, "row %ju does not have %zu cells",
                             (uintmax_t)(number + i), ingest->column_count);
        if (i < skip)
            continue;
        status = text_reserve(&ingest->subjects, SUBJECT_ID_SIZE, err);
        if (status == OK)
            status = vault_ingest_add(ingest->vault, &subject, ingest->cell,
                                      ingest->column_count, err);
        if (status == OK)
            status = text_append(&ingest->subjects, subject.byte,
                                 SUBJECT_ID_SIZE, err);
    }
    return status;
}

enum status worker_ingests_rows(struct worker_ingests *ingests,
                                const struct ingest_call *call, uint64_t number,
                                struct bytes rows, uint64_t *size,
                                struct error *err)
{
    struct ingest *ingest = find(ingests, call);
    struct keyring *keyring;
    enum status status;

    if (ingest == NULL)
        return unknown(err);
    if (number > rows_of(ingest))
        return error_set(err, E_INPUT, "row %ju does not follow: there are %ju",
                         (uintmax_t)number, (uintmax_t)rows_of(ingest));
    worker_vault_take(ingests->vault, &keyring);
    status = add_rows(ingest, number, rows, err);
    worker_vault_give(ingests->vault);
    *size = rows_of(ingest);
    if (status != OK)
        drop(ingests, ingest);
    return status;
}

/* ---- the end ---- */

static int compare_subjects(const void *a, const void *b)
{
    return subject_id_compare(a, b);
}

/* Sort them; E_INPUT if one is there twice. */
static enum status sort_subjects(struct text *subjects, struct error *err)
{
    size_t count = subjects->size / SUBJECT_ID_SIZE;

    qsort(subjects->data, count, SUBJECT_ID_SIZE, compare_subjects);
    for (size_t i = 1; i < count; i++) {
        const char *at = subjects->data + i * SUBJECT_ID_SIZE;

        if (memcmp(at - SUBJECT_ID_SIZE, at, SUBJECT_ID_SIZE) == 0)
            return error_set(err, E_INPUT,
                             "a subject has more than one row; a release "
                             "counts patients by their rows");
    }
    return OK;
}

/* The journal first: killed in between, it knows of a dataset that the vault
 * drops when it is opened next, and forgets it, too (worker_ingests_compare).
 * The other way round the vault would keep rows that nobody knows of. */
static enum status store_dataset(struct worker_ingests *ingests,
                                 struct ingest *ingest,
                                 struct vault_dataset *dataset,
                                 struct error *err)
{
    struct dataset_record record = {.id = vault_ingest_id(ingest->vault),
                                    .subjects = ingest->subjects};
    struct keyring *keyring;
    struct error unused;
    enum status status;

    memcpy(record.ingest, ingest->id, UPLOAD_ID_SIZE);
    status = worker_store_add_dataset(ingests->store, &record, err);
    if (status != OK)
        return status;
    worker_vault_take(ingests->vault, &keyring);
    status = vault_ingest_finish(&ingest->vault, dataset, err);
    worker_vault_give(ingests->vault);
    error_init(&unused);
    if (status != OK &&
        worker_store_drop_dataset(ingests->store, &record.id, &unused) != OK)
        log_warning("%s", unused.text);
    return status;
}

/* An ingest that has come to its end says its statement again. */
static enum status tell_again(struct worker_ingests *ingests,
                              const struct ingest_call *call, uint64_t count,
                              struct text *out, struct error *err)
{
    struct dataset_record record;
    struct vault_dataset dataset;
    struct keyring *keyring;
    bool found = false;
    enum status status =
        worker_store_find_dataset(ingests->store, DATASET_BY_INGEST, call->id,
                                  false, &record, &found, err);

    if (status != OK)
        return status;
    if (!found)
        return unknown(err);
    status = vault_find(worker_vault_take(ingests->vault, &keyring), &record.id,
                        &dataset, &found, err);
    worker_vault_give(ingests->vault);
    dataset_record_clear(&record);
    if (status == OK && (!found || dataset.rows != count))
        status = unknown(err);
    return status == OK ? vault_dataset_statement(&dataset, out, err) : status;
}

enum status worker_ingests_finish(struct worker_ingests *ingests,
                                  const struct ingest_call *call,
                                  uint64_t count, struct text *out,
                                  struct error *err)
{
    struct ingest *ingest = find(ingests, call);
    struct vault_dataset dataset;
    enum status status = OK;

    if (ingest == NULL)
        return tell_again(ingests, call, count, out, err);
    if (rows_of(ingest) != count)
        status = error_set(err, E_INPUT, "%ju rows came, %ju were announced",
                           (uintmax_t)rows_of(ingest), (uintmax_t)count);
    if (status == OK)
        status = sort_subjects(&ingest->subjects, err);
    if (status == OK)
        status = store_dataset(ingests, ingest, &dataset, err);
    drop(ingests, ingest);
    return status == OK ? vault_dataset_statement(&dataset, out, err) : status;
}

/* ---- both sides ---- */

/* What one of them has and the other one has not.  Of what was named nothing is
 * ever removed: that it is missing says that a file was lost or exchanged. */
static enum status take_difference(struct worker_ingests *ingests,
                                   const struct dataset_name *known,
                                   const struct dataset_id *there,
                                   struct error *err)
{
    char hex[DATASET_ID_HEX_SIZE];

    dataset_id_hex(known != NULL ? &known->id : there, hex);
    if (known == NULL) {
        log_warning("dataset %s is in the vault, and the journal does not know "
                    "it: is one of both an old copy?",
                    hex);
        return OK;
    }
    if (known->named) {
        log_warning("dataset %s has an entry in the log, and is not in the "
                    "vault: is the vault an old copy?",
                    hex);
        return OK;
    }
    log_warning("dataset %s: its ingest was cut off; forgotten", hex);
    return worker_store_drop_dataset(ingests->store, &known->id, err);
}

static enum status compare(struct worker_ingests *ingests, struct bytes known,
                           struct bytes there, struct error *err)
{
    enum status status = OK;

    while (status == OK && (known.size > 0 || there.size > 0)) {
        struct dataset_name name = {.named = false};
        struct dataset_id id = {{0}};
        int order = known.size == 0 ? 1 : -1;

        if (known.size > 0)
            memcpy(&name, known.data, sizeof name);
        if (there.size > 0)
            memcpy(&id, there.data, sizeof id);
        if (known.size > 0 && there.size > 0)
            order = memcmp(&name.id, &id, sizeof id);
        if (order != 0)
            status = take_difference(ingests, order < 0 ? &name : NULL,
                                     order > 0 ? &id : NULL, err);
        if (order <= 0)
            known =
                bytes_of(known.data + sizeof name, known.size - sizeof name);
        if (order >= 0)
            there = bytes_of(there.data + sizeof id, there.size - sizeof id);
    }
    return status;
}

enum status worker_ingests_compare(struct worker_ingests *ingests,
                                   struct error *err)
{
    struct text known, there;
    struct keyring *keyring;
    enum status status;

    text_init(&known);
    text_init(&there);
    status = worker_store_datasets(ingests->store, &known, err);
    if (status == OK) {
        status = vault_datasets(worker_vault_take(ingests->vault, &keyring),
                                &there, err);
        worker_vault_give(ingests->vault);
    }
    if (status == OK)
        status = compare(ingests, text_bytes(&known), text_bytes(&there), err);
    text_clear(&there);
    text_clear(&known);
    return status;
}
