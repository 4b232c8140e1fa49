/*
 * cli/network_files_internal.h - what the makers of a local network share.
 *
 * network_files.c makes authorities, users and nodes, network_files_service.c
 * the services.
 */
#ifndef CLI_NETWORK_FILES_INTERNAL_H
#define CLI_NETWORK_FILES_INTERNAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/curve.h"
#include "common/error.h"
#include "common/identity.h"
#include "common/json.h"
#include "common/network.h"
#include "common/note.h"
#include "common/proof.h"
#include "common/sign.h"

/* A broker and an anonymizer. */
#define NETWORK_FILES_SERVICES 2

/* A key and its certificate. */
struct party {
    struct private_key *key;
    struct certificate *certificate;
};

struct node {
    uint16_t port;
    int port_socket; /* holds the port until all are known; -1: none */
    struct curve_key curve;
    char certificate[CERTIFICATE_ID_SIZE];
};

/* Of a service: what network.json says of it. */
struct made_service {
    struct curve_key curve;
    char certificate[CERTIFICATE_ID_SIZE];
};

struct maker {
    const char *folder; /* under its other name */
    size_t node_count;
    bool has_services;
    const atomic_bool *cancel;
    int64_t now_ms;
    char origin[NOTE_NAME_MAX + 1];
    struct party root;
    struct party authority[NETWORK_NODES_MAX + 1]; /* the last: institute's */
    struct node node[NETWORK_NODES_MAX];
    struct made_service service[NETWORK_FILES_SERVICES];
    struct json *genesis;
    struct json_value *authorities, *members, *nodes; /* in genesis */
    struct trust *trust;
};

/* Each works in the folder `name` of the network; NULL is the network's
 * own. */
MUST_USE enum status network_files_folder(const struct maker *maker,
                                          const char *name, struct error *err);
MUST_USE enum status network_files_json(const struct maker *maker,
                                        const char *name, const char *file,
                                        const struct json *json,
                                        struct error *err);
/* A new pair of keys in curve.key; *key (may be NULL) is the public one. */
MUST_USE enum status network_files_curve(const struct maker *maker,
                                         const char *name,
                                         struct curve_key *key,
                                         struct error *err);
/* Its key.pem and certificate.pem. */
MUST_USE enum status network_files_party(const struct maker *maker,
                                         const char *name,
                                         const struct party *party,
                                         struct error *err);

/* ---- services ---- */

/* If it is a broker or an anonymizer, its service's folder; a custodian gets
 * K_subject and a place for consents.  `name` is the user's folder. */
MUST_USE enum status network_files_service(struct maker *maker,
                                           const char *name,
                                           const struct party *party,
                                           struct error *err);

/* "services" of network.json, which are that organisation's. */
MUST_USE enum status network_files_list_services(const struct maker *maker,
                                                 const char *organisation,
                                                 struct json_value *root,
                                                 struct error *err);

#endif
