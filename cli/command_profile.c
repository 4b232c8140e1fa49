/*
 * cli/command_profile.c - `anchorite profile`: what is in this table, who could
 * be found by it, and a policy to begin with.
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "anonymizer/profile.h"
#include "cli/comma_list.h"
#include "cli/command.h"
#include "cli/draft_folder.h"
#include "cli/options.h"
#include "cli/profile_report.h"

#define SUBSET_SIZE_DEFAULT 3

static const char help[] =
    "usage: anchorite profile TABLE [--draft DIR] [--columns A,B,...] "
    "[--subsets N]\n"
    "                         [--header] [--json]\n\n"
    "Looks at a table before there is a policy for it: each column's type, "
    "distinct\nand missing values; which of the 18 kinds of identifiers of "
    "HIPAA's Safe Harbor\nit likely holds, by its name and its values; how "
    "well columns and small subsets\nof them tell rows apart; a role for each "
    "column with the reason.  No value of the\ntable is printed.  \"-\" is "
    "standard input.\n\n"
    "  -d, --draft DIR         write a policy that runs as it is, with "
    "hierarchies, into\n"
    "                          a new folder; the hierarchies hold the table's "
    "values\n"
    "  -c, --columns A,B,...   measure the subsets of these columns; else of "
    "those\n"
    "                          that are proposed as quasi-identifiers\n"
    "  -s, --subsets N         subsets of up to N columns (0 to 32, default "
    "3)\n"
    "      --header            the first line is a header, whatever it looks "
    "like\n"
    "  -j, --json              print one JSON object with all figures\n"
    "  -h, --help              this text\n\n"
    "Example:\n"
    "  anchorite profile patients.csv --draft draft\n"
    "  anchorite anonymize -p draft/policy.json patients.csv -o release.csv\n";

struct options {
    const char *table;
    const char *draft;
    const char *columns;
    uint64_t subsets;
    bool header;
    bool json;
};

static const struct option_row rows[] = {
    {"draft", 'd', OPTION_AT(TEXT, struct options, draft)},
    {"columns", 'c', OPTION_AT(TEXT, struct options, columns)},
    {"subsets", 's', OPTION_AT(NUMBER, struct options, subsets), .min = 0,
     .max = PROFILE_SUBSET_COLUMNS_MAX},
    {"header", 0, OPTION_AT(FLAG, struct options, header)},
    {"json", 'j', OPTION_AT(FLAG, struct options, json)},
};

static const struct options_table known = {help, rows,
                                           sizeof rows / sizeof *rows};

/* False: *exit_code is to be returned, all has been said. */
static bool parse_options(int argc, char **argv, struct options *options,
                          int *exit_code)
{
    struct operands operands;

    *options = (struct options){.subsets = SUBSET_SIZE_DEFAULT};
    if (!options_parse(&known, argc, argv, options, &operands, exit_code))
        return false;
    options->table = operands.at[0];
    if (operands.count == 0)
        command_misuse(argv[0], "the table is missing");
    else if (operands.count > 1)
        command_misuse(argv[0], "one table, not %d", operands.count);
    else
        return true;
    return false;
}

/* Names that end with NULL, as profile_options has them. */
struct names {
    char *at[COMMA_ITEMS_MAX + 1];
    size_t count;
};

static enum status take_name(void *context, const char *item, struct error *err)
{
    struct names *names = context;

    names->at[names->count] = string_copy(item);
    if (names->at[names->count] == NULL)
        return error_memory(err, "the names of columns");
    names->count++;
    return OK;
}

static enum status print_json(const struct profile *profile, struct error *err)
{
    struct json *json = NULL;
    enum status status = json_create(&json, err);

    if (status == OK)
        status = profile_report_json(profile, json_edit_root(json), err);
    if (status == OK)
        status = command_print_json(json, err);
    json_destroy(&json);
    return status;
}

static enum status print_text(const struct profile *profile, const char *name,
                              const struct options *options, struct error *err)
{
    enum status status = profile_report_text(profile, name, stdout, err);

    if (status != OK)
        return status;
    if (options->draft != NULL) {
        printf("- ");
        command_print_harmless(stdout, options->draft);
        printf(" holds a draft of a policy: read it before it is used; its "
               "hierarchies are as\n  confidential as the table\n");
    } else
        printf("- --draft DIR writes a policy that begins with these roles\n");
    return command_finish_output(err);
}

static enum status run(const struct options *options, struct error *err)
{
    struct names names = {.count = 0};
    struct profile_options asked = {
        .any_header = options->header,
        .subset_size = (uint32_t)options->subsets,
        .measured =
            options->columns == NULL ? NULL : (const char *const *)names.at};
    struct profile *profile = NULL;
    const char *name = NULL;
    enum status status = OK;
    int table = -1;

    if (options->columns != NULL)
        status = comma_list_each(options->columns, take_name, &names,
                                 "--columns", err);
    if (status == OK && options->draft != NULL)
        status = draft_folder_check(options->draft, err);
    if (status == OK)
        status = command_open_input(options->table, false, &table, &name, err);
    if (status == OK)
        status = profile_make(&profile, table, name, &asked, err);
    if (status == OK && options->draft != NULL)
        status = draft_folder_write(options->draft, profile, err);
    if (status == OK)
        status = options->json ? print_json(profile, err)
                               : print_text(profile, name, options, err);
    if (table >= 0)
        close(table);
    profile_destroy(&profile);
    for (size_t i = 0; i < names.count; i++)
        free(names.at[i]);
    return status;
}

int command_profile(int argc, char **argv)
{
    struct options options;
    struct error err;
    int exit_code;

    if (!parse_options(argc, argv, &options, &exit_code))
        return exit_code;
    error_init(&err);
    return run(&options, &err) == OK ? status_exit_code(OK)
                                     : command_fail(&err);
}
