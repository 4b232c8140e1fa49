#include "common/identity.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "common/sign_internal.h"
#include "tests/lib/chain.h"
#include "tests/lib/suite.h"

void suite_identity_request(void);

static struct error err;

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
    struct private_key *key = chain_new_key();
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
    expect_request(&chain_leaf_subject);
    expect_request(&chain_authority_subject);
}

/* A request with one change, signed by `signer`, or by its key if NULL. */
static enum status changed_request(void (*change)(X509_REQ *request),
                                   const struct private_key *signer,
                                   const EVP_MD *digest)
{
    struct certificate_subject subject;
    struct private_key *key = chain_new_key();
    struct public_key *got = NULL;
    X509_REQ *request;
    struct text pem;
    BIO *bio;
    char *data;
    long size;
    enum status status;

    text_init(&pem);
    CU_ASSERT_EQUAL(request_create(key, &chain_leaf_subject, &pem, &err), OK);
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
    struct private_key *other = chain_new_key();

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
    struct private_key *key = chain_new_key();
    struct public_key *got = NULL;
    struct text pem;
    size_t body, end;

    text_init(&pem);
    CU_ASSERT_EQUAL(request_create(key, &chain_leaf_subject, &pem, &err), OK);
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
    struct certificate_subject subject = chain_leaf_subject;
    struct private_key *ed25519 = NULL, *key = chain_new_key();
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

void suite_identity_request(void)
{
    static const struct test tests[] = {
        {"a request says who asks, with which key",
         request_says_who_asks_with_which_key},
        {"wrong requests are refused", wrong_requests_are_refused},
        {"altered requests are refused", altered_requests_are_refused},
        {"requests have limits", requests_have_limits},
    };

    suite_add("identity_request", tests, sizeof tests / sizeof tests[0]);
}
