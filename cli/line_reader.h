/*
 * cli/line_reader.h - the lines of a file, one after the other, however long
 * the file is.
 */
#ifndef CLI_LINE_READER_H
#define CLI_LINE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/error.h"
#include "common/text.h"

struct line_reader {
    int fd;
    const char *name; /* for messages; borrowed */
    size_t size_max;  /* of a line */
    struct text buffer;
    size_t at; /* in the buffer */
    bool ended;
    uint64_t line; /* number of the last one, from 1 */
};

/* Takes the descriptor. */
void line_reader_open(struct line_reader *reader, int fd, const char *name,
                      size_t size_max);
void line_reader_close(struct line_reader *reader);

/* The next line without its end, borrowed until the next call; *end when there
 * is none.  E_LIMIT, with its number, for one that is too long. */
MUST_USE enum status line_reader_next(struct line_reader *reader,
                                      struct bytes *line, bool *end,
                                      struct error *err);

#endif
