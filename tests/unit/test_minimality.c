/*
 * What an optimal result tells by being the optimum: the example of
 * docs/privacy.md, by trying every table that there could have been.
 *
 * R. C.-W. Wong, A. W.-C. Fu, K. Wang, J. Pei, "Minimality attack in privacy
 * preserving data publishing", VLDB 2007.
 */
#include <stdio.h>
#include <string.h>

#include "anonymizer/search.h"
#include "tests/lib/fixture.h"
#include "tests/lib/suite.h"

void suite_minimality(void);

#define PERSONS 5
#define GOUTS 2

/* Two are 25, three are 38: everybody knows.  Who has which illness, nobody
 * does, but that two have gout and the others something else each. */
struct world {
    bool has_gout[PERSONS];
};

static void world_table(const struct world *world, char *table, size_t size)
{
    static const char *const other[] = {"flu", "cold", "mumps"};
    static const char *const age[PERSONS] = {"25", "25", "38", "38", "38"};
    size_t used = (size_t)snprintf(table, size, "age,illness\n"), next = 0;

    for (size_t i = 0; i < PERSONS; i++)
        used += (size_t)snprintf(table + used, size - used, "%s,%s\n", age[i],
                                 world->has_gout[i] ? "gout" : other[next++]);
}

/* The level that is chosen in this world. */
static uint8_t released_level(const struct world *world,
                              const struct privacy_criterion *model)
{
    struct search_result found;
    struct fixture fixture;
    struct error err;
    char table[128];

    error_init(&err);
    world_table(world, table, sizeof table);
    fixture_init(&fixture);
    fixture_attribute(&fixture, "age", ROLE_QUASI_IDENTIFYING,
                      "25;20-39;*\n38;20-39;*\n");
    fixture_attribute(&fixture, "illness", ROLE_SENSITIVE, NULL);
    fixture_model(&fixture, model);
    fixture_load(&fixture, table);
    CU_ASSERT_EQUAL_FATAL(search_run(&found, &fixture.problem, 1, NULL, &err),
                          OK);
    fixture_clear(&fixture);
    return found.level[0];
}

/* All of them: gouts is a bit per person. */
static bool world_from(unsigned gouts, struct world *world)
{
    unsigned count = 0;

    for (unsigned i = 0; i < PERSONS; i++) {
        world->has_gout[i] = (gouts >> i & 1) != 0;
        count += gouts >> i & 1;
    }
    return count == GOUTS;
}

/* The release says that five people of 20 to 39 have four illnesses, two of
 * them gout.  It is the best only if both who are 25 have it. */
static void an_optimum_for_diversity_tells_who_is_ill(void)
{
    const struct privacy_criterion diversity = {
        .model = MODEL_DISTINCT_L_DIVERSITY, .attribute = 1, .l = 2};
    unsigned worlds = 0, generalized = 0;
    struct world world;

    for (unsigned gouts = 0; gouts < 1u << PERSONS; gouts++) {
        if (!world_from(gouts, &world))
            continue;
        worlds++;
        if (released_level(&world, &diversity) == 0)
            continue;
        generalized++;
        CU_ASSERT(world.has_gout[0] && world.has_gout[1]);
    }
    CU_ASSERT_EQUAL(worlds, 10);
    CU_ASSERT_EQUAL(generalized, 1);
}

/* k-anonymity looks at ages alone: the choice is the same in every world. */
static void an_optimum_for_k_tells_nothing_of_illnesses(void)
{
    for (uint32_t k = 1; k <= PERSONS; k++) {
        const struct privacy_criterion anonymity = {
            .model = MODEL_K_ANONYMITY, .attribute = NO_ATTRIBUTE, .k = k};
        struct world world;

        for (unsigned gouts = 0; gouts < 1u << PERSONS; gouts++)
            if (world_from(gouts, &world))
                CU_ASSERT_EQUAL(released_level(&world, &anonymity),
                                k > 2 ? 1 : 0);
    }
}

void suite_minimality(void)
{
    static const struct test tests[] = {
        {"an optimum for diversity tells who is ill",
         an_optimum_for_diversity_tells_who_is_ill},
        {"an optimum for k tells nothing of illnesses",
         an_optimum_for_k_tells_nothing_of_illnesses},
    };

    suite_add("minimality", tests, sizeof tests / sizeof *tests);
}
