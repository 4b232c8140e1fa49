/*
 * Stands between libraft and its storage and network, to keep four faults of
 * version 0.22.1 from doing harm; tests/cluster finds each of them within
 * seconds without this.
 *
 *   1. A leader that sends a snapshot asks its disk for it, gets the newest,
 *      and says so, but with the term of the one that it had in mind.  The
 *      receiver then has a wrong term on its disk, and fails at the next
 *      message, and again after each start.  We remember the terms of our
 *      snapshots and correct the message.
 *
 *   2. A node that gets a snapshot while it takes one itself follows a null
 *      pointer when its own is on disk; while it stores another one, it forgets
 *      to free the message.  We drop such messages; the leader sends it again.
 *
 *   3. A node that is sent entries or a snapshot by a leader of an earlier term
 *      answers with its own term and, as the index up to which it has the log,
 *      with whatever stands on its stack.  If the sender has been elected again
 *      by then, in that term, it believes this, and may commit what is nowhere
 *      else.  We put 0 in its place, which says nothing.
 *
 *   4. Entries that were read or received together share memory, which is freed
 *      with the last of them that is in the log, though others may be on their
 *      way to a slow disk or to a node that hangs.  The network gets copies, so
 *      that libraft is done with them at once; and nothing shortens the log
 *      from its beginning by more than leaves what is on its way to the disk.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/replica_internal.h"

/* libraft gives its io's `data` to itself, and our machine to its own. */
static struct replica_machine *machine_of(struct raft_io *io)
{
    const struct raft *raft = io->data;

    return raft->fsm->data;
}

/* ---- messages that are wrong -----------------------------------------------
 */

static void remember(struct replica_machine *machine, raft_index index,
                     raft_term term)
{
    struct replica_snapshot *oldest = &machine->snapshots[0];

    for (size_t i = 1; i < REPLICA_SNAPSHOTS_KNOWN; i++)
        if (machine->snapshots[i].index < oldest->index)
            oldest = &machine->snapshots[i];
    *oldest = (struct replica_snapshot){index, term};
}

static int on_load(struct raft_io *io, raft_term *term, raft_id *voted_for,
                   struct raft_snapshot **snapshot, raft_index *start_index,
                   struct raft_entry *entries[], size_t *count)
{
    struct replica_machine *machine = machine_of(io);
    int code = machine->load(io, term, voted_for, snapshot, start_index,
                             entries, count);

    if (code == 0 && *snapshot != NULL)
        remember(machine, (*snapshot)->index, (*snapshot)->term);
    return code;
}

static void mend(const struct replica_machine *machine,
                 struct raft_message *message)
{
    if (message->type == RAFT_INSTALL_SNAPSHOT)
        for (size_t i = 0; i < REPLICA_SNAPSHOTS_KNOWN; i++)
            if (machine->snapshots[i].index ==
                message->install_snapshot.last_index)
                message->install_snapshot.last_term =
                    machine->snapshots[i].term;
    if (message->type == RAFT_APPEND_ENTRIES_RESULT &&
        machine->is_answering_late)
        message->append_entries_result.last_log_index = 0;
}

/* ---- entries under way -----------------------------------------------------
 */

/* In one piece of memory, to be freed; NULL without memory. */
static struct raft_entry *copy_entries(const struct raft_entry *entries,
                                       unsigned count)
{
    size_t size = count * sizeof *entries;
    struct raft_entry *copy;
    uint8_t *data;

    for (unsigned i = 0; i < count; i++)
        size += entries[i].buf.len;
    copy = malloc(size > 0 ? size : 1);
    if (copy == NULL)
        return NULL;
    data = (uint8_t *)(copy + count);
    for (unsigned i = 0; i < count; i++) {
        copy[i] = entries[i];
        copy[i].batch = NULL;
        copy[i].buf.base = data;
        memcpy(data, entries[i].buf.base, entries[i].buf.len);
        data += entries[i].buf.len;
    }
    return copy;
}

struct sending {
    struct raft_io_send request;
    struct raft_entry *entries;
};

static void on_sent(struct raft_io_send *request, int status)
{
    struct sending *sending = request->data;

    (void)status; /* nor does libraft care: it sends again */
    free(sending->entries);
    free(sending);
}

static int on_send(struct raft_io *io, struct raft_io_send *request,
                   const struct raft_message *message, raft_io_send_cb done)
{
    struct replica_machine *machine = machine_of(io);
    struct raft_message mended = *message; /* only the call borrows it */
    struct sending *sending;
    int code = RAFT_NOMEM;

    mend(machine, &mended);
    if (message->type != RAFT_APPEND_ENTRIES ||
        message->append_entries.n_entries == 0)
        return machine->send(io, request, &mended, done);
    sending = calloc(1, sizeof *sending);
    if (sending == NULL)
        return RAFT_NOMEM;
    sending->request.data = sending;
    sending->entries = copy_entries(message->append_entries.entries,
                                    message->append_entries.n_entries);
    mended.append_entries.entries = sending->entries;
    if (sending->entries != NULL)
        code = machine->send(io, &sending->request, &mended, on_sent);
    if (code == 0) {
        done(request, 0);
    } else {
        free(sending->entries);
        free(sending);
    }
    return code;
}

struct appending {
    struct raft_io_append request;
    struct replica_machine *machine;
    struct raft_io_append *wanted;
    raft_io_append_cb done;
    unsigned count;
};

static void on_appended(struct raft_io_append *request, int status)
{
    struct appending appending = *(struct appending *)request->data;

    free(request->data);
    assert(appending.machine->entries_to_disk >= appending.count);
    appending.done(appending.wanted, status);
    /* Only now it has let go of them. */
    appending.machine->entries_to_disk -= appending.count;
}

static int on_append(struct raft_io *io, struct raft_io_append *request,
                     const struct raft_entry entries[], unsigned count,
                     raft_io_append_cb done)
{
    struct replica_machine *machine = machine_of(io);
    struct appending *appending = calloc(1, sizeof *appending);
    int code;

    if (appending == NULL)
        return RAFT_NOMEM;
    *appending = (struct appending){
        .machine = machine, .wanted = request, .done = done, .count = count};
    appending->request.data = appending;
    code =
        machine->append(io, &appending->request, entries, count, on_appended);
    if (code == 0)
        machine->entries_to_disk += count;
    else
        free(appending);
    return code;
}

/* ---- messages that come at a bad time --------------------------------------
 */

struct put {
    struct raft_io_snapshot_put request;
    struct replica_machine *machine;
    struct raft_io_snapshot_put *wanted;
    raft_io_snapshot_put_cb done;
};

static void on_put(struct raft_io_snapshot_put *request, int status)
{
    struct put *put = request->data;
    struct raft_io_snapshot_put *wanted = put->wanted;
    raft_io_snapshot_put_cb done = put->done;

    assert(put->machine->is_storing_snapshot);
    put->machine->is_storing_snapshot = false;
    free(put);
    done(wanted, status);
}

static int on_snapshot_put(struct raft_io *io, unsigned trailing,
                           struct raft_io_snapshot_put *request,
                           const struct raft_snapshot *snapshot,
                           raft_io_snapshot_put_cb done)
{
    struct replica_machine *machine = machine_of(io);
    struct put *put;
    int code;

    remember(machine, snapshot->index, snapshot->term);
    put = calloc(1, sizeof *put);
    if (put == NULL)
        return RAFT_NOMEM;
    assert(!machine->is_storing_snapshot);
    *put = (struct put){.machine = machine, .wanted = request, .done = done};
    put->request.data = put;
    code = machine->snapshot_put(io, trailing, &put->request, snapshot, on_put);
    if (code == 0)
        machine->is_storing_snapshot = true;
    else
        free(put);
    return code;
}

static bool is_late(const struct replica_machine *machine,
                    const struct raft_message *message)
{
    raft_term term = raft_current_term(machine->raft);

    if (message->type == RAFT_APPEND_ENTRIES)
        return message->append_entries.term < term;
    return message->type == RAFT_INSTALL_SNAPSHOT &&
           message->install_snapshot.term < term;
}

static void on_receive(struct raft_io *io, struct raft_message *message)
{
    struct replica_machine *machine = machine_of(io);

    if (message->type == RAFT_INSTALL_SNAPSHOT &&
        (machine->is_storing_snapshot || machine->entries_to_disk > 0)) {
        raft_configuration_close(&message->install_snapshot.conf);
        raft_free(message->install_snapshot.data.base);
        return;
    }
    /* It answers before it returns. */
    machine->is_answering_late = is_late(machine, message);
    machine->receive(io, message);
    machine->is_answering_late = false;
}

static int on_start(struct raft_io *io, unsigned every_ms, raft_io_tick_cb tick,
                    raft_io_recv_cb receive)
{
    struct replica_machine *machine = machine_of(io);

    machine->receive = receive;
    return machine->start(io, every_ms, tick, on_receive);
}

void machine_attach(struct replica_machine *machine, struct raft_io *io)
{
    machine->load = io->load;
    machine->send = io->send;
    machine->append = io->append;
    machine->snapshot_put = io->snapshot_put;
    machine->start = io->start;
    io->load = on_load;
    io->send = on_send;
    io->append = on_append;
    io->snapshot_put = on_snapshot_put;
    io->start = on_start;
}
