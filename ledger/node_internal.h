/*
 * ledger/node_internal.h - a node from the inside: what its parts share.
 *
 * The parts are files.  All on the loop's thread, but for the work() of their
 * jobs: on the writing lane, which executes and must not wait for the disk, on
 * the syncing lane, which does, and on the reading lane.
 *
 *     node.c              opens, wires, looks after all once a tick, closes
 *     node_admission.c    who may come in
 *     node_replica.c      what Raft says: batches, leaders, snapshots
 *     node_execution.c    batches that were ordered, executed
 *     node_questions.c    answers from the database, and about the node
 *     node_scrub.c        the database, checked in the background
 *     intake.c            takes entries in
 *     anchor.c            gathers cosignatures
 *     catchup.c           pulls blocks
 */
#ifndef LEDGER_NODE_INTERNAL_H
#define LEDGER_NODE_INTERNAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <uv.h>

#include "common/bus.h"
#include "common/crew.h"
#include "common/lane.h"
#include "common/text.h"
#include "ledger/executor.h"
#include "ledger/node.h"
#include "ledger/reader.h"
#include "ledger/registry.h"
#include "ledger/replica.h"

/* What the loop knows of the log, without asking the database. */
struct tip {
    uint64_t size;
    struct digest root;
    uint64_t block; /* number of the newest; meaningless while size is 0 */
    uint64_t raft_index;
    uint64_t time_ms;
};

/* What this node cosigned last: its log must go on from there for ever. */
struct promise {
    uint64_t size; /* 0: nothing */
    struct digest root;
};

struct intake;
struct anchor;
struct catchup;

struct node {
    struct node_options options;
    struct bus *bus;
    struct replica *replica;
    struct replica_status replica_status;
    uint64_t link[GENESIS_NODES_MAX]; /* to options.peer[i] */
    bool link_ready[GENESIS_NODES_MAX];

    /* Of the writing lane, once open; the loop touches them only while it
     * opens and closes. */
    struct crew *crew;
    struct ledger_store *store;
    struct executor *executor;
    struct promise promise;
    /* All of the log was executed anew since the promise was kept last. */
    bool healed;
    struct lane *writing;

    /* Of the syncing lane: size of the promise that is on the disk for sure. */
    uint64_t promise_synced;
    struct lane *syncing;

    /* Of the reading lane. */
    struct reader *reader;
    struct lane *reading;

    /* Of the loop. */
    struct ledger_store *admission_store;
    struct registry *registry;
    struct tip tip;
    uint64_t ordered;  /* raft index of the newest batch that came */
    uint64_t anchored; /* size of the newest checkpoint with k cosignatures */
    struct intake *intake;
    struct anchor *anchor;
    struct catchup *catchup;
    enum { NOT_SYNCED, BEING_SYNCED, SYNCED } ahead; /* of a snapshot */
    bool full; /* no room for Raft's log */
    unsigned lacks_room_ms;
    bool damaged;         /* the database does not say what was executed */
    struct error failure; /* why the node cannot go on; tick tells */
    uv_timer_t tick;
    uint64_t scrub_next;
    uint64_t scrub_size;     /* of the log, at the last part */
    uint64_t scrub_after_ms; /* of the loop's clock */
    bool scrubbing;
    /* Read by the writing lane, too. */
    atomic_bool closing;
    atomic_bool halted;  /* execute nothing, what is ordered is held */
    atomic_bool stalled; /* waits for disk or memory */
    void (*closed)(void *context);
    void *context;
};

/* Log, stop cosigning, begin to heal. */
void node_damaged(struct node *node, const struct error *err);

/* Nothing is executed any more; the service ends with `why`, and what was
 * ordered is handed out again when the node is started again.  Unlike
 * node_close, from any callback. */
void node_fail(struct node *node, const struct error *why);

/* Does what is ordered get executed here now? */
bool node_executes(const struct node *node);

/* `failed` to a peer; an error in sending is the peer's. */
void node_refuse(struct node *node, uint64_t peer, const uint8_t *request_id,
                 const struct error *err, bool retry);

/* As genesis.json names the leader, "" if nobody knows it. */
const char *node_leader_name(const struct node *node);

/* The database, to write; then to read, and those who are enrolled in it. */
MUST_USE enum status node_open_store(struct node *node, struct error *err);
MUST_USE enum status node_open_readers(struct node *node, struct error *err);

/* ---- node_admission.c ---- */

/* As bus_admit, and the transport's is_member; the context is the node. */
enum status node_admit(const struct certificate *certificate,
                       const char *service, void *context, struct error *err);
bool node_admits_member(void *context, uint64_t id, const char *address,
                        const struct certificate *certificate);

/* ---- node_replica.c ---- */

MUST_USE enum status node_open_replica(struct node *node, struct error *err);

/* ---- node_execution.c ---- */

/* Batches that were ordered, executed in order; held back while blocks are
 * pulled. */
void node_execute(struct node *node, uint64_t raft_index, struct bytes batch);

/* What the executor has now; on its lane. */
void node_read_tip(const struct executor *executor, struct tip *tip);

/* ---- node_questions.c ---- */

/* Handle what others ask this node, and their `failed`. */
void node_answer(struct node *node);

/* ---- node_scrub.c ---- */

/* At a tick: check the next entries, if it is time. */
void node_scrub(struct node *node);

/* ---- intake.c ---- */

MUST_USE enum status intake_open(struct node *node, struct error *err);
/* What became of the entries of an executed batch. */
void intake_executed(struct node *node, const struct outcome *outcome,
                     uint32_t count);
/* Once a second: who has waited too long is told so. */
void intake_tick(struct node *node);
/* Everybody who waits is told to try again; then release it. */
void intake_close(struct node *node);

/* ---- anchor.c ---- */

MUST_USE enum status anchor_open(struct node *node, struct error *err);
/* The log has grown, or time has passed. */
void anchor_advance(struct node *node);
/* What a round under way was about is no more. */
void anchor_restart(struct node *node);
/* A peer's `failed`, to whatever request. */
void anchor_failed(struct node *node, const struct bus_sender *sender,
                   const struct message *message);
void anchor_close(struct node *node);

/* ---- catchup.c ---- */

MUST_USE enum status catchup_open(struct node *node, struct error *err);
/* Pull blocks until everything up to this raft index is executed, which made
 * the log so large. */
void catchup_until(struct node *node, uint64_t raft_index, uint64_t size);
/* Pull all blocks into a new database. */
void catchup_heal(struct node *node);
bool catchup_running(const struct node *node);
/* Keep an ordered batch until blocks have been pulled. */
void catchup_hold(struct node *node, uint64_t raft_index, struct bytes batch);
void catchup_tick(struct node *node);
void catchup_failed(struct node *node, const struct message *message);
void catchup_close(struct node *node);

#endif
