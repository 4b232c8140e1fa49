#include "tests/property/cells.h"

#include <stdlib.h>
#include <string.h>

/* Copy one cell from *at to *to, without its quotes; false if it is not well
 * formed. */
static bool read_cell(const char **at, const char *end, char delimiter,
                      char **to)
{
    const char *from = *at;

    if (from < end && *from == '"') {
        for (from++;; from++) {
            if (from == end)
                return false;
            if (*from == '"' && (from + 1 == end || from[1] != '"'))
                break;
            if (*from == '"')
                from++;
            *(*to)++ = *from;
        }
        from++;
    } else {
        while (from < end && *from != delimiter && *from != '\r' &&
               *from != '\n') {
            if (*from == '"' || *from == '\0')
                return false;
            *(*to)++ = *from++;
        }
    }
    *(*to)++ = '\0';
    *at = from;
    return true;
}

bool cells_parse(struct cells *cells, const char *data, size_t size,
                 char delimiter, const char *newline)
{
    const char *at = data, *end = data + size;
    size_t count = 0, width = 0, newline_size = strlen(newline);
    char *to;

    memset(cells, 0, sizeof *cells);
    /* A cell needs at least one byte of the file behind it. */
    cells->text = malloc(2 * size + 1);
    cells->cell = malloc((size + 1) * sizeof *cells->cell);
    if (cells->text == NULL || cells->cell == NULL)
        abort();
    to = cells->text;
    while (at < end) {
        cells->cell[count++] = to;
        width++;
        if (!read_cell(&at, end, delimiter, &to) || at == end)
            return false;
        if (*at == delimiter) {
            at++;
            continue;
        }
        if ((size_t)(end - at) < newline_size ||
            memcmp(at, newline, newline_size) != 0)
            return false;
        at += newline_size;
        if (cells->record_count++ == 0)
            cells->column_count = width;
        if (width != cells->column_count)
            return false;
        width = 0;
    }
    return width == 0 && cells->record_count > 0;
}

void cells_clear(struct cells *cells)
{
    free(cells->text);
    free(cells->cell);
    memset(cells, 0, sizeof *cells);
}
