#include "anonymizer/worker_job.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "anonymizer/worker_publication.h"
#include "anonymizer/worker_subjects.h"
#include "common/clock.h"
#include "common/encoding.h"
#include "common/files.h"
#include "common/ledger_questions.h"
#include "common/log.h"
#include "common/sign.h"

static const char secrets_tag[] = "anchorite job 1";
static const char members_tag[] = "permitted";

#define PACKAGE_FILE "package.json"
#define LIST_FILE "subjects"
#define RELEASE_FILE "release.csv"

/* ---- on the disk ---- */

enum status worker_job_path(const struct worker *worker,
                            const struct digest *permit, const char *name,
                            struct text *out, struct error *err)
{
    const char *jobs = worker->options.config->jobs;
    char hex[DIGEST_HEX_SIZE];

    digest_hex(permit, hex);
    return name == NULL ? text_printf(out, err, "%s/%s", jobs, hex)
                        : text_printf(out, err, "%s/%s/%s", jobs, hex, name);
}

static enum status write_file(const struct worker *worker,
                              const struct digest *permit, const char *name,
                              struct bytes bytes, struct error *err)
{
    struct new_file *file = NULL;
    struct text path;
    enum status status;

    text_init(&path);
    status = worker_job_path(worker, permit, name, &path, err);
    if (status == OK)
        status = new_file_create(&file, path.data, 0600, err);
    if (status == OK)
        status =
            descriptor_write(new_file_descriptor(file), bytes, path.data, err);
    if (status == OK)
        status = new_file_publish(&file, err);
    new_file_discard(&file);
    text_clear(&path);
    return status;
}

static enum status read_file(const struct worker *worker,
                             const struct digest *permit, const char *name,
                             size_t size_max, struct text *out,
                             struct error *err)
{
    struct text path;
    enum status status;

    text_init(&path);
    status = worker_job_path(worker, permit, name, &path, err);
    if (status == OK)
        status = file_read(path.data, size_max, out, err);
    text_clear(&path);
    return status;
}

static enum status make_folder(const struct worker *worker,
                               const struct digest *permit, struct error *err)
{
    struct text path;
    enum status status;

    text_init(&path);
    status = worker_job_path(worker, permit, NULL, &path, err);
    if (status == OK && access(path.data, F_OK) == 0 &&
        !folder_remove(path.data))
        status = error_set(err, E_IO, "%s: cannot be removed", path.data);
    if (status == OK && mkdir(path.data, 0700) != 0)
        status = error_set_errno(err, E_IO, errno, "%s", path.data);
    if (status == OK)
        status = file_sync_folder(path.data, err);
    text_clear(&path);
    return status;
}

/* What stays behind goes at the next start. */
static void remove_folder(const struct worker *worker,
                          const struct digest *permit)
{
    struct error err;
    struct text path;

    error_init(&err);
    text_init(&path);
    if (worker_job_path(worker, permit, NULL, &path, &err) != OK ||
        (access(path.data, F_OK) == 0 && !folder_remove(path.data)))
        log_warning("the folder of a job that has ended stays until the next "
                    "start");
    text_clear(&path);
}

/* ---- papers ---- */

/* Of everything that was sent. */
static enum status digest_delivery(struct bytes seed, struct bytes package,
                                   struct bytes list, struct digest *digest)
{
    uint8_t size[8];
    const struct bytes part[] = {bytes_of(size, sizeof size), seed, package,
                                 list};

    put_be64(size, package.size);
    digest_parts(digest, part, sizeof part / sizeof *part);
    return OK;
}

void job_papers_clear(struct job_papers *papers)
{
    worker_package_clear(&papers->package);
    text_clear(&papers->list);
    text_clear(&papers->package_text);
}

static enum status check_papers(const struct worker *worker,
                                const struct job_record *record,
                                const struct job_papers *papers,
                                struct error *err)
{
    struct job_secrets secrets;
    struct digest digest;
    enum status status = worker_job_secrets(worker, record, &secrets, err);

    if (status == OK)
        status = digest_delivery(
            bytes_of(secrets.permitted.byte, sizeof secrets.permitted.byte),
            text_bytes(&papers->package_text), text_bytes(&papers->list),
            &digest);
    secret_wipe(&secrets, sizeof secrets);
    if (status == OK && memcmp(&digest, &record->package, sizeof digest) != 0)
        status = error_set(err, E_INPUT,
                           "the permit's papers on the disk were altered");
    return status;
}

enum status worker_job_papers(const struct worker *worker,
                              const struct job_record *record,
                              struct job_papers *papers, struct error *err)
{
    enum status status;

    *papers = (struct job_papers){.package.json = NULL};
    text_init(&papers->package_text);
    text_init(&papers->list);
    status = read_file(worker, &record->permit, PACKAGE_FILE,
                       WORKER_PACKAGE_MAX, &papers->package_text, err);
    if (status == OK)
        status = read_file(worker, &record->permit, LIST_FILE, UPLOAD_SIZE_MAX,
                           &papers->list, err);
    if (status == OK)
        status = check_papers(worker, record, papers, err);
    if (status == OK)
        status = worker_package_parse(&papers->package,
                                      text_bytes(&papers->package_text), err);
    if (status != OK)
        job_papers_clear(papers);
    return status;
}

/* What a sealed secret belongs to. */
struct secrets_about {
    uint8_t byte[sizeof secrets_tag + DIGEST_SIZE];
};

static struct secrets_about about(const struct job_record *record)
{
    struct secrets_about about;

    memcpy(about.byte, secrets_tag, sizeof secrets_tag);
    memcpy(about.byte + sizeof secrets_tag, record->permit.byte, DIGEST_SIZE);
    return about;
}

enum status worker_job_secrets(const struct worker *worker,
                               const struct job_record *record,
                               struct job_secrets *secrets, struct error *err)
{
    const struct secrets_about whose = about(record);

    return worker_secret_reveal(worker->secret,
                                bytes_of(whose.byte, sizeof whose.byte),
                                bytes_of(record->sealed, sizeof record->sealed),
                                secrets, sizeof *secrets, err);
}

/* ---- receiving ---- */

static enum status draw_secrets(const struct worker *worker,
                                const struct job_delivery *delivery,
                                struct job_record *record, struct error *err)
{
    const struct secrets_about whose = about(record);
    uint8_t release[(RELEASE_TEXT_SIZE - 1) / 2];
    struct job_secrets secrets;
    enum status status = random_secret(&secrets, sizeof secrets, err);

    assert(delivery->seed.size == sizeof secrets.permitted.byte);
    if (status == OK)
        status = random_secret(release, sizeof release, err);
    if (status != OK)
        return status;
    memcpy(secrets.permitted.byte, delivery->seed.data, delivery->seed.size);
    status = worker_secret_seal(
        worker->secret, bytes_of(whose.byte, sizeof whose.byte),
        bytes_of(&secrets, sizeof secrets), record->sealed, err);
    secret_wipe(&secrets, sizeof secrets);
    hex_encode(bytes_of(release, sizeof release), record->release);
    return status;
}

/* Until when its permit lasts, by the broker's word alone; the log is asked
 * later.  No permit lasts longer than a day. */
static uint64_t expires_at_latest(const struct worker_package *package)
{
    uint64_t latest = clock_now_ms() + WORKER_PERMIT_MS;
    struct worker_permitted said;
    struct error unread;

    error_init(&unread);
    if (worker_permitted_parse(&said, package->permitted.text, &unread) != OK)
        return latest; /* what is wrong with it the job is told */
    return said.expires < latest ? said.expires : latest;
}

static enum status fill_record(const struct worker *worker,
                               const struct job_delivery *delivery,
                               struct job_record *record, struct error *err)
{
    struct worker_package package;
    enum status status = worker_package_parse(&package, delivery->package, err);

    if (status != OK)
        return status;
    job_record_clear(record);
    record->permit = *delivery->permit;
    record->approve = package.approve;
    record->request = package.request;
    record->expires = expires_at_latest(&package);
    assert(strlen(delivery->broker) < sizeof record->broker);
    memcpy(record->broker, delivery->broker, strlen(delivery->broker) + 1);
    if (memcmp(&package.permit, delivery->permit, sizeof package.permit) != 0)
        status = error_set(err, E_INPUT,
                           "the permit's package is about another permit");
    worker_package_clear(&package);
    if (status == OK)
        status = digest_delivery(delivery->seed, delivery->package,
                                 delivery->list, &record->package);
    if (status == OK)
        status = draw_secrets(worker, delivery, record, err);
    return status;
}

/* Jobs of the same approval make room. */
static enum status supersede(struct worker *worker,
                             const struct job_record *record, struct error *err)
{
    struct digest *older = NULL;
    size_t count = 0;
    enum status status = worker_store_jobs(
        worker->store, JOBS_OF_APPROVE,
        bytes_of(record->approve.byte, DIGEST_SIZE), &older, &count, err);

    for (size_t i = 0; status == OK && i < count; i++)
        if (memcmp(&older[i], &record->permit, sizeof *older) != 0)
            status =
                worker_job_refuse(worker, &older[i], E_REFUSED,
                                  "another permit has taken its place", err);
    free(older);
    return status;
}

static enum status receive_again(const struct job_delivery *delivery,
                                 const struct job_record *record,
                                 struct error *err)
{
    struct digest digest;
    enum status status = digest_delivery(delivery->seed, delivery->package,
                                         delivery->list, &digest);

    if (status == OK &&
        (memcmp(&digest, &record->package, sizeof digest) != 0 ||
         strcmp(record->broker, delivery->broker) != 0))
        status = error_set(err, E_REFUSED,
                           "the permit was used before, with other contents");
    return status;
}

/* Papers first, then the row that says that they are there. */
static enum status store(struct worker *worker,
                         const struct job_delivery *delivery,
                         const struct job_record *record, struct error *err)
{
    enum status status = make_folder(worker, &record->permit, err);

    if (status == OK)
        status = write_file(worker, &record->permit, PACKAGE_FILE,
                            delivery->package, err);
    if (status == OK)
        status =
            write_file(worker, &record->permit, LIST_FILE, delivery->list, err);
    if (status == OK)
        status = worker_store_add_job(worker->store, record, err);
    /* Whoever is permitted stands in it. */
    if (status != OK)
        remove_folder(worker, &record->permit);
    return status;
}

enum status worker_job_receive(struct worker *worker,
                               const struct job_delivery *delivery,
                               struct job_record *record, struct error *err)
{
    bool found = false;
    enum status status = worker_store_find_job(worker->store, delivery->permit,
                                               record, &found, err);

    if (status == OK && found)
        return receive_again(delivery, record, err);
    if (status == OK && delivery->list.size % PERMITTED_ITEM_SIZE != 0)
        status = error_set(err, E_INPUT, "the list of subjects is cut off");
    if (status == OK)
        status = fill_record(worker, delivery, record, err);
    if (status == OK)
        status = supersede(worker, record, err);
    if (status == OK)
        status = store(worker, delivery, record, err);
    if (status == OK) {
        log_info("release %s: received", record->release);
        worker_kick(worker);
    }
    return status;
}

/* ---- moving ---- */

enum status worker_job_move(struct worker *worker, struct job_record *record,
                            enum job_state to, struct error *err)
{
    enum job_state from = record->state;
    bool moved = false;
    enum status status;

    record->state = to;
    status = worker_store_move_job(worker->store, from, record, &moved, err);
    if (status == OK && !moved)
        status = error_set(err, E_CANCELLED, "the job was ended meanwhile");
    if (status != OK)
        record->state = from;
    else
        log_info("release %s: %s", record->release, job_state_name(to));
    return status;
}

/* From the state that it has now. */
static enum status refuse(struct worker *worker, struct job_record *record,
                          enum status why, const char *words, bool *moved,
                          struct error *err)
{
    const struct access_told told = {.act = ACCESS_REFUSE,
                                     .by = record->broker,
                                     .permit = &record->permit,
                                     .release = record->release};
    enum job_state from = record->state;
    size_t size = strlen(words);
    enum status status;

    if (!job_state_may_move(from, JOB_REFUSED))
        return error_set(err, E_REFUSED, "the job is %s already",
                         job_state_name(from));
    status = worker_events_release(worker->events, &told, err);
    if (status != OK)
        return status;
    record->state = JOB_REFUSED;
    record->status = why;
    if (size >= sizeof record->why)
        size = sizeof record->why - 1;
    memcpy(record->why, words, size);
    record->why[size] = '\0';
    status = worker_store_move_job(worker->store, from, record, moved, err);
    if (status == OK && *moved)
        log_info("release %s: refused: %s", record->release, record->why);
    return status;
}

enum status worker_job_refuse(struct worker *worker,
                              const struct digest *permit, enum status why,
                              const char *words, struct error *err)
{
    struct job_record record;
    bool found = true, moved = false;
    enum status status = OK;

    job_record_init(&record);
    worker_cancel(worker, permit);
    /* Only the runner may be faster, and a job has few states. */
    while (status == OK && found && !moved) {
        status =
            worker_store_find_job(worker->store, permit, &record, &found, err);
        if (status != OK || !found || record.state == JOB_REFUSED)
            break;
        status = refuse(worker, &record, why, words, &moved, err);
    }
    if (status == OK)
        remove_folder(worker, permit);
    job_record_clear(&record);
    return status;
}

/* ---- steps ---- */

/* received: the permit against the log. */
static enum status check_permit(struct worker *worker,
                                struct job_record *record,
                                const struct job_papers *papers,
                                const struct job_secrets *secrets,
                                struct worker_permit *permit, struct error *err)
{
    struct worker_proofs proofs;
    struct digest id[PERMIT_STEPS];
    const struct permit_case given = {.permit = &record->permit,
                                      .broker = record->broker,
                                      .package = &papers->package,
                                      .list = text_bytes(&papers->list),
                                      .seed = &secrets->permitted,
                                      .proofs = &proofs,
                                      .trust = worker->options.trust,
                                      .now_ms = clock_now_ms()};
    enum status status;

    worker_proofs_init(&proofs);
    worker_permit_ids(&papers->package, id);
    status = worker_proofs_ask(&proofs, worker->client, worker->options.trust,
                               id, PERMIT_STEPS, err);
    if (status == E_NO)
        err->status = status = E_REFUSED;
    if (status == OK)
        status = worker_permit_check(permit, &given, err);
    worker_proofs_clear(&proofs);
    return status;
}

/* Of who is in the list and in the dataset, and not of which entry permitted
 * it. */
static enum status digest_members(const struct worker *worker,
                                  struct bytes list,
                                  const struct dataset_record *dataset,
                                  struct digest *members, struct error *err)
{
    uint8_t message[sizeof members_tag + DIGEST_SIZE];
    struct common_subjects common = {.count = 0};
    struct subject_id subject;
    struct digest_stream *stream = NULL;
    struct digest ids;
    enum status status = digest_open(&stream, err);

    common_subjects_add(&common, list, PERMITTED_ITEM_SIZE);
    common_subjects_add(&common, text_bytes(&dataset->subjects),
                        SUBJECT_ID_SIZE);
    while (status == OK && common_subjects_next(&common, &subject))
        status =
            digest_update(stream, bytes_of(subject.byte, SUBJECT_ID_SIZE), err);
    if (status == OK)
        status = digest_finish(&stream, &ids, err);
    digest_discard(&stream);
    if (status != OK)
        return status;
    memcpy(message, members_tag, sizeof members_tag);
    memcpy(message + sizeof members_tag, ids.byte, DIGEST_SIZE);
    return hmac_sha256(
        bytes_of(worker_secret_handles(worker->secret), ACCESS_KEY_SIZE),
        bytes_of(message, sizeof message), members->byte, err);
}

static enum status find_dataset(struct worker *worker,
                                const struct digest *entry,
                                struct dataset_record *dataset,
                                struct error *err)
{
    bool found = false;
    enum status status = worker_store_find_dataset(
        worker->store, DATASET_BY_ENTRY, bytes_of(entry->byte, DIGEST_SIZE),
        true, dataset, &found, err);

    if (status == OK && !found)
        status = error_set(err, E_REFUSED,
                           "the dataset of the permit is not in this vault");
    return status;
}

static enum status take_permit(struct worker *worker, struct job_record *record,
                               const struct worker_permit *permit,
                               struct bytes list, struct error *err)
{
    const struct worker_terms *terms = &permit->terms;
    struct dataset_record dataset;
    enum status status = find_dataset(worker, &terms->dataset, &dataset, err);

    if (status == OK)
        status = digest_members(worker, list, &dataset, &record->members, err);
    record->dataset = dataset.id;
    dataset_record_clear(&dataset);
    if (status != OK)
        return status;
    record->policy = terms->policy;
    memcpy(record->recipient, terms->recipient, sizeof record->recipient);
    memcpy(record->organisation, terms->organisation,
           sizeof record->organisation);
    record->expires = permit->permitted.expires;
    record->size = permit->permitted.size;
    return worker_job_move(worker, record, JOB_PERMITTED, err);
}

static enum status refuse_expired(const struct job_record *record,
                                  uint64_t grace_ms, struct error *err)
{
    if (clock_now_ms() < record->expires + grace_ms)
        return OK;
    return error_set(err, E_REFUSED, "the permit has expired");
}

static enum status step_received(struct worker *worker,
                                 struct job_record *record, struct error *err)
{
    struct worker_permit permit = {.policy = NULL};
    struct job_papers papers;
    struct job_secrets secrets;
    enum status status = refuse_expired(record, 0, err);

    /* It may be that the log never answers. */
    if (status == OK)
        status = worker_job_papers(worker, record, &papers, err);
    if (status != OK)
        return status;
    status = worker_job_secrets(worker, record, &secrets, err);
    if (status == OK)
        status = check_permit(worker, record, &papers, &secrets, &permit, err);
    if (status == OK)
        status =
            take_permit(worker, record, &permit, text_bytes(&papers.list), err);
    worker_permit_clear(&permit);
    secret_wipe(&secrets, sizeof secrets);
    job_papers_clear(&papers);
    return status;
}

/* Is one of the entries that we have signed in the log, and valid? */
static enum status find_signed(struct worker *worker,
                               const struct job_record *record, bool *valid,
                               struct error *err)
{
    struct digest *entry = NULL;
    size_t count = 0;
    enum status status = worker_store_signed(worker->store, &record->permit,
                                             &entry, &count, err);

    *valid = false;
    for (size_t i = 0; status == OK && !*valid && i < count; i++) {
        struct shown shown;
        char hex[DIGEST_HEX_SIZE];

        digest_hex(&entry[i], hex);
        status = shown_ask(&shown, worker->client, hex, err);
        if (status == OK)
            *valid = shown.verdict == VERDICT_VALID;
        else if (status == E_NO)
            status = OK;
        shown_clear(&shown);
    }
    free(entry);
    return status;
}

/* proposed: the broker goes on, unless no entry of ours can be valid any
 * more. */
static enum status step_proposed(struct worker *worker,
                                 const struct job_record *record, bool *waits,
                                 struct error *err)
{
    bool valid = false;
    struct error expired;
    enum status status;

    *waits = true;
    error_init(&expired);
    if (refuse_expired(record, WORKER_GRACE_MS, &expired) == OK)
        return OK;
    status = find_signed(worker, record, &valid, err);
    if (status == OK && !valid) {
        *err = expired;
        status = expired.status;
    }
    return status;
}

enum status worker_job_step(struct worker *worker, struct job_record *record,
                            bool *waits, struct error *err)
{
    enum status status = OK;

    *waits = false;
    switch (record->state) {
    case JOB_RECEIVED:
        return step_received(worker, record, err);
    case JOB_PERMITTED:
    case JOB_LOADED:
    case JOB_FOUND:
        status = refuse_expired(record, 0, err);
        return status == OK ? worker_job_make(worker, record, waits, err)
                            : status;
    case JOB_RECHECKED:
        *waits = true;
        return refuse_expired(record, 0, err);
    case JOB_PROPOSED:
        return step_proposed(worker, record, waits, err);
    case JOB_ANCHORED:
        status = worker_publication_make(worker, record, err);
        if (status == OK)
            remove_folder(worker, &record->permit);
        return status;
    case JOB_PUBLISHED:
    case JOB_REFUSED:
        *waits = true;
        return OK;
    }
    assert(false && "a state without a step");
    return OK;
}

/* ---- the file ---- */

enum status worker_job_holds(const struct worker *worker,
                             const struct job_record *record, bool *holds,
                             struct error *err)
{
    struct text path;
    struct digest digest;
    enum status status;

    *holds = false;
    text_init(&path);
    status = worker_job_path(worker, &record->permit, RELEASE_FILE, &path, err);
    if (status == OK && access(path.data, F_OK) == 0) {
        status = worker_publication_digest(path.data, &digest, err);
        *holds = status == OK &&
                 memcmp(&digest, &record->output, sizeof digest) == 0;
    }
    text_clear(&path);
    return status;
}

/* ---- sweeping ---- */

static bool is_listed(const char *name, const struct digest *permit,
                      size_t count)
{
    char hex[DIGEST_HEX_SIZE];

    for (size_t i = 0; i < count; i++) {
        digest_hex(&permit[i], hex);
        if (strcmp(hex, name) == 0)
            return true;
    }
    return false;
}

static enum status sweep(struct worker *worker, DIR *folder,
                         const struct digest *permit, size_t count,
                         struct error *err)
{
    const char *jobs = worker->options.config->jobs;
    const struct dirent *item;
    struct text path;
    enum status status = OK;

    text_init(&path);
    while (status == OK && (item = readdir(folder)) != NULL) {
        struct digest id;

        /* Others' files are not ours to remove. */
        if (!hex_decode(bytes_of_string(item->d_name), id.byte, DIGEST_SIZE) ||
            is_listed(item->d_name, permit, count))
            continue;
        text_reset(&path);
        status = text_printf(&path, err, "%s/%s", jobs, item->d_name);
        if (status == OK && !folder_remove(path.data))
            status = error_set(err, E_IO, "%s: cannot be removed", path.data);
    }
    text_clear(&path);
    return status;
}

enum status worker_job_sweep(struct worker *worker, struct error *err)
{
    const char *jobs = worker->options.config->jobs;
    struct digest *permit = NULL;
    size_t count = 0;
    DIR *folder = opendir(jobs);
    enum status status;

    if (folder == NULL)
        return error_set_errno(err, E_INPUT, errno, "%s", jobs);
    status = worker_store_jobs(worker->store, JOBS_UNDER_WAY, bytes_of(NULL, 0),
                               &permit, &count, err);
    if (status == OK)
        status = sweep(worker, folder, permit, count, err);
    free(permit);
    closedir(folder);
    return status;
}
