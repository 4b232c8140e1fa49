#include "anonymizer/worker_desk.h"

#include <stdlib.h>
#include <string.h>

#include "anonymizer/worker_desk_internal.h"
#include "anonymizer/worker_guard.h"
#include "anonymizer/worker_job.h"
#include "anonymizer/worker_proofs.h"
#include "anonymizer/worker_proposal.h"
#include "anonymizer/worker_publication.h"
#include "common/clock.h"
#include "common/entry.h"
#include "common/ledger_questions.h"
#include "common/log.h"
#include "common/sign.h"

/* ---- fields and answers ---- */

const char *desk_asker(const struct desk_request *request)
{
    return certificate_id(request->certificate);
}

struct digest desk_digest(const struct desk_request *request,
                          enum message_field field)
{
    struct bytes bytes = message_bytes(request->message, field);
    struct digest digest;

    memcpy(digest.byte, bytes.data, sizeof digest.byte);
    return digest;
}

void desk_answer_taken(struct desk_answer *answer, uint64_t size)
{
    question_init(&answer->message, MESSAGE_TAKEN);
    message_set_number(&answer->message, TAKEN_SIZE, size);
}

void desk_answer_told(struct desk_answer *answer)
{
    question_init(&answer->message, MESSAGE_TOLD);
    message_set_bytes(&answer->message, TOLD_JSON, text_bytes(&answer->memory));
}

/* ---- ingest ---- */

static struct ingest_call ingest_call(const struct desk_request *request,
                                      enum message_field id)
{
    return (struct ingest_call){.owner = desk_asker(request),
                                .id = message_bytes(request->message, id),
                                .now_ms = clock_steady_ms()};
}

static enum status on_ingest(void *context, const struct desk_request *request,
                             struct desk_answer *answer, struct error *err)
{
    struct worker *worker = context;
    const struct ingest_call call = ingest_call(request, INGEST_INGEST);
    uint64_t size = 0;
    enum status status = worker_ingests_begin(
        worker->ingests, &call, message_bytes(request->message, INGEST_SCHEMA),
        &size, err);

    if (status == OK)
        desk_answer_taken(answer, size);
    return status;
}

static enum status on_rows(void *context, const struct desk_request *request,
                           struct desk_answer *answer, struct error *err)
{
    struct worker *worker = context;
    const struct ingest_call call = ingest_call(request, ROWS_INGEST);
    uint64_t size = 0;
    enum status status = worker_ingests_rows(
        worker->ingests, &call, message_number(request->message, ROWS_NUMBER),
        message_bytes(request->message, ROWS_ROWS), &size, err);

    if (status == OK)
        desk_answer_taken(answer, size);
    return status;
}

static enum status on_ingested(void *context,
                               const struct desk_request *request,
                               struct desk_answer *answer, struct error *err)
{
    struct worker *worker = context;
    const struct ingest_call call = ingest_call(request, INGESTED_INGEST);
    enum status status = worker_ingests_finish(
        worker->ingests, &call,
        message_number(request->message, INGESTED_COUNT), &answer->memory, err);

    if (status == OK)
        desk_answer_told(answer);
    return status;
}

/* ---- name: which dataset an entry is ---- */

static enum status find_statement(struct worker *worker,
                                  const struct dataset_id *id,
                                  struct text *statement, struct error *err)
{
    struct vault_dataset dataset;
    struct keyring *keyring;
    bool found = false;
    struct vault *vault = worker_vault_take(worker->vault, &keyring);
    enum status status = vault_find(vault, id, &dataset, &found, err);

    worker_vault_give(worker->vault);
    if (status == OK && !found)
        status = error_set(err, E_INPUT, "there is no such dataset");
    return status == OK ? vault_dataset_statement(&dataset, statement, err)
                        : status;
}

/* The entry is the asker's, proven, and stands for that dataset. */
static enum status check_named(struct worker *worker,
                               const struct desk_request *request,
                               const struct digest *id, struct bytes statement,
                               struct error *err)
{
    const struct bytes salt_bytes = message_bytes(request->message, NAME_SALT);
    struct commitment_salt salt;
    struct worker_proofs proofs;
    const struct entry *entry;
    const struct json_value *commitment;
    enum status status;

    memcpy(salt.byte, salt_bytes.data, sizeof salt.byte);
    worker_proofs_init(&proofs);
    status = worker_proofs_ask(&proofs, request->ledger, worker->options.trust,
                               id, 1, err);
    if (status != OK)
        goto done;
    entry = &proofs.proof[0]->entry;
    commitment = json_member(entry->payload, "commitment");
    if (entry->type != ENTRY_DATASET || commitment == NULL ||
        json_kind(commitment) != JSON_STRING) {
        status = error_set(err, E_REFUSED, "the entry is not of a dataset");
    } else if (strcmp(entry->author, desk_asker(request)) != 0) {
        status = error_set(err, E_REFUSED, "the entry is somebody else's");
    } else {
        status =
            commitment_check(&salt, statement, json_string(commitment), err);
        if (status == E_NO)
            status = error_set(err, E_REFUSED,
                               "the entry stands for another dataset");
    }
done:
    worker_proofs_clear(&proofs);
    return status;
}

static enum status name_dataset(struct worker *worker,
                                const struct dataset_id *id,
                                const struct digest *entry, struct error *err)
{
    struct dataset_record record;
    bool found = false;
    enum status status = worker_store_find_dataset(
        worker->store, DATASET_BY_ID, bytes_of(id->byte, DATASET_ID_SIZE),
        false, &record, &found, err);

    if (status != OK)
        return status;
    if (!found)
        status = error_set(err, E_INPUT, "there is no such dataset");
    else if (!record.named || memcmp(&record.entry, entry, sizeof *entry) != 0)
        status = worker_store_name_dataset(worker->store, id, entry, err);
    dataset_record_clear(&record);
    return status;
}

static enum status on_name(void *context, const struct desk_request *request,
                           struct desk_answer *answer, struct error *err)
{
    struct worker *worker = context;
    const struct digest entry = desk_digest(request, NAME_ENTRY);
    struct dataset_id id;
    struct text statement;
    enum status status;

    if (!dataset_id_parse(&id, message_bytes(request->message, NAME_DATASET)))
        return error_set(err, E_INPUT, "a dataset's id is 32 hex digits");
    text_init(&statement);
    status = find_statement(worker, &id, &statement, err);
    if (status == OK)
        status =
            check_named(worker, request, &entry, text_bytes(&statement), err);
    if (status == OK)
        status = name_dataset(worker, &id, &entry, err);
    if (status == OK)
        desk_answer_taken(answer, 1);
    text_clear(&statement);
    return status;
}

/* ---- permit, job: how far it is ---- */

static bool tells_release(enum job_state state)
{
    return state >= JOB_RECHECKED && state != JOB_REFUSED;
}

static enum status answer_progress(const struct worker *worker,
                                   const struct job_record *record,
                                   struct desk_answer *answer,
                                   struct error *err)
{
    bool tells = tells_release(record->state);
    struct job_secrets secrets;
    struct bytes memory;
    size_t salt_size = tells ? sizeof secrets.salt.byte : 0,
           statement_size = tells ? record->statement.size : 0,
           release_size = tells ? strlen(record->release) : 0;
    enum status status = worker_job_secrets(worker, record, &secrets, err);

    /* One behind the other, since memory may move while it grows. */
    if (status == OK)
        status =
            text_append(&answer->memory, secrets.salt.byte, salt_size, err);
    secret_wipe(&secrets, sizeof secrets);
    if (status == OK)
        status = text_append(&answer->memory, record->statement.data,
                             statement_size, err);
    if (status == OK)
        status =
            text_append(&answer->memory, record->release, release_size, err);
    if (status == OK)
        status = text_append_string(&answer->memory, record->why, err);
    if (status != OK)
        return status;
    memory = text_bytes(&answer->memory);
    question_init(&answer->message, MESSAGE_PROGRESS);
    message_set_string(&answer->message, PROGRESS_STATE,
                       job_state_name(record->state));
    message_set_bytes(&answer->message, PROGRESS_ENTRY, bytes_of("", 0));
    message_set_bytes(&answer->message, PROGRESS_SALT,
                      bytes_of(memory.data, salt_size));
    message_set_bytes(&answer->message, PROGRESS_STATEMENT,
                      bytes_of(memory.data + salt_size, statement_size));
    message_set_bytes(
        &answer->message, PROGRESS_RELEASE,
        bytes_of(memory.data + salt_size + statement_size, release_size));
    message_set_number(&answer->message, PROGRESS_STATUS, record->status);
    message_set_bytes(
        &answer->message, PROGRESS_WHY,
        bytes_of(memory.data + salt_size + statement_size + release_size,
                 strlen(record->why)));
    return OK;
}

static enum status on_permit(void *context, const struct desk_request *request,
                             struct desk_answer *answer, struct error *err)
{
    struct worker *worker = context;
    const struct message *message = request->message;
    struct bytes package_id = message_bytes(message, PERMIT_PACKAGE),
                 list_id = message_bytes(message, PERMIT_SUBJECTS);
    const struct digest permit = desk_digest(request, PERMIT_ID);
    struct job_delivery delivery = {.permit = &permit,
                                    .broker = desk_asker(request),
                                    .seed =
                                        message_bytes(message, PERMIT_SEED)};
    struct job_record record;
    enum status status;

    job_record_init(&record);
    status = uploads_find(request->uploads, desk_asker(request), package_id,
                          &delivery.package, err);
    if (status == OK)
        status = uploads_find(request->uploads, desk_asker(request), list_id,
                              &delivery.list, err);
    if (status == OK)
        status = worker_job_receive(worker, &delivery, &record, err);
    if (status == OK)
        status = answer_progress(worker, &record, answer, err);
    if (status == OK) {
        uploads_drop(request->uploads, package_id);
        uploads_drop(request->uploads, list_id);
    }
    job_record_clear(&record);
    return status;
}

/* The job of a permit that this broker has sent. */
static enum status find_job(struct worker *worker,
                            const struct desk_request *request,
                            enum message_field field, struct job_record *record,
                            struct error *err)
{
    const struct digest permit = desk_digest(request, field);
    bool found = false;
    enum status status =
        worker_store_find_job(worker->store, &permit, record, &found, err);

    if (status == OK && !found)
        status = error_set(err, E_NO, "there is no job of this permit");
    else if (status == OK && strcmp(record->broker, desk_asker(request)) != 0)
        status =
            error_set(err, E_REFUSED, "the permit came from another broker");
    return status;
}

static enum status on_job(void *context, const struct desk_request *request,
                          struct desk_answer *answer, struct error *err)
{
    struct worker *worker = context;
    struct job_record record;
    enum status status;

    job_record_init(&record);
    status = find_job(worker, request, JOB_PERMIT, &record, err);
    if (status == OK)
        status = answer_progress(worker, &record, answer, err);
    job_record_clear(&record);
    return status;
}

/* ---- sign ---- */

/* What the entry has to be. */
static enum status check_proposal(struct worker *worker,
                                  const struct job_record *record,
                                  const struct job_papers *papers,
                                  struct bytes entry, struct digest *id,
                                  struct error *err)
{
    const struct opened_statement *opened = &papers->package.terms;
    struct digest terms, commitment;
    struct job_secrets secrets;
    enum status status = worker_job_secrets(worker, record, &secrets, err);
    const struct proposal_expected expected = {
        .origin = worker->options.genesis->origin,
        .channel = worker->options.genesis->channel,
        .author = record->broker,
        .permit = &record->permit,
        .terms = &terms,
        .commitment = &commitment,
        .size = record->size};

    if (status != OK)
        return status;
    status = commitment_make(&secrets.salt, text_bytes(&record->statement),
                             &commitment, err);
    secret_wipe(&secrets, sizeof secrets);
    if (status == OK)
        status = commitment_make(&opened->salt, opened->text, &terms, err);
    if (status == OK)
        status = worker_proposal_check(&expected, entry, id, err);
    return status;
}

/* A release that may never be ends its job. */
static enum status end_job(struct worker *worker,
                           const struct job_record *record, struct error *err)
{
    struct error why = *err;
    enum status status =
        worker_job_refuse(worker, &record->permit, why.status, why.text, err);

    if (status == OK)
        *err = why;
    return err->status;
}

/* Whatever was released since the job was permitted.  Of a job that was signed
 * for once that was asked before, and its entry may be in the log. */
static enum status ask_guard(struct worker *worker,
                             const struct job_record *record,
                             const struct job_papers *papers, struct error *err)
{
    enum status status = worker_guard_sign(worker->store, record,
                                           text_bytes(&papers->list), err);

    return status == E_REFUSED && record->state == JOB_RECHECKED
               ? end_job(worker, record, err)
               : status;
}

static enum status propose(struct worker *worker,
                           const struct job_record *record,
                           const struct digest *entry, struct error *err)
{
    struct digest *signed_before = NULL;
    size_t count = 0;
    bool moved = false;
    enum status status = worker_store_signed(worker->store, &record->permit,
                                             &signed_before, &count, err);

    free(signed_before);
    if (status == OK && count >= WORKER_SIGNED_MAX)
        status = error_set(err, E_LIMIT, "%d entries were signed already",
                           WORKER_SIGNED_MAX);
    if (status == OK)
        status =
            worker_store_propose(worker->store, record, entry, &moved, err);
    if (status == OK && !moved)
        status = error_set(err, E_REFUSED, "the job was ended meanwhile");
    if (status == OK && record->state == JOB_RECHECKED)
        log_info("release %s: proposed", record->release);
    return status;
}

static enum status sign_entry(struct worker *worker,
                              const struct job_record *record,
                              struct bytes entry, struct desk_answer *answer,
                              struct error *err)
{
    const struct network_user *self = worker->options.self;
    struct job_papers papers;
    struct entry_signature signature;
    struct digest id;
    enum status status = worker_job_papers(worker, record, &papers, err);

    if (status != OK)
        return status;
    status = check_proposal(worker, record, &papers, entry, &id, err);
    if (status == OK)
        status = ask_guard(worker, record, &papers, err);
    if (status == OK)
        status = propose(worker, record, &id, err);
    if (status == OK)
        status = entry_sign(entry, certificate_id(self->certificate), self->key,
                            &signature, err);
    if (status == OK)
        status =
            text_append(&answer->memory, signature.bytes, signature.size, err);
    if (status == OK) {
        question_init(&answer->message, MESSAGE_SIGNED);
        message_set_bytes(&answer->message, SIGNED_SIGNATURE,
                          text_bytes(&answer->memory));
    }
    job_papers_clear(&papers);
    return status;
}

static enum status on_sign(void *context, const struct desk_request *request,
                           struct desk_answer *answer, struct error *err)
{
    struct worker *worker = context;
    struct bytes entry = message_bytes(request->message, SIGN_ENTRY);
    struct job_record record;
    enum status status;

    job_record_init(&record);
    status = find_job(worker, request, SIGN_PERMIT, &record, err);
    if (status != OK)
        goto done;
    if (record.state != JOB_RECHECKED && record.state != JOB_PROPOSED) {
        status = error_set(err, E_REFUSED, "the job is %s",
                           job_state_name(record.state));
    } else if (clock_now_ms() >= record.expires) {
        status = error_set(err, E_REFUSED, "the permit has expired");
        /* One that was signed may be in the log: the runner looks. */
        if (record.state == JOB_RECHECKED)
            status = end_job(worker, &record, err);
    } else {
        status = sign_entry(worker, &record, entry, answer, err);
    }
done:
    job_record_clear(&record);
    return status;
}

/* ---- publish ---- */

static enum status on_publish(void *context, const struct desk_request *request,
                              struct desk_answer *answer, struct error *err)
{
    struct worker *worker = context;
    const struct digest entry = desk_digest(request, PUBLISH_ENTRY);
    struct job_record record;
    enum status status;

    job_record_init(&record);
    status = find_job(worker, request, PUBLISH_PERMIT, &record, err);
    if (status == OK)
        status = worker_publication_anchor(worker, request->ledger, &record,
                                           &entry, err);
    if (status == OK)
        status = answer_progress(worker, &record, answer, err);
    job_record_clear(&record);
    return status;
}

/* ---- fetch ---- */

static enum status on_fetch(void *context, const struct desk_request *request,
                            struct desk_answer *answer, struct error *err)
{
    struct worker *worker = context;
    const struct message *message = request->message;
    const struct fetch_call call = {
        .certificate = request->certificate,
        .release = message_bytes(message, FETCH_RELEASE),
        .file = message_number(message, FETCH_FILE),
        .offset = message_number(message, FETCH_OFFSET)};
    uint64_t size = 0;
    enum status status = worker_fetches_piece(worker->fetches, &call, &size,
                                              &answer->memory, err);

    if (status != OK)
        return status;
    question_init(&answer->message, MESSAGE_PIECE);
    message_set_number(&answer->message, PIECE_SIZE, size);
    message_set_bytes(&answer->message, PIECE_BYTES,
                      text_bytes(&answer->memory));
    return OK;
}

/* ---- the table ---- */

#define OF_OFFICER DESK_ROLE(IDENTITY_PRIVACY_OFFICER)
#define OF_CUSTODIAN DESK_ROLE(IDENTITY_CUSTODIAN)
#define OF_BROKER DESK_ROLE(IDENTITY_BROKER)
#define OF_RECIPIENT                                                           \
    (DESK_ROLE(IDENTITY_RESEARCH_INSTITUTE) | DESK_ROLE(IDENTITY_INSURER))

const struct desk_row *worker_desk_rows(size_t *count)
{
    static const struct desk_row rows[] = {
        {MESSAGE_INGEST, OF_CUSTODIAN, true, on_ingest},
        {MESSAGE_ROWS, OF_CUSTODIAN, true, on_rows},
        {MESSAGE_INGESTED, OF_CUSTODIAN, true, on_ingested},
        {MESSAGE_NAME, OF_CUSTODIAN, true, on_name},
        {MESSAGE_PERMIT, OF_BROKER, true, on_permit},
        {MESSAGE_JOB, OF_BROKER, true, on_job},
        {MESSAGE_SIGN, OF_BROKER, true, on_sign},
        {MESSAGE_PUBLISH, OF_BROKER, true, on_publish},
        {MESSAGE_FETCH, OF_RECIPIENT, false, on_fetch},
        {MESSAGE_DENIED, OF_BROKER, true, desk_on_denied},
        {MESSAGE_DENIALS, OF_CUSTODIAN | OF_OFFICER, true, desk_on_denials},
        {MESSAGE_EVENTS, OF_CUSTODIAN, true, desk_on_events},
        {MESSAGE_ERASE, OF_CUSTODIAN, true, desk_on_erase},
    };

    *count = sizeof rows / sizeof *rows;
    return rows;
}

/* The runner anchors events, too; while it searches, only we do. */
enum status worker_desk_idle(void *context, struct client *ledger,
                             struct error *err)
{
    struct worker *worker = context;
    enum status status;
    bool runs;

    worker_ingests_expire(worker->ingests, clock_steady_ms());
    status = worker_denials_turn(worker->denials, clock_now_ms(), err);
    if (status != OK)
        return status;
    pthread_mutex_lock(&worker->lock);
    runs = worker->runs;
    pthread_mutex_unlock(&worker->lock);
    return runs ? worker_events_anchor(worker->events, ledger, err) : OK;
}
