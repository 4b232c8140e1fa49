#include <stdlib.h>

#include "ledger/node_internal.h"

/* Entries checked against the tree in the background, per tick: the whole of a
 * million entries in about twenty minutes, for a few per cent of a core. */
#define SCRUB_ENTRIES 80
/* The same while the log grows by more than that: who waits for an entry comes
 * first. */
#define SCRUB_ENTRIES_BUSY 8
/* From the end of a log that is soon read to its beginning: how long damage in
 * a small log goes unnoticed. */
#define SCRUB_PAUSE_MS 1000
struct scrub_job {
    struct lane_job job;
    struct node *node;
    uint64_t from, count, next;
    enum status status;
    struct error err;
};

static void scrub_work(struct lane_job *lane_job)
{
    struct scrub_job *job = (struct scrub_job *)lane_job;

    job->status = reader_scrub(job->node->reader, job->from, job->count,
                               &job->next, &job->err);
}

static void scrub_done(struct lane_job *lane_job)
{
    struct scrub_job *job = (struct scrub_job *)lane_job;
    struct node *node = job->node;

    node->scrubbing = false;
    if (job->status == OK)
        node->scrub_next = job->next;
    else if (job->status == E_INPUT && !atomic_load(&node->closing))
        node_damaged(node, &job->err);
    if (node->scrub_next == 0)
        node->scrub_after_ms = uv_now(node->options.loop) + SCRUB_PAUSE_MS;
    free(job);
}

void node_scrub(struct node *node)
{
    struct scrub_job *job;

    if (node->scrubbing || node->damaged || node->tip.size == 0 ||
        uv_now(node->options.loop) < node->scrub_after_ms)
        return;
    job = calloc(1, sizeof *job);
    if (job == NULL)
        return; /* at the next tick */
    job->job.work = scrub_work;
    job->job.done = scrub_done;
    job->node = node;
    job->from = node->scrub_next;
    job->count = node->tip.size > node->scrub_size + SCRUB_ENTRIES
                     ? SCRUB_ENTRIES_BUSY
                     : SCRUB_ENTRIES;
    node->scrub_size = node->tip.size;
    node->scrubbing = true;
    lane_push(node->reading, &job->job);
}
