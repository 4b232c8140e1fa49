#include "common/service.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uv.h>

#include "common/log.h"
#include "common/process.h"
#include "common/states.h"
#include "common/text.h"

#define SERVICE_STATES(X)                                                      \
    X(SERVICE_STARTING, "starting",                                            \
      STATES_TO(SERVICE_RUNNING) | STATES_TO(SERVICE_ENDING))                  \
    X(SERVICE_RUNNING, "running", STATES_TO(SERVICE_STOPPING))                 \
    X(SERVICE_STOPPING, "stopping", STATES_TO(SERVICE_ENDING))                 \
    X(SERVICE_ENDING, "ending", 0)

enum service_state { SERVICE_STATES(STATES_ENUM) };
static const struct states_row service_rows[] = {SERVICE_STATES(STATES_ROW)};
static const struct states_table service_table =
    STATES_TABLE("service", service_rows);

static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
#define SIGNAL_COUNT (sizeof signals / sizeof signals[0])

struct service_job {
    struct service *service;
    service_work *work;
    service_done *done;
    void *context;
    atomic_bool is_cancelled;
    bool has_run;
    uv_work_t request;
    struct service_job *next; /* among those that wait or run */
};

/* In the order in which they came. */
struct job_list {
    struct service_job *first, **end;
};

struct service {
    struct service_settings settings;
    uv_loop_t loop;
    struct states states;
    uv_signal_t signal[SIGNAL_COUNT];
    uv_timer_t deadline;
    uv_async_t finished;
    struct job_list waiting, running;
    unsigned waiting_count, running_count, running_max;
    bool wants_stop; /* before it was running */
    struct error failure;
};

/* ---- jobs ---- */

static void job_list_init(struct job_list *list)
{
    list->first = NULL;
    list->end = &list->first;
}

static void job_append(struct job_list *list, struct service_job *job)
{
    job->next = NULL;
    *list->end = job;
    list->end = &job->next;
}

static void job_remove(struct job_list *list, struct service_job *job)
{
    struct service_job **at = &list->first;

    while (*at != job)
        at = &(*at)->next;
    *at = job->next;
    if (job->next == NULL)
        list->end = at;
}

static void job_run(uv_work_t *request)
{
    struct service_job *job = request->data;

    if (atomic_load(&job->is_cancelled))
        return;
    job->has_run = true;
    job->work(job->context, &job->is_cancelled);
}

static void job_over(uv_work_t *request, int code);

/* As many as may run. */
static void start_jobs(struct service *service)
{
    while (service->waiting.first != NULL &&
           service->running_count < service->running_max) {
        struct service_job *job = service->waiting.first;
        int code;

        job_remove(&service->waiting, job);
        service->waiting_count--;
        job_append(&service->running, job);
        service->running_count++;
        code = uv_queue_work(&service->loop, &job->request, job_run, job_over);
        assert(code == 0);
    }
}

static void job_over(uv_work_t *request, int code)
{
    struct service_job *job = request->data;
    struct service *service = job->service;

    assert(code == 0);
    job_remove(&service->running, job);
    service->running_count--;
    job->done(job->context, job->has_run);
    free(job);
    start_jobs(service);
}

enum status service_do(struct service *service, service_work *work,
                       service_done *done, void *context,
                       struct service_job **out, struct error *err)
{
    struct service_job *job;

    if (service->waiting_count >= SERVICE_JOBS_MAX)
        return error_set(err, E_LIMIT, "busy: %d jobs wait already",
                         SERVICE_JOBS_MAX);
    job = calloc(1, sizeof *job);
    if (job == NULL)
        return error_memory(err, "a job");
    job->service = service;
    job->work = work;
    job->done = done;
    job->context = context;
    job->request.data = job;
    /* Who asks for work when all is over gets it back undone. */
    atomic_init(&job->is_cancelled, service->states.now == SERVICE_ENDING);
    job_append(&service->waiting, job);
    service->waiting_count++;
    if (out != NULL)
        *out = job;
    start_jobs(service);
    return OK;
}

void service_cancel(struct service_job *job)
{
    atomic_store(&job->is_cancelled, true);
}

static void cancel_all(struct job_list *list)
{
    for (struct service_job *job = list->first; job != NULL; job = job->next)
        service_cancel(job);
}

/* libuv reads the size of its pool once, when the first work comes. */
static void size_pool(struct service *service)
{
    unsigned cores = process_cores(THREADS_MAX - SERVICE_FILE_THREADS);
    char size[16];

    service->running_max = cores;
    snprintf(size, sizeof size, "%u", cores + SERVICE_FILE_THREADS);
    setenv("UV_THREADPOOL_SIZE", size, 1);
}

/* Whoever connects takes a descriptor, even if it is let in no further. */
static void raise_files(void)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return;
    if (files.rlim_cur < SERVICE_FILES_MAX) {
        files.rlim_cur = files.rlim_max < SERVICE_FILES_MAX ? files.rlim_max
                                                            : SERVICE_FILES_MAX;
        (void)setrlimit(RLIMIT_NOFILE, &files); /* what came of it is asked */
    }
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 &&
        files.rlim_cur < SERVICE_FILES_WANTED)
        log_warning("%ju files may be open, and each connection is one: "
                    "\"ulimit -n\" should allow %d",
                    (uintmax_t)files.rlim_cur, SERVICE_FILES_WANTED);
}

/* ---- the way down ---- */

static void close_handle(void *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

/* Everything goes; the loop runs until the last handle is closed and the last
 * job is over. */
static void end(struct service *service)
{
    states_move(&service->states, SERVICE_ENDING);
    cancel_all(&service->waiting);
    cancel_all(&service->running);
    service->settings.end(service, service->settings.context);
    for (size_t i = 0; i < SIGNAL_COUNT; i++)
        close_handle(&service->signal[i]);
    close_handle(&service->deadline);
    close_handle(&service->finished);
}

static void on_finished(uv_async_t *async)
{
    struct service *service = async->data;

    if (service->states.now == SERVICE_STOPPING)
        end(service);
}

static void on_deadline(uv_timer_t *timer)
{
    struct service *service = timer->data;

    log_warning("not finished after %ju ms: ending all the same",
                (uintmax_t)service->settings.shutdown_ms);
    end(service);
}

bool service_is_stopping(const struct service *service)
{
    return service->states.now >= SERVICE_STOPPING;
}

/* Not from within stop(): what it does would end under its feet. */
void service_finished(struct service *service)
{
    assert(service->states.now >= SERVICE_STOPPING);
    if (service->states.now == SERVICE_STOPPING)
        uv_async_send(&service->finished);
}

void service_stop(struct service *service)
{
    if (service->states.now == SERVICE_STARTING)
        service->wants_stop = true;
    if (service->states.now != SERVICE_RUNNING)
        return;
    states_move(&service->states, SERVICE_STOPPING);
    /* The next such signal finds the system's own handler, which ends us even
     * if the loop is stuck. */
    for (size_t i = 0; i < SIGNAL_COUNT; i++)
        if (signals[i] != SIGHUP)
            uv_signal_stop(&service->signal[i]);
    uv_timer_start(&service->deadline, on_deadline,
                   service->settings.shutdown_ms, 0);
    log_info("stopping");
    service->settings.stop(service, service->settings.context);
}

void service_fail(struct service *service, const struct error *why)
{
    assert(why->status != OK);
    if (service->failure.status == OK)
        service->failure = *why;
    service_stop(service);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct service *service = handle->data;

    if (number != SIGHUP)
        service_stop(service);
    else if (service->settings.reread != NULL &&
             service->states.now == SERVICE_RUNNING)
        service->settings.reread(service, service->settings.context);
}

/* ---- the way up ---- */

/* Whoever started us may be gone; others want the service all the same. */
static void say_ready(int fd)
{
    struct error err;

    if (fd < 0)
        return;
    if (descriptor_write(fd, bytes_of_string("ready\n"), "--ready-fd", &err) !=
        OK)
        log_warning("nobody was told that this is ready: %s", err.text);
    close(fd);
}

/* Signals that come while we start are kept for the loop. */
static enum status catch_signals(struct service *service, struct error *err)
{
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        uv_signal_init(&service->loop, &service->signal[i]);
        service->signal[i].data = service;
    }
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        int code = uv_signal_start(&service->signal[i], on_signal, signals[i]);

        if (code != 0)
            return error_set(err, E_SYSTEM, "catching signals: %s",
                             uv_strerror(code));
    }
    return OK;
}

static enum status start(struct service *service, struct error *err)
{
    const struct service_settings *settings = &service->settings;
    enum status status = catch_signals(service, err);

    if (status == OK)
        status = settings->start(service, settings->context, err);
    if (status != OK) {
        end(service);
        return status;
    }
    say_ready(settings->ready_fd);
    states_move(&service->states, SERVICE_RUNNING);
    log_info("ready");
    if (service->wants_stop)
        service_stop(service);
    return OK;
}

static enum status open_loop(struct service *service, struct error *err)
{
    int code = uv_loop_init(&service->loop);

    if (code == 0) {
        code = uv_async_init(&service->loop, &service->finished, on_finished);
        if (code != 0)
            uv_loop_close(&service->loop);
    }
    if (code != 0)
        return error_set(err, code == UV_ENOMEM ? E_MEMORY : E_SYSTEM,
                         "starting the loop: %s", uv_strerror(code));
    uv_timer_init(&service->loop, &service->deadline);
    service->deadline.data = service->finished.data = service;
    return OK;
}

enum status service_run(const struct service_settings *settings,
                        struct error *err)
{
    struct service service = {.settings = *settings};
    enum status status;
    int code;

    assert(settings->start != NULL && settings->stop != NULL &&
           settings->end != NULL);
    error_init(&service.failure);
    job_list_init(&service.waiting);
    job_list_init(&service.running);
    states_init(&service.states, &service_table, SERVICE_STARTING, NULL, NULL);
    size_pool(&service);
    raise_files();
    status = open_loop(&service, err);
    if (status != OK)
        return status;
    status = start(&service, err);
    uv_run(&service.loop, UV_RUN_DEFAULT);
    /* Busy: end() has left something of its own on the loop. */
    code = uv_loop_close(&service.loop);
    assert(code == 0 && service.states.now == SERVICE_ENDING);
    /* Its threads must be gone before exit() takes OpenSSL down. */
    uv_library_shutdown();
    if (status == OK && service.failure.status != OK) {
        *err = service.failure;
        status = err->status;
    }
    return status;
}

struct uv_loop_s *service_loop(struct service *service)
{
    return &service->loop;
}

/* ---- configuration ---- */

enum status service_load_config(const char *path, file_taker *take,
                                void *target, struct error *err)
{
    struct text folder;
    enum status status;

    text_init(&folder);
    status = path_beside(path, ".", &folder, err);
    if (status == OK)
        status = process_check_folder(folder.data, err);
    if (status == OK)
        status = file_load(path, CONFIG_SIZE_MAX, take, target, err);
    text_clear(&folder);
    return status;
}
