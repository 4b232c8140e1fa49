#include "cli/session.h"

#include <stdio.h>
#include <string.h>

#include "cli/command.h"

/* The one organisation of a local network that only asks for data. */
#define INSTITUTE "institute"

/* Who it is when nobody was named. */
static const char *default_organisation(const struct network *network,
                                        enum identity_role role)
{
    return role == IDENTITY_RESEARCH_INSTITUTE ? INSTITUTE
                                               : network->node[0].organisation;
}

enum status session_open_as(struct session *session, const char *folder,
                            const char *user, enum identity_role role,
                            uint64_t timeout_ms, struct error *err)
{
    enum status status;

    *session = (struct session){.folder = folder};
    status = network_load(&session->network, folder, err);
    if (status != OK)
        return error_wrap(err, "--dir is not the folder of a network");
    if (user == NULL)
        snprintf(session->name, sizeof session->name, "%s.%s",
                 default_organisation(session->network, role),
                 identity_role_name(role));
    else if ((size_t)snprintf(session->name, sizeof session->name, "%s",
                              user) >= sizeof session->name)
        return error_set(err, E_USAGE, "--as: a user's name is shorter");
    status = network_user_load(&session->user, folder, session->name, err);
    if (status != OK)
        return status;
    session->options = (struct client_options){.network = session->network,
                                               .user = &session->user,
                                               .timeout_ms = timeout_ms,
                                               .cancel = command_cancel()};
    return client_open(&session->client, &session->options, err);
}

enum status session_open(struct session *session, const char *folder,
                         const char *user, uint64_t timeout_ms,
                         struct error *err)
{
    return session_open_as(session, folder, user, IDENTITY_AUDITOR, timeout_ms,
                           err);
}

enum status session_open_with(struct session *session,
                              const struct session_options *options,
                              enum identity_role role, struct error *err)
{
    return session_open_as(session, options->folder, options->user, role,
                           options->timeout_ms, err);
}

void session_close(struct session *session)
{
    client_close(&session->client);
    network_user_clear(&session->user);
    network_destroy(&session->network);
}

bool session_options_fit(const char *command,
                         const struct session_options *options)
{
    if (options->folder == NULL)
        command_misuse(command, "--dir is missing");
    return options->folder != NULL;
}

enum status session_path(const struct session *session, const char *file,
                         struct text *out, struct error *err)
{
    return text_printf(out, err, "%s/users/%s/%s", session->folder,
                       session->name, file);
}

/* ---- to a service ---- */

enum status service_session_open(struct service_session *service,
                                 const struct session *session,
                                 const char *organisation,
                                 enum identity_role role, struct error *err)
{
    enum status status;

    *service = (struct service_session){.client = NULL};
    status = network_service(session->network, organisation, role,
                             &service->service, err);
    if (status != OK)
        return status;
    service->options = session->options;
    service->options.network = &service->service;
    return client_open(&service->client, &service->options, err);
}

enum status service_session_open_near(struct service_session *service,
                                      const struct session *session,
                                      enum identity_role role,
                                      struct error *err)
{
    const char *own =
        certificate_subject(session->user.certificate)->organisation;
    const struct network *network = session->network;
    bool has_own = false;

    for (size_t i = 0; i < network->service_count; i++)
        has_own =
            has_own || (network->service[i].role == role &&
                        strcmp(network->service[i].organisation, own) == 0);
    return service_session_open(service, session, has_own ? own : NULL, role,
                                err);
}

void service_session_close(struct service_session *service)
{
    client_close(&service->client);
}
