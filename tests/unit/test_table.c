#include "anonymizer/table.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/lib/fixture.h"
#include "tests/lib/suite.h"

void suite_table(void);

#define AGE "31;30-39;*\n35;30-39;*\n47;40-49;*\n"

static char empty[] = "", question[] = "?", na[] = "NA";
static char *three_tokens[] = {empty, question, na};

static void allow_missing(struct fixture *fixture)
{
    fixture->policy.missing = three_tokens;
    fixture->policy.missing_count = 3;
}

/* A table that is refused, with exactly these words. */
static void expect_refusal(struct fixture *fixture, const char *csv,
                           const char *words)
{
    struct error err;

    error_init(&err);
    CU_ASSERT_EQUAL(fixture_read(fixture, csv, &err), E_INPUT);
    CU_ASSERT_STRING_EQUAL(err.text, words);
    CU_ASSERT_PTR_NULL(fixture->table);
}

/* ---- coding ---- */

static void rows_become_tuples_with_counts(void)
{
    static const uint32_t tuple_of_row[] = {0, 1, 0, 2, 1, 0};
    static const uint32_t value[] = {0, 0, 1, 1, 1, 0};
    static const uint32_t rows[] = {3, 2, 1};
    struct fixture fixture;
    const struct table *table;

    fixture_init(&fixture);
    /* In the order of the table, not of the policy. */
    fixture_attribute(&fixture, "sex", ROLE_QUASI_IDENTIFYING, NULL);
    fixture_attribute(&fixture, "age", ROLE_QUASI_IDENTIFYING, AGE);
    fixture_k(&fixture, 1);
    fixture_load(&fixture, "age,sex\n47,F\n31,M\n47,F\n31,F\n31,M\n47,F\n");
    table = fixture.table;
    CU_ASSERT_EQUAL(table->rows, 6);
    CU_ASSERT_EQUAL(table->quasi_count, 2);
    CU_ASSERT_EQUAL(table->quasi[0].attribute, 1);
    CU_ASSERT_EQUAL(table->quasi[1].attribute, 0);
    CU_ASSERT_EQUAL_FATAL(table->tuple_count, 3);
    CU_ASSERT_EQUAL(
        memcmp(table->tuple_of_row, tuple_of_row, sizeof tuple_of_row), 0);
    CU_ASSERT_EQUAL(memcmp(table->value, value, sizeof value), 0);
    CU_ASSERT_EQUAL(memcmp(table->tuple_rows, rows, sizeof rows), 0);
    /* 47 came first, 31 second; 35 never. */
    CU_ASSERT_EQUAL(table->quasi[0].value_count, 2);
    CU_ASSERT(bytes_equal_string(table_value_text(&table->quasi[0], 0), "47"));
    CU_ASSERT(bytes_equal_string(table_value_text(&table->quasi[0], 1), "31"));
    CU_ASSERT(bytes_equal_string(table_value_text(&table->quasi[1], 1), "M"));
    CU_ASSERT_EQUAL(table->delimiter, ',');
    CU_ASSERT_STRING_EQUAL(table->newline, "\n");
    fixture_clear(&fixture);
}

/* Tuple x: flu 2, cold 1; tuple y: cold 1, rash 1. */
static void sensitive_values_are_counted_by_tuple(void)
{
    static const uint64_t begin[] = {0, 2, 4};
    static const uint32_t value[] = {0, 1, 2, 1};
    static const uint32_t number[] = {2, 1, 1, 1};
    struct fixture fixture;
    const struct sensitive_attribute *sensitive;

    fixture_init(&fixture);
    fixture_attribute(&fixture, "q", ROLE_QUASI_IDENTIFYING, NULL);
    fixture_attribute(&fixture, "not judged", ROLE_SENSITIVE, NULL);
    fixture_model(&fixture, &(struct privacy_criterion){
                                .model = MODEL_DISTINCT_L_DIVERSITY,
                                .attribute = fixture_attribute(
                                    &fixture, "d", ROLE_SENSITIVE, NULL),
                                .l = 2});
    fixture_load(&fixture, "q,d,not judged\nx,flu,1\nx,cold,2\ny,rash,3\n"
                           "x,flu,4\ny,cold,5\n");
    CU_ASSERT_EQUAL_FATAL(fixture.table->sensitive_count, 1);
    sensitive = &fixture.table->sensitive[0];
    CU_ASSERT_EQUAL(sensitive->attribute, 2);
    CU_ASSERT_EQUAL(sensitive->column, 1);
    CU_ASSERT_EQUAL_FATAL(sensitive->value_count, 3);
    CU_ASSERT_EQUAL(memcmp(sensitive->histograms.begin, begin, sizeof begin),
                    0);
    CU_ASSERT_EQUAL(memcmp(sensitive->histograms.value, value, sizeof value),
                    0);
    CU_ASSERT_EQUAL(memcmp(sensitive->histograms.number, number, sizeof number),
                    0);
    fixture_clear(&fixture);
}

/* Rows 1 and 3 of x, x, y, x, y; the sensitive cells of the others do not even
 * need a place in the order of their type. */
static void rows_outside_a_subset_are_the_population(void)
{
    static const uint32_t tuple_of_row[] = {TABLE_OUTSIDE, 0, TABLE_OUTSIDE, 0,
                                            TABLE_OUTSIDE};
    static const uint32_t rows[] = {2, 0}, population[] = {3, 2};
    struct fixture fixture;
    const struct table *table;
    size_t sensitive;

    fixture_init(&fixture);
    fixture_attribute(&fixture, "q", ROLE_QUASI_IDENTIFYING, NULL);
    sensitive = fixture_attribute(&fixture, "s", ROLE_SENSITIVE, NULL);
    fixture.attribute[sensitive].type = TYPE_INTEGER;
    fixture_model(&fixture, &(struct privacy_criterion){
                                .model = MODEL_T_CLOSENESS_ORDERED,
                                .attribute = sensitive,
                                .t = 1});
    fixture_subset(&fixture, "i % 2 == 1");
    fixture_load(&fixture, "q,s\nx,?\nx,1\ny,?\nx,2\ny,?\n");
    table = fixture.table;
    CU_ASSERT_EQUAL(table->rows, 2);
    CU_ASSERT_EQUAL(table->population_rows, 5);
    CU_ASSERT_EQUAL_FATAL(table->tuple_count, 2);
    CU_ASSERT_EQUAL(
        memcmp(table->tuple_of_row, tuple_of_row, sizeof tuple_of_row), 0);
    CU_ASSERT_EQUAL(memcmp(table->tuple_rows, rows, sizeof rows), 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(table->tuple_population);
    CU_ASSERT_EQUAL(
        memcmp(table->tuple_population, population, sizeof population), 0);
    CU_ASSERT_EQUAL(table->sensitive[0].value_count, 2);
    CU_ASSERT_EQUAL(table->sensitive[0].histograms.begin[1], 2);
    CU_ASSERT_EQUAL(table->sensitive[0].histograms.begin[2], 2);
    fixture_clear(&fixture);
}

static void subset_without_rows_is_refused(void)
{
    struct fixture fixture;
    struct error err;

    error_init(&err);
    fixture_init(&fixture);
    fixture_attribute(&fixture, "q", ROLE_QUASI_IDENTIFYING, NULL);
    fixture_k(&fixture, 1);
    fixture_subset(&fixture, "i > 2");
    CU_ASSERT_EQUAL(fixture_read(&fixture, "q\nx\ny\nz\n", &err), E_INPUT);
    CU_ASSERT_STRING_EQUAL(err.text,
                           "table.csv: none of its 3 rows is in the subset");
    fixture_clear(&fixture);
}

/* 6,000 tuples of two rows each, far enough apart: tables of slots, tuples
 * and rows grow several times. */
static void tables_grow(void)
{
    struct fixture fixture;
    struct text csv;
    struct error err;
    uint64_t wrong = 0;

    fixture_init(&fixture);
    fixture_attribute(&fixture, "a", ROLE_QUASI_IDENTIFYING, NULL);
    fixture_attribute(&fixture, "b", ROLE_QUASI_IDENTIFYING, NULL);
    fixture_k(&fixture, 1);
    text_init(&csv);
    CU_ASSERT_EQUAL(text_append_string(&csv, "a,b\n", &err), OK);
    for (int i = 0; i < 12000; i++)
        CU_ASSERT_EQUAL(
            text_printf(&csv, &err, "%d,%d\n", i % 6000 / 60, i % 60), OK);
    fixture_load(&fixture, csv.data);
    text_clear(&csv);
    CU_ASSERT_EQUAL(fixture.table->rows, 12000);
    CU_ASSERT_EQUAL_FATAL(fixture.table->tuple_count, 6000);
    for (uint32_t r = 0; r < 12000; r++)
        wrong += fixture.table->tuple_of_row[r] != r % 6000;
    for (uint32_t t = 0; t < 6000; t++)
        wrong += fixture.table->tuple_rows[t] != 2;
    CU_ASSERT_EQUAL(wrong, 0);
    fixture_clear(&fixture);
}

/* ---- missing values ---- */

static void missing_tokens_are_one_value(void)
{
    static const uint32_t tuple_of_row[] = {0, 1, 1, 0, 1};
    struct fixture fixture;
    const struct table *table;

    fixture_init(&fixture);
    allow_missing(&fixture);
    fixture_attribute(&fixture, "a", ROLE_QUASI_IDENTIFYING, NULL);
    fixture_model(&fixture, &(struct privacy_criterion){
                                .model = MODEL_DISTINCT_L_DIVERSITY,
                                .attribute = fixture_attribute(
                                    &fixture, "d", ROLE_SENSITIVE, NULL),
                                .l = 1});
    fixture_load(&fixture, "a,d\nx,?\n?,NA\nNA,\nx,flu\n,?\n");
    table = fixture.table;
    CU_ASSERT_EQUAL_FATAL(table->tuple_count, 2);
    CU_ASSERT_EQUAL(
        memcmp(table->tuple_of_row, tuple_of_row, sizeof tuple_of_row), 0);
    CU_ASSERT(bytes_equal_string(table_value_text(&table->quasi[0], 1), "?"));
    CU_ASSERT_EQUAL(table->sensitive[0].value_count, 2);
    CU_ASSERT_EQUAL(table->sensitive[0].histograms.begin[2], 3);
    fixture_clear(&fixture);
}

static void without_tokens_they_are_values(void)
{
    struct fixture fixture;

    fixture_init(&fixture);
    fixture_attribute(&fixture, "a", ROLE_QUASI_IDENTIFYING, NULL);
    fixture_attribute(&fixture, "b", ROLE_INSENSITIVE, NULL);
    fixture_k(&fixture, 1);
    fixture_load(&fixture, "a,b\n?,1\nNA,1\n,1\n?,1\n");
    CU_ASSERT_EQUAL(fixture.table->tuple_count, 3);
    fixture_clear(&fixture);
}

static void missing_values_go_to_the_row_of_a_token(void)
{
    struct fixture fixture;

    fixture_init(&fixture);
    allow_missing(&fixture);
    fixture_attribute(&fixture, "age", ROLE_QUASI_IDENTIFYING,
                      "31;30-39;*\nNA;unknown;*\n");
    fixture_k(&fixture, 1);
    fixture_load(&fixture, "age\n?\n31\nNA\n\"\"\n");
    CU_ASSERT_EQUAL(fixture.table->tuple_count, 2);
    CU_ASSERT_EQUAL(fixture.table->tuple_rows[0], 3);
    CU_ASSERT_EQUAL(fixture.table->quasi[0].row[0], 1);
    fixture_clear(&fixture);
}

static void two_tokens_in_one_hierarchy_are_refused(void)
{
    struct fixture fixture;

    fixture_init(&fixture);
    allow_missing(&fixture);
    fixture_attribute(&fixture, "age", ROLE_QUASI_IDENTIFYING,
                      "31;30-39;*\nNA;unknown;*\n?;unknown;*\n");
    fixture_k(&fixture, 1);
    expect_refusal(&fixture, "age\n31\n",
                   "policy.json: attribute \"age\": its hierarchy has a row "
                   "each for two tokens of table.missing (\"NA\" is one), "
                   "which are one value; name the tokens that mean missing in "
                   "table.missing");
    fixture_clear(&fixture);
}

static void values_without_a_row_are_refused(void)
{
    struct fixture fixture;

    fixture_init(&fixture);
    fixture_attribute(&fixture, "age", ROLE_QUASI_IDENTIFYING, AGE);
    fixture_attribute(&fixture, "n", ROLE_INSENSITIVE, NULL);
    fixture_k(&fixture, 1);
    /* The record begins on line 4: a newline in quotes stands before it. */
    expect_refusal(&fixture, "n;age\n\"1\n\";31\n2;8876\n",
                   "table.csv: line 4, column \"age\": the value has no row "
                   "in its hierarchy");
    allow_missing(&fixture);
    expect_refusal(&fixture, "n;age\n1;31\n2;NA\n",
                   "table.csv: line 3, column \"age\": a missing value, for "
                   "which its hierarchy has no row");
    fixture_clear(&fixture);
}

/* A model by the order of values needs one of each. */
static void values_without_an_order_are_refused(void)
{
    struct privacy_criterion model = {
        .model = MODEL_T_CLOSENESS_ORDERED, .attribute = 1, .t = 1};
    struct fixture fixture;

    fixture_init(&fixture);
    fixture_attribute(&fixture, "age", ROLE_QUASI_IDENTIFYING, AGE);
    fixture_attribute(&fixture, "days", ROLE_SENSITIVE, NULL);
    fixture_model(&fixture, &model);
    allow_missing(&fixture);
    fixture.attribute[1].type = TYPE_INTEGER;
    expect_refusal(&fixture, "days;age\n12;31\n8876x;31\n",
                   "table.csv: line 3, column \"days\": the value is no whole "
                   "number of 64 bits, which its type asks for");
    expect_refusal(&fixture, "days;age\n12;31\n3;31\nNA;31\n",
                   "table.csv: line 4, column \"days\": a missing value has no "
                   "place in the order of its type, which t-closeness-ordered "
                   "needs");
    fixture_clear(&fixture);
}

/* And one by a hierarchy a row there. */
static void sensitive_values_without_a_row_are_refused(void)
{
    struct privacy_criterion model = {
        .model = MODEL_T_CLOSENESS_HIERARCHICAL, .attribute = 1, .t = 1};
    struct fixture fixture;

    fixture_init(&fixture);
    fixture_attribute(&fixture, "age", ROLE_QUASI_IDENTIFYING, AGE);
    fixture_attribute(&fixture, "ill", ROLE_SENSITIVE, "flu;*\ncold;*\n");
    fixture_model(&fixture, &model);
    allow_missing(&fixture);
    expect_refusal(&fixture, "ill;age\nflu;31\ngout8876;31\n",
                   "table.csv: line 3, column \"ill\": the value has no row in "
                   "its hierarchy, which t-closeness-hierarchical needs");
    expect_refusal(
        &fixture, "ill;age\ncold;31\nflu;31\nNA;31\n",
        "table.csv: line 4, column \"ill\": a missing value has no "
        "row in its hierarchy, which t-closeness-hierarchical needs");
    fixture_clear(&fixture);
}

/* ---- columns ---- */

static void columns_and_policy_must_agree(void)
{
    struct fixture fixture;
    struct error err;

    fixture_init(&fixture);
    fixture_attribute(&fixture, "age", ROLE_QUASI_IDENTIFYING, AGE);
    fixture_attribute(&fixture, "ward", ROLE_INSENSITIVE, NULL);
    fixture_k(&fixture, 1);
    expect_refusal(&fixture, "age,sex\n31,F\n",
                   "policy.json: line 2: attribute \"ward\": the table "
                   "table.csv has no such column");
    expect_refusal(&fixture, "age,ward,sex\n31,1,F\n",
                   "table.csv: column \"sex\": the policy policy.json does "
                   "not name it; give it a role there, or set \"unlisted\": "
                   "\"remove\"");
    fixture.policy.unlisted_remove = true;
    CU_ASSERT_EQUAL_FATAL(
        fixture_read(&fixture, "age,ward,sex\n31,1,F\n", &err), OK);
    CU_ASSERT_EQUAL(fixture.table->column_count, 3);
    CU_ASSERT_EQUAL(fixture.table->column[0].fate, COLUMN_GENERALIZED);
    CU_ASSERT_EQUAL(fixture.table->column[1].fate, COLUMN_KEPT);
    CU_ASSERT_EQUAL(fixture.table->column[2].fate, COLUMN_REMOVED);
    fixture_clear(&fixture);
}

static void table_without_rows_is_refused(void)
{
    struct fixture fixture;

    fixture_init(&fixture);
    fixture_attribute(&fixture, "age", ROLE_QUASI_IDENTIFYING, AGE);
    fixture_k(&fixture, 1);
    expect_refusal(&fixture, "age\n",
                   "table.csv: a header, but no rows below it");
    expect_refusal(&fixture, "age",
                   "table.csv: a header, but no rows below it");
    fixture_clear(&fixture);
}

/* ---- subjects ---- */

static void subject_fixture(struct fixture *fixture)
{
    fixture_init(fixture);
    fixture_attribute(fixture, "id", ROLE_SUBJECT, NULL);
    fixture_attribute(fixture, "age", ROLE_QUASI_IDENTIFYING, AGE);
    fixture_k(fixture, 1);
}

static void subject_with_two_rows_is_refused(void)
{
    struct fixture fixture;

    subject_fixture(&fixture);
    expect_refusal(&fixture,
                   "id,age\nP7,31\nP8,35\n\"P\n9\",31\nP8,47\nP7,47\n",
                   "table.csv: line 6: the same subject as in line 3; k "
                   "counts rows, so each patient may have one row only");
    /* Quoted or not, it is the same value. */
    expect_refusal(&fixture, "age,id\r\n31,P7\r\n35,\"P7\"\r\n",
                   "table.csv: line 3: the same subject as in line 2; k "
                   "counts rows, so each patient may have one row only");
    fixture_clear(&fixture);
}

static void row_without_subject_is_refused(void)
{
    struct fixture fixture;

    subject_fixture(&fixture);
    expect_refusal(&fixture, "id,age\nP7,31\n,35\n",
                   "table.csv: line 3: the subject column is empty; each row "
                   "must say whose it is");
    allow_missing(&fixture);
    expect_refusal(&fixture, "id,age\nNA,31\n",
                   "table.csv: line 2: the subject column is empty; each row "
                   "must say whose it is");
    fixture_clear(&fixture);
}

/* A second pass is for repeated subjects.  Here it reads another header: the
 * first begins where the descriptor stands, the second at the file's start. */
static void changed_header_is_refused(void)
{
    static const char other[] = "id\nP7\n";
    static const char table[] = "age,id\n31,P7\n35,P7\n";
    struct fixture fixture;
    struct error err;

    subject_fixture(&fixture);
    fixture.fd = memfd_create("table", MFD_CLOEXEC);
    CU_ASSERT_EQUAL(write(fixture.fd, other, strlen(other)),
                    (ssize_t)strlen(other));
    CU_ASSERT_EQUAL(write(fixture.fd, table, strlen(table)),
                    (ssize_t)strlen(table));
    CU_ASSERT_EQUAL(lseek(fixture.fd, (off_t)strlen(other), SEEK_SET),
                    (off_t)strlen(other));
    error_init(&err);
    CU_ASSERT_EQUAL(table_read(&fixture.table, &fixture.policy, fixture.fd,
                               "table.csv", 2, NULL, &err),
                    E_INPUT);
    CU_ASSERT_STRING_EQUAL(err.text,
                           "table.csv: changed while it was being read");
    fixture_clear(&fixture);
}

static void subjects_of_a_pipe_cannot_be_compared(void)
{
    static const char csv[] = "id,age\nP7,31\nP7,35\n";
    struct fixture fixture;
    struct error err;
    int ends[2];

    subject_fixture(&fixture);
    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    CU_ASSERT_EQUAL(write(ends[1], csv, strlen(csv)), (ssize_t)strlen(csv));
    close(ends[1]);
    fixture.fd = ends[0];
    error_init(&err);
    CU_ASSERT_EQUAL(table_read(&fixture.table, &fixture.policy, fixture.fd,
                               "table.csv", 2, NULL, &err),
                    E_IO);
    CU_ASSERT_STRING_EQUAL(err.text, "table.csv: cannot be read a second time");
    fixture_clear(&fixture);
}

static void cancel_flag_ends_reading(void)
{
    struct fixture fixture;
    atomic_bool cancel = true;
    struct error err;

    subject_fixture(&fixture);
    CU_ASSERT_EQUAL(fixture_read(&fixture, "id,age\nP7,31\n", &err), OK);
    table_destroy(&fixture.table);
    CU_ASSERT_EQUAL(lseek(fixture.fd, 0, SEEK_SET), 0);
    error_init(&err);
    CU_ASSERT_EQUAL(table_read(&fixture.table, &fixture.policy, fixture.fd,
                               "table.csv", 2, &cancel, &err),
                    E_CANCELLED);
    CU_ASSERT_PTR_NULL(fixture.table);
    fixture_clear(&fixture);
}

/* ---- a judge of its own ---- */

/* No message about a table holds a value of it.  Each cell that could be
 * named is a text that nothing else contains. */
static void no_message_holds_a_value(void)
{
    static const char *tables[] = {
        "id,age\nQQ1,QQ2\n",
        "id,age\nQQ1,31\nQQ1,31\n",
        "id,age\nQQ1\n",
        "id,age\nQQ1,31,QQ3\n",
        "id,age\n\"QQ1,31\n",
        "id,age\nQ\"Q1,31\n",
        "id,age\n\"Q\"Q1,31\n",
        "id,age\n\"QQ1\xff\",31\n",
        "id,age\nQQ1,31\n\nQQ2,31\n",
    };
    struct fixture fixture;
    struct error err;

    subject_fixture(&fixture);
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        error_init(&err);
        CU_ASSERT_NOT_EQUAL(fixture_read(&fixture, tables[i], &err), OK);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "table.csv"));
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "line"));
        CU_ASSERT_PTR_NULL(strstr(err.text, "Q"));
    }
    fixture_clear(&fixture);
}

void suite_table(void)
{
    static const struct test tests[] = {
        {"rows become tuples with counts", rows_become_tuples_with_counts},
        {"sensitive values are counted by tuple",
         sensitive_values_are_counted_by_tuple},
        {"tables grow", tables_grow},
        {"missing tokens are one value", missing_tokens_are_one_value},
        {"without tokens they are values", without_tokens_they_are_values},
        {"rows outside a subset are the population",
         rows_outside_a_subset_are_the_population},
        {"a subset without rows is refused", subset_without_rows_is_refused},
        {"missing values go to the row of a token",
         missing_values_go_to_the_row_of_a_token},
        {"two tokens in one hierarchy are refused",
         two_tokens_in_one_hierarchy_are_refused},
        {"sensitive values without a row are refused",
         sensitive_values_without_a_row_are_refused},
        {"values without an order are refused",
         values_without_an_order_are_refused},
        {"values without a row in the hierarchy are refused",
         values_without_a_row_are_refused},
        {"columns and policy must agree", columns_and_policy_must_agree},
        {"a table without rows is refused", table_without_rows_is_refused},
        {"a subject with two rows is refused",
         subject_with_two_rows_is_refused},
        {"a row without subject is refused", row_without_subject_is_refused},
        {"a header that changed between two passes is refused",
         changed_header_is_refused},
        {"the subjects of a pipe cannot be compared",
         subjects_of_a_pipe_cannot_be_compared},
        {"the cancel flag ends reading", cancel_flag_ends_reading},
        {"no message holds a value of the table", no_message_holds_a_value},
    };

    suite_add("table", tests, sizeof tests / sizeof tests[0]);
}
