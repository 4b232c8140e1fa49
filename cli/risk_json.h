/*
 * cli/risk_json.h - the figures of `anchorite risk` for programs
 * (docs/formats.md, "anchorite risk --json").
 */
#ifndef CLI_RISK_JSON_H
#define CLI_RISK_JSON_H

#include <stdbool.h>

#include "anonymizer/risk.h"
#include "common/json.h"

/* Fill the object; with figures of each record, if `records`. */
MUST_USE enum status risk_json(const struct policy *policy,
                               const struct risk_table *table,
                               const struct risk *risk, bool records,
                               struct json_value *root, struct error *err);

#endif
