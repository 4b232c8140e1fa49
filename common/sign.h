/*
 * common/sign.h - signatures, by OpenSSL: ECDSA P-256 for people and services,
 * Ed25519 for the nodes' cosignatures.
 *
 * Private keys are made by their holder, live in PEM files (PKCS #8, mode
 * 0600, refused when wider) and leave the process only as signatures.
 * Decoding a public key costs more than verifying with it: keep the handle.
 *
 * A verify handle may be used by several threads at once; a private key, too.
 */
#ifndef COMMON_SIGN_H
#define COMMON_SIGN_H

#include <stdbool.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/error.h"
#include "common/text.h"

enum key_type { KEY_P256, KEY_ED25519 };

/* DER of an ECDSA P-256 signature is at most 72 bytes; Ed25519 has 64. */
#define SIGNATURE_SIZE_MAX 72
#define ED25519_KEY_SIZE 32
#define ED25519_SIGNATURE_SIZE 64

struct private_key;
struct public_key;

MUST_USE enum status private_key_generate(struct private_key **key,
                                          enum key_type type,
                                          struct error *err);
/* E_INPUT if the file is missing, no key of a known type, or may be read by
 * others than its owner. */
MUST_USE enum status private_key_load(struct private_key **key,
                                      const char *path, struct error *err);
/* A new file of mode 0600; an existing one is never overwritten. */
MUST_USE enum status private_key_save(const struct private_key *key,
                                      const char *path, struct error *err);
void private_key_destroy(struct private_key **key);

enum key_type private_key_type(const struct private_key *key);

/* signature[*size]; ECDSA signatures are DER with s in its lower half, so that
 * nobody else can write the same one in another way. */
MUST_USE enum status private_key_sign(const struct private_key *key,
                                      struct bytes message,
                                      uint8_t signature[SIGNATURE_SIZE_MAX],
                                      size_t *size, struct error *err);

MUST_USE enum status private_key_public(const struct private_key *key,
                                        struct public_key **public_key,
                                        struct error *err);

/* From a DER SubjectPublicKeyInfo; other types than the two are E_INPUT. */
MUST_USE enum status public_key_decode(struct public_key **key,
                                       struct bytes der, struct error *err);
/* From 32 raw bytes. */
MUST_USE enum status public_key_ed25519(struct public_key **key,
                                        const uint8_t raw[ED25519_KEY_SIZE],
                                        struct error *err);
/* Append the DER SubjectPublicKeyInfo. */
MUST_USE enum status public_key_encode(const struct public_key *key,
                                       struct text *out, struct error *err);
/* Ed25519 only. */
void public_key_raw(const struct public_key *key,
                    uint8_t raw[ED25519_KEY_SIZE]);
enum key_type public_key_type(const struct public_key *key);
void public_key_destroy(struct public_key **key);

/* False for a wrong, malformed or (ECDSA) high-s signature. */
MUST_USE bool public_key_verify(const struct public_key *key,
                                struct bytes message, struct bytes signature);

/* HMAC-SHA256(key, message): commitments that are opened by giving away the
 * key.  `out` has 32 bytes. */
void hmac_sha256(struct bytes key, struct bytes message, uint8_t out[32]);

/* Random bytes fit for keys and nonces, from OpenSSL. */
MUST_USE enum status random_secret(void *out, size_t size, struct error *err);

#endif
