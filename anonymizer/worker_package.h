/*
 * anonymizer/worker_package.h - what the broker sends with a permit.
 *
 *     {"package": 1, "request": id, "approve": id, "permit": id,
 *      "terms": {"salt": hex, "statement": text},
 *      "permit_statement": {"salt": hex, "statement": text},
 *      "bundle": text of the policy (anonymizer/policy_bundle.h)}
 *
 * Form only; whether it is true is for anonymizer/worker_permit.h.
 */
#ifndef ANONYMIZER_WORKER_PACKAGE_H
#define ANONYMIZER_WORKER_PACKAGE_H

#include <stdint.h>

#include "common/bytes.h"
#include "common/commitment.h"
#include "common/digest.h"
#include "common/error.h"
#include "common/identity.h"
#include "common/json.h"

/* A statement off the ledger and what opens its commitment. */
struct opened_statement {
    struct commitment_salt salt;
    struct bytes text;
};

/* All texts are the package's own. */
struct worker_package {
    struct json *json;
    struct digest request, approve, permit;
    struct opened_statement terms, permitted;
    struct bytes bundle;
};

/* E_INPUT or E_LIMIT with the reason; the package is then as after clear. */
MUST_USE enum status worker_package_parse(struct worker_package *package,
                                          struct bytes text, struct error *err);
/* All zero is as good as clear. */
void worker_package_clear(struct worker_package *package);

/* ---- the statements in it (docs/protocol.md) ---- */

struct worker_terms {
    struct digest dataset; /* id of its entry */
    struct digest policy;
    char organisation[IDENTITY_NAME_MAX + 1];
    char recipient[CERTIFICATE_ID_SIZE];
};

struct worker_permitted {
    struct digest root;
    uint64_t count, size, expires;
};

/* E_INPUT if it is no such statement, in its one spelling. */
MUST_USE enum status worker_terms_parse(struct worker_terms *terms,
                                        struct bytes statement,
                                        struct error *err);
MUST_USE enum status worker_permitted_parse(struct worker_permitted *permitted,
                                            struct bytes statement,
                                            struct error *err);

#endif
