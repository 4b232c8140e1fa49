#include "tests/lib/oracle_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Rows of a list (NULL: of the whole table) with this value. */
static size_t count_value(const struct oracle_task *task, size_t column,
                          const size_t *row, size_t row_count,
                          const char *value)
{
    size_t count = 0;

    for (size_t i = 0; i < row_count; i++)
        if (strcmp(
                oracle_plain_value(
                    task, oracle_cell(task, row == NULL ? i : row[i], column)),
                value) == 0)
            count++;
    return count;
}

/* The distinct values of a column of the whole table, in order of their
 * bytes. */
static const char **all_values(const struct oracle_task *task, size_t column,
                               size_t *count)
{
    const char **value = oracle_allocate(task->row_count, sizeof(char *));

    *count = 0;
    for (size_t i = 0; i < task->row_count; i++)
        value[i] = oracle_plain_value(task, oracle_cell(task, i, column));
    qsort(value, task->row_count, sizeof(char *), oracle_compare_strings);
    for (size_t i = 0; i < task->row_count; i++)
        if (i == 0 || strcmp(value[*count - 1], value[i]) != 0)
            value[(*count)++] = value[i];
    return value;
}

/* Row of the domain that a value has, by itself or as a missing one. */
static size_t domain_row(const struct oracle_task *task, size_t column,
                         const char *value)
{
    const struct oracle_column *of = &task->column[column];

    for (size_t row = 0; row < of->domain_rows; row++)
        if (strcmp(oracle_plain_value(task, of->domain[row * of->levels]),
                   value) == 0)
            return row;
    abort();
}

/* Is value a before value b? */
static bool is_before(const struct oracle_task *task, size_t column,
                      const char *a, const char *b)
{
    enum value_type type = task->column[column].type;

    if (type == TYPE_ORDINAL)
        return domain_row(task, column, a) < domain_row(task, column, b);
    if ((type == TYPE_INTEGER || type == TYPE_DECIMAL) &&
        strtod(a, NULL) != strtod(b, NULL))
        return strtod(a, NULL) < strtod(b, NULL);
    return strcmp(a, b) < 0;
}

/* By taking the first of what is left, again and again. */
static void sort_values(const struct oracle_task *task, size_t column,
                        const char **value, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = i + 1; j < count; j++)
            if (is_before(task, column, value[j], value[i])) {
                const char *moving = value[i];

                value[i] = value[j];
                value[j] = moving;
            }
}

/* (q - P) N c of each value: whole numbers, exact for what tests hold. */
static double *differences(const struct oracle_task *task, size_t column,
                           const size_t *row, size_t size,
                           const char *const *value, size_t count)
{
    double *difference = oracle_allocate(count, sizeof(double));

    for (size_t i = 0; i < count; i++)
        difference[i] =
            (double)(task->row_count *
                     count_value(task, column, row, size, value[i])) -
            (double)(size * count_value(task, column, NULL, task->row_count,
                                        value[i]));
    return difference;
}

/* 1/2 sum |d_i| */
static double equal_distance(const double *difference, size_t count)
{
    double sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += fabs(difference[i]);
    return sum / 2;
}

/* sum |d_1 + ... + d_i|: what is carried from each value to the next. */
static double steps_distance(const double *difference, size_t count)
{
    double carried = 0, sum = 0;

    for (size_t i = 0; i < count; i++) {
        carried += difference[i];
        sum += fabs(carried);
    }
    return sum;
}

/* The label of a value at a level of its column's domain. */
static const char *label_of(const struct oracle_task *task, size_t column,
                            const char *value, size_t level)
{
    return task->column[column]
        .domain[domain_row(task, column, value) * task->column[column].levels +
                level];
}

/* Below the node over `value[of]` at this level: sums of what its children have
 * too much and too little; returns the level's number times what meets there,
 * and the same of all nodes below.  *extra is what goes on upwards. */
static double meet(const struct oracle_task *task, size_t column,
                   const char *const *value, const double *difference,
                   size_t count, size_t of, size_t level, double *extra)
{
    const char *label = label_of(task, column, value[of], level);
    bool *done = oracle_allocate(count, sizeof(bool));
    double gains = 0, losses = 0, sum = 0;

    *extra = difference[of];
    for (size_t i = 0; level > 0 && i < count; i++) {
        const char *child = label_of(task, column, value[i], level - 1);
        double below;

        if (done[i] ||
            strcmp(label_of(task, column, value[i], level), label) != 0)
            continue;
        for (size_t j = i; j < count; j++)
            done[j] =
                done[j] ||
                strcmp(label_of(task, column, value[j], level - 1), child) == 0;
        sum +=
            meet(task, column, value, difference, count, i, level - 1, &below);
        gains += fmax(below, 0);
        losses += fmax(-below, 0);
        *extra = gains - losses;
    }
    free(done);
    return sum + (double)level * fmin(gains, losses);
}

/* The mean of j / h times what meets at level j, in a tree. */
static double tree_distance(const struct oracle_task *task, size_t column,
                            const char *const *value, const double *difference,
                            size_t count, double unit)
{
    size_t height = task->column[column].levels - 1;
    double extra;

    if (height == 0)
        return 0;
    return meet(task, column, value, difference, count, 0, height, &extra) /
           ((double)height * unit);
}

/* The largest |log2(q / P)| of the values that some rows have. */
static double largest_change(const struct oracle_task *task,
                             const struct oracle_model *model,
                             const size_t *row, size_t size)
{
    size_t count;
    const char **value = all_values(task, model->column, &count);
    double largest = 0;

    for (size_t i = 0; i < count; i++) {
        size_t here = count_value(task, model->column, row, size, value[i]);
        size_t whole =
            count_value(task, model->column, NULL, task->row_count, value[i]);

        if (here > 0)
            largest = fmax(largest, fabs(log2((double)(here * task->row_count) /
                                              (double)(whole * size))));
    }
    free(value);
    return largest;
}

/* Is the growth of each value's share at most beta, and if enhanced, at most
 * -ln P?  *largest is the largest growth. */
static bool is_like(const struct oracle_task *task,
                    const struct oracle_model *model, const size_t *row,
                    size_t size, double *largest)
{
    size_t count;
    const char **value = all_values(task, model->column, &count);
    double *difference =
        differences(task, model->column, row, size, value, count);
    bool like = true;

    *largest = 0;
    for (size_t i = 0; i < count; i++) {
        size_t whole =
            count_value(task, model->column, NULL, task->row_count, value[i]);
        double growth = difference[i] / (double)(whole * size);
        double share = (double)whole / (double)task->row_count;

        if (growth > 0 && (growth > model->beta ||
                           (model->model == MODEL_ENHANCED_BETA_LIKENESS &&
                            growth > -log(share))))
            like = false;
        *largest = fmax(*largest, growth);
    }
    free(value);
    free(difference);
    return like;
}

/* How far some rows are from the whole table. */
static double distance_of(const struct oracle_task *task,
                          const struct oracle_model *model, const size_t *row,
                          size_t size)
{
    bool in_order = model->model == MODEL_T_CLOSENESS_ORDERED;
    size_t count, unit = task->row_count * size;
    const char **value = all_values(task, model->column, &count);
    double *difference, distance;

    if (in_order)
        sort_values(task, model->column, value, count);
    difference = differences(task, model->column, row, size, value, count);
    if (in_order)
        distance = count == 1 ? 0
                              : steps_distance(difference, count) /
                                    (double)((count - 1) * unit);
    else if (model->model == MODEL_T_CLOSENESS_HIERARCHICAL)
        distance = tree_distance(task, model->column, value, difference, count,
                                 (double)unit);
    else
        distance = equal_distance(difference, count) / (double)unit;
    free(value);
    free(difference);
    return distance;
}

bool oracle_is_near(const struct oracle_task *task,
                    const struct oracle_model *model, const size_t *row,
                    size_t size, double *distance)
{
    if (model->model >= MODEL_BASIC_BETA_LIKENESS)
        return is_like(task, model, row, size, distance);
    if (model->model == MODEL_DELTA_DISCLOSURE) {
        *distance = largest_change(task, model, row, size);
        return *distance < model->delta;
    }
    *distance = distance_of(task, model, row, size);
    return *distance <= model->t;
}

double oracle_group_distance(const struct oracle *oracle, const size_t *level,
                             size_t row, const struct oracle_model *model)
{
    size_t *member = oracle_allocate(oracle->task->row_count, sizeof(size_t));
    size_t size = oracle_find_group(oracle, level, row, member);
    double distance;

    oracle_is_near(oracle->task, model, member, size, &distance);
    free(member);
    return distance;
}
