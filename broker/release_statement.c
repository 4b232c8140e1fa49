#include "broker/release_statement.h"

#include <string.h>

#include "common/encoding.h"
#include "common/json.h"

/* 128 bits in hex, as whoever makes releases draws them; it goes where there is
 * room for that and no more. */
static enum status check_name(const char *release, struct error *err)
{
    uint8_t name[(RELEASE_NAME_SIZE - 1) / 2];

    if (hex_decode(bytes_of_string(release), name, sizeof name))
        return OK;
    return error_set(err, E_REFUSED, "a release's name is %zu hex digits",
                     2 * sizeof name);
}

static enum status check_member(const struct json_value *root, const char *name,
                                const char *expected, struct error *err)
{
    const struct json_value *value = json_member(root, name);

    if (value != NULL && json_kind(value) == JSON_STRING &&
        strcmp(json_string(value), expected) == 0)
        return OK;
    return error_set(err, E_REFUSED, "has another \"%s\" than was asked for",
                     name);
}

enum status release_statement_check(struct bytes statement,
                                    const struct release_expected *expected,
                                    struct error *err)
{
    char permit[DIGEST_HEX_SIZE];
    const struct json_value *root;
    struct json *json = NULL;
    enum status status = check_name(expected->release, err);

    if (status != OK)
        return status;
    status = json_parse(&json, statement, err);
    if (status != OK)
        return error_wrap(err, "a release's statement");
    root = json_root(json);
    digest_hex(expected->permit, permit);
    if (json_kind(root) != JSON_OBJECT)
        status = error_set(err, E_INPUT, "is no object");
    if (status == OK)
        status = check_member(root, "statement", "release 1", err);
    if (status == OK)
        status = check_member(root, "permit", permit, err);
    if (status == OK)
        status = check_member(root, "policy", expected->policy, err);
    if (status == OK)
        status = check_member(root, "release", expected->release, err);
    if (status == OK)
        status = json_check_canonical(root, statement, err);
    json_destroy(&json);
    return status == OK ? OK : error_wrap(err, "a release's statement");
}
