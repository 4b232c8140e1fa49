#include "anonymizer/metric.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

/* Allowance for a power function that may be off by a unit in the last place,
 * 2.2e-16, for each of up to 64 factors, in a bound one way and in a score the
 * other: 2.9e-14. */
#define POWER_SLACK 1e-13

/* Relative; for the rounding of a few operations. */
#define SURCHARGE_SLACK 1e-12

static double cost_share(const struct metric_dimension *dimension, double cost)
{
    double x;

    if (dimension->cost_max <= dimension->cost_min)
        return 0; /* a domain of one value: nothing to lose */
    x = (cost - dimension->cost_min) /
        (dimension->cost_max - dimension->cost_min);
    return x <= 0 ? 0 : floor(x * 1e10) / 1e10;
}

/* x_d: cost of one attribute, 0 (nothing lost) to 1 (everything).  Both sides
 * of the fraction are times R_d, so that for w = s = 1 they are whole numbers
 * and nothing but the quotient is rounded. */
static double attribute_cost(const struct metric *metric, size_t d,
                             uint64_t kept, uint64_t lost, uint64_t suppressed)
{
    const struct metric_dimension *dimension = &metric->dimension[d];
    double whole = (double)suppressed * dimension->domain_size;
    double cost = metric->generalization * (double)kept;

    if (metric->suppression == 1)
        cost += whole;
    else
        cost += (double)lost + metric->suppression * (whole - (double)lost);
    return cost_share(dimension, cost);
}

bool metric_surcharge(const struct metric *metric, uint64_t suppressed,
                      const uint64_t *lost, double *surcharge)
{
    for (size_t d = 0; d < metric->lattice->dimension_count; d++) {
        double whole = (double)suppressed * metric->dimension[d].domain_size;
        double rest = (double)lost[d];
        double more = rest + metric->suppression * (whole - rest) -
                      metric->generalization * rest;

        surcharge[d] = more > 0 ? more * (1 - SURCHARGE_SLACK) : 0;
    }
    return true;
}

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
        }
    }
    if (metric->aggregate == AGGREGATE_RANK)
        sort_descending(score, m);
    else if (metric->aggregate == AGGREGATE_GEOMETRIC_MEAN)
        score[0] = product - 1;
    else
        score[0] = sum;
}

static void bound_score(const struct metric *metric, const double *plain,
                        double *score)
{
    aggregate(metric, plain, score);
    if (metric->aggregate == AGGREGATE_GEOMETRIC_MEAN)
        score[0] -= POWER_SLACK * (score[0] + 1);
}

void metric_bound(const struct metric *metric, const uint8_t *level,
                  double *score)
{
    double plain[QUASI_IDENTIFIERS_MAX];

    for (size_t d = 0; d < metric->lattice->dimension_count; d++)
        plain[d] = metric->dimension[d].bound[level[d]];
    bound_score(metric, plain, score);
}

void metric_bound_below(const struct metric *metric, const uint8_t *level,
                        const double *surcharge, double *score)
{
    double plain[QUASI_IDENTIFIERS_MAX];

    for (size_t d = 0; d < metric->lattice->dimension_count; d++) {
        const struct metric_dimension *dimension = &metric->dimension[d];
        double kept = (double)dimension->total[level[d]];

        plain[d] =
            cost_share(dimension, metric->generalization * kept + surcharge[d]);
    }
    bound_score(metric, plain, score);
}

void metric_score(const struct metric *metric, const uint8_t *level,
                  uint64_t suppressed, const uint64_t *lost, double *score,
                  double *x)
{
    double plain[QUASI_IDENTIFIERS_MAX];
    size_t m = metric->lattice->dimension_count;

    for (size_t d = 0; d < m; d++) {
        uint64_t total = metric->dimension[d].total[level[d]];

        assert(lost[d] <= total);
        plain[d] =
            attribute_cost(metric, d, total - lost[d], lost[d], suppressed);
        if (x != NULL)
            x[d] = plain[d];
    }
    aggregate(metric, plain, score);
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

    for (size_t q = 0; q < table->quasi_count; q++) {
        double weight = policy->attribute[table->quasi[q].attribute].weight;

        if (weight > largest)
            largest = weight;
    }
    return largest;
}

/* Rows of each leaf, then r summed over them for each level. */
static enum status fill_totals(struct metric *metric, size_t d,
                               const struct table *table, struct error *err)
{
    const struct dimension *dimension = &metric->lattice->dimension[d];
    struct metric_dimension *out = &metric->dimension[d];
    uint64_t *rows = calloc(dimension->leaf_count, sizeof *rows);

    out->total = calloc(dimension->levels, sizeof *out->total);
    out->bound = calloc(dimension->levels, sizeof *out->bound);
    if (rows == NULL || out->total == NULL || out->bound == NULL) {
        free(rows);
        return error_memory(err, "the metric");
    }
    for (uint32_t t = 0; t < table->tuple_count; t++)
        rows[dimension->leaf[table->value[t * table->quasi_count + d]]] +=
            table->tuple_rows[t];
    for (uint32_t level = 0; level < dimension->levels; level++) {
        const uint32_t *domain =
            dimension->domain + (size_t)level * dimension->leaf_count;

        for (uint32_t i = 0; i < dimension->leaf_count; i++)
            out->total[level] += rows[i] * domain[i];
        out->bound[level] = attribute_cost(metric, d, out->total[level], 0, 0);
    }
    free(rows);
    return OK;
}

enum status metric_create(struct metric **out, const struct policy *policy,
                          const struct table *table,
                          const struct lattice *lattice, struct error *err)
{
    struct metric *metric = calloc(1, sizeof *metric);
    double largest = largest_weight(policy, table);
    double g = policy->gs_factor;
    enum status status = OK;

    *out = NULL;
    if (metric == NULL)
        return error_memory(err, "the metric");
    metric->lattice = lattice;
    metric->aggregate = policy->aggregate;
    metric->suppression = g < 0.5 ? 2 * g : 1;
    metric->generalization = g <= 0.5 ? 1 : 1 - 2 * (g - 0.5);
    metric->rows = (double)table->rows;
    metric->score_count =
        policy->aggregate == AGGREGATE_RANK ? lattice->dimension_count : 1;
    for (size_t d = 0; status == OK && d < lattice->dimension_count; d++) {
        struct metric_dimension *dimension = &metric->dimension[d];
        double weight = policy->attribute[table->quasi[d].attribute].weight;

        dimension->weight = largest > 0 ? weight / largest : 1;
        dimension->domain_size = lattice->dimension[d].domain_size;
        dimension->cost_min = metric->generalization * metric->rows;
        dimension->cost_max = metric->rows * dimension->domain_size;
        status = fill_totals(metric, d, table, err);
    }
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
        free(metric->dimension[d].bound);
    }
    free(metric);
    *handle = NULL;
}
