#include "ledger/rules_internal.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "common/encoding.h"

void rules_make_key(char key[STATE_KEY_MAX], const char *kind, const char *name)
{
    int size = snprintf(key, STATE_KEY_MAX, "%s/%s", kind, name);

    assert(size > 0 && size < STATE_KEY_MAX);
}

/* The string in front of *rest, NUL included. */
static bool take_string(struct bytes *rest, char *out, size_t out_size)
{
    size_t size = strnlen((const char *)rest->data, rest->size) + 1;

    if (size > rest->size || size > out_size)
        return false;
    memcpy(out, rest->data, size);
    *rest = bytes_of(rest->data + size, rest->size - size);
    return true;
}

/* False for what we did not write. */
static bool decode_referred(struct bytes value, struct referred *referred)
{
    struct bytes rest;

    if (value.size < 9 || value.data[0] >= ENTRY_TYPE_COUNT)
        return false;
    referred->type = (enum entry_type)value.data[0];
    referred->number = get_be64(value.data + 1);
    rest = bytes_of(value.data + 9, value.size - 9);
    referred->found = true;
    return take_string(&rest, referred->organisation,
                       sizeof referred->organisation) &&
           take_string(&rest, referred->terms, sizeof referred->terms) &&
           take_string(&rest, referred->recipient,
                       sizeof referred->recipient) &&
           take_string(&rest, referred->custodian,
                       sizeof referred->custodian) &&
           take_string(&rest, referred->approval, sizeof referred->approval) &&
           rest.size == 0;
}

static enum status altered(const char *what, struct error *err)
{
    return error_set(err, E_INPUT,
                     "the state of %s is not what was written; the database "
                     "was altered",
                     what);
}

enum status rules_is_used(const struct rules_context *context, const char *id,
                          bool *used, struct error *err)
{
    char key[STATE_KEY_MAX];
    struct text value;
    uint64_t version;
    enum status status;

    text_init(&value);
    rules_make_key(key, "used", id);
    status = ledger_store_get(context->store, key, &value, &version, err);
    *used = version != STORE_NONE;
    text_clear(&value);
    return status;
}

enum status rules_look_up(const struct rules_context *context, const char *id,
                          struct referred *referred, struct error *err)
{
    char key[STATE_KEY_MAX];
    struct text value;
    uint64_t version;
    enum status status;

    *referred = (struct referred){0};
    text_init(&value);
    rules_make_key(key, "entry", id);
    status = ledger_store_get(context->store, key, &value, &version, err);
    if (status == OK && version != STORE_NONE &&
        !decode_referred(text_bytes(&value), referred))
        status = altered("an entry", err);
    if (status == OK)
        status = rules_is_used(context, id, &referred->used, err);
    text_clear(&value);
    return status;
}

enum status rules_rests_on_revoked(const struct rules_context *context,
                                   const struct referred *referred,
                                   uint64_t size, bool *revoked,
                                   struct error *err)
{
    const char *id[] = {referred->recipient, referred->custodian};

    *revoked = false;
    for (size_t i = 0; i < sizeof id / sizeof id[0]; i++) {
        const struct registered *found = NULL;

        if (id[i][0] == '\0')
            continue;
        if (registry_find(context->registry, id[i], &found, err) != OK)
            return err->status;
        if (found == NULL)
            return altered("an entry", err);
        *revoked |= found->revoked && found->revoked_at < size;
    }
    return OK;
}

enum status rules_append_string(struct text *out, const char *string,
                                struct error *err)
{
    return text_append(out, string, strlen(string) + 1, err);
}

enum status rules_remember(const struct rules_context *context,
                           const struct entry *entry,
                           const struct referred *step, struct error *err)
{
    char key[STATE_KEY_MAX], hex[DIGEST_HEX_SIZE];
    uint8_t head[9] = {(uint8_t)entry->type};
    struct text value;
    enum status status;

    digest_hex(&entry->id, hex);
    rules_make_key(key, "entry", hex);
    put_be64(head + 1, step->number);
    text_init(&value);
    status = text_append(&value, head, sizeof head, err);
    if (status == OK)
        status = rules_append_string(&value, step->organisation, err);
    if (status == OK)
        status = rules_append_string(&value, step->terms, err);
    if (status == OK)
        status = rules_append_string(&value, step->recipient, err);
    if (status == OK)
        status = rules_append_string(&value, step->custodian, err);
    if (status == OK)
        status = rules_append_string(&value, step->approval, err);
    if (status == OK)
        status = ledger_store_put(context->store, key, text_bytes(&value),
                                  context->position, err);
    text_clear(&value);
    return status;
}

enum status rules_mark(const struct rules_context *context, const char *kind,
                       const char *name, struct error *err)
{
    char key[STATE_KEY_MAX];

    rules_make_key(key, kind, name);
    return ledger_store_put(context->store, key, bytes_of(NULL, 0),
                            context->position, err);
}
