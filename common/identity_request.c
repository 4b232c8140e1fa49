#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "common/identity_internal.h"
#include "common/limits.h"
#include "common/sign_internal.h"

enum status request_create(const struct private_key *key,
                           const struct certificate_subject *subject,
                           struct text *out, struct error *err)
{
    X509_REQ *request = NULL;
    X509_NAME *name = NULL;
    unsigned char *der = NULL;
    int size = 0;
    enum status status = identity_check_subject(subject, err);

    if (status != OK)
        return status;
    if (private_key_type(key) != KEY_P256)
        return error_set(err, E_INPUT, "a certificate's key is of P-256");
    request = X509_REQ_new();
    name = identity_name_create(subject);
    if (request == NULL || name == NULL ||
        X509_REQ_set_version(request, X509_REQ_VERSION_1) != 1 ||
        X509_REQ_set_subject_name(request, name) != 1 ||
        X509_REQ_set_pubkey(request, private_key_handle(key)) != 1 ||
        X509_REQ_sign(request, private_key_handle(key), sign_sha256()) <= 0 ||
        (size = i2d_X509_REQ(request, &der)) <= 0)
        status = sign_failure(err, "making a certificate request");
    else
        status = identity_append_pem(bytes_of(der, (size_t)size),
                                     PEM_STRING_X509_REQ, out, err);
    OPENSSL_free(der);
    X509_NAME_free(name);
    X509_REQ_free(request);
    return status;
}

/* Whatever made it: s may be high here, nothing rests on these bytes. */
static enum status read_request(X509_REQ *request, struct bytes signed_part,
                                struct bytes signature, struct public_key **key,
                                struct certificate_subject *subject,
                                struct error *err)
{
    struct public_key *made = NULL;
    enum status status;

    status = identity_name_read(X509_REQ_get_subject_name(request), "subject",
                                subject, err);
    if (status == OK)
        status =
            identity_key_read(X509_REQ_get_X509_PUBKEY(request), &made, err);
    if (status == OK)
        status = sign_verify_any_half(made, signed_part, signature, err);
    if (status == OK) {
        *key = made;
        made = NULL;
    }
    public_key_destroy(&made);
    return status;
}

enum status request_open(struct bytes pem, struct public_key **key,
                         struct certificate_subject *subject, struct error *err)
{
    static const char *const what =
        "not one certificate request in PEM (\"BEGIN CERTIFICATE REQUEST\"), "
        "signed by ECDSA with SHA-256";
    uint8_t der[CERTIFICATE_SIZE_MAX];
    struct bytes signed_part, signature;
    const unsigned char *at = der;
    X509_REQ *request = NULL;
    size_t size;
    enum status status;

    if (!sign_pem_decode(pem, "-----BEGIN CERTIFICATE REQUEST-----",
                         "-----END CERTIFICATE REQUEST-----", der, sizeof der,
                         &size) ||
        !identity_split_signed(bytes_of(der, size), &signed_part, &signature))
        return error_set(err, E_INPUT, "%s", what);
    ERR_clear_error();
    request = d2i_X509_REQ(NULL, &at, (long)size);
    if (request == NULL || at != der + size)
        status = sign_refusal(err, what);
    else if ((status = read_request(request, signed_part, signature, key,
                                    subject, err)) != OK)
        status = error_wrap(err, "certificate request");
    X509_REQ_free(request);
    return status;
}
