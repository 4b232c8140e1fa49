#include "anonymizer/builder_internal.h"

#include <inttypes.h>
#include <string.h>

#include "anonymizer/moment.h"
#include "common/number.h"

#define NUMBER_MAX INT64_C(1000000000000000000)
/* A decimal's places that count: 10^DECIMAL_PLACES is DECIMAL_ONE. */
#define DECIMAL_PLACES 6
#define DECIMAL_ONE 1000000

int64_t builder_number_max(const struct builder *builder)
{
    return builder->plain.type == TYPE_DATE ? MOMENT_MAX : NUMBER_MAX;
}

static const char *format_of(const struct builder *builder)
{
    return builder->plain.format == NULL ? MOMENT_FORMAT_DEFAULT
                                         : builder->plain.format;
}

/* Digits of a decimal and where its point is: 12.50e1 is 1250 and 3. */
struct digits {
    uint8_t digit[NUMBER_SIZE_MAX];
    size_t count;
    int64_t point; /* digits before it; may lie outside of them */
    bool negative;
};

/* The exponent can only matter within the length of the longest number. */
static int64_t exponent_of(struct bytes text)
{
    bool negative = text.size > 0 && text.data[0] == '-';
    int64_t exponent = 0;

    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] >= '0' && text.data[i] <= '9' &&
            exponent < INT64_C(4) * NUMBER_SIZE_MAX)
            exponent = exponent * 10 + (text.data[i] - '0');
    return negative ? -exponent : exponent;
}

/* Of a text that number_parse_double takes. */
static void digits_of(struct bytes text, struct digits *digits)
{
    size_t i = 0;
    bool fraction = false;

    *digits = (struct digits){.count = 0};
    if (text.data[0] == '-') {
        digits->negative = true;
        i++;
    }
    for (; i < text.size; i++) {
        uint8_t c = text.data[i];

        if (c == '.') {
            fraction = true;
        } else if (c == 'e' || c == 'E') {
            digits->point +=
                exponent_of(bytes_of(text.data + i + 1, text.size - i - 1));
            break;
        } else {
            digits->digit[digits->count++] = (uint8_t)(c - '0');
            digits->point += !fraction;
        }
    }
}

/* In millionths, cut off downwards; *exact if nothing had to be. */
static bool decimal_of(struct bytes text, int64_t *number, bool *exact)
{
    struct digits digits;
    int64_t places, value = 0;
    double ignored;

    if (!number_parse_double(text, -1e300, 1e300, &ignored))
        return false;
    digits_of(text, &digits);
    *exact = true;
    places = digits.point + DECIMAL_PLACES;
    for (int64_t i = 0; i < (int64_t)digits.count || i < places; i++) {
        int digit = i < (int64_t)digits.count ? digits.digit[i] : 0;

        if (i >= places) {
            *exact = *exact && digit == 0;
            continue;
        }
        if (value > NUMBER_MAX / 10)
            return false;
        value = value * 10 + digit;
    }
    if (digits.negative)
        value = *exact ? -value : -value - 1;
    if (value < -NUMBER_MAX || value > NUMBER_MAX)
        return false;
    *number = value;
    return true;
}

static bool number_of(const struct builder *builder, struct bytes value,
                      int64_t *number, bool *exact)
{
    *exact = true;
    switch (builder->plain.type) {
    case TYPE_INTEGER:
        return number_parse_signed(value, -NUMBER_MAX, NUMBER_MAX, number);
    case TYPE_DECIMAL:
        return decimal_of(value, number, exact);
    case TYPE_DATE:
        return moment_parse(format_of(builder), value, number);
    case TYPE_STRING:
    case TYPE_ORDINAL:
        break;
    }
    return false;
}

bool builder_number(const struct builder *builder, struct bytes value,
                    int64_t *number)
{
    bool exact;

    return number_of(builder, value, number, &exact);
}

bool builder_number_exact(const struct builder *builder, struct bytes value,
                          int64_t *number)
{
    bool exact;

    return number_of(builder, value, number, &exact) && exact;
}

enum status builder_print_number(const struct builder *builder, int64_t number,
                                 struct text *out, struct error *err)
{
    int64_t whole = number / DECIMAL_ONE, rest = number % DECIMAL_ONE;
    char places[DECIMAL_PLACES + 2];
    size_t size = DECIMAL_PLACES;

    if (builder->plain.type == TYPE_DATE)
        return moment_print(format_of(builder), number, out, err);
    if (builder->plain.type == TYPE_INTEGER || rest == 0)
        return text_printf(out, err, "%" PRId64,
                           builder->plain.type == TYPE_INTEGER ? number
                                                               : whole);
    if (rest < 0)
        rest = -rest;
    for (size_t i = DECIMAL_PLACES; i-- > 0; rest /= 10)
        places[i] = (char)('0' + rest % 10);
    while (places[size - 1] == '0')
        size--;
    places[size] = '\0';
    return text_printf(out, err, "%s%" PRId64 ".%s", number < 0 ? "-" : "",
                       whole < 0 ? -whole : whole, places);
}
