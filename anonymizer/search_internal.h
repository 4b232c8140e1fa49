/*
 * anonymizer/search_internal.h - what the parts of the search share.
 */
#ifndef ANONYMIZER_SEARCH_INTERNAL_H
#define ANONYMIZER_SEARCH_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "anonymizer/evaluator.h"
#include "anonymizer/frontier.h"
#include "anonymizer/search.h"
#include "common/error.h"

/* Tells on_progress what all lanes have found, behind a lock of its own. */
struct search_watch {
    const struct search_options *options;
    const struct metric *metric;
    pthread_mutex_t lock;
    struct search_progress progress;
};

void search_watch_init(struct search_watch *watch,
                       const struct problem *problem,
                       const struct search_options *options);
void search_watch_clear(struct search_watch *watch);

/* A node was judged; `bound` is NULL where nothing is proven by it. */
void search_watch_judged(struct search_watch *watch,
                         const struct verdict *verdict, const double *bound);

/* How far one lane may go. */
struct search_budget {
    uint64_t work;
    double seconds; /* on the limit's clock */
    const struct search_limit *limit;
    const atomic_bool *finished; /* another lane has proven the optimum */
};

/* SEARCH_FINISHED as long as the lane may go on.  NULL: no limit. */
enum search_end search_budget_end(const struct search_budget *budget,
                                  uint64_t work);

/* One lane: what it is given, then what it has found. */
struct search_lane {
    const struct problem *problem;
    const struct search_budget *budget;
    struct search_watch *watch;
    atomic_bool *cancel; /* may be NULL */
    uint64_t seed;
    enum search_end end;
    bool found;
    struct rank best;
    struct verdict best_verdict;
    uint64_t judged;
    double bound[QUASI_IDENTIFIERS_MAX]; /* of the lane that proves */
};

/* E_NO text of a lattice that was searched to the end in vain. */
MUST_USE enum status search_explain_no(const struct problem *problem,
                                       struct error *err);

/* Best first, by one thread. */
MUST_USE enum status search_lane_prove(struct search_lane *lane,
                                       struct error *err);

/* search_walk.h */
MUST_USE enum status search_lane_walk(struct search_lane *lane,
                                      struct error *err);

/* All lanes. */
MUST_USE enum status search_limited(struct search_result *result,
                                    const struct problem *problem,
                                    const struct search_options *options,
                                    struct search_watch *watch,
                                    struct error *err);

#endif
