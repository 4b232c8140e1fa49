#include "anonymizer/ingest_reader.h"

#include <assert.h>
#include <stdlib.h>

#include "anonymizer/csv.h"
#include "anonymizer/policy_columns.h"
#include "common/hash.h"
#include "common/limits.h"
#include "common/text.h"

/* Slots of an empty table of subjects; a power of two. */
#define SLOTS_MIN ((size_t)1024)

/* A subject and the line of its row; line 0 is an empty slot. */
struct seen {
    struct subject_id subject;
    uint64_t line;
};

struct ingest_reader {
    const struct policy *policy;
    struct ingest_source source;
    struct csv_reader *csv;
    size_t subject_column;
    size_t *column; /* of the file, by the schema's columns */
    struct vault_schema schema;
    struct bytes *cell;
    struct ingest_row row;
    uint64_t rows;
    bool failed;

    struct hash_key key;
    struct seen *slot; /* open addressing */
    size_t slot_count;
};

/* ---- opening ---- */

static bool is_kept(enum role role)
{
    switch (role) {
    case ROLE_SUBJECT:
    case ROLE_IDENTIFYING:
        return false;
    case ROLE_QUASI_IDENTIFYING:
    case ROLE_SENSITIVE:
    case ROLE_INSENSITIVE:
        return true;
    }
    return false;
}

static char *name_of(const struct csv_record *header, size_t column)
{
    struct bytes value = header->field[column].value;
    char *name = malloc(value.size + 1);

    if (name != NULL) {
        memcpy(name, value.data, value.size);
        name[value.size] = '\0';
    }
    return name;
}

/* Subject and columns of the schema, where they are in the file. */
static enum status take_columns(struct ingest_reader *reader,
                                const size_t *attribute, struct error *err)
{
    const struct csv_record *header = csv_header(reader->csv);
    struct vault_schema *schema = &reader->schema;

    schema->column = calloc(header->count, sizeof *schema->column);
    reader->column = calloc(header->count, sizeof *reader->column);
    reader->cell = calloc(header->count, sizeof *reader->cell);
    if (schema->column == NULL || reader->column == NULL ||
        reader->cell == NULL)
        return error_memory(err, "the columns");
    for (size_t c = 0; c < header->count; c++) {
        enum role role;
        char *name;

        if (attribute[c] == NO_ATTRIBUTE)
            continue;
        role = reader->policy->attribute[attribute[c]].role;
        if (role != ROLE_SUBJECT && !is_kept(role))
            continue;
        name = name_of(header, c);
        if (name == NULL)
            return error_memory(err, "the columns");
        if (role == ROLE_SUBJECT) {
            schema->subject = name;
            reader->subject_column = c;
        } else {
            reader->column[schema->column_count] = c;
            schema->column[schema->column_count++] = name;
        }
    }
    return OK;
}

static enum status take_missing(struct ingest_reader *reader, struct error *err)
{
    const struct policy *policy = reader->policy;
    struct vault_schema *schema = &reader->schema;
    size_t count = policy->missing_count;

    schema->missing = calloc(count > 0 ? count : 1, sizeof *schema->missing);
    if (schema->missing == NULL)
        return error_memory(err, "the tokens of missing values");
    for (; schema->missing_count < count; schema->missing_count++) {
        char *token = string_copy(policy->missing[schema->missing_count]);

        if (token == NULL)
            return error_memory(err, "the tokens of missing values");
        schema->missing[schema->missing_count] = token;
    }
    return OK;
}

/* What the vault would refuse is refused here, before anything is sent. */
static enum status check_schema(const struct ingest_reader *reader,
                                struct error *err)
{
    struct text json;
    enum status status;

    text_init(&json);
    status = vault_schema_encode(&reader->schema, &json, err);
    text_clear(&json);
    return status == OK ? OK : error_wrap(err, "%s", reader->source.name);
}

static enum status bind(struct ingest_reader *reader, struct error *err)
{
    const struct csv_record *header = csv_header(reader->csv);
    struct vault_schema *schema = &reader->schema;
    const char *newline = csv_newline(reader->csv);
    size_t *attribute = calloc(header->count, sizeof *attribute);
    enum status status;

    if (attribute == NULL)
        return error_memory(err, "the columns");
    schema->delimiter = csv_delimiter(reader->csv);
    memcpy(schema->newline, newline, strlen(newline) + 1);
    status = policy_bind_columns(reader->policy, header, reader->source.name,
                                 false, attribute, err);
    if (status == OK)
        status = take_columns(reader, attribute, err);
    if (status == OK)
        status = take_missing(reader, err);
    if (status == OK)
        status = check_schema(reader, err);
    free(attribute);
    return status;
}

static enum status check_policy(const struct policy *policy, struct error *err)
{
    for (size_t a = 0; a < policy->attribute_count; a++)
        if (policy->attribute[a].role == ROLE_SUBJECT)
            return OK;
    return error_set(err, E_INPUT,
                     "%s: no attribute has the role subject, expected the "
                     "column with the patients' numbers",
                     policy->path);
}

enum status ingest_reader_open(struct ingest_reader **out,
                               const struct policy *policy,
                               const struct ingest_source *source,
                               struct error *err)
{
    const struct csv_options options = {.delimiter = policy->delimiter};
    struct ingest_reader *reader = NULL;
    enum status status = check_policy(policy, err);

    *out = NULL;
    if (status != OK)
        return status;
    reader = calloc(1, sizeof *reader);
    if (reader == NULL)
        return error_memory(err, "a reader");
    reader->policy = policy;
    reader->source = *source;
    vault_schema_init(&reader->schema);
    reader->slot_count = SLOTS_MIN;
    reader->slot = calloc(reader->slot_count, sizeof *reader->slot);
    status = reader->slot == NULL ? error_memory(err, "a reader")
                                  : csv_open(&reader->csv, source->fd,
                                             source->name, options, err);
    if (status == OK)
        status = hash_key_draw(&reader->key, err);
    if (status == OK)
        status = bind(reader, err);
    if (status != OK)
        ingest_reader_close(&reader);
    *out = reader;
    return status;
}

void ingest_reader_close(struct ingest_reader **handle)
{
    struct ingest_reader *reader = *handle;

    if (reader == NULL)
        return;
    csv_close(&reader->csv);
    vault_schema_clear(&reader->schema);
    free(reader->column);
    free(reader->cell);
    free(reader->slot);
    free(reader);
    *handle = NULL;
}

const struct vault_schema *
ingest_reader_schema(const struct ingest_reader *reader)
{
    return &reader->schema;
}

/* ---- one row a subject ---- */

/* The slot of a subject, or the empty one where it would stand. */
static struct seen *find_slot(const struct hash_key *key, struct seen *slot,
                              size_t count, const struct subject_id *subject)
{
    size_t at =
        hash_bytes(key, bytes_of(subject->byte, SUBJECT_ID_SIZE)) & (count - 1);

    while (slot[at].line != 0 &&
           subject_id_compare(&slot[at].subject, subject) != 0)
        at = (at + 1) & (count - 1);
    return &slot[at];
}

static enum status grow_slots(struct ingest_reader *reader, struct error *err)
{
    size_t wider = 2 * reader->slot_count;
    struct seen *slot = calloc(wider, sizeof *slot);

    if (slot == NULL)
        return error_memory(err, "the subjects so far");
    for (size_t i = 0; i < reader->slot_count; i++)
        if (reader->slot[i].line != 0)
            *find_slot(&reader->key, slot, wider, &reader->slot[i].subject) =
                reader->slot[i];
    free(reader->slot);
    reader->slot = slot;
    reader->slot_count = wider;
    return OK;
}

static enum status note_subject(struct ingest_reader *reader,
                                const struct subject_id *subject, uint64_t line,
                                struct error *err)
{
    struct seen *seen;

    /* At most two of three slots are taken. */
    if (3 * reader->rows >= 2 * (uint64_t)reader->slot_count) {
        enum status status = grow_slots(reader, err);

        if (status != OK)
            return status;
    }
    seen = find_slot(&reader->key, reader->slot, reader->slot_count, subject);
    if (seen->line != 0)
        return error_set(err, E_INPUT,
                         "%s: line %ju: the same subject as in line %ju; k "
                         "counts rows, so each patient may have one row only",
                         reader->source.name, (uintmax_t)line,
                         (uintmax_t)seen->line);
    *seen = (struct seen){*subject, line};
    return OK;
}

/* ---- a row ---- */

static enum status identify(struct ingest_reader *reader,
                            const struct csv_record *record, struct error *err)
{
    struct bytes number = record->field[reader->subject_column].value;
    enum status status;

    if (number.size == 0 || policy_is_missing(reader->policy, number))
        return error_set(err, E_INPUT,
                         "%s: line %ju: the subject column is empty; each row "
                         "must say whose it is",
                         reader->source.name, (uintmax_t)record->line);
    status = reader->source.identify(reader->source.context, number,
                                     &reader->row.subject, err);
    if (status != OK)
        return error_wrap(err, "%s: line %ju", reader->source.name,
                          (uintmax_t)record->line);
    return note_subject(reader, &reader->row.subject, record->line, err);
}

static enum status read_row(struct ingest_reader *reader,
                            const struct csv_record *record, struct error *err)
{
    size_t count = reader->schema.column_count;
    enum status status;

    if (reader->rows == TABLE_ROWS_MAX)
        return error_set(err, E_LIMIT, "%s: more than %u rows",
                         reader->source.name, TABLE_ROWS_MAX);
    status = identify(reader, record, err);
    if (status != OK)
        return status;
    for (size_t c = 0; c < count; c++)
        reader->cell[c] = record->field[reader->column[c]].value;
    reader->row.line = record->line;
    reader->row.cell = reader->cell;
    reader->row.cell_count = count;
    reader->rows++;
    return OK;
}

enum status ingest_reader_next(struct ingest_reader *reader,
                               const struct ingest_row **row, struct error *err)
{
    const struct csv_record *record = NULL;
    enum status status;

    assert(!reader->failed);
    *row = NULL;
    status = csv_next(reader->csv, &record, err);
    if (status == OK && record == NULL && reader->rows == 0)
        status = error_set(err, E_INPUT, "%s: a header, but no rows below it",
                           reader->source.name);
    if (status == OK && record != NULL)
        status = read_row(reader, record, err);
    if (status == OK && record != NULL)
        *row = &reader->row;
    reader->failed = status != OK;
    return status;
}
