/*
 * anonymizer/classes.h - equivalence classes of a node, rolled up from finer
 * ones.
 *
 * The distinct tuples of a table are the classes of the lattice's bottom.  The
 * classes of any other node come from those of a node below it: mask the keys,
 * merge equal ones.  The fewer classes the source has, the cheaper that is.
 *
 *     table ---> bottom classes --mask--> classes --mask--> classes
 *
 * A class has a key (lattice.h), a size in rows and, for each sensitive
 * attribute that a model looks at, a histogram.
 *
 * A grouper holds the memory for merging; nothing is allocated per node.  It
 * belongs to one thread.
 */
#ifndef ANONYMIZER_CLASSES_H
#define ANONYMIZER_CLASSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "anonymizer/lattice.h"
#include "anonymizer/table.h"
#include "common/error.h"
#include "common/hash.h"

struct classes {
    size_t words;
    uint32_t count;
    uint64_t *key;  /* [class * words + word] */
    uint32_t *size; /* [class] rows; with a subset, those of it: maybe none */
    uint32_t *population; /* [class] all rows; NULL without a subset */
    size_t sensitive_count;
    struct histograms *histogram; /* [sensitive], by class */
    bool borrowed;                /* arrays belong to table and lattice */
};

/* The table's tuples as classes; borrows from both. */
MUST_USE enum status classes_bottom(struct classes *classes,
                                    const struct table *table,
                                    const struct lattice *lattice,
                                    struct error *err);

/* Room for as many classes and histogram entries as `like` has. */
MUST_USE enum status classes_reserve(struct classes *classes,
                                     const struct classes *like,
                                     struct error *err);

/* A copy in memory of its own, no larger than needed. */
MUST_USE enum status classes_copy(struct classes *copy,
                                  const struct classes *classes,
                                  struct error *err);
void classes_clear(struct classes *classes);

/* Bytes that a copy would take. */
size_t classes_bytes(const struct classes *classes);

struct grouper {
    uint32_t *slot; /* class + 1, 0 empty; all 0 between calls */
    size_t slot_count;
    uint64_t *wide;     /* size and gathered bits, 0 empty; likewise */
    uint32_t *place;    /* [class]: its slot */
    uint32_t *class_of; /* [source class]: class it went into */
    uint32_t *begin;    /* counting sort of source classes by class */
    uint32_t *member;
    uint32_t *scratch; /* [value of a sensitive attribute], all 0 */
    uint32_t value_count[SENSITIVE_MAX]; /* [sensitive] */
    struct hash_key key;
    uint64_t work;   /* source classes and histogram entries looked at */
    bool bit_gather; /* the processor gathers bits quickly */
};

/* For sources of at most `bottom`'s size. */
MUST_USE enum status grouper_init(struct grouper *grouper,
                                  const struct classes *bottom,
                                  const struct table *table, struct error *err);
void grouper_clear(struct grouper *grouper);

/* target's keys, sizes and populations := source's, masked and merged; classes
 * are numbered by first appearance in the source.  target was reserved for it.
 */
void classes_group(struct grouper *grouper, const struct classes *source,
                   const uint64_t *mask, struct classes *target);

/* The same for keys and sizes alone, which is quicker: who went into which
 * class is not known, and histograms cannot be summed. */
void classes_measure(struct grouper *grouper, const struct classes *source,
                     const uint64_t *mask, struct classes *target);

/* After classes_group: target's histograms := sums of source's. */
void classes_sum_histograms(struct grouper *grouper,
                            const struct classes *source,
                            struct classes *target);

#endif
