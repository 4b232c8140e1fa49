#include "anonymizer/policy.h"

#include <errno.h>
#include <openssl/err.h>

#include "tests/fault/fault.h"
#include "tests/fault/job.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_policy(void);

static struct scratch scratch;
static struct error err;

static enum status open_policy(struct policy **policy)
{
    const char *path = scratch_path(&scratch, "policy.json");
    enum status status;

    error_init(&err);
    fault_on();
    status = policy_open(policy, path, &err);
    fault_off();
    ERR_clear_error();
    CU_ASSERT_EQUAL(*policy == NULL, status != OK);
    return status;
}

/* Its digest, which takes part in all that was read, as the first run found
 * it. */
static void check_policy(const struct policy *policy, struct digest *first)
{
    CU_ASSERT_EQUAL(policy->attribute_count, 3);
    CU_ASSERT_EQUAL(policy->criterion_count, 5);
    CU_ASSERT_EQUAL(policy->missing_count, 2);
    CU_ASSERT_STRING_EQUAL(policy->name, "six-rows");
    CU_ASSERT(bytes_equal(bytes_of(policy->digest.byte, DIGEST_SIZE),
                          bytes_of(first->byte, DIGEST_SIZE)));
}

static void read_first(struct digest *first)
{
    struct policy *policy = NULL;

    scratch_open(&scratch);
    scratch_write(&scratch, "policy.json", JOB_POLICY);
    scratch_write(&scratch, "age.csv", JOB_AGE);
    CU_ASSERT_EQUAL_FATAL(open_policy(&policy), OK);
    *first = policy->digest;
    policy_close(&policy);
}

/* OpenSSL goes on without some of the memory that it asks for, and does not
 * tell a lack deep inside from other failures. */
static void policy_without_memory_is_null(void)
{
    struct digest first;

    read_first(&first);
    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        struct policy *policy = NULL;
        enum status status = open_policy(&policy);

        if (status == OK) {
            check_policy(policy, &first);
        } else {
            CU_ASSERT(fault_happened());
            CU_ASSERT(status == E_MEMORY || status == E_SYSTEM);
            CU_ASSERT(err.status == status && err.text[0] != '\0');
        }
        policy_close(&policy);
    }
    scratch_close(&scratch);
}

static void policy_under_failing_input_is_null(void)
{
    struct digest first;

    read_first(&first);
    FAULT_LOOP(FAULT_OPEN | FAULT_STAT | FAULT_READ, EIO)
    {
        struct policy *policy = NULL;

        fault_expect(open_policy(&policy), &err, E_IO);
        policy_close(&policy);
    }
    FAULT_LOOP(FAULT_OPEN | FAULT_READ | FAULT_RANDOM, EINTR)
    {
        struct policy *policy = NULL;

        fault_expect(open_policy(&policy), &err, OK);
        if (policy != NULL)
            check_policy(policy, &first);
        policy_close(&policy);
    }
    scratch_close(&scratch);
}

void suite_policy(void)
{
    static const struct test tests[] = {
        {"a policy without memory is null", policy_without_memory_is_null},
        {"a policy under failing input is null",
         policy_under_failing_input_is_null},
    };

    suite_add("policy", tests, sizeof tests / sizeof tests[0]);
}
