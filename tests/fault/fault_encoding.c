#include "common/encoding.h"

#include <errno.h>

#include "tests/fault/fault.h"
#include "tests/lib/suite.h"

void suite_encoding(void);

/* Long enough that the text has to grow. */
#define LENGTH 200

/* Append 200 bytes as base64, or the 150 that 200 characters stand for, behind
 * a word that must survive. */
static void append_without_memory(bool decode)
{
    uint8_t data[LENGTH];
    struct error err;
    struct text text;

    memset(data, 'A', sizeof data);
    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        enum status status;

        error_init(&err);
        text_init(&text);
        CU_ASSERT_EQUAL(text_append_string(&text, "kept", &err), OK);
        fault_on();
        if (decode)
            status = base64_decode(&text, bytes_of(data, LENGTH), &err);
        else
            status = base64_append(&text, bytes_of(data, LENGTH), &err);
        fault_off();
        fault_expect(status, &err, E_MEMORY);
        if (status != OK)
            CU_ASSERT_STRING_EQUAL(text.data, "kept");
        CU_ASSERT_EQUAL(text.size, status != OK ? 4 : decode ? 154 : 272);
        text_clear(&text);
    }
}

static void encoding_without_memory_changes_nothing(void)
{
    append_without_memory(false);
}

static void decoding_without_memory_changes_nothing(void)
{
    append_without_memory(true);
}

void suite_encoding(void)
{
    static const struct test tests[] = {
        {"encoding without memory changes nothing",
         encoding_without_memory_changes_nothing},
        {"decoding without memory changes nothing",
         decoding_without_memory_changes_nothing},
    };

    suite_add("encoding", tests, sizeof tests / sizeof tests[0]);
}
