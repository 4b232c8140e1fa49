#include "anonymizer/recheck_distance.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

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

/* Value by value, with what the class has put in its places. */
static double ordered_distance(const struct recheck_whole *whole,
                               const struct recheck_part *part)
{
    wide here = 0, there = 0, sum = 0;

    if (whole->distinct == 1)
        return 0;
    for (size_t i = 0; i < part->distinct; i++)
        whole->scratch[part->code[i]] = part->number[i];
    for (size_t i = 0; i < whole->distinct; i++) {
        here += (wide)whole->rows * whole->scratch[whole->order[i]];
        there += (wide)part->rows * whole->number[whole->order[i]];
        sum += here > there ? here - there : there - here;
    }
    for (size_t i = 0; i < part->distinct; i++)
        whole->scratch[part->code[i]] = 0;
    return (double)sum /
           (double)((wide)(whole->distinct - 1) * whole->rows * part->rows);
}

struct recheck_flow {
    wide gain, loss;
};

struct recheck_flow *recheck_flow_create(size_t rows)
{
    return calloc(2 * rows, sizeof(struct recheck_flow));
}

/* What each value of the table has too much or too little in the class. */
static void leaves_fill(const struct recheck_whole *whole,
                        const struct recheck_part *part)
{
    for (size_t i = 0; i < part->distinct; i++)
        whole->scratch[part->code[i]] = part->number[i];
    for (uint32_t row = 0; row < hierarchy_rows(whole->hierarchy); row++)
        whole->flow[row] = (struct recheck_flow){0, 0};
    for (size_t i = 0; i < whole->distinct; i++) {
        uint32_t code = whole->order[i];
        wide here = (wide)whole->rows * whole->scratch[code];
        wide there = (wide)part->rows * whole->number[code];
        struct recheck_flow *leaf = &whole->flow[whole->row[code]];

        leaf->gain = here > there ? here - there : 0;
        leaf->loss = here > there ? 0 : there - here;
    }
    for (size_t i = 0; i < part->distinct; i++)
        whole->scratch[part->code[i]] = 0;
}

/* below: nodes of level j - 1, above: those of level j.  Returns what meets at
 * the latter. */
static wide level_settle(const struct hierarchy *hierarchy, uint32_t j,
                         const struct recheck_flow *below,
                         struct recheck_flow *above)
{
    wide settled = 0;

    for (uint32_t node = 0; node < hierarchy_nodes(hierarchy, j); node++)
        above[node] = (struct recheck_flow){0, 0};
    for (uint32_t node = 0; node < hierarchy_nodes(hierarchy, j - 1); node++) {
        wide gain = below[node].gain, loss = below[node].loss;
        struct recheck_flow *parent =
            &above[hierarchy_parent(hierarchy, j - 1, node)];

        if (gain > loss)
            parent->gain += gain - loss;
        else
            parent->loss += loss - gain;
    }
    for (uint32_t node = 0; node < hierarchy_nodes(hierarchy, j); node++)
        settled += above[node].gain < above[node].loss ? above[node].gain
                                                       : above[node].loss;
    return settled;
}

static double tree_distance(const struct recheck_whole *whole,
                            const struct recheck_part *part)
{
    const struct hierarchy *hierarchy = whole->hierarchy;
    uint32_t height = hierarchy_levels(hierarchy) - 1;
    struct recheck_flow *below = whole->flow;
    struct recheck_flow *above = below + hierarchy_rows(hierarchy);
    wide sum = 0;

    if (height == 0)
        return 0;
    leaves_fill(whole, part);
    for (uint32_t j = 1; j <= height; j++) {
        struct recheck_flow *settled = above;

        sum += j * level_settle(hierarchy, j, below, above);
        above = below;
        below = settled;
    }
    return (double)sum / (double)((wide)height * whole->rows * part->rows);
}

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

/* The largest growth of a share, as part of itself, in *value; is each within
 * its bound? */
static bool growth_holds(const struct privacy_criterion *criterion,
                         const struct recheck_whole *whole,
                         const struct recheck_part *part, double *value)
{
    bool is_enhanced = criterion->model == MODEL_ENHANCED_BETA_LIKENESS;
    bool holds = true;

    *value = 0;
    for (size_t i = 0; i < part->distinct; i++) {
        uint64_t number = whole->number[part->code[i]];
        uint64_t here = whole->rows * part->number[i];
        uint64_t there = part->rows * number;
        double bound = criterion->beta, growth;

        if (here <= there)
            continue;
        growth = (double)(here - there) / (double)there;
        if (is_enhanced)
            bound = fmin(bound, -log((double)number / (double)whole->rows));
        holds = holds && growth <= bound;
        *value = fmax(*value, growth);
    }
    return holds;
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
        return growth_holds(criterion, whole, part, value);
    default:
        *value = equal_distance(whole, part);
    }
    return *value <= criterion->t;
}
