#include "common/error.h"

#include <errno.h>
#include <string.h>

#include "tests/lib/suite.h"

void suite_error(void);

static void new_error_says_nothing(void)
{
    struct error err;

    error_init(&err);
    CU_ASSERT_EQUAL(err.status, OK);
    CU_ASSERT_STRING_EQUAL(err.text, "");
}

static void context_stands_before_the_cause(void)
{
    struct error err;

    CU_ASSERT_EQUAL(error_set(&err, E_INPUT, "line %d: %s", 12, "3 columns"),
                    E_INPUT);
    CU_ASSERT_EQUAL(error_wrap(&err, "hierarchy %s", "ages.csv"), E_INPUT);
    CU_ASSERT_EQUAL(error_wrap(&err, "policy.json"), E_INPUT);
    CU_ASSERT_EQUAL(err.status, E_INPUT);
    CU_ASSERT_STRING_EQUAL(
        err.text, "policy.json: hierarchy ages.csv: line 12: 3 columns");
}

/* The words are those of POSIX's table, as glibc prints them. */
static void words_of_errno_stand_behind(void)
{
    struct error err;

    CU_ASSERT_EQUAL(error_set_errno(&err, E_IO, ENOSPC, "%s: writing", "a.csv"),
                    E_IO);
    CU_ASSERT_STRING_EQUAL(err.text, "a.csv: writing: No space left on device");
    CU_ASSERT_EQUAL(error_set_errno(&err, E_INPUT, ENOENT, "b"), E_INPUT);
    CU_ASSERT_STRING_EQUAL(err.text, "b: No such file or directory");
    CU_ASSERT_EQUAL(error_set_errno(&err, E_SYSTEM, 99999, "c"), E_SYSTEM);
    CU_ASSERT_STRING_EQUAL(err.text, "c: Unknown error 99999");
}

static void lack_of_memory_names_what_was_built(void)
{
    struct error err;

    CU_ASSERT_EQUAL(error_memory(&err, "a lattice"), E_MEMORY);
    CU_ASSERT_EQUAL(err.status, E_MEMORY);
    CU_ASSERT_STRING_EQUAL(err.text, "out of memory for a lattice");
}

static void long_text_is_cut_and_ends(void)
{
    char name[2 * ERROR_TEXT_MAX];
    struct error err;

    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    CU_ASSERT_EQUAL(error_set(&err, E_INPUT, "%s", name), E_INPUT);
    CU_ASSERT_EQUAL(strlen(err.text), ERROR_TEXT_MAX - 1);
    CU_ASSERT_EQUAL(error_wrap(&err, "policy.json"), E_INPUT);
    CU_ASSERT_EQUAL(strlen(err.text), ERROR_TEXT_MAX - 1);
    CU_ASSERT_EQUAL(strncmp(err.text, "policy.json: nnn", 16), 0);
    CU_ASSERT_EQUAL(error_wrap(&err, "%s", name), E_INPUT);
    CU_ASSERT_EQUAL(strlen(err.text), ERROR_TEXT_MAX - 1);
    CU_ASSERT_EQUAL(error_set_errno(&err, E_IO, EIO, "%s", name), E_IO);
    CU_ASSERT_EQUAL(strlen(err.text), ERROR_TEXT_MAX - 1);
}

void suite_error(void)
{
    static const struct test tests[] = {
        {"a new error says nothing", new_error_says_nothing},
        {"context stands before the cause", context_stands_before_the_cause},
        {"the words of errno stand behind", words_of_errno_stand_behind},
        {"lack of memory names what was built",
         lack_of_memory_names_what_was_built},
        {"a long text is cut and ends", long_text_is_cut_and_ends},
    };

    suite_add("error", tests, sizeof tests / sizeof tests[0]);
}
