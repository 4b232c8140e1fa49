#include "ledger/ledger_store.h"

#include <errno.h>
#include <unistd.h>

#include "common/files.h"
#include "tests/fault/fault.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_ledger_store(void);

static const struct digest genesis = {.byte = {7}};

static void remove_all(const struct scratch *scratch)
{
    unlink(scratch_path(scratch, "state.db"));
    unlink(scratch_path(scratch, "state.db-wal"));
    unlink(scratch_path(scratch, "state.db-shm"));
    unlink(scratch_path(scratch, "state.db.lock"));
}

/* An empty ledger in place of the one of the last round: a copy of one that was
 * made before, since making one syncs again and again. */
static void copy_fresh(const struct scratch *scratch)
{
    const char *from = scratch_path(scratch, "fresh.db");
    struct ledger_store *store = NULL;
    struct new_file *file = NULL;
    struct text text;
    struct error err;

    text_init(&text);
    remove_all(scratch);
    if (access(from, F_OK) != 0)
        CU_ASSERT_EQUAL_FATAL(ledger_store_open(&store, from, &genesis, &err),
                              OK);
    ledger_store_close(&store);
    CU_ASSERT_EQUAL_FATAL(file_read(from, 1u << 20, &text, &err), OK);
    CU_ASSERT_EQUAL_FATAL(
        new_file_create(&file, scratch_path(scratch, "state.db"), 0600, &err),
        OK);
    CU_ASSERT_EQUAL_FATAL(descriptor_write(new_file_descriptor(file),
                                           text_bytes(&text), from, &err),
                          OK);
    CU_ASSERT_EQUAL_FATAL(new_file_publish(&file, &err), OK);
    text_clear(&text);
}

/* SQLite does without some of what it asks for: OK is right, too. */
static void expect(enum status status, const struct error *err)
{
    CU_ASSERT(status == OK || (status == E_MEMORY && fault_happened()));
    CU_ASSERT_EQUAL(status == OK, err->text[0] == '\0');
}

/* Opened anew afterwards, it is whole, or not there. */
static void store_without_memory_opens_whole_or_not_at_all(void)
{
    struct scratch scratch;

    scratch_open(&scratch);
    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        struct ledger_store *store = NULL;
        enum status status;
        struct error err;

        remove_all(&scratch);
        error_init(&err);
        fault_on();
        status = ledger_store_open(&store, scratch_path(&scratch, "state.db"),
                                   &genesis, &err);
        fault_off();
        expect(status, &err);
        CU_ASSERT_EQUAL(store == NULL, status != OK);
        ledger_store_close(&store);
        CU_ASSERT_EQUAL(ledger_store_open(&store,
                                          scratch_path(&scratch, "state.db"),
                                          &genesis, &err),
                        OK);
        ledger_store_close(&store);
    }
    scratch_close(&scratch);
}

static enum status write_some(struct ledger_store *store, struct error *err)
{
    enum status status = ledger_store_begin(store, err);

    if (status == OK)
        status = ledger_store_put(store, "key", bytes_of("value", 5), 3, err);
    if (status == OK)
        status = ledger_store_set_anchored(store, 4, bytes_of("note", 4), err);
    if (status == OK)
        status = ledger_store_set_raft_index(store, 9, err);
    if (status == OK)
        status = ledger_store_commit(store, err);
    if (status != OK)
        ledger_store_rollback(store);
    return status;
}

static void writing_without_memory_is_all_or_nothing(void)
{
    struct scratch scratch;

    scratch_open(&scratch);
    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        struct ledger_store *store = NULL;
        uint64_t version, index;
        enum status status;
        struct text value;
        struct error err;

        copy_fresh(&scratch);
        text_init(&value);
        error_init(&err);
        CU_ASSERT_EQUAL_FATAL(
            ledger_store_open(&store, scratch_path(&scratch, "state.db"),
                              &genesis, &err),
            OK);
        CU_ASSERT_EQUAL(ledger_store_spare_disk(store, &err), OK);
        fault_on();
        status = write_some(store, &err);
        fault_off();
        expect(status, &err);
        CU_ASSERT_EQUAL(ledger_store_raft_index(store, &index, &err), OK);
        CU_ASSERT_EQUAL(index, status == OK ? 9 : 0);
        CU_ASSERT_EQUAL(ledger_store_get(store, "key", &value, &version, &err),
                        OK);
        CU_ASSERT_EQUAL(version, status == OK ? 3 : STORE_NONE);
        text_clear(&value);
        ledger_store_close(&store);
    }
    scratch_close(&scratch);
}

/* What is committed may wait for its sync, a promise not: who signs it syncs
 * first.  The loop finds a sync to fail, so there is one. */
static void promise_that_cannot_be_synced_is_none(void)
{
    static const struct digest root = {.byte = {1}};
    struct scratch scratch;

    scratch_open(&scratch);
    FAULT_LOOP(FAULT_SYNC, EIO)
    {
        struct ledger_store *store = NULL;
        enum status status;
        struct error err;

        copy_fresh(&scratch);
        error_init(&err);
        CU_ASSERT_EQUAL_FATAL(
            ledger_store_open(&store, scratch_path(&scratch, "state.db"),
                              &genesis, &err),
            OK);
        fault_on();
        CU_ASSERT_EQUAL(write_some(store, &err), OK);
        CU_ASSERT_FALSE(fault_happened());
        status = ledger_store_set_cosigned(store, 4, &root, &err);
        if (status == OK)
            status = ledger_store_sync(store, &err);
        fault_off();
        fault_expect(status, &err, E_IO);
        ledger_store_close(&store);
    }
    scratch_close(&scratch);
}

void suite_ledger_store(void)
{
    static const struct test tests[] = {
        {"store without memory opens whole or not at all",
         store_without_memory_opens_whole_or_not_at_all},
        {"writing without memory is all or nothing",
         writing_without_memory_is_all_or_nothing},
        {"promise that cannot be synced is none",
         promise_that_cannot_be_synced_is_none},
    };

    suite_add("ledger_store", tests, sizeof tests / sizeof tests[0]);
}
