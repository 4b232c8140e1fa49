/*
 * Models of all released groups together, by their words: the groups as a list
 * in the order in which they go, the cut tried step by step as docs/privacy.md
 * says, and every condition counted from the list each time.
 */
#include "tests/lib/oracle_internal.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "anonymizer/population.h"

/* One group that other models left. */
struct group {
    size_t size;
    size_t first_row; /* the least of its rows */
    double loss[ORACLE_QI_MAX];
    size_t loss_count;
    bool out;
};

struct groups {
    const struct oracle *oracle;
    struct group *group;
    size_t count;
};

static int compare_descending_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x < y) - (x > y);
}

/* Rows times the share of the domain, for each quasi-identifier; aggregated. */
static void group_loss(const struct oracle *oracle, const size_t *level,
                       struct group *group)
{
    double m = (double)oracle->dimension_count, sum = 0, most = 0, product = 1;

    if (oracle->task->metric != METRIC_LOSS)
        return; /* they know none of one group */
    group->loss_count = 1;
    for (size_t d = 0; d < oracle->dimension_count; d++) {
        const struct oracle_dimension *dimension = &oracle->dimension[d];
        double share =
            (double)dimension->leaves[level[d] * dimension->rows +
                                      dimension->place[group->first_row]] /
            (double)dimension->rows;
        double x = (double)group->size * share, a = dimension->weight;

        if (oracle->task->aggregate == AGGREGATE_ARITHMETIC_MEAN)
            sum += x / m * a;
        else
            sum += a * x;
        most = fmax(most, a * x);
        product *= pow(a * x + 1, 1 / m);
        if (oracle->task->aggregate == AGGREGATE_RANK)
            group->loss[d] = a * x;
    }
    if (oracle->task->aggregate == AGGREGATE_RANK) {
        group->loss_count = oracle->dimension_count;
        qsort(group->loss, group->loss_count, sizeof(double),
              compare_descending_doubles);
    } else if (oracle->task->aggregate == AGGREGATE_MAXIMUM) {
        group->loss[0] = most;
    } else if (oracle->task->aggregate == AGGREGATE_GEOMETRIC_MEAN) {
        group->loss[0] = product - 1;
    } else {
        group->loss[0] = sum;
    }
}

static int compare_groups(const void *a, const void *b)
{
    const struct group *x = a, *y = b;

    if (x->size != y->size)
        return x->size < y->size ? -1 : 1;
    for (size_t i = 0; i < x->loss_count; i++)
        if (x->loss[i] != y->loss[i])
            return x->loss[i] < y->loss[i] ? -1 : 1;
    return (x->first_row > y->first_row) - (x->first_row < y->first_row);
}

/* The estimate, of a list of sizes that ascends. */
static bool population_is_safe(const struct oracle_model *model,
                               const struct groups *groups, size_t uniques)
{
    struct class_size *entry =
        oracle_allocate(groups->count + 1, sizeof *entry);
    struct population_estimate estimate;
    size_t count = 0;

    for (size_t i = 0; i < groups->count; i++) {
        if (groups->group[i].out)
            continue;
        if (count == 0 || entry[count - 1].size != groups->group[i].size)
            entry[count++].size = groups->group[i].size;
        entry[count - 1].number++;
    }
    estimate =
        population_uniques((struct class_sizes){entry, count},
                           model->population, model->population_estimator);
    free(entry);
    if (estimate.state != POPULATION_KNOWN)
        return false;
    if (estimate.uniques == 0)
        return uniques == 0;
    return estimate.uniques / model->population <= model->threshold;
}

static bool satisfies_together(const struct oracle_model *model,
                               const struct groups *groups)
{
    double classes = 0, rows = 0, at_risk = 0, least = 0;
    size_t uniques = 0;

    if (model->highest_risk > 0) {
        least = floor(1 / model->highest_risk);
        if (1 / least - model->highest_risk >= 0.01 * model->highest_risk)
            least++;
    }
    for (size_t i = 0; i < groups->count; i++) {
        double size = (double)groups->group[i].size;

        if (groups->group[i].out)
            continue;
        classes++;
        rows += size;
        uniques += size == 1;
        at_risk += size < least ? size : 0;
    }
    if (classes == 0)
        return true;
    if (model->model == MODEL_SAMPLE_UNIQUENESS)
        return (double)uniques / rows <= model->threshold;
    if (model->model == MODEL_POPULATION_UNIQUENESS)
        return population_is_safe(model, groups, uniques);
    return classes / rows <= model->threshold &&
           (model->highest_risk == 0 ||
            at_risk / rows <= model->records_at_risk);
}

static bool all_together(const struct groups *groups)
{
    const struct oracle_task *task = groups->oracle->task;

    for (size_t i = 0; i < task->model_count; i++)
        if (privacy_model_is_of_sample(task->model[i].model) &&
            !satisfies_together(&task->model[i], groups))
            return false;
    return true;
}

static void set_out(struct groups *groups, long from, long to, bool out)
{
    for (long i = from; i <= to; i++)
        groups->group[i].out = out;
}

/* The bisection as ARX does it, on the list itself; division goes towards 0. */
static void cut(struct groups *groups)
{
    long low = 0, high = (long)groups->count - 1, middle = (low + high) / 2;

    if (all_together(groups))
        return;
    set_out(groups, 0, middle, true);
    while (low <= high) {
        if (all_together(groups)) {
            high = middle - 1;
            middle = (low + high) / 2;
            set_out(groups, middle + 1, (long)groups->count - 1, false);
        } else {
            low = middle + 1;
            middle = (low + high) / 2;
            set_out(groups, low, middle, true);
        }
    }
    if (!all_together(groups))
        set_out(groups, middle + 1, middle + 1, true);
    if (!all_together(groups))
        abort();
}

static bool has_models(const struct oracle_task *task)
{
    for (size_t i = 0; i < task->model_count; i++)
        if (privacy_model_is_of_sample(task->model[i].model))
            return true;
    return false;
}

void oracle_judge_sample(const struct oracle *oracle, const size_t *level,
                         bool *suppressed, struct oracle_figures *figures)
{
    size_t rows = oracle->task->row_count;
    struct groups groups = {oracle, NULL, 0};
    size_t *member;
    bool *seen;

    if (!has_models(oracle->task))
        return;
    member = oracle_allocate(rows, sizeof(size_t));
    seen = oracle_allocate(rows, sizeof(bool));
    groups.group = oracle_allocate(rows, sizeof *groups.group);
    for (size_t row = 0; row < rows; row++) {
        struct group *group = &groups.group[groups.count];

        if (suppressed[row] || seen[row])
            continue;
        group->size = oracle_find_group(oracle, level, row, member);
        group->first_row = row;
        for (size_t i = 0; i < group->size; i++)
            seen[member[i]] = true;
        group_loss(oracle, level, group);
        groups.count++;
    }
    qsort(groups.group, groups.count, sizeof *groups.group, compare_groups);
    cut(&groups);
    figures->count = figures->min = figures->max = figures->uniques = 0;
    for (size_t i = 0; i < groups.count; i++) {
        struct group *group = &groups.group[i];

        if (!group->out) {
            oracle_add_class(figures, group->size);
            continue;
        }
        oracle_find_group(oracle, level, group->first_row, member);
        figures->suppressed += group->size;
        for (size_t k = 0; k < group->size; k++)
            suppressed[member[k]] = true;
    }
    free(groups.group);
    free(seen);
    free(member);
}
