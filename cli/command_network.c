#include <string.h>

#include "cli/command.h"
#include "cli/network_run.h"
#include "cli/network_status.h"
#include "cli/options.h"
#include "common/network.h"

static const char help[] =
    "usage: anchorite network up     --dir DIR [--nodes N] [--nodes-only]\n"
    "       anchorite network down   --dir DIR\n"
    "       anchorite network status --dir DIR [--as USER] [--json]\n\n"
    "A network on this machine, for trying out: nodes of the ledger, and the "
    "broker\nand the anonymizer of the first organisation.  up makes DIR with "
    "all keys,\ncertificates and configurations if it is not there, and "
    "starts what is not\nrunning; down ends it, services first; status asks "
    "each (exit code 1 if one does\nnot answer).  All keys are made on this "
    "machine: what the network proves, it\nproves to those who trust this "
    "machine.\n\n"
    "  -d, --dir DIR    the folder of the network\n"
    "  -n, --nodes N    how many nodes a new network has, 1 to 15 (3)\n"
    "      --nodes-only no services: a new network has none, and none is "
    "started\n"
    "  -u, --as USER    who asks, ORGANISATION.ROLE (the first node's "
    "auditor)\n"
    "  -j, --json       print one JSON object\n"
    "  -h, --help       this text\n\n"
    "Example:\n"
    "  anchorite network up --dir /tmp/demo\n";

struct options {
    const char *action;
    const char *folder;
    const char *user;
    uint64_t nodes; /* 0: not said */
    bool nodes_only;
    bool json;
};

static bool fits(const char *command, const struct options *options)
{
    const char *action = options->action;
    bool is_up = strcmp(action, "up") == 0;
    bool is_status = strcmp(action, "status") == 0;

    if (!is_up && !is_status && strcmp(action, "down") != 0)
        command_misuse(command, "up, down and status are known, \"%s\" is not",
                       action);
    else if (options->folder == NULL)
        command_misuse(command, "%s: --dir is missing", action);
    else if (options->nodes > 0 && !is_up)
        command_misuse(command, "%s: --nodes is for up", action);
    else if (options->nodes_only && !is_up)
        command_misuse(command, "%s: --nodes-only is for up", action);
    else if ((options->json || options->user != NULL) && !is_status)
        command_misuse(command, "%s: --json and --as are for status", action);
    else
        return true;
    return false;
}

static const struct option_row rows[] = {
    {"dir", 'd', OPTION_AT(TEXT, struct options, folder)},
    {"nodes", 'n', OPTION_AT(NUMBER, struct options, nodes), .min = 1,
     .max = NETWORK_NODES_MAX},
    {"nodes-only", 0, OPTION_AT(FLAG, struct options, nodes_only)},
    {"as", 'u', OPTION_AT(TEXT, struct options, user)},
    {"json", 'j', OPTION_AT(FLAG, struct options, json)},
};

static const struct options_table known = {help, rows,
                                           sizeof rows / sizeof *rows};

/* False: *exit_code is to be returned, all has been said. */
static bool parse_options(int argc, char **argv, struct options *options,
                          int *exit_code)
{
    struct operands operands;

    *options = (struct options){.action = NULL};
    if (!options_parse(&known, argc, argv, options, &operands, exit_code))
        return false;
    if (operands.count != 1) {
        command_misuse(argv[0], "one of up, down and status is expected");
        return false;
    }
    options->action = operands.at[0];
    return fits(argv[0], options);
}

int command_network(int argc, char **argv)
{
    struct options options;
    struct error err;
    bool all = true;
    int exit_code;
    enum status status;

    if (!parse_options(argc, argv, &options, &exit_code))
        return exit_code;
    error_init(&err);
    if (strcmp(options.action, "up") == 0)
        status = network_run_up(options.folder, options.nodes,
                                options.nodes_only, &err);
    else if (strcmp(options.action, "down") == 0)
        status = network_run_down(options.folder, &err);
    else
        status = network_status_show(options.folder, options.user, options.json,
                                     &all, &err);
    if (status != OK)
        return command_fail(&err);
    return status_exit_code(all ? OK : E_NO);
}
