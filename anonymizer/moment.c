#include "anonymizer/moment.h"

#include <string.h>

#define DAY_SECONDS 86400
#define ERA_DAYS 146097
#define ERA_YEARS 400
/* From 0000-03-01, where eras are reckoned from, to 1970-01-01. */
#define EPOCH_DAYS 719468

enum field { YEAR, MONTH, DAY, HOUR, MINUTE, SECOND, FIELDS };

static const struct {
    const char *spelling;
    int min, max;
} fields[FIELDS] = {
    [YEAR] = {"yyyy", 0, 9999}, [MONTH] = {"MM", 1, 12},
    [DAY] = {"dd", 1, 31},      [HOUR] = {"HH", 0, 23},
    [MINUTE] = {"mm", 0, 59},   [SECOND] = {"ss", 0, 59},
};

/* The field that the format goes on with, FIELDS if that is a character. */
static enum field field_at(const char *format, size_t size)
{
    for (enum field f = YEAR; f < FIELDS; f++) {
        size_t length = strlen(fields[f].spelling);

        if (length <= size && memcmp(format, fields[f].spelling, length) == 0)
            return f;
    }
    return FIELDS;
}

static bool is_plain(char c)
{
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    bool digit = c >= '0' && c <= '9';

    /* T stands between date and time in ISO 8601, Z behind the time. */
    return (c >= ' ' && c <= '~' && !letter && !digit) || c == 'T' || c == 'Z';
}

bool moment_format_valid(struct bytes format)
{
    const char *text = (const char *)format.data;
    bool has[FIELDS] = {false};
    size_t at = 0;

    if (format.size > MOMENT_FORMAT_MAX)
        return false;
    while (at < format.size) {
        enum field field = field_at(text + at, format.size - at);

        if (field == FIELDS) {
            if (!is_plain(text[at++]))
                return false;
            continue;
        }
        if (has[field])
            return false;
        has[field] = true;
        at += strlen(fields[field].spelling);
    }
    return has[YEAR] && has[MONTH] && has[DAY] && (has[HOUR] || !has[MINUTE]) &&
           (has[MINUTE] || !has[SECOND]);
}

static int days_of_month(int year, int month)
{
    static const signed char days[] = {31, 28, 31, 30, 31, 30,
                                       31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return days[month - 1] + (month == 2 && leap ? 1 : 0);
}

/* Since 1970-01-01. */
static int64_t days_of(int year, int month, int day)
{
    int from_march = month > 2 ? month - 3 : month + 9;
    int y = month > 2 ? year : year - 1;
    int era = (y >= 0 ? y : y - ERA_YEARS + 1) / ERA_YEARS;
    int year_of_era = y - era * ERA_YEARS;
    int day_of_year = (153 * from_march + 2) / 5 + day - 1;
    int day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return (int64_t)era * ERA_DAYS + day_of_era - EPOCH_DAYS;
}

static bool digits(struct bytes text, size_t at, size_t count, int *number)
{
    *number = 0;
    if (count > text.size - at)
        return false;
    for (size_t i = at; i < at + count; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        *number = *number * 10 + (text.data[i] - '0');
    }
    return true;
}

bool moment_parse(const char *format, struct bytes text, int64_t *seconds)
{
    size_t size = strlen(format), at = 0;
    int value[FIELDS] = {0};

    for (size_t f = 0; f < size;) {
        enum field field = field_at(format + f, size - f);
        size_t length;

        if (field == FIELDS) {
            if (at == text.size || text.data[at++] != (uint8_t)format[f++])
                return false;
            continue;
        }
        length = strlen(fields[field].spelling);
        if (!digits(text, at, length, &value[field]) ||
            value[field] < fields[field].min ||
            value[field] > fields[field].max)
            return false;
        at += length;
        f += length;
    }
    if (at != text.size ||
        value[DAY] > days_of_month(value[YEAR], value[MONTH]))
        return false;
    *seconds = days_of(value[YEAR], value[MONTH], value[DAY]) * DAY_SECONDS +
               value[HOUR] * INT64_C(3600) + value[MINUTE] * INT64_C(60) +
               value[SECOND];
    return true;
}

/* ---- from a moment back to a calendar ---- */

static void date_of(int64_t days, int *year, int *month, int *day)
{
    int64_t shifted = days + EPOCH_DAYS;
    int era =
        (int)((shifted >= 0 ? shifted : shifted - ERA_DAYS + 1) / ERA_DAYS);
    int day_of_era = (int)(shifted - (int64_t)era * ERA_DAYS);
    int year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 -
                       day_of_era / 146096) /
                      365;
    int day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int from_march = (5 * day_of_year + 2) / 153;

    *day = day_of_year - (153 * from_march + 2) / 5 + 1;
    *month = from_march < 10 ? from_march + 3 : from_march - 9;
    *year = era * ERA_YEARS + year_of_era + (*month <= 2 ? 1 : 0);
}

/* 1970-01-01 was a Thursday. */
static int weekday_of(int64_t days)
{
    int64_t weekday = (days + 3) % 7;

    return (int)(weekday < 0 ? weekday + 7 : weekday) + 1;
}

struct moment moment_of(int64_t seconds)
{
    int64_t of_day = seconds % DAY_SECONDS;
    int64_t days = seconds / DAY_SECONDS;
    struct moment moment;
    int first, month, day;
    int64_t thursday;

    if (of_day < 0) {
        of_day += DAY_SECONDS;
        days--;
    }
    date_of(days, &moment.year, &moment.month, &moment.day);
    moment.hour = (int)(of_day / 3600);
    moment.minute = (int)(of_day / 60 % 60);
    moment.second = (int)(of_day % 60);
    moment.weekday = weekday_of(days);
    /* A week is of the year that its Thursday is in. */
    thursday = days - moment.weekday + 4;
    date_of(thursday, &moment.week_year, &month, &day);
    moment.week = (int)((thursday - days_of(moment.week_year, 1, 1)) / 7) + 1;
    first = weekday_of(days - moment.day + 1);
    moment.week_of_month = (moment.day - 1 + first - 1) / 7 + 1;
    return moment;
}

enum status moment_print(const char *format, int64_t seconds, struct text *out,
                         struct error *err)
{
    const struct moment m = moment_of(seconds);
    const int value[FIELDS] = {m.year, m.month,  m.day,
                               m.hour, m.minute, m.second};
    size_t size = strlen(format);
    enum status status = OK;

    for (size_t f = 0; status == OK && f < size;) {
        enum field field = field_at(format + f, size - f);

        if (field == FIELDS) {
            status = text_append(out, format + f++, 1, err);
            continue;
        }
        f += strlen(fields[field].spelling);
        status = text_printf(out, err, "%0*d",
                             (int)strlen(fields[field].spelling), value[field]);
    }
    return status;
}
