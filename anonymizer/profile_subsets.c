#include "anonymizer/profile_subsets.h"

#include <assert.h>
#include <stdlib.h>

#define NO_CLASS UINT64_MAX

static struct profile_separation figures(const uint64_t *size, uint64_t classes,
                                         uint64_t skip)
{
    struct profile_separation found = {0, 0, 0};
    uint64_t n = 0;
    double same = 0;

    for (uint64_t i = 0; i < classes; i++) {
        if (i == skip || size[i] == 0)
            continue;
        found.classes++;
        n += size[i];
        /* Below 2^64: rows are 32 bits. */
        same += (double)(size[i] * (size[i] - 1));
    }
    if (n > 0)
        found.distinction = (double)found.classes / (double)n;
    if (n > 1)
        found.separation = 1 - same / (double)(n * (n - 1));
    return found;
}

static uint32_t star_code(const struct profile_column *column)
{
    uint32_t code = dictionary_find(&column->dictionary, bytes_of_string("*"));

    return code == DICTIONARY_NONE ? KEY_NO_CODE : code;
}

struct profile_separation
profile_column_separation(const struct profile_column *column)
{
    uint32_t star = star_code(column);

    assert(!column->exceeded);
    return figures(column->rows, column->dictionary.code_count,
                   star == KEY_NO_CODE ? NO_CLASS : star);
}

/* ---- rows to tuples ---- */

struct tuples {
    uint32_t count;
    uint64_t *rows; /* [tuple] */
    uint32_t *rows32;
    uint32_t *codes;                            /* of all columns */
    uint32_t *code[PROFILE_SUBSET_COLUMNS_MAX]; /* [tuple], there */
    uint32_t code_count[PROFILE_SUBSET_COLUMNS_MAX];
    uint32_t missing[PROFILE_SUBSET_COLUMNS_MAX];
    uint32_t star[PROFILE_SUBSET_COLUMNS_MAX];
};

/* Arrays over all rows. */
struct rows {
    uint64_t count;
    uint32_t *row;   /* itself */
    uint32_t *tuple; /* that it belongs to */
    uint32_t *code;  /* of the column at hand */
    struct refiner refiner;
};

static enum status rows_init(struct rows *rows, uint64_t count,
                             struct error *err)
{
    *rows = (struct rows){.count = count};
    if (refiner_init(&rows->refiner, count, err) != OK)
        return err->status;
    rows->row = malloc(count * sizeof *rows->row);
    rows->tuple = calloc(count, sizeof *rows->tuple);
    rows->code = malloc(count * sizeof *rows->code);
    if (rows->row == NULL || rows->tuple == NULL || rows->code == NULL)
        return error_memory(err, "the tuples of a profile");
    for (uint64_t i = 0; i < count; i++)
        rows->row[i] = (uint32_t)i;
    return OK;
}

static void rows_clear(struct rows *rows)
{
    refiner_clear(&rows->refiner);
    free(rows->row);
    free(rows->tuple);
    free(rows->code);
}

static void number_rows(struct tuples *tuples, struct rows *rows,
                        const struct profile_columns *columns,
                        const uint32_t *column, uint32_t count)
{
    tuples->count = 1;
    for (uint32_t i = 0; i < count; i++) {
        const struct profile_column *at = &columns->at[column[i]];

        for (uint64_t row = 0; row < rows->count; row++)
            rows->code[row] = profile_column_code(at, row);
        tuples->count = refine(&rows->refiner, rows->row, rows->count,
                               rows->tuple, tuples->count, rows->code,
                               at->dictionary.code_count, rows->tuple);
    }
}

static enum status gather(struct tuples *tuples, const struct rows *rows,
                          const struct profile_columns *columns,
                          const uint32_t *column, uint32_t count,
                          struct error *err)
{
    tuples->rows = calloc(tuples->count, sizeof *tuples->rows);
    tuples->rows32 = calloc(tuples->count, sizeof *tuples->rows32);
    tuples->codes =
        calloc((size_t)count * tuples->count + 1, sizeof *tuples->codes);
    if (tuples->rows == NULL || tuples->rows32 == NULL || tuples->codes == NULL)
        return error_memory(err, "the tuples of a profile");
    for (uint64_t row = 0; row < rows->count; row++) {
        tuples->rows[rows->tuple[row]]++;
        tuples->rows32[rows->tuple[row]]++;
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct profile_column *at = &columns->at[column[i]];

        tuples->code[i] = tuples->codes + (size_t)i * tuples->count;
        for (uint64_t row = 0; row < rows->count; row++)
            tuples->code[i][rows->tuple[row]] = profile_column_code(at, row);
        tuples->code_count[i] = at->dictionary.code_count;
        tuples->missing[i] = KEY_NO_CODE; /* one value like any other */
        tuples->star[i] = star_code(at);
    }
    return OK;
}

static void tuples_clear(struct tuples *tuples)
{
    free(tuples->rows);
    free(tuples->rows32);
    free(tuples->codes);
}

static enum status make_tuples(struct tuples *tuples,
                               const struct profile_columns *columns,
                               const uint32_t *column, uint32_t count,
                               struct error *err)
{
    struct rows rows;
    enum status status = rows_init(&rows, columns->rows, err);

    if (status == OK) {
        number_rows(tuples, &rows, columns, column, count);
        status = gather(tuples, &rows, columns, column, count, err);
    }
    rows_clear(&rows);
    return status;
}

/* ---- subsets ---- */

/* A tuple is a class of all columns together; the one that is `*` in each is
 * none. */
static struct profile_separation judge_all(const struct tuples *tuples,
                                           uint32_t count)
{
    uint64_t star = NO_CLASS;

    for (uint32_t i = 0; i < tuples->count && star == NO_CLASS; i++) {
        bool all = true;

        for (uint32_t j = 0; j < count && all; j++)
            all = tuples->code[j][i] == tuples->star[j];
        if (all)
            star = i;
    }
    return figures(tuples->rows, tuples->count, star);
}

/* How far the sizes go: those of one more are all measured, or none. */
static uint32_t affordable(uint32_t count, uint32_t size, uint64_t tuples)
{
    uint64_t subsets = 0, of_size = 1;

    for (uint32_t i = 1; i <= size; i++) {
        of_size = of_size * (count - i + 1) / i;
        subsets += of_size;
        if (i > 1 && (subsets * tuples > PROFILE_STEPS_MAX ||
                      subsets > ATTRIBUTE_SUBSETS_MAX))
            return i - 1;
    }
    return size;
}

static enum status measure(struct profile_subsets *subsets,
                           const struct tuples *tuples, uint32_t count,
                           uint32_t size, struct error *err)
{
    struct key_table table = {.column_count = count,
                              .tuple_count = tuples->count,
                              .code = (const uint32_t *const *)tuples->code,
                              .code_count = tuples->code_count,
                              .missing = tuples->missing,
                              .rows = tuples->rows32};

    subsets->tuples = tuples->count;
    subsets->all = judge_all(tuples, count);
    size = size < count ? size : count;
    subsets->size_measured = affordable(count, size, tuples->count);
    subsets->limited = subsets->size_measured < size;
    if (size == 0)
        return OK;
    return attribute_subsets(&table, tuples->star, subsets->size_measured, NULL,
                             &subsets->at, &subsets->count, err);
}

enum status profile_subsets_measure(struct profile_subsets *subsets,
                                    const struct profile_columns *columns,
                                    const uint32_t *column, uint32_t count,
                                    uint32_t size, struct error *err)
{
    struct tuples tuples = {.count = 0};
    enum status status;

    assert(count <= PROFILE_SUBSET_COLUMNS_MAX);
    *subsets = (struct profile_subsets){.columns = count};
    if (count == 0)
        return OK;
    memcpy(subsets->column, column, count * sizeof *column);
    status = make_tuples(&tuples, columns, column, count, err);
    if (status == OK)
        status = measure(subsets, &tuples, count, size, err);
    tuples_clear(&tuples);
    if (status != OK)
        profile_subsets_clear(subsets);
    return status;
}

void profile_subsets_clear(struct profile_subsets *subsets)
{
    free(subsets->at);
    *subsets = (struct profile_subsets){0};
}
