#include "datasets/hospital_hierarchies.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "anonymizer/csv.h"
#include "anonymizer/hierarchy.h"
#include "tests/lib/hospital_capture.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_hospital_hierarchies(void);

/* A hierarchy taken apart here, by splitting at every `;`. */
enum { LEVELS_MAX = 8 };

struct tree {
    struct text text;
    size_t levels, rows;
    const char *(*cell)[LEVELS_MAX]; /* [row][level] */
};

static size_t split_line(char *line, const char *cell[LEVELS_MAX])
{
    size_t count = 0;

    for (;;) {
        char *end = strchr(line, ';');

        CU_ASSERT_FATAL(count < LEVELS_MAX);
        cell[count++] = line;
        if (end == NULL)
            return count;
        *end = '\0';
        line = end + 1;
    }
}

static size_t find_hierarchy(const char *name)
{
    size_t i = 0;

    while (strcmp(hospital_hierarchy_name(i), name) != 0)
        i++;
    return i;
}

static void tree_open(struct tree *tree, size_t index)
{
    size_t lines = 0;
    char *line;

    text_init(&tree->text);
    capture_hierarchy(&tree->text, index);
    /* Quotes would mean that splitting is not enough. */
    CU_ASSERT_PTR_NULL_FATAL(strchr(tree->text.data, '"'));
    for (const char *c = tree->text.data; *c != '\0'; c++)
        lines += *c == '\n';
    tree->cell = calloc(lines + 1, sizeof *tree->cell);
    CU_ASSERT_PTR_NOT_NULL_FATAL(tree->cell);
    line = tree->text.data;
    for (tree->rows = 0; tree->rows < lines; tree->rows++) {
        char *end = strchr(line, '\n');
        size_t levels;

        *end = '\0';
        levels = split_line(line, tree->cell[tree->rows]);
        if (tree->rows == 0)
            tree->levels = levels;
        CU_ASSERT_EQUAL_FATAL(levels, tree->levels);
        line = end + 1;
    }
}

static void tree_close(struct tree *tree)
{
    free(tree->cell);
    text_clear(&tree->text);
}

static size_t sort_level;

static int compare_rows(const void *a, const void *b)
{
    const char *const *one = a, *const *two = b;

    return strcmp(one[sort_level], two[sort_level]);
}

static void tree_sort(struct tree *tree, size_t level)
{
    sort_level = level;
    qsort(tree->cell, tree->rows, sizeof *tree->cell, compare_rows);
}

/* ---- trees ---- */

static void values_stand_once(struct tree *tree)
{
    tree_sort(tree, 0);
    for (size_t i = 1; i < tree->rows; i++)
        CU_ASSERT(strcmp(tree->cell[i - 1][0], tree->cell[i][0]) < 0);
}

/* Rows that agree at a level agree at all above. */
static void levels_nest(struct tree *tree)
{
    for (size_t level = 0; level + 1 < tree->levels; level++) {
        int wrong = 0;

        tree_sort(tree, level);
        for (size_t i = 1; i < tree->rows; i++)
            wrong +=
                strcmp(tree->cell[i - 1][level], tree->cell[i][level]) == 0 &&
                strcmp(tree->cell[i - 1][level + 1],
                       tree->cell[i][level + 1]) != 0;
        CU_ASSERT_EQUAL(wrong, 0);
    }
}

/* The highest level on which a label stands. */
static size_t top_of(struct tree *tree, const char *label,
                     const char *const *sorted[LEVELS_MAX])
{
    for (size_t level = tree->levels; level-- > 0;) {
        size_t low = 0, high = tree->rows;

        while (low < high) {
            size_t middle = low + (high - low) / 2;

            if (strcmp(sorted[level][middle], label) < 0)
                low = middle + 1;
            else
                high = middle;
        }
        if (low < tree->rows && strcmp(sorted[level][low], label) == 0)
            return level;
    }
    return 0;
}

static int compare_labels(const void *a, const void *b)
{
    const char *const *one = a, *const *two = b;

    return strcmp(*one, *two);
}

/* A label's parent, where it is another label, stands higher at its highest:
 * then no way up from a label leads back to it. */
static void labels_make_no_cycle(struct tree *tree)
{
    const char **sorted[LEVELS_MAX] = {NULL};
    const char *const *borrowed[LEVELS_MAX];
    int wrong = 0;

    for (size_t level = 0; level < tree->levels; level++) {
        sorted[level] = calloc(tree->rows, sizeof *sorted[level]);
        CU_ASSERT_PTR_NOT_NULL_FATAL(sorted[level]);
        for (size_t i = 0; i < tree->rows; i++)
            sorted[level][i] = tree->cell[i][level];
        qsort(sorted[level], tree->rows, sizeof *sorted[level], compare_labels);
        borrowed[level] = sorted[level];
    }
    for (size_t i = 0; i < tree->rows; i++)
        for (size_t level = 0; level + 1 < tree->levels; level++) {
            const char *child = tree->cell[i][level];
            const char *parent = tree->cell[i][level + 1];

            wrong +=
                strcmp(child, parent) != 0 &&
                top_of(tree, child, borrowed) >= top_of(tree, parent, borrowed);
        }
    CU_ASSERT_EQUAL(wrong, 0);
    for (size_t level = 0; level < tree->levels; level++)
        free(sorted[level]);
}

static void all_end_with_a_star(struct tree *tree)
{
    int wrong = 0;

    for (size_t i = 0; i < tree->rows; i++)
        wrong += strcmp(tree->cell[i][tree->levels - 1], "*") != 0;
    CU_ASSERT_EQUAL(wrong, 0);
}

static void hierarchies_are_trees(void)
{
    for (size_t i = 0; i < hospital_hierarchy_count(); i++) {
        struct tree tree;

        tree_open(&tree, i);
        values_stand_once(&tree);
        levels_nest(&tree);
        labels_make_no_cycle(&tree);
        all_end_with_a_star(&tree);
        tree_close(&tree);
    }
}

static void the_anonymizer_reads_them(void)
{
    for (size_t i = 0; i < hospital_hierarchy_count(); i++) {
        struct hierarchy *hierarchy = NULL;
        struct text text;
        struct error err;

        text_init(&text);
        capture_hierarchy(&text, i);
        error_init(&err);
        CU_ASSERT_EQUAL(hierarchy_parse(&hierarchy, text_bytes(&text),
                                        hospital_hierarchy_name(i), &err),
                        OK);
        hierarchy_close(&hierarchy);
        text_clear(&text);
    }
}

/* What the papers and the policies need. */
static void levels_are_as_many_as_said(void)
{
    static const struct {
        const char *name;
        size_t levels, rows_min;
    } expected[] = {
        {"gender", 2, 2},  {"age", 5, 103},       {"birth_date", 5, 36525},
        {"city", 4, 40},   {"date", 5, 1096},     {"department", 3, 10},
        {"doctor", 4, 40}, {"diagnosis", 7, 120}, {"disease_code", 6, 120},
    };

    CU_ASSERT_EQUAL(hospital_hierarchy_count(),
                    sizeof expected / sizeof expected[0]);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        struct tree tree;

        tree_open(&tree, find_hierarchy(expected[i].name));
        CU_ASSERT_EQUAL(tree.levels, expected[i].levels);
        CU_ASSERT(tree.rows >= expected[i].rows_min);
        tree_close(&tree);
    }
}

/* The row of `value`, as one line. */
static void check_row(const char *name, const char *row)
{
    struct text text;

    text_init(&text);
    capture_hierarchy(&text, find_hierarchy(name));
    CU_ASSERT_PTR_NOT_NULL(strstr(text.data, row));
    text_clear(&text);
}

static void rows_read_as_expected(void)
{
    check_row("gender", "female;*\n");
    check_row("age", "\n39;35-39;30-39;20-39;*\n");
    check_row("birth_date", "\n1980-05-17;1980-05;1980;1980s;*\n");
    check_row("city", "\nSuwon;Gyeonggi;Capital Area;*\n");
    check_row("date", "\n2024-02-29;2024-02;2024-Q1;2024;*\n");
    check_row("date", "\n2024-12-31;2024-12;2024-Q4;2024;*\n");
    check_row("department", "\nUrology;surgical;*\n");
    check_row("doctor", "\nDr. Pi Yu-dam;Neurology;mind and senses;*\n");
    check_row("diagnosis", "\nSenile cataract, left eye;H25.1;H25;H25-H28;"
                           "H25-H42;H00-H59;*\n");
    check_row("disease_code", "\nI21.4;I21;I20-I25;I20-I52;I00-I99;*\n");
    check_row("disease_code", "\nI10;I10;I10-I15;I10-I15;I00-I99;*\n");
}

/* ---- coverage ---- */

static int compare_value(const void *key, const void *row)
{
    const struct bytes *value = key;
    const char *const *cell = row;

    return bytes_compare(*value, bytes_of_string(cell[0]));
}

static const struct tree *tree_of(const struct tree *trees, struct bytes column)
{
    for (size_t i = 0; i < hospital_hierarchy_count(); i++)
        if (bytes_equal_string(column, hospital_hierarchy_name(i)))
            return &trees[i];
    return NULL;
}

/* Cells of the table that their column's hierarchy does not know. */
static int count_unknown(const struct tree *trees, int fd)
{
    struct csv_options options = {.delimiter = ','};
    const struct csv_record *record, *header;
    struct csv_reader *reader;
    struct error err;
    int unknown = 0;

    CU_ASSERT_EQUAL_FATAL(csv_open(&reader, fd, "table", options, &err), OK);
    header = csv_header(reader);
    while (csv_next(reader, &record, &err) == OK && record != NULL)
        for (size_t i = 0; i < record->count; i++) {
            const struct tree *tree = tree_of(trees, header->field[i].value);

            if (tree != NULL)
                unknown +=
                    bsearch(&record->field[i].value, tree->cell, tree->rows,
                            sizeof *tree->cell, compare_value) == NULL;
        }
    csv_close(&reader);
    close(fd);
    return unknown;
}

static void every_value_has_its_place(void)
{
    struct hospital_options options = {.seed = 12, .days = 1096, .visits = 3};
    struct patient_range range = {1, 20000};
    struct tree trees[16];

    CU_ASSERT_FATAL(hospital_hierarchy_count() <= 16);
    for (size_t i = 0; i < hospital_hierarchy_count(); i++) {
        tree_open(&trees[i], i);
        tree_sort(&trees[i], 0);
    }
    CU_ASSERT_EQUAL(count_unknown(trees, capture_table_file(options, range)),
                    0);
    for (size_t i = 0; i < hospital_hierarchy_count(); i++)
        tree_close(&trees[i]);
}

/* ---- files ---- */

static void folder_is_made_and_filled(void)
{
    struct scratch scratch;
    struct error err;
    char path[SCRATCH_PATH_MAX];

    scratch_open(&scratch);
    CU_ASSERT_EQUAL(
        hospital_hierarchies_write(scratch_path(&scratch, "new"), &err), OK);
    /* Again: the files are replaced. */
    CU_ASSERT_EQUAL(
        hospital_hierarchies_write(scratch_path(&scratch, "new"), &err), OK);
    CU_ASSERT(scratch_holds(&scratch, "new/gender.csv", "female;*\nmale;*\n"));
    for (size_t i = 0; i < hospital_hierarchy_count(); i++) {
        snprintf(path, sizeof path, "new/%s.csv", hospital_hierarchy_name(i));
        CU_ASSERT_EQUAL(access(scratch_path(&scratch, path), R_OK), 0);
    }
    scratch_close(&scratch);
}

static void folder_that_cannot_be_is_refused(void)
{
    struct scratch scratch;
    struct error err;

    scratch_open(&scratch);
    CU_ASSERT_EQUAL(
        hospital_hierarchies_write(scratch_path(&scratch, "a/b"), &err),
        E_INPUT);
    scratch_write(&scratch, "file", "");
    CU_ASSERT_EQUAL(
        hospital_hierarchies_write(scratch_path(&scratch, "file"), &err),
        E_INPUT);
    scratch_close(&scratch);
}

void suite_hospital_hierarchies(void)
{
    static const struct test tests[] = {
        {"hierarchies are trees", hierarchies_are_trees},
        {"the anonymizer reads them", the_anonymizer_reads_them},
        {"levels are as many as said", levels_are_as_many_as_said},
        {"rows read as expected", rows_read_as_expected},
        {"every value has its place", every_value_has_its_place},
        {"folder is made and filled", folder_is_made_and_filled},
        {"folder that cannot be is refused", folder_that_cannot_be_is_refused},
    };
    suite_add("hospital_hierarchies", tests, sizeof tests / sizeof *tests);
}
