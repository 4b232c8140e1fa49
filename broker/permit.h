/*
 * broker/permit.h - who may be in a release: consent evaluated for all subjects
 * at once, and the permit entry.
 *
 *     wishes  --decision_make--> permitted, until when      each text once
 *     said    --newest of each subject--> list of permitted subjects
 *
 * Equal wishes are equal texts (broker/consent.h), so that a million subjects
 * cost one pass over what they said and a decision for each of some thousand
 * wishes.  Of several wishes that one subject has at its newest position all
 * have to permit, as decision_make has it.
 *
 *     expires   24 hours ahead, less PERMIT_SLACK_MS, or when the first consent
 *               that it rests on ends
 *
 * So until it expires a permitted subject is one that is permitted, unless it
 * has said something since: to look again means to look at those who have
 * (permit_affected).
 */
#ifndef BROKER_PERMIT_H
#define BROKER_PERMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/broker.h"
#include "broker/decision.h"
#include "broker/request_terms.h"

/* The longest that a permit is good for (ledger/rules.h has the same), less
 * what the clocks of broker and leader may differ by: a permit that lasts
 * longer by the leader's clock would be against the rule. */
#define PERMIT_LONGEST_MS (INT64_C(24) * 60 * 60 * 1000)
#define PERMIT_SLACK_MS BUS_CLOCK_SKEW_MS

struct permit_evaluation {
    struct text list; /* common/permitted.h */
    size_t count;
    int64_t until_ms; /* the first instant at which one of them is not permitted
                         any more; PERIOD_ENDLESS */
};
void permit_evaluation_init(struct permit_evaluation *evaluation);
void permit_evaluation_clear(struct permit_evaluation *evaluation);

/* E_LIMIT if the list would have more than UPLOAD_SIZE_MAX bytes. */
MUST_USE enum status permit_evaluate(struct broker_store *store,
                                     const struct decision_request *request,
                                     struct permit_evaluation *evaluation,
                                     struct error *err);

/* Has a subject of the permit, since it was made, said something by which it is
 * not permitted now, or not until the permit's end? */
MUST_USE enum status permit_affected(struct broker_store *store,
                                     const struct permit_record *permit,
                                     const struct decision_request *request,
                                     bool *affected, struct error *err);

/* What a permit is for.  Borrowed. */
struct permit_basis {
    const struct request_record *request;
    const struct request_terms *terms;
    const struct answer_record *approval;
};

/* Evaluate at the size that is applied and at this instant, and write permit
 * and entry, signed; nothing is stored.  E_REFUSED if nobody is permitted. */
MUST_USE enum status permit_make(struct broker *broker,
                                 const struct permit_basis *basis,
                                 uint64_t now_ms, struct permit_record *permit,
                                 struct own_entry *own, struct error *err);

/* Append the package that goes with a permit to the anonymizer: permit, terms
 * and statements with their salts, the policy (docs/protocol.md). */
MUST_USE enum status permit_package(struct broker *broker,
                                    const struct permit_basis *basis,
                                    const struct own_entry *own,
                                    struct text *out, struct error *err);

#endif
