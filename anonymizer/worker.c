#include "anonymizer/worker.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "anonymizer/worker_desk.h"
#include "anonymizer/worker_internal.h"
#include "anonymizer/worker_job.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/process.h"

/* Each question to the nodes; whoever asks us waits longer than that. */
#define LEDGER_TIMEOUT_MS 5000

/* ---- what both threads say to each other ---- */

void worker_kick(struct worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    worker->kick = true;
    pthread_cond_signal(&worker->kicked);
    pthread_mutex_unlock(&worker->lock);
}

void worker_cancel(struct worker *worker, const struct digest *permit)
{
    pthread_mutex_lock(&worker->lock);
    if (worker->runs && memcmp(&worker->running, permit, sizeof *permit) == 0)
        atomic_store(&worker->cancel, true);
    pthread_mutex_unlock(&worker->lock);
}

/* False if we are about to stop. */
static bool begin_step(struct worker *worker, const struct digest *permit)
{
    bool goes_on;

    pthread_mutex_lock(&worker->lock);
    goes_on = !atomic_load(&worker->stopping);
    if (goes_on) {
        atomic_store(&worker->cancel, false);
        worker->running = *permit;
        worker->runs = true;
    }
    pthread_mutex_unlock(&worker->lock);
    return goes_on;
}

static void end_step(struct worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    worker->runs = false;
    pthread_mutex_unlock(&worker->lock);
}

/* ---- the runner: failures ---- */

/* The same failure, again and again, is one line. */
static void tell(struct worker *worker, const struct error *err)
{
    if (strcmp(worker->told.text, err->text) != 0)
        log_warning("%s", err->text);
    worker->told = *err;
}

static size_t find_tries(const struct worker *worker,
                         const struct digest *permit)
{
    size_t i = 0;

    while (i < worker->tries_count &&
           memcmp(&worker->tries[i].permit, permit, sizeof *permit) != 0)
        i++;
    return i;
}

static unsigned count_try(struct worker *worker, const struct digest *permit)
{
    size_t at = find_tries(worker, permit);

    if (at == worker->tries_count) {
        /* More jobs than can be under way: those have ended. */
        if (at == WORKER_JOBS_MAX)
            at = worker->tries_count = 0;
        worker->tries[worker->tries_count++] =
            (struct job_tries){.permit = *permit};
    }
    return ++worker->tries[at].count;
}

static void forget_tries(struct worker *worker, const struct digest *permit)
{
    size_t at = find_tries(worker, permit);

    if (at < worker->tries_count)
        worker->tries[at] = worker->tries[--worker->tries_count];
}

/* Will it fail the next time, too? */
static bool is_final(enum status status)
{
    return status != E_SYSTEM && status != E_IO && status != E_MEMORY &&
           status != E_CANCELLED;
}

/* While a file is made, the machine may fail so often; before and after it, it
 * is the log that has to be waited for. */
static bool is_making(enum job_state state)
{
    return state == JOB_PERMITTED || state == JOB_LOADED || state == JOB_FOUND;
}

static void give_up(struct worker *worker, const struct job_record *record,
                    const struct error *why)
{
    struct error err;

    error_init(&err);
    forget_tries(worker, &record->permit);
    if (worker_job_refuse(worker, &record->permit, why->status, why->text,
                          &err) != OK)
        tell(worker, &err);
}

static void take_failure(struct worker *worker, const struct job_record *record,
                         const struct error *why)
{
    /* An anchored one is released: there is no way back. */
    bool may_end = record->state != JOB_ANCHORED;

    if (why->status == E_CANCELLED)
        return;
    if (may_end && (is_final(why->status) ||
                    (is_making(record->state) &&
                     count_try(worker, &record->permit) >= WORKER_TRIES_MAX)))
        give_up(worker, record, why);
    else
        tell(worker, why);
}

/* ---- the runner: jobs ---- */

/* As far as it goes. */
static void work_on(struct worker *worker, const struct digest *permit)
{
    struct job_record record;
    struct error err;
    bool found = false, waits = false;
    enum status status;

    error_init(&err);
    job_record_init(&record);
    status =
        worker_store_find_job(worker->store, permit, &record, &found, &err);
    while (status == OK && found && !waits && begin_step(worker, permit)) {
        status = worker_job_step(worker, &record, &waits, &err);
        end_step(worker);
        if (status == OK)
            forget_tries(worker, permit);
    }
    if (status != OK && found && !atomic_load(&worker->stopping))
        take_failure(worker, &record, &err);
    else if (status != OK && !found)
        tell(worker, &err);
    job_record_clear(&record);
}

static void work_on_all(struct worker *worker)
{
    struct digest *permit = NULL;
    size_t count = 0;
    struct error err;

    error_init(&err);
    if (worker_store_jobs(worker->store, JOBS_UNDER_WAY, bytes_of(NULL, 0),
                          &permit, &count, &err) != OK)
        tell(worker, &err);
    for (size_t i = 0; i < count && !atomic_load(&worker->stopping); i++)
        work_on(worker, &permit[i]);
    free(permit);
}

static void anchor_events(struct worker *worker)
{
    struct error err;
    enum status status;

    error_init(&err);
    status = worker_events_anchor(worker->events, worker->client, &err);
    if (status != OK && status != E_CANCELLED)
        tell(worker, &err);
}

/* Until there is news, or it is time to look again. */
static void wait_for_news(struct worker *worker)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += WORKER_PAUSE_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_mutex_lock(&worker->lock);
    if (!worker->kick && !atomic_load(&worker->stopping))
        pthread_cond_timedwait(&worker->kicked, &worker->lock, &until);
    worker->kick = false;
    pthread_mutex_unlock(&worker->lock);
}

static void *run(void *context)
{
    struct worker *worker = context;
    uint64_t anchored_ms = 0;

    while (!atomic_load(&worker->stopping)) {
        work_on_all(worker);
        if (clock_steady_ms() - anchored_ms >= WORKER_ANCHOR_MS) {
            anchor_events(worker);
            anchored_ms = clock_steady_ms();
        }
        wait_for_news(worker);
    }
    return NULL;
}

/* ---- opening ---- */

/* Folders are ours alone; what is published is renamed from one to the
 * other. */
static enum status check_folders(const struct worker_config *config,
                                 struct error *err)
{
    struct stat jobs, releases;
    enum status status = process_check_folder(config->jobs, err);

    if (status == OK)
        status = process_check_folder(config->releases, err);
    if (status == OK && (stat(config->jobs, &jobs) != 0 ||
                         stat(config->releases, &releases) != 0 ||
                         jobs.st_dev != releases.st_dev))
        status =
            error_set(err, E_INPUT, "%s and %s have to be on one file system",
                      config->jobs, config->releases);
    return status;
}

/* Database, secret and keys, all of them new or none.  A beginning that a crash
 * has ended is one still: the database counts, and comes last. */
static enum status open_stores(struct worker *worker, struct error *err)
{
    const struct worker_config *config = worker->options.config;
    struct worker_vault_settings vault = {
        .path = config->vault,
        .keys = {.database = config->keys, .epoch_folder = config->epoch},
        .threads = worker_config_threads(config)};
    bool fresh = false;
    enum status status =
        worker_store_open(&worker->store, config->database, &fresh, err);

    if (status == OK && fresh && access(config->secret, F_OK) != 0)
        status = worker_secret_create(config->secret, err);
    if (status == OK)
        status = worker_secret_open(&worker->secret, config->secret, err);
    vault.fresh = fresh;
    if (status == OK)
        status = worker_vault_open(&worker->vault, &vault, err);
    if (status == OK && fresh)
        status = worker_store_begun(worker->store, err);
    return status;
}

static enum status open_parts(struct worker *worker, struct error *err)
{
    const struct worker_options *options = &worker->options;
    const struct worker_events_settings events = {.store = worker->store,
                                                  .secret = worker->secret,
                                                  .genesis = options->genesis,
                                                  .self = options->self};
    enum status status = worker_events_open(&worker->events, &events, err);

    if (status == OK)
        status = worker_ingests_create(&worker->ingests, worker->vault,
                                       worker->store, err);
    if (status == OK)
        status = worker_ingests_compare(worker->ingests, err);
    if (status == OK)
        status = worker_fetches_create(&worker->fetches, worker->store,
                                       worker->events,
                                       options->config->releases, err);
    if (status == OK)
        status = worker_denials_create(&worker->denials, worker->events, err);
    return status == OK ? worker_job_sweep(worker, err) : status;
}

static enum status start_runner(struct worker *worker, struct error *err)
{
    enum status status;
    int result;

    worker->client_options =
        (struct client_options){.network = worker->options.network,
                                .user = worker->options.self,
                                .timeout_ms = LEDGER_TIMEOUT_MS,
                                .cancel = &worker->stopping};
    status = client_open(&worker->client, &worker->client_options, err);
    if (status == OK)
        status = lane_open(&worker->lane, worker->options.loop, err);
    if (status != OK)
        return status;
    result = pthread_create(&worker->runner.thread, NULL, run, worker);
    if (result != 0)
        return error_set_errno(err, E_SYSTEM, result, "the thread of jobs");
    worker->started = true;
    return OK;
}

static enum status open_desk(struct worker *worker, struct error *err)
{
    const struct worker_options *options = &worker->options;
    struct desk_settings *settings = &worker->desk_settings;

    *settings = (struct desk_settings){.loop = options->loop,
                                       .name = options->config->name,
                                       .network = options->network,
                                       .genesis = options->genesis,
                                       .self = options->self,
                                       .listen = options->config->listen,
                                       .ledger_timeout_ms = LEDGER_TIMEOUT_MS,
                                       .idle = worker_desk_idle,
                                       .idle_ms = WORKER_ANCHOR_MS,
                                       .denied = worker_desk_denied,
                                       .context = worker};
    settings->row = worker_desk_rows(&settings->row_count);
    return desk_open(&worker->desk, settings, err);
}

static void worker_destroy(struct worker *worker)
{
    client_close(&worker->client);
    worker_denials_destroy(&worker->denials); /* tells events */
    worker_fetches_destroy(&worker->fetches);
    worker_ingests_destroy(&worker->ingests);
    worker_events_close(&worker->events);
    worker_vault_close(&worker->vault);
    worker_secret_close(&worker->secret);
    worker_store_close(&worker->store);
    pthread_cond_destroy(&worker->kicked);
    pthread_mutex_destroy(&worker->lock);
    free(worker);
}

enum status worker_open(struct worker **out,
                        const struct worker_options *options, struct error *err)
{
    struct worker *worker = calloc(1, sizeof *worker);
    enum status status;

    *out = NULL;
    if (worker == NULL)
        return error_memory(err, "the anonymizer");
    worker->options = *options;
    error_init(&worker->told);
    pthread_mutex_init(&worker->lock, NULL);
    pthread_cond_init(&worker->kicked, NULL);
    status = check_folders(options->config, err);
    if (status == OK)
        status = open_stores(worker, err);
    if (status == OK)
        status = open_parts(worker, err);
    if (status == OK)
        status = start_runner(worker, err);
    if (status == OK)
        status = open_desk(worker, err);
    if (status != OK) {
        worker_close(&worker, NULL, NULL);
        return status;
    }
    *out = worker;
    return OK;
}

/* ---- closing ---- */

static void runner_ended(void *context)
{
    struct worker *worker = context;
    void (*closed)(void *) = worker->closed;
    void *closed_context = worker->context;

    worker_destroy(worker);
    if (closed != NULL)
        closed(closed_context);
}

static void join_runner(struct lane_job *job)
{
    const struct runner_end *runner = (const struct runner_end *)job;

    pthread_join(runner->thread, NULL);
}

static void runner_joined(struct lane_job *job)
{
    (void)job;
}

/* Its step may take a while to come to an end: a batch of rows, a synced
 * write. */
static void desk_closed(void *context)
{
    struct worker *worker = context;

    if (worker->lane == NULL) {
        runner_ended(worker);
        return;
    }
    worker->runner.job.work = join_runner;
    worker->runner.job.done = runner_joined;
    if (worker->started)
        lane_push(worker->lane, &worker->runner.job);
    lane_close(&worker->lane, runner_ended, worker);
}

void worker_close(struct worker **handle, void (*closed)(void *context),
                  void *context)
{
    struct worker *worker = *handle;

    if (worker == NULL)
        return;
    *handle = NULL;
    worker->closed = closed;
    worker->context = context;
    pthread_mutex_lock(&worker->lock);
    atomic_store(&worker->stopping, true);
    atomic_store(&worker->cancel, true);
    pthread_cond_signal(&worker->kicked);
    pthread_mutex_unlock(&worker->lock);
    if (worker->desk != NULL)
        desk_close(&worker->desk, desk_closed, worker);
    else
        desk_closed(worker);
}
