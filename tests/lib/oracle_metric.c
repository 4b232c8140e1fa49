#include "tests/lib/oracle_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Sums over the rows of the table, per quasi-identifier: rows of the domain
 * that the row's label stands for. */
struct loss_sums {
    size_t kept[ORACLE_QI_MAX];
    size_t suppressed[ORACLE_QI_MAX];
};

static double loss_of_dimension(const struct oracle_task *task,
                                const struct oracle_dimension *dimension,
                                size_t kept, size_t suppressed,
                                size_t suppressed_rows)
{
    double gs = task->gs_factor;
    double s = gs < 0.5 ? 2 * gs : 1;
    double w = gs <= 0.5 ? 1 : 1 - 2 * (gs - 0.5);
    double n = (double)task->row_count;
    double domain = (double)dimension->rows;
    double share = (double)suppressed;
    double whole = (double)suppressed_rows * domain;
    double raw = w * (double)kept;

    /* Everything times the domain's rows: whole numbers for w = s = 1, so that
     * only the quotient is rounded before it is cut off. */
    if (s == 1)
        raw += whole;
    else
        raw += share + s * (whole - share);
    if (n * domain <= w * n)
        return 0;
    return floor(fmax(0, (raw - w * n) / (n * domain - w * n)) * 1e10) / 1e10;
}

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
        double x = verdict->loss[d], a = oracle->dimension[d].weight;

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

static void sum_loss(const struct oracle *oracle, const size_t *level,
                     const bool *suppressed, struct loss_sums *sums)
{
    memset(sums, 0, sizeof *sums);
    for (size_t d = 0; d < oracle->dimension_count; d++) {
        const struct oracle_dimension *dimension = &oracle->dimension[d];

        for (size_t row = 0; row < oracle->task->row_count; row++)
            *(suppressed[row] ? &sums->suppressed[d] : &sums->kept[d]) +=
                dimension->leaves[level[d] * dimension->rows +
                                  dimension->place[row]];
    }
}

void oracle_price(const struct oracle *oracle, const size_t *level,
                  const bool *suppressed, struct oracle_verdict *verdict)
{
    struct loss_sums sums;

    sum_loss(oracle, level, suppressed, &sums);
    for (size_t d = 0; d < oracle->dimension_count; d++)
        verdict->loss[d] =
            loss_of_dimension(oracle->task, &oracle->dimension[d], sums.kept[d],
                              sums.suppressed[d], verdict->figures.suppressed);
    aggregate_score(oracle, verdict);
}
