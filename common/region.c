#include "common/region.h"

#include <sys/mman.h>

enum status region_reserve(struct region *region, size_t size, const char *what,
                           struct error *err)
{
    void *data;

    *region = (struct region){0};
    if (size == 0)
        return OK;
    data = mmap(NULL, size, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (data == MAP_FAILED)
        return error_memory(err, what);
    *region = (struct region){data, size};
    return OK;
}

enum status region_resize(struct region *region, size_t size, const char *what,
                          struct error *err)
{
    void *data;

    if (region->size == 0)
        return region_reserve(region, size, what, err);
    if (size == 0) {
        region_clear(region);
        return OK;
    }
    data = mremap(region->data, region->size, size, MREMAP_MAYMOVE);
    if (data == MAP_FAILED)
        return error_memory(err, what);
    *region = (struct region){data, size};
    return OK;
}

void region_clear(struct region *region)
{
    if (region->size > 0)
        munmap(region->data, region->size);
    *region = (struct region){0};
}
