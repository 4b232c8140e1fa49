#include <math.h>
#include <stdlib.h>

#include "anonymizer/individual_risk.h"
#include "anonymizer/key_match.h"
#include "anonymizer/risk_internal.h"

/* amount[class]: its records, or the sum of their weights; NULL for records. */
static enum status match(const struct policy *policy,
                         const struct risk_table *table, const double *weight,
                         double **sum, struct error *err)
{
    const struct key_table *keys = &table->keys;
    double *amount = calloc((size_t)keys->tuple_count + 1, sizeof *amount);
    enum status status = OK;

    *sum = calloc((size_t)keys->tuple_count + 1, sizeof **sum);
    if (amount == NULL || *sum == NULL)
        status = error_memory(err, "records that match");
    if (status == OK && weight == NULL) {
        for (uint32_t c = 0; c < keys->tuple_count; c++)
            amount[c] = keys->rows[c];
    } else if (status == OK) {
        /* In the order of the file. */
        for (uint64_t row = 0; row < table->table->population_rows; row++)
            if (table->class_of[row] != KEY_NO_CODE)
                amount[table->class_of[row]] += weight[row];
    }
    if (status == OK)
        status = key_match(keys, amount, policy->risk.missing_match, *sum, err);
    free(amount);
    return status;
}

/* ---- records ---- */

static void add_risk(struct risk_sum *sum, double risk, double records)
{
    sum->expected += risk * records;
    sum->highest = isnan(sum->highest) ? risk : fmax(sum->highest, risk);
}

static void finish_sum(struct risk_sum *sum, uint64_t records)
{
    sum->share = records > 0 ? sum->expected / (double)records : NAN;
}

static double class_risk(const struct risk *risk, uint32_t class)
{
    return 1 / risk->frequency[class];
}

static double class_weighted(const struct risk *risk, uint32_t class)
{
    return individual_risk(risk->frequency[class],
                           risk->weighted_frequency[class]);
}

static void count_violations(struct individual_figures *figures,
                             double frequency, uint32_t records)
{
    size_t i = 0;

#define COUNT_VIOLATION(k)                                                     \
    figures->violations[i++] += frequency < (k) ? records : 0;
    RISK_VIOLATIONS(COUNT_VIOLATION)
#undef COUNT_VIOLATION
}

static void fill_individuals(struct risk *risk, const struct risk_table *table)
{
    struct individual_figures *figures = &risk->individual;
    const struct risk_sum none = {.highest = NAN};

    figures->plain = figures->weighted = none;
    for (uint32_t c = 0; c < table->keys.tuple_count; c++) {
        uint32_t records = table->keys.rows[c];

        figures->sample_uniques += risk->frequency[c] == 1 ? records : 0;
        figures->frequency_sum += risk->frequency[c] * records;
        count_violations(figures, risk->frequency[c], records);
        add_risk(&figures->plain, class_risk(risk, c), records);
        if (risk->weighted_frequency != NULL)
            add_risk(&figures->weighted, class_weighted(risk, c), records);
    }
    finish_sum(&figures->plain, risk->records);
    finish_sum(&figures->weighted, risk->records);
}

/* ---- households ---- */

/* 1 - product of (1 - r) over the members of each; summed up over records. */
static enum status household_risks(const struct risk *risk,
                                   const struct risk_table *table,
                                   double (*of)(const struct risk *, uint32_t),
                                   double **by_household, struct risk_sum *sum,
                                   struct error *err)
{
    const uint32_t *class_of = table->class_of;
    uint64_t rows = table->table->population_rows;
    double *safe = calloc((size_t)table->household_count + 1, sizeof *safe);

    *by_household = safe;
    if (safe == NULL)
        return error_memory(err, "the households");
    for (uint32_t h = 0; h < table->household_count; h++)
        safe[h] = 1;
    for (uint64_t row = 0; row < rows; row++)
        if (class_of[row] != KEY_NO_CODE)
            safe[table->household[row]] *= 1 - of(risk, class_of[row]);
    for (uint32_t h = 0; h < table->household_count; h++)
        safe[h] = 1 - safe[h];
    *sum = (struct risk_sum){.highest = NAN};
    for (uint64_t row = 0; row < rows; row++)
        if (class_of[row] != KEY_NO_CODE)
            add_risk(sum, safe[table->household[row]], 1);
    finish_sum(sum, risk->records);
    return OK;
}

/* Those with a record. */
static enum status count_households(const struct risk_table *table,
                                    uint64_t *count, struct error *err)
{
    bool *seen = calloc((size_t)table->household_count + 1, sizeof *seen);

    if (seen == NULL)
        return error_memory(err, "the households");
    for (uint64_t row = 0; row < table->table->population_rows; row++)
        if (table->class_of[row] != KEY_NO_CODE) {
            *count += !seen[table->household[row]];
            seen[table->household[row]] = true;
        }
    free(seen);
    return OK;
}

static enum status fill_households(struct risk *risk,
                                   const struct risk_table *table,
                                   struct error *err)
{
    enum status status =
        household_risks(risk, table, class_risk, &risk->household_risk,
                        &risk->household.plain, err);

    if (status == OK)
        status = count_households(table, &risk->household.households, err);
    if (status == OK && risk->weighted_frequency != NULL)
        status = household_risks(risk, table, class_weighted,
                                 &risk->household_weighted,
                                 &risk->household.weighted, err);
    return status;
}

enum status risk_individuals(struct risk *risk, const struct policy *policy,
                             const struct risk_table *table, struct error *err)
{
    enum status status = match(policy, table, NULL, &risk->frequency, err);

    if (status == OK && policy->risk.weight != NO_ATTRIBUTE) {
        for (uint64_t row = 0; row < table->table->population_rows; row++)
            if (table->class_of[row] != KEY_NO_CODE)
                risk->individual.weight_sum += table->weight[row];
        status =
            match(policy, table, table->weight, &risk->weighted_frequency, err);
    }
    if (status != OK)
        return status;
    fill_individuals(risk, table);
    return policy->risk.household != NO_ATTRIBUTE
               ? fill_households(risk, table, err)
               : OK;
}
