#include <assert.h>
#include <string.h>

#include "anonymizer/worker_desk_internal.h"
#include "common/clock.h"
#include "common/encoding.h"

/* A job's release is there for its chain from its first state on. */
static void concern_job(struct denial *denial, const struct job_record *record)
{
    memcpy(denial->release, record->release, sizeof denial->release);
    denial->is_release = true;
    denial->permit = record->permit;
    denial->has_permit = true;
    /* One that was never permitted has none. */
    denial->dataset = record->dataset;
    denial->has_dataset = record->recipient[0] != '\0';
}

static enum status concern_permit(struct worker *worker,
                                  const struct desk_request *request,
                                  enum message_field field,
                                  struct denial *denial, struct error *err)
{
    struct job_record record;
    bool found = false;
    enum status status;

    job_record_init(&record);
    denial->permit = desk_digest(request, field);
    denial->has_permit = true;
    status = worker_store_find_job(worker->store, &denial->permit, &record,
                                   &found, err);
    if (status == OK && found)
        concern_job(denial, &record);
    job_record_clear(&record);
    return status;
}

/* A name that no release can have is not told of. */
static enum status concern_release(struct worker *worker,
                                   const struct desk_request *request,
                                   struct denial *denial, struct error *err)
{
    uint8_t id[(RELEASE_TEXT_SIZE - 1) / 2];
    struct job_record record;
    bool found = false;
    enum status status;

    if (!hex_decode(message_bytes(request->message, FETCH_RELEASE), id,
                    sizeof id))
        return OK;
    hex_encode(bytes_of(id, sizeof id), denial->release);
    job_record_init(&record);
    status = worker_store_find_release(worker->store, denial->release, &record,
                                       &found, err);
    if (status == OK && found)
        concern_job(denial, &record);
    job_record_clear(&record);
    return status;
}

/* What the request was about, as far as it says. */
static enum status concern(struct worker *worker,
                           const struct desk_request *request,
                           struct denial *denial, struct error *err)
{
    const struct message *message = request->message;

    switch (message->type) {
    case MESSAGE_PERMIT:
        return concern_permit(worker, request, PERMIT_ID, denial, err);
    case MESSAGE_JOB:
        return concern_permit(worker, request, JOB_PERMIT, denial, err);
    case MESSAGE_SIGN:
        return concern_permit(worker, request, SIGN_PERMIT, denial, err);
    case MESSAGE_PUBLISH:
        return concern_permit(worker, request, PUBLISH_PERMIT, denial, err);
    case MESSAGE_FETCH:
        return concern_release(worker, request, denial, err);
    case MESSAGE_NAME:
        denial->has_dataset = dataset_id_parse(
            &denial->dataset, message_bytes(message, NAME_DATASET));
        return OK;
    case MESSAGE_EVENTS:
        denial->has_subject = subject_id_parse(
            &denial->subject, message_bytes(message, EVENTS_SUBJECT));
        return OK;
    case MESSAGE_ERASE:
        denial->has_subject = subject_id_parse(
            &denial->subject, message_bytes(message, ERASE_SUBJECT));
        return OK;
    default:
        return OK;
    }
}

static void deny_to(struct denial *denial, const char *by, const char *asked)
{
    *denial = (struct denial){.by = ""};
    assert(strlen(by) < sizeof denial->by);
    assert(strlen(asked) < sizeof denial->asked);
    memcpy(denial->by, by, strlen(by));
    memcpy(denial->asked, asked, strlen(asked));
}

enum status worker_desk_denied(void *context,
                               const struct desk_request *request,
                               const struct error *why, struct error *err)
{
    struct worker *worker = context;
    struct denial denial;
    enum status status;

    deny_to(&denial, desk_asker(request), message_name(request->message->type));
    denial_explain(&denial, bytes_of_string(why->text));
    status = concern(worker, request, &denial, err);
    return status == OK ? worker_denials_tell(worker->denials, &denial,
                                              clock_now_ms(), err)
                        : status;
}

/* By the broker: it says who asked, and of whom. */
enum status desk_on_denied(void *context, const struct desk_request *request,
                           struct desk_answer *answer, struct error *err)
{
    struct worker *worker = context;
    const struct message *message = request->message;
    const struct bytes by = message_bytes(message, DENIED_BY),
                       asked = message_bytes(message, DENIED_ASKED),
                       subject = message_bytes(message, DENIED_SUBJECT),
                       about = message_bytes(message, DENIED_REQUEST);
    uint8_t id[(CERTIFICATE_ID_SIZE - 1) / 2];
    struct denial denial;
    enum status status;

    if (!hex_decode(by, id, sizeof id) || !identity_name_valid(asked) ||
        (about.size != 0 && about.size != DIGEST_SIZE))
        return error_set(err, E_INPUT, "this tells of no denial");
    denial = (struct denial){.has_request = about.size != 0};
    hex_encode(bytes_of(id, sizeof id), denial.by);
    memcpy(denial.via, desk_asker(request), strlen(desk_asker(request)));
    memcpy(denial.asked, asked.data, asked.size);
    denial.has_subject = subject_id_parse(&denial.subject, subject);
    if (denial.has_request)
        memcpy(denial.request.byte, about.data, about.size);
    denial_explain(&denial, message_bytes(message, DENIED_WHY));
    status = worker_denials_tell(worker->denials, &denial, clock_now_ms(), err);
    if (status == OK)
        desk_answer_taken(answer, 1);
    return status;
}

/* "2025-01-31"; of another day there are none. */
static bool is_day(struct bytes day)
{
    static const char form[] = "dddd-dd-dd";

    if (day.size != sizeof form - 1)
        return false;
    for (size_t i = 0; i < day.size; i++)
        if (form[i] == 'd' ? day.data[i] < '0' || day.data[i] > '9'
                           : day.data[i] != '-')
            return false;
    return true;
}

enum status desk_on_denials(void *context, const struct desk_request *request,
                            struct desk_answer *answer, struct error *err)
{
    struct worker *worker = context;
    const struct bytes asked = message_bytes(request->message, DENIALS_DAY);
    char day[ACCESS_DAY_SIZE] = "";
    enum status status;

    if (!is_day(asked))
        return error_set(err, E_INPUT, "a day is YYYY-MM-DD");
    memcpy(day, asked.data, asked.size);
    status = worker_events_denials(worker->events, request->ledger, day,
                                   &answer->memory, err);
    if (status == OK && answer->memory.size > TOLD_SIZE_MAX)
        status = error_set(err, E_LIMIT,
                           "the day's denials are longer than %u bytes",
                           TOLD_SIZE_MAX);
    if (status == OK)
        desk_answer_told(answer);
    return status;
}
