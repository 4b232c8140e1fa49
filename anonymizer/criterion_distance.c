#include "anonymizer/criterion_distance.h"

#include <assert.h>
#include <stdlib.h>

/* Relative; far above the rounding of a few operations, far below the effect
 * of one row. */
#define SURVIVORS_SLACK 1e-12

enum status reference_init(struct reference *reference,
                           const struct table *table, size_t sensitive,
                           struct error *err)
{
    const struct sensitive_attribute *attribute = &table->sensitive[sensitive];
    const struct histograms *histograms = &attribute->histograms;
    uint64_t end = histograms->begin[table->tuple_count];

    reference->rows = table->rows;
    reference->value_count = attribute->value_count;
    reference->number =
        calloc(attribute->value_count, sizeof *reference->number);
    if (reference->number == NULL)
        return error_memory(err, "the values of a sensitive attribute");
    for (uint64_t i = 0; i < end; i++)
        reference->number[histograms->value[i]] += histograms->number[i];
    return OK;
}

void reference_clear(struct reference *reference)
{
    free(reference->number);
    *reference = (struct reference){0};
}

/* ---- t-closeness, equal distance ---- */

static bool equal_holds(const struct reference *reference, double t,
                        const struct class_values *class)
{
    uint64_t moved = 0;

    for (uint32_t i = 0; i < class->count; i++) {
        uint64_t here = reference->rows * class->number[i];
        uint64_t whole =
            (uint64_t) class->size * reference->number[class->value[i]];

        moved += here > whole ? here - whole : 0;
    }
    return (double)moved / (double)(reference->rows * class->size) <= t;
}

/* Could `rows` of the class be within t? */
static bool equal_allows(const struct reference *reference, double t,
                         const struct class_values *class, uint32_t rows)
{
    uint64_t covered = 0;

    for (uint32_t i = 0; i < class->count; i++) {
        uint64_t here = reference->rows * class->number[i];
        uint64_t whole = (uint64_t)rows * reference->number[class->value[i]];

        covered += here < whole ? here : whole;
    }
    return (double)covered / (double)(reference->rows * rows) >=
           1 - t - SURVIVORS_SLACK;
}

/* ---- all of them ---- */

bool reference_holds(const struct reference *reference,
                     const struct privacy_criterion *model,
                     const struct class_values *class)
{
    assert(model->model == MODEL_T_CLOSENESS_EQUAL);
    return equal_holds(reference, model->t, class);
}

static bool allows(const struct reference *reference,
                   const struct privacy_criterion *model,
                   const struct class_values *class, uint32_t rows)
{
    assert(model->model == MODEL_T_CLOSENESS_EQUAL);
    return equal_allows(reference, model->t, class, rows);
}

uint32_t reference_survivors(const struct reference *reference,
                             const struct privacy_criterion *model,
                             const struct class_values *class)
{
    uint32_t good = 0, bad = class->size;

    if (allows(reference, model, class, class->size))
        return class->size;
    /* good rows are allowed (or it is 0, nothing), bad ones are not. */
    while (bad - good > 1) {
        uint32_t middle = good + (bad - good) / 2;

        if (allows(reference, model, class, middle))
            good = middle;
        else
            bad = middle;
    }
    return good;
}
