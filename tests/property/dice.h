/*
 * tests/property/dice.h - chances and ranges from random numbers.
 */
#ifndef TESTS_PROPERTY_DICE_H
#define TESTS_PROPERTY_DICE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/random.h"

/* 0 .. count - 1; count is not 0. */
static inline size_t dice_below(struct random *dice, size_t count)
{
    return (size_t)random_below(dice, count);
}

/* low .. high */
static inline size_t dice_between(struct random *dice, size_t low, size_t high)
{
    return low + dice_below(dice, high - low + 1);
}

/* True in `percent` of a hundred cases. */
static inline bool dice_chance(struct random *dice, unsigned percent)
{
    return dice_below(dice, 100) < percent;
}

#endif
