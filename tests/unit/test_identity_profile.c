#include "common/identity.h"

#include <openssl/asn1.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/chain.h"
#include "tests/lib/suite.h"

void suite_identity_profile(void);

static struct error err;

/* The right certificate after one change. */
static void refuse_changed(void (*change)(X509 *x509), const char *words)
{
    struct certificate *made = NULL;
    struct chain chain;
    X509 *x509;

    chain_open(&chain);
    x509 = chain_take_apart(chain.leaf);
    change(x509);
    CU_ASSERT_EQUAL(chain_put_together(x509, chain.authority_key, EVP_sha256(),
                                       &made, &err),
                    E_INPUT);
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
    ASN1_TIME_set(X509_getm_notBefore(x509), CHAIN_FIRST_MS / 1000 + 1);
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
    x509 = chain_take_apart(chain.leaf);
    certificate_destroy(&chain.leaf);
    add_extension(x509, "1.3.6.1.4.1.99999.1", false, BYTES(0x05, 0x00));
    CU_ASSERT_EQUAL(chain_put_together(x509, chain.authority_key, EVP_sha256(),
                                       &chain.leaf, &err),
                    OK);
    CU_ASSERT_EQUAL(chain_check(&chain, CHAIN_NOON_MS, &err), OK);
    X509_free(x509);
    chain_close(&chain);
}

static void other_algorithms_are_refused(void)
{
    struct certificate *made = NULL;
    struct chain chain;
    X509 *x509;

    chain_open(&chain);
    x509 = chain_take_apart(chain.leaf);
    CU_ASSERT_EQUAL(chain_put_together(x509, chain.authority_key, EVP_sha384(),
                                       &made, &err),
                    E_INPUT);
    CU_ASSERT_EQUAL(
        chain_put_together(x509, chain.authority_key, EVP_sha1(), &made, &err),
        E_INPUT);
    X509_free(x509);
    chain_close(&chain);
}

void suite_identity_profile(void)
{
    static const struct test tests[] = {
        {"certificates beside the profile are refused",
         certificates_beside_the_profile_are_refused},
        {"further extensions are passed over",
         further_extensions_are_passed_over},
        {"other algorithms are refused", other_algorithms_are_refused},
    };

    suite_add("identity_profile", tests, sizeof tests / sizeof tests[0]);
}
