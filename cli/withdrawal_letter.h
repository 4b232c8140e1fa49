/*
 * cli/withdrawal_letter.h - how a patient withdraws without asking the
 * custodian.
 *
 *     custodian --letter--> patient      salt, and the commitment to "this
 *                                        subject withdraws"
 *     patient --withdraw entry--> any node of the ledger, with that commitment,
 *                                 signed by the patient
 *     broker: a withdrawal that it cannot read; it permits and releases nothing
 *     custodian --resolve: salt, statement--> broker: it is applied, at the
 *                                             entry's own position
 *
 * A letter is kept, or given away, until it is needed; the log learns of it
 * when the entry comes.
 */
#ifndef CLI_WITHDRAWAL_LETTER_H
#define CLI_WITHDRAWAL_LETTER_H

#include <stdbool.h>

#include "cli/session.h"
#include "common/error.h"
#include "common/message.h"
#include "common/subject_id.h"
#include "common/text.h"

/* Print a letter for the subject: JSON with commitment and salt. */
MUST_USE enum status withdrawal_letter_print(const char *subject, bool as_json,
                                             struct error *err);

/* Set the fields of a `resolve` for that entry; `memory` gets what they point
 * to.  E_USAGE if entry or salt are not 64 hex digits. */
MUST_USE enum status withdrawal_letter_open(struct message *resolve,
                                            const char *entry, const char *salt,
                                            const char *subject,
                                            struct text *memory,
                                            struct error *err);

#endif
