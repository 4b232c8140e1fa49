#include "anonymizer/builder_internal.h"

#include <assert.h>
#include <string.h>

/* Intervals and groups repeat themselves without end to both sides, and are
 * counted on: interval 0 is the first one of the policy, -1 the one before, and
 * group g of a level holds what `fanout` says of g modulo the level's groups.
 *
 *     interval        -1      0      1      2      3
 *     groups [[2]]     -1  |     0       |     1
 */

static int64_t floor_divide(int64_t a, int64_t b)
{
    int64_t quotient = a / b;

    return a % b < 0 ? quotient - 1 : quotient;
}

/* ---- intervals ---- */

static int64_t period_of(const struct builder *builder)
{
    return builder->interval[builder->interval_count - 1].max -
           builder->interval[0].min;
}

static int64_t interval_of(const struct builder *builder, int64_t number)
{
    int64_t base = builder->interval[0].min;
    int64_t turn = floor_divide(number - base, period_of(builder));
    int64_t rest = number - turn * period_of(builder);
    size_t i = 0;

    while (rest >= builder->interval[i].max)
        i++;
    return turn * (int64_t)builder->interval_count + (int64_t)i;
}

/* The interval's own entry, and how far it is moved. */
static const struct builder_interval *interval_at(const struct builder *builder,
                                                  int64_t index, int64_t *shift)
{
    int64_t count = (int64_t)builder->interval_count;
    int64_t turn = floor_divide(index, count);

    *shift = turn * period_of(builder);
    return &builder->interval[index - turn * count];
}

/* Values between where intervals end and where coding begins belong to the
 * outermost interval. */
static int64_t snapped(const struct builder *builder, int64_t number)
{
    if (builder->lower.coded && number < builder->lower.snap)
        return builder->lower.snap;
    if (builder->upper.coded && number >= builder->upper.snap)
        return builder->upper.snap - 1;
    return number;
}

/* ---- groups ---- */

/* The group that holds number `index` of the level below, 0 being the lowest
 * level of groups. */
static int64_t group_up(const struct builder_level *level, int64_t index,
                        uint32_t *entry)
{
    int64_t turn = floor_divide(index, level->fanout_sum);
    int64_t rest = index - turn * level->fanout_sum;
    uint32_t i = 0;

    while (rest >= level->group[i].fanout)
        rest -= level->group[i++].fanout;
    *entry = i;
    return turn * level->group_count + i;
}

/* First and last number of the level below. */
static void group_down(const struct builder_level *level, int64_t group,
                       int64_t *first, int64_t *last)
{
    int64_t turn = floor_divide(group, level->group_count);
    int64_t entry = group - turn * level->group_count;

    *first = turn * level->fanout_sum;
    for (int64_t i = 0; i < entry; i++)
        *first += level->group[i].fanout;
    *last = *first + level->group[entry].fanout - 1;
}

/* Levels of groups that a level of the hierarchy is above of its base:
 * intervals, or the values themselves. */
static uint32_t depth_of(const struct builder *builder, uint32_t level)
{
    return builder->kind == BUILD_INTERVAL ? level - 1 : level;
}

/* The number of a row's group at a level; its own label, NULL if it has none.
 */
static int64_t group_of(const struct build *build, size_t row, uint32_t level,
                        const char **label)
{
    const struct builder *builder = build->builder;
    const struct build_value *value = &build->value[row];
    int64_t index = (int64_t)row, shift;
    uint32_t entry = 0;

    *label = NULL;
    if (builder->kind == BUILD_INTERVAL) {
        index = interval_of(builder, snapped(builder, value->number));
        *label = interval_at(builder, index, &shift)->label;
    }
    for (uint32_t i = 0; i < depth_of(builder, level); i++) {
        index = group_up(&builder->level[i], index, &entry);
        *label = builder->level[i].group[entry].label;
    }
    return index;
}

static bool same_group(const struct build *build, size_t a, size_t b,
                       uint32_t level)
{
    const struct build_value *x = &build->value[a], *y = &build->value[b];
    const char *ignored;

    if (x->missing != y->missing || x->zone != y->zone)
        return false;
    if (x->missing || x->zone != ZONE_INSIDE)
        return true;
    return group_of(build, a, level, &ignored) ==
           group_of(build, b, level, &ignored);
}

bool build_groups_repeats(const struct build *build, size_t row, uint32_t level)
{
    return same_group(build, row - 1, row, level);
}

/* ---- labels by numbers ---- */

/* Where the intervals of a group begin and end, the outermost ones as far as
 * they reach. */
static void edges_of(const struct builder *builder, uint32_t level,
                     int64_t group, int64_t *from, int64_t *to)
{
    int64_t first = group, last = group, shift;

    for (uint32_t i = depth_of(builder, level); i-- > 0;) {
        int64_t ignored;

        group_down(&builder->level[i], first, &first, &ignored);
        group_down(&builder->level[i], last, &ignored, &last);
    }
    *from = interval_at(builder, first, &shift)->min + shift;
    *to = interval_at(builder, last, &shift)->max + shift;
    if (builder->lower.coded && *from <= builder->lower.snap)
        *from = builder->lower.code;
    if (builder->upper.coded && *to >= builder->upper.snap)
        *to = builder->upper.code;
}

/* `[20, 30[`, or by bounds `20-29`: the greatest whole number or moment below
 * 30; decimals have none, `20-30`. */
static enum status print_edges(const struct builder *builder, uint32_t level,
                               int64_t group, struct text *out,
                               struct error *err)
{
    bool bounds = builder->style == LABEL_BOUNDS;
    int64_t from, to;
    enum status status = OK;

    edges_of(builder, level, group, &from, &to);
    if (bounds && builder->plain.type != TYPE_DECIMAL)
        to--;
    if (!bounds)
        status = text_append_string(out, "[", err);
    if (status == OK)
        status = builder_print_number(builder, from, out, err);
    if (status != OK || (bounds && from == to))
        return status;
    status = text_append_string(out, bounds ? "-" : ", ", err);
    if (status == OK)
        status = builder_print_number(builder, to, out, err);
    if (status == OK && !bounds)
        status = text_append_string(out, "[", err);
    return status;
}

/* ---- labels by values: rows from..to - 1 ---- */

static enum status append_value(const struct build *build, size_t row,
                                struct text *out, struct error *err)
{
    struct bytes text = build->value[row].text;

    return text_append(out, text.data, text.size, err);
}

static enum status print_set(const struct build *build, size_t from, size_t to,
                             struct text *out, struct error *err)
{
    enum status status = text_append_string(out, "{", err);

    for (size_t row = from; status == OK && row < to; row++) {
        if (row > from)
            status = text_append_string(out, ", ", err);
        if (status == OK)
            status = append_value(build, row, out, err);
        if (status == OK && out->size > HIERARCHY_SIZE_MAX)
            status = error_set(err, E_LIMIT, "labels of more than %u bytes",
                               HIERARCHY_SIZE_MAX);
    }
    return status == OK ? text_append_string(out, "}", err) : status;
}

/* `[a, b]`, or by bounds `a-b`. */
static enum status print_ends(const struct build *build, size_t from, size_t to,
                              struct text *out, struct error *err)
{
    bool bounds = build->builder->style == LABEL_BOUNDS;
    enum status status = OK;

    if (!bounds)
        status = text_append_string(out, "[", err);
    if (status == OK)
        status = append_value(build, from, out, err);
    if (status != OK || (bounds && to == from + 1))
        return status;
    status = text_append_string(out, bounds ? "-" : ", ", err);
    if (status == OK)
        status = append_value(build, to - 1, out, err);
    if (status == OK && !bounds)
        status = text_append_string(out, "]", err);
    return status;
}

/* Whole characters that all of them begin with, and `*` for the rest. */
static enum status print_prefix(const struct build *build, size_t from,
                                size_t to, struct text *out, struct error *err)
{
    struct bytes first = build->value[from].text;
    size_t size = first.size;
    enum status status;

    for (size_t row = from + 1; row < to; row++) {
        struct bytes text = build->value[row].text;
        size_t same = 0;

        while (same < size && same < text.size &&
               text.data[same] == first.data[same])
            same++;
        size = same;
    }
    while (size > 0 && size < first.size && (first.data[size] & 0xc0) == 0x80)
        size--;
    status = text_append(out, first.data, size, err);
    if (status == OK && to > from + 1)
        status = text_append_string(out, "*", err);
    return status;
}

enum status build_label_group(const struct build *build, size_t row,
                              uint32_t level, struct text *out,
                              struct error *err)
{
    const struct builder *builder = build->builder;
    const char *label;
    int64_t group = group_of(build, row, level, &label);
    bool by_ends =
        builder->style == LABEL_INTERVAL || builder->style == LABEL_BOUNDS;
    size_t end = row + 1;

    if (label != NULL)
        return text_append_string(out, label, err);
    if (by_ends && builder->kind == BUILD_INTERVAL)
        return print_edges(builder, level, group, out, err);
    /* Labels are made where a group begins: rows are sorted by groups. */
    assert(row == 0 || !same_group(build, row - 1, row, level));
    while (end < build->count && same_group(build, row, end, level))
        end++;
    if (by_ends)
        return print_ends(build, row, end, out, err);
    return builder->style == LABEL_SET
               ? print_set(build, row, end, out, err)
               : print_prefix(build, row, end, out, err);
}

enum status build_label_beyond(const struct builder *builder, enum zone zone,
                               struct text *out, struct error *err)
{
    bool below = zone == ZONE_BELOW;
    enum status status = text_append_string(out, below ? "<" : ">=", err);

    assert(zone != ZONE_INSIDE);
    if (status != OK)
        return status;
    return builder_print_number(
        builder, below ? builder->lower.code : builder->upper.code, out, err);
}
