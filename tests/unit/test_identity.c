#include "common/identity.h"

#include <string.h>

#include "common/limits.h"
#include "tests/lib/chain.h"
#include "tests/lib/suite.h"

void suite_identity(void);

static struct error err;

static void expect_refusal(const struct chain *chain, const char *words)
{
    CU_ASSERT_EQUAL(chain_check(chain, CHAIN_NOON_MS, &err), E_REFUSED);
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
    CU_ASSERT_EQUAL(first, CHAIN_FIRST_MS);
    CU_ASSERT_EQUAL(last, CHAIN_LAST_MS);
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
    CU_ASSERT_EQUAL(chain_check(&chain, CHAIN_NOON_MS, &err), OK);
    certificate_destroy(&from_pem);
    text_clear(&pem);
    chain_close(&chain);
}

/* Two for one key and one subject differ: by their random serial numbers. */
static void every_certificate_has_its_own_id(void)
{
    struct certificate_terms terms = chain_terms(&chain_leaf_subject);
    struct certificate *other = NULL;
    struct chain chain;

    chain_open(&chain);
    CU_ASSERT_EQUAL(chain_issue(chain.leaf_key, &terms, chain.authority,
                                chain.authority_key, &other, &err),
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
    CU_ASSERT_EQUAL(chain_check(&chain, CHAIN_FIRST_MS, &err), OK);
    CU_ASSERT_EQUAL(chain_check(&chain, CHAIN_NOON_MS, &err), OK);
    CU_ASSERT_EQUAL(chain_check(&chain, CHAIN_LAST_MS, &err), OK);
    CU_ASSERT_STRING_EQUAL(err.text, "");
    chain_close(&chain);
}

/* A chain with validities of their own, all within each other. */
static void chain_with_times(struct chain *chain, int64_t margin_ms)
{
    struct certificate_terms terms = chain_terms(&chain_leaf_subject);

    chain_open(chain);
    certificate_destroy(&chain->leaf);
    terms.not_before_ms += margin_ms;
    terms.not_after_ms -= margin_ms;
    CU_ASSERT_EQUAL_FATAL(chain_issue(chain->leaf_key, &terms, chain->authority,
                                      chain->authority_key, &chain->leaf, &err),
                          OK);
}

static void expired_and_early_are_refused(void)
{
    struct chain chain;

    chain_open(&chain);
    CU_ASSERT_EQUAL(chain_check(&chain, CHAIN_FIRST_MS - 1, &err), E_REFUSED);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "the root is not valid yet"));
    CU_ASSERT_EQUAL(chain_check(&chain, CHAIN_LAST_MS + 1, &err), E_REFUSED);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "the root has expired"));
    CU_ASSERT_EQUAL(chain_check(&chain, INT64_MIN, &err), E_REFUSED);
    CU_ASSERT_EQUAL(chain_check(&chain, INT64_MAX, &err), E_REFUSED);
    chain_close(&chain);
    chain_with_times(&chain, 10000);
    CU_ASSERT_EQUAL(chain_check(&chain, CHAIN_FIRST_MS + 9999, &err),
                    E_REFUSED);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(err.text, "the certificate is not valid yet"));
    CU_ASSERT_EQUAL(chain_check(&chain, CHAIN_FIRST_MS + 10000, &err), OK);
    CU_ASSERT_EQUAL(chain_check(&chain, CHAIN_LAST_MS - 10000, &err), OK);
    CU_ASSERT_EQUAL(chain_check(&chain, CHAIN_LAST_MS - 9999, &err), E_REFUSED);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "the certificate has expired"));
    chain_close(&chain);
}

/* An intermediate that ends before what it signed. */
static void expired_intermediate_is_refused(void)
{
    struct certificate_terms terms = chain_terms(&chain_authority_subject);
    struct chain chain;

    chain_open(&chain);
    certificate_destroy(&chain.authority);
    terms.not_after_ms = CHAIN_NOON_MS - 1;
    CU_ASSERT_EQUAL(chain_issue(chain.authority_key, &terms, chain.root,
                                chain.root_key, &chain.authority, &err),
                    OK);
    expect_refusal(&chain, "the intermediate has expired");
    CU_ASSERT_EQUAL(chain_check(&chain, CHAIN_NOON_MS - 2000, &err), OK);
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
    struct certificate_subject other = chain_authority_subject;
    struct certificate_terms terms = chain_terms(&other);
    struct chain chain;

    chain_open(&chain);
    certificate_destroy(&chain.authority);
    other.name[0] = 'd'; /* the same key and organisation */
    CU_ASSERT_EQUAL(chain_issue(chain.authority_key, &terms, chain.root,
                                chain.root_key, &chain.authority, &err),
                    OK);
    expect_refusal(&chain, "the certificate names another issuer");
    certificate_destroy(&chain.root);
    other = chain_root_subject;
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
    CU_ASSERT_EQUAL(chain_check(&chain, CHAIN_NOON_MS, &err), OK);
    chain_close(&chain);
    chain_close(&other);
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
    };

    suite_add("identity", tests, sizeof tests / sizeof tests[0]);
}
