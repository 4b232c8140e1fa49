/*
 * tests/property/trial.h - one sample, by the oracle and by the engine.
 *
 *     sample -> files in a folder -> anonymize_table with one thread and two,
 *                                    or the built command -> compared
 */
#ifndef TESTS_PROPERTY_TRIAL_H
#define TESTS_PROPERTY_TRIAL_H

#include <stdbool.h>

#include "common/text.h"
#include "tests/property/sample.h"

struct trial {
    const char *folder;  /* for the files, which are overwritten */
    const char *command; /* path of the built command; NULL: the library */
};

/* True if nothing differs; else each difference is a line in `report`.  The
 * files stay in the folder, with the expected table as expected.csv. */
bool trial_run(const struct trial *trial, const struct sample *sample,
               struct text *report);

#endif
