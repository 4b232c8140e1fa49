/*
 * datasets/hospital_consents.h - what the hospital's patients have consented
 * to.
 *
 * FHIR R4 `Consent` resources, one JSON object a line (NDJSON), in the order of
 * the patients; the patient is told by the psn:
 *
 *     "patient": {"identifier": {"system": HOSPITAL_PSN_SYSTEM, "value": psn}}
 *
 * Kinds of patients, as seen on 2025-01-01:
 *
 *     permit      all health research, until the end of 2034
 *     limited     some purposes only, until the end of 2034
 *     deny        no use at all
 *     expired     all health research, but for 180 days that are over
 *     withdrawn   a permit, and behind it a denial of a later date
 *     none        says nothing: no resource
 *
 * A permit lists as purposes HRESCH (HL7 v3 ActReason) and DUO:0000042, general
 * research use; limited is one of HRESCH alone, DUO:0000006 (health or medical
 * research), DUO:0000011 (ancestry), DUO:0000043 (clinical care).
 */
#ifndef DATASETS_HOSPITAL_CONSENTS_H
#define DATASETS_HOSPITAL_CONSENTS_H

#include <stdint.h>

#include "common/error.h"
#include "datasets/hospital.h"
#include "datasets/hospital_table.h"
#include "datasets/output.h"

#define HOSPITAL_PSN_SYSTEM "urn:anchorite:hospital:psn"

#define CONSENT_KIND_TABLE(X)                                                  \
    X(PERMIT, "permit")                                                        \
    X(LIMITED, "limited")                                                      \
    X(DENY, "deny")                                                            \
    X(EXPIRED, "expired")                                                      \
    X(WITHDRAWN, "withdrawn")                                                  \
    X(NONE, "none")

enum consent_kind {
#define CONSENT_KIND_ENUM(id, name) CONSENT_##id,
    CONSENT_KIND_TABLE(CONSENT_KIND_ENUM)
#undef CONSENT_KIND_ENUM
        CONSENT_KIND_COUNT
};

const char *consent_kind_name(enum consent_kind kind);

/* Of 100 patients, how many are of each kind; they sum up to 100. */
struct consent_mix {
    uint32_t percent[CONSENT_KIND_COUNT];
};

#define CONSENT_MIX_DEFAULT                                                    \
    "permit=55,limited=15,deny=10,expired=7,withdrawn=5,none=8"

/* Read such a list; a kind that it does not name has 0.  E_USAGE if it is
 * anything else. */
MUST_USE enum status
consent_mix_parse(const char *list, struct consent_mix *mix, struct error *err);

enum consent_kind hospital_consent_kind(const struct hospital *hospital,
                                        const struct consent_mix *mix,
                                        uint32_t number);

MUST_USE enum status hospital_consents_write(const struct hospital *hospital,
                                             const struct consent_mix *mix,
                                             struct patient_range range,
                                             struct output *output,
                                             struct error *err);

#endif
