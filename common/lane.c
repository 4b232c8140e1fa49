#include "common/lane.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <uv.h>

struct queue {
    struct lane_job *first;
    struct lane_job **last; /* where the next one goes */
};

struct lane {
    uv_async_t worked; /* tells the loop */
    pthread_t thread;
    bool started;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t pushed;
    struct queue to_work, to_do; /* work, then done */
    bool stop;
    size_t backlog; /* the loop's */
    void (*closed)(void *context);
    void *context;
};

static void queue_init(struct queue *queue)
{
    queue->first = NULL;
    queue->last = &queue->first;
}

static void queue_put(struct queue *queue, struct lane_job *job)
{
    job->next = NULL;
    *queue->last = job;
    queue->last = &job->next;
}

static struct lane_job *queue_take_all(struct queue *queue)
{
    struct lane_job *first = queue->first;

    queue_init(queue);
    return first;
}

static void *run(void *argument)
{
    struct lane *lane = argument;

    pthread_mutex_lock(&lane->lock);
    for (;;) {
        struct lane_job *job, *next;

        while (lane->to_work.first == NULL && !lane->stop)
            pthread_cond_wait(&lane->pushed, &lane->lock);
        job = queue_take_all(&lane->to_work);
        if (job == NULL)
            break;
        for (; job != NULL; job = next) {
            next = job->next;
            pthread_mutex_unlock(&lane->lock);
            job->work(job);
            pthread_mutex_lock(&lane->lock);
            queue_put(&lane->to_do, job);
            uv_async_send(&lane->worked);
        }
    }
    pthread_mutex_unlock(&lane->lock);
    return NULL;
}

static void finish_jobs(uv_async_t *handle)
{
    struct lane *lane = handle->data;
    struct lane_job *job, *next;

    pthread_mutex_lock(&lane->lock);
    job = queue_take_all(&lane->to_do);
    pthread_mutex_unlock(&lane->lock);
    for (; job != NULL; job = next) {
        next = job->next;
        lane->backlog--;
        job->done(job);
    }
}

enum status lane_open(struct lane **out, struct uv_loop_s *loop,
                      struct error *err)
{
    struct lane *lane = calloc(1, sizeof *lane);

    *out = NULL;
    if (lane == NULL)
        return error_memory(err, "a thread");
    queue_init(&lane->to_work);
    queue_init(&lane->to_do);
    pthread_mutex_init(&lane->lock, NULL);
    pthread_cond_init(&lane->pushed, NULL);
    if (uv_async_init(loop, &lane->worked, finish_jobs) != 0) {
        free(lane);
        return error_set(err, E_SYSTEM, "the loop takes no more handles");
    }
    lane->worked.data = lane;
    if (pthread_create(&lane->thread, NULL, run, lane) != 0) {
        lane_close(&lane, NULL, NULL);
        return error_set(err, E_SYSTEM, "a thread cannot be started");
    }
    lane->started = true;
    *out = lane;
    return OK;
}

void lane_push(struct lane *lane, struct lane_job *job)
{
    assert(job->work != NULL && job->done != NULL);
    lane->backlog++;
    pthread_mutex_lock(&lane->lock);
    assert(!lane->stop);
    queue_put(&lane->to_work, job);
    pthread_cond_signal(&lane->pushed);
    pthread_mutex_unlock(&lane->lock);
}

size_t lane_backlog(const struct lane *lane)
{
    return lane->backlog;
}

static void handle_closed(uv_handle_t *handle)
{
    struct lane *lane = handle->data;

    pthread_mutex_destroy(&lane->lock);
    pthread_cond_destroy(&lane->pushed);
    if (lane->closed != NULL)
        lane->closed(lane->context);
    free(lane);
}

void lane_close(struct lane **handle, void (*closed)(void *context),
                void *context)
{
    struct lane *lane = *handle;

    if (lane == NULL)
        return;
    *handle = NULL;
    lane->closed = closed;
    lane->context = context;
    pthread_mutex_lock(&lane->lock);
    lane->stop = true;
    pthread_cond_signal(&lane->pushed);
    pthread_mutex_unlock(&lane->lock);
    /* The lane empties its queue before it ends; what it worked last is done
     * here. */
    if (lane->started)
        pthread_join(lane->thread, NULL);
    finish_jobs(&lane->worked);
    uv_close((uv_handle_t *)&lane->worked, handle_closed);
}
