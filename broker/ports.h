/*
 * broker/ports.h - the log and the anonymizer as they are asked over the
 * network.
 */
#ifndef BROKER_PORTS_H
#define BROKER_PORTS_H

#include <stdatomic.h>

#include "broker/broker.h"
#include "common/client.h"
#include "common/network.h"

/* The nodes, by a client of the caller's. */
struct ledger_port ports_ledger(struct client *client);

/* Connects to the anonymizer when it is first asked something. */
struct anonymizer_link;

/* All borrowed until it is closed. */
struct anonymizer_link_options {
    const struct network *network;
    const char *name; /* of the anonymizer, among the services */
    const struct network_user *self;
    uint64_t timeout_ms;
};

/* E_INPUT if there is no anonymizer of that name. */
MUST_USE enum status
anonymizer_link_open(struct anonymizer_link **link,
                     const struct anonymizer_link_options *options,
                     struct error *err);
void anonymizer_link_close(struct anonymizer_link **link);

/* What waits for the anonymizer gives up; from any thread. */
void anonymizer_link_cancel(struct anonymizer_link *link);

struct anonymizer_port ports_anonymizer(struct anonymizer_link *link);

#endif
