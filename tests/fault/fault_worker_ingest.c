#include "anonymizer/worker_ingest.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/encoding.h"
#include "common/log.h"
#include "tests/fault/fault.h"
#include "tests/lib/child.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_worker_ingest(void);

#define SCHEMA                                                                 \
    "{\"columns\":[\"age\"],\"delimiter\":\";\",\"missing\":[],"               \
    "\"newline\":\"\\n\",\"schema\":1,\"subject\":\"patient\"}"
#define OWNER "0123456789abcdef0123456789abcdef"
#define ROWS 3

static struct scratch scratch;
static char state[SCRATCH_PATH_MAX], rows_at[SCRATCH_PATH_MAX];
static char keys[SCRATCH_PATH_MAX], epochs[SCRATCH_PATH_MAX];
static struct worker_store *store;
static struct worker_vault *vault;
static struct worker_ingests *ingests;
static struct error err;

static void open_all(bool fresh_vault)
{
    const struct worker_vault_settings settings = {.path = rows_at,
                                                   .keys = {keys, epochs},
                                                   .fresh = fresh_vault,
                                                   .threads = 1};
    bool fresh = false;

    log_open("test", LOG_LEVEL_ERROR);
    error_init(&err);
    CU_ASSERT_EQUAL_FATAL(worker_store_open(&store, state, &fresh, &err), OK);
    if (fresh)
        CU_ASSERT_EQUAL_FATAL(worker_store_begun(store, &err), OK);
    CU_ASSERT_EQUAL_FATAL(worker_vault_open(&vault, &settings, &err), OK);
    CU_ASSERT_EQUAL_FATAL(worker_ingests_create(&ingests, vault, store, &err),
                          OK);
    CU_ASSERT_EQUAL_FATAL(worker_ingests_compare(ingests, &err), OK);
}

static void close_all(void)
{
    worker_ingests_destroy(&ingests);
    worker_vault_close(&vault);
    worker_store_close(&store);
}

static void begin(void)
{
    scratch_open(&scratch);
    snprintf(state, sizeof state, "%s/state.db", scratch.path);
    snprintf(rows_at, sizeof rows_at, "%s/vault.db", scratch.path);
    snprintf(keys, sizeof keys, "%s/keys.db", scratch.path);
    snprintf(epochs, sizeof epochs, "%s/epochs", scratch.path);
    CU_ASSERT_EQUAL_FATAL(mkdir(epochs, 0700), 0);
    open_all(true);
}

static void end(void)
{
    close_all();
    scratch_close(&scratch);
}

/* As the custodian sends it. */
static enum status ingest(uint8_t number, struct text *told)
{
    const uint8_t id[UPLOAD_ID_SIZE] = {number};
    const struct ingest_call call = {OWNER, bytes_of(id, sizeof id), 0};
    uint8_t rows[ROWS * (SUBJECT_ID_SIZE + 4 + 2)] = {0}, *to = rows;
    uint64_t size = 0;
    enum status status = worker_ingests_begin(
        ingests, &call, bytes_of_string(SCHEMA), &size, &err);

    for (uint8_t i = 0; i < ROWS; i++, to += SUBJECT_ID_SIZE + 4 + 2) {
        to[0] = i;
        put_be32(to + SUBJECT_ID_SIZE, 2);
        memcpy(to + SUBJECT_ID_SIZE + 4, "30", 2);
    }
    if (status == OK)
        status = worker_ingests_rows(ingests, &call, 0,
                                     bytes_of(rows, sizeof rows), &size, &err);
    return status == OK
               ? worker_ingests_finish(ingests, &call, ROWS, told, &err)
               : status;
}

/* Does each side have what the other one has, so many of them? */
static void expect_same(size_t least, size_t most)
{
    struct text known, there;
    struct keyring *keyring;
    size_t count;

    text_init(&known);
    text_init(&there);
    CU_ASSERT_EQUAL_FATAL(worker_store_datasets(store, &known, &err), OK);
    CU_ASSERT_EQUAL_FATAL(
        vault_datasets(worker_vault_take(vault, &keyring), &there, &err), OK);
    worker_vault_give(vault);
    count = there.size / DATASET_ID_SIZE;
    CU_ASSERT_FATAL(count >= least && count <= most);
    CU_ASSERT_EQUAL_FATAL(known.size / sizeof(struct dataset_name), count);
    for (size_t i = 0; i < count; i++) {
        struct dataset_name name;

        memcpy(&name, known.data + i * sizeof name, sizeof name);
        CU_ASSERT_EQUAL(memcmp(name.id.byte, there.data + i * DATASET_ID_SIZE,
                               DATASET_ID_SIZE),
                        0);
    }
    text_clear(&there);
    text_clear(&known);
}

static unsigned kill_at; /* for the child */

static int ingest_and_be_killed(void)
{
    struct text told;

    open_all(false);
    text_init(&told);
    fault_kill_at(FAULT_WRITE | FAULT_UNLINK | FAULT_SYNC, kill_at);
    fault_on();
    if (ingest(1, &told) != OK)
        return 1;
    fault_off();
    text_clear(&told);
    close_all();
    return 0;
}

/* Each time from the beginning: the same ingest is said again, too. */
static void ingest_killed_at_any_step_is_known_to_both_or_to_none(void)
{
    int ended = CHILD_KILLED + SIGKILL;
    unsigned before = 0, after = 0;

    fault_with_sqlite(true);
    for (kill_at = 0; ended == CHILD_KILLED + SIGKILL; kill_at++) {
        struct text told;
        size_t size;

        CU_ASSERT_FATAL(kill_at < 10000);
        begin();
        close_all();
        ended = child_run(ingest_and_be_killed);
        CU_ASSERT_FATAL(ended == 0 || ended == CHILD_KILLED + SIGKILL);
        open_all(false);
        expect_same(0, 1);
        text_init(&told);
        CU_ASSERT_EQUAL(worker_store_datasets(store, &told, &err), OK);
        size = told.size;
        text_reset(&told);
        if (size == 0) {
            before++;
            CU_ASSERT_EQUAL(ingest(1, &told), OK);
        } else {
            after++;
        }
        expect_same(1, 1);
        CU_ASSERT_EQUAL(ingest(2, &told), OK);
        expect_same(2, 2);
        text_clear(&told);
        end();
    }
    fault_with_sqlite(false);
    CU_ASSERT(before > 5 && after > 0);
}

static void ingest_on_a_failing_disk_is_known_to_both_or_to_none(void)
{
    fault_with_sqlite(true);
    FAULT_LOOP(FAULT_WRITE | FAULT_SYNC, EIO)
    {
        struct text told;
        enum status status;

        begin();
        text_init(&told);
        fault_on();
        status = ingest(1, &told);
        fault_off();
        CU_ASSERT(status == OK || status == E_IO || status == E_SYSTEM);
        text_clear(&told);
        close_all();
        open_all(false);
        expect_same(status == OK ? 1 : 0, 1);
        end();
    }
    fault_with_sqlite(false);
}

void suite_worker_ingest(void)
{
    static const struct test tests[] = {
        {"an ingest killed at any step is known to both or to none",
         ingest_killed_at_any_step_is_known_to_both_or_to_none},
        {"an ingest on a failing disk is known to both or to none",
         ingest_on_a_failing_disk_is_known_to_both_or_to_none},
    };

    suite_add("worker_ingest", tests, sizeof tests / sizeof *tests);
}
