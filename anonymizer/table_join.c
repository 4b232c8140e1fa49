#include "anonymizer/table_join.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/team.h"
#include "common/turn.h"

/* ---- values ---- */

static struct column_codes *codes_of(const struct table_join *join, unsigned c,
                                     bool sensitive, size_t column)
{
    return sensitive ? &join->coder[c]->sensitive[column]
                     : &join->coder[c]->quasi[column];
}

/* All tokens for what is missing are one value. */
static enum status joined_code(const struct policy *policy,
                               struct dictionary *joined, uint32_t *missing,
                               struct bytes text, uint32_t *code,
                               struct error *err)
{
    bool is_missing;
    enum status status;

    *code = dictionary_find(joined, text);
    if (*code != DICTIONARY_NONE)
        return OK;
    is_missing = policy_is_missing(policy, text);
    if (is_missing && *missing != DICTIONARY_NONE) {
        *code = *missing;
        return OK;
    }
    status = dictionary_add(joined, text, code, err);
    if (is_missing && status == OK)
        *missing = *code;
    return status;
}

/* The dictionaries of one column become `joined`; map[c][code] says what a
 * coder's code is there. */
static enum status join_column(const struct table_join *join, bool sensitive,
                               size_t column, struct dictionary *joined,
                               uint32_t **map, struct error *err)
{
    uint32_t missing = DICTIONARY_NONE;
    uint32_t *next = calloc(join->coder_count, sizeof *next);
    enum status status = OK;

    if (next == NULL)
        return error_memory(err, "the values of a column");
    for (unsigned c = 0; c < join->coder_count; c++) {
        uint32_t count =
            codes_of(join, c, sensitive, column)->dictionary.code_count;

        map[c] = calloc((size_t)count + 1, sizeof *map[c]);
        if (map[c] == NULL) {
            status = error_memory(err, "the values of a column");
            goto done;
        }
    }
    while (status == OK) {
        const struct column_codes *best = NULL;
        unsigned from = 0;

        for (unsigned c = 0; c < join->coder_count; c++) {
            const struct column_codes *codes =
                codes_of(join, c, sensitive, column);

            if (next[c] < codes->dictionary.code_count &&
                (best == NULL ||
                 codes->first[next[c]] < best->first[next[from]])) {
                best = codes;
                from = c;
            }
        }
        if (best == NULL)
            break;
        status = joined_code(join->coding->policy, joined, &missing,
                             dictionary_text(&best->dictionary, next[from]),
                             &map[from][next[from]], err);
        next[from]++;
    }
done:
    free(next);
    return status;
}

static void free_maps(uint32_t **map, unsigned count)
{
    for (unsigned c = 0; map != NULL && c < count; c++)
        free(map[c]);
    free(map);
}

/* ---- tuples ---- */

/* Codes of columns without a hierarchy are the coder's own: translate them in
 * all its keys. */
static void translate_keys(const struct coded_column *column,
                           struct tuple_set *tuples, const uint32_t *map)
{
    uint64_t mask = (UINT64_C(1) << column->bits) - 1;

    for (uint32_t t = 0; t < tuples->count; t++) {
        uint64_t *word = tuples->key + t * tuples->words + column->word;
        uint64_t code = map[*word >> column->shift & mask];

        *word = (*word & ~(mask << column->shift)) | code << column->shift;
    }
}

static enum status join_quasi(const struct table_join *join, struct error *err)
{
    enum status status = OK;

    for (size_t q = 0; status == OK && q < join->coding->quasi_count; q++) {
        uint32_t **map;

        if (join->coding->quasi[q].hierarchy != NULL)
            continue;
        map = calloc(join->coder_count, sizeof *map);
        if (map == NULL)
            return error_memory(err, "the values of a column");
        status = join_column(join, false, q, &join->dictionary[q], map, err);
        for (unsigned c = 0; status == OK && c < join->coder_count; c++)
            translate_keys(&join->coding->quasi[q], &join->coder[c]->tuples,
                           map[c]);
        free_maps(map, join->coder_count);
    }
    return status;
}

/* The next few tuples of all coders in the order of their first rows. */
struct tuple_batch {
    uint64_t *key;
    uint64_t first[CSV_BATCH_ROWS];
    unsigned coder[CSV_BATCH_ROWS];
    uint32_t own[CSV_BATCH_ROWS];
    uint32_t joined[CSV_BATCH_ROWS];
    size_t count;
};

static void take_tuples(const struct table_join *join, uint32_t *next,
                        struct tuple_batch *batch)
{
    size_t words = join->coding->words;

    for (batch->count = 0; batch->count < CSV_BATCH_ROWS; batch->count++) {
        const struct tuple_set *best = NULL;
        size_t i = batch->count;
        unsigned from = 0;

        for (unsigned c = 0; c < join->coder_count; c++) {
            const struct tuple_set *tuples = &join->coder[c]->tuples;

            if (next[c] < tuples->count &&
                (best == NULL ||
                 tuples->first[next[c]] < best->first[next[from]])) {
                best = tuples;
                from = c;
            }
        }
        if (best == NULL)
            return;
        memcpy(batch->key + i * words, best->key + next[from] * words,
               words * sizeof *batch->key);
        batch->first[i] = best->first[next[from]];
        batch->coder[i] = from;
        batch->own[i] = next[from]++;
    }
}

static void add_counts(struct tuple_set *joined, uint32_t tuple,
                       const struct tuple_set *from, uint32_t own)
{
    joined->rows[tuple] += from->rows[own];
    if (joined->has_subset)
        joined->population[tuple] += from->population[own];
}

/* All coders' tuples become `joined`; map[c][tuple] says what a coder's is. */
static enum status join_tuples(const struct table_join *join,
                               struct tuple_set *joined, uint32_t **map,
                               struct error *err)
{
    struct tuple_batch batch;
    uint32_t *next = calloc(join->coder_count, sizeof *next);
    enum status status = OK;

    batch.key = calloc(CSV_BATCH_ROWS, joined->words * sizeof *batch.key);
    if (next == NULL || batch.key == NULL)
        status = error_memory(err, "the tuples");
    for (unsigned c = 0; status == OK && c < join->coder_count; c++) {
        map[c] =
            calloc((size_t)join->coder[c]->tuples.count + 1, sizeof *map[c]);
        if (map[c] == NULL)
            status = error_memory(err, "the tuples");
    }
    while (status == OK) {
        take_tuples(join, next, &batch);
        if (batch.count == 0)
            break;
        status = tuple_set_find(joined, batch.key, batch.first, batch.count,
                                batch.joined, err);
        for (size_t i = 0; status == OK && i < batch.count; i++) {
            map[batch.coder[i]][batch.own[i]] = batch.joined[i];
            add_counts(joined, batch.joined[i],
                       &join->coder[batch.coder[i]]->tuples, batch.own[i]);
        }
    }
    free(batch.key);
    free(next);
    return status;
}

/* ---- rows ---- */

struct renumbering {
    const struct table_join *join;
    uint32_t **map;
    struct turn turn; /* gives out the spans */
};

static void renumber_member(void *context, unsigned index)
{
    struct renumbering *work = context;
    uint64_t number;

    (void)index;
    while ((number = turn_take(&work->turn)) < work->join->span_count) {
        const struct row_span *span = &work->join->span[number];
        const uint32_t *map = work->map[span->coder];
        uint32_t *tuple = work->join->coding->tuple_of_row + span->first;

        for (uint64_t r = 0; r < span->rows; r++)
            if (tuple[r] != TABLE_OUTSIDE)
                tuple[r] = map[tuple[r]];
    }
}

static void renumber_rows(const struct table_join *join, uint32_t **map)
{
    struct renumbering work = {.join = join, .map = map};

    turn_init(&work.turn);
    team_run(join->threads, renumber_member, &work);
    turn_clear(&work.turn);
}

/* ---- the table's own numbers ---- */

/* Hierarchy rows become value numbers as they first occur. */
static enum status number_values(struct quasi_identifier *quasi,
                                 const struct coded_column *column,
                                 const struct tuple_set *tuples,
                                 uint32_t *value, size_t stride,
                                 struct error *err)
{
    uint32_t rows = hierarchy_rows(quasi->hierarchy);
    uint32_t *value_of_row = malloc(rows * sizeof *value_of_row);

    quasi->row = calloc(rows, sizeof *quasi->row);
    if (value_of_row == NULL || quasi->row == NULL) {
        free(value_of_row);
        return error_memory(err, "the values of an attribute");
    }
    memset(value_of_row, 0xff, rows * sizeof *value_of_row);
    for (uint32_t t = 0; t < tuples->count; t++, value += stride) {
        uint32_t row = coding_unpack(column, tuples->key + t * tuples->words);

        if (value_of_row[row] == UINT32_MAX) {
            value_of_row[row] = quasi->value_count;
            quasi->row[quasi->value_count++] = row;
        }
        *value = value_of_row[row];
    }
    free(value_of_row);
    return OK;
}

static enum status fill_table(const struct table_join *join,
                              struct tuple_set *tuples, struct error *err)
{
    struct table *table = join->table;
    size_t stride = table->quasi_count;
    enum status status = OK;

    table->tuple_count = tuples->count;
    table->tuple_rows = tuples->rows;
    tuples->rows = NULL;
    table->tuple_population = tuples->population;
    tuples->population = NULL;
    for (uint32_t t = 0; t < tuples->count; t++)
        table->rows += table->tuple_rows[t];
    /* Nothing is looked up any more. */
    free(tuples->slot);
    tuples->slot = NULL;
    table->value =
        calloc((size_t)tuples->count * stride + 1, sizeof *table->value);
    if (table->value == NULL)
        return error_memory(err, "the tuples");
    for (size_t q = 0; status == OK && q < stride; q++) {
        const struct coded_column *column = &join->coding->quasi[q];

        if (column->hierarchy != NULL)
            status = number_values(&table->quasi[q], column, tuples,
                                   table->value + q, stride, err);
        else
            for (uint32_t t = 0; t < tuples->count; t++)
                table->value[t * stride + q] =
                    coding_unpack(column, tuples->key + t * tuples->words);
    }
    return status;
}

static enum status join_all_tuples(struct table_join *join, struct error *err)
{
    struct tuple_set joined = {0};
    uint32_t **map = NULL;
    enum status status = join_quasi(join, err);

    if (status != OK)
        return status;
    /* A single coder's numbers are the table's already. */
    if (join->coder_count == 1)
        return fill_table(join, &join->coder[0]->tuples, err);
    status = tuple_set_init(&joined, join->coding->words,
                            join->coding->policy->has_subset, err);
    map = calloc(join->coder_count, sizeof *map);
    if (status == OK && map == NULL)
        status = error_memory(err, "the tuples");
    if (status == OK)
        status = join_tuples(join, &joined, map, err);
    for (unsigned c = 0; c < join->coder_count; c++)
        tuple_set_clear(&join->coder[c]->tuples);
    if (status == OK)
        renumber_rows(join, map);
    free_maps(map, join->coder_count);
    if (status == OK)
        status = fill_table(join, &joined, err);
    tuple_set_clear(&joined);
    return status;
}

/* ---- histograms ---- */

/* The rows' values of one sensitive attribute, sorted by tuple: `sorted` has
 * the bytes that the largest needs, `end` is where each tuple's end. */
struct sorted_values {
    struct row_codes codes;
    unsigned width;
    uint64_t *end; /* [tuple] */
};

static enum status sort_values(const struct table_join *join, size_t s,
                               uint32_t **map, struct sorted_values *sorted,
                               struct error *err)
{
    const struct table *table = join->table;
    const struct row_codes *codes = &join->coding->codes[s];
    uint32_t values = table->sensitive[s].dictionary.code_count;
    uint32_t tuples = table->tuple_count;

    sorted->width = values > 1u << 16 ? 2 : values > 1u << 8 ? 1 : 0;
    sorted->end = calloc((size_t)tuples + 1, sizeof *sorted->end);
    if (sorted->end == NULL)
        return error_memory(err, "the values of a sensitive attribute");
    if (row_codes_reserve(&sorted->codes, table->rows, err) != OK)
        return err->status;
    for (uint32_t t = 0; t + 1 < tuples; t++)
        sorted->end[t + 1] = sorted->end[t] + table->tuple_rows[t];
    for (size_t i = 0; i < join->span_count; i++) {
        const struct row_span *span = &join->span[i];
        const uint32_t *own = map[span->coder];

        for (uint64_t r = span->first; r < span->first + span->rows; r++) {
            uint32_t tuple = join->coding->tuple_of_row[r];

            if (tuple != TABLE_OUTSIDE)
                row_codes_set_at(&sorted->codes, sorted->width,
                                 sorted->end[tuple]++,
                                 own[row_codes_get(codes, span->width[s], r)]);
        }
    }
    return OK;
}

/* Go through the tuples' values; with `out`, whose arrays have room, note
 * them.  Returns how many there are. */
static uint64_t count_distinct(const struct sorted_values *sorted,
                               uint32_t tuples, uint32_t *scratch,
                               struct histograms *out, uint32_t *met)
{
    uint64_t used = 0, row = 0;

    for (uint32_t t = 0; t < tuples; t++) {
        uint32_t count = 0;

        for (; row < sorted->end[t]; row++) {
            uint32_t value = row_codes_get(&sorted->codes, sorted->width, row);

            if (scratch[value]++ == 0)
                met[count++] = value;
        }
        if (out != NULL)
            out->begin[t] = used;
        for (uint32_t i = 0; i < count; i++) {
            if (out != NULL) {
                out->value[used + i] = met[i];
                out->number[used + i] = scratch[met[i]];
            }
            scratch[met[i]] = 0;
        }
        used += count;
    }
    if (out != NULL)
        out->begin[tuples] = used;
    return used;
}

static enum status make_histograms(const struct table *table,
                                   struct sensitive_attribute *sensitive,
                                   const struct sorted_values *sorted,
                                   struct error *err)
{
    struct histograms *out = &sensitive->histograms;
    uint32_t values = sensitive->value_count, tuples = table->tuple_count;
    uint32_t *scratch = calloc((size_t)values + 1, sizeof *scratch);
    uint32_t *met = calloc((size_t)values + 1, sizeof *met);
    enum status status = OK;

    if (scratch != NULL && met != NULL) {
        uint64_t distinct = count_distinct(sorted, tuples, scratch, NULL, met);

        out->begin = calloc((size_t)tuples + 1, sizeof *out->begin);
        out->value = calloc(distinct + 1, sizeof *out->value);
        out->number = calloc(distinct + 1, sizeof *out->number);
    }
    if (out->begin == NULL || out->value == NULL || out->number == NULL)
        status = error_memory(err, "the values of a sensitive attribute");
    else
        count_distinct(sorted, tuples, scratch, out, met);
    free(scratch);
    free(met);
    return status;
}

static enum status join_sensitive(struct table_join *join, size_t s,
                                  struct error *err)
{
    struct sensitive_attribute *sensitive = &join->table->sensitive[s];
    struct sorted_values sorted = {.end = NULL};
    uint32_t **map = calloc(join->coder_count, sizeof *map);
    enum status status =
        map == NULL
            ? error_memory(err, "the values of a sensitive attribute")
            : join_column(join, true, s, &sensitive->dictionary, map, err);

    sensitive->value_count = sensitive->dictionary.code_count;
    if (status == OK)
        status = sort_values(join, s, map, &sorted, err);
    /* Wanted no longer; what comes next needs the room. */
    row_codes_clear(&join->coding->codes[s]);
    free_maps(map, join->coder_count);
    if (status == OK)
        status = make_histograms(join->table, sensitive, &sorted, err);
    row_codes_clear(&sorted.codes);
    free(sorted.end);
    return status;
}

enum status table_join(struct table_join *join, struct error *err)
{
    enum status status = join_all_tuples(join, err);

    assert(join->coder_count > 0);
    for (size_t s = 0; status == OK && s < join->coding->sensitive_count; s++)
        status = join_sensitive(join, s, err);
    return status;
}
