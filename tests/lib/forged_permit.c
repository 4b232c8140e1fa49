#include "tests/lib/forged_permit.h"

#include "common/permitted.h"
#include "common/random.h"

static enum status add_digest(struct json_value *root, const char *key,
                              const struct digest *digest, struct error *err)
{
    char hex[DIGEST_HEX_SIZE];

    digest_hex(digest, hex);
    return json_add_string(root, key, hex, err);
}

static enum status write_statement(const struct forged_permit *forged,
                                   const struct digest *permitted,
                                   struct own_entry *own, struct error *err)
{
    struct json *json = NULL;
    struct json_value *root;
    enum status status = json_create(&json, err);

    if (status != OK)
        return status;
    root = json_edit_root(json);
    status = json_add_integer(root, "count", (int64_t)forged->count, err);
    if (status == OK)
        status = json_add_integer(
            root, "expires",
            (int64_t)(forged->expires_ms + forged->expires_more), err);
    if (status == OK)
        status = add_digest(root, "root", permitted, err);
    if (status == OK)
        status = json_add_integer(
            root, "size", (int64_t)(forged->size + forged->size_more), err);
    if (status == OK)
        status = json_add_string(root, "statement", "permit 1", err);
    if (status == OK)
        status = own_entry_state(own, json, err);
    json_destroy(&json);
    return status;
}

static enum status write_entry(const struct forged_permit *forged,
                               const struct own_author *author,
                               struct own_entry *own, struct error *err)
{
    struct json *json = NULL;
    struct json_value *root;
    struct digest terms;
    enum status status =
        commitment_make(&forged->request->salt,
                        text_bytes(&forged->request->terms), &terms, err);

    if (status == OK)
        status = json_create(&json, err);
    if (status != OK)
        return status;
    root = json_edit_root(json);
    status = add_digest(root, "approve", forged->approval, err);
    if (status == OK)
        status = add_digest(root, "terms", &terms, err);
    if (status == OK)
        status = json_add_integer(root, "size", (int64_t)forged->size, err);
    if (status == OK)
        status =
            json_add_integer(root, "expires", (int64_t)forged->expires_ms, err);
    if (status == OK)
        status = own_entry_write(own, author, ENTRY_PERMIT, json, err);
    if (status == OK)
        status = own_entry_sign(own, author, err);
    json_destroy(&json);
    return status;
}

enum status forged_permit_make(const struct forged_permit *forged,
                               const struct own_author *author,
                               struct permit_record *permit,
                               struct own_entry *own, struct error *err)
{
    struct digest root;
    enum status status =
        random_secret(permit->seed.byte, sizeof permit->seed.byte, err);

    text_reset(&permit->list);
    if (status == OK)
        status = text_append(&permit->list, forged->list.data,
                             forged->list.size, err);
    if (status == OK)
        status = permitted_root(forged->list, &permit->seed, &root, err);
    if (status == OK)
        status = write_statement(forged, &root, own, err);
    if (status == OK)
        status = write_entry(forged, author, own, err);
    permit->id = own->id;
    permit->request = forged->request->id;
    permit->size = forged->size;
    permit->expires_ms = forged->expires_ms;
    return status;
}
