#include "common/random.h"

#include <assert.h>

/* One step of splitmix64: a counter in steps of 2^64 / golden ratio, its bits
 * mixed.  Four in a row are never all zero, since the mix is a bijection. */
static uint64_t split_mix(uint64_t *counter)
{
    uint64_t mixed = *counter += UINT64_C(0x9e3779b97f4a7c15);

    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ (mixed >> 31);
}

void random_init(struct random *random, uint64_t seed)
{
    for (size_t i = 0; i < 4; i++)
        random->state[i] = split_mix(&seed);
}

static uint64_t rotate_left(uint64_t bits, unsigned by)
{
    return bits << by | bits >> (64 - by);
}

uint64_t random_next(struct random *random)
{
    uint64_t *state = random->state;
    uint64_t drawn = rotate_left(state[1] * 5, 7) * 9;
    uint64_t shifted = state[1] << 17;

    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= shifted;
    state[3] = rotate_left(state[3], 45);
    return drawn;
}

/* 2^64 is no multiple of bound: the first (2^64 mod bound) numbers are drawn
 * anew, the others fall evenly onto the remainders.  At most every second
 * number is drawn anew. */
uint64_t random_below(struct random *random, uint64_t bound)
{
    uint64_t uneven, drawn;

    assert(bound > 0);
    uneven = (UINT64_MAX - bound + 1) % bound;
    do
        drawn = random_next(random);
    while (drawn < uneven);
    return drawn % bound;
}

double random_double(struct random *random)
{
    return (double)(random_next(random) >> 11) * 0x1p-53;
}

static void swap(unsigned char *a, unsigned char *b, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char kept = a[i];

        a[i] = b[i];
        b[i] = kept;
    }
}

/* Fisher and Yates, from the end. */
void random_shuffle(struct random *random, void *items, size_t count,
                    size_t size)
{
    unsigned char *item = items;

    for (size_t left = count; left > 1; left--) {
        size_t chosen = (size_t)random_below(random, left);

        if (chosen != left - 1)
            swap(item + chosen * size, item + (left - 1) * size, size);
    }
}
