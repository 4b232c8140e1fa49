/*
 * common/service.h - the skeleton of a service: loop, signals, readiness, end.
 *
 * A program (common/program.h) calls service_run() with what it wants to be
 * called for:
 *
 *     start()    open what is needed, register handlers on the loop
 *       |        "ready" on --ready-fd: nobody has to sleep to wait for us
 *      loop      SIGHUP: reread()
 *       |        first SIGTERM or SIGINT, or service_stop():
 *     stop()     accept nothing more; finish what is in flight, then say
 *       |        service_finished(), or be told that shutdown_ms are over
 *      end()     close everything that is on the loop
 *
 * The second SIGTERM or SIGINT ends the process at once, by the signal.  end()
 * is called exactly if start() was, also when that failed half way.
 *
 * CPU work goes to threads, as a job: work() runs there, looks at its flag now
 * and then, touches nothing of the loop's; done() runs on the loop afterwards.
 * At most as many run as there are cores, others wait; SERVICE_FILE_THREADS of
 * libuv's pool are always left to raft's and libuv's own file work.
 *
 * Elsewhere: messages (common/bus.h), what a process must not let out
 * (common/process.h), the log (common/log.h).
 */
#ifndef COMMON_SERVICE_H
#define COMMON_SERVICE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "common/files.h"

struct service;
struct uv_loop_s;

struct service_settings {
    const char *name;
    uint64_t shutdown_ms;
    int ready_fd; /* -1: none */
    enum status (*start)(struct service *service, void *context,
                         struct error *err);
    void (*stop)(struct service *service, void *context);
    void (*end)(struct service *service, void *context);
    void (*reread)(struct service *service, void *context); /* may be NULL */
    void *context;
};

/* Once in a process, since libuv and its threads are over with it.  Returns OK
 * after a signal or service_stop(), else what start() or service_fail() said.
 */
MUST_USE enum status service_run(const struct service_settings *settings,
                                 struct error *err);

struct uv_loop_s *service_loop(struct service *service);

/* As if SIGTERM had come. */
void service_stop(struct service *service);
/* The same, and service_run() returns `why`, the first one given. */
void service_fail(struct service *service, const struct error *why);
bool service_is_stopping(const struct service *service);
/* Nothing is in flight any more: end() may come.  In or after stop(). */
void service_finished(struct service *service);

/* ---- jobs ---- */

struct service_job;

/* In a thread.  Returns soon once *is_cancelled. */
typedef void service_work(void *context, const atomic_bool *is_cancelled);
/* On the loop, exactly once for each job.  A job that was cancelled before its
 * turn came did not run. */
typedef void service_done(void *context, bool has_run);

/* E_LIMIT if SERVICE_JOBS_MAX wait already: the service is busy.  *job, which
 * may be NULL, is good until done(). */
MUST_USE enum status service_do(struct service *service, service_work *work,
                                service_done *done, void *context,
                                struct service_job **job, struct error *err);
void service_cancel(struct service_job *job);

/* ---- configuration ---- */

/* Have the configuration taken.  Its folder, where the keys are, must be ours
 * alone (common/process.h).  Errors name the file. */
MUST_USE enum status service_load_config(const char *path, file_taker *take,
                                         void *target, struct error *err);

#endif
