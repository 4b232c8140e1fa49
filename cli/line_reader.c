#include "cli/line_reader.h"

#include <string.h>
#include <unistd.h>

#include "common/files.h"

#define BLOCK_SIZE 65536

void line_reader_open(struct line_reader *reader, int fd, const char *name,
                      size_t size_max)
{
    *reader =
        (struct line_reader){.fd = fd, .name = name, .size_max = size_max};
    text_init(&reader->buffer);
}

void line_reader_close(struct line_reader *reader)
{
    text_clear(&reader->buffer);
    if (reader->fd >= 0)
        close(reader->fd);
    reader->fd = -1;
}

/* What was given out goes, what is behind it comes to the front. */
static enum status read_more(struct line_reader *reader, struct error *err)
{
    struct text *buffer = &reader->buffer;
    size_t got;
    enum status status;

    if (reader->at > 0) {
        memmove(buffer->data, buffer->data + reader->at,
                buffer->size - reader->at);
        buffer->size -= reader->at;
        reader->at = 0;
    }
    status = text_reserve(buffer, BLOCK_SIZE, err);
    if (status == OK)
        status = descriptor_read(reader->fd, buffer->data + buffer->size,
                                 BLOCK_SIZE, &got, reader->name, err);
    if (status != OK)
        return status;
    buffer->size += got;
    buffer->data[buffer->size] = '\0';
    reader->ended = got < BLOCK_SIZE;
    return OK;
}

static enum status too_long(const struct line_reader *reader, struct error *err)
{
    return error_set(err, E_LIMIT,
                     "%s: line %ju is longer than %zu bytes, which is the most",
                     reader->name, (uintmax_t)reader->line + 1,
                     reader->size_max);
}

enum status line_reader_next(struct line_reader *reader, struct bytes *line,
                             bool *end, struct error *err)
{
    struct text *buffer = &reader->buffer;
    size_t searched = 0;

    for (;;) {
        const char *start = buffer->data + reader->at;
        size_t size = buffer->size - reader->at;
        const char *newline =
            size > searched ? memchr(start + searched, '\n', size - searched)
                            : NULL;

        if (newline != NULL)
            size = (size_t)(newline - start);
        if (size > reader->size_max)
            return too_long(reader, err);
        *end = newline == NULL && reader->ended && size == 0;
        if (*end)
            return OK;
        if (newline != NULL || reader->ended) {
            *line = bytes_of(start, size);
            reader->at += size + (newline != NULL);
            reader->line++;
            return OK;
        }
        searched = size;
        if (read_more(reader, err) != OK)
            return err->status;
    }
}
