#include "common/commitment.h"

#include <string.h>

#include "tests/lib/suite.h"

void suite_commitment(void);

/* RFC 4231, test case 2, has a short key; HMAC pads keys with zeros, so that
 * "Jefe" is the salt "Jefe" and 28 zeros. */
static void it_is_hmac_sha256_as_in_rfc_4231(void)
{
    struct commitment_salt salt = {.byte = "Jefe"};
    char hex[DIGEST_HEX_SIZE];
    struct digest commitment;
    struct error err;

    error_init(&err);
    CU_ASSERT_EQUAL(
        commitment_make(&salt, bytes_of_string("what do ya want for nothing?"),
                        &commitment, &err),
        OK);
    digest_hex(&commitment, hex);
    CU_ASSERT_STRING_EQUAL(
        hex,
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

static void another_statement_or_salt_is_refused(void)
{
    struct bytes statement = bytes_of_string("{\"statement\":\"a 1\"}");
    struct commitment_salt salt, other;
    char hex[DIGEST_HEX_SIZE];
    struct digest commitment;
    struct error err;

    error_init(&err);
    CU_ASSERT_EQUAL_FATAL(commitment_draw(&salt, &err), OK);
    CU_ASSERT_EQUAL_FATAL(commitment_draw(&other, &err), OK);
    CU_ASSERT_EQUAL_FATAL(commitment_make(&salt, statement, &commitment, &err),
                          OK);
    digest_hex(&commitment, hex);
    CU_ASSERT_EQUAL(commitment_check(&salt, statement, hex, &err), OK);
    CU_ASSERT_STRING_EQUAL(err.text, "");
    CU_ASSERT_EQUAL(commitment_check(&other, statement, hex, &err), E_NO);
    CU_ASSERT_EQUAL(commitment_check(&salt,
                                     bytes_of_string("{\"statement\":\"b 1\"}"),
                                     hex, &err),
                    E_NO);
    hex[0] = hex[0] == '0' ? '1' : '0';
    CU_ASSERT_EQUAL(commitment_check(&salt, statement, hex, &err), E_NO);
    CU_ASSERT_EQUAL(commitment_check(&salt, statement, "", &err), E_NO);
}

void suite_commitment(void)
{
    static const struct test tests[] = {
        {"it is HMAC-SHA256 as in RFC 4231", it_is_hmac_sha256_as_in_rfc_4231},
        {"another statement or salt is refused",
         another_statement_or_salt_is_refused},
    };

    suite_add("commitment", tests, sizeof tests / sizeof *tests);
}
