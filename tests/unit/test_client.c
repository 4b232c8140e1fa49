#include "common/client.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "cli/network_files.h"
#include "common/bus.h"
#include "common/log.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_client(void);

#define NODES 3

/* How a node that is none behaves, when asked for its checkpoint. */
enum manner {
    ABSENT,
    ANSWERS,   /* its name */
    LEADS,     /* it could not, but node 3 could */
    MISLEADS,  /* it could not, but node 1 or 2, the other one, could */
    DENIES,    /* there is none, for good */
    IS_SILENT, /* takes the question */
    MISTAKES,  /* an answer to another question */
    REFUSES    /* does not accept us */
};

/* Shared with the nodes: how often each was asked. */
struct counts {
    _Atomic int asked[NODES];
};

struct fake {
    size_t index;
    enum manner manner;
    struct counts *counts;
};

struct cluster {
    struct scratch scratch;
    struct network *network;
    struct network_user user;
    struct counts *counts;
    pid_t pid[NODES];
    atomic_bool cancel;
    struct client_options options;
    struct client *client;
};

/* What cannot be set up ends the test's process. */
static void demand(enum status status, const struct error *err)
{
    if (status == OK)
        return;
    fprintf(stderr, "\n%s\n", err->text);
    abort();
}

/* ---- a node, in a process of its own ---- */

static enum status fake_admit(const struct certificate *certificate,
                              const char *service, void *context,
                              struct error *err)
{
    const struct fake *fake = context;

    (void)certificate;
    (void)service;
    return fake->manner == REFUSES ? error_set(err, E_REFUSED, "you are nobody")
                                   : OK;
}

static void fake_fail(const struct fake *fake, const struct message *request,
                      struct message *answer)
{
    static const char *const others[] = {"node2", "node1", ""};
    static struct error why;

    if (fake->manner == DENIES) {
        (void)!error_set(&why, E_NO, "there is no checkpoint");
        /* As a real one does, which always says who leads. */
        message_fail(answer, request->request_id, &why, false, "node1");
        return;
    }
    (void)!error_set(&why, E_SYSTEM, "not the leader");
    message_fail(answer, request->request_id, &why, true,
                 fake->manner == LEADS ? "node3" : others[fake->index]);
}

static void fake_handle(struct bus *bus, const struct bus_sender *sender,
                        const struct message *request, void *context)
{
    const struct fake *fake = context;
    struct message answer;
    struct error err;
    char name[16];

    error_init(&err);
    fake->counts->asked[fake->index]++;
    snprintf(name, sizeof name, "node%zu", fake->index + 1);
    switch (fake->manner) {
    case IS_SILENT:
        return;
    case ANSWERS:
        message_init(&answer, MESSAGE_ANCHORED, request->request_id);
        message_set_string(&answer, ANCHORED_NOTE, name);
        break;
    case MISTAKES:
        message_init(&answer, MESSAGE_COSIGNED, request->request_id);
        message_set_string(&answer, COSIGNED_LINE, name);
        break;
    default:
        fake_fail(fake, request, &answer);
    }
    demand(bus_send(bus, sender->peer, &answer, &err), &err);
}

static _Noreturn void fake_run(const struct cluster *cluster, struct fake *fake,
                               int listening)
{
    const char *endpoint = cluster->network->node[fake->index].endpoint;
    struct network_user self = {.key = NULL};
    struct bus *bus = NULL;
    struct error err;
    char actual[ENDPOINT_SIZE_MAX], name[64];
    uv_loop_t loop;

    error_init(&err);
    snprintf(name, sizeof name, "net/node%zu/certificate.pem", fake->index + 1);
    demand(certificate_load(&self.certificate,
                            scratch_path(&cluster->scratch, name), &err),
           &err);
    snprintf(name, sizeof name, "net/node%zu/key.pem", fake->index + 1);
    demand(private_key_load(&self.key, scratch_path(&cluster->scratch, name),
                            &err),
           &err);
    snprintf(name, sizeof name, "net/node%zu/curve.key", fake->index + 1);
    demand(curve_pair_load(&self.pair, scratch_path(&cluster->scratch, name),
                           &err),
           &err);
    uv_loop_init(&loop);
    demand(bus_open(&bus,
                    &(struct bus_settings){
                        .loop = &loop,
                        .service = cluster->network->node[fake->index].name,
                        .pair = &self.pair,
                        .certificate = self.certificate,
                        .key = self.key,
                        .admit = fake_admit,
                        .context = fake},
                    &err),
           &err);
    bus_handle(bus, MESSAGE_CHECKPOINT, fake_handle, fake);
    demand(bus_listen(bus, endpoint, actual, &err), &err);
    if (write(listening, "", 1) != 1)
        abort();
    uv_run(&loop, UV_RUN_DEFAULT);
    _exit(0);
}

static pid_t fake_start(const struct cluster *cluster, size_t index,
                        enum manner manner)
{
    int listening[2];
    char byte;
    pid_t pid;

    if (pipe(listening) != 0 || (pid = fork()) < 0)
        abort();
    if (pid == 0) {
        struct fake fake = {
            .index = index, .manner = manner, .counts = cluster->counts};

        log_open("node", LOG_LEVEL_ERROR);
        alarm(60 * suite_patience()); /* should the test itself die */
        fake_run(cluster, &fake, listening[1]);
    }
    close(listening[1]);
    if (read(listening[0], &byte, 1) != 1)
        abort();
    close(listening[0]);
    return pid;
}

/* ---- the cluster ---- */

static void cluster_open(struct cluster *cluster, enum manner first,
                         enum manner second, enum manner third,
                         uint64_t timeout_ms)
{
    const enum manner manners[NODES] = {first, second, third};
    struct error err;

    error_init(&err);
    memset(cluster, 0, sizeof *cluster);
    scratch_open(&cluster->scratch);
    demand(network_files_make(scratch_path(&cluster->scratch, "net"), NODES,
                              false, &cluster->cancel, &err),
           &err);
    demand(network_load(&cluster->network,
                        scratch_path(&cluster->scratch, "net"), &err),
           &err);
    demand(network_user_load(&cluster->user,
                             scratch_path(&cluster->scratch, "net"),
                             "north.auditor", &err),
           &err);
    cluster->counts =
        mmap(NULL, sizeof *cluster->counts, PROT_READ | PROT_WRITE,
             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (cluster->counts == MAP_FAILED)
        abort();
    for (size_t i = 0; i < NODES; i++)
        if (manners[i] != ABSENT)
            cluster->pid[i] = fake_start(cluster, i, manners[i]);
    cluster->options = (struct client_options){.network = cluster->network,
                                               .user = &cluster->user,
                                               .timeout_ms = timeout_ms,
                                               .cancel = &cluster->cancel};
}

static void cluster_close(struct cluster *cluster)
{
    client_close(&cluster->client);
    for (size_t i = 0; i < NODES; i++)
        if (cluster->pid[i] > 0) {
            kill(cluster->pid[i], SIGKILL);
            waitpid(cluster->pid[i], NULL, 0);
        }
    munmap(cluster->counts, sizeof *cluster->counts);
    network_user_clear(&cluster->user);
    network_destroy(&cluster->network);
    scratch_close(&cluster->scratch);
}

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Ask for a checkpoint; *who gets the name that answered. */
static enum status ask(struct cluster *cluster, char who[16], struct error *err)
{
    static const uint8_t none[MESSAGE_REQUEST_ID_SIZE];
    struct client_answer answer;
    struct message request;
    enum status status = OK;

    error_init(err);
    who[0] = '\0';
    if (cluster->client == NULL)
        status = client_open(&cluster->client, &cluster->options, err);
    message_init(&request, MESSAGE_CHECKPOINT, none);
    if (status == OK)
        status = client_ask(cluster->client, &request, MESSAGE_ANCHORED,
                            &answer, err);
    if (status == OK) {
        struct bytes note = message_bytes(&answer.message, ANCHORED_NOTE);

        snprintf(who, 16, "%.*s", (int)note.size, (const char *)note.data);
        client_answer_clear(&answer);
    }
    return status;
}

static void expect_answer(enum manner first, enum manner second,
                          enum manner third, const char *expected)
{
    struct cluster cluster;
    struct error err;
    char who[16];

    cluster_open(&cluster, first, second, third, 10000);
    CU_ASSERT_EQUAL(ask(&cluster, who, &err), OK);
    CU_ASSERT_STRING_EQUAL(err.text, "");
    CU_ASSERT_STRING_EQUAL(who, expected);
    /* And again, over the same links. */
    CU_ASSERT_EQUAL(ask(&cluster, who, &err), OK);
    CU_ASSERT_STRING_EQUAL(who, expected);
    cluster_close(&cluster);
}

static void expect_failure(enum manner first, enum manner second,
                           enum manner third, uint64_t timeout_ms,
                           enum status expected, const char *words,
                           double seconds_max)
{
    struct cluster cluster;
    struct error err;
    char who[16];
    double before;

    cluster_open(&cluster, first, second, third, timeout_ms);
    before = seconds();
    CU_ASSERT_EQUAL(ask(&cluster, who, &err), expected);
    CU_ASSERT(seconds() - before < seconds_max);
    if (strstr(err.text, words) == NULL) {
        fprintf(stderr, "\nno \"%s\" in: %s\n", words, err.text);
        CU_FAIL("another message");
    }
    cluster_close(&cluster);
}

/* ---- tests ---- */

static void one_node_of_three_is_enough_to_ask(void)
{
    expect_answer(ANSWERS, ABSENT, ABSENT, "node1");
    expect_answer(ABSENT, ABSENT, ANSWERS, "node3");
}

static void the_leader_that_is_named_is_asked_from_then_on(void)
{
    struct cluster cluster;
    struct error err;
    char who[16];
    int others;

    expect_answer(LEADS, LEADS, ANSWERS, "node3");
    /* Whoever was asked at first, from then on it is the leader. */
    cluster_open(&cluster, LEADS, LEADS, ANSWERS, 10000);
    CU_ASSERT_EQUAL(ask(&cluster, who, &err), OK);
    others = cluster.counts->asked[0] + cluster.counts->asked[1];
    CU_ASSERT_EQUAL(ask(&cluster, who, &err), OK);
    CU_ASSERT_EQUAL(cluster.counts->asked[0] + cluster.counts->asked[1],
                    others);
    CU_ASSERT_EQUAL(cluster.counts->asked[2], 2);
    cluster_close(&cluster);
}

static void two_that_name_each_other_are_not_asked_in_a_frenzy(void)
{
    struct cluster cluster;
    struct error err;
    char who[16];

    cluster_open(&cluster, MISLEADS, MISLEADS, ABSENT, 1000);
    CU_ASSERT_EQUAL(ask(&cluster, who, &err), E_SYSTEM);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "no quorum: no answer within"));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "not the leader"));
    /* 1,000 ms with a pause of 50 at least at every other one. */
    CU_ASSERT(cluster.counts->asked[0] + cluster.counts->asked[1] <= 41);
    CU_ASSERT(cluster.counts->asked[0] + cluster.counts->asked[1] >= 4);
    cluster_close(&cluster);
}

static void the_no_of_one_node_is_not_the_last_word(void)
{
    expect_answer(DENIES, DENIES, ANSWERS, "node3");
    expect_answer(DENIES, ANSWERS, DENIES, "node2");
}

static void the_no_of_all_is_the_answer_soon(void)
{
    expect_failure(DENIES, DENIES, DENIES, 10000, E_NO,
                   "there is no checkpoint", 1.9);
    /* The third has its time to appear, not more. */
    expect_failure(DENIES, DENIES, ABSENT, 10000, E_NO,
                   "there is no checkpoint", 4);
}

/* By hand: of three two are a majority, and what two do not have was never
 * anchored.  One may only be behind. */
static void the_no_of_fewer_than_a_majority_is_none(void)
{
    expect_failure(DENIES, ABSENT, ABSENT, 2500, E_SYSTEM,
                   "no quorum: 1 of 3 nodes answered within 2500 ms, and this "
                   "takes 2; last: node1: there is no checkpoint",
                   4);
    expect_failure(ABSENT, ABSENT, DENIES, 2500, E_SYSTEM, "1 of 3 nodes", 4);
    expect_failure(DENIES, REFUSES, ABSENT, 2500, E_SYSTEM, "1 of 3 nodes", 4);
    expect_failure(DENIES, MISTAKES, MISTAKES, 10000, E_SYSTEM, "", 3);
}

static void those_whom_a_majority_refuses_are_told_so(void)
{
    expect_failure(DENIES, REFUSES, REFUSES, 10000, E_REFUSED, "you are nobody",
                   5);
}

static void a_silent_node_does_not_keep_a_majority_from_saying_no(void)
{
    struct cluster cluster;
    struct error err;
    char who[16];
    double before;

    cluster_open(&cluster, DENIES, IS_SILENT, DENIES, 10000);
    CU_ASSERT_EQUAL(ask(&cluster, who, &err), E_NO);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "there is no checkpoint"));
    CU_ASSERT_FALSE(client_all_have_said(cluster.client));
    /* It was waited for, 3 s, and is not again. */
    before = seconds();
    CU_ASSERT_EQUAL(ask(&cluster, who, &err), E_NO);
    CU_ASSERT(seconds() - before < 2);
    cluster_close(&cluster);
    cluster_open(&cluster, DENIES, DENIES, DENIES, 10000);
    CU_ASSERT_EQUAL(ask(&cluster, who, &err), E_NO);
    CU_ASSERT_TRUE(client_all_have_said(cluster.client));
    cluster_close(&cluster);
}

/* ---- asking most of them ---- */

static enum status count_answer(void *context, const struct message *answer,
                                struct error *err)
{
    size_t *count = context;

    (void)answer;
    (void)err;
    ++*count;
    return OK;
}

static void expect_most(enum manner first, enum manner second,
                        enum manner third, enum status expected, size_t answers)
{
    static const uint8_t none[MESSAGE_REQUEST_ID_SIZE];
    struct cluster cluster;
    struct message request;
    struct error err;
    size_t count = 0;

    error_init(&err);
    cluster_open(&cluster, first, second, third, 2500);
    demand(client_open(&cluster.client, &cluster.options, &err), &err);
    message_init(&request, MESSAGE_CHECKPOINT, none);
    CU_ASSERT_EQUAL(client_ask_most(cluster.client, &request, MESSAGE_ANCHORED,
                                    count_answer, &count, &err),
                    expected);
    CU_ASSERT_EQUAL(err.status, expected);
    CU_ASSERT_EQUAL(count, answers);
    cluster_close(&cluster);
}

static void all_that_can_be_reached_are_asked_and_a_majority_at_least(void)
{
    expect_most(ANSWERS, ANSWERS, ANSWERS, OK, 3);
    expect_most(ANSWERS, ABSENT, ANSWERS, OK, 2);
    expect_most(DENIES, ANSWERS, DENIES, OK, 1);
    expect_most(ANSWERS, DENIES, ABSENT, OK, 1);
    expect_most(DENIES, ABSENT, DENIES, E_NO, 0);
    expect_most(ANSWERS, ABSENT, ABSENT, E_SYSTEM, 1);
    expect_most(ANSWERS, MISTAKES, MISTAKES, E_SYSTEM, 1);
    expect_most(ANSWERS, MISLEADS, ABSENT, E_SYSTEM, 1);
}

static void a_silent_node_is_passed_over(void)
{
    expect_answer(IS_SILENT, ABSENT, ANSWERS, "node3");
}

static void a_wrong_answer_is_passed_over(void)
{
    expect_answer(MISTAKES, ANSWERS, MISTAKES, "node2");
    expect_failure(MISTAKES, MISTAKES, MISTAKES, 10000, E_SYSTEM,
                   "answered \"cosigned\"", 1.9);
}

static void nobody_there_is_told_in_time(void)
{
    expect_failure(ABSENT, ABSENT, ABSENT, 700, E_SYSTEM,
                   "no quorum: no answer within 700 ms from any of 3 nodes",
                   1.5);
    expect_failure(IS_SILENT, IS_SILENT, IS_SILENT, 700, E_SYSTEM, "no quorum",
                   1.5);
}

static void a_user_that_all_refuse_is_told_so(void)
{
    expect_failure(REFUSES, REFUSES, REFUSES, 10000, E_REFUSED, "node", 5);
}

static void a_stopped_node_is_passed_over(void)
{
    struct cluster cluster;
    struct error err;
    char who[16];

    cluster_open(&cluster, ANSWERS, ANSWERS, ABSENT, 10000);
    kill(cluster.pid[0], SIGSTOP);
    CU_ASSERT_EQUAL(ask(&cluster, who, &err), OK);
    CU_ASSERT_STRING_EQUAL(who, "node2");
    cluster_close(&cluster);
}

static void a_node_of_another_certificate_is_not_asked(void)
{
    struct cluster cluster;
    struct error err;
    char who[16];

    cluster_open(&cluster, ANSWERS, ABSENT, ABSENT, 1500);
    memset(cluster.network->node[0].certificate, '0', CERTIFICATE_ID_SIZE - 1);
    CU_ASSERT_EQUAL(ask(&cluster, who, &err), E_SYSTEM);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "another certificate"));
    CU_ASSERT_EQUAL(cluster.counts->asked[0], 0);
    cluster_close(&cluster);
}

static void a_signal_ends_the_waiting(void)
{
    struct cluster cluster;
    struct error err;
    char who[16];
    double before = seconds();

    cluster_open(&cluster, IS_SILENT, ABSENT, ABSENT, 10000);
    atomic_store(&cluster.cancel, true);
    CU_ASSERT_EQUAL(ask(&cluster, who, &err), E_CANCELLED);
    CU_ASSERT(seconds() - before < 5);
    cluster_close(&cluster);
}

static void a_single_node_can_be_asked(void)
{
    static const uint8_t none[MESSAGE_REQUEST_ID_SIZE];
    static const struct {
        size_t node;
        enum status status;
    } cases[] = {{0, OK}, {1, E_NO}, {2, E_SYSTEM}};
    struct client_answer answer;
    struct cluster cluster;
    struct message request;
    struct error err;

    error_init(&err);
    cluster_open(&cluster, ANSWERS, DENIES, ABSENT, 1000);
    demand(client_open(&cluster.client, &cluster.options, &err), &err);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        message_init(&request, MESSAGE_CHECKPOINT, none);
        CU_ASSERT_EQUAL(client_ask_node(cluster.client, cases[i].node, &request,
                                        MESSAGE_ANCHORED, &answer, &err),
                        cases[i].status);
        client_answer_clear(&answer);
    }
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "node3: no answer"));
    cluster_close(&cluster);
}

void suite_client(void)
{
    static const struct test tests[] = {
        {"one node of three is enough to ask",
         one_node_of_three_is_enough_to_ask},
        {"the leader that is named is asked from then on",
         the_leader_that_is_named_is_asked_from_then_on},
        {"two that name each other are not asked in a frenzy",
         two_that_name_each_other_are_not_asked_in_a_frenzy},
        {"the no of one node is not the last word",
         the_no_of_one_node_is_not_the_last_word},
        {"the no of all is the answer, soon", the_no_of_all_is_the_answer_soon},
        {"the no of fewer than a majority is none",
         the_no_of_fewer_than_a_majority_is_none},
        {"those whom a majority refuses are told so",
         those_whom_a_majority_refuses_are_told_so},
        {"a silent node does not keep a majority from saying no",
         a_silent_node_does_not_keep_a_majority_from_saying_no},
        {"all that can be reached are asked, and a majority at least",
         all_that_can_be_reached_are_asked_and_a_majority_at_least},
        {"a silent node is passed over", a_silent_node_is_passed_over},
        {"a wrong answer is passed over", a_wrong_answer_is_passed_over},
        {"nobody there is told in time", nobody_there_is_told_in_time},
        {"a user that all refuse is told so",
         a_user_that_all_refuse_is_told_so},
        {"a stopped node is passed over", a_stopped_node_is_passed_over},
        {"a node of another certificate is not asked",
         a_node_of_another_certificate_is_not_asked},
        {"a signal ends the waiting", a_signal_ends_the_waiting},
        {"a single node can be asked", a_single_node_can_be_asked},
    };

    suite_add("client", tests, sizeof tests / sizeof *tests);
}
