/*
 * anonymizer/search.h - the best transformation, proven; or a good one in time.
 *
 * Best first: nodes leave a queue in the order of their bounds (metric.h), so
 * that the search ends as soon as the next bound is no better than the best
 * score found.  Each node enters the queue once, from the node that has its
 * last raised level one lower.
 *
 * A node that comes out is not counted out itself at first.  The chain of
 * cheapest successors is followed upwards as long as their bounds beat the
 * best score, and its top is judged: if that is dead (evaluator.h), so is
 * everything below, the node included, and nodes further up are tried, in
 * growing steps, for one that settles even more.  Otherwise the chain is
 * bisected for its lowest node that is not dead.
 *
 * What is known stands in knowledge.h.  The best is the one with the least
 * (score, sum of levels, level vector in lexicographic order), whatever was
 * visited when: the result does not depend on the number of threads.
 *
 * A lattice too large for that is searched within a limit, in SEARCH_LANES
 * lanes that know nothing of each other.  The first is the search above, as far
 * as it gets: it may finish, and what is left in its queue is no better than
 * the bound of what came out last.  The others walk (search_walk.h).  The best
 * that any lane has found, counted out like any other, is the result.
 *
 * How far a lane goes is counted in work, not in time: classes that were looked
 * at, SEARCH_WORK a second.  So what comes out depends on problem, limit and
 * seed alone, for any machine and number of threads, as long as the clock, if
 * there is one, does not end a lane first; the result says which it was.
 */
#ifndef ANONYMIZER_SEARCH_H
#define ANONYMIZER_SEARCH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "anonymizer/evaluator.h"
#include "common/error.h"

/* Nodes that may wait in the queue: some 4 GiB.  A lattice that needs more
 * cannot be searched to the end. */
#define SEARCH_QUEUE_MAX (UINT32_C(1) << 26)

/* The same within a limit: some 64 MiB with 24 quasi-identifiers. */
#define SEARCH_LANE_QUEUE_MAX (UINT32_C(1) << 20)

#define SEARCH_LANES 5

/* Classes looked at for each second of the limit, by all lanes together: what a
 * slow core does, so that the clock hardly ever matters. */
#define SEARCH_WORK UINT64_C(30000000)

struct search_limit {
    double seconds; /* > 0 */
    uint64_t seed;
    /* Seconds since the search began; NULL: work alone ends it. */
    double (*elapsed)(void *context);
    void *context;
};

struct search_progress {
    uint64_t judged;
    bool found;
    double score[QUASI_IDENTIFIERS_MAX]; /* the best, if found */
    double bound[QUASI_IDENTIFIERS_MAX]; /* no node is better than this */
};

struct search_options {
    unsigned threads;                 /* >= 1 */
    atomic_bool *cancel;              /* may be NULL */
    const struct search_limit *limit; /* NULL: to the end */
    /* Called after each judgement, by one thread at a time; may be NULL. */
    void (*on_progress)(const struct search_progress *progress, void *context);
    void *context;
};

/* What ended it. */
enum search_end {
    SEARCH_FINISHED,   /* the result is the optimum */
    SEARCH_WORK_SPENT, /* it is the same in every run */
    SEARCH_TIME_OVER
};

struct search_result {
    uint8_t level[QUASI_IDENTIFIERS_MAX];
    struct verdict verdict;
    uint64_t judged; /* nodes counted out; depends on the threads' timing */
    enum search_end end;
    double bound[QUASI_IDENTIFIERS_MAX]; /* no node is better than this */
};

/* E_NO if no node is valid; E_LIMIT if none was found within the limit, or the
 * queue is full without one. */
MUST_USE enum status search_with(struct search_result *result,
                                 const struct problem *problem,
                                 const struct search_options *options,
                                 struct error *err);

/* Without limit.  `cancel` may be NULL. */
MUST_USE enum status search_run(struct search_result *result,
                                const struct problem *problem, unsigned threads,
                                atomic_bool *cancel, struct error *err);

#endif
