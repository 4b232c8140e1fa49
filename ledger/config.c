#include "ledger/config.h"

#include <stdlib.h>
#include <string.h>

#include "common/bus.h"
#include "common/endpoint.h"
#include "common/files.h"
#include "common/json_keys.h"
#include "ledger/address.h"

/* What takers work on: the peer is the one that is being read. */
struct reading {
    struct config *config;
    struct config_peer *peer;
    const char *path; /* of config.json */
};

/* ---- takers ---- */

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

static enum status take_id(const struct json_key *key,
                           const struct json_value *value, uint64_t *out,
                           struct error *err)
{
    int64_t id;

    if (!json_integer(value, &id) || id < 1)
        return json_refuse(key, value, "is none", err);
    *out = (uint64_t)id;
    return OK;
}

static enum status take_node(const struct json_key *key,
                             const struct json_value *value, void *target,
                             struct error *err)
{
    return take_id(key, value, &((struct reading *)target)->config->node, err);
}

static enum status take_peer_id(const struct json_key *key,
                                const struct json_value *value, void *target,
                                struct error *err)
{
    return take_id(key, value, &((struct reading *)target)->peer->id, err);
}

/* The name of a file, made one that can be opened. */
static enum status take_path(const struct json_key *key,
                             const struct json_value *value, void *target,
                             struct error *err)
{
    struct reading *reading = target;
    struct text path;
    char *copy = NULL;
    enum status status;

    if (json_string(value)[0] == '\0')
        return json_refuse(key, value, "is empty", err);
    text_init(&path);
    status = path_beside(reading->path, json_string(value), &path, err);
    if (status == OK && (copy = string_copy(path.data)) == NULL)
        status = error_memory(err, key->name);
    if (status == OK)
        memcpy((char *)reading->config + key->offset, &copy, sizeof copy);
    text_clear(&path);
    return status;
}

static enum status take_address(const struct json_key *key,
                                const struct json_value *value, char **out,
                                struct error *err)
{
    struct address address;

    if (!address_parse(bytes_of_string(json_string(value)), &address))
        return json_refuse(key, value, "is none", err);
    *out = string_copy(json_string(value));
    return *out != NULL ? OK : error_memory(err, key->name);
}

static enum status take_raft(const struct json_key *key,
                             const struct json_value *value, void *target,
                             struct error *err)
{
    return take_address(key, value, &((struct reading *)target)->config->raft,
                        err);
}

static enum status take_peer_raft(const struct json_key *key,
                                  const struct json_value *value, void *target,
                                  struct error *err)
{
    return take_address(key, value, &((struct reading *)target)->peer->raft,
                        err);
}

static enum status take_endpoint(const struct reading *reading,
                                 const struct json_value *value, bool listens,
                                 char out[ENDPOINT_SIZE_MAX], struct error *err)
{
    if (endpoint_beside(reading->path, json_string(value), out, err) != OK ||
        bus_endpoint_check(out, listens, err) != OK)
        return error_wrap(err, "line %u: \"%s\"", json_line(value),
                          json_key(value));
    return OK;
}

static enum status take_listen(const struct json_key *key,
                               const struct json_value *value, void *target,
                               struct error *err)
{
    struct reading *reading = target;

    (void)key;
    return take_endpoint(reading, value, true, reading->config->listen, err);
}

static enum status take_peer_bus(const struct json_key *key,
                                 const struct json_value *value, void *target,
                                 struct error *err)
{
    struct reading *reading = target;

    (void)key;
    return take_endpoint(reading, value, false, reading->peer->bus, err);
}

static enum status take_peer_curve(const struct json_key *key,
                                   const struct json_value *value, void *target,
                                   struct error *err)
{
    struct reading *reading = target;

    if (!curve_key_parse(&reading->peer->curve,
                         bytes_of_string(json_string(value))))
        return json_refuse(key, value, "is none", err);
    return OK;
}

static enum status take_log(const struct json_key *key,
                            const struct json_value *value, void *target,
                            struct error *err)
{
    struct reading *reading = target;

    if (!log_level_parse(json_string(value), &reading->config->log))
        return json_refuse(key, value, "is none", err);
    return OK;
}

/* ---- peers ---- */

static const struct json_key peer_keys[] = {
    {.name = "id",
     .kind = JSON_NUMBER,
     .expected = "a node's id, a whole number from 1",
     .take = take_peer_id,
     .required = true},
    {.name = "raft",
     .kind = JSON_STRING,
     .expected = "an address, HOST:PORT",
     .take = take_peer_raft,
     .required = true},
    {.name = "bus",
     .kind = JSON_STRING,
     .expected = "where the node listens",
     .take = take_peer_bus,
     .required = true},
    {.name = "curve",
     .kind = JSON_STRING,
     .expected = "a public key of 40 characters",
     .take = take_peer_curve,
     .required = true},
};

static enum status take_peer(struct reading *reading,
                             const struct json_value *value, struct error *err)
{
    struct config *config = reading->config;

    if (json_kind(value) != JSON_OBJECT)
        return error_set(err, E_INPUT, "line %u: a peer is an object",
                         json_line(value));
    /* Counted first: what it owns is released with the others. */
    reading->peer = &config->peer[config->peer_count++];
    if (json_take_object(value, peer_keys, sizeof peer_keys / sizeof *peer_keys,
                         reading, err) != OK)
        return err->status;
    for (size_t i = 0; i + 1 < config->peer_count; i++)
        if (config->peer[i].id == reading->peer->id)
            return error_set(err, E_INPUT, "line %u: node %ju is there twice",
                             json_line(value), (uintmax_t)reading->peer->id);
    return OK;
}

static enum status take_peers(const struct json_key *key,
                              const struct json_value *value, void *target,
                              struct error *err)
{
    enum status status = OK;

    if (json_length(value) > GENESIS_NODES_MAX - 1)
        return json_refuse(key, value, "are too many", err);
    for (const struct json_value *item = json_first(value);
         status == OK && item != NULL; item = json_next(item))
        status = take_peer(target, item, err);
    return status;
}

/* ---- the file ---- */

static const struct json_key config_keys[] = {
    {.name = "ledger",
     .kind = JSON_NUMBER,
     .expected = "the version of the format, 1",
     .take = take_version,
     .required = true},
    {.name = "node",
     .kind = JSON_NUMBER,
     .expected = "this node's id, a whole number from 1",
     .take = take_node,
     .required = true},
    {.name = "genesis",
     .kind = JSON_STRING,
     .expected = "the name of a file",
     .take = take_path,
     .required = true,
     .offset = offsetof(struct config, genesis)},
    {.name = "database",
     .kind = JSON_STRING,
     .expected = "the name of a file",
     .take = take_path,
     .required = true,
     .offset = offsetof(struct config, database)},
    {.name = "raft_folder",
     .kind = JSON_STRING,
     .expected = "the name of a folder",
     .take = take_path,
     .required = true,
     .offset = offsetof(struct config, raft_folder)},
    {.name = "key",
     .kind = JSON_STRING,
     .expected = "the name of a file",
     .take = take_path,
     .required = true,
     .offset = offsetof(struct config, key)},
    {.name = "certificate",
     .kind = JSON_STRING,
     .expected = "the name of a file",
     .take = take_path,
     .required = true,
     .offset = offsetof(struct config, certificate)},
    {.name = "cosign",
     .kind = JSON_STRING,
     .expected = "the name of a file",
     .take = take_path,
     .required = true,
     .offset = offsetof(struct config, cosign)},
    {.name = "curve",
     .kind = JSON_STRING,
     .expected = "the name of a file",
     .take = take_path,
     .required = true,
     .offset = offsetof(struct config, curve)},
    {.name = "listen",
     .kind = JSON_STRING,
     .expected = "ipc://PATH or tcp://ADDRESS:PORT",
     .take = take_listen,
     .required = true},
    {.name = "raft",
     .kind = JSON_STRING,
     .expected = "an address, HOST:PORT",
     .take = take_raft,
     .required = true},
    {.name = "peers",
     .kind = JSON_ARRAY,
     .expected = "the other nodes, at most 14",
     .take = take_peers,
     .required = true},
    {.name = "log",
     .kind = JSON_STRING,
     .expected = "error, warning, info or debug",
     .take = take_log},
};

static enum status take_config(struct config *config, const char *path,
                               const struct json_value *root, struct error *err)
{
    struct reading reading = {.config = config, .path = path};

    if (json_kind(root) != JSON_OBJECT)
        return error_set(err, E_INPUT, "expected an object, found %s",
                         json_kind_name(json_kind(root)));
    if (json_take_object(root, config_keys,
                         sizeof config_keys / sizeof *config_keys, &reading,
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
    struct json *json = NULL;
    struct text text;
    enum status status;

    *out = NULL;
    if (config == NULL)
        return error_memory(err, "the configuration");
    config->log = LOG_LEVEL_INFO;
    text_init(&text);
    status = file_read(path, CONFIG_SIZE_MAX, &text, err);
    if (status == OK) {
        status = json_parse(&json, text_bytes(&text), err);
        if (status == OK)
            status = take_config(config, path, json_root(json), err);
        if (status != OK)
            status = error_wrap(err, "%s", path);
    }
    json_destroy(&json);
    text_clear(&text);
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

static const char *log_level_name(enum log_level level)
{
    static const char *const names[] = {
#define LEVEL_NAME(id, name) [id] = (name),
        LOG_LEVEL_TABLE(LEVEL_NAME)
#undef LEVEL_NAME
    };

    return names[level];
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
