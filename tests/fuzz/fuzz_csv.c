/*
 * tests/fuzz/fuzz_csv.c - whatever bytes: the two scans and all sizes of
 * blocks agree; what is accepted is what stands in the file; what is written
 * reads back as it was.
 *
 * The first byte is the size of the blocks (4 and more), the second one the
 * options, the rest the file.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "anonymizer/csv_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool truth)
{
    if (!truth)
        abort();
}

/* All that a reader says. */
struct outcome {
    enum status status;
    char delimiter;
    const char *newline;
    struct text values; /* sizes, lines and values, unambiguously */
    struct text raw;    /* records joined again, each with its newline */
    struct text again;  /* the table written from its values */
    struct error err;
};

static void append(struct text *text, const void *data, size_t size)
{
    struct error err;

    demand(text_append(text, data, size, &err) == OK);
}

/* Where `raw` stands in the file: the bytes of its newline follow it. */
static void append_newline(struct text *text, struct bytes file)
{
    size_t at = text->size;

    demand(at <= file.size && memcmp(text->data, file.data, at) == 0);
    if (at < file.size && file.data[at] == '\r')
        append(text, &file.data[at++], 1);
    if (at < file.size) {
        demand(file.data[at] == '\n');
        append(text, "\n", 1);
    }
}

static void add_record(struct outcome *outcome, const struct csv_record *record,
                       struct bytes file)
{
    struct error err;

    append(&outcome->values, &record->line, sizeof record->line);
    append(&outcome->values, &record->count, sizeof record->count);
    for (size_t i = 0; i < record->count; i++) {
        struct bytes value = record->field[i].value;
        struct bytes raw = record->field[i].raw;

        append(&outcome->values, &value.size, sizeof value.size);
        append(&outcome->values, value.data, value.size);
        if (i > 0) {
            append(&outcome->raw, &outcome->delimiter, 1);
            append(&outcome->again, &outcome->delimiter, 1);
        }
        append(&outcome->raw, raw.data, raw.size);
        if (record->count == 1 && value.size == 0)
            append(&outcome->again, "\"\"", 2);
        else
            demand(csv_append_field(&outcome->again, value, outcome->delimiter,
                                    &err) == OK);
    }
    append_newline(&outcome->raw, file);
    append(&outcome->again, outcome->newline, strlen(outcome->newline));
}

static void outcome_read(struct outcome *outcome, struct bytes file,
                         struct csv_options options, struct csv_tuning tuning)
{
    struct csv_source source = {.fd = -1, .memory = file};
    struct csv_reader *reader = NULL;
    const struct csv_record *record;

    *outcome = (struct outcome){0};
    error_init(&outcome->err);
    text_init(&outcome->values);
    text_init(&outcome->raw);
    text_init(&outcome->again);
    if (file.size >= 3 && memcmp(file.data, "\xef\xbb\xbf", 3) == 0)
        append(&outcome->raw, file.data, 3);
    outcome->status =
        csv_open_source(&reader, source, "t", options, tuning, &outcome->err);
    if (outcome->status != OK) {
        demand(reader == NULL);
        return;
    }
    outcome->delimiter = csv_delimiter(reader);
    outcome->newline = csv_newline(reader);
    if (csv_header(reader)->count > 0)
        add_record(outcome, csv_header(reader), file);
    for (;;) {
        outcome->status = csv_next(reader, &record, &outcome->err);
        if (outcome->status != OK || record == NULL)
            break;
        add_record(outcome, record, file);
    }
    csv_close(&reader);
}

static void outcome_clear(struct outcome *outcome)
{
    text_clear(&outcome->values);
    text_clear(&outcome->raw);
    text_clear(&outcome->again);
}

static void demand_same_values(const struct outcome *a, const struct outcome *b)
{
    demand(a->status == b->status);
    demand(strcmp(a->err.text, b->err.text) == 0);
    demand(bytes_equal(text_bytes(&a->values), text_bytes(&b->values)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char delimiters[] = {'\0', ';', ',', ' '};
    struct csv_options options;
    struct csv_tuning small, large;
    struct outcome first, second, again;
    struct bytes file;

    if (size < 2)
        return 0;
    small = (struct csv_tuning){CSV_BLOCK_SIZE_MIN + data[0], csv_scan_best()};
    large = (struct csv_tuning){1 << 16, csv_scan_plain};
    options = (struct csv_options){.delimiter = delimiters[data[1] & 3],
                                   .no_header = (data[1] & 4) != 0};
    file = bytes_of(data + 2, size - 2);

    outcome_read(&first, file, options, small);
    outcome_read(&second, file, options, large);
    demand_same_values(&first, &second);
    if (first.status == OK && first.delimiter != '\0') {
        /* Behind the last record there are empty lines at most. */
        for (size_t i = first.raw.size; i < file.size; i++)
            demand(file.data[i] == '\n' || file.data[i] == '\r');
        options.delimiter = first.delimiter;
        outcome_read(&again, text_bytes(&first.again), options, large);
        demand_same_values(&first, &again);
        outcome_clear(&again);
    }
    outcome_clear(&first);
    outcome_clear(&second);
    return 0;
}
