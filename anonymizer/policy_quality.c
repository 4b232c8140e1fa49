#include "anonymizer/policy_internal.h"

/* json_take_word stores an unsigned; the lists below follow the enums. */
_Static_assert(sizeof(enum quality_metric) == sizeof(unsigned) &&
                   sizeof(enum aggregate) == sizeof(unsigned),
               "an enum is stored as an unsigned");

static const struct json_word metrics[] = {
#define METRIC_WORD(name, id, aggregate, gs) [METRIC_##id] = {name, false},
    QUALITY_METRIC_TABLE(METRIC_WORD)
#undef METRIC_WORD
        {NULL, false},
};

static const enum aggregate metric_aggregates[] = {
#define METRIC_AGGREGATE(name, id, aggregate, gs)                              \
    [METRIC_##id] = AGGREGATE_##aggregate,
    QUALITY_METRIC_TABLE(METRIC_AGGREGATE)
#undef METRIC_AGGREGATE
};

static const enum gs_range metric_ranges[] = {
#define METRIC_RANGE(name, id, aggregate, gs) [METRIC_##id] = GS_##gs,
    QUALITY_METRIC_TABLE(METRIC_RANGE)
#undef METRIC_RANGE
};

static const struct json_word aggregates[] = {
    [AGGREGATE_SUM] = {"sum", false},
    [AGGREGATE_MAXIMUM] = {"maximum", false},
    [AGGREGATE_ARITHMETIC_MEAN] = {"arithmetic-mean", false},
    [AGGREGATE_GEOMETRIC_MEAN] = {"geometric-mean", false},
    [AGGREGATE_RANK] = {"rank", false},
    {NULL, false},
};

const char *quality_metric_name(enum quality_metric metric)
{
    return metrics[metric].name;
}

enum aggregate quality_metric_aggregate(enum quality_metric metric)
{
    return metric_aggregates[metric];
}

enum gs_range quality_metric_gs(enum quality_metric metric)
{
    return metric_ranges[metric];
}

const char *aggregate_name(enum aggregate aggregate)
{
    return aggregates[aggregate].name;
}

/* The members are judged together: they may stand in any order. */
struct quality {
    enum quality_metric metric;
    enum aggregate aggregate; /* AGGREGATE_NONE: not given */
    double gs_factor;         /* below 0: not given */
};

static const struct json_key quality_keys[] = {
    {.name = "metric",
     .kind = JSON_STRING,
     .expected = "the name of a metric",
     .take = json_take_word,
     .offset = offsetof(struct quality, metric),
     .word = metrics},
    {.name = "aggregate",
     .kind = JSON_STRING,
     .expected = "the name of an aggregate",
     .take = json_take_word,
     .offset = offsetof(struct quality, aggregate),
     .word = aggregates},
    {.name = "gs_factor",
     .kind = JSON_NUMBER,
     .expected = "a number from 0 to 1",
     .take = json_take_number,
     .offset = offsetof(struct quality, gs_factor),
     .max = 1},
};

static enum status check_quality(const struct quality *quality,
                                 const struct json_value *value,
                                 struct error *err)
{
    const char *name = quality_metric_name(quality->metric);
    enum gs_range range = quality_metric_gs(quality->metric);

    if (quality->aggregate != AGGREGATE_NONE &&
        quality_metric_aggregate(quality->metric) == AGGREGATE_NONE)
        return error_set(err, E_INPUT,
                         "line %u: \"aggregate\" with the metric \"%s\", "
                         "expected none: it gives one number for all "
                         "attributes",
                         json_line(json_member(value, "aggregate")), name);
    if (quality->gs_factor >= 0 && range == GS_NONE)
        return error_set(err, E_INPUT,
                         "line %u: \"gs_factor\" with the metric \"%s\", "
                         "expected none: it has no part in it",
                         json_line(json_member(value, "gs_factor")), name);
    if ((quality->gs_factor == 0 || quality->gs_factor == 1) &&
        range == GS_INNER)
        return error_set(err, E_INPUT,
                         "line %u: \"gs_factor\" is out of range, expected a "
                         "number between 0 and 1, and neither, with the "
                         "metric \"%s\"",
                         json_line(json_member(value, "gs_factor")), name);
    return OK;
}

enum status policy_take_quality(const struct json_key *key,
                                const struct json_value *value, void *target,
                                struct error *err)
{
    struct quality quality = {
        .metric = METRIC_LOSS, .aggregate = AGGREGATE_NONE, .gs_factor = -1};
    struct policy *policy = target;

    (void)key;
    if (json_take_object(value, quality_keys, COUNT_OF(quality_keys), &quality,
                         err) != OK ||
        check_quality(&quality, value, err) != OK)
        return err->status;
    policy->metric = quality.metric;
    policy->aggregate = quality.aggregate != AGGREGATE_NONE
                            ? quality.aggregate
                            : quality_metric_aggregate(quality.metric);
    if (quality.gs_factor >= 0)
        policy->gs_factor = quality.gs_factor;
    return OK;
}

enum status policy_check_weights(const struct policy *policy, struct error *err)
{
    if (policy->aggregate != AGGREGATE_NONE)
        return OK;
    for (size_t a = 0; a < policy->attribute_count; a++)
        if (policy->attribute[a].weight != 1)
            return error_set(err, E_INPUT,
                             "line %u: \"weight\" of %s with the "
                             "metric \"%s\", expected none: it does not weigh "
                             "attributes",
                             policy->attribute[a].line,
                             json_quote(policy->attribute[a].name).text,
                             quality_metric_name(policy->metric));
    return OK;
}
