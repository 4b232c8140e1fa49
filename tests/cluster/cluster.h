/*
 * tests/cluster/cluster.h - several replicas on libraft's virtual time, and
 * what must hold after every step.
 *
 * Time and network are libraft's fixture, disks are disk.h; state machine,
 * proposals and readiness are what is tested (ledger/replica_internal.h).  A
 * batch is one number, never proposed twice.  A snapshot says how many batches
 * came before it; who restores it is taken to have got them.  After each step:
 *
 *   1. no two nodes have applied different batches at the same place;
 *   2. a batch that was refused is never applied, one that was acknowledged is
 *      applied where it was acknowledged, none is applied twice;
 *   3. no two nodes ever lead in the same term;
 *   4. a node that says it is ready to lead has applied whatever leaders of
 *      earlier terms had acknowledged by then.  (One that is deposed and does
 *      not know it yet may get ready, too.)
 *
 * What does not hold ends the program.
 */
#ifndef TESTS_CLUSTER_CLUSTER_H
#define TESTS_CLUSTER_CLUSTER_H

#include <raft/fixture.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/random.h"
#include "ledger/replica_internal.h"
#include "tests/cluster/disk.h"

#define CLUSTER_SERVERS_MAX 5
#define CLUSTER_BATCHES_MAX 1024
#define CLUSTER_TERMS_MAX 512

struct cluster;

struct server {
    struct cluster *cluster;
    unsigned number;
    struct replica_machine machine;
    struct disk disk;
    struct raft_io io;   /* the fixture's own methods */
    size_t applied;      /* batches since its last start */
    uint64_t last_index; /* of the last of them */
    bool is_down;
    bool has_crashed;
    raft_time down_since;
};

enum fate { FATE_OPEN, FATE_REFUSED, FATE_COMMITTED, FATE_UNKNOWN };

struct cluster {
    struct raft_fixture fixture;
    struct server server[CLUSTER_SERVERS_MAX];
    unsigned count;
    struct random *random;
    unsigned snapshot_every;
    bool cut[CLUSTER_SERVERS_MAX][CLUSTER_SERVERS_MAX]; /* from, to */

    /* What has been applied, in order, by whoever was first. */
    struct {
        uint64_t index, batch;
    } log[CLUSTER_BATCHES_MAX];
    size_t logged;
    /* By term: places up to the last that its leader has acknowledged. */
    size_t acknowledged[CLUSTER_TERMS_MAX];

    enum fate fate[CLUSTER_BATCHES_MAX]; /* by batch */
    bool is_logged[CLUSTER_BATCHES_MAX];
    uint64_t proposed; /* batches so far */
    uint64_t committed, unknown, refused, elections, snapshots, installed;
    raft_id leader[CLUSTER_TERMS_MAX]; /* by term */
};

void cluster_open(struct cluster *cluster, unsigned count,
                  struct random *random);
void cluster_close(struct cluster *cluster);

/* One event, and everything that must hold. */
void cluster_step(struct cluster *cluster);

/* The next batch, at that server. */
void cluster_propose(struct cluster *cluster, unsigned number);

/* A server that calls itself ready to lead, or cluster->count. */
unsigned cluster_leader(const struct cluster *cluster);

/* Messages from one to the other get lost from now on, or no more. */
void cluster_cut(struct cluster *cluster, unsigned from, unsigned to,
                 bool is_cut);

/* It hangs: no time passes for it and no message comes through. */
void cluster_stop(struct cluster *cluster, unsigned number);

/* It is killed: its memory is lost, and what was on the way to its disk. */
void cluster_crash(struct cluster *cluster, unsigned number);

/* It goes on, or starts again with what its disk has.  False if no time has
 * passed since it went down. */
bool cluster_revive(struct cluster *cluster, unsigned number);

/* Have all servers applied all that any has? */
bool cluster_is_even(const struct cluster *cluster);

/* Says what does not hold and how to see it again. */
_Noreturn void cluster_fail(const struct cluster *cluster, const char *format,
                            ...) __attribute__((format(printf, 2, 3)));

/* For that message. */
extern uint64_t cluster_seed, cluster_case;

#endif
