/*
 * common/log.h - what a program tells its operator, on standard error.
 *
 * One line per event: time (RFC 3339, UTC, milliseconds), level, program,
 * text.
 *
 *     2026-03-01T08:15:30.042Z warning anchorite-broker: 2 of 3 peers answer
 *
 * Never a data value: no patient's number, name or clinical value, no digest
 * of one; counts, line numbers, names of columns, random ids and digests of
 * whole files are what a log may hold.
 *
 * Log where a failure is handled, not at each level that passes it on.  A line
 * goes out in one write, so lines of several threads do not mix; what could
 * pass for another line or steer a terminal (control characters, also those of
 * Latin-1, and the backslash that marks them) is escaped; what is longer than
 * LOG_LINE_MAX is cut.  A log that cannot be written stops nobody.
 *
 * Elsewhere: the record that others may rely on is the ledger.
 */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stdbool.h>

#include "common/error.h"

/* Level, its name in the configuration and in each line; the worst first. */
#define LOG_LEVEL_TABLE(X)                                                     \
    X(LOG_LEVEL_ERROR, "error")     /* something was not done */               \
    X(LOG_LEVEL_WARNING, "warning") /* it was, but somebody should look */     \
    X(LOG_LEVEL_INFO, "info")       /* what an operator follows daily */       \
    X(LOG_LEVEL_DEBUG, "debug")     /* what a developer asks for */

enum log_level {
#define LOG_LEVEL_ENUM(id, name) id,
    LOG_LEVEL_TABLE(LOG_LEVEL_ENUM)
#undef LOG_LEVEL_ENUM
};

/* The level of that name; false and *level untouched if there is none. */
MUST_USE bool log_level_parse(const char *name, enum log_level *level);

const char *log_level_name(enum log_level level);

/* Before any thread is started and any line is logged.  `program` is borrowed
 * for good; lines above `level` are dropped. */
void log_open(const char *program, enum log_level level);

/* At any time, from any thread: a configuration was read again. */
void log_set_level(enum log_level level);

/* One line; errno is kept. */
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
