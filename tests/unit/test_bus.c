#include "common/bus.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>
#include <zmq.h>

#include "common/encoding.h"
#include "common/log.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_bus(void);

/* Enough for a machine that does a lot besides. */
#define PATIENCE_MS 20000
#define SERVICE "north"

/* A program: who it is, its bus, what happened to it. */
struct side {
    struct curve_pair pair;
    struct private_key *key;
    struct certificate *certificate;
    struct bus *bus;
    size_t session_max;
    enum status admits; /* what it says of others */
    uint64_t peer;      /* its link */
    unsigned ready, lost;
    struct error why; /* it was lost */
    uint64_t asked, got;
    uint64_t heard_from; /* last session */
    char heard_id[CERTIFICATE_ID_SIZE];
    bool in_order, disconnects;
    enum status failed;
    bool failed_retry;
};

static uv_loop_t loop;
static struct scratch scratch;
static struct private_key *root_key, *authority_key;
static struct certificate *root, *authority;
static struct side server, client;
static char endpoint[ENDPOINT_SIZE_MAX];
static struct error err;

static void must(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "\ntest_bus: %s: %s\n", what, err.text);
    abort();
}

/* ---- a world with a server and a client ---- */

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Authorities for longer than those whom they vouch for. */
static struct certificate_terms terms(const struct certificate_subject *subject)
{
    int64_t more = subject->is_authority ? 60000 : 0;

    return (struct certificate_terms){subject, now_ms() - 60000 - more,
                                      now_ms() + INT64_C(3600000) + more};
}

static void make_authority(void)
{
    struct certificate_subject subject = {"all", "root", 0, true};
    struct certificate_terms its = terms(&subject);
    struct public_key *key = NULL;

    must(private_key_generate(&root_key, KEY_P256, &err) == OK, "key");
    must(certificate_create_root(&root, root_key, &its, &err) == OK, "root");
    subject = (struct certificate_subject){"north", "ca", 0, true};
    its = terms(&subject);
    its.not_before_ms += 30000;
    its.not_after_ms -= 30000;
    must(private_key_generate(&authority_key, KEY_P256, &err) == OK, "key");
    must(private_key_public(authority_key, &key, &err) == OK, "key");
    must(certificate_issue(&authority, key, &its, root, root_key, &err) == OK,
         "authority");
    public_key_destroy(&key);
}

static void side_open(struct side *side, const char *name)
{
    struct certificate_subject subject = {"north", "", IDENTITY_NODE, false};
    struct certificate_terms its = terms(&subject);
    struct public_key *key = NULL;

    memset(side, 0, sizeof *side);
    snprintf(subject.name, sizeof subject.name, "%s", name);
    must(curve_pair_generate(&side->pair, &err) == OK, "pair");
    must(private_key_generate(&side->key, KEY_P256, &err) == OK, "key");
    must(private_key_public(side->key, &key, &err) == OK, "key");
    must(certificate_issue(&side->certificate, key, &its, authority,
                           authority_key, &err) == OK,
         "certificate");
    public_key_destroy(&key);
    side->in_order = true;
}

static void side_close(struct side *side)
{
    bus_close(&side->bus);
    certificate_destroy(&side->certificate);
    private_key_destroy(&side->key);
    curve_pair_clear(&side->pair);
}

static enum status admit(const struct certificate *certificate,
                         const char *service, void *context, struct error *why)
{
    const struct side *side = context;

    CU_ASSERT((service != NULL) == (side != &server));
    CU_ASSERT(service == NULL || strcmp(service, SERVICE) == 0);
    if (side->admits != OK)
        return error_set(why, side->admits, "not on the list");
    return certificate_check_chain(certificate, authority, root, now_ms(), why);
}

static void watch(struct bus *bus, uint64_t peer, enum bus_news news,
                  const struct error *why, void *context)
{
    struct side *side = context;

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

static void side_start(struct side *side)
{
    struct bus_settings settings = {
        .loop = &loop,
        .service = SERVICE,
        .pair = &side->pair,
        .certificate = side->certificate,
        .key = side->key,
        .session_max = side->session_max,
        .admit = admit,
        .context = side,
    };

    must(bus_open(&side->bus, &settings, &err) == OK, "bus_open");
}

static void side_connect(struct side *side, const char *where,
                         const struct curve_key *key, const char *service)
{
    struct bus_target target = {where, service, key, watch, side};

    must(bus_connect(side->bus, &target, &side->peer, &err) == OK, "connect");
}

/* Any request of the tests is `find`; its answer is `positions` with the same
 * number in `more`. */
static void on_find(struct bus *bus, const struct bus_sender *sender,
                    const struct message *message, void *context)
{
    struct side *side = context;
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
    CU_ASSERT_EQUAL(bus_send(bus, sender->peer, &answer, &err), OK);
}

static enum status ask(struct side *side, uint64_t number)
{
    uint8_t id[MESSAGE_REQUEST_ID_SIZE] = {0};
    struct message message;

    put_be64(id, number);
    message_init(&message, MESSAGE_FIND, id);
    message_set_number(&message, FIND_POSITION, number);
    return bus_send(side->bus, side->peer, &message, &err);
}

static void on_positions(struct bus *bus, const struct bus_sender *sender,
                         const struct message *message, void *context)
{
    struct side *side = context;

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
    struct side *side = context;

    (void)bus;
    (void)sender;
    side->failed = (enum status)message_number(message, FAILED_STATUS);
    side->failed_retry = message_number(message, FAILED_RETRY) != 0;
}

static void start_server(void)
{
    char actual[ENDPOINT_SIZE_MAX];

    side_start(&server);
    bus_handle(server.bus, MESSAGE_FIND, on_find, &server);
    must(bus_listen(server.bus, endpoint, actual, &err) == OK, "listen");
    memcpy(endpoint, actual, sizeof endpoint);
}

static void world_open(void)
{
    log_open("test", LOG_LEVEL_ERROR);
    must(uv_loop_init(&loop) == 0, "uv_loop_init");
    scratch_open(&scratch);
    snprintf(endpoint, sizeof endpoint, "ipc://%s",
             scratch_path(&scratch, "door"));
    error_init(&err);
    make_authority();
    side_open(&server, "server");
    side_open(&client, "client");
    start_server();
    side_start(&client);
    bus_handle(client.bus, MESSAGE_POSITIONS, on_positions, &client);
    bus_handle(client.bus, MESSAGE_FAILED, on_failed, &client);
}

static void world_close(void)
{
    side_close(&client);
    side_close(&server);
    certificate_destroy(&authority);
    certificate_destroy(&root);
    private_key_destroy(&authority_key);
    private_key_destroy(&root_key);
    uv_run(&loop, UV_RUN_DEFAULT);
    /* Nothing of a bus is left on the loop. */
    CU_ASSERT_EQUAL(uv_loop_close(&loop), 0);
    scratch_close(&scratch);
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

    uv_timer_init(&loop, &patience.timer);
    patience.timer.data = &patience;
    uv_timer_start(&patience.timer, patience_over, ms, 0);
    while (!(good = enough()) && !patience.is_over)
        uv_run(&loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&patience.timer, patience_closed);
    while (!patience.is_closed)
        uv_run(&loop, UV_RUN_NOWAIT);
    return good;
}
static bool until(bool (*enough)(void))
{
    return run_until(enough, PATIENCE_MS);
}
static bool never(void)
{
    return false;
}
static void a_while(uint64_t ms)
{
    CU_ASSERT(!run_until(never, ms));
}

static bool is_ready(void)
{
    return client.ready > 0;
}
static bool is_lost(void)
{
    return client.lost > 0;
}
static bool is_answered(void)
{
    return client.got >= client.asked;
}
static bool has_failed(void)
{
    return client.failed != OK;
}

static void world_connect(void)
{
    world_open();
    side_connect(&client, endpoint, &server.pair.key, SERVICE);
    CU_ASSERT(until(is_ready));
}

/* The server still does its work, for a client of its own. */
static void expect_alive(void)
{
    uint64_t before = client.got;

    if (client.ready == 0) {
        side_connect(&client, endpoint, &server.pair.key, SERVICE);
        CU_ASSERT(until(is_ready));
    }
    client.asked = before + 1;
    CU_ASSERT_EQUAL(ask(&client, before), OK);
    CU_ASSERT(until(is_answered));
}

/* ---- requests and answers ---- */

static void request_gets_its_answer(void)
{
    world_connect();
    CU_ASSERT_EQUAL(bus_session_count(server.bus), 1);
    expect_alive();
    CU_ASSERT(client.in_order && server.in_order);
    CU_ASSERT_STRING_EQUAL(server.heard_id, certificate_id(client.certificate));
    world_close();
}

static void pump(uint64_t count, uint64_t in_flight)
{
    client.got = client.asked = server.got = 0;
    while (client.got < count) {
        while (client.asked < count && client.asked < client.got + in_flight) {
            CU_ASSERT_EQUAL_FATAL(ask(&client, client.asked), OK);
            client.asked++;
        }
        uv_run(&loop, UV_RUN_ONCE);
    }
    CU_ASSERT_EQUAL(server.got, count);
    CU_ASSERT(client.in_order && server.in_order);
}

/* On both transports, many and one at a time.  An edge that is lost would stall
 * it for good, and SIGALRM end it. */
static void many_messages_come_through(void)
{
    alarm(120);
    world_connect();
    pump(20000, 500);
    pump(2000, 1);
    world_close();
    world_open();
    bus_close(&server.bus);
    snprintf(endpoint, sizeof endpoint, "tcp://127.0.0.1:0");
    start_server();
    side_connect(&client, endpoint, &server.pair.key, SERVICE);
    CU_ASSERT(until(is_ready));
    pump(20000, 500);
    world_close();
    alarm(0);
}

static void paused_service_lets_requests_wait(void)
{
    world_connect();
    bus_pause(server.bus, true);
    client.asked = 3;
    for (uint64_t i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(ask(&client, i), OK);
    a_while(100);
    CU_ASSERT_EQUAL(server.got, 0);
    bus_pause(server.bus, false);
    CU_ASSERT(until(is_answered));
    CU_ASSERT_EQUAL(server.got, 3);
    world_close();
}

static void unknown_request_is_answered_by_failed(void)
{
    uint8_t id[MESSAGE_REQUEST_ID_SIZE] = {7};
    struct message message;

    world_connect();
    message_init(&message, MESSAGE_STATUS, id);
    CU_ASSERT_EQUAL(bus_send(client.bus, client.peer, &message, &err), OK);
    CU_ASSERT(until(has_failed));
    CU_ASSERT_EQUAL(client.failed, E_VERSION);
    CU_ASSERT(!client.failed_retry);
    world_close();
}

static void message_against_the_table_is_not_sent(void)
{
    uint8_t id[MESSAGE_REQUEST_ID_SIZE] = {7};
    struct message message;

    world_connect();
    message_init(&message, MESSAGE_SHOW, id);
    message_set_string(&message, SHOW_ID, "too short");
    CU_ASSERT_EQUAL(bus_send(client.bus, client.peer, &message, &err), E_INPUT);
    expect_alive();
    world_close();
}

/* ---- who is who ---- */

static void wrong_server_key_is_noticed(void)
{
    world_open();
    side_connect(&client, endpoint, &client.pair.key, SERVICE);
    CU_ASSERT(until(is_lost));
    CU_ASSERT_EQUAL(client.ready, 0);
    CU_ASSERT_EQUAL(client.why.status, E_IO);
    CU_ASSERT_EQUAL(ask(&client, 0), E_IO);
    CU_ASSERT_EQUAL(bus_session_count(server.bus), 0);
    world_close();
}

static void hello_to_another_service_is_refused(void)
{
    struct bus_target target = {endpoint, "south", &server.pair.key, watch,
                                &client};

    world_open();
    must(bus_connect(client.bus, &target, &client.peer, &err) == OK, "connect");
    CU_ASSERT(until(is_lost));
    CU_ASSERT_EQUAL(client.why.status, E_REFUSED);
    CU_ASSERT_EQUAL(bus_session_count(server.bus), 0);
    world_close();
}

static void client_that_is_not_admitted_is_refused(void)
{
    world_open();
    server.admits = E_REFUSED;
    side_connect(&client, endpoint, &server.pair.key, SERVICE);
    CU_ASSERT(until(is_lost));
    CU_ASSERT_EQUAL(client.ready, 0);
    CU_ASSERT_EQUAL(client.why.status, E_REFUSED);
    CU_ASSERT_PTR_NOT_NULL(strstr(client.why.text, "not on the list"));
    CU_ASSERT_PTR_NOT_NULL(strstr(client.why.text, endpoint));
    CU_ASSERT_EQUAL(bus_session_count(server.bus), 0);
    /* It tries again by itself, and is welcome now. */
    server.admits = OK;
    CU_ASSERT(until(is_ready));
    world_close();
}

static void server_that_is_not_admitted_is_left(void)
{
    world_open();
    client.admits = E_REFUSED;
    side_connect(&client, endpoint, &server.pair.key, SERVICE);
    CU_ASSERT(until(is_lost));
    CU_ASSERT_EQUAL(client.ready, 0);
    CU_ASSERT_EQUAL(client.why.status, E_REFUSED);
    CU_ASSERT_EQUAL(ask(&client, 0), E_IO);
    world_close();
}

static void revoked_certificate_ends_its_session(void)
{
    world_connect();
    CU_ASSERT_EQUAL(bus_forget(server.bus, certificate_id(server.certificate)),
                    0);
    server.admits = E_REFUSED;
    CU_ASSERT_EQUAL(bus_forget(server.bus, certificate_id(client.certificate)),
                    1);
    CU_ASSERT_EQUAL(bus_session_count(server.bus), 0);
    CU_ASSERT_EQUAL(ask(&client, 0), OK);
    CU_ASSERT(until(is_lost));
    CU_ASSERT_EQUAL(client.failed, E_REFUSED);
    CU_ASSERT(client.failed_retry);
    CU_ASSERT_EQUAL(server.got, 0);
    client.lost = 0;
    CU_ASSERT(until(is_lost));
    CU_ASSERT_EQUAL(client.why.status, E_REFUSED);
    CU_ASSERT_EQUAL(client.ready, 1);
    world_close();
}

/* A handler revokes the one whose request it handles. */
static void on_find_forget(struct bus *bus, const struct bus_sender *sender,
                           const struct message *message, void *context)
{
    (void)message;
    (void)context;
    CU_ASSERT_EQUAL(bus_forget(bus, certificate_id(sender->certificate)), 1);
    /* Still in hand. */
    CU_ASSERT_STRING_EQUAL(certificate_id(sender->certificate),
                           certificate_id(client.certificate));
    server.got++;
}
static void handler_may_revoke_its_sender(void)
{
    world_open();
    bus_close(&server.bus);
    side_start(&server);
    bus_handle(server.bus, MESSAGE_FIND, on_find_forget, NULL);
    must(bus_listen(server.bus, endpoint, endpoint, &err) == OK, "listen");
    side_connect(&client, endpoint, &server.pair.key, SERVICE);
    CU_ASSERT(until(is_ready));
    CU_ASSERT_EQUAL(ask(&client, 0), OK);
    CU_ASSERT_EQUAL(ask(&client, 1), OK);
    CU_ASSERT(until(is_lost));
    CU_ASSERT_EQUAL(server.got, 1);
    world_close();
}

static void link_to_a_revoked_service_ends(void)
{
    world_connect();
    client.admits = E_REFUSED;
    CU_ASSERT_EQUAL(bus_forget(client.bus, certificate_id(server.certificate)),
                    1);
    CU_ASSERT_EQUAL(client.lost, 1);
    CU_ASSERT_EQUAL(client.why.status, E_REFUSED);
    CU_ASSERT_EQUAL(ask(&client, 0), E_IO);
    world_close();
}

/* ---- strangers: ZeroMQ without any of our code ---- */

static void *raw_context, *raw;
static struct curve_pair raw_pair;

static void raw_open(size_t routing_id_size)
{
    uint8_t routing_id[64] = "sixteen bytes...";

    must(curve_pair_generate(&raw_pair, &err) == OK, "pair");
    raw_context = zmq_ctx_new();
    raw = zmq_socket(raw_context, ZMQ_DEALER);
    zmq_setsockopt(raw, ZMQ_LINGER, &(int){0}, sizeof(int));
    if (routing_id_size > 0)
        zmq_setsockopt(raw, ZMQ_ROUTING_ID, routing_id, routing_id_size);
    zmq_setsockopt(raw, ZMQ_CURVE_PUBLICKEY, raw_pair.key.text, 41);
    zmq_setsockopt(raw, ZMQ_CURVE_SECRETKEY, raw_pair.secret, 41);
    zmq_setsockopt(raw, ZMQ_CURVE_SERVERKEY, server.pair.key.text, 41);
    must(zmq_connect(raw, endpoint) == 0, "zmq_connect");
}

static void raw_close(void)
{
    zmq_close(raw);
    zmq_ctx_term(raw_context);
}

static bool raw_is_readable(void)
{
    zmq_pollitem_t item = {.socket = raw, .events = ZMQ_POLLIN};

    return zmq_poll(&item, 1, 10) > 0;
}

static void raw_send(const struct bytes *frame, size_t count)
{
    for (size_t i = 0; i < count; i++)
        must(zmq_send(raw, frame[i].data, frame[i].size,
                      i + 1 < count ? ZMQ_SNDMORE : 0) >= 0,
             "zmq_send");
}

/* A status and whether to retry, out of the frames of `failed`; OK for a
 * `welcome`; E_VERSION for anything else or nothing. */
static enum status raw_answer(bool *retry)
{
    char name[32] = "";
    uint8_t number[8] = {0};
    int frames = 0, more = 1;
    size_t size = sizeof more;
    enum status status = E_VERSION;

    while (!raw_is_readable() && frames++ < PATIENCE_MS / 10)
        uv_run(&loop, UV_RUN_NOWAIT);
    if (!raw_is_readable())
        return E_VERSION;
    for (frames = 0; more != 0; frames++) {
        char frame[8192] = "";
        int got = zmq_recv(raw, frame, sizeof frame, 0);

        if (frames == 0)
            memcpy(name, frame, sizeof name - 1);
        if (frames == 2 && got == 8) {
            memcpy(number, frame, 8);
            status = (enum status)get_be64(number);
        }
        if (frames == 3 && got == 8) {
            memcpy(number, frame, 8);
            *retry = get_be64(number) != 0;
        }
        zmq_getsockopt(raw, ZMQ_RCVMORE, &more, &size);
    }
    if (strcmp(name, "welcome") == 0)
        return OK;
    return strcmp(name, "failed") == 0 ? status : E_VERSION;
}

#define ID "0123456789abcdef"
#define NUMBER "\0\0\0\0\0\0\0\1"

static struct bytes frame_of(const char *string, size_t size)
{
    return bytes_of(string, size);
}

static void unbound_session_is_refused(void)
{
    struct bytes find[] = {bytes_of_string("find"), frame_of(ID, 16),
                           frame_of(NUMBER, 8)};
    bool retry = false;

    world_open();
    raw_open(16);
    raw_send(find, 3);
    CU_ASSERT_EQUAL(raw_answer(&retry), E_REFUSED);
    CU_ASSERT(retry);
    CU_ASSERT_EQUAL(server.got, 0);
    CU_ASSERT_EQUAL(bus_session_count(server.bus), 0);
    expect_alive();
    raw_close();
    world_close();
}

/* A hello of our own making. */
struct forged {
    const struct side *signer;
    const struct certificate *certificate;
    const struct curve_key *connecting, *listening;
    int64_t expiry_ms; /* from now */
    bool by_listener;
};

static struct forged honest(void)
{
    return (struct forged){&client,          client.certificate, &raw_pair.key,
                           &server.pair.key, 3600 * 1000 - 60,   false};
}

static enum status raw_hello(const struct forged *forged, bool *retry)
{
    struct curve_binding binding = {
        .by_listener = forged->by_listener,
        .connecting = forged->connecting,
        .listening = forged->listening,
        .service = SERVICE,
        .expiry_ms = (uint64_t)(now_ms() + forged->expiry_ms),
    };
    uint8_t signature[SIGNATURE_SIZE_MAX], expiry[8];
    struct text pem;
    size_t size;
    enum status status;

    text_init(&pem);
    put_be64(expiry, binding.expiry_ms);
    must(certificate_append_pem(forged->certificate, &pem, &err) == OK, "pem");
    must(curve_binding_sign(&binding, forged->signer->key, signature, &size,
                            &err) == OK,
         "sign");
    struct bytes hello[] = {bytes_of_string("hello"), frame_of(ID, 16),
                            text_bytes(&pem), bytes_of(expiry, 8),
                            bytes_of(signature, size)};
    raw_send(hello, 5);
    status = raw_answer(retry);
    text_clear(&pem);
    return status;
}

static void honest_hello_is_welcome(void)
{
    struct bytes find[] = {bytes_of_string("find"), frame_of(ID, 16),
                           frame_of("\0\0\0\0\0\0\0\0", 8)};
    struct forged forged;
    bool retry = false;

    world_open();
    raw_open(16);
    forged = honest();
    CU_ASSERT_EQUAL(raw_hello(&forged, &retry), OK);
    CU_ASSERT_EQUAL(bus_session_count(server.bus), 1);
    /* Once more: the same session. */
    CU_ASSERT_EQUAL(raw_hello(&forged, &retry), OK);
    CU_ASSERT_EQUAL(bus_session_count(server.bus), 1);
    raw_send(find, 3);
    raw_answer(&retry);
    CU_ASSERT_EQUAL(server.got, 1);
    raw_close();
    world_close();
}

static void refused_hello(const struct forged *forged)
{
    bool retry = true;

    CU_ASSERT_EQUAL(raw_hello(forged, &retry), E_REFUSED);
    CU_ASSERT(!retry);
    CU_ASSERT_EQUAL(bus_session_count(server.bus), 0);
}

static void forged_hellos_are_refused(void)
{
    struct forged forged;

    world_open();
    raw_open(16);
    forged = honest(); /* replayed from another connection */
    forged.connecting = &client.pair.key;
    refused_hello(&forged);
    forged = honest(); /* said to another service's key */
    forged.listening = &client.pair.key;
    refused_hello(&forged);
    forged = honest(); /* another's certificate */
    forged.certificate = server.certificate;
    refused_hello(&forged);
    forged = honest(); /* a welcome sent back */
    forged.by_listener = true;
    refused_hello(&forged);
    forged = honest(); /* too late */
    forged.expiry_ms = -1;
    refused_hello(&forged);
    forged = honest(); /* good for longer than anybody may ask */
    forged.expiry_ms = INT64_C(43200000) + 120000;
    refused_hello(&forged);
    expect_alive();
    raw_close();
    world_close();
}

/* Routing ids that ZeroMQ counts up can be guessed. */
static void guessable_routing_id_is_refused(void)
{
    struct forged forged;

    world_open();
    raw_open(0);
    forged = honest();
    refused_hello(&forged);
    raw_close();
    raw_open(15);
    forged = honest();
    refused_hello(&forged);
    raw_close();
    world_close();
}

static void session_ends_when_its_greeting_expires(void)
{
    struct bytes find[] = {bytes_of_string("find"), frame_of(ID, 16),
                           frame_of(NUMBER, 8)};
    struct forged forged;
    bool retry = false;

    world_open();
    raw_open(16);
    forged = honest();
    forged.expiry_ms = 2000;
    CU_ASSERT_EQUAL(raw_hello(&forged, &retry), OK);
    a_while(2100);
    raw_send(find, 3);
    CU_ASSERT_EQUAL(raw_answer(&retry), E_REFUSED);
    CU_ASSERT(retry);
    CU_ASSERT_EQUAL(server.got, 0);
    CU_ASSERT_EQUAL(bus_session_count(server.bus), 0);
    raw_close();
    world_close();
}

/* One session only: whoever greets takes the place of the other, who notices
 * and greets again. */
static void longest_silent_session_makes_room(void)
{
    struct bytes find[] = {bytes_of_string("find"), frame_of(ID, 16),
                           frame_of(NUMBER, 8)};
    struct forged forged;
    bool retry = false;

    world_open();
    bus_close(&server.bus);
    server.session_max = 1;
    start_server();
    side_connect(&client, endpoint, &server.pair.key, SERVICE);
    CU_ASSERT(until(is_ready));
    raw_open(16);
    forged = honest();
    CU_ASSERT_EQUAL(raw_hello(&forged, &retry), OK);
    CU_ASSERT_EQUAL(bus_session_count(server.bus), 1);
    client.ready = 0;
    CU_ASSERT_EQUAL(ask(&client, 0), OK);
    CU_ASSERT(until(is_lost));
    CU_ASSERT_EQUAL(client.failed, E_REFUSED);
    CU_ASSERT(client.failed_retry);
    CU_ASSERT(until(is_ready));
    CU_ASSERT_EQUAL(bus_session_count(server.bus), 1);
    raw_send(find, 3);
    CU_ASSERT_EQUAL(raw_answer(&retry), E_REFUSED);
    CU_ASSERT_EQUAL(server.got, 0);
    raw_close();
    world_close();
}

/* So few that the gate must keep them for others; the client gets in when there
 * are enough again. */
static void connections_leave_files_to_others(void)
{
    struct rlimit usual, few;
    int lowest;

    world_open();
    lowest = dup(STDIN_FILENO);
    close(lowest);
    CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_NOFILE, &usual), 0);
    few = usual;
    few.rlim_cur = (rlim_t)lowest + BUS_FILES_RESERVED;
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_NOFILE, &few), 0);
    side_connect(&client, endpoint, &server.pair.key, SERVICE);
    CU_ASSERT(until(is_lost));
    CU_ASSERT_EQUAL(client.ready, 0);
    CU_ASSERT_EQUAL(setrlimit(RLIMIT_NOFILE, &usual), 0);
    CU_ASSERT(until(is_ready));
    world_close();
}

static void garbage(enum status expected)
{
    struct bytes frame[40];
    bool retry;

    for (size_t i = 0; i < 40; i++)
        frame[i] = frame_of(NUMBER, 8);
    raw_send(frame, 1);
    CU_ASSERT_EQUAL(raw_answer(&retry), expected);
    raw_send(frame, 40);
    CU_ASSERT_EQUAL(raw_answer(&retry), expected);
    frame[0] = bytes_of_string("");
    raw_send(frame, 1);
    CU_ASSERT_EQUAL(raw_answer(&retry), expected);
    frame[0] = bytes_of_string("find");
    raw_send(frame, 3); /* request id of 8 bytes */
    CU_ASSERT_EQUAL(raw_answer(&retry), expected);
    frame[1] = frame_of(ID, 16);
    raw_send(frame, 2); /* too few, too many */
    CU_ASSERT_EQUAL(raw_answer(&retry), expected);
    raw_send(frame, 4);
    CU_ASSERT_EQUAL(raw_answer(&retry), expected);
    frame[0] = bytes_of_string("cosigned"); /* an answer */
    raw_send(frame, 3);
    CU_ASSERT_EQUAL(raw_answer(&retry), expected);
}

static void garbage_is_refused_and_the_service_goes_on(void)
{
    struct forged forged;
    bool retry;

    world_open();
    raw_open(16);
    garbage(E_REFUSED);
    forged = honest();
    CU_ASSERT_EQUAL(raw_hello(&forged, &retry), OK);
    garbage(E_INPUT);
    CU_ASSERT_EQUAL(server.got, 0);
    expect_alive();
    raw_close();
    world_close();
}

/* Requests are an entry of 64 KiB at most: ZeroMQ ends the connection. */
static void oversized_message_is_refused(void)
{
    char *large = calloc(1, 1 << 20);
    struct bytes frame[] = {bytes_of_string("submit"), frame_of(ID, 16),
                            bytes_of(large, 1 << 20), frame_of(ID, 16)};
    struct bytes find[] = {bytes_of_string("find"), frame_of(ID, 16),
                           frame_of(NUMBER, 8)};
    bool retry;

    world_open();
    raw_open(16);
    raw_send(frame, 4);
    raw_send(find, 3);
    a_while(300);
    CU_ASSERT(!raw_is_readable() || raw_answer(&retry) == E_REFUSED);
    CU_ASSERT_EQUAL(server.got, 0);
    expect_alive();
    raw_close();
    world_close();
    free(large);
}

static void bytes_that_are_no_zeromq_are_refused(void)
{
    static char junk[] = "GET / HTTP/1.1\r\nHost: nobody\r\n\r\n";
    uv_pipe_t pipe;
    uv_connect_t request;
    uv_buf_t buffer = uv_buf_init(junk, sizeof junk - 1);

    world_open();
    uv_pipe_init(&loop, &pipe, 0);
    uv_pipe_connect(&request, &pipe, endpoint + strlen("ipc://"), NULL);
    a_while(50);
    CU_ASSERT_EQUAL(uv_try_write((uv_stream_t *)&pipe, &buffer, 1),
                    (int)sizeof junk - 1);
    expect_alive();
    uv_close((uv_handle_t *)&pipe, NULL);
    world_close();
}

/* ---- peers that go and come ---- */

static void late_answer_to_a_client_that_left_is_an_error(void)
{
    uint8_t id[MESSAGE_REQUEST_ID_SIZE] = {7};
    struct message answer;
    enum status status = OK;

    world_connect();
    expect_alive();
    bus_disconnect(client.bus, client.peer);
    message_init(&answer, MESSAGE_POSITIONS, id);
    message_set_number(&answer, POSITIONS_MORE, 0);
    message_set_string(&answer, POSITIONS_POSITIONS, "");
    for (int i = 0; i < 100 && status == OK; i++) {
        a_while(20);
        status = bus_send(server.bus, server.heard_from, &answer, &err);
    }
    CU_ASSERT_EQUAL(status, E_IO);
    CU_ASSERT_EQUAL(bus_session_count(server.bus), 0);
    CU_ASSERT_EQUAL(bus_send(server.bus, server.heard_from, &answer, &err),
                    E_IO);
    world_close();
}

static void link_finds_a_service_that_was_started_again(void)
{
    world_connect();
    bus_close(&server.bus);
    CU_ASSERT(until(is_lost));
    CU_ASSERT_EQUAL(client.why.status, E_IO);
    CU_ASSERT_EQUAL(ask(&client, 0), E_IO);
    /* In between it tries in vain. */
    client.lost = 0;
    CU_ASSERT(until(is_lost));
    client.ready = 0;
    start_server();
    CU_ASSERT(until(is_ready));
    expect_alive();
    world_close();
}

static void answers_before_the_end_arrive(void)
{
    world_connect();
    client.asked = 200;
    for (uint64_t i = 0; i < client.asked; i++)
        CU_ASSERT_EQUAL(ask(&client, i), OK);
    while (server.got < client.asked)
        uv_run(&loop, UV_RUN_ONCE);
    bus_close(&server.bus);
    CU_ASSERT(until(is_lost));
    CU_ASSERT_EQUAL(client.got, client.asked);
    CU_ASSERT(client.in_order);
    world_close();
}

static void session_that_takes_no_answers_ends(void)
{
    static char positions[8 * HISTORY_POSITIONS_MAX];
    uint8_t id[MESSAGE_REQUEST_ID_SIZE] = {7};
    struct bytes find[] = {bytes_of_string("find"), frame_of(ID, 16),
                           frame_of("\0\0\0\0\0\0\0\0", 8)};
    struct forged forged;
    struct message answer;
    enum status status = OK;
    bool retry;

    world_open();
    raw_open(16);
    forged = honest();
    CU_ASSERT_EQUAL(raw_hello(&forged, &retry), OK);
    raw_send(find, 3);
    raw_answer(&retry);
    message_init(&answer, MESSAGE_POSITIONS, id);
    message_set_number(&answer, POSITIONS_MORE, 0);
    message_set_bytes(&answer, POSITIONS_POSITIONS,
                      bytes_of(positions, sizeof positions));
    for (int i = 0; i < 10 * BUS_QUEUE_MAX && status == OK; i++)
        status = bus_send(server.bus, server.heard_from, &answer, &err);
    CU_ASSERT_EQUAL(status, E_LIMIT);
    CU_ASSERT_EQUAL(bus_session_count(server.bus), 0);
    expect_alive();
    raw_close();
    world_close();
}

static void link_without_a_service_keeps_trying(void)
{
    static const char *const nowhere[] = {"ipc:///nonexistent/anchorite",
                                          "tcp://127.0.0.1:1",
                                          "tcp://nobody.invalid:1"};

    for (size_t i = 0; i < 2; i++) {
        world_open();
        side_connect(&client, nowhere[i], &server.pair.key, SERVICE);
        CU_ASSERT(until(is_lost));
        CU_ASSERT_EQUAL(client.why.status, E_IO);
        client.lost = 0;
        CU_ASSERT(until(is_lost));
        CU_ASSERT_EQUAL(client.ready, 0);
        world_close();
    }
}

static void link_may_be_closed_in_its_own_callback(void)
{
    world_open();
    client.disconnects = true;
    side_connect(&client, endpoint, &server.pair.key, SERVICE);
    CU_ASSERT(until(is_ready));
    CU_ASSERT_EQUAL(ask(&client, 0), E_IO);
    client.ready = 0;
    side_connect(&client, "ipc:///nonexistent/anchorite", &server.pair.key,
                 SERVICE);
    CU_ASSERT(until(is_lost));
    a_while(200);
    CU_ASSERT_EQUAL(client.lost, 1);
    world_close();
}

static void on_find_close(struct bus *bus, const struct bus_sender *sender,
                          const struct message *message, void *context)
{
    (void)bus;
    (void)message;
    (void)context;
    bus_close(&server.bus);
    CU_ASSERT_STRING_EQUAL(certificate_id(sender->certificate),
                           certificate_id(client.certificate));
}
static void bus_may_be_closed_in_a_handler(void)
{
    world_open();
    bus_close(&server.bus);
    side_start(&server);
    bus_handle(server.bus, MESSAGE_FIND, on_find_close, NULL);
    must(bus_listen(server.bus, endpoint, endpoint, &err) == OK, "listen");
    side_connect(&client, endpoint, &server.pair.key, SERVICE);
    CU_ASSERT(until(is_ready));
    for (uint64_t i = 0; i < 5; i++)
        CU_ASSERT_EQUAL(ask(&client, i), OK);
    CU_ASSERT(until(is_lost));
    CU_ASSERT_PTR_NULL(server.bus);
    world_close();
}

/* ---- endpoints ---- */

static enum status check(const char *text, bool listens)
{
    error_init(&err);
    return bus_endpoint_check(text, listens, &err);
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
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "107"));
    path[6 + 108] = 'x';
    path[ENDPOINT_SIZE_MAX] = '\0';
    CU_ASSERT_EQUAL(check(path, true), E_LIMIT);
}

static void port_in_use_is_an_error(void)
{
    char actual[ENDPOINT_SIZE_MAX];
    char wrong[ENDPOINT_SIZE_MAX];

    world_open();
    must(bus_listen(server.bus, "tcp://127.0.0.1:0", actual, &err) == OK,
         "listen");
    CU_ASSERT_EQUAL(strncmp(actual, "tcp://127.0.0.1:", 16), 0);
    CU_ASSERT_NOT_EQUAL(bus_listen(client.bus, actual, wrong, &err), OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, actual));
    CU_ASSERT_EQUAL(bus_listen(client.bus, "ipc:///nonexistent/x", wrong, &err),
                    E_SYSTEM);
    world_close();
}

static void connections_are_counted(void)
{
    struct curve_key key = {""};
    uint64_t peer;
    struct bus_target target = {"ipc:///nonexistent/anchorite", SERVICE, &key,
                                watch, &client};

    world_open();
    key = server.pair.key;
    for (int i = 0; i < BUS_LINKS_MAX; i++)
        CU_ASSERT_EQUAL(bus_connect(client.bus, &target, &peer, &err), OK);
    CU_ASSERT_EQUAL(bus_connect(client.bus, &target, &peer, &err), E_LIMIT);
    target.endpoint = "nonsense";
    CU_ASSERT_EQUAL(bus_connect(client.bus, &target, &peer, &err), E_INPUT);
    world_close();
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
        {"an unbound session is refused", unbound_session_is_refused},
        {"an honest hello is welcome", honest_hello_is_welcome},
        {"forged hellos are refused", forged_hellos_are_refused},
        {"a guessable routing id is refused", guessable_routing_id_is_refused},
        {"a session ends when its greeting expires",
         session_ends_when_its_greeting_expires},
        {"the longest silent session makes room",
         longest_silent_session_makes_room},
        {"connections leave files to others",
         connections_leave_files_to_others},
        {"garbage is refused and the service goes on",
         garbage_is_refused_and_the_service_goes_on},
        {"an oversized message is refused", oversized_message_is_refused},
        {"bytes that are no ZeroMQ are refused",
         bytes_that_are_no_zeromq_are_refused},
        {"a late answer to a client that left is an error",
         late_answer_to_a_client_that_left_is_an_error},
        {"a link finds a service that was started again",
         link_finds_a_service_that_was_started_again},
        {"answers before the end arrive", answers_before_the_end_arrive},
        {"a session that takes no answers ends",
         session_that_takes_no_answers_ends},
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
