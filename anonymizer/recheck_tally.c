#include "anonymizer/recheck_tally.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "anonymizer/recheck_sort.h"

/* Two packed words a row and their spare fit into a second-level cache of
 * 2 MiB; many small tables are done in one block. */
#define BLOCK_ROWS 65536

#define WORD_BITS 64

static unsigned bits_of(uint32_t codes)
{
    unsigned bits = 0;

    for (; codes != 0; codes >>= 1)
        bits++;
    return bits;
}

/* ---- layout ---- */

static void layout_make(struct recheck_layout *layout, const uint32_t *seen,
                        size_t columns)
{
    unsigned used = 0;
    size_t word = 0;

    for (size_t i = 0; i < columns; i++) {
        struct recheck_field *field = &layout->field[i];
        unsigned bits = bits_of(seen[i]);

        if (used + bits > WORD_BITS) {
            word++;
            used = 0;
        }
        used += bits;
        field->bits = (unsigned char)bits;
        field->word = (unsigned char)word;
        /* A column of one code takes no bits; its shift must stay legal. */
        field->shift = (unsigned char)(bits == 0 ? 0 : WORD_BITS - used);
        field->mask = (uint32_t)((UINT64_C(1) << bits) - 1);
    }
    layout->words = word + 1;
}

static bool layout_fits(const struct recheck_layout *layout,
                        const uint32_t *seen, size_t columns)
{
    for (size_t i = 0; i < columns; i++)
        if ((seen[i] & ~layout->field[i].mask) != 0)
            return false;
    return true;
}

static uint32_t unpack(struct recheck_field field, const uint64_t *tuple)
{
    return (uint32_t)(tuple[field.word] >> field.shift) & field.mask;
}

/* `tuple` is all zero. */
static void pack(struct recheck_field field, uint32_t code, uint64_t *tuple)
{
    tuple[field.word] |= (uint64_t)code << field.shift;
}

/* ---- runs ---- */

static enum status run_create(struct recheck_run *run, size_t size,
                              size_t words, struct error *err)
{
    assert(size > 0);
    *run = (struct recheck_run){0};
    run->tuple = calloc(size, words * sizeof *run->tuple);
    run->count = calloc(size, sizeof *run->count);
    run->size = size;
    if (run->tuple != NULL && run->count != NULL)
        return OK;
    free(run->tuple);
    free(run->count);
    *run = (struct recheck_run){0};
    return error_memory(err, "the tuples of a table");
}

static void run_destroy(struct recheck_run *run)
{
    free(run->tuple);
    free(run->count);
    *run = (struct recheck_run){0};
}

/* Give back what lies behind the first `size` tuples. */
static enum status run_cut(struct recheck_run *run, size_t size, size_t words,
                           struct error *err)
{
    uint64_t *tuple;
    uint32_t *count;

    assert(size > 0 && size <= run->size);
    tuple = reallocarray(run->tuple, size, words * sizeof *tuple);
    if (tuple == NULL)
        return error_memory(err, "the tuples of a table");
    run->tuple = tuple;
    count = reallocarray(run->count, size, sizeof *count);
    if (count == NULL)
        return error_memory(err, "the tuples of a table");
    run->count = count;
    run->size = size;
    return OK;
}

/* Put (tuple, count) at the end of `size` others; returns the new size. */
static size_t run_push(struct recheck_run *run, size_t size,
                       const uint64_t *tuple, uint32_t count, size_t words)
{
    for (size_t i = 0; i < words; i++)
        run->tuple[size * words + i] = tuple[i];
    run->count[size] = count;
    return size + 1;
}

static size_t run_push_rest(struct recheck_run *run, size_t size,
                            const struct recheck_run *from, size_t start,
                            size_t words)
{
    size_t rest = from->size - start;

    memcpy(run->tuple + size * words, from->tuple + start * words,
           rest * words * sizeof *run->tuple);
    memcpy(run->count + size, from->count + start, rest * sizeof *run->count);
    return size + rest;
}

static enum status run_merge(struct recheck_run *merged,
                             const struct recheck_run *a,
                             const struct recheck_run *b, size_t words,
                             struct error *err)
{
    size_t i = 0, j = 0, size = 0;
    enum status status = run_create(merged, a->size + b->size, words, err);

    if (status != OK)
        return status;
    while (i < a->size && j < b->size) {
        const uint64_t *left = a->tuple + i * words;
        const uint64_t *right = b->tuple + j * words;
        int order = recheck_compare(left, right, words);
        uint32_t count = 0;

        if (order <= 0)
            count += a->count[i++];
        if (order >= 0)
            count += b->count[j++];
        size = run_push(merged, size, order <= 0 ? left : right, count, words);
    }
    size = run_push_rest(merged, size, a, i, words);
    size = run_push_rest(merged, size, b, j, words);
    status = run_cut(merged, size, words, err);
    if (status != OK)
        run_destroy(merged);
    return status;
}

/* Widening keeps the order of the tuples. */
static enum status run_repack(struct recheck_run *run, size_t columns,
                              const struct recheck_layout *from,
                              const struct recheck_layout *to,
                              struct error *err)
{
    uint64_t *tuple = calloc(run->size, to->words * sizeof *tuple);

    if (tuple == NULL)
        return error_memory(err, "the tuples of a table");
    for (size_t i = 0; i < run->size; i++)
        for (size_t column = 0; column < columns; column++)
            pack(to->field[column],
                 unpack(from->field[column], run->tuple + i * from->words),
                 tuple + i * to->words);
    free(run->tuple);
    run->tuple = tuple;
    return OK;
}

/* Sorted tuples become a run, each of them once. */
static enum status run_collapse(struct recheck_run *run, const uint64_t *tuple,
                                size_t count, size_t words, struct error *err)
{
    size_t distinct = 1, size = 0;
    enum status status;

    for (size_t i = 1; i < count; i++)
        distinct += recheck_compare(tuple + (i - 1) * words, tuple + i * words,
                                    words) != 0;
    status = run_create(run, distinct, words, err);
    if (status != OK)
        return status;
    for (size_t i = 0, end; i < count; i = end) {
        const uint64_t *first = tuple + i * words;

        for (end = i + 1; end < count; end++)
            if (recheck_compare(first, tuple + end * words, words) != 0)
                break;
        size = run_push(run, size, first, (uint32_t)(end - i), words);
    }
    assert(size == distinct);
    return OK;
}

/* ---- tally ---- */

enum status recheck_tally_init(struct recheck_tally *tally, size_t columns,
                               size_t prefix, struct error *err)
{
    assert(columns <= RECHECK_COLUMNS_MAX && prefix <= columns);
    *tally = (struct recheck_tally){.columns = columns, .prefix = prefix};
    layout_make(&tally->layout, tally->seen, columns);
    tally->block = calloc(BLOCK_ROWS, (columns + 1) * sizeof *tally->block);
    if (tally->block == NULL)
        return error_memory(err, "a block of rows");
    return OK;
}

void recheck_tally_clear(struct recheck_tally *tally)
{
    for (size_t i = 0; i < tally->run_count; i++)
        run_destroy(&tally->run[i]);
    free(tally->block);
    *tally = (struct recheck_tally){0};
}

/* New codes may need more bits than the runs have for them. */
static enum status widen(struct recheck_tally *tally, struct error *err)
{
    struct recheck_layout wide;

    if (layout_fits(&tally->layout, tally->seen, tally->columns))
        return OK;
    layout_make(&wide, tally->seen, tally->columns);
    for (size_t i = 0; i < tally->run_count; i++) {
        enum status status = run_repack(&tally->run[i], tally->columns,
                                        &tally->layout, &wide, err);

        if (status != OK)
            return status;
    }
    tally->layout = wide;
    return OK;
}

/* Merge the last two runs into one. */
static enum status merge_last(struct recheck_tally *tally, struct error *err)
{
    struct recheck_run merged;
    struct recheck_run *a = &tally->run[tally->run_count - 2];
    struct recheck_run *b = &tally->run[tally->run_count - 1];
    enum status status = run_merge(&merged, a, b, tally->layout.words, err);

    if (status != OK)
        return status;
    run_destroy(a);
    run_destroy(b);
    *a = merged;
    tally->run_count--;
    return OK;
}

/* Is the last run but one too short to stand before the last? */
static bool is_out_of_balance(const struct recheck_tally *tally)
{
    const struct recheck_run *last = &tally->run[tally->run_count - 1];

    return tally->run_count > 1 && last[-1].size / 2 < last->size;
}

/* Turn the block into a run. */
static enum status seal(struct recheck_tally *tally, struct error *err)
{
    enum status status = widen(tally, err);
    size_t words = tally->layout.words;
    uint64_t *tuple = NULL;

    if (status != OK || tally->block_rows == 0)
        return status;
    /* Half of it is the spare room of the sort. */
    tuple = calloc(tally->block_rows, 2 * words * sizeof *tuple);
    if (tuple == NULL)
        return error_memory(err, "a block of rows");
    for (size_t i = 0; i < tally->block_rows; i++)
        for (size_t column = 0; column < tally->columns; column++)
            pack(tally->layout.field[column],
                 tally->block[i * tally->columns + column], tuple + i * words);
    recheck_sort(tuple, tuple + tally->block_rows * words, tally->block_rows,
                 words);
    assert(tally->run_count < RECHECK_RUNS_MAX);
    status = run_collapse(&tally->run[tally->run_count], tuple,
                          tally->block_rows, words, err);
    free(tuple);
    if (status != OK)
        return status;
    tally->run_count++;
    tally->block_rows = 0;
    while (status == OK && is_out_of_balance(tally))
        status = merge_last(tally, err);
    return status;
}

enum status recheck_tally_add(struct recheck_tally *tally,
                              const uint32_t *codes, struct error *err)
{
    uint32_t *row = tally->block + tally->block_rows * tally->columns;

    if (tally->rows == TABLE_ROWS_MAX)
        return error_set(err, E_LIMIT, "more than %u rows", TABLE_ROWS_MAX);
    for (size_t i = 0; i < tally->columns; i++) {
        row[i] = codes[i];
        tally->seen[i] |= codes[i];
    }
    tally->rows++;
    tally->block_rows++;
    return tally->block_rows == BLOCK_ROWS ? seal(tally, err) : OK;
}

/* Which bits of a packed tuple belong to the class? */
static void prefix_mask_make(struct recheck_tally *tally)
{
    for (size_t i = 0; i < tally->prefix; i++)
        pack(tally->layout.field[i], tally->layout.field[i].mask,
             tally->prefix_mask);
}

enum status recheck_tally_finish(struct recheck_tally *tally, struct error *err)
{
    enum status status = seal(tally, err);

    while (status == OK && tally->run_count > 1)
        status = merge_last(tally, err);
    free(tally->block);
    tally->block = NULL;
    prefix_mask_make(tally);
    return status;
}

size_t recheck_tally_size(const struct recheck_tally *tally)
{
    return tally->run_count == 0 ? 0 : tally->run[0].size;
}

uint32_t recheck_tally_code(const struct recheck_tally *tally, size_t tuple,
                            size_t column)
{
    assert(column < tally->columns && tuple < tally->run[0].size);
    return unpack(tally->layout.field[column],
                  tally->run[0].tuple + tuple * tally->layout.words);
}

uint32_t recheck_tally_count(const struct recheck_tally *tally, size_t tuple)
{
    assert(tuple < tally->run[0].size);
    return tally->run[0].count[tuple];
}

bool recheck_tally_same(const struct recheck_tally *tally, size_t a, size_t b)
{
    const uint64_t *left = tally->run[0].tuple + a * tally->layout.words;
    const uint64_t *right = tally->run[0].tuple + b * tally->layout.words;

    assert(a < tally->run[0].size && b < tally->run[0].size);
    for (size_t i = 0; i < tally->layout.words; i++)
        if (((left[i] ^ right[i]) & tally->prefix_mask[i]) != 0)
            return false;
    return true;
}
