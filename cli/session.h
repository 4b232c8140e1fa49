/*
 * cli/session.h - a user of a network, connected: what a command needs to ask
 * the nodes.
 */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include <stdint.h>

#include "common/client.h"
#include "common/error.h"
#include "common/network.h"

struct session {
    struct network *network;
    struct network_user user;
    struct client_options options;
    struct client *client;
};

/* `user` is <organisation>.<role>, or NULL: the auditor of the first node's
 * organisation.  Whatever it returns, session_close must follow. */
MUST_USE enum status session_open(struct session *session, const char *folder,
                                  const char *user, uint64_t timeout_ms,
                                  struct error *err);
void session_close(struct session *session);

#endif
