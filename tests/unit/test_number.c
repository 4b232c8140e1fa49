#include "common/number.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <string.h>

#include "common/limits.h"
#include "tests/lib/suite.h"

void suite_number(void);

static void whole_numbers_are_read(void)
{
    static const struct {
        const char *text;
        uint64_t expected;
    } rows[] = {
        {"0", 0},
        {"7", 7},
        {"1024", 1024},
        {"18446744073709551615", UINT64_MAX},
    };
    uint64_t number = 0;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CU_ASSERT(number_parse_unsigned(bytes_of_string(rows[i].text), 0,
                                        UINT64_MAX, &number));
        CU_ASSERT_EQUAL(number, rows[i].expected);
    }
    CU_ASSERT(number_parse_unsigned(bytes_of("123", 2), 0, 99, &number));
    CU_ASSERT_EQUAL(number, 12);
}

static void other_text_is_no_whole_number(void)
{
    static const char *const texts[] = {
        "",
        "-1",
        "+1",
        " 1",
        "1 ",
        "01",
        "00",
        "0x10",
        "1e3",
        "1.",
        "1.0",
        "a",
        "1a",
        "-",
        "1,0",
        "/",
        ":",
        "\t1",
        "1\n",
        "\xd9\xa1", /* Arabic digit one */
        "18446744073709551616",
        "99999999999999999999",
    };
    uint64_t number = 42;

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        CU_ASSERT(!number_parse_unsigned(bytes_of_string(texts[i]), 0,
                                         UINT64_MAX, &number));
    CU_ASSERT(!number_parse_unsigned(bytes_of("1\0", 2), 0, 9, &number));
    CU_ASSERT(!number_parse_unsigned(bytes_of(NULL, 0), 0, 9, &number));
    CU_ASSERT_EQUAL(number, 42);
}

static void whole_numbers_keep_their_range(void)
{
    uint64_t number = 42;

    CU_ASSERT(!number_parse_unsigned(bytes_of_string("0"), 1, 8, &number));
    CU_ASSERT(!number_parse_unsigned(bytes_of_string("9"), 1, 8, &number));
    CU_ASSERT_EQUAL(number, 42);
    CU_ASSERT(number_parse_unsigned(bytes_of_string("1"), 1, 8, &number));
    CU_ASSERT_EQUAL(number, 1);
    CU_ASSERT(number_parse_unsigned(bytes_of_string("8"), 1, 8, &number));
    CU_ASSERT_EQUAL(number, 8);
}

static void signed_numbers_reach_both_ends(void)
{
    static const struct {
        const char *text;
        int64_t expected;
    } rows[] = {
        {"0", 0},
        {"-0", 0},
        {"-1", -1},
        {"9223372036854775807", INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
        {"-9223372036854775807", -INT64_MAX},
    };
    int64_t number = 42;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CU_ASSERT(number_parse_signed(bytes_of_string(rows[i].text), INT64_MIN,
                                      INT64_MAX, &number));
        CU_ASSERT_EQUAL(number, rows[i].expected);
    }
}

static void other_text_is_no_signed_number(void)
{
    static const char *const texts[] = {
        "",
        "-",
        "--1",
        "+1",
        "-01",
        "- 1",
        "1-",
        "-a",
        "1.5",
        "9223372036854775808",
        "-9223372036854775809",
    };
    int64_t number = 42;

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        CU_ASSERT(!number_parse_signed(bytes_of_string(texts[i]), INT64_MIN,
                                       INT64_MAX, &number));
    CU_ASSERT(!number_parse_signed(bytes_of_string("-6"), -5, 5, &number));
    CU_ASSERT(!number_parse_signed(bytes_of_string("6"), -5, 5, &number));
    CU_ASSERT_EQUAL(number, 42);
}

/* The compiler's own reading of the same literals is the second opinion. */
static void decimal_numbers_are_read(void)
{
    static const struct {
        const char *text;
        double expected;
    } rows[] = {
        {"0", 0},
        {"5", 5},
        {"-2.5", -2.5},
        {"0.02", 0.02},
        {"0.1", 0.1},
        {"1e3", 1000},
        {"1E-2", 0.01},
        {"1.5e+2", 150},
        {"0e0", 0},
        {"1.7976931348623157e308", DBL_MAX},
        {"4.9406564584124654e-324", 0x1p-1074},
        {"1e-400", 0},
        {"9007199254740993", 9007199254740992.0}, /* 2^53 + 1: ties to even */
        {"0.1000000000000000055511151231257827", 0.1},
    };
    double number = 42;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CU_ASSERT(number_parse_double(bytes_of_string(rows[i].text), -INFINITY,
                                      INFINITY, &number));
        CU_ASSERT(number == rows[i].expected);
    }
    CU_ASSERT(number_parse_double(bytes_of("1.25", 3), 0, 9, &number));
    CU_ASSERT(number == 1.2);
}

static void other_text_is_no_decimal_number(void)
{
    static const char *const texts[] = {
        "",       "-",    ".5",    "5.",    "+5",       "05",    "00.5",
        "-01",    "1e",   "1e+",   "1.e1",  "e1",       "0x1",   "0x1p4",
        "inf",    "-inf", "nan",   "NaN",   "INFINITY", "1,5",   " 1",
        "1 ",     "1..2", "1.2.3", "1e2e3", "1e2.5",    "1_000", "1e309",
        "-1e309", "1f",   "1 2",
    };
    double number = 42;

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        CU_ASSERT(!number_parse_double(bytes_of_string(texts[i]), -INFINITY,
                                       INFINITY, &number));
    CU_ASSERT(!number_parse_double(bytes_of("1\0", 2), 0, 9, &number));
    CU_ASSERT(!number_parse_double(bytes_of(NULL, 0), 0, 9, &number));
    CU_ASSERT(number == 42);
}

static void decimal_numbers_keep_their_range(void)
{
    double number = 42;

    CU_ASSERT(!number_parse_double(bytes_of_string("-0.1"), 0, 1, &number));
    CU_ASSERT(!number_parse_double(bytes_of_string("1.1"), 0, 1, &number));
    CU_ASSERT(number == 42);
    CU_ASSERT(number_parse_double(bytes_of_string("1"), 0, 1, &number));
    CU_ASSERT(number == 1);
    CU_ASSERT(number_parse_double(bytes_of_string("0.0"), 0, 1, &number));
    CU_ASSERT(number == 0);
}

static void too_long_decimal_is_refused(void)
{
    char text[NUMBER_SIZE_MAX + 1];
    double number = 42;

    memset(text, '0', sizeof text);
    text[1] = '.';
    text[2] = '5';
    CU_ASSERT(!number_parse_double(bytes_of(text, sizeof text), 0, 1, &number));
    CU_ASSERT(number == 42);
    CU_ASSERT(
        number_parse_double(bytes_of(text, sizeof text - 1), 0, 1, &number));
    CU_ASSERT(number == 0.5);
}

/* Says something only where the machine has a locale with a decimal comma. */
static void point_is_a_point_in_every_locale(void)
{
    static const char *const names[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE",
                                        "fr_FR"};
    double number = 42;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (setlocale(LC_NUMERIC, names[i]) != NULL)
            break;
    CU_ASSERT(number_parse_double(bytes_of_string("2.5"), 0, 9, &number));
    CU_ASSERT(number == 2.5);
    CU_ASSERT(!number_parse_double(bytes_of_string("2,5"), 0, 9, &number));
    CU_ASSERT_PTR_NOT_NULL(setlocale(LC_NUMERIC, "C"));
}

void suite_number(void)
{
    static const struct test tests[] = {
        {"whole numbers are read", whole_numbers_are_read},
        {"other text is no whole number", other_text_is_no_whole_number},
        {"whole numbers keep their range", whole_numbers_keep_their_range},
        {"signed numbers reach both ends", signed_numbers_reach_both_ends},
        {"other text is no signed number", other_text_is_no_signed_number},
        {"decimal numbers are read", decimal_numbers_are_read},
        {"other text is no decimal number", other_text_is_no_decimal_number},
        {"decimal numbers keep their range", decimal_numbers_keep_their_range},
        {"a too long decimal is refused", too_long_decimal_is_refused},
        {"a point is a point in every locale",
         point_is_a_point_in_every_locale},
    };

    suite_add("number", tests, sizeof tests / sizeof tests[0]);
}
