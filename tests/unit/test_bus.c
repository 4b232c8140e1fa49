#include "common/bus.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/bus_world.h"
#include "tests/lib/suite.h"

void suite_bus(void);

/* ---- requests and answers ---- */

static void request_gets_its_answer(void)
{
    bus_world_connect();
    CU_ASSERT_EQUAL(bus_session_count(world.server.bus), 1);
    bus_world_expect_alive();
    CU_ASSERT(world.client.in_order && world.server.in_order);
    CU_ASSERT_STRING_EQUAL(world.server.heard_id,
                           certificate_id(world.client.certificate));
    bus_world_close();
}

static void pump(uint64_t count, uint64_t in_flight)
{
    world.client.got = world.client.asked = world.server.got = 0;
    while (world.client.got < count) {
        while (world.client.asked < count &&
               world.client.asked < world.client.got + in_flight) {
            CU_ASSERT_EQUAL_FATAL(
                bus_side_ask(&world.client, world.client.asked), OK);
            world.client.asked++;
        }
        uv_run(&world.loop, UV_RUN_ONCE);
    }
    CU_ASSERT_EQUAL(world.server.got, count);
    CU_ASSERT(world.client.in_order && world.server.in_order);
}

/* On both transports, many and one at a time.  An edge that is lost would stall
 * it for good, and SIGALRM end it. */
static void many_messages_come_through(void)
{
    alarm(120 * suite_patience());
    bus_world_connect();
    pump(20000, 500);
    pump(2000, 1);
    bus_world_close();
    bus_world_open();
    bus_close(&world.server.bus);
    snprintf(world.endpoint, sizeof world.endpoint, "tcp://127.0.0.1:0");
    bus_world_serve();
    bus_world_link();
    CU_ASSERT(bus_world_until(bus_world_is_ready));
    pump(20000, 500);
    bus_world_close();
    alarm(0);
}

static void paused_service_lets_requests_wait(void)
{
    bus_world_connect();
    bus_pause(world.server.bus, true);
    world.client.asked = 3;
    for (uint64_t i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(bus_side_ask(&world.client, i), OK);
    bus_world_wait(100);
    CU_ASSERT_EQUAL(world.server.got, 0);
    bus_pause(world.server.bus, false);
    CU_ASSERT(bus_world_until(bus_world_is_answered));
    CU_ASSERT_EQUAL(world.server.got, 3);
    bus_world_close();
}

static void unknown_request_is_answered_by_failed(void)
{
    uint8_t id[MESSAGE_REQUEST_ID_SIZE] = {7};
    struct message message;

    bus_world_connect();
    message_init(&message, MESSAGE_STATUS, id);
    CU_ASSERT_EQUAL(
        bus_send(world.client.bus, world.client.peer, &message, &world.err),
        OK);
    CU_ASSERT(bus_world_until(bus_world_has_failed));
    CU_ASSERT_EQUAL(world.client.failed, E_VERSION);
    CU_ASSERT(!world.client.failed_retry);
    bus_world_close();
}

static void message_against_the_table_is_not_sent(void)
{
    uint8_t id[MESSAGE_REQUEST_ID_SIZE] = {7};
    struct message message;

    bus_world_connect();
    message_init(&message, MESSAGE_SHOW, id);
    message_set_string(&message, SHOW_ID, "too short");
    CU_ASSERT_EQUAL(
        bus_send(world.client.bus, world.client.peer, &message, &world.err),
        E_INPUT);
    bus_world_expect_alive();
    bus_world_close();
}

/* What the limits promise also goes through the encryption, which makes it
 * longer. */

static size_t blocks_came;

static void on_blocks(struct bus *bus, const struct bus_sender *sender,
                      const struct message *message, void *context)
{
    (void)bus;
    (void)sender;
    (void)context;
    blocks_came = message_bytes(message, BLOCKS_BLOCKS).size;
}

static bool blocks_are_there(void)
{
    return blocks_came > 0;
}

static void largest_messages_come_through(void)
{
    static const uint8_t largest[BLOCKS_SIZE_MAX];
    uint8_t id[MESSAGE_REQUEST_ID_SIZE] = {7};
    struct message message;

    bus_world_connect();
    bus_world_expect_alive();
    message_init(&message, MESSAGE_PART, id);
    message_set_bytes(&message, PART_UPLOAD, bytes_of(largest, UPLOAD_ID_SIZE));
    message_set_number(&message, PART_OFFSET, 0);
    message_set_bytes(&message, PART_BYTES, bytes_of(largest, PART_SIZE_MAX));
    CU_ASSERT_EQUAL(
        bus_send(world.client.bus, world.client.peer, &message, &world.err),
        OK);
    CU_ASSERT(bus_world_until(bus_world_has_failed)); /* it is not handled */
    blocks_came = 0;
    bus_handle(world.client.bus, MESSAGE_BLOCKS, on_blocks, NULL);
    message_init(&message, MESSAGE_BLOCKS, id);
    message_set_bytes(&message, BLOCKS_BLOCKS,
                      bytes_of(largest, sizeof largest));
    message_set_number(&message, BLOCKS_EXECUTED, 0);
    CU_ASSERT_EQUAL(bus_send(world.server.bus, world.server.heard_from,
                             &message, &world.err),
                    OK);
    CU_ASSERT(bus_world_until(blocks_are_there));
    CU_ASSERT_EQUAL(blocks_came, BLOCKS_SIZE_MAX);
    CU_ASSERT_EQUAL(world.client.lost, 0);
    bus_world_close();
}

/* ---- who is who ---- */

/* The link comes to nothing, for this reason. */
static void expect_lost(enum status why)
{
    CU_ASSERT(bus_world_until(bus_world_is_lost));
    CU_ASSERT_EQUAL(world.client.ready, 0);
    CU_ASSERT_EQUAL(world.client.why.status, why);
}

static void wrong_server_key_is_noticed(void)
{
    bus_world_open();
    bus_side_connect(&world.client, world.endpoint, &world.client.pair.key,
                     BUS_WORLD_SERVICE);
    expect_lost(E_IO);
    CU_ASSERT_EQUAL(bus_side_ask(&world.client, 0), E_IO);
    CU_ASSERT_EQUAL(bus_session_count(world.server.bus), 0);
    bus_world_close();
}

static void hello_to_another_service_is_refused(void)
{
    bus_world_open();
    bus_side_connect(&world.client, world.endpoint, &world.server.pair.key,
                     "south");
    expect_lost(E_REFUSED);
    CU_ASSERT_EQUAL(bus_session_count(world.server.bus), 0);
    bus_world_close();
}

static void client_that_is_not_admitted_is_refused(void)
{
    bus_world_open();
    world.server.admits = E_REFUSED;
    bus_world_link();
    expect_lost(E_REFUSED);
    CU_ASSERT_PTR_NOT_NULL(strstr(world.client.why.text, "not on the list"));
    CU_ASSERT_PTR_NOT_NULL(strstr(world.client.why.text, world.endpoint));
    CU_ASSERT_EQUAL(bus_session_count(world.server.bus), 0);
    /* It tries again by itself, and is welcome now. */
    world.server.admits = OK;
    CU_ASSERT(bus_world_until(bus_world_is_ready));
    bus_world_close();
}

static void server_that_is_not_admitted_is_left(void)
{
    bus_world_open();
    world.client.admits = E_REFUSED;
    bus_world_link();
    expect_lost(E_REFUSED);
    CU_ASSERT_EQUAL(bus_side_ask(&world.client, 0), E_IO);
    bus_world_close();
}

static void revoked_certificate_ends_its_session(void)
{
    bus_world_connect();
    CU_ASSERT_EQUAL(
        bus_forget(world.server.bus, certificate_id(world.server.certificate)),
        0);
    world.server.admits = E_REFUSED;
    CU_ASSERT_EQUAL(
        bus_forget(world.server.bus, certificate_id(world.client.certificate)),
        1);
    CU_ASSERT_EQUAL(bus_session_count(world.server.bus), 0);
    CU_ASSERT_EQUAL(bus_side_ask(&world.client, 0), OK);
    CU_ASSERT(bus_world_until(bus_world_is_lost));
    CU_ASSERT_EQUAL(world.client.failed, E_REFUSED);
    CU_ASSERT(world.client.failed_retry);
    CU_ASSERT_EQUAL(world.server.got, 0);
    world.client.lost = 0;
    CU_ASSERT(bus_world_until(bus_world_is_lost));
    CU_ASSERT_EQUAL(world.client.why.status, E_REFUSED);
    CU_ASSERT_EQUAL(world.client.ready, 1);
    bus_world_close();
}

/* A handler revokes the one whose request it handles. */
/* A server that handles `find` so, and a client that has a link to it. */
static void connect_to_server_that(bus_handler *handles)
{
    bus_world_open();
    bus_close(&world.server.bus);
    bus_side_start(&world.server);
    bus_handle(world.server.bus, MESSAGE_FIND, handles, NULL);
    bus_world_must(bus_listen(world.server.bus, world.endpoint, world.endpoint,
                              &world.err) == OK,
                   "listen");
    bus_world_link();
    CU_ASSERT(bus_world_until(bus_world_is_ready));
}

static void on_find_forget(struct bus *bus, const struct bus_sender *sender,
                           const struct message *message, void *context)
{
    (void)message;
    (void)context;
    CU_ASSERT_EQUAL(bus_forget(bus, certificate_id(sender->certificate)), 1);
    /* Still in hand. */
    CU_ASSERT_STRING_EQUAL(certificate_id(sender->certificate),
                           certificate_id(world.client.certificate));
    world.server.got++;
}
static void handler_may_revoke_its_sender(void)
{
    connect_to_server_that(on_find_forget);
    CU_ASSERT_EQUAL(bus_side_ask(&world.client, 0), OK);
    CU_ASSERT_EQUAL(bus_side_ask(&world.client, 1), OK);
    CU_ASSERT(bus_world_until(bus_world_is_lost));
    CU_ASSERT_EQUAL(world.server.got, 1);
    bus_world_close();
}

static void link_to_a_revoked_service_ends(void)
{
    bus_world_connect();
    world.client.admits = E_REFUSED;
    CU_ASSERT_EQUAL(
        bus_forget(world.client.bus, certificate_id(world.server.certificate)),
        1);
    CU_ASSERT_EQUAL(world.client.lost, 1);
    CU_ASSERT_EQUAL(world.client.why.status, E_REFUSED);
    CU_ASSERT_EQUAL(bus_side_ask(&world.client, 0), E_IO);
    bus_world_close();
}

/* ---- peers that go and come ---- */

static void late_answer_to_a_client_that_left_is_an_error(void)
{
    uint8_t id[MESSAGE_REQUEST_ID_SIZE] = {7};
    struct message answer;
    enum status status = OK;

    bus_world_connect();
    bus_world_expect_alive();
    bus_disconnect(world.client.bus, world.client.peer);
    message_init(&answer, MESSAGE_POSITIONS, id);
    message_set_number(&answer, POSITIONS_MORE, 0);
    message_set_string(&answer, POSITIONS_POSITIONS, "");
    for (int i = 0; i < 100 && status == OK; i++) {
        bus_world_wait(20);
        status = bus_send(world.server.bus, world.server.heard_from, &answer,
                          &world.err);
    }
    CU_ASSERT_EQUAL(status, E_IO);
    CU_ASSERT_EQUAL(bus_session_count(world.server.bus), 0);
    CU_ASSERT_EQUAL(bus_send(world.server.bus, world.server.heard_from, &answer,
                             &world.err),
                    E_IO);
    bus_world_close();
}

static void link_finds_a_service_that_was_started_again(void)
{
    bus_world_connect();
    bus_close(&world.server.bus);
    CU_ASSERT(bus_world_until(bus_world_is_lost));
    CU_ASSERT_EQUAL(world.client.why.status, E_IO);
    CU_ASSERT_EQUAL(bus_side_ask(&world.client, 0), E_IO);
    /* In between it tries in vain. */
    world.client.lost = 0;
    CU_ASSERT(bus_world_until(bus_world_is_lost));
    world.client.ready = 0;
    bus_world_serve();
    CU_ASSERT(bus_world_until(bus_world_is_ready));
    bus_world_expect_alive();
    bus_world_close();
}

static void answers_before_the_end_arrive(void)
{
    bus_world_connect();
    world.client.asked = 200;
    for (uint64_t i = 0; i < world.client.asked; i++)
        CU_ASSERT_EQUAL(bus_side_ask(&world.client, i), OK);
    while (world.server.got < world.client.asked)
        uv_run(&world.loop, UV_RUN_ONCE);
    bus_close(&world.server.bus);
    CU_ASSERT(bus_world_until(bus_world_is_lost));
    CU_ASSERT_EQUAL(world.client.got, world.client.asked);
    CU_ASSERT(world.client.in_order);
    bus_world_close();
}

static void link_without_a_service_keeps_trying(void)
{
    static const char *const nowhere[] = {"ipc:///nonexistent/anchorite",
                                          "tcp://127.0.0.1:1",
                                          "tcp://nobody.invalid:1"};

    for (size_t i = 0; i < 2; i++) {
        bus_world_open();
        bus_side_connect(&world.client, nowhere[i], &world.server.pair.key,
                         BUS_WORLD_SERVICE);
        CU_ASSERT(bus_world_until(bus_world_is_lost));
        CU_ASSERT_EQUAL(world.client.why.status, E_IO);
        world.client.lost = 0;
        CU_ASSERT(bus_world_until(bus_world_is_lost));
        CU_ASSERT_EQUAL(world.client.ready, 0);
        bus_world_close();
    }
}

static void link_may_be_closed_in_its_own_callback(void)
{
    bus_world_open();
    world.client.disconnects = true;
    bus_world_link();
    CU_ASSERT(bus_world_until(bus_world_is_ready));
    CU_ASSERT_EQUAL(bus_side_ask(&world.client, 0), E_IO);
    world.client.ready = 0;
    bus_side_connect(&world.client, "ipc:///nonexistent/anchorite",
                     &world.server.pair.key, BUS_WORLD_SERVICE);
    CU_ASSERT(bus_world_until(bus_world_is_lost));
    bus_world_wait(200);
    CU_ASSERT_EQUAL(world.client.lost, 1);
    bus_world_close();
}

static void on_find_close(struct bus *bus, const struct bus_sender *sender,
                          const struct message *message, void *context)
{
    (void)bus;
    (void)message;
    (void)context;
    bus_close(&world.server.bus);
    CU_ASSERT_STRING_EQUAL(certificate_id(sender->certificate),
                           certificate_id(world.client.certificate));
}
static void bus_may_be_closed_in_a_handler(void)
{
    connect_to_server_that(on_find_close);
    for (uint64_t i = 0; i < 5; i++)
        CU_ASSERT_EQUAL(bus_side_ask(&world.client, i), OK);
    CU_ASSERT(bus_world_until(bus_world_is_lost));
    CU_ASSERT_PTR_NULL(world.server.bus);
    bus_world_close();
}

/* ---- endpoints ---- */

static enum status check(const char *text, bool listens)
{
    error_init(&world.err);
    return bus_endpoint_check(text, listens, &world.err);
}

static void endpoints_are_checked(void)
{
    char path[7 + 300];

    CU_ASSERT_EQUAL(check("tcp://127.0.0.1:0", true), OK);
    CU_ASSERT_EQUAL(check("tcp://127.0.0.1:65535", true), OK);
    CU_ASSERT_EQUAL(check("tcp://node1.north.example:4711", false), OK);
    CU_ASSERT_EQUAL(check("ipc:///run/anchorite/node1", true), OK);
    CU_ASSERT_EQUAL(check("tcp://127.0.0.1:0", false), E_INPUT);
    CU_ASSERT_EQUAL(check("tcp://127.0.0.1:65536", true), E_INPUT);
    CU_ASSERT_EQUAL(check("tcp://127.0.0.1", true), E_INPUT);
    CU_ASSERT_EQUAL(check("tcp://:80", false), E_INPUT);
    CU_ASSERT_EQUAL(check("tcp://[::1]:80", false), E_INPUT);
    CU_ASSERT_EQUAL(check("tcp://::1:80", false), E_INPUT);
    CU_ASSERT_EQUAL(check("tcp://*:80", true), E_INPUT);
    CU_ASSERT_EQUAL(check("tcp://eth0:80", true), E_INPUT);
    CU_ASSERT_EQUAL(check("tcp://10.0.0.1;10.0.0.2:80", false), E_INPUT);
    CU_ASSERT_EQUAL(check("tcp://127.0.0.1:8o", true), E_INPUT);
    CU_ASSERT_EQUAL(check("ipc://@abstract", true), E_INPUT);
    CU_ASSERT_EQUAL(check("ipc://relative", true), E_INPUT);
    CU_ASSERT_EQUAL(check("ipc://*", true), E_INPUT);
    CU_ASSERT_EQUAL(check("inproc://x", true), E_INPUT);
    CU_ASSERT_EQUAL(check("", true), E_INPUT);
    memset(path, 'x', sizeof path);
    memcpy(path, "ipc:///", 7);
    path[6 + 107] = '\0'; /* 107 bytes behind ipc:// */
    CU_ASSERT_EQUAL(check(path, true), OK);
    path[6 + 107] = 'x';
    path[6 + 108] = '\0';
    CU_ASSERT_EQUAL(check(path, true), E_LIMIT);
    CU_ASSERT_PTR_NOT_NULL(strstr(world.err.text, "107"));
    path[6 + 108] = 'x';
    path[ENDPOINT_SIZE_MAX] = '\0';
    CU_ASSERT_EQUAL(check(path, true), E_LIMIT);
}

static void port_in_use_is_an_error(void)
{
    char actual[ENDPOINT_SIZE_MAX];
    char wrong[ENDPOINT_SIZE_MAX];

    bus_world_open();
    bus_world_must(bus_listen(world.server.bus, "tcp://127.0.0.1:0", actual,
                              &world.err) == OK,
                   "listen");
    CU_ASSERT_EQUAL(strncmp(actual, "tcp://127.0.0.1:", 16), 0);
    CU_ASSERT_NOT_EQUAL(bus_listen(world.client.bus, actual, wrong, &world.err),
                        OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(world.err.text, actual));
    CU_ASSERT_EQUAL(
        bus_listen(world.client.bus, "ipc:///nonexistent/x", wrong, &world.err),
        E_SYSTEM);
    bus_world_close();
}

static void connections_are_counted(void)
{
    struct curve_key key = {""};
    uint64_t peer;
    struct bus_target target = {"ipc:///nonexistent/anchorite",
                                BUS_WORLD_SERVICE, &key, bus_side_watch,
                                &world.client};

    bus_world_open();
    key = world.server.pair.key;
    for (int i = 0; i < BUS_LINKS_MAX; i++)
        CU_ASSERT_EQUAL(
            bus_connect(world.client.bus, &target, &peer, &world.err), OK);
    CU_ASSERT_EQUAL(bus_connect(world.client.bus, &target, &peer, &world.err),
                    E_LIMIT);
    target.endpoint = "nonsense";
    CU_ASSERT_EQUAL(bus_connect(world.client.bus, &target, &peer, &world.err),
                    E_INPUT);
    bus_world_close();
}

void suite_bus(void)
{
    static const struct test tests[] = {
        {"a request gets its answer", request_gets_its_answer},
        {"20,000 messages come through both ways, none lost, no stall",
         many_messages_come_through},
        {"a paused service lets requests wait",
         paused_service_lets_requests_wait},
        {"a request that nobody handles is answered by failed",
         unknown_request_is_answered_by_failed},
        {"a message that is against the table is not sent",
         message_against_the_table_is_not_sent},
        {"the largest messages come through", largest_messages_come_through},
        {"a wrong server key is noticed", wrong_server_key_is_noticed},
        {"a hello to another service is refused",
         hello_to_another_service_is_refused},
        {"a client that is not admitted is refused",
         client_that_is_not_admitted_is_refused},
        {"a server that is not admitted is left",
         server_that_is_not_admitted_is_left},
        {"a revoked certificate ends its session",
         revoked_certificate_ends_its_session},
        {"a handler may revoke its sender", handler_may_revoke_its_sender},
        {"a link to a revoked service ends", link_to_a_revoked_service_ends},
        {"a late answer to a client that left is an error",
         late_answer_to_a_client_that_left_is_an_error},
        {"a link finds a service that was started again",
         link_finds_a_service_that_was_started_again},
        {"answers before the end arrive", answers_before_the_end_arrive},
        {"a link without a service keeps trying",
         link_without_a_service_keeps_trying},
        {"a link may be closed in its own callback",
         link_may_be_closed_in_its_own_callback},
        {"a bus may be closed in a handler", bus_may_be_closed_in_a_handler},
        {"endpoints are checked", endpoints_are_checked},
        {"a port in use is an error", port_in_use_is_an_error},
        {"connections are counted", connections_are_counted},
    };

    suite_add("bus", tests, sizeof tests / sizeof tests[0]);
}
