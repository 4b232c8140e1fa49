#include "tests/lib/oracle_internal.h"

#include <stdlib.h>
#include <string.h>

static bool is_released(enum role role)
{
    return role != ROLE_SUBJECT && role != ROLE_IDENTIFYING;
}

static void table_init(struct oracle_table *table,
                       const struct oracle_task *task)
{
    table->column = oracle_allocate(task->column_count, sizeof(size_t));
    table->column_count = 0;
    table->row_count = 0;
    table->cell =
        oracle_allocate(task->row_count * task->column_count, sizeof(char *));
}

void oracle_table_clear(struct oracle_table *table)
{
    free(table->column);
    free(table->cell);
    memset(table, 0, sizeof *table);
}

void oracle_input(const struct oracle_task *task, struct oracle_table *table)
{
    table_init(table, task);
    for (size_t i = 0; i < task->column_count; i++)
        table->column[table->column_count++] = i;
    table->row_count = task->row_count;
    for (size_t i = 0; i < task->row_count * task->column_count; i++)
        table->cell[i] = task->cell[i];
}

/* The cell of a row that is released under these levels. */
static const char *released_cell(const struct oracle *oracle,
                                 const size_t *level, size_t row, size_t column,
                                 bool suppressed)
{
    for (size_t d = 0; d < oracle->dimension_count; d++)
        if (oracle->dimension[d].column == column)
            return suppressed
                       ? "*"
                       : oracle_label(&oracle->dimension[d], level[d], row);
    return oracle_cell(oracle->task, row, column);
}

void oracle_release(const struct oracle *oracle, const size_t *level,
                    struct oracle_table *table)
{
    const struct oracle_task *task = oracle->task;
    bool *suppressed = oracle_allocate(task->row_count, sizeof(bool));
    struct oracle_figures figures;
    size_t cells = 0;

    table_init(table, task);
    for (size_t i = 0; i < task->column_count; i++)
        if (is_released(task->column[i].role))
            table->column[table->column_count++] = i;
    oracle_judge_groups(oracle, level, suppressed, NULL, &figures);
    for (size_t row = 0; row < task->row_count; row++) {
        if (suppressed[row] && task->drop_suppressed)
            continue;
        for (size_t i = 0; i < table->column_count; i++)
            table->cell[cells++] = released_cell(
                oracle, level, row, table->column[i], suppressed[row]);
        table->row_count++;
    }
    free(suppressed);
}

void oracle_count(const struct oracle_task *task,
                  const struct oracle_table *table,
                  struct oracle_figures *figures)
{
    struct oracle_tuples tuples = {NULL, 0};
    size_t *order, to, filled = 0;

    for (size_t i = 0; i < table->column_count; i++)
        if (task->column[table->column[i]].role == ROLE_QUASI_IDENTIFYING)
            tuples.width++;
    tuples.tuple =
        oracle_allocate(table->row_count * tuples.width, sizeof(char *));
    for (size_t row = 0; row < table->row_count; row++)
        for (size_t i = 0; i < table->column_count; i++)
            if (task->column[table->column[i]].role == ROLE_QUASI_IDENTIFYING)
                tuples.tuple[filled++] = oracle_plain_value(
                    task, table->cell[row * table->column_count + i]);
    order = oracle_sorted_rows(&tuples, table->row_count);
    memset(figures, 0, sizeof *figures);
    figures->rows = table->row_count;
    for (size_t from = 0; from < table->row_count; from = to) {
        to = oracle_group_end(&tuples, order, from, table->row_count);
        if (oracle_all_stars(&tuples, order[from]))
            figures->suppressed += to - from;
        else
            oracle_add_class(figures, to - from);
    }
    free(order);
    free(tuples.tuple);
}
