/*
 * common/hash.h - where a value lies in a hash table in memory.
 *
 * Keyed, with a key that each table draws for itself: values come from files
 * that others wrote, and who does not know the key cannot choose values that
 * collide.  Mostly of 16 bytes or less: then it is two multiplications.
 *
 *     fold(a, b) = high half of a * b  XOR  low half of a * b
 *
 * Not for anything that is stored, sent or shown: it differs from run to run,
 * and it is no digest (common/digest.h).
 */
#ifndef COMMON_HASH_H
#define COMMON_HASH_H

#include <stdint.h>
#include <string.h>

#include "common/bytes.h"
#include "common/error.h"

struct hash_key {
    uint64_t word[2];
};

/* From the system's randomness. */
MUST_USE enum status hash_key_draw(struct hash_key *key, struct error *err);

static inline uint64_t hash_fold(uint64_t a, uint64_t b)
{
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;

    return (uint64_t)(product >> 64) ^ (uint64_t)product;
}

static inline uint64_t hash_load8(const uint8_t *data)
{
    uint64_t word;

    memcpy(&word, data, sizeof word);
    return word;
}

static inline uint64_t hash_load4(const uint8_t *data)
{
    uint32_t word;

    memcpy(&word, data, sizeof word);
    return word;
}

/* All 64 bits are equally good. */
static inline uint64_t hash_bytes(const struct hash_key *key,
                                  struct bytes value)
{
    const uint8_t *data = value.data;
    size_t size = value.size;
    uint64_t state = key->word[0], a = 0, b = 0;

    for (; size > 16; data += 16, size -= 16)
        state = hash_fold(hash_load8(data) ^ key->word[1],
                          hash_load8(data + 8) ^ state);
    /* The two loads may overlap; every byte is in one of them. */
    if (size >= 8) {
        a = hash_load8(data);
        b = hash_load8(data + size - 8);
    } else if (size >= 4) {
        a = hash_load4(data);
        b = hash_load4(data + size - 4);
    } else if (size > 0) {
        a = (uint64_t)data[0] << 16 | (uint64_t)data[size / 2] << 8 |
            data[size - 1];
    }
    state = hash_fold(a ^ key->word[1], b ^ state);
    return hash_fold(state ^ key->word[0], value.size ^ key->word[1]);
}

/* The same for whole numbers. */
static inline uint64_t hash_words(const struct hash_key *key,
                                  const uint32_t *word, size_t count)
{
    uint64_t state = key->word[0];

    for (size_t i = 0; i < count; i++)
        state = hash_fold(state ^ word[i], key->word[1]);
    return hash_fold(state ^ key->word[0], count ^ key->word[1]);
}

#endif
