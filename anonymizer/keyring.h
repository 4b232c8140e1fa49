/*
 * anonymizer/keyring.h - the keys of all subjects (keys.db), and how they end.
 *
 *     epoch key          a file of its own, in a folder of its own
 *       | wraps
 *       v
 *     keyring.db         subject id -> key id, wrapped( data key || salt )
 *       | data key seals the subject's rows, salt keys their commitments
 *       v
 *     vault.db           (anonymizer/vault.h)
 *
 * Who has a copy of keys.db has nothing without the epoch key; who has the
 * epoch key has nothing without keys.db.  Never in one backup together, and
 * neither with vault.db.
 *
 * **Erasure** is the end of a key.  Taking it out of keys.db is not enough:
 * older copies have it.  So all other keys are wrapped anew under a fresh epoch
 * key, and the old epoch key is destroyed; then every older copy of keys.db,
 * wherever it lies, opens nothing, for any subject.  In this order, each step
 * durable before the next:
 *
 *     1  keys.db: the subjects are marked; from here on all keys are refused,
 *        until step 3 is done
 *     2  the fresh epoch key is a file
 *     3  keys.db, one transaction: marked subjects go, the others are wrapped
 *        anew, the epoch is the fresh one
 *     4  all other epoch keys of this keyring are overwritten and unlinked
 *
 * A crash between any two is finished when the keyring is opened next: the
 * epoch that keys.db names is the one that counts, and marks that are still
 * there begin again with step 2.  Making a keyring is the same with nobody in
 * it.
 *
 * A subject who is added again after an erasure gets another key and another
 * key id: rows name the key id, so what was sealed before stays unreadable and
 * is not taken for damaged.
 *
 * wrapped = AES-256-GCM (common/seal.h) with the associated data
 *
 *     "anchorite wrapped key 1" 0x00 || keyring || epoch || subject || key id
 *
 * of 16 bytes each, so that no record opens in another's place.
 */
#ifndef ANONYMIZER_KEYRING_H
#define ANONYMIZER_KEYRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/seal.h"
#include "common/subject_id.h"

#define KEY_ID_SIZE 16
#define SALT_SIZE 32

struct keyring;
struct keyring_crew; /* anonymizer/keyring_crew.h */

/* Two places, so that one backup need not hold both. */
struct keyring_place {
    const char *database;     /* keys.db */
    const char *epoch_folder; /* mode 0700, refused when wider */
};

/* E_INPUT if the database exists.  Not by keyring_open: keys that are not where
 * they should be are a mistake, and new ones would open nothing. */
MUST_USE enum status keyring_create(const struct keyring_place *place,
                                    struct error *err);

/* Finishes what a crash has left.  E_INPUT if there is no such database, if the
 * epoch key that it names is not there, or if either was altered. */
MUST_USE enum status keyring_open(struct keyring **keyring,
                                  const struct keyring_place *place,
                                  struct error *err);
void keyring_close(struct keyring **keyring);

/* Subjects that have a key. */
MUST_USE enum status keyring_count(struct keyring *keyring, uint64_t *count,
                                   struct error *err);

/* A key and a salt for each that has none, in one transaction; at most
 * KEYRING_BATCH_MAX (E_LIMIT).  A subject may be named twice. */
MUST_USE enum status keyring_add(struct keyring *keyring,
                                 const struct subject_id *subject, size_t count,
                                 struct error *err);

#define WRAPPED_SIZE (SEAL_KEY_SIZE + SALT_SIZE + SEAL_EXTRA)

/* A key as keys.db has it: nothing is open yet. */
struct wrapped_key {
    uint8_t id[KEY_ID_SIZE];
    uint8_t wrapped[WRAPPED_SIZE];
};

/* Of secret_allocate, or wiped when it has served. */
struct subject_key {
    uint8_t key[SEAL_KEY_SIZE];
    uint8_t salt[SALT_SIZE];
};

/* As add, but new keys stay in memory until they are saved: ids are random, so
 * that each batch of them would write pages all over keys.db.  They are the
 * keyring's own: whoever drafts for the same subject gets the same key, and an
 * erasure saves them first.  Until then nothing that was sealed under them may
 * count.  key[i] is subject[i]'s, new or not. */
MUST_USE enum status keyring_draft(struct keyring *keyring,
                                   struct keyring_crew *crew,
                                   const struct subject_id *subject,
                                   size_t count, struct wrapped_key *key,
                                   struct error *err);
/* In one transaction.  After a failure they are still in memory. */
MUST_USE enum status keyring_save(struct keyring *keyring, struct error *err);

/* *found is false if there is none that was saved, or none any more. */
MUST_USE enum status keyring_find(struct keyring *keyring,
                                  const struct subject_id *subject,
                                  struct wrapped_key *wrapped, bool *found,
                                  struct error *err);

/* The same for many, ascending and none twice, in one walk through keys.db:
 * take(context, i, key) for each of them that has one, in order; `key` is
 * borrowed for the call. */
typedef void keyring_take(void *context, size_t i,
                          const struct wrapped_key *key);
MUST_USE enum status keyring_find_many(struct keyring *keyring,
                                       const struct subject_id *subject,
                                       size_t count, keyring_take *take,
                                       void *context, struct error *err);

/* Another one after each erasure, from which on keys that were found before
 * open no more. */
uint64_t keyring_generation(const struct keyring *keyring);

/* Open it.  E_INPUT if it was altered. */
MUST_USE enum status keyring_unwrap(struct keyring *keyring,
                                    const struct subject_id *subject,
                                    const struct wrapped_key *wrapped,
                                    struct subject_key *key, struct error *err);
/* The same in one of several threads, each with a seal of its own, while no
 * other function of the keyring runs. */
MUST_USE enum status keyring_unwrap_by(const struct keyring *keyring,
                                       struct seal *seal,
                                       const struct subject_id *subject,
                                       const struct wrapped_key *wrapped,
                                       struct subject_key *key,
                                       struct error *err);

/* End their keys, as above; subjects without a key are none to erase.  When it
 * has failed, the keyring refuses everything until it was opened anew, which
 * goes on from where it stood.  *erased: keys that ended, these and those of
 * an erasure before that had not come to its end. */
MUST_USE enum status keyring_erase(struct keyring *keyring,
                                   const struct subject_id *subject,
                                   size_t count, uint64_t *erased,
                                   struct error *err);

#endif
