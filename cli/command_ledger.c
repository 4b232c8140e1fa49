#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/ledger_load.h"
#include "cli/ledger_requests.h"
#include "cli/options.h"

#define SECONDS_MAX 3600
#define REPEAT_MAX 1000000

static const char help[] =
    "usage: anchorite ledger submit --dir DIR --as USER --type TYPE --payload "
    "FILE\n"
    "                               [--endorse USER,...] [--json]\n"
    "       anchorite ledger show ID|POSITION --dir DIR [--json]\n"
    "       anchorite ledger history KEY --dir DIR [--json]\n"
    "       anchorite ledger prove ID|POSITION --dir DIR --output PROOF.json\n"
    "       anchorite ledger verify PROOF.json --trust TRUST.json [--json]\n"
    "       anchorite ledger checkpoint --dir DIR [--from OLD_NOTE] "
    "[--json]\n"
    "       anchorite ledger check FILE --dir DIR\n"
    "       anchorite ledger load --dir DIR --as USER [--count N] "
    "[--seconds S]\n"
    "                             [--rate R] [--in-flight K] [--keep FILE] "
    "[--json]\n\n"
    "submit makes an entry from a payload (a JSON object), signs it and hands "
    "it in;\nexit code 4 when the nodes' verdict is a refusal, which is "
    "recorded like a grant.\nprove writes what anyone can verify without the "
    "network, by a trust file that\ncomes by another road.  checkpoint prints "
    "the newest one that a quorum has\ncosigned; with --from it first proves "
    "that the log only grew since the old one.\n"
    "load, for who sizes a network, hands in invented entries of type "
    "dataset, many at\na time, and says how many a second were taken and how "
    "long each took; a signal\nends it early.  check proves each entry of a "
    "file that it kept.\n\n"
    "  -d, --dir DIR         the folder of the network\n"
    "  -u, --as USER         who, ORGANISATION.ROLE; for questions the first\n"
    "                        node's auditor if not said\n"
    "  -t, --type TYPE       dataset, consent, request, ... "
    "(docs/protocol.md)\n"
    "  -p, --payload FILE    \"-\" is standard input\n"
    "  -e, --endorse USERS   who else signs, separated by commas\n"
    "  -o, --output FILE     where the proof goes; \"-\" is standard output\n"
    "      --trust FILE      whom to believe\n"
    "      --from FILE       an older checkpoint, as this command printed it\n"
    "      --timeout S       give up after so many seconds (10)\n"
    "      --repeat N        verify so often, and print what one takes\n"
    "      --count N         so many entries (10000; without limit with "
    "--seconds)\n"
    "      --seconds S       for so long\n"
    "      --rate R          begin R a second, not as many as are taken\n"
    "      --in-flight K     so many at a time (64), up to 1000\n"
    "      --beforehand N    signed before the clock starts (5000)\n"
    "      --keep FILE       append id and position of what is acknowledged\n"
    "  -j, --json            print one JSON object\n"
    "  -h, --help            this text\n\n"
    "Example:\n"
    "  anchorite ledger prove 17 --dir /tmp/demo --output proof.json\n"
    "  anchorite ledger verify proof.json --trust trust.json\n";

/* Where each stands among the rows below. */
enum row {
    ROW_DIR,
    ROW_AS,
    ROW_TYPE,
    ROW_PAYLOAD,
    ROW_ENDORSE,
    ROW_OUTPUT,
    ROW_TRUST,
    ROW_FROM,
    ROW_TIMEOUT,
    ROW_REPEAT,
    ROW_COUNT,
    ROW_SECONDS,
    ROW_RATE,
    ROW_IN_FLIGHT,
    ROW_BEFOREHAND,
    ROW_KEEP,
    ROW_JSON,
    ROWS
};

static const struct option_row rows[ROWS] = {
    [ROW_DIR] = {"dir", 'd', OPTION_AT(TEXT, struct ledger_request, folder)},
    [ROW_AS] = {"as", 'u', OPTION_AT(TEXT, struct ledger_request, user)},
    [ROW_TYPE] = {"type", 't', OPTION_AT(TEXT, struct ledger_request, type)},
    [ROW_PAYLOAD] = {"payload", 'p',
                     OPTION_AT(TEXT, struct ledger_request, payload)},
    [ROW_ENDORSE] = {"endorse", 'e',
                     OPTION_AT(TEXT, struct ledger_request, endorsers)},
    [ROW_OUTPUT] = {"output", 'o',
                    OPTION_AT(TEXT, struct ledger_request, output)},
    [ROW_TRUST] = {"trust", 0, OPTION_AT(TEXT, struct ledger_request, trust)},
    [ROW_FROM] = {"from", 0, OPTION_AT(TEXT, struct ledger_request, from)},
    [ROW_TIMEOUT] = {"timeout", 0,
                     OPTION_AT(NUMBER, struct ledger_request, timeout_ms),
                     .min = 1, .max = SECONDS_MAX, .unit = 1000},
    [ROW_REPEAT] = {"repeat", 0,
                    OPTION_AT(NUMBER, struct ledger_request, repeat), .min = 1,
                    .max = REPEAT_MAX},
    [ROW_COUNT] = {"count", 0, OPTION_AT(NUMBER, struct ledger_request, count),
                   .min = 1, .max = LOAD_COUNT_MAX},
    [ROW_SECONDS] = {"seconds", 0,
                     OPTION_AT(NUMBER, struct ledger_request, seconds),
                     .min = 1, .max = LOAD_SECONDS_MAX},
    [ROW_RATE] = {"rate", 0, OPTION_AT(NUMBER, struct ledger_request, rate),
                  .min = 1, .max = LOAD_RATE_MAX},
    [ROW_IN_FLIGHT] = {"in-flight", 0,
                       OPTION_AT(NUMBER, struct ledger_request, in_flight),
                       .min = 1, .max = LOAD_IN_FLIGHT_MAX},
    [ROW_BEFOREHAND] = {"beforehand", 0,
                        OPTION_AT(NUMBER, struct ledger_request, beforehand),
                        .min = 1, .max = LOAD_BEFOREHAND_MAX},
    [ROW_KEEP] = {"keep", 0, OPTION_AT(TEXT, struct ledger_request, keep)},
    [ROW_JSON] = {"json", 'j', OPTION_AT(FLAG, struct ledger_request, json)},
};

static const struct options_table known = {help, rows, ROWS};

#define BIT(row) (UINT32_C(1) << ROW_##row)
/* What every question to a network takes; --dir it needs. */
#define ASKING (BIT(AS) | BIT(TIMEOUT))

/* What is done, whether it has an operand (named so in messages), and what it
 * needs and takes besides, as bits. */
static const struct action {
    const char *name;
    enum status (*run)(const struct ledger_request *request, struct error *err);
    const char *operand;
    uint32_t needed, taken;
} actions[] = {
    {"submit", ledger_submit, NULL,
     BIT(DIR) | BIT(AS) | BIT(TYPE) | BIT(PAYLOAD),
     BIT(ENDORSE) | BIT(JSON) | BIT(TIMEOUT)},
    {"show", ledger_show, "an id or a position", BIT(DIR), ASKING | BIT(JSON)},
    {"history", ledger_history, "a key", BIT(DIR), ASKING | BIT(JSON)},
    {"prove", ledger_prove, "an id or a position", BIT(DIR) | BIT(OUTPUT),
     ASKING},
    {"verify", ledger_verify, "a proof", BIT(TRUST), BIT(JSON) | BIT(REPEAT)},
    {"checkpoint", ledger_checkpoint, NULL, BIT(DIR),
     ASKING | BIT(FROM) | BIT(JSON)},
    {"check", ledger_check, "a file that load kept", BIT(DIR), ASKING},
    {"load", ledger_load, NULL, BIT(DIR) | BIT(AS),
     BIT(COUNT) | BIT(SECONDS) | BIT(RATE) | BIT(IN_FLIGHT) | BIT(BEFOREHAND) |
         BIT(KEEP) | BIT(TIMEOUT) | BIT(JSON)},
};

static const struct action *find_action(const char *name)
{
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        if (strcmp(actions[i].name, name) == 0)
            return &actions[i];
    return NULL;
}

static bool options_fit(const char *command, const struct action *action,
                        uint32_t given)
{
    for (size_t i = 0; i < ROWS; i++) {
        uint32_t bit = UINT32_C(1) << i;

        if ((action->needed & bit) != 0 && (given & bit) == 0) {
            command_misuse(command, "%s: --%s is missing", action->name,
                           rows[i].name);
            return false;
        }
        if ((given & bit) != 0 &&
            ((action->needed | action->taken) & bit) == 0) {
            command_misuse(command, "%s: --%s is not for it", action->name,
                           rows[i].name);
            return false;
        }
    }
    return true;
}

/* False: *exit_code is to be returned, all has been said. */
static bool parse_options(int argc, char **argv, struct ledger_request *request,
                          const struct action **action, int *exit_code)
{
    struct operands operands;

    *request = (struct ledger_request){.timeout_ms = LEDGER_TIMEOUT_MS,
                                       .repeat = 1,
                                       .in_flight = LOAD_IN_FLIGHT,
                                       .beforehand = LOAD_BEFOREHAND};
    if (!options_parse(&known, argc, argv, request, &operands, exit_code))
        return false;
    if (operands.count == 0) {
        command_misuse(argv[0], "what to do is missing: submit, show, history, "
                                "prove, verify, checkpoint, check or load");
        return false;
    }
    *action = find_action(operands.at[0]);
    if (*action == NULL) {
        command_misuse(argv[0],
                       "submit, show, history, prove, verify, checkpoint, "
                       "check and load are known, \"%s\" is not",
                       operands.at[0]);
        return false;
    }
    if (operands.count != 1 + ((*action)->operand != NULL)) {
        command_misuse(argv[0], "%s: expected %s", (*action)->name,
                       (*action)->operand != NULL ? (*action)->operand
                                                  : "nothing but options");
        return false;
    }
    request->operand = operands.at[operands.count - 1];
    if (request->count == 0)
        request->count = request->seconds > 0 ? LOAD_COUNT_MAX : LOAD_COUNT;
    return options_fit(argv[0], *action, operands.given);
}

int command_ledger(int argc, char **argv)
{
    const struct action *action = NULL;
    struct ledger_request request;
    struct error err;
    int exit_code;

    if (!parse_options(argc, argv, &request, &action, &exit_code))
        return exit_code;
    error_init(&err);
    if (action->run(&request, &err) != OK)
        return command_fail(&err);
    return status_exit_code(OK);
}
