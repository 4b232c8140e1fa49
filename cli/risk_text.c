#include "cli/risk_text.h"

#include <inttypes.h>
#include <math.h>

#include "cli/command.h"

/* Sets of attributes that are shown: the best of each size. */
#define SUBSETS_SHOWN 5

static void print_share(FILE *out, double share)
{
    if (isnan(share))
        fputs("-", out);
    else
        fprintf(out, "%.4g (%.4g %%)", share, 100 * share);
}

static void print_line(FILE *out, const char *name, double share)
{
    fprintf(out, "  %-34s", name);
    print_share(out, share);
    fputc('\n', out);
}

static void print_classes(FILE *out, const struct risk *risk)
{
    fprintf(out, "  %-34s%" PRIu64 "\n  %-34s%" PRIu64 "\n  %-34s%" PRIu64 "\n",
            "rows", risk->rows, "suppressed", risk->suppressed, "records",
            risk->records);
    if (risk->classes == 0) {
        fputs("  every row is suppressed: there is nobody to find\n", out);
        return;
    }
    fprintf(out,
            "  %-34s%" PRIu64 " of %" PRIu64 " to %" PRIu64
            " records, %.1f on average\n",
            "classes", risk->classes, risk->min, risk->max, risk->average_size);
    fprintf(out, "  %-34s%" PRIu64 "\n", "records that are unique",
            risk->sample_uniques);
}

static void print_attackers(FILE *out, const struct risk *risk)
{
    fputs("\nWho looks for one person known to be in the table "
          "(prosecutor)\n",
          out);
    print_line(out, "highest risk", risk->prosecutor.highest);
    print_line(out, "average risk", risk->prosecutor.average);
    print_line(out, "lowest risk", risk->prosecutor.lowest);
    fputs("Who looks for one person of the population (journalist)\n", out);
    print_line(out, "highest risk", risk->journalist.highest);
    print_line(out, "average risk", risk->journalist.average);
    fputs("Who looks for everybody (marketer)\n", out);
    print_line(out, "expected share found", risk->marketer);
    fputs("\nRecords with a risk above a threshold\n", out);
    for (size_t i = 0; i < risk->threshold_count; i++) {
        const struct risk_threshold *at = &risk->threshold[i];

        fprintf(out, "  above %-8.4g prosecutor ", at->threshold);
        print_share(out, at->prosecutor);
        fputs(", journalist ", out);
        print_share(out, at->journalist);
        fputc('\n', out);
    }
}

static void print_sum(FILE *out, const char *name, const struct risk_sum *sum)
{
    fprintf(out, "  %-34s%.6g, ", name, sum->expected);
    print_share(out, sum->share);
    fputs(" of the records\n", out);
}

static void print_individual(FILE *out, const struct policy *policy,
                             const struct risk *risk)
{
    if (risk->classes == 0)
        return;
    fputs("\nRe-identifications to expect\n", out);
    print_sum(out, "in the sample", &risk->individual.plain);
    if (policy->risk.weight != NO_ATTRIBUTE)
        print_sum(out, "in the population, by weights",
                  &risk->individual.weighted);
    if (policy->risk.household != NO_ATTRIBUTE)
        print_sum(out, "by anybody of the household", &risk->household.plain);
    if (policy->risk.household != NO_ATTRIBUTE &&
        policy->risk.weight != NO_ATTRIBUTE)
        print_sum(out, "of those, by weights", &risk->household.weighted);
}

static void print_estimate(FILE *out, const char *name,
                           const struct population_estimate *estimate,
                           uint64_t people)
{
    fprintf(out, "    %-18s", name);
    if (estimate->state != POPULATION_KNOWN) {
        fprintf(out, "unknown: %s\n", population_state_text(estimate->state));
        return;
    }
    fprintf(out, "%.6g, ", estimate->uniques);
    print_share(out, estimate->uniques / (double)people);
    fputc('\n', out);
}

static void print_populations(FILE *out, const struct risk *risk)
{
    for (size_t i = 0; i < risk->population_count; i++) {
        const struct risk_population *at = &risk->population[i];
        char chosen[32];

        fprintf(out, "\nUnique among %" PRIu64 " people\n", at->people);
        print_estimate(out, "Zayatz", &at->zayatz, at->people);
        print_estimate(out, "Pitman", &at->pitman, at->people);
        print_estimate(out, "SNB", &at->snb, at->people);
        snprintf(chosen, sizeof chosen, "Dankar, by %s",
                 population_estimator_name(at->dankar.used));
        print_estimate(out, chosen, &at->dankar, at->people);
    }
}

static void print_columns(FILE *out, const struct policy *policy,
                          const struct risk_table *table, uint64_t columns)
{
    const char *between = "";

    for (uint64_t left = columns; left != 0; left &= left - 1) {
        size_t attribute = table->attribute[__builtin_ctzll(left)];

        fputs(between, out);
        command_print_harmless(out, policy->attribute[attribute].name);
        between = ", ";
    }
}

/* Those that tell most rows apart, of each size. */
static void print_subsets(FILE *out, const struct policy *policy,
                          const struct risk_table *table,
                          const struct risk *risk)
{
    if (risk->subset == NULL)
        return;
    fprintf(out,
            "\nSets of attributes that tell rows apart best (%d of each size)\n"
            "  distinction  separation  attributes\n",
            SUBSETS_SHOWN);
    for (size_t i = 0; i < risk->subset_count; i++) {
        const struct attribute_subset *subset = &risk->subset[i];
        size_t later = i + SUBSETS_SHOWN;

        if (later < risk->subset_count &&
            __builtin_popcountll(risk->subset[later].columns) ==
                __builtin_popcountll(subset->columns))
            continue;
        fprintf(out, "  %11.4g  %10.4g  ", subset->distinction,
                subset->separation);
        print_columns(out, policy, table, subset->columns);
        fputc('\n', out);
    }
}

static void print_suda(FILE *out, const struct policy *policy,
                       const struct risk_table *table, const struct risk *risk)
{
    const struct suda *suda = risk->suda;

    if (suda == NULL)
        return;
    fprintf(out,
            "\nSpecial uniques (SUDA)\n  %-34s%" PRIu64
            "\n  %-34s%.6g\n  %-34s%.6g\n",
            "records with a score", suda->records, "highest score",
            suda->score_highest, "highest DIS", suda->dis_highest);
    for (size_t c = 0; c < table->keys.column_count; c++) {
        fprintf(out, "  %5.1f %% of all scores come with ",
                100 * suda->contribution[c]);
        print_columns(out, policy, table, UINT64_C(1) << c);
        fputc('\n', out);
    }
}

static void print_sensitive(FILE *out, const struct policy *policy,
                            const struct risk *risk)
{
    if (risk->sensitive_count == 0 || risk->classes == 0)
        return;
    fputs("\nDiversity of sensitive values in the class of a record\n"
          "  least distinct  least entropy l  records with one value  "
          "attribute\n",
          out);
    for (size_t i = 0; i < risk->sensitive_count; i++) {
        const struct sensitive_figures *figures = &risk->sensitive[i];

        fprintf(out, "  %14.0f  %15.4g  %22" PRIu64 "  ", figures->distinct.min,
                figures->entropy.min, figures->below[0]);
        command_print_harmless(out, policy->attribute[figures->attribute].name);
        fputc('\n', out);
    }
}

void risk_text(const struct policy *policy, const struct risk_table *table,
               const struct risk *risk, const char *name, FILE *out)
{
    fputs("The risk of ", out);
    command_print_harmless(out, name);
    fputs(" under the quasi-identifiers ", out);
    print_columns(out, policy, table,
                  table->keys.column_count == KEY_COLUMNS_MAX
                      ? UINT64_MAX
                      : (UINT64_C(1) << table->keys.column_count) - 1);
    fputs("\n\n", out);
    print_classes(out, risk);
    if (risk->classes > 0)
        print_attackers(out, risk);
    print_populations(out, risk);
    print_individual(out, policy, risk);
    print_subsets(out, policy, table, risk);
    print_suda(out, policy, table, risk);
    print_sensitive(out, policy, risk);
}
