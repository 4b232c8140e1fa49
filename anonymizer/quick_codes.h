/*
 * anonymizer/quick_codes.h - codes of short texts, at hand for one thread.
 *
 * A text of at most QUICK_TEXT_MAX bytes is two or four words, which are
 * compared at once:
 *
 *     up to 16 bytes   the text and zeros; a cell has no NUL, so that no two
 *                      texts are the same words
 *     17 to 32         its first 16 bytes and its last 16, and its size
 *
 * Longer texts, and those beyond QUICK_CODES_MAX, are looked up elsewhere.
 * A text must be readable 16 bytes from its beginning on.
 */
#ifndef ANONYMIZER_QUICK_CODES_H
#define ANONYMIZER_QUICK_CODES_H

#include <stdint.h>

#include "common/bytes.h"
#include "common/error.h"
#include "common/hash.h"

#define QUICK_TEXT_MAX 32

/* So many take a megabyte or so; a column with more of them gains nothing. */
#define QUICK_CODES_MAX (1u << 14)

#define QUICK_NONE UINT32_MAX

struct quick_code {
    uint64_t word[4];
    uint32_t size;
    uint32_t code; /* + 1; 0: empty */
};

struct quick_codes {
    struct hash_key key;
    struct quick_code *slot;
    uint32_t mask; /* slots - 1 */
    uint32_t count;
};

MUST_USE enum status quick_codes_init(struct quick_codes *quick,
                                      struct error *err);
void quick_codes_clear(struct quick_codes *quick);

/* From the n-th byte before its middle on: n bytes of ones, then zeros. */
extern const uint8_t quick_ones[32];

/* The words of a text of at most QUICK_TEXT_MAX bytes.  Sizes differ from cell
 * to cell, so that the usual case has no branch on them. */
static inline void quick_words(struct bytes text, uint64_t word[4])
{
    size_t size = text.size < 16 ? text.size : 16;
    const uint8_t *ones = quick_ones + 16 - size;

    word[0] = hash_load8(text.data) & hash_load8(ones);
    word[1] = hash_load8(text.data + 8) & hash_load8(ones + 8);
    word[2] = word[3] = 0;
    if (text.size > 16) {
        word[2] = hash_load8(text.data + text.size - 16);
        word[3] = hash_load8(text.data + text.size - 8);
    }
}

static inline uint32_t quick_place(const struct quick_codes *quick,
                                   const uint64_t word[4])
{
    uint64_t hash =
        hash_fold(word[0] ^ quick->key.word[0], word[1] ^ quick->key.word[1]);

    if (word[2] != 0)
        hash ^= hash_fold(word[2] ^ quick->key.word[1],
                          word[3] ^ quick->key.word[0]);
    return (uint32_t)(hash >> 32) & quick->mask;
}

/* QUICK_NONE if it is not here. */
static inline uint32_t quick_codes_find(const struct quick_codes *quick,
                                        struct bytes text)
{
    uint64_t word[4];

    if (text.size > QUICK_TEXT_MAX)
        return QUICK_NONE;
    quick_words(text, word);
    for (uint32_t at = quick_place(quick, word);; at = (at + 1) & quick->mask) {
        const struct quick_code *slot = &quick->slot[at];

        if (slot->code == 0)
            return QUICK_NONE;
        if (((slot->word[0] ^ word[0]) | (slot->word[1] ^ word[1]) |
             (slot->word[2] ^ word[2]) | (slot->word[3] ^ word[3]) |
             (slot->size ^ text.size)) == 0)
            return slot->code - 1;
    }
}

/* Have a text, which is not here, at hand from now on, if there is room. */
MUST_USE enum status quick_codes_add(struct quick_codes *quick,
                                     struct bytes text, uint32_t code,
                                     struct error *err);

#endif
