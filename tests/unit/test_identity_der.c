#include "common/identity.h"

#include <openssl/asn1.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "common/sign_internal.h"
#include "tests/lib/chain.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_identity_der(void);

static struct error err;

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
                CU_ASSERT_EQUAL(chain_check(&chain, CHAIN_NOON_MS, &err),
                                E_REFUSED);
            certificate_destroy(one);
            copy[i] ^= (uint8_t)(1 << i % 8);
        }
        *one = whole;
        free(copy);
    }
    CU_ASSERT_EQUAL(chain_check(&chain, CHAIN_NOON_MS, &err), OK);
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
    x509 = chain_take_apart(chain.leaf);
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
    certificate_destroy(&chain.leaf);
    chain.leaf = twin;
    CU_ASSERT_EQUAL(chain_check(&chain, CHAIN_NOON_MS, &err), E_REFUSED);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "high s"));
    OPENSSL_free(der);
    X509_free(x509);
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
    CU_ASSERT_EQUAL(
        request_create(chain.leaf_key, &chain_leaf_subject, &other, &err), OK);
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
    x509 = chain_take_apart(chain.root);
    ASN1_STRING_set(time, asn1, -1);
    X509_set1_notBefore(x509, time);
    X509_set1_notAfter(x509, time);
    status = chain_put_together(x509, chain.root_key, EVP_sha256(), certificate,
                                &err);
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
    struct certificate_terms terms = {&chain_root_subject, first_ms, last_ms};
    struct certificate *root = NULL;
    struct private_key *key = chain_new_key();
    int64_t read_first, read_last;
    X509 *x509;

    CU_ASSERT_EQUAL_FATAL(certificate_create_root(&root, key, &terms, &err),
                          OK);
    x509 = chain_take_apart(root);
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
    expect_form(CHAIN_FIRST_MS, CHAIN_LAST_MS, "260301000000Z",
                "270301000000Z");
    expect_form(CHAIN_FIRST_MS + 999, 2524607999000, "260301000000Z",
                "491231235959Z");
    expect_form(-1, 2524608000000, "691231235959Z", "20500101000000Z");
    expect_form(-631152001000, 253402300799999, "19491231235959Z",
                "99991231235959Z");
    expect_form(-62167219200000, CHAIN_FIRST_MS, "00000101000000Z",
                "260301000000Z");
}

void suite_identity_der(void)
{
    static const struct test tests[] = {
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
    };

    suite_add("identity_der", tests, sizeof tests / sizeof tests[0]);
}
