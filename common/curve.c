#include "common/curve.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#include "common/files.h"
#include "common/process.h"
#include "common/text.h"

#define CURVE_RAW_SIZE 32

/* The file, up to and between its two keys. */
#define FILE_HEAD "anchorite curve 1\npublic "
#define FILE_MIDDLE "\nsecret "
#define PUBLIC_AT (sizeof FILE_HEAD - 1)
#define SECRET_AT (PUBLIC_AT + CURVE_TEXT_SIZE - 1 + sizeof FILE_MIDDLE - 1)
#define FILE_SIZE (SECRET_AT + CURVE_TEXT_SIZE - 1 + 1)

/* ---- keys ---- */

/* Z85 of 32 bytes, in its only spelling. */
static bool parse(struct bytes text, char out[CURVE_TEXT_SIZE])
{
    char copy[CURVE_TEXT_SIZE], again[CURVE_TEXT_SIZE];
    uint8_t raw[CURVE_RAW_SIZE];
    bool good;

    if (text.size != CURVE_TEXT_SIZE - 1 ||
        memchr(text.data, '\0', text.size) != NULL)
        return false;
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    good = zmq_z85_decode(raw, copy) != NULL &&
           zmq_z85_encode(again, raw, sizeof raw) != NULL &&
           memcmp(copy, again, sizeof copy) == 0;
    if (good)
        memcpy(out, copy, sizeof copy);
    explicit_bzero(copy, sizeof copy);
    explicit_bzero(again, sizeof again);
    explicit_bzero(raw, sizeof raw);
    return good;
}

bool curve_key_parse(struct curve_key *key, struct bytes text)
{
    return parse(text, key->text);
}

void curve_key_encode(struct curve_key *key, const uint8_t raw[32])
{
    /* Fails only for a size that is no multiple of four. */
    if (zmq_z85_encode(key->text, raw, CURVE_RAW_SIZE) == NULL)
        assert(false);
}

bool curve_key_equal(const struct curve_key *a, const struct curve_key *b)
{
    return memcmp(a->text, b->text, sizeof a->text) == 0;
}

/* ---- pairs ---- */

enum status curve_pair_generate(struct curve_pair *pair, struct error *err)
{
    if (zmq_curve_keypair(pair->key.text, pair->secret) != 0)
        return error_set(err, E_SYSTEM, "making a CURVE key failed: %s",
                         zmq_strerror(zmq_errno()));
    return OK;
}

void curve_pair_clear(struct curve_pair *pair)
{
    explicit_bzero(pair, sizeof *pair);
}

static void format(const struct curve_pair *pair, uint8_t out[FILE_SIZE])
{
    memcpy(out, FILE_HEAD, PUBLIC_AT);
    memcpy(out + PUBLIC_AT, pair->key.text, CURVE_TEXT_SIZE - 1);
    memcpy(out + PUBLIC_AT + CURVE_TEXT_SIZE - 1, FILE_MIDDLE,
           sizeof FILE_MIDDLE - 1);
    memcpy(out + SECRET_AT, pair->secret, CURVE_TEXT_SIZE - 1);
    out[FILE_SIZE - 1] = '\n';
}

/* Two keys that belong together, and a file that is theirs byte for byte. */
static bool parse_file(const struct text *file, struct curve_pair *pair)
{
    uint8_t expected[FILE_SIZE];
    struct curve_key key;
    bool good = false;

    if (file->size != FILE_SIZE)
        return false;
    if (parse(bytes_of(file->data + PUBLIC_AT, CURVE_TEXT_SIZE - 1),
              pair->key.text) &&
        parse(bytes_of(file->data + SECRET_AT, CURVE_TEXT_SIZE - 1),
              pair->secret) &&
        zmq_curve_public(key.text, pair->secret) == 0 &&
        curve_key_equal(&key, &pair->key)) {
        format(pair, expected);
        good = memcmp(file->data, expected, sizeof expected) == 0;
    }
    explicit_bzero(expected, sizeof expected);
    if (!good)
        curve_pair_clear(pair);
    return good;
}

enum status curve_pair_load(struct curve_pair *pair, const char *path,
                            struct error *err)
{
    struct text file;
    enum status status = process_check_secret(path, err);

    if (status != OK)
        return status;
    text_init(&file);
    /* Room beforehand: a text that grows leaves copies behind. */
    status = text_reserve(&file, CURVE_FILE_MAX, err);
    if (status == OK)
        status = file_read(path, CURVE_FILE_MAX, &file, err);
    if (status == OK && !parse_file(&file, pair))
        status = error_set(err, E_INPUT, "%s: is no file of CURVE keys", path);
    explicit_bzero(file.data, file.capacity);
    text_clear(&file);
    return status;
}

enum status curve_pair_save(const struct curve_pair *pair, const char *path,
                            struct error *err)
{
    struct new_file *file = NULL;
    uint8_t data[FILE_SIZE];
    enum status status = new_file_create(&file, path, 0600, err);

    if (status != OK)
        return status;
    format(pair, data);
    status = descriptor_write(new_file_descriptor(file),
                              bytes_of(data, sizeof data), path, err);
    explicit_bzero(data, sizeof data);
    if (status == OK)
        return new_file_publish_fresh(&file, err);
    new_file_discard(&file);
    return status;
}

/* ---- bindings ---- */

static enum status statement(const struct curve_binding *binding,
                             struct text *out, struct error *err)
{
    assert(strchr(binding->service, '\n') == NULL);
    return text_printf(out, err, "anchorite %s 1\n%s\n%s\n%s\n%" PRIu64 "\n",
                       binding->by_listener ? "welcome" : "hello",
                       binding->connecting->text, binding->listening->text,
                       binding->service, binding->expiry_ms);
}

enum status curve_binding_sign(const struct curve_binding *binding,
                               const struct private_key *key,
                               uint8_t signature[SIGNATURE_SIZE_MAX],
                               size_t *size, struct error *err)
{
    struct text text;
    enum status status;

    text_init(&text);
    status = statement(binding, &text, err);
    if (status == OK)
        status = private_key_sign(key, text_bytes(&text), signature, size, err);
    text_clear(&text);
    return status;
}

enum status curve_binding_verify(const struct curve_binding *binding,
                                 const struct public_key *key,
                                 struct bytes signature, struct error *err)
{
    struct text text;
    enum status status;

    text_init(&text);
    status = statement(binding, &text, err);
    if (status == OK)
        status = public_key_verify(key, text_bytes(&text), signature, err);
    text_clear(&text);
    return status;
}
