#include "datasets/city.h"

#include <assert.h>

static const struct city cities[] = {
#define CITY(name, province, region, weight) {name, province, region, weight},
#include "datasets/cities.def"
#undef CITY
};

size_t city_count(void)
{
    return sizeof cities / sizeof cities[0];
}

const struct city *city_at(size_t index)
{
    assert(index < city_count());
    return &cities[index];
}
