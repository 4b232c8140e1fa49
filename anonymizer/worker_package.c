#include "anonymizer/worker_package.h"

#include <string.h>

#include "common/encoding.h"
#include "common/json_keys.h"

/* ---- takers ---- */

static enum status take_digest(const struct json_key *key,
                               const struct json_value *value, void *target,
                               struct error *err)
{
    uint8_t *out = (uint8_t *)target + key->offset;

    return hex_decode(bytes_of_string(json_string(value)), out, DIGEST_SIZE)
               ? OK
               : json_refuse(key, value, "is none", err);
}

/* Borrowed from the document. */
static enum status take_text(const struct json_key *key,
                             const struct json_value *value, void *target,
                             struct error *err)
{
    struct bytes text = bytes_of_string(json_string(value));

    if (text.size == 0)
        return json_refuse(key, value, "is empty", err);
    memcpy((char *)target + key->offset, &text, sizeof text);
    return OK;
}

static enum status take_opened(const struct json_key *key,
                               const struct json_value *value, void *target,
                               struct error *err)
{
    static const struct json_key keys[] = {
        {.name = "salt",
         .kind = JSON_STRING,
         .expected = "64 hex digits",
         .take = take_digest,
         .required = true,
         .offset = offsetof(struct opened_statement, salt)},
        {.name = "statement",
         .kind = JSON_STRING,
         .expected = "a statement",
         .take = take_text,
         .required = true,
         .offset = offsetof(struct opened_statement, text)},
    };

    _Static_assert(COMMITMENT_SALT_SIZE == DIGEST_SIZE, "of one size");
    return json_take_object(value, keys, sizeof keys / sizeof *keys,
                            (char *)target + key->offset, err);
}

/* ---- the package ---- */

#define ID(member)                                                             \
    {                                                                          \
        .name = #member, .kind = JSON_STRING,                                  \
        .expected = "the id of an entry, 64 hex digits", .take = take_digest,  \
        .required = true, .offset = offsetof(struct worker_package, member)    \
    }

static const struct json_key package_keys[] = {
    {.name = "package",
     .kind = JSON_NUMBER,
     .expected = "the version of the format, 1",
     .take = json_take_version,
     .required = true,
     .min = 1},
    ID(request),
    ID(approve),
    ID(permit),
    {.name = "terms",
     .kind = JSON_OBJECT,
     .expected = "a salt and a statement",
     .take = take_opened,
     .required = true,
     .offset = offsetof(struct worker_package, terms)},
    {.name = "permit_statement",
     .kind = JSON_OBJECT,
     .expected = "a salt and a statement",
     .take = take_opened,
     .required = true,
     .offset = offsetof(struct worker_package, permitted)},
    {.name = "bundle",
     .kind = JSON_STRING,
     .expected = "a policy with its hierarchies",
     .take = take_text,
     .required = true,
     .offset = offsetof(struct worker_package, bundle)},
};

enum status worker_package_parse(struct worker_package *package,
                                 struct bytes text, struct error *err)
{
    enum status status;

    *package = (struct worker_package){.json = NULL};
    status = json_parse(&package->json, text, err);
    if (status == OK)
        status = json_take_root(json_root(package->json), package_keys,
                                sizeof package_keys / sizeof *package_keys,
                                package, err);
    if (status != OK)
        worker_package_clear(package);
    return status == OK ? OK : error_wrap(err, "the permit's package");
}

void worker_package_clear(struct worker_package *package)
{
    json_destroy(&package->json);
    *package = (struct worker_package){.json = NULL};
}

/* ---- statements ---- */

/* "statement" says the kind: its word. */
static enum status take_kind(const struct json_key *key,
                             const struct json_value *value, void *target,
                             struct error *err)
{
    (void)target;
    return strcmp(json_string(value), key->expected) == 0
               ? OK
               : json_refuse(key, value, "is of another kind", err);
}

static bool certificate_id_valid(struct bytes id)
{
    uint8_t bytes[(CERTIFICATE_ID_SIZE - 1) / 2];

    return hex_decode(id, bytes, sizeof bytes);
}

static enum status take_purpose(const struct json_value *item, void *target,
                                struct error *err)
{
    (void)target;
    return json_kind(item) == JSON_STRING
               ? OK
               : error_set(err, E_INPUT, "a purpose is a DUO code");
}

static const struct json_key terms_keys[] = {
    {.name = "statement",
     .kind = JSON_STRING,
     .expected = "terms 1",
     .take = take_kind,
     .required = true},
    {.name = "dataset",
     .kind = JSON_STRING,
     .expected = "the id of an entry",
     .take = take_digest,
     .required = true,
     .offset = offsetof(struct worker_terms, dataset)},
    {.name = "policy",
     .kind = JSON_STRING,
     .expected = "a policy's digest",
     .take = take_digest,
     .required = true,
     .offset = offsetof(struct worker_terms, policy)},
    {.name = "organisation",
     .kind = JSON_STRING,
     .expected = "the recipient's organisation",
     .take = json_take_name,
     .required = true,
     .offset = offsetof(struct worker_terms, organisation),
     .valid = identity_name_valid,
     .size = IDENTITY_NAME_MAX + 1},
    {.name = "recipient",
     .kind = JSON_STRING,
     .expected = "the id of a certificate",
     .take = json_take_name,
     .required = true,
     .offset = offsetof(struct worker_terms, recipient),
     .valid = certificate_id_valid,
     .size = CERTIFICATE_ID_SIZE},
    /* What for is the broker's to judge: it decides by it who is permitted. */
    {.name = "purposes",
     .kind = JSON_ARRAY,
     .expected = "DUO codes",
     .take = json_take_items,
     .required = true,
     .min = 1,
     .max = 64,
     .item = take_purpose},
};

static const struct json_key permitted_keys[] = {
    {.name = "statement",
     .kind = JSON_STRING,
     .expected = "permit 1",
     .take = take_kind,
     .required = true},
    {.name = "root",
     .kind = JSON_STRING,
     .expected = "the root of the permitted subjects",
     .take = take_digest,
     .required = true,
     .offset = offsetof(struct worker_permitted, root)},
    {.name = "count",
     .kind = JSON_NUMBER,
     .expected = "how many they are",
     .take = json_take_u64,
     .required = true,
     .offset = offsetof(struct worker_permitted, count),
     .min = 1},
    {.name = "size",
     .kind = JSON_NUMBER,
     .expected = "the size of the log",
     .take = json_take_u64,
     .required = true,
     .offset = offsetof(struct worker_permitted, size)},
    {.name = "expires",
     .kind = JSON_NUMBER,
     .expected = "Unix milliseconds",
     .take = json_take_u64,
     .required = true,
     .offset = offsetof(struct worker_permitted, expires)},
};

static enum status parse(struct bytes statement, const struct json_key *keys,
                         size_t count, void *target, const char *what,
                         struct error *err)
{
    struct json *json = NULL;
    enum status status = json_parse(&json, statement, err);

    if (status == OK)
        status = json_take_root(json_root(json), keys, count, target, err);
    if (status == OK)
        status = json_check_canonical(json_root(json), statement, err);
    json_destroy(&json);
    return status == OK ? OK : error_wrap(err, "%s", what);
}

enum status worker_terms_parse(struct worker_terms *terms,
                               struct bytes statement, struct error *err)
{
    *terms = (struct worker_terms){.organisation = ""};
    return parse(statement, terms_keys, sizeof terms_keys / sizeof *terms_keys,
                 terms, "the statement of the terms", err);
}

enum status worker_permitted_parse(struct worker_permitted *permitted,
                                   struct bytes statement, struct error *err)
{
    *permitted = (struct worker_permitted){.count = 0};
    return parse(statement, permitted_keys,
                 sizeof permitted_keys / sizeof *permitted_keys, permitted,
                 "the statement of the permit", err);
}
