/*
 * cli/release_fetch.h - a release and its certificate, from the anonymizer to
 * the institute that asked for it.
 */
#ifndef CLI_RELEASE_FETCH_H
#define CLI_RELEASE_FETCH_H

#include "cli/session.h"
#include "common/error.h"

/* Both files appear when both are whole, or neither does.  `organisation` (may
 * be NULL: the only one) is whose anonymizer has it. */
MUST_USE enum status release_fetch(const struct session *session,
                                   const char *organisation,
                                   const char *release, const char *output,
                                   const char *certificate, struct error *err);

#endif
