#include "anonymizer/profile_hierarchy.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "anonymizer/csv.h"
#include "anonymizer/hierarchy.h"
#include "common/limits.h"
#include "common/number.h"

#define DELIMITER ';'

/* Intervals or groups that are not doubled any more. */
#define GROUPS_LAST 3
/* Intervals of the first width, about. */
#define GROUPS_FIRST 20
/* Distinct numbers, and texts, that are worth a level between value and `*`. */
#define NUMBERS_MIN 5
#define TEXTS_MIN 4
/* Doublings of an interval: from GROUPS_FIRST times ten to GROUPS_LAST. */
#define DOUBLINGS_MAX 16
/* Steps in which a code's characters vanish. */
#define REDACTIONS_MAX 5
#define CODE_SIZE_MIN 3
#define CODE_SIZE_MAX 16
#define CODES_MIN 11
/* Share of the rows of a frequent value: one in so many. */
#define FREQUENT_ROWS 20

/* Beyond them doubles do not hold the ends of an interval. */
#define NUMBER_MAX 1e15
#define INTERVAL_MAX 1e17

#define AGE_WIDTH 5
#define AGE_TOP 90

/* ---- lines ---- */

static enum status put_value(struct text *out, struct bytes value,
                             struct error *err)
{
    return csv_append_field(out, value, DELIMITER, err);
}

static enum status put_label(struct text *out, struct bytes label,
                             struct error *err)
{
    if (text_append(out, ";", 1, err) != OK)
        return err->status;
    return csv_append_field(out, label, DELIMITER, err);
}

static enum status end_line(struct text *out, struct error *err)
{
    return text_append_string(out, ";" HIERARCHY_STAR "\n", err);
}

/* The row of missing values, where there are any: empty at `labels` levels. */
static enum status put_missing(struct text *out,
                               const struct profile_column *column,
                               uint32_t labels, struct error *err)
{
    if (column->missing == 0)
        return OK;
    for (uint32_t i = 0; i < labels; i++)
        if (text_append(out, ";", 1, err) != OK)
            return err->status;
    return end_line(out, err);
}

/* ---- numbers ---- */

/* Interval i of doubling d is [i w, (i + 1) w), w = factor 10^exponent 2^d.
 * The lowest and highest are those of the outermost hundredths. */
struct intervals {
    int64_t factor;
    int exponent;
    int64_t lowest, highest; /* of doubling 0 */
    bool open_below, open_above;
    uint32_t doublings; /* widths there are */
};

static double width_of(const struct intervals *intervals)
{
    return (double)intervals->factor * pow(10, intervals->exponent);
}

/* A little more than the quotient, so that 0.3 is in the interval of 0.3. */
static int64_t interval_of(const struct intervals *intervals, double number)
{
    double at = floor(number / width_of(intervals) + 1e-9);

    return (int64_t)fmin(fmax(at, -INTERVAL_MAX), INTERVAL_MAX);
}

/* Rounded down, of a power of two. */
static int64_t doubled(int64_t interval, uint32_t doublings)
{
    return interval >= 0
               ? interval >> doublings
               : -((-interval + ((int64_t)1 << doublings) - 1) >> doublings);
}

static int64_t clamp(const struct intervals *intervals, int64_t interval)
{
    if (interval < intervals->lowest)
        return intervals->lowest;
    return interval > intervals->highest ? intervals->highest : interval;
}

/* The least of 1, 2, 5 times a power of ten that is not less. */
static void round_up(struct intervals *intervals, double width)
{
    static const int64_t factors[] = {1, 2, 5, 10};
    size_t i = 0;

    intervals->exponent = (int)floor(log10(width));
    while (i < 3 &&
           (double)factors[i] * pow(10, intervals->exponent) < width * 0.999999)
        i++;
    intervals->factor = factors[i];
}

struct counted {
    double number;
    uint64_t rows;
};

static int compare_counted(const void *a, const void *b)
{
    const struct counted *x = a, *y = b;

    return (x->number > y->number) - (x->number < y->number);
}

static double number_of(struct bytes value)
{
    double number = 0;
    bool is = number_parse_double(value, -INFINITY, INFINITY, &number);

    assert(is);
    return number;
}

/* The numbers that leave a hundredth of the rows below and above them. */
static enum status find_ends(const struct profile_column *column, double *low,
                             double *high, struct error *err)
{
    uint32_t count = profile_column_distinct(column);
    struct counted *counted = malloc(count * sizeof *counted);
    uint64_t rows = 0, before = 0;

    if (counted == NULL)
        return error_memory(err, "a hierarchy");
    for (uint32_t i = 0; i < count; i++) {
        counted[i].number = number_of(profile_column_value(column, i + 1));
        counted[i].rows = column->rows[i + 1];
        rows += counted[i].rows;
    }
    qsort(counted, count, sizeof *counted, compare_counted);
    *low = *high = counted[0].number;
    for (uint32_t i = 0; i < count; i++) {
        if (before <= rows / 100)
            *low = counted[i].number;
        if (before < rows - rows / 100)
            *high = counted[i].number;
        before += counted[i].rows;
    }
    free(counted);
    return OK;
}

static void plan_intervals(struct intervals *intervals,
                           const struct profile_about *about, double low,
                           double high)
{
    bool age = about->findings > 0 && about->finding[0].kind == KIND_AGE;

    *intervals = (struct intervals){.factor = AGE_WIDTH};
    if (age && (about->over_89 || high > low + 4 * AGE_WIDTH)) {
        low = about->least;
        high = about->over_89 ? AGE_TOP : about->most;
    } else
        round_up(intervals, (high - low) / GROUPS_FIRST);
    if (about->whole && width_of(intervals) < 2)
        *intervals = (struct intervals){.factor = 2};
    intervals->lowest = interval_of(intervals, low);
    intervals->highest = interval_of(intervals, high);
    intervals->open_below =
        interval_of(intervals, about->least) < intervals->lowest;
    intervals->open_above =
        interval_of(intervals, about->most) > intervals->highest;
    if (age && about->over_89)
        intervals->open_above = true;
    intervals->doublings = 1;
    while (intervals->doublings < DOUBLINGS_MAX &&
           doubled(intervals->highest, intervals->doublings - 1) -
                   doubled(intervals->lowest, intervals->doublings - 1) >=
               GROUPS_LAST)
        intervals->doublings++;
}

#define LABEL_SIZE 128

/* n units of the last digit that counts. */
static void print_number(char *out, size_t size, double n, int exponent)
{
    snprintf(out, size, "%.*f", exponent < 0 ? -exponent : 0,
             n * pow(10, exponent));
}

static void print_interval(char label[LABEL_SIZE],
                           const struct intervals *intervals, bool whole,
                           int64_t base, uint32_t doublings)
{
    int64_t at = doubled(base, doublings);
    double width = (double)intervals->factor * (double)(1u << doublings);
    char from[LABEL_SIZE / 3], to[LABEL_SIZE / 3];

    print_number(from, sizeof from, (double)at * width, intervals->exponent);
    print_number(to, sizeof to, (double)(at + 1) * width, intervals->exponent);
    if (intervals->open_below && at == doubled(intervals->lowest, doublings))
        snprintf(label, LABEL_SIZE, "< %s", to);
    else if (intervals->open_above &&
             at == doubled(intervals->highest, doublings))
        snprintf(label, LABEL_SIZE, ">= %s", from);
    else if (whole && at >= 0) {
        snprintf(to, sizeof to, "%.0f",
                 (double)(at + 1) * width * pow(10, intervals->exponent) - 1);
        snprintf(label, LABEL_SIZE, "%s-%s", from, to);
    } else
        snprintf(label, LABEL_SIZE, "[%s, %s[", from, to);
}

static enum status draft_numbers(struct text *out, uint32_t *levels,
                                 const struct profile_column *column,
                                 const struct profile_about *about,
                                 struct error *err)
{
    struct intervals intervals;
    double low = 0, high = 0;

    if (find_ends(column, &low, &high, err) != OK)
        return err->status;
    if (!(high > low)) { /* nearly all rows have the same */
        low = about->least;
        high = about->most;
    }
    if (!(high > low) || fabs(low) > NUMBER_MAX || fabs(high) > NUMBER_MAX)
        return OK;
    plan_intervals(&intervals, about, low, high);
    if (intervals.highest == intervals.lowest)
        return OK;
    for (uint32_t i = 1; i <= profile_column_distinct(column); i++) {
        struct bytes value = profile_column_value(column, i);
        int64_t base =
            clamp(&intervals, interval_of(&intervals, number_of(value)));

        if (put_value(out, value, err) != OK)
            return err->status;
        for (uint32_t d = 0; d < intervals.doublings; d++) {
            char label[LABEL_SIZE];

            print_interval(label, &intervals, about->whole, base, d);
            if (put_label(out, bytes_of_string(label), err) != OK)
                return err->status;
        }
        if (end_line(out, err) != OK)
            return err->status;
    }
    *levels = intervals.doublings + 2;
    return put_missing(out, column, intervals.doublings, err);
}

/* ---- dates ---- */

static enum status draft_dates(struct text *out, uint32_t *levels,
                               const struct profile_column *column,
                               const struct profile_about *about,
                               struct error *err)
{
    bool has_day = about->date != DATE_FORMAT_MONTH;
    uint32_t labels = 2u + has_day + about->date_has_time;

    for (uint32_t i = 1; i <= profile_column_distinct(column); i++) {
        struct bytes value = profile_column_value(column, i);
        struct profile_date date;
        char day[16], month[16], year[16], decade[16];
        const char *const label[] = {day, month, year, decade};
        bool is = profile_date_parse(about->date, value, &date);

        assert(is);
        snprintf(day, sizeof day, "%04u-%02u-%02u", date.year, date.month,
                 date.day);
        snprintf(month, sizeof month, "%04u-%02u", date.year, date.month);
        snprintf(year, sizeof year, "%04u", date.year);
        snprintf(decade, sizeof decade, "%us", date.year / 10 * 10);
        if (put_value(out, value, err) != OK)
            return err->status;
        for (uint32_t j = 4 - labels; j < 4; j++)
            if (put_label(out, bytes_of_string(label[j]), err) != OK)
                return err->status;
        if (end_line(out, err) != OK)
            return err->status;
    }
    *levels = labels + 2;
    return put_missing(out, column, labels, err);
}

/* ---- ranges ---- */

struct range {
    double begin;
    struct bytes value;
};

static int compare_ranges(const void *a, const void *b)
{
    const struct range *x = a, *y = b;

    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return bytes_compare(x->value, y->value);
}

static enum status put_group(struct text *out, const struct range *range,
                             uint32_t count, uint32_t at, uint32_t doublings,
                             struct error *err)
{
    uint32_t first = at >> doublings << doublings;
    uint32_t last = first + (1u << doublings) - 1;
    struct text label;
    enum status status;

    if (last >= count)
        last = count - 1;
    if (first == last)
        return put_label(out, range[first].value, err);
    text_init(&label);
    status = text_printf(
        &label, err, "%.*s to %.*s", (int)range[first].value.size,
        (const char *)range[first].value.data, (int)range[last].value.size,
        (const char *)range[last].value.data);
    if (status == OK)
        status = put_label(out, text_bytes(&label), err);
    text_clear(&label);
    return status;
}

static enum status draft_ranges(struct text *out, uint32_t *levels,
                                const struct profile_column *column,
                                struct error *err)
{
    uint32_t count = profile_column_distinct(column), doublings = 1;
    struct range *range = malloc(count * sizeof *range);
    enum status status = OK;

    if (range == NULL)
        return error_memory(err, "a hierarchy");
    for (uint32_t i = 0; i < count; i++) {
        range[i].value = profile_column_value(column, i + 1);
        profile_value_range(range[i].value, &range[i].begin);
    }
    qsort(range, count, sizeof *range, compare_ranges);
    while ((count - 1) >> doublings >= GROUPS_LAST)
        doublings++;
    for (uint32_t i = 0; i < count && status == OK; i++) {
        status = put_value(out, range[i].value, err);
        for (uint32_t d = 1; d <= doublings && status == OK; d++)
            status = put_group(out, range, count, i, d, err);
        if (status == OK)
            status = end_line(out, err);
    }
    free(range);
    *levels = doublings + 2;
    return status == OK ? put_missing(out, column, doublings, err) : status;
}

/* ---- codes ---- */

/* The first `keep` characters, and a star for each of the others. */
static enum status put_redacted(struct text *out, struct bytes value,
                                size_t keep, size_t size, struct error *err)
{
    char label[4 * CODE_SIZE_MAX];
    size_t end = 0;

    for (size_t seen = 0; end < value.size; end++) {
        seen += (value.data[end] & 0xC0) != 0x80;
        if (seen > keep)
            break;
    }
    memcpy(label, value.data, end);
    memset(label + end, '*', size - keep);
    return put_label(out, bytes_of(label, end + size - keep), err);
}

static size_t characters(struct bytes value)
{
    size_t count = 0;

    for (size_t i = 0; i < value.size; i++)
        count += (value.data[i] & 0xC0) != 0x80;
    return count;
}

static enum status draft_codes(struct text *out, uint32_t *levels,
                               const struct profile_column *column,
                               struct error *err)
{
    size_t size = characters(profile_column_value(column, 1));
    size_t step = (size + REDACTIONS_MAX - 1) / REDACTIONS_MAX;
    uint32_t labels = (uint32_t)((size - 1) / step);

    for (uint32_t i = 1; i <= profile_column_distinct(column); i++) {
        struct bytes value = profile_column_value(column, i);

        if (put_value(out, value, err) != OK)
            return err->status;
        for (uint32_t j = 1; j <= labels; j++)
            if (put_redacted(out, value, size - j * step, size, err) != OK)
                return err->status;
        if (end_line(out, err) != OK)
            return err->status;
    }
    *levels = labels + 2;
    return put_missing(out, column, labels, err);
}

/* ---- others ---- */

static enum status draft_frequent(struct text *out, uint32_t *levels,
                                  const struct profile_column *column,
                                  struct error *err)
{
    uint32_t count = profile_column_distinct(column), frequent = 0;
    uint64_t rows = 0;

    for (uint32_t i = 0; i <= count; i++)
        rows += column->rows[i];
    for (uint32_t i = 1; i <= count; i++)
        frequent += column->rows[i] >= rows / FREQUENT_ROWS;
    if (frequent == 0 || count - frequent < 2)
        return OK;
    for (uint32_t i = 1; i <= count; i++) {
        struct bytes value = profile_column_value(column, i);
        bool stays = column->rows[i] >= rows / FREQUENT_ROWS;

        if (put_value(out, value, err) != OK ||
            put_label(out, stays ? value : bytes_of_string("other"), err) !=
                OK ||
            end_line(out, err) != OK)
            return err->status;
    }
    *levels = 3;
    return put_missing(out, column, 1, err);
}

/* Numbers that are names: of a region, a kind of admission. */
static bool is_code(const struct profile_column *column,
                    const struct profile_about *about)
{
    static const char *const words[] = {"id",     "code",  "type",
                                        "status", "class", "source",
                                        "race",   "sex",   "gender"};
    char folded[SUGGESTION_NAME_MAX + 1];

    if (about->findings > 0 && about->finding[0].kind == KIND_AGE)
        return false;
    if (about->findings > 0 && about->finding[0].kind == KIND_AREA)
        return true;
    profile_name_fold(bytes_of_string(column->name), folded, sizeof folded);
    for (const char *at = folded; *at != '\0';) {
        size_t size = strcspn(at, " ");

        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
            if (strlen(words[i]) == size && memcmp(at, words[i], size) == 0)
                return true;
        at += size + (at[size] == ' ');
    }
    return false;
}

enum status profile_hierarchy_draft(struct text *out, uint32_t *levels,
                                    const struct profile_column *column,
                                    const struct profile_about *about,
                                    struct error *err)
{
    uint32_t distinct = profile_column_distinct(column);
    size_t size =
        distinct == 0 ? 0 : characters(profile_column_value(column, 1));
    bool number =
        about->type == PROFILE_INTEGER || about->type == PROFILE_DECIMAL;

    assert(!column->exceeded && distinct <= PROFILE_HIERARCHY_MAX);
    *levels = 2;
    if (about->type == PROFILE_DATE)
        return draft_dates(out, levels, column, about, err);
    if (about->type == PROFILE_ORDINAL && distinct >= TEXTS_MIN)
        return draft_ranges(out, levels, column, err);
    if (number && !is_code(column, about))
        return distinct < NUMBERS_MIN
                   ? OK
                   : draft_numbers(out, levels, column, about, err);
    if (distinct >= CODES_MIN && about->even_size && size >= CODE_SIZE_MIN &&
        size <= CODE_SIZE_MAX)
        return draft_codes(out, levels, column, err);
    if (distinct >= TEXTS_MIN)
        return draft_frequent(out, levels, column, err);
    return OK;
}
