/*
 * cli/verify_report.h - what `anchorite verify` says about a release.
 *
 * In three groups, which must not be mixed up: what anybody can recompute from
 * the file; what is proven to who trusts the log's nodes and the roots; and
 * what rests on the word of somebody, who is named.
 */
#ifndef CLI_VERIFY_REPORT_H
#define CLI_VERIFY_REPORT_H

#include <stdio.h>

#include "anonymizer/attestation.h"
#include "anonymizer/recheck.h"
#include "common/error.h"
#include "common/json.h"
#include "common/proof.h"

/* All of a verification that said yes; borrowed. */
struct verify_report {
    const struct attestation *attestation;
    const struct trust *trust;
    const struct attestation_findings *findings;
    const struct recheck_result *result;
    const char *file; /* how messages call the release */
};

/* Fill the empty object that `verify --json` prints (docs/formats.md). */
MUST_USE enum status verify_report_json(const struct verify_report *report,
                                        struct json_value *root,
                                        struct error *err);
/* The same object after a no; `why` is the error of the check that failed. */
MUST_USE enum status verify_report_no_json(enum attestation_check failed,
                                           const struct error *why,
                                           struct json_value *root,
                                           struct error *err);

/* Print a page for people. */
void verify_report_text(const struct verify_report *report, FILE *out);

#endif
