#include "anonymizer/policy_risk.h"

#include <float.h>
#include <stdio.h>
#include <string.h>

#include "anonymizer/policy_internal.h"

static const struct json_word forms[] = {
    [SUDA_FACTORIAL] = {"factorial", false},
    [SUDA_NORMALISED] = {"normalised", false},
    {NULL, false},
};

static const struct {
    const char *name;
    uint64_t people;
} regions[] = {
#define REGION(name, people) {name, people},
#include "anonymizer/regions.def"
#undef REGION
};

void policy_risk_init(struct policy_risk *risk)
{
    *risk = (struct policy_risk){
        .threshold = {0.05, 0.1, 0.2, 0.33},
        .threshold_count = 4,
        .missing_match = 1,
        .weight = NO_ATTRIBUTE,
        .household = NO_ATTRIBUTE,
        .suda_fraction = 0.01,
        .recursive_c = 2,
    };
}

static enum status too_many(const char *what, struct error *err)
{
    return error_set(err, E_LIMIT, "more than %d %s", RISK_LIST_MAX, what);
}

enum status policy_risk_add_threshold(struct policy_risk *risk,
                                      double threshold, struct error *err)
{
    if (!risk->thresholds_given)
        risk->threshold_count = 0;
    risk->thresholds_given = true;
    if (risk->threshold_count == RISK_LIST_MAX)
        return too_many("thresholds", err);
    risk->threshold[risk->threshold_count++] = threshold;
    return OK;
}

enum status policy_risk_add_population(struct policy_risk *risk,
                                       uint64_t people, struct error *err)
{
    if (risk->population_count == RISK_LIST_MAX)
        return too_many("population sizes", err);
    risk->population[risk->population_count++] = people;
    return OK;
}

enum status policy_risk_add_region(struct policy_risk *risk, const char *name,
                                   struct error *err)
{
    char names[512] = "";
    size_t used = 0;

    for (size_t i = 0; i < COUNT_OF(regions); i++) {
        if (strcmp(regions[i].name, name) == 0)
            return policy_risk_add_population(risk, regions[i].people, err);
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s",
                                 i == 0 ? "" : ", ", regions[i].name);
    }
    return error_set(err, E_INPUT,
                     "there is no region of this name, expected one of %s",
                     names);
}

/* ---- the policy's object ---- */

/* The target of takers. */
struct reading {
    struct policy_risk risk;
    const struct policy *policy;
};

static enum status at_line(const struct json_value *value, struct error *err)
{
    return error_wrap(err, "line %u", json_line(value));
}

static enum status take_threshold(const struct json_value *item, void *target,
                                  struct error *err)
{
    struct reading *reading = target;
    bool is_share = json_kind(item) == JSON_NUMBER && json_number(item) >= 0 &&
                    json_number(item) <= 1;

    if (!is_share)
        return error_set(err, E_INPUT,
                         "line %u: a threshold is something else, expected a "
                         "number from 0 to 1",
                         json_line(item));
    return policy_risk_add_threshold(&reading->risk, json_number(item), err);
}

static enum status take_population(const struct json_value *item, void *target,
                                   struct error *err)
{
    struct reading *reading = target;
    int64_t people = 0;

    if (json_kind(item) != JSON_NUMBER || !json_integer(item, &people) ||
        people < 1 || (uint64_t)people > RISK_POPULATION_MAX)
        return error_set(err, E_INPUT,
                         "line %u: a population is something else, expected a "
                         "whole number from 1 to %ju",
                         json_line(item), (uintmax_t)RISK_POPULATION_MAX);
    return policy_risk_add_population(&reading->risk, (uint64_t)people, err);
}

static enum status take_one_population(const struct json_key *key,
                                       const struct json_value *value,
                                       void *target, struct error *err)
{
    (void)key;
    return take_population(value, target, err);
}

static enum status take_region(const struct json_key *key,
                               const struct json_value *value, void *target,
                               struct error *err)
{
    struct reading *reading = target;

    (void)key;
    if (policy_risk_add_region(&reading->risk, json_string(value), err) != OK)
        return at_line(value, err);
    return OK;
}

/* A column that is no quasi-identifier, by its name. */
static enum status take_column(const struct json_key *key,
                               const struct json_value *value, void *target,
                               struct error *err)
{
    struct reading *reading = target;
    const struct policy_attribute *attribute =
        policy_find(reading->policy, bytes_of_string(json_string(value)));
    size_t index;

    if (attribute == NULL)
        return json_refuse(key, value, "names no attribute", err);
    if (attribute->role == ROLE_QUASI_IDENTIFYING)
        return json_refuse(key, value, "names a quasi-identifier", err);
    index = (size_t)(attribute - reading->policy->attribute);
    memcpy((char *)target + key->offset, &index, sizeof index);
    return OK;
}

static enum status take_suda(const struct json_key *key,
                             const struct json_value *value, void *target,
                             struct error *err)
{
    static const struct json_key keys[] = {
        {.name = "fraction",
         .kind = JSON_NUMBER,
         .expected = "a number above 0 and below 1",
         .take = json_take_number,
         .offset = offsetof(struct reading, risk.suda_fraction),
         .min = DBL_MIN,
         .max = 1 - DBL_EPSILON},
        {.name = "score",
         .kind = JSON_STRING,
         .expected = "the name of a form",
         .take = json_take_word,
         .offset = offsetof(struct reading, risk.suda_form),
         .word = forms},
    };
    struct reading *reading = target;

    (void)key;
    reading->risk.suda = true;
    return json_take_object(value, keys, COUNT_OF(keys), target, err);
}

#define IN_RISK(member) offsetof(struct reading, risk.member)

/* The population's kind is that of the policy: a number or a list of them. */
#define KEY_POPULATION 1

static const struct json_key risk_keys[] = {
    {.name = "thresholds",
     .kind = JSON_ARRAY,
     .expected = "an array of 1 to 16 numbers from 0 to 1",
     .take = json_take_items,
     .min = 1,
     .max = RISK_LIST_MAX,
     .item = take_threshold},
    [KEY_POPULATION] = {.name = "population",
                        .kind = JSON_NUMBER,
                        .expected = "a whole number, or an array of them",
                        .take = take_one_population},
    {.name = "region",
     .kind = JSON_STRING,
     .expected = "the name of a region",
     .take = take_region},
    {.name = "subset_size",
     .kind = JSON_NUMBER,
     .expected = "a whole number from 1 on",
     .take = json_take_count,
     .offset = IN_RISK(subset_size),
     .min = 1,
     .max = QUASI_IDENTIFIERS_MAX},
    {.name = "missing_match",
     .kind = JSON_NUMBER,
     .expected = "a number from 0 to 1",
     .take = json_take_number,
     .offset = IN_RISK(missing_match),
     .max = 1},
    {.name = "weight",
     .kind = JSON_STRING,
     .expected = "the name of an attribute that is no quasi-identifier",
     .take = take_column,
     .offset = IN_RISK(weight)},
    {.name = "household",
     .kind = JSON_STRING,
     .expected = "the name of an attribute that is no quasi-identifier",
     .take = take_column,
     .offset = IN_RISK(household)},
    {.name = "suda",
     .kind = JSON_OBJECT,
     .expected = "an object",
     .take = take_suda},
    {.name = "recursive_c",
     .kind = JSON_NUMBER,
     .expected = "a number above 0",
     .take = json_take_number,
     .offset = IN_RISK(recursive_c),
     .min = DBL_TRUE_MIN,
     .max = DBL_MAX},
};

enum status policy_read_risk(struct policy *policy,
                             const struct json_value *risk, struct error *err)
{
    struct json_key keys[COUNT_OF(risk_keys)];
    struct reading reading = {.policy = policy};
    const struct json_value *population;

    policy_risk_init(&reading.risk);
    if (risk == NULL) {
        policy->risk = reading.risk;
        return OK;
    }
    memcpy(keys, risk_keys, sizeof keys);
    population = json_member(risk, keys[KEY_POPULATION].name);
    if (population != NULL && json_kind(population) == JSON_ARRAY) {
        keys[KEY_POPULATION].kind = JSON_ARRAY;
        keys[KEY_POPULATION].take = json_take_items;
        keys[KEY_POPULATION].item = take_population;
        keys[KEY_POPULATION].min = 1;
        keys[KEY_POPULATION].max = RISK_LIST_MAX;
    }
    if (json_take_object(risk, keys, COUNT_OF(keys), &reading, err) != OK)
        return err->status;
    policy->risk = reading.risk;
    return OK;
}
