/*
 * anonymizer/lattice.h - all level vectors, and codes that generalize by mask.
 *
 * Each quasi-identifier is a dimension with levels 0..levels-1, of which the
 * policy allows level_min..level_max.  A node of the lattice is a vector with
 * one level per dimension; a node lies below another if none of its levels is
 * higher.
 *
 * A value's path from the top of its hierarchy down is its code: a group of
 * bits says which child, level by level.
 *
 *     *  ->  30-39  ->  35-39  ->  39        code = 0 | 3 | 1 | 4
 *                                                   top    leaf
 *
 * Generalizing to a level clears the bits below it.  The codes of all
 * dimensions side by side are a tuple's key, of one or more 64-bit words (no
 * dimension crosses a word), so that a tuple is generalized to any node by one
 * AND per word.  Two tuples are in one equivalence class iff their masked
 * keys are equal.
 *
 * Only values that occur have codes.  Leaves are numbered in the order of
 * their codes; a node's first leaf stands for it.
 *
 * Elsewhere: grouping (classes.h), cost (metric.h).
 */
#ifndef ANONYMIZER_LATTICE_H
#define ANONYMIZER_LATTICE_H

#include <stdbool.h>
#include <stdint.h>

#include "anonymizer/table.h"
#include "common/error.h"

/* Widest code for which first_leaf is a table; wider ones are searched. */
#define LATTICE_INDEX_BITS 20

struct dimension {
    const struct quasi_identifier *quasi; /* borrowed from the table */
    uint32_t levels;
    uint32_t level_min, level_max;
    unsigned bits;                          /* of the code */
    unsigned word;                          /* of the key */
    unsigned shift;                         /* within the word */
    unsigned dropped[HIERARCHY_LEVELS_MAX]; /* low bits cleared, by level */
    uint32_t leaf_count;
    uint64_t *code;       /* [leaf], ascending */
    uint32_t *value;      /* [leaf]: value number of the table */
    uint32_t *leaf;       /* [value] */
    uint32_t *first_leaf; /* [code], NULL if bits > LATTICE_INDEX_BITS */
    uint32_t *domain;     /* [level * leaf_count + leaf]: rows of the hierarchy
                             below the leaf's ancestor at that level */
    bool *star;           /* likewise: is that ancestor's label `*`? */
    bool star_at[HIERARCHY_LEVELS_MAX]; /* is any of that level? */
    uint32_t domain_size;               /* rows of the hierarchy */
};

struct lattice {
    struct dimension *dimension;
    size_t dimension_count;
    size_t words;
    uint64_t *key; /* [tuple * words + word] */
    double size;   /* nodes within the bounds; may exceed 2^64 */
};

MUST_USE enum status lattice_create(struct lattice **lattice,
                                    const struct policy *policy,
                                    const struct table *table,
                                    struct error *err);
void lattice_destroy(struct lattice **lattice);

/* The mask of a node: words 64-bit words. */
void lattice_mask(const struct lattice *lattice, const uint8_t *level,
                  uint64_t *mask);

/* The leaf that a code stands for, where there is no table of them. */
uint32_t dimension_find_leaf(const struct dimension *dimension, uint64_t code);

/* The leaf that stands for a dimension of a (masked) key. */
static inline uint32_t dimension_leaf(const struct dimension *dimension,
                                      const uint64_t *key)
{
    uint64_t code = key[dimension->word] >> dimension->shift;

    if (dimension->bits < 64)
        code &= (UINT64_C(1) << dimension->bits) - 1;
    return dimension->first_leaf != NULL ? dimension->first_leaf[code]
                                         : dimension_find_leaf(dimension, code);
}

/* Is each label of this class, generalized to the node, `*`?  Then it says
 * nothing about anybody, and counts as suppressed. */
bool lattice_all_star(const struct lattice *lattice, const uint8_t *level,
                      const uint64_t *key);

/* False if no class of the node can be all `*`. */
bool lattice_may_be_all_star(const struct lattice *lattice,
                             const uint8_t *level);

/* Sum of the levels. */
uint32_t lattice_height(const struct lattice *lattice, const uint8_t *level);

/* No level of `a` is higher than that of `b`. */
bool lattice_below(const struct lattice *lattice, const uint8_t *a,
                   const uint8_t *b);

#endif
