/*
 * common/network_peers.h - are the nodes that we reach those of network.json,
 * and which of them is the leader?
 */
#ifndef COMMON_NETWORK_PEERS_H
#define COMMON_NETWORK_PEERS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/bytes.h"
#include "common/error.h"
#include "common/network.h"

/* For bus_admit: the service is a node of the network, its certificate is the
 * one that network.json names, and good today.  E_REFUSED if not. */
MUST_USE enum status network_admit(const struct network *network,
                                   const struct certificate *certificate,
                                   const char *service, struct error *err);

/* Does `leader`, from a `failed`, name this node? */
MUST_USE bool network_node_is(const struct network_node *node,
                              struct bytes leader);

#endif
