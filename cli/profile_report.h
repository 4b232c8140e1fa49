/*
 * cli/profile_report.h - a profile as text and as JSON (docs/formats.md).
 *
 * No value of the table is in either.
 */
#ifndef CLI_PROFILE_REPORT_H
#define CLI_PROFILE_REPORT_H

#include <stdio.h>

#include "anonymizer/profile.h"
#include "common/json.h"

MUST_USE enum status profile_report_json(const struct profile *profile,
                                         struct json_value *root,
                                         struct error *err);
/* `name`: of the table. */
MUST_USE enum status profile_report_text(const struct profile *profile,
                                         const char *name, FILE *out,
                                         struct error *err);

#endif
