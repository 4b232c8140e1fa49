/*
 * common/random.h - numbers that look random and are the same for the same
 * seed, for tests and synthetic data.
 *
 * Not for secrets: whoever sees a few numbers knows all others.  Keys, nonces
 * and the order of released rows come from OpenSSL and getrandom(2).
 *
 * The generator is xoshiro256** with a period of 2^256 - 1, its state filled
 * by splitmix64:
 *
 *     D. Blackman, S. Vigna: Scrambled Linear Pseudorandom Number Generators.
 *     ACM Transactions on Mathematical Software 47 (4), 2021.
 *     G. Steele, D. Lea, C. Flood: Fast Splittable Pseudorandom Number
 *     Generators.  OOPSLA 2014.
 *
 * What is drawn depends on the seed and on nothing else, neither machine nor
 * compiler: published data can be made again.
 */
#ifndef COMMON_RANDOM_H
#define COMMON_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* A plain value: a copy draws the same numbers. */
struct random {
    uint64_t state[4]; /* never all zero */
};

/* Seeds that differ in one bit give unrelated sequences. */
void random_init(struct random *random, uint64_t seed);

/* 64 random bits. */
uint64_t random_next(struct random *random);

/* 0 .. bound - 1, each equally likely; bound > 0. */
uint64_t random_below(struct random *random, uint64_t bound);

/* 0 <= x < 1, a multiple of 2^-53. */
double random_double(struct random *random);

/* Put `count` items of `size` bytes each in random order, every order equally
 * likely as far as 256 bits of state can tell orders apart. */
void random_shuffle(struct random *random, void *items, size_t count,
                    size_t size);

#endif
