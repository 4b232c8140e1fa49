#include "anonymizer/table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "anonymizer/csv_internal.h"
#include "anonymizer/policy_columns.h"
#include "anonymizer/subjects.h"
#include "anonymizer/subset.h"
#include "anonymizer/value_order.h"
#include "common/hash.h"
#include "common/json.h"

/* Rows between two looks at the cancel flag. */
#define CANCEL_ROWS 4096

/* A quasi-identifier while the table is being read. */
struct quasi_reader {
    uint32_t *value_of_row;       /* by hierarchy row: value, or NONE */
    uint32_t missing_row;         /* where missing tokens go, or NONE */
    struct dictionary dictionary; /* where there is no hierarchy */
    uint32_t missing_value;       /* likewise */
    uint32_t row_capacity;        /* of quasi.row */
};

struct sensitive_reader {
    uint32_t missing_value;
    uint32_t *value; /* [row] of the subset */
};

/* All that is needed only while reading. */
struct reading {
    const struct policy *policy;
    struct table *table;
    const char *name;
    struct csv_source source;
    struct quasi_reader *quasi;
    struct sensitive_reader *sensitive;
    size_t subject_column; /* or NO_COLUMN */
    struct subjects subjects;
    struct hash_key key; /* drawn with the first tuple */
    uint32_t *slot;      /* hash table of tuples: tuple + 1, 0 empty */
    size_t slot_count;
    size_t row_capacity;
    uint32_t tuple_capacity;
};

#define NO_COLUMN SIZE_MAX

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
        reading->subject_column = column;
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
    reading->quasi = calloc(count, sizeof *reading->quasi);
    reading->sensitive = calloc(count, sizeof *reading->sensitive);
    if (attribute == NULL || table->column == NULL || table->quasi == NULL ||
        table->sensitive == NULL || reading->quasi == NULL ||
        reading->sensitive == NULL)
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
                                    const struct quasi_identifier *quasi,
                                    struct quasi_reader *reader,
                                    struct error *err)
{
    for (size_t i = 0; i < policy->missing_count; i++) {
        uint32_t row = hierarchy_find(quasi->hierarchy,
                                      bytes_of_string(policy->missing[i]));

        if (row == HIERARCHY_NONE)
            continue;
        if (reader->missing_row != HIERARCHY_NONE)
            return error_set(
                err, E_INPUT,
                "%s: attribute %s: its hierarchy has a row each for two "
                "tokens of table.missing (%s is one), which are one "
                "value; name the tokens that mean missing in table.missing",
                policy->path,
                json_quote(policy->attribute[quasi->attribute].name).text,
                json_quote(policy->missing[i]).text);
        reader->missing_row = row;
    }
    return OK;
}

static enum status prepare_quasi(const struct policy *policy,
                                 struct quasi_identifier *quasi,
                                 struct quasi_reader *reader, struct error *err)
{
    uint32_t rows;

    dictionary_init(&reader->dictionary);
    reader->missing_row = HIERARCHY_NONE;
    reader->missing_value = DICTIONARY_NONE;
    if (quasi->hierarchy == NULL)
        return OK;
    rows = hierarchy_rows(quasi->hierarchy);
    reader->value_of_row = malloc(rows * sizeof *reader->value_of_row);
    if (reader->value_of_row == NULL)
        return error_memory(err, "the values of an attribute");
    memset(reader->value_of_row, 0xff, rows * sizeof *reader->value_of_row);
    return find_missing_row(policy, quasi, reader, err);
}

static enum status prepare(struct reading *reading, struct error *err)
{
    struct table *table = reading->table;
    enum status status = OK;

    for (size_t q = 0; status == OK && q < table->quasi_count; q++)
        status = prepare_quasi(reading->policy, &table->quasi[q],
                               &reading->quasi[q], err);
    for (size_t s = 0; s < table->sensitive_count; s++) {
        dictionary_init(&table->sensitive[s].dictionary);
        reading->sensitive[s].missing_value = DICTIONARY_NONE;
    }
    return status;
}

/* ---- one cell ---- */

/* Code of a text; a text that means missing gets the code of all of those. */
static enum status code_text(const struct policy *policy,
                             struct dictionary *dictionary,
                             uint32_t *missing_value, struct bytes text,
                             uint32_t *code, struct error *err)
{
    enum status status;

    *code = dictionary_find(dictionary, text);
    if (*code != DICTIONARY_NONE)
        return OK;
    if (!policy_is_missing(policy, text))
        return dictionary_add(dictionary, text, code, err);
    if (*missing_value != DICTIONARY_NONE) {
        *code = *missing_value;
        return dictionary_alias(dictionary, text, *code, err);
    }
    status = dictionary_add(dictionary, text, code, err);
    if (status == OK)
        *missing_value = *code;
    return status;
}

/* A hierarchy's row becomes a value number when it first occurs. */
static enum status new_value(struct quasi_identifier *quasi,
                             struct quasi_reader *reader, uint32_t row,
                             struct error *err)
{
    if (quasi->value_count == reader->row_capacity) {
        uint32_t capacity =
            reader->row_capacity == 0 ? 32 : 2 * reader->row_capacity;
        uint32_t *rows = reallocarray(quasi->row, capacity, sizeof *rows);

        if (rows == NULL)
            return error_memory(err, "the values of an attribute");
        quasi->row = rows;
        reader->row_capacity = capacity;
    }
    reader->value_of_row[row] = quasi->value_count;
    quasi->row[quasi->value_count++] = row;
    return OK;
}

static enum status code_quasi(struct reading *reading, size_t q,
                              struct bytes text, uint64_t line, uint32_t *value,
                              struct error *err)
{
    struct quasi_identifier *quasi = &reading->table->quasi[q];
    struct quasi_reader *reader = &reading->quasi[q];
    const char *name = reading->policy->attribute[quasi->attribute].name;
    uint32_t row;

    if (quasi->hierarchy == NULL)
        return code_text(reading->policy, &reader->dictionary,
                         &reader->missing_value, text, value, err);
    row = hierarchy_find(quasi->hierarchy, text);
    if (row == HIERARCHY_NONE && policy_is_missing(reading->policy, text)) {
        row = reader->missing_row;
        if (row == HIERARCHY_NONE)
            return error_set(err, E_INPUT,
                             "%s: line %ju, column %s: a missing value, "
                             "for which its hierarchy has no row",
                             reading->name, (uintmax_t)line,
                             json_quote(name).text);
    }
    if (row == HIERARCHY_NONE)
        return error_set(err, E_INPUT,
                         "%s: line %ju, column %s: the value has no row in its "
                         "hierarchy",
                         reading->name, (uintmax_t)line, json_quote(name).text);
    if (reader->value_of_row[row] == DICTIONARY_NONE &&
        new_value(quasi, reader, row, err) != OK)
        return err->status;
    *value = reader->value_of_row[row];
    return OK;
}

/* ---- one row ---- */

static enum status grow_slots(struct reading *reading, struct error *err)
{
    const struct table *table = reading->table;
    size_t count = reading->slot_count == 0 ? 1024 : 4 * reading->slot_count;
    uint32_t *slot;

    if (reading->slot_count == 0 && hash_key_draw(&reading->key, err) != OK)
        return err->status;
    slot = calloc(count, sizeof *slot);
    if (slot == NULL)
        return error_memory(err, "the tuples");
    free(reading->slot);
    reading->slot = slot;
    reading->slot_count = count;
    for (uint32_t t = 0; t < table->tuple_count; t++) {
        uint64_t hash =
            hash_words(&reading->key, table->value + t * table->quasi_count,
                       table->quasi_count);
        size_t at = hash & (count - 1);

        while (slot[at] != 0)
            at = (at + 1) & (count - 1);
        slot[at] = t + 1;
    }
    return OK;
}

static enum status grow_tuples(struct reading *reading, struct error *err)
{
    struct table *table = reading->table;
    uint32_t capacity =
        reading->tuple_capacity == 0 ? 512 : 2 * reading->tuple_capacity;
    uint32_t *value, *rows;

    if (capacity > TABLE_TUPLES_MAX)
        return error_set(err, E_LIMIT, "%s: more than %u distinct tuples",
                         reading->name, TABLE_TUPLES_MAX);
    value = reallocarray(table->value, capacity,
                         table->quasi_count * sizeof *value);
    if (value == NULL)
        return error_memory(err, "the tuples");
    table->value = value;
    rows = reallocarray(table->tuple_rows, capacity, sizeof *rows);
    if (rows == NULL)
        return error_memory(err, "the tuples");
    table->tuple_rows = rows;
    if (reading->policy->has_subset) {
        rows = reallocarray(table->tuple_population, capacity, sizeof *rows);
        if (rows == NULL)
            return error_memory(err, "the tuples");
        table->tuple_population = rows;
    }
    reading->tuple_capacity = capacity;
    return OK;
}

/* The tuple with these values, a new one if there is none. */
static enum status find_tuple(struct reading *reading, const uint32_t *value,
                              uint32_t *tuple, struct error *err)
{
    struct table *table = reading->table;
    size_t size = table->quasi_count * sizeof *value;
    size_t at;
    enum status status = OK;

    if (2 * (size_t)table->tuple_count >= reading->slot_count)
        status = grow_slots(reading, err);
    if (status == OK && table->tuple_count == reading->tuple_capacity)
        status = grow_tuples(reading, err);
    if (status != OK)
        return status;
    at = hash_words(&reading->key, value, table->quasi_count) &
         (reading->slot_count - 1);
    for (; reading->slot[at] != 0; at = (at + 1) & (reading->slot_count - 1)) {
        *tuple = reading->slot[at] - 1;
        if (memcmp(table->value + *tuple * table->quasi_count, value, size) ==
            0)
            return OK;
    }
    *tuple = table->tuple_count++;
    memcpy(table->value + *tuple * table->quasi_count, value, size);
    table->tuple_rows[*tuple] = 0;
    if (table->tuple_population != NULL)
        table->tuple_population[*tuple] = 0;
    reading->slot[at] = *tuple + 1;
    return OK;
}

static enum status grow_rows(struct reading *reading, struct error *err)
{
    struct table *table = reading->table;
    size_t capacity =
        reading->row_capacity == 0 ? 4096 : 2 * reading->row_capacity;
    uint32_t *tuple =
        reallocarray(table->tuple_of_row, capacity, sizeof *tuple);

    if (tuple == NULL)
        return error_memory(err, "the rows");
    table->tuple_of_row = tuple;
    for (size_t s = 0; s < table->sensitive_count; s++) {
        uint32_t *value =
            reallocarray(reading->sensitive[s].value, capacity, sizeof *value);

        if (value == NULL)
            return error_memory(err, "the rows");
        reading->sensitive[s].value = value;
    }
    reading->row_capacity = capacity;
    return OK;
}

static enum status read_subject(struct reading *reading,
                                const struct csv_record *record,
                                struct error *err)
{
    struct bytes subject;

    if (reading->subject_column == NO_COLUMN)
        return OK;
    subject = record->field[reading->subject_column].value;
    if (subject.size == 0 || policy_is_missing(reading->policy, subject))
        return error_set(err, E_INPUT,
                         "%s: line %ju: the subject column is empty; each row "
                         "must say whose it is",
                         reading->name, (uintmax_t)record->line);
    return subjects_add(&reading->subjects, subject, err);
}

static bool has_model(const struct policy *policy, size_t attribute,
                      enum privacy_model model)
{
    for (size_t i = 0; i < policy->criterion_count; i++)
        if (policy->criterion[i].attribute == attribute &&
            policy->criterion[i].model == model)
            return true;
    return false;
}

/* A value that was not there before must have the place that models ask for. */
static enum status check_place(const struct reading *reading, size_t s,
                               const struct csv_record *record,
                               struct error *err)
{
    const struct sensitive_attribute *sensitive = &reading->table->sensitive[s];
    const struct policy_attribute *attribute =
        &reading->policy->attribute[sensitive->attribute];
    const struct value_order order = {reading->policy, attribute};
    struct bytes text = record->field[sensitive->column].value;

    const char *what = policy_is_missing(reading->policy, text)
                           ? "a missing value"
                           : "the value";

    if (has_model(reading->policy, sensitive->attribute,
                  MODEL_T_CLOSENESS_HIERARCHICAL) &&
        value_row(&order, text) == HIERARCHY_NONE)
        return error_set(err, E_INPUT,
                         "%s: line %ju, column %s: %s has no row in its "
                         "hierarchy, which t-closeness-hierarchical needs",
                         reading->name, (uintmax_t)record->line,
                         json_quote(attribute->name).text, what);
    if (has_model(reading->policy, sensitive->attribute,
                  MODEL_T_CLOSENESS_ORDERED) &&
        !value_is_ordered(&order, text))
        return error_set(
            err, E_INPUT,
            "%s: line %ju, column %s: %s has no place in the order of its "
            "type, which t-closeness-ordered needs",
            reading->name, (uintmax_t)record->line,
            json_quote(attribute->name).text, what);
    return OK;
}

static enum status code_sensitive(struct reading *reading, size_t s,
                                  const struct csv_record *record,
                                  struct error *err)
{
    struct sensitive_attribute *sensitive = &reading->table->sensitive[s];
    struct sensitive_reader *reader = &reading->sensitive[s];
    uint32_t known = sensitive->dictionary.code_count;
    enum status status = code_text(reading->policy, &sensitive->dictionary,
                                   &reader->missing_value,
                                   record->field[sensitive->column].value,
                                   &reader->value[reading->table->rows], err);

    if (status != OK || sensitive->dictionary.code_count == known)
        return status;
    return check_place(reading, s, record, err);
}

static enum status read_row(struct reading *reading,
                            const struct csv_record *record, struct error *err)
{
    struct table *table = reading->table;
    const struct subset *subset = reading->policy->subset;
    uint32_t value[QUASI_IDENTIFIERS_MAX];
    uint32_t tuple = 0;
    bool member;
    enum status status = OK;

    if (table->population_rows == TABLE_ROWS_MAX)
        return error_set(err, E_LIMIT, "%s: more than %u rows", reading->name,
                         TABLE_ROWS_MAX);
    if (table->population_rows == reading->row_capacity)
        status = grow_rows(reading, err);
    member = subset == NULL || subset_contains(subset, table->population_rows);
    for (size_t q = 0; status == OK && q < table->quasi_count; q++)
        status =
            code_quasi(reading, q, record->field[table->quasi[q].column].value,
                       record->line, &value[q], err);
    for (size_t s = 0; status == OK && member && s < table->sensitive_count;
         s++)
        status = code_sensitive(reading, s, record, err);
    if (status == OK)
        status = read_subject(reading, record, err);
    if (status == OK)
        status = find_tuple(reading, value, &tuple, err);
    if (status != OK)
        return status;
    if (table->tuple_population != NULL)
        table->tuple_population[tuple]++;
    table->tuple_rows[tuple] += member;
    table->rows += member;
    table->tuple_of_row[table->population_rows++] =
        member ? tuple : TABLE_OUTSIDE;
    return OK;
}

static enum status read_rows(struct reading *reading, struct csv_reader *csv,
                             atomic_bool *cancel, struct error *err)
{
    const struct csv_record *record;
    enum status status;

    for (;;) {
        if (cancel != NULL &&
            reading->table->population_rows % CANCEL_ROWS == 0 &&
            atomic_load(cancel))
            return error_set(err, E_CANCELLED, "interrupted");
        status = csv_next(csv, &record, err);
        if (status == OK && record == NULL)
            break;
        if (status == OK)
            status = read_row(reading, record, err);
        if (status != OK)
            return status;
    }
    if (reading->table->population_rows == 0)
        return error_set(err, E_INPUT, "%s: a header, but no rows below it",
                         reading->name);
    if (reading->policy->subset == NULL)
        return OK;
    return subset_check(reading->policy->subset,
                        reading->table->population_rows, reading->table->rows,
                        reading->name, err);
}

/* ---- after the last row ---- */

/* Attributes without a hierarchy get the flat one over what occurred. */
static enum status finish_quasi(struct quasi_identifier *quasi,
                                struct quasi_reader *reader, struct error *err)
{
    struct bytes *texts;
    enum status status;

    if (quasi->hierarchy != NULL)
        return OK;
    quasi->value_count = reader->dictionary.code_count;
    texts = calloc(quasi->value_count, sizeof *texts);
    quasi->row = calloc(quasi->value_count, sizeof *quasi->row);
    if (texts == NULL || quasi->row == NULL) {
        free(texts);
        return error_memory(err, "the values of an attribute");
    }
    for (uint32_t v = 0; v < quasi->value_count; v++) {
        texts[v] = dictionary_text(&reader->dictionary, v);
        quasi->row[v] = v;
    }
    status = hierarchy_flat(&quasi->flat, texts, quasi->value_count, err);
    free(texts);
    quasi->hierarchy = quasi->flat;
    return status;
}

/* Give back what is not used; a smaller block that is not to be had is no
 * loss. */
static void shrink(uint32_t **array, uint64_t used)
{
    uint32_t *smaller = realloc(*array, (used > 0 ? used : 1) * sizeof **array);

    if (smaller != NULL)
        *array = smaller;
}

/* Sorts the rows' values by tuple and counts equal ones: a counting sort by
 * tuple, then a scratch histogram per tuple. */
static enum status count_values(const struct table *table,
                                struct sensitive_attribute *sensitive,
                                const uint32_t *value_of_row, struct error *err)
{
    struct histograms *out = &sensitive->histograms;
    uint32_t tuples = table->tuple_count;
    uint32_t *sorted = malloc(table->rows * sizeof *sorted);
    uint32_t *scratch = calloc(sensitive->value_count, sizeof *scratch);
    uint64_t *end = calloc((size_t)tuples + 1, sizeof *end);
    uint64_t used = 0;
    enum status status = OK;

    out->begin = calloc((size_t)tuples + 1, sizeof *out->begin);
    out->value = malloc(table->rows * sizeof *out->value);
    out->number = malloc(table->rows * sizeof *out->number);
    if (sorted == NULL || scratch == NULL || end == NULL ||
        out->begin == NULL || out->value == NULL || out->number == NULL) {
        status = error_memory(err, "the values of a sensitive attribute");
        goto done;
    }
    for (uint32_t t = 0; t < tuples; t++)
        end[t + 1] = end[t] + table->tuple_rows[t];
    for (uint64_t r = 0, i = 0; r < table->population_rows; r++)
        if (table->tuple_of_row[r] != TABLE_OUTSIDE)
            sorted[end[table->tuple_of_row[r]]++] = value_of_row[i++];
    /* end[t] is now where tuple t ends. */
    for (uint32_t t = 0; t < tuples; t++) {
        uint64_t from = t == 0 ? 0 : end[t - 1];

        out->begin[t] = used;
        for (uint64_t i = from; i < end[t]; i++)
            if (scratch[sorted[i]]++ == 0)
                out->value[used++] = sorted[i];
        for (uint64_t i = out->begin[t]; i < used; i++) {
            out->number[i] = scratch[out->value[i]];
            scratch[out->value[i]] = 0;
        }
    }
    out->begin[tuples] = used;
    shrink(&out->value, used);
    shrink(&out->number, used);
done:
    free(sorted);
    free(scratch);
    free(end);
    return status;
}

/* A second look at the subjects whose hash came twice. */
static enum status check_subjects(struct reading *reading, atomic_bool *cancel,
                                  struct error *err)
{
    struct csv_options options = {.delimiter = reading->table->delimiter};
    struct csv_reader *csv = NULL;
    const struct csv_record *record = NULL;
    uint64_t first_line = 0, rows = 0;
    enum status status;

    if (subjects_suspects(&reading->subjects) == 0)
        return OK;
    status = csv_source_rewind(&reading->source, reading->name, err);
    if (status == OK)
        status = csv_open_source(&csv, reading->source, reading->name, options,
                                 csv_tuning_default(), err);
    if (status == OK && csv_header(csv)->count != reading->table->column_count)
        status = error_set(err, E_INPUT, "%s: changed while it was being read",
                           reading->name);
    while (status == OK) {
        if (cancel != NULL && rows++ % CANCEL_ROWS == 0 &&
            atomic_load(cancel)) {
            status = error_set(err, E_CANCELLED, "interrupted");
            break;
        }
        status = csv_next(csv, &record, err);
        if (status != OK || record == NULL)
            break;
        status = subjects_confirm(&reading->subjects,
                                  record->field[reading->subject_column].value,
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

static enum status finish(struct reading *reading, atomic_bool *cancel,
                          struct error *err)
{
    struct table *table = reading->table;
    enum status status = check_subjects(reading, cancel, err);

    for (size_t q = 0; status == OK && q < table->quasi_count; q++)
        status = finish_quasi(&table->quasi[q], &reading->quasi[q], err);
    for (size_t s = 0; status == OK && s < table->sensitive_count; s++) {
        struct sensitive_attribute *sensitive = &table->sensitive[s];

        sensitive->value_count = sensitive->dictionary.code_count;
        status =
            count_values(table, sensitive, reading->sensitive[s].value, err);
        /* Wanted no longer; the next attribute needs the room. */
        free(reading->sensitive[s].value);
        reading->sensitive[s].value = NULL;
    }
    return status;
}

static void reading_clear(struct reading *reading)
{
    size_t count = reading->policy->attribute_count;

    for (size_t i = 0; reading->quasi != NULL && i < count; i++) {
        free(reading->quasi[i].value_of_row);
        if (i < reading->table->quasi_count)
            dictionary_clear(&reading->quasi[i].dictionary);
    }
    for (size_t i = 0; reading->sensitive != NULL && i < count; i++)
        free(reading->sensitive[i].value);
    free(reading->quasi);
    free(reading->sensitive);
    free(reading->slot);
    subjects_clear(&reading->subjects);
}

static enum status read_source(struct table **out, const struct policy *policy,
                               struct csv_source source, char delimiter,
                               const char *name, atomic_bool *cancel,
                               struct error *err)
{
    struct csv_options options = {.delimiter = delimiter};
    struct reading reading = {.policy = policy,
                              .name = name,
                              .source = source,
                              .subject_column = NO_COLUMN};
    struct csv_reader *csv = NULL;
    struct table *table = calloc(1, sizeof *table);
    enum status status;

    assert(!policy->without_hierarchies);
    *out = NULL;
    if (table == NULL)
        return error_memory(err, "a table");
    reading.table = table;
    subjects_init(&reading.subjects);
    status =
        csv_open_source(&csv, source, name, options, csv_tuning_default(), err);
    if (status != OK)
        goto done;
    table->delimiter = csv_delimiter(csv);
    memcpy(table->newline, csv_newline(csv), strlen(csv_newline(csv)));
    status = bind_columns(&reading, csv_header(csv), err);
    if (status == OK)
        status = prepare(&reading, err);
    if (status == OK)
        status = read_rows(&reading, csv, cancel, err);
    if (status == OK)
        status = finish(&reading, cancel, err);
done:
    csv_close(&csv);
    reading_clear(&reading);
    if (status != OK)
        table_destroy(&table);
    *out = table;
    return status;
}

enum status table_read(struct table **table, const struct policy *policy,
                       int fd, const char *name, atomic_bool *cancel,
                       struct error *err)
{
    assert(fd >= 0);
    return read_source(table, policy, (struct csv_source){.fd = fd},
                       policy->delimiter, name, cancel, err);
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
    enum status status = check_subject(policy, stream, name, err);

    *table = NULL;
    if (status == OK && policy->has_subset)
        status = error_set(err, E_INPUT,
                           "%s: \"subset\" names rows by their places in a "
                           "file; those of %s have none",
                           policy->path, name);
    if (status != OK)
        return status;
    return read_source(table, policy,
                       (struct csv_source){.fd = -1, .stream = stream},
                       stream->delimiter, name, cancel, err);
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
    free(table->column);
    free(table->quasi);
    free(table->sensitive);
    free(table->tuple_of_row);
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
