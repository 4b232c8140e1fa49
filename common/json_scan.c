#include "common/json_scan.h"

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/utf8.h"

struct scan {
    const uint8_t *at; /* the next byte */
    const uint8_t *end;
    const uint8_t *line_start;
    unsigned line;
    unsigned depth;
    struct json_lines *lines;
    struct error *err;
};

void json_lines_init(struct json_lines *lines)
{
    *lines = (struct json_lines){NULL, 0, 0};
}

void json_lines_clear(struct json_lines *lines)
{
    free(lines->line);
    json_lines_init(lines);
}

/* ---- where and what ---- */

/* Columns count characters, not bytes, as editors do. */
static size_t column(const struct scan *scan)
{
    size_t characters = 1;

    for (const uint8_t *at = scan->line_start; at < scan->at; at++)
        characters += (*at & 0xC0) != 0x80;
    return characters;
}

__attribute__((format(printf, 3, 4))) static enum status
fail(const struct scan *scan, enum status status, const char *format, ...)
{
    char what[256];
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return error_set(scan->err, status, "line %u, column %zu: %s", scan->line,
                     column(scan), what);
}

/* What stands here, without saying it where it may be part of a record: of a
 * table that was taken for JSON, say. */
static const char *kind_of(uint8_t byte)
{
    if (byte >= '0' && byte <= '9')
        return "a digit";
    if ((byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z'))
        return "a letter";
    return byte >= 0x7F ? "a byte beyond ASCII" : NULL;
}

/* Something else than `expected` stands here. */
static enum status unexpected(const struct scan *scan, const char *expected)
{
    if (scan->at == scan->end)
        return fail(scan, E_INPUT, "the text ends here, expected %s", expected);
    if (kind_of(*scan->at) != NULL)
        return fail(scan, E_INPUT, "%s, expected %s", kind_of(*scan->at),
                    expected);
    if (*scan->at > 0x20)
        return fail(scan, E_INPUT, "'%c', expected %s", *scan->at, expected);
    return fail(scan, E_INPUT, "byte 0x%02X, expected %s", *scan->at, expected);
}

static enum status note_line(struct scan *scan, unsigned line)
{
    struct json_lines *lines = scan->lines;

    if (lines->count == JSON_VALUES_MAX)
        return fail(scan, E_LIMIT, "one value more, expected at most %u",
                    JSON_VALUES_MAX);
    if (lines->count == lines->capacity) {
        size_t capacity = lines->capacity == 0 ? 64 : 2 * lines->capacity;
        unsigned *grown = realloc(lines->line, capacity * sizeof *grown);

        if (grown == NULL)
            return error_memory(scan->err, "the lines of a JSON text");
        lines->line = grown;
        lines->capacity = capacity;
    }
    lines->line[lines->count++] = line;
    return OK;
}

/* ---- reading ahead ---- */

static bool next_is(const struct scan *scan, char character)
{
    return scan->at < scan->end && *scan->at == (uint8_t)character;
}

static bool next_is_digit(const struct scan *scan)
{
    return scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9';
}

static void skip_space(struct scan *scan)
{
    for (; scan->at < scan->end; scan->at++) {
        if (*scan->at == '\n') {
            scan->line++;
            scan->line_start = scan->at + 1;
        } else if (*scan->at != ' ' && *scan->at != '\t' && *scan->at != '\r') {
            return;
        }
    }
}

/* ---- strings ---- */

/* Four hex digits at scan->at, which moves behind them. */
static enum status scan_hex(struct scan *scan, unsigned *unit)
{
    *unit = 0;
    for (int i = 0; i < 4; i++, scan->at++) {
        unsigned digit;

        if (next_is_digit(scan))
            digit = *scan->at - (unsigned)'0';
        else if (scan->at < scan->end && *scan->at >= 'a' && *scan->at <= 'f')
            digit = *scan->at - (unsigned)'a' + 10;
        else if (scan->at < scan->end && *scan->at >= 'A' && *scan->at <= 'F')
            digit = *scan->at - (unsigned)'A' + 10;
        else
            return fail(scan, E_INPUT,
                        "an escape \\u that is cut short, expected four hex "
                        "digits");
        *unit = *unit * 16 + digit;
    }
    return OK;
}

/* The XXXX of \uXXXX; a surrogate must be a high one with its low one. */
static enum status scan_unicode(struct scan *scan)
{
    unsigned unit;

    if (scan_hex(scan, &unit) != OK)
        return scan->err->status;
    if (unit == 0)
        return fail(scan, E_INPUT, "\\u0000 in a string, expected no NUL");
    if (unit >= 0xDC00 && unit <= 0xDFFF)
        return fail(scan, E_INPUT,
                    "a low surrogate alone, expected a high one before it");
    if (unit < 0xD800 || unit > 0xDFFF)
        return OK;
    if (scan->end - scan->at >= 2 && memcmp(scan->at, "\\u", 2) == 0) {
        scan->at += 2;
        if (scan_hex(scan, &unit) != OK)
            return scan->err->status;
        if (unit >= 0xDC00 && unit <= 0xDFFF)
            return OK;
    }
    return fail(scan, E_INPUT,
                "a high surrogate alone, expected a low one behind it");
}

static enum status scan_escape(struct scan *scan)
{
    scan->at++;
    if (next_is(scan, 'u')) {
        scan->at++;
        return scan_unicode(scan);
    }
    /* strchr would find the NUL that ends its string. */
    if (scan->at == scan->end || *scan->at == '\0' ||
        strchr("\"\\/bfnrt", *scan->at) == NULL)
        return fail(scan, E_INPUT,
                    "an unknown escape, expected one of \\\" \\\\ \\/ \\b \\f "
                    "\\n \\r \\t \\uXXXX");
    scan->at++;
    return OK;
}

/* Characters outside of ASCII, as many as there are in a row. */
static enum status scan_utf8(struct scan *scan)
{
    const uint8_t *start = scan->at;
    const uint8_t *end = start;
    bool cut;

    while (end < scan->end && *end >= 0x80)
        end++;
    scan->at += utf8_prefix(bytes_of(start, (size_t)(end - start)), &cut);
    if (scan->at < end)
        return fail(scan, E_INPUT,
                    "byte 0x%02X that does not belong there, expected UTF-8",
                    *scan->at);
    return OK;
}

/* From the opening quote to behind the closing one. */
static enum status scan_string(struct scan *scan)
{
    scan->at++;
    while (!next_is(scan, '"')) {
        enum status status = OK;

        if (scan->at == scan->end)
            return unexpected(scan, "a closing quote");
        if (*scan->at < 0x20)
            return fail(scan, E_INPUT,
                        "a line break or control character in a string, "
                        "expected a closing quote or an escape such as \\n");
        if (*scan->at == '\\')
            status = scan_escape(scan);
        else if (*scan->at >= 0x80)
            status = scan_utf8(scan);
        else
            scan->at++;
        if (status != OK)
            return status;
    }
    scan->at++;
    return OK;
}

/* ---- numbers ---- */

/* Digits only, with or without sign: is it within +-2^53?  A comparison of
 * doubles would let 2^53 + 1 pass, which rounds to 2^53. */
static bool whole_is_exact(const char *digits)
{
    static const char limit[] = "9007199254740992"; /* 2^53 */
    size_t length;

    if (*digits == '-')
        digits++;
    length = strlen(digits);
    return length < sizeof limit - 1 ||
           (length == sizeof limit - 1 && strcmp(digits, limit) <= 0);
}

/* Is the value of the number `start`..scan->at one that a double holds? */
static enum status check_number(struct scan *scan, const uint8_t *start,
                                bool whole)
{
    char digits[JSON_NUMBER_MAX + 1];
    size_t length = (size_t)(scan->at - start);
    double magnitude;

    scan->at = start; /* where an error points to */
    if (length > JSON_NUMBER_MAX)
        return fail(scan, E_LIMIT,
                    "a number of %zu characters, expected at "
                    "most %d",
                    length, JSON_NUMBER_MAX);
    memcpy(digits, start, length);
    digits[length] = '\0';
    magnitude = fabs(strtod(digits, NULL));
    if (isinf(magnitude))
        return fail(scan, E_INPUT,
                    "a number beyond the range of doubles, "
                    "expected at most 1.7976931348623157e308");
    if (whole ? !whole_is_exact(digits)
              : magnitude >= 9007199254740992.0 && magnitude < 1e21)
        return fail(scan, E_INPUT,
                    "a whole number beyond 2^53, expected one that a double "
                    "holds exactly");
    scan->at = start + length;
    return OK;
}

/* At least one digit. */
static enum status scan_digits(struct scan *scan)
{
    if (!next_is_digit(scan))
        return unexpected(scan, "a digit");
    while (next_is_digit(scan))
        scan->at++;
    return OK;
}

static enum status scan_number(struct scan *scan)
{
    const uint8_t *start = scan->at;
    bool whole = true;

    if (next_is(scan, '-'))
        scan->at++;
    if (next_is(scan, '0')) {
        scan->at++;
        if (next_is_digit(scan))
            return fail(scan, E_INPUT,
                        "a digit behind a leading 0, expected none");
    } else if (scan_digits(scan) != OK) {
        return scan->err->status;
    }
    if (next_is(scan, '.')) {
        whole = false;
        scan->at++;
        if (scan_digits(scan) != OK)
            return scan->err->status;
    }
    if (next_is(scan, 'e') || next_is(scan, 'E')) {
        whole = false;
        scan->at++;
        if (next_is(scan, '+') || next_is(scan, '-'))
            scan->at++;
        if (scan_digits(scan) != OK)
            return scan->err->status;
    }
    return check_number(scan, start, whole);
}

/* ---- values ---- */

static enum status scan_word(struct scan *scan, const char *word)
{
    size_t length = strlen(word);

    if ((size_t)(scan->end - scan->at) < length ||
        memcmp(scan->at, word, length) != 0)
        return fail(scan, E_INPUT,
                    "an unknown word, expected true, false or null");
    scan->at += length;
    return OK;
}

static enum status scan_value(struct scan *scan, unsigned line);

static enum status scan_member(struct scan *scan)
{
    unsigned line = scan->line;

    if (!next_is(scan, '"'))
        return unexpected(scan, "a key in double quotes");
    if (scan_string(scan) != OK)
        return scan->err->status;
    skip_space(scan);
    if (!next_is(scan, ':'))
        return unexpected(scan, "':' behind a key");
    scan->at++;
    skip_space(scan);
    return scan_value(scan, line);
}

/* An array or object, from its bracket to behind the closing one. */
static enum status scan_container(struct scan *scan, char close)
{
    bool object = close == '}';

    if (scan->depth == JSON_DEPTH_MAX)
        return fail(scan, E_LIMIT, "one level more, expected at most %d",
                    JSON_DEPTH_MAX);
    scan->depth++;
    scan->at++;
    skip_space(scan);
    if (!next_is(scan, close)) {
        for (;;) {
            enum status status =
                object ? scan_member(scan) : scan_value(scan, scan->line);

            if (status != OK)
                return status;
            skip_space(scan);
            if (!next_is(scan, ','))
                break;
            scan->at++;
            skip_space(scan);
        }
        if (!next_is(scan, close))
            return unexpected(scan, object ? "',' or '}'" : "',' or ']'");
    }
    scan->at++;
    scan->depth--;
    return OK;
}

/* `line` is that of the value, or of its key. */
static enum status scan_value(struct scan *scan, unsigned line)
{
    if (note_line(scan, line) != OK)
        return scan->err->status;
    if (scan->at == scan->end)
        return unexpected(scan, "a value");
    switch (*scan->at) {
    case '{':
        return scan_container(scan, '}');
    case '[':
        return scan_container(scan, ']');
    case '"':
        return scan_string(scan);
    case 't':
        return scan_word(scan, "true");
    case 'f':
        return scan_word(scan, "false");
    case 'n':
        return scan_word(scan, "null");
    default:
        if (*scan->at != '-' && !next_is_digit(scan))
            return unexpected(scan, "a value");
        return scan_number(scan);
    }
}

enum status json_scan(struct json_lines *lines, struct bytes text,
                      struct error *err)
{
    struct scan scan = {.at = text.data,
                        .end = text.data + text.size,
                        .line_start = text.data,
                        .line = 1,
                        .lines = lines,
                        .err = err};

    if (text.size > JSON_SIZE_MAX)
        return error_set(err, E_LIMIT,
                         "a JSON text of %zu bytes, expected at most %u",
                         text.size, JSON_SIZE_MAX);
    if (text.size >= 3 && memcmp(text.data, "\xEF\xBB\xBF", 3) == 0)
        return fail(&scan, E_INPUT,
                    "a byte order mark, expected UTF-8 without it");
    skip_space(&scan);
    if (scan_value(&scan, scan.line) != OK)
        return err->status;
    skip_space(&scan);
    if (scan.at < scan.end)
        return unexpected(&scan, "nothing behind the value");
    return OK;
}
