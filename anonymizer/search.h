/*
 * anonymizer/search.h - the best transformation, proven.
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

struct search_result {
    uint8_t level[QUASI_IDENTIFIERS_MAX];
    struct verdict verdict;
    uint64_t judged; /* nodes counted out; depends on the threads' timing */
};

/* E_NO if no node is valid.  `cancel` may be NULL. */
MUST_USE enum status search_run(struct search_result *result,
                                const struct problem *problem, unsigned threads,
                                atomic_bool *cancel, struct error *err);

#endif
