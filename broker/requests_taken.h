/*
 * broker/requests_taken.h - the messages that the broker takes, and who may
 * send them.
 *
 * Each handler decodes, asks the module that knows, and answers;
 * docs/protocol.md has the table of messages.
 */
#ifndef BROKER_REQUESTS_TAKEN_H
#define BROKER_REQUESTS_TAKEN_H

#include <stddef.h>

#include "broker/broker.h"
#include "common/client.h"
#include "common/desk.h"

/* For desk_settings: the context is the struct broker. */
const struct desk_row *requests_taken(size_t *count);

/* What is refused the anonymizer records first, among its access events.  A
 * release that ended with a refusal (`progress` says so) is told by its
 * handlers. */
MUST_USE enum status requests_denied(void *broker,
                                     const struct desk_request *request,
                                     const struct error *why,
                                     struct error *err);

/* While nobody asks: what is pending goes into the log, and the log is
 * followed, a turn at a time. */
MUST_USE enum status requests_idle(void *broker, struct client *ledger,
                                   struct error *err);

#endif
