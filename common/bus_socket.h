/*
 * common/bus_socket.h - ZeroMQ behind one file: the sockets of a bus.
 *
 * Four kinds: the door, which listens (ROUTER, CURVE server); a link, one
 * connection to somebody's door (DEALER, CURVE client); the gate, which is
 * asked about each key that wants in (ZAP, ZeroMQ RFC 27); a watch, which
 * tells what becomes of a link.
 *
 * A link's socket makes one connection and is then thrown away: nothing queued
 * for a peer ever reaches its successor.  Its routing id, by which the door
 * addresses it, are 16 random bytes: whoever took over the id of a client that
 * has left would get its answers, and so nobody must be able to guess one.
 *
 * Nothing here waits.  Elsewhere: the loop and handlers (common/bus.c),
 * sessions (common/bus_session.c), links (common/bus_link.c).
 */
#ifndef COMMON_BUS_SOCKET_H
#define COMMON_BUS_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/curve.h"
#include "common/error.h"
#include "common/limits.h"

#define BUS_ROUTING_ID_SIZE 16

struct bus_context; /* ZeroMQ's; its threads */

struct bus_socket {
    void *handle; /* NULL: not open */
    int fd;       /* becomes readable (an edge) when readable() may change */
};

MUST_USE enum status bus_context_open(struct bus_context **context,
                                      struct error *err);
/* All its sockets are closed.  Waits until what they sent is out, at most
 * BUS_LINGER_MS. */
void bus_context_close(struct bus_context **context);

MUST_USE enum status bus_socket_open_door(struct bus_socket *socket,
                                          struct bus_context *context,
                                          const struct curve_pair *pair,
                                          struct error *err);
MUST_USE enum status bus_socket_open_gate(struct bus_socket *socket,
                                          struct bus_context *context,
                                          struct error *err);
/* Begins to connect, and opens the watch over it. */
MUST_USE enum status
bus_socket_open_link(struct bus_socket *socket, struct bus_socket *watch,
                     struct bus_context *context, const struct curve_pair *pair,
                     const struct curve_key *server, const char *endpoint,
                     struct error *err);
/* Both accept sockets that are not open. */
void bus_socket_close(struct bus_socket *socket);
void bus_socket_close_link(struct bus_socket *socket, struct bus_socket *watch);

/* The door opens at `endpoint` too; `actual` is where, with the port that was
 * chosen for port 0. */
MUST_USE enum status bus_socket_bind(const struct bus_socket *socket,
                                     const char *endpoint,
                                     char actual[ENDPOINT_SIZE_MAX],
                                     struct error *err);

/* Is there anything to receive?  Must be asked before each sleep. */
bool bus_socket_readable(const struct bus_socket *socket);

/* What was received; lives until the next one. */
struct bus_parcel {
    struct bytes sender;  /* routing id, from the door only */
    struct curve_key key; /* of the sender, from the door only */
    struct bytes frame[MESSAGE_FRAMES_MAX];
    size_t count; /* frames there were; those beyond the array are lost */
    struct bus_parcel_memory *memory;
};

MUST_USE enum status bus_parcel_init(struct bus_parcel *parcel,
                                     struct error *err);
void bus_parcel_clear(struct bus_parcel *parcel);

/* From the door or a link; false if there is nothing. */
bool bus_socket_receive(const struct bus_socket *socket, bool is_door,
                        struct bus_parcel *parcel);

enum bus_sent {
    BUS_SENT,
    BUS_FULL,  /* too much waits for that peer already */
    BUS_NOBODY /* there is no such peer, or none yet */
};

/* All frames or none; `receiver` from the door only, else NULL. */
enum bus_sent bus_socket_send(const struct bus_socket *socket,
                              const struct bytes *receiver,
                              const struct bytes *frame, size_t count);

/* Answer one question at the gate; false if there is none.  Every CURVE key may
 * come in, and messages of its connection carry it from then on. */
bool bus_socket_serve_gate(const struct bus_socket *socket);

enum bus_event {
    BUS_NOTHING,
    BUS_CONNECTED,
    BUS_ENDED,
    BUS_UNTRUSTED /* ended in the handshake: most likely another key */
};

/* The next event of a watch. */
enum bus_event bus_socket_event(const struct bus_socket *watch);

#endif
