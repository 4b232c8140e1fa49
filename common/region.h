/*
 * common/region.h - memory that is reserved at once and taken when touched.
 *
 * For arrays whose final length is known only as a bound, and that several
 * threads fill at the same time: nothing moves, and what is never written
 * takes no memory.  All bytes are 0 at first.
 */
#ifndef COMMON_REGION_H
#define COMMON_REGION_H

#include <stddef.h>

#include "common/error.h"

struct region {
    void *data; /* NULL if size is 0 */
    size_t size;
};

/* E_MEMORY, telling `what`, if the address space has no room. */
MUST_USE enum status region_reserve(struct region *region, size_t size,
                                    const char *what, struct error *err);

/* Make it larger or smaller; data may move. */
MUST_USE enum status region_resize(struct region *region, size_t size,
                                   const char *what, struct error *err);

/* Give it back; the region is then {0}, which is as good as none. */
void region_clear(struct region *region);

#endif
