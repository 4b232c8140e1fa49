/*
 * broker/decision.h - may this request have this subject's data?
 *
 * Nothing said means no.  Of several consents of one subject the most recent
 * counts, by its position in the ledger; where several have that position (they
 * came in one entry), all of them must permit.  An older one never comes back
 * when a newer one has ended.
 *
 * One consent permits a request if it is active, the instant lies in its root
 * rule's period, and
 *
 *     the root permits:   it matches, and none of its exceptions holds
 *     the root denies,
 *       the base permits: the root does not hold
 *       the base denies:  the root matches as a permit would have to, and an
 *                         exception holds (nothing else permits anything)
 *
 * A rule holds if it matches and none of its exceptions, which are of the other
 * type, holds.  A rule matches if the instant lies in its period and
 *
 *                  of the type permit          of the type deny
 *     purposes     broker/purpose.h            broker/purpose.h
 *     actors       the recipient is one        the recipient is one, or there
 *                  that is named               are others than recipients
 *
 * where a list that is not there matches everything.  So what cannot be decided
 * never permits: it is no match of a permit and a match of a denial, and each
 * rule counts in one of the two ways only.
 *
 * A permit says until when it stays one if nothing is added to the ledger: to
 * the end of a period, or to the start of a denial's.
 *
 * No clock: the instant is part of the request.
 */
#ifndef BROKER_DECISION_H
#define BROKER_DECISION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/consent.h"

struct decision_request {
    struct purposes purposes; /* checked, see purposes_check_request */
    const char *recipient;    /* name of an organisation */
    int64_t instant_ms;       /* Unix, UTC */
};

#define DECISION_TABLE(X)                                                      \
    X(PERMITTED, "permitted")                                                  \
    X(NO_CONSENT, "no-consent")                                                \
    X(NOT_ACTIVE, "not-active")                                                \
    X(NOT_BEGUN, "not-begun")                                                  \
    X(ENDED, "ended")                                                          \
    X(DENIED, "denied")                                                        \
    X(OTHER_PURPOSE, "other-purpose")                                          \
    X(OTHER_RECIPIENT, "other-recipient")                                      \
    X(EXCEPTED, "excepted")

enum decision_reason {
#define DECISION_ENUM(id, name) DECISION_##id,
    DECISION_TABLE(DECISION_ENUM)
#undef DECISION_ENUM
        DECISION_REASON_COUNT
};

const char *decision_reason_name(enum decision_reason reason);

struct decision {
    enum decision_reason reason; /* of the first consent that does not permit */
    uint64_t position;           /* of what it rests on; 0 for NO_CONSENT */
    int64_t until_ms;            /* of a permit: the first instant without it,
                                    PERIOD_ENDLESS if there is none */
};

static inline bool decision_permits(const struct decision *decision)
{
    return decision->reason == DECISION_PERMITTED;
}

/* A consent and the position of its entry in the ledger. */
struct decision_consent {
    uint64_t position;
    const struct consent *consent;
};

/* All consents of one subject, in any order. */
struct decision decision_make(const struct decision_consent *said, size_t count,
                              const struct decision_request *request);

#endif
