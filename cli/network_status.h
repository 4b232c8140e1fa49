/*
 * cli/network_status.h - what the nodes and services of a network say of
 * themselves, as a table or as JSON.
 */
#ifndef CLI_NETWORK_STATUS_H
#define CLI_NETWORK_STATUS_H

#include <stdbool.h>

#include "common/error.h"

/* `user` as in cli/session.h.  *all: does each answer? */
MUST_USE enum status network_status_show(const char *folder, const char *user,
                                         bool as_json, bool *all,
                                         struct error *err);

#endif
