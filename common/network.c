#include "common/network.h"

#include <stdlib.h>
#include <string.h>

#include "common/bus.h"
#include "common/endpoint.h"
#include "common/files.h"
#include "common/json_keys.h"

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
    char *endpoint = reading->node.endpoint;

    (void)key;
    if (endpoint_beside(reading->path, json_string(value), endpoint, err) !=
            OK ||
        bus_endpoint_check(endpoint, false, err) != OK)
        return error_wrap(err, "line %u", json_line(value));
    return OK;
}

static enum status take_curve(const struct json_key *key,
                              const struct json_value *value, void *target,
                              struct error *err)
{
    struct reading *reading = target;

    if (!curve_key_parse(&reading->node.curve,
                         bytes_of_string(json_string(value))))
        return json_refuse(key, value, "is none", err);
    return OK;
}

/* What a node and a service have in common. */
#define PARTY_KEYS(whose)                                                      \
    {.name = "name",                                                           \
     .kind = JSON_STRING,                                                      \
     .expected = "the name of " whose,                                         \
     .take = json_take_name,                                                   \
     .required = true,                                                         \
     .offset = offsetof(struct reading, node.name),                            \
     .valid = identity_name_valid, /* its folder has it, too */                \
     .size = IDENTITY_NAME_MAX + 1},                                           \
        {.name = "organisation",                                               \
         .kind = JSON_STRING,                                                  \
         .expected = "the name of an organisation",                            \
         .take = json_take_name,                                               \
         .required = true,                                                     \
         .offset = offsetof(struct reading, node.organisation),                \
         .valid = identity_name_valid,                                         \
         .size = IDENTITY_NAME_MAX + 1},                                       \
        {.name = "endpoint",                                                   \
         .kind = JSON_STRING,                                                  \
         .expected = "where it listens",                                       \
         .take = take_endpoint,                                                \
         .required = true},                                                    \
        {.name = "curve",                                                      \
         .kind = JSON_STRING,                                                  \
         .expected = "a public key of 40 characters",                          \
         .take = take_curve,                                                   \
         .required = true},                                                    \
    {                                                                          \
        .name = "certificate", .kind = JSON_STRING,                            \
        .expected = "the id of a certificate", .take = json_take_name,         \
        .required = true,                                                      \
        .offset = offsetof(struct reading, node.certificate),                  \
        .valid = certificate_id_valid, .size = CERTIFICATE_ID_SIZE             \
    }

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

static enum status take_network(struct reading *reading,
                                const struct json_value *root,
                                struct error *err)
{
    static const struct json_key keys[] = {
        {.name = "network",
         .kind = JSON_NUMBER,
         .expected = "the version of the format, 1",
         .take = json_take_version,
         .required = true,
         .min = 1},
        {.name = "origin",
         .kind = JSON_STRING,
         .expected = "the name of a log",
         .take = json_take_name,
         .required = true,
         .offset = offsetof(struct reading, network.origin),
         .valid = note_name_valid,
         .size = NOTE_NAME_MAX + 1},
        {.name = "channel",
         .kind = JSON_STRING,
         .expected = "the name of a channel",
         .take = json_take_name,
         .required = true,
         .offset = offsetof(struct reading, network.channel),
         .valid = entry_channel_valid,
         .size = ENTRY_CHANNEL_MAX + 1},
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

    return json_take_root(root, keys, sizeof keys / sizeof *keys, reading, err);
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
    struct json *json = NULL;
    struct text path, text;
    enum status status;

    *out = NULL;
    if (network == NULL)
        return error_memory(err, "a network");
    text_init(&path);
    text_init(&text);
    status = network_path(folder, "network.json", &path, err);
    if (status == OK)
        status = file_read(path.data, NETWORK_SIZE_MAX, &text, err);
    if (status == OK) {
        struct reading reading = {.path = path.data};

        status = json_parse(&json, text_bytes(&text), err);
        if (status == OK)
            status = take_network(&reading, json_root(json), err);
        *network = reading.network;
        if (status != OK)
            status = error_wrap(err, "%s", path.data);
    }
    json_destroy(&json);
    text_clear(&text);
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
