#include <assert.h>
#include <string.h>

#include "common/bus_internal.h"
#include "common/clock.h"
#include "common/log.h"

/* ---- who is in ---- */

static uint16_t *bucket_of(struct bus *bus, struct bytes routing_id)
{
    return &bus->bucket[hash_bytes(&bus->hash_key, routing_id) % BUS_BUCKETS];
}

void bus_session_end(struct bus *bus, struct bus_session *session)
{
    uint16_t slot = (uint16_t)(session - bus->session);
    uint16_t *at = bucket_of(
        bus, bytes_of(session->routing_id, sizeof session->routing_id));

    while (*at != slot + 1) {
        assert(*at != 0);
        at = &bus->session[*at - 1].next;
    }
    *at = session->next;
    bus_drop_certificate(bus, &session->certificate);
    session->peer = 0;
    bus->session_count--;
}

/* Whose connection this is, NULL if nobody has said hello on it. */
static struct bus_session *find_session(struct bus *bus,
                                        struct bytes routing_id,
                                        const struct curve_key *key)
{
    uint16_t next = *bucket_of(bus, routing_id);
    struct bus_session *session;

    for (; next != 0; next = session->next) {
        session = &bus->session[next - 1];
        if (!bytes_equal(routing_id, bytes_of(session->routing_id,
                                              sizeof session->routing_id)) ||
            !curve_key_equal(key, &session->key))
            continue;
        if (clock_now_ms() < session->expiry_ms)
            return session;
        bus_session_end(bus, session);
        return NULL;
    }
    return NULL;
}

/* A free place; the longest silent has to go if there is none. */
static struct bus_session *find_place(struct bus *bus)
{
    struct bus_session *oldest = &bus->session[0];

    for (size_t i = 0; i < bus->settings.session_max; i++) {
        if (bus->session[i].peer == 0)
            return &bus->session[i];
        if (bus->session[i].heard_ms < oldest->heard_ms)
            oldest = &bus->session[i];
    }
    bus_session_end(bus, oldest);
    return oldest;
}

/* Takes *certificate. */
static struct bus_session *begin_session(struct bus *bus,
                                         struct bytes routing_id,
                                         const struct curve_key *key,
                                         struct certificate **certificate,
                                         uint64_t expiry_ms)
{
    struct bus_session *session = find_session(bus, routing_id, key);
    uint16_t *bucket = bucket_of(bus, routing_id);
    size_t slot;

    if (session != NULL)
        bus_session_end(bus, session);
    session = find_place(bus);
    slot = (size_t)(session - bus->session);
    assert(routing_id.size == sizeof session->routing_id);
    memcpy(session->routing_id, routing_id.data, routing_id.size);
    session->peer = bus_new_peer(bus, slot, 0);
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

enum status bus_session_send(struct bus *bus, uint64_t peer,
                             const struct message *message, struct error *err)
{
    struct message_frames frames;
    struct bus_session *session;
    struct bytes receiver;
    enum bus_sent sent;
    enum status status;

    assert(message_direction(message->type) == MESSAGE_IS_ANSWER);
    assert(PEER_SLOT(peer) < BUS_PEERS_MAX);
    session = &bus->session[PEER_SLOT(peer)];
    if (session->peer != peer)
        return bus_undelivered(message, BUS_NOBODY, err);
    status = message_encode(message, &frames, err);
    if (status != OK)
        return status;
    receiver = bytes_of(session->routing_id, sizeof session->routing_id);
    sent = bus_deliver(bus, &bus->door, &receiver, &frames);
    if (sent == BUS_SENT)
        return OK;
    /* Gone, or so slow that it would miss answers without knowing. */
    bus_session_end(bus, session);
    return bus_undelivered(message, sent, err);
}

/* ---- what comes through the door ---- */

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
        bus_deliver(bus, &bus->door, &parcel->sender, &frames) != BUS_SENT)
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
    struct bus_session *session;
    uint64_t expiry_ms;
    struct text pem;
    enum status status;

    if (parcel->sender.size != BUS_ROUTING_ID_SIZE)
        return error_set(err, E_REFUSED,
                         "hello: expected a routing id of %d random bytes",
                         BUS_ROUTING_ID_SIZE);
    status = bus_greeting_check(bus, hello, &binding, NULL, &certificate, err);
    if (status != OK)
        return status;
    expiry_ms = binding.expiry_ms;
    binding.by_listener = true;
    text_init(&pem);
    message_init(&welcome, MESSAGE_WELCOME, hello->request_id);
    status = bus_greeting_make(bus, &welcome, &binding, &pem, signature, err);
    if (status == OK) {
        session = begin_session(bus, parcel->sender, &parcel->key, &certificate,
                                expiry_ms);
        status = bus_session_send(bus, session->peer, &welcome, err);
    }
    certificate_destroy(&certificate);
    text_clear(&pem);
    return status;
}

void bus_session_take(struct bus *bus)
{
    const struct bus_parcel *parcel = &bus->parcel;
    struct bus_session *session =
        find_session(bus, parcel->sender, &parcel->key);
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
        bus_call_handler(bus, session->peer, session->certificate, &message);
    else
        answer_failed(bus, &err, false);
}
