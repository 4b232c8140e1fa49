#include "common/text.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char nothing[1];

void text_init(struct text *text)
{
    text->data = nothing;
    text->size = 0;
    text->capacity = 0;
}

void text_clear(struct text *text)
{
    if (text->capacity > 0)
        free(text->data);
    text_init(text);
}

void text_reset(struct text *text)
{
    text->size = 0;
    if (text->capacity > 0)
        text->data[0] = '\0';
}

enum status text_reserve(struct text *text, size_t more, struct error *err)
{
    size_t needed, capacity;
    char *data;

    if (more > SIZE_MAX / 2 - text->size - 1)
        return error_memory(err, "a text");
    needed = text->size + more + 1;
    if (needed <= text->capacity)
        return OK;
    capacity = text->capacity < 64 ? 64 : text->capacity;
    while (capacity < needed)
        capacity *= 2;
    data = realloc(text->capacity > 0 ? text->data : NULL, capacity);
    if (data == NULL)
        return error_memory(err, "a text");
    data[text->size] = '\0';
    text->data = data;
    text->capacity = capacity;
    return OK;
}

enum status text_append(struct text *text, const void *data, size_t size,
                        struct error *err)
{
    enum status status = text_reserve(text, size, err);

    if (status != OK)
        return status;
    if (size > 0)
        memcpy(text->data + text->size, data, size);
    text->size += size;
    text->data[text->size] = '\0';
    return OK;
}

enum status text_append_string(struct text *text, const char *string,
                               struct error *err)
{
    return text_append(text, string, strlen(string), err);
}

enum status text_printf(struct text *text, struct error *err,
                        const char *format, ...)
{
    va_list args;
    enum status status;
    int size;

    va_start(args, format);
    size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    assert(size >= 0);
    status = text_reserve(text, (size_t)size, err);
    if (status != OK)
        return status;
    va_start(args, format);
    vsnprintf(text->data + text->size, (size_t)size + 1, format, args);
    va_end(args);
    text->size += (size_t)size;
    return OK;
}

char *string_copy(const char *string)
{
    size_t size = strlen(string) + 1;
    char *copy = malloc(size);

    if (copy != NULL)
        memcpy(copy, string, size);
    return copy;
}
