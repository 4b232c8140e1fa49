/*
 * tests/fuzz/fuzz_json.c - whatever bytes: what is refused is refused with
 * words, and what is accepted survives printing and reading again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool truth)
{
    if (!truth)
        abort();
}

static void print(enum status (*printer)(const struct json_value *value,
                                         struct text *out, struct error *err),
                  const struct json *json, struct text *out)
{
    struct error err;

    text_init(out);
    demand(printer(json_root(json), out, &err) == OK);
}

/* Lines go up in document order. */
static void check_lines(const struct json_value *value, unsigned *line)
{
    demand(json_line(value) >= *line);
    *line = json_line(value);
    if (json_kind(value) != JSON_ARRAY && json_kind(value) != JSON_OBJECT)
        return;
    for (const struct json_value *child = json_first(value); child != NULL;
         child = json_next(child)) {
        demand((json_key(child) != NULL) == (json_kind(value) == JSON_OBJECT));
        if (json_key(child) != NULL)
            demand(json_member(value, json_key(child)) == child);
        check_lines(child, line);
    }
}

/* Read `text`: it must be accepted and have the canonical form `expected`. */
static void check_again(const struct text *text, const struct text *expected)
{
    struct json *json = NULL;
    struct text canonical;
    struct error err;

    demand(json_parse(&json, text_bytes(text), &err) == OK);
    print(json_print_canonical, json, &canonical);
    demand(bytes_equal(text_bytes(&canonical), text_bytes(expected)));
    text_clear(&canonical);
    json_destroy(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json *json = NULL;
    struct text canonical, pretty;
    struct error err;
    unsigned line = 1;
    enum status status;

    error_init(&err);
    status = json_parse(&json, bytes_of(data, size), &err);
    if (status != OK) {
        /* E_MEMORY would mean that cJSON refuses what our scan accepts. */
        demand(status == E_INPUT || status == E_LIMIT);
        demand(json == NULL && strncmp(err.text, "line ", 5) == 0);
        return 0;
    }
    demand(err.text[0] == '\0');
    check_lines(json_root(json), &line);
    print(json_print_canonical, json, &canonical);
    print(json_print, json, &pretty);
    check_again(&canonical, &canonical);
    check_again(&pretty, &canonical);
    text_clear(&canonical);
    text_clear(&pretty);
    json_destroy(&json);
    return 0;
}
