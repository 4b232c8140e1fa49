/*
 * anonymizer/table_refusal.h - what a table must have in a row, and what is
 * wrong with one that has not, in words.
 */
#ifndef ANONYMIZER_TABLE_REFUSAL_H
#define ANONYMIZER_TABLE_REFUSAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "anonymizer/policy.h"
#include "common/bytes.h"
#include "common/error.h"

struct coding;
struct csv_batch;

/* Has a value of a sensitive attribute the place that its models ask for? */
bool table_place_is_known(const struct policy *policy, size_t attribute,
                          struct bytes text);

/* E_INPUT with the first thing that is wrong with row `row` of a batch, which
 * is row `number` of the table `name` and stands at `line`; OK if nothing is.
 */
MUST_USE enum status table_refuse_row(const struct coding *coding,
                                      const char *name,
                                      const struct csv_batch *batch, size_t row,
                                      uint64_t number, uint64_t line,
                                      uint8_t *unquoted, struct error *err);

#endif
