/*
 * anonymizer/recheck_texts.h - the distinct cell texts of one column.
 *
 * Each text has a code.  Codes are 0, 1, 2, ... in the order in which they
 * come into being; texts that mean the same (the tokens of table.missing)
 * share one.  Texts are compared byte by byte.
 */
#ifndef ANONYMIZER_RECHECK_TEXTS_H
#define ANONYMIZER_RECHECK_TEXTS_H

#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/error.h"
#include "common/hash.h"
#include "common/text.h"

#define RECHECK_TEXTS_NONE UINT32_MAX

struct recheck_texts {
    struct recheck_text *entry; /* the texts, in order of arrival */
    size_t entry_count;
    size_t entry_capacity;
    struct recheck_slot *slot; /* open addressing; a power of two */
    size_t slot_count;
    struct hash_key key;
    struct text characters; /* of all texts, one behind the other */
    uint32_t code_count;
};

/* May be cleared even if this fails. */
MUST_USE enum status recheck_texts_init(struct recheck_texts *texts,
                                        struct error *err);
void recheck_texts_clear(struct recheck_texts *texts);

/* The code of `value`, a new one if it has none. */
MUST_USE enum status recheck_texts_code(struct recheck_texts *texts,
                                        struct bytes value, uint32_t *code,
                                        struct error *err);

/* All of `value` that have no code yet share one new code. */
MUST_USE enum status recheck_texts_join(struct recheck_texts *texts,
                                        char *const *value, size_t count,
                                        struct error *err);

/* RECHECK_TEXTS_NONE if it has none. */
uint32_t recheck_texts_find(const struct recheck_texts *texts,
                            struct bytes value);

/* text[code] := one of its texts, valid until the next one is added. */
void recheck_texts_list(const struct recheck_texts *texts, struct bytes *text);

#endif
