/*
 * anonymizer/profile_draft.h - a policy that runs as it is, to begin with.
 *
 * The proposed roles, k-anonymity with k = 5 (2 where there are fewer than 50
 * rows), at most one row in twenty suppressed and dropped, and for each
 * sensitive column of which no value stands in more than half of the rows,
 * distinct-2-diversity.
 *
 * Quasi-identifiers get hierarchies (profile_hierarchy.h), whose files stand
 * beside the policy.  Ages begin at level 1 where any is above 89.  The lattice
 * has at most PROFILE_LATTICE_MAX transformations: while it has more, the
 * attribute with most levels loses its lowest one, and where all have two left,
 * the last of them is `*` from the start.
 */
#ifndef ANONYMIZER_PROFILE_DRAFT_H
#define ANONYMIZER_PROFILE_DRAFT_H

#include "anonymizer/profile_role.h"
#include "common/json.h"
#include "common/text.h"

#define PROFILE_ROWS_SMALL 50

struct profile_draft_column {
    uint32_t levels; /* of a quasi-identifier; 0 of others */
    uint32_t level_min;
    char *file; /* name of its hierarchy's, NULL without */
    struct text hierarchy;
};

struct profile_draft {
    struct profile_draft_column *at; /* [column] */
    size_t count;
    double lattice;    /* transformations */
    uint32_t narrowed; /* attributes that begin higher up because of it */
};

MUST_USE enum status profile_draft_make(struct profile_draft *draft,
                                        const struct profile_columns *columns,
                                        const struct profile_about *about,
                                        const struct profile_roles *roles,
                                        struct error *err);
void profile_draft_clear(struct profile_draft *draft);

/* The policy, into an empty object. */
MUST_USE enum status profile_draft_policy(const struct profile_draft *draft,
                                          const struct profile_columns *columns,
                                          const struct profile_about *about,
                                          const struct profile_roles *roles,
                                          struct json_value *policy,
                                          struct error *err);

#endif
