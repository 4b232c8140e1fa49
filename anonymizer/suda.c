#include "anonymizer/suda.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

/* A tuple that is alone on a set of keys. */
struct alone {
    uint64_t keys;
    uint32_t tuple;
};

/* Tuples that have company on the set of keys so far, and in which group. */
struct company {
    uint32_t *tuple, *group;
    size_t count;
    uint32_t group_count;
};

struct walk {
    const struct key_table *table;
    const struct suda_options *options;
    struct refiner refiner;
    struct company company[KEY_COLUMNS_MAX + 1]; /* by size of the set */
    uint32_t *tuples,
        *groups;      /* theirs; the deeper, the less is ever touched */
    uint32_t *rows;   /* [group]: of the set at hand */
    uint32_t *number; /* [group]: among those with company */
    struct alone *alone;
    size_t alone_count, alone_capacity;
};

/* ---- the walk ---- */

static enum status add_alone(struct walk *walk, uint32_t tuple, uint64_t keys,
                             struct error *err)
{
    if (walk->alone_count == walk->alone_capacity) {
        size_t capacity =
            walk->alone_capacity == 0 ? 4096 : 2 * walk->alone_capacity;
        struct alone *more;

        if (capacity > SUDA_SETS_MAX)
            return error_set(err, E_LIMIT,
                             "SUDA: more than %ju sets of keys on which a "
                             "record is alone; take fewer quasi-identifiers",
                             (uintmax_t)SUDA_SETS_MAX);
        more = reallocarray(walk->alone, capacity, sizeof *more);
        if (more == NULL)
            return error_memory(err, "special uniques");
        walk->alone = more;
        walk->alone_capacity = capacity;
    }
    walk->alone[walk->alone_count++] = (struct alone){keys, tuple};
    return OK;
}

/* Those of `from` that have a value there, as they are. */
static void take_present(const struct key_table *table,
                         const struct company *from, size_t column,
                         struct company *to)
{
    const uint32_t *code = table->code[column];

    to->count = 0;
    for (size_t i = 0; i < from->count; i++)
        if (code[from->tuple[i]] != table->missing[column]) {
            to->tuple[to->count] = from->tuple[i];
            to->group[to->count++] = from->group[i];
        }
}

/* Take out of the company who is alone by now. */
static enum status part(struct walk *walk, struct company *company,
                        uint64_t keys, struct error *err)
{
    const uint32_t *rows = walk->table->rows;
    uint32_t groups = 0;
    size_t kept = 0;
    enum status status = OK;

    for (uint32_t g = 0; g < company->group_count; g++)
        walk->rows[g] = 0;
    /* Two rows are company; more than that need not be told apart. */
    for (size_t i = 0; i < company->count; i++)
        if (walk->rows[company->group[i]] < 2)
            walk->rows[company->group[i]] +=
                rows[company->tuple[i]] > 1 ? 2 : 1;
    for (uint32_t g = 0; g < company->group_count; g++)
        if (walk->rows[g] > 1)
            walk->number[g] = groups++;
    for (size_t i = 0; status == OK && i < company->count; i++)
        if (walk->rows[company->group[i]] > 1) {
            company->tuple[kept] = company->tuple[i];
            company->group[kept++] = walk->number[company->group[i]];
        } else {
            status = add_alone(walk, company->tuple[i], keys, err);
        }
    company->count = kept;
    company->group_count = groups;
    return status;
}

/* All sets that begin with `keys`, of which there are `size`, and go on with
 * columns from `next` on. */
static enum status walk_on(struct walk *walk, size_t size, uint64_t keys,
                           size_t next, struct error *err)
{
    const struct key_table *table = walk->table;
    const struct company *from = &walk->company[size];
    struct company *to = &walk->company[size + 1];
    const atomic_bool *cancel = walk->options->cancel;

    for (size_t c = next; c < table->column_count; c++) {
        uint64_t set = keys | UINT64_C(1) << c;

        if (cancel != NULL && atomic_load(cancel))
            return error_set(err, E_CANCELLED, "interrupted");
        take_present(table, from, c, to);
        to->group_count = refine(&walk->refiner, to->tuple, to->count,
                                 to->group, from->group_count, table->code[c],
                                 table->code_count[c], to->group);
        if (part(walk, to, set, err) != OK)
            return err->status;
        if (to->count > 0 && walk_on(walk, size + 1, set, c + 1, err) != OK)
            return err->status;
    }
    return OK;
}

static enum status walk_begin(struct walk *walk, struct error *err)
{
    uint32_t count = walk->table->tuple_count;
    size_t sizes = walk->table->column_count + 1, tuples = (size_t)count + 1;
    struct company *all = &walk->company[0];

    if (refiner_init(&walk->refiner, count, err) != OK)
        return err->status;
    walk->tuples = calloc(sizes, tuples * sizeof *walk->tuples);
    walk->groups = calloc(sizes, tuples * sizeof *walk->groups);
    walk->rows = calloc(tuples, sizeof *walk->rows);
    walk->number = calloc(tuples, sizeof *walk->number);
    if (walk->tuples == NULL || walk->groups == NULL || walk->rows == NULL ||
        walk->number == NULL)
        return error_memory(err, "special uniques");
    for (size_t i = 0; i < sizes; i++) {
        walk->company[i].tuple = walk->tuples + i * tuples;
        walk->company[i].group = walk->groups + i * tuples;
    }
    for (uint32_t t = 0; t < count; t++)
        all->tuple[t] = t;
    all->count = count;
    all->group_count = 1;
    return OK;
}

static void walk_clear(struct walk *walk)
{
    free(walk->tuples);
    free(walk->groups);
    refiner_clear(&walk->refiner);
    free(walk->rows);
    free(walk->number);
    free(walk->alone);
}

/* ---- scores ---- */

/* By tuple, then by size. */
static int compare_alone(const void *a, const void *b)
{
    const struct alone *x = a, *y = b;
    int size_x = __builtin_popcountll(x->keys);
    int size_y = __builtin_popcountll(y->keys);

    if (x->tuple != y->tuple)
        return x->tuple < y->tuple ? -1 : 1;
    if (size_x != size_y)
        return size_x - size_y;
    return (x->keys > y->keys) - (x->keys < y->keys);
}

static double factorial(size_t n)
{
    double product = 1;

    for (size_t i = 2; i <= n; i++)
        product *= (double)i;
    return product;
}

/* What an MSU of so many keys counts. */
static double worth(enum suda_form form, size_t all, size_t size)
{
    double rest = factorial(all - size);

    if (form == SUDA_FACTORIAL)
        return rest;
    return (exp2((double)(all - size)) - 1) * factorial(size) * rest /
           factorial(all);
}

/* Is one of the sets at `first` .. `end` a subset of the one at `end`? */
static bool is_covered(const struct alone *alone, size_t first, size_t end)
{
    for (size_t i = first; i < end; i++)
        if ((alone[i].keys & ~alone[end].keys) == 0)
            return true;
    return false;
}

/* The sets of one tuple, first .. end - 1, by size: those that no smaller one
 * covers are its MSUs. */
static void score_tuple(struct walk *walk, size_t first, size_t end,
                        const double *value, struct suda *suda)
{
    struct alone *alone = walk->alone;
    size_t kept = first;
    double score = 0;

    for (size_t i = first; i < end; i++) {
        double counts = value[__builtin_popcountll(alone[i].keys)];

        alone[kept] = alone[i];
        if (is_covered(alone, first, kept))
            continue;
        score += counts;
        for (uint64_t left = alone[kept].keys; left != 0; left &= left - 1)
            suda->contribution[__builtin_ctzll(left)] += counts;
        kept++;
    }
    suda->score[alone[first].tuple] = score;
    suda->score_sum += score;
    suda->score_highest = fmax(suda->score_highest, score);
    suda->records += score > 0;
}

static void score_all(struct walk *walk, struct suda *suda)
{
    size_t columns = walk->table->column_count;
    double value[KEY_COLUMNS_MAX + 1];

    for (size_t size = 1; size <= columns; size++)
        value[size] = worth(walk->options->form, columns, size);
    if (walk->alone_count > 0)
        qsort(walk->alone, walk->alone_count, sizeof *walk->alone,
              compare_alone);
    for (size_t first = 0, end; first < walk->alone_count; first = end) {
        end = first + 1;
        while (end < walk->alone_count &&
               walk->alone[end].tuple == walk->alone[first].tuple)
            end++;
        score_tuple(walk, first, end, value, suda);
    }
    for (size_t c = 0; suda->score_sum > 0 && c < columns; c++)
        suda->contribution[c] /= suda->score_sum;
}

static void fill_dis(const struct key_table *table, double fraction,
                     struct suda *suda)
{
    double paired = 0, sum = 0, rest;
    double q = 1 + (8 - (double)table->column_count) / 20;

    for (uint32_t t = 0; t < table->tuple_count; t++) {
        paired += table->rows[t] == 2 ? 2 : 0;
        if (suda->score[t] > 0)
            sum += pow(suda->score[t], -q);
    }
    if (suda->records == 0)
        return;
    /* U / D - U = P (1 - f) / f, without the quotient of U f that cancels. */
    rest = paired * (1 - fraction) / fraction;
    for (uint32_t t = 0; t < table->tuple_count; t++) {
        if (suda->score[t] <= 0)
            continue;
        suda->dis[t] = 1 / (1 + rest / (pow(suda->score[t], q) * sum));
        suda->dis_sum += suda->dis[t];
        suda->dis_highest = fmax(suda->dis_highest, suda->dis[t]);
    }
}

enum status suda_compute(struct suda **out, const struct key_table *table,
                         const struct suda_options *options, struct error *err)
{
    struct walk walk = {.table = table, .options = options};
    struct suda *suda = calloc(1, sizeof *suda);
    size_t tuples = table->tuple_count;
    enum status status;

    assert(table->column_count >= 1 && table->column_count <= KEY_COLUMNS_MAX);
    assert(options->fraction > 0 && options->fraction < 1);
    *out = NULL;
    if (suda == NULL)
        return error_memory(err, "special uniques");
    suda->contribution = calloc(table->column_count, sizeof(double));
    suda->score = calloc(tuples + 1, sizeof(double));
    suda->dis = calloc(tuples + 1, sizeof(double));
    if (suda->contribution == NULL || suda->score == NULL || suda->dis == NULL)
        status = error_memory(err, "special uniques");
    else
        status = walk_begin(&walk, err);
    if (status == OK)
        status = walk_on(&walk, 0, 0, 0, err);
    if (status == OK) {
        score_all(&walk, suda);
        fill_dis(table, options->fraction, suda);
    } else {
        suda_destroy(&suda);
    }
    walk_clear(&walk);
    *out = suda;
    return status;
}

void suda_destroy(struct suda **handle)
{
    struct suda *suda = *handle;

    *handle = NULL;
    if (suda == NULL)
        return;
    free(suda->contribution);
    free(suda->score);
    free(suda->dis);
    free(suda);
}
