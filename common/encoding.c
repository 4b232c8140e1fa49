#include "common/encoding.h"

#include <assert.h>

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                    "abcdefghijklmnopqrstuvwxyz0123456789+/";
static const char hex_digits[] = "0123456789abcdef";

/* ---- base64 ---- */

/* Four characters for one to three bytes. */
static void encode_quad(const uint8_t *data, size_t size, char quad[4])
{
    uint32_t bits = 0;

    for (size_t i = 0; i < 3; i++)
        bits = bits << 8 | (i < size ? data[i] : 0);
    for (size_t i = 0; i < 4; i++)
        quad[i] = i <= size ? base64_digits[bits >> (18 - 6 * i) & 63] : '=';
}

enum status base64_append(struct text *out, struct bytes data,
                          struct error *err)
{
    size_t size = (data.size / 3 + (data.size % 3 != 0)) * 4;
    enum status status = text_reserve(out, size, err);

    if (status != OK)
        return status;
    for (size_t at = 0; at < data.size; at += 3) {
        encode_quad(data.data + at, data.size - at, out->data + out->size);
        out->size += 4;
    }
    out->data[out->size] = '\0';
    return OK;
}

/* Six bits, or -1. */
static int base64_value(uint8_t digit)
{
    if (digit >= 'A' && digit <= 'Z')
        return digit - 'A';
    if (digit >= 'a' && digit <= 'z')
        return digit - 'a' + 26;
    if (digit >= '0' && digit <= '9')
        return digit - '0' + 52;
    if (digit == '+')
        return 62;
    return digit == '/' ? 63 : -1;
}

/* Returns how many bytes four characters hold, 0 if they are no base64. */
static size_t decode_quad(const uint8_t *quad, bool is_last, char *out)
{
    size_t size = 3;
    uint32_t bits = 0;

    if (is_last && quad[3] == '=')
        size = quad[2] == '=' ? 1 : 2;
    for (size_t i = 0; i < 4; i++) {
        int value = i <= size ? base64_value(quad[i]) : 0;

        if (value < 0)
            return 0;
        bits = bits << 6 | (uint32_t)value;
    }
    /* Bits behind the last byte would give it a second spelling. */
    if ((bits & ((UINT32_C(1) << (24 - 8 * size)) - 1)) != 0)
        return 0;
    for (size_t i = 0; i < size; i++)
        out[i] = (char)(bits >> (16 - 8 * i) & 0xff);
    return size;
}

enum status base64_decode(struct text *out, struct bytes text,
                          struct error *err)
{
    size_t size = out->size;
    enum status status;

    if (text.size % 4 != 0)
        return error_set(err, E_INPUT,
                         "base64 of %zu characters, expected a multiple of 4",
                         text.size);
    status = text_reserve(out, text.size / 4 * 3, err);
    if (status != OK)
        return status;
    for (size_t at = 0; at < text.size; at += 4) {
        size_t got =
            decode_quad(text.data + at, at + 4 == text.size, out->data + size);

        if (got == 0) {
            out->data[out->size] = '\0';
            return error_set(err, E_INPUT,
                             "characters %zu to %zu of %zu are not base64",
                             at + 1, at + 4, text.size);
        }
        size += got;
    }
    out->size = size;
    out->data[size] = '\0';
    return OK;
}

/* ---- hex ---- */

void hex_encode(struct bytes data, char *out)
{
    for (size_t i = 0; i < data.size; i++) {
        out[2 * i] = hex_digits[data.data[i] >> 4];
        out[2 * i + 1] = hex_digits[data.data[i] & 15];
    }
    out[2 * data.size] = '\0';
}

/* Four bits, or -1. */
static int hex_value(uint8_t digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

bool hex_decode(struct bytes text, uint8_t *out, size_t size)
{
    assert(size <= SIZE_MAX / 2);
    if (text.size != 2 * size)
        return false;
    for (size_t i = 0; i < text.size; i++)
        if (hex_value(text.data[i]) < 0)
            return false;
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)(16 * hex_value(text.data[2 * i]) +
                           hex_value(text.data[2 * i + 1]));
    return true;
}
