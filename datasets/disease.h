/*
 * datasets/disease.h - what patients come with, and for whom it is likely.
 *
 * The list is diseases.def.  A disease has a code of ICD-10 and a diagnosis in
 * words, which says as much as the code or more (which eye, how severe). Upward
 * it lies in
 *
 *     diagnosis -> code -> category -> block -> group -> chapter
 *     "Senile     H25.1   H25         H25-     H25-     H00-
 *     cataract,                       H28      H42      H59
 *     left eye"
 *
 * How likely it is depends on sex and age, and is a whole number, so that the
 * same data come out of any machine and compiler.
 */
#ifndef DATASETS_DISEASE_H
#define DATASETS_DISEASE_H

#include <stddef.h>
#include <stdint.h>

#include "datasets/staff.h"

enum sex { SEX_FEMALE, SEX_MALE, SEX_COUNT };

/* Bands of age within which a disease is equally likely: 0, 1-4, 5-14, 15-24,
 * and so on by ten years, 85 and older. */
enum { AGE_BAND_COUNT = 11 };

unsigned age_band(int age);
/* The first year of a band. */
int age_band_begin(unsigned band);

/* "H25" */
#define DISEASE_CATEGORY_SIZE 3

struct disease {
    const char *code;
    const char *diagnosis;
    uint32_t weight;
    unsigned ages; /* a profile of disease.c */
    unsigned sex;  /* the same */
    enum department_id department;
    enum department_id other; /* who treats it at times */
};

size_t disease_count(void);
const struct disease *disease_at(size_t index);

/* How common it is at that age and sex, in comparison to others; 0: never. */
uint32_t disease_weight(const struct disease *disease, enum sex sex,
                        unsigned band);

/* Where a code lies in ICD-10. */
struct icd_block {
    const char *block;
    const char *group;
    const char *chapter;
};

const struct icd_block *disease_block(const struct disease *disease);

#endif
