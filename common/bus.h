/*
 * common/bus.h - messages between programs: sessions, links, handlers.
 *
 * A bus lives on one libuv loop.  It may listen, for sessions of others, and
 * have links to services of others; both are peers, named by a number that is
 * never used again.  Everything is encrypted (CURVE); whoever connects knows
 * the service's public key beforehand, and both say once who they are:
 *
 *     link                                      session
 *      | --- hello: certificate, signature ----> |  certificate read, signature
 *      |                                         |  over both CURVE keys holds,
 *      |                                         |  admit() agrees
 *      | <-- welcome: certificate, signature --- |  it is a session now
 *   the same checks, then BUS_READY
 *      | --- any request ----------------------> |  handler
 *      | <-- its answer, or failed ------------- |
 *
 * A request from somebody who has not said hello gets `failed` (E_REFUSED,
 * retry) and leaves no trace.  Sessions are in memory only and end when the
 * greeting or the certificate expires, when bus_forget() is told that the
 * certificate is revoked, and, the longest silent first, when there are too
 * many.  A link that gets such a `failed`, that breaks or is silent
 * for BUS_SILENCE_MS ends; it tells its watch, and connects and greets again.
 * What was on its way is then in doubt: ask again under the same request id or
 * nonce.
 *
 *     bus_open -> bus_handle*, bus_listen* -> bus_connect*, bus_send*, ...
 *              -> bus_close
 *
 * A handler gets a message only if it is as messages.def says, and comes from a
 * session (requests) or a link (answers) that is bound to a certificate.  All
 * calls come from the loop's thread, and all callbacks go there.  Any of them
 * may be made in a callback.
 *
 * Elsewhere: the wire (common/bus_socket.h), frames (common/message.h), what is
 * signed (common/curve.h).
 */
#ifndef COMMON_BUS_H
#define COMMON_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/curve.h"
#include "common/error.h"
#include "common/identity.h"
#include "common/message.h"

struct bus;
struct uv_loop_s;

/* Somebody has shown to hold this certificate's key.  Is it good for us:
 * chain, dates, enrolled, not revoked?  `service` is the one that we called, by
 * bus_connect, or NULL: it called us.  E_REFUSED with the reason if not. */
typedef enum status bus_admit(const struct certificate *certificate,
                              const char *service, void *context,
                              struct error *err);

struct bus_settings {
    struct uv_loop_s *loop;
    const char *service;           /* our name: who calls another is refused */
    const struct curve_pair *pair; /* copied */
    const struct certificate *certificate;
    const struct private_key *key; /* of the certificate */
    size_t session_max;            /* up to BUS_PEERS_MAX; 0: that many */
    bus_admit *admit;
    void *context; /* of admit */
};

/* All that settings point to, except `pair`, lives as long as the bus. */
MUST_USE enum status bus_open(struct bus **bus,
                              const struct bus_settings *settings,
                              struct error *err);

/* No callback comes after it.  Waits up to BUS_LINGER_MS for answers that are
 * on their way.  Its handles leave the loop in the loop's next turn.  Takes
 * *bus, accepts NULL in it. */
void bus_close(struct bus **bus);

/* Is this ipc://PATH or tcp://HOST:PORT?  To listen, HOST is an IPv4 address;
 * port 0 lets the system choose. */
MUST_USE enum status bus_endpoint_check(const char *endpoint, bool listens,
                                        struct error *err);

/* ---- handlers ---- */

struct bus_sender {
    uint64_t peer;                         /* for bus_send */
    const struct certificate *certificate; /* for the call */
};

/* `message` and what it points to live for the call. */
typedef void bus_handler(struct bus *bus, const struct bus_sender *sender,
                         const struct message *message, void *context);

/* One handler for a type; requests of other types are answered by `failed`,
 * answers are passed over. */
void bus_handle(struct bus *bus, enum message_type type, bus_handler *handler,
                void *context);

/* ---- listening ---- */

/* May be called several times.  `actual` is where it listens, with the port
 * that was chosen. */
MUST_USE enum status bus_listen(struct bus *bus, const char *endpoint,
                                char actual[ENDPOINT_SIZE_MAX],
                                struct error *err);

/* Take no further requests from sessions, or do so again.  They wait with their
 * senders: BUS_QUEUE_MAX here for each, and so many there. */
void bus_pause(struct bus *bus, bool paused);

/* End the sessions and links of the certificate with that id; returns how
 * many. */
size_t bus_forget(struct bus *bus, const char *id);

size_t bus_session_count(const struct bus *bus);

/* ---- connecting ---- */

enum bus_news {
    BUS_READY, /* it is who it should be: send */
    BUS_LOST   /* why is in err; it is tried again by itself */
};

/* E_REFUSED in err: one side does not accept the other's certificate. */
typedef void bus_watch(struct bus *bus, uint64_t peer, enum bus_news news,
                       const struct error *err, void *context);

struct bus_target {
    const char *endpoint;
    const char *service;         /* its name */
    const struct curve_key *key; /* its key */
    bus_watch *watch;
    void *context;
};

/* A link until bus_disconnect.  *peer stays the same however often it is lost.
 * All of target is copied. */
MUST_USE enum status bus_connect(struct bus *bus,
                                 const struct bus_target *target,
                                 uint64_t *peer, struct error *err);
void bus_disconnect(struct bus *bus, uint64_t peer);

/* ---- sending ---- */

/* A request to a link or an answer to a session.  The message is copied.  E_IO
 * if the peer is gone or not ready.  E_LIMIT if too much waits for it: a
 * session that does not take its answers ends by that.  Otherwise as
 * message_encode. */
MUST_USE enum status bus_send(struct bus *bus, uint64_t peer,
                              const struct message *message, struct error *err);

/* A fresh request id. */
MUST_USE enum status bus_request_id(uint8_t request_id[MESSAGE_REQUEST_ID_SIZE],
                                    struct error *err);

#endif
