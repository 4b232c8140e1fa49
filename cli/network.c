#include "cli/network.h"

#include <stdlib.h>
#include <string.h>

#include "common/bus.h"
#include "common/endpoint.h"
#include "common/files.h"
#include "common/json_keys.h"

/* 15 nodes of some hundred bytes each. */
#define NETWORK_SIZE_MAX (64u << 10)

/* What takers work on: the node is the one that is being read. */
struct reading {
    struct network *network;
    struct network_node *node;
    const char *path;
};

/* A string that must be short enough for its place. */
static enum status take_short(const struct json_key *key,
                              const struct json_value *value, char *out,
                              size_t size_max, struct error *err)
{
    size_t size = strlen(json_string(value));

    if (size == 0 || size > size_max)
        return json_refuse(key, value, "is empty or too long", err);
    memcpy(out, json_string(value), size + 1);
    return OK;
}

/* ---- a node ---- */

static enum status take_id(const struct json_key *key,
                           const struct json_value *value, void *target,
                           struct error *err)
{
    struct reading *reading = target;
    int64_t id;

    if (!json_integer(value, &id) || id < 1)
        return json_refuse(key, value, "is none", err);
    reading->node->id = (uint64_t)id;
    return OK;
}

static enum status take_name(const struct json_key *key,
                             const struct json_value *value, void *target,
                             struct error *err)
{
    struct reading *reading = target;
    char *out = (char *)reading->node + key->offset;

    /* A node's name is the name of its folder, too. */
    if (!identity_name_valid(bytes_of_string(json_string(value))))
        return json_refuse(key, value, "is none", err);
    return take_short(key, value, out, IDENTITY_NAME_MAX, err);
}

static enum status take_endpoint(const struct json_key *key,
                                 const struct json_value *value, void *target,
                                 struct error *err)
{
    struct reading *reading = target;
    char *endpoint = reading->node->endpoint;

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

    if (!curve_key_parse(&reading->node->curve,
                         bytes_of_string(json_string(value))))
        return json_refuse(key, value, "is none", err);
    return OK;
}

static enum status take_certificate(const struct json_key *key,
                                    const struct json_value *value,
                                    void *target, struct error *err)
{
    struct reading *reading = target;

    if (strlen(json_string(value)) != CERTIFICATE_ID_SIZE - 1)
        return json_refuse(key, value, "is none", err);
    return take_short(key, value, reading->node->certificate,
                      CERTIFICATE_ID_SIZE - 1, err);
}

static enum status take_node(struct reading *reading,
                             const struct json_value *value, struct error *err)
{
    static const struct json_key keys[] = {
        {.name = "id",
         .kind = JSON_NUMBER,
         .expected = "a whole number from 1",
         .take = take_id,
         .required = true},
        {.name = "name",
         .kind = JSON_STRING,
         .expected = "the name of a node",
         .take = take_name,
         .required = true,
         .offset = offsetof(struct network_node, name)},
        {.name = "organisation",
         .kind = JSON_STRING,
         .expected = "the name of an organisation",
         .take = take_name,
         .required = true,
         .offset = offsetof(struct network_node, organisation)},
        {.name = "endpoint",
         .kind = JSON_STRING,
         .expected = "where the node listens",
         .take = take_endpoint,
         .required = true},
        {.name = "curve",
         .kind = JSON_STRING,
         .expected = "a public key of 40 characters",
         .take = take_curve,
         .required = true},
        {.name = "certificate",
         .kind = JSON_STRING,
         .expected = "the id of a certificate",
         .take = take_certificate,
         .required = true},
    };
    struct network *network = reading->network;

    if (json_kind(value) != JSON_OBJECT)
        return error_set(err, E_INPUT, "line %u: a node is an object",
                         json_line(value));
    reading->node = &network->node[network->node_count];
    if (json_take_object(value, keys, sizeof keys / sizeof *keys, reading,
                         err) != OK)
        return err->status;
    for (size_t i = 0; i < network->node_count; i++)
        if (strcmp(network->node[i].name, reading->node->name) == 0 ||
            network->node[i].id == reading->node->id)
            return error_set(err, E_INPUT,
                             "line %u: a node has name and id for itself alone",
                             json_line(value));
    network->node_count++;
    return OK;
}

/* ---- the network ---- */

static enum status take_version(const struct json_key *key,
                                const struct json_value *value, void *target,
                                struct error *err)
{
    int64_t version;

    (void)target;
    if (!json_integer(value, &version) || version != 1)
        return json_refuse(key, value, "is another", err);
    return OK;
}

static enum status take_origin(const struct json_key *key,
                               const struct json_value *value, void *target,
                               struct error *err)
{
    struct reading *reading = target;

    if (!note_name_valid(bytes_of_string(json_string(value))))
        return json_refuse(key, value, "is none", err);
    return take_short(key, value, reading->network->origin, NOTE_NAME_MAX, err);
}

static enum status take_channel(const struct json_key *key,
                                const struct json_value *value, void *target,
                                struct error *err)
{
    struct reading *reading = target;

    if (!entry_channel_valid(bytes_of_string(json_string(value))))
        return json_refuse(key, value, "is none", err);
    return take_short(key, value, reading->network->channel, ENTRY_CHANNEL_MAX,
                      err);
}

static enum status take_nodes(const struct json_key *key,
                              const struct json_value *value, void *target,
                              struct error *err)
{
    enum status status = OK;

    if (json_length(value) < 1 || json_length(value) > NETWORK_NODES_MAX)
        return json_refuse(key, value, "has another number", err);
    for (const struct json_value *item = json_first(value);
         status == OK && item != NULL; item = json_next(item))
        status = take_node(target, item, err);
    return status;
}

static enum status take_network(struct reading *reading,
                                const struct json_value *root,
                                struct error *err)
{
    static const struct json_key keys[] = {
        {.name = "network",
         .kind = JSON_NUMBER,
         .expected = "the version of the format, 1",
         .take = take_version,
         .required = true},
        {.name = "origin",
         .kind = JSON_STRING,
         .expected = "the name of a log",
         .take = take_origin,
         .required = true},
        {.name = "channel",
         .kind = JSON_STRING,
         .expected = "the name of a channel",
         .take = take_channel,
         .required = true},
        {.name = "nodes",
         .kind = JSON_ARRAY,
         .expected = "1 to 15 nodes",
         .take = take_nodes,
         .required = true},
    };

    if (json_kind(root) != JSON_OBJECT)
        return error_set(err, E_INPUT, "expected an object, found %s",
                         json_kind_name(json_kind(root)));
    return json_take_object(root, keys, sizeof keys / sizeof *keys, reading,
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
        struct reading reading = {.network = network, .path = path.data};

        status = json_parse(&json, text_bytes(&text), err);
        if (status == OK)
            status = take_network(&reading, json_root(json), err);
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
