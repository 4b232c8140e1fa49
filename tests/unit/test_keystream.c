#include "common/keystream.h"

#include "tests/lib/suite.h"

void suite_keystream(void);

/* 00 01 02 ... 1f */
static void counting_key(uint8_t key[KEYSTREAM_KEY_SIZE])
{
    for (unsigned i = 0; i < KEYSTREAM_KEY_SIZE; i++)
        key[i] = (uint8_t)i;
}

static void check_numbers(const uint8_t key[KEYSTREAM_KEY_SIZE], uint32_t bound,
                          const uint32_t *expected, size_t count)
{
    struct keystream *stream = NULL;
    struct error err;

    error_init(&err);
    CU_ASSERT_EQUAL_FATAL(keystream_create(&stream, key, &err), OK);
    for (size_t i = 0; i < count; i++) {
        uint32_t number = bound;

        CU_ASSERT_EQUAL(keystream_below(stream, bound, &number, &err), OK);
        CU_ASSERT_EQUAL(number, expected[i]);
    }
    keystream_destroy(&stream);
    CU_ASSERT_PTR_NULL(stream);
    keystream_destroy(&stream);
}

/* By `openssl enc -aes-256-ctr -K 00..1f -iv 0` over zeros, its words put
 * modulo the bound by a script: f29000b6 2a499fd0 a9f39a6a dd2e7780 f05d76ae
 * 4ab99fe5 a6f69b31 48c2363d ... */
static void numbers_are_words_of_the_cipher(void)
{
    static const uint32_t below_ten[] = {8, 2, 2, 4, 0, 7, 1, 1};
    /* AES-256 of a zero block under a zero key, dc95c078 a2408989 ad48a214
     * 92842087, as in NIST's known answers. */
    static const uint32_t of_zero[] = {0xdc95c078, 0xa2408989, 0xad48a214,
                                       0x92842087};
    static const uint8_t zero_key[KEYSTREAM_KEY_SIZE];
    uint8_t key[KEYSTREAM_KEY_SIZE];

    counting_key(key);
    check_numbers(key, 10, below_ten, 8);
    check_numbers(zero_key, UINT32_MAX, of_zero, 4);
}

/* Words from 3,000,000,000 on are passed over: f29000b6, dd2e7780, f05d76ae
 * and one behind those above. */
static void words_beyond_the_last_multiple_are_passed_over(void)
{
    static const uint32_t expected[] = {709468112,  2851314282, 1253679077,
                                        2801179441, 1220687421, 247248350,
                                        145271093,  405574041};
    uint8_t key[KEYSTREAM_KEY_SIZE];

    counting_key(key);
    check_numbers(key, 3000000000u, expected, 8);
}

static void one_is_always_zero(void)
{
    static const uint32_t expected[5000];
    uint8_t key[KEYSTREAM_KEY_SIZE];

    counting_key(key);
    check_numbers(key, 1, expected, 5000);
}

void suite_keystream(void)
{
    static const struct test tests[] = {
        {"numbers are words of the cipher", numbers_are_words_of_the_cipher},
        {"words beyond the last multiple are passed over",
         words_beyond_the_last_multiple_are_passed_over},
        {"below one there is zero", one_is_always_zero},
    };

    suite_add("keystream", tests, sizeof tests / sizeof tests[0]);
}
