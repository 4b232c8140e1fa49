/*
 * common/number.h - numbers out of text, strictly.
 *
 * The whole text must be a number as JSON writes it (RFC 8259, section 6):
 *
 *     -? (0 | 1-9 digit*) (. digit+)? ((e|E) (+|-)? digit+)?
 *
 * so no white space, no plus in front, no leading zero (007 is a name, not a
 * number), no hexadecimal, no infinity, no NaN; the point is a point in every
 * locale.  These functions only answer yes or no, since the caller knows
 * whose number it is and what was expected; *out is untouched on no.
 *
 * Elsewhere: printing a number (common/json.h).
 */
#ifndef COMMON_NUMBER_H
#define COMMON_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/status.h"

/* Digits only, min <= number <= max. */
MUST_USE bool number_parse_unsigned(struct bytes text, uint64_t min,
                                    uint64_t max, uint64_t *out);

/* The same with a minus allowed; "-0" is 0. */
MUST_USE bool number_parse_signed(struct bytes text, int64_t min, int64_t max,
                                  int64_t *out);

/* The double nearest to the text, min <= number <= max.  No if it is beyond
 * the largest double or longer than NUMBER_SIZE_MAX. */
MUST_USE bool number_parse_double(struct bytes text, double min, double max,
                                  double *out);

#endif
