#include "anonymizer/recheck.h"

#include <string.h>
#include <unistd.h>

#include "anonymizer/hierarchy.h"
#include "tests/lib/rechecked.h"
#include "tests/lib/suite.h"

void suite_recheck_claim(void);

#define ZIP_HIERARCHY "11;1*;**\n12;1*;**\n21;2*;**\n"
#define SEX_HIERARCHY "f;*\nm;*\n"

struct claimed {
    struct rechecked f;
    uint32_t level[RECHECKED_ATTRIBUTES_MAX];
    struct recheck_claim claim;
};

/* A release of 5 rows at levels 1 and 0, 1 row suppressed of at most 1. */
static void claimed_init(struct claimed *claimed)
{
    struct rechecked *f = &claimed->f;

    rechecked_illness(f);
    rechecked_attribute(f, "patient", ROLE_SUBJECT);
    rechecked_k(f, 2);
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

#define RELEASE RECHECKED_HEADER "1*,f,a\n2*,m,b\n1*,f,b\n*,*,a\n2*,m,a\n"

static enum status release(struct claimed *claimed, const char *text)
{
    int fd = rechecked_open(bytes_of_string(text));
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
    rechecked_clear(&c.f);
}

static void wrong_row_counts_are_refused(void)
{
    struct claimed c;

    claimed_init(&c);
    c.claim.rows = 6;
    refused(&c, RELEASE, "5 rows, claimed are 6");
    c.claim.rows = 5;
    refused(&c, RECHECKED_HEADER "1*,f,a\n1*,f,b\n*,*,a\n",
            "3 rows, claimed are 5");
    c.claim.suppressed = 0;
    refused(&c, RELEASE, "1 suppressed rows, claimed are 0");
    c.claim.suppressed = 2;
    refused(&c, RELEASE, "1 suppressed rows, claimed are 2");
    c.claim.suppressed = 6;
    refused(&c, RELEASE, "5 rows, claimed are 5");
    rechecked_clear(&c.f);
}

static void too_many_suppressed_rows_are_refused(void)
{
    struct claimed c;

    claimed_init(&c);
    c.f.policy.suppression_limit = 0.19;
    refused(&c, RELEASE, "1 suppressed rows, the policy allows 0");
    rechecked_clear(&c.f);
}

static void dropped_rows_are_counted_by_the_claim(void)
{
    struct claimed c;

    claimed_init(&c);
    c.f.policy.drop_suppressed = true;
    CU_ASSERT_EQUAL(
        release(&c, RECHECKED_HEADER "1*,f,a\n2*,m,b\n1*,f,b\n2*,m,a\n"), OK);
    /* Nothing dropped. */
    refused(&c, RELEASE, "5 rows, claimed are 5 with 1 dropped");
    /* A released row dropped in place of the suppressed one. */
    refused(&c, RECHECKED_HEADER "1*,f,a\n1*,f,b\n*,*,a\n2*,m,a\n",
            "1 suppressed rows, claimed are 0");
    /* The limit is of the input's rows, and dropped ones count. */
    c.f.policy.suppression_limit = 0.19;
    refused(&c, RECHECKED_HEADER "1*,f,a\n2*,m,b\n1*,f,b\n2*,m,a\n",
            "1 suppressed rows, the policy allows 0");
    c.f.policy.suppression_limit = 1;
    c.claim.suppressed = 6;
    refused(&c, RELEASE, "claimed are 5 with 6 dropped");
    rechecked_clear(&c.f);
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
    rechecked_clear(&c.f);
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
    rechecked_clear(&c.f);
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
    refused(&c, RECHECKED_HEADER "1*,f,a\n3*,m,b\n1*,f,b\n*,*,a\n3*,m,a\n",
            "2 rows have a cell that is no label");
    /* One row left as it was: also no class of two. */
    refused(&c, RECHECKED_HEADER "1*,f,a\n2*,m,b\n1*,f,b\n*,*,a\n21,m,a\n",
            "1 rows have a cell that is no label");
    rechecked_clear(&c.f);
}

static void half_suppressed_rows_are_refused(void)
{
    struct claimed c;

    claimed_init(&c);
    refused(&c, RECHECKED_HEADER "1*,*,a\n2*,m,b\n1*,*,b\n*,*,a\n2*,m,a\n",
            "2 rows have a cell that is no label");
    CU_ASSERT_PTR_NOT_NULL(strstr(c.f.err.text, "column sex"));
    /* Where * is the label of the level, it is right. */
    c.level[1] = 1;
    CU_ASSERT_EQUAL(release(&c,
                            RECHECKED_HEADER "1*,*,a\n2*,*,b\n1*,*,b\n*,*,a\n"
                                             "2*,*,a\n"),
                    OK);
    rechecked_clear(&c.f);
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
    CU_ASSERT_EQUAL(release(&c,
                            RECHECKED_HEADER "1*,f,a\n2*,?,b\n1*,f,b\n*,*,a\n"
                                             "2*,NA,a\n"),
                    OK);
    c.f.policy.missing_count = 1;
    refused(&c, RECHECKED_HEADER "1*,f,a\n2*,?,b\n1*,f,b\n*,*,a\n2*,NA,a\n",
            "1 rows have a cell that is no label");
    rechecked_clear(&c.f);
}

static void attribute_without_hierarchy_has_two_levels(void)
{
    struct claimed c;

    claimed_init(&c);
    hierarchy_close(&c.f.attribute[1].hierarchy);
    CU_ASSERT_EQUAL(release(&c,
                            RECHECKED_HEADER "1*,x,a\n2*,y,b\n1*,x,b\n*,*,a\n"
                                             "2*,y,a\n"),
                    OK);
    c.level[1] = 1;
    refused(&c, RECHECKED_HEADER "1*,x,a\n2*,*,b\n1*,x,b\n*,*,a\n2*,*,a\n",
            "2 rows have a cell that is no label");
    CU_ASSERT_EQUAL(release(&c,
                            RECHECKED_HEADER "1*,*,a\n2*,*,b\n1*,*,b\n*,*,a\n"
                                             "2*,*,a\n"),
                    OK);
    c.level[1] = 2;
    refused(&c, RELEASE, "column sex: level 2 is claimed, there are 2 levels");
    rechecked_clear(&c.f);
}

static void broken_models_are_refused(void)
{
    struct claimed c;

    claimed_init(&c);
    c.f.criterion[0].k = 3;
    refused(&c, RELEASE, "2 classes break k-anonymity");
    c.f.criterion[0].k = 2;
    rechecked_l(&c.f, MODEL_DISTINCT_L_DIVERSITY, 2, 2);
    CU_ASSERT_EQUAL(release(&c, RELEASE), OK);
    refused(&c, RECHECKED_HEADER "1*,f,a\n2*,m,b\n1*,f,b\n*,*,a\n2*,m,b\n",
            "1 classes break distinct-l-diversity of illness");
    rechecked_clear(&c.f);
}

void suite_recheck_claim(void)
{
    static const struct test tests[] = {
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
    };

    suite_add("recheck_claim", tests, sizeof tests / sizeof tests[0]);
}
