#include <assert.h>
#include <stdlib.h>

#include "common/bus_internal.h"

static const struct states_row link_rows[] = {LINK_STATES(STATES_ROW)};
static const struct states_table link_table = STATES_TABLE("link", link_rows);

/* ---- sending ---- */

static enum status send_over(const struct bus_link *link,
                             const struct message *message, struct error *err)
{
    struct message_frames frames;
    enum bus_sent sent;
    enum status status = message_encode(message, &frames, err);

    if (status != OK)
        return status;
    sent = bus_deliver(link->bus, &link->socket, NULL, &frames);
    return sent == BUS_SENT ? OK : bus_undelivered(message, sent, err);
}

enum status bus_link_send(struct bus *bus, uint64_t peer,
                          const struct message *message, struct error *err)
{
    const struct bus_link *link;

    assert(message_direction(message->type) == MESSAGE_IS_REQUEST);
    assert(PEER_SLOT(peer) < BUS_LINKS_MAX);
    link = bus->link[PEER_SLOT(peer)];
    if (link == NULL || link->peer != peer || link->states.now != LINK_READY)
        return error_set(err, E_IO, "%s: not connected",
                         message_name(message->type));
    return send_over(link, message, err);
}

/* ---- its attempts ---- */

static void link_attempt(uv_timer_t *timer);
static void link_too_late(uv_timer_t *timer);

static void link_close_sockets(struct bus_link *link)
{
    bus_waker_close(&link->socket_waker);
    bus_waker_close(&link->events_waker);
    bus_socket_close_link(&link->socket, &link->events);
    bus_drop_certificate(link->bus, &link->certificate);
    link->has_ended = false;
}

void bus_link_lose(struct bus_link *link, const struct error *err)
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

static enum status link_open(struct bus_link *link, struct error *err)
{
    struct bus *bus = link->bus;
    enum status status =
        bus_socket_open_link(&link->socket, &link->events, bus->context,
                             &bus->pair, &link->key, link->endpoint, err);

    if (status == OK)
        status = bus_waker_open(&link->socket_waker, bus->settings.loop,
                                link->socket.fd, err);
    if (status == OK)
        status = bus_waker_open(&link->events_waker, bus->settings.loop,
                                link->events.fd, err);
    return status;
}

static void link_attempt(uv_timer_t *timer)
{
    struct bus_link *link = timer->data;
    struct error err;

    if (link_open(link, &err) != OK) {
        bus_link_lose(link, &err);
        return;
    }
    states_move(&link->states, LINK_CONNECTING);
    uv_timer_start(timer, link_too_late, BUS_HANDSHAKE_MS, 0);
}

static void link_too_late(uv_timer_t *timer)
{
    struct bus_link *link = timer->data;
    struct error err;

    if (error_set(&err, E_IO, "no answer within %d ms", BUS_HANDSHAKE_MS) != OK)
        bus_link_lose(link, &err);
}

/* ---- its greeting ---- */

static struct curve_binding link_binding(const struct bus_link *link,
                                         bool by_listener)
{
    return (struct curve_binding){
        .by_listener = by_listener,
        .connecting = &link->bus->pair.key,
        .listening = &link->key,
        .service = link->service,
    };
}

static void link_greet(struct bus_link *link)
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
        status = bus_greeting_make(link->bus, &hello, &binding, &pem, signature,
                                   &err);
    if (status == OK)
        status = send_over(link, &hello, &err);
    text_clear(&pem);
    if (status != OK)
        bus_link_lose(link, &err);
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
static void link_take_welcome(struct bus_link *link,
                              const struct message *message)
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
        status = bus_greeting_check(link->bus, message, &binding, link->service,
                                    &link->certificate, &err);
    if (status != OK) {
        bus_link_lose(link, &err);
        return;
    }
    uv_timer_stop(&link->timer);
    link->pause_ms = BUS_RECONNECT_MS;
    states_move(&link->states, LINK_READY);
    error_init(&err);
    link->target.watch(link->bus, link->peer, BUS_READY, &err,
                       link->target.context);
}

/* ---- what it receives ---- */

/* Our session is over, and the service does not know us any more. */
static bool is_forgotten(const struct message *message)
{
    return message->type == MESSAGE_FAILED &&
           message_number(message, FAILED_STATUS) == E_REFUSED &&
           message_number(message, FAILED_RETRY) != 0;
}

static void link_take(struct bus_link *link)
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
        bus_link_lose(link, &err);
        return;
    }
    if (link->states.now == LINK_GREETING) {
        link_take_welcome(link, &message);
        return;
    }
    if (is_forgotten(&message) && link_refusal(&message, &link->ended) != OK)
        link->has_ended = true;
    if (bus->handler[message.type].call != NULL)
        bus_call_handler(bus, link->peer, link->certificate, &message);
}

static void link_watch_events(struct bus_link *link)
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
            bus_link_lose(link, &err);
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

void bus_link_serve(struct bus_link *link)
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
            bus_link_lose(link, &link->ended);
        return;
    }
}

/* ---- from connect to disconnect ---- */

static void link_free(uv_handle_t *timer)
{
    struct bus_link *link = timer->data;

    free(link->endpoint);
    free(link->service);
    free(link);
}

enum status bus_connect(struct bus *bus, const struct bus_target *target,
                        uint64_t *peer, struct error *err)
{
    enum status status = bus_endpoint_check(target->endpoint, false, err);
    struct bus_link *link;
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
    link->peer = *peer = bus_new_peer(bus, slot, PEER_IS_LINK);
    states_init(&link->states, &link_table, LINK_WAITING, NULL, NULL);
    link->timer.data = link;
    uv_timer_init(bus->settings.loop, &link->timer);
    uv_timer_start(&link->timer, link_attempt, 0, 0);
    bus->link[slot] = link;
    return OK;
}

void bus_link_close(struct bus_link *link)
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
        bus_link_close(bus->link[slot]);
}
