/*
 * broker/broker.h - what every part of the broker works with, and what it asks
 * of others.
 *
 *     withdrawal, consent_import, reception   what people send
 *     recording, follower                     our entries in, the log back
 *     permit, proposal                        what follows for a release
 *
 * All of it runs on one thread.  The log and the anonymizer stand behind a port
 * each: in a service they are asked over the network (broker/ports.h), in tests
 * they are scripted, so that every order of what can happen is tried.
 */
#ifndef BROKER_BROKER_H
#define BROKER_BROKER_H

#include <stdint.h>

#include "broker/broker_store.h"
#include "broker/own_entry.h"
#include "common/bytes.h"
#include "common/error.h"
#include "common/genesis.h"
#include "common/identity.h"
#include "common/ledger_questions.h"
#include "common/limits.h"
#include "common/permitted.h"
#include "common/subject_id.h"

/* The log. */
struct ledger_port {
    /* As size_ask. */
    enum status (*size)(void *context, uint64_t *size, struct error *err);
    /* As shown_ask. */
    enum status (*show)(void *context, const char *which, struct shown *shown,
                        struct error *err);
    /* As receipt_ask. */
    enum status (*submit)(void *context, struct bytes entry,
                          struct bytes signatures, struct receipt *receipt,
                          struct error *err);
    /* OK if a checkpoint with k cosignatures covers this position, E_NO if not
     * yet. */
    enum status (*anchored)(void *context, uint64_t position,
                            struct error *err);
    /* For as long as it takes before a node is asked the same again. */
    void (*pause)(void *context);
    void *context;
};

/* A permit with all that it rests on, as the anonymizer gets it. */
struct permit_delivery {
    const struct digest *id;
    const struct permitted_seed *seed;
    struct bytes package; /* docs/protocol.md */
    struct bytes list;
};

/* Where its work stands: the fields of `progress`. */
struct job_progress {
    char state[IDENTITY_NAME_MAX + 1];
    char release[IDENTITY_NAME_MAX + 1];
    struct commitment_salt salt; /* when there is a statement */
    struct text statement;
    enum status status;
    struct text why;
};
void job_progress_init(struct job_progress *progress);
void job_progress_clear(struct job_progress *progress);

/* What the broker is about to refuse. */
struct broker_denial {
    const char *by;                   /* certificate */
    const char *asked;                /* name of the message */
    const struct digest *request;     /* it was about; NULL: none */
    const struct subject_id *subject; /* likewise */
    const char *why;
};

/* The anonymizer; each of these may be said again, but for a denial, which
 * then counts twice. */
struct anonymizer_port {
    enum status (*permit)(void *context, const struct permit_delivery *delivery,
                          struct job_progress *progress, struct error *err);
    enum status (*job)(void *context, const struct digest *permit,
                       struct job_progress *progress, struct error *err);
    /* Its signature over the entry. */
    enum status (*sign)(void *context, const struct digest *permit,
                        struct bytes entry, struct entry_signature *signature,
                        struct error *err);
    enum status (*publish)(void *context, const struct digest *permit,
                           const struct digest *entry,
                           struct job_progress *progress, struct error *err);
    /* Durable when it returns OK. */
    enum status (*denied)(void *context, const struct broker_denial *denial,
                          struct error *err);
    void *context;
};

struct broker {
    struct broker_store *store;
    const struct genesis *genesis;
    struct own_author author;
    struct ledger_port ledger;
    struct anonymizer_port anonymizer;
    uint64_t (*now_ms)(void); /* Unix */
};

/* The broker's organisation. */
const char *broker_organisation(const struct broker *broker);

/* E_REFUSED while the log holds a consent or a withdrawal of this organisation
 * whose statement the broker does not have: until it was opened nobody can say
 * whom it is about. */
MUST_USE enum status broker_check_resolved(const struct broker *broker,
                                           struct error *err);

#endif
