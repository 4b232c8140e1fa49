/*
 * anonymizer/subset.h - which rows of a table are the research sample.
 *
 * Either a condition on the row's number (subset_rule.h), or a file that lists
 * numbers of rows:
 *
 *     row        a header, which may be missing
 *     0          the first row behind the table's header
 *     17
 *     4711
 *
 * one on each line, in any order, each once.  Lines end as in any CSV; the file
 * may be written with a spreadsheet.
 *
 * The table's other rows are the population from which the sample comes.
 */
#ifndef ANONYMIZER_SUBSET_H
#define ANONYMIZER_SUBSET_H

#include <stdbool.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/error.h"

struct subset;

MUST_USE enum status subset_parse_rule(struct subset **subset, const char *rule,
                                       struct error *err);
/* `name` is what errors call the file. */
MUST_USE enum status subset_parse_list(struct subset **subset,
                                       struct bytes text, const char *name,
                                       struct error *err);
void subset_close(struct subset **subset);

/* Is this row, below TABLE_ROWS_MAX, one of them? */
bool subset_contains(const struct subset *subset, uint64_t row);

/* Does it fit a table of so many rows, of which so many are in it?  E_INPUT if
 * it lists a row that is not there, or none is in it.  `name` is the
 * table's. */
MUST_USE enum status subset_check(const struct subset *subset, uint64_t rows,
                                  uint64_t members, const char *name,
                                  struct error *err);

#endif
