#include "ledger/config.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/json.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_config(void);

/* Z85 of 32 zero bytes, by the algorithm of ZeroMQ's RFC 32: eight times
 * 00000. */
#define CURVE "0000000000000000000000000000000000000000"

#define HEAD                                                                   \
    "{\"ledger\": 1, \"node\": 1, \"genesis\": \"genesis.json\",\n"            \
    "\"database\": \"state.db\", \"raft_folder\": \"raft\",\n"                 \
    "\"key\": \"key.pem\", \"certificate\": \"/etc/certificate.pem\",\n"       \
    "\"cosign\": \"cosign.pem\", \"curve\": \"curve.key\",\n"
#define PLACES "\"listen\": \"ipc://socket\", \"raft\": \"127.0.0.1:4001\",\n"
#define PEER                                                                   \
    "{\"id\": 2, \"raft\": \"[::1]:4002\", \"bus\": \"tcp://10.0.0.2:5\", "    \
    "\"curve\": \"" CURVE "\"}"
#define GOOD HEAD PLACES "\"peers\": [" PEER "]}"

static struct config *load(const struct scratch *scratch, const char *text,
                           enum status expected, struct error *err)
{
    struct config *config = NULL;

    error_init(err);
    CU_ASSERT_EQUAL_FATAL(chmod(scratch->path, 0700), 0);
    scratch_write(scratch, "config.json", text);
    CU_ASSERT_EQUAL(
        config_load(&config, scratch_path(scratch, "config.json"), err),
        expected);
    if (err->status != expected)
        fprintf(stderr, "\n%s\n", err->text);
    return config;
}

static void names_are_relative_to_the_file(void)
{
    struct scratch scratch;
    struct error err;
    struct config *config;
    char listen[SCRATCH_PATH_MAX + 8];

    scratch_open(&scratch);
    config = load(&scratch, GOOD, OK, &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(config);
    snprintf(listen, sizeof listen, "ipc://%s",
             scratch_path(&scratch, "socket"));
    CU_ASSERT_STRING_EQUAL(config->genesis,
                           scratch_path(&scratch, "genesis.json"));
    CU_ASSERT_STRING_EQUAL(config->raft_folder, scratch_path(&scratch, "raft"));
    CU_ASSERT_STRING_EQUAL(config->certificate, "/etc/certificate.pem");
    CU_ASSERT_STRING_EQUAL(config->listen, listen);
    CU_ASSERT_STRING_EQUAL(config->raft, "127.0.0.1:4001");
    CU_ASSERT_EQUAL(config->node, 1);
    CU_ASSERT_EQUAL(config->log, LOG_LEVEL_INFO);
    CU_ASSERT_EQUAL_FATAL(config->peer_count, 1);
    CU_ASSERT_EQUAL(config->peer[0].id, 2);
    CU_ASSERT_STRING_EQUAL(config->peer[0].raft, "[::1]:4002");
    CU_ASSERT_STRING_EQUAL(config->peer[0].bus, "tcp://10.0.0.2:5");
    CU_ASSERT_STRING_EQUAL(config->peer[0].curve.text, CURVE);
    config_destroy(&config);
    CU_ASSERT_PTR_NULL(config);
    scratch_close(&scratch);
}

static void what_is_printed_says_the_same_again(void)
{
    struct scratch scratch;
    struct error err;
    struct config *config, *again;
    struct text text, second;

    scratch_open(&scratch);
    text_init(&text);
    text_init(&second);
    config =
        load(&scratch, HEAD PLACES "\"log\": \"debug\", \"peers\": [" PEER "]}",
             OK, &err);
    CU_ASSERT_EQUAL(config_print(config, &text, &err), OK);
    again = load(&scratch, text.data, OK, &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(again);
    CU_ASSERT_EQUAL(again->log, LOG_LEVEL_DEBUG);
    CU_ASSERT_EQUAL(config_print(again, &second, &err), OK);
    CU_ASSERT_STRING_EQUAL(text.data, second.data);
    config_destroy(&config);
    config_destroy(&again);
    text_clear(&text);
    text_clear(&second);
    scratch_close(&scratch);
}

static void what_is_wrong_is_refused_with_its_line(void)
{
    static const struct {
        const char *text;
        const char *words;
    } cases[] = {
        {"[]", "expected an object, found an array"},
        {"{", "line 1"},
        {HEAD PLACES "\"peers\": []", "line 6"},
        {HEAD PLACES "\"peer\": []}", "did you mean \"peers\"?"},
        {HEAD PLACES "\"port\": 1, \"peers\": []}",
         "line 6: unknown key \"port\""},
        {HEAD "\"listen\": \"ipc://socket\", \"peers\": []}", "no \"raft\""},
        {HEAD PLACES "\"peers\": {}}", "line 6: \"peers\" is an object"},
        {HEAD PLACES "\"peers\": [1]}", "line 6: a peer is an object"},
        {HEAD PLACES "\"peers\": [" PEER ", " PEER "]}", "node 2 is there"},
        {HEAD PLACES "\"peers\": [{\"id\": 1, \"raft\": \"a:1\", \"bus\": "
                     "\"ipc://s\", \"curve\": \"" CURVE "\"}]}",
         "node 1 is this one"},
        {HEAD PLACES "\"peers\": [{\"id\": 0}]}", "\"id\" is none"},
        {HEAD PLACES "\"peers\": [{\"id\": 1.5}]}", "\"id\" is none"},
        {HEAD PLACES "\"peers\": [{\"raft\": \"a\"}]}", "\"raft\" is none"},
        {HEAD PLACES "\"peers\": [{\"raft\": \"a:1\", \"raft\": \"a:1\"}]}",
         "line 6"},
        {HEAD PLACES "\"peers\": [{\"curve\": \"0000\"}]}",
         "\"curve\" is none"},
        {HEAD PLACES "\"peers\": [{\"bus\": \"pigeon://x\"}]}",
         "line 6: \"bus\""},
        {HEAD "\"raft\": \"127.0.0.1:0\"}", "line 5: \"raft\" is none"},
        {HEAD "\"raft\": \"127.0.0.1\"}", "line 5: \"raft\" is none"},
        {HEAD "\"listen\": \"tcp://*\"}", "line 5: \"listen\""},
        {HEAD "\"log\": \"loud\"}", "\"log\" is none, expected error"},
        {"{\"ledger\": 2}", "line 1: \"ledger\" is another"},
        {"{\"node\": -1}", "\"node\" is none"},
        {"{\"key\": \"\"}", "\"key\" is empty"},
        {"{\"key\": 1}", "\"key\" is a number"},
    };
    struct scratch scratch;
    struct error err;

    scratch_open(&scratch);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct config *config = load(&scratch, cases[i].text, E_INPUT, &err);

        CU_ASSERT_PTR_NULL(config);
        CU_ASSERT_PTR_NOT_NULL(
            strstr(err.text, scratch_path(&scratch, "config.json")));
        if (strstr(err.text, cases[i].words) == NULL) {
            fprintf(stderr, "\nno \"%s\" in: %s\n", cases[i].words, err.text);
            CU_FAIL("another message");
        }
        config_destroy(&config);
    }
    scratch_close(&scratch);
}

static void more_peers_than_a_network_has_are_refused(void)
{
    struct scratch scratch;
    struct error err;
    struct config *config;
    struct text text;

    text_init(&text);
    CU_ASSERT_EQUAL(text_append_string(&text, HEAD PLACES "\"peers\": [", &err),
                    OK);
    for (int i = 0; i < GENESIS_NODES_MAX; i++)
        CU_ASSERT_EQUAL(text_append_string(&text, i == 0 ? "1" : ",1", &err),
                        OK);
    CU_ASSERT_EQUAL(text_append_string(&text, "]}", &err), OK);
    scratch_open(&scratch);
    config = load(&scratch, text.data, E_INPUT, &err);
    CU_ASSERT_PTR_NULL(config);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "\"peers\" are too many"));
    scratch_close(&scratch);
    text_clear(&text);
}

static void a_missing_file_is_named(void)
{
    struct config *config;
    struct scratch scratch;
    struct error err;
    const char *path;

    scratch_open(&scratch);
    CU_ASSERT_EQUAL_FATAL(chmod(scratch.path, 0700), 0);
    path = scratch_path(&scratch, "config.json");
    error_init(&err);
    CU_ASSERT_EQUAL(config_load(&config, path, &err), E_INPUT);
    CU_ASSERT_PTR_NULL(config);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, path));
    CU_ASSERT_EQUAL(config_load(&config, "/nowhere/config.json", &err),
                    E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "/nowhere/"));
    scratch_close(&scratch);
}

static void a_folder_that_others_may_read_is_refused(void)
{
    struct config *config;
    struct scratch scratch;
    struct error err;

    scratch_open(&scratch);
    scratch_write(&scratch, "config.json", GOOD);
    CU_ASSERT_EQUAL_FATAL(chmod(scratch.path, 0750), 0);
    error_init(&err);
    CU_ASSERT_EQUAL(
        config_load(&config, scratch_path(&scratch, "config.json"), &err),
        E_REFUSED);
    CU_ASSERT_PTR_NULL(config);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "chmod 700"));
    scratch_close(&scratch);
}

void suite_config(void)
{
    static const struct test tests[] = {
        {"names are relative to the file", names_are_relative_to_the_file},
        {"what is printed says the same again",
         what_is_printed_says_the_same_again},
        {"what is wrong is refused with its line",
         what_is_wrong_is_refused_with_its_line},
        {"more peers than a network has are refused",
         more_peers_than_a_network_has_are_refused},
        {"a missing file is named", a_missing_file_is_named},
        {"a folder that others may read is refused",
         a_folder_that_others_may_read_is_refused},
    };

    suite_add("config", tests, sizeof tests / sizeof *tests);
}
