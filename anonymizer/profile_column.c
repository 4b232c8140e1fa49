#include "anonymizer/profile_column.h"

#include <assert.h>
#include <stdlib.h>

#include "anonymizer/csv.h"
#include "anonymizer/profile_date.h"
#include "anonymizer/profile_value.h"
#include "common/limits.h"
#include "common/number.h"

static const char *const missing_tokens[] = {
#define MISSING_TOKEN(token) token,
    PROFILE_MISSING_TABLE(MISSING_TOKEN)
#undef MISSING_TOKEN
};

#define TOKEN_COUNT (sizeof missing_tokens / sizeof *missing_tokens)
#define TOKEN_SIZE_MAX 4

/* Rows for which a column first gets room. */
#define ROWS_FIRST 1024

uint32_t profile_column_distinct(const struct profile_column *column)
{
    return column->dictionary.code_count - 1;
}

struct bytes profile_column_value(const struct profile_column *column,
                                  uint32_t code)
{
    assert(code > 0);
    return dictionary_text(&column->dictionary, code);
}

/* ---- a cell ---- */

static enum status grow_cells(struct profile_column *column, struct error *err)
{
    uint64_t capacity =
        column->cell_capacity == 0 ? ROWS_FIRST : 2 * column->cell_capacity;
    void *cell = reallocarray(column->cell, capacity, column->width);

    if (cell == NULL)
        return error_memory(err, "the cells of a column");
    column->cell = cell;
    column->cell_capacity = capacity;
    return OK;
}

/* Codes no longer fit: the same in twice the width. */
static enum status widen(struct profile_column *column, uint64_t rows,
                         struct error *err)
{
    struct profile_column wide = *column;

    wide.width = 2 * column->width;
    wide.cell = reallocarray(NULL, column->cell_capacity, wide.width);
    if (wide.cell == NULL)
        return error_memory(err, "the cells of a column");
    for (uint64_t row = 0; row < rows; row++) {
        uint32_t code = profile_column_code(column, row);

        if (wide.width == 2)
            ((uint16_t *)wide.cell)[row] = (uint16_t)code;
        else
            ((uint32_t *)wide.cell)[row] = code;
    }
    free(column->cell);
    *column = wide;
    return OK;
}

static enum status put_code(struct profile_column *column, uint64_t row,
                            uint32_t code, struct error *err)
{
    if (row == column->cell_capacity && grow_cells(column, err) != OK)
        return err->status;
    while (column->width < 4 && code >> (8 * column->width) != 0)
        if (widen(column, row, err) != OK)
            return err->status;
    if (column->width == 1)
        ((uint8_t *)column->cell)[row] = (uint8_t)code;
    else if (column->width == 2)
        ((uint16_t *)column->cell)[row] = (uint16_t)code;
    else
        ((uint32_t *)column->cell)[row] = code;
    return OK;
}

static enum status add_code(struct profile_column *column, struct bytes value,
                            uint32_t *code, struct error *err)
{
    if (dictionary_add(&column->dictionary, value, code, err) != OK)
        return err->status;
    if (*code >= column->rows_capacity) {
        uint32_t capacity = 2 * (*code + 32);
        uint64_t *rows =
            reallocarray(column->rows, capacity, sizeof *column->rows);

        if (rows == NULL)
            return error_memory(err, "the counts of a column");
        column->rows = rows;
        column->rows_capacity = capacity;
    }
    column->rows[*code] = 0;
    return OK;
}

static bool is_full(const struct profile_column *column, struct bytes value)
{
    return column->dictionary.code_count > PROFILE_DISTINCT_MAX ||
           column->dictionary.bytes.size + value.size > PROFILE_TEXT_MAX;
}

static void exceed(struct profile_column *column)
{
    free(column->cell);
    column->cell = NULL;
    column->cell_capacity = 0;
    column->exceeded = true;
}

static enum status take_cell(struct profile_column *column, struct bytes value,
                             uint64_t row, struct error *err)
{
    uint32_t code;

    if (column->exceeded) {
        if (value.size <= TOKEN_SIZE_MAX &&
            dictionary_find(&column->dictionary, value) == 0)
            column->missing++;
        return OK;
    }
    code = dictionary_find(&column->dictionary, value);
    if (code == DICTIONARY_NONE) {
        if (is_full(column, value)) {
            exceed(column);
            return OK;
        }
        if (add_code(column, value, &code, err) != OK)
            return err->status;
    }
    assert(column->rows != NULL); /* of the token for missing, at the least */
    column->missing += code == 0;
    column->repeats = column->repeats || (code != 0 && column->rows[code] > 0);
    column->rows[code]++;
    return put_code(column, row, code, err);
}

/* ---- the header ---- */

static bool looks_like_value(struct bytes name)
{
    struct profile_date date;
    double number;

    for (enum date_format i = 0; i < DATE_FORMAT_COUNT; i++)
        if (i != DATE_FORMAT_BASIC && profile_date_parse(i, name, &date))
            return true;
    if (profile_value_has_form(FORM_email, name))
        return true;
    return memchr(name.data, '.', name.size) != NULL &&
           number_parse_double(name, -1e300, 1e300, &number);
}

static enum status refuse_header(const char *name, size_t column,
                                 const char *why, struct error *err)
{
    return error_set(err, E_INPUT,
                     "%s: line 1, column %zu: %s: it looks like a record, not "
                     "like the names of the columns; expected a header line "
                     "(--header says that it is one)",
                     name, column + 1, why);
}

static enum status begin(struct profile_columns *columns,
                         const struct csv_record *header, struct error *err)
{
    columns->at = calloc(header->count, sizeof *columns->at);
    if (columns->at == NULL)
        return error_memory(err, "the columns of a profile");
    for (; columns->count < header->count; columns->count++) {
        struct profile_column *column = &columns->at[columns->count];
        struct bytes name = header->field[columns->count].value;
        uint32_t code;

        column->width = 1;
        dictionary_init(&column->dictionary);
        column->name = malloc(name.size + 1);
        if (column->name == NULL)
            return error_memory(err, "the name of a column");
        memcpy(column->name, name.data, name.size);
        column->name[name.size] = '\0';
        if (add_code(column, bytes_of_string(missing_tokens[0]), &code, err) !=
            OK)
            return err->status;
        for (size_t i = 1; i < TOKEN_COUNT; i++)
            if (dictionary_alias(&column->dictionary,
                                 bytes_of_string(missing_tokens[i]), code,
                                 err) != OK)
                return err->status;
    }
    return OK;
}

static enum status check_header(const struct profile_columns *columns,
                                const char *name, struct error *err)
{
    for (size_t i = 0; i < columns->count; i++) {
        const struct profile_column *column = &columns->at[i];
        struct bytes words = bytes_of_string(column->name);
        uint32_t code = dictionary_find(&column->dictionary, words);

        if (looks_like_value(words))
            return refuse_header(name, i, "a number, a date or an address",
                                 err);
        if (code != DICTIONARY_NONE && code != 0)
            return refuse_header(name, i, "one of the column's values", err);
    }
    return OK;
}

static enum status read_rows(struct profile_columns *columns,
                             struct csv_reader *reader, const char *name,
                             struct error *err)
{
    const struct csv_record *record;

    for (;;) {
        if (csv_next(reader, &record, err) != OK)
            return err->status;
        if (record == NULL)
            break;
        if (columns->rows == TABLE_ROWS_MAX)
            return error_set(err, E_LIMIT, "%s: more than %u rows", name,
                             TABLE_ROWS_MAX);
        for (size_t i = 0; i < columns->count; i++)
            if (take_cell(&columns->at[i], record->field[i].value,
                          columns->rows, err) != OK)
                return err->status;
        columns->rows++;
    }
    if (columns->rows == 0)
        return error_set(err, E_INPUT, "%s: the table has no rows", name);
    return OK;
}

enum status profile_columns_read(struct profile_columns *columns, int fd,
                                 const char *name,
                                 struct profile_columns_options options,
                                 struct error *err)
{
    struct csv_reader *reader = NULL;
    enum status status;

    *columns = (struct profile_columns){.rows = 0};
    status = csv_open(&reader, fd, name, (struct csv_options){0}, err);
    if (status != OK)
        return status;
    status = begin(columns, csv_header(reader), err);
    if (status == OK)
        status = read_rows(columns, reader, name, err);
    if (status == OK && !options.any_header)
        status = check_header(columns, name, err);
    csv_close(&reader);
    if (status != OK)
        profile_columns_clear(columns);
    return status;
}

void profile_columns_clear(struct profile_columns *columns)
{
    for (size_t i = 0; i < columns->count; i++) {
        struct profile_column *column = &columns->at[i];

        free(column->name);
        dictionary_clear(&column->dictionary);
        free(column->rows);
        free(column->cell);
    }
    free(columns->at);
    *columns = (struct profile_columns){.rows = 0};
}
