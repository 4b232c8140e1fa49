/*
 * anonymizer/worker_permit.h - may this be released?  A permit against the log.
 *
 *     request <-- approve <-- permit       entries, proven and valid
 *        |           |           |
 *        +-----------+-----------+-- terms    one commitment
 *                                |
 *                           permit statement  root and count of the list
 *
 * The broker decides who is permitted; that it was the broker of this
 * organisation, that institute and custodian agreed to the same before, and
 * that list, policy and dataset are those that were agreed on, is checked here
 * and rests on nothing that the broker says.
 */
#ifndef ANONYMIZER_WORKER_PERMIT_H
#define ANONYMIZER_WORKER_PERMIT_H

#include <stdint.h>

#include "anonymizer/policy.h"
#include "anonymizer/worker_package.h"
#include "anonymizer/worker_proofs.h"
#include "common/bytes.h"
#include "common/error.h"
#include "common/permitted.h"
#include "common/proof.h"

enum permit_step {
    PERMIT_REQUEST,
    PERMIT_APPROVE,
    PERMIT_PERMIT,
    PERMIT_STEPS
};

/* All borrowed. */
struct permit_case {
    const struct digest *permit; /* the entry that the broker named */
    const char *broker;          /* certificate of who sent it */
    const struct worker_package *package;
    struct bytes list; /* common/permitted.h */
    const struct permitted_seed *seed;
    const struct worker_proofs *proofs; /* in the order of permit_step */
    const struct trust *trust;
    uint64_t now_ms;
};

/* What was permitted. */
struct worker_permit {
    struct worker_terms terms;
    struct worker_permitted permitted;
    struct policy *policy;
};

/* E_REFUSED with what does not hold; E_INPUT for what cannot be read. */
MUST_USE enum status worker_permit_check(struct worker_permit *permit,
                                         const struct permit_case *given,
                                         struct error *err);
/* All zero is as good as clear. */
void worker_permit_clear(struct worker_permit *permit);

/* The three ids, for worker_proofs_ask. */
void worker_permit_ids(const struct worker_package *package,
                       struct digest id[PERMIT_STEPS]);

#endif
