#include "common/utf8.h"

#include "tests/lib/suite.h"

void suite_utf8(void);

/* What stands in RFC 3629 section 4, by arithmetic instead of ranges: decode,
 * then ask whether the number fits the length and is no surrogate. */
static bool valid_by_number(const uint8_t *byte, size_t size)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    static const uint8_t lead_mask[] = {0, 0, 0xe0, 0xf0, 0xf8};
    uint32_t number;

    if (size == 1)
        return byte[0] < 0x80;
    if ((byte[0] & lead_mask[size]) != lead[size])
        return false;
    number = byte[0] & (0x7fu >> size);
    for (size_t i = 1; i < size; i++) {
        if (byte[i] >> 6 != 2)
            return false;
        number = number << 6 | (byte[i] & 0x3fu);
    }
    return number >= smallest[size] && number <= 0x10ffff &&
           (number < 0xd800 || number > 0xdfff);
}

/* Every lead and second byte, with third and fourth bytes at the borders. */
static void agrees_with_the_definition(void)
{
    static const uint8_t borders[] = {0x00, 0x7f, 0x80, 0xbf, 0xc0, 0xff};
    bool cut;

    for (uint32_t i = 0; i < 256 * 256 * 36; i++) {
        uint8_t byte[4] = {(uint8_t)(i / 36 / 256), (uint8_t)(i / 36),
                           borders[i / 6 % 6], borders[i % 6]};
        size_t expected = 0;

        for (size_t size = 1; size <= 4 && expected == 0; size++)
            if (valid_by_number(byte, size))
                expected = size;
        if (expected == 0) {
            if (utf8_prefix(bytes_of(byte, 4), &cut) != 0 || cut)
                CU_FAIL("accepts what is no character");
            continue;
        }
        if (!utf8_valid(bytes_of(byte, expected)))
            CU_FAIL("refuses a character");
        for (size_t size = 1; size < expected; size++)
            if (utf8_prefix(bytes_of(byte, size), &cut) != 0 || !cut)
                CU_FAIL("does not see that a character is cut");
    }
}

static void finds_the_first_wrong_byte(void)
{
    static const struct {
        const char *text;
        size_t size, prefix;
        bool cut;
    } cases[] = {
        {"", 0, 0, false},
        {"abc", 3, 3, false},
        {"a\0c", 3, 3, false},
        {"0123456789abcdef\xff", 17, 16, false},
        {"01234567\xc3\xa9"
         "01234567",
         18, 18, false},
        {"0123456\xc3\xa9"
         "0123456\xe9",
         17, 16, true},
        {"\xe2\x82\xac\xe2\x82", 5, 3, true},
        {"\xe2\x82 \xac", 4, 0, false},
        {"\xf4\x90", 2, 0, false},
        {"\xed\xa0", 2, 0, false},
        {"\xc0", 1, 0, false},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool cut;

        CU_ASSERT_EQUAL(
            utf8_prefix(bytes_of(cases[i].text, cases[i].size), &cut),
            cases[i].prefix);
        CU_ASSERT_EQUAL(cut, cases[i].cut);
    }
}

void suite_utf8(void)
{
    static const struct test tests[] = {
        {"characters are those of RFC 3629", agrees_with_the_definition},
        {"the first wrong byte is found", finds_the_first_wrong_byte},
    };

    suite_add("utf8", tests, sizeof tests / sizeof tests[0]);
}
