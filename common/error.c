#include "common/error.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void error_init(struct error *err)
{
    err->status = OK;
    err->text[0] = '\0';
}

enum status error_set(struct error *err, enum status status, const char *format,
                      ...)
{
    va_list args;

    assert(err != NULL && status != OK);
    err->status = status;
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    return status;
}

enum status error_set_errno(struct error *err, enum status status,
                            int errno_value, const char *format, ...)
{
    va_list args;
    size_t used;
    char buffer[128];

    assert(err != NULL && status != OK);
    err->status = status;
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    used = strlen(err->text);
    /* GNU's strerror_r, which returns the words. */
    snprintf(err->text + used, sizeof err->text - used, ": %s",
             strerror_r(errno_value, buffer, sizeof buffer));
    return status;
}

enum status error_wrap(struct error *err, const char *format, ...)
{
    char inner[sizeof err->text];
    va_list args;
    size_t used;

    assert(err != NULL && err->status != OK);
    memcpy(inner, err->text, sizeof inner);
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    used = strlen(err->text);
    snprintf(err->text + used, sizeof err->text - used, ": %s", inner);
    return err->status;
}

enum status error_memory(struct error *err, const char *what)
{
    return error_set(err, E_MEMORY, "out of memory for %s", what);
}
