#include "common/identity.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "common/digest.h"
#include "common/files.h"
#include "common/limits.h"
#include "common/sign_internal.h"

#define SERIAL_SIZE 16
#define SERIAL_SIZE_MAX 20 /* RFC 5280, 4.1.2.2 */
#define KEY_ID_SIZE 20
/* Of a SubjectPublicKeyInfo of P-256: what stands before the key's own bytes.
 */
#define P256_INFO_SIZE 26
#define UTC_TIME_SIZE 13         /* YYMMDDhhmmssZ */
#define GENERALIZED_TIME_SIZE 15 /* YYYYMMDDhhmmssZ */
#define DER_BIT_STRING 0x03
#define DER_SEQUENCE 0x30

/* By path length: the places of a chain. */
enum kind { KIND_LEAF, KIND_INTERMEDIATE, KIND_ROOT, KIND_COUNT };

struct certificate {
    struct certificate_subject subject;
    struct certificate_subject issuer;
    enum kind kind;
    char id[CERTIFICATE_ID_SIZE];
    struct public_key *key;
    int64_t not_before_ms, not_after_ms;
    struct bytes tbs; /* what is signed, and its signature: in der */
    struct bytes signature;
    size_t size;
    uint8_t der[];
};

/* ---- the profile: extensions, byte for byte ---- */

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
static const struct bytes profile[KIND_COUNT][EXTENSION_COUNT] = {
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

/* AlgorithmIdentifier of ecdsa-with-SHA256 (RFC 5758). */
static const uint8_t signature_algorithm[] = {
    0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};

/* ---- names ---- */

static const char *const role_names[] = {
#define ROLE_NAME(name, id) name,
    ROLE_TABLE(ROLE_NAME)
#undef ROLE_NAME
};

const char *identity_role_name(enum identity_role role)
{
    assert((unsigned)role < IDENTITY_ROLE_COUNT);
    return role_names[role];
}

bool identity_role_parse(struct bytes name, enum identity_role *role)
{
    for (int i = 0; i < IDENTITY_ROLE_COUNT; i++)
        if (bytes_equal_string(name, role_names[i])) {
            *role = (enum identity_role)i;
            return true;
        }
    return false;
}

static bool is_alphanumeric(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9');
}

bool identity_name_valid(struct bytes name)
{
    if (name.size == 0 || name.size > IDENTITY_NAME_MAX ||
        !is_alphanumeric(name.data[0]))
        return false;
    for (size_t i = 1; i < name.size; i++)
        if (!is_alphanumeric(name.data[i]) && name.data[i] != '.' &&
            name.data[i] != '-' && name.data[i] != '_')
            return false;
    return true;
}

/* Of a certificate or request that is to be made. */
static enum status check_subject(const struct certificate_subject *subject,
                                 struct error *err)
{
    if (!identity_name_valid(bytes_of_string(subject->organisation)))
        return error_set(err, E_INPUT,
                         "the organisation's name needs 1 to %d letters, "
                         "digits, dots, dashes or underscores, a letter or "
                         "digit first",
                         IDENTITY_NAME_MAX);
    if (!identity_name_valid(bytes_of_string(subject->name)))
        return error_set(err, E_INPUT,
                         "the name needs 1 to %d letters, digits, dots, dashes "
                         "or underscores, a letter or digit first",
                         IDENTITY_NAME_MAX);
    assert(subject->is_authority ||
           (unsigned)subject->role < IDENTITY_ROLE_COUNT);
    return OK;
}

static bool put_attribute(X509_NAME *name, int nid, const char *value)
{
    return X509_NAME_add_entry_by_NID(name, nid, V_ASN1_UTF8STRING,
                                      (const unsigned char *)value, -1, -1,
                                      0) == 1;
}

/* NULL without memory. */
static X509_NAME *name_create(const struct certificate_subject *subject)
{
    X509_NAME *name = X509_NAME_new();

    if (name == NULL)
        return NULL;
    if (put_attribute(name, NID_organizationName, subject->organisation) &&
        (subject->is_authority ||
         put_attribute(name, NID_organizationalUnitName,
                       identity_role_name(subject->role))) &&
        put_attribute(name, NID_commonName, subject->name))
        return name;
    X509_NAME_free(name);
    return NULL;
}

/* The three parts of a name as they are read. */
struct name_parts {
    char organisation[IDENTITY_NAME_MAX + 1];
    char unit[IDENTITY_NAME_MAX + 1];
    char name[IDENTITY_NAME_MAX + 1];
};

/* Copy the value of an attribute to its part; what is wrong, or NULL. */
static const char *read_attribute(const X509_NAME_ENTRY *entry, int place,
                                  struct name_parts *parts)
{
    const ASN1_STRING *value = X509_NAME_ENTRY_get_data(entry);
    struct bytes bytes = bytes_of(ASN1_STRING_get0_data(value),
                                  (size_t)ASN1_STRING_length(value));
    char *part;

    switch (OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry))) {
    case NID_organizationName:
        part = parts->organisation;
        break;
    case NID_organizationalUnitName:
        part = parts->unit;
        break;
    case NID_commonName:
        part = parts->name;
        break;
    default:
        return "has another attribute than O, OU and CN";
    }
    if (X509_NAME_ENTRY_set(entry) != place)
        return "has two attributes in one place";
    if (part[0] != '\0')
        return "has an attribute twice";
    if (ASN1_STRING_type(value) != V_ASN1_UTF8STRING)
        return "has an attribute that is no UTF8String";
    if (!identity_name_valid(bytes))
        return "has an attribute that is not of 1 to 64 letters, digits, dots, "
               "dashes and underscores";
    memcpy(part, bytes.data, bytes.size);
    part[bytes.size] = '\0';
    return NULL;
}

/* `whose`: "subject" or "issuer", for messages. */
static enum status name_read(const X509_NAME *name, const char *whose,
                             struct certificate_subject *subject,
                             struct error *err)
{
    struct name_parts parts = {"", "", ""};
    const char *wrong = NULL;

    *subject = (struct certificate_subject){.organisation = ""};
    for (int i = 0; i < X509_NAME_entry_count(name) && wrong == NULL; i++)
        wrong = read_attribute(X509_NAME_get_entry(name, i), i, &parts);
    if (wrong == NULL &&
        (parts.organisation[0] == '\0' || parts.name[0] == '\0'))
        wrong = "lacks O or CN";
    else if (wrong == NULL && parts.unit[0] != '\0' &&
             !identity_role_parse(bytes_of_string(parts.unit), &subject->role))
        wrong = "has an unknown role in OU";
    if (wrong != NULL)
        return error_set(err, E_INPUT, "the %s %s", whose, wrong);
    memcpy(subject->organisation, parts.organisation,
           sizeof parts.organisation);
    memcpy(subject->name, parts.name, sizeof parts.name);
    subject->is_authority = parts.unit[0] == '\0';
    return OK;
}

/* Of two authorities. */
static bool same_authority(const struct certificate_subject *a,
                           const struct certificate_subject *b)
{
    return a->is_authority && b->is_authority &&
           strcmp(a->organisation, b->organisation) == 0 &&
           strcmp(a->name, b->name) == 0;
}

/* ---- times ---- */

static bool two_digits(const unsigned char *at, int min, int max, int *number)
{
    if (at[0] < '0' || at[0] > '9' || at[1] < '0' || at[1] > '9')
        return false;
    *number = 10 * (at[0] - '0') + (at[1] - '0');
    return *number >= min && *number <= max;
}

/* Unix seconds of a time in one of the two forms that RFC 5280 (4.1.2.5)
 * allows: no fraction, no zone but Z. */
static bool time_read(const ASN1_TIME *time, int64_t *seconds)
{
    const unsigned char *at = ASN1_STRING_get0_data(time);
    int size = ASN1_STRING_length(time), century, year;
    struct tm tm = {0}, given;

    if (ASN1_STRING_type(time) == V_ASN1_GENERALIZEDTIME &&
        size == GENERALIZED_TIME_SIZE) {
        if (!two_digits(at, 0, 99, &century))
            return false;
        at += 2;
    } else if (ASN1_STRING_type(time) == V_ASN1_UTCTIME &&
               size == UTC_TIME_SIZE) {
        century = at[0] < '5' ? 20 : 19;
    } else {
        return false;
    }
    if (!two_digits(at, 0, 99, &year) ||
        !two_digits(at + 2, 1, 12, &tm.tm_mon) ||
        !two_digits(at + 4, 1, 31, &tm.tm_mday) ||
        !two_digits(at + 6, 0, 23, &tm.tm_hour) ||
        !two_digits(at + 8, 0, 59, &tm.tm_min) ||
        !two_digits(at + 10, 0, 59, &tm.tm_sec) || at[12] != 'Z')
        return false;
    tm.tm_year = 100 * century + year - 1900;
    tm.tm_mon--;
    given = tm;
    *seconds = timegm(&tm);
    return tm.tm_mday == given.tm_mday; /* else there is no such day */
}

/* The first and last second that can be written: years 0 to 9999. */
#define TIME_MIN_MS (-62167219200 * 1000)
#define TIME_MAX_MS (253402300799 * 1000 + 999)

static int64_t floor_seconds(int64_t ms)
{
    return ms / 1000 - (ms % 1000 < 0);
}

static enum status read_validity(const X509 *x509,
                                 struct certificate *certificate,
                                 struct error *err)
{
    int64_t first, last;

    if (!time_read(X509_get0_notBefore(x509), &first) ||
        !time_read(X509_get0_notAfter(x509), &last))
        return error_set(err, E_INPUT,
                         "a time of its validity is not of the form "
                         "YYMMDDhhmmssZ or YYYYMMDDhhmmssZ");
    if (first > last)
        return error_set(err, E_INPUT, "its validity ends before it begins");
    certificate->not_before_ms = first * 1000;
    certificate->not_after_ms = last * 1000 + 999;
    return OK;
}

/* ---- decoding ---- */

/* Take a value with this tag off the front of `from`; lengths in the one form
 * that DER has for them, up to what two bytes can say. */
static bool take_value(struct bytes *from, uint8_t tag, struct bytes *whole,
                       struct bytes *content)
{
    size_t header = 2, size;

    if (from->size < 2 || from->data[0] != tag)
        return false;
    size = from->data[1];
    if (size >= 0x80) {
        size_t digits = size - 0x80;

        header = 2 + digits;
        if (digits < 1 || digits > 2 || from->size < header)
            return false;
        size = digits == 1 ? from->data[2]
                           : (size_t)from->data[2] << 8 | from->data[3];
        if (size < (digits == 1 ? 0x80u : 0x100u))
            return false;
    }
    if (size > from->size - header)
        return false;
    *whole = bytes_of(from->data, header + size);
    *content = bytes_of(from->data + header, size);
    *from = bytes_of(from->data + header + size, from->size - header - size);
    return true;
}

/* SEQUENCE { what is signed, algorithm, signature }.  Whoever finds another
 * way to write the parts that are not signed makes a certificate with another
 * id: so these have exactly one. */
static bool split_signed(struct bytes der, struct bytes *tbs,
                         struct bytes *signature)
{
    struct bytes whole, body, content, algorithm;

    if (!take_value(&der, DER_SEQUENCE, &whole, &body) || der.size != 0 ||
        !take_value(&body, DER_SEQUENCE, tbs, &content) ||
        !take_value(&body, DER_SEQUENCE, &algorithm, &content) ||
        !bytes_equal(algorithm, bytes_of(signature_algorithm,
                                         sizeof signature_algorithm)) ||
        !take_value(&body, DER_BIT_STRING, &whole, &content) ||
        body.size != 0 || content.size < 2 || content.data[0] != 0)
        return false;
    *signature = bytes_of(content.data + 1, content.size - 1);
    return true;
}

/* P-256, in its one spelling. */
static enum status read_key(X509_PUBKEY *encoded, struct public_key **key,
                            struct error *err)
{
    unsigned char *der = NULL;
    int size = i2d_X509_PUBKEY(encoded, &der);
    enum status status;

    if (size <= 0)
        return sign_failure(err, "encoding a public key");
    status = public_key_decode(key, bytes_of(der, (size_t)size), err);
    OPENSSL_free(der);
    if (status == OK && public_key_type(*key) != KEY_P256) {
        public_key_destroy(key);
        status = error_set(err, E_INPUT, "its key is not of P-256");
    }
    return status;
}

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

static enum status read_extensions(const X509 *x509,
                                   struct certificate *certificate,
                                   struct error *err)
{
    struct bytes found[EXTENSION_COUNT] = {{NULL, 0}};
    int kind = 0;
    enum status status = find_extensions(x509, found, err);

    if (status != OK)
        return status;
    while (kind < KIND_COUNT &&
           !bytes_equal(found[CONSTRAINTS], profile[kind][CONSTRAINTS]))
        kind++;
    if (kind == KIND_COUNT)
        return error_set(err, E_INPUT,
                         "basicConstraints are none of: no CA; CA with path "
                         "length 0; CA with path length 1");
    for (int i = CONSTRAINTS + 1; i < EXTENSION_COUNT; i++)
        if (!bytes_equal(found[i], profile[kind][i]))
            return error_set(err, E_INPUT, "%s is not that of %s",
                             extensions[i].name,
                             kind == KIND_LEAF ? "a certificate that is no CA"
                                               : "an authority");
    certificate->kind = (enum kind)kind;
    if (certificate->subject.is_authority != (kind != KIND_LEAF))
        return error_set(err, E_INPUT,
                         "an authority has no role in its subject (OU), and "
                         "everyone else has one");
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
        status = name_read(X509_get_subject_name(x509), "subject",
                           &certificate->subject, err);
    if (status == OK)
        status = name_read(X509_get_issuer_name(x509), "issuer",
                           &certificate->issuer, err);
    if (status == OK && !certificate->issuer.is_authority)
        status = error_set(err, E_INPUT,
                           "the issuer has a role (OU): it is no authority");
    if (status == OK)
        status = read_validity(x509, certificate, err);
    if (status == OK)
        status = read_extensions(x509, certificate, err);
    if (status == OK)
        status = read_key(X509_get_X509_PUBKEY(x509), &certificate->key, err);
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
    if (!split_signed(certificate_der(made), &made->tbs, &made->signature))
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

enum status certificate_load(struct certificate **certificate,
                             const char *pem_path, struct error *err)
{
    struct text pem;
    enum status status;

    text_init(&pem);
    status = file_read(pem_path, CERTIFICATE_PEM_SIZE_MAX, &pem, err);
    if (status == OK) {
        status = certificate_parse_pem(certificate, text_bytes(&pem), err);
        if (status != OK)
            status = error_wrap(err, "%s", pem_path);
    }
    text_clear(&pem);
    return status;
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

static enum status append_pem(struct bytes der, const char *name,
                              struct text *out, struct error *err)
{
    BIO *pem = BIO_new(BIO_s_mem());
    char *data;
    long size;
    enum status status;

    if (pem == NULL ||
        PEM_write_bio(pem, name, "", der.data, (long)der.size) <= 0)
        status = sign_failure(err, "writing PEM");
    else {
        size = BIO_get_mem_data(pem, &data);
        status = text_append(out, data, (size_t)size, err);
    }
    BIO_free(pem);
    return status;
}

enum status certificate_append_pem(const struct certificate *certificate,
                                   struct text *out, struct error *err)
{
    return append_pem(certificate_der(certificate), PEM_STRING_X509, out, err);
}

/* ---- chains ---- */

/* `whose`: of which of the three we speak. */
static enum status check_link(const struct certificate *certificate,
                              const struct certificate *issuer, int64_t time_ms,
                              const char *whose, struct error *err)
{
    enum status status;

    if (!same_authority(&certificate->issuer, &issuer->subject))
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

    if (root->kind != KIND_ROOT)
        return error_set(err, E_REFUSED,
                         "the root is no authority above others (CA with path "
                         "length 1)");
    if (intermediate->kind != KIND_INTERMEDIATE)
        return error_set(err, E_REFUSED,
                         "the intermediate is no authority of an organisation "
                         "(CA with path length 0)");
    if (certificate->kind != KIND_LEAF)
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

/* ---- issuing ---- */

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
    X509_NAME *subject_name = name_create(subject);
    X509_NAME *issuer_name = name_create(issuer);
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

/* subjectKeyIdentifier, and authorityKeyIdentifier unless self-signed: the
 * first 160 bits of SHA-256 of the key (RFC 7093, 2, method 1), since RFC 5280
 * wants them for other software to find its way. */
static enum status put_key_ids(X509 *x509, const struct public_key *key,
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
static enum status
certificate_make(struct certificate **certificate, const struct public_key *key,
                 const struct certificate_terms *terms, enum kind kind,
                 const struct certificate_subject *issuer,
                 const struct public_key *issuer_public,
                 const struct private_key *issuer_key, struct error *err)
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
           X509_set_pubkey(x509, public_key_handle(key)) == 1;
    for (int i = 0; i < EXTENSION_COUNT && done; i++)
        if (profile[kind][i].size > 0)
            done = put_extension(x509, extensions[i].nid,
                                 extensions[i].critical, profile[kind][i]);
    status = done ? put_key_ids(x509, key, issuer_public, err)
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
    enum status status = check_subject(terms->subject, err);

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
        status = certificate_make(certificate, public_key, terms, KIND_ROOT,
                                  terms->subject, public_key, key, err);
    public_key_destroy(&public_key);
    return status;
}

/* May this authority sign this? */
static enum status check_right(const struct certificate *issuer,
                               const struct certificate_terms *terms,
                               struct error *err)
{
    if (issuer->kind == KIND_LEAF)
        return error_set(err, E_REFUSED, "the issuer is no authority");
    if (terms->subject->is_authority && issuer->kind != KIND_ROOT)
        return error_set(err, E_REFUSED,
                         "only a root signs for another authority");
    if (!terms->subject->is_authority && issuer->kind == KIND_ROOT)
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
            terms->subject->is_authority ? KIND_INTERMEDIATE : KIND_LEAF,
            &issuer->subject, issuer->key, issuer_key, err);
    public_key_destroy(&issuer_public);
    return status;
}

/* ---- requests ---- */

enum status request_create(const struct private_key *key,
                           const struct certificate_subject *subject,
                           struct text *out, struct error *err)
{
    X509_REQ *request = NULL;
    X509_NAME *name = NULL;
    unsigned char *der = NULL;
    int size = 0;
    enum status status = check_subject(subject, err);

    if (status != OK)
        return status;
    if (private_key_type(key) != KEY_P256)
        return error_set(err, E_INPUT, "a certificate's key is of P-256");
    request = X509_REQ_new();
    name = name_create(subject);
    if (request == NULL || name == NULL ||
        X509_REQ_set_version(request, X509_REQ_VERSION_1) != 1 ||
        X509_REQ_set_subject_name(request, name) != 1 ||
        X509_REQ_set_pubkey(request, private_key_handle(key)) != 1 ||
        X509_REQ_sign(request, private_key_handle(key), sign_sha256()) <= 0 ||
        (size = i2d_X509_REQ(request, &der)) <= 0)
        status = sign_failure(err, "making a certificate request");
    else
        status = append_pem(bytes_of(der, (size_t)size), PEM_STRING_X509_REQ,
                            out, err);
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

    status =
        name_read(X509_REQ_get_subject_name(request), "subject", subject, err);
    if (status == OK)
        status = read_key(X509_REQ_get_X509_PUBKEY(request), &made, err);
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
        !split_signed(bytes_of(der, size), &signed_part, &signature))
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
