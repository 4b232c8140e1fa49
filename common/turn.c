#include "common/turn.h"

void turn_init(struct turn *turn)
{
    pthread_mutex_init(&turn->lock, NULL);
    pthread_cond_init(&turn->passed, NULL);
    atomic_init(&turn->taken, 0);
    turn->next = 0;
    turn->stopped = false;
}

void turn_clear(struct turn *turn)
{
    pthread_cond_destroy(&turn->passed);
    pthread_mutex_destroy(&turn->lock);
}

uint64_t turn_take(struct turn *turn)
{
    return atomic_fetch_add(&turn->taken, 1);
}

bool turn_wait(struct turn *turn, uint64_t number)
{
    bool stopped;

    pthread_mutex_lock(&turn->lock);
    while (!turn->stopped && turn->next != number)
        pthread_cond_wait(&turn->passed, &turn->lock);
    stopped = turn->stopped;
    pthread_mutex_unlock(&turn->lock);
    return !stopped;
}

void turn_pass(struct turn *turn)
{
    pthread_mutex_lock(&turn->lock);
    turn->next++;
    pthread_cond_broadcast(&turn->passed);
    pthread_mutex_unlock(&turn->lock);
}

void turn_stop(struct turn *turn)
{
    pthread_mutex_lock(&turn->lock);
    turn->stopped = true;
    pthread_cond_broadcast(&turn->passed);
    pthread_mutex_unlock(&turn->lock);
}
