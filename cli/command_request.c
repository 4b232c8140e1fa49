/*
 * cli/command_request.c - `anchorite request`: an institute asks for data.
 *
 * The terms are committed to by an entry in the institute's name; terms, salt
 * and policy then go to the broker alone.
 */
#include <stdio.h>
#include <string.h>

#include "anonymizer/policy.h"
#include "anonymizer/policy_bundle.h"
#include "broker/purpose.h"
#include "cli/comma_list.h"
#include "cli/command.h"
#include "cli/kept_entry.h"
#include "cli/options.h"
#include "cli/session.h"
#include "common/encoding.h"
#include "common/ledger_questions.h"
#include "common/upload.h"

static const char help[] =
    "usage: anchorite request --dataset ENTRY --purpose CODE,... --policy P "
    "--dir DIR\n"
    "                         [--organisation ORG] [--json]\n"
    "       anchorite request --resume REQUEST --dir DIR [--json]\n\n"
    "Asks for a release of a dataset: for which purposes, for whom, under "
    "which "
    "policy.\nThe ledger gets a commitment to these terms, the broker of the "
    "dataset's\norganisation the terms and the policy with its hierarchies.  "
    "What is kept in\nDIR/users/USER/requests lets an interrupted request go "
    "on: --resume.\n\n"
    "      --dataset ENTRY      id of the dataset's entry in the ledger\n"
    "      --purpose CODE,...   codes of DUO, as in DUO:0000042\n"
    "  -p, --policy P           what the release must satisfy (JSON)\n"
    "      --organisation ORG   whose broker is asked (the only one)\n"
    "      --resume REQUEST     hand in again what was "
    "kept\n" SESSION_OPTION_HELP(
        SESSION_INSTITUTE) "  -j, --json               print one JSON object\n"
                           "  -h, --help               this text\n\n"
                           "Example:\n"
                           "  anchorite request --dataset 5f3c... --purpose "
                           "DUO:0000042 \\\n"
                           "      --policy policies/hospital-k5.json --dir "
                           "/tmp/demo\n";

struct options {
    struct session_options session;
    const char *dataset, *purposes, *policy;
    const char *organisation;
    const char *resume;
    bool json;
};

/* ---- the terms ---- */

static enum status add_purpose(void *context, const char *code,
                               struct error *err)
{
    struct purposes *purposes = context;

    if (purposes_add_requested(purposes, bytes_of_string(code), err) != OK)
        return error_wrap(err, "--purpose");
    return OK;
}

/* A set, in the order of their codes: the same wish has the same terms. */
static enum status add_purposes(struct json_value *root, const char *codes,
                                struct error *err)
{
    struct purposes purposes = {0};
    struct json_value *list;
    enum status status =
        comma_list_each(codes, add_purpose, &purposes, "--purpose", err);

    if (status == OK && purposes_check_request(purposes, err) != OK)
        status = error_wrap(err, "--purpose");
    if (status == OK)
        status = json_add_array(root, "purposes", &list, err);
    for (unsigned p = 0; status == OK && p < PURPOSE_COUNT; p++)
        if (purposes_have(purposes, (enum purpose)p))
            status =
                json_add_string(list, NULL, purpose_code((enum purpose)p), err);
    return status;
}

static enum status write_terms(const struct options *options,
                               const struct session *session,
                               const struct digest *policy, struct text *out,
                               struct error *err)
{
    const struct certificate *self = session->user.certificate;
    struct json *json = NULL;
    struct json_value *root;
    enum status status = json_create(&json, err);

    if (status != OK)
        return status;
    root = json_edit_root(json);
    status = json_add_string(root, "dataset", options->dataset, err);
    if (status == OK)
        status = json_add_string(root, "organisation",
                                 certificate_subject(self)->organisation, err);
    if (status == OK)
        status = json_add_hex(root, "policy",
                              bytes_of(policy->byte, DIGEST_SIZE), err);
    if (status == OK)
        status = add_purposes(root, options->purposes, err);
    if (status == OK)
        status = json_add_string(root, "recipient", certificate_id(self), err);
    if (status == OK)
        status = json_add_string(root, "statement", "terms 1", err);
    if (status == OK)
        status = json_print_canonical(json_root(json), out, err);
    json_destroy(&json);
    return status;
}

static enum status read_policy(const struct options *options,
                               struct digest *digest, struct text *bundle,
                               struct error *err)
{
    struct policy *policy = NULL;
    enum status status = policy_bundle_pack(options->policy, bundle, err);

    /* As the other end will read it. */
    if (status == OK)
        status = policy_bundle_open(&policy, text_bytes(bundle), err);
    if (status == OK)
        *digest = policy->digest;
    policy_close(&policy);
    return status;
}

/* ---- the entry ---- */

static enum status make_entry(const struct options *options,
                              const struct session *session,
                              struct kept_entry *kept, struct error *err)
{
    struct json *payload = NULL;
    struct digest policy;
    enum status status = read_policy(options, &policy, &kept->bundle, err);

    if (status == OK)
        status = write_terms(options, session, &policy, &kept->statement, err);
    if (status == OK)
        status = json_create(&payload, err);
    if (status == OK)
        status = json_add_string(json_edit_root(payload), "dataset",
                                 options->dataset, err);
    if (status == OK)
        status =
            statement_commit(json_edit_root(payload), "terms",
                             text_bytes(&kept->statement), &kept->salt, err);
    if (status == OK)
        status = signed_entry_make(&kept->entry, session, ENTRY_REQUEST,
                                   payload, err);
    if (status == OK)
        status = kept_entry_save(kept, session, KEPT_REQUESTS, err);
    json_destroy(&payload);
    return status;
}

/* ---- to the broker ---- */

static enum status tell_broker(const struct options *options,
                               const struct session *session,
                               const struct kept_entry *kept, struct error *err)
{
    struct service_session broker;
    struct client_answer answer = {.memory = NULL};
    struct upload_id upload;
    struct message request;
    enum status status = service_session_open(
        &broker, session, options->organisation, IDENTITY_BROKER, err);

    if (status == OK)
        status =
            upload_send(broker.client, text_bytes(&kept->bundle), &upload, err);
    if (status == OK) {
        question_init(&request, MESSAGE_REQUEST);
        message_set_bytes(&request, REQUEST_ID,
                          bytes_of(kept->entry.id.byte, DIGEST_SIZE));
        message_set_bytes(&request, REQUEST_SALT,
                          bytes_of(kept->salt.byte, sizeof kept->salt.byte));
        message_set_string(&request, REQUEST_TERMS, kept->statement.data);
        message_set_bytes(&request, REQUEST_UPLOAD,
                          bytes_of(upload.byte, sizeof upload.byte));
        status =
            client_ask(broker.client, &request, MESSAGE_RECORDED, &answer, err);
    }
    client_answer_clear(&answer);
    service_session_close(&broker);
    return status;
}

static enum status print_result(const struct receipt *receipt, bool as_json,
                                struct error *err)
{
    char hex[DIGEST_HEX_SIZE];
    struct json *json = NULL;
    enum status status;

    if (!as_json) {
        digest_hex(&receipt->id, hex);
        printf("request   %s\nposition  %ju\n", hex,
               (uintmax_t)receipt->position);
        return command_finish_output(err);
    }
    status = json_create(&json, err);
    if (status == OK)
        status = signed_entry_add_place(json_edit_root(json), "request",
                                        receipt, err);
    if (status == OK)
        status = command_print_json(json, err);
    json_destroy(&json);
    return status;
}

/* From here on it can be resumed. */
static enum status hand_in(const struct options *options,
                           const struct session *session,
                           const struct kept_entry *kept, struct error *err)
{
    char hex[DIGEST_HEX_SIZE];
    struct receipt receipt;
    enum status status = signed_entry_submit(&kept->entry, session,
                                             ENTRY_REQUEST, &receipt, err);

    if (status == OK)
        status = tell_broker(options, session, kept, err);
    if (status == OK)
        return print_result(&receipt, options->json, err);
    if (status == E_SYSTEM || status == E_CANCELLED) {
        digest_hex(&kept->entry.id, hex);
        fprintf(stderr, "To go on: anchorite request --resume %s\n", hex);
    }
    return status;
}

static enum status run(const struct options *options, struct error *err)
{
    struct session session;
    struct kept_entry kept;
    enum status status = session_open_with(&session, &options->session,
                                           IDENTITY_RESEARCH_INSTITUTE, err);

    kept_entry_init(&kept);
    if (status == OK && options->resume != NULL)
        status = kept_entry_load(&kept, &session, KEPT_REQUESTS,
                                 options->resume, err);
    else if (status == OK)
        status = make_entry(options, &session, &kept, err);
    if (status == OK)
        status = hand_in(options, &session, &kept, err);
    kept_entry_clear(&kept);
    session_close(&session);
    return status;
}

/* ---- the command ---- */

static const struct option_row rows[] = {
    {"dataset", 0, OPTION_AT(TEXT, struct options, dataset)},
    {"purpose", 0, OPTION_AT(TEXT, struct options, purposes)},
    {"policy", 'p', OPTION_AT(TEXT, struct options, policy)},
    {"organisation", 0, OPTION_AT(TEXT, struct options, organisation)},
    {"resume", 0, OPTION_AT(TEXT, struct options, resume)},
    SESSION_OPTION_ROWS(struct options),
    {"json", 'j', OPTION_AT(FLAG, struct options, json)},
};

static const struct options_table known = {help, rows,
                                           sizeof rows / sizeof *rows};

static bool fits(const char *command, const struct options *options)
{
    struct digest dataset;

    if (options->resume != NULL) {
        if (options->dataset != NULL || options->purposes != NULL ||
            options->policy != NULL) {
            command_misuse(command,
                           "--resume says all that is to be asked for");
            return false;
        }
        return session_options_fit(command, &options->session);
    }
    if (options->dataset == NULL)
        command_misuse(command, "--dataset is missing");
    else if (options->purposes == NULL)
        command_misuse(command, "--purpose is missing");
    else if (options->policy == NULL)
        command_misuse(command, "--policy is missing");
    else if (!hex_decode(bytes_of_string(options->dataset), dataset.byte,
                         DIGEST_SIZE))
        command_misuse(command, "--dataset: expected an entry's id, 64 "
                                "lower-case hex digits");
    else
        return session_options_fit(command, &options->session);
    return false;
}

int command_request(int argc, char **argv)
{
    struct options options = {.session.timeout_ms = SESSION_TIMEOUT_MS};
    struct operands operands;
    struct error err;
    int exit_code;

    if (!options_parse(&known, argc, argv, &options, &operands, &exit_code))
        return exit_code;
    if (operands.count != 0)
        return command_misuse(argv[0], "nothing but options is expected");
    if (!fits(argv[0], &options))
        return exit_code;
    error_init(&err);
    return run(&options, &err) == OK ? status_exit_code(OK)
                                     : command_fail(&err);
}
