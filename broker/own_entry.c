#include "broker/own_entry.h"

#include <assert.h>

void own_entry_init(struct own_entry *entry)
{
    *entry = (struct own_entry){.settled = false};
    text_init(&entry->bytes);
    text_init(&entry->signatures);
    text_init(&entry->statement);
}

void own_entry_clear(struct own_entry *entry)
{
    text_clear(&entry->bytes);
    text_clear(&entry->signatures);
    text_clear(&entry->statement);
    secret_wipe(&entry->salt, sizeof entry->salt);
    own_entry_init(entry);
}

enum status own_entry_state(struct own_entry *entry,
                            const struct json *statement, struct error *err)
{
    enum status status;

    text_reset(&entry->statement);
    status = json_print_canonical(json_root(statement), &entry->statement, err);
    return status == OK ? commitment_draw(&entry->salt, err) : status;
}

enum status own_entry_write(struct own_entry *entry,
                            const struct own_author *author,
                            enum entry_type type, struct json *payload,
                            struct error *err)
{
    uint8_t nonce[ENTRY_NONCE_SIZE];
    struct entry_draft draft = {.type = type,
                                .origin = author->origin,
                                .channel = author->channel,
                                .author = certificate_id(author->certificate),
                                .nonce = nonce,
                                .payload = json_root(payload)};
    char hex[DIGEST_HEX_SIZE];
    struct digest commitment;
    enum status status;

    assert(entry->statement.size > 0);
    text_reset(&entry->bytes);
    status = random_secret(nonce, sizeof nonce, err);
    if (status == OK)
        status = commitment_make(&entry->salt, text_bytes(&entry->statement),
                                 &commitment, err);
    if (status != OK)
        return status;
    digest_hex(&commitment, hex);
    status = json_add_string(json_edit_root(payload), "commitment", hex, err);
    if (status == OK)
        status = entry_write(&draft, &entry->bytes, err);
    if (status == OK)
        status = digest_bytes(&entry->id, text_bytes(&entry->bytes), err);
    entry->type = type;
    return status;
}

enum status own_entry_endorse(struct own_entry *entry,
                              const struct own_author *author,
                              const struct entry_signature *other, size_t count,
                              struct error *err)
{
    struct entry_signature signature[ENTRY_SIGNATURES_MAX];
    enum status status;

    assert(count < ENTRY_SIGNATURES_MAX && entry->bytes.size > 0);
    status = entry_sign(text_bytes(&entry->bytes),
                        certificate_id(author->certificate), author->key,
                        &signature[0], err);
    if (status != OK)
        return status;
    for (size_t i = 0; i < count; i++)
        signature[i + 1] = other[i];
    text_reset(&entry->signatures);
    return entry_write_signatures(signature, count + 1, &entry->signatures,
                                  err);
}

enum status own_entry_sign(struct own_entry *entry,
                           const struct own_author *author, struct error *err)
{
    return own_entry_endorse(entry, author, NULL, 0, err);
}
