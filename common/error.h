/*
 * common/error.h - one failure, told to a person.
 *
 * Convention of the whole tree: `enum status f(..., struct error *err)`.  err
 * is the last parameter, never NULL, untouched on success.  The innermost
 * function sets what and where; callers on the way up add context:
 *
 *     policy.json: attributes: age: hierarchy ages.csv: line 12: 3 columns,
 *     expected 5
 *
 * An error never holds a value of a record: file, line, column name, counts
 * and digests of whole files only.
 */
#ifndef COMMON_ERROR_H
#define COMMON_ERROR_H

#include "common/limits.h"
#include "common/status.h"

struct error {
    enum status status;
    char text[ERROR_TEXT_MAX];
};

/* An empty error: OK and no text. */
void error_init(struct error *err);

/* Replace what err says; returns `status` so that a caller can return it. */
MUST_USE enum status error_set(struct error *err, enum status status,
                               const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same with ": " and the words of `errno_value` behind. */
MUST_USE enum status error_set_errno(struct error *err, enum status status,
                                     int errno_value, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Put "<format>: " before the text; returns err's status. */
MUST_USE enum status error_wrap(struct error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* "out of memory" with the name of what was being built. */
MUST_USE enum status error_memory(struct error *err, const char *what);

#endif
