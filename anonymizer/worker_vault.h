/*
 * anonymizer/worker_vault.h - vault and keyring, shared by the threads of a
 * service.
 *
 * Each call of theirs is made under one lock, which nobody holds longer than a
 * batch of rows takes: while a job reads, the desk answers and others ingest.
 * Erasing would end what others have half read, so it is done when nobody uses
 * the vault: else it says that it is busy, and is asked for again.
 */
#ifndef ANONYMIZER_WORKER_VAULT_H
#define ANONYMIZER_WORKER_VAULT_H

#include <stdbool.h>

#include "anonymizer/csv.h"
#include "anonymizer/keyring.h"
#include "anonymizer/vault.h"
#include "anonymizer/vault_schema.h"
#include "common/error.h"

struct worker_vault;

struct worker_vault_settings {
    const char *path;          /* of the vault */
    struct keyring_place keys; /* copied */
    bool fresh; /* keys are made where there are none; else they have to
                   be there */
    unsigned
        threads; /* that seal, check and open rows, the caller's included */
};

MUST_USE enum status
worker_vault_open(struct worker_vault **vault,
                  const struct worker_vault_settings *settings,
                  struct error *err);
void worker_vault_close(struct worker_vault **vault);

/* The lock, for calls of vault.h; at most a batch long. */
struct vault *worker_vault_take(struct worker_vault *vault,
                                struct keyring **keyring);
void worker_vault_give(struct worker_vault *vault);

/* Between both nothing is erased.  Under the lock. */
void worker_vault_begin_use(struct worker_vault *vault);
void worker_vault_end_use(struct worker_vault *vault);

bool worker_vault_is_used(struct worker_vault *vault);

/* E_SYSTEM if somebody uses the vault; ask again. */
MUST_USE enum status worker_vault_erase(struct worker_vault *vault,
                                        const struct subject_id *subject,
                                        uint64_t *erased, struct error *err);

/* ---- reading a dataset, as the engine reads tables ---- */

struct worker_reading;

/* The request is as for vault_reader_open; its list is borrowed. */
MUST_USE enum status worker_reading_open(struct worker_reading **reading,
                                         struct worker_vault *vault,
                                         const struct vault_request *request,
                                         struct error *err);
void worker_reading_close(struct worker_reading **reading);

const struct csv_stream *
worker_reading_csv(const struct worker_reading *reading);
const struct vault_schema *
worker_reading_schema(const struct worker_reading *reading);

#endif
