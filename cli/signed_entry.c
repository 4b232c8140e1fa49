#include "cli/signed_entry.h"

#include <assert.h>

#include "common/encoding.h"

/* The longest bytes that stand in hex in what we write: a digest. */
#define HEX_BYTES_MAX 64

void signed_entry_init(struct signed_entry *entry)
{
    text_init(&entry->entry);
    text_init(&entry->signatures);
    entry->id = (struct digest){{0}};
}

void signed_entry_clear(struct signed_entry *entry)
{
    text_clear(&entry->entry);
    text_clear(&entry->signatures);
}

enum status signed_entry_make(struct signed_entry *entry,
                              const struct session *session,
                              enum entry_type type, const struct json *payload,
                              struct error *err)
{
    const char *author = certificate_id(session->user.certificate);
    uint8_t nonce[ENTRY_NONCE_SIZE];
    struct entry_draft draft = {.type = type,
                                .origin = session->network->origin,
                                .channel = session->network->channel,
                                .author = author,
                                .nonce = nonce,
                                .payload = json_root(payload)};
    struct entry_signature signature;
    enum status status = random_secret(nonce, sizeof nonce, err);

    if (status == OK)
        status = entry_write(&draft, &entry->entry, err);
    if (status == OK)
        status = digest_bytes(&entry->id, text_bytes(&entry->entry), err);
    if (status == OK)
        status = entry_sign(text_bytes(&entry->entry), author,
                            session->user.key, &signature, err);
    if (status == OK)
        status = entry_write_signatures(&signature, 1, &entry->signatures, err);
    return status;
}

/* For whoever reads it: what it means, and what could be done. */
static const char *meaning(enum entry_verdict verdict, enum entry_type type)
{
    switch (verdict) {
    case VERDICT_UNKNOWN_SIGNER:
        return "the certificate is not enrolled";
    case VERDICT_BAD_SIGNATURE:
        return "the key is not the certificate's";
    case VERDICT_EXPIRED:
        return "the certificate is not valid today";
    case VERDICT_REVOKED:
        return "the certificate is revoked";
    case VERDICT_CONFLICT:
        return "another entry has the same nonce";
    case VERDICT_FORBIDDEN:
        return "this is not for the role of who signs; --as says who does";
    case VERDICT_STALE:
        return "it was overtaken by another entry";
    case VERDICT_NOT_ENDORSED:
        return "signatures of others are missing";
    case VERDICT_AGAINST_RULE:
        return type == ENTRY_REQUEST
                   ? "its dataset is not the id of a dataset entry"
                   : "a rule of such entries is broken";
    case VERDICT_VALID:
        break;
    }
    return "nothing is wrong with it";
}

enum status signed_entry_submit(const struct signed_entry *entry,
                                const struct session *session,
                                enum entry_type type, struct receipt *receipt,
                                struct error *err)
{
    enum status status =
        receipt_ask(receipt, session->client, text_bytes(&entry->entry),
                    text_bytes(&entry->signatures), err);

    if (status == OK && receipt->verdict != VERDICT_VALID)
        status = error_set(
            err, E_REFUSED,
            "the %s entry of %s is refused, and recorded at position "
            "%ju as %s: %s",
            entry_type_name(type), session->name, (uintmax_t)receipt->position,
            entry_verdict_name(receipt->verdict),
            meaning(receipt->verdict, type));
    return status;
}

enum status statement_commit(struct json_value *payload, const char *key,
                             struct bytes statement,
                             struct commitment_salt *salt, struct error *err)
{
    struct digest commitment;
    enum status status = commitment_draw(salt, err);

    if (status == OK)
        status = commitment_make(salt, statement, &commitment, err);
    if (status == OK)
        status = json_add_hex(payload, key,
                              bytes_of(commitment.byte, DIGEST_SIZE), err);
    return status;
}

enum status signed_entry_add_place(struct json_value *object, const char *key,
                                   const struct receipt *receipt,
                                   struct error *err)
{
    enum status status =
        json_add_hex(object, key, bytes_of(receipt->id.byte, DIGEST_SIZE), err);

    if (status == OK && receipt->position > (UINT64_C(1) << 53))
        status = error_set(err, E_SYSTEM,
                           "a number of the node is beyond "
                           "2^53");
    if (status == OK)
        status = json_add_integer(object, "position",
                                  (int64_t)receipt->position, err);
    return status;
}

enum status json_add_hex(struct json_value *object, const char *key,
                         struct bytes bytes, struct error *err)
{
    char hex[2 * HEX_BYTES_MAX + 1];

    assert(bytes.size <= HEX_BYTES_MAX);
    hex_encode(bytes, hex);
    return json_add_string(object, key, hex, err);
}
