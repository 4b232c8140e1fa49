#include "common/service.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "common/json.h"
#include "common/log.h"
#include "tests/lib/child.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_service(void);

/* A service in a process of its own: what is called, in order, by its first
 * letter, and what each callback does. */
static struct {
    char calls[64];
    uv_timer_t timer;
    bool has_timer;
    void (*on_start)(struct service *service);
    void (*on_stop)(struct service *service);
    enum status start_fails;
    struct service *service;
} program;
static struct error err;

static void note_call(const char *letter)
{
    size_t size = strlen(program.calls);

    snprintf(program.calls + size, sizeof program.calls - size, "%s", letter);
}

static enum status on_start(struct service *service, void *context,
                            struct error *why)
{
    (void)context;
    note_call("s");
    program.service = service;
    if (program.start_fails != OK)
        return error_set(why, program.start_fails, "no door");
    program.has_timer = true;
    uv_timer_init(service_loop(service), &program.timer);
    if (program.on_start != NULL)
        program.on_start(service);
    return OK;
}
static void on_stop(struct service *service, void *context)
{
    (void)context;
    note_call("t");
    if (!service_is_stopping(service))
        note_call("?");
    if (program.on_stop != NULL)
        program.on_stop(service);
    else
        service_finished(service);
}
static void on_end(struct service *service, void *context)
{
    (void)service;
    (void)context;
    note_call("e");
    if (program.has_timer)
        uv_close((uv_handle_t *)&program.timer, NULL);
}
static void on_reread(struct service *service, void *context)
{
    (void)context;
    note_call("r");
    if (strlen(program.calls) == 3)
        service_stop(service);
    else
        kill(getpid(), SIGHUP);
}

static void nothing(uv_work_t *work)
{
    (void)work;
}

/* A forked child inherits libuv's knowledge of its threads, but not the
 * threads; when the library is shut down it would wait for them.  Work makes it
 * start its own. */
static void own_threads(void)
{
    uv_work_t work;
    uv_loop_t loop;

    uv_loop_init(&loop);
    uv_queue_work(&loop, &work, nothing, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
}

static enum status run(int ready_fd)
{
    struct service_settings settings = {
        .name = "test",
        .shutdown_ms = 60000,
        .ready_fd = ready_fd,
        .start = on_start,
        .stop = on_stop,
        .end = on_end,
        .reread = on_reread,
    };

    alarm(60 * suite_patience()); /* rather than hang */
    own_threads();
    log_open("test", LOG_LEVEL_ERROR);
    if (program.on_stop != NULL)
        settings.shutdown_ms = 50;
    error_init(&err);
    return service_run(&settings, &err);
}

/* What a child returns: 0 if the service ended so, after these calls. */
static int ended(enum status expected, const char *calls)
{
    enum status status = run(-1);

    if (status == expected && strcmp(program.calls, calls) == 0)
        return 0;
    printf("\n    status %d, calls %s\n", (int)status, program.calls);
    return 1;
}

static void terminate_now(struct service *service)
{
    (void)service;
    kill(getpid(), SIGTERM);
}
static void interrupt_on_timer(uv_timer_t *timer)
{
    (void)timer;
    kill(getpid(), SIGINT);
}
static void interrupt_later(struct service *service)
{
    (void)service;
    uv_timer_start(&program.timer, interrupt_on_timer, 10, 0);
}

/* ---- the way down ---- */

static int stop_by_interrupt(void)
{
    program.on_start = interrupt_later;
    return ended(OK, "ste");
}
static int stop_by_signal_during_start(void)
{
    program.on_start = terminate_now;
    return ended(OK, "ste");
}
static void first_signal_stops(void)
{
    CU_ASSERT_EQUAL(child_run(stop_by_interrupt), 0);
    CU_ASSERT_EQUAL(child_run(stop_by_signal_during_start), 0);
}

static void finish_on_timer(uv_timer_t *timer)
{
    (void)timer;
    note_call("f");
    service_finished(program.service);
}
static void finish_later(struct service *service)
{
    (void)service;
    uv_timer_start(&program.timer, finish_on_timer, 10, 0);
}
static int finish_what_is_in_flight(void)
{
    program.on_start = terminate_now;
    program.on_stop = finish_later;
    return ended(OK, "stfe");
}
static void what_is_in_flight_is_finished(void)
{
    CU_ASSERT_EQUAL(child_run(finish_what_is_in_flight), 0);
}

static void do_nothing(struct service *service)
{
    (void)service;
}
static int never_finish(void)
{
    program.on_start = terminate_now;
    program.on_stop = do_nothing;
    return ended(OK, "ste");
}
static void unfinished_work_ends_at_the_deadline(void)
{
    CU_ASSERT_EQUAL(child_run(never_finish), 0);
}

/* Not even the loop has to turn. */
static void be_stuck(struct service *service)
{
    (void)service;
    kill(getpid(), SIGTERM);
    for (;;)
        pause();
}
static int second_signal(void)
{
    program.on_start = terminate_now;
    program.on_stop = be_stuck;
    return ended(OK, "never");
}
static int second_signal_of_another_kind(void)
{
    program.on_start = interrupt_later;
    program.on_stop = be_stuck;
    return ended(OK, "never");
}
static void second_signal_ends_it_at_once(void)
{
    CU_ASSERT_EQUAL(child_run(second_signal), CHILD_KILLED + SIGTERM);
    CU_ASSERT_EQUAL(child_run(second_signal_of_another_kind),
                    CHILD_KILLED + SIGTERM);
}

static void hang_up_now(struct service *service)
{
    (void)service;
    kill(getpid(), SIGHUP);
}
static int reread_twice(void)
{
    program.on_start = hang_up_now;
    return ended(OK, "srrte");
}
static void hang_up_rereads(void)
{
    CU_ASSERT_EQUAL(child_run(reread_twice), 0);
}

static int fail_at_start(void)
{
    program.start_fails = E_INPUT;
    return ended(E_INPUT, "se") + (strcmp(err.text, "no door") != 0);
}
static void fail_twice(struct service *service)
{
    struct error why;

    if (error_set(&why, E_IO, "disk full") != OK)
        service_fail(service, &why);
    if (error_set(&why, E_SYSTEM, "and more") != OK)
        service_fail(service, &why);
}
static int fail_while_it_runs(void)
{
    program.on_start = fail_twice;
    return ended(E_IO, "ste") + (strcmp(err.text, "disk full") != 0);
}
static void failures_are_returned(void)
{
    CU_ASSERT_EQUAL(child_run(fail_at_start), 0);
    CU_ASSERT_EQUAL(child_run(fail_while_it_runs), 0);
}

static void forget_the_timer(struct service *service)
{
    uv_timer_start(&program.timer, finish_on_timer, 1, 0);
    program.has_timer = false;
    service_stop(service);
}
static int forget_a_handle(void)
{
    program.on_start = forget_the_timer;
    program.on_stop = do_nothing;
    return run(-1) == OK;
}

/* ---- readiness ---- */

static int ready[2];

static int say_ready(void)
{
    program.on_start = terminate_now;
    return run(ready[1]) != OK;
}
static int fail_before_ready(void)
{
    program.start_fails = E_INPUT;
    return run(ready[1]) != E_INPUT;
}
static ssize_t said(int (*body)(void), char *text, size_t size)
{
    ssize_t got;

    CU_ASSERT_EQUAL_FATAL(pipe(ready), 0);
    CU_ASSERT_EQUAL(child_run(body), 0);
    close(ready[1]);
    got = read(ready[0], text, size);
    close(ready[0]);
    return got;
}
static void readiness_is_one_line(void)
{
    char text[16] = "";

    CU_ASSERT_EQUAL(said(say_ready, text, sizeof text), 6);
    CU_ASSERT_EQUAL(memcmp(text, "ready\n", 6), 0);
    CU_ASSERT_EQUAL(said(fail_before_ready, text, sizeof text), 0);
}
static int open_many_files(void)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_max < 300)
        return 77;
    files.rlim_cur = 256;
    if (setrlimit(RLIMIT_NOFILE, &files) != 0)
        return 77;
    program.on_start = terminate_now;
    if (run(-1) != OK || getrlimit(RLIMIT_NOFILE, &files) != 0)
        return 1;
    return files.rlim_cur != files.rlim_max &&
           files.rlim_cur < SERVICE_FILES_MAX;
}
static void as_many_files_as_allowed_may_be_open(void)
{
    int result = child_run(open_many_files);

    CU_ASSERT(result == 0 || result == 77);
}
static int ready_to_nobody(void)
{
    signal(SIGPIPE, SIG_IGN);
    program.on_start = terminate_now;
    return run(ready[1]) != OK;
}
static void readiness_that_nobody_hears_is_no_failure(void)
{
    CU_ASSERT_EQUAL_FATAL(pipe(ready), 0);
    close(ready[0]);
    CU_ASSERT_EQUAL(child_run(ready_to_nobody), 0);
    close(ready[1]);
}

/* ---- jobs ---- */

#define JOBS 200

static struct {
    pthread_t loop_thread;
    atomic_uint running, most, run;
    unsigned done, undone;
    bool is_wrong;
    struct service_job *job;
} jobs;

static void work(void *context, const atomic_bool *is_cancelled)
{
    unsigned now = atomic_fetch_add(&jobs.running, 1) + 1;
    unsigned most = atomic_load(&jobs.most);

    (void)context;
    (void)is_cancelled;
    while (now > most && !atomic_compare_exchange_weak(&jobs.most, &most, now))
        continue;
    usleep(200);
    atomic_fetch_add(&jobs.run, 1);
    atomic_fetch_sub(&jobs.running, 1);
}
static void done(void *context, bool has_run)
{
    (void)context;
    if (!pthread_equal(pthread_self(), jobs.loop_thread))
        jobs.is_wrong = true;
    if (has_run)
        jobs.done++;
    else
        jobs.undone++;
    if (jobs.done == JOBS)
        service_stop(program.service);
}
static void start_jobs(struct service *service)
{
    jobs.loop_thread = pthread_self();
    for (int i = 0; i < JOBS; i++)
        if (service_do(service, work, done, NULL, NULL, &err) != OK)
            jobs.is_wrong = true;
}
static int run_jobs(void)
{
    program.on_start = start_jobs;
    return ended(OK, "ste") + (jobs.done != JOBS || jobs.undone != 0) +
           jobs.is_wrong +
           (atomic_load(&jobs.most) > sysconf(_SC_NPROCESSORS_ONLN));
}
static void jobs_run_in_threads_and_end_on_the_loop(void)
{
    CU_ASSERT_EQUAL(child_run(run_jobs), 0);
}

static void work_until_cancelled(void *context, const atomic_bool *is_cancelled)
{
    (void)context;
    atomic_fetch_add(&jobs.running, 1);
    while (!atomic_load(is_cancelled))
        usleep(100);
    atomic_fetch_add(&jobs.run, 1);
}
static void start_endless_jobs(struct service *service)
{
    jobs.loop_thread = pthread_self();
    for (int i = 0; i < JOBS; i++)
        if (service_do(service, work_until_cancelled, done, NULL, NULL, &err) !=
            OK)
            jobs.is_wrong = true;
    terminate_now(service);
}
static int end_with_jobs(void)
{
    program.on_start = start_endless_jobs;
    return ended(OK, "ste") + (jobs.done + jobs.undone != JOBS) +
           (jobs.done != atomic_load(&jobs.run)) + (jobs.undone == 0) +
           jobs.is_wrong;
}
static void end_cancels_all_jobs(void)
{
    CU_ASSERT_EQUAL(child_run(end_with_jobs), 0);
}

/* Once it runs. */
static void cancel_on_timer(uv_timer_t *timer)
{
    if (atomic_load(&jobs.running) == 0)
        return;
    uv_timer_stop(timer);
    service_cancel(jobs.job);
    note_call("c");
}
static void done_alone(void *context, bool has_run)
{
    (void)context;
    note_call(has_run ? "d" : "?");
    service_stop(program.service);
}
static void start_one_job(struct service *service)
{
    if (service_do(service, work_until_cancelled, done_alone, NULL, &jobs.job,
                   &err) != OK)
        jobs.is_wrong = true;
    uv_timer_start(&program.timer, cancel_on_timer, 10, 10);
}
static int cancel_one(void)
{
    program.on_start = start_one_job;
    return ended(OK, "scdte") + jobs.is_wrong;
}
static void job_can_be_cancelled(void)
{
    CU_ASSERT_EQUAL(child_run(cancel_one), 0);
}

static void start_too_many(struct service *service)
{
    unsigned count = 0;

    while (service_do(service, work_until_cancelled, done, NULL, NULL, &err) ==
           OK)
        count++;
    jobs.loop_thread = pthread_self();
    jobs.is_wrong =
        err.status != E_LIMIT || count < SERVICE_JOBS_MAX ||
        count > SERVICE_JOBS_MAX + (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
    terminate_now(service);
}
static int too_many(void)
{
    program.on_start = start_too_many;
    return ended(OK, "ste") + jobs.is_wrong;
}
static void too_many_jobs_are_refused(void)
{
    CU_ASSERT_EQUAL(child_run(too_many), 0);
}

static void handle_that_stays_is_a_mistake(void)
{
    CU_ASSERT(child_aborts(forget_a_handle));
}

/* ---- configuration ---- */

static enum status take(struct bytes content, void *target, struct error *why)
{
    return json_parse(target, content, why);
}

static enum status load(const struct scratch *scratch, const char *text)
{
    struct json *config = NULL;
    enum status status;

    scratch_write(scratch, "config.json", text);
    error_init(&err);
    status = service_load_config(scratch_path(scratch, "config.json"), take,
                                 &config, &err);
    CU_ASSERT_EQUAL(status == OK, config != NULL);
    CU_ASSERT(status == OK || strstr(err.text, scratch->path) != NULL);
    json_destroy(&config);
    return status;
}
static void configuration_is_loaded_from_a_private_folder(void)
{
    struct scratch scratch;

    scratch_open(&scratch);
    CU_ASSERT_EQUAL(chmod(scratch.path, 0700), 0);
    CU_ASSERT_EQUAL(load(&scratch, "{}"), OK);
    CU_ASSERT_EQUAL(load(&scratch, "{\n{}"), E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "config.json: line 2"));
    CU_ASSERT_EQUAL(chmod(scratch.path, 0750), 0);
    CU_ASSERT_EQUAL(load(&scratch, "{}"), E_REFUSED);
    scratch_close(&scratch);
}

void suite_service(void)
{
    static const struct test tests[] = {
        {"the first signal stops, also one during start", first_signal_stops},
        {"what is in flight is finished", what_is_in_flight_is_finished},
        {"unfinished work ends at the deadline",
         unfinished_work_ends_at_the_deadline},
        {"a second signal ends it at once, stuck or not",
         second_signal_ends_it_at_once},
        {"SIGHUP rereads", hang_up_rereads},
        {"failures are returned", failures_are_returned},
        {"a handle that stays is a mistake of ours",
         handle_that_stays_is_a_mistake},
        {"as many files as allowed may be open",
         as_many_files_as_allowed_may_be_open},
        {"readiness is one line, and only then", readiness_is_one_line},
        {"readiness that nobody hears is no failure",
         readiness_that_nobody_hears_is_no_failure},
        {"jobs run in threads and end on the loop",
         jobs_run_in_threads_and_end_on_the_loop},
        {"the end cancels all jobs", end_cancels_all_jobs},
        {"a job can be cancelled", job_can_be_cancelled},
        {"too many jobs are refused", too_many_jobs_are_refused},
        {"the configuration is loaded, from a private folder only",
         configuration_is_loaded_from_a_private_folder},
    };

    suite_add("service", tests, sizeof tests / sizeof tests[0]);
}
