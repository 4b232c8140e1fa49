#include "anonymizer/hierarchy.h"

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "common/limits.h"
#include "common/random.h"
#include "common/text.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_hierarchy(void);

/* ---- helpers ---- */

static struct hierarchy *parse(const char *text)
{
    struct hierarchy *hierarchy;
    struct error err;
    enum status status =
        hierarchy_parse(&hierarchy, bytes_of_string(text), "h.csv", &err);

    if (status != OK)
        fprintf(stderr, "%s\n", err.text);
    CU_ASSERT_EQUAL_FATAL(status, OK);
    return hierarchy;
}

static void refuse_bytes(struct bytes text, enum status status,
                         const char *expected)
{
    struct hierarchy *hierarchy = NULL;
    struct error err;

    error_init(&err);
    CU_ASSERT_EQUAL(hierarchy_parse(&hierarchy, text, "h.csv", &err), status);
    CU_ASSERT_PTR_NULL(hierarchy);
    if (strcmp(err.text, expected) != 0)
        fprintf(stderr, "got      %s\nexpected %s\n", err.text, expected);
    CU_ASSERT_STRING_EQUAL(err.text, expected);
}

static void refuse(const char *text, const char *expected)
{
    refuse_bytes(bytes_of_string(text), E_INPUT, expected);
}

static bool label_is(const struct hierarchy *hierarchy, uint32_t level,
                     uint32_t node, const char *label)
{
    return bytes_equal_string(hierarchy_label(hierarchy, level, node), label);
}

/* The invariants of hierarchy.h, whatever is in it. */
static void check_invariants(const struct hierarchy *h)
{
    uint32_t levels = hierarchy_levels(h), rows = hierarchy_rows(h);

    CU_ASSERT(levels > 0 && rows > 0);
    CU_ASSERT_EQUAL(hierarchy_nodes(h, 0), rows);
    for (uint32_t level = 0; level < levels; level++) {
        uint32_t nodes = hierarchy_nodes(h, level), next = 0;
        uint64_t leaves = 0;

        CU_ASSERT(level == 0 || nodes <= hierarchy_nodes(h, level - 1));
        for (uint32_t node = 0; node < nodes; node++)
            leaves += hierarchy_leaves(h, level, node);
        CU_ASSERT_EQUAL(leaves, rows);
        for (uint32_t row = 0; row < rows; row++) {
            uint32_t node = hierarchy_node(h, level, row);

            CU_ASSERT(node <= next); /* numbered by first appearance */
            next += node == next;
            CU_ASSERT_EQUAL(hierarchy_parent(h, level, node),
                            level + 1 < levels
                                ? hierarchy_node(h, level + 1, row)
                                : HIERARCHY_NONE);
        }
        CU_ASSERT_EQUAL(next, nodes);
    }
    for (uint32_t row = 0; row < rows; row++)
        CU_ASSERT_EQUAL(hierarchy_find(h, hierarchy_label(h, 0, row)), row);
}

/* ---- what it holds ---- */

/*  level 2            *
 *  level 1      30s       40s
 *  level 0    39  31    41   49      in the file: 39 41 31 49  */
static void holds_the_tree(void)
{
    struct hierarchy *h = parse("39;30s;*\n41;40s;*\n31;30s;*\n49;40s;*\n");
    static const uint32_t above[] = {0, 1, 0, 1};

    check_invariants(h);
    CU_ASSERT_EQUAL(hierarchy_levels(h), 3);
    CU_ASSERT_EQUAL(hierarchy_rows(h), 4);
    CU_ASSERT_EQUAL(hierarchy_nodes(h, 0), 4);
    CU_ASSERT_EQUAL(hierarchy_nodes(h, 1), 2);
    CU_ASSERT_EQUAL(hierarchy_nodes(h, 2), 1);
    for (uint32_t row = 0; row < 4; row++) {
        CU_ASSERT_EQUAL(hierarchy_node(h, 0, row), row);
        CU_ASSERT_EQUAL(hierarchy_node(h, 1, row), above[row]);
        CU_ASSERT_EQUAL(hierarchy_node(h, 2, row), 0);
        CU_ASSERT_EQUAL(hierarchy_parent(h, 0, row), above[row]);
        CU_ASSERT_EQUAL(hierarchy_leaves(h, 0, row), 1);
    }
    CU_ASSERT_EQUAL(hierarchy_leaves(h, 1, 0), 2);
    CU_ASSERT_EQUAL(hierarchy_leaves(h, 1, 1), 2);
    CU_ASSERT_EQUAL(hierarchy_leaves(h, 2, 0), 4);
    CU_ASSERT_EQUAL(hierarchy_parent(h, 1, 1), 0);
    CU_ASSERT_EQUAL(hierarchy_parent(h, 2, 0), HIERARCHY_NONE);
    CU_ASSERT(label_is(h, 0, 2, "31"));
    CU_ASSERT(label_is(h, 1, 1, "40s"));
    CU_ASSERT(label_is(h, 2, 0, "*"));
    CU_ASSERT_EQUAL(hierarchy_find(h, bytes_of_string("49")), 3);
    CU_ASSERT_EQUAL(hierarchy_find(h, bytes_of_string("50")), HIERARCHY_NONE);
    CU_ASSERT_EQUAL(hierarchy_find(h, bytes_of_string("30s")), HIERARCHY_NONE);
    CU_ASSERT_EQUAL(hierarchy_find(h, bytes_of(NULL, 0)), HIERARCHY_NONE);
    hierarchy_close(&h);
    CU_ASSERT_PTR_NULL(h);
    hierarchy_close(&h);
}

static void chooses_the_delimiter(void)
{
    static const struct {
        const char *text;
        uint32_t levels;
    } cases[] = {
        {"a;b\n", 2},
        {"a,b,c\n", 3},
        {"a,b;c\n", 2},
        {"\"a;b\",c,d\n", 3},
        {"\"a\n;\",c\nd,c\n", 2},
        {"a,b\nc;d,e\n", 2},
        {"a\tb\n", 1},
        {"\xef\xbb\xbf"
         "a;b\r\n",
         2},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct hierarchy *h = parse(cases[i].text);

        CU_ASSERT_EQUAL(hierarchy_levels(h), cases[i].levels);
        check_invariants(h);
        hierarchy_close(&h);
    }
}

static void an_empty_value_is_a_value(void)
{
    struct hierarchy *h = parse(";unknown;*\n1;low;*\n");

    check_invariants(h);
    CU_ASSERT_EQUAL(hierarchy_find(h, bytes_of(NULL, 0)), 0);
    hierarchy_close(&h);
}

static void labels_may_repeat_on_other_levels(void)
{
    /* NIU above itself, and `x` as a value below another label. */
    struct hierarchy *h = parse("NIU;NIU;*\nx;y;*\nz;x;*\n*;*;*\n");

    check_invariants(h);
    CU_ASSERT_EQUAL(hierarchy_nodes(h, 1), 4);
    CU_ASSERT_EQUAL(hierarchy_node(h, 1, 2), 2);
    CU_ASSERT(label_is(h, 1, 2, "x"));
    CU_ASSERT_EQUAL(hierarchy_find(h, bytes_of_string("x")), 1);
    hierarchy_close(&h);
}

static void a_forest_needs_no_star(void)
{
    struct hierarchy *h = parse("a;1\nb;2\nc;1\n");

    check_invariants(h);
    CU_ASSERT_EQUAL(hierarchy_nodes(h, 1), 2);
    hierarchy_close(&h);
}

/* ---- what it refuses ---- */

static void refuses_what_is_no_table(void)
{
    refuse("", "h.csv: no rows; a row for each value was expected");
    refuse("\n\n", "h.csv: no rows; a row for each value was expected");
    refuse("a;b;c\nd;e\n", "h.csv: line 2: 2 fields, the first line has 3");
    refuse("a;b\nd;e;f\n", "h.csv: line 2: 3 fields, the first line has 2");
    refuse("a;b\n\nc;d\n", "h.csv: line 2: an empty line; only the end of the "
                           "file may have them");
    refuse("a;\xff\n", "h.csv: line 1, column 2: bytes that are not UTF-8; "
                       "convert the file, for example with iconv");
    refuse_bytes(bytes_of("a;b\0\n", 5), E_INPUT,
                 "h.csv: line 1, column 2: a NUL byte");
}

static void refuses_a_value_that_stands_twice(void)
{
    refuse("a;x\n\"b\nb\";x\nc;x\na;x\n",
           "h.csv: line 5: the value of line 1 again; each value stands once");
}

static void refuses_what_is_no_tree(void)
{
    refuse("a;m;p;*\nb;n;p;*\nc;n;q;*\n",
           "h.csv: line 3: level 1 agrees with line 2 but level 2 does not; a "
           "hierarchy must be a tree");
    refuse("a;m;p;*\nb;n;p;*\nc;o;p;+\n",
           "h.csv: line 3: level 2 agrees with line 1 but level 3 does not; a "
           "hierarchy must be a tree");
}

static void refuses_cycles(void)
{
    /* a -> b -> a in one row. */
    refuse("a;b;a\n", "h.csv: line 1: the step from level 1 to level 2 closes "
                      "a cycle; a label must not be its own ancestor by way "
                      "of others");
    /* a -> b -> c from line 1 and b -> a from line 2. */
    refuse("a;b;c\nb;a;c\n",
           "h.csv: line 2: the step from level 0 to level 1 closes a cycle; a "
           "label must not be its own ancestor by way of others");
    /* p -> q, q -> r, r -> p, each from another row, a self loop between. */
    refuse("z;z;z\np;q;1\nq;r;2\nr;p;3\n",
           "h.csv: line 4: the step from level 0 to level 1 closes a cycle; a "
           "label must not be its own ancestor by way of others");
    /* The same label below and above others, but no cycle: p -> q -> r. */
    {
        struct hierarchy *h = parse("p;q;*\nq;r;*\n");

        check_invariants(h);
        hierarchy_close(&h);
    }
}

static void limits_levels(void)
{
    for (int levels = HIERARCHY_LEVELS_MAX; levels <= HIERARCHY_LEVELS_MAX + 1;
         levels++) {
        struct text text;
        struct error err;

        text_init(&text);
        for (int i = 0; i < levels; i++)
            CU_ASSERT_EQUAL(
                text_printf(&text, &err, "%s%d", i == 0 ? "" : ";", i), OK);
        if (levels == HIERARCHY_LEVELS_MAX) {
            struct hierarchy *h = parse(text.data);

            check_invariants(h);
            hierarchy_close(&h);
        } else {
            refuse_bytes(text_bytes(&text), E_LIMIT,
                         "h.csv: line 1: 65 columns, a hierarchy has at most "
                         "64 levels");
        }
        text_clear(&text);
    }
}

/* Refused by its size alone, before a byte is looked at: all of it is one
 * page of zeros that the kernel hands out again and again. */
static void limits_size(void)
{
    size_t size = (size_t)HIERARCHY_SIZE_MAX + 1;
    void *zeros = mmap(NULL, size, PROT_READ,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    CU_ASSERT_FATAL(zeros != MAP_FAILED);
    refuse_bytes(bytes_of(zeros, size), E_LIMIT,
                 "h.csv: 1073741825 bytes, the limit is 1073741824");
    munmap(zeros, size);
}

static void tells_a_missing_file(void)
{
    struct hierarchy *hierarchy = NULL;
    struct error err;

    CU_ASSERT_EQUAL(hierarchy_open(&hierarchy, "tests/no-such-file.csv", &err),
                    E_INPUT);
    CU_ASSERT_PTR_NULL(hierarchy);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "tests/no-such-file.csv"));
}

static void opens_a_file(void)
{
    struct scratch scratch;
    struct hierarchy *h = NULL;
    struct error err;

    scratch_open(&scratch);
    scratch_write(&scratch, "h.csv", "a;*\nb;*\n");
    CU_ASSERT_EQUAL_FATAL(
        hierarchy_open(&h, scratch_path(&scratch, "h.csv"), &err), OK);
    check_invariants(h);
    CU_ASSERT_EQUAL(hierarchy_rows(h), 2);
    hierarchy_close(&h);
    scratch_close(&scratch);
}

/* ---- hierarchies that nobody wrote ---- */

static void flat_has_two_levels(void)
{
    struct bytes values[] = {bytes_of_string("a"), bytes_of_string("*"),
                             bytes_of(NULL, 0)};
    struct hierarchy *h;
    struct error err;

    CU_ASSERT_EQUAL_FATAL(hierarchy_flat(&h, values, 3, &err), OK);
    check_invariants(h);
    CU_ASSERT_EQUAL(hierarchy_levels(h), 2);
    CU_ASSERT_EQUAL(hierarchy_rows(h), 3);
    CU_ASSERT_EQUAL(hierarchy_nodes(h, 1), 1);
    CU_ASSERT_EQUAL(hierarchy_leaves(h, 1, 0), 3);
    CU_ASSERT(label_is(h, 1, 0, HIERARCHY_STAR));
    CU_ASSERT_EQUAL(hierarchy_find(h, values[1]), 1);
    CU_ASSERT_EQUAL(hierarchy_find(h, values[2]), 2);
    hierarchy_close(&h);
}

/* ---- random ones against brute force ---- */

static struct random random_numbers;

static void draw_init(void)
{
    uint64_t seed = (uint64_t)time(NULL);

    random_init(&random_numbers, seed);
    printf("(seed %ju) ", (uintmax_t)seed);
}

static uint32_t draw(uint32_t below)
{
    return (uint32_t)random_below(&random_numbers, below);
}

enum { ROWS = 6, LEVELS = 4, LABELS = 24 };

/* By the words of hierarchy.h, with every pair of rows and with the closure
 * of the graph of labels. */
static bool naive_accepts(char cell[ROWS][LEVELS], int rows, int levels)
{
    bool above[LABELS][LABELS] = {{false}};

    for (int i = 0; i < rows; i++)
        for (int j = 0; j < i; j++) {
            if (cell[i][0] == cell[j][0])
                return false;
            for (int level = 1; level + 1 < levels; level++)
                if (cell[i][level] == cell[j][level] &&
                    cell[i][level + 1] != cell[j][level + 1])
                    return false;
        }
    for (int i = 0; i < rows; i++)
        for (int level = 0; level + 1 < levels; level++)
            if (cell[i][level] != cell[i][level + 1])
                above[cell[i][level] - 'a'][cell[i][level + 1] - 'a'] = true;
    for (int via = 0; via < LABELS; via++)
        for (int from = 0; from < LABELS; from++)
            for (int to = 0; to < LABELS; to++)
                above[from][to] |= above[from][via] && above[via][to];
    for (int label = 0; label < LABELS; label++)
        if (above[label][label])
            return false;
    return true;
}

static void random_ones_agree(void)
{
    int accepted = 0, refused = 0;

    draw_init();
    for (int i = 0; i < 50000; i++) {
        int rows = 1 + (int)draw(ROWS), levels = 1 + (int)draw(LEVELS);
        char cell[ROWS][LEVELS];
        struct hierarchy *h = NULL;
        struct text text;
        struct error err;
        enum status status;

        text_init(&text);
        for (int row = 0; row < rows; row++)
            for (int level = 0; level < levels; level++) {
                /* Few labels above; some of them also below. */
                cell[row][level] =
                    (char)('a' + (level == 0 ? draw(LABELS)
                                             : 4 * (uint32_t)level +
                                                   draw(level == 1 ? 6 : 3)));
                CU_ASSERT_EQUAL(text_printf(&text, &err, "%c%c",
                                            cell[row][level],
                                            level + 1 < levels ? ';' : '\n'),
                                OK);
            }
        status = hierarchy_parse(&h, text_bytes(&text), "h.csv", &err);
        if (naive_accepts(cell, rows, levels)) {
            CU_ASSERT_EQUAL(status, OK);
            if (h != NULL)
                check_invariants(h);
            accepted++;
        } else {
            CU_ASSERT_EQUAL(status, E_INPUT);
            refused++;
        }
        for (int row = 0; h != NULL && row < rows; row++)
            for (int level = 0; level < levels; level++) {
                uint32_t node =
                    hierarchy_node(h, (uint32_t)level, (uint32_t)row);
                struct bytes label = hierarchy_label(h, (uint32_t)level, node);

                CU_ASSERT(bytes_equal(label, bytes_of(&cell[row][level], 1)));
            }
        hierarchy_close(&h);
        text_clear(&text);
    }
    CU_ASSERT(accepted > 1000 && refused > 1000);
}

/* ---- large ones ---- */

/* 300,000 values, 10 to a node; sorted by the last digit, so that the node of
 * the row before is never the right one. */
static void build_large(struct text *text)
{
    struct error err;

    for (uint32_t last = 0; last < 10; last++)
        for (uint32_t i = 0; i < 30000; i++)
            CU_ASSERT_EQUAL(text_printf(text, &err, "%u;%u-%u;%u0k;*\n",
                                        10 * i + last, 10 * i, 10 * i + 9,
                                        i / 1000),
                            OK);
}

struct look_up {
    pthread_t thread;
    const struct hierarchy *hierarchy;
    uint32_t wrong;
};

static void *look_up_all(void *argument)
{
    struct look_up *look_up = argument;

    for (uint32_t i = 0; i < 300000; i++) {
        char value[16];
        int size = snprintf(value, sizeof value, "%u", i);
        uint32_t row =
            hierarchy_find(look_up->hierarchy, bytes_of(value, (size_t)size));

        look_up->wrong += row != i % 10 * 30000 + i / 10;
    }
    return NULL;
}

static void large_one_serves_two_threads(void)
{
    struct look_up look_up[2] = {{0}, {0}};
    struct hierarchy *h;
    struct text text;

    text_init(&text);
    build_large(&text);
    h = parse(text.data);
    CU_ASSERT_EQUAL(hierarchy_rows(h), 300000);
    CU_ASSERT_EQUAL(hierarchy_nodes(h, 1), 30000);
    CU_ASSERT_EQUAL(hierarchy_nodes(h, 2), 30);
    CU_ASSERT_EQUAL(hierarchy_leaves(h, 2, 7), 10000);
    for (int i = 0; i < 2; i++) {
        look_up[i].hierarchy = h;
        CU_ASSERT_EQUAL_FATAL(
            pthread_create(&look_up[i].thread, NULL, look_up_all, &look_up[i]),
            0);
    }
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(pthread_join(look_up[i].thread, NULL), 0);
        CU_ASSERT_EQUAL(look_up[i].wrong, 0);
    }
    hierarchy_close(&h);
    text_clear(&text);
}

/* A search for cycles that recursed would run out of stack here, one that
 * went over the same labels again would not end. */
static void long_chain_of_labels_is_searched_once(void)
{
    enum { COUNT = 100000 };
    struct hierarchy *h;
    struct text text;
    struct error err;

    text_init(&text);
    for (int i = 0; i < COUNT; i++)
        CU_ASSERT_EQUAL(text_printf(&text, &err, "%d;%d\n", i, i + 1), OK);
    h = parse(text.data);
    CU_ASSERT_EQUAL(hierarchy_nodes(h, 1), COUNT);
    hierarchy_close(&h);
    CU_ASSERT_EQUAL(text_printf(&text, &err, "%d;0\n", COUNT), OK);
    refuse_bytes(text_bytes(&text), E_INPUT,
                 "h.csv: line 100001: the step from level 0 to level 1 closes "
                 "a cycle; a label must not be its own ancestor by way of "
                 "others");
    text_clear(&text);
}

/* ---- real ones ---- */

static int open_folder(const char *folder)
{
    DIR *entries = opendir(folder);
    struct dirent *entry;
    int count = 0;

    if (entries == NULL)
        return 0;
    while ((entry = readdir(entries)) != NULL) {
        struct hierarchy *h = NULL;
        struct text path;
        struct error err;

        if (strstr(entry->d_name, ".csv") == NULL)
            continue;
        text_init(&path);
        CU_ASSERT_EQUAL(
            text_printf(&path, &err, "%s/%s", folder, entry->d_name), OK);
        if (hierarchy_open(&h, path.data, &err) != OK) {
            fprintf(stderr, "%s\n", err.text);
            CU_FAIL("a hierarchy of the collection does not load");
        } else {
            check_invariants(h);
            hierarchy_close(&h);
        }
        text_clear(&path);
        count++;
    }
    closedir(entries);
    return count;
}

/* The collection lies beside the main checkout, or where ANCHORITE_SHARED
 * says. */
static void real_ones_load(void)
{
    const char *shared = getenv("ANCHORITE_SHARED");
    struct text folder;
    struct error err;
    int count = 0;

    if (shared == NULL)
        shared = "../shared";
    if (access(shared, R_OK) != 0) {
        printf("skipped, no %s ", shared);
        return;
    }
    text_init(&folder);
    CU_ASSERT_EQUAL(
        text_printf(&folder, &err, "%s/data/adult/hierarchies", shared), OK);
    count += open_folder(folder.data);
    text_reset(&folder);
    CU_ASSERT_EQUAL(
        text_printf(&folder, &err, "%s/data/hierarchy-shapes", shared), OK);
    count += open_folder(folder.data);
    text_clear(&folder);
    CU_ASSERT_EQUAL(count, 27);
}

void suite_hierarchy(void)
{
    static const struct test tests[] = {
        {"nodes, parents, leaves and labels are those of the tree",
         holds_the_tree},
        {"the first line decides between ; and ,", chooses_the_delimiter},
        {"an empty value is a value", an_empty_value_is_a_value},
        {"a label may stand on several levels",
         labels_may_repeat_on_other_levels},
        {"several roots are accepted", a_forest_needs_no_star},
        {"what is no table is refused", refuses_what_is_no_table},
        {"a value that stands twice is refused",
         refuses_a_value_that_stands_twice},
        {"what is no tree is refused", refuses_what_is_no_tree},
        {"cycles are refused", refuses_cycles},
        {"too many levels are refused", limits_levels},
        {"too many bytes are refused", limits_size},
        {"a missing file is told by its path", tells_a_missing_file},
        {"a file is opened", opens_a_file},
        {"a flat hierarchy has values and a star", flat_has_two_levels},
        {"random hierarchies are accepted as by brute force",
         random_ones_agree},
        {"a large one serves two threads", large_one_serves_two_threads},
        {"a long chain of labels is searched once",
         long_chain_of_labels_is_searched_once},
        {"the hierarchies of the collection load", real_ones_load},
    };

    suite_add("hierarchy", tests, sizeof tests / sizeof tests[0]);
}
