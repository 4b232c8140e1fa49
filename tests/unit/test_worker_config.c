#include "anonymizer/worker_config.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_worker_config(void);

#define FILES                                                                  \
    "\"network\":\"..\",\"genesis\":\"../genesis.json\","                      \
    "\"trust\":\"/etc/trust.json\",\"key\":\"key.pem\","                       \
    "\"certificate\":\"certificate.pem\",\"curve\":\"curve.key\","             \
    "\"database\":\"state.db\",\"vault\":\"vault.db\","                        \
    "\"keys\":\"keys/keys.db\",\"epoch\":\"epoch\",\"jobs\":\"jobs\","         \
    "\"releases\":\"releases\""
#define RIGHT                                                                  \
    "{\"anonymizer\":1,\"name\":\"north.anonymizer\",\"listen\":"              \
    "\"tcp://127.0.0.1:7001\"," FILES

static struct scratch scratch;
static struct worker_config *config;
static struct error err;

static enum status load(const char *json)
{
    error_init(&err);
    scratch_open(&scratch);
    CU_ASSERT_EQUAL_FATAL(chmod(scratch.path, 0700), 0);
    scratch_write(&scratch, "config.json", json);
    return worker_config_load(&config, scratch_path(&scratch, "config.json"),
                              &err);
}

static void end(void)
{
    worker_config_destroy(&config);
    scratch_close(&scratch);
}

static void expect_refused(const char *json, const char *words)
{
    CU_ASSERT_EQUAL(load(json), E_INPUT);
    CU_ASSERT_PTR_NULL(config);
    if (strstr(err.text, words) == NULL) {
        fprintf(stderr, "\nexpected \"%s\": %s\n", words, err.text);
        CU_FAIL("another reason");
    }
    end();
}

static void paths_are_beside_the_file_and_the_rest_has_defaults(void)
{
    CU_ASSERT_EQUAL_FATAL(load(RIGHT "}"), OK);
    CU_ASSERT_STRING_EQUAL(config->name, "north.anonymizer");
    CU_ASSERT_STRING_EQUAL(config->keys,
                           scratch_path(&scratch, "keys/keys.db"));
    CU_ASSERT_STRING_EQUAL(config->secret,
                           scratch_path(&scratch, "secret.key"));
    CU_ASSERT_STRING_EQUAL(config->trust, "/etc/trust.json");
    CU_ASSERT_STRING_EQUAL(config->listen, "tcp://127.0.0.1:7001");
    CU_ASSERT_EQUAL(config->threads, 0);
    CU_ASSERT_EQUAL(worker_config_threads(config),
                    sysconf(_SC_NPROCESSORS_ONLN));
    CU_ASSERT_EQUAL(config->log, LOG_LEVEL_INFO);
    end();
}

static void given_values_replace_the_defaults(void)
{
    CU_ASSERT_EQUAL_FATAL(
        load(RIGHT ",\"secret\":\"s\",\"threads\":1024,\"log\":\"debug\"}"),
        OK);
    CU_ASSERT_STRING_EQUAL(config->secret, scratch_path(&scratch, "s"));
    CU_ASSERT_EQUAL(config->threads, 1024);
    CU_ASSERT_EQUAL(worker_config_threads(config), 1024);
    CU_ASSERT_EQUAL(config->log, LOG_LEVEL_DEBUG);
    end();
}

static void what_is_printed_is_all_that_there_is(void)
{
    static const char *const keys[] = {
        "anonymizer",  "name",   "network", "genesis",  "trust",   "key",
        "certificate", "curve",  "listen",  "database", "vault",   "keys",
        "epoch",       "secret", "jobs",    "releases", "threads", "log"};
    struct text text;

    CU_ASSERT_EQUAL_FATAL(load(RIGHT "}"), OK);
    text_init(&text);
    CU_ASSERT_EQUAL(worker_config_print(config, &text, &err), OK);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        char quoted[32];

        snprintf(quoted, sizeof quoted, "\"%s\":", keys[i]);
        CU_ASSERT_PTR_NOT_NULL(strstr(text.data, quoted));
    }
    text_clear(&text);
    end();
}

static void wrong_configuration_is_refused_with_the_key(void)
{
    expect_refused(RIGHT ",\"job\":\"x\"}", "\"job\"");
    expect_refused(RIGHT ",\"threads\":-1}", "\"threads\"");
    expect_refused(RIGHT ",\"threads\":1.5}", "\"threads\"");
    /* THREADS_MAX is 1,024. */
    expect_refused(RIGHT ",\"threads\":1025}", "\"threads\"");
    expect_refused(RIGHT ",\"log\":\"loud\"}", "\"log\"");
    expect_refused(RIGHT ",\"secret\":\"\"}", "\"secret\"");
    expect_refused("{\"anonymizer\":2,\"name\":\"a\",\"listen\":"
                   "\"tcp://127.0.0.1:1\"," FILES "}",
                   "\"anonymizer\"");
    expect_refused("{\"anonymizer\":1,\"name\":\"a b\",\"listen\":"
                   "\"tcp://127.0.0.1:1\"," FILES "}",
                   "\"name\"");
    expect_refused("{\"anonymizer\":1,\"name\":\"a\",\"listen\":"
                   "\"http://127.0.0.1:1\"," FILES "}",
                   "\"listen\"");
    expect_refused("{\"anonymizer\":1,\"name\":\"a\"," FILES "}", "\"listen\"");
}

void suite_worker_config(void)
{
    static const struct test tests[] = {
        {"paths are beside the file, and the rest has defaults",
         paths_are_beside_the_file_and_the_rest_has_defaults},
        {"given values replace the defaults",
         given_values_replace_the_defaults},
        {"what is printed is all that there is",
         what_is_printed_is_all_that_there_is},
        {"a wrong configuration is refused with the key",
         wrong_configuration_is_refused_with_the_key},
    };

    suite_add("worker_config", tests, sizeof tests / sizeof tests[0]);
}
