#include "anonymizer/recheck_distance.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "anonymizer/recheck_sort.h"

__extension__ typedef unsigned __int128 wide;

/* sum |N n(v) - c N(v)| over all values.  Those that the class lacks add
 * c N(v). */
static wide differences(const struct recheck_whole *whole,
                        const struct recheck_part *part)
{
    uint64_t elsewhere = whole->rows;
    wide sum = 0;

    for (size_t i = 0; i < part->distinct; i++) {
        uint64_t number = whole->number[part->code[i]];
        wide here = (wide)whole->rows * part->number[i];
        wide there = (wide)part->rows * number;

        sum += here > there ? here - there : there - here;
        elsewhere -= number;
    }
    return sum + (wide)part->rows * elsewhere;
}

static double equal_distance(const struct recheck_whole *whole,
                             const struct recheck_part *part)
{
    return (double)differences(whole, part) /
           (double)(2 * (wide)whole->rows * part->rows);
}

/* ---- by an order ---- */

struct recheck_order {
    uint32_t *place;           /* per code that occurs */
    uint64_t *summed;          /* [i]: rows of the values before i */
    wide *twice;               /* [i]: sum of summed[1] .. summed[i] */
    uint64_t *present, *spare; /* places of a class, each with its index */
};

/* Codes are below this one. */
static size_t code_end(const struct recheck_whole *whole)
{
    size_t end = 0;

    for (size_t i = 0; i < whole->distinct; i++)
        if (whole->value[i] >= end)
            end = (size_t)whole->value[i] + 1;
    return end;
}

struct recheck_order *recheck_order_create(const struct recheck_whole *whole)
{
    struct recheck_order *order = calloc(1, sizeof *order);
    size_t count = whole->distinct + 1;

    if (order == NULL)
        return NULL;
    order->place = calloc(code_end(whole) + 1, sizeof *order->place);
    order->summed = calloc(count, sizeof *order->summed);
    order->twice = calloc(count, sizeof *order->twice);
    order->present = calloc(count, sizeof *order->present);
    order->spare = calloc(count, sizeof *order->spare);
    if (order->place == NULL || order->summed == NULL || order->twice == NULL ||
        order->present == NULL || order->spare == NULL) {
        recheck_order_destroy(&order);
        return NULL;
    }
    for (size_t i = 0; i < whole->distinct; i++) {
        uint32_t code = whole->value[i];

        order->place[code] = (uint32_t)i;
        order->summed[i + 1] = order->summed[i] + whole->number[code];
        order->twice[i + 1] = order->twice[i] + order->summed[i + 1];
    }
    return order;
}

void recheck_order_destroy(struct recheck_order **handle)
{
    struct recheck_order *order = *handle;

    *handle = NULL;
    if (order == NULL)
        return;
    free(order->place);
    free(order->summed);
    free(order->twice);
    free(order->present);
    free(order->spare);
    free(order);
}

/* sum |here - rows R(i)| over the places i = from .. to - 1, none of which
 * adds to `here`; R(i) = summed[i + 1] only grows, so that it is first below
 * and then above. */
static wide stretch(const struct recheck_order *order, wide here, uint64_t rows,
                    size_t from, size_t to)
{
    size_t low = from, high = to;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if ((wide)rows * order->summed[middle + 1] > here)
            high = middle;
        else
            low = middle + 1;
    }
    return here * (low - from) -
           rows * (order->twice[low] - order->twice[from]) +
           rows * (order->twice[to] - order->twice[low]) - here * (to - low);
}

/* From one value of the class to the next. */
static double ordered_distance(const struct recheck_whole *whole,
                               const struct recheck_part *part)
{
    const struct recheck_order *order = whole->order;
    wide here = 0, sum = 0;
    size_t at = 0;

    if (whole->distinct == 1)
        return 0;
    for (size_t i = 0; i < part->distinct; i++)
        order->present[i] = (uint64_t)order->place[part->code[i]] << 32 | i;
    recheck_sort(order->present, order->spare, part->distinct, 1);
    for (size_t i = 0; i < part->distinct; i++) {
        size_t place = order->present[i] >> 32;

        sum += stretch(order, here, part->rows, at, place);
        here += (wide)whole->rows * part->number[(uint32_t)order->present[i]];
        at = place;
    }
    sum += stretch(order, here, part->rows, at, whole->distinct);
    return (double)sum /
           (double)((wide)(whole->distinct - 1) * whole->rows * part->rows);
}

/* ---- by a hierarchy ---- */

/* What a class has too much and too little below a node, in units of
 * 1 / (c N); all 0 between two levels. */
struct flow {
    wide gain, loss;
    uint64_t rows; /* of the whole table, below those children that were met */
};

/* The nodes that the class has something below, of one level. */
struct met {
    struct flow *flow; /* per node */
    uint32_t *node;
    size_t count;
};

struct recheck_tree {
    uint64_t *rows[HIERARCHY_LEVELS_MAX]; /* [level][node]: in the table */
    struct met met[2];
};

static bool rows_fill(struct recheck_tree *tree,
                      const struct recheck_whole *whole)
{
    const struct hierarchy *hierarchy = whole->hierarchy;

    for (uint32_t j = 0; j < hierarchy_levels(hierarchy); j++) {
        tree->rows[j] = calloc((size_t)hierarchy_nodes(hierarchy, j) + 1,
                               sizeof *tree->rows[j]);
        if (tree->rows[j] == NULL)
            return false;
        for (size_t i = 0; j == 0 && i < whole->distinct; i++)
            tree->rows[0][whole->row[whole->value[i]]] +=
                whole->number[whole->value[i]];
        for (uint32_t node = 0;
             j > 0 && node < hierarchy_nodes(hierarchy, j - 1); node++)
            tree->rows[j][hierarchy_parent(hierarchy, j - 1, node)] +=
                tree->rows[j - 1][node];
    }
    return true;
}

struct recheck_tree *recheck_tree_create(const struct recheck_whole *whole)
{
    struct recheck_tree *tree = calloc(1, sizeof *tree);
    size_t nodes = (size_t)hierarchy_rows(whole->hierarchy) + 1;
    bool done = tree != NULL && rows_fill(tree, whole);

    for (size_t i = 0; done && i < 2; i++) {
        tree->met[i].flow = calloc(nodes, sizeof *tree->met[i].flow);
        tree->met[i].node = calloc(nodes, sizeof *tree->met[i].node);
        done = tree->met[i].flow != NULL && tree->met[i].node != NULL;
    }
    if (!done)
        recheck_tree_destroy(&tree);
    return tree;
}

void recheck_tree_destroy(struct recheck_tree **handle)
{
    struct recheck_tree *tree = *handle;

    *handle = NULL;
    if (tree == NULL)
        return;
    for (size_t j = 0; j < HIERARCHY_LEVELS_MAX; j++)
        free(tree->rows[j]);
    for (size_t i = 0; i < 2; i++) {
        free(tree->met[i].flow);
        free(tree->met[i].node);
    }
    free(tree);
}

/* What each value of the class has too much or too little. */
static void leaves_meet(const struct recheck_whole *whole,
                        const struct recheck_part *part, struct met *met)
{
    met->count = 0;
    for (size_t i = 0; i < part->distinct; i++) {
        uint32_t code = part->code[i];
        wide here = (wide)whole->rows * part->number[i];
        wide there = (wide)part->rows * whole->number[code];

        met->flow[whole->row[code]] =
            (struct flow){.gain = here > there ? here - there : 0,
                          .loss = here > there ? 0 : there - here};
        met->node[met->count++] = whole->row[code];
    }
}

/* below: of level j - 1, above: of level j.  Returns what meets at the latter.
 * A child that the class has nothing below lacks all of its rows. */
static wide level_settle(const struct recheck_whole *whole,
                         const struct recheck_part *part, uint32_t j,
                         struct met *below, struct met *above)
{
    const struct recheck_tree *tree = whole->tree;
    wide settled = 0;

    above->count = 0;
    for (size_t i = 0; i < below->count; i++) {
        uint32_t node = below->node[i];
        uint32_t parent = hierarchy_parent(whole->hierarchy, j - 1, node);
        struct flow *from = &below->flow[node], *to = &above->flow[parent];

        if (to->rows == 0)
            above->node[above->count++] = parent;
        to->rows += tree->rows[j - 1][node];
        if (from->gain > from->loss)
            to->gain += from->gain - from->loss;
        else
            to->loss += from->loss - from->gain;
        *from = (struct flow){.gain = 0};
    }
    for (size_t i = 0; i < above->count; i++) {
        struct flow *flow = &above->flow[above->node[i]];
        uint64_t others = tree->rows[j][above->node[i]] - flow->rows;

        flow->loss += (wide)part->rows * others;
        settled += flow->gain < flow->loss ? flow->gain : flow->loss;
    }
    return settled;
}

static double tree_distance(const struct recheck_whole *whole,
                            const struct recheck_part *part)
{
    uint32_t height = hierarchy_levels(whole->hierarchy) - 1;
    struct met *below = &whole->tree->met[0], *above = &whole->tree->met[1];
    wide sum = 0;

    if (height == 0)
        return 0;
    leaves_meet(whole, part, below);
    for (uint32_t j = 1; j <= height; j++) {
        struct met *settled = above;

        sum += j * level_settle(whole, part, j, below, above);
        above = below;
        below = settled;
    }
    for (size_t i = 0; i < below->count; i++)
        below->flow[below->node[i]] = (struct flow){.gain = 0};
    return (double)sum / (double)((wide)height * whole->rows * part->rows);
}

/* ---- value by value ---- */

/* The largest change of a share in either direction, in bits. */
static double disclosure(const struct recheck_whole *whole,
                         const struct recheck_part *part)
{
    double largest = 0;

    for (size_t i = 0; i < part->distinct; i++) {
        double here = (double)(whole->rows * part->number[i]);
        double there = (double)(part->rows * whole->number[part->code[i]]);

        largest = fmax(largest, fabs(log2(here / there)));
    }
    return largest;
}

/* The largest growth of a share, as part of itself. */
static double growth(const struct recheck_whole *whole,
                     const struct recheck_part *part)
{
    double largest = 0;

    for (size_t i = 0; i < part->distinct; i++) {
        uint64_t here = whole->rows * part->number[i];
        uint64_t there = part->rows * whole->number[part->code[i]];

        if (here > there)
            largest = fmax(largest, (double)(here - there) / (double)there);
    }
    return largest;
}

/* Is each growth within the bound of its value, too? */
static bool growth_is_enhanced(const struct recheck_whole *whole,
                               const struct recheck_part *part)
{
    for (size_t i = 0; i < part->distinct; i++) {
        uint64_t number = whole->number[part->code[i]];
        uint64_t here = whole->rows * part->number[i];
        uint64_t there = part->rows * number;

        if (here > there && (double)(here - there) / (double)there >
                                -log((double)number / (double)whole->rows))
            return false;
    }
    return true;
}

bool recheck_distance_holds(const struct privacy_criterion *criterion,
                            const struct recheck_whole *whole,
                            const struct recheck_part *part, double *value)
{
    assert(privacy_model_compares(criterion->model));
    switch (criterion->model) {
    case MODEL_T_CLOSENESS_ORDERED:
        *value = ordered_distance(whole, part);
        break;
    case MODEL_T_CLOSENESS_HIERARCHICAL:
        *value = tree_distance(whole, part);
        break;
    case MODEL_DELTA_DISCLOSURE:
        *value = disclosure(whole, part);
        return *value < criterion->delta;
    case MODEL_BASIC_BETA_LIKENESS:
    case MODEL_ENHANCED_BETA_LIKENESS:
        *value = growth(whole, part);
        return *value <= criterion->beta &&
               (criterion->model == MODEL_BASIC_BETA_LIKENESS ||
                growth_is_enhanced(whole, part));
    default:
        *value = equal_distance(whole, part);
    }
    return *value <= criterion->t;
}

/* ---- all of them ---- */

static void include(double *figure, double value)
{
    if (isnan(*figure) || value > *figure)
        *figure = value;
}

void recheck_distance_include(struct distance_figures *figures,
                              const struct recheck_whole *whole,
                              const struct recheck_part *part)
{
    include(&figures->t_equal, equal_distance(whole, part));
    if (whole->order != NULL)
        include(&figures->t_ordered, ordered_distance(whole, part));
    if (whole->tree != NULL)
        include(&figures->t_hierarchical, tree_distance(whole, part));
    include(&figures->beta, growth(whole, part));
    include(&figures->delta, disclosure(whole, part));
}
