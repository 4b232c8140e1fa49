#include "anonymizer/ingest_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "tests/fault/fault.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_ingest_reader(void);

static struct scratch scratch;
static struct error err;
static struct policy *policy;

static void prepare(void)
{
    static const char text[] =
        "{\"policy\":1,\"attributes\":{\"patient\":{\"role\":\"subject\"},"
        "\"age\":{\"role\":\"quasi-identifying\"}},\"unlisted\":\"remove\","
        "\"privacy\":[{\"model\":\"k-anonymity\",\"k\":2}]}";

    scratch_open(&scratch);
    scratch_write(&scratch, "in.csv", "patient,age,x\n1,31,a\n2,47,b\n");
    error_init(&err);
    CU_ASSERT_EQUAL_FATAL(
        policy_parse(&policy, bytes_of_string(text), "policy.json", &err), OK);
}

static enum status identify(void *context, struct bytes number,
                            struct subject_id *subject, struct error *why)
{
    (void)context;
    (void)why;
    *subject = (struct subject_id){{number.data[0]}};
    return OK;
}

static enum status read_all(void)
{
    struct ingest_source source = {.name = "in.csv", .identify = identify};
    struct ingest_reader *reader = NULL;
    const struct ingest_row *row = NULL;
    unsigned count = 0;
    enum status status;

    source.fd = open(scratch_path(&scratch, "in.csv"), O_RDONLY | O_CLOEXEC);
    error_init(&err);
    fault_on();
    status = ingest_reader_open(&reader, policy, &source, &err);
    while (status == OK) {
        status = ingest_reader_next(reader, &row, &err);
        if (status != OK || row == NULL)
            break;
        count++;
    }
    ingest_reader_close(&reader);
    fault_off();
    CU_ASSERT(status != OK || count == 2);
    close(source.fd);
    return status;
}

static void reading_without_memory_is_told(void)
{
    prepare();
    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        fault_expect(read_all(), &err, E_MEMORY);
    }
    FAULT_LOOP(FAULT_READ, EIO)
    {
        fault_expect(read_all(), &err, E_IO);
    }
    policy_close(&policy);
    scratch_close(&scratch);
}

void suite_ingest_reader(void)
{
    static const struct test tests[] = {
        {"reading without memory or input is told",
         reading_without_memory_is_told},
    };

    suite_add("ingest_reader", tests, sizeof tests / sizeof tests[0]);
}
