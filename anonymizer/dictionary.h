/*
 * anonymizer/dictionary.h - gives the distinct texts of a column numbers.
 *
 * Codes count from 0 in order of first appearance.  Several texts may share a
 * code (dictionary_alias): all tokens for a missing value are one value.
 */
#ifndef ANONYMIZER_DICTIONARY_H
#define ANONYMIZER_DICTIONARY_H

#include <stdint.h>

#include "common/bytes.h"
#include "common/error.h"
#include "common/hash.h"
#include "common/text.h"

#define DICTIONARY_NONE UINT32_MAX

struct dictionary_entry {
    size_t offset; /* of the text in dictionary.bytes */
    uint32_t size;
    uint32_t code;
    uint32_t hash; /* upper half of the text's hash */
};

struct dictionary {
    struct hash_key key; /* drawn with the first entry */
    struct text bytes;
    struct dictionary_entry *entry;
    uint32_t entry_count, entry_capacity;
    uint32_t *slot; /* entry + 1, 0 empty; slot_count is a power of two */
    uint32_t slot_count;
    uint32_t code_count;
    uint32_t *first; /* by code: the entry that made it */
    uint32_t first_capacity;
};

void dictionary_init(struct dictionary *dictionary);
void dictionary_clear(struct dictionary *dictionary);

/* Code of a text, DICTIONARY_NONE if it is not there. */
uint32_t dictionary_find(const struct dictionary *dictionary,
                         struct bytes text);

/* Add a text that is not there yet, under a new code. */
MUST_USE enum status dictionary_add(struct dictionary *dictionary,
                                    struct bytes text, uint32_t *code,
                                    struct error *err);

/* Add a text that is not there yet, under a code that is. */
MUST_USE enum status dictionary_alias(struct dictionary *dictionary,
                                      struct bytes text, uint32_t code,
                                      struct error *err);

/* The text that made this code; valid until the next addition. */
struct bytes dictionary_text(const struct dictionary *dictionary,
                             uint32_t code);

#endif
