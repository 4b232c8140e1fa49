#include "anonymizer/classes.h"

#include <errno.h>

#include "tests/fault/fault.h"
#include "tests/lib/fixture.h"
#include "tests/lib/suite.h"

void suite_classes(void);

static struct fixture fixture;
static struct error err;

static void prepare(void)
{
    fixture_init(&fixture);
    fixture_attribute(&fixture, "q", ROLE_QUASI_IDENTIFYING, NULL);
    for (char name[] = "s"; name[0] <= 't'; name[0]++)
        fixture_model(&fixture, &(struct privacy_criterion){
                                    .model = MODEL_DISTINCT_L_DIVERSITY,
                                    .attribute = fixture_attribute(
                                        &fixture, name, ROLE_SENSITIVE, NULL),
                                    .l = 2});
    fixture_load(&fixture, "q,s,t\nx,1,1\ny,2,1\nx,2,2\n");
}

/* Everything that classes and groupers are given memory for; what did not
 * come about may be cleared like what did. */
static enum status reserve_all(void)
{
    const struct classes *bottom = &fixture.problem.bottom;
    struct classes reserved = {0}, copy = {0};
    struct grouper grouper = {0};
    enum status status;

    error_init(&err);
    fault_on();
    status = grouper_init(&grouper, bottom, fixture.table, &err);
    if (status == OK)
        status = classes_reserve(&reserved, bottom, &err);
    if (status == OK)
        status = classes_copy(&copy, bottom, &err);
    fault_off();
    CU_ASSERT_EQUAL(copy.count, status == OK ? bottom->count : 0);
    grouper_clear(&grouper);
    classes_clear(&reserved);
    classes_clear(&copy);
    return status;
}

static void without_memory_there_are_no_classes(void)
{
    prepare();
    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        fault_expect(reserve_all(), &err, E_MEMORY);
    }
    fixture_clear(&fixture);
}

void suite_classes(void)
{
    static const struct test tests[] = {
        {"without memory there are no classes",
         without_memory_there_are_no_classes},
    };

    suite_add("classes", tests, sizeof tests / sizeof tests[0]);
}
