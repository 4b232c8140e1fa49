#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "ledger/node_internal.h"

static bool is_founder(const struct genesis *genesis,
                       const struct certificate *certificate)
{
    const char *id = certificate_id(certificate);

    for (size_t i = 0; i < genesis->node_count; i++)
        if (strcmp(certificate_id(genesis->node[i].certificate), id) == 0)
            return true;
    for (size_t i = 0; i < genesis->members.count; i++)
        if (strcmp(certificate_id(genesis->members.item[i]), id) == 0)
            return true;
    return false;
}

/* A certificate of the network, valid now, enrolled and not revoked. */
static enum status check_identity(struct node *node,
                                  const struct certificate *certificate,
                                  struct error *err)
{
    const struct registered *found = NULL;
    enum status status = genesis_check_certificate(
        node->options.genesis, certificate, (int64_t)clock_now_ms(), err);

    if (status != OK)
        return status;
    /* Between a database that is gone and the end of the process. */
    if (node->registry == NULL)
        return error_set(err, E_SYSTEM, "the node is stopping");
    status =
        registry_find(node->registry, certificate_id(certificate), &found, err);
    if (status == E_INPUT && node->catchup != NULL)
        node_damaged(node, err);
    /* A damaged database must not keep away those who can heal it. */
    if (node->damaged && is_founder(node->options.genesis, certificate))
        return OK;
    if (status == OK && found == NULL)
        status = error_set(err, E_REFUSED, "the certificate is not enrolled");
    if (status == OK && found->revoked)
        status = error_set(err, E_REFUSED, "the certificate is revoked");
    return status;
}

enum status node_admit(const struct certificate *certificate,
                       const char *service, void *context, struct error *err)
{
    const struct certificate_subject *subject =
        certificate_subject(certificate);
    enum status status = check_identity(context, certificate, err);

    if (status == OK && service != NULL &&
        (subject->role != IDENTITY_NODE || strcmp(subject->name, service) != 0))
        status = error_set(err, E_REFUSED, "it is not the node %s", service);
    return status;
}

bool node_admits_member(void *context, uint64_t id, const char *address,
                        const struct certificate *certificate)
{
    struct node *node = context;
    const struct genesis_node *known = genesis_node(node->options.genesis, id);
    struct error err;

    if (known == NULL || strcmp(certificate_id(known->certificate),
                                certificate_id(certificate)) != 0)
        return false;
    if (check_identity(node, certificate, &err) != OK) {
        log_warning("node %s is not let in: %s", known->name, err.text);
        return false;
    }
    for (size_t i = 0; address != NULL && i < node->options.peer_count; i++)
        if (node->options.peer[i].id == id)
            return strcmp(node->options.peer[i].raft_address, address) == 0;
    return address == NULL;
}
