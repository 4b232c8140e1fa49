#include "cli/options.h"

#include <string.h>

#include "common/status.h"
#include "tests/lib/suite.h"

void suite_options(void);

struct target {
    bool quiet;
    const char *name;
    uint64_t wait_ms;
    uint64_t count;
};

static const struct option_row rows[] = {
    {"quiet", 'q', OPTION_AT(FLAG, struct target, quiet)},
    {"name", 'n', OPTION_AT(TEXT, struct target, name)},
    {"wait", 0, OPTION_AT(NUMBER, struct target, wait_ms), .min = 1, .max = 60,
     .unit = 1000},
    {"count", 'c', OPTION_AT(NUMBER, struct target, count), .max = 9},
};

static const struct options_table known = {"", rows,
                                           sizeof rows / sizeof *rows};

#define WORDS_MAX 9

/* A call in these words, separated by a blank each. */
struct call {
    char text[128];
    char *argv[WORDS_MAX + 1];
    int argc;
    struct target target;
    struct operands operands;
    int exit_code;
};

static bool call_parse(struct call *call, const char *text)
{
    char *at = call->text;

    *call = (struct call){.target.count = 4};
    CU_ASSERT_FATAL(strlen(text) < sizeof call->text);
    memcpy(call->text, text, strlen(text) + 1);
    while (at != NULL) {
        CU_ASSERT_FATAL(call->argc < WORDS_MAX);
        call->argv[call->argc++] = at;
        at = strchr(at, ' ');
        if (at != NULL)
            *at++ = '\0';
    }
    return options_parse(&known, call->argc, call->argv, &call->target,
                         &call->operands, &call->exit_code);
}

static void values_reach_their_places(void)
{
    struct call call;

    CU_ASSERT_TRUE(
        call_parse(&call, "do --quiet --name=ann --wait 60 --count 0"));
    CU_ASSERT_TRUE(call.target.quiet);
    CU_ASSERT_STRING_EQUAL(call.target.name, "ann");
    CU_ASSERT_EQUAL(call.target.wait_ms, 60000);
    CU_ASSERT_EQUAL(call.target.count, 0);
    CU_ASSERT_EQUAL(call.operands.count, 0);
    CU_ASSERT_TRUE(call_parse(&call, "do -qn ann -c9"));
    CU_ASSERT_TRUE(call.target.quiet);
    CU_ASSERT_STRING_EQUAL(call.target.name, "ann");
    CU_ASSERT_EQUAL(call.target.count, 9);
}

static void what_is_not_given_stays_as_it_was(void)
{
    struct call call;

    CU_ASSERT_TRUE(call_parse(&call, "do"));
    CU_ASSERT_FALSE(call.target.quiet);
    CU_ASSERT_PTR_NULL(call.target.name);
    CU_ASSERT_EQUAL(call.target.count, 4);
    CU_ASSERT_EQUAL(call.operands.given, 0);
}

static void what_was_given_is_known_by_its_row(void)
{
    struct call call;

    CU_ASSERT_TRUE(call_parse(&call, "do -q --count 4"));
    CU_ASSERT_EQUAL(call.operands.given, 1u << 0 | 1u << 3);
    CU_ASSERT_TRUE(call_parse(&call, "do -n x --wait 1"));
    CU_ASSERT_EQUAL(call.operands.given, 1u << 1 | 1u << 2);
}

static void operands_may_stand_anywhere(void)
{
    struct call call;

    CU_ASSERT_TRUE(call_parse(&call, "do one -q two -- -three"));
    CU_ASSERT_TRUE(call.target.quiet);
    CU_ASSERT_EQUAL_FATAL(call.operands.count, 3);
    CU_ASSERT_STRING_EQUAL(call.operands.at[0], "one");
    CU_ASSERT_STRING_EQUAL(call.operands.at[1], "two");
    CU_ASSERT_STRING_EQUAL(call.operands.at[2], "-three");
    /* Behind the last one stands NULL, also when there is none. */
    CU_ASSERT_PTR_NULL(call.operands.at[3]);
    CU_ASSERT_TRUE(call_parse(&call, "do"));
    CU_ASSERT_PTR_NULL(call.operands.at[0]);
}

static void help_ends_well_whatever_else_is_there(void)
{
    struct call call;

    CU_ASSERT_FALSE(call_parse(&call, "do one --help --wait 99"));
    CU_ASSERT_EQUAL(call.exit_code, status_exit_code(OK));
    CU_ASSERT_FALSE(call_parse(&call, "do -h"));
    CU_ASSERT_EQUAL(call.exit_code, status_exit_code(OK));
}

/* How wrong calls are told: tests/e2e/10-refusals-calls.sh. */
void suite_options(void)
{
    static const struct test tests[] = {
        {"values reach their places", values_reach_their_places},
        {"what is not given stays as it was",
         what_is_not_given_stays_as_it_was},
        {"what was given is known by its row",
         what_was_given_is_known_by_its_row},
        {"operands may stand anywhere", operands_may_stand_anywhere},
        {"help ends well, whatever else is there",
         help_ends_well_whatever_else_is_there},
    };

    suite_add("options", tests, sizeof tests / sizeof tests[0]);
}
