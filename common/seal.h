/*
 * common/seal.h - bytes that only the holder of a key can read, by OpenSSL:
 * AES-256-GCM.
 *
 *     sealed = nonce (12, random) || ciphertext || tag (16)
 *
 * The tag covers ciphertext, nonce and *associated data*, bytes that are not
 * in what is sealed and must be given again to open it: they say what it is
 * and where it belongs, so that it cannot be put in another's place.
 *
 * A nonce must never come twice under one key.  Nonces are 96 random bits: of
 * 2^32 messages under one key, two have the same with a chance of 2^-33 (SP
 * 800-38D, 8.3, sets that limit).  No key of ours comes near it: a subject's
 * seals that subject's rows, an epoch's each subject once.
 */
#ifndef COMMON_SEAL_H
#define COMMON_SEAL_H

#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/error.h"

#define SEAL_KEY_SIZE 32
#define SEAL_NONCE_SIZE 12
#define SEAL_TAG_SIZE 16
/* By so much what is sealed is longer than what it holds. */
#define SEAL_EXTRA (SEAL_NONCE_SIZE + SEAL_TAG_SIZE)

/* The cipher, set up once; holds the last key.  One thread at a time. */
struct seal;

MUST_USE enum status seal_create(struct seal **seal, struct error *err);
/* Wipes the key. */
void seal_destroy(struct seal **seal);

/* plain.size + SEAL_EXTRA bytes into `sealed`, which must not overlap. */
MUST_USE enum status seal_close(struct seal *seal,
                                const uint8_t key[SEAL_KEY_SIZE],
                                struct bytes associated, struct bytes plain,
                                uint8_t *sealed, struct error *err);

/* sealed.size - SEAL_EXTRA bytes into `plain`.  E_REFUSED if any bit of key,
 * associated data or `sealed` is not what it was; what was deciphered is wiped
 * then.  E_MEMORY and E_SYSTEM say that it could not be tried. */
MUST_USE enum status seal_open(struct seal *seal,
                               const uint8_t key[SEAL_KEY_SIZE],
                               struct bytes associated, struct bytes sealed,
                               uint8_t *plain, struct error *err);

#endif
