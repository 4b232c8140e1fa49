#include "tests/lib/oracle_internal.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Euler's constant and ln 2, to more digits than a double has. */
#define EULER_GAMMA 0.57721566490153286060651209008
#define LN_2 0.69314718055994530941723212146

int oracle_compare_strings(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int compare_descending(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;

    return (x < y) - (x > y);
}

/* How often each value of a column stands in some rows, the largest count
 * first; returns how many values there are. */
static size_t count_values(const struct oracle_task *task, size_t column,
                           const size_t *row, size_t row_count, size_t *count)
{
    const char **value = oracle_allocate(row_count, sizeof(char *));
    size_t distinct = 0;

    for (size_t i = 0; i < row_count; i++)
        value[i] = oracle_plain_value(task, oracle_cell(task, row[i], column));
    qsort(value, row_count, sizeof(char *), oracle_compare_strings);
    for (size_t i = 0; i < row_count; i++) {
        if (i == 0 || strcmp(value[i - 1], value[i]) != 0)
            count[distinct++] = 0;
        count[distinct - 1]++;
    }
    qsort(count, distinct, sizeof(size_t), compare_descending);
    free(value);
    return distinct;
}

/* Grassberger's G, which stands for ln n in his entropy estimator ("Entropy
 * estimates from insufficient samplings", arXiv:physics/0307138): exact by its
 * recursion G(2i) = G(2i - 2) + 2 / (2i - 1), G(2i + 1) = G(2i), up to 100, and
 * by its asymptotic series above. */
static double grassberger(size_t n)
{
    double even, m;

    if (n <= 100) {
        /* Rounded as docs/privacy.md says: from 2 - gamma - ln 2 upwards. */
        double g = n == 1 ? -EULER_GAMMA - LN_2 : 2 - EULER_GAMMA - LN_2;

        for (size_t i = 2; i <= n / 2; i++)
            g += 2.0 / (double)(2 * i - 1);
        return g;
    }
    even = (double)(n - n % 2);
    m = 1 / ((even / 2) * (even / 2));
    return log(even) + m * (1.0 / 24 - m * (7.0 / 960 - m * (31.0 / 8064)));
}

static double logarithm(enum entropy_estimator estimator, size_t n)
{
    return estimator == ESTIMATOR_GRASSBERGER ? grassberger(n) : log((double)n);
}

static double entropy_sum(enum entropy_estimator estimator, const size_t *count,
                          size_t distinct)
{
    double sum = 0;

    for (size_t i = 0; i < distinct; i++)
        sum += (double)count[i] * logarithm(estimator, count[i]);
    return sum;
}

static bool is_entropy_diverse(const struct oracle_model *model,
                               const size_t *count, size_t distinct,
                               size_t size)
{
    if ((double)distinct < ceil(model->l))
        return false;
    return (double)size * (logarithm(model->estimator, size) - log(model->l)) >=
           entropy_sum(model->estimator, count, distinct);
}

static bool is_recursive_diverse(const struct oracle_model *model,
                                 const size_t *count, size_t distinct)
{
    size_t tail = 0;

    if ((double)distinct < model->l)
        return false;
    for (size_t i = (size_t)model->l - 1; i < distinct; i++)
        tail += count[i];
    return (double)count[0] < model->c * (double)tail;
}

static bool satisfies(const struct oracle_task *task,
                      const struct oracle_model *model, const size_t *row,
                      size_t size, size_t population)
{
    size_t *count, distinct;
    double distance;
    bool yes = false;

    if (model->model == MODEL_K_ANONYMITY)
        return size >= model->k;
    if (privacy_model_is_of_sample(model->model))
        return true; /* oracle_sample.c */
    if (model->model == MODEL_DELTA_PRESENCE || model->model == MODEL_K_MAP)
        return oracle_population_holds(task, model, size, population);
    if (privacy_model_compares(model->model))
        return oracle_is_near(task, model, row, size, &distance);
    count = oracle_allocate(size, sizeof(size_t));
    distinct = count_values(task, model->column, row, size, count);
    switch (model->model) {
    case MODEL_DISTINCT_L_DIVERSITY:
        yes = (double)distinct >= ceil(model->l);
        break;
    case MODEL_ENTROPY_L_DIVERSITY:
        yes = is_entropy_diverse(model, count, distinct, size);
        break;
    case MODEL_RECURSIVE_CL_DIVERSITY:
        yes = is_recursive_diverse(model, count, distinct);
        break;
    case MODEL_K_ANONYMITY:
    case MODEL_T_CLOSENESS_EQUAL:
    case MODEL_T_CLOSENESS_ORDERED:
    case MODEL_T_CLOSENESS_HIERARCHICAL:
    case MODEL_DELTA_DISCLOSURE:
    case MODEL_BASIC_BETA_LIKENESS:
    case MODEL_ENHANCED_BETA_LIKENESS:
    case MODEL_DELTA_PRESENCE:
    case MODEL_K_MAP:
    case MODEL_AVERAGE_RISK:
    case MODEL_SAMPLE_UNIQUENESS:
    case MODEL_POPULATION_UNIQUENESS:
        abort();
    }
    free(count);
    return yes;
}

bool oracle_satisfies_all(const struct oracle_task *task, const size_t *row,
                          size_t size, size_t population)
{
    for (size_t i = 0; i < task->model_count; i++)
        if (!satisfies(task, &task->model[i], row, size, population))
            return false;
    return true;
}

double oracle_entropy_l(const struct oracle *oracle, const size_t *level,
                        size_t row, size_t column,
                        enum entropy_estimator estimator)
{
    const struct oracle_task *task = oracle->task;
    size_t *member = oracle_allocate(task->row_count, sizeof(size_t));
    size_t *count = oracle_allocate(task->row_count, sizeof(size_t));
    size_t size = oracle_find_group(oracle, level, row, member);
    size_t distinct = count_values(task, column, member, size, count);
    double sum = entropy_sum(estimator, count, distinct);

    free(count);
    free(member);
    return exp(logarithm(estimator, size) - sum / (double)size);
}
