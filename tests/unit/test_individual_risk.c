#include "anonymizer/individual_risk.h"

#include <math.h>

#include "tests/lib/suite.h"

void suite_individual_risk(void);

/* E(1 / F | f), term by term: F = f + j with the chance
 * C(f + j - 1, j) p^f q^j. */
static double by_definition(double f, double population)
{
    double p = f / population, q = 1 - p, chance = pow(p, f), sum = 0;

    for (int j = 0; j < 200000 && chance > 0; j++) {
        sum += chance / (f + j);
        chance *= q * (f + j) / (j + 1);
    }
    return sum;
}

static void without_others_outside_it_is_one_of_them(void)
{
    CU_ASSERT_EQUAL(individual_risk(1, 1), 1);
    CU_ASSERT_EQUAL(individual_risk(4, 4), 0.25);
    /* Weights below 1: no population is smaller than its sample. */
    CU_ASSERT_EQUAL(individual_risk(4, 2.5), 0.25);
}

static void ones_and_twos_are_as_defined(void)
{
    static const double population[] = {2.0001, 2.01, 2.2, 3, 17, 541, 5000};

    for (size_t i = 0; i < sizeof population / sizeof *population; i++) {
        CU_ASSERT_DOUBLE_EQUAL(individual_risk(1, population[i] / 2),
                               by_definition(1, population[i] / 2), 1e-12);
        CU_ASSERT_DOUBLE_EQUAL(individual_risk(2, population[i]),
                               by_definition(2, population[i]), 1e-12);
    }
}

/* p / (f - q) of f = 3 of 12: p = 1/4, 0.25 / 2.25. */
static void more_are_approximated(void)
{
    CU_ASSERT_EQUAL(individual_risk(3, 12), 0.25 / 2.25);
    for (int population = 5; population < 1000; population *= 2)
        CU_ASSERT(
            fabs(individual_risk(5, population) / by_definition(5, population) -
                 1) < 0.07);
}

void suite_individual_risk(void)
{
    static const struct test tests[] = {
        {"without others outside, it is one of them",
         without_others_outside_it_is_one_of_them},
        {"ones and twos are as defined", ones_and_twos_are_as_defined},
        {"more are approximated", more_are_approximated},
    };

    suite_add("individual_risk", tests, sizeof tests / sizeof *tests);
}
