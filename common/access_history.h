/*
 * common/access_history.h - who saw a subject's records: a history that proves
 * by itself that nothing which was anchored is left out of it.
 *
 * And, of the same form, all that was refused in a day.
 *
 *     {"history": 1, "key": hex, "proof": text of a proof (common/proof.h) of
 *      the `access` entry, "salt": hex, "statement": text that it commits to,
 *      "chains": [{"about": "subject" | "release" | "denials", "id": text,
 *                  "events": [text, ...], "path": [hex, ...],
 *                  "other": {"handle", "head", "length"}}, ...]}
 *
 * The first chain is the subject's; then come those of the releases that its
 * events name, in the order in which they do, each once.  A day's denials are
 * one chain, whatever releases they name.  "path" is the way to
 * the map's trie, from the top (common/access_chain.h); "other" is there where
 * a chain without events has another's end in its place.
 *
 * A verified history says: a log that k trusted nodes have signed has an entry
 * by `author`, an anonymizer as whoever calls has to make sure, which stands
 * for a map of all access chains; and these are the chains of that map, whole,
 * for this subject and these releases.  Not: that every access was recorded;
 * the vault opens no key before, but that is the anonymizer's word.
 *
 * Elsewhere: what events say (anonymizer/worker_events.h).
 */
#ifndef COMMON_ACCESS_HISTORY_H
#define COMMON_ACCESS_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#include "common/access_chain.h"
#include "common/bytes.h"
#include "common/commitment.h"
#include "common/error.h"
#include "common/identity.h"
#include "common/proof.h"
#include "common/subject_id.h"
#include "common/text.h"

#define ACCESS_STATEMENT "access 1"
#define ACCESS_RELEASE_SIZE 33 /* 128 bits in hex, and a NUL */

/* ---- writing, by whoever keeps the chains ---- */

struct access_writer;

MUST_USE enum status access_writer_create(struct access_writer **writer,
                                          const uint8_t key[ACCESS_KEY_SIZE],
                                          struct error *err);
void access_writer_destroy(struct access_writer **writer);

/* Begin a chain; then come its events, in order. */
MUST_USE enum status access_writer_chain(struct access_writer *writer,
                                         const char *kind, struct bytes id,
                                         const struct access_path *path,
                                         struct error *err);
MUST_USE enum status access_writer_event(struct access_writer *writer,
                                         struct bytes text, struct error *err);

/* Releases that events of the subject's chain named so far. */
size_t access_writer_release_count(const struct access_writer *writer);
void access_writer_release(const struct access_writer *writer, size_t index,
                           char release[ACCESS_RELEASE_SIZE]);

MUST_USE enum status access_writer_finish(struct access_writer *writer,
                                          const struct commitment_salt *salt,
                                          struct bytes statement,
                                          struct bytes proof,
                                          struct error *err);
MUST_USE enum status access_writer_print(const struct access_writer *writer,
                                         struct text *out, struct error *err);

/* ---- reading ---- */

struct access_history;

/* A chain of a verified history; strings are the history's. */
struct access_chain {
    bool is_subject;
    const char *release;             /* where it is a release's, else NULL */
    const struct json_value *events; /* an array of texts, each a JSON object */
};

/* E_NO with the check that failed, if it is no whole history of this subject
 * to whom trusts so; E_INPUT if it is not even of that form. */
MUST_USE enum status access_history_verify(struct access_history **history,
                                           struct bytes text,
                                           const struct trust *trust,
                                           const struct subject_id *subject,
                                           struct error *err);
/* Likewise, all denials of a day, "2025-01-31". */
MUST_USE enum status
access_history_verify_denials(struct access_history **history,
                              struct bytes text, const struct trust *trust,
                              const char *day, struct error *err);
void access_history_destroy(struct access_history **history);

size_t access_history_chain_count(const struct access_history *history);
struct access_chain access_history_chain(const struct access_history *history,
                                         size_t index);
/* Certificate of who has anchored it. */
const char *access_history_author(const struct access_history *history);
/* What the log's nodes have signed. */
const struct checkpoint *
access_history_checkpoint(const struct access_history *history);

#endif
