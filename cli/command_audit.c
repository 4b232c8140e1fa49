#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/companion.h"
#include "cli/options.h"
#include "common/network.h"

static const char help[] =
    "usage: anchorite audit --dir NODE_DIR [--json]\n\n"
    "Recomputes everything from the files of one node: every block is executed "
    "again\nfrom genesis.json on, in a scratch folder, then log, tree, state "
    "and the newest\nanchored checkpoint are compared.  Names the first thing "
    "that is wrong, block and\nentry where it is one.  The node may be "
    "running.\n\n"
    "  -d, --dir NODE_DIR    with genesis.json and state.db\n"
    "  -j, --json            print one JSON object\n"
    "  -h, --help            this text\n\n"
    "Exit codes: 0 everything is as recomputed; 1 something is wrong.\n\n"
    "Example:\n"
    "  anchorite audit --dir /tmp/demo/node1\n";

struct options {
    const char *folder;
    bool json;
};

/* The ledger's own code judges its files: this command hands over to it, and
 * returns only if that fails. */
static enum status hand_over(const struct options *options, struct error *err)
{
    struct text program, genesis, database;
    enum status status;

    text_init(&program);
    text_init(&genesis);
    text_init(&database);
    status = companion_path("anchorite-ledger", &program, err);
    if (status == OK)
        status = network_path(options->folder, "genesis.json", &genesis, err);
    if (status == OK)
        status = network_path(options->folder, "state.db", &database, err);
    if (status == OK) {
        char *argv[] = {(char[]){"anchorite-ledger"},
                        (char[]){"--audit"},
                        (char[]){"--genesis"},
                        genesis.data,
                        (char[]){"--database"},
                        database.data,
                        options->json ? (char[]){"--json"} : NULL,
                        NULL};

        execv(program.data, argv);
        status = error_set_errno(err, E_SYSTEM, errno, "%s", program.data);
    }
    text_clear(&database);
    text_clear(&genesis);
    text_clear(&program);
    return status;
}

static const struct option_row rows[] = {
    {"dir", 'd', OPTION_AT(TEXT, struct options, folder)},
    {"json", 'j', OPTION_AT(FLAG, struct options, json)},
};

static const struct options_table known = {help, rows,
                                           sizeof rows / sizeof *rows};

/* False: *exit_code is to be returned, all has been said. */
static bool parse_options(int argc, char **argv, struct options *options,
                          int *exit_code)
{
    struct operands operands;

    *options = (struct options){.folder = NULL};
    if (!options_parse(&known, argc, argv, options, &operands, exit_code))
        return false;
    if (operands.count != 0)
        command_misuse(argv[0], "nothing but options is expected");
    else if (options->folder == NULL)
        command_misuse(argv[0], "--dir is missing");
    else
        return true;
    return false;
}

int command_audit(int argc, char **argv)
{
    struct options options;
    struct error err;
    int exit_code;

    if (!parse_options(argc, argv, &options, &exit_code))
        return exit_code;
    error_init(&err);
    (void)!hand_over(&options, &err); /* it is there only if it failed */
    return command_fail(&err);
}
