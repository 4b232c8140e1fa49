/*
 * common/json_scan.h - is this text the JSON that we accept, and where in it
 * do the values stand?
 *
 * cJSON is lax (control characters in strings, 01, \u0000, bytes that are not
 * UTF-8) and forgets positions.  This goes over the text before it: it refuses
 * with line and column, and notes the line of each value in document order, a
 * container before what is in it.  Only repeated keys are left to json.c,
 * which sees them unescaped.
 */
#ifndef COMMON_JSON_SCAN_H
#define COMMON_JSON_SCAN_H

#include <stddef.h>

#include "common/bytes.h"
#include "common/error.h"

struct json_lines {
    unsigned *line; /* of its key, for a member */
    size_t count;
    size_t capacity;
};

void json_lines_init(struct json_lines *lines);
void json_lines_clear(struct json_lines *lines);

/* E_INPUT or E_LIMIT with a text "line L, column C: <what>, expected <what>";
 * it shows single characters outside of strings, and no value. */
MUST_USE enum status json_scan(struct json_lines *lines, struct bytes text,
                               struct error *err);

#endif
