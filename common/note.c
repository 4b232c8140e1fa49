#include "common/note.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/encoding.h"
#include "common/utf8.h"

/* U+2014 and a space. */
static const char dash[] = "\xE2\x80\x94 ";

#define KEY_ID_SIZE 4
#define KEY_ID_DIGITS (2 * KEY_ID_SIZE)
#define TIME_SIZE 8
#define COSIGNATURE_SIZE (TIME_SIZE + ED25519_SIGNATURE_SIZE)

/* ---- characters and lines ---- */

/* Does one of Unicode's White_Space stand in this UTF-8?  Those below U+0020
 * are left to whoever looks for control characters. */
static bool has_space(struct bytes text)
{
    static const char *const space[] = {
        " ",
        "\xC2\x85",
        "\xC2\xA0",
        "\xE1\x9A\x80",
        "\xE2\x80\x80",
        "\xE2\x80\x81",
        "\xE2\x80\x82",
        "\xE2\x80\x83",
        "\xE2\x80\x84",
        "\xE2\x80\x85",
        "\xE2\x80\x86",
        "\xE2\x80\x87",
        "\xE2\x80\x88",
        "\xE2\x80\x89",
        "\xE2\x80\x8A",
        "\xE2\x80\xA8",
        "\xE2\x80\xA9",
        "\xE2\x80\xAF",
        "\xE2\x81\x9F",
        "\xE3\x80\x80",
    };

    for (size_t i = 0; i < sizeof space / sizeof space[0]; i++)
        if (memmem(text.data, text.size, space[i], strlen(space[i])) != NULL)
            return true;
    return false;
}

static bool has_control(struct bytes text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] < 0x20)
            return true;
    return false;
}

/* By the specification, of any length: names of keys that are not ours. */
static bool is_key_name(struct bytes name)
{
    return name.size > 0 && utf8_valid(name) && !has_control(name) &&
           !has_space(name) && memchr(name.data, '+', name.size) == NULL;
}

bool note_name_valid(struct bytes name)
{
    return name.size <= NOTE_NAME_MAX && is_key_name(name);
}

static bool is_origin(struct bytes origin)
{
    return origin.size > 0 && origin.size <= NOTE_NAME_MAX &&
           utf8_valid(origin) && !has_control(origin);
}

/* Take what stands before the first `end` off *rest, and `end` with it. */
static bool take_until(struct bytes *rest, char end, struct bytes *taken)
{
    const uint8_t *at =
        rest->size > 0 ? memchr(rest->data, end, rest->size) : NULL;

    if (at == NULL)
        return false;
    *taken = bytes_of(rest->data, (size_t)(at - rest->data));
    *rest = bytes_of(at + 1, rest->size - taken->size - 1);
    return true;
}

static bool take_literal(struct bytes *rest, const char *literal)
{
    size_t size = strlen(literal);

    if (rest->size < size || memcmp(rest->data, literal, size) != 0)
        return false;
    *rest = bytes_of(rest->data + size, rest->size - size);
    return true;
}

/* ---- verifier keys ---- */

static uint32_t key_id_of(struct bytes name,
                          const uint8_t raw[ED25519_KEY_SIZE])
{
    static const uint8_t middle[] = {'\n', NOTE_COSIGNATURE_TYPE};
    const struct bytes part[] = {name, bytes_of(middle, sizeof middle),
                                 bytes_of(raw, ED25519_KEY_SIZE)};
    struct digest digest;

    digest_parts(&digest, part, sizeof part / sizeof part[0]);
    return get_be32(digest.byte);
}

static enum status check_name(struct bytes name, struct error *err)
{
    if (note_name_valid(name))
        return OK;
    return error_set(err, E_INPUT,
                     "the name of a key, %zu bytes long, expected 1 to %d "
                     "bytes of UTF-8 without spaces, control characters and "
                     "plus signs",
                     name.size, NOTE_NAME_MAX);
}

/* `verifier` is written at the end only. */
static enum status make_verifier(struct note_verifier *verifier,
                                 struct bytes name,
                                 const uint8_t raw[ED25519_KEY_SIZE],
                                 struct error *err)
{
    struct note_verifier made = {.public_key = NULL};

    if (check_name(name, err) != OK)
        return err->status;
    if (public_key_ed25519(&made.public_key, raw, err) != OK)
        return error_wrap(err, "the key of a verifier");
    memcpy(made.name, name.data, name.size);
    memcpy(made.key, raw, ED25519_KEY_SIZE);
    made.key_id = key_id_of(name, raw);
    *verifier = made;
    return OK;
}

/* The key's 32 bytes from base64 of type and key. */
static enum status decode_key(uint8_t raw[ED25519_KEY_SIZE],
                              struct bytes base64, struct error *err)
{
    struct text key;
    enum status status;

    text_init(&key);
    status = base64_decode(&key, base64, err);
    if (status != OK)
        status = error_wrap(err, "the key of a verifier key");
    else if (key.size < 1 || key.data[0] != NOTE_COSIGNATURE_TYPE)
        status = error_set(err, E_INPUT,
                           "a verifier key of another type, expected 0x%02x, "
                           "Ed25519 cosignature",
                           NOTE_COSIGNATURE_TYPE);
    else if (key.size != 1 + ED25519_KEY_SIZE)
        status = error_set(err, E_INPUT,
                           "a verifier key with %zu bytes behind its type, "
                           "expected %d",
                           key.size - 1, ED25519_KEY_SIZE);
    else
        memcpy(raw, key.data + 1, ED25519_KEY_SIZE);
    text_clear(&key);
    return status;
}

enum status note_verifier_parse(struct note_verifier *verifier,
                                struct bytes text, struct error *err)
{
    struct note_verifier made = {.public_key = NULL};
    struct bytes name, id, key = text;
    uint8_t raw[ED25519_KEY_SIZE], key_id[KEY_ID_SIZE];

    /* Neither name nor digits have a plus sign; base64 may. */
    if (!take_until(&key, '+', &name) || !take_until(&key, '+', &id))
        return error_set(err, E_INPUT,
                         "a verifier key of less than three parts, expected "
                         "<name>+<key id>+<key>");
    if (!hex_decode(id, key_id, sizeof key_id))
        return error_set(err, E_INPUT,
                         "the key id of a verifier key, expected %d lower-case "
                         "hex digits",
                         KEY_ID_DIGITS);
    if (decode_key(raw, key, err) != OK ||
        make_verifier(&made, name, raw, err) != OK)
        return err->status;
    if (made.key_id != get_be32(key_id)) {
        note_verifier_clear(&made);
        return error_set(err, E_INPUT,
                         "the key id of a verifier key does not belong to its "
                         "name and key");
    }
    *verifier = made;
    return OK;
}

enum status note_verifier_create(struct note_verifier *verifier,
                                 const char *name, const struct public_key *key,
                                 struct error *err)
{
    uint8_t raw[ED25519_KEY_SIZE];

    assert(public_key_type(key) == KEY_ED25519);
    public_key_raw(key, raw);
    return make_verifier(verifier, bytes_of_string(name), raw, err);
}

enum status note_verifier_append(const struct note_verifier *verifier,
                                 struct text *out, struct error *err)
{
    uint8_t key[1 + ED25519_KEY_SIZE] = {NOTE_COSIGNATURE_TYPE};
    struct text base64;
    enum status status;

    memcpy(key + 1, verifier->key, ED25519_KEY_SIZE);
    text_init(&base64);
    status = base64_append(&base64, bytes_of(key, sizeof key), err);
    if (status == OK)
        status = text_printf(out, err, "%s+%08" PRIx32 "+%s", verifier->name,
                             verifier->key_id, base64.data);
    text_clear(&base64);
    return status;
}

void note_verifier_clear(struct note_verifier *verifier)
{
    public_key_destroy(&verifier->public_key);
    memset(verifier, 0, sizeof *verifier);
}

/* ---- checkpoints ---- */

enum status checkpoint_append(const struct checkpoint *checkpoint,
                              struct text *out, struct error *err)
{
    struct text root;
    enum status status;

    assert(is_origin(bytes_of_string(checkpoint->origin)));
    assert(checkpoint->size <= CHECKPOINT_SIZE_MAX);
    text_init(&root);
    status =
        base64_append(&root, bytes_of(checkpoint->root.byte, DIGEST_SIZE), err);
    if (status == OK)
        status = text_printf(out, err, "%s\n%" PRIu64 "\n%s\n",
                             checkpoint->origin, checkpoint->size, root.data);
    text_clear(&root);
    return status;
}

/* Decimal digits without a zero in front, up to CHECKPOINT_SIZE_MAX. */
static bool read_size(struct bytes digits, uint64_t *size)
{
    uint64_t number = 0;

    if (digits.size == 0 || (digits.size > 1 && digits.data[0] == '0'))
        return false;
    for (size_t i = 0; i < digits.size; i++) {
        unsigned digit = digits.data[i] - (unsigned)'0';

        if (digit > 9 || number > (CHECKPOINT_SIZE_MAX - digit) / 10)
            return false;
        number = 10 * number + digit;
    }
    *size = number;
    return true;
}

static enum status read_root(struct bytes base64, struct digest *root,
                             struct error *err)
{
    struct text decoded;
    enum status status;

    text_init(&decoded);
    status = base64_decode(&decoded, base64, err);
    if (status != OK)
        status = error_wrap(err, "line 3 of a checkpoint");
    else if (decoded.size != DIGEST_SIZE)
        status = error_set(err, E_INPUT,
                           "line 3 of a checkpoint: %zu bytes, expected the "
                           "%d of a root hash",
                           decoded.size, DIGEST_SIZE);
    else
        memcpy(root->byte, decoded.data, DIGEST_SIZE);
    text_clear(&decoded);
    return status;
}

enum status checkpoint_parse(struct checkpoint *checkpoint, struct bytes text,
                             struct error *err)
{
    struct bytes origin, size, root, rest = text;
    struct checkpoint parsed = {.size = 0};

    if (!take_until(&rest, '\n', &origin) || !take_until(&rest, '\n', &size) ||
        !take_until(&rest, '\n', &root))
        return error_set(err, E_INPUT,
                         "a checkpoint of less than three lines, expected "
                         "origin, size and root hash");
    if (rest.size > 0)
        return error_set(err, E_INPUT,
                         "line 4 of a checkpoint, expected an end behind the "
                         "root hash");
    if (!is_origin(origin))
        return error_set(err, E_INPUT,
                         "line 1 of a checkpoint: %zu bytes, expected an "
                         "origin of 1 to %d bytes of UTF-8 without control "
                         "characters",
                         origin.size, NOTE_NAME_MAX);
    if (!read_size(size, &parsed.size))
        return error_set(err, E_INPUT,
                         "line 2 of a checkpoint, expected a size from 0 to "
                         "%" PRIu64 " in digits without a zero in front",
                         CHECKPOINT_SIZE_MAX);
    if (read_root(root, &parsed.root, err) != OK)
        return err->status;
    memcpy(parsed.origin, origin.data, origin.size);
    *checkpoint = parsed;
    return OK;
}

/* ---- signing ---- */

/* message := what a cosignature is over. */
static enum status cosigned_message(struct text *message, uint64_t time_seconds,
                                    struct bytes text, struct error *err)
{
    enum status status;

    text_reset(message);
    status = text_printf(message, err, "cosignature/v1\ntime %" PRIu64 "\n",
                         time_seconds);
    if (status == OK)
        status = text_append(message, text.data, text.size, err);
    return status;
}

/* blob := be32(key id) || be64(time) || signature. */
static enum status cosign(struct bytes name, const struct private_key *key,
                          struct bytes text, uint64_t time_seconds,
                          uint8_t blob[KEY_ID_SIZE + COSIGNATURE_SIZE],
                          struct error *err)
{
    uint8_t raw[ED25519_KEY_SIZE], signature[SIGNATURE_SIZE_MAX];
    struct text message;
    size_t size;
    enum status status;

    text_init(&message);
    status = private_key_raw(key, raw, err);
    if (status == OK)
        status = cosigned_message(&message, time_seconds, text, err);
    if (status == OK)
        status =
            private_key_sign(key, text_bytes(&message), signature, &size, err);
    if (status == OK) {
        assert(size == ED25519_SIGNATURE_SIZE);
        put_be32(blob, key_id_of(name, raw));
        put_be64(blob + KEY_ID_SIZE, time_seconds);
        memcpy(blob + KEY_ID_SIZE + TIME_SIZE, signature, size);
    }
    text_clear(&message);
    return status;
}

enum status note_cosign(const char *name, const struct private_key *key,
                        struct bytes text, uint64_t time_seconds,
                        struct text *out, struct error *err)
{
    uint8_t blob[KEY_ID_SIZE + COSIGNATURE_SIZE];
    struct checkpoint checkpoint;
    struct text base64;
    enum status status;

    assert(private_key_type(key) == KEY_ED25519);
    assert(time_seconds <= NOTE_TIME_MAX);
    if (check_name(bytes_of_string(name), err) != OK)
        return err->status;
    if (checkpoint_parse(&checkpoint, text, err) != OK)
        return error_wrap(err, "a text to cosign");
    if (cosign(bytes_of_string(name), key, text, time_seconds, blob, err) != OK)
        return error_wrap(err, "the cosignature by %s", name);
    text_init(&base64);
    status = base64_append(&base64, bytes_of(blob, sizeof blob), err);
    if (status == OK)
        status = text_printf(out, err, "%s%s %s\n", dash, name, base64.data);
    text_clear(&base64);
    return status;
}

/* ---- reading notes ---- */

/* A signature line taken apart. */
struct signature_line {
    struct bytes name;
    uint32_t key_id;
    struct bytes signature; /* what stands behind the key id */
};

/* Take the next line off the front of *rest.  The line's signature is in
 * `blob`. */
static enum status take_line(struct bytes *rest, struct signature_line *line,
                             struct text *blob, struct error *err)
{
    struct bytes base64;

    if (!take_until(rest, '\n', &base64))
        return error_set(err, E_INPUT, "no newline at the end");
    if (!take_literal(&base64, dash) || !take_until(&base64, ' ', &line->name))
        return error_set(err, E_INPUT,
                         "another line, expected an em dash, a name and a "
                         "signature with single spaces between them");
    if (!is_key_name(line->name))
        return error_set(err, E_INPUT,
                         "the name of a key, %zu bytes long, expected UTF-8 "
                         "without spaces and plus signs",
                         line->name.size);
    text_reset(blob);
    if (base64_decode(blob, base64, err) != OK)
        return err->status;
    if (blob->size <= KEY_ID_SIZE)
        return error_set(err, E_INPUT,
                         "%zu bytes, expected a key id of %d and a signature",
                         blob->size, KEY_ID_SIZE);
    line->key_id = get_be32(text_bytes(blob).data);
    line->signature =
        bytes_of(blob->data + KEY_ID_SIZE, blob->size - KEY_ID_SIZE);
    return OK;
}

/* Called for each line. */
typedef enum status line_visit(const struct signature_line *line, void *context,
                               struct error *err);

static enum status visit_lines(struct bytes signatures, line_visit *visit,
                               void *context, struct error *err)
{
    struct bytes rest = signatures;
    struct signature_line line = {.key_id = 0};
    struct text blob;
    enum status status = OK;

    text_init(&blob);
    for (unsigned number = 1; rest.size > 0 && status == OK; number++) {
        if (number > NOTE_SIGNATURES_MAX) {
            status = error_set(err, E_LIMIT,
                               "one signature more, expected at most %d",
                               NOTE_SIGNATURES_MAX);
            break;
        }
        status = take_line(&rest, &line, &blob, err);
        if (status == OK && visit != NULL)
            status = visit(&line, context, err);
        if (status != OK)
            status = error_wrap(err, "signature %u of a note", number);
    }
    text_clear(&blob);
    return status;
}

static enum status check_characters(struct bytes text, struct error *err)
{
    bool cut;
    size_t valid = utf8_prefix(text, &cut);

    if (valid < text.size)
        return error_set(err, E_INPUT, "byte %zu of a note, expected UTF-8",
                         valid + 1);
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] < 0x20 && text.data[i] != '\n')
            return error_set(err, E_INPUT,
                             "byte %zu of a note: a control character, "
                             "expected none but newlines",
                             i + 1);
    return OK;
}

/* The last empty line stands between text and signatures. */
static bool split(struct note *note, struct bytes bytes)
{
    for (size_t at = bytes.size; at >= 2; at--)
        if (bytes.data[at - 1] == '\n' && bytes.data[at - 2] == '\n') {
            note->text = bytes_of(bytes.data, at - 1);
            note->signatures = bytes_of(bytes.data + at, bytes.size - at);
            return true;
        }
    return false;
}

enum status note_parse(struct note *note, struct bytes bytes, struct error *err)
{
    struct note parsed;

    if (bytes.size > NOTE_SIZE_MAX)
        return error_set(err, E_LIMIT,
                         "a note of %zu bytes, expected at most %u", bytes.size,
                         NOTE_SIZE_MAX);
    if (check_characters(bytes, err) != OK)
        return err->status;
    if (!split(&parsed, bytes))
        return error_set(err, E_INPUT,
                         "a note without an empty line, expected one between "
                         "text and signatures");
    if (parsed.signatures.size == 0)
        return error_set(err, E_INPUT,
                         "a note without signatures, expected at least one");
    if (visit_lines(parsed.signatures, NULL, NULL, err) != OK)
        return err->status;
    *note = parsed;
    return OK;
}

/* ---- verifying ---- */

struct verification {
    struct bytes text;
    const struct note_verifier *verifier;
    size_t verifier_count;
    bool *signed_by;
    uint64_t *time_seconds; /* may be NULL */
    struct text message;
};

static enum status verify_by(struct verification *verification, size_t i,
                             struct bytes signature, struct error *err)
{
    const struct note_verifier *verifier = &verification->verifier[i];
    uint64_t time_seconds;
    enum status status;

    if (verification->signed_by[i])
        return error_set(err, E_REFUSED, "by %s once more, expected it once",
                         verifier->name);
    if (signature.size != COSIGNATURE_SIZE)
        return error_set(err, E_REFUSED,
                         "by %s: %zu bytes, expected the %d of a time and a "
                         "signature",
                         verifier->name, signature.size, COSIGNATURE_SIZE);
    time_seconds = get_be64(signature.data);
    if (time_seconds > NOTE_TIME_MAX)
        return error_set(err, E_REFUSED,
                         "by %s: a time beyond 2^63 - 1 seconds",
                         verifier->name);
    if (cosigned_message(&verification->message, time_seconds,
                         verification->text, err) != OK)
        return err->status;
    status = public_key_verify(
        verifier->public_key, text_bytes(&verification->message),
        bytes_of(signature.data + TIME_SIZE, ED25519_SIGNATURE_SIZE), err);
    if (status != OK)
        return error_wrap(err, "by %s", verifier->name);
    verification->signed_by[i] = true;
    if (verification->time_seconds != NULL)
        verification->time_seconds[i] = time_seconds;
    return OK;
}

static enum status verify_line(const struct signature_line *line, void *context,
                               struct error *err)
{
    struct verification *verification = context;

    for (size_t i = 0; i < verification->verifier_count; i++) {
        const struct note_verifier *verifier = &verification->verifier[i];

        if (verifier->key_id == line->key_id &&
            bytes_equal_string(line->name, verifier->name))
            return verify_by(verification, i, line->signature, err);
    }
    return OK;
}

static enum status check_distinct(const struct note_verifier *verifier,
                                  size_t count, struct error *err)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++)
            if (memcmp(verifier[i].key, verifier[j].key, ED25519_KEY_SIZE) == 0)
                return error_set(err, E_INPUT,
                                 "verifiers %s and %s have the same key, "
                                 "expected one for each",
                                 verifier[j].name, verifier[i].name);
    return OK;
}

enum status note_verify(const struct note *note,
                        const struct note_verifier *verifier,
                        size_t verifier_count, bool *signed_by,
                        uint64_t *time_seconds, struct error *err)
{
    struct verification verification = {
        .text = note->text,
        .verifier = verifier,
        .verifier_count = verifier_count,
        .signed_by = signed_by,
        .time_seconds = time_seconds,
    };
    enum status status;

    for (size_t i = 0; i < verifier_count; i++) {
        signed_by[i] = false;
        if (time_seconds != NULL)
            time_seconds[i] = 0;
    }
    text_init(&verification.message);
    status = check_distinct(verifier, verifier_count, err);
    if (status == OK)
        status = visit_lines(note->signatures, verify_line, &verification, err);
    text_clear(&verification.message);
    for (size_t i = 0; i < verifier_count && status != OK; i++)
        signed_by[i] = false;
    return status;
}
