#include "anonymizer/worker_store.h"

#include <stdlib.h>
#include <string.h>

#include "anonymizer/worker_guard.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_worker_store(void);

static struct scratch scratch;
static struct worker_store *store;
static struct error err;

static void open_store(void)
{
    bool fresh = false;

    error_init(&err);
    CU_ASSERT_EQUAL_FATAL(worker_store_open(&store,
                                            scratch_path(&scratch, "state.db"),
                                            &fresh, &err),
                          OK);
    if (fresh)
        CU_ASSERT_EQUAL_FATAL(worker_store_begun(store, &err), OK);
}

static void begin(void)
{
    scratch_open(&scratch);
    open_store();
}

static void end(void)
{
    worker_store_close(&store);
    scratch_close(&scratch);
}

/* As after a crash: only what was synced is there. */
static void reopen(void)
{
    worker_store_close(&store);
    open_store();
}

static struct job_record make_job(uint8_t number)
{
    struct job_record job;

    job_record_init(&job);
    memset(job.permit.byte, number, DIGEST_SIZE);
    memset(job.approve.byte, 0xa0, DIGEST_SIZE);
    memset(job.request.byte, 0xb0, DIGEST_SIZE);
    memset(job.package.byte, number, DIGEST_SIZE);
    memset(job.members.byte, 0xc0, DIGEST_SIZE);
    memset(job.policy.byte, 0xd0, DIGEST_SIZE);
    memset(job.dataset.byte, 0xe0, DATASET_ID_SIZE);
    memset(job.sealed, number, sizeof job.sealed);
    memset(job.broker, 'b', sizeof job.broker - 1);
    memset(job.release, 'a' + number, sizeof job.release - 1);
    return job;
}

static void add_job(struct job_record *job)
{
    CU_ASSERT_EQUAL_FATAL(worker_store_add_job(store, job, &err), OK);
}

static void move(struct job_record *job, enum job_state to)
{
    enum job_state from = job->state;
    bool moved = false;

    job->state = to;
    CU_ASSERT_EQUAL_FATAL(worker_store_move_job(store, from, job, &moved, &err),
                          OK);
    CU_ASSERT_FATAL(moved);
}

static struct job_record find_job(const struct job_record *job)
{
    struct job_record found;
    bool is_there = false;

    job_record_init(&found);
    CU_ASSERT_EQUAL_FATAL(
        worker_store_find_job(store, &job->permit, &found, &is_there, &err),
        OK);
    CU_ASSERT_FATAL(is_there);
    return found;
}

/* ---- the journal ---- */

static void job_is_there_as_it_was_after_each_state(void)
{
    static const enum job_state road[] = {
        JOB_PERMITTED, JOB_LOADED,   JOB_FOUND,    JOB_RECHECKED,
        JOB_PROPOSED,  JOB_ANCHORED, JOB_PUBLISHED};
    struct job_record job, found;

    begin();
    job = make_job(1);
    add_job(&job);
    for (size_t i = 0; i < sizeof road / sizeof *road; i++) {
        job.expires = 1000 + i;
        job.size = i;
        job.output.byte[0] = (uint8_t)i;
        job.delimiter = ';';
        text_reset(&job.statement);
        CU_ASSERT_EQUAL(text_printf(&job.statement, &err, "{\"state\":%zu}", i),
                        OK);
        job.has_entry = road[i] >= JOB_ANCHORED;
        job.entry.byte[7] = (uint8_t)i;
        move(&job, road[i]);
        reopen();
        found = find_job(&job);
        CU_ASSERT_EQUAL(found.state, road[i]);
        CU_ASSERT_EQUAL(found.expires, 1000 + i);
        CU_ASSERT_EQUAL(found.size, i);
        CU_ASSERT_EQUAL(found.delimiter, ';');
        CU_ASSERT_STRING_EQUAL(found.statement.data, job.statement.data);
        CU_ASSERT_STRING_EQUAL(found.release, job.release);
        CU_ASSERT_STRING_EQUAL(found.broker, job.broker);
        CU_ASSERT_EQUAL(found.has_entry, job.has_entry);
        CU_ASSERT_EQUAL(memcmp(found.sealed, job.sealed, sizeof job.sealed), 0);
        CU_ASSERT_EQUAL(memcmp(&found.output, &job.output, DIGEST_SIZE), 0);
        job_record_clear(&found);
    }
    job_record_clear(&job);
    end();
}

static void job_that_somebody_else_moved_is_not_moved(void)
{
    struct job_record job, found;
    bool moved = true;

    begin();
    job = make_job(1);
    add_job(&job);
    move(&job, JOB_PERMITTED);
    job.state = JOB_REFUSED;
    CU_ASSERT_EQUAL(
        worker_store_move_job(store, JOB_RECEIVED, &job, &moved, &err), OK);
    CU_ASSERT(!moved);
    found = find_job(&job);
    CU_ASSERT_EQUAL(found.state, JOB_PERMITTED);
    job_record_clear(&found);
    job_record_clear(&job);
    end();
}

static void permit_has_one_job(void)
{
    struct job_record job;

    begin();
    job = make_job(1);
    add_job(&job);
    CU_ASSERT_EQUAL(worker_store_add_job(store, &job, &err), E_INPUT);
    job_record_clear(&job);
    end();
}

static void states_move_as_the_table_says(void)
{
    CU_ASSERT(job_state_may_move(JOB_RECEIVED, JOB_PERMITTED));
    CU_ASSERT(job_state_may_move(JOB_PROPOSED, JOB_REFUSED));
    CU_ASSERT(!job_state_may_move(JOB_RECEIVED, JOB_RECHECKED));
    CU_ASSERT(!job_state_may_move(JOB_RECHECKED, JOB_ANCHORED));
    CU_ASSERT(!job_state_may_move(JOB_ANCHORED, JOB_REFUSED));
    CU_ASSERT(!job_state_may_move(JOB_PUBLISHED, JOB_REFUSED));
    CU_ASSERT(!job_state_may_move(JOB_REFUSED, JOB_RECEIVED));
}

static void jobs_under_way_come_in_their_order(void)
{
    struct job_record job[4];
    struct digest *permit = NULL;
    size_t count = 0;

    begin();
    for (uint8_t i = 0; i < 4; i++) {
        job[i] = make_job((uint8_t)(9 - i));
        add_job(&job[i]);
    }
    move(&job[1], JOB_REFUSED);
    CU_ASSERT_EQUAL(worker_store_jobs(store, JOBS_UNDER_WAY, bytes_of(NULL, 0),
                                      &permit, &count, &err),
                    OK);
    CU_ASSERT_EQUAL_FATAL(count, 3);
    CU_ASSERT_EQUAL(memcmp(&permit[0], &job[0].permit, DIGEST_SIZE), 0);
    CU_ASSERT_EQUAL(memcmp(&permit[1], &job[2].permit, DIGEST_SIZE), 0);
    CU_ASSERT_EQUAL(memcmp(&permit[2], &job[3].permit, DIGEST_SIZE), 0);
    free(permit);
    end();
}

static void signed_entries_are_known_after_a_restart(void)
{
    struct job_record job, found;
    struct digest entry = {{0x11}}, second = {{0x22}}, *ours = NULL;
    size_t count = 0;
    bool moved = false;

    begin();
    job = make_job(1);
    add_job(&job);
    move(&job, JOB_PERMITTED);
    move(&job, JOB_FOUND);
    move(&job, JOB_RECHECKED);
    CU_ASSERT_EQUAL(worker_store_propose(store, &job, &entry, &moved, &err),
                    OK);
    CU_ASSERT(moved);
    job.state = JOB_PROPOSED;
    CU_ASSERT_EQUAL(worker_store_propose(store, &job, &second, &moved, &err),
                    OK);
    CU_ASSERT_EQUAL(worker_store_propose(store, &job, &second, &moved, &err),
                    OK);
    reopen();
    found = find_job(&job);
    CU_ASSERT_EQUAL(found.state, JOB_PROPOSED);
    CU_ASSERT_EQUAL(
        worker_store_signed(store, &job.permit, &ours, &count, &err), OK);
    CU_ASSERT_EQUAL(count, 2);
    free(ours);
    job_record_clear(&found);
    end();
}

static void refused_job_gets_no_signature(void)
{
    struct job_record job;
    struct digest entry = {{0x11}}, *ours = NULL;
    size_t count = 0;
    bool moved = true;

    begin();
    job = make_job(1);
    add_job(&job);
    move(&job, JOB_REFUSED);
    job.state = JOB_RECHECKED;
    CU_ASSERT_EQUAL(worker_store_propose(store, &job, &entry, &moved, &err),
                    OK);
    CU_ASSERT(!moved);
    CU_ASSERT_EQUAL(
        worker_store_signed(store, &job.permit, &ours, &count, &err), OK);
    CU_ASSERT_EQUAL(count, 0);
    end();
}

/* ---- datasets ---- */

static void dataset_has_one_name(void)
{
    struct dataset_record record = {.id = {{1}}}, found;
    struct digest entry = {{2}}, other = {{3}};
    bool is_there = false;

    begin();
    text_init(&record.subjects);
    CU_ASSERT_EQUAL(text_append(&record.subjects, "0123456789abcdef", 16, &err),
                    OK);
    CU_ASSERT_EQUAL(worker_store_add_dataset(store, &record, &err), OK);
    CU_ASSERT_EQUAL(worker_store_name_dataset(store, &record.id, &entry, &err),
                    OK);
    CU_ASSERT_EQUAL(worker_store_name_dataset(store, &record.id, &other, &err),
                    E_REFUSED);
    reopen();
    CU_ASSERT_EQUAL(worker_store_find_dataset(store, DATASET_BY_ENTRY,
                                              bytes_of(entry.byte, DIGEST_SIZE),
                                              true, &found, &is_there, &err),
                    OK);
    CU_ASSERT(is_there && found.named);
    CU_ASSERT_EQUAL(found.subjects.size, 16);
    dataset_record_clear(&found);
    CU_ASSERT_EQUAL(worker_store_find_dataset(store, DATASET_BY_ENTRY,
                                              bytes_of(other.byte, DIGEST_SIZE),
                                              true, &found, &is_there, &err),
                    OK);
    CU_ASSERT(!is_there);
    text_clear(&record.subjects);
    end();
}

/* ---- the guard ---- */

static enum status ask(const struct job_record *job, struct bytes list,
                       enum guard_answer *answer)
{
    struct job_record first;
    enum status status;

    job_record_init(&first);
    error_init(&err);
    status = worker_guard_ask(store, job, list, answer, &first, &err);
    job_record_clear(&first);
    return status;
}

/* A release of the dataset in that state, and another job. */
static void release_first(struct job_record *second, enum job_state state)
{
    static const enum job_state road[] = {JOB_PERMITTED, JOB_FOUND,
                                          JOB_RECHECKED, JOB_PROPOSED,
                                          JOB_ANCHORED,  JOB_PUBLISHED};
    struct job_record first = make_job(1);

    add_job(&first);
    for (size_t i = 0; first.state != state; i++)
        move(&first, road[i]);
    *second = make_job(2);
}

static void first_release_is_free_until_one_is_signed(void)
{
    struct job_record second;
    enum guard_answer answer = GUARD_WAIT;

    begin();
    release_first(&second, JOB_RECHECKED);
    second.members.byte[0] ^= 1;
    CU_ASSERT_EQUAL(ask(&second, bytes_of(NULL, 0), &answer), OK);
    CU_ASSERT_EQUAL(answer, GUARD_FIRST);
    end();
}

static void second_release_that_differs_is_refused(void)
{
    static const enum job_state states[] = {JOB_PROPOSED, JOB_ANCHORED,
                                            JOB_PUBLISHED};

    for (size_t i = 0; i < 3; i++) {
        struct job_record second;
        enum guard_answer answer;

        begin();
        release_first(&second, states[i]);
        second.members.byte[31] ^= 1;
        CU_ASSERT_EQUAL(ask(&second, bytes_of(NULL, 0), &answer), E_REFUSED);
        second.members.byte[31] ^= 1;
        second.policy.byte[0] ^= 1;
        CU_ASSERT_EQUAL(ask(&second, bytes_of(NULL, 0), &answer), E_REFUSED);
        /* Of another dataset it is the first. */
        second.dataset.byte[0] ^= 1;
        CU_ASSERT_EQUAL(ask(&second, bytes_of(NULL, 0), &answer), OK);
        CU_ASSERT_EQUAL(answer, GUARD_FIRST);
        end();
    }
}

static void same_release_waits_and_then_is_the_same(void)
{
    struct job_record second;
    enum guard_answer answer = GUARD_FIRST;

    begin();
    release_first(&second, JOB_PROPOSED);
    CU_ASSERT_EQUAL(ask(&second, bytes_of(NULL, 0), &answer), OK);
    CU_ASSERT_EQUAL(answer, GUARD_WAIT);
    end();
    begin();
    release_first(&second, JOB_PUBLISHED);
    CU_ASSERT_EQUAL(ask(&second, bytes_of(NULL, 0), &answer), OK);
    CU_ASSERT_EQUAL(answer, GUARD_SAME);
    end();
}

/* Two jobs that were made as the first one: their rows are in two orders. */
static void two_files_of_one_dataset_are_not_both_signed(void)
{
    struct job_record second;

    begin();
    release_first(&second, JOB_RECHECKED);
    second.output.byte[0] ^= 1;
    error_init(&err);
    CU_ASSERT_EQUAL(worker_guard_sign(store, &second, bytes_of(NULL, 0), &err),
                    OK);
    end();
    begin();
    release_first(&second, JOB_PROPOSED);
    CU_ASSERT_EQUAL(worker_guard_sign(store, &second, bytes_of(NULL, 0), &err),
                    E_SYSTEM);
    end();
    begin();
    release_first(&second, JOB_PUBLISHED);
    error_init(&err);
    CU_ASSERT_EQUAL(worker_guard_sign(store, &second, bytes_of(NULL, 0), &err),
                    OK);
    second.output.byte[0] ^= 1;
    CU_ASSERT_EQUAL(worker_guard_sign(store, &second, bytes_of(NULL, 0), &err),
                    E_REFUSED);
    end();
}

/* Of subjects whose ids begin with these bytes. */
static void add_dataset(const struct dataset_id *id, const char *first,
                        size_t count)
{
    struct dataset_record record = {.id = *id};

    memcpy(record.ingest, id->byte, sizeof record.ingest);
    text_init(&record.subjects);
    for (size_t i = 0; i < count; i++) {
        uint8_t subject[SUBJECT_ID_SIZE] = {(uint8_t)first[i]};

        CU_ASSERT_EQUAL(
            text_append(&record.subjects, subject, sizeof subject, &err), OK);
    }
    CU_ASSERT_EQUAL_FATAL(worker_store_add_dataset(store, &record, &err), OK);
    text_clear(&record.subjects);
}

static void release_with_an_erased_patient_is_not_repeated(void)
{
    struct job_record second;
    enum guard_answer answer;
    struct subject_id gone = {{0x22}}, stranger = {{0x33}},
                      elsewhere = {{0x44}};
    uint8_t list[3 * PERMITTED_ITEM_SIZE];
    struct permitted item = {.subject = {{0x11}}};

    begin();
    permitted_encode(&item, list);
    item.subject = gone;
    permitted_encode(&item, list + PERMITTED_ITEM_SIZE);
    item.subject = elsewhere;
    permitted_encode(&item, list + (size_t)2 * PERMITTED_ITEM_SIZE);
    release_first(&second, JOB_PUBLISHED);
    add_dataset(&second.dataset, "\x11\x22", 2);
    CU_ASSERT_EQUAL(worker_store_add_erased(store, &stranger, &err), OK);
    CU_ASSERT_EQUAL(ask(&second, bytes_of(list, sizeof list), &answer), OK);
    /* Permitted, and not in the dataset: in no release of it either. */
    CU_ASSERT_EQUAL(worker_store_add_erased(store, &elsewhere, &err), OK);
    CU_ASSERT_EQUAL(ask(&second, bytes_of(list, sizeof list), &answer), OK);
    CU_ASSERT_EQUAL(worker_store_add_erased(store, &gone, &err), OK);
    CU_ASSERT_EQUAL(worker_store_add_erased(store, &gone, &err), OK);
    reopen();
    CU_ASSERT_EQUAL(ask(&second, bytes_of(list, sizeof list), &answer),
                    E_REFUSED);
    end();
}

void suite_worker_store(void)
{
    static const struct test tests[] = {
        {"a job is there as it was after each state",
         job_is_there_as_it_was_after_each_state},
        {"a job that somebody else moved is not moved",
         job_that_somebody_else_moved_is_not_moved},
        {"a permit has one job", permit_has_one_job},
        {"states move as the table says", states_move_as_the_table_says},
        {"jobs under way come in their order",
         jobs_under_way_come_in_their_order},
        {"signed entries are known after a restart",
         signed_entries_are_known_after_a_restart},
        {"a refused job gets no signature", refused_job_gets_no_signature},
        {"a dataset has one name", dataset_has_one_name},
        {"the first release is free until one is signed",
         first_release_is_free_until_one_is_signed},
        {"a second release that differs is refused",
         second_release_that_differs_is_refused},
        {"the same release waits, and then is the same",
         same_release_waits_and_then_is_the_same},
        {"two files of one dataset are not both signed",
         two_files_of_one_dataset_are_not_both_signed},
        {"a release with an erased patient is not repeated",
         release_with_an_erased_patient_is_not_repeated},
    };

    suite_add("worker_store", tests, sizeof tests / sizeof tests[0]);
}
