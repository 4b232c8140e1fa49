#include "tests/lib/oracle_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LN_2 0.69314718055994530941723212146

/* A vector of levels whose groups are judged. */
struct priced {
    const struct oracle *oracle;
    const size_t *level;
    const bool *suppressed; /* by row */
    size_t suppressed_rows;
    const size_t *group_size; /* by row */
    double s, w;
};

/* Rows of the domain that the row's label stands for. */
static size_t domain_rows(const struct priced *priced, size_t d, size_t row)
{
    const struct oracle_dimension *dimension = &priced->oracle->dimension[d];

    return dimension
        ->leaves[priced->level[d] * dimension->rows + dimension->place[row]];
}

static double cut(double x)
{
    return floor(fmax(0, x) * 1e10) / 1e10;
}

/* ---- metrics of attributes ---- */

/* Everything times the domain's rows: whole numbers for w = s = 1, so that only
 * the quotient is rounded before it is cut off. */
static double loss(const struct priced *priced, size_t d)
{
    double n = (double)priced->oracle->task->row_count;
    double domain = (double)priced->oracle->dimension[d].rows;
    double whole = (double)priced->suppressed_rows * domain;
    size_t kept = 0, suppressed = 0;
    double share, raw;

    for (size_t row = 0; row < priced->oracle->task->row_count; row++)
        *(priced->suppressed[row] ? &suppressed : &kept) +=
            domain_rows(priced, d, row);
    share = (double)suppressed;
    raw = priced->w * (double)kept;
    if (priced->s == 1)
        raw += whole;
    else
        raw += share + priced->s * (whole - share);
    if (n * domain <= priced->w * n)
        return 0;
    return cut((raw - priced->w * n) / (n * domain - priced->w * n));
}

static double precision(const struct priced *priced, size_t d)
{
    double n = (double)priced->oracle->task->row_count;
    double lost = (double)priced->suppressed_rows;
    size_t top = priced->oracle->dimension[d].levels - 1;
    double height = top == 0 ? 0 : (double)priced->level[d] / (double)top;

    if (priced->oracle->task->metric == METRIC_PRECISION_MONOTONIC)
        return height * priced->w;
    return ((n - lost) * height * priced->w + lost * priced->s) / n;
}

/* sum n_x log2(n_x / n'_x) over the values x of some rows (all, or suppressed
 * ones) at a level, n'_x those of the rows that have its label at a level
 * above, or of all rows of the population; in order of first appearance. */
static double entropy(const struct priced *priced, size_t d, bool all,
                      size_t level, bool one_label, size_t above)
{
    const struct oracle_dimension *dimension = &priced->oracle->dimension[d];
    size_t rows = priced->oracle->task->row_count;
    bool *done = oracle_allocate(rows, sizeof(bool));
    double sum = 0;

    for (size_t row = 0; row < rows; row++) {
        size_t same = 0, together = 0;

        if (done[row] || !(all || priced->suppressed[row]))
            continue;
        for (size_t other = 0; other < rows; other++) {
            if (!(all || priced->suppressed[other]))
                continue;
            if (strcmp(oracle_label(dimension, level, row),
                       oracle_label(dimension, level, other)) == 0) {
                same++;
                done[other] = true;
            }
            if (one_label || strcmp(oracle_label(dimension, above, row),
                                    oracle_label(dimension, above, other)) == 0)
                together++;
        }
        if (all && one_label)
            together += priced->oracle->task->outside_count;
        sum += (double)same * (log((double)same / (double)together) / LN_2);
    }
    free(done);
    return sum;
}

static double entropy_cost(const struct priced *priced, size_t d)
{
    enum quality_metric metric = priced->oracle->task->metric;
    size_t level = priced->level[d];
    double sum = priced->w * entropy(priced, d, true, 0, false, level);
    double whole;

    if (metric == METRIC_NON_UNIFORM_ENTROPY_MONOTONIC)
        return cut(-sum);
    if (priced->suppressed_rows > 0)
        sum += priced->s * entropy(priced, d, false, level, true, 0);
    if (metric == METRIC_NON_UNIFORM_ENTROPY)
        return cut(-sum);
    whole = cut(-entropy(priced, d, true, 0, true, 0));
    return whole > 0 ? cut(-sum) / whole : 0;
}

static double attribute_cost(const struct priced *priced, size_t d)
{
    switch (priced->oracle->task->metric) {
    case METRIC_LOSS:
        return loss(priced, d);
    case METRIC_PRECISION:
    case METRIC_PRECISION_MONOTONIC:
        return precision(priced, d);
    case METRIC_HEIGHT:
        return (double)priced->level[d];
    case METRIC_NON_UNIFORM_ENTROPY:
    case METRIC_NON_UNIFORM_ENTROPY_MONOTONIC:
    case METRIC_NORMALIZED_NON_UNIFORM_ENTROPY:
        return entropy_cost(priced, d);
    case METRIC_DISCERNIBILITY:
    case METRIC_DISCERNIBILITY_MONOTONIC:
    case METRIC_AECS:
    case METRIC_AMBIGUITY:
        break;
    }
    abort();
}

/* ---- metrics of classes ---- */

/* By rows: each has its share of what its group costs. */
static double class_cost(const struct priced *priced)
{
    const struct oracle *oracle = priced->oracle;
    double n = (double)oracle->task->row_count, sum = 0;

    for (size_t row = 0; row < oracle->task->row_count; row++) {
        bool lost = priced->suppressed[row];
        double product = 1;

        switch (oracle->task->metric) {
        case METRIC_DISCERNIBILITY:
            sum += lost ? n : (double)priced->group_size[row];
            break;
        case METRIC_DISCERNIBILITY_MONOTONIC:
            sum += (double)priced->group_size[row];
            break;
        default:
            for (size_t d = 0; d < oracle->dimension_count; d++)
                product *= lost ? (double)oracle->dimension[d].rows
                                : (double)domain_rows(priced, d, row);
            sum += product;
        }
    }
    return sum;
}

static double average_class(const struct priced *priced, size_t kept)
{
    double classes = priced->s * (double)kept;

    if (priced->suppressed_rows > 0)
        classes += priced->w;
    return (double)priced->oracle->task->row_count / classes;
}

/* ---- aggregates ---- */

static int compare_doubles_descending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x < y) - (x > y);
}

static void aggregate_score(const struct oracle *oracle,
                            struct oracle_verdict *verdict)
{
    double m = (double)oracle->dimension_count;
    enum aggregate aggregate = oracle->task->aggregate;
    double score = aggregate == AGGREGATE_GEOMETRIC_MEAN ? 1 : 0;

    for (size_t d = 0; d < oracle->dimension_count; d++) {
        double x = verdict->cost[d], a = oracle->dimension[d].weight;

        switch (aggregate) {
        case AGGREGATE_SUM:
            score += a * x;
            break;
        case AGGREGATE_MAXIMUM:
            score = fmax(score, a * x);
            break;
        case AGGREGATE_ARITHMETIC_MEAN:
            score += (x / m) * a;
            break;
        case AGGREGATE_GEOMETRIC_MEAN:
            score *= pow(a * x + 1, 1 / m);
            break;
        case AGGREGATE_RANK:
            verdict->score[d] = a * x;
            break;
        case AGGREGATE_NONE:
            abort();
        }
    }
    verdict->score_count = 1;
    if (aggregate == AGGREGATE_RANK) {
        verdict->score_count = oracle->dimension_count;
        qsort(verdict->score, verdict->score_count, sizeof(double),
              compare_doubles_descending);
    } else {
        verdict->score[0] =
            aggregate == AGGREGATE_GEOMETRIC_MEAN ? score - 1 : score;
    }
}

void oracle_price(const struct oracle *oracle, const size_t *level,
                  const bool *suppressed, const size_t *group_size,
                  struct oracle_verdict *verdict)
{
    double gs = oracle->task->gs_factor;
    struct priced priced = {.oracle = oracle,
                            .level = level,
                            .suppressed = suppressed,
                            .suppressed_rows = verdict->figures.suppressed,
                            .group_size = group_size,
                            .s = gs < 0.5 ? 2 * gs : 1,
                            .w = gs <= 0.5 ? 1 : 1 - 2 * (gs - 0.5)};

    if (quality_metric_aggregate(oracle->task->metric) == AGGREGATE_NONE) {
        verdict->score_count = 1;
        verdict->score[0] = oracle->task->metric == METRIC_AECS
                                ? average_class(&priced, verdict->figures.count)
                                : class_cost(&priced);
        return;
    }
    for (size_t d = 0; d < oracle->dimension_count; d++)
        verdict->cost[d] = attribute_cost(&priced, d);
    aggregate_score(oracle, verdict);
}
