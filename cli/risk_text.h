/*
 * cli/risk_text.h - the figures of `anchorite risk` for people.
 */
#ifndef CLI_RISK_TEXT_H
#define CLI_RISK_TEXT_H

#include <stdio.h>

#include "anonymizer/risk.h"

/* `name` is the table's. */
void risk_text(const struct policy *policy, const struct risk_table *table,
               const struct risk *risk, const char *name, FILE *out);

#endif
