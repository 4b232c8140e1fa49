#include "cli/request_review.h"

#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/service_answer.h"
#include "common/commitment.h"
#include "common/encoding.h"
#include "common/ledger_questions.h"

/* Not the word itself: it may be anything, even a patient's number. */
enum status request_id_read(const char *id, struct digest *digest,
                            struct error *err)
{
    if (hex_decode(bytes_of_string(id), digest->byte, DIGEST_SIZE))
        return OK;
    return error_set(err, E_USAGE,
                     "expected a request's id, 64 lower-case hex digits, not "
                     "%zu characters; \"anchorite requests\" lists them",
                     strlen(id));
}

enum status requests_ask(struct client *broker, const struct digest *id,
                         struct json **json, const struct json_value **list,
                         struct error *err)
{
    struct client_answer answer;
    struct message request;
    enum status status;

    *json = NULL;
    question_init(&request, MESSAGE_REQUESTS);
    message_set_bytes(&request, REQUESTS_ID,
                      id != NULL ? bytes_of(id->byte, DIGEST_SIZE)
                                 : bytes_of(NULL, 0));
    status = client_ask(broker, &request, MESSAGE_TOLD, &answer, err);
    if (status == OK)
        status = told_list(&answer.message, "requests", json, list, err);
    client_answer_clear(&answer);
    return status;
}

/* ---- against the log ---- */

/* The entry's "terms", if it is a request and valid. */
static enum status take_commitment(struct request_review *review,
                                   const struct shown *shown, struct error *err)
{
    const struct json_value *terms = json_member(shown->entry.payload, "terms");
    const struct json_value *dataset =
        json_member(shown->entry.payload, "dataset");

    if (shown->entry.type != ENTRY_REQUEST || shown->verdict != VERDICT_VALID)
        return error_set(err, E_REFUSED, "the entry is no valid request");
    /* A valid one has both. */
    if (terms == NULL || json_kind(terms) != JSON_STRING || dataset == NULL ||
        json_kind(dataset) != JSON_STRING ||
        strlen(json_string(terms)) != DIGEST_HEX_SIZE - 1)
        return error_set(err, E_SYSTEM,
                         "the node shows a request without terms");
    if (strcmp(json_string(dataset), review->terms.dataset) != 0 ||
        strcmp(shown->entry.author, review->terms.recipient) != 0)
        return error_set(err, E_REFUSED,
                         "the terms are for another dataset or recipient than "
                         "the entry in the log");
    memcpy(review->commitment, json_string(terms), DIGEST_HEX_SIZE);
    return OK;
}

static enum status check_log(struct request_review *review,
                             const struct session *session,
                             const struct commitment_salt *salt,
                             struct bytes terms, struct error *err)
{
    struct shown shown;
    enum status status = shown_ask(&shown, session->client, review->id, err);

    if (status != OK)
        return status;
    status = take_commitment(review, &shown, err);
    if (status == OK &&
        commitment_check(salt, terms, review->commitment, err) != OK)
        status = error_set(err, E_REFUSED,
                           "the terms that the broker tells are not those that "
                           "the entry in the log stands for");
    shown_clear(&shown);
    return status;
}

/* ---- its answer ---- */

/* The entry at the position where "used/<id>" was written. */
static enum status take_answer(struct request_answer *answer,
                               const struct shown *shown, const char *id,
                               struct error *err)
{
    const struct json_value *named =
        json_member(shown->entry.payload, "request");

    answer->approved = shown->entry.type == ENTRY_APPROVE;
    if ((!answer->approved && shown->entry.type != ENTRY_REJECT) ||
        shown->verdict != VERDICT_VALID || named == NULL ||
        json_kind(named) != JSON_STRING || strcmp(json_string(named), id) != 0)
        return error_set(err, E_SYSTEM,
                         "the node shows an entry that is no answer to the "
                         "request");
    answer->position = shown->position;
    digest_hex(&shown->entry.id, answer->id);
    memcpy(answer->author, shown->entry.author, sizeof answer->author);
    return OK;
}

enum status request_answer_ask(struct request_answer *answer,
                               const struct session *session, const char *id,
                               struct error *err)
{
    char key[sizeof "used/" + DIGEST_HEX_SIZE], which[24];
    struct shown shown = {.position = 0};
    struct text positions;
    bool more = false;
    enum status status;

    text_init(&positions);
    snprintf(key, sizeof key, "used/%s", id);
    status = history_ask(session->client, key, 0, &positions, &more, err);
    if (status == OK && positions.size < 8)
        status = error_set(err, E_SYSTEM,
                           "the node answered with what is no history");
    if (status == OK) {
        snprintf(which, sizeof which, "%ju",
                 (uintmax_t)get_be64(text_bytes(&positions).data));
        status = shown_ask(&shown, session->client, which, err);
    }
    if (status == OK)
        status = take_answer(answer, &shown, id, err);
    shown_clear(&shown);
    text_clear(&positions);
    return status;
}

/* ---- what the broker tells ---- */

static enum status take_told(struct request_review *review,
                             const struct session *session,
                             const struct json_value *told, const char *id,
                             struct error *err)
{
    struct commitment_salt salt;
    const char *hex, *terms;
    enum status status = told_string(told, "id", &review->id, err);

    if (status == OK)
        status = told_string(told, "approve", &review->approve, err);
    if (status == OK)
        status = told_string(told, "state", &review->state, err);
    if (status == OK)
        status = told_string(told, "release", &review->release, err);
    if (status == OK)
        status = told_string(told, "salt", &hex, err);
    if (status == OK)
        status = told_string(told, "terms", &terms, err);
    if (status != OK)
        return status;
    if (strcmp(review->id, id) != 0 ||
        !hex_decode(bytes_of_string(hex), salt.byte, sizeof salt.byte))
        return error_set(err, E_SYSTEM, "the broker tells of another request");
    if (request_terms_read(&review->terms, bytes_of_string(terms), err) != OK)
        return err->status;
    return check_log(review, session, &salt, bytes_of_string(terms), err);
}

enum status request_review_open(struct request_review *review,
                                const struct session *session,
                                struct client *broker, const char *id,
                                struct error *err)
{
    const struct json_value *list;
    struct digest digest;
    enum status status;

    *review = (struct request_review){.json = NULL};
    status = request_id_read(id, &digest, err);
    if (status != OK)
        return status;
    status = requests_ask(broker, &digest, &review->json, &list, err);
    if (status == E_INPUT)
        return error_set(err, E_INPUT,
                         "there is no request %s that %s may see; \"anchorite "
                         "requests\" lists those that there are",
                         id, session->name);
    if (status == OK && json_length(list) != 1)
        status = error_set(err, E_SYSTEM,
                           "the broker tells of %zu requests, "
                           "not of one",
                           json_length(list));
    if (status == OK)
        status = take_told(review, session, json_first(list), id, err);
    return status;
}

void request_review_close(struct request_review *review)
{
    json_destroy(&review->json);
}

/* ---- for people ---- */

static void print_line(const char *name, const char *value)
{
    printf("%-13s", name);
    command_print_harmless(stdout, value);
    putchar('\n');
}

void request_review_print(const struct request_review *review)
{
    const struct request_terms *terms = &review->terms;

    print_line("request", review->id);
    print_line("dataset", terms->dataset);
    print_line("organisation", terms->organisation);
    print_line("recipient", terms->recipient);
    for (unsigned p = 0; p < PURPOSE_COUNT; p++)
        if (purposes_have(terms->purposes, (enum purpose)p))
            printf("%-13s%s, %s\n", "purpose", purpose_code((enum purpose)p),
                   purpose_name((enum purpose)p));
    print_line("policy", terms->policy);
    print_line("state", review->state);
}
