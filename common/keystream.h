/*
 * common/keystream.h - random numbers that only the holder of a key can
 * foresee, and draw again, by OpenSSL: AES-256-CTR.
 *
 *     block[i] = AES-256(key, be128(i)), i = 0, 1, ...
 *     word[i]  = four bytes, the first one the highest, one word after another
 *
 * A key is for one stream: the counter begins at zero.
 */
#ifndef COMMON_KEYSTREAM_H
#define COMMON_KEYSTREAM_H

#include <stdint.h>

#include "common/error.h"

#define KEYSTREAM_KEY_SIZE 32

struct keystream;

MUST_USE enum status keystream_create(struct keystream **stream,
                                      const uint8_t key[KEYSTREAM_KEY_SIZE],
                                      struct error *err);
/* Wipes key and numbers. */
void keystream_destroy(struct keystream **stream);

/* 0 .. bound - 1, each equally likely; bound > 0.  The next word modulo bound;
 * words from the largest multiple of bound on, up to 2^32, are passed over. */
MUST_USE enum status keystream_below(struct keystream *stream, uint32_t bound,
                                     uint32_t *number, struct error *err);

#endif
