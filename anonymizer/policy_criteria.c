#include "anonymizer/policy_internal.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

#include "anonymizer/hierarchy.h"
#include "common/json_keys.h"
#include "common/suggestion.h"

/* json_take_word stores an unsigned; the lists below follow the enums. */
_Static_assert(sizeof(enum privacy_model) == sizeof(unsigned) &&
                   sizeof(enum entropy_estimator) == sizeof(unsigned) &&
                   sizeof(enum k_map_population) == sizeof(unsigned) &&
                   sizeof(enum population_estimator) == sizeof(unsigned),
               "an enum is stored as an unsigned");

static const struct json_word models[] = {
#define MODEL_WORD(name, id) [MODEL_##id] = {name, false},
    PRIVACY_MODEL_TABLE(MODEL_WORD)
#undef MODEL_WORD
        {NULL, false},
};

static const struct json_word estimators[] = {
    [ESTIMATOR_SHANNON] = {"shannon", false},
    [ESTIMATOR_GRASSBERGER] = {"grassberger", false},
    {NULL, false},
};

static const struct json_word maps[] = {
    [K_MAP_POISSON] = {"poisson", false},
    [K_MAP_ZERO_TRUNCATED_POISSON] = {"zero-truncated-poisson", false},
    {NULL, false},
};

const char *k_map_population_name(enum k_map_population map)
{
    return maps[map].name;
}

bool privacy_model_needs_population(const struct privacy_criterion *criterion)
{
    return criterion->model == MODEL_DELTA_PRESENCE ||
           (criterion->model == MODEL_K_MAP && criterion->map == K_MAP_SUBSET);
}

static const struct json_word population_estimators[] = {
    [POPULATION_PITMAN] = {"pitman", false},
    [POPULATION_ZAYATZ] = {"zayatz", false},
    [POPULATION_SNB] = {"snb", false},
    [POPULATION_DANKAR] = {"dankar", false},
    {NULL, false},
};

const char *population_estimator_name(enum population_estimator estimator)
{
    return population_estimators[estimator].name;
}

const char *privacy_model_name(enum privacy_model model)
{
    return models[model].name;
}

bool privacy_model_compares(enum privacy_model model)
{
    return model >= MODEL_T_CLOSENESS_EQUAL &&
           model <= MODEL_ENHANCED_BETA_LIKENESS;
}

bool privacy_model_is_of_sample(enum privacy_model model)
{
    return model >= MODEL_AVERAGE_RISK && model <= MODEL_POPULATION_UNIQUENESS;
}

struct criterion_target {
    struct privacy_criterion criterion;
    bool has_records_at_risk;
    const struct policy *policy;
};

static enum status take_attribute(const struct json_key *key,
                                  const struct json_value *value, void *target,
                                  struct error *err)
{
    struct criterion_target *to = target;
    const struct policy_attribute *found =
        policy_find(to->policy, bytes_of_string(json_string(value)));
    struct suggestion suggestion;

    if (found == NULL) {
        suggestion_init(&suggestion, json_string(value));
        for (size_t i = 0; i < to->policy->attribute_count; i++)
            suggestion_consider(&suggestion, to->policy->attribute[i].name);
        if (suggestion.best == NULL)
            return json_refuse(key, value, "is none of this policy's", err);
        return error_set(err, E_INPUT,
                         "line %u: \"%s\" is none of this policy's, did you "
                         "mean %s?",
                         json_line(value), key->name,
                         json_quote(suggestion.best).text);
    }
    if (found->role != ROLE_SENSITIVE)
        return error_set(err, E_INPUT,
                         "line %u: %s is %s, expected a sensitive attribute",
                         json_line(value), json_quote(found->name).text,
                         attribute_role_name(found->role));
    to->criterion.attribute = (size_t)(found - to->policy->attribute);
    return OK;
}

static enum status take_records_at_risk(const struct json_key *key,
                                        const struct json_value *value,
                                        void *target, struct error *err)
{
    ((struct criterion_target *)target)->has_records_at_risk = true;
    return json_take_number(key, value, target, err);
}

#define IN_CRITERION(field) offsetof(struct criterion_target, criterion.field)

static const struct json_key model_key = {
    .name = "model",
    .kind = JSON_STRING,
    .expected = "the name of a privacy model",
    .take = json_take_word,
    .required = true,
    .offset = IN_CRITERION(model),
    .word = models,
};

/* The keys that several models share. */
#define KEY_MODEL                                                              \
    {                                                                          \
        .name = "model", .kind = JSON_STRING,                                  \
        .expected = "the name of a privacy model", .take = policy_take_nothing \
    }
#define KEY_ATTRIBUTE                                                          \
    {                                                                          \
        .name = "attribute", .kind = JSON_STRING,                              \
        .expected = "the name of a sensitive attribute",                       \
        .take = take_attribute, .required = true                               \
    }
#define KEY_WHOLE_L                                                            \
    {                                                                          \
        .name = "l", .kind = JSON_NUMBER,                                      \
        .expected = "a whole number from 1 to 4294967295",                     \
        .take = json_take_number, .required = true, .offset = IN_CRITERION(l), \
        .min = 1, .max = UINT32_MAX, .whole = true                             \
    }

static const struct json_key k_anonymity_keys[] = {
    KEY_MODEL,
    {.name = "k",
     .kind = JSON_NUMBER,
     .expected = "a whole number from 1 to 4294967295",
     .take = json_take_count,
     .required = true,
     .offset = IN_CRITERION(k),
     .min = 1,
     .max = UINT32_MAX},
};

static const struct json_key distinct_l_keys[] = {
    KEY_MODEL,
    KEY_ATTRIBUTE,
    KEY_WHOLE_L,
};

static const struct json_key entropy_l_keys[] = {
    KEY_MODEL,
    KEY_ATTRIBUTE,
    {.name = "l",
     .kind = JSON_NUMBER,
     .expected = "a number from 1 to 4294967295",
     .take = json_take_number,
     .required = true,
     .offset = IN_CRITERION(l),
     .min = 1,
     .max = UINT32_MAX},
    {.name = "estimator",
     .kind = JSON_STRING,
     .expected = "the name of an estimator",
     .take = json_take_word,
     .offset = IN_CRITERION(estimator),
     .word = estimators},
};

static const struct json_key recursive_cl_keys[] = {
    KEY_MODEL,
    KEY_ATTRIBUTE,
    {.name = "c",
     .kind = JSON_NUMBER,
     .expected = "a number above 0",
     .take = json_take_number,
     .required = true,
     .offset = IN_CRITERION(c),
     .min = DBL_TRUE_MIN,
     .max = DBL_MAX},
    KEY_WHOLE_L,
};

static const struct json_key t_closeness_keys[] = {
    KEY_MODEL,
    KEY_ATTRIBUTE,
    {.name = "t",
     .kind = JSON_NUMBER,
     .expected = "a number from 0 to 1",
     .take = json_take_number,
     .required = true,
     .offset = IN_CRITERION(t),
     .min = 0,
     .max = 1},
};

static const struct json_key delta_disclosure_keys[] = {
    KEY_MODEL,
    KEY_ATTRIBUTE,
    {.name = "delta",
     .kind = JSON_NUMBER,
     .expected = "a number above 0",
     .take = json_take_number,
     .required = true,
     .offset = IN_CRITERION(delta),
     .min = DBL_TRUE_MIN,
     .max = DBL_MAX},
};

static const struct json_key beta_likeness_keys[] = {
    KEY_MODEL,
    KEY_ATTRIBUTE,
    {.name = "beta",
     .kind = JSON_NUMBER,
     .expected = "a number above 0",
     .take = json_take_number,
     .required = true,
     .offset = IN_CRITERION(beta),
     .min = DBL_TRUE_MIN,
     .max = DBL_MAX},
};

static const struct json_key delta_presence_keys[] = {
    KEY_MODEL,
    {.name = "min",
     .kind = JSON_NUMBER,
     .expected = "a number from 0 to 1",
     .take = json_take_number,
     .required = true,
     .offset = IN_CRITERION(min),
     .max = 1},
    {.name = "max",
     .kind = JSON_NUMBER,
     .expected = "a number from 0 to 1",
     .take = json_take_number,
     .required = true,
     .offset = IN_CRITERION(max),
     .max = 1},
};

/* The significance ends at the largest double below 1. */
static const struct json_key k_map_keys[] = {
    KEY_MODEL,
    {.name = "k",
     .kind = JSON_NUMBER,
     .expected = "a whole number from 1 to 4294967295",
     .take = json_take_count,
     .required = true,
     .offset = IN_CRITERION(k),
     .min = 1,
     .max = UINT32_MAX},
    {.name = "estimator",
     .kind = JSON_STRING,
     .expected = "the name of an estimator",
     .take = json_take_word,
     .offset = IN_CRITERION(map),
     .word = maps},
    {.name = "significance",
     .kind = JSON_NUMBER,
     .expected = "a number above 0 and below 1",
     .take = json_take_number,
     .offset = IN_CRITERION(significance),
     .min = DBL_TRUE_MIN,
     .max = 1 - DBL_EPSILON / 2},
    {.name = "population",
     .kind = JSON_NUMBER,
     .expected = "a whole number from 1 to 9007199254740992",
     .take = json_take_number,
     .offset = IN_CRITERION(population),
     .min = 1,
     .max = 9007199254740992.0,
     .whole = true},
};

static const struct json_key average_risk_keys[] = {
    KEY_MODEL,
    {.name = "threshold",
     .kind = JSON_NUMBER,
     .expected = "a number above 0, up to 1",
     .take = json_take_number,
     .required = true,
     .offset = IN_CRITERION(threshold),
     .min = DBL_TRUE_MIN,
     .max = 1},
    {.name = "highest_risk",
     .kind = JSON_NUMBER,
     .expected = "a number from 1e-9 to 1",
     .take = json_take_number,
     .offset = IN_CRITERION(highest_risk),
     .min = HIGHEST_RISK_MIN,
     .max = 1},
    {.name = "records_at_risk",
     .kind = JSON_NUMBER,
     .expected = "a number from 0 to 1",
     .take = take_records_at_risk,
     .offset = IN_CRITERION(records_at_risk),
     .min = 0,
     .max = 1},
};

#define KEY_THRESHOLD                                                          \
    {                                                                          \
        .name = "threshold", .kind = JSON_NUMBER,                              \
        .expected = "a number from 0 to 1", .take = json_take_number,          \
        .required = true, .offset = IN_CRITERION(threshold), .min = 0,         \
        .max = 1                                                               \
    }

static const struct json_key sample_uniqueness_keys[] = {
    KEY_MODEL,
    KEY_THRESHOLD,
};

static const struct json_key population_uniqueness_keys[] = {
    KEY_MODEL,
    KEY_THRESHOLD,
    {.name = "estimator",
     .kind = JSON_STRING,
     .expected = "the name of an estimator",
     .take = json_take_word,
     .required = true,
     .offset = IN_CRITERION(population_estimator),
     .word = population_estimators},
    {.name = "population",
     .kind = JSON_NUMBER,
     .expected = "a whole number from 1 to 10000000000",
     .take = json_take_number,
     .required = true,
     .offset = IN_CRITERION(population),
     .min = 1,
     .max = POPULATION_MAX,
     .whole = true},
};

static const struct {
    const struct json_key *key;
    size_t count;
} model_keys[] = {
    [MODEL_K_ANONYMITY] = {k_anonymity_keys, COUNT_OF(k_anonymity_keys)},
    [MODEL_DISTINCT_L_DIVERSITY] = {distinct_l_keys, COUNT_OF(distinct_l_keys)},
    [MODEL_ENTROPY_L_DIVERSITY] = {entropy_l_keys, COUNT_OF(entropy_l_keys)},
    [MODEL_RECURSIVE_CL_DIVERSITY] = {recursive_cl_keys,
                                      COUNT_OF(recursive_cl_keys)},
    [MODEL_T_CLOSENESS_EQUAL] = {t_closeness_keys, COUNT_OF(t_closeness_keys)},
    [MODEL_T_CLOSENESS_ORDERED] = {t_closeness_keys,
                                   COUNT_OF(t_closeness_keys)},
    [MODEL_T_CLOSENESS_HIERARCHICAL] = {t_closeness_keys,
                                        COUNT_OF(t_closeness_keys)},
    [MODEL_DELTA_DISCLOSURE] = {delta_disclosure_keys,
                                COUNT_OF(delta_disclosure_keys)},
    [MODEL_BASIC_BETA_LIKENESS] = {beta_likeness_keys,
                                   COUNT_OF(beta_likeness_keys)},
    [MODEL_ENHANCED_BETA_LIKENESS] = {beta_likeness_keys,
                                      COUNT_OF(beta_likeness_keys)},
    [MODEL_DELTA_PRESENCE] = {delta_presence_keys,
                              COUNT_OF(delta_presence_keys)},
    [MODEL_K_MAP] = {k_map_keys, COUNT_OF(k_map_keys)},
    [MODEL_AVERAGE_RISK] = {average_risk_keys, COUNT_OF(average_risk_keys)},
    [MODEL_SAMPLE_UNIQUENESS] = {sample_uniqueness_keys,
                                 COUNT_OF(sample_uniqueness_keys)},
    [MODEL_POPULATION_UNIQUENESS] = {population_uniqueness_keys,
                                     COUNT_OF(population_uniqueness_keys)},
};

/* Every two values must have a distance: they must meet somewhere. */
static enum status check_tree(const struct policy_attribute *attribute,
                              const struct json_value *element,
                              struct error *err)
{
    const struct hierarchy *hierarchy = attribute->hierarchy;
    uint32_t roots;

    if (!attribute->has_hierarchy)
        return error_set(err, E_INPUT,
                         "line %u: %s has no hierarchy, expected one, by which "
                         "its values are near or far",
                         json_line(element), json_quote(attribute->name).text);
    if (hierarchy == NULL)
        return OK; /* its digest alone is known */
    roots = hierarchy_nodes(hierarchy, hierarchy_levels(hierarchy) - 1);
    if (roots > 1)
        return error_set(err, E_INPUT,
                         "line %u: the hierarchy of %s has %u labels at its "
                         "top, expected one, under which all values are",
                         json_line(element), json_quote(attribute->name).text,
                         (unsigned)roots);
    return OK;
}

/* One says which records are at risk, the other how many may be. */
static enum status check_risk(const struct criterion_target *target,
                              const struct json_value *element,
                              struct error *err)
{
    bool has_highest_risk = target->criterion.highest_risk > 0;

    if (has_highest_risk == target->has_records_at_risk)
        return OK;
    return error_set(
        err, E_INPUT,
        "line %u: there is \"%s\" without \"%s\", expected both or "
        "neither",
        json_line(element),
        has_highest_risk ? "highest_risk" : "records_at_risk",
        has_highest_risk ? "records_at_risk" : "highest_risk");
}

/* What a model needs of its attribute. */
static enum status check_attribute(const struct policy *policy,
                                   const struct privacy_criterion *criterion,
                                   const struct json_value *element,
                                   struct error *err)
{
    const struct policy_attribute *attribute;

    if (criterion->model == MODEL_T_CLOSENESS_HIERARCHICAL)
        return check_tree(&policy->attribute[criterion->attribute], element,
                          err);
    if (criterion->model != MODEL_T_CLOSENESS_ORDERED)
        return OK;
    attribute = &policy->attribute[criterion->attribute];
    if (attribute->type == TYPE_ORDINAL && !attribute->has_hierarchy)
        return error_set(err, E_INPUT,
                         "line %u: %s is ordinal, expected a hierarchy, whose "
                         "rows are the order of its values",
                         json_line(element), json_quote(attribute->name).text);
    return OK;
}

/* An estimate needs all that it is made from, and a count nothing of it. */
static enum status check_k_map(const struct privacy_criterion *criterion,
                               const struct json_value *element,
                               struct error *err)
{
    static const char *const keys[] = {"significance", "population"};
    bool estimates = criterion->map != K_MAP_SUBSET;

    for (size_t i = 0; i < COUNT_OF(keys); i++)
        if ((json_member(element, keys[i]) != NULL) != estimates)
            return error_set(err, E_INPUT,
                             "line %u: k-map %s an estimator, expected %s "
                             "\"%s\"",
                             json_line(element), estimates ? "with" : "without",
                             estimates ? "a" : "no", keys[i]);
    return OK;
}

/* What a model needs of the population. */
static enum status check_population(const struct policy *policy,
                                    const struct privacy_criterion *criterion,
                                    const struct json_value *element,
                                    struct error *err)
{
    if (criterion->model == MODEL_K_MAP &&
        check_k_map(criterion, element, err) != OK)
        return err->status;
    if (criterion->model == MODEL_DELTA_PRESENCE &&
        criterion->min > criterion->max)
        return error_set(err, E_INPUT,
                         "line %u: \"min\" is above \"max\", expected at most "
                         "that",
                         json_line(element));
    if (!privacy_model_needs_population(criterion) || policy->has_subset)
        return OK;
    return error_set(err, E_INPUT,
                     "line %u: %s needs a population, expected a \"subset\" of "
                     "the table%s",
                     json_line(element), privacy_model_name(criterion->model),
                     criterion->model == MODEL_K_MAP ? ", or an \"estimator\""
                                                     : "");
}

static enum status read_criterion(struct policy *policy,
                                  const struct json_value *element,
                                  struct error *err)
{
    struct criterion_target target = {.criterion.attribute = NO_ATTRIBUTE,
                                      .criterion.map = K_MAP_SUBSET,
                                      .policy = policy};
    enum privacy_model model;

    if (json_kind(element) != JSON_OBJECT)
        return error_set(
            err, E_INPUT, "line %u: a privacy model is %s, expected an object",
            json_line(element), json_kind_name(json_kind(element)));
    if (json_take_member(element, &model_key, &target, err) != OK)
        return err->status;
    model = target.criterion.model;
    if (json_take_object(element, model_keys[model].key,
                         model_keys[model].count, &target, err) != OK)
        return err->status;
    if (check_risk(&target, element, err) != OK ||
        check_attribute(policy, &target.criterion, element, err) != OK ||
        check_population(policy, &target.criterion, element, err) != OK)
        return err->status;
    policy->criterion[policy->criterion_count++] = target.criterion;
    return OK;
}

enum status policy_read_criteria(struct policy *policy,
                                 const struct json_value *privacy,
                                 struct error *err)
{
    size_t count = json_length(privacy);

    if (count == 0)
        return error_set(err, E_INPUT,
                         "line %u: \"privacy\" is empty, expected at least one "
                         "privacy model",
                         json_line(privacy));
    if (count > CRITERIA_MAX)
        return error_set(err, E_LIMIT,
                         "line %u: %zu privacy models, expected at most %d",
                         json_line(privacy), count, CRITERIA_MAX);
    policy->criterion = calloc(count, sizeof *policy->criterion);
    if (policy->criterion == NULL)
        return error_memory(err, "the privacy models");
    for (const struct json_value *element = json_first(privacy);
         element != NULL; element = json_next(element))
        if (read_criterion(policy, element, err) != OK)
            return err->status;
    return OK;
}
