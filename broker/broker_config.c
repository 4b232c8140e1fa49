#include "broker/broker_config.h"

#include <stdlib.h>
#include <string.h>

#include "common/bus.h"
#include "common/endpoint.h"
#include "common/files.h"
#include "common/json_keys.h"
#include "common/service.h"

/* What takers work on. */
struct reading {
    struct broker_config config;
    const char *path; /* of config.json */
};

/* ---- takers ---- */

/* The name of a file or folder, made one that can be opened. */
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
        memcpy((char *)reading + key->offset, &copy, sizeof copy);
    text_clear(&path);
    return status;
}

static enum status take_listen(const struct json_key *key,
                               const struct json_value *value, void *target,
                               struct error *err)
{
    struct reading *reading = target;
    char *listen = reading->config.listen;

    if (endpoint_beside(reading->path, json_string(value), listen, err) != OK ||
        bus_endpoint_check(listen, true, err) != OK)
        return error_wrap(err, "line %u: \"%s\"", json_line(value), key->name);
    return OK;
}

static enum status take_log(const struct json_key *key,
                            const struct json_value *value, void *target,
                            struct error *err)
{
    struct reading *reading = target;

    if (!log_level_parse(json_string(value), &reading->config.log))
        return json_refuse(key, value, "is none", err);
    return OK;
}

/* ---- the file ---- */

#define NAME_KEY(member)                                                       \
    {                                                                          \
        .name = #member, .kind = JSON_STRING,                                  \
        .expected = "the name of a service", .take = json_take_name,           \
        .required = true, .offset = offsetof(struct reading, config.member),   \
        .valid = identity_name_valid, .size = IDENTITY_NAME_MAX + 1            \
    }
#define PATH_KEY(member, what)                                                 \
    {                                                                          \
        .name = #member, .kind = JSON_STRING, .expected = "the name of " what, \
        .take = take_path, .required = true,                                   \
        .offset = offsetof(struct reading, config.member)                      \
    }

static const struct json_key config_keys[] = {
    {.name = "broker",
     .kind = JSON_NUMBER,
     .expected = "the version of the format, 1",
     .take = json_take_version,
     .required = true,
     .min = 1},
    NAME_KEY(name),
    NAME_KEY(anonymizer),
    PATH_KEY(network, "a folder"),
    PATH_KEY(genesis, "a file"),
    PATH_KEY(database, "a file"),
    PATH_KEY(key, "a file"),
    PATH_KEY(certificate, "a file"),
    PATH_KEY(curve, "a file"),
    {.name = "listen",
     .kind = JSON_STRING,
     .expected = "ipc://PATH or tcp://ADDRESS:PORT",
     .take = take_listen,
     .required = true},
    {.name = "log",
     .kind = JSON_STRING,
     .expected = "error, warning, info or debug",
     .take = take_log},
};

static enum status take_config(struct bytes content, void *target,
                               struct error *err)
{
    return json_take_text(content, config_keys,
                          sizeof config_keys / sizeof *config_keys, target,
                          err);
}

enum status broker_config_load(struct broker_config **out, const char *path,
                               struct error *err)
{
    struct broker_config *config = calloc(1, sizeof *config);
    struct reading reading = {.config.log = LOG_LEVEL_INFO, .path = path};
    enum status status;

    *out = NULL;
    if (config == NULL)
        return error_memory(err, "the configuration");
    status = service_load_config(path, take_config, &reading, err);
    *config = reading.config;
    if (status != OK)
        broker_config_destroy(&config);
    *out = config;
    return status;
}

void broker_config_destroy(struct broker_config **handle)
{
    struct broker_config *config = *handle;

    if (config == NULL)
        return;
    free(config->network);
    free(config->genesis);
    free(config->database);
    free(config->key);
    free(config->certificate);
    free(config->curve);
    free(config);
    *handle = NULL;
}

/* ---- printing ---- */

static const char *log_name(enum log_level level)
{
    static const char *const names[] = {
#define LEVEL_NAME(id, name) [id] = (name),
        LOG_LEVEL_TABLE(LEVEL_NAME)
#undef LEVEL_NAME
    };

    return names[level];
}

enum status broker_config_print(const struct broker_config *config,
                                struct text *out, struct error *err)
{
    const struct {
        const char *key;
        const char *value;
    } rows[] = {
        {"name", config->name},
        {"network", config->network},
        {"genesis", config->genesis},
        {"key", config->key},
        {"certificate", config->certificate},
        {"curve", config->curve},
        {"listen", config->listen},
        {"database", config->database},
        {"anonymizer", config->anonymizer},
        {"log", log_name(config->log)},
    };
    struct json *json = NULL;
    struct json_value *root;
    enum status status = json_create(&json, err);

    if (status != OK)
        return status;
    root = json_edit_root(json);
    status = json_add_integer(root, "broker", 1, err);
    for (size_t i = 0; status == OK && i < sizeof rows / sizeof *rows; i++)
        status = json_add_string(root, rows[i].key, rows[i].value, err);
    if (status == OK)
        status = json_print(json_root(json), out, err);
    json_destroy(&json);
    return status;
}
