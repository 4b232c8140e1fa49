/*
 * cli/network_files.h - makes the folder of a local network.
 *
 *     DIR/genesis.json        what every node takes for given
 *     DIR/trust.json          whom a verifier trusts; "demo": true
 *     DIR/network.json        where the nodes listen (common/network.h)
 *     DIR/ca/root/, DIR/ca/<organisation>/
 *         key.pem, certificate.pem
 *     DIR/users/<organisation>.<role>/
 *         key.pem, certificate.pem, curve.key
 *     DIR/node<i>/
 *         config.json, genesis.json, key.pem, certificate.pem, cosign.pem,
 *         curve.key, raft/; later state.db, log, pid, socket
 *
 * and with services, those of the first organisation:
 *
 *     DIR/broker/
 *         config.json, key.pem, certificate.pem, curve.key; later state.db,
 *         log, pid, socket
 *     DIR/anonymizer/
 *         the same, and keys/, epoch/, jobs/, releases/; later vault.db
 *     DIR/users/<organisation>.custodian/
 *         besides, subject.key (common/subject_id.h) and consents/
 *
 * Key and certificate of a service are those that users/<organisation>.<role>
 * holds.
 *
 * One organisation for each node, and an institute that only asks for data.
 * All keys are made here, by one process on one machine: this is for trying
 * out.  A real party makes its own keys and sends a certificate request
 * (common/identity.h).
 *
 * Folders are 0700, files with secrets 0600.  The folder appears whole or not
 * at all: it is made beside its place under another name.
 */
#ifndef CLI_NETWORK_FILES_H
#define CLI_NETWORK_FILES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"

/* E_INPUT if there is something at `folder` other than an empty folder, E_LIMIT
 * if sockets in it would have too long a path, E_CANCELLED when the flag is
 * set. */
MUST_USE enum status network_files_make(const char *folder, size_t node_count,
                                        bool has_services,
                                        const atomic_bool *cancel,
                                        struct error *err);

#endif
