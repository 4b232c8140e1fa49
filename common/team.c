#include "common/team.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

struct seat {
    pthread_t thread;
    void (*member)(void *context, unsigned index);
    void *context;
    unsigned index;
};

static void *sit(void *argument)
{
    const struct seat *seat = argument;

    seat->member(seat->context, seat->index);
    return NULL;
}

void team_run(unsigned threads, void (*member)(void *context, unsigned index),
              void *context)
{
    struct seat *seat = NULL;
    unsigned started = 0;

    assert(threads > 0);
    if (threads > 1)
        seat = calloc(threads - 1, sizeof *seat);
    while (seat != NULL && started < threads - 1) {
        seat[started] = (struct seat){
            .member = member, .context = context, .index = started + 1};
        if (pthread_create(&seat[started].thread, NULL, sit, &seat[started]) !=
            0)
            break;
        started++;
    }
    member(context, 0);
    for (unsigned i = 0; i < started; i++)
        pthread_join(seat[i].thread, NULL);
    free(seat);
}
