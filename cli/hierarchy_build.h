/*
 * cli/hierarchy_build.h - `anchorite hierarchy build`: what a description of a
 * hierarchy makes of a table's column, as a file.
 *
 * It is built as `anonymize` would build it: by the policy's reader, the
 * table's reader and the builder.  The description is a policy's, or stands on
 * the command line; then a policy is made of it that has this column alone.
 */
#ifndef CLI_HIERARCHY_BUILD_H
#define CLI_HIERARCHY_BUILD_H

#include "common/error.h"

struct hierarchy_request {
    const char *table;
    const char *column;
    const char *policy;  /* a file; NULL: the next three */
    const char *builder; /* JSON, or @FILE */
    const char *type;    /* NULL: string */
    const char *format;  /* NULL: the default of dates */
    const char *output;  /* "-": standard output */
};

MUST_USE enum status hierarchy_build(const struct hierarchy_request *request,
                                     struct error *err);

#endif
