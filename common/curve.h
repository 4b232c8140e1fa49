/*
 * common/curve.h - keys of encrypted connections, and whose they are.
 *
 * ZeroMQ encrypts with CURVE: each side has a pair of Curve25519 keys, and the
 * side that connects knows the other's public key beforehand.  That says which
 * key is at the other end, not who: so each side once signs, by the key of its
 * X.509 certificate, that it is the one with this key on this connection:
 *
 *     "anchorite hello 1\n"        or welcome, from the listening side
 *     <public key of the side that connects> "\n"
 *     <public key of the side that listens> "\n"
 *     <name of the service that was called> "\n"
 *     <expiry, Unix milliseconds, decimal> "\n"
 *
 * Keys are written in Z85 (ZeroMQ RFC 32), 40 characters.  A pair lies in a
 * file of three lines:
 *
 *     anchorite curve 1
 *     public <Z85>
 *     secret <Z85>
 *
 * Elsewhere: when the two are exchanged (common/bus.h).
 */
#ifndef COMMON_CURVE_H
#define COMMON_CURVE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/error.h"
#include "common/sign.h"

#define CURVE_TEXT_SIZE 41 /* Z85 and a NUL */

/* A public key.  A plain value. */
struct curve_key {
    char text[CURVE_TEXT_SIZE];
};

/* Both keys; the secret one is wiped by clear. */
struct curve_pair {
    struct curve_key key;
    char secret[CURVE_TEXT_SIZE];
};

/* The key with that Z85 text, false if it is none. */
MUST_USE bool curve_key_parse(struct curve_key *key, struct bytes text);
/* From its 32 bytes. */
void curve_key_encode(struct curve_key *key, const uint8_t raw[32]);
bool curve_key_equal(const struct curve_key *a, const struct curve_key *b);

MUST_USE enum status curve_pair_generate(struct curve_pair *pair,
                                         struct error *err);
/* E_INPUT if the file is missing, not of that form, its keys are no pair, or
 * others than its owner may read it. */
MUST_USE enum status curve_pair_load(struct curve_pair *pair, const char *path,
                                     struct error *err);
/* A new file of mode 0600; an existing one is never overwritten. */
MUST_USE enum status curve_pair_save(const struct curve_pair *pair,
                                     const char *path, struct error *err);
void curve_pair_clear(struct curve_pair *pair);

/* What is signed.  All is borrowed. */
struct curve_binding {
    bool by_listener; /* welcome, else hello */
    const struct curve_key *connecting;
    const struct curve_key *listening;
    const char *service; /* without a newline */
    uint64_t expiry_ms;
};

MUST_USE enum status curve_binding_sign(const struct curve_binding *binding,
                                        const struct private_key *key,
                                        uint8_t signature[SIGNATURE_SIZE_MAX],
                                        size_t *size, struct error *err);
/* E_REFUSED if the signature does not hold. */
MUST_USE enum status curve_binding_verify(const struct curve_binding *binding,
                                          const struct public_key *key,
                                          struct bytes signature,
                                          struct error *err);

#endif
