/*
 * broker/request_terms.h - what a request asks for.
 *
 *     {"dataset": id of its entry, "organisation": of the recipient,
 *      "policy": digest, "purposes": [DUO code, ...],
 *      "recipient": id of the requester's certificate, "statement": "terms 1"}
 *
 * in its RFC 8785 form: the same commitment to these bytes stands in request,
 * approval, permit and release.
 */
#ifndef BROKER_REQUEST_TERMS_H
#define BROKER_REQUEST_TERMS_H

#include "broker/purpose.h"
#include "common/bytes.h"
#include "common/digest.h"
#include "common/error.h"
#include "common/identity.h"

struct request_terms {
    char dataset[DIGEST_HEX_SIZE];
    char organisation[IDENTITY_NAME_MAX + 1];
    char policy[DIGEST_HEX_SIZE];
    struct purposes purposes;
    char recipient[CERTIFICATE_ID_SIZE];
};

/* E_INPUT with the member that is wrong. */
MUST_USE enum status request_terms_read(struct request_terms *terms,
                                        struct bytes statement,
                                        struct error *err);

#endif
