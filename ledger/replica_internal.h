/*
 * ledger/replica_internal.h - the part of a replica that knows neither files
 * nor sockets: libraft's state machine, proposals and when a leader is ready.
 *
 * replica.c puts it on a folder and a transport, tests/cluster on libraft's
 * virtual time.
 */
#ifndef LEDGER_REPLICA_INTERNAL_H
#define LEDGER_REPLICA_INTERNAL_H

#include <raft.h>
#include <stdbool.h>

#include "ledger/replica.h"

/* A snapshot that is asked for is one of the last few, mostly the last. */
#define REPLICA_SNAPSHOTS_KNOWN 8

struct replica_snapshot {
    raft_index index;
    raft_term term;
};

struct replica_machine {
    struct raft *raft; /* borrowed */
    struct raft_fsm fsm;
    struct replica_callbacks callbacks;
    struct replica_status told; /* what `changed` was told last */
    unsigned in_flight;
    struct raft_barrier barrier; /* of a term that begins */
    bool has_barrier;            /* it is libraft's at present */
    raft_term barrier_term;
    raft_term ready_term; /* the barrier of this term was applied */
    uint64_t snapshot_index;
    unsigned snapshot_every;
    unsigned room_kb_min; /* of the log's disk, to take a proposal */
    bool is_closing;
    struct error error; /* why it has failed; else empty */

    /* What replica_io.c has taken the place of, and what it knows. */
    int (*load)(struct raft_io *io, raft_term *term, raft_id *voted_for,
                struct raft_snapshot **snapshot, raft_index *start_index,
                struct raft_entry *entries[], size_t *count);
    int (*send)(struct raft_io *io, struct raft_io_send *request,
                const struct raft_message *message, raft_io_send_cb done);
    int (*append)(struct raft_io *io, struct raft_io_append *request,
                  const struct raft_entry entries[], unsigned count,
                  raft_io_append_cb done);
    int (*snapshot_put)(struct raft_io *io, unsigned trailing,
                        struct raft_io_snapshot_put *request,
                        const struct raft_snapshot *snapshot,
                        raft_io_snapshot_put_cb done);
    int (*start)(struct raft_io *io, unsigned every_ms, raft_io_tick_cb tick,
                 raft_io_recv_cb receive);
    raft_io_recv_cb receive; /* NULL until the log was read */
    struct replica_snapshot snapshots[REPLICA_SNAPSHOTS_KNOWN];
    bool is_storing_snapshot; /* it is on the way to the disk */
    unsigned entries_to_disk; /* on the way to the disk */
    bool is_answering_late;   /* a message of an earlier term */
};

struct replica_settings {
    unsigned election_ms, snapshot_every;
    size_t segment_size;
};

/* `raft` is initialised with &machine->fsm only after this. */
void machine_init(struct replica_machine *machine, struct raft *raft,
                  const struct replica_callbacks *callbacks);

/* After raft_init: everything that libraft does not do by itself. */
void machine_configure(struct replica_machine *machine,
                       const struct replica_settings *settings);

/* libraft writes memory to disk and network that it has not filled (a barrier's
 * 8 bytes): what somebody else has freed, a key perhaps, must not stand there.
 * For the whole process, before anything else of libraft. */
void replica_use_zeroed_memory(void);

/* Before raft_init: finish what a crash has left of an installed snapshot.
 * libraft stores the snapshot, and then removes the log that it takes the place
 * of; where it was killed between the two, and has a segment made ahead of its
 * use, it takes the log for corrupt. */
MUST_USE enum status replica_folder_settle(const char *path, struct error *err);

/* Before raft_start, once for an io: see replica_io.c. */
void machine_attach(struct replica_machine *machine, struct raft_io *io);

/* After each turn of the loop: tells of changes, makes a new leader ready. */
void machine_watch(struct replica_machine *machine);

MUST_USE enum status machine_propose(struct replica_machine *machine,
                                     struct bytes batch, replica_done *done,
                                     void *context, struct error *err);

struct replica_status machine_status(const struct replica_machine *machine);

#endif
