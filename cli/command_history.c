/*
 * cli/command_history.c - `anchorite history`: who has seen a patient's
 * records, or what was refused in a day, with the proof that nothing anchored
 * is left out.
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
#define DAY_SIZE 11 /* "2025-01-02" */

static const char help[] =
    "usage: anchorite history --patient N --dir DIR [--trust TRUST] "
    "[--json]\n"
    "       anchorite history --denials DAY --dir DIR [--trust TRUST] "
    "[--json]\n\n"
    "Tells every access to a patient's records: when, by whom, for which "
    "release, and\nwho has fetched that.  The anonymizer tells it with a proof "
    "that nothing is left out\nwhich it had to anchor in the ledger; told is "
    "only what that proof holds for.\n\n"
    "With --denials everything that anonymizer and broker have refused in a "
    "day: when,\nto whom, what was asked, and why; a custodian or a privacy "
    "officer may see it.\n\n" PATIENT_OPTION_HELP
    "      --denials DAY        instead of a patient: YYYY-MM-DD (UTC), or "
    "\"today\"\n"
    "      --trust TRUST        whom to believe "
    "(DIR/trust.json)\n" SESSION_OPTION_HELP(
        SESSION_CUSTODIAN) "  -j, --json               print the history with "
                           "its proof\n"
                           "  -h, --help               this text\n\n"
                           "Example:\n"
                           "  echo P000000017 | anchorite history "
                           "--patient-file - --dir /tmp/demo\n"
                           "  anchorite history --denials today --as "
                           "north.privacy-officer --dir /tmp/demo\n";

struct options {
    struct session_options session;
    struct patient_options patient;
    const char *denials; /* a day; NULL: of a patient */
    const char *trust;
    bool json;
};

/* What is asked for: the one or the other. */
struct topic {
    bool is_day;
    char day[DAY_SIZE];
    char subject[SUBJECT_ID_HEX_SIZE];
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

/* Of denials that one event stands for. */
static void print_count(const struct json_value *count)
{
    int64_t number = 0;

    if (count != NULL && json_kind(count) == JSON_NUMBER &&
        json_integer(count, &number) && number > 1)
        printf("  %jd times", (intmax_t)number);
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
    print_member(event, "asked", "  asked ");
    print_member(event, "by", "  by ");
    print_member(event, "release", "  release ");
    print_member(event, "request", "  request ");
    print_count(json_member(event, "count"));
    print_member(event, "why", "  why: ");
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

        if (chain.release != NULL)
            printf("release %s:\n", chain.release);
        else if (json_length(chain.events) == 0)
            puts(chain.is_subject ? "nobody has seen anything"
                                  : "nothing was refused");
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

static enum status verify(struct access_history **history, struct bytes json,
                          const struct trust *trust, const struct topic *topic,
                          struct error *err)
{
    struct subject_id subject;

    if (topic->is_day)
        return access_history_verify_denials(history, json, trust, topic->day,
                                             err);
    if (!subject_id_parse(&subject, bytes_of_string(topic->subject)))
        return error_set(err, E_SYSTEM, "the subject id is none");
    return access_history_verify(history, json, trust, &subject, err);
}

static enum status print_verified(const struct options *options,
                                  const struct message *told,
                                  const struct network_node *anonymizer,
                                  const struct topic *topic, struct error *err)
{
    struct access_history *history = NULL;
    struct trust *trust = NULL;
    struct bytes json = message_bytes(told, TOLD_JSON);
    enum status status = load_trust(options, &trust, err);

    if (status == OK)
        status = verify(&history, json, trust, topic, err);
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

/* "today" is the anonymizer's day, as far as clocks agree. */
static enum status take_day(const char *words, struct topic *topic,
                            struct error *err)
{
    time_t now = time(NULL);
    struct tm parts;

    topic->is_day = true;
    if (strcmp(words, "today") == 0) {
        if (gmtime_r(&now, &parts) == NULL ||
            strftime(topic->day, sizeof topic->day, "%Y-%m-%d", &parts) !=
                DAY_SIZE - 1)
            return error_set(err, E_SYSTEM, "the clock tells no day");
        return OK;
    }
    if (strlen(words) != DAY_SIZE - 1)
        return error_set(err, E_USAGE,
                         "--denials: expected YYYY-MM-DD or \"today\"");
    memcpy(topic->day, words, DAY_SIZE);
    return OK;
}

static enum status find_topic(const struct options *options,
                              const struct session *session,
                              struct topic *topic, struct error *err)
{
    *topic = (struct topic){.is_day = false};
    return options->denials != NULL
               ? take_day(options->denials, topic, err)
               : patient_subject_of_options(session, &options->patient,
                                            topic->subject, err);
}

static void write_question(const struct topic *topic, struct message *request)
{
    if (topic->is_day) {
        question_init(request, MESSAGE_DENIALS);
        message_set_string(request, DENIALS_DAY, topic->day);
    } else {
        question_init(request, MESSAGE_EVENTS);
        message_set_string(request, EVENTS_SUBJECT, topic->subject);
    }
}

static enum status run(const struct options *options, struct error *err)
{
    struct service_session anonymizer = {.client = NULL};
    struct client_answer answer = {.memory = NULL};
    struct topic topic = {.is_day = false};
    struct session session;
    struct message request;
    enum status status =
        session_open_with(&session, &options->session, IDENTITY_CUSTODIAN, err);

    if (status == OK)
        status = find_topic(options, &session, &topic, err);
    if (status == OK)
        status = service_session_open_near(&anonymizer, &session,
                                           IDENTITY_ANONYMIZER, err);
    if (status == OK) {
        write_question(&topic, &request);
        status =
            client_ask(anonymizer.client, &request, MESSAGE_TOLD, &answer, err);
    }
    if (status == OK)
        status = print_verified(options, &answer.message,
                                &anonymizer.service.node[0], &topic, err);
    client_answer_clear(&answer);
    service_session_close(&anonymizer);
    session_close(&session);
    return status;
}

/* ---- the command ---- */

static const struct option_row rows[] = {
    PATIENT_OPTION_ROWS(struct options),
    {"denials", 0, OPTION_AT(TEXT, struct options, denials)},
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
    if (options.denials != NULL &&
        (options.patient.number != NULL || options.patient.file != NULL))
        return command_misuse(argv[0], "either a patient or --denials");
    if (!session_options_fit(argv[0], &options.session) ||
        (options.denials == NULL &&
         !patient_options_fit(argv[0], NULL, &options.patient)))
        return exit_code;
    error_init(&err);
    return run(&options, &err) == OK ? status_exit_code(OK)
                                     : command_fail(&err);
}
