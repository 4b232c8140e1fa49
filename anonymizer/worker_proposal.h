/*
 * anonymizer/worker_proposal.h - the release entry that the broker wants
 * signed.
 *
 * All of it is known beforehand but the nonce and the size of the log that it
 * was checked at: what is signed is compared byte for byte with what it has to
 * be.
 */
#ifndef ANONYMIZER_WORKER_PROPOSAL_H
#define ANONYMIZER_WORKER_PROPOSAL_H

#include <stdint.h>

#include "common/bytes.h"
#include "common/digest.h"
#include "common/error.h"

/* All borrowed. */
struct proposal_expected {
    const char *origin, *channel;
    const char *author; /* the broker's certificate */
    const struct digest *permit;
    const struct digest *terms;      /* the commitment */
    const struct digest *commitment; /* to our statement */
    uint64_t size; /* of the log, at which consent was evaluated: `checked` is
                      no smaller */
};

/* E_REFUSED if it is anything else; *id is the entry's. */
MUST_USE enum status
worker_proposal_check(const struct proposal_expected *expected,
                      struct bytes entry, struct digest *id, struct error *err);

#endif
