#include "anonymizer/worker_ingest.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/encoding.h"
#include "common/log.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_worker_ingest(void);

#define SCHEMA                                                                 \
    "{\"columns\":[\"age\",\"city\"],\"delimiter\":\";\",\"missing\":[],"      \
    "\"newline\":\"\\n\",\"schema\":1,\"subject\":\"patient\"}"
#define OWNER "0123456789abcdef0123456789abcdef"
#define OTHER "ffffffffffffffffffffffffffffffff"

static struct scratch scratch;
static struct worker_store *store;
static struct worker_vault *vault;
static struct worker_ingests *ingests;
static struct text rows, told;
static struct error err;
static const uint8_t id[UPLOAD_ID_SIZE] = "an ingest's id .";

static void begin(void)
{
    struct worker_vault_settings settings;
    static char database[SCRATCH_PATH_MAX], epoch[SCRATCH_PATH_MAX];
    bool fresh = false;

    log_open("test", LOG_LEVEL_ERROR);
    error_init(&err);
    scratch_open(&scratch);
    snprintf(database, sizeof database, "%s",
             scratch_path(&scratch, "keys.db"));
    snprintf(epoch, sizeof epoch, "%s", scratch_path(&scratch, "epoch"));
    CU_ASSERT_EQUAL_FATAL(mkdir(epoch, 0700), 0);
    CU_ASSERT_EQUAL_FATAL(worker_store_open(&store,
                                            scratch_path(&scratch, "state.db"),
                                            &fresh, &err),
                          OK);
    CU_ASSERT_EQUAL_FATAL(worker_store_begun(store, &err), OK);
    settings = (struct worker_vault_settings){
        .path = scratch_path(&scratch, "vault.db"),
        .keys = {database, epoch},
        .fresh = true,
        .threads = 3};
    CU_ASSERT_EQUAL_FATAL(worker_vault_open(&vault, &settings, &err), OK);
    CU_ASSERT_EQUAL_FATAL(worker_ingests_create(&ingests, vault, store, &err),
                          OK);
    text_init(&rows);
    text_init(&told);
}

static void end(void)
{
    text_clear(&told);
    text_clear(&rows);
    worker_ingests_destroy(&ingests);
    worker_vault_close(&vault);
    worker_store_close(&store);
    scratch_close(&scratch);
}

static void put_cell(const char *cell)
{
    uint8_t size[4];

    put_be32(size, (uint32_t)strlen(cell));
    CU_ASSERT_EQUAL_FATAL(text_append(&rows, size, 4, &err), OK);
    CU_ASSERT_EQUAL_FATAL(text_append(&rows, cell, strlen(cell), &err), OK);
}

static void put_row(uint8_t subject, const char *age, const char *city)
{
    uint8_t bytes[SUBJECT_ID_SIZE];

    memset(bytes, subject, sizeof bytes);
    CU_ASSERT_EQUAL_FATAL(text_append(&rows, bytes, sizeof bytes, &err), OK);
    put_cell(age);
    put_cell(city);
}

static struct ingest_call call_of(const char *owner, uint64_t now_ms)
{
    return (struct ingest_call){owner, bytes_of(id, sizeof id), now_ms};
}

static enum status start(void)
{
    struct ingest_call call = call_of(OWNER, 0);
    uint64_t size = 99;
    enum status status = worker_ingests_begin(
        ingests, &call, bytes_of_string(SCHEMA), &size, &err);

    CU_ASSERT_EQUAL(size, 0);
    return status;
}

static enum status send(uint64_t number, uint64_t *size)
{
    struct ingest_call call = call_of(OWNER, 0);

    return worker_ingests_rows(ingests, &call, number, text_bytes(&rows), size,
                               &err);
}

static enum status finish(uint64_t count)
{
    struct ingest_call call = call_of(OWNER, 0);

    text_reset(&told);
    return worker_ingests_finish(ingests, &call, count, &told, &err);
}

/* ---- tests ---- */

static void dataset_comes_in_by_rows_that_may_be_sent_again(void)
{
    uint64_t size = 0;
    char first[512];

    begin();
    CU_ASSERT_EQUAL(start(), OK);
    put_row(1, "30", "A");
    put_row(2, "31", "");
    CU_ASSERT_EQUAL(send(0, &size), OK);
    CU_ASSERT_EQUAL(size, 2);
    CU_ASSERT_EQUAL(send(0, &size), OK); /* its answer was lost */
    CU_ASSERT_EQUAL(size, 2);
    put_row(3, "32", "B"); /* two known ones and a new one */
    CU_ASSERT_EQUAL(send(0, &size), OK);
    CU_ASSERT_EQUAL(size, 3);
    CU_ASSERT_EQUAL(finish(3), OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(told.data, "\"rows\":3"));
    CU_ASSERT_FATAL(told.size < sizeof first);
    memcpy(first, told.data, told.size + 1);
    CU_ASSERT_EQUAL(finish(3), OK); /* its answer was lost, too */
    CU_ASSERT_STRING_EQUAL(told.data, first);
    end();
}

static void subject_with_two_rows_is_refused(void)
{
    uint64_t size = 0;

    begin();
    CU_ASSERT_EQUAL(start(), OK);
    put_row(1, "30", "A");
    put_row(2, "31", "B");
    put_row(1, "30", "A");
    CU_ASSERT_EQUAL(send(0, &size), OK);
    CU_ASSERT_EQUAL(finish(3), E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "more than one row"));
    CU_ASSERT_EQUAL(told.size, 0);
    CU_ASSERT_EQUAL(finish(3), E_INPUT); /* nothing is left of it */
    end();
}

static void rows_that_do_not_follow_are_refused(void)
{
    uint64_t size = 0;

    begin();
    CU_ASSERT_EQUAL(start(), OK);
    put_row(1, "30", "A");
    CU_ASSERT_EQUAL(send(1, &size), E_INPUT);
    end();
}

static void rows_that_are_cut_off_are_refused(void)
{
    begin();
    for (size_t cut = 1; cut < SUBJECT_ID_SIZE + 2 * 4 + 3; cut++) {
        uint64_t size = 0;

        CU_ASSERT_EQUAL(start(), OK);
        text_reset(&rows);
        put_row(1, "30", "A");
        rows.size -= cut;
        CU_ASSERT_EQUAL(send(0, &size), E_INPUT);
        CU_ASSERT_EQUAL(finish(1), E_INPUT);
    }
    end();
}

static void other_count_than_announced_is_refused(void)
{
    uint64_t size = 0;

    begin();
    CU_ASSERT_EQUAL(start(), OK);
    put_row(1, "30", "A");
    CU_ASSERT_EQUAL(send(0, &size), OK);
    CU_ASSERT_EQUAL(finish(2), E_INPUT);
    CU_ASSERT_EQUAL(finish(1), E_INPUT);
    end();
}

static void dataset_without_rows_is_refused(void)
{
    begin();
    CU_ASSERT_EQUAL(start(), OK);
    CU_ASSERT_EQUAL(finish(0), E_INPUT);
    end();
}

static void ingest_belongs_to_who_began_it(void)
{
    struct ingest_call call = call_of(OTHER, 0);
    uint64_t size = 0;

    begin();
    CU_ASSERT_EQUAL(start(), OK);
    put_row(1, "30", "A");
    CU_ASSERT_EQUAL(
        worker_ingests_rows(ingests, &call, 0, text_bytes(&rows), &size, &err),
        E_INPUT);
    CU_ASSERT_EQUAL(worker_ingests_finish(ingests, &call, 0, &told, &err),
                    E_INPUT);
    end();
}

static void ingest_that_stands_still_ends(void)
{
    uint64_t size = 0;

    begin();
    CU_ASSERT_EQUAL(start(), OK);
    worker_ingests_expire(ingests, INGEST_IDLE_MS);
    put_row(1, "30", "A");
    CU_ASSERT_EQUAL(send(0, &size), OK);
    worker_ingests_expire(ingests, INGEST_IDLE_MS + 1);
    CU_ASSERT_EQUAL(send(1, &size), E_INPUT);
    end();
}

static void more_ingests_than_there_may_be_wait(void)
{
    begin();
    for (uint8_t i = 0; i <= INGESTS_MAX; i++) {
        uint8_t other[UPLOAD_ID_SIZE] = {i};
        struct ingest_call call = {OWNER, bytes_of(other, sizeof other), 0};
        uint64_t size;

        CU_ASSERT_EQUAL(worker_ingests_begin(ingests, &call,
                                             bytes_of_string(SCHEMA), &size,
                                             &err),
                        i < INGESTS_MAX ? OK : E_SYSTEM);
    }
    end();
}

/* The journal's row of a dataset, if it knows it. */
static bool is_known(const struct dataset_id *dataset)
{
    struct dataset_record record;
    bool found = false;

    CU_ASSERT_EQUAL_FATAL(
        worker_store_find_dataset(store, DATASET_BY_ID,
                                  bytes_of(dataset->byte, DATASET_ID_SIZE),
                                  false, &record, &found, &err),
        OK);
    dataset_record_clear(&record);
    return found;
}

static void dataset_that_the_vault_lacks_is_forgotten_unless_it_was_named(void)
{
    struct dataset_record cut_off = {.id = {{0x01}}, .ingest = {1}},
                          lost = {.id = {{0xfe}}, .ingest = {2}};
    const struct digest entry = {{9}};
    struct keyring *keyring;
    struct text ids;
    uint64_t size = 0;

    begin();
    CU_ASSERT_EQUAL(start(), OK);
    put_row(1, "30", "A");
    CU_ASSERT_EQUAL(send(0, &size), OK);
    CU_ASSERT_EQUAL(finish(1), OK);
    text_init(&cut_off.subjects);
    text_init(&lost.subjects);
    CU_ASSERT_EQUAL(worker_store_add_dataset(store, &cut_off, &err), OK);
    CU_ASSERT_EQUAL(worker_store_add_dataset(store, &lost, &err), OK);
    CU_ASSERT_EQUAL(worker_store_name_dataset(store, &lost.id, &entry, &err),
                    OK);
    CU_ASSERT_EQUAL(worker_ingests_compare(ingests, &err), OK);
    CU_ASSERT(!is_known(&cut_off.id));
    CU_ASSERT(is_known(&lost.id));
    CU_ASSERT_EQUAL(finish(1), OK); /* the whole one is told still */
    text_init(&ids);
    CU_ASSERT_EQUAL(
        vault_datasets(worker_vault_take(vault, &keyring), &ids, &err), OK);
    worker_vault_give(vault);
    CU_ASSERT_EQUAL(ids.size, DATASET_ID_SIZE);
    text_clear(&ids);
    end();
}

static void nothing_is_erased_while_somebody_puts_in(void)
{
    const struct subject_id subject = {{1}};
    uint64_t erased = 0;

    begin();
    CU_ASSERT_EQUAL(start(), OK);
    CU_ASSERT_EQUAL(worker_vault_erase(vault, &subject, &erased, &err),
                    E_SYSTEM);
    worker_ingests_expire(ingests, INGEST_IDLE_MS + 1);
    CU_ASSERT_EQUAL(worker_vault_erase(vault, &subject, &erased, &err), OK);
    CU_ASSERT_EQUAL(erased, 0);
    end();
}

void suite_worker_ingest(void)
{
    static const struct test tests[] = {
        {"a dataset comes in by rows that may be sent again",
         dataset_comes_in_by_rows_that_may_be_sent_again},
        {"a subject with two rows is refused",
         subject_with_two_rows_is_refused},
        {"rows that do not follow are refused",
         rows_that_do_not_follow_are_refused},
        {"rows that are cut off are refused",
         rows_that_are_cut_off_are_refused},
        {"another count than announced is refused",
         other_count_than_announced_is_refused},
        {"a dataset without rows is refused", dataset_without_rows_is_refused},
        {"an ingest belongs to who began it", ingest_belongs_to_who_began_it},
        {"an ingest that stands still ends", ingest_that_stands_still_ends},
        {"more ingests than there may be wait",
         more_ingests_than_there_may_be_wait},
        {"a dataset that the vault lacks is forgotten unless it was named",
         dataset_that_the_vault_lacks_is_forgotten_unless_it_was_named},
        {"nothing is erased while somebody puts in",
         nothing_is_erased_while_somebody_puts_in},
    };

    suite_add("worker_ingest", tests, sizeof tests / sizeof tests[0]);
}
