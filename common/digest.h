/*
 * common/digest.h - SHA-256, by OpenSSL.
 *
 * The digest of one person's value is that value, since it can be guessed:
 * digests here are for whole files and public texts, or have a secret key.
 */
#ifndef COMMON_DIGEST_H
#define COMMON_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/error.h"

#define DIGEST_SIZE 32
#define DIGEST_HEX_SIZE (2 * DIGEST_SIZE + 1)

struct digest {
    uint8_t byte[DIGEST_SIZE];
};

struct digest_stream; /* a digest in the making */

MUST_USE enum status digest_open(struct digest_stream **stream,
                                 struct error *err);
MUST_USE enum status digest_update(struct digest_stream *stream,
                                   struct bytes data, struct error *err);
/* Takes *stream. */
MUST_USE enum status digest_finish(struct digest_stream **stream,
                                   struct digest *digest, struct error *err);
/* Takes *stream, accepts NULL in it. */
void digest_discard(struct digest_stream **stream);

MUST_USE enum status digest_bytes(struct digest *digest, struct bytes data,
                                  struct error *err);

/* Of `count` runs of bytes, one behind the other.  Neither allocates nor fails:
 * for the many small digests of a Merkle tree. */
void digest_parts(struct digest *digest, const struct bytes *part,
                  size_t count);

/* HMAC-SHA256(key, parts), RFC 2104; does not allocate nor fail either: for the
 * many commitments of a dataset.  Elsewhere hmac_sha256 (common/sign.h). */
void digest_hmac(struct digest *digest, struct bytes key,
                 const struct bytes *part, size_t count);

/* Lower-case hex and a NUL. */
void digest_hex(const struct digest *digest, char hex[DIGEST_HEX_SIZE]);

#endif
