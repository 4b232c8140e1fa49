/*
 * anonymizer/release_labels.h - what stands in the quasi-identifiers of a
 * released row, written once for each class.
 *
 * A line of the release is made of parts: cells that are copied, and runs of
 * neighbouring quasi-identifiers, whose labels with the delimiters between them
 * are one string per class.
 *
 *     age;sex;note;city     ->   [30-39;*] [note] [Bern]
 *
 * Tuples of one class share its strings; all suppressed ones are a class of
 * stars.
 */
#ifndef ANONYMIZER_RELEASE_LABELS_H
#define ANONYMIZER_RELEASE_LABELS_H

#include "anonymizer/release.h"
#include "common/text.h"

/* Bytes behind a string that may be read. */
#define LABEL_PAD 64

struct label_part {
    bool copied;
    size_t column; /* of the file, if copied */
    size_t run;    /* if not */
};

struct labels {
    struct label_part *part;
    size_t part_count;
    size_t run_count;
    uint32_t *class_of_tuple;
    uint32_t class_count;
    struct text text;
    uint64_t *begin; /* [class * run_count + run], and one behind the last */
    size_t size_max; /* of all runs of a class */
};

MUST_USE enum status labels_create(struct labels *labels,
                                   const struct release_plan *plan,
                                   struct error *err);
/* Also of what labels_create left unfinished. */
void labels_clear(struct labels *labels);

static inline struct bytes labels_run(const struct labels *labels,
                                      uint32_t tuple, size_t run)
{
    const uint64_t *begin =
        labels->begin +
        (size_t)labels->class_of_tuple[tuple] * labels->run_count + run;

    return bytes_of(labels->text.data + begin[0],
                    (size_t)(begin[1] - begin[0]));
}

#endif
