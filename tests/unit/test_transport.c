/*
 * One transport, and who may talk to it.  Strangers are played with OpenSSL's
 * own sockets, not with the code under test.
 */
#include <CUnit/CUnit.h>
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <raft.h>
#include <raft/uv.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "common/log.h"
#include "common/sign_internal.h"
#include "ledger/preamble.h"
#include "ledger/transport.h"
#include "tests/lib/certified.h"
#include "tests/lib/suite.h"

void suite_transport(void);

/* Turns of the loop of at most 1 ms: more than any exchange needs. */
#define TURNS 2000

struct stage {
    uv_loop_t loop;
    struct certified certified;
    struct transport *transport;
    struct raft_uv_transport *raft;
    char address[32];
    bool is_revoked; /* node 2 */
    /* What libraft would have got. */
    unsigned accepted;
    uint64_t accepted_id;
    char accepted_address[ADDRESS_MAX + 1];
    uv_stream_t *stream;
    uint8_t got[65536];
    size_t got_size;
    bool has_ended;
    bool is_closed;
    bool has_answer; /* to a connect */
    int answer;
    uv_stream_t *dialled;
};

static struct stage *current;

static void on_stream_closed(uv_handle_t *handle)
{
    raft_free(handle);
}

static void lend(uv_handle_t *handle, size_t size, uv_buf_t *buffer)
{
    (void)handle;
    (void)size;
    *buffer = uv_buf_init((char *)current->got + current->got_size,
                          (unsigned)(sizeof current->got - current->got_size));
}

static void on_data(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer)
{
    (void)buffer;
    if (got > 0) {
        current->got_size += (size_t)got;
    } else if (got < 0) {
        current->has_ended = true;
        current->stream = NULL;
        uv_close((uv_handle_t *)stream, on_stream_closed);
    }
}

static void on_accept(struct raft_uv_transport *raft, raft_id id,
                      const char *address, uv_stream_t *stream)
{
    (void)raft;
    current->accepted++;
    current->accepted_id = id;
    memcpy(current->accepted_address, address, strlen(address) + 1);
    if (current->stream != NULL)
        uv_close((uv_handle_t *)current->stream, on_stream_closed);
    current->stream = stream;
    uv_read_start(stream, lend, on_data);
}

/* Node 2 says that it listens at 10.0.0.2:7000. */
static bool is_member(void *context, uint64_t id, const char *address,
                      const struct certificate *certificate)
{
    struct stage *stage = context;

    return certified_is_member(&stage->certified, id, address, certificate) &&
           (address == NULL || strcmp(address, "10.0.0.2:7000") == 0) &&
           !(id == 2 && stage->is_revoked);
}

static struct stage *stage_open(void)
{
    struct stage *stage = calloc(1, sizeof *stage);
    struct transport_options options = {.is_member = is_member};
    struct error err;

    CU_ASSERT_PTR_NOT_NULL_FATAL(stage);
    current = stage;
    signal(SIGPIPE, SIG_IGN);
    log_open("test", LOG_LEVEL_ERROR);
    uv_loop_init(&stage->loop);
    certified_open(&stage->certified, 3);
    certified_free_address(stage->address);
    options.loop = &stage->loop;
    options.context = stage;
    options.credentials = certified_credentials(&stage->certified, 1);
    CU_ASSERT_EQUAL_FATAL(transport_create(&stage->transport, &options, &err),
                          OK);
    stage->raft = transport_raft(stage->transport);
    CU_ASSERT_EQUAL_FATAL(stage->raft->init(stage->raft, 1, stage->address), 0);
    CU_ASSERT_EQUAL_FATAL(stage->raft->listen(stage->raft, on_accept), 0);
    return stage;
}

static void on_transport_closed(struct raft_uv_transport *raft)
{
    (void)raft;
    current->is_closed = true;
}

static void stage_close(struct stage *stage)
{
    if (stage->stream != NULL)
        uv_close((uv_handle_t *)stage->stream, on_stream_closed);
    if (stage->dialled != NULL)
        uv_close((uv_handle_t *)stage->dialled, on_stream_closed);
    stage->raft->close(stage->raft, on_transport_closed);
    uv_run(&stage->loop, UV_RUN_DEFAULT);
    CU_ASSERT_TRUE(stage->is_closed);
    CU_ASSERT_EQUAL(uv_loop_close(&stage->loop), 0);
    transport_destroy(&stage->transport);
    certified_close(&stage->certified);
    free(stage);
}

static void turn(struct stage *stage)
{
    uv_run(&stage->loop, UV_RUN_NOWAIT);
    usleep(1000);
}

/* ---- a stranger ---- */

struct stranger {
    int fd;
    SSL_CTX *context;
    SSL *ssl;
};

static int dial(const struct stage *stage)
{
    const char *port = strchr(stage->address, ':') + 1;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port =
                                      htons((uint16_t)strtoul(port, NULL, 10)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_EQUAL_FATAL(
        connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

/* With no certificate: NULL and NULL. */
static void stranger_open(struct stranger *stranger, struct stage *stage,
                          const struct certificate *certificate,
                          const struct private_key *key, int version)
{
    stranger->fd = dial(stage);
    stranger->context = SSL_CTX_new(TLS_client_method());
    CU_ASSERT_PTR_NOT_NULL_FATAL(stranger->context);
    SSL_CTX_set_max_proto_version(stranger->context, version);
    if (certificate != NULL) {
        struct bytes der = certificate_der(certificate);

        CU_ASSERT_EQUAL_FATAL(SSL_CTX_use_certificate_ASN1(
                                  stranger->context, (int)der.size, der.data),
                              1);
        CU_ASSERT_EQUAL_FATAL(
            SSL_CTX_use_PrivateKey(stranger->context, private_key_handle(key)),
            1);
    }
    stranger->ssl = SSL_new(stranger->context);
    SSL_set_fd(stranger->ssl, stranger->fd);
    SSL_set_connect_state(stranger->ssl);
}

static void stranger_close(struct stranger *stranger)
{
    SSL_free(stranger->ssl);
    SSL_CTX_free(stranger->context);
    close(stranger->fd);
}

enum reply { WELCOMED, REFUSED, SILENCE };

/* Shake hands, say `words`, and hear what comes. */
static enum reply stranger_greet(struct stranger *stranger, struct stage *stage,
                                 struct bytes words)
{
    bool has_spoken = false;

    for (unsigned i = 0; i < TURNS; i++) {
        uint8_t byte;
        int result = SSL_do_handshake(stranger->ssl);

        turn(stage);
        if (result == 1 && !has_spoken) {
            has_spoken = true;
            if (words.size > 0)
                (void)SSL_write(stranger->ssl, words.data, (int)words.size);
        }
        if (result == 1)
            result = SSL_read(stranger->ssl, &byte, 1);
        if (result == 1 && has_spoken)
            return byte == PREAMBLE_WELCOME ? WELCOMED : REFUSED;
        if (SSL_get_error(stranger->ssl, result) != SSL_ERROR_WANT_READ &&
            SSL_get_error(stranger->ssl, result) != SSL_ERROR_WANT_WRITE)
            return REFUSED;
        if (has_spoken && i > 300)
            return SILENCE;
    }
    return SILENCE;
}

static struct bytes preamble_of(uint64_t id, const char *address)
{
    static uint8_t bytes[PREAMBLE_SIZE_MAX];
    struct preamble preamble = {.id = id};

    memcpy(preamble.address, address, strlen(address) + 1);
    return bytes_of(bytes, preamble_encode(&preamble, bytes));
}

static enum reply greet_with(struct stage *stage,
                             const struct certificate *certificate,
                             const struct private_key *key, int version,
                             struct bytes words)
{
    struct stranger stranger;
    enum reply reply;

    stranger_open(&stranger, stage, certificate, key, version);
    reply = stranger_greet(&stranger, stage, words);
    stranger_close(&stranger);
    return reply;
}

/* As node `as`, or without a certificate if that is 0. */
static enum reply greet(struct stage *stage, uint64_t as, struct bytes words)
{
    return greet_with(
        stage, as > 0 ? stage->certified.certificate[as - 1] : NULL,
        as > 0 ? stage->certified.key[as - 1] : NULL, TLS1_3_VERSION, words);
}

/* Node 2, which stays. */
static void member_open(struct stranger *member, struct stage *stage)
{
    stranger_open(member, stage, stage->certified.certificate[1],
                  stage->certified.key[1], TLS1_3_VERSION);
    CU_ASSERT_EQUAL(
        stranger_greet(member, stage, preamble_of(2, "10.0.0.2:7000")),
        WELCOMED);
}

/* ---- accepting ---- */

static void a_member_is_welcome(void)
{
    struct stage *stage = stage_open();
    struct stranger member;
    static const char words[] = "what Raft has to say";

    member_open(&member, stage);
    CU_ASSERT_EQUAL(stage->accepted, 1);
    CU_ASSERT_EQUAL(stage->accepted_id, 2);
    CU_ASSERT_STRING_EQUAL(stage->accepted_address, "10.0.0.2:7000");
    CU_ASSERT_EQUAL(SSL_write(member.ssl, words, sizeof words), sizeof words);
    for (unsigned i = 0; i < TURNS && stage->got_size < sizeof words; i++)
        turn(stage);
    CU_ASSERT_EQUAL(stage->got_size, sizeof words);
    CU_ASSERT_STRING_EQUAL((char *)stage->got, words);
    /* That it hangs up is heard, too. */
    stranger_close(&member);
    for (unsigned i = 0; i < TURNS && !stage->has_ended; i++)
        turn(stage);
    CU_ASSERT_TRUE(stage->has_ended);
    stage_close(stage);
}

static void who_has_no_certificate_is_refused(void)
{
    struct stage *stage = stage_open();

    CU_ASSERT_EQUAL(greet(stage, 0, preamble_of(2, "10.0.0.2:7000")), REFUSED);
    CU_ASSERT_EQUAL(stage->accepted, 0);
    CU_ASSERT_EQUAL(transport_figures(stage->transport).refused, 1);
    /* And the next member is heard. */
    CU_ASSERT_EQUAL(greet(stage, 2, preamble_of(2, "10.0.0.2:7000")), WELCOMED);
    stage_close(stage);
}

static void who_claims_another_id_is_refused(void)
{
    struct stage *stage = stage_open();

    CU_ASSERT_EQUAL(greet(stage, 3, preamble_of(2, "10.0.0.2:7000")), REFUSED);
    CU_ASSERT_EQUAL(greet(stage, 2, preamble_of(7, "10.0.0.2:7000")), REFUSED);
    /* Nobody else is us. */
    CU_ASSERT_EQUAL(greet(stage, 1, preamble_of(1, "10.0.0.2:7000")), REFUSED);
    CU_ASSERT_EQUAL(stage->accepted, 0);
    stage_close(stage);
}

static void who_claims_another_address_is_refused(void)
{
    struct stage *stage = stage_open();

    CU_ASSERT_EQUAL(greet(stage, 2, preamble_of(2, "10.0.0.9:7000")), REFUSED);
    CU_ASSERT_EQUAL(stage->accepted, 0);
    stage_close(stage);
}

static void who_is_revoked_is_refused(void)
{
    struct stage *stage = stage_open();
    struct stranger member;

    member_open(&member, stage);
    transport_review(stage->transport);
    turn(stage);
    CU_ASSERT_FALSE(stage->has_ended);
    stage->is_revoked = true;
    transport_review(stage->transport);
    for (unsigned i = 0; i < TURNS && !stage->has_ended; i++)
        turn(stage);
    CU_ASSERT_TRUE(stage->has_ended);
    stranger_close(&member);
    CU_ASSERT_EQUAL(greet(stage, 2, preamble_of(2, "10.0.0.2:7000")), REFUSED);
    stage_close(stage);
}

static void expect_certificate_refused(struct stage *stage,
                                       const struct certified *issuer,
                                       enum identity_role role,
                                       bool has_expired)
{
    struct private_key *key = NULL;
    struct certificate *certificate =
        certified_issue(issuer, "node2", role, has_expired, &key);

    CU_ASSERT_EQUAL(greet_with(stage, certificate, key, TLS1_3_VERSION,
                               preamble_of(2, "10.0.0.2:7000")),
                    REFUSED);
    certificate_destroy(&certificate);
    private_key_destroy(&key);
}

static void a_foreign_role_expired_or_unknown_certificate_is_refused(void)
{
    struct stage *stage = stage_open();
    struct certified foreign;

    expect_certificate_refused(stage, &stage->certified, IDENTITY_BROKER,
                               false);
    expect_certificate_refused(stage, &stage->certified, IDENTITY_NODE, true);
    /* The same names under another root. */
    certified_open(&foreign, 1);
    expect_certificate_refused(stage, &foreign, IDENTITY_NODE, false);
    certified_close(&foreign);
    CU_ASSERT_EQUAL(stage->accepted, 0);
    CU_ASSERT_EQUAL(transport_figures(stage->transport).refused, 3);
    stage_close(stage);
}

static void older_tls_is_refused(void)
{
    struct stage *stage = stage_open();

    CU_ASSERT_EQUAL(greet_with(stage, stage->certified.certificate[1],
                               stage->certified.key[1], TLS1_2_VERSION,
                               preamble_of(2, "10.0.0.2:7000")),
                    REFUSED);
    stage_close(stage);
}

static void wrong_greetings_are_refused(void)
{
    struct stage *stage = stage_open();
    struct bytes right = preamble_of(2, "10.0.0.2:7000");
    uint8_t wrong[PREAMBLE_SIZE_MAX + 1] = {0};

    memcpy(wrong, right.data, right.size);
    wrong[0] ^= 1; /* magic */
    CU_ASSERT_EQUAL(greet(stage, 2, bytes_of(wrong, right.size)), REFUSED);
    memcpy(wrong, right.data, right.size);
    wrong[8] = 2; /* version */
    CU_ASSERT_EQUAL(greet(stage, 2, bytes_of(wrong, right.size)), REFUSED);
    memcpy(wrong, right.data, right.size);
    wrong[17] = 0xff; /* 65 KB of address */
    CU_ASSERT_EQUAL(greet(stage, 2, bytes_of(wrong, right.size)), REFUSED);
    /* A message before the welcome. */
    memcpy(wrong, right.data, right.size);
    wrong[right.size] = 1;
    CU_ASSERT_EQUAL(greet(stage, 2, bytes_of(wrong, right.size + 1)), REFUSED);
    /* Half a greeting gets no answer. */
    CU_ASSERT_EQUAL(greet(stage, 2, bytes_of(right.data, right.size - 1)),
                    SILENCE);
    CU_ASSERT_EQUAL(stage->accepted, 0);
    CU_ASSERT_EQUAL(greet(stage, 2, right), WELCOMED);
    stage_close(stage);
}

/* Does the other side hang up on these bytes? */
static bool hangs_up(struct stage *stage, const void *words, size_t size)
{
    int fd = dial(stage);
    bool has_ended = false;
    uint8_t buffer[4096];

    CU_ASSERT_EQUAL(send(fd, words, size, MSG_NOSIGNAL), (ssize_t)size);
    for (unsigned i = 0; i < TURNS && !has_ended; i++) {
        ssize_t got = recv(fd, buffer, sizeof buffer, 0);

        has_ended = got == 0 || (got < 0 && errno != EAGAIN);
        turn(stage);
    }
    close(fd);
    return has_ended;
}

static void garbage_is_hung_up_on(void)
{
    struct stage *stage = stage_open();
    uint8_t raft[24] = {0}, zeros[4096] = {0},
            record[5] = {22, 3, 1, 0xff, 0xff};

    raft[0] = 1;     /* libraft's own first words: version, */
    raft[8] = 2;     /* id */
    raft[22] = 0xff; /* and petabytes of address */
    CU_ASSERT_TRUE(hangs_up(stage, raft, sizeof raft));
    CU_ASSERT_TRUE(hangs_up(stage, zeros, sizeof zeros));
    CU_ASSERT_TRUE(hangs_up(stage, "GET / HTTP/1.1\r\n\r\n", 18));
    CU_ASSERT_TRUE(hangs_up(stage, record, sizeof record));
    CU_ASSERT_EQUAL(transport_figures(stage->transport).refused, 4);
    CU_ASSERT_EQUAL(transport_figures(stage->transport).strangers, 0);
    stage_close(stage);
}

static void strangers_do_not_pile_up(void)
{
    struct stage *stage = stage_open();
    int fd[TRANSPORT_STRANGERS_MAX + 16];
    size_t count = sizeof fd / sizeof *fd;

    for (size_t i = 0; i < count; i++) {
        fd[i] = dial(stage);
        turn(stage);
        CU_ASSERT_TRUE(transport_figures(stage->transport).strangers <=
                       TRANSPORT_STRANGERS_MAX);
    }
    turn(stage);
    CU_ASSERT_EQUAL(transport_figures(stage->transport).strangers,
                    TRANSPORT_STRANGERS_MAX);
    CU_ASSERT_EQUAL(transport_figures(stage->transport).refused, 16);
    /* They keep nobody out. */
    CU_ASSERT_EQUAL(greet(stage, 2, preamble_of(2, "10.0.0.2:7000")), WELCOMED);
    for (size_t i = 0; i < count; i++)
        close(fd[i]);
    stage_close(stage);
}

static void a_new_connection_replaces_the_old_one(void)
{
    struct stage *stage = stage_open();
    struct stranger first;

    stranger_open(&first, stage, stage->certified.certificate[1],
                  stage->certified.key[1], TLS1_3_VERSION);
    CU_ASSERT_EQUAL(
        stranger_greet(&first, stage, preamble_of(2, "10.0.0.2:7000")),
        WELCOMED);
    CU_ASSERT_EQUAL(greet(stage, 2, preamble_of(2, "10.0.0.2:7000")), WELCOMED);
    for (unsigned i = 0; i < TURNS && SSL_read(first.ssl, stage->got, 1) != 0 &&
                         SSL_get_error(first.ssl, -1) == SSL_ERROR_WANT_READ;
         i++)
        turn(stage);
    CU_ASSERT_EQUAL(stage->accepted, 2);
    CU_ASSERT_TRUE(transport_figures(stage->transport).open <= 1);
    stranger_close(&first);
    stage_close(stage);
}

/* ---- connecting ---- */

static void on_answer(struct raft_uv_connect *request, uv_stream_t *stream,
                      int status)
{
    (void)request;
    current->has_answer = true;
    current->answer = status;
    current->dialled = stream;
}

/* What the transport is told that dials `id` at that address. */
static int connect_to(struct stage *stage, uint64_t id, const char *address,
                      unsigned turns)
{
    struct raft_uv_connect request = {0};

    stage->has_answer = false;
    CU_ASSERT_EQUAL_FATAL(
        stage->raft->connect(stage->raft, &request, id, address, on_answer), 0);
    for (unsigned i = 0; i < turns && !stage->has_answer; i++)
        turn(stage);
    CU_ASSERT_TRUE_FATAL(stage->has_answer);
    return stage->answer;
}

static void on_accept_elsewhere(struct raft_uv_transport *raft, raft_id id,
                                const char *address, uv_stream_t *stream)
{
    (void)raft;
    (void)address;
    CU_ASSERT_EQUAL(id, 1);
    uv_close((uv_handle_t *)stream, on_stream_closed);
}

static void on_elsewhere_closed(struct raft_uv_transport *raft)
{
    (void)raft;
}

static bool anybody(void *context, uint64_t id, const char *address,
                    const struct certificate *certificate)
{
    (void)context;
    (void)id;
    (void)address;
    (void)certificate;
    return true;
}

static void only_the_node_dialled_is_spoken_to(void)
{
    struct stage *stage = stage_open();
    struct transport *elsewhere = NULL;
    struct raft_uv_transport *raft;
    struct transport_options options = {
        .loop = &stage->loop,
        .credentials = certified_credentials(&stage->certified, 3),
        .is_member = anybody};
    char address[32];
    struct error err;

    certified_free_address(address);
    CU_ASSERT_EQUAL_FATAL(transport_create(&elsewhere, &options, &err), OK);
    raft = transport_raft(elsewhere);
    CU_ASSERT_EQUAL_FATAL(raft->init(raft, 3, address), 0);
    CU_ASSERT_EQUAL_FATAL(raft->listen(raft, on_accept_elsewhere), 0);
    /* It is node 3 that listens there. */
    CU_ASSERT_EQUAL(connect_to(stage, 2, address, TURNS), RAFT_NOCONNECTION);
    CU_ASSERT_EQUAL(connect_to(stage, 3, address, TURNS), 0);
    CU_ASSERT_PTR_NOT_NULL(stage->dialled);
    raft->close(raft, on_elsewhere_closed);
    stage_close(stage);
    transport_destroy(&elsewhere);
}

static void nobody_there_is_said_at_once(void)
{
    struct stage *stage = stage_open();
    struct raft_uv_connect request = {0};
    char address[32];

    certified_free_address(address);
    CU_ASSERT_EQUAL(connect_to(stage, 2, address, TURNS), RAFT_NOCONNECTION);
    CU_ASSERT_EQUAL(connect_to(stage, 2, "no-such-name.invalid:7000", 8000),
                    RAFT_NOCONNECTION);
    CU_ASSERT_EQUAL(
        stage->raft->connect(stage->raft, &request, 2, "nowhere", on_answer),
        RAFT_INVALID);
    stage_close(stage);
}

static void who_says_nothing_is_not_waited_for(void)
{
    struct stage *stage = stage_open();
    char address[32];
    struct sockaddr_in silent = {.sin_family = AF_INET,
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int caller = dial(stage);

    certified_free_address(address);
    silent.sin_port =
        htons((uint16_t)strtoul(strchr(address, ':') + 1, NULL, 10));
    CU_ASSERT_EQUAL_FATAL(
        bind(listener, (const struct sockaddr *)&silent, sizeof silent), 0);
    CU_ASSERT_EQUAL_FATAL(listen(listener, 4), 0);
    CU_ASSERT_EQUAL(connect_to(stage, 2, address, TRANSPORT_GREETING_MS * 2),
                    RAFT_NOCONNECTION);
    /* Nor is the one that has called us. */
    for (unsigned i = 0;
         i < TURNS && transport_figures(stage->transport).strangers > 0; i++)
        turn(stage);
    CU_ASSERT_EQUAL(transport_figures(stage->transport).strangers, 0);
    close(listener);
    close(caller);
    stage_close(stage);
}

static void closing_answers_who_still_waits(void)
{
    struct stage *stage = stage_open();
    struct raft_uv_connect request = {0};

    CU_ASSERT_EQUAL_FATAL(stage->raft->connect(stage->raft, &request, 2,
                                               "127.0.0.1:9", on_answer),
                          0);
    stage_close(stage);
}

/* ---- options ---- */

static void key_and_certificate_must_belong_together(void)
{
    struct stage *stage = stage_open();
    struct transport_options options = {
        .loop = &stage->loop,
        .credentials = certified_credentials(&stage->certified, 1),
        .is_member = is_member};
    struct transport *transport = NULL;
    struct error err;

    options.credentials.key = stage->certified.key[1];
    CU_ASSERT_EQUAL(transport_create(&transport, &options, &err), E_INPUT);
    options.credentials.key = stage->certified.key[0];
    options.listen = "here";
    CU_ASSERT_EQUAL(transport_create(&transport, &options, &err), E_INPUT);
    CU_ASSERT_PTR_NULL(transport);
    stage_close(stage);
}

void suite_transport(void)
{
    static const struct test tests[] = {
        {"a member is welcome, and what it says arrives", a_member_is_welcome},
        {"who has no certificate is refused",
         who_has_no_certificate_is_refused},
        {"who claims another's id is refused",
         who_claims_another_id_is_refused},
        {"who claims another's address is refused",
         who_claims_another_address_is_refused},
        {"who is revoked is refused, also later", who_is_revoked_is_refused},
        {"a foreign role, an expired and a foreign certificate are refused",
         a_foreign_role_expired_or_unknown_certificate_is_refused},
        {"older TLS is refused", older_tls_is_refused},
        {"wrong greetings are refused", wrong_greetings_are_refused},
        {"garbage is hung up on", garbage_is_hung_up_on},
        {"strangers do not pile up", strangers_do_not_pile_up},
        {"a new connection replaces the old one",
         a_new_connection_replaces_the_old_one},
        {"only the node that was dialled is spoken to",
         only_the_node_dialled_is_spoken_to},
        {"that nobody is there is said at once", nobody_there_is_said_at_once},
        {"who says nothing is not waited for",
         who_says_nothing_is_not_waited_for},
        {"closing answers who still waits", closing_answers_who_still_waits},
        {"key and certificate must belong together",
         key_and_certificate_must_belong_together},
    };

    suite_add("transport", tests, sizeof tests / sizeof *tests);
}
