/*
 * anonymizer/table_hierarchy.h - hierarchies of a table that its values make:
 * flat ones, and those that the policy describes (anonymizer/builder.h).
 *
 * While rows are read, table_value_refused says of each value that was not
 * there before whether it can be used; when all have been read, the hierarchies
 * are made of what the dictionaries hold.
 */
#ifndef ANONYMIZER_TABLE_HIERARCHY_H
#define ANONYMIZER_TABLE_HIERARCHY_H

#include "anonymizer/table.h"

/* Why a value is not of the attribute's type, or has no place in the hierarchy
 * that will be built, as the end of a sentence that begins with "the value";
 * NULL if it can be used. */
const char *table_value_refused(const struct policy *policy, size_t attribute,
                                struct bytes value);

/* The hierarchy of a quasi-identifier that has none yet, over the values that
 * occur; fills value_count, row and hierarchy. */
MUST_USE enum status table_make_hierarchy(struct table *table,
                                          const struct policy *policy,
                                          size_t quasi,
                                          const struct dictionary *dictionary,
                                          struct error *err);

/* The hierarchy of a sensitive attribute that is described, when its histograms
 * are there; nothing without. */
MUST_USE enum status table_build_sensitive(struct table *table,
                                           const struct policy *policy,
                                           size_t sensitive, struct error *err);

/* `policy` with the hierarchies that were built: a copy whose parts are
 * borrowed, but for attribute[], which is to be freed. */
MUST_USE enum status table_complete_policy(const struct table *table,
                                           const struct policy *policy,
                                           struct policy *complete,
                                           struct error *err);

#endif
