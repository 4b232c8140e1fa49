/*
 * common/endorsement.h - who must have signed: AND, OR, OutOf over roles.
 *
 *     policy    = 'organisation.role'
 *               | AND(policy, policy, ...)
 *               | OR(policy, policy, ...)
 *               | OutOf(number, policy, policy, ...)
 *
 * `$` for the organisation is that of the entry's author.  A signer counts for
 * every principal that he matches.
 */
#ifndef COMMON_ENDORSEMENT_H
#define COMMON_ENDORSEMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/bytes.h"
#include "common/error.h"
#include "common/identity.h"

/* Nested at most so deep, and with so many parts: a policy that a person can
 * read is far below. */
#define ENDORSEMENT_DEPTH_MAX 8
#define ENDORSEMENT_PARTS_MAX 256

struct endorsement;

/* E_INPUT with the column of what cannot be read. */
MUST_USE enum status endorsement_parse(struct endorsement **endorsement,
                                       struct bytes text, struct error *err);
void endorsement_destroy(struct endorsement **endorsement);

/* signer[0] is the author. */
bool endorsement_met(const struct endorsement *endorsement,
                     const struct certificate_subject *const *signer,
                     size_t signer_count);

#endif
