#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/companion.h"
#include "cli/options.h"
#include "cli/permit_check.h"
#include "common/network.h"

static const char help[] =
    "usage: anchorite audit --dir NODE_DIR [--json]\n"
    "       anchorite audit permits [PERMIT] --dir DIR [--json]\n\n"
    "Recomputes everything from the files of one node: every block is executed "
    "again\nfrom genesis.json on, in a scratch folder, then log, tree, state "
    "and the newest\nanchored checkpoint are compared.  Names the first thing "
    "that is wrong, block and\nentry where it is one.  The node may be "
    "running.\n\n"
    "With \"permits\", whether a broker permitted only those who had "
    "consented: every\nsubject of every permit (or of this one) against the "
    "consents that the log\ncommits to.  The nodes are asked for the log, "
    "which must be the one they signed;\nthe broker's database is read while "
    "the broker is stopped, or from a copy.\n\n"
    "  -d, --dir DIR         of a node, with genesis.json and state.db; or "
    "of the\n                        network\n"
    "  -j, --json            print one JSON object\n"
    "  -h, --help            this text\n\n"
    "for permits alone\n"
    "      --database FILE   the broker's (DIR/broker/state.db)\n"
    "      --trust FILE      whose signatures count (DIR/trust.json)\n"
    "      --organisation O  whose broker it is, if there are several\n"
    "  -u, --as USER         who asks the nodes, ORGANISATION.ROLE\n"
    "                        (the first organisation's auditor)\n"
    "      --timeout S       give up a question after so many seconds (30)\n\n"
    "Exit codes: 0 everything is as recomputed; 1 something is wrong.\n\n"
    "Example:\n"
    "  anchorite audit --dir /tmp/demo/node1\n"
    "  anchorite audit permits --dir /tmp/demo\n";

struct options {
    struct session_options session;
    const char *database, *trust, *organisation;
    bool json;
    bool permits;
    const char *permit;
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
        status = network_path(options->session.folder, "genesis.json", &genesis,
                              err);
    if (status == OK)
        status =
            network_path(options->session.folder, "state.db", &database, err);
    if (status == OK && access(database.data, F_OK) != 0)
        status = error_set_errno(err, E_INPUT, errno,
                                 "--dir is not the folder of a node, as "
                                 "DIR/node1: %s",
                                 database.data);
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
    SESSION_OPTION_ROWS(struct options),
    {"json", 'j', OPTION_AT(FLAG, struct options, json)},
    {"database", 0, OPTION_AT(TEXT, struct options, database)},
    {"trust", 0, OPTION_AT(TEXT, struct options, trust)},
    {"organisation", 0, OPTION_AT(TEXT, struct options, organisation)},
};

static const struct options_table known = {help, rows,
                                           sizeof rows / sizeof *rows};

/* Bits of what an audit of a node knows as well: --dir and --json. */
#define OF_A_NODE (UINT32_C(1) << 0 | UINT32_C(1) << 3)

/* False: *exit_code is to be returned, all has been said. */
static bool parse_options(int argc, char **argv, struct options *options,
                          int *exit_code)
{
    struct operands operands;

    *options = (struct options){.session.timeout_ms = SESSION_TIMEOUT_MS};
    if (!options_parse(&known, argc, argv, options, &operands, exit_code))
        return false;
    options->permits =
        operands.count > 0 && strcmp(operands.at[0], "permits") == 0;
    if (options->permits && operands.count == 2)
        options->permit = operands.at[1];
    if (operands.count > (options->permits ? 2 : 0))
        command_misuse(argv[0], "nothing but options is expected, or "
                                "\"permits\" and at most one permit");
    else if (!options->permits && (operands.given & ~OF_A_NODE) != 0)
        command_misuse(argv[0], "for a node there is --dir and --json alone");
    else
        return session_options_fit(argv[0], &options->session);
    return false;
}

int command_audit(int argc, char **argv)
{
    struct options options;
    struct error err;
    bool good = false;
    int exit_code;

    if (!parse_options(argc, argv, &options, &exit_code))
        return exit_code;
    error_init(&err);
    if (options.permits) {
        struct permit_check check = {.session = options.session,
                                     .permit = options.permit,
                                     .organisation = options.organisation,
                                     .database = options.database,
                                     .trust = options.trust,
                                     .json = options.json};

        if (permit_check_run(&check, &good, &err) == OK)
            return status_exit_code(good ? OK : E_NO);
        return command_fail(&err);
    }
    (void)!hand_over(&options, &err); /* it is there only if it failed */
    return command_fail(&err);
}
