#include "common/json.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json_scan.h"
#include "common/utf8.h"

#define INTEGER_MAX ((int64_t)1 << 53)

/* A document is its root, a value is a node of cJSON, both under our names.
 * A node's valueint, a saturated copy of the number that is of no use to us,
 * holds its line. */
static cJSON *node_of(struct json_value *value)
{
    return (cJSON *)(void *)value;
}

static const cJSON *node_of_const(const struct json_value *value)
{
    return (const cJSON *)(const void *)value;
}

static const struct json_value *value_of_const(const cJSON *node)
{
    return (const struct json_value *)(const void *)node;
}

const char *json_kind_name(enum json_kind kind)
{
    static const char *const name[] = {
        [JSON_NULL] = "null",       [JSON_BOOLEAN] = "true or false",
        [JSON_NUMBER] = "a number", [JSON_STRING] = "a string",
        [JSON_ARRAY] = "an array",  [JSON_OBJECT] = "an object",
    };

    assert((size_t)kind < sizeof name / sizeof name[0]);
    return name[kind];
}

/* ---- parsing ---- */

/* Give each node its line; *next walks along the lines, in the order in which
 * the scan met the values.  As deep as the document. */
static void number_nodes(cJSON *node, const struct json_lines *lines,
                         size_t *next)
{
    assert(*next < lines->count);
    node->valueint = (int)lines->line[(*next)++];
    for (cJSON *child = node->child; child != NULL; child = child->next)
        number_nodes(child, lines, next);
}

/* By key, and by line among equal ones. */
static int compare_members(const void *a, const void *b)
{
    const cJSON *left = *(const cJSON *const *)a;
    const cJSON *right = *(const cJSON *const *)b;
    int order = strcmp(left->string, right->string);

    if (order != 0)
        return order;
    return (left->valueint > right->valueint) -
           (left->valueint < right->valueint);
}

/* An array of the members (or elements) of `parent`, which has `count` > 0 of
 * them; to be freed.  NULL without memory. */
static const cJSON **members_of(const cJSON *parent, size_t count)
{
    const cJSON **member = malloc(count * sizeof *member);
    size_t i = 0;

    if (member == NULL)
        return NULL;
    for (const cJSON *child = parent->child; child != NULL; child = child->next)
        member[i++] = child;
    assert(i == count);
    return member;
}

/* Sorted, so that an object of a million keys takes no million squared. */
static enum status check_keys(const cJSON *object, struct error *err)
{
    size_t count = json_length(value_of_const(object));
    const cJSON **member;
    enum status status = OK;

    if (count < 2)
        return OK;
    member = members_of(object, count);
    if (member == NULL)
        return error_memory(err, "the keys of a JSON object");
    qsort(member, count, sizeof *member, compare_members);
    for (size_t i = 1; i < count && status == OK; i++)
        if (strcmp(member[i - 1]->string, member[i]->string) == 0)
            status = error_set(
                err, E_INPUT,
                "line %d: key %s once more, expected each key once (it "
                "stands on line %d)",
                member[i]->valueint, json_quote(member[i]->string).text,
                member[i - 1]->valueint);
    free(member);
    return status;
}

static enum status check_all_keys(const cJSON *node, struct error *err)
{
    if (cJSON_IsObject(node) && check_keys(node, err) != OK)
        return err->status;
    for (const cJSON *child = node->child; child != NULL; child = child->next)
        if (check_all_keys(child, err) != OK)
            return err->status;
    return OK;
}

/* The text has passed the scan: only memory can be missing. */
static cJSON *tree_of(struct bytes text)
{
    /* cJSON notes its last error in a global variable. */
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    cJSON *root;

    pthread_mutex_lock(&lock);
    root = cJSON_ParseWithLengthOpts((const char *)text.data, text.size, NULL,
                                     false);
    pthread_mutex_unlock(&lock);
    return root;
}

enum status json_parse(struct json **json, struct bytes text, struct error *err)
{
    struct json_lines lines;
    cJSON *root = NULL;
    size_t next = 0;
    enum status status;

    json_lines_init(&lines);
    status = json_scan(&lines, text, err);
    if (status != OK)
        goto done;
    root = tree_of(text);
    if (root == NULL) {
        status = error_memory(err, "a JSON document");
        goto done;
    }
    number_nodes(root, &lines, &next);
    assert(next == lines.count);
    status = check_all_keys(root, err);
    if (status != OK)
        goto done;
    *json = (struct json *)(void *)root;
    root = NULL;
done:
    cJSON_Delete(root);
    json_lines_clear(&lines);
    return status;
}

enum status json_create(struct json **json, struct error *err)
{
    cJSON *root = cJSON_CreateObject();

    if (root == NULL)
        return error_memory(err, "a JSON document");
    *json = (struct json *)(void *)root;
    return OK;
}

void json_destroy(struct json **json)
{
    cJSON_Delete((cJSON *)(void *)*json);
    *json = NULL;
}

/* ---- reading ---- */

const struct json_value *json_root(const struct json *json)
{
    return (const struct json_value *)(const void *)json;
}

enum json_kind json_kind(const struct json_value *value)
{
    switch (node_of_const(value)->type & 0xFF) {
    case cJSON_NULL:
        return JSON_NULL;
    case cJSON_False:
    case cJSON_True:
        return JSON_BOOLEAN;
    case cJSON_Number:
        return JSON_NUMBER;
    case cJSON_String:
        return JSON_STRING;
    case cJSON_Array:
        return JSON_ARRAY;
    default:
        assert(cJSON_IsObject(node_of_const(value)));
        return JSON_OBJECT;
    }
}

unsigned json_line(const struct json_value *value)
{
    return (unsigned)node_of_const(value)->valueint;
}

bool json_boolean(const struct json_value *value)
{
    assert(json_kind(value) == JSON_BOOLEAN);
    return cJSON_IsTrue(node_of_const(value));
}

double json_number(const struct json_value *value)
{
    assert(json_kind(value) == JSON_NUMBER);
    return node_of_const(value)->valuedouble;
}

const char *json_string(const struct json_value *value)
{
    assert(json_kind(value) == JSON_STRING);
    return node_of_const(value)->valuestring;
}

bool json_integer(const struct json_value *value, int64_t *out)
{
    double number = json_number(value);

    if (!(fabs(number) <= (double)INTEGER_MAX) ||
        (double)(int64_t)number != number)
        return false;
    *out = (int64_t)number;
    return true;
}

size_t json_length(const struct json_value *value)
{
    size_t length = 0;

    for (const cJSON *child = node_of_const(value)->child; child != NULL;
         child = child->next)
        length++;
    return length;
}

const struct json_value *json_first(const struct json_value *value)
{
    return value_of_const(node_of_const(value)->child);
}

const struct json_value *json_next(const struct json_value *value)
{
    return value_of_const(node_of_const(value)->next);
}

const char *json_key(const struct json_value *member)
{
    return node_of_const(member)->string;
}

const struct json_value *json_member(const struct json_value *object,
                                     const char *key)
{
    assert(json_kind(object) == JSON_OBJECT);
    return value_of_const(
        cJSON_GetObjectItemCaseSensitive(node_of_const(object), key));
}

/* ---- building ---- */

struct json_value *json_edit_root(struct json *json)
{
    return (struct json_value *)(void *)json;
}

/* Hang `item` (taken; NULL if there was no memory for it) into parent. */
static enum status attach(struct json_value *parent, const char *key,
                          cJSON *item, struct error *err)
{
    cJSON *to = node_of(parent);
    bool done = false;

    assert(key != NULL ? cJSON_IsObject(to) : cJSON_IsArray(to));
    assert(key == NULL || utf8_valid(bytes_of_string(key)));
    if (item != NULL) {
        item->valueint = 0; /* no line; cJSON sets it for numbers */
        done = key != NULL ? cJSON_AddItemToObject(to, key, item)
                           : cJSON_AddItemToArray(to, item);
    }
    if (!done) {
        cJSON_Delete(item);
        return error_memory(err, "a JSON document");
    }
    return OK;
}

enum status json_add_null(struct json_value *parent, const char *key,
                          struct error *err)
{
    return attach(parent, key, cJSON_CreateNull(), err);
}

enum status json_add_boolean(struct json_value *parent, const char *key,
                             bool boolean, struct error *err)
{
    return attach(parent, key, cJSON_CreateBool(boolean), err);
}

enum status json_add_number(struct json_value *parent, const char *key,
                            double number, struct error *err)
{
    if (!isfinite(number))
        return json_add_null(parent, key, err);
    return attach(parent, key, cJSON_CreateNumber(number), err);
}

enum status json_add_integer(struct json_value *parent, const char *key,
                             int64_t integer, struct error *err)
{
    assert(integer >= -INTEGER_MAX && integer <= INTEGER_MAX);
    return json_add_number(parent, key, (double)integer, err);
}

enum status json_add_string(struct json_value *parent, const char *key,
                            const char *string, struct error *err)
{
    if (!utf8_valid(bytes_of_string(string)))
        return error_set(err, E_INPUT,
                         "a string for JSON that is not UTF-8%s%s",
                         key != NULL ? ", under key " : "",
                         key != NULL ? json_quote(key).text : "");
    return attach(parent, key, cJSON_CreateString(string), err);
}

static enum status attach_container(struct json_value *parent, const char *key,
                                    cJSON *item, struct json_value **out,
                                    struct error *err)
{
    enum status status = attach(parent, key, item, err);

    if (status == OK)
        *out = (struct json_value *)(void *)item;
    return status;
}

enum status json_add_object(struct json_value *parent, const char *key,
                            struct json_value **out, struct error *err)
{
    return attach_container(parent, key, cJSON_CreateObject(), out, err);
}

enum status json_add_array(struct json_value *parent, const char *key,
                           struct json_value **out, struct error *err)
{
    return attach_container(parent, key, cJSON_CreateArray(), out, err);
}

static void forget_lines(cJSON *node)
{
    node->valueint = 0;
    for (cJSON *child = node->child; child != NULL; child = child->next)
        forget_lines(child);
}

enum status json_add_copy(struct json_value *parent, const char *key,
                          const struct json_value *value, struct error *err)
{
    cJSON *copy = cJSON_Duplicate(node_of_const(value), true);

    if (copy != NULL) {
        forget_lines(copy);
        /* The key that it had where it came from. */
        cJSON_free(copy->string);
        copy->string = NULL;
    }
    return attach(parent, key, copy, err);
}

/* ---- numbers as text ---- */

/* A decimal number 0.d1d2...dn * 10^point, and its sign. */
struct decimal {
    char digit[18]; /* and a NUL */
    int point;
};

/* The `digits`-digit decimal closest to `number` > 0. */
static void decimal_round(struct decimal *decimal, double number, int digits)
{
    char text[JSON_NUMBER_SIZE]; /* d.ddde+dd in the C locale */

    snprintf(text, sizeof text, "%.*e", digits - 1, number);
    decimal->digit[0] = text[0];
    if (digits > 1)
        memcpy(decimal->digit + 1, text + 2, (size_t)digits - 1);
    decimal->digit[digits] = '\0';
    decimal->point = 1 + (int)strtol(strchr(text, 'e') + 1, NULL, 10);
}

/* One more in the last digit. */
static void decimal_step(struct decimal *decimal)
{
    size_t i = strlen(decimal->digit);

    while (i > 0 && decimal->digit[i - 1] == '9')
        decimal->digit[--i] = '0';
    if (i > 0) {
        decimal->digit[i - 1]++;
    } else {
        decimal->digit[0] = '1'; /* 999 -> 1000, shown by 3 digits */
        decimal->point++;
    }
}

static bool decimal_reads_back(const struct decimal *decimal, double number)
{
    char text[JSON_NUMBER_SIZE];

    snprintf(text, sizeof text, "0.%se%d", decimal->digit, decimal->point);
    return strtod(text, NULL) == number;
}

/* The shortest decimal that reads back as `number` > 0, the closest among
 * those (ECMA-262, Number::toString, with its note 2).
 *
 * Rounding to n digits gives the closest of n digits.  If that one does not
 * read back, another may: doubles at a power of two lie closer together
 * below it than above, so that the decimal above, though farther off, can
 * still belong to it (2^-44 is such a number). */
static void decimal_shortest(struct decimal *decimal, double number)
{
    for (int digits = 1;; digits++) {
        assert(digits <= 17); /* which tell every double from all others */
        decimal_round(decimal, number, digits);
        if (decimal_reads_back(decimal, number))
            return;
        decimal_step(decimal);
        if (decimal_reads_back(decimal, number))
            return;
    }
}

void json_format_number(double number, char out[JSON_NUMBER_SIZE])
{
    struct decimal decimal;
    const char *sign = number < 0 ? "-" : "";
    const char *digit = decimal.digit;
    int count, point;

    assert(isfinite(number));
    if (number == 0) { /* -0 as well */
        snprintf(out, JSON_NUMBER_SIZE, "0");
        return;
    }
    decimal_shortest(&decimal, fabs(number));
    count = (int)strlen(digit);
    while (count > 1 && digit[count - 1] == '0')
        count--;
    point = decimal.point;
    if (count <= point && point <= 21) /* 1200 */
        snprintf(out, JSON_NUMBER_SIZE, "%s%.*s%.*s", sign, count, digit,
                 point - count, "00000000000000000000");
    else if (0 < point && point <= 21) /* 1.2 */
        snprintf(out, JSON_NUMBER_SIZE, "%s%.*s.%.*s", sign, point, digit,
                 count - point, digit + point);
    else if (-6 < point && point <= 0) /* 0.0012 */
        snprintf(out, JSON_NUMBER_SIZE, "%s0.%.*s%.*s", sign, -point, "00000",
                 count, digit);
    else /* 1.2e-7 */
        snprintf(out, JSON_NUMBER_SIZE, "%s%c%s%.*se%+d", sign, digit[0],
                 count > 1 ? "." : "", count - 1, digit + 1, point - 1);
}

/* ---- printing ---- */

/* The escape of a byte, "" if it stands for itself.  RFC 8785, 3.2.2.2. */
static const char *escape_of(uint8_t byte, char buffer[8])
{
    switch (byte) {
    case '"':
        return "\\\"";
    case '\\':
        return "\\\\";
    case '\b':
        return "\\b";
    case '\f':
        return "\\f";
    case '\n':
        return "\\n";
    case '\r':
        return "\\r";
    case '\t':
        return "\\t";
    default:
        if (byte >= 0x20)
            return "";
        snprintf(buffer, 8, "\\u%04x", byte);
        return buffer;
    }
}

/* Length of the character at `at`, continuation bytes included. */
static size_t character_length(const char *at)
{
    size_t length = 1;

    while (((uint8_t)at[length] & 0xC0) == 0x80)
        length++;
    return length;
}

struct json_quoted json_quote(const char *key)
{
    struct json_quoted quoted;
    size_t used = 0, length;
    char buffer[8];

    quoted.text[used++] = '"';
    for (const char *at = key; *at != '\0'; at += length) {
        const char *shown = escape_of((uint8_t)*at, buffer);
        size_t size;

        length = character_length(at);
        size = length;
        if (!utf8_valid(bytes_of(at, length)))
            shown = "?"; /* a name from elsewhere need not be UTF-8 */
        if (*shown != '\0')
            size = strlen(shown);
        else
            shown = at;
        if (used + size > JSON_QUOTE_MAX) {
            memcpy(quoted.text + used, "...", 3);
            used += 3;
            break;
        }
        memcpy(quoted.text + used, shown, size);
        used += size;
    }
    quoted.text[used++] = '"';
    quoted.text[used] = '\0';
    return quoted;
}

static enum status print_string(const char *string, struct text *out,
                                struct error *err)
{
    enum status status = text_append(out, "\"", 1, err);
    const char *plain = string; /* what is not printed yet */
    char buffer[8];

    for (const char *at = string; *at != '\0' && status == OK; at++) {
        const char *escape = escape_of((uint8_t)*at, buffer);

        if (*escape == '\0')
            continue;
        status = text_append(out, plain, (size_t)(at - plain), err);
        if (status == OK)
            status = text_append_string(out, escape, err);
        plain = at + 1;
    }
    if (status == OK)
        status = text_append_string(out, plain, err);
    if (status == OK)
        status = text_append(out, "\"", 1, err);
    return status;
}

static enum status print_scalar(const cJSON *node, struct text *out,
                                struct error *err)
{
    char number[JSON_NUMBER_SIZE];

    switch (json_kind(value_of_const(node))) {
    case JSON_NULL:
        return text_append_string(out, "null", err);
    case JSON_BOOLEAN:
        return text_append_string(out, cJSON_IsTrue(node) ? "true" : "false",
                                  err);
    case JSON_NUMBER:
        json_format_number(node->valuedouble, number);
        return text_append_string(out, number, err);
    default:
        return print_string(node->valuestring, out, err);
    }
}

/* Bytes of UTF-8 sort as code points do.  UTF-16 differs in one thing: what
 * needs two units (first byte F0 to F4) begins with D800 to DBFF, below
 * U+E000 to U+FFFF (first byte EE and EF). */
static unsigned utf16_rank(uint8_t byte)
{
    if (byte < 0xEE)
        return byte;
    return byte < 0xF0 ? byte + 0x10u : byte - 2u;
}

static int compare_utf16(const void *a, const void *b)
{
    const char *left = (*(const cJSON *const *)a)->string;
    const char *right = (*(const cJSON *const *)b)->string;
    unsigned left_rank, right_rank;

    while (*left == *right && *left != '\0')
        left++, right++;
    left_rank = utf16_rank((uint8_t)*left);
    right_rank = utf16_rank((uint8_t)*right);
    return (left_rank > right_rank) - (left_rank < right_rank);
}

/* In document order where indent >= 0, then the depth; canonical with -1. */
static enum status print_node(const cJSON *node, int indent, struct text *out,
                              struct error *err);

static enum status print_newline(int indent, struct text *out,
                                 struct error *err)
{
    if (indent < 0)
        return OK;
    return text_printf(out, err, "\n%*s", 2 * indent, "");
}

static enum status print_members(const cJSON **member, size_t count, int indent,
                                 struct text *out, struct error *err)
{
    enum status status = OK;

    for (size_t i = 0; i < count && status == OK; i++) {
        if (i > 0)
            status = text_append(out, ",", 1, err);
        if (status == OK)
            status = print_newline(indent, out, err);
        if (status == OK && member[i]->string != NULL) {
            status = print_string(member[i]->string, out, err);
            if (status == OK)
                status = text_append_string(out, indent < 0 ? ":" : ": ", err);
        }
        if (status == OK)
            status = print_node(member[i], indent, out, err);
    }
    return status;
}

static enum status print_container(const cJSON *node, int indent,
                                   struct text *out, struct error *err)
{
    bool object = cJSON_IsObject(node);
    size_t count = json_length(value_of_const(node));
    const cJSON **member = NULL;
    enum status status = text_append(out, object ? "{" : "[", 1, err);

    if (status == OK && count > 0) {
        member = members_of(node, count);
        if (member == NULL)
            return error_memory(err, "the text of a JSON document");
        if (object && indent < 0)
            qsort(member, count, sizeof *member, compare_utf16);
        status = print_members(member, count, indent < 0 ? -1 : indent + 1, out,
                               err);
        if (status == OK)
            status = print_newline(indent, out, err);
        free(member);
    }
    if (status == OK)
        status = text_append(out, object ? "}" : "]", 1, err);
    return status;
}

static enum status print_node(const cJSON *node, int indent, struct text *out,
                              struct error *err)
{
    if (cJSON_IsObject(node) || cJSON_IsArray(node))
        return print_container(node, indent, out, err);
    return print_scalar(node, out, err);
}

enum status json_print(const struct json_value *value, struct text *out,
                       struct error *err)
{
    return print_node(node_of_const(value), 0, out, err);
}

enum status json_print_canonical(const struct json_value *value,
                                 struct text *out, struct error *err)
{
    return print_node(node_of_const(value), -1, out, err);
}

enum status json_check_canonical(const struct json_value *value,
                                 struct bytes text, struct error *err)
{
    struct text canonical;
    enum status status;

    text_init(&canonical);
    status = json_print_canonical(value, &canonical, err);
    if (status == OK && !bytes_equal(text_bytes(&canonical), text))
        status =
            error_set(err, E_INPUT, "is not in its canonical form (RFC 8785)");
    text_clear(&canonical);
    return status;
}
