#include "broker/broker_config.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_broker_config(void);

#define GOOD                                                                   \
    "{\"broker\": 1, \"name\": \"north.broker\", \"network\": \"..\",\n"       \
    "\"genesis\": \"../genesis.json\", \"key\": \"key.pem\",\n"                \
    "\"certificate\": \"certificate.pem\", \"curve\": \"curve.key\",\n"        \
    "\"listen\": \"ipc://socket\", \"database\": \"/var/state.db\",\n"         \
    "\"anonymizer\": \"north.anonymizer\""

static struct scratch scratch;
static struct error err;

static struct broker_config *load(const char *text, enum status expected)
{
    struct broker_config *config = NULL;

    error_init(&err);
    CU_ASSERT_EQUAL_FATAL(chmod(scratch.path, 0700), 0);
    scratch_write(&scratch, "config.json", text);
    CU_ASSERT_EQUAL(broker_config_load(
                        &config, scratch_path(&scratch, "config.json"), &err),
                    expected);
    CU_ASSERT_EQUAL(config != NULL, expected == OK);
    return config;
}

static void names_are_relative_to_the_file(void)
{
    struct broker_config *config;
    struct text printed;

    scratch_open(&scratch);
    config = load(GOOD "}", OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(config);
    CU_ASSERT_STRING_EQUAL(config->name, "north.broker");
    CU_ASSERT_STRING_EQUAL(config->key, scratch_path(&scratch, "key.pem"));
    CU_ASSERT_STRING_EQUAL(config->database, "/var/state.db");
    CU_ASSERT_EQUAL(config->log, LOG_LEVEL_INFO);
    text_init(&printed);
    CU_ASSERT_EQUAL(broker_config_print(config, &printed, &err), OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(printed.data, "\"log\": \"info\""));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(printed.data, "\"anonymizer\": \"north.anonymizer\""));
    text_clear(&printed);
    broker_config_destroy(&config);
    CU_ASSERT_PTR_NULL(config);
    scratch_close(&scratch);
}

static void what_is_not_as_it_should_be_is_refused(void)
{
    static const char *const wrong[] = {
        "{}",
        GOOD ", \"extra\": 1}",
        GOOD ", \"log\": \"loud\"}",
        GOOD ", \"key\": \"other.pem\"}",
        "[]",
    };

    scratch_open(&scratch);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        load(wrong[i], E_INPUT);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "config.json"));
    }
    scratch_close(&scratch);
}

static void an_open_folder_is_refused(void)
{
    struct broker_config *config = NULL;

    scratch_open(&scratch);
    scratch_write(&scratch, "config.json", GOOD "}");
    CU_ASSERT_EQUAL(chmod(scratch.path, 0755), 0);
    error_init(&err);
    CU_ASSERT_EQUAL(broker_config_load(
                        &config, scratch_path(&scratch, "config.json"), &err),
                    E_REFUSED);
    scratch_close(&scratch);
}

void suite_broker_config(void)
{
    static const struct test tests[] = {
        {"names are relative to the file", names_are_relative_to_the_file},
        {"what is not as it should be is refused",
         what_is_not_as_it_should_be_is_refused},
        {"an open folder is refused", an_open_folder_is_refused},
    };

    suite_add("broker_config", tests, sizeof tests / sizeof *tests);
}
