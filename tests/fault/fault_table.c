#include "anonymizer/table.h"

#include <errno.h>
#include <unistd.h>

#include "tests/fault/fault.h"
#include "tests/lib/fixture.h"
#include "tests/lib/suite.h"

void suite_table(void);

static struct fixture fixture;
static struct error err;

/* Enough rows and values that every list grows; one subject stands twice if
 * asked for. */
static void prepare(bool sensitive, bool repeated)
{
    struct text csv;

    fixture_init(&fixture);
    fixture_attribute(&fixture, "id", ROLE_SUBJECT, NULL);
    fixture_attribute(&fixture, "age", ROLE_QUASI_IDENTIFYING,
                      "31;30-39;*\n35;30-39;*\n47;40-49;*\n");
    fixture_attribute(&fixture, "city", ROLE_QUASI_IDENTIFYING, NULL);
    if (sensitive)
        fixture_model(&fixture, &(struct privacy_criterion){
                                    .model = MODEL_DISTINCT_L_DIVERSITY,
                                    .attribute = fixture_attribute(
                                        &fixture, "d", ROLE_SENSITIVE, NULL),
                                    .l = 2});
    else
        fixture_attribute(&fixture, "d", ROLE_INSENSITIVE, NULL);
    fixture_k(&fixture, 2);
    text_init(&csv);
    CU_ASSERT_EQUAL(text_append_string(&csv, "id,age,city,d\n", &err), OK);
    for (int i = 0; i < 5000; i++)
        CU_ASSERT_EQUAL(text_printf(&csv, &err, "%d,%s,%d,%d\n",
                                    repeated && i == 700 ? 3 : i,
                                    i % 2 == 0 ? "31" : "47", i % 700, i % 90),
                        OK);
    fixture_open(&fixture, csv.data);
    text_clear(&csv);
}

/* One reading under faults, from the start of the file. */
static enum status read_again(void)
{
    struct table *table = NULL;
    enum status status;

    CU_ASSERT_EQUAL(lseek(fixture.fd, 0, SEEK_SET), 0);
    error_init(&err);
    fault_on();
    status = table_read(&table, &fixture.policy, fixture.fd, "table.csv", 1,
                        NULL, &err);
    fault_off();
    CU_ASSERT_EQUAL(table == NULL, status != OK);
    CU_ASSERT(table == NULL ||
              (table->rows == 5000 && table->tuple_count == 700));
    table_destroy(&table);
    return status;
}

static void without_memory_there_is_no_table(void)
{
    prepare(false, false);
    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        fault_expect(read_again(), &err, E_MEMORY);
    }
    fixture_clear(&fixture);
}

/* Giving back what a list did not need may fail without harm. */
static void histograms_may_stay_larger_than_needed(void)
{
    prepare(true, false);
    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        enum status status = read_again();

        fault_expect(status, &err, status == OK ? OK : E_MEMORY);
    }
    fixture_clear(&fixture);
}

static void failing_reads_are_told(void)
{
    prepare(false, false);
    FAULT_LOOP(FAULT_READ, EIO)
    {
        fault_expect(read_again(), &err, E_IO);
    }
    FAULT_LOOP(FAULT_RANDOM, ENOSYS)
    {
        fault_expect(read_again(), &err, E_SYSTEM);
    }
    fixture_clear(&fixture);
}

/* The look at repeated subjects is a second reading. */
static void second_pass_fails_cleanly(void)
{
    prepare(false, true);
    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        enum status status = read_again();

        CU_ASSERT_EQUAL(status, fault_happened() ? E_MEMORY : E_INPUT);
    }
    FAULT_LOOP(FAULT_READ | FAULT_SEEK, EIO)
    {
        enum status status = read_again();

        CU_ASSERT_EQUAL(status, fault_happened() ? E_IO : E_INPUT);
    }
    fixture_clear(&fixture);
}

void suite_table(void)
{
    static const struct test tests[] = {
        {"without memory there is no table", without_memory_there_is_no_table},
        {"histograms may stay larger than needed",
         histograms_may_stay_larger_than_needed},
        {"failing reads are told", failing_reads_are_told},
        {"the second pass for subjects fails cleanly",
         second_pass_fails_cleanly},
    };

    suite_add("table", tests, sizeof tests / sizeof tests[0]);
}
