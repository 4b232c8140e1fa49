/*
 * cli/network_site.h - the nodes and services of a local network, as the
 * processes that they are on this machine.
 *
 *     seat 0 ...            the nodes, in the order of network.json
 *     seat node_count ...   the services
 *
 * What the folder holds: cli/network_files.h.  Starting and ending one:
 * cli/service_process.h.
 */
#ifndef CLI_NETWORK_SITE_H
#define CLI_NETWORK_SITE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"
#include "common/network.h"
#include "common/text.h"

#define SITE_SEATS_MAX (NETWORK_NODES_MAX + NETWORK_SERVICES_MAX)

struct seat {
    const struct network_node *about;
    struct text folder;
};

struct site {
    struct network *network;
    struct seat seat[SITE_SEATS_MAX];
    size_t seat_count;
    int lock; /* -1: none */
};

/* `locks`: one at a time may change which of them run, E_INPUT if another is at
 * it.  Whatever it returns, site_close must follow. */
MUST_USE enum status site_open(struct site *site, const char *folder,
                               bool locks, struct error *err);
void site_close(struct site *site);

#endif
