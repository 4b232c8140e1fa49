#include "ledger/replica.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <raft.h>
#include <raft/uv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>
#include <uv.h>

#include "common/log.h"
#include "ledger/replica_internal.h"
#include "ledger/transport.h"

#define LOCK_NAME "lock"
/* "node ", 20 digits, a newline. */
#define OWNER_SIZE_MAX 26
#define ELECTION_MS 1000
#define SNAPSHOT_EVERY 128
#define SEGMENT_SIZE (8u << 20)

/* A peer that was restarted is there again within this. */
#define CONNECT_RETRY_MS 250

struct replica {
    struct replica_machine machine;
    struct raft raft;
    struct raft_io io;
    struct transport *transport;
    uv_prepare_t turn; /* before each sleep of the loop */
    int lock;
    struct raft_transfer transfer;
    bool has_transfer; /* it is libraft's at present */
    void (*closed)(void *context);
    void *context;
};

/* ---- the folder ------------------------------------------------------------
 */

/* The lock says whose log it lies beside.  With the log of another node, copied
 * or put in its place, this one would not know what it has promised. */
static enum status check_owner(const char *folder, int lock, uint64_t id,
                               struct error *err)
{
    char is[OWNER_SIZE_MAX + 1] = "", expected[OWNER_SIZE_MAX + 1];
    size_t size =
        (size_t)snprintf(expected, sizeof expected, "node %" PRIu64 "\n", id);
    ssize_t got = pread(lock, is, sizeof is - 1, 0);

    assert(size < sizeof expected);
    if (got < 0)
        return error_set_errno(err, E_IO, errno,
                               "%s/" LOCK_NAME ": cannot be read", folder);
    if (strcmp(is, expected) == 0)
        return OK;
    /* New, or not written to its end by somebody who began like this. */
    if (strncmp(is, expected, (size_t)got) == 0) {
        if (pwrite(lock, expected, size, 0) != (ssize_t)size ||
            fsync(lock) != 0)
            return error_set_errno(err, E_IO, errno,
                                   "%s/" LOCK_NAME ": cannot be written",
                                   folder);
        return OK;
    }
    return error_set(err, E_INPUT,
                     "%s: is another node's log: its " LOCK_NAME
                     " does not say \"node %" PRIu64 "\"",
                     folder, id);
}

/* Two processes on one log would destroy it. */
static enum status lock_folder(const char *folder, uint64_t id, int *lock,
                               struct error *err)
{
    int directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd = -1;
    enum status status = OK;

    if (directory < 0)
        return error_set_errno(err, E_INPUT, errno, "%s: cannot be opened",
                               folder);
    fd = openat(directory, LOCK_NAME, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
                0600);
    if (fd < 0)
        status = error_set_errno(err, E_INPUT, errno,
                                 "%s/" LOCK_NAME ": cannot be opened", folder);
    else if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        status =
            errno == EWOULDBLOCK
                ? error_set(err, E_INPUT,
                            "%s: another process uses this folder; two nodes "
                            "must not share one",
                            folder)
                : error_set_errno(err, E_IO, errno,
                                  "%s/" LOCK_NAME ": cannot be locked", folder);
    close(directory);
    if (status == OK)
        status = check_owner(folder, fd, id, err);
    if (status == OK)
        *lock = fd;
    else if (fd >= 0)
        close(fd);
    return status;
}

/* What libraft said when it could not start. */
static enum status explain(const struct replica *replica, const char *folder,
                           int code, const char *words, struct error *err)
{
    const struct error *transport = transport_error(replica->transport);

    if (replica->machine.error.status != OK) {
        *err = replica->machine.error;
        return error_wrap(err, "%s", folder);
    }
    if (transport->status != OK) {
        *err = *transport;
        return err->status;
    }
    switch (code) {
    case RAFT_NOMEM:
        return error_memory(err, "Raft's log");
    case RAFT_CORRUPT:
    case RAFT_MALFORMED:
        return error_set(
            err, E_INPUT,
            "%s: the log is damaged (%s).  Keep the folder, remove this node "
            "from the network and add it as a new one: with this log it could "
            "undo what it has promised",
            folder, words);
    case RAFT_BADID:
    case RAFT_DUPLICATEID:
    case RAFT_DUPLICATEADDRESS:
    case RAFT_NOTFOUND:
    case RAFT_INVALID:
    case RAFT_NAMETOOLONG:
        return error_set(err, E_INPUT, "%s: %s", folder, words);
    case RAFT_NOSPACE:
        return error_set(err, E_IO, "%s: the disk is full", folder);
    default:
        return error_set(err, E_IO, "%s: %s", folder, words);
    }
}

/* ---- the end ---------------------------------------------------------------
 */

static void release(struct replica *replica)
{
    transport_destroy(&replica->transport);
    if (replica->lock >= 0)
        close(replica->lock);
    free(replica);
}

static void on_turn_closed(uv_handle_t *handle)
{
    struct replica *replica = handle->data;
    void (*closed)(void *context) = replica->closed;
    void *context = replica->context;

    release(replica);
    if (closed != NULL)
        closed(context);
}

static void on_raft_closed(struct raft *raft)
{
    struct replica *replica = raft->data;

    assert(replica->machine.in_flight == 0);
    raft_uv_close(&replica->io);
    uv_close((uv_handle_t *)&replica->turn, on_turn_closed);
}

void replica_close(struct replica **replica, void (*closed)(void *context),
                   void *context)
{
    struct replica *gone = *replica;

    if (gone == NULL)
        return;
    *replica = NULL;
    gone->closed = closed;
    gone->context = context;
    gone->machine.is_closing = true;
    raft_close(&gone->raft, on_raft_closed);
}

/* ---- the start -------------------------------------------------------------
 */

static void on_turn(uv_prepare_t *turn)
{
    struct replica *replica = turn->data;

    machine_watch(&replica->machine);
}

/* 0 or what libraft says. */
static int found(struct replica *replica, const struct replica_options *options)
{
    struct raft_configuration configuration;
    int code = 0;

    raft_configuration_init(&configuration);
    for (size_t i = 0; i < options->founder_count && code == 0; i++)
        code = raft_configuration_add(&configuration, options->founders[i].id,
                                      options->founders[i].address, RAFT_VOTER);
    if (code == 0)
        code = raft_bootstrap(&replica->raft, &configuration);
    raft_configuration_close(&configuration);
    /* It has a log already. */
    return code == RAFT_CANTBOOTSTRAP ? 0 : code;
}

/* The executor may well be ahead of the log's disk, which is as slow as it
 * likes once a majority has an entry.  But a log with nothing behind the
 * founding was lost, and the votes of this node with it. */
static enum status check_executed(struct replica *replica,
                                  const struct replica_options *options,
                                  struct error *err)
{
    if (options->executed <= 1 || raft_last_index(&replica->raft) > 1)
        return OK;
    return error_set(
        err, E_INPUT,
        "%s: the log is empty, but this node has executed it up to %ju: it was "
        "lost or is another node's.  Remove this node from the network and add "
        "it as a new one",
        options->folder, (uintmax_t)options->executed);
}

static enum status start(struct replica *replica,
                         const struct replica_options *options,
                         struct error *err)
{
    int code = 0;

    if (options->founder_count > REPLICA_PEERS_MAX)
        return error_set(err, E_LIMIT, "%zu nodes, the limit is %d",
                         options->founder_count, REPLICA_PEERS_MAX);
    if (options->founders != NULL)
        code = found(replica, options);
    if (code == 0)
        code = raft_start(&replica->raft);
    if (code != 0) {
        const char *words = raft_errmsg(&replica->raft);

        return explain(replica, options->folder, code,
                       words[0] != '\0' ? words : raft_strerror(code), err);
    }
    return check_executed(replica, options, err);
}

/* libraft on the folder; on failure there is nothing of it to close. */
static enum status init(struct replica *replica,
                        const struct replica_options *options,
                        struct error *err)
{
    struct replica_settings settings = {
        .election_ms =
            options->election_ms != 0 ? options->election_ms : ELECTION_MS,
        .snapshot_every = options->snapshot_every != 0 ? options->snapshot_every
                                                       : SNAPSHOT_EVERY,
        .segment_size =
            options->segment_size != 0 ? options->segment_size : SEGMENT_SIZE};
    int code = raft_uv_init(&replica->io, options->loop, options->folder,
                            transport_raft(replica->transport));

    if (code != 0)
        return explain(replica, options->folder, code, raft_strerror(code),
                       err);
    raft_uv_set_segment_size(&replica->io, settings.segment_size);
    raft_uv_set_connect_retry_delay(&replica->io, CONNECT_RETRY_MS);
    /* On, a damaged file is put aside, and the node goes on without entries
     * that it has acknowledged. */
    raft_uv_set_auto_recovery(&replica->io, false);
    machine_attach(&replica->machine, &replica->io);
    code = raft_init(&replica->raft, &replica->io, &replica->machine.fsm,
                     options->id, options->address);
    if (code != 0) {
        enum status status =
            explain(replica, options->folder, code,
                    replica->io.errmsg[0] != '\0' ? replica->io.errmsg
                                                  : raft_strerror(code),
                    err);

        raft_uv_close(&replica->io);
        return status;
    }
    replica->raft.data = replica;
    machine_configure(&replica->machine, &settings);
    return OK;
}

enum status replica_open(struct replica **replica, struct transport **transport,
                         const struct replica_options *options,
                         const struct replica_callbacks *callbacks,
                         struct error *err)
{
    struct replica *made = calloc(1, sizeof *made);
    enum status status;

    replica_use_zeroed_memory();
    if (made == NULL) {
        transport_destroy(transport);
        return error_memory(err, "the replica");
    }
    made->lock = -1;
    made->transport = *transport;
    *transport = NULL;
    machine_init(&made->machine, &made->raft, callbacks);
    status = lock_folder(options->folder, options->id, &made->lock, err);
    if (status == OK)
        status = replica_folder_settle(options->folder, err);
    if (status == OK)
        status = init(made, options, err);
    if (status != OK) {
        release(made);
        return status;
    }
    made->turn.data = made;
    /* Neither can fail. */
    if (uv_prepare_init(options->loop, &made->turn) != 0 ||
        uv_prepare_start(&made->turn, on_turn) != 0)
        abort();
    status = start(made, options, err);
    if (status != OK)
        replica_close(&made, NULL, NULL);
    else
        *replica = made;
    return status;
}

enum status replica_propose(struct replica *replica, struct bytes batch,
                            replica_done *done, void *context,
                            struct error *err)
{
    return machine_propose(&replica->machine, batch, done, context, err);
}

static void on_transferred(struct raft_transfer *request)
{
    struct replica *replica = request->data;

    replica->has_transfer = false;
}

void replica_step_down(struct replica *replica)
{
    if (replica->has_transfer || replica->machine.is_closing ||
        raft_state(&replica->raft) != RAFT_LEADER)
        return;
    replica->transfer.data = replica;
    /* To whom is libraft's choice; if there is nobody, we are asked again. */
    replica->has_transfer = raft_transfer(&replica->raft, &replica->transfer, 0,
                                          on_transferred) == 0;
}

struct replica_status replica_status(const struct replica *replica)
{
    return machine_status(&replica->machine);
}

const struct error *replica_error(const struct replica *replica)
{
    assert(replica->machine.error.status != OK);
    return &replica->machine.error;
}

struct transport *replica_transport(const struct replica *replica)
{
    return replica->transport;
}
