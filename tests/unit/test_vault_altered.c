#include "anonymizer/vault.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/files.h"
#include "common/merkle.h"
#include "common/random.h"
#include "tests/lib/fixture.h"
#include "tests/lib/suite.h"
#include "tests/lib/vault_box.h"

void suite_vault_altered(void);

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

        vault_box_open();
        dataset = vault_box_fill();
        vault_box_sql(changes[i].change);
        vault_box_expect_refused(&dataset, changes[i].words);
        vault_box_close();
    }
}

/* Without row 0 of the second, and with the first's in its place: the leaf fits
 * by itself, and the same subject's key is the right one. */
static void row_of_another_dataset_is_noticed(void)
{
    struct vault_dataset first, second;

    vault_box_open();
    first = vault_box_fill();
    second = vault_box_fill();
    vault_box_sql(
        "DELETE FROM row WHERE place = 8589934592;"
        "INSERT INTO row SELECT 8589934592, subject, key, token, commitment,"
        " leaf, sealed FROM row WHERE place = 4294967296");
    vault_box_expect(&first, BOX_ROWS, 0);
    vault_box_expect_refused(&second, "row 0: does not have its commitment");
    vault_box_close();
}

/* Somebody who makes a row look erased, and computes its leaf anew. */
static void row_that_only_looks_erased_is_noticed(void)
{
    struct box_stored stored[BOX_ROWS];
    struct vault_dataset dataset;
    struct digest sealed, leaf;
    struct text message;
    uint8_t zeros[16] = {0};
    char hex[65], change[256];

    vault_box_open();
    dataset = vault_box_fill();
    vault_close(&box.vault);
    vault_box_fetch(stored);
    text_init(&message);
    CU_ASSERT_EQUAL(
        digest_bytes(&sealed, bytes_of(stored[2].sealed, stored[2].sealed_size),
                     &box.err),
        OK);
    CU_ASSERT(text_append(&message, stored[2].commitment, 32, &box.err) == OK &&
              text_append(&message, stored[2].subject, 16, &box.err) == OK &&
              text_append(&message, zeros, 16, &box.err) == OK &&
              text_append(&message, stored[2].token, 16, &box.err) == OK &&
              text_append(&message, sealed.byte, 32, &box.err) == OK);
    merkle_leaf(&leaf, text_bytes(&message));
    digest_hex(&leaf, hex);
    text_clear(&message);
    snprintf(change, sizeof change,
             "UPDATE row SET key = zeroblob(16), leaf = x'%s' WHERE place = "
             "4294967298",
             hex);
    vault_box_open_vault();
    vault_box_sql(change);
    vault_box_expect_refused(&dataset, "its rows do not have its root");
    vault_box_close();
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
    vault_box_open();
    dataset = vault_box_fill();
    /* Small pages: less to go through. */
    vault_box_sql(
        "PRAGMA journal_mode = DELETE; PRAGMA page_size = 512; VACUUM;");
    vault_close(&box.vault);
    text_init(&file);
    CU_ASSERT_EQUAL_FATAL(file_read(box.database, 1u << 20, &file, &box.err),
                          OK);
    for (size_t at = 0; at < file.size; at++) {
        struct vault_request request = vault_box_request(&dataset);
        char bit = (char)(1u << random_below(&random, 8));
        size_t count = 0, wrong = 0;
        uint64_t erased = 0;
        FILE *to = fopen(box.database, "w");
        enum status status;

        CU_ASSERT_PTR_NOT_NULL_FATAL(to);
        file.data[at] = (char)(file.data[at] ^ bit);
        CU_ASSERT_EQUAL(fwrite(file.data, 1, file.size, to), file.size);
        CU_ASSERT_EQUAL(fclose(to), 0);
        file.data[at] = (char)(file.data[at] ^ bit);
        error_init(&box.err);
        status = vault_open(&box.vault, box.database, &box.err);
        if (status == OK)
            status = vault_box_read(&request, &count, &wrong, &erased);
        vault_close(&box.vault);
        unlink(scratch_path(&box.scratch, "vault.db-wal"));
        unlink(scratch_path(&box.scratch, "vault.db-journal"));
        noticed += status != OK;
        if (wrong > 0 || (status == OK && (count != BOX_ROWS || erased != 0)))
            fprintf(stderr, "\nbyte %zu, bit %02x: %zu rows, %zu wrong\n", at,
                    (unsigned char)bit, count, wrong);
        CU_ASSERT_EQUAL(wrong, 0);
        CU_ASSERT(status != OK || (count == BOX_ROWS && erased == 0));
        CU_ASSERT_PTR_NULL(strstr(box.err.text, "flu"));
    }
    /* All bits of sealed, token, commitment, ... and many more. */
    CU_ASSERT(noticed > 600);
    text_clear(&file);
    vault_box_close();
}

void suite_vault_altered(void)
{
    static const struct test tests[] = {
        {"altered rows are named, and never shown",
         altered_rows_are_named_and_never_shown},
        {"a row of another dataset is noticed",
         row_of_another_dataset_is_noticed},
        {"a row that only looks erased is noticed",
         row_that_only_looks_erased_is_noticed},
        {"no flipped bit gives a wrong row", no_flipped_bit_gives_a_wrong_row},
    };

    suite_add("vault_altered", tests, sizeof tests / sizeof tests[0]);
}
