#include "anonymizer/criterion.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "anonymizer/criterion_population.h"

/* Relative; far above the rounding of a sum over any class, far below the
 * effect of one row. */
#define REMOVAL_SLACK 1e-9

/* ---- entropy ---- */

/* Grassberger's psi: G(n) from P. Grassberger, "Entropy estimates from
 * insufficient samplings" (2003): G(1) = -gamma - ln 2, G(2) = 2 + G(1),
 * G(2n + 1) = G(2n), G(2n + 2) = G(2n) + 2 / (2n + 1); above 100 its
 * asymptotic series at the even number below. */
#define GRASSBERGER_EXACT_MAX 100

/* The order of operations is part of the definition: at a border the last bit
 * decides, and recheck must find the same. */
static double grassberger(uint32_t n)
{
    static const double euler_gamma = 0.57721566490153286060651209008240243;
    const uint32_t pairs = n / 2;
    double g, m, half = (double)pairs;

    assert(n > 0);
    if (n > GRASSBERGER_EXACT_MAX) {
        m = 1.0 / (half * half);
        return log(2.0 * half) +
               m * (1.0 / 24.0 - m * (7.0 / 960.0 - m * (31.0 / 8064.0)));
    }
    if (n == 1)
        return -euler_gamma - log(2.0);
    g = 2.0 - euler_gamma - log(2.0);
    for (uint32_t i = 2; i + 2 <= n; i += 2)
        g += 2.0 / (double)(i + 1);
    return g;
}

static double shannon_term(const struct criteria *criteria, uint32_t n)
{
    if (n < criteria->table_size)
        return criteria->shannon[n];
    return (double)n * log((double)n);
}

/* c (ln c - ln l) - sum n_i ln n_i: at least 0 if the class holds.  *scale is
 * the size of what was subtracted. */
static bool shannon_holds(const struct criteria *criteria, double l,
                          const uint32_t *number, uint32_t distinct,
                          uint32_t size)
{
    double sum = 0;

    for (uint32_t i = 0; i < distinct; i++)
        sum += shannon_term(criteria, number[i]);
    return (double)size * (log((double)size) - log(l)) >= sum;
}

static bool grassberger_holds(double l, const uint32_t *number,
                              uint32_t distinct, uint32_t size)
{
    double sum = 0;

    for (uint32_t i = 0; i < distinct; i++)
        sum += (double)number[i] * grassberger(number[i]);
    return (double)size * (grassberger(size) - log(l)) >= sum;
}

static bool recursive_holds(double c, double l, const uint32_t *number,
                            uint32_t distinct)
{
    uint64_t tail = 0;

    for (uint32_t i = (uint32_t)l - 1; i < distinct; i++)
        tail += number[i];
    return (double)number[0] < c * (double)tail;
}

/* ---- the largest subset that holds ---- */

static uint32_t capped(uint32_t number, uint32_t cap)
{
    return number < cap ? number : cap;
}

static uint64_t capped_size(const uint32_t *number, uint32_t distinct,
                            uint32_t cap)
{
    uint64_t size = 0;

    for (uint32_t i = 0; i < distinct; i++)
        size += capped(number[i], cap);
    return size;
}

static bool capped_shannon(double l, const uint32_t *number, uint32_t distinct,
                           uint32_t cap)
{
    double size = (double)capped_size(number, distinct, cap);
    double sum = 0;

    for (uint32_t i = 0; i < distinct; i++) {
        double n = (double)capped(number[i], cap);

        sum += n * log(n);
    }
    return size * (log(size) - log(l)) >=
           sum - REMOVAL_SLACK * (size * log(size) + 1);
}

static bool capped_recursive(double c, double l, const uint32_t *number,
                             uint32_t distinct, uint32_t cap)
{
    uint64_t tail = 0;

    for (uint32_t i = (uint32_t)l - 1; i < distinct; i++)
        tail += capped(number[i], cap);
    return (double)capped(number[0], cap) <
           c * (double)tail * (1 + REMOVAL_SLACK);
}

static bool capped_holds(const struct privacy_criterion *model,
                         const uint32_t *number, uint32_t distinct,
                         uint32_t cap)
{
    if (model->model == MODEL_ENTROPY_L_DIVERSITY)
        return capped_shannon(model->l, number, distinct, cap);
    return capped_recursive(model->c, model->l, number, distinct, cap);
}

static struct class_values class_values(const struct class_view *view,
                                        size_t sensitive)
{
    return (struct class_values){.size = view->size,
                                 .count = view->distinct[sensitive],
                                 .value = view->value[sensitive],
                                 .number = view->value_number[sensitive],
                                 .scratch = view->scratch};
}

/* Rows that one diversity model makes the class lose. */
static uint32_t diversity_removal(const struct criteria *criteria,
                                  const struct privacy_criterion *model,
                                  const uint32_t *number, uint32_t distinct,
                                  uint32_t size)
{
    uint32_t good = 0, bad = number[0];
    uint64_t survivors;

    if (capped_holds(model, number, distinct, bad))
        return 0;
    /* good holds (or is 0, nothing), bad does not. */
    while (bad - good > 1) {
        uint32_t middle = good + (bad - good) / 2;

        if (capped_holds(model, number, distinct, middle))
            good = middle;
        else
            bad = middle;
    }
    if (good == 0)
        return size;
    survivors = capped_size(number, distinct, bad) - 1;
    if (survivors < criteria->class_size_min)
        return size;
    return size - (uint32_t)survivors;
}

/* Likewise, of a model that compares. */
static uint32_t comparison_removal(const struct criteria *criteria,
                                   const struct criterion *criterion,
                                   const struct class_view *view)
{
    size_t s = criterion->sensitive;
    const struct reference *reference = &criteria->reference[s];
    struct class_values values = class_values(view, s);
    uint32_t survivors =
        reference_survivors(reference, criterion->model, &values);

    return survivors < criteria->class_size_min ? view->size
                                                : view->size - survivors;
}

/* Rows that one model makes the class lose. */
static uint32_t removal(const struct criteria *criteria,
                        const struct criterion *criterion,
                        const struct class_view *view)
{
    const struct privacy_criterion *model = criterion->model;
    size_t s = criterion->sensitive;

    if (privacy_model_compares(model->model))
        return comparison_removal(criteria, criterion, view);
    if (model->model == MODEL_RECURSIVE_CL_DIVERSITY ||
        (model->model == MODEL_ENTROPY_L_DIVERSITY &&
         model->estimator == ESTIMATOR_SHANNON))
        return diversity_removal(criteria, model, view->number[s],
                                 view->distinct[s], view->size);
    return 0;
}

uint32_t criteria_removal(const struct criteria *criteria,
                          const struct class_view *view)
{
    uint32_t most = 0;

    for (size_t i = 0; i < criteria->count; i++) {
        uint32_t rows = removal(criteria, &criteria->criterion[i], view);

        if (rows > most)
            most = rows;
    }
    return most;
}

/* ---- the population ---- */

bool criteria_population_hold(const struct criteria *criteria, uint32_t rows,
                              uint32_t population)
{
    if (rows > 0 && population < criteria->population_min)
        return false;
    for (size_t i = 0; i < criteria->count; i++) {
        const struct privacy_criterion *model = criteria->criterion[i].model;

        if (model->model == MODEL_DELTA_PRESENCE &&
            !population_presence_holds(model, rows, population))
            return false;
    }
    return true;
}

uint32_t criteria_population_removal(const struct criteria *criteria,
                                     uint32_t rows, uint32_t population)
{
    uint32_t survivors = rows;

    if (population < criteria->population_min)
        return rows;
    for (size_t i = 0; i < criteria->count; i++) {
        const struct privacy_criterion *model = criteria->criterion[i].model;
        uint32_t most;

        if (model->model != MODEL_DELTA_PRESENCE ||
            population_presence_holds(model, rows, population))
            continue;
        most = population_presence_survivors(model, rows, population);
        if (most < survivors)
            survivors = most;
    }
    return survivors < criteria->class_size_min ? rows : rows - survivors;
}

/* ---- yes or no ---- */

bool criteria_final(const struct criteria *criteria,
                    const struct class_view *view)
{
    if (view->size < criteria->class_size_min)
        return true;
    for (size_t s = 0; s < criteria->sensitive_count; s++)
        if (view->distinct[s] < criteria->distinct_min[s])
            return true;
    return false;
}

static bool criterion_holds(const struct criteria *criteria,
                            const struct criterion *criterion,
                            const struct class_view *view)
{
    const struct privacy_criterion *model = criterion->model;
    const uint32_t *number = view->number[criterion->sensitive];
    uint32_t distinct = view->distinct[criterion->sensitive];
    struct class_values values;

    switch (model->model) {
    /* By criteria_final; */
    case MODEL_K_ANONYMITY:
    case MODEL_DISTINCT_L_DIVERSITY:
    /* by the size and criteria_population_hold; */
    case MODEL_DELTA_PRESENCE:
    case MODEL_K_MAP:
    /* by sample_models_hold, of all classes. */
    case MODEL_AVERAGE_RISK:
    case MODEL_SAMPLE_UNIQUENESS:
    case MODEL_POPULATION_UNIQUENESS:
        return true;
    case MODEL_ENTROPY_L_DIVERSITY:
        if (model->estimator == ESTIMATOR_SHANNON)
            return shannon_holds(criteria, model->l, number, distinct,
                                 view->size);
        return grassberger_holds(model->l, number, distinct, view->size);
    case MODEL_RECURSIVE_CL_DIVERSITY:
        return recursive_holds(model->c, model->l, number, distinct);
    case MODEL_T_CLOSENESS_EQUAL:
    case MODEL_T_CLOSENESS_ORDERED:
    case MODEL_T_CLOSENESS_HIERARCHICAL:
    case MODEL_DELTA_DISCLOSURE:
    case MODEL_BASIC_BETA_LIKENESS:
    case MODEL_ENHANCED_BETA_LIKENESS:
        values = class_values(view, criterion->sensitive);
        return reference_holds(&criteria->reference[criterion->sensitive],
                               model, &values);
    }
    assert(false && "a model without a rule");
    return false;
}

bool criteria_hold(const struct criteria *criteria,
                   const struct class_view *view)
{
    for (size_t i = 0; i < criteria->count; i++)
        if (!criterion_holds(criteria, &criteria->criterion[i], view))
            return false;
    return true;
}

/* ---- getting ready ---- */

static size_t find_sensitive(const struct table *table, size_t attribute)
{
    for (size_t s = 0; s < table->sensitive_count; s++)
        if (table->sensitive[s].attribute == attribute)
            return s;
    assert(false && "a judged attribute that was not read");
    return 0;
}

/* What a model over the population adds; the rows that it asks of a class. */
static uint32_t add_population(struct criteria *criteria,
                               const struct privacy_criterion *model,
                               uint64_t rows)
{
    if (!privacy_model_needs_population(model))
        return population_map_k(model, rows);
    criteria->needs_population = true;
    if (model->model == MODEL_K_MAP && model->k > criteria->population_min)
        criteria->population_min = model->k;
    return 1;
}

/* What one model adds to the thresholds. */
static void add_model(struct criteria *criteria,
                      const struct criterion *criterion, uint64_t rows)
{
    const struct privacy_criterion *model = criterion->model;
    size_t s = criterion->sensitive;
    uint32_t size = model->k;

    if (privacy_model_is_of_sample(model->model))
        return;
    if (privacy_model_compares(model->model)) {
        criteria->needs_histograms = true;
    } else if (model->attribute == NO_ATTRIBUTE &&
               model->model != MODEL_K_ANONYMITY) {
        size = add_population(criteria, model, rows);
    } else if (model->model != MODEL_K_ANONYMITY) {
        /* ceil(l) values need as many rows; beyond 2^32 there are none. */
        size = model->l >= UINT32_MAX ? UINT32_MAX : (uint32_t)ceil(model->l);
        criteria->needs_histograms = true;
        if (size > criteria->distinct_min[s])
            criteria->distinct_min[s] = size;
        if (model->model != MODEL_DISTINCT_L_DIVERSITY)
            criteria->needs_order[s] = true;
    }
    if (size > criteria->class_size_min)
        criteria->class_size_min = size;
}

/* What models compare with, once for each attribute. */
static enum status add_reference(struct criteria *criteria,
                                 const struct criterion *criterion,
                                 const struct policy *policy,
                                 const struct table *table, struct error *err)
{
    size_t s = criterion->sensitive;
    struct reference *reference = &criteria->reference[s];
    enum status status = OK;

    if (!privacy_model_compares(criterion->model->model))
        return OK;
    if (reference->rows == 0)
        status = reference_init(reference, table, s, err);
    if (status == OK)
        status = reference_prepare(reference, policy, table, s,
                                   criterion->model->model, err);
    return status;
}

static enum status check_population(const struct policy *policy,
                                    const struct privacy_criterion *model,
                                    const struct table *table,
                                    struct error *err)
{
    if (model->model != MODEL_K_MAP || model->map == K_MAP_SUBSET ||
        (double)table->rows <= model->population)
        return OK;
    return error_set(err, E_INPUT,
                     "%s: the population of k-map is %.0f, expected no less "
                     "than the rows that are a sample of it, %ju",
                     policy->path, model->population, (uintmax_t)table->rows);
}

static enum status fill_shannon(struct criteria *criteria, uint64_t rows,
                                struct error *err)
{
    criteria->table_size =
        rows < CRITERION_TABLE_MAX ? (uint32_t)rows + 1 : CRITERION_TABLE_MAX;
    criteria->shannon = calloc(criteria->table_size, sizeof *criteria->shannon);
    if (criteria->shannon == NULL)
        return error_memory(err, "the privacy models");
    for (uint32_t x = 1; x < criteria->table_size; x++)
        criteria->shannon[x] = (double)x * log((double)x);
    return OK;
}

enum status criteria_create(struct criteria **out, const struct policy *policy,
                            const struct table *table, struct error *err)
{
    struct criteria *criteria = calloc(1, sizeof *criteria);
    bool shannon = false;
    enum status status = OK;

    *out = NULL;
    if (criteria == NULL)
        return error_memory(err, "the privacy models");
    criteria->count = policy->criterion_count;
    criteria->class_size_min = 1;
    criteria->sensitive_count = table->sensitive_count;
    criteria->criterion =
        calloc(policy->criterion_count, sizeof *criteria->criterion);
    criteria->distinct_min =
        calloc(table->sensitive_count + 1, sizeof *criteria->distinct_min);
    criteria->needs_order =
        calloc(table->sensitive_count + 1, sizeof *criteria->needs_order);
    criteria->reference =
        calloc(table->sensitive_count + 1, sizeof *criteria->reference);
    if (criteria->criterion == NULL || criteria->distinct_min == NULL ||
        criteria->needs_order == NULL || criteria->reference == NULL) {
        status = error_memory(err, "the privacy models");
        goto done;
    }
    status = sample_models_init(&criteria->sample, policy, table->rows, err);
    for (size_t i = 0; status == OK && i < policy->criterion_count; i++) {
        const struct privacy_criterion *model = &policy->criterion[i];

        criteria->criterion[i].model = model;
        if (model->attribute != NO_ATTRIBUTE)
            criteria->criterion[i].sensitive =
                find_sensitive(table, model->attribute);
        status = check_population(policy, model, table, err);
        if (status != OK)
            break;
        add_model(criteria, &criteria->criterion[i], table->rows);
        shannon |= model->model == MODEL_ENTROPY_L_DIVERSITY &&
                   model->estimator == ESTIMATOR_SHANNON;
        status = add_reference(criteria, &criteria->criterion[i], policy, table,
                               err);
    }
    if (status == OK && shannon)
        status = fill_shannon(criteria, table->rows, err);
done:
    if (status != OK)
        criteria_destroy(&criteria);
    *out = criteria;
    return status;
}

void criteria_destroy(struct criteria **handle)
{
    struct criteria *criteria = *handle;

    if (criteria == NULL)
        return;
    for (size_t s = 0;
         criteria->reference != NULL && s < criteria->sensitive_count; s++)
        reference_clear(&criteria->reference[s]);
    free(criteria->reference);
    free(criteria->criterion);
    free(criteria->distinct_min);
    free(criteria->needs_order);
    free(criteria->shannon);
    free(criteria);
    *handle = NULL;
}
