/*
 * broker/release_statement.h - what the broker looks at in a release's
 * statement before it drafts an entry for it.
 *
 * The figures in it are the anonymizer's to answer for.  Which permit, which
 * policy and which release it speaks of is known here.
 */
#ifndef BROKER_RELEASE_STATEMENT_H
#define BROKER_RELEASE_STATEMENT_H

#include "common/bytes.h"
#include "common/digest.h"
#include "common/error.h"

/* The id of a release: 128 bits in hex, and a NUL. */
#define RELEASE_NAME_SIZE 33

struct release_expected {
    const struct digest *permit;
    const char *policy;  /* digest of terms */
    const char *release; /* id */
};

/* E_REFUSED with the member that differs, or for a release whose id is none;
 * E_INPUT if it is no statement. */
MUST_USE enum status
release_statement_check(struct bytes statement,
                        const struct release_expected *expected,
                        struct error *err);

#endif
