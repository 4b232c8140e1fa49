#include "anonymizer/dictionary.h"

#include <stdio.h>

#include "tests/lib/suite.h"

void suite_dictionary(void);

static struct bytes word(const char *string)
{
    return bytes_of_string(string);
}

static void new_dictionary_knows_nothing(void)
{
    struct dictionary dictionary;

    dictionary_init(&dictionary);
    CU_ASSERT_EQUAL(dictionary_find(&dictionary, word("")), DICTIONARY_NONE);
    CU_ASSERT_EQUAL(dictionary_find(&dictionary, word("x")), DICTIONARY_NONE);
    dictionary_clear(&dictionary);
}

static void codes_count_from_0_in_order(void)
{
    struct dictionary dictionary;
    struct error err;
    uint32_t code = 9;

    dictionary_init(&dictionary);
    CU_ASSERT_EQUAL(dictionary_add(&dictionary, word("b"), &code, &err), OK);
    CU_ASSERT_EQUAL(code, 0);
    CU_ASSERT_EQUAL(dictionary_add(&dictionary, word(""), &code, &err), OK);
    CU_ASSERT_EQUAL(code, 1);
    CU_ASSERT_EQUAL(dictionary_add(&dictionary, word("a"), &code, &err), OK);
    CU_ASSERT_EQUAL(code, 2);
    CU_ASSERT_EQUAL(dictionary_find(&dictionary, word("b")), 0);
    CU_ASSERT_EQUAL(dictionary_find(&dictionary, word("")), 1);
    CU_ASSERT_EQUAL(dictionary_find(&dictionary, word("a")), 2);
    CU_ASSERT_EQUAL(dictionary_find(&dictionary, word("ba")), DICTIONARY_NONE);
    CU_ASSERT(bytes_equal_string(dictionary_text(&dictionary, 0), "b"));
    CU_ASSERT(bytes_equal_string(dictionary_text(&dictionary, 1), ""));
    dictionary_clear(&dictionary);
    CU_ASSERT_EQUAL(dictionary_find(&dictionary, word("b")), DICTIONARY_NONE);
}

static void aliases_share_a_code(void)
{
    struct dictionary dictionary;
    struct error err;
    uint32_t code;

    dictionary_init(&dictionary);
    CU_ASSERT_EQUAL(dictionary_add(&dictionary, word("NA"), &code, &err), OK);
    CU_ASSERT_EQUAL(dictionary_add(&dictionary, word("x"), &code, &err), OK);
    CU_ASSERT_EQUAL(dictionary_alias(&dictionary, word("?"), 0, &err), OK);
    CU_ASSERT_EQUAL(dictionary_add(&dictionary, word("y"), &code, &err), OK);
    CU_ASSERT_EQUAL(code, 2);
    CU_ASSERT_EQUAL(dictionary.code_count, 3);
    CU_ASSERT_EQUAL(dictionary_find(&dictionary, word("?")), 0);
    CU_ASSERT_EQUAL(dictionary_find(&dictionary, word("NA")), 0);
    CU_ASSERT_EQUAL(dictionary_find(&dictionary, word("y")), 2);
    CU_ASSERT(bytes_equal_string(dictionary_text(&dictionary, 0), "NA"));
    CU_ASSERT(bytes_equal_string(dictionary_text(&dictionary, 2), "y"));
    dictionary_clear(&dictionary);
}

static void many_texts_keep_their_codes(void)
{
    struct dictionary dictionary;
    struct error err;
    unsigned wrong = 0;

    dictionary_init(&dictionary);
    for (uint32_t i = 0; i < 5000; i++) {
        char text[16];
        uint32_t code = DICTIONARY_NONE;

        snprintf(text, sizeof text, "%u", i);
        CU_ASSERT_EQUAL(dictionary_add(&dictionary, word(text), &code, &err),
                        OK);
        wrong += code != i;
    }
    for (uint32_t i = 0; i < 6000; i++) {
        char text[16];

        snprintf(text, sizeof text, "%u", i);
        wrong += dictionary_find(&dictionary, word(text)) !=
                 (i < 5000 ? i : DICTIONARY_NONE);
        wrong += i < 5000 &&
                 !bytes_equal_string(dictionary_text(&dictionary, i), text);
    }
    CU_ASSERT_EQUAL(wrong, 0);
    dictionary_clear(&dictionary);
}

void suite_dictionary(void)
{
    static const struct test tests[] = {
        {"a new dictionary knows nothing", new_dictionary_knows_nothing},
        {"codes count from 0 in order of first appearance",
         codes_count_from_0_in_order},
        {"aliases share a code", aliases_share_a_code},
        {"many texts keep their codes", many_texts_keep_their_codes},
    };

    suite_add("dictionary", tests, sizeof tests / sizeof tests[0]);
}
