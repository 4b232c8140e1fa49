/*
 * common/encoding.h - bytes as text, and whole numbers as bytes.
 *
 * Strict both ways: decoding accepts exactly what encoding produces (base64 of
 * RFC 4648 with its padding and no stray bits, lower-case hex), so that a
 * value has one spelling.
 */
#ifndef COMMON_ENCODING_H
#define COMMON_ENCODING_H

#include <stdbool.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/error.h"
#include "common/text.h"

/* Appended to `out`, which is as it was on failure.  The text that is decoded
 * must not be the one that is appended to. */
MUST_USE enum status base64_append(struct text *out, struct bytes data,
                                   struct error *err);
/* E_INPUT if `text` is not base64; the error says where, not what. */
MUST_USE enum status base64_decode(struct text *out, struct bytes text,
                                   struct error *err);

/* 2 * data.size digits and a NUL. */
void hex_encode(struct bytes data, char *out);
/* Exactly `size` bytes from 2 * size lower-case digits; `out` is untouched if
 * they are not that. */
MUST_USE bool hex_decode(struct bytes text, uint8_t *out, size_t size);

static inline void put_be32(uint8_t out[4], uint32_t number)
{
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)(number >> (24 - 8 * i));
}

static inline void put_be64(uint8_t out[8], uint64_t number)
{
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)(number >> (56 - 8 * i));
}

static inline uint32_t get_be32(const uint8_t in[4])
{
    uint32_t number = 0;

    for (int i = 0; i < 4; i++)
        number = number << 8 | in[i];
    return number;
}

static inline uint64_t get_be64(const uint8_t in[8])
{
    uint64_t number = 0;

    for (int i = 0; i < 8; i++)
        number = number << 8 | in[i];
    return number;
}

#endif
