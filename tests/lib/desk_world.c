#include "tests/lib/desk_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/network_files.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/network_peers.h"
#include "tests/lib/suite.h"

/* Enough for a machine that does a lot besides. */
#define PATIENCE_MS 20000

struct desk_world desks;

void desk_world_must(enum status status)
{
    if (status == OK)
        return;
    fprintf(stderr, "\ndesk world: %s\n", desks.err.text);
    abort();
}

const char *desk_world_folder(void)
{
    return scratch_path(&desks.scratch, "net");
}

/* What network.json would say of the service. */
static void describe_service(void)
{
    struct network_node *node = &desks.service.node[0];
    const char *id = certificate_id(desks.self.certificate);

    desks.service = *desks.network;
    desks.service.node_count = 1;
    *node = (struct network_node){.role = IDENTITY_BROKER,
                                  .name = "north.broker",
                                  .organisation = "north",
                                  .curve = desks.self.pair.key};
    memcpy(node->endpoint, desks.listen, sizeof node->endpoint);
    memcpy(node->certificate, id, sizeof node->certificate);
}

void desk_world_open(const struct desk_row *row, size_t count)
{
    atomic_bool cancel = false;

    memset(&desks, 0, sizeof desks);
    log_open("test", LOG_LEVEL_ERROR);
    log_set_level(LOG_LEVEL_ERROR);
    error_init(&desks.err);
    scratch_open(&desks.scratch);
    desk_world_must(
        network_files_make(desk_world_folder(), 1, false, &cancel, &desks.err));
    desk_world_must(
        network_load(&desks.network, desk_world_folder(), &desks.err));
    desk_world_must(genesis_load(
        &desks.genesis, scratch_path(&desks.scratch, "net/genesis.json"),
        &desks.err));
    desk_world_must(network_user_load(&desks.self, desk_world_folder(),
                                      "north.broker", &desks.err));
    snprintf(desks.listen, sizeof desks.listen, "ipc://%s",
             scratch_path(&desks.scratch, "desk"));
    describe_service();
    fake_ledger_open(&desks.ledger, desk_world_folder());
    desks.settings = (struct desk_settings){.loop = &desks.loop,
                                            .name = "north.broker",
                                            .network = desks.network,
                                            .genesis = desks.genesis,
                                            .self = &desks.self,
                                            .listen = desks.listen,
                                            .row = row,
                                            .row_count = count,
                                            .ledger_timeout_ms = 10000};
}

static void desk_closed(void *context)
{
    (void)context;
    uv_close((uv_handle_t *)&desks.closing, NULL);
}

static void on_closing(uv_async_t *closing)
{
    (void)closing;
    desk_close(&desks.desk, desk_closed, NULL);
}

static void *serve(void *argument)
{
    (void)argument;
    uv_run(&desks.loop, UV_RUN_DEFAULT);
    return NULL;
}

void desk_world_serve(void)
{
    if (uv_loop_init(&desks.loop) != 0 ||
        uv_async_init(&desks.loop, &desks.closing, on_closing) != 0)
        abort();
    desk_world_must(desk_open(&desks.desk, &desks.settings, &desks.err));
    if (pthread_create(&desks.thread, NULL, serve, NULL) != 0)
        abort();
    desks.is_serving = true;
}

void desk_world_stop_begin(void)
{
    uv_async_send(&desks.closing);
}

void desk_world_stop_end(void)
{
    pthread_join(desks.thread, NULL);
    CU_ASSERT_PTR_NULL(desks.desk);
    /* Nothing of the desk is left on the loop. */
    CU_ASSERT_EQUAL(uv_loop_close(&desks.loop), 0);
    desks.is_serving = false;
}

void desk_world_close(void)
{
    if (desks.is_serving) {
        desk_world_stop_begin();
        desk_world_stop_end();
    }
    fake_ledger_close(&desks.ledger);
    network_user_clear(&desks.self);
    genesis_destroy(&desks.genesis);
    network_destroy(&desks.network);
    scratch_close(&desks.scratch);
}

/* ---- people ---- */

void asker_open_user(struct asker *asker)
{
    atomic_init(&asker->cancel, false);
    asker->options = (struct client_options){.network = &desks.service,
                                             .user = &asker->user,
                                             .timeout_ms = PATIENCE_MS,
                                             .cancel = &asker->cancel};
    desk_world_must(client_open(&asker->client, &asker->options, &desks.err));
}

void asker_open(struct asker *asker, const char *name)
{
    desk_world_must(
        network_user_load(&asker->user, desk_world_folder(), name, &desks.err));
    asker_open_user(asker);
}

void asker_close(struct asker *asker)
{
    client_close(&asker->client);
    network_user_clear(&asker->user);
}

/* ---- a caller ---- */

static enum status admit(const struct certificate *certificate,
                         const char *service, void *context, struct error *err)
{
    (void)context;
    return network_admit(&desks.service, certificate, service, err);
}

static void on_news(struct bus *bus, uint64_t peer, enum bus_news news,
                    const struct error *err, void *context)
{
    struct caller *caller = context;

    (void)bus;
    (void)peer;
    (void)err;
    caller->is_ready = news == BUS_READY;
}

static void on_told(struct bus *bus, const struct bus_sender *sender,
                    const struct message *message, void *context)
{
    struct caller *caller = context;

    (void)bus;
    (void)sender;
    (void)message;
    caller->told++;
}

static void on_failed(struct bus *bus, const struct bus_sender *sender,
                      const struct message *message, void *context)
{
    struct caller *caller = context;

    (void)bus;
    (void)sender;
    caller->failed++;
    caller->failed_retry += message_number(message, FAILED_RETRY) != 0;
    caller->status = (enum status)message_number(message, FAILED_STATUS);
}

static void on_turn(uv_timer_t *timer)
{
    (void)timer; /* only to wake the loop */
}

/* Turns of the loop until it is ready, or has so many answers. */
static bool turn_until(struct caller *caller, bool ready, unsigned answers)
{
    uint64_t end_ms = clock_steady_ms() + PATIENCE_MS;
    uv_timer_t timer;
    bool good;

    uv_timer_init(&caller->loop, &timer);
    uv_timer_start(&timer, on_turn, 50, 50);
    while (!(good = ready ? caller->is_ready
                          : caller->told + caller->failed >= answers) &&
           clock_steady_ms() < end_ms)
        uv_run(&caller->loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&caller->loop, UV_RUN_NOWAIT);
    return good;
}

void caller_open(struct caller *caller, const char *name)
{
    const struct network_node *node = &desks.service.node[0];
    struct bus_settings settings = {.loop = &caller->loop,
                                    .service = "test",
                                    .pair = &caller->user.pair,
                                    .admit = admit};
    struct bus_target target = {.endpoint = node->endpoint,
                                .service = node->name,
                                .key = &node->curve,
                                .watch = on_news,
                                .context = caller};

    memset(caller, 0, sizeof *caller);
    desk_world_must(network_user_load(&caller->user, desk_world_folder(), name,
                                      &desks.err));
    settings.certificate = caller->user.certificate;
    settings.key = caller->user.key;
    if (uv_loop_init(&caller->loop) != 0)
        abort();
    desk_world_must(bus_open(&caller->bus, &settings, &desks.err));
    bus_handle(caller->bus, MESSAGE_TOLD, on_told, caller);
    bus_handle(caller->bus, MESSAGE_FAILED, on_failed, caller);
    desk_world_must(
        bus_connect(caller->bus, &target, &caller->peer, &desks.err));
    if (!turn_until(caller, true, 0))
        abort();
}

void caller_close(struct caller *caller)
{
    bus_close(&caller->bus);
    uv_run(&caller->loop, UV_RUN_DEFAULT);
    if (uv_loop_close(&caller->loop) != 0)
        abort();
    network_user_clear(&caller->user);
}

void caller_say(struct caller *caller, uint8_t id, const char *subject)
{
    uint8_t request_id[MESSAGE_REQUEST_ID_SIZE];
    struct message message;

    memset(request_id, id, sizeof request_id);
    message_init(&message, MESSAGE_SAID, request_id);
    message_set_string(&message, SAID_SUBJECT, subject);
    desk_world_must(bus_send(caller->bus, caller->peer, &message, &desks.err));
}

void caller_knock(struct caller *caller)
{
    uint8_t request_id[MESSAGE_REQUEST_ID_SIZE];
    struct message message;

    memset(request_id, 0xff, sizeof request_id);
    message_init(&message, MESSAGE_CHECKPOINT, request_id);
    desk_world_must(bus_send(caller->bus, caller->peer, &message, &desks.err));
}

bool caller_until(struct caller *caller, unsigned answers)
{
    return turn_until(caller, false, answers);
}
