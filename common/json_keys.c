#include "common/json_keys.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "common/suggestion.h"
#include "common/text.h"

/* `"a", "b", "c"`: what is known, for messages. */
struct list {
    char text[ERROR_TEXT_MAX];
    size_t used;
};

static void list_init(struct list *list)
{
    list->text[0] = '\0';
    list->used = 0;
}

static void list_add(struct list *list, const char *name)
{
    int added =
        snprintf(list->text + list->used, sizeof list->text - list->used,
                 "%s\"%s\"", list->used > 0 ? ", " : "", name);

    /* The names are ours: if they do not fit, the table is wrong. */
    assert(added > 0 && (size_t)added < sizeof list->text - list->used);
    list->used += (size_t)added;
}

enum status json_refuse(const struct json_key *key,
                        const struct json_value *value, const char *what,
                        struct error *err)
{
    return error_set(err, E_INPUT, "line %u: \"%s\" %s, expected %s",
                     json_line(value), key->name, what, key->expected);
}

/* ---- takers ---- */

static bool in_range(const struct json_key *key, double number)
{
    return number >= key->min && number <= key->max;
}

enum status json_take_number(const struct json_key *key,
                             const struct json_value *value, void *target,
                             struct error *err)
{
    double number = json_number(value);
    int64_t whole;

    if (!in_range(key, number))
        return json_refuse(key, value, "is out of range", err);
    if (key->whole && !json_integer(value, &whole))
        return json_refuse(key, value, "is not whole", err);
    memcpy((char *)target + key->offset, &number, sizeof number);
    return OK;
}

enum status json_take_count(const struct json_key *key,
                            const struct json_value *value, void *target,
                            struct error *err)
{
    int64_t whole;
    uint32_t count;

    assert(key->min >= 0 && key->max <= UINT32_MAX);
    if (!in_range(key, json_number(value)))
        return json_refuse(key, value, "is out of range", err);
    if (!json_integer(value, &whole))
        return json_refuse(key, value, "is not whole", err);
    count = (uint32_t)whole;
    memcpy((char *)target + key->offset, &count, sizeof count);
    return OK;
}

enum status json_take_u64(const struct json_key *key,
                          const struct json_value *value, void *target,
                          struct error *err)
{
    int64_t whole;
    uint64_t number;

    assert(key->min >= 0);
    if (!json_integer(value, &whole) || (double)whole < key->min)
        return json_refuse(key, value, "is none", err);
    if (key->max > 0 && (double)whole > key->max)
        return json_refuse(key, value, "is out of range", err);
    number = (uint64_t)whole;
    memcpy((char *)target + key->offset, &number, sizeof number);
    return OK;
}

enum status json_take_version(const struct json_key *key,
                              const struct json_value *value, void *target,
                              struct error *err)
{
    int64_t version;

    (void)target;
    if (!json_integer(value, &version) || (double)version != key->min)
        return json_refuse(key, value, "is another", err);
    return OK;
}

enum status json_take_known_version(const struct json_key *key,
                                    const struct json_value *value,
                                    void *target, struct error *err)
{
    int64_t version;

    (void)target;
    if (!json_integer(value, &version))
        return json_refuse(key, value, "is not whole", err);
    if ((double)version != key->min)
        return error_set(
            err, E_VERSION, "line %u: version %jd of \"%s\": %.0f is known",
            json_line(value), (intmax_t)version, key->name, key->min);
    return OK;
}

enum status json_take_string(const struct json_key *key,
                             const struct json_value *value, void *target,
                             struct error *err)
{
    char *copy = string_copy(json_string(value));

    if (copy == NULL)
        return error_memory(err, key->name);
    memcpy((char *)target + key->offset, &copy, sizeof copy);
    return OK;
}

enum status json_take_name(const struct json_key *key,
                           const struct json_value *value, void *target,
                           struct error *err)
{
    struct bytes name = bytes_of_string(json_string(value));

    if (!key->valid(name))
        return json_refuse(key, value, "is none", err);
    /* What is valid fits, or the table is wrong. */
    assert(name.size < key->size);
    memcpy((char *)target + key->offset, json_string(value), name.size + 1);
    return OK;
}

enum status json_take_items(const struct json_key *key,
                            const struct json_value *value, void *target,
                            struct error *err)
{
    double count = (double)json_length(value);
    enum status status = OK;

    if (!in_range(key, count))
        return json_refuse(key, value,
                           key->min > 0 ? "has another number" : "are too many",
                           err);
    for (const struct json_value *item = json_first(value);
         status == OK && item != NULL; item = json_next(item))
        status = key->item(item, target, err);
    return status;
}

enum status json_find_word(const struct json_key *key,
                           const struct json_value *value, unsigned *index,
                           struct error *err)
{
    struct suggestion suggestion;
    struct list list;

    suggestion_init(&suggestion, json_string(value));
    list_init(&list);
    for (unsigned i = 0; key->word[i].name != NULL; i++) {
        const struct json_word *word = &key->word[i];

        if (strcmp(word->name, json_string(value)) == 0) {
            if (word->later)
                return error_set(err, E_VERSION,
                                 "line %u: %s \"%s\": not in this version",
                                 json_line(value), key->name, word->name);
            *index = i;
            return OK;
        }
        suggestion_consider(&suggestion, word->name);
        if (!word->later)
            list_add(&list, word->name);
    }
    if (suggestion.best != NULL)
        return error_set(err, E_INPUT,
                         "line %u: unknown \"%s\", did you mean \"%s\"?",
                         json_line(value), key->name, suggestion.best);
    return error_set(err, E_INPUT, "line %u: unknown \"%s\", expected %s%s",
                     json_line(value), key->name,
                     strchr(list.text, ',') != NULL ? "one of " : "",
                     list.text);
}

enum status json_take_word(const struct json_key *key,
                           const struct json_value *value, void *target,
                           struct error *err)
{
    unsigned index;
    enum status status = json_find_word(key, value, &index, err);

    if (status == OK)
        memcpy((char *)target + key->offset, &index, sizeof index);
    return status;
}

/* ---- objects ---- */

static const struct json_key *find_key(const struct json_key *key, size_t count,
                                       const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(key[i].name, name) == 0)
            return &key[i];
    return NULL;
}

static enum status refuse_unknown(const struct json_value *member,
                                  const struct json_key *key, size_t count,
                                  struct error *err)
{
    const char *name = json_key(member);
    struct suggestion suggestion;
    struct list list;

    suggestion_init(&suggestion, name);
    list_init(&list);
    for (size_t i = 0; i < count; i++) {
        suggestion_consider(&suggestion, key[i].name);
        if (key[i].take != NULL)
            list_add(&list, key[i].name);
    }
    if (suggestion.best != NULL)
        return error_set(
            err, E_INPUT, "line %u: unknown key %s, did you mean \"%s\"?",
            json_line(member), json_quote(name).text, suggestion.best);
    return error_set(err, E_INPUT,
                     "line %u: unknown key %s, expected one of %s",
                     json_line(member), json_quote(name).text, list.text);
}

static enum status take(const struct json_value *member,
                        const struct json_key *key, void *target,
                        struct error *err)
{
    char what[64];

    if (key->take == NULL)
        return error_set(err, E_VERSION, "line %u: \"%s\": not in this version",
                         json_line(member), key->name);
    if (json_kind(member) != key->kind) {
        snprintf(what, sizeof what, "is %s", json_kind_name(json_kind(member)));
        return json_refuse(key, member, what, err);
    }
    return key->take(key, member, target, err);
}

static enum status refuse_missing(const struct json_value *object,
                                  const struct json_key *key, struct error *err)
{
    return error_set(err, E_INPUT, "line %u: no \"%s\", expected %s",
                     json_line(object), key->name, key->expected);
}

enum status json_take_member(const struct json_value *object,
                             const struct json_key *key, void *target,
                             struct error *err)
{
    const struct json_value *member = json_member(object, key->name);

    if (member == NULL)
        return key->required ? refuse_missing(object, key, err) : OK;
    return take(member, key, target, err);
}

enum status json_take_object(const struct json_value *object,
                             const struct json_key *key, size_t count,
                             void *target, struct error *err)
{
    assert(json_kind(object) == JSON_OBJECT);
    for (const struct json_value *member = json_first(object); member != NULL;
         member = json_next(member)) {
        const struct json_key *known = find_key(key, count, json_key(member));

        if (known == NULL)
            return refuse_unknown(member, key, count, err);
        if (take(member, known, target, err) != OK)
            return err->status;
    }
    for (size_t i = 0; i < count; i++)
        if (key[i].required && json_member(object, key[i].name) == NULL)
            return refuse_missing(object, &key[i], err);
    return OK;
}

enum status json_take_root(const struct json_value *root,
                           const struct json_key *key, size_t count,
                           void *target, struct error *err)
{
    if (json_kind(root) != JSON_OBJECT)
        return error_set(err, E_INPUT, "expected an object, found %s",
                         json_kind_name(json_kind(root)));
    return json_take_object(root, key, count, target, err);
}

enum status json_take_text(struct bytes text, const struct json_key *key,
                           size_t count, void *target, struct error *err)
{
    struct json *json = NULL;
    enum status status = json_parse(&json, text, err);

    if (status == OK)
        status = json_take_root(json_root(json), key, count, target, err);
    json_destroy(&json);
    return status;
}
