/*
 * cli/ledger_load.h - how much a network bears: many entries on their way at
 * once, and what became of each.
 *
 * Entries are signed by threads, most of them before the clock starts; then so
 * many as asked for are kept on their way to the leader:
 *
 *     waiting --send--> on its way --submitted--> counted, a new one waits
 *        ^                  |
 *        +-- failed (retry), link lost, silent: the same bytes again
 *
 * While it is not known who leads, one of them alone is sent until somebody
 * takes it; the others follow.  An entry's latency runs from its first sending
 * to its answer, changes of the leader included.
 */
#ifndef CLI_LEDGER_LOAD_H
#define CLI_LEDGER_LOAD_H

#include "cli/ledger_requests.h"
#include "common/limits.h"

/* On its way to one node; its bus holds back what is more. */
#define LOAD_IN_FLIGHT_MAX BUS_QUEUE_MAX
#define LOAD_IN_FLIGHT 64

/* A latency of each is kept, 4 bytes: 40 MB. */
#define LOAD_COUNT_MAX 10000000
#define LOAD_COUNT 10000

/* Beyond what one connection carries. */
#define LOAD_RATE_MAX 1000000

#define LOAD_SECONDS_MAX 86400

/* Signed before the clock starts: about 700 bytes each. */
#define LOAD_BEFOREHAND_MAX 200000
#define LOAD_BEFOREHAND 5000

/* Uses count, seconds, rate, in_flight, beforehand and keep of the request.
 * Signals end it early, with the figures so far.  E_REFUSED if an entry is. */
MUST_USE enum status ledger_load(const struct ledger_request *request,
                                 struct error *err);

#endif
