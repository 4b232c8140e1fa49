#include "anonymizer/metric.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "anonymizer/metric_internal.h"

/* Allowance for a power function that may be off by a unit in the last place,
 * 2.2e-16, for each of up to 64 factors, in a bound one way and in a score the
 * other: 2.9e-14. */
#define POWER_SLACK 1e-13

static const struct metric_family *const families[] = {
    [METRIC_LOSS] = &metric_loss,
    [METRIC_PRECISION] = &metric_precision,
    [METRIC_PRECISION_MONOTONIC] = &metric_precision_monotonic,
    [METRIC_HEIGHT] = &metric_height,
    [METRIC_NON_UNIFORM_ENTROPY] = &metric_entropy,
    [METRIC_NON_UNIFORM_ENTROPY_MONOTONIC] = &metric_entropy_monotonic,
    [METRIC_NORMALIZED_NON_UNIFORM_ENTROPY] = &metric_entropy_normalized,
    [METRIC_DISCERNIBILITY] = &metric_discernibility,
    [METRIC_DISCERNIBILITY_MONOTONIC] = &metric_discernibility_monotonic,
    [METRIC_AECS] = &metric_aecs,
    [METRIC_AMBIGUITY] = &metric_ambiguity,
};

/* ---- aggregates ---- */

static void sort_descending(double *value, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        double moving = value[i];
        size_t at = i;

        for (; at > 0 && value[at - 1] < moving; at--)
            value[at] = value[at - 1];
        value[at] = moving;
    }
}

/* weighted[d] = a_d x_d; plain[d] = x_d.  The mean divides before it weighs,
 * the others weigh first; both orders are part of the definition. */
static void aggregate(const struct metric *metric, const double *plain,
                      double *score)
{
    size_t m = metric->lattice->dimension_count;
    double sum = 0, product = 1;

    for (size_t d = 0; d < m; d++) {
        double weight = metric->dimension[d].weight;
        double x = weight * plain[d];

        switch (metric->aggregate) {
        case AGGREGATE_SUM:
            sum += x;
            break;
        case AGGREGATE_MAXIMUM:
            sum = x > sum ? x : sum;
            break;
        case AGGREGATE_ARITHMETIC_MEAN:
            sum += plain[d] / (double)m * weight;
            break;
        case AGGREGATE_GEOMETRIC_MEAN:
            product *= pow(x + 1, 1 / (double)m);
            break;
        case AGGREGATE_RANK:
            score[d] = x;
            break;
        case AGGREGATE_NONE:
            assert(false && "a metric of attributes without an aggregate");
        }
    }
    if (metric->aggregate == AGGREGATE_RANK)
        sort_descending(score, m);
    else if (metric->aggregate == AGGREGATE_GEOMETRIC_MEAN)
        score[0] = product - 1;
    else
        score[0] = sum;
}

/* Of least costs: the least score. */
static void bound_score(const struct metric *metric, const double *plain,
                        double *score)
{
    if (!metric->has_attributes) {
        score[0] = plain[0];
        return;
    }
    aggregate(metric, plain, score);
    if (metric->aggregate == AGGREGATE_GEOMETRIC_MEAN)
        score[0] -= POWER_SLACK * (score[0] + 1);
}

void metric_bound(const struct metric *metric, const uint8_t *level,
                  double *score)
{
    double plain[QUASI_IDENTIFIERS_MAX];

    if (metric->has_attributes)
        for (size_t d = 0; d < metric->lattice->dimension_count; d++)
            plain[d] = metric->dimension[d].bound[level[d]];
    else
        plain[0] = metric->family->bound(metric, level);
    bound_score(metric, plain, score);
}

void metric_bound_below(const struct metric *metric, const uint8_t *level,
                        const double *surcharge, double *score)
{
    double plain[QUASI_IDENTIFIERS_MAX];

    assert(metric->has_surcharge);
    metric->family->below(metric, level, surcharge, plain);
    bound_score(metric, plain, score);
}

void metric_floor(const struct metric *metric, const struct metric_node *node,
                  double *score)
{
    assert(metric->has_floor);
    score[0] = metric->family->floor(metric, node);
}

void metric_score(const struct metric *metric, const struct metric_node *node,
                  double *score, double *x, double *surcharge)
{
    double plain[QUASI_IDENTIFIERS_MAX];

    assert(surcharge == NULL || metric->has_surcharge);
    metric->family->cost(metric, node, plain, surcharge);
    if (metric->has_attributes)
        aggregate(metric, plain, score);
    else
        score[0] = plain[0];
    for (size_t d = 0; x != NULL && d < metric->lattice->dimension_count; d++)
        x[d] = metric->has_attributes ? plain[d] : 0;
}

void metric_class_loss(const struct metric *metric, const uint8_t *level,
                       const uint64_t *key, uint32_t rows, double *loss)
{
    double plain[QUASI_IDENTIFIERS_MAX];

    if (metric->kind != METRIC_LOSS) {
        memset(loss, 0, metric->score_count * sizeof *loss);
        return;
    }
    for (size_t d = 0; d < metric->lattice->dimension_count; d++) {
        uint32_t leaf = dimension_leaf(&metric->lattice->dimension[d], key);

        /* Rounded twice, in this order: that is part of the definition. */
        plain[d] = rows * (metric_domain(metric, d, level[d], leaf) /
                           metric->dimension[d].domain_size);
    }
    aggregate(metric, plain, loss);
}

int metric_compare(const struct metric *metric, const double *a,
                   const double *b)
{
    for (size_t i = 0; i < metric->score_count; i++)
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    return 0;
}

/* ---- getting ready ---- */

static double largest_weight(const struct policy *policy,
                             const struct table *table)
{
    double largest = 0;

    for (size_t q = 0; q < table->quasi_count; q++)
        largest =
            fmax(largest, policy->attribute[table->quasi[q].attribute].weight);
    return largest;
}

static enum status prepare_dimension(struct metric *metric, size_t d,
                                     const struct table *table,
                                     struct error *err)
{
    const struct dimension *dimension = &metric->lattice->dimension[d];
    struct metric_dimension *out = &metric->dimension[d];
    uint64_t *rows = calloc(dimension->leaf_count, 2 * sizeof *rows);

    out->domain_size = dimension->domain_size;
    out->total = calloc(dimension->levels, sizeof *out->total);
    out->base = calloc(dimension->levels, sizeof *out->base);
    out->bound = calloc(dimension->levels, sizeof *out->bound);
    if (metric->family->needs_first)
        out->first = calloc((size_t)dimension->levels * dimension->leaf_count,
                            sizeof *out->first);
    if (rows == NULL || out->total == NULL || out->base == NULL ||
        out->bound == NULL ||
        (metric->family->needs_first && out->first == NULL)) {
        free(rows);
        return error_memory(err, "the metric");
    }
    for (uint32_t t = 0; t < table->tuple_count; t++)
        rows[dimension->leaf[table->value[t * table->quasi_count + d]]] +=
            table->tuple_rows[t];
    metric->family->prepare(metric, d, rows, rows + dimension->leaf_count);
    free(rows);
    return OK;
}

/* What is known before any dimension. */
static struct metric *create(const struct policy *policy,
                             const struct table *table,
                             const struct lattice *lattice,
                             uint32_t class_size_min)
{
    struct metric *metric = calloc(1, sizeof *metric);
    double g = policy->gs_factor, largest = largest_weight(policy, table);

    if (metric == NULL)
        return NULL;
    metric->lattice = lattice;
    metric->kind = policy->metric;
    metric->family = families[policy->metric];
    metric->aggregate = policy->aggregate;
    metric->has_attributes = policy->aggregate != AGGREGATE_NONE;
    metric->has_floor = metric->family->floor != NULL;
    metric->has_surcharge = metric->family->below != NULL;
    metric->suppression = g < 0.5 ? 2 * g : 1;
    metric->generalization = g <= 0.5 ? 1 : 1 - 2 * (g - 0.5);
    metric->rows = table->rows;
    metric->population_rows = table->population_rows;
    metric->suppressed_max =
        (uint64_t)floor(policy->suppression_limit * (double)table->rows);
    metric->class_size_min = class_size_min;
    metric->score_count =
        policy->aggregate == AGGREGATE_RANK ? lattice->dimension_count : 1;
    for (size_t d = 0; d < lattice->dimension_count; d++) {
        double weight = policy->attribute[table->quasi[d].attribute].weight;

        metric->dimension[d].weight = largest > 0 ? weight / largest : 1;
    }
    return metric;
}

/* The largest score that there may be must be a number. */
static enum status check_range(const struct metric *metric, struct error *err)
{
    double largest = (double)metric->rows;

    if (metric->kind != METRIC_AMBIGUITY)
        return OK;
    for (size_t d = 0; d < metric->lattice->dimension_count; d++)
        largest *= metric->dimension[d].domain_size;
    if (isfinite(largest))
        return OK;
    return error_set(err, E_LIMIT,
                     "the metric \"%s\" multiplies the sizes of all domains, "
                     "which comes to more than 10^308; expected another "
                     "metric, or fewer quasi-identifiers",
                     quality_metric_name(metric->kind));
}

enum status metric_create(struct metric **out, const struct policy *policy,
                          const struct table *table,
                          const struct lattice *lattice,
                          uint32_t class_size_min, struct error *err)
{
    struct metric *metric = create(policy, table, lattice, class_size_min);
    enum status status = OK;

    *out = NULL;
    if (metric == NULL)
        return error_memory(err, "the metric");
    for (size_t d = 0; status == OK && d < lattice->dimension_count; d++)
        status = prepare_dimension(metric, d, table, err);
    if (status == OK)
        status = check_range(metric, err);
    if (status != OK)
        metric_destroy(&metric);
    *out = metric;
    return status;
}

void metric_destroy(struct metric **handle)
{
    struct metric *metric = *handle;

    if (metric == NULL)
        return;
    for (size_t d = 0; d < QUASI_IDENTIFIERS_MAX; d++) {
        free(metric->dimension[d].total);
        free(metric->dimension[d].base);
        free(metric->dimension[d].bound);
        free(metric->dimension[d].first);
    }
    free(metric);
    *handle = NULL;
}
