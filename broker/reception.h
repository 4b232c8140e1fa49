/*
 * broker/reception.h - an institute's request comes in, and who may see it.
 *
 * The institute has put its entry into the log itself and brings what the entry
 * commits to, with the policy.  Taken is what fits: the entry is valid, has its
 * own certificate as author, commits to these terms; the terms name it as
 * recipient, and a dataset of this organisation.  Whether the policy is the one
 * that the terms name is for the anonymizer, which reads it.
 */
#ifndef BROKER_RECEPTION_H
#define BROKER_RECEPTION_H

#include <stdint.h>

#include "broker/broker.h"

/* Borrowed. */
struct arrival {
    const struct certificate *from;
    const struct digest *id; /* of the request's entry */
    const struct commitment_salt *salt;
    struct bytes terms;
    struct bytes bundle;
};

/* E_REFUSED if it is not theirs or does not fit, E_INPUT or E_LIMIT if it
 * cannot be read.  The same again is taken as it was. */
MUST_USE enum status reception_take(struct broker *broker,
                                    const struct arrival *arrival,
                                    uint64_t *position, struct error *err);

/* Was it taken, with these terms and this salt? */
MUST_USE enum status reception_find(struct broker *broker,
                                    const struct arrival *arrival,
                                    uint64_t *position, bool *found,
                                    struct error *err);

/* Append the `told` of one request, or of all where `id` is NULL, to a
 * custodian of this organisation or to who requested (docs/protocol.md).  Of
 * one that is not there, or not theirs: E_INPUT, in the same words. */
MUST_USE enum status reception_tell(struct broker *broker,
                                    const struct certificate *to,
                                    const struct digest *id, struct text *out,
                                    struct error *err);

#endif
