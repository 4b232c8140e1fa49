#include "common/digest.h"

#include <errno.h>
#include <openssl/err.h>

#include "tests/fault/fault.h"
#include "tests/lib/suite.h"

void suite_digest(void);

/* OpenSSL goes on without some of what it asks for, and does not tell a lack of
 * memory deep inside from other failures: E_SYSTEM then, also exit code 3. */
static void expect_failure(enum status status, const struct error *err)
{
    if (status == OK)
        return;
    CU_ASSERT(fault_happened());
    CU_ASSERT(status == E_MEMORY || status == E_SYSTEM);
    CU_ASSERT(err->status == status && err->text[0] != '\0');
}

static void digest_without_memory_fails_cleanly(void)
{
    struct digest digest = {{0}};
    char hex[DIGEST_HEX_SIZE];
    struct error err;

    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        enum status status;

        error_init(&err);
        fault_on();
        status = digest_bytes(&digest, bytes_of_string("abc"), &err);
        fault_off();
        ERR_clear_error();
        expect_failure(status, &err);
        digest_hex(&digest, hex);
        if (status == OK) /* FIPS 180-2, B.1 */
            CU_ASSERT_STRING_EQUAL(hex, "ba7816bf8f01cfea414140de5dae2223"
                                        "b00361a396177a9cb410ff61f20015ad");
    }
}

static void stream_without_memory_is_null(void)
{
    struct error err;

    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        struct digest_stream *stream = NULL;
        enum status status;

        error_init(&err);
        fault_on();
        status = digest_open(&stream, &err);
        fault_off();
        ERR_clear_error();
        expect_failure(status, &err);
        CU_ASSERT_EQUAL(stream == NULL, status != OK);
        digest_discard(&stream);
    }
}

void suite_digest(void)
{
    static const struct test tests[] = {
        {"a digest without memory fails cleanly",
         digest_without_memory_fails_cleanly},
        {"a stream without memory is null", stream_without_memory_is_null},
    };

    suite_add("digest", tests, sizeof tests / sizeof tests[0]);
}
