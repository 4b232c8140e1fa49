#include "anonymizer/risk.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "anonymizer/risk_internal.h"

/* ---- class sizes ---- */

static int compare_sizes(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static enum status count_sizes(struct risk *risk, const struct key_table *keys,
                               struct error *err)
{
    uint32_t *size = calloc((size_t)keys->tuple_count + 1, sizeof *size);
    struct class_size *last = NULL;

    risk->histogram =
        calloc((size_t)keys->tuple_count + 1, sizeof *risk->histogram);
    if (size == NULL || risk->histogram == NULL) {
        free(size);
        return error_memory(err, "the sizes of classes");
    }
    memcpy(size, keys->rows, keys->tuple_count * sizeof *size);
    qsort(size, keys->tuple_count, sizeof *size, compare_sizes);
    for (uint32_t c = 0; c < keys->tuple_count; c++) {
        if (last == NULL || last->size != size[c]) {
            last = &risk->histogram[risk->histogram_count++];
            last->size = size[c];
        }
        last->number++;
    }
    free(size);
    return OK;
}

/* ---- attackers ---- */

double risk_effective_threshold(double threshold)
{
    double size;

    if (threshold <= 0)
        return 0;
    size = floor(1 / threshold);
    if (1 / size - threshold >= 0.01 * threshold)
        size++;
    return 1 / size;
}

/* Share of records whose class has a risk above it. */
static double records_at_risk(const struct risk *risk, double threshold)
{
    uint64_t records = 0;

    for (size_t i = 0; i < risk->histogram_count; i++)
        if (1 / (double)risk->histogram[i].size > threshold)
            records += risk->histogram[i].size * risk->histogram[i].number;
    return (double)records / (double)risk->records;
}

static void fill_attackers(struct risk *risk)
{
    const struct class_size *first = risk->histogram,
                            *last = first + risk->histogram_count - 1;

    risk->min = first->size;
    risk->max = last->size;
    risk->average_size = (double)risk->records / (double)risk->classes;
    risk->sample_uniques = first->size == 1 ? first->number : 0;
    risk->prosecutor = (struct attacker_risk){.highest = 1 / (double)risk->min,
                                              .lowest = 1 / (double)risk->max,
                                              .average = (double)risk->classes /
                                                         (double)risk->records};
    risk->at_highest = first->size * first->number;
    risk->at_lowest = last->size * last->number;
}

/* The table is the population, unless it has a subset: then a class is as
 * large as in the whole table. */
static void fill_journalist(struct risk *risk, const struct risk_table *table)
{
    uint64_t people = 0, least = UINT64_MAX, most = 0;
    double matches = 0;

    risk->journalist = risk->prosecutor;
    risk->marketer = risk->prosecutor.average;
    if (table->population == NULL)
        return;
    for (uint32_t c = 0; c < table->keys.tuple_count; c++) {
        uint64_t size = table->population[c];

        people += size;
        least = size < least ? size : least;
        most = size > most ? size : most;
        matches += (double)table->keys.rows[c] / (double)size;
    }
    risk->marketer = matches / (double)risk->records;
    risk->journalist = (struct attacker_risk){
        .highest = 1 / (double)least,
        .lowest = 1 / (double)most,
        .average =
            fmax((double)risk->classes / (double)people, risk->marketer)};
}

/* Likewise. */
static double journalist_at_risk(const struct risk *risk,
                                 const struct risk_table *table,
                                 double threshold)
{
    uint64_t records = 0;

    if (table->population == NULL)
        return records_at_risk(risk, threshold);
    for (uint32_t c = 0; c < table->keys.tuple_count; c++)
        if (1 / (double)table->population[c] > threshold)
            records += table->keys.rows[c];
    return (double)records / (double)risk->records;
}

static void fill_thresholds(struct risk *risk, const struct policy_risk *asked,
                            const struct risk_table *table)
{
    bool is_known = risk->classes > 0;

    risk->threshold_count = asked->threshold_count;
    for (size_t i = 0; i < asked->threshold_count; i++) {
        double at = asked->threshold[i];

        risk->threshold[i] = (struct risk_threshold){
            .threshold = at,
            .effective = risk_effective_threshold(at),
            .prosecutor = is_known ? records_at_risk(risk, at) : NAN,
            .journalist = is_known ? journalist_at_risk(risk, table, at) : NAN};
    }
}

static enum status fill_classes(struct risk *risk, const struct policy *policy,
                                const struct risk_table *table,
                                struct error *err)
{
    const struct attacker_risk unknown = {NAN, NAN, NAN};
    enum status status = count_sizes(risk, &table->keys, err);

    risk->rows = table->rows;
    risk->suppressed = table->suppressed;
    risk->records = table->rows - table->suppressed;
    risk->classes = table->keys.tuple_count;
    risk->average_size = risk->marketer = NAN;
    risk->prosecutor = risk->journalist = unknown;
    if (status != OK)
        return status;
    if (risk->classes > 0) {
        fill_attackers(risk);
        fill_journalist(risk, table);
    }
    fill_thresholds(risk, &policy->risk, table);
    return OK;
}

/* ---- the population ---- */

/* Where its choice has no answer, Zayatz has one: a figure is asked for here,
 * not a promise. */
static struct population_estimate dankar(struct class_sizes sizes,
                                         double people)
{
    struct population_estimate estimate =
        population_uniques(sizes, people, POPULATION_DANKAR);

    return estimate.state == POPULATION_KNOWN
               ? estimate
               : population_uniques(sizes, people, POPULATION_ZAYATZ);
}

static enum status fill_populations(struct risk *risk,
                                    const struct policy_risk *asked,
                                    struct error *err)
{
    const struct class_sizes sizes = {risk->histogram, risk->histogram_count};

    for (size_t i = 0; i < asked->population_count; i++) {
        uint64_t people = asked->population[i];

        if (people < risk->records)
            return error_set(err, E_INPUT,
                             "a population of %ju people is smaller than the "
                             "table, which has %ju records",
                             (uintmax_t)people, (uintmax_t)risk->records);
        risk->population[risk->population_count++] = (struct risk_population){
            .people = people,
            .zayatz =
                population_uniques(sizes, (double)people, POPULATION_ZAYATZ),
            .pitman =
                population_uniques(sizes, (double)people, POPULATION_PITMAN),
            .snb = population_uniques(sizes, (double)people, POPULATION_SNB),
            .dankar = dankar(sizes, (double)people)};
    }
    return OK;
}

/* ---- from outside ---- */

static enum status compute_suda(struct risk *risk, const struct policy *policy,
                                const struct risk_table *table,
                                atomic_bool *cancel, struct error *err)
{
    const struct suda_options options = {.form = policy->risk.suda_form,
                                         .fraction = policy->risk.suda_fraction,
                                         .cancel = cancel};

    return suda_compute(&risk->suda, &table->keys, &options, err);
}

enum status risk_compute(struct risk **out, const struct policy *policy,
                         const struct risk_table *table, atomic_bool *cancel,
                         struct error *err)
{
    struct risk *risk = calloc(1, sizeof *risk);
    enum status status;

    *out = NULL;
    if (risk == NULL)
        return error_memory(err, "the risk");
    status = fill_classes(risk, policy, table, err);
    if (status == OK)
        status = risk_individuals(risk, policy, table, err);
    if (status == OK)
        status = risk_diversity(risk, policy, table, err);
    if (status == OK)
        status = fill_populations(risk, &policy->risk, err);
    if (status == OK && policy->risk.subset_size > 0)
        status = attribute_subsets(&table->keys, table->star,
                                   policy->risk.subset_size, cancel,
                                   &risk->subset, &risk->subset_count, err);
    if (status == OK && policy->risk.suda)
        status = compute_suda(risk, policy, table, cancel, err);
    if (status != OK)
        risk_destroy(&risk);
    *out = risk;
    return status;
}

void risk_destroy(struct risk **handle)
{
    struct risk *risk = *handle;

    *handle = NULL;
    if (risk == NULL)
        return;
    for (size_t s = 0; s < risk->sensitive_count; s++) {
        free(risk->sensitive[s].class_distinct);
        free(risk->sensitive[s].class_entropy);
        free(risk->sensitive[s].class_recursive);
    }
    suda_destroy(&risk->suda);
    free(risk->sensitive);
    free(risk->histogram);
    free(risk->subset);
    free(risk->frequency);
    free(risk->weighted_frequency);
    free(risk->household_risk);
    free(risk->household_weighted);
    free(risk);
}
