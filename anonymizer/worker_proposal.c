#include "anonymizer/worker_proposal.h"

#include "common/encoding.h"
#include "common/entry.h"
#include "common/json.h"
#include "common/text.h"

/* What we cannot know. */
struct unknown {
    uint8_t nonce[ENTRY_NONCE_SIZE];
    int64_t checked;
};

static bool take_unknown(const struct json_value *root, struct unknown *unknown)
{
    const struct json_value *nonce, *payload, *checked;

    if (json_kind(root) != JSON_OBJECT)
        return false;
    nonce = json_member(root, "nonce");
    payload = json_member(root, "payload");
    if (nonce == NULL || json_kind(nonce) != JSON_STRING || payload == NULL ||
        json_kind(payload) != JSON_OBJECT)
        return false;
    checked = json_member(payload, "checked");
    return checked != NULL && json_kind(checked) == JSON_NUMBER &&
           json_integer(checked, &unknown->checked) && unknown->checked >= 0 &&
           hex_decode(bytes_of_string(json_string(nonce)), unknown->nonce,
                      ENTRY_NONCE_SIZE);
}

static enum status add_digest(struct json_value *parent, const char *key,
                              const struct digest *digest, struct error *err)
{
    char hex[DIGEST_HEX_SIZE];

    digest_hex(digest, hex);
    return json_add_string(parent, key, hex, err);
}

static enum status write_expected(const struct proposal_expected *expected,
                                  const struct unknown *unknown,
                                  struct text *out, struct error *err)
{
    struct json *payload = NULL;
    struct json_value *root;
    enum status status = json_create(&payload, err);

    if (status != OK)
        return status;
    root = json_edit_root(payload);
    status = json_add_integer(root, "checked", unknown->checked, err);
    if (status == OK)
        status = add_digest(root, "commitment", expected->commitment, err);
    if (status == OK)
        status = add_digest(root, "permit", expected->permit, err);
    if (status == OK)
        status = add_digest(root, "terms", expected->terms, err);
    if (status == OK) {
        const struct entry_draft draft = {.type = ENTRY_RELEASE,
                                          .origin = expected->origin,
                                          .channel = expected->channel,
                                          .author = expected->author,
                                          .nonce = unknown->nonce,
                                          .payload = root};

        status = entry_write(&draft, out, err);
    }
    json_destroy(&payload);
    return status;
}

enum status worker_proposal_check(const struct proposal_expected *expected,
                                  struct bytes entry, struct digest *id,
                                  struct error *err)
{
    struct json *json = NULL;
    struct unknown unknown = {.checked = 0};
    struct text text;
    enum status status = json_parse(&json, entry, err);

    text_init(&text);
    if (status == OK && !take_unknown(json_root(json), &unknown))
        status = error_set(err, E_REFUSED, "it is no release entry");
    if (status == OK && (uint64_t)unknown.checked < expected->size)
        status = error_set(err, E_REFUSED,
                           "it was checked before the permit was given");
    if (status == OK)
        status = write_expected(expected, &unknown, &text, err);
    if (status == OK && !bytes_equal(text_bytes(&text), entry))
        status =
            error_set(err, E_REFUSED, "it is not the entry of this release");
    if (status == OK)
        status = digest_bytes(id, entry, err);
    text_clear(&text);
    json_destroy(&json);
    if (status == E_INPUT || status == E_LIMIT)
        err->status = status = E_REFUSED;
    return status == OK ? OK : error_wrap(err, "the entry to be signed");
}
