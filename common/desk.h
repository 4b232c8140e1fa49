/*
 * common/desk.h - what a service does with requests: lets in whom it knows,
 * takes one request after the other, answers.
 *
 *     bus --request--> role and organisation allowed?  (table, on the loop)
 *                          |
 *                        lane: enrolled, not revoked?  (common/standing.h)
 *                          |   handler(), which may ask the ledger and wait
 *                          |   refused by any of these?  denied()
 *     bus <--answer--------+
 *
 * A service is a table of the requests that it takes, with who may make them,
 * and their handlers.  Handlers run on one thread, in order, so that they share
 * nothing with each other but their context; when there are none, `idle` is
 * called there, again and again.  What takes longer than a request may wait is
 * for a thread of the service's own.
 *
 * `part` (common/upload.h) is taken by the desk itself, from whoever may ask
 * for anything.
 *
 * `failed` says to try again only where nothing was begun: too many wait, or
 * the service is stopping.  The same request again, under its id and by the
 * same certificate, while the first one waits or runs (common/client.h asks
 * every few seconds) is answered once; one that comes after the answer, which
 * may have been lost, runs again: it is for handlers to know what they have
 * done.
 *
 * Certificates come and go while a session lasts, so each request is judged by
 * what the log said of its certificate within the last second
 * (DESK_STANDING_MS).
 */
#ifndef COMMON_DESK_H
#define COMMON_DESK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/client.h"
#include "common/error.h"
#include "common/genesis.h"
#include "common/identity.h"
#include "common/message.h"
#include "common/network.h"
#include "common/text.h"
#include "common/upload.h"

struct desk;
struct uv_loop_s;

/* What a handler has; all of it for the call. */
struct desk_request {
    const struct message *message;
    const struct certificate *certificate; /* of who asks; stands */
    struct client *ledger;                 /* as the service itself */
    struct uploads *uploads;
};

/* What it says.  message_init was not called yet, and the request's id need not
 * be given; bytes and texts that it borrows may be appended to `memory` (borrow
 * when nothing more is appended). */
struct desk_answer {
    struct message message;
    struct text memory;
};

/* On the lane.  Either the answer, or an error, which becomes `failed`. */
typedef enum status desk_handler(void *context,
                                 const struct desk_request *request,
                                 struct desk_answer *answer, struct error *err);

#define DESK_ROLE(role) (UINT32_C(1) << (role))

struct desk_row {
    enum message_type type;
    uint32_t roles; /* who may ask: DESK_ROLE(...) | ... */
    bool ours;      /* of the service's own organisation only */
    desk_handler *handler;
};

/* Borrowed for the desk's life. */
struct desk_settings {
    struct uv_loop_s *loop;
    const char *name; /* of the service in network.json */
    const struct network *network;
    const struct genesis *genesis;
    const struct network_user *self; /* certificate, key, CURVE keys */
    const char *listen;              /* an endpoint */
    const struct desk_row *row;
    size_t row_count;
    uint64_t ledger_timeout_ms; /* of each question to the nodes */
    /* On the lane, every idle_ms while nothing is asked; may be NULL.  What it
     * returns is logged, once as long as it stays the same. */
    enum status (*idle)(void *context, struct client *ledger,
                        struct error *err);
    uint64_t idle_ms;
    /* On the lane, before a refusal leaves: by role, organisation or standing,
     * or since a handler said E_REFUSED.  Where this fails who asked is told
     * E_SYSTEM (E_CANCELLED: to come again) instead: a refusal that nobody
     * knows of is none.  The request's ledger may be NULL.  NULL: refusals are
     * in the log of the program alone. */
    enum status (*denied)(void *context, const struct desk_request *request,
                          const struct error *why, struct error *err);
    void *context; /* of handlers, idle and denied */
};

/* On failure its handles leave the loop in the loop's next turn. */
MUST_USE enum status desk_open(struct desk **desk,
                               const struct desk_settings *settings,
                               struct error *err);

/* Take nothing more, let the handler that runs come to its end (questions to
 * nodes end at once, with E_CANCELLED), close; `closed` comes from the loop.
 * Nulls *desk, accepts NULL in it (closed is then not called). */
void desk_close(struct desk **desk, void (*closed)(void *context),
                void *context);

#endif
