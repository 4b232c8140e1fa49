#include "anonymizer/profile_date.h"

#include <assert.h>

#define YEAR_MIN 1800
#define YEAR_MAX 2299

static const char *const patterns[DATE_FORMAT_COUNT] = {
#define DATE_FORMAT_PATTERN(id, pattern) pattern,
    DATE_FORMAT_TABLE(DATE_FORMAT_PATTERN)
#undef DATE_FORMAT_PATTERN
};

const char *date_format_pattern(enum date_format format)
{
    assert(format < DATE_FORMAT_COUNT);
    return patterns[format];
}

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

static unsigned days_of(unsigned year, unsigned month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30,
                                   31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return days[month - 1] + (month == 2 && leap ? 1u : 0u);
}

/* Two digits up to `max` at the front, which are taken. */
static bool take_two(struct bytes *text, unsigned max)
{
    if (text->size < 2 || !is_digit(text->data[0]) ||
        !is_digit(text->data[1]) ||
        (text->data[0] - '0') * 10u + (text->data[1] - '0') > max)
        return false;
    *text = bytes_of(text->data + 2, text->size - 2);
    return true;
}

static bool take(struct bytes *text, uint8_t byte)
{
    if (text->size == 0 || text->data[0] != byte)
        return false;
    *text = bytes_of(text->data + 1, text->size - 1);
    return true;
}

static bool is_time(struct bytes text)
{
    if (!(take(&text, ' ') || take(&text, 'T')) || !take_two(&text, 23) ||
        !take(&text, ':') || !take_two(&text, 59))
        return false;
    if (take(&text, ':') && !take_two(&text, 60))
        return false;
    if (take(&text, '.')) {
        if (text.size == 0 || !is_digit(text.data[0]))
            return false;
        while (text.size > 0 && is_digit(text.data[0]))
            take(&text, text.data[0]);
    }
    if (take(&text, 'Z') || text.size == 0)
        return text.size == 0;
    if (!(take(&text, '+') || take(&text, '-')) || !take_two(&text, 23))
        return false;
    take(&text, ':');
    return take_two(&text, 59) && text.size == 0;
}

bool profile_date_parse(enum date_format format, struct bytes text,
                        struct profile_date *date)
{
    struct profile_date found = {0, 0, 0, false};
    const char *pattern = date_format_pattern(format);
    bool has_day = false;
    size_t at = 0;

    for (; pattern[at] != '\0'; at++) {
        unsigned *number = pattern[at] == 'Y'   ? &found.year
                           : pattern[at] == 'M' ? &found.month
                           : pattern[at] == 'D' ? &found.day
                                                : NULL;

        if (at == text.size)
            return false;
        has_day = has_day || pattern[at] == 'D';
        if (number == NULL) {
            if (text.data[at] != (uint8_t)pattern[at])
                return false;
            continue;
        }
        if (!is_digit(text.data[at]))
            return false;
        *number = *number * 10 + (text.data[at] - '0');
    }
    if (found.year < YEAR_MIN || found.year > YEAR_MAX || found.month < 1 ||
        found.month > 12)
        return false;
    if (has_day &&
        (found.day < 1 || found.day > days_of(found.year, found.month)))
        return false;
    found.has_time = at < text.size;
    if (found.has_time &&
        (!has_day || !is_time(bytes_of(text.data + at, text.size - at))))
        return false;
    *date = found;
    return true;
}
