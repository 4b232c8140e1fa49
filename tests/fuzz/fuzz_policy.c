/*
 * tests/fuzz/fuzz_policy.c - whatever policy: what is refused is refused with
 * words, and what is accepted has all that the engine relies on.
 *
 * Three hierarchies lie beside it: a.csv, b.csv, and bad.csv, which is none.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "anonymizer/builder.h"
#include "anonymizer/hierarchy.h"
#include "anonymizer/policy.h"
#include "anonymizer/subset.h"
#include "anonymizer/value_order.h"
#include "common/json.h"
#include "tests/lib/scratch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct scratch scratch;
static char policy_path[SCRATCH_PATH_MAX];

static void demand(bool truth)
{
    if (!truth)
        abort();
}

static void remove_scratch(void)
{
    scratch_close(&scratch);
}

static void set_up(void)
{
    if (policy_path[0] != '\0')
        return;
    scratch_open(&scratch);
    atexit(remove_scratch);
    scratch_write(&scratch, "a.csv", "1;0-4;*\n6;5-9;*\n");
    scratch_write(&scratch, "b.csv", "x,*\ny,*\n");
    scratch_write(&scratch, "bad.csv", "x,u,*\nx,v,*\n");
    snprintf(policy_path, sizeof policy_path, "%s",
             scratch_path(&scratch, "policy.json"));
}

/* What is described can be built, or is no tree; what is built has each value
 * once, and one `*` above all. */
static void check_builder(const struct policy *policy,
                          const struct policy_attribute *attribute)
{
    static const char *const values[] = {
        "0",  "-7", "12.5", "99999999999999999", "1e-9",       "a",
        "ab", "b",  "",     "2024-02-29",        "0000-01-01", "9999-12-31"};
    const struct value_order order = {policy, attribute};
    struct builder_value value[sizeof values / sizeof *values];
    struct hierarchy *hierarchy = NULL;
    struct error err;
    size_t count = 0;
    uint32_t top;
    enum status status;

    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct bytes text = bytes_of_string(values[i]);

        if (!policy_is_missing(policy, text) && value_is_typed(&order, text) &&
            builder_refuses(attribute->builder, text) == NULL)
            value[count++] = (struct builder_value){text, i, false};
    }
    if (count == 0)
        return;
    error_init(&err);
    status = builder_build(&hierarchy, attribute->builder, value, count, &err);
    demand(status == OK || status == E_INPUT || status == E_LIMIT);
    demand((status == OK) == (hierarchy != NULL));
    if (status != OK)
        return;
    top = hierarchy_levels(hierarchy) - 1;
    demand(top >= 1 && hierarchy_nodes(hierarchy, top) == 1);
    for (size_t i = 0; i < count; i++)
        demand(hierarchy_find(hierarchy, value[i].text) != HIERARCHY_NONE);
    hierarchy_close(&hierarchy);
}

static void check_attribute(const struct policy *policy,
                            const struct policy_attribute *attribute)
{
    uint32_t levels = attribute->builder == NULL ? 2 : HIERARCHY_LEVELS_MAX;

    if (attribute->hierarchy != NULL)
        levels = hierarchy_levels(attribute->hierarchy);
    demand(attribute->builder == NULL || attribute->hierarchy == NULL);
    demand(attribute->name[0] != '\0' && attribute->line >= 1);
    demand(policy_find(policy, bytes_of_string(attribute->name)) == attribute);
    demand(attribute->role <= ROLE_INSENSITIVE);
    demand(attribute->type <= TYPE_DATE);
    demand(attribute->level_max == LEVEL_UNLIMITED ||
           attribute->level_max < levels);
    demand(attribute->level_min < levels);
    demand(attribute->level_min <= attribute->level_max);
    demand(attribute->weight >= 0 && isfinite(attribute->weight));
    if (attribute->role != ROLE_QUASI_IDENTIFYING)
        demand(attribute->level_min == 0 && attribute->weight == 1 &&
               attribute->level_max == LEVEL_UNLIMITED);
    if (attribute->role != ROLE_QUASI_IDENTIFYING &&
        attribute->role != ROLE_SENSITIVE)
        demand(attribute->hierarchy == NULL && attribute->builder == NULL);
    if (attribute->builder != NULL)
        check_builder(policy, attribute);
}

static void check_population(const struct policy *policy,
                             const struct privacy_criterion *criterion)
{
    demand(criterion->attribute == NO_ATTRIBUTE);
    demand(policy->has_subset || !privacy_model_needs_population(criterion));
    if (criterion->model == MODEL_DELTA_PRESENCE) {
        demand(0 <= criterion->min && criterion->min <= criterion->max &&
               criterion->max <= 1);
        return;
    }
    demand(criterion->k >= 1);
    if (criterion->map != K_MAP_SUBSET)
        demand(0 < criterion->significance && criterion->significance < 1 &&
               criterion->population >= 1);
}

static void check_sample(const struct privacy_criterion *criterion)
{
    demand(criterion->attribute == NO_ATTRIBUTE);
    demand(criterion->threshold >= 0 && criterion->threshold <= 1);
    if (criterion->model == MODEL_POPULATION_UNIQUENESS)
        demand(criterion->population >= 1 &&
               criterion->population_estimator <= POPULATION_DANKAR);
}

/* A rule has an answer for every row. */
static void check_subset(const struct policy *policy)
{
    static const uint64_t row[] = {0, 1, 9, 1000, 65536, TABLE_ROWS_MAX - 1};
    bool member = false;

    demand((policy->subset != NULL) == policy->has_subset);
    demand(policy->has_subset || policy->subset_path == NULL);
    for (size_t i = 0; policy->has_subset && i < 6; i++)
        member = subset_contains(policy->subset, row[i]) || member;
    (void)member;
}

static void check_criterion(const struct policy *policy,
                            const struct privacy_criterion *criterion)
{
    demand(criterion->model <= MODEL_POPULATION_UNIQUENESS);
    if (criterion->model == MODEL_K_ANONYMITY) {
        demand(criterion->k >= 1 && criterion->attribute == NO_ATTRIBUTE);
        return;
    }
    if (criterion->model == MODEL_DELTA_PRESENCE ||
        criterion->model == MODEL_K_MAP) {
        check_population(policy, criterion);
        return;
    }
    if (privacy_model_is_of_sample(criterion->model)) {
        check_sample(criterion);
        return;
    }
    demand(criterion->attribute < policy->attribute_count);
    demand(policy->attribute[criterion->attribute].role == ROLE_SENSITIVE);
    if (criterion->model == MODEL_DELTA_DISCLOSURE) {
        demand(criterion->delta > 0 && isfinite(criterion->delta));
        return;
    }
    if (criterion->model == MODEL_BASIC_BETA_LIKENESS ||
        criterion->model == MODEL_ENHANCED_BETA_LIKENESS) {
        demand(criterion->beta > 0 && isfinite(criterion->beta));
        return;
    }
    if (privacy_model_compares(criterion->model)) {
        demand(criterion->t >= 0 && criterion->t <= 1);
        return;
    }
    demand(criterion->l >= 1 && criterion->l <= UINT32_MAX);
    if (criterion->model != MODEL_ENTROPY_L_DIVERSITY)
        demand(criterion->l == floor(criterion->l));
    if (criterion->model == MODEL_RECURSIVE_CL_DIVERSITY)
        demand(criterion->c > 0 && isfinite(criterion->c));
}

static void check_policy(const struct policy *policy)
{
    size_t quasi = 0, subjects = 0;

    for (size_t i = 0; i < policy->attribute_count; i++) {
        check_attribute(policy, &policy->attribute[i]);
        quasi += policy->attribute[i].role == ROLE_QUASI_IDENTIFYING;
        subjects += policy->attribute[i].role == ROLE_SUBJECT;
    }
    demand(quasi >= 1 && quasi <= QUASI_IDENTIFIERS_MAX && subjects <= 1);
    demand(policy->criterion_count >= 1);
    check_subset(policy);
    for (size_t i = 0; i < policy->criterion_count; i++)
        check_criterion(policy, &policy->criterion[i]);
    demand(policy->suppression_limit >= 0 && policy->suppression_limit <= 1);
    demand(policy->gs_factor >= 0 && policy->gs_factor <= 1);
    demand(policy->metric <= METRIC_AMBIGUITY);
    demand(policy->aggregate <= AGGREGATE_NONE);
    demand(policy->missing_count <= MISSING_TOKENS_MAX);
}

/* The same policy in its canonical form is the same policy. */
static void check_again(const struct policy *policy, struct bytes text)
{
    struct policy *again = NULL;
    struct json *json = NULL;
    struct text canonical;
    struct error err;

    text_init(&canonical);
    demand(json_parse(&json, text, &err) == OK);
    demand(json_print_canonical(json_root(json), &canonical, &err) == OK);
    demand(policy_parse(&again, text_bytes(&canonical), policy_path, &err) ==
           OK);
    demand(memcmp(&policy->digest, &again->digest, sizeof again->digest) == 0);
    demand(policy->attribute_count == again->attribute_count);
    demand(policy->criterion_count == again->criterion_count);
    policy_close(&again);
    json_destroy(&json);
    text_clear(&canonical);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct policy *policy = NULL;
    struct error err;
    enum status status;

    set_up();
    error_init(&err);
    status = policy_parse(&policy, bytes_of(data, size), policy_path, &err);
    if (status != OK) {
        demand(status == E_INPUT || status == E_LIMIT || status == E_VERSION);
        demand(policy == NULL);
        demand(strncmp(err.text, policy_path, strlen(policy_path)) == 0);
        return 0;
    }
    demand(err.text[0] == '\0');
    check_policy(policy);
    check_again(policy, bytes_of(data, size));
    policy_close(&policy);
    return 0;
}
