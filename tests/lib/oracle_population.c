#include "tests/lib/oracle_internal.h"

#include <assert.h>
#include <math.h>

/* Term by term, from the smallest count on; lgamma keeps terms within what a
 * long double holds. */
static long double poisson(long double mean, size_t count)
{
    return expl((long double)count * logl(mean) - mean -
                lgammal((long double)count + 1));
}

/* The loop of docs/privacy.md: count up until so much of the distribution lies
 * at or below the count. */
static size_t estimated_k(const struct oracle_model *model, size_t rows)
{
    bool truncated = model->map == K_MAP_ZERO_TRUNCATED_POISSON;
    long double mean = model->k * ((double)rows / model->population);
    long double all = truncated ? 1 - poisson(mean, 0) : 1, sum = 0;
    size_t count = truncated ? 1 : 0, k;

    do
        sum += poisson(mean, count++) / all;
    while (sum < 1 - (long double)model->significance && count < model->k);
    k = truncated ? count : count + 1;
    if (k > model->k)
        k = model->k;
    return k < rows ? k : rows;
}

bool oracle_population_holds(const struct oracle_task *task,
                             const struct oracle_model *model, size_t size,
                             size_t population)
{
    double share;

    if (model->model == MODEL_DELTA_PRESENCE) {
        share = (double)size / (double)population;
        return share >= model->min && share <= model->max;
    }
    assert(model->model == MODEL_K_MAP);
    if (model->map == K_MAP_SUBSET)
        return population >= model->k;
    return size >= estimated_k(model, task->row_count);
}

bool oracle_absence_holds(const struct oracle_task *task)
{
    for (size_t i = 0; i < task->model_count; i++)
        if (task->model[i].model == MODEL_DELTA_PRESENCE &&
            task->model[i].min > 0)
            return false;
    return true;
}
