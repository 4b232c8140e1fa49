#include "tests/lib/vault_box.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <CUnit/CUnit.h>

struct vault_box box;

/* In ascending order. */
const struct subject_id box_subjects[BOX_SUBJECTS] = {
    {{0x11}}, {{0x22}}, {{0x33}}};

static char patient[] = "patient", age[] = "age", note[] = "note";
static char *columns[] = {age, note};
const struct vault_schema box_schema = {.subject = patient,
                                        .column = columns,
                                        .column_count = 2,
                                        .delimiter = ';',
                                        .newline = "\n"};

/* Of subject 2, 0, 1: rows are not in the order of ids. */
const struct box_row box_rows[BOX_ROWS] = {
    {2, {"33", "caf\xc3\xa9; \"quoted\""}},
    {0, {"11", ""}},
    {1, {"22", "flu"}}};

/* With one thread, two and three, in turn. */
void vault_box_open_vault(void)
{
    static unsigned opened;

    error_init(&box.err);
    CU_ASSERT_EQUAL_FATAL(vault_open(&box.vault, box.database, &box.err), OK);
    vault_use_threads(box.vault, 1 + opened++ % 3);
}

void vault_box_open(void)
{
    char keys[SCRATCH_PATH_MAX], epochs[SCRATCH_PATH_MAX];
    const struct keyring_place place = {keys, epochs};

    scratch_open(&box.scratch);
    error_init(&box.err);
    snprintf(box.database, sizeof box.database, "%s/vault.db",
             box.scratch.path);
    snprintf(keys, sizeof keys, "%s/keys.db", box.scratch.path);
    snprintf(epochs, sizeof epochs, "%s/epochs", box.scratch.path);
    CU_ASSERT_EQUAL_FATAL(mkdir(epochs, 0700), 0);
    CU_ASSERT_EQUAL_FATAL(keyring_create(&place, &box.err), OK);
    CU_ASSERT_EQUAL_FATAL(keyring_open(&box.keyring, &place, &box.err), OK);
    vault_box_open_vault();
}

void vault_box_close(void)
{
    vault_close(&box.vault);
    CU_ASSERT_PTR_NULL(box.vault);
    keyring_close(&box.keyring);
    scratch_close(&box.scratch);
}

enum status vault_box_add(struct vault_ingest *ingest, size_t row)
{
    struct bytes cell[2];

    for (size_t c = 0; c < 2; c++)
        cell[c] = bytes_of_string(box_rows[row].cell[c]);
    return vault_ingest_add(ingest, &box_subjects[box_rows[row].subject], cell,
                            2, &box.err);
}

struct vault_ingest *vault_box_start(void)
{
    struct vault_ingest *ingest = NULL;

    error_init(&box.err);
    CU_ASSERT_EQUAL_FATAL(vault_ingest_begin(&ingest, box.vault, box.keyring,
                                             &box_schema, &box.err),
                          OK);
    return ingest;
}

struct vault_dataset vault_box_fill(void)
{
    struct vault_ingest *ingest = vault_box_start();
    struct vault_dataset dataset;

    memset(&dataset, 0, sizeof dataset);
    for (size_t i = 0; i < BOX_ROWS; i++)
        CU_ASSERT_EQUAL(vault_box_add(ingest, i), OK);
    CU_ASSERT_EQUAL_FATAL(vault_ingest_finish(&ingest, &dataset, &box.err), OK);
    CU_ASSERT_PTR_NULL(ingest);
    return dataset;
}

static enum status record(void *context, const struct dataset_id *dataset,
                          const struct subject_id *subject, size_t count,
                          struct error *why)
{
    (void)dataset;
    CU_ASSERT_PTR_EQUAL(context, &box.access);
    box.access.calls++;
    box.access.count += count;
    box.access.last = subject[count - 1];
    return box.access.answer == OK
               ? OK
               : error_set(why, box.access.answer, "the disk is full");
}

struct vault_request vault_box_request(const struct vault_dataset *dataset)
{
    memset(&box.access, 0, sizeof box.access);
    return (struct vault_request){.dataset = dataset->id,
                                  .permitted = box_subjects,
                                  .permitted_count = BOX_SUBJECTS,
                                  .access = record,
                                  .context = &box.access};
}

bool vault_box_is_row(const struct vault_row *row)
{
    if (row->number >= BOX_ROWS || row->cell_count != 2 ||
        subject_id_compare(&row->subject,
                           &box_subjects[box_rows[row->number].subject]) != 0)
        return false;
    for (size_t c = 0; c < 2; c++)
        if (!bytes_equal_string(row->cell[c], box_rows[row->number].cell[c]))
            return false;
    return true;
}

enum status vault_box_read(const struct vault_request *request, size_t *count,
                           size_t *wrong, uint64_t *erased)
{
    struct vault_reader *reader = NULL;
    const struct vault_row *row = NULL;
    enum status status =
        vault_reader_open(&reader, box.vault, box.keyring, request, &box.err);

    *count = *wrong = 0;
    *erased = 0;
    while (status == OK) {
        status = vault_reader_next(reader, &row, &box.err);
        if (status != OK || row == NULL)
            break;
        ++*count;
        *wrong += !vault_box_is_row(row);
    }
    if (reader != NULL)
        *erased = vault_reader_erased(reader);
    vault_reader_close(&reader);
    return status;
}

void vault_box_expect(const struct vault_dataset *dataset, size_t expected,
                      uint64_t expected_erased)
{
    struct vault_request request = vault_box_request(dataset);
    size_t count, wrong;
    uint64_t erased;

    error_init(&box.err);
    CU_ASSERT_EQUAL(vault_box_read(&request, &count, &wrong, &erased), OK);
    CU_ASSERT_EQUAL(count, expected);
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(erased, expected_erased);
    CU_ASSERT_EQUAL(box.access.count, expected);
}

void vault_box_expect_refused(const struct vault_dataset *dataset,
                              const char *words)
{
    struct vault_request request = vault_box_request(dataset);
    char hex[DATASET_ID_HEX_SIZE];
    size_t count, wrong;
    uint64_t erased;

    error_init(&box.err);
    CU_ASSERT_EQUAL(vault_box_read(&request, &count, &wrong, &erased), E_INPUT);
    CU_ASSERT_EQUAL(wrong, 0);
    dataset_id_hex(&dataset->id, hex);
    CU_ASSERT_PTR_NOT_NULL(strstr(box.err.text, hex));
    if (strstr(box.err.text, words) == NULL)
        fprintf(stderr, "\n\"%s\" is not in: %s\n", words, box.err.text);
    CU_ASSERT_PTR_NOT_NULL(strstr(box.err.text, words));
    CU_ASSERT_PTR_NULL(strstr(box.err.text, "flu"));
}

void vault_box_sql(const char *statement)
{
    sqlite3 *db = NULL;
    char *words = NULL;

    vault_close(&box.vault);
    CU_ASSERT_EQUAL_FATAL(sqlite3_open(box.database, &db), SQLITE_OK);
    if (sqlite3_exec(db, statement, NULL, NULL, &words) != SQLITE_OK)
        fprintf(stderr, "\n%s: %s\n", statement, words);
    CU_ASSERT_PTR_NULL_FATAL(words);
    sqlite3_close(db);
    vault_box_open_vault();
}

void vault_box_fetch(struct box_stored stored[BOX_ROWS])
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;

    CU_ASSERT_EQUAL_FATAL(sqlite3_open(box.database, &db), SQLITE_OK);
    CU_ASSERT_EQUAL_FATAL(
        sqlite3_prepare_v2(db,
                           "SELECT subject, key, token, commitment, leaf,"
                           " sealed FROM row ORDER BY place",
                           -1, &statement, NULL),
        SQLITE_OK);
    for (size_t i = 0; i < BOX_ROWS; i++) {
        struct box_stored *row = &stored[i];
        uint8_t *to[] = {row->subject,    row->key_id, row->token,
                         row->commitment, row->leaf,   row->sealed};

        CU_ASSERT_EQUAL_FATAL(sqlite3_step(statement), SQLITE_ROW);
        for (int c = 0; c < 6; c++)
            memcpy(to[c], sqlite3_column_blob(statement, c),
                   (size_t)sqlite3_column_bytes(statement, c));
        row->sealed_size = (size_t)sqlite3_column_bytes(statement, 5);
    }
    sqlite3_finalize(statement);
    sqlite3_close(db);
}
