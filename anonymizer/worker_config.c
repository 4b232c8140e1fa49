#include "anonymizer/worker_config.h"

#include <stdlib.h>
#include <string.h>

#include "common/bus.h"
#include "common/endpoint.h"
#include "common/files.h"
#include "common/json_keys.h"
#include "common/service.h"

struct reading {
    struct worker_config config;
    const char *path; /* of config.json */
};

/* ---- takers ---- */

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
        memcpy((char *)reading + key->offset, &copy, sizeof copy);
    text_clear(&path);
    return status;
}

static enum status take_listen(const struct json_key *key,
                               const struct json_value *value, void *target,
                               struct error *err)
{
    struct reading *reading = target;
    char *out = reading->config.listen;

    if (endpoint_beside(reading->path, json_string(value), out, err) != OK ||
        bus_endpoint_check(out, true, err) != OK)
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

#define PATH(member, what)                                                     \
    {                                                                          \
        .name = #member, .kind = JSON_STRING, .expected = "the name of " what, \
        .take = take_path, .required = true,                                   \
        .offset = offsetof(struct reading, config.member)                      \
    }

static const struct json_key config_keys[] = {
    {.name = "anonymizer",
     .kind = JSON_NUMBER,
     .expected = "the version of the format, 1",
     .take = json_take_version,
     .required = true,
     .min = 1},
    {.name = "name",
     .kind = JSON_STRING,
     .expected = "the name of this service in network.json",
     .take = json_take_name,
     .required = true,
     .offset = offsetof(struct reading, config.name),
     .valid = identity_name_valid,
     .size = sizeof((struct worker_config *)NULL)->name},
    PATH(network, "a folder"),
    PATH(genesis, "a file"),
    PATH(trust, "a file"),
    PATH(key, "a file"),
    PATH(certificate, "a file"),
    PATH(curve, "a file"),
    {.name = "listen",
     .kind = JSON_STRING,
     .expected = "ipc://PATH or tcp://ADDRESS:PORT",
     .take = take_listen,
     .required = true},
    PATH(database, "a file"),
    PATH(vault, "a file"),
    PATH(keys, "a file"),
    PATH(epoch, "a folder"),
    {.name = "secret",
     .kind = JSON_STRING,
     .expected = "the name of a file",
     .take = take_path,
     .offset = offsetof(struct reading, config.secret)},
    PATH(jobs, "a folder"),
    PATH(releases, "a folder"),
    {.name = "threads",
     .kind = JSON_NUMBER,
     .expected = "a whole number, 0 for all cores",
     .take = json_take_u64,
     .offset = offsetof(struct reading, config.threads),
     .max = THREADS_MAX},
    {.name = "log",
     .kind = JSON_STRING,
     .expected = "error, warning, info or debug",
     .take = take_log},
};

static enum status fill_in(struct reading *reading, struct error *err)
{
    struct text path;
    enum status status = OK;

    if (reading->config.secret != NULL)
        return OK;
    text_init(&path);
    status = path_beside(reading->path, "secret.key", &path, err);
    if (status == OK &&
        (reading->config.secret = string_copy(path.data)) == NULL)
        status = error_memory(err, "secret");
    text_clear(&path);
    return status;
}

static enum status take_config(struct bytes content, void *target,
                               struct error *err)
{
    enum status status =
        json_take_text(content, config_keys,
                       sizeof config_keys / sizeof *config_keys, target, err);

    return status == OK ? fill_in(target, err) : status;
}

enum status worker_config_load(struct worker_config **out, const char *path,
                               struct error *err)
{
    struct worker_config *config = calloc(1, sizeof *config);
    struct reading reading = {.config.log = LOG_LEVEL_INFO, .path = path};
    enum status status;

    *out = NULL;
    if (config == NULL)
        return error_memory(err, "the configuration");
    status = service_load_config(path, take_config, &reading, err);
    *config = reading.config;
    if (status != OK)
        worker_config_destroy(&config);
    *out = config;
    return status;
}

void worker_config_destroy(struct worker_config **handle)
{
    struct worker_config *config = *handle;

    if (config == NULL)
        return;
    free(config->network);
    free(config->genesis);
    free(config->trust);
    free(config->key);
    free(config->certificate);
    free(config->curve);
    free(config->database);
    free(config->vault);
    free(config->keys);
    free(config->epoch);
    free(config->secret);
    free(config->jobs);
    free(config->releases);
    free(config);
    *handle = NULL;
}

/* ---- printing ---- */

static const char *log_level_name(enum log_level level)
{
    static const char *const names[] = {
#define LEVEL_NAME(id, name) [id] = (name),
        LOG_LEVEL_TABLE(LEVEL_NAME)
#undef LEVEL_NAME
    };

    return names[level];
}

enum status worker_config_print(const struct worker_config *config,
                                struct text *out, struct error *err)
{
    const struct {
        const char *key;
        const char *value;
    } rows[] = {
        {"name", config->name},         {"network", config->network},
        {"genesis", config->genesis},   {"trust", config->trust},
        {"key", config->key},           {"certificate", config->certificate},
        {"curve", config->curve},       {"listen", config->listen},
        {"database", config->database}, {"vault", config->vault},
        {"keys", config->keys},         {"epoch", config->epoch},
        {"secret", config->secret},     {"jobs", config->jobs},
        {"releases", config->releases}, {"log", log_level_name(config->log)},
    };
    struct json *json = NULL;
    struct json_value *root;
    enum status status = json_create(&json, err);

    if (status != OK)
        return status;
    root = json_edit_root(json);
    status = json_add_integer(root, "anonymizer", 1, err);
    for (size_t i = 0; status == OK && i < sizeof rows / sizeof *rows; i++)
        status = json_add_string(root, rows[i].key, rows[i].value, err);
    if (status == OK)
        status =
            json_add_integer(root, "threads", (int64_t)config->threads, err);
    if (status == OK)
        status = json_print(json_root(json), out, err);
    json_destroy(&json);
    return status;
}
