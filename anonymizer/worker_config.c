#include "anonymizer/worker_config.h"

#include <stdlib.h>

#include "common/config_keys.h"
#include "common/files.h"
#include "common/process.h"
#include "common/service.h"

struct reading {
    struct config_source source; /* of config.json */
    struct worker_config config;
};

/* ---- the file ---- */

static const struct json_key config_keys[] = {
    JSON_KEY_VERSION("anonymizer"),
    JSON_KEY_NAME("name", struct reading, config.name, identity_name_valid,
                  "the name of this service in network.json"),
    CONFIG_KEY_FOLDER("network", struct reading, config.network),
    CONFIG_KEY_FILE("genesis", struct reading, config.genesis),
    CONFIG_KEY_FILE("trust", struct reading, config.trust),
    CONFIG_KEY_FILE("key", struct reading, config.key),
    CONFIG_KEY_FILE("certificate", struct reading, config.certificate),
    CONFIG_KEY_FILE("curve", struct reading, config.curve),
    CONFIG_KEY_LISTEN(struct reading, config.listen),
    CONFIG_KEY_FILE("database", struct reading, config.database),
    CONFIG_KEY_FILE("vault", struct reading, config.vault),
    CONFIG_KEY_FILE("keys", struct reading, config.keys),
    CONFIG_KEY_FOLDER("epoch", struct reading, config.epoch),
    {.name = "secret",
     .kind = JSON_STRING,
     .expected = "the name of a file",
     .take = config_take_path,
     .offset = offsetof(struct reading, config.secret)},
    CONFIG_KEY_FOLDER("jobs", struct reading, config.jobs),
    CONFIG_KEY_FOLDER("releases", struct reading, config.releases),
    {.name = "threads",
     .kind = JSON_NUMBER,
     .expected = "a whole number, 0 for all cores",
     .take = json_take_u64,
     .offset = offsetof(struct reading, config.threads),
     .max = THREADS_MAX},
    CONFIG_KEY_LOG(struct reading, config.log),
};

static enum status fill_in(struct reading *reading, struct error *err)
{
    struct text path;
    enum status status = OK;

    if (reading->config.secret != NULL)
        return OK;
    text_init(&path);
    status = path_beside(reading->source.path, "secret.key", &path, err);
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
    struct reading reading = {.config.log = LOG_LEVEL_INFO,
                              .source.path = path};
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

unsigned worker_config_threads(const struct worker_config *config)
{
    return config->threads > 0 ? (unsigned)config->threads
                               : process_cores(THREADS_MAX);
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
