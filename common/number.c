#include "common/number.h"

#include <assert.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"

static bool is_digit(struct bytes text, size_t at)
{
    return at < text.size && text.data[at] >= '0' && text.data[at] <= '9';
}

static bool is_one_of(struct bytes text, size_t at, char a, char b)
{
    return at < text.size &&
           (text.data[at] == (uint8_t)a || text.data[at] == (uint8_t)b);
}

/* Where the digits that begin at `at` end. */
static size_t skip_digits(struct bytes text, size_t at)
{
    while (is_digit(text, at))
        at++;
    return at;
}

bool number_parse_unsigned(struct bytes text, uint64_t min, uint64_t max,
                           uint64_t *out)
{
    uint64_t number = 0;

    if (text.size == 0 || (text.data[0] == '0' && text.size > 1))
        return false;
    for (size_t i = 0; i < text.size; i++) {
        uint64_t digit;

        if (!is_digit(text, i))
            return false;
        digit = (uint64_t)(text.data[i] - '0');
        if (number > (UINT64_MAX - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    if (number < min || number > max)
        return false;
    *out = number;
    return true;
}

bool number_parse_signed(struct bytes text, int64_t min, int64_t max,
                         int64_t *out)
{
    bool negative = is_one_of(text, 0, '-', '-');
    struct bytes digits = text;
    uint64_t size;
    int64_t number;

    if (negative)
        digits = bytes_of(text.data + 1, text.size - 1);
    if (!number_parse_unsigned(digits, 0, (uint64_t)INT64_MAX + negative,
                               &size))
        return false;
    /* INT64_MIN has no positive counterpart: go through size - 1. */
    if (negative && size > 0)
        number = -(int64_t)(size - 1) - 1;
    else
        number = (int64_t)size;
    if (number < min || number > max)
        return false;
    *out = number;
    return true;
}

static bool is_number(struct bytes text)
{
    size_t at = is_one_of(text, 0, '-', '-') ? 1 : 0;

    if (!is_digit(text, at))
        return false;
    at = text.data[at] == '0' ? at + 1 : skip_digits(text, at);
    if (is_one_of(text, at, '.', '.')) {
        if (!is_digit(text, at + 1))
            return false;
        at = skip_digits(text, at + 1);
    }
    if (is_one_of(text, at, 'e', 'E')) {
        at += is_one_of(text, at + 1, '+', '-') ? 2 : 1;
        if (!is_digit(text, at))
            return false;
        at = skip_digits(text, at);
    }
    return at == text.size;
}

bool number_parse_double(struct bytes text, double min, double max, double *out)
{
    char string[NUMBER_SIZE_MAX + 1], *end;
    locale_t c_locale;
    double number;

    if (text.size > NUMBER_SIZE_MAX || !is_number(text))
        return false;
    memcpy(string, text.data, text.size);
    string[text.size] = '\0';
    /* A constant of the C library: this allocates nothing and cannot fail. */
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    assert(c_locale != (locale_t)0);
    number = strtod_l(string, &end, c_locale);
    freelocale(c_locale);
    assert(end == string + text.size);
    if (!isfinite(number) || number < min || number > max)
        return false;
    *out = number;
    return true;
}
