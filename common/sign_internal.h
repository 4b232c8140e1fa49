/*
 * common/sign_internal.h - OpenSSL's handles behind the keys, for identity*.c.
 *
 * OpenSSL's own names for its types need its headers; the tags do not.
 */
#ifndef COMMON_SIGN_INTERNAL_H
#define COMMON_SIGN_INTERNAL_H

#include <stdbool.h>

#include "common/bytes.h"
#include "common/error.h"
#include "common/sign.h"

struct evp_pkey_st; /* EVP_PKEY */
struct evp_md_st;   /* EVP_MD */

/* Borrowed from the key. */
struct evp_pkey_st *private_key_handle(const struct private_key *key);
struct evp_pkey_st *public_key_handle(const struct public_key *key);

/* SHA-256, fetched once for the whole process; NULL without memory. */
const struct evp_md_st *sign_sha256(void);

/* DER out of the one PEM block that `pem` consists of, between these two lines;
 * false if it does not, or if there is more than der_size_max bytes. */
bool sign_pem_decode(struct bytes pem, const char *begin, const char *end,
                     uint8_t *der, size_t der_size_max, size_t *size);

/* As public_key_verify, for P-256; s may lie in either half. */
MUST_USE enum status sign_verify_any_half(const struct public_key *key,
                                          struct bytes message,
                                          struct bytes signature,
                                          struct error *err);

/* What a call of OpenSSL left: E_MEMORY if that is what it lacked, else
 * E_SYSTEM; "<what> failed".  Empties its queue of errors. */
MUST_USE enum status sign_failure(struct error *err, const char *what);

/* The same where the input is to blame, unless it was memory that lacked:
 * E_INPUT and `what` in full. */
MUST_USE enum status sign_refusal(struct error *err, const char *what);

#endif
