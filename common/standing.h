/*
 * common/standing.h - is this certificate enrolled, and not revoked, as the log
 * says?
 *
 * A service lets in whose certificate its organisation's authority has signed;
 * whether it counts today is for the log to say, which is asked when something
 * is to be done in that name.
 */
#ifndef COMMON_STANDING_H
#define COMMON_STANDING_H

#include "common/client.h"
#include "common/error.h"
#include "common/genesis.h"
#include "common/identity.h"

/* For bus_admit of a service: issued by the authority of its organisation, in
 * its dates.  E_REFUSED if not. */
MUST_USE enum status standing_admit(const struct genesis *genesis,
                                    const struct certificate *certificate,
                                    struct error *err);

/* Asks a majority of the nodes: a revocation that is anchored is not overlooked
 * because one of them is behind (common/ledger_questions.h); what matters more
 * is judged by all of them, when an entry that the certificate has signed is
 * ordered.  E_REFUSED if it is not enrolled or was revoked, E_SYSTEM if too few
 * answered in time or in good form, or the nodes refuse the asking service
 * itself. */
MUST_USE enum status standing_check(struct client *client,
                                    const struct genesis *genesis,
                                    const struct certificate *certificate,
                                    struct error *err);

#endif
