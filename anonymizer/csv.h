/*
 * anonymizer/csv.h - tables as text: RFC 4180 with any delimiter, streamed.
 *
 * Read:  optional UTF-8 byte order mark, LF or CRLF, fields quoted with "
 * (a doubled "" inside stands for one), delimiters and newlines inside quotes,
 * a last line with or without newline.  Empty lines at the end are ignored.
 * Refused, each with the line it begins on: bytes that are not UTF-8, NUL, a
 * quote inside an unquoted field, text behind a closing quote, an unclosed
 * quote, a CR outside quotes that no LF follows, a record with another number
 * of fields than the header, an empty line in the middle (in a table of one
 * column too: an empty value is "" there), a header with an empty or repeated
 * name, fields over CSV_FIELD_MAX, records over CSV_RECORD_MAX, more than
 * TABLE_COLUMNS_MAX columns.
 *
 * Memory is one block, or a few times the longest record, whatever the size of
 * the file.
 *
 * Invariants: record.count equals the header's; field values are valid UTF-8
 * without NUL; raw fields, joined by the delimiter, are the record's bytes.
 */
#ifndef ANONYMIZER_CSV_H
#define ANONYMIZER_CSV_H

#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/error.h"
#include "common/text.h"

struct csv_reader;

/* One field.  value: unquoted.  raw: as it stands in the file, quotes
 * included.  The same bytes where nothing was quoted. */
struct csv_field {
    struct bytes value;
    struct bytes raw;
};

/* Borrowed from the reader until its next call. */
struct csv_record {
    const struct csv_field *field;
    size_t count;
    uint64_t line; /* where the record begins, the header is line 1 */
};

struct csv_options {
    char delimiter; /* 0: the one of ; , tab | that the header line has most
                       of outside quotes, in this order among equals, or a
                       comma where it has none of them */
    bool no_header; /* the first record is data; all must be as wide as it */
};

/* A table that is no file: whoever has it gives its bytes, as they would stand
 * in one, and can begin again. */
struct csv_stream {
    char delimiter; /* of these bytes, whatever a policy says of files */
    /* The column that says whose a row is, which must be the policy's subject;
     * NULL where nobody says so. */
    const char *subject;
    /* Up to `size` bytes, which is not 0; *got is 0 at the end only. */
    enum status (*read)(void *context, void *data, size_t size, size_t *got,
                        struct error *err);
    enum status (*rewind)(void *context, struct error *err);
    void *context;
};

/* Start reading at fd's current offset; fd stays the caller's and must
 * outlive the reader.  `name` (borrowed for the reader's life) stands before
 * each error.  The header is read here: E_INPUT if there is none. */
MUST_USE enum status csv_open(struct csv_reader **reader, int fd,
                              const char *name, struct csv_options options,
                              struct error *err);
void csv_close(struct csv_reader **reader);

/* Names of the columns; empty with no_header.  Valid for the reader's life. */
const struct csv_record *csv_header(const struct csv_reader *reader);

/* Room for `column "name"`; longer names are told by their number. */
#define CSV_COLUMN_WORDS_SIZE 96

/* What a message calls a column: `column "age"`, or by its number where it has
 * no name that fits a line.  Not for a header that may be a record, before its
 * names have been found in a policy.  Returns `words`. */
const char *csv_column_words(const struct csv_record *header, size_t column,
                             char words[CSV_COLUMN_WORDS_SIZE]);

char csv_delimiter(const struct csv_reader *reader);
/* "\n" or "\r\n", as the first line ends; "\n" where it does not. */
const char *csv_newline(const struct csv_reader *reader);

/* The next record, or *record = NULL at the end. */
MUST_USE enum status csv_next(struct csv_reader *reader,
                              const struct csv_record **record,
                              struct error *err);

/* Append one field, quoted if it contains the delimiter, a quote, CR or LF,
 * begins or ends with a space, or begins with a byte order mark.  An empty
 * value is nothing: where it is the only field of a record, write "". */
MUST_USE enum status csv_append_field(struct text *out, struct bytes value,
                                      char delimiter, struct error *err);

/* Append the name of a column as it stands in a header that was read; but in
 * quotes if it holds what may be detected as the delimiter, or begins with a
 * byte order mark: when other columns are left out, it could decide how the
 * file is read. */
MUST_USE enum status csv_append_name(struct text *out,
                                     const struct csv_field *name,
                                     struct error *err);

#endif
