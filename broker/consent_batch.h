/*
 * broker/consent_batch.h - consents come in, up to CONSENTS_BATCH_MAX at once,
 * as one entry.
 *
 * All or nothing: one that cannot be read refuses the batch.  The custodian's
 * upload names it: said again after an answer was lost, the entry that is there
 * is the answer.
 */
#ifndef BROKER_CONSENT_BATCH_H
#define BROKER_CONSENT_BATCH_H

#include <stddef.h>
#include <stdint.h>

#include "broker/broker.h"

struct consent_batch {
    struct digest id;
    uint64_t position;
    size_t count;
};

/* Was this upload recorded?  Finishes what is pending first. */
MUST_USE enum status consent_batch_find(struct broker *broker,
                                        struct bytes upload,
                                        struct consent_batch *batch,
                                        bool *found, struct error *err);

/* Record `list`, a JSON array of {"original", "reduced"}.  E_INPUT or E_LIMIT
 * with the number of the consent that is wrong, E_SYSTEM if the log did not
 * answer in time. */
MUST_USE enum status consent_batch_record(struct broker *broker,
                                          struct bytes upload,
                                          struct bytes list,
                                          struct consent_batch *batch,
                                          struct error *err);

/* Append the `told` of one subject, for the custodian:
 * {"said": [{"position", "says": ...} or {"position", "withdrawn": true}, ...],
 * "subject"}, the newest last.  `says` as in broker/consent.h. */
MUST_USE enum status consent_batch_tell(struct broker *broker,
                                        const struct subject_id *subject,
                                        struct text *out, struct error *err);

#endif
