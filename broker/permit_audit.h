/*
 * broker/permit_audit.h - did the broker permit only those who had consented?
 *
 * A permit entry shows nobody: the nodes cannot say whether its list was right.
 * Who has the broker's database can, since all that a list rests on is
 * committed to in the log (broker/testimony.h).  For each permit:
 *
 *     statement   opens the entry's commitment; has the entry's size and end
 *     list        has the statement's root and count
 *     terms       open the entry's commitment; the recipient is a member of the
 *                 organisation that they name
 *     all consents and withdrawals below the permit's size can be read
 *     each item   names a consent entry of the organisation, below the permit's
 *                 size, that holds this subject; the subject said nothing newer
 *                 below the size; and each of its wishes there permits these
 *                 terms until the permit ends
 *
 * Nothing is taken from what the broker has worked out itself, and no code is
 * shared with the making of a list (broker/permit.h) but the judgement of one
 * consent.
 *
 * The log does not say when the broker looked, only that this was less than 24
 * hours before the permit ends.  Consents are therefore judged at the permit's
 * last instant, or now, if that is earlier: one that was to begin between
 * passes if the audit comes after its beginning.
 *
 * Elsewhere: whether the release has rows of others (anonymizer/worker_permit.h
 * loads by the list alone), the ledger's own files (ledger/audit.h).
 */
#ifndef BROKER_PERMIT_AUDIT_H
#define BROKER_PERMIT_AUDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/testimony.h"

struct permit_audit_options {
    struct testimony_source source;
    const struct digest *permit; /* this one alone; NULL: all */
    int64_t now_ms;
};

/* What is wrong, in words for people; never of whom. */
#define PERMIT_AUDIT_FINDING_MAX 512
#define PERMIT_AUDIT_NONE UINT64_MAX

struct permit_audit_result {
    uint64_t entries, permits, subjects; /* checked; subjects in all permits */
    bool good;
    struct digest permit;     /* that is wrong */
    uint64_t permit_position; /* its own */
    uint64_t index;           /* in its list, from 0; or PERMIT_AUDIT_NONE */
    uint64_t position;        /* of the entry that is missing, or is no consent
                                 to this; or PERMIT_AUDIT_NONE */
    char finding[PERMIT_AUDIT_FINDING_MAX];
};

/* An error means that the audit could not be made; a finding is none.  E_NO if
 * the nodes show another log than the signed one, E_INPUT if `permit` is none
 * of the organisation's. */
MUST_USE enum status
permit_audit_run(struct permit_audit_result *result,
                 const struct permit_audit_options *options, struct error *err);

#endif
