#include "common/dsse.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/encoding.h"
#include "common/json.h"
#include "common/json_keys.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

/* ---- what is signed ---- */

enum status dsse_encode(const char *type, struct bytes payload,
                        struct text *out, struct error *err)
{
    enum status status = text_printf(out, err, "DSSEv1 %zu %s %zu ",
                                     strlen(type), type, payload.size);

    if (status == OK)
        status = text_append(out, payload.data, payload.size, err);
    return status;
}

enum status dsse_sign(struct bytes payload, const char *certificate_id,
                      const struct private_key *key,
                      struct dsse_signature *signature, struct error *err)
{
    struct text message;
    enum status status;

    assert(private_key_type(key) == KEY_P256);
    assert(strlen(certificate_id) == CERTIFICATE_ID_SIZE - 1);
    *signature = (struct dsse_signature){.size = 0};
    memcpy(signature->by, certificate_id, CERTIFICATE_ID_SIZE);
    text_init(&message);
    status = dsse_encode(DSSE_PAYLOAD_TYPE, payload, &message, err);
    if (status == OK)
        status = private_key_sign(key, text_bytes(&message), signature->bytes,
                                  &signature->size, err);
    text_clear(&message);
    return status;
}

enum status dsse_verify(const struct dsse *dsse,
                        const struct certificate *certificate,
                        struct error *err)
{
    const struct dsse_signature *signature = NULL;
    struct text message;
    enum status status;

    for (size_t i = 0; i < dsse->signature_count; i++)
        if (strcmp(dsse->signature[i].by, certificate_id(certificate)) == 0)
            signature = &dsse->signature[i];
    if (signature == NULL)
        return error_set(err, E_NO, "there is no signature by certificate %s",
                         certificate_id(certificate));
    text_init(&message);
    status = dsse_encode(DSSE_PAYLOAD_TYPE, text_bytes(&dsse->payload),
                         &message, err);
    if (status == OK)
        status = public_key_verify(
            certificate_key(certificate), text_bytes(&message),
            bytes_of(signature->bytes, signature->size), err);
    if (status == E_REFUSED)
        status = error_set(err, E_NO,
                           "the signature by certificate %s does not hold",
                           certificate_id(certificate));
    text_clear(&message);
    return status;
}

/* ---- writing ---- */

static int compare_signatures(const void *a, const void *b)
{
    return strcmp(((const struct dsse_signature *)a)->by,
                  ((const struct dsse_signature *)b)->by);
}

static enum status add_base64(struct json_value *object, const char *key,
                              struct bytes bytes, struct error *err)
{
    struct text base64;
    enum status status;

    text_init(&base64);
    status = base64_append(&base64, bytes, err);
    if (status == OK)
        status = json_add_string(object, key, base64.data, err);
    text_clear(&base64);
    return status;
}

/* Ascending, each once. */
static enum status add_signatures(struct json_value *root,
                                  const struct dsse_signature *signature,
                                  size_t count, struct error *err)
{
    struct dsse_signature sorted[DSSE_SIGNATURES_MAX];
    struct json_value *list, *item;
    enum status status = json_add_array(root, "signatures", &list, err);

    memcpy(sorted, signature, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare_signatures);
    for (size_t i = 0; status == OK && i < count; i++) {
        if (i > 0 && strcmp(sorted[i - 1].by, sorted[i].by) == 0)
            return error_set(err, E_INPUT, "two signatures by certificate %s",
                             sorted[i].by);
        status = json_add_object(list, NULL, &item, err);
        if (status == OK)
            status = json_add_string(item, "keyid", sorted[i].by, err);
        if (status == OK)
            status = add_base64(item, "sig",
                                bytes_of(sorted[i].bytes, sorted[i].size), err);
    }
    return status;
}

enum status dsse_write(struct bytes payload,
                       const struct dsse_signature *signature, size_t count,
                       struct text *out, struct error *err)
{
    struct json *json = NULL;
    struct json_value *root;
    enum status status;

    if (count == 0 || count > DSSE_SIGNATURES_MAX)
        return error_set(err, E_INPUT, "%zu signatures, expected 1 to %d",
                         count, DSSE_SIGNATURES_MAX);
    if (payload.size > DSSE_PAYLOAD_SIZE_MAX)
        return error_set(err, E_LIMIT,
                         "a statement of %zu bytes, at most %u can be signed",
                         payload.size, DSSE_PAYLOAD_SIZE_MAX);
    status = json_create(&json, err);
    if (status != OK)
        return status;
    root = json_edit_root(json);
    status = add_base64(root, "payload", payload, err);
    if (status == OK)
        status = json_add_string(root, "payloadType", DSSE_PAYLOAD_TYPE, err);
    if (status == OK)
        status = add_signatures(root, signature, count, err);
    if (status == OK)
        status = json_print_canonical(json_root(json), out, err);
    json_destroy(&json);
    return status;
}

/* ---- reading ---- */

static enum status take_payload(const struct json_key *key,
                                const struct json_value *value, void *target,
                                struct error *err)
{
    struct dsse *dsse = target;

    if (base64_decode(&dsse->payload, bytes_of_string(json_string(value)),
                      err) != OK)
        return error_wrap(err, "line %u: \"%s\"", json_line(value), key->name);
    return OK;
}

static enum status take_type(const struct json_key *key,
                             const struct json_value *value, void *target,
                             struct error *err)
{
    (void)target;
    if (strcmp(json_string(value), DSSE_PAYLOAD_TYPE) != 0)
        return json_refuse(key, value, "is another", err);
    return OK;
}

static enum status take_keyid(const struct json_key *key,
                              const struct json_value *value, void *target,
                              struct error *err)
{
    struct dsse_signature *signature = target;
    uint8_t id[(CERTIFICATE_ID_SIZE - 1) / 2];

    if (!hex_decode(bytes_of_string(json_string(value)), id, sizeof id))
        return json_refuse(key, value, "is none", err);
    memcpy(signature->by, json_string(value), CERTIFICATE_ID_SIZE);
    return OK;
}

static enum status take_signature_bytes(const struct json_key *key,
                                        const struct json_value *value,
                                        void *target, struct error *err)
{
    struct dsse_signature *signature = target;
    struct text bytes;
    enum status status;

    text_init(&bytes);
    status = base64_decode(&bytes, bytes_of_string(json_string(value)), err);
    if (status == E_INPUT ||
        (status == OK && !signature_is_low(text_bytes(&bytes))))
        status = json_refuse(key, value, "is none", err);
    if (status == OK) {
        memcpy(signature->bytes, bytes.data, bytes.size);
        signature->size = bytes.size;
    }
    text_clear(&bytes);
    return status;
}

static enum status take_signature(const struct json_value *item, void *target,
                                  struct error *err)
{
    static const struct json_key keys[] = {
        {.name = "keyid",
         .kind = JSON_STRING,
         .expected = "the id of a certificate, 32 hex digits",
         .take = take_keyid,
         .required = true},
        {.name = "sig",
         .kind = JSON_STRING,
         .expected = "base64 of an ECDSA P-256 signature",
         .take = take_signature_bytes,
         .required = true},
    };
    struct dsse *dsse = target;
    struct dsse_signature *signature = &dsse->signature[dsse->signature_count];

    if (json_kind(item) != JSON_OBJECT)
        return error_set(err, E_INPUT, "line %u: a signature is an object",
                         json_line(item));
    if (json_take_object(item, keys, COUNT_OF(keys), signature, err) != OK)
        return err->status;
    if (dsse->signature_count > 0 &&
        strcmp(signature[-1].by, signature->by) >= 0)
        return error_set(err, E_INPUT,
                         "line %u: signatures are ascending by keyid, each "
                         "once",
                         json_line(item));
    dsse->signature_count++;
    return OK;
}

static const struct json_key envelope_keys[] = {
    {.name = "payload",
     .kind = JSON_STRING,
     .expected = "a statement in base64",
     .take = take_payload,
     .required = true},
    {.name = "payloadType",
     .kind = JSON_STRING,
     .expected = "\"" DSSE_PAYLOAD_TYPE "\"",
     .take = take_type,
     .required = true},
    {.name = "signatures",
     .kind = JSON_ARRAY,
     .expected = "1 to 8 signatures",
     .take = json_take_items,
     .required = true,
     .min = 1,
     .max = DSSE_SIGNATURES_MAX,
     .item = take_signature},
};

enum status dsse_parse(struct dsse *dsse, struct bytes text, struct error *err)
{
    struct json *json = NULL;
    enum status status;

    *dsse = (struct dsse){.signature_count = 0};
    text_init(&dsse->payload);
    if (text.size > DSSE_SIZE_MAX)
        return error_set(err, E_LIMIT, "%zu bytes, an envelope has at most %u",
                         text.size, DSSE_SIZE_MAX);
    status = json_parse(&json, text, err);
    if (status == OK)
        status = json_take_root(json_root(json), envelope_keys,
                                COUNT_OF(envelope_keys), dsse, err);
    json_destroy(&json);
    if (status != OK)
        dsse_clear(dsse);
    return status;
}

void dsse_clear(struct dsse *dsse)
{
    text_clear(&dsse->payload);
    *dsse = (struct dsse){.signature_count = 0};
    text_init(&dsse->payload);
}
