/*
 * cli/consent_import.h - FHIR consents, reduced, to the broker.
 *
 *     resource --read, reduce--> item of a batch --full--> broker
 *         |                          |
 *         +-- refused: told by line  +-- original and salt: consent_archive
 *
 * What the broker gets of a resource: the subject id, what is evaluated of it
 * (broker/consent.h), and a commitment to the original.
 */
#ifndef CLI_CONSENT_IMPORT_H
#define CLI_CONSENT_IMPORT_H

#include <stddef.h>
#include <stdint.h>

#include "cli/session.h"
#include "common/bytes.h"
#include "common/digest.h"
#include "common/error.h"

/* Whose numbers are patients' numbers here; another system's number may be
 * another person's. */
#define CONSENT_PATIENT_SYSTEM "urn:anchorite:hospital:psn"

struct consent_import;

/* What became of all resources so far. */
struct consent_counts {
    uint64_t recorded;
    uint64_t known;   /* recorded by an earlier import */
    uint64_t refused; /* not to be evaluated, told on standard error */
    uint64_t entries;
    struct digest last; /* id of the last entry */
};

/* `session` is a custodian's; both are borrowed. */
MUST_USE enum status consent_import_open(struct consent_import **import,
                                         const struct session *session,
                                         const char *patient_system,
                                         struct error *err);
void consent_import_close(struct consent_import **import);

/* One resource; file and line (0: it is the whole file) name it in what is told
 * of a refusal.  An error is one that ends the import. */
MUST_USE enum status consent_import_add(struct consent_import *import,
                                        struct bytes resource, const char *file,
                                        uint64_t line, struct error *err);

/* What is left goes to the broker. */
MUST_USE enum status consent_import_finish(struct consent_import *import,
                                           struct error *err);

const struct consent_counts *
consent_import_counts(const struct consent_import *import);

#endif
