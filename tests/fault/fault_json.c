#include "common/json.h"

#include <errno.h>
#include <string.h>

#include "tests/fault/fault.h"
#include "tests/lib/suite.h"

void suite_json(void);

static const char document[] =
    "{\"name\": \"adult\", \"k\": 5, \"ok\": [true, null, 0.5, \"\\u00e9\"],\n"
    " \"deep\": {\"b\": {\"z\": []}, \"a\": {}, \"long key of a member\": -1}}";

/* Sorted and squeezed by hand as RFC 8785 demands. */
static const char canonical[] =
    "{\"deep\":{\"a\":{},\"b\":{\"z\":[]},\"long key of a member\":-1},"
    "\"k\":5,\"name\":\"adult\",\"ok\":[true,null,0.5,\"\xc3\xa9\"]}";

static void parse_without_memory_gives_nothing(void)
{
    struct error err;

    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        struct json *json = NULL;
        enum status status;

        error_init(&err);
        fault_on();
        status = json_parse(&json, bytes_of_string(document), &err);
        fault_off();
        fault_expect(status, &err, E_MEMORY);
        CU_ASSERT_EQUAL(json == NULL, status != OK);
        json_destroy(&json);
    }
}

typedef enum status printer(const struct json_value *value, struct text *out,
                            struct error *err);

static void print_under_faults(printer *print, const char *expected)
{
    struct json *json = NULL;
    struct error err;
    struct text out;

    CU_ASSERT_EQUAL_FATAL(json_parse(&json, bytes_of_string(document), &err),
                          OK);
    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        enum status status;

        error_init(&err);
        text_init(&out);
        fault_on();
        status = print(json_root(json), &out, &err);
        fault_off();
        fault_expect(status, &err, E_MEMORY);
        if (status == OK && expected != NULL)
            CU_ASSERT_STRING_EQUAL(out.data, expected);
        text_clear(&out);
    }
    json_destroy(&json);
}

static void print_without_memory_fails(void)
{
    print_under_faults(json_print, NULL);
    print_under_faults(json_print_canonical, canonical);
}

/* The document above, built by hand. */
static enum status build(struct json **json, const struct json_value *source,
                         struct error *err)
{
    struct json_value *root, *list, *deep, *copy;

    if (json_create(json, err) != OK)
        return err->status;
    root = json_edit_root(*json);
    if (json_add_string(root, "name", "adult", err) != OK ||
        json_add_integer(root, "k", 5, err) != OK ||
        json_add_array(root, "ok", &list, err) != OK ||
        json_add_boolean(list, NULL, true, err) != OK ||
        json_add_null(list, NULL, err) != OK ||
        json_add_number(list, NULL, 0.5, err) != OK ||
        json_add_string(list, NULL, "\xc3\xa9", err) != OK ||
        json_add_object(root, "deep", &deep, err) != OK ||
        json_add_copy(deep, "b", json_member(source, "b"), err) != OK ||
        json_add_object(deep, "a", &copy, err) != OK ||
        json_add_integer(deep, "long key of a member", -1, err) != OK)
        return err->status;
    return OK;
}

static void build_without_memory_fails(void)
{
    struct json *source = NULL;
    struct error err;
    struct text out;

    CU_ASSERT_EQUAL_FATAL(json_parse(&source, bytes_of_string(document), &err),
                          OK);
    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        struct json *json = NULL;
        enum status status;

        error_init(&err);
        fault_on();
        status = build(&json, json_member(json_root(source), "deep"), &err);
        fault_off();
        fault_expect(status, &err, E_MEMORY);
        text_init(&out);
        if (status == OK) {
            CU_ASSERT_EQUAL(json_print_canonical(json_root(json), &out, &err),
                            OK);
            CU_ASSERT_STRING_EQUAL(out.data, canonical);
        }
        text_clear(&out);
        json_destroy(&json);
    }
    json_destroy(&source);
}

void suite_json(void)
{
    static const struct test tests[] = {
        {"parsing without memory gives nothing",
         parse_without_memory_gives_nothing},
        {"printing without memory fails", print_without_memory_fails},
        {"building without memory fails", build_without_memory_fails},
    };

    suite_add("json", tests, sizeof tests / sizeof tests[0]);
}
