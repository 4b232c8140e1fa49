#include "anonymizer/ingest_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/encoding.h"
#include "common/text.h"
#include "tests/lib/fixture.h"
#include "tests/lib/suite.h"

void suite_ingest_reader(void);

static struct error err;

/* An id that shows the number: its first 16 bytes. */
static enum status show_number(void *context, struct bytes number,
                               struct subject_id *subject, struct error *why)
{
    CU_ASSERT_PTR_EQUAL(context, &err);
    CU_ASSERT(number.size > 0);
    if (bytes_equal_string(number, "locked"))
        return error_set(why, E_SYSTEM, "the key is locked");
    memset(subject, 0, sizeof *subject);
    memcpy(subject->byte, number.data, number.size < 16 ? number.size : 16);
    return OK;
}

static int file_of(const char *csv)
{
    size_t size = strlen(csv);
    int fd = memfd_create("table", MFD_CLOEXEC);

    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_EQUAL_FATAL(write(fd, csv, size), (ssize_t)size);
    CU_ASSERT_EQUAL(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

static void describe(struct fixture *fixture)
{
    fixture_init(fixture);
    fixture_attribute(fixture, "name", ROLE_IDENTIFYING, NULL);
    fixture_attribute(fixture, "age", ROLE_QUASI_IDENTIFYING, NULL);
    fixture_attribute(fixture, "patient", ROLE_SUBJECT, NULL);
    fixture_attribute(fixture, "illness", ROLE_SENSITIVE, NULL);
    fixture_attribute(fixture, "ward", ROLE_INSENSITIVE, NULL);
    fixture_k(fixture, 2);
}

static enum status open_reader(struct ingest_reader **reader,
                               const struct fixture *fixture, int fd)
{
    const struct ingest_source source = {fd, "in.csv", show_number, &err};

    error_init(&err);
    return ingest_reader_open(reader, &fixture->policy, &source, &err);
}

/* "line id cell|cell|..." for each row. */
static enum status read_rows(struct ingest_reader *reader, struct text *out)
{
    const struct ingest_row *row = NULL;
    struct error unused;
    enum status status;

    for (;;) {
        status = ingest_reader_next(reader, &row, &err);
        if (status != OK || row == NULL)
            return status;
        CU_ASSERT_EQUAL(text_printf(out, &unused, "%ju %.16s ",
                                    (uintmax_t)row->line,
                                    (const char *)row->subject.byte),
                        OK);
        for (size_t c = 0; c < row->cell_count; c++)
            CU_ASSERT_EQUAL(text_printf(out, &unused, "%.*s|",
                                        (int)row->cell[c].size,
                                        (const char *)row->cell[c].data),
                            OK);
        CU_ASSERT_EQUAL(text_append_string(out, "\n", &unused), OK);
    }
}

/* ---- what comes ---- */

static void rows_come_with_ids_and_without_identifying_columns(void)
{
    static char missing_a[] = "", missing_b[] = "?";
    char *missing[] = {missing_a, missing_b};
    const struct vault_schema *schema;
    struct ingest_reader *reader = NULL;
    struct fixture fixture;
    struct text text, json;
    int fd = file_of("ward;age;patient;name;illness\r\n"
                     "A;39;4711;Ada;flu\r\n"
                     "\"B;\"\"x\"\"\r\n\";?;12;Bob;\"\"\r\n"
                     ";40;\"a;b\";;cold\r\n");

    describe(&fixture);
    fixture.policy.missing = missing;
    fixture.policy.missing_count = 2;
    text_init(&text);
    text_init(&json);
    CU_ASSERT_EQUAL_FATAL(open_reader(&reader, &fixture, fd), OK);
    schema = ingest_reader_schema(reader);
    CU_ASSERT_EQUAL(vault_schema_encode(schema, &json, &err), OK);
    /* By hand. */
    CU_ASSERT_STRING_EQUAL(
        json.data,
        "{\"columns\":[\"ward\",\"age\",\"illness\"],\"delimiter\":\";\","
        "\"missing\":[\"\",\"?\"],\"newline\":\"\\r\\n\",\"schema\":1,"
        "\"subject\":\"patient\"}");
    CU_ASSERT_EQUAL(read_rows(reader, &text), OK);
    CU_ASSERT_STRING_EQUAL(text.data, "2 4711 A|39|flu|\n"
                                      "3 12 B;\"x\"\r\n|?||\n"
                                      "5 a;b |40|cold|\n");
    ingest_reader_close(&reader);
    CU_ASSERT_PTR_NULL(reader);
    ingest_reader_close(&reader);
    text_clear(&text);
    text_clear(&json);
    fixture_clear(&fixture);
    close(fd);
}

static void unlisted_columns_go_where_the_policy_says_so(void)
{
    static const char csv[] = "note,patient,name,age,illness,ward\n"
                              "x,1,Ada,39,flu,A\n";
    struct ingest_reader *reader = NULL;
    struct fixture fixture;
    struct text text;
    int fd = file_of(csv);

    describe(&fixture);
    text_init(&text);
    CU_ASSERT_EQUAL(open_reader(&reader, &fixture, fd), E_INPUT);
    CU_ASSERT_STRING_EQUAL(
        err.text, "in.csv: column \"note\": the policy policy.json does not "
                  "name it; give it a role there, or set \"unlisted\": "
                  "\"remove\"");
    fixture.policy.unlisted_remove = true;
    CU_ASSERT_EQUAL(lseek(fd, 0, SEEK_SET), 0);
    CU_ASSERT_EQUAL_FATAL(open_reader(&reader, &fixture, fd), OK);
    CU_ASSERT_EQUAL(ingest_reader_schema(reader)->column_count, 3);
    CU_ASSERT_EQUAL(read_rows(reader, &text), OK);
    CU_ASSERT_STRING_EQUAL(text.data, "2 1 39|flu|A|\n");
    ingest_reader_close(&reader);
    text_clear(&text);
    fixture_clear(&fixture);
    close(fd);
}

/* ---- what is refused ---- */

static void header_refused(const struct fixture *fixture, const char *csv,
                           const char *words)
{
    struct ingest_reader *reader = NULL;
    int fd = file_of(csv);

    CU_ASSERT_EQUAL(open_reader(&reader, fixture, fd), E_INPUT);
    CU_ASSERT_PTR_NULL(reader);
    CU_ASSERT_STRING_EQUAL(err.text, words);
    ingest_reader_close(&reader);
    close(fd);
}

static void policy_and_header_must_fit(void)
{
    struct fixture fixture;

    describe(&fixture);
    header_refused(&fixture, "patient,age,illness,ward\n1,39,flu,A\n",
                   "policy.json: line 1: attribute \"name\": the table in.csv "
                   "has no such column");
    fixture.policy.unlisted_remove = true;
    header_refused(&fixture, "name,age,illness,ward\nx,39,flu,A\n",
                   "policy.json: line 3: attribute \"patient\": the table "
                   "in.csv has no such column");
    fixture_clear(&fixture);
    fixture_init(&fixture);
    fixture_attribute(&fixture, "age", ROLE_QUASI_IDENTIFYING, NULL);
    header_refused(&fixture, "age\n39\n",
                   "policy.json: no attribute has the role subject, expected "
                   "the column with the patients' numbers");
    fixture_clear(&fixture);
    fixture_init(&fixture);
    fixture_attribute(&fixture, "patient", ROLE_SUBJECT, NULL);
    fixture_attribute(&fixture, "name", ROLE_IDENTIFYING, NULL);
    header_refused(&fixture, "patient,name\n1,Ada\n",
                   "in.csv: schema: no column but the subject's is left");
    fixture_clear(&fixture);
}

static void rows_refused(const char *rows, enum status status,
                         const char *words)
{
    static char missing_token[] = "NA";
    char *missing[] = {missing_token};
    struct ingest_reader *reader = NULL;
    struct fixture fixture;
    struct text csv, text;
    int fd;

    describe(&fixture);
    fixture.policy.missing = missing;
    fixture.policy.missing_count = 1;
    text_init(&text);
    text_init(&csv);
    error_init(&err);
    CU_ASSERT_EQUAL(
        text_printf(&csv, &err, "patient,name,age,illness,ward\n%s", rows), OK);
    fd = file_of(csv.data);
    CU_ASSERT_EQUAL_FATAL(open_reader(&reader, &fixture, fd), OK);
    CU_ASSERT_EQUAL(read_rows(reader, &text), status);
    CU_ASSERT_STRING_EQUAL(err.text, words);
    ingest_reader_close(&reader);
    text_clear(&csv);
    text_clear(&text);
    fixture_clear(&fixture);
    close(fd);
}

static void rows_are_refused_by_line_not_by_value(void)
{
    rows_refused("1,a,2,b,c\n,a,2,b,c\n", E_INPUT,
                 "in.csv: line 3: the subject column is empty; each row must "
                 "say whose it is");
    rows_refused("NA,a,2,b,c\n", E_INPUT,
                 "in.csv: line 2: the subject column is empty; each row must "
                 "say whose it is");
    rows_refused("7,a,2,b,c\n8,\"a\nb\",2,b,c\n9,a,2,b,c\n8,x,y,z,z\n", E_INPUT,
                 "in.csv: line 6: the same subject as in line 3; k counts "
                 "rows, so each patient may have one row only");
    rows_refused("1,a,2,b,c\nlocked,a,2,b,c\n", E_SYSTEM,
                 "in.csv: line 3: the key is locked");
    rows_refused("", E_INPUT, "in.csv: a header, but no rows below it");
}

/* More than fit into the first table of subjects, several times over; then one
 * of them once more. */
static void many_subjects_are_told_apart(void)
{
    const unsigned count = 20000;
    struct ingest_reader *reader = NULL;
    const struct ingest_row *row = NULL;
    struct fixture fixture;
    struct text csv;
    int fd;

    describe(&fixture);
    text_init(&csv);
    error_init(&err);
    CU_ASSERT_EQUAL(
        text_append_string(&csv, "patient,name,age,illness,ward\n", &err), OK);
    for (unsigned i = 0; i < count; i++)
        CU_ASSERT_EQUAL(text_printf(&csv, &err, "%u,a,1,b,c\n", 7 * i), OK);
    CU_ASSERT_EQUAL(text_printf(&csv, &err, "%u,a,1,b,c\n", 7 * 12345), OK);
    fd = file_of(csv.data);
    CU_ASSERT_EQUAL_FATAL(open_reader(&reader, &fixture, fd), OK);
    for (unsigned i = 0; i < count; i++) {
        CU_ASSERT_EQUAL_FATAL(ingest_reader_next(reader, &row, &err), OK);
        CU_ASSERT_EQUAL_FATAL(row->line, i + 2);
    }
    CU_ASSERT_EQUAL(ingest_reader_next(reader, &row, &err), E_INPUT);
    CU_ASSERT_PTR_NULL(row);
    CU_ASSERT_STRING_EQUAL(
        err.text, "in.csv: line 20002: the same subject as in line 12347; k "
                  "counts rows, so each patient may have one row only");
    ingest_reader_close(&reader);
    text_clear(&csv);
    fixture_clear(&fixture);
    close(fd);
}

void suite_ingest_reader(void)
{
    static const struct test tests[] = {
        {"rows come with ids and without identifying columns",
         rows_come_with_ids_and_without_identifying_columns},
        {"unlisted columns go where the policy says so",
         unlisted_columns_go_where_the_policy_says_so},
        {"policy and header must fit", policy_and_header_must_fit},
        {"rows are refused by line, not by value",
         rows_are_refused_by_line_not_by_value},
        {"many subjects are told apart", many_subjects_are_told_apart},
    };

    suite_add("ingest_reader", tests, sizeof tests / sizeof tests[0]);
}
