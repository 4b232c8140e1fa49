#include "common/network.h"

#include <stdlib.h>
#include <string.h>

#include "common/files.h"
#include "common/json_keys.h"
#include "common/node_keys.h"

/* 45 nodes and services of some hundred bytes each. */
#define NETWORK_SIZE_MAX (128u << 10)

/* What takers work on: the node is the one that is being read. */
struct reading {
    struct network network;
    struct network_node node;
    const char *path;
};

/* ---- a node ---- */

static bool certificate_id_valid(struct bytes id)
{
    return id.size == CERTIFICATE_ID_SIZE - 1;
}

static enum status take_endpoint(const struct json_key *key,
                                 const struct json_value *value, void *target,
                                 struct error *err)
{
    struct reading *reading = target;

    (void)key;
    return node_take_endpoint(value, reading->path, false,
                              reading->node.endpoint, err);
}

/* What a node and a service have in common. */
#define PARTY_KEYS(whose)                                                      \
    /* Its folder has the name, too. */                                        \
    JSON_KEY_NAME("name", struct reading, node.name, identity_name_valid,      \
                  "the name of " whose),                                       \
        JSON_KEY_NAME("organisation", struct reading, node.organisation,       \
                      identity_name_valid, "the name of an organisation"),     \
        {.name = "endpoint",                                                   \
         .kind = JSON_STRING,                                                  \
         .expected = "where it listens",                                       \
         .take = take_endpoint,                                                \
         .required = true},                                                    \
        {.name = "curve",                                                      \
         .kind = JSON_STRING,                                                  \
         .expected = "a public key of 40 characters",                          \
         .take = node_take_curve,                                              \
         .required = true,                                                     \
         .offset = offsetof(struct reading, node.curve)},                      \
        JSON_KEY_NAME("certificate", struct reading, node.certificate,         \
                      certificate_id_valid, "the id of a certificate")

static bool name_is_taken(const struct network *network, const char *name)
{
    for (size_t i = 0; i < network->node_count; i++)
        if (strcmp(network->node[i].name, name) == 0)
            return true;
    for (size_t i = 0; i < network->service_count; i++)
        if (strcmp(network->service[i].name, name) == 0)
            return true;
    return false;
}

/* Take the members of a node or a service, which is then in reading->node. */
static enum status take_party(const struct json_value *value,
                              const struct json_key *keys, size_t count,
                              struct reading *reading, struct error *err)
{
    reading->node = (struct network_node){.role = IDENTITY_NODE};
    if (json_kind(value) != JSON_OBJECT)
        return error_set(err, E_INPUT, "line %u: expected an object, found %s",
                         json_line(value), json_kind_name(json_kind(value)));
    if (json_take_object(value, keys, count, reading, err) != OK)
        return err->status;
    if (name_is_taken(&reading->network, reading->node.name))
        return error_set(err, E_INPUT, "line %u: the name is another's already",
                         json_line(value));
    return OK;
}

static enum status take_node(const struct json_value *value, void *target,
                             struct error *err)
{
    static const struct json_key keys[] = {
        {.name = "id",
         .kind = JSON_NUMBER,
         .expected = "a whole number from 1",
         .take = json_take_u64,
         .required = true,
         .offset = offsetof(struct reading, node.id),
         .min = 1},
        PARTY_KEYS("a node"),
    };
    struct reading *reading = target;
    struct network *network = &reading->network;

    if (take_party(value, keys, sizeof keys / sizeof *keys, reading, err) != OK)
        return err->status;
    for (size_t i = 0; i < network->node_count; i++)
        if (network->node[i].id == reading->node.id)
            return error_set(err, E_INPUT,
                             "line %u: the id is another node's already",
                             json_line(value));
    network->node[network->node_count++] = reading->node;
    return OK;
}

/* ---- a service ---- */

static enum status take_role(const struct json_key *key,
                             const struct json_value *value, void *target,
                             struct error *err)
{
    struct reading *reading = target;
    enum identity_role *role = &reading->node.role;

    if (!identity_role_parse(bytes_of_string(json_string(value)), role) ||
        (*role != IDENTITY_BROKER && *role != IDENTITY_ANONYMIZER))
        return json_refuse(key, value, "is none that has a service", err);
    return OK;
}

static enum status take_service(const struct json_value *value, void *target,
                                struct error *err)
{
    static const struct json_key keys[] = {
        {.name = "role",
         .kind = JSON_STRING,
         .expected = "broker or anonymizer",
         .take = take_role,
         .required = true},
        PARTY_KEYS("a service"),
    };
    struct reading *reading = target;
    struct network *network = &reading->network;

    if (take_party(value, keys, sizeof keys / sizeof *keys, reading, err) != OK)
        return err->status;
    network->service[network->service_count++] = reading->node;
    return OK;
}

/* ---- the network ---- */

static enum status take_network(struct bytes content, void *target,
                                struct error *err)
{
    static const struct json_key keys[] = {
        JSON_KEY_VERSION("network"),
        JSON_KEY_NAME("origin", struct reading, network.origin, note_name_valid,
                      "the name of a log"),
        JSON_KEY_NAME("channel", struct reading, network.channel,
                      entry_channel_valid, "the name of a channel"),
        {.name = "nodes",
         .kind = JSON_ARRAY,
         .expected = "1 to 15 nodes",
         .take = json_take_items,
         .required = true,
         .min = 1,
         .max = NETWORK_NODES_MAX,
         .item = take_node},
        {.name = "services",
         .kind = JSON_ARRAY,
         .expected = "at most 30 services",
         .take = json_take_items,
         .max = NETWORK_SERVICES_MAX,
         .item = take_service},
    };

    return json_take_text(content, keys, sizeof keys / sizeof *keys, target,
                          err);
}

enum status network_path(const char *folder, const char *name, struct text *out,
                         struct error *err)
{
    return text_printf(out, err, "%s/%s", folder, name);
}

enum status network_load(struct network **out, const char *folder,
                         struct error *err)
{
    struct network *network = calloc(1, sizeof *network);
    struct reading reading = {.path = NULL};
    struct text path;
    enum status status;

    *out = NULL;
    if (network == NULL)
        return error_memory(err, "a network");
    text_init(&path);
    status = network_path(folder, "network.json", &path, err);
    reading.path = path.data;
    if (status == OK)
        status =
            file_load(path.data, NETWORK_SIZE_MAX, take_network, &reading, err);
    *network = reading.network;
    text_clear(&path);
    if (status != OK)
        network_destroy(&network);
    *out = network;
    return status;
}

void network_destroy(struct network **network)
{
    free(*network);
    *network = NULL;
}

enum status network_service(const struct network *network,
                            const char *organisation, enum identity_role role,
                            struct network *service, struct error *err)
{
    const struct network_node *found = NULL;

    for (size_t i = 0; i < network->service_count; i++) {
        const struct network_node *node = &network->service[i];

        if (node->role != role ||
            (organisation != NULL &&
             strcmp(node->organisation, organisation) != 0))
            continue;
        if (found != NULL)
            return error_set(err, E_INPUT,
                             "there are several services \"%s\": say of which "
                             "organisation",
                             identity_role_name(role));
        found = node;
    }
    if (found == NULL)
        return error_set(err, E_INPUT, "network.json has no %s%s%s",
                         identity_role_name(role),
                         organisation != NULL ? " of " : "",
                         organisation != NULL ? organisation : "");
    *service = (struct network){.node_count = 1};
    memcpy(service->origin, network->origin, sizeof service->origin);
    memcpy(service->channel, network->channel, sizeof service->channel);
    service->node[0] = *found;
    return OK;
}

/* ---- users ---- */

static enum status check_pair(const struct network_user *user,
                              struct error *err)
{
    struct public_key *key = NULL;
    enum status status = private_key_public(user->key, &key, err);

    if (status == OK &&
        !public_key_equal(key, certificate_key(user->certificate)))
        status =
            error_set(err, E_INPUT, "the key is not that of the certificate");
    public_key_destroy(&key);
    return status;
}

enum status network_user_load(struct network_user *user, const char *folder,
                              const char *name, struct error *err)
{
    struct text path;
    size_t base;
    enum status status;

    *user = (struct network_user){.key = NULL};
    /* A user is a folder of this network, not any folder. */
    if (strchr(name, '/') != NULL || strchr(name, '.') == NULL ||
        name[0] == '.')
        return error_set(err, E_USAGE,
                         "a user is named ORGANISATION.ROLE, as in "
                         "north.custodian");
    text_init(&path);
    status = text_printf(&path, err, "%s/users/%s/", folder, name);
    base = path.size;
    if (status == OK)
        status = text_append_string(&path, "certificate.pem", err);
    if (status == OK)
        status = certificate_load(&user->certificate, path.data, err);
    path.size = base;
    if (status == OK)
        status = text_append_string(&path, "key.pem", err);
    if (status == OK)
        status = private_key_load(&user->key, path.data, err);
    path.size = base;
    if (status == OK)
        status = text_append_string(&path, "curve.key", err);
    if (status == OK)
        status = curve_pair_load(&user->pair, path.data, err);
    if (status == OK)
        status = check_pair(user, err);
    text_clear(&path);
    if (status != OK) {
        network_user_clear(user);
        return error_wrap(err, "user %s", name);
    }
    return OK;
}

void network_user_clear(struct network_user *user)
{
    certificate_destroy(&user->certificate);
    private_key_destroy(&user->key);
    curve_pair_clear(&user->pair);
}
