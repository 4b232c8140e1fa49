/*
 * cli/release_drive.h - drives the release of a request to its end, in the
 * custodian's hands.
 *
 *     release --> progress --(works)--> a moment later again
 *                     |
 *                     +--(endorse)--> is this entry right?  sign --> endorse
 *                     +--(published, refused)--> the end
 *
 * Before the custodian signs a release entry:
 *
 *     1. it is an entry of this network by its organisation's broker;
 *     2. it rests on a permit that is in the log, valid, for an approval of
 *        exactly this request, with the same terms all along;
 *     3. it commits to the statement, which names this permit, the policy of
 *        the terms and this release.
 *
 * Nothing is lost by an interruption: saying it again goes on.
 */
#ifndef CLI_RELEASE_DRIVE_H
#define CLI_RELEASE_DRIVE_H

#include "cli/session.h"
#include "common/error.h"
#include "common/identity.h"

/* What came of it. */
struct release_result {
    char release[IDENTITY_NAME_MAX + 1];
};

/* `request` is its id in hex.  Progress goes to standard error, if that is a
 * terminal.  E_REFUSED, E_NO, ... as the release ended. */
MUST_USE enum status release_drive(const struct session *session,
                                   const char *request,
                                   struct release_result *result,
                                   struct error *err);

#endif
