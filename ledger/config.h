/*
 * ledger/config.h - a node's config.json.
 *
 *     {"ledger": 1, "node": 1,
 *      "genesis": "genesis.json", "database": "state.db",
 *      "raft_folder": "raft",
 *      "key": "key.pem", "certificate": "certificate.pem",
 *      "cosign": "cosign.pem", "curve": "curve.key",
 *      "listen": "ipc://socket", "raft": "127.0.0.1:41230",
 *      "peers": [{"id": 2, "raft": "127.0.0.1:41231",
 *                 "bus": "ipc://../node2/socket", "curve": public key}, ...]}
 *
 * Strict: what is not known is refused with its line.  File names and paths of
 * local sockets are relative to the file.  `peers` are the other nodes; with
 * this one they are the founders, the same on every node.
 *
 *     key          name in config.json and what it says
 *     node         this node's id in genesis.json
 *     key, certificate, cosign, curve    who we are: X.509, Ed25519, CURVE
 *     listen       where clients and nodes reach us by common/bus.h
 *     raft         where nodes reach us by ledger/transport.h
 *     log          "error", "warning", "info" (if left out) or "debug"
 *
 * Elsewhere: whether files are there and fit together (ledger/node.h).
 */
#ifndef LEDGER_CONFIG_H
#define LEDGER_CONFIG_H

#include <stddef.h>
#include <stdint.h>

#include "common/curve.h"
#include "common/error.h"
#include "common/genesis.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/text.h"

struct config_peer {
    uint64_t id;
    char *raft;
    char bus[ENDPOINT_SIZE_MAX];
    struct curve_key curve;
};

/* All paths are as they can be opened. */
struct config {
    uint64_t node;
    char *genesis, *database, *raft_folder;
    char *key, *certificate, *cosign, *curve;
    char listen[ENDPOINT_SIZE_MAX];
    char *raft;
    enum log_level log;
    struct config_peer peer[GENESIS_NODES_MAX - 1];
    size_t peer_count;
};

/* E_REFUSED if others may look into its folder, where the keys are. */
MUST_USE enum status config_load(struct config **config, const char *path,
                                 struct error *err);
/* Takes *config, accepts NULL in it. */
void config_destroy(struct config **config);

/* Append it in full, with what was left out, for --check: paths as they can be
 * opened. */
MUST_USE enum status config_print(const struct config *config, struct text *out,
                                  struct error *err);

#endif
