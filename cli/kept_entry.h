/*
 * cli/kept_entry.h - an entry of the user's own, kept with what it commits to.
 *
 *     users/<user>/<folder>/<entry id>.json
 *         {"bundle": text or "", "entry": text, "kept": 1, "salt": hex,
 *          "signatures": text, "statement": text}
 *
 * It is kept before it is handed in: whatever is interrupted goes on with the
 * same bytes, which the log knows, and the salt that opens the commitment is
 * there as long as the entry is.
 */
#ifndef CLI_KEPT_ENTRY_H
#define CLI_KEPT_ENTRY_H

#include "cli/session.h"
#include "cli/signed_entry.h"
#include "common/commitment.h"
#include "common/error.h"
#include "common/text.h"

#define KEPT_DATASETS "datasets"
#define KEPT_REQUESTS "requests"
#define KEPT_ERASURES "erasures"

struct kept_entry {
    struct signed_entry entry;
    struct commitment_salt salt;
    struct text statement;
    struct text bundle; /* of a request: its policy */
};

void kept_entry_init(struct kept_entry *kept);
void kept_entry_clear(struct kept_entry *kept);

/* The folder is made where there is none. */
MUST_USE enum status kept_entry_save(const struct kept_entry *kept,
                                     const struct session *session,
                                     const char *folder, struct error *err);
/* `id` is 64 hex digits, E_USAGE if not.  E_INPUT if it is not kept here.
 * `kept` was initialised and is empty. */
MUST_USE enum status kept_entry_load(struct kept_entry *kept,
                                     const struct session *session,
                                     const char *folder, const char *id,
                                     struct error *err);

#endif
