#include "broker/broker_config.h"

#include <stdlib.h>

#include "common/config_keys.h"
#include "common/service.h"

/* What takers work on. */
struct reading {
    struct config_source source; /* of config.json */
    struct broker_config config;
};

/* ---- the file ---- */

static const struct json_key config_keys[] = {
    JSON_KEY_VERSION("broker"),
    JSON_KEY_NAME("name", struct reading, config.name, identity_name_valid,
                  "the name of a service"),
    JSON_KEY_NAME("anonymizer", struct reading, config.anonymizer,
                  identity_name_valid, "the name of a service"),
    CONFIG_KEY_FOLDER("network", struct reading, config.network),
    CONFIG_KEY_FILE("genesis", struct reading, config.genesis),
    CONFIG_KEY_FILE("database", struct reading, config.database),
    CONFIG_KEY_FILE("key", struct reading, config.key),
    CONFIG_KEY_FILE("certificate", struct reading, config.certificate),
    CONFIG_KEY_FILE("curve", struct reading, config.curve),
    CONFIG_KEY_LISTEN(struct reading, config.listen),
    CONFIG_KEY_LOG(struct reading, config.log),
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
    struct reading reading = {.config.log = LOG_LEVEL_INFO,
                              .source.path = path};
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
        {"log", log_level_name(config->log)},
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
