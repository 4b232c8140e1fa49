#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "anonymizer/anonymize.h"
#include "anonymizer/attestation.h"
#include "anonymizer/policy_bundle.h"
#include "anonymizer/shuffle.h"
#include "anonymizer/worker_guard.h"
#include "anonymizer/worker_job.h"
#include "anonymizer/worker_publication.h"
#include "anonymizer/worker_subjects.h"
#include "common/clock.h"
#include "common/files.h"
#include "common/json.h"
#include "common/log.h"
#include "common/sign.h"

/* What a dataset is called in errors. */
#define INPUT_NAME "the dataset"
#define OUTPUT_NAME "the release"

/* The making of one file. */
struct making {
    struct worker *worker;
    struct job_record *record;
    struct job_papers papers;
    struct job_secrets secrets;
    struct policy *policy;
    struct subject_id *subject; /* permitted, and in the dataset; ascending */
    size_t subject_count;
    struct worker_reading *reading;
    struct new_file *scratch, *output;
    struct anonymize_result *result;
    bool again;         /* the journal knows the file's digest already */
    struct error moved; /* of a move between stages */
};

static void making_clear(struct making *making)
{
    anonymize_destroy(&making->result);
    new_file_discard(&making->scratch);
    new_file_discard(&making->output);
    worker_reading_close(&making->reading);
    free(making->subject);
    policy_close(&making->policy);
    secret_wipe(&making->secrets, sizeof making->secrets);
    job_papers_clear(&making->papers);
}

static enum status making_open(struct making *making, struct worker *worker,
                               struct job_record *record, struct error *err)
{
    enum status status;

    *making = (struct making){.worker = worker,
                              .record = record,
                              .again = record->state >= JOB_RECHECKED};
    error_init(&making->moved);
    status = worker_job_papers(worker, record, &making->papers, err);
    if (status == OK)
        status = worker_job_secrets(worker, record, &making->secrets, err);
    if (status == OK)
        status = policy_bundle_open(&making->policy,
                                    making->papers.package.bundle, err);
    return status;
}

/* States before this one are behind us: after a crash the journal may be
 * further than the work. */
static enum status reach(struct making *making, enum job_state state,
                         struct error *err)
{
    if (making->record->state >= state)
        return OK;
    return worker_job_move(making->worker, making->record, state, err);
}

static enum status create(struct making *making, const char *name,
                          struct new_file **file, struct error *err)
{
    struct text path;
    enum status status;

    text_init(&path);
    status = worker_job_path(making->worker, &making->record->permit, name,
                             &path, err);
    if (status == OK)
        status = new_file_create(file, path.data, 0600, err);
    text_clear(&path);
    return status;
}

/* ---- who may be read ---- */

/* Of the permitted list and the dataset's subjects. */
static size_t intersect(struct bytes list, struct bytes subjects,
                        struct subject_id *out)
{
    struct common_subjects common = {.count = 0};
    size_t found = 0;

    common_subjects_add(&common, list, PERMITTED_ITEM_SIZE);
    common_subjects_add(&common, subjects, SUBJECT_ID_SIZE);
    while (common_subjects_next(&common, &out[found]))
        found++;
    return found;
}

static enum status find_subjects(struct making *making, struct error *err)
{
    struct bytes list = text_bytes(&making->papers.list);
    struct dataset_record dataset;
    bool found = false;
    enum status status = worker_store_find_dataset(
        making->worker->store, DATASET_BY_ID,
        bytes_of(making->record->dataset.byte, DATASET_ID_SIZE), true, &dataset,
        &found, err);

    if (status == OK && !found)
        status = error_set(err, E_INPUT, "the dataset is gone");
    if (status == OK) {
        making->subject = malloc(list.size + 1);
        if (making->subject == NULL)
            status = error_memory(err, "the permitted subjects");
        else
            making->subject_count =
                intersect(list, text_bytes(&dataset.subjects), making->subject);
    }
    dataset_record_clear(&dataset);
    if (status == OK && making->subject_count == 0)
        status =
            error_set(err, E_REFUSED, "no permitted patient is in the dataset");
    return status;
}

static int compare_subjects(const void *a, const void *b)
{
    return subject_id_compare(a, b);
}

/* Before the first key of a batch is opened: all of these accesses are durable
 * already, or nothing is opened. */
static enum status on_access(void *context, const struct dataset_id *dataset,
                             const struct subject_id *subject, size_t count,
                             struct error *err)
{
    const struct making *making = context;

    (void)dataset;
    for (size_t i = 0; i < count; i++)
        if (bsearch(&subject[i], making->subject, making->subject_count,
                    sizeof *subject, compare_subjects) == NULL)
            return error_set(err, E_REFUSED,
                             "a row's subject is not among those that the "
                             "dataset was ingested with");
    return OK;
}

/* Each subject's history names the release from here on. */
static enum status tell_subjects(struct making *making, enum access_act act,
                                 struct error *err)
{
    const struct job_record *record = making->record;
    const struct access_told told = {
        .act = act,
        .by = record->recipient,
        .dataset = &record->dataset,
        .permit = &record->permit,
        .release = record->release,
    };

    return worker_events_subjects(making->worker->events, &told,
                                  making->subject, making->subject_count, err);
}

static enum status open_rows(struct making *making, struct error *err)
{
    const struct vault_request request = {.dataset = making->record->dataset,
                                          .permitted = making->subject,
                                          .permitted_count =
                                              making->subject_count,
                                          .access = on_access,
                                          .context = making};
    enum status status = tell_subjects(making, ACCESS_OPEN, err);

    if (status == OK)
        status = worker_reading_open(&making->reading, making->worker->vault,
                                     &request, err);
    return status;
}

/* A release is about patients: the policy has to say which column they are. */
static enum status check_subject_column(const struct making *making,
                                        struct error *err)
{
    const struct vault_schema *schema = worker_reading_schema(making->reading);
    const struct policy_attribute *attribute =
        policy_find(making->policy, bytes_of_string(schema->subject));

    if (attribute == NULL || attribute->role != ROLE_SUBJECT)
        return error_set(err, E_INPUT,
                         "the policy of a release has to name the dataset's "
                         "subject column as such");
    return OK;
}

/* ---- the search ---- */

static void on_stage(enum anonymize_stage stage, void *context)
{
    struct making *making = context;
    enum job_state state;

    if (stage == STAGE_SEARCH)
        state = JOB_LOADED;
    else if (stage == STAGE_RECHECK)
        state = JOB_FOUND;
    else
        return;
    if (making->moved.status == OK &&
        reach(making, state, &making->moved) != OK)
        atomic_store(&making->worker->cancel, true);
}

static enum status search(struct making *making, struct error *err)
{
    const struct anonymize_options options = {
        .threads = worker_config_threads(making->worker->options.config),
        .cancel = &making->worker->cancel,
        .on_stage = on_stage,
        .context = making};
    struct shuffle_seed seed;
    enum status status = create(making, "scratch", &making->scratch, err);

    _Static_assert(sizeof seed.byte == sizeof making->secrets.shuffle,
                   "of one size");
    if (status == OK)
        status = create(making, "release.csv", &making->output, err);
    if (status != OK)
        return status;
    memcpy(seed.byte, making->secrets.shuffle, sizeof seed.byte);
    status = anonymize_stream(
        &making->result, making->policy, worker_reading_csv(making->reading),
        INPUT_NAME, new_file_descriptor(making->scratch),
        new_file_descriptor(making->output), OUTPUT_NAME, &seed, &options, err);
    secret_wipe(&seed, sizeof seed);
    if (making->moved.status != OK) {
        *err = making->moved;
        return err->status;
    }
    return status;
}

/* ---- what comes of it ---- */

static enum status write_statement(const struct making *making,
                                   struct text *out, struct error *err)
{
    const struct anonymize_result *result = making->result;
    const struct release_facts facts = {.release = making->record->release,
                                        .permit = &making->record->permit,
                                        .output = &result->output_digest,
                                        .policy = making->policy,
                                        .level = result->level,
                                        .rows = result->rows,
                                        .suppressed = result->suppressed,
                                        .before = &result->before,
                                        .after = &result->after};

    return release_statement_write(&facts, out, err);
}

/* All accesses are in the log before the job is rechecked.  Without a quorum
 * this waits: to read everything once more would open every key again. */
static enum status anchor(struct making *making, struct error *err)
{
    const struct timespec pause = {.tv_nsec = WORKER_PAUSE_MS * 1000000L};
    struct worker *worker = making->worker;
    struct error told;
    enum status status;

    error_init(&told);
    for (;;) {
        status = worker_events_anchor(worker->events, worker->client, err);
        if (status != E_SYSTEM || atomic_load(&worker->stopping) ||
            atomic_load(&worker->cancel) ||
            clock_now_ms() >= making->record->expires)
            return status;
        /* Nodes that refuse do so at once, and for as long as they like. */
        if (strcmp(told.text, err->text) != 0)
            log_warning("%s", err->text);
        told = *err;
        error_init(err);
        nanosleep(&pause, NULL);
    }
}

/* The file gets its name, and the journal what it is. */
static enum status settle(struct making *making, const struct digest *output,
                          struct text *statement, char delimiter,
                          struct error *err)
{
    struct job_record *record = making->record;
    enum status status;

    if (making->again &&
        (memcmp(output, &record->output, sizeof *output) != 0 ||
         !bytes_equal(text_bytes(statement), text_bytes(&record->statement))))
        return error_set(err, E_SYSTEM,
                         "the release was made again and came out otherwise");
    status = new_file_publish(&making->output, err);
    if (status != OK || making->again)
        return status;
    status = anchor(making, err);
    if (status != OK)
        return status;
    record->output = *output;
    record->delimiter = delimiter;
    text_reset(&record->statement);
    status =
        text_append(&record->statement, statement->data, statement->size, err);
    if (status == OK)
        status = reach(making, JOB_RECHECKED, err);
    return status;
}

static enum status make_first(struct making *making, struct error *err)
{
    struct text statement;
    enum status status = find_subjects(making, err);

    if (status == OK)
        status = open_rows(making, err);
    if (status == OK)
        status = check_subject_column(making, err);
    if (status == OK)
        status = search(making, err);
    if (status != OK)
        return status;
    text_init(&statement);
    status = write_statement(making, &statement, err);
    if (status == OK) {
        char delimiter = worker_reading_csv(making->reading)->delimiter;

        /* The vault is free again: there may be much to wait for. */
        worker_reading_close(&making->reading);
        status = settle(making, &making->result->output_digest, &statement,
                        delimiter, err);
    }
    text_clear(&statement);
    return status;
}

/* ---- the same again ---- */

static enum status copy_bytes(struct making *making,
                              const struct job_record *first, struct error *err)
{
    struct text path;
    enum status status;

    text_init(&path);
    status = worker_publication_path(making->worker, first->release,
                                     "release.csv", &path, err);
    if (status == OK)
        status = worker_publication_copy(path.data,
                                         new_file_descriptor(making->output),
                                         OUTPUT_NAME, &first->output, err);
    text_clear(&path);
    return status;
}

/* The first statement with this release's name and permit. */
static enum status rewrite_statement(const struct making *making,
                                     const struct job_record *first,
                                     struct text *out, struct error *err)
{
    const struct job_record *record = making->record;
    struct json *old = NULL, *new = NULL;
    char permit[DIGEST_HEX_SIZE];
    enum status status = json_parse(&old, text_bytes(&first->statement), err);

    digest_hex(&record->permit, permit);
    if (status == OK)
        status = json_create(&new, err);
    for (const struct json_value *member =
             status == OK ? json_first(json_root(old)) : NULL;
         status == OK && member != NULL; member = json_next(member)) {
        struct json_value *root = json_edit_root(new);
        const char *key = json_key(member);

        if (strcmp(key, "release") == 0)
            status = json_add_string(root, key, record->release, err);
        else if (strcmp(key, "permit") == 0)
            status = json_add_string(root, key, permit, err);
        else
            status = json_add_copy(root, key, member, err);
    }
    if (status == OK)
        status = json_print_canonical(json_root(new), out, err);
    json_destroy(&new);
    json_destroy(&old);
    return status;
}

static enum status make_same(struct making *making,
                             const struct job_record *first, struct error *err)
{
    struct text statement;
    enum status status = find_subjects(making, err);

    if (status == OK)
        status = tell_subjects(making, ACCESS_REPEAT, err);
    if (status == OK)
        status = create(making, "release.csv", &making->output, err);
    text_init(&statement);
    if (status == OK)
        status = copy_bytes(making, first, err);
    if (status == OK)
        status = reach(making, JOB_FOUND, err);
    if (status == OK)
        status = rewrite_statement(making, first, &statement, err);
    if (status == OK)
        status =
            settle(making, &first->output, &statement, first->delimiter, err);
    text_clear(&statement);
    return status;
}

/* ---- both ---- */

enum status worker_job_make(struct worker *worker, struct job_record *record,
                            bool *waits, struct error *err)
{
    enum guard_answer answer = GUARD_FIRST;
    struct making making;
    struct job_record first;
    enum status status = making_open(&making, worker, record, err);

    job_record_init(&first);
    if (status == OK)
        status = worker_guard_ask(worker->store, record,
                                  text_bytes(&making.papers.list), &answer,
                                  &first, err);
    if (status == OK && answer == GUARD_WAIT)
        *waits = true;
    else if (status == OK && answer == GUARD_SAME)
        status = make_same(&making, &first, err);
    else if (status == OK)
        status = make_first(&making, err);
    job_record_clear(&first);
    making_clear(&making);
    return status;
}
