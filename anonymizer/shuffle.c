#include "anonymizer/shuffle.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "anonymizer/csv.h"
#include "common/files.h"
#include "common/keystream.h"
#include "common/limits.h"
#include "common/text.h"

/* Bytes collected before they are written. */
#define WRITE_SIZE ((size_t)256 << 10)

/* Records between two looks at the cancel flag. */
#define CANCEL_RECORDS 4096

/* Where a record lies: its offset and, below it, its size less one. */
#define SIZE_BITS 24
#define SIZE_MASK ((UINT64_C(1) << SIZE_BITS) - 1)
#define OFFSET_END (UINT64_C(1) << (64 - SIZE_BITS))

static_assert(CSV_RECORD_MAX - 1 <= SIZE_MASK, "the size of a record fits");

struct places {
    uint64_t *item;
    size_t count, capacity;
    uint64_t end; /* of the last record, or of the header */
};

enum status shuffle_items(const struct shuffle_seed *seed, uint64_t *item,
                          size_t count, struct error *err)
{
    struct keystream *stream = NULL;
    enum status status;

    assert(count <= TABLE_ROWS_MAX);
    static_assert(SHUFFLE_SEED_SIZE == KEYSTREAM_KEY_SIZE, "a seed is a key");
    status = keystream_create(&stream, seed->byte, err);
    for (size_t i = count; status == OK && i > 1; i--) {
        uint32_t other = 0;

        status = keystream_below(stream, (uint32_t)i, &other, err);
        if (status == OK) {
            uint64_t last = item[i - 1];

            item[i - 1] = item[other];
            item[other] = last;
        }
    }
    keystream_destroy(&stream);
    return status;
}

/* ---- finding the records ---- */

/* With its delimiters and its line end, which are those of all others. */
static uint64_t record_size(const struct csv_record *record,
                            const struct csv_reader *csv)
{
    uint64_t size = record->count - 1 + strlen(csv_newline(csv));

    for (size_t f = 0; f < record->count; f++)
        size += record->field[f].raw.size;
    return size;
}

static enum status add_place(struct places *places, uint64_t size,
                             const char *name, struct error *err)
{
    if (places->count == TABLE_ROWS_MAX)
        return error_set(err, E_LIMIT, "%s: more than %u rows, the limit", name,
                         TABLE_ROWS_MAX);
    if (places->end + size > OFFSET_END)
        return error_set(err, E_LIMIT, "%s: more than 2^40 bytes, the limit",
                         name);
    if (places->count == places->capacity) {
        size_t capacity = places->capacity > 0 ? 2 * places->capacity : 4096;
        uint64_t *wider =
            reallocarray(places->item, capacity, sizeof *places->item);

        if (wider == NULL)
            return error_memory(err, "the places of rows");
        places->item = wider;
        places->capacity = capacity;
    }
    assert(size >= 1 && size - 1 <= SIZE_MASK);
    places->item[places->count++] = places->end << SIZE_BITS | (size - 1);
    places->end += size;
    return OK;
}

/* Sizes come from the fields.  A line end that differs from the first one, none
 * behind the last record, a byte order mark or an empty line at the end make
 * the file longer or shorter than what they add up to: line ends differ in one
 * direction only, so that they cannot make up for each other. */
static enum status check_size(const struct shuffle_input *input, uint64_t end,
                              struct error *err)
{
    struct stat is;

    if (fstat(input->fd, &is) != 0)
        return error_set(err, E_IO, "%s: cannot be looked at", input->name);
    if ((uint64_t)is.st_size != end)
        return error_set(err, E_INPUT,
                         "%s: %jd bytes, where header and rows, each ended as "
                         "the first, have %ju",
                         input->name, (intmax_t)is.st_size, (uintmax_t)end);
    return OK;
}

static enum status find_places(const struct shuffle_input *input,
                               struct places *places, uint64_t *header_size,
                               atomic_bool *cancel, struct error *err)
{
    const struct csv_options options = {.delimiter = input->delimiter};
    const struct csv_record *record = NULL;
    struct csv_reader *csv = NULL;
    enum status status;

    if (lseek(input->fd, 0, SEEK_SET) != 0)
        return error_set(err, E_IO, "%s: cannot be read again", input->name);
    status = csv_open(&csv, input->fd, input->name, options, err);
    if (status != OK)
        return status;
    places->end = *header_size = record_size(csv_header(csv), csv);
    do {
        if (cancel != NULL && places->count % CANCEL_RECORDS == 0 &&
            atomic_load(cancel))
            status = error_set(err, E_CANCELLED, "interrupted");
        if (status == OK)
            status = csv_next(csv, &record, err);
        if (status == OK && record != NULL)
            status =
                add_place(places, record_size(record, csv), input->name, err);
    } while (status == OK && record != NULL);
    csv_close(&csv);
    return status == OK ? check_size(input, places->end, err) : status;
}

/* ---- writing them ---- */

struct writer {
    const struct shuffle_input *input;
    struct text held; /* all of it, or nothing */
    int output;
    const char *output_name;
    struct text buffer;
    struct digest_stream *digest;
};

static enum status flush(struct writer *writer, struct error *err)
{
    enum status status =
        digest_update(writer->digest, text_bytes(&writer->buffer), err);

    if (status == OK)
        status = descriptor_write(writer->output, text_bytes(&writer->buffer),
                                  writer->output_name, err);
    text_reset(&writer->buffer);
    return status;
}

static enum status hold(struct writer *writer, uint64_t size, struct error *err)
{
    struct text *held = &writer->held;
    enum status status;

    if (size > writer->input->held_max)
        return OK;
    status = text_reserve(held, size, err);
    if (status == OK)
        status = descriptor_read_at(writer->input->fd, 0, held->data, size,
                                    writer->input->name, err);
    if (status == OK)
        held->size = size;
    return status;
}

/* `size` bytes of the input, as they stand. */
static enum status copy(struct writer *writer, uint64_t offset, uint64_t size,
                        struct error *err)
{
    struct text *buffer = &writer->buffer;
    char *to;
    enum status status = text_reserve(buffer, size, err);

    if (status != OK)
        return status;
    to = buffer->data + buffer->size;
    if (writer->held.size > 0)
        memcpy(to, writer->held.data + offset, size);
    else
        status = descriptor_read_at(writer->input->fd, offset, to, size,
                                    writer->input->name, err);
    if (status != OK)
        return status;
    to[size] = '\0';
    buffer->size += size;
    return buffer->size >= WRITE_SIZE ? flush(writer, err) : OK;
}

static enum status write_places(struct writer *writer,
                                const struct places *places,
                                uint64_t header_size, atomic_bool *cancel,
                                struct error *err)
{
    enum status status = copy(writer, 0, header_size, err);

    for (size_t i = 0; status == OK && i < places->count; i++) {
        uint64_t item = places->item[i];

        if (cancel != NULL && i % CANCEL_RECORDS == 0 && atomic_load(cancel))
            return error_set(err, E_CANCELLED, "interrupted");
        status = copy(writer, item >> SIZE_BITS, (item & SIZE_MASK) + 1, err);
    }
    return status == OK ? flush(writer, err) : status;
}

enum status shuffle_table(const struct shuffle_seed *seed,
                          const struct shuffle_input *input, int output,
                          const char *output_name, atomic_bool *cancel,
                          struct digest *digest, struct error *err)
{
    struct writer writer = {
        .input = input, .output = output, .output_name = output_name};
    struct places places = {0};
    uint64_t header_size = 0;
    enum status status;

    text_init(&writer.buffer);
    text_init(&writer.held);
    status = find_places(input, &places, &header_size, cancel, err);
    if (status == OK)
        status = shuffle_items(seed, places.item, places.count, err);
    if (status == OK)
        status = hold(&writer, places.end, err);
    if (status == OK)
        status = digest_open(&writer.digest, err);
    if (status == OK)
        status = write_places(&writer, &places, header_size, cancel, err);
    if (status == OK)
        status = digest_finish(&writer.digest, digest, err);
    digest_discard(&writer.digest);
    text_clear(&writer.buffer);
    text_clear(&writer.held);
    free(places.item);
    return status;
}
