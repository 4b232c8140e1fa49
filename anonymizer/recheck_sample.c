#include "anonymizer/recheck_sample.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "anonymizer/population.h"
#include "anonymizer/recheck_sort.h"

void recheck_sample_clear(struct recheck_sample *sample)
{
    free(sample->size);
    free(sample->entry);
    *sample = (struct recheck_sample){0};
}

enum status recheck_sample_add(struct recheck_sample *sample, uint64_t rows,
                               struct error *err)
{
    if (sample->count == sample->capacity) {
        size_t capacity = sample->capacity == 0 ? 256 : 2 * sample->capacity;
        uint64_t *more = reallocarray(sample->size, capacity, sizeof *more);

        if (more == NULL)
            return error_memory(err, "the sizes of classes");
        sample->size = more;
        sample->capacity = capacity;
    }
    sample->size[sample->count++] = rows;
    return OK;
}

enum status recheck_sample_sort(struct recheck_sample *sample,
                                struct error *err)
{
    uint64_t *spare = calloc(sample->count + 1, sizeof *spare);

    sample->entry = calloc(sample->count + 1, sizeof *sample->entry);
    if (spare == NULL || sample->entry == NULL) {
        free(spare);
        return error_memory(err, "the sizes of classes");
    }
    if (sample->count > 0)
        recheck_sort(sample->size, spare, sample->count, 1);
    free(spare);
    for (size_t i = 0; i < sample->count; i++) {
        if (i == 0 || sample->size[i] != sample->size[i - 1])
            sample->entry[sample->entry_count++].size = sample->size[i];
        sample->entry[sample->entry_count - 1].number++;
    }
    return OK;
}

/* Rows in classes of which a row is found with a higher chance than r: those
 * smaller than 1/r, where 1/r counts as a whole number if that changes r by
 * less than a hundredth. */
static double rows_at_risk(const struct recheck_sample *sample, double r)
{
    double whole = floor(1 / r), rows = 0;
    bool next = 1 / whole - r >= 0.01 * r;

    for (size_t i = 0; i < sample->count; i++) {
        double size = (double)sample->size[i];

        if (size < whole || (size == whole && next))
            rows += size;
    }
    return rows;
}

static bool population_holds(const struct recheck_sample *sample,
                             const struct privacy_criterion *criterion,
                             double *value)
{
    struct class_sizes sizes = {sample->entry, sample->entry_count};
    struct population_estimate estimate = population_uniques(
        sizes, criterion->population, criterion->population_estimator);

    if (estimate.state != POPULATION_KNOWN)
        return false;
    *value = estimate.uniques / criterion->population;
    return estimate.uniques > 0 ? *value <= criterion->threshold
                                : sample->size[0] > 1;
}

bool recheck_sample_holds(const struct recheck_sample *sample,
                          const struct privacy_criterion *criterion,
                          double *value)
{
    double rows = 0, uniques = 0;

    *value = NAN;
    if (sample->count == 0)
        return true;
    for (size_t i = 0; i < sample->count; i++) {
        rows += (double)sample->size[i];
        uniques += sample->size[i] == 1;
    }
    switch (criterion->model) {
    case MODEL_AVERAGE_RISK:
        *value = (double)sample->count / rows;
        return *value <= criterion->threshold &&
               (criterion->highest_risk == 0 ||
                rows_at_risk(sample, criterion->highest_risk) / rows <=
                    criterion->records_at_risk);
    case MODEL_SAMPLE_UNIQUENESS:
        *value = uniques / rows;
        return *value <= criterion->threshold;
    case MODEL_POPULATION_UNIQUENESS:
        return population_holds(sample, criterion, value);
    default:
        assert(false && "a model of each class");
        return false;
    }
}
