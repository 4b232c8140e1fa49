/*
 * anonymizer/worker_subjects.h - subjects that stand in several lists.
 *
 * Each list ascends by subject id and has none twice: a permit's
 * (common/permitted.h), a dataset's (worker_store.h).
 */
#ifndef ANONYMIZER_WORKER_SUBJECTS_H
#define ANONYMIZER_WORKER_SUBJECTS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/bytes.h"
#include "common/subject_id.h"

#define SUBJECT_LISTS_MAX 3

/* A walk along all of them at once; zeroed it has none yet.  What the lists
 * hold is borrowed. */
struct common_subjects {
    struct {
        struct bytes rest;
        size_t item_size; /* each item begins with a subject id */
    } list[SUBJECT_LISTS_MAX];
    size_t count;
};

void common_subjects_add(struct common_subjects *common, struct bytes list,
                         size_t item_size);

/* The next one that is in all of them; false at the end. */
bool common_subjects_next(struct common_subjects *common,
                          struct subject_id *subject);

#endif
