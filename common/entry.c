#include "common/entry.h"

#include <assert.h>
#include <string.h>

#include "common/encoding.h"
#include "common/json_keys.h"
#include "common/note.h"

/* ---- names ---- */

const char *entry_type_name(enum entry_type type)
{
    static const char *const name[] = {
#define TYPE_NAME(word, id) [ENTRY_##id] = (word),
        ENTRY_TYPE_TABLE(TYPE_NAME)
#undef TYPE_NAME
    };

    assert((unsigned)type < ENTRY_TYPE_COUNT);
    return name[type];
}

bool entry_type_parse(struct bytes name, enum entry_type *type)
{
    for (unsigned i = 0; i < ENTRY_TYPE_COUNT; i++)
        if (bytes_equal_string(name, entry_type_name((enum entry_type)i))) {
            *type = (enum entry_type)i;
            return true;
        }
    return false;
}

const char *entry_verdict_name(enum entry_verdict verdict)
{
    switch (verdict) {
#define VERDICT_NAME(byte, id, name)                                           \
    case VERDICT_##id:                                                         \
        return (name);
        VERDICT_TABLE(VERDICT_NAME)
#undef VERDICT_NAME
    }
    assert(false);
    return NULL;
}

bool entry_channel_valid(struct bytes channel)
{
    if (channel.size == 0 || channel.size > ENTRY_CHANNEL_MAX ||
        channel.data[0] < 'a' || channel.data[0] > 'z')
        return false;
    for (size_t i = 0; i < channel.size; i++) {
        uint8_t byte = channel.data[i];

        if (!(byte >= 'a' && byte <= 'z') && !(byte >= '0' && byte <= '9') &&
            byte != '-')
            return false;
    }
    return true;
}

/* size - 1 lower-case hex digits; certificate ids and nonces. */
static bool hex_valid(struct bytes digits, size_t size)
{
    uint8_t byte[(CERTIFICATE_ID_SIZE - 1) / 2];

    static_assert(ENTRY_NONCE_HEX_SIZE == CERTIFICATE_ID_SIZE,
                  "both have 128 bits");
    assert(size == CERTIFICATE_ID_SIZE);
    return hex_decode(digits, byte, (size - 1) / 2);
}

/* ---- the members ---- */

static enum status take_hex(const struct json_key *key,
                            const struct json_value *value, void *target,
                            struct error *err)
{
    struct bytes digits = bytes_of_string(json_string(value));

    if (!hex_valid(digits, CERTIFICATE_ID_SIZE))
        return json_refuse(key, value, "is something else", err);
    memcpy((char *)target + key->offset, digits.data, digits.size + 1);
    return OK;
}

static enum status take_channel(const struct json_key *key,
                                const struct json_value *value, void *target,
                                struct error *err)
{
    struct entry *entry = target;

    if (!entry_channel_valid(bytes_of_string(json_string(value))))
        return json_refuse(key, value, "is something else", err);
    entry->channel = json_string(value);
    return OK;
}

static enum status take_origin(const struct json_key *key,
                               const struct json_value *value, void *target,
                               struct error *err)
{
    struct entry *entry = target;

    if (!note_name_valid(bytes_of_string(json_string(value))))
        return json_refuse(key, value, "is something else", err);
    entry->origin = json_string(value);
    return OK;
}

/* As deep as the document, which json_parse limits.  `name` is the nearest key
 * above or at `value`. */
static enum status check_payload(const struct json_value *value,
                                 const char *name, struct error *err)
{
    int64_t whole;

    switch (json_kind(value)) {
    case JSON_BOOLEAN:
    case JSON_STRING:
        return OK;
    case JSON_NULL:
        return error_set(err, E_INPUT,
                         "null at %s in the payload, expected nothing there",
                         json_quote(name).text);
    case JSON_NUMBER:
        if (json_integer(value, &whole))
            return OK;
        return error_set(err, E_INPUT,
                         "a number at %s in the payload, expected a whole one "
                         "within +-2^53, or a string",
                         json_quote(name).text);
    case JSON_ARRAY:
    case JSON_OBJECT:
        break;
    }
    for (const struct json_value *child = json_first(value); child != NULL;
         child = json_next(child))
        if (check_payload(child,
                          json_key(child) != NULL ? json_key(child) : name,
                          err) != OK)
            return err->status;
    return OK;
}

static enum status take_payload(const struct json_key *key,
                                const struct json_value *value, void *target,
                                struct error *err)
{
    struct entry *entry = target;

    entry->payload = value;
    return check_payload(value, key->name, err);
}

static enum status take_type(const struct json_key *key,
                             const struct json_value *value, void *target,
                             struct error *err)
{
    struct entry *entry = target;
    unsigned type = 0;

    /* Words that are near cost more than all the rest: only for errors. */
    while (type < ENTRY_TYPE_COUNT &&
           strcmp(key->word[type].name, json_string(value)) != 0)
        type++;
    if (type == ENTRY_TYPE_COUNT &&
        json_find_word(key, value, &type, err) != OK)
        return err->status;
    entry->type = (enum entry_type)type;
    return OK;
}

static enum status take_members(const struct json_value *root,
                                struct entry *entry, struct error *err)
{
    static const struct json_word types[] = {
#define TYPE_WORD(word, id) [ENTRY_##id] = {.name = (word)},
        ENTRY_TYPE_TABLE(TYPE_WORD)
#undef TYPE_WORD
            [ENTRY_TYPE_COUNT] = {.name = NULL},
    };
    static const struct json_key keys[] = {
        {.name = "author",
         .kind = JSON_STRING,
         .expected = "a certificate id, 32 lower-case hex digits",
         .take = take_hex,
         .required = true,
         .offset = offsetof(struct entry, author)},
        {.name = "channel",
         .kind = JSON_STRING,
         .expected = "1 to 64 lower-case letters, digits and dashes, a letter "
                     "first",
         .take = take_channel,
         .required = true},
        {.name = "nonce",
         .kind = JSON_STRING,
         .expected = "32 lower-case hex digits",
         .take = take_hex,
         .required = true,
         .offset = offsetof(struct entry, nonce)},
        {.name = "origin",
         .kind = JSON_STRING,
         .expected = "1 to 128 bytes without spaces, control characters and "
                     "plus signs",
         .take = take_origin,
         .required = true},
        {.name = "payload",
         .kind = JSON_OBJECT,
         .expected = "an object",
         .take = take_payload,
         .required = true},
        {.name = "type",
         .kind = JSON_STRING,
         .expected = "a type of entry",
         .take = take_type,
         .required = true,
         .word = types},
    };

    if (json_kind(root) != JSON_OBJECT)
        return error_set(err, E_INPUT, "%s, expected an object",
                         json_kind_name(json_kind(root)));
    return json_take_object(root, keys, sizeof keys / sizeof keys[0], entry,
                            err);
}

static enum status check_size(size_t size, size_t size_max, struct error *err)
{
    if (size <= size_max)
        return OK;
    return error_set(err, E_LIMIT, "%zu bytes, expected at most %zu", size,
                     size_max);
}

/* ---- the entry ---- */

/* Is `bytes` the RFC 8785 form of what was read from it? */
static enum status check_canonical(const struct json_value *root,
                                   struct bytes bytes, struct error *err)
{
    struct text canonical;
    size_t same = 0;
    enum status status;

    text_init(&canonical);
    status = text_reserve(&canonical, bytes.size, err);
    if (status == OK)
        status = json_print_canonical(root, &canonical, err);
    if (status == OK && !bytes_equal(text_bytes(&canonical), bytes)) {
        while (same < bytes.size && same < canonical.size &&
               bytes.data[same] == (uint8_t)canonical.data[same])
            same++;
        status = error_set(err, E_INPUT,
                           "byte %zu is not as in its RFC 8785 form, expected "
                           "that form",
                           same + 1);
    }
    text_clear(&canonical);
    return status;
}

static enum status parse_body(struct entry *entry, struct bytes bytes,
                              struct error *err)
{
    enum status status = check_size(bytes.size, ENTRY_SIZE_MAX, err);

    entry->bytes = bytes;
    if (status == OK)
        status = json_parse(&entry->json, bytes, err);
    if (status == OK)
        status = check_canonical(json_root(entry->json), bytes, err);
    if (status == OK)
        status = take_members(json_root(entry->json), entry, err);
    if (status == OK)
        digest_parts(&entry->id, &bytes, 1);
    return status;
}

/* ---- the signatures ----
 *
 * Their RFC 8785 form has no freedom but in hex digits and base64, so that it
 * is matched, piece by piece, and not read as any JSON. */

static const char before_by[] = "{\"by\":\"";
static const char before_signature[] = "\",\"signature\":\"";
static const char behind_signature[] = "\"}";

static enum status take_literal(struct bytes *rest, const char *literal,
                                struct error *err)
{
    size_t size = strlen(literal);

    if (rest->size < size || memcmp(rest->data, literal, size) != 0)
        return error_set(err, E_INPUT, "another form, expected %s", literal);
    *rest = bytes_of(rest->data + size, rest->size - size);
    return OK;
}

/* Characters up to the next quote. */
static struct bytes take_string(struct bytes *rest)
{
    const uint8_t *end =
        rest->size > 0 ? memchr(rest->data, '"', rest->size) : NULL;
    size_t size = end != NULL ? (size_t)(end - rest->data) : rest->size;
    struct bytes string = bytes_of(rest->data, size);

    if (size > 0)
        *rest = bytes_of(rest->data + size, rest->size - size);
    return string;
}

/* Take {"by":...,"signature":...} off the front of *rest. */
static enum status take_signature(struct bytes *rest,
                                  struct entry_signature *signature,
                                  struct text *der, struct error *err)
{
    struct bytes by, base64;

    if (take_literal(rest, before_by, err) != OK)
        return err->status;
    by = take_string(rest);
    if (!hex_valid(by, CERTIFICATE_ID_SIZE))
        return error_set(err, E_INPUT,
                         "\"by\" of %zu bytes, expected a certificate id, 32 "
                         "lower-case hex digits",
                         by.size);
    if (take_literal(rest, before_signature, err) != OK)
        return err->status;
    base64 = take_string(rest);
    text_reset(der);
    if (base64_decode(der, base64, err) != OK)
        return err->status;
    if (!signature_is_low(text_bytes(der)))
        return error_set(
            err, E_INPUT,
            "%zu bytes, expected DER of an ECDSA P-256 signature with a low s",
            der->size);
    if (take_literal(rest, behind_signature, err) != OK)
        return err->status;
    memcpy(signature->by, by.data, by.size);
    signature->by[by.size] = '\0';
    memcpy(signature->bytes, der->data, der->size);
    signature->size = der->size;
    return OK;
}

/* One more, which has to come behind the last. */
static enum status add_signature(struct entry *entry, struct bytes *rest,
                                 struct text *der, struct error *err)
{
    struct entry_signature *signature =
        &entry->signature[entry->signature_count];

    if (entry->signature_count == ENTRY_SIGNATURES_MAX)
        return error_set(err, E_LIMIT, "one more, expected at most %d",
                         ENTRY_SIGNATURES_MAX);
    if (entry->signature_count > 0 && take_literal(rest, ",", err) != OK)
        return err->status;
    if (take_signature(rest, signature, der, err) != OK)
        return err->status;
    if (entry->signature_count > 0 &&
        strcmp(signature[-1].by, signature->by) >= 0)
        return error_set(err, E_INPUT,
                         "\"by\" is not above that of the one before, expected "
                         "ascending order");
    entry->signature_count++;
    return OK;
}

static enum status parse_signatures(struct entry *entry,
                                    struct bytes signatures, struct error *err)
{
    struct bytes rest = signatures;
    struct text der;
    enum status status;

    entry->signature_bytes = signatures;
    text_init(&der);
    status = check_size(signatures.size, ENTRY_SIGNATURES_SIZE_MAX, err);
    if (status == OK)
        status = take_literal(&rest, "[", err);
    if (status == OK)
        do {
            status = add_signature(entry, &rest, &der, err);
            if (status != OK)
                status =
                    error_wrap(err, "number %zu", entry->signature_count + 1);
        } while (status == OK && rest.size > 0 && rest.data[0] == ',');
    if (status == OK)
        status = take_literal(&rest, "]", err);
    if (status == OK && rest.size > 0)
        status =
            error_set(err, E_INPUT, "%zu bytes behind the array, expected none",
                      rest.size);
    text_clear(&der);
    return status;
}

static enum status check_author(const struct entry *entry, struct error *err)
{
    for (size_t i = 0; i < entry->signature_count; i++)
        if (strcmp(entry->signature[i].by, entry->author) == 0)
            return OK;
    return error_set(err, E_INPUT, "none by the author, expected one");
}

enum status entry_parse(struct entry *entry, struct bytes bytes,
                        struct bytes signatures, struct error *err)
{
    enum status status;

    *entry = (struct entry){.json = NULL};
    status = parse_body(entry, bytes, err);
    if (status != OK) {
        status = error_wrap(err, "entry");
    } else {
        status = parse_signatures(entry, signatures, err);
        if (status == OK)
            status = check_author(entry, err);
        if (status != OK)
            status = error_wrap(err, "signatures of an entry");
    }
    if (status != OK)
        entry_clear(entry);
    return status;
}

void entry_clear(struct entry *entry)
{
    json_destroy(&entry->json);
    *entry = (struct entry){.json = NULL};
}

/* ---- making one ---- */

static enum status build(struct json *json, const struct entry_draft *draft,
                         struct error *err)
{
    struct json_value *root = json_edit_root(json);
    char nonce[ENTRY_NONCE_HEX_SIZE];

    hex_encode(bytes_of(draft->nonce, ENTRY_NONCE_SIZE), nonce);
    if (json_add_string(root, "author", draft->author, err) != OK ||
        json_add_string(root, "channel", draft->channel, err) != OK ||
        json_add_string(root, "nonce", nonce, err) != OK ||
        json_add_string(root, "origin", draft->origin, err) != OK ||
        json_add_copy(root, "payload", draft->payload, err) != OK ||
        json_add_string(root, "type", entry_type_name(draft->type), err) != OK)
        return err->status;
    return OK;
}

enum status entry_write(const struct entry_draft *draft, struct text *out,
                        struct error *err)
{
    struct json *json = NULL;
    struct entry written = {.json = NULL};
    struct text text;
    enum status status;

    text_init(&text);
    status = json_create(&json, err);
    if (status == OK)
        status = build(json, draft, err);
    if (status == OK)
        status = json_print_canonical(json_root(json), &text, err);
    /* What is read is judged once, by the same code for all. */
    if (status == OK)
        status = parse_body(&written, text_bytes(&text), err);
    if (status == OK)
        status = text_append(out, text.data, text.size, err);
    if (status != OK)
        status = error_wrap(err, "a new entry");
    entry_clear(&written);
    text_clear(&text);
    json_destroy(&json);
    return status;
}

/* order[] := the indexes of the signatures, ascending by "by". */
static enum status sort_signatures(const struct entry_signature *signature,
                                   size_t count,
                                   size_t order[ENTRY_SIGNATURES_MAX],
                                   struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        size_t at = i;

        if (!hex_valid(bytes_of_string(signature[i].by), CERTIFICATE_ID_SIZE))
            return error_set(err, E_INPUT,
                             "number %zu: \"by\" is something else, expected a "
                             "certificate id",
                             i + 1);
        if (!signature_is_low(bytes_of(signature[i].bytes, signature[i].size)))
            return error_set(err, E_INPUT,
                             "number %zu: %zu bytes, expected DER of an ECDSA "
                             "P-256 signature with a low s",
                             i + 1, signature[i].size);
        while (at > 0 &&
               strcmp(signature[order[at - 1]].by, signature[i].by) > 0) {
            order[at] = order[at - 1];
            at--;
        }
        if (at > 0 && strcmp(signature[order[at - 1]].by, signature[i].by) == 0)
            return error_set(err, E_INPUT,
                             "number %zu: a second one by the same, expected "
                             "one",
                             i + 1);
        order[at] = i;
    }
    return OK;
}

static enum status append_signature(const struct entry_signature *signature,
                                    struct text *out, struct error *err)
{
    enum status status = text_append_string(out, before_by, err);

    if (status == OK)
        status = text_append_string(out, signature->by, err);
    if (status == OK)
        status = text_append_string(out, before_signature, err);
    if (status == OK)
        status = base64_append(out, bytes_of(signature->bytes, signature->size),
                               err);
    if (status == OK)
        status = text_append_string(out, behind_signature, err);
    return status;
}

enum status entry_write_signatures(const struct entry_signature *signature,
                                   size_t count, struct text *out,
                                   struct error *err)
{
    size_t order[ENTRY_SIGNATURES_MAX];
    struct text text;
    enum status status;

    assert(count >= 1 && count <= ENTRY_SIGNATURES_MAX);
    text_init(&text);
    status = sort_signatures(signature, count, order, err);
    for (size_t i = 0; i < count && status == OK; i++) {
        status = text_append(&text, i == 0 ? "[" : ",", 1, err);
        if (status == OK)
            status = append_signature(&signature[order[i]], &text, err);
    }
    if (status == OK)
        status = text_append(&text, "]", 1, err);
    if (status == OK)
        status = text_append(out, text.data, text.size, err);
    if (status != OK)
        status = error_wrap(err, "signatures of a new entry");
    text_clear(&text);
    return status;
}

enum status entry_sign(struct bytes entry, const char *certificate_id,
                       const struct private_key *key,
                       struct entry_signature *signature, struct error *err)
{
    struct entry_signature made = {.size = 0};

    assert(private_key_type(key) == KEY_P256);
    assert(hex_valid(bytes_of_string(certificate_id), CERTIFICATE_ID_SIZE));
    memcpy(made.by, certificate_id, CERTIFICATE_ID_SIZE);
    if (private_key_sign(key, entry, made.bytes, &made.size, err) != OK)
        return error_wrap(err, "an entry");
    *signature = made;
    return OK;
}

/* ---- its leaf ---- */

enum status entry_leaf(struct bytes entry, struct bytes signatures,
                       enum entry_verdict verdict, uint64_t block,
                       struct text *out, struct error *err)
{
    const uint8_t verdict_byte = (uint8_t)verdict;
    uint8_t entry_size[4], block_number[8];
    struct digest digest;

    assert(entry.size <= ENTRY_SIZE_MAX);
    assert(entry_verdict_name(verdict) != NULL);
    digest_parts(&digest, &signatures, 1);
    put_be32(entry_size, (uint32_t)entry.size);
    put_be64(block_number, block);

    const struct bytes part[] = {
        bytes_of(entry_size, sizeof entry_size),     entry,
        bytes_of(digest.byte, sizeof digest.byte),   bytes_of(&verdict_byte, 1),
        bytes_of(block_number, sizeof block_number),
    };
    size_t size = 0;

    for (size_t i = 0; i < sizeof part / sizeof part[0]; i++)
        size += part[i].size;
    if (text_reserve(out, size, err) != OK)
        return error_wrap(err, "the leaf of an entry");
    /* Nothing can fail from here on. */
    for (size_t i = 0; i < sizeof part / sizeof part[0]; i++) {
        memcpy(out->data + out->size, part[i].data, part[i].size);
        out->size += part[i].size;
    }
    out->data[out->size] = '\0';
    return OK;
}
