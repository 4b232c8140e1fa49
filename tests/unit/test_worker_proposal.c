#include "anonymizer/worker_proposal.h"

#include <stdio.h>
#include <string.h>

#include "common/text.h"
#include "tests/lib/suite.h"

void suite_worker_proposal(void);

#define AUTHOR "0123456789abcdef0123456789abcdef"
#define HEX_OF(digits)                                                         \
    digits digits digits digits digits digits digits digits digits digits      \
        digits digits digits digits digits digits

/* Written by hand, as docs/protocol.md has it: RFC 8785 form. */
static void write_entry(char *out, size_t size, const char *author,
                        const char *origin, const char *commitment,
                        const char *permit, const char *terms, int checked)
{
    snprintf(out, size,
             "{\"author\":\"%s\",\"channel\":\"main\","
             "\"nonce\":\"00112233445566778899aabbccddeeff\","
             "\"origin\":\"%s\",\"payload\":{\"checked\":%d,"
             "\"commitment\":\"%s\",\"permit\":\"%s\",\"terms\":\"%s\"},"
             "\"type\":\"release\"}",
             author, origin, checked, commitment, permit, terms);
}

#define ORIGIN "example.org/log"
#define PERMIT HEX_OF("1111")
#define TERMS HEX_OF("2222")
#define COMMITMENT HEX_OF("3333")

static struct digest permit, terms, commitment;
static const struct proposal_expected expected = {.origin = ORIGIN,
                                                  .channel = "main",
                                                  .author = AUTHOR,
                                                  .permit = &permit,
                                                  .terms = &terms,
                                                  .commitment = &commitment,
                                                  .size = 7};

static enum status check(const char *entry)
{
    struct digest id;
    struct error err;

    memset(permit.byte, 0x11, DIGEST_SIZE);
    memset(terms.byte, 0x22, DIGEST_SIZE);
    memset(commitment.byte, 0x33, DIGEST_SIZE);
    error_init(&err);
    return worker_proposal_check(&expected, bytes_of_string(entry), &id, &err);
}

static void entry_of_this_release_may_be_signed(void)
{
    char entry[1024];

    write_entry(entry, sizeof entry, AUTHOR, ORIGIN, COMMITMENT, PERMIT, TERMS,
                7);
    CU_ASSERT_EQUAL(check(entry), OK);
    write_entry(entry, sizeof entry, AUTHOR, ORIGIN, COMMITMENT, PERMIT, TERMS,
                1000);
    CU_ASSERT_EQUAL(check(entry), OK);
}

static void any_other_entry_is_refused(void)
{
    static const char other[] = "f" /* of the right length */
                                "fffffffffffffffffffffffffffffff";
    char entry[1024];

    write_entry(entry, sizeof entry, other, ORIGIN, COMMITMENT, PERMIT, TERMS,
                7);
    CU_ASSERT_EQUAL(check(entry), E_REFUSED);
    write_entry(entry, sizeof entry, AUTHOR, "example.org/other", COMMITMENT,
                PERMIT, TERMS, 7);
    CU_ASSERT_EQUAL(check(entry), E_REFUSED);
    write_entry(entry, sizeof entry, AUTHOR, ORIGIN, TERMS, PERMIT, TERMS, 7);
    CU_ASSERT_EQUAL(check(entry), E_REFUSED);
    write_entry(entry, sizeof entry, AUTHOR, ORIGIN, COMMITMENT, TERMS, TERMS,
                7);
    CU_ASSERT_EQUAL(check(entry), E_REFUSED);
    write_entry(entry, sizeof entry, AUTHOR, ORIGIN, COMMITMENT, PERMIT, PERMIT,
                7);
    CU_ASSERT_EQUAL(check(entry), E_REFUSED);
    write_entry(entry, sizeof entry, AUTHOR, ORIGIN, COMMITMENT, PERMIT, TERMS,
                6);
    CU_ASSERT_EQUAL(check(entry), E_REFUSED);
    write_entry(entry, sizeof entry, AUTHOR, ORIGIN, COMMITMENT, PERMIT, TERMS,
                -1);
    CU_ASSERT_EQUAL(check(entry), E_REFUSED);
}

/* Each byte counts, whatever it is. */
static void every_changed_byte_is_another_entry(void)
{
    char entry[1024], nonce_begin[] = "\"nonce\":\"";
    size_t nonce, checked;

    write_entry(entry, sizeof entry, AUTHOR, ORIGIN, COMMITMENT, PERMIT, TERMS,
                7);
    nonce = (size_t)(strstr(entry, nonce_begin) - entry) + strlen(nonce_begin);
    checked = (size_t)(strstr(entry, "\"checked\":") - entry) + 10;
    for (size_t i = 0; i < strlen(entry); i++) {
        char old = entry[i];

        /* These two are the broker's to choose. */
        if ((i >= nonce && i < nonce + 32) || i == checked)
            continue;
        entry[i] = (char)(old ^ 1);
        CU_ASSERT_EQUAL(check(entry), E_REFUSED);
        entry[i] = old;
    }
    CU_ASSERT_EQUAL(check(entry), OK);
}

static void what_is_no_entry_is_refused(void)
{
    CU_ASSERT_EQUAL(check("{"), E_REFUSED);
    CU_ASSERT_EQUAL(check("[]"), E_REFUSED);
    CU_ASSERT_EQUAL(check("{\"nonce\":1,\"payload\":{}}"), E_REFUSED);
    CU_ASSERT_EQUAL(check("{\"nonce\":\"00112233445566778899aabbccddeeff\","
                          "\"payload\":{\"checked\":1.5}}"),
                    E_REFUSED);
}

void suite_worker_proposal(void)
{
    static const struct test tests[] = {
        {"the entry of this release may be signed",
         entry_of_this_release_may_be_signed},
        {"any other entry is refused", any_other_entry_is_refused},
        {"every changed byte is another entry",
         every_changed_byte_is_another_entry},
        {"what is no entry is refused", what_is_no_entry_is_refused},
    };

    suite_add("worker_proposal", tests, sizeof tests / sizeof tests[0]);
}
