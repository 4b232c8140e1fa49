#include "broker/reception.h"

#include <string.h>

#include "broker/proposal.h"
#include "broker/recording.h"
#include "broker/request_terms.h"
#include "common/encoding.h"

/* ---- what is brought, against itself and who brings it ---- */

static enum status check_terms(const struct arrival *arrival,
                               struct request_terms *terms, struct error *err)
{
    const struct certificate_subject *from = certificate_subject(arrival->from);
    enum status status = request_terms_read(terms, arrival->terms, err);

    if (status != OK)
        return status;
    if (strcmp(terms->recipient, certificate_id(arrival->from)) != 0)
        return error_set(err, E_REFUSED,
                         "the terms name another certificate as recipient");
    if (strcmp(terms->organisation, from->organisation) != 0)
        return error_set(err, E_REFUSED,
                         "the terms name another organisation than that of "
                         "their recipient");
    return OK;
}

/* A text without NUL, as it will stand in a package. */
static enum status check_bundle(struct bytes bundle, struct error *err)
{
    struct json *json = NULL;
    enum status status;

    if (bundle.size > REQUEST_BUNDLE_MAX)
        return error_set(err, E_LIMIT,
                         "the policy and its hierarchies have %zu bytes, the "
                         "limit is %u",
                         bundle.size, REQUEST_BUNDLE_MAX);
    status = json_parse(&json, bundle, err);
    json_destroy(&json);
    return status == OK ? OK : error_wrap(err, "the policy");
}

/* ---- against the log ---- */

static enum status show(struct broker *broker, const char *id,
                        enum entry_type type, struct shown *shown,
                        struct error *err)
{
    enum status status =
        broker->ledger.show(broker->ledger.context, id, shown, err);

    if (status == E_NO)
        return error_set(err, E_REFUSED, "the log has no such %s entry",
                         entry_type_name(type));
    if (status == OK &&
        (shown->entry.type != type || shown->verdict != VERDICT_VALID)) {
        shown_clear(shown);
        status = error_set(err, E_REFUSED, "this is no valid %s entry",
                           entry_type_name(type));
    }
    return status;
}

static bool payload_is(const struct shown *shown, const char *member,
                       const char *expected)
{
    const struct json_value *value = json_member(shown->entry.payload, member);

    return value != NULL && json_kind(value) == JSON_STRING &&
           strcmp(json_string(value), expected) == 0;
}

static enum status check_entry(struct broker *broker,
                               const struct arrival *arrival,
                               const struct request_terms *terms,
                               uint64_t *position, struct error *err)
{
    char hex[DIGEST_HEX_SIZE], commitment[DIGEST_HEX_SIZE];
    struct digest digest;
    struct shown shown;
    enum status status =
        commitment_make(arrival->salt, arrival->terms, &digest, err);

    if (status != OK)
        return status;
    digest_hex(&digest, commitment);
    digest_hex(arrival->id, hex);
    status = show(broker, hex, ENTRY_REQUEST, &shown, err);
    if (status != OK)
        return status;
    if (strcmp(shown.entry.author, certificate_id(arrival->from)) != 0)
        status = error_set(err, E_REFUSED,
                           "the request entry is another certificate's");
    else if (!payload_is(&shown, "terms", commitment))
        status = error_set(err, E_REFUSED,
                           "the request entry does not commit to these terms");
    else if (!payload_is(&shown, "dataset", terms->dataset))
        status = error_set(err, E_REFUSED,
                           "the request entry names another dataset than the "
                           "terms");
    *position = shown.position;
    shown_clear(&shown);
    return status;
}

static enum status check_dataset(struct broker *broker, const char *dataset,
                                 struct error *err)
{
    struct person author;
    struct shown shown;
    bool found = false;
    enum status status = show(broker, dataset, ENTRY_DATASET, &shown, err);

    if (status != OK)
        return status;
    status = broker_store_find_person(broker->store, shown.entry.author,
                                      &author, &found, err);
    shown_clear(&shown);
    if (status == OK && (!found || strcmp(author.organisation,
                                          broker_organisation(broker)) != 0))
        status =
            error_set(err, E_REFUSED, "the dataset is another organisation's");
    return status;
}

/* ---- taking ---- */

static enum status store(struct broker *broker, const struct arrival *arrival,
                         uint64_t position, struct error *err)
{
    struct request_record request;
    enum status status;

    request_record_init(&request);
    request.id = *arrival->id;
    request.position = position;
    request.salt = *arrival->salt;
    memcpy(request.author, certificate_id(arrival->from),
           sizeof request.author);
    status = text_append(&request.terms, arrival->terms.data,
                         arrival->terms.size, err);
    if (status == OK)
        status = broker_store_add_request(broker->store, &request,
                                          arrival->bundle, err);
    request_record_clear(&request);
    return status;
}

enum status reception_find(struct broker *broker, const struct arrival *arrival,
                           uint64_t *position, bool *found, struct error *err)
{
    struct request_record request;
    enum status status;

    request_record_init(&request);
    status = broker_store_find_request(broker->store, arrival->id, &request,
                                       found, err);
    if (status == OK && *found &&
        (!bytes_equal(text_bytes(&request.terms), arrival->terms) ||
         memcmp(&request.salt, arrival->salt, sizeof request.salt) != 0 ||
         strcmp(request.author, certificate_id(arrival->from)) != 0))
        status = error_set(err, E_REFUSED,
                           "this request was made by other terms or another "
                           "certificate");
    *position = request.position;
    request_record_clear(&request);
    return status;
}

enum status reception_take(struct broker *broker, const struct arrival *arrival,
                           uint64_t *position, struct error *err)
{
    struct request_terms terms;
    enum status status = check_terms(arrival, &terms, err);

    if (status == OK)
        status = check_bundle(arrival->bundle, err);
    if (status == OK)
        status = recording_finish(broker, err);
    if (status == OK)
        status = check_entry(broker, arrival, &terms, position, err);
    if (status == OK)
        status = check_dataset(broker, terms.dataset, err);
    return status == OK ? store(broker, arrival, *position, err) : status;
}

/* ---- telling ---- */

static bool may_see(const struct broker *broker,
                    const struct request_record *request,
                    const struct certificate *who)
{
    const struct certificate_subject *subject = certificate_subject(who);

    if (subject->role == IDENTITY_CUSTODIAN)
        return strcmp(subject->organisation, broker_organisation(broker)) == 0;
    return strcmp(request->author, certificate_id(who)) == 0;
}

/* Of a release where there is one, else of the answer. */
static enum status add_state(struct broker *broker,
                             const struct digest *request,
                             struct json_value *item, struct error *err)
{
    struct answer_record answer;
    struct release_record release;
    char approve[DIGEST_HEX_SIZE] = "";
    const char *state = "open";
    bool answered = false, begun = false;
    enum status status = broker_store_find_answer(broker->store, request,
                                                  &answer, &answered, err);

    release_record_init(&release);
    if (status == OK)
        status = broker_store_find_release(broker->store, request, &release,
                                           &begun, err);
    if (status == OK && answered) {
        digest_hex(&answer.id, approve);
        state = answer.approved ? "approved" : "rejected";
    }
    if (status == OK && begun)
        state = proposal_state_name((enum proposal_state)release.state);
    if (status == OK)
        status = json_add_string(item, "approve", approve, err);
    if (status == OK)
        status = json_add_string(item, "release", release.name, err);
    if (status == OK)
        status = json_add_string(item, "state", state, err);
    release_record_clear(&release);
    return status;
}

static enum status add_request(struct broker *broker,
                               const struct request_record *request,
                               struct json_value *list, struct error *err)
{
    char id[DIGEST_HEX_SIZE], salt[2 * COMMITMENT_SALT_SIZE + 1];
    struct json_value *item;
    enum status status = json_add_object(list, NULL, &item, err);

    digest_hex(&request->id, id);
    hex_encode(bytes_of(request->salt.byte, sizeof request->salt.byte), salt);
    if (status == OK)
        status = json_add_string(item, "id", id, err);
    if (status == OK)
        status =
            json_add_integer(item, "position", (int64_t)request->position, err);
    if (status == OK)
        status = json_add_string(item, "salt", salt, err);
    if (status == OK)
        status = json_add_string(item, "terms", request->terms.data, err);
    return status == OK ? add_state(broker, &request->id, item, err) : status;
}

static enum status add_all(struct broker *broker, const struct certificate *to,
                           struct json_value *list, struct error *err)
{
    struct request_record request;
    uint64_t position = 0;
    bool found = true;
    enum status status = OK;

    request_record_init(&request);
    while (status == OK && found) {
        status = broker_store_next_request(broker->store, position, &request,
                                           &found, err);
        if (status == OK && found && may_see(broker, &request, to))
            status = add_request(broker, &request, list, err);
        position = request.position + 1;
    }
    request_record_clear(&request);
    return status;
}

static enum status add_one(struct broker *broker, const struct certificate *to,
                           const struct digest *id, struct json_value *list,
                           struct error *err)
{
    struct request_record request;
    bool found = false;
    enum status status;

    request_record_init(&request);
    status =
        broker_store_find_request(broker->store, id, &request, &found, err);
    if (status == OK && (!found || !may_see(broker, &request, to)))
        status = error_set(err, E_INPUT, "there is no such request");
    if (status == OK)
        status = add_request(broker, &request, list, err);
    request_record_clear(&request);
    return status;
}

enum status reception_tell(struct broker *broker, const struct certificate *to,
                           const struct digest *id, struct text *out,
                           struct error *err)
{
    struct json *json = NULL;
    struct json_value *list;
    enum status status = recording_finish(broker, err);

    if (status == OK)
        status = json_create(&json, err);
    if (status == OK)
        status = json_add_array(json_edit_root(json), "requests", &list, err);
    if (status == OK)
        status = id == NULL ? add_all(broker, to, list, err)
                            : add_one(broker, to, id, list, err);
    if (status == OK)
        status = json_print_canonical(json_root(json), out, err);
    if (status == OK && out->size > TOLD_SIZE_MAX)
        status = error_set(err, E_LIMIT,
                           "all requests have more than %u bytes: ask for one "
                           "by its id",
                           TOLD_SIZE_MAX);
    json_destroy(&json);
    return status;
}
