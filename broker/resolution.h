/*
 * broker/resolution.h - what was said without the broker.
 *
 * A patient with a certificate can hand a consent or a withdrawal to any node.
 * The log then has a commitment, and the broker does not know to what: nothing
 * is released until somebody who has statement and salt brings them
 * (broker_check_resolved).  That is the custodian, who also knows whether the
 * subject is the patient who signed: the broker cannot.
 *
 * The same for entries of the broker's own that its store does not have,
 * because an older copy of it was put back.
 */
#ifndef BROKER_RESOLUTION_H
#define BROKER_RESOLUTION_H

#include <stdint.h>

#include "broker/broker.h"

/* Apply the statement of an unresolved entry at its place in the log.  E_INPUT
 * if no such entry is unresolved, E_REFUSED if it commits to another
 * statement. */
MUST_USE enum status resolution_apply(struct broker *broker,
                                      const struct digest *entry,
                                      const struct commitment_salt *salt,
                                      struct bytes statement,
                                      uint64_t *position, struct error *err);

#endif
