/*
 * cli/command_requests.c - `anchorite requests`: what was asked for, and how
 * far it has come.
 */
#include <stdio.h>

#include "cli/command.h"
#include "cli/options.h"
#include "cli/request_review.h"
#include "cli/service_answer.h"
#include "cli/session.h"

static const char help[] =
    "usage: anchorite requests [REQUEST] --dir DIR [--organisation ORG] "
    "[--json]\n\n"
    "Lists the requests that the broker has, with their state and release: all "
    "of them to\na custodian, to an institute its own.  One alone is shown in "
    "full, if the ledger's\nentry commits to it.\n\n"
    "      --organisation ORG   whose broker is asked (the only "
    "one)\n" SESSION_OPTION_HELP(
        SESSION_CUSTODIAN) "  -j, --json               print one JSON object\n"
                           "  -h, --help               this text\n\n"
                           "Example:\n"
                           "  anchorite requests --dir /tmp/demo\n";

struct options {
    struct session_options session;
    const char *organisation;
    const char *request; /* NULL: all */
    bool json;
};

static enum status print_one(const struct json_value *told, struct error *err)
{
    const char *id, *state, *release;
    enum status status = told_string(told, "id", &id, err);

    if (status == OK)
        status = told_string(told, "state", &state, err);
    if (status == OK)
        status = told_string(told, "release", &release, err);
    if (status != OK)
        return status;
    command_print_harmless(stdout, id);
    putchar(' ');
    command_print_harmless(stdout, state);
    if (release[0] != '\0')
        putchar(' ');
    command_print_harmless(stdout, release);
    putchar('\n');
    return OK;
}

static enum status print_all(struct client *broker, bool as_json,
                             struct error *err)
{
    const struct json_value *list = NULL, *told;
    struct json *json = NULL;
    enum status status = requests_ask(broker, NULL, &json, &list, err);

    if (status == OK && as_json) {
        status = command_print_json(json, err);
    } else if (status == OK) {
        for (told = json_first(list); status == OK && told != NULL;
             told = json_next(told))
            status = print_one(told, err);
        if (status == OK)
            status = command_finish_output(err);
    }
    json_destroy(&json);
    return status;
}

static enum status print_review(const struct options *options,
                                const struct session *session,
                                struct client *broker, struct error *err)
{
    struct request_review review;
    enum status status =
        request_review_open(&review, session, broker, options->request, err);

    if (status == OK && options->json) {
        status = command_print_json(review.json, err);
    } else if (status == OK) {
        request_review_print(&review);
        status = command_finish_output(err);
    }
    request_review_close(&review);
    return status;
}

static enum status run(const struct options *options, struct error *err)
{
    struct service_session broker = {.client = NULL};
    struct session session;
    enum status status =
        session_open_with(&session, &options->session, IDENTITY_CUSTODIAN, err);

    if (status == OK)
        status = service_session_open(&broker, &session, options->organisation,
                                      IDENTITY_BROKER, err);
    if (status == OK)
        status = options->request != NULL
                     ? print_review(options, &session, broker.client, err)
                     : print_all(broker.client, options->json, err);
    service_session_close(&broker);
    session_close(&session);
    return status;
}

static const struct option_row rows[] = {
    {"organisation", 0, OPTION_AT(TEXT, struct options, organisation)},
    SESSION_OPTION_ROWS(struct options),
    {"json", 'j', OPTION_AT(FLAG, struct options, json)},
};

static const struct options_table known = {help, rows,
                                           sizeof rows / sizeof *rows};

int command_requests(int argc, char **argv)
{
    struct options options = {.session.timeout_ms = SESSION_TIMEOUT_MS};
    struct operands operands;
    struct error err;
    int exit_code;

    if (!options_parse(&known, argc, argv, &options, &operands, &exit_code))
        return exit_code;
    if (operands.count > 1)
        return command_misuse(argv[0], "at most one request is expected");
    if (operands.count == 1)
        options.request = operands.at[0];
    if (!session_options_fit(argv[0], &options.session))
        return exit_code;
    error_init(&err);
    return run(&options, &err) == OK ? status_exit_code(OK)
                                     : command_fail(&err);
}
