/*
 * anonymizer/profile_value_internal.h - the parsers behind the forms, in two
 * files: profile_value.c, and profile_checked.c for what has a check digit.
 */
#ifndef ANONYMIZER_PROFILE_VALUE_INTERNAL_H
#define ANONYMIZER_PROFILE_VALUE_INTERNAL_H

#include "anonymizer/profile_value.h"

#define VALUE_FORM_DECLARE(id, kind, strength, distinct, words)                \
    bool value_is_##id(struct bytes value);
VALUE_FORM_TABLE(VALUE_FORM_DECLARE)
#undef VALUE_FORM_DECLARE

/* ASCII alone, whatever the locale. */
static inline bool value_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}
static inline bool value_upper(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z';
}
static inline bool value_letter(uint8_t byte)
{
    return value_upper(byte) || (byte >= 'a' && byte <= 'z');
}
static inline bool value_hex(uint8_t byte)
{
    return value_digit(byte) || (byte >= 'a' && byte <= 'f') ||
           (byte >= 'A' && byte <= 'F');
}

/* Byte by byte: 9 a digit, A a capital, a a letter, x a hexadecimal digit,
 * N a capital or digit, all others themselves. */
bool value_fits(struct bytes value, const char *pattern);

/* The same with a pattern that the value begins with. */
bool value_begins(struct bytes value, const char *pattern);

#endif
