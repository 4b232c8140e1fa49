/*
 * tests/lib/federation.h - three organisations, their people and their ledger,
 * for tests: certificates, genesis.json, signed entries, batches, nodes.
 *
 *     struct network network;
 *     struct network_node node;
 *     struct network_entry entry;
 *
 *     network_open(&network);
 *     network_node_open(&node, &network, path, 0);
 *     network_entry_make(&entry, &network, ENTRY_DATASET,
 *                        network_who(&network, NORTH, IDENTITY_CUSTODIAN),
 *                        "{\"commitment\":\"" NETWORK_HEX "\"}");
 *     network_apply(&node, &entry);       -> the verdict
 *
 * Everybody of every role in every organisation is a member from the beginning.
 * Keys and certificates are new each time.  What cannot be set up ends the
 * program: no test can mean anything then.
 */
#ifndef TESTS_LIB_FEDERATION_H
#define TESTS_LIB_FEDERATION_H

#include <stdint.h>

#include "common/crew.h"
#include "common/entry.h"
#include "common/genesis.h"
#include "common/identity.h"
#include "common/sign.h"
#include "common/text.h"
#include "ledger/audit.h"
#include "ledger/executor.h"
#include "ledger/ledger_store.h"

enum network_organisation { NORTH, SOUTH, EAST, NETWORK_ORGANISATIONS };

/* Some 64 hex digits. */
#define NETWORK_HEX                                                            \
    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define NETWORK_OTHER_HEX                                                      \
    "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100"

/* The first block's time; certificates are valid from a day before until a year
 * behind it. */
#define NETWORK_TIME INT64_C(1800000000000)
#define NETWORK_DAY INT64_C(86400000)

#define NETWORK_RELEASE_POLICY "AND('$.custodian', '$.broker', '$.anonymizer')"

struct network_identity {
    struct private_key *key;
    struct certificate *certificate;
};

struct network {
    struct network_identity root;
    struct network_identity authority[NETWORK_ORGANISATIONS];
    struct network_identity member[NETWORK_ORGANISATIONS][IDENTITY_ROLE_COUNT];
    struct private_key *cosigner[NETWORK_ORGANISATIONS];
    char cosigner_text[NETWORK_ORGANISATIONS][256];
    struct text genesis_text;
    struct genesis *genesis;
    uint64_t nonce; /* of the last entry that was made */
};

const char *network_organisation_name(enum network_organisation organisation);

void network_open(struct network *network);
void network_close(struct network *network);

const struct network_identity *
network_who(const struct network *network,
            enum network_organisation organisation, enum identity_role role);

/* ---- more certificates ---- */

struct network_person {
    enum network_organisation organisation;
    enum identity_role role;
    const char *name;
    int64_t from_ms, to_ms; /* 0: as everybody's */
};

void network_person_make(struct network_identity *identity,
                         const struct network *network,
                         struct network_person person);
void network_person_clear(struct network_identity *identity);

/* {"certificate": PEM}; free() it. */
char *network_enrol_payload(const struct network_identity *identity);

/* ---- entries ---- */

struct network_entry {
    struct text bytes;
    struct text signatures;
    struct digest id;
    char hex[DIGEST_HEX_SIZE]; /* id */
};

/* `payload` is JSON; the nonce is a new one. */
void network_entry_make(struct network_entry *entry, struct network *network,
                        enum entry_type type,
                        const struct network_identity *author,
                        const char *payload);
/* The same, the payload from a format. */
void network_entry_format(struct network_entry *entry, struct network *network,
                          enum entry_type type,
                          const struct network_identity *author,
                          const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* With a nonce of the caller's. */
void network_entry_with_nonce(struct network_entry *entry,
                              const struct network *network,
                              enum entry_type type,
                              const struct network_identity *author,
                              uint64_t nonce, const char *payload);
/* Replace the signatures by those of all of these, at most 8; NULL ends the
 * list. */
void network_entry_sign(struct network_entry *entry,
                        const struct network_identity *const *signer);
void network_entry_clear(struct network_entry *entry);

/* ---- a node ---- */

struct network_node {
    const struct network *network;
    struct ledger_store *store;
    struct crew *crew;
    struct executor *executor;
    uint64_t raft_index; /* of the batch applied last */
    int64_t time_ms;     /* of the batch to come; a second more after each */
    struct outcome outcome;
};

void network_node_open(struct network_node *node, const struct network *network,
                       const char *path, unsigned threads);
void network_node_close(struct network_node *node);

/* A batch of `count` entries, bytes appended to `out` (empty). */
void network_batch(struct text *out, int64_t time_ms,
                   const struct network_entry *const *entry, size_t count);

/* Apply them as one batch of the next raft index; what became of them. */
const struct executed *
network_apply_all(struct network_node *node,
                  const struct network_entry *const *entry, size_t count);
/* One alone: its verdict.  node->outcome has the rest. */
enum entry_verdict network_apply(struct network_node *node,
                                 const struct network_entry *entry);

#endif
