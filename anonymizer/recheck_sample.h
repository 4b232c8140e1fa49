/*
 * anonymizer/recheck_sample.h - models of all classes of a table together,
 * judged from the sizes of its classes as they were counted.
 *
 * The conditions are those of docs/privacy.md, written down once more: what was
 * chosen to be suppressed plays no part here.  The estimators of population
 * uniqueness alone (population.h) are the search's as well: pure functions with
 * tests of their own, and one unit in the last place of another form of them
 * could reject what satisfies its policy.
 *
 *     clear -> add* -> sort -> judge*   -> clear
 */
#ifndef ANONYMIZER_RECHECK_SAMPLE_H
#define ANONYMIZER_RECHECK_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "anonymizer/policy.h"
#include "common/error.h"

struct recheck_sample {
    uint64_t *size; /* [class] rows */
    size_t count, capacity;
    struct class_size *entry; /* sizes and how many, ascending; after sort */
    size_t entry_count;
};

void recheck_sample_clear(struct recheck_sample *sample);
MUST_USE enum status recheck_sample_add(struct recheck_sample *sample,
                                        uint64_t rows, struct error *err);
MUST_USE enum status recheck_sample_sort(struct recheck_sample *sample,
                                         struct error *err);

/* Do the classes satisfy this model?  *value: classes / rows, classes of one
 * row / rows, or estimated uniques / population; NAN if there is no class or no
 * estimate. */
bool recheck_sample_holds(const struct recheck_sample *sample,
                          const struct privacy_criterion *criterion,
                          double *value);

#endif
