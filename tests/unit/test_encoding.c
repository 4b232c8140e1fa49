#include "common/encoding.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/lib/suite.h"

void suite_encoding(void);

static struct error err;

/* RFC 4648, section 10; then bytes whose digits are the first and last of the
 * alphabet, by hand. */
static const struct {
    const char *data;
    size_t size;
    const char *text;
} base64_vectors[] = {
    {"", 0, ""},
    {"f", 1, "Zg=="},
    {"fo", 2, "Zm8="},
    {"foo", 3, "Zm9v"},
    {"foob", 4, "Zm9vYg=="},
    {"fooba", 5, "Zm9vYmE="},
    {"foobar", 6, "Zm9vYmFy"},
    {"\0\0\0", 3, "AAAA"},
    {"\0", 1, "AA=="},
    {"\xff\xff\xff", 3, "////"},
    {"\xff", 1, "/w=="},
    {"\xfb\xef\xbe", 3, "++++"},
    {"\xfb\xf0", 2, "+/A="},
};

static void base64_is_that_of_the_standard(void)
{
    struct text text;

    text_init(&text);
    for (size_t i = 0; i < sizeof base64_vectors / sizeof base64_vectors[0];
         i++) {
        struct bytes data =
            bytes_of(base64_vectors[i].data, base64_vectors[i].size);

        text_reset(&text);
        CU_ASSERT_EQUAL(text_append_string(&text, "= ", &err), OK);
        CU_ASSERT_EQUAL(base64_append(&text, data, &err), OK);
        CU_ASSERT_STRING_EQUAL(text.data + 2, base64_vectors[i].text);
        CU_ASSERT_EQUAL(text.size, 2 + strlen(base64_vectors[i].text));

        text_reset(&text);
        CU_ASSERT_EQUAL(text_append_string(&text, "= ", &err), OK);
        CU_ASSERT_EQUAL(
            base64_decode(&text, bytes_of_string(base64_vectors[i].text), &err),
            OK);
        CU_ASSERT(bytes_equal(bytes_of(text.data + 2, text.size - 2), data));
        CU_ASSERT_EQUAL(text.data[text.size], '\0');
    }
    text_clear(&text);
}

static const struct {
    const char *text, *error;
} base64_refusals[] = {
    {"Z", "base64 of 1 characters, expected a multiple of 4"},
    {"Zg", "base64 of 2 characters, expected a multiple of 4"},
    {"Zg=", "base64 of 3 characters, expected a multiple of 4"},
    {"Zm9vY", "base64 of 5 characters, expected a multiple of 4"},
    {"Zm9v\n", "base64 of 5 characters, expected a multiple of 4"},
    /* white space */
    {"Zg==   \n", "characters 1 to 4 of 8 are not base64"},
    {" Zm9vYg=", "characters 1 to 4 of 8 are not base64"},
    {"Zm9v\r\nYm", "characters 5 to 8 of 8 are not base64"},
    {"Zm\t9", "characters 1 to 4 of 4 are not base64"},
    /* padding in the wrong place */
    {"====", "characters 1 to 4 of 4 are not base64"},
    {"Z===", "characters 1 to 4 of 4 are not base64"},
    {"=m9v", "characters 1 to 4 of 4 are not base64"},
    {"Zg=v", "characters 1 to 4 of 4 are not base64"},
    {"Z=9v", "characters 1 to 4 of 4 are not base64"},
    {"Zg==Zm9v", "characters 1 to 4 of 8 are not base64"},
    {"Zm8=Zm9v", "characters 1 to 4 of 8 are not base64"},
    {"Zm9v====", "characters 5 to 8 of 8 are not base64"},
    /* bits that mean nothing: Zg== and Zm8= with the last one set */
    {"Zh==", "characters 1 to 4 of 4 are not base64"},
    {"Zm9=", "characters 1 to 4 of 4 are not base64"},
    {"Zm9vZw==Zh==", "characters 5 to 8 of 12 are not base64"},
    /* other alphabets */
    {"Zm-v", "characters 1 to 4 of 4 are not base64"},
    {"Zm_v", "characters 1 to 4 of 4 are not base64"},
    {"Zm.v", "characters 1 to 4 of 4 are not base64"},
};

static void what_is_not_base64_is_refused(void)
{
    struct text text;

    for (size_t i = 0; i < sizeof base64_refusals / sizeof base64_refusals[0];
         i++) {
        text_init(&text);
        CU_ASSERT_EQUAL(text_append_string(&text, "kept", &err), OK);
        error_init(&err);
        CU_ASSERT_EQUAL(base64_decode(&text,
                                      bytes_of_string(base64_refusals[i].text),
                                      &err),
                        E_INPUT);
        CU_ASSERT_STRING_EQUAL(err.text, base64_refusals[i].error);
        CU_ASSERT_STRING_EQUAL(text.data, "kept");
        CU_ASSERT_EQUAL(text.size, 4);
        text_clear(&text);
    }
}

/* Each byte at each place of a good text.  Accepted
 * are the digits, with the padding's rules. */
static void each_place_takes_the_alphabet_only(void)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct text text;

    text_init(&text);
    for (size_t at = 0; at < 4; at++)
        for (int byte = 0; byte < 256; byte++) {
            char quad[] = {'A', 'A', 'A', 'A'};
            bool digit = byte != 0 && strchr(alphabet, byte) != NULL;

            quad[at] = (char)byte;
            text_reset(&text);
            CU_ASSERT_EQUAL(base64_decode(&text, bytes_of(quad, 4), &err) == OK,
                            digit || (at == 3 && byte == '='));
        }
    text_clear(&text);
}

/* One spelling for each value: all texts of four characters of a small
 * alphabet, decoded and encoded, are themselves. */
static void what_is_accepted_is_what_is_written(void)
{
    static const char alphabet[] = "ABQZgw/+=";
    const size_t size = sizeof alphabet - 1;
    unsigned accepted = 0;

    for (size_t n = 0; n < size * size * size * size; n++) {
        char quad[5] = {alphabet[n % size], alphabet[n / size % size],
                        alphabet[n / size / size % size],
                        alphabet[n / size / size / size], '\0'};
        struct text data, again;

        text_init(&data);
        text_init(&again);
        if (base64_decode(&data, bytes_of(quad, 4), &err) == OK) {
            accepted++;
            CU_ASSERT_EQUAL(base64_append(&again, text_bytes(&data), &err), OK);
            CU_ASSERT_STRING_EQUAL(again.data, quad);
        }
        text_clear(&data);
        text_clear(&again);
    }
    /* 8^4 without padding.  With one '=' the third digit must end in 00:
     * A, Q, g, w of 0, 16, 32, 48; with two the second in 0000: the same. */
    CU_ASSERT_EQUAL(accepted, 8 * 8 * 8 * 8 + 8 * 8 * 4 + 8 * 4);
}

static void random_bytes_survive_base64(void)
{
    unsigned seed = 4648;
    struct text text, back;
    uint8_t data[300];

    text_init(&text);
    text_init(&back);
    for (size_t size = 0; size <= sizeof data; size++) {
        for (size_t i = 0; i < size; i++)
            data[i] = (uint8_t)rand_r(&seed);
        text_reset(&text);
        text_reset(&back);
        CU_ASSERT_EQUAL(base64_append(&text, bytes_of(data, size), &err), OK);
        CU_ASSERT_EQUAL(base64_decode(&back, text_bytes(&text), &err), OK);
        CU_ASSERT(bytes_equal(text_bytes(&back), bytes_of(data, size)));
    }
    text_clear(&text);
    text_clear(&back);
}

/* RFC 4648, section 10, in lower case. */
static void hex_is_that_of_the_standard(void)
{
    static const char *const hex[] = {
        "", "66", "666f", "666f6f", "666f6f62", "666f6f6261", "666f6f626172",
    };
    char out[13];
    uint8_t data[6];

    for (size_t size = 0; size <= 6; size++) {
        hex_encode(bytes_of("foobar", size), out);
        CU_ASSERT_STRING_EQUAL(out, hex[size]);
        CU_ASSERT(hex_decode(bytes_of_string(hex[size]), data, size));
        CU_ASSERT(bytes_equal(bytes_of(data, size), bytes_of("foobar", size)));
    }
    hex_encode(bytes_of("\x01\x9a\xbc\xde\xf0\xff", 6), out);
    CU_ASSERT_STRING_EQUAL(out, "019abcdef0ff");
    CU_ASSERT(hex_decode(bytes_of_string("019abcdef0ff"), data, 6));
    CU_ASSERT(bytes_equal(bytes_of(data, 6),
                          bytes_of("\x01\x9a\xbc\xde\xf0\xff", 6)));
}

static void what_is_not_hex_is_refused(void)
{
    static const char *const refused[] = {
        "",       "6",    "666",  "66666", "666F", "66 6", "66g6",
        "6666\n", " 666", "0x66", "-666",  "66/6", "66:6", "66`6",
    };
    uint8_t data[2] = {1, 2};

    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        CU_ASSERT(!hex_decode(bytes_of_string(refused[i]), data, 2));
        CU_ASSERT(data[0] == 1 && data[1] == 2);
    }
    CU_ASSERT(!hex_decode(bytes_of("66\0"
                                   "6",
                                   4),
                          data, 2));
    CU_ASSERT(!hex_decode(bytes_of("66\xff"
                                   "6",
                                   4),
                          data, 2));
}

static void numbers_are_big_endian(void)
{
    uint8_t bytes[8];

    put_be32(bytes, UINT32_C(0x01020304));
    CU_ASSERT(memcmp(bytes, "\x01\x02\x03\x04", 4) == 0);
    CU_ASSERT_EQUAL(get_be32(bytes), UINT32_C(0x01020304));
    put_be32(bytes, UINT32_MAX);
    CU_ASSERT_EQUAL(get_be32(bytes), UINT32_MAX);
    put_be64(bytes, UINT64_C(0xfedcba9876543210));
    CU_ASSERT(memcmp(bytes, "\xfe\xdc\xba\x98\x76\x54\x32\x10", 8) == 0);
    CU_ASSERT_EQUAL(get_be64(bytes), UINT64_C(0xfedcba9876543210));
}

void suite_encoding(void)
{
    static const struct test tests[] = {
        {"base64 is that of the standard", base64_is_that_of_the_standard},
        {"what is not base64 is refused", what_is_not_base64_is_refused},
        {"each place takes the alphabet only",
         each_place_takes_the_alphabet_only},
        {"what is accepted is what is written",
         what_is_accepted_is_what_is_written},
        {"random bytes survive base64", random_bytes_survive_base64},
        {"hex is that of the standard", hex_is_that_of_the_standard},
        {"what is not hex is refused", what_is_not_hex_is_refused},
        {"numbers are big endian", numbers_are_big_endian},
    };

    suite_add("encoding", tests, sizeof tests / sizeof tests[0]);
}
