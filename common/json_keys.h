/*
 * common/json_keys.h - an object against the table of keys that it may have.
 *
 *     static const struct json_key keys[] = {
 *         {.name = "suppression_limit", .kind = JSON_NUMBER,
 *          .expected = "a number from 0 to 1", .max = 1,
 *          .take = json_take_number,
 *          .offset = offsetof(struct policy, suppression_limit)},
 *         {.name = "subset"},                           of a later version
 *     };
 *
 * Everything in the object must be in the table and of the right kind; what
 * is not is refused with its line and, where one is near, the name that was
 * probably meant.  Each value is taken into a struct (the target) as its row
 * says.  Errors show keys, never strings that stand in the document.
 */
#ifndef COMMON_JSON_KEYS_H
#define COMMON_JSON_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"
#include "common/json.h"

struct json_key;

/* Put `value`, which is of the key's kind, into the target. */
typedef enum status json_take(const struct json_key *key,
                              const struct json_value *value, void *target,
                              struct error *err);

/* Take one item of an array. */
typedef enum status json_take_item(const struct json_value *item, void *target,
                                   struct error *err);

/* A string that may stand as a value. */
struct json_word {
    const char *name; /* NULL ends a list of words */
    bool later;       /* known, but not in this version */
};

struct json_key {
    const char *name;
    enum json_kind kind;
    const char *expected; /* in words, behind "expected" */
    json_take *take;      /* NULL: known, but not in this version */
    bool required;
    size_t offset;                /* into the target, for json_take_* */
    double min, max;              /* of a number, or how many items */
    bool whole;                   /* json_take_number */
    const struct json_word *word; /* json_take_word */
    bool (*valid)(struct bytes);  /* json_take_name */
    size_t size;                  /* json_take_name: at the offset, with NUL */
    json_take_item *item;         /* json_take_items */
};

/* Take all members of `object` in document order. */
MUST_USE enum status json_take_object(const struct json_value *object,
                                      const struct json_key *key, size_t count,
                                      void *target, struct error *err);

/* The same for the root of a document, which may be no object. */
MUST_USE enum status json_take_root(const struct json_value *root,
                                    const struct json_key *key, size_t count,
                                    void *target, struct error *err);

/* The same for a document that is not needed afterwards. */
MUST_USE enum status json_take_text(struct bytes text,
                                    const struct json_key *key, size_t count,
                                    void *target, struct error *err);

/* Take this one member, which says what the others may be. */
MUST_USE enum status json_take_member(const struct json_value *object,
                                      const struct json_key *key, void *target,
                                      struct error *err);

/* Takers: a double at the offset; a uint32_t; a uint64_t, which may be as large
 * as it likes where `max` is 0; a copy of the string in a char * that is NULL
 * so far; a copy of a valid one in a char[size]; the index of the word in an
 * unsigned. */
json_take json_take_number;
json_take json_take_count;
json_take json_take_u64;
json_take json_take_string;
json_take json_take_name;
json_take json_take_word;

/* The version of a format: must be `min`, and is taken nowhere. */
json_take json_take_version;
/* The same where E_VERSION must say that it is not the file that is wrong, but
 * the program that is old: in what people verify. */
json_take json_take_known_version;

/* Rows that most formats have: the format's name with its version, 1; a name
 * that must be there, into a char[] of the struct. */
#define JSON_KEY_VERSION_BY(format, taker)                                     \
    {                                                                          \
        .name = (format), .kind = JSON_NUMBER,                                 \
        .expected = "the version of the format, 1", .take = (taker),           \
        .required = true, .min = 1                                             \
    }
#define JSON_KEY_VERSION(format) JSON_KEY_VERSION_BY(format, json_take_version)
#define JSON_KEY_KNOWN_VERSION(format)                                         \
    JSON_KEY_VERSION_BY(format, json_take_known_version)
#define JSON_KEY_NAME(key, type, member, is_valid, in_words)                   \
    {                                                                          \
        .name = (key), .kind = JSON_STRING, .expected = (in_words),            \
        .take = json_take_name, .required = true,                              \
        .offset = offsetof(type, member), .valid = (is_valid),                 \
        .size = sizeof((type *)NULL)->member                                   \
    }

/* Each item of an array of `min` to `max`, by key->item with the target. */
json_take json_take_items;

/* Index of the string among the key's words.  E_VERSION for one of a later
 * version. */
MUST_USE enum status json_find_word(const struct json_key *key,
                                    const struct json_value *value,
                                    unsigned *index, struct error *err);

/* For takers: "line L: "key" <what>, expected <key->expected>", E_INPUT. */
MUST_USE enum status json_refuse(const struct json_key *key,
                                 const struct json_value *value,
                                 const char *what, struct error *err);

#endif
