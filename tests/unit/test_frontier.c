#include "anonymizer/frontier.h"

#include <string.h>

#include "tests/lib/fixture.h"
#include "tests/lib/suite.h"

void suite_frontier(void);

/* All nodes come out, none twice (each after the one before), in the order of
 * their bounds. */
static void every_node_comes_out_once_in_order(void)
{
    static const struct fixture_shape shape = {.quasi_max = 5,
                                               .domain_max = 12,
                                               .levels_max = 5,
                                               .rows_max = 40,
                                               .sensitive_max = 0};
    struct random random;

    random_init(&random, fixture_seed(__func__));
    for (int i = 0; i < 100; i++) {
        struct fixture fixture;
        struct frontier frontier;
        struct rank before, next, bound;
        struct error err;
        double seen = 0;

        fixture_random(&fixture, &random, &shape);
        frontier_init(&frontier, fixture.metric, UINT32_C(1) << 20);
        CU_ASSERT_EQUAL(frontier_start(&frontier, &err), OK);
        while (frontier_peek(&frontier, &next)) {
            rank_of_bound(fixture.metric, next.level, &bound);
            CU_ASSERT_EQUAL(rank_compare(fixture.metric, &next, &bound), 0);
            if (seen > 0)
                CU_ASSERT(rank_compare(fixture.metric, &before, &next) < 0);
            seen++;
            before = next;
            CU_ASSERT_EQUAL(frontier_advance(&frontier, NULL, &err), OK);
        }
        CU_ASSERT_EQUAL(seen, fixture.lattice->size);
        frontier_clear(&frontier);
        fixture_clear(&fixture);
    }
}

/* Two columns of three levels, by hand. */
static void three_by_three(struct fixture *fixture, struct frontier *frontier)
{
    static const char hierarchy[] =
        "1;a;*\n2;a;*\n3;b;*\n4;b;*\n5;c;*\n6;c;*\n";
    struct error err;

    fixture_init(fixture);
    fixture_attribute(fixture, "a", ROLE_QUASI_IDENTIFYING, hierarchy);
    fixture_attribute(fixture, "b", ROLE_QUASI_IDENTIFYING, hierarchy);
    fixture_k(fixture, 1);
    fixture_load(fixture, "a;b\n1;1\n2;2\n3;3\n");
    frontier_init(frontier, fixture->metric, 256);
    CU_ASSERT_EQUAL(frontier_start(frontier, &err), OK);
}

static bool next_is(const struct frontier *frontier, uint8_t a, uint8_t b)
{
    struct rank next;

    return frontier_peek(frontier, &next) && next.level[0] == a &&
           next.level[1] == b && next.height == (uint32_t)a + b;
}

/* 0,0; then 0,1 and 1,0 cost the same, the smaller comes first.  By way of 0,1
 * only b is raised, by way of 1,0 both are. */
static void reach_is_the_top_of_what_follows(void)
{
    static const uint8_t all[] = {2, 2}, first[] = {0, 2}, second[] = {2, 2};
    struct fixture fixture;
    struct frontier frontier;
    uint8_t reach[2];
    struct error err;

    three_by_three(&fixture, &frontier);
    CU_ASSERT(next_is(&frontier, 0, 0));
    frontier_reach(&frontier, reach);
    CU_ASSERT_EQUAL(memcmp(reach, all, 2), 0);
    CU_ASSERT_EQUAL(frontier_advance(&frontier, NULL, &err), OK);
    CU_ASSERT(next_is(&frontier, 0, 1));
    frontier_reach(&frontier, reach);
    CU_ASSERT_EQUAL(memcmp(reach, first, 2), 0);
    frontier_drop(&frontier);
    CU_ASSERT(next_is(&frontier, 1, 0));
    frontier_reach(&frontier, reach);
    CU_ASSERT_EQUAL(memcmp(reach, second, 2), 0);
    /* 1,0 2,0 1,1 2,1 1,2 2,2 are left: 0,2 went with 0,1. */
    for (int left = 6; left > 0; left--)
        CU_ASSERT_EQUAL(frontier_advance(&frontier, NULL, &err), OK);
    CU_ASSERT_EQUAL(frontier.count, 0);
    frontier_clear(&frontier);
    fixture_clear(&fixture);
}

/* A bound of 1,1 lets in what comes before it only. */
static void children_behind_the_best_stay_out(void)
{
    static const uint8_t level[] = {1, 1};
    struct fixture fixture;
    struct frontier frontier;
    struct rank best;
    struct error err;

    three_by_three(&fixture, &frontier);
    rank_of_bound(fixture.metric, level, &best);
    CU_ASSERT_EQUAL(frontier_advance(&frontier, &best, &err), OK);
    CU_ASSERT_EQUAL(frontier.count, 2);
    CU_ASSERT(next_is(&frontier, 0, 1));
    /* 0,2 costs 1/2, 1,1 as much as 0.2: both stay out. */
    CU_ASSERT_EQUAL(frontier_advance(&frontier, &best, &err), OK);
    CU_ASSERT_EQUAL(frontier.count, 1);
    CU_ASSERT(next_is(&frontier, 1, 0));
    CU_ASSERT_EQUAL(frontier_advance(&frontier, &best, &err), OK);
    CU_ASSERT_EQUAL(frontier.count, 0);
    frontier_clear(&frontier);
    fixture_clear(&fixture);
}

/* Of 12 columns with 2 levels more than 256 nodes wait at some time: there are
 * 924 of half the height. */
static void too_many_that_wait_are_refused(void)
{
    struct fixture fixture;
    struct frontier frontier;
    struct error err;
    struct text csv;
    enum status status;
    char name[] = "a";

    fixture_init(&fixture);
    text_init(&csv);
    for (; name[0] < 'm'; name[0]++) {
        fixture_attribute(&fixture, name, ROLE_QUASI_IDENTIFYING, NULL);
        CU_ASSERT_EQUAL(
            text_printf(&csv, &err, "%s%s", name[0] == 'a' ? "" : ";", name),
            OK);
    }
    CU_ASSERT_EQUAL(text_append_string(&csv,
                                       "\n1;1;1;1;1;1;1;1;1;1;1;1\n"
                                       "2;2;2;2;2;2;2;2;2;2;2;2\n",
                                       &err),
                    OK);
    fixture_k(&fixture, 1);
    fixture_load(&fixture, csv.data);
    text_clear(&csv);
    frontier_init(&frontier, fixture.metric, 256);
    error_init(&err);
    status = frontier_start(&frontier, &err);
    while (status == OK && frontier.count > 0)
        status = frontier_advance(&frontier, NULL, &err);
    CU_ASSERT_EQUAL(status, E_LIMIT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "more than 256 transformations"));
    frontier_clear(&frontier);
    frontier_init(&frontier, fixture.metric, 4096);
    status = frontier_start(&frontier, &err);
    while (status == OK && frontier.count > 0)
        status = frontier_advance(&frontier, NULL, &err);
    CU_ASSERT_EQUAL(status, OK);
    frontier_clear(&frontier);
    fixture_clear(&fixture);
}

void suite_frontier(void)
{
    static const struct test tests[] = {
        {"every node comes out once, in order",
         every_node_comes_out_once_in_order},
        {"reach is the top of what follows", reach_is_the_top_of_what_follows},
        {"children behind the best stay out",
         children_behind_the_best_stay_out},
        {"too many that wait are refused", too_many_that_wait_are_refused},
    };

    suite_add("frontier", tests, sizeof tests / sizeof tests[0]);
}
