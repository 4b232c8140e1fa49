#include "cli/network_run.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/companion.h"
#include "cli/network_files.h"
#include "cli/network_site.h"
#include "cli/service_process.h"
#include "common/clock.h"

#define NODES_DEFAULT 3
/* Each opens its files and is ready; it waits for nobody. */
#define READY_MS 20000
/* Each finishes what is under way within five seconds. */
#define END_MS 10000
#define TICK_MS 100

/* ---- starting ---- */

/* What was started now, until its line of readiness comes. */
struct starting {
    const struct seat *seat;
    int ready; /* -1: it is */
};

struct start {
    struct starting starting[SITE_SEATS_MAX];
    size_t count;
};

static enum status not_started(const struct seat *seat, const char *why,
                               struct error *err)
{
    struct text tail;
    struct error unread;

    text_init(&tail);
    if (service_process_log(seat->folder.data, &tail, &unread) == OK &&
        tail.size > 0) {
        fprintf(stderr, "The last lines of %s/log:\n", seat->folder.data);
        command_print_lines(stderr, tail.data);
        if (tail.data[tail.size - 1] != '\n')
            fputc('\n', stderr);
    }
    text_clear(&tail);
    return error_set(err, E_SYSTEM, "%s %s", seat->about->name, why);
}

/* What came through the pipe: a line, the end, or not yet anything whole. */
static enum status take_ready(struct starting *starting, struct error *err)
{
    char buffer[64];
    ssize_t size = read(starting->ready, buffer, sizeof buffer);

    if (size < 0 && errno == EINTR)
        return OK;
    if (size <= 0)
        return not_started(starting->seat, "did not start", err);
    if (memchr(buffer, '\n', (size_t)size) == NULL)
        return OK;
    close(starting->ready);
    starting->ready = -1;
    return OK;
}

static enum status await_ready(struct start *start, struct error *err)
{
    uint64_t deadline_ms = clock_steady_ms() + READY_MS;
    atomic_bool *cancel = command_cancel();
    enum status status = OK;

    for (size_t i = 0; status == OK && i < start->count;) {
        struct starting *starting = &start->starting[i];
        struct pollfd poll_fd = {.fd = starting->ready, .events = POLLIN};

        if (starting->ready < 0) {
            i++;
        } else if (atomic_load(cancel)) {
            status = error_set(err, E_CANCELLED, "interrupted");
        } else if (clock_steady_ms() >= deadline_ms) {
            status = not_started(starting->seat,
                                 "is not ready within 20 seconds", err);
        } else if (poll(&poll_fd, 1, TICK_MS) > 0) {
            status = take_ready(starting, err);
        }
    }
    return status;
}

static void end_started(const struct start *start)
{
    struct error unheard;

    /* The first failure is told; what cannot be ended, too. */
    for (size_t i = start->count; i-- > 0;)
        if (service_process_end(start->starting[i].seat->folder.data,
                                &unheard) != OK)
            (void)command_fail(&unheard);
    for (size_t i = start->count; i-- > 0;)
        if (service_process_wait(start->starting[i].seat->folder.data, END_MS,
                                 NULL, &unheard) != OK)
            (void)command_fail(&unheard);
}

static enum status start_seat(struct start *start, const struct seat *seat,
                              struct error *err)
{
    enum identity_role role = seat->about->role;
    struct starting *starting = &start->starting[start->count];
    char name[IDENTITY_NAME_MAX + 16];
    struct text program;
    bool running;
    pid_t pid;
    enum status status =
        service_process_find(seat->folder.data, &running, &pid, NULL, err);

    if (status != OK || running)
        return status;
    text_init(&program);
    snprintf(name, sizeof name, "anchorite-%s",
             role == IDENTITY_NODE ? "ledger" : identity_role_name(role));
    status = companion_path(name, &program, err);
    if (status == OK)
        status = service_process_start(program.data, seat->folder.data,
                                       &starting->ready, err);
    if (status == OK) {
        starting->seat = seat;
        start->count++;
    }
    text_clear(&program);
    return status;
}

/* Seats from..to - 1, *started of them now. */
static enum status start_seats(struct start *start, const struct site *site,
                               size_t from, size_t to, size_t *started,
                               struct error *err)
{
    size_t before = start->count;
    enum status status = OK;

    for (size_t i = from; status == OK && i < to; i++)
        status = start_seat(start, &site->seat[i], err);
    if (status == OK)
        status = await_ready(start, err);
    *started = start->count - before;
    return status;
}

static enum status start_all(const struct site *site, bool nodes_only,
                             struct error *err)
{
    struct start start = {.count = 0};
    size_t nodes = site->network->node_count, services = 0, started = 0;
    size_t seats = nodes_only ? nodes : site->seat_count;
    enum status status = start_seats(&start, site, 0, nodes, &started, err);

    if (status == OK)
        status = start_seats(&start, site, nodes, seats, &services, err);
    for (size_t i = 0; i < start.count; i++)
        if (start.starting[i].ready >= 0)
            close(start.starting[i].ready);
    if (status != OK) {
        end_started(&start);
        return status;
    }
    printf("%zu of %zu nodes started, all are running\n", started, nodes);
    if (seats > nodes)
        printf("%zu of %zu services started, all are running\n", services,
               seats - nodes);
    return command_finish_output(err);
}

/* ---- making ---- */

/* Two at once make one each: the first to put it in its place wins, and the
 * other goes on with that one. */
static enum status make_network(const char *folder, uint64_t nodes,
                                bool nodes_only, const char *path,
                                struct error *err)
{
    size_t count = nodes > 0 ? (size_t)nodes : NODES_DEFAULT;
    struct error why;

    if (network_files_make(folder, count, !nodes_only, command_cancel(),
                           &why) == OK) {
        fprintf(stderr,
                "Made %s: keys of %zu nodes and their users, all on this "
                "machine, for trying out.\n",
                folder, count);
        return OK;
    }
    if (why.status == E_INPUT && access(path, F_OK) == 0)
        return OK;
    *err = why;
    return err->status;
}

/* Is there a network already?  Else make one. */
static enum status make_if_missing(const char *folder, uint64_t nodes,
                                   bool nodes_only, struct error *err)
{
    struct text path;
    enum status status;

    text_init(&path);
    status = network_path(folder, "network.json", &path, err);
    if (status == OK && access(path.data, F_OK) != 0)
        status = make_network(folder, nodes, nodes_only, path.data, err);
    text_clear(&path);
    return status;
}

enum status network_run_up(const char *folder, uint64_t nodes, bool nodes_only,
                           struct error *err)
{
    struct site site;
    enum status status;

    (void)command_cancel();
    if (make_if_missing(folder, nodes, nodes_only, err) != OK)
        return err->status;
    status = site_open(&site, folder, true, err);
    if (status == OK && nodes > 0 && nodes != site.network->node_count)
        status =
            error_set(err, E_INPUT, "%s: is a network of %zu nodes already",
                      folder, site.network->node_count);
    if (status == OK)
        status = start_all(&site, nodes_only, err);
    site_close(&site);
    return status;
}

/* ---- ending ---- */

/* Seats from..to - 1, all at once; *ended of them ran. */
static enum status end_seats(const struct site *site, size_t from, size_t to,
                             size_t *ended, struct error *err)
{
    enum status status = OK;

    *ended = 0;
    for (size_t i = from; status == OK && i < to; i++) {
        const char *folder = site->seat[i].folder.data;
        bool running;
        pid_t pid;

        status = service_process_find(folder, &running, &pid, NULL, err);
        *ended += status == OK && running;
        if (status == OK)
            status = service_process_end(folder, err);
    }
    for (size_t i = from; status == OK && i < to; i++) {
        bool killed;

        status = service_process_wait(site->seat[i].folder.data, END_MS,
                                      &killed, err);
        if (status == OK && killed)
            fprintf(stderr, "%s did not end within 10 seconds and was killed\n",
                    site->seat[i].about->name);
    }
    return status;
}

enum status network_run_down(const char *folder, struct error *err)
{
    struct site site;
    size_t nodes = 0, services = 0, nodes_ended = 0, services_ended = 0;
    enum status status = site_open(&site, folder, true, err);

    if (status == OK) {
        nodes = site.network->node_count;
        services = site.network->service_count;
        status = end_seats(&site, nodes, site.seat_count, &services_ended, err);
    }
    if (status == OK)
        status = end_seats(&site, 0, nodes, &nodes_ended, err);
    if (status == OK) {
        if (services > 0)
            printf("%zu of %zu services ended\n", services_ended, services);
        printf("%zu of %zu nodes ended\n", nodes_ended, nodes);
        status = command_finish_output(err);
    }
    site_close(&site);
    return status;
}
