#include "common/ledger_questions.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/network_files.h"
#include "common/clock.h"
#include "common/encoding.h"
#include "common/log.h"
#include "common/standing.h"
#include "tests/lib/fake_ledger.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_ledger_questions(void);

#define NODES 3

/* Three nodes that were all told the same, of which some are behind, and who
 * asks them.  Of three two are a majority. */
static struct scratch scratch;
static struct network *network;
static struct network_user asker, custodian;
static struct genesis *genesis;
static struct fake_ledger *node[NODES]; /* NULL: it is not there */
static struct client *client;
static atomic_bool cancel;
static struct client_options options;
static struct error err;

static void demand(enum status status)
{
    if (status == OK)
        return;
    fprintf(stderr, "\n%s\n", err.text);
    abort();
}

static const char *folder(void)
{
    return scratch_path(&scratch, "net");
}

static void begin(size_t present)
{
    log_open("test", LOG_LEVEL_ERROR);
    error_init(&err);
    scratch_open(&scratch);
    demand(network_files_make(folder(), NODES, false, &cancel, &err));
    demand(network_load(&network, folder(), &err));
    demand(genesis_load(&genesis, scratch_path(&scratch, "net/genesis.json"),
                        &err));
    demand(network_user_load(&asker, folder(), "north.broker", &err));
    demand(network_user_load(&custodian, folder(), "north.custodian", &err));
    for (unsigned i = 0; i < present; i++)
        fake_ledger_open_node(&node[i], folder(), i + 1);
    options = (struct client_options){.network = network,
                                      .user = &asker,
                                      .timeout_ms = 4000,
                                      .cancel = &cancel};
    demand(client_open(&client, &options, &err));
}

static void end(void)
{
    client_close(&client);
    for (size_t i = 0; i < NODES; i++)
        fake_ledger_close(&node[i]);
    network_user_clear(&custodian);
    network_user_clear(&asker);
    genesis_destroy(&genesis);
    network_destroy(&network);
    scratch_close(&scratch);
}

/* Tell all that are there that the custodian was revoked, of which the first
 * `behind` ones hear later. */
static void revoke(size_t behind)
{
    for (size_t i = 0; i < NODES && node[i] != NULL; i++) {
        fake_ledger_revoke(node[i], certificate_id(custodian.certificate));
        fake_ledger_hide(node[i], i < behind);
    }
}

static enum status show(const char *which)
{
    struct shown shown;
    enum status status;

    error_init(&err);
    status = shown_ask(&shown, client, which, &err);
    shown_clear(&shown);
    return status;
}

/* The id of the entry at position 0, from a node that has it. */
static void id_of_first(char hex[DIGEST_HEX_SIZE])
{
    struct shown shown;

    demand(shown_ask(&shown, client, "0", &err));
    digest_hex(&shown.entry.id, hex);
    shown_clear(&shown);
}

static void expect_words(const char *words)
{
    if (strstr(err.text, words) == NULL) {
        fprintf(stderr, "\nno \"%s\" in: %s\n", words, err.text);
        CU_FAIL("other words");
    }
}

/* ---- tests ---- */

static void what_one_node_has_is_there(void)
{
    char id[DIGEST_HEX_SIZE];

    begin(NODES);
    revoke(2);
    id_of_first(id);
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(show("0"), OK);
        CU_ASSERT_EQUAL(show(id), OK);
    }
    end();
}

static void what_no_node_has_is_not_there(void)
{
    begin(NODES);
    revoke(3);
    CU_ASSERT_EQUAL(show("0"), E_NO);
    end();
}

static void one_node_that_is_behind_cannot_say_that_it_is_not_there(void)
{
    begin(1);
    revoke(1);
    CU_ASSERT_EQUAL(show("0"), E_SYSTEM);
    expect_words("no quorum: 1 of 3 nodes answered");
    end();
}

/* Half a second from now the nodes that are left have a leader, and what the
 * one that is gone had acknowledged. */
static void *elect(void *unused)
{
    const struct timespec pause = {0, 500000000L};

    (void)unused;
    nanosleep(&pause, NULL);
    fake_ledger_hide(node[0], 0);
    fake_ledger_hide(node[1], 0);
    return NULL;
}

static void what_a_lost_node_has_acknowledged_is_found_after_an_election(void)
{
    char id[DIGEST_HEX_SIZE];
    pthread_t thread;

    begin(2);
    revoke(0);
    id_of_first(id);
    revoke(2);
    fake_ledger_hide(node[0], 2);
    fake_ledger_hide(node[1], 2);
    /* Of a position nobody has heard: the log ends here, so far. */
    CU_ASSERT_EQUAL(show("0"), E_NO);
    if (pthread_create(&thread, NULL, elect, NULL) != 0)
        abort();
    CU_ASSERT_EQUAL(show(id), OK);
    pthread_join(thread, NULL);
    end();
}

static void an_id_that_nobody_has_is_not_waited_for_for_ever(void)
{
    char id[DIGEST_HEX_SIZE];
    uint64_t before_ms;

    memset(id, 'a', sizeof id - 1);
    id[sizeof id - 1] = '\0';
    begin(NODES);
    before_ms = clock_steady_ms();
    CU_ASSERT_EQUAL(show(id), E_NO);
    /* All have spoken: there is nothing to wait for. */
    CU_ASSERT(clock_steady_ms() - before_ms < 2500);
    end();
    begin(2);
    before_ms = clock_steady_ms();
    CU_ASSERT_EQUAL(show(id), E_NO);
    CU_ASSERT(clock_steady_ms() - before_ms < 10000);
    end();
}

static void the_log_is_as_long_as_the_node_says_that_has_most(void)
{
    uint64_t size = 0;

    begin(NODES);
    revoke(0);
    revoke(2);
    demand(size_ask(client, &size, &err));
    CU_ASSERT_EQUAL(size, 2);
    fake_ledger_hide(node[2], 1);
    demand(size_ask(client, &size, &err));
    CU_ASSERT_EQUAL(size, 1);
    end();
}

static void one_node_alone_does_not_say_how_long_the_log_is(void)
{
    uint64_t size = 0;

    begin(1);
    revoke(0);
    CU_ASSERT_EQUAL(size_ask(client, &size, &err), E_SYSTEM);
    expect_words("no quorum: 1 of 3 nodes answered");
    end();
}

static void a_history_is_the_longest_that_is_told(void)
{
    char key[sizeof "certificate/" + CERTIFICATE_ID_SIZE];
    struct text positions;
    bool more = true;

    text_init(&positions);
    begin(NODES);
    revoke(0);
    revoke(2);
    snprintf(key, sizeof key, "certificate/%s",
             certificate_id(custodian.certificate));
    demand(history_ask(client, key, 0, &positions, &more, &err));
    CU_ASSERT_EQUAL(positions.size, 16);
    CU_ASSERT_EQUAL(get_be64(text_bytes(&positions).data + 8), 1);
    CU_ASSERT_FALSE(more);
    CU_ASSERT_EQUAL(
        history_ask(client, "certificate/x", 0, &positions, &more, &err), E_NO);
    end();
    text_clear(&positions);
}

/* Two of them would still let the custodian in. */
static void a_revocation_that_one_node_knows_ends_a_standing(void)
{
    begin(NODES);
    demand(standing_check(client, genesis, custodian.certificate, &err));
    revoke(2);
    CU_ASSERT_EQUAL(
        standing_check(client, genesis, custodian.certificate, &err),
        E_REFUSED);
    expect_words("the certificate is revoked");
    end();
}

static void nobody_stands_by_the_word_of_one_node_of_three(void)
{
    begin(1);
    CU_ASSERT_EQUAL(
        standing_check(client, genesis, custodian.certificate, &err), E_SYSTEM);
    expect_words("no quorum: 1 of 3 nodes answered");
    end();
}

void suite_ledger_questions(void)
{
    static const struct test tests[] = {
        {"what one node has is there", what_one_node_has_is_there},
        {"what no node has is not there", what_no_node_has_is_not_there},
        {"one node that is behind cannot say that it is not there",
         one_node_that_is_behind_cannot_say_that_it_is_not_there},
        {"what a lost node has acknowledged is found after an election",
         what_a_lost_node_has_acknowledged_is_found_after_an_election},
        {"an id that nobody has is not waited for for ever",
         an_id_that_nobody_has_is_not_waited_for_for_ever},
        {"the log is as long as the node says that has most",
         the_log_is_as_long_as_the_node_says_that_has_most},
        {"one node alone does not say how long the log is",
         one_node_alone_does_not_say_how_long_the_log_is},
        {"a history is the longest that is told",
         a_history_is_the_longest_that_is_told},
        {"a revocation that one node knows ends a standing",
         a_revocation_that_one_node_knows_ends_a_standing},
        {"nobody stands by the word of one node of three",
         nobody_stands_by_the_word_of_one_node_of_three},
    };

    suite_add("ledger_questions", tests, sizeof tests / sizeof *tests);
}
