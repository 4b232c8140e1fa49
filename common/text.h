/*
 * common/text.h - a growing run of bytes that owns its memory.
 *
 * data is always followed by a NUL that size does not count, so that a text
 * without NULs of its own serves as a C string.  A text that was initialised
 * and never filled has data "" and owns nothing.
 */
#ifndef COMMON_TEXT_H
#define COMMON_TEXT_H

#include <stddef.h>

#include "common/bytes.h"
#include "common/error.h"

struct text {
    char *data;
    size_t size;
    size_t capacity; /* 0: data is not ours */
};

void text_init(struct text *text);

/* Release the memory; the text is then as after init. */
void text_clear(struct text *text);

/* Make it empty, keep the memory. */
void text_reset(struct text *text);

/* Room for `more` further bytes. */
MUST_USE enum status text_reserve(struct text *text, size_t more,
                                  struct error *err);

/* On failure the text is as it was. */
MUST_USE enum status text_append(struct text *text, const void *data,
                                 size_t size, struct error *err);
MUST_USE enum status text_append_string(struct text *text, const char *string,
                                        struct error *err);
MUST_USE enum status text_printf(struct text *text, struct error *err,
                                 const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A copy of a string, to be freed; NULL without memory.  In place of strdup,
 * whose allocations the fault tests cannot let fail. */
char *string_copy(const char *string);

static inline struct bytes text_bytes(const struct text *text)
{
    return bytes_of(text->data, text->size);
}

#endif
