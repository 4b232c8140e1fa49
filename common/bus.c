#include "common/bus.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uv.h>

#include "common/bus_socket.h"
#include "common/hash.h"
#include "common/log.h"
#include "common/states.h"
#include "common/text.h"

/* Twice the sessions, so that chains are short. */
#define BUCKETS ((size_t)2 * BUS_PEERS_MAX)

/* A peer's number: a count, and where to look. */
#define PEER_SLOT_BITS 16
#define PEER_IS_LINK (UINT64_C(1) << (PEER_SLOT_BITS - 1))
#define PEER_SLOT(peer) ((peer) & (PEER_IS_LINK - 1))

_Static_assert(BUS_PEERS_MAX < PEER_IS_LINK && BUS_LINKS_MAX < PEER_IS_LINK,
               "a slot fits into its bits");

/* Somebody who has said hello.  A connection, by its routing id and key. */
struct session {
    uint64_t peer; /* 0: free */
    uint8_t routing_id[BUS_ROUTING_ID_SIZE];
    struct curve_key key;
    struct certificate *certificate;
    uint64_t expiry_ms;
    uint64_t heard_ms; /* the loop's clock */
    uint16_t next;     /* in its bucket: slot + 1, 0 at the end */
};

/* Wakes the loop when a socket's descriptor does.  What there is to do is seen
 * elsewhere, so there is nothing in it but libuv's handle. */
struct waker {
    uv_poll_t poll;
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
static const struct states_row link_rows[] = {LINK_STATES(STATES_ROW)};
static const struct states_table link_table = STATES_TABLE("link", link_rows);

struct link {
    struct bus *bus;
    uint64_t peer;
    struct states states;
    struct bus_target target; /* its strings and key are below */
    char *endpoint;
    char *service;
    struct curve_key key;
    struct bus_socket socket, events;
    struct waker *socket_waker, *events_waker;
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
    struct waker *door_waker, *gate_waker;
    bool is_paused;
    struct bus_parcel parcel;
    struct {
        bus_handler *call;
        void *context;
    } handler[MESSAGE_TYPE_COUNT];
    struct session session[BUS_PEERS_MAX];
    size_t session_count;
    struct hash_key hash_key;
    uint16_t bucket[BUCKETS]; /* slot + 1 of the first session, 0: none */
    struct link *link[BUS_LINKS_MAX];
    uint64_t peers; /* numbers given out */
    /* The certificate that a handler has in hand: dropped when it is done. */
    const struct certificate *held;
    struct certificate *orphan;
    uv_prepare_t prepare;
    uv_check_t check;
    uv_idle_t idle;
    unsigned open_handles;
};

static uint64_t clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void do_nothing(uv_idle_t *idle)
{
    (void)idle;
}

/* The loop does not sleep before it has looked at all sockets again. */
static void keep_awake(struct bus *bus)
{
    uv_idle_start(&bus->idle, do_nothing);
}

static uint64_t new_peer(struct bus *bus, size_t slot, uint64_t kind)
{
    return ++bus->peers << PEER_SLOT_BITS | kind | slot;
}

/* Takes *certificate. */
static void drop_certificate(struct bus *bus, struct certificate **certificate)
{
    if (*certificate != NULL && *certificate == bus->held) {
        bus->orphan = *certificate;
        *certificate = NULL;
    }
    certificate_destroy(certificate);
}

/* ---- wakers ---- */

static void wake(uv_poll_t *poll, int status, int events)
{
    (void)poll;
    (void)status;
    (void)events;
}

static void waker_free(uv_handle_t *handle)
{
    free(handle->data);
}

static enum status waker_open(struct waker **out, uv_loop_t *loop, int fd,
                              struct error *err)
{
    struct waker *waker = malloc(sizeof *waker);
    int code;

    if (waker == NULL)
        return error_memory(err, "a socket");
    waker->poll.data = waker;
    code = uv_poll_init(loop, &waker->poll, fd);
    if (code != 0) {
        free(waker);
        return error_set(err, E_SYSTEM, "watching a socket: %s",
                         uv_strerror(code));
    }
    *out = waker;
    code = uv_poll_start(&waker->poll, UV_READABLE, wake);
    assert(code == 0);
    return OK;
}

static void waker_close(struct waker **waker)
{
    if (*waker != NULL)
        uv_close((uv_handle_t *)&(*waker)->poll, waker_free);
    *waker = NULL;
}

/* ---- sessions ---- */

static uint16_t *bucket_of(struct bus *bus, struct bytes routing_id)
{
    return &bus->bucket[hash_bytes(&bus->hash_key, routing_id) % BUCKETS];
}

static void session_end(struct bus *bus, struct session *session)
{
    uint16_t slot = (uint16_t)(session - bus->session);
    uint16_t *at = bucket_of(
        bus, bytes_of(session->routing_id, sizeof session->routing_id));

    while (*at != slot + 1) {
        assert(*at != 0);
        at = &bus->session[*at - 1].next;
    }
    *at = session->next;
    drop_certificate(bus, &session->certificate);
    session->peer = 0;
    bus->session_count--;
}

/* Whose connection this is, NULL if nobody has said hello on it. */
static struct session *session_find(struct bus *bus, struct bytes routing_id,
                                    const struct curve_key *key)
{
    uint16_t next = *bucket_of(bus, routing_id);
    struct session *session;

    for (; next != 0; next = session->next) {
        session = &bus->session[next - 1];
        if (!bytes_equal(routing_id, bytes_of(session->routing_id,
                                              sizeof session->routing_id)) ||
            !curve_key_equal(key, &session->key))
            continue;
        if (clock_ms() < session->expiry_ms)
            return session;
        session_end(bus, session);
        return NULL;
    }
    return NULL;
}

/* A free place; the longest silent has to go if there is none. */
static struct session *session_place(struct bus *bus)
{
    struct session *oldest = &bus->session[0];

    for (size_t i = 0; i < bus->settings.session_max; i++) {
        if (bus->session[i].peer == 0)
            return &bus->session[i];
        if (bus->session[i].heard_ms < oldest->heard_ms)
            oldest = &bus->session[i];
    }
    session_end(bus, oldest);
    return oldest;
}

/* Takes *certificate. */
static struct session *session_begin(struct bus *bus, struct bytes routing_id,
                                     const struct curve_key *key,
                                     struct certificate **certificate,
                                     uint64_t expiry_ms)
{
    struct session *session = session_find(bus, routing_id, key);
    uint16_t *bucket = bucket_of(bus, routing_id);
    size_t slot;

    if (session != NULL)
        session_end(bus, session);
    session = session_place(bus);
    slot = (size_t)(session - bus->session);
    assert(routing_id.size == sizeof session->routing_id);
    memcpy(session->routing_id, routing_id.data, routing_id.size);
    session->peer = new_peer(bus, slot, 0);
    session->key = *key;
    session->certificate = *certificate;
    *certificate = NULL;
    session->expiry_ms = expiry_ms;
    session->heard_ms = uv_now(bus->settings.loop);
    session->next = *bucket;
    *bucket = (uint16_t)(slot + 1);
    bus->session_count++;
    return session;
}

/* ---- greetings ---- */

/* Fill in a hello or a welcome.  What it borrows is in `pem` and `signature`.
 */
static enum status greeting_make(struct bus *bus, struct message *greeting,
                                 struct curve_binding *binding,
                                 struct text *pem,
                                 uint8_t signature[SIGNATURE_SIZE_MAX],
                                 struct error *err)
{
    bool is_welcome = binding->by_listener;
    size_t size = 0;
    enum status status;

    binding->expiry_ms = clock_ms() + BUS_GREETING_MS;
    status = certificate_append_pem(bus->settings.certificate, pem, err);
    if (status == OK)
        status = curve_binding_sign(binding, bus->settings.key, signature,
                                    &size, err);
    if (status != OK)
        return error_wrap(err, "greeting");
    message_set_bytes(greeting,
                      is_welcome ? WELCOME_CERTIFICATE : HELLO_CERTIFICATE,
                      text_bytes(pem));
    message_set_number(greeting, is_welcome ? WELCOME_EXPIRY : HELLO_EXPIRY,
                       binding->expiry_ms);
    message_set_bytes(greeting,
                      is_welcome ? WELCOME_SIGNATURE : HELLO_SIGNATURE,
                      bytes_of(signature, size));
    return OK;
}

/* Is the hello or welcome good?  Then *certificate is the sender's, and the
 * binding's expiry the first moment at which one of both is not valid. */
static enum status
greeting_check(struct bus *bus, const struct message *greeting,
               struct curve_binding *binding, const char *service,
               struct certificate **certificate, struct error *err)
{
    bool is_welcome = binding->by_listener;
    uint64_t now = clock_ms();
    int64_t not_before, not_after;
    enum status status;

    binding->expiry_ms =
        message_number(greeting, is_welcome ? WELCOME_EXPIRY : HELLO_EXPIRY);
    if (binding->expiry_ms <= now ||
        binding->expiry_ms > now + BUS_GREETING_MS + BUS_CLOCK_SKEW_MS)
        return error_set(err, E_REFUSED,
                         "%s: expires at a time that is past or too far away: "
                         "do both clocks agree?",
                         message_name(greeting->type));
    status = certificate_parse_pem(
        certificate,
        message_bytes(greeting,
                      is_welcome ? WELCOME_CERTIFICATE : HELLO_CERTIFICATE),
        err);
    if (status == OK)
        status = curve_binding_verify(
            binding, certificate_key(*certificate),
            message_bytes(greeting,
                          is_welcome ? WELCOME_SIGNATURE : HELLO_SIGNATURE),
            err);
    if (status == OK)
        status = bus->settings.admit(*certificate, service,
                                     bus->settings.context, err);
    if (status != OK) {
        certificate_destroy(certificate);
        return error_wrap(err, "%s", message_name(greeting->type));
    }
    certificate_validity(*certificate, &not_before, &not_after);
    if (not_after < (int64_t)binding->expiry_ms)
        binding->expiry_ms = not_after < 0 ? 0 : (uint64_t)not_after;
    return OK;
}

/* ---- sending ---- */

static enum bus_sent deliver(struct bus *bus, const struct bus_socket *socket,
                             const struct bytes *receiver,
                             const struct message_frames *frames)
{
    /* Sending may swallow the edge that says there is something to receive. */
    keep_awake(bus);
    return bus_socket_send(socket, receiver, frames->frame, frames->count);
}

static enum status undelivered(const struct message *message,
                               enum bus_sent sent, struct error *err)
{
    const char *name = message_name(message->type);

    if (sent == BUS_FULL)
        return error_set(err, E_LIMIT, "%s: %d messages wait for that peer",
                         name, BUS_QUEUE_MAX);
    return error_set(err, E_IO, "%s: the peer is gone", name);
}

static enum status send_to_session(struct bus *bus, uint64_t peer,
                                   const struct message *message,
                                   struct error *err)
{
    struct message_frames frames;
    struct session *session;
    struct bytes receiver;
    enum bus_sent sent;
    enum status status;

    assert(message_direction(message->type) == MESSAGE_IS_ANSWER);
    assert(PEER_SLOT(peer) < BUS_PEERS_MAX);
    session = &bus->session[PEER_SLOT(peer)];
    if (session->peer != peer)
        return undelivered(message, BUS_NOBODY, err);
    status = message_encode(message, &frames, err);
    if (status != OK)
        return status;
    receiver = bytes_of(session->routing_id, sizeof session->routing_id);
    sent = deliver(bus, &bus->door, &receiver, &frames);
    if (sent == BUS_SENT)
        return OK;
    /* Gone, or so slow that it would miss answers without knowing. */
    session_end(bus, session);
    return undelivered(message, sent, err);
}

static enum status link_send(const struct link *link,
                             const struct message *message, struct error *err)
{
    struct message_frames frames;
    enum bus_sent sent;
    enum status status = message_encode(message, &frames, err);

    if (status != OK)
        return status;
    sent = deliver(link->bus, &link->socket, NULL, &frames);
    return sent == BUS_SENT ? OK : undelivered(message, sent, err);
}

static enum status send_to_link(struct bus *bus, uint64_t peer,
                                const struct message *message,
                                struct error *err)
{
    const struct link *link;

    assert(message_direction(message->type) == MESSAGE_IS_REQUEST);
    assert(PEER_SLOT(peer) < BUS_LINKS_MAX);
    link = bus->link[PEER_SLOT(peer)];
    if (link == NULL || link->peer != peer || link->states.now != LINK_READY)
        return error_set(err, E_IO, "%s: not connected",
                         message_name(message->type));
    return link_send(link, message, err);
}

enum status bus_send(struct bus *bus, uint64_t peer,
                     const struct message *message, struct error *err)
{
    return (peer & PEER_IS_LINK) != 0
               ? send_to_link(bus, peer, message, err)
               : send_to_session(bus, peer, message, err);
}

enum status bus_request_id(uint8_t request_id[MESSAGE_REQUEST_ID_SIZE],
                           struct error *err)
{
    return random_secret(request_id, MESSAGE_REQUEST_ID_SIZE, err);
}

/* ---- handling ---- */

void bus_handle(struct bus *bus, enum message_type type, bus_handler *handler,
                void *context)
{
    assert((size_t)type < MESSAGE_TYPE_COUNT);
    assert(type != MESSAGE_HELLO && type != MESSAGE_WELCOME);
    assert(bus->handler[type].call == NULL);
    bus->handler[type].call = handler;
    bus->handler[type].context = context;
}

static void call_handler(struct bus *bus, uint64_t peer,
                         const struct certificate *certificate,
                         const struct message *message)
{
    struct bus_sender sender = {peer, certificate};

    assert(bus->held == NULL);
    bus->held = certificate;
    bus->handler[message->type].call(bus, &sender, message,
                                     bus->handler[message->type].context);
    bus->held = NULL;
    certificate_destroy(&bus->orphan);
}

/* To whoever sent the parcel.  Not being able to is nobody's concern: the
 * sender has left, or does not read. */
static void answer_failed(struct bus *bus, const struct error *why, bool retry)
{
    static const uint8_t unknown[MESSAGE_REQUEST_ID_SIZE];
    const struct bus_parcel *parcel = &bus->parcel;
    bool has_id =
        parcel->count >= 2 && parcel->frame[1].size == MESSAGE_REQUEST_ID_SIZE;
    struct message_frames frames;
    struct message failed;
    struct error err;

    message_fail(&failed, has_id ? parcel->frame[1].data : unknown, why, retry,
                 "");
    if (message_encode(&failed, &frames, &err) != OK ||
        deliver(bus, &bus->door, &parcel->sender, &frames) != BUS_SENT)
        log_debug("a refusal did not reach its peer");
}

static enum status take_hello(struct bus *bus, const struct message *hello,
                              struct error *err)
{
    const struct bus_parcel *parcel = &bus->parcel;
    struct curve_binding binding = {
        .connecting = &parcel->key,
        .listening = &bus->pair.key,
        .service = bus->settings.service,
    };
    struct certificate *certificate = NULL;
    uint8_t signature[SIGNATURE_SIZE_MAX];
    struct message welcome;
    struct session *session;
    uint64_t expiry_ms;
    struct text pem;
    enum status status;

    if (parcel->sender.size != BUS_ROUTING_ID_SIZE)
        return error_set(err, E_REFUSED,
                         "hello: expected a routing id of %d random bytes",
                         BUS_ROUTING_ID_SIZE);
    status = greeting_check(bus, hello, &binding, NULL, &certificate, err);
    if (status != OK)
        return status;
    expiry_ms = binding.expiry_ms;
    binding.by_listener = true;
    text_init(&pem);
    message_init(&welcome, MESSAGE_WELCOME, hello->request_id);
    status = greeting_make(bus, &welcome, &binding, &pem, signature, err);
    if (status == OK) {
        session = session_begin(bus, parcel->sender, &parcel->key, &certificate,
                                expiry_ms);
        status = send_to_session(bus, session->peer, &welcome, err);
    }
    certificate_destroy(&certificate);
    text_clear(&pem);
    return status;
}

/* What came through the door. */
static void take_request(struct bus *bus)
{
    const struct bus_parcel *parcel = &bus->parcel;
    struct session *session = session_find(bus, parcel->sender, &parcel->key);
    struct message message;
    struct error err;
    enum status status =
        message_decode(&message, parcel->frame, parcel->count, &err);

    if (status == OK && message.type == MESSAGE_HELLO) {
        status = take_hello(bus, &message, &err);
        if (status != OK) {
            log_info("%s", err.text);
            answer_failed(bus, &err, false);
        }
        return;
    }
    if (session == NULL) {
        /* Even garbage: whoever sent it may be told apart by nothing else. */
        if (error_set(&err, E_REFUSED, "say hello first") != OK)
            answer_failed(bus, &err, true);
        return;
    }
    session->heard_ms = uv_now(bus->settings.loop);
    if (status == OK && message_direction(message.type) != MESSAGE_IS_REQUEST)
        status = error_set(&err, E_INPUT, "%s: is not for a service",
                           message_name(message.type));
    else if (status == OK && bus->handler[message.type].call == NULL)
        status = error_set(&err, E_VERSION, "%s: is not answered here",
                           message_name(message.type));
    if (status == OK)
        call_handler(bus, session->peer, session->certificate, &message);
    else
        answer_failed(bus, &err, false);
}

/* ---- links ---- */

static void link_attempt(uv_timer_t *timer);
static void link_too_late(uv_timer_t *timer);

static void link_close_sockets(struct link *link)
{
    waker_close(&link->socket_waker);
    waker_close(&link->events_waker);
    bus_socket_close_link(&link->socket, &link->events);
    drop_certificate(link->bus, &link->certificate);
    link->has_ended = false;
}

/* Over for this time: say so, and try again later. */
static void link_lose(struct link *link, const struct error *err)
{
    struct error why = *err; /* it may be link->ended */

    link_close_sockets(link);
    states_move(&link->states, LINK_WAITING);
    uv_timer_start(&link->timer, link_attempt, link->pause_ms, 0);
    link->pause_ms *= 2;
    if (link->pause_ms > BUS_RECONNECT_MAX_MS)
        link->pause_ms = BUS_RECONNECT_MAX_MS;
    if (error_wrap(&why, "%s", link->endpoint) == OK)
        assert(false);
    link->target.watch(link->bus, link->peer, BUS_LOST, &why,
                       link->target.context);
}

static enum status link_open(struct link *link, struct error *err)
{
    struct bus *bus = link->bus;
    enum status status =
        bus_socket_open_link(&link->socket, &link->events, bus->context,
                             &bus->pair, &link->key, link->endpoint, err);

    if (status == OK)
        status = waker_open(&link->socket_waker, bus->settings.loop,
                            link->socket.fd, err);
    if (status == OK)
        status = waker_open(&link->events_waker, bus->settings.loop,
                            link->events.fd, err);
    return status;
}

static void link_attempt(uv_timer_t *timer)
{
    struct link *link = timer->data;
    struct error err;

    if (link_open(link, &err) != OK) {
        link_lose(link, &err);
        return;
    }
    states_move(&link->states, LINK_CONNECTING);
    uv_timer_start(timer, link_too_late, BUS_HANDSHAKE_MS, 0);
}

static void link_too_late(uv_timer_t *timer)
{
    struct link *link = timer->data;
    struct error err;

    if (error_set(&err, E_IO, "no answer within %d ms", BUS_HANDSHAKE_MS) != OK)
        link_lose(link, &err);
}

static struct curve_binding link_binding(const struct link *link,
                                         bool by_listener)
{
    return (struct curve_binding){
        .by_listener = by_listener,
        .connecting = &link->bus->pair.key,
        .listening = &link->key,
        .service = link->service,
    };
}

static void link_greet(struct link *link)
{
    struct curve_binding binding = link_binding(link, false);
    uint8_t signature[SIGNATURE_SIZE_MAX], id[MESSAGE_REQUEST_ID_SIZE];
    struct message hello;
    struct text pem;
    struct error err;
    enum status status = bus_request_id(id, &err);

    states_move(&link->states, LINK_GREETING);
    uv_timer_start(&link->timer, link_too_late, BUS_HANDSHAKE_MS, 0);
    text_init(&pem);
    message_init(&hello, MESSAGE_HELLO, id);
    if (status == OK)
        status =
            greeting_make(link->bus, &hello, &binding, &pem, signature, &err);
    if (status == OK)
        status = link_send(link, &hello, &err);
    text_clear(&pem);
    if (status != OK)
        link_lose(link, &err);
}

/* What the service says of our hello or, later, of our having said none. */
static enum status link_refusal(const struct message *failed, struct error *err)
{
    struct bytes text = message_bytes(failed, FAILED_TEXT);
    bool refused = message_number(failed, FAILED_STATUS) == E_REFUSED;

    return error_set(err, refused ? E_REFUSED : E_IO, "answers: %.*s",
                     (int)text.size, (const char *)text.data);
}

/* The answer to our hello. */
static void link_take_welcome(struct link *link, const struct message *message)
{
    struct curve_binding binding = link_binding(link, true);
    struct error err;
    enum status status;

    if (message->type == MESSAGE_FAILED)
        status = link_refusal(message, &err);
    else if (message->type != MESSAGE_WELCOME)
        status = error_set(&err, E_INPUT, "%s in place of a welcome",
                           message_name(message->type));
    else
        status = greeting_check(link->bus, message, &binding, link->service,
                                &link->certificate, &err);
    if (status != OK) {
        link_lose(link, &err);
        return;
    }
    uv_timer_stop(&link->timer);
    link->pause_ms = BUS_RECONNECT_MS;
    states_move(&link->states, LINK_READY);
    error_init(&err);
    link->target.watch(link->bus, link->peer, BUS_READY, &err,
                       link->target.context);
}

/* Our session is over, and the service does not know us any more. */
static bool is_forgotten(const struct message *message)
{
    return message->type == MESSAGE_FAILED &&
           message_number(message, FAILED_STATUS) == E_REFUSED &&
           message_number(message, FAILED_RETRY) != 0;
}

static void link_take(struct link *link)
{
    struct bus *bus = link->bus;
    struct message message;
    struct error err;
    enum status status =
        message_decode(&message, bus->parcel.frame, bus->parcel.count, &err);

    if (status == OK && message_direction(message.type) != MESSAGE_IS_ANSWER)
        status = error_set(&err, E_INPUT, "%s: is no answer",
                           message_name(message.type));
    if (status != OK) {
        /* A service that talks so is none of ours. */
        link_lose(link, &err);
        return;
    }
    if (link->states.now == LINK_GREETING) {
        link_take_welcome(link, &message);
        return;
    }
    if (is_forgotten(&message) && link_refusal(&message, &link->ended) != OK)
        link->has_ended = true;
    if (bus->handler[message.type].call != NULL)
        call_handler(bus, link->peer, link->certificate, &message);
}

static void link_watch_events(struct link *link)
{
    struct error err;

    switch (bus_socket_event(&link->events)) {
    case BUS_NOTHING:
        return;
    case BUS_CONNECTED:
        link_greet(link);
        return;
    case BUS_UNTRUSTED:
        if (error_set(&err, E_IO,
                      "no common language: another key than expected, or no "
                      "service of ours") != OK)
            link_lose(link, &err);
        return;
    case BUS_ENDED:
        /* What came before is still to be read. */
        link->has_ended = true;
        if (error_set(&link->ended, E_IO,
                      link->states.now == LINK_CONNECTING
                          ? "nobody answers"
                          : "the connection broke") == OK)
            assert(false);
        return;
    }
}

/* The callbacks may close the link, even the bus: then the socket is closed. */
static void serve_link(struct link *link)
{
    struct bus *bus = link->bus;

    if (link->events.handle != NULL)
        link_watch_events(link);
    for (int i = 0; i < BUS_BATCH_MAX && link->socket.handle != NULL; i++) {
        if (bus_socket_receive(&link->socket, false, &bus->parcel)) {
            link_take(link);
            continue;
        }
        if (link->has_ended)
            link_lose(link, &link->ended);
        return;
    }
}

static void link_free(uv_handle_t *timer)
{
    struct link *link = timer->data;

    free(link->endpoint);
    free(link->service);
    free(link);
}

enum status bus_connect(struct bus *bus, const struct bus_target *target,
                        uint64_t *peer, struct error *err)
{
    enum status status = bus_endpoint_check(target->endpoint, false, err);
    struct link *link;
    size_t slot = 0;

    if (status != OK)
        return status;
    while (slot < BUS_LINKS_MAX && bus->link[slot] != NULL)
        slot++;
    if (slot == BUS_LINKS_MAX)
        return error_set(err, E_LIMIT, "%s: there are %d connections already",
                         target->endpoint, BUS_LINKS_MAX);
    link = calloc(1, sizeof *link);
    if (link == NULL)
        return error_memory(err, "a connection");
    link->endpoint = string_copy(target->endpoint);
    link->service = string_copy(target->service);
    if (link->endpoint == NULL || link->service == NULL) {
        free(link->endpoint);
        free(link->service);
        free(link);
        return error_memory(err, "a connection");
    }
    link->bus = bus;
    link->target = *target;
    link->key = *target->key;
    link->pause_ms = BUS_RECONNECT_MS;
    link->peer = *peer = new_peer(bus, slot, PEER_IS_LINK);
    states_init(&link->states, &link_table, LINK_WAITING, NULL, NULL);
    link->timer.data = link;
    uv_timer_init(bus->settings.loop, &link->timer);
    uv_timer_start(&link->timer, link_attempt, 0, 0);
    bus->link[slot] = link;
    return OK;
}

static void link_close(struct link *link)
{
    link->bus->link[PEER_SLOT(link->peer)] = NULL;
    link_close_sockets(link);
    uv_close((uv_handle_t *)&link->timer, link_free);
}

void bus_disconnect(struct bus *bus, uint64_t peer)
{
    size_t slot = PEER_SLOT(peer);

    assert((peer & PEER_IS_LINK) != 0 && slot < BUS_LINKS_MAX);
    if (bus->link[slot] != NULL && bus->link[slot]->peer == peer)
        link_close(bus->link[slot]);
}

/* ---- the loop ---- */

/* Anything to serve, so that the loop must not sleep?  Each socket is asked,
 * also one that is not served now: else its descriptor would wake the loop
 * again and again. */
static bool is_busy(const struct bus *bus)
{
    bool busy = bus->gate.handle != NULL && bus_socket_readable(&bus->gate);

    if (bus->door.handle != NULL && bus_socket_readable(&bus->door))
        busy = busy || !bus->is_paused;
    for (size_t i = 0; i < BUS_LINKS_MAX; i++) {
        const struct link *link = bus->link[i];

        if (link == NULL || link->socket.handle == NULL)
            continue;
        if (bus_socket_readable(&link->socket) ||
            bus_socket_readable(&link->events) || link->has_ended)
            busy = true;
    }
    return busy;
}

static void before_sleep(uv_prepare_t *prepare)
{
    struct bus *bus = prepare->data;

    if (is_busy(bus))
        keep_awake(bus);
    else
        uv_idle_stop(&bus->idle);
}

static void after_sleep(uv_check_t *check)
{
    struct bus *bus = check->data;

    for (int i = 0; i < BUS_BATCH_MAX && bus->gate.handle != NULL; i++)
        if (!bus_socket_serve_gate(&bus->gate))
            break;
    for (size_t i = 0; i < BUS_LINKS_MAX; i++)
        if (bus->link[i] != NULL)
            serve_link(bus->link[i]);
    for (int i = 0;
         i < BUS_BATCH_MAX && bus->door.handle != NULL && !bus->is_paused;
         i++) {
        if (!bus_socket_receive(&bus->door, true, &bus->parcel))
            break;
        take_request(bus);
    }
}

/* ---- the whole ---- */

static void bus_free(struct bus *bus)
{
    bus_parcel_clear(&bus->parcel);
    curve_pair_clear(&bus->pair);
    free(bus);
}

static void handle_closed(uv_handle_t *handle)
{
    struct bus *bus = handle->data;

    if (--bus->open_handles == 0)
        bus_free(bus);
}

enum status bus_open(struct bus **out, const struct bus_settings *settings,
                     struct error *err)
{
    struct bus *bus = calloc(1, sizeof *bus);
    enum status status;

    assert(settings->session_max <= BUS_PEERS_MAX);
    if (bus == NULL)
        return error_memory(err, "the bus");
    bus->settings = *settings;
    bus->pair = *settings->pair;
    bus->settings.pair = &bus->pair;
    if (settings->session_max == 0)
        bus->settings.session_max = BUS_PEERS_MAX;
    status = hash_key_draw(&bus->hash_key, err);
    if (status == OK)
        status = bus_parcel_init(&bus->parcel, err);
    if (status == OK)
        status = bus_context_open(&bus->context, err);
    if (status != OK) {
        bus_free(bus);
        return status;
    }
    /* These cannot fail. */
    uv_prepare_init(settings->loop, &bus->prepare);
    uv_check_init(settings->loop, &bus->check);
    uv_idle_init(settings->loop, &bus->idle);
    bus->prepare.data = bus->check.data = bus->idle.data = bus;
    bus->open_handles = 3;
    uv_prepare_start(&bus->prepare, before_sleep);
    uv_check_start(&bus->check, after_sleep);
    keep_awake(bus);
    *out = bus;
    return OK;
}

void bus_close(struct bus **closing)
{
    struct bus *bus = *closing;

    if (bus == NULL)
        return;
    *closing = NULL;
    for (size_t i = 0; i < BUS_LINKS_MAX; i++)
        if (bus->link[i] != NULL)
            link_close(bus->link[i]);
    for (size_t i = 0; i < BUS_PEERS_MAX; i++)
        if (bus->session[i].peer != 0)
            session_end(bus, &bus->session[i]);
    waker_close(&bus->door_waker);
    waker_close(&bus->gate_waker);
    bus_socket_close(&bus->door);
    bus_socket_close(&bus->gate);
    bus_context_close(&bus->context);
    uv_close((uv_handle_t *)&bus->prepare, handle_closed);
    uv_close((uv_handle_t *)&bus->check, handle_closed);
    uv_close((uv_handle_t *)&bus->idle, handle_closed);
}

/* The gate first: a door without one would let anybody in unseen. */
static enum status open_door(struct bus *bus, struct error *err)
{
    uv_loop_t *loop = bus->settings.loop;
    enum status status = bus_socket_open_gate(&bus->gate, bus->context, err);

    if (status == OK)
        status = waker_open(&bus->gate_waker, loop, bus->gate.fd, err);
    if (status == OK)
        status =
            bus_socket_open_door(&bus->door, bus->context, &bus->pair, err);
    if (status == OK)
        status = waker_open(&bus->door_waker, loop, bus->door.fd, err);
    if (status != OK) {
        waker_close(&bus->gate_waker);
        bus_socket_close(&bus->door);
        bus_socket_close(&bus->gate);
    }
    return status;
}

enum status bus_listen(struct bus *bus, const char *endpoint,
                       char actual[ENDPOINT_SIZE_MAX], struct error *err)
{
    enum status status = OK;

    if (bus->door.handle == NULL)
        status = open_door(bus, err);
    if (status == OK)
        status = bus_socket_bind(&bus->door, endpoint, actual, err);
    keep_awake(bus);
    return status;
}

void bus_pause(struct bus *bus, bool paused)
{
    bus->is_paused = paused;
    keep_awake(bus);
}

size_t bus_forget(struct bus *bus, const char *id)
{
    struct error err;
    size_t count = 0;

    for (size_t i = 0; i < BUS_PEERS_MAX; i++)
        if (bus->session[i].peer != 0 &&
            strcmp(certificate_id(bus->session[i].certificate), id) == 0) {
            session_end(bus, &bus->session[i]);
            count++;
        }
    for (size_t i = 0; i < BUS_LINKS_MAX; i++) {
        struct link *link = bus->link[i];

        if (link == NULL || link->certificate == NULL ||
            strcmp(certificate_id(link->certificate), id) != 0)
            continue;
        count++;
        if (error_set(&err, E_REFUSED, "its certificate was revoked") != OK)
            link_lose(link, &err);
    }
    return count;
}

size_t bus_session_count(const struct bus *bus)
{
    return bus->session_count;
}
