/*
 * anonymizer/worker_config.h - an anonymizer's config.json.
 *
 *     {"anonymizer": 1, "name": "north.anonymizer", "network": "..",
 *      "genesis": "../genesis.json", "trust": "../trust.json",
 *      "key": "key.pem", "certificate": "certificate.pem",
 *      "curve": "curve.key", "listen": "ipc://socket",
 *      "database": "state.db", "vault": "vault.db", "keys": "keys/keys.db",
 *      "epoch": "epoch", "secret": "secret.key",
 *      "jobs": "jobs", "releases": "releases",
 *      "threads": 0, "log": "info"}
 *
 * Strict: what is not known is refused with its line.  File names and paths of
 * local sockets are relative to the file.
 *
 *     name         of the service in the network's network.json
 *     network      the folder with network.json
 *     trust        whom to believe what the log says (common/proof.h)
 *     secret       what seals seeds and salts (anonymizer/worker_secret.h);
 *                  "secret.key" if left out
 *     jobs, releases   folders; on one file system, since what is published is
 *                  renamed from one to the other
 *     threads      of the search, of sealing and of opening rows; 0, or left
 *                  out: one for each core
 *     log          "error", "warning", "info" (if left out) or "debug"
 */
#ifndef ANONYMIZER_WORKER_CONFIG_H
#define ANONYMIZER_WORKER_CONFIG_H

#include <stdint.h>

#include "common/error.h"
#include "common/identity.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/text.h"

/* All paths are as they can be opened. */
struct worker_config {
    char name[2 * IDENTITY_NAME_MAX + 2];
    char *network, *genesis, *trust;
    char *key, *certificate, *curve;
    char listen[ENDPOINT_SIZE_MAX];
    char *database, *vault, *keys, *epoch, *secret;
    char *jobs, *releases;
    uint64_t threads;
    enum log_level log;
};

/* E_REFUSED if others may look into its folder, where the keys are. */
MUST_USE enum status worker_config_load(struct worker_config **config,
                                        const char *path, struct error *err);
/* Takes *config, accepts NULL in it. */
void worker_config_destroy(struct worker_config **config);

/* How many threads that is on this machine. */
unsigned worker_config_threads(const struct worker_config *config);

/* Append it in full, for --check. */
MUST_USE enum status worker_config_print(const struct worker_config *config,
                                         struct text *out, struct error *err);

#endif
