/*
 * anonymizer/subset_rule.h - a condition on the number of a row.
 *
 *     i % 10 == 0            every tenth row, the first one included
 *     i < 500 or not i % 3 == 1
 *
 * i is the number of a row, the first behind the header being 0.
 *
 *     rule       = both { "or" both }
 *     both       = denial { "and" denial }
 *     denial     = "not" denial | comparison
 *     comparison = sum [ ( "==" | "!=" | "<" | "<=" | ">" | ">=" ) sum ]
 *     sum        = product { ( "+" | "-" ) product }
 *     product    = factor { ( "*" | "/" | "%" ) factor }
 *     factor     = "-" factor | number | "i" | "(" rule ")"
 *
 * Numbers are whole, and conditions are no numbers: (i == 3) + 1 is refused, as
 * are i as a condition and 0 < i < 9.  a / b is rounded down and a % b has the
 * sign of b, so that a == b * (a / b) + a % b holds for negative ones, too
 * (Knuth, The Art of Computer Programming 1, 1.2.4).
 *
 * Nothing can go wrong once a rule is read: by interval arithmetic (Moore,
 * Interval Analysis, 1966) over all numbers that a row may have, a rule is
 * refused in which a divisor may be 0 or a result reach 2^62.
 */
#ifndef ANONYMIZER_SUBSET_RULE_H
#define ANONYMIZER_SUBSET_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"

struct subset_rule;

/* E_INPUT says at which character, from 1, what was expected. */
MUST_USE enum status subset_rule_parse(struct subset_rule **rule,
                                       const char *text, struct error *err);
void subset_rule_close(struct subset_rule **rule);

/* Does it hold for this row, below TABLE_ROWS_MAX? */
bool subset_rule_holds(const struct subset_rule *rule, uint64_t row);

#endif
