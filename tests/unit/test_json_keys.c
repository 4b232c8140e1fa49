#include "common/json_keys.h"

#include <stdlib.h>
#include <string.h>

#include "tests/lib/suite.h"

void suite_json_keys(void);

struct target {
    double share;
    uint32_t count;
    char *name;
    unsigned color;
    uint64_t size;
    char code[4];
    unsigned sum, summands;
};

static bool code_valid(struct bytes code)
{
    return code.size == 2 || code.size == 3;
}

/* Adds numbers up; says at which one it does not go on. */
static enum status add_up(const struct json_value *item, void *target,
                          struct error *err)
{
    struct target *into = target;

    if (json_kind(item) != JSON_NUMBER)
        return error_set(err, E_INPUT, "summand %u", into->summands + 1);
    into->sum += (unsigned)json_number(item);
    into->summands++;
    return OK;
}

static const struct json_word colors[] = {
    {"red", false}, {"green", false}, {"ultraviolet", true}, {NULL, false}};

static const struct json_key keys[] = {
    {.name = "share",
     .kind = JSON_NUMBER,
     .expected = "a number from -1 to 1",
     .take = json_take_number,
     .offset = offsetof(struct target, share),
     .min = -1,
     .max = 1},
    {.name = "count",
     .kind = JSON_NUMBER,
     .expected = "a whole number from 2 to 4294967295",
     .take = json_take_count,
     .required = true,
     .offset = offsetof(struct target, count),
     .min = 2,
     .max = UINT32_MAX},
    {.name = "name",
     .kind = JSON_STRING,
     .expected = "a string",
     .take = json_take_string,
     .offset = offsetof(struct target, name)},
    {.name = "color",
     .kind = JSON_STRING,
     .expected = "a color",
     .take = json_take_word,
     .offset = offsetof(struct target, color),
     .word = colors},
    {.name = "texture"},
};

/* What formats with a version and lists are read by. */
static const struct json_key format_keys[] = {
    {.name = "format",
     .kind = JSON_NUMBER,
     .expected = "version 3",
     .take = json_take_version,
     .min = 3},
    {.name = "size",
     .kind = JSON_NUMBER,
     .expected = "a whole number from 5",
     .take = json_take_u64,
     .offset = offsetof(struct target, size),
     .min = 5},
    {.name = "code",
     .kind = JSON_STRING,
     .expected = "2 or 3 characters",
     .take = json_take_name,
     .offset = offsetof(struct target, code),
     .valid = code_valid,
     .size = 4},
    {.name = "pair",
     .kind = JSON_ARRAY,
     .expected = "1 or 2 numbers",
     .take = json_take_items,
     .min = 1,
     .max = 2,
     .item = add_up},
    {.name = "few",
     .kind = JSON_ARRAY,
     .expected = "at most 2 numbers",
     .take = json_take_items,
     .max = 2,
     .item = add_up},
};

struct table {
    const struct json_key *key;
    size_t count;
};

static const struct table plain = {keys, sizeof keys / sizeof keys[0]};
static const struct table format = {format_keys,
                                    sizeof format_keys / sizeof format_keys[0]};

static enum status take_by(const struct table *table, const char *text,
                           struct target *target, struct error *err)
{
    struct json *json = NULL;
    enum status status = json_parse(&json, bytes_of_string(text), err);

    if (status == OK)
        status = json_take_root(json_root(json), table->key, table->count,
                                target, err);
    json_destroy(&json);
    return status;
}

static enum status take(const char *text, struct target *target,
                        struct error *err)
{
    return take_by(&plain, text, target, err);
}

static void refused_by(const struct table *table, const char *text,
                       enum status expected, const char *words)
{
    struct target target = {0};
    struct error err;

    error_init(&err);
    CU_ASSERT_EQUAL(take_by(table, text, &target, &err), expected);
    CU_ASSERT_STRING_EQUAL(err.text, words);
    free(target.name);
}

static void refused(const char *text, enum status expected, const char *words)
{
    refused_by(&plain, text, expected, words);
}

static void values_reach_their_places(void)
{
    struct target target = {0};
    struct error err;

    CU_ASSERT_EQUAL(take("{\"color\": \"green\", \"name\": \"n\","
                         " \"count\": 4294967295, \"share\": -0.5}",
                         &target, &err),
                    OK);
    CU_ASSERT_EQUAL(target.share, -0.5);
    CU_ASSERT_EQUAL(target.count, UINT32_MAX);
    CU_ASSERT_STRING_EQUAL(target.name, "n");
    CU_ASSERT_EQUAL(target.color, 1);
    free(target.name);
}

static void what_is_not_given_stays_as_it_was(void)
{
    struct target target = {.share = 0.25, .color = 1};
    struct error err;

    CU_ASSERT_EQUAL(take("{\"count\": 2}", &target, &err), OK);
    CU_ASSERT_EQUAL(target.share, 0.25);
    CU_ASSERT_EQUAL(target.color, 1);
    CU_ASSERT_PTR_NULL(target.name);
}

static void numbers_names_and_items_reach_their_places(void)
{
    struct target target = {0};
    struct error err;

    /* 2^53: the largest whole number that JSON holds for certain */
    CU_ASSERT_EQUAL(take_by(&format,
                            "{\"format\": 3,"
                            " \"size\": 9007199254740992, \"code\": \"abc\","
                            " \"pair\": [1, 20], \"few\": []}",
                            &target, &err),
                    OK);
    CU_ASSERT_EQUAL(target.size, 9007199254740992);
    CU_ASSERT_STRING_EQUAL(target.code, "abc");
    CU_ASSERT_EQUAL(target.sum, 21);
    CU_ASSERT_EQUAL(target.summands, 2);
}

static void numbers_names_and_items_are_refused(void)
{
    refused_by(&format, "{\"format\": 4}", E_INPUT,
               "line 1: \"format\" is another, expected version 3");
    refused_by(&format, "{\"format\": 3.5}", E_INPUT,
               "line 1: \"format\" is another, expected version 3");
    refused_by(&format, "{\"size\": 4}", E_INPUT,
               "line 1: \"size\" is none, expected a whole number from 5");
    refused_by(&format, "{\"size\": 5.5}", E_INPUT,
               "line 1: \"size\" is none, expected a whole number from 5");
    refused_by(&format, "{\"code\": \"a\"}", E_INPUT,
               "line 1: \"code\" is none, expected 2 or 3 characters");
    refused_by(&format, "{\"pair\": []}", E_INPUT,
               "line 1: \"pair\" has another number, expected 1 or 2 numbers");
    refused_by(&format, "{\"pair\": [1, 2, 3]}", E_INPUT,
               "line 1: \"pair\" has another number, expected 1 or 2 numbers");
    refused_by(&format, "{\"few\": [1, 2, 3]}", E_INPUT,
               "line 1: \"few\" are too many, expected at most 2 numbers");
    refused_by(&format, "{\"pair\": [1, null]}", E_INPUT, "summand 2");
}

static void root_must_be_an_object(void)
{
    refused("[]", E_INPUT, "expected an object, found an array");
}

static void what_is_wrong_is_refused_with_its_line(void)
{
    refused("{}", E_INPUT,
            "line 1: no \"count\", expected a whole number from 2 to "
            "4294967295");
    refused("{\n\"count\": 1}", E_INPUT,
            "line 2: \"count\" is out of range, expected a whole number from 2 "
            "to 4294967295");
    refused("{\"count\": 4294967296}", E_INPUT,
            "line 1: \"count\" is out of range, expected a whole number from 2 "
            "to 4294967295");
    refused("{\"count\": 2.5}", E_INPUT,
            "line 1: \"count\" is not whole, expected a whole number from 2 to "
            "4294967295");
    refused("{\"count\": 2,\n\"share\":\n1.5}", E_INPUT,
            "line 2: \"share\" is out of range, expected a number from -1 to "
            "1");
    refused("{\"name\": null}", E_INPUT,
            "line 1: \"name\" is null, expected a string");
    refused("{\"color\": \"gren\"}", E_INPUT,
            "line 1: unknown \"color\", did you mean \"green\"?");
    refused("{\"color\": \"blue\"}", E_INPUT,
            "line 1: unknown \"color\", expected one of \"red\", \"green\"");
    refused("{\"colour\": \"red\"}", E_INPUT,
            "line 1: unknown key \"colour\", did you mean \"color\"?");
    refused("{\"size\": 1}", E_INPUT,
            "line 1: unknown key \"size\", expected one of \"share\", "
            "\"count\", \"name\", \"color\"");
}

static void what_comes_later_is_told_apart(void)
{
    refused("{\"texture\": 1}", E_VERSION,
            "line 1: \"texture\": not in this version");
    refused("{\"color\": \"ultraviolet\"}", E_VERSION,
            "line 1: color \"ultraviolet\": not in this version");
}

static void values_are_not_shown(void)
{
    struct target target = {0};
    struct error err;

    error_init(&err);
    CU_ASSERT_EQUAL(take("{\"color\": \"s3cret\"}", &target, &err), E_INPUT);
    CU_ASSERT_PTR_NULL(strstr(err.text, "s3cret"));
}

static void one_member_can_be_taken_alone(void)
{
    struct target target = {0};
    struct json *json = NULL;
    struct error err;

    CU_ASSERT_EQUAL(
        json_parse(&json, bytes_of_string("{\"unknown\": 1, \"count\": 7}"),
                   &err),
        OK);
    CU_ASSERT_EQUAL(json_take_member(json_root(json), &keys[1], &target, &err),
                    OK);
    CU_ASSERT_EQUAL(target.count, 7);
    CU_ASSERT_EQUAL(json_take_member(json_root(json), &keys[0], &target, &err),
                    OK); /* not there, not required */
    json_destroy(&json);
    CU_ASSERT_EQUAL(json_parse(&json, bytes_of_string("{\"name\": 1}"), &err),
                    OK);
    CU_ASSERT_EQUAL(json_take_member(json_root(json), &keys[1], &target, &err),
                    E_INPUT);
    CU_ASSERT_EQUAL(json_take_member(json_root(json), &keys[2], &target, &err),
                    E_INPUT);
    CU_ASSERT_STRING_EQUAL(err.text,
                           "line 1: \"name\" is a number, expected a string");
    json_destroy(&json);
}

void suite_json_keys(void)
{
    static const struct test tests[] = {
        {"values reach their places", values_reach_their_places},
        {"what is not given stays as it was",
         what_is_not_given_stays_as_it_was},
        {"numbers, names and items reach their places",
         numbers_names_and_items_reach_their_places},
        {"numbers, names and items are refused",
         numbers_names_and_items_are_refused},
        {"root must be an object", root_must_be_an_object},
        {"what is wrong is refused with its line",
         what_is_wrong_is_refused_with_its_line},
        {"what comes later is told apart", what_comes_later_is_told_apart},
        {"values are not shown", values_are_not_shown},
        {"one member can be taken alone", one_member_can_be_taken_alone},
    };

    suite_add("json_keys", tests, sizeof tests / sizeof tests[0]);
}
