#include "common/suggestion.h"

#include <string.h>

#include "common/limits.h"
#include "tests/lib/suite.h"

void suite_suggestion(void);

static const char *suggest(const char *name, const char *const *known)
{
    struct suggestion suggestion;

    suggestion_init(&suggestion, name);
    for (size_t i = 0; known[i] != NULL; i++)
        suggestion_consider(&suggestion, known[i]);
    return suggestion.best;
}

/* Distances counted by hand. */
static void slips_of_each_kind_are_one_apart(void)
{
    const char *const known[] = {"role", "type", NULL};

    CU_ASSERT_STRING_EQUAL(suggest("rol", known), "role");   /* removed */
    CU_ASSERT_STRING_EQUAL(suggest("roles", known), "role"); /* inserted */
    CU_ASSERT_STRING_EQUAL(suggest("rule", known), "role");  /* replaced */
    CU_ASSERT_STRING_EQUAL(suggest("roel", known), "role");  /* swapped */
    CU_ASSERT_STRING_EQUAL(suggest("orle", known), "role");  /* in front */
    CU_ASSERT_STRING_EQUAL(suggest("ytpe", known), "type");
}

static void more_than_a_third_is_too_far(void)
{
    const char *const known[] = {"abcdef", NULL};

    CU_ASSERT_STRING_EQUAL(suggest("abcdxx", known), "abcdef"); /* 2 of 6 */
    CU_ASSERT_PTR_NULL(suggest("abcxxx", known));               /* 3 of 6 */
    CU_ASSERT_PTR_NULL(suggest("abcd", known));                 /* 2 of 4 */
    CU_ASSERT_STRING_EQUAL(suggest("abcdefgh", known), "abcdef");
    CU_ASSERT_PTR_NULL(suggest("", known));
}

static void short_names_need_to_be_right(void)
{
    const char *const known[] = {"k", "l", NULL};

    CU_ASSERT_PTR_NULL(suggest("m", known));
    CU_ASSERT_PTR_NULL(suggest("kk", known));
}

static void nearest_wins_and_the_first_among_equals(void)
{
    const char *const known[] = {"min_level", "max_level", NULL};
    const char *const reversed[] = {"max_level", "min_level", NULL};

    CU_ASSERT_STRING_EQUAL(suggest("mix_level", known), "min_level");
    CU_ASSERT_STRING_EQUAL(suggest("mix_level", reversed), "max_level");
    CU_ASSERT_STRING_EQUAL(suggest("maxlevel", known), "max_level");
}

static void long_names_have_no_suggestion(void)
{
    char name[SUGGESTION_NAME_MAX + 3];
    char known_name[SUGGESTION_NAME_MAX + 1];
    const char *const known[] = {known_name, NULL};

    memset(known_name, 'x', sizeof known_name - 1);
    known_name[sizeof known_name - 1] = '\0';
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    CU_ASSERT_PTR_NULL(suggest(name, known));
    name[SUGGESTION_NAME_MAX] = '\0';
    name[0] = 'y';
    CU_ASSERT_STRING_EQUAL(suggest(name, known), known_name);
}

void suite_suggestion(void)
{
    static const struct test tests[] = {
        {"slips of each kind are one apart", slips_of_each_kind_are_one_apart},
        {"more than a third is too far", more_than_a_third_is_too_far},
        {"short names need to be right", short_names_need_to_be_right},
        {"the nearest wins, and the first among equals",
         nearest_wins_and_the_first_among_equals},
        {"long names have no suggestion", long_names_have_no_suggestion},
    };

    suite_add("suggestion", tests, sizeof tests / sizeof tests[0]);
}
