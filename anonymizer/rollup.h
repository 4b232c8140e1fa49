/*
 * anonymizer/rollup.h - which classes to make a node's classes from.
 *
 * The classes of a node come from those of any node below it, the fewer the
 * cheaper (classes.h).  Two kinds are remembered:
 *
 *  - judged nodes whose classes are few compared with what they came from;
 *  - prefixes.  Put the dimensions in the order of the entropy of their values,
 *    the largest first: raising those merges the most.  A node's j-th prefix
 *    has its levels in the first j dimensions, and the lowest in the others:
 *
 *        order: age, occupation, education, sex
 *        node      3 1 2 0
 *        prefixes  3 0 0 0    3 1 0 0    3 1 2 0
 *
 *    Nodes that are judged near each other share prefixes.  One that is asked
 *    for the second time is made and remembered, unless it has shown to shrink
 *    little.
 *
 * What was used least recently goes first.  All that is remembered takes at
 * most ROLLUP_SHARE times the memory of the table's tuples, or ROLLUP_BYTES if
 * that is more: the threads of a large table must not need many times it.
 *
 * Belongs to one thread.  What it says changes how long a judgement takes,
 * never what it is.
 */
#ifndef ANONYMIZER_ROLLUP_H
#define ANONYMIZER_ROLLUP_H

#include <stdbool.h>
#include <stdint.h>

#include "anonymizer/classes.h"
#include "anonymizer/lattice.h"
#include "common/error.h"

/* Class lists remembered; finding the best costs a few comparisons each. */
#define ROLLUP_MEMORIES 64

#define ROLLUP_SHARE 2
#define ROLLUP_BYTES ((size_t)4 << 20)

/* Prefixes that were asked for once; a power of two. */
#define ROLLUP_WISHES 512

struct rollup_memory {
    struct classes classes;
    uint8_t level[QUASI_IDENTIFIERS_MAX];
    uint64_t used; /* when, by rollup.now; 0: never filled */
};

struct rollup {
    const struct lattice *lattice;
    const struct classes *bottom;
    bool with_histograms;
    uint8_t order[QUASI_IDENTIFIERS_MAX]; /* dimensions, most entropy first */
    struct rollup_memory memory[ROLLUP_MEMORIES];
    size_t bytes, bytes_max;
    uint64_t now;
    uint64_t wish[ROLLUP_WISHES]; /* hash of a prefix, 0 empty */
    uint64_t poor[ROLLUP_WISHES]; /* of those not worth remembering */
};

/* Borrows both. */
void rollup_init(struct rollup *rollup, const struct lattice *lattice,
                 const struct classes *bottom, bool with_histograms);
void rollup_clear(struct rollup *rollup);

/* *source: the fewest classes known of a node below `level`; borrowed until
 * the next call.  `work` is used to make prefixes: reserved like the
 * bottom. */
MUST_USE enum status rollup_find(struct rollup *rollup, const uint8_t *level,
                                 struct grouper *grouper, struct classes *work,
                                 const struct classes **source,
                                 struct error *err);

/* Remember the classes of a judged node that were made from `source`, if that
 * is worth it. */
MUST_USE enum status rollup_remember(struct rollup *rollup,
                                     const uint8_t *level,
                                     const struct classes *classes,
                                     const struct classes *source,
                                     struct error *err);

#endif
