/*
 * common/sign_internal.h - OpenSSL's handles behind the keys, for identity.c.
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

/* DER out of the one PEM block, called `name`, that `pem` consists of.  False
 * if it does not; OpenSSL's queue may say why. */
bool sign_pem_open(struct bytes pem, const char *name, unsigned char **der,
                   long *size);
void sign_pem_close(unsigned char **der, long size);

/* Is it an ECDSA signature in its one spelling? */
bool signature_is_low(struct bytes signature);

/* What a call of OpenSSL left: E_MEMORY if that is what it lacked, else
 * E_SYSTEM; "<what> failed".  Empties its queue of errors. */
MUST_USE enum status sign_failure(struct error *err, const char *what);

/* The same where the input is to blame, unless it was memory that lacked:
 * E_INPUT and `what` in full. */
MUST_USE enum status sign_refusal(struct error *err, const char *what);

#endif
