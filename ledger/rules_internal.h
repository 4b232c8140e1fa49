/*
 * ledger/rules_internal.h - the rules from the inside: what their files share.
 *
 *     rules.c           who may write what; the judgement
 *     rules_payload.c   the form of a payload, and its members
 *     rules_state.c     what valid entries leave for those that refer to them
 *     rules_effects.c   what a valid entry changes
 */
#ifndef LEDGER_RULES_INTERNAL_H
#define LEDGER_RULES_INTERNAL_H

#include <stddef.h>

#include "ledger/rules.h"

/* ---- rules_payload.c ---- */

/* Exactly the members of the type, each in its form, and perhaps "reads". */
bool rules_payload_has_form(const struct entry *entry);

/* Members of a payload that has its form. */
const char *rules_text(const struct entry *entry, const char *name);
uint64_t rules_number(const struct entry *entry, const char *name);
uint64_t rules_number_of(const struct json_value *value);

/* ---- rules_state.c ----
 * "entry/<id>" of a valid entry that others may refer to:
 *
 *     type || be64(number of the type: a permit's expiry) || organisation || 0
 *     || terms || 0 || recipient || 0 || custodian || 0 || approval || 0
 *
 * organisation is that of the dataset; recipient and custodian are the
 * certificates of who requested and who approved, empty before that was done;
 * approval is the id of the approve entry that a permit rests on.
 * "used/<id>" is there once the entry was followed.  A permit follows an
 * approval without using it up, since consents may change and another permit be
 * needed; a release does, so that there is one for each approval. */
struct referred {
    enum entry_type type;
    uint64_t number;
    char organisation[IDENTITY_NAME_MAX + 1];
    char terms[2 * DIGEST_SIZE + 1];
    char recipient[CERTIFICATE_ID_SIZE];
    char custodian[CERTIFICATE_ID_SIZE];
    char approval[2 * DIGEST_SIZE + 1];
    bool found;
    bool used;
};

/* A kind, a slash and the longest name. */
#define STATE_KEY_MAX 128

void rules_make_key(char key[STATE_KEY_MAX], const char *kind,
                    const char *name);

/* With its NUL. */
MUST_USE enum status rules_append_string(struct text *out, const char *string,
                                         struct error *err);

/* referred->found is false if there is no such entry. */
MUST_USE enum status rules_look_up(const struct rules_context *context,
                                   const char *id, struct referred *referred,
                                   struct error *err);

MUST_USE enum status rules_is_used(const struct rules_context *context,
                                   const char *id, bool *used,
                                   struct error *err);

/* Was a certificate that it rests on revoked by an entry before `size`? */
MUST_USE enum status rules_rests_on_revoked(const struct rules_context *context,
                                            const struct referred *referred,
                                            uint64_t size, bool *revoked,
                                            struct error *err);

/* Leaves "entry/<id>"; `step` says all but the type, which is the entry's. */
MUST_USE enum status rules_remember(const struct rules_context *context,
                                    const struct entry *entry,
                                    const struct referred *step,
                                    struct error *err);

/* "<kind>/<name>" is there from this entry on. */
MUST_USE enum status rules_mark(const struct rules_context *context,
                                const char *kind, const char *name,
                                struct error *err);

#endif
