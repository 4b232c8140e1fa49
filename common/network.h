/*
 * common/network.h - what a network's folder says about its nodes, its services
 * and its users.
 *
 *     DIR/network.json      {"network": 1, "origin": of the log,
 *                            "channel": name, "nodes": [{"id", "name",
 *                            "organisation", "endpoint", "curve",
 *                            "certificate": id}, ...],
 *                            "services": [{"name", "role", "organisation",
 *                            "endpoint", "curve", "certificate": id}, ...]}
 *     DIR/users/<organisation>.<role>/{key.pem, certificate.pem, curve.key}
 *
 * Elsewhere: making such a folder (cli/network_files.h), talking to the nodes
 * (common/client.h).
 */
#ifndef COMMON_NETWORK_H
#define COMMON_NETWORK_H

#include <stddef.h>
#include <stdint.h>

#include "common/curve.h"
#include "common/entry.h"
#include "common/error.h"
#include "common/identity.h"
#include "common/limits.h"
#include "common/note.h"
#include "common/text.h"

/* As many as a genesis may have. */
#define NETWORK_NODES_MAX 15
/* A broker and an anonymizer for each. */
#define NETWORK_SERVICES_MAX (2 * NETWORK_NODES_MAX)

/* Whoever answers: a node, or a service. */
struct network_node {
    uint64_t id;             /* of a node */
    enum identity_role role; /* IDENTITY_NODE, or the service's */
    char name[IDENTITY_NAME_MAX + 1];
    char organisation[IDENTITY_NAME_MAX + 1];
    char endpoint[ENDPOINT_SIZE_MAX];
    struct curve_key curve;
    char certificate[CERTIFICATE_ID_SIZE];
};

struct network {
    char origin[NOTE_NAME_MAX + 1];
    char channel[ENTRY_CHANNEL_MAX + 1];
    struct network_node node[NETWORK_NODES_MAX];
    size_t node_count;
    struct network_node service[NETWORK_SERVICES_MAX];
    size_t service_count;
};

/* E_INPUT if the folder has no network.json or it is not as above. */
MUST_USE enum status network_load(struct network **network, const char *folder,
                                  struct error *err);
void network_destroy(struct network **network);

/* The service of that role, of that organisation (NULL: the only one), as a
 * network of this one node, to be asked with common/client.h.  E_INPUT if there
 * is none, or if it has to be said which. */
MUST_USE enum status network_service(const struct network *network,
                                     const char *organisation,
                                     enum identity_role role,
                                     struct network *service,
                                     struct error *err);

/* Append "<folder>/<name>". */
MUST_USE enum status network_path(const char *folder, const char *name,
                                  struct text *out, struct error *err);

/* Somebody with a certificate, in whose name something is done. */
struct network_user {
    struct certificate *certificate;
    struct private_key *key;
    struct curve_pair pair;
};

/* `name` is <organisation>.<role>.  E_INPUT if there is no such user or the key
 * is not the certificate's. */
MUST_USE enum status network_user_load(struct network_user *user,
                                       const char *folder, const char *name,
                                       struct error *err);
/* All zero is as good as clear. */
void network_user_clear(struct network_user *user);

#endif
