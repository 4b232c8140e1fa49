#include "anonymizer/suda.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/random.h"
#include "tests/lib/fixture.h"
#include "tests/lib/suite.h"

void suite_suda(void);

#define COLUMNS 6
#define TUPLES 40
#define VALUES 4

/* A table by tuples; code 0 is a missing value where has_missing. */
struct sample {
    uint32_t code[COLUMNS][TUPLES], rows[TUPLES];
    uint32_t code_count[COLUMNS], missing[COLUMNS];
    const uint32_t *column[COLUMNS];
    struct key_table table;
};

static void sample_open(struct sample *sample, size_t columns, uint32_t tuples,
                        bool has_missing)
{
    for (size_t c = 0; c < columns; c++) {
        sample->column[c] = sample->code[c];
        sample->code_count[c] = VALUES;
        sample->missing[c] = has_missing ? 0 : KEY_NO_CODE;
    }
    sample->table = (struct key_table){columns,         tuples,
                                       sample->column,  sample->code_count,
                                       sample->missing, sample->rows};
}

static struct suda *compute(const struct sample *sample,
                            const struct suda_options *options)
{
    struct suda *suda = NULL;
    struct error err;

    error_init(&err);
    CU_ASSERT_EQUAL_FATAL(suda_compute(&suda, &sample->table, options, &err),
                          OK);
    return suda;
}

/* ---- by hand ---- */

/* Three keys; rows 000, 100, 010, 001.  The only 1 of each key is an MSU of its
 * row.  000 has company on any two keys, and none on all three. */
static void sets_of_four_rows_by_hand(void)
{
    static const uint32_t code[3][4] = {
        {0, 1, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}};
    const struct suda_options options = {SUDA_FACTORIAL, 0.1, NULL};
    struct sample sample;
    struct suda *suda;

    sample_open(&sample, 3, 4, false);
    for (size_t c = 0; c < 3; c++)
        memcpy(sample.code[c], code[c], sizeof code[c]);
    for (size_t t = 0; t < 4; t++)
        sample.rows[t] = 1;
    suda = compute(&sample, &options);
    /* (3 - 3)! of the first, (3 - 1)! of the others. */
    CU_ASSERT_EQUAL(suda->score[0], 1);
    CU_ASSERT_EQUAL(suda->score[1], 2);
    CU_ASSERT_EQUAL(suda->score[2], 2);
    CU_ASSERT_EQUAL(suda->score[3], 2);
    CU_ASSERT_EQUAL(suda->records, 4);
    CU_ASSERT_EQUAL(suda->score_sum, 7);
    CU_ASSERT_EQUAL(suda->score_highest, 2);
    /* Each key: 2 of its own, and the 1 of all three. */
    for (size_t c = 0; c < 3; c++)
        CU_ASSERT_DOUBLE_EQUAL(suda->contribution[c], 3.0 / 7, 1e-15);
    /* Without a pair every match is right. */
    CU_ASSERT_EQUAL(suda->dis_highest, 1);
    CU_ASSERT_EQUAL(suda->dis_sum, 4);
    suda_destroy(&suda);
}

/* One row alone, one pair, f = 1/5: P (1 - f) / f = 8; A = 1 / score^Q, so that
 * dis = 1 / 9, whatever Q is. */
static void a_score_among_a_pair_by_hand(void)
{
    const struct suda_options options = {SUDA_FACTORIAL, 0.2, NULL};
    struct sample sample;
    struct suda *suda;

    sample_open(&sample, 1, 2, false);
    sample.code[0][0] = 1;
    sample.code[0][1] = 2;
    sample.rows[0] = 1;
    sample.rows[1] = 2;
    suda = compute(&sample, &options);
    CU_ASSERT_EQUAL(suda->records, 1);
    CU_ASSERT_EQUAL(suda->score[1], 0);
    CU_ASSERT_EQUAL(suda->dis[1], 0);
    CU_ASSERT_DOUBLE_EQUAL(suda->dis[0], 1.0 / 9, 1e-15);
    suda_destroy(&suda);
}

/* (2^(M-s) - 1) s! (M-s)! / M!: of 3 keys 3 * 2 / 6, and 0 for all of them. */
static void the_normalised_form_by_hand(void)
{
    static const uint32_t code[3][2] = {{0, 1}, {0, 0}, {0, 0}};
    const struct suda_options options = {SUDA_NORMALISED, 0.1, NULL};
    struct sample sample;
    struct suda *suda;

    sample_open(&sample, 3, 2, false);
    for (size_t c = 0; c < 3; c++)
        memcpy(sample.code[c], code[c], sizeof code[c]);
    sample.rows[0] = sample.rows[1] = 1;
    suda = compute(&sample, &options);
    CU_ASSERT_DOUBLE_EQUAL(suda->score[0], 1, 1e-15);
    CU_ASSERT_DOUBLE_EQUAL(suda->score[1], 1, 1e-15);
    CU_ASSERT_EQUAL(suda->contribution[0], 1);
    CU_ASSERT_EQUAL(suda->contribution[1], 0);
    suda_destroy(&suda);
}

/* ---- by trying every set ---- */

static bool is_present(const struct sample *sample, size_t tuple, unsigned set)
{
    for (size_t c = 0; c < sample->table.column_count; c++)
        if ((set >> c & 1) != 0 && sample->code[c][tuple] == sample->missing[c])
            return false;
    return true;
}

static bool agree(const struct sample *sample, size_t a, size_t b, unsigned set)
{
    for (size_t c = 0; c < sample->table.column_count; c++)
        if ((set >> c & 1) != 0 && sample->code[c][a] != sample->code[c][b])
            return false;
    return true;
}

static bool is_alone(const struct sample *sample, size_t tuple, unsigned set)
{
    unsigned rows = 0;

    if (!is_present(sample, tuple, set))
        return false;
    for (size_t t = 0; t < sample->table.tuple_count; t++)
        if (agree(sample, tuple, t, set))
            rows += sample->rows[t];
    return rows == 1;
}

static bool is_minimal(const struct sample *sample, size_t tuple, unsigned set)
{
    for (unsigned less = (set - 1) & set; less != 0; less = (less - 1) & set)
        if (is_alone(sample, tuple, less))
            return false;
    return is_alone(sample, tuple, set);
}

static double naive_score(const struct sample *sample, size_t tuple,
                          double *by_column)
{
    size_t columns = sample->table.column_count;
    double score = 0;

    for (unsigned set = 1; set < 1u << columns; set++) {
        double counts;

        if (!is_minimal(sample, tuple, set))
            continue;
        counts = tgamma((double)columns - __builtin_popcount(set) + 1);
        score += counts;
        for (size_t c = 0; c < columns; c++)
            if ((set >> c & 1) != 0)
                by_column[c] += counts;
    }
    return score;
}

static void sample_draw(struct sample *sample, struct random *random)
{
    uint32_t tuples = 0, wanted = 1 + (uint32_t)random_below(random, TUPLES);
    size_t columns = 1 + random_below(random, COLUMNS);

    sample_open(sample, columns, 0, random_below(random, 2) == 0);
    for (uint32_t i = 0; i < wanted; i++) {
        bool known = false;

        for (size_t c = 0; c < columns; c++)
            sample->code[c][tuples] = (uint32_t)random_below(random, VALUES);
        for (uint32_t t = 0; t < tuples; t++)
            known = known || agree(sample, t, tuples, (1u << columns) - 1);
        if (!known)
            sample->rows[tuples++] = 1 + (uint32_t)random_below(random, 2);
    }
    sample->table.tuple_count = tuples;
}

static void random_tables_as_by_trying_every_set(void)
{
    const struct suda_options options = {SUDA_FACTORIAL, 0.3, NULL};
    struct random random;

    random_init(&random, fixture_seed("suda"));
    for (int i = 0; i < 300; i++) {
        double by_column[COLUMNS] = {0}, sum = 0;
        struct sample sample;
        struct suda *suda;

        sample_draw(&sample, &random);
        suda = compute(&sample, &options);
        for (uint32_t t = 0; t < sample.table.tuple_count; t++) {
            double score = naive_score(&sample, t, by_column);

            CU_ASSERT_DOUBLE_EQUAL(suda->score[t], score, 1e-9);
            CU_ASSERT((suda->dis[t] > 0) == (score > 0));
            sum += score;
        }
        CU_ASSERT_DOUBLE_EQUAL(suda->score_sum, sum, 1e-9 * sum);
        for (size_t c = 0; sum > 0 && c < sample.table.column_count; c++)
            CU_ASSERT_DOUBLE_EQUAL(suda->contribution[c], by_column[c] / sum,
                                   1e-12);
        suda_destroy(&suda);
    }
}

static void a_walk_can_be_ended(void)
{
    atomic_bool cancel = true;
    const struct suda_options options = {SUDA_FACTORIAL, 0.1, &cancel};
    struct suda *suda = NULL;
    struct sample sample;
    struct error err;

    error_init(&err);
    sample_open(&sample, 1, 1, false);
    sample.code[0][0] = 1;
    sample.rows[0] = 1;
    CU_ASSERT_EQUAL(suda_compute(&suda, &sample.table, &options, &err),
                    E_CANCELLED);
    CU_ASSERT_PTR_NULL(suda);
}

void suite_suda(void)
{
    static const struct test tests[] = {
        {"sets of four rows, by hand", sets_of_four_rows_by_hand},
        {"a score among a pair, by hand", a_score_among_a_pair_by_hand},
        {"the normalised form, by hand", the_normalised_form_by_hand},
        {"random tables, as by trying every set",
         random_tables_as_by_trying_every_set},
        {"a walk can be ended", a_walk_can_be_ended},
    };

    suite_add("suda", tests, sizeof tests / sizeof *tests);
}
