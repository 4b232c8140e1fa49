#include "anonymizer/worker_store.h"

#include <CUnit/CUnit.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "common/encoding.h"
#include "tests/fault/fault.h"
#include "tests/lib/child.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_worker_store(void);

#define CHANGES (FAULT_WRITE | FAULT_SYNC | FAULT_UNLINK)
#define HANDLES (WORKER_LIST_MAX + 3) /* two rows */
#define SAVED 7                       /* acts before the first test */

static struct scratch scratch;
static struct error err;
static struct digest permit = {{1}}, signed_entry = {{2}};

static struct worker_store *open_store(void)
{
    struct worker_store *store = NULL;
    bool fresh = false;

    error_init(&err);
    CU_ASSERT_EQUAL_FATAL(worker_store_open(&store,
                                            scratch_path(&scratch, "state.db"),
                                            &fresh, &err),
                          OK);
    if (fresh)
        CU_ASSERT_EQUAL_FATAL(worker_store_begun(store, &err), OK);
    return store;
}

static enum job_state state_of(struct worker_store *store)
{
    struct job_record record;
    enum job_state state;
    bool found = false;

    job_record_init(&record);
    CU_ASSERT_EQUAL_FATAL(
        worker_store_find_job(store, &permit, &record, &found, &err), OK);
    CU_ASSERT_FATAL(found);
    state = record.state;
    job_record_clear(&record);
    return state;
}

static size_t count_signed(struct worker_store *store)
{
    struct digest *entry = NULL;
    size_t count = 0;

    CU_ASSERT_EQUAL_FATAL(
        worker_store_signed(store, &permit, &entry, &count, &err), OK);
    free(entry);
    return count;
}

static enum status count_told(void *context, const struct act_record *act,
                              const struct access_handle *handle,
                              struct error *ignored)
{
    size_t *count = context;

    (void)handle, (void)ignored;
    *count += act->count;
    return OK;
}

/* Ends that were saved after an act have all its number as their length. */
struct saved {
    size_t count;
    uint64_t length;
};

static enum status count_ends(void *context, const struct access_end *end,
                              size_t count, struct error *ignored)
{
    struct saved *saved = context;

    (void)ignored;
    for (size_t i = 0; i < count; i++) {
        CU_ASSERT(saved->count == 0 || end[i].length == saved->length);
        saved->length = end[i].length;
        saved->count++;
    }
    return OK;
}

static enum status save_ends(struct worker_store *store, uint64_t act)
{
    static struct access_end end[HANDLES];

    for (size_t i = 0; i < HANDLES; i++) {
        put_be64(end[i].handle.byte, i);
        end[i].length = act;
    }
    return worker_store_save_ends(store, act, end, HANDLES, &err);
}

/* A job that is RECHECKED, in a database of its own. */
static struct worker_store *prepare(void)
{
    static const enum job_state road[] = {JOB_PERMITTED, JOB_FOUND,
                                          JOB_RECHECKED};
    struct worker_store *store;
    struct job_record record;
    bool moved = false;

    scratch_close(&scratch);
    scratch_open(&scratch);
    store = open_store();
    job_record_init(&record);
    record.permit = permit;
    memset(record.release, 'a', sizeof record.release - 1);
    CU_ASSERT_EQUAL_FATAL(worker_store_add_job(store, &record, &err), OK);
    for (size_t i = 0; i < sizeof road / sizeof *road; i++) {
        enum job_state from = record.state;

        record.state = road[i];
        CU_ASSERT_EQUAL_FATAL(
            worker_store_move_job(store, from, &record, &moved, &err), OK);
    }
    job_record_clear(&record);
    CU_ASSERT_EQUAL_FATAL(save_ends(store, SAVED), OK);
    return store;
}

/* Both in one transaction: the move and the entry that is to be signed. */
static enum status propose(struct worker_store *store)
{
    struct job_record record;
    bool moved = false, found = false;
    enum status status;

    error_init(&err);
    job_record_init(&record);
    fault_on();
    status = worker_store_find_job(store, &permit, &record, &found, &err);
    if (status == OK)
        status =
            worker_store_propose(store, &record, &signed_entry, &moved, &err);
    fault_off();
    CU_ASSERT(status != OK || moved);
    job_record_clear(&record);
    return status;
}

static enum status add_act(struct worker_store *store)
{
    const struct act_record act = {
        .number = 1, .text = bytes_of_string("{}"), .count = HANDLES};
    static struct access_handle handle[HANDLES];
    enum status status;

    for (size_t i = 0; i < HANDLES; i++)
        put_be64(handle[i].byte, i);
    error_init(&err);
    fault_on();
    status = worker_store_add_act(store, &act, handle, &err);
    fault_off();
    return status;
}

/* Others are there already. */
static enum status replace_ends(struct worker_store *store)
{
    enum status status;

    error_init(&err);
    fault_on();
    status = save_ends(store, SAVED + 1);
    fault_off();
    return status;
}

/* All of it or nothing, also for whoever opens it next. */
static void expect_whole(struct worker_store **store, enum status status)
{
    struct saved saved = {.count = 0};
    size_t told = 0;
    uint64_t last = 0, act = 0;

    CU_ASSERT(status == OK || fault_happened());
    CU_ASSERT_EQUAL(status == OK, err.text[0] == '\0');
    worker_store_close(store);
    *store = open_store();
    CU_ASSERT_EQUAL(state_of(*store) == JOB_PROPOSED,
                    count_signed(*store) == 1);
    CU_ASSERT_EQUAL(worker_store_told(*store, 0, count_told, &told, &err), OK);
    CU_ASSERT_EQUAL(worker_store_last_act(*store, &last, &err), OK);
    CU_ASSERT_EQUAL(told, last * HANDLES);
    CU_ASSERT_EQUAL(worker_store_ends(*store, count_ends, &saved, &act, &err),
                    OK);
    CU_ASSERT_EQUAL(saved.count, HANDLES);
    CU_ASSERT_EQUAL(saved.length, act);
    worker_store_close(store);
}

static void run(unsigned calls, int errno_value)
{
    scratch_open(&scratch);
    fault_with_sqlite(true);
    FAULT_LOOP(calls, errno_value)
    {
        struct worker_store *store = prepare();
        enum status status = propose(store);

        if (status == OK)
            CU_ASSERT_EQUAL(state_of(store), JOB_PROPOSED);
        expect_whole(&store, status);
    }
    FAULT_LOOP(calls, errno_value)
    {
        struct worker_store *store = prepare();
        enum status status = add_act(store);
        uint64_t last = 0;

        if (status == OK) {
            CU_ASSERT_EQUAL(worker_store_last_act(store, &last, &err), OK);
            CU_ASSERT_EQUAL(last, 1);
        }
        expect_whole(&store, status);
    }
    FAULT_LOOP(calls, errno_value)
    {
        struct worker_store *store = prepare();
        enum status status = replace_ends(store);

        expect_whole(&store, status);
    }
    fault_with_sqlite(false);
    scratch_close(&scratch);
}

static void disk_that_fails_leaves_all_of_a_change_or_nothing(void)
{
    run(CHANGES, EIO);
}

static void full_disk_leaves_all_of_a_change_or_nothing(void)
{
    run(CHANGES, ENOSPC);
}

static void lack_of_memory_leaves_all_of_a_change_or_nothing(void)
{
    run(FAULT_MEMORY, ENOMEM);
}

/* ---- killed ---- */

static unsigned kill_at;

static int change_and_be_killed(void)
{
    struct worker_store *store = open_store();
    enum status status;

    fault_kill_at(CHANGES, kill_at);
    status = propose(store);
    if (status == OK)
        status = add_act(store);
    if (status == OK)
        status = replace_ends(store);
    worker_store_close(&store);
    return status == OK ? 0 : 1;
}

static void killed_at_any_write_the_journal_is_whole(void)
{
    int ended = CHILD_KILLED + SIGKILL;

    scratch_open(&scratch);
    fault_with_sqlite(true);
    for (kill_at = 0; ended == CHILD_KILLED + SIGKILL; kill_at++) {
        struct worker_store *store = prepare();

        CU_ASSERT_FATAL(kill_at < 1000);
        worker_store_close(&store);
        ended = child_run(change_and_be_killed);
        CU_ASSERT_FATAL(ended == 0 || ended == CHILD_KILLED + SIGKILL);
        store = open_store();
        expect_whole(&store, OK);
    }
    fault_with_sqlite(false);
    CU_ASSERT(kill_at > 4);
    scratch_close(&scratch);
}

void suite_worker_store(void)
{
    static const struct test tests[] = {
        {"a disk that fails leaves all of a change or nothing",
         disk_that_fails_leaves_all_of_a_change_or_nothing},
        {"a full disk leaves all of a change or nothing",
         full_disk_leaves_all_of_a_change_or_nothing},
        {"lack of memory leaves all of a change or nothing",
         lack_of_memory_leaves_all_of_a_change_or_nothing},
        {"killed at any write, the journal is whole",
         killed_at_any_write_the_journal_is_whole},
    };

    suite_add("worker_store", tests, sizeof tests / sizeof tests[0]);
}
