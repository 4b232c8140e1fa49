/*
 * broker/statement.h - the statements that consent and withdraw entries stand
 * for, written and read.
 *
 *     {"consents": [{"original": commitment or "", "reduced": text}, ...],
 *      "statement": "consents 1"}
 *     {"statement": "withdraw 1", "subject": 32 hex digits}
 *
 * `reduced` is broker/consent.h; `original` is 64 hex digits, a commitment to
 * the resource as the custodian keeps it.
 */
#ifndef BROKER_STATEMENT_H
#define BROKER_STATEMENT_H

#include <stddef.h>

#include "common/bytes.h"
#include "common/entry.h"
#include "common/error.h"
#include "common/json.h"
#include "common/subject_id.h"

/* The statement of a batch, from the array that a custodian sends; each consent
 * is read.  E_INPUT or E_LIMIT with the number of the one that is wrong. */
MUST_USE enum status statement_of_consents(struct json **statement,
                                           struct bytes batch, size_t *count,
                                           struct error *err);

MUST_USE enum status statement_of_withdrawal(struct json **statement,
                                             const struct subject_id *subject,
                                             struct error *err);

/* What a statement says of one subject; `says` is consent_says() of the
 * consent, empty for a withdrawal. */
typedef enum status statement_visit(void *context,
                                    const struct subject_id *subject,
                                    struct bytes says, struct error *err);

/* Read one that an entry of this type stands for.  E_INPUT if it is none. */
MUST_USE enum status statement_read(enum entry_type type,
                                    struct bytes statement,
                                    statement_visit *visit, void *context,
                                    struct error *err);

#endif
