#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/consent_grant.h"
#include "cli/consent_import.h"
#include "cli/line_reader.h"
#include "cli/options.h"
#include "cli/patient.h"
#include "cli/service_answer.h"
#include "cli/session.h"
#include "cli/signed_entry.h"
#include "cli/withdrawal_letter.h"
#include "common/files.h"
#include "common/ledger_questions.h"

static const char help[] =
    "usage: anchorite consent import FILE --dir DIR [--system URI] [--json]\n"
    "       anchorite consent grant --patient N --purpose CODE,... --dir DIR\n"
    "                         [--recipient ORG,...] [--until DATE] "
    "[--system URI] [--json]\n"
    "       anchorite consent withdraw --patient N --dir DIR [--json]\n"
    "       anchorite consent show --patient N --dir DIR [--json]\n"
    "       anchorite consent letter --patient N --dir DIR [--json]\n"
    "       anchorite consent resolve ENTRY --patient N --salt HEX --dir DIR "
    "[--json]\n\n"
    "What patients allow, by the custodian's hand to the broker, which learns "
    "a "
    "subject\nid and what is evaluated.  import reads FHIR R4 Consent "
    "resources, one a line, or\none alone in a file that ends in .json; what "
    "cannot be evaluated is told with its\nline and field, nothing of it is "
    "applied, the others go in, and the exit code is 2.\ngrant makes such a "
    "resource.  withdraw takes back all that the patient has said.\nshow "
    "tells what that is, and where it stands in the log.  Originals stay "
    "in\nDIR/users/CUSTODIAN/consents.\n\n"
    "letter makes a commitment with which the patient can withdraw at any node "
    "of the\nledger, without us (anchorite ledger submit --type withdraw); "
    "while an ENTRY stands\nthere that the broker cannot read, nothing is "
    "released.  resolve tells it who that\nis, by the salt of the "
    "letter.\n\n" PATIENT_OPTION_HELP
    "      --purpose CODE,...   HRESCH, all health research, or codes of "
    "DUO\n"
    "      --recipient ORG,...  these organisations alone\n"
    "      --until DATE         the last day\n"
    "      --salt HEX           of the letter\n"
    "      --system URI         patients' numbers are identifiers of this "
    "system\n"
    "                           (" CONSENT_PATIENT_SYSTEM
    ")\n" SESSION_OPTION_HELP(
        SESSION_CUSTODIAN) "  -j, --json               print one JSON object\n"
                           "  -h, --help               this text\n\n"
                           "Example:\n"
                           "  anchorite consent import consents.ndjson --dir "
                           "/tmp/demo\n"
                           "  echo P000000017 | anchorite consent withdraw "
                           "--patient-file - --dir "
                           "/tmp/demo\n";

struct options {
    struct session_options session;
    struct patient_options patient;
    const char *file;
    const char *purposes, *recipients, *until;
    const char *salt;
    const char *system;
    bool json;
};

/* ---- import ---- */

static bool ends_in(const char *text, const char *end)
{
    size_t size = strlen(text), end_size = strlen(end);

    return size >= end_size && strcmp(text + size - end_size, end) == 0;
}

static enum status import_whole(struct consent_import *import, const char *path,
                                struct error *err)
{
    struct text text;
    enum status status;

    text_init(&text);
    status = file_read(path, CONSENT_RESOURCE_SIZE_MAX, &text, err);
    if (status == OK)
        status = consent_import_add(import, text_bytes(&text), path, 0, err);
    text_clear(&text);
    return status;
}

static enum status import_lines(struct consent_import *import, const char *path,
                                struct error *err)
{
    struct line_reader reader;
    struct bytes line;
    const char *name;
    bool end = false;
    int fd;
    enum status status = command_open_input(path, false, &fd, &name, err);

    if (status != OK)
        return status;
    line_reader_open(&reader, fd, name, CONSENT_RESOURCE_SIZE_MAX);
    while (status == OK && !end) {
        status = line_reader_next(&reader, &line, &end, err);
        if (status == OK && !end && line.size > 0)
            status = consent_import_add(import, line, name, reader.line, err);
    }
    line_reader_close(&reader);
    return status;
}

static enum status print_counts(const struct consent_counts *counts,
                                bool as_json, struct error *err)
{
    struct json *json = NULL;
    struct json_value *root;
    enum status status;

    if (!as_json) {
        printf("recorded  %ju\nknown     %ju\nrefused   %ju\n",
               (uintmax_t)counts->recorded, (uintmax_t)counts->known,
               (uintmax_t)counts->refused);
        return command_finish_output(err);
    }
    status = json_create(&json, err);
    if (status != OK)
        return status;
    root = json_edit_root(json);
    status = json_add_integer(root, "recorded", (int64_t)counts->recorded, err);
    if (status == OK)
        status = json_add_integer(root, "known", (int64_t)counts->known, err);
    if (status == OK)
        status =
            json_add_integer(root, "refused", (int64_t)counts->refused, err);
    if (status == OK)
        status =
            json_add_integer(root, "entries", (int64_t)counts->entries, err);
    if (status == OK && counts->entries > 0)
        status = json_add_hex(root, "last",
                              bytes_of(counts->last.byte, DIGEST_SIZE), err);
    if (status == OK)
        status = command_print_json(json, err);
    json_destroy(&json);
    return status;
}

/* What was recorded is told whatever happened then. */
static enum status finish_import(struct consent_import *import,
                                 enum status status, bool as_json,
                                 struct error *err)
{
    const struct consent_counts *counts = consent_import_counts(import);
    struct error unprinted;

    if (status == OK)
        status = consent_import_finish(import, err);
    if (status != OK) {
        if (counts->recorded > 0)
            fprintf(stderr, "%ju consents were recorded before\n",
                    (uintmax_t)counts->recorded);
        return status;
    }
    if (print_counts(counts, as_json, &unprinted) != OK) {
        *err = unprinted;
        return err->status;
    }
    return counts->refused > 0
               ? error_set(err, E_INPUT,
                           "%ju resources were refused, nothing of them is "
                           "applied",
                           (uintmax_t)counts->refused)
               : OK;
}

static enum status consent_import(const struct options *options,
                                  const struct session *session,
                                  struct error *err)
{
    struct consent_import *import = NULL;
    enum status status =
        consent_import_open(&import, session, options->system, err);

    if (status != OK)
        return status;
    status = ends_in(options->file, ".json")
                 ? import_whole(import, options->file, err)
                 : import_lines(import, options->file, err);
    status = finish_import(import, status, options->json, err);
    consent_import_close(&import);
    return status;
}

/* ---- grant ---- */

static enum status consent_grant(const struct options *options,
                                 const struct session *session,
                                 struct error *err)
{
    struct consent_grant grant = {.system = options->system,
                                  .purposes = options->purposes,
                                  .recipients = options->recipients,
                                  .until = options->until};
    struct consent_import *import = NULL;
    struct text number, resource;
    enum status status;

    text_init(&number);
    text_init(&resource);
    status = patient_number(&options->patient, &number, err);
    grant.patient = number.data;
    if (status == OK)
        status = consent_grant_write(&grant, &resource, err);
    if (status == OK)
        status = consent_import_open(&import, session, options->system, err);
    if (status == OK) {
        status =
            consent_import_add(import, text_bytes(&resource), "grant", 0, err);
        status = finish_import(import, status, options->json, err);
    }
    consent_import_close(&import);
    text_clear(&resource);
    text_clear(&number);
    return status;
}

/* ---- withdraw and show ---- */

/* Ask the broker something about the subject. */
static enum status ask_broker(const struct options *options,
                              const struct session *session,
                              enum message_type type, enum message_field field,
                              enum message_type expected,
                              struct client_answer *answer, struct error *err)
{
    struct service_session broker = {.client = NULL};
    char subject[SUBJECT_ID_HEX_SIZE];
    struct message request;
    enum status status =
        patient_subject_of_options(session, &options->patient, subject, err);

    if (status == OK)
        status =
            service_session_open_near(&broker, session, IDENTITY_BROKER, err);
    if (status == OK) {
        question_init(&request, type);
        message_set_string(&request, field, subject);
        status = client_ask(broker.client, &request, expected, answer, err);
    }
    service_session_close(&broker);
    return status;
}

static enum status consent_withdraw(const struct options *options,
                                    const struct session *session,
                                    struct error *err)
{
    struct client_answer answer = {.memory = NULL};
    enum status status =
        ask_broker(options, session, MESSAGE_WITHDRAW, WITHDRAW_SUBJECT,
                   MESSAGE_RECORDED, &answer, err);

    if (status == OK)
        status = recorded_print(&answer.message, options->json, err);
    client_answer_clear(&answer);
    return status;
}

/* One line for each thing said: where, and what. */
static enum status print_one_said(const struct json_value *said,
                                  struct error *err)
{
    const struct json_value *position = json_member(said, "position");
    const struct json_value *says = json_member(said, "says");
    struct text text;
    int64_t number;
    enum status status = OK;

    if (position == NULL || !json_integer(position, &number))
        return error_set(err, E_SYSTEM, "the broker tells no position");
    text_init(&text);
    status = says != NULL ? json_print_canonical(says, &text, err)
                          : text_append_string(&text, "withdrawn", err);
    if (status == OK) {
        printf("%-10jd ", (intmax_t)number);
        command_print_lines(stdout, text.data);
        putchar('\n');
    }
    text_clear(&text);
    return status;
}

static enum status print_said(const struct message *told, bool as_json,
                              struct error *err)
{
    const struct json_value *list, *said;
    struct json *json = NULL;
    enum status status = told_list(told, "said", &json, &list, err);

    if (status == OK && as_json) {
        status = command_print_json(json, err);
    } else if (status == OK) {
        if (json_length(list) == 0)
            puts("nothing, which means no");
        for (said = json_first(list); status == OK && said != NULL;
             said = json_next(said))
            status = print_one_said(said, err);
        if (status == OK)
            status = command_finish_output(err);
    }
    json_destroy(&json);
    return status;
}

static enum status consent_show(const struct options *options,
                                const struct session *session,
                                struct error *err)
{
    struct client_answer answer = {.memory = NULL};
    enum status status = ask_broker(options, session, MESSAGE_SAID,
                                    SAID_SUBJECT, MESSAGE_TOLD, &answer, err);

    if (status == OK)
        status = print_said(&answer.message, options->json, err);
    client_answer_clear(&answer);
    return status;
}

/* ---- a patient's own withdrawal ---- */

static enum status consent_letter(const struct options *options,
                                  const struct session *session,
                                  struct error *err)
{
    char subject[SUBJECT_ID_HEX_SIZE];
    enum status status =
        patient_subject_of_options(session, &options->patient, subject, err);

    return status == OK ? withdrawal_letter_print(subject, options->json, err)
                        : status;
}

static enum status consent_resolve(const struct options *options,
                                   const struct session *session,
                                   struct error *err)
{
    struct client_answer answer = {.memory = NULL};
    struct service_session broker = {.client = NULL};
    char subject[SUBJECT_ID_HEX_SIZE];
    struct message request;
    struct text memory;
    enum status status =
        patient_subject_of_options(session, &options->patient, subject, err);

    text_init(&memory);
    question_init(&request, MESSAGE_RESOLVE);
    if (status == OK)
        status = withdrawal_letter_open(&request, options->file, options->salt,
                                        subject, &memory, err);
    if (status == OK)
        status =
            service_session_open_near(&broker, session, IDENTITY_BROKER, err);
    if (status == OK)
        status =
            client_ask(broker.client, &request, MESSAGE_RECORDED, &answer, err);
    if (status == OK)
        status = recorded_print(&answer.message, options->json, err);
    client_answer_clear(&answer);
    service_session_close(&broker);
    text_clear(&memory);
    return status;
}

/* ---- the command ---- */

enum row {
    ROW_PATIENT,
    ROW_PATIENT_FILE,
    ROW_PURPOSE,
    ROW_RECIPIENT,
    ROW_UNTIL,
    ROW_SALT,
    ROW_SYSTEM,
    ROW_JSON,
    ROW_DIR /* and what else a session needs */
};

static const struct option_row rows[] = {
    PATIENT_OPTION_ROWS(struct options),
    {"purpose", 0, OPTION_AT(TEXT, struct options, purposes)},
    {"recipient", 0, OPTION_AT(TEXT, struct options, recipients)},
    {"until", 0, OPTION_AT(TEXT, struct options, until)},
    {"salt", 0, OPTION_AT(TEXT, struct options, salt)},
    {"system", 0, OPTION_AT(TEXT, struct options, system)},
    {"json", 'j', OPTION_AT(FLAG, struct options, json)},
    SESSION_OPTION_ROWS(struct options),
};

static const struct options_table known = {help, rows,
                                           sizeof rows / sizeof *rows};

#define BIT(row) (UINT32_C(1) << ROW_##row)

/* What is done, and which of the options before --json it takes. */
static const struct action {
    const char *name;
    enum status (*run)(const struct options *options,
                       const struct session *session, struct error *err);
    const char *operand; /* in words; NULL: none */
    bool has_patient;
    uint32_t taken;
} actions[] = {
    {"import", consent_import, "a file of consents", false, BIT(SYSTEM)},
    {"grant", consent_grant, NULL, true,
     BIT(PATIENT) | BIT(PATIENT_FILE) | BIT(PURPOSE) | BIT(RECIPIENT) |
         BIT(UNTIL) | BIT(SYSTEM)},
    {"withdraw", consent_withdraw, NULL, true,
     BIT(PATIENT) | BIT(PATIENT_FILE)},
    {"show", consent_show, NULL, true, BIT(PATIENT) | BIT(PATIENT_FILE)},
    {"letter", consent_letter, NULL, true, BIT(PATIENT) | BIT(PATIENT_FILE)},
    {"resolve", consent_resolve, "the id of an entry", true,
     BIT(PATIENT) | BIT(PATIENT_FILE) | BIT(SALT)},
};

static const struct action *find_action(const char *name)
{
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        if (strcmp(actions[i].name, name) == 0)
            return &actions[i];
    return NULL;
}

static bool options_fit(const char *command, const struct action *action,
                        const struct options *options, uint32_t given)
{
    for (size_t i = 0; i < ROW_JSON; i++)
        if ((given & ~action->taken & UINT32_C(1) << i) != 0) {
            command_misuse(command, "%s: --%s is not for it", action->name,
                           rows[i].name);
            return false;
        }
    if (action->run == consent_grant && options->purposes == NULL) {
        command_misuse(command, "%s: --purpose is missing", action->name);
        return false;
    }
    if (action->run == consent_resolve && options->salt == NULL) {
        command_misuse(command, "%s: --salt is missing", action->name);
        return false;
    }
    return session_options_fit(command, &options->session) &&
           (!action->has_patient ||
            patient_options_fit(command, action->name, &options->patient));
}

/* False: *exit_code is to be returned, all has been said. */
static bool parse_options(int argc, char **argv, struct options *options,
                          const struct action **action, int *exit_code)
{
    struct operands operands;

    *options = (struct options){.session.timeout_ms = SESSION_TIMEOUT_MS,
                                .system = CONSENT_PATIENT_SYSTEM};
    if (!options_parse(&known, argc, argv, options, &operands, exit_code))
        return false;
    *action = operands.count > 0 ? find_action(operands.at[0]) : NULL;
    if (*action == NULL) {
        command_misuse(argv[0], "one of import, grant, withdraw, show, letter "
                                "and resolve is expected");
        return false;
    }
    if (operands.count != 1 + ((*action)->operand != NULL)) {
        command_misuse(argv[0], "%s: expected %s", (*action)->name,
                       (*action)->operand != NULL ? (*action)->operand
                                                  : "nothing but options");
        return false;
    }
    options->file = operands.at[operands.count - 1];
    return options_fit(argv[0], *action, options, operands.given);
}

int command_consent(int argc, char **argv)
{
    const struct action *action = NULL;
    struct options options;
    struct session session;
    struct error err;
    int exit_code;
    enum status status;

    if (!parse_options(argc, argv, &options, &action, &exit_code))
        return exit_code;
    error_init(&err);
    status =
        session_open_with(&session, &options.session, IDENTITY_CUSTODIAN, &err);
    if (status == OK)
        status = action->run(&options, &session, &err);
    session_close(&session);
    return status == OK ? status_exit_code(OK) : command_fail(&err);
}
