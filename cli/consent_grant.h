/*
 * cli/consent_grant.h - a consent of one patient as a FHIR resource, made from
 * what was typed.
 *
 * It is then one like any other: read, reduced, sent and kept as
 * cli/consent_import.h does.
 */
#ifndef CLI_CONSENT_GRANT_H
#define CLI_CONSENT_GRANT_H

#include "common/error.h"
#include "common/text.h"

struct consent_grant {
    const char *patient;    /* number */
    const char *system;     /* whose number that is */
    const char *purposes;   /* codes, separated by commas: HRESCH, DUO:... */
    const char *recipients; /* organisations likewise; NULL: any */
    const char *until;      /* the last day or instant; NULL: no end */
};

/* Append the resource.  E_USAGE for a purpose, an organisation or a time that
 * is none. */
MUST_USE enum status consent_grant_write(const struct consent_grant *grant,
                                         struct text *out, struct error *err);

#endif
