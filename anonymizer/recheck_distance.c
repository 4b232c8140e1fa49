#include "anonymizer/recheck_distance.h"

#include <assert.h>

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

bool recheck_distance_holds(const struct privacy_criterion *criterion,
                            const struct recheck_whole *whole,
                            const struct recheck_part *part, double *value)
{
    assert(privacy_model_compares(criterion->model));
    *value = criterion->model == MODEL_T_CLOSENESS_ORDERED
                 ? ordered_distance(whole, part)
                 : equal_distance(whole, part);
    return *value <= criterion->t;
}
