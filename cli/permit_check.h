/*
 * cli/permit_check.h - `anchorite audit permits`: the permits of a broker held
 * against the log, by whoever has its database.
 */
#ifndef CLI_PERMIT_CHECK_H
#define CLI_PERMIT_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/session.h"
#include "common/error.h"

struct permit_check {
    struct session_options session;
    const char *permit;       /* id; NULL: all */
    const char *organisation; /* NULL: of the only broker that there is */
    const char *database;     /* NULL: the one in the network's folder */
    const char *trust;        /* NULL: the one in the network's folder */
    bool json;
};

/* What came of it has been printed.  *good: nothing is wrong. */
MUST_USE enum status permit_check_run(const struct permit_check *check,
                                      bool *good, struct error *err);

#endif
