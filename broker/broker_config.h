/*
 * broker/broker_config.h - the broker's config.json.
 *
 *     {"broker": 1, "name": "north.broker",
 *      "network": "..", "genesis": "../genesis.json",
 *      "key": "key.pem", "certificate": "certificate.pem",
 *      "curve": "curve.key", "listen": "ipc://socket",
 *      "database": "state.db", "anonymizer": "north.anonymizer",
 *      "log": "info"}
 *
 * Strict: what is not known is refused with its line.  Names of files, folders
 * and local sockets are relative to the file.
 *
 *     key          name in config.json and what it says
 *     name         of this service, and
 *     anonymizer   of the one it works with, in network.json
 *     network      the folder with network.json
 *     log          "error", "warning", "info" (if left out) or "debug"
 */
#ifndef BROKER_BROKER_CONFIG_H
#define BROKER_BROKER_CONFIG_H

#include "common/error.h"
#include "common/identity.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/text.h"

/* All paths are as they can be opened. */
struct broker_config {
    char name[IDENTITY_NAME_MAX + 1];
    char anonymizer[IDENTITY_NAME_MAX + 1];
    char *network, *genesis, *database;
    char *key, *certificate, *curve;
    char listen[ENDPOINT_SIZE_MAX];
    enum log_level log;
};

/* E_REFUSED if others may look into its folder, where the key is. */
MUST_USE enum status broker_config_load(struct broker_config **config,
                                        const char *path, struct error *err);
/* Takes *config, accepts NULL in it. */
void broker_config_destroy(struct broker_config **config);

/* Append it in full, with what was left out, for --check. */
MUST_USE enum status broker_config_print(const struct broker_config *config,
                                         struct text *out, struct error *err);

#endif
