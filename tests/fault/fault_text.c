#include "common/text.h"

#include <errno.h>
#include <string.h>

#include "tests/fault/fault.h"
#include "tests/lib/suite.h"

void suite_text(void);

static void text_is_as_it_was_without_memory(void)
{
    struct error err;
    struct text text;

    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        enum status status = OK;
        char expected[400] = "";
        size_t size = 0;

        error_init(&err);
        text_init(&text);
        fault_on();
        for (int i = 0; i < 10 && status == OK; i++) {
            status = text_printf(&text, &err, "%030d", i);
            if (status != OK)
                break;
            snprintf(expected + size, sizeof expected - size, "%030d", i);
            size += 30;
        }
        fault_off();
        fault_expect(status, &err, E_MEMORY);
        CU_ASSERT_EQUAL(text.size, size);
        CU_ASSERT_STRING_EQUAL(text.data, expected);
        text_clear(&text);
    }
}

static void append_without_memory_changes_nothing(void)
{
    struct error err;
    struct text text;

    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        enum status status;

        error_init(&err);
        text_init(&text);
        fault_on();
        status = text_append(&text, "abc", 3, &err);
        fault_off();
        fault_expect(status, &err, E_MEMORY);
        CU_ASSERT_STRING_EQUAL(text.data, status == OK ? "abc" : "");
        text_clear(&text);
    }
}

void suite_text(void)
{
    static const struct test tests[] = {
        {"a text is as it was without memory",
         text_is_as_it_was_without_memory},
        {"append without memory changes nothing",
         append_without_memory_changes_nothing},
    };

    suite_add("text", tests, sizeof tests / sizeof tests[0]);
}
