#include "anonymizer/worker_vault.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "anonymizer/vault_stream.h"
#include "common/text.h"

struct worker_vault {
    pthread_mutex_t lock; /* of all that follows */
    struct vault *vault;
    struct keyring *keyring; /* NULL after an erasure that failed */
    unsigned users;
    char *database, *epoch;
};

static struct keyring_place place_of(const struct worker_vault *vault)
{
    return (struct keyring_place){.database = vault->database,
                                  .epoch_folder = vault->epoch};
}

static enum status open_keys(struct worker_vault *vault, bool fresh,
                             struct error *err)
{
    const struct keyring_place place = place_of(vault);
    enum status status = OK;

    /* A beginning that a crash has ended may have left one. */
    if (fresh && access(vault->database, F_OK) != 0)
        status = keyring_create(&place, err);
    return status == OK ? keyring_open(&vault->keyring, &place, err) : status;
}

enum status worker_vault_open(struct worker_vault **out,
                              const struct worker_vault_settings *settings,
                              struct error *err)
{
    struct worker_vault *vault = calloc(1, sizeof *vault);
    enum status status = OK;

    *out = NULL;
    if (vault == NULL)
        return error_memory(err, "the vault");
    pthread_mutex_init(&vault->lock, NULL);
    vault->database = string_copy(settings->keys.database);
    vault->epoch = string_copy(settings->keys.epoch_folder);
    if (vault->database == NULL || vault->epoch == NULL)
        status = error_memory(err, "the vault");
    if (status == OK)
        status = open_keys(vault, settings->fresh, err);
    if (status == OK)
        status = vault_open(&vault->vault, settings->path, err);
    if (status == OK)
        vault_use_threads(vault->vault, settings->threads);
    else
        worker_vault_close(&vault);
    *out = vault;
    return status;
}

void worker_vault_close(struct worker_vault **handle)
{
    struct worker_vault *vault = *handle;

    if (vault == NULL)
        return;
    assert(vault->users == 0);
    vault_close(&vault->vault);
    keyring_close(&vault->keyring);
    free(vault->database);
    free(vault->epoch);
    pthread_mutex_destroy(&vault->lock);
    free(vault);
    *handle = NULL;
}

struct vault *worker_vault_take(struct worker_vault *vault,
                                struct keyring **keyring)
{
    pthread_mutex_lock(&vault->lock);
    *keyring = vault->keyring;
    return vault->vault;
}

void worker_vault_give(struct worker_vault *vault)
{
    pthread_mutex_unlock(&vault->lock);
}

void worker_vault_begin_use(struct worker_vault *vault)
{
    vault->users++;
}

void worker_vault_end_use(struct worker_vault *vault)
{
    assert(vault->users > 0);
    vault->users--;
}

/* Under the lock.  After a failure the keyring refuses everything until it was
 * opened anew, which goes on from where the erasure stood. */
static enum status erase(struct worker_vault *vault,
                         const struct subject_id *subject, uint64_t *erased,
                         struct error *err)
{
    const struct keyring_place place = place_of(vault);
    enum status status = OK;

    if (vault->users > 0)
        return error_set(err, E_SYSTEM,
                         "records are being read or put in; ask again");
    if (vault->keyring == NULL)
        status = keyring_open(&vault->keyring, &place, err);
    if (status == OK)
        status = keyring_erase(vault->keyring, subject, 1, erased, err);
    if (status != OK) {
        struct error unused;

        error_init(&unused);
        keyring_close(&vault->keyring);
        if (keyring_open(&vault->keyring, &place, &unused) != OK)
            vault->keyring = NULL; /* the next use says why */
    }
    return status;
}

bool worker_vault_is_used(struct worker_vault *vault)
{
    bool used;

    pthread_mutex_lock(&vault->lock);
    used = vault->users > 0;
    pthread_mutex_unlock(&vault->lock);
    return used;
}

enum status worker_vault_erase(struct worker_vault *vault,
                               const struct subject_id *subject,
                               uint64_t *erased, struct error *err)
{
    enum status status;

    *erased = 0;
    pthread_mutex_lock(&vault->lock);
    status = erase(vault, subject, erased, err);
    pthread_mutex_unlock(&vault->lock);
    return status;
}

/* ---- reading ---- */

struct worker_reading {
    struct worker_vault *vault;
    struct vault_schema schema;
    struct vault_reader *reader;
    struct vault_stream *stream;
    struct csv_stream csv; /* the stream's, under the lock */
};

static enum status read_locked(void *context, void *data, size_t size,
                               size_t *got, struct error *err)
{
    struct worker_reading *reading = context;
    const struct csv_stream *inner = vault_stream_csv(reading->stream);
    enum status status;

    pthread_mutex_lock(&reading->vault->lock);
    status = inner->read(inner->context, data, size, got, err);
    pthread_mutex_unlock(&reading->vault->lock);
    return status;
}

static enum status rewind_locked(void *context, struct error *err)
{
    struct worker_reading *reading = context;
    const struct csv_stream *inner = vault_stream_csv(reading->stream);
    enum status status;

    pthread_mutex_lock(&reading->vault->lock);
    status = inner->rewind(inner->context, err);
    pthread_mutex_unlock(&reading->vault->lock);
    return status;
}

/* Under the lock. */
static enum status open_reading(struct worker_reading *reading,
                                const struct vault_request *request,
                                struct error *err)
{
    struct worker_vault *vault = reading->vault;
    const struct keyring_place place = place_of(vault);
    enum status status = OK;

    if (vault->keyring == NULL)
        status = keyring_open(&vault->keyring, &place, err);
    if (status == OK)
        status = vault_find_schema(vault->vault, &request->dataset,
                                   &reading->schema, err);
    if (status == OK)
        status = vault_reader_open(&reading->reader, vault->vault,
                                   vault->keyring, request, err);
    if (status == OK)
        status = vault_stream_create(&reading->stream, reading->reader,
                                     &reading->schema, err);
    return status;
}

enum status worker_reading_open(struct worker_reading **out,
                                struct worker_vault *vault,
                                const struct vault_request *request,
                                struct error *err)
{
    struct worker_reading *reading = calloc(1, sizeof *reading);
    enum status status;

    *out = NULL;
    if (reading == NULL)
        return error_memory(err, "reading a dataset");
    reading->vault = vault;
    vault_schema_init(&reading->schema);
    pthread_mutex_lock(&vault->lock);
    worker_vault_begin_use(vault);
    status = open_reading(reading, request, err);
    pthread_mutex_unlock(&vault->lock);
    if (status != OK) {
        worker_reading_close(&reading);
        return status;
    }
    reading->csv = (struct csv_stream){
        .delimiter = vault_stream_csv(reading->stream)->delimiter,
        .read = read_locked,
        .rewind = rewind_locked,
        .context = reading};
    *out = reading;
    return OK;
}

void worker_reading_close(struct worker_reading **handle)
{
    struct worker_reading *reading = *handle;

    if (reading == NULL)
        return;
    pthread_mutex_lock(&reading->vault->lock);
    vault_stream_destroy(&reading->stream);
    vault_reader_close(&reading->reader);
    worker_vault_end_use(reading->vault);
    pthread_mutex_unlock(&reading->vault->lock);
    vault_schema_clear(&reading->schema);
    free(reading);
    *handle = NULL;
}

const struct csv_stream *
worker_reading_csv(const struct worker_reading *reading)
{
    return &reading->csv;
}

const struct vault_schema *
worker_reading_schema(const struct worker_reading *reading)
{
    return &reading->schema;
}
