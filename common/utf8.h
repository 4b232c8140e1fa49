/*
 * common/utf8.h - is this UTF-8, as RFC 3629 defines it?
 *
 * No surrogates, no overlong forms, nothing above U+10FFFF.  NUL is a
 * character like any other here.
 */
#ifndef COMMON_UTF8_H
#define COMMON_UTF8_H

#include <stdbool.h>
#include <stddef.h>

#include "common/bytes.h"

/* Bytes at the front of `text` that are whole characters.  Where that is not
 * all of it, *cut says whether the rest could be one character whose end is
 * missing; else the rest begins with a byte that is wrong there. */
size_t utf8_prefix(struct bytes text, bool *cut);

static inline bool utf8_valid(struct bytes text)
{
    bool cut;

    return utf8_prefix(text, &cut) == text.size;
}

#endif
