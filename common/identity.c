#include "common/identity.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "common/digest.h"
#include "common/files.h"
#include "common/identity_internal.h"
#include "common/limits.h"
#include "common/sign_internal.h"

#define SERIAL_SIZE_MAX 20 /* RFC 5280, 4.1.2.2 */

/* ---- decoding ---- */

static enum status read_validity(const X509 *x509,
                                 struct certificate *certificate,
                                 struct error *err)
{
    int64_t first, last;

    if (!identity_time_read(X509_get0_notBefore(x509), &first) ||
        !identity_time_read(X509_get0_notAfter(x509), &last))
        return error_set(err, E_INPUT,
                         "a time of its validity is not of the form "
                         "YYMMDDhhmmssZ or YYYYMMDDhhmmssZ");
    if (first > last)
        return error_set(err, E_INPUT, "its validity ends before it begins");
    certificate->not_before_ms = first * 1000;
    certificate->not_after_ms = last * 1000 + 999;
    return OK;
}

/* Version 3, a positive serial number, no unique ids, one algorithm. */
static enum status check_header(X509 *x509, struct error *err)
{
    const ASN1_BIT_STRING *issuer_uid, *subject_uid;
    const ASN1_INTEGER *serial = X509_get0_serialNumber(x509);
    const X509_ALGOR *outside;

    X509_get0_uids(x509, &issuer_uid, &subject_uid);
    X509_get0_signature(NULL, &outside, x509);
    if (X509_get_version(x509) != X509_VERSION_3)
        return error_set(err, E_INPUT, "is not of version 3");
    if (ASN1_STRING_type(serial) != V_ASN1_INTEGER ||
        ASN1_STRING_length(serial) > SERIAL_SIZE_MAX ||
        ASN1_STRING_length(serial) == 0 ||
        (ASN1_STRING_length(serial) == 1 &&
         ASN1_STRING_get0_data(serial)[0] == 0))
        return error_set(err, E_INPUT,
                         "the serial number is not of 1 to 20 bytes, positive");
    if (issuer_uid != NULL || subject_uid != NULL)
        return error_set(err, E_INPUT, "has a unique identifier");
    if (X509_ALGOR_cmp(outside, X509_get0_tbs_sigalg(x509)) != 0)
        return error_set(err, E_INPUT, "names two algorithms of its signature");
    return OK;
}

static enum status read_certificate(X509 *x509, struct certificate *certificate,
                                    struct error *err)
{
    struct digest digest;
    char hex[DIGEST_HEX_SIZE];
    enum status status = check_header(x509, err);

    if (status == OK)
        status = identity_name_read(X509_get_subject_name(x509), "subject",
                                    &certificate->subject, err);
    if (status == OK)
        status = identity_name_read(X509_get_issuer_name(x509), "issuer",
                                    &certificate->issuer, err);
    if (status == OK && !certificate->issuer.is_authority)
        status = error_set(err, E_INPUT,
                           "the issuer has a role (OU): it is no authority");
    if (status == OK)
        status = read_validity(x509, certificate, err);
    if (status == OK)
        status = identity_profile_read(x509, certificate, err);
    if (status == OK)
        status = identity_key_read(X509_get_X509_PUBKEY(x509),
                                   &certificate->key, err);
    if (status == OK)
        status = digest_bytes(&digest, certificate_der(certificate), err);
    if (status != OK)
        return status;
    digest_hex(&digest, hex);
    memcpy(certificate->id, hex, CERTIFICATE_ID_SIZE - 1);
    return OK;
}

enum status certificate_decode(struct certificate **certificate,
                               struct bytes der, struct error *err)
{
    static const char *const what = "not an X.509 certificate in DER, signed "
                                    "by ECDSA with SHA-256";
    struct certificate *made = NULL;
    X509 *x509 = NULL;
    const unsigned char *at = der.data;
    enum status status = OK;

    if (der.size > CERTIFICATE_SIZE_MAX)
        return error_set(err, E_LIMIT,
                         "a certificate of %zu bytes, the limit is %d",
                         der.size, CERTIFICATE_SIZE_MAX);
    made = calloc(1, sizeof *made + der.size);
    if (made == NULL)
        return error_memory(err, "a certificate");
    made->size = der.size;
    if (der.size > 0)
        memcpy(made->der, der.data, der.size);
    ERR_clear_error();
    if (!identity_split_signed(certificate_der(made), &made->tbs,
                               &made->signature))
        status = error_set(err, E_INPUT, "%s", what);
    else if ((x509 = d2i_X509(NULL, &at, (long)der.size)) == NULL ||
             at != der.data + der.size)
        status = sign_refusal(err, what);
    else if ((status = read_certificate(x509, made, err)) != OK)
        status = error_wrap(err, "certificate");
    X509_free(x509);
    if (status == OK) {
        *certificate = made;
        made = NULL;
    }
    certificate_destroy(&made);
    return status;
}

enum status certificate_parse_pem(struct certificate **certificate,
                                  struct bytes pem, struct error *err)
{
    uint8_t der[CERTIFICATE_SIZE_MAX];
    size_t size;

    if (!sign_pem_decode(pem, "-----BEGIN CERTIFICATE-----",
                         "-----END CERTIFICATE-----", der, sizeof der, &size))
        return error_set(err, E_INPUT,
                         "not one certificate in PEM (\"BEGIN CERTIFICATE\")");
    return certificate_decode(certificate, bytes_of(der, size), err);
}

static enum status take_pem(struct bytes content, void *target,
                            struct error *err)
{
    return certificate_parse_pem(target, content, err);
}

enum status certificate_load(struct certificate **certificate,
                             const char *pem_path, struct error *err)
{
    return file_load(pem_path, CERTIFICATE_PEM_SIZE_MAX, take_pem, certificate,
                     err);
}

void certificate_destroy(struct certificate **certificate)
{
    if (*certificate == NULL)
        return;
    public_key_destroy(&(*certificate)->key);
    free(*certificate);
    *certificate = NULL;
}

/* ---- what it says ---- */

const struct certificate_subject *
certificate_subject(const struct certificate *certificate)
{
    return &certificate->subject;
}

const struct certificate_subject *
certificate_issuer(const struct certificate *certificate)
{
    return &certificate->issuer;
}

const char *certificate_id(const struct certificate *certificate)
{
    return certificate->id;
}

const struct public_key *certificate_key(const struct certificate *certificate)
{
    return certificate->key;
}

struct bytes certificate_der(const struct certificate *certificate)
{
    return bytes_of(certificate->der, certificate->size);
}

void certificate_validity(const struct certificate *certificate,
                          int64_t *not_before_ms, int64_t *not_after_ms)
{
    *not_before_ms = certificate->not_before_ms;
    *not_after_ms = certificate->not_after_ms;
}

enum status certificate_append_pem(const struct certificate *certificate,
                                   struct text *out, struct error *err)
{
    return identity_append_pem(certificate_der(certificate), PEM_STRING_X509,
                               out, err);
}

/* ---- chains ---- */

/* `whose`: of which of the three we speak. */
static enum status check_link(const struct certificate *certificate,
                              const struct certificate *issuer, int64_t time_ms,
                              const char *whose, struct error *err)
{
    enum status status;

    if (!identity_same_authority(&certificate->issuer, &issuer->subject))
        return error_set(err, E_REFUSED,
                         "the %s names another issuer than this one", whose);
    if (time_ms < certificate->not_before_ms)
        return error_set(err, E_REFUSED, "the %s is not valid yet", whose);
    if (time_ms > certificate->not_after_ms)
        return error_set(err, E_REFUSED, "the %s has expired", whose);
    status = public_key_verify(issuer->key, certificate->tbs,
                               certificate->signature, err);
    if (status != OK)
        return error_wrap(err, "the %s", whose);
    return OK;
}

enum status certificate_check_chain(const struct certificate *certificate,
                                    const struct certificate *intermediate,
                                    const struct certificate *root,
                                    int64_t time_ms, struct error *err)
{
    enum status status;

    if (root->kind != CERTIFICATE_ROOT)
        return error_set(err, E_REFUSED,
                         "the root is no authority above others (CA with path "
                         "length 1)");
    if (intermediate->kind != CERTIFICATE_INTERMEDIATE)
        return error_set(err, E_REFUSED,
                         "the intermediate is no authority of an organisation "
                         "(CA with path length 0)");
    if (certificate->kind != CERTIFICATE_LEAF)
        return error_set(err, E_REFUSED, "the certificate is of an authority");
    if (strcmp(certificate->subject.organisation,
               intermediate->subject.organisation) != 0)
        return error_set(err, E_REFUSED,
                         "the certificate is of another organisation than the "
                         "intermediate");
    status = check_link(root, root, time_ms, "root", err);
    if (status == OK)
        status = check_link(intermediate, root, time_ms, "intermediate", err);
    if (status == OK)
        status =
            check_link(certificate, intermediate, time_ms, "certificate", err);
    return status;
}
