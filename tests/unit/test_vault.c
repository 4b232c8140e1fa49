#include "anonymizer/vault.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/encoding.h"
#include "common/files.h"
#include "common/limits.h"
#include "common/merkle.h"
#include "common/random.h"
#include "common/seal.h"
#include "common/sign.h"
#include "tests/lib/fixture.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_vault(void);

static struct scratch scratch;
static struct keyring *keyring;
static struct vault *vault;
static struct error err;
static char database[SCRATCH_PATH_MAX], keys[SCRATCH_PATH_MAX];
static char epochs[SCRATCH_PATH_MAX];

/* In ascending order. */
static const struct subject_id subjects[] = {{{0x11}}, {{0x22}}, {{0x33}}};
#define SUBJECTS (sizeof subjects / sizeof subjects[0])

static char patient[] = "patient", age[] = "age", note[] = "note";
static char *columns[] = {age, note};
static const struct vault_schema schema = {.subject = patient,
                                           .column = columns,
                                           .column_count = 2,
                                           .delimiter = ';',
                                           .newline = "\n"};

/* Of subjects[2], [0], [1]: rows are not in the order of ids. */
static const struct {
    size_t subject;
    const char *cell[2];
} rows[] = {{2, {"33", "caf\xc3\xa9; \"quoted\""}},
            {0, {"11", ""}},
            {1, {"22", "flu"}}};
#define ROWS (sizeof rows / sizeof rows[0])

static void open_vault(void)
{
    error_init(&err);
    CU_ASSERT_EQUAL_FATAL(vault_open(&vault, database, &err), OK);
}

static void begin(void)
{
    struct keyring_place place = {keys, epochs};

    scratch_open(&scratch);
    error_init(&err);
    snprintf(database, sizeof database, "%s/vault.db", scratch.path);
    snprintf(keys, sizeof keys, "%s/keys.db", scratch.path);
    snprintf(epochs, sizeof epochs, "%s/epochs", scratch.path);
    CU_ASSERT_EQUAL_FATAL(mkdir(epochs, 0700), 0);
    CU_ASSERT_EQUAL_FATAL(keyring_create(&place, &err), OK);
    CU_ASSERT_EQUAL_FATAL(keyring_open(&keyring, &place, &err), OK);
    open_vault();
}

static void end(void)
{
    vault_close(&vault);
    CU_ASSERT_PTR_NULL(vault);
    keyring_close(&keyring);
    scratch_close(&scratch);
}

static enum status add_row(struct vault_ingest *ingest, size_t row)
{
    struct bytes cell[2];

    for (size_t c = 0; c < 2; c++)
        cell[c] = bytes_of_string(rows[row].cell[c]);
    return vault_ingest_add(ingest, &subjects[rows[row].subject], cell, 2,
                            &err);
}

static struct vault_ingest *start(void)
{
    struct vault_ingest *ingest = NULL;

    error_init(&err);
    CU_ASSERT_EQUAL_FATAL(
        vault_ingest_begin(&ingest, vault, keyring, &schema, &err), OK);
    return ingest;
}

static struct vault_dataset ingest_all(void)
{
    struct vault_ingest *ingest = start();
    struct vault_dataset dataset;

    memset(&dataset, 0, sizeof dataset);
    for (size_t i = 0; i < ROWS; i++)
        CU_ASSERT_EQUAL(add_row(ingest, i), OK);
    CU_ASSERT_EQUAL_FATAL(vault_ingest_finish(&ingest, &dataset, &err), OK);
    CU_ASSERT_PTR_NULL(ingest);
    return dataset;
}

/* Every access, and what there is to say to it. */
static struct {
    enum status answer;
    unsigned calls;
    size_t count; /* of subjects, in all calls */
    struct subject_id last;
} access_log;

static enum status record(void *context, const struct dataset_id *dataset,
                          const struct subject_id *subject, size_t count,
                          struct error *why)
{
    (void)dataset;
    CU_ASSERT_PTR_EQUAL(context, &access_log);
    access_log.calls++;
    access_log.count += count;
    access_log.last = subject[count - 1];
    return access_log.answer == OK
               ? OK
               : error_set(why, access_log.answer, "the disk is full");
}

static struct vault_request request_for(const struct vault_dataset *dataset)
{
    memset(&access_log, 0, sizeof access_log);
    return (struct vault_request){.dataset = dataset->id,
                                  .permitted = subjects,
                                  .permitted_count = SUBJECTS,
                                  .access = record,
                                  .context = &access_log};
}

/* Is this the row that was put in? */
static bool is_row(const struct vault_row *row)
{
    if (row->number >= ROWS || row->cell_count != 2 ||
        subject_id_compare(&row->subject,
                           &subjects[rows[row->number].subject]) != 0)
        return false;
    for (size_t c = 0; c < 2; c++)
        if (!bytes_equal_string(row->cell[c], rows[row->number].cell[c]))
            return false;
    return true;
}

/* Read to the end; *wrong counts rows that are not what was put in. */
static enum status read_request(const struct vault_request *request,
                                size_t *count, size_t *wrong, uint64_t *erased)
{
    struct vault_reader *reader = NULL;
    const struct vault_row *row = NULL;
    enum status status =
        vault_reader_open(&reader, vault, keyring, request, &err);

    *count = *wrong = 0;
    *erased = 0;
    while (status == OK) {
        status = vault_reader_next(reader, &row, &err);
        if (status != OK || row == NULL)
            break;
        ++*count;
        *wrong += !is_row(row);
    }
    if (reader != NULL)
        *erased = vault_reader_erased(reader);
    vault_reader_close(&reader);
    return status;
}

static void expect_rows(const struct vault_dataset *dataset, size_t expected,
                        uint64_t expected_erased)
{
    struct vault_request request = request_for(dataset);
    size_t count, wrong;
    uint64_t erased;

    error_init(&err);
    CU_ASSERT_EQUAL(read_request(&request, &count, &wrong, &erased), OK);
    CU_ASSERT_EQUAL(count, expected);
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(erased, expected_erased);
    CU_ASSERT_EQUAL(access_log.count, expected);
}

/* Refused with words that name dataset and row, and no cell. */
static void expect_altered(const struct vault_dataset *dataset,
                           const char *words)
{
    struct vault_request request = request_for(dataset);
    char hex[DATASET_ID_HEX_SIZE];
    size_t count, wrong;
    uint64_t erased;

    error_init(&err);
    CU_ASSERT_EQUAL(read_request(&request, &count, &wrong, &erased), E_INPUT);
    CU_ASSERT_EQUAL(wrong, 0);
    dataset_id_hex(&dataset->id, hex);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, hex));
    if (strstr(err.text, words) == NULL)
        fprintf(stderr, "\n\"%s\" is not in: %s\n", words, err.text);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, words));
    CU_ASSERT_PTR_NULL(strstr(err.text, "flu"));
}

static void sql(const char *statement)
{
    sqlite3 *db = NULL;
    char *words = NULL;

    vault_close(&vault);
    CU_ASSERT_EQUAL_FATAL(sqlite3_open(database, &db), SQLITE_OK);
    if (sqlite3_exec(db, statement, NULL, NULL, &words) != SQLITE_OK)
        fprintf(stderr, "\n%s: %s\n", statement, words);
    CU_ASSERT_PTR_NULL_FATAL(words);
    sqlite3_close(db);
    open_vault();
}

/* ---- there and back ---- */

static void rows_come_back_as_they_went_in_and_in_their_order(void)
{
    struct vault_dataset dataset, found;
    struct vault_schema back;
    bool there = false;

    begin();
    dataset = ingest_all();
    CU_ASSERT_EQUAL(dataset.rows, ROWS);
    expect_rows(&dataset, ROWS, 0);
    vault_close(&vault);
    open_vault();
    CU_ASSERT_EQUAL(vault_find(vault, &dataset.id, &found, &there, &err), OK);
    CU_ASSERT(there);
    CU_ASSERT_EQUAL(memcmp(&found, &dataset, sizeof found), 0);
    CU_ASSERT_EQUAL_FATAL(vault_find_schema(vault, &dataset.id, &back, &err),
                          OK);
    CU_ASSERT_STRING_EQUAL(back.column[1], "note");
    vault_schema_clear(&back);
    expect_rows(&dataset, ROWS, 0);
    end();
}

static void only_permitted_rows_are_given_and_accessed(void)
{
    struct vault_dataset dataset;
    struct vault_request request;
    size_t count, wrong;
    uint64_t erased;

    begin();
    dataset = ingest_all();
    request = request_for(&dataset);
    request.permitted = &subjects[1];
    request.permitted_count = 1;
    CU_ASSERT_EQUAL(read_request(&request, &count, &wrong, &erased), OK);
    CU_ASSERT_EQUAL(count, 1);
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(access_log.calls, 1);
    CU_ASSERT_EQUAL(access_log.count, 1);
    CU_ASSERT_EQUAL(subject_id_compare(&access_log.last, &subjects[1]), 0);
    request = request_for(&dataset);
    request.permitted_count = 0;
    CU_ASSERT_EQUAL(read_request(&request, &count, &wrong, &erased), OK);
    CU_ASSERT_EQUAL(count, 0);
    CU_ASSERT_EQUAL(access_log.calls, 0);
    end();
}

static void subject_with_several_rows_gets_all_of_them(void)
{
    struct vault_ingest *ingest;
    struct vault_dataset dataset;
    struct vault_request request;
    size_t count, wrong;
    uint64_t erased;

    begin();
    ingest = start();
    for (int i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(add_row(ingest, 0), OK);
    CU_ASSERT_EQUAL_FATAL(vault_ingest_finish(&ingest, &dataset, &err), OK);
    request = request_for(&dataset);
    CU_ASSERT_EQUAL(read_request(&request, &count, &wrong, &erased), OK);
    CU_ASSERT_EQUAL(count, 3);
    end();
}

/* More than two batches, with rows of many sizes. */
static void many_rows_take_several_batches(void)
{
    enum { MANY = 2 * VAULT_BATCH_ROWS + 7 };
    static char filler[5000];
    struct subject_id *subject = calloc(MANY, sizeof *subject);
    struct vault_ingest *ingest;
    struct vault_dataset dataset;
    struct vault_request request;
    struct vault_reader *reader = NULL;
    const struct vault_row *row;
    uint64_t count = 0, wrong = 0;

    begin();
    CU_ASSERT_PTR_NOT_NULL_FATAL(subject);
    memset(filler, 'x', sizeof filler);
    ingest = start();
    for (uint32_t i = 0; i < MANY; i++) {
        struct bytes cell[2] = {bytes_of(&subject[i], 0),
                                bytes_of(filler, i % sizeof filler)};

        put_be32(subject[i].byte, i);
        CU_ASSERT_EQUAL_FATAL(
            vault_ingest_add(ingest, &subject[i], cell, 2, &err), OK);
    }
    CU_ASSERT_EQUAL_FATAL(vault_ingest_finish(&ingest, &dataset, &err), OK);
    CU_ASSERT_EQUAL(dataset.rows, MANY);
    request = request_for(&dataset);
    request.permitted = subject;
    request.permitted_count = MANY;
    CU_ASSERT_EQUAL_FATAL(
        vault_reader_open(&reader, vault, keyring, &request, &err), OK);
    for (;; count++) {
        CU_ASSERT_EQUAL_FATAL(vault_reader_next(reader, &row, &err), OK);
        if (row == NULL)
            break;
        wrong += row->number != count || get_be32(row->subject.byte) != count ||
                 row->cell[1].size != count % sizeof filler;
    }
    CU_ASSERT_EQUAL(count, MANY);
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT(access_log.calls > 2);
    CU_ASSERT_EQUAL(access_log.count, MANY);
    vault_reader_close(&reader);
    free(subject);
    end();
}

static void longest_row_fits_and_a_longer_one_is_refused(void)
{
    static char many[TABLE_COLUMNS_MAX][8];
    static char *names[TABLE_COLUMNS_MAX];
    struct vault_schema wide = schema;
    struct vault_ingest *ingest = NULL;
    struct vault_dataset dataset;
    struct vault_request request;
    struct bytes cell[18];
    size_t count, wrong;
    uint64_t erased;
    char *field = calloc(1, CSV_FIELD_MAX + 1);

    begin();
    CU_ASSERT_PTR_NOT_NULL_FATAL(field);
    memset(field, 'x', CSV_FIELD_MAX + 1);
    for (size_t c = 0; c < 18; c++) {
        snprintf(many[c], sizeof many[c], "c%zu", c);
        names[c] = many[c];
        cell[c] = bytes_of(field, c < 16 ? CSV_FIELD_MAX : 0);
    }
    wide.column = names;
    wide.column_count = 18;
    for (int round = 0; round < 3; round++) {
        CU_ASSERT_EQUAL_FATAL(
            vault_ingest_begin(&ingest, vault, keyring, &wide, &err), OK);
        error_init(&err);
        cell[17] = bytes_of(field, round == 0 ? 0 : 1);
        cell[0] =
            bytes_of(field, round < 2 ? CSV_FIELD_MAX : CSV_FIELD_MAX + 1);
        CU_ASSERT_EQUAL(vault_ingest_add(ingest, &subjects[0], cell, 18, &err),
                        round == 0 ? OK : E_LIMIT);
        if (round > 0)
            CU_ASSERT_PTR_NOT_NULL(
                strstr(err.text, round == 1 ? "row 0: more than 16777216 bytes"
                                            : "row 0, column 1: 1048577"));
        if (round > 0)
            vault_ingest_discard(&ingest);
        else
            CU_ASSERT_EQUAL(vault_ingest_finish(&ingest, &dataset, &err), OK);
    }
    request = request_for(&dataset);
    CU_ASSERT_EQUAL(read_request(&request, &count, &wrong, &erased), OK);
    CU_ASSERT_EQUAL(count, 1);
    free(field);
    end();
}

/* ---- what a dataset is, by hand ---- */

struct stored_row {
    uint8_t subject[16], key_id[16], token[16], commitment[32], leaf[32];
    uint8_t sealed[256];
    size_t sealed_size;
};

static void fetch_stored(struct stored_row *stored)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;

    CU_ASSERT_EQUAL_FATAL(sqlite3_open(database, &db), SQLITE_OK);
    CU_ASSERT_EQUAL_FATAL(
        sqlite3_prepare_v2(db,
                           "SELECT subject, key, token, commitment, leaf,"
                           " sealed FROM row ORDER BY place",
                           -1, &statement, NULL),
        SQLITE_OK);
    for (size_t i = 0; i < ROWS; i++) {
        struct stored_row *row = &stored[i];
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

/* Commitment, leaf and plain text as vault.h writes them down. */
static void check_stored(const struct vault_dataset *dataset, size_t number,
                         const struct stored_row *row)
{
    static const char tag[16] = "anchorite row 1";
    struct wrapped_key wrapped;
    struct subject_key key;
    struct seal *seal = NULL;
    struct digest sealed, leaf;
    struct text message;
    uint8_t number_bytes[8], commitment[32], plain[256], expected[256];
    size_t size = 0;
    bool found;

    CU_ASSERT_EQUAL(keyring_find(keyring, &subjects[rows[number].subject],
                                 &wrapped, &found, &err),
                    OK);
    CU_ASSERT_EQUAL(memcmp(wrapped.id, row->key_id, 16), 0);
    CU_ASSERT_EQUAL(keyring_unwrap(keyring, &subjects[rows[number].subject],
                                   &wrapped, &key, &err),
                    OK);
    CU_ASSERT_EQUAL(
        digest_bytes(&sealed, bytes_of(row->sealed, row->sealed_size), &err),
        OK);
    put_be64(number_bytes, number);
    text_init(&message);
    CU_ASSERT(text_append(&message, tag, 16, &err) == OK &&
              text_append(&message, dataset->id.byte, 16, &err) == OK &&
              text_append(&message, dataset->schema.byte, 32, &err) == OK &&
              text_append(&message, number_bytes, 8, &err) == OK &&
              text_append(&message, row->subject, 16, &err) == OK &&
              text_append(&message, row->key_id, 16, &err) == OK &&
              text_append(&message, row->token, 16, &err) == OK &&
              text_append(&message, sealed.byte, 32, &err) == OK);
    CU_ASSERT_EQUAL(hmac_sha256(bytes_of(key.salt, 32), text_bytes(&message),
                                commitment, &err),
                    OK);
    CU_ASSERT_EQUAL(memcmp(commitment, row->commitment, 32), 0);
    text_reset(&message);
    CU_ASSERT(text_append(&message, "\0", 1, &err) == OK &&
              text_append(&message, commitment, 32, &err) == OK &&
              text_append(&message, row->subject, 16, &err) == OK &&
              text_append(&message, row->key_id, 16, &err) == OK &&
              text_append(&message, row->token, 16, &err) == OK &&
              text_append(&message, sealed.byte, 32, &err) == OK);
    CU_ASSERT_EQUAL(digest_bytes(&leaf, text_bytes(&message), &err), OK);
    CU_ASSERT_EQUAL(memcmp(leaf.byte, row->leaf, 32), 0);
    text_reset(&message);
    CU_ASSERT(text_append(&message, dataset->id.byte, 16, &err) == OK &&
              text_append(&message, row->token, 16, &err) == OK &&
              text_append(&message, dataset->schema.byte, 32, &err) == OK);
    CU_ASSERT_EQUAL(seal_create(&seal, &err), OK);
    CU_ASSERT_EQUAL(seal_open(seal, key.key, text_bytes(&message),
                              bytes_of(row->sealed, row->sealed_size), plain,
                              &err),
                    OK);
    for (size_t c = 0; c < 2; c++) {
        size_t cell = strlen(rows[number].cell[c]);

        put_be32(expected + size, (uint32_t)cell);
        memcpy(expected + size + 4, rows[number].cell[c], cell);
        size += 4 + cell;
    }
    CU_ASSERT_EQUAL(row->sealed_size, size + SEAL_EXTRA);
    CU_ASSERT_EQUAL(memcmp(plain, expected, size), 0);
    seal_destroy(&seal);
    text_clear(&message);
}

static void statement_is_what_a_hand_computes_from_the_rows(void)
{
    struct stored_row stored[ROWS];
    struct vault_dataset dataset;
    struct digest left, root, leaf[ROWS];
    char id[DATASET_ID_HEX_SIZE], root_hex[DIGEST_HEX_SIZE];
    char expected[512];
    struct text text;

    begin();
    text_init(&text);
    dataset = ingest_all();
    vault_close(&vault);
    fetch_stored(stored);
    for (size_t i = 0; i < ROWS; i++) {
        check_stored(&dataset, i, &stored[i]);
        memcpy(leaf[i].byte, stored[i].leaf, 32);
    }
    merkle_node(&left, &leaf[0], &leaf[1]);
    merkle_node(&root, &left, &leaf[2]);
    CU_ASSERT_EQUAL(memcmp(&root, &dataset.root, sizeof root), 0);
    dataset_id_hex(&dataset.id, id);
    digest_hex(&root, root_hex);
    /* SHA-256 of {"columns":["age","note"],"delimiter":";","missing":[],
     * "newline":"\n","schema":1,"subject":"patient"}, by sha256sum. */
    snprintf(expected, sizeof expected,
             "{\"dataset\":\"%s\",\"root\":\"%s\",\"rows\":3,\"schema\":\""
             "dc0cacabc4778bbf0bef76affeac4f09a41b6a43e3e6451e0c9718fc42f98f8b"
             "\",\"statement\":\"dataset 1\"}",
             id, root_hex);
    CU_ASSERT_EQUAL(vault_dataset_statement(&dataset, &text, &err), OK);
    CU_ASSERT_STRING_EQUAL(text.data, expected);
    text_clear(&text);
    end();
}

static void vault_db_holds_no_cell_and_is_for_its_owner_alone(void)
{
    struct text file;
    struct stat is;

    begin();
    ingest_all();
    CU_ASSERT_EQUAL(stat(database, &is), 0);
    CU_ASSERT_EQUAL(is.st_mode & 07777, 0600);
    vault_close(&vault);
    text_init(&file);
    CU_ASSERT_EQUAL(file_read(database, 1u << 24, &file, &err), OK);
    CU_ASSERT_PTR_NULL(memmem(file.data, file.size, "quoted", 6));
    CU_ASSERT_PTR_NULL(memmem(file.data, file.size, "caf\xc3\xa9", 5));
    text_clear(&file);
    end();
}

/* ---- access ---- */

static void without_a_recorded_access_no_row_is_opened(void)
{
    struct vault_dataset dataset;
    struct vault_request request;
    size_t count, wrong;
    uint64_t erased;

    begin();
    dataset = ingest_all();
    request = request_for(&dataset);
    access_log.answer = E_IO;
    CU_ASSERT_EQUAL(read_request(&request, &count, &wrong, &erased), E_IO);
    CU_ASSERT_EQUAL(count, 0);
    CU_ASSERT_STRING_EQUAL(err.text,
                           "access to rows is not recorded: the disk is full");
    end();
}

static void second_pass_announces_nothing_again(void)
{
    struct vault_dataset dataset;
    struct vault_request request;
    struct vault_reader *reader = NULL;
    const struct vault_row *row;

    begin();
    dataset = ingest_all();
    request = request_for(&dataset);
    CU_ASSERT_EQUAL_FATAL(
        vault_reader_open(&reader, vault, keyring, &request, &err), OK);
    CU_ASSERT_EQUAL(access_log.calls, 0);
    for (int pass = 0; pass < 3; pass++) {
        for (size_t i = 0; i < ROWS; i++) {
            CU_ASSERT_EQUAL(vault_reader_next(reader, &row, &err), OK);
            CU_ASSERT_PTR_NOT_NULL_FATAL(row);
            CU_ASSERT(is_row(row));
        }
        CU_ASSERT_EQUAL(vault_reader_next(reader, &row, &err), OK);
        CU_ASSERT_PTR_NULL(row);
        CU_ASSERT_EQUAL(access_log.calls, 1);
        vault_reader_rewind(reader);
    }
    vault_reader_close(&reader);
    end();
}

/* ---- erasing ---- */

static void rows_of_erased_subjects_are_left_out_and_counted(void)
{
    struct vault_dataset dataset;
    uint64_t erased;

    begin();
    dataset = ingest_all();
    CU_ASSERT_EQUAL(keyring_erase(keyring, &subjects[0], 1, &erased, &err), OK);
    expect_rows(&dataset, 2, 1);
    /* Who comes back does not get the old rows back. */
    CU_ASSERT_EQUAL(keyring_add(keyring, &subjects[0], 1, &err), OK);
    expect_rows(&dataset, 2, 1);
    CU_ASSERT_EQUAL(keyring_erase(keyring, subjects, SUBJECTS, &erased, &err),
                    OK);
    expect_rows(&dataset, 0, 3);
    end();
}

/* ---- what is refused ---- */

static void rows_that_do_not_fit_are_refused_by_number(void)
{
    static const struct {
        struct bytes cell[3];
        size_t count;
        const char *words;
    } wrong[] = {
        {{{(const uint8_t *)"1", 1}}, 1, "row 1: 1 cells, expected 2"},
        {{{(const uint8_t *)"1", 1},
          {(const uint8_t *)"1", 1},
          {(const uint8_t *)"1", 1}},
         3,
         "row 1: 3 cells, expected 2"},
        {{{(const uint8_t *)"1", 1}, {(const uint8_t *)"flu\xff", 4}},
         2,
         "row 1, column 2: is not UTF-8 without NUL"},
        {{{(const uint8_t *)"f\0u", 3}, {(const uint8_t *)"1", 1}},
         2,
         "row 1, column 1: is not UTF-8 without NUL"},
    };

    begin();
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct vault_ingest *ingest = start();

        CU_ASSERT_EQUAL(add_row(ingest, 0), OK);
        CU_ASSERT_EQUAL(vault_ingest_add(ingest, &subjects[0], wrong[i].cell,
                                         wrong[i].count, &err),
                        E_INPUT);
        CU_ASSERT_STRING_EQUAL(err.text, wrong[i].words);
        vault_ingest_discard(&ingest);
        CU_ASSERT_PTR_NULL(ingest);
    }
    vault_ingest_discard(&(struct vault_ingest *){NULL});
    end();
}

static void dataset_without_rows_is_refused(void)
{
    struct vault_ingest *ingest;
    struct vault_dataset dataset;

    begin();
    ingest = start();
    CU_ASSERT_EQUAL(vault_ingest_finish(&ingest, &dataset, &err), E_INPUT);
    CU_ASSERT_PTR_NULL(ingest);
    CU_ASSERT_STRING_EQUAL(err.text, "a dataset without rows");
    end();
}

static void schema_that_no_table_has_is_refused(void)
{
    struct vault_ingest *ingest = NULL;
    struct vault_schema bad = schema;

    begin();
    bad.column_count = 0;
    CU_ASSERT_EQUAL(vault_ingest_begin(&ingest, vault, keyring, &bad, &err),
                    E_INPUT);
    CU_ASSERT_PTR_NULL(ingest);
    end();
}

static void unknown_datasets_are_refused(void)
{
    struct vault_dataset dataset = {.id = {{5}}};
    struct vault_schema back;
    struct dataset_id id = {{9}};
    bool found = true;

    begin();
    CU_ASSERT_EQUAL(vault_find(vault, &dataset.id, &dataset, &found, &err), OK);
    CU_ASSERT(!found);
    CU_ASSERT_EQUAL(vault_find_schema(vault, &dataset.id, &back, &err),
                    E_INPUT);
    expect_altered(&dataset, "there is none");
    CU_ASSERT(!dataset_id_parse(&id, bytes_of_string("05")));
    CU_ASSERT_EQUAL(id.byte[0], 9);
    CU_ASSERT(dataset_id_parse(
        &id, bytes_of_string("05000000000000000000000000000000")));
    CU_ASSERT_EQUAL(memcmp(&id, &dataset.id, sizeof id), 0);
    end();
}

static void permitted_subjects_out_of_order_are_refused(void)
{
    const struct subject_id wrong[][2] = {{{{2}}, {{1}}}, {{{1}}, {{1}}}};
    struct vault_dataset dataset;
    size_t count, bad;
    uint64_t erased;

    begin();
    dataset = ingest_all();
    for (size_t i = 0; i < 2; i++) {
        struct vault_request request = request_for(&dataset);

        request.permitted = wrong[i];
        request.permitted_count = 2;
        CU_ASSERT_EQUAL(read_request(&request, &count, &bad, &erased), E_INPUT);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "ascending order"));
        CU_ASSERT_EQUAL(access_log.calls, 0);
    }
    end();
}

/* ---- all or nothing ---- */

static size_t stored_rows(void)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    size_t count;

    vault_close(&vault);
    CU_ASSERT_EQUAL_FATAL(sqlite3_open(database, &db), SQLITE_OK);
    CU_ASSERT_EQUAL_FATAL(
        sqlite3_prepare_v2(db,
                           "SELECT (SELECT count(*) FROM row) +"
                           " (SELECT count(*) FROM dataset)",
                           -1, &statement, NULL),
        SQLITE_OK);
    CU_ASSERT_EQUAL_FATAL(sqlite3_step(statement), SQLITE_ROW);
    count = (size_t)sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    open_vault();
    return count;
}

static void ingest_that_is_discarded_leaves_nothing(void)
{
    struct vault_ingest *ingest, *second;
    struct vault_dataset dataset;

    begin();
    ingest = start();
    second = start();
    for (size_t i = 0; i < VAULT_BATCH_ROWS + 1; i++)
        CU_ASSERT_EQUAL(add_row(ingest, 0), OK);
    for (size_t i = 0; i < ROWS; i++)
        CU_ASSERT_EQUAL(add_row(second, i), OK);
    vault_ingest_discard(&ingest);
    CU_ASSERT_EQUAL(vault_ingest_finish(&second, &dataset, &err), OK);
    CU_ASSERT_EQUAL(stored_rows(), ROWS + 1);
    expect_rows(&dataset, ROWS, 0);
    end();
}

static void what_a_killed_ingest_has_left_goes_at_the_next_open(void)
{
    struct vault_dataset dataset;

    begin();
    dataset = ingest_all();
    sql("INSERT INTO dataset VALUES(2, zeroblob(16), x'7b7d', 0, x'', 0);"
        "INSERT INTO row SELECT place + (1 << 32), subject, key, token,"
        " commitment, leaf, sealed FROM row");
    CU_ASSERT_EQUAL(stored_rows(), ROWS + 1);
    expect_rows(&dataset, ROWS, 0);
    end();
}

/* ---- what was altered ---- */

static void altered_rows_are_named_and_never_shown(void)
{
    static const struct {
        const char *change, *words;
    } changes[] = {
        /* 4294967296 is row 0 of the first dataset. */
        {"UPDATE row SET sealed = substr(sealed, 1, length(sealed) - 1) WHERE"
         " place = 4294967297",
         "row 1: was altered"},
        {"UPDATE row SET sealed = x'' WHERE place = 4294967296",
         "row 0: was altered"},
        {"UPDATE row SET token = zeroblob(16) WHERE place = 4294967298",
         "row 2: was altered"},
        {"UPDATE row SET token = zeroblob(15) WHERE place = 4294967298",
         "row 2: was altered"},
        {"UPDATE row SET key = zeroblob(16) WHERE place = 4294967298",
         "row 2: was altered"},
        {"UPDATE row SET subject = zeroblob(16) WHERE place = 4294967296",
         "row 0: was altered"},
        {"UPDATE row SET commitment = zeroblob(32) WHERE place = 4294967296",
         "row 0: was altered"},
        {"UPDATE row SET leaf = zeroblob(32) WHERE place = 4294967297",
         "row 1: was altered"},
        {"DELETE FROM row WHERE place = 4294967296", "row 0: is missing"},
        {"DELETE FROM row WHERE place = 4294967297", "row 1: is missing"},
        {"DELETE FROM row WHERE place = 4294967298", "row 2: is missing"},
        {"INSERT INTO row SELECT place + 1, subject, key, token, commitment,"
         " leaf, sealed FROM row WHERE place = 4294967298",
         "row 3: is one too many"},
        /* Two rows changed places, whole. */
        {"UPDATE row SET place = 7 WHERE place = 4294967296;"
         "UPDATE row SET place = 4294967296 WHERE place = 4294967297;"
         "UPDATE row SET place = 4294967297 WHERE place = 7",
         "row 0: does not have its commitment"},
        {"UPDATE dataset SET root = zeroblob(32)",
         "its rows do not have its root"},
        {"UPDATE dataset SET row_count = 2", "row 2: is one too many"},
        {"UPDATE dataset SET row_count = 4", "row 3: is missing"},
        {"UPDATE dataset SET row_count = 0", "was altered"},
        {"UPDATE dataset SET row_count = -1", "was altered"},
        {"UPDATE dataset SET root = zeroblob(31)", "was altered"},
        {"UPDATE dataset SET schema = x'7b7d'", "its schema was altered"},
        /* A schema of the same shape: the digest is another one. */
        {"UPDATE dataset SET schema = CAST(replace(CAST(schema AS TEXT),"
         " 'age', 'agf') AS BLOB)",
         "row 0: does not have its commitment"},
    };

    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        struct vault_dataset dataset;

        begin();
        dataset = ingest_all();
        sql(changes[i].change);
        expect_altered(&dataset, changes[i].words);
        end();
    }
}

/* Without row 0 of the second, and with the first's in its place: the leaf fits
 * by itself, and the same subject's key is the right one. */
static void row_of_another_dataset_is_noticed(void)
{
    struct vault_dataset first, second;

    begin();
    first = ingest_all();
    second = ingest_all();
    sql("DELETE FROM row WHERE place = 8589934592;"
        "INSERT INTO row SELECT 8589934592, subject, key, token, commitment,"
        " leaf, sealed FROM row WHERE place = 4294967296");
    expect_rows(&first, ROWS, 0);
    expect_altered(&second, "row 0: does not have its commitment");
    end();
}

/* Somebody who makes a row look erased, and computes its leaf anew. */
static void row_that_only_looks_erased_is_noticed(void)
{
    struct stored_row stored[ROWS];
    struct vault_dataset dataset;
    struct digest sealed, leaf;
    struct text message;
    uint8_t zeros[16] = {0};
    char hex[65], change[256];

    begin();
    dataset = ingest_all();
    vault_close(&vault);
    fetch_stored(stored);
    text_init(&message);
    CU_ASSERT_EQUAL(
        digest_bytes(&sealed, bytes_of(stored[2].sealed, stored[2].sealed_size),
                     &err),
        OK);
    CU_ASSERT(text_append(&message, stored[2].commitment, 32, &err) == OK &&
              text_append(&message, stored[2].subject, 16, &err) == OK &&
              text_append(&message, zeros, 16, &err) == OK &&
              text_append(&message, stored[2].token, 16, &err) == OK &&
              text_append(&message, sealed.byte, 32, &err) == OK);
    merkle_leaf(&leaf, text_bytes(&message));
    digest_hex(&leaf, hex);
    text_clear(&message);
    snprintf(change, sizeof change,
             "UPDATE row SET key = zeroblob(16), leaf = x'%s' WHERE place = "
             "4294967298",
             hex);
    open_vault();
    sql(change);
    expect_altered(&dataset, "its rows do not have its root");
    end();
}

/* Any bit of the file: an error, or all rows as they were, or, where the bit is
 * one of the dataset's own name, no such dataset. */
static void no_flipped_bit_gives_a_wrong_row(void)
{
    struct random random;
    struct vault_dataset dataset;
    struct text file;
    size_t noticed = 0;

    random_init(&random, fixture_seed("no flipped bit gives a wrong row"));
    begin();
    dataset = ingest_all();
    /* Small pages: less to go through. */
    sql("PRAGMA journal_mode = DELETE; PRAGMA page_size = 512; VACUUM;");
    vault_close(&vault);
    text_init(&file);
    CU_ASSERT_EQUAL_FATAL(file_read(database, 1u << 20, &file, &err), OK);
    for (size_t at = 0; at < file.size; at++) {
        struct vault_request request = request_for(&dataset);
        char bit = (char)(1u << random_below(&random, 8));
        size_t count = 0, wrong = 0;
        uint64_t erased = 0;
        FILE *to = fopen(database, "w");
        enum status status;

        CU_ASSERT_PTR_NOT_NULL_FATAL(to);
        file.data[at] = (char)(file.data[at] ^ bit);
        CU_ASSERT_EQUAL(fwrite(file.data, 1, file.size, to), file.size);
        CU_ASSERT_EQUAL(fclose(to), 0);
        file.data[at] = (char)(file.data[at] ^ bit);
        error_init(&err);
        status = vault_open(&vault, database, &err);
        if (status == OK)
            status = read_request(&request, &count, &wrong, &erased);
        vault_close(&vault);
        unlink(scratch_path(&scratch, "vault.db-wal"));
        unlink(scratch_path(&scratch, "vault.db-journal"));
        noticed += status != OK;
        if (wrong > 0 || (status == OK && (count != ROWS || erased != 0)))
            fprintf(stderr, "\nbyte %zu, bit %02x: %zu rows, %zu wrong\n", at,
                    (unsigned char)bit, count, wrong);
        CU_ASSERT_EQUAL(wrong, 0);
        CU_ASSERT(status != OK || (count == ROWS && erased == 0));
        CU_ASSERT_PTR_NULL(strstr(err.text, "flu"));
    }
    /* All bits of sealed, token, commitment, ... and many more. */
    CU_ASSERT(noticed > ROWS * 200);
    text_clear(&file);
    end();
}

void suite_vault(void)
{
    static const struct test tests[] = {
        {"rows come back as they went in, in their order",
         rows_come_back_as_they_went_in_and_in_their_order},
        {"only permitted rows are given, and accessed",
         only_permitted_rows_are_given_and_accessed},
        {"a subject with several rows gets all of them",
         subject_with_several_rows_gets_all_of_them},
        {"many rows take several batches", many_rows_take_several_batches},
        {"the longest row fits, and a longer one is refused",
         longest_row_fits_and_a_longer_one_is_refused},
        {"the statement is what a hand computes from the rows",
         statement_is_what_a_hand_computes_from_the_rows},
        {"vault.db holds no cell, and is for its owner alone",
         vault_db_holds_no_cell_and_is_for_its_owner_alone},
        {"without a recorded access no row is opened",
         without_a_recorded_access_no_row_is_opened},
        {"a second pass announces nothing again",
         second_pass_announces_nothing_again},
        {"rows of erased subjects are left out, and counted",
         rows_of_erased_subjects_are_left_out_and_counted},
        {"rows that do not fit are refused by number",
         rows_that_do_not_fit_are_refused_by_number},
        {"a dataset without rows is refused", dataset_without_rows_is_refused},
        {"a schema that no table has is refused",
         schema_that_no_table_has_is_refused},
        {"unknown datasets are refused", unknown_datasets_are_refused},
        {"permitted subjects out of order are refused",
         permitted_subjects_out_of_order_are_refused},
        {"an ingest that is discarded leaves nothing",
         ingest_that_is_discarded_leaves_nothing},
        {"what a killed ingest has left goes at the next open",
         what_a_killed_ingest_has_left_goes_at_the_next_open},
        {"altered rows are named, and never shown",
         altered_rows_are_named_and_never_shown},
        {"a row of another dataset is noticed",
         row_of_another_dataset_is_noticed},
        {"a row that only looks erased is noticed",
         row_that_only_looks_erased_is_noticed},
        {"no flipped bit gives a wrong row", no_flipped_bit_gives_a_wrong_row},
    };

    suite_add("vault", tests, sizeof tests / sizeof tests[0]);
}
