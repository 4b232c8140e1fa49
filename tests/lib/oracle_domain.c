#include "tests/lib/oracle_internal.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void *oracle_allocate(size_t count, size_t size)
{
    void *memory = calloc(count > 0 ? count : 1, size);

    if (memory == NULL)
        abort();
    return memory;
}

static bool is_missing(const struct oracle_task *task, const char *value)
{
    for (size_t i = 0; i < task->missing_count; i++)
        if (strcmp(task->missing[i], value) == 0)
            return true;
    return false;
}

const char *oracle_plain_value(const struct oracle_task *task,
                               const char *value)
{
    return is_missing(task, value) ? task->missing[0] : value;
}

const char *oracle_cell(const struct oracle_task *task, size_t row,
                        size_t column)
{
    return task->cell[row * task->column_count + column];
}

/* Row of the domain for a value: where it stands; for a missing one where any
 * of the tokens stands. */
static size_t find_place(const struct oracle_task *task,
                         const struct oracle_dimension *dimension,
                         const char *value)
{
    for (size_t row = 0; row < dimension->rows; row++)
        if (strcmp(dimension->label[row], value) == 0)
            return row;
    for (size_t row = 0; is_missing(task, value) && row < dimension->rows;
         row++)
        if (is_missing(task, dimension->label[row]))
            return row;
    abort();
}

static void fill_from_hierarchy(struct oracle_dimension *dimension,
                                const struct oracle_column *column)
{
    dimension->rows = column->domain_rows;
    dimension->levels = column->levels;
    dimension->label =
        oracle_allocate(dimension->rows * dimension->levels, sizeof(char *));
    for (size_t level = 0; level < dimension->levels; level++)
        for (size_t row = 0; row < dimension->rows; row++)
            dimension->label[level * dimension->rows + row] =
                column->domain[row * dimension->levels + level];
}

/* The distinct values of the column, and `*`. */
static void fill_from_table(struct oracle_dimension *dimension,
                            const struct oracle_task *task)
{
    size_t rows = task->row_count + task->outside_count, count = 0;
    const char **value = oracle_allocate(rows, sizeof(char *));

    for (size_t row = 0; row < rows; row++) {
        const char *cell = oracle_cell(task, row, dimension->column);
        bool known = false;

        for (size_t i = 0; i < count && !known; i++)
            known = strcmp(oracle_plain_value(task, value[i]),
                           oracle_plain_value(task, cell)) == 0;
        if (!known)
            value[count++] = cell;
    }
    dimension->rows = count;
    dimension->levels = 2;
    dimension->label = oracle_allocate(count * 2, sizeof(char *));
    for (size_t i = 0; i < count; i++) {
        dimension->label[i] = value[i];
        dimension->label[count + i] = "*";
    }
    free(value);
}

static void count_leaves(struct oracle_dimension *dimension)
{
    size_t rows = dimension->rows;

    dimension->leaves =
        oracle_allocate(rows * dimension->levels, sizeof(size_t));
    for (size_t level = 0; level < dimension->levels; level++)
        for (size_t row = 0; row < rows; row++)
            for (size_t other = 0; other < rows; other++)
                if (strcmp(dimension->label[level * rows + row],
                           dimension->label[level * rows + other]) == 0)
                    dimension->leaves[level * rows + row]++;
}

static void scale_weights(struct oracle *oracle)
{
    double largest = 0;

    for (size_t d = 0; d < oracle->dimension_count; d++)
        largest = fmax(largest, oracle->dimension[d].weight);
    for (size_t d = 0; d < oracle->dimension_count; d++)
        oracle->dimension[d].weight =
            largest > 0 ? oracle->dimension[d].weight / largest : 1;
}

struct oracle *oracle_create(const struct oracle_task *task)
{
    struct oracle *oracle = oracle_allocate(1, sizeof *oracle);
    size_t rows = task->row_count + task->outside_count;

    oracle->task = task;
    for (size_t i = 0; i < task->column_count; i++) {
        const struct oracle_column *column = &task->column[i];
        struct oracle_dimension *dimension;

        if (column->role != ROLE_QUASI_IDENTIFYING)
            continue;
        assert(oracle->dimension_count < ORACLE_QI_MAX);
        dimension = &oracle->dimension[oracle->dimension_count++];
        dimension->column = i;
        dimension->weight = column->weight;
        if (column->domain != NULL)
            fill_from_hierarchy(dimension, column);
        else
            fill_from_table(dimension, task);
        count_leaves(dimension);
        dimension->place = oracle_allocate(rows, sizeof(size_t));
        for (size_t row = 0; row < rows; row++)
            dimension->place[row] =
                find_place(task, dimension, oracle_cell(task, row, i));
        assert(column->level_min <= column->level_max);
        assert(column->level_max < dimension->levels);
    }
    scale_weights(oracle);
    return oracle;
}

void oracle_destroy(struct oracle **oracle)
{
    if (*oracle == NULL)
        return;
    for (size_t d = 0; d < (*oracle)->dimension_count; d++) {
        free((*oracle)->dimension[d].label);
        free((*oracle)->dimension[d].leaves);
        free((*oracle)->dimension[d].place);
    }
    free(*oracle);
    *oracle = NULL;
}

const char *oracle_label(const struct oracle_dimension *dimension, size_t level,
                         size_t row)
{
    return dimension->label[level * dimension->rows + dimension->place[row]];
}
