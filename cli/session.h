/*
 * cli/session.h - a user of a network, connected: what a command needs to ask
 * the nodes and the services.
 */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "common/client.h"
#include "common/error.h"
#include "common/network.h"
#include "common/text.h"

struct session {
    struct network *network;
    const char *folder;                   /* of the network */
    char name[2 * IDENTITY_NAME_MAX + 2]; /* of the user */
    struct network_user user;
    struct client_options options;
    struct client *client;
};

/* `user` is <organisation>.<role>, or NULL: the auditor of the first node's
 * organisation.  `folder` is borrowed.  Whatever it returns, session_close must
 * follow. */
MUST_USE enum status session_open(struct session *session, const char *folder,
                                  const char *user, uint64_t timeout_ms,
                                  struct error *err);
/* NULL is whoever has that role: a research institute, or in the first node's
 * organisation. */
MUST_USE enum status session_open_as(struct session *session,
                                     const char *folder, const char *user,
                                     enum identity_role role,
                                     uint64_t timeout_ms, struct error *err);
void session_close(struct session *session);

/* ---- the options of it ---- */

/* Of each question: a service may read back the log before it answers. */
#define SESSION_TIMEOUT_MS 30000
#define SESSION_SECONDS_MAX 3600

struct session_options {
    const char *folder, *user;
    uint64_t timeout_ms;
};

/* For the table of options, in the struct `type`, whose member `session` is the
 * above; the time is to be SESSION_TIMEOUT_MS beforehand. */
#define SESSION_OPTION_ROWS(type)                                              \
    {"dir", 'd', OPTION_AT(TEXT, type, session.folder)},                       \
        {"as", 'u', OPTION_AT(TEXT, type, session.user)},                      \
    {                                                                          \
        "timeout", 0, OPTION_AT(NUMBER, type, session.timeout_ms),             \
            .min = 1, .max = SESSION_SECONDS_MAX, .unit = 1000                 \
    }
#define SESSION_OPTION_HELP(who)                                               \
    "  -d, --dir DIR            the folder of the network\n"                   \
    "  -u, --as USER            who asks, ORGANISATION.ROLE\n"                 \
    "                           (" who ")\n"                                   \
    "      --timeout S          give up a question after so many seconds "     \
    "(30)\n"
#define SESSION_CUSTODIAN "the first organisation's custodian"
#define SESSION_INSTITUTE "institute.research-institute"

/* Is the folder said?  If not, a misuse of that command was told. */
bool session_options_fit(const char *command,
                         const struct session_options *options);

/* session_open_as, by what they say. */
MUST_USE enum status session_open_with(struct session *session,
                                       const struct session_options *options,
                                       enum identity_role role,
                                       struct error *err);

/* Append the path of a file in the user's folder. */
MUST_USE enum status session_path(const struct session *session,
                                  const char *file, struct text *out,
                                  struct error *err);

/* ---- to a service ---- */

struct service_session {
    struct network service;
    struct client_options options;
    struct client *client;
};

/* That of `organisation` (NULL: the only one).  The same user; time for each
 * answer is that of the session.  service_session_close must follow. */
MUST_USE enum status service_session_open(struct service_session *service,
                                          const struct session *session,
                                          const char *organisation,
                                          enum identity_role role,
                                          struct error *err);
/* That of the user's own organisation; of the only one that there is, if it has
 * none: it is for the service to refuse a stranger. */
MUST_USE enum status service_session_open_near(struct service_session *service,
                                               const struct session *session,
                                               enum identity_role role,
                                               struct error *err);
void service_session_close(struct service_session *service);

#endif
