/*
 * datasets/city.h - where the hospital's patients live.
 *
 * The list is cities.def.  A city lies in one province, a province in one
 * region.
 */
#ifndef DATASETS_CITY_H
#define DATASETS_CITY_H

#include <stddef.h>
#include <stdint.h>

struct city {
    const char *name;
    const char *province;
    const char *region;
    uint32_t weight; /* > 0; how likely a patient lives there */
};

size_t city_count(void);
const struct city *city_at(size_t index);

#endif
