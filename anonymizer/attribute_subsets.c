#include "anonymizer/attribute_subsets.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>

__extension__ typedef unsigned __int128 wide;

struct walk {
    const struct key_table *table;
    const uint32_t *star;
    size_t size_max;
    atomic_bool *cancel;
    struct refiner refiner;
    uint32_t *all;    /* every tuple */
    uint32_t *groups; /* [size of the set][tuple], a place more than tuples */
    uint64_t *rows;   /* [group] */
    struct attribute_subset *subset;
    size_t count;
};

/* Sets of 1 .. size_max of the columns; ATTRIBUTE_SUBSETS_MAX + 1 if there are
 * more than that. */
static size_t count_sets(size_t columns, size_t size_max)
{
    size_t sets = 0, of_size = 1;

    for (size_t size = 1; size <= size_max && size <= columns; size++) {
        of_size = of_size * (columns - size + 1) / size;
        sets += of_size;
        if (sets > ATTRIBUTE_SUBSETS_MAX)
            return ATTRIBUTE_SUBSETS_MAX + 1;
    }
    return sets;
}

static bool is_star(const struct walk *walk, uint64_t columns, uint32_t tuple)
{
    for (uint64_t left = columns; left != 0; left &= left - 1) {
        int c = __builtin_ctzll(left);

        if (walk->table->code[c][tuple] != walk->star[c])
            return false;
    }
    return true;
}

static bool may_be_star(const struct walk *walk, uint64_t columns)
{
    for (uint64_t left = columns; left != 0; left &= left - 1)
        if (walk->star[__builtin_ctzll(left)] == KEY_NO_CODE)
            return false;
    return true;
}

static void measure(struct walk *walk, uint64_t columns, const uint32_t *group,
                    uint32_t groups)
{
    const struct key_table *table = walk->table;
    struct attribute_subset *subset = &walk->subset[walk->count++];
    bool stars = may_be_star(walk, columns);
    uint64_t rows = 0, counted = 0;
    wide equal = 0, pairs;

    for (uint32_t g = 0; g < groups; g++)
        walk->rows[g] = 0;
    for (uint32_t t = 0; t < table->tuple_count; t++)
        if (!stars || !is_star(walk, columns, t))
            walk->rows[group[t]] += table->rows[t];
    for (uint32_t g = 0; g < groups; g++) {
        rows += walk->rows[g];
        counted += walk->rows[g] > 0;
        equal +=
            (wide)walk->rows[g] * (walk->rows[g] > 0 ? walk->rows[g] - 1 : 0);
    }
    *subset = (struct attribute_subset){.columns = columns};
    if (rows == 0)
        return;
    pairs = (wide)rows * (rows - 1);
    subset->distinction = (double)counted / (double)rows;
    if (pairs > 0)
        subset->separation = (double)(pairs - equal) / (double)pairs;
}

static enum status walk_on(struct walk *walk, size_t size, uint64_t columns,
                           uint32_t groups, size_t next, struct error *err)
{
    const struct key_table *table = walk->table;
    size_t tuples = (size_t)table->tuple_count + 1;
    uint32_t *from = walk->groups + size * tuples, *group = from + tuples;

    for (size_t c = next; c < table->column_count; c++) {
        uint64_t set = columns | UINT64_C(1) << c;
        uint32_t refined;

        if (walk->cancel != NULL && atomic_load(walk->cancel))
            return error_set(err, E_CANCELLED, "interrupted");
        refined = refine(&walk->refiner, walk->all, table->tuple_count, from,
                         groups, table->code[c], table->code_count[c], group);
        measure(walk, set, group, refined);
        if (size + 1 < walk->size_max &&
            walk_on(walk, size + 1, set, refined, c + 1, err) != OK)
            return err->status;
    }
    return OK;
}

static enum status walk_begin(struct walk *walk, size_t sets, struct error *err)
{
    size_t tuples = (size_t)walk->table->tuple_count + 1;
    enum status status = refiner_init(&walk->refiner, tuples, err);

    walk->all = calloc(tuples, sizeof *walk->all);
    walk->rows = calloc(tuples, sizeof *walk->rows);
    walk->subset = calloc(sets + 1, sizeof *walk->subset);
    walk->groups = calloc(walk->size_max + 1, tuples * sizeof *walk->groups);
    if (status == OK && (walk->all == NULL || walk->rows == NULL ||
                         walk->subset == NULL || walk->groups == NULL))
        status = error_memory(err, "sets of attributes");
    for (uint32_t t = 0; status == OK && t < walk->table->tuple_count; t++)
        walk->all[t] = t;
    return status;
}

static int compare_subsets(const void *a, const void *b)
{
    const struct attribute_subset *x = a, *y = b;
    int size_x = __builtin_popcountll(x->columns);
    int size_y = __builtin_popcountll(y->columns);

    if (size_x != size_y)
        return size_x - size_y;
    if (x->distinction != y->distinction)
        return x->distinction < y->distinction ? -1 : 1;
    if (x->separation != y->separation)
        return x->separation < y->separation ? -1 : 1;
    return (x->columns > y->columns) - (x->columns < y->columns);
}

enum status attribute_subsets(const struct key_table *table,
                              const uint32_t *star, size_t size_max,
                              atomic_bool *cancel,
                              struct attribute_subset **subset, size_t *count,
                              struct error *err)
{
    struct walk walk = {.table = table,
                        .star = star,
                        .size_max = size_max < table->column_count
                                        ? size_max
                                        : table->column_count,
                        .cancel = cancel};
    size_t sets = count_sets(table->column_count, size_max);
    enum status status;

    assert(table->column_count <= KEY_COLUMNS_MAX);
    *subset = NULL;
    if (sets > ATTRIBUTE_SUBSETS_MAX)
        return error_set(err, E_LIMIT,
                         "there are more than %zu sets of up to %zu of %zu "
                         "quasi-identifiers; ask for smaller ones",
                         ATTRIBUTE_SUBSETS_MAX, size_max, table->column_count);
    status = walk_begin(&walk, sets, err);
    if (status == OK && walk.size_max > 0)
        status = walk_on(&walk, 0, 0, 1, 0, err);
    if (status == OK) {
        assert(walk.count == sets);
        qsort(walk.subset, sets, sizeof *walk.subset, compare_subsets);
        *subset = walk.subset;
        *count = sets;
        walk.subset = NULL;
    }
    refiner_clear(&walk.refiner);
    free(walk.groups);
    free(walk.all);
    free(walk.rows);
    free(walk.subset);
    return status;
}
