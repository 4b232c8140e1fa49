#include "common/node_keys.h"

#include "common/bus.h"
#include "common/curve.h"
#include "common/endpoint.h"

enum status node_take_curve(const struct json_key *key,
                            const struct json_value *value, void *target,
                            struct error *err)
{
    struct curve_key *out =
        (struct curve_key *)(void *)((char *)target + key->offset);

    if (!curve_key_parse(out, bytes_of_string(json_string(value))))
        return json_refuse(key, value, "is none", err);
    return OK;
}

enum status node_take_endpoint(const struct json_value *value, const char *file,
                               bool listens, char out[ENDPOINT_SIZE_MAX],
                               struct error *err)
{
    if (endpoint_beside(file, json_string(value), out, err) != OK ||
        bus_endpoint_check(out, listens, err) != OK)
        return error_wrap(err, "line %u: \"%s\"", json_line(value),
                          json_key(value));
    return OK;
}
