/*
 * broker/broker_store.h - all that a broker knows, in one database.
 *
 *     log, up to the cursor --follower--> said, answers, people, unresolved
 *     handlers                ---------> own entries, requests, releases
 *
 * What comes from the log is written in the same transaction as the cursor, so
 * that the store is the state at one size of the log, whenever it is opened.
 *
 *     own          entries in our name, with statement and salt; pending ones
 *                  are signed and not read back yet, in the order made; and
 *                  what was unresolved, since it was told its statement
 *     wish         what consents say without whose they are, each text once
 *     said         subject, position in the log, wish; a withdrawal has none
 *     person       certificates that the log has enrolled, and revoked
 *     unresolved   consents and withdrawals of our organisation whose statement
 *                  we do not have
 *     request, answer, release, permit
 *
 * It holds subject ids and no name, no number, no clinical value.  One thread,
 * one process at a time.  Outside of a transaction each change is one of its
 * own.
 */
#ifndef BROKER_BROKER_STORE_H
#define BROKER_BROKER_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/own_entry.h"
#include "broker/release_statement.h"
#include "common/bytes.h"
#include "common/digest.h"
#include "common/error.h"
#include "common/identity.h"
#include "common/permitted.h"
#include "common/subject_id.h"
#include "common/text.h"

struct broker_store;

/* Makes the file where there is none.  `network` is the digest of its genesis:
 * E_INPUT for the database of another.  *fresh: nothing is in it yet. */
MUST_USE enum status broker_store_open(struct broker_store **store,
                                       const char *path,
                                       const struct digest *network,
                                       bool *fresh, struct error *err);
/* One that is at rest, to look at what is in it: nothing can be changed.
 * E_INPUT if it is not there or of another network, E_IO while a broker has
 * it. */
MUST_USE enum status broker_store_open_to_read(struct broker_store **store,
                                               const char *path,
                                               const struct digest *network,
                                               struct error *err);
void broker_store_close(struct broker_store **store);

MUST_USE enum status broker_store_begin(struct broker_store *store,
                                        struct error *err);
MUST_USE enum status broker_store_commit(struct broker_store *store,
                                         struct error *err);
void broker_store_rollback(struct broker_store *store);
/* Commit if `status` is OK, else roll back; what came of it. */
MUST_USE enum status broker_store_end(struct broker_store *store,
                                      enum status status, struct error *err);

/* ---- how far ---- */

enum broker_number {
    BROKER_CURSOR,  /* size of the log that has been applied */
    BROKER_NARROWED /* position of the last narrowing entry, plus 1 */
};
MUST_USE enum status broker_store_number(struct broker_store *store,
                                         enum broker_number which,
                                         uint64_t *number, struct error *err);
MUST_USE enum status broker_store_set_number(struct broker_store *store,
                                             enum broker_number which,
                                             uint64_t number,
                                             struct error *err);

/* ---- our own entries ---- */

/* Pending at once if it has signatures.  `asked` names the request that it
 * answers, so that the same one said again finds it; may be empty. */
MUST_USE enum status broker_store_add_own(struct broker_store *store,
                                          const struct own_entry *own,
                                          struct bytes asked,
                                          struct error *err);
/* It has all signatures now: it is pending. */
MUST_USE enum status broker_store_sign_own(struct broker_store *store,
                                           const struct own_entry *own,
                                           struct error *err);
/* `own` was initialised; it is as before where nothing is found. */
MUST_USE enum status broker_store_find_own(struct broker_store *store,
                                           const struct digest *id,
                                           struct own_entry *own, bool *found,
                                           struct error *err);
MUST_USE enum status broker_store_find_asked(struct broker_store *store,
                                             struct bytes asked,
                                             struct own_entry *own, bool *found,
                                             struct error *err);
/* The pending one that was made first. */
MUST_USE enum status broker_store_first_pending(struct broker_store *store,
                                                struct own_entry *own,
                                                bool *found, struct error *err);
/* It stands in the log. */
MUST_USE enum status broker_store_settle(struct broker_store *store,
                                         const struct digest *id,
                                         uint64_t position,
                                         enum entry_verdict verdict,
                                         struct error *err);
/* No node takes it: it is not pending any more. */
MUST_USE enum status broker_store_drop_pending(struct broker_store *store,
                                               const struct digest *id,
                                               struct error *err);

/* Nobody has to be shown any more what it commits to. */
MUST_USE enum status broker_store_drop_statement(struct broker_store *store,
                                                 const struct digest *id,
                                                 struct error *err);

/* ---- people ---- */

struct person {
    char organisation[IDENTITY_NAME_MAX + 1];
    enum identity_role role;
    bool revoked;
};

MUST_USE enum status
broker_store_add_person(struct broker_store *store,
                        const struct certificate *certificate,
                        struct error *err);
MUST_USE enum status broker_store_find_person(struct broker_store *store,
                                              const char *certificate_id,
                                              struct person *person,
                                              bool *found, struct error *err);
MUST_USE enum status broker_store_revoke_person(struct broker_store *store,
                                                const char *certificate_id,
                                                struct error *err);

/* ---- what subjects have said ---- */

/* Wishes are numbered from 1, without gaps. */
#define WISH_WITHDRAWN 0

struct said {
    struct subject_id subject;
    uint64_t position;
    uint64_t wish; /* or WISH_WITHDRAWN */
};

/* `says` is consent_says() of an accepted consent; empty: a withdrawal.  The
 * same again changes nothing. */
MUST_USE enum status broker_store_say(struct broker_store *store,
                                      const struct subject_id *subject,
                                      uint64_t position, struct bytes says,
                                      struct error *err);

/* What a visitor returns ends the visit unless it is OK.  It must not change
 * the store. */
typedef enum status wish_visit(void *context, uint64_t wish, struct bytes says,
                               struct error *err);
typedef enum status said_visit(void *context, const struct said *said,
                               struct error *err);

MUST_USE enum status broker_store_each_wish(struct broker_store *store,
                                            wish_visit *visit, void *context,
                                            struct error *err);
/* Ascending by subject, then by position. */
MUST_USE enum status broker_store_each_said(struct broker_store *store,
                                            said_visit *visit, void *context,
                                            struct error *err);
/* Of one subject, ascending by position. */
MUST_USE enum status broker_store_said_by(struct broker_store *store,
                                          const struct subject_id *subject,
                                          said_visit *visit, void *context,
                                          struct error *err);
/* At this position or behind it, ascending; the wish is not told. */
MUST_USE enum status broker_store_said_since(struct broker_store *store,
                                             uint64_t position,
                                             said_visit *visit, void *context,
                                             struct error *err);
/* Append the text of a wish; E_INPUT if there is none. */
MUST_USE enum status broker_store_wish(struct broker_store *store,
                                       uint64_t wish, struct text *says,
                                       struct error *err);

/* ---- what we cannot read ---- */

MUST_USE enum status
broker_store_add_unresolved(struct broker_store *store, const struct digest *id,
                            uint64_t position, enum entry_type type,
                            const char *commitment, struct error *err);

struct unresolved {
    struct digest id;
    uint64_t position;
    enum entry_type type;
    char commitment[DIGEST_HEX_SIZE];
};
/* The first by position. */
MUST_USE enum status
broker_store_first_unresolved(struct broker_store *store,
                              struct unresolved *unresolved, bool *found,
                              struct error *err);
MUST_USE enum status broker_store_find_unresolved(struct broker_store *store,
                                                  const struct digest *id,
                                                  struct unresolved *unresolved,
                                                  bool *found,
                                                  struct error *err);
MUST_USE enum status broker_store_drop_unresolved(struct broker_store *store,
                                                  const struct digest *id,
                                                  struct error *err);

/* ---- requests and their answers ---- */

struct request_record {
    struct digest id;
    uint64_t position;
    char author[CERTIFICATE_ID_SIZE];
    struct commitment_salt salt;
    struct text terms; /* statement */
};
void request_record_init(struct request_record *request);
void request_record_clear(struct request_record *request);

MUST_USE enum status
broker_store_add_request(struct broker_store *store,
                         const struct request_record *request,
                         struct bytes bundle, struct error *err);
MUST_USE enum status broker_store_find_request(struct broker_store *store,
                                               const struct digest *id,
                                               struct request_record *request,
                                               bool *found, struct error *err);
/* Append the policy that came with it. */
MUST_USE enum status broker_store_bundle(struct broker_store *store,
                                         const struct digest *request,
                                         struct text *bundle,
                                         struct error *err);
/* It is not needed any more. */
MUST_USE enum status broker_store_drop_bundle(struct broker_store *store,
                                              const struct digest *request,
                                              struct error *err);
/* The first one behind this position, or at it. */
MUST_USE enum status broker_store_next_request(struct broker_store *store,
                                               uint64_t position,
                                               struct request_record *request,
                                               bool *found, struct error *err);

struct answer_record {
    struct digest id;
    bool approved;
    char author[CERTIFICATE_ID_SIZE];
};
MUST_USE enum status broker_store_add_answer(struct broker_store *store,
                                             const struct digest *request,
                                             const struct answer_record *answer,
                                             struct error *err);
MUST_USE enum status broker_store_find_answer(struct broker_store *store,
                                              const struct digest *request,
                                              struct answer_record *answer,
                                              bool *found, struct error *err);

/* ---- permits and releases ---- */

struct permit_record {
    struct digest id; /* its own entry has statement and salt */
    struct digest request;
    uint64_t size;
    uint64_t expires_ms;
    struct permitted_seed seed;
    struct text list; /* common/permitted.h */
};
void permit_record_init(struct permit_record *permit);
void permit_record_clear(struct permit_record *permit);

MUST_USE enum status broker_store_add_permit(struct broker_store *store,
                                             const struct permit_record *permit,
                                             struct error *err);
/* All but its list, which may have tens of megabytes.  E_INPUT if there is
 * none. */
MUST_USE enum status broker_store_permit(struct broker_store *store,
                                         const struct digest *id,
                                         struct permit_record *permit,
                                         struct error *err);
MUST_USE enum status broker_store_permit_list(struct broker_store *store,
                                              const struct digest *id,
                                              struct text *list,
                                              struct error *err);

/* It is no permit: nobody audits it. */
MUST_USE enum status broker_store_drop_list(struct broker_store *store,
                                            const struct digest *id,
                                            struct error *err);

/* How far the release of a request has come (broker/proposal.h). */
struct release_record {
    struct digest request;
    unsigned state;
    uint64_t restarts;    /* permits behind the first */
    uint64_t drafts;      /* of release entries, under the present permit */
    struct digest permit; /* id of its entry */
    struct digest draft;  /* id of the release entry; zeros before there is */
    uint64_t checked;     /* of the draft */
    char name[RELEASE_NAME_SIZE]; /* the release's id; "" before there is */
    struct commitment_salt salt;
    struct text statement; /* of the release, by the anonymizer */
    enum status status;    /* why it was refused */
    struct text why;
};
void release_record_init(struct release_record *release);
void release_record_clear(struct release_record *release);

MUST_USE enum status
broker_store_put_release(struct broker_store *store,
                         const struct release_record *release,
                         struct error *err);
MUST_USE enum status broker_store_find_release(struct broker_store *store,
                                               const struct digest *request,
                                               struct release_record *release,
                                               bool *found, struct error *err);

#endif
