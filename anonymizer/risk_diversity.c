#include <math.h>
#include <stdlib.h>

#include "anonymizer/risk_internal.h"

static int descending(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x < y) - (x > y);
}

/* exp(H), H = - sum n / c ln(n / c). */
static double entropy_l(const uint32_t *number, size_t count, double rows)
{
    double entropy = 0;

    for (size_t i = 0; i < count; i++) {
        double share = number[i] / rows;

        entropy -= share * log(share);
    }
    return exp(entropy);
}

/* The largest l that is reached, going up from 1 while n_1 < c (n_l + ... +
 * n_m). */
static double recursive_l(const uint32_t *number, size_t count, uint64_t rows,
                          double c)
{
    uint64_t rest = rows;
    size_t l = 0;

    while (l < count && number[0] < c * (double)rest)
        rest -= number[l++];
    return (double)l;
}

static void include(struct diversity_sum *sum, double l, uint32_t records)
{
    sum->min = isnan(sum->min) ? l : fmin(sum->min, l);
    sum->sum += l * records;
}

static void judge_class(struct sensitive_figures *figures,
                        const struct histograms *histograms, uint32_t tuple,
                        uint32_t class, uint32_t records, double c,
                        uint32_t *number)
{
    uint64_t begin = histograms->begin[tuple];
    size_t count = (size_t)(histograms->begin[tuple + 1] - begin);

    for (size_t i = 0; i < count; i++)
        number[i] = histograms->number[begin + i];
    qsort(number, count, sizeof *number, descending);
    figures->class_distinct[class] = (double)count;
    figures->class_entropy[class] = entropy_l(number, count, records);
    figures->class_recursive[class] = recursive_l(number, count, records, c);
    include(&figures->distinct, figures->class_distinct[class], records);
    include(&figures->entropy, figures->class_entropy[class], records);
    include(&figures->recursive, figures->class_recursive[class], records);
    for (size_t i = 0; i < 2; i++)
        figures->below[i] += count < 2 + i ? records : 0;
}

static enum status judge(struct sensitive_figures *figures,
                         const struct policy *policy,
                         const struct risk_table *table,
                         const struct sensitive_attribute *sensitive,
                         struct error *err)
{
    const struct diversity_sum none = {.min = NAN};
    size_t classes = (size_t)table->keys.tuple_count + 1;
    uint32_t *number =
        calloc((size_t)sensitive->value_count + 1, sizeof *number);

    figures->attribute = sensitive->attribute;
    figures->distinct = figures->entropy = figures->recursive = none;
    figures->class_distinct = calloc(classes, sizeof(double));
    figures->class_entropy = calloc(classes, sizeof(double));
    figures->class_recursive = calloc(classes, sizeof(double));
    if (number == NULL || figures->class_distinct == NULL ||
        figures->class_entropy == NULL || figures->class_recursive == NULL) {
        free(number);
        return error_memory(err, "the diversity of classes");
    }
    for (uint32_t c = 0; c < table->keys.tuple_count; c++)
        judge_class(figures, &sensitive->histograms, table->of_table[c], c,
                    table->keys.rows[c], policy->risk.recursive_c, number);
    free(number);
    return OK;
}

enum status risk_diversity(struct risk *risk, const struct policy *policy,
                           const struct risk_table *table, struct error *err)
{
    size_t count = table->table->sensitive_count;
    enum status status = OK;

    risk->sensitive = calloc(count + 1, sizeof *risk->sensitive);
    if (risk->sensitive == NULL)
        return error_memory(err, "the diversity of classes");
    for (; status == OK && risk->sensitive_count < count;
         risk->sensitive_count++)
        status = judge(&risk->sensitive[risk->sensitive_count], policy, table,
                       &table->table->sensitive[risk->sensitive_count], err);
    return status;
}
