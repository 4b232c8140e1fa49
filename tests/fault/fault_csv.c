#include "anonymizer/csv.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "anonymizer/csv_internal.h"
#include "tests/fault/fault.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_csv(void);

/* Invented.  Line 3 makes the reader unquote, line 5 outgrows its block. */
static const char table[] =
    "age,city,note\r\n"
    "34,Aalst,\r\n"
    "35,\"Old \"\"Mill\"\" Road\",\"a,b\"\r\n"
    "36,Bree,\"two\n"
    "lines and many more words than the first block of this reader holds\"\r\n"
    "37,Ghent,x\r\n";

static struct scratch scratch;
static struct error err;

/* Read the whole table; returns the bytes of all values in *size. */
static enum status read_table(int fd, size_t *size)
{
    struct csv_tuning tuning = csv_tuning_default();
    const struct csv_record *record = NULL;
    struct csv_reader *reader = NULL;
    enum status status;

    tuning.block_size = 16;
    *size = 0;
    status = csv_open_source(&reader, (struct csv_source){.fd = fd}, "in.csv",
                             (struct csv_options){0}, tuning, &err);
    if (status != OK) {
        CU_ASSERT_PTR_NULL(reader);
        return status;
    }
    while ((status = csv_next(reader, &record, &err)) == OK && record != NULL)
        for (size_t i = 0; i < record->count; i++)
            *size += record->field[i].value.size;
    csv_close(&reader);
    return status;
}

/* A round of a loop. */
static void read_round(enum status expected)
{
    int fd = open(scratch_path(&scratch, "in.csv"), O_RDONLY);
    enum status status;
    size_t size;

    error_init(&err);
    fault_on();
    status = read_table(fd, &size);
    fault_off();
    fault_expect(status, &err, expected);
    /* 2+5+0, 2+15+3, 2+4+71, 2+5+1: counted by hand. */
    if (status == OK)
        CU_ASSERT_EQUAL(size, 112);
    close(fd);
}

static void faults_end_the_reading_cleanly(void)
{
    scratch_open(&scratch);
    scratch_write(&scratch, "in.csv", table);
    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        read_round(E_MEMORY);
    }
    FAULT_LOOP(FAULT_READ, EIO)
    {
        read_round(E_IO);
    }
    scratch_close(&scratch);
}

static void interruptions_and_short_reads_do_no_harm(void)
{
    scratch_open(&scratch);
    scratch_write(&scratch, "in.csv", table);
    FAULT_LOOP(FAULT_READ, EINTR)
    {
        read_round(OK);
    }
    fault_short_transfers(true);
    FAULT_LOOP(FAULT_READ, EINTR)
    {
        read_round(OK);
    }
    fault_short_transfers(false);
    scratch_close(&scratch);
}

static void field_without_memory_changes_nothing(void)
{
    struct text out;

    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        enum status status;

        error_init(&err);
        text_init(&out);
        fault_on();
        status = csv_append_field(&out, bytes_of_string("a \"b\""), ',', &err);
        fault_off();
        fault_expect(status, &err, E_MEMORY);
        CU_ASSERT_STRING_EQUAL(out.data, status == OK ? "\"a \"\"b\"\"\"" : "");
        text_clear(&out);
    }
}

void suite_csv(void)
{
    static const struct test tests[] = {
        {"faults end the reading cleanly", faults_end_the_reading_cleanly},
        {"interruptions and short reads do no harm",
         interruptions_and_short_reads_do_no_harm},
        {"a field without memory changes nothing",
         field_without_memory_changes_nothing},
    };

    suite_add("csv", tests, sizeof tests / sizeof tests[0]);
}
