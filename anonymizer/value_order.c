#include "anonymizer/value_order.h"

#include <assert.h>
#include <float.h>
#include <string.h>

#include "anonymizer/hierarchy.h"
#include "anonymizer/moment.h"
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

static bool integer_of(struct bytes text, int64_t *number)
{
    return number_parse_signed(text, INT64_MIN, INT64_MAX, number);
}

static bool decimal_of(struct bytes text, double *number)
{
    return number_parse_double(text, -DBL_MAX, DBL_MAX, number);
}

static bool date_of(const struct policy_attribute *attribute, struct bytes text,
                    int64_t *seconds)
{
    return moment_parse(attribute->format == NULL ? MOMENT_FORMAT_DEFAULT
                                                  : attribute->format,
                        text, seconds);
}

bool value_is_typed(const struct value_order *order, struct bytes value)
{
    int64_t integer;
    double decimal;

    if (policy_is_missing(order->policy, value))
        return true;
    switch (order->attribute->type) {
    case TYPE_INTEGER:
        return integer_of(value, &integer);
    case TYPE_DECIMAL:
        return decimal_of(value, &decimal);
    case TYPE_DATE:
        return date_of(order->attribute, value, &integer);
    case TYPE_STRING:
    case TYPE_ORDINAL:
        break;
    }
    return true;
}

bool value_is_ordered(const struct value_order *order, struct bytes value)
{
    if (order->attribute->type == TYPE_ORDINAL)
        return value_row(order, value) != HIERARCHY_NONE;
    return !policy_is_missing(order->policy, value) &&
           value_is_typed(order, value);
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
        known = date_of(order->attribute, a, &i) &&
                date_of(order->attribute, b, &j);
        break;
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
