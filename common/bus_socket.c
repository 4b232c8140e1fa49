#include "common/bus_socket.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zmq.h>

#include "common/bus.h"
#include "common/encoding.h"
#include "common/log.h"
#include "common/message.h"
#include "common/number.h"

#define GATE "inproc://zeromq.zap.01"
/* version, request id, domain, address, routing id, mechanism, key */
#define GATE_FRAMES 7
#define CURVE_RAW_SIZE 32

/* ---- endpoints ---- */

static bool is_host_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '.' || c == '-';
}

/* host:port.  No brackets and no second colon: IPv6 is off everywhere. */
static enum status check_tcp(const char *endpoint, bool listens,
                             struct error *err)
{
    const char *host = endpoint + strlen("tcp://");
    const char *colon = strchr(host, ':');
    size_t size = colon != NULL ? (size_t)(colon - host) : 0;
    char address[INET_ADDRSTRLEN];
    struct in_addr numbers;
    uint64_t port;

    for (size_t i = 0; i < size; i++)
        if (!is_host_letter(host[i]))
            size = 0;
    if (size == 0)
        return error_set(err, E_INPUT,
                         "%s: expected tcp://HOST:PORT, HOST a name or an IPv4 "
                         "address",
                         endpoint);
    if (!number_parse_unsigned(bytes_of_string(colon + 1), listens ? 0 : 1,
                               UINT16_MAX, &port))
        return error_set(err, E_INPUT, "%s: the port is a number up to %d",
                         endpoint, UINT16_MAX);
    /* To ZeroMQ a name to listen at is that of a network interface. */
    snprintf(address, sizeof address, "%.*s", (int)size, host);
    if (listens &&
        (size >= sizeof address || inet_pton(AF_INET, address, &numbers) != 1))
        return error_set(err, E_INPUT,
                         "%s: a service listens at an IPv4 address", endpoint);
    return OK;
}

enum status bus_endpoint_check(const char *endpoint, bool listens,
                               struct error *err)
{
    const char *path = endpoint + strlen("ipc://");

    if (strlen(endpoint) >= ENDPOINT_SIZE_MAX)
        return error_set(err, E_LIMIT,
                         "an endpoint of %zu characters, the limit is %d",
                         strlen(endpoint), ENDPOINT_SIZE_MAX - 1);
    if (strncmp(endpoint, "tcp://", strlen("tcp://")) == 0)
        return check_tcp(endpoint, listens, err);
    if (strncmp(endpoint, "ipc://", strlen("ipc://")) != 0)
        return error_set(err, E_INPUT,
                         "%s: expected ipc://PATH or tcp://HOST:PORT",
                         endpoint);
    /* No "@": such sockets lie in no folder that could protect them. */
    if (path[0] != '/')
        return error_set(err, E_INPUT,
                         "%s: expected an absolute path behind ipc://",
                         endpoint);
    if (strlen(path) > ENDPOINT_PATH_MAX)
        return error_set(err, E_LIMIT,
                         "%s: the path of a local socket has %zu bytes, the "
                         "system's limit is %d: choose a shorter folder",
                         endpoint, strlen(path), ENDPOINT_PATH_MAX);
    return OK;
}

/* ---- opening and closing ---- */

static enum status failure(struct error *err, const char *what)
{
    int code = zmq_errno();
    enum status status = code == ENOMEM ? E_MEMORY : E_SYSTEM;

    return error_set(err, status, "%s: %s", what, zmq_strerror(code));
}

enum status bus_context_open(struct bus_context **context, struct error *err)
{
    void *handle = zmq_ctx_new();

    if (handle == NULL)
        return failure(err, "starting ZeroMQ");
    *context = handle;
    return OK;
}

void bus_context_close(struct bus_context **context)
{
    if (*context == NULL)
        return;
    while (zmq_ctx_term(*context) != 0)
        assert(zmq_errno() == EINTR);
    *context = NULL;
}

/* Options that are ours to get right: a wrong one is a mistake in this file. */
static void set_number(void *handle, int option, int number)
{
    if (zmq_setsockopt(handle, option, &number, sizeof number) != 0)
        assert(false);
}
static void set_bytes(void *handle, int option, const void *data, size_t size)
{
    if (zmq_setsockopt(handle, option, data, size) != 0)
        assert(false);
}

static enum status open_kind(struct bus_socket *socket,
                             struct bus_context *context, int kind,
                             struct error *err)
{
    size_t size = sizeof socket->fd;
    void *handle = zmq_socket(context, kind);

    socket->handle = NULL;
    if (handle == NULL)
        return failure(err, "opening a socket of ZeroMQ");
    if (zmq_getsockopt(handle, ZMQ_FD, &socket->fd, &size) != 0)
        assert(false);
    set_number(handle, ZMQ_LINGER, 0);
    socket->handle = handle;
    return OK;
}

/* A frame on the wire is a MESSAGE command of CurveZMQ
 * (rfc.zeromq.org/spec/26): its name in 8 bytes, 8 of a nonce, 16 of
 * authentication, 1 of flags, and then what was sent.  ZMQ_MAXMSGSIZE counts
 * all of it. */
#define CURVE_MESSAGE_EXTRA 33

/* What the door and links have in common. */
static void set_limits(void *handle, enum message_direction receives)
{
    int64_t size_max =
        (int64_t)message_frame_max(receives) + CURVE_MESSAGE_EXTRA;

    set_number(handle, ZMQ_IPV6, 0);
    set_number(handle, ZMQ_SNDHWM, BUS_QUEUE_MAX);
    set_number(handle, ZMQ_RCVHWM, BUS_QUEUE_MAX);
    set_number(handle, ZMQ_HANDSHAKE_IVL, BUS_HANDSHAKE_MS);
    set_number(handle, ZMQ_HEARTBEAT_IVL, BUS_SILENCE_MS / 3);
    set_number(handle, ZMQ_HEARTBEAT_TIMEOUT, BUS_SILENCE_MS);
    set_bytes(handle, ZMQ_MAXMSGSIZE, &size_max, sizeof size_max);
}

enum status bus_socket_open_door(struct bus_socket *socket,
                                 struct bus_context *context,
                                 const struct curve_pair *pair,
                                 struct error *err)
{
    static const char domain[] = "anchorite";
    enum status status = open_kind(socket, context, ZMQ_ROUTER, err);

    if (status != OK)
        return status;
    set_limits(socket->handle, MESSAGE_IS_REQUEST);
    set_number(socket->handle, ZMQ_LINGER, BUS_LINGER_MS);
    /* Sending to somebody who has left is then said, and not silent. */
    set_number(socket->handle, ZMQ_ROUTER_MANDATORY, 1);
    set_number(socket->handle, ZMQ_CURVE_SERVER, 1);
    set_bytes(socket->handle, ZMQ_CURVE_SECRETKEY, pair->secret,
              sizeof pair->secret);
    /* Without a domain some versions do not ask the gate. */
    set_bytes(socket->handle, ZMQ_ZAP_DOMAIN, domain, sizeof domain - 1);
    return OK;
}

enum status bus_socket_bind(const struct bus_socket *socket,
                            const char *endpoint,
                            char actual[ENDPOINT_SIZE_MAX], struct error *err)
{
    size_t size = ENDPOINT_SIZE_MAX;
    enum status status = bus_endpoint_check(endpoint, true, err);

    if (status != OK)
        return status;
    if (zmq_bind(socket->handle, endpoint) != 0)
        return failure(err, endpoint);
    if (zmq_getsockopt(socket->handle, ZMQ_LAST_ENDPOINT, actual, &size) != 0)
        return failure(err, endpoint);
    return OK;
}

enum status bus_socket_open_gate(struct bus_socket *socket,
                                 struct bus_context *context, struct error *err)
{
    enum status status = open_kind(socket, context, ZMQ_REP, err);

    if (status == OK && zmq_bind(socket->handle, GATE) != 0) {
        status = failure(err, GATE);
        bus_socket_close(socket);
    }
    return status;
}

/* Before the link connects, so that no event is missed. */
static enum status open_watch(struct bus_socket *watch,
                              struct bus_context *context,
                              const struct bus_socket *socket,
                              struct error *err)
{
    const int events = ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED |
                       ZMQ_EVENT_CLOSED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                       ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                       ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
    char name[64];
    enum status status = open_kind(watch, context, ZMQ_PAIR, err);

    if (status != OK)
        return status;
    snprintf(name, sizeof name, "inproc://watch-%p", socket->handle);
    if (zmq_socket_monitor(socket->handle, name, events) != 0 ||
        zmq_connect(watch->handle, name) != 0) {
        status = failure(err, "watching a connection");
        bus_socket_close(watch);
    }
    return status;
}

enum status bus_socket_open_link(struct bus_socket *socket,
                                 struct bus_socket *watch,
                                 struct bus_context *context,
                                 const struct curve_pair *pair,
                                 const struct curve_key *server,
                                 const char *endpoint, struct error *err)
{
    uint8_t routing_id[BUS_ROUTING_ID_SIZE];
    enum status status = random_secret(routing_id, sizeof routing_id, err);

    watch->handle = NULL;
    if (status == OK)
        status = open_kind(socket, context, ZMQ_DEALER, err);
    if (status != OK)
        return status;
    set_limits(socket->handle, MESSAGE_IS_ANSWER);
    set_bytes(socket->handle, ZMQ_ROUTING_ID, routing_id, sizeof routing_id);
    /* This socket does not live to see it: whoever holds it notices the end,
     * reads what came before, and opens another one.  (-1, never, would make
     * ZeroMQ drop what was not read yet.) */
    set_number(socket->handle, ZMQ_RECONNECT_IVL, 3600 * 1000);
    set_number(socket->handle, ZMQ_CONNECT_TIMEOUT, BUS_HANDSHAKE_MS);
    set_bytes(socket->handle, ZMQ_CURVE_PUBLICKEY, pair->key.text,
              sizeof pair->key.text);
    set_bytes(socket->handle, ZMQ_CURVE_SECRETKEY, pair->secret,
              sizeof pair->secret);
    set_bytes(socket->handle, ZMQ_CURVE_SERVERKEY, server->text,
              sizeof server->text);
    status = open_watch(watch, context, socket, err);
    if (status == OK && zmq_connect(socket->handle, endpoint) != 0)
        status = failure(err, endpoint);
    if (status != OK)
        bus_socket_close_link(socket, watch);
    return status;
}

void bus_socket_close_link(struct bus_socket *socket, struct bus_socket *watch)
{
    /* First nobody speaks to the watch any more: ZeroMQ's thread would wait
     * for it for good. */
    if (socket->handle != NULL)
        zmq_socket_monitor(socket->handle, NULL, 0);
    bus_socket_close(socket);
    bus_socket_close(watch);
}

void bus_socket_close(struct bus_socket *socket)
{
    if (socket->handle != NULL && zmq_close(socket->handle) != 0)
        assert(false);
    socket->handle = NULL;
}

/* Also makes ZeroMQ read its mailbox. */
static int events_of(const struct bus_socket *socket)
{
    int events = 0;
    size_t size = sizeof events;

    while (zmq_getsockopt(socket->handle, ZMQ_EVENTS, &events, &size) != 0)
        assert(zmq_errno() == EINTR);
    return events;
}

bool bus_socket_readable(const struct bus_socket *socket)
{
    return (events_of(socket) & ZMQ_POLLIN) != 0;
}

/* ---- receiving and sending ---- */

/* The sender, and all frames that a message of ours can have. */
struct bus_parcel_memory {
    zmq_msg_t sender;
    zmq_msg_t frame[MESSAGE_FRAMES_MAX];
    zmq_msg_t rest;
};

enum status bus_parcel_init(struct bus_parcel *parcel, struct error *err)
{
    struct bus_parcel_memory *memory = malloc(sizeof *memory);

    if (memory == NULL)
        return error_memory(err, "a message");
    zmq_msg_init(&memory->sender);
    zmq_msg_init(&memory->rest);
    for (size_t i = 0; i < MESSAGE_FRAMES_MAX; i++)
        zmq_msg_init(&memory->frame[i]);
    *parcel = (struct bus_parcel){.memory = memory};
    return OK;
}

void bus_parcel_clear(struct bus_parcel *parcel)
{
    struct bus_parcel_memory *memory = parcel->memory;

    if (memory == NULL)
        return;
    zmq_msg_close(&memory->sender);
    zmq_msg_close(&memory->rest);
    for (size_t i = 0; i < MESSAGE_FRAMES_MAX; i++)
        zmq_msg_close(&memory->frame[i]);
    free(memory);
    *parcel = (struct bus_parcel){.memory = NULL};
}

/* One frame.  Receiving closes what the zmq_msg_t held before. */
static bool receive_frame(void *handle, zmq_msg_t *frame)
{
    while (zmq_msg_recv(frame, handle, ZMQ_DONTWAIT) < 0) {
        if (zmq_errno() == EAGAIN)
            return false;
        assert(zmq_errno() == EINTR);
    }
    return true;
}

static struct bytes frame_bytes(zmq_msg_t *frame)
{
    return bytes_of(zmq_msg_data(frame), zmq_msg_size(frame));
}

bool bus_socket_receive(const struct bus_socket *socket, bool is_door,
                        struct bus_parcel *parcel)
{
    struct bus_parcel_memory *memory = parcel->memory;
    zmq_msg_t *last = &memory->sender;
    bool more = true;

    if (is_door) {
        if (!receive_frame(socket->handle, &memory->sender))
            return false;
        parcel->sender = frame_bytes(&memory->sender);
        more = zmq_msg_more(last) != 0;
    }
    for (parcel->count = 0; more; parcel->count++) {
        last = parcel->count < MESSAGE_FRAMES_MAX
                   ? &memory->frame[parcel->count]
                   : &memory->rest;
        /* ZeroMQ hands over whole messages: only the first can be missing. */
        if (!receive_frame(socket->handle, last)) {
            assert(!is_door && parcel->count == 0);
            return false;
        }
        if (parcel->count < MESSAGE_FRAMES_MAX)
            parcel->frame[parcel->count] = frame_bytes(last);
        more = zmq_msg_more(last) != 0;
    }
    if (is_door) {
        const char *user = zmq_msg_gets(last, "User-Id");

        if (user == NULL ||
            !curve_key_parse(&parcel->key, bytes_of_string(user)))
            memset(&parcel->key, 0, sizeof parcel->key);
    }
    return true;
}

enum bus_sent bus_socket_send(const struct bus_socket *socket,
                              const struct bytes *receiver,
                              const struct bytes *frame, size_t count)
{
    struct bytes first = receiver != NULL ? *receiver : frame[0];
    size_t next = receiver != NULL ? 0 : 1;
    int flags = ZMQ_DONTWAIT | (next < count ? ZMQ_SNDMORE : 0);
    bool again = true;

    while (zmq_send(socket->handle, first.data, first.size, flags) < 0) {
        if (zmq_errno() == EHOSTUNREACH)
            return BUS_NOBODY;
        if (zmq_errno() == EAGAIN && !again)
            return BUS_FULL;
        if (zmq_errno() == EAGAIN) {
            /* When it sends, ZeroMQ reads its mailbox only now and then: there
             * may be room that it has not heard of. */
            again = false;
            events_of(socket);
            continue;
        }
        assert(zmq_errno() == EINTR);
    }
    for (; next < count; next++)
        while (zmq_send(socket->handle, frame[next].data, frame[next].size,
                        ZMQ_DONTWAIT | (next + 1 < count ? ZMQ_SNDMORE : 0)) <
               0)
            /* Once the first was taken, the others are. */
            assert(zmq_errno() == EINTR);
    return BUS_SENT;
}

/* ---- the gate ---- */

/* Files must remain for the log and the database when many clients come: the
 * kernel gives out the lowest number that is free. */
static bool files_remain(void)
{
    struct rlimit limit;
    int lowest = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);

    if (lowest >= 0)
        close(lowest);
    return lowest >= 0 && getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
           (rlim_t)lowest + BUS_FILES_RESERVED < limit.rlim_cur;
}

static void answer(void *handle, struct bytes request_id, const char *code,
                   const char *words, const char *user)
{
    const struct bytes frame[] = {
        bytes_of_string("1.0"), request_id,
        bytes_of_string(code),  bytes_of_string(words),
        bytes_of_string(user),  bytes_of("", 0),
    };
    const size_t count = sizeof frame / sizeof frame[0];

    for (size_t i = 0; i < count; i++)
        while (zmq_send(handle, frame[i].data, frame[i].size,
                        ZMQ_DONTWAIT | (i + 1 < count ? ZMQ_SNDMORE : 0)) < 0)
            /* Who asks is ZeroMQ itself, and waits for the answer. */
            assert(zmq_errno() == EINTR);
}

bool bus_socket_serve_gate(const struct bus_socket *socket)
{
    zmq_msg_t frame[GATE_FRAMES];
    struct bytes part[GATE_FRAMES];
    size_t count = 0;
    bool more = true;

    for (size_t i = 0; i < GATE_FRAMES; i++)
        zmq_msg_init(&frame[i]);
    while (more && count < GATE_FRAMES &&
           receive_frame(socket->handle, &frame[count])) {
        part[count] = frame_bytes(&frame[count]);
        more = zmq_msg_more(&frame[count]) != 0;
        count++;
    }
    if (count > 0) {
        struct curve_key key;

        /* Our door knows no other mechanism, and ZeroMQ no other question. */
        assert(count == GATE_FRAMES && !more);
        assert(bytes_equal_string(part[5], "CURVE"));
        assert(part[6].size == CURVE_RAW_SIZE);
        curve_key_encode(&key, part[6].data);
        if (files_remain()) {
            answer(socket->handle, part[1], "200", "OK", key.text);
        } else {
            log_warning("a connection was refused: too many open files");
            answer(socket->handle, part[1], "300", "busy", "");
        }
    }
    for (size_t i = 0; i < GATE_FRAMES; i++)
        zmq_msg_close(&frame[i]);
    return count > 0;
}

/* ---- the watch ---- */

/* An event is two frames: its number (16 bits) and value, and the address. */
enum bus_event bus_socket_event(const struct bus_socket *watch)
{
    enum bus_event event = BUS_NOTHING;
    zmq_msg_t frame;
    uint16_t number = 0;
    bool more = true;

    zmq_msg_init(&frame);
    if (receive_frame(watch->handle, &frame)) {
        assert(zmq_msg_size(&frame) >= sizeof number);
        memcpy(&number, zmq_msg_data(&frame), sizeof number);
        for (more = zmq_msg_more(&frame) != 0; more;
             more = zmq_msg_more(&frame) != 0)
            if (!receive_frame(watch->handle, &frame))
                break;
        event = number == ZMQ_EVENT_HANDSHAKE_SUCCEEDED ? BUS_CONNECTED
                : number == ZMQ_EVENT_DISCONNECTED || number == ZMQ_EVENT_CLOSED
                    ? BUS_ENDED
                    : BUS_UNTRUSTED;
    }
    zmq_msg_close(&frame);
    return event;
}
