/*
 * cli/check_report.h - what `anchorite check` says about a table.
 */
#ifndef CLI_CHECK_REPORT_H
#define CLI_CHECK_REPORT_H

#include <stdio.h>

#include "anonymizer/policy.h"
#include "anonymizer/recheck.h"
#include "common/error.h"
#include "common/json.h"

/* Fill the empty object that `check --json` prints (docs/formats.md). */
MUST_USE enum status check_report_json(const struct policy *policy,
                                       const struct recheck_result *result,
                                       struct json_value *root,
                                       struct error *err);

/* Print a page for people; `name` is that of the table. */
void check_report_text(const struct policy *policy,
                       const struct recheck_result *result, const char *name,
                       FILE *out);
/* The figures of it alone: rows, classes, models, sensitive attributes. */
void check_report_figures(const struct policy *policy,
                          const struct recheck_result *result, FILE *out);

#endif
