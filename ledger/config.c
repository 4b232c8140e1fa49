#include "ledger/config.h"

#include <stdlib.h>

#include "common/config_keys.h"
#include "common/node_keys.h"
#include "common/service.h"
#include "ledger/address.h"

/* What takers work on: the peer is the one that is being read. */
struct reading {
    struct config_source source; /* of config.json */
    struct config config;
    struct config_peer peer;
};

/* ---- takers ---- */

static enum status take_address(const struct json_key *key,
                                const struct json_value *value, void *target,
                                struct error *err)
{
    struct address address;

    if (!address_parse(bytes_of_string(json_string(value)), &address))
        return json_refuse(key, value, "is none", err);
    return json_take_string(key, value, target, err);
}

static enum status take_peer_bus(const struct json_key *key,
                                 const struct json_value *value, void *target,
                                 struct error *err)
{
    struct reading *reading = target;

    (void)key;
    return node_take_endpoint(value, reading->source.path, false,
                              reading->peer.bus, err);
}

/* ---- peers ---- */

static const struct json_key peer_keys[] = {
    {.name = "id",
     .kind = JSON_NUMBER,
     .expected = "a node's id, a whole number from 1",
     .take = json_take_u64,
     .required = true,
     .offset = offsetof(struct reading, peer.id),
     .min = 1},
    {.name = "raft",
     .kind = JSON_STRING,
     .expected = "an address, HOST:PORT",
     .take = take_address,
     .required = true,
     .offset = offsetof(struct reading, peer.raft)},
    {.name = "bus",
     .kind = JSON_STRING,
     .expected = "where the node listens",
     .take = take_peer_bus,
     .required = true},
    {.name = "curve",
     .kind = JSON_STRING,
     .expected = "a public key of 40 characters",
     .take = node_take_curve,
     .required = true,
     .offset = offsetof(struct reading, peer.curve)},
};

static enum status take_peer(const struct json_value *value, void *target,
                             struct error *err)
{
    struct reading *reading = target;
    struct config *config = &reading->config;
    enum status status;

    if (json_kind(value) != JSON_OBJECT)
        return error_set(err, E_INPUT, "line %u: a peer is an object",
                         json_line(value));
    reading->peer = (struct config_peer){.id = 0};
    status = json_take_object(
        value, peer_keys, sizeof peer_keys / sizeof *peer_keys, reading, err);
    for (size_t i = 0; status == OK && i < config->peer_count; i++)
        if (config->peer[i].id == reading->peer.id)
            status = error_set(err, E_INPUT, "line %u: node %ju is there twice",
                               json_line(value), (uintmax_t)reading->peer.id);
    /* Even if it is refused: what it owns is released with the others. */
    config->peer[config->peer_count++] = reading->peer;
    return status;
}

/* ---- the file ---- */

static const struct json_key config_keys[] = {
    JSON_KEY_VERSION("ledger"),
    {.name = "node",
     .kind = JSON_NUMBER,
     .expected = "this node's id, a whole number from 1",
     .take = json_take_u64,
     .required = true,
     .offset = offsetof(struct reading, config.node),
     .min = 1},
    CONFIG_KEY_FILE("genesis", struct reading, config.genesis),
    CONFIG_KEY_FILE("database", struct reading, config.database),
    CONFIG_KEY_FOLDER("raft_folder", struct reading, config.raft_folder),
    CONFIG_KEY_FILE("key", struct reading, config.key),
    CONFIG_KEY_FILE("certificate", struct reading, config.certificate),
    CONFIG_KEY_FILE("cosign", struct reading, config.cosign),
    CONFIG_KEY_FILE("curve", struct reading, config.curve),
    CONFIG_KEY_LISTEN(struct reading, config.listen),
    {.name = "raft",
     .kind = JSON_STRING,
     .expected = "an address, HOST:PORT",
     .take = take_address,
     .required = true,
     .offset = offsetof(struct reading, config.raft)},
    {.name = "peers",
     .kind = JSON_ARRAY,
     .expected = "the other nodes, at most 14",
     .take = json_take_items,
     .required = true,
     .max = GENESIS_NODES_MAX - 1,
     .item = take_peer},
    CONFIG_KEY_LOG(struct reading, config.log),
};

static enum status take_config(struct bytes content, void *target,
                               struct error *err)
{
    const struct reading *reading = target;
    const struct config *config = &reading->config;

    if (json_take_text(content, config_keys,
                       sizeof config_keys / sizeof *config_keys, target,
                       err) != OK)
        return err->status;
    for (size_t i = 0; i < config->peer_count; i++)
        if (config->peer[i].id == config->node)
            return error_set(err, E_INPUT,
                             "\"peers\": node %ju is this one, expected the "
                             "others",
                             (uintmax_t)config->node);
    return OK;
}

enum status config_load(struct config **out, const char *path,
                        struct error *err)
{
    struct config *config = calloc(1, sizeof *config);
    struct reading reading = {.config.log = LOG_LEVEL_INFO,
                              .source.path = path};
    enum status status;

    *out = NULL;
    if (config == NULL)
        return error_memory(err, "the configuration");
    status = service_load_config(path, take_config, &reading, err);
    *config = reading.config;
    if (status != OK)
        config_destroy(&config);
    *out = config;
    return status;
}

void config_destroy(struct config **handle)
{
    struct config *config = *handle;

    if (config == NULL)
        return;
    free(config->genesis);
    free(config->database);
    free(config->raft_folder);
    free(config->key);
    free(config->certificate);
    free(config->cosign);
    free(config->curve);
    free(config->raft);
    for (size_t i = 0; i < config->peer_count; i++)
        free(config->peer[i].raft);
    free(config);
    *handle = NULL;
}

/* ---- printing ---- */

static enum status add_peers(const struct config *config,
                             struct json_value *list, struct error *err)
{
    struct json_value *object;
    enum status status = OK;

    for (size_t i = 0; status == OK && i < config->peer_count; i++) {
        const struct config_peer *peer = &config->peer[i];

        status = json_add_object(list, NULL, &object, err);
        if (status == OK)
            status = json_add_integer(object, "id", (int64_t)peer->id, err);
        if (status == OK)
            status = json_add_string(object, "raft", peer->raft, err);
        if (status == OK)
            status = json_add_string(object, "bus", peer->bus, err);
        if (status == OK)
            status = json_add_string(object, "curve", peer->curve.text, err);
    }
    return status;
}

enum status config_print(const struct config *config, struct text *out,
                         struct error *err)
{
    const struct {
        const char *key;
        const char *value;
    } rows[] = {
        {"genesis", config->genesis},
        {"database", config->database},
        {"raft_folder", config->raft_folder},
        {"key", config->key},
        {"certificate", config->certificate},
        {"cosign", config->cosign},
        {"curve", config->curve},
        {"listen", config->listen},
        {"raft", config->raft},
        {"log", log_level_name(config->log)},
    };
    struct json *json = NULL;
    struct json_value *root, *list;
    enum status status = json_create(&json, err);

    if (status != OK)
        return status;
    root = json_edit_root(json);
    status = json_add_integer(root, "ledger", 1, err);
    if (status == OK)
        status = json_add_integer(root, "node", (int64_t)config->node, err);
    for (size_t i = 0; status == OK && i < sizeof rows / sizeof *rows; i++)
        status = json_add_string(root, rows[i].key, rows[i].value, err);
    if (status == OK)
        status = json_add_array(root, "peers", &list, err);
    if (status == OK)
        status = add_peers(config, list, err);
    if (status == OK)
        status = json_print(json_root(json), out, err);
    json_destroy(&json);
    return status;
}
