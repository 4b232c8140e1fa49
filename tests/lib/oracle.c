#include "tests/lib/oracle_internal.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int compare_tuples(const void *a, const void *b, void *context)
{
    const struct oracle_tuples *tuples = context;
    size_t row_a = *(const size_t *)a, row_b = *(const size_t *)b;

    for (size_t i = 0; i < tuples->width; i++) {
        int order = strcmp(tuples->tuple[row_a * tuples->width + i],
                           tuples->tuple[row_b * tuples->width + i]);

        if (order != 0)
            return order;
    }
    return 0;
}

size_t *oracle_sorted_rows(struct oracle_tuples *tuples, size_t row_count)
{
    size_t *order = oracle_allocate(row_count, sizeof(size_t));

    for (size_t row = 0; row < row_count; row++)
        order[row] = row;
    qsort_r(order, row_count, sizeof(size_t), compare_tuples, tuples);
    return order;
}

size_t oracle_group_end(struct oracle_tuples *tuples, const size_t *order,
                        size_t from, size_t row_count)
{
    size_t to = from + 1;

    while (to < row_count &&
           compare_tuples(&order[from], &order[to], tuples) == 0)
        to++;
    return to;
}

bool oracle_all_stars(const struct oracle_tuples *tuples, size_t row)
{
    for (size_t i = 0; i < tuples->width; i++)
        if (strcmp(tuples->tuple[row * tuples->width + i], "*") != 0)
            return false;
    return true;
}

void oracle_add_class(struct oracle_figures *figures, size_t size)
{
    if (figures->count == 0 || size < figures->min)
        figures->min = size;
    if (size > figures->max)
        figures->max = size;
    if (size == 1)
        figures->uniques++;
    figures->count++;
}

/* ---- vectors of levels ---- */

static struct oracle_tuples generalize(const struct oracle *oracle,
                                       const size_t *level)
{
    size_t rows = oracle->task->row_count + oracle->task->outside_count;
    size_t width = oracle->dimension_count;
    struct oracle_tuples tuples = {
        oracle_allocate(rows * width, sizeof(char *)), width};

    for (size_t row = 0; row < rows; row++)
        for (size_t d = 0; d < width; d++)
            tuples.tuple[row * width + d] =
                oracle_label(&oracle->dimension[d], level[d], row);
    return tuples;
}

size_t oracle_find_group(const struct oracle *oracle, const size_t *level,
                         size_t row, size_t *member)
{
    struct oracle_tuples tuples = generalize(oracle, level);
    size_t size = 0;

    for (size_t other = 0; other < oracle->task->row_count; other++)
        if (compare_tuples(&row, &other, &tuples) == 0)
            member[size++] = other;
    free(tuples.tuple);
    return size;
}

/* Rows of the table first, those of the population alone behind them; returns
 * how many the former are. */
static size_t rows_first(const struct oracle_task *task, size_t *row,
                         size_t count)
{
    size_t first = 0;

    for (size_t i = 0; i < count; i++)
        if (row[i] < task->row_count) {
            size_t other = row[first];

            row[first++] = row[i];
            row[i] = other;
        }
    return first;
}

bool oracle_judge_groups(const struct oracle *oracle, const size_t *level,
                         bool *suppressed, size_t *group_size,
                         struct oracle_figures *figures)
{
    const struct oracle_task *task = oracle->task;
    struct oracle_tuples tuples = generalize(oracle, level);
    size_t all = task->row_count + task->outside_count, to;
    size_t *order = oracle_sorted_rows(&tuples, all);
    bool possible = true;

    memset(figures, 0, sizeof *figures);
    figures->rows = task->row_count;
    for (size_t from = 0; from < all; from = to) {
        size_t size;

        to = oracle_group_end(&tuples, order, from, all);
        size = rows_first(task, order + from, to - from);
        for (size_t i = from; group_size != NULL && i < from + size; i++)
            group_size[order[i]] = size;
        if (size == 0) {
            possible = possible && oracle_absence_holds(task);
            continue;
        }
        if (!oracle_all_stars(&tuples, order[from]) &&
            oracle_satisfies_all(task, order + from, size, to - from)) {
            oracle_add_class(figures, size);
            continue;
        }
        figures->suppressed += size;
        for (size_t i = from; i < from + size; i++)
            suppressed[order[i]] = true;
    }
    free(order);
    free(tuples.tuple);
    oracle_judge_sample(oracle, level, suppressed, figures);
    return possible;
}

void oracle_judge(const struct oracle *oracle, const size_t *level,
                  struct oracle_verdict *verdict)
{
    const struct oracle_task *task = oracle->task;
    bool *suppressed = oracle_allocate(task->row_count, sizeof(bool));
    size_t *group_size = oracle_allocate(task->row_count, sizeof(size_t));
    double limit = floor(task->suppression_limit * (double)task->row_count);

    memset(verdict, 0, sizeof *verdict);
    verdict->valid = oracle_judge_groups(oracle, level, suppressed, group_size,
                                         &verdict->figures) &&
                     (double)verdict->figures.suppressed <= limit;
    oracle_price(oracle, level, suppressed, group_size, verdict);
    free(group_size);
    free(suppressed);
}

static const struct oracle_column *column_of(const struct oracle *oracle,
                                             size_t d)
{
    return &oracle->task->column[oracle->dimension[d].column];
}

double oracle_lattice_size(const struct oracle *oracle)
{
    double size = 1;

    for (size_t d = 0; d < oracle->dimension_count; d++)
        size *= (double)(column_of(oracle, d)->level_max -
                         column_of(oracle, d)->level_min + 1);
    return size;
}

/* The lexicographically next vector; false after the last. */
static bool next_vector(const struct oracle *oracle, size_t *level)
{
    for (size_t d = oracle->dimension_count; d-- > 0;) {
        if (level[d] < column_of(oracle, d)->level_max) {
            level[d]++;
            return true;
        }
        level[d] = column_of(oracle, d)->level_min;
    }
    return false;
}

static size_t total_level(const struct oracle *oracle, const size_t *level)
{
    size_t total = 0;

    for (size_t d = 0; d < oracle->dimension_count; d++)
        total += level[d];
    return total;
}

static int compare_scores(const struct oracle_verdict *a,
                          const struct oracle_verdict *b)
{
    for (size_t i = 0; i < a->score_count; i++)
        if (a->score[i] != b->score[i])
            return a->score[i] < b->score[i] ? -1 : 1;
    return 0;
}

bool oracle_search(const struct oracle *oracle, size_t *level,
                   struct oracle_verdict *verdict)
{
    size_t at[ORACLE_QI_MAX];
    bool found = false;

    for (size_t d = 0; d < oracle->dimension_count; d++)
        at[d] = column_of(oracle, d)->level_min;
    do {
        struct oracle_verdict here;
        int order;

        oracle_judge(oracle, at, &here);
        if (!here.valid)
            continue;
        order = found ? compare_scores(&here, verdict) : -1;
        /* Vectors come in lexicographic order: the first one stays. */
        if (order < 0 || (order == 0 && total_level(oracle, at) <
                                            total_level(oracle, level))) {
            found = true;
            memcpy(level, at, oracle->dimension_count * sizeof *at);
            *verdict = here;
        }
    } while (next_vector(oracle, at));
    return found;
}
