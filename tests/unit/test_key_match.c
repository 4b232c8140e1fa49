#include "anonymizer/key_match.h"

#include <stdlib.h>
#include <string.h>

#include "common/random.h"
#include "tests/lib/fixture.h"
#include "tests/lib/suite.h"

void suite_key_match(void);

#define COLUMNS 5
#define TUPLES 40
#define VALUES 3 /* 0 is a missing one */

struct sample {
    uint32_t code[COLUMNS][TUPLES], rows[TUPLES];
    double amount[TUPLES];
    uint32_t code_count[COLUMNS], missing[COLUMNS];
    const uint32_t *column[COLUMNS];
    struct key_table table;
};

static void sample_open(struct sample *sample, size_t columns)
{
    for (size_t c = 0; c < columns; c++) {
        sample->column[c] = sample->code[c];
        sample->code_count[c] = VALUES;
        sample->missing[c] = 0;
    }
    sample->table = (struct key_table){columns,         0,
                                       sample->column,  sample->code_count,
                                       sample->missing, sample->rows};
}

static void sample_add(struct sample *sample, const uint32_t *code,
                       uint32_t rows, double amount)
{
    uint32_t tuple = sample->table.tuple_count++;

    for (size_t c = 0; c < sample->table.column_count; c++)
        sample->code[c][tuple] = code[c];
    sample->rows[tuple] = rows;
    sample->amount[tuple] = amount;
}

static void match(const struct sample *sample, double alpha, double *sum)
{
    struct error err;

    error_init(&err);
    CU_ASSERT_EQUAL_FATAL(
        key_match(&sample->table, sample->amount, alpha, sum, &err), OK);
}

/* Rows a 1 (3 times), a 2, a ?, ? 1, b ?: "a 1" may be "a ?" and "? 1" as well;
 * "a ?" is one of four with a value there, and may be "? 1". */
static void a_missing_value_may_be_any_by_hand(void)
{
    struct sample sample;
    double sum[TUPLES];

    sample_open(&sample, 2);
    sample_add(&sample, (uint32_t[]){1, 1}, 3, 3);
    sample_add(&sample, (uint32_t[]){1, 2}, 1, 1);
    sample_add(&sample, (uint32_t[]){1, 0}, 1, 1);
    sample_add(&sample, (uint32_t[]){0, 1}, 1, 1);
    sample_add(&sample, (uint32_t[]){2, 0}, 1, 1);
    match(&sample, 1, sum);
    CU_ASSERT_EQUAL(sum[0], 5);
    CU_ASSERT_EQUAL(sum[1], 2);
    CU_ASSERT_EQUAL(sum[2], 6); /* itself, 3 + 1, and "? 1" */
    CU_ASSERT_EQUAL(sum[3], 6); /* itself, 3, "a ?" and "b ?" */
    CU_ASSERT_EQUAL(sum[4], 2);
    match(&sample, 0.5, sum);
    CU_ASSERT_EQUAL(sum[0], 4);
    CU_ASSERT_EQUAL(sum[2], 5.5);
    CU_ASSERT_EQUAL(sum[3], 5);
    match(&sample, 0, sum);
    CU_ASSERT_EQUAL(sum[0], 3);
    CU_ASSERT_EQUAL(sum[2], 1);
}

/* ---- each tuple with each other ---- */

static bool is_complete(const struct sample *sample, size_t tuple)
{
    for (size_t c = 0; c < sample->table.column_count; c++)
        if (sample->code[c][tuple] == 0)
            return false;
    return true;
}

static bool are_compatible(const struct sample *sample, size_t a, size_t b,
                           bool strictly)
{
    for (size_t c = 0; c < sample->table.column_count; c++) {
        uint32_t x = sample->code[c][a], y = sample->code[c][b];

        if (x != y && (strictly || (x != 0 && y != 0)))
            return false;
    }
    return true;
}

static double naive(const struct sample *sample, size_t tuple, double alpha)
{
    double sum = 0;

    for (size_t t = 0; t < sample->table.tuple_count; t++) {
        double factor = alpha;

        if (!are_compatible(sample, tuple, t, false))
            continue;
        if (t == tuple || (is_complete(sample, t) && alpha > 0))
            factor = 1;
        sum += factor * sample->amount[t];
    }
    return sum;
}

static void random_tables_as_by_trying_every_pair(void)
{
    static const double alphas[] = {0, 0.25, 1};
    struct random random;

    random_init(&random, fixture_seed("key_match"));
    for (int i = 0; i < 300; i++) {
        struct sample sample;
        double sum[TUPLES];

        sample_open(&sample, 1 + random_below(&random, COLUMNS));
        for (int t = 0; t < TUPLES; t++) {
            uint32_t code[COLUMNS];
            bool known = false;

            for (size_t c = 0; c < COLUMNS; c++)
                code[c] = (uint32_t)random_below(&random, VALUES);
            sample_add(&sample, code, 1, 1 + (double)random_below(&random, 9));
            for (uint32_t s = 0; s + 1 < sample.table.tuple_count; s++)
                known =
                    known || are_compatible(&sample, s,
                                            sample.table.tuple_count - 1, true);
            if (known)
                sample.table.tuple_count--;
        }
        for (size_t a = 0; a < sizeof alphas / sizeof *alphas; a++) {
            match(&sample, alphas[a], sum);
            for (uint32_t t = 0; t < sample.table.tuple_count; t++)
                CU_ASSERT_DOUBLE_EQUAL(sum[t], naive(&sample, t, alphas[a]),
                                       1e-9);
        }
    }
}

void suite_key_match(void)
{
    static const struct test tests[] = {
        {"a missing value may be any, by hand",
         a_missing_value_may_be_any_by_hand},
        {"random tables, as by trying every pair",
         random_tables_as_by_trying_every_pair},
    };

    suite_add("key_match", tests, sizeof tests / sizeof *tests);
}
