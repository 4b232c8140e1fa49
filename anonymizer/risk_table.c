#include "anonymizer/risk_table.h"

#include <assert.h>
#include <float.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "anonymizer/csv.h"
#include "anonymizer/hierarchy.h"
#include "common/json.h"
#include "common/number.h"

/* ---- the policy, as far as it says what columns are ---- */

/* Its own arrays; the rest is borrowed. */
struct plain {
    struct policy policy;
};

static bool has_column(const struct csv_record *header, const char *name)
{
    for (size_t i = 0; i < header->count; i++)
        if (bytes_equal_string(header->field[i].value, name))
            return true;
    return false;
}

/* Who has a finished table has no column that was removed. */
static bool may_be_missing(const struct policy_attribute *attribute)
{
    return attribute->role == ROLE_SUBJECT ||
           attribute->role == ROLE_IDENTIFYING;
}

static void plain_clear(struct plain *plain)
{
    free(plain->policy.attribute);
    free(plain->policy.criterion);
}

/* Values of any type, without hierarchies; one model for each sensitive
 * attribute, so that its values are counted. */
static enum status plain_make(struct plain *plain, const struct policy *policy,
                              const struct csv_record *header,
                              struct error *err)
{
    struct policy *out = &plain->policy;

    *out = *policy;
    out->attribute_count = out->criterion_count = 0;
    out->attribute =
        calloc(policy->attribute_count + 1, sizeof *out->attribute);
    out->criterion =
        calloc(policy->attribute_count + 1, sizeof *out->criterion);
    if (out->attribute == NULL || out->criterion == NULL)
        return error_memory(err, "the columns");
    for (size_t i = 0; i < policy->attribute_count; i++) {
        struct policy_attribute *attribute =
            &out->attribute[out->attribute_count];

        *attribute = policy->attribute[i];
        attribute->type = TYPE_STRING;
        attribute->hierarchy = NULL;
        attribute->builder = NULL;
        attribute->has_hierarchy = false;
        attribute->level_min = 0;
        attribute->level_max = LEVEL_UNLIMITED;
        if (may_be_missing(attribute) && !has_column(header, attribute->name))
            continue;
        if (attribute->role == ROLE_SENSITIVE)
            out->criterion[out->criterion_count++] =
                (struct privacy_criterion){.model = MODEL_DISTINCT_L_DIVERSITY,
                                           .attribute = out->attribute_count,
                                           .l = 1};
        out->attribute_count++;
    }
    return OK;
}

/* Index into `policy` of an attribute of the plain one. */
static size_t attribute_of(const struct policy *policy,
                           const struct plain *plain, size_t attribute)
{
    const struct policy_attribute *found = policy_find(
        policy, bytes_of_string(plain->policy.attribute[attribute].name));

    return (size_t)(found - policy->attribute);
}

/* ---- classes ---- */

static bool is_suppressed(const struct risk_table *risk, uint32_t tuple)
{
    const struct table *table = risk->table;

    for (size_t q = 0; q < table->quasi_count; q++)
        if (table->value[tuple * table->quasi_count + q] != risk->star[q])
            return false;
    return true;
}

/* The codes of `*` and of a missing value, if the column has them. */
static void find_codes(struct risk_table *risk, const struct policy *policy,
                       size_t q, uint32_t *missing)
{
    const struct quasi_identifier *quasi = &risk->table->quasi[q];

    risk->star[q] = *missing = KEY_NO_CODE;
    for (uint32_t v = 0; v < quasi->value_count; v++) {
        struct bytes text = table_value_text(quasi, v);

        if (bytes_equal_string(text, HIERARCHY_STAR))
            risk->star[q] = v;
        else if (policy_is_missing(policy, text))
            *missing = v;
    }
}

/* Tuples of which there are records become classes. */
static void number_classes(struct risk_table *risk, uint32_t *class_of_tuple,
                           uint32_t *rows)
{
    const struct table *table = risk->table;
    uint32_t classes = 0;

    for (uint32_t t = 0; t < table->tuple_count; t++) {
        class_of_tuple[t] = KEY_NO_CODE;
        if (table->tuple_rows[t] == 0)
            continue;
        if (is_suppressed(risk, t)) {
            risk->suppressed += table->tuple_rows[t];
            continue;
        }
        rows[classes] = table->tuple_rows[t];
        if (table->tuple_population != NULL)
            risk->population[classes] = table->tuple_population[t];
        class_of_tuple[t] = classes;
        risk->of_table[classes++] = t;
    }
    risk->keys.tuple_count = classes;
}

static enum status fill_classes(struct risk_table *risk, struct error *err)
{
    const struct table *table = risk->table;
    size_t tuples = (size_t)table->tuple_count + 1;
    uint32_t *class_of_tuple = calloc(tuples, sizeof *class_of_tuple);
    uint32_t *rows = calloc(tuples, sizeof *rows);
    bool done;

    risk->keys.rows = rows;
    risk->of_table = calloc(tuples, sizeof *risk->of_table);
    risk->class_of = calloc(table->population_rows + 1, sizeof *risk->class_of);
    if (table->tuple_population != NULL)
        risk->population = calloc(tuples, sizeof *risk->population);
    done = class_of_tuple != NULL && rows != NULL && risk->of_table != NULL &&
           risk->class_of != NULL &&
           (table->tuple_population == NULL || risk->population != NULL);
    if (done) {
        number_classes(risk, class_of_tuple, rows);
        for (uint64_t row = 0; row < table->population_rows; row++) {
            uint32_t tuple = table->tuple_of_row[row];

            risk->class_of[row] =
                tuple == TABLE_OUTSIDE ? KEY_NO_CODE : class_of_tuple[tuple];
        }
    }
    free(class_of_tuple);
    return done ? OK : error_memory(err, "the classes");
}

static enum status fill_columns(struct risk_table *risk, struct error *err)
{
    const struct table *table = risk->table;
    uint32_t **code = calloc(table->quasi_count, sizeof *code);

    risk->keys.code = (const uint32_t *const *)code;
    if (code == NULL)
        return error_memory(err, "the classes");
    for (size_t q = 0; q < table->quasi_count; q++) {
        code[q] = calloc((size_t)risk->keys.tuple_count + 1, sizeof *code[q]);
        if (code[q] == NULL)
            return error_memory(err, "the classes");
        for (uint32_t c = 0; c < risk->keys.tuple_count; c++)
            code[q][c] =
                table->value[risk->of_table[c] * table->quasi_count + q];
    }
    return OK;
}

static enum status find_classes(struct risk_table *risk,
                                const struct policy *policy, struct error *err)
{
    const struct table *table = risk->table;
    uint32_t *missing = calloc(table->quasi_count, sizeof *missing);
    uint32_t *code_count = calloc(table->quasi_count, sizeof *code_count);
    enum status status;

    risk->keys.column_count = table->quasi_count;
    risk->keys.missing = missing;
    risk->keys.code_count = code_count;
    risk->star = calloc(table->quasi_count, sizeof *risk->star);
    if (missing == NULL || code_count == NULL || risk->star == NULL)
        return error_memory(err, "the classes");
    for (size_t q = 0; q < table->quasi_count; q++) {
        code_count[q] = table->quasi[q].value_count;
        find_codes(risk, policy, q, &missing[q]);
    }
    status = fill_classes(risk, err);
    return status == OK ? fill_columns(risk, err) : status;
}

/* ---- row by row ---- */

/* The second pass. */
struct rows {
    struct risk_table *risk;
    const struct policy *policy;
    const char *name;
    struct csv_reader *reader;
    size_t weight, household; /* columns of the file, or NO_ATTRIBUTE */
    struct dictionary households;
};

static size_t column_of(const struct policy *policy,
                        const struct csv_record *header, size_t attribute)
{
    for (size_t i = 0; attribute != NO_ATTRIBUTE && i < header->count; i++)
        if (bytes_equal_string(header->field[i].value,
                               policy->attribute[attribute].name))
            return i;
    return NO_ATTRIBUTE;
}

static enum status take_weight(struct rows *rows, uint64_t row,
                               const struct csv_record *record,
                               struct error *err)
{
    struct bytes text = record->field[rows->weight].value;
    const char *name = rows->policy->attribute[rows->policy->risk.weight].name;

    if (number_parse_double(text, DBL_MIN, DBL_MAX, &rows->risk->weight[row]))
        return OK;
    return error_set(err, E_INPUT,
                     "%s: line %" PRIu64 ": column %s: a weight is something "
                     "else, expected a decimal number above 0",
                     rows->name, record->line, json_quote(name).text);
}

static enum status take_household(struct rows *rows, uint64_t row,
                                  const struct csv_record *record,
                                  struct error *err)
{
    struct bytes text = record->field[rows->household].value;
    uint32_t code = dictionary_find(&rows->households, text);
    enum status status = OK;

    if (code == DICTIONARY_NONE)
        status = dictionary_add(&rows->households, text, &code, err);
    rows->risk->household[row] = code;
    return status;
}

static enum status take_rows(struct rows *rows, atomic_bool *cancel,
                             struct error *err)
{
    const struct csv_record *record;
    uint64_t row = 0;

    for (;; row++) {
        if (cancel != NULL && atomic_load(cancel))
            return error_set(err, E_CANCELLED, "interrupted");
        if (csv_next(rows->reader, &record, err) != OK)
            return err->status;
        if (record == NULL)
            return OK;
        if (row == rows->risk->table->population_rows)
            return error_set(err, E_INPUT,
                             "%s: changed while it was being read", rows->name);
        if ((rows->weight != NO_ATTRIBUTE &&
             take_weight(rows, row, record, err) != OK) ||
            (rows->household != NO_ATTRIBUTE &&
             take_household(rows, row, record, err) != OK))
            return err->status;
    }
}

/* A column that is removed may be missing from the table, but then nothing can
 * be computed from it. */
static enum status find_column(struct rows *rows, size_t attribute,
                               size_t *column, struct error *err)
{
    *column = column_of(rows->policy, csv_header(rows->reader), attribute);
    if (attribute == NO_ATTRIBUTE || *column != NO_ATTRIBUTE)
        return OK;
    return error_set(err, E_INPUT,
                     "%s: line 1: there is no column %s, which \"risk\" of the "
                     "policy names",
                     rows->name,
                     json_quote(rows->policy->attribute[attribute].name).text);
}

static enum status read_rows(struct risk_table *risk,
                             const struct policy *policy, int fd,
                             const char *name, atomic_bool *cancel,
                             struct error *err)
{
    const struct csv_options options = {.delimiter = risk->table->delimiter};
    struct rows rows = {.risk = risk, .policy = policy, .name = name};
    enum status status;

    if (policy->risk.weight == NO_ATTRIBUTE &&
        policy->risk.household == NO_ATTRIBUTE)
        return OK;
    dictionary_init(&rows.households);
    risk->weight = calloc(risk->table->population_rows, sizeof *risk->weight);
    risk->household =
        calloc(risk->table->population_rows, sizeof *risk->household);
    if (risk->weight == NULL || risk->household == NULL)
        status = error_memory(err, "the rows");
    else if (lseek(fd, 0, SEEK_SET) != 0)
        status = error_set(err, E_IO, "%s: cannot be read again", name);
    else
        status = csv_open(&rows.reader, fd, name, options, err);
    if (status == OK)
        status = find_column(&rows, policy->risk.weight, &rows.weight, err);
    if (status == OK)
        status =
            find_column(&rows, policy->risk.household, &rows.household, err);
    if (status == OK)
        status = take_rows(&rows, cancel, err);
    risk->household_count = rows.households.code_count;
    csv_close(&rows.reader);
    dictionary_clear(&rows.households);
    return status;
}

/* ---- from outside ---- */

static enum status plain_open(struct plain *plain, const struct policy *policy,
                              int fd, const char *name, struct error *err)
{
    const struct csv_options options = {.delimiter = policy->delimiter};
    struct csv_reader *reader = NULL;
    enum status status = csv_open(&reader, fd, name, options, err);

    if (status == OK)
        status = plain_make(plain, policy, csv_header(reader), err);
    csv_close(&reader);
    if (status == OK && lseek(fd, 0, SEEK_SET) != 0)
        status = error_set(err, E_IO, "%s: cannot be read again", name);
    return status;
}

static enum status attributes_find(struct risk_table *risk,
                                   const struct policy *policy,
                                   const struct plain *plain, struct error *err)
{
    struct table *table = risk->table;

    assert(table->quasi_count > 0 && "a policy names one");
    risk->attribute = calloc(table->quasi_count, sizeof *risk->attribute);
    if (risk->attribute == NULL)
        return error_memory(err, "the columns");
    for (size_t q = 0; q < table->quasi_count; q++)
        risk->attribute[q] =
            attribute_of(policy, plain, table->quasi[q].attribute);
    for (size_t s = 0; s < table->sensitive_count; s++)
        table->sensitive[s].attribute =
            attribute_of(policy, plain, table->sensitive[s].attribute);
    return OK;
}

enum status risk_table_read(struct risk_table **out,
                            const struct policy *policy, int fd,
                            const char *name, unsigned threads,
                            atomic_bool *cancel, struct error *err)
{
    struct risk_table *risk = calloc(1, sizeof *risk);
    struct plain plain = {.policy.attribute = NULL};
    enum status status;

    *out = NULL;
    if (risk == NULL)
        return error_memory(err, "a table");
    status = plain_open(&plain, policy, fd, name, err);
    if (status == OK)
        status = table_read(&risk->table, &plain.policy, fd, name, threads,
                            cancel, err);
    if (status == OK)
        status = attributes_find(risk, policy, &plain, err);
    if (status == OK) {
        risk->rows = risk->table->rows;
        status = find_classes(risk, policy, err);
    }
    if (status == OK)
        status = read_rows(risk, policy, fd, name, cancel, err);
    plain_clear(&plain);
    if (status != OK)
        risk_table_destroy(&risk);
    *out = risk;
    return status;
}

void risk_table_destroy(struct risk_table **handle)
{
    struct risk_table *risk = *handle;

    *handle = NULL;
    if (risk == NULL)
        return;
    for (size_t c = 0; risk->keys.code != NULL && c < risk->keys.column_count;
         c++)
        free((void *)risk->keys.code[c]);
    free((void *)risk->keys.code);
    free((void *)risk->keys.code_count);
    free((void *)risk->keys.missing);
    free((void *)risk->keys.rows);
    free(risk->star);
    free(risk->of_table);
    free(risk->class_of);
    free(risk->population);
    free(risk->attribute);
    free(risk->weight);
    free(risk->household);
    table_destroy(&risk->table);
    free(risk);
}
