/*
 * cli/signed_entry.h - an entry in the user's own name, and what it stands for.
 *
 *     payload --make--> entry, signature --submit--> receipt
 *
 * The same bytes may be submitted again: the log has them once.
 */
#ifndef CLI_SIGNED_ENTRY_H
#define CLI_SIGNED_ENTRY_H

#include "cli/session.h"
#include "common/commitment.h"
#include "common/digest.h"
#include "common/entry.h"
#include "common/error.h"
#include "common/json.h"
#include "common/ledger_questions.h"
#include "common/text.h"

struct signed_entry {
    struct text entry, signatures;
    struct digest id;
};

void signed_entry_init(struct signed_entry *entry);
void signed_entry_clear(struct signed_entry *entry);

/* `payload` has an object for root; `entry` was initialised and is empty. */
MUST_USE enum status signed_entry_make(struct signed_entry *entry,
                                       const struct session *session,
                                       enum entry_type type,
                                       const struct json *payload,
                                       struct error *err);

/* Hand it in, which is of this type.  E_REFUSED if the nodes' verdict is a
 * refusal, which is recorded all the same: *receipt says as what. */
MUST_USE enum status signed_entry_submit(const struct signed_entry *entry,
                                         const struct session *session,
                                         enum entry_type type,
                                         struct receipt *receipt,
                                         struct error *err);

/* Add the member "commitment" to a payload, or one with another name: the
 * commitment to the statement under a new salt. */
MUST_USE enum status statement_commit(struct json_value *payload,
                                      const char *key, struct bytes statement,
                                      struct commitment_salt *salt,
                                      struct error *err);

/* ---- in JSON ---- */

/* Members "id" or as `key` says, and "position". */
MUST_USE enum status signed_entry_add_place(struct json_value *object,
                                            const char *key,
                                            const struct receipt *receipt,
                                            struct error *err);

/* A member of bytes, in hex. */
MUST_USE enum status json_add_hex(struct json_value *object, const char *key,
                                  struct bytes bytes, struct error *err);

#endif
