/*
 * anonymizer/profile_hierarchy.h - a first hierarchy for a column, from the
 * values that it has.
 *
 *     numbers   intervals of a round width, doubled until three are left; the
 *               outermost hundredth on either side is in an open one; ages in
 *               five years and, if any is above 89, "90 and above" at most
 *     dates     day (where there is a time), month, year, decade
 *     ranges    neighbours together: 2, 4, 8, ...
 *     codes     of even length (postal codes): characters from the right become
 * * others    frequent values stay, those with less than one row in twenty
 *               become "other"
 *
 * and `*` above all.  Where none of it helps there is none: value and `*`.
 * A missing value stays missing up to the `*`.
 *
 * The file holds every value of the column: it is as confidential as the table.
 */
#ifndef ANONYMIZER_PROFILE_HIERARCHY_H
#define ANONYMIZER_PROFILE_HIERARCHY_H

#include "anonymizer/profile_about.h"
#include "common/text.h"

/* Append the file; *levels is how many it has, 2 and nothing appended where it
 * would be value and `*` alone. */
MUST_USE enum status
profile_hierarchy_draft(struct text *out, uint32_t *levels,
                        const struct profile_column *column,
                        const struct profile_about *about, struct error *err);

#endif
