/*
 * tests/lib/certified.h - nodes of one network with keys and certificates.
 *
 * One root, one authority of the organisation "north", and nodes "node1" to
 * "node<n>" with Raft ids 1 to n.  What cannot be set up ends the program.
 */
#ifndef TESTS_LIB_CERTIFIED_H
#define TESTS_LIB_CERTIFIED_H

#include <stdbool.h>
#include <stdint.h>

#include "common/identity.h"
#include "common/sign.h"
#include "ledger/tls.h"

#define CERTIFIED_NODES_MAX 4

struct certified {
    struct private_key *root_key, *authority_key;
    struct certificate *root, *authority;
    struct private_key *key[CERTIFIED_NODES_MAX];
    struct certificate *certificate[CERTIFIED_NODES_MAX];
    size_t count;
};

void certified_open(struct certified *certified, size_t count);
void certified_close(struct certified *certified);

/* As the network's authority would give it to `name`; *key is new. */
struct certificate *certified_issue(const struct certified *certified,
                                    const char *name, enum identity_role role,
                                    bool has_expired, struct private_key **key);

/* Of node `id`; borrowed. */
struct tls_credentials certified_credentials(const struct certified *certified,
                                             uint64_t id);

/* For transport_options: context is the struct certified; true for node `id`
 * with its own certificate, at any address. */
bool certified_is_member(void *context, uint64_t id, const char *address,
                         const struct certificate *certificate);

/* A port of 127.0.0.1 that was free a moment ago, as "127.0.0.1:PORT". */
void certified_free_address(char address[32]);

#endif
