/*
 * anonymizer/profile_role.h - a role for each column, with the reason.
 *
 * The first that applies:
 *
 *     empty, or the same in every row       insensitive
 *     the patient's number, each row its own subject, once in a table
 *     the surest finding, from FINDING_DECIDES on: its kind's role
 *     some values are identifiers           identifying
 *     nothing                               identifying: what nobody has
 *                                           recognised is not released
 *
 * A role other than identifying is taken back where there are too many distinct
 * values to generalize them one by one; sensitive text that mostly stands in a
 * single row is removed, such a number generalized.
 *
 * A policy needs a quasi-identifier: where none was found, columns that nobody
 * has recognised are taken for it, and without those, the sensitive ones.
 *
 * A subject whose number stands in several rows gets no role `subject`: k would
 * count rows, not patients; `subject_repeats` says so.
 */
#ifndef ANONYMIZER_PROFILE_ROLE_H
#define ANONYMIZER_PROFILE_ROLE_H

#include "anonymizer/policy.h"
#include "anonymizer/profile_about.h"

#define PROFILE_REASON_SIZE 200

struct profile_role {
    enum role role;
    char reason[PROFILE_REASON_SIZE]; /* no value of a record in it */
    bool recognised;
};

struct profile_roles {
    struct profile_role *at; /* [column] */
    size_t subject_repeats;  /* a column, or SIZE_MAX */
};

MUST_USE enum status
profile_roles_propose(struct profile_roles *roles,
                      const struct profile_columns *columns,
                      const struct profile_about *about, struct error *err);
void profile_roles_clear(struct profile_roles *roles);

#endif
