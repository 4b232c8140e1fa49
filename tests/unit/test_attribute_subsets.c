#include "anonymizer/attribute_subsets.h"

#include <stdlib.h>
#include <string.h>

#include "common/random.h"
#include "tests/lib/fixture.h"
#include "tests/lib/suite.h"

void suite_attribute_subsets(void);

#define COLUMNS 5
#define TUPLES 30
#define VALUES 4

struct sample {
    uint32_t code[COLUMNS][TUPLES], rows[TUPLES];
    uint32_t code_count[COLUMNS], missing[COLUMNS], star[COLUMNS];
    const uint32_t *column[COLUMNS];
    struct key_table table;
};

static void sample_open(struct sample *sample, size_t columns, uint32_t tuples)
{
    for (size_t c = 0; c < columns; c++) {
        sample->column[c] = sample->code[c];
        sample->code_count[c] = VALUES;
        sample->missing[c] = KEY_NO_CODE;
        sample->star[c] = KEY_NO_CODE;
    }
    sample->table = (struct key_table){columns,         tuples,
                                       sample->column,  sample->code_count,
                                       sample->missing, sample->rows};
}

static size_t ask(const struct sample *sample, size_t size_max,
                  struct attribute_subset **subset)
{
    struct error err;
    size_t count = 0;

    error_init(&err);
    CU_ASSERT_EQUAL_FATAL(attribute_subsets(&sample->table, sample->star,
                                            size_max, NULL, subset, &count,
                                            &err),
                          OK);
    return count;
}

/* Five rows, sex f f f m m, age 1 1 2 2 3.  Sex: 2 groups of 3 and 2, which
 * hold 4 of the 10 pairs.  Age: 3 groups, 2 pairs.  Both: f1 twice, f2, m2,
 * m3. */
static void sets_of_two_by_hand(void)
{
    static const uint32_t sex[] = {0, 0, 1, 1}, age[] = {0, 1, 1, 2};
    struct attribute_subset *subset;
    struct sample sample;

    sample_open(&sample, 2, 4);
    memcpy(sample.code[0], sex, sizeof sex);
    memcpy(sample.code[1], age, sizeof age);
    for (size_t t = 0; t < 4; t++)
        sample.rows[t] = t == 0 ? 2 : 1;
    CU_ASSERT_EQUAL_FATAL(ask(&sample, 9, &subset), 3);
    CU_ASSERT_EQUAL(subset[0].columns, 1);
    CU_ASSERT_EQUAL(subset[0].distinction, 0.4);
    CU_ASSERT_EQUAL(subset[0].separation, 0.6);
    CU_ASSERT_EQUAL(subset[1].columns, 2);
    CU_ASSERT_EQUAL(subset[1].distinction, 0.6);
    CU_ASSERT_EQUAL(subset[1].separation, 0.8);
    CU_ASSERT_EQUAL(subset[2].columns, 3);
    CU_ASSERT_EQUAL(subset[2].distinction, 0.8);
    CU_ASSERT_EQUAL(subset[2].separation, 0.9);
    free(subset);
    CU_ASSERT_EQUAL(ask(&sample, 1, &subset), 2);
    free(subset);
}

static void rows_without_a_value_do_not_count(void)
{
    struct attribute_subset *subset;
    struct sample sample;

    sample_open(&sample, 1, 2);
    sample.code[0][0] = 0;
    sample.code[0][1] = 1;
    sample.rows[0] = 7;
    sample.rows[1] = 1;
    sample.star[0] = 0;
    CU_ASSERT_EQUAL_FATAL(ask(&sample, 1, &subset), 1);
    CU_ASSERT_EQUAL(subset[0].distinction, 1);
    CU_ASSERT_EQUAL(subset[0].separation, 0); /* there is no pair */
    free(subset);
    sample.table.tuple_count = 1;
    CU_ASSERT_EQUAL_FATAL(ask(&sample, 1, &subset), 1);
    CU_ASSERT_EQUAL(subset[0].distinction, 0);
    CU_ASSERT_EQUAL(subset[0].separation, 0);
    free(subset);
}

/* ---- each row with each other ---- */

static bool agree(const struct sample *sample, size_t a, size_t b,
                  uint64_t columns)
{
    for (size_t c = 0; c < sample->table.column_count; c++)
        if ((columns >> c & 1) != 0 && sample->code[c][a] != sample->code[c][b])
            return false;
    return true;
}

static bool has_value(const struct sample *sample, size_t tuple,
                      uint64_t columns)
{
    for (size_t c = 0; c < sample->table.column_count; c++)
        if ((columns >> c & 1) != 0 &&
            sample->code[c][tuple] != sample->star[c])
            return true;
    return false;
}

static void expect(const struct sample *sample,
                   const struct attribute_subset *subset)
{
    double rows = 0, groups = 0, differ = 0;

    for (size_t a = 0; a < sample->table.tuple_count; a++) {
        bool is_first = true;

        if (!has_value(sample, a, subset->columns))
            continue;
        rows += sample->rows[a];
        for (size_t b = 0; b < a; b++) {
            bool same = agree(sample, a, b, subset->columns);

            if (has_value(sample, b, subset->columns) && !same)
                differ += (double)sample->rows[a] * sample->rows[b];
            is_first = is_first && !same;
        }
        groups += is_first;
    }
    CU_ASSERT_DOUBLE_EQUAL(subset->distinction, rows > 0 ? groups / rows : 0,
                           1e-12);
    CU_ASSERT_DOUBLE_EQUAL(subset->separation,
                           rows > 1 ? differ / (rows * (rows - 1) / 2) : 0,
                           1e-12);
}

static void random_tables_as_by_trying_every_pair(void)
{
    struct random random;

    random_init(&random, fixture_seed("attribute_subsets"));
    for (int i = 0; i < 200; i++) {
        size_t columns = 1 + random_below(&random, COLUMNS), count;
        struct attribute_subset *subset;
        struct sample sample;

        sample_open(&sample, columns, TUPLES);
        for (size_t t = 0; t < TUPLES; t++) {
            for (size_t c = 0; c < columns; c++)
                sample.code[c][t] = (uint32_t)random_below(&random, VALUES);
            sample.rows[t] = 1 + (uint32_t)random_below(&random, 3);
        }
        for (size_t c = 0; c < columns; c++)
            if (random_below(&random, 2) == 0)
                sample.star[c] = 0;
        count = ask(&sample, columns, &subset);
        CU_ASSERT_EQUAL(count, ((size_t)1 << columns) - 1);
        for (size_t s = 0; s < count; s++)
            expect(&sample, &subset[s]);
        for (size_t s = 1; s < count; s++)
            CU_ASSERT(__builtin_popcountll(subset[s - 1].columns) <=
                      __builtin_popcountll(subset[s].columns));
        free(subset);
    }
}

static void more_sets_than_anybody_reads_are_refused(void)
{
    static const uint32_t nothing[1] = {0};
    const uint32_t *column[KEY_COLUMNS_MAX];
    uint32_t code_count[KEY_COLUMNS_MAX], star[KEY_COLUMNS_MAX];
    const uint32_t one = 1;
    struct attribute_subset *subset;
    struct key_table table = {.column_count = 21,
                              .tuple_count = 1,
                              .code = column,
                              .code_count = code_count,
                              .missing = star,
                              .rows = &one};
    struct error err;
    size_t count;

    for (size_t c = 0; c < KEY_COLUMNS_MAX; c++) {
        column[c] = nothing;
        code_count[c] = 1;
        star[c] = KEY_NO_CODE;
    }
    error_init(&err);
    CU_ASSERT_EQUAL(
        attribute_subsets(&table, star, 21, NULL, &subset, &count, &err),
        E_LIMIT);
    CU_ASSERT_STRING_EQUAL(err.text,
                           "there are more than 1048576 sets of up to 21 of 21 "
                           "quasi-identifiers; ask for smaller ones");
    table.column_count = KEY_COLUMNS_MAX;
    CU_ASSERT_EQUAL(
        attribute_subsets(&table, star, 2, NULL, &subset, &count, &err), OK);
    CU_ASSERT_EQUAL(count, 64 + 64 * 63 / 2);
    free(subset);
}

void suite_attribute_subsets(void)
{
    static const struct test tests[] = {
        {"sets of two, by hand", sets_of_two_by_hand},
        {"rows without a value do not count",
         rows_without_a_value_do_not_count},
        {"random tables, as by trying every pair",
         random_tables_as_by_trying_every_pair},
        {"more sets than anybody reads are refused",
         more_sets_than_anybody_reads_are_refused},
    };

    suite_add("attribute_subsets", tests, sizeof tests / sizeof *tests);
}
