#include "cli/release_drive.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "broker/release_statement.h"
#include "cli/command.h"
#include "cli/request_review.h"
#include "common/commitment.h"
#include "common/encoding.h"
#include "common/entry.h"
#include "common/ledger_questions.h"

/* Between two questions how far it is. */
#define POLL_MS 100

struct drive {
    const struct session *session;
    struct service_session broker;
    struct request_review review;
    struct digest request;
    bool terminal;
    char shown[IDENTITY_NAME_MAX + 1]; /* the state that is on the terminal */
};

/* ---- progress, for people ---- */

static void show_state(struct drive *drive, const char *state)
{
    if (!drive->terminal || strcmp(drive->shown, state) == 0)
        return;
    snprintf(drive->shown, sizeof drive->shown, "%s", state);
    fputs("\r\033[K", stderr);
    command_print_harmless(stderr, state);
    fflush(stderr);
}

static void clear_state(const struct drive *drive)
{
    if (drive->shown[0] != '\0')
        fputs("\r\033[K", stderr);
}

/* ---- is the entry right? ---- */

/* A member of a valid entry's payload, which has it. */
static enum status payload_string(const struct json_value *payload,
                                  const char *key, const char **string,
                                  struct error *err)
{
    const struct json_value *member = json_member(payload, key);

    if (member == NULL || json_kind(member) != JSON_STRING)
        return error_set(err, E_REFUSED, "it has no \"%s\"", key);
    *string = json_string(member);
    return OK;
}

/* Is that entry in the log, valid, of this type, with these terms, and what
 * does its member `next` name?  The name is copied. */
static enum status check_step(const struct drive *drive, const char *id,
                              enum entry_type type, const char *next,
                              char name[DIGEST_HEX_SIZE], struct error *err)
{
    struct shown shown;
    const char *terms = "", *named = "";
    enum status status = shown_ask(&shown, drive->session->client, id, err);

    if (status != OK)
        return error_wrap(err, "the %s that it rests on",
                          entry_type_name(type));
    if (shown.entry.type != type || shown.verdict != VERDICT_VALID)
        status = error_set(err, E_REFUSED, "it rests on no valid %s",
                           entry_type_name(type));
    if (status == OK)
        status = payload_string(shown.entry.payload, "terms", &terms, err);
    if (status == OK && strcmp(terms, drive->review.commitment) != 0)
        status = error_set(err, E_REFUSED, "the %s is for other terms",
                           entry_type_name(type));
    if (status == OK)
        status = payload_string(shown.entry.payload, next, &named, err);
    if (status == OK && strlen(named) != DIGEST_HEX_SIZE - 1)
        status = error_set(err, E_REFUSED, "its \"%s\" is no id", next);
    if (status == OK)
        memcpy(name, named, DIGEST_HEX_SIZE);
    shown_clear(&shown);
    return status;
}

/* permit -> approve -> request */
static enum status check_way(const struct drive *drive, const char *permit,
                             struct error *err)
{
    char approve[DIGEST_HEX_SIZE], request[DIGEST_HEX_SIZE];
    enum status status =
        check_step(drive, permit, ENTRY_PERMIT, "approve", approve, err);

    if (status == OK)
        status =
            check_step(drive, approve, ENTRY_APPROVE, "request", request, err);
    if (status == OK && strcmp(request, drive->review.id) != 0)
        status = error_set(err, E_REFUSED,
                           "the approval is of another "
                           "request");
    return status;
}

static enum status check_author(const struct drive *drive,
                                const struct entry *entry, struct error *err)
{
    const struct network *network = drive->session->network;

    if (entry->type != ENTRY_RELEASE)
        return error_set(err, E_REFUSED, "it is no release");
    if (strcmp(entry->origin, network->origin) != 0 ||
        strcmp(entry->channel, network->channel) != 0)
        return error_set(err, E_REFUSED, "it is for another log");
    if (strcmp(entry->author, drive->broker.service.node[0].certificate) != 0)
        return error_set(err, E_REFUSED, "the broker is not its author");
    return OK;
}

static enum status check_statement(const struct drive *drive,
                                   const struct message *progress,
                                   const char *permit, const char *commitment,
                                   struct error *err)
{
    struct bytes statement = message_bytes(progress, PROGRESS_STATEMENT);
    struct bytes bytes = message_bytes(progress, PROGRESS_SALT);
    struct bytes name = message_bytes(progress, PROGRESS_RELEASE);
    char release[IDENTITY_NAME_MAX + 1];
    struct release_expected expected = {.policy = drive->review.terms.policy,
                                        .release = release};
    struct commitment_salt salt;
    struct digest id;

    if (bytes.size != sizeof salt.byte ||
        !hex_decode(bytes_of_string(permit), id.byte, DIGEST_SIZE))
        return error_set(err, E_REFUSED, "it comes without a salt");
    memcpy(salt.byte, bytes.data, sizeof salt.byte);
    snprintf(release, sizeof release, "%.*s", (int)name.size,
             (const char *)name.data);
    expected.permit = &id;
    if (commitment_check(&salt, statement, commitment, err) != OK)
        return error_set(err, E_REFUSED, "it does not commit to the statement");
    return release_statement_check(statement, &expected, err);
}

static enum status check_entry(const struct drive *drive,
                               const struct message *progress,
                               const struct entry *entry, struct error *err)
{
    const char *permit = "", *terms = "", *commitment = "";
    enum status status = check_author(drive, entry, err);

    if (status == OK)
        status = payload_string(entry->payload, "permit", &permit, err);
    if (status == OK)
        status = payload_string(entry->payload, "terms", &terms, err);
    if (status == OK)
        status = payload_string(entry->payload, "commitment", &commitment, err);
    if (status == OK && strcmp(terms, drive->review.commitment) != 0)
        status = error_set(err, E_REFUSED, "it is for other terms");
    if (status == OK)
        status = check_way(drive, permit, err);
    if (status == OK)
        status = check_statement(drive, progress, permit, commitment, err);
    return status;
}

/* ---- signing ---- */

/* The broker has not signed yet, so there is only the entry's own form to
 * check, which wants its author's signature: ours stands in its place. */
static enum status parse_entry(const struct drive *drive, struct bytes bytes,
                               const struct entry_signature *signature,
                               struct text *signatures, struct entry *entry,
                               struct error *err)
{
    struct entry_signature named = *signature;
    enum status status;

    memcpy(named.by, drive->broker.service.node[0].certificate,
           sizeof named.by);
    status = entry_write_signatures(&named, 1, signatures, err);
    return status == OK ? entry_parse(entry, bytes, text_bytes(signatures), err)
                        : status;
}

static enum status sign(const struct drive *drive,
                        const struct message *progress,
                        struct entry_signature *signature, struct digest *id,
                        struct error *err)
{
    const struct network_user *user = &drive->session->user;
    struct bytes bytes = message_bytes(progress, PROGRESS_ENTRY);
    struct entry entry = {.json = NULL};
    struct text signatures;
    enum status status;

    text_init(&signatures);
    status = entry_sign(bytes, certificate_id(user->certificate), user->key,
                        signature, err);
    if (status == OK)
        status = parse_entry(drive, bytes, signature, &signatures, &entry, err);
    if (status == OK)
        status = check_entry(drive, progress, &entry, err);
    if (status == OK)
        *id = entry.id;
    else
        status = error_wrap(err, "the release that the broker wants signed");
    entry_clear(&entry);
    text_clear(&signatures);
    return status;
}

/* ---- the way ---- */

static enum status ask_release(const struct drive *drive,
                               struct client_answer *answer, struct error *err)
{
    struct message request;

    question_init(&request, MESSAGE_RELEASE);
    message_set_bytes(&request, RELEASE_REQUEST,
                      bytes_of(drive->request.byte, DIGEST_SIZE));
    return client_ask(drive->broker.client, &request, MESSAGE_PROGRESS, answer,
                      err);
}

/* What is answered may be "endorse" again: a next draft. */
static enum status endorse(const struct drive *drive,
                           struct client_answer *answer, struct error *err)
{
    struct entry_signature signature;
    struct message request;
    struct digest id;
    enum status status = sign(drive, &answer->message, &signature, &id, err);

    client_answer_clear(answer);
    if (status != OK)
        return status;
    question_init(&request, MESSAGE_ENDORSE);
    message_set_bytes(&request, ENDORSE_REQUEST,
                      bytes_of(drive->request.byte, DIGEST_SIZE));
    message_set_bytes(&request, ENDORSE_ENTRY, bytes_of(id.byte, DIGEST_SIZE));
    message_set_bytes(&request, ENDORSE_SIGNATURE,
                      bytes_of(signature.bytes, signature.size));
    return client_ask(drive->broker.client, &request, MESSAGE_PROGRESS, answer,
                      err);
}

static enum status wait_a_moment(struct error *err)
{
    struct timespec pause = {.tv_nsec = POLL_MS * 1000000L};

    nanosleep(&pause, NULL);
    return atomic_load(command_cancel())
               ? error_set(err, E_CANCELLED, "interrupted")
               : OK;
}

static enum status refusal(const struct message *progress, struct error *err)
{
    struct bytes why = message_bytes(progress, PROGRESS_WHY);
    uint64_t number = message_number(progress, PROGRESS_STATUS);

    return error_set(err, status_of_failure(number), "%.*s", (int)why.size,
                     (const char *)why.data);
}

/* One answer: go on, or *ended. */
static enum status step(struct drive *drive, struct client_answer *answer,
                        bool *ended, struct error *err)
{
    struct bytes state = message_bytes(&answer->message, PROGRESS_STATE);
    char name[IDENTITY_NAME_MAX + 1];
    enum status status;

    snprintf(name, sizeof name, "%.*s", (int)state.size,
             (const char *)state.data);
    show_state(drive, name);
    if (strcmp(name, "refused") == 0)
        return refusal(&answer->message, err);
    *ended = strcmp(name, "published") == 0;
    if (*ended)
        return OK;
    if (strcmp(name, "endorse") == 0)
        return endorse(drive, answer, err);
    client_answer_clear(answer);
    status = wait_a_moment(err);
    return status == OK ? ask_release(drive, answer, err) : status;
}

static enum status go(struct drive *drive, struct release_result *result,
                      struct error *err)
{
    struct client_answer answer = {.memory = NULL};
    bool ended = false;
    enum status status = ask_release(drive, &answer, err);

    while (status == OK && !ended)
        status = step(drive, &answer, &ended, err);
    clear_state(drive);
    if (status == OK) {
        struct bytes name = message_bytes(&answer.message, PROGRESS_RELEASE);

        snprintf(result->release, sizeof result->release, "%.*s",
                 (int)name.size, (const char *)name.data);
    }
    client_answer_clear(&answer);
    return status;
}

enum status release_drive(const struct session *session, const char *request,
                          struct release_result *result, struct error *err)
{
    struct drive drive = {.session = session,
                          .terminal = isatty(STDERR_FILENO) == 1};
    enum status status = request_id_read(request, &drive.request, err);

    if (status == OK)
        status = service_session_open_near(&drive.broker, session,
                                           IDENTITY_BROKER, err);
    if (status == OK)
        status = request_review_open(&drive.review, session,
                                     drive.broker.client, request, err);
    if (status == OK)
        status = go(&drive, result, err);
    request_review_close(&drive.review);
    service_session_close(&drive.broker);
    return status;
}
