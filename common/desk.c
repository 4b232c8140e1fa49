#include "common/desk.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "common/bus.h"
#include "common/clock.h"
#include "common/lane.h"
#include "common/log.h"
#include "common/standing.h"

/* A request that waits or is worked on; all that it needs is its own. */
struct enquiry {
    struct lane_job job;
    struct desk *desk;
    struct enquiry *next;
    uint64_t peer;              /* who gets the answer */
    const struct desk_row *row; /* NULL: a part, or refused */
    bool refused;               /* already: `err` says why */
    struct certificate *certificate;
    struct message message;
    struct desk_answer answer;
    enum status status;
    struct error err;
    uint8_t memory[]; /* that the message borrows */
};

/* What the log said of a certificate: OK, or E_REFUSED with the reason. */
struct standing {
    char id[CERTIFICATE_ID_SIZE];
    uint64_t until_ms; /* 0: nothing is here */
    struct error said;
};

struct desk {
    const struct desk_settings *settings;
    struct client_options client_options;
    atomic_bool closing; /* the client's cancel flag, too */

    /* Of the loop. */
    struct bus *bus;
    struct lane *lane;
    uv_timer_t tick;
    struct enquiry *first, **last; /* that wait */
    size_t waiting;
    struct enquiry *running; /* on the lane; NULL: none */
    bool lane_is_busy;       /* with anything */
    bool idle_is_due;
    void (*closed)(void *context);
    void *context;

    /* Of the lane, one job at a time. */
    struct lane_job idle_job, end_job;
    struct client *client; /* NULL until it is needed */
    struct uploads *uploads;
    struct standing standing[DESK_STANDINGS_MAX];
    size_t standing_next; /* whose place is taken next */
    enum status idle_status;
    struct error idle_err;

    struct error idle_said; /* of the loop: what was logged */
};

static void next(struct desk *desk);

/* ---- on the lane: who asks, and the answer ---- */

static enum status stopping(struct error *err)
{
    return error_set(err, E_CANCELLED, "the service is stopping");
}

/* Nodes need not be there when a service starts. */
static enum status need_client(struct desk *desk, struct error *err)
{
    return desk->client != NULL
               ? OK
               : client_open(&desk->client, &desk->client_options, err);
}

static const struct standing *find_standing(const struct desk *desk,
                                            const char *id, uint64_t now_ms)
{
    for (size_t i = 0; i < DESK_STANDINGS_MAX; i++)
        if (desk->standing[i].until_ms > now_ms &&
            strcmp(desk->standing[i].id, id) == 0)
            return &desk->standing[i];
    return NULL;
}

static void keep_standing(struct desk *desk, const char *id,
                          const struct error *said)
{
    struct standing *standing = &desk->standing[desk->standing_next];

    desk->standing_next = (desk->standing_next + 1) % DESK_STANDINGS_MAX;
    memcpy(standing->id, id, sizeof standing->id);
    standing->until_ms = clock_steady_ms() + DESK_STANDING_MS;
    standing->said = *said;
}

/* Refusals are kept, too: who was revoked cannot make us ask the ledger for
 * each of its requests. */
static enum status check_standing(struct desk *desk,
                                  const struct certificate *certificate,
                                  struct error *err)
{
    const char *id = certificate_id(certificate);
    const struct standing *known = find_standing(desk, id, clock_steady_ms());
    struct error said;
    enum status status;

    if (known == NULL) {
        error_init(&said);
        status = standing_check(desk->client, desk->settings->genesis,
                                certificate, &said);
        if (status == OK || status == E_REFUSED)
            keep_standing(desk, id, &said);
    } else {
        said = known->said;
    }
    if (said.status != OK)
        *err = said;
    return said.status;
}

static enum status take_part(struct desk *desk, struct enquiry *enquiry,
                             struct error *err)
{
    struct message *answer = &enquiry->answer.message;
    uint64_t size = 0;
    enum status status =
        uploads_take(desk->uploads, certificate_id(enquiry->certificate),
                     &enquiry->message, clock_steady_ms(), &size, err);

    if (status != OK)
        return status;
    message_init(answer, MESSAGE_TAKEN, enquiry->message.request_id);
    message_set_number(answer, TAKEN_SIZE, size);
    return OK;
}

static struct desk_request question_of(const struct desk *desk,
                                       const struct enquiry *enquiry)
{
    return (struct desk_request){.message = &enquiry->message,
                                 .certificate = enquiry->certificate,
                                 .ledger = desk->client,
                                 .uploads = desk->uploads};
}

static enum status work(struct desk *desk, struct enquiry *enquiry,
                        struct error *err)
{
    const struct desk_request question = question_of(desk, enquiry);

    if (enquiry->row == NULL)
        return take_part(desk, enquiry, err);
    return enquiry->row->handler(desk->settings->context, &question,
                                 &enquiry->answer, err);
}

/* Whoever watches over refusals knows of this one, or it is none. */
static enum status tell_denied(struct desk *desk, struct enquiry *enquiry)
{
    const struct desk_settings *settings = desk->settings;
    const struct desk_request question = question_of(desk, enquiry);
    struct error why = enquiry->err;
    enum status status;

    if (settings->denied == NULL)
        return E_REFUSED;
    error_init(&enquiry->err);
    status =
        settings->denied(settings->context, &question, &why, &enquiry->err);
    if (status == OK) {
        enquiry->err = why;
        return E_REFUSED;
    }
    (void)!error_wrap(&enquiry->err, "a refusal could not be recorded");
    if (status != E_CANCELLED)
        enquiry->err.status = E_SYSTEM;
    return enquiry->err.status;
}

static void enquiry_work(struct lane_job *job)
{
    struct enquiry *enquiry = (struct enquiry *)job;
    struct desk *desk = enquiry->desk;
    enum status status = enquiry->refused ? E_REFUSED : OK;

    if (atomic_load(&desk->closing))
        status = stopping(&enquiry->err);
    uploads_expire(desk->uploads, clock_steady_ms());
    if (status == OK)
        status = need_client(desk, &enquiry->err);
    if (status == OK)
        status = check_standing(desk, enquiry->certificate, &enquiry->err);
    if (status == OK)
        status = work(desk, enquiry, &enquiry->err);
    if (status == E_REFUSED)
        status = tell_denied(desk, enquiry);
    enquiry->status = status;
}

/* ---- on the loop: answering ---- */

static void refuse(struct desk *desk, uint64_t peer, const uint8_t *request_id,
                   const struct error *why, bool retry)
{
    struct message answer;
    struct error unsent;

    message_fail(&answer, request_id, why, retry, "");
    if (bus_send(desk->bus, peer, &answer, &unsent) != OK)
        log_debug("a refusal found nobody: %s", unsent.text);
}

/* What is wrong with us is for our operator, what is wrong with a request for
 * whoever made it. */
static bool is_ours_to_mend(enum status status)
{
    return status == E_IO || status == E_MEMORY || status == E_SYSTEM;
}

static void enquiry_fail(const struct enquiry *enquiry)
{
    const char *what = message_name(enquiry->message.type);
    const char *who = certificate_id(enquiry->certificate);
    const struct error *err = &enquiry->err;
    bool retry = enquiry->status == E_CANCELLED;

    assert(err->status == enquiry->status);
    if (is_ours_to_mend(enquiry->status))
        log_error("%s of %s: %s", what, who, err->text);
    else
        log_info("%s of %s: %s", what, who, err->text);
    refuse(enquiry->desk, enquiry->peer, enquiry->message.request_id, err,
           retry);
}

static void enquiry_answer(struct enquiry *enquiry)
{
    struct message *answer = &enquiry->answer.message;
    struct error unsent;
    enum status status;

    assert(message_direction(answer->type) == MESSAGE_IS_ANSWER);
    memcpy(answer->request_id, enquiry->message.request_id,
           sizeof answer->request_id);
    status = bus_send(enquiry->desk->bus, enquiry->peer, answer, &unsent);
    if (status == E_IO) {
        log_debug("an answer found nobody: %s", unsent.text);
    } else if (status != OK) {
        /* Larger than a message may be, say: who asked has to know. */
        enquiry->status = status;
        enquiry->err = unsent;
        enquiry_fail(enquiry);
    }
}

static void enquiry_free(struct enquiry *enquiry)
{
    text_clear(&enquiry->answer.memory);
    certificate_destroy(&enquiry->certificate);
    free(enquiry);
}

static void enquiry_done(struct lane_job *job)
{
    struct enquiry *enquiry = (struct enquiry *)job;
    struct desk *desk = enquiry->desk;

    desk->running = NULL;
    desk->lane_is_busy = false;
    if (enquiry->status == OK)
        enquiry_answer(enquiry);
    else
        enquiry_fail(enquiry);
    enquiry_free(enquiry);
    next(desk);
}

/* ---- while nothing is asked ---- */

static void idle_work(struct lane_job *job)
{
    struct desk *desk =
        (struct desk *)(void *)((char *)job - offsetof(struct desk, idle_job));
    const struct desk_settings *settings = desk->settings;
    enum status status = OK;

    error_init(&desk->idle_err);
    uploads_expire(desk->uploads, clock_steady_ms());
    if (settings->idle != NULL) {
        status = need_client(desk, &desk->idle_err);
        if (status == OK)
            status = settings->idle(settings->context, desk->client,
                                    &desk->idle_err);
    }
    desk->idle_status = status;
}

static void idle_done(struct lane_job *job)
{
    struct desk *desk =
        (struct desk *)(void *)((char *)job - offsetof(struct desk, idle_job));

    desk->lane_is_busy = false;
    if (desk->idle_status == OK && desk->idle_said.status != OK)
        log_info("works again");
    else if (desk->idle_status != OK && !atomic_load(&desk->closing) &&
             strcmp(desk->idle_said.text, desk->idle_err.text) != 0)
        log_warning("%s", desk->idle_err.text);
    if (desk->idle_status == OK)
        error_init(&desk->idle_said);
    else
        desk->idle_said = desk->idle_err;
    next(desk);
}

static void on_tick(uv_timer_t *timer)
{
    struct desk *desk = timer->data;

    desk->idle_is_due = true;
    next(desk);
}

/* ---- the end ---- */

static void end_work(struct lane_job *job)
{
    struct desk *desk =
        (struct desk *)(void *)((char *)job - offsetof(struct desk, end_job));

    client_close(&desk->client);
    uploads_destroy(&desk->uploads);
}

static void timer_closed(uv_handle_t *timer)
{
    struct desk *desk = timer->data;
    void (*closed)(void *context) = desk->closed;
    void *context = desk->context;

    free(desk);
    if (closed != NULL)
        closed(context);
}

static void lane_closed(void *context)
{
    struct desk *desk = context;

    bus_close(&desk->bus);
    uv_close((uv_handle_t *)&desk->tick, timer_closed);
}

static void end_done(struct lane_job *job)
{
    struct desk *desk =
        (struct desk *)(void *)((char *)job - offsetof(struct desk, end_job));

    lane_close(&desk->lane, lane_closed, desk);
}

/* ---- one after the other ---- */

static struct enquiry *take_first(struct desk *desk)
{
    struct enquiry *enquiry = desk->first;

    if (enquiry == NULL)
        return NULL;
    desk->first = enquiry->next;
    if (desk->first == NULL)
        desk->last = &desk->first;
    desk->waiting--;
    return enquiry;
}

/* Give the lane what comes next, if it rests. */
static void next(struct desk *desk)
{
    if (desk->lane_is_busy)
        return;
    desk->running = take_first(desk);
    if (desk->running != NULL) {
        lane_push(desk->lane, &desk->running->job);
    } else if (atomic_load(&desk->closing)) {
        lane_push(desk->lane, &desk->end_job);
    } else if (desk->idle_is_due) {
        desk->idle_is_due = false;
        lane_push(desk->lane, &desk->idle_job);
    } else {
        return;
    }
    desk->lane_is_busy = true;
}

/* ---- taking requests ---- */

static bool is_ours(const struct desk *desk,
                    const struct certificate_subject *subject)
{
    const struct certificate_subject *self =
        certificate_subject(desk->settings->self->certificate);

    return strcmp(subject->organisation, self->organisation) == 0;
}

static bool may_ask(const struct desk *desk, const struct desk_row *row,
                    const struct certificate_subject *subject)
{
    return (row->roles & DESK_ROLE(subject->role)) != 0 &&
           (!row->ours || is_ours(desk, subject));
}

/* *row is NULL for a part. */
static enum status judge(const struct desk *desk, enum message_type type,
                         const struct certificate_subject *subject,
                         const struct desk_row **row, struct error *err)
{
    const struct desk_settings *settings = desk->settings;

    *row = NULL;
    for (size_t i = 0; i < settings->row_count; i++) {
        if (type != MESSAGE_PART && settings->row[i].type != type)
            continue;
        if (!may_ask(desk, &settings->row[i], subject))
            continue;
        if (type != MESSAGE_PART)
            *row = &settings->row[i];
        return OK;
    }
    return error_set(err, E_REFUSED, "the %s of %s may not ask for \"%s\" here",
                     identity_role_name(subject->role), subject->organisation,
                     message_name(type));
}

static bool is_same(const struct enquiry *enquiry,
                    const struct certificate *certificate,
                    const struct message *message)
{
    return enquiry->message.type == message->type &&
           memcmp(enquiry->message.request_id, message->request_id,
                  sizeof message->request_id) == 0 &&
           strcmp(certificate_id(enquiry->certificate),
                  certificate_id(certificate)) == 0;
}

/* It waits or runs already; NULL if not. */
static struct enquiry *find_same(const struct desk *desk,
                                 const struct certificate *certificate,
                                 const struct message *message)
{
    if (desk->running != NULL && is_same(desk->running, certificate, message))
        return desk->running;
    for (struct enquiry *enquiry = desk->first; enquiry != NULL;
         enquiry = enquiry->next)
        if (is_same(enquiry, certificate, message))
            return enquiry;
    return NULL;
}

static enum status check_room(const struct desk *desk,
                              const struct certificate *certificate,
                              struct error *err)
{
    size_t own = 0;

    for (const struct enquiry *enquiry = desk->first; enquiry != NULL;
         enquiry = enquiry->next)
        own += strcmp(certificate_id(enquiry->certificate),
                      certificate_id(certificate)) == 0;
    if (own >= DESK_WAITING_OWN_MAX || desk->waiting >= DESK_WAITING_MAX)
        return error_set(err, E_SYSTEM,
                         "the service is busy: %zu requests wait, %zu of them "
                         "of this certificate",
                         desk->waiting, own);
    return OK;
}

static enum status enquiry_create(struct enquiry **out, struct desk *desk,
                                  const struct bus_sender *sender,
                                  const struct message *message,
                                  struct error *err)
{
    struct enquiry *enquiry =
        calloc(1, sizeof *enquiry + message_borrowed(message));

    if (enquiry == NULL)
        return error_memory(err, "a request");
    enquiry->job.work = enquiry_work;
    enquiry->job.done = enquiry_done;
    enquiry->desk = desk;
    enquiry->peer = sender->peer;
    text_init(&enquiry->answer.memory);
    error_init(&enquiry->err);
    message_copy(&enquiry->message, message, enquiry->memory);
    if (certificate_decode(&enquiry->certificate,
                           certificate_der(sender->certificate), err) != OK) {
        enquiry_free(enquiry);
        return err->status;
    }
    *out = enquiry;
    return OK;
}

/* *retry: nothing was begun, and later it may be. */
static enum status take(struct desk *desk, const struct bus_sender *sender,
                        const struct message *message, bool *retry,
                        struct error *err)
{
    const struct desk_row *row;
    struct enquiry *enquiry = NULL;
    struct error refusal;
    enum status status;

    *retry = false;
    error_init(&refusal);
    status = judge(desk, message->type,
                   certificate_subject(sender->certificate), &row, &refusal);
    if (status != OK && desk->settings->denied == NULL) {
        *err = refusal;
        return status;
    }
    enquiry = find_same(desk, sender->certificate, message);
    if (enquiry != NULL) {
        enquiry->peer = sender->peer;
        return OK;
    }
    *retry = true;
    status = check_room(desk, sender->certificate, err);
    if (status == OK)
        status = enquiry_create(&enquiry, desk, sender, message, err);
    if (status != OK)
        return status;
    assert(enquiry != NULL);
    enquiry->row = row;
    enquiry->refused = refusal.status != OK;
    if (enquiry->refused)
        enquiry->err = refusal;
    *desk->last = enquiry;
    desk->last = &enquiry->next;
    desk->waiting++;
    next(desk);
    return OK;
}

static void on_request(struct bus *bus, const struct bus_sender *sender,
                       const struct message *message, void *context)
{
    struct desk *desk = context;
    bool retry = true;
    struct error err;
    enum status status;

    (void)bus;
    if (atomic_load(&desk->closing))
        status = stopping(&err);
    else
        status = take(desk, sender, message, &retry, &err);
    if (status == OK)
        return;
    log_info("%s of %s: %s", message_name(message->type),
             certificate_id(sender->certificate), err.text);
    refuse(desk, sender->peer, message->request_id, &err, retry);
}

static enum status admit(const struct certificate *certificate,
                         const char *service, void *context, struct error *err)
{
    const struct desk *desk = context;

    assert(service == NULL); /* its bus calls nobody */
    return standing_admit(desk->settings->genesis, certificate, err);
}

/* ---- the whole ---- */

static enum status listen_on(struct desk *desk, struct error *err)
{
    const struct desk_settings *settings = desk->settings;
    const struct network_user *self = settings->self;
    struct bus_settings bus_settings = {.loop = settings->loop,
                                        .service = settings->name,
                                        .pair = &self->pair,
                                        .certificate = self->certificate,
                                        .key = self->key,
                                        .admit = admit,
                                        .context = desk};
    char actual[ENDPOINT_SIZE_MAX];
    enum status status = bus_open(&desk->bus, &bus_settings, err);

    if (status != OK)
        return status;
    bus_handle(desk->bus, MESSAGE_PART, on_request, desk);
    for (size_t i = 0; i < settings->row_count; i++)
        bus_handle(desk->bus, settings->row[i].type, on_request, desk);
    status = bus_listen(desk->bus, settings->listen, actual, err);
    if (status == OK)
        log_info("listens at %s", actual);
    return status;
}

enum status desk_open(struct desk **out, const struct desk_settings *settings,
                      struct error *err)
{
    uint64_t idle_ms =
        settings->idle != NULL ? settings->idle_ms : (uint64_t)DESK_TICK_MS;
    struct desk *desk = calloc(1, sizeof *desk);
    enum status status;

    assert(idle_ms > 0);
    *out = NULL;
    if (desk == NULL)
        return error_memory(err, "a desk");
    desk->settings = settings;
    desk->last = &desk->first;
    desk->client_options =
        (struct client_options){.network = settings->network,
                                .user = settings->self,
                                .timeout_ms = settings->ledger_timeout_ms,
                                .cancel = &desk->closing};
    desk->idle_job = (struct lane_job){.work = idle_work, .done = idle_done};
    desk->end_job = (struct lane_job){.work = end_work, .done = end_done};
    error_init(&desk->idle_said);
    /* Cannot fail: the loop is there. */
    uv_timer_init(settings->loop, &desk->tick);
    desk->tick.data = desk;
    status = uploads_create(&desk->uploads, err);
    if (status == OK)
        status = lane_open(&desk->lane, settings->loop, err);
    if (status == OK)
        status = listen_on(desk, err);
    if (status == OK) {
        uv_timer_start(&desk->tick, on_tick, idle_ms, idle_ms);
        *out = desk;
        return OK;
    }
    uploads_destroy(&desk->uploads);
    if (desk->lane == NULL)
        lane_closed(desk);
    else
        lane_close(&desk->lane, lane_closed, desk);
    return status;
}

void desk_close(struct desk **handle, void (*closed)(void *context),
                void *context)
{
    struct desk *desk = *handle;
    struct enquiry *enquiry;
    struct error err;

    if (desk == NULL)
        return;
    *handle = NULL;
    desk->closed = closed;
    desk->context = context;
    atomic_store(&desk->closing, true);
    uv_timer_stop(&desk->tick);
    (void)!stopping(&err);
    while ((enquiry = take_first(desk)) != NULL) {
        refuse(desk, enquiry->peer, enquiry->message.request_id, &err, true);
        enquiry_free(enquiry);
    }
    next(desk);
}
