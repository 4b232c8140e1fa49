/*
 * anonymizer/profile.h - a look at a table before there is a policy for it.
 *
 *     read      columns and their values           profile_column.h
 *     judge     types, likely identifiers          profile_about.h
 *     propose   a role for each column             profile_role.h
 *     measure   which subsets tell rows apart      profile_subsets.h
 *     draft     a policy with hierarchies          profile_draft.h
 *
 * Nothing that is told of it is a value of a record, but for the drafted
 * hierarchies, which are files of their own (docs/decisions/026-profile.md).
 */
#ifndef ANONYMIZER_PROFILE_H
#define ANONYMIZER_PROFILE_H

#include "anonymizer/profile_about.h"
#include "anonymizer/profile_column.h"
#include "anonymizer/profile_draft.h"
#include "anonymizer/profile_role.h"
#include "anonymizer/profile_subsets.h"
#include "common/error.h"

struct profile_options {
    bool any_header;      /* profile_column.h */
    uint32_t subset_size; /* of the largest subsets; 0 measures none */
    /* Columns whose subsets are measured instead of those that are proposed as
     * quasi-identifiers: names, NULL at the end; NULL for none. */
    const char *const *measured;
};

struct profile {
    struct profile_columns columns;
    struct profile_about *about; /* [column] */
    struct profile_roles roles;
    struct profile_draft draft;
    struct profile_subsets subsets;
    size_t left_out; /* quasi-identifiers that are too many to measure */
    /* Sensitive and insensitive columns, as they would stand in a release: who
     * knows them all finds this share of rows alone.  Without those beyond
     * PROFILE_SUBSET_COLUMNS_MAX. */
    uint32_t kept_count;
    struct profile_separation kept;
};

/* The table at fd from where it stands.  E_INPUT as in profile_column.h, and
 * for measured columns that it has not. */
MUST_USE enum status profile_make(struct profile **profile, int fd,
                                  const char *name,
                                  const struct profile_options *options,
                                  struct error *err);
void profile_destroy(struct profile **profile);

#endif
