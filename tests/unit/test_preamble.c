#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "ledger/preamble.h"
#include "tests/lib/child.h"
#include "tests/lib/suite.h"

void suite_preamble(void);

/* Written by hand: magic, version 1, id 258, 12 characters. */
static const uint8_t example[] = {
    'a', 'n', 'c', 'h', 'r', 'a', 'f', 't', 1,   0,   0,   0,   0,   0,   0,  1,
    2,   0,   12,  '1', '0', '.', '0', '.', '0', '.', '7', ':', '7', '0', '0'};

static enum preamble_reading read_of(const uint8_t *data, size_t size,
                                     struct preamble *preamble)
{
    return preamble_decode(bytes_of(data, size), preamble);
}

static void bytes_are_as_written_down(void)
{
    struct preamble preamble = {.id = 258, .address = "10.0.0.7:700"};
    uint8_t out[PREAMBLE_SIZE_MAX];

    CU_ASSERT_EQUAL_FATAL(preamble_encode(&preamble, out), sizeof example);
    CU_ASSERT_EQUAL(memcmp(out, example, sizeof example), 0);
    memset(&preamble, 0, sizeof preamble);
    CU_ASSERT_EQUAL(read_of(example, sizeof example, &preamble),
                    PREAMBLE_WHOLE);
    CU_ASSERT_EQUAL(preamble.id, 258);
    CU_ASSERT_STRING_EQUAL(preamble.address, "10.0.0.7:700");
}

static void each_beginning_wants_more(void)
{
    struct preamble preamble;

    for (size_t size = 0; size < sizeof example; size++)
        CU_ASSERT_EQUAL(read_of(example, size, &preamble), PREAMBLE_MORE);
}

static void the_first_wrong_byte_is_enough(void)
{
    struct preamble preamble;
    uint8_t wrong[sizeof example];

    for (size_t i = 0; i <= 8; i++) {
        memcpy(wrong, example, sizeof wrong);
        wrong[i] ^= 0x20;
        CU_ASSERT_EQUAL(read_of(wrong, i + 1, &preamble), PREAMBLE_FOREIGN);
    }
}

static void sizes_and_ids_out_of_range_are_foreign(void)
{
    struct preamble preamble;
    uint8_t wrong[sizeof example + 1] = {0};

    memcpy(wrong, example, sizeof example);
    wrong[18] = 0;
    CU_ASSERT_EQUAL(read_of(wrong, 19, &preamble), PREAMBLE_FOREIGN);
    wrong[17] = 1;
    wrong[18] = 3; /* 259 */
    CU_ASSERT_EQUAL(read_of(wrong, 19, &preamble), PREAMBLE_MORE);
    wrong[18] = 4;
    CU_ASSERT_EQUAL(read_of(wrong, 19, &preamble), PREAMBLE_FOREIGN);
    memcpy(wrong, example, sizeof example);
    CU_ASSERT_EQUAL(read_of(wrong, sizeof wrong, &preamble), PREAMBLE_FOREIGN);
    wrong[15] = wrong[16] = 0;
    CU_ASSERT_EQUAL(read_of(wrong, sizeof example, &preamble),
                    PREAMBLE_FOREIGN);
}

static void an_address_that_is_none_is_foreign(void)
{
    struct preamble preamble;
    uint8_t wrong[sizeof example];

    memcpy(wrong, example, sizeof wrong);
    wrong[20] = '\0';
    CU_ASSERT_EQUAL(read_of(wrong, sizeof wrong, &preamble), PREAMBLE_FOREIGN);
}

static int encode_nothing(void)
{
    struct preamble preamble = {.id = 1, .address = "nowhere"};
    uint8_t out[PREAMBLE_SIZE_MAX];

    return (int)preamble_encode(&preamble, out);
}

static void our_own_mistakes_stop_us(void)
{
    CU_ASSERT_TRUE(child_aborts(encode_nothing));
}

void suite_preamble(void)
{
    static const struct test tests[] = {
        {"its bytes are as written down", bytes_are_as_written_down},
        {"each beginning of one wants more", each_beginning_wants_more},
        {"the first wrong byte is enough", the_first_wrong_byte_is_enough},
        {"sizes and ids out of range are foreign",
         sizes_and_ids_out_of_range_are_foreign},
        {"an address that is none is foreign",
         an_address_that_is_none_is_foreign},
        {"our own mistakes stop us", our_own_mistakes_stop_us},
    };

    suite_add("preamble", tests, sizeof tests / sizeof *tests);
}
