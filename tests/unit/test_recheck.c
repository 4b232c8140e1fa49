#include "anonymizer/recheck.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "anonymizer/hierarchy.h"
#include "anonymizer/recheck_sort.h"
#include "common/number.h"
#include "common/random.h"
#include "common/text.h"
#include "tests/lib/suite.h"

void suite_recheck(void);

/* ---- a policy by hand, a table from a string ---- */

#define ATTRIBUTES_MAX 8
#define CRITERIA_OF_TEST_MAX 8

struct fixture {
    struct policy policy;
    struct policy_attribute attribute[ATTRIBUTES_MAX];
    struct privacy_criterion criterion[CRITERIA_OF_TEST_MAX];
    struct recheck_result *result;
    struct error err;
};

static void fixture_init(struct fixture *fixture)
{
    memset(fixture, 0, sizeof *fixture);
    fixture->policy.path = "by hand";
    fixture->policy.name = "";
    fixture->policy.attribute = fixture->attribute;
    fixture->policy.criterion = fixture->criterion;
    fixture->policy.suppression_limit = 1;
    error_init(&fixture->err);
}

static void fixture_clear(struct fixture *fixture)
{
    recheck_destroy(&fixture->result);
    for (size_t i = 0; i < fixture->policy.attribute_count; i++)
        hierarchy_close(&fixture->attribute[i].hierarchy);
}

static struct policy_attribute *add_attribute(struct fixture *fixture,
                                              char *name, enum role role)
{
    struct policy_attribute *attribute =
        &fixture->attribute[fixture->policy.attribute_count++];

    attribute->name = name;
    attribute->role = role;
    attribute->level_max = LEVEL_UNLIMITED;
    attribute->weight = 1;
    return attribute;
}

static void add_k(struct fixture *fixture, uint32_t k)
{
    fixture->criterion[fixture->policy.criterion_count++] =
        (struct privacy_criterion){
            .model = MODEL_K_ANONYMITY, .attribute = NO_ATTRIBUTE, .k = k};
}

static struct privacy_criterion *add_l(struct fixture *fixture,
                                       enum privacy_model model,
                                       size_t attribute, double l)
{
    struct privacy_criterion *criterion =
        &fixture->criterion[fixture->policy.criterion_count++];

    criterion->model = model;
    criterion->attribute = attribute;
    criterion->l = l;
    return criterion;
}

static int table_of(struct bytes text)
{
    FILE *file = tmpfile();
    int fd;

    if (file == NULL || fwrite(text.data, 1, text.size, file) != text.size ||
        fflush(file) != 0)
        abort();
    fd = dup(fileno(file));
    fclose(file);
    if (fd < 0 || lseek(fd, 0, SEEK_SET) != 0)
        abort();
    return fd;
}

static enum status check_bytes(struct fixture *fixture, struct bytes text)
{
    int fd = table_of(text);
    enum status status = recheck_table(&fixture->result, &fixture->policy, fd,
                                       "table.csv", NULL, &fixture->err);

    close(fd);
    return status;
}

static enum status check(struct fixture *fixture, const char *text)
{
    return check_bytes(fixture, bytes_of_string(text));
}

static bool near(double a, double b)
{
    return fabs(a - b) <= 1e-12 * fmax(1, fabs(b));
}

/* Attribute 0 `zip`, 1 `sex` are quasi-identifiers, 2 `illness` is
 * sensitive. */
static void zip_sex_illness(struct fixture *fixture)
{
    fixture_init(fixture);
    add_attribute(fixture, "zip", ROLE_QUASI_IDENTIFYING);
    add_attribute(fixture, "sex", ROLE_QUASI_IDENTIFYING);
    add_attribute(fixture, "illness", ROLE_SENSITIVE);
}

#define HEADER "zip,sex,illness\n"

/* ---- classes ---- */

static void counts_classes(void)
{
    struct fixture f;
    const struct class_figures *classes;

    zip_sex_illness(&f);
    add_k(&f, 2);
    CU_ASSERT_EQUAL_FATAL(check(&f, HEADER "1,f,cold\n"
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
    fixture_clear(&f);
}

static void k_rows_are_enough(void)
{
    struct fixture f;

    zip_sex_illness(&f);
    add_k(&f, 2);
    CU_ASSERT_EQUAL_FATAL(
        check(&f, HEADER "1,f,cold\n2,m,cold\n1,f,flu\n2,m,flu\n"), OK);
    CU_ASSERT_TRUE(f.result->satisfied);
    CU_ASSERT_EQUAL(f.result->criterion[0].value, 2.0);
    fixture_clear(&f);
}

static void suppressed_rows_are_in_no_class(void)
{
    struct fixture f;

    zip_sex_illness(&f);
    add_k(&f, 2);
    add_l(&f, MODEL_DISTINCT_L_DIVERSITY, 2, 2);
    CU_ASSERT_EQUAL_FATAL(check(&f, HEADER "1,f,cold\n*,*,cold\n1,f,flu\n"),
                          OK);
    CU_ASSERT_EQUAL(f.result->classes.rows, 3);
    CU_ASSERT_EQUAL(f.result->classes.suppressed, 1);
    CU_ASSERT_EQUAL(f.result->classes.count, 1);
    CU_ASSERT_EQUAL(f.result->classes.min, 2);
    CU_ASSERT_TRUE(f.result->satisfied);
    fixture_clear(&f);
}

static void half_a_star_is_a_class(void)
{
    struct fixture f;

    zip_sex_illness(&f);
    add_k(&f, 2);
    CU_ASSERT_EQUAL_FATAL(check(&f, HEADER "1,f,cold\n*,f,cold\n1,f,flu\n"),
                          OK);
    CU_ASSERT_EQUAL(f.result->classes.suppressed, 0);
    CU_ASSERT_EQUAL(f.result->classes.count, 2);
    CU_ASSERT_FALSE(f.result->satisfied);
    fixture_clear(&f);
}

static void nothing_but_suppressed_rows(void)
{
    struct fixture f;

    zip_sex_illness(&f);
    add_k(&f, 5);
    add_l(&f, MODEL_RECURSIVE_CL_DIVERSITY, 2, 2)->c = 3;
    CU_ASSERT_EQUAL_FATAL(check(&f, HEADER "*,*,cold\n*,*,flu\n"), OK);
    CU_ASSERT_EQUAL(f.result->classes.count, 0);
    CU_ASSERT_EQUAL(f.result->classes.suppressed, 2);
    CU_ASSERT_EQUAL(f.result->classes.risk_highest, 0.0);
    CU_ASSERT_TRUE(isnan(f.result->criterion[0].value));
    CU_ASSERT_TRUE(isnan(f.result->criterion[1].value));
    CU_ASSERT_EQUAL(f.result->diversity[0].distinct_l, 0);
    CU_ASSERT_TRUE(f.result->satisfied);
    fixture_clear(&f);
}

static void without_quasi_identifiers_one_class(void)
{
    struct fixture f;

    fixture_init(&f);
    add_attribute(&f, "illness", ROLE_SENSITIVE);
    add_k(&f, 3);
    CU_ASSERT_EQUAL_FATAL(check(&f, "illness\ncold\nflu\ncold\n"), OK);
    CU_ASSERT_EQUAL(f.result->classes.count, 1);
    CU_ASSERT_EQUAL(f.result->classes.min, 3);
    CU_ASSERT_EQUAL(f.result->classes.suppressed, 0);
    CU_ASSERT_TRUE(f.result->satisfied);
    fixture_clear(&f);
}

static void missing_tokens_are_one_value(void)
{
    static char *tokens[] = {"", "?", "NA", "*"};
    struct fixture f;

    zip_sex_illness(&f);
    f.policy.missing = tokens;
    f.policy.missing_count = 3;
    add_k(&f, 1);
    CU_ASSERT_EQUAL_FATAL(
        check(&f, HEADER "?,f,NA\nNA,f,?\n,f,\n?,f,NAN\nNA,m,\n"), OK);
    CU_ASSERT_EQUAL(f.result->classes.count, 2);
    CU_ASSERT_EQUAL(f.result->classes.max, 4);
    CU_ASSERT_EQUAL(f.result->diversity[0].alpha, 1.0); /* the class of m */
    recheck_destroy(&f.result);

    f.policy.missing_count = 0;
    CU_ASSERT_EQUAL_FATAL(check(&f, HEADER "?,f,a\nNA,f,a\n,f,a\n"), OK);
    CU_ASSERT_EQUAL(f.result->classes.count, 3);
    recheck_destroy(&f.result);

    /* Taken away is not missing, even where the policy calls `*` missing. */
    f.policy.missing_count = 4;
    CU_ASSERT_EQUAL_FATAL(check(&f, HEADER "?,?,a\n*,*,a\n*,?,*\n"), OK);
    CU_ASSERT_EQUAL(f.result->classes.suppressed, 1);
    CU_ASSERT_EQUAL(f.result->classes.count, 2);
    fixture_clear(&f);
}

static void cells_are_compared_exactly(void)
{
    struct fixture f;

    zip_sex_illness(&f);
    add_k(&f, 1);
    CU_ASSERT_EQUAL_FATAL(check(&f, HEADER "1,f,a\n01,f,a\n1,F,a\n1,f ,a\n"
                                           "\"1\",\"f\",a\n"),
                          OK);
    CU_ASSERT_EQUAL(f.result->classes.count, 4);
    CU_ASSERT_EQUAL(f.result->classes.max, 2); /* quotes are no content */
    fixture_clear(&f);
}

/* Row i has zip i mod 50,000 and illness i / 50,000: 50,000 classes of 4 rows
 * with 4 values each.  The table fills several blocks, its dictionary grows
 * from the first to the last of the first 50,000 rows. */
static void large_table_over_several_blocks(void)
{
    struct fixture f;
    struct text text;
    struct error err;

    zip_sex_illness(&f);
    add_k(&f, 4);
    add_l(&f, MODEL_DISTINCT_L_DIVERSITY, 2, 4);
    text_init(&text);
    CU_ASSERT_EQUAL_FATAL(text_append_string(&text, HEADER, &err), OK);
    for (int i = 0; i < 200000; i++)
        CU_ASSERT_EQUAL_FATAL(
            text_printf(&text, &err, "%d,f,illness-%d\n", i % 50000, i / 50000),
            OK);
    CU_ASSERT_EQUAL_FATAL(check_bytes(&f, text_bytes(&text)), OK);
    CU_ASSERT_EQUAL(f.result->classes.rows, 200000);
    CU_ASSERT_EQUAL(f.result->classes.count, 50000);
    CU_ASSERT_EQUAL(f.result->classes.min, 4);
    CU_ASSERT_EQUAL(f.result->classes.max, 4);
    CU_ASSERT_EQUAL(f.result->diversity[0].distinct_l, 4);
    CU_ASSERT_EQUAL(f.result->diversity[0].alpha, 0.25);
    CU_ASSERT_TRUE(f.result->satisfied);
    text_clear(&text);
    fixture_clear(&f);
}

/* ---- diversity ---- */

/* One class with the counts 2, 1, 1: H = 1.5 ln 2. */
static void figures_of_one_class(void)
{
    struct fixture f;
    const struct diversity_figures *figures;

    zip_sex_illness(&f);
    add_k(&f, 1);
    CU_ASSERT_EQUAL_FATAL(
        check(&f, HEADER "1,f,flu\n1,f,cold\n1,f,gout\n1,f,cold\n"), OK);
    CU_ASSERT_EQUAL_FATAL(f.result->diversity_count, 1);
    figures = &f.result->diversity[0];
    CU_ASSERT_EQUAL(figures->attribute, 2);
    CU_ASSERT_EQUAL(figures->distinct_l, 3);
    CU_ASSERT(near(figures->entropy_l, 2.8284271247461903));
    CU_ASSERT_EQUAL(figures->alpha, 0.5);
    CU_ASSERT_EQUAL(figures->recursive_c[2], 1.0); /* 2 / (1 + 1) */
    CU_ASSERT_EQUAL(figures->recursive_c[3], 2.0); /* 2 / 1 */
    fixture_clear(&f);
}

/* Classes 3,1 (zip 1) and 2,2,2 (zip 2): each figure of the worse one. */
static void figures_are_of_the_worst_class(void)
{
    struct fixture f;
    const struct diversity_figures *figures;

    zip_sex_illness(&f);
    add_k(&f, 1);
    CU_ASSERT_EQUAL_FATAL(check(&f, HEADER "2,f,a\n2,f,b\n2,f,c\n"
                                           "2,f,a\n2,f,b\n2,f,c\n"
                                           "1,f,a\n1,f,a\n1,f,b\n1,f,a\n"),
                          OK);
    figures = &f.result->diversity[0];
    CU_ASSERT_EQUAL(figures->distinct_l, 2);
    CU_ASSERT_EQUAL(figures->alpha, 0.75);
    CU_ASSERT_EQUAL(figures->recursive_c[2], 3.0);
    /* 4 / 27^(1/4), from H = ln 4 - (3/4) ln 3. */
    CU_ASSERT(near(figures->entropy_l, 1.7547653506033234));
    fixture_clear(&f);
}

/* Column 2 has 2 values in the class, column 3 has 3. */
static void sensitive_attributes_are_counted_apart(void)
{
    struct fixture f;

    zip_sex_illness(&f);
    add_attribute(&f, "drug", ROLE_SENSITIVE);
    add_l(&f, MODEL_DISTINCT_L_DIVERSITY, 2, 3);
    add_l(&f, MODEL_DISTINCT_L_DIVERSITY, 3, 3);
    CU_ASSERT_EQUAL_FATAL(check(&f, "drug,zip,sex,illness\n"
                                    "x,1,f,a\ny,1,f,a\nz,1,f,b\nx,1,f,b\n"
                                    "x,1,f,a\n"),
                          OK);
    CU_ASSERT_EQUAL_FATAL(f.result->diversity_count, 2);
    CU_ASSERT_EQUAL(f.result->diversity[0].distinct_l, 2);
    CU_ASSERT_EQUAL(f.result->diversity[0].alpha, 0.6);
    CU_ASSERT_EQUAL(f.result->diversity[1].distinct_l, 3);
    CU_ASSERT_EQUAL(f.result->diversity[1].alpha, 0.6);
    CU_ASSERT_EQUAL(f.result->diversity[1].recursive_c[3], 3.0);
    CU_ASSERT_FALSE(f.result->criterion[0].satisfied);
    CU_ASSERT_TRUE(f.result->criterion[1].satisfied);
    fixture_clear(&f);
}

/* Does a class with these counts satisfy the criterion?  *value is its own. */
static bool holds(enum privacy_model model, double l, double c,
                  enum entropy_estimator estimator, const unsigned *count,
                  size_t values, double *value)
{
    struct fixture f;
    struct text text;
    struct error err;
    struct privacy_criterion *criterion;
    bool satisfied;

    zip_sex_illness(&f);
    criterion = add_l(&f, model, 2, l);
    criterion->c = c;
    criterion->estimator = estimator;
    text_init(&text);
    CU_ASSERT_EQUAL_FATAL(text_append_string(&text, HEADER, &err), OK);
    for (size_t i = 0; i < values; i++)
        for (unsigned j = 0; j < count[i]; j++)
            CU_ASSERT_EQUAL_FATAL(text_printf(&text, &err, "1,f,%zu\n", i), OK);
    CU_ASSERT_EQUAL_FATAL(check_bytes(&f, text_bytes(&text)), OK);
    satisfied = f.result->satisfied;
    CU_ASSERT_EQUAL(satisfied, f.result->criterion[0].violating == 0);
    *value = f.result->criterion[0].value;
    text_clear(&text);
    fixture_clear(&f);
    return satisfied;
}

#define COUNTS(...)                                                            \
    (const unsigned[]){__VA_ARGS__},                                           \
        sizeof((const unsigned[]){__VA_ARGS__}) / sizeof(unsigned)

static void distinct_l_is_rounded_up(void)
{
    enum privacy_model model = MODEL_DISTINCT_L_DIVERSITY;
    double value;

    CU_ASSERT_TRUE(holds(model, 2, 0, ESTIMATOR_SHANNON, COUNTS(5, 1), &value));
    CU_ASSERT_EQUAL(value, 2.0);
    CU_ASSERT_FALSE(
        holds(model, 2.5, 0, ESTIMATOR_SHANNON, COUNTS(5, 1), &value));
    CU_ASSERT_TRUE(
        holds(model, 2.5, 0, ESTIMATOR_SHANNON, COUNTS(5, 1, 1), &value));
}

static void equal_counts_are_on_the_border_of_entropy_l(void)
{
    enum privacy_model model = MODEL_ENTROPY_L_DIVERSITY;
    double value;

    CU_ASSERT_TRUE(holds(model, 2, 0, ESTIMATOR_SHANNON, COUNTS(1, 1), &value));
    CU_ASSERT(near(value, 2.0));
    CU_ASSERT_TRUE(holds(model, 2, 0, ESTIMATOR_SHANNON, COUNTS(2, 2), &value));
    CU_ASSERT_TRUE(holds(model, 1, 0, ESTIMATOR_SHANNON, COUNTS(7), &value));
    CU_ASSERT_FALSE(
        holds(model, 2, 0, ESTIMATOR_SHANNON, COUNTS(3, 2), &value));
    /* 5 / (27 * 4)^(1/5) */
    CU_ASSERT(near(value, 1.960131704207789));
}

/* 2, 1, 1 has exp(H) = 2.83 but only three values. */
static void entropy_l_needs_as_many_values(void)
{
    enum privacy_model model = MODEL_ENTROPY_L_DIVERSITY;
    double value;

    CU_ASSERT_TRUE(
        holds(model, 2.8, 0, ESTIMATOR_SHANNON, COUNTS(2, 1, 1), &value));
    CU_ASSERT_FALSE(
        holds(model, 2.9, 0, ESTIMATOR_SHANNON, COUNTS(2, 1, 1), &value));
    /* Grassberger's estimate of two single values is exp(2), see below. */
    CU_ASSERT_FALSE(
        holds(model, 2.1, 0, ESTIMATOR_GRASSBERGER, COUNTS(1, 1), &value));
}

/* G(2) - G(1) = 2, and G(3) = G(2): counts 1, 1 give exp(2); counts 2, 1 give
 * G(2) - (2 G(2) + G(1)) / 3 = 2/3. */
static void grassberger_of_small_counts(void)
{
    enum privacy_model model = MODEL_ENTROPY_L_DIVERSITY;
    double value;

    CU_ASSERT_TRUE(
        holds(model, 2, 0, ESTIMATOR_GRASSBERGER, COUNTS(1, 1), &value));
    CU_ASSERT(near(value, 7.3890560989306502));
    CU_ASSERT_TRUE(
        holds(model, 1.9, 0, ESTIMATOR_GRASSBERGER, COUNTS(2, 1), &value));
    CU_ASSERT(near(value, 1.9477340410546757));
    CU_ASSERT_FALSE(
        holds(model, 1.95, 0, ESTIMATOR_GRASSBERGER, COUNTS(2, 1), &value));
}

/* Counts 100, 100: G(200) - G(100) is the sum of 2 / (2i + 1), i = 50..99, by
 * the recurrence.  Counts 101 and 102 are beyond the exact table. */
static void grassberger_of_large_counts(void)
{
    enum privacy_model model = MODEL_ENTROPY_L_DIVERSITY;
    double value, sum = 0, more;

    for (int i = 50; i < 100; i++)
        sum += 2.0 / (2 * i + 1);
    CU_ASSERT_FALSE(
        holds(model, 2, 0, ESTIMATOR_GRASSBERGER, COUNTS(100, 100), &value));
    CU_ASSERT(fabs(value - exp(sum)) < 1e-9);

    /* G(101) = G(100), G(102) = G(100) + 2/101, G(203) = G(202). */
    more = sum + 2.0 / 201 -
           102.0 * (2.0 / 101) / 203; /* G(203) - (101 G(101) + ...) / 203 */
    CU_ASSERT_FALSE(
        holds(model, 2, 0, ESTIMATOR_GRASSBERGER, COUNTS(102, 101), &value));
    CU_ASSERT(fabs(value - exp(more)) < 1e-9);
}

static void recursive_is_strict(void)
{
    enum privacy_model model = MODEL_RECURSIVE_CL_DIVERSITY;
    double value;

    CU_ASSERT_FALSE(
        holds(model, 2, 1, ESTIMATOR_SHANNON, COUNTS(2, 1, 1), &value));
    CU_ASSERT_EQUAL(value, 1.0);
    CU_ASSERT_TRUE(
        holds(model, 2, 1.5, ESTIMATOR_SHANNON, COUNTS(1, 2, 1), &value));
    CU_ASSERT_TRUE(
        holds(model, 3, 2.5, ESTIMATOR_SHANNON, COUNTS(1, 1, 2), &value));
    CU_ASSERT_EQUAL(value, 2.0);
    CU_ASSERT_FALSE(
        holds(model, 4, 100, ESTIMATOR_SHANNON, COUNTS(2, 1, 1), &value));
    CU_ASSERT_TRUE(isnan(value));
    CU_ASSERT_TRUE(holds(model, 1, 1, ESTIMATOR_SHANNON, COUNTS(2, 1), &value));
    CU_ASSERT(near(value, 2.0 / 3.0));
}

/* ---- columns, limits, refusals ---- */

static void limit_is_cut_off_after_a_double_product(void)
{
    struct fixture f;
    struct text text;
    struct error err;

    zip_sex_illness(&f);
    add_k(&f, 1);
    f.policy.suppression_limit = 0.29; /* 0.29 * 100 = 28.999999999999996 */
    text_init(&text);
    CU_ASSERT_EQUAL_FATAL(text_append_string(&text, HEADER, &err), OK);
    for (int i = 0; i < 100; i++)
        CU_ASSERT_EQUAL_FATAL(
            text_append_string(&text, i < 29 ? "*,*,a\n" : "1,f,a\n", &err),
            OK);
    CU_ASSERT_EQUAL_FATAL(check_bytes(&f, text_bytes(&text)), OK);
    CU_ASSERT_EQUAL(f.result->suppressed_max, 28);
    CU_ASSERT_EQUAL(f.result->classes.suppressed, 29);
    CU_ASSERT_TRUE(f.result->criterion[0].satisfied);
    CU_ASSERT_FALSE(f.result->satisfied);
    recheck_destroy(&f.result);

    f.policy.suppression_limit = 0.295;
    CU_ASSERT_EQUAL_FATAL(check_bytes(&f, text_bytes(&text)), OK);
    CU_ASSERT_EQUAL(f.result->suppressed_max, 29);
    CU_ASSERT_TRUE(f.result->satisfied);
    text_clear(&text);
    fixture_clear(&f);
}

static void columns_that_must_go_are_named(void)
{
    struct fixture f;

    zip_sex_illness(&f);
    add_attribute(&f, "patient", ROLE_SUBJECT);
    add_attribute(&f, "name", ROLE_IDENTIFYING);
    add_k(&f, 1);
    CU_ASSERT_EQUAL_FATAL(check(&f, HEADER "1,f,a\n"), OK);
    CU_ASSERT_EQUAL(f.result->unremoved_count, 0);
    CU_ASSERT_TRUE(f.result->satisfied);
    recheck_destroy(&f.result);

    CU_ASSERT_EQUAL_FATAL(
        check(&f, "name,zip,sex,patient,illness\nAda,1,f,7,a\n"), OK);
    CU_ASSERT_EQUAL_FATAL(f.result->unremoved_count, 2);
    CU_ASSERT_STRING_EQUAL(f.result->unremoved[0], "name");
    CU_ASSERT_STRING_EQUAL(f.result->unremoved[1], "patient");
    CU_ASSERT_FALSE(f.result->satisfied);
    fixture_clear(&f);
}

static void unlisted_columns_are_removed_or_refused(void)
{
    struct fixture f;

    zip_sex_illness(&f);
    add_k(&f, 1);
    CU_ASSERT_EQUAL(check(&f, "zip,sex,illness,note\n1,f,a,x\n"), E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(f.err.text, "table.csv: line 1: the policy does not name"));
    CU_ASSERT_PTR_NOT_NULL(strstr(f.err.text, "note"));
    CU_ASSERT_PTR_NULL(f.result);

    f.policy.unlisted_remove = true;
    CU_ASSERT_EQUAL_FATAL(check(&f, "zip,sex,illness,note\n1,f,a,x\n"), OK);
    CU_ASSERT_EQUAL_FATAL(f.result->unremoved_count, 1);
    CU_ASSERT_STRING_EQUAL(f.result->unremoved[0], "note");
    CU_ASSERT_FALSE(f.result->satisfied);
    fixture_clear(&f);
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
    struct fixture f;

    zip_sex_illness(&f);
    add_attribute(&f, "ward", ROLE_INSENSITIVE);
    add_k(&f, 1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CU_ASSERT_EQUAL(check(&f, cases[i].text), E_INPUT);
        CU_ASSERT_PTR_NOT_NULL(strstr(f.err.text, "there is no column"));
        CU_ASSERT_PTR_NOT_NULL(strstr(f.err.text, cases[i].column));
        CU_ASSERT_PTR_NULL(f.result);
    }
    fixture_clear(&f);
}

/* The first line may be a record: its cells must not be in the error. */
static void table_without_header_is_refused_without_its_values(void)
{
    struct fixture f;

    zip_sex_illness(&f);
    add_k(&f, 1);
    CU_ASSERT_EQUAL(check(&f, "47111,f,leprosy\n47112,m,flu\n"), E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(f.err.text, "line 1"));
    CU_ASSERT_PTR_NULL(strstr(f.err.text, "47111"));
    CU_ASSERT_PTR_NULL(strstr(f.err.text, "leprosy"));
    fixture_clear(&f);
}

static void table_without_rows_is_refused(void)
{
    struct fixture f;

    zip_sex_illness(&f);
    add_k(&f, 1);
    CU_ASSERT_EQUAL(check(&f, HEADER), E_INPUT);
    CU_ASSERT_STRING_EQUAL(f.err.text, "table.csv: no rows behind the header");
    CU_ASSERT_EQUAL(check(&f, ""), E_INPUT);
    CU_ASSERT_PTR_NULL(f.result);
    fixture_clear(&f);
}

static void damaged_row_is_refused_with_its_line(void)
{
    struct fixture f;

    zip_sex_illness(&f);
    add_k(&f, 1);
    CU_ASSERT_EQUAL(check(&f, HEADER "1,f,a\n1,f\n"), E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(f.err.text, "line 3"));
    CU_ASSERT_PTR_NULL(f.result);
    fixture_clear(&f);
}

static void cancelled_count_ends(void)
{
    struct fixture f;
    atomic_bool cancel = true;
    int fd = table_of(bytes_of_string(HEADER "1,f,a\n"));

    zip_sex_illness(&f);
    add_k(&f, 1);
    CU_ASSERT_EQUAL(
        recheck_table(&f.result, &f.policy, fd, "table.csv", &cancel, &f.err),
        E_CANCELLED);
    CU_ASSERT_PTR_NULL(f.result);
    close(fd);
    fixture_clear(&f);
}

/* ---- a claim ---- */

#define ZIP_HIERARCHY "11;1*;**\n12;1*;**\n21;2*;**\n"
#define SEX_HIERARCHY "f;*\nm;*\n"

struct claimed {
    struct fixture f;
    uint32_t level[ATTRIBUTES_MAX];
    struct recheck_claim claim;
};

/* A release of 5 rows at levels 1 and 0, 1 row suppressed of at most 1. */
static void claimed_init(struct claimed *claimed)
{
    struct fixture *f = &claimed->f;

    zip_sex_illness(f);
    add_attribute(f, "patient", ROLE_SUBJECT);
    add_k(f, 2);
    f->policy.suppression_limit = 0.2;
    CU_ASSERT_EQUAL_FATAL(hierarchy_parse(&f->attribute[0].hierarchy,
                                          bytes_of_string(ZIP_HIERARCHY),
                                          "zip.csv", &f->err),
                          OK);
    CU_ASSERT_EQUAL_FATAL(hierarchy_parse(&f->attribute[1].hierarchy,
                                          bytes_of_string(SEX_HIERARCHY),
                                          "sex.csv", &f->err),
                          OK);
    memset(claimed->level, 0, sizeof claimed->level);
    claimed->level[0] = 1;
    claimed->claim = (struct recheck_claim){
        .rows = 5, .suppressed = 1, .level = claimed->level};
}

#define RELEASE HEADER "1*,f,a\n2*,m,b\n1*,f,b\n*,*,a\n2*,m,a\n"

static enum status release(struct claimed *claimed, const char *text)
{
    int fd = table_of(bytes_of_string(text));
    enum status status;

    recheck_destroy(&claimed->f.result);
    status =
        recheck_release(&claimed->f.result, &claimed->f.policy, fd,
                        "release.csv", &claimed->claim, NULL, &claimed->f.err);
    close(fd);
    return status;
}

/* It is refused, and the words are in the error. */
static void refused(struct claimed *claimed, const char *text,
                    const char *words)
{
    CU_ASSERT_EQUAL(release(claimed, text), E_SYSTEM);
    CU_ASSERT_PTR_NOT_NULL(strstr(claimed->f.err.text, "release.csv: "));
    CU_ASSERT_PTR_NOT_NULL(strstr(claimed->f.err.text, words));
    CU_ASSERT_PTR_NULL(claimed->f.result);
}

static void true_claim_is_borne_out(void)
{
    struct claimed c;

    claimed_init(&c);
    CU_ASSERT_EQUAL_FATAL(release(&c, RELEASE), OK);
    CU_ASSERT_TRUE(c.f.result->satisfied);
    CU_ASSERT_EQUAL(c.f.result->classes.count, 2);
    CU_ASSERT_EQUAL(c.f.result->classes.suppressed, 1);
    fixture_clear(&c.f);
}

static void wrong_row_counts_are_refused(void)
{
    struct claimed c;

    claimed_init(&c);
    c.claim.rows = 6;
    refused(&c, RELEASE, "5 rows, claimed are 6");
    c.claim.rows = 5;
    refused(&c, HEADER "1*,f,a\n1*,f,b\n*,*,a\n", "3 rows, claimed are 5");
    c.claim.suppressed = 0;
    refused(&c, RELEASE, "1 suppressed rows, claimed are 0");
    c.claim.suppressed = 2;
    refused(&c, RELEASE, "1 suppressed rows, claimed are 2");
    c.claim.suppressed = 6;
    refused(&c, RELEASE, "5 rows, claimed are 5");
    fixture_clear(&c.f);
}

static void too_many_suppressed_rows_are_refused(void)
{
    struct claimed c;

    claimed_init(&c);
    c.f.policy.suppression_limit = 0.19;
    refused(&c, RELEASE, "1 suppressed rows, the policy allows 0");
    fixture_clear(&c.f);
}

static void dropped_rows_are_counted_by_the_claim(void)
{
    struct claimed c;

    claimed_init(&c);
    c.f.policy.drop_suppressed = true;
    CU_ASSERT_EQUAL(release(&c, HEADER "1*,f,a\n2*,m,b\n1*,f,b\n2*,m,a\n"), OK);
    /* Nothing dropped. */
    refused(&c, RELEASE, "5 rows, claimed are 5 with 1 dropped");
    /* A released row dropped in place of the suppressed one. */
    refused(&c, HEADER "1*,f,a\n1*,f,b\n*,*,a\n2*,m,a\n",
            "1 suppressed rows, claimed are 0");
    /* The limit is of the input's rows, and dropped ones count. */
    c.f.policy.suppression_limit = 0.19;
    refused(&c, HEADER "1*,f,a\n2*,m,b\n1*,f,b\n2*,m,a\n",
            "1 suppressed rows, the policy allows 0");
    c.f.policy.suppression_limit = 1;
    c.claim.suppressed = 6;
    refused(&c, RELEASE, "claimed are 5 with 6 dropped");
    fixture_clear(&c.f);
}

static void released_identifiers_are_refused(void)
{
    struct claimed c;

    claimed_init(&c);
    refused(&c,
            "zip,sex,illness,patient\n1*,f,a,1\n2*,m,b,2\n1*,f,b,3\n"
            "*,*,a,4\n2*,m,a,5\n",
            "column patient is there");
    c.f.policy.unlisted_remove = true;
    refused(&c,
            "zip,note,sex,illness\n1*,x,f,a\n2*,x,m,b\n1*,x,f,b\n"
            "*,x,*,a\n2*,x,m,a\n",
            "column note is there");
    fixture_clear(&c.f);
}

static void impossible_levels_are_refused(void)
{
    struct claimed c;

    claimed_init(&c);
    c.level[0] = 3;
    refused(&c, RELEASE, "column zip: level 3 is claimed, there are 3 levels");
    c.level[0] = 1;
    c.f.attribute[0].level_max = 0;
    refused(&c, RELEASE, "column zip: level 1 is claimed, which the policy");
    c.f.attribute[0].level_max = 2;
    c.f.attribute[0].level_min = 2;
    refused(&c, RELEASE, "column zip: level 1 is claimed, which the policy");
    c.f.attribute[0].level_min = 1;
    CU_ASSERT_EQUAL(release(&c, RELEASE), OK);
    fixture_clear(&c.f);
}

static void cells_of_another_level_are_refused(void)
{
    struct claimed c;

    claimed_init(&c);
    c.level[0] = 0;
    refused(&c, RELEASE, "4 rows have a cell that is no label");
    CU_ASSERT_PTR_NOT_NULL(strstr(c.f.err.text, "column zip"));
    c.level[0] = 1;
    c.level[1] = 1;
    refused(&c, RELEASE, "column sex");
    c.level[1] = 0;
    /* Not of the hierarchy at all. */
    refused(&c, HEADER "1*,f,a\n3*,m,b\n1*,f,b\n*,*,a\n3*,m,a\n",
            "2 rows have a cell that is no label");
    /* One row left as it was: also no class of two. */
    refused(&c, HEADER "1*,f,a\n2*,m,b\n1*,f,b\n*,*,a\n21,m,a\n",
            "1 rows have a cell that is no label");
    fixture_clear(&c.f);
}

static void half_suppressed_rows_are_refused(void)
{
    struct claimed c;

    claimed_init(&c);
    refused(&c, HEADER "1*,*,a\n2*,m,b\n1*,*,b\n*,*,a\n2*,m,a\n",
            "2 rows have a cell that is no label");
    CU_ASSERT_PTR_NOT_NULL(strstr(c.f.err.text, "column sex"));
    /* Where * is the label of the level, it is right. */
    c.level[1] = 1;
    CU_ASSERT_EQUAL(release(&c, HEADER "1*,*,a\n2*,*,b\n1*,*,b\n*,*,a\n"
                                       "2*,*,a\n"),
                    OK);
    fixture_clear(&c.f);
}

static void missing_value_is_a_label_by_any_token(void)
{
    static char *tokens[] = {"NA", "?"};
    struct claimed c;

    claimed_init(&c);
    hierarchy_close(&c.f.attribute[1].hierarchy);
    CU_ASSERT_EQUAL_FATAL(hierarchy_parse(&c.f.attribute[1].hierarchy,
                                          bytes_of_string("f;*\n?;*\n"),
                                          "sex.csv", &c.f.err),
                          OK);
    c.f.policy.missing = tokens;
    c.f.policy.missing_count = 2;
    CU_ASSERT_EQUAL(release(&c, HEADER "1*,f,a\n2*,?,b\n1*,f,b\n*,*,a\n"
                                       "2*,NA,a\n"),
                    OK);
    c.f.policy.missing_count = 1;
    refused(&c, HEADER "1*,f,a\n2*,?,b\n1*,f,b\n*,*,a\n2*,NA,a\n",
            "1 rows have a cell that is no label");
    fixture_clear(&c.f);
}

static void attribute_without_hierarchy_has_two_levels(void)
{
    struct claimed c;

    claimed_init(&c);
    hierarchy_close(&c.f.attribute[1].hierarchy);
    CU_ASSERT_EQUAL(release(&c, HEADER "1*,x,a\n2*,y,b\n1*,x,b\n*,*,a\n"
                                       "2*,y,a\n"),
                    OK);
    c.level[1] = 1;
    refused(&c, HEADER "1*,x,a\n2*,*,b\n1*,x,b\n*,*,a\n2*,*,a\n",
            "2 rows have a cell that is no label");
    CU_ASSERT_EQUAL(release(&c, HEADER "1*,*,a\n2*,*,b\n1*,*,b\n*,*,a\n"
                                       "2*,*,a\n"),
                    OK);
    c.level[1] = 2;
    refused(&c, RELEASE, "column sex: level 2 is claimed, there are 2 levels");
    fixture_clear(&c.f);
}

static void broken_models_are_refused(void)
{
    struct claimed c;

    claimed_init(&c);
    c.f.criterion[0].k = 3;
    refused(&c, RELEASE, "2 classes break k-anonymity");
    c.f.criterion[0].k = 2;
    add_l(&c.f, MODEL_DISTINCT_L_DIVERSITY, 2, 2);
    CU_ASSERT_EQUAL(release(&c, RELEASE), OK);
    refused(&c, HEADER "1*,f,a\n2*,m,b\n1*,f,b\n*,*,a\n2*,m,b\n",
            "1 classes break distinct-l-diversity of illness");
    fixture_clear(&c.f);
}

/* ---- against counting by hand ---- */

#define SEED 20261120

/* Another seed comes from the environment, for longer runs. */
static void seed_random(struct random *random, const char *what)
{
    const char *given = getenv("ANCHORITE_TEST_SEED");
    uint64_t seed = SEED;

    if (given != NULL &&
        !number_parse_unsigned(bytes_of_string(given), 0, UINT64_MAX, &seed))
        abort();
    printf("%s: ANCHORITE_TEST_SEED=%" PRIu64 " ", what, seed);
    random_init(random, seed);
}

#define NAIVE_ROWS_MAX 40
#define NAIVE_COLUMNS 4 /* two quasi-identifiers, two sensitive ones */
#define NAIVE_VALUES 6

struct naive {
    unsigned cell[NAIVE_ROWS_MAX][NAIVE_COLUMNS]; /* 0: `*` in the first two */
    unsigned rows;
};

static void naive_fill(struct naive *table, struct random *random,
                       struct text *text)
{
    struct error err;
    unsigned values = 1 + (unsigned)random_below(random, NAIVE_VALUES);

    table->rows = 1 + (unsigned)random_below(random, NAIVE_ROWS_MAX);
    text_reset(text);
    CU_ASSERT_EQUAL_FATAL(text_append_string(text, "q,r,s,t\n", &err), OK);
    for (unsigned i = 0; i < table->rows; i++)
        for (unsigned j = 0; j < NAIVE_COLUMNS; j++) {
            unsigned value = (unsigned)random_below(
                random, j < 2 ? (values + 1) / 2 : values);

            table->cell[i][j] = value;
            CU_ASSERT_EQUAL_FATAL(
                j < 2 && value == 0
                    ? text_append_string(text, "*", &err)
                    : text_printf(text, &err, "value-%u", value),
                OK);
            CU_ASSERT_EQUAL_FATAL(
                text_append(text, j + 1 < NAIVE_COLUMNS ? "," : "\n", 1, &err),
                OK);
        }
}

static bool naive_same_class(const struct naive *table, unsigned a, unsigned b)
{
    return table->cell[a][0] == table->cell[b][0] &&
           table->cell[a][1] == table->cell[b][1];
}

static bool naive_is_suppressed(const struct naive *table, unsigned row)
{
    return table->cell[row][0] == 0 && table->cell[row][1] == 0;
}

/* The counts of column j in the class of a row, descending, 0s behind. */
static unsigned naive_counts(const struct naive *table, unsigned row,
                             unsigned column, unsigned count[NAIVE_VALUES])
{
    unsigned size = 0;

    memset(count, 0, NAIVE_VALUES * sizeof *count);
    for (unsigned i = 0; i < table->rows; i++)
        if (naive_same_class(table, row, i)) {
            count[table->cell[i][column]]++;
            size++;
        }
    for (unsigned i = 0; i < NAIVE_VALUES; i++)
        for (unsigned j = i + 1; j < NAIVE_VALUES; j++)
            if (count[j] > count[i]) {
                unsigned swap = count[i];

                count[i] = count[j];
                count[j] = swap;
            }
    return size;
}

/* Two to the entropy in bits: another way to the same number. */
static double naive_perplexity(const unsigned count[NAIVE_VALUES],
                               unsigned size)
{
    double bits = 0;

    for (unsigned i = 0; i < NAIVE_VALUES && count[i] > 0; i++) {
        double share = (double)count[i] / size;

        bits -= share * log2(share);
    }
    return exp2(bits);
}

/* r1 / (rl + ...), infinite with fewer than l values. */
static double naive_ratio(const unsigned count[NAIVE_VALUES], unsigned l)
{
    unsigned rest = 0;

    for (unsigned i = l - 1; i < NAIVE_VALUES; i++)
        rest += count[i];
    return rest == 0 ? INFINITY : (double)count[0] / rest;
}

struct naive_worst {
    unsigned distinct;
    double perplexity, share, ratio[NAIVE_VALUES + 1];
};

static struct naive_worst naive_diversity(const struct naive *table,
                                          unsigned column)
{
    struct naive_worst worst = {NAIVE_VALUES + 1, INFINITY, 0, {0}};

    for (unsigned row = 0; row < table->rows; row++) {
        unsigned count[NAIVE_VALUES], distinct = 0;
        unsigned size = naive_counts(table, row, column, count);

        if (naive_is_suppressed(table, row))
            continue;
        while (distinct < NAIVE_VALUES && count[distinct] > 0)
            distinct++;
        if (distinct < worst.distinct)
            worst.distinct = distinct;
        worst.perplexity =
            fmin(worst.perplexity, naive_perplexity(count, size));
        worst.share = fmax(worst.share, (double)count[0] / size);
        for (unsigned l = 2; l <= NAIVE_VALUES; l++)
            worst.ratio[l] = fmax(worst.ratio[l], naive_ratio(count, l));
    }
    return worst;
}

static void naive_compare_classes(const struct naive *table,
                                  const struct class_figures *classes)
{
    unsigned min = UINT32_MAX, max = 0, count = 0, suppressed = 0, uniques = 0;

    for (unsigned row = 0; row < table->rows; row++) {
        unsigned first = row, size = 0;

        if (naive_is_suppressed(table, row)) {
            suppressed++;
            continue;
        }
        for (unsigned i = 0; i < table->rows; i++)
            if (naive_same_class(table, row, i)) {
                size++;
                if (i < first)
                    first = i;
            }
        count += first == row;
        uniques += size == 1;
        min = size < min ? size : min;
        max = size > max ? size : max;
    }
    CU_ASSERT_EQUAL(classes->rows, table->rows);
    CU_ASSERT_EQUAL(classes->suppressed, suppressed);
    CU_ASSERT_EQUAL(classes->count, count);
    CU_ASSERT_EQUAL(classes->min, count > 0 ? min : 0);
    CU_ASSERT_EQUAL(classes->max, max);
    CU_ASSERT_EQUAL(classes->uniques, uniques);
}

static void naive_compare_diversity(const struct naive_worst *worst,
                                    const struct diversity_figures *figures)
{
    CU_ASSERT_EQUAL(figures->distinct_l, worst->distinct);
    CU_ASSERT(near(figures->entropy_l, worst->perplexity));
    CU_ASSERT(near(figures->alpha, worst->share));
    for (unsigned l = 2; l <= figures->distinct_l; l++)
        CU_ASSERT_EQUAL(figures->recursive_c[l], worst->ratio[l]);
}

/* The criteria are those of naive_policy.  Its l = 1.7 is no power of a ratio
 * of small counts, and c = 2.25 no quotient of them: nothing is on a border. */
static void naive_compare_criteria(const struct naive_worst *worst,
                                   const struct recheck_result *result)
{
    const struct criterion_figures *criterion = result->criterion;
    bool any = result->classes.count > 0;

    CU_ASSERT_EQUAL(criterion[0].satisfied, !any || result->classes.min >= 3);
    CU_ASSERT_EQUAL(criterion[1].satisfied, !any || worst[0].distinct >= 2);
    CU_ASSERT_EQUAL(criterion[2].satisfied, !any || worst[1].perplexity >= 1.7);
    CU_ASSERT_EQUAL(criterion[3].satisfied, !any || worst[1].ratio[3] < 2.25);
    CU_ASSERT_EQUAL(result->satisfied,
                    criterion[0].satisfied && criterion[1].satisfied &&
                        criterion[2].satisfied && criterion[3].satisfied);
    if (!any)
        return;
    CU_ASSERT_EQUAL(criterion[0].value, (double)result->classes.min);
    CU_ASSERT_EQUAL(criterion[1].value, (double)worst[0].distinct);
    CU_ASSERT(near(criterion[2].value, worst[1].perplexity));
    CU_ASSERT(isinf(worst[1].ratio[3])
                  ? isnan(criterion[3].value)
                  : criterion[3].value == worst[1].ratio[3]);
}

static void naive_policy(struct fixture *f)
{
    fixture_init(f);
    add_attribute(f, "s", ROLE_SENSITIVE);
    add_attribute(f, "q", ROLE_QUASI_IDENTIFYING);
    add_attribute(f, "t", ROLE_SENSITIVE);
    add_attribute(f, "r", ROLE_QUASI_IDENTIFYING);
    add_k(f, 3);
    add_l(f, MODEL_DISTINCT_L_DIVERSITY, 0, 2);
    add_l(f, MODEL_ENTROPY_L_DIVERSITY, 2, 1.7);
    add_l(f, MODEL_RECURSIVE_CL_DIVERSITY, 2, 3)->c = 2.25;
}

static void random_tables_agree_with_naive_counting(void)
{
    struct fixture f;
    struct text text;
    struct random random;

    seed_random(&random, "recheck");
    naive_policy(&f);
    text_init(&text);
    for (int round = 0; round < 2000; round++) {
        struct naive table;
        struct naive_worst worst[2];

        naive_fill(&table, &random, &text);
        CU_ASSERT_EQUAL_FATAL(check_bytes(&f, text_bytes(&text)), OK);
        worst[0] = naive_diversity(&table, 2);
        worst[1] = naive_diversity(&table, 3);
        naive_compare_classes(&table, &f.result->classes);
        for (size_t i = 0; f.result->classes.count > 0 && i < 2; i++)
            naive_compare_diversity(&worst[i], &f.result->diversity[i]);
        naive_compare_criteria(worst, f.result);
        recheck_destroy(&f.result);
    }
    text_clear(&text);
    fixture_clear(&f);
}

/* ---- sorting ---- */

#define WORDS_MAX 3

static size_t words_of_qsort;

static int compare_for_qsort(const void *a, const void *b)
{
    return recheck_compare(a, b, words_of_qsort);
}

/* Few values in some words make large groups of equals, many in others make
 * small ones. */
static void sorts_like_the_library(void)
{
    enum { COUNT_MAX = 3000 };
    static uint64_t record[COUNT_MAX * WORDS_MAX];
    static uint64_t spare[COUNT_MAX * WORDS_MAX];
    static uint64_t expected[COUNT_MAX * WORDS_MAX];
    struct random random;

    seed_random(&random, "recheck_sort");
    for (int round = 0; round < 200; round++) {
        size_t count = random_below(&random, COUNT_MAX);
        size_t words = 1 + random_below(&random, WORDS_MAX);

        for (size_t i = 0; i < count * words; i++)
            record[i] = random_below(&random, 2) != 0
                            ? random_below(&random, 3)
                            : random_next(&random) >> random_below(&random, 64);
        memcpy(expected, record, count * words * sizeof *record);
        words_of_qsort = words;
        qsort(expected, count, words * sizeof *expected, compare_for_qsort);
        recheck_sort(record, spare, count, words);
        CU_ASSERT_EQUAL_FATAL(
            memcmp(record, expected, count * words * sizeof *record), 0);
    }
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
        {"the figures of one class are those of its counts",
         figures_of_one_class},
        {"the figures of a table are those of its worst class",
         figures_are_of_the_worst_class},
        {"several sensitive attributes are counted apart",
         sensitive_attributes_are_counted_apart},
        {"distinct l is rounded up", distinct_l_is_rounded_up},
        {"equal counts satisfy entropy l of their number",
         equal_counts_are_on_the_border_of_entropy_l},
        {"entropy l needs at least l values", entropy_l_needs_as_many_values},
        {"Grassberger's estimate of small counts is that of its recurrence",
         grassberger_of_small_counts},
        {"Grassberger's estimate of large counts is that of its recurrence",
         grassberger_of_large_counts},
        {"recursive (c,l) is strict", recursive_is_strict},
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
        {"a true claim is borne out", true_claim_is_borne_out},
        {"a wrong number of rows is refused", wrong_row_counts_are_refused},
        {"more suppressed rows than allowed are refused",
         too_many_suppressed_rows_are_refused},
        {"dropped rows are counted by the claim",
         dropped_rows_are_counted_by_the_claim},
        {"a released identifier is refused", released_identifiers_are_refused},
        {"a level that is none or not allowed is refused",
         impossible_levels_are_refused},
        {"a cell of another level is refused",
         cells_of_another_level_are_refused},
        {"a half suppressed row is refused", half_suppressed_rows_are_refused},
        {"a missing value is a label by any of its tokens",
         missing_value_is_a_label_by_any_token},
        {"an attribute without hierarchy has two levels",
         attribute_without_hierarchy_has_two_levels},
        {"a release that breaks a model is refused", broken_models_are_refused},
        {"random tables agree with naive counting",
         random_tables_agree_with_naive_counting},
        {"records are sorted as the C library does", sorts_like_the_library},
    };

    suite_add("recheck", tests, sizeof tests / sizeof tests[0]);
}
