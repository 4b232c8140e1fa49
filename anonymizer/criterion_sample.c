#include "anonymizer/criterion_sample.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "anonymizer/metric.h"

/* Sizes below this are counted, larger ones sorted: of N rows there are at most
 * N / SMALL_SIZES of those. */
#define SMALL_SIZES 1024

/* Relative; a bound may be low, never high. */
#define BOUND_SLACK 1e-9

/* ---- the models ---- */

enum status sample_models_init(struct sample_models *models,
                               const struct policy *policy, uint64_t rows,
                               struct error *err)
{
    *models = (struct sample_models){0};
    for (size_t i = 0; i < policy->criterion_count; i++) {
        const struct privacy_criterion *model = &policy->criterion[i];

        if (!privacy_model_is_of_sample(model->model))
            continue;
        models->model[models->count++] = model;
        if (model->model != MODEL_POPULATION_UNIQUENESS) {
            models->bounds = true;
        } else if ((double)rows > model->population) {
            return error_set(err, E_INPUT,
                             "population-uniqueness: a population of %.0f, "
                             "expected at least the %" PRIu64
                             " rows of the table that is a sample of it",
                             model->population, rows);
        }
    }
    return OK;
}

uint64_t sample_size_threshold(double highest_risk)
{
    double size = floor(1 / highest_risk);

    return (uint64_t)size + (1 / size - highest_risk >= 0.01 * highest_risk);
}

static double rows_at_risk(struct class_sizes sizes, double highest_risk)
{
    uint64_t threshold = sample_size_threshold(highest_risk), rows = 0;

    for (size_t i = 0; i < sizes.count && sizes.entry[i].size < threshold; i++)
        rows += sizes.entry[i].size * sizes.entry[i].number;
    return (double)rows;
}

static bool population_holds(const struct privacy_criterion *model,
                             struct class_sizes sizes)
{
    struct population_estimate estimate = population_uniques(
        sizes, model->population, model->population_estimator);

    if (estimate.state != POPULATION_KNOWN)
        return false;
    if (estimate.uniques == 0)
        return class_sizes_number(sizes, 1) == 0;
    return estimate.uniques / model->population <= model->threshold;
}

/* The part that bounds finer transformations, too. */
static bool monotone_part_holds(const struct privacy_criterion *model,
                                struct class_sizes sizes)
{
    double rows = (double)class_sizes_rows(sizes), classes;

    if (model->model == MODEL_POPULATION_UNIQUENESS)
        return true;
    classes = model->model == MODEL_AVERAGE_RISK
                  ? (double)class_sizes_classes(sizes)
                  : (double)class_sizes_number(sizes, 1);
    return classes / rows <= model->threshold;
}

static bool other_part_holds(const struct privacy_criterion *model,
                             struct class_sizes sizes)
{
    if (model->model == MODEL_POPULATION_UNIQUENESS)
        return population_holds(model, sizes);
    if (model->model == MODEL_AVERAGE_RISK && model->highest_risk > 0)
        return rows_at_risk(sizes, model->highest_risk) /
                   (double)class_sizes_rows(sizes) <=
               model->records_at_risk;
    return true;
}

static bool monotone_parts_hold(const struct sample_models *models,
                                struct class_sizes sizes)
{
    for (size_t i = 0; sizes.count > 0 && i < models->count; i++)
        if (!monotone_part_holds(models->model[i], sizes))
            return false;
    return true;
}

bool sample_models_hold(const struct sample_models *models,
                        struct class_sizes sizes)
{
    if (!monotone_parts_hold(models, sizes))
        return false;
    for (size_t i = 0; sizes.count > 0 && i < models->count; i++)
        if (!other_part_holds(models->model[i], sizes))
            return false;
    return true;
}

/* ---- the cut ---- */

typedef bool sample_condition(const struct sample_models *models,
                              struct class_sizes sizes);

/* Where the first `classes` classes end. */
static struct sample_cut cut_at(struct class_sizes sizes, uint64_t classes)
{
    struct sample_cut cut = {.classes = classes};
    size_t i = 0;

    for (; i < sizes.count && classes > sizes.entry[i].number; i++) {
        cut.rows += sizes.entry[i].size * sizes.entry[i].number;
        classes -= sizes.entry[i].number;
    }
    assert(i < sizes.count);
    cut.size = sizes.entry[i].size;
    cut.of_size = classes;
    cut.rows += cut.size * classes;
    return cut;
}

/* Does the condition hold for what a cut leaves? */
static bool holds_behind(const struct sample_models *models,
                         sample_condition *condition, struct class_size *entry,
                         size_t count, const struct sample_cut *cut)
{
    size_t i = 0;
    uint64_t number;
    bool holds;

    while (entry[i].size < cut->size)
        i++;
    number = entry[i].number;
    if (number == cut->of_size) {
        i++;
        return condition(models, (struct class_sizes){entry + i, count - i});
    }
    entry[i].number -= cut->of_size;
    holds = condition(models, (struct class_sizes){entry + i, count - i});
    entry[i].number = number;
    return holds;
}

static struct sample_cut find_cut(const struct sample_models *models,
                                  sample_condition *condition,
                                  struct class_size *entry, size_t count)
{
    struct class_sizes sizes = {entry, count};
    uint64_t low = 0, end = class_sizes_classes(sizes);

    if (condition(models, sizes))
        return (struct sample_cut){0};
    /* end is high + 1, which may be 0. */
    while (low < end) {
        uint64_t middle = (low + end - 1) / 2;
        struct sample_cut cut = cut_at(sizes, middle + 1);

        if (holds_behind(models, condition, entry, count, &cut))
            end = middle;
        else
            low = middle + 1;
    }
    return cut_at(sizes, low + 1);
}

struct sample_cut sample_models_cut(const struct sample_models *models,
                                    struct sample_scratch *scratch,
                                    struct class_sizes sizes)
{
    assert(sizes.entry == scratch->entry);
    return find_cut(models, sample_models_hold, scratch->entry, sizes.count);
}

/* Of rows at risk, with so many others, those that cannot stay. */
static uint64_t risk_removal(const struct privacy_criterion *model,
                             struct class_sizes sizes)
{
    double q = model->records_at_risk;
    double at_risk, others, stay;

    if (model->highest_risk == 0 || q >= 1)
        return 0;
    at_risk = rows_at_risk(sizes, model->highest_risk);
    others = (double)class_sizes_rows(sizes) - at_risk;
    stay = ceil(q * others / (1 - q) * (1 + BOUND_SLACK));
    return at_risk > stay ? (uint64_t)(at_risk - stay) : 0;
}

uint64_t sample_models_removal(const struct sample_models *models,
                               struct sample_scratch *scratch,
                               struct class_sizes sizes)
{
    uint64_t most;

    assert(sizes.entry == scratch->entry);
    most =
        find_cut(models, monotone_parts_hold, scratch->entry, sizes.count).rows;
    for (size_t i = 0; i < models->count; i++) {
        uint64_t rows = models->model[i]->model == MODEL_AVERAGE_RISK
                            ? risk_removal(models->model[i], sizes)
                            : 0;

        if (rows > most)
            most = rows;
    }
    return most;
}

/* ---- classes ---- */

/* One of those of which not all go. */
struct sample_candidate {
    double loss; /* the first number of what the metric says */
    uint32_t class;
};

enum status sample_scratch_init(struct sample_scratch *scratch,
                                uint32_t classes_max, struct error *err)
{
    *scratch = (struct sample_scratch){
        .small = calloc(SMALL_SIZES, sizeof *scratch->small),
        .large = calloc((size_t)classes_max + 1, sizeof *scratch->large),
        .entry = calloc((size_t)classes_max + 1, sizeof *scratch->entry),
        .candidate =
            calloc((size_t)classes_max + 1, sizeof *scratch->candidate)};
    if (scratch->small != NULL && scratch->large != NULL &&
        scratch->entry != NULL && scratch->candidate != NULL)
        return OK;
    sample_scratch_clear(scratch);
    return error_memory(err, "the sizes of classes");
}

void sample_scratch_clear(struct sample_scratch *scratch)
{
    free(scratch->small);
    free(scratch->large);
    free(scratch->entry);
    free(scratch->candidate);
    *scratch = (struct sample_scratch){0};
}

static int compare_sizes(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

struct class_sizes sample_sizes(struct sample_scratch *scratch,
                                const struct classes *classes, const bool *lost)
{
    size_t large = 0, count = 0;

    for (uint32_t c = 0; c < classes->count; c++) {
        uint32_t size = classes->size[c];

        if (lost[c])
            continue;
        if (size < SMALL_SIZES)
            scratch->small[size]++;
        else
            scratch->large[large++] = size;
    }
    scratch->small[0] = 0; /* without a row that counts, it is none */
    for (uint32_t size = 1; size < SMALL_SIZES; size++)
        if (scratch->small[size] > 0) {
            scratch->entry[count++] =
                (struct class_size){size, scratch->small[size]};
            scratch->small[size] = 0;
        }
    qsort(scratch->large, large, sizeof *scratch->large, compare_sizes);
    for (size_t i = 0; i < large; i++)
        if (i > 0 && scratch->large[i - 1] == scratch->large[i])
            scratch->entry[count - 1].number++;
        else
            scratch->entry[count++] = (struct class_size){scratch->large[i], 1};
    return (struct class_sizes){scratch->entry, count};
}

struct ordering {
    const struct metric *metric;
    const uint8_t *level;
    const struct classes *classes;
};

/* The loss of a class, in as many numbers as a score has. */
static void class_loss(const struct ordering *ordering, uint32_t class,
                       double *loss)
{
    const struct classes *classes = ordering->classes;

    metric_class_loss(ordering->metric, ordering->level,
                      classes->key + (size_t) class * classes->words,
                      classes->size[class], loss);
}

static int compare_candidates(const void *a, const void *b, void *context)
{
    const struct ordering *ordering = context;
    const struct sample_candidate *x = a, *y = b;

    if (x->loss != y->loss)
        return x->loss < y->loss ? -1 : 1;
    if (ordering->metric->score_count > 1) {
        double loss_x[QUASI_IDENTIFIERS_MAX], loss_y[QUASI_IDENTIFIERS_MAX];
        int order;

        class_loss(ordering, x->class, loss_x);
        class_loss(ordering, y->class, loss_y);
        order = metric_compare(ordering->metric, loss_x, loss_y);
        if (order != 0)
            return order;
    }
    return (x->class > y->class) - (x->class < y->class);
}

void sample_suppress(struct sample_scratch *scratch,
                     const struct sample_cut *cut, const struct metric *metric,
                     const uint8_t *level, const struct classes *classes,
                     bool *lost)
{
    struct ordering ordering = {metric, level, classes};
    double loss[QUASI_IDENTIFIERS_MAX];
    size_t count = 0;

    for (uint32_t c = 0; c < classes->count; c++) {
        if (lost[c] || classes->size[c] == 0 || classes->size[c] > cut->size)
            continue;
        if (classes->size[c] < cut->size) {
            lost[c] = true;
            continue;
        }
        class_loss(&ordering, c, loss);
        scratch->candidate[count++] = (struct sample_candidate){loss[0], c};
    }
    assert(cut->of_size <= count);
    if (cut->of_size < count)
        qsort_r(scratch->candidate, count, sizeof *scratch->candidate,
                compare_candidates, &ordering);
    for (size_t i = 0; i < cut->of_size; i++)
        lost[scratch->candidate[i].class] = true;
}
