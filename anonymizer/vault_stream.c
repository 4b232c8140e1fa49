#include "anonymizer/vault_stream.h"

#include <assert.h>
#include <stdlib.h>

#include "common/sign.h"
#include "common/text.h"

/* Bytes of text that are made at once. */
#define CHUNK_SIZE ((size_t)64 << 10)

struct vault_stream {
    struct vault_reader *reader;
    const struct vault_schema *schema;
    struct csv_stream csv;
    struct text text; /* made, and given out up to `given` */
    size_t given;
    bool begun; /* the header was made */
    bool ended;
};

static void wipe_text(struct vault_stream *stream)
{
    if (stream->text.size > 0)
        secret_wipe(stream->text.data, stream->text.size);
    text_reset(&stream->text);
    stream->given = 0;
}

/* ---- making text ---- */

static enum status append_cell(struct vault_stream *stream, struct bytes cell,
                               struct error *err)
{
    char delimiter = stream->schema->delimiter;
    enum status status = text_append(&stream->text, &delimiter, 1, err);

    return status == OK ? csv_append_field(&stream->text, cell, delimiter, err)
                        : status;
}

static enum status append_header(struct vault_stream *stream, struct error *err)
{
    const struct vault_schema *schema = stream->schema;
    enum status status =
        csv_append_field(&stream->text, bytes_of_string(schema->subject),
                         schema->delimiter, err);

    for (size_t c = 0; status == OK && c < schema->column_count; c++)
        status = append_cell(stream, bytes_of_string(schema->column[c]), err);
    return status == OK
               ? text_append_string(&stream->text, schema->newline, err)
               : status;
}

static enum status append_row(struct vault_stream *stream,
                              const struct vault_row *row, struct error *err)
{
    char subject[SUBJECT_ID_HEX_SIZE];
    enum status status;

    assert(row->cell_count == stream->schema->column_count);
    subject_id_hex(&row->subject, subject);
    status = text_append_string(&stream->text, subject, err);
    for (size_t c = 0; status == OK && c < row->cell_count; c++)
        status = append_cell(stream, row->cell[c], err);
    return status == OK
               ? text_append_string(&stream->text, stream->schema->newline, err)
               : status;
}

static enum status make_text(struct vault_stream *stream, struct error *err)
{
    const struct vault_row *row = NULL;
    enum status status = OK;

    wipe_text(stream);
    if (!stream->begun)
        status = append_header(stream, err);
    stream->begun = true;
    while (status == OK && !stream->ended && stream->text.size < CHUNK_SIZE) {
        status = vault_reader_next(stream->reader, &row, err);
        if (status != OK)
            break;
        if (row == NULL)
            stream->ended = true;
        else
            status = append_row(stream, row, err);
    }
    return status;
}

/* ---- the stream ---- */

static enum status stream_read(void *context, void *data, size_t size,
                               size_t *got, struct error *err)
{
    struct vault_stream *stream = context;
    size_t left;
    enum status status = OK;

    if (stream->given == stream->text.size && !stream->ended)
        status = make_text(stream, err);
    if (status != OK)
        return status;
    left = stream->text.size - stream->given;
    *got = size < left ? size : left;
    if (*got > 0)
        memcpy(data, stream->text.data + stream->given, *got);
    stream->given += *got;
    return OK;
}

static enum status stream_rewind(void *context, struct error *err)
{
    struct vault_stream *stream = context;

    (void)err;
    wipe_text(stream);
    vault_reader_rewind(stream->reader);
    stream->begun = stream->ended = false;
    return OK;
}

enum status vault_stream_create(struct vault_stream **out,
                                struct vault_reader *reader,
                                const struct vault_schema *schema,
                                struct error *err)
{
    struct vault_stream *stream = calloc(1, sizeof *stream);

    *out = stream;
    if (stream == NULL)
        return error_memory(err, "a stream");
    stream->reader = reader;
    stream->schema = schema;
    text_init(&stream->text);
    stream->csv = (struct csv_stream){.delimiter = schema->delimiter,
                                      .subject = schema->subject,
                                      .read = stream_read,
                                      .rewind = stream_rewind,
                                      .context = stream};
    return OK;
}

void vault_stream_destroy(struct vault_stream **stream)
{
    if (*stream == NULL)
        return;
    wipe_text(*stream);
    text_clear(&(*stream)->text);
    free(*stream);
    *stream = NULL;
}

const struct csv_stream *vault_stream_csv(const struct vault_stream *stream)
{
    return &stream->csv;
}
