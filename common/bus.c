#include "common/bus.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/bus_internal.h"

static void do_nothing(uv_idle_t *idle)
{
    (void)idle;
}

void bus_keep_awake(struct bus *bus)
{
    uv_idle_start(&bus->idle, do_nothing);
}

uint64_t bus_new_peer(struct bus *bus, size_t slot, uint64_t kind)
{
    return ++bus->peers << PEER_SLOT_BITS | kind | slot;
}

void bus_drop_certificate(struct bus *bus, struct certificate **certificate)
{
    if (*certificate != NULL && *certificate == bus->held) {
        bus->orphan = *certificate;
        *certificate = NULL;
    }
    certificate_destroy(certificate);
}

/* ---- sending ---- */

enum bus_sent bus_deliver(struct bus *bus, const struct bus_socket *socket,
                          const struct bytes *receiver,
                          const struct message_frames *frames)
{
    /* Sending may swallow the edge that says there is something to receive. */
    bus_keep_awake(bus);
    return bus_socket_send(socket, receiver, frames->frame, frames->count);
}

enum status bus_undelivered(const struct message *message, enum bus_sent sent,
                            struct error *err)
{
    const char *name = message_name(message->type);

    if (sent == BUS_FULL)
        return error_set(err, E_LIMIT, "%s: %d messages wait for that peer",
                         name, BUS_QUEUE_MAX);
    return error_set(err, E_IO, "%s: the peer is gone", name);
}

enum status bus_send(struct bus *bus, uint64_t peer,
                     const struct message *message, struct error *err)
{
    return (peer & PEER_IS_LINK) != 0
               ? bus_link_send(bus, peer, message, err)
               : bus_session_send(bus, peer, message, err);
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

void bus_call_handler(struct bus *bus, uint64_t peer,
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
        const struct bus_link *link = bus->link[i];

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
        bus_keep_awake(bus);
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
            bus_link_serve(bus->link[i]);
    for (int i = 0;
         i < BUS_BATCH_MAX && bus->door.handle != NULL && !bus->is_paused;
         i++) {
        if (!bus_socket_receive(&bus->door, true, &bus->parcel))
            break;
        bus_session_take(bus);
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
    bus_keep_awake(bus);
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
            bus_link_close(bus->link[i]);
    for (size_t i = 0; i < BUS_PEERS_MAX; i++)
        if (bus->session[i].peer != 0)
            bus_session_end(bus, &bus->session[i]);
    bus_waker_close(&bus->door_waker);
    bus_waker_close(&bus->gate_waker);
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
        status = bus_waker_open(&bus->gate_waker, loop, bus->gate.fd, err);
    if (status == OK)
        status =
            bus_socket_open_door(&bus->door, bus->context, &bus->pair, err);
    if (status == OK)
        status = bus_waker_open(&bus->door_waker, loop, bus->door.fd, err);
    if (status != OK) {
        bus_waker_close(&bus->gate_waker);
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
    bus_keep_awake(bus);
    return status;
}

void bus_pause(struct bus *bus, bool paused)
{
    bus->is_paused = paused;
    bus_keep_awake(bus);
}

size_t bus_forget(struct bus *bus, const char *id)
{
    struct error err;
    size_t count = 0;

    for (size_t i = 0; i < BUS_PEERS_MAX; i++)
        if (bus->session[i].peer != 0 &&
            strcmp(certificate_id(bus->session[i].certificate), id) == 0) {
            bus_session_end(bus, &bus->session[i]);
            count++;
        }
    for (size_t i = 0; i < BUS_LINKS_MAX; i++) {
        struct bus_link *link = bus->link[i];

        if (link == NULL || link->certificate == NULL ||
            strcmp(certificate_id(link->certificate), id) != 0)
            continue;
        count++;
        if (error_set(&err, E_REFUSED, "its certificate was revoked") != OK)
            bus_link_lose(link, &err);
    }
    return count;
}

size_t bus_session_count(const struct bus *bus)
{
    return bus->session_count;
}
