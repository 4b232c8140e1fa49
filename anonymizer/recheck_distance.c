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

bool recheck_distance_holds(const struct privacy_criterion *criterion,
                            const struct recheck_whole *whole,
                            const struct recheck_part *part, double *value)
{
    assert(criterion->model == MODEL_T_CLOSENESS_EQUAL);
    *value = equal_distance(whole, part);
    return *value <= criterion->t;
}
