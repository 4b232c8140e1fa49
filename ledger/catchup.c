/*
 * ledger/catchup.c - pulls blocks from the other nodes.
 *
 * Two occasions: Raft's log no longer has what this node lacks (a snapshot was
 * installed), or the node's own database is damaged.  In both, blocks are asked
 * for in order, from one peer after the other, and each is executed again: a
 * block whose recomputed hash is not the one that came with it is refused, so a
 * peer can delay, not deceive.
 *
 * A damaged database is put aside as state.db.damaged for whoever wants to look
 * at it, and the new one takes its place when it has everything that a peer
 * has.
 *
 * Batches that Raft orders meanwhile are held, and executed afterwards; those
 * that came with the blocks are passed over by their index.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/encoding.h"
#include "common/log.h"
#include "ledger/block.h"
#include "ledger/node_internal.h"

/* A peer that has not answered by then is left for the next. */
#define PULL_PATIENCE_MS 5000
/* After a peer that could not help, or a disk that could not take it. */
#define PULL_PAUSE_MS 500
/* Ordered batches that are held: half a minute under full load.  Beyond it they
 * are left to be pulled, too. */
#define HELD_SIZE_MAX ((size_t)64 << 20)

struct held {
    uint64_t raft_index;
    struct text batch;
    struct held *next;
};

struct close_job {
    struct lane_job job;
    struct node *node;
    enum status status;
    struct error err;
};

struct catchup {
    bool running;
    bool healing; /* into a new database */
    /* What must have been executed at the end: everything up to this raft
     * index, which makes the log at least so large. */
    uint64_t goal_index, goal_size;
    size_t peer;       /* that is asked */
    bool waiting;      /* for an answer */
    bool working;      /* blocks are being executed, or databases exchanged */
    unsigned failures; /* in a row, of blocks */
    uint64_t asked_ms, pause_until_ms;
    uint8_t request_id[MESSAGE_REQUEST_ID_SIZE];
    uint64_t next_block;
    struct ledger_store *fresh_store; /* while healing */
    struct executor *fresh;
    struct text fresh_path, fresh_lock, damaged_path;
    struct held *held; /* ascending by index */
    size_t held_size;
    struct close_job rest_syncing, close_reading, close_writing;
    unsigned open_lanes;
};

bool catchup_running(const struct node *node)
{
    return node->catchup->running;
}

/* ---- batches that are ordered meanwhile ---- */

static void drop_held(struct catchup *catchup, uint64_t up_to)
{
    while (catchup->held != NULL && catchup->held->raft_index <= up_to) {
        struct held *held = catchup->held;

        catchup->held = held->next;
        catchup->held_size -= held->batch.size;
        text_clear(&held->batch);
        free(held);
    }
}

/* By index: what comes back from the writing lane was ordered before what has
 * come since. */
static void insert_held(struct catchup *catchup, struct held *held)
{
    struct held **at = &catchup->held;

    while (*at != NULL && (*at)->raft_index < held->raft_index)
        at = &(*at)->next;
    held->next = *at;
    *at = held;
    catchup->held_size += held->batch.size;
}

void catchup_hold(struct node *node, uint64_t raft_index, struct bytes batch)
{
    struct catchup *catchup = node->catchup;
    struct held *held;
    struct error err;

    if (raft_index <= catchup->goal_index && catchup->running)
        return; /* it is pulled */
    if (catchup->held_size + batch.size > HELD_SIZE_MAX) {
        if (catchup->goal_index < raft_index)
            catchup->goal_index = raft_index;
        drop_held(catchup, UINT64_MAX);
        return;
    }
    held = calloc(1, sizeof *held);
    if (held == NULL) {
        (void)!error_memory(&err, "a batch");
        node_fail(node, &err);
        return;
    }
    held->raft_index = raft_index;
    text_init(&held->batch);
    if (text_append(&held->batch, batch.data, batch.size, &err) != OK) {
        free(held);
        node_fail(node, &err);
        return;
    }
    insert_held(catchup, held);
}

static void release_held(struct node *node)
{
    struct catchup *catchup = node->catchup;

    for (const struct held *held = catchup->held; held != NULL;
         held = held->next)
        node_execute(node, held->raft_index, text_bytes(&held->batch));
    drop_held(catchup, UINT64_MAX);
}

/* ---- the end ---- */

static enum status move(const char *from, const char *to, struct error *err)
{
    if (rename(from, to) != 0)
        return error_set_errno(err, E_IO, errno, "%s", from);
    return OK;
}

/* SQLite's own files go with their database, and would be taken for the new
 * one's; they may not be there. */
static enum status move_beside(const char *from, const char *to,
                               const char *suffix, struct error *err)
{
    struct text old, new;
    enum status status;

    text_init(&old);
    text_init(&new);
    status = text_printf(&old, err, "%s%s", from, suffix);
    if (status == OK)
        status = text_printf(&new, err, "%s%s", to, suffix);
    if (status == OK && unlink(new.data) != 0 && errno != ENOENT)
        status = error_set_errno(err, E_IO, errno, "%s", new.data);
    if (status == OK && rename(old.data, new.data) != 0 && errno != ENOENT)
        status = error_set_errno(err, E_IO, errno, "%s", old.data);
    text_clear(&old);
    text_clear(&new);
    return status;
}

/* Everything goes on from what is in the database now. */
static void finish(struct node *node)
{
    struct catchup *catchup = node->catchup;

    catchup->running = false;
    catchup->healing = false;
    catchup->working = false;
    catchup->goal_index = catchup->goal_size = 0;
    log_info("all blocks are here: size %ju", (uintmax_t)node->tip.size);
    release_held(node);
    anchor_restart(node);
}

/* The damaged file keeps its name until the new one takes it, at once: whoever
 * starts after a crash in between finds the one or the other. */
static enum status exchange_files(const struct catchup *catchup,
                                  const char *path, struct error *err)
{
    const char *aside = catchup->damaged_path.data;
    enum status status;

    if (unlink(aside) != 0 && errno != ENOENT)
        return error_set_errno(err, E_IO, errno, "%s", aside);
    if (link(path, aside) != 0)
        return error_set_errno(err, E_IO, errno, "%s", aside);
    status = move_beside(path, aside, "-wal", err);
    if (status == OK)
        status = move_beside(path, aside, "-shm", err);
    if (status != OK)
        return status;
    /* Nobody has it any more, and nobody misses it. */
    (void)unlink(catchup->fresh_lock.data);
    return move(catchup->fresh_path.data, path, err);
}

/* On the loop, while both lanes rest: nobody has either file open but for
 * admission, which belongs to the loop. */
static enum status exchange(struct node *node, struct error *err)
{
    enum status status;

    registry_destroy(&node->registry);
    ledger_store_close(&node->admission_store);
    status = exchange_files(node->catchup, node->options.database, err);
    if (status == OK)
        status = node_open_store(node, err);
    if (status == OK)
        status = executor_create(&node->executor, node->options.genesis,
                                 node->store, node->crew, err);
    return status == OK ? node_open_readers(node, err) : status;
}

/* Both lanes have closed what they had open. */
static void end_healing(struct node *node)
{
    const struct close_job *job = &node->catchup->close_writing;
    struct error err = job->err;
    enum status status = job->status;

    if (status == OK)
        status = exchange(node, &err);
    if (status != OK) {
        /* Without a database there is no node; started again, it finds what
         * there is and goes on from there. */
        (void)!error_wrap(&err, "the healed database cannot be used");
        node_fail(node, &err);
        return;
    }
    node_read_tip(node->executor, &node->tip);
    node->healed = true;
    node->damaged = false;
    node->scrub_next = 0;
    node->anchored = 0;
    atomic_store(&node->halted, false);
    finish(node);
}

static void close_reading_work(struct lane_job *lane_job)
{
    struct close_job *job = (struct close_job *)lane_job;

    reader_close(&job->node->reader);
}

/* What was cosigned is carried over: the promise outlives the file. */
static void close_writing_work(struct lane_job *lane_job)
{
    struct close_job *job = (struct close_job *)lane_job;
    struct node *node = job->node;
    struct catchup *catchup = node->catchup;

    job->status = OK;
    if (node->promise.size > 0)
        job->status =
            ledger_store_set_cosigned(catchup->fresh_store, node->promise.size,
                                      &node->promise.root, &job->err);
    if (job->status == OK)
        job->status = ledger_store_sync(catchup->fresh_store, &job->err);
    executor_destroy(&catchup->fresh);
    ledger_store_close(&catchup->fresh_store);
    executor_destroy(&node->executor);
    ledger_store_close(&node->store);
}

static void close_done(struct lane_job *lane_job)
{
    struct node *node = ((struct close_job *)lane_job)->node;

    node->catchup->open_lanes--;
    if (node->catchup->open_lanes == 0 && !atomic_load(&node->closing))
        end_healing(node);
}

/* To sync, it has nothing open, but uses what the writing lane has. */
static void rest_syncing_work(struct lane_job *lane_job)
{
    (void)lane_job;
}

static void rest_syncing_done(struct lane_job *lane_job)
{
    struct node *node = ((struct close_job *)lane_job)->node;
    struct catchup *catchup = node->catchup;

    if (atomic_load(&node->closing))
        return;
    catchup->open_lanes = 2;
    catchup->close_reading = (struct close_job){
        .job = {.work = close_reading_work, .done = close_done}, .node = node};
    catchup->close_writing = (struct close_job){
        .job = {.work = close_writing_work, .done = close_done}, .node = node};
    lane_push(node->reading, &catchup->close_reading.job);
    lane_push(node->writing, &catchup->close_writing.job);
}

static void finish_pulling(struct node *node)
{
    struct catchup *catchup = node->catchup;

    if (!catchup->healing) {
        finish(node);
        return;
    }
    catchup->working = true;
    catchup->rest_syncing = (struct close_job){
        .job = {.work = rest_syncing_work, .done = rest_syncing_done},
        .node = node};
    lane_push(node->syncing, &catchup->rest_syncing.job);
}

/* ---- blocks that came ---- */

struct pull_job {
    struct lane_job job;
    struct node *node;
    struct executor *executor; /* into which */
    bool healing;
    struct text blocks;
    uint64_t executed; /* by the peer, if these are its last; or STORE_NONE */
    bool any;
    struct tip tip;
    enum status status;
    struct error err;
};

/* header || batch */
static enum status execute_block(struct executor *executor, struct bytes bytes,
                                 struct error *err)
{
    const struct executed *executed;
    struct block block, last;
    struct digest hash;
    struct batch batch;
    enum status status;

    if (bytes.size < BLOCK_HEADER_SIZE)
        return error_set(err, E_INPUT, "a block that is cut off");
    block_decode(&block, bytes.data);
    /* It was on its way when we asked. */
    if (executor_block(executor, &last, &hash) && block.number <= last.number)
        return OK;
    status = batch_parse(&batch,
                         bytes_of(bytes.data + BLOCK_HEADER_SIZE,
                                  bytes.size - BLOCK_HEADER_SIZE),
                         err);
    if (status != OK)
        return status;
    status = executor_replay(executor, &block, batch.item, batch.count,
                             &executed, err);
    batch_clear(&batch);
    return status;
}

static enum status execute_blocks(struct pull_job *job)
{
    struct bytes left = text_bytes(&job->blocks);

    while (left.size > 0 && !atomic_load(&job->node->closing)) {
        struct bytes block;
        size_t size;
        enum status status;

        size = left.size < 4 ? 0 : get_be32(left.data);
        if (left.size < 4 || left.size - 4 < size)
            return error_set(&job->err, E_INPUT, "blocks that are cut off");
        block = bytes_of(left.data + 4, size);
        left = bytes_of(left.data + 4 + size, left.size - 4 - size);
        status = execute_block(job->executor, block, &job->err);
        if (status != OK)
            return status;
        job->any = true;
    }
    return OK;
}

static void pull_work(struct lane_job *lane_job)
{
    struct pull_job *job = (struct pull_job *)lane_job;

    job->status = execute_blocks(job);
    node_read_tip(job->executor, &job->tip);
}

static uint64_t block_after(const struct tip *tip)
{
    return tip->size == 0 ? 0 : tip->block + 1;
}

static void next_peer(struct node *node)
{
    struct catchup *catchup = node->catchup;

    catchup->waiting = false;
    catchup->peer = (catchup->peer + 1) % node->options.peer_count;
}

static void pause_pulling(struct node *node)
{
    node->catchup->pause_until_ms = uv_now(node->options.loop) + PULL_PAUSE_MS;
}

static void take_failure(struct node *node, const struct pull_job *job)
{
    struct catchup *catchup = node->catchup;

    log_warning("blocks from %s: %s",
                node->options.peer[catchup->peer].endpoint, job->err.text);
    next_peer(node);
    pause_pulling(node);
    if (job->status == E_INPUT)
        catchup->failures++;
    /* Nobody's blocks fit: it is the database that they do not fit to. */
    if (!job->healing && catchup->failures > 2 * node->options.peer_count)
        node_damaged(node, &job->err);
}

static void take_success(struct node *node, const struct pull_job *job)
{
    struct catchup *catchup = node->catchup;

    catchup->failures = 0;
    drop_held(catchup, job->tip.raft_index);
    if (job->executed != STORE_NONE && job->executed >= catchup->goal_index &&
        job->tip.size >= catchup->goal_size) {
        finish_pulling(node);
        return;
    }
    /* A peer may be behind itself. */
    if (job->executed != STORE_NONE) {
        next_peer(node);
        pause_pulling(node);
    }
    catchup_tick(node);
}

static void pull_done(struct lane_job *lane_job)
{
    struct pull_job *job = (struct pull_job *)lane_job;
    struct node *node = job->node;
    struct catchup *catchup = node->catchup;

    if (!job->healing)
        node->tip = job->tip;
    catchup->working = false;
    /* Healing may have begun meanwhile, with another database. */
    if (!atomic_load(&node->closing) && job->healing == catchup->healing) {
        catchup->next_block = block_after(&job->tip);
        if (job->status != OK)
            take_failure(node, job);
        else
            take_success(node, job);
    }
    text_clear(&job->blocks);
    free(job);
}

static enum status push_pull(struct node *node, const struct message *message,
                             struct error *err)
{
    struct catchup *catchup = node->catchup;
    struct bytes blocks = message_bytes(message, BLOCKS_BLOCKS);
    struct pull_job *job = calloc(1, sizeof *job);
    enum status status;

    if (job == NULL)
        return error_memory(err, "blocks");
    job->job.work = pull_work;
    job->job.done = pull_done;
    job->node = node;
    job->healing = catchup->healing;
    job->executor = catchup->healing ? catchup->fresh : node->executor;
    job->executed = message_number(message, BLOCKS_EXECUTED);
    text_init(&job->blocks);
    error_init(&job->err);
    status = text_append(&job->blocks, blocks.data, blocks.size, err);
    if (status != OK) {
        free(job);
        return status;
    }
    catchup->working = true;
    lane_push(node->writing, &job->job);
    return OK;
}

static bool is_answer(const struct node *node, const struct message *message)
{
    const struct catchup *catchup = node->catchup;

    return catchup->waiting && !atomic_load(&node->closing) &&
           memcmp(message->request_id, catchup->request_id,
                  sizeof message->request_id) == 0;
}

static void on_blocks(struct bus *bus, const struct bus_sender *sender,
                      const struct message *message, void *context)
{
    struct node *node = context;
    struct error err;

    (void)bus;
    (void)sender;
    if (!is_answer(node, message))
        return;
    node->catchup->waiting = false;
    if (push_pull(node, message, &err) != OK) {
        log_warning("pulling blocks: %s", err.text);
        pause_pulling(node);
    }
}

void catchup_failed(struct node *node, const struct message *message)
{
    if (!is_answer(node, message))
        return;
    next_peer(node);
    pause_pulling(node);
}

/* ---- asking ---- */

static void ask(struct node *node)
{
    struct catchup *catchup = node->catchup;
    struct message request;
    struct error err;

    if (!node->link_ready[catchup->peer]) {
        next_peer(node);
        return;
    }
    if (bus_request_id(catchup->request_id, &err) != OK)
        return;
    message_init(&request, MESSAGE_PULL, catchup->request_id);
    message_set_number(&request, PULL_FROM, catchup->next_block);
    if (bus_send(node->bus, node->link[catchup->peer], &request, &err) != OK) {
        next_peer(node);
        return;
    }
    catchup->waiting = true;
    catchup->asked_ms = uv_now(node->options.loop);
}

/* SQLite's own files go with their database: those of another one would be
 * taken for this one's. */
static enum status unlink_fresh(const struct catchup *catchup,
                                struct error *err)
{
    static const char *const suffix[] = {"", "-wal", "-shm"};
    struct text path;
    enum status status = OK;

    text_init(&path);
    for (size_t i = 0; status == OK && i < sizeof suffix / sizeof suffix[0];
         i++) {
        text_reset(&path);
        status = text_printf(&path, err, "%s%s", catchup->fresh_path.data,
                             suffix[i]);
        if (status == OK && unlink(path.data) != 0 && errno != ENOENT)
            status = error_set_errno(err, E_IO, errno, "%s", path.data);
    }
    text_clear(&path);
    return status;
}

static enum status open_fresh(struct node *node, struct error *err)
{
    struct catchup *catchup = node->catchup;
    enum status status = unlink_fresh(catchup, err);

    if (status == OK)
        status =
            ledger_store_open(&catchup->fresh_store, catchup->fresh_path.data,
                              &node->options.genesis->digest, err);
    if (status == OK)
        status = executor_create(&catchup->fresh, node->options.genesis,
                                 catchup->fresh_store, node->crew, err);
    if (status != OK)
        ledger_store_close(&catchup->fresh_store);
    return status;
}

/* False: not now. */
static bool is_ready(struct node *node)
{
    struct catchup *catchup = node->catchup;
    struct error err;

    if (!catchup->healing || catchup->fresh != NULL)
        return true;
    if (open_fresh(node, &err) == OK)
        return true;
    log_error("no database to heal into: %s", err.text);
    pause_pulling(node);
    return false;
}

void catchup_tick(struct node *node)
{
    struct catchup *catchup = node->catchup;
    uint64_t now_ms = uv_now(node->options.loop);

    if (!catchup->running || catchup->working ||
        node->options.peer_count == 0 || atomic_load(&node->closing) ||
        now_ms < catchup->pause_until_ms)
        return;
    if (catchup->waiting && now_ms - catchup->asked_ms > PULL_PATIENCE_MS)
        next_peer(node);
    if (!catchup->waiting && is_ready(node))
        ask(node);
}

static void begin(struct node *node, uint64_t first_block)
{
    struct catchup *catchup = node->catchup;

    catchup->running = true;
    catchup->waiting = false;
    catchup->failures = 0;
    catchup->pause_until_ms = 0;
    catchup->next_block = first_block;
    catchup_tick(node);
}

void catchup_until(struct node *node, uint64_t raft_index, uint64_t size)
{
    struct catchup *catchup = node->catchup;

    if (catchup->goal_index < raft_index)
        catchup->goal_index = raft_index;
    if (catchup->goal_size < size)
        catchup->goal_size = size;
    if (catchup->running)
        return;
    log_info("pulling blocks up to batch %ju, size %ju", (uintmax_t)raft_index,
             (uintmax_t)size);
    begin(node, block_after(&node->tip));
}

void catchup_heal(struct node *node)
{
    struct catchup *catchup = node->catchup;

    if (catchup->healing || atomic_load(&node->closing))
        return;
    catchup->healing = true;
    if (catchup->goal_index < node->tip.raft_index)
        catchup->goal_index = node->tip.raft_index;
    begin(node, 0);
}

/* ---- life ---- */

enum status catchup_open(struct node *node, struct error *err)
{
    struct catchup *catchup = calloc(1, sizeof *catchup);
    enum status status;

    if (catchup == NULL)
        return error_memory(err, "pulling blocks");
    node->catchup = catchup;
    text_init(&catchup->fresh_path);
    text_init(&catchup->fresh_lock);
    text_init(&catchup->damaged_path);
    status = text_printf(&catchup->fresh_path, err, "%s.fresh",
                         node->options.database);
    if (status == OK)
        status = text_printf(&catchup->fresh_lock, err, "%s.fresh.lock",
                             node->options.database);
    if (status == OK)
        status = text_printf(&catchup->damaged_path, err, "%s.damaged",
                             node->options.database);
    bus_handle(node->bus, MESSAGE_BLOCKS, on_blocks, node);
    return status;
}

void catchup_close(struct node *node)
{
    struct catchup *catchup = node->catchup;

    if (catchup == NULL)
        return;
    drop_held(catchup, UINT64_MAX);
    executor_destroy(&catchup->fresh);
    ledger_store_close(&catchup->fresh_store);
    text_clear(&catchup->fresh_path);
    text_clear(&catchup->fresh_lock);
    text_clear(&catchup->damaged_path);
    free(catchup);
    node->catchup = NULL;
}
