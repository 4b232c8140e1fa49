#include <stdlib.h>
#include <time.h>

#include "anonymizer/worker_desk_internal.h"
#include "anonymizer/worker_job.h"
#include "common/ledger_questions.h"

/* What was done with a subject, and the end of its key. */

static enum status take_subject(const struct desk_request *request,
                                enum message_field field,
                                struct subject_id *subject, struct error *err)
{
    return subject_id_parse(subject, message_bytes(request->message, field))
               ? OK
               : error_set(err, E_INPUT, "a subject id is 32 hex digits");
}

enum status desk_on_events(void *context, const struct desk_request *request,
                           struct desk_answer *answer, struct error *err)
{
    struct worker *worker = context;
    struct subject_id subject;
    enum status status = take_subject(request, EVENTS_SUBJECT, &subject, err);

    if (status == OK)
        status = worker_events_history(worker->events, request->ledger,
                                       &subject, &answer->memory, err);
    if (status == OK && answer->memory.size > TOLD_SIZE_MAX)
        status = error_set(err, E_LIMIT, "the history is longer than %u bytes",
                           TOLD_SIZE_MAX);
    if (status == OK)
        desk_answer_told(answer);
    return status;
}

static enum status lists(struct worker *worker, const struct job_record *record,
                         const struct subject_id *subject, bool *does,
                         struct error *err)
{
    struct job_papers papers;
    struct bytes list;
    enum status status = worker_job_papers(worker, record, &papers, err);

    *does = false;
    if (status != OK)
        return status;
    list = text_bytes(&papers.list);
    for (size_t i = 0; !*does && i < list.size / PERMITTED_ITEM_SIZE; i++) {
        struct permitted item = permitted_item(list, i);

        *does = subject_id_compare(&item.subject, subject) == 0;
    }
    job_papers_clear(&papers);
    return OK;
}

/* A job that is about this subject must not come to its release any more; one
 * that is anchored is one. */
static enum status refuse_jobs_of(struct worker *worker,
                                  const struct subject_id *subject,
                                  struct error *err)
{
    struct digest *permit = NULL;
    size_t count = 0;
    struct job_record record;
    enum status status = worker_store_jobs(
        worker->store, JOBS_UNDER_WAY, bytes_of(NULL, 0), &permit, &count, err);

    job_record_init(&record);
    for (size_t i = 0; status == OK && i < count; i++) {
        bool found = false, does = false;

        status = worker_store_find_job(worker->store, &permit[i], &record,
                                       &found, err);
        if (status != OK || !found || record.state == JOB_REFUSED ||
            record.state == JOB_ANCHORED)
            continue;
        status = lists(worker, &record, subject, &does, err);
        if (status == OK && does)
            status = worker_job_refuse(worker, &permit[i], E_REFUSED,
                                       "a permitted patient was erased", err);
    }
    job_record_clear(&record);
    free(permit);
    return status;
}

/* Whoever reads for a job that was refused comes to an end soon.  Not so an
 * ingest, which goes on by our own hand, and others' searches: whoever asks is
 * told, before anything is done, and asks again. */
static enum status wait_for_readers(struct worker *worker, struct error *err)
{
    const struct timespec pause = {0, 50000000L};

    for (int i = 0; worker_vault_is_used(worker->vault); i++) {
        if (i == WORKER_ERASE_TRIES)
            return error_set(err, E_SYSTEM,
                             "records are being put in or read for a release; "
                             "nothing was destroyed yet: erase once more when "
                             "that is done");
        nanosleep(&pause, NULL);
    }
    return OK;
}

static enum status answer_recorded(struct worker *worker,
                                   const struct desk_request *request,
                                   uint64_t count, struct desk_answer *answer,
                                   struct error *err)
{
    char hex[DIGEST_HEX_SIZE];
    struct shown shown;
    struct digest entry;
    enum status status =
        worker_events_anchor(worker->events, request->ledger, err);

    if (status == OK)
        status = worker_events_entry(worker->events, &entry, err);
    if (status == E_NO)
        err->status = status = E_SYSTEM; /* another event came in between */
    if (status != OK)
        return status;
    digest_hex(&entry, hex);
    status = shown_ask(&shown, request->ledger, hex, err);
    if (status == E_NO)
        err->status = status = E_SYSTEM; /* a node has acknowledged it */
    if (status == OK)
        status =
            text_append(&answer->memory, entry.byte, sizeof entry.byte, err);
    if (status == OK) {
        question_init(&answer->message, MESSAGE_RECORDED);
        message_set_bytes(&answer->message, RECORDED_ID,
                          text_bytes(&answer->memory));
        message_set_number(&answer->message, RECORDED_POSITION, shown.position);
        message_set_number(&answer->message, RECORDED_COUNT, count);
    }
    shown_clear(&shown);
    return status;
}

/* The event first; whoever was erased is remembered before the key ends, so
 * that no release is served again with them, however far this comes. */
enum status desk_on_erase(void *context, const struct desk_request *request,
                          struct desk_answer *answer, struct error *err)
{
    struct worker *worker = context;
    const struct access_told told = {.act = ACCESS_ERASE,
                                     .by = desk_asker(request)};
    struct subject_id subject;
    uint64_t erased = 0;
    enum status status = take_subject(request, ERASE_SUBJECT, &subject, err);

    if (status == OK)
        status = refuse_jobs_of(worker, &subject, err);
    if (status == OK)
        status = wait_for_readers(worker, err);
    if (status == OK)
        status =
            worker_events_subjects(worker->events, &told, &subject, 1, err);
    if (status == OK)
        status = worker_store_add_erased(worker->store, &subject, err);
    if (status == OK)
        status = worker_vault_erase(worker->vault, &subject, &erased, err);
    if (status == OK)
        status = answer_recorded(worker, request, erased, answer, err);
    return status;
}
