/*
 * ledger/transport_internal.h - the transport and its connections, for
 * transport.c and transport_connection.c.
 */
#ifndef LEDGER_TRANSPORT_INTERNAL_H
#define LEDGER_TRANSPORT_INTERNAL_H

#include <raft.h>
#include <raft/uv.h>
#include <sys/queue.h>
#include <uv.h>

#include "common/states.h"
#include "ledger/preamble.h"
#include "ledger/tls.h"
#include "ledger/transport.h"

#define CONNECTION_STATES(X)                                                   \
    X(CONNECTION_LOOKUP, "looking up the address",                             \
      STATES_TO(CONNECTION_DIALLING) | STATES_TO(CONNECTION_CLOSING))          \
    X(CONNECTION_DIALLING, "connecting",                                       \
      STATES_TO(CONNECTION_HANDSHAKE) | STATES_TO(CONNECTION_CLOSING))         \
    X(CONNECTION_HANDSHAKE, "in the handshake",                                \
      STATES_TO(CONNECTION_GREETING) | STATES_TO(CONNECTION_CLOSING))          \
    X(CONNECTION_GREETING, "greeting",                                         \
      STATES_TO(CONNECTION_OPEN) | STATES_TO(CONNECTION_CLOSING))              \
    X(CONNECTION_OPEN, "open", STATES_TO(CONNECTION_CLOSING))                  \
    X(CONNECTION_CLOSING, "closing", 0)

enum connection_state { CONNECTION_STATES(STATES_ENUM) };

struct connection {
    struct transport *transport;
    TAILQ_ENTRY(connection) entry;
    struct states states;
    bool is_connector;
    uint64_t peer; /* Raft id: dialled, or shown by a preamble; else 0 */
    char peer_address[ADDRESS_MAX + 1];
    struct tls *tls;
    uint8_t preamble[PREAMBLE_SIZE_MAX]; /* the peer's, as far as it came */
    size_t preamble_size;

    unsigned handles;    /* of libuv, open */
    uv_tcp_t tcp;        /* to the peer */
    uv_timer_t deadline; /* of the greeting */
    uv_pipe_t near;      /* our end of the pair that libraft has the other of */
    bool has_near;
    bool tcp_held, near_held; /* not read from: the other side is full */
    uv_getaddrinfo_t lookup;
    bool is_looking_up;
    uv_connect_t dial;

    struct raft_uv_connect *request; /* libraft waits for the answer */
    raft_uv_connect_cb answer;
};

TAILQ_HEAD(connection_list, connection);

/* How often dialling a node has failed: of several addresses that its name has,
 * the next one is tried. */
struct dialled {
    uint64_t id;
    unsigned failures;
    bool is_away; /* it has been told that the node cannot be reached */
};

struct transport {
    struct raft_uv_transport raft;
    uv_loop_t *loop;
    struct tls_context *tls;
    transport_is_member *is_member;
    void *context;
    char listen[ADDRESS_MAX + 1]; /* empty: at `address` */

    struct preamble self; /* filled by init */
    raft_uv_accept_cb accept;
    uv_tcp_t listener;
    bool has_listener;
    bool somebody_waits; /* at the listener, for memory */
    bool is_closing;
    raft_uv_transport_close_cb closed;
    struct error error;

    struct connection_list connections; /* the oldest first */
    unsigned strangers;                 /* accepted and not yet open */
    struct dialled dialled[REPLICA_PEERS_MAX];
    struct transport_figures figures;
    uint64_t told_ms; /* when a refusal was logged last */

    uint8_t input[TRANSPORT_READ_SIZE];     /* of the read at hand */
    uint8_t plaintext[TRANSPORT_READ_SIZE]; /* of it, decrypted */
};

/* The first of the addresses of "host:port" that suits; for names this asks a
 * server and waits. */
MUST_USE enum status transport_resolve(const char *address,
                                       struct sockaddr_storage *out,
                                       struct error *err);

/* Somebody waits at the listener. */
void connection_accept(struct transport *transport);

/* 0 or an error of libraft's; afterwards `answer` is called once. */
MUST_USE int connection_dial(struct transport *transport, uint64_t id,
                             const char *address,
                             struct raft_uv_connect *request,
                             raft_uv_connect_cb answer);

/* At once or later it is gone, and libraft has its answer. */
void connection_close(struct connection *connection);

/* A connection is gone. */
void transport_reap(struct transport *transport);

#endif
