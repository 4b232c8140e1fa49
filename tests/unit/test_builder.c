#include "anonymizer/builder.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "anonymizer/hierarchy.h"
#include "common/text.h"
#include "tests/lib/cases.h"
#include "tests/lib/suite.h"

void suite_builder(void);

static char *tokens[] = {"NA", "?"};
static const struct policy policy = {.missing = tokens, .missing_count = 2};

#define PARTS_MAX 16

/* "integer ; {...} ; 1 ; 2", cut at its bars. */
struct description {
    char *text;
    char *part[PARTS_MAX];
    size_t count;
    struct policy_attribute attribute;
};

static void cut(struct description *description, struct bytes input)
{
    static const char *const types[] = {"string", "ordinal", "integer",
                                        "decimal", "date"};
    char *type, *format;

    description->text = calloc(input.size + 1, 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(description->text);
    memcpy(description->text, input.data, input.size);
    description->count = 0;
    for (char *at = description->text; at != NULL;) {
        char *end = strstr(at, " ; ");

        CU_ASSERT_FATAL(description->count < PARTS_MAX);
        description->part[description->count++] = at;
        if (end != NULL) {
            *end = '\0';
            end += 3;
        }
        at = end;
    }
    CU_ASSERT_FATAL(description->count >= 3);
    type = description->part[0];
    format = strstr(type, ", ");
    description->attribute = (struct policy_attribute){.format = NULL};
    if (format != NULL) {
        *format = '\0';
        description->attribute.format = format + 2;
    }
    for (unsigned i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(types[i], type) == 0)
            description->attribute.type = i;
}

static enum status read_builder(struct builder **builder,
                                const struct description *description,
                                struct error *err)
{
    struct json *json = NULL;
    enum status status =
        json_parse(&json, bytes_of_string(description->part[1]), err);

    if (status == OK)
        status = builder_read(builder, json_root(json), &policy,
                              &description->attribute, err);
    json_destroy(&json);
    return status;
}

/* "a x3" is a in three rows. */
static struct builder_value value_of(char *part)
{
    char *times = strstr(part, " x");
    struct builder_value value = {.rows = 1};

    if (times != NULL) {
        *times = '\0';
        value.rows = (uint64_t)(times[2] - '0');
    }
    value.text = bytes_of_string(part);
    value.missing = policy_is_missing(&policy, value.text);
    return value;
}

static enum status build(struct hierarchy **hierarchy,
                         struct description *description, struct text *refused,
                         struct error *err)
{
    struct builder_value value[PARTS_MAX];
    struct builder *builder = NULL;
    size_t count = description->count - 2;
    enum status status = read_builder(&builder, description, err);

    *hierarchy = NULL;
    for (size_t i = 0; status == OK && i < count; i++) {
        const char *why;

        value[i] = value_of(description->part[i + 2]);
        why = value[i].missing ? NULL : builder_refuses(builder, value[i].text);
        if (why != NULL && text_append_string(refused, why, err) != OK)
            CU_FAIL("out of memory");
        if (why != NULL)
            status = E_NO;
    }
    if (status == OK)
        status = builder_build(hierarchy, builder, value, count, err);
    builder_destroy(&builder);
    return status;
}

/* Rows by " / ", levels by "!". */
static void print(const struct hierarchy *hierarchy, struct text *out)
{
    struct error err;

    for (uint32_t row = 0; row < hierarchy_rows(hierarchy); row++)
        for (uint32_t i = 0; i < hierarchy_levels(hierarchy); i++) {
            struct bytes label = hierarchy_label(
                hierarchy, i, hierarchy_node(hierarchy, i, row));
            const char *before = row > 0 ? " / " : "";

            CU_ASSERT_EQUAL(text_append_string(out, i > 0 ? "!" : before, &err),
                            OK);
            CU_ASSERT_EQUAL(text_append(out, label.data, label.size, &err), OK);
        }
}

static void build_case(const struct test_case *test)
{
    struct hierarchy *hierarchy;
    struct description description;
    struct error err;
    struct text got;

    error_init(&err);
    text_init(&got);
    cut(&description, test->input);
    if (build(&hierarchy, &description, &got, &err) == OK)
        print(hierarchy, &got);
    else
        CU_ASSERT_EQUAL(text_append_string(&got, err.text, &err), OK);
    case_expect(test, got.data);
    hierarchy_close(&hierarchy);
    free(description.text);
    text_clear(&got);
}

static void hierarchies_are_what_a_hand_makes_of_them(void)
{
    cases_run("tests/data/builder/build.cases", build_case);
}

static void refusals_say_what_was_expected(void)
{
    cases_run("tests/data/builder/refusals.cases", build_case);
}

/* ---- random values ---- */

static uint64_t state;

static uint32_t draw(uint32_t below)
{
    state =
        state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(state >> 33) % below;
}

#define VALUES_MAX 60

struct values {
    char text[VALUES_MAX][32];
    struct builder_value value[VALUES_MAX];
    size_t count;
};

static bool has_value(const struct values *values, const char *text)
{
    for (size_t i = 0; i < values->count; i++)
        if (strcmp(values->text[i], text) == 0)
            return true;
    return false;
}

static void draw_values(struct values *values, unsigned kind)
{
    values->count = 0;
    for (size_t i = 1 + draw(VALUES_MAX - 1); i > 0; i--) {
        char text[32];

        if (kind == 0)
            snprintf(text, sizeof text, "%d", (int)draw(400) - 200);
        else if (kind == 1)
            snprintf(text, sizeof text, "%04u-%02u-%02u", 1890 + draw(200),
                     1 + draw(12), 1 + draw(28));
        else
            snprintf(text, sizeof text, "%.*s", (int)(1 + draw(6)),
                     &"abacabadab"[draw(5)]);
        if (has_value(values, text))
            continue;
        memcpy(values->text[values->count], text, sizeof text);
        values->value[values->count] = (struct builder_value){
            bytes_of_string(values->text[values->count]), 1 + draw(9), false};
        values->count++;
    }
    if (draw(2) == 0) {
        memcpy(values->text[values->count], "NA", 3);
        values->value[values->count] = (struct builder_value){
            bytes_of_string(values->text[values->count]), 1 + draw(9), true};
        values->count++;
    }
}

/* The tree by its labels alone, pair by pair: who agrees at a level agrees
 * above; each value is there once, and its own label at level 0. */
static bool is_sound(const struct hierarchy *hierarchy,
                     const struct values *values)
{
    uint32_t rows = hierarchy_rows(hierarchy);
    uint32_t levels = hierarchy_levels(hierarchy);

    if (rows != values->count)
        return false;
    for (size_t i = 0; i < values->count; i++) {
        uint32_t row = hierarchy_find(hierarchy, values->value[i].text);

        if (row == HIERARCHY_NONE ||
            !bytes_equal(hierarchy_label(hierarchy, 0, row),
                         values->value[i].text))
            return false;
    }
    for (uint32_t a = 0; a < rows; a++)
        for (uint32_t b = 0; b < a; b++) {
            bool agreed = false;

            for (uint32_t i = 0; i < levels; i++) {
                bool agree = bytes_equal(
                    hierarchy_label(hierarchy, i,
                                    hierarchy_node(hierarchy, i, a)),
                    hierarchy_label(hierarchy, i,
                                    hierarchy_node(hierarchy, i, b)));

                if (agreed && !agree)
                    return false;
                agreed = agree;
            }
            if (!agreed)
                return false; /* one `*` at the top */
        }
    return true;
}

/* The same hierarchy, row by row? */
static bool same(const struct hierarchy *a, const struct hierarchy *b)
{
    struct text left, right;
    bool equal;

    text_init(&left);
    text_init(&right);
    print(a, &left);
    print(b, &right);
    equal = strcmp(left.data, right.data) == 0;
    text_clear(&left);
    text_clear(&right);
    return equal;
}

static void check_random(struct description *description, unsigned kind)
{
    struct hierarchy *hierarchy = NULL, *reversed = NULL;
    struct builder *builder = NULL;
    struct values values;
    struct error err;

    error_init(&err);
    draw_values(&values, kind);
    CU_ASSERT_EQUAL_FATAL(read_builder(&builder, description, &err), OK);
    CU_ASSERT_EQUAL_FATAL(
        builder_build(&hierarchy, builder, values.value, values.count, &err),
        OK);
    CU_ASSERT(is_sound(hierarchy, &values));
    for (size_t i = 0; i < values.count / 2; i++) {
        struct builder_value kept = values.value[i];

        values.value[i] = values.value[values.count - 1 - i];
        values.value[values.count - 1 - i] = kept;
    }
    CU_ASSERT_EQUAL_FATAL(
        builder_build(&reversed, builder, values.value, values.count, &err),
        OK);
    CU_ASSERT(same(hierarchy, reversed));
    hierarchy_close(&hierarchy);
    hierarchy_close(&reversed);
    builder_destroy(&builder);
}

static void whatever_is_built_is_a_tree_over_its_values(void)
{
    static const struct {
        unsigned kind;
        const char *text;
    } cases[] = {
        {0, "integer ; {\"build\":\"interval\",\"intervals\":[{\"min\":3,"
            "\"max\":10},{\"min\":10,\"max\":12}],\"groups\":[[3,1],[2],[5]],"
            "\"lower\":{\"snap\":-95,\"code\":-120},\"upper\":{\"code\":77}} ; "
            "x"},
        {0, "integer ; {\"build\":\"order\",\"groups\":[[2,1,3],[2],[3]]} ; x"},
        {0, "integer ; {\"build\":\"priority\",\"by\":\"type\","
            "\"max_levels\":7} ; x"},
        {1, "date ; {\"build\":\"date\",\"granularities\":[\"month-week\","
            "\"quarter\",\"decade\",\"millennium\"],\"bottom\":\"1920-05-05\"}"
            " ; x"},
        {1, "date ; {\"build\":\"interval\",\"intervals\":[{\"min\":"
            "\"2000-01-01\",\"max\":\"2000-03-05\"}],\"groups\":[[4],[7]]} ; "
            "x"},
        {2, "string ; {\"build\":\"redaction\",\"padding\":\" \"} ; x"},
        {2, "string ; {\"build\":\"redaction\",\"align\":\"right\","
            "\"direction\":\"left-to-right\"} ; x"},
        {2, "string ; {\"build\":\"priority\"} ; x"},
        {2, "string ; {\"build\":\"order\",\"label\":\"bounds\",\"groups\":"
            "[[2],[3]]} ; x"},
    };
    const uint64_t seed = 20261120;

    printf("    seed %" PRIu64 "\n", seed);
    state = seed;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (unsigned round = 0; round < 60; round++) {
            struct description description;

            cut(&description, bytes_of_string(cases[i].text));
            check_random(&description, cases[i].kind);
            free(description.text);
        }
}

void suite_builder(void)
{
    static const struct test tests[] = {
        {"hierarchies are what a hand makes of them",
         hierarchies_are_what_a_hand_makes_of_them},
        {"refusals say what was expected", refusals_say_what_was_expected},
        {"whatever is built is a tree over its values",
         whatever_is_built_is_a_tree_over_its_values},
    };

    suite_add("builder", tests, sizeof tests / sizeof *tests);
}
