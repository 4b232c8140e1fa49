/*
 * anonymizer/keyring_drafts.h - new keys of a keyring that wait to be saved.
 *
 * Wrapped already: no secrets.  For the keyring alone.
 */
#ifndef ANONYMIZER_KEYRING_DRAFTS_H
#define ANONYMIZER_KEYRING_DRAFTS_H

#include <stddef.h>
#include <stdint.h>

#include "anonymizer/keyring.h"
#include "common/error.h"
#include "common/hash.h"

struct draft {
    struct subject_id subject;
    struct wrapped_key key;
};

struct keyring_drafts {
    struct draft *item; /* in the order in which they came */
    size_t count, capacity;
    uint32_t *slot; /* hash table: item + 1, 0 empty */
    size_t slot_count;
    struct hash_key hash; /* drawn with the first slots */
};

void keyring_drafts_init(struct keyring_drafts *drafts);
/* Empties it, too. */
void keyring_drafts_clear(struct keyring_drafts *drafts);

/* NULL if there is none. */
const struct wrapped_key *
keyring_drafts_find(const struct keyring_drafts *drafts,
                    const struct subject_id *subject);

/* Room for `more`, so that adding them cannot fail. */
MUST_USE enum status keyring_drafts_reserve(struct keyring_drafts *drafts,
                                            size_t more, struct error *err);
/* A subject that is not there yet. */
void keyring_drafts_add(struct keyring_drafts *drafts,
                        const struct subject_id *subject,
                        const struct wrapped_key *key);

/* order[i]: the item with the i-th id; to be freed.  NULL without memory. */
const struct draft **keyring_drafts_sorted(const struct keyring_drafts *drafts);

#endif
