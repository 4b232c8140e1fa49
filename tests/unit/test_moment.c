#include "anonymizer/moment.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tests/lib/suite.h"

void suite_moment(void);

static void formats_are_refused_that_leave_a_date_open(void)
{
    static const char *const good[] = {
        "yyyy-MM-dd",           "dd.MM.yyyy",    "MM/dd/yyyy",      "yyyyMMdd",
        "yyyy-MM-ddTHH:mm:ssZ", "dd.MM.yyyy HH", "HH:mm dd.MM.yyyy"};
    static const char *const bad[] = {
        "",
        "yyyy-MM",
        "MM-dd",
        "yy-MM-dd",
        "yyyy-M-d",
        "yyyy-MM-dd mm",
        "yyyy-MM-dd HH:ss",
        "yyyy-MM-dd dd",
        "yyyy-MM-dd h",
        "%Y-%m-%d",
        "1yyyy-MM-dd",
        "yyyy-MM-dd\n",
        "yyyy\xc3\xa4MMdd",
        "yyyy-MM-dd                                                       "};

    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        CU_ASSERT_TRUE(moment_format_valid(bytes_of_string(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CU_ASSERT_FALSE(moment_format_valid(bytes_of_string(bad[i])));
}

static void parsing_is_strict(void)
{
    static const struct {
        const char *format, *text;
        int64_t seconds; /* by `date -u -d ... +%s` */
    } good[] = {
        {"yyyy-MM-dd", "1970-01-01", 0},
        {"dd.MM.yyyy", "29.02.2024", 1709164800},
        {"MM/dd/yyyy HH:mm", "02/29/2024 13:05", 1709211900},
        {"yyyy-MM-dd HH:mm:ss", "1969-12-31 23:59:59", -1},
        {"yyyyMMdd", "00010101", -62135596800},
        {"yyyy-MM-ddTHH:mm:ssZ", "9999-12-31T23:59:59Z", 253402300799},
        {"HH dd.MM.yyyy", "00 29.02.2000", 951782400},
    };
    static const struct {
        const char *format, *text;
    } bad[] = {
        {"yyyy-MM-dd", ""},
        {"yyyy-MM-dd", "2024-02-30"},
        {"yyyy-MM-dd", "2023-02-29"},
        {"yyyy-MM-dd", "1900-02-29"},
        {"yyyy-MM-dd", "2024-13-01"},
        {"yyyy-MM-dd", "2024-00-01"},
        {"yyyy-MM-dd", "2024-01-00"},
        {"yyyy-MM-dd", "-001-01-01"},
        {"yyyy-MM-dd", "2024-1-01"},
        {"yyyy-MM-dd", "2024-01-1"},
        {"yyyy-MM-dd", "2024-01-01 "},
        {"yyyy-MM-dd", " 2024-01-01"},
        {"yyyy-MM-dd", "01.01.2024"},
        {"yyyy-MM-dd HH", "2024-01-01 24"},
        {"yyyy-MM-dd HH:mm", "2024-01-01 00:60"},
        {"yyyy-MM-dd HH:mm", "2024-01-01 00"},
    };

    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        int64_t seconds = 42;

        CU_ASSERT_TRUE(moment_parse(good[i].format,
                                    bytes_of_string(good[i].text), &seconds));
        CU_ASSERT_EQUAL(seconds, good[i].seconds);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t seconds = 42;

        CU_ASSERT_FALSE(moment_parse(bad[i].format,
                                     bytes_of_string(bad[i].text), &seconds));
        CU_ASSERT_EQUAL(seconds, 42);
    }
}

/* The C library's calendar, day by day over more than an era. */
static void the_calendar_is_that_of_the_c_library(void)
{
    unsigned wrong = 0;

    for (int64_t day = -200000; day < 60000; day++) {
        int64_t seconds = day * 86400 + (day % 86400 + 86400) % 86400;
        time_t when = (time_t)seconds;
        struct moment got = moment_of(seconds);
        char expected[64], ours[64];
        struct tm tm;

        CU_ASSERT_PTR_NOT_NULL_FATAL(gmtime_r(&when, &tm));
        strftime(expected, sizeof expected, "%Y-%m-%d %H:%M:%S %u %G %V", &tm);
        snprintf(ours, sizeof ours, "%d-%02d-%02d %02d:%02d:%02d %d %d %02d",
                 got.year, got.month, got.day, got.hour, got.minute, got.second,
                 got.weekday, got.week_year, got.week);
        wrong += strcmp(ours, expected) != 0;
    }
    CU_ASSERT_EQUAL(wrong, 0);
}

/* A calendar of February 2024: Thursday the 1st, Monday the 5th and the 26th.
 */
static void weeks_of_a_month_begin_on_monday(void)
{
    static const struct {
        const char *day;
        int week;
    } cases[] = {{"2024-02-01", 1}, {"2024-02-04", 1}, {"2024-02-05", 2},
                 {"2024-02-25", 4}, {"2024-02-26", 5}, {"2024-02-29", 5},
                 {"2024-04-01", 1}, {"2024-09-30", 6}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t seconds = 0;

        CU_ASSERT_TRUE(moment_parse(MOMENT_FORMAT_DEFAULT,
                                    bytes_of_string(cases[i].day), &seconds));
        CU_ASSERT_EQUAL(moment_of(seconds).week_of_month, cases[i].week);
    }
}

static void what_is_parsed_is_printed_again(void)
{
    static const char *const pair[][2] = {
        {"dd.MM.yyyy", "03.10.0007"},
        {"yyyy-MM-ddTHH:mm:ssZ", "1815-12-10T01:02:03Z"}};
    struct error err;
    struct text text;

    error_init(&err);
    text_init(&text);
    for (size_t i = 0; i < sizeof pair / sizeof *pair; i++) {
        int64_t seconds = 0;

        text_reset(&text);
        CU_ASSERT_TRUE(
            moment_parse(pair[i][0], bytes_of_string(pair[i][1]), &seconds));
        CU_ASSERT_EQUAL(moment_print(pair[i][0], seconds, &text, &err), OK);
        CU_ASSERT_STRING_EQUAL(text.data, pair[i][1]);
    }
    text_clear(&text);
}

void suite_moment(void)
{
    static const struct test tests[] = {
        {"formats are refused that leave a date open",
         formats_are_refused_that_leave_a_date_open},
        {"parsing is strict", parsing_is_strict},
        {"the calendar is that of the C library",
         the_calendar_is_that_of_the_c_library},
        {"weeks of a month begin on Monday", weeks_of_a_month_begin_on_monday},
        {"what is parsed is printed again", what_is_parsed_is_printed_again},
    };

    suite_add("moment", tests, sizeof tests / sizeof *tests);
}
