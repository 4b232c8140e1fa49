#include "tests/lib/bus_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <CUnit/CUnit.h>

#include "common/clock.h"
#include "common/encoding.h"
#include "common/log.h"

struct bus_world world;

void bus_world_must(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "\nbus_world: %s: %s\n", what, world.err.text);
    abort();
}

/* Authorities for longer than those whom they vouch for. */
static struct certificate_terms terms(const struct certificate_subject *subject)
{
    int64_t more = subject->is_authority ? 60000 : 0;

    return (struct certificate_terms){
        subject, (int64_t)clock_now_ms() - 60000 - more,
        (int64_t)clock_now_ms() + INT64_C(3600000) + more};
}

static void make_authority(void)
{
    struct certificate_subject subject = {"all", "root", 0, true};
    struct certificate_terms its = terms(&subject);
    struct public_key *key = NULL;

    bus_world_must(
        private_key_generate(&world.root_key, KEY_P256, &world.err) == OK,
        "key");
    bus_world_must(certificate_create_root(&world.root, world.root_key, &its,
                                           &world.err) == OK,
                   "root");
    subject = (struct certificate_subject){"north", "ca", 0, true};
    its = terms(&subject);
    its.not_before_ms += 30000;
    its.not_after_ms -= 30000;
    bus_world_must(
        private_key_generate(&world.authority_key, KEY_P256, &world.err) == OK,
        "key");
    bus_world_must(
        private_key_public(world.authority_key, &key, &world.err) == OK, "key");
    bus_world_must(certificate_issue(&world.authority, key, &its, world.root,
                                     world.root_key, &world.err) == OK,
                   "authority");
    public_key_destroy(&key);
}

static void side_open(struct bus_side *side, const char *name)
{
    struct certificate_subject subject = {"north", "", IDENTITY_NODE, false};
    struct certificate_terms its = terms(&subject);
    struct public_key *key = NULL;

    memset(side, 0, sizeof *side);
    snprintf(subject.name, sizeof subject.name, "%s", name);
    bus_world_must(curve_pair_generate(&side->pair, &world.err) == OK, "pair");
    bus_world_must(private_key_generate(&side->key, KEY_P256, &world.err) == OK,
                   "key");
    bus_world_must(private_key_public(side->key, &key, &world.err) == OK,
                   "key");
    bus_world_must(certificate_issue(&side->certificate, key, &its,
                                     world.authority, world.authority_key,
                                     &world.err) == OK,
                   "certificate");
    public_key_destroy(&key);
    side->in_order = true;
}

static void side_close(struct bus_side *side)
{
    bus_close(&side->bus);
    certificate_destroy(&side->certificate);
    private_key_destroy(&side->key);
    curve_pair_clear(&side->pair);
}

static enum status admit(const struct certificate *certificate,
                         const char *service, void *context, struct error *why)
{
    const struct bus_side *side = context;

    CU_ASSERT((service != NULL) == (side != &world.server));
    CU_ASSERT(service == NULL || strcmp(service, BUS_WORLD_SERVICE) == 0);
    if (side->admits != OK)
        return error_set(why, side->admits, "not on the list");
    return certificate_check_chain(certificate, world.authority, world.root,
                                   (int64_t)clock_now_ms(), why);
}

void bus_side_watch(struct bus *bus, uint64_t peer, enum bus_news news,
                    const struct error *why, void *context)
{
    struct bus_side *side = context;

    CU_ASSERT_EQUAL(peer, side->peer);
    if (news == BUS_READY)
        side->ready++;
    else {
        side->lost++;
        side->why = *why;
    }
    if (side->disconnects)
        bus_disconnect(bus, peer);
}

void bus_side_start(struct bus_side *side)
{
    struct bus_settings settings = {
        .loop = &world.loop,
        .service = BUS_WORLD_SERVICE,
        .pair = &side->pair,
        .certificate = side->certificate,
        .key = side->key,
        .session_max = side->session_max,
        .admit = admit,
        .context = side,
    };

    bus_world_must(bus_open(&side->bus, &settings, &world.err) == OK,
                   "bus_open");
}

void bus_side_connect(struct bus_side *side, const char *where,
                      const struct curve_key *key, const char *service)
{
    struct bus_target target = {where, service, key, bus_side_watch, side};

    bus_world_must(bus_connect(side->bus, &target, &side->peer, &world.err) ==
                       OK,
                   "connect");
}

/* Any request of the tests is `find`; its answer is `positions` with the same
 * number in `more`. */
static void on_find(struct bus *bus, const struct bus_sender *sender,
                    const struct message *message, void *context)
{
    struct bus_side *side = context;
    struct message answer;

    side->heard_from = sender->peer;
    memcpy(side->heard_id, certificate_id(sender->certificate),
           sizeof side->heard_id);
    side->in_order =
        side->in_order && message_number(message, FIND_POSITION) == side->got;
    side->got++;
    message_init(&answer, MESSAGE_POSITIONS, message->request_id);
    message_set_number(&answer, POSITIONS_MORE,
                       message_number(message, FIND_POSITION));
    message_set_string(&answer, POSITIONS_POSITIONS, "");
    CU_ASSERT_EQUAL(bus_send(bus, sender->peer, &answer, &world.err), OK);
}

enum status bus_side_ask(struct bus_side *side, uint64_t number)
{
    uint8_t id[MESSAGE_REQUEST_ID_SIZE] = {0};
    struct message message;

    put_be64(id, number);
    message_init(&message, MESSAGE_FIND, id);
    message_set_number(&message, FIND_POSITION, number);
    return bus_send(side->bus, side->peer, &message, &world.err);
}

static void on_positions(struct bus *bus, const struct bus_sender *sender,
                         const struct message *message, void *context)
{
    struct bus_side *side = context;

    (void)bus;
    CU_ASSERT_EQUAL(sender->peer, side->peer);
    side->in_order = side->in_order &&
                     message_number(message, POSITIONS_MORE) == side->got &&
                     get_be64(message->request_id) == side->got;
    side->got++;
}

static void on_failed(struct bus *bus, const struct bus_sender *sender,
                      const struct message *message, void *context)
{
    struct bus_side *side = context;

    (void)bus;
    (void)sender;
    side->failed = (enum status)message_number(message, FAILED_STATUS);
    side->failed_retry = message_number(message, FAILED_RETRY) != 0;
}

void bus_world_serve(void)
{
    char actual[ENDPOINT_SIZE_MAX];

    bus_side_start(&world.server);
    bus_handle(world.server.bus, MESSAGE_FIND, on_find, &world.server);
    bus_world_must(
        bus_listen(world.server.bus, world.endpoint, actual, &world.err) == OK,
        "listen");
    memcpy(world.endpoint, actual, sizeof world.endpoint);
}

void bus_world_open(void)
{
    log_open("test", LOG_LEVEL_ERROR);
    bus_world_must(uv_loop_init(&world.loop) == 0, "uv_loop_init");
    scratch_open(&world.scratch);
    snprintf(world.endpoint, sizeof world.endpoint, "ipc://%s",
             scratch_path(&world.scratch, "door"));
    error_init(&world.err);
    make_authority();
    side_open(&world.server, "server");
    side_open(&world.client, "client");
    bus_world_serve();
    bus_side_start(&world.client);
    bus_handle(world.client.bus, MESSAGE_POSITIONS, on_positions,
               &world.client);
    bus_handle(world.client.bus, MESSAGE_FAILED, on_failed, &world.client);
}

void bus_world_close(void)
{
    side_close(&world.client);
    side_close(&world.server);
    certificate_destroy(&world.authority);
    certificate_destroy(&world.root);
    private_key_destroy(&world.authority_key);
    private_key_destroy(&world.root_key);
    uv_run(&world.loop, UV_RUN_DEFAULT);
    /* Nothing of a bus is left on the loop. */
    CU_ASSERT_EQUAL(uv_loop_close(&world.loop), 0);
    scratch_close(&world.scratch);
}

/* ---- patience ---- */

struct patience {
    uv_timer_t timer;
    bool is_over, is_closed;
};
static void patience_over(uv_timer_t *timer)
{
    ((struct patience *)timer->data)->is_over = true;
}
static void patience_closed(uv_handle_t *timer)
{
    ((struct patience *)timer->data)->is_closed = true;
}

/* Run the loop until it is enough, at most so long; was it enough? */
static bool run_until(bool (*enough)(void), uint64_t ms)
{
    struct patience patience = {.is_over = false};
    bool good;

    uv_timer_init(&world.loop, &patience.timer);
    patience.timer.data = &patience;
    uv_timer_start(&patience.timer, patience_over, ms, 0);
    while (!(good = enough()) && !patience.is_over)
        uv_run(&world.loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&patience.timer, patience_closed);
    while (!patience.is_closed)
        uv_run(&world.loop, UV_RUN_NOWAIT);
    return good;
}
bool bus_world_until(bool (*enough)(void))
{
    return run_until(enough, BUS_WORLD_PATIENCE_MS);
}
static bool never(void)
{
    return false;
}
void bus_world_wait(uint64_t ms)
{
    CU_ASSERT(!run_until(never, ms));
}

bool bus_world_is_ready(void)
{
    return world.client.ready > 0;
}
bool bus_world_is_lost(void)
{
    return world.client.lost > 0;
}
bool bus_world_is_answered(void)
{
    return world.client.got >= world.client.asked;
}
bool bus_world_has_failed(void)
{
    return world.client.failed != OK;
}

void bus_world_link(void)
{
    bus_side_connect(&world.client, world.endpoint, &world.server.pair.key,
                     BUS_WORLD_SERVICE);
}

void bus_world_connect(void)
{
    bus_world_open();
    bus_world_link();
    CU_ASSERT(bus_world_until(bus_world_is_ready));
}

void bus_world_expect_alive(void)
{
    uint64_t before = world.client.got;

    if (world.client.ready == 0) {
        bus_world_link();
        CU_ASSERT(bus_world_until(bus_world_is_ready));
    }
    world.client.asked = before + 1;
    CU_ASSERT_EQUAL(bus_side_ask(&world.client, before), OK);
    CU_ASSERT(bus_world_until(bus_world_is_answered));
}
