#include "cli/service_answer.h"

#include <stdio.h>

#include "cli/command.h"
#include "cli/signed_entry.h"

enum status recorded_print(const struct message *recorded, bool as_json,
                           struct error *err)
{
    struct receipt receipt = {.position =
                                  message_number(recorded, RECORDED_POSITION)};
    struct bytes id = message_bytes(recorded, RECORDED_ID);
    char hex[DIGEST_HEX_SIZE];
    struct json *json = NULL;
    enum status status;

    memcpy(receipt.id.byte, id.data, DIGEST_SIZE);
    if (!as_json) {
        digest_hex(&receipt.id, hex);
        printf("id        %s\nposition  %ju\n", hex,
               (uintmax_t)receipt.position);
        return command_finish_output(err);
    }
    status = json_create(&json, err);
    if (status == OK)
        status =
            signed_entry_add_place(json_edit_root(json), "id", &receipt, err);
    if (status == OK)
        status = command_print_json(json, err);
    json_destroy(&json);
    return status;
}

enum status told_list(const struct message *told, const char *key,
                      struct json **json, const struct json_value **list,
                      struct error *err)
{
    *json = NULL;
    if (json_parse(json, message_bytes(told, TOLD_JSON), err) != OK) {
        err->status = E_SYSTEM;
        return error_wrap(err, "what the service tells");
    }
    *list = json_kind(json_root(*json)) == JSON_OBJECT
                ? json_member(json_root(*json), key)
                : NULL;
    if (*list == NULL || json_kind(*list) != JSON_ARRAY)
        return error_set(err, E_SYSTEM, "the service tells no \"%s\"", key);
    return OK;
}

enum status told_string(const struct json_value *object, const char *key,
                        const char **string, struct error *err)
{
    const struct json_value *member =
        json_kind(object) == JSON_OBJECT ? json_member(object, key) : NULL;

    if (member == NULL || json_kind(member) != JSON_STRING)
        return error_set(err, E_SYSTEM, "the service tells no \"%s\"", key);
    *string = json_string(member);
    return OK;
}
