#include "common/identity.h"

#include <openssl/asn1.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/limits.h"
#include "common/sign_internal.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_identity(void);

/* date -u -d @...: 2026-03-01 00:00:00, 2027-03-01 00:00:00 and
 * 2026-06-01 12:00:00 */
#define FIRST_MS 1772323200000
#define LAST_MS 1803859200999
#define NOON_MS 1780315200000

static struct error err;

static const struct certificate_subject root_subject = {
    .organisation = "Region", .name = "root", .is_authority = true};
static const struct certificate_subject authority_subject = {
    .organisation = "H", .name = "ca", .is_authority = true};
static const struct certificate_subject leaf_subject = {
    .organisation = "H", .name = "ward-3.anna_k", .role = IDENTITY_CUSTODIAN};

/* Root, intermediate of H, certificate, with their keys. */
struct chain {
    struct private_key *root_key, *authority_key, *leaf_key;
    struct certificate *root, *authority, *leaf;
};

static struct certificate_terms
terms_of(const struct certificate_subject *subject)
{
    return (struct certificate_terms){subject, FIRST_MS, LAST_MS};
}

static struct private_key *new_key(void)
{
    struct private_key *key = NULL;

    CU_ASSERT_EQUAL_FATAL(private_key_generate(&key, KEY_P256, &err), OK);
    return key;
}

static enum status issue_for(const struct private_key *key,
                             const struct certificate_terms *terms,
                             const struct certificate *issuer,
                             const struct private_key *issuer_key,
                             struct certificate **certificate)
{
    struct public_key *public_key = NULL;
    enum status status;

    error_init(&err);
    CU_ASSERT_EQUAL_FATAL(private_key_public(key, &public_key, &err), OK);
    status = certificate_issue(certificate, public_key, terms, issuer,
                               issuer_key, &err);
    CU_ASSERT_EQUAL(*certificate == NULL, status != OK);
    public_key_destroy(&public_key);
    return status;
}

static void chain_open(struct chain *chain)
{
    struct certificate_terms terms = terms_of(&root_subject);

    *chain = (struct chain){new_key(), new_key(), new_key(), NULL, NULL, NULL};
    CU_ASSERT_EQUAL_FATAL(
        certificate_create_root(&chain->root, chain->root_key, &terms, &err),
        OK);
    terms.subject = &authority_subject;
    CU_ASSERT_EQUAL_FATAL(issue_for(chain->authority_key, &terms, chain->root,
                                    chain->root_key, &chain->authority),
                          OK);
    terms.subject = &leaf_subject;
    CU_ASSERT_EQUAL_FATAL(issue_for(chain->leaf_key, &terms, chain->authority,
                                    chain->authority_key, &chain->leaf),
                          OK);
}

static void chain_close(struct chain *chain)
{
    private_key_destroy(&chain->root_key);
    private_key_destroy(&chain->authority_key);
    private_key_destroy(&chain->leaf_key);
    certificate_destroy(&chain->root);
    certificate_destroy(&chain->authority);
    certificate_destroy(&chain->leaf);
}

static enum status check(const struct chain *chain, int64_t time_ms)
{
    error_init(&err);
    return certificate_check_chain(chain->leaf, chain->authority, chain->root,
                                   time_ms, &err);
}

static void expect_refusal(const struct chain *chain, const char *words)
{
    CU_ASSERT_EQUAL(check(chain, NOON_MS), E_REFUSED);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, words));
}

/* ---- names ---- */

static void roles_come_back_from_their_names(void)
{
    enum identity_role role = IDENTITY_PATIENT;

    for (int i = 0; i < IDENTITY_ROLE_COUNT; i++) {
        const char *name = identity_role_name((enum identity_role)i);

        CU_ASSERT(identity_role_parse(bytes_of_string(name), &role));
        CU_ASSERT_EQUAL((int)role, i);
    }
    CU_ASSERT_EQUAL(IDENTITY_ROLE_COUNT, 17); /* design.md, section 6 */
    CU_ASSERT_FALSE(identity_role_parse(bytes_of_string("Custodian"), &role));
    CU_ASSERT_FALSE(identity_role_parse(bytes_of_string("custodia"), &role));
    CU_ASSERT_FALSE(identity_role_parse(bytes_of(NULL, 0), &role));
}

static void names_are_plain(void)
{
    static const char *const good[] = {"H", "a.b-c_9", "0x"};
    static const char *const bad[] = {"",         ".h",    "-h",       "_h",
                                      "a b",      "a/b",   "a\n",      "a=b",
                                      "\xc3\xa4", "a\x7f", "a\xc3\xa4"};
    char name[IDENTITY_NAME_MAX + 2];

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        CU_ASSERT(identity_name_valid(bytes_of_string(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CU_ASSERT_FALSE(identity_name_valid(bytes_of_string(bad[i])));
    CU_ASSERT_FALSE(identity_name_valid(bytes_of("a\0b", 3)));
    memset(name, 'a', sizeof name);
    CU_ASSERT(identity_name_valid(bytes_of(name, IDENTITY_NAME_MAX)));
    CU_ASSERT_FALSE(identity_name_valid(bytes_of(name, IDENTITY_NAME_MAX + 1)));
}

/* ---- what is issued ---- */

static void issued_certificate_says_what_was_meant(void)
{
    const struct certificate_subject *subject, *issuer;
    struct public_key *key = NULL;
    struct chain chain;
    int64_t first, last;

    chain_open(&chain);
    subject = certificate_subject(chain.leaf);
    CU_ASSERT_STRING_EQUAL(subject->organisation, "H");
    CU_ASSERT_STRING_EQUAL(subject->name, "ward-3.anna_k");
    CU_ASSERT_EQUAL(subject->role, IDENTITY_CUSTODIAN);
    CU_ASSERT_FALSE(subject->is_authority);
    issuer = certificate_issuer(chain.leaf);
    CU_ASSERT_STRING_EQUAL(issuer->organisation, "H");
    CU_ASSERT_STRING_EQUAL(issuer->name, "ca");
    CU_ASSERT(issuer->is_authority);
    CU_ASSERT(certificate_subject(chain.authority)->is_authority);
    CU_ASSERT(certificate_subject(chain.root)->is_authority);
    certificate_validity(chain.leaf, &first, &last);
    CU_ASSERT_EQUAL(first, FIRST_MS);
    CU_ASSERT_EQUAL(last, LAST_MS);
    CU_ASSERT_EQUAL(private_key_public(chain.leaf_key, &key, &err), OK);
    CU_ASSERT(public_key_equal(key, certificate_key(chain.leaf)));
    public_key_destroy(&key);
    chain_close(&chain);
}

static void certificate_comes_back_from_its_bytes(void)
{
    struct certificate *again = NULL, *from_pem = NULL;
    struct text pem;
    struct chain chain;

    chain_open(&chain);
    text_init(&pem);
    CU_ASSERT_EQUAL(
        certificate_decode(&again, certificate_der(chain.leaf), &err), OK);
    CU_ASSERT_EQUAL(certificate_append_pem(chain.leaf, &pem, &err), OK);
    CU_ASSERT_EQUAL(certificate_parse_pem(&from_pem, text_bytes(&pem), &err),
                    OK);
    CU_ASSERT_STRING_EQUAL(certificate_id(again), certificate_id(chain.leaf));
    CU_ASSERT(bytes_equal(certificate_der(from_pem), certificate_der(again)));
    certificate_destroy(&chain.leaf);
    chain.leaf = again;
    CU_ASSERT_EQUAL(check(&chain, NOON_MS), OK);
    certificate_destroy(&from_pem);
    text_clear(&pem);
    chain_close(&chain);
}

/* Two for one key and one subject differ: by their random serial numbers. */
static void every_certificate_has_its_own_id(void)
{
    struct certificate_terms terms = terms_of(&leaf_subject);
    struct certificate *other = NULL;
    struct chain chain;

    chain_open(&chain);
    CU_ASSERT_EQUAL(issue_for(chain.leaf_key, &terms, chain.authority,
                              chain.authority_key, &other),
                    OK);
    CU_ASSERT_EQUAL(strlen(certificate_id(other)), CERTIFICATE_ID_SIZE - 1);
    CU_ASSERT_STRING_NOT_EQUAL(certificate_id(other),
                               certificate_id(chain.leaf));
    certificate_destroy(&other);
    chain_close(&chain);
}

/* Made with the openssl command; the id by sha256sum of its DER. */
static const char made_elsewhere[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBzzCCAXagAwIBAgIUJidFgC5gCANrHGNkjq26eZsMb6kwCgYIKoZIzj0EAwIw\n"
    "IDERMA8GA1UECgwIQ2xpbmljLTcxCzAJBgNVBAMMAmNhMB4XDTI2MTEyMDEwNDMw\n"
    "OFoXDTI3MTEyMDEwNDMwOFowLzERMA8GA1UECgwIQ2xpbmljLTcxDTALBgNVBAsM\n"
    "BG5vZGUxCzAJBgNVBAMMAm4xMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAER6xg\n"
    "Iq1YqZSKl28oX0mgxmtV3c1ipLvHBBpA1iuuqeR6+YRyhkKaMf2er6m/g3BYerjl\n"
    "q1TV6bTY+avP2dr5HKN/MH0wDAYDVR0TAQH/BAIwADAOBgNVHQ8BAf8EBAMCB4Aw\n"
    "HQYDVR0lBBYwFAYIKwYBBQUHAwEGCCsGAQUFBwMCMB0GA1UdDgQWBBSGbVkqG14k\n"
    "AmXK7wg9uj9I8TDh+jAfBgNVHSMEGDAWgBTZtfrBzNsqUx0X4ocdiIRqzAWVVDAK\n"
    "BggqhkjOPQQDAgNHADBEAiB+kHAX72hx9MJMPCVKhdCefkNhilGY1VSSfEmnelNA\n"
    "DwIgflz/Ojkp4CStC90yCeV6QEB4yIiF3lT5xpG6J+N8/OI=\n"
    "-----END CERTIFICATE-----\n";

static void foreign_certificate_is_read(void)
{
    struct certificate *certificate = NULL;
    int64_t first, last;

    CU_ASSERT_EQUAL_FATAL(certificate_parse_pem(&certificate,
                                                bytes_of_string(made_elsewhere),
                                                &err),
                          OK);
    CU_ASSERT_STRING_EQUAL(certificate_id(certificate),
                           "ba5b788eeff173947121e080e72c80ec");
    CU_ASSERT_STRING_EQUAL(certificate_subject(certificate)->organisation,
                           "Clinic-7");
    CU_ASSERT_STRING_EQUAL(certificate_subject(certificate)->name, "n1");
    CU_ASSERT_EQUAL(certificate_subject(certificate)->role, IDENTITY_NODE);
    certificate_validity(certificate, &first, &last);
    CU_ASSERT_EQUAL(first, 1795171388000);
    CU_ASSERT_EQUAL(last, 1826707388999);
    certificate_destroy(&certificate);
}

/* ---- chains ---- */

static void whole_chain_is_accepted(void)
{
    struct chain chain;

    chain_open(&chain);
    CU_ASSERT_EQUAL(check(&chain, FIRST_MS), OK);
    CU_ASSERT_EQUAL(check(&chain, NOON_MS), OK);
    CU_ASSERT_EQUAL(check(&chain, LAST_MS), OK);
    CU_ASSERT_STRING_EQUAL(err.text, "");
    chain_close(&chain);
}

/* A chain with validities of their own, all within each other. */
static void chain_with_times(struct chain *chain, int64_t margin_ms)
{
    struct certificate_terms terms = terms_of(&leaf_subject);

    chain_open(chain);
    certificate_destroy(&chain->leaf);
    terms.not_before_ms += margin_ms;
    terms.not_after_ms -= margin_ms;
    CU_ASSERT_EQUAL_FATAL(issue_for(chain->leaf_key, &terms, chain->authority,
                                    chain->authority_key, &chain->leaf),
                          OK);
}

static void expired_and_early_are_refused(void)
{
    struct chain chain;

    chain_open(&chain);
    CU_ASSERT_EQUAL(check(&chain, FIRST_MS - 1), E_REFUSED);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "the root is not valid yet"));
    CU_ASSERT_EQUAL(check(&chain, LAST_MS + 1), E_REFUSED);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "the root has expired"));
    CU_ASSERT_EQUAL(check(&chain, INT64_MIN), E_REFUSED);
    CU_ASSERT_EQUAL(check(&chain, INT64_MAX), E_REFUSED);
    chain_close(&chain);
    chain_with_times(&chain, 10000);
    CU_ASSERT_EQUAL(check(&chain, FIRST_MS + 9999), E_REFUSED);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(err.text, "the certificate is not valid yet"));
    CU_ASSERT_EQUAL(check(&chain, FIRST_MS + 10000), OK);
    CU_ASSERT_EQUAL(check(&chain, LAST_MS - 10000), OK);
    CU_ASSERT_EQUAL(check(&chain, LAST_MS - 9999), E_REFUSED);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "the certificate has expired"));
    chain_close(&chain);
}

/* An intermediate that ends before what it signed. */
static void expired_intermediate_is_refused(void)
{
    struct certificate_terms terms = terms_of(&authority_subject);
    struct chain chain;

    chain_open(&chain);
    certificate_destroy(&chain.authority);
    terms.not_after_ms = NOON_MS - 1;
    CU_ASSERT_EQUAL(issue_for(chain.authority_key, &terms, chain.root,
                              chain.root_key, &chain.authority),
                    OK);
    expect_refusal(&chain, "the intermediate has expired");
    CU_ASSERT_EQUAL(check(&chain, NOON_MS - 2000), OK);
    chain_close(&chain);
}

static void swap(struct certificate **a, struct certificate **b)
{
    struct certificate *kept = *a;

    *a = *b;
    *b = kept;
}

/* Names alike, keys not. */
static void foreign_authorities_are_refused(void)
{
    struct chain chain, foreign;

    chain_open(&chain);
    chain_open(&foreign);
    swap(&chain.root, &foreign.root);
    expect_refusal(&chain, "the intermediate: the signature is not one");
    swap(&chain.root, &foreign.root);
    swap(&chain.authority, &foreign.authority);
    expect_refusal(&chain, "the intermediate: the signature is not one");
    swap(&chain.authority, &foreign.authority);
    swap(&chain.leaf, &foreign.leaf);
    expect_refusal(&chain, "the certificate: the signature is not one");
    chain_close(&chain);
    chain_close(&foreign);
}

static void other_issuers_names_are_refused(void)
{
    struct certificate_subject other = authority_subject;
    struct certificate_terms terms = terms_of(&other);
    struct chain chain;

    chain_open(&chain);
    certificate_destroy(&chain.authority);
    other.name[0] = 'd'; /* the same key and organisation */
    CU_ASSERT_EQUAL(issue_for(chain.authority_key, &terms, chain.root,
                              chain.root_key, &chain.authority),
                    OK);
    expect_refusal(&chain, "the certificate names another issuer");
    certificate_destroy(&chain.root);
    other = root_subject;
    other.organisation[0] = 'r';
    CU_ASSERT_EQUAL(
        certificate_create_root(&chain.root, chain.root_key, &terms, &err), OK);
    expect_refusal(&chain, "the intermediate names another issuer");
    chain_close(&chain);
}

static void everyone_keeps_to_their_place(void)
{
    struct chain chain, other;

    chain_open(&chain);
    chain_open(&other);
    swap(&chain.authority, &other.leaf);
    expect_refusal(&chain, "the intermediate is no authority");
    swap(&chain.authority, &other.leaf);
    swap(&chain.authority, &other.root);
    expect_refusal(&chain, "the intermediate is no authority");
    swap(&chain.authority, &other.root);
    swap(&chain.root, &other.authority);
    expect_refusal(&chain, "the root is no authority");
    swap(&chain.root, &other.authority);
    swap(&chain.root, &other.leaf);
    expect_refusal(&chain, "the root is no authority");
    swap(&chain.root, &other.leaf);
    swap(&chain.leaf, &other.authority);
    expect_refusal(&chain, "the certificate is of an authority");
    swap(&chain.leaf, &other.authority);
    CU_ASSERT_EQUAL(check(&chain, NOON_MS), OK);
    chain_close(&chain);
    chain_close(&other);
}

/* ---- certificates that others made ---- */

static X509 *take_apart(const struct certificate *certificate)
{
    struct bytes der = certificate_der(certificate);
    const unsigned char *at = der.data;
    X509 *x509 = d2i_X509(NULL, &at, (long)der.size);

    CU_ASSERT_PTR_NOT_NULL_FATAL(x509);
    return x509;
}

/* Sign and decode, with a low s. */
static enum status put_together(X509 *x509, const struct private_key *key,
                                const EVP_MD *digest,
                                struct certificate **certificate)
{
    const ASN1_BIT_STRING *signature;
    unsigned char *der = NULL;
    enum status status;
    int size;

    do {
        CU_ASSERT_FATAL(X509_sign(x509, private_key_handle(key), digest) > 0);
        X509_get0_signature(&signature, NULL, x509);
    } while (!signature_is_low(
        bytes_of(signature->data, (size_t)signature->length)));
    size = i2d_X509(x509, &der);
    CU_ASSERT_FATAL(size > 0);
    error_init(&err);
    status = certificate_decode(certificate, bytes_of(der, (size_t)size), &err);
    OPENSSL_free(der);
    return status;
}

/* The right certificate after one change. */
static void refuse_changed(void (*change)(X509 *x509), const char *words)
{
    struct certificate *made = NULL;
    struct chain chain;
    X509 *x509;

    chain_open(&chain);
    x509 = take_apart(chain.leaf);
    change(x509);
    CU_ASSERT_EQUAL(
        put_together(x509, chain.authority_key, EVP_sha256(), &made), E_INPUT);
    CU_ASSERT_PTR_NULL(made);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, words));
    if (strstr(err.text, words) == NULL)
        printf("[%s: %s] ", words, err.text);
    X509_free(x509);
    chain_close(&chain);
}

static void add_extension(X509 *x509, const char *oid, bool critical,
                          const uint8_t *value, int size)
{
    ASN1_OCTET_STRING *string = ASN1_OCTET_STRING_new();
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    X509_EXTENSION *extension;

    ASN1_OCTET_STRING_set(string, value, size);
    extension = X509_EXTENSION_create_by_OBJ(NULL, object, critical, string);
    CU_ASSERT_EQUAL(X509_add_ext(x509, extension, -1), 1);
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(string);
    ASN1_OBJECT_free(object);
}

static void remove_extension(X509 *x509, int nid)
{
    int place = X509_get_ext_by_NID(x509, nid, -1);

    CU_ASSERT_FATAL(place >= 0);
    X509_EXTENSION_free(X509_delete_ext(x509, place));
}

static void replace_extension(X509 *x509, const char *oid, bool critical,
                              const uint8_t *value, int size)
{
    remove_extension(x509, OBJ_txt2nid(oid));
    add_extension(x509, oid, critical, value, size);
}

#define OID_USAGE "2.5.29.15"
#define OID_CONSTRAINTS "2.5.29.19"
#define OID_PURPOSE "2.5.29.37"
#define BYTES(...)                                                             \
    (const uint8_t[]){__VA_ARGS__}, (int)sizeof((const uint8_t[]){__VA_ARGS__})

/* Without extensions: signing makes a certificate that has some version 3,
 * from OpenSSL 3.4 on. */
static void make_version_1(X509 *x509)
{
    while (X509_get_ext_count(x509) > 0)
        X509_EXTENSION_free(X509_delete_ext(x509, 0));
    CU_ASSERT_EQUAL(X509_set_version(x509, X509_VERSION_1), 1);
}
static void make_serial_zero(X509 *x509)
{
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 0);
}
static void make_serial_negative(X509 *x509)
{
    ASN1_INTEGER_set(X509_get_serialNumber(x509), -5);
}
static void make_serial_long(X509 *x509)
{
    static const uint8_t bytes[21] = {1};

    ASN1_STRING_set(X509_get_serialNumber(x509), bytes, sizeof bytes);
}
static void add_unknown_critical(X509 *x509)
{
    add_extension(x509, "1.3.6.1.4.1.99999.1", true, BYTES(0x05, 0x00));
}
static void add_critical_names(X509 *x509) /* nameConstraints, empty */
{
    add_extension(x509, "2.5.29.30", true, BYTES(0x30, 0x00));
}
static void drop_constraints(X509 *x509)
{
    remove_extension(x509, NID_basic_constraints);
}
static void soften_constraints(X509 *x509)
{
    replace_extension(x509, OID_CONSTRAINTS, false, BYTES(0x30, 0x00));
}
static void spell_constraints_out(X509 *x509) /* cA FALSE is the default */
{
    replace_extension(x509, OID_CONSTRAINTS, true,
                      BYTES(0x30, 0x03, 0x01, 0x01, 0x00));
}
static void lengthen_path(X509 *x509)
{
    replace_extension(x509, OID_CONSTRAINTS, true,
                      BYTES(0x30, 0x06, 0x01, 0x01, 0xff, 0x02, 0x01, 0x02));
}
static void make_path_endless(X509 *x509)
{
    replace_extension(x509, OID_CONSTRAINTS, true,
                      BYTES(0x30, 0x03, 0x01, 0x01, 0xff));
}
static void repeat_constraints(X509 *x509)
{
    add_extension(x509, OID_CONSTRAINTS, true, BYTES(0x30, 0x00));
}
/* All that makes an authority, save that the subject has a role. */
static void make_authority(X509 *x509)
{
    replace_extension(x509, OID_CONSTRAINTS, true,
                      BYTES(0x30, 0x06, 0x01, 0x01, 0xff, 0x02, 0x01, 0x00));
    replace_extension(x509, OID_USAGE, true, BYTES(0x03, 0x02, 0x01, 0x06));
    remove_extension(x509, NID_ext_key_usage);
}
static void allow_signing_certificates(X509 *x509)
{
    replace_extension(x509, OID_USAGE, true, BYTES(0x03, 0x02, 0x02, 0x84));
}
static void drop_usage(X509 *x509)
{
    remove_extension(x509, NID_key_usage);
}
static void soften_usage(X509 *x509)
{
    replace_extension(x509, OID_USAGE, false, BYTES(0x03, 0x02, 0x07, 0x80));
}
static void drop_purpose(X509 *x509)
{
    remove_extension(x509, NID_ext_key_usage);
}
static void purpose_code_signing(X509 *x509)
{
    replace_extension(x509, OID_PURPOSE, false,
                      BYTES(0x30, 0x0a, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05,
                            0x05, 0x07, 0x03, 0x03));
}
static void harden_purpose(X509 *x509)
{
    replace_extension(x509, OID_PURPOSE, true,
                      BYTES(0x30, 0x14, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05,
                            0x05, 0x07, 0x03, 0x01, 0x06, 0x08, 0x2b, 0x06,
                            0x01, 0x05, 0x05, 0x07, 0x03, 0x02));
}
static void set_subject(X509 *x509, const char *const *attributes)
{
    X509_NAME *name = X509_NAME_new();

    for (; attributes[0] != NULL; attributes += 2)
        CU_ASSERT_EQUAL(X509_NAME_add_entry_by_txt(
                            name, attributes[0], V_ASN1_UTF8STRING,
                            (const unsigned char *)attributes[1], -1, -1, 0),
                        1);
    X509_set_subject_name(x509, name);
    X509_NAME_free(name);
}
#define SUBJECT(function, ...)                                                 \
    static void function(X509 *x509)                                           \
    {                                                                          \
        set_subject(x509, (const char *const[]){__VA_ARGS__, NULL});           \
    }
SUBJECT(without_role, "O", "H", "CN", "a")
SUBJECT(without_organisation, "OU", "custodian", "CN", "a")
SUBJECT(without_name, "O", "H", "OU", "custodian")
SUBJECT(two_organisations, "O", "H", "O", "G", "OU", "custodian", "CN", "a")
SUBJECT(two_roles, "O", "H", "OU", "nurse", "OU", "custodian", "CN", "a")
SUBJECT(two_names, "O", "H", "OU", "custodian", "CN", "a", "CN", "b")
SUBJECT(with_country, "C", "KR", "O", "H", "OU", "custodian", "CN", "a")
SUBJECT(unknown_role, "O", "H", "OU", "janitor", "CN", "a")
SUBJECT(blank_in_name, "O", "H", "OU", "custodian", "CN", "a b")
static void role_without_ou(X509 *x509)
{
    X509_NAME *name = X509_NAME_new();

    X509_NAME_add_entry_by_txt(name, "O", V_ASN1_PRINTABLESTRING,
                               (const unsigned char *)"H", -1, -1, 0);
    X509_NAME_add_entry_by_txt(name, "CN", V_ASN1_UTF8STRING,
                               (const unsigned char *)"a", -1, -1, 0);
    X509_set_subject_name(x509, name);
    X509_NAME_free(name);
}
static void joined_attributes(X509 *x509) /* O and OU in one place */
{
    X509_NAME *name = X509_NAME_new();

    X509_NAME_add_entry_by_txt(name, "O", V_ASN1_UTF8STRING,
                               (const unsigned char *)"H", -1, -1, 0);
    X509_NAME_add_entry_by_txt(name, "OU", V_ASN1_UTF8STRING,
                               (const unsigned char *)"nurse", -1, -1, -1);
    X509_NAME_add_entry_by_txt(name, "CN", V_ASN1_UTF8STRING,
                               (const unsigned char *)"a", -1, -1, 0);
    X509_set_subject_name(x509, name);
    X509_NAME_free(name);
}
static void issuer_with_role(X509 *x509)
{
    X509_set_issuer_name(x509, X509_get_subject_name(x509));
}
static void end_before_start(X509 *x509)
{
    X509_set1_notAfter(x509, X509_get0_notBefore(x509));
    ASN1_TIME_set(X509_getm_notBefore(x509), FIRST_MS / 1000 + 1);
}
static void set_key(X509 *x509, EVP_PKEY *key)
{
    CU_ASSERT_PTR_NOT_NULL_FATAL(key);
    X509_set_pubkey(x509, key);
    EVP_PKEY_free(key);
}
static void key_of_p384(X509 *x509)
{
    set_key(x509, EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384"));
}
static void key_of_ed25519(X509 *x509)
{
    set_key(x509, EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
}
static void key_of_rsa(X509 *x509)
{
    set_key(x509, EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024));
}

static void certificates_beside_the_profile_are_refused(void)
{
    static const struct {
        void (*change)(X509 *x509);
        const char *words;
    } cases[] = {
        {make_version_1, "version 3"},
        {make_serial_zero, "serial number"},
        {make_serial_negative, "serial number"},
        {make_serial_long, "serial number"},
        {add_unknown_critical, "critical and not known"},
        {add_critical_names, "critical and not known"},
        {drop_constraints, "basicConstraints are none of"},
        {soften_constraints, "basicConstraints must be critical"},
        {spell_constraints_out, "basicConstraints are none of"},
        {lengthen_path, "basicConstraints are none of"},
        {make_path_endless, "basicConstraints are none of"},
        {repeat_constraints, "basicConstraints stands there twice"},
        {make_authority, "an authority has no role"},
        {allow_signing_certificates, "keyUsage is not that of"},
        {drop_usage, "keyUsage is not that of"},
        {soften_usage, "keyUsage must be critical"},
        {drop_purpose, "extendedKeyUsage is not that of"},
        {purpose_code_signing, "extendedKeyUsage is not that of"},
        {harden_purpose, "extendedKeyUsage must not be critical"},
        {without_role, "everyone else has one"},
        {without_organisation, "lacks O or CN"},
        {without_name, "lacks O or CN"},
        {two_organisations, "the subject has an attribute twice"},
        {two_roles, "the subject has an attribute twice"},
        {two_names, "the subject has an attribute twice"},
        {with_country, "another attribute than O, OU and CN"},
        {unknown_role, "unknown role"},
        {blank_in_name, "letters, digits"},
        {role_without_ou, "no UTF8String"},
        {joined_attributes, "two attributes in one place"},
        {issuer_with_role, "it is no authority"},
        {end_before_start, "ends before it begins"},
        {key_of_p384, "public key of P-256"},
        {key_of_ed25519, "not of P-256"},
        {key_of_rsa, "public key of P-256"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        refuse_changed(cases[i].change, cases[i].words);
}

/* What does not concern us, others may write: a policy, an address. */
static void further_extensions_are_passed_over(void)
{
    struct chain chain;
    X509 *x509;

    chain_open(&chain);
    x509 = take_apart(chain.leaf);
    certificate_destroy(&chain.leaf);
    add_extension(x509, "1.3.6.1.4.1.99999.1", false, BYTES(0x05, 0x00));
    CU_ASSERT_EQUAL(
        put_together(x509, chain.authority_key, EVP_sha256(), &chain.leaf), OK);
    CU_ASSERT_EQUAL(check(&chain, NOON_MS), OK);
    X509_free(x509);
    chain_close(&chain);
}

static void other_algorithms_are_refused(void)
{
    struct certificate *made = NULL;
    struct chain chain;
    X509 *x509;

    chain_open(&chain);
    x509 = take_apart(chain.leaf);
    CU_ASSERT_EQUAL(
        put_together(x509, chain.authority_key, EVP_sha384(), &made), E_INPUT);
    CU_ASSERT_EQUAL(put_together(x509, chain.authority_key, EVP_sha1(), &made),
                    E_INPUT);
    X509_free(x509);
    chain_close(&chain);
}

/* ---- bytes ---- */

/* No byte of the three certificates can be changed unseen. */
static void every_changed_byte_is_seen(void)
{
    struct chain chain;

    chain_open(&chain);
    for (int place = 0; place < 3; place++) {
        struct certificate **one = place == 0   ? &chain.leaf
                                   : place == 1 ? &chain.authority
                                                : &chain.root;
        struct certificate *whole = *one;
        struct bytes der = certificate_der(whole);
        uint8_t *copy = malloc(der.size);

        CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
        memcpy(copy, der.data, der.size);
        for (size_t i = 0; i < der.size; i++) {
            copy[i] ^= (uint8_t)(1 << i % 8);
            *one = NULL;
            if (certificate_decode(one, bytes_of(copy, der.size), &err) == OK)
                CU_ASSERT_EQUAL(check(&chain, NOON_MS), E_REFUSED);
            certificate_destroy(one);
            copy[i] ^= (uint8_t)(1 << i % 8);
        }
        *one = whole;
        free(copy);
    }
    CU_ASSERT_EQUAL(check(&chain, NOON_MS), OK);
    chain_close(&chain);
}

static void refuse_bytes(struct bytes der)
{
    struct certificate *made = NULL;
    enum status status;

    error_init(&err);
    status = certificate_decode(&made, der, &err);
    CU_ASSERT(status == E_INPUT || status == E_LIMIT);
    CU_ASSERT_PTR_NULL(made);
}

static void cut_and_longer_bytes_are_refused(void)
{
    uint8_t longer[CERTIFICATE_SIZE_MAX + 1] = {0};
    struct chain chain;
    struct bytes der;

    chain_open(&chain);
    der = certificate_der(chain.leaf);
    for (size_t size = 0; size < der.size; size++)
        refuse_bytes(bytes_of(der.data, size));
    memcpy(longer, der.data, der.size);
    refuse_bytes(bytes_of(longer, der.size + 1));
    refuse_bytes(bytes_of(longer, CERTIFICATE_SIZE_MAX));
    refuse_bytes(bytes_of(longer, CERTIFICATE_SIZE_MAX + 1));
    CU_ASSERT_EQUAL(err.status, E_LIMIT);
    chain_close(&chain);
}

/* The outer sequence with its length in three bytes, then without one: BER
 * allows both, and each would be the same certificate under another id. */
static void other_spellings_of_the_shell_are_refused(void)
{
    uint8_t copy[CERTIFICATE_SIZE_MAX];
    struct chain chain;
    struct bytes der;

    chain_open(&chain);
    der = certificate_der(chain.leaf);
    CU_ASSERT_EQUAL_FATAL(der.data[1], 0x82);
    copy[0] = 0x30;
    copy[1] = 0x83;
    copy[2] = 0;
    memcpy(copy + 3, der.data + 2, der.size - 2);
    refuse_bytes(bytes_of(copy, der.size + 1));
    copy[1] = 0x80;
    memcpy(copy + 2, der.data + 4, der.size - 4);
    copy[der.size - 2] = copy[der.size - 1] = 0;
    refuse_bytes(bytes_of(copy, der.size));
    chain_close(&chain);
}

/* n - s of a signature, by OpenSSL's numbers. */
static size_t other_half(struct bytes signature, unsigned char *out)
{
    const unsigned char *at = signature.data;
    ECDSA_SIG *parts = d2i_ECDSA_SIG(NULL, &at, (long)signature.size);
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    BIGNUM *r = BN_dup(ECDSA_SIG_get0_r(parts)), *s = BN_new();
    int size;

    BN_sub(s, EC_GROUP_get0_order(group), ECDSA_SIG_get0_s(parts));
    ECDSA_SIG_set0(parts, r, s);
    size = i2d_ECDSA_SIG(parts, &out);
    ECDSA_SIG_free(parts);
    EC_GROUP_free(group);
    return (size_t)size;
}

static void twin_with_a_high_s_is_refused(void)
{
    const ASN1_BIT_STRING *signature;
    ASN1_STRING *writable;
    struct certificate *twin = NULL;
    unsigned char high[80], *der = NULL;
    struct chain chain;
    size_t size;
    X509 *x509;

    chain_open(&chain);
    x509 = take_apart(chain.leaf);
    X509_get0_signature(&signature, NULL, x509);
    size =
        other_half(bytes_of(signature->data, (size_t)signature->length), high);
    memcpy(&writable, &signature, sizeof writable); /* ours, after all */
    ASN1_STRING_set(writable, high, (int)size);
    size = (size_t)i2d_X509(x509, &der);
    CU_ASSERT_EQUAL(
        X509_verify(x509, public_key_handle(certificate_key(chain.authority))),
        1); /* for OpenSSL, it is as good */
    CU_ASSERT_EQUAL_FATAL(certificate_decode(&twin, bytes_of(der, size), &err),
                          OK);
    swap(&chain.leaf, &twin);
    expect_refusal(&chain, "high s");
    OPENSSL_free(der);
    X509_free(x509);
    certificate_destroy(&twin);
    chain_close(&chain);
}

static void refuse_pem(const char *before, const struct text *pem,
                       const char *after, const char *words)
{
    struct certificate *made = NULL;
    struct text text;

    text_init(&text);
    CU_ASSERT_EQUAL_FATAL(
        text_printf(&text, &err, "%s%s%s", before, pem->data, after), OK);
    CU_ASSERT_EQUAL(certificate_parse_pem(&made, text_bytes(&text), &err),
                    E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, words));
    text_clear(&text);
}

static void pem_is_one_certificate_and_nothing_else(void)
{
    struct text pem, other;
    struct chain chain;

    chain_open(&chain);
    text_init(&pem);
    text_init(&other);
    CU_ASSERT_EQUAL(certificate_append_pem(chain.leaf, &pem, &err), OK);
    CU_ASSERT_EQUAL(request_create(chain.leaf_key, &leaf_subject, &other, &err),
                    OK);
    refuse_pem("x\n", &pem, "", "not one certificate in PEM");
    refuse_pem("\n", &pem, "", "not one certificate in PEM");
    refuse_pem("", &pem, "x", "not one certificate in PEM");
    refuse_pem("", &pem, pem.data, "not one certificate in PEM");
    refuse_pem("", &other, "", "not one certificate in PEM");
    text_reset(&pem);
    refuse_pem("", &pem, "", "not one certificate in PEM");
    text_clear(&pem);
    text_clear(&other);
    chain_close(&chain);
}

static void certificate_files_are_read(void)
{
    struct certificate *made = NULL;
    struct scratch scratch;
    struct text pem;
    struct chain chain;

    scratch_open(&scratch);
    chain_open(&chain);
    text_init(&pem);
    CU_ASSERT_EQUAL(certificate_append_pem(chain.root, &pem, &err), OK);
    scratch_write(&scratch, "ca.pem", pem.data);
    CU_ASSERT_EQUAL(
        certificate_load(&made, scratch_path(&scratch, "ca.pem"), &err), OK);
    CU_ASSERT_STRING_EQUAL(certificate_id(made), certificate_id(chain.root));
    certificate_destroy(&made);
    scratch_write(&scratch, "bad.pem", "no");
    CU_ASSERT_EQUAL(
        certificate_load(&made, scratch_path(&scratch, "bad.pem"), &err),
        E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "bad.pem: not one certificate"));
    CU_ASSERT_EQUAL(
        certificate_load(&made, scratch_path(&scratch, "none.pem"), &err),
        E_INPUT);
    CU_ASSERT_PTR_NULL(made);
    text_clear(&pem);
    chain_close(&chain);
    scratch_close(&scratch);
}

/* ---- times ---- */

/* Unix seconds by `date -u -d ... +%s`. */
static const struct {
    const char *asn1;
    int64_t seconds;
} times[] = {
    {"500101000000Z", -631152000},     /* 1950-01-01 00:00:00 */
    {"691231235959Z", -1},             /* 1969-12-31 23:59:59 */
    {"700101000000Z", 0},              /* 1970-01-01 00:00:00 */
    {"000229120000Z", 951825600},      /* 2000-02-29 12:00:00 */
    {"491231235959Z", 2524607999},     /* 2049-12-31 23:59:59 */
    {"19491231235959Z", -631152001},   /* 1949-12-31 23:59:59 */
    {"20260301000000Z", 1772323200},   /* 2026-03-01 00:00:00 */
    {"20500101000000Z", 2524608000},   /* 2050-01-01 00:00:00 */
    {"20960229000000Z", 3981312000},   /* 2096-02-29 00:00:00 */
    {"99991231235959Z", 253402300799}, /* 9999-12-31 23:59:59 */
    {"00000101000000Z", -62167219200}, /* 0000-01-01 00:00:00 */
};

/* A root with these bytes as both of its times. */
static enum status decode_with_time(const char *asn1,
                                    struct certificate **certificate)
{
    int type = strlen(asn1) < 15 ? V_ASN1_UTCTIME : V_ASN1_GENERALIZEDTIME;
    ASN1_STRING *time = ASN1_STRING_type_new(type);
    struct chain chain;
    enum status status;
    X509 *x509;

    chain_open(&chain);
    x509 = take_apart(chain.root);
    ASN1_STRING_set(time, asn1, -1);
    X509_set1_notBefore(x509, time);
    X509_set1_notAfter(x509, time);
    status = put_together(x509, chain.root_key, EVP_sha256(), certificate);
    ASN1_STRING_free(time);
    X509_free(x509);
    chain_close(&chain);
    return status;
}

static void both_forms_of_time_are_read(void)
{
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        struct certificate *certificate = NULL;
        int64_t first, last;

        CU_ASSERT_EQUAL_FATAL(decode_with_time(times[i].asn1, &certificate),
                              OK);
        certificate_validity(certificate, &first, &last);
        CU_ASSERT_EQUAL(first, times[i].seconds * 1000);
        CU_ASSERT_EQUAL(last, times[i].seconds * 1000 + 999);
        certificate_destroy(&certificate);
    }
}

static void other_times_are_refused(void)
{
    static const char *const wrong[] = {
        "",
        "2603010000Z",       /* no seconds */
        "260301000000",      /* no zone */
        "260301000000+0000", /* a zone */
        "20260301000000.5Z", /* a fraction */
        "20260301000000",
        "2026030100000AZ",
        "260001000000Z",
        "261301000000Z",
        "260300000000Z",
        "260332000000Z",
        "260229000000Z", /* no leap year */
        "260431000000Z",
        "21000229000000Z",
        "260301240000Z",
        "260301006000Z",
        "260301000060Z",
        "2603 1000000Z",
        "-60301000000Z",
        "260301000000z",
    };

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct certificate *certificate = NULL;

        CU_ASSERT_EQUAL(decode_with_time(wrong[i], &certificate), E_INPUT);
        CU_ASSERT_PTR_NULL(certificate);
    }
}

static void expect_form(int64_t first_ms, int64_t last_ms, const char *first,
                        const char *last)
{
    struct certificate_terms terms = {&root_subject, first_ms, last_ms};
    struct certificate *root = NULL;
    struct private_key *key = new_key();
    int64_t read_first, read_last;
    X509 *x509;

    CU_ASSERT_EQUAL_FATAL(certificate_create_root(&root, key, &terms, &err),
                          OK);
    x509 = take_apart(root);
    CU_ASSERT_STRING_EQUAL(
        (const char *)ASN1_STRING_get0_data(X509_get0_notBefore(x509)), first);
    CU_ASSERT_STRING_EQUAL(
        (const char *)ASN1_STRING_get0_data(X509_get0_notAfter(x509)), last);
    certificate_validity(root, &read_first, &read_last);
    CU_ASSERT(read_first <= first_ms && first_ms - read_first < 1000);
    CU_ASSERT(read_last >= last_ms && read_last - last_ms < 1000);
    X509_free(x509);
    certificate_destroy(&root);
    private_key_destroy(&key);
}

/* RFC 5280, 4.1.2.5: UTCTime through 2049, then GeneralizedTime. */
static void times_are_written_in_the_right_form(void)
{
    expect_form(FIRST_MS, LAST_MS, "260301000000Z", "270301000000Z");
    expect_form(FIRST_MS + 999, 2524607999000, "260301000000Z",
                "491231235959Z");
    expect_form(-1, 2524608000000, "691231235959Z", "20500101000000Z");
    expect_form(-631152001000, 253402300799999, "19491231235959Z",
                "99991231235959Z");
    expect_form(-62167219200000, FIRST_MS, "00000101000000Z", "260301000000Z");
}

/* ---- what an authority refuses ---- */

static void refuse_terms(struct chain *chain,
                         const struct certificate_terms *terms,
                         enum status expected, const char *words)
{
    struct certificate *made = NULL;
    struct private_key *key = new_key();

    CU_ASSERT_EQUAL(
        issue_for(key, terms, chain->authority, chain->authority_key, &made),
        expected);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, words));
    private_key_destroy(&key);
}

static void authority_keeps_to_its_right(void)
{
    struct certificate_subject subject = leaf_subject;
    struct certificate_terms terms = terms_of(&subject);
    struct certificate *made = NULL;
    struct private_key *key = new_key();
    struct chain chain;

    chain_open(&chain);
    subject.organisation[0] = 'G';
    refuse_terms(&chain, &terms, E_REFUSED, "its own organisation only");
    subject = authority_subject;
    refuse_terms(&chain, &terms, E_REFUSED, "only a root signs");
    subject = leaf_subject;
    terms.not_before_ms -= 1000;
    refuse_terms(&chain, &terms, E_REFUSED, "when its issuer's is not");
    terms = terms_of(&subject);
    terms.not_after_ms += 1;
    refuse_terms(&chain, &terms, E_REFUSED, "when its issuer's is not");
    terms = terms_of(&subject);
    CU_ASSERT_EQUAL(issue_for(key, &terms, chain.root, chain.root_key, &made),
                    E_REFUSED);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "for authorities only"));
    CU_ASSERT_EQUAL(issue_for(key, &terms, chain.leaf, chain.leaf_key, &made),
                    E_REFUSED);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "no authority"));
    private_key_destroy(&key);
    chain_close(&chain);
}

static void impossible_terms_are_refused(void)
{
    struct certificate_subject subject = leaf_subject;
    struct certificate_terms terms = terms_of(&subject);
    struct certificate *made = NULL;
    struct private_key *key = new_key();
    struct private_key *ed25519 = NULL;
    struct chain chain;

    chain_open(&chain);
    subject.name[0] = ' ';
    refuse_terms(&chain, &terms, E_INPUT, "the name needs");
    subject = leaf_subject;
    subject.organisation[0] = '\0';
    refuse_terms(&chain, &terms, E_INPUT, "the organisation's name needs");
    subject = leaf_subject;
    terms.not_after_ms = terms.not_before_ms - 1;
    refuse_terms(&chain, &terms, E_INPUT, "begin before it ends");
    terms.not_after_ms = 253402300800000; /* year 10000 */
    refuse_terms(&chain, &terms, E_INPUT, "the years 0 to 9999");
    terms = terms_of(&subject);
    terms.not_before_ms = -62167219200001; /* before year 0 */
    refuse_terms(&chain, &terms, E_INPUT, "the years 0 to 9999");
    terms = terms_of(&subject);
    CU_ASSERT_EQUAL(
        issue_for(key, &terms, chain.authority, chain.root_key, &made),
        E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "not that of the issuer"));
    CU_ASSERT_EQUAL(issue_for(chain.authority_key, &terms, chain.authority,
                              chain.authority_key, &made),
                    E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "the issuer's own"));
    CU_ASSERT_EQUAL(private_key_generate(&ed25519, KEY_ED25519, &err), OK);
    CU_ASSERT_EQUAL(
        issue_for(ed25519, &terms, chain.authority, chain.authority_key, &made),
        E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "of P-256"));
    terms.subject = &root_subject;
    CU_ASSERT_EQUAL(certificate_create_root(&made, ed25519, &terms, &err),
                    E_INPUT);
    private_key_destroy(&key);
    private_key_destroy(&ed25519);
    chain_close(&chain);
}

/* ---- requests ---- */

static enum status open_request(const struct text *pem,
                                struct certificate_subject *subject,
                                struct public_key **key)
{
    error_init(&err);
    return request_open(text_bytes(pem), key, subject, &err);
}

static void expect_request(const struct certificate_subject *asked)
{
    struct certificate_subject subject;
    struct private_key *key = new_key();
    struct public_key *expected = NULL, *got = NULL;
    struct text pem;

    text_init(&pem);
    CU_ASSERT_EQUAL(request_create(key, asked, &pem, &err), OK);
    CU_ASSERT_EQUAL_FATAL(open_request(&pem, &subject, &got), OK);
    CU_ASSERT_EQUAL(private_key_public(key, &expected, &err), OK);
    CU_ASSERT(public_key_equal(expected, got));
    CU_ASSERT_STRING_EQUAL(subject.organisation, asked->organisation);
    CU_ASSERT_STRING_EQUAL(subject.name, asked->name);
    CU_ASSERT_EQUAL(subject.is_authority, asked->is_authority);
    if (!asked->is_authority)
        CU_ASSERT_EQUAL(subject.role, asked->role);
    public_key_destroy(&got);
    public_key_destroy(&expected);
    private_key_destroy(&key);
    text_clear(&pem);
}

static void request_says_who_asks_with_which_key(void)
{
    expect_request(&leaf_subject);
    expect_request(&authority_subject);
}

/* A request with one change, signed by `signer`, or by its key if NULL. */
static enum status changed_request(void (*change)(X509_REQ *request),
                                   const struct private_key *signer,
                                   const EVP_MD *digest)
{
    struct certificate_subject subject;
    struct private_key *key = new_key();
    struct public_key *got = NULL;
    X509_REQ *request;
    struct text pem;
    BIO *bio;
    char *data;
    long size;
    enum status status;

    text_init(&pem);
    CU_ASSERT_EQUAL(request_create(key, &leaf_subject, &pem, &err), OK);
    bio = BIO_new_mem_buf(pem.data, (int)pem.size);
    request = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(request);
    BIO_free(bio);
    if (change != NULL)
        change(request);
    CU_ASSERT(X509_REQ_sign(request,
                            private_key_handle(signer == NULL ? key : signer),
                            digest) > 0);
    bio = BIO_new(BIO_s_mem());
    CU_ASSERT(PEM_write_bio_X509_REQ(bio, request) > 0);
    text_reset(&pem);
    size = BIO_get_mem_data(bio, &data);
    CU_ASSERT_EQUAL(text_append(&pem, data, (size_t)size, &err), OK);
    status = open_request(&pem, &subject, &got);
    CU_ASSERT_EQUAL(got == NULL, status != OK);
    public_key_destroy(&got);
    BIO_free(bio);
    X509_REQ_free(request);
    private_key_destroy(&key);
    text_clear(&pem);
    return status;
}

static void ask_with_country(X509_REQ *request)
{
    X509_NAME *name = X509_NAME_dup(X509_REQ_get_subject_name(request));

    X509_NAME_add_entry_by_txt(name, "C", MBSTRING_ASC,
                               (const unsigned char *)"KR", -1, -1, 0);
    X509_REQ_set_subject_name(request, name);
    X509_NAME_free(name);
}

static void ask_with_p384(X509_REQ *request)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");

    X509_REQ_set_pubkey(request, key);
    EVP_PKEY_free(key);
}

static void wrong_requests_are_refused(void)
{
    struct private_key *other = new_key();

    /* Half of these signatures have a high s: any will do here. */
    for (int i = 0; i < 8; i++)
        CU_ASSERT_EQUAL(changed_request(NULL, NULL, EVP_sha256()), OK);
    CU_ASSERT_EQUAL(changed_request(NULL, other, EVP_sha256()), E_REFUSED);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "not one of this key"));
    CU_ASSERT_EQUAL(changed_request(NULL, NULL, EVP_sha1()), E_INPUT);
    CU_ASSERT_EQUAL(changed_request(ask_with_country, NULL, EVP_sha256()),
                    E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "another attribute"));
    CU_ASSERT_EQUAL(changed_request(ask_with_p384, NULL, EVP_sha256()),
                    E_INPUT);
    private_key_destroy(&other);
}

/* Any letter of the base64 changed. */
static void altered_requests_are_refused(void)
{
    struct certificate_subject subject;
    struct private_key *key = new_key();
    struct public_key *got = NULL;
    struct text pem;
    size_t body, end;

    text_init(&pem);
    CU_ASSERT_EQUAL(request_create(key, &leaf_subject, &pem, &err), OK);
    body = (size_t)(strchr(pem.data, '\n') - pem.data) + 1;
    end = (size_t)(strstr(pem.data, "-----END") - pem.data);
    for (size_t i = body; i < end; i++) {
        char before = pem.data[i];
        enum status status;

        if (before == '\n' || before == '=')
            continue;
        pem.data[i] = before == 'A' ? 'B' : 'A';
        status = open_request(&pem, &subject, &got);
        CU_ASSERT(status == E_INPUT || status == E_REFUSED);
        public_key_destroy(&got);
        pem.data[i] = before;
    }
    for (size_t size = 0; size + 1 < pem.size; size++)
        CU_ASSERT_EQUAL(
            request_open(bytes_of(pem.data, size), &got, &subject, &err),
            E_INPUT);
    text_clear(&pem);
    private_key_destroy(&key);
}

static void requests_have_limits(void)
{
    struct certificate_subject subject = leaf_subject;
    struct private_key *ed25519 = NULL, *key = new_key();
    struct public_key *got = NULL;
    struct text pem;

    text_init(&pem);
    CU_ASSERT_EQUAL(private_key_generate(&ed25519, KEY_ED25519, &err), OK);
    CU_ASSERT_EQUAL(request_create(ed25519, &subject, &pem, &err), E_INPUT);
    subject.name[0] = '/';
    CU_ASSERT_EQUAL(request_create(key, &subject, &pem, &err), E_INPUT);
    CU_ASSERT_EQUAL(pem.size, 0);
    CU_ASSERT_EQUAL(
        text_append_string(&pem, "-----BEGIN CERTIFICATE REQUEST-----\n", &err),
        OK);
    while (pem.size <= CERTIFICATE_PEM_SIZE_MAX)
        CU_ASSERT_EQUAL_FATAL(text_append_string(&pem, "MIIB", &err), OK);
    CU_ASSERT_EQUAL(
        text_append_string(&pem, "\n-----END CERTIFICATE REQUEST-----\n", &err),
        OK);
    CU_ASSERT_EQUAL(open_request(&pem, &subject, &got), E_INPUT);
    text_clear(&pem);
    private_key_destroy(&key);
    private_key_destroy(&ed25519);
}

void suite_identity(void)
{
    static const struct test tests[] = {
        {"roles come back from their names", roles_come_back_from_their_names},
        {"names are plain", names_are_plain},
        {"an issued certificate says what was meant",
         issued_certificate_says_what_was_meant},
        {"a certificate comes back from its bytes",
         certificate_comes_back_from_its_bytes},
        {"every certificate has its own id", every_certificate_has_its_own_id},
        {"a certificate of other software is read, its id is that of sha256sum",
         foreign_certificate_is_read},
        {"a whole chain is accepted", whole_chain_is_accepted},
        {"expired and early certificates are refused",
         expired_and_early_are_refused},
        {"an expired intermediate is refused", expired_intermediate_is_refused},
        {"foreign authorities are refused", foreign_authorities_are_refused},
        {"other issuers' names are refused", other_issuers_names_are_refused},
        {"everyone keeps to their place in a chain",
         everyone_keeps_to_their_place},
        {"certificates beside the profile are refused",
         certificates_beside_the_profile_are_refused},
        {"further extensions are passed over",
         further_extensions_are_passed_over},
        {"other algorithms are refused", other_algorithms_are_refused},
        {"every changed byte is seen", every_changed_byte_is_seen},
        {"cut and longer bytes are refused", cut_and_longer_bytes_are_refused},
        {"other spellings of the shell are refused",
         other_spellings_of_the_shell_are_refused},
        {"a twin with a high s is refused", twin_with_a_high_s_is_refused},
        {"PEM is one certificate and nothing else",
         pem_is_one_certificate_and_nothing_else},
        {"certificate files are read", certificate_files_are_read},
        {"both forms of time are read", both_forms_of_time_are_read},
        {"other times are refused", other_times_are_refused},
        {"times are written in the right form",
         times_are_written_in_the_right_form},
        {"an authority keeps to its right", authority_keeps_to_its_right},
        {"impossible terms are refused", impossible_terms_are_refused},
        {"a request says who asks, with which key",
         request_says_who_asks_with_which_key},
        {"wrong requests are refused", wrong_requests_are_refused},
        {"altered requests are refused", altered_requests_are_refused},
        {"requests have limits", requests_have_limits},
    };

    suite_add("identity", tests, sizeof tests / sizeof tests[0]);
}
