#include "cli/session.h"

#include <stdio.h>

#include "cli/command.h"

enum status session_open(struct session *session, const char *folder,
                         const char *user, uint64_t timeout_ms,
                         struct error *err)
{
    char auditor[2 * IDENTITY_NAME_MAX + 2];
    enum status status;

    *session = (struct session){.client = NULL};
    status = network_load(&session->network, folder, err);
    if (status == OK && user == NULL) {
        snprintf(auditor, sizeof auditor, "%s.auditor",
                 session->network->node[0].organisation);
        user = auditor;
    }
    if (status == OK)
        status = network_user_load(&session->user, folder, user, err);
    if (status != OK)
        return status;
    session->options = (struct client_options){.network = session->network,
                                               .user = &session->user,
                                               .timeout_ms = timeout_ms,
                                               .cancel = command_cancel()};
    return client_open(&session->client, &session->options, err);
}

void session_close(struct session *session)
{
    client_close(&session->client);
    network_user_clear(&session->user);
    network_destroy(&session->network);
}
