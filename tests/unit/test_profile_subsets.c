#include "anonymizer/profile_subsets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "anonymizer/profile.h"
#include "common/files.h"
#include "tests/lib/suite.h"

void suite_profile_subsets(void);

/* A profile of the table in `text`. */
static enum status make(struct profile **profile, const char *text,
                        const struct profile_options *options,
                        struct error *err)
{
    enum status status;
    int fd = -1;

    CU_ASSERT_EQUAL_FATAL(temporary_open(&fd, err), OK);
    CU_ASSERT_EQUAL_FATAL(
        descriptor_write(fd, bytes_of_string(text), "a test's table", err), OK);
    CU_ASSERT_EQUAL_FATAL(lseek(fd, 0, SEEK_SET), 0);
    status = profile_make(profile, fd, "t.csv", options, err);
    close(fd);
    return status;
}

struct expected {
    const char *columns; /* numbers as digits */
    double distinction, separation;
};

/* The measured columns are the first ones of the table. */
static void check_subset(const struct attribute_subset *subset,
                         const struct expected *expected)
{
    uint64_t columns = 0;

    for (const char *at = expected->columns; *at != '\0'; at++)
        columns |= UINT64_C(1) << (*at - '0');
    CU_ASSERT_EQUAL(subset->columns, columns);
    CU_ASSERT_DOUBLE_EQUAL(subset->distinction, expected->distinction, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(subset->separation, expected->separation, 1e-12);
}

/* By hand: pairs of the ten that differ, classes of the five rows.  The figures
 * are those of the example in Motwani and Xu (2007) that ARX tests itself by;
 * the table is ours. */
static void figures_are_those_of_a_count_by_hand(void)
{
    static const char table[] = "sex,state,age\n"
                                "F,CA,20\nF,CA,30\nF,TX,50\nM,NY,20\nM,CA,50\n";
    static const struct expected expected[] = {
        {"0", 0.4, 0.6},  {"1", 0.6, 0.7}, {"2", 0.6, 0.8}, {"01", 0.8, 0.9},
        {"02", 1.0, 1.0}, {"12", 1, 1},    {"012", 1, 1},
    };
    struct profile_options options = {
        .subset_size = 3,
        .measured = (const char *const[]){"age", "sex", "state", NULL}};
    struct profile *profile = NULL;
    struct error err;

    CU_ASSERT_EQUAL_FATAL(make(&profile, table, &options, &err), OK);
    CU_ASSERT_EQUAL_FATAL(profile->subsets.count, 7);
    CU_ASSERT_FALSE(profile->subsets.limited);
    for (size_t i = 0; i < 7; i++)
        check_subset(&profile->subsets.at[i], &expected[i]);
    CU_ASSERT_EQUAL(profile->subsets.all.classes, 5);
    profile_destroy(&profile);
}

static void suppressed_rows_are_not_counted(void)
{
    static const char table[] = "sex,age\n*,*\n*,*\nF,*\nM,1\nM,2\n";
    /* age alone: three rows are all `*`; two rows are left, both alone. */
    static const struct expected expected[] = {
        {"0", 2.0 / 3, 2.0 / 3}, {"1", 1, 1}, {"01", 1, 1}};
    struct profile_options options = {
        .subset_size = 2,
        .measured = (const char *const[]){"sex", "age", NULL}};
    struct profile *profile = NULL;
    struct error err;

    CU_ASSERT_EQUAL_FATAL(make(&profile, table, &options, &err), OK);
    CU_ASSERT_EQUAL_FATAL(profile->subsets.count, 3);
    for (size_t i = 0; i < 3; i++)
        check_subset(&profile->subsets.at[i], &expected[i]);
    CU_ASSERT_EQUAL(profile->subsets.all.distinction, 1);
    profile_destroy(&profile);
}

static void a_single_row_differs_from_none(void)
{
    struct profile_options options = {
        .subset_size = 1, .measured = (const char *const[]){"a", NULL}};
    struct profile *profile = NULL;
    struct error err;

    CU_ASSERT_EQUAL_FATAL(make(&profile, "a\nx\n", &options, &err), OK);
    CU_ASSERT_EQUAL(profile->subsets.at[0].distinction, 1);
    CU_ASSERT_EQUAL(profile->subsets.at[0].separation, 0);
    profile_destroy(&profile);
}

/* ---- against a count of all pairs ---- */

#define ROWS 60
#define COLUMNS 5

static uint64_t draw(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return *state >> 33;
}

static bool agree(const uint8_t a[COLUMNS], const uint8_t b[COLUMNS],
                  const struct attribute_subset *subset)
{
    for (size_t i = 0; i < COLUMNS; i++)
        if ((subset->columns >> i & 1) != 0 && a[i] != b[i])
            return false;
    return true;
}

static void check_by_pairs(const struct attribute_subset *subset,
                           uint8_t cell[ROWS][COLUMNS])
{
    unsigned classes = 0, differ = 0;

    for (size_t i = 0; i < ROWS; i++) {
        bool first = true;

        for (size_t j = 0; j < i; j++) {
            bool same = agree(cell[i], cell[j], subset);

            first = first && !same;
            differ += !same;
        }
        classes += first;
    }
    CU_ASSERT_DOUBLE_EQUAL(subset->distinction, (double)classes / ROWS, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(subset->separation,
                           differ / (ROWS * (ROWS - 1) / 2.0), 1e-12);
}

static void random_tables_are_counted_like_all_pairs(void)
{
    struct profile_options options = {
        .subset_size = COLUMNS,
        .measured = (const char *const[]){"c0", "c1", "c2", "c3", "c4", NULL}};
    uint64_t state = (uint64_t)getpid() * 2654435761u;

    printf("\n    seed %ju ", (uintmax_t)state);
    for (int round = 0; round < 20; round++) {
        uint8_t cell[ROWS][COLUMNS];
        struct profile *profile = NULL;
        struct text text;
        struct error err;

        text_init(&text);
        CU_ASSERT_EQUAL(text_append_string(&text, "c0,c1,c2,c3,c4\n", &err),
                        OK);
        for (size_t i = 0; i < ROWS; i++)
            for (size_t j = 0; j < COLUMNS; j++) {
                cell[i][j] = (uint8_t)(draw(&state) % (j + 2));
                CU_ASSERT_EQUAL(text_printf(&text, &err, "v%u%c", cell[i][j],
                                            j + 1 < COLUMNS ? ',' : '\n'),
                                OK);
            }
        CU_ASSERT_EQUAL_FATAL(make(&profile, text.data, &options, &err), OK);
        CU_ASSERT_EQUAL(profile->subsets.count, 31);
        for (size_t i = 0; i < profile->subsets.count; i++)
            check_by_pairs(&profile->subsets.at[i], cell);
        profile_destroy(&profile);
        text_clear(&text);
    }
}

/* More than 256 values, and more than 65,536: a cell gets wider. */
static void wide_columns_keep_their_cells(void)
{
    struct profile_options options = {
        .subset_size = 2, .measured = (const char *const[]){"a", "b", NULL}};
    struct profile *profile = NULL;
    struct text text;
    struct error err;

    text_init(&text);
    CU_ASSERT_EQUAL(text_append_string(&text, "a,b\n", &err), OK);
    for (unsigned i = 0; i < 70000; i++)
        CU_ASSERT_EQUAL(text_printf(&text, &err, "x%u,y%u\n", i, i % 300), OK);
    CU_ASSERT_EQUAL_FATAL(make(&profile, text.data, &options, &err), OK);
    CU_ASSERT_EQUAL(profile->columns.at[0].width, 4);
    CU_ASSERT_EQUAL(profile->columns.at[1].width, 2);
    for (uint64_t row = 0; row < 70000; row += 7) {
        CU_ASSERT_EQUAL(profile_column_code(&profile->columns.at[0], row),
                        row + 1);
        CU_ASSERT_EQUAL(profile_column_code(&profile->columns.at[1], row),
                        row % 300 + 1);
    }
    CU_ASSERT_DOUBLE_EQUAL(profile->subsets.at[0].distinction, 300 / 70000.0,
                           1e-15);
    CU_ASSERT_EQUAL(profile->subsets.at[2].distinction, 1);
    profile_destroy(&profile);
    text_clear(&text);
}

static void refuse(const char *table, const struct profile_options *options,
                   enum status status, const char *words)
{
    struct profile *profile = NULL;
    struct error err;

    CU_ASSERT_EQUAL(make(&profile, table, options, &err), status);
    CU_ASSERT_PTR_NULL(profile);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, words));
    CU_ASSERT_PTR_NULL(strstr(err.text, "secret"));
}

static void columns_that_are_not_there_are_refused(void)
{
    struct profile_options options = {.measured =
                                          (const char *const[]){"b", NULL}};

    refuse("a\nsecret\n", &options, E_INPUT,
           "t.csv: the table has no column \"b\"");
    options.measured = (const char *const[]){"a", "a", NULL};
    refuse("a\nsecret\n", &options, E_USAGE, "column \"a\" is named twice");
}

static void tables_without_a_header_are_refused(void)
{
    struct profile_options options = {.subset_size = 1};
    struct profile *profile = NULL;
    struct error err;

    refuse("id,secret\n1,secret\n", &options, E_INPUT,
           "line 1, column 2: one of the column's values");
    refuse("id,secret@example.org\n1,x\n", &options, E_INPUT,
           "line 1, column 2: a number, a date or an address");
    refuse("63.0,secret\n1,x\n", &options, E_INPUT, "line 1, column 1");
    refuse("1999-12-31,secret\n1,x\n", &options, E_INPUT, "line 1, column 1");
    refuse("a\n", &options, E_INPUT, "no rows");
    options.any_header = true;
    CU_ASSERT_EQUAL_FATAL(make(&profile, "1.5,b\n1,b\n", &options, &err), OK);
    profile_destroy(&profile);
}

void suite_profile_subsets(void)
{
    static const struct test tests[] = {
        {"figures are those of a count by hand",
         figures_are_those_of_a_count_by_hand},
        {"suppressed rows are not counted", suppressed_rows_are_not_counted},
        {"a single row differs from none", a_single_row_differs_from_none},
        {"random tables are counted like all pairs",
         random_tables_are_counted_like_all_pairs},
        {"wide columns keep their cells", wide_columns_keep_their_cells},
        {"columns that are not there are refused",
         columns_that_are_not_there_are_refused},
        {"tables without a header are refused",
         tables_without_a_header_are_refused},
    };

    suite_add("profile_subsets", tests, sizeof tests / sizeof *tests);
}
