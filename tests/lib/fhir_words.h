/*
 * tests/lib/fhir_words.h - FHIR in few words, for rows of cases.
 *
 *     @OPTIN @OPTOUT       a policyRule
 *     @H                   a purpose: HRESCH
 *     @42                  a purpose: DUO:0000042, always two digits
 *     @o                   a purpose: TREAT of ActReason
 *     @?                   a purpose of a system that nobody knows
 *     @to(name)            an actor: a recipient, an organisation of ours
 *     @author              an actor: an organisation as author
 *     @literal             an actor: a recipient by literal reference
 */
#ifndef TESTS_LIB_FHIR_WORDS_H
#define TESTS_LIB_FHIR_WORDS_H

#include "common/text.h"

/* Append `words`, expanded. */
void fhir_expand(struct text *out, const char *words);

/* Append an active Consent to research of the patient "p1", `members`
 * (expanded) behind what all have: as "policyRule":@OPTIN,"provision":{...}. */
void fhir_consent(struct text *out, const char *members);

#endif
