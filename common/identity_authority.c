#include <assert.h>
#include <string.h>
#include <time.h>

#include <openssl/bn.h>
#include <openssl/x509.h>

#include "common/identity_internal.h"
#include "common/limits.h"
#include "common/sign_internal.h"

#define SERIAL_SIZE 16

/* The first and last second that can be written: years 0 to 9999. */
#define TIME_MIN_MS (-62167219200 * 1000)
#define TIME_MAX_MS (253402300799 * 1000 + 999)

static int64_t floor_seconds(int64_t ms)
{
    return ms / 1000 - (ms % 1000 < 0);
}

static bool put_serial(X509 *x509, const uint8_t bytes[SERIAL_SIZE])
{
    BIGNUM *number = BN_bin2bn(bytes, SERIAL_SIZE, NULL);
    bool done = number != NULL &&
                BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509)) != NULL;

    BN_free(number);
    return done;
}

static bool put_names(X509 *x509, const struct certificate_subject *subject,
                      const struct certificate_subject *issuer)
{
    X509_NAME *subject_name = identity_name_create(subject);
    X509_NAME *issuer_name = identity_name_create(issuer);
    bool done = subject_name != NULL && issuer_name != NULL &&
                X509_set_subject_name(x509, subject_name) == 1 &&
                X509_set_issuer_name(x509, issuer_name) == 1;

    X509_NAME_free(subject_name);
    X509_NAME_free(issuer_name);
    return done;
}

/* As RFC 5280 wants it: UTCTime until 2049, GeneralizedTime from then on. */
static bool put_times(X509 *x509, const struct certificate_terms *terms)
{
    ASN1_TIME *first =
        ASN1_TIME_set(NULL, (time_t)floor_seconds(terms->not_before_ms));
    ASN1_TIME *last =
        ASN1_TIME_set(NULL, (time_t)floor_seconds(terms->not_after_ms));
    bool done = first != NULL && last != NULL &&
                X509_set1_notBefore(x509, first) == 1 &&
                X509_set1_notAfter(x509, last) == 1;

    ASN1_TIME_free(first);
    ASN1_TIME_free(last);
    return done;
}

/* OpenSSL takes no care of the half that s lies in: draw until it is low. */
static enum status sign_low(X509 *x509, const struct private_key *key,
                            struct certificate **certificate, struct error *err)
{
    for (int i = 0; i < CERTIFICATE_SIGN_TRIES; i++) {
        struct certificate *made = NULL;
        unsigned char *der = NULL;
        int size = 0;
        enum status status;

        if (X509_sign(x509, private_key_handle(key), sign_sha256()) <= 0 ||
            (size = i2d_X509(x509, &der)) <= 0)
            return sign_failure(err, "signing a certificate");
        status = certificate_decode(&made, bytes_of(der, (size_t)size), err);
        OPENSSL_free(der);
        if (status != OK)
            return status;
        if (signature_is_low(made->signature)) {
            *certificate = made;
            return OK;
        }
        certificate_destroy(&made);
    }
    return error_set(err, E_SYSTEM, "OpenSSL gives no signatures with a low s");
}

/* What is the same for roots and others.  `issuer` is a subject. */
static enum status certificate_make(struct certificate **certificate,
                                    const struct public_key *key,
                                    const struct certificate_terms *terms,
                                    enum certificate_kind kind,
                                    const struct certificate_subject *issuer,
                                    const struct public_key *issuer_public,
                                    const struct private_key *issuer_key,
                                    struct error *err)
{
    uint8_t serial[SERIAL_SIZE];
    X509 *x509 = NULL;
    bool done;
    enum status status = random_secret(serial, sizeof serial, err);

    if (status != OK)
        return status;
    x509 = X509_new();
    done = x509 != NULL && X509_set_version(x509, X509_VERSION_3) == 1 &&
           put_serial(x509, serial) &&
           put_names(x509, terms->subject, issuer) && put_times(x509, terms) &&
           X509_set_pubkey(x509, public_key_handle(key)) == 1 &&
           identity_profile_put(x509, kind);
    status = done ? identity_profile_put_key_ids(x509, key, issuer_public, err)
                  : sign_failure(err, "making a certificate");
    if (status == OK)
        status = sign_low(x509, issuer_key, certificate, err);
    X509_free(x509);
    return status;
}

static enum status check_terms(const struct public_key *key,
                               const struct certificate_terms *terms,
                               struct error *err)
{
    enum status status = identity_check_subject(terms->subject, err);

    if (status != OK)
        return status;
    if (public_key_type(key) != KEY_P256)
        return error_set(err, E_INPUT, "a certificate's key is of P-256");
    if (terms->not_before_ms < TIME_MIN_MS ||
        terms->not_after_ms > TIME_MAX_MS ||
        terms->not_before_ms > terms->not_after_ms)
        return error_set(err, E_INPUT,
                         "a certificate's validity must begin before it ends, "
                         "in the years 0 to 9999");
    return OK;
}

enum status certificate_create_root(struct certificate **certificate,
                                    const struct private_key *key,
                                    const struct certificate_terms *terms,
                                    struct error *err)
{
    struct public_key *public_key = NULL;
    enum status status;

    assert(terms->subject->is_authority);
    status = private_key_public(key, &public_key, err);
    if (status == OK)
        status = check_terms(public_key, terms, err);
    if (status == OK)
        status =
            certificate_make(certificate, public_key, terms, CERTIFICATE_ROOT,
                             terms->subject, public_key, key, err);
    public_key_destroy(&public_key);
    return status;
}

/* May this authority sign this? */
static enum status check_right(const struct certificate *issuer,
                               const struct certificate_terms *terms,
                               struct error *err)
{
    if (issuer->kind == CERTIFICATE_LEAF)
        return error_set(err, E_REFUSED, "the issuer is no authority");
    if (terms->subject->is_authority && issuer->kind != CERTIFICATE_ROOT)
        return error_set(err, E_REFUSED,
                         "only a root signs for another authority");
    if (!terms->subject->is_authority && issuer->kind == CERTIFICATE_ROOT)
        return error_set(err, E_REFUSED,
                         "a root signs for authorities only: issue with the "
                         "organisation's own");
    if (!terms->subject->is_authority &&
        strcmp(terms->subject->organisation, issuer->subject.organisation) != 0)
        return error_set(err, E_REFUSED,
                         "an authority signs for its own organisation only");
    if (terms->not_before_ms < issuer->not_before_ms ||
        terms->not_after_ms > issuer->not_after_ms)
        return error_set(err, E_REFUSED,
                         "a certificate cannot be valid when its issuer's is "
                         "not");
    return OK;
}

enum status certificate_issue(struct certificate **certificate,
                              const struct public_key *key,
                              const struct certificate_terms *terms,
                              const struct certificate *issuer,
                              const struct private_key *issuer_key,
                              struct error *err)
{
    struct public_key *issuer_public = NULL;
    enum status status = check_terms(key, terms, err);

    if (status == OK)
        status = check_right(issuer, terms, err);
    if (status == OK)
        status = private_key_public(issuer_key, &issuer_public, err);
    if (status == OK && !public_key_equal(issuer_public, issuer->key))
        status = error_set(err, E_INPUT,
                           "the private key is not that of the issuer's "
                           "certificate");
    if (status == OK && public_key_equal(key, issuer->key))
        status = error_set(err, E_INPUT,
                           "the key is the issuer's own: everyone has one of "
                           "their own");
    if (status == OK)
        status = certificate_make(
            certificate, key, terms,
            terms->subject->is_authority ? CERTIFICATE_INTERMEDIATE
                                         : CERTIFICATE_LEAF,
            &issuer->subject, issuer->key, issuer_key, err);
    public_key_destroy(&issuer_public);
    return status;
}
