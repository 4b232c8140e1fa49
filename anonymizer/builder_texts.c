#include "anonymizer/builder_internal.h"

#include <assert.h>
#include <string.h>

#include "anonymizer/moment.h"

/* ---- redaction ---- */

static bool begins_character(uint8_t byte)
{
    return (byte & 0xc0) != 0x80;
}

size_t build_characters(struct bytes text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.size; i++)
        count += begins_character(text.data[i]);
    return count;
}

/* Where character number `index` of the text begins; its size behind all. */
static size_t character_at(struct bytes text, size_t index)
{
    size_t i = 0;

    while (i < text.size && (!begins_character(text.data[i]) || index > 0))
        index -= begins_character(text.data[i++]);
    return i;
}

static enum status append_times(struct text *out, const char *character,
                                size_t times, struct error *err)
{
    enum status status = OK;

    for (size_t i = 0; status == OK && i < times; i++)
        status = text_append_string(out, character, err);
    return status;
}

/* Characters from..to - 1 of the padded value. */
static enum status append_padded(const struct builder *builder,
                                 struct bytes value, size_t length, size_t from,
                                 size_t to, struct text *out, struct error *err)
{
    const char *padding = builder->padding;
    size_t count = build_characters(value);
    size_t begin = builder->align_right ? length - count : 0;
    enum status status = OK;

    if (padding == NULL)
        padding = builder->character == NULL ? "*" : builder->character;
    for (size_t i = from; status == OK && i < to; i++) {
        size_t at, end;

        if (i < begin || i >= begin + count) {
            status = text_append_string(out, padding, err);
            continue;
        }
        at = character_at(value, i - begin);
        end = character_at(value, i - begin + 1);
        status = text_append(out, value.data + at, end - at, err);
    }
    return status;
}

enum status build_label_redaction(const struct build *build, size_t row,
                                  uint32_t level, struct text *out,
                                  struct error *err)
{
    const struct builder *builder = build->builder;
    const char *character =
        builder->character == NULL ? "*" : builder->character;
    struct bytes value = build->value[row].text;
    size_t length = build->levels - 1; /* the longest value's */
    enum status status = OK;

    if (builder->from_left)
        status = append_times(out, character, level, err);
    if (status == OK)
        status = append_padded(
            builder, value, length, builder->from_left ? level : 0,
            builder->from_left ? length : length - level, out, err);
    if (status == OK && !builder->from_left)
        status = append_times(out, character, level, err);
    return status;
}

/* ---- dates ---- */

/* Bit c of row f: c follows from f.  A day is all; what is left of it is
 * listed. */
#define BIT(id) (1u << GRANULARITY_##id)
#define FROM_YEAR (BIT(DECADE) | BIT(CENTURY) | BIT(MILLENNIUM))
#define FROM_QUARTER (BIT(QUARTER_NUMBER) | BIT(YEAR) | FROM_YEAR)
#define FROM_MONTH (BIT(QUARTER) | FROM_QUARTER)
#define FROM_DAY                                                               \
    (BIT(MONTH_WEEK) | BIT(YEAR_WEEK) | BIT(MONTH) | BIT(WEEKDAY) |            \
     BIT(WEEK_NUMBER) | FROM_MONTH)

bool granularity_follows(enum granularity coarse, enum granularity fine)
{
    static const unsigned follows[GRANULARITIES] = {
        [GRANULARITY_SECOND] = BIT(MINUTE) | BIT(HOUR) | BIT(DAY) | FROM_DAY,
        [GRANULARITY_MINUTE] = BIT(HOUR) | BIT(DAY) | FROM_DAY,
        [GRANULARITY_HOUR] = BIT(DAY) | FROM_DAY,
        [GRANULARITY_DAY] = FROM_DAY,
        [GRANULARITY_MONTH_WEEK] = BIT(MONTH) | FROM_MONTH,
        [GRANULARITY_YEAR_WEEK] = BIT(WEEK_NUMBER),
        [GRANULARITY_MONTH] = FROM_MONTH,
        [GRANULARITY_QUARTER] = FROM_QUARTER,
        [GRANULARITY_YEAR] = FROM_YEAR,
        [GRANULARITY_DECADE] = BIT(CENTURY) | BIT(MILLENNIUM),
        [GRANULARITY_CENTURY] = BIT(MILLENNIUM),
    };

    return (follows[fine] >> coarse & 1) != 0;
}

/* `[2020, 2030[`: years of one decade, century, millennium by their first
 * digits. */
static enum status print_years(int year, int span, struct text *out,
                               struct error *err)
{
    int first = year - year % span;

    return text_printf(out, err, "[%04d, %04d[", first, first + span);
}

enum status build_label_date(const struct build *build, size_t row,
                             uint32_t level, struct text *out,
                             struct error *err)
{
    static const char *const weekdays[] = {"Monday",   "Tuesday", "Wednesday",
                                           "Thursday", "Friday",  "Saturday",
                                           "Sunday"};
    const struct moment m = moment_of(build->value[row].number);
    int quarter = (m.month - 1) / 3 + 1;

    switch (build->builder->granularity[level - 1]) {
    case GRANULARITY_SECOND:
        return text_printf(out, err, "%04d-%02d-%02d %02d:%02d:%02d", m.year,
                           m.month, m.day, m.hour, m.minute, m.second);
    case GRANULARITY_MINUTE:
        return text_printf(out, err, "%04d-%02d-%02d %02d:%02d", m.year,
                           m.month, m.day, m.hour, m.minute);
    case GRANULARITY_HOUR:
        return text_printf(out, err, "%04d-%02d-%02d %02dh", m.year, m.month,
                           m.day, m.hour);
    case GRANULARITY_DAY:
        return text_printf(out, err, "%04d-%02d-%02d", m.year, m.month, m.day);
    case GRANULARITY_MONTH_WEEK:
        return text_printf(out, err, "%04d-%02d W%d", m.year, m.month,
                           m.week_of_month);
    case GRANULARITY_YEAR_WEEK:
        return text_printf(out, err, "%04d-W%02d", m.week_year, m.week);
    case GRANULARITY_MONTH:
        return text_printf(out, err, "%04d-%02d", m.year, m.month);
    case GRANULARITY_QUARTER:
        return text_printf(out, err, "%04d-Q%d", m.year, quarter);
    case GRANULARITY_WEEKDAY:
        return text_append_string(out, weekdays[m.weekday - 1], err);
    case GRANULARITY_WEEK_NUMBER:
        return text_printf(out, err, "W%02d", m.week);
    case GRANULARITY_QUARTER_NUMBER:
        return text_printf(out, err, "Q%d", quarter);
    case GRANULARITY_YEAR:
        return text_printf(out, err, "%04d", m.year);
    case GRANULARITY_DECADE:
        return print_years(m.year, 10, out, err);
    case GRANULARITY_CENTURY:
        return print_years(m.year, 100, out, err);
    case GRANULARITY_MILLENNIUM:
        return print_years(m.year, 1000, out, err);
    case GRANULARITIES:
        break;
    }
    assert(false && "a granularity that is none");
    return OK;
}

/* ---- priorities ---- */

/* Ranks are cut into as many parts as there are levels above the value; each
 * level takes one part more away, from the last rank on. */
enum status build_label_priority(const struct build *build, size_t row,
                                 uint32_t level, struct text *out,
                                 struct error *err)
{
    size_t levels = build->levels - 1;
    size_t gone_at = levels - row * levels / build->ranked;

    if (gone_at <= level)
        return text_append_string(out, "*", err);
    return text_append(out, build->value[row].text.data,
                       build->value[row].text.size, err);
}
