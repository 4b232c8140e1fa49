#include "anonymizer/value_order.h"

#include <assert.h>
#include <float.h>
#include <string.h>

#include "anonymizer/hierarchy.h"
#include "common/number.h"

uint32_t value_row(const struct value_order *order, struct bytes value)
{
    const struct policy *policy = order->policy;
    const struct hierarchy *hierarchy = order->attribute->hierarchy;
    uint32_t row = HIERARCHY_NONE;

    if (!policy_is_missing(policy, value))
        return hierarchy_find(hierarchy, value);
    for (size_t i = 0; row == HIERARCHY_NONE && i < policy->missing_count; i++)
        row = hierarchy_find(hierarchy, bytes_of_string(policy->missing[i]));
    return row;
}

/* ---- dates ---- */

#define DATE_SIZE 10

/* The digits at from..to-1 as a number; false if one is none. */
static bool digits(struct bytes text, size_t from, size_t to, unsigned *number)
{
    *number = 0;
    for (size_t i = from; i < to; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        *number = *number * 10 + (unsigned)(text.data[i] - '0');
    }
    return true;
}

static unsigned days_of_month(unsigned year, unsigned month)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30,
                                         31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return days[month - 1] + (month == 2 && leap ? 1u : 0u);
}

static bool is_date(struct bytes text)
{
    unsigned year, month, day;

    return text.size == DATE_SIZE && text.data[4] == '-' &&
           text.data[7] == '-' && digits(text, 0, 4, &year) &&
           digits(text, 5, 7, &month) && digits(text, 8, 10, &day) &&
           month >= 1 && month <= 12 && day >= 1 &&
           day <= days_of_month(year, month);
}

/* ---- all types ---- */

static bool integer_of(struct bytes text, int64_t *number)
{
    return number_parse_signed(text, INT64_MIN, INT64_MAX, number);
}

static bool decimal_of(struct bytes text, double *number)
{
    return number_parse_double(text, -DBL_MAX, DBL_MAX, number);
}

bool value_is_ordered(const struct value_order *order, struct bytes value)
{
    int64_t integer;
    double decimal;

    if (order->attribute->type == TYPE_ORDINAL)
        return value_row(order, value) != HIERARCHY_NONE;
    if (policy_is_missing(order->policy, value))
        return false;
    switch (order->attribute->type) {
    case TYPE_INTEGER:
        return integer_of(value, &integer);
    case TYPE_DECIMAL:
        return decimal_of(value, &decimal);
    case TYPE_DATE:
        return is_date(value);
    case TYPE_STRING:
    case TYPE_ORDINAL:
        break;
    }
    return true;
}

static int compare_bytes(struct bytes a, struct bytes b)
{
    size_t size = a.size < b.size ? a.size : b.size;
    int order = size == 0 ? 0 : memcmp(a.data, b.data, size);

    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

static int compare_sizes(const struct value_order *order, struct bytes a,
                         struct bytes b)
{
    int64_t i = 0, j = 0;
    double x = 0, y = 0;
    uint32_t row, other;
    bool known = true;

    switch (order->attribute->type) {
    case TYPE_INTEGER:
        known = integer_of(a, &i) && integer_of(b, &j);
        break;
    case TYPE_DECIMAL:
        known = decimal_of(a, &x) && decimal_of(b, &y);
        break;
    case TYPE_ORDINAL:
        row = value_row(order, a);
        other = value_row(order, b);
        return (row > other) - (row < other);
    case TYPE_DATE:
    case TYPE_STRING:
        break;
    }
    assert(known);
    return (i > j) - (i < j) + (x > y) - (x < y);
}

int value_compare(const struct value_order *order, struct bytes a,
                  struct bytes b)
{
    int difference = compare_sizes(order, a, b);

    if (difference != 0 || order->attribute->type == TYPE_ORDINAL)
        return difference;
    return compare_bytes(a, b);
}
