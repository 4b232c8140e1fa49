#include "common/crew.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "common/limits.h"

struct crew {
    pthread_mutex_t lock;
    pthread_cond_t begin, end;
    void (*task)(void *context, size_t index);
    void *context;
    size_t count;
    atomic_size_t next;
    unsigned long run; /* which one this is */
    unsigned busy;     /* threads that have not finished it */
    bool stop;
    unsigned thread_count;
    pthread_t thread[];
};

static void take_tasks(struct crew *crew)
{
    size_t index;

    while ((index = atomic_fetch_add(&crew->next, 1)) < crew->count)
        crew->task(crew->context, index);
}

static void *member(void *argument)
{
    struct crew *crew = argument;
    unsigned long done = 0;

    pthread_mutex_lock(&crew->lock);
    for (;;) {
        while (!crew->stop && crew->run == done)
            pthread_cond_wait(&crew->begin, &crew->lock);
        if (crew->stop)
            break;
        done = crew->run;
        pthread_mutex_unlock(&crew->lock);
        take_tasks(crew);
        pthread_mutex_lock(&crew->lock);
        if (--crew->busy == 0)
            pthread_cond_signal(&crew->end);
    }
    pthread_mutex_unlock(&crew->lock);
    return NULL;
}

enum status crew_create(struct crew **out, unsigned threads, struct error *err)
{
    struct crew *crew;

    *out = NULL;
    if (threads > THREADS_MAX)
        return error_set(err, E_LIMIT, "%u threads, at most %d", threads,
                         THREADS_MAX);
    crew = calloc(1, sizeof *crew + threads * sizeof crew->thread[0]);
    if (crew == NULL)
        return error_memory(err, "threads");
    pthread_mutex_init(&crew->lock, NULL);
    pthread_cond_init(&crew->begin, NULL);
    pthread_cond_init(&crew->end, NULL);
    while (crew->thread_count < threads) {
        if (pthread_create(&crew->thread[crew->thread_count], NULL, member,
                           crew) != 0) {
            crew_destroy(&crew);
            return error_set(err, E_SYSTEM, "a thread cannot be started");
        }
        crew->thread_count++;
    }
    *out = crew;
    return OK;
}

void crew_destroy(struct crew **handle)
{
    struct crew *crew = *handle;

    if (crew == NULL)
        return;
    pthread_mutex_lock(&crew->lock);
    crew->stop = true;
    pthread_cond_broadcast(&crew->begin);
    pthread_mutex_unlock(&crew->lock);
    for (unsigned i = 0; i < crew->thread_count; i++)
        pthread_join(crew->thread[i], NULL);
    pthread_cond_destroy(&crew->begin);
    pthread_cond_destroy(&crew->end);
    pthread_mutex_destroy(&crew->lock);
    free(crew);
    *handle = NULL;
}

void crew_run(struct crew *crew, size_t count,
              void (*task)(void *context, size_t index), void *context)
{
    /* Waking the others costs more than one or two tasks. */
    if (crew->thread_count == 0 || count < 3) {
        for (size_t i = 0; i < count; i++)
            task(context, i);
        return;
    }
    pthread_mutex_lock(&crew->lock);
    crew->task = task;
    crew->context = context;
    crew->count = count;
    atomic_store(&crew->next, 0);
    crew->busy = crew->thread_count;
    crew->run++;
    pthread_cond_broadcast(&crew->begin);
    pthread_mutex_unlock(&crew->lock);
    take_tasks(crew);
    pthread_mutex_lock(&crew->lock);
    while (crew->busy > 0)
        pthread_cond_wait(&crew->end, &crew->lock);
    pthread_mutex_unlock(&crew->lock);
}
