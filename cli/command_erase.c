/*
 * cli/command_erase.c - `anchorite erase`: a patient's records become
 * unreadable, in the vault and in every copy of it.
 *
 *     1. withdraw, at the broker: no permit rests on this patient any more
 *     2. an `erase` entry in the custodian's name: from here on no release that
 *        was checked before is taken
 *     3. erase, at the anonymizer: the key is destroyed
 *
 * In this order each step is true whatever becomes of the next, and all of it
 * may be said again.
 */
#include <stdio.h>
#include <time.h>

#include "cli/command.h"
#include "cli/kept_entry.h"
#include "cli/options.h"
#include "cli/patient.h"
#include "cli/session.h"
#include "common/clock.h"
#include "common/ledger_questions.h"

/* Between two attempts while somebody uses the vault. */
#define ERASE_PAUSE_NS 250000000L

static const char help[] =
    "usage: anchorite erase --patient N --dir DIR [--json]\n\n"
    "Withdraws all consents of a patient, records in the ledger that the "
    "patient is\nerased, and has the anonymizer destroy the key of the "
    "patient's records: they are\nunreadable then in the vault and in all of "
    "its copies.  What was released before is\nnot reached; docs/decisions/014 "
    "says what else is not.\n\n" PATIENT_OPTION_HELP SESSION_OPTION_HELP(
        SESSION_CUSTODIAN) "  -j, --json               print one JSON object\n"
                           "  -h, --help               this text\n\n"
                           "Example:\n"
                           "  echo P000000017 | anchorite erase --patient-file "
                           "- --dir /tmp/demo\n";

struct options {
    struct session_options session;
    struct patient_options patient;
    bool json;
};

/* What came of it. */
struct erasure {
    struct receipt receipt;
    uint64_t keys; /* destroyed: 0 or 1 */
};

/* ---- the three steps ---- */

/* Ask one of the organisation's services something about the subject. */
static enum status ask_recorded(const struct session *session,
                                enum identity_role role, enum message_type type,
                                enum message_field field, const char *subject,
                                uint64_t *count, struct error *err)
{
    struct client_answer answer = {.memory = NULL};
    struct service_session service;
    struct message request;
    enum status status =
        service_session_open_near(&service, session, role, err);

    if (status == OK) {
        question_init(&request, type);
        message_set_string(&request, field, subject);
        status = client_ask(service.client, &request, MESSAGE_RECORDED, &answer,
                            err);
    }
    if (status == OK)
        *count = message_number(&answer.message, RECORDED_COUNT);
    client_answer_clear(&answer);
    service_session_close(&service);
    return status;
}

static enum status write_statement(const char *subject, struct text *out,
                                   struct error *err)
{
    struct json *json = NULL;
    enum status status = json_create(&json, err);

    if (status == OK)
        status =
            json_add_string(json_edit_root(json), "statement", "erase 1", err);
    if (status == OK)
        status = json_add_string(json_edit_root(json), "subject", subject, err);
    if (status == OK)
        status = json_print_canonical(json_root(json), out, err);
    json_destroy(&json);
    return status;
}

static enum status record(const struct session *session, const char *subject,
                          struct receipt *receipt, struct error *err)
{
    struct json *payload = NULL;
    struct kept_entry kept;
    enum status status;

    kept_entry_init(&kept);
    status = write_statement(subject, &kept.statement, err);
    if (status == OK)
        status = json_create(&payload, err);
    if (status == OK)
        status = statement_commit(json_edit_root(payload), "commitment",
                                  text_bytes(&kept.statement), &kept.salt, err);
    if (status == OK)
        status =
            signed_entry_make(&kept.entry, session, ENTRY_ERASE, payload, err);
    if (status == OK)
        status = kept_entry_save(&kept, session, KEPT_ERASURES, err);
    if (status == OK)
        status = signed_entry_submit(&kept.entry, session, ENTRY_ERASE, receipt,
                                     err);
    json_destroy(&payload);
    kept_entry_clear(&kept);
    return status;
}

/* Who reads records, or puts them in, is waited for: the anonymizer does not,
 * since an ingest goes on by its hand. */
static enum status destroy(const struct session *session, const char *subject,
                           uint64_t *keys, struct error *err)
{
    const struct timespec pause = {0, ERASE_PAUSE_NS};
    uint64_t began_ms = clock_steady_ms();
    enum status status;

    for (;;) {
        status = ask_recorded(session, IDENTITY_ANONYMIZER, MESSAGE_ERASE,
                              ERASE_SUBJECT, subject, keys, err);
        if (status != E_SYSTEM ||
            clock_steady_ms() - began_ms >= session->options.timeout_ms)
            return status;
        error_init(err);
        nanosleep(&pause, NULL);
    }
}

static enum status erase(const struct session *session, const char *subject,
                         struct erasure *erasure, struct error *err)
{
    uint64_t withdrawn;
    enum status status =
        ask_recorded(session, IDENTITY_BROKER, MESSAGE_WITHDRAW,
                     WITHDRAW_SUBJECT, subject, &withdrawn, err);

    if (status == OK)
        status = record(session, subject, &erasure->receipt, err);
    return status == OK ? destroy(session, subject, &erasure->keys, err)
                        : status;
}

/* ---- the command ---- */

static enum status print_result(const struct erasure *erasure, bool as_json,
                                struct error *err)
{
    char hex[DIGEST_HEX_SIZE];
    struct json *json = NULL;
    enum status status;

    if (!as_json) {
        digest_hex(&erasure->receipt.id, hex);
        printf("id        %s\nposition  %ju\nkeys      %ju\n", hex,
               (uintmax_t)erasure->receipt.position, (uintmax_t)erasure->keys);
        return command_finish_output(err);
    }
    status = json_create(&json, err);
    if (status == OK)
        status = signed_entry_add_place(json_edit_root(json), "id",
                                        &erasure->receipt, err);
    if (status == OK)
        status = json_add_boolean(json_edit_root(json), "destroyed",
                                  erasure->keys > 0, err);
    if (status == OK)
        status = command_print_json(json, err);
    json_destroy(&json);
    return status;
}

static enum status run(const struct options *options, struct error *err)
{
    char subject[SUBJECT_ID_HEX_SIZE];
    struct erasure erasure;
    struct session session;
    enum status status =
        session_open_with(&session, &options->session, IDENTITY_CUSTODIAN, err);

    if (status == OK)
        status = patient_subject_of_options(&session, &options->patient,
                                            subject, err);
    if (status == OK)
        status = erase(&session, subject, &erasure, err);
    if (status == OK)
        status = print_result(&erasure, options->json, err);
    session_close(&session);
    return status;
}

static const struct option_row rows[] = {
    PATIENT_OPTION_ROWS(struct options),
    SESSION_OPTION_ROWS(struct options),
    {"json", 'j', OPTION_AT(FLAG, struct options, json)},
};

static const struct options_table known = {help, rows,
                                           sizeof rows / sizeof *rows};

int command_erase(int argc, char **argv)
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
