#include "common/network_peers.h"

#include <assert.h>
#include <string.h>
#include <time.h>

enum status network_admit(const struct network *network,
                          const struct certificate *certificate,
                          const char *service, struct error *err)
{
    int64_t first_ms, last_ms, now_ms = (int64_t)time(NULL) * 1000;

    assert(service != NULL); /* we do not listen */
    certificate_validity(certificate, &first_ms, &last_ms);
    for (size_t i = 0; i < network->node_count; i++) {
        const struct network_node *node = &network->node[i];

        if (strcmp(node->name, service) != 0)
            continue;
        if (strcmp(node->certificate, certificate_id(certificate)) != 0)
            return error_set(err, E_REFUSED,
                             "%s has another certificate than network.json "
                             "says",
                             node->name);
        if (now_ms < first_ms || now_ms > last_ms)
            return error_set(err, E_REFUSED,
                             "the certificate of %s is not valid today",
                             node->name);
        return OK;
    }
    return error_set(err, E_REFUSED, "there is no node %s", service);
}

bool network_node_is(const struct network_node *node, struct bytes leader)
{
    return bytes_equal_string(leader, node->name);
}
