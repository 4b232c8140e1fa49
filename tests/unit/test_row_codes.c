#include "anonymizer/row_codes.h"

#include "anonymizer/quick_codes.h"
#include "tests/lib/suite.h"

#include <stdio.h>

void suite_row_codes(void);

/* Codes that grow within a span: earlier ones move along. */
static void codes_widen_within_a_span(void)
{
    static const uint32_t code[] = {0,     255, 7,      256,         65535,
                                    65536, 3,   100000, 4294967294u, 1};
    enum { COUNT = sizeof code / sizeof code[0], FIRST = 1000 };
    static const uint8_t expected[COUNT] = {0, 0, 0, 1, 1, 2, 2, 2, 2, 2};
    struct row_codes codes = {0};
    struct error err;
    uint8_t width = 0;

    CU_ASSERT_EQUAL_FATAL(row_codes_reserve(&codes, FIRST + COUNT, &err), OK);
    for (uint64_t i = 0; i < COUNT; i++) {
        row_codes_set(&codes, &width, FIRST, FIRST + i, code[i]);
        CU_ASSERT_EQUAL(width, expected[i]);
        for (uint64_t j = 0; j <= i; j++)
            CU_ASSERT_EQUAL(row_codes_get(&codes, width, FIRST + j), code[j]);
    }
    row_codes_clear(&codes);
    CU_ASSERT_PTR_NULL(codes.width[0].data);
}

static void reserving_more_keeps_what_is_there(void)
{
    struct row_codes codes = {0};
    struct error err;
    uint8_t width = 0;

    CU_ASSERT_EQUAL_FATAL(row_codes_reserve(&codes, 10, &err), OK);
    row_codes_set(&codes, &width, 0, 9, 200);
    CU_ASSERT_EQUAL_FATAL(row_codes_reserve(&codes, 1u << 20, &err), OK);
    CU_ASSERT_EQUAL(row_codes_get(&codes, width, 9), 200);
    CU_ASSERT_EQUAL(row_codes_get(&codes, width, (1u << 20) - 1), 0);
    row_codes_clear(&codes);
}

/* Texts that differ in one byte, or in their size alone, at each size. */
static void texts_keep_their_codes(void)
{
    uint8_t text[2][64] = {{0}, {0}};
    struct quick_codes quick;
    struct error err;
    uint32_t code = 0;

    memset(text[0], 'a', 48);
    memset(text[1], 'a', 48);
    CU_ASSERT_EQUAL_FATAL(quick_codes_init(&quick, &err), OK);
    for (size_t size = 0; size <= QUICK_TEXT_MAX; size++) {
        struct bytes all_a = bytes_of(text[0], size);

        CU_ASSERT_EQUAL(quick_codes_find(&quick, all_a), QUICK_NONE);
        CU_ASSERT_EQUAL(quick_codes_add(&quick, all_a, code++, &err), OK);
        for (size_t i = 0; i < size; i++) {
            struct bytes other = bytes_of(text[1], size);

            text[1][i] = 'b';
            CU_ASSERT_EQUAL(quick_codes_find(&quick, other), QUICK_NONE);
            CU_ASSERT_EQUAL(quick_codes_add(&quick, other, code++, &err), OK);
            text[1][i] = 'a';
        }
    }
    code = 0;
    for (size_t size = 0; size <= QUICK_TEXT_MAX; size++) {
        CU_ASSERT_EQUAL(quick_codes_find(&quick, bytes_of(text[0], size)),
                        code++);
        for (size_t i = 0; i < size; i++) {
            text[1][i] = 'b';
            CU_ASSERT_EQUAL(quick_codes_find(&quick, bytes_of(text[1], size)),
                            code++);
            text[1][i] = 'a';
        }
    }
    CU_ASSERT_EQUAL(quick_codes_find(&quick, bytes_of(text[0], 33)),
                    QUICK_NONE);
    quick_codes_clear(&quick);
}

static void there_is_room_for_so_many(void)
{
    struct quick_codes quick;
    struct error err;
    char text[32] = "";
    uint32_t found = 0;

    CU_ASSERT_EQUAL_FATAL(quick_codes_init(&quick, &err), OK);
    for (uint32_t i = 0; i < QUICK_CODES_MAX + 100; i++) {
        int size = snprintf(text, sizeof text, "%u", i);

        CU_ASSERT_EQUAL(
            quick_codes_add(&quick, bytes_of(text, (size_t)size), i, &err), OK);
    }
    for (uint32_t i = 0; i < QUICK_CODES_MAX + 100; i++) {
        int size = snprintf(text, sizeof text, "%u", i);

        found += quick_codes_find(&quick, bytes_of(text, (size_t)size)) == i;
    }
    CU_ASSERT_EQUAL(found, QUICK_CODES_MAX);
    quick_codes_clear(&quick);
}

void suite_row_codes(void)
{
    static const struct test tests[] = {
        {"codes widen within a span", codes_widen_within_a_span},
        {"reserving more keeps what is there",
         reserving_more_keeps_what_is_there},
        {"texts keep their codes", texts_keep_their_codes},
        {"there is room for so many texts", there_is_room_for_so_many},
    };

    suite_add("row_codes", tests, sizeof tests / sizeof *tests);
}
