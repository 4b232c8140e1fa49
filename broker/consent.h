/*
 * broker/consent.h - what a patient has said, reduced to what is evaluated.
 *
 * The custodian reads a FHIR Consent (broker/fhir_consent.h), puts the subject
 * id in place of the patient and sends the reduced form.  It holds no name, no
 * number, no free text: what our rules do not understand is kept as the fact
 * that it was there, and nothing of it.
 *
 *     {"consent": 1,
 *      "says": {"base": "permit" | "deny",
 *               "rule": rule,
 *               "status": "active" | ...},
 *      "subject": 32 lower-case hex digits}
 *
 *     rule: {"type": "permit" | "deny",
 *            "period":      {"start_ms": n, "end_ms": n}   end excluded
 *            "purposes":    [code, ...]   broker/purpose.h, ascending
 *            "recipients":  [organisation, ...]            ascending
 *            "other_actors": true         others, too: nobody we could know
 *            "exceptions":  [rule, ...]}  of the other type
 *
 * What is not there is left out: no period means always; neither recipients nor
 * other_actors, anybody; no purposes, any.  The bytes are the RFC 8785 form and
 * no others are accepted, so that they can be digested and compared.  "says"
 * does not depend on the subject: equal wishes have equal bytes.
 *
 * Invariants, after both readers:
 *
 *     1. A rule's exceptions are of the other type, at each level.
 *     2. At most CONSENT_RULES_MAX rules, CONSENT_DEPTH_MAX deep.
 *
 * Elsewhere: what follows for a request (broker/decision.h).
 */
#ifndef BROKER_CONSENT_H
#define BROKER_CONSENT_H

#include <stdbool.h>
#include <stddef.h>

#include "broker/period.h"
#include "broker/purpose.h"
#include "common/arena.h"
#include "common/bytes.h"
#include "common/error.h"
#include "common/identity.h"
#include "common/text.h"

/* FHIR R4's states of a consent; all but active give nothing. */
#define CONSENT_STATUS_TABLE(X)                                                \
    X("active", ACTIVE)                                                        \
    X("draft", DRAFT)                                                          \
    X("entered-in-error", ENTERED_IN_ERROR)                                    \
    X("inactive", INACTIVE)                                                    \
    X("proposed", PROPOSED)                                                    \
    X("rejected", REJECTED)

enum consent_status {
#define CONSENT_STATUS_ENUM(name, id) CONSENT_STATUS_##id,
    CONSENT_STATUS_TABLE(CONSENT_STATUS_ENUM)
#undef CONSENT_STATUS_ENUM
        CONSENT_STATUS_COUNT
};

const char *consent_status_name(enum consent_status status);
MUST_USE bool consent_status_parse(struct bytes name,
                                   enum consent_status *status);

enum consent_type { CONSENT_TYPE_DENY, CONSENT_TYPE_PERMIT };

/* "deny", "permit" */
const char *consent_type_name(enum consent_type type);
MUST_USE bool consent_type_parse(struct bytes name, enum consent_type *type);
enum consent_type consent_type_other(enum consent_type type);

struct consent_rule {
    enum consent_type type;
    struct period period;
    bool purposes_listed; /* false: any purpose */
    struct purposes purposes;
    bool actors_listed; /* false: anybody */
    bool other_actors;  /* some are not known to be recipients */
    const char **recipient;
    size_t recipient_count;
    struct consent_rule *exception; /* the first one; NULL: none */
    struct consent_rule *next;      /* sibling */
};

/* 16 bytes in hex, and a NUL. */
#define CONSENT_SUBJECT_SIZE 33

struct consent {
    char subject[CONSENT_SUBJECT_SIZE];
    enum consent_status status;
    enum consent_type base; /* where no rule says otherwise */
    struct consent_rule *rule;
    size_t rule_count;
    struct arena arena; /* of the rules */
};

/* Empty: no rule. */
void consent_init(struct consent *consent);
void consent_clear(struct consent *consent);

/* 32 lower-case hex digits. */
bool consent_subject_valid(struct bytes subject);

/* Read the reduced form.  E_INPUT, E_LIMIT or E_VERSION with the reason; the
 * consent, initialised before, is then empty. */
MUST_USE enum status consent_read(struct consent *consent, struct bytes text,
                                  struct error *err);

/* Append the reduced form of a whole consent. */
MUST_USE enum status consent_write(const struct consent *consent,
                                   struct text *out, struct error *err);

/* The part of a reduced consent, one that consent_read has accepted, that does
 * not depend on the subject.  Borrowed from it.  Whoever has many consents
 * reads and judges each wish once: reading costs microseconds, comparing
 * nothing. */
struct bytes consent_says(struct bytes reduced);

/* ---- for readers ---- */

/* A new rule that says its type alone (always, any purpose, anybody), `depth`
 * exceptions below the root.  NULL and E_LIMIT or E_MEMORY in err. */
MUST_USE struct consent_rule *consent_add_rule(struct consent *consent,
                                               enum consent_type type,
                                               size_t depth, struct error *err);

/* Room for `count` recipients of the rule, at most. */
MUST_USE enum status consent_reserve_recipients(struct consent *consent,
                                                struct consent_rule *rule,
                                                size_t count,
                                                struct error *err);

/* Add one, copied, where it belongs; none if it is there. */
MUST_USE enum status consent_add_recipient(struct consent *consent,
                                           struct consent_rule *rule,
                                           const char *name, struct error *err);

#endif
