/*
 * common/config_keys.h - rows that the config.json of every service has
 * (common/json_keys.h): names of files and folders, where it listens, how much
 * it logs.
 *
 *     struct reading {
 *         struct config_source source;             first: takers look for it
 *         struct broker_config config;
 *     };
 *     static const struct json_key keys[] = {
 *         CONFIG_KEY_FILE("key", struct reading, config.key),
 *         CONFIG_KEY_LISTEN(struct reading, config.listen),
 *         CONFIG_KEY_LOG(struct reading, config.log),
 *     };
 *
 * Paths are relative to the file that they stand in, and taken so that they can
 * be opened from anywhere.
 */
#ifndef COMMON_CONFIG_KEYS_H
#define COMMON_CONFIG_KEYS_H

#include <stddef.h>

#include "common/error.h"
#include "common/json.h"
#include "common/json_keys.h"

/* What a target begins with. */
struct config_source {
    const char *path; /* of config.json */
};

/* Takers, at the offset: a path in a char * that is NULL so far; an endpoint to
 * listen at in a char[ENDPOINT_SIZE_MAX]; an enum log_level. */
json_take config_take_path;
json_take config_take_listen;
json_take config_take_log;

#define CONFIG_KEY_PATH(key, type, member, in_words)                           \
    {                                                                          \
        .name = (key), .kind = JSON_STRING, .expected = (in_words),            \
        .take = config_take_path, .required = true,                            \
        .offset = offsetof(type, member)                                       \
    }
#define CONFIG_KEY_FILE(key, type, member)                                     \
    CONFIG_KEY_PATH(key, type, member, "the name of a file")
#define CONFIG_KEY_FOLDER(key, type, member)                                   \
    CONFIG_KEY_PATH(key, type, member, "the name of a folder")
#define CONFIG_KEY_LISTEN(type, member)                                        \
    {                                                                          \
        .name = "listen", .kind = JSON_STRING,                                 \
        .expected = "ipc://PATH or tcp://ADDRESS:PORT",                        \
        .take = config_take_listen, .required = true,                          \
        .offset = offsetof(type, member)                                       \
    }
/* May be left out. */
#define CONFIG_KEY_LOG(type, member)                                           \
    {                                                                          \
        .name = "log", .kind = JSON_STRING,                                    \
        .expected = "error, warning, info or debug", .take = config_take_log,  \
        .offset = offsetof(type, member)                                       \
    }

#endif
