#include "common/sign.h"

#include <openssl/crypto.h>
#include <stdio.h>

#include <errno.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/fault/fault.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_sign(void);

static struct scratch scratch;
static struct error err;

/* OpenSSL does not tell a lack of memory deep inside from all other failures:
 * E_SYSTEM then, also exit code 3.  Nothing may look like wrong input. */
static void expect_failure(enum status status)
{
    if (status == OK)
        return;
    CU_ASSERT(fault_happened());
    CU_ASSERT(status == E_MEMORY || status == E_SYSTEM);
    CU_ASSERT(err.status == status && err.text[0] != '\0');
    ERR_clear_error();
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

struct signer {
    struct private_key *key;
    struct public_key *public_key;
    uint8_t signature[SIGNATURE_SIZE_MAX];
    size_t size;
};

static void signer_open(struct signer *signer, enum key_type type)
{
    *signer = (struct signer){.key = NULL};
    CU_ASSERT_EQUAL_FATAL(private_key_generate(&signer->key, type, &err), OK);
    CU_ASSERT_EQUAL_FATAL(
        private_key_public(signer->key, &signer->public_key, &err), OK);
    CU_ASSERT_EQUAL_FATAL(private_key_sign(signer->key, bytes_of_string("x"),
                                           signer->signature, &signer->size,
                                           &err),
                          OK);
}

static void signer_close(struct signer *signer)
{
    private_key_destroy(&signer->key);
    public_key_destroy(&signer->public_key);
}

static void for_both_types(void (*body)(struct signer *signer))
{
    for (int type = KEY_P256; type <= KEY_ED25519; type++) {
        struct signer signer;

        signer_open(&signer, (enum key_type)type);
        body(&signer);
        signer_close(&signer);
    }
}

static void make_keys(struct signer *signer)
{
    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        struct private_key *key = NULL;
        enum status status;

        begin();
        status = end(
            private_key_generate(&key, private_key_type(signer->key), &err));
        expect_failure(status);
        CU_ASSERT_EQUAL(key == NULL, status != OK);
        private_key_destroy(&key);
    }
}

static void key_without_memory_is_null(void)
{
    for_both_types(make_keys);
}

static void publish_keys(struct signer *signer)
{
    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        struct public_key *key = NULL;
        enum status status;

        begin();
        status = end(private_key_public(signer->key, &key, &err));
        expect_failure(status);
        CU_ASSERT_EQUAL(key == NULL, status != OK);
        public_key_destroy(&key);
    }
}

static void public_key_without_memory_is_null(void)
{
    for_both_types(publish_keys);
}

static void sign(struct signer *signer)
{
    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        enum status status;

        begin();
        status = end(private_key_sign(signer->key, bytes_of_string("x"),
                                      signer->signature, &signer->size, &err));
        expect_failure(status);
        if (status == OK)
            CU_ASSERT_EQUAL(
                public_key_verify(signer->public_key, bytes_of_string("x"),
                                  bytes_of(signer->signature, signer->size),
                                  &err),
                OK);
    }
}

static void signing_without_memory_fails_cleanly(void)
{
    for_both_types(sign);
}

static void verify(struct signer *signer)
{
    struct bytes signature = bytes_of(signer->signature, signer->size);

    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        begin();
        expect_failure(end(public_key_verify(
            signer->public_key, bytes_of_string("x"), signature, &err)));
    }
    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        enum status status;

        begin();
        status = end(public_key_verify(signer->public_key, bytes_of_string("y"),
                                       signature, &err));
        CU_ASSERT_NOT_EQUAL(status, OK);
        if (status != E_REFUSED)
            expect_failure(status);
    }
}

/* The one that matters most: a good signature is never found wrong, a wrong one
 * never good. */
static void lack_of_memory_is_no_verdict(void)
{
    for_both_types(verify);
}

static void hmac_without_memory_fails_cleanly(void)
{
    uint8_t out[HMAC_SIZE];

    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        begin();
        expect_failure(end(hmac_sha256(bytes_of_string("key"),
                                       bytes_of_string("message"), out, &err)));
    }
}

static void save_and_load(unsigned calls, int errno_value)
{
    struct signer signer;

    signer_open(&signer, KEY_P256);
    FAULT_LOOP(calls, errno_value)
    {
        struct private_key *key = NULL;
        const char *path;
        enum status status;

        scratch_open(&scratch);
        path = scratch_path(&scratch, "key.pem");
        begin();
        status = private_key_save(signer.key, path, &err);
        CU_ASSERT_EQUAL(scratch_count(&scratch), status == OK);
        if (status == OK)
            status = private_key_load(&key, path, &err);
        end(status);
        /* Some lacks of memory OpenSSL's decoder of private keys takes for a
         * wrong key: at a program's start that is a wrong word, no more. */
        if (status != OK) {
            CU_ASSERT(fault_happened());
            CU_ASSERT(status == E_MEMORY || status == E_SYSTEM ||
                      status == E_IO ||
                      (status == E_INPUT && calls == FAULT_MEMORY));
        }
        CU_ASSERT_EQUAL(key == NULL, status != OK);
        private_key_destroy(&key);
        scratch_close(&scratch);
    }
    signer_close(&signer);
}

static void key_files_without_memory(void)
{
    save_and_load(FAULT_MEMORY, ENOMEM);
}

static void key_files_with_failing_io(void)
{
    save_and_load(FAULT_READ | FAULT_WRITE | FAULT_STAT | FAULT_OPEN |
                      FAULT_SYNC | FAULT_LINK,
                  EIO);
    save_and_load(FAULT_WRITE | FAULT_OPEN | FAULT_SYNC | FAULT_LINK, ENOSPC);
}

/* Somebody else's key appears between our look and our link. */
static void key_that_appears_meanwhile_stays(void)
{
    struct signer signer;

    signer_open(&signer, KEY_P256);
    for (int round = 0; round < 2; round++) {
        fault_without_tmpfile(round == 1);
        scratch_open(&scratch);
        FAULT_LOOP(FAULT_LINK, EEXIST)
        {
            enum status status;

            begin();
            status = end(private_key_save(
                signer.key, scratch_path(&scratch, "key.pem"), &err));
            if (fault_happened()) {
                CU_ASSERT_EQUAL(status, E_INPUT);
                CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "exists already"));
                CU_ASSERT_EQUAL(scratch_count(&scratch), 0);
            } else {
                CU_ASSERT_EQUAL(status, OK);
            }
        }
        CU_ASSERT_EQUAL(scratch_count(&scratch), 1);
        scratch_close(&scratch);
    }
    fault_without_tmpfile(false);
    signer_close(&signer);
}

void suite_sign(void)
{
    static const struct test tests[] = {
        {"a key without memory is null", key_without_memory_is_null},
        {"a public key without memory is null",
         public_key_without_memory_is_null},
        {"signing without memory fails cleanly",
         signing_without_memory_fails_cleanly},
        {"a lack of memory is no verdict on a signature",
         lack_of_memory_is_no_verdict},
        {"HMAC without memory fails cleanly",
         hmac_without_memory_fails_cleanly},
        {"key files without memory are whole or not there",
         key_files_without_memory},
        {"key files are whole or not there when I/O fails",
         key_files_with_failing_io},
        {"a key that appears meanwhile stays",
         key_that_appears_meanwhile_stays},
    };

    /* Without memory, OpenSSL from 3.4 on crashes in its providers, or calls it
     * bad input; what it does in 3.0 is what can be tested. */
    if (OpenSSL_version_num() >= 0x30400000L) {
        printf("%s: skipped, this OpenSSL does not bear a lack of memory\n",
               "sign");
        return;
    }
    suite_add("sign", tests, sizeof tests / sizeof tests[0]);
}
