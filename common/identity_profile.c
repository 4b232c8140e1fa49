#include <string.h>

#include <openssl/objects.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "common/digest.h"
#include "common/identity_internal.h"
#include "common/sign_internal.h"

#define KEY_ID_SIZE 20
/* Of a SubjectPublicKeyInfo of P-256: what stands before the key's own bytes.
 */
#define P256_INFO_SIZE 26

/* ---- the extensions, byte for byte ---- */

/* basicConstraints */
static const uint8_t leaf_constraints[] = {0x30, 0x00};
static const uint8_t intermediate_constraints[] = {0x30, 0x06, 0x01, 0x01,
                                                   0xff, 0x02, 0x01, 0x00};
static const uint8_t root_constraints[] = {0x30, 0x06, 0x01, 0x01,
                                           0xff, 0x02, 0x01, 0x01};
/* keyUsage: digitalSignature; keyCertSign and cRLSign */
static const uint8_t leaf_usage[] = {0x03, 0x02, 0x07, 0x80};
static const uint8_t authority_usage[] = {0x03, 0x02, 0x01, 0x06};
/* extendedKeyUsage: serverAuth, clientAuth */
static const uint8_t leaf_purpose[] = {
    0x30, 0x14, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03,
    0x01, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02};

enum extension { CONSTRAINTS, USAGE, PURPOSE, EXTENSION_COUNT };

static const struct {
    int nid;
    bool critical;
    const char *name;
} extensions[EXTENSION_COUNT] = {
    {NID_basic_constraints, true, "basicConstraints"},
    {NID_key_usage, true, "keyUsage"},
    {NID_ext_key_usage, false, "extendedKeyUsage"},
};

/* No bytes: the extension must be missing. */
static const struct bytes profile[CERTIFICATE_KINDS][EXTENSION_COUNT] = {
    {{leaf_constraints, sizeof leaf_constraints},
     {leaf_usage, sizeof leaf_usage},
     {leaf_purpose, sizeof leaf_purpose}},
    {{intermediate_constraints, sizeof intermediate_constraints},
     {authority_usage, sizeof authority_usage},
     {NULL, 0}},
    {{root_constraints, sizeof root_constraints},
     {authority_usage, sizeof authority_usage},
     {NULL, 0}},
};

/* ---- reading ---- */

/* Find the known extensions; a critical one that is unknown is refused. */
static enum status find_extensions(const X509 *x509,
                                   struct bytes found[EXTENSION_COUNT],
                                   struct error *err)
{
    for (int i = 0; i < X509_get_ext_count(x509); i++) {
        X509_EXTENSION *extension = X509_get_ext(x509, i);
        const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(extension);
        int nid = OBJ_obj2nid(X509_EXTENSION_get_object(extension));
        bool critical = X509_EXTENSION_get_critical(extension) != 0;
        size_t known = 0;

        while (known < EXTENSION_COUNT && extensions[known].nid != nid)
            known++;
        if (known == EXTENSION_COUNT && !critical)
            continue;
        if (known == EXTENSION_COUNT)
            return error_set(err, E_INPUT,
                             "extension %d is critical and not known here",
                             i + 1);
        if (critical != extensions[known].critical)
            return error_set(err, E_INPUT, "%s must %sbe critical",
                             extensions[known].name, critical ? "not " : "");
        if (found[known].size != 0)
            return error_set(err, E_INPUT, "%s stands there twice",
                             extensions[known].name);
        found[known] = bytes_of(ASN1_STRING_get0_data(value),
                                (size_t)ASN1_STRING_length(value));
    }
    return OK;
}

enum status identity_profile_read(const X509 *x509,
                                  struct certificate *certificate,
                                  struct error *err)
{
    struct bytes found[EXTENSION_COUNT] = {{NULL, 0}};
    int kind = 0;
    enum status status = find_extensions(x509, found, err);

    if (status != OK)
        return status;
    while (kind < CERTIFICATE_KINDS &&
           !bytes_equal(found[CONSTRAINTS], profile[kind][CONSTRAINTS]))
        kind++;
    if (kind == CERTIFICATE_KINDS)
        return error_set(err, E_INPUT,
                         "basicConstraints are none of: no CA; CA with path "
                         "length 0; CA with path length 1");
    for (int i = CONSTRAINTS + 1; i < EXTENSION_COUNT; i++)
        if (!bytes_equal(found[i], profile[kind][i]))
            return error_set(
                err, E_INPUT, "%s is not that of %s", extensions[i].name,
                kind == CERTIFICATE_LEAF ? "a certificate that is no CA"
                                         : "an authority");
    certificate->kind = (enum certificate_kind)kind;
    if (certificate->subject.is_authority != (kind != CERTIFICATE_LEAF))
        return error_set(err, E_INPUT,
                         "an authority has no role in its subject (OU), and "
                         "everyone else has one");
    return OK;
}

/* ---- writing ---- */

static bool put_extension(X509 *x509, int nid, bool critical,
                          struct bytes value)
{
    ASN1_OCTET_STRING *string = ASN1_OCTET_STRING_new();
    X509_EXTENSION *extension = NULL;
    bool done;

    if (string != NULL &&
        ASN1_OCTET_STRING_set(string, value.data, (int)value.size) == 1)
        extension = X509_EXTENSION_create_by_NID(NULL, nid, critical, string);
    done = extension != NULL && X509_add_ext(x509, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(string);
    return done;
}

bool identity_profile_put(X509 *x509, enum certificate_kind kind)
{
    bool done = true;

    for (int i = 0; i < EXTENSION_COUNT && done; i++)
        if (profile[kind][i].size > 0)
            done = put_extension(x509, extensions[i].nid,
                                 extensions[i].critical, profile[kind][i]);
    return done;
}

enum status identity_profile_put_key_ids(X509 *x509,
                                         const struct public_key *key,
                                         const struct public_key *issuer_key,
                                         struct error *err)
{
    uint8_t subject_id[2 + KEY_ID_SIZE] = {0x04, KEY_ID_SIZE};
    uint8_t issuer_id[4 + KEY_ID_SIZE] = {0x30, 2 + KEY_ID_SIZE, 0x80,
                                          KEY_ID_SIZE};
    struct bytes der = public_key_der(key);
    struct bytes issuer_der = public_key_der(issuer_key);
    struct digest digest, issuer_digest;

    if (digest_bytes(
            &digest,
            bytes_of(der.data + P256_INFO_SIZE, der.size - P256_INFO_SIZE),
            err) != OK ||
        digest_bytes(&issuer_digest,
                     bytes_of(issuer_der.data + P256_INFO_SIZE,
                              issuer_der.size - P256_INFO_SIZE),
                     err) != OK)
        return err->status;
    memcpy(subject_id + 2, digest.byte, KEY_ID_SIZE);
    memcpy(issuer_id + 4, issuer_digest.byte, KEY_ID_SIZE);
    if (!put_extension(x509, NID_subject_key_identifier, false,
                       bytes_of(subject_id, sizeof subject_id)) ||
        (!public_key_equal(key, issuer_key) &&
         !put_extension(x509, NID_authority_key_identifier, false,
                        bytes_of(issuer_id, sizeof issuer_id))))
        return sign_failure(err, "making a certificate");
    return OK;
}
