#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/ledger_load.h"
#include "cli/ledger_requests.h"
#include "common/number.h"

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

/* What is done, whether it has an operand (named so in messages), and what it
 * needs besides. */
static const struct action {
    const char *name;
    enum status (*run)(const struct ledger_request *request, struct error *err);
    const char *operand;
    const char *takes; /* short names of options; upper case: required */
} actions[] = {
    {"submit", ledger_submit, NULL, "DUTPejs"},
    {"show", ledger_show, "an id or a position", "Dujs"},
    {"history", ledger_history, "a key", "Dujs"},
    {"prove", ledger_prove, "an id or a position", "DuOs"},
    {"verify", ledger_verify, "a proof", "Rjn"},
    {"checkpoint", ledger_checkpoint, NULL, "Dufjs"},
    {"check", ledger_check, "a file that load kept", "Dus"},
    {"load", ledger_load, NULL, "DUcxaibksj"},
};

static const struct option known[] = {
    {"dir", required_argument, NULL, 'd'},
    {"as", required_argument, NULL, 'u'},
    {"type", required_argument, NULL, 't'},
    {"payload", required_argument, NULL, 'p'},
    {"endorse", required_argument, NULL, 'e'},
    {"output", required_argument, NULL, 'o'},
    {"trust", required_argument, NULL, 'r'},
    {"from", required_argument, NULL, 'f'},
    {"timeout", required_argument, NULL, 's'},
    {"repeat", required_argument, NULL, 'n'},
    {"count", required_argument, NULL, 'c'},
    {"seconds", required_argument, NULL, 'x'},
    {"rate", required_argument, NULL, 'a'},
    {"in-flight", required_argument, NULL, 'i'},
    {"beforehand", required_argument, NULL, 'b'},
    {"keep", required_argument, NULL, 'k'},
    {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static const char *option_name(char letter)
{
    for (size_t i = 0; known[i].name != NULL; i++)
        if (known[i].val == letter)
            return known[i].name;
    return "";
}

static const struct action *find_action(const char *name)
{
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        if (strcmp(actions[i].name, name) == 0)
            return &actions[i];
    return NULL;
}

/* `given` has a byte for each letter of an option that was there. */
static bool options_fit(const char *command, const struct action *action,
                        const bool given[26])
{
    for (size_t i = 0; known[i].name != NULL; i++) {
        char letter = (char)known[i].val;
        char upper = (char)(letter - 'a' + 'A');
        bool required = strchr(action->takes, upper) != NULL;

        if (required && !given[letter - 'a']) {
            command_misuse(command, "%s: --%s is missing", action->name,
                           option_name(letter));
            return false;
        }
        if (given[letter - 'a'] && !required &&
            strchr(action->takes, letter) == NULL) {
            command_misuse(command, "%s: --%s is not for it", action->name,
                           option_name(letter));
            return false;
        }
    }
    return true;
}

/* Options that are whole numbers, and where they go. */
static const struct number_option {
    char letter;
    uint64_t max; /* min is 1 */
    uint64_t unit;
    size_t offset;
} numbers[] = {
    {'s', SECONDS_MAX, 1000, offsetof(struct ledger_request, timeout_ms)},
    {'n', REPEAT_MAX, 1, offsetof(struct ledger_request, repeat)},
    {'c', LOAD_COUNT_MAX, 1, offsetof(struct ledger_request, count)},
    {'x', LOAD_SECONDS_MAX, 1, offsetof(struct ledger_request, seconds)},
    {'a', LOAD_RATE_MAX, 1, offsetof(struct ledger_request, rate)},
    {'i', LOAD_IN_FLIGHT_MAX, 1, offsetof(struct ledger_request, in_flight)},
    {'b', LOAD_BEFOREHAND_MAX, 1, offsetof(struct ledger_request, beforehand)},
};

static bool take_number(const char *command, int option, const char *value,
                        struct ledger_request *request)
{
    const struct number_option *which = numbers;
    uint64_t number;

    while (which->letter != option)
        which++;
    if (!number_parse_unsigned(bytes_of_string(value), 1, which->max,
                               &number)) {
        command_misuse(command, "--%s: expected a whole number from 1 to %ju",
                       option_name((char)option), (uintmax_t)which->max);
        return false;
    }
    number *= which->unit;
    memcpy((char *)request + which->offset, &number, sizeof number);
    return true;
}

static bool take_option(const char *command, int option, const char *value,
                        struct ledger_request *request)
{
    switch (option) {
    case 'd':
        request->folder = value;
        break;
    case 'u':
        request->user = value;
        break;
    case 't':
        request->type = value;
        break;
    case 'p':
        request->payload = value;
        break;
    case 'e':
        request->endorsers = value;
        break;
    case 'o':
        request->output = value;
        break;
    case 'r':
        request->trust = value;
        break;
    case 'f':
        request->from = value;
        break;
    case 'k':
        request->keep = value;
        break;
    case 'j':
        request->json = true;
        break;
    default:
        return take_number(command, option, value, request);
    }
    return true;
}

/* False: *exit_code is to be returned, all has been said. */
static bool parse_options(int argc, char **argv, struct ledger_request *request,
                          const struct action **action, int *exit_code)
{
    bool given[26] = {false};
    int option, operands;

    *request = (struct ledger_request){.timeout_ms = LEDGER_TIMEOUT_MS,
                                       .repeat = 1,
                                       .in_flight = LOAD_IN_FLIGHT,
                                       .beforehand = LOAD_BEFOREHAND};
    *exit_code = status_exit_code(E_USAGE);
    optind = 1;
    while ((option = getopt_long(argc, argv, "d:u:t:p:e:o:jh", known, NULL)) !=
           -1) {
        if (option == 'h') {
            fputs(help, stdout);
            *exit_code = status_exit_code(OK);
            return false;
        }
        if (option == '?') {
            fprintf(stderr, "Try \"anchorite %s --help\".\n", argv[0]);
            return false;
        }
        given[option - 'a'] = true;
        if (!take_option(argv[0], option, optarg, request))
            return false;
    }
    operands = argc - optind;
    if (operands == 0) {
        command_misuse(argv[0], "what to do is missing: submit, show, history, "
                                "prove, verify, checkpoint, check or load");
        return false;
    }
    *action = find_action(argv[optind]);
    if (*action == NULL) {
        command_misuse(argv[0],
                       "submit, show, history, prove, verify, checkpoint, "
                       "check and load are known, \"%s\" is not",
                       argv[optind]);
        return false;
    }
    if (operands != 1 + ((*action)->operand != NULL)) {
        command_misuse(argv[0], "%s: expected %s", (*action)->name,
                       (*action)->operand != NULL ? (*action)->operand
                                                  : "nothing but options");
        return false;
    }
    request->operand = argv[argc - 1];
    if (request->count == 0)
        request->count = request->seconds > 0 ? LOAD_COUNT_MAX : LOAD_COUNT;
    return options_fit(argv[0], *action, given);
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
