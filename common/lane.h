/*
 * common/lane.h - one thread beside the loop, that does its jobs in order.
 *
 *     loop:   lane_push(job) ... lane_push(job)            done(job) done(job)
 *                  |                                           ^
 *     lane:        +-> work(job) -> work(job) -----------------+
 *
 * What blocks (the database, signatures) runs here; the loop comes round.
 * push, done and close belong to the loop's thread, work to the lane's.
 */
#ifndef COMMON_LANE_H
#define COMMON_LANE_H

#include <stddef.h>

#include "common/error.h"

struct uv_loop_s;
struct lane;

/* Part of a struct of the owner's, which lives until done() was called. */
struct lane_job {
    void (*work)(struct lane_job *job); /* on the lane */
    void (*done)(struct lane_job *job); /* on the loop, in order */
    struct lane_job *next;
};

MUST_USE enum status lane_open(struct lane **lane, struct uv_loop_s *loop,
                               struct error *err);

void lane_push(struct lane *lane, struct lane_job *job);

/* Jobs pushed and not yet done: how far the lane trails. */
size_t lane_backlog(const struct lane *lane);

/* All that was pushed is still worked and done; then `closed` comes from the
 * loop.  Nothing may be pushed any more.  Nulls *lane, accepts NULL in it
 * (closed is then not called). */
void lane_close(struct lane **lane, void (*closed)(void *context),
                void *context);

#endif
