/*
 * cli/command_check.c - `anchorite check`: does this table satisfy the policy?
 */
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include "anonymizer/policy.h"
#include "anonymizer/recheck.h"
#include "cli/check_report.h"
#include "cli/command.h"
#include "cli/options.h"

static const char help[] =
    "usage: anchorite check --policy POLICY TABLE [--json]\n\n"
    "Does TABLE satisfy the policy?  Cells are taken as they are; rows whose\n"
    "quasi-identifiers are all \"*\" count as suppressed.  A table satisfies a "
    "policy\nif all privacy models hold, no more rows are suppressed than the "
    "policy allows,\nand no column is left that the policy removes.  \"-\" is "
    "standard input.\n\n"
    "  -p, --policy POLICY   what the table must satisfy (JSON)\n"
    "  -j, --json            print one JSON object with all figures\n"
    "  -h, --help            this text\n\n"
    "Example:\n"
    "  anchorite check -p policies/hospital-k5.json release.csv\n\n"
    "Exit code 0: it does; 1: it does not.\n";

struct options {
    const char *policy;
    const char *table;
    bool json;
};

static const struct option_row rows[] = {
    {"policy", 'p', OPTION_AT(TEXT, struct options, policy)},
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
    return options_name_table(argv[0], options->policy, &operands);
}

static enum status print_json(const struct policy *policy,
                              const struct recheck_result *result,
                              struct error *err)
{
    struct json *json = NULL;
    enum status status = json_create(&json, err);

    if (status == OK)
        status = check_report_json(policy, result, json_edit_root(json), err);
    if (status == OK)
        status = command_print_json(json, err);
    json_destroy(&json);
    return status;
}

int command_check(int argc, char **argv)
{
    struct options options;
    struct policy *policy = NULL;
    struct recheck_result *result = NULL;
    const char *name = NULL;
    struct error err;
    int table = -1, exit_code;
    enum status status;

    if (!parse_options(argc, argv, &options, &exit_code))
        return exit_code;
    error_init(&err);
    status = policy_open(&policy, options.policy, &err);
    if (status == OK)
        status = command_open_input(options.table, false, &table, &name, &err);
    if (status == OK)
        status = recheck_table(&result, policy, table, name, NULL, &err);
    if (status == OK && options.json)
        status = print_json(policy, result, &err);
    else if (status == OK) {
        check_report_text(policy, result, name, stdout);
        status = command_finish_output(&err);
    }
    if (status != OK)
        exit_code = command_fail(&err);
    else /* What was printed says no, where it is one. */
        exit_code = status_exit_code(result->satisfied ? OK : E_NO);
    if (table >= 0)
        close(table);
    recheck_destroy(&result);
    policy_close(&policy);
    return exit_code;
}
