/*
 * common/node_keys.h - what more than one file says of a node, taken from it
 * (common/json_keys.h): its CURVE key, and where it listens.
 */
#ifndef COMMON_NODE_KEYS_H
#define COMMON_NODE_KEYS_H

#include <stdbool.h>

#include "common/error.h"
#include "common/json.h"
#include "common/json_keys.h"
#include "common/limits.h"

/* A struct curve_key at the offset. */
json_take node_take_curve;

/* An endpoint in the file at `file`, to listen there or to go there. */
MUST_USE enum status node_take_endpoint(const struct json_value *value,
                                        const char *file, bool listens,
                                        char out[ENDPOINT_SIZE_MAX],
                                        struct error *err);

#endif
