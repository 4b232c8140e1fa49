/* What stands off the ledger, and is committed to by an entry. */
#include <assert.h>
#include <float.h>
#include <string.h>

#include "anonymizer/attestation_internal.h"

/* Codes of DUO: a request names each once, and there are fewer. */
#define PURPOSES_MAX 64

/* Whole numbers that JSON holds exactly. */
#define JSON_WHOLE_MAX (UINT64_C(1) << 53)

/* ---- writing ---- */

static enum status add_whole(struct json_value *object, const char *key,
                             uint64_t number, struct error *err)
{
    assert(number <= JSON_WHOLE_MAX);
    return json_add_integer(object, key, (int64_t)number, err);
}

static enum status add_digest(struct json_value *object, const char *key,
                              const struct digest *digest, struct error *err)
{
    char hex[DIGEST_HEX_SIZE];

    digest_hex(digest, hex);
    return json_add_string(object, key, hex, err);
}

static enum status add_figures(struct json_value *root, const char *key,
                               const struct class_figures *figures,
                               struct error *err)
{
    struct json_value *object, *classes, *risk;
    enum status status = json_add_object(root, key, &object, err);

    if (status == OK)
        status = json_add_object(object, "classes", &classes, err);
    if (status == OK)
        status = json_add_number(classes, "average", figures->average, err);
    if (status == OK)
        status = add_whole(classes, "count", figures->count, err);
    if (status == OK)
        status = add_whole(classes, "max", figures->max, err);
    if (status == OK)
        status = add_whole(classes, "min", figures->min, err);
    if (status == OK)
        status = json_add_object(object, "risk", &risk, err);
    if (status == OK)
        status = json_add_number(risk, "average", figures->risk_average, err);
    if (status == OK)
        status = json_add_number(risk, "highest", figures->risk_highest, err);
    if (status == OK)
        status = add_whole(risk, "sample_uniques", figures->uniques, err);
    return status;
}

static enum status add_levels(struct json_value *root,
                              const struct release_facts *facts,
                              struct error *err)
{
    const struct policy *policy = facts->policy;
    struct json_value *levels;
    enum status status = json_add_object(root, "levels", &levels, err);

    for (size_t i = 0; status == OK && i < policy->attribute_count; i++)
        if (policy->attribute[i].role == ROLE_QUASI_IDENTIFYING)
            status = json_add_integer(levels, policy->attribute[i].name,
                                      facts->level[i], err);
    return status;
}

enum status release_statement_write(const struct release_facts *facts,
                                    struct text *out, struct error *err)
{
    struct json *json = NULL;
    struct json_value *root;
    enum status status = json_create(&json, err);

    if (status != OK)
        return status;
    root = json_edit_root(json);
    status = add_figures(root, "after", facts->after, err);
    if (status == OK)
        status = add_figures(root, "before", facts->before, err);
    if (status == OK)
        status = add_levels(root, facts, err);
    if (status == OK)
        status = add_digest(root, "output", facts->output, err);
    if (status == OK)
        status = add_digest(root, "permit", facts->permit, err);
    if (status == OK)
        status = add_digest(root, "policy", &facts->policy->digest, err);
    if (status == OK)
        status = json_add_string(root, "release", facts->release, err);
    if (status == OK)
        status = add_whole(root, "rows", facts->rows, err);
    if (status == OK)
        status = json_add_string(root, "statement", "release 1", err);
    if (status == OK)
        status = add_whole(root, "suppressed", facts->suppressed, err);
    if (status == OK)
        status = json_print_canonical(json_root(json), out, err);
    json_destroy(&json);
    return status;
}

/* ---- reading: takers ---- */

enum status attestation_take_hex(const struct json_key *key,
                                 const struct json_value *value, void *target,
                                 struct error *err)
{
    const char *text = json_string(value);
    size_t digits = key->size - 1;

    if (strlen(text) != digits || strspn(text, "0123456789abcdef") != digits)
        return json_refuse(key, value, "is none", err);
    memcpy((char *)target + key->offset, text, key->size);
    return OK;
}

/* key->word[0] is the kind that it must be of. */
static enum status take_kind(const struct json_key *key,
                             const struct json_value *value, void *target,
                             struct error *err)
{
    (void)target;
    if (strcmp(json_string(value), key->word[0].name) != 0)
        return json_refuse(key, value, "is another", err);
    return OK;
}

/* A value that stays in its document, into a pointer at the offset. */
static enum status take_value(const struct json_key *key,
                              const struct json_value *value, void *target,
                              struct error *err)
{
    (void)err;
    memcpy((char *)target + key->offset, &value, sizeof value);
    return OK;
}

static enum status take_purpose(const struct json_value *item, void *target,
                                struct error *err)
{
    (void)target;
    if (json_kind(item) != JSON_STRING || json_string(item)[0] == '\0')
        return error_set(err, E_INPUT, "line %u: a purpose is a code",
                         json_line(item));
    return OK;
}

static enum status take_purposes(const struct json_key *key,
                                 const struct json_value *value, void *target,
                                 struct error *err)
{
    enum status status = json_take_items(key, value, target, err);

    return status == OK ? take_value(key, value, target, err) : status;
}

static enum status take_levels(const struct json_key *key,
                               const struct json_value *value, void *target,
                               struct error *err)
{
    int64_t level;

    for (const struct json_value *member = json_first(value); member != NULL;
         member = json_next(member))
        if (json_kind(member) != JSON_NUMBER || !json_integer(member, &level) ||
            level < 0 || level >= HIERARCHY_LEVELS_MAX)
            return json_refuse(key, value, "has something else", err);
    return take_value(key, value, target, err);
}

#define FIGURE(number, member)                                                 \
    {                                                                          \
        .name = (number), .kind = JSON_NUMBER, .expected = "0 or more",        \
        .take = json_take_number, .required = true,                            \
        .offset = offsetof(struct class_figures, member), .max = DBL_MAX       \
    }
#define COUNT(number, type, member)                                            \
    {                                                                          \
        .name = (number), .kind = JSON_NUMBER,                                 \
        .expected = "a whole number, 0 or more", .take = json_take_u64,        \
        .required = true, .offset = offsetof(type, member)                     \
    }

static enum status take_classes(const struct json_key *key,
                                const struct json_value *value, void *target,
                                struct error *err)
{
    static const struct json_key keys[] = {
        FIGURE("average", average),
        COUNT("count", struct class_figures, count),
        COUNT("max", struct class_figures, max),
        COUNT("min", struct class_figures, min),
    };

    (void)key;
    return json_take_object(value, keys, COUNT_OF(keys), target, err);
}

static enum status take_risk(const struct json_key *key,
                             const struct json_value *value, void *target,
                             struct error *err)
{
    static const struct json_key keys[] = {
        FIGURE("average", risk_average),
        FIGURE("highest", risk_highest),
        COUNT("sample_uniques", struct class_figures, uniques),
    };

    (void)key;
    return json_take_object(value, keys, COUNT_OF(keys), target, err);
}

static enum status take_figures(const struct json_key *key,
                                const struct json_value *value, void *target,
                                struct error *err)
{
    static const struct json_key keys[] = {
        {.name = "classes",
         .kind = JSON_OBJECT,
         .expected = "figures of classes",
         .take = take_classes,
         .required = true},
        {.name = "risk",
         .kind = JSON_OBJECT,
         .expected = "figures of risk",
         .take = take_risk,
         .required = true},
    };

    return json_take_object(value, keys, COUNT_OF(keys),
                            (char *)target + key->offset, err);
}

/* ---- reading: the three kinds ---- */

#define HEX(key, type, member)                                                 \
    {                                                                          \
        .name = (key), .kind = JSON_STRING,                                    \
        .expected = "lower-case hex digits", .take = attestation_take_hex,     \
        .required = true, .offset = offsetof(type, member),                    \
        .size = sizeof((type *)NULL)->member                                   \
    }
#define KIND(words, quoted)                                                    \
    {                                                                          \
        .name = "statement", .kind = JSON_STRING, .expected = (quoted),        \
        .take = take_kind, .required = true, .word = (words)                   \
    }

static const struct json_word terms_kind[] = {{.name = "terms 1"}, {0}};
static const struct json_word permit_kind[] = {{.name = "permit 1"}, {0}};
static const struct json_word outcome_kind[] = {{.name = "release 1"}, {0}};

static const struct json_key terms_keys[] = {
    HEX("dataset", struct attested_terms, dataset),
    {.name = "organisation",
     .kind = JSON_STRING,
     .expected = "the name of an organisation",
     .take = json_take_name,
     .required = true,
     .offset = offsetof(struct attested_terms, organisation),
     .valid = identity_name_valid,
     .size = IDENTITY_NAME_MAX + 1},
    HEX("policy", struct attested_terms, policy),
    {.name = "purposes",
     .kind = JSON_ARRAY,
     .expected = "1 to 64 codes of DUO",
     .take = take_purposes,
     .required = true,
     .offset = offsetof(struct attested_terms, purposes),
     .min = 1,
     .max = PURPOSES_MAX,
     .item = take_purpose},
    HEX("recipient", struct attested_terms, recipient),
    KIND(terms_kind, "\"terms 1\""),
};

static const struct json_key permit_keys[] = {
    COUNT("count", struct attested_permit, count),
    COUNT("expires", struct attested_permit, expires),
    HEX("root", struct attested_permit, root),
    COUNT("size", struct attested_permit, size),
    KIND(permit_kind, "\"permit 1\""),
};

static const struct json_key outcome_keys[] = {
    {.name = "after",
     .kind = JSON_OBJECT,
     .expected = "figures",
     .take = take_figures,
     .required = true,
     .offset = offsetof(struct attested_outcome, after)},
    {.name = "before",
     .kind = JSON_OBJECT,
     .expected = "figures",
     .take = take_figures,
     .required = true,
     .offset = offsetof(struct attested_outcome, before)},
    {.name = "levels",
     .kind = JSON_OBJECT,
     .expected = "attributes with a level from 0 to 63",
     .take = take_levels,
     .required = true,
     .offset = offsetof(struct attested_outcome, levels)},
    HEX("output", struct attested_outcome, output),
    HEX("permit", struct attested_outcome, permit),
    HEX("policy", struct attested_outcome, policy),
    HEX("release", struct attested_outcome, release),
    COUNT("rows", struct attested_outcome, rows),
    KIND(outcome_kind, "\"release 1\""),
    COUNT("suppressed", struct attested_outcome, suppressed),
};

struct statement_kind {
    const char *name;
    const struct attested_statement *statement;
    struct json **json;
    const struct json_key *key;
    size_t key_count;
    void *target;
};

static enum status read_statement(const struct statement_kind *kind,
                                  struct error *err)
{
    struct bytes text = kind->statement->text;
    enum status status;

    if (text.size > STATEMENT_SIZE_MAX)
        return error_set(err, E_LIMIT,
                         "statement of the %s: %zu bytes, at "
                         "most %u",
                         kind->name, text.size, STATEMENT_SIZE_MAX);
    status = json_parse(kind->json, text, err);
    if (status == OK)
        status = json_take_root(json_root(*kind->json), kind->key,
                                kind->key_count, kind->target, err);
    if (status == OK)
        status = json_check_canonical(json_root(*kind->json), text, err);
    if (status != OK)
        return error_wrap(err, "statement of the %s", kind->name);
    return OK;
}

enum status attestation_read_statements(struct attestation *made,
                                        struct error *err)
{
    const struct statement_kind kinds[] = {
        {"terms", &made->terms, &made->terms_json, terms_keys,
         COUNT_OF(terms_keys), &made->terms_said},
        {"permit", &made->permit, &made->permit_json, permit_keys,
         COUNT_OF(permit_keys), &made->permit_said},
        {"release", &made->outcome, &made->outcome_json, outcome_keys,
         COUNT_OF(outcome_keys), &made->outcome_said},
    };

    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (read_statement(&kinds[i], err) != OK)
            return err->status;
    return OK;
}
