#include "anonymizer/table_coder.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "anonymizer/subset.h"
#include "anonymizer/table.h"
#include "anonymizer/table_hierarchy.h"
#include "anonymizer/table_refusal.h"
#include "common/hash.h"

#define TUPLES_FIRST 512

/* ---- keys ---- */

void coding_pack(struct coding *coding)
{
    unsigned used = 0, word = 0;

    for (size_t q = 0; q < coding->quasi_count; q++) {
        struct coded_column *column = &coding->quasi[q];
        uint32_t largest = column->hierarchy != NULL
                               ? hierarchy_rows(column->hierarchy) - 1
                               : UINT32_MAX;

        column->bits = 1;
        while (column->bits < 32 && largest >> column->bits != 0)
            column->bits++;
        if (used + column->bits > 64) {
            word++;
            used = 0;
        }
        column->word = word;
        column->shift = used;
        used += column->bits;
    }
    coding->words = word + 1;
}

/* ---- tuples ---- */

static uint64_t key_hash(const struct tuple_set *set, const uint64_t *key)
{
    uint64_t state = set->hash_key.word[0];

    for (size_t w = 0; w < set->words; w++)
        state = hash_fold(state ^ key[w], set->hash_key.word[1]);
    return hash_fold(state ^ set->hash_key.word[0], set->hash_key.word[1]);
}

enum status tuple_set_init(struct tuple_set *set, size_t words, bool has_subset,
                           struct error *err)
{
    *set = (struct tuple_set){.words = words, .has_subset = has_subset};
    return hash_key_draw(&set->hash_key, err);
}

void tuple_set_clear(struct tuple_set *set)
{
    free(set->key);
    free(set->first);
    free(set->rows);
    free(set->population);
    free(set->slot);
    *set = (struct tuple_set){0};
}

static enum status grow_tuples(struct tuple_set *set, struct error *err)
{
    uint32_t capacity =
        set->capacity == 0 ? TUPLES_FIRST : set->capacity / 2 * 3;
    uint64_t *key, *first;
    uint32_t *rows;

    if (set->count > TABLE_TUPLES_MAX)
        return error_set(err, E_LIMIT, "more than %u distinct tuples",
                         TABLE_TUPLES_MAX);
    key = reallocarray(set->key, capacity, set->words * sizeof *key);
    if (key == NULL)
        return error_memory(err, "the tuples");
    set->key = key;
    first = reallocarray(set->first, capacity, sizeof *first);
    if (first == NULL)
        return error_memory(err, "the tuples");
    set->first = first;
    rows = reallocarray(set->rows, capacity, sizeof *rows);
    if (rows == NULL)
        return error_memory(err, "the tuples");
    set->rows = rows;
    if (set->has_subset) {
        rows = reallocarray(set->population, capacity, sizeof *rows);
        if (rows == NULL)
            return error_memory(err, "the tuples");
        set->population = rows;
    }
    set->capacity = capacity;
    return OK;
}

static enum status grow_slots(struct tuple_set *set, struct error *err)
{
    size_t count =
        set->slot_count == 0 ? 4 * (size_t)TUPLES_FIRST : 2 * set->slot_count;
    struct tuple_slot *slot;

    /* The old ones first: their tuples are in `key`. */
    free(set->slot);
    set->slot_count = 0;
    set->slot = slot = calloc(count, sizeof *slot);
    if (slot == NULL)
        return error_memory(err, "the tuples");
    set->slot_count = count;
    for (uint32_t t = 0; t < set->count; t++) {
        uint64_t hash = key_hash(set, set->key + t * set->words);
        size_t at = hash & (count - 1);

        while (slot[at].tuple != 0)
            at = (at + 1) & (count - 1);
        slot[at] = (struct tuple_slot){(uint32_t)(hash >> 32), t + 1};
    }
    return OK;
}

static inline bool same_key(const uint64_t *a, const uint64_t *b, size_t words)
{
    uint64_t different = 0;

    for (size_t w = 0; w < words; w++)
        different |= a[w] ^ b[w];
    return different == 0;
}

static uint32_t find_or_add(struct tuple_set *set, const uint64_t *key,
                            uint64_t first, uint64_t hash)
{
    uint32_t tag = (uint32_t)(hash >> 32), tuple;
    size_t at = hash & (set->slot_count - 1);

    for (; set->slot[at].tuple != 0; at = (at + 1) & (set->slot_count - 1)) {
        tuple = set->slot[at].tuple - 1;
        if (set->slot[at].tag == tag &&
            same_key(set->key + tuple * set->words, key, set->words))
            return tuple;
    }
    tuple = set->count++;
    memcpy(set->key + tuple * set->words, key, set->words * sizeof *key);
    set->first[tuple] = first;
    set->rows[tuple] = 0;
    if (set->has_subset)
        set->population[tuple] = 0;
    set->slot[at] = (struct tuple_slot){tag, tuple + 1};
    return tuple;
}

enum status tuple_set_find(struct tuple_set *set, const uint64_t *key,
                           const uint64_t *first, size_t count, uint32_t *tuple,
                           struct error *err)
{
    uint64_t hash[CSV_BATCH_ROWS];
    enum status status = OK;

    assert(count <= CSV_BATCH_ROWS);
    while (status == OK && set->count + count > set->capacity)
        status = grow_tuples(set, err);
    while (status == OK && 2 * (set->count + count) > set->slot_count)
        status = grow_slots(set, err);
    if (status != OK)
        return status;
    for (size_t i = 0; i < count; i++) {
        hash[i] = key_hash(set, key + i * set->words);
        __builtin_prefetch(&set->slot[hash[i] & (set->slot_count - 1)]);
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t likely = set->slot[hash[i] & (set->slot_count - 1)].tuple;

        if (likely != 0) {
            __builtin_prefetch(set->key + (likely - 1) * set->words);
            __builtin_prefetch(&set->rows[likely - 1], 1);
        }
    }
    for (size_t i = 0; i < count; i++)
        tuple[i] = find_or_add(set, key + i * set->words, first[i], hash[i]);
    return OK;
}

/* ---- values ---- */

static enum status column_codes_init(struct column_codes *codes,
                                     struct error *err)
{
    dictionary_init(&codes->dictionary);
    codes->missing = DICTIONARY_NONE;
    return quick_codes_init(&codes->quick, err);
}

static void column_codes_clear(struct column_codes *codes)
{
    quick_codes_clear(&codes->quick);
    dictionary_clear(&codes->dictionary);
    free(codes->first);
}

static enum status note_first(struct column_codes *codes, uint64_t row,
                              struct error *err)
{
    uint32_t count = codes->dictionary.code_count;

    if (count > codes->first_capacity) {
        uint32_t capacity =
            codes->first_capacity == 0 ? 32 : 2 * codes->first_capacity;
        uint64_t *first = reallocarray(codes->first, capacity, sizeof *first);

        if (first == NULL)
            return error_memory(err, "the values of a column");
        codes->first = first;
        codes->first_capacity = capacity;
    }
    codes->first[count - 1] = row;
    return OK;
}

/* Code of a text; a text that means missing gets the code of all of those. */
static enum status code_text(const struct policy *policy,
                             struct column_codes *codes, struct bytes text,
                             uint64_t row, uint32_t *code, struct error *err)
{
    bool missing;
    enum status status;

    *code = dictionary_find(&codes->dictionary, text);
    if (*code != DICTIONARY_NONE)
        return OK;
    missing = policy_is_missing(policy, text);
    if (missing && codes->missing != DICTIONARY_NONE) {
        *code = codes->missing;
        return dictionary_alias(&codes->dictionary, text, *code, err);
    }
    status = dictionary_add(&codes->dictionary, text, code, err);
    if (status == OK)
        status = note_first(codes, row, err);
    if (missing && status == OK)
        codes->missing = *code;
    return status;
}

/* A text that is not at hand; *code is QUICK_NONE if it cannot be taken. */
static enum status code_slowly(const struct coding *coding,
                               const struct coded_column *column, bool judged,
                               struct column_codes *codes, struct bytes text,
                               uint64_t row, uint32_t *code, struct error *err)
{
    enum status status = OK;

    if (!judged &&
        table_value_refused(coding->policy, column->attribute, text) != NULL) {
        *code = QUICK_NONE;
        return OK;
    }
    if (column->hierarchy != NULL && !judged) {
        *code = hierarchy_find(column->hierarchy, text);
        if (*code == HIERARCHY_NONE && policy_is_missing(coding->policy, text))
            *code = column->missing_row;
    } else {
        if (judged &&
            !table_place_is_known(coding->policy, column->attribute, text)) {
            *code = QUICK_NONE;
            return OK;
        }
        status = code_text(coding->policy, codes, text, row, code, err);
    }
    if (status == OK && *code != QUICK_NONE)
        status = quick_codes_add(&codes->quick, text, *code, err);
    return status;
}

static inline enum status code_cell(const struct coding *coding,
                                    const struct coded_column *column,
                                    bool judged, struct column_codes *codes,
                                    struct bytes text, uint64_t row,
                                    uint32_t *code, struct error *err)
{
    *code = quick_codes_find(&codes->quick, text);
    if (*code != QUICK_NONE)
        return OK;
    return code_slowly(coding, column, judged, codes, text, row, code, err);
}

/* ---- batches ---- */

static enum status add_quasi(struct table_coder *coder, size_t q,
                             const struct csv_batch *batch, uint64_t row,
                             bool *odd, struct error *err)
{
    const struct coding *coding = coder->coding;
    const struct coded_column *column = &coding->quasi[q];
    struct column_codes *codes = &coder->quasi[q];
    uint64_t *key = coder->key + column->word;

    for (size_t r = 0; r < batch->rows; r++, key += coding->words) {
        uint32_t code;
        enum status status = code_cell(
            coding, column, false, codes,
            csv_batch_value(batch, r, column->column, coder->unquoted), row + r,
            &code, err);

        if (status != OK)
            return status;
        *odd |= code == QUICK_NONE;
        *key |= (uint64_t)code << column->shift;
    }
    return OK;
}

static bool is_member(const struct coding *coding, uint64_t row)
{
    const struct subset *subset = coding->policy->subset;

    return subset == NULL || subset_contains(subset, row);
}

static enum status add_sensitive(struct table_coder *coder, size_t s,
                                 const struct csv_batch *batch,
                                 struct row_span *span, bool *odd,
                                 struct error *err)
{
    struct coding *coding = coder->coding;
    const struct coded_column *column = &coding->sensitive[s];
    struct column_codes *codes = &coder->sensitive[s];
    uint64_t row = span->first + span->rows;

    for (size_t r = 0; r < batch->rows; r++, row++) {
        uint32_t code;
        enum status status;

        if (!is_member(coding, row))
            continue;
        status = code_cell(
            coding, column, true, codes,
            csv_batch_value(batch, r, column->column, coder->unquoted), row,
            &code, err);
        if (status != OK)
            return status;
        *odd |= code == QUICK_NONE;
        row_codes_set(&coding->codes[s], &span->width[s], span->first, row,
                      code);
    }
    return OK;
}

static void add_subjects(struct table_coder *coder,
                         const struct csv_batch *batch, uint64_t row, bool *odd)
{
    const struct coding *coding = coder->coding;

    for (size_t r = 0; r < batch->rows; r++) {
        struct bytes subject =
            csv_batch_value(batch, r, coding->subject_column, coder->unquoted);

        *odd |= subject.size == 0 || policy_is_missing(coding->policy, subject);
        coding->subject_hash[row + r] =
            hash_bytes(&coding->subject_key, subject);
    }
}

static void count_rows(struct table_coder *coder, uint32_t *tuple, uint64_t row,
                       size_t rows)
{
    struct tuple_set *tuples = &coder->tuples;

    if (!tuples->has_subset) {
        for (size_t r = 0; r < rows; r++)
            tuples->rows[tuple[r]]++;
        return;
    }
    for (size_t r = 0; r < rows; r++) {
        tuples->population[tuple[r]]++;
        if (is_member(coder->coding, row + r))
            tuples->rows[tuple[r]]++;
        else
            tuple[r] = TABLE_OUTSIDE;
    }
}

enum status table_coder_add(struct table_coder *coder,
                            const struct csv_batch *batch,
                            struct row_span *span, bool *odd, struct error *err)
{
    struct coding *coding = coder->coding;
    uint64_t first[CSV_BATCH_ROWS], row = span->first + span->rows;
    uint32_t *tuple = coding->tuple_of_row + row;
    enum status status = OK;

    assert(batch->rows <= CSV_BATCH_ROWS);
    if (row + batch->rows > TABLE_ROWS_MAX ||
        row + batch->rows > coding->rows_max) {
        *odd = true;
        return OK;
    }
    memset(coder->key, 0, batch->rows * coding->words * sizeof *coder->key);
    for (size_t q = 0; status == OK && q < coding->quasi_count; q++)
        status = add_quasi(coder, q, batch, row, odd, err);
    for (size_t s = 0; status == OK && s < coding->sensitive_count; s++)
        status = add_sensitive(coder, s, batch, span, odd, err);
    if (status == OK && coding->subject_column != NO_COLUMN)
        add_subjects(coder, batch, row, odd);
    if (status != OK || *odd)
        return status;
    for (size_t r = 0; r < batch->rows; r++)
        first[r] = row + r;
    status = tuple_set_find(&coder->tuples, coder->key, first, batch->rows,
                            tuple, err);
    if (status != OK)
        return status;
    count_rows(coder, tuple, row, batch->rows);
    span->rows += batch->rows;
    return OK;
}

/* ---- create and destroy ---- */

enum status table_coder_create(struct table_coder **out, struct coding *coding,
                               struct error *err)
{
    struct table_coder *coder = calloc(1, sizeof *coder);
    enum status status;

    *out = NULL;
    if (coder == NULL)
        return error_memory(err, "a table");
    coder->coding = coding;
    coder->quasi = calloc(coding->quasi_count + 1, sizeof *coder->quasi);
    coder->sensitive =
        calloc(coding->sensitive_count + 1, sizeof *coder->sensitive);
    coder->key = calloc(CSV_BATCH_ROWS, coding->words * sizeof *coder->key);
    coder->unquoted = malloc(CSV_FIELD_MAX + 64);
    if (coder->quasi == NULL || coder->sensitive == NULL ||
        coder->key == NULL || coder->unquoted == NULL)
        status = error_memory(err, "a table");
    else
        status = tuple_set_init(&coder->tuples, coding->words,
                                coding->policy->has_subset, err);
    for (size_t q = 0; status == OK && q < coding->quasi_count; q++)
        status = column_codes_init(&coder->quasi[q], err);
    for (size_t s = 0; status == OK && s < coding->sensitive_count; s++)
        status = column_codes_init(&coder->sensitive[s], err);
    if (status != OK)
        table_coder_destroy(&coder);
    *out = coder;
    return status;
}

void table_coder_destroy(struct table_coder **handle)
{
    struct table_coder *coder = *handle;

    if (coder == NULL)
        return;
    for (size_t q = 0; coder->quasi != NULL && q < coder->coding->quasi_count;
         q++)
        column_codes_clear(&coder->quasi[q]);
    for (size_t s = 0;
         coder->sensitive != NULL && s < coder->coding->sensitive_count; s++)
        column_codes_clear(&coder->sensitive[s]);
    tuple_set_clear(&coder->tuples);
    free(coder->quasi);
    free(coder->sensitive);
    free(coder->key);
    free(coder->unquoted);
    free(coder);
    *handle = NULL;
}
