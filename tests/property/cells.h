/*
 * tests/property/cells.h - a CSV file as cells: a second reader, so that the
 * product's writer is not judged by the product's reader.
 */
#ifndef TESTS_PROPERTY_CELLS_H
#define TESTS_PROPERTY_CELLS_H

#include <stdbool.h>
#include <stddef.h>

struct cells {
    char *text;        /* all cells, each ended by a NUL */
    const char **cell; /* cell[record * column_count + column] */
    size_t column_count, record_count; /* the header is record 0 */
};

/* False if `data` is not RFC 4180 with this delimiter and every record ended
 * by `newline`. */
bool cells_parse(struct cells *cells, const char *data, size_t size,
                 char delimiter, const char *newline);
void cells_clear(struct cells *cells);

#endif
