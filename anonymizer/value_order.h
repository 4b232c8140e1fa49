/*
 * anonymizer/value_order.h - the order of an attribute's values.
 *
 *     integer   by size; 64 bits, as common/number.h has it
 *     decimal   by size, as the nearest double; likewise
 *     date      by time; in the attribute's format (anonymizer/moment.h)
 *     ordinal   by row of the attribute's hierarchy
 *     string    by bytes
 *
 * Values of equal size that are spelled differently (1.0 and 1.00) are
 * different values, next to each other, in the order of their bytes.  A missing
 * value has no place, unless the hierarchy of an ordinal attribute has a row
 * for one of the tokens: then all of them are there.
 */
#ifndef ANONYMIZER_VALUE_ORDER_H
#define ANONYMIZER_VALUE_ORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "anonymizer/policy.h"
#include "common/bytes.h"

struct value_order {
    const struct policy *policy;
    const struct policy_attribute *attribute;
};

/* Row of a value in its attribute's hierarchy; all tokens of table.missing are
 * where the first of them is that has a row.  HIERARCHY_NONE without. */
uint32_t value_row(const struct value_order *order, struct bytes value);

/* Is it a value of the attribute's type?  Missing ones are of any; all texts
 * are strings and ordinals. */
bool value_is_typed(const struct value_order *order, struct bytes value);

/* Has it a place? */
bool value_is_ordered(const struct value_order *order, struct bytes value);

/* <0, 0, >0 of two that have one; 0 only if they are one value. */
int value_compare(const struct value_order *order, struct bytes a,
                  struct bytes b);

#endif
