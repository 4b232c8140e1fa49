/*
 * ledger/node.h - one organisation's node: orders, executes, proves.
 *
 *     clients --submit--> intake --batch--> replica (Raft) --apply--> executor
 *        ^                                                               |
 *        +--- submitted, when executed and committed here ---------------+
 *        +--- show, prove, ... <-- reader            anchor --cosign--> peers
 *
 * Threads: the loop, which owns everything in struct node; one lane that
 * writes the database (executor, cosignatures), one that reads it.
 *
 * What stands in the database is checked when it is read, and scrubbed in the
 * background; a node that finds itself altered stops cosigning, pulls all
 * blocks from the others into a new database, and goes on with that.
 */
#ifndef LEDGER_NODE_H
#define LEDGER_NODE_H

#include <stdint.h>

#include "common/curve.h"
#include "common/error.h"
#include "common/genesis.h"
#include "common/identity.h"
#include "common/sign.h"

struct node;
struct uv_loop_s;

struct node_peer {
    uint64_t id;
    const char *raft_address;
    const char *endpoint; /* of its bus */
    struct curve_key curve;
};

/* All of it is borrowed for the node's life. */
struct node_options {
    struct uv_loop_s *loop;
    const struct genesis *genesis;
    uint64_t id;
    const char *listen;       /* endpoint of the bus */
    const char *raft_address; /* host:port */
    const char *database;     /* path of state.db */
    const char *raft_folder;
    const struct certificate *certificate;
    const struct private_key *key;
    const struct private_key *cosign_key;
    const struct curve_pair *curve;
    const struct node_peer *peer; /* the others */
    size_t peer_count;
    unsigned threads; /* that verify signatures, besides the writing one */
    /* The node cannot go on and is to be closed; comes from the loop, once. */
    void (*failed)(void *context, const struct error *why);
    void *context; /* of failed */
};

MUST_USE enum status node_open(struct node **node,
                               const struct node_options *options,
                               struct error *err);

/* Stop taking entries, finish what is under way, close; `closed` comes from
 * the loop.  Nulls *node. */
void node_close(struct node **node, void (*closed)(void *context),
                void *context);

#endif
