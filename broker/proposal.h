/*
 * broker/proposal.h - the way of one release, from an approved request to its
 * publication.
 *
 *     permitting   the permit's entry is stored; it goes into the log
 *     permitted    it is there; the anonymizer gets it
 *     working      the anonymizer works
 *     endorse      the release entry is drafted; the custodian has to sign it
 *     proposed     all have signed; it goes into the log
 *     released     it is there; to be anchored, then published
 *     published
 *     refused      by the anonymizer, by the log, or for good by us
 *
 * Nothing moves by itself: each `release` of the custodian takes it as far as
 * it goes without waiting.  Each move is in the store before it is acted on,
 * and each act can be repeated, so that killed at any instant it goes on.
 *
 * Before a draft the log is applied to its end, and the permitted subjects are
 * looked at again:
 *
 *     one of them is not permitted any more,
 *     or the permit has expired               a new permit, from the beginning,
 *                                             PROPOSAL_RESTARTS_MAX times
 *     others have said something              nothing
 *
 * A draft that has become stale, before it was signed or in the log, costs a
 * next draft and no more.  The nodes decide what is stale; `checked` says up to
 * where we have looked.
 *
 * A request is released once.  One that was refused may be said again: that is
 * a new permit, with what patients say then.
 */
#ifndef BROKER_PROPOSAL_H
#define BROKER_PROPOSAL_H

#include <stdint.h>

#include "broker/broker.h"
#include "common/identity.h"
#include "common/states.h"

#define PROPOSAL_STATES(X)                                                     \
    X(PROPOSAL_PERMITTING, "permitting",                                       \
      STATES_TO(PROPOSAL_PERMITTED) | STATES_TO(PROPOSAL_REFUSED))             \
    X(PROPOSAL_PERMITTED, "permitted",                                         \
      STATES_TO(PROPOSAL_WORKING) | PROPOSAL_TO_RESTART)                       \
    X(PROPOSAL_WORKING, "working",                                             \
      STATES_TO(PROPOSAL_ENDORSE) | PROPOSAL_TO_RESTART)                       \
    X(PROPOSAL_ENDORSE, "endorse",                                             \
      STATES_TO(PROPOSAL_ENDORSE) | STATES_TO(PROPOSAL_PROPOSED) |             \
          PROPOSAL_TO_RESTART)                                                 \
    X(PROPOSAL_PROPOSED, "proposed",                                           \
      STATES_TO(PROPOSAL_RELEASED) | STATES_TO(PROPOSAL_ENDORSE) |             \
          PROPOSAL_TO_RESTART)                                                 \
    X(PROPOSAL_RELEASED, "released", STATES_TO(PROPOSAL_PUBLISHED))            \
    X(PROPOSAL_PUBLISHED, "published", 0)                                      \
    X(PROPOSAL_REFUSED, "refused", STATES_TO(PROPOSAL_PERMITTING))

#define PROPOSAL_TO_RESTART                                                    \
    (STATES_TO(PROPOSAL_PERMITTING) | STATES_TO(PROPOSAL_REFUSED))

enum proposal_state { PROPOSAL_STATES(STATES_ENUM) };

const char *proposal_state_name(enum proposal_state state);

/* What the custodian is told.  While the anonymizer works, `state` is that of
 * its job. */
struct proposal_progress {
    const char *state;
    char job[IDENTITY_NAME_MAX + 1];
    char release[IDENTITY_NAME_MAX + 1];
    struct text entry; /* to be signed; empty if none is */
    struct commitment_salt salt;
    struct text statement;
    enum status status; /* why it was refused */
    struct text why;
};
void proposal_progress_init(struct proposal_progress *progress);
void proposal_progress_clear(struct proposal_progress *progress);

/* E_INPUT if there is no such request, E_REFUSED without approval, without a
 * patient's consent, while something is unresolved.  E_SYSTEM if the log or the
 * anonymizer did not answer: the same may be said again. */
MUST_USE enum status proposal_advance(struct broker *broker,
                                      const struct digest *request,
                                      struct proposal_progress *progress,
                                      struct error *err);

/* The custodian signs a draft.  If it is not the present one any more nothing
 * is signed, and the progress has the one to be signed now. */
struct proposal_endorsement {
    const struct digest *request;
    const struct digest *entry;
    const struct certificate *custodian;
    struct bytes signature;
};

/* As proposal_advance; E_REFUSED if the signature does not hold. */
MUST_USE enum status
proposal_endorse(struct broker *broker,
                 const struct proposal_endorsement *endorsement,
                 struct proposal_progress *progress, struct error *err);

#endif
