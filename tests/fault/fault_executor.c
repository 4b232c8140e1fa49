#include "ledger/executor.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/files.h"
#include "tests/fault/fault.h"
#include "tests/lib/federation.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_executor(void);

#define COMMITMENT "{\"commitment\":\"" NETWORK_HEX "\"}"

static struct scratch scratch;
static struct network network;
static struct network_entry entry[3];
static struct text batch;

/* A batch that enrols, uses and writes state. */
static void begin(void)
{
    const struct network_entry *item[] = {&entry[0], &entry[1], &entry[2]};

    fault_spare_openssl(true);
    scratch_open(&scratch);
    network_open(&network);
    network_entry_make(&entry[0], &network, ENTRY_DATASET,
                       network_who(&network, NORTH, IDENTITY_CUSTODIAN),
                       COMMITMENT);
    network_entry_make(&entry[1], &network, ENTRY_WITHDRAW,
                       network_who(&network, NORTH, IDENTITY_PATIENT),
                       COMMITMENT);
    network_entry_format(
        &entry[2], &network, ENTRY_REVOKE,
        network_who(&network, NORTH, IDENTITY_GOVERNOR),
        "{\"certificate\":\"%s\",\"reason\":\"left\"}",
        certificate_id(
            network_who(&network, NORTH, IDENTITY_PATIENT)->certificate));
    text_init(&batch);
    network_batch(&batch, NETWORK_TIME, item, 3);
}

static void end(void)
{
    text_clear(&batch);
    for (size_t i = 0; i < 3; i++)
        network_entry_clear(&entry[i]);
    network_close(&network);
    scratch_close(&scratch);
    fault_spare_openssl(false);
}

static void remove_all(void)
{
    unlink(scratch_path(&scratch, "state.db"));
    unlink(scratch_path(&scratch, "state.db-wal"));
    unlink(scratch_path(&scratch, "state.db-shm"));
}

/* An empty ledger in place of the one of the last round: a copy of one that was
 * made before, since making one syncs again and again. */
static void copy_fresh(void)
{
    const char *from = scratch_path(&scratch, "fresh.db");
    struct ledger_store *store = NULL;
    struct new_file *file = NULL;
    struct text text;
    struct error err;

    text_init(&text);
    remove_all();
    if (access(from, F_OK) != 0)
        CU_ASSERT_EQUAL_FATAL(
            ledger_store_open(&store, from, &network.genesis->digest, &err),
            OK);
    ledger_store_close(&store);
    CU_ASSERT_EQUAL_FATAL(file_read(from, 1u << 20, &text, &err), OK);
    CU_ASSERT_EQUAL_FATAL(
        new_file_create(&file, scratch_path(&scratch, "state.db"), 0600, &err),
        OK);
    CU_ASSERT_EQUAL_FATAL(descriptor_write(new_file_descriptor(file),
                                           text_bytes(&text), from, &err),
                          OK);
    CU_ASSERT_EQUAL_FATAL(new_file_publish(&file, &err), OK);
    text_clear(&text);
}

/* After a failure the log is as it was, and the same call succeeds. */
static void expect_again(struct network_node *node, enum status status)
{
    const struct executed *executed;
    struct digest root;
    struct error err;
    uint64_t size;

    error_init(&err);
    executor_tip(node->executor, &size, &root);
    CU_ASSERT_EQUAL(size, status == OK ? 3 : 0);
    CU_ASSERT_EQUAL(executor_raft_index(node->executor), status == OK);
    CU_ASSERT_EQUAL(
        executor_apply(node->executor, 1, text_bytes(&batch), &executed, &err),
        OK);
    CU_ASSERT_EQUAL(executed->count, status == OK ? 0 : 3);
    for (uint32_t i = 0; i < executed->count; i++)
        CU_ASSERT_EQUAL(executed->outcome[i].verdict, VERDICT_VALID);
    executor_tip(node->executor, &size, &root);
    CU_ASSERT_EQUAL(size, 3);
}

static void batch_without_memory_changes_nothing(void)
{
    begin();
    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        const struct executed *executed;
        struct network_node node;
        enum status status;
        struct error err;

        copy_fresh();
        network_node_open(&node, &network, scratch_path(&scratch, "state.db"),
                          0);
        error_init(&err);
        CU_ASSERT_EQUAL(ledger_store_spare_disk(node.store, &err), OK);
        fault_on();
        status = executor_apply(node.executor, 1, text_bytes(&batch), &executed,
                                &err);
        fault_off();
        /* SQLite does without some of what it asks for. */
        CU_ASSERT(status == OK || (status == E_MEMORY && fault_happened()));
        CU_ASSERT_EQUAL(executed->count, status == OK ? 3 : 0);
        expect_again(&node, status);
        network_node_close(&node);
    }
    end();
}

/* No file may grow beyond the limit: a disk that is full at each place where
 * SQLite writes. */
static void full_disk_changes_nothing(void)
{
    struct rlimit old, small;
    unsigned failed = 0;
    rlim_t limit = 0;
    bool done = false;

    begin();
    signal(SIGXFSZ, SIG_IGN);
    CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_FSIZE, &old), 0);
    for (; !done && limit < (1u << 20); limit += 1021) {
        const struct executed *executed;
        struct network_node node;
        enum status status;
        struct error err;

        copy_fresh();
        network_node_open(&node, &network, scratch_path(&scratch, "state.db"),
                          0);
        error_init(&err);
        CU_ASSERT_EQUAL(ledger_store_spare_disk(node.store, &err), OK);
        small = old;
        small.rlim_cur = limit;
        CU_ASSERT_EQUAL(setrlimit(RLIMIT_FSIZE, &small), 0);
        status = executor_apply(node.executor, 1, text_bytes(&batch), &executed,
                                &err);
        CU_ASSERT_EQUAL(setrlimit(RLIMIT_FSIZE, &old), 0);
        CU_ASSERT(status == OK || status == E_IO);
        done = status == OK;
        failed += status != OK;
        expect_again(&node, status);
        network_node_close(&node);
    }
    signal(SIGXFSZ, SIG_DFL);
    CU_ASSERT(done);
    CU_ASSERT(failed > 10);
    end();
}

static void crew_without_threads_or_memory_is_none(void)
{
    FAULT_LOOP(FAULT_MEMORY | FAULT_THREAD, EAGAIN)
    {
        struct crew *crew = NULL;
        enum status status;
        struct error err;

        error_init(&err);
        fault_on();
        status = crew_create(&crew, 3, &err);
        fault_off();
        CU_ASSERT_EQUAL(status != OK, fault_happened());
        CU_ASSERT(status == OK || status == E_MEMORY || status == E_SYSTEM);
        CU_ASSERT_EQUAL(crew == NULL, status != OK);
        crew_destroy(&crew);
    }
}

void suite_executor(void)
{
    static const struct test tests[] = {
        {"batch without memory changes nothing",
         batch_without_memory_changes_nothing},
        {"full disk changes nothing", full_disk_changes_nothing},
        {"crew without threads or memory is none",
         crew_without_threads_or_memory_is_none},
    };

    suite_add("executor", tests, sizeof tests / sizeof tests[0]);
}
