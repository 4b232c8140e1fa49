#include "anonymizer/recheck_distance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/random.h"
#include "common/text.h"
#include "tests/lib/fixture.h"
#include "tests/lib/rechecked.h"
#include "tests/lib/suite.h"

void suite_recheck_distance(void);

/* A table of illnesses under one model. */
static struct privacy_criterion *begin(struct rechecked *f,
                                       enum privacy_model model, double t)
{
    struct privacy_criterion *criterion;

    rechecked_illness(f);
    criterion = rechecked_l(f, model, 2, 0);
    criterion->t = t;
    return criterion;
}

/* 6 rows: 3 a, 2 b, 1 c.  First class a a b: 1/2 (1/6 + 0 + 1/6) = 1/6; the
 * second a b c likewise. */
#define SIX RECHECKED_HEADER "1,f,a\n1,f,a\n1,f,b\n2,f,a\n2,f,b\n2,f,c\n"

static void equal_distance_by_hand(void)
{
    struct rechecked f;

    begin(&f, MODEL_T_CLOSENESS_EQUAL, 1.0 / 6);
    CU_ASSERT_EQUAL_FATAL(rechecked_text(&f, SIX), OK);
    CU_ASSERT_TRUE(f.result->satisfied);
    CU_ASSERT_EQUAL(f.result->criterion[0].value, 1.0 / 6);
    rechecked_clear(&f);
    begin(&f, MODEL_T_CLOSENESS_EQUAL, 0.1666);
    CU_ASSERT_EQUAL_FATAL(rechecked_text(&f, SIX), OK);
    CU_ASSERT_FALSE(f.result->satisfied);
    CU_ASSERT_EQUAL(f.result->criterion[0].violating, 2);
    rechecked_clear(&f);
}

/* a b c: sums 3/6 and 5/6; of the classes 2/3 and 1, 1/3 and 2/3.  Each
 * carries 1/6 twice, over two steps. */
static void ordered_distance_by_hand(void)
{
    struct rechecked f;

    begin(&f, MODEL_T_CLOSENESS_ORDERED, 1.0 / 6);
    CU_ASSERT_EQUAL_FATAL(rechecked_text(&f, SIX), OK);
    CU_ASSERT_TRUE(f.result->satisfied);
    CU_ASSERT_EQUAL(f.result->criterion[0].value, 1.0 / 6);
    f.criterion[0].t = 0.166;
    recheck_destroy(&f.result);
    CU_ASSERT_EQUAL_FATAL(rechecked_text(&f, SIX), OK);
    CU_ASSERT_EQUAL(f.result->criterion[0].violating, 2);
    rechecked_clear(&f);
    begin(&f, MODEL_T_CLOSENESS_ORDERED, 0);
    CU_ASSERT_EQUAL_FATAL(rechecked_text(&f, RECHECKED_HEADER "1,f,a\n"), OK);
    CU_ASSERT_EQUAL(f.result->criterion[0].value, 0);
    rechecked_clear(&f);
}

/* 2 is before 10 as a number: 2 3 10 in two classes of 2 and 3 10; the sums
 * are 1/3, 2/3 against 1, 1 and 0, 1/2. */
static void numbers_are_ordered_by_size(void)
{
    struct rechecked f;

    begin(&f, MODEL_T_CLOSENESS_ORDERED, 1);
    f.attribute[2].type = TYPE_INTEGER;
    CU_ASSERT_EQUAL_FATAL(
        rechecked_text(&f, RECHECKED_HEADER "1,f,2\n2,f,10\n2,f,3\n"), OK);
    CU_ASSERT_EQUAL(f.result->criterion[0].value, 0.5);
    recheck_destroy(&f.result);
    CU_ASSERT_EQUAL(
        rechecked_text(&f, RECHECKED_HEADER "1,f,2\n2,f,many\n2,f,3\n"),
        E_INPUT);
    CU_ASSERT_STRING_EQUAL(
        f.err.text, "table.csv: column illness: a value has no place in the "
                    "order of its type, which t-closeness-ordered needs");
    rechecked_clear(&f);
}

/* a and b are half as far from each other as from c, which is alone.  a a b:
 * b, at 1/3, is as it should be, and 1/6 comes from c, all the way; of a b c,
 * 1/6 goes there. */
static void hierarchical_distance_by_hand(void)
{
    struct rechecked f;

    begin(&f, MODEL_T_CLOSENESS_HIERARCHICAL, 1.0 / 6);
    CU_ASSERT_EQUAL_FATAL(
        hierarchy_parse(&f.attribute[2].hierarchy,
                        bytes_of_string("c;z;*\na;y;*\nx;y;*\nb;y;*\n"),
                        "h.csv", &f.err),
        OK);
    CU_ASSERT_EQUAL_FATAL(rechecked_text(&f, SIX), OK);
    CU_ASSERT_TRUE(f.result->satisfied);
    CU_ASSERT_EQUAL(f.result->criterion[0].value, 1.0 / 6);
    /* a a against a b: 1/2 goes halfway. */
    recheck_destroy(&f.result);
    CU_ASSERT_EQUAL_FATAL(
        rechecked_text(&f, RECHECKED_HEADER "1,f,a\n1,f,a\n2,f,b\n2,f,b\n"),
        OK);
    CU_ASSERT_EQUAL(f.result->criterion[0].value, 0.25);
    CU_ASSERT_EQUAL(f.result->criterion[0].violating, 2);
    recheck_destroy(&f.result);
    CU_ASSERT_EQUAL(rechecked_text(&f, RECHECKED_HEADER "1,f,a\n1,f,q\n"),
                    E_INPUT);
    CU_ASSERT_STRING_EQUAL(
        f.err.text, "table.csv: column illness: a value has no row in its "
                    "hierarchy, which t-closeness-hierarchical needs");
    rechecked_clear(&f);
}

/* Of SIX, in the first class a has 4/3 of its share; in the second, 2/3, which
 * is further away, and c has twice its share: one bit. */
static void disclosure_by_hand(void)
{
    struct rechecked f;

    begin(&f, MODEL_DELTA_DISCLOSURE, 0)->delta = 1.01;
    CU_ASSERT_EQUAL_FATAL(rechecked_text(&f, SIX), OK);
    CU_ASSERT_TRUE(f.result->satisfied);
    CU_ASSERT_EQUAL(f.result->criterion[0].value, 1);
    f.criterion[0].delta = 1;
    recheck_destroy(&f.result);
    CU_ASSERT_EQUAL_FATAL(rechecked_text(&f, SIX), OK);
    CU_ASSERT_EQUAL(f.result->criterion[0].violating, 1);
    rechecked_clear(&f);
}

/* Of SIX, a grows by 1/3 in the first class; in the second, c has twice its
 * share.  -ln(1/2) is 0.693, -ln(1/6) 1.79. */
static void likeness_by_hand(void)
{
    struct rechecked f;

    begin(&f, MODEL_BASIC_BETA_LIKENESS, 0)->beta = 1;
    CU_ASSERT_EQUAL_FATAL(rechecked_text(&f, SIX), OK);
    CU_ASSERT_TRUE(f.result->satisfied);
    CU_ASSERT_EQUAL(f.result->criterion[0].value, 1);
    f.criterion[0].beta = 0.99;
    recheck_destroy(&f.result);
    CU_ASSERT_EQUAL_FATAL(rechecked_text(&f, SIX), OK);
    CU_ASSERT_EQUAL(f.result->criterion[0].violating, 1);
    f.criterion[0].model = MODEL_ENHANCED_BETA_LIKENESS;
    f.criterion[0].beta = 9;
    recheck_destroy(&f.result);
    CU_ASSERT_EQUAL_FATAL(rechecked_text(&f, SIX), OK);
    CU_ASSERT_TRUE(f.result->satisfied);
    /* 1, of a half: more than 0.693. */
    recheck_destroy(&f.result);
    CU_ASSERT_EQUAL_FATAL(rechecked_text(&f, RECHECKED_HEADER "1,f,a\n2,f,b\n"),
                          OK);
    CU_ASSERT_EQUAL(f.result->criterion[0].violating, 2);
    rechecked_clear(&f);
}

/* Its digest alone is there. */
static void without_the_hierarchy_nothing_can_be_said(void)
{
    struct rechecked f;

    begin(&f, MODEL_T_CLOSENESS_ORDERED, 1);
    f.attribute[2].type = TYPE_ORDINAL;
    f.attribute[2].has_hierarchy = true;
    CU_ASSERT_EQUAL_FATAL(rechecked_text(&f, SIX), OK);
    CU_ASSERT_FALSE(f.result->criterion[0].judged);
    CU_ASSERT_FALSE(f.result->satisfied);
    f.criterion[0].model = MODEL_T_CLOSENESS_HIERARCHICAL;
    recheck_destroy(&f.result);
    CU_ASSERT_EQUAL_FATAL(rechecked_text(&f, SIX), OK);
    CU_ASSERT_FALSE(f.result->criterion[0].judged);
    CU_ASSERT_FALSE(f.result->satisfied);
    rechecked_clear(&f);
}

/* 4 rows a a b b, of which the last two are suppressed: the class a a is 1/2
 * from the table.  Without them it would be the table. */
static void suppressed_rows_are_part_of_the_whole_table(void)
{
    struct rechecked f;

    begin(&f, MODEL_T_CLOSENESS_EQUAL, 0.4);
    f.policy.suppression_limit = 0.5;
    CU_ASSERT_EQUAL_FATAL(
        rechecked_text(&f, RECHECKED_HEADER "1,f,a\n1,f,a\n*,*,b\n*,*,b\n"),
        OK);
    CU_ASSERT_EQUAL(f.result->criterion[0].value, 0.5);
    CU_ASSERT_FALSE(f.result->satisfied);
    rechecked_clear(&f);
}

static void without_dropped_rows_nothing_can_be_said(void)
{
    struct rechecked f;

    begin(&f, MODEL_T_CLOSENESS_EQUAL, 1);
    f.policy.drop_suppressed = true;
    f.policy.suppression_limit = 0.5;
    CU_ASSERT_EQUAL_FATAL(rechecked_text(&f, SIX), OK);
    CU_ASSERT_FALSE(f.result->criterion[0].judged);
    CU_ASSERT_FALSE(f.result->criterion[0].satisfied);
    CU_ASSERT_FALSE(f.result->satisfied);
    CU_ASSERT_EQUAL(f.result->criterion[0].violating, 0);
    /* None can have been dropped. */
    f.policy.suppression_limit = 0;
    recheck_destroy(&f.result);
    CU_ASSERT_EQUAL_FATAL(rechecked_text(&f, SIX), OK);
    CU_ASSERT_TRUE(f.result->satisfied);
    rechecked_clear(&f);
}

/* ---- what is claimed of the input ---- */

/* A release of SIX under the claim that there were so many a, b, c and d
 * before; `dropped` rows are said to be gone. */
static enum status claim(struct rechecked *f, uint64_t a, uint64_t b,
                         uint64_t c, uint64_t d, uint64_t dropped)
{
    const struct recheck_value value[] = {{bytes_of_string("d"), d},
                                          {bytes_of_string("a"), a},
                                          {bytes_of_string("c"), c},
                                          {bytes_of_string("b"), b}};
    const struct recheck_values values = {.attribute = 2, value, 4};
    const uint32_t level[RECHECKED_ATTRIBUTES_MAX] = {0};
    const struct recheck_claim claim = {.rows = 6 + dropped,
                                        .suppressed = dropped,
                                        .level = level,
                                        .values = &values,
                                        .values_count = 1};
    int fd = rechecked_open(bytes_of_string(SIX));
    enum status status;

    recheck_destroy(&f->result);
    f->policy.drop_suppressed = true;
    f->policy.suppression_limit = 0.5;
    status = recheck_release(&f->result, &f->policy, fd, "release.csv", &claim,
                             NULL, &f->err);
    close(fd);
    return status;
}

/* 12 rows, 5 a, 2 b, 1 c, 4 d: half of 2/3 - 5/12, 1/3 - 2/12, 1/12, 4/12 is
 * 5/12; the other class: half of 1/12, 2/12, 3/12, 4/12 is 5/12, too. */
static void dropped_rows_are_claimed(void)
{
    struct rechecked f;

    begin(&f, MODEL_T_CLOSENESS_EQUAL, 5.0 / 12);
    CU_ASSERT_EQUAL_FATAL(claim(&f, 5, 2, 1, 4, 6), OK);
    CU_ASSERT_EQUAL(f.result->criterion[0].value, 5.0 / 12);
    f.criterion[0].t = 0.41;
    CU_ASSERT_EQUAL(claim(&f, 5, 2, 1, 4, 6), E_SYSTEM);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(f.err.text, "2 classes break t-closeness-equal of illness"));
    rechecked_clear(&f);
}

static void claims_that_the_file_belies_are_refused(void)
{
    static const uint64_t claims[][5] = {
        {2, 3, 1, 2, 2}, /* there are three a */
        {3, 2, 0, 1, 0}, /* there is a c */
        {3, 2, 1, 0, 1}, /* of seven rows six have a value */
        {3, 2, 1, 2, 1}, /* and here eight */
    };

    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
        struct rechecked f;

        begin(&f, MODEL_T_CLOSENESS_EQUAL, 1);
        CU_ASSERT_EQUAL(claim(&f, claims[i][0], claims[i][1], claims[i][2],
                              claims[i][3], claims[i][4]),
                        E_SYSTEM);
        CU_ASSERT_PTR_NOT_NULL(
            strstr(f.err.text, "release.csv: recheck: the values of column "
                               "illness are not what is claimed"));
        rechecked_clear(&f);
    }
}

/* ---- all distances, against doubles row by row ---- */

/* 0 .. 11, in threes, sixes and all. */
#define VALUES 12
#define TREE_ROW "%u;third-%u;half-%u;*\n"

struct drawn {
    unsigned rows, class[60], value[60];
    unsigned classes;
};

static void draw(struct drawn *drawn, struct random *random, struct text *text)
{
    unsigned values = 1 + (unsigned)random_below(random, VALUES);
    struct error err;

    error_init(&err);
    text_reset(text);
    drawn->classes = 1 + (unsigned)random_below(random, 5);
    drawn->rows = 1 + (unsigned)random_below(random, 60);
    if (text_append_string(text, RECHECKED_HEADER, &err) != OK)
        abort();
    for (unsigned i = 0; i < drawn->rows; i++) {
        drawn->class[i] = (unsigned)random_below(random, drawn->classes);
        drawn->value[i] = (unsigned)random_below(random, values);
        if (text_printf(text, &err, "%u,f,%u\n", drawn->class[i],
                        drawn -> value[i]) != OK)
            abort();
    }
}

/* share[v]: of the rows of a class, or of all if it is `classes`. */
static unsigned shares(const struct drawn *drawn, unsigned class,
                       double share[VALUES])
{
    unsigned rows = 0;

    memset(share, 0, VALUES * sizeof *share);
    for (unsigned i = 0; i < drawn->rows; i++)
        if (class == drawn->classes || class == drawn->class[i]) {
            share[drawn->value[i]]++;
            rows++;
        }
    for (unsigned v = 0; rows > 0 && v < VALUES; v++)
        share[v] /= rows;
    return rows;
}

/* Earth must be carried over the edge above a node if there is too much or too
 * little below it.  Two values that meet at level j of 3 are j / 3 apart, over
 * 2 j edges: 1/6 each. */
static double carried(const double q[VALUES], const double p[VALUES])
{
    static const unsigned size[] = {1, 3, 6};
    double sum = 0;

    for (size_t j = 0; j < sizeof size / sizeof *size; j++)
        for (unsigned from = 0; from < VALUES; from += size[j]) {
            double excess = 0;

            for (unsigned v = from; v < from + size[j]; v++)
                excess += q[v] - p[v];
            sum += fabs(excess) / 6;
        }
    return sum;
}

static void distances_of(const double q[VALUES], const double p[VALUES],
                         struct distance_figures *worst)
{
    double equal = 0, ordered = 0, ahead = 0;
    unsigned distinct = 0;

    for (unsigned v = 0; v < VALUES; v++) {
        equal += fabs(q[v] - p[v]) / 2;
        ahead += q[v] - p[v];
        ordered += p[v] > 0 ? fabs(ahead) : 0;
        distinct += p[v] > 0;
        if (q[v] > 0) {
            worst->beta = fmax(worst->beta, q[v] / p[v] - 1);
            worst->delta = fmax(worst->delta, fabs(log(q[v] / p[v])) / log(2));
        }
    }
    worst->t_equal = fmax(worst->t_equal, equal);
    if (distinct > 1)
        worst->t_ordered = fmax(worst->t_ordered, ordered / (distinct - 1));
    worst->t_hierarchical = fmax(worst->t_hierarchical, carried(q, p));
}

static void expect_distances(const struct drawn *drawn,
                             const struct distance_figures *figures)
{
    struct distance_figures worst = {0};
    double whole[VALUES], share[VALUES];

    shares(drawn, drawn->classes, whole);
    for (unsigned class = 0; class < drawn->classes; class ++)
        if (shares(drawn, class, share) > 0)
            distances_of(share, whole, &worst);
    CU_ASSERT(fabs(figures->t_equal - worst.t_equal) < 1e-12);
    CU_ASSERT(fabs(figures->t_ordered - worst.t_ordered) < 1e-12);
    CU_ASSERT(fabs(figures->t_hierarchical - worst.t_hierarchical) < 1e-12);
    CU_ASSERT(fabs(figures->beta - worst.beta) < 1e-12);
    CU_ASSERT(fabs(figures->delta - worst.delta) < 1e-12);
}

static void random_tables_are_as_far_as_counted_row_by_row(void)
{
    struct random random;
    struct rechecked f;
    struct text text, tree;

    random_init(&random, fixture_seed("recheck_distance"));
    text_init(&text);
    text_init(&tree);
    rechecked_illness(&f);
    f.attribute[2].type = TYPE_INTEGER;
    for (unsigned v = 0; v < VALUES; v++)
        CU_ASSERT_EQUAL_FATAL(
            text_printf(&tree, &f.err, TREE_ROW, v, v / 3, v / 6), OK);
    CU_ASSERT_EQUAL_FATAL(hierarchy_parse(&f.attribute[2].hierarchy,
                                          text_bytes(&tree), "h.csv", &f.err),
                          OK);
    rechecked_k(&f, 1);
    for (int i = 0; i < 500; i++) {
        struct drawn drawn;

        draw(&drawn, &random, &text);
        CU_ASSERT_EQUAL_FATAL(rechecked_text(&f, text.data), OK);
        expect_distances(&drawn, &f.result->distance[0]);
        recheck_destroy(&f.result);
    }
    rechecked_clear(&f);
    text_clear(&tree);
    text_clear(&text);
}

/* A text has no order, and without a hierarchy no tree; nor has a number that
 * is none, or a value that has no row, and neither is an error. */
static void distances_that_are_not_defined_are_not_told(void)
{
    struct rechecked f;

    rechecked_illness(&f);
    rechecked_k(&f, 1);
    CU_ASSERT_EQUAL_FATAL(rechecked_text(&f, SIX), OK);
    CU_ASSERT_EQUAL(f.result->distance[0].t_equal, 1.0 / 6);
    CU_ASSERT_TRUE(isnan(f.result->distance[0].t_ordered));
    CU_ASSERT_TRUE(isnan(f.result->distance[0].t_hierarchical));
    recheck_destroy(&f.result);
    f.attribute[2].type = TYPE_INTEGER;
    CU_ASSERT_EQUAL_FATAL(hierarchy_parse(&f.attribute[2].hierarchy,
                                          bytes_of_string("a;*\nb;*\n"),
                                          "h.csv", &f.err),
                          OK);
    CU_ASSERT_EQUAL_FATAL(rechecked_text(&f, SIX), OK);
    CU_ASSERT_TRUE(isnan(f.result->distance[0].t_ordered));
    CU_ASSERT_TRUE(isnan(f.result->distance[0].t_hierarchical));
    recheck_destroy(&f.result);
    CU_ASSERT_EQUAL_FATAL(rechecked_text(&f, RECHECKED_HEADER "*,*,a\n"), OK);
    CU_ASSERT_TRUE(isnan(f.result->distance[0].t_equal));
    CU_ASSERT_TRUE(isnan(f.result->distance[0].beta));
    CU_ASSERT_TRUE(isnan(f.result->distance[0].delta));
    rechecked_clear(&f);
}

void suite_recheck_distance(void)
{
    static const struct test tests[] = {
        {"equal distance, by hand", equal_distance_by_hand},
        {"ordered distance, by hand", ordered_distance_by_hand},
        {"hierarchical distance, by hand", hierarchical_distance_by_hand},
        {"disclosure, by hand", disclosure_by_hand},
        {"likeness, by hand", likeness_by_hand},
        {"numbers are ordered by size", numbers_are_ordered_by_size},
        {"without the hierarchy nothing can be said",
         without_the_hierarchy_nothing_can_be_said},
        {"suppressed rows are part of the whole table",
         suppressed_rows_are_part_of_the_whole_table},
        {"without dropped rows nothing can be said",
         without_dropped_rows_nothing_can_be_said},
        {"dropped rows are claimed", dropped_rows_are_claimed},
        {"random tables are as far as counted row by row",
         random_tables_are_as_far_as_counted_row_by_row},
        {"distances that are not defined are not told",
         distances_that_are_not_defined_are_not_told},
        {"claims that the file belies are refused",
         claims_that_the_file_belies_are_refused},
    };

    suite_add("recheck_distance", tests, sizeof tests / sizeof tests[0]);
}
