#include <stdlib.h>

#include "common/log.h"
#include "ledger/node_internal.h"

/* ---- what is read ---- */

struct read_job {
    struct lane_job job;
    struct node *node;
    uint64_t peer;
    struct message request;
    struct text field; /* what the request's field borrows */
    struct answer answer;
    enum status status;
    struct error err;
};

static void read_work(struct lane_job *lane_job)
{
    struct read_job *job = (struct read_job *)lane_job;

    job->status = reader_answer(job->node->reader, &job->request, &job->answer,
                                &job->err);
}

static void read_done(struct lane_job *lane_job)
{
    struct read_job *job = (struct read_job *)lane_job;
    struct node *node = job->node;
    struct error err;

    if (job->status == E_INPUT && !atomic_load(&node->closing))
        node_damaged(node, &job->err);
    if (job->status != OK)
        node_refuse(node, job->peer, job->request.request_id, &job->err,
                    job->status != E_NO);
    else if (bus_send(node->bus, job->peer, &job->answer.message, &err) != OK)
        log_debug("an answer found nobody: %s", err.text);
    answer_clear(&job->answer);
    text_clear(&job->field);
    free(job);
}

static enum status push_read(struct node *node, const struct bus_sender *sender,
                             const struct message *message, struct error *err)
{
    struct read_job *job;
    struct bytes *borrowed;
    enum status status;

    if (atomic_load(&node->closing))
        return error_set(err, E_SYSTEM, "the node is stopping");
    if (node->damaged)
        return error_set(err, E_SYSTEM, "this node is healing its database");
    job = calloc(1, sizeof *job);
    if (job == NULL)
        return error_memory(err, "an answer");
    job->job.work = read_work;
    job->job.done = read_done;
    job->node = node;
    job->peer = sender->peer;
    job->request = *message;
    answer_init(&job->answer);
    text_init(&job->field);
    /* Questions have one field of bytes at most, the first. */
    borrowed = &job->request.field[0].bytes;
    status = text_append(&job->field, borrowed->data, borrowed->size, err);
    if (status != OK) {
        text_clear(&job->field);
        free(job);
        return status;
    }
    *borrowed = text_bytes(&job->field);
    lane_push(node->reading, &job->job);
    return OK;
}

static void on_question(struct bus *bus, const struct bus_sender *sender,
                        const struct message *message, void *context)
{
    struct node *node = context;
    struct error err;

    (void)bus;
    if (push_read(node, sender, message, &err) != OK)
        node_refuse(node, sender->peer, message->request_id, &err, true);
}

/* ---- what is known ---- */

/* Of what this node asked its peers. */
static void on_failed(struct bus *bus, const struct bus_sender *sender,
                      const struct message *message, void *context)
{
    struct node *node = context;

    (void)bus;
    if (atomic_load(&node->closing))
        return;
    anchor_failed(node, sender, message);
    catchup_failed(node, message);
}

static void on_status(struct bus *bus, const struct bus_sender *sender,
                      const struct message *message, void *context)
{
    struct node *node = context;
    struct message answer;
    struct error err;

    if (atomic_load(&node->closing)) {
        (void)!error_set(&err, E_SYSTEM, "the node is stopping");
        node_refuse(node, sender->peer, message->request_id, &err, true);
        return;
    }
    message_init(&answer, MESSAGE_STATE, message->request_id);
    message_set_string(&answer, STATE_ROLE,
                       node->damaged
                           ? "healing"
                           : replica_state_name(node->replica_status.state));
    message_set_string(&answer, STATE_LEADER, node_leader_name(node));
    message_set_number(&answer, STATE_TERM, node->replica_status.term);
    message_set_number(&answer, STATE_SIZE, node->tip.size);
    message_set_number(&answer, STATE_BLOCK, node->tip.block);
    message_set_bytes(&answer, STATE_ROOT,
                      bytes_of(node->tip.root.byte, DIGEST_SIZE));
    message_set_number(&answer, STATE_ANCHORED, node->anchored);
    message_set_number(&answer, STATE_BEHIND, lane_backlog(node->writing));
    if (bus_send(bus, sender->peer, &answer, &err) != OK)
        log_debug("an answer found nobody: %s", err.text);
}

void node_answer(struct node *node)
{
    static const enum message_type questions[] = {
        MESSAGE_SHOW,   MESSAGE_FIND,       MESSAGE_HISTORY, MESSAGE_PROVE,
        MESSAGE_EXTEND, MESSAGE_CHECKPOINT, MESSAGE_PULL,
    };

    for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++)
        bus_handle(node->bus, questions[i], on_question, node);
    bus_handle(node->bus, MESSAGE_STATUS, on_status, node);
    bus_handle(node->bus, MESSAGE_FAILED, on_failed, node);
}
