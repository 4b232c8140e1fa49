#include "anonymizer/anonymize.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <stdio.h>
#include <unistd.h>

#include "common/files.h"
#include "tests/fault/fault.h"
#include "tests/fault/job.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_anonymize(void);

static struct scratch scratch;
static struct error err;
static struct policy *policy;

static void prepare(void)
{
    scratch_open(&scratch);
    scratch_write(&scratch, "policy.json", JOB_POLICY);
    scratch_write(&scratch, "age.csv", JOB_AGE);
    scratch_write(&scratch, "in.csv", JOB_TABLE);
    if (policy_open(&policy, scratch_path(&scratch, "policy.json"), &err) !=
        OK) {
        fprintf(stderr, "\n%s\n", err.text);
        CU_FAIL_FATAL("the policy is refused");
    }
}

static void clean(void)
{
    policy_close(&policy);
    scratch_close(&scratch);
}

static void check_result(const struct anonymize_result *result)
{
    CU_ASSERT_EQUAL(result->rows, 6);
    CU_ASSERT_EQUAL(result->suppressed, 1);
    CU_ASSERT_EQUAL(result->after.count, 2);
    CU_ASSERT_EQUAL(result->after.min, 2);
    CU_ASSERT_EQUAL(result->after.max, 3);
    CU_ASSERT(result->rechecked);
    CU_ASSERT(scratch_holds(&scratch, "out.csv", JOB_RELEASE));
}

/* One job under faults, from open descriptors to a result or none. */
static enum status run_job(unsigned threads)
{
    struct anonymize_options options = {.threads = threads};
    struct anonymize_result *result = NULL;
    int input = open(scratch_path(&scratch, "in.csv"), O_RDONLY);
    int output = open(scratch_path(&scratch, "out.csv"),
                      O_RDWR | O_CREAT | O_TRUNC, 0600);
    enum status status;

    error_init(&err);
    fault_on();
    status = anonymize_table(&result, policy, input, "in.csv", output,
                             "out.csv", &options, &err);
    fault_off();
    ERR_clear_error();
    CU_ASSERT_EQUAL(result == NULL, status != OK);
    if (result != NULL)
        check_result(result);
    anonymize_destroy(&result);
    close(input);
    close(output);
    return status;
}

/* The table comes from a stream over in.csv. */
struct tape {
    int fd;
    off_t at;
};

static enum status tape_read(void *context, void *data, size_t size,
                             size_t *got, struct error *why)
{
    struct tape *tape = context;
    ssize_t more;

    fault_off();
    more = pread(tape->fd, data, size, tape->at);
    fault_on();
    (void)why;
    *got = more > 0 ? (size_t)more : 0;
    tape->at += (off_t)*got;
    return OK;
}

static enum status tape_rewind(void *context, struct error *why)
{
    (void)why;
    ((struct tape *)context)->at = 0;
    return OK;
}

/* The same job as a release: the suppressed row is dropped, the others are in
 * an order of their own. */
static enum status run_release(void)
{
    static const struct shuffle_seed seed = {{1}};
    struct tape tape = {
        .fd = open(scratch_path(&scratch, "in.csv"), O_RDONLY | O_CLOEXEC)};
    const struct csv_stream stream = {.delimiter = ',',
                                      .read = tape_read,
                                      .rewind = tape_rewind,
                                      .context = &tape};
    struct anonymize_options options = {.threads = 1};
    struct anonymize_result *result = NULL;
    int draft = open(scratch_path(&scratch, "draft.csv"),
                     O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int output = open(scratch_path(&scratch, "out.csv"),
                      O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    enum status status;

    error_init(&err);
    fault_on();
    status = anonymize_stream(&result, policy, &stream, "vault", draft, output,
                              "out.csv", &seed, &options, &err);
    fault_off();
    ERR_clear_error();
    CU_ASSERT_EQUAL(result == NULL, status != OK);
    if (result != NULL) {
        CU_ASSERT_EQUAL(result->after.rows, 5);
        CU_ASSERT_EQUAL(result->after.count, 2);
        CU_ASSERT(result->rechecked);
    }
    anonymize_destroy(&result);
    close(tape.fd);
    close(draft);
    close(output);
    return status;
}

static void check_lack(enum status status)
{
    CU_ASSERT(status == OK || fault_happened());
    CU_ASSERT(status == OK || status == E_MEMORY || status == E_SYSTEM);
    CU_ASSERT_EQUAL(err.status, status);
}

/* OpenSSL goes on without some of the memory that it asks for, and does not
 * tell a lack deep inside from other failures. */
static void job_without_memory_has_no_result(void)
{
    prepare();
    for (unsigned threads = 1; threads <= 3; threads += 2)
        FAULT_LOOP(FAULT_MEMORY, ENOMEM)
        {
            check_lack(run_job(threads));
        }
    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        check_lack(run_release());
    }
    clean();
}

static void failing_input_or_output_ends_the_job(void)
{
    prepare();
    FAULT_LOOP(FAULT_READ | FAULT_WRITE | FAULT_SEEK | FAULT_STAT, EIO)
    {
        fault_expect(run_job(1), &err, E_IO);
    }
    FAULT_LOOP(FAULT_WRITE, ENOSPC)
    {
        fault_expect(run_job(1), &err, E_IO);
    }
    FAULT_LOOP(FAULT_READ | FAULT_WRITE | FAULT_SEEK | FAULT_STAT, EIO)
    {
        fault_expect(run_release(), &err, E_IO);
    }
    FAULT_LOOP(FAULT_RANDOM, ENOSYS)
    {
        fault_expect(run_job(1), &err, E_SYSTEM);
    }
    clean();
}

static void interruptions_and_short_transfers_do_no_harm(void)
{
    prepare();
    fault_short_transfers(true);
    FAULT_LOOP(FAULT_READ | FAULT_WRITE | FAULT_RANDOM, EINTR)
    {
        fault_expect(run_job(2), &err, OK);
    }
    fault_short_transfers(false);
    clean();
}

static void missing_threads_cost_only_time(void)
{
    prepare();
    FAULT_LOOP(FAULT_THREAD, EAGAIN)
    {
        CU_ASSERT_EQUAL(run_job(4), OK);
    }
    clean();
}

void suite_anonymize(void)
{
    static const struct test tests[] = {
        {"a job without memory has no result",
         job_without_memory_has_no_result},
        {"failing input or output ends the job",
         failing_input_or_output_ends_the_job},
        {"interruptions and short transfers do no harm",
         interruptions_and_short_transfers_do_no_harm},
        {"missing threads cost only time", missing_threads_cost_only_time},
    };

    suite_add("anonymize", tests, sizeof tests / sizeof tests[0]);
}
