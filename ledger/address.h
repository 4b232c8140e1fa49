/*
 * ledger/address.h - where a node listens: "host:port".
 *
 *     north.example:7001     10.0.0.7:7001     [2001:db8::7]:7001
 *
 * The host is a DNS name, an IPv4 address or an IPv6 address in brackets; the
 * port is 1 to 65535 in decimal.  An address that came from a peer is checked
 * here before anything else looks at it.
 */
#ifndef LEDGER_ADDRESS_H
#define LEDGER_ADDRESS_H

#include <stdbool.h>

#include "common/bytes.h"
#include "common/limits.h"
#include "common/status.h"

struct address {
    char host[ADDRESS_HOST_MAX + 1]; /* without brackets */
    char port[6];
    int port_number;
};

/* False, and *address undefined, if `text` is none. */
MUST_USE bool address_parse(struct bytes text, struct address *address);

#endif
