#include "tests/property/sample.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Vectors times rows that brute force may look at in one case. */
#define SAMPLE_WORK_MAX 100000

#define SAMPLE_LEVELS_MAX 5
#define SAMPLE_DOMAIN_MAX 12

/* ---- memory: all of a sample's lives until sample_clear ---- */

static void *sample_keep(struct sample *sample, void *memory)
{
    void **more =
        realloc(sample->memory, (sample->memory_count + 1) * sizeof *more);

    if (memory == NULL || more == NULL)
        abort();
    more[sample->memory_count++] = memory;
    sample->memory = more;
    return memory;
}

static void *sample_allocate(struct sample *sample, size_t count, size_t size)
{
    return sample_keep(sample, calloc(count > 0 ? count : 1, size));
}

static const char *sample_format(struct sample *sample, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static const char *sample_format(struct sample *sample, const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        abort();
    va_end(args);
    return sample_keep(sample, text);
}

void sample_clear(struct sample *sample)
{
    for (size_t i = 0; i < sample->memory_count; i++)
        free(sample->memory[i]);
    free(sample->memory);
    memset(sample, 0, sizeof *sample);
}

/* ---- texts ---- */

static const char *const awkward[] = {
    "x y",       "say \"hi\"", "\"",           "a;b",    "a,b",
    "tab\there", "pipe|",      "1\n2",         "1\r\n2", " lead",
    "end ",      "\xc3\xa9",   "\xe6\x97\xa5", "\\",     "'",
    "=1+1",      "-",          "null",         "#",      "\xf0\x9f\xa9\xba",
    "**",        "{}",         "%s",           "0x",
};

static const char *const token[] = {"", "?", "NA", "NULL"};

/* A text that no other call with another number gives; never a token. */
static const char *random_text(struct sample *sample, struct random *dice,
                               const char *prefix, size_t number, bool plain)
{
    const char *spice = "";

    if (!plain && dice_chance(dice, 15))
        spice = awkward[dice_below(dice, sizeof awkward / sizeof *awkward)];
    if (dice_chance(dice, 50))
        return sample_format(sample, "%s%zu%s", prefix, number, spice);
    return sample_format(sample, "%s%s%zu", spice, prefix, number);
}

/* ---- hierarchies ---- */

/* A forest in the making: label[row * levels + level]. */
struct forest {
    const char **label;
    size_t rows, levels;
};

static const char *forest_label(const struct forest *forest, size_t row,
                                size_t level)
{
    return forest->label[row * forest->levels + level];
}

/* Index of a label among the labels of the forest: that of its first cell. */
static size_t label_id(const struct forest *forest, const char *label,
                       size_t levels)
{
    for (size_t i = 0; i < forest->rows * levels; i++)
        if (strcmp(forest_label(forest, i / levels, i % levels), label) == 0)
            return i;
    abort();
}

/* Does no label become, by way of others, its own ancestor in the first
 * `levels` levels?  By transitive closure. */
static bool is_acyclic(const struct forest *forest, size_t levels)
{
    static bool reach[SAMPLE_DOMAIN_MAX * SAMPLE_LEVELS_MAX]
                     [SAMPLE_DOMAIN_MAX * SAMPLE_LEVELS_MAX];
    size_t count = forest->rows * levels;

    memset(reach, 0, sizeof reach);
    for (size_t row = 0; row < forest->rows; row++)
        for (size_t level = 0; level + 1 < levels; level++) {
            const char *from = forest_label(forest, row, level);
            const char *to = forest_label(forest, row, level + 1);

            if (strcmp(from, to) != 0)
                reach[label_id(forest, from, levels)]
                     [label_id(forest, to, levels)] = true;
        }
    for (size_t via = 0; via < count; via++)
        for (size_t from = 0; from < count; from++)
            for (size_t to = 0; reach[from][via] && to < count; to++)
                reach[from][to] = reach[from][to] || reach[via][to];
    for (size_t i = 0; i < count; i++)
        if (reach[i][i])
            return false;
    return true;
}

/* May the rows with parent[row] == node carry `label` at `level`?  Then they
 * do. */
static bool try_label(struct forest *forest, const size_t *parent, size_t node,
                      size_t level, const char *label)
{
    const char *before[SAMPLE_DOMAIN_MAX];
    bool fits = true;

    for (size_t row = 0; row < forest->rows; row++) {
        before[row] = forest_label(forest, row, level);
        if (parent[row] != node && before[row] != NULL &&
            strcmp(before[row], label) == 0)
            return false;
    }
    for (size_t row = 0; row < forest->rows; row++)
        if (parent[row] == node)
            forest->label[row * forest->levels + level] = label;
    for (size_t row = 0; row < forest->rows; row++)
        fits = fits && forest_label(forest, row, level) != NULL;
    /* Nodes without labels yet: a cycle shows when the last one has its. */
    if (!fits || is_acyclic(forest, level + 1))
        return true;
    for (size_t row = 0; row < forest->rows; row++)
        forest->label[row * forest->levels + level] = before[row];
    return false;
}

/* Give a node of `level` its label: often a new one, else one that stands
 * below it or elsewhere in the domain, or a star. */
static void label_node(struct sample *sample, struct random *dice,
                       struct forest *forest, const size_t *parent, size_t node,
                       size_t level, bool plain)
{
    size_t row = dice_below(dice, forest->rows);
    size_t below = dice_below(dice, level);
    const char *label = NULL;

    if (dice_chance(dice, level + 1 == forest->levels ? 40 : 8))
        label = "*";
    else if (dice_chance(dice, 25))
        label = forest_label(forest, row, below);
    if (label != NULL && try_label(forest, parent, node, level, label))
        return;
    label = random_text(sample, dice, level % 2 ? "g" : "h", 100 * level + node,
                        plain);
    for (row = 0; row < forest->rows; row++)
        if (parent[row] == node)
            forest->label[row * forest->levels + level] = label;
}

/* Join nodes of the level below at random; returns how many are left. */
static size_t join_nodes(struct random *dice, size_t *node, size_t rows,
                         size_t count)
{
    size_t target[SAMPLE_DOMAIN_MAX], renamed[SAMPLE_DOMAIN_MAX];
    size_t left = dice_between(dice, 1, dice_between(dice, 1, count));
    size_t used = 0;

    for (size_t i = 0; i < count; i++)
        target[i] = dice_below(dice, left);
    for (size_t i = 0; i < SAMPLE_DOMAIN_MAX; i++)
        renamed[i] = SIZE_MAX;
    for (size_t row = 0; row < rows; row++) {
        size_t *name = &renamed[target[node[row]]];

        if (*name == SIZE_MAX)
            *name = used++;
        node[row] = *name;
    }
    return used;
}

/* Labels of one level; all new ones if chance has made a cycle. */
static void label_level(struct sample *sample, struct random *dice,
                        struct forest *forest, const size_t *node, size_t count,
                        size_t level, bool plain)
{
    for (size_t i = 0; i < count; i++)
        label_node(sample, dice, forest, node, i, level, plain);
    if (is_acyclic(forest, level + 1))
        return;
    for (size_t row = 0; row < forest->rows; row++)
        forest->label[row * forest->levels + level] =
            sample_format(sample, "n%zu-%zu", level, node[row]);
}

static void random_hierarchy(struct sample *sample, struct random *dice,
                             struct oracle_column *column, bool plain)
{
    struct forest forest;
    size_t node[SAMPLE_DOMAIN_MAX], count;

    forest.levels =
        dice_between(dice, dice_between(dice, 1, 3), SAMPLE_LEVELS_MAX);
    forest.rows = dice_between(dice, 1, SAMPLE_DOMAIN_MAX);
    forest.label =
        sample_allocate(sample, forest.rows * forest.levels, sizeof(char *));
    count = forest.rows;
    for (size_t row = 0; row < forest.rows; row++) {
        node[row] = row;
        forest.label[row * forest.levels] =
            random_text(sample, dice, "v", row, plain || forest.levels == 1);
    }
    if (dice_chance(dice, 25))
        forest.label[dice_below(dice, forest.rows) * forest.levels] =
            token[dice_below(dice, 4)];
    else if (dice_chance(dice, 5))
        forest.label[dice_below(dice, forest.rows) * forest.levels] = "*";
    for (size_t level = 1; level < forest.levels; level++) {
        count = join_nodes(dice, node, forest.rows, count);
        label_level(sample, dice, &forest, node, count, level, plain);
    }
    column->domain = forest.label;
    column->domain_rows = forest.rows;
    column->levels = forest.levels;
}

/* ---- columns ---- */

static void random_levels(struct random *dice, struct oracle_column *column)
{
    size_t top = column->levels - 1;

    column->level_min = 0;
    column->level_max = top;
    if (dice_chance(dice, 10))
        column->level_max = dice_between(dice, 0, top);
    if (dice_chance(dice, 10))
        column->level_min = dice_between(dice, 0, column->level_max);
}

static void random_quasi_identifier(struct sample *sample, struct random *dice,
                                    struct oracle_column *column, bool plain)
{
    static const double weight[] = {0, 0, 0.5, 1, 2, 3.7, 1e-3};

    column->role = ROLE_QUASI_IDENTIFYING;
    column->weight = 1;
    column->levels = 2;
    if (dice_chance(dice, 75))
        random_hierarchy(sample, dice, column, plain);
    random_levels(dice, column);
    if (dice_chance(dice, 25))
        column->weight = weight[dice_below(dice, 7)];
}

/* With an order or without. */
static void random_sensitive_column(struct sample *sample, struct random *dice,
                                    struct oracle_column *column, bool plain)
{
    static const enum value_type types[] = {TYPE_STRING,  TYPE_STRING,
                                            TYPE_INTEGER, TYPE_DECIMAL,
                                            TYPE_ORDINAL, TYPE_ORDINAL};

    column->type = types[dice_below(dice, 6)];
    if (column->type == TYPE_ORDINAL)
        random_hierarchy(sample, dice, column, plain);
}

static void add_column(struct sample *sample, struct random *dice, bool plain,
                       enum role role)
{
    size_t at = sample->task.column_count++;
    struct oracle_column *column = &sample->column[at];

    assert(at < SAMPLE_COLUMNS_MAX);
    column->role = role;
    column->weight = 1;
    column->name = random_text(sample, dice, "c", at, plain);
    if (role == ROLE_QUASI_IDENTIFYING)
        random_quasi_identifier(sample, dice, column, plain);
    if (role == ROLE_SENSITIVE)
        random_sensitive_column(sample, dice, column, plain);
}

static double lattice_size(const struct sample *sample)
{
    double size = 1;

    for (size_t i = 0; i < sample->task.column_count; i++)
        if (sample->column[i].role == ROLE_QUASI_IDENTIFYING)
            size *= (double)(sample->column[i].level_max -
                             sample->column[i].level_min + 1);
    return size;
}

static void random_columns(struct sample *sample, struct random *dice,
                           bool plain)
{
    size_t quasi_identifiers = dice_between(dice, 2, 5);
    size_t sensitive = dice_between(dice, 1, 2);

    for (size_t i = 0; i < quasi_identifiers; i++) {
        add_column(sample, dice, plain, ROLE_QUASI_IDENTIFYING);
        if (i >= 2 && lattice_size(sample) * (double)sample->task.row_count >
                          SAMPLE_WORK_MAX) {
            sample->task.column_count--;
            memset(&sample->column[sample->task.column_count], 0,
                   sizeof sample->column[0]);
            break;
        }
    }
    for (size_t i = 0; i < sensitive; i++)
        add_column(sample, dice, plain, ROLE_SENSITIVE);
    if (dice_chance(dice, 50))
        add_column(sample, dice, plain, ROLE_INSENSITIVE);
    if (dice_chance(dice, 30))
        add_column(sample, dice, plain, ROLE_IDENTIFYING);
    if (dice_chance(dice, 30))
        add_column(sample, dice, plain, ROLE_SUBJECT);
    random_shuffle(dice, sample->column, sample->task.column_count,
                   sizeof sample->column[0]);
    for (size_t i = 0; i < sample->task.column_count; i++) {
        sample->unlisted[i] =
            sample->column[i].role == ROLE_IDENTIFYING && dice_chance(dice, 30);
        sample->any_unlisted = sample->any_unlisted || sample->unlisted[i];
    }
}

/* ---- cells ---- */

/* One of `count`, the first ones more often. */
static size_t skewed(struct random *dice, size_t count)
{
    return dice_below(dice, dice_between(dice, 1, count));
}

static bool is_token(const struct sample *sample, const char *value)
{
    for (size_t i = 0; i < sample->task.missing_count; i++)
        if (strcmp(value, sample->missing[i]) == 0)
            return true;
    return false;
}

static const char *random_cell(struct sample *sample, struct random *dice,
                               size_t row, size_t at, size_t variety,
                               bool plain)
{
    const struct oracle_column *column = &sample->column[at];
    const char *value;

    if (column->role == ROLE_SUBJECT)
        return random_text(sample, dice, "p", row, plain);
    if (column->role == ROLE_INSENSITIVE || column->role == ROLE_IDENTIFYING)
        return random_text(sample, dice, "i", dice_below(dice, 100), plain);
    if (column->type == TYPE_INTEGER)
        return sample_format(sample, "%d", 3 - 5 * (int)skewed(dice, variety));
    if (column->type == TYPE_DECIMAL)
        return sample_format(sample, "%s%zu.%s", at % 2 ? "" : "-",
                             skewed(dice, variety),
                             dice_chance(dice, 80) ? "5" : "50");
    if (column->domain == NULL) {
        if (dice_chance(dice, 8))
            return token[dice_below(dice, 4)];
        if (column->role == ROLE_QUASI_IDENTIFYING && dice_chance(dice, 1))
            return "*";
        return sample_format(sample, "%s%zu", at % 2 ? "f" : "\xc3\xbc;",
                             skewed(dice, variety));
    }
    value = column->domain[skewed(dice, variety) % column->domain_rows *
                           column->levels];
    if (is_token(sample, value))
        return sample->missing[dice_below(dice, sample->task.missing_count)];
    return value;
}

static void random_cells(struct sample *sample, struct random *dice, bool plain)
{
    size_t rows = sample->task.row_count, columns = sample->task.column_count;
    size_t variety[SAMPLE_COLUMNS_MAX];

    sample->task.cell = sample_allocate(sample, rows * columns, sizeof(char *));
    for (size_t i = 0; i < columns; i++)
        variety[i] = sample->column[i].domain != NULL
                         ? dice_between(dice, 1, sample->column[i].domain_rows)
                         : dice_between(dice, 1, 5);
    for (size_t row = 0; row < rows; row++)
        for (size_t i = 0; i < columns; i++)
            sample->task.cell[row * columns + i] =
                random_cell(sample, dice, row, i, variety[i], plain);
    /* Some rows all alike in their quasi-identifiers. */
    for (size_t row = 1; row < rows; row++)
        for (size_t i = 0; dice_chance(dice, 60) && i < columns; i++)
            if (sample->column[i].role == ROLE_QUASI_IDENTIFYING)
                sample->task.cell[row * columns + i] =
                    sample->task.cell[(row - 1) * columns + i];
}

/* ---- the subset ---- */

/* Which rows, by a rule or any; at least one. */
static void choose_members(struct sample *sample, struct random *dice,
                           size_t rows)
{
    size_t step = dice_between(dice, 1, 5), from = dice_below(dice, step);
    unsigned chance = (unsigned)dice_between(dice, 5, 95);
    size_t count = 0;

    sample->subset_header = dice_chance(dice, 50);
    if (from < rows && dice_chance(dice, 50))
        sample->subset =
            dice_chance(dice, 50)
                ? sample_format(sample, "i %% %zu == %zu", step, from)
                : sample_format(sample,
                                "not (i - %zu) %% %zu != 0 and i / 1 == i",
                                from, step);
    for (size_t row = 0; row < rows; row++) {
        sample->member[row] = sample->subset != NULL
                                  ? row % step == from
                                  : dice_chance(dice, chance);
        count += sample->member[row];
    }
    if (count == 0)
        sample->member[dice_below(dice, rows)] = true;
}

/* A missing value that an attribute without a hierarchy has is written as the
 * first of the file is: here they are not outside, so that the first of the
 * subset is the first. */
static void forget_missing_outside(struct sample *sample, const char **cell)
{
    for (size_t i = 0; i < sample->task.column_count; i++)
        if (sample->column[i].role == ROLE_QUASI_IDENTIFYING &&
            sample->column[i].domain == NULL && is_token(sample, cell[i]))
            cell[i] = "outside";
}

/* The task has the rows of the subset first, the file has them anywhere. */
static void random_subset(struct sample *sample, struct random *dice)
{
    struct oracle_task *task = &sample->task;
    size_t rows = task->row_count, columns = task->column_count, inside = 0;
    const char **cell, **outside;

    sample->member = sample_allocate(sample, rows, sizeof(bool));
    memset(sample->member, true, rows);
    if (!dice_chance(dice, 40))
        return;
    sample->has_subset = true;
    choose_members(sample, dice, rows);
    cell = sample_allocate(sample, rows * columns, sizeof(char *));
    for (size_t row = 0; row < rows; row++)
        inside += sample->member[row];
    task->row_count = inside;
    task->outside_count = rows - inside;
    outside = cell + inside * columns;
    inside = 0;
    for (size_t row = 0; row < rows; row++) {
        const char **to =
            sample->member[row] ? cell + inside++ * columns : outside;

        memcpy(to, task->cell + row * columns, columns * sizeof *to);
        if (sample->member[row])
            continue;
        forget_missing_outside(sample, to);
        outside += columns;
    }
    task->cell = cell;
}

/* ---- what is asked for ---- */

static size_t random_sensitive(const struct sample *sample, struct random *dice)
{
    size_t at;

    do
        at = dice_below(dice, sample->task.column_count);
    while (sample->column[at].role != ROLE_SENSITIVE);
    return at;
}

/* Just beside a figure, or on it. */
static double nudged(struct random *dice, double figure)
{
    static const double nudge[] = {-1e-4, -1e-6, 0, 0, 1e-6, 1e-4};

    return figure * (1 + nudge[dice_below(dice, 6)]);
}

static void levels_of_group(struct sample *sample, struct random *dice,
                            size_t *level)
{
    size_t count = 0;

    for (size_t i = 0; i < sample->task.column_count; i++)
        if (sample->column[i].role == ROLE_QUASI_IDENTIFYING)
            level[count++] = dice_between(dice, sample->column[i].level_min,
                                          sample->column[i].level_max);
}

/* An l at the very edge of what some group has. */
static double narrow_entropy_l(struct sample *sample, struct random *dice,
                               const struct oracle_model *model)
{
    struct oracle *oracle = oracle_create(&sample->task);
    size_t level[ORACLE_QI_MAX];
    double l;

    levels_of_group(sample, dice, level);
    l = oracle_entropy_l(oracle, level,
                         dice_below(dice, sample->task.row_count),
                         model->column, model->estimator);
    oracle_destroy(&oracle);
    return fmax(1, nudged(dice, l));
}

/* A distance at the very edge of what some group has. */
static double narrow_distance(struct sample *sample, struct random *dice,
                              const struct oracle_model *model)
{
    struct oracle *oracle = oracle_create(&sample->task);
    size_t level[ORACLE_QI_MAX];
    double distance;

    levels_of_group(sample, dice, level);
    distance = oracle_group_distance(
        oracle, level, dice_below(dice, sample->task.row_count), model);
    oracle_destroy(&oracle);
    return distance;
}

/* Has each value a place in an order?  Bytes have, unless they are missing. */
static bool is_ordered(const struct sample *sample, size_t column)
{
    if (sample->column[column].type != TYPE_STRING)
        return true;
    for (size_t row = 0; row < sample->task.row_count; row++)
        if (is_token(
                sample,
                sample->task.cell[row * sample->task.column_count + column]))
            return false;
    return true;
}

/* A hierarchy with one root? */
static bool has_tree(const struct oracle_column *column)
{
    for (size_t row = 0; row < column->domain_rows; row++)
        if (strcmp(column->domain[(row + 1) * column->levels - 1],
                   column->domain[column->levels - 1]) != 0)
            return false;
    return column->domain != NULL;
}

static void random_closeness(struct sample *sample, struct random *dice,
                             struct oracle_model *model)
{
    static const double t[] = {0, 0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1};

    model->model = MODEL_T_CLOSENESS_EQUAL;
    if (is_ordered(sample, model->column) && dice_chance(dice, 60))
        model->model = MODEL_T_CLOSENESS_ORDERED;
    if (has_tree(&sample->column[model->column]) && dice_chance(dice, 60))
        model->model = MODEL_T_CLOSENESS_HIERARCHICAL;
    model->t = t[dice_below(dice, 9)];
    if (dice_chance(dice, 40))
        model->t = fmin(1, nudged(dice, narrow_distance(sample, dice, model)));
}

static void random_disclosure(struct sample *sample, struct random *dice,
                              struct oracle_model *model)
{
    static const double delta[] = {0.1, 0.5, 1, 1, 1.5, 2, 2, 3, 5};

    model->model = MODEL_DELTA_DISCLOSURE;
    model->delta = delta[dice_below(dice, 9)];
    if (dice_chance(dice, 40))
        model->delta =
            fmax(1e-9, nudged(dice, narrow_distance(sample, dice, model)));
}

static void random_likeness(struct sample *sample, struct random *dice,
                            struct oracle_model *model)
{
    static const double beta[] = {0.1, 0.5, 0.5, 1, 1, 1.5, 2, 3, 5};

    model->model = dice_chance(dice, 50) ? MODEL_BASIC_BETA_LIKENESS
                                         : MODEL_ENHANCED_BETA_LIKENESS;
    model->beta = beta[dice_below(dice, 9)];
    if (dice_chance(dice, 40))
        model->beta =
            fmax(1e-9, nudged(dice, narrow_distance(sample, dice, model)));
}

static void random_map(struct sample *sample, struct random *dice,
                       struct oracle_model *model)
{
    static const double significance[] = {0.5, 0.2, 0.1, 0.05, 0.01, 1e-4};
    size_t rows = sample->task.row_count;

    model->model = MODEL_K_MAP;
    model->k = (uint32_t)dice_between(dice, 1, dice_between(dice, 2, 12));
    model->map = K_MAP_SUBSET;
    if (sample->has_subset && dice_chance(dice, 60))
        return;
    model->map =
        dice_chance(dice, 50) ? K_MAP_POISSON : K_MAP_ZERO_TRUNCATED_POISSON;
    model->significance = significance[dice_below(dice, 6)];
    model->population = (double)(rows + dice_below(dice, 1 + 5 * rows));
}

/* Bounds at the very edge of what classes have, since shares are of few
 * rows. */
static void random_presence(struct random *dice, struct oracle_model *model)
{
    static const double share[] = {0,       0.1, 0.2,     0.25,
                                   1.0 / 3, 0.5, 2.0 / 3, 0.75};

    model->model = MODEL_DELTA_PRESENCE;
    model->min = dice_chance(dice, 60) ? 0 : share[dice_below(dice, 6)];
    model->max = dice_chance(dice, 20) ? 1 : share[dice_below(dice, 8)];
    if (model->max < model->min)
        model->max = 1;
}

/* Shares that a few of the rows make, or their like. */
static double random_share(struct sample *sample, struct random *dice)
{
    size_t rows = sample->task.row_count;

    if (dice_chance(dice, 30))
        return random_double(dice);
    return (double)dice_between(dice, 1, rows) /
           (double)dice_between(dice, rows, 4 * rows);
}

static void random_sample_model(struct sample *sample, struct random *dice,
                                struct oracle_model *model)
{
    static const double highest_risk[] = {0.2,   0.25, 0.3, 1.0 / 3,
                                          0.335, 0.5,  0.7, 1};

    model->model = (enum privacy_model)dice_between(
        dice, MODEL_AVERAGE_RISK, MODEL_POPULATION_UNIQUENESS);
    model->threshold = fmax(1e-9, random_share(sample, dice));
    if (model->model == MODEL_AVERAGE_RISK && dice_chance(dice, 50)) {
        model->highest_risk = highest_risk[dice_below(dice, 8)];
        model->records_at_risk = random_share(sample, dice);
    }
    if (model->model != MODEL_POPULATION_UNIQUENESS)
        return;
    model->population_estimator = (enum population_estimator)dice_between(
        dice, POPULATION_PITMAN, POPULATION_DANKAR);
    model->population =
        (double)(sample->task.row_count * dice_between(dice, 1, 12));
    if (dice_chance(dice, 50))
        model->threshold /= 10;
}

static void random_model(struct sample *sample, struct random *dice,
                         struct oracle_model *model)
{
    static const double entropy_l[] = {1, 1.2, 1.5, 1.7, 1.9, 2, 2.5, 3};
    static const double recursive_c[] = {0.3, 1, 1, 1.5, 2, 3, 3, 10, 10};

    memset(model, 0, sizeof *model);
    if (sample->has_subset && dice_chance(dice, 40)) {
        random_presence(dice, model);
        return;
    }
    if (dice_chance(dice, sample->has_subset ? 50 : 15)) {
        random_map(sample, dice, model);
        return;
    }
    if (dice_chance(dice, 40)) {
        model->model = MODEL_K_ANONYMITY;
        model->k = (uint32_t)dice_between(dice, 1, dice_between(dice, 2, 7));
        return;
    }
    /* The oracle does not know where rows outside a subset stand, which breaks
     * ties between groups that are to go. */
    if (!sample->has_subset && dice_chance(dice, 25)) {
        random_sample_model(sample, dice, model);
        return;
    }
    model->column = random_sensitive(sample, dice);
    if (dice_chance(dice, 20)) {
        random_disclosure(sample, dice, model);
        return;
    }
    if (dice_chance(dice, 30)) {
        random_likeness(sample, dice, model);
        return;
    }
    if (dice_chance(dice, 50)) {
        random_closeness(sample, dice, model);
        return;
    }
    switch (dice_below(dice, 4)) {
    case 0:
        model->model = MODEL_DISTINCT_L_DIVERSITY;
        model->l = (double)dice_between(dice, 1, dice_between(dice, 2, 4));
        break;
    case 1:
    case 2:
        model->model = MODEL_ENTROPY_L_DIVERSITY;
        model->l = entropy_l[dice_below(dice, 8)];
        model->estimator =
            dice_chance(dice, 50) ? ESTIMATOR_SHANNON : ESTIMATOR_GRASSBERGER;
        if (dice_chance(dice, 40))
            model->l = narrow_entropy_l(sample, dice, model);
        break;
    default:
        model->model = MODEL_RECURSIVE_CL_DIVERSITY;
        model->l = (double)dice_between(dice, 1, 3);
        model->c = recursive_c[dice_below(dice, 9)];
    }
}

static double random_limit(struct random *dice)
{
    static const double limit[] = {0,    0,   0.02, 0.05, 0.07, 0.1,
                                   0.29, 0.3, 0.5,  0.57, 1,    1};

    if (dice_chance(dice, 20))
        return random_double(dice);
    return limit[dice_below(dice, 12)];
}

static double random_gs_factor(struct random *dice)
{
    static const double gs_factor[] = {0, 0.25, 0.5, 0.5, 0.75, 0.9, 1};

    if (dice_chance(dice, 20))
        return random_double(dice);
    return gs_factor[dice_below(dice, 7)];
}

/* A metric with all that it takes; what it does not take is not named. */
static void random_quality(struct sample *sample, struct random *dice)
{
    struct oracle_task *task = &sample->task;
    enum gs_range range;

    task->metric = dice_chance(dice, 30)
                       ? METRIC_LOSS
                       : (enum quality_metric)dice_below(
                             dice, (size_t)METRIC_AMBIGUITY + 1);
    task->aggregate = quality_metric_aggregate(task->metric);
    range = quality_metric_gs(task->metric);
    task->gs_factor = 0.5;
    sample->aggregate_named =
        task->aggregate != AGGREGATE_NONE && dice_chance(dice, 90);
    if (sample->aggregate_named)
        task->aggregate = (enum aggregate)dice_below(dice, AGGREGATE_NONE);
    sample->gs_factor_named = range != GS_NONE && dice_chance(dice, 70);
    if (sample->gs_factor_named)
        do
            task->gs_factor = random_gs_factor(dice);
        while (range == GS_INNER &&
               (task->gs_factor == 0 || task->gs_factor == 1));
    for (size_t i = 0; i < task->column_count; i++)
        if (task->aggregate == AGGREGATE_NONE)
            task->column[i].weight = 1;
}

static void random_demands(struct sample *sample, struct random *dice)
{
    struct oracle_task *task = &sample->task;

    task->model = sample->model;
    task->model_count = dice_chance(dice, 50) ? 1 : dice_between(dice, 2, 4);
    for (size_t i = 0; i < task->model_count; i++)
        random_model(sample, dice, &sample->model[i]);
    task->suppression_limit = random_limit(dice);
    task->drop_suppressed = dice_chance(dice, 30);
    random_quality(sample, dice);
}

/* ---- how it is written ---- */

/* A hierarchy's delimiter is a semicolon wherever its first line has one. */
static char random_hierarchy_delimiter(struct random *dice,
                                       const struct oracle_column *column)
{
    if (column->domain == NULL || dice_chance(dice, 60))
        return ';';
    for (size_t level = 0; level < column->levels; level++)
        if (strchr(column->domain[level], ';') != NULL)
            return ';';
    return ',';
}

static void random_manner(struct sample *sample, struct random *dice)
{
    size_t columns = sample->task.column_count;

    for (size_t i = 0; i < columns; i++) {
        sample->hierarchy_delimiter[i] =
            random_hierarchy_delimiter(dice, &sample->column[i]);
        sample->policy_order[i] = i;
    }
    random_shuffle(dice, sample->policy_order, columns,
                   sizeof sample->policy_order[0]);
    sample->delimiter = ";,\t|"[dice_below(dice, 4)];
    sample->delimiter_named = dice_chance(dice, 30);
    sample->newline = dice_chance(dice, 30) ? "\r\n" : "\n";
    sample->byte_order_mark = dice_chance(dice, 15);
    sample->last_newline = dice_chance(dice, 80);
    sample->no_recheck = dice_chance(dice, 30);
    sample->quotes_seed = random_next(dice);
}

void sample_init(struct sample *sample, uint64_t seed, uint64_t number)
{
    struct random dice;
    bool plain;

    memset(sample, 0, sizeof *sample);
    random_init(&dice, seed);
    random_init(&dice, random_next(&dice) ^ number);
    plain = dice_chance(&dice, 40);
    sample->task.column = sample->column;
    sample->task.missing = sample->missing;
    sample->task.missing_count = dice_below(&dice, 5);
    for (size_t i = 0; i < sample->task.missing_count; i++)
        sample->missing[i] = token[(i + number) % 4];
    /* Over 100 rows are needed for Grassberger's series. */
    sample->task.row_count = dice_chance(&dice, 6)
                                 ? dice_between(&dice, 150, 500)
                                 : dice_between(&dice, 1, 60);
    random_columns(sample, &dice, plain);
    random_cells(sample, &dice, plain);
    random_subset(sample, &dice);
    random_demands(sample, &dice);
    random_manner(sample, &dice);
}

void sample_remove_row(struct sample *sample, size_t row)
{
    size_t columns = sample->task.column_count;
    size_t rows = sample->task.row_count + sample->task.outside_count;
    const char **cell = sample->task.cell + row * columns;
    size_t at = 0, before = 0;

    assert(row < sample->task.row_count);
    memmove(cell, cell + columns, (rows - row - 1) * columns * sizeof *cell);
    while (!sample->member[at] || before < row)
        before += sample->member[at++];
    memmove(sample->member + at, sample->member + at + 1, rows - at - 1);
    sample->subset = NULL;
    sample->task.row_count--;
}
