#include "common/text.h"

#include <stdlib.h>
#include <string.h>

#include "tests/lib/suite.h"

void suite_text(void);

static void empty_text_is_a_string(void)
{
    struct text text;

    text_init(&text);
    CU_ASSERT_STRING_EQUAL(text.data, "");
    CU_ASSERT_EQUAL(text.size, 0);
    text_clear(&text);
}

static void grows_past_its_first_capacity(void)
{
    struct text text;
    struct error err;
    char expected[1001];

    text_init(&text);
    for (int i = 0; i < 1000; i++)
        CU_ASSERT_EQUAL(text_append(&text, "x", 1, &err), OK);
    memset(expected, 'x', 1000);
    expected[1000] = '\0';
    CU_ASSERT_STRING_EQUAL(text.data, expected);
    CU_ASSERT_EQUAL(text.size, 1000);
    text_clear(&text);
    CU_ASSERT_EQUAL(text.capacity, 0);
}

static void printf_appends(void)
{
    struct text text;
    struct error err;

    text_init(&text);
    CU_ASSERT_EQUAL(text_append_string(&text, "a", &err), OK);
    CU_ASSERT_EQUAL(text_printf(&text, &err, "-%d-%s", 7, "b"), OK);
    CU_ASSERT_STRING_EQUAL(text.data, "a-7-b");
    text_clear(&text);
}

static void reset_keeps_the_memory(void)
{
    struct text text;
    struct error err;
    size_t capacity;

    text_init(&text);
    text_reset(&text);
    CU_ASSERT_STRING_EQUAL(text.data, "");
    CU_ASSERT_EQUAL(text_append_string(&text, "abc", &err), OK);
    capacity = text.capacity;
    text_reset(&text);
    CU_ASSERT_STRING_EQUAL(text.data, "");
    CU_ASSERT_EQUAL(text.size, 0);
    CU_ASSERT_EQUAL(text.capacity, capacity);
    text_clear(&text);
}

static void bytes_may_hold_a_nul(void)
{
    struct text text;
    struct error err;

    text_init(&text);
    CU_ASSERT_EQUAL(text_append(&text, "a\0b", 3, &err), OK);
    CU_ASSERT_EQUAL(text_append(&text, NULL, 0, &err), OK);
    CU_ASSERT(bytes_equal(text_bytes(&text), bytes_of("a\0b", 3)));
    CU_ASSERT_EQUAL(text.data[3], '\0');
    text_clear(&text);
}

/* What was reserved is there without another allocation. */
static void reserved_room_stays_in_place(void)
{
    struct text text;
    struct error err;
    const char *place;

    text_init(&text);
    CU_ASSERT_EQUAL(text_append_string(&text, "abc", &err), OK);
    CU_ASSERT_EQUAL(text_reserve(&text, 5000, &err), OK);
    CU_ASSERT_STRING_EQUAL(text.data, "abc");
    place = text.data;
    for (int i = 0; i < 5000; i++)
        CU_ASSERT_EQUAL(text_append(&text, "x", 1, &err), OK);
    CU_ASSERT_PTR_EQUAL(text.data, place);
    CU_ASSERT_EQUAL(text.size, 5003);
    text_clear(&text);
}

static void impossible_size_leaves_it_unchanged(void)
{
    struct text text;
    struct error err;

    text_init(&text);
    CU_ASSERT_EQUAL(text_append_string(&text, "abc", &err), OK);
    CU_ASSERT_EQUAL(text_reserve(&text, SIZE_MAX - 10, &err), E_MEMORY);
    CU_ASSERT_STRING_EQUAL(text.data, "abc");
    text_clear(&text);
}

static void copies_of_strings_are_their_own(void)
{
    char string[] = "abc";
    char *copy = string_copy(string);

    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    string[0] = 'x';
    CU_ASSERT_STRING_EQUAL(copy, "abc");
    free(copy);
}

void suite_text(void)
{
    static const struct test tests[] = {
        {"an empty text is an empty string", empty_text_is_a_string},
        {"a text grows past its first capacity", grows_past_its_first_capacity},
        {"printf appends", printf_appends},
        {"reset keeps the memory", reset_keeps_the_memory},
        {"bytes may hold a NUL", bytes_may_hold_a_nul},
        {"reserved room stays in place", reserved_room_stays_in_place},
        {"an impossible size leaves it unchanged",
         impossible_size_leaves_it_unchanged},
        {"copies of strings are their own", copies_of_strings_are_their_own},
    };

    suite_add("text", tests, sizeof tests / sizeof tests[0]);
}
