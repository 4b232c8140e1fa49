#include "anonymizer/builder_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "anonymizer/moment.h"
#include "common/json_keys.h"
#include "common/utf8.h"

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

_Static_assert(sizeof(enum label_style) == sizeof(unsigned) &&
                   sizeof(enum builder_kind) == sizeof(unsigned) &&
                   sizeof(enum priority_by) == sizeof(unsigned),
               "an enum is stored as an unsigned");

static const struct json_word kinds[] = {
    [BUILD_INTERVAL] = {"interval", false},   [BUILD_ORDER] = {"order", false},
    [BUILD_REDACTION] = {"redaction", false}, [BUILD_DATE] = {"date", false},
    [BUILD_PRIORITY] = {"priority", false},   {NULL, false},
};

static const struct json_word styles[] = {
    [LABEL_INTERVAL] = {"interval", false},
    [LABEL_SET] = {"set", false},
    [LABEL_BOUNDS] = {"bounds", false},
    [LABEL_COMMON_PREFIX] = {"common-prefix", false},
    {NULL, false},
};

static const struct json_word granularities[] = {
#define GRANULARITY_WORD(name, id) {name, false},
    GRANULARITY_TABLE(GRANULARITY_WORD){NULL, false},
#undef GRANULARITY_WORD
};

/* ---- takers ---- */

/* The index of a word into a bool: the second one is true. */
static enum status take_second(const struct json_key *key,
                               const struct json_value *value, void *target,
                               struct error *err)
{
    unsigned index;

    if (json_find_word(key, value, &index, err) != OK)
        return err->status;
    *(bool *)((char *)target + key->offset) = index == 1;
    return OK;
}

/* The value itself, for later. */
static enum status take_value(const struct json_key *key,
                              const struct json_value *value, void *target,
                              struct error *err)
{
    (void)err;
    *(const struct json_value **)((char *)target + key->offset) = value;
    return OK;
}

static enum status take_character(const struct json_key *key,
                                  const struct json_value *value, void *target,
                                  struct error *err)
{
    struct bytes text = bytes_of_string(json_string(value));

    if (build_characters(text) != 1)
        return json_refuse(key, value, "is something else", err);
    return json_take_string(key, value, target, err);
}

/* ---- numbers of the attribute's type ---- */

static const char *number_words(const struct builder *builder)
{
    switch (builder->plain.type) {
    case TYPE_INTEGER:
        return "a whole number";
    case TYPE_DECIMAL:
        return "a number with at most 6 places, below 10^12";
    case TYPE_DATE:
        return "a date in the attribute's format";
    case TYPE_STRING:
    case TYPE_ORDINAL:
        break;
    }
    assert(false && "a type that has no numbers");
    return NULL;
}

/* Dates are strings. */
static enum json_kind number_kind(const struct builder *builder)
{
    return builder->plain.type == TYPE_DATE ? JSON_STRING : JSON_NUMBER;
}

static enum status read_number(const struct builder *builder,
                               const struct json_value *value, int64_t *number,
                               struct error *err)
{
    const struct json_key key = {.name = json_key(value),
                                 .expected = number_words(builder)};
    char text[JSON_NUMBER_SIZE];
    struct bytes spelled;

    if (builder->plain.type == TYPE_DATE) {
        spelled = bytes_of_string(json_string(value));
    } else {
        json_format_number(json_number(value), text);
        spelled = bytes_of_string(text);
    }
    if (!builder_number_exact(builder, spelled, number))
        return json_refuse(&key, value, "is something else", err);
    return OK;
}

/* Rows of keys whose values are numbers of the type. */
static void set_number_keys(const struct builder *builder, struct json_key *key,
                            size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (key[i].take == take_value) {
            key[i].kind = number_kind(builder);
            key[i].expected = number_words(builder);
        }
}

/* ---- intervals ---- */

struct interval_values {
    const struct json_value *min, *max;
    char *label;
};

static enum status read_interval(struct builder *builder,
                                 const struct json_value *item,
                                 struct error *err)
{
    struct json_key keys[] = {
        {.name = "min",
         .take = take_value,
         .required = true,
         .offset = offsetof(struct interval_values, min)},
        {.name = "max",
         .take = take_value,
         .required = true,
         .offset = offsetof(struct interval_values, max)},
        {.name = "label",
         .kind = JSON_STRING,
         .expected = "a string",
         .take = json_take_string,
         .offset = offsetof(struct interval_values, label)},
    };
    struct builder_interval *interval =
        &builder->interval[builder->interval_count];
    struct interval_values values = {0};
    enum status status;

    if (json_kind(item) != JSON_OBJECT)
        return error_set(err, E_INPUT,
                         "line %u: an interval is %s, expected an object",
                         json_line(item), json_kind_name(json_kind(item)));
    set_number_keys(builder, keys, COUNT_OF(keys));
    status = json_take_object(item, keys, COUNT_OF(keys), &values, err);
    interval->label = values.label;
    builder->interval_count++;
    if (status == OK)
        status = read_number(builder, values.min, &interval->min, err);
    if (status == OK)
        status = read_number(builder, values.max, &interval->max, err);
    if (status != OK)
        return status;
    if (interval->min >= interval->max)
        return error_set(err, E_INPUT,
                         "line %u: \"max\" of an interval is not above its "
                         "\"min\"",
                         json_line(item));
    if (builder->interval_count > 1 && interval[-1].max != interval->min)
        return error_set(err, E_INPUT,
                         "line %u: an interval does not begin where the one "
                         "before ends",
                         json_line(item));
    return OK;
}

static enum status take_intervals(const struct json_key *key,
                                  const struct json_value *value, void *target,
                                  struct error *err)
{
    struct builder *builder = target;
    size_t count = json_length(value);

    if (count == 0)
        return json_refuse(key, value, "is empty", err);
    builder->interval = calloc(count, sizeof *builder->interval);
    if (builder->interval == NULL)
        return error_memory(err, "the intervals");
    for (const struct json_value *item = json_first(value); item != NULL;
         item = json_next(item))
        if (read_interval(builder, item, err) != OK)
            return err->status;
    return OK;
}

/* ---- ends ---- */

struct range_values {
    const struct json_value *snap, *code, *bound;
};

static enum status read_range(struct builder *builder,
                              const struct json_value *value,
                              struct builder_range *range, struct error *err)
{
    struct json_key keys[] = {
        {.name = "snap",
         .take = take_value,
         .offset = offsetof(struct range_values, snap)},
        {.name = "code",
         .take = take_value,
         .offset = offsetof(struct range_values, code)},
        {.name = "bound",
         .take = take_value,
         .offset = offsetof(struct range_values, bound)},
    };
    struct range_values values = {0};
    enum status status;

    set_number_keys(builder, keys, COUNT_OF(keys));
    status = json_take_object(value, keys, COUNT_OF(keys), &values, err);
    if (status != OK)
        return status;
    if (values.snap != NULL && values.code == NULL)
        return error_set(err, E_INPUT,
                         "line %u: \"snap\" without \"code\", to which the "
                         "outermost interval reaches",
                         json_line(values.snap));
    range->coded = values.code != NULL;
    range->bounded = values.bound != NULL;
    if (range->coded)
        status = read_number(builder, values.code, &range->code, err);
    range->snap = range->code;
    if (status == OK && values.snap != NULL)
        status = read_number(builder, values.snap, &range->snap, err);
    if (status == OK && range->bounded)
        status = read_number(builder, values.bound, &range->bound, err);
    return status;
}

static enum status take_lower(const struct json_key *key,
                              const struct json_value *value, void *target,
                              struct error *err)
{
    struct builder *builder = target;

    (void)key;
    return read_range(builder, value, &builder->lower, err);
}

static enum status take_upper(const struct json_key *key,
                              const struct json_value *value, void *target,
                              struct error *err)
{
    struct builder *builder = target;

    (void)key;
    return read_range(builder, value, &builder->upper, err);
}

/* lower.bound <= lower.code <= lower.snap < upper.snap <= upper.code <=
 * upper.bound, as far as they are there. */
static enum status check_ranges(const struct builder *builder, unsigned line,
                                struct error *err)
{
    const struct builder_range *lower = &builder->lower;
    const struct builder_range *upper = &builder->upper;
    int64_t point[6];
    size_t count = 0, snap = 0;

    if (lower->bounded)
        point[count++] = lower->bound;
    if (lower->coded) {
        point[count++] = lower->code;
        point[count++] = lower->snap;
    }
    snap = count;
    if (upper->coded) {
        point[count++] = upper->snap;
        point[count++] = upper->code;
    }
    if (upper->bounded)
        point[count++] = upper->bound;
    for (size_t i = 1; i < count; i++)
        if (point[i - 1] > point[i] || (i == snap && point[i - 1] == point[i]))
            return error_set(err, E_INPUT,
                             "line %u: the ends do not follow one another, "
                             "expected lower \"bound\", \"code\", \"snap\", "
                             "then upper \"snap\", \"code\", \"bound\"",
                             line);
    return OK;
}

/* ---- groups ---- */

static enum status read_group(struct builder_group *group,
                              const struct json_value *item, struct error *err)
{
    static const struct json_key keys[] = {
        {.name = "fanout",
         .kind = JSON_NUMBER,
         .expected = "a whole number from 1 on",
         .take = json_take_count,
         .required = true,
         .offset = offsetof(struct builder_group, fanout),
         .min = 1,
         .max = HIERARCHY_ROWS_MAX},
        {.name = "label",
         .kind = JSON_STRING,
         .expected = "a string",
         .take = json_take_string,
         .offset = offsetof(struct builder_group, label)},
    };
    int64_t fanout;

    if (json_kind(item) == JSON_OBJECT)
        return json_take_object(item, keys, COUNT_OF(keys), group, err);
    if (json_kind(item) != JSON_NUMBER || !json_integer(item, &fanout) ||
        fanout < 1 || fanout > HIERARCHY_ROWS_MAX)
        return error_set(err, E_INPUT,
                         "line %u: a group is something else, expected how "
                         "many it joins, or an object that says so",
                         json_line(item));
    group->fanout = (uint32_t)fanout;
    return OK;
}

static enum status read_level(struct builder *builder,
                              const struct json_value *array, struct error *err)
{
    struct builder_level *level = &builder->level[builder->level_count];
    size_t count;

    if (json_kind(array) != JSON_ARRAY || json_length(array) == 0)
        return error_set(err, E_INPUT,
                         "line %u: a level of \"groups\" is something else, "
                         "expected an array of groups",
                         json_line(array));
    count = json_length(array);
    level->group = calloc(count, sizeof *level->group);
    if (level->group == NULL)
        return error_memory(err, "the groups");
    builder->level_count++;
    for (const struct json_value *item = json_first(array); item != NULL;
         item = json_next(item)) {
        struct builder_group *group = &level->group[level->group_count++];

        if (read_group(group, item, err) != OK)
            return err->status;
        level->fanout_sum += group->fanout;
    }
    return OK;
}

static enum status take_groups(const struct json_key *key,
                               const struct json_value *value, void *target,
                               struct error *err)
{
    struct builder *builder = target;
    size_t count = json_length(value);

    if (count == 0)
        return json_refuse(key, value, "is empty", err);
    /* The value, its interval and `*` are levels, too. */
    if (count > HIERARCHY_LEVELS_MAX - 3)
        return error_set(
            err, E_LIMIT, "line %u: \"%s\" has %zu levels, expected at most %d",
            json_line(value), key->name, count, HIERARCHY_LEVELS_MAX - 3);
    builder->level = calloc(count, sizeof *builder->level);
    if (builder->level == NULL)
        return error_memory(err, "the groups");
    for (const struct json_value *array = json_first(value); array != NULL;
         array = json_next(array))
        if (read_level(builder, array, err) != OK)
            return err->status;
    return OK;
}

/* A group's ends are sums of these, and must not run over. */
static enum status check_reach(const struct builder *builder, unsigned line,
                               struct error *err)
{
    int64_t reach = 1, max = builder_number_max(builder);

    if (builder->kind == BUILD_INTERVAL)
        reach = builder->interval[builder->interval_count - 1].max -
                builder->interval[0].min;
    else
        max = INT64_C(1) << 60;
    for (size_t i = 0; i < builder->level_count && reach <= max; i++)
        if (__builtin_mul_overflow(reach, builder->level[i].fanout_sum, &reach))
            reach = INT64_MAX;
    if (reach > max)
        return error_set(err, E_LIMIT,
                         "line %u: \"groups\" reach further than numbers do",
                         line);
    return OK;
}

/* ---- named values ---- */

static int compare_named(const void *a, const void *b)
{
    return strcmp(((const struct builder_named *)a)->value,
                  ((const struct builder_named *)b)->value);
}

const struct builder_named *builder_find(const struct builder *builder,
                                         struct bytes value)
{
    size_t from = 0, to = builder->named_count;

    while (from < to) {
        size_t middle = from + (to - from) / 2;
        struct bytes named = bytes_of_string(builder->named[middle].value);
        size_t size = named.size < value.size ? named.size : value.size;
        int order = size == 0 ? 0 : memcmp(named.data, value.data, size);

        if (order == 0)
            order = (named.size > value.size) - (named.size < value.size);
        if (order == 0)
            return &builder->named[middle];
        if (order < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return NULL;
}

static enum status make_named(struct builder *builder, size_t count,
                              struct error *err)
{
    builder->named = calloc(count > 0 ? count : 1, sizeof *builder->named);
    return builder->named == NULL ? error_memory(err, "the values") : OK;
}

static enum status add_named(struct builder *builder, const char *value,
                             int64_t number, unsigned line, struct error *err)
{
    struct builder_named *named = &builder->named[builder->named_count];

    if (policy_is_missing(builder->policy, bytes_of_string(value)))
        return error_set(err, E_INPUT,
                         "line %u: a token of table.missing; missing values "
                         "are a group of their own",
                         line);
    *named = (struct builder_named){string_copy(value), number};
    if (named->value == NULL)
        return error_memory(err, "the values");
    builder->named_count++;
    return OK;
}

static enum status finish_named(const struct json_key *key,
                                const struct json_value *value,
                                struct builder *builder, struct error *err)
{
    qsort(builder->named, builder->named_count, sizeof *builder->named,
          compare_named);
    for (size_t i = 1; i < builder->named_count; i++)
        if (strcmp(builder->named[i - 1].value, builder->named[i].value) == 0)
            return json_refuse(key, value, "has a value twice", err);
    return OK;
}

static enum status take_order(const struct json_key *key,
                              const struct json_value *value, void *target,
                              struct error *err)
{
    struct builder *builder = target;

    if (json_length(value) == 0)
        return json_refuse(key, value, "is empty", err);
    if (make_named(builder, json_length(value), err) != OK)
        return err->status;
    for (const struct json_value *item = json_first(value); item != NULL;
         item = json_next(item)) {
        if (json_kind(item) != JSON_STRING)
            return json_refuse(key, item, "has another value among them", err);
        if (add_named(builder, json_string(item), (int64_t)builder->named_count,
                      json_line(item), err) != OK)
            return err->status;
    }
    builder->explicit_order = true;
    return finish_named(key, value, builder, err);
}

static enum status take_priorities(const struct json_key *key,
                                   const struct json_value *value, void *target,
                                   struct error *err)
{
    struct builder *builder = target;
    int64_t priority;

    if (json_length(value) == 0)
        return json_refuse(key, value, "is empty", err);
    if (make_named(builder, json_length(value), err) != OK)
        return err->status;
    for (const struct json_value *item = json_first(value); item != NULL;
         item = json_next(item)) {
        if (json_kind(item) != JSON_NUMBER || !json_integer(item, &priority))
            return json_refuse(key, item, "has another value among them", err);
        if (add_named(builder, json_key(item), priority, json_line(item),
                      err) != OK)
            return err->status;
    }
    return finish_named(key, value, builder, err);
}

/* ---- granularities ---- */

static enum status take_granularities(const struct json_key *key,
                                      const struct json_value *value,
                                      void *target, struct error *err)
{
    const struct json_key word = {.name = "granularity",
                                  .kind = JSON_STRING,
                                  .expected = "the name of a granularity",
                                  .word = granularities};
    struct builder *builder = target;

    if (json_length(value) == 0)
        return json_refuse(key, value, "is empty", err);
    for (const struct json_value *item = json_first(value); item != NULL;
         item = json_next(item)) {
        unsigned coarse = 0, fine;

        if (json_kind(item) != JSON_STRING)
            return json_refuse(key, item, "has another value among them", err);
        if (json_find_word(&word, item, &coarse, err) != OK)
            return err->status;
        if (builder->granularity_count > 0) {
            fine = builder->granularity[builder->granularity_count - 1];
            if (fine == coarse || !granularity_follows((enum granularity)coarse,
                                                       (enum granularity)fine))
                return error_set(
                    err, E_INPUT,
                    "line %u: \"%s\" cannot stand above \"%s\": dates that "
                    "agree in one need not agree in the other",
                    json_line(item), granularities[coarse].name,
                    granularities[fine].name);
        }
        assert(builder->granularity_count < GRANULARITIES);
        builder->granularity[builder->granularity_count++] =
            (enum granularity)coarse;
    }
    return OK;
}

/* A date as the point from which coding begins. */
static enum status take_coding(const struct json_key *key,
                               const struct json_value *value, void *target,
                               struct error *err)
{
    struct builder *builder = target;
    struct builder_range *range =
        strcmp(key->name, "bottom") == 0 ? &builder->lower : &builder->upper;

    range->coded = true;
    if (read_number(builder, value, &range->code, err) != OK)
        return err->status;
    range->snap = range->code;
    return OK;
}

/* ---- keys of each kind ---- */

static enum status take_nothing(const struct json_key *key,
                                const struct json_value *value, void *target,
                                struct error *err)
{
    (void)key, (void)value, (void)target, (void)err;
    return OK;
}

static const struct json_key build_key = {
    .name = "build",
    .kind = JSON_STRING,
    .expected = "the name of a builder",
    .take = json_take_word,
    .required = true,
    .offset = offsetof(struct builder, kind),
    .word = kinds,
};

#define BUILD_KEYS                                                             \
    {.name = "build",                                                          \
     .kind = JSON_STRING,                                                      \
     .expected = "the name of a builder",                                      \
     .take = take_nothing},                                                    \
    {                                                                          \
        .name = "missing", .kind = JSON_STRING, .expected = "a string",        \
        .take = json_take_string, .offset = offsetof(struct builder, missing)  \
    }

#define LABEL_KEY                                                              \
    {                                                                          \
        .name = "label", .kind = JSON_STRING,                                  \
        .expected = "the name of a label style", .take = json_take_word,       \
        .offset = offsetof(struct builder, style), .word = styles              \
    }

#define GROUPS_KEY(must)                                                       \
    {                                                                          \
        .name = "groups", .kind = JSON_ARRAY,                                  \
        .expected = "an array of levels, each an array of groups",             \
        .take = take_groups, .required = (must)                                \
    }

static const struct json_key interval_keys[] = {
    BUILD_KEYS,
    LABEL_KEY,
    GROUPS_KEY(false),
    {.name = "intervals",
     .kind = JSON_ARRAY,
     .expected = "an array of intervals",
     .take = take_intervals,
     .required = true},
    {.name = "lower",
     .kind = JSON_OBJECT,
     .expected = "an object",
     .take = take_lower},
    {.name = "upper",
     .kind = JSON_OBJECT,
     .expected = "an object",
     .take = take_upper},
};

static const struct json_key order_keys[] = {
    BUILD_KEYS,
    LABEL_KEY,
    GROUPS_KEY(true),
    {.name = "order",
     .kind = JSON_ARRAY,
     .expected = "an array of all values in their order",
     .take = take_order},
};

static const struct json_word sides[] = {
    {"left", false}, {"right", false}, {NULL, false}};
static const struct json_word directions[] = {
    {"right-to-left", false}, {"left-to-right", false}, {NULL, false}};

static const struct json_key redaction_keys[] = {
    BUILD_KEYS,
    {.name = "align",
     .kind = JSON_STRING,
     .expected = "\"left\" or \"right\"",
     .take = take_second,
     .offset = offsetof(struct builder, align_right),
     .word = sides},
    {.name = "direction",
     .kind = JSON_STRING,
     .expected = "\"right-to-left\" or \"left-to-right\"",
     .take = take_second,
     .offset = offsetof(struct builder, from_left),
     .word = directions},
    {.name = "padding",
     .kind = JSON_STRING,
     .expected = "one character",
     .take = take_character,
     .offset = offsetof(struct builder, padding)},
    {.name = "character",
     .kind = JSON_STRING,
     .expected = "one character",
     .take = take_character,
     .offset = offsetof(struct builder, character)},
};

static const struct json_key date_keys[] = {
    BUILD_KEYS,
    {.name = "granularities",
     .kind = JSON_ARRAY,
     .expected = "an array of granularities",
     .take = take_granularities,
     .required = true},
    {.name = "bottom",
     .kind = JSON_STRING,
     .expected = "a date in the attribute's format",
     .take = take_coding},
    {.name = "top",
     .kind = JSON_STRING,
     .expected = "a date in the attribute's format",
     .take = take_coding},
};

static const struct json_word priority_words[] = {
    [PRIORITY_FREQUENCY] = {"frequency", false},
    [PRIORITY_TYPE] = {"type", false},
    {NULL, false},
};
static const struct json_word extremes[] = {
    {"highest", false}, {"lowest", false}, {NULL, false}};

static const struct json_key priority_keys[] = {
    BUILD_KEYS,
    {.name = "by",
     .kind = JSON_STRING,
     .expected = "\"frequency\" or \"type\"",
     .take = json_take_word,
     .offset = offsetof(struct builder, by),
     .word = priority_words},
    {.name = "priorities",
     .kind = JSON_OBJECT,
     .expected = "an object with whole numbers",
     .take = take_priorities},
    {.name = "keep",
     .kind = JSON_STRING,
     .expected = "\"highest\" or \"lowest\"",
     .take = take_second,
     .offset = offsetof(struct builder, keep_lowest),
     .word = extremes},
    {.name = "max_levels",
     .kind = JSON_NUMBER,
     .expected = "a whole number from 1 to 63",
     .take = json_take_count,
     .offset = offsetof(struct builder, levels_max),
     .min = 1,
     .max = HIERARCHY_LEVELS_MAX - 1},
};

_Static_assert(HIERARCHY_LEVELS_MAX == 64, "\"max_levels\" says 63");

static const struct {
    const struct json_key *key;
    size_t count;
} keys_of[] = {
    [BUILD_INTERVAL] = {interval_keys, COUNT_OF(interval_keys)},
    [BUILD_ORDER] = {order_keys, COUNT_OF(order_keys)},
    [BUILD_REDACTION] = {redaction_keys, COUNT_OF(redaction_keys)},
    [BUILD_DATE] = {date_keys, COUNT_OF(date_keys)},
    [BUILD_PRIORITY] = {priority_keys, COUNT_OF(priority_keys)},
};

/* ---- the whole ---- */

static enum status check_type(const struct builder *builder,
                              const struct json_value *description,
                              struct error *err)
{
    enum value_type type = builder->plain.type;

    if (builder->kind == BUILD_INTERVAL && type != TYPE_INTEGER &&
        type != TYPE_DECIMAL && type != TYPE_DATE)
        return error_set(err, E_INPUT,
                         "line %u: \"interval\" needs an attribute of the type "
                         "integer, decimal or date",
                         json_line(description));
    if (builder->kind == BUILD_DATE && type != TYPE_DATE)
        return error_set(err, E_INPUT,
                         "line %u: \"date\" needs an attribute of the type "
                         "date",
                         json_line(description));
    return OK;
}

/* What only all keys together say. */
static enum status check_whole(struct builder *builder,
                               const struct json_value *description,
                               struct error *err)
{
    bool ordinal = builder->plain.type == TYPE_ORDINAL;
    unsigned line = json_line(description);
    enum status status = OK;

    if (ordinal &&
        ((builder->kind == BUILD_ORDER && !builder->explicit_order) ||
         (builder->kind == BUILD_PRIORITY && builder->by == PRIORITY_TYPE)))
        return error_set(err, E_INPUT,
                         "line %u: the type ordinal has no order of its own, "
                         "expected one that lists the values",
                         line);
    if (builder->kind == BUILD_PRIORITY && builder->named != NULL) {
        if (json_member(description, "by") != NULL)
            return error_set(err, E_INPUT,
                             "line %u: \"by\" and \"priorities\", expected one "
                             "of them",
                             line);
        builder->by = PRIORITY_GIVEN;
    }
    if (builder->kind == BUILD_INTERVAL || builder->kind == BUILD_DATE)
        status = check_ranges(builder, line, err);
    if (status == OK && builder->level_count > 0)
        status = check_reach(builder, line, err);
    return status;
}

enum status builder_read(struct builder **out,
                         const struct json_value *description,
                         const struct policy *policy,
                         const struct policy_attribute *attribute,
                         struct error *err)
{
    struct builder *builder = calloc(1, sizeof *builder);
    enum status status;

    *out = NULL;
    if (builder == NULL)
        return error_memory(err, "a builder");
    builder->policy = policy;
    builder->plain = (struct policy_attribute){.type = attribute->type,
                                               .format = attribute->format};
    builder->levels_max = 10;
    status = json_take_member(description, &build_key, builder, err);
    if (status == OK)
        status = check_type(builder, description, err);
    if (status == OK) {
        if (builder->kind == BUILD_ORDER)
            builder->style = LABEL_SET;
        status = json_take_object(description, keys_of[builder->kind].key,
                                  keys_of[builder->kind].count, builder, err);
    }
    if (status == OK)
        status = check_whole(builder, description, err);
    builder->policy = NULL;
    if (status != OK)
        builder_destroy(&builder);
    *out = builder;
    return status;
}

void builder_destroy(struct builder **handle)
{
    struct builder *builder = *handle;

    if (builder == NULL)
        return;
    for (size_t i = 0; i < builder->interval_count; i++)
        free(builder->interval[i].label);
    for (size_t i = 0; i < builder->level_count; i++) {
        for (uint32_t j = 0; j < builder->level[i].group_count; j++)
            free(builder->level[i].group[j].label);
        free(builder->level[i].group);
    }
    for (size_t i = 0; i < builder->named_count; i++)
        free(builder->named[i].value);
    free(builder->interval);
    free(builder->level);
    free(builder->named);
    free(builder->missing);
    free(builder->padding);
    free(builder->character);
    free(builder);
    *handle = NULL;
}
