#include "anonymizer/recheck.h"

#include <string.h>
#include <unistd.h>

#include "common/text.h"
#include "tests/lib/rechecked.h"
#include "tests/lib/suite.h"

void suite_recheck(void);

/* ---- classes ---- */

static void counts_classes(void)
{
    struct rechecked f;
    const struct class_figures *classes;

    rechecked_illness(&f);
    rechecked_k(&f, 2);
    CU_ASSERT_EQUAL_FATAL(rechecked_text(&f, RECHECKED_HEADER "1,f,cold\n"
                                                              "2,m,cold\n"
                                                              "1,f,flu\n"
                                                              "1,f,gout\n"
                                                              "2,f,flu\n"
                                                              "2,m,flu\n"),
                          OK);
    classes = &f.result->classes;
    CU_ASSERT_EQUAL(classes->rows, 6);
    CU_ASSERT_EQUAL(classes->suppressed, 0);
    CU_ASSERT_EQUAL(classes->count, 3);
    CU_ASSERT_EQUAL(classes->min, 1);
    CU_ASSERT_EQUAL(classes->max, 3);
    CU_ASSERT_EQUAL(classes->average, 2.0);
    CU_ASSERT_EQUAL(classes->uniques, 1);
    CU_ASSERT_EQUAL(classes->risk_highest, 1.0);
    CU_ASSERT_EQUAL(classes->risk_average, 0.5);
    CU_ASSERT_EQUAL(f.result->criterion[0].value, 1.0);
    CU_ASSERT_EQUAL(f.result->criterion[0].violating, 1);
    CU_ASSERT_FALSE(f.result->criterion[0].satisfied);
    CU_ASSERT_FALSE(f.result->satisfied);
    rechecked_clear(&f);
}

static void k_rows_are_enough(void)
{
    struct rechecked f;

    rechecked_illness(&f);
    rechecked_k(&f, 2);
    CU_ASSERT_EQUAL_FATAL(
        rechecked_text(&f, RECHECKED_HEADER
                       "1,f,cold\n2,m,cold\n1,f,flu\n2,m,flu\n"),
        OK);
    CU_ASSERT_TRUE(f.result->satisfied);
    CU_ASSERT_EQUAL(f.result->criterion[0].value, 2.0);
    rechecked_clear(&f);
}

static void suppressed_rows_are_in_no_class(void)
{
    struct rechecked f;

    rechecked_illness(&f);
    rechecked_k(&f, 2);
    rechecked_l(&f, MODEL_DISTINCT_L_DIVERSITY, 2, 2);
    CU_ASSERT_EQUAL_FATAL(
        rechecked_text(&f, RECHECKED_HEADER "1,f,cold\n*,*,cold\n1,f,flu\n"),
        OK);
    CU_ASSERT_EQUAL(f.result->classes.rows, 3);
    CU_ASSERT_EQUAL(f.result->classes.suppressed, 1);
    CU_ASSERT_EQUAL(f.result->classes.count, 1);
    CU_ASSERT_EQUAL(f.result->classes.min, 2);
    CU_ASSERT_TRUE(f.result->satisfied);
    rechecked_clear(&f);
}

static void half_a_star_is_a_class(void)
{
    struct rechecked f;

    rechecked_illness(&f);
    rechecked_k(&f, 2);
    CU_ASSERT_EQUAL_FATAL(
        rechecked_text(&f, RECHECKED_HEADER "1,f,cold\n*,f,cold\n1,f,flu\n"),
        OK);
    CU_ASSERT_EQUAL(f.result->classes.suppressed, 0);
    CU_ASSERT_EQUAL(f.result->classes.count, 2);
    CU_ASSERT_FALSE(f.result->satisfied);
    rechecked_clear(&f);
}

static void nothing_but_suppressed_rows(void)
{
    struct rechecked f;

    rechecked_illness(&f);
    rechecked_k(&f, 5);
    rechecked_l(&f, MODEL_RECURSIVE_CL_DIVERSITY, 2, 2)->c = 3;
    CU_ASSERT_EQUAL_FATAL(
        rechecked_text(&f, RECHECKED_HEADER "*,*,cold\n*,*,flu\n"), OK);
    CU_ASSERT_EQUAL(f.result->classes.count, 0);
    CU_ASSERT_EQUAL(f.result->classes.suppressed, 2);
    CU_ASSERT_EQUAL(f.result->classes.risk_highest, 0.0);
    CU_ASSERT_TRUE(isnan(f.result->criterion[0].value));
    CU_ASSERT_TRUE(isnan(f.result->criterion[1].value));
    CU_ASSERT_EQUAL(f.result->diversity[0].distinct_l, 0);
    CU_ASSERT_TRUE(f.result->satisfied);
    rechecked_clear(&f);
}

static void without_quasi_identifiers_one_class(void)
{
    struct rechecked f;

    rechecked_init(&f);
    rechecked_attribute(&f, "illness", ROLE_SENSITIVE);
    rechecked_k(&f, 3);
    CU_ASSERT_EQUAL_FATAL(rechecked_text(&f, "illness\ncold\nflu\ncold\n"), OK);
    CU_ASSERT_EQUAL(f.result->classes.count, 1);
    CU_ASSERT_EQUAL(f.result->classes.min, 3);
    CU_ASSERT_EQUAL(f.result->classes.suppressed, 0);
    CU_ASSERT_TRUE(f.result->satisfied);
    rechecked_clear(&f);
}

static void missing_tokens_are_one_value(void)
{
    static char *tokens[] = {"", "?", "NA", "*"};
    struct rechecked f;

    rechecked_illness(&f);
    f.policy.missing = tokens;
    f.policy.missing_count = 3;
    rechecked_k(&f, 1);
    CU_ASSERT_EQUAL_FATAL(
        rechecked_text(&f, RECHECKED_HEADER
                       "?,f,NA\nNA,f,?\n,f,\n?,f,NAN\nNA,m,\n"),
        OK);
    CU_ASSERT_EQUAL(f.result->classes.count, 2);
    CU_ASSERT_EQUAL(f.result->classes.max, 4);
    CU_ASSERT_EQUAL(f.result->diversity[0].alpha, 1.0); /* the class of m */
    recheck_destroy(&f.result);

    f.policy.missing_count = 0;
    CU_ASSERT_EQUAL_FATAL(
        rechecked_text(&f, RECHECKED_HEADER "?,f,a\nNA,f,a\n,f,a\n"), OK);
    CU_ASSERT_EQUAL(f.result->classes.count, 3);
    recheck_destroy(&f.result);

    /* Taken away is not missing, even where the policy calls `*` missing. */
    f.policy.missing_count = 4;
    CU_ASSERT_EQUAL_FATAL(
        rechecked_text(&f, RECHECKED_HEADER "?,?,a\n*,*,a\n*,?,*\n"), OK);
    CU_ASSERT_EQUAL(f.result->classes.suppressed, 1);
    CU_ASSERT_EQUAL(f.result->classes.count, 2);
    rechecked_clear(&f);
}

static void cells_are_compared_exactly(void)
{
    struct rechecked f;

    rechecked_illness(&f);
    rechecked_k(&f, 1);
    CU_ASSERT_EQUAL_FATAL(rechecked_text(&f, RECHECKED_HEADER
                                         "1,f,a\n01,f,a\n1,F,a\n1,f ,a\n"
                                         "\"1\",\"f\",a\n"),
                          OK);
    CU_ASSERT_EQUAL(f.result->classes.count, 4);
    CU_ASSERT_EQUAL(f.result->classes.max, 2); /* quotes are no content */
    rechecked_clear(&f);
}

/* Row i has zip i mod 50,000 and illness i / 50,000: 50,000 classes of 4 rows
 * with 4 values each.  The table fills several blocks, its dictionary grows
 * from the first to the last of the first 50,000 rows. */
static void large_table_over_several_blocks(void)
{
    struct rechecked f;
    struct text text;
    struct error err;

    rechecked_illness(&f);
    rechecked_k(&f, 4);
    rechecked_l(&f, MODEL_DISTINCT_L_DIVERSITY, 2, 4);
    text_init(&text);
    CU_ASSERT_EQUAL_FATAL(text_append_string(&text, RECHECKED_HEADER, &err),
                          OK);
    for (int i = 0; i < 200000; i++)
        CU_ASSERT_EQUAL_FATAL(
            text_printf(&text, &err, "%d,f,illness-%d\n", i % 50000, i / 50000),
            OK);
    CU_ASSERT_EQUAL_FATAL(rechecked_bytes(&f, text_bytes(&text)), OK);
    CU_ASSERT_EQUAL(f.result->classes.rows, 200000);
    CU_ASSERT_EQUAL(f.result->classes.count, 50000);
    CU_ASSERT_EQUAL(f.result->classes.min, 4);
    CU_ASSERT_EQUAL(f.result->classes.max, 4);
    CU_ASSERT_EQUAL(f.result->diversity[0].distinct_l, 4);
    CU_ASSERT_EQUAL(f.result->diversity[0].alpha, 0.25);
    CU_ASSERT_TRUE(f.result->satisfied);
    text_clear(&text);
    rechecked_clear(&f);
}

/* ---- columns, limits, refusals ---- */

static void limit_is_cut_off_after_a_double_product(void)
{
    struct rechecked f;
    struct text text;
    struct error err;

    rechecked_illness(&f);
    rechecked_k(&f, 1);
    f.policy.suppression_limit = 0.29; /* 0.29 * 100 = 28.999999999999996 */
    text_init(&text);
    CU_ASSERT_EQUAL_FATAL(text_append_string(&text, RECHECKED_HEADER, &err),
                          OK);
    for (int i = 0; i < 100; i++)
        CU_ASSERT_EQUAL_FATAL(
            text_append_string(&text, i < 29 ? "*,*,a\n" : "1,f,a\n", &err),
            OK);
    CU_ASSERT_EQUAL_FATAL(rechecked_bytes(&f, text_bytes(&text)), OK);
    CU_ASSERT_EQUAL(f.result->suppressed_max, 28);
    CU_ASSERT_EQUAL(f.result->classes.suppressed, 29);
    CU_ASSERT_TRUE(f.result->criterion[0].satisfied);
    CU_ASSERT_FALSE(f.result->satisfied);
    recheck_destroy(&f.result);

    f.policy.suppression_limit = 0.295;
    CU_ASSERT_EQUAL_FATAL(rechecked_bytes(&f, text_bytes(&text)), OK);
    CU_ASSERT_EQUAL(f.result->suppressed_max, 29);
    CU_ASSERT_TRUE(f.result->satisfied);
    text_clear(&text);
    rechecked_clear(&f);
}

static void columns_that_must_go_are_named(void)
{
    struct rechecked f;

    rechecked_illness(&f);
    rechecked_attribute(&f, "patient", ROLE_SUBJECT);
    rechecked_attribute(&f, "name", ROLE_IDENTIFYING);
    rechecked_k(&f, 1);
    CU_ASSERT_EQUAL_FATAL(rechecked_text(&f, RECHECKED_HEADER "1,f,a\n"), OK);
    CU_ASSERT_EQUAL(f.result->unremoved_count, 0);
    CU_ASSERT_TRUE(f.result->satisfied);
    recheck_destroy(&f.result);

    CU_ASSERT_EQUAL_FATAL(
        rechecked_text(&f, "name,zip,sex,patient,illness\nAda,1,f,7,a\n"), OK);
    CU_ASSERT_EQUAL_FATAL(f.result->unremoved_count, 2);
    CU_ASSERT_STRING_EQUAL(f.result->unremoved[0], "name");
    CU_ASSERT_STRING_EQUAL(f.result->unremoved[1], "patient");
    CU_ASSERT_FALSE(f.result->satisfied);
    rechecked_clear(&f);
}

static void unlisted_columns_are_removed_or_refused(void)
{
    struct rechecked f;

    rechecked_illness(&f);
    rechecked_k(&f, 1);
    CU_ASSERT_EQUAL(rechecked_text(&f, "zip,sex,illness,note\n1,f,a,x\n"),
                    E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(f.err.text, "table.csv: line 1: the policy does not name"));
    CU_ASSERT_PTR_NOT_NULL(strstr(f.err.text, "note"));
    CU_ASSERT_PTR_NULL(f.result);

    f.policy.unlisted_remove = true;
    CU_ASSERT_EQUAL_FATAL(rechecked_text(&f, "zip,sex,illness,note\n1,f,a,x\n"),
                          OK);
    CU_ASSERT_EQUAL_FATAL(f.result->unremoved_count, 1);
    CU_ASSERT_STRING_EQUAL(f.result->unremoved[0], "note");
    CU_ASSERT_FALSE(f.result->satisfied);
    rechecked_clear(&f);
}

static void missing_columns_are_refused(void)
{
    static const struct {
        const char *text, *column;
    } cases[] = {
        {"sex,illness,ward\nf,a,w\n", "zip"},
        {"zip,sex,ward\n1,f,w\n", "illness"},
        {"zip,sex,illness\n1,f,a\n", "ward"},
    };
    struct rechecked f;

    rechecked_illness(&f);
    rechecked_attribute(&f, "ward", ROLE_INSENSITIVE);
    rechecked_k(&f, 1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CU_ASSERT_EQUAL(rechecked_text(&f, cases[i].text), E_INPUT);
        CU_ASSERT_PTR_NOT_NULL(strstr(f.err.text, "there is no column"));
        CU_ASSERT_PTR_NOT_NULL(strstr(f.err.text, cases[i].column));
        CU_ASSERT_PTR_NULL(f.result);
    }
    rechecked_clear(&f);
}

/* The first line may be a record: its cells must not be in the error. */
static void table_without_header_is_refused_without_its_values(void)
{
    struct rechecked f;

    rechecked_illness(&f);
    rechecked_k(&f, 1);
    CU_ASSERT_EQUAL(rechecked_text(&f, "47111,f,leprosy\n47112,m,flu\n"),
                    E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(f.err.text, "line 1"));
    CU_ASSERT_PTR_NULL(strstr(f.err.text, "47111"));
    CU_ASSERT_PTR_NULL(strstr(f.err.text, "leprosy"));
    rechecked_clear(&f);
}

static void table_without_rows_is_refused(void)
{
    struct rechecked f;

    rechecked_illness(&f);
    rechecked_k(&f, 1);
    CU_ASSERT_EQUAL(rechecked_text(&f, RECHECKED_HEADER), E_INPUT);
    CU_ASSERT_STRING_EQUAL(f.err.text, "table.csv: no rows behind the header");
    CU_ASSERT_EQUAL(rechecked_text(&f, ""), E_INPUT);
    CU_ASSERT_PTR_NULL(f.result);
    rechecked_clear(&f);
}

static void damaged_row_is_refused_with_its_line(void)
{
    struct rechecked f;

    rechecked_illness(&f);
    rechecked_k(&f, 1);
    CU_ASSERT_EQUAL(rechecked_text(&f, RECHECKED_HEADER "1,f,a\n1,f\n"),
                    E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(f.err.text, "line 3"));
    CU_ASSERT_PTR_NULL(f.result);
    rechecked_clear(&f);
}

static void cancelled_count_ends(void)
{
    struct rechecked f;
    atomic_bool cancel = true;
    int fd = rechecked_open(bytes_of_string(RECHECKED_HEADER "1,f,a\n"));

    rechecked_illness(&f);
    rechecked_k(&f, 1);
    CU_ASSERT_EQUAL(
        recheck_table(&f.result, &f.policy, fd, "table.csv", &cancel, &f.err),
        E_CANCELLED);
    CU_ASSERT_PTR_NULL(f.result);
    close(fd);
    rechecked_clear(&f);
}

void suite_recheck(void)
{
    static const struct test tests[] = {
        {"classes are rows with equal quasi-identifiers", counts_classes},
        {"a class of k rows is enough", k_rows_are_enough},
        {"suppressed rows are in no class", suppressed_rows_are_in_no_class},
        {"a row that is half suppressed is in a class", half_a_star_is_a_class},
        {"a table of suppressed rows has no figures",
         nothing_but_suppressed_rows},
        {"without quasi-identifiers all rows are one class",
         without_quasi_identifiers_one_class},
        {"all tokens of table.missing are one value",
         missing_tokens_are_one_value},
        {"cells are compared byte by byte", cells_are_compared_exactly},
        {"a table of several blocks is counted as one",
         large_table_over_several_blocks},
        {"the suppression limit is a double product, cut off",
         limit_is_cut_off_after_a_double_product},
        {"a table with identifying columns does not satisfy",
         columns_that_must_go_are_named},
        {"unlisted columns are removed or refused",
         unlisted_columns_are_removed_or_refused},
        {"a column that the table lacks is refused",
         missing_columns_are_refused},
        {"a table without header is refused without its values",
         table_without_header_is_refused_without_its_values},
        {"a table without rows is refused", table_without_rows_is_refused},
        {"a damaged row is refused with its line",
         damaged_row_is_refused_with_its_line},
        {"a cancelled count ends", cancelled_count_ends},
    };

    suite_add("recheck", tests, sizeof tests / sizeof tests[0]);
}
