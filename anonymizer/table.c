#include "anonymizer/table.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "anonymizer/csv_blocks.h"
#include "anonymizer/csv_internal.h"
#include "anonymizer/policy_columns.h"
#include "anonymizer/subjects.h"
#include "anonymizer/subset.h"
#include "anonymizer/table_coder.h"
#include "anonymizer/table_hierarchy.h"
#include "anonymizer/table_join.h"
#include "anonymizer/table_refusal.h"
#include "common/json.h"
#include "common/team.h"

/* Rows between two looks at the cancel flag, in the second look at subjects. */
#define CANCEL_ROWS 4096

/* Bytes of a batch that is gathered record by record. */
#define GATHERED_SIZE (1u << 20)

/* What cells may be read beyond their ends. */
#define CELL_PAD 64

/* All that is needed only while reading. */
struct reading {
    const struct policy *policy;
    struct table *table;
    const char *name;
    struct csv_source source;
    unsigned threads;
    atomic_bool *cancel;
    struct coding coding;
    struct region tuples;   /* coding.tuple_of_row */
    struct region subjects; /* coding.subject_hash */
    struct table_coder **coder;
    unsigned coder_count;
    struct row_span *span;
    size_t span_count;
    struct dictionary *dictionary; /* [quasi], of those without hierarchy */
};

/* ---- columns against the policy ---- */

static bool attribute_is_judged(const struct policy *policy, size_t attribute)
{
    for (size_t i = 0; i < policy->criterion_count; i++)
        if (policy->criterion[i].attribute == attribute)
            return true;
    return false;
}

static void bind_column(struct reading *reading, size_t column,
                        size_t attribute)
{
    const struct policy *policy = reading->policy;
    struct table *table = reading->table;

    table->column[column].fate = COLUMN_REMOVED;
    if (attribute == NO_ATTRIBUTE)
        return;
    switch (policy->attribute[attribute].role) {
    case ROLE_SUBJECT:
        reading->coding.subject_column = column;
        break;
    case ROLE_IDENTIFYING:
        break;
    case ROLE_QUASI_IDENTIFYING:
        table->column[column].fate = COLUMN_GENERALIZED;
        table->column[column].quasi = table->quasi_count;
        table->quasi[table->quasi_count++] = (struct quasi_identifier){
            .attribute = attribute,
            .column = column,
            .hierarchy = policy->attribute[attribute].hierarchy};
        break;
    case ROLE_SENSITIVE:
        table->column[column].fate = COLUMN_KEPT;
        if (attribute_is_judged(policy, attribute))
            table->sensitive[table->sensitive_count++] =
                (struct sensitive_attribute){.attribute = attribute,
                                             .column = column};
        break;
    case ROLE_INSENSITIVE:
        table->column[column].fate = COLUMN_KEPT;
        break;
    }
}

static enum status bind_columns(struct reading *reading,
                                const struct csv_record *header,
                                struct error *err)
{
    struct table *table = reading->table;
    size_t count = reading->policy->attribute_count;
    size_t *attribute = calloc(header->count, sizeof *attribute);
    enum status status;

    table->column_count = header->count;
    table->column = calloc(header->count, sizeof *table->column);
    table->quasi = calloc(count, sizeof *table->quasi);
    table->sensitive = calloc(count, sizeof *table->sensitive);
    table->built = calloc(count, sizeof *table->built);
    table->built_count = count;
    if (attribute == NULL || table->column == NULL || table->quasi == NULL ||
        table->sensitive == NULL || table->built == NULL)
        status = error_memory(err, "the columns");
    else
        status =
            policy_bind_columns(reading->policy, header, reading->name,
                                reading->source.stream != NULL, attribute, err);
    for (size_t c = 0; status == OK && c < header->count; c++)
        bind_column(reading, c, attribute[c]);
    free(attribute);
    return status;
}

/* ---- getting ready ---- */

/* The hierarchy may place one of the tokens for a missing value; all tokens
 * go there, since they are one value. */
static enum status find_missing_row(const struct policy *policy,
                                    struct coded_column *column,
                                    struct error *err)
{
    for (size_t i = 0; i < policy->missing_count; i++) {
        uint32_t row = hierarchy_find(column->hierarchy,
                                      bytes_of_string(policy->missing[i]));

        if (row == HIERARCHY_NONE)
            continue;
        if (column->missing_row != HIERARCHY_NONE)
            return error_set(
                err, E_INPUT,
                "%s: attribute %s: its hierarchy has a row each for two "
                "tokens of table.missing (%s is one), which are one "
                "value; name the tokens that mean missing in table.missing",
                policy->path,
                json_quote(policy->attribute[column->attribute].name).text,
                json_quote(policy->missing[i]).text);
        column->missing_row = row;
    }
    return OK;
}

static enum status prepare(struct reading *reading, struct error *err)
{
    const struct table *table = reading->table;
    struct coding *coding = &reading->coding;
    enum status status = OK;

    coding->policy = reading->policy;
    coding->quasi_count = table->quasi_count;
    coding->sensitive_count = table->sensitive_count;
    for (size_t q = 0; status == OK && q < table->quasi_count; q++) {
        coding->quasi[q] =
            (struct coded_column){.column = table->quasi[q].column,
                                  .attribute = table->quasi[q].attribute,
                                  .hierarchy = table->quasi[q].hierarchy,
                                  .missing_row = HIERARCHY_NONE};
        if (table->quasi[q].hierarchy != NULL)
            status = find_missing_row(reading->policy, &coding->quasi[q], err);
    }
    for (size_t s = 0; s < table->sensitive_count; s++) {
        coding->sensitive[s] =
            (struct coded_column){.column = table->sensitive[s].column,
                                  .attribute = table->sensitive[s].attribute};
        dictionary_init(&reading->table->sensitive[s].dictionary);
    }
    coding_pack(coding);
    if (status == OK && coding->subject_column != NO_COLUMN)
        status = hash_key_draw(&coding->subject_key, err);
    reading->dictionary =
        calloc(table->quasi_count + 1, sizeof *reading->dictionary);
    if (status == OK && reading->dictionary == NULL)
        status = error_memory(err, "the values of an attribute");
    for (size_t q = 0; status == OK && q < table->quasi_count; q++)
        dictionary_init(&reading->dictionary[q]);
    return status;
}

/* Room for so many rows, which takes memory as they come. */
static enum status reserve_rows(struct reading *reading, uint64_t rows,
                                struct error *err)
{
    struct coding *coding = &reading->coding;
    enum status status;

    /* What is odd is found when a batch has been looked at. */
    if (rows > (uint64_t)TABLE_ROWS_MAX + CSV_BATCH_ROWS)
        rows = (uint64_t)TABLE_ROWS_MAX + CSV_BATCH_ROWS;
    status = region_resize(&reading->tuples, rows * sizeof(uint32_t),
                           "the rows", err);
    if (status == OK && coding->subject_column != NO_COLUMN)
        status = region_resize(&reading->subjects, rows * sizeof(uint64_t),
                               "the list of subjects", err);
    for (size_t s = 0; status == OK && s < coding->sensitive_count; s++)
        status = row_codes_reserve(&coding->codes[s], rows, err);
    coding->tuple_of_row = reading->tuples.data;
    coding->subject_hash = reading->subjects.data;
    coding->rows_max = rows;
    return status;
}

static enum status create_coders(struct reading *reading, unsigned count,
                                 size_t spans, struct error *err)
{
    enum status status = OK;

    reading->coder = calloc(count, sizeof(struct table_coder *));
    reading->span = calloc(spans, sizeof *reading->span);
    if (reading->coder == NULL || reading->span == NULL)
        return error_memory(err, "a table");
    reading->coder_count = count;
    reading->span_count = spans;
    for (unsigned c = 0; status == OK && c < count; c++)
        status = table_coder_create(&reading->coder[c], &reading->coding, err);
    return status;
}

/* Forget what was coded. */
static void drop_rows(struct reading *reading)
{
    for (unsigned c = 0; c < reading->coder_count; c++)
        table_coder_destroy(&reading->coder[c]);
    reading->coder_count = 0;
    free(reading->coder);
    free(reading->span);
    reading->coder = NULL;
    reading->span = NULL;
    region_clear(&reading->tuples);
    region_clear(&reading->subjects);
    for (size_t s = 0; s < reading->coding.sensitive_count; s++)
        row_codes_clear(&reading->coding.codes[s]);
}

/* ---- in blocks, by several threads ---- */

struct block_reading {
    struct reading *reading;
    struct csv_blocks *blocks;
    atomic_bool odd;
    struct error *error; /* [thread] */
};

static enum status code_block(struct block_reading *work, unsigned index,
                              struct csv_block *block, struct error *err)
{
    struct reading *reading = work->reading;
    struct row_span *span = &reading->span[csv_block_number(block)];
    struct csv_batch batch;
    bool odd = false;

    *span =
        (struct row_span){.first = csv_block_first_row(block), .coder = index};
    for (;;) {
        enum status status = csv_block_rows(block, &batch, err);

        if (status != OK || batch.rows == 0)
            return status;
        status =
            table_coder_add(reading->coder[index], &batch, span, &odd, err);
        if (odd) {
            atomic_store(&work->odd, true);
            csv_blocks_stop(work->blocks);
        }
        if (status != OK || odd)
            return status;
    }
}

static void code_blocks_member(void *context, unsigned index)
{
    struct block_reading *work = context;
    struct error *err = &work->error[index];
    struct csv_block *block = NULL;
    enum status status = csv_block_create(&block, work->blocks, err);

    while (status == OK) {
        bool found;

        status = csv_block_next(block, &found, err);
        if (status != OK || !found)
            break;
        status = code_block(work, index, block, err);
    }
    if (status != OK)
        csv_blocks_stop(work->blocks);
    csv_block_destroy(&block);
}

static enum status run_threads(struct block_reading *work, unsigned threads,
                               struct error *err)
{
    enum status status = OK;

    work->error = calloc(threads, sizeof *work->error);
    if (work->error == NULL)
        return error_memory(err, "threads");
    team_run(threads, code_blocks_member, work);
    for (unsigned i = 0; status == OK && i < threads; i++)
        if (work->error[i].status != OK) {
            *err = work->error[i];
            status = err->status;
        }
    free(work->error);
    return status;
}

/* *done is false if there is something that only the reader of records can
 * tell; then nothing is left of it. */
static enum status read_blocks(struct reading *reading, struct csv_reader *csv,
                               bool *done, struct error *err)
{
    struct block_reading work = {.reading = reading};
    unsigned threads = reading->threads;
    uint64_t count;
    enum status status;

    atomic_init(&work.odd, false);
    status = csv_blocks_open(&work.blocks, csv, reading->source.fd,
                             reading->name, reading->cancel, err);
    if (status != OK)
        return status;
    count = csv_blocks_count(work.blocks);
    if (count < threads)
        threads = count > 0 ? (unsigned)count : 1;
    status = reserve_rows(
        reading, csv_blocks_rows_max(work.blocks) + CSV_BATCH_ROWS, err);
    if (status == OK)
        status = create_coders(reading, threads, (size_t)count + 1, err);
    if (status == OK)
        status = run_threads(&work, threads, err);
    *done = !atomic_load(&work.odd) && !csv_blocks_odd(work.blocks);
    csv_blocks_close(&work.blocks);
    if (status == OK && !*done)
        drop_rows(reading);
    return status;
}

/* ---- record by record ---- */

/* Records, gathered to a batch. */
struct gathered {
    struct text cells;
    uint32_t *at;
    uint64_t line[CSV_BATCH_ROWS];
    size_t rows;
};

static enum status code_gathered(struct reading *reading,
                                 struct gathered *gathered, struct error *err)
{
    struct table_coder *coder = reading->coder[0];
    struct row_span *span = &reading->span[0];
    size_t columns = reading->table->column_count;
    struct csv_batch batch = {.data = (const uint8_t *)gathered->cells.data,
                              .at = gathered->at,
                              .columns = columns,
                              .rows = gathered->rows};
    uint64_t row = span->rows;
    bool odd = false;
    enum status status = OK;

    if (row + CSV_BATCH_ROWS > reading->coding.rows_max)
        status = reserve_rows(reading, 2 * reading->coding.rows_max, err);
    if (status == OK)
        status = table_coder_add(coder, &batch, span, &odd, err);
    if (status != OK)
        return status;
    for (size_t r = 0; odd && r < batch.rows; r++) {
        if (row + r == TABLE_ROWS_MAX)
            return error_set(err, E_LIMIT, "%s: more than %u rows",
                             reading->name, TABLE_ROWS_MAX);
        status =
            table_refuse_row(&reading->coding, reading->name, &batch, r,
                             row + r, gathered->line[r], coder->unquoted, err);
        if (status != OK)
            return status;
    }
    assert(!odd); /* what is odd has a reason */
    gathered->rows = 0;
    text_reset(&gathered->cells);
    return OK;
}

static enum status gather(struct gathered *gathered,
                          const struct csv_record *record, struct error *err)
{
    uint32_t *at = gathered->at + gathered->rows * (record->count + 1);
    enum status status = OK;

    gathered->line[gathered->rows++] = record->line;
    for (size_t c = 0; status == OK && c < record->count; c++) {
        struct bytes raw = record->field[c].raw;

        at[c] = (uint32_t)gathered->cells.size;
        status = text_reserve(&gathered->cells, raw.size + 1 + CELL_PAD, err);
        if (status == OK)
            status = text_append(&gathered->cells, raw.data, raw.size, err);
        if (status == OK)
            status = text_append(&gathered->cells, "\n", 1, err);
    }
    at[record->count] = (uint32_t)gathered->cells.size;
    return status;
}

static enum status read_records(struct reading *reading, struct csv_reader *csv,
                                struct error *err)
{
    const struct csv_record *record = NULL;
    struct gathered gathered = {.rows = 0};
    enum status status = reserve_rows(reading, GATHERED_SIZE, err);

    text_init(&gathered.cells);
    if (status == OK)
        status = create_coders(reading, 1, 1, err);
    gathered.at = calloc(CSV_BATCH_ROWS, (reading->table->column_count + 1) *
                                             sizeof *gathered.at);
    if (status == OK && gathered.at == NULL)
        status = error_memory(err, "a table");
    while (status == OK) {
        struct error later;
        enum status next = csv_next(csv, &record, &later);

        if (next == OK && record != NULL)
            status = gather(&gathered, record, err);
        if (status == OK &&
            (next != OK || record == NULL || gathered.rows == CSV_BATCH_ROWS ||
             gathered.cells.size >= GATHERED_SIZE))
            status = code_gathered(reading, &gathered, err);
        /* What is wrong with a row before it comes first. */
        if (status == OK && next != OK) {
            *err = later;
            status = next;
        }
        if (status == OK && gathered.rows == 0 && reading->cancel != NULL &&
            atomic_load(reading->cancel))
            status = error_set(err, E_CANCELLED, "interrupted");
        if (record == NULL)
            break;
    }
    free(gathered.at);
    text_clear(&gathered.cells);
    return status;
}

/* ---- both ---- */

static enum status open_again(const struct reading *reading,
                              struct csv_reader **csv, struct error *err)
{
    struct csv_options options = {.delimiter = reading->table->delimiter};
    enum status status;

    csv_close(csv);
    status = csv_source_rewind(&reading->source, reading->name, err);
    if (status == OK)
        status = csv_open_source(csv, reading->source, reading->name, options,
                                 csv_tuning_default(), err);
    if (status == OK && csv_header(*csv)->count != reading->table->column_count)
        status = error_set(err, E_INPUT, "%s: changed while it was being read",
                           reading->name);
    return status;
}

/* Can it be read at any place, by several threads? */
static enum status find_places(const struct reading *reading, bool *places,
                               struct error *err)
{
    struct stat file;

    *places = false;
    if (reading->source.fd < 0)
        return OK;
    if (fstat(reading->source.fd, &file) != 0)
        return error_set_errno(err, E_IO, errno, "%s: cannot be looked at",
                               reading->name);
    *places = S_ISREG(file.st_mode);
    return OK;
}

static enum status read_rows(struct reading *reading, struct csv_reader **csv,
                             struct error *err)
{
    struct table *table = reading->table;
    bool in_blocks, done = false;
    enum status status = find_places(reading, &in_blocks, err);

    if (status == OK && in_blocks)
        status = read_blocks(reading, *csv, &done, err);
    if (status == OK && in_blocks && !done)
        status = open_again(reading, csv, err);
    if (status == OK && !done)
        status = read_records(reading, *csv, err);
    for (size_t i = 0; status == OK && i < reading->span_count; i++)
        table->population_rows += reading->span[i].rows;
    if (status == OK && table->population_rows == 0)
        status = error_set(err, E_INPUT, "%s: a header, but no rows below it",
                           reading->name);
    return status;
}

/* ---- after the last row ---- */

/* A second look at the subjects whose hash came twice. */
static enum status confirm_subjects(struct reading *reading,
                                    struct subjects *subjects,
                                    struct error *err)
{
    struct csv_reader *csv = NULL;
    const struct csv_record *record = NULL;
    uint64_t first_line = 0, rows = 0;
    enum status status = open_again(reading, &csv, err);

    while (status == OK) {
        if (reading->cancel != NULL && rows++ % CANCEL_ROWS == 0 &&
            atomic_load(reading->cancel)) {
            status = error_set(err, E_CANCELLED, "interrupted");
            break;
        }
        status = csv_next(csv, &record, err);
        if (status != OK || record == NULL)
            break;
        status = subjects_confirm(
            subjects, record->field[reading->coding.subject_column].value,
            record->line, &first_line, err);
        if (status == OK && first_line != 0)
            status = error_set(
                err, E_INPUT,
                "%s: line %ju: the same subject as in line %ju; k counts rows, "
                "so each patient may have one row only",
                reading->name, (uintmax_t)record->line, (uintmax_t)first_line);
    }
    csv_close(&csv);
    return status;
}

static enum status check_subjects(struct reading *reading, struct error *err)
{
    struct subjects subjects;
    enum status status = OK;

    if (reading->coding.subject_column == NO_COLUMN)
        return OK;
    subjects_init(&subjects);
    subjects_use(&subjects, reading->coding.subject_key,
                 reading->coding.subject_hash,
                 (size_t)reading->table->population_rows);
    if (subjects_suspects(&subjects) > 0)
        status = confirm_subjects(reading, &subjects, err);
    subjects_clear(&subjects);
    region_clear(&reading->subjects);
    return status;
}

static enum status finish(struct reading *reading, struct error *err)
{
    struct table *table = reading->table;
    struct table_join join = {.coding = &reading->coding,
                              .table = table,
                              .coder = reading->coder,
                              .coder_count = reading->coder_count,
                              .span = reading->span,
                              .span_count = reading->span_count,
                              .dictionary = reading->dictionary,
                              .threads = reading->threads};
    enum status status = check_subjects(reading, err);

    if (status == OK)
        status = table_join(&join, err);
    if (status == OK && reading->policy->subset != NULL)
        status = subset_check(reading->policy->subset, table->population_rows,
                              table->rows, reading->name, err);
    for (size_t q = 0; status == OK && q < table->quasi_count; q++)
        if (table->quasi[q].hierarchy == NULL)
            status = table_make_hierarchy(table, reading->policy, q,
                                          &reading->dictionary[q], err);
    for (size_t s = 0; status == OK && s < table->sensitive_count; s++)
        status = table_build_sensitive(table, reading->policy, s, err);
    if (status == OK)
        status = region_resize(&reading->tuples,
                               (size_t)table->population_rows *
                                   sizeof *table->tuple_of_row,
                               "the rows", err);
    if (status != OK)
        return status;
    table->row_region = reading->tuples;
    table->tuple_of_row = table->row_region.data;
    reading->tuples = (struct region){0};
    return OK;
}

static void reading_clear(struct reading *reading)
{
    drop_rows(reading);
    for (size_t q = 0;
         reading->dictionary != NULL && q < reading->table->quasi_count; q++)
        dictionary_clear(&reading->dictionary[q]);
    free(reading->dictionary);
}

static enum status read_source(struct table **out, struct reading *reading,
                               char delimiter, struct error *err)
{
    struct csv_options options = {.delimiter = delimiter};
    struct csv_reader *csv = NULL;
    struct table *table = calloc(1, sizeof *table);
    enum status status;

    assert(!reading->policy->without_hierarchies);
    *out = NULL;
    if (table == NULL)
        return error_memory(err, "a table");
    reading->table = table;
    reading->coding.subject_column = NO_COLUMN;
    status = csv_open_source(&csv, reading->source, reading->name, options,
                             csv_tuning_default(), err);
    if (status != OK)
        goto done;
    table->delimiter = csv_delimiter(csv);
    memcpy(table->newline, csv_newline(csv), strlen(csv_newline(csv)));
    status = bind_columns(reading, csv_header(csv), err);
    if (status == OK)
        status = prepare(reading, err);
    if (status == OK)
        status = read_rows(reading, &csv, err);
    if (status == OK)
        status = finish(reading, err);
done:
    csv_close(&csv);
    reading_clear(reading);
    if (status != OK)
        table_destroy(&table);
    *out = table;
    return status;
}

enum status table_read(struct table **table, const struct policy *policy,
                       int fd, const char *name, unsigned threads,
                       atomic_bool *cancel, struct error *err)
{
    struct reading reading = {.policy = policy,
                              .name = name,
                              .source = {.fd = fd},
                              .threads = threads,
                              .cancel = cancel};

    assert(fd >= 0 && threads > 0);
    return read_source(table, &reading, policy->delimiter, err);
}

/* Else the column that names patients, even by ids, could be released under
 * another role, and k could count their rows. */
static enum status check_subject(const struct policy *policy,
                                 const struct csv_stream *stream,
                                 const char *name, struct error *err)
{
    const struct policy_attribute *attribute;

    if (stream->subject == NULL)
        return OK;
    attribute = policy_find(policy, bytes_of_string(stream->subject));
    if (attribute == NULL || attribute->role != ROLE_SUBJECT)
        return error_set(err, E_INPUT,
                         "%s: the subject of %s is the column %s; the policy "
                         "has %s",
                         policy->path, name, json_quote(stream->subject).text,
                         attribute == NULL ? "no such attribute"
                                           : "it in another role");
    return OK;
}

enum status table_read_stream(struct table **table, const struct policy *policy,
                              const struct csv_stream *stream, const char *name,
                              atomic_bool *cancel, struct error *err)
{
    struct reading reading = {.policy = policy,
                              .name = name,
                              .source = {.fd = -1, .stream = stream},
                              .threads = 1,
                              .cancel = cancel};
    enum status status = check_subject(policy, stream, name, err);

    *table = NULL;
    if (status == OK && policy->has_subset)
        status = error_set(err, E_INPUT,
                           "%s: \"subset\" names rows by their places in a "
                           "file; those of %s have none",
                           policy->path, name);
    if (status != OK)
        return status;
    return read_source(table, &reading, stream->delimiter, err);
}

void table_destroy(struct table **handle)
{
    struct table *table = *handle;

    if (table == NULL)
        return;
    for (size_t q = 0; q < table->quasi_count; q++) {
        hierarchy_close(&table->quasi[q].flat);
        free(table->quasi[q].row);
    }
    for (size_t s = 0; s < table->sensitive_count; s++) {
        dictionary_clear(&table->sensitive[s].dictionary);
        free(table->sensitive[s].histograms.begin);
        free(table->sensitive[s].histograms.value);
        free(table->sensitive[s].histograms.number);
    }
    for (size_t i = 0; table->built != NULL && i < table->built_count; i++)
        hierarchy_close(&table->built[i]);
    free(table->built);
    free(table->column);
    free(table->quasi);
    free(table->sensitive);
    region_clear(&table->row_region);
    free(table->value);
    free(table->tuple_rows);
    free(table->tuple_population);
    free(table);
    *handle = NULL;
}

struct bytes table_value_text(const struct quasi_identifier *quasi,
                              uint32_t value)
{
    assert(value < quasi->value_count);
    return hierarchy_label(quasi->hierarchy, 0, quasi->row[value]);
}
