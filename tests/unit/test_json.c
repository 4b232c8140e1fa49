#include "common/json.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/lib/cases.h"
#include "tests/lib/suite.h"

void suite_json(void);

static struct json *parsed(const char *text)
{
    struct json *json = NULL;
    struct error err;

    error_init(&err);
    if (json_parse(&json, bytes_of_string(text), &err) != OK) {
        fprintf(stderr, "\n%s\n", err.text);
        CU_FAIL_FATAL("the text is refused");
    }
    return json;
}

typedef enum status printer(const struct json_value *value, struct text *out,
                            struct error *err);

static void prints(printer *print, const char *text, const char *expected)
{
    struct json *json = parsed(text);
    struct text out;
    struct error err;

    text_init(&out);
    CU_ASSERT_EQUAL(print(json_root(json), &out, &err), OK);
    CU_ASSERT_STRING_EQUAL(out.data, expected);
    text_clear(&out);
    json_destroy(&json);
    CU_ASSERT_PTR_NULL(json);
}

static enum status parse_status(const struct text *text, struct error *err)
{
    struct json *json = NULL;
    enum status status = json_parse(&json, text_bytes(text), err);

    CU_ASSERT((status == OK) == (json != NULL));
    json_destroy(&json);
    return status;
}

/* ---- refusals ---- */

static void refuse(const struct test_case *test)
{
    struct json *json = NULL;
    struct error err;

    error_init(&err);
    CU_ASSERT_EQUAL(status_exit_code(json_parse(&json, test->input, &err)), 2);
    CU_ASSERT_PTR_NULL(json);
    case_expect(test, err.text);
}

static void refusals_name_line_and_column(void)
{
    cases_run("tests/data/json/refusals.cases", refuse);
}

static void empty_text_is_refused(void)
{
    struct json *json = NULL;
    struct error err;

    CU_ASSERT_EQUAL(json_parse(&json, bytes_of(NULL, 0), &err), E_INPUT);
    CU_ASSERT_STRING_EQUAL(
        err.text, "line 1, column 1: the text ends here, expected a value");
}

static void append_many(struct text *text, const char *what, size_t count)
{
    struct error err;

    for (size_t i = 0; i < count; i++)
        CU_ASSERT_EQUAL_FATAL(text_append_string(text, what, &err), OK);
}

static void depth_is_limited(void)
{
    struct text text;
    struct error err;

    error_init(&err);
    text_init(&text);
    append_many(&text, "[", JSON_DEPTH_MAX);
    append_many(&text, "]", JSON_DEPTH_MAX);
    CU_ASSERT_EQUAL(parse_status(&text, &err), OK);
    CU_ASSERT_STRING_EQUAL(err.text, "");

    text_reset(&text);
    append_many(&text, "{\"a\":", JSON_DEPTH_MAX + 1);
    CU_ASSERT_EQUAL(parse_status(&text, &err), E_LIMIT);
    CU_ASSERT_STRING_EQUAL(err.text, "line 1, column 321: one level more, "
                                     "expected at most 64");

    /* Depth is not the number of containers. */
    text_reset(&text);
    append_many(&text, "[", 1);
    append_many(&text, "[[]],", 1000);
    append_many(&text, "[]]", 1);
    CU_ASSERT_EQUAL(parse_status(&text, &err), OK);
    text_clear(&text);
}

static void size_is_limited(void)
{
    struct text text;
    struct error err;

    text_init(&text);
    CU_ASSERT_EQUAL_FATAL(text_reserve(&text, JSON_SIZE_MAX + 1, &err), OK);
    memset(text.data, ' ', JSON_SIZE_MAX + 1);
    text.data[0] = '1';
    text.size = JSON_SIZE_MAX;
    CU_ASSERT_EQUAL(parse_status(&text, &err), OK);
    text.size = JSON_SIZE_MAX + 1;
    CU_ASSERT_EQUAL(parse_status(&text, &err), E_LIMIT);
    CU_ASSERT_STRING_EQUAL(err.text, "a JSON text of 16777217 bytes, expected "
                                     "at most 16777216");
    text_clear(&text);
}

static void number_of_values_is_limited(void)
{
    struct text text;
    struct error err;

    text_init(&text);
    append_many(&text, "[1", 1);
    append_many(&text, ",1", JSON_VALUES_MAX - 2);
    append_many(&text, "]", 1);
    CU_ASSERT_EQUAL(parse_status(&text, &err), OK);

    text.size--;
    append_many(&text, ",1]", 1);
    CU_ASSERT_EQUAL(parse_status(&text, &err), E_LIMIT);
    CU_ASSERT_STRING_EQUAL(err.text,
                           "line 1, column 2097152: one value more, expected "
                           "at most 1048576");
    text_clear(&text);
}

/* A check by comparing all pairs would take hours for this. */
static void many_keys_are_checked_fast(void)
{
    const int count = 500000;
    struct text text;
    struct error err;

    text_init(&text);
    append_many(&text, "{", 1);
    for (int i = 0; i < count; i++)
        CU_ASSERT_EQUAL_FATAL(text_printf(&text, &err, "\"%d\":0,\n", i), OK);
    append_many(&text, "\"499999\":0}", 1);
    CU_ASSERT_EQUAL(parse_status(&text, &err), E_INPUT);
    CU_ASSERT_STRING_EQUAL(err.text,
                           "line 500001: key \"499999\" once more, expected "
                           "each key once (it stands on line 500000)");
    text_clear(&text);
}

/* ---- reading ---- */

static void values_are_read(void)
{
    struct json *json = parsed("[null, true, false, -1.5, \"a\", [], {}]");
    const struct json_value *value = json_first(json_root(json));
    static const enum json_kind kinds[] = {
        JSON_NULL,   JSON_BOOLEAN, JSON_BOOLEAN, JSON_NUMBER,
        JSON_STRING, JSON_ARRAY,   JSON_OBJECT};

    CU_ASSERT_EQUAL(json_length(json_root(json)), 7);
    for (size_t i = 0; i < 7; i++, value = json_next(value)) {
        CU_ASSERT_PTR_NOT_NULL_FATAL(value);
        CU_ASSERT_EQUAL(json_kind(value), kinds[i]);
        CU_ASSERT_PTR_NULL(json_key(value));
        if (i == 1 || i == 2)
            CU_ASSERT_EQUAL(json_boolean(value), i == 1);
        if (i == 3)
            CU_ASSERT_EQUAL(json_number(value), -1.5);
        if (i == 4)
            CU_ASSERT_STRING_EQUAL(json_string(value), "a");
        if (i > 4) {
            CU_ASSERT_EQUAL(json_length(value), 0);
            CU_ASSERT_PTR_NULL(json_first(value));
        }
    }
    CU_ASSERT_PTR_NULL(value);
    CU_ASSERT_PTR_NULL(json_key(json_root(json)));
    json_destroy(&json);
    json_destroy(&json);
}

static void kinds_have_names(void)
{
    CU_ASSERT_STRING_EQUAL(json_kind_name(JSON_OBJECT), "an object");
    CU_ASSERT_STRING_EQUAL(json_kind_name(JSON_STRING), "a string");
}

static void escapes_are_decoded(void)
{
    /* U+00E9, U+20AC, U+1F600 by hand: C3 A9, E2 82 AC, F0 9F 98 80. */
    struct json *json = parsed("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u20AC"
                               "\\uD83D\\ude00\"");

    CU_ASSERT_STRING_EQUAL(json_string(json_root(json)),
                           "\"\\/\b\f\n\r\t\xC3\xA9\xE2\x82\xAC"
                           "\xF0\x9F\x98\x80");
    json_destroy(&json);
}

static void members_are_found_by_their_exact_key(void)
{
    struct json *json = parsed("{\"a\": 1, \"A\": 2, \"\": 3}");
    const struct json_value *root = json_root(json);

    CU_ASSERT_EQUAL(json_number(json_member(root, "a")), 1);
    CU_ASSERT_EQUAL(json_number(json_member(root, "A")), 2);
    CU_ASSERT_EQUAL(json_number(json_member(root, "")), 3);
    CU_ASSERT_PTR_NULL(json_member(root, "b"));
    CU_ASSERT_STRING_EQUAL(json_key(json_first(root)), "a");
    json_destroy(&json);
}

static void values_know_their_lines(void)
{
    struct json *json = parsed("\n{\"a\"\n:\n[1,\n\n2], \"b\":\n{\n\"c\" : 3}\n"
                               ",\"d\":4}\n");
    const struct json_value *root = json_root(json);
    const struct json_value *a = json_member(root, "a");
    const struct json_value *b = json_member(root, "b");

    CU_ASSERT_EQUAL(json_line(root), 2);
    CU_ASSERT_EQUAL(json_line(a), 2); /* of the key */
    CU_ASSERT_EQUAL(json_line(json_first(a)), 4);
    CU_ASSERT_EQUAL(json_line(json_next(json_first(a))), 6);
    CU_ASSERT_EQUAL(json_line(b), 6);
    CU_ASSERT_EQUAL(json_line(json_member(b, "c")), 8);
    CU_ASSERT_EQUAL(json_line(json_member(root, "d")), 9);
    json_destroy(&json);
}

static void whole_numbers_are_exact(void)
{
    struct json *json = parsed("[9007199254740992, -9007199254740992, 0, -0, "
                               "3e2, 1.5, 1e30, 1e-400, 250e-2]");
    static const int64_t whole[] = {9007199254740992, -9007199254740992, 0, 0,
                                    300};
    const struct json_value *value = json_first(json_root(json));
    int64_t out;

    for (size_t i = 0; i < 5; i++, value = json_next(value)) {
        CU_ASSERT(json_integer(value, &out));
        CU_ASSERT_EQUAL(out, whole[i]);
    }
    out = 77;
    CU_ASSERT(!json_integer(value, &out)); /* 1.5 */
    value = json_next(value);
    CU_ASSERT(!json_integer(value, &out)); /* 1e30 */
    CU_ASSERT_EQUAL(json_number(value), 1e30);
    CU_ASSERT_EQUAL(out, 77);
    value = json_next(value);
    CU_ASSERT(json_integer(value, &out)); /* rounds to 0 */
    CU_ASSERT_EQUAL(json_number(json_next(value)), 2.5);
    json_destroy(&json);
}

/* ---- printing ---- */

/* RFC 8785, sections 3.2.2 to 3.2.4: its sample in and out. */
static void canonical_form_of_the_sample_of_rfc_8785(void)
{
    prints(json_print_canonical,
           "{\n"
           "  \"numbers\": [333333333.33333329, 1E30, 4.50,\n"
           "              2e-3, 0.000000000000000000000000001],\n"
           "  \"string\": \"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c"
           "\\\\\\\"\\/\",\n"
           "  \"literals\": [null, true, false]\n"
           "}",
           "{\"literals\":[null,true,false],"
           "\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
           "\"string\":\"\xE2\x82\xAC$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");
}

/* RFC 8785, section 3.2.3: the keys whose order tells UTF-16 from UTF-8. */
static void keys_are_sorted_by_utf16_code_units(void)
{
    prints(
        json_print_canonical,
        "{\"\\u20ac\":\"Euro Sign\",\"\\r\":\"Carriage Return\","
        "\"\\ufb33\":\"Hebrew Letter Dalet With Dagesh\",\"1\":\"One\","
        "\"\\ud83d\\ude00\":\"Emoji: Grinning Face\","
        "\"\\u0080\":\"Control\","
        "\"\\u00f6\":\"Latin Small Letter O With Diaeresis\"}",
        "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\xC2\x80\":\"Control\","
        "\"\xC3\xB6\":\"Latin Small Letter O With Diaeresis\","
        "\"\xE2\x82\xAC\":\"Euro Sign\","
        "\"\xF0\x9F\x98\x80\":\"Emoji: Grinning Face\","
        "\"\xEF\xAC\xB3\":\"Hebrew Letter Dalet With Dagesh\"}");
    /* A prefix sorts first; U+D7FF, then the pairs, then U+E000. */
    prints(json_print_canonical,
           "{\"ab\":1,\"\\ue000\":2,\"\\ud7ff\":3,\"a\":4,\"\\udbff\\udfff\":5,"
           "\"\\ud800\\udc00\":6,\"\":7,\"\\uffff\":8}",
           "{\"\":7,\"a\":4,\"ab\":1,\"\xED\x9F\xBF\":3,\"\xF0\x90\x80\x80\":6,"
           "\"\xF4\x8F\xBF\xBF\":5,\"\xEE\x80\x80\":2,\"\xEF\xBF\xBF\":8}");
}

static void every_control_character_is_escaped(void)
{
    prints(
        json_print_canonical,
        "\"\\u0001\\u0008\\u0009\\u000a\\u000b\\u000c\\u000d\\u001F\\u007f\"",
        "\"\\u0001\\b\\t\\n\\u000b\\f\\r\\u001f\x7F\"");
}

static void print_for_people_keeps_the_order(void)
{
    prints(json_print, "{\"b\":[1,{\"x\":[]}],\"a\":{},\"c\":{\"d\":\"e\"}}",
           "{\n"
           "  \"b\": [\n"
           "    1,\n"
           "    {\n"
           "      \"x\": []\n"
           "    }\n"
           "  ],\n"
           "  \"a\": {},\n"
           "  \"c\": {\n"
           "    \"d\": \"e\"\n"
           "  }\n"
           "}");
}

/* RFC 8785, appendix B. */
static void numbers_of_rfc_8785(void)
{
    static const struct {
        uint64_t bits;
        const char *text;
    } vectors[] = {
        {0x0000000000000000, "0"},
        {0x8000000000000000, "0"},
        {0x0000000000000001, "5e-324"},
        {0x8000000000000001, "-5e-324"},
        {0x7fefffffffffffff, "1.7976931348623157e+308"},
        {0xffefffffffffffff, "-1.7976931348623157e+308"},
        {0x4340000000000000, "9007199254740992"},
        {0xc340000000000000, "-9007199254740992"},
        {0x4430000000000000, "295147905179352830000"},
        {0x44b52d02c7e14af5, "9.999999999999997e+22"},
        {0x44b52d02c7e14af6, "1e+23"},
        {0x44b52d02c7e14af7, "1.0000000000000001e+23"},
        {0x444b1ae4d6e2ef4e, "999999999999999700000"},
        {0x444b1ae4d6e2ef4f, "999999999999999900000"},
        {0x444b1ae4d6e2ef50, "1e+21"},
        {0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
        {0x3eb0c6f7a0b5ed8d, "0.000001"},
        {0x41b3de4355555553, "333333333.3333332"},
        {0x41b3de4355555554, "333333333.33333325"},
        {0x41b3de4355555555, "333333333.3333333"},
        {0x41b3de4355555556, "333333333.3333334"},
        {0x41b3de4355555557, "333333333.33333343"},
        {0xbecbf647612f3696, "-0.0000033333333333333333"},
        {0x43143ff3c1cb0959, "1424953923781206.2"},
    };

    char text[JSON_NUMBER_SIZE];
    double number;

    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        memcpy(&number, &vectors[i].bits, sizeof number);
        json_format_number(number, text);
        CU_ASSERT_STRING_EQUAL(text, vectors[i].text);
    }
}

static void check_number(const struct test_case *test)
{
    char hex[17] = "", text[JSON_NUMBER_SIZE];
    uint64_t bits;
    double number;

    CU_ASSERT_EQUAL_FATAL(test->input.size, 16);
    memcpy(hex, test->input.data, 16);
    bits = strtoull(hex, NULL, 16);
    memcpy(&number, &bits, sizeof number);
    json_format_number(number, text);
    case_expect(test, text);
}

static void numbers_as_ecmascript_prints_them(void)
{
    cases_run("tests/data/json/numbers.cases", check_number);
}

static uint64_t random_bits(uint64_t *state)
{
    /* splitmix64, Steele, Lea and Flood 2014 */
    uint64_t z = (*state += 0x9E3779B97F4A7C15u);

    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static void random_numbers_read_back(void)
{
    uint64_t seed = 20260101, state = seed;
    char text[JSON_NUMBER_SIZE];
    int failures = 0;

    for (int i = 0; i < 20000; i++) {
        uint64_t bits = random_bits(&state);
        double number, back;

        memcpy(&number, &bits, sizeof number);
        if (!(number - number == 0)) /* NaN, infinity */
            continue;
        json_format_number(number, text);
        back = strtod(text, NULL);
        failures += back != number;
    }
    if (failures > 0)
        fprintf(stderr, "\nseed %ju\n", (uintmax_t)seed);
    CU_ASSERT_EQUAL(failures, 0);
}

static void keys_are_quoted_for_messages(void)
{
    char name[200];

    CU_ASSERT_STRING_EQUAL(json_quote("age").text, "\"age\"");
    CU_ASSERT_STRING_EQUAL(json_quote("a\"\x1B\n").text, "\"a\\\"\\u001b\\n\"");
    CU_ASSERT_STRING_EQUAL(json_quote("\xFFx").text, "\"?x\"");
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    CU_ASSERT_EQUAL(strlen(json_quote(name).text), JSON_QUOTE_MAX + 4);
    CU_ASSERT_STRING_EQUAL(json_quote(name).text + JSON_QUOTE_MAX - 1,
                           "x...\"");
    /* Never half a character. */
    memcpy(name + JSON_QUOTE_MAX - 2, "\xE2\x82\xAC", 3);
    CU_ASSERT_STRING_EQUAL(json_quote(name).text + JSON_QUOTE_MAX - 2,
                           "x...\"");
}

/* ---- building ---- */

static void documents_are_built(void)
{
    struct json *json = NULL;
    struct json_value *root, *array, *object;
    struct text out;
    struct error err;

    text_init(&out);
    CU_ASSERT_EQUAL(json_create(&json, &err), OK);
    root = json_edit_root(json);
    CU_ASSERT_EQUAL(json_add_string(root, "s", "\xC3\xA9\n", &err), OK);
    CU_ASSERT_EQUAL(json_add_array(root, "a", &array, &err), OK);
    CU_ASSERT_EQUAL(json_add_null(array, NULL, &err), OK);
    CU_ASSERT_EQUAL(json_add_boolean(array, NULL, true, &err), OK);
    CU_ASSERT_EQUAL(json_add_number(array, NULL, 0.1, &err), OK);
    CU_ASSERT_EQUAL(json_add_number(array, NULL, 1.0 / 0.0, &err), OK);
    CU_ASSERT_EQUAL(json_add_integer(array, NULL, -9007199254740992, &err), OK);
    CU_ASSERT_EQUAL(json_add_object(array, NULL, &object, &err), OK);
    CU_ASSERT_EQUAL(json_add_number(object, "big", 1e20, &err), OK);
    CU_ASSERT_EQUAL(json_print_canonical(json_root(json), &out, &err), OK);
    CU_ASSERT_STRING_EQUAL(out.data,
                           "{\"a\":[null,true,0.1,null,-9007199254740992,"
                           "{\"big\":100000000000000000000}],"
                           "\"s\":\"\xC3\xA9\\n\"}");
    CU_ASSERT_EQUAL(json_line(json_member(root, "s")), 0);
    CU_ASSERT_EQUAL(json_line(json_first(array)), 0);
    CU_ASSERT_EQUAL(json_line(json_member(object, "big")), 0);
    text_clear(&out);
    json_destroy(&json);
}

static void copies_stand_alone(void)
{
    struct json *from = parsed("{\"x\":\n{\"y\":[1,\n\"z\"]}}");
    struct json *json = NULL;
    struct json_value *root, *array;
    const struct json_value *copy;
    struct text out;
    struct error err;

    text_init(&out);
    CU_ASSERT_EQUAL(json_create(&json, &err), OK);
    root = json_edit_root(json);
    CU_ASSERT_EQUAL(
        json_add_copy(root, "k", json_member(json_root(from), "x"), &err), OK);
    CU_ASSERT_EQUAL(json_add_array(root, "a", &array, &err), OK);
    CU_ASSERT_EQUAL(
        json_add_copy(array, NULL, json_member(json_root(from), "x"), &err),
        OK);
    json_destroy(&from);
    CU_ASSERT_EQUAL(json_print_canonical(root, &out, &err), OK);
    CU_ASSERT_STRING_EQUAL(out.data, "{\"a\":[{\"y\":[1,\"z\"]}],"
                                     "\"k\":{\"y\":[1,\"z\"]}}");
    copy = json_member(root, "k");
    CU_ASSERT_EQUAL(json_line(copy), 0);
    CU_ASSERT_EQUAL(json_line(json_first(json_member(copy, "y"))), 0);
    CU_ASSERT_PTR_NULL(json_key(json_first(array)));
    text_clear(&out);
    json_destroy(&json);
}

static void string_that_is_not_utf8_is_not_added(void)
{
    struct json *json = NULL;
    struct error err;

    CU_ASSERT_EQUAL(json_create(&json, &err), OK);
    CU_ASSERT_EQUAL(
        json_add_string(json_edit_root(json), "path", "a\xFF", &err), E_INPUT);
    CU_ASSERT_STRING_EQUAL(
        err.text, "a string for JSON that is not UTF-8, under key \"path\"");
    CU_ASSERT_EQUAL(json_length(json_root(json)), 0);
    json_destroy(&json);
}

static void one_spelling_is_canonical(void)
{
    static const struct {
        const char *text;
        enum status expected;
    } cases[] = {
        {"{\"a\":1,\"b\":[true,\"x\"]}", OK},
        {"{\"b\":[true,\"x\"],\"a\":1}", E_INPUT},
        {"{\"a\": 1,\"b\":[true,\"x\"]}", E_INPUT},
        {"{\"a\":1.0,\"b\":[true,\"x\"]}", E_INPUT},
        {"{\"a\":1,\"b\":[true,\"\\u0078\"]}", E_INPUT},
        {"{\"a\":1,\"b\":[true,\"x\"]}\n", E_INPUT},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes text = bytes_of_string(cases[i].text);
        struct json *json = NULL;
        struct error err;

        error_init(&err);
        CU_ASSERT_EQUAL_FATAL(json_parse(&json, text, &err), OK);
        CU_ASSERT_EQUAL(json_check_canonical(json_root(json), text, &err),
                        cases[i].expected);
        json_destroy(&json);
    }
}

void suite_json(void)
{
    static const struct test tests[] = {
        {"refusals name line and column", refusals_name_line_and_column},
        {"an empty text is refused", empty_text_is_refused},
        {"depth is limited", depth_is_limited},
        {"size is limited", size_is_limited},
        {"the number of values is limited", number_of_values_is_limited},
        {"half a million keys are checked fast", many_keys_are_checked_fast},
        {"values of all kinds are read", values_are_read},
        {"kinds have names for messages", kinds_have_names},
        {"escapes are decoded", escapes_are_decoded},
        {"members are found by their exact key",
         members_are_found_by_their_exact_key},
        {"values know their lines", values_know_their_lines},
        {"whole numbers are exact", whole_numbers_are_exact},
        {"canonical form of the sample of RFC 8785",
         canonical_form_of_the_sample_of_rfc_8785},
        {"one spelling is canonical", one_spelling_is_canonical},
        {"keys are sorted by UTF-16 code units",
         keys_are_sorted_by_utf16_code_units},
        {"every control character is escaped",
         every_control_character_is_escaped},
        {"print for people keeps the order", print_for_people_keeps_the_order},
        {"numbers of RFC 8785", numbers_of_rfc_8785},
        {"numbers are printed as ECMAScript prints them",
         numbers_as_ecmascript_prints_them},
        {"random numbers read back", random_numbers_read_back},
        {"keys are quoted for messages", keys_are_quoted_for_messages},
        {"documents are built", documents_are_built},
        {"copies stand alone", copies_stand_alone},
        {"a string that is not UTF-8 is not added",
         string_that_is_not_utf8_is_not_added},
    };

    suite_add("json", tests, sizeof tests / sizeof tests[0]);
}
