/*
 * anonymizer/worker_events.h - who opened, released, fetched or was refused
 * what: access events, durable before the thing itself happens, and anchored in
 * the log soon after.
 *
 *     worker_events_subjects, _release, _denial     durable when it returns OK
 *     worker_events_anchor                 one `access` entry for all new ones
 *     worker_events_history                a subject's, with its proof
 *     worker_events_denials                a day's, with its proof
 *
 * What an event says, one JSON object in RFC 8785 form:
 *
 *     {"act": word, "at": Unix milliseconds, "by": certificate id,
 *      "dataset": id, "permit": id of its entry, "release": id, "salt": hex}
 *
 *     act      told of       when
 *     open     each subject  its row's key is about to be opened for a release
 *     repeat   each subject  bytes of an earlier release with its row are about
 *                            to be released again
 *     erase    the subject   its key is about to be destroyed
 *     refuse   the release   a job ended without one; `by` had sent the permit
 *     publish  the release   it is about to be there to be fetched
 *     fetch    the release   somebody entitled is about to get its first byte
 *     deny     the day       something was refused; also told of the subject or
 *                            the release that it was about, if it was
 *
 * "dataset" and "permit" are left out where they are not known, "release" for
 * erase.  A denial has besides "asked" (name of the message), "count" (how many
 * it stands for, anonymizer/worker_denials.h), "request" (where it was about
 * one), "via" (certificate of the broker that has refused it; left out if it
 * was refused here) and "why" (words); it names no subject, since whoever reads
 * a day's denials need not know whom they were about.  A fetch is told of the
 * release and not of each subject in it: a subject's events name the releases
 * that it was opened for, and a history has their chains, too.
 *
 * One event that many handles share is written once.  The statement of an
 * `access` entry (docs/protocol.md) is about a batch of them:
 *
 *     members  SHA-256( handle || be64(number in its chain), for each handle,
 *              ascending )
 *     events   RFC 6962 root over be64(act) || event || members || be64(count)
 *     map      common/access_chain.h, after the last of them
 *
 * Entries are kept before they are handed in, so that after a crash the same
 * bytes go in again and no batch is anchored twice.  Several threads may use it
 * at once.
 */
#ifndef ANONYMIZER_WORKER_EVENTS_H
#define ANONYMIZER_WORKER_EVENTS_H

#include <stddef.h>

#include "anonymizer/worker_secret.h"
#include "anonymizer/worker_store.h"
#include "common/client.h"
#include "common/error.h"
#include "common/genesis.h"
#include "common/network.h"
#include "common/subject_id.h"
#include "common/text.h"

struct worker_events;

/* Borrowed for its life. */
struct worker_events_settings {
    struct worker_store *store;
    struct worker_secret *secret;
    const struct genesis *genesis;   /* whose log */
    const struct network_user *self; /* who anchors */
};

/* Reads all chains into memory. */
MUST_USE enum status
worker_events_open(struct worker_events **events,
                   const struct worker_events_settings *settings,
                   struct error *err);
void worker_events_close(struct worker_events **events);

#define ACCESS_ACTS(X)                                                         \
    X("open", OPEN)                                                            \
    X("repeat", REPEAT)                                                        \
    X("erase", ERASE)                                                          \
    X("refuse", REFUSE)                                                        \
    X("publish", PUBLISH)                                                      \
    X("fetch", FETCH)                                                          \
    X("deny", DENY)

enum access_act {
#define ACCESS_ACT_ENUM(name, id) ACCESS_##id,
    ACCESS_ACTS(ACCESS_ACT_ENUM)
#undef ACCESS_ACT_ENUM
};

struct access_told {
    enum access_act act;
    const char *by;                   /* certificate id */
    const struct dataset_id *dataset; /* NULL: left out, as below */
    const struct digest *permit;
    const char *release;
    /* of DENY alone, where also `by` may be NULL */
    const char *asked, *via, *why;
    const struct digest *request;
    uint64_t count; /* 0: left out */
};

/* Of these subjects, in any order, none twice; at least one. */
MUST_USE enum status worker_events_subjects(struct worker_events *events,
                                            const struct access_told *told,
                                            const struct subject_id *subject,
                                            size_t count, struct error *err);
/* Of told->release. */
MUST_USE enum status worker_events_release(struct worker_events *events,
                                           const struct access_told *told,
                                           struct error *err);

#define ACCESS_DAY_SIZE 11 /* "2025-01-31" */

/* Whom a denial is told of. */
struct access_concern {
    char day[ACCESS_DAY_SIZE];
    const struct subject_id *subject; /* NULL: none */
    const char *release;              /* one that there is; NULL: none */
};
MUST_USE enum status worker_events_denial(struct worker_events *events,
                                          const struct access_told *told,
                                          const struct access_concern *concern,
                                          struct error *err);

/* Have all events in the log that there are now; nothing is handed in if there
 * are no new ones.  E_SYSTEM without a quorum, E_REFUSED if the log finds the
 * entry not valid. */
MUST_USE enum status worker_events_anchor(struct worker_events *events,
                                          struct client *client,
                                          struct error *err);

/* The entry that covers the last event; E_NO if it is not in the log yet. */
MUST_USE enum status worker_events_entry(struct worker_events *events,
                                         struct digest *entry,
                                         struct error *err);

/* Append a history (common/access_history.h).  What is not anchored yet is
 * first; E_SYSTEM if events come faster than they can be. */
MUST_USE enum status worker_events_history(struct worker_events *events,
                                           struct client *client,
                                           const struct subject_id *subject,
                                           struct text *out, struct error *err);
/* Likewise, of a day. */
MUST_USE enum status worker_events_denials(struct worker_events *events,
                                           struct client *client,
                                           const char *day, struct text *out,
                                           struct error *err);

#endif
