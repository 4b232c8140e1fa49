#include "anonymizer/hierarchy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/fault/fault.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_hierarchy(void);

#define AGES 300

static struct scratch scratch;
static struct error err;

/* Ages 0 to 299: value, decade, century, star.  Many rows, so that what grows
 * does. */
static void write_ages(const char *name)
{
    static char rows[AGES * 40];
    size_t size = 0;

    for (int age = 0; age < AGES; age++)
        size +=
            (size_t)snprintf(rows + size, sizeof rows - size,
                             "%d;\"%d s\";c%d;*\n", age, age / 10, age / 100);
    scratch_write(&scratch, name, rows);
}

static void check_ages(struct hierarchy *hierarchy)
{
    uint32_t row;

    CU_ASSERT_EQUAL(hierarchy_rows(hierarchy), AGES);
    CU_ASSERT_EQUAL(hierarchy_levels(hierarchy), 4);
    CU_ASSERT_EQUAL(hierarchy_nodes(hierarchy, 1), 30);
    CU_ASSERT_EQUAL(hierarchy_nodes(hierarchy, 2), 3);
    row = hierarchy_find(hierarchy, bytes_of_string("123"));
    CU_ASSERT_EQUAL(row, 123);
    CU_ASSERT(bytes_equal_string(
        hierarchy_label(hierarchy, 1, hierarchy_node(hierarchy, 1, row)),
        "12 s"));
}

/* A round of a loop. */
static void open_round(enum status expected)
{
    const char *path = scratch_path(&scratch, "ages.csv");
    struct hierarchy *hierarchy = NULL;
    enum status status;

    error_init(&err);
    fault_on();
    status = hierarchy_open(&hierarchy, path, &err);
    fault_off();
    fault_expect(status, &err, expected);
    CU_ASSERT_EQUAL(hierarchy == NULL, status != OK);
    if (status == OK)
        check_ages(hierarchy);
    hierarchy_close(&hierarchy);
    CU_ASSERT_PTR_NULL(hierarchy);
}

static void faults_give_no_hierarchy(void)
{
    scratch_open(&scratch);
    write_ages("ages.csv");
    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        open_round(E_MEMORY);
    }
    FAULT_LOOP(FAULT_OPEN | FAULT_STAT | FAULT_READ, EIO)
    {
        open_round(E_IO);
    }
    FAULT_LOOP(FAULT_RANDOM, ENOSYS)
    {
        open_round(E_SYSTEM);
    }
    FAULT_LOOP(FAULT_OPEN | FAULT_READ | FAULT_RANDOM, EINTR)
    {
        open_round(OK);
    }
    scratch_close(&scratch);
}

static void flat_hierarchy_without_memory_is_null(void)
{
    struct bytes value[AGES];
    char text[AGES][8];

    for (int i = 0; i < AGES; i++) {
        snprintf(text[i], sizeof text[i], "v%d", i);
        value[i] = bytes_of_string(text[i]);
    }
    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        struct hierarchy *hierarchy = NULL;
        enum status status;

        error_init(&err);
        fault_on();
        status = hierarchy_flat(&hierarchy, value, AGES, &err);
        fault_off();
        fault_expect(status, &err, E_MEMORY);
        CU_ASSERT_EQUAL(hierarchy == NULL, status != OK);
        hierarchy_close(&hierarchy);
    }
}

void suite_hierarchy(void)
{
    static const struct test tests[] = {
        {"faults give no hierarchy", faults_give_no_hierarchy},
        {"a flat hierarchy without memory is null",
         flat_hierarchy_without_memory_is_null},
    };

    suite_add("hierarchy", tests, sizeof tests / sizeof tests[0]);
}
