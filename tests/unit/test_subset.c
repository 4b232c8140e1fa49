#include "anonymizer/subset.h"

#include <string.h>

#include "common/limits.h"
#include "common/text.h"
#include "tests/lib/cases.h"
#include "tests/lib/suite.h"

void suite_subset(void);

static struct error err;

/* Rows 0 to 19 for which a rule holds, as bits. */
static uint32_t members(const char *rule)
{
    struct subset *subset = NULL;
    uint32_t bits = 0;

    error_init(&err);
    CU_ASSERT_EQUAL_FATAL(subset_parse_rule(&subset, rule, &err), OK);
    for (uint32_t row = 0; row < 20; row++)
        bits |= (uint32_t)subset_contains(subset, row) << row;
    subset_close(&subset);
    return bits;
}

/* By hand. */
static void rules_hold_for_rows(void)
{
    CU_ASSERT_EQUAL(members("i % 10 == 0"), 1u << 0 | 1u << 10);
    CU_ASSERT_EQUAL(members("i%10==0"), 1u << 0 | 1u << 10);
    CU_ASSERT_EQUAL(members(" ( i == 3 ) "), 1u << 3);
    CU_ASSERT_EQUAL(members("i != 0"), 0xffffe);
    CU_ASSERT_EQUAL(members("i < 3"), 0x7);
    CU_ASSERT_EQUAL(members("i <= 3"), 0xf);
    CU_ASSERT_EQUAL(members("i > 17"), 0xc0000);
    CU_ASSERT_EQUAL(members("i >= 17"), 0xe0000);
    CU_ASSERT_EQUAL(members("1 == 1"), 0xfffff);
    CU_ASSERT_EQUAL(members("1 == 2"), 0);
}

static void and_binds_closer_than_or_and_not_closest(void)
{
    CU_ASSERT_EQUAL(members("i == 1 or i == 2 and i == 3"), 1u << 1);
    CU_ASSERT_EQUAL(members("(i == 1 or i == 2) and i == 2"), 1u << 2);
    CU_ASSERT_EQUAL(members("not i > 1 or i == 5"), 1u << 5 | 0x3);
    CU_ASSERT_EQUAL(members("not (i > 1 or i == 0)"), 1u << 1);
    CU_ASSERT_EQUAL(members("not not i == 4"), 1u << 4);
    CU_ASSERT_EQUAL(members("not not not i == 4"), 0xfffff ^ 1u << 4);
    CU_ASSERT_EQUAL(members("i > 2 and i < 5 and not i == 3"), 1u << 4);
}

static void products_bind_closer_than_sums(void)
{
    CU_ASSERT_EQUAL(members("i == 2 + 3 * 4"), 1u << 14);
    CU_ASSERT_EQUAL(members("i == (2 + 3) * 3"), 1u << 15);
    CU_ASSERT_EQUAL(members("i == 20 - 3 - 2"), 1u << 15);
    CU_ASSERT_EQUAL(members("i == 20 / 4 / 2"), 1u << 2);
    CU_ASSERT_EQUAL(members("i + 1 == 10 - -2"), 1u << 11);
}

/* As Python's // and %. */
static void quotients_are_rounded_down(void)
{
    CU_ASSERT_EQUAL(members("i / 7 == 1"), 0x3f80);
    CU_ASSERT_EQUAL(members("(i - 3) / 2 == -1"), 1u << 1 | 1u << 2);
    CU_ASSERT_EQUAL(members("(i - 3) % 4 == 3"),
                    1u << 2 | 1u << 6 | 1u << 10 | 1u << 14 | 1u << 18);
    CU_ASSERT_EQUAL(members("(i - 3) % -4 == -1"),
                    1u << 2 | 1u << 6 | 1u << 10 | 1u << 14 | 1u << 18);
    CU_ASSERT_EQUAL(members("(i - 3) / -2 == 1"), 1u << 0 | 1u << 1);
    CU_ASSERT_EQUAL(members("100 % (i + 1) == 0 and i > 3"),
                    1u << 4 | 1u << 9 | 1u << 19);
}

static void last_row_is_a_row(void)
{
    struct subset *subset = NULL;

    error_init(&err);
    CU_ASSERT_EQUAL_FATAL(
        subset_parse_rule(&subset, "i + i * 3 == 17179869172", &err), E_INPUT);
    CU_ASSERT_EQUAL_FATAL(
        subset_parse_rule(&subset, "i + i * 3 == 4 * 4294967293", &err), OK);
    CU_ASSERT(subset_contains(subset, TABLE_ROWS_MAX - 1));
    CU_ASSERT(!subset_contains(subset, TABLE_ROWS_MAX - 2));
    subset_close(&subset);
}

static void refuse_rule(const struct test_case *test)
{
    struct subset *subset = NULL;
    struct text rule;

    error_init(&err);
    text_init(&rule);
    CU_ASSERT_EQUAL_FATAL(
        text_append(&rule, test->input.data, test->input.size, &err), OK);
    CU_ASSERT_EQUAL(
        subset_parse_rule(&subset, rule.data == NULL ? "" : rule.data, &err),
        E_INPUT);
    CU_ASSERT_PTR_NULL(subset);
    case_expect(test, err.text);
    subset_close(&subset);
    text_clear(&rule);
}

static void rules_that_cannot_be_read_are_refused(void)
{
    cases_run("tests/data/subset/refusals.cases", refuse_rule);
}

/* `count` times `begin`, the middle, `count` times `end`. */
static enum status nested(const char *begin, const char *middle,
                          const char *end, size_t count)
{
    struct subset *subset = NULL;
    struct text rule;
    enum status status;

    error_init(&err);
    text_init(&rule);
    for (size_t i = 0; i < count; i++)
        CU_ASSERT_EQUAL(text_append_string(&rule, begin, &err), OK);
    CU_ASSERT_EQUAL(text_append_string(&rule, middle, &err), OK);
    for (size_t i = 0; i < count; i++)
        CU_ASSERT_EQUAL(text_append_string(&rule, end, &err), OK);
    status = subset_parse_rule(&subset, rule.data, &err);
    CU_ASSERT_EQUAL(subset != NULL, status == OK);
    subset_close(&subset);
    text_clear(&rule);
    return status;
}

static void rules_have_limits(void)
{
    CU_ASSERT_EQUAL(nested("(", "i == 1", ")", SUBSET_RULE_NESTING_MAX), OK);
    CU_ASSERT_EQUAL(nested("(", "i == 1", ")", SUBSET_RULE_NESTING_MAX + 1),
                    E_LIMIT);
    CU_ASSERT_STRING_EQUAL(err.text, "character 33: nested deeper than 32");
    CU_ASSERT_EQUAL(nested("-", "i == 1", "", SUBSET_RULE_NESTING_MAX), OK);
    CU_ASSERT_EQUAL(nested("-", "i == 1", "", SUBSET_RULE_NESTING_MAX + 1),
                    E_LIMIT);
    CU_ASSERT_EQUAL(nested("not ", "i == 1", "", 200), OK);
    CU_ASSERT_EQUAL(nested("i < 1 or ", "i == 1", "", 100), OK);
    CU_ASSERT_EQUAL(nested("i < 1 or ", "i == 1", "", 120), E_LIMIT);
    CU_ASSERT_STRING_EQUAL(err.text,
                           "a rule of 1086 characters, expected at most 1024");
    /* Each parenthesis leaves three operands waiting. */
    CU_ASSERT_EQUAL(nested("1==2 or 1==2 and 1<2+(", "1", ")", 15), E_INPUT);
    CU_ASSERT_EQUAL(nested("1==2 or 1==2 and (", "1<2", ")", 31), OK);
    CU_ASSERT_EQUAL(nested("1==2 or 1==2 and (", "1<2", ")", 32), E_LIMIT);
    CU_ASSERT_STRING_EQUAL(
        err.text, "more than 64 operands at once, expected a shorter rule");
}

/* ---- lists ---- */

static enum status list(const char *text, struct subset **subset)
{
    error_init(&err);
    *subset = NULL;
    return subset_parse_list(subset, bytes_of_string(text), "rows.csv", &err);
}

static void lists_say_which_rows(void)
{
    static const char *const same[] = {
        "0\n17\n3\n",
        "row\n17\n3\n0\n",
        "3\n0\n17",
        "row\r\n0\r\n3\r\n17",
        "\xef\xbb\xbfrow\n0\n3\n17\n",
        "\357\273\2770\n3\n17\n",
    };

    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        struct subset *subset;

        CU_ASSERT_EQUAL_FATAL(list(same[i], &subset), OK);
        for (uint64_t row = 0; row < 40; row++)
            CU_ASSERT_EQUAL(subset_contains(subset, row),
                            row == 0 || row == 3 || row == 17);
        CU_ASSERT(!subset_contains(subset, TABLE_ROWS_MAX - 1));
        subset_close(&subset);
    }
}

static void lists_that_cannot_be_read_are_refused(void)
{
    static const struct {
        const char *text;
        const char *words;
    } cases[] = {
        {"", "rows.csv: lists no row"},
        {"row\n", "rows.csv: lists no row"},
        {"0\n1\n0\n", "rows.csv: line 3: a row that an earlier line lists, "
                      "expected each once"},
        {"0\n\n1\n", "rows.csv: line 2: expected the number of a row, 0 to "
                     "4294967293"},
        {"0\nrow\n",
         "rows.csv: line 2: expected the number of a row, 0 to 4294967293"},
        {"index\n0\n",
         "rows.csv: line 1: expected the number of a row, 0 to 4294967293"},
        {"-1\n",
         "rows.csv: line 1: expected the number of a row, 0 to 4294967293"},
        {"1,\n",
         "rows.csv: line 1: expected the number of a row, 0 to 4294967293"},
        {" 1\n",
         "rows.csv: line 1: expected the number of a row, 0 to 4294967293"},
        {"007\n",
         "rows.csv: line 1: expected the number of a row, 0 to 4294967293"},
        {"0\n4294967294\n",
         "rows.csv: line 2: expected the number of a row, 0 to 4294967293"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct subset *subset;

        CU_ASSERT_EQUAL(list(cases[i].text, &subset), E_INPUT);
        CU_ASSERT_PTR_NULL(subset);
        CU_ASSERT_STRING_EQUAL(err.text, cases[i].words);
        subset_close(&subset);
    }
}

static void list_must_fit_its_table(void)
{
    struct subset *subset;

    CU_ASSERT_EQUAL_FATAL(list("0\n19\n3\n", &subset), OK);
    CU_ASSERT_EQUAL(subset_check(subset, 20, 3, "table.csv", &err), OK);
    CU_ASSERT_EQUAL(subset_check(subset, 19, 2, "table.csv", &err), E_INPUT);
    CU_ASSERT_STRING_EQUAL(err.text,
                           "rows.csv: line 2: a row that table.csv does not "
                           "have, whose 19 rows are counted from 0");
    subset_close(&subset);
    CU_ASSERT_EQUAL_FATAL(subset_parse_rule(&subset, "i > 30", &err), OK);
    CU_ASSERT_EQUAL(subset_check(subset, 20, 0, "table.csv", &err), E_INPUT);
    CU_ASSERT_STRING_EQUAL(err.text,
                           "table.csv: none of its 20 rows is in the subset");
    subset_close(&subset);
}

void suite_subset(void)
{
    static const struct test tests[] = {
        {"rules hold for rows", rules_hold_for_rows},
        {"and binds closer than or, and not closest",
         and_binds_closer_than_or_and_not_closest},
        {"products bind closer than sums", products_bind_closer_than_sums},
        {"quotients are rounded down", quotients_are_rounded_down},
        {"the last row that a table may have is a row", last_row_is_a_row},
        {"rules that cannot be read are refused",
         rules_that_cannot_be_read_are_refused},
        {"rules have limits", rules_have_limits},
        {"lists say which rows", lists_say_which_rows},
        {"lists that cannot be read are refused",
         lists_that_cannot_be_read_are_refused},
        {"a list must fit its table", list_must_fit_its_table},
    };

    suite_add("subset", tests, sizeof tests / sizeof tests[0]);
}
