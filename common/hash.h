/*
 * common/hash.h - a quick hash of bytes for tables in memory.
 *
 * Multiply and fold, eight bytes at a time.  Not for digests, signatures or
 * anything that leaves the process; who can choose the bytes can make them
 * collide, which costs time, never correctness: every table compares the
 * bytes themselves.
 */
#ifndef COMMON_HASH_H
#define COMMON_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/bytes.h"

/* 2^64 divided by the golden ratio, odd: spreads neighbours (Knuth, The Art
 * of Computer Programming, volume 3, section 6.4). */
#define HASH_MULTIPLIER UINT64_C(0x9E3779B97F4A7C15)

/* All bits of the result depend on all bits of x. */
static inline uint64_t hash_mix(uint64_t x)
{
    x *= HASH_MULTIPLIER;
    x ^= x >> 32;
    x *= HASH_MULTIPLIER;
    return x ^ (x >> 29);
}

static inline uint64_t hash_bytes(struct bytes bytes)
{
    uint64_t hash = bytes.size * HASH_MULTIPLIER;
    const uint8_t *at = bytes.data;
    size_t left = bytes.size;
    uint64_t word;

    for (; left >= 8; left -= 8, at += 8) {
        memcpy(&word, at, 8);
        hash = hash_mix(hash ^ word);
    }
    if (left > 0) {
        word = 0;
        memcpy(&word, at, left);
        hash = hash_mix(hash ^ word);
    }
    return hash;
}

static inline uint64_t hash_words(const uint32_t *word, size_t count)
{
    uint64_t hash = 0;

    for (size_t i = 0; i < count; i++)
        hash = (hash ^ word[i]) * HASH_MULTIPLIER;
    return hash_mix(hash);
}

#endif
