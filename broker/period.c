#include "broker/period.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#define SECOND_MS INT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)

/* ---- the calendar ---- */

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int64_t month_days(int64_t year, int64_t month)
{
    static const int8_t days[] = {31, 28, 31, 30, 31, 30,
                                  31, 31, 30, 31, 30, 31};

    assert(month >= 1 && month <= 12);
    return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days from 1970-01-01 to the first of this month; month 13 is the next
 * January. */
static int64_t day_of_month(int64_t year, int64_t month)
{
    int64_t before = year - 1; /* whole years since year 1 */
    int64_t day = before * 365 + before / 4 - before / 100 + before / 400;

    for (int64_t i = 1; i < month; i++)
        day += month_days(year, i);
    return day - 719162; /* of 1970-01-01, by the same formula */
}

/* ---- reading ---- */

/* What is still to be read. */
struct cursor {
    const char *next;
};

static bool take_char(struct cursor *cursor, char expected)
{
    if (*cursor->next != expected)
        return false;
    cursor->next++;
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Exactly `count` digits, a number from min to max. */
static bool take_number(struct cursor *cursor, int count, int64_t min,
                        int64_t max, int64_t *number)
{
    int64_t read = 0;

    for (int i = 0; i < count; i++) {
        if (!is_digit(*cursor->next))
            return false;
        read = read * 10 + (*cursor->next++ - '0');
    }
    *number = read;
    return read >= min && read <= max;
}

/* Fractions of a second, behind the dot.  What is finer than a millisecond
 * means the millisecond that it lies in. */
static bool take_fraction(struct cursor *cursor, struct period *time)
{
    int64_t unit = SECOND_MS; /* of the last digit that counts */

    if (!is_digit(*cursor->next))
        return false;
    for (; is_digit(*cursor->next); cursor->next++) {
        if (unit == 1)
            continue;
        unit /= 10;
        time->start_ms += (*cursor->next - '0') * unit;
    }
    time->end_ms = time->start_ms + unit;
    return true;
}

/* Z, an offset from UTC, or nothing. */
static bool take_zone(struct cursor *cursor, struct period *time)
{
    int64_t hours, minutes, offset_ms;
    bool west = *cursor->next == '-';

    if (take_char(cursor, 'Z') || *cursor->next == '\0')
        return true;
    if (!take_char(cursor, '+') && !take_char(cursor, '-'))
        return false;
    if (!take_number(cursor, 2, 0, 14, &hours) || !take_char(cursor, ':') ||
        !take_number(cursor, 2, 0, 59, &minutes) ||
        (hours == 14 && minutes != 0))
        return false;
    offset_ms = hours * HOUR_MS + minutes * MINUTE_MS;
    time->start_ms += west ? offset_ms : -offset_ms;
    time->end_ms += west ? offset_ms : -offset_ms;
    return true;
}

/* Behind the T of a day that starts at time->start_ms. */
static bool take_clock(struct cursor *cursor, struct period *time)
{
    int64_t hour, minute, second;

    if (!take_number(cursor, 2, 0, 23, &hour) || !take_char(cursor, ':') ||
        !take_number(cursor, 2, 0, 59, &minute) || !take_char(cursor, ':') ||
        !take_number(cursor, 2, 0, 60, &second))
        return false;
    time->start_ms += hour * HOUR_MS + minute * MINUTE_MS + second * SECOND_MS;
    time->end_ms = time->start_ms + SECOND_MS;
    if (take_char(cursor, '.') && !take_fraction(cursor, time))
        return false;
    return take_zone(cursor, time);
}

static bool take_time(struct cursor *cursor, struct period *time)
{
    int64_t year, month, day, first;

    if (!take_number(cursor, 4, 1, 9999, &year))
        return false;
    time->start_ms = day_of_month(year, 1) * DAY_MS;
    time->end_ms = day_of_month(year, 13) * DAY_MS;
    if (*cursor->next == '\0')
        return true;
    if (!take_char(cursor, '-') || !take_number(cursor, 2, 1, 12, &month))
        return false;
    first = day_of_month(year, month);
    time->start_ms = first * DAY_MS;
    time->end_ms = (first + month_days(year, month)) * DAY_MS;
    if (*cursor->next == '\0')
        return true;
    if (!take_char(cursor, '-') ||
        !take_number(cursor, 2, 1, month_days(year, month), &day))
        return false;
    time->start_ms = (first + day - 1) * DAY_MS;
    time->end_ms = time->start_ms + DAY_MS;
    if (*cursor->next == '\0')
        return true;
    return take_char(cursor, 'T') && take_clock(cursor, time);
}

enum status period_parse_time(const char *text, struct period *time,
                              struct error *err)
{
    struct cursor cursor = {text};
    struct period read;

    if (strnlen(text, PERIOD_TIME_SIZE_MAX + 1) > PERIOD_TIME_SIZE_MAX ||
        !take_time(&cursor, &read) || *cursor.next != '\0')
        return error_set(err, E_INPUT,
                         "no time, expected YYYY, YYYY-MM, YYYY-MM-DD or "
                         "YYYY-MM-DDThh:mm:ss with a zone");
    assert(PERIOD_FIRST_MS <= read.start_ms && read.end_ms <= PERIOD_LAST_MS);
    *time = read;
    return OK;
}

enum status period_parse(const char *start, const char *end,
                         struct period *period, struct error *err)
{
    struct period read = PERIOD_ALWAYS, time;

    if (start != NULL) {
        if (period_parse_time(start, &time, err) != OK)
            return error_wrap(err, "start");
        read.start_ms = time.start_ms;
    }
    if (end != NULL) {
        if (period_parse_time(end, &time, err) != OK)
            return error_wrap(err, "end");
        read.end_ms = time.end_ms;
    }
    if (read.start_ms >= read.end_ms)
        return error_set(err, E_INPUT,
                         "the end lies before the start, expected it behind");
    *period = read;
    return OK;
}
