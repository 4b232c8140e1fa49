/*
 * anonymizer/moment.h - dates and times in the spelling of a table.
 *
 * A format is made of these fields, each at most once, and of the characters
 * between them, which stand for themselves:
 *
 *     yyyy  0000..9999     HH  00..23
 *     MM    01..12         mm  00..59
 *     dd    01..31         ss  00..59
 *
 *     dd.MM.yyyy           29.02.2024
 *     yyyy-MM-dd HH:mm     2024-02-29 13:05
 *
 * Year, month and day must be there, minutes need hours and seconds minutes;
 * any other letter is refused, and so is a digit, which could not be told from
 * a field.  Every field has all of its digits.  What is not written is 0.
 *
 * The calendar is the Gregorian one, also before it was; a moment is the number
 * of seconds since 1970-01-01 00:00:00 UTC, every day having 86,400 of them.
 * Days from a date and back: the era of 400 years has 146,097 days, and the
 * year is reckoned from March, so that the leap day is its last.
 */
#ifndef ANONYMIZER_MOMENT_H
#define ANONYMIZER_MOMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/error.h"
#include "common/text.h"

#define MOMENT_FORMAT_DEFAULT "yyyy-MM-dd"

/* Bytes of a format without its NUL. */
#define MOMENT_FORMAT_MAX 64

bool moment_format_valid(struct bytes format);

/* Of a text in this valid format; *seconds is untouched on no. */
MUST_USE bool moment_parse(const char *format, struct bytes text,
                           int64_t *seconds);

/* What a calendar says of a moment. */
struct moment {
    int year, month, day; /* month and day from 1 */
    int hour, minute, second;
    int weekday;         /* 1 Monday .. 7 Sunday */
    int week_year, week; /* ISO 8601: week 1 has the year's 4 January */
    int week_of_month;   /* from 1; weeks begin on Monday */
};

/* Of any moment within +-MOMENT_MAX, years before the first included: those
 * are 0, -1, ... */
#define MOMENT_MAX INT64_C(4000000000000)

struct moment moment_of(int64_t seconds);

/* Append it in this valid format. */
MUST_USE enum status moment_print(const char *format, int64_t seconds,
                                  struct text *out, struct error *err);

#endif
