/*
 * anonymizer/profile_name.h - what the name of a column says it is about.
 *
 * A name is taken apart into words: at everything that is no letter or digit,
 * and where a capital begins; small letters, no marks, digits behind a word
 * gone:
 *
 *     "patientFirst_Name2"  ->  patient first name
 *     "Straße"              ->  strasse
 *
 * and compared with the labels of profile_labels.def:
 *
 *     0.95   the whole name is the label, whatever separates its words
 *     0.8    some of its words, next to each other, are
 *     0.6    only where there is neither: the whole name is one slip from it
 *            (6 letters or more) or two (10 or more)
 *
 * Where one label lies within another that matches too ("weight" in "sampling
 * weight"), the longer one alone counts.
 */
#ifndef ANONYMIZER_PROFILE_NAME_H
#define ANONYMIZER_PROFILE_NAME_H

#include "common/bytes.h"

enum profile_kind {
#define KIND(id, letter, name, role, words) KIND_##id,
#include "anonymizer/profile_kinds.def"
#undef KIND
    KIND_COUNT
};

/* By its name in --json, its letter (0: none of the 18) and its words. */
const char *profile_kind_name(enum profile_kind kind);
char profile_kind_letter(enum profile_kind kind);
const char *profile_kind_words(enum profile_kind kind);

/* Confidence for each kind, 0 where nothing speaks for it. */
void profile_name_judge(struct bytes name, double confidence[KIND_COUNT]);

/* Letters of a text as the labels have them: small, without marks, words
 * separated by one blank; digits behind a word are dropped.  Cut to `size`. */
void profile_name_fold(struct bytes text, char *out, size_t size);

#endif
