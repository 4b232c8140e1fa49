/*
 * anonymizer/search_walk.h - a walk through a lattice too large to search.
 *
 * Iterated local search [Lourenco, Martin, Stuetzle 2003]:
 *
 *     from the top, go to a better neighbour as long as there is one: first
 *         of those one level up or down in one dimension, then in two
 *     keep the best; from it, move two to five dimensions to random levels,
 *         and begin again
 *
 * Neighbours are tried in random order and the first better one is taken.  One
 * whose bound (metric.h) is no better than where the walk stands is not counted
 * out.  Of two nodes that are not valid the one that loses fewer rows is
 * better, so that a walk finds its way to valid ones.
 *
 * What was judged is remembered by its whole level vector, as far as there is
 * room; a walk goes where it would without.
 *
 * Drawn from the lane's seed, by one thread, with an evaluator of its own: the
 * walk, and how far it gets within its work, are the same in every run.
 */
#ifndef ANONYMIZER_SEARCH_WALK_H
#define ANONYMIZER_SEARCH_WALK_H

#include "anonymizer/search_internal.h"

/* Judgements remembered: some 16 MiB a lane.  A power of two. */
#define WALK_MEMORIES (UINT32_C(1) << 16)

/* Dimensions that are moved to leave a local optimum. */
#define WALK_MOVED_MIN 2
#define WALK_MOVED_MAX 5

#endif
