#include "common/genesis.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "tests/lib/federation.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_genesis(void);

static struct network network;

static void genesis_is_taken_apart(void)
{
    const struct genesis *genesis;

    network_open(&network);
    genesis = network.genesis;
    CU_ASSERT_STRING_EQUAL(genesis->origin, "log.example/test");
    CU_ASSERT_STRING_EQUAL(genesis->channel, "main");
    CU_ASSERT_EQUAL(genesis->roots.count, 1);
    CU_ASSERT_EQUAL(genesis->authorities.count, 3);
    CU_ASSERT_EQUAL(genesis->members.count, 51);
    CU_ASSERT_EQUAL(genesis->node_count, 3);
    CU_ASSERT_EQUAL(genesis_quorum(genesis), 2);
    CU_ASSERT_PTR_NOT_NULL(genesis_authority(genesis, "east"));
    CU_ASSERT_PTR_NULL(genesis_authority(genesis, "west"));
    CU_ASSERT_PTR_NULL(genesis_node(genesis, 0));
    CU_ASSERT_PTR_NULL(genesis_node(genesis, 4));
    CU_ASSERT_STRING_EQUAL(genesis_node(genesis, 3)->name, "node3");
    CU_ASSERT_STRING_EQUAL(genesis_node(genesis, 3)->organisation, "east");
    CU_ASSERT_PTR_NOT_NULL(genesis->endorsement[ENTRY_RELEASE]);
    CU_ASSERT_PTR_NULL(genesis->endorsement[ENTRY_DATASET]);
    network_close(&network);
}

/* floor(n / 2) + 1. */
static void quorum_is_more_than_half(void)
{
    static const size_t expected[] = {1, 2, 2, 3, 3, 4, 4};
    struct genesis genesis = {0};

    for (size_t n = 1; n <= 7; n++) {
        genesis.node_count = n;
        CU_ASSERT_EQUAL(genesis_quorum(&genesis), expected[n - 1]);
    }
}

static void digest_does_not_depend_on_white_space(void)
{
    struct genesis *genesis = NULL;
    struct json *json = NULL;
    struct digest digest;
    struct text text;
    struct error err;

    network_open(&network);
    text_init(&text);
    CU_ASSERT_EQUAL(json_parse(&json, text_bytes(&network.genesis_text), &err),
                    OK);
    CU_ASSERT_EQUAL(json_print_canonical(json_root(json), &text, &err), OK);
    json_destroy(&json);
    CU_ASSERT_EQUAL(digest_bytes(&digest, text_bytes(&text), &err), OK);
    CU_ASSERT_EQUAL(genesis_parse(&genesis, text_bytes(&text), &err), OK);
    CU_ASSERT_EQUAL(memcmp(&genesis->digest, &digest, sizeof digest), 0);
    CU_ASSERT_EQUAL(memcmp(&network.genesis->digest, &digest, sizeof digest),
                    0);
    genesis_destroy(&genesis);
    text_clear(&text);
    network_close(&network);
}

static void file_is_named(void)
{
    struct genesis *genesis = NULL;
    struct scratch scratch;
    struct error err;

    scratch_open(&scratch);
    network_open(&network);
    scratch_write(&scratch, "genesis.json", network.genesis_text.data);
    CU_ASSERT_EQUAL(
        genesis_load(&genesis, scratch_path(&scratch, "genesis.json"), &err),
        OK);
    genesis_destroy(&genesis);
    scratch_write(&scratch, "bad.json", "{}");
    CU_ASSERT_EQUAL(
        genesis_load(&genesis, scratch_path(&scratch, "bad.json"), &err),
        E_INPUT);
    CU_ASSERT_PTR_NULL(genesis);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "bad.json: line 1: "));
    CU_ASSERT_EQUAL(
        genesis_load(&genesis, scratch_path(&scratch, "none.json"), &err),
        E_INPUT);
    network_close(&network);
    scratch_close(&scratch);
}

/* ---- refusals ---- */

/* The text with the n-th (from 1) `from` made `to`. */
static void expect_refusal(unsigned n, const char *from, const char *to,
                           const char *words)
{
    const char *text = network.genesis_text.data, *at = text;
    struct genesis *genesis = NULL;
    struct text changed;
    struct error err;

    error_init(&err);
    text_init(&changed);
    for (unsigned i = 0; i < n; i++) {
        at = strstr(i == 0 ? at : at + 1, from);
        CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    }
    CU_ASSERT_EQUAL(text_printf(&changed, &err, "%.*s%s%s", (int)(at - text),
                                text, to, at + strlen(from)),
                    OK);
    CU_ASSERT_EQUAL(genesis_parse(&genesis, text_bytes(&changed), &err),
                    E_INPUT);
    if (strstr(err.text, words) == NULL)
        fprintf(stderr, "\n  expected: %s\n  got: %s\n", words, err.text);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, words));
    CU_ASSERT_PTR_NULL(genesis);
    genesis_destroy(&genesis);
    text_clear(&changed);
}

static void what_is_no_genesis_is_refused(void)
{
    network_open(&network);
    expect_refusal(1, "{", "[", "line ");
    expect_refusal(1, "\"genesis\": 1", "\"genesis\": 2", "version");
    expect_refusal(1, "\"channel\": \"main\",", "", "no \"channel\"");
    expect_refusal(1, "\"genesis\"", "\"genesys\"",
                   "did you mean \"genesis\"?");
    expect_refusal(1, "\"origin\": \"log.example/test\"", "\"origin\": \"a b\"",
                   "origin");
    expect_refusal(1, "\"origin\": \"log.example/test\"", "\"origin\": \"\"",
                   "\"origin\" is none");
    expect_refusal(1, "\"origin\": \"log.example/test\"", "\"origin\": 7",
                   "\"origin\" is a number");
    expect_refusal(1, "\"main\"", "\"Main\"", "channel");
    expect_refusal(1, "\"endorsement\": {", "\"x\": 1, \"endorsement\": {",
                   "unknown key \"x\"");
    expect_refusal(1, "\"release\":", "\"relaese\":", "no type of entries");
    expect_refusal(1, "AND('$", "AND($", "column 5");
    expect_refusal(1, "\"id\": 2", "\"id\": 1", "of its own");
    expect_refusal(1, "\"id\": 2", "\"id\": 0", "from 1");
    expect_refusal(1, "\"name\": \"node2\"", "\"name\": \"-2\"",
                   "\"name\" is none");
    expect_refusal(1, "\"name\": \"node2\"", "\"name\": \"node1\"",
                   "another node");
    expect_refusal(1, "\"name\": \"node2\"", "\"name\": \"node9\"",
                   "cosigner has another name");
    expect_refusal(1, "\"organisation\": \"south\"",
                   "\"organisation\": \"north\"",
                   "its certificate has another");
    expect_refusal(1, "\"cosigner\": \"node2+", "\"cosigner\": \"node3+",
                   "\"cosigner\"");
    expect_refusal(1, "\"id\": 2", "\"id\": 2, \"x\": 1", "unknown key \"x\"");
    expect_refusal(1, "-----BEGIN", "-----END", "line ");
    network_close(&network);
}

static char *pem_of(const struct network_identity *identity)
{
    char *payload = network_enrol_payload(identity);
    char *pem = strdup(payload + strlen("{\"certificate\":"));

    CU_ASSERT_PTR_NOT_NULL_FATAL(pem);
    pem[strlen(pem) - 1] = '\0';
    free(payload);
    return pem; /* with its quotes */
}

/* Certificate `a`, at its n-th place, made `b`. */
static void expect_other(unsigned n, const struct network_identity *a,
                         const struct network_identity *b, const char *words)
{
    char *from = pem_of(a), *to = pem_of(b);

    expect_refusal(n, from, to, words);
    free(from);
    free(to);
}

static void certificates_must_fit_together(void)
{
    const struct network_identity *doctor, *nurse, *node;
    static struct network other;

    network_open(&network);
    network_open(&other);
    doctor = network_who(&network, NORTH, IDENTITY_DOCTOR);
    nurse = network_who(&network, NORTH, IDENTITY_NURSE);
    node = network_who(&network, NORTH, IDENTITY_NODE);
    expect_other(1, doctor, nurse, "there twice");
    expect_other(1, doctor, network_who(&other, NORTH, IDENTITY_DOCTOR),
                 "member ");
    expect_other(1, doctor, &network.authority[NORTH], "of an authority");
    expect_other(1, &network.authority[NORTH], doctor, "is no authority");
    expect_other(1, &network.authority[NORTH], &network.authority[SOUTH],
                 "has another one");
    expect_other(1, &network.root, &network.authority[NORTH], "member 1: ");
    expect_other(2, node, doctor, "name, organisation or role");
    expect_other(2, node, network_who(&other, NORTH, IDENTITY_NODE),
                 "node node1: ");
    network_close(&network);
    network_close(&other);
}

static void certificate_is_checked_at_a_time(void)
{
    const struct certificate *doctor;
    struct genesis_validity validity;
    struct error err;

    network_open(&network);
    doctor = network_who(&network, NORTH, IDENTITY_DOCTOR)->certificate;
    CU_ASSERT_EQUAL(
        genesis_check_certificate(network.genesis, doctor, NETWORK_TIME, &err),
        OK);
    CU_ASSERT_EQUAL(genesis_check_certificate(network.genesis, doctor,
                                              NETWORK_TIME - NETWORK_DAY - 1,
                                              &err),
                    E_REFUSED);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "not valid yet"));
    CU_ASSERT_EQUAL(genesis_check_certificate(network.genesis, doctor,
                                              NETWORK_TIME + 366 * NETWORK_DAY,
                                              &err),
                    E_REFUSED);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "expired"));
    CU_ASSERT_EQUAL(genesis_validity(network.genesis, doctor, &validity, &err),
                    OK);
    CU_ASSERT_EQUAL(validity.from_ms, NETWORK_TIME - NETWORK_DAY);
    network_close(&network);
}

void suite_genesis(void)
{
    static const struct test tests[] = {
        {"genesis is taken apart", genesis_is_taken_apart},
        {"quorum is more than half", quorum_is_more_than_half},
        {"digest does not depend on white space",
         digest_does_not_depend_on_white_space},
        {"file is named", file_is_named},
        {"what is no genesis is refused", what_is_no_genesis_is_refused},
        {"certificates must fit together", certificates_must_fit_together},
        {"certificate is checked at a time", certificate_is_checked_at_a_time},
    };

    suite_add("genesis", tests, sizeof tests / sizeof tests[0]);
}
