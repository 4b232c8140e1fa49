#include <assert.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "common/log.h"
#include "ledger/address.h"
#include "ledger/transport_internal.h"

/* A peer that is silent because it has nothing to say is asked after this. */
#define KEEPALIVE_S 10

/* More than any name has addresses. */
#define FAILURES_COUNTED 1024

/* One line a second says that strangers are refused; a flood of them must not
 * become a flood of lines. */
#define TELL_EVERY_MS 1000

static const struct states_row rows[] = {CONNECTION_STATES(STATES_ROW)};
static const struct states_table table = STATES_TABLE("connection", rows);

static bool is_closing(const struct connection *connection)
{
    return connection->states.now == CONNECTION_CLOSING;
}

static bool is_stranger(const struct connection *connection)
{
    return !connection->is_connector &&
           connection->states.now < CONNECTION_OPEN;
}

/* ---- the end ---------------------------------------------------------------
 */

static struct dialled *dialled_of(struct transport *transport, uint64_t id)
{
    for (size_t i = 0; i < REPLICA_PEERS_MAX; i++) {
        struct dialled *dialled = &transport->dialled[i];

        if (dialled->id == 0)
            dialled->id = id;
        if (dialled->id == id)
            return dialled;
    }
    return NULL;
}

/* libraft takes the answer even while it closes. */
static void answer(struct connection *connection, uv_stream_t *stream, int code)
{
    struct raft_uv_connect *request = connection->request;
    struct dialled *dialled;

    if (request == NULL)
        return;
    dialled = dialled_of(connection->transport, connection->peer);
    if (dialled != NULL && code == RAFT_NOCONNECTION)
        dialled->failures = (dialled->failures + 1) % FAILURES_COUNTED;
    connection->request = NULL;
    connection->answer(request, stream, code);
}

static void release(struct connection *connection)
{
    struct transport *transport = connection->transport;

    TAILQ_REMOVE(&transport->connections, connection, entry);
    answer(connection, NULL,
           transport->is_closing ? RAFT_CANCELED : RAFT_NOCONNECTION);
    tls_destroy(&connection->tls);
    free(connection);
    if (transport->somebody_waits && !transport->is_closing)
        connection_accept(transport);
    transport_reap(transport);
}

static void drop_handle(struct connection *connection)
{
    assert(connection->handles > 0);
    if (--connection->handles == 0)
        release(connection);
}

static void on_handle_closed(uv_handle_t *handle)
{
    drop_handle(handle->data);
}

void connection_close(struct connection *connection)
{
    if (is_closing(connection))
        return;
    if (is_stranger(connection)) {
        connection->transport->strangers--;
        connection->transport->figures.refused++;
    }
    states_move(&connection->states, CONNECTION_CLOSING);
    uv_close((uv_handle_t *)&connection->tcp, on_handle_closed);
    uv_close((uv_handle_t *)&connection->deadline, on_handle_closed);
    if (connection->has_near)
        uv_close((uv_handle_t *)&connection->near, on_handle_closed);
    if (connection->is_looking_up)
        /* Its callback comes in any case. */
        (void)uv_cancel((uv_req_t *)&connection->lookup);
}

/* libraft dials again each second: once for as long as it fails is enough. */
static void tell_away(struct connection *connection, const struct error *err)
{
    struct dialled *dialled =
        dialled_of(connection->transport, connection->peer);

    if (dialled == NULL || dialled->is_away)
        return;
    dialled->is_away = true;
    log_warning("raft: connecting to node %ju, %s: %s, trying again",
                (uintmax_t)connection->peer, states_name(&connection->states),
                err->text);
}

static void tell_back(struct connection *connection)
{
    struct dialled *dialled =
        dialled_of(connection->transport, connection->peer);

    if (dialled == NULL || !dialled->is_away)
        return;
    dialled->is_away = false;
    log_info("raft: connected to node %ju", (uintmax_t)connection->peer);
}

static void tell_refused(struct connection *connection, const struct error *err)
{
    struct transport *transport = connection->transport;
    uint64_t now_ms = uv_now(transport->loop);

    if (transport->told_ms != 0 && now_ms - transport->told_ms < TELL_EVERY_MS)
        return;
    transport->told_ms = now_ms;
    log_warning("raft: a connection was refused, %s: %s (%ju so far)",
                states_name(&connection->states), err->text,
                (uintmax_t)transport->figures.refused + 1);
}

/* Who it is, as far as we know, and why it must go. */
static void refuse(struct connection *connection, const struct error *err)
{
    if (connection->states.now == CONNECTION_OPEN)
        log_info("raft: connection %s node %ju: %s",
                 connection->is_connector ? "to" : "from",
                 (uintmax_t)connection->peer, err->text);
    else if (connection->is_connector)
        tell_away(connection, err);
    else
        tell_refused(connection, err);
    connection_close(connection);
}

static void refuse_for(struct connection *connection, const char *reason)
{
    struct error err;

    if (error_set(&err, E_REFUSED, "%s", reason) != OK)
        refuse(connection, &err);
}

static void refuse_uv(struct connection *connection, int code)
{
    refuse_for(connection, uv_strerror(code));
}

static void on_deadline(uv_timer_t *timer)
{
    refuse_for(timer->data, "it takes too long");
}

/* ---- bytes -----------------------------------------------------------------
 *
 * What cannot be written at once waits in a piece of its own, and while too
 * much waits, the side that it comes from is not read.
 */

struct piece {
    uv_write_t request;
    struct connection *connection;
    uint8_t data[];
};

static void on_tcp(uv_stream_t *tcp, ssize_t got, const uv_buf_t *buffer);
static void on_near(uv_stream_t *near, ssize_t got, const uv_buf_t *buffer);

/* One buffer serves all: libuv asks for it, fills it and calls us at once. */
static void lend_input(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct connection *connection = handle->data;

    (void)suggested;
    *buffer = uv_buf_init((char *)connection->transport->input,
                          sizeof connection->transport->input);
}

static void read_tcp(struct connection *connection)
{
    int result =
        uv_read_start((uv_stream_t *)&connection->tcp, lend_input, on_tcp);

    connection->tcp_held = false;
    if (result != 0)
        refuse_uv(connection, result);
}

static void read_near(struct connection *connection)
{
    int result =
        uv_read_start((uv_stream_t *)&connection->near, lend_input, on_near);

    connection->near_held = false;
    if (result != 0)
        refuse_uv(connection, result);
}

/* What flows into `stream` comes from the other one. */
static void hold_source(struct connection *connection,
                        const uv_stream_t *stream)
{
    if (stream == (uv_stream_t *)&connection->near) {
        (void)uv_read_stop((uv_stream_t *)&connection->tcp);
        connection->tcp_held = true;
    } else if (connection->has_near) {
        (void)uv_read_stop((uv_stream_t *)&connection->near);
        connection->near_held = true;
    }
}

static void on_written(uv_write_t *request, int status)
{
    struct piece *piece = request->data;
    struct connection *connection = piece->connection;
    const uv_stream_t *stream = request->handle;

    free(piece);
    if (is_closing(connection))
        return;
    if (status != 0) {
        refuse_uv(connection, status);
        return;
    }
    if (uv_stream_get_write_queue_size(stream) > TRANSPORT_QUEUE_MAX / 2)
        return;
    if (stream == (uv_stream_t *)&connection->near) {
        if (connection->tcp_held)
            read_tcp(connection);
    } else if (connection->near_held) {
        read_near(connection);
    }
}

static void write_later(struct connection *connection, uv_stream_t *stream,
                        struct bytes data)
{
    struct piece *piece = malloc(sizeof *piece + data.size);
    uv_buf_t buffer;
    int result;

    if (piece == NULL) {
        refuse_uv(connection, UV_ENOMEM);
        return;
    }
    piece->connection = connection;
    piece->request.data = piece;
    memcpy(piece->data, data.data, data.size);
    buffer = uv_buf_init((char *)piece->data, (unsigned)data.size);
    result = uv_write(&piece->request, stream, &buffer, 1, on_written);
    if (result != 0) {
        free(piece);
        refuse_uv(connection, result);
        return;
    }
    if (uv_stream_get_write_queue_size(stream) > TRANSPORT_QUEUE_MAX)
        hold_source(connection, stream);
}

static void write_bytes(struct connection *connection, uv_stream_t *stream,
                        struct bytes data)
{
    uv_buf_t buffer = uv_buf_init((char *)data.data, (unsigned)data.size);
    int written;

    if (data.size == 0 || is_closing(connection))
        return;
    written = uv_try_write(stream, &buffer, 1);
    if (written < 0 && written != UV_EAGAIN) {
        refuse_uv(connection, written);
        return;
    }
    if (written < 0)
        written = 0;
    if ((size_t)written < data.size)
        write_later(connection, stream,
                    bytes_of(data.data + written, data.size - (size_t)written));
}

/* Also after a failure: the alert tells the peer why. */
static void send_output(struct connection *connection)
{
    write_bytes(connection, (uv_stream_t *)&connection->tcp,
                tls_output(connection->tls));
    tls_output_taken(connection->tls);
}

static void say(struct connection *connection, struct bytes plaintext)
{
    struct error err;
    enum status status = tls_write(connection->tls, plaintext, &err);

    send_output(connection);
    if (status != OK && !is_closing(connection))
        refuse(connection, &err);
}

/* ---- greeting --------------------------------------------------------------
 */

static void free_stream(uv_handle_t *handle)
{
    raft_free(handle);
}

/* One end for us, the other, which libraft frees with raft_free, for it; NULL
 * if the system has none left. */
static uv_stream_t *make_pair(struct connection *connection)
{
    uv_pipe_t *far = raft_malloc(sizeof *far);
    uv_os_sock_t ends[2];

    if (far == NULL)
        return NULL;
    if (uv_socketpair(SOCK_STREAM, 0, ends, UV_NONBLOCK_PIPE,
                      UV_NONBLOCK_PIPE) != 0) {
        raft_free(far);
        return NULL;
    }
    /* These two cannot fail for a fresh socket. */
    if (uv_pipe_init(connection->transport->loop, far, 0) != 0 ||
        uv_pipe_open(far, ends[0]) != 0 ||
        uv_pipe_init(connection->transport->loop, &connection->near, 0) != 0 ||
        uv_pipe_open(&connection->near, ends[1]) != 0)
        abort();
    connection->near.data = connection;
    connection->has_near = true;
    connection->handles++;
    return (uv_stream_t *)far;
}

static void close_older(struct connection *admitted)
{
    struct connection *other;

    TAILQ_FOREACH(other, &admitted->transport->connections, entry)
    if (other != admitted && !other->is_connector &&
        other->states.now == CONNECTION_OPEN && other->peer == admitted->peer)
        connection_close(other);
}

/* The greeting is over: libraft gets its stream. */
static void open_stream(struct connection *connection)
{
    struct transport *transport = connection->transport;
    uv_stream_t *stream = make_pair(connection);

    if (stream == NULL) {
        refuse_uv(connection, UV_EMFILE);
        return;
    }
    if (!connection->is_connector)
        transport->strangers--;
    states_move(&connection->states, CONNECTION_OPEN);
    (void)uv_timer_stop(&connection->deadline);
    transport->figures.admitted++;
    /* Read in any case: that the other end was closed shows here. */
    read_near(connection);
    if (is_closing(connection)) {
        uv_close((uv_handle_t *)stream, free_stream);
        return;
    }
    if (connection->is_connector) {
        tell_back(connection);
        answer(connection, stream, 0);
        return;
    }
    close_older(connection);
    transport->accept(&transport->raft, connection->peer,
                      connection->peer_address, stream);
}

static bool ask_membership(struct connection *connection, const char *address)
{
    struct transport *transport = connection->transport;

    return transport->is_member(transport->context, connection->peer, address,
                                tls_peer(connection->tls));
}

static void on_handshake_done(struct connection *connection)
{
    uint8_t preamble[PREAMBLE_SIZE_MAX];
    size_t size;

    states_move(&connection->states, CONNECTION_GREETING);
    if (!connection->is_connector)
        return;
    if (!ask_membership(connection, NULL)) {
        refuse_for(connection, "its certificate is not that node's");
        return;
    }
    size = preamble_encode(&connection->transport->self, preamble);
    say(connection, bytes_of(preamble, size));
}

static void on_preamble(struct connection *connection, struct bytes more)
{
    static const uint8_t welcome = PREAMBLE_WELCOME;
    size_t room = sizeof connection->preamble - connection->preamble_size;
    enum preamble_reading reading = PREAMBLE_FOREIGN;
    struct preamble preamble;

    if (more.size <= room) {
        memcpy(connection->preamble + connection->preamble_size, more.data,
               more.size);
        connection->preamble_size += more.size;
        reading = preamble_decode(
            bytes_of(connection->preamble, connection->preamble_size),
            &preamble);
    }
    if (reading == PREAMBLE_MORE)
        return;
    if (reading == PREAMBLE_FOREIGN) {
        refuse_for(connection, "it does not greet as a node does");
        return;
    }
    connection->peer = preamble.id;
    memcpy(connection->peer_address, preamble.address,
           sizeof connection->peer_address);
    if (preamble.id == connection->transport->self.id ||
        !ask_membership(connection, connection->peer_address)) {
        refuse_for(connection,
                   "its certificate is not that of the node it claims to be");
        return;
    }
    say(connection, bytes_of(&welcome, 1));
    if (!is_closing(connection))
        open_stream(connection);
}

static void on_plaintext(struct connection *connection, struct bytes data)
{
    bool is_open = connection->states.now == CONNECTION_OPEN;

    if (!connection->is_connector && is_open)
        write_bytes(connection, (uv_stream_t *)&connection->near, data);
    else if (!connection->is_connector)
        on_preamble(connection, data);
    else if (!is_open && data.size == 1 && data.data[0] == PREAMBLE_WELCOME)
        open_stream(connection);
    else
        refuse_for(connection, "it sends where it may only read");
}

/* ---- the network -----------------------------------------------------------
 */

/* Whatever can be done with what was fed. */
static enum status advance(struct connection *connection, struct error *err)
{
    struct transport *transport = connection->transport;
    enum status status = OK;
    size_t got;
    bool done;

    if (connection->states.now == CONNECTION_HANDSHAKE) {
        status = tls_handshake(connection->tls, &done, err);
        send_output(connection);
        if (status != OK || is_closing(connection) || !done)
            return status;
        on_handshake_done(connection);
    }
    /* Ends: what was fed has an end, and nothing is fed here. */
    while (!is_closing(connection)) {
        status = tls_read(connection->tls, transport->plaintext,
                          sizeof transport->plaintext, &got, err);
        send_output(connection); /* an alert, or keys that were updated */
        if (status != OK || got == 0)
            break;
        on_plaintext(connection, bytes_of(transport->plaintext, got));
    }
    return status;
}

static void on_tcp(uv_stream_t *tcp, ssize_t got, const uv_buf_t *buffer)
{
    struct connection *connection = tcp->data;
    enum status status;
    struct error err;

    if (got == 0 || is_closing(connection))
        return;
    if (got < 0) {
        refuse_uv(connection, (int)got);
        return;
    }
    status =
        tls_feed(connection->tls, bytes_of(buffer->base, (size_t)got), &err);
    if (status == OK)
        status = advance(connection, &err);
    if (status != OK && !is_closing(connection))
        refuse(connection, &err);
}

static void on_near(uv_stream_t *near, ssize_t got, const uv_buf_t *buffer)
{
    struct connection *connection = near->data;

    if (got == 0 || is_closing(connection))
        return;
    if (got < 0)
        connection_close(connection); /* libraft has closed its end */
    else if (!connection->is_connector)
        refuse_for(connection, "libraft writes to a stream it may only read");
    else
        say(connection, bytes_of(buffer->base, (size_t)got));
}

/* Both as soon as TCP is there; failing is no reason not to talk. */
static void tune(struct connection *connection)
{
    const unsigned silence_ms = TRANSPORT_SILENCE_MS;
    uv_os_fd_t fd;

    /* Raft sends small messages and waits for the answer: with Nagle's
     * algorithm that costs 40 ms each. */
    (void)uv_tcp_nodelay(&connection->tcp, 1);
    (void)uv_tcp_keepalive(&connection->tcp, 1, KEEPALIVE_S);
    if (uv_fileno((uv_handle_t *)&connection->tcp, &fd) == 0)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &silence_ms,
                         sizeof silence_ms);
}

static void start_handshake(struct connection *connection)
{
    struct error err;

    tune(connection);
    if (tls_create(&connection->tls, connection->transport->tls,
                   connection->is_connector, &err) != OK) {
        refuse(connection, &err);
        return;
    }
    states_move(&connection->states, CONNECTION_HANDSHAKE);
    read_tcp(connection);
    if (!is_closing(connection) && advance(connection, &err) != OK)
        refuse(connection, &err);
}

/* NULL without memory. */
static struct connection *create(struct transport *transport, bool is_connector,
                                 enum connection_state first)
{
    struct connection *connection = calloc(1, sizeof *connection);

    if (connection == NULL)
        return NULL;
    connection->transport = transport;
    connection->is_connector = is_connector;
    states_init(&connection->states, &table, first, NULL, NULL);
    connection->tcp.data = connection;
    connection->deadline.data = connection;
    /* Without flags neither of them can fail. */
    if (uv_tcp_init(transport->loop, &connection->tcp) != 0 ||
        uv_timer_init(transport->loop, &connection->deadline) != 0 ||
        uv_timer_start(&connection->deadline, on_deadline,
                       TRANSPORT_GREETING_MS, 0) != 0)
        abort();
    connection->handles = 2;
    TAILQ_INSERT_TAIL(&transport->connections, connection, entry);
    return connection;
}

/* A flood of strangers must not keep the members out: the one that has been at
 * it for longest goes. */
static void make_room(struct transport *transport)
{
    struct connection *oldest;

    if (transport->strangers < TRANSPORT_STRANGERS_MAX)
        return;
    TAILQ_FOREACH(oldest, &transport->connections, entry)
    if (is_stranger(oldest)) {
        refuse_for(oldest, "too many greet at once");
        return;
    }
}

void connection_accept(struct transport *transport)
{
    struct connection *connection;
    int result;

    make_room(transport);
    connection = create(transport, false, CONNECTION_DIALLING);
    transport->somebody_waits = connection == NULL;
    if (connection == NULL)
        return; /* until a connection that ends gives its memory back */
    transport->strangers++;
    result = uv_accept((uv_stream_t *)&transport->listener,
                       (uv_stream_t *)&connection->tcp);
    if (result != 0)
        refuse_uv(connection, result);
    else
        start_handshake(connection);
}

static void on_dialled(uv_connect_t *request, int status)
{
    struct connection *connection = request->data;

    if (is_closing(connection))
        return;
    if (status != 0)
        refuse_uv(connection, status);
    else
        start_handshake(connection);
}

static void dial(struct connection *connection, const struct sockaddr *address)
{
    int result;

    connection->dial.data = connection;
    result = uv_tcp_connect(&connection->dial, &connection->tcp, address,
                            on_dialled);
    if (result != 0)
        refuse_uv(connection, result);
}

/* Of the addresses that a name has, another one after each failure. */
static const struct addrinfo *choose(struct connection *connection,
                                     const struct addrinfo *list)
{
    const struct dialled *dialled =
        dialled_of(connection->transport, connection->peer);
    const struct addrinfo *chosen = list;
    unsigned skip = dialled != NULL ? dialled->failures : 0;

    for (; skip > 0; skip--)
        chosen = chosen->ai_next != NULL ? chosen->ai_next : list;
    return chosen;
}

static void on_lookup(uv_getaddrinfo_t *request, int status,
                      struct addrinfo *list)
{
    struct connection *connection = request->data;

    connection->is_looking_up = false;
    if (!is_closing(connection) && status == 0) {
        states_move(&connection->states, CONNECTION_DIALLING);
        dial(connection, choose(connection, list)->ai_addr);
    } else if (!is_closing(connection)) {
        refuse_uv(connection, status);
    }
    uv_freeaddrinfo(list);
    drop_handle(connection);
}

int connection_dial(struct transport *transport, uint64_t id,
                    const char *address, struct raft_uv_connect *request,
                    raft_uv_connect_cb on_answer)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC,
                                   .ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_NUMERICSERV};
    struct connection *connection;
    struct sockaddr_in6 six;
    struct sockaddr_in four;
    struct address parts;
    int result = 0;

    if (!address_parse(bytes_of_string(address), &parts))
        return RAFT_INVALID;
    connection = create(transport, true, CONNECTION_LOOKUP);
    if (connection == NULL)
        return RAFT_NOMEM;
    connection->peer = id;
    connection->request = request;
    connection->answer = on_answer;
    request->cb = on_answer;
    if (uv_ip4_addr(parts.host, parts.port_number, &four) == 0) {
        states_move(&connection->states, CONNECTION_DIALLING);
        dial(connection, (const struct sockaddr *)&four);
    } else if (uv_ip6_addr(parts.host, parts.port_number, &six) == 0) {
        states_move(&connection->states, CONNECTION_DIALLING);
        dial(connection, (const struct sockaddr *)&six);
    } else {
        connection->lookup.data = connection;
        result = uv_getaddrinfo(transport->loop, &connection->lookup, on_lookup,
                                parts.host, parts.port, &hints);
        if (result == 0) {
            connection->is_looking_up = true;
            connection->handles++;
        } else {
            refuse_uv(connection, result);
        }
    }
    return 0;
}
