#include "anonymizer/builder_internal.h"

#include <assert.h>
#include <stdlib.h>

#include "anonymizer/hierarchy.h"
#include "anonymizer/value_order.h"
#include "common/utf8.h"

/* ---- does a value have a place? ---- */

static const char *number_refuses(const struct builder *builder,
                                  struct bytes value)
{
    int64_t number;

    if (!builder_number(builder, value, &number))
        return "is too large to be put into an interval";
    if (builder->lower.bounded && number < builder->lower.bound)
        return "lies below the lower \"bound\" of its hierarchy";
    if (builder->upper.bounded && number > builder->upper.bound)
        return "lies above the upper \"bound\" of its hierarchy";
    return NULL;
}

const char *builder_refuses(const struct builder *builder, struct bytes value)
{
    switch (builder->kind) {
    case BUILD_INTERVAL:
    case BUILD_DATE:
        return number_refuses(builder, value);
    case BUILD_ORDER:
        if (builder->explicit_order && builder_find(builder, value) == NULL)
            return "is not in the \"order\" of its hierarchy";
        break;
    case BUILD_REDACTION:
        if (!utf8_valid(value))
            return "is no UTF-8, whose characters could be redacted";
        if (build_characters(value) >= HIERARCHY_LEVELS_MAX)
            return "has more characters than a hierarchy has levels";
        break;
    case BUILD_PRIORITY:
        break;
    }
    return NULL;
}

/* ---- the values in their order ---- */

static enum zone zone_of(const struct builder *builder, int64_t number)
{
    if (builder->lower.coded && number < builder->lower.code)
        return ZONE_BELOW;
    if (builder->upper.coded && number >= builder->upper.code)
        return ZONE_ABOVE;
    return ZONE_INSIDE;
}

static void number_value(const struct builder *builder,
                         struct build_value *value)
{
    const struct builder_named *named;
    bool known;

    if (value->missing)
        return;
    if (builder->kind == BUILD_INTERVAL || builder->kind == BUILD_DATE) {
        known = builder_number(builder, value->text, &value->number);
        assert(known); /* builder_refuses has been asked */
        value->zone = zone_of(builder, value->number);
    } else if (builder->named != NULL) {
        named = builder_find(builder, value->text);
        assert(named != NULL || !builder->explicit_order);
        value->number = named == NULL ? 0 : named->number;
    } else if (builder->kind == BUILD_PRIORITY &&
               builder->by == PRIORITY_FREQUENCY) {
        value->number = (int64_t)value->rows;
    }
}

static int compare_texts(const struct builder *builder, struct bytes a,
                         struct bytes b)
{
    const struct policy_attribute plain = {.type = TYPE_STRING};
    /* Numbers are compared as numbers. */
    bool typed =
        builder->kind == BUILD_ORDER ||
        (builder->kind == BUILD_PRIORITY && builder->by == PRIORITY_TYPE);
    const struct value_order order = {
        NULL, typed && builder->plain.type != TYPE_ORDINAL ? &builder->plain
                                                           : &plain};

    return value_compare(&order, a, b);
}

/* From the first row to the last; of priorities the most important one first.
 * The missing value is last. */
static int compare_values(const void *a, const void *b, void *context)
{
    const struct builder *builder = context;
    const struct build_value *x = a, *y = b;
    bool down = builder->kind == BUILD_PRIORITY;
    int order;

    if (x->missing != y->missing)
        return x->missing ? 1 : -1;
    order = (x->number > y->number) - (x->number < y->number);
    /* Texts decide between equal priorities, in no direction. */
    if (order == 0 && (!down || builder->by != PRIORITY_TYPE))
        return compare_texts(builder, x->text, y->text);
    if (order == 0)
        order = compare_texts(builder, x->text, y->text);
    return down && !builder->keep_lowest ? -order : order;
}

/* An explicit order is the domain, whatever occurs. */
static size_t fill_values(struct build *build,
                          const struct builder_value *value, size_t count)
{
    const struct builder *builder = build->builder;
    size_t filled = 0;

    for (size_t i = 0; builder->explicit_order && i < builder->named_count; i++)
        build->value[filled++].text = bytes_of_string(builder->named[i].value);
    for (size_t i = 0; i < count; i++)
        if (value[i].missing || !builder->explicit_order)
            build->value[filled++] =
                (struct build_value){.text = value[i].text,
                                     .rows = value[i].rows,
                                     .missing = value[i].missing};
    return filled;
}

static enum status order_values(struct build *build,
                                const struct builder_value *value, size_t count,
                                struct error *err)
{
    const struct builder *builder = build->builder;

    build->value =
        calloc(count + builder->named_count + 1, sizeof *build->value);
    if (build->value == NULL)
        return error_memory(err, "the values of a hierarchy");
    build->count = fill_values(build, value, count);
    for (size_t i = 0; i < build->count; i++) {
        number_value(builder, &build->value[i]);
        build->ranked += !build->value[i].missing;
    }
    qsort_r(build->value, build->count, sizeof *build->value, compare_values,
            (void *)builder);
    return OK;
}

/* ---- levels ---- */

/* Those between the value and `*`. */
static size_t inner_levels(const struct build *build)
{
    const struct builder *builder = build->builder;
    size_t longest = 1;

    switch (builder->kind) {
    case BUILD_INTERVAL:
        return 1 + builder->level_count;
    case BUILD_ORDER:
        return builder->level_count;
    case BUILD_DATE:
        return builder->granularity_count;
    case BUILD_REDACTION:
        for (size_t i = 0; i < build->ranked; i++) {
            size_t length = build_characters(build->value[i].text);

            longest = length > longest ? length : longest;
        }
        return longest - 1;
    case BUILD_PRIORITY:
        break;
    }
    if (build->ranked == 0)
        return 0;
    return (build->ranked < builder->levels_max ? build->ranked
                                                : builder->levels_max) -
           1;
}

static build_label *const labels[] = {
    [BUILD_INTERVAL] = build_label_group,
    [BUILD_ORDER] = build_label_group,
    [BUILD_REDACTION] = build_label_redaction,
    [BUILD_DATE] = build_label_date,
    [BUILD_PRIORITY] = build_label_priority,
};

static enum status label_value(struct build *build, size_t row, uint32_t level,
                               struct error *err)
{
    const struct builder *builder = build->builder;
    const struct build_value *value = &build->value[row];
    struct text *out = &build->label[level];
    bool groups =
        builder->kind == BUILD_INTERVAL || builder->kind == BUILD_ORDER;

    if (row > 0 && build->row == row && groups &&
        build_groups_repeats(build, row, level))
        return OK;
    text_reset(out);
    if (value->missing && builder->missing != NULL)
        return text_append_string(out, builder->missing, err);
    if (value->missing)
        return text_append(out, value->text.data, value->text.size, err);
    if (value->zone != ZONE_INSIDE)
        return build_label_beyond(builder, value->zone, out, err);
    return labels[builder->kind](build, row, level, out, err);
}

/* A row for hierarchy_make. */
static enum status make_row(void *context, uint32_t row, struct bytes *label,
                            struct error *err)
{
    struct build *build = context;
    uint32_t top = build->levels - 1;

    label[0] = build->value[row].text;
    for (uint32_t level = 1; level < top; level++) {
        if (label_value(build, row, level, err) != OK)
            return err->status;
        label[level] = text_bytes(&build->label[level]);
    }
    label[top] = bytes_of_string(HIERARCHY_STAR);
    build->row = (size_t)row + 1;
    return OK;
}

enum status builder_build(struct hierarchy **hierarchy,
                          const struct builder *builder,
                          const struct builder_value *value, size_t count,
                          struct error *err)
{
    struct build build = {.builder = builder};
    enum status status;

    assert(count > 0);
    *hierarchy = NULL;
    for (size_t i = 0; i < HIERARCHY_LEVELS_MAX; i++)
        text_init(&build.label[i]);
    status = order_values(&build, value, count, err);
    if (status == OK && build.count > HIERARCHY_ROWS_MAX)
        status =
            error_set(err, E_LIMIT, "more than %u values", HIERARCHY_ROWS_MAX);
    if (status == OK) {
        size_t levels = inner_levels(&build) + 2;

        assert(levels <= HIERARCHY_LEVELS_MAX);
        build.levels = (uint32_t)levels;
        status = hierarchy_make(hierarchy, build.levels, (uint32_t)build.count,
                                make_row, &build, err);
    }
    for (size_t i = 0; i < HIERARCHY_LEVELS_MAX; i++)
        text_clear(&build.label[i]);
    free(build.value);
    return status;
}
