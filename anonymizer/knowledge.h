/*
 * anonymizer/knowledge.h - what a search knows about a lattice.
 *
 *  - The best valid node, by (score, height, levels).
 *  - Dead nodes (evaluator.h), of which only the highest are kept: everything
 *    below one is dead, too.
 *  - Judged nodes that are not dead.
 *  - Surcharges (metric.h).  The rows that a judged node loses for good are
 *    lost in every node below it, where they cost more than if they were kept:
 *
 *        score(n) >= bound of n with the surcharge,  for all n below
 *
 *    That never falls from a node to one above it.  So where it is no better
 *    than the best at the bottom of the lattice, all that is below the judged
 *    node is settled, as if it were dead.
 *
 *  - Floors (metric.h).  No node above a judged one costs less than its floor,
 *    which is counted and says more than the bound.  Where it is no better than
 *    the best, all that is above is settled: it lies beyond.
 *
 * A node is settled if it is judged or cannot be better than the best.
 */
#ifndef ANONYMIZER_KNOWLEDGE_H
#define ANONYMIZER_KNOWLEDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "anonymizer/evaluator.h"
#include "anonymizer/frontier.h"
#include "common/error.h"
#include "common/hash.h"

/* Surcharges kept: those that settled something last.  Each is looked at for
 * each node that comes up. */
#define KNOWLEDGE_SURCHARGES 48

struct surcharge {
    uint8_t level[QUASI_IDENTIFIERS_MAX];
    double amount[QUASI_IDENTIFIERS_MAX];
};

/* Level vectors, as a list. */
struct vectors {
    uint8_t *level;
    size_t count, capacity;
};

/* Floors that are better than the best, by index of `level`. */
struct floors {
    struct vectors level;
    double *score; /* [index * score_count] */
    size_t capacity;
};

struct knowledge {
    const struct problem *problem;
    struct vectors beyond; /* no one above another: all above is settled */
    struct floors floors;
    struct vectors dead;   /* no one below another */
    struct vectors judged; /* those that were counted out and are not dead */
    struct hash_key key;
    uint32_t *slot; /* hash table of judged: index + 1, 0 empty */
    size_t slot_count;
    struct surcharge surcharge[KNOWLEDGE_SURCHARGES];
    size_t surcharge_count;
    uint8_t bottom[QUASI_IDENTIFIERS_MAX];
    uint64_t judgements;
    uint64_t work; /* of looking, in classes looked at (search.h) */
    bool found;
    struct rank best;
    struct verdict best_verdict;
};

MUST_USE enum status knowledge_init(struct knowledge *knowledge,
                                    const struct problem *problem,
                                    struct error *err);
void knowledge_clear(struct knowledge *knowledge);

/* Could a node of this rank be the best? */
bool knowledge_beats(const struct knowledge *knowledge,
                     const struct rank *rank);

/* Is the node below a dead one, or one that settles all below it? */
bool knowledge_is_dead(struct knowledge *knowledge, const uint8_t *level);

/* Is the node above one whose floor is no better than the best?  Then so is all
 * that is above it. */
bool knowledge_is_beyond(struct knowledge *knowledge, const uint8_t *level);

/* Is there nothing to gain from judging it? */
bool knowledge_is_settled(struct knowledge *knowledge, const uint8_t *level);

/* The one place where a judgement changes what is known. */
MUST_USE enum status knowledge_learn(struct knowledge *knowledge,
                                     const uint8_t *level,
                                     const struct verdict *verdict,
                                     struct error *err);

#endif
