#include "anonymizer/release.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "anonymizer/csv_blocks.h"
#include "anonymizer/csv_internal.h"
#include "anonymizer/release_labels.h"
#include "common/files.h"
#include "common/team.h"
#include "common/turn.h"

/* Bytes collected before they are written, where there are no blocks. */
#define WRITE_SIZE ((size_t)256 << 10)

/* Rows between two looks at the cancel flag. */
#define CANCEL_ROWS 4096

struct writer {
    const struct release_plan *plan;
    const char *input_name;
    atomic_bool *cancel;
    struct labels labels;
    struct digest_stream *digest;
    int output;
    const char *output_name;
    uint64_t begin; /* where in the output we began */
};

static enum status changed(const struct writer *writer, struct error *err)
{
    return error_set(err, E_INPUT, "%s: changed while it was being read",
                     writer->input_name);
}

/* Is this row written at all? */
static bool is_written(const struct release_plan *plan, uint32_t tuple)
{
    return tuple != TABLE_OUTSIDE &&
           (!plan->suppressed[tuple] || !plan->policy->drop_suppressed);
}

static enum status append_header(const struct writer *writer,
                                 const struct csv_record *header,
                                 struct text *out, struct error *err)
{
    const struct table *table = writer->plan->table;
    size_t begin = out->size;
    bool first = true;
    enum status status = OK;

    for (size_t c = 0; status == OK && c < header->count; c++) {
        if (table->column[c].fate == COLUMN_REMOVED)
            continue;
        if (!first)
            status = text_append(out, &table->delimiter, 1, err);
        first = false;
        if (status == OK)
            status = csv_append_name(out, &header->field[c], err);
    }
    /* A line without a byte is no record. */
    if (status == OK && out->size == begin)
        status = text_append_string(out, "\"\"", err);
    if (status == OK)
        status = text_append_string(out, table->newline, err);
    return status;
}

/* ---- in blocks, by several threads ---- */

struct block_writer {
    struct writer *writer;
    struct csv_blocks *blocks;
    struct turn turn;
    uint64_t rows;       /* of the blocks whose turn it was */
    uint64_t size;       /* what they wrote */
    struct error *error; /* [thread] */
};

/* Both ends may be touched LABEL_PAD bytes further: short copies, which are the
 * rule, are two instructions each. */
static inline char *append_over(char *to, struct bytes from)
{
    for (size_t i = 0; i < from.size; i += 32)
        memcpy(to + i, from.data + i, 32);
    return to + from.size;
}

/* The lines of one batch; there is room for them. */
static char *append_batch(const struct writer *writer,
                          const struct csv_batch *batch, uint64_t first_row,
                          char *to)
{
    const struct release_plan *plan = writer->plan;
    const struct labels *labels = &writer->labels;
    const char *newline = plan->table->newline;

    for (size_t r = 0; r < batch->rows; r++) {
        uint32_t tuple = plan->table->tuple_of_row[first_row + r];
        const char *begin = to;

        if (!is_written(plan, tuple))
            continue;
        for (size_t i = 0; i < labels->part_count; i++) {
            const struct label_part *part = &labels->part[i];

            if (i > 0)
                *to++ = plan->table->delimiter;
            to = append_over(to, part->copied
                                     ? csv_batch_raw(batch, r, part->column)
                                     : labels_run(labels, tuple, part->run));
        }
        if (to == begin) {
            *to++ = '"';
            *to++ = '"';
        }
        *to++ = newline[0];
        if (newline[1] != '\0')
            *to++ = newline[1];
    }
    return to;
}

/* The longest that the lines of a batch can become. */
static size_t batch_size_max(const struct writer *writer,
                             const struct csv_batch *batch)
{
    const uint32_t *at = batch->at;
    size_t last = (batch->rows - 1) * (batch->columns + 1) + batch->columns;

    return at[last] - at[0] +
           batch->rows *
               (writer->labels.size_max + writer->labels.part_count + 4) +
           LABEL_PAD;
}

/* The lines of one block. */
static enum status render_block(const struct writer *writer,
                                struct csv_block *block, struct text *out,
                                uint64_t *rows, struct error *err)
{
    struct csv_batch batch;
    enum status status = OK;

    *rows = 0;
    text_reset(out);
    while (status == OK) {
        uint64_t first = csv_block_first_row(block) + *rows;

        status = csv_block_rows(block, &batch, err);
        if (status != OK || batch.rows == 0)
            break;
        if (first + batch.rows > writer->plan->table->population_rows)
            return changed(writer, err);
        status = text_reserve(out, batch_size_max(writer, &batch), err);
        if (status == OK)
            out->size = (size_t)(append_batch(writer, &batch, first,
                                              out->data + out->size) -
                                 out->data);
        *rows += batch.rows;
    }
    return status;
}

static enum status write_block(struct block_writer *shared,
                               struct csv_block *block, struct text *out,
                               struct error *err)
{
    struct writer *writer = shared->writer;
    uint64_t rows, at;
    enum status status = render_block(writer, block, out, &rows, err);

    if (status != OK || !turn_wait(&shared->turn, csv_block_number(block)))
        return status;
    /* The digest is of one byte after the other: this much stays in line. */
    status = digest_update(writer->digest, text_bytes(out), err);
    at = writer->begin + shared->size;
    shared->size += out->size;
    shared->rows += rows;
    turn_pass(&shared->turn);
    if (status == OK)
        status = descriptor_write_at(writer->output, at, text_bytes(out),
                                     writer->output_name, err);
    return status;
}

static void write_blocks_member(void *context, unsigned index)
{
    struct block_writer *shared = context;
    struct error *err = &shared->error[index];
    struct csv_block *block = NULL;
    struct text out;
    enum status status = csv_block_create(&block, shared->blocks, err);

    text_init(&out);
    while (status == OK) {
        bool found;

        status = csv_block_next(block, &found, err);
        if (status != OK || !found)
            break;
        status = write_block(shared, block, &out, err);
        /* Others must not wait for the turn of what is not finished. */
        if (status == OK && csv_blocks_stopped(shared->blocks))
            break;
    }
    if (status != OK)
        csv_blocks_stop(shared->blocks);
    if (csv_blocks_stopped(shared->blocks))
        turn_stop(&shared->turn);
    csv_block_destroy(&block);
    text_clear(&out);
}

static enum status write_blocks(struct writer *writer,
                                struct csv_blocks *blocks, uint64_t *size,
                                bool *odd, struct error *err)
{
    unsigned threads = writer->plan->threads > 0 ? writer->plan->threads : 1;
    struct block_writer shared = {
        .writer = writer, .blocks = blocks, .size = *size};
    enum status status = OK;

    if (csv_blocks_count(blocks) < threads)
        threads = (unsigned)csv_blocks_count(blocks) + 1;
    shared.error = calloc(threads, sizeof *shared.error);
    if (shared.error == NULL)
        return error_memory(err, "threads");
    turn_init(&shared.turn);
    team_run(threads, write_blocks_member, &shared);
    turn_clear(&shared.turn);
    for (unsigned i = 0; i < threads && status == OK; i++)
        if (shared.error[i].status != OK) {
            *err = shared.error[i];
            status = err->status;
        }
    free(shared.error);
    *odd = csv_blocks_odd(blocks);
    if (status == OK && !*odd &&
        shared.rows != writer->plan->table->population_rows)
        status = changed(writer, err);
    *size = shared.size;
    return status;
}

/* *odd: it is no use in blocks, nothing counts that was written. */
static enum status write_file(struct writer *writer, struct csv_reader *csv,
                              int input, bool *odd, struct error *err)
{
    struct csv_blocks *blocks = NULL;
    struct text header;
    uint64_t size;
    enum status status;

    text_init(&header);
    status = append_header(writer, csv_header(csv), &header, err);
    size = header.size;
    if (status == OK)
        status = digest_update(writer->digest, text_bytes(&header), err);
    if (status == OK)
        status =
            descriptor_write_at(writer->output, writer->begin,
                                text_bytes(&header), writer->output_name, err);
    if (status == OK)
        status = csv_blocks_open(&blocks, csv, input, writer->input_name,
                                 writer->cancel, err);
    if (status == OK)
        status = write_blocks(writer, blocks, &size, odd, err);
    csv_blocks_close(&blocks);
    text_clear(&header);
    if (status == OK && !*odd &&
        lseek(writer->output, (off_t)(writer->begin + size), SEEK_SET) < 0)
        status = error_set_errno(err, E_IO, errno, "%s: writing failed",
                                 writer->output_name);
    return status;
}

/* ---- record by record ---- */

static enum status flush(struct writer *writer, struct text *buffer,
                         struct error *err)
{
    enum status status = digest_update(writer->digest, text_bytes(buffer), err);

    if (status == OK)
        status = descriptor_write(writer->output, text_bytes(buffer),
                                  writer->output_name, err);
    text_reset(buffer);
    return status;
}

static enum status append_line(const struct writer *writer,
                               const struct csv_record *record, uint32_t tuple,
                               struct text *out, struct error *err)
{
    const struct table *table = writer->plan->table;
    const struct labels *labels = &writer->labels;
    size_t begin = out->size;
    enum status status = OK;

    for (size_t i = 0; status == OK && i < labels->part_count; i++) {
        const struct label_part *part = &labels->part[i];
        struct bytes bytes = part->copied
                                 ? record->field[part->column].raw
                                 : labels_run(labels, tuple, part->run);

        if (i > 0)
            status = text_append(out, &table->delimiter, 1, err);
        if (status == OK)
            status = text_append(out, bytes.data, bytes.size, err);
    }
    if (status == OK && out->size == begin)
        status = text_append_string(out, "\"\"", err);
    if (status == OK)
        status = text_append_string(out, table->newline, err);
    return status;
}

static enum status write_rows(struct writer *writer, struct csv_reader *csv,
                              struct text *buffer, struct error *err)
{
    const struct table *table = writer->plan->table;
    const struct csv_record *record;
    enum status status = append_header(writer, csv_header(csv), buffer, err);

    for (uint64_t row = 0; status == OK; row++) {
        uint32_t tuple;

        if (writer->cancel != NULL && row % CANCEL_ROWS == 0 &&
            atomic_load(writer->cancel))
            return error_set(err, E_CANCELLED, "interrupted");
        status = csv_next(csv, &record, err);
        if (status != OK)
            break;
        if ((record == NULL) != (row == table->population_rows))
            return changed(writer, err);
        if (record == NULL)
            break;
        tuple = table->tuple_of_row[row];
        if (is_written(writer->plan, tuple))
            status = append_line(writer, record, tuple, buffer, err);
        if (status == OK && buffer->size >= WRITE_SIZE)
            status = flush(writer, buffer, err);
    }
    return status == OK ? flush(writer, buffer, err) : status;
}

/* ---- both ---- */

static enum status open_input(const struct writer *writer,
                              const struct csv_source *source,
                              struct csv_reader **csv, struct error *err)
{
    struct csv_options options = {.delimiter = writer->plan->table->delimiter};
    enum status status = csv_source_rewind(source, writer->input_name, err);

    if (status == OK)
        status = csv_open_source(csv, *source, writer->input_name, options,
                                 csv_tuning_default(), err);
    if (status == OK &&
        csv_header(*csv)->count != writer->plan->table->column_count)
        status = changed(writer, err);
    return status;
}

/* Write from `begin` on, whatever an attempt in blocks left there. */
static enum status begin_again(struct writer *writer, struct error *err)
{
    digest_discard(&writer->digest);
    if (ftruncate(writer->output, (off_t)writer->begin) != 0)
        return error_set_errno(err, E_IO, errno, "%s: writing failed",
                               writer->output_name);
    return digest_open(&writer->digest, err);
}

static enum status write_source(struct writer *writer, struct csv_source source,
                                struct error *err)
{
    struct csv_reader *csv = NULL;
    off_t begin = lseek(writer->output, 0, SEEK_CUR);
    bool in_blocks = source.fd >= 0 && begin >= 0, odd = false;
    struct text buffer;
    enum status status;

    /* What has no places is written from one end to the other. */
    if (begin < 0 && errno != ESPIPE)
        return error_set_errno(err, E_IO, errno, "%s: writing failed",
                               writer->output_name);
    status = open_input(writer, &source, &csv, err);
    text_init(&buffer);
    writer->begin = in_blocks ? (uint64_t)begin : 0;
    if (status == OK && in_blocks)
        status = write_file(writer, csv, source.fd, &odd, err);
    if (status == OK && odd) {
        csv_close(&csv);
        status = begin_again(writer, err);
        if (status == OK)
            status = open_input(writer, &source, &csv, err);
    }
    if (status == OK && (!in_blocks || odd))
        status = write_rows(writer, csv, &buffer, err);
    csv_close(&csv);
    text_clear(&buffer);
    return status;
}

static enum status write_release(struct writer *writer,
                                 struct csv_source source,
                                 struct digest *digest, struct error *err)
{
    enum status status = labels_create(&writer->labels, writer->plan, err);

    if (status == OK)
        status = digest_open(&writer->digest, err);
    if (status == OK)
        status = write_source(writer, source, err);
    if (status == OK)
        status = digest_finish(&writer->digest, digest, err);
    digest_discard(&writer->digest);
    labels_clear(&writer->labels);
    return status;
}

enum status release_write(const struct release_plan *plan, int input,
                          const char *input_name, int output,
                          const char *output_name, atomic_bool *cancel,
                          struct digest *digest, struct error *err)
{
    struct writer writer = {.plan = plan,
                            .input_name = input_name,
                            .cancel = cancel,
                            .output = output,
                            .output_name = output_name};

    assert(input >= 0);
    return write_release(&writer, (struct csv_source){.fd = input}, digest,
                         err);
}

enum status release_write_stream(const struct release_plan *plan,
                                 const struct csv_stream *input,
                                 const char *input_name, int output,
                                 const char *output_name, atomic_bool *cancel,
                                 struct digest *digest, struct error *err)
{
    struct writer writer = {.plan = plan,
                            .input_name = input_name,
                            .cancel = cancel,
                            .output = output,
                            .output_name = output_name};

    return write_release(
        &writer, (struct csv_source){.fd = -1, .stream = input}, digest, err);
}
