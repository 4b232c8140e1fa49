/*
 * tests/cluster/disk.h - a disk in virtual time, in place of the fixture's.
 *
 * The fixture's own disk completes writes in any order and never loses one.
 * This one does what raft_uv does on a real disk: writes complete in the order
 * in which they were asked for, each some time later, or not as long as the
 * disk is full; term and vote at once.  When the node crashes, some of the
 * writes under way reach the disk, the first of them, and the rest are lost.
 */
#ifndef TESTS_CLUSTER_DISK_H
#define TESTS_CLUSTER_DISK_H

#include <raft.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/random.h"

struct disk_write;

struct disk_entry {
    raft_term term;
    enum raft_entry_type type;
    size_t size;
    uint8_t *data;
};

struct disk {
    const raft_time *now;
    unsigned latency_ms;
    bool is_full;

    raft_term term;
    raft_id voted_for;
    raft_index first; /* index of entry[0] */
    struct disk_entry *entry;
    size_t count;
    struct raft_snapshot snapshot; /* index 0: none */
    struct raft_buffer snapshot_data;

    struct disk_write *oldest, *newest; /* under way; NULL: none */
};

void disk_open(struct disk *disk, const raft_time *now);
void disk_close(struct disk *disk);

/* Take over the storage of an initialised io; its time and network stay. */
void disk_attach(struct disk *disk, struct raft_io *io);

/* Tell libraft of the writes that are complete by now. */
void disk_turn(struct disk *disk);

/* The node is gone: of the writes under way, a random number of the first
 * arrived.  raft_close, which comes next, is told that all are cancelled. */
void disk_crash(struct disk *disk, struct random *random);

#endif
