/*
 * common/genesis.h - the network's beginning: what every node takes for given.
 *
 * docs/protocol.md, "The network".  The file is one JSON object; its digest
 * (of its RFC 8785 form) is the previous hash of block 0.
 */
#ifndef COMMON_GENESIS_H
#define COMMON_GENESIS_H

#include <stddef.h>
#include <stdint.h>

#include "common/digest.h"
#include "common/endorsement.h"
#include "common/entry.h"
#include "common/error.h"
#include "common/identity.h"
#include "common/note.h"

/* Organisations with a node of their own; raft with more is slow. */
#define GENESIS_NODES_MAX 15
/* Certificates in each of its lists. */
#define GENESIS_CERTIFICATES_MAX 256

struct genesis_certificates {
    struct certificate **item;
    size_t count;
};

struct genesis_node {
    uint64_t id; /* of raft, from 1 */
    char name[IDENTITY_NAME_MAX + 1];
    char organisation[IDENTITY_NAME_MAX + 1];
    struct certificate *certificate;
    struct note_verifier cosigner;
};

struct genesis {
    char origin[NOTE_NAME_MAX + 1];
    char channel[ENTRY_CHANNEL_MAX + 1];
    struct genesis_certificates roots, authorities, members;
    struct genesis_node node[GENESIS_NODES_MAX];
    size_t node_count;
    struct endorsement *endorsement[ENTRY_TYPE_COUNT]; /* NULL: the author's
                                                          signature is enough */
    struct digest digest;
};

/* Whoever reads it may rely on this:
 *
 *  1. an organisation has one authority;
 *  2. members and nodes have certificates of their organisation's authority,
 *     that of one of the roots; no member is listed twice (a node may be a
 *     member, too);
 *  3. a node's certificate has its name, its organisation and the role node;
 *  4. nodes differ in id, name, certificate, and cosigner, which has the node's
 *     name.
 *
 * No clock is asked: whether a certificate has expired is a matter of the
 * block that is judged. */
MUST_USE enum status genesis_parse(struct genesis **genesis, struct bytes text,
                                   struct error *err);
MUST_USE enum status genesis_load(struct genesis **genesis, const char *path,
                                  struct error *err);
void genesis_destroy(struct genesis **genesis);

/* k = floor(n / 2) + 1 cosignatures anchor a checkpoint. */
size_t genesis_quorum(const struct genesis *genesis);

/* The authority of an organisation, NULL if there is none. */
const struct certificate *genesis_authority(const struct genesis *genesis,
                                            const char *organisation);

/* First and last millisecond, Unix. */
struct genesis_validity {
    int64_t from_ms, to_ms;
};

/* When certificate, its organisation's authority and the root above it are
 * valid, all three.  E_REFUSED with the reason if it is not issued by that
 * authority, or never valid.  Verifies signatures: keep the answer. */
MUST_USE enum status genesis_validity(const struct genesis *genesis,
                                      const struct certificate *certificate,
                                      struct genesis_validity *validity,
                                      struct error *err);

/* The same, and valid at time_ms?  E_REFUSED if not. */
MUST_USE enum status
genesis_check_certificate(const struct genesis *genesis,
                          const struct certificate *certificate,
                          int64_t time_ms, struct error *err);

/* NULL if no node has this id. */
const struct genesis_node *genesis_node(const struct genesis *genesis,
                                        uint64_t id);

#endif
