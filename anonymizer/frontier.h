/*
 * anonymizer/frontier.h - the queue of a best-first search through the
 * lattice.
 *
 * Order: bound, then sum of levels, then level vector.  Every node of the
 * lattice enters at most once: its children here raise only the dimension that
 * was raised last to reach it, or a later one.
 *
 * A node's bound and height are part of it, so that pushing needs no look at
 * the metric again.
 */
#ifndef ANONYMIZER_FRONTIER_H
#define ANONYMIZER_FRONTIER_H

#include <stdbool.h>
#include <stdint.h>

#include "anonymizer/lattice.h"
#include "anonymizer/metric.h"
#include "common/error.h"

/* A place in the total order of nodes, by bound or by score. */
struct rank {
    double score[QUASI_IDENTIFIERS_MAX];
    uint32_t height;
    uint8_t level[QUASI_IDENTIFIERS_MAX];
};

/* Score, then height, then levels; <0 if a comes first. */
int rank_compare(const struct metric *metric, const struct rank *a,
                 const struct rank *b);

/* The node with its bound as score. */
void rank_of_bound(const struct metric *metric, const uint8_t *level,
                   struct rank *rank);

struct frontier {
    const struct metric *metric;
    size_t level_count, score_count;
    double *score;    /* [slot * score_count] */
    uint32_t *height; /* [slot] */
    uint8_t *level;   /* [slot * (level_count + 1)]: levels, last raised */
    uint32_t *heap;   /* slots, the first is the next; behind count: free */
    uint32_t count, capacity, limit;
};

/* `limit`: nodes that may wait at once; a power of two, 256 or more. */
void frontier_init(struct frontier *frontier, const struct metric *metric,
                   uint32_t limit);
void frontier_clear(struct frontier *frontier);

/* The lowest node of the lattice. */
MUST_USE enum status frontier_start(struct frontier *frontier,
                                    struct error *err);

/* Look at the next one; false if there is none. */
bool frontier_peek(const struct frontier *frontier, struct rank *next);

/* level := the highest node that can come out by way of the next one.  There
 * must be one. */
void frontier_reach(const struct frontier *frontier, uint8_t *level);

/* Take the next one out with all that would come by way of it. */
void frontier_drop(struct frontier *frontier);

/* Take the next one out, and put in those of its children that come before
 * `best` (NULL: all).  There must be one. */
MUST_USE enum status frontier_advance(struct frontier *frontier,
                                      const struct rank *best,
                                      struct error *err);

#endif
