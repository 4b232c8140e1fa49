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
};

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

static enum status take(const char *text, struct target *target,
                        struct error *err)
{
    struct json *json = NULL;
    enum status status = json_parse(&json, bytes_of_string(text), err);

    if (status == OK)
        status = json_take_object(json_root(json), keys,
                                  sizeof keys / sizeof keys[0], target, err);
    json_destroy(&json);
    return status;
}

static void refused(const char *text, enum status expected, const char *words)
{
    struct target target = {0};
    struct error err;

    error_init(&err);
    CU_ASSERT_EQUAL(take(text, &target, &err), expected);
    CU_ASSERT_STRING_EQUAL(err.text, words);
    free(target.name);
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
        {"what is wrong is refused with its line",
         what_is_wrong_is_refused_with_its_line},
        {"what comes later is told apart", what_comes_later_is_told_apart},
        {"values are not shown", values_are_not_shown},
        {"one member can be taken alone", one_member_can_be_taken_alone},
    };

    suite_add("json_keys", tests, sizeof tests / sizeof tests[0]);
}
