#include "anonymizer/criterion_distance.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "anonymizer/value_order.h"

__extension__ typedef unsigned __int128 wide;

/* Relative; far above the rounding of a few operations, far below the effect
 * of one row. */
#define SURVIVORS_SLACK 1e-12

/* Steps towards the survivors of a class under bounded shares: more gain
 * little. */
#define FACTOR_STEPS 12

/* Relative; far above the rounding of a power and a logarithm. */
#define BORDER 1e-9

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

struct ranking {
    struct value_order order;
    const struct dictionary *dictionary;
};

static int compare_values(const void *a, const void *b, void *context)
{
    const struct ranking *ranking = context;

    return value_compare(
        &ranking->order,
        dictionary_text(ranking->dictionary, *(const uint32_t *)a),
        dictionary_text(ranking->dictionary, *(const uint32_t *)b));
}

/* below[] and area[] of the values in this order. */
static void fill_ranks(struct reference *reference, const uint32_t *value)
{
    uint32_t below = 0;
    uint64_t area = 0;

    for (uint32_t i = 0; i < reference->value_count; i++) {
        reference->rank[value[i]] = i;
        reference->area[i] = area;
        below += reference->number[value[i]];
        reference->below[i] = below;
        area += below;
    }
    reference->area[reference->value_count] = area;
}

static enum status rank_values(struct reference *reference,
                               const struct policy *policy,
                               const struct sensitive_attribute *attribute,
                               struct error *err)
{
    struct ranking ranking = {
        {policy, &policy->attribute[attribute->attribute]},
        &attribute->dictionary};
    size_t count = reference->value_count;
    uint32_t *value = calloc(count, sizeof *value);

    reference->rank = calloc(count, sizeof *reference->rank);
    reference->below = calloc(count, sizeof *reference->below);
    reference->area = calloc(count + 1, sizeof *reference->area);
    if (value == NULL || reference->rank == NULL || reference->below == NULL ||
        reference->area == NULL) {
        free(value);
        return error_memory(err, "the order of the values");
    }
    for (uint32_t v = 0; v < count; v++)
        value[v] = v;
    qsort_r(value, count, sizeof *value, compare_values, &ranking);
    fill_ranks(reference, value);
    free(value);
    return OK;
}

static enum status fill_level(struct reference *reference,
                              const struct value_order *order,
                              const struct dictionary *dictionary, uint32_t j,
                              struct error *err)
{
    const struct hierarchy *hierarchy = order->attribute->hierarchy;
    struct reference_level *level = &reference->level[j];

    level->node = calloc(reference->value_count, sizeof *level->node);
    level->number =
        calloc(hierarchy_nodes(hierarchy, j), sizeof *level->number);
    if (level->node == NULL || level->number == NULL)
        return error_memory(err, "the hierarchy of the values");
    for (uint32_t v = 0; v < reference->value_count; v++) {
        uint32_t row = value_row(order, dictionary_text(dictionary, v));

        assert(row != HIERARCHY_NONE); /* the table's reader has seen to it */
        level->node[v] = hierarchy_node(hierarchy, j, row);
        level->number[level->node[v]] += reference->number[v];
    }
    return OK;
}

static enum status place_values(struct reference *reference,
                                const struct policy *policy,
                                const struct sensitive_attribute *attribute,
                                struct error *err)
{
    const struct value_order order = {policy,
                                      &policy->attribute[attribute->attribute]};
    uint32_t height = hierarchy_levels(order.attribute->hierarchy) - 1;
    enum status status = OK;

    reference->level = calloc((size_t)height + 1, sizeof *reference->level);
    if (reference->level == NULL)
        return error_memory(err, "the hierarchy of the values");
    reference->height = height;
    for (uint32_t j = 0; status == OK && j < height; j++)
        status = fill_level(reference, &order, &attribute->dictionary, j, err);
    return status;
}

enum status reference_prepare(struct reference *reference,
                              const struct policy *policy,
                              const struct table *table, size_t sensitive,
                              enum privacy_model model, struct error *err)
{
    if (model == MODEL_T_CLOSENESS_ORDERED && reference->rank == NULL)
        return rank_values(reference, policy, &table->sensitive[sensitive],
                           err);
    if (model == MODEL_T_CLOSENESS_HIERARCHICAL && reference->level == NULL)
        return place_values(reference, policy, &table->sensitive[sensitive],
                            err);
    return OK;
}

void reference_clear(struct reference *reference)
{
    free(reference->number);
    for (uint32_t j = 0; reference->level != NULL && j < reference->height;
         j++) {
        free(reference->level[j].node);
        free(reference->level[j].number);
    }
    free(reference->level);
    free(reference->rank);
    free(reference->below);
    free(reference->area);
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

/* ---- t-closeness, ordered distance ---- */

static int ascending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* Short lists are the rule. */
static void sort_ascending(uint64_t *key, uint32_t count)
{
    if (count > 64) {
        qsort(key, count, sizeof *key, ascending);
        return;
    }
    for (uint32_t i = 1; i < count; i++) {
        uint64_t moving = key[i];
        uint32_t at = i;

        for (; at > 0 && key[at - 1] > moving; at--)
            key[at] = key[at - 1];
        key[at] = moving;
    }
}

/* scratch := the class's values as (rank, number), ascending. */
static void sort_by_rank(const struct reference *reference,
                         const struct class_values *class)
{
    for (uint32_t i = 0; i < class->count; i++)
        class->scratch[i] =
            (uint64_t)reference->rank[class->value[i]] << 32 | class->number[i];
    sort_ascending(class->scratch, class->count);
}

/* The first of the ranks from..to-1 at which rows * below >= bound; `to` if
 * there is none. */
static uint32_t first_reaching(const struct reference *reference, uint32_t from,
                               uint32_t to, uint32_t rows, uint64_t bound)
{
    while (from < to) {
        uint32_t middle = from + (to - from) / 2;

        if ((uint64_t)rows * reference->below[middle] >= bound)
            to = middle;
        else
            from = middle + 1;
    }
    return from;
}

/* What `rows` of the class carry at the least across the steps from..to-1, at
 * which `lower` of its rows are behind: in units of 1 / (rows N). */
static wide carried(const struct reference *reference,
                    const struct class_values *class, uint32_t rows,
                    uint32_t from, uint32_t to, uint32_t lower)
{
    uint32_t upper = class->size - lower; /* rows ahead */
    uint64_t most = reference->rows * (lower < rows ? lower : rows);
    uint64_t least = rows > upper ? reference->rows * (rows - upper) : 0;
    uint32_t over = first_reaching(reference, from, to, rows, most);
    uint32_t under = first_reaching(reference, from, to, rows, least);
    wide sum;

    sum = (wide)rows * (reference->area[to] - reference->area[over]);
    sum -= (wide)most * (to - over);
    sum += (wide)least * (under - from);
    sum -= (wide)rows * (reference->area[under] - reference->area[from]);
    return sum;
}

/* The distance that `rows` of the class have at the least; of all of its rows,
 * the distance.  The class is sorted. */
static double ordered_distance(const struct reference *reference,
                               const struct class_values *class, uint32_t rows)
{
    uint32_t from = 0, lower = 0, steps = reference->value_count - 1;
    wide sum = 0;

    if (steps == 0)
        return 0;
    for (uint32_t i = 0; i < class->count; i++) {
        uint32_t rank = (uint32_t)(class->scratch[i] >> 32);

        sum += carried(reference, class, rows, from, rank, lower);
        lower += (uint32_t) class->scratch[i];
        from = rank;
    }
    sum += carried(reference, class, rows, from, reference->value_count, lower);
    return (double)sum / (double)((wide)steps * reference->rows * rows);
}

static bool ordered_holds(const struct reference *reference, double t,
                          const struct class_values *class)
{
    sort_by_rank(reference, class);
    return ordered_distance(reference, class, class->size) <= t;
}

/* ---- t-closeness, hierarchical distance ---- */

/* In units of 1 / (rows N), what `rows` of the class have at the most in
 * common with the whole table at this level. */
static uint64_t in_common(const struct reference *reference,
                          const struct reference_level *level,
                          const struct class_values *class, uint32_t rows)
{
    uint64_t covered = 0;
    uint32_t i = 0;

    for (uint32_t v = 0; v < class->count; v++)
        class->scratch[v] =
            (uint64_t)level->node[class->value[v]] << 32 | class->number[v];
    sort_ascending(class->scratch, class->count);
    while (i < class->count) {
        uint32_t node = (uint32_t)(class->scratch[i] >> 32);
        uint64_t here = 0, whole = (uint64_t)rows * level->number[node];

        for (; i < class->count && class->scratch[i] >> 32 == node; i++)
            here += reference->rows * (uint32_t) class->scratch[i];
        covered += here < whole ? here : whole;
    }
    return covered;
}

/* The distance that `rows` of the class have at the least; of all of its rows,
 * the distance. */
static double tree_distance(const struct reference *reference,
                            const struct class_values *class, uint32_t rows)
{
    uint64_t unit = reference->rows * rows;
    wide sum = 0;

    if (reference->height == 0)
        return 0;
    for (uint32_t j = 0; j < reference->height; j++)
        sum += unit - in_common(reference, &reference->level[j], class, rows);
    return (double)sum / (double)((wide)reference->height * unit);
}

/* ---- delta-disclosure ---- */

/* A logarithm for those values alone that are so near the border that its
 * rounding may decide. */
static bool delta_holds(const struct reference *reference, double delta,
                        const struct class_values *class)
{
    double factor = exp2(delta);
    double inside = factor * (1 - BORDER), outside = factor * (1 + BORDER);

    for (uint32_t i = 0; i < class->count; i++) {
        double here = (double)(reference->rows * class->number[i]);
        double whole = (double)((uint64_t) class->size *
                                reference->number[class->value[i]]);

        if (here < whole * inside && whole < here * inside)
            continue;
        if (here > whole * outside || whole > here * outside)
            return false;
        if (!(fabs(log2(here / whole)) < delta))
            return false;
    }
    return true;
}

/* ---- beta-likeness ---- */

/* The most that a share may grow, as part of itself. */
static double growth_max(const struct reference *reference,
                         const struct privacy_criterion *model, uint32_t value)
{
    double share = (double)reference->number[value] / (double)reference->rows;

    return model->model == MODEL_ENHANCED_BETA_LIKENESS
               ? fmin(model->beta, -log(share))
               : model->beta;
}

static bool beta_holds(const struct reference *reference,
                       const struct privacy_criterion *model,
                       const struct class_values *class)
{
    for (uint32_t i = 0; i < class->count; i++) {
        uint64_t here = reference->rows * class->number[i];
        uint64_t whole =
            (uint64_t) class->size * reference->number[class->value[i]];

        if (here > whole && (double)(here - whole) / (double)whole >
                                growth_max(reference, model, class->value[i]))
            return false;
    }
    return true;
}

/* ---- shares that may not grow by more than a factor ---- */

/* The most that q / P may be; `fixed` is that where it is the same for all
 * values. */
static double factor_max(const struct reference *reference,
                         const struct privacy_criterion *model, double fixed,
                         uint32_t value)
{
    return model->model == MODEL_ENHANCED_BETA_LIKENESS
               ? 1 + growth_max(reference, model, value)
               : fixed;
}

/* The most rows that can be made up of values with such shares: the largest c'
 * with c' <= g(c') = sum of min(n_v, f_v P_v c').  g never falls and is
 * concave, so c, g(c), g(g(c)), ... never rises and stays above c'.  It comes
 * near it soon; wherever it is stopped it is a bound. */
static uint32_t factors_survivors(const struct reference *reference,
                                  const struct privacy_criterion *model,
                                  const struct class_values *class)
{
    double fixed = model->model == MODEL_DELTA_DISCLOSURE ? exp2(model->delta)
                                                          : 1 + model->beta;
    double rows = class->size;

    for (int step = 0; step < FACTOR_STEPS && rows > 0; step++) {
        double sum = 0, part = rows / (double)reference->rows, next;

        for (uint32_t i = 0; i < class->count; i++) {
            uint32_t value = class->value[i];
            double number = (double)class->number[i];
            double most = factor_max(reference, model, fixed, value) *
                          (double)reference->number[value] * part;

            sum += number < most ? number : most;
        }
        next = floor(sum * (1 + SURVIVORS_SLACK));
        if (next >= rows)
            break;
        rows = next;
    }
    return (uint32_t)rows;
}

/* ---- all of them ---- */

bool reference_holds(const struct reference *reference,
                     const struct privacy_criterion *model,
                     const struct class_values *class)
{
    switch (model->model) {
    case MODEL_T_CLOSENESS_EQUAL:
        return equal_holds(reference, model->t, class);
    case MODEL_T_CLOSENESS_ORDERED:
        return ordered_holds(reference, model->t, class);
    case MODEL_T_CLOSENESS_HIERARCHICAL:
        return tree_distance(reference, class, class->size) <= model->t;
    case MODEL_DELTA_DISCLOSURE:
        return delta_holds(reference, model->delta, class);
    case MODEL_BASIC_BETA_LIKENESS:
    case MODEL_ENHANCED_BETA_LIKENESS:
        return beta_holds(reference, model, class);
    default:
        break;
    }
    assert(false && "a model that does not compare");
    return false;
}

/* An ordered class is sorted. */
static bool allows(const struct reference *reference,
                   const struct privacy_criterion *model,
                   const struct class_values *class, uint32_t rows)
{
    switch (model->model) {
    case MODEL_T_CLOSENESS_EQUAL:
        return equal_allows(reference, model->t, class, rows);
    case MODEL_T_CLOSENESS_ORDERED:
        return ordered_distance(reference, class, rows) <=
               model->t + SURVIVORS_SLACK;
    case MODEL_T_CLOSENESS_HIERARCHICAL:
        return tree_distance(reference, class, rows) <=
               model->t + SURVIVORS_SLACK;
    default:
        break;
    }
    assert(false && "a model without a distance");
    return true;
}

uint32_t reference_survivors(const struct reference *reference,
                             const struct privacy_criterion *model,
                             const struct class_values *class)
{
    uint32_t good = 0, bad = class->size;

    if (model->model == MODEL_DELTA_DISCLOSURE ||
        model->model == MODEL_BASIC_BETA_LIKENESS ||
        model->model == MODEL_ENHANCED_BETA_LIKENESS)
        return factors_survivors(reference, model, class);
    if (model->model == MODEL_T_CLOSENESS_ORDERED)
        sort_by_rank(reference, class);
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
