/*
 * datasets/hospital_hierarchies.h - how the columns of the hospital's table
 * generalize.
 *
 * CSV files without header, `;` between the columns, a row per value that the
 * table can hold, level 0 first:
 *
 *     gender        value, *
 *     age           year, 5 years, 10, 20, *
 *     birth_date    day, month, year, decade, *
 *     city          city, province, region, *
 *     date          day, month, quarter, year, *
 *     department    department, group, *
 *     doctor        doctor, department, group, *
 *     diagnosis     words, code, category, block, group, chapter, *
 *     disease_code  code, category, block, group, chapter, *
 *
 * All are trees by the rules of anonymizer/hierarchy.h.  Names and numbers
 * (psn, name, msn) have no hierarchy: they are removed.
 */
#ifndef DATASETS_HOSPITAL_HIERARCHIES_H
#define DATASETS_HOSPITAL_HIERARCHIES_H

#include <stddef.h>

#include "common/error.h"
#include "datasets/output.h"

size_t hospital_hierarchy_count(void);

/* Name of the column, and of the file with ".csv" behind. */
const char *hospital_hierarchy_name(size_t index);

MUST_USE enum status hospital_hierarchy_write(size_t index,
                                              struct output *output,
                                              struct error *err);

/* All of them, into the folder `dir`, which is made if it is not there. */
MUST_USE enum status hospital_hierarchies_write(const char *dir,
                                                struct error *err);

#endif
