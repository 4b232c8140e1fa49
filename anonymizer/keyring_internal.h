/*
 * anonymizer/keyring_internal.h - what the keyring's files share.
 *
 *     keyring.c        the database: opening it, finding keys
 *     keyring_wrap.c   one key under the epoch's
 *     keyring_new.c    keys for subjects that have none
 *     keyring_erase.c  epochs, and how keys end
 */
#ifndef ANONYMIZER_KEYRING_INTERNAL_H
#define ANONYMIZER_KEYRING_INTERNAL_H

#include "anonymizer/keyring.h"
#include "anonymizer/keyring_drafts.h"
#include "common/sql_store.h"
#include "common/text.h"

/* Of keyrings and of epochs: 128 random bits. */
#define NAME_SIZE 16

enum keyring_statement {
    SQL_GET_META,
    SQL_PUT_META,
    SQL_COUNT,
    SQL_ADD,
    SQL_FIND,
    SQL_FIND_FROM,
    SQL_MARK,
    SQL_MARKED,
    SQL_DROP_MARKED,
    SQL_CLEAR_MARKS,
    SQL_NEXT_KEYS,
    SQL_REWRAP,
    KEYRING_STATEMENTS
};

/* An epoch: its name and its key, in memory that is wiped. */
struct epoch {
    uint8_t name[NAME_SIZE];
    uint8_t key[SEAL_KEY_SIZE];
};

struct keyring {
    struct sql_store *store;
    struct seal *seal;
    struct text folder;
    struct epoch *epoch; /* zeros in a keyring that has none yet */
    uint8_t name[NAME_SIZE];
    bool stopped;        /* an erasure failed half-way */
    uint64_t generation; /* erasures since it was opened */
    struct keyring_drafts drafts;
};

/* E_INPUT: what is wrong with the database. */
enum status keyring_altered(const struct keyring *keyring, const char *what,
                            struct error *err);

MUST_USE enum status keyring_get_meta(struct keyring *keyring, const char *key,
                                      void *out, size_t size, bool *found,
                                      struct error *err);
MUST_USE enum status keyring_put_meta(struct keyring *keyring, const char *key,
                                      struct bytes value, struct error *err);

/* E_SYSTEM after an erasure that failed half-way. */
MUST_USE enum status keyring_check_going(const struct keyring *keyring,
                                         struct error *err);
/* E_LIMIT above KEYRING_BATCH_MAX. */
MUST_USE enum status keyring_check_batch(size_t count, struct error *err);

/* wrapped->id says which key it is. */
MUST_USE enum status keyring_wrap(const struct keyring *keyring,
                                  struct seal *seal, const struct epoch *epoch,
                                  const struct subject_id *subject,
                                  const struct subject_key *key,
                                  struct wrapped_key *wrapped,
                                  struct error *err);

/* That this key is the one of this epoch: nothing, sealed under it. */
MUST_USE enum status keyring_check_close(const struct keyring *keyring,
                                         const struct epoch *epoch,
                                         uint8_t check[SEAL_EXTRA],
                                         struct error *err);
/* E_REFUSED if it is not. */
MUST_USE enum status keyring_check_open(const struct keyring *keyring,
                                        const struct epoch *epoch,
                                        const uint8_t check[SEAL_EXTRA],
                                        struct error *err);

void epoch_release(struct epoch **epoch);

/* The keyring's epoch; finishes an erasure, or the making of the keyring, that
 * was interrupted. */
MUST_USE enum status keyring_settle(struct keyring *keyring, struct error *err);

#endif
