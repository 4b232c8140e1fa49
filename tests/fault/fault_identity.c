#include "common/identity.h"

#include <openssl/crypto.h>
#include <stdio.h>

#include <errno.h>
#include <openssl/err.h>

#include "tests/fault/fault.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_identity(void);

#define FIRST_MS 1772323200000 /* 2026-03-01 00:00:00 UTC */
#define LAST_MS 1803859200000  /* 2027-03-01 00:00:00 UTC */

static struct error err;

static const struct certificate_subject root_subject = {
    .organisation = "Region", .name = "root", .is_authority = true};
static const struct certificate_subject authority_subject = {
    .organisation = "H", .name = "ca", .is_authority = true};
static const struct certificate_subject leaf_subject = {
    .organisation = "H", .name = "n1", .role = IDENTITY_NODE};

/* See fault_sign.c: what OpenSSL lacks it does not always say. */
static void expect_failure(enum status status)
{
    if (status == OK)
        return;
    CU_ASSERT(fault_happened());
    CU_ASSERT(status == E_MEMORY || status == E_SYSTEM);
    CU_ASSERT(err.status == status && err.text[0] != '\0');
}

static void begin(void)
{
    ERR_clear_error();
    error_init(&err);
    fault_on();
}

static enum status end(enum status status)
{
    fault_off();
    ERR_clear_error();
    return status;
}

/* Root, intermediate and certificate, with their keys. */
static struct private_key *key[3];
static struct public_key *public_key[3];
static struct certificate *chain[3];

static enum status make(int place, struct certificate **certificate)
{
    static const struct certificate_subject *const subjects[] = {
        &root_subject, &authority_subject, &leaf_subject};
    struct certificate_terms terms = {subjects[place], FIRST_MS, LAST_MS};

    if (place == 0)
        return certificate_create_root(certificate, key[0], &terms, &err);
    return certificate_issue(certificate, public_key[place], &terms,
                             chain[place - 1], key[place - 1], &err);
}

static void chain_open(void)
{
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL_FATAL(private_key_generate(&key[i], KEY_P256, &err),
                              OK);
        CU_ASSERT_EQUAL_FATAL(private_key_public(key[i], &public_key[i], &err),
                              OK);
        CU_ASSERT_EQUAL_FATAL(make(i, &chain[i]), OK);
    }
}

static void chain_close(void)
{
    for (int i = 0; i < 3; i++) {
        private_key_destroy(&key[i]);
        public_key_destroy(&public_key[i]);
        certificate_destroy(&chain[i]);
    }
}

/* A round that draws a high s goes further than another, so a loop may end a
 * signature early by luck. */
static void certificate_without_memory_is_null(void)
{
    chain_open();
    for (int place = 0; place < 3; place++)
        FAULT_LOOP(FAULT_MEMORY, ENOMEM)
        {
            struct certificate *certificate = NULL;
            enum status status;

            begin();
            status = end(make(place, &certificate));
            expect_failure(status);
            CU_ASSERT_EQUAL(certificate == NULL, status != OK);
            certificate_destroy(&certificate);
        }
    chain_close();
}

static void decoding_without_memory_fails_cleanly(void)
{
    struct text pem;

    chain_open();
    text_init(&pem);
    CU_ASSERT_EQUAL_FATAL(certificate_append_pem(chain[2], &pem, &err), OK);
    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        struct certificate *certificate = NULL;
        enum status status;

        begin();
        status =
            end(certificate_parse_pem(&certificate, text_bytes(&pem), &err));
        expect_failure(status);
        CU_ASSERT_EQUAL(certificate == NULL, status != OK);
        certificate_destroy(&certificate);
    }
    text_clear(&pem);
    chain_close();
}

static void writing_without_memory_fails_cleanly(void)
{
    chain_open();
    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        struct text pem;
        enum status status;

        text_init(&pem);
        begin();
        status = end(certificate_append_pem(chain[2], &pem, &err));
        expect_failure(status);
        CU_ASSERT_EQUAL(pem.size == 0, status != OK);
        text_clear(&pem);
    }
    chain_close();
}

static void lack_of_memory_does_not_break_a_chain(void)
{
    chain_open();
    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        begin();
        expect_failure(end(certificate_check_chain(chain[2], chain[1], chain[0],
                                                   FIRST_MS, &err)));
    }
    chain_close();
}

static void requests_without_memory_fail_cleanly(void)
{
    struct certificate_subject subject;

    chain_open();
    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        struct public_key *got = NULL;
        struct text pem;
        enum status status;

        text_init(&pem);
        begin();
        status = request_create(key[2], &leaf_subject, &pem, &err);
        CU_ASSERT_EQUAL(pem.size == 0, status != OK);
        if (status == OK)
            status = request_open(text_bytes(&pem), &got, &subject, &err);
        end(status);
        expect_failure(status);
        CU_ASSERT_EQUAL(got == NULL, status != OK);
        public_key_destroy(&got);
        text_clear(&pem);
    }
    chain_close();
}

static void unreadable_file_is_named(void)
{
    struct scratch scratch;
    struct text pem;

    chain_open();
    scratch_open(&scratch);
    text_init(&pem);
    CU_ASSERT_EQUAL(certificate_append_pem(chain[0], &pem, &err), OK);
    scratch_write(&scratch, "ca.pem", pem.data);
    FAULT_LOOP(FAULT_READ | FAULT_STAT | FAULT_OPEN, EIO)
    {
        struct certificate *certificate = NULL;
        enum status status;

        begin();
        status = end(certificate_load(&certificate,
                                      scratch_path(&scratch, "ca.pem"), &err));
        fault_expect(status, &err, E_IO);
        certificate_destroy(&certificate);
    }
    text_clear(&pem);
    scratch_close(&scratch);
    chain_close();
}

void suite_identity(void)
{
    static const struct test tests[] = {
        {"a certificate without memory is null",
         certificate_without_memory_is_null},
        {"decoding without memory fails cleanly",
         decoding_without_memory_fails_cleanly},
        {"writing without memory fails cleanly",
         writing_without_memory_fails_cleanly},
        {"a lack of memory does not break a chain",
         lack_of_memory_does_not_break_a_chain},
        {"requests without memory fail cleanly",
         requests_without_memory_fail_cleanly},
        {"an unreadable file is named", unreadable_file_is_named},
    };

    /* Without memory, OpenSSL from 3.4 on crashes in its providers, or calls it
     * bad input; what it does in 3.0 is what can be tested. */
    if (OpenSSL_version_num() >= 0x30400000L) {
        printf("%s: skipped, this OpenSSL does not bear a lack of memory\n",
               "identity");
        return;
    }
    suite_add("identity", tests, sizeof tests / sizeof tests[0]);
}
