/*
 * tests/lib/broker_world.h - a broker with its store, a ledger (log_world.h)
 * and an anonymizer that is scripted.
 *
 *     struct broker_world world;
 *
 *     broker_world_open(&world);
 *     broker_world_says(&world, 1, PERMIT_ALL);    subject 1 consents
 *     broker_world_request(&world, &request);      requested and approved
 *     ... proposal_advance(&world.broker, &request, ...) ...
 *     broker_world_close(&world);
 *
 * Time is that of the ledger's next block.  What cannot be set up ends the
 * program.
 */
#ifndef TESTS_LIB_BROKER_WORLD_H
#define TESTS_LIB_BROKER_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/broker.h"
#include "tests/lib/log_world.h"
#include "tests/lib/scratch.h"

/* What consents say, in the reduced form. */
#define PERMIT_ALL                                                             \
    "{\"base\":\"permit\",\"rule\":{\"type\":\"permit\"},\"status\":"          \
    "\"active\"}"
#define DENY_ALL                                                               \
    "{\"base\":\"deny\",\"rule\":{\"type\":\"deny\"},\"status\":\"active\"}"

struct broker_world {
    struct scratch scratch;
    struct log_world *log;
    struct broker broker;

    /* ---- the log ---- */
    unsigned lose;       /* of the next submissions: nobody answers */
    unsigned lose_after; /* of the next: it is done, and the answer is lost */
    unsigned turn_away;  /* of the next: no node takes it */
    uint64_t hidden;     /* entries at the end that nodes do not show yet */
    unsigned pauses;     /* each shows one of them */
    uint64_t unsaid;     /* entries that the node which is asked first lacks */
    bool not_anchored;
    unsigned submitted;
    /* Right before an entry of this type gets into the log, once. */
    void (*before)(struct broker_world *world);
    enum entry_type before_type;

    /* ---- the anonymizer ---- */
    const char *job; /* state that it tells: "loaded", "rechecked", ... */
    enum status job_status;
    const char *publishing; /* what it is once it is to be published; NULL:
                               "published" */
    struct digest permit;   /* the last that it got */
    unsigned permits, signs, publications, denials;
    /* the last denial; zeroes where it was about none */
    char denied_by[CERTIFICATE_ID_SIZE], denied_asked[IDENTITY_NAME_MAX + 1],
        denied_why[ERROR_TEXT_MAX];
    struct digest denied_request;
    struct subject_id denied_subject;
    struct digest published; /* the entry */
    struct text list, package;
    enum status anonymizer_fails; /* OK: it does not */
    bool signs_badly;
    const char *statement_permit; /* NULL: the one that it got */
    const char *statement_policy; /* NULL: that of the terms */
    const char *name;             /* of the release; NULL: the usual one */
};

void broker_world_open(struct broker_world *world);
void broker_world_close(struct broker_world *world);
/* As after close and open, but for people's keys: they take longest. */
void broker_world_again(struct broker_world *world);

/* As after a crash: what was not committed is gone. */
void broker_world_restart(struct broker_world *world);

/* Subject `number` has this id. */
struct subject_id broker_world_subject(unsigned number);

/* One consent of that subject, as the custodian sends it.  Not for what must
 * fail. */
void broker_world_says(struct broker_world *world, unsigned number,
                       const char *says);
void broker_world_withdraws(struct broker_world *world, unsigned number);
/* Append {"original", "reduced"} of one. */
void broker_world_item(struct text *batch, unsigned number, const char *says);

/* A dataset, a request of the institute for general research, taken; and its
 * approval.  Each *request is an id. */
void broker_world_ask(struct broker_world *world, struct digest *request);
void broker_world_approve(struct broker_world *world,
                          const struct digest *request);
void broker_world_request(struct broker_world *world, struct digest *request);

/* The digest of the policy that requests name, in hex. */
#define BROKER_WORLD_POLICY                                                    \
    "5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f"
#define BROKER_WORLD_RELEASE "0123456789abcdef0123456789abcdef"

/* Is this subject in the list that the anonymizer got last? */
bool broker_world_listed(const struct broker_world *world, unsigned number);

#endif
