/*
 * common/suggestion.h - which known name did somebody mean who misspelt it?
 *
 *     struct suggestion suggestion;
 *
 *     suggestion_init(&suggestion, "sufression_limit");
 *     suggestion_consider(&suggestion, "suppression_limit");
 *     ...                          each known one
 *     suggestion.best              NULL if none is near
 *
 * Near is at most a third of the length of the misspelt name away, counted in
 * bytes inserted, removed, replaced, or swapped with their neighbour: one slip
 * in "seed" is no "feed forward".  The first among equally near ones is kept.
 */
#ifndef COMMON_SUGGESTION_H
#define COMMON_SUGGESTION_H

#include <stddef.h>

struct suggestion {
    const char *name; /* borrowed */
    const char *best; /* borrowed from suggestion_consider */
    size_t distance;  /* of the best; before there is one, 1 too much */
};

void suggestion_init(struct suggestion *suggestion, const char *name);
void suggestion_consider(struct suggestion *suggestion, const char *known);

#endif
