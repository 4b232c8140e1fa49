/*
 * common/sign.h - signatures, by OpenSSL: ECDSA P-256 for people and services,
 * Ed25519 for the nodes' cosignatures.
 *
 * Private keys are made by their holder, live in PEM files (PKCS #8, mode
 * 0600, refused when wider) and leave the process only as signatures.
 * Decoding a public key costs more than verifying with it: keep the handle.
 *
 * Every value has one spelling.  A public key is its SubjectPublicKeyInfo in
 * DER with the point uncompressed; an ECDSA signature is minimal DER with s in
 * the lower half of the group's order (of s and n - s both would verify), so
 * that nobody can write the same signature in another way.  All else is
 * refused.
 *
 * A handle may be used by several threads at once, public or private.
 */
#ifndef COMMON_SIGN_H
#define COMMON_SIGN_H

#include <stdbool.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/error.h"
#include "common/text.h"

enum key_type { KEY_P256, KEY_ED25519 };

/* DER of an ECDSA P-256 signature has at most 72 bytes (71 with a low s);
 * Ed25519 has 64. */
#define SIGNATURE_SIZE_MAX 72
#define ED25519_KEY_SIZE 32
#define ED25519_SIGNATURE_SIZE 64
/* Of a SubjectPublicKeyInfo: P-256 needs the most. */
#define PUBLIC_KEY_SIZE_MAX 91
#define HMAC_SIZE 32

struct private_key;
struct public_key;

/* Keep the private keys of this process, from now on, in memory that is locked
 * (never swapped), left out of core files and fenced by guard pages.  Once, at
 * the start of a program; KEY_MEMORY_SIZE limits how many keys there can be.
 * E_SYSTEM if the system does not allow it (ulimit -l). */
MUST_USE enum status private_key_lock_memory(struct error *err);

MUST_USE enum status private_key_generate(struct private_key **key,
                                          enum key_type type,
                                          struct error *err);
/* PKCS #8 in PEM, not encrypted, and nothing else in the file.  E_INPUT if it
 * is missing, holds no key of a known type, or may be read or written by others
 * than its owner. */
MUST_USE enum status private_key_load(struct private_key **key,
                                      const char *path, struct error *err);
/* A new file of mode 0600 that appears whole; E_INPUT if there is one, which is
 * never overwritten. */
MUST_USE enum status private_key_save(const struct private_key *key,
                                      const char *path, struct error *err);
void private_key_destroy(struct private_key **key);

enum key_type private_key_type(const struct private_key *key);

MUST_USE enum status private_key_sign(const struct private_key *key,
                                      struct bytes message,
                                      uint8_t signature[SIGNATURE_SIZE_MAX],
                                      size_t *size, struct error *err);

MUST_USE enum status private_key_public(const struct private_key *key,
                                        struct public_key **public_key,
                                        struct error *err);
/* The public half of an Ed25519 key. */
MUST_USE enum status private_key_raw(const struct private_key *key,
                                     uint8_t raw[ED25519_KEY_SIZE],
                                     struct error *err);

/* From a SubjectPublicKeyInfo; E_INPUT if it is not one of the two types, in
 * its one spelling. */
MUST_USE enum status public_key_decode(struct public_key **key,
                                       struct bytes der, struct error *err);
/* From 32 raw bytes. */
MUST_USE enum status public_key_ed25519(struct public_key **key,
                                        const uint8_t raw[ED25519_KEY_SIZE],
                                        struct error *err);
/* The SubjectPublicKeyInfo; lives as long as the key. */
struct bytes public_key_der(const struct public_key *key);
bool public_key_equal(const struct public_key *a, const struct public_key *b);
/* Ed25519 only. */
void public_key_raw(const struct public_key *key,
                    uint8_t raw[ED25519_KEY_SIZE]);
enum key_type public_key_type(const struct public_key *key);
void public_key_destroy(struct public_key **key);

/* Form only: could these bytes be an ECDSA P-256 signature, in its one
 * spelling? */
bool signature_is_low(struct bytes signature);

/* E_REFUSED for a wrong, malformed or (ECDSA) high-s signature.  E_MEMORY and
 * E_SYSTEM say that it could not be checked, which is not the same: a node that
 * lacks memory must not find an entry invalid. */
MUST_USE enum status public_key_verify(const struct public_key *key,
                                       struct bytes message,
                                       struct bytes signature,
                                       struct error *err);

/* HMAC-SHA256(key, message): commitments that are opened by giving away the
 * key. */
MUST_USE enum status hmac_sha256(struct bytes key, struct bytes message,
                                 uint8_t out[HMAC_SIZE], struct error *err);

/* Random bytes fit for keys and nonces, from OpenSSL. */
MUST_USE enum status random_secret(void *out, size_t size, struct error *err);

/* Overwrite bytes that were secret; no compiler takes it away. */
void secret_wipe(void *secret, size_t size);

/* Memory for secrets, zeroed; where private_key_lock_memory was called it is of
 * the locked kind, of which there is little: for a few keys that stay.  NULL
 * without memory.  Released with its size, wiped; NULL is accepted. */
MUST_USE void *secret_allocate(size_t size);
void secret_release(void *secret, size_t size);

#endif
