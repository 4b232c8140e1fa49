#include "tests/lib/oracle.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Euler's constant and ln 2, to more digits than a double has. */
#define EULER_GAMMA 0.57721566490153286060651209008
#define LN_2 0.69314718055994530941723212146

/* A quasi-identifier: its domain, and where the rows of the table are in it. */
struct dimension {
    size_t column;
    size_t rows, levels;
    const char **label; /* label[level * rows + row] */
    size_t *leaves;     /* how many rows of the domain have that label there */
    size_t *place;      /* of each row of the table: its row of the domain */
    double weight;      /* divided by the largest */
};

struct oracle {
    const struct oracle_task *task;
    struct dimension dimension[ORACLE_QI_MAX];
    size_t dimension_count;
};

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count > 0 ? count : 1, size);

    if (memory == NULL)
        abort();
    return memory;
}

static bool is_missing(const struct oracle_task *task, const char *value)
{
    for (size_t i = 0; i < task->missing_count; i++)
        if (strcmp(task->missing[i], value) == 0)
            return true;
    return false;
}

/* Equal as a value: all missing tokens are one. */
static const char *plain_value(const struct oracle_task *task,
                               const char *value)
{
    return is_missing(task, value) ? task->missing[0] : value;
}

static const char *task_cell(const struct oracle_task *task, size_t row,
                             size_t column)
{
    return task->cell[row * task->column_count + column];
}

/* ---- domains ---- */

/* Row of the domain for a value: where it stands; for a missing one where any
 * of the tokens stands. */
static size_t find_place(const struct oracle_task *task,
                         const struct dimension *dimension, const char *value)
{
    for (size_t row = 0; row < dimension->rows; row++)
        if (strcmp(dimension->label[row], value) == 0)
            return row;
    for (size_t row = 0; is_missing(task, value) && row < dimension->rows;
         row++)
        if (is_missing(task, dimension->label[row]))
            return row;
    abort();
}

static void fill_from_hierarchy(struct dimension *dimension,
                                const struct oracle_column *column)
{
    dimension->rows = column->domain_rows;
    dimension->levels = column->levels;
    dimension->label =
        allocate(dimension->rows * dimension->levels, sizeof(char *));
    for (size_t level = 0; level < dimension->levels; level++)
        for (size_t row = 0; row < dimension->rows; row++)
            dimension->label[level * dimension->rows + row] =
                column->domain[row * dimension->levels + level];
}

/* The distinct values of the column, and `*`. */
static void fill_from_table(struct dimension *dimension,
                            const struct oracle_task *task)
{
    const char **value = allocate(task->row_count, sizeof(char *));
    size_t count = 0;

    for (size_t row = 0; row < task->row_count; row++) {
        const char *cell = task_cell(task, row, dimension->column);
        bool known = false;

        for (size_t i = 0; i < count && !known; i++)
            known = strcmp(plain_value(task, value[i]),
                           plain_value(task, cell)) == 0;
        if (!known)
            value[count++] = cell;
    }
    dimension->rows = count;
    dimension->levels = 2;
    dimension->label = allocate(count * 2, sizeof(char *));
    for (size_t i = 0; i < count; i++) {
        dimension->label[i] = value[i];
        dimension->label[count + i] = "*";
    }
    free(value);
}

static void count_leaves(struct dimension *dimension)
{
    size_t rows = dimension->rows;

    dimension->leaves = allocate(rows * dimension->levels, sizeof(size_t));
    for (size_t level = 0; level < dimension->levels; level++)
        for (size_t row = 0; row < rows; row++)
            for (size_t other = 0; other < rows; other++)
                if (strcmp(dimension->label[level * rows + row],
                           dimension->label[level * rows + other]) == 0)
                    dimension->leaves[level * rows + row]++;
}

static void scale_weights(struct oracle *oracle)
{
    double largest = 0;

    for (size_t d = 0; d < oracle->dimension_count; d++)
        largest = fmax(largest, oracle->dimension[d].weight);
    for (size_t d = 0; d < oracle->dimension_count; d++)
        oracle->dimension[d].weight =
            largest > 0 ? oracle->dimension[d].weight / largest : 1;
}

struct oracle *oracle_create(const struct oracle_task *task)
{
    struct oracle *oracle = allocate(1, sizeof *oracle);

    oracle->task = task;
    for (size_t i = 0; i < task->column_count; i++) {
        const struct oracle_column *column = &task->column[i];
        struct dimension *dimension;

        if (column->role != ROLE_QUASI_IDENTIFYING)
            continue;
        assert(oracle->dimension_count < ORACLE_QI_MAX);
        dimension = &oracle->dimension[oracle->dimension_count++];
        dimension->column = i;
        dimension->weight = column->weight;
        if (column->domain != NULL)
            fill_from_hierarchy(dimension, column);
        else
            fill_from_table(dimension, task);
        count_leaves(dimension);
        dimension->place = allocate(task->row_count, sizeof(size_t));
        for (size_t row = 0; row < task->row_count; row++)
            dimension->place[row] =
                find_place(task, dimension, task_cell(task, row, i));
        assert(column->level_min <= column->level_max);
        assert(column->level_max < dimension->levels);
    }
    scale_weights(oracle);
    return oracle;
}

void oracle_destroy(struct oracle **oracle)
{
    if (*oracle == NULL)
        return;
    for (size_t d = 0; d < (*oracle)->dimension_count; d++) {
        free((*oracle)->dimension[d].label);
        free((*oracle)->dimension[d].leaves);
        free((*oracle)->dimension[d].place);
    }
    free(*oracle);
    *oracle = NULL;
}

/* ---- groups ---- */

/* Rows as lists of strings, to be sorted: tuple[row * width + i]. */
struct tuples {
    const char **tuple;
    size_t width;
};

static int compare_tuples(const void *a, const void *b, void *context)
{
    const struct tuples *tuples = context;
    size_t row_a = *(const size_t *)a, row_b = *(const size_t *)b;

    for (size_t i = 0; i < tuples->width; i++) {
        int order = strcmp(tuples->tuple[row_a * tuples->width + i],
                           tuples->tuple[row_b * tuples->width + i]);

        if (order != 0)
            return order;
    }
    return 0;
}

static size_t *sorted_rows(struct tuples *tuples, size_t row_count)
{
    size_t *order = allocate(row_count, sizeof(size_t));

    for (size_t row = 0; row < row_count; row++)
        order[row] = row;
    qsort_r(order, row_count, sizeof(size_t), compare_tuples, tuples);
    return order;
}

/* One past the last position of the group that begins at `from`. */
static size_t group_end(struct tuples *tuples, const size_t *order, size_t from,
                        size_t row_count)
{
    size_t to = from + 1;

    while (to < row_count &&
           compare_tuples(&order[from], &order[to], tuples) == 0)
        to++;
    return to;
}

static bool all_stars(const struct tuples *tuples, size_t row)
{
    for (size_t i = 0; i < tuples->width; i++)
        if (strcmp(tuples->tuple[row * tuples->width + i], "*") != 0)
            return false;
    return true;
}

static void add_class(struct oracle_figures *figures, size_t size)
{
    if (figures->count == 0 || size < figures->min)
        figures->min = size;
    if (size > figures->max)
        figures->max = size;
    if (size == 1)
        figures->uniques++;
    figures->count++;
}

/* ---- models ---- */

static int compare_strings(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int compare_descending(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;

    return (x < y) - (x > y);
}

/* How often each value of a column stands in some rows, the largest count
 * first; returns how many values there are. */
static size_t count_values(const struct oracle_task *task, size_t column,
                           const size_t *row, size_t row_count, size_t *count)
{
    const char **value = allocate(row_count, sizeof(char *));
    size_t distinct = 0;

    for (size_t i = 0; i < row_count; i++)
        value[i] = plain_value(task, task_cell(task, row[i], column));
    qsort(value, row_count, sizeof(char *), compare_strings);
    for (size_t i = 0; i < row_count; i++) {
        if (i == 0 || strcmp(value[i - 1], value[i]) != 0)
            count[distinct++] = 0;
        count[distinct - 1]++;
    }
    qsort(count, distinct, sizeof(size_t), compare_descending);
    free(value);
    return distinct;
}

/* Grassberger's G, which stands for ln n in his entropy estimator ("Entropy
 * estimates from insufficient samplings", arXiv:physics/0307138): exact by its
 * recursion G(2i) = G(2i - 2) + 2 / (2i - 1), G(2i + 1) = G(2i), up to 100, and
 * by its asymptotic series above. */
static double grassberger(size_t n)
{
    double even, m;

    if (n <= 100) {
        /* Rounded as docs/privacy.md says: from 2 - gamma - ln 2 upwards. */
        double g = n == 1 ? -EULER_GAMMA - LN_2 : 2 - EULER_GAMMA - LN_2;

        for (size_t i = 2; i <= n / 2; i++)
            g += 2.0 / (double)(2 * i - 1);
        return g;
    }
    even = (double)(n - n % 2);
    m = 1 / ((even / 2) * (even / 2));
    return log(even) + m * (1.0 / 24 - m * (7.0 / 960 - m * (31.0 / 8064)));
}

static double logarithm(enum entropy_estimator estimator, size_t n)
{
    return estimator == ESTIMATOR_GRASSBERGER ? grassberger(n) : log((double)n);
}

static double entropy_sum(enum entropy_estimator estimator, const size_t *count,
                          size_t distinct)
{
    double sum = 0;

    for (size_t i = 0; i < distinct; i++)
        sum += (double)count[i] * logarithm(estimator, count[i]);
    return sum;
}

static bool is_entropy_diverse(const struct oracle_model *model,
                               const size_t *count, size_t distinct,
                               size_t size)
{
    if ((double)distinct < ceil(model->l))
        return false;
    return (double)size * (logarithm(model->estimator, size) - log(model->l)) >=
           entropy_sum(model->estimator, count, distinct);
}

static bool is_recursive_diverse(const struct oracle_model *model,
                                 const size_t *count, size_t distinct)
{
    size_t tail = 0;

    if ((double)distinct < model->l)
        return false;
    for (size_t i = (size_t)model->l - 1; i < distinct; i++)
        tail += count[i];
    return (double)count[0] < model->c * (double)tail;
}

/* ---- models that compare with the whole table ---- */

/* Rows of a list (NULL: of the whole table) with this value. */
static size_t count_value(const struct oracle_task *task, size_t column,
                          const size_t *row, size_t row_count,
                          const char *value)
{
    size_t count = 0;

    for (size_t i = 0; i < row_count; i++)
        if (strcmp(plain_value(
                       task, task_cell(task, row == NULL ? i : row[i], column)),
                   value) == 0)
            count++;
    return count;
}

/* The distinct values of a column of the whole table, in order of their
 * bytes. */
static const char **all_values(const struct oracle_task *task, size_t column,
                               size_t *count)
{
    const char **value = allocate(task->row_count, sizeof(char *));

    *count = 0;
    for (size_t i = 0; i < task->row_count; i++)
        value[i] = plain_value(task, task_cell(task, i, column));
    qsort(value, task->row_count, sizeof(char *), compare_strings);
    for (size_t i = 0; i < task->row_count; i++)
        if (i == 0 || strcmp(value[*count - 1], value[i]) != 0)
            value[(*count)++] = value[i];
    return value;
}

/* Row of the domain that a value has, by itself or as a missing one. */
static size_t domain_row(const struct oracle_task *task, size_t column,
                         const char *value)
{
    const struct oracle_column *of = &task->column[column];

    for (size_t row = 0; row < of->domain_rows; row++)
        if (strcmp(plain_value(task, of->domain[row * of->levels]), value) == 0)
            return row;
    abort();
}

/* Is value a before value b? */
static bool is_before(const struct oracle_task *task, size_t column,
                      const char *a, const char *b)
{
    enum value_type type = task->column[column].type;

    if (type == TYPE_ORDINAL)
        return domain_row(task, column, a) < domain_row(task, column, b);
    if ((type == TYPE_INTEGER || type == TYPE_DECIMAL) &&
        strtod(a, NULL) != strtod(b, NULL))
        return strtod(a, NULL) < strtod(b, NULL);
    return strcmp(a, b) < 0;
}

/* By taking the first of what is left, again and again. */
static void sort_values(const struct oracle_task *task, size_t column,
                        const char **value, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = i + 1; j < count; j++)
            if (is_before(task, column, value[j], value[i])) {
                const char *moving = value[i];

                value[i] = value[j];
                value[j] = moving;
            }
}

/* (q - P) N c of each value: whole numbers, exact for what tests hold. */
static double *differences(const struct oracle_task *task, size_t column,
                           const size_t *row, size_t size,
                           const char *const *value, size_t count)
{
    double *difference = allocate(count, sizeof(double));

    for (size_t i = 0; i < count; i++)
        difference[i] =
            (double)(task->row_count *
                     count_value(task, column, row, size, value[i])) -
            (double)(size * count_value(task, column, NULL, task->row_count,
                                        value[i]));
    return difference;
}

/* 1/2 sum |d_i| */
static double equal_distance(const double *difference, size_t count)
{
    double sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += fabs(difference[i]);
    return sum / 2;
}

/* sum |d_1 + ... + d_i|: what is carried from each value to the next. */
static double steps_distance(const double *difference, size_t count)
{
    double carried = 0, sum = 0;

    for (size_t i = 0; i < count; i++) {
        carried += difference[i];
        sum += fabs(carried);
    }
    return sum;
}

/* The label of a value at a level of its column's domain. */
static const char *label_of(const struct oracle_task *task, size_t column,
                            const char *value, size_t level)
{
    return task->column[column]
        .domain[domain_row(task, column, value) * task->column[column].levels +
                level];
}

/* Below the node over `value[of]` at this level: sums of what its children have
 * too much and too little; returns the level's number times what meets there,
 * and the same of all nodes below.  *extra is what goes on upwards. */
static double meet(const struct oracle_task *task, size_t column,
                   const char *const *value, const double *difference,
                   size_t count, size_t of, size_t level, double *extra)
{
    const char *label = label_of(task, column, value[of], level);
    bool *done = allocate(count, sizeof(bool));
    double gains = 0, losses = 0, sum = 0;

    *extra = difference[of];
    for (size_t i = 0; level > 0 && i < count; i++) {
        const char *child = label_of(task, column, value[i], level - 1);
        double below;

        if (done[i] ||
            strcmp(label_of(task, column, value[i], level), label) != 0)
            continue;
        for (size_t j = i; j < count; j++)
            done[j] =
                done[j] ||
                strcmp(label_of(task, column, value[j], level - 1), child) == 0;
        sum +=
            meet(task, column, value, difference, count, i, level - 1, &below);
        gains += fmax(below, 0);
        losses += fmax(-below, 0);
        *extra = gains - losses;
    }
    free(done);
    return sum + (double)level * fmin(gains, losses);
}

/* The mean of j / h times what meets at level j, in a tree. */
static double tree_distance(const struct oracle_task *task, size_t column,
                            const char *const *value, const double *difference,
                            size_t count, double unit)
{
    size_t height = task->column[column].levels - 1;
    double extra;

    if (height == 0)
        return 0;
    return meet(task, column, value, difference, count, 0, height, &extra) /
           ((double)height * unit);
}

/* The largest |log2(q / P)| of the values that some rows have. */
static double largest_change(const struct oracle_task *task,
                             const struct oracle_model *model,
                             const size_t *row, size_t size)
{
    size_t count;
    const char **value = all_values(task, model->column, &count);
    double largest = 0;

    for (size_t i = 0; i < count; i++) {
        size_t here = count_value(task, model->column, row, size, value[i]);
        size_t whole =
            count_value(task, model->column, NULL, task->row_count, value[i]);

        if (here > 0)
            largest = fmax(largest, fabs(log2((double)(here * task->row_count) /
                                              (double)(whole * size))));
    }
    free(value);
    return largest;
}

/* Is the growth of each value's share at most beta, and if enhanced, at most
 * -ln P?  *largest is the largest growth. */
static bool is_like(const struct oracle_task *task,
                    const struct oracle_model *model, const size_t *row,
                    size_t size, double *largest)
{
    size_t count;
    const char **value = all_values(task, model->column, &count);
    double *difference =
        differences(task, model->column, row, size, value, count);
    bool like = true;

    *largest = 0;
    for (size_t i = 0; i < count; i++) {
        size_t whole =
            count_value(task, model->column, NULL, task->row_count, value[i]);
        double growth = difference[i] / (double)(whole * size);
        double share = (double)whole / (double)task->row_count;

        if (growth > 0 && (growth > model->beta ||
                           (model->model == MODEL_ENHANCED_BETA_LIKENESS &&
                            growth > -log(share))))
            like = false;
        *largest = fmax(*largest, growth);
    }
    free(value);
    free(difference);
    return like;
}

/* How far some rows are from the whole table. */
static double distance_of(const struct oracle_task *task,
                          const struct oracle_model *model, const size_t *row,
                          size_t size)
{
    bool in_order = model->model == MODEL_T_CLOSENESS_ORDERED;
    size_t count, unit = task->row_count * size;
    const char **value = all_values(task, model->column, &count);
    double *difference, distance;

    if (in_order)
        sort_values(task, model->column, value, count);
    difference = differences(task, model->column, row, size, value, count);
    if (in_order)
        distance = count == 1 ? 0
                              : steps_distance(difference, count) /
                                    (double)((count - 1) * unit);
    else if (model->model == MODEL_T_CLOSENESS_HIERARCHICAL)
        distance = tree_distance(task, model->column, value, difference, count,
                                 (double)unit);
    else
        distance = equal_distance(difference, count) / (double)unit;
    free(value);
    free(difference);
    return distance;
}

static bool satisfies(const struct oracle_task *task,
                      const struct oracle_model *model, const size_t *row,
                      size_t size)
{
    size_t *count, distinct;
    double growth;
    bool yes = false;

    if (model->model == MODEL_K_ANONYMITY)
        return size >= model->k;
    if (model->model == MODEL_DELTA_DISCLOSURE)
        return largest_change(task, model, row, size) < model->delta;
    if (model->model >= MODEL_BASIC_BETA_LIKENESS)
        return is_like(task, model, row, size, &growth);
    if (privacy_model_compares(model->model))
        return distance_of(task, model, row, size) <= model->t;
    count = allocate(size, sizeof(size_t));
    distinct = count_values(task, model->column, row, size, count);
    switch (model->model) {
    case MODEL_DISTINCT_L_DIVERSITY:
        yes = (double)distinct >= ceil(model->l);
        break;
    case MODEL_ENTROPY_L_DIVERSITY:
        yes = is_entropy_diverse(model, count, distinct, size);
        break;
    case MODEL_RECURSIVE_CL_DIVERSITY:
        yes = is_recursive_diverse(model, count, distinct);
        break;
    case MODEL_K_ANONYMITY:
    case MODEL_T_CLOSENESS_EQUAL:
    case MODEL_T_CLOSENESS_ORDERED:
    case MODEL_T_CLOSENESS_HIERARCHICAL:
    case MODEL_DELTA_DISCLOSURE:
    case MODEL_BASIC_BETA_LIKENESS:
    case MODEL_ENHANCED_BETA_LIKENESS:
        abort();
    }
    free(count);
    return yes;
}

static bool satisfies_all(const struct oracle_task *task, const size_t *row,
                          size_t size)
{
    for (size_t i = 0; i < task->model_count; i++)
        if (!satisfies(task, &task->model[i], row, size))
            return false;
    return true;
}

/* ---- Loss ---- */

/* Sums over the rows of the table, per quasi-identifier: rows of the domain
 * that the row's label stands for. */
struct loss_sums {
    size_t kept[ORACLE_QI_MAX];
    size_t suppressed[ORACLE_QI_MAX];
};

static double loss_of_dimension(const struct oracle_task *task,
                                const struct dimension *dimension, size_t kept,
                                size_t suppressed, size_t suppressed_rows)
{
    double gs = task->gs_factor;
    double s = gs < 0.5 ? 2 * gs : 1;
    double w = gs <= 0.5 ? 1 : 1 - 2 * (gs - 0.5);
    double n = (double)task->row_count;
    double domain = (double)dimension->rows;
    double share = (double)suppressed;
    double whole = (double)suppressed_rows * domain;
    double raw = w * (double)kept;

    /* Everything times the domain's rows: whole numbers for w = s = 1, so that
     * only the quotient is rounded before it is cut off. */
    if (s == 1)
        raw += whole;
    else
        raw += share + s * (whole - share);
    if (n * domain <= w * n)
        return 0;
    return floor(fmax(0, (raw - w * n) / (n * domain - w * n)) * 1e10) / 1e10;
}

static int compare_doubles_descending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x < y) - (x > y);
}

static void aggregate_score(const struct oracle *oracle,
                            struct oracle_verdict *verdict)
{
    double m = (double)oracle->dimension_count;
    enum aggregate aggregate = oracle->task->aggregate;
    double score = aggregate == AGGREGATE_GEOMETRIC_MEAN ? 1 : 0;

    for (size_t d = 0; d < oracle->dimension_count; d++) {
        double x = verdict->loss[d], a = oracle->dimension[d].weight;

        switch (aggregate) {
        case AGGREGATE_SUM:
            score += a * x;
            break;
        case AGGREGATE_MAXIMUM:
            score = fmax(score, a * x);
            break;
        case AGGREGATE_ARITHMETIC_MEAN:
            score += (x / m) * a;
            break;
        case AGGREGATE_GEOMETRIC_MEAN:
            score *= pow(a * x + 1, 1 / m);
            break;
        case AGGREGATE_RANK:
            verdict->score[d] = a * x;
            break;
        }
    }
    verdict->score_count = 1;
    if (aggregate == AGGREGATE_RANK) {
        verdict->score_count = oracle->dimension_count;
        qsort(verdict->score, verdict->score_count, sizeof(double),
              compare_doubles_descending);
    } else {
        verdict->score[0] =
            aggregate == AGGREGATE_GEOMETRIC_MEAN ? score - 1 : score;
    }
}

/* ---- vectors of levels ---- */

static const char *dimension_label(const struct dimension *dimension,
                                   size_t level, size_t row)
{
    return dimension->label[level * dimension->rows + dimension->place[row]];
}

static struct tuples generalize(const struct oracle *oracle,
                                const size_t *level)
{
    size_t rows = oracle->task->row_count, width = oracle->dimension_count;
    struct tuples tuples = {allocate(rows * width, sizeof(char *)), width};

    for (size_t row = 0; row < rows; row++)
        for (size_t d = 0; d < width; d++)
            tuples.tuple[row * width + d] =
                dimension_label(&oracle->dimension[d], level[d], row);
    return tuples;
}

/* The rows of the group of `row`; returns how many. */
static size_t find_group(const struct oracle *oracle, const size_t *level,
                         size_t row, size_t *member)
{
    struct tuples tuples = generalize(oracle, level);
    size_t size = 0;

    for (size_t other = 0; other < oracle->task->row_count; other++)
        if (compare_tuples(&row, &other, &tuples) == 0)
            member[size++] = other;
    free(tuples.tuple);
    return size;
}

double oracle_entropy_l(const struct oracle *oracle, const size_t *level,
                        size_t row, size_t column,
                        enum entropy_estimator estimator)
{
    const struct oracle_task *task = oracle->task;
    size_t *member = allocate(task->row_count, sizeof(size_t));
    size_t *count = allocate(task->row_count, sizeof(size_t));
    size_t size = find_group(oracle, level, row, member);
    size_t distinct = count_values(task, column, member, size, count);
    double sum = entropy_sum(estimator, count, distinct);

    free(count);
    free(member);
    return exp(logarithm(estimator, size) - sum / (double)size);
}

double oracle_group_distance(const struct oracle *oracle, const size_t *level,
                             size_t row, const struct oracle_model *model)
{
    size_t *member = allocate(oracle->task->row_count, sizeof(size_t));
    size_t size = find_group(oracle, level, row, member);
    double distance;

    if (model->model >= MODEL_BASIC_BETA_LIKENESS)
        is_like(oracle->task, model, member, size, &distance);
    else if (model->model == MODEL_DELTA_DISCLOSURE)
        distance = largest_change(oracle->task, model, member, size);
    else
        distance = distance_of(oracle->task, model, member, size);
    free(member);
    return distance;
}

/* Judge every group; `suppressed[row]` is set for the rows of outliers. */
static void judge_groups(const struct oracle *oracle, const size_t *level,
                         bool *suppressed, struct oracle_figures *figures)
{
    const struct oracle_task *task = oracle->task;
    struct tuples tuples = generalize(oracle, level);
    size_t *order = sorted_rows(&tuples, task->row_count);
    size_t to;

    memset(figures, 0, sizeof *figures);
    figures->rows = task->row_count;
    for (size_t from = 0; from < task->row_count; from = to) {
        to = group_end(&tuples, order, from, task->row_count);
        if (!all_stars(&tuples, order[from]) &&
            satisfies_all(task, order + from, to - from)) {
            add_class(figures, to - from);
            continue;
        }
        figures->suppressed += to - from;
        for (size_t i = from; i < to; i++)
            suppressed[order[i]] = true;
    }
    free(order);
    free(tuples.tuple);
}

static void sum_loss(const struct oracle *oracle, const size_t *level,
                     const bool *suppressed, struct loss_sums *sums)
{
    memset(sums, 0, sizeof *sums);
    for (size_t d = 0; d < oracle->dimension_count; d++) {
        const struct dimension *dimension = &oracle->dimension[d];

        for (size_t row = 0; row < oracle->task->row_count; row++)
            *(suppressed[row] ? &sums->suppressed[d] : &sums->kept[d]) +=
                dimension->leaves[level[d] * dimension->rows +
                                  dimension->place[row]];
    }
}

void oracle_judge(const struct oracle *oracle, const size_t *level,
                  struct oracle_verdict *verdict)
{
    const struct oracle_task *task = oracle->task;
    bool *suppressed = allocate(task->row_count, sizeof(bool));
    double limit = floor(task->suppression_limit * (double)task->row_count);
    struct loss_sums sums;

    memset(verdict, 0, sizeof *verdict);
    judge_groups(oracle, level, suppressed, &verdict->figures);
    verdict->valid = (double)verdict->figures.suppressed <= limit;
    sum_loss(oracle, level, suppressed, &sums);
    for (size_t d = 0; d < oracle->dimension_count; d++)
        verdict->loss[d] =
            loss_of_dimension(task, &oracle->dimension[d], sums.kept[d],
                              sums.suppressed[d], verdict->figures.suppressed);
    aggregate_score(oracle, verdict);
    free(suppressed);
}

static const struct oracle_column *column_of(const struct oracle *oracle,
                                             size_t d)
{
    return &oracle->task->column[oracle->dimension[d].column];
}

double oracle_lattice_size(const struct oracle *oracle)
{
    double size = 1;

    for (size_t d = 0; d < oracle->dimension_count; d++)
        size *= (double)(column_of(oracle, d)->level_max -
                         column_of(oracle, d)->level_min + 1);
    return size;
}

/* The lexicographically next vector; false after the last. */
static bool next_vector(const struct oracle *oracle, size_t *level)
{
    for (size_t d = oracle->dimension_count; d-- > 0;) {
        if (level[d] < column_of(oracle, d)->level_max) {
            level[d]++;
            return true;
        }
        level[d] = column_of(oracle, d)->level_min;
    }
    return false;
}

static size_t total_level(const struct oracle *oracle, const size_t *level)
{
    size_t total = 0;

    for (size_t d = 0; d < oracle->dimension_count; d++)
        total += level[d];
    return total;
}

static int compare_scores(const struct oracle_verdict *a,
                          const struct oracle_verdict *b)
{
    for (size_t i = 0; i < a->score_count; i++)
        if (a->score[i] != b->score[i])
            return a->score[i] < b->score[i] ? -1 : 1;
    return 0;
}

bool oracle_search(const struct oracle *oracle, size_t *level,
                   struct oracle_verdict *verdict)
{
    size_t at[ORACLE_QI_MAX];
    bool found = false;

    for (size_t d = 0; d < oracle->dimension_count; d++)
        at[d] = column_of(oracle, d)->level_min;
    do {
        struct oracle_verdict here;
        int order;

        oracle_judge(oracle, at, &here);
        if (!here.valid)
            continue;
        order = found ? compare_scores(&here, verdict) : -1;
        /* Vectors come in lexicographic order: the first one stays. */
        if (order < 0 || (order == 0 && total_level(oracle, at) <
                                            total_level(oracle, level))) {
            found = true;
            memcpy(level, at, oracle->dimension_count * sizeof *at);
            *verdict = here;
        }
    } while (next_vector(oracle, at));
    return found;
}

/* ---- tables ---- */

static bool is_released(enum role role)
{
    return role != ROLE_SUBJECT && role != ROLE_IDENTIFYING;
}

static void table_init(struct oracle_table *table,
                       const struct oracle_task *task)
{
    table->column = allocate(task->column_count, sizeof(size_t));
    table->column_count = 0;
    table->row_count = 0;
    table->cell =
        allocate(task->row_count * task->column_count, sizeof(char *));
}

void oracle_table_clear(struct oracle_table *table)
{
    free(table->column);
    free(table->cell);
    memset(table, 0, sizeof *table);
}

void oracle_input(const struct oracle_task *task, struct oracle_table *table)
{
    table_init(table, task);
    for (size_t i = 0; i < task->column_count; i++)
        table->column[table->column_count++] = i;
    table->row_count = task->row_count;
    for (size_t i = 0; i < task->row_count * task->column_count; i++)
        table->cell[i] = task->cell[i];
}

/* The cell of a row that is released under these levels. */
static const char *released_cell(const struct oracle *oracle,
                                 const size_t *level, size_t row, size_t column,
                                 bool suppressed)
{
    for (size_t d = 0; d < oracle->dimension_count; d++)
        if (oracle->dimension[d].column == column)
            return suppressed
                       ? "*"
                       : dimension_label(&oracle->dimension[d], level[d], row);
    return task_cell(oracle->task, row, column);
}

void oracle_release(const struct oracle *oracle, const size_t *level,
                    struct oracle_table *table)
{
    const struct oracle_task *task = oracle->task;
    bool *suppressed = allocate(task->row_count, sizeof(bool));
    struct oracle_figures figures;
    size_t cells = 0;

    table_init(table, task);
    for (size_t i = 0; i < task->column_count; i++)
        if (is_released(task->column[i].role))
            table->column[table->column_count++] = i;
    judge_groups(oracle, level, suppressed, &figures);
    for (size_t row = 0; row < task->row_count; row++) {
        if (suppressed[row] && task->drop_suppressed)
            continue;
        for (size_t i = 0; i < table->column_count; i++)
            table->cell[cells++] = released_cell(
                oracle, level, row, table->column[i], suppressed[row]);
        table->row_count++;
    }
    free(suppressed);
}

void oracle_count(const struct oracle_task *task,
                  const struct oracle_table *table,
                  struct oracle_figures *figures)
{
    struct tuples tuples = {NULL, 0};
    size_t *order, to, filled = 0;

    for (size_t i = 0; i < table->column_count; i++)
        if (task->column[table->column[i]].role == ROLE_QUASI_IDENTIFYING)
            tuples.width++;
    tuples.tuple = allocate(table->row_count * tuples.width, sizeof(char *));
    for (size_t row = 0; row < table->row_count; row++)
        for (size_t i = 0; i < table->column_count; i++)
            if (task->column[table->column[i]].role == ROLE_QUASI_IDENTIFYING)
                tuples.tuple[filled++] = plain_value(
                    task, table->cell[row * table->column_count + i]);
    order = sorted_rows(&tuples, table->row_count);
    memset(figures, 0, sizeof *figures);
    figures->rows = table->row_count;
    for (size_t from = 0; from < table->row_count; from = to) {
        to = group_end(&tuples, order, from, table->row_count);
        if (all_stars(&tuples, order[from]))
            figures->suppressed += to - from;
        else
            add_class(figures, to - from);
    }
    free(order);
    free(tuples.tuple);
}
