#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "ledger/address.h"
#include "tests/lib/cases.h"
#include "tests/lib/suite.h"

void suite_address(void);

static void run(const struct test_case *test)
{
    struct address address;
    char got[ADDRESS_MAX + 16] = "no";

    if (address_parse(test->input, &address))
        snprintf(got, sizeof got, "%s and %s = %d", address.host, address.port,
                 address.port_number);
    case_expect(test, got);
}

static void cases(void)
{
    cases_run("tests/data/address/addresses.cases", run);
}

static void the_longest_fits_and_no_longer_one(void)
{
    char text[ADDRESS_MAX + 2];
    struct address address;

    memset(text, 'a', ADDRESS_HOST_MAX);
    memcpy(text + ADDRESS_HOST_MAX, ":65535", 7);
    CU_ASSERT_TRUE(address_parse(bytes_of_string(text), &address));
    CU_ASSERT_EQUAL(strlen(address.host), ADDRESS_HOST_MAX);
    memset(text, 'a', ADDRESS_HOST_MAX + 1);
    memcpy(text + ADDRESS_HOST_MAX + 1, ":1", 3);
    CU_ASSERT_FALSE(address_parse(bytes_of_string(text), &address));
    CU_ASSERT_FALSE(address_parse(bytes_of_string(""), &address));
}

void suite_address(void)
{
    static const struct test tests[] = {
        {"hosts and ports, right and wrong", cases},
        {"the longest one fits, a longer one does not",
         the_longest_fits_and_no_longer_one},
    };

    suite_add("address", tests, sizeof tests / sizeof *tests);
}
