#include "broker/request_terms.h"

#include <string.h>

#include "broker/purpose.h"
#include "common/json_keys.h"
#include "common/limits.h"

static bool is_hex(struct bytes text, size_t digits)
{
    for (size_t i = 0; i < text.size; i++)
        if (memchr("0123456789abcdef", text.data[i], 16) == NULL)
            return false;
    return text.size == digits;
}

static bool digest_valid(struct bytes text)
{
    return is_hex(text, DIGEST_HEX_SIZE - 1);
}

static bool certificate_valid(struct bytes text)
{
    return is_hex(text, CERTIFICATE_ID_SIZE - 1);
}

static enum status take_purpose(const struct json_value *item, void *target,
                                struct error *err)
{
    struct request_terms *terms = target;

    if (json_kind(item) != JSON_STRING)
        return error_set(err, E_INPUT, "\"purposes\": expected DUO codes");
    return purposes_add_requested(&terms->purposes,
                                  bytes_of_string(json_string(item)), err);
}

static enum status take_kind(const struct json_key *key,
                             const struct json_value *value, void *target,
                             struct error *err)
{
    unsigned which;

    (void)target;
    return json_find_word(key, value, &which, err);
}

#define NAME_KEY(member, what, is_valid, room)                                 \
    {                                                                          \
        .name = #member, .kind = JSON_STRING, .expected = (what),              \
        .take = json_take_name, .required = true,                              \
        .offset = offsetof(struct request_terms, member), .valid = (is_valid), \
        .size = (room)                                                         \
    }

static const struct json_word kind_word[] = {{"terms 1", false}, {NULL, false}};
static const struct json_key keys[] = {
    NAME_KEY(dataset, "the id of a dataset's entry", digest_valid,
             DIGEST_HEX_SIZE),
    NAME_KEY(organisation, "the name of an organisation", identity_name_valid,
             IDENTITY_NAME_MAX + 1),
    NAME_KEY(policy, "the digest of a policy", digest_valid, DIGEST_HEX_SIZE),
    {.name = "purposes",
     .kind = JSON_ARRAY,
     .expected = "a list of DUO codes",
     .take = json_take_items,
     .required = true,
     .min = 1,
     .max = CONSENT_PURPOSES_MAX,
     .item = take_purpose},
    NAME_KEY(recipient, "the id of a certificate", certificate_valid,
             CERTIFICATE_ID_SIZE),
    {.name = "statement",
     .kind = JSON_STRING,
     .expected = "\"terms 1\"",
     .take = take_kind,
     .required = true,
     .word = kind_word},
};

enum status request_terms_read(struct request_terms *terms,
                               struct bytes statement, struct error *err)
{
    struct json *json = NULL;
    enum status status = json_parse(&json, statement, err);

    *terms = (struct request_terms){.dataset = ""};
    if (status == OK)
        status = json_take_root(json_root(json), keys,
                                sizeof keys / sizeof *keys, terms, err);
    if (status == OK)
        status = purposes_check_request(terms->purposes, err);
    if (status == OK)
        status = json_check_canonical(json_root(json), statement, err);
    json_destroy(&json);
    return status == OK ? OK : error_wrap(err, "the terms");
}
