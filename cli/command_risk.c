/*
 * cli/command_risk.c - `anchorite risk`: how easily the people behind a table
 * are found again.
 */
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include "anonymizer/policy.h"
#include "anonymizer/risk.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/risk_json.h"
#include "cli/risk_text.h"
#include "common/limits.h"
#include "common/number.h"
#include "common/process.h"

static const char help[] =
    "usage: anchorite risk --policy POLICY TABLE [--threshold T]... "
    "[--population N]...\n"
    "                      [--region NAME] [--subsets SIZE] [--suda] "
    "[--records] [--json]\n\n"
    "How easily are the people behind TABLE found again by whoever knows the\n"
    "policy's quasi-identifiers?  The table is taken as it is, before or after "
    "it was\nde-identified: hierarchies play no part, rows whose "
    "quasi-identifiers are all\n\"*\" are suppressed.  With a \"subset\" in "
    "the policy its rows are the sample, and\nthe whole table is the "
    "population.  \"-\" is standard input.\n\n"
    "  -p, --policy POLICY   which columns are what (JSON); \"risk\" in it "
    "says what\n"
    "                        is computed, options on top of it\n"
    "  -t, --threshold T     records with a risk above T (several times; "
    "default\n"
    "                        0.05, 0.1, 0.2, 0.33)\n"
    "      --population N    how many would be unique among N people (several "
    "times)\n"
    "      --region NAME     the same for the people of a region, as USA\n"
    "      --subsets SIZE    how well sets of up to SIZE attributes tell rows "
    "apart\n"
    "      --suda            special uniques: what makes a record stand out\n"
    "      --records         with --json: figures of each record\n"
    "  -j, --json            print one JSON object with all figures\n"
    "  -h, --help            this text\n\n"
    "Examples:\n"
    "  anchorite risk -p policies/hospital-k5.json patients.csv\n"
    "  anchorite risk -p policies/hospital-k5.json release.csv --threshold "
    "0.09 --json\n\n"
    "Exit code 0, whatever the risk is.\n";

struct options {
    const char *policy;
    const char *table;
    struct option_list threshold, population;
    const char *region;
    uint64_t subset_size;
    bool suda, records, json;
};

static const struct option_row rows[] = {
    {"policy", 'p', OPTION_AT(TEXT, struct options, policy)},
    {"threshold", 't', OPTION_AT(LIST, struct options, threshold)},
    {"population", 0, OPTION_AT(LIST, struct options, population)},
    {"region", 0, OPTION_AT(TEXT, struct options, region)},
    {"subsets", 0, OPTION_AT(NUMBER, struct options, subset_size), .min = 1,
     .max = QUASI_IDENTIFIERS_MAX},
    {"suda", 0, OPTION_AT(FLAG, struct options, suda)},
    {"records", 0, OPTION_AT(FLAG, struct options, records)},
    {"json", 'j', OPTION_AT(FLAG, struct options, json)},
};

static const struct options_table known = {help, rows,
                                           sizeof rows / sizeof *rows};

/* False: *exit_code is to be returned, all has been said. */
static bool parse_options(int argc, char **argv, struct options *options,
                          int *exit_code)
{
    struct operands operands;

    *options = (struct options){.policy = NULL};
    if (!options_parse(&known, argc, argv, options, &operands, exit_code))
        return false;
    options->table = operands.at[0];
    if (!options_name_table(argv[0], options->policy, &operands))
        return false;
    if (!options->records || options->json)
        return true;
    command_misuse(argv[0], "--records is for --json");
    return false;
}

/* The command line wins over the policy. */
static enum status ask_more(struct policy_risk *risk,
                            const struct options *options, struct error *err)
{
    enum status status = OK;

    risk->thresholds_given =
        risk->thresholds_given && options->threshold.count == 0;
    for (size_t i = 0; status == OK && i < options->threshold.count; i++) {
        double threshold;

        if (!number_parse_double(bytes_of_string(options->threshold.at[i]), 0,
                                 1, &threshold))
            return error_set(err, E_USAGE,
                             "--threshold: expected a number from 0 to 1");
        status = policy_risk_add_threshold(risk, threshold, err);
    }
    if (options->population.count > 0 || options->region != NULL)
        risk->population_count = 0;
    for (size_t i = 0; status == OK && i < options->population.count; i++) {
        uint64_t people;

        if (!number_parse_unsigned(bytes_of_string(options->population.at[i]),
                                   1, RISK_POPULATION_MAX, &people))
            return error_set(err, E_USAGE,
                             "--population: expected a whole number from 1 to "
                             "%ju",
                             (uintmax_t)RISK_POPULATION_MAX);
        status = policy_risk_add_population(risk, people, err);
    }
    if (status == OK && options->region != NULL)
        status = policy_risk_add_region(risk, options->region, err);
    if (options->subset_size > 0)
        risk->subset_size = (uint32_t)options->subset_size;
    risk->suda = risk->suda || options->suda;
    return status;
}

static enum status print(const struct policy *policy,
                         const struct risk_table *table,
                         const struct risk *risk, const char *name,
                         const struct options *options, struct error *err)
{
    struct json *json = NULL;
    enum status status;

    if (!options->json) {
        risk_text(policy, table, risk, name, stdout);
        return command_finish_output(err);
    }
    status = json_create(&json, err);
    if (status == OK)
        status = risk_json(policy, table, risk, options->records,
                           json_edit_root(json), err);
    if (status == OK)
        status = command_print_json(json, err);
    json_destroy(&json);
    return status;
}

int command_risk(int argc, char **argv)
{
    struct options options;
    struct policy *policy = NULL;
    struct risk_table *table = NULL;
    struct risk *risk = NULL;
    const char *name = NULL;
    struct error err;
    int input = -1, exit_code;
    enum status status;

    if (!parse_options(argc, argv, &options, &exit_code))
        return exit_code;
    error_init(&err);
    status = policy_open(&policy, options.policy, &err);
    if (status == OK)
        status = ask_more(&policy->risk, &options, &err);
    if (status == OK)
        status = command_open_input(options.table, true, &input, &name, &err);
    if (status == OK)
        status = risk_table_read(&table, policy, input, name,
                                 process_cores(THREADS_MAX), NULL, &err);
    if (status == OK)
        status = risk_compute(&risk, policy, table, NULL, &err);
    if (status == OK)
        status = print(policy, table, risk, name, &options, &err);
    exit_code = status == OK ? status_exit_code(OK) : command_fail(&err);
    if (input >= 0)
        close(input);
    risk_destroy(&risk);
    risk_table_destroy(&table);
    policy_close(&policy);
    return exit_code;
}
