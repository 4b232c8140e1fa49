#include "anonymizer/release.h"

#include <stdlib.h>

#include "anonymizer/csv_internal.h"
#include "common/files.h"

/* Bytes collected before they are written. */
#define WRITE_SIZE ((size_t)256 << 10)

/* Rows between two looks at the cancel flag. */
#define CANCEL_ROWS 4096

/* What one dimension's leaves look like at the chosen level, quoted where
 * need be. */
struct labels {
    struct text text;
    size_t *begin; /* [leaf], and one behind the last */
};

struct writer {
    const struct release_plan *plan;
    struct labels *labels; /* [dimension] */
    struct text buffer;
    struct digest_stream *digest;
    int output;
    const char *output_name;
};

static enum status render(const struct release_plan *plan, size_t d,
                          struct labels *labels, struct error *err)
{
    const struct dimension *dimension = &plan->lattice->dimension[d];
    const struct quasi_identifier *quasi = dimension->quasi;
    enum status status = OK;

    text_init(&labels->text);
    labels->begin =
        calloc((size_t)dimension->leaf_count + 1, sizeof *labels->begin);
    if (labels->begin == NULL)
        return error_memory(err, "the labels");
    for (uint32_t i = 0; status == OK && i < dimension->leaf_count; i++) {
        uint32_t row = quasi->row[dimension->value[i]];
        uint32_t node = hierarchy_node(quasi->hierarchy, plan->level[d], row);

        status = csv_append_field(
            &labels->text,
            hierarchy_label(quasi->hierarchy, plan->level[d], node),
            plan->table->delimiter, err);
        labels->begin[i + 1] = labels->text.size;
    }
    return status;
}

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

static enum status append_generalized(struct writer *writer, uint32_t tuple,
                                      size_t quasi, struct error *err)
{
    const struct table *table = writer->plan->table;
    const struct dimension *dimension =
        &writer->plan->lattice->dimension[quasi];
    const struct labels *labels = &writer->labels[quasi];
    uint32_t value = table->value[tuple * table->quasi_count + quasi];
    uint32_t leaf = dimension->leaf[value];

    if (writer->plan->suppressed[tuple])
        return text_append(&writer->buffer, HIERARCHY_STAR, 1, err);
    return text_append(&writer->buffer, labels->text.data + labels->begin[leaf],
                       labels->begin[leaf + 1] - labels->begin[leaf], err);
}

/* One line; `tuple` is NULL for the header, which has nothing to hide. */
static enum status append_line(struct writer *writer,
                               const struct csv_record *record,
                               const uint32_t *tuple, struct error *err)
{
    const struct table *table = writer->plan->table;
    size_t begin = writer->buffer.size;
    bool first = true;
    enum status status = OK;

    for (size_t c = 0; status == OK && c < record->count; c++) {
        const struct table_column *column = &table->column[c];

        if (column->fate == COLUMN_REMOVED)
            continue;
        if (!first)
            status = text_append(&writer->buffer, &table->delimiter, 1, err);
        first = false;
        if (status != OK)
            break;
        if (tuple == NULL)
            status = csv_append_name(&writer->buffer, &record->field[c], err);
        else if (column->fate == COLUMN_GENERALIZED)
            status = append_generalized(writer, *tuple, column->quasi, err);
        else
            status = text_append(&writer->buffer, record->field[c].raw.data,
                                 record->field[c].raw.size, err);
    }
    /* A line without a byte is no record. */
    if (status == OK && writer->buffer.size == begin)
        status = text_append_string(&writer->buffer, "\"\"", err);
    if (status == OK)
        status = text_append_string(&writer->buffer, table->newline, err);
    if (status == OK && writer->buffer.size >= WRITE_SIZE)
        status = flush(writer, err);
    return status;
}

static enum status write_rows(struct writer *writer, struct csv_reader *csv,
                              const char *input_name, atomic_bool *cancel,
                              struct error *err)
{
    const struct table *table = writer->plan->table;
    const struct csv_record *record = csv_header(csv);
    enum status status;

    if (record->count != table->column_count)
        return error_set(err, E_INPUT, "%s: changed while it was being read",
                         input_name);
    status = append_line(writer, record, NULL, err);
    for (uint64_t row = 0; status == OK; row++) {
        uint32_t tuple;

        if (cancel != NULL && row % CANCEL_ROWS == 0 && atomic_load(cancel))
            return error_set(err, E_CANCELLED, "interrupted");
        status = csv_next(csv, &record, err);
        if (status != OK)
            break;
        if ((record == NULL) != (row == table->rows))
            return error_set(err, E_INPUT,
                             "%s: changed while it was being read", input_name);
        if (record == NULL)
            break;
        tuple = table->tuple_of_row[row];
        if (!writer->plan->suppressed[tuple] ||
            !writer->plan->policy->drop_suppressed)
            status = append_line(writer, record, &tuple, err);
    }
    return status == OK ? flush(writer, err) : status;
}

static enum status write_source(const struct release_plan *plan,
                                struct csv_source source,
                                const char *input_name, int output,
                                const char *output_name, atomic_bool *cancel,
                                struct digest *digest, struct error *err)
{
    struct csv_options options = {.delimiter = plan->table->delimiter};
    size_t dimensions = plan->lattice->dimension_count;
    struct writer writer = {
        .plan = plan, .output = output, .output_name = output_name};
    struct csv_reader *csv = NULL;
    enum status status = OK;

    text_init(&writer.buffer);
    writer.labels = calloc(dimensions, sizeof *writer.labels);
    if (writer.labels == NULL)
        return error_memory(err, "the labels");
    for (size_t d = 0; status == OK && d < dimensions; d++)
        status = render(plan, d, &writer.labels[d], err);
    if (status == OK)
        status = digest_open(&writer.digest, err);
    if (status == OK)
        status = csv_source_rewind(&source, input_name, err);
    if (status == OK)
        status = csv_open_source(&csv, source, input_name, options,
                                 csv_tuning_default(), err);
    if (status == OK)
        status = write_rows(&writer, csv, input_name, cancel, err);
    if (status == OK)
        status = digest_finish(&writer.digest, digest, err);
    csv_close(&csv);
    digest_discard(&writer.digest);
    for (size_t d = 0; d < dimensions; d++) {
        if (writer.labels[d].begin != NULL)
            text_clear(&writer.labels[d].text);
        free(writer.labels[d].begin);
    }
    free(writer.labels);
    text_clear(&writer.buffer);
    return status;
}

enum status release_write(const struct release_plan *plan, int input,
                          const char *input_name, int output,
                          const char *output_name, atomic_bool *cancel,
                          struct digest *digest, struct error *err)
{
    return write_source(plan, (struct csv_source){.fd = input}, input_name,
                        output, output_name, cancel, digest, err);
}

enum status release_write_stream(const struct release_plan *plan,
                                 const struct csv_stream *input,
                                 const char *input_name, int output,
                                 const char *output_name, atomic_bool *cancel,
                                 struct digest *digest, struct error *err)
{
    return write_source(plan, (struct csv_source){.fd = -1, .stream = input},
                        input_name, output, output_name, cancel, digest, err);
}
