#include <errno.h>
#include <stdio.h>

#include "datasets/hospital.h"
#include "datasets/hospital_consents.h"
#include "datasets/hospital_hierarchies.h"
#include "datasets/hospital_table.h"
#include "datasets/output.h"
#include "tests/fault/fault.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_hospital(void);

#define ALL_IO                                                                 \
    (FAULT_WRITE | FAULT_STAT | FAULT_OPEN | FAULT_SYNC | FAULT_LINK |         \
     FAULT_RENAME)

/* Enough to fill the output's buffer more than once. */
static const struct patient_range range = {1, 5000};

static struct scratch scratch;
static struct error err;

/* What the command does for `table`, or for `consents`, under faults. */
static enum status generate(bool consents)
{
    struct hospital_options options = {.days = 10, .visits = 2};
    struct consent_mix mix = {{[CONSENT_WITHDRAWN] = 100}};
    struct hospital *hospital = NULL;
    struct output *output = NULL;
    enum status status;

    error_init(&err);
    fault_on();
    status = hospital_create(&hospital, options, &err);
    if (status == OK)
        status = output_open(&output, scratch_path(&scratch, "out"), &err);
    if (status == OK)
        status = consents ? hospital_consents_write(hospital, &mix, range,
                                                    output, &err)
                          : hospital_table_write(hospital, range, output, &err);
    if (status == OK)
        status = output_publish(&output, &err);
    output_discard(&output);
    hospital_destroy(&hospital);
    fault_off();
    return status;
}

/* A round: the file is there, or nothing is. */
static void generate_fresh(bool consents, enum status expected)
{
    scratch_open(&scratch);
    fault_expect(generate(consents), &err, expected);
    CU_ASSERT_EQUAL(scratch_count(&scratch), err.status == OK);
    scratch_close(&scratch);
}

static void without_memory_no_table_appears(void)
{
    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        generate_fresh(false, E_MEMORY);
    }
}

static void failing_disk_leaves_no_table(void)
{
    FAULT_LOOP(ALL_IO, EIO)
    {
        generate_fresh(false, E_IO);
    }
}

static void failing_disk_leaves_no_consents(void)
{
    FAULT_LOOP(ALL_IO, ENOSPC)
    {
        generate_fresh(true, E_IO);
    }
}

/* The files before the failing one may be there, whole. */
static void hierarchies_are_whole_or_not_there(void)
{
    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        enum status status;

        scratch_open(&scratch);
        error_init(&err);
        fault_on();
        status = hospital_hierarchies_write(scratch_path(&scratch, "h"), &err);
        fault_off();
        fault_expect(status, &err, E_MEMORY);
        if (status == OK)
            CU_ASSERT(
                scratch_holds(&scratch, "h/gender.csv", "female;*\nmale;*\n"));
        scratch_close(&scratch);
    }
}

void suite_hospital(void)
{
    static const struct test tests[] = {
        {"without memory no table appears", without_memory_no_table_appears},
        {"failing disk leaves no table", failing_disk_leaves_no_table},
        {"failing disk leaves no consents", failing_disk_leaves_no_consents},
        {"hierarchies are whole or not there",
         hierarchies_are_whole_or_not_there},
    };
    suite_add("hospital", tests, sizeof tests / sizeof *tests);
}
