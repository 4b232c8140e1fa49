/*
 * anonymizer/policy_columns.h - the columns of a table against a policy.
 *
 * Each attribute of the policy must be a column of the table, and each column
 * must be named by the policy, unless it removes unlisted ones: nobody releases
 * a column by forgetting it.
 */
#ifndef ANONYMIZER_POLICY_COLUMNS_H
#define ANONYMIZER_POLICY_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

#include "anonymizer/csv.h"
#include "anonymizer/policy.h"
#include "common/error.h"

/* attribute[c]: index into policy.attribute of column c of the header, or
 * NO_ATTRIBUTE for one that is removed unlisted.  `name` is the table's;
 * `nameless`: its identifying columns were left out before, as by a vault.
 * E_INPUT if they do not fit. */
MUST_USE enum status policy_bind_columns(const struct policy *policy,
                                         const struct csv_record *header,
                                         const char *name, bool nameless,
                                         size_t *attribute, struct error *err);

#endif
