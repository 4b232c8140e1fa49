#include "anonymizer/vault.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/encoding.h"
#include "common/files.h"
#include "common/limits.h"
#include "common/merkle.h"
#include "common/seal.h"
#include "common/sign.h"
#include "tests/lib/suite.h"
#include "tests/lib/vault_box.h"

void suite_vault(void);

/* ---- there and back ---- */

static void rows_come_back_as_they_went_in_and_in_their_order(void)
{
    struct vault_dataset dataset, found;
    struct vault_schema back;
    bool there = false;

    vault_box_open();
    dataset = vault_box_fill();
    CU_ASSERT_EQUAL(dataset.rows, BOX_ROWS);
    vault_box_expect(&dataset, BOX_ROWS, 0);
    vault_close(&box.vault);
    vault_box_open_vault();
    CU_ASSERT_EQUAL(
        vault_find(box.vault, &dataset.id, &found, &there, &box.err), OK);
    CU_ASSERT(there);
    CU_ASSERT_EQUAL(memcmp(&found, &dataset, sizeof found), 0);
    CU_ASSERT_EQUAL_FATAL(
        vault_find_schema(box.vault, &dataset.id, &back, &box.err), OK);
    CU_ASSERT_STRING_EQUAL(back.column[1], "note");
    vault_schema_clear(&back);
    vault_box_expect(&dataset, BOX_ROWS, 0);
    vault_box_close();
}

static void only_permitted_rows_are_given_and_accessed(void)
{
    struct vault_dataset dataset;
    struct vault_request request;
    size_t count, wrong;
    uint64_t erased;

    vault_box_open();
    dataset = vault_box_fill();
    request = vault_box_request(&dataset);
    request.permitted = &box_subjects[1];
    request.permitted_count = 1;
    CU_ASSERT_EQUAL(vault_box_read(&request, &count, &wrong, &erased), OK);
    CU_ASSERT_EQUAL(count, 1);
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(box.access.calls, 1);
    CU_ASSERT_EQUAL(box.access.count, 1);
    CU_ASSERT_EQUAL(subject_id_compare(&box.access.last, &box_subjects[1]), 0);
    request = vault_box_request(&dataset);
    request.permitted_count = 0;
    CU_ASSERT_EQUAL(vault_box_read(&request, &count, &wrong, &erased), OK);
    CU_ASSERT_EQUAL(count, 0);
    CU_ASSERT_EQUAL(box.access.calls, 0);
    vault_box_close();
}

static void subject_with_several_rows_gets_all_of_them(void)
{
    struct vault_ingest *ingest;
    struct vault_dataset dataset;
    struct vault_request request;
    size_t count, wrong;
    uint64_t erased;

    vault_box_open();
    ingest = vault_box_start();
    for (int i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(vault_box_add(ingest, 0), OK);
    CU_ASSERT_EQUAL_FATAL(vault_ingest_finish(&ingest, &dataset, &box.err), OK);
    request = vault_box_request(&dataset);
    CU_ASSERT_EQUAL(vault_box_read(&request, &count, &wrong, &erased), OK);
    CU_ASSERT_EQUAL(count, 3);
    vault_box_close();
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

    vault_box_open();
    CU_ASSERT_PTR_NOT_NULL_FATAL(subject);
    memset(filler, 'x', sizeof filler);
    ingest = vault_box_start();
    for (uint32_t i = 0; i < MANY; i++) {
        struct bytes cell[2] = {bytes_of(&subject[i], 0),
                                bytes_of(filler, i % sizeof filler)};

        put_be32(subject[i].byte, i);
        CU_ASSERT_EQUAL_FATAL(
            vault_ingest_add(ingest, &subject[i], cell, 2, &box.err), OK);
    }
    CU_ASSERT_EQUAL_FATAL(vault_ingest_finish(&ingest, &dataset, &box.err), OK);
    CU_ASSERT_EQUAL(dataset.rows, MANY);
    request = vault_box_request(&dataset);
    request.permitted = subject;
    request.permitted_count = MANY;
    CU_ASSERT_EQUAL_FATAL(
        vault_reader_open(&reader, box.vault, box.keyring, &request, &box.err),
        OK);
    for (;; count++) {
        CU_ASSERT_EQUAL_FATAL(vault_reader_next(reader, &row, &box.err), OK);
        if (row == NULL)
            break;
        wrong += row->number != count || get_be32(row->subject.byte) != count ||
                 row->cell[1].size != count % sizeof filler;
    }
    CU_ASSERT_EQUAL(count, MANY);
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT(box.access.calls > 2);
    CU_ASSERT_EQUAL(box.access.count, MANY);
    vault_reader_close(&reader);
    free(subject);
    vault_box_close();
}

static void longest_row_fits_and_a_longer_one_is_refused(void)
{
    static char many[TABLE_COLUMNS_MAX][8];
    static char *names[TABLE_COLUMNS_MAX];
    struct vault_schema wide = box_schema;
    struct vault_ingest *ingest = NULL;
    struct vault_dataset dataset;
    struct vault_request request;
    struct bytes cell[18];
    size_t count, wrong;
    uint64_t erased;
    char *field = calloc(1, CSV_FIELD_MAX + 1);

    vault_box_open();
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
        CU_ASSERT_EQUAL_FATAL(vault_ingest_begin(&ingest, box.vault,
                                                 box.keyring, &wide, &box.err),
                              OK);
        error_init(&box.err);
        cell[17] = bytes_of(field, round == 0 ? 0 : 1);
        cell[0] =
            bytes_of(field, round < 2 ? CSV_FIELD_MAX : CSV_FIELD_MAX + 1);
        CU_ASSERT_EQUAL(
            vault_ingest_add(ingest, &box_subjects[0], cell, 18, &box.err),
            round == 0 ? OK : E_LIMIT);
        if (round > 0)
            CU_ASSERT_PTR_NOT_NULL(strstr(
                box.err.text, round == 1 ? "row 0: more than 16777216 bytes"
                                         : "row 0, column 1: 1048577"));
        if (round > 0)
            vault_ingest_discard(&ingest);
        else
            CU_ASSERT_EQUAL(vault_ingest_finish(&ingest, &dataset, &box.err),
                            OK);
    }
    request = vault_box_request(&dataset);
    CU_ASSERT_EQUAL(vault_box_read(&request, &count, &wrong, &erased), OK);
    CU_ASSERT_EQUAL(count, 1);
    free(field);
    vault_box_close();
}

/* ---- what a dataset is, by hand ---- */

/* Commitment, leaf and plain text as vault.h writes them down. */
static void check_stored(const struct vault_dataset *dataset, size_t number,
                         const struct box_stored *row)
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

    CU_ASSERT_EQUAL(keyring_find(box.keyring,
                                 &box_subjects[box_rows[number].subject],
                                 &wrapped, &found, &box.err),
                    OK);
    CU_ASSERT_EQUAL(memcmp(wrapped.id, row->key_id, 16), 0);
    CU_ASSERT_EQUAL(keyring_unwrap(box.keyring,
                                   &box_subjects[box_rows[number].subject],
                                   &wrapped, &key, &box.err),
                    OK);
    CU_ASSERT_EQUAL(digest_bytes(&sealed,
                                 bytes_of(row->sealed, row->sealed_size),
                                 &box.err),
                    OK);
    put_be64(number_bytes, number);
    text_init(&message);
    CU_ASSERT(text_append(&message, tag, 16, &box.err) == OK &&
              text_append(&message, dataset->id.byte, 16, &box.err) == OK &&
              text_append(&message, dataset->schema.byte, 32, &box.err) == OK &&
              text_append(&message, number_bytes, 8, &box.err) == OK &&
              text_append(&message, row->subject, 16, &box.err) == OK &&
              text_append(&message, row->key_id, 16, &box.err) == OK &&
              text_append(&message, row->token, 16, &box.err) == OK &&
              text_append(&message, sealed.byte, 32, &box.err) == OK);
    CU_ASSERT_EQUAL(hmac_sha256(bytes_of(key.salt, 32), text_bytes(&message),
                                commitment, &box.err),
                    OK);
    CU_ASSERT_EQUAL(memcmp(commitment, row->commitment, 32), 0);
    text_reset(&message);
    CU_ASSERT(text_append(&message, "\0", 1, &box.err) == OK &&
              text_append(&message, commitment, 32, &box.err) == OK &&
              text_append(&message, row->subject, 16, &box.err) == OK &&
              text_append(&message, row->key_id, 16, &box.err) == OK &&
              text_append(&message, row->token, 16, &box.err) == OK &&
              text_append(&message, sealed.byte, 32, &box.err) == OK);
    CU_ASSERT_EQUAL(digest_bytes(&leaf, text_bytes(&message), &box.err), OK);
    CU_ASSERT_EQUAL(memcmp(leaf.byte, row->leaf, 32), 0);
    text_reset(&message);
    CU_ASSERT(text_append(&message, dataset->id.byte, 16, &box.err) == OK &&
              text_append(&message, row->token, 16, &box.err) == OK &&
              text_append(&message, dataset->schema.byte, 32, &box.err) == OK);
    CU_ASSERT_EQUAL(seal_create(&seal, &box.err), OK);
    CU_ASSERT_EQUAL(seal_open(seal, key.key, text_bytes(&message),
                              bytes_of(row->sealed, row->sealed_size), plain,
                              &box.err),
                    OK);
    for (size_t c = 0; c < 2; c++) {
        size_t cell = strlen(box_rows[number].cell[c]);

        put_be32(expected + size, (uint32_t)cell);
        memcpy(expected + size + 4, box_rows[number].cell[c], cell);
        size += 4 + cell;
    }
    CU_ASSERT_EQUAL(row->sealed_size, size + SEAL_EXTRA);
    CU_ASSERT_EQUAL(memcmp(plain, expected, size), 0);
    seal_destroy(&seal);
    text_clear(&message);
}

static void statement_is_what_a_hand_computes_from_the_rows(void)
{
    struct box_stored stored[BOX_ROWS];
    struct vault_dataset dataset;
    struct digest left, root, leaf[BOX_ROWS];
    char id[DATASET_ID_HEX_SIZE], root_hex[DIGEST_HEX_SIZE];
    char expected[512];
    struct text text;

    vault_box_open();
    text_init(&text);
    dataset = vault_box_fill();
    vault_close(&box.vault);
    vault_box_fetch(stored);
    for (size_t i = 0; i < BOX_ROWS; i++) {
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
    CU_ASSERT_EQUAL(vault_dataset_statement(&dataset, &text, &box.err), OK);
    CU_ASSERT_STRING_EQUAL(text.data, expected);
    text_clear(&text);
    vault_box_close();
}

static void vault_db_holds_no_cell_and_is_for_its_owner_alone(void)
{
    struct text file;
    struct stat is;

    vault_box_open();
    vault_box_fill();
    CU_ASSERT_EQUAL(stat(box.database, &is), 0);
    CU_ASSERT_EQUAL(is.st_mode & 07777, 0600);
    vault_close(&box.vault);
    text_init(&file);
    CU_ASSERT_EQUAL(file_read(box.database, 1u << 24, &file, &box.err), OK);
    CU_ASSERT_PTR_NULL(memmem(file.data, file.size, "quoted", 6));
    CU_ASSERT_PTR_NULL(memmem(file.data, file.size, "caf\xc3\xa9", 5));
    text_clear(&file);
    vault_box_close();
}

/* ---- access ---- */

static void without_a_recorded_access_no_row_is_opened(void)
{
    struct vault_dataset dataset;
    struct vault_request request;
    size_t count, wrong;
    uint64_t erased;

    vault_box_open();
    dataset = vault_box_fill();
    request = vault_box_request(&dataset);
    box.access.answer = E_IO;
    CU_ASSERT_EQUAL(vault_box_read(&request, &count, &wrong, &erased), E_IO);
    CU_ASSERT_EQUAL(count, 0);
    CU_ASSERT_STRING_EQUAL(box.err.text,
                           "access to rows is not recorded: the disk is full");
    vault_box_close();
}

static void second_pass_announces_nothing_again(void)
{
    struct vault_dataset dataset;
    struct vault_request request;
    struct vault_reader *reader = NULL;
    const struct vault_row *row;

    vault_box_open();
    dataset = vault_box_fill();
    request = vault_box_request(&dataset);
    CU_ASSERT_EQUAL_FATAL(
        vault_reader_open(&reader, box.vault, box.keyring, &request, &box.err),
        OK);
    CU_ASSERT_EQUAL(box.access.calls, 0);
    for (int pass = 0; pass < 3; pass++) {
        for (size_t i = 0; i < BOX_ROWS; i++) {
            CU_ASSERT_EQUAL(vault_reader_next(reader, &row, &box.err), OK);
            CU_ASSERT_PTR_NOT_NULL_FATAL(row);
            CU_ASSERT(vault_box_is_row(row));
        }
        CU_ASSERT_EQUAL(vault_reader_next(reader, &row, &box.err), OK);
        CU_ASSERT_PTR_NULL(row);
        CU_ASSERT_EQUAL(box.access.calls, 1);
        vault_reader_rewind(reader);
    }
    vault_reader_close(&reader);
    vault_box_close();
}

/* ---- erasing ---- */

static void rows_of_erased_subjects_are_left_out_and_counted(void)
{
    struct vault_dataset dataset;
    uint64_t erased;

    vault_box_open();
    dataset = vault_box_fill();
    CU_ASSERT_EQUAL(
        keyring_erase(box.keyring, &box_subjects[0], 1, &erased, &box.err), OK);
    vault_box_expect(&dataset, 2, 1);
    /* Who comes back does not get the old rows back. */
    CU_ASSERT_EQUAL(keyring_add(box.keyring, &box_subjects[0], 1, &box.err),
                    OK);
    vault_box_expect(&dataset, 2, 1);
    CU_ASSERT_EQUAL(keyring_erase(box.keyring, box_subjects, BOX_SUBJECTS,
                                  &erased, &box.err),
                    OK);
    vault_box_expect(&dataset, 0, 3);
    vault_box_close();
}

/* ---- what is refused ---- */

/* In a dataset of three batches; keys are found before the first. */
static void erasure_between_batches_ends_what_is_not_opened_yet(void)
{
    enum { MANY = 2 * VAULT_BATCH_ROWS + 7 };
    struct subject_id *subject = calloc(MANY, sizeof *subject);
    struct vault_ingest *ingest;
    struct vault_dataset dataset;
    struct vault_request request;
    struct vault_reader *reader = NULL;
    const struct vault_row *row = NULL;
    uint64_t count = 1, erased = 0;

    vault_box_open();
    CU_ASSERT_PTR_NOT_NULL_FATAL(subject);
    ingest = vault_box_start();
    for (uint32_t i = 0; i < MANY; i++) {
        struct bytes cell[2] = {bytes_of("1", 1), bytes_of("2", 1)};

        put_be32(subject[i].byte, i);
        CU_ASSERT_EQUAL_FATAL(
            vault_ingest_add(ingest, &subject[i], cell, 2, &box.err), OK);
    }
    CU_ASSERT_EQUAL_FATAL(vault_ingest_finish(&ingest, &dataset, &box.err), OK);
    request = vault_box_request(&dataset);
    request.permitted = subject;
    request.permitted_count = MANY;
    CU_ASSERT_EQUAL_FATAL(
        vault_reader_open(&reader, box.vault, box.keyring, &request, &box.err),
        OK);
    CU_ASSERT_EQUAL(vault_reader_next(reader, &row, &box.err), OK);
    /* Five of the last batch, and one of the first, which is open already. */
    CU_ASSERT_EQUAL(
        keyring_erase(box.keyring, &subject[MANY - 5], 5, &erased, &box.err),
        OK);
    CU_ASSERT_EQUAL(
        keyring_erase(box.keyring, &subject[9], 1, &erased, &box.err), OK);
    for (;; count++) {
        CU_ASSERT_EQUAL_FATAL(vault_reader_next(reader, &row, &box.err), OK);
        if (row == NULL)
            break;
        CU_ASSERT_EQUAL_FATAL(get_be32(row->subject.byte), count);
    }
    CU_ASSERT_EQUAL(count, MANY - 5);
    CU_ASSERT_EQUAL(vault_reader_erased(reader), 5);
    CU_ASSERT_EQUAL(box.access.count, MANY - 5);
    vault_reader_close(&reader);
    free(subject);
    vault_box_close();
}

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

    vault_box_open();
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct vault_ingest *ingest = vault_box_start();

        CU_ASSERT_EQUAL(vault_box_add(ingest, 0), OK);
        CU_ASSERT_EQUAL(vault_ingest_add(ingest, &box_subjects[0],
                                         wrong[i].cell, wrong[i].count,
                                         &box.err),
                        E_INPUT);
        CU_ASSERT_STRING_EQUAL(box.err.text, wrong[i].words);
        vault_ingest_discard(&ingest);
        CU_ASSERT_PTR_NULL(ingest);
    }
    vault_ingest_discard(&(struct vault_ingest *){NULL});
    vault_box_close();
}

static void dataset_without_rows_is_refused(void)
{
    struct vault_ingest *ingest;
    struct vault_dataset dataset;

    vault_box_open();
    ingest = vault_box_start();
    CU_ASSERT_EQUAL(vault_ingest_finish(&ingest, &dataset, &box.err), E_INPUT);
    CU_ASSERT_PTR_NULL(ingest);
    CU_ASSERT_STRING_EQUAL(box.err.text, "a dataset without rows");
    vault_box_close();
}

static void schema_that_no_table_has_is_refused(void)
{
    struct vault_ingest *ingest = NULL;
    struct vault_schema bad = box_schema;

    vault_box_open();
    bad.column_count = 0;
    CU_ASSERT_EQUAL(
        vault_ingest_begin(&ingest, box.vault, box.keyring, &bad, &box.err),
        E_INPUT);
    CU_ASSERT_PTR_NULL(ingest);
    vault_box_close();
}

static void unknown_datasets_are_refused(void)
{
    struct vault_dataset dataset = {.id = {{5}}};
    struct vault_schema back;
    struct dataset_id id = {{9}};
    bool found = true;

    vault_box_open();
    CU_ASSERT_EQUAL(
        vault_find(box.vault, &dataset.id, &dataset, &found, &box.err), OK);
    CU_ASSERT(!found);
    CU_ASSERT_EQUAL(vault_find_schema(box.vault, &dataset.id, &back, &box.err),
                    E_INPUT);
    vault_box_expect_refused(&dataset, "there is none");
    CU_ASSERT(!dataset_id_parse(&id, bytes_of_string("05")));
    CU_ASSERT_EQUAL(id.byte[0], 9);
    CU_ASSERT(dataset_id_parse(
        &id, bytes_of_string("05000000000000000000000000000000")));
    CU_ASSERT_EQUAL(memcmp(&id, &dataset.id, sizeof id), 0);
    vault_box_close();
}

static void permitted_subjects_out_of_order_are_refused(void)
{
    const struct subject_id wrong[][2] = {{{{2}}, {{1}}}, {{{1}}, {{1}}}};
    struct vault_dataset dataset;
    size_t count, bad;
    uint64_t erased;

    vault_box_open();
    dataset = vault_box_fill();
    for (size_t i = 0; i < 2; i++) {
        struct vault_request request = vault_box_request(&dataset);

        request.permitted = wrong[i];
        request.permitted_count = 2;
        CU_ASSERT_EQUAL(vault_box_read(&request, &count, &bad, &erased),
                        E_INPUT);
        CU_ASSERT_PTR_NOT_NULL(strstr(box.err.text, "ascending order"));
        CU_ASSERT_EQUAL(box.access.calls, 0);
    }
    vault_box_close();
}

/* ---- all or nothing ---- */

static size_t stored_rows(void)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    size_t count;

    vault_close(&box.vault);
    CU_ASSERT_EQUAL_FATAL(sqlite3_open(box.database, &db), SQLITE_OK);
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
    vault_box_open_vault();
    return count;
}

static void ingest_that_is_discarded_leaves_nothing(void)
{
    struct vault_ingest *ingest, *second;
    struct vault_dataset dataset;

    vault_box_open();
    ingest = vault_box_start();
    second = vault_box_start();
    for (size_t i = 0; i < VAULT_BATCH_ROWS + 1; i++)
        CU_ASSERT_EQUAL(vault_box_add(ingest, 0), OK);
    for (size_t i = 0; i < BOX_ROWS; i++)
        CU_ASSERT_EQUAL(vault_box_add(second, i), OK);
    vault_ingest_discard(&ingest);
    CU_ASSERT_EQUAL(vault_ingest_finish(&second, &dataset, &box.err), OK);
    CU_ASSERT_EQUAL(stored_rows(), BOX_ROWS + 1);
    vault_box_expect(&dataset, BOX_ROWS, 0);
    vault_box_close();
}

static void what_a_killed_ingest_has_left_goes_at_the_next_open(void)
{
    struct vault_dataset dataset;

    vault_box_open();
    dataset = vault_box_fill();
    vault_box_sql(
        "INSERT INTO dataset VALUES(2, zeroblob(16), x'7b7d', 0, x'', 0);"
        "INSERT INTO row SELECT place + (1 << 32), subject, key, token,"
        " commitment, leaf, sealed FROM row");
    CU_ASSERT_EQUAL(stored_rows(), BOX_ROWS + 1);
    vault_box_expect(&dataset, BOX_ROWS, 0);
    vault_box_close();
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
        {"an erasure between batches ends what is not opened yet",
         erasure_between_batches_ends_what_is_not_opened_yet},
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
    };

    suite_add("vault", tests, sizeof tests / sizeof tests[0]);
}
