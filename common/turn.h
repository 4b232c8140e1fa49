/*
 * common/turn.h - threads that do one part of their work in a fixed order.
 *
 * Pieces of work are numbered 0, 1, 2, ...; each thread takes the next free
 * number, does what can be done side by side, waits for its turn, does what
 * has to come after the piece before it, and passes the turn on:
 *
 *     number = turn_take(turn);
 *     ...                          side by side
 *     if (turn_wait(turn, number)) {
 *         ...                      one at a time, in the order of numbers
 *         turn_pass(turn);
 *     }
 *
 * Who took a number either passes its turn or stops them all: else the others
 * would wait for ever.
 */
#ifndef COMMON_TURN_H
#define COMMON_TURN_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct turn {
    pthread_mutex_t lock;
    pthread_cond_t passed;
    _Atomic uint64_t taken; /* numbers given out */
    uint64_t next;          /* whose turn it is */
    bool stopped;
};

void turn_init(struct turn *turn);
void turn_clear(struct turn *turn);

/* A number that nobody has. */
uint64_t turn_take(struct turn *turn);

/* False if the turns were stopped. */
bool turn_wait(struct turn *turn, uint64_t number);
void turn_pass(struct turn *turn);

/* Nobody's turn comes any more.  May be called again, by anybody. */
void turn_stop(struct turn *turn);

#endif
