#include "ledger/transport.h"

#include <assert.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "ledger/address.h"
#include "ledger/transport_internal.h"

/* Connections that the kernel may hold for us: those of all peers after a
 * power failure, and some strangers. */
#define LISTEN_BACKLOG 128

/* libraft has room for 255 characters. */
static int fail(struct transport *transport, int code, const char *what)
{
    snprintf(transport->raft.errmsg, sizeof transport->raft.errmsg, "%s", what);
    return code;
}

enum status transport_resolve(const char *address, struct sockaddr_storage *out,
                              struct error *err)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC,
                                   .ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_NUMERICSERV | AI_PASSIVE};
    struct addrinfo *list = NULL;
    struct address parts;
    int result;

    if (!address_parse(bytes_of_string(address), &parts))
        return error_set(err, E_INPUT, "%s: expected HOST:PORT", address);
    result = getaddrinfo(parts.host, parts.port, &hints, &list);
    if (result != 0)
        return error_set(err, E_INPUT, "%s: %s", address, gai_strerror(result));
    assert(list->ai_addrlen <= sizeof *out);
    memcpy(out, list->ai_addr, list->ai_addrlen);
    freeaddrinfo(list);
    return OK;
}

/* ---- what libraft calls ----------------------------------------------------
 */

static int on_init(struct raft_uv_transport *raft, raft_id id,
                   const char *address)
{
    struct transport *transport = raft->impl;
    struct address parts;

    if (id == 0 || !address_parse(bytes_of_string(address), &parts))
        return fail(transport, RAFT_INVALID,
                    "the node's address is no HOST:PORT");
    transport->self.id = id;
    memcpy(transport->self.address, address, strlen(address) + 1);
    return 0;
}

static void on_stranger(uv_stream_t *listener, int status)
{
    struct transport *transport = listener->data;

    if (status == 0)
        connection_accept(transport);
}

static int on_listen(struct raft_uv_transport *raft, raft_uv_accept_cb accept)
{
    struct transport *transport = raft->impl;
    const char *where = transport->listen[0] != '\0' ? transport->listen
                                                     : transport->self.address;
    struct sockaddr_storage address;
    int result;

    if (transport_resolve(where, &address, &transport->error) != OK)
        return fail(transport, RAFT_INVALID, "no such address to listen at");
    result = uv_tcp_init(transport->loop, &transport->listener);
    if (result == 0) {
        transport->has_listener = true;
        transport->listener.data = transport;
        transport->accept = accept;
        result = uv_tcp_bind(&transport->listener,
                             (const struct sockaddr *)&address, 0);
    }
    if (result == 0)
        result = uv_listen((uv_stream_t *)&transport->listener, LISTEN_BACKLOG,
                           on_stranger);
    if (result == 0)
        return 0;
    if (error_set(&transport->error, E_INPUT, "listening at %s failed: %s",
                  where, uv_strerror(result)) == OK)
        return 0;
    return fail(transport, RAFT_IOERR, "listening failed");
}

static int on_connect(struct raft_uv_transport *raft,
                      struct raft_uv_connect *request, raft_id id,
                      const char *address, raft_uv_connect_cb answer)
{
    struct transport *transport = raft->impl;

    assert(!transport->is_closing);
    return connection_dial(transport, id, address, request, answer);
}

void transport_reap(struct transport *transport)
{
    raft_uv_transport_close_cb closed = transport->closed;

    if (!transport->is_closing || transport->has_listener ||
        !TAILQ_EMPTY(&transport->connections) || closed == NULL)
        return;
    transport->closed = NULL;
    closed(&transport->raft);
}

static void on_listener_closed(uv_handle_t *handle)
{
    struct transport *transport = handle->data;

    transport->has_listener = false;
    transport_reap(transport);
}

static void on_close(struct raft_uv_transport *raft,
                     raft_uv_transport_close_cb closed)
{
    struct transport *transport = raft->impl;
    struct connection *connection;

    assert(!transport->is_closing);
    transport->is_closing = true;
    transport->closed = closed;
    TAILQ_FOREACH(connection, &transport->connections, entry)
    connection_close(connection);
    if (transport->has_listener)
        uv_close((uv_handle_t *)&transport->listener, on_listener_closed);
    transport_reap(transport);
}

/* ---- what the node calls ---------------------------------------------------
 */

enum status transport_create(struct transport **transport,
                             const struct transport_options *options,
                             struct error *err)
{
    struct transport *made = calloc(1, sizeof *made);
    struct sigaction broken_pipe;
    struct address parts;
    enum status status;

    /* libuv writes to sockets whose other end may be gone. */
    assert(sigaction(SIGPIPE, NULL, &broken_pipe) == 0 &&
           broken_pipe.sa_handler == SIG_IGN);
    if (made == NULL)
        return error_memory(err, "the transport");
    TAILQ_INIT(&made->connections);
    made->loop = options->loop;
    made->is_member = options->is_member;
    made->context = options->context;
    error_init(&made->error);
    made->raft = (struct raft_uv_transport){.version = 1,
                                            .impl = made,
                                            .init = on_init,
                                            .listen = on_listen,
                                            .connect = on_connect,
                                            .close = on_close};
    if (options->listen != NULL) {
        if (!address_parse(bytes_of_string(options->listen), &parts)) {
            status = error_set(err, E_INPUT, "listen: expected HOST:PORT");
            goto failed;
        }
        memcpy(made->listen, options->listen, strlen(options->listen) + 1);
    }
    status = tls_context_create(&made->tls, &options->credentials, err);
    if (status != OK)
        goto failed;
    *transport = made;
    return OK;

failed:
    free(made);
    return status;
}

void transport_destroy(struct transport **transport)
{
    if (*transport == NULL)
        return;
    assert(TAILQ_EMPTY(&(*transport)->connections));
    assert(!(*transport)->has_listener);
    tls_context_destroy(&(*transport)->tls);
    free(*transport);
    *transport = NULL;
}

struct raft_uv_transport *transport_raft(struct transport *transport)
{
    return &transport->raft;
}

const struct error *transport_error(const struct transport *transport)
{
    return &transport->error;
}

void transport_review(struct transport *transport)
{
    struct connection *connection;

    TAILQ_FOREACH(connection, &transport->connections, entry)
    if (connection->states.now == CONNECTION_OPEN &&
        !transport->is_member(
            transport->context, connection->peer,
            connection->is_connector ? NULL : connection->peer_address,
            tls_peer(connection->tls)))
        connection_close(connection);
}

void transport_sever(struct transport *transport)
{
    struct connection *connection;

    TAILQ_FOREACH(connection, &transport->connections, entry)
    if (connection->states.now == CONNECTION_OPEN)
        connection_close(connection);
}

struct transport_figures transport_figures(const struct transport *transport)
{
    struct transport_figures figures = transport->figures;
    const struct connection *connection;

    figures.strangers = transport->strangers;
    TAILQ_FOREACH(connection, &transport->connections, entry)
    figures.open += connection->states.now == CONNECTION_OPEN;
    return figures;
}
