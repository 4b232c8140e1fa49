/*
 * ledger/anchor.c - gathers cosignatures for this node's checkpoints, and gives
 * its own to others.
 *
 * A round: ask the peers for lines on our newest checkpoint; when k - 1 have
 * come, sign it ourselves and store the note.  In this order, since a signature
 * is a promise for ever: a node whose log is not that of the others finds that
 * out before it has promised it to anybody.
 *
 * One round at a time; the next begins when the log has grown, after a pause.
 * The leader's is short, since it answers for what it orders; the others have
 * the same entries, and ask for themselves only so often that proofs can be had
 * of any node.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/merkle.h"
#include "common/note.h"
#include "ledger/node_internal.h"

/* From one round to the next: bounds signatures and syncs, and adds little to
 * the time until something is anchored. */
#define ANCHOR_LEADER_MS 20
#define ANCHOR_FOLLOWER_MS 250
/* A round that took long has found busy nodes; pauses are at least so many
 * times as long, and leave the lanes to what is ordered. */
#define ANCHOR_PAUSE_ROUNDS 4
/* A round that has not succeeded by then is given up for a newer one: a lane
 * that trails by seconds must still be able to end one. */
#define ANCHOR_ROUND_MS 3000
/* How long a peer's checkpoint that is ahead of this node waits for it: more
 * than a heartbeat, which tells followers what is committed. */
#define ANCHOR_PARKED_MS 1000
/* Whose block is so far ahead of our clock gets no cosignature: rules ask the
 * blocks what time it is. */
#define ANCHOR_CLOCK_MS 60000

#define NOT_NOW "this node does not cosign now"

struct cosign_job;

struct anchor {
    bool running;
    bool signing; /* our own line is being made */
    uint64_t began_ms;
    uint64_t took_ms; /* the round before */
    uint8_t request_id[MESSAGE_REQUEST_ID_SIZE];
    struct checkpoint checkpoint;
    struct text text;  /* the checkpoint's lines */
    struct text lines; /* signature lines so far */
    bool signed_by[GENESIS_NODES_MAX];
    size_t count;
    bool differs[GENESIS_NODES_MAX]; /* has another root at this size */
    bool told;                       /* that none can be made */
    bool disowned;                   /* told that the promise is broken */
    struct cosign_job *parked;       /* at most one of each peer */
};

/* ---- a cosignature by this node: promised on the writing lane, synced and
 * signed on the syncing lane ---- */

struct cosign_job {
    struct lane_job job;
    struct node *node;
    struct text text; /* the checkpoint */
    struct text line;
    uint64_t peer;                               /* who asked; 0: ourselves */
    uint8_t request_id[MESSAGE_REQUEST_ID_SIZE]; /* or the round's */
    uint64_t size;                               /* of the checkpoint */
    uint64_t promised; /* what has to be on the disk before it is signed */
    uint64_t deadline_ms;
    bool disowned; /* the log is not the one that was promised */
    enum status status;
    struct error err;
    struct cosign_job *next; /* parked */
};

static enum status root_at(struct node *node, uint64_t size,
                           struct digest *root, struct error *err)
{
    struct merkle_tree tree;
    enum status status =
        merkle_tree_load(&tree, size, ledger_store_get_node, node->store, err);

    if (status == OK)
        merkle_root(&tree, root);
    return status;
}

/* What was cosigned before must be a prefix of what is there.  If it is not,
 * the database was altered; but if all of the log was just executed anew, from
 * what the other nodes have, then the promise speaks against them, or was
 * altered itself before this node was started: nobody here can tell, and the
 * node cosigns no more. */
static enum status check_promise(struct cosign_job *job, uint64_t size)
{
    struct node *node = job->node;
    const struct promise *promise = &node->promise;
    struct digest root;
    bool is_kept = promise->size <= size;
    enum status status = OK;

    if (promise->size == 0)
        return OK;
    if (!is_kept && !node->healed)
        return error_set(&job->err, E_NO, "executed are %ju of %ju",
                         (uintmax_t)size, (uintmax_t)promise->size);
    if (is_kept) {
        status = root_at(node, promise->size, &root, &job->err);
        is_kept = memcmp(&root, &promise->root, sizeof root) == 0;
    }
    if (status != OK || is_kept)
        return status;
    job->disowned = node->healed;
    return error_set(&job->err, node->healed ? E_REFUSED : E_INPUT,
                     "the log is not the one that was cosigned at size %ju",
                     (uintmax_t)promise->size);
}

static enum status check_checkpoint(struct cosign_job *job,
                                    const struct checkpoint *checkpoint,
                                    uint64_t size, bool *differs)
{
    struct digest root, hash;
    struct block block;
    enum status status;

    *differs = false;
    if (checkpoint->size > size)
        return error_set(&job->err, E_NO, "executed are %ju of %ju",
                         (uintmax_t)size, (uintmax_t)checkpoint->size);
    if (executor_block(job->node->executor, &block, &hash) &&
        block.time_ms > clock_now_ms() + ANCHOR_CLOCK_MS)
        return error_set(&job->err, E_NO,
                         "block %ju is of a time to come; is a clock wrong?",
                         (uintmax_t)block.number);
    status = root_at(job->node, checkpoint->size, &root, &job->err);
    *differs =
        status == OK && memcmp(&root, &checkpoint->root, sizeof root) != 0;
    return status;
}

static enum status keep_promise(struct node *node,
                                const struct checkpoint *checkpoint,
                                struct error *err)
{
    enum status status = ledger_store_set_cosigned(
        node->store, checkpoint->size, &checkpoint->root, err);

    if (status != OK)
        return status;
    node->promise = (struct promise){checkpoint->size, checkpoint->root};
    node->healed = false;
    return OK;
}

/* E_INPUT: our database is altered; E_LIMIT: at this size our log has another
 * root. */
static enum status promise(struct cosign_job *job)
{
    struct node *node = job->node;
    struct checkpoint checkpoint;
    struct digest root;
    uint64_t size;
    bool differs;
    enum status status =
        checkpoint_parse(&checkpoint, text_bytes(&job->text), &job->err);

    assert(status == OK); /* it was looked at when it came */
    executor_tip(node->executor, &size, &root);
    status = check_promise(job, size);
    if (status == OK)
        status = check_checkpoint(job, &checkpoint, size, &differs);
    if (status == OK && differs)
        return error_set(&job->err, E_LIMIT,
                         "at size %ju this node's log has another root",
                         (uintmax_t)checkpoint.size);
    if (status == OK && checkpoint.size > node->promise.size)
        status = keep_promise(node, &checkpoint, &job->err);
    job->promised = node->promise.size;
    return status;
}

static void promise_work(struct lane_job *lane_job)
{
    struct cosign_job *job = (struct cosign_job *)lane_job;

    job->status = promise(job);
}

/* The promise is on the disk before the signature leaves.  What was found in
 * the database at the start may not be, though it is there. */
static enum status sync_promise(struct cosign_job *job)
{
    struct node *node = job->node;
    enum status status = OK;

    if (job->promised > node->promise_synced)
        status = ledger_store_sync(node->store, &job->err);
    if (status == OK && job->promised > node->promise_synced)
        node->promise_synced = job->promised;
    return status;
}

static void sign_work(struct lane_job *lane_job)
{
    struct cosign_job *job = (struct cosign_job *)lane_job;
    const struct node_options *options = &job->node->options;
    const char *name =
        genesis_node(options->genesis, options->id)->cosigner.name;

    job->status = sync_promise(job);
    if (job->status == OK)
        job->status =
            note_cosign(name, options->cosign_key, text_bytes(&job->text),
                        clock_now_ms() / 1000, &job->line, &job->err);
}

static void cosign_job_destroy(struct cosign_job *job)
{
    text_clear(&job->text);
    text_clear(&job->line);
    free(job);
}

static void add_line(struct node *node, size_t by, struct bytes line);

/* Place of a node in the genesis. */
static size_t place_of(const struct node *node, uint64_t id)
{
    return (size_t)(genesis_node(node->options.genesis, id) -
                    node->options.genesis->node);
}

/* Takes out the one of this peer. */
static struct cosign_job *take_parked(struct anchor *anchor, uint64_t peer)
{
    struct cosign_job **at = &anchor->parked, *job;

    while (*at != NULL && (*at)->peer != peer)
        at = &(*at)->next;
    job = *at;
    if (job != NULL)
        *at = job->next;
    return job;
}

/* Until it is executed here what the peer is ahead by.  A later question takes
 * the place of an earlier one. */
static void park(struct node *node, struct cosign_job *job)
{
    struct cosign_job *before = take_parked(node->anchor, job->peer);

    if (before != NULL)
        cosign_job_destroy(before);
    job->next = node->anchor->parked;
    node->anchor->parked = job;
}

static void end_own(struct node *node, struct cosign_job *job)
{
    struct anchor *anchor = node->anchor;

    if (!anchor->running || memcmp(job->request_id, anchor->request_id,
                                   sizeof job->request_id) != 0)
        return; /* of a round that is over */
    if (job->status == OK) {
        add_line(node, place_of(node, node->options.id),
                 text_bytes(&job->line));
        return;
    }
    anchor->running = false;
    if (job->disowned && !anchor->disowned)
        log_error("no cosignatures by this node any more: %s, though it is "
                  "what the other nodes have",
                  job->err.text);
    anchor->disowned |= job->disowned;
}

static void answer_peer(struct node *node, struct cosign_job *job)
{
    struct message answer;
    struct error err;

    if (job->status != OK) {
        /* Refused and to be tried again would say that the session is over. */
        node_refuse(node, job->peer, job->request_id, &job->err,
                    job->status != E_REFUSED);
        return;
    }
    message_init(&answer, MESSAGE_COSIGNED, job->request_id);
    message_set_bytes(&answer, COSIGNED_LINE, text_bytes(&job->line));
    if (bus_send(node->bus, job->peer, &answer, &err) != OK)
        log_debug("a cosignature found nobody: %s", err.text);
}

static void cosign_done(struct lane_job *lane_job)
{
    struct cosign_job *job = (struct cosign_job *)lane_job;
    struct node *node = job->node;

    if (atomic_load(&node->closing)) {
        cosign_job_destroy(job);
        return;
    }
    if (job->status == E_INPUT)
        node_damaged(node, &job->err);
    if (job->peer == 0) {
        end_own(node, job);
    } else if (job->status == E_NO && job->size > node->tip.size &&
               uv_now(node->options.loop) < job->deadline_ms) {
        park(node, job);
        return;
    } else {
        answer_peer(node, job);
    }
    cosign_job_destroy(job);
}

/* While blocks are pulled into a new database, nobody syncs the old one. */
static void promise_done(struct lane_job *lane_job)
{
    struct cosign_job *job = (struct cosign_job *)lane_job;
    struct node *node = job->node;

    if (job->status == OK && node->damaged)
        job->status = error_set(&job->err, E_SYSTEM, NOT_NOW);
    if (job->status != OK || atomic_load(&node->closing)) {
        cosign_done(lane_job);
        return;
    }
    job->job.work = sign_work;
    job->job.done = cosign_done;
    lane_push(node->syncing, &job->job);
}

static void push_job(struct node *node, struct cosign_job *job)
{
    text_reset(&job->line);
    error_init(&job->err);
    job->job.work = promise_work;
    job->job.done = promise_done;
    lane_push(node->writing, &job->job);
}

/* What is executed here by now, is asked again; who has waited too long is told
 * so. */
static void review_parked(struct node *node)
{
    struct cosign_job **at = &node->anchor->parked;

    while (*at != NULL) {
        struct cosign_job *job = *at;
        bool ready = job->size <= node->tip.size;

        if (!ready && uv_now(node->options.loop) < job->deadline_ms) {
            at = &job->next;
            continue;
        }
        *at = job->next;
        if (ready && node_executes(node)) {
            push_job(node, job);
            continue;
        }
        answer_peer(node, job);
        cosign_job_destroy(job);
    }
}

/* `text` is copied. */
static enum status push_cosign(struct node *node, struct bytes text,
                               uint64_t size, uint64_t peer,
                               const uint8_t *request_id, struct error *err)
{
    struct cosign_job *job = calloc(1, sizeof *job);
    enum status status;

    if (job == NULL)
        return error_memory(err, "a cosignature");
    job->node = node;
    job->peer = peer;
    text_init(&job->text);
    text_init(&job->line);
    job->size = size;
    job->deadline_ms = uv_now(node->options.loop) + ANCHOR_PARKED_MS;
    memcpy(job->request_id, request_id, sizeof job->request_id);
    status = text_append(&job->text, text.data, text.size, err);
    if (status != OK) {
        cosign_job_destroy(job);
        return status;
    }
    push_job(node, job);
    return OK;
}

/* Of this log, and of a form that can be signed? */
static enum status read_checkpoint(const struct node *node, struct bytes text,
                                   struct checkpoint *checkpoint,
                                   struct error *err)
{
    enum status status = checkpoint_parse(checkpoint, text, err);

    if (status == E_INPUT || status == E_LIMIT)
        return error_set(err, E_REFUSED, "it is not a checkpoint");
    if (status == OK &&
        strcmp(checkpoint->origin, node->options.genesis->origin) != 0)
        status = error_set(err, E_REFUSED, "a checkpoint of another log");
    return status;
}

static void on_cosign(struct bus *bus, const struct bus_sender *sender,
                      const struct message *message, void *context)
{
    struct bytes text = message_bytes(message, COSIGN_CHECKPOINT);
    struct node *node = context;
    struct checkpoint checkpoint;
    struct error err;
    enum status status;

    (void)bus;
    if (certificate_subject(sender->certificate)->role != IDENTITY_NODE)
        status = error_set(&err, E_REFUSED, "only nodes ask for cosignatures");
    else if (atomic_load(&node->closing) || node->damaged ||
             catchup_running(node))
        status = error_set(&err, E_NO, NOT_NOW);
    else
        status = read_checkpoint(node, text, &checkpoint, &err);
    if (status == OK)
        status = push_cosign(node, text, checkpoint.size, sender->peer,
                             message->request_id, &err);
    if (status != OK)
        node_refuse(node, sender->peer, message->request_id, &err,
                    status != E_REFUSED);
}

/* ---- the newest note, stored ---- */

struct store_job {
    struct lane_job job;
    struct node *node;
    uint64_t size;
    struct text note;
    enum status status;
    struct error err;
};

static void store_work(struct lane_job *lane_job)
{
    struct store_job *job = (struct store_job *)lane_job;

    job->status = ledger_store_set_anchored(job->node->store, job->size,
                                            text_bytes(&job->note), &job->err);
}

/* Once, until it goes well again: the disk may be full for hours. */
static void tell(struct node *node, enum status status, const struct error *err)
{
    if (status != OK && !node->anchor->told)
        log_error("no checkpoint: %s", err->text);
    node->anchor->told = status != OK;
}

static void store_done(struct lane_job *lane_job)
{
    struct store_job *job = (struct store_job *)lane_job;
    struct node *node = job->node;

    if (job->status == OK && job->size > node->anchored)
        node->anchored = job->size;
    if (job->status == E_INPUT && !atomic_load(&node->closing))
        node_damaged(node, &job->err);
    tell(node, job->status, &job->err);
    node->anchor->running = false;
    node->anchor->took_ms = uv_now(node->options.loop) - node->anchor->began_ms;
    text_clear(&job->note);
    free(job);
    anchor_advance(node);
}

static enum status store_note(struct node *node, struct error *err)
{
    struct anchor *anchor = node->anchor;
    struct store_job *job = calloc(1, sizeof *job);
    enum status status;

    if (job == NULL)
        return error_memory(err, "a checkpoint");
    job->job.work = store_work;
    job->job.done = store_done;
    job->node = node;
    job->size = anchor->checkpoint.size;
    text_init(&job->note);
    status = text_append(&job->note, anchor->text.data, anchor->text.size, err);
    if (status == OK)
        status = text_append(&job->note, "\n", 1, err);
    if (status == OK)
        status = text_append(&job->note, anchor->lines.data, anchor->lines.size,
                             err);
    if (status != OK) {
        text_clear(&job->note);
        free(job);
        return status;
    }
    lane_push(node->writing, &job->job);
    return OK;
}

/* ---- a round ---- */

/* Our own line, when the others' are enough with it. */
static enum status sign_last(struct node *node, struct error *err)
{
    struct anchor *anchor = node->anchor;

    if (anchor->signing ||
        anchor->count + 1 < genesis_quorum(node->options.genesis))
        return OK;
    anchor->signing = true;
    return push_cosign(node, text_bytes(&anchor->text), anchor->checkpoint.size,
                       0, anchor->request_id, err);
}

static void add_line(struct node *node, size_t by, struct bytes line)
{
    struct anchor *anchor = node->anchor;
    enum status status;
    struct error err;

    if (!anchor->running || anchor->signed_by[by] || node->damaged ||
        atomic_load(&node->closing))
        return;
    if (text_append(&anchor->lines, line.data, line.size, &err) != OK)
        return;
    anchor->signed_by[by] = true;
    anchor->count++;
    if (by == place_of(node, node->options.id))
        status = store_note(node, &err);
    else
        status = sign_last(node, &err);
    if (status != OK) {
        tell(node, status, &err);
        anchor->running = false;
    }
}

/* One peer that has another root may be wrong itself.  When k have, and this
 * node none of them, then this one is: what it executed rested on a state that
 * is not what the entries say. */
static void note_difference(struct node *node, size_t by,
                            const struct error *err)
{
    struct anchor *anchor = node->anchor;
    size_t count = 0;

    anchor->differs[by] = true;
    for (size_t i = 0; i < node->options.genesis->node_count; i++)
        count += anchor->differs[i];
    if (count >= genesis_quorum(node->options.genesis))
        node_damaged(node, err);
}

void anchor_failed(struct node *node, const struct bus_sender *sender,
                   const struct message *message)
{
    const struct genesis *genesis = node->options.genesis;
    const struct anchor *anchor = node->anchor;
    struct error err;

    if (!anchor->running ||
        memcmp(message->request_id, anchor->request_id,
               sizeof message->request_id) != 0 ||
        message_number(message, FAILED_STATUS) != E_LIMIT)
        return;
    for (size_t i = 0; i < genesis->node_count; i++)
        if (strcmp(certificate_id(genesis->node[i].certificate),
                   certificate_id(sender->certificate)) == 0) {
            log_warning("%s has another root at size %ju",
                        genesis->node[i].name,
                        (uintmax_t)anchor->checkpoint.size);
            (void)!error_set(&err, E_INPUT,
                             "at size %ju a quorum of the nodes has another "
                             "root",
                             (uintmax_t)anchor->checkpoint.size);
            note_difference(node, i, &err);
        }
}

/* Is this line a good cosignature of our checkpoint, and whose? */
static enum status judge_line(const struct node *node, struct bytes line,
                              size_t *by, struct error *err)
{
    const struct genesis *genesis = node->options.genesis;
    struct note_verifier verifier[GENESIS_NODES_MAX];
    bool signed_by[GENESIS_NODES_MAX] = {false};
    struct text bytes;
    struct note note;
    enum status status;

    for (size_t i = 0; i < genesis->node_count; i++)
        verifier[i] = genesis->node[i].cosigner;
    text_init(&bytes);
    status = text_printf(&bytes, err, "%s\n", node->anchor->text.data);
    if (status == OK)
        status = text_append(&bytes, line.data, line.size, err);
    if (status == OK)
        status = note_parse(&note, text_bytes(&bytes), err);
    if (status == OK)
        status = note_verify(&note, verifier, genesis->node_count, signed_by,
                             NULL, err);
    text_clear(&bytes);
    *by = 0;
    while (*by < genesis->node_count && !signed_by[*by])
        ++*by;
    if (status == OK && *by == genesis->node_count)
        status = error_set(err, E_REFUSED, "signed by no node");
    return status;
}

static void on_cosigned(struct bus *bus, const struct bus_sender *sender,
                        const struct message *message, void *context)
{
    struct node *node = context;
    struct bytes line = message_bytes(message, COSIGNED_LINE);
    struct error err;
    size_t by;

    (void)bus;
    if (atomic_load(&node->closing) || !node->anchor->running ||
        memcmp(message->request_id, node->anchor->request_id,
               sizeof message->request_id) != 0)
        return; /* of a round that is over */
    if (judge_line(node, line, &by, &err) == OK)
        add_line(node, by, line);
    else
        log_warning("cosignature by %s: %s",
                    certificate_subject(sender->certificate)->name, err.text);
}

static void ask_peers(struct node *node)
{
    struct message request;
    struct error err;

    message_init(&request, MESSAGE_COSIGN, node->anchor->request_id);
    message_set_bytes(&request, COSIGN_CHECKPOINT,
                      text_bytes(&node->anchor->text));
    for (size_t i = 0; i < node->options.peer_count; i++)
        if (node->link_ready[i] &&
            bus_send(node->bus, node->link[i], &request, &err) != OK)
            log_debug("a peer was not asked: %s", err.text);
}

static enum status begin_round(struct node *node, struct error *err)
{
    struct anchor *anchor = node->anchor;
    enum status status = bus_request_id(anchor->request_id, err);

    text_reset(&anchor->text);
    text_reset(&anchor->lines);
    memset(anchor->signed_by, 0, sizeof anchor->signed_by);
    memset(anchor->differs, 0, sizeof anchor->differs);
    anchor->count = 0;
    anchor->signing = false;
    anchor->checkpoint =
        (struct checkpoint){.size = node->tip.size, .root = node->tip.root};
    memcpy(anchor->checkpoint.origin, node->options.genesis->origin,
           sizeof anchor->checkpoint.origin);
    if (status == OK)
        status = checkpoint_append(&anchor->checkpoint, &anchor->text, err);
    if (status == OK)
        status = sign_last(node, err);
    if (status == OK)
        ask_peers(node);
    return status;
}

static bool is_round_due(const struct node *node)
{
    const struct anchor *anchor = node->anchor;
    uint64_t age_ms = uv_now(node->options.loop) - anchor->began_ms;
    uint64_t pause_ms = node->replica_status.state == REPLICA_LEADER
                            ? ANCHOR_LEADER_MS
                            : ANCHOR_FOLLOWER_MS;

    if (anchor->running)
        return age_ms >= ANCHOR_ROUND_MS;
    return age_ms >= pause_ms &&
           age_ms >= (1 + ANCHOR_PAUSE_ROUNDS) * anchor->took_ms;
}

void anchor_advance(struct node *node)
{
    struct anchor *anchor = node->anchor;
    struct error err;

    if (atomic_load(&node->closing))
        return;
    review_parked(node);
    if (node->damaged || catchup_running(node) ||
        node->tip.size <= node->anchored || !is_round_due(node))
        return;
    anchor->began_ms = uv_now(node->options.loop);
    anchor->running = begin_round(node, &err) == OK;
    if (!anchor->running)
        tell(node, err.status, &err);
}

void anchor_restart(struct node *node)
{
    node->anchor->running = false;
    anchor_advance(node);
}

enum status anchor_open(struct node *node, struct error *err)
{
    node->anchor = calloc(1, sizeof *node->anchor);
    if (node->anchor == NULL)
        return error_memory(err, "the checkpoints");
    text_init(&node->anchor->text);
    text_init(&node->anchor->lines);
    bus_handle(node->bus, MESSAGE_COSIGN, on_cosign, node);
    bus_handle(node->bus, MESSAGE_COSIGNED, on_cosigned, node);
    return OK;
}

void anchor_close(struct node *node)
{
    if (node->anchor == NULL)
        return;
    while (node->anchor->parked != NULL) {
        struct cosign_job *job = node->anchor->parked;

        node->anchor->parked = job->next;
        cosign_job_destroy(job);
    }
    text_clear(&node->anchor->text);
    text_clear(&node->anchor->lines);
    free(node->anchor);
    node->anchor = NULL;
}
