#include "anonymizer/profile_about.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "common/limits.h"
#include "common/number.h"

/* Rows from which it means something that values repeat, or do not. */
#define ROWS_TELLING 20

/* Words of a value that is a sentence, and values that are enough of them. */
#define SENTENCE_WORDS 5
#define SENTENCES_MIN 20

#define SHARE_OF_PERSONS 0.15
#define AGE_MAX 130
#define AGE_SAFE_HARBOR 89

/* The nearest of all numbers that doubles hold. */
#define NUMBER_MAX 1e300

const char *profile_type_name(enum profile_type type)
{
    static const char *const names[] = {"empty",   "string",  "ordinal",
                                        "integer", "decimal", "date"};

    assert(type < sizeof names / sizeof *names);
    return names[type];
}

const struct profile_finding *
profile_about_find(const struct profile_about *about, enum profile_kind kind)
{
    for (size_t i = 0; i < about->findings; i++)
        if (about->finding[i].kind == kind)
            return &about->finding[i];
    return NULL;
}

/* ---- type ---- */

/* What all values so far could be. */
struct types {
    bool integer, decimal, range, whole;
    bool date[DATE_FORMAT_COUNT];
    bool has_time;
    bool even_size;
    size_t size; /* of the first value, in characters */
};

static size_t characters(struct bytes value)
{
    size_t count = 0;

    for (size_t i = 0; i < value.size; i++)
        count += (value.data[i] & 0xC0) != 0x80;
    return count;
}

static void narrow(struct types *types, struct profile_about *about,
                   struct bytes value)
{
    struct profile_date date;
    double number;
    int64_t whole;

    for (enum date_format i = 0; i < DATE_FORMAT_COUNT; i++)
        if (types->date[i]) {
            types->date[i] = profile_date_parse(i, value, &date);
            types->has_time |= types->date[i] && date.has_time;
        }
    if (types->integer)
        types->integer =
            number_parse_signed(value, INT64_MIN, INT64_MAX, &whole);
    if (types->decimal) {
        types->decimal =
            number_parse_double(value, -NUMBER_MAX, NUMBER_MAX, &number);
        if (types->decimal) {
            about->least = fmin(about->least, number);
            about->most = fmax(about->most, number);
            types->whole = types->whole && number == floor(number);
        }
    }
    if (types->range)
        types->range = profile_value_range(value, &number);
    types->even_size = types->even_size && characters(value) == types->size;
}

static void find_type(struct profile_about *about,
                      const struct profile_column *column)
{
    struct types types = {.integer = true,
                          .decimal = true,
                          .range = true,
                          .whole = true,
                          .even_size = true};
    uint32_t distinct = profile_column_distinct(column);

    about->least = INFINITY;
    about->most = -INFINITY;
    if (distinct == 0)
        return;
    for (size_t i = 0; i < DATE_FORMAT_COUNT; i++)
        types.date[i] = true;
    types.size = characters(profile_column_value(column, 1));
    for (uint32_t code = 1; code <= distinct; code++)
        narrow(&types, about, profile_column_value(column, code));
    about->even_size = types.even_size;
    about->whole = types.decimal && types.whole;
    about->type = types.integer   ? PROFILE_INTEGER
                  : types.decimal ? PROFILE_DECIMAL
                  : types.range   ? PROFILE_ORDINAL
                                  : PROFILE_STRING;
    for (enum date_format i = 0; i < DATE_FORMAT_COUNT; i++)
        if (types.date[i]) {
            about->date_ambiguous = about->type == PROFILE_DATE;
            if (about->type != PROFILE_DATE)
                about->date = i;
            about->type = PROFILE_DATE;
            about->date_has_time = types.has_time;
        }
}

/* ---- forms ---- */

struct tally {
    uint32_t form[VALUE_FORM_COUNT];
    uint32_t persons;
    uint64_t words;
    uint32_t values;
};

static void tally_values(struct tally *tally,
                         const struct profile_column *column)
{
    uint32_t distinct = profile_column_distinct(column);

    tally->values =
        distinct < PROFILE_SAMPLE_MAX ? distinct : PROFILE_SAMPLE_MAX;
    for (uint32_t code = 1; code <= tally->values; code++) {
        struct bytes value = profile_column_value(column, code);

        for (enum value_form i = 0; i < VALUE_FORM_COUNT; i++)
            tally->form[i] += profile_value_has_form(i, value);
        tally->persons += profile_value_names_person(value);
        tally->words += profile_value_words(value);
    }
}

static void judge_form(struct profile_finding *finding, enum value_form form,
                       const struct tally *tally)
{
    const struct value_form_about *about = value_form_about(form);
    double share = (double)tally->form[form] / tally->values;
    bool most = share > 0.5 && tally->values >= about->distinct;

    if (most && share * about->strength > finding->by_values) {
        finding->by_values = share * about->strength;
        finding->form = form;
        finding->some = false;
    } else if (!most && share > 0 && finding->by_values == 0 &&
               about->strength == FORM_TELLING && about->distinct == 1) {
        finding->form = form;
        finding->some = true;
    }
}

static void at_least(struct profile_finding *finding, double confidence)
{
    if (finding->by_values < confidence)
        finding->by_values = confidence;
}

/* What the values say of each kind. */
static void judge_values(struct profile_finding by_kind[KIND_COUNT],
                         const struct profile_about *about,
                         const struct profile_column *column)
{
    struct tally tally = {.values = 0};
    double share;

    tally_values(&tally, column);
    if (tally.values == 0)
        return;
    for (enum value_form i = 0; i < VALUE_FORM_COUNT; i++)
        judge_form(&by_kind[value_form_about(i)->kind], i, &tally);
    if (about->type == PROFILE_DATE)
        at_least(&by_kind[KIND_DATE], 0.95);
    if (about->type != PROFILE_STRING) {
        if (about->each_row_own && about->type == PROFILE_INTEGER)
            at_least(&by_kind[KIND_OTHER], 0.6);
        return;
    }
    share = (double)tally.persons / tally.values;
    if (tally.values >= 5 && share >= SHARE_OF_PERSONS)
        at_least(&by_kind[KIND_NAME], fmin(0.5 + share, 0.9));
    if (tally.values >= SENTENCES_MIN && about->mostly_own &&
        (double)tally.words / tally.values >= SENTENCE_WORDS)
        at_least(&by_kind[KIND_FREE_TEXT], 0.8);
    if (about->each_row_own)
        at_least(&by_kind[KIND_OTHER], 0.8);
}

/* ---- all together ---- */

static bool is_number(const struct profile_about *about)
{
    return about->type == PROFILE_INTEGER || about->type == PROFILE_DECIMAL;
}

/* What a name promises that the values do not keep. */
static double temper(double by_name, enum profile_kind kind,
                     const struct profile_about *about,
                     const struct profile_column *column, uint64_t rows)
{
    if (kind == KIND_AGE &&
        (about->type == PROFILE_DATE ||
         (is_number(about) && (about->least < 0 || about->most > AGE_MAX))))
        return by_name / 4;
    if (kind < KIND_DEMOGRAPHIC && kind != KIND_AGE && kind != KIND_AREA &&
        rows >= ROWS_TELLING && profile_column_distinct(column) <= 2)
        return by_name / 2;
    return by_name;
}

static int compare_findings(const void *a, const void *b)
{
    const struct profile_finding *x = a, *y = b;

    if (x->confidence != y->confidence)
        return x->confidence > y->confidence ? -1 : 1;
    return x->kind < y->kind ? -1 : 1;
}

/* Of a year's group, "90-94" say, the lower end counts. */
static bool holds_over_89(const struct profile_about *about,
                          const struct profile_column *column)
{
    double begin;

    if (is_number(about))
        return about->most > AGE_SAFE_HARBOR && about->most <= AGE_MAX;
    if (about->type != PROFILE_ORDINAL)
        return false;
    for (uint32_t code = 1; code <= profile_column_distinct(column); code++)
        if (profile_value_range(profile_column_value(column, code), &begin) &&
            begin > AGE_SAFE_HARBOR + 1)
            return true;
    return false;
}

static void judge_rows(struct profile_about *about,
                       const struct profile_column *column, uint64_t rows)
{
    uint64_t there = rows - column->missing, alone = 0;

    for (uint32_t code = 1; code <= profile_column_distinct(column); code++)
        alone += column->rows[code] == 1;
    about->each_row_own = !column->exceeded && rows >= ROWS_TELLING &&
                          column->missing == 0 && !column->repeats;
    about->mostly_own =
        there >= ROWS_TELLING && (column->exceeded || alone > there / 2);
}

void profile_about_judge(struct profile_about *about,
                         const struct profile_column *column, uint64_t rows)
{
    struct profile_finding by_kind[KIND_COUNT];
    double by_name[KIND_COUNT];

    *about = (struct profile_about){.type = PROFILE_EMPTY};
    judge_rows(about, column, rows);
    find_type(about, column);
    profile_name_judge(bytes_of_string(column->name), by_name);
    for (enum profile_kind i = 0; i < KIND_COUNT; i++)
        by_kind[i] = (struct profile_finding){
            .kind = i,
            .form = VALUE_FORM_COUNT,
            .by_name = temper(by_name[i], i, about, column, rows)};
    judge_values(by_kind, about, column);
    for (enum profile_kind i = 0; i < KIND_COUNT; i++) {
        by_kind[i].confidence =
            1 - (1 - by_kind[i].by_name) * (1 - by_kind[i].by_values);
        if (i != KIND_NOTHING && (by_kind[i].confidence > 0 || by_kind[i].some))
            about->finding[about->findings++] = by_kind[i];
    }
    qsort(about->finding, about->findings, sizeof *about->finding,
          compare_findings);
    about->over_89 = about->findings > 0 &&
                     about->finding[0].kind == KIND_AGE &&
                     holds_over_89(about, column);
}
