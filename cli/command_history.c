/*
 * cli/command_history.c - `anchorite history`: who has seen a patient's
 * records, with the proof that nothing anchored is left out.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/command.h"
#include "cli/options.h"
#include "cli/patient.h"
#include "cli/service_answer.h"
#include "cli/session.h"
#include "common/access_history.h"
#include "common/ledger_questions.h"

/* "2025-01-02T03:04:05.678Z" */
#define TIME_SIZE 32

static const char help[] =
    "usage: anchorite history --patient N --dir DIR [--trust TRUST] "
    "[--json]\n\n"
    "Tells every access to a patient's records: when, by whom, for which "
    "release, and\nwho has fetched that.  The anonymizer tells it with a proof "
    "that nothing is left out\nwhich it had to anchor in the ledger; told is "
    "only what that proof holds for.\n\n" PATIENT_OPTION_HELP
    "      --trust TRUST        whom to believe "
    "(DIR/trust.json)\n" SESSION_OPTION_HELP(
        SESSION_CUSTODIAN) "  -j, --json               print the history with "
                           "its proof\n"
                           "  -h, --help               this text\n\n"
                           "Example:\n"
                           "  echo P000000017 | anchorite history "
                           "--patient-file - --dir /tmp/demo\n";

struct options {
    struct session_options session;
    struct patient_options patient;
    const char *trust;
    bool json;
};

/* ---- for people ---- */

static void print_time(const struct json_value *at)
{
    char text[TIME_SIZE];
    struct tm parts;
    int64_t ms = 0;
    time_t seconds;

    if (at == NULL || json_kind(at) != JSON_NUMBER || !json_integer(at, &ms) ||
        ms < 0) {
        printf("%-26s", "?");
        return;
    }
    seconds = (time_t)(ms / 1000);
    if (gmtime_r(&seconds, &parts) == NULL ||
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts) == 0)
        snprintf(text, sizeof text, "?");
    printf("%s.%03dZ  ", text, (int)(ms % 1000));
}

static void print_member(const struct json_value *event, const char *key,
                         const char *between)
{
    const struct json_value *member = json_member(event, key);

    if (member == NULL || json_kind(member) != JSON_STRING)
        return;
    fputs(between, stdout);
    command_print_harmless(stdout, json_string(member));
}

static enum status print_event(const char *text, struct error *err)
{
    const struct json_value *event;
    struct json *json = NULL;
    enum status status = json_parse(&json, bytes_of_string(text), err);

    if (status != OK)
        return error_wrap(err, "an event");
    event = json_root(json);
    print_time(json_member(event, "at"));
    print_member(event, "act", "");
    print_member(event, "by", "  by ");
    print_member(event, "release", "  release ");
    putchar('\n');
    json_destroy(&json);
    return OK;
}

static enum status print_history(const struct access_history *history,
                                 struct error *err)
{
    enum status status = OK;

    for (size_t i = 0; status == OK && i < access_history_chain_count(history);
         i++) {
        struct access_chain chain = access_history_chain(history, i);

        if (!chain.is_subject) {
            printf("release %s:\n", chain.release);
        } else if (json_length(chain.events) == 0) {
            puts("nobody has seen anything");
        }
        for (const struct json_value *event = json_first(chain.events);
             status == OK && event != NULL; event = json_next(event))
            status = print_event(json_string(event), err);
    }
    printf("proven up to size %ju of the log\n",
           (uintmax_t)access_history_checkpoint(history)->size);
    return status == OK ? command_finish_output(err) : status;
}

/* ---- asking ---- */

static enum status load_trust(const struct options *options,
                              struct trust **trust, struct error *err)
{
    struct text path;
    enum status status = OK;

    text_init(&path);
    if (options->trust == NULL)
        status =
            network_path(options->session.folder, "trust.json", &path, err);
    if (status == OK)
        status = trust_load(
            trust, options->trust != NULL ? options->trust : path.data, err);
    text_clear(&path);
    return status;
}

/* An anonymizer's word, and of the one that was asked. */
static enum status check_author(const struct access_history *history,
                                const struct network_node *anonymizer,
                                struct error *err)
{
    return strcmp(access_history_author(history), anonymizer->certificate) == 0
               ? OK
               : error_set(err, E_NO,
                           "the history was anchored by somebody else than %s",
                           anonymizer->name);
}

static enum status print_verified(const struct options *options,
                                  const struct message *told,
                                  const struct network_node *anonymizer,
                                  const char *hex, struct error *err)
{
    struct access_history *history = NULL;
    struct trust *trust = NULL;
    struct subject_id subject;
    struct bytes json = message_bytes(told, TOLD_JSON);
    enum status status = load_trust(options, &trust, err);

    if (status == OK && !subject_id_parse(&subject, bytes_of_string(hex)))
        status = error_set(err, E_SYSTEM, "the subject id is none");
    if (status == OK)
        status = access_history_verify(&history, json, trust, &subject, err);
    if (status == OK)
        status = check_author(history, anonymizer, err);
    if (status == OK && options->json) {
        fwrite(json.data, 1, json.size, stdout);
        putchar('\n');
        status = command_finish_output(err);
    } else if (status == OK) {
        status = print_history(history, err);
    }
    access_history_destroy(&history);
    trust_destroy(&trust);
    return status;
}

static enum status run(const struct options *options, struct error *err)
{
    struct service_session anonymizer = {.client = NULL};
    struct client_answer answer = {.memory = NULL};
    char subject[SUBJECT_ID_HEX_SIZE];
    struct session session;
    struct message request;
    enum status status =
        session_open_with(&session, &options->session, IDENTITY_CUSTODIAN, err);

    if (status == OK)
        status = patient_subject_of_options(&session, &options->patient,
                                            subject, err);
    if (status == OK)
        status = service_session_open_near(&anonymizer, &session,
                                           IDENTITY_ANONYMIZER, err);
    if (status == OK) {
        question_init(&request, MESSAGE_EVENTS);
        message_set_string(&request, EVENTS_SUBJECT, subject);
        status =
            client_ask(anonymizer.client, &request, MESSAGE_TOLD, &answer, err);
    }
    if (status == OK)
        status = print_verified(options, &answer.message,
                                &anonymizer.service.node[0], subject, err);
    client_answer_clear(&answer);
    service_session_close(&anonymizer);
    session_close(&session);
    return status;
}

/* ---- the command ---- */

static const struct option_row rows[] = {
    PATIENT_OPTION_ROWS(struct options),
    {"trust", 0, OPTION_AT(TEXT, struct options, trust)},
    SESSION_OPTION_ROWS(struct options),
    {"json", 'j', OPTION_AT(FLAG, struct options, json)},
};

static const struct options_table known = {help, rows,
                                           sizeof rows / sizeof *rows};

int command_history(int argc, char **argv)
{
    struct options options = {.session.timeout_ms = SESSION_TIMEOUT_MS};
    struct operands operands;
    struct error err;
    int exit_code;

    if (!options_parse(&known, argc, argv, &options, &operands, &exit_code))
        return exit_code;
    if (operands.count != 0)
        return command_misuse(argv[0], "nothing but options is expected");
    if (!session_options_fit(argv[0], &options.session) ||
        !patient_options_fit(argv[0], NULL, &options.patient))
        return exit_code;
    error_init(&err);
    return run(&options, &err) == OK ? status_exit_code(OK)
                                     : command_fail(&err);
}
