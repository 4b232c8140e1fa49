#include "common/status.h"

#include <string.h>

#include "tests/lib/suite.h"

void suite_status(void);

/* The contract: 0 done, 1 the answer is no, 2 usage or bad input, 3 the
 * system failed, 4 refused. */
static void exit_codes_are_those_of_the_contract(void)
{
    static const struct {
        enum status status;
        int exit_code;
    } rows[] = {
        {OK, 0},          {E_NO, 1},      {E_USAGE, 2},   {E_INPUT, 2},
        {E_LIMIT, 2},     {E_VERSION, 2}, {E_IO, 3},      {E_MEMORY, 3},
        {E_CANCELLED, 3}, {E_SYSTEM, 3},  {E_REFUSED, 4},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CU_ASSERT_EQUAL(status_exit_code(rows[i].status), rows[i].exit_code);
}

static void every_status_has_words_of_its_own(void)
{
    for (enum status a = OK; a <= E_REFUSED; a++) {
        CU_ASSERT(strlen(status_words(a)) > 0);
        for (enum status b = OK; b < a; b++)
            CU_ASSERT_STRING_NOT_EQUAL(status_words(a), status_words(b));
    }
    CU_ASSERT_STRING_EQUAL(status_words(E_VERSION), "not in this version");
}

static void a_number_that_is_no_failure_is_one_of_the_system(void)
{
    for (enum status a = E_NO; a <= E_REFUSED; a++)
        CU_ASSERT_EQUAL(status_of_failure((uint64_t)a), a);
    CU_ASSERT_EQUAL(status_of_failure(OK), E_SYSTEM);
    CU_ASSERT_EQUAL(status_of_failure(E_REFUSED + 1), E_SYSTEM);
    CU_ASSERT_EQUAL(status_of_failure(UINT64_MAX), E_SYSTEM);
}

void suite_status(void)
{
    static const struct test tests[] = {
        {"exit codes are those of the contract",
         exit_codes_are_those_of_the_contract},
        {"every status has words of its own",
         every_status_has_words_of_its_own},
        {"a number that is no failure is one of the system",
         a_number_that_is_no_failure_is_one_of_the_system},
    };

    suite_add("status", tests, sizeof tests / sizeof tests[0]);
}
