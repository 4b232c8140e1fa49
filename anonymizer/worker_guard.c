#include "anonymizer/worker_guard.h"

#include <stdlib.h>
#include <string.h>

#include "anonymizer/worker_subjects.h"
#include "common/permitted.h"

static enum status find_dataset(struct worker_store *store,
                                const struct dataset_id *id,
                                struct dataset_record *dataset,
                                struct error *err)
{
    bool found = false;
    enum status status = worker_store_find_dataset(
        store, DATASET_BY_ID, bytes_of(id->byte, DATASET_ID_SIZE), true,
        dataset, &found, err);

    if (status == OK && !found)
        status = error_set(err, E_REFUSED, "a dataset is gone");
    return status;
}

/* Is somebody in all of them: the list, the job's dataset, and `others`? */
static enum status share(struct worker_store *store,
                         const struct job_record *job, struct bytes list,
                         struct bytes others, bool *shared, struct error *err)
{
    struct common_subjects common = {.count = 0};
    struct dataset_record dataset;
    struct subject_id subject;
    enum status status = find_dataset(store, &job->dataset, &dataset, err);

    common_subjects_add(&common, list, PERMITTED_ITEM_SIZE);
    common_subjects_add(&common, text_bytes(&dataset.subjects),
                        SUBJECT_ID_SIZE);
    common_subjects_add(&common, others, SUBJECT_ID_SIZE);
    *shared = status == OK && common_subjects_next(&common, &subject);
    dataset_record_clear(&dataset);
    return status;
}

static enum status refuse_erased(struct worker_store *store,
                                 const struct job_record *job,
                                 struct bytes list, struct error *err)
{
    struct subject_id *erased = NULL;
    size_t count = 0;
    bool shared = false;
    enum status status = worker_store_erased(store, &erased, &count, err);

    if (status == OK && count > 0)
        status = share(store, job, list,
                       bytes_of(erased, count * SUBJECT_ID_SIZE), &shared, err);
    if (status == OK && shared)
        status = error_set(err, E_REFUSED,
                           "the release that exists is not made again: a "
                           "patient was erased");
    free(erased);
    return status;
}

static bool is_same(const struct job_record *a, const struct job_record *b)
{
    return memcmp(&a->members, &b->members, DIGEST_SIZE) == 0 &&
           memcmp(&a->policy, &b->policy, DIGEST_SIZE) == 0;
}

/* Against one release of the dataset. */
static enum status compare(struct worker_store *store,
                           const struct job_record *job,
                           const struct digest *other,
                           enum guard_answer *answer, struct job_record *first,
                           struct error *err)
{
    bool found = false;
    enum status status =
        worker_store_find_job(store, other, first, &found, err);

    if (status != OK || !found)
        return status;
    if (!is_same(job, first))
        return error_set(err, E_REFUSED,
                         "the dataset was released before: only the same "
                         "again, for the same patients by the same policy, "
                         "may be");
    *answer = first->state == JOB_PUBLISHED ? GUARD_SAME : GUARD_WAIT;
    return OK;
}

enum status worker_guard_ask(struct worker_store *store,
                             const struct job_record *job, struct bytes list,
                             enum guard_answer *answer,
                             struct job_record *first, struct error *err)
{
    struct digest *other = NULL;
    size_t count = 0;
    enum status status = worker_store_jobs(
        store, JOBS_OF_DATASET, bytes_of(job->dataset.byte, DATASET_ID_SIZE),
        &other, &count, err);

    *answer = GUARD_FIRST;
    for (size_t i = 0; status == OK && *answer != GUARD_SAME && i < count; i++)
        if (memcmp(&other[i], &job->permit, sizeof *other) != 0)
            status = compare(store, job, &other[i], answer, first, err);
    free(other);
    if (status == OK && *answer == GUARD_SAME)
        status = refuse_erased(store, job, list, err);
    return status;
}

enum status worker_guard_sign(struct worker_store *store,
                              const struct job_record *job, struct bytes list,
                              struct error *err)
{
    enum guard_answer answer = GUARD_FIRST;
    struct job_record first;
    enum status status;

    job_record_init(&first);
    status = worker_guard_ask(store, job, list, &answer, &first, err);
    if (status == OK && answer == GUARD_WAIT)
        status = error_set(err, E_SYSTEM,
                           "another release of the dataset is under way; ask "
                           "again");
    /* Both were made as the first, each in an order of its own. */
    if (status == OK && answer == GUARD_SAME &&
        memcmp(&first.output, &job->output, sizeof first.output) != 0)
        status = error_set(err, E_REFUSED,
                           "the dataset was released while this release was "
                           "made; ordered again it gives the same file");
    job_record_clear(&first);
    return status;
}
