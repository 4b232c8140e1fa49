/*
 * cli/consent_archive.h - the consents that a custodian has sent to the broker,
 * as they were signed.
 *
 *     users/<custodian>/consents/<entry id>.ndjson
 *         one a line: {"original": text of the resource, "salt": 64 hex digits,
 *         "subject": 32}; the entry's statement has HMAC-SHA256(salt, original)
 *     users/<custodian>/consents/known
 *         32 bytes for each resource: SHA-256 of its RFC 8785 form
 *
 * Only the most recent consent of a patient counts, by its place in the log: an
 * old one that came again would undo what the patient has said since.  So what
 * is known is not sent again.
 *
 * A batch gets its name when the broker has recorded it.  Until then it is
 * "sending.ndjson", so that the originals of whatever the broker may have are
 * there whenever the command is killed; the next batch keeps it as
 * "unanswered-<random>.ndjson".
 */
#ifndef CLI_CONSENT_ARCHIVE_H
#define CLI_CONSENT_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/session.h"
#include "common/bytes.h"
#include "common/digest.h"
#include "common/error.h"

struct consent_archive;

MUST_USE enum status consent_archive_open(struct consent_archive **archive,
                                          const struct session *session,
                                          struct error *err);
void consent_archive_close(struct consent_archive **archive);

/* Was this resource recorded before, or is it in the batch already? */
bool consent_archive_knows(const struct consent_archive *archive,
                           const struct digest *resource);

/* It is in the batch now. */
MUST_USE enum status consent_archive_add(struct consent_archive *archive,
                                         const struct digest *resource,
                                         struct error *err);

/* The batch's lines are on disk when this returns OK. */
MUST_USE enum status consent_archive_keep(struct consent_archive *archive,
                                          struct bytes lines,
                                          struct error *err);

/* The broker has recorded it as this entry: its resources are known from now
 * on. */
MUST_USE enum status consent_archive_settle(struct consent_archive *archive,
                                            struct bytes entry_id,
                                            struct error *err);

#endif
