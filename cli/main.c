/*
 * cli/main.c - the command people type: picks the subcommand.
 */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "common/files.h"
#include "common/log.h"
#include "common/process.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
} commands[] = {
#define COMMAND_ROW(name, function, help) {name, function, help},
    COMMAND_TABLE(COMMAND_ROW)
#undef COMMAND_ROW
};

static const size_t command_count = sizeof commands / sizeof commands[0];

static int print_help(void)
{
    fputs("usage: anchorite COMMAND [OPTION]... [FILE]...\n\n"
          "De-identifies tables of patient records, and proves it.\n\n"
          "Commands:\n",
          stdout);
    for (size_t i = 0; i < command_count; i++)
        printf("  %-10s %s\n", commands[i].name, commands[i].help);
    return command_help(
        "\n\"anchorite COMMAND --help\" explains a command.\n\n"
        "Example:\n"
        "  anchorite anonymize --policy policy.json patients.csv "
        "--output release.csv\n\n"
        "Exit codes: 0 done or yes; 1 the honest answer is no; 2 wrong call "
        "or bad input;\n3 the system failed; 4 refused.\n");
}

int main(int argc, char **argv)
{
    struct error err;

    error_init(&err);
    process_protect();
    /* For what connections have to say; commands speak for themselves. */
    log_open("anchorite", LOG_LEVEL_WARNING);
    if (standard_descriptors_occupy(&err) != OK)
        return command_fail(&err);
    command_watch_signals();
    if (argc < 2)
        return command_misuse(NULL, "a command is missing");
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0)
        return print_help();
    for (size_t i = 0; i < command_count; i++)
        if (strcmp(argv[1], commands[i].name) == 0) {
            command_runs(commands[i].name);
            return commands[i].run(argc - 1, argv + 1);
        }
    return command_misuse(NULL, "there is no command \"%s\"", argv[1]);
}
