#include "anonymizer/vault_schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/digest.h"
#include "common/limits.h"
#include "tests/lib/suite.h"

void suite_vault_schema(void);

static struct error err;

static char subject[] = "patient", age[] = "age", diagnosis[] = "diagnosis";
static char none[] = "", missing[] = "NA";
static char *columns[] = {age, diagnosis};
static char *tokens[] = {none, missing};

/* By hand, after RFC 8785. */
static const char expected[] =
    "{\"columns\":[\"age\",\"diagnosis\"],\"delimiter\":\";\","
    "\"missing\":[\"\",\"NA\"],\"newline\":\"\\n\",\"schema\":1,"
    "\"subject\":\"patient\"}";

static struct vault_schema sample(void)
{
    error_init(&err);
    return (struct vault_schema){.subject = subject,
                                 .column = columns,
                                 .column_count = 2,
                                 .missing = tokens,
                                 .missing_count = 2,
                                 .delimiter = ';',
                                 .newline = "\n"};
}

static void schema_is_written_in_its_one_form_and_read_again(void)
{
    struct vault_schema schema = sample(), back;
    struct text text;

    text_init(&text);
    CU_ASSERT_EQUAL(vault_schema_encode(&schema, &text, &err), OK);
    CU_ASSERT_STRING_EQUAL(text.data, expected);
    CU_ASSERT_EQUAL_FATAL(vault_schema_decode(&back, text_bytes(&text), &err),
                          OK);
    CU_ASSERT_STRING_EQUAL(back.subject, "patient");
    CU_ASSERT_EQUAL_FATAL(back.column_count, 2);
    CU_ASSERT_STRING_EQUAL(back.column[1], "diagnosis");
    CU_ASSERT_EQUAL_FATAL(back.missing_count, 2);
    CU_ASSERT_STRING_EQUAL(back.missing[0], "");
    CU_ASSERT_EQUAL(back.delimiter, ';');
    CU_ASSERT_STRING_EQUAL(back.newline, "\n");
    vault_schema_clear(&back);
    text_clear(&text);
}

static void expect_encode(const struct vault_schema *schema, enum status status,
                          const char *words)
{
    struct text text;

    text_init(&text);
    error_init(&err);
    CU_ASSERT_EQUAL(vault_schema_encode(schema, &text, &err), status);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, words));
    CU_ASSERT_EQUAL(text.size, 0);
    text_clear(&text);
}

static void schemas_that_no_table_has_are_refused(void)
{
    static const char delimiters[] = {'\0', '"', '\r', '\n', '\xe9'};
    struct vault_schema schema = sample();
    char bad_utf8[] = "\xff";
    char *twice[] = {age, age}, *same[] = {age, subject};
    char *nameless[] = {age, none}, *bad[] = {age, bad_utf8};

    schema.column_count = 0;
    expect_encode(&schema, E_INPUT, "no column but the subject's");
    schema = sample();
    schema.column = twice;
    expect_encode(&schema, E_INPUT, "two columns have the same name");
    schema.column = same;
    expect_encode(&schema, E_INPUT, "two columns have the same name");
    schema.column = nameless;
    expect_encode(&schema, E_INPUT, "a column has no name");
    schema.column = bad;
    expect_encode(&schema, E_INPUT, "UTF-8");
    schema = sample();
    memcpy(schema.newline, "\r", 2);
    expect_encode(&schema, E_INPUT, "a line ends with");
    for (size_t i = 0; i < sizeof delimiters; i++) {
        schema = sample();
        schema.delimiter = delimiters[i];
        expect_encode(&schema, E_INPUT, "a delimiter is");
    }
    schema = sample();
    schema.missing_count = MISSING_TOKENS_MAX + 1;
    expect_encode(&schema, E_LIMIT, "65 tokens");
    schema = sample();
    schema.column_count = TABLE_COLUMNS_MAX;
    expect_encode(&schema, E_LIMIT, "4096 columns");
}

static void names_that_are_too_long_together_are_refused(void)
{
    struct vault_schema schema = sample();
    char *huge = malloc(JSON_SIZE_MAX);
    char *one[] = {huge};

    CU_ASSERT_PTR_NOT_NULL_FATAL(huge);
    memset(huge, 'x', JSON_SIZE_MAX - 1);
    huge[JSON_SIZE_MAX - 1] = '\0';
    schema.column = one;
    schema.column_count = 1;
    expect_encode(&schema, E_LIMIT, "more than 16777216 bytes");
    free(huge);
}

static void texts_that_are_no_schema_are_refused(void)
{
    static const struct {
        const char *from, *to, *words;
    } changes[] = {
        {"{", "[", "schema: "},
        {"\"schema\":1", "\"schema\":2", "\"schema\" is another"},
        {"\"schema\":1", "\"schema\":1,\"x\":1", "\"x\""},
        {"\"schema\":1,", "", "\"schema\""},
        {"\"NA\"", "7", "\"missing\" has another element"},
        {"\"delimiter\":\";\"", "\"delimiter\":\";;\"", "\"delimiter\""},
        {"\"delimiter\":\";\"", "\"delimiter\":\"\"", "\"delimiter\""},
        {"\"newline\":\"\\n\"", "\"newline\":\"\\r\\r\\n\"", "\"newline\""},
        {"\"age\",", "\"age\", ", "its one form"},
        {"\"age\"", "\"diagnosis\"", "two columns have the same name"},
        {"\"patient\"", "\"\"", "no name"},
    };

    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        const char *at = strstr(expected, changes[i].from);
        struct vault_schema schema;
        char text[512];

        CU_ASSERT_PTR_NOT_NULL_FATAL(at);
        snprintf(text, sizeof text, "%.*s%s%s", (int)(at - expected), expected,
                 changes[i].to, at + strlen(changes[i].from));
        error_init(&err);
        CU_ASSERT_EQUAL(
            vault_schema_decode(&schema, bytes_of_string(text), &err), E_INPUT);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, changes[i].words));
        CU_ASSERT_PTR_NULL(schema.column);
    }
}

void suite_vault_schema(void)
{
    static const struct test tests[] = {
        {"a schema is written in its one form, and read again",
         schema_is_written_in_its_one_form_and_read_again},
        {"schemas that no table has are refused",
         schemas_that_no_table_has_are_refused},
        {"names that are too long together are refused",
         names_that_are_too_long_together_are_refused},
        {"texts that are no schema are refused",
         texts_that_are_no_schema_are_refused},
    };

    suite_add("vault_schema", tests, sizeof tests / sizeof tests[0]);
}
