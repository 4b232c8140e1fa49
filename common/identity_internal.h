/*
 * common/identity_internal.h - a certificate and its parts, for identity.c and
 * identity_*.c.
 *
 * identity.c reads certificates and checks chains; identity_name.c has roles
 * and names, identity_profile.c the extensions, identity_der.c what is written
 * in DER and PEM; identity_authority.c issues, identity_request.c asks for it.
 *
 * OpenSSL's own names for its types need its headers; the tags do not.
 */
#ifndef COMMON_IDENTITY_INTERNAL_H
#define COMMON_IDENTITY_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/error.h"
#include "common/identity.h"
#include "common/text.h"

struct x509_st;        /* X509 */
struct X509_name_st;   /* X509_NAME */
struct X509_pubkey_st; /* X509_PUBKEY */
struct asn1_string_st; /* ASN1_TIME */

/* By path length: the places of a chain. */
enum certificate_kind {
    CERTIFICATE_LEAF,
    CERTIFICATE_INTERMEDIATE,
    CERTIFICATE_ROOT,
    CERTIFICATE_KINDS
};

struct certificate {
    struct certificate_subject subject;
    struct certificate_subject issuer;
    enum certificate_kind kind;
    char id[CERTIFICATE_ID_SIZE];
    struct public_key *key;
    int64_t not_before_ms, not_after_ms;
    struct bytes tbs; /* what is signed, and its signature: in der */
    struct bytes signature;
    size_t size;
    uint8_t der[];
};

/* ---- names ---- */

/* Of a certificate or request that is to be made. */
MUST_USE enum status
identity_check_subject(const struct certificate_subject *subject,
                       struct error *err);

/* NULL without memory. */
struct X509_name_st *
identity_name_create(const struct certificate_subject *subject);

/* `whose`: "subject" or "issuer", for messages. */
MUST_USE enum status identity_name_read(const struct X509_name_st *name,
                                        const char *whose,
                                        struct certificate_subject *subject,
                                        struct error *err);

/* Are both authorities, and the same one? */
bool identity_same_authority(const struct certificate_subject *a,
                             const struct certificate_subject *b);

/* ---- the profile ---- */

/* Its extensions make it a certificate of which kind?  Its subject is read. */
MUST_USE enum status identity_profile_read(const struct x509_st *x509,
                                           struct certificate *certificate,
                                           struct error *err);

/* Add the extensions of this kind; false if OpenSSL fails. */
MUST_USE bool identity_profile_put(struct x509_st *x509,
                                   enum certificate_kind kind);

/* subjectKeyIdentifier, and authorityKeyIdentifier unless self-signed: the
 * first 160 bits of SHA-256 of the key (RFC 7093, 2, method 1), since RFC 5280
 * wants them for other software to find its way. */
MUST_USE enum status
identity_profile_put_key_ids(struct x509_st *x509, const struct public_key *key,
                             const struct public_key *issuer_key,
                             struct error *err);

/* ---- DER and PEM ---- */

/* SEQUENCE { what is signed, algorithm, signature }.  Whoever finds another
 * way to write the parts that are not signed makes a certificate with another
 * id: so these have exactly one. */
MUST_USE bool identity_split_signed(struct bytes der, struct bytes *tbs,
                                    struct bytes *signature);

/* P-256, in its one spelling. */
MUST_USE enum status identity_key_read(struct X509_pubkey_st *encoded,
                                       struct public_key **key,
                                       struct error *err);

/* Unix seconds of a time in one of the two forms that RFC 5280 (4.1.2.5)
 * allows: no fraction, no zone but Z. */
MUST_USE bool identity_time_read(const struct asn1_string_st *time,
                                 int64_t *seconds);

/* `name`: what the PEM block is called. */
MUST_USE enum status identity_append_pem(struct bytes der, const char *name,
                                         struct text *out, struct error *err);

#endif
