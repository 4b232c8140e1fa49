#include "anonymizer/policy_bundle.h"

#include <errno.h>
#include <openssl/err.h>

#include "tests/fault/fault.h"
#include "tests/fault/job.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_policy_bundle(void);

static struct scratch scratch;
static struct error err;

static void open_scratch(void)
{
    scratch_open(&scratch);
    scratch_write(&scratch, "policy.json", JOB_POLICY);
    scratch_write(&scratch, "age.csv", JOB_AGE);
}

static enum status pack(struct text *bundle)
{
    const char *path = scratch_path(&scratch, "policy.json");
    enum status status;

    error_init(&err);
    fault_on();
    status = policy_bundle_pack(path, bundle, &err);
    fault_off();
    ERR_clear_error();
    CU_ASSERT_EQUAL(bundle->size == 0, status != OK);
    return status;
}

static void check_lack(enum status status)
{
    CU_ASSERT(status == OK || fault_happened());
    CU_ASSERT(status == OK || status == E_MEMORY || status == E_SYSTEM);
    CU_ASSERT_EQUAL(err.status, status);
}

static void packing_without_memory_appends_nothing(void)
{
    open_scratch();
    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        struct text bundle;

        text_init(&bundle);
        check_lack(pack(&bundle));
        text_clear(&bundle);
    }
    scratch_close(&scratch);
}

static void packing_under_failing_input_appends_nothing(void)
{
    open_scratch();
    FAULT_LOOP(FAULT_OPEN | FAULT_STAT | FAULT_READ, EIO)
    {
        struct text bundle;

        text_init(&bundle);
        fault_expect(pack(&bundle), &err, E_IO);
        text_clear(&bundle);
    }
    scratch_close(&scratch);
}

static void opening_without_memory_is_null(void)
{
    struct text bundle;

    open_scratch();
    text_init(&bundle);
    error_init(&err);
    CU_ASSERT_EQUAL_FATAL(
        policy_bundle_pack(scratch_path(&scratch, "policy.json"), &bundle,
                           &err),
        OK);
    scratch_close(&scratch);
    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        struct policy *policy = NULL, *canonical = NULL;
        enum status status;

        error_init(&err);
        fault_on();
        status = policy_bundle_open(&policy, text_bytes(&bundle), &err);
        if (status == OK)
            status = policy_parse_canonical(
                &canonical, text_bytes(&policy->canonical), &err);
        fault_off();
        ERR_clear_error();
        check_lack(status);
        CU_ASSERT_EQUAL(canonical == NULL, status != OK);
        policy_close(&canonical);
        policy_close(&policy);
    }
    text_clear(&bundle);
}

void suite_policy_bundle(void)
{
    static const struct test tests[] = {
        {"packing without memory appends nothing",
         packing_without_memory_appends_nothing},
        {"packing under failing input appends nothing",
         packing_under_failing_input_appends_nothing},
        {"opening without memory is null", opening_without_memory_is_null},
    };

    suite_add("policy_bundle", tests, sizeof tests / sizeof tests[0]);
}
