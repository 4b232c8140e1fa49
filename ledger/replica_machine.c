#include <assert.h>
#include <stdlib.h>

#include "common/encoding.h"
#include "common/log.h"
#include "ledger/replica_internal.h"

/* libraft's files want batches in whole words. */
#define WORD 8

#define HEARTBEATS_PER_ELECTION 10
#define ELECTIONS_PER_SNAPSHOT 3

struct proposal {
    struct raft_apply request;
    struct replica_machine *machine;
    raft_term term; /* in which we led and proposed it */
    replica_done *done;
    void *context;
};

static size_t padded(size_t size)
{
    return (size + WORD - 1) / WORD * WORD;
}

static bool has_failed(const struct replica_machine *machine)
{
    return machine->error.status != OK;
}

const char *replica_state_name(enum replica_state state)
{
    static const char *const names[] = {
#define STATE_NAME(id, name) [id] = (name),
        REPLICA_STATE_TABLE(STATE_NAME)
#undef STATE_NAME
    };

    assert((size_t)state < sizeof names / sizeof names[0]);
    return names[state];
}

/* ---- the state machine that libraft drives ---------------------------------
 */

static int on_apply(struct raft_fsm *fsm, const struct raft_buffer *buffer,
                    void **result)
{
    struct replica_machine *machine = fsm->data;

    *result = NULL;
    /* What lies between is missing: nothing may be applied behind it. */
    if (has_failed(machine))
        return RAFT_SHUTDOWN;
    /* libraft counts it as applied only when we return. */
    machine->callbacks.apply(machine->callbacks.context,
                             raft_last_applied(machine->raft) + 1,
                             bytes_of(buffer->base, buffer->len));
    return 0;
}

/* A snapshot's bytes: be64(index) || be32(size) || manifest || zeros. */
enum { SNAPSHOT_HEAD_SIZE = 8 + 4 };

static int wrap_manifest(uint64_t index, struct bytes manifest,
                         struct raft_buffer **buffers, unsigned *count)
{
    size_t size = padded(SNAPSHOT_HEAD_SIZE + manifest.size);
    struct raft_buffer *buffer = raft_malloc(sizeof *buffer);
    uint8_t *data = raft_calloc(1, size);

    if (buffer == NULL || data == NULL) {
        raft_free(buffer);
        raft_free(data);
        return RAFT_NOMEM;
    }
    put_be64(data, index);
    put_be32(data + 8, (uint32_t)manifest.size);
    if (manifest.size > 0)
        memcpy(data + SNAPSHOT_HEAD_SIZE, manifest.data, manifest.size);
    *buffer = (struct raft_buffer){data, size};
    *buffers = buffer;
    *count = 1;
    return 0;
}

static int on_snapshot(struct raft_fsm *fsm, struct raft_buffer *buffers[],
                       unsigned *count)
{
    struct replica_machine *machine = fsm->data;
    uint64_t index = raft_last_applied(machine->raft);
    struct text manifest;
    struct error err;
    int code = RAFT_BUSY; /* libraft asks again at its next event */
    enum status status;

    /* libraft labels the snapshot with its commit index, which a heartbeat may
     * have put back behind what is applied (0.22.1; tests/cluster). */
    if (raft_commit_index(machine->raft) != index)
        return RAFT_BUSY;
    /* Some of them would be freed under the disk: see replica_io.c. */
    if (machine->entries_to_disk > machine->snapshot_every)
        return RAFT_BUSY;
    text_init(&manifest);
    status = machine->callbacks.snapshot(machine->callbacks.context, index,
                                         &manifest, &err);
    if (status == OK) {
        assert(manifest.size <= REPLICA_MANIFEST_MAX);
        code = wrap_manifest(index, text_bytes(&manifest), buffers, count);
    } else if (status != E_NO) {
        log_warning("raft: no snapshot at index %ju: %s", (uintmax_t)index,
                    err.text);
    }
    if (code == 0)
        machine->snapshot_index = index;
    text_clear(&manifest);
    return code;
}

static bool unwrap_manifest(struct bytes data, uint64_t *index,
                            struct bytes *manifest)
{
    size_t size;

    if (data.size < SNAPSHOT_HEAD_SIZE)
        return false;
    *index = get_be64(data.data);
    size = get_be32(data.data + 8);
    if (size > REPLICA_MANIFEST_MAX ||
        data.size != padded(SNAPSHOT_HEAD_SIZE + size))
        return false;
    for (size_t i = SNAPSHOT_HEAD_SIZE + size; i < data.size; i++)
        if (data.data[i] != 0)
            return false;
    *manifest = bytes_of(data.data + SNAPSHOT_HEAD_SIZE, size);
    return true;
}

/* Takes the buffer, save that libraft frees it when a start fails. */
static int on_restore(struct raft_fsm *fsm, struct raft_buffer *buffer)
{
    struct replica_machine *machine = fsm->data;
    struct bytes manifest;
    enum status status;
    uint64_t index = 0;

    if (!unwrap_manifest(bytes_of(buffer->base, buffer->len), &index,
                         &manifest)) {
        status =
            error_set(&machine->error, E_INPUT,
                      "a snapshot of %zu bytes is none of ours", buffer->len);
    } else {
        struct error err;

        status = machine->callbacks.restore(machine->callbacks.context, index,
                                            manifest, &err);
        if (status != OK) {
            machine->error = err;
            status = error_wrap(&machine->error, "snapshot at index %ju",
                                (uintmax_t)index);
        }
    }
    if (status != OK) {
        log_error("raft: %s", machine->error.text);
        if (machine->receive != NULL)
            raft_free(buffer->base);
        return RAFT_MALFORMED;
    }
    machine->snapshot_index = index;
    raft_free(buffer->base);
    return 0;
}

void machine_init(struct replica_machine *machine, struct raft *raft,
                  const struct replica_callbacks *callbacks)
{
    *machine = (struct replica_machine){.raft = raft, .callbacks = *callbacks};
    machine->fsm = (struct raft_fsm){.version = 1,
                                     .data = machine,
                                     .apply = on_apply,
                                     .snapshot = on_snapshot,
                                     .restore = on_restore};
    error_init(&machine->error);
}

void machine_configure(struct replica_machine *machine,
                       const struct replica_settings *settings)
{
    machine->snapshot_every = settings->snapshot_every;
    machine->room_kb_min = (unsigned)(settings->segment_size / 2 / 1024);
    raft_set_election_timeout(machine->raft, settings->election_ms);
    raft_set_heartbeat_timeout(machine->raft,
                               settings->election_ms / HEARTBEATS_PER_ELECTION);
    /* A node that was cut off must not depose the leader when it is back. */
    raft_set_pre_vote(machine->raft, true);
    /* Ours are small: one that has not arrived by then is lost. */
    raft_set_install_snapshot_timeout(
        machine->raft, settings->election_ms * ELECTIONS_PER_SNAPSHOT);
    raft_set_snapshot_threshold(machine->raft, settings->snapshot_every);
    /* The snapshot of any leader lies in what a follower has kept behind its
     * own, else neither could say where their logs agree (0.22.1 asks for a
     * term, though all of it is committed): a leader takes no proposals when
     * that many snapshots are due, see check_ready. */
    raft_set_snapshot_trailing(machine->raft,
                               settings->snapshot_every *
                                   (REPLICA_SNAPSHOTS_DUE_MAX + 1));
    /* On, a node that wins an election while disks are full leads without
     * knowing it, and answers what it has proposed with what another leader
     * puts into its place (0.22.1; tests/cluster).  We look at the room
     * ourselves, in check_ready. */
    raft_set_capacity_threshold(machine->raft, 0);
}

/* ---- readiness -------------------------------------------------------------
 */

/* In files that the log has already got from the file system.  Without, what is
 * sent to us waits for its disk, and libraft tries again by itself. */
static bool has_room(const struct replica_machine *machine)
{
    return machine->raft->io->capacity >= machine->room_kb_min;
}

struct replica_status machine_status(const struct replica_machine *machine)
{
    struct replica_status status = {.state = REPLICA_FOLLOWER,
                                    .term = raft_current_term(machine->raft),
                                    .applied = raft_last_applied(machine->raft),
                                    .in_flight = machine->in_flight,
                                    .has_room = has_room(machine)};
    const char *address;
    raft_id leader;

    if (has_failed(machine)) {
        status.state = REPLICA_FAILED;
        return status;
    }
    raft_leader(machine->raft, &leader, &address);
    status.leader = leader;
    switch (raft_state(machine->raft)) {
    case RAFT_LEADER:
        status.state = machine->ready_term == status.term ? REPLICA_LEADER
                                                          : REPLICA_ELECTED;
        break;
    case RAFT_CANDIDATE:
        status.state = REPLICA_CANDIDATE;
        break;
    case RAFT_FOLLOWER:
    case RAFT_UNAVAILABLE:
        break;
    }
    return status;
}

static void on_barrier(struct raft_barrier *request, int status)
{
    struct replica_machine *machine = request->data;

    machine->has_barrier = false;
    if (status == 0)
        machine->ready_term = machine->barrier_term;
    machine_watch(machine);
}

/* Everything that leaders before have committed is behind the barrier. */
static void start_barrier(struct replica_machine *machine)
{
    int code;

    machine->barrier.data = machine;
    machine->barrier_term = raft_current_term(machine->raft);
    code = raft_barrier(machine->raft, &machine->barrier, on_barrier);
    /* Without memory: tried again with the next turn. */
    machine->has_barrier = code == 0;
}

/* libraft does nothing any more when its term or vote could not be written. */
static void notice_end(struct replica_machine *machine)
{
    if (!has_failed(machine) && raft_state(machine->raft) == RAFT_UNAVAILABLE) {
        const char *words = raft_errmsg(machine->raft);

        (void)!error_set(&machine->error, E_IO, "Raft has stopped: %s",
                         words[0] != '\0' ? words : "it does not say why");
    }
}

void machine_watch(struct replica_machine *machine)
{
    struct replica_status status;

    if (machine->is_closing)
        return;
    notice_end(machine);
    status = machine_status(machine);
    if (status.state == REPLICA_ELECTED && !machine->has_barrier)
        start_barrier(machine);
    if (status.state == machine->told.state &&
        status.leader == machine->told.leader &&
        status.term == machine->told.term &&
        status.has_room == machine->told.has_room)
        return;
    machine->told = status;
    if (machine->callbacks.changed != NULL)
        machine->callbacks.changed(machine->callbacks.context, &status);
}

/* ---- proposals -------------------------------------------------------------
 */

static enum status check_ready(const struct replica_machine *machine,
                               struct error *err)
{
    struct replica_status status = machine_status(machine);

    if (machine->is_closing || status.state == REPLICA_FAILED)
        return error_set(err, E_SYSTEM, "this node is stopping");
    if (status.state == REPLICA_ELECTED)
        return error_set(err, E_SYSTEM, "this node is about to lead");
    if (status.state != REPLICA_LEADER && status.leader != 0)
        return error_set(err, E_SYSTEM, "node %ju leads, not this one",
                         (uintmax_t)status.leader);
    if (status.state != REPLICA_LEADER)
        return error_set(err, E_SYSTEM, "no node leads at present");
    if (!status.has_room)
        return error_set(err, E_SYSTEM, "the disk of Raft's log is full");
    if (machine->in_flight >= REPLICA_IN_FLIGHT_MAX)
        return error_set(err, E_SYSTEM, "%u proposals are in flight",
                         machine->in_flight);
    if (status.applied - machine->snapshot_index >
        (uint64_t)machine->snapshot_every * REPLICA_SNAPSHOTS_DUE_MAX)
        return error_set(err, E_SYSTEM,
                         "what is ordered has to be executed first");
    return OK;
}

static void on_applied(struct raft_apply *request, int status, void *result)
{
    struct proposal *proposal = request->data;
    const struct raft *raft = proposal->machine->raft;
    /* libraft finds the request by the index alone, where a later leader may
     * have put something else.  As long as we lead, nobody has. */
    bool is_ours = !proposal->machine->is_closing &&
                   raft_state(proposal->machine->raft) == RAFT_LEADER &&
                   raft_current_term(raft) == proposal->term;

    (void)result;
    assert(proposal->machine->in_flight > 0);
    proposal->machine->in_flight--;
    /* What it says is lost, others may have all the same. */
    proposal->done(proposal->context,
                   status == 0 && is_ours ? REPLICA_COMMITTED : REPLICA_UNKNOWN,
                   request->index);
    free(proposal);
}

static enum status submit(struct replica_machine *machine,
                          struct proposal *proposal, struct raft_buffer *buffer,
                          struct error *err)
{
    int code =
        raft_apply(machine->raft, &proposal->request, buffer, 1, on_applied);

    if (code == 0) {
        machine->in_flight++;
        return OK;
    }
    if (code != RAFT_NOTLEADER) {
        /* It may stand in the log by half: what libraft would do next is not
         * known.  The other nodes know how to live without this one. */
        log_error("raft: proposing failed: %s", raft_strerror(code));
        abort();
    }
    raft_free(buffer->base);
    free(proposal);
    return error_set(err, E_SYSTEM, "this node does not lead any more");
}

enum status machine_propose(struct replica_machine *machine, struct bytes batch,
                            replica_done *done, void *context,
                            struct error *err)
{
    struct raft_buffer buffer = {NULL, padded(batch.size)};
    struct proposal *proposal;
    enum status status;

    if (batch.size == 0 || batch.size > REPLICA_PAYLOAD_MAX)
        return error_set(err, E_LIMIT,
                         "a batch of %zu bytes, 1 to %u are taken", batch.size,
                         REPLICA_PAYLOAD_MAX);
    status = check_ready(machine, err);
    if (status != OK)
        return status;
    proposal = calloc(1, sizeof *proposal);
    buffer.base = raft_malloc(buffer.len);
    if (proposal == NULL || buffer.base == NULL) {
        free(proposal);
        raft_free(buffer.base);
        return error_memory(err, "a proposal");
    }
    proposal->machine = machine;
    proposal->done = done;
    proposal->context = context;
    proposal->term = raft_current_term(machine->raft);
    proposal->request.data = proposal;
    memcpy(buffer.base, batch.data, batch.size);
    memset((char *)buffer.base + batch.size, 0, buffer.len - batch.size);
    return submit(machine, proposal, &buffer, err);
}
