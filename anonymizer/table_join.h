/*
 * anonymizer/table_join.h - what several threads coded becomes one table.
 *
 * Each coder (table_coder.h) has its own numbers for values and tuples, with
 * the row where it met each first.  Merged in the order of these rows, and each
 * taken once, they are numbered as if one thread had read the file from its
 * first row to its last: the table does not depend on the number of threads,
 * nor on who took which block.
 */
#ifndef ANONYMIZER_TABLE_JOIN_H
#define ANONYMIZER_TABLE_JOIN_H

#include "anonymizer/table.h"
#include "anonymizer/table_coder.h"
#include "common/error.h"

struct table_join {
    struct coding *coding;
    struct table *table;
    struct table_coder **coder;
    unsigned coder_count;
    struct row_span *span; /* every row is in one */
    size_t span_count;
    struct dictionary *dictionary; /* [quasi], out; of those that have no
                                      hierarchy */
    unsigned threads;
};

/* Fill the table's tuples, value numbers, and dictionaries and histograms of
 * its sensitive attributes; coding->tuple_of_row becomes the table's numbers.
 * Takes what the coders hold. */
MUST_USE enum status table_join(struct table_join *join, struct error *err);

#endif
