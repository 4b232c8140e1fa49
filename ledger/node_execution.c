#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/log.h"
#include "ledger/node_internal.h"
#include "ledger/transport.h"

/* Pause before an execution that failed for want of disk or memory is tried
 * again. */
#define EXECUTE_RETRY_MS 200L

struct execute_job {
    struct lane_job job;
    struct node *node;
    uint64_t raft_index;
    struct text batch;
    struct outcome *outcome;
    uint32_t count;
    struct tip tip;
    enum status status;
    struct error err;
};

void node_read_tip(const struct executor *executor, struct tip *tip)
{
    struct digest hash;
    struct block block;

    executor_tip(executor, &tip->size, &tip->root);
    tip->raft_index = executor_raft_index(executor);
    tip->block = 0;
    if (executor_block(executor, &block, &hash)) {
        tip->block = block.number;
        tip->time_ms = block.time_ms;
    }
}

static enum status keep_outcomes(struct execute_job *job,
                                 const struct executed *executed)
{
    if (executed->count == 0)
        return OK;
    job->outcome = malloc(executed->count * sizeof *job->outcome);
    if (job->outcome == NULL)
        return error_memory(&job->err, "what was executed");
    memcpy(job->outcome, executed->outcome,
           executed->count * sizeof *job->outcome);
    job->count = executed->count;
    return OK;
}

static void wait_for_better(struct execute_job *job, bool *told)
{
    struct timespec pause = {0, EXECUTE_RETRY_MS * 1000000};

    atomic_store(&job->node->stalled, true);
    if (!*told)
        log_error("cannot execute, trying again: %s", job->err.text);
    *told = true;
    nanosleep(&pause, NULL);
}

/* Executed in order or not at all: behind one that is not, none is. */
static bool may_execute(struct node *node)
{
    return !atomic_load(&node->closing) && !atomic_load(&node->halted);
}

/* What was ordered must be executed: a full disk is waited out, since nothing
 * can come after it. */
static void execute_work(struct lane_job *lane_job)
{
    struct execute_job *job = (struct execute_job *)lane_job;
    struct node *node = job->node;
    const struct executed *executed;
    bool told = false;

    job->status = E_CANCELLED;
    while (may_execute(node)) {
        job->status =
            executor_apply(node->executor, job->raft_index,
                           text_bytes(&job->batch), &executed, &job->err);
        if (job->status == OK || job->status == E_INPUT)
            break;
        wait_for_better(job, &told);
        job->status = E_CANCELLED;
    }
    if (job->status == E_INPUT)
        atomic_store(&node->halted, true);
    while (job->status == OK && keep_outcomes(job, executed) != OK &&
           !atomic_load(&node->closing))
        wait_for_better(job, &told);
    if (told && job->status == OK)
        log_info("executing again");
    if (told)
        atomic_store(&node->stalled, false);
    if (job->status == OK)
        node_read_tip(node->executor, &job->tip);
}

static void forget_revoked(struct node *node, const struct outcome *outcome,
                           uint32_t count)
{
    bool changed = false;

    for (uint32_t i = 0; i < count; i++) {
        changed |= outcome[i].changes_identities;
        if (outcome[i].revoked[0] != '\0')
            (void)bus_forget(node->bus, outcome[i].revoked);
    }
    if (!changed)
        return;
    registry_reset(node->registry);
    /* None any more while closing. */
    if (node->replica != NULL)
        transport_review(replica_transport(node->replica));
}

static void execute_done(struct lane_job *lane_job)
{
    struct execute_job *job = (struct execute_job *)lane_job;
    struct node *node = job->node;

    if (job->status == OK) {
        node->tip = job->tip;
        /* It was under way when healing began; the new one needs it, too. */
        if (catchup_running(node))
            catchup_until(node, job->raft_index, 0);
        if (!atomic_load(&node->closing))
            intake_executed(node, job->outcome, job->count);
        forget_revoked(node, job->outcome, job->count);
        anchor_advance(node);
    } else if (!atomic_load(&node->closing)) {
        if (job->status == E_INPUT)
            node_damaged(node, &job->err);
        catchup_hold(node, job->raft_index, text_bytes(&job->batch));
    }
    free(job->outcome);
    text_clear(&job->batch);
    free(job);
}

void node_execute(struct node *node, uint64_t raft_index, struct bytes batch)
{
    struct execute_job *job = calloc(1, sizeof *job);
    struct error err;

    if (job == NULL) {
        (void)!error_memory(&err, "a batch");
        node_fail(node, &err);
        return;
    }
    job->job.work = execute_work;
    job->job.done = execute_done;
    job->node = node;
    job->raft_index = raft_index;
    text_init(&job->batch);
    if (text_append(&job->batch, batch.data, batch.size, &err) != OK) {
        free(job);
        node_fail(node, &err);
        return;
    }
    lane_push(node->writing, &job->job);
}
