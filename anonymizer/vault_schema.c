#include "anonymizer/vault_schema.h"

#include <stdlib.h>

#include "common/json.h"
#include "common/json_keys.h"
#include "common/limits.h"

/* Raised with every change of its form. */
#define SCHEMA_VERSION 1

void vault_schema_init(struct vault_schema *schema)
{
    *schema = (struct vault_schema){0};
}

static void clear_strings(char **string, size_t count)
{
    for (size_t i = 0; string != NULL && i < count; i++)
        free(string[i]);
    free(string);
}

void vault_schema_clear(struct vault_schema *schema)
{
    free(schema->subject);
    clear_strings(schema->column, schema->column_count);
    clear_strings(schema->missing, schema->missing_count);
    vault_schema_init(schema);
}

/* ---- what may stand in it ---- */

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Told without the names: where a header was forgotten these are values. */
static enum status check_names(const struct vault_schema *schema,
                               struct error *err)
{
    size_t count = schema->column_count + 1;
    const char **sorted = calloc(count, sizeof *sorted);
    enum status status = OK;

    if (sorted == NULL)
        return error_memory(err, "a schema");
    for (size_t i = 0; i < schema->column_count; i++)
        sorted[i] = schema->column[i];
    sorted[count - 1] = schema->subject;
    qsort(sorted, count, sizeof *sorted, compare_names);
    if (sorted[0][0] == '\0')
        status = error_set(err, E_INPUT, "schema: a column has no name");
    for (size_t i = 1; status == OK && i < count; i++)
        if (strcmp(sorted[i - 1], sorted[i]) == 0)
            status = error_set(err, E_INPUT,
                               "schema: two columns have the same name");
    free(sorted);
    return status;
}

static enum status check_schema(const struct vault_schema *schema,
                                struct error *err)
{
    unsigned char delimiter = (unsigned char)schema->delimiter;

    if (schema->column_count == 0)
        return error_set(err, E_INPUT,
                         "schema: no column but the subject's is left");
    if (schema->column_count > TABLE_COLUMNS_MAX - 1)
        return error_set(err, E_LIMIT, "schema: %zu columns, the limit is %d",
                         schema->column_count, TABLE_COLUMNS_MAX - 1);
    if (schema->missing_count > MISSING_TOKENS_MAX)
        return error_set(err, E_LIMIT,
                         "schema: %zu tokens for missing values, the limit is "
                         "%d",
                         schema->missing_count, MISSING_TOKENS_MAX);
    if (delimiter == 0 || delimiter > 0x7f || delimiter == '"' ||
        delimiter == '\r' || delimiter == '\n')
        return error_set(err, E_INPUT,
                         "schema: a delimiter is one ASCII character, but no "
                         "quote and no line end");
    if (strcmp(schema->newline, "\n") != 0 &&
        strcmp(schema->newline, "\r\n") != 0)
        return error_set(err, E_INPUT,
                         "schema: a line ends with LF or with CR and LF");
    return check_names(schema, err);
}

/* ---- as JSON ---- */

static enum status add_strings(struct json_value *root, const char *key,
                               char *const *string, size_t count,
                               struct error *err)
{
    struct json_value *array = NULL;
    enum status status = json_add_array(root, key, &array, err);

    for (size_t i = 0; status == OK && i < count; i++)
        status = json_add_string(array, NULL, string[i], err);
    return status;
}

enum status vault_schema_encode(const struct vault_schema *schema,
                                struct text *out, struct error *err)
{
    const char delimiter[2] = {schema->delimiter, '\0'};
    struct json_value *root;
    struct json *json = NULL;
    size_t start = out->size;
    enum status status = check_schema(schema, err);

    if (status == OK)
        status = json_create(&json, err);
    if (status != OK)
        return status;
    root = json_edit_root(json);
    if ((status = json_add_integer(root, "schema", SCHEMA_VERSION, err)) !=
            OK ||
        (status = json_add_string(root, "subject", schema->subject, err)) !=
            OK ||
        (status = add_strings(root, "columns", schema->column,
                              schema->column_count, err)) != OK ||
        (status = add_strings(root, "missing", schema->missing,
                              schema->missing_count, err)) != OK ||
        (status = json_add_string(root, "delimiter", delimiter, err)) != OK ||
        (status = json_add_string(root, "newline", schema->newline, err)) !=
            OK ||
        (status = json_print_canonical(json_root(json), out, err)) != OK)
        goto done;
    /* Or it could not be read again. */
    if (out->size - start > JSON_SIZE_MAX) {
        status = error_set(err, E_LIMIT, "the names have more than %u bytes",
                           JSON_SIZE_MAX);
        out->size = start;
        out->data[start] = '\0';
    }
done:
    json_destroy(&json);
    return status == OK ? OK : error_wrap(err, "schema");
}

static enum status take_strings(const struct json_key *key,
                                const struct json_value *value, char ***out,
                                size_t *count, struct error *err)
{
    size_t length = json_length(value);
    const struct json_value *item = json_first(value);

    if (length > (size_t)key->max)
        return json_refuse(key, value, "is too long", err);
    *out = calloc(length > 0 ? length : 1, sizeof **out);
    if (*out == NULL)
        return error_memory(err, "a schema");
    for (; item != NULL; item = json_next(item)) {
        if (json_kind(item) != JSON_STRING)
            return json_refuse(key, value, "has another element", err);
        (*out)[*count] = string_copy(json_string(item));
        if ((*out)[*count] == NULL)
            return error_memory(err, "a schema");
        ++*count;
    }
    return OK;
}

static enum status take_columns(const struct json_key *key,
                                const struct json_value *value, void *target,
                                struct error *err)
{
    struct vault_schema *schema = target;

    return take_strings(key, value, &schema->column, &schema->column_count,
                        err);
}

static enum status take_missing(const struct json_key *key,
                                const struct json_value *value, void *target,
                                struct error *err)
{
    struct vault_schema *schema = target;

    return take_strings(key, value, &schema->missing, &schema->missing_count,
                        err);
}

static enum status take_delimiter(const struct json_key *key,
                                  const struct json_value *value, void *target,
                                  struct error *err)
{
    struct vault_schema *schema = target;

    if (strlen(json_string(value)) != 1)
        return json_refuse(key, value, "is too long or empty", err);
    schema->delimiter = json_string(value)[0];
    return OK;
}

static enum status take_newline(const struct json_key *key,
                                const struct json_value *value, void *target,
                                struct error *err)
{
    struct vault_schema *schema = target;
    const char *newline = json_string(value);

    if (strlen(newline) >= sizeof schema->newline)
        return json_refuse(key, value, "is too long", err);
    memcpy(schema->newline, newline, strlen(newline) + 1);
    return OK;
}

static enum status take_version(const struct json_key *key,
                                const struct json_value *value, void *target,
                                struct error *err)
{
    int64_t version = 0;

    (void)target;
    if (!json_integer(value, &version) || version != SCHEMA_VERSION)
        return json_refuse(key, value, "is another", err);
    return OK;
}

static const struct json_key keys[] = {
    {.name = "columns",
     .kind = JSON_ARRAY,
     .expected = "an array of names",
     .max = TABLE_COLUMNS_MAX - 1,
     .required = true,
     .take = take_columns},
    {.name = "delimiter",
     .kind = JSON_STRING,
     .expected = "one character",
     .required = true,
     .take = take_delimiter},
    {.name = "missing",
     .kind = JSON_ARRAY,
     .expected = "an array of tokens",
     .max = MISSING_TOKENS_MAX,
     .required = true,
     .take = take_missing},
    {.name = "newline",
     .kind = JSON_STRING,
     .expected = "LF or CR and LF",
     .required = true,
     .take = take_newline},
    {.name = "schema",
     .kind = JSON_NUMBER,
     .expected = "1, the version of this format",
     .required = true,
     .take = take_version},
    {.name = "subject",
     .kind = JSON_STRING,
     .expected = "a name",
     .required = true,
     .take = json_take_string,
     .offset = offsetof(struct vault_schema, subject)},
};

enum status vault_schema_decode(struct vault_schema *schema, struct bytes bytes,
                                struct error *err)
{
    struct json *json = NULL;
    struct text again;
    enum status status;

    text_init(&again);
    vault_schema_init(schema);
    status = json_parse(&json, bytes, err);
    if (status == OK && json_kind(json_root(json)) != JSON_OBJECT)
        status = error_set(err, E_INPUT, "is %s, expected an object",
                           json_kind_name(json_kind(json_root(json))));
    if (status == OK)
        status = json_take_object(json_root(json), keys,
                                  sizeof keys / sizeof keys[0], schema, err);
    if (status != OK) {
        status = error_wrap(err, "schema");
        goto done;
    }
    status = vault_schema_encode(schema, &again, err);
    if (status == OK && !bytes_equal(text_bytes(&again), bytes))
        status =
            error_set(err, E_INPUT, "schema: is not written in its one form");
done:
    if (status != OK)
        vault_schema_clear(schema);
    json_destroy(&json);
    text_clear(&again);
    return status;
}
