#include "datasets/disease.h"

#include <assert.h>
#include <string.h>

static const int band_begin[AGE_BAND_COUNT] = {0,  1,  5,  15, 25, 35,
                                               45, 55, 65, 75, 85};

/* X(id, weight in each band of age) */
#define AGES_TABLE(X)                                                          \
    X(FLAT, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10)                        \
    X(NEWBORN, 99, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)                               \
    X(INFANT, 60, 40, 6, 0, 0, 0, 0, 0, 0, 0, 0)                               \
    X(CHILD, 20, 40, 25, 8, 3, 2, 2, 1, 1, 1, 1)                               \
    X(SCHOOL, 0, 8, 30, 20, 8, 4, 2, 1, 1, 0, 0)                               \
    X(YOUNG, 1, 6, 18, 30, 24, 16, 10, 8, 6, 5, 5)                             \
    X(FERTILE, 0, 0, 0, 18, 60, 25, 0, 0, 0, 0, 0)                             \
    X(ADULT, 0, 0, 2, 12, 20, 22, 22, 18, 12, 8, 6)                            \
    X(MIDDLE, 0, 0, 0, 3, 8, 18, 28, 26, 18, 10, 6)                            \
    X(RISING, 0, 0, 0, 1, 2, 6, 16, 32, 50, 60, 62)                            \
    X(OLD, 0, 0, 0, 0, 0, 1, 3, 10, 30, 60, 80)

enum ages {
#define AGES_ENUM(id, ...) AGES_##id,
    AGES_TABLE(AGES_ENUM)
#undef AGES_ENUM
};

static const uint32_t age_weight[][AGE_BAND_COUNT] = {
#define AGES_WEIGHT(id, ...) {__VA_ARGS__},
    AGES_TABLE(AGES_WEIGHT)
#undef AGES_WEIGHT
};

/* X(id, weight for women, for men) */
#define SEXES_TABLE(X)                                                         \
    X(ANY, 2, 2)                                                               \
    X(WOMEN, 2, 0)                                                             \
    X(MEN, 0, 2)                                                               \
    X(MORE_WOMEN, 3, 1)                                                        \
    X(MORE_MEN, 1, 3)

enum sexes {
#define SEXES_ENUM(id, women, men) SEXES_##id,
    SEXES_TABLE(SEXES_ENUM)
#undef SEXES_ENUM
};

static const uint32_t sex_weight[][SEX_COUNT] = {
#define SEXES_WEIGHT(id, women, men) {women, men},
    SEXES_TABLE(SEXES_WEIGHT)
#undef SEXES_WEIGHT
};

static const struct disease diseases[] = {
#define DISEASE(code, diagnosis, weight, ages, sex, department, other)         \
    {code,                                                                     \
     diagnosis,                                                                \
     weight,                                                                   \
     AGES_##ages,                                                              \
     SEXES_##sex,                                                              \
     DEPARTMENT_##department,                                                  \
     DEPARTMENT_##other},
#include "datasets/diseases.def"
#undef DISEASE
};

static const struct icd_block blocks[] = {
#define BLOCK(block, group, chapter) {block, group, chapter},
#include "datasets/icd_blocks.def"
#undef BLOCK
};

unsigned age_band(int age)
{
    unsigned band = AGE_BAND_COUNT - 1;

    assert(age >= 0);
    while (age < band_begin[band])
        band--;
    return band;
}

int age_band_begin(unsigned band)
{
    assert(band < AGE_BAND_COUNT);
    return band_begin[band];
}

size_t disease_count(void)
{
    return sizeof diseases / sizeof diseases[0];
}

const struct disease *disease_at(size_t index)
{
    assert(index < disease_count());
    return &diseases[index];
}

uint32_t disease_weight(const struct disease *disease, enum sex sex,
                        unsigned band)
{
    assert(sex < SEX_COUNT && band < AGE_BAND_COUNT);
    return disease->weight * age_weight[disease->ages][band] *
           sex_weight[disease->sex][sex];
}

/* "I20-I25" holds the categories from its first to its last three bytes,
 * "C50" one. */
static int block_holds(const char *block, const char *category)
{
    const char *last = block + strlen(block) - DISEASE_CATEGORY_SIZE;

    return memcmp(block, category, DISEASE_CATEGORY_SIZE) <= 0 &&
           memcmp(category, last, DISEASE_CATEGORY_SIZE) <= 0;
}

const struct icd_block *disease_block(const struct disease *disease)
{
    size_t i = 0;

    while (!block_holds(blocks[i].block, disease->code)) {
        i++;
        assert(i < sizeof blocks / sizeof blocks[0]);
    }
    return &blocks[i];
}
