#include "anonymizer/key_match.h"

#include <assert.h>
#include <stdlib.h>

/* Tuples that lack the same columns. */
struct pattern {
    uint64_t missing;
    uint32_t first, count; /* in matching.tuple */
};

struct matching {
    const struct key_table *table;
    const double *amount;
    struct refiner refiner;
    struct pattern *pattern;
    size_t pattern_count;
    uint32_t *tuple; /* by pattern, and in it by number */
    uint32_t *both;  /* those of two patterns, one behind the other */
    uint32_t *group; /* of each of those */
    double *total;   /* [group] */
};

static uint64_t missing_of(const struct key_table *table, uint32_t tuple)
{
    uint64_t missing = 0;

    for (size_t c = 0; c < table->column_count; c++)
        if (table->code[c][tuple] == table->missing[c])
            missing |= UINT64_C(1) << c;
    return missing;
}

/* ---- patterns ---- */

struct placed {
    uint64_t missing;
    uint32_t tuple;
};

static int compare_placed(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;

    if (x->missing != y->missing)
        return x->missing < y->missing ? -1 : 1;
    return (x->tuple > y->tuple) - (x->tuple < y->tuple);
}

static enum status add_pattern(struct matching *matching, uint64_t missing,
                               uint32_t first, struct error *err)
{
    if (matching->pattern_count == KEY_PATTERNS_MAX)
        return error_set(err, E_LIMIT,
                         "more than %d combinations of quasi-identifiers whose "
                         "values are missing together; let a missing value be "
                         "a category of its own (\"missing_match\": 0)",
                         KEY_PATTERNS_MAX);
    matching->pattern[matching->pattern_count++] =
        (struct pattern){.missing = missing, .first = first};
    return OK;
}

static enum status find_patterns(struct matching *matching, struct error *err)
{
    const struct key_table *table = matching->table;
    struct placed *placed =
        calloc((size_t)table->tuple_count + 1, sizeof *placed);
    enum status status = OK;

    if (placed == NULL)
        return error_memory(err, "records that match");
    for (uint32_t t = 0; t < table->tuple_count; t++)
        placed[t] = (struct placed){missing_of(table, t), t};
    qsort(placed, table->tuple_count, sizeof *placed, compare_placed);
    for (uint32_t i = 0; status == OK && i < table->tuple_count; i++) {
        if (i == 0 || placed[i].missing != placed[i - 1].missing)
            status = add_pattern(matching, placed[i].missing, i, err);
        if (status == OK)
            matching->pattern[matching->pattern_count - 1].count++;
        matching->tuple[i] = placed[i].tuple;
    }
    free(placed);
    return status;
}

/* ---- two patterns ---- */

/* Tuples of both by their values in the columns that both have; in
 * matching->both those of `a` first.  Returns the number of groups. */
static uint32_t group_both(struct matching *matching, const struct pattern *a,
                           const struct pattern *b)
{
    const struct key_table *table = matching->table;
    uint32_t count = a->count + b->count, groups = 1;

    for (uint32_t i = 0; i < a->count; i++)
        matching->both[i] = matching->tuple[a->first + i];
    for (uint32_t i = 0; i < b->count; i++)
        matching->both[a->count + i] = matching->tuple[b->first + i];
    for (uint32_t i = 0; i < count; i++)
        matching->group[i] = 0;
    for (size_t c = 0; c < table->column_count; c++)
        if (((a->missing | b->missing) >> c & 1) == 0)
            groups = refine(&matching->refiner, matching->both, count,
                            matching->group, groups, table->code[c],
                            table->code_count[c], matching->group);
    return groups;
}

/* sum[tuple of one] += factor * what is compatible of the other. */
static void add_compatible(struct matching *matching, uint32_t groups,
                           uint32_t from, uint32_t from_count, uint32_t to,
                           uint32_t to_count, double factor, double *sum)
{
    for (uint32_t g = 0; g < groups; g++)
        matching->total[g] = 0;
    for (uint32_t i = from; i < from + from_count; i++)
        matching->total[matching->group[i]] +=
            matching->amount[matching->both[i]];
    for (uint32_t i = to; i < to + to_count; i++)
        sum[matching->both[i]] += factor * matching->total[matching->group[i]];
}

/* `b` lacks something; `a` may not. */
static void match_patterns(struct matching *matching, const struct pattern *a,
                           const struct pattern *b, double alpha, double *sum)
{
    uint32_t groups = group_both(matching, a, b);

    add_compatible(matching, groups, 0, a->count, a->count, b->count,
                   a->missing == 0 ? 1 : alpha, sum);
    add_compatible(matching, groups, a->count, b->count, 0, a->count, alpha,
                   sum);
}

static enum status matching_create(struct matching *matching, struct error *err)
{
    size_t tuples = (size_t)matching->table->tuple_count + 1;

    if (refiner_init(&matching->refiner, tuples, err) != OK)
        return err->status;
    matching->pattern = calloc(KEY_PATTERNS_MAX, sizeof *matching->pattern);
    matching->tuple = calloc(tuples, sizeof *matching->tuple);
    matching->both = calloc(tuples, sizeof *matching->both);
    matching->group = calloc(tuples, sizeof *matching->group);
    matching->total = calloc(tuples, sizeof *matching->total);
    if (matching->pattern == NULL || matching->tuple == NULL ||
        matching->both == NULL || matching->group == NULL ||
        matching->total == NULL)
        return error_memory(err, "records that match");
    return OK;
}

static void matching_clear(struct matching *matching)
{
    refiner_clear(&matching->refiner);
    free(matching->pattern);
    free(matching->tuple);
    free(matching->both);
    free(matching->group);
    free(matching->total);
}

enum status key_match(const struct key_table *table, const double *amount,
                      double alpha, double *sum, struct error *err)
{
    struct matching matching = {.table = table, .amount = amount};
    enum status status;

    assert(alpha >= 0 && alpha <= 1);
    for (uint32_t t = 0; t < table->tuple_count; t++)
        sum[t] = amount[t];
    if (alpha == 0)
        return OK;
    status = matching_create(&matching, err);
    if (status == OK)
        status = find_patterns(&matching, err);
    /* In ascending order of their masks, so that the complete ones are first;
     * sums do not depend on the order of the rows in the file then. */
    for (size_t b = 0; status == OK && b < matching.pattern_count; b++)
        for (size_t a = 0; matching.pattern[b].missing != 0 && a < b; a++)
            match_patterns(&matching, &matching.pattern[a],
                           &matching.pattern[b], alpha, sum);
    matching_clear(&matching);
    return status;
}
