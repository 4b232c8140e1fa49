#include "anonymizer/vault.h"

#include <errno.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "anonymizer/vault_stream.h"
#include "tests/fault/fault.h"
#include "tests/lib/child.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_vault(void);

static struct scratch scratch;
static char database[SCRATCH_PATH_MAX], keys[SCRATCH_PATH_MAX];
static char epochs[SCRATCH_PATH_MAX];
static const struct keyring_place place = {keys, epochs};
static struct error err;

static const struct subject_id subjects[] = {{{0x11}}, {{0x22}}};

static char patient[] = "patient", age[] = "age";
static char *columns[] = {age};
static const struct vault_schema schema = {.subject = patient,
                                           .column = columns,
                                           .column_count = 1,
                                           .delimiter = ';',
                                           .newline = "\n"};

static struct keyring *keyring;
static struct vault *vault;

static void open_both(void)
{
    error_init(&err);
    CU_ASSERT_EQUAL_FATAL(keyring_open(&keyring, &place, &err), OK);
    CU_ASSERT_EQUAL_FATAL(vault_open(&vault, database, &err), OK);
}

static void close_both(void)
{
    vault_close(&vault);
    keyring_close(&keyring);
}

static void begin(void)
{
    scratch_open(&scratch);
    error_init(&err);
    snprintf(database, sizeof database, "%s/vault.db", scratch.path);
    snprintf(keys, sizeof keys, "%s/keys.db", scratch.path);
    snprintf(epochs, sizeof epochs, "%s/epochs", scratch.path);
    CU_ASSERT_EQUAL_FATAL(mkdir(epochs, 0700), 0);
    CU_ASSERT_EQUAL_FATAL(keyring_create(&place, &err), OK);
    open_both();
}

static void end(void)
{
    close_both();
    scratch_close(&scratch);
}

/* `rows` of them, the subjects in turn. */
static enum status ingest(unsigned rows, struct vault_dataset *dataset,
                          struct error *why)
{
    struct vault_ingest *running = NULL;
    struct bytes cell = bytes_of("31", 2);
    enum status status =
        vault_ingest_begin(&running, vault, keyring, &schema, why);

    for (unsigned i = 0; status == OK && i < rows; i++)
        status = vault_ingest_add(running, &subjects[i % 2], &cell, 1, why);
    if (status == OK)
        status = vault_ingest_finish(&running, dataset, why);
    vault_ingest_discard(&running);
    return status;
}

static enum status record(void *context, const struct dataset_id *dataset,
                          const struct subject_id *subject, size_t count,
                          struct error *why)
{
    (void)dataset;
    (void)subject;
    (void)why;
    *(size_t *)context += count;
    return OK;
}

static enum status read_all(const struct vault_dataset *dataset, size_t *count,
                            struct error *why)
{
    size_t accesses = 0;
    const struct vault_request request = {.dataset = dataset->id,
                                          .permitted = subjects,
                                          .permitted_count = 2,
                                          .access = record,
                                          .context = &accesses};
    struct vault_reader *reader = NULL;
    const struct vault_row *row;
    enum status status =
        vault_reader_open(&reader, vault, keyring, &request, why);

    for (*count = 0; status == OK; ++*count) {
        status = vault_reader_next(reader, &row, why);
        if (status != OK || row == NULL)
            break;
    }
    vault_reader_close(&reader);
    return status;
}

/* ---- killed ---- */

static unsigned kill_at; /* for the child */

/* Two batches: the first is on the disk when the second is written. */
static int ingest_and_be_killed(void)
{
    struct vault_dataset dataset;

    open_both();
    fault_kill_at(FAULT_WRITE | FAULT_UNLINK, kill_at);
    fault_on();
    if (ingest(VAULT_BATCH_ROWS + 1, &dataset, &err) != OK)
        return 1;
    fault_off();
    close_both();
    return 0;
}

/* Datasets that are not complete, and rows that are not a complete one's. */
static int leftovers(void)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    int count;

    CU_ASSERT_EQUAL_FATAL(sqlite3_open(database, &db), SQLITE_OK);
    CU_ASSERT_EQUAL_FATAL(
        sqlite3_prepare_v2(
            db,
            "SELECT (SELECT count(*) FROM dataset WHERE complete <> 1) +"
            " (SELECT count(*) FROM row) -"
            " (SELECT coalesce(sum(row_count), 0) FROM dataset)",
            -1, &statement, NULL),
        SQLITE_OK);
    CU_ASSERT_EQUAL_FATAL(sqlite3_step(statement), SQLITE_ROW);
    count = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return count;
}

static void ingest_killed_at_any_step_leaves_nothing_or_all(void)
{
    int ended = CHILD_KILLED + SIGKILL;
    unsigned step = 1;

    begin();
    fault_with_sqlite(true);
    for (kill_at = 0; ended == CHILD_KILLED + SIGKILL; kill_at += step) {
        struct vault_dataset dataset;
        size_t count = 0;

        CU_ASSERT_FATAL(kill_at < 100000);
        close_both();
        ended = child_run(ingest_and_be_killed);
        CU_ASSERT_FATAL(ended == 0 || ended == CHILD_KILLED + SIGKILL);
        open_both();
        close_both();
        CU_ASSERT_EQUAL(leftovers(), 0);
        open_both();
        CU_ASSERT_EQUAL_FATAL(ingest(3, &dataset, &err), OK);
        CU_ASSERT_EQUAL(read_all(&dataset, &count, &err), OK);
        CU_ASSERT_EQUAL(count, 3);
        /* One after the other at the beginning, where tables and keys are
         * made; then every so often among pages of rows. */
        step = kill_at < 60 ? 1 : 149;
    }
    fault_with_sqlite(false);
    CU_ASSERT(kill_at > 100);
    end();
}

/* ---- failing calls ---- */

static void ingest_on_a_failing_disk_is_all_or_nothing(void)
{
    struct vault_dataset dataset;
    size_t count;

    begin();
    CU_ASSERT_EQUAL(ingest(1, &dataset, &err), OK);
    close_both();
    fault_with_sqlite(true);
    FAULT_LOOP(FAULT_WRITE | FAULT_UNLINK, ENOSPC)
    {
        enum status status;

        open_both();
        fault_on();
        status = ingest(5, &dataset, &err);
        fault_off();
        fault_expect(status, &err, E_IO);
        close_both();
        open_both();
        if (status == OK) {
            CU_ASSERT_EQUAL(read_all(&dataset, &count, &err), OK);
            CU_ASSERT_EQUAL(count, 5);
        }
        CU_ASSERT_EQUAL(ingest(3, &dataset, &err), OK);
        CU_ASSERT_EQUAL(read_all(&dataset, &count, &err), OK);
        CU_ASSERT_EQUAL(count, 3);
        close_both();
    }
    fault_with_sqlite(false);
    scratch_close(&scratch);
}

/* SQLite does without some of what it asks for: OK is right, too. */
static void expect(enum status status)
{
    if (status != OK && (status != E_MEMORY || !fault_happened()))
        fprintf(stderr, "\n%s\n", err.text);
    CU_ASSERT(status == OK || (status == E_MEMORY && fault_happened()));
    CU_ASSERT_EQUAL(status == OK, err.text[0] == '\0');
}

static void ingest_without_memory_is_all_or_nothing(void)
{
    struct vault_dataset dataset;
    size_t count;

    begin();
    CU_ASSERT_EQUAL(ingest(2, &dataset, &err), OK);
    close_both();
    fault_spare_openssl(true);
    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        enum status status;

        open_both();
        fault_on();
        status = ingest(2, &dataset, &err);
        fault_off();
        expect(status);
        if (status == OK) {
            CU_ASSERT_EQUAL(read_all(&dataset, &count, &err), OK);
            CU_ASSERT_EQUAL(count, 2);
        }
        close_both();
    }
    fault_spare_openssl(false);
    scratch_close(&scratch);
}

static enum status read_stream(const struct vault_dataset *dataset,
                               size_t *size, struct error *why)
{
    size_t accesses = 0;
    const struct vault_request request = {.dataset = dataset->id,
                                          .permitted = subjects,
                                          .permitted_count = 2,
                                          .access = record,
                                          .context = &accesses};
    struct vault_reader *reader = NULL;
    struct vault_stream *stream = NULL;
    struct vault_schema found;
    char bytes[256];
    size_t got = 1;
    enum status status = vault_find_schema(vault, &dataset->id, &found, why);

    *size = 0;
    if (status == OK)
        status = vault_reader_open(&reader, vault, keyring, &request, why);
    if (status == OK)
        status = vault_stream_create(&stream, reader, &found, why);
    while (status == OK && got > 0) {
        const struct csv_stream *csv = vault_stream_csv(stream);

        status = csv->read(csv->context, bytes, sizeof bytes, &got, why);
        *size += status == OK ? got : 0;
    }
    vault_stream_destroy(&stream);
    vault_reader_close(&reader);
    vault_schema_clear(&found);
    return status;
}

static void reading_without_memory_is_told(void)
{
    struct vault_dataset dataset;
    size_t size, whole = 0;

    begin();
    CU_ASSERT_EQUAL(ingest(3, &dataset, &err), OK);
    CU_ASSERT_EQUAL(read_stream(&dataset, &whole, &err), OK);
    fault_spare_openssl(true);
    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        enum status status;

        error_init(&err);
        fault_on();
        status = read_stream(&dataset, &size, &err);
        fault_off();
        expect(status);
        CU_ASSERT(status != OK || size == whole);
    }
    fault_spare_openssl(false);
    end();
}

static void vault_without_memory_opens_whole_or_not_at_all(void)
{
    begin();
    close_both();
    fault_spare_openssl(true);
    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        enum status status;

        unlink(database);
        error_init(&err);
        fault_on();
        status = vault_open(&vault, database, &err);
        fault_off();
        expect(status);
        CU_ASSERT_EQUAL(vault == NULL, status != OK);
        vault_close(&vault);
        CU_ASSERT_EQUAL(vault_open(&vault, database, &err), OK);
        vault_close(&vault);
    }
    fault_spare_openssl(false);
    scratch_close(&scratch);
}

void suite_vault(void)
{
    static const struct test tests[] = {
        {"an ingest killed at any step leaves nothing, or all",
         ingest_killed_at_any_step_leaves_nothing_or_all},
        {"an ingest on a failing disk is all or nothing",
         ingest_on_a_failing_disk_is_all_or_nothing},
        {"an ingest without memory is all or nothing",
         ingest_without_memory_is_all_or_nothing},
        {"reading without memory is told", reading_without_memory_is_told},
        {"a vault without memory opens whole or not at all",
         vault_without_memory_opens_whole_or_not_at_all},
    };

    suite_add("vault", tests, sizeof tests / sizeof tests[0]);
}
