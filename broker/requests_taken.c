#include "broker/requests_taken.h"

#include <string.h>

#include "broker/consent_batch.h"
#include "broker/follower.h"
#include "broker/ports.h"
#include "broker/proposal.h"
#include "broker/reception.h"
#include "broker/recording.h"
#include "broker/resolution.h"
#include "broker/withdrawal.h"

/* ---- fields ---- */

static struct digest digest_of(const struct desk_request *request,
                               enum message_field field)
{
    struct bytes bytes = message_bytes(request->message, field);
    struct digest digest;

    memcpy(digest.byte, bytes.data, sizeof digest.byte);
    return digest;
}

static struct commitment_salt salt_of(const struct desk_request *request,
                                      enum message_field field)
{
    struct bytes bytes = message_bytes(request->message, field);
    struct commitment_salt salt;

    memcpy(salt.byte, bytes.data, sizeof salt.byte);
    return salt;
}

static enum status subject_of(const struct desk_request *request,
                              enum message_field field,
                              struct subject_id *subject, struct error *err)
{
    if (subject_id_parse(subject, message_bytes(request->message, field)))
        return OK;
    return error_set(err, E_INPUT,
                     "\"subject\" is no subject id, 32 lower-case hex digits");
}

/* The broker, with the log as the desk reaches it. */
static struct broker *broker_of(void *context,
                                const struct desk_request *request)
{
    struct broker *broker = context;

    broker->ledger = ports_ledger(request->ledger);
    return broker;
}

/* ---- denials ---- */

/* What the request was about, as far as it says. */
static void concern(const struct desk_request *request,
                    struct broker_denial *denial, struct digest *about,
                    struct subject_id *subject)
{
    const struct message *message = request->message;
    struct error unread;
    bool is_about = true, has_subject = false;

    switch (message->type) {
    case MESSAGE_REQUEST:
        *about = digest_of(request, REQUEST_ID);
        break;
    case MESSAGE_RELEASE:
        *about = digest_of(request, RELEASE_REQUEST);
        break;
    case MESSAGE_ENDORSE:
        *about = digest_of(request, ENDORSE_REQUEST);
        break;
    case MESSAGE_REQUESTS:
        is_about = message_bytes(message, REQUESTS_ID).size == DIGEST_SIZE;
        if (is_about)
            *about = digest_of(request, REQUESTS_ID);
        break;
    case MESSAGE_WITHDRAW:
        has_subject =
            subject_of(request, WITHDRAW_SUBJECT, subject, &unread) == OK;
        is_about = false;
        break;
    case MESSAGE_SAID:
        has_subject = subject_of(request, SAID_SUBJECT, subject, &unread) == OK;
        is_about = false;
        break;
    default:
        is_about = false;
    }
    denial->request = is_about ? about : NULL;
    denial->subject = has_subject ? subject : NULL;
}

static enum status tell_denied(const struct broker *broker,
                               const struct desk_request *request,
                               const char *why, struct error *err)
{
    const struct anonymizer_port *anonymizer = &broker->anonymizer;
    struct broker_denial denial = {.by = certificate_id(request->certificate),
                                   .asked =
                                       message_name(request->message->type),
                                   .why = why};
    struct subject_id subject;
    struct digest about;

    concern(request, &denial, &about, &subject);
    return anonymizer->denied(anonymizer->context, &denial, err);
}

enum status requests_denied(void *context, const struct desk_request *request,
                            const struct error *why, struct error *err)
{
    return tell_denied(context, request, why->text, err);
}

/* A release that ended with a refusal is answered with `progress`, and is a
 * denial all the same. */
static enum status deny_progress(const struct broker *broker,
                                 const struct desk_request *request,
                                 const struct proposal_progress *progress,
                                 struct error *err)
{
    if (progress->status != E_REFUSED)
        return OK;
    if (tell_denied(broker, request,
                    progress->why.size > 0 ? progress->why.data : "",
                    err) == OK)
        return OK;
    /* Not a second denial. */
    if (err->status != E_CANCELLED)
        err->status = E_SYSTEM;
    return error_wrap(err, "a refusal could not be recorded");
}

/* ---- answers ---- */

struct recorded {
    const struct digest *id;
    uint64_t position;
    uint64_t count;
};

static enum status answer_recorded(const struct desk_request *request,
                                   const struct recorded *recorded,
                                   struct desk_answer *answer,
                                   struct error *err)
{
    enum status status =
        text_append(&answer->memory, recorded->id->byte, DIGEST_SIZE, err);

    if (status != OK)
        return status;
    message_init(&answer->message, MESSAGE_RECORDED,
                 request->message->request_id);
    message_set_bytes(&answer->message, RECORDED_ID,
                      text_bytes(&answer->memory));
    message_set_number(&answer->message, RECORDED_POSITION, recorded->position);
    message_set_number(&answer->message, RECORDED_COUNT, recorded->count);
    return OK;
}

static void answer_told(const struct desk_request *request,
                        struct desk_answer *answer)
{
    message_init(&answer->message, MESSAGE_TOLD, request->message->request_id);
    message_set_bytes(&answer->message, TOLD_JSON, text_bytes(&answer->memory));
}

/* Fields one behind the other in the answer's memory. */
static enum status answer_progress(const struct desk_request *request,
                                   const struct proposal_progress *progress,
                                   struct desk_answer *answer,
                                   struct error *err)
{
    const struct {
        enum message_field field;
        struct bytes bytes;
    } part[] = {
        {PROGRESS_STATE, bytes_of_string(progress->state)},
        {PROGRESS_RELEASE, bytes_of_string(progress->release)},
        {PROGRESS_ENTRY, text_bytes(&progress->entry)},
        {PROGRESS_SALT,
         bytes_of(progress->salt.byte,
                  progress->entry.size > 0 ? COMMITMENT_SALT_SIZE : 0)},
        {PROGRESS_STATEMENT, text_bytes(&progress->statement)},
        {PROGRESS_WHY, text_bytes(&progress->why)},
    };
    size_t at = 0, count = sizeof part / sizeof *part;
    enum status status = OK;

    for (size_t i = 0; status == OK && i < count; i++)
        status = text_append(&answer->memory, part[i].bytes.data,
                             part[i].bytes.size, err);
    if (status != OK)
        return status;
    message_init(&answer->message, MESSAGE_PROGRESS,
                 request->message->request_id);
    for (size_t i = 0; i < count; at += part[i].bytes.size, i++)
        message_set_bytes(
            &answer->message, part[i].field,
            bytes_of(answer->memory.data + at, part[i].bytes.size));
    message_set_number(&answer->message, PROGRESS_STATUS,
                       (uint64_t)progress->status);
    return OK;
}

/* ---- consents and withdrawals ---- */

static enum status take_consents(void *context,
                                 const struct desk_request *request,
                                 struct desk_answer *answer, struct error *err)
{
    struct broker *broker = broker_of(context, request);
    struct bytes id = message_bytes(request->message, CONSENTS_UPLOAD), list;
    struct consent_batch batch;
    bool found = false;
    enum status status = consent_batch_find(broker, id, &batch, &found, err);

    if (status == OK && !found) {
        status =
            uploads_find(request->uploads, certificate_id(request->certificate),
                         id, &list, err);
        if (status == OK)
            status = consent_batch_record(broker, id, list, &batch, err);
    }
    if (status != OK)
        return status;
    uploads_drop(request->uploads, id);
    return answer_recorded(request,
                           &(struct recorded){.id = &batch.id,
                                              .position = batch.position,
                                              .count = batch.count},
                           answer, err);
}

static enum status take_withdraw(void *context,
                                 const struct desk_request *request,
                                 struct desk_answer *answer, struct error *err)
{
    struct withdrawal withdrawal;
    struct subject_id subject;
    enum status status = subject_of(request, WITHDRAW_SUBJECT, &subject, err);

    if (status == OK)
        status = withdrawal_make(broker_of(context, request), &subject,
                                 &withdrawal, err);
    if (status != OK)
        return status;
    return answer_recorded(request,
                           &(struct recorded){.id = &withdrawal.id,
                                              .position = withdrawal.position,
                                              .count = 1},
                           answer, err);
}

static enum status take_resolve(void *context,
                                const struct desk_request *request,
                                struct desk_answer *answer, struct error *err)
{
    struct digest entry = digest_of(request, RESOLVE_ENTRY);
    struct commitment_salt salt = salt_of(request, RESOLVE_SALT);
    struct recorded recorded = {.id = &entry, .count = 1};
    enum status status =
        resolution_apply(broker_of(context, request), &entry, &salt,
                         message_bytes(request->message, RESOLVE_STATEMENT),
                         &recorded.position, err);

    return status == OK ? answer_recorded(request, &recorded, answer, err)
                        : status;
}

static enum status take_said(void *context, const struct desk_request *request,
                             struct desk_answer *answer, struct error *err)
{
    struct subject_id subject;
    enum status status = subject_of(request, SAID_SUBJECT, &subject, err);

    if (status == OK)
        status = consent_batch_tell(broker_of(context, request), &subject,
                                    &answer->memory, err);
    if (status == OK)
        answer_told(request, answer);
    return status;
}

/* ---- requests ---- */

static enum status take_request(void *context,
                                const struct desk_request *request,
                                struct desk_answer *answer, struct error *err)
{
    struct broker *broker = broker_of(context, request);
    struct bytes upload = message_bytes(request->message, REQUEST_UPLOAD);
    struct digest id = digest_of(request, REQUEST_ID);
    struct commitment_salt salt = salt_of(request, REQUEST_SALT);
    struct arrival arrival = {
        .from = request->certificate,
        .id = &id,
        .salt = &salt,
        .terms = message_bytes(request->message, REQUEST_TERMS)};
    struct recorded recorded = {.id = &id, .count = 1};
    bool found = false;
    enum status status =
        reception_find(broker, &arrival, &recorded.position, &found, err);

    if (status == OK && !found) {
        status =
            uploads_find(request->uploads, certificate_id(request->certificate),
                         upload, &arrival.bundle, err);
        if (status == OK)
            status = reception_take(broker, &arrival, &recorded.position, err);
    }
    if (status != OK)
        return status;
    uploads_drop(request->uploads, upload);
    return answer_recorded(request, &recorded, answer, err);
}

static enum status take_requests(void *context,
                                 const struct desk_request *request,
                                 struct desk_answer *answer, struct error *err)
{
    struct bytes field = message_bytes(request->message, REQUESTS_ID);
    struct digest id = {.byte = {0}};
    enum status status;

    if (field.size != 0 && field.size != sizeof id.byte)
        return error_set(err, E_INPUT, "an entry's id has 32 bytes");
    if (field.size != 0)
        memcpy(id.byte, field.data, sizeof id.byte);
    status = reception_tell(broker_of(context, request), request->certificate,
                            field.size != 0 ? &id : NULL, &answer->memory, err);
    if (status == OK)
        answer_told(request, answer);
    return status;
}

/* ---- releases ---- */

static enum status take_release(void *context,
                                const struct desk_request *request,
                                struct desk_answer *answer, struct error *err)
{
    struct digest id = digest_of(request, RELEASE_REQUEST);
    struct proposal_progress progress;
    enum status status;

    proposal_progress_init(&progress);
    status = proposal_advance(broker_of(context, request), &id, &progress, err);
    if (status == OK)
        status = deny_progress(context, request, &progress, err);
    if (status == OK)
        status = answer_progress(request, &progress, answer, err);
    proposal_progress_clear(&progress);
    return status;
}

static enum status take_endorse(void *context,
                                const struct desk_request *request,
                                struct desk_answer *answer, struct error *err)
{
    struct digest id = digest_of(request, ENDORSE_REQUEST),
                  entry = digest_of(request, ENDORSE_ENTRY);
    struct proposal_endorsement endorsement = {
        .request = &id,
        .entry = &entry,
        .custodian = request->certificate,
        .signature = message_bytes(request->message, ENDORSE_SIGNATURE)};
    struct proposal_progress progress;
    enum status status;

    proposal_progress_init(&progress);
    status = proposal_endorse(broker_of(context, request), &endorsement,
                              &progress, err);
    if (status == OK)
        status = deny_progress(context, request, &progress, err);
    if (status == OK)
        status = answer_progress(request, &progress, answer, err);
    proposal_progress_clear(&progress);
    return status;
}

/* ---- the table ---- */

#define CUSTODIAN DESK_ROLE(IDENTITY_CUSTODIAN)
#define REQUESTER                                                              \
    (DESK_ROLE(IDENTITY_RESEARCH_INSTITUTE) | DESK_ROLE(IDENTITY_INSURER))

/* Who may see which request, reception says. */
static const struct desk_row rows[] = {
    {MESSAGE_CONSENTS, CUSTODIAN, true, take_consents},
    {MESSAGE_WITHDRAW, CUSTODIAN, true, take_withdraw},
    {MESSAGE_RESOLVE, CUSTODIAN, true, take_resolve},
    {MESSAGE_SAID, CUSTODIAN, true, take_said},
    {MESSAGE_REQUEST, REQUESTER, false, take_request},
    {MESSAGE_REQUESTS, CUSTODIAN | REQUESTER, false, take_requests},
    {MESSAGE_RELEASE, CUSTODIAN, true, take_release},
    {MESSAGE_ENDORSE, CUSTODIAN, true, take_endorse},
};

const struct desk_row *requests_taken(size_t *count)
{
    *count = sizeof rows / sizeof *rows;
    return rows;
}

enum status requests_idle(void *context, struct client *ledger,
                          struct error *err)
{
    struct broker *broker = context;
    struct own_entry own;
    bool found = false, end;
    enum status status;

    broker->ledger = ports_ledger(ledger);
    own_entry_init(&own);
    status = broker_store_first_pending(broker->store, &own, &found, err);
    own_entry_clear(&own);
    if (status == OK && found)
        return recording_finish(broker, err);
    return status == OK ? follower_turn(broker, &end, err) : status;
}
