/*
 * anonymizer/worker_ingest.h - datasets on their way into the vault.
 *
 *     ingest (id, schema) -> rows, rows, ... -> ingested (count)
 *         the dataset is in the vault, and its statement goes back;
 *         it counts once an entry names it (`name`)
 *
 * Each message may come again: what was taken is not taken twice.  An ingest
 * belongs to the certificate that began it, is in the vault only when it is
 * whole, and goes when it does not go on for a minute, or with the service.
 *
 * A dataset has one row for each subject: k counts rows, and means patients.
 * A second one is refused, and with it the dataset.
 *
 * One thread at a time (the desk's).
 */
#ifndef ANONYMIZER_WORKER_INGEST_H
#define ANONYMIZER_WORKER_INGEST_H

#include <stdint.h>

#include "anonymizer/worker_store.h"
#include "anonymizer/worker_vault.h"
#include "common/bytes.h"
#include "common/error.h"
#include "common/text.h"

struct worker_ingests;

MUST_USE enum status worker_ingests_create(struct worker_ingests **ingests,
                                           struct worker_vault *vault,
                                           struct worker_store *store,
                                           struct error *err);
void worker_ingests_destroy(struct worker_ingests **ingests);

/* Who says it, about which ingest, when. */
struct ingest_call {
    const char *owner; /* certificate id */
    struct bytes id;   /* UPLOAD_ID_SIZE */
    uint64_t now_ms;
};

/* *size: rows that there are already. */
MUST_USE enum status worker_ingests_begin(struct worker_ingests *ingests,
                                          const struct ingest_call *call,
                                          struct bytes schema, uint64_t *size,
                                          struct error *err);
/* Rows from `number` on: subject id, then be32 size and content of each
 * cell. */
MUST_USE enum status worker_ingests_rows(struct worker_ingests *ingests,
                                         const struct ingest_call *call,
                                         uint64_t number, struct bytes rows,
                                         uint64_t *size, struct error *err);
/* That were all; append the dataset's statement.  E_INPUT if they are not
 * `count`, or a subject has two. */
MUST_USE enum status worker_ingests_finish(struct worker_ingests *ingests,
                                           const struct ingest_call *call,
                                           uint64_t count, struct text *out,
                                           struct error *err);

/* Before the first one: a dataset that the vault does not have, since its
 * ingest was killed at its end, is forgotten.  Any other difference between
 * vault and journal is none that a crash could leave: it is told in the log,
 * and nothing is touched. */
MUST_USE enum status worker_ingests_compare(struct worker_ingests *ingests,
                                            struct error *err);

/* End those that do not go on. */
void worker_ingests_expire(struct worker_ingests *ingests, uint64_t now_ms);

#endif
