/*
 * cli/command_approve.c - `anchorite approve` and `anchorite reject`: the
 * custodian's answer to a request.
 */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/options.h"
#include "cli/request_review.h"
#include "cli/session.h"
#include "cli/signed_entry.h"

#define HELP(command, words)                                                   \
    "usage: anchorite " command " REQUEST --dir DIR [--json]\n\n" words        \
    "  What is\nasked for has to be what the request's entry in the ledger "   \
    "commits to, and is\nprinted.  To see it before: anchorite requests "      \
    "REQUEST.\n\n" SESSION_OPTION_HELP(                                        \
        SESSION_CUSTODIAN) "  -j, --json               print one JSON "        \
                           "object\n"                                          \
                           "  -h, --help               this text\n\n"          \
                           "Example:\n"                                        \
                           "  anchorite " command " 5f3c... --dir /tmp/demo\n"

static const char approve_help[] =
    HELP("approve", "Writes the custodian's approval of a request.");
static const char reject_help[] =
    HELP("reject", "Writes that the custodian rejects a request.");

struct options {
    struct session_options session;
    const char *request;
    bool json;
};

/* ---- the entry ---- */

static enum status make_entry(const struct session *session,
                              const struct request_review *review,
                              bool approves, struct signed_entry *entry,
                              struct error *err)
{
    struct json *payload = NULL;
    enum status status = json_create(&payload, err);

    if (status == OK)
        status = json_add_string(json_edit_root(payload), "request", review->id,
                                 err);
    if (status == OK && approves)
        status = json_add_string(json_edit_root(payload), "terms",
                                 review->commitment, err);
    if (status == OK)
        status = signed_entry_make(entry, session,
                                   approves ? ENTRY_APPROVE : ENTRY_REJECT,
                                   payload, err);
    json_destroy(&payload);
    return status;
}

static enum status print_result(const struct request_review *review,
                                const struct receipt *receipt, bool approves,
                                bool as_json, struct error *err)
{
    const char *what = approves ? "approve" : "reject";
    char hex[DIGEST_HEX_SIZE];
    struct json *json = NULL;
    enum status status;

    if (!as_json) {
        request_review_print(review);
        digest_hex(&receipt->id, hex);
        printf("%-13s%s\n", what, hex);
        return command_finish_output(err);
    }
    status = json_create(&json, err);
    if (status == OK)
        status =
            json_add_string(json_edit_root(json), "request", review->id, err);
    if (status == OK)
        status =
            signed_entry_add_place(json_edit_root(json), what, receipt, err);
    if (status == OK)
        status = command_print_json(json, err);
    json_destroy(&json);
    return status;
}

/* A request is answered once.  Which answer that was the log says; err stays as
 * it is if there is none. */
static enum status tell_answered(const struct session *session,
                                 const struct request_review *review,
                                 const struct receipt *receipt,
                                 struct error *err)
{
    struct request_answer answer;
    struct error why;
    bool own;

    error_init(&why);
    if (receipt->verdict != VERDICT_AGAINST_RULE)
        return err->status;
    if (request_answer_ask(&answer, session, review->id, &why) != OK)
        return why.status == E_NO
                   ? err->status
                   : error_wrap(err, "how it was answered is not known (%s)",
                                why.text);
    own = strcmp(answer.author, certificate_id(session->user.certificate)) == 0;
    return error_set(err, E_REFUSED,
                     "request %s is %s already, by %s%s, with entry %s at "
                     "position %ju of the log: a request is answered once; "
                     "what was tried now is recorded at position %ju",
                     review->id, answer.approved ? "approved" : "rejected",
                     own ? session->name : "certificate ",
                     own ? "" : answer.author, answer.id,
                     (uintmax_t)answer.position, (uintmax_t)receipt->position);
}

static enum status submit(const struct signed_entry *entry,
                          const struct session *session,
                          const struct request_review *review, bool approves,
                          struct receipt *receipt, struct error *err)
{
    enum status status = signed_entry_submit(
        entry, session, approves ? ENTRY_APPROVE : ENTRY_REJECT, receipt, err);

    return status == E_REFUSED ? tell_answered(session, review, receipt, err)
                               : status;
}

static enum status run(const struct options *options, bool approves,
                       struct error *err)
{
    struct service_session broker = {.client = NULL};
    struct request_review review = {.json = NULL};
    struct signed_entry entry;
    struct session session;
    struct receipt receipt = {.verdict = VERDICT_VALID};
    enum status status =
        session_open_with(&session, &options->session, IDENTITY_CUSTODIAN, err);

    signed_entry_init(&entry);
    if (status == OK)
        status =
            service_session_open_near(&broker, &session, IDENTITY_BROKER, err);
    if (status == OK)
        status = request_review_open(&review, &session, broker.client,
                                     options->request, err);
    if (status == OK)
        status = make_entry(&session, &review, approves, &entry, err);
    if (status == OK)
        status = submit(&entry, &session, &review, approves, &receipt, err);
    if (status == OK)
        status = print_result(&review, &receipt, approves, options->json, err);
    signed_entry_clear(&entry);
    request_review_close(&review);
    service_session_close(&broker);
    session_close(&session);
    return status;
}

/* ---- the commands ---- */

static const struct option_row rows[] = {
    SESSION_OPTION_ROWS(struct options),
    {"json", 'j', OPTION_AT(FLAG, struct options, json)},
};

static int answer(int argc, char **argv, const char *help, bool approves)
{
    struct options options = {.session.timeout_ms = SESSION_TIMEOUT_MS};
    struct options_table known = {help, rows, sizeof rows / sizeof *rows};
    struct operands operands;
    struct error err;
    int exit_code;

    if (!options_parse(&known, argc, argv, &options, &operands, &exit_code))
        return exit_code;
    if (operands.count != 1)
        return command_misuse(argv[0], "one request is expected");
    options.request = operands.at[0];
    if (!session_options_fit(argv[0], &options.session))
        return exit_code;
    error_init(&err);
    return run(&options, approves, &err) == OK ? status_exit_code(OK)
                                               : command_fail(&err);
}

int command_approve(int argc, char **argv)
{
    return answer(argc, argv, approve_help, true);
}

int command_reject(int argc, char **argv)
{
    return answer(argc, argv, reject_help, false);
}
