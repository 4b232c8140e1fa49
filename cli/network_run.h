/*
 * cli/network_run.h - starts and ends all of a local network.
 *
 * Nodes first, then services; the other way round at the end.  What cannot be
 * started ends all that was started with it, and the last lines of its log are
 * shown.
 */
#ifndef CLI_NETWORK_RUN_H
#define CLI_NETWORK_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"

/* Make the network if there is none, of `nodes` nodes (0: three, or as many as
 * it has), and start what does not run.  `nodes_only`: a new one gets no
 * services, and none is started.  Prints how many. */
MUST_USE enum status network_run_up(const char *folder, uint64_t nodes,
                                    bool nodes_only, struct error *err);

/* End what runs, and print how many. */
MUST_USE enum status network_run_down(const char *folder, struct error *err);

#endif
