#include "anonymizer/table_join.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/random.h"
#include "common/text.h"
#include "tests/lib/fixture.h"
#include "tests/lib/suite.h"

void suite_table_join(void);

/* Some 5 MB: twenty blocks. */
#define ROWS 90000

static const char *const ages[] = {"31", "35", "47", "?"};

/* A table whose values come late and early, quoted and not, with more than 256
 * diagnoses, so that their codes take two bytes.  The last note has
 * `note_size` bytes: beyond a block, records are read one after the other. */
static void make_table(struct text *csv, size_t note_size)
{
    struct random random;
    struct error err;

    random_init(&random, fixture_seed("join"));
    text_init(csv);
    CU_ASSERT_EQUAL(text_append_string(csv, "age;note;city;d;id\n", &err), OK);
    for (uint64_t r = 0; r < ROWS; r++) {
        uint64_t city = random_below(&random, 50 + r / 40);
        uint64_t diagnosis = r < ROWS / 3 ? random_below(&random, 1 + r / 50)
                             : r % 2 == 0 ? r
                                          : 7;

        CU_ASSERT_EQUAL(
            text_printf(csv, &err, "%s;\"some \"\"words\"\"\nand; more\";",
                        ages[random_below(&random, r < ROWS / 2 ? 2 : 4)]),
            OK);
        CU_ASSERT_EQUAL(
            text_printf(csv, &err,
                        random_below(&random, 3) == 0
                            ? "\"a \"\"city\"\" with a long name, no. %ju\""
                            : "city-%ju",
                        (uintmax_t)city),
            OK);
        CU_ASSERT_EQUAL(text_printf(csv, &err,
                                    diagnosis == 5 ? ";?;" : ";d%ju;",
                                    (uintmax_t)diagnosis),
                        OK);
        CU_ASSERT_EQUAL(text_printf(csv, &err, "p%ju\r\n", (uintmax_t)r), OK);
    }
    CU_ASSERT_EQUAL(text_append_string(csv, "35;", &err), OK);
    CU_ASSERT_EQUAL(text_reserve(csv, note_size, &err), OK);
    memset(csv->data + csv->size, 'n', note_size);
    csv->size += note_size;
    CU_ASSERT_EQUAL(text_append_string(csv, ";city-0;d7;p\n", &err), OK);
}

static void make_policy(struct fixture *fixture, bool subset)
{
    static char question[] = "?", none[] = "d0", *missing[] = {question, none};
    struct privacy_criterion model = {.model = MODEL_DISTINCT_L_DIVERSITY,
                                      .l = 2};

    fixture_init(fixture);
    fixture->policy.missing = missing;
    fixture->policy.missing_count = 2;
    fixture_attribute(fixture, "age", ROLE_QUASI_IDENTIFYING,
                      "31;30-39;*\n35;30-39;*\n?;?;*\n47;40-49;*\n");
    fixture_attribute(fixture, "note", ROLE_INSENSITIVE, NULL);
    fixture_attribute(fixture, "city", ROLE_QUASI_IDENTIFYING, NULL);
    model.attribute = fixture_attribute(fixture, "d", ROLE_SENSITIVE, NULL);
    fixture_model(fixture, &model);
    fixture_attribute(fixture, "id", ROLE_SUBJECT, NULL);
    if (subset)
        fixture_subset(fixture, "i % 3 == 1");
}

static struct table *read_table(struct fixture *fixture, unsigned threads)
{
    struct table *table = NULL;
    struct error err;

    error_init(&err);
    CU_ASSERT_EQUAL(lseek(fixture->fd, 0, SEEK_SET), 0);
    CU_ASSERT_EQUAL(table_read(&table, &fixture->policy, fixture->fd, "t.csv",
                               threads, NULL, &err),
                    OK);
    if (table == NULL)
        fprintf(stderr, "%s\n", err.text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(table);
    return table;
}

static void same_dictionaries(const struct dictionary *a,
                              const struct dictionary *b)
{
    uint32_t wrong = 0;

    CU_ASSERT_EQUAL_FATAL(a->code_count, b->code_count);
    for (uint32_t code = 0; code < a->code_count; code++)
        wrong +=
            !bytes_equal(dictionary_text(a, code), dictionary_text(b, code));
    CU_ASSERT_EQUAL(wrong, 0);
}

static void same_histograms(const struct histograms *a,
                            const struct histograms *b, uint32_t tuples)
{
    size_t size = (size_t)a->begin[tuples] * sizeof *a->value;

    CU_ASSERT_EQUAL_FATAL(
        memcmp(a->begin, b->begin, ((size_t)tuples + 1) * sizeof *a->begin), 0);
    CU_ASSERT_EQUAL(memcmp(a->value, b->value, size), 0);
    CU_ASSERT_EQUAL(memcmp(a->number, b->number, size), 0);
}

static void same_tables(const struct table *a, const struct table *b)
{
    size_t tuples = a->tuple_count;

    CU_ASSERT_EQUAL(a->rows, b->rows);
    CU_ASSERT_EQUAL_FATAL(a->population_rows, b->population_rows);
    CU_ASSERT_EQUAL_FATAL(a->tuple_count, b->tuple_count);
    CU_ASSERT_EQUAL(
        memcmp(a->tuple_of_row, b->tuple_of_row,
               (size_t)a->population_rows * sizeof *a->tuple_of_row),
        0);
    CU_ASSERT_EQUAL(
        memcmp(a->value, b->value, tuples * a->quasi_count * sizeof *a->value),
        0);
    CU_ASSERT_EQUAL(
        memcmp(a->tuple_rows, b->tuple_rows, tuples * sizeof *a->tuple_rows),
        0);
    CU_ASSERT_EQUAL_FATAL(a->tuple_population == NULL,
                          b->tuple_population == NULL);
    if (a->tuple_population != NULL)
        CU_ASSERT_EQUAL(memcmp(a->tuple_population, b->tuple_population,
                               tuples * sizeof *a->tuple_population),
                        0);
    for (size_t q = 0; q < a->quasi_count; q++) {
        CU_ASSERT_EQUAL_FATAL(a->quasi[q].value_count, b->quasi[q].value_count);
        for (uint32_t v = 0; v < a->quasi[q].value_count; v++)
            CU_ASSERT_TRUE(bytes_equal(table_value_text(&a->quasi[q], v),
                                       table_value_text(&b->quasi[q], v)));
    }
    for (size_t s = 0; s < a->sensitive_count; s++) {
        same_dictionaries(&a->sensitive[s].dictionary,
                          &b->sensitive[s].dictionary);
        same_histograms(&a->sensitive[s].histograms,
                        &b->sensitive[s].histograms, a->tuple_count);
    }
}

static void threads_change_nothing(bool subset)
{
    struct fixture short_one, long_one;
    struct table *records, *blocks;
    struct text csv;

    make_policy(&long_one, subset);
    make_table(&csv, 600000);
    fixture_open(&long_one, csv.data);
    text_clear(&csv);
    records = read_table(&long_one, 4);
    CU_ASSERT_EQUAL(records->population_rows, ROWS + 1);
    CU_ASSERT_EQUAL(records->rows, subset ? ROWS / 3 : ROWS + 1);

    make_policy(&short_one, subset);
    make_table(&csv, 1);
    fixture_open(&short_one, csv.data);
    text_clear(&csv);
    for (unsigned threads = 1; threads <= 4; threads++) {
        blocks = read_table(&short_one, threads);
        same_tables(records, blocks);
        table_destroy(&blocks);
    }
    table_destroy(&records);
    short_one.policy.missing_count = long_one.policy.missing_count = 0;
    short_one.policy.missing = long_one.policy.missing = NULL;
    fixture_clear(&short_one);
    fixture_clear(&long_one);
}

static void all_rows(void)
{
    threads_change_nothing(false);
}

static void rows_of_a_subset(void)
{
    threads_change_nothing(true);
}

/* The first one in the file, whoever meets it. */
static void first_error_is_told(void)
{
    struct fixture fixture;
    struct table *table = NULL;
    struct text csv;
    struct error err;

    make_policy(&fixture, false);
    make_table(&csv, 1);
    /* Behind two lines of the header and each row. */
    CU_ASSERT_EQUAL(text_append_string(&csv, "99;x;y;z;q\n1;2\n", &err), OK);
    fixture_open(&fixture, csv.data);
    text_clear(&csv);
    for (unsigned threads = 1; threads <= 4; threads++) {
        CU_ASSERT_EQUAL(lseek(fixture.fd, 0, SEEK_SET), 0);
        CU_ASSERT_EQUAL(table_read(&table, &fixture.policy, fixture.fd, "t.csv",
                                   threads, NULL, &err),
                        E_INPUT);
        CU_ASSERT_STRING_EQUAL(err.text,
                               "t.csv: line 180003, column \"age\": the value "
                               "has no row in its hierarchy");
    }
    fixture.policy.missing_count = 0;
    fixture.policy.missing = NULL;
    fixture_clear(&fixture);
}

void suite_table_join(void)
{
    static const struct test tests[] = {
        {"one thread or four, blocks or records: the same table", all_rows},
        {"the same with a subset", rows_of_a_subset},
        {"the first error of the file is told, for any number of threads",
         first_error_is_told},
    };

    suite_add("table_join", tests, sizeof tests / sizeof *tests);
}
