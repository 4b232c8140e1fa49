/*
 * ledger/intake.c - entries on their way in: form, batch, proposal, answer.
 */
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/entry.h"
#include "common/hash.h"
#include "common/log.h"
#include "ledger/block.h"
#include "ledger/node_internal.h"

/* Batches that are proposed and not yet answered; meanwhile entries gather.
 * One: every batch costs each node two writes to the disk, and the more is on
 * its way, the larger the next one becomes by itself. */
#define BATCHES_IN_FLIGHT_MAX 1
/* Entries of one batch: at 3,000 a second, what comes in 170 ms. */
#define INTAKE_BATCH_MAX 512
/* Under load, when the last batch had so many entries, the next one begins so
 * long after it: a batch costs each node some 0.5 ms, whatever its size.  Who
 * is alone never waits, nor do a few; of 512 at once all have room in one
 * batch. */
#define INTAKE_MANY 32
#define INTAKE_PAUSE_MS 20
/* What an entry takes in a batch besides its bytes, and the batch at its end.
 */
#define BATCH_ITEM_ROOM 16u
/* Jobs of the writing lane beyond which nothing more is ordered: what is
 * ordered and not executed makes nobody's answer come sooner, and Raft's
 * snapshots wait for it. */
#define BACKLOG_MAX 2
/* Entries that wait for an answer; beyond it clients wait in their own
 * queues. */
#define INTAKE_WAITING_MAX 8192
/* How long an entry may wait for its order and its execution. */
#define INTAKE_PATIENCE_MS 10000

/* Who waits for what becomes of an entry. */
struct waiting {
    struct digest id;
    uint64_t peer;
    uint8_t request_id[MESSAGE_REQUEST_ID_SIZE];
    uint64_t deadline_ms;
    struct waiting *next; /* in the slot */
};

#define WAITING_SLOTS 16384

struct intake {
    struct hash_key key;
    struct waiting *slot[WAITING_SLOTS];
    size_t waiting;
    struct text batch; /* that gathers */
    uint32_t count;
    struct digest gathered[INTAKE_BATCH_MAX]; /* ids of its entries */
    unsigned in_flight;
    uv_prepare_t before_sleep;
    uv_timer_t pause; /* active until the next batch may begin */
};

/* A proposal that is under way, with the ids that hang on it. */
struct proposal {
    struct node *node;
    uint32_t count;
    struct digest id[];
};

/* ---- who waits ---- */

static size_t slot_of(const struct intake *intake, const struct digest *id)
{
    return hash_bytes(&intake->key, bytes_of(id->byte, DIGEST_SIZE)) %
           WAITING_SLOTS;
}

/* Takes out all who wait for this entry. */
static struct waiting *take_waiting(struct intake *intake,
                                    const struct digest *id)
{
    struct waiting **at = &intake->slot[slot_of(intake, id)], *taken = NULL;

    while (*at != NULL) {
        struct waiting *waiting = *at;

        if (memcmp(&waiting->id, id, sizeof *id) != 0) {
            at = &waiting->next;
            continue;
        }
        *at = waiting->next;
        waiting->next = taken;
        taken = waiting;
        intake->waiting--;
    }
    return taken;
}

static bool is_awaited(const struct intake *intake, const struct digest *id)
{
    const struct waiting *at = intake->slot[slot_of(intake, id)];

    while (at != NULL && memcmp(&at->id, id, sizeof *id) != 0)
        at = at->next;
    return at != NULL;
}

static void refuse_waiting(struct node *node, const struct digest *id,
                           const struct error *err)
{
    struct waiting *waiting = take_waiting(node->intake, id), *next;

    for (; waiting != NULL; waiting = next) {
        next = waiting->next;
        node_refuse(node, waiting->peer, waiting->request_id, err, true);
        free(waiting);
    }
}

static void answer_waiting(struct node *node, const struct outcome *outcome)
{
    struct waiting *waiting = take_waiting(node->intake, &outcome->id), *next;

    for (; waiting != NULL; waiting = next) {
        struct message answer;
        struct error err;

        next = waiting->next;
        message_init(&answer, MESSAGE_SUBMITTED, waiting->request_id);
        message_set_bytes(&answer, SUBMITTED_ID,
                          bytes_of(outcome->id.byte, DIGEST_SIZE));
        message_set_number(&answer, SUBMITTED_POSITION, outcome->position);
        message_set_number(&answer, SUBMITTED_BLOCK, outcome->block);
        message_set_number(&answer, SUBMITTED_VERDICT, outcome->verdict);
        /* Who is gone asks again under the same nonce. */
        if (bus_send(node->bus, waiting->peer, &answer, &err) != OK)
            log_debug("an answer found nobody: %s", err.text);
        free(waiting);
    }
}

/* Not in the log: by nobody, or not signed. */
static void refuse_unsigned(struct node *node, const struct outcome *outcome)
{
    struct waiting *waiting = take_waiting(node->intake, &outcome->id), *next;
    struct error err;

    (void)!error_set(&err, E_REFUSED, "the entry is not in the log: %s",
                     entry_verdict_name(outcome->verdict));
    for (; waiting != NULL; waiting = next) {
        next = waiting->next;
        node_refuse(node, waiting->peer, waiting->request_id, &err, false);
        free(waiting);
    }
}

void intake_executed(struct node *node, const struct outcome *outcome,
                     uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (outcome[i].position != STORE_NONE)
            answer_waiting(node, &outcome[i]);
        else if (outcome[i].well_formed)
            refuse_unsigned(node, &outcome[i]);
}

/* ---- proposals ---- */

static void proposal_done(void *context, enum replica_outcome outcome,
                          uint64_t index)
{
    struct proposal *proposal = context;
    struct node *node = proposal->node;
    struct error err;

    (void)index;
    node->intake->in_flight--;
    /* Committed: the answer comes when it is executed. */
    if (outcome == REPLICA_UNKNOWN) {
        (void)!error_set(&err, E_SYSTEM,
                         "the leader has changed; whether the entry was "
                         "ordered is not known");
        for (uint32_t i = 0; i < proposal->count; i++)
            refuse_waiting(node, &proposal->id[i], &err);
    }
    free(proposal);
}

static void drop_batch(struct node *node, const struct error *err)
{
    struct intake *intake = node->intake;

    for (uint32_t i = 0; i < intake->count; i++)
        refuse_waiting(node, &intake->gathered[i], err);
    text_reset(&intake->batch);
    intake->count = 0;
}

/* It wakes the loop, which looks before it sleeps again. */
static void pause_over(uv_timer_t *timer)
{
    (void)timer;
}

/* On failure the batch is as it was. */
static enum status propose(struct node *node, struct error *err)
{
    struct intake *intake = node->intake;
    size_t size = intake->batch.size;
    struct proposal *proposal =
        malloc(sizeof *proposal + intake->count * sizeof proposal->id[0]);
    enum status status;

    if (proposal == NULL)
        return error_memory(err, "a proposal");
    proposal->node = node;
    proposal->count = intake->count;
    memcpy(proposal->id, intake->gathered,
           intake->count * sizeof proposal->id[0]);
    status = batch_end(&intake->batch, clock_now_ms(), intake->count, err);
    if (status == OK)
        status = replica_propose(node->replica, text_bytes(&intake->batch),
                                 proposal_done, proposal, err);
    if (status != OK) {
        /* Without what batch_end put behind it. */
        intake->batch.size = size;
        intake->batch.data[size] = '\0';
        free(proposal);
        return status;
    }
    intake->in_flight++;
    if (intake->count >= INTAKE_MANY)
        uv_timer_start(&intake->pause, pause_over, INTAKE_PAUSE_MS, 0);
    text_reset(&intake->batch);
    intake->count = 0;
    return OK;
}

/* Before the loop sleeps: what came in this turn goes out as one batch. */
static void flush(uv_prepare_t *handle)
{
    struct node *node = handle->data;
    struct intake *intake = node->intake;
    struct error err;

    /* Who leads and cannot take it just now can soon: the entries wait. */
    if (intake->count > 0 && !uv_is_active((uv_handle_t *)&intake->pause) &&
        intake->in_flight < BATCHES_IN_FLIGHT_MAX &&
        lane_backlog(node->writing) < BACKLOG_MAX &&
        propose(node, &err) != OK &&
        (err.status != E_SYSTEM ||
         replica_status(node->replica).state != REPLICA_LEADER))
        drop_batch(node, &err);
    /* What the next turn may bring still has room: nobody is sent away who can
     * wait. */
    bus_pause(node->bus, intake->waiting + BUS_BATCH_MAX > INTAKE_WAITING_MAX ||
                             intake->count + BUS_BATCH_MAX > INTAKE_BATCH_MAX ||
                             intake->batch.size > REPLICA_PAYLOAD_MAX / 2);
}

/* ---- submissions ---- */

static enum status check_form(const struct node *node, struct entry *entry,
                              const struct message *message, struct error *err)
{
    enum status status =
        entry_parse(entry, message_bytes(message, SUBMIT_ENTRY),
                    message_bytes(message, SUBMIT_SIGNATURES), err);

    if (status != OK)
        return status;
    if (strcmp(entry->origin, node->options.genesis->origin) != 0)
        status = error_set(err, E_INPUT, "the entry is for another origin");
    else if (strcmp(entry->channel, node->options.genesis->channel) != 0)
        status = error_set(err, E_INPUT, "the entry is for another channel");
    if (status != OK)
        entry_clear(entry);
    return status;
}

/* Is there room in the batch, with the sizes that stand before an entry and
 * its signatures, and the padding? */
static bool has_room(const struct intake *intake, const struct entry *entry)
{
    size_t more = 4 + entry->bytes.size + 4 + entry->signature_bytes.size + 8;

    return intake->count < INTAKE_BATCH_MAX &&
           intake->batch.size + more <= REPLICA_PAYLOAD_MAX;
}

static enum status gather(struct node *node, const struct entry *entry,
                          struct error *err)
{
    struct intake *intake = node->intake;
    enum status status = OK;

    if (intake->count > 0 && !has_room(intake, entry)) {
        if (intake->in_flight == BATCHES_IN_FLIGHT_MAX)
            return error_set(err, E_SYSTEM, "the node is busy");
        status = propose(node, err);
        if (status != OK) {
            drop_batch(node, err);
            return status;
        }
    }
    if (intake->count == 0)
        status = batch_begin(&intake->batch, err);
    if (status == OK)
        status = batch_add(&intake->batch, entry->bytes, entry->signature_bytes,
                           err);
    if (status == OK)
        intake->gathered[intake->count++] = entry->id;
    else if (intake->count == 0)
        text_reset(&intake->batch);
    return status;
}

static enum status wait_for(struct node *node, const struct entry *entry,
                            const struct bus_sender *sender,
                            const struct message *message, struct error *err)
{
    struct intake *intake = node->intake;
    struct waiting *waiting = malloc(sizeof *waiting);
    size_t slot = slot_of(intake, &entry->id);

    if (waiting == NULL)
        return error_memory(err, "an entry");
    waiting->id = entry->id;
    waiting->peer = sender->peer;
    memcpy(waiting->request_id, message->request_id,
           sizeof waiting->request_id);
    waiting->deadline_ms = uv_now(node->options.loop) + INTAKE_PATIENCE_MS;
    waiting->next = intake->slot[slot];
    intake->slot[slot] = waiting;
    intake->waiting++;
    return OK;
}

static enum status take_in(struct node *node, const struct bus_sender *sender,
                           const struct message *message, bool *retry,
                           struct error *err)
{
    struct entry entry;
    enum status status;

    *retry = true;
    if (atomic_load(&node->closing))
        return error_set(err, E_SYSTEM, "the node is stopping");
    status = check_form(node, &entry, message, err);
    if (status == E_INPUT || status == E_LIMIT)
        *retry = false;
    if (status != OK)
        return status;
    if (node->replica_status.state != REPLICA_LEADER)
        status = error_set(err, E_SYSTEM, "this node is not the leader");
    else if (!node_executes(node))
        status = error_set(err, E_SYSTEM, "this node cannot execute now");
    if (status == OK && !is_awaited(node->intake, &entry.id))
        status = gather(node, &entry, err);
    if (status == OK)
        status = wait_for(node, &entry, sender, message, err);
    entry_clear(&entry);
    return status;
}

static void on_submit(struct bus *bus, const struct bus_sender *sender,
                      const struct message *message, void *context)
{
    struct node *node = context;
    struct error err;
    bool retry;

    (void)bus;
    if (take_in(node, sender, message, &retry, &err) != OK)
        node_refuse(node, sender->peer, message->request_id, &err, retry);
}

/* ---- life ---- */

enum status intake_open(struct node *node, struct error *err)
{
    struct intake *intake = calloc(1, sizeof *intake);
    enum status status;

    if (intake == NULL)
        return error_memory(err, "the intake");
    text_init(&intake->batch);
    status = hash_key_draw(&intake->key, err);
    if (status != OK) {
        free(intake);
        return status;
    }
    node->intake = intake;
    uv_prepare_init(node->options.loop, &intake->before_sleep);
    intake->before_sleep.data = node;
    uv_prepare_start(&intake->before_sleep, flush);
    uv_timer_init(node->options.loop, &intake->pause);
    bus_handle(node->bus, MESSAGE_SUBMIT, on_submit, node);
    return OK;
}

/* Calls refuse_waiting for all whose deadline is before `now_ms`. */
static void give_up(struct node *node, uint64_t now_ms, const struct error *err)
{
    for (size_t slot = 0; slot < WAITING_SLOTS; slot++)
        for (struct waiting *at = node->intake->slot[slot]; at != NULL;) {
            struct digest id = at->id;
            bool late = at->deadline_ms <= now_ms;

            at = at->next;
            if (!late)
                continue;
            refuse_waiting(node, &id, err);
            /* The chain has changed; begin it anew. */
            at = node->intake->slot[slot];
        }
}

void intake_tick(struct node *node)
{
    struct error err;

    (void)!error_set(&err, E_SYSTEM,
                     "no quorum: the entry was not ordered and executed "
                     "within %d s",
                     INTAKE_PATIENCE_MS / 1000);
    if (node->intake->waiting > 0)
        give_up(node, uv_now(node->options.loop), &err);
}

static void last_closed(uv_handle_t *handle)
{
    struct intake *intake = handle->data;

    text_clear(&intake->batch);
    free(intake);
}

static void first_closed(uv_handle_t *handle)
{
    struct intake *intake = handle->data;

    uv_close((uv_handle_t *)&intake->before_sleep, last_closed);
}

void intake_close(struct node *node)
{
    struct error err;

    if (node->intake == NULL)
        return;
    (void)!error_set(&err, E_SYSTEM, "the node is stopping");
    drop_batch(node, &err);
    give_up(node, UINT64_MAX, &err);
    uv_prepare_stop(&node->intake->before_sleep);
    /* The node may be gone before the handles are. */
    node->intake->before_sleep.data = node->intake;
    node->intake->pause.data = node->intake;
    uv_close((uv_handle_t *)&node->intake->pause, first_closed);
    node->intake = NULL;
}
