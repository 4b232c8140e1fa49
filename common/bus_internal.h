/*
 * common/bus_internal.h - a bus and its parts, for bus.c and bus_*.c.
 *
 * bus.c has the whole and its loop; bus_session.c who has come in at the door;
 * bus_link.c what goes out to others; bus_greeting.c the hello and welcome that
 * both exchange; bus_waker.c lets the loop wake when a socket has something.
 */
#ifndef COMMON_BUS_INTERNAL_H
#define COMMON_BUS_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "common/bus.h"
#include "common/bus_socket.h"
#include "common/hash.h"
#include "common/states.h"
#include "common/text.h"

/* Twice the sessions, so that chains are short. */
#define BUS_BUCKETS ((size_t)2 * BUS_PEERS_MAX)

/* A peer's number: a count, and where to look. */
#define PEER_SLOT_BITS 16
#define PEER_IS_LINK (UINT64_C(1) << (PEER_SLOT_BITS - 1))
#define PEER_SLOT(peer) ((peer) & (PEER_IS_LINK - 1))

_Static_assert(BUS_PEERS_MAX < PEER_IS_LINK && BUS_LINKS_MAX < PEER_IS_LINK,
               "a slot fits into its bits");

struct bus_waker; /* wakes the loop when a socket's descriptor does */

/* Somebody who has said hello.  A connection, by its routing id and key. */
struct bus_session {
    uint64_t peer; /* 0: free */
    uint8_t routing_id[BUS_ROUTING_ID_SIZE];
    struct curve_key key;
    struct certificate *certificate;
    uint64_t expiry_ms;
    uint64_t heard_ms; /* the loop's clock */
    uint16_t next;     /* in its bucket: slot + 1, 0 at the end */
};

#define LINK_STATES(X)                                                         \
    X(LINK_WAITING, "waiting",                                                 \
      STATES_TO(LINK_CONNECTING) | STATES_TO(LINK_WAITING))                    \
    X(LINK_CONNECTING, "connecting",                                           \
      STATES_TO(LINK_GREETING) | STATES_TO(LINK_WAITING))                      \
    X(LINK_GREETING, "greeting",                                               \
      STATES_TO(LINK_READY) | STATES_TO(LINK_WAITING))                         \
    X(LINK_READY, "ready", STATES_TO(LINK_WAITING))

enum link_state { LINK_STATES(STATES_ENUM) };

/* One of ours to somebody else's door. */
struct bus_link {
    struct bus *bus;
    uint64_t peer;
    struct states states;
    struct bus_target target; /* its strings and key are below */
    char *endpoint;
    char *service;
    struct curve_key key;
    struct bus_socket socket, events;
    struct bus_waker *socket_waker, *events_waker;
    bool has_ended; /* only what was received before is still to be read */
    struct error ended;
    struct certificate *certificate; /* of the service, when ready */
    uv_timer_t timer; /* next attempt, or end of the present one */
    uint64_t pause_ms;
};

struct bus {
    struct bus_settings settings;
    struct curve_pair pair;
    struct bus_context *context;
    struct bus_socket door, gate;
    struct bus_waker *door_waker, *gate_waker;
    bool is_paused;
    struct bus_parcel parcel;
    struct {
        bus_handler *call;
        void *context;
    } handler[MESSAGE_TYPE_COUNT];
    struct bus_session session[BUS_PEERS_MAX];
    size_t session_count;
    struct hash_key hash_key;
    uint16_t bucket[BUS_BUCKETS]; /* slot + 1 of the first session, 0: none */
    struct bus_link *link[BUS_LINKS_MAX];
    uint64_t peers; /* numbers given out */
    /* The certificate that a handler has in hand: dropped when it is done. */
    const struct certificate *held;
    struct certificate *orphan;
    uv_prepare_t prepare;
    uv_check_t check;
    uv_idle_t idle;
    unsigned open_handles;
};

/* ---- the whole ---- */

/* The loop does not sleep before it has looked at all sockets again. */
void bus_keep_awake(struct bus *bus);

/* `kind`: PEER_IS_LINK or 0. */
uint64_t bus_new_peer(struct bus *bus, size_t slot, uint64_t kind);

/* Takes *certificate, which a handler may have in hand. */
void bus_drop_certificate(struct bus *bus, struct certificate **certificate);

enum bus_sent bus_deliver(struct bus *bus, const struct bus_socket *socket,
                          const struct bytes *receiver,
                          const struct message_frames *frames);

/* Why the message was not sent, which it was not. */
MUST_USE enum status bus_undelivered(const struct message *message,
                                     enum bus_sent sent, struct error *err);

/* There is one for this type. */
void bus_call_handler(struct bus *bus, uint64_t peer,
                      const struct certificate *certificate,
                      const struct message *message);

/* ---- wakers ---- */

MUST_USE enum status bus_waker_open(struct bus_waker **waker, uv_loop_t *loop,
                                    int fd, struct error *err);
void bus_waker_close(struct bus_waker **waker);

/* ---- greetings ---- */

/* Fill in a hello or a welcome.  What it borrows is in `pem` and `signature`.
 */
MUST_USE enum status
bus_greeting_make(struct bus *bus, struct message *greeting,
                  struct curve_binding *binding, struct text *pem,
                  uint8_t signature[SIGNATURE_SIZE_MAX], struct error *err);

/* Is the hello or welcome good?  Then *certificate is the sender's, and the
 * binding's expiry the first moment at which one of both is not valid. */
MUST_USE enum status
bus_greeting_check(struct bus *bus, const struct message *greeting,
                   struct curve_binding *binding, const char *service,
                   struct certificate **certificate, struct error *err);

/* ---- sessions ---- */

/* Serve the parcel, which came through the door. */
void bus_session_take(struct bus *bus);

/* An answer.  If it does not get there, the session has ended. */
MUST_USE enum status bus_session_send(struct bus *bus, uint64_t peer,
                                      const struct message *message,
                                      struct error *err);
void bus_session_end(struct bus *bus, struct bus_session *session);

/* ---- links ---- */

/* See to its events and to what was received.  The callbacks may close the
 * link, even the bus: then the socket is closed. */
void bus_link_serve(struct bus_link *link);

/* A request. */
MUST_USE enum status bus_link_send(struct bus *bus, uint64_t peer,
                                   const struct message *message,
                                   struct error *err);

/* Over for this time: say so, and try again later. */
void bus_link_lose(struct bus_link *link, const struct error *err);

/* Over for good. */
void bus_link_close(struct bus_link *link);

#endif
