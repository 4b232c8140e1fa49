#include "common/bus.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zmq.h>

#include "common/clock.h"
#include "common/encoding.h"
#include "tests/lib/bus_world.h"
#include "tests/lib/suite.h"

void suite_bus_stranger(void);

/* Strangers: ZeroMQ without any of our code. */

static void *raw_context, *raw;
static struct curve_pair raw_pair;

static void raw_open(size_t routing_id_size)
{
    uint8_t routing_id[64] = "sixteen bytes...";

    bus_world_must(curve_pair_generate(&raw_pair, &world.err) == OK, "pair");
    raw_context = zmq_ctx_new();
    raw = zmq_socket(raw_context, ZMQ_DEALER);
    zmq_setsockopt(raw, ZMQ_LINGER, &(int){0}, sizeof(int));
    if (routing_id_size > 0)
        zmq_setsockopt(raw, ZMQ_ROUTING_ID, routing_id, routing_id_size);
    zmq_setsockopt(raw, ZMQ_CURVE_PUBLICKEY, raw_pair.key.text, 41);
    zmq_setsockopt(raw, ZMQ_CURVE_SECRETKEY, raw_pair.secret, 41);
    zmq_setsockopt(raw, ZMQ_CURVE_SERVERKEY, world.server.pair.key.text, 41);
    bus_world_must(zmq_connect(raw, world.endpoint) == 0, "zmq_connect");
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
        bus_world_must(zmq_send(raw, frame[i].data, frame[i].size,
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

    while (!raw_is_readable() && frames++ < BUS_WORLD_PATIENCE_MS / 10)
        uv_run(&world.loop, UV_RUN_NOWAIT);
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

    bus_world_open();
    raw_open(16);
    raw_send(find, 3);
    CU_ASSERT_EQUAL(raw_answer(&retry), E_REFUSED);
    CU_ASSERT(retry);
    CU_ASSERT_EQUAL(world.server.got, 0);
    CU_ASSERT_EQUAL(bus_session_count(world.server.bus), 0);
    bus_world_expect_alive();
    raw_close();
    bus_world_close();
}

/* A hello of our own making. */
struct forged {
    const struct bus_side *signer;
    const struct certificate *certificate;
    const struct curve_key *connecting, *listening;
    int64_t expiry_ms; /* from now */
    bool by_listener;
};

static struct forged honest(void)
{
    return (struct forged){&world.client,    world.client.certificate,
                           &raw_pair.key,    &world.server.pair.key,
                           3600 * 1000 - 60, false};
}

static enum status raw_hello(const struct forged *forged, bool *retry)
{
    struct curve_binding binding = {
        .by_listener = forged->by_listener,
        .connecting = forged->connecting,
        .listening = forged->listening,
        .service = BUS_WORLD_SERVICE,
        .expiry_ms = (uint64_t)((int64_t)clock_now_ms() + forged->expiry_ms),
    };
    uint8_t signature[SIGNATURE_SIZE_MAX], expiry[8];
    struct text pem;
    size_t size;
    enum status status;

    text_init(&pem);
    put_be64(expiry, binding.expiry_ms);
    bus_world_must(
        certificate_append_pem(forged->certificate, &pem, &world.err) == OK,
        "pem");
    bus_world_must(curve_binding_sign(&binding, forged->signer->key, signature,
                                      &size, &world.err) == OK,
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

    bus_world_open();
    raw_open(16);
    forged = honest();
    CU_ASSERT_EQUAL(raw_hello(&forged, &retry), OK);
    CU_ASSERT_EQUAL(bus_session_count(world.server.bus), 1);
    /* Once more: the same session. */
    CU_ASSERT_EQUAL(raw_hello(&forged, &retry), OK);
    CU_ASSERT_EQUAL(bus_session_count(world.server.bus), 1);
    raw_send(find, 3);
    raw_answer(&retry);
    CU_ASSERT_EQUAL(world.server.got, 1);
    raw_close();
    bus_world_close();
}

static void refused_hello(const struct forged *forged)
{
    bool retry = true;

    CU_ASSERT_EQUAL(raw_hello(forged, &retry), E_REFUSED);
    CU_ASSERT(!retry);
    CU_ASSERT_EQUAL(bus_session_count(world.server.bus), 0);
}

static void forged_hellos_are_refused(void)
{
    struct forged forged;

    bus_world_open();
    raw_open(16);
    forged = honest(); /* replayed from another connection */
    forged.connecting = &world.client.pair.key;
    refused_hello(&forged);
    forged = honest(); /* said to another service's key */
    forged.listening = &world.client.pair.key;
    refused_hello(&forged);
    forged = honest(); /* another's certificate */
    forged.certificate = world.server.certificate;
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
    bus_world_expect_alive();
    raw_close();
    bus_world_close();
}

/* Routing ids that ZeroMQ counts up can be guessed. */
static void guessable_routing_id_is_refused(void)
{
    struct forged forged;

    bus_world_open();
    raw_open(0);
    forged = honest();
    refused_hello(&forged);
    raw_close();
    raw_open(15);
    forged = honest();
    refused_hello(&forged);
    raw_close();
    bus_world_close();
}

static void session_ends_when_its_greeting_expires(void)
{
    struct bytes find[] = {bytes_of_string("find"), frame_of(ID, 16),
                           frame_of(NUMBER, 8)};
    struct forged forged;
    bool retry = false;

    bus_world_open();
    raw_open(16);
    forged = honest();
    forged.expiry_ms = 2000;
    CU_ASSERT_EQUAL(raw_hello(&forged, &retry), OK);
    bus_world_wait(2100);
    raw_send(find, 3);
    CU_ASSERT_EQUAL(raw_answer(&retry), E_REFUSED);
    CU_ASSERT(retry);
    CU_ASSERT_EQUAL(world.server.got, 0);
    CU_ASSERT_EQUAL(bus_session_count(world.server.bus), 0);
    raw_close();
    bus_world_close();
}

/* One session only: whoever greets takes the place of the other, who notices
 * and greets again. */
static void longest_silent_session_makes_room(void)
{
    struct bytes find[] = {bytes_of_string("find"), frame_of(ID, 16),
                           frame_of(NUMBER, 8)};
    struct forged forged;
    bool retry = false;

    bus_world_open();
    bus_close(&world.server.bus);
    world.server.session_max = 1;
    bus_world_serve();
    bus_world_link();
    CU_ASSERT(bus_world_until(bus_world_is_ready));
    raw_open(16);
    forged = honest();
    CU_ASSERT_EQUAL(raw_hello(&forged, &retry), OK);
    CU_ASSERT_EQUAL(bus_session_count(world.server.bus), 1);
    world.client.ready = 0;
    CU_ASSERT_EQUAL(bus_side_ask(&world.client, 0), OK);
    CU_ASSERT(bus_world_until(bus_world_is_lost));
    CU_ASSERT_EQUAL(world.client.failed, E_REFUSED);
    CU_ASSERT(world.client.failed_retry);
    CU_ASSERT(bus_world_until(bus_world_is_ready));
    CU_ASSERT_EQUAL(bus_session_count(world.server.bus), 1);
    raw_send(find, 3);
    CU_ASSERT_EQUAL(raw_answer(&retry), E_REFUSED);
    CU_ASSERT_EQUAL(world.server.got, 0);
    raw_close();
    bus_world_close();
}

/* So few that the gate must keep them for others; the client gets in when there
 * are enough again. */
static void connections_leave_files_to_others(void)
{
    struct rlimit usual, few;
    int lowest;

    bus_world_open();
    lowest = dup(STDIN_FILENO);
    close(lowest);
    CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_NOFILE, &usual), 0);
    few = usual;
    few.rlim_cur = (rlim_t)lowest + BUS_FILES_RESERVED;
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_NOFILE, &few), 0);
    bus_world_link();
    CU_ASSERT(bus_world_until(bus_world_is_lost));
    CU_ASSERT_EQUAL(world.client.ready, 0);
    CU_ASSERT_EQUAL(setrlimit(RLIMIT_NOFILE, &usual), 0);
    CU_ASSERT(bus_world_until(bus_world_is_ready));
    bus_world_close();
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

    bus_world_open();
    raw_open(16);
    garbage(E_REFUSED);
    forged = honest();
    CU_ASSERT_EQUAL(raw_hello(&forged, &retry), OK);
    garbage(E_INPUT);
    CU_ASSERT_EQUAL(world.server.got, 0);
    bus_world_expect_alive();
    raw_close();
    bus_world_close();
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

    bus_world_open();
    raw_open(16);
    raw_send(frame, 4);
    raw_send(find, 3);
    bus_world_wait(300);
    CU_ASSERT(!raw_is_readable() || raw_answer(&retry) == E_REFUSED);
    CU_ASSERT_EQUAL(world.server.got, 0);
    bus_world_expect_alive();
    raw_close();
    bus_world_close();
    free(large);
}

static void bytes_that_are_no_zeromq_are_refused(void)
{
    static char junk[] = "GET / HTTP/1.1\r\nHost: nobody\r\n\r\n";
    uv_pipe_t pipe;
    uv_connect_t request;
    uv_buf_t buffer = uv_buf_init(junk, sizeof junk - 1);

    bus_world_open();
    uv_pipe_init(&world.loop, &pipe, 0);
    uv_pipe_connect(&request, &pipe, world.endpoint + strlen("ipc://"), NULL);
    bus_world_wait(50);
    CU_ASSERT_EQUAL(uv_try_write((uv_stream_t *)&pipe, &buffer, 1),
                    (int)sizeof junk - 1);
    bus_world_expect_alive();
    uv_close((uv_handle_t *)&pipe, NULL);
    bus_world_close();
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

    bus_world_open();
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
        status = bus_send(world.server.bus, world.server.heard_from, &answer,
                          &world.err);
    CU_ASSERT_EQUAL(status, E_LIMIT);
    CU_ASSERT_EQUAL(bus_session_count(world.server.bus), 0);
    bus_world_expect_alive();
    raw_close();
    bus_world_close();
}

void suite_bus_stranger(void)
{
    static const struct test tests[] = {
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
        {"a session that takes no answers ends",
         session_that_takes_no_answers_ends},
    };

    suite_add("bus_stranger", tests, sizeof tests / sizeof tests[0]);
}
