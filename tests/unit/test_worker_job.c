#include "anonymizer/worker_job.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_worker_job(void);

#define BROKER "0123456789abcdef0123456789abcdef"
#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
#define DAY_MS (UINT64_C(24) * 60 * 60 * 1000)

static struct scratch scratch;
static char jobs[SCRATCH_PATH_MAX];
static struct worker_config config;
static struct worker worker;
static struct error err;
static const struct digest permit; /* its id is all zeros */

/* A worker without nodes, desk and runner: a job that waits for the log waits
 * for ever. */
static void open_all(void)
{
    struct worker_events_settings settings;
    bool fresh = false;

    log_open("test", LOG_LEVEL_ERROR);
    error_init(&err);
    worker = (struct worker){.options.config = &config};
    pthread_mutex_init(&worker.lock, NULL);
    pthread_cond_init(&worker.kicked, NULL);
    CU_ASSERT_EQUAL_FATAL(worker_store_open(&worker.store,
                                            scratch_path(&scratch, "state.db"),
                                            &fresh, &err),
                          OK);
    if (fresh) {
        CU_ASSERT_EQUAL_FATAL(
            worker_secret_create(scratch_path(&scratch, "secret.key"), &err),
            OK);
        CU_ASSERT_EQUAL_FATAL(worker_store_begun(worker.store, &err), OK);
    }
    CU_ASSERT_EQUAL_FATAL(
        worker_secret_open(&worker.secret, scratch_path(&scratch, "secret.key"),
                           &err),
        OK);
    settings = (struct worker_events_settings){.store = worker.store,
                                               .secret = worker.secret};
    CU_ASSERT_EQUAL_FATAL(worker_events_open(&worker.events, &settings, &err),
                          OK);
}

static void close_all(void)
{
    worker_events_close(&worker.events);
    worker_secret_close(&worker.secret);
    worker_store_close(&worker.store);
    pthread_cond_destroy(&worker.kicked);
    pthread_mutex_destroy(&worker.lock);
}

static void begin(void)
{
    scratch_open(&scratch);
    snprintf(jobs, sizeof jobs, "%s/jobs", scratch.path);
    CU_ASSERT_EQUAL_FATAL(mkdir(jobs, 0700), 0);
    config.jobs = jobs;
    open_all();
}

static void end(void)
{
    close_all();
    scratch_close(&scratch);
}

/* What a broker sends that says so of its permit. */
static void receive(const char *statement, struct job_record *record)
{
    static const uint8_t seed[PERMITTED_SEED_SIZE], list[PERMITTED_ITEM_SIZE];
    char package[2048];
    struct job_delivery delivery = {.permit = &permit,
                                    .broker = BROKER,
                                    .seed = bytes_of(seed, sizeof seed),
                                    .list = bytes_of(list, sizeof list)};
    int size = snprintf(
        package, sizeof package,
        "{\"package\":1,\"request\":\"" ZEROS "\",\"approve\":\"" ZEROS
        "\",\"permit\":\"" ZEROS "\",\"terms\":{\"salt\":\"" ZEROS
        "\",\"statement\":\"none\"},\"permit_statement\":{\"salt\":\"" ZEROS
        "\",\"statement\":\"%s\"},\"bundle\":\"none\"}",
        statement);

    CU_ASSERT_FATAL(size > 0 && (size_t)size < sizeof package);
    delivery.package = bytes_of(package, (size_t)size);
    CU_ASSERT_EQUAL_FATAL(worker_job_receive(&worker, &delivery, record, &err),
                          OK);
}

static void receive_until(uint64_t expires, struct job_record *record)
{
    char statement[512];

    snprintf(statement, sizeof statement,
             "{\\\"count\\\":1,\\\"expires\\\":%ju,\\\"root\\\":\\\"" ZEROS
             "\\\",\\\"size\\\":1,\\\"statement\\\":\\\"permit 1\\\"}",
             (uintmax_t)expires);
    receive(statement, record);
}

static bool has_folder(void)
{
    return access(scratch_path(&scratch, "jobs/" ZEROS "/package.json"),
                  F_OK) == 0;
}

static void job_keeps_the_end_that_its_package_says(void)
{
    uint64_t expires = clock_now_ms() + 60000;
    struct job_record record, again;
    bool found = false;

    begin();
    job_record_init(&record);
    job_record_init(&again);
    receive_until(expires, &record);
    CU_ASSERT_EQUAL(
        worker_store_find_job(worker.store, &permit, &again, &found, &err), OK);
    CU_ASSERT(found && again.state == JOB_RECEIVED);
    CU_ASSERT_EQUAL(again.expires, expires);
    job_record_clear(&again);
    job_record_clear(&record);
    end();
}

/* Whatever a broker says: a permit lasts a day at most. */
static void job_does_not_wait_for_longer_than_a_day(void)
{
    static const char *const unread[] = {"none", "{}"};
    struct job_record record;

    for (size_t i = 0; i < 3; i++) {
        uint64_t before = clock_now_ms();

        begin();
        job_record_init(&record);
        if (i < 2)
            receive(unread[i], &record);
        else
            receive_until(before + UINT64_C(1000) * DAY_MS, &record);
        CU_ASSERT(record.expires >= before + DAY_MS);
        CU_ASSERT(record.expires <= clock_now_ms() + DAY_MS);
        job_record_clear(&record);
        end();
    }
}

/* The log was never asked, so no node has to be there. */
static void received_job_ends_with_its_permit_and_leaves_nothing(void)
{
    struct job_record record;
    bool waits = false, found = false;

    begin();
    job_record_init(&record);
    receive_until(clock_now_ms() - 1, &record);
    CU_ASSERT(has_folder());
    close_all(); /* nobody was there when it ended */
    open_all();
    CU_ASSERT_EQUAL(worker_job_sweep(&worker, &err), OK);
    CU_ASSERT(has_folder());
    CU_ASSERT_EQUAL(
        worker_store_find_job(worker.store, &permit, &record, &found, &err),
        OK);
    CU_ASSERT_EQUAL(worker_job_step(&worker, &record, &waits, &err), E_REFUSED);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "expired"));
    CU_ASSERT_EQUAL(
        worker_job_refuse(&worker, &permit, err.status, err.text, &err), OK);
    CU_ASSERT(!has_folder());
    CU_ASSERT_EQUAL(
        worker_store_find_job(worker.store, &permit, &record, &found, &err),
        OK);
    CU_ASSERT(found && record.state == JOB_REFUSED);
    job_record_clear(&record);
    end();
}

void suite_worker_job(void)
{
    static const struct test tests[] = {
        {"a job keeps the end that its package says",
         job_keeps_the_end_that_its_package_says},
        {"a job does not wait for longer than a day",
         job_does_not_wait_for_longer_than_a_day},
        {"a received job ends with its permit and leaves nothing",
         received_job_ends_with_its_permit_and_leaves_nothing},
    };

    suite_add("worker_job", tests, sizeof tests / sizeof *tests);
}
