#include "anonymizer/criterion_population.h"

#include <math.h>

#include "anonymizer/recheck_internal.h"
#include "common/random.h"
#include "tests/lib/fixture.h"
#include "tests/lib/suite.h"

void suite_criterion_population(void);

/* ---- the Poisson distribution ---- */

static bool is_near(double got, double expected)
{
    return fabs(got - expected) <= 1e-12 * fabs(expected);
}

/* By Python's decimal, 60 digits: 1 - exp(-m) sum m^i / i!. */
static void tails_are_those_of_sixty_digits(void)
{
    CU_ASSERT(
        is_near(population_poisson_tail(1.5081, 0), 7.78669894087331893e-01));
    CU_ASSERT(
        is_near(population_poisson_tail(1.5081, 5), 4.57143725649718745e-03));
    CU_ASSERT(
        is_near(population_poisson_tail(0.001, 0), 9.99500166625008233e-04));
    CU_ASSERT(
        is_near(population_poisson_tail(0.001, 2), 1.66541716652780756e-10));
    CU_ASSERT(
        is_near(population_poisson_tail(20, 10), 9.89188281173347228e-01));
    CU_ASSERT(
        is_near(population_poisson_tail(20, 20), 4.40907415768674815e-01));
    CU_ASSERT(
        is_near(population_poisson_tail(20, 45), 4.54017940213572347e-07));
    CU_ASSERT(
        is_near(population_poisson_tail(700, 650), 9.70438219971184957e-01));
    CU_ASSERT(
        is_near(population_poisson_tail(700, 700), 4.89949434142945450e-01));
    CU_ASSERT(
        is_near(population_poisson_tail(700, 800), 1.00066311623608252e-04));
    CU_ASSERT(
        is_near(population_poisson_tail(700, 900), 1.93790804796213146e-13));
}

/* The normal distribution is near: P(X > mean + 3 sqrt(mean)) is 0.00135 within
 * a skewness of 1 / sqrt(mean), and nothing overflows. */
static void large_means_do_not_overflow(void)
{
    double mean = 4e9;
    double tail =
        population_poisson_tail(mean, (uint64_t)(mean + 3 * sqrt(mean)));

    CU_ASSERT(fabs(tail - 0.00134989803) < 3e-7);
    CU_ASSERT(fabs(population_poisson_tail(mean, (uint64_t)mean) - 0.5) < 1e-5);
    CU_ASSERT_EQUAL(population_poisson_tail(mean, 1000), 1);
    CU_ASSERT_EQUAL(population_poisson_tail(1e-3, 4000000000), 0);
}

/* Term by term from the smallest count on, in long double. */
static uint64_t naive_k(const struct privacy_criterion *model, uint64_t rows)
{
    bool truncated = model->map == K_MAP_ZERO_TRUNCATED_POISSON;
    long double mean = model->k * (double)rows / model->population;
    long double term = expl(-mean), sum = truncated ? 0 : term;
    long double scale = truncated ? -expm1l(-mean) : 1;
    uint64_t count = 0, derived;

    if (truncated)
        sum = term *= mean / ++count;
    while (sum < (1 - model->significance) * scale && count < model->k) {
        term *= mean / ++count;
        sum += term;
    }
    derived = count + (truncated ? 1 : 2);
    if (derived > model->k)
        derived = model->k;
    return derived < rows ? derived : rows;
}

static void derived_k_is_that_of_counting_up(void)
{
    struct random random;
    unsigned below = 0;

    random_init(&random, fixture_seed(__func__));
    for (int i = 0; i < 20000; i++) {
        struct privacy_criterion model = {
            .model = MODEL_K_MAP,
            .k = 1 + (uint32_t)random_below(&random,
                                            1 + random_below(&random, 400)),
            .map = random_below(&random, 2) == 0 ? K_MAP_POISSON
                                                 : K_MAP_ZERO_TRUNCATED_POISSON,
            .significance = pow(10, -6 * random_double(&random))};
        uint64_t rows = 1 + random_below(&random, 100000), expected;

        model.population =
            (double)(rows + random_below(&random, 1 + 20 * rows));
        if (model.significance >= 1)
            continue;
        expected = naive_k(&model, rows);
        below += expected < model.k && expected < rows;
        CU_ASSERT_EQUAL(population_map_k(&model, rows), expected);
        CU_ASSERT_EQUAL(recheck_map_k(&model, rows), expected);
    }
    CU_ASSERT(below > 2000);
}

/* Both ways agree far beyond what can be counted up. */
static void derived_k_of_large_tables_is_one(void)
{
    static const double part[] = {1, 0.9, 0.3, 1e-3, 1e-6};
    static const uint32_t k[] = {1, 1000, 1000000, UINT32_MAX};

    for (size_t i = 0; i < 5; i++)
        for (size_t j = 0; j < 4; j++) {
            struct privacy_criterion model = {.model = MODEL_K_MAP,
                                              .k = k[j],
                                              .map = K_MAP_POISSON,
                                              .significance = 0.01,
                                              .population =
                                                  floor(4e9 / part[i])};
            uint32_t derived = population_map_k(&model, 4000000000);

            CU_ASSERT(derived >= 1 && derived <= k[j]);
            CU_ASSERT_EQUAL(recheck_map_k(&model, 4000000000), derived);
            model.map = K_MAP_ZERO_TRUNCATED_POISSON;
            CU_ASSERT_EQUAL(recheck_map_k(&model, 4000000000),
                            population_map_k(&model, 4000000000));
        }
}

/* ---- delta-presence ---- */

static void presence_is_a_share_between_two(void)
{
    struct privacy_criterion model = {
        .model = MODEL_DELTA_PRESENCE, .min = 0.25, .max = 0.5};

    CU_ASSERT(population_presence_holds(&model, 1, 2));
    CU_ASSERT(population_presence_holds(&model, 1, 4));
    CU_ASSERT(!population_presence_holds(&model, 2, 3));
    CU_ASSERT(!population_presence_holds(&model, 1, 5));
    CU_ASSERT(!population_presence_holds(&model, 0, 5));
    model.min = 0;
    CU_ASSERT(population_presence_holds(&model, 0, 5));
    model.max = 0;
    CU_ASSERT(!population_presence_holds(&model, 1, 4294967294u));
}

/* Every way of dividing a class into parts: what survives at the most is never
 * more than the bound. */
static uint32_t best_parts(const struct privacy_criterion *model, uint32_t rows,
                           uint32_t population, uint32_t parts)
{
    uint32_t best =
        population_presence_holds(model, rows, population) ? rows : 0;

    for (uint32_t c = 0; parts > 1 && c <= rows; c++)
        for (uint32_t p = c > 0 ? c : 1; p < population; p++) {
            uint32_t kept;

            /* The other part has at least its own rows. */
            if (population - p < rows - c ||
                (model->min > 0 && (c == 0 || c == rows)))
                continue;
            kept = population_presence_holds(model, c, p) ? c : 0;
            kept += best_parts(model, rows - c, population - p, parts - 1);
            if (kept > best)
                best = kept;
        }
    return best;
}

static void no_division_keeps_more_than_the_bound(void)
{
    static const double bound[] = {0, 0.2, 0.25, 0.4, 0.5, 0.75, 1};
    unsigned reached = 0, failing = 0;

    for (size_t low = 0; low < 7; low++)
        for (size_t high = low; high < 7; high++)
            for (uint32_t population = 1; population <= 7; population++)
                for (uint32_t rows = 1; rows <= population; rows++) {
                    struct privacy_criterion model = {.model =
                                                          MODEL_DELTA_PRESENCE,
                                                      .min = bound[low],
                                                      .max = bound[high]};
                    uint32_t most, best;

                    if (population_presence_holds(&model, rows, population))
                        continue;
                    most =
                        population_presence_survivors(&model, rows, population);
                    best = best_parts(&model, rows, population, 3);
                    failing++;
                    reached += best == most;
                    CU_ASSERT(best <= most && most < rows);
                }
    CU_ASSERT(failing > 300 && reached > failing / 4);
}

/* ---- criteria ---- */

static void population_must_hold_the_table(void)
{
    struct fixture fixture;
    struct criteria *criteria = NULL;
    struct error err;

    error_init(&err);
    fixture_init(&fixture);
    fixture_attribute(&fixture, "q", ROLE_QUASI_IDENTIFYING, NULL);
    fixture_model(&fixture,
                  &(struct privacy_criterion){.model = MODEL_K_MAP,
                                              .attribute = NO_ATTRIBUTE,
                                              .k = 2,
                                              .map = K_MAP_POISSON,
                                              .significance = 0.01,
                                              .population = 2});
    CU_ASSERT_EQUAL(fixture_read(&fixture, "q\nx\ny\nz\n", &err), OK);
    CU_ASSERT_EQUAL(
        criteria_create(&criteria, &fixture.policy, fixture.table, &err),
        E_INPUT);
    CU_ASSERT_STRING_EQUAL(err.text,
                           "policy.json: the population of k-map is 2, "
                           "expected no less than the rows that are a sample "
                           "of it, 3");
    CU_ASSERT_PTR_NULL(criteria);
    fixture_clear(&fixture);
}

/* x has 2 of 4, y none of 1. */
static void judge_two(double min, uint32_t k, struct verdict *verdict)
{
    static const uint8_t bottom[] = {0};
    struct fixture fixture;
    struct evaluator *evaluator;
    struct error err;

    fixture_init(&fixture);
    fixture_attribute(&fixture, "q", ROLE_QUASI_IDENTIFYING, NULL);
    fixture_model(&fixture,
                  &(struct privacy_criterion){.model = MODEL_DELTA_PRESENCE,
                                              .attribute = NO_ATTRIBUTE,
                                              .min = min,
                                              .max = 0.5});
    fixture_model(&fixture,
                  &(struct privacy_criterion){.model = MODEL_K_MAP,
                                              .attribute = NO_ATTRIBUTE,
                                              .k = k,
                                              .map = K_MAP_SUBSET});
    fixture_subset(&fixture, "i < 2");
    fixture_load(&fixture, "q\nx\nx\nx\nx\ny\n");
    error_init(&err);
    CU_ASSERT_EQUAL_FATAL(evaluator_create(&evaluator, &fixture.problem, &err),
                          OK);
    CU_ASSERT_EQUAL(evaluator_judge(evaluator, bottom, verdict, &err), OK);
    evaluator_destroy(&evaluator);
    fixture_clear(&fixture);
}

static void class_without_rows_spoils_a_transformation(void)
{
    struct verdict verdict;

    judge_two(0, 4, &verdict);
    CU_ASSERT(verdict.valid && !verdict.dead);
    judge_two(0.1, 4, &verdict);
    CU_ASSERT(!verdict.valid && verdict.dead);
    judge_two(0, 5, &verdict);
    CU_ASSERT(!verdict.valid && verdict.dead);
    CU_ASSERT_EQUAL(verdict.suppressed, 2);
}

void suite_criterion_population(void)
{
    static const struct test tests[] = {
        {"tails are those of sixty digits", tails_are_those_of_sixty_digits},
        {"large means do not overflow", large_means_do_not_overflow},
        {"the derived k is that of counting up",
         derived_k_is_that_of_counting_up},
        {"the derived k of large tables is one for search and recheck",
         derived_k_of_large_tables_is_one},
        {"presence is a share between two", presence_is_a_share_between_two},
        {"no division keeps more than the bound",
         no_division_keeps_more_than_the_bound},
        {"the population must hold the table", population_must_hold_the_table},
        {"a class without rows spoils a transformation",
         class_without_rows_spoils_a_transformation},
    };

    suite_add("criterion_population", tests, sizeof tests / sizeof tests[0]);
}
