/*
 * common/json.h - strict JSON in, exact JSON out, over cJSON.
 *
 * Accepted is RFC 8259 in UTF-8, and less: no byte order mark, no duplicate
 * key, no NUL in a string, no lone surrogate, at most JSON_DEPTH_MAX deep, at
 * most JSON_SIZE_MAX long, at most JSON_VALUES_MAX values, nothing behind the
 * value.  A whole number must lie within +-2^53, so that a double holds it
 * exactly: what is written in digits only, and what RFC 8785 would print so
 * (below 10^21).  1e30 is accepted, 1e20 is not.
 *
 * A document owns all of its values.  Values know the line they stand on, so
 * that a later check can say where the mistake is.  A document is built by
 * json_parse, or from nothing by json_create and the json_add family; both
 * kinds can be read and printed.
 *
 * Elsewhere: reading a file (common/files.h), meaning of a policy
 * (anonymizer/policy.h).
 */
#ifndef COMMON_JSON_H
#define COMMON_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/error.h"
#include "common/text.h"

struct json;       /* a document, owned */
struct json_value; /* a value inside a document, borrowed from it */

enum json_kind {
    JSON_NULL,
    JSON_BOOLEAN,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
};

/* "an object", "a string", ... for messages. */
const char *json_kind_name(enum json_kind kind);

/* Parse text (borrowed for the call).  An error names line and column. */
MUST_USE enum status json_parse(struct json **json, struct bytes text,
                                struct error *err);

/* A new document whose root is an empty object. */
MUST_USE enum status json_create(struct json **json, struct error *err);

/* Takes *json, nulls it, accepts NULL in it. */
void json_destroy(struct json **json);

/* ---- reading ---- */

const struct json_value *json_root(const struct json *json);
enum json_kind json_kind(const struct json_value *value);

/* Line of the value (of its key, for a member), from 1; 0 if it was built. */
unsigned json_line(const struct json_value *value);

/* Each asserts the kind. */
bool json_boolean(const struct json_value *value);
double json_number(const struct json_value *value);
const char *json_string(const struct json_value *value);

/* True and *out set if the number is whole and within +-2^53. */
bool json_integer(const struct json_value *value, int64_t *out);

/* Elements of an array or members of an object, in document order. */
size_t json_length(const struct json_value *value);
const struct json_value *json_first(const struct json_value *value);
const struct json_value *json_next(const struct json_value *value);
/* Key of a member; NULL for an element or a root. */
const char *json_key(const struct json_value *member);
/* NULL if there is no such member. */
const struct json_value *json_member(const struct json_value *object,
                                     const char *key);

/* ---- building ----
 *
 * `parent` is an object (key needed, UTF-8, not there yet) or an array (key
 * NULL).  Containers that are added are returned through *out (borrowed). */

struct json_value *json_edit_root(struct json *json);
MUST_USE enum status json_add_null(struct json_value *parent, const char *key,
                                   struct error *err);
MUST_USE enum status json_add_boolean(struct json_value *parent,
                                      const char *key, bool boolean,
                                      struct error *err);
/* NaN and infinities become null: JSON has no word for them. */
MUST_USE enum status json_add_number(struct json_value *parent, const char *key,
                                     double number, struct error *err);
/* Asserts that integer is within +-2^53. */
MUST_USE enum status json_add_integer(struct json_value *parent,
                                      const char *key, int64_t integer,
                                      struct error *err);
/* The string is copied; E_INPUT if it is not UTF-8 (the path of a file need
 * not be). */
MUST_USE enum status json_add_string(struct json_value *parent, const char *key,
                                     const char *string, struct error *err);
MUST_USE enum status json_add_object(struct json_value *parent, const char *key,
                                     struct json_value **out,
                                     struct error *err);
MUST_USE enum status json_add_array(struct json_value *parent, const char *key,
                                    struct json_value **out, struct error *err);
/* A deep copy of `value`, which may be of another document; its lines are 0. */
MUST_USE enum status json_add_copy(struct json_value *parent, const char *key,
                                   const struct json_value *value,
                                   struct error *err);

/* ---- printing: appended to `out` ---- */

/* For people: two spaces of indent, members in document order, numbers as in
 * RFC 8785 (the shortest text that reads back as the same double); no newline
 * behind. */
MUST_USE enum status json_print(const struct json_value *value,
                                struct text *out, struct error *err);

/* RFC 8785 (JCS): no white space, members sorted by their keys' UTF-16 code
 * units, numbers as ECMAScript prints them, minimal escapes.  For digests and
 * signatures. */
MUST_USE enum status json_print_canonical(const struct json_value *value,
                                          struct text *out, struct error *err);

/* What is signed or committed to has one spelling: E_INPUT unless `text`, which
 * `value` was read from, is its RFC 8785 form. */
MUST_USE enum status json_check_canonical(const struct json_value *value,
                                          struct bytes text, struct error *err);

#define JSON_NUMBER_SIZE 32

/* The number as RFC 8785 prints it.  Asserts that it is finite. */
void json_format_number(double number, char out[JSON_NUMBER_SIZE]);

/* A key as a JSON string for a message: json_quote(key).text.  Long ones are
 * cut, control characters escaped, so that a terminal survives it. */
struct json_quoted {
    char text[JSON_QUOTE_MAX + 8]; /* quotes, dots and NUL */
};
struct json_quoted json_quote(const char *key);

#endif
