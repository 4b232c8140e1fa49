#include "broker/broker_store.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tests/fault/fault.h"
#include "tests/lib/child.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_broker_store(void);

/* Everything that changes a disk. */
#define CHANGES                                                                \
    (FAULT_WRITE | FAULT_SYNC | FAULT_LINK | FAULT_RENAME | FAULT_UNLINK |     \
     FAULT_OPEN)

static struct scratch scratch;
static struct error err;
static struct own_entry own;
static const struct digest network = {.byte = {7}};
static const struct subject_id subject = {{0x42}};

static struct broker_store *open_it(void)
{
    struct broker_store *store = NULL;
    bool fresh;

    error_init(&err);
    if (broker_store_open(&store, scratch_path(&scratch, "state.db"), &network,
                          &fresh, &err) != OK)
        fprintf(stderr, "\n%s\n", err.text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(store);
    return store;
}

/* A store with one pending entry. */
static void prepare(void)
{
    struct broker_store *store;

    scratch_close(&scratch);
    scratch_open(&scratch);
    store = open_it();
    CU_ASSERT_EQUAL(broker_store_add_own(store, &own, bytes_of(NULL, 0), &err),
                    OK);
    broker_store_close(&store);
}

static void begin(void)
{
    scratch_open(&scratch);
    error_init(&err);
    own_entry_init(&own);
    own.type = ENTRY_WITHDRAW;
    CU_ASSERT_EQUAL(text_append_string(&own.bytes, "{}", &err), OK);
    CU_ASSERT_EQUAL(text_append_string(&own.statement, "{}", &err), OK);
    CU_ASSERT_EQUAL(text_append_string(&own.signatures, "[]", &err), OK);
    CU_ASSERT_EQUAL(digest_bytes(&own.id, text_bytes(&own.bytes), &err), OK);
}

static void end(void)
{
    own_entry_clear(&own);
    scratch_close(&scratch);
}

/* What the follower does when it reads the entry back. */
static enum status apply(struct broker_store *store)
{
    enum status status = broker_store_begin(store, &err);

    if (status != OK)
        return status;
    status = broker_store_settle(store, &own.id, 0, VERDICT_VALID, &err);
    if (status == OK)
        status =
            broker_store_say(store, &subject, 0, bytes_of_string("no"), &err);
    if (status == OK)
        status = broker_store_set_number(store, BROKER_CURSOR, 1, &err);
    return broker_store_end(store, status, &err);
}

static enum status count(void *context, const struct said *said,
                         struct error *error)
{
    (void)said;
    (void)error;
    ++*(unsigned *)context;
    return OK;
}

/* All of it, or nothing. */
static bool is_applied(struct broker_store *store)
{
    struct own_entry found;
    uint64_t cursor = 9;
    unsigned said = 0;
    bool any = false;

    own_entry_init(&found);
    CU_ASSERT_EQUAL(broker_store_number(store, BROKER_CURSOR, &cursor, &err),
                    OK);
    CU_ASSERT(cursor <= 1);
    CU_ASSERT_EQUAL(broker_store_each_said(store, count, &said, &err), OK);
    CU_ASSERT_EQUAL(said, cursor);
    CU_ASSERT_EQUAL(broker_store_first_pending(store, &found, &any, &err), OK);
    CU_ASSERT_EQUAL(any, cursor == 0);
    CU_ASSERT_EQUAL(broker_store_find_own(store, &own.id, &found, &any, &err),
                    OK);
    CU_ASSERT(any);
    CU_ASSERT_EQUAL(found.settled, cursor == 1);
    own_entry_clear(&found);
    return cursor == 1;
}

/* ---- killed ---- */

static unsigned kill_at; /* for the child */

static int apply_and_be_killed(void)
{
    struct broker_store *store = NULL;
    bool fresh;

    if (broker_store_open(&store, scratch_path(&scratch, "state.db"), &network,
                          &fresh, &err) != OK)
        return 1;
    fault_kill_at(CHANGES, kill_at);
    fault_on();
    if (apply(store) != OK)
        return 2;
    broker_store_close(&store);
    fault_off();
    return 0;
}

static void killed_at_any_step_it_is_applied_once(void)
{
    int ended = CHILD_KILLED + SIGKILL;
    unsigned applied = 0, not_applied = 0;

    begin();
    fault_with_sqlite(true);
    for (kill_at = 0; ended == CHILD_KILLED + SIGKILL; kill_at++) {
        struct broker_store *store;

        CU_ASSERT_FATAL(kill_at < 1000);
        prepare();
        ended = child_run(apply_and_be_killed);
        CU_ASSERT_FATAL(ended == 0 || ended == CHILD_KILLED + SIGKILL);
        store = open_it();
        if (is_applied(store)) {
            applied++;
        } else {
            CU_ASSERT_EQUAL(applied, 0); /* no way back from a commit */
            not_applied++;
            CU_ASSERT_EQUAL(apply(store), OK);
            CU_ASSERT(is_applied(store));
        }
        broker_store_close(&store);
    }
    fault_with_sqlite(false);
    CU_ASSERT(applied > 0);
    CU_ASSERT(not_applied > 0);
    end();
}

/* ---- failing calls ---- */

static void a_disk_that_fails_leaves_all_or_nothing(void)
{
    begin();
    fault_with_sqlite(true);
    prepare(); /* or what is set up once would count */
    FAULT_LOOP(CHANGES, EIO)
    {
        struct broker_store *store;
        enum status status;

        prepare();
        store = open_it();
        fault_on();
        status = apply(store);
        fault_off();
        CU_ASSERT((status == OK) == (err.text[0] == '\0'));
        CU_ASSERT(status == OK || fault_happened());
        CU_ASSERT(status == OK || status == E_IO || status == E_INPUT);
        broker_store_close(&store);
        store = open_it();
        if (status == OK)
            CU_ASSERT(is_applied(store))
        else
            (void)is_applied(store); /* whichever: it looks for halves */
        broker_store_close(&store);
    }
    fault_with_sqlite(false);
    end();
}

static void without_memory_nothing_is_half_applied(void)
{
    begin();
    fault_spare_openssl(true);
    prepare();
    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        struct broker_store *store;
        enum status status;

        prepare();
        store = open_it();
        fault_on();
        status = apply(store);
        fault_off();
        CU_ASSERT(status == OK || (status == E_MEMORY && fault_happened()));
        CU_ASSERT_EQUAL(is_applied(store), status == OK);
        broker_store_close(&store);
    }
    fault_spare_openssl(false);
    end();
}

static void opening_without_memory_is_told(void)
{
    begin();
    fault_spare_openssl(true);
    prepare();
    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        struct broker_store *store = NULL;
        bool fresh;
        enum status status;

        error_init(&err);
        fault_on();
        status = broker_store_open(&store, scratch_path(&scratch, "state.db"),
                                   &network, &fresh, &err);
        fault_off();
        CU_ASSERT(status == OK || (status == E_MEMORY && fault_happened()));
        CU_ASSERT_EQUAL(store != NULL, status == OK);
        broker_store_close(&store);
    }
    fault_spare_openssl(false);
    end();
}

void suite_broker_store(void)
{
    static const struct test tests[] = {
        {"killed at any step it is applied once",
         killed_at_any_step_it_is_applied_once},
        {"a disk that fails leaves all or nothing",
         a_disk_that_fails_leaves_all_or_nothing},
        {"without memory nothing is half applied",
         without_memory_nothing_is_half_applied},
        {"opening without memory is told", opening_without_memory_is_told},
    };

    suite_add("broker_store", tests, sizeof tests / sizeof *tests);
}
