/*
 * ledger/replica.h - one node's part in ordering batches: libraft on a folder,
 * a loop and a transport.
 *
 *     open -> [elected] -> propose* -> apply on every node -> close
 *
 * A batch that a majority has on disk is handed to `apply` on every node, each
 * once and in the same order, from index to index.  What is in a batch is not
 * our business; nor is executing it, which is why `apply` must only take a
 * copy and return: the loop must come round in far less than the election
 * timeout.
 *
 *   1. Only the leader takes proposals, and only once it has applied all that
 *      leaders before it had committed (REPLICA_LEADER).
 *   2. The callback of a proposal comes exactly once.  REPLICA_COMMITTED:
 *      applied here.  REPLICA_UNKNOWN: leadership was lost or we are closing;
 *      it may or may not come to pass, so whoever proposes it again must be
 *      able to tell the second from the first.
 *   3. After a start everything behind the last snapshot is applied again:
 *      the executor skips what it has, by index.
 *   4. A snapshot is a manifest, not the state: the executor says up to which
 *      block it has everything durably, and a node that lacks blocks gets them
 *      from the others (docs/protocol.md).
 *   5. A folder belongs to one process and to one Raft id.  What was lost with
 *      it includes the votes it gave: a node whose folder is gone or damaged
 *      comes back as a new one, with a new id.
 *
 * All calls and all callbacks on the loop's thread.  Callbacks must not close
 * the replica.
 */
#ifndef LEDGER_REPLICA_H
#define LEDGER_REPLICA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/error.h"
#include "common/text.h"

struct replica;
struct transport;
struct uv_loop_s;

/* State, its name. */
#define REPLICA_STATE_TABLE(X)                                                 \
    X(REPLICA_FOLLOWER, "follower")                                            \
    X(REPLICA_CANDIDATE, "candidate")                                          \
    X(REPLICA_ELECTED, "elected") /* and not yet up to date */                 \
    X(REPLICA_LEADER, "leader")                                                \
    X(REPLICA_FAILED, "failed") /* to be closed, see replica_error */

enum replica_state {
#define REPLICA_STATE_ENUM(id, name) id,
    REPLICA_STATE_TABLE(REPLICA_STATE_ENUM)
#undef REPLICA_STATE_ENUM
};
const char *replica_state_name(enum replica_state state);

struct replica_status {
    enum replica_state state;
    uint64_t leader; /* its Raft id, 0: nobody knows */
    uint64_t term;
    uint64_t applied;   /* index of the last batch or barrier applied here */
    unsigned in_flight; /* proposals without an answer */
    bool has_room;      /* on the disk of the log, for what is ordered next */
};

/* What the node does with what is ordered; `context` is the owner's. */
struct replica_callbacks {
    /* The next batch, padded with zeros to a multiple of 8 bytes; borrowed.
     * Indexes grow, not always by one. */
    void (*apply)(void *context, uint64_t index, struct bytes batch);
    /* After each change of state, leader, term or room; may be NULL. */
    void (*changed)(void *context, const struct replica_status *status);
    /* Append to `manifest` what says that everything up to `index`, the last
     * batch applied, is durable; E_NO if it is not yet: asked again soon. */
    enum status (*snapshot)(void *context, uint64_t index,
                            struct text *manifest, struct error *err);
    /* Nothing up to `index` will be applied any more; what is missing has to
     * be got by the manifest, which came from here or from another node.  Also
     * called by replica_open: what is there already must stay.  Not OK if it is
     * no manifest. */
    enum status (*restore)(void *context, uint64_t index, struct bytes manifest,
                           struct error *err);
    void *context;
};

struct replica_peer {
    uint64_t id; /* at least 1, never given again */
    const char *address;
};

struct replica_options {
    struct uv_loop_s *loop;
    const char *folder; /* there must be one */
    uint64_t id;
    const char *address;
    /* The founders, ourselves among them, in the very first start of a founding
     * node; ignored when the folder has a log.  NULL: a node that was added
     * later, or a later start. */
    const struct replica_peer *founders;
    size_t founder_count;
    /* Index of the last batch that the executor has, 0: none.  An empty log
     * is not the log of a node that has one. */
    uint64_t executed;

    /* Entries between snapshots, 0: 128.  libraft keeps them, and five times as
     * many older ones, in memory. */
    unsigned snapshot_every;
    unsigned election_ms; /* 0: 1000; a heartbeat is a tenth */
    size_t segment_size;  /* of the log's files; 0: 8 MiB; for tests */
};

/* Start.  E_INPUT if the folder cannot be used as it is: in use by another
 * process, damaged, missing what was executed; E_IO if reading it failed.
 * Takes the transport in any case.  After a failure the loop has handles to
 * close; no callback comes any more. */
MUST_USE enum status replica_open(struct replica **replica,
                                  struct transport **transport,
                                  const struct replica_options *options,
                                  const struct replica_callbacks *callbacks,
                                  struct error *err);

/* Stop; what is in flight gets its callback before `closed`, which may be
 * NULL, comes from the loop.  Nulls *replica. */
void replica_close(struct replica **replica, void (*closed)(void *context),
                   void *context);

enum replica_outcome { REPLICA_COMMITTED, REPLICA_UNKNOWN };
typedef void replica_done(void *context, enum replica_outcome outcome,
                          uint64_t index);

/* Propose a batch of 1 to REPLICA_PAYLOAD_MAX bytes (E_LIMIT).  E_SYSTEM: not
 * here or not now (no leader, disks are full, too much in flight): nothing was
 * proposed, and the same again may succeed later or at the leader.  Unless OK,
 * `done` is not called. */
MUST_USE enum status replica_propose(struct replica *replica,
                                     struct bytes batch, replica_done *done,
                                     void *context, struct error *err);

/* Let another node lead, if one can: this one cannot execute what it orders.
 * Nothing if it does not lead. */
void replica_step_down(struct replica *replica);

struct replica_status replica_status(const struct replica *replica);

/* Why its state is REPLICA_FAILED. */
const struct error *replica_error(const struct replica *replica);

/* Borrowed: for transport_review and the figures. */
struct transport *replica_transport(const struct replica *replica);

#endif
