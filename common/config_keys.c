#include "common/config_keys.h"

#include <string.h>

#include "common/files.h"
#include "common/log.h"
#include "common/node_keys.h"
#include "common/text.h"

static const char *source_path(const void *target)
{
    const struct config_source *source = target;

    return source->path;
}

enum status config_take_path(const struct json_key *key,
                             const struct json_value *value, void *target,
                             struct error *err)
{
    struct text path;
    char *copy = NULL;
    enum status status;

    if (json_string(value)[0] == '\0')
        return json_refuse(key, value, "is empty", err);
    text_init(&path);
    status = path_beside(source_path(target), json_string(value), &path, err);
    if (status == OK && (copy = string_copy(path.data)) == NULL)
        status = error_memory(err, key->name);
    if (status == OK)
        memcpy((char *)target + key->offset, &copy, sizeof copy);
    text_clear(&path);
    return status;
}

enum status config_take_listen(const struct json_key *key,
                               const struct json_value *value, void *target,
                               struct error *err)
{
    return node_take_endpoint(value, source_path(target), true,
                              (char *)target + key->offset, err);
}

enum status config_take_log(const struct json_key *key,
                            const struct json_value *value, void *target,
                            struct error *err)
{
    enum log_level level;

    if (!log_level_parse(json_string(value), &level))
        return json_refuse(key, value, "is none", err);
    memcpy((char *)target + key->offset, &level, sizeof level);
    return OK;
}
