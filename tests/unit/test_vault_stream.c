#include "anonymizer/vault_stream.h"

#include <string.h>

#include "anonymizer/release.h"
#include "anonymizer/table.h"
#include "common/files.h"
#include "tests/lib/fixture.h"
#include "tests/lib/suite.h"
#include "tests/lib/vault_box.h"

void suite_vault_stream(void);

static const struct subject_id subjects[] = {
    {{0x11}}, {{0x22}}, {{0x33}}, {{0x44}}};

static char patient[] = "patient", age[] = "age", note[] = "no;te";
static char *columns[] = {age, note};

static const char *const cells[][2] = {
    {"31", "a"}, {"31", "b;\"c\"\r\nd"}, {"47", ""}, {"47", " caf\xc3\xa9 "}};
#define ROWS (sizeof cells / sizeof cells[0])

/* Written by hand. */
static const char expected[] =
    "patient;age;\"no;te\"\r\n"
    "33000000000000000000000000000000;31;a\r\n"
    "11000000000000000000000000000000;31;\"b;\"\"c\"\"\r\nd\"\r\n"
    "44000000000000000000000000000000;47;\r\n"
    "22000000000000000000000000000000;47;\" caf\xc3\xa9 \"\r\n";
static const size_t subject_of_row[ROWS] = {2, 0, 3, 1};

/* A box with these rows. */
static struct vault_dataset fill(void)
{
    const struct vault_schema schema = {.subject = patient,
                                        .column = columns,
                                        .column_count = 2,
                                        .delimiter = ';',
                                        .newline = "\r\n"};
    struct vault_ingest *ingest = NULL;
    struct vault_dataset dataset;

    vault_box_open();
    CU_ASSERT_EQUAL_FATAL(
        vault_ingest_begin(&ingest, box.vault, box.keyring, &schema, &box.err),
        OK);
    for (size_t i = 0; i < ROWS; i++) {
        struct bytes cell[2] = {bytes_of_string(cells[i][0]),
                                bytes_of_string(cells[i][1])};

        CU_ASSERT_EQUAL_FATAL(vault_ingest_add(ingest,
                                               &subjects[subject_of_row[i]],
                                               cell, 2, &box.err),
                              OK);
    }
    CU_ASSERT_EQUAL_FATAL(vault_ingest_finish(&ingest, &dataset, &box.err), OK);
    return dataset;
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

/* A reader, the schema, and the stream over both. */
struct source {
    struct vault_reader *reader;
    struct vault_schema schema;
    struct vault_stream *stream;
    size_t accesses;
};

static void source_open(struct source *source,
                        const struct vault_dataset *dataset, size_t permitted)
{
    struct vault_request request = {.dataset = dataset->id,
                                    .permitted = subjects,
                                    .permitted_count = permitted,
                                    .access = record,
                                    .context = &source->accesses};

    source->accesses = 0;
    CU_ASSERT_EQUAL_FATAL(vault_reader_open(&source->reader, box.vault,
                                            box.keyring, &request, &box.err),
                          OK);
    CU_ASSERT_EQUAL_FATAL(
        vault_find_schema(box.vault, &dataset->id, &source->schema, &box.err),
        OK);
    CU_ASSERT_EQUAL_FATAL(vault_stream_create(&source->stream, source->reader,
                                              &source->schema, &box.err),
                          OK);
}

static void source_close(struct source *source)
{
    vault_stream_destroy(&source->stream);
    CU_ASSERT_PTR_NULL(source->stream);
    vault_stream_destroy(&source->stream);
    vault_schema_clear(&source->schema);
    vault_reader_close(&source->reader);
}

static void read_text(const struct csv_stream *csv, size_t block,
                      struct text *out)
{
    char bytes[512];
    size_t got = 1;

    text_reset(out);
    while (got > 0) {
        got = 0;
        CU_ASSERT_EQUAL_FATAL(
            csv->read(csv->context, bytes, block, &got, &box.err), OK);
        CU_ASSERT_FATAL(got <= block);
        CU_ASSERT_EQUAL(text_append(out, bytes, got, &box.err), OK);
    }
}

static void stream_is_the_file_that_the_dataset_would_be(void)
{
    static const size_t blocks[] = {1, 7, 512};
    struct vault_dataset dataset = fill();
    struct source source;
    struct text text;

    text_init(&text);
    source_open(&source, &dataset, ROWS);
    for (size_t i = 0; i < 3; i++) {
        const struct csv_stream *csv = vault_stream_csv(source.stream);

        read_text(csv, blocks[i], &text);
        CU_ASSERT_STRING_EQUAL(text.data, expected);
        CU_ASSERT_EQUAL(csv->rewind(csv->context, &box.err), OK);
    }
    CU_ASSERT_EQUAL(source.accesses, ROWS);
    source_close(&source);
    source_open(&source, &dataset, 0);
    read_text(vault_stream_csv(source.stream), 512, &text);
    CU_ASSERT_STRING_EQUAL(text.data, "patient;age;\"no;te\"\r\n");
    source_close(&source);
    text_clear(&text);
    vault_box_close();
}

static void describe(struct fixture *fixture)
{
    fixture_init(fixture);
    fixture_attribute(fixture, "patient", ROLE_SUBJECT, NULL);
    fixture_attribute(fixture, "age", ROLE_QUASI_IDENTIFYING, "31;*\n47;*\n");
    fixture_attribute(fixture, "no;te", ROLE_INSENSITIVE, NULL);
    fixture_k(fixture, 2);
}

/* The released table, by either way of giving it. */
static void write_release(const struct fixture *fixture,
                          const struct csv_stream *stream, const char *name)
{
    static const uint8_t level[1] = {0};
    const bool suppressed[2] = {false, false};
    const struct release_plan plan = {.policy = &fixture->policy,
                                      .table = fixture->table,
                                      .lattice = fixture->lattice,
                                      .level = level,
                                      .suppressed = suppressed};
    struct new_file *file = NULL;
    struct digest digest;
    enum status status;

    CU_ASSERT_EQUAL_FATAL(new_file_create(&file,
                                          scratch_path(&box.scratch, name),
                                          0600, &box.err),
                          OK);
    status =
        stream == NULL
            ? release_write(&plan, fixture->fd, "in", new_file_descriptor(file),
                            name, NULL, &digest, &box.err)
            : release_write_stream(&plan, stream, "in",
                                   new_file_descriptor(file), name, NULL,
                                   &digest, &box.err);
    CU_ASSERT_EQUAL(status, OK);
    CU_ASSERT_EQUAL(new_file_publish(&file, &box.err), OK);
}

static void table_and_release_are_those_of_the_file(void)
{
    struct vault_dataset dataset = fill();
    const struct csv_stream *csv;
    struct fixture from_file, from_vault;
    struct source source;

    describe(&from_file);
    fixture_load(&from_file, expected);
    describe(&from_vault);
    /* What the policy says of files is not about the vault. */
    from_vault.policy.delimiter = '|';
    source_open(&source, &dataset, ROWS);
    csv = vault_stream_csv(source.stream);
    CU_ASSERT_EQUAL_FATAL(table_read_stream(&from_vault.table,
                                            &from_vault.policy, csv, "vault",
                                            NULL, &box.err),
                          OK);
    CU_ASSERT_EQUAL(from_vault.table->rows, ROWS);
    CU_ASSERT_EQUAL(from_vault.table->tuple_count, 2);
    CU_ASSERT_EQUAL(from_vault.table->delimiter, ';');
    CU_ASSERT_STRING_EQUAL(from_vault.table->newline, "\r\n");
    CU_ASSERT_EQUAL(memcmp(from_vault.table->tuple_of_row,
                           from_file.table->tuple_of_row,
                           ROWS * sizeof(uint32_t)),
                    0);
    fixture_build(&from_vault);
    write_release(&from_file, NULL, "file.csv");
    write_release(&from_vault, csv, "vault.csv");
    CU_ASSERT(scratch_holds(&box.scratch, "file.csv",
                            "age;\"no;te\"\r\n31;a\r\n31;\"b;\"\"c\"\"\r\nd\""
                            "\r\n47;\r\n47;\" caf\xc3\xa9 \"\r\n"));
    CU_ASSERT(scratch_holds(&box.scratch, "vault.csv",
                            "age;\"no;te\"\r\n31;a\r\n31;\"b;\"\"c\"\"\r\nd\""
                            "\r\n47;\r\n47;\" caf\xc3\xa9 \"\r\n"));
    CU_ASSERT_EQUAL(source.accesses, ROWS);
    source_close(&source);
    fixture_clear(&from_file);
    fixture_clear(&from_vault);
    vault_box_close();
}

static void subject_with_two_rows_is_found_in_a_second_pass(void)
{
    struct vault_dataset dataset = fill(), twice;
    const struct vault_schema schema = {.subject = patient,
                                        .column = columns,
                                        .column_count = 2,
                                        .delimiter = ',',
                                        .newline = "\n"};
    struct bytes cell[2] = {bytes_of_string("31"), bytes_of_string("")};
    struct vault_ingest *ingest = NULL;
    struct fixture fixture;
    struct source source;

    CU_ASSERT_EQUAL_FATAL(
        vault_ingest_begin(&ingest, box.vault, box.keyring, &schema, &box.err),
        OK);
    for (size_t i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(
            vault_ingest_add(ingest, &subjects[i % 2], cell, 2, &box.err), OK);
    CU_ASSERT_EQUAL_FATAL(vault_ingest_finish(&ingest, &twice, &box.err), OK);
    describe(&fixture);
    source_open(&source, &twice, 2);
    CU_ASSERT_EQUAL(table_read_stream(&fixture.table, &fixture.policy,
                                      vault_stream_csv(source.stream), "vault",
                                      NULL, &box.err),
                    E_INPUT);
    CU_ASSERT_PTR_NULL(fixture.table);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(box.err.text, "line 4: the same subject as in line 2"));
    source_close(&source);
    fixture_clear(&fixture);
    (void)dataset;
    vault_box_close();
}

static void table_whose_subjects_were_all_erased_has_no_rows(void)
{
    struct vault_dataset dataset = fill();
    struct fixture fixture;
    struct source source;
    uint64_t erased;

    describe(&fixture);
    source_open(&source, &dataset, ROWS);
    /* All keys end between opening and reading: nothing is left to read. */
    CU_ASSERT_EQUAL(
        keyring_erase(box.keyring, subjects, ROWS, &erased, &box.err), OK);
    error_init(&box.err);
    CU_ASSERT_EQUAL(table_read_stream(&fixture.table, &fixture.policy,
                                      vault_stream_csv(source.stream), "vault",
                                      NULL, &box.err),
                    E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(box.err.text, "no rows below it"));
    CU_ASSERT_EQUAL(vault_reader_erased(source.reader), ROWS);
    CU_ASSERT_EQUAL(source.accesses, 0);
    source_close(&source);
    fixture_clear(&fixture);
    vault_box_close();
}

void suite_vault_stream(void)
{
    static const struct test tests[] = {
        {"the stream is the file that the dataset would be",
         stream_is_the_file_that_the_dataset_would_be},
        {"table and release are those of the file",
         table_and_release_are_those_of_the_file},
        {"a subject with two rows is found in a second pass",
         subject_with_two_rows_is_found_in_a_second_pass},
        {"a table whose subjects were all erased has no rows",
         table_whose_subjects_were_all_erased_has_no_rows},
    };

    suite_add("vault_stream", tests, sizeof tests / sizeof tests[0]);
}
