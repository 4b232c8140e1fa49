/*
 * tests/lib/hospital_capture.h - what the synthetic hospital writes, in memory.
 *
 * What cannot be set up ends the program: no test can mean anything then.
 */
#ifndef TESTS_LIB_HOSPITAL_CAPTURE_H
#define TESTS_LIB_HOSPITAL_CAPTURE_H

#include <stddef.h>

#include "common/text.h"
#include "datasets/hospital.h"
#include "datasets/hospital_consents.h"
#include "datasets/hospital_table.h"

/* One visit a patient, all days. */
struct hospital_options hospital_plain(uint64_t seed);

struct hospital *hospital_make(struct hospital_options options);

/* The table in a file without a name, at its beginning; the caller closes
 * it. */
int capture_table_file(struct hospital_options options,
                       struct patient_range range);

/* `text` (initialised) is filled. */
void capture_table(struct text *text, struct hospital_options options,
                   struct patient_range range);
void capture_hierarchy(struct text *text, size_t index);
void capture_consents(struct text *text, uint64_t seed,
                      const struct consent_mix *mix,
                      struct patient_range range);

#endif
