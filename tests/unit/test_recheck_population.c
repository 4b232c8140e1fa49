#include "anonymizer/recheck.h"

#include <string.h>
#include <unistd.h>

#include "anonymizer/hierarchy.h"
#include "anonymizer/subset.h"
#include "tests/lib/rechecked.h"
#include "tests/lib/suite.h"

void suite_recheck_population(void);

/* The subset has 2 of 4 in 1*,f, 2 of 3 in 2*,m, and none of 1 in 1*,m. */
#define INPUT                                                                  \
    RECHECKED_HEADER "11,f,a\n12,f,b\n11,f,x\n12,f,x\n21,m,a\n21,m,b\n"        \
                     "21,m,x\n11,m,x\n"
#define SUBSET "i < 2 or i == 4 or i == 5"
#define RELEASE RECHECKED_HEADER "1*,f,a\n1*,f,b\n2*,m,a\n2*,m,b\n"

struct sampled {
    struct rechecked f;
    uint32_t level[RECHECKED_ATTRIBUTES_MAX];
    struct recheck_population population;
    struct recheck_claim claim;
};

static void sampled_init(struct sampled *sampled)
{
    struct rechecked *f = &sampled->f;

    rechecked_illness(f);
    CU_ASSERT_EQUAL_FATAL(
        hierarchy_parse(&f->attribute[0].hierarchy,
                        bytes_of_string("11;1*\n12;1*\n21;2*\n"), "zip.csv",
                        &f->err),
        OK);
    CU_ASSERT_EQUAL_FATAL(subset_parse_rule(&f->policy.subset, SUBSET, &f->err),
                          OK);
    f->policy.has_subset = true;
    memset(sampled->level, 0, sizeof sampled->level);
    sampled->level[0] = 1;
    sampled->population = (struct recheck_population){
        rechecked_open(bytes_of_string(INPUT)), "input.csv"};
    sampled->claim = (struct recheck_claim){
        .rows = 4, .level = sampled->level, .population = &sampled->population};
}

static void sampled_clear(struct sampled *sampled)
{
    close(sampled->population.fd);
    subset_close(&sampled->f.policy.subset);
    rechecked_clear(&sampled->f);
}

static void add_presence(struct rechecked *f, double min, double max)
{
    struct privacy_criterion *criterion =
        rechecked_l(f, MODEL_DELTA_PRESENCE, NO_ATTRIBUTE, 0);

    criterion->min = min;
    criterion->max = max;
}

static void add_map(struct rechecked *f, uint32_t k, enum k_map_population map)
{
    struct privacy_criterion *criterion =
        rechecked_l(f, MODEL_K_MAP, NO_ATTRIBUTE, 0);

    criterion->k = k;
    criterion->map = map;
    criterion->significance = 0.5;
    criterion->population = 8;
}

static enum status release(struct sampled *sampled, const char *text)
{
    int fd = rechecked_open(bytes_of_string(text));
    enum status status;

    recheck_destroy(&sampled->f.result);
    status =
        recheck_release(&sampled->f.result, &sampled->f.policy, fd,
                        "release.csv", &sampled->claim, NULL, &sampled->f.err);
    close(fd);
    return status;
}

static void refused(struct sampled *sampled, const char *text,
                    const char *words)
{
    CU_ASSERT_EQUAL(release(sampled, text), E_SYSTEM);
    CU_ASSERT_STRING_EQUAL(sampled->f.err.text, words);
    CU_ASSERT_PTR_NULL(sampled->f.result);
}

static void population_is_counted_from_the_input(void)
{
    struct sampled s;

    sampled_init(&s);
    add_map(&s.f, 3, K_MAP_SUBSET);
    add_presence(&s.f, 0, 0.7);
    CU_ASSERT_EQUAL_FATAL(release(&s, RELEASE), OK);
    CU_ASSERT(s.f.result->satisfied);
    CU_ASSERT_EQUAL(s.f.result->criterion[0].value, 3);
    CU_ASSERT_EQUAL(s.f.result->criterion[1].value, 2.0 / 3);
    sampled_clear(&s);
}

static void releases_that_break_a_model_are_refused(void)
{
    struct sampled s;

    sampled_init(&s);
    add_map(&s.f, 4, K_MAP_SUBSET);
    refused(&s, RELEASE, "release.csv: recheck: 1 classes break k-map");
    sampled_clear(&s);
    sampled_init(&s);
    add_presence(&s.f, 0, 0.49);
    refused(&s, RELEASE,
            "release.csv: recheck: 2 classes break delta-presence");
    sampled_clear(&s);
}

/* 1*,m has nobody in the subset. */
static void classes_that_are_absent_are_judged(void)
{
    struct sampled s;

    sampled_init(&s);
    add_presence(&s.f, 0.1, 1);
    refused(&s, RELEASE,
            "release.csv: recheck: 1 classes break delta-presence");
    sampled_clear(&s);
}

static void classes_of_other_rows_are_refused(void)
{
    static const char words[] = "release.csv: recheck: a class has other rows "
                                "than the subset of input.csv gives it";
    struct sampled s;

    sampled_init(&s);
    add_map(&s.f, 1, K_MAP_SUBSET);
    /* In a class of the population alone, */
    refused(&s, RECHECKED_HEADER "1*,f,a\n1*,f,b\n2*,m,a\n1*,m,b\n", words);
    /* in one that the input does not have, behind all and before, */
    refused(&s, RECHECKED_HEADER "1*,f,a\n1*,f,b\n2*,m,a\n2*,z,b\n", words);
    refused(&s, RECHECKED_HEADER "2*,f,a\n1*,f,b\n2*,m,a\n2*,m,b\n", words);
    /* in another class, so that one has fewer and one more, */
    refused(&s, RECHECKED_HEADER "1*,f,a\n2*,m,b\n2*,m,a\n2*,m,b\n", words);
    /* or suppressed alone. */
    s.f.policy.suppression_limit = 0.25;
    s.claim.suppressed = 1;
    refused(&s, RECHECKED_HEADER "1*,f,a\n1*,f,b\n2*,m,a\n*,*,b\n", words);
    s.f.policy.suppression_limit = 0.5;
    s.claim.suppressed = 2;
    CU_ASSERT_EQUAL(
        release(&s, RECHECKED_HEADER "1*,f,a\n1*,f,b\n*,*,a\n*,*,b\n"), OK);
    sampled_clear(&s);
}

static void table_alone_does_not_show_its_population(void)
{
    struct sampled s;

    sampled_init(&s);
    add_map(&s.f, 1, K_MAP_SUBSET);
    add_presence(&s.f, 0, 1);
    CU_ASSERT_EQUAL_FATAL(rechecked_text(&s.f, RELEASE), OK);
    CU_ASSERT_FALSE(s.f.result->satisfied);
    for (size_t i = 0; i < 2; i++) {
        CU_ASSERT_FALSE(s.f.result->criterion[i].judged);
        CU_ASSERT_FALSE(s.f.result->criterion[i].satisfied);
        CU_ASSERT_EQUAL(s.f.result->criterion[i].violating, 0);
    }
    sampled_clear(&s);
}

/* 4 rows of 8, k = 3: the mean is 1.5.  P(X > 1) = 1 - e^-1.5 (1 + 1.5) = 0.442
 * is the first that is at most 0.5, so that k' = min(1 + 2, 3). */
static void estimates_are_judged_by_the_table_alone(void)
{
    struct sampled s;

    sampled_init(&s);
    add_map(&s.f, 3, K_MAP_POISSON);
    add_map(&s.f, 3, K_MAP_ZERO_TRUNCATED_POISSON);
    CU_ASSERT_EQUAL_FATAL(rechecked_text(&s.f, RELEASE), OK);
    CU_ASSERT(s.f.result->criterion[0].judged);
    CU_ASSERT_FALSE(s.f.result->criterion[0].satisfied);
    CU_ASSERT_EQUAL(s.f.result->criterion[0].violating, 2);
    CU_ASSERT_EQUAL(s.f.result->criterion[0].value, 2);
    /* P(X > 1 | X > 0) = 0.442 / 0.777 is 0.569, P(X > 2 | X > 0) 0.246. */
    CU_ASSERT_FALSE(s.f.result->criterion[1].satisfied);
    /* 0.569 is enough for k' = 2. */
    s.f.criterion[1].significance = 0.57;
    recheck_destroy(&s.f.result);
    CU_ASSERT_EQUAL_FATAL(rechecked_text(&s.f, RELEASE), OK);
    CU_ASSERT(s.f.result->criterion[1].satisfied);
    /* Rows that were dropped are rows of the sample. */
    s.f.policy.drop_suppressed = true;
    s.f.policy.suppression_limit = 0.1;
    recheck_destroy(&s.f.result);
    CU_ASSERT_EQUAL_FATAL(rechecked_text(&s.f, RELEASE), OK);
    CU_ASSERT_FALSE(s.f.result->criterion[1].judged);
    sampled_clear(&s);
}

void suite_recheck_population(void)
{
    static const struct test tests[] = {
        {"the population is counted from the input",
         population_is_counted_from_the_input},
        {"releases that break a model are refused",
         releases_that_break_a_model_are_refused},
        {"classes without a row in the release are judged",
         classes_that_are_absent_are_judged},
        {"classes of other rows than the subset's are refused",
         classes_of_other_rows_are_refused},
        {"a table alone does not show its population",
         table_alone_does_not_show_its_population},
        {"estimates are judged by the table alone",
         estimates_are_judged_by_the_table_alone},
    };

    suite_add("recheck_population", tests, sizeof tests / sizeof tests[0]);
}
