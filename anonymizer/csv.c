#include "anonymizer/csv.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "anonymizer/csv_internal.h"
#include "common/files.h"
#include "common/limits.h"
#include "common/utf8.h"

/* No offset of a block. */
#define NOWHERE SIZE_MAX

static const uint8_t byte_order_mark[] = {0xef, 0xbb, 0xbf};

struct csv_reader {
    struct csv_source source;
    const char *name;
    csv_scan *scan;
    uint8_t delimiter;
    const char *newline;

    /* The block: records before `start` were given out, [start, end) was
     * read.  data[end] is 0 and has a bit in the mask, so that a walk meets
     * the end as one more special byte. */
    uint8_t *data;
    uint64_t *mask;
    size_t capacity;
    uint64_t offset; /* of data[0] in the source */
    size_t start;
    size_t end;
    size_t bad; /* first byte that is NUL or not UTF-8, or NOWHERE */
    bool ended; /* nothing follows `end` */

    uint64_t line;           /* of data[start] */
    uint64_t empty_line;     /* the first one behind the last record, or 0 */
    size_t width;            /* fields of a record; 0: not known yet */
    struct csv_field *field; /* TABLE_COLUMNS_MAX of them */
    struct csv_record record;
    bool pending; /* `record` was read ahead */
    struct csv_record header;
    struct csv_field *header_field;
    uint8_t *header_bytes;
    uint8_t *unquoted; /* values that had doubled quotes, of this record */
    size_t unquoted_size;
};

/* ---- the block ---- */

/* Bytes behind data[capacity]: a scan reads whole words of 64. */
#define SCAN_PAD 64

static enum status block_resize(struct csv_reader *reader, size_t capacity,
                                struct error *err)
{
    uint8_t *data = realloc(reader->data, capacity + SCAN_PAD);
    uint64_t *mask;

    if (data == NULL)
        return error_memory(err, "a block of the table");
    reader->data = data;
    mask = realloc(reader->mask, (capacity / 64 + 1) * sizeof *mask);
    if (mask == NULL)
        return error_memory(err, "a block of the table");
    reader->mask = mask;
    reader->capacity = capacity;
    return OK;
}

/* Up to `size` bytes; *got is 0 at the end only. */
static enum status source_read(struct csv_source *source, uint8_t *to,
                               size_t size, size_t *got, struct error *err)
{
    ssize_t count;

    if (source->fd < 0 && source->stream != NULL)
        return source->stream->read(source->stream->context, to, size, got,
                                    err);
    if (source->fd < 0) {
        *got = size < source->memory.size ? size : source->memory.size;
        if (*got == 0)
            return OK;
        memcpy(to, source->memory.data, *got);
        source->memory.data += *got;
        source->memory.size -= *got;
        return OK;
    }
    do
        count = read(source->fd, to, size);
    while (count < 0 && descriptor_can_go_on(source->fd, POLLIN));
    if (count < 0)
        return error_set_errno(err, errno == EISDIR ? E_INPUT : E_IO, errno,
                               "reading failed");
    *got = (size_t)count;
    return OK;
}

enum status csv_source_rewind(const struct csv_source *source, const char *name,
                              struct error *err)
{
    assert(source->fd >= 0 || source->stream != NULL);
    if (source->fd < 0)
        return source->stream->rewind(source->stream->context, err);
    if (lseek(source->fd, 0, SEEK_SET) != 0)
        return error_set(err, E_IO, "%s: cannot be read a second time", name);
    return OK;
}

/* Move what begins at `start` to the front and fill the block, which doubles
 * when the record in it takes more than half: then a record of n bytes is
 * looked at no more than log n times. */
static enum status block_load(struct csv_reader *reader, struct error *err)
{
    size_t kept = reader->end - reader->start;

    assert(!reader->ended);
    if (kept > reader->capacity / 2) {
        enum status status = block_resize(reader, 2 * reader->capacity, err);

        if (status != OK)
            return status;
    }
    memmove(reader->data, reader->data + reader->start, kept);
    reader->offset += reader->start;
    reader->start = 0;
    reader->end = kept;
    while (reader->end < reader->capacity) {
        size_t got = 0;
        enum status status =
            source_read(&reader->source, reader->data + reader->end,
                        reader->capacity - reader->end, &got, err);

        if (status != OK)
            return status;
        if (got == 0) {
            reader->ended = true;
            break;
        }
        reader->end += got;
    }
    return OK;
}

/* First byte of the unread part that may not stand in a table.  A character
 * that the block cuts is judged when the rest of it is there. */
static size_t bad_byte(const struct csv_reader *reader, struct csv_seen seen)
{
    const uint8_t *from = reader->data + reader->start;
    size_t size = reader->end - reader->start;
    size_t bad = NOWHERE;
    bool cut;

    if (seen.high) {
        size_t good = utf8_prefix(bytes_of(from, size), &cut);

        if (good < size && (!cut || reader->ended))
            bad = reader->start + good;
    }
    if (seen.nul) {
        const uint8_t *nul = memchr(from, '\0', size);

        if (nul != NULL && (size_t)(nul - reader->data) < bad)
            bad = (size_t)(nul - reader->data);
    }
    return bad;
}

static void block_scan(struct csv_reader *reader)
{
    size_t last = reader->end / 64;
    struct csv_seen seen;

    memset(reader->data + reader->end, ' ', 64 * (last + 1) - reader->end);
    seen =
        reader->scan(reader->data, last + 1, reader->delimiter, reader->mask);
    reader->mask[last] &= (UINT64_C(1) << (reader->end % 64)) - 1;
    reader->mask[last] |= UINT64_C(1) << (reader->end % 64);
    reader->data[reader->end] = '\0';
    reader->bad = bad_byte(reader, seen);
}

static enum status block_refill(struct csv_reader *reader, struct error *err)
{
    enum status status = block_load(reader, err);

    if (status == OK)
        block_scan(reader);
    return status;
}

/* ---- a walk over one record ---- */

enum walk_end {
    WALK_DONE,
    WALK_MORE, /* the block ends first */
    WALK_QUOTE_INSIDE,
    WALK_TEXT_BEHIND,
    WALK_UNCLOSED,
    WALK_LONE_RETURN,
    WALK_LONG_FIELD,
    WALK_LONG_QUOTED_FIELD
};

struct walk {
    enum walk_end end;
    size_t count;   /* fields, the last one begun included; as many as
                       TABLE_COLUMNS_MAX of them are in reader->field */
    size_t stop;    /* behind the last byte looked at */
    uint64_t lines; /* line feeds inside quotes */
    uint64_t begin; /* of these, those before the last field */
    bool doubled;   /* a value has doubled quotes */
    bool last;      /* no newline behind it */
};

static void walk_stop(struct walk *walk, enum walk_end end, size_t stop)
{
    walk->end = end;
    walk->stop = stop;
}

/* *at is the first quote of a field that begins at `begin`.  True: *at is the
 * special byte right behind the closing quote. */
static bool walk_quoted(const struct csv_reader *reader,
                        struct csv_cursor *cursor, struct walk *walk,
                        size_t begin, size_t *at)
{
    size_t doubled = 0;

    if (*at != begin) {
        walk_stop(walk, WALK_QUOTE_INSIDE, *at + 1);
        return false;
    }
    for (;;) {
        size_t here = csv_cursor_next(cursor);

        if (here - begin - 1 - doubled > CSV_FIELD_MAX) {
            walk_stop(walk, WALK_LONG_QUOTED_FIELD, here);
            return false;
        }
        if (here == reader->end) {
            walk_stop(walk, reader->ended ? WALK_UNCLOSED : WALK_MORE, here);
            return false;
        }
        if (reader->data[here] == '\n')
            walk->lines++;
        if (reader->data[here] != '"')
            continue;
        *at = csv_cursor_next(cursor);
        if (*at != here + 1) {
            walk_stop(walk, WALK_TEXT_BEHIND, here + 1);
            return false;
        }
        if (reader->data[*at] != '"')
            break;
        doubled++;
    }
    walk->doubled |= doubled > 0;
    return true;
}

/* `at` is behind the last field of the record. */
static void walk_finish(const struct csv_reader *reader, struct walk *walk,
                        size_t at)
{
    if (at == reader->end) {
        walk->last = true;
        walk_stop(walk, reader->ended ? WALK_DONE : WALK_MORE, at);
    } else if (reader->data[at] == '\n') {
        walk_stop(walk, WALK_DONE, at + 1);
    } else if (reader->data[at + 1] == '\n') {
        walk_stop(walk, WALK_DONE, at + 2);
    } else if (at + 1 == reader->end && !reader->ended) {
        walk_stop(walk, WALK_MORE, at + 1);
    } else {
        walk_stop(walk, WALK_LONE_RETURN, at + 1);
    }
}

static struct walk walk_record(const struct csv_reader *reader)
{
    const uint8_t *data = reader->data;
    struct csv_cursor cursor = csv_cursor_at(reader->mask, reader->start);
    size_t begin = reader->start;
    struct walk walk = {0};

    for (;;) {
        size_t at = csv_cursor_next(&cursor);
        struct bytes raw, value;

        walk.count++;
        walk.begin = walk.lines;
        if (data[at] == '"') {
            if (!walk_quoted(reader, &cursor, &walk, begin, &at))
                return walk;
            raw = bytes_of(data + begin, at - begin);
            value = bytes_of(data + begin + 1, at - begin - 2);
        } else {
            raw = value = bytes_of(data + begin, at - begin);
            if (value.size > CSV_FIELD_MAX) {
                walk_stop(&walk, WALK_LONG_FIELD, at);
                return walk;
            }
        }
        if (walk.count <= TABLE_COLUMNS_MAX)
            reader->field[walk.count - 1] = (struct csv_field){value, raw};
        if (data[at] != reader->delimiter) {
            walk_finish(reader, &walk, at);
            return walk;
        }
        begin = at + 1;
    }
}

/* ---- what is wrong, in words ---- */

static bool name_is_printable(struct bytes name)
{
    for (size_t i = 0; i < name.size; i++)
        if (name.data[i] < 0x20 || name.data[i] == 0x7f)
            return false;
    return name.size < CSV_COLUMN_WORDS_SIZE - sizeof "column \"\"";
}

const char *csv_column_words(const struct csv_record *header, size_t column,
                             char words[CSV_COLUMN_WORDS_SIZE])
{
    if (column < header->count &&
        name_is_printable(header->field[column].value)) {
        struct bytes name = header->field[column].value;

        snprintf(words, CSV_COLUMN_WORDS_SIZE, "column \"%.*s\"",
                 (int)name.size, (const char *)name.data);
    } else {
        snprintf(words, CSV_COLUMN_WORDS_SIZE, "column %zu", column + 1);
    }
    return words;
}

/* A byte before the walk's stop that may not stand in a table. */
static enum status refuse_bytes(const struct csv_reader *reader,
                                const struct walk *walk, struct error *err)
{
    const uint8_t *bad = reader->data + reader->bad;
    char column[CSV_COLUMN_WORDS_SIZE];
    uintmax_t line = reader->line;
    size_t fields = 0;

    for (size_t i = reader->start; i < reader->bad; i++)
        line += reader->data[i] == '\n';
    /* The last field counted may be unfinished, so not stored. */
    while (fields + 1 < walk->count && fields < TABLE_COLUMNS_MAX &&
           bad >=
               reader->field[fields].raw.data + reader->field[fields].raw.size)
        fields++;
    csv_column_words(&reader->header, fields, column);
    if (*bad == '\0')
        return error_set(err, E_INPUT, "line %ju, %s: a NUL byte", line,
                         column);
    return error_set(err, E_INPUT,
                     "line %ju, %s: bytes that are not UTF-8; convert the "
                     "file, for example with iconv",
                     line, column);
}

static enum status refuse_walk(const struct csv_reader *reader,
                               const struct walk *walk, struct error *err)
{
    uintmax_t here = reader->line + walk->lines;
    uintmax_t begin = reader->line + walk->begin;
    char words[CSV_COLUMN_WORDS_SIZE];
    const char *column =
        csv_column_words(&reader->header, walk->count - 1, words);

    switch (walk->end) {
    case WALK_QUOTE_INSIDE:
        return error_set(err, E_INPUT,
                         "line %ju, %s: a quote inside an unquoted field; "
                         "write \"\" inside quotes",
                         here, column);
    case WALK_TEXT_BEHIND:
        return error_set(err, E_INPUT,
                         "line %ju, %s: text behind the closing quote; a "
                         "quote inside quotes is written \"\"",
                         here, column);
    case WALK_UNCLOSED:
        return error_set(err, E_INPUT,
                         "line %ju, %s: the quote that opens here is never "
                         "closed",
                         begin, column);
    case WALK_LONE_RETURN:
        return error_set(err, E_INPUT,
                         "line %ju, %s: a carriage return without a line "
                         "feed; lines end in LF or CRLF, other carriage "
                         "returns need quotes",
                         here, column);
    case WALK_LONG_FIELD:
        return error_set(err, E_LIMIT,
                         "line %ju, %s: a field of more than %u bytes", begin,
                         column, CSV_FIELD_MAX);
    case WALK_LONG_QUOTED_FIELD:
        return error_set(err, E_LIMIT,
                         "line %ju, %s: a field of more than %u bytes; is "
                         "the quote that opens here closed?",
                         begin, column, CSV_FIELD_MAX);
    case WALK_DONE:
    case WALK_MORE:
        break;
    }
    abort(); /* a walk that went well is not refused */
}

static enum status refuse_width(const struct csv_reader *reader,
                                const struct walk *walk, struct error *err)
{
    bool cut = walk->last && walk->count < reader->width;

    return error_set(
        err, E_INPUT, "line %ju: %zu field%s, the %s has %zu%s",
        (uintmax_t)reader->line, walk->count, walk->count == 1 ? "" : "s",
        reader->header.count > 0 ? "header" : "first line", reader->width,
        cut ? "; the file ends here without a newline, it may be cut off" : "");
}

/* ---- records ---- */

/* Give values with doubled quotes bytes of their own: raw keeps the block's. */
static enum status unquote(struct csv_reader *reader, const struct walk *walk,
                           struct error *err)
{
    size_t size = walk->stop - reader->start, used = 0;

    if (reader->unquoted_size < size) {
        uint8_t *unquoted = realloc(reader->unquoted, size);

        if (unquoted == NULL)
            return error_memory(err, "a record");
        reader->unquoted = unquoted;
        reader->unquoted_size = size;
    }
    for (size_t i = 0; i < walk->count; i++) {
        struct csv_field *field = &reader->field[i];
        const uint8_t *from = field->value.data;
        size_t begin = used;

        if (field->value.size == 0 ||
            memchr(from, '"', field->value.size) == NULL)
            continue;
        for (size_t j = 0; j < field->value.size; j++) {
            reader->unquoted[used++] = from[j];
            j += from[j] == '"'; /* the second one of a pair */
        }
        field->value = bytes_of(reader->unquoted + begin, used - begin);
    }
    return OK;
}

/* Walk the record at `start`, reading on as far as that needs. */
static enum status record_walk(struct csv_reader *reader, struct walk *walk,
                               struct error *err)
{
    enum status status;

    for (;;) {
        *walk = walk_record(reader);
        if (reader->bad < walk->stop)
            return refuse_bytes(reader, walk, err);
        if (walk->stop - reader->start > CSV_RECORD_MAX)
            return error_set(err, E_LIMIT,
                             "line %ju: a record of more than %u bytes",
                             (uintmax_t)reader->line, CSV_RECORD_MAX);
        if (walk->end == WALK_DONE)
            return OK;
        if (walk->end != WALK_MORE)
            return refuse_walk(reader, walk, err);
        status = block_refill(reader, err);
        if (status != OK)
            return status;
    }
}

/* The number of fields is known from the first record on. */
static enum status record_check(struct csv_reader *reader,
                                const struct walk *walk, struct error *err)
{
    if (reader->empty_line > 0)
        return error_set(err, E_INPUT,
                         "line %ju: an empty line; only the end of the file "
                         "may have them%s",
                         (uintmax_t)reader->empty_line,
                         reader->width == 1 ? " (an empty value is \"\")" : "");
    if (reader->width == 0 && walk->count > TABLE_COLUMNS_MAX)
        return error_set(err, E_LIMIT, "line %ju: %zu columns, the limit is %d",
                         (uintmax_t)reader->line, walk->count,
                         TABLE_COLUMNS_MAX);
    if (reader->width > 0 && walk->count != reader->width)
        return refuse_width(reader, walk, err);
    return walk->doubled ? unquote(reader, walk, err) : OK;
}

/* Read into reader->record; *found is false at the end. */
static enum status record_read(struct csv_reader *reader, bool *found,
                               struct error *err)
{
    struct walk walk;
    enum status status;

    for (;;) {
        if (reader->start == reader->end && reader->ended) {
            *found = false;
            return OK;
        }
        status = record_walk(reader, &walk, err);
        if (status != OK)
            return status;
        if (walk.count > 1 || reader->field[0].raw.size > 0)
            break;
        /* A line without a byte.  At the very end of a block that ends the
         * file a walk finds one that is not there. */
        if (walk.last)
            continue;
        if (reader->empty_line == 0)
            reader->empty_line = reader->line;
        reader->start = walk.stop;
        reader->line++;
    }
    status = record_check(reader, &walk, err);
    if (status != OK)
        return status;

    reader->record =
        (struct csv_record){reader->field, walk.count, reader->line};
    reader->line += walk.lines + !walk.last;
    reader->start = walk.stop;
    reader->width = walk.count;
    *found = true;
    return OK;
}

enum status csv_next(struct csv_reader *reader,
                     const struct csv_record **record, struct error *err)
{
    bool found = true;

    assert(reader != NULL && record != NULL);
    if (reader->pending) {
        reader->pending = false;
    } else if (record_read(reader, &found, err) != OK) {
        return error_wrap(err, "%s", reader->name);
    }
    *record = found ? &reader->record : NULL;
    return OK;
}

/* ---- the header ---- */

/* What may be detected as the delimiter, the first of equals. */
static const char candidates[] = {';', ',', '\t', '|'};

/* Choose among them by the first record, which is read whole for it. */
static enum status detect_delimiter(struct csv_reader *reader,
                                    struct error *err)
{
    size_t count[256];
    size_t best = 0;
    bool whole = false;

    while (!whole) {
        bool quoted = false;

        memset(count, 0, sizeof count);
        for (size_t i = reader->start; i < reader->end && !whole; i++) {
            uint8_t byte = reader->data[i];

            quoted ^= byte == '"';
            count[byte] += !quoted;
            whole = byte == '\n' && !quoted;
        }
        /* Behind the limit the walk refuses it in any case. */
        if (whole || reader->ended ||
            reader->end - reader->start > CSV_RECORD_MAX)
            break;
        if (block_load(reader, err) != OK)
            return err->status;
    }
    for (size_t i = 1; i < sizeof candidates; i++)
        if (count[(uint8_t)candidates[i]] > count[(uint8_t)candidates[best]])
            best = i;
    if (count[(uint8_t)candidates[best]] == 0)
        reader->delimiter = ',';
    else
        reader->delimiter = (uint8_t)candidates[best];
    return OK;
}

/* By name, and by place among equal ones. */
static int compare_names(const void *a, const void *b)
{
    const struct csv_field *const *left = a, *const *right = b;
    int order = bytes_compare((*left)->value, (*right)->value);

    return order != 0 ? order : (*left > *right) - (*left < *right);
}

static enum status check_names(const struct csv_reader *reader,
                               struct error *err)
{
    const struct csv_field *sorted[TABLE_COLUMNS_MAX];
    const struct csv_record *header = &reader->header;

    for (size_t i = 0; i < header->count; i++) {
        if (header->field[i].value.size == 0)
            return error_set(err, E_INPUT,
                             "line %ju: column %zu of the header has no name",
                             (uintmax_t)header->line, i + 1);
        sorted[i] = &header->field[i];
    }
    qsort(sorted, header->count, sizeof sorted[0], compare_names);
    for (size_t i = 1; i < header->count; i++) {
        size_t first = (size_t)(sorted[i - 1] - header->field);
        size_t second = (size_t)(sorted[i] - header->field);

        /* Told without the name: where a header was forgotten these are
         * values of a record. */
        if (bytes_equal(sorted[i - 1]->value, sorted[i]->value))
            return error_set(
                err, E_INPUT,
                "line %ju: columns %zu and %zu of the header have the same "
                "name; is this line a header?",
                (uintmax_t)header->line, first + 1, second + 1);
    }
    return OK;
}

/* The first record outlives the block: copy it, then look at its names. */
static enum status take_header(struct csv_reader *reader, struct error *err)
{
    const struct csv_record *record = &reader->record;
    size_t size = 0;
    uint8_t *to;

    for (size_t i = 0; i < record->count; i++)
        size += record->field[i].raw.size + record->field[i].value.size;
    reader->header_bytes = malloc(size + 1);
    reader->header_field = calloc(record->count, sizeof *record->field);
    if (reader->header_bytes == NULL || reader->header_field == NULL)
        return error_memory(err, "the header");
    to = reader->header_bytes;
    for (size_t i = 0; i < record->count; i++) {
        struct bytes raw = record->field[i].raw;
        struct bytes value = record->field[i].value;
        struct csv_field *copy = &reader->header_field[i];

        memcpy(to, raw.data, raw.size);
        copy->raw = bytes_of(to, raw.size);
        to += raw.size;
        memcpy(to, value.data, value.size);
        copy->value = bytes_of(to, value.size);
        to += value.size;
    }
    reader->header =
        (struct csv_record){reader->header_field, record->count, record->line};
    return check_names(reader, err);
}

/* The first record: the header, or, without one, the width of the others. */
static enum status read_first(struct csv_reader *reader,
                              struct csv_options options, struct error *err)
{
    enum status status = block_load(reader, err);
    bool found;

    if (status != OK)
        return status;
    if (reader->end >= sizeof byte_order_mark &&
        memcmp(reader->data, byte_order_mark, sizeof byte_order_mark) == 0)
        reader->start = sizeof byte_order_mark;
    if (reader->delimiter == 0) {
        status = detect_delimiter(reader, err);
        if (status != OK)
            return status;
    }
    block_scan(reader);
    status = record_read(reader, &found, err);
    if (status != OK)
        return status;
    if (!found)
        return options.no_header
                   ? OK
                   : error_set(err, E_INPUT,
                               "the file is empty; a line with the names of "
                               "the columns was expected");
    if (reader->start >= 2 &&
        memcmp(reader->data + reader->start - 2, "\r\n", 2) == 0)
        reader->newline = "\r\n";
    reader->pending = options.no_header;
    return options.no_header ? OK : take_header(reader, err);
}

/* ---- open and close ---- */

struct csv_tuning csv_tuning_default(void)
{
    return (struct csv_tuning){CSV_BLOCK_SIZE, csv_scan_best()};
}

enum status csv_open_source(struct csv_reader **out, struct csv_source source,
                            const char *name, struct csv_options options,
                            struct csv_tuning tuning, struct error *err)
{
    uint8_t delimiter = (uint8_t)options.delimiter;
    struct csv_reader *reader;
    enum status status;

    assert(out != NULL && name != NULL);
    assert(tuning.block_size >= CSV_BLOCK_SIZE_MIN);
    *out = NULL;
    if (delimiter == '"' || delimiter == '\r' || delimiter == '\n' ||
        delimiter > 0x7f)
        return error_set(err, E_INPUT,
                         "%s: a delimiter is one ASCII character, but no "
                         "quote and no line end",
                         name);
    reader = calloc(1, sizeof *reader);
    if (reader == NULL)
        return error_memory(err, "a table");
    reader->source = source;
    reader->name = name;
    reader->scan = tuning.scan;
    reader->delimiter = delimiter;
    reader->newline = "\n";
    reader->line = 1;
    reader->field = calloc(TABLE_COLUMNS_MAX, sizeof *reader->field);
    status = reader->field == NULL
                 ? error_memory(err, "a table")
                 : block_resize(reader, tuning.block_size, err);
    if (status != OK)
        goto done;
    if (read_first(reader, options, err) != OK)
        status = error_wrap(err, "%s", name);
done:
    if (status != OK)
        csv_close(&reader);
    *out = reader;
    return status;
}

enum status csv_open(struct csv_reader **reader, int fd, const char *name,
                     struct csv_options options, struct error *err)
{
    assert(fd >= 0);
    return csv_open_source(reader, (struct csv_source){.fd = fd}, name, options,
                           csv_tuning_default(), err);
}

void csv_close(struct csv_reader **reader)
{
    if (*reader == NULL)
        return;
    free((*reader)->data);
    free((*reader)->mask);
    free((*reader)->field);
    free((*reader)->header_field);
    free((*reader)->header_bytes);
    free((*reader)->unquoted);
    free(*reader);
    *reader = NULL;
}

const struct csv_record *csv_header(const struct csv_reader *reader)
{
    return &reader->header;
}

uint64_t csv_offset(const struct csv_reader *reader)
{
    return reader->offset + reader->start;
}

size_t csv_width(const struct csv_reader *reader)
{
    return reader->width;
}

char csv_delimiter(const struct csv_reader *reader)
{
    return (char)reader->delimiter;
}

const char *csv_newline(const struct csv_reader *reader)
{
    return reader->newline;
}

/* ---- writing ---- */

static bool needs_quotes(struct bytes value, char delimiter)
{
    if (value.size == 0)
        return false;
    if (value.data[0] == ' ' || value.data[value.size - 1] == ' ')
        return true;
    /* At the front of a file it would be taken for the mark itself. */
    if (value.size >= sizeof byte_order_mark &&
        memcmp(value.data, byte_order_mark, sizeof byte_order_mark) == 0)
        return true;
    for (size_t i = 0; i < value.size; i++) {
        uint8_t byte = value.data[i];

        if (byte == (uint8_t)delimiter || byte == '"' || byte == '\r' ||
            byte == '\n')
            return true;
    }
    return false;
}

enum status csv_append_field(struct text *out, struct bytes value,
                             char delimiter, struct error *err)
{
    size_t at = 0;
    enum status status;

    if (!needs_quotes(value, delimiter))
        return text_append(out, value.data, value.size, err);
    /* Room for the worst case first: then nothing below can fail half-way. */
    if (value.size > SIZE_MAX / 4)
        return error_memory(err, "a field");
    status = text_reserve(out, 2 * value.size + 2, err);
    if (status != OK)
        return status;
    out->data[out->size++] = '"';
    for (; at < value.size; at++) {
        if (value.data[at] == '"')
            out->data[out->size++] = '"';
        out->data[out->size++] = (char)value.data[at];
    }
    out->data[out->size++] = '"';
    out->data[out->size] = '\0';
    return OK;
}

enum status csv_append_name(struct text *out, const struct csv_field *name,
                            struct error *err)
{
    struct bytes raw = name->raw;
    enum status status;
    bool misleads =
        raw.size >= sizeof byte_order_mark &&
        memcmp(raw.data, byte_order_mark, sizeof byte_order_mark) == 0;

    assert(raw.size > 0); /* a header without a name was refused */
    for (size_t i = 0; i < sizeof candidates; i++)
        misleads |= memchr(raw.data, candidates[i], raw.size) != NULL;
    if (raw.data[0] == '"' || !misleads)
        return text_append(out, raw.data, raw.size, err);
    /* Unquoted, so there are no quotes to double; with room for all of it,
     * nothing fails half-way. */
    status = text_reserve(out, raw.size + 2, err);
    if (status == OK)
        status = text_append(out, "\"", 1, err);
    if (status == OK)
        status = text_append(out, raw.data, raw.size, err);
    if (status == OK)
        status = text_append(out, "\"", 1, err);
    return status;
}
