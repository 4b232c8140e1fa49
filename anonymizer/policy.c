#include "anonymizer/policy.h"

#include <stdlib.h>
#include <string.h>

#include "anonymizer/builder.h"
#include "anonymizer/hierarchy.h"
#include "anonymizer/policy_internal.h"
#include "anonymizer/subset.h"
#include "common/files.h"
#include "common/json_keys.h"
#include "common/suggestion.h"
#include "common/text.h"

/* ---- words: what may stand as a value ---- */

static const struct json_word strategies[] = {
    {"optimal", false},
    {"time-limited", false},
    {NULL, false},
};

/* The second word of each is the true one. */
static const struct json_word unlisted_words[] = {
    {"error", false}, {"remove", false}, {NULL, false}};
static const struct json_word suppressed_words[] = {
    {"keep", false}, {"drop", false}, {NULL, false}};

/* ---- takers of our own ---- */

enum status policy_take_nothing(const struct json_key *key,
                                const struct json_value *value, void *target,
                                struct error *err)
{
    (void)key, (void)value, (void)target, (void)err;
    return OK;
}

/* One of two words, the second one is true. */
static enum status take_flag(const struct json_key *key,
                             const struct json_value *value, void *target,
                             struct error *err)
{
    unsigned index;
    enum status status = json_find_word(key, value, &index, err);
    bool flag = status == OK && index == 1;

    if (status == OK)
        memcpy((char *)target + key->offset, &flag, sizeof flag);
    return status;
}

/* A later number of the format is no mistake of its author. */
static enum status take_version(const struct json_key *key,
                                const struct json_value *value, void *target,
                                struct error *err)
{
    double version = json_number(value);

    (void)target;
    if (version > 1)
        return error_set(err, E_VERSION,
                         "line %u: a policy of a later format: not in this "
                         "version, expected %s",
                         json_line(value), key->expected);
    if (version < 1)
        return json_refuse(key, value, "is out of range", err);
    return OK;
}

static enum status take_delimiter(const struct json_key *key,
                                  const struct json_value *value, void *target,
                                  struct error *err)
{
    struct policy *policy = target;
    const char *word = json_string(value);

    if (strcmp(word, "auto") == 0)
        policy->delimiter = 0;
    else if (strlen(word) == 1 && (unsigned char)word[0] < 0x80 &&
             strchr("\"\r\n", word[0]) == NULL)
        policy->delimiter = word[0];
    else
        return json_refuse(key, value, "is something else", err);
    return OK;
}

static void forget_missing(struct policy *policy)
{
    for (size_t i = 0; i < policy->missing_count; i++)
        free(policy->missing[i]);
    free(policy->missing);
    policy->missing = NULL;
    policy->missing_count = 0;
}

static enum status make_missing(struct policy *policy, size_t count,
                                struct error *err)
{
    forget_missing(policy);
    policy->missing = calloc(count > 0 ? count : 1, sizeof *policy->missing);
    if (policy->missing == NULL)
        return error_memory(err, "the tokens of missing values");
    return OK;
}

static enum status add_missing(struct policy *policy, const char *token,
                               struct error *err)
{
    char *copy = string_copy(token);

    if (copy == NULL)
        return error_memory(err, "the tokens of missing values");
    policy->missing[policy->missing_count++] = copy;
    return OK;
}

static enum status take_missing(const struct json_key *key,
                                const struct json_value *value, void *target,
                                struct error *err)
{
    struct policy *policy = target;
    size_t count = json_length(value);

    if (count > MISSING_TOKENS_MAX)
        return error_set(
            err, E_LIMIT, "line %u: \"%s\" has %zu tokens, expected at most %d",
            json_line(value), key->name, count, MISSING_TOKENS_MAX);
    if (make_missing(policy, count, err) != OK)
        return err->status;
    for (const struct json_value *token = json_first(value); token != NULL;
         token = json_next(token)) {
        if (json_kind(token) != JSON_STRING)
            return json_refuse(key, token, "has another value among them", err);
        if (add_missing(policy, json_string(token), err) != OK)
            return err->status;
    }
    return OK;
}

static enum status take_table(const struct json_key *key,
                              const struct json_value *value, void *target,
                              struct error *err)
{
    static const struct json_key keys[] = {
        {.name = "delimiter",
         .kind = JSON_STRING,
         .expected = "\"auto\" or one ASCII character that is no quote and no "
                     "line break",
         .take = take_delimiter},
        {.name = "missing",
         .kind = JSON_ARRAY,
         .expected = "an array of strings",
         .take = take_missing},
    };

    (void)key;
    return json_take_object(value, keys, COUNT_OF(keys), target, err);
}

/* The contract names one method and leaves room for others: a name that is no
 * slip of the pen belongs to one of those. */
static enum status take_method(const struct json_key *key,
                               const struct json_value *value, void *target,
                               struct error *err)
{
    static const char full_domain[] = "full-domain";
    struct suggestion suggestion;

    (void)target;
    if (strcmp(json_string(value), full_domain) == 0)
        return OK;
    suggestion_init(&suggestion, json_string(value));
    suggestion_consider(&suggestion, full_domain);
    if (suggestion.best != NULL)
        return error_set(err, E_INPUT,
                         "line %u: unknown \"%s\", did you mean \"%s\"?",
                         json_line(value), key->name, full_domain);
    return error_set(err, E_VERSION,
                     "line %u: \"%s\" other than \"%s\": not in this version",
                     json_line(value), key->name, full_domain);
}

static enum status take_transformation(const struct json_key *key,
                                       const struct json_value *value,
                                       void *target, struct error *err)
{
    static const struct json_key keys[] = {
        {.name = "method",
         .kind = JSON_STRING,
         .expected = "the name of a method",
         .take = take_method},
    };

    (void)key;
    return json_take_object(value, keys, COUNT_OF(keys), target, err);
}

static enum status take_search(const struct json_key *key,
                               const struct json_value *value, void *target,
                               struct error *err)
{
    static const struct json_key keys[] = {
        {.name = "strategy",
         .kind = JSON_STRING,
         .expected = "the name of a strategy",
         .take = json_take_word,
         .offset = offsetof(struct policy, strategy),
         .word = strategies},
        {.name = "seconds",
         .kind = JSON_NUMBER,
         .expected = "a number from 0.001 to 86400",
         .take = json_take_number,
         .offset = offsetof(struct policy, search_seconds),
         .min = 0.001,
         .max = SEARCH_SECONDS_MAX},
    };
    struct policy *policy = target;
    enum status status =
        json_take_object(value, keys, COUNT_OF(keys), target, err);

    (void)key;
    if (status != OK)
        return status;
    if (policy->strategy == SEARCH_TIME_LIMITED && policy->search_seconds == 0)
        return error_set(err, E_INPUT,
                         "line %u: a \"time-limited\" search needs "
                         "\"seconds\", expected a number from 0.001 to 86400",
                         json_line(value));
    if (policy->strategy == SEARCH_OPTIMAL && policy->search_seconds > 0)
        return error_set(err, E_INPUT,
                         "line %u: \"seconds\" are for the strategy "
                         "\"time-limited\"; an \"optimal\" search takes what "
                         "it needs",
                         json_line(value));
    return OK;
}

/* ---- the whole ---- */

static const struct json_key version_key = {
    .name = "policy",
    .kind = JSON_NUMBER,
    .expected = "1, the format of this version",
    .take = take_version,
    .required = true,
};

static const struct json_key policy_keys[] = {
    {.name = "policy",
     .kind = JSON_NUMBER,
     .expected = "1, the format of this version",
     .take = take_version},
    {.name = "name",
     .kind = JSON_STRING,
     .expected = "a string",
     .take = json_take_string,
     .offset = offsetof(struct policy, name)},
    {.name = "description",
     .kind = JSON_STRING,
     .expected = "a string",
     .take = policy_take_nothing},
    {.name = "table",
     .kind = JSON_OBJECT,
     .expected = "an object",
     .take = take_table},
    {.name = "attributes", /* policy_read_attributes */
     .kind = JSON_OBJECT,
     .expected = "an object with an attribute for each column",
     .take = policy_take_nothing,
     .required = true},
    {.name = "unlisted",
     .kind = JSON_STRING,
     .expected = "\"remove\" or \"error\"",
     .take = take_flag,
     .offset = offsetof(struct policy, unlisted_remove),
     .word = unlisted_words},
    {.name =
         "privacy", /* policy_read_criteria, when all attributes are known */
     .kind = JSON_ARRAY,
     .expected = "an array of privacy models",
     .take = policy_take_nothing,
     .required = true},
    {.name = "suppression_limit",
     .kind = JSON_NUMBER,
     .expected = "a number from 0 to 1",
     .take = json_take_number,
     .offset = offsetof(struct policy, suppression_limit),
     .max = 1},
    {.name = "suppressed_rows",
     .kind = JSON_STRING,
     .expected = "\"keep\" or \"drop\"",
     .take = take_flag,
     .offset = offsetof(struct policy, drop_suppressed),
     .word = suppressed_words},
    {.name = "quality",
     .kind = JSON_OBJECT,
     .expected = "an object",
     .take = policy_take_quality},
    {.name = "transformation",
     .kind = JSON_OBJECT,
     .expected = "an object",
     .take = take_transformation},
    {.name = "search",
     .kind = JSON_OBJECT,
     .expected = "an object",
     .take = take_search},
    {.name = "subset", /* policy_read_subset */
     .kind = JSON_OBJECT,
     .expected = "an object with a \"file\" or \"rows\"",
     .take = policy_take_nothing},
    {.name = "risk", /* policy_read_risk, when all attributes are known */
     .kind = JSON_OBJECT,
     .expected = "an object",
     .take = policy_take_nothing},
};

/* ---- the policy digest ---- */

/* `attributes` into `to`, files of hierarchies replaced by their digests. */
static enum status copy_attribute(struct json_value *to,
                                  const struct json_value *attribute,
                                  const struct digest *digest,
                                  struct error *err)
{
    char hex[DIGEST_HEX_SIZE];
    struct json_value *copy, *file;
    enum status status = json_add_object(to, json_key(attribute), &copy, err);

    for (const struct json_value *member = json_first(attribute);
         member != NULL && status == OK; member = json_next(member)) {
        /* A builder says all that there is to say. */
        if (strcmp(json_key(member), "hierarchy") != 0 ||
            policy_hierarchy_is_built(member)) {
            status = json_add_copy(copy, json_key(member), member, err);
            continue;
        }
        digest_hex(digest, hex);
        status = json_add_object(copy, "hierarchy", &file, err);
        if (status == OK)
            status = json_add_string(file, "sha256", hex, err);
    }
    return status;
}

/* {"subset": {"file": name}} with its digest instead of the name. */
static enum status copy_subset(struct json_value *to,
                               const struct json_value *subset,
                               const struct digest *digest, struct error *err)
{
    char hex[DIGEST_HEX_SIZE];
    struct json_value *copy, *file;
    enum status status;

    if (json_member(subset, "file") == NULL)
        return json_add_copy(to, "subset", subset, err);
    digest_hex(digest, hex);
    status = json_add_object(to, "subset", &copy, err);
    if (status == OK)
        status = json_add_object(copy, "file", &file, err);
    if (status == OK)
        status = json_add_string(file, "sha256", hex, err);
    return status;
}

static enum status copy_attributes(struct json_value *to,
                                   const struct json_value *attributes,
                                   const struct digest *digest,
                                   struct error *err)
{
    struct json_value *copy;
    enum status status = json_add_object(to, "attributes", &copy, err);

    for (const struct json_value *attribute = json_first(attributes);
         attribute != NULL && status == OK; attribute = json_next(attribute))
        status = copy_attribute(copy, attribute, digest++, err);
    return status;
}

/* policy->canonical, and its digest. */
static enum status digest_policy(struct policy *policy,
                                 const struct json_value *root,
                                 const struct digest *digest,
                                 const struct digest *subset, struct error *err)
{
    struct json *json = NULL;
    enum status status = json_create(&json, err);

    for (const struct json_value *member = json_first(root);
         member != NULL && status == OK; member = json_next(member)) {
        struct json_value *to = json_edit_root(json);

        if (strcmp(json_key(member), "attributes") == 0)
            status = copy_attributes(to, member, digest, err);
        else if (strcmp(json_key(member), "subset") == 0)
            status = copy_subset(to, member, subset, err);
        else
            status = json_add_copy(to, json_key(member), member, err);
    }
    if (status == OK)
        status = json_print_canonical(json_root(json), &policy->canonical, err);
    if (status == OK)
        status =
            digest_bytes(&policy->digest, text_bytes(&policy->canonical), err);
    json_destroy(&json);
    return status;
}

/* ---- from outside ---- */

static enum status policy_create(struct policy **policy, const char *path,
                                 struct error *err)
{
    static const char *const missing[] = {"", "?", "NA", "NULL"};
    struct policy *made = calloc(1, sizeof *made);
    enum status status;

    if (made == NULL)
        return error_memory(err, "a policy");
    text_init(&made->canonical);
    made->aggregate = quality_metric_aggregate(made->metric);
    made->gs_factor = 0.5;
    status = make_missing(made, COUNT_OF(missing), err);
    for (size_t i = 0; i < COUNT_OF(missing) && status == OK; i++)
        status = add_missing(made, missing[i], err);
    made->path = string_copy(path);
    if (status == OK && made->path == NULL)
        status = error_memory(err, "a policy");
    *policy = made;
    if (status != OK)
        policy_close(policy);
    return status;
}

static enum status read_root(struct policy *policy,
                             const struct json_value *root,
                             const struct policy_files *files,
                             struct error *err)
{
    const struct json_value *attributes, *subset;
    struct digest *digest = NULL, subset_digest;
    size_t count;
    enum status status;

    if (json_kind(root) != JSON_OBJECT)
        return error_set(err, E_INPUT,
                         "line %u: a policy that is %s, expected "
                         "an object",
                         json_line(root), json_kind_name(json_kind(root)));
    /* First: the keys of another format are not ours to judge. */
    if (json_take_member(root, &version_key, policy, err) != OK ||
        json_take_object(root, policy_keys, COUNT_OF(policy_keys), policy,
                         err) != OK)
        return err->status;
    if (policy->name == NULL && (policy->name = string_copy("")) == NULL)
        return error_memory(err, "a policy");
    attributes = json_member(root, "attributes");
    count = json_length(attributes);
    if (count > TABLE_COLUMNS_MAX)
        return error_set(err, E_LIMIT,
                         "line %u: %zu attributes, expected at most %d",
                         json_line(attributes), count, TABLE_COLUMNS_MAX);
    digest = calloc(count > 0 ? count : 1, sizeof *digest);
    if (digest == NULL)
        return error_memory(err, "the digests of hierarchies");
    status = policy_read_attributes(policy, attributes, files, digest, err);
    subset = json_member(root, "subset");
    if (status == OK && subset != NULL)
        status = policy_read_subset(policy, subset, files, &subset_digest, err);
    if (status == OK)
        status = policy_check_weights(policy, err);
    if (status == OK)
        status =
            policy_read_criteria(policy, json_member(root, "privacy"), err);
    if (status == OK)
        status = policy_read_risk(policy, json_member(root, "risk"), err);
    if (status == OK)
        status = digest_policy(policy, root, digest, &subset_digest, err);
    free(digest);
    return status;
}

enum status policy_read(struct policy **policy, struct bytes text,
                        const char *path, const struct policy_files *files,
                        struct error *err)
{
    struct json *json = NULL;
    struct policy *made = NULL;
    enum status status = json_parse(&json, text, err);

    if (status == OK)
        status = policy_create(&made, path, err);
    if (status == OK)
        status = read_root(made, json_root(json), files, err);
    json_destroy(&json);
    if (status != OK) {
        policy_close(&made);
        return error_wrap(err, "%s", path);
    }
    *policy = made;
    return OK;
}

enum status policy_parse(struct policy **policy, struct bytes text,
                         const char *path, struct error *err)
{
    const struct policy_files files = {policy_file_beside, &path};

    return policy_read(policy, text, path, &files, err);
}

enum status policy_parse_canonical(struct policy **policy,
                                   struct bytes canonical, struct error *err)
{
    static const struct policy_files none = {0};
    static const char name[] = "canonical policy";
    enum status status = policy_read(policy, canonical, name, &none, err);

    if (status != OK)
        return status;
    (*policy)->without_hierarchies = true;
    if (bytes_equal(text_bytes(&(*policy)->canonical), canonical))
        return OK;
    policy_close(policy);
    return error_set(err, E_INPUT,
                     "%s: is not in its canonical form (RFC 8785)", name);
}

enum status policy_open(struct policy **policy, const char *path,
                        struct error *err)
{
    struct text text;
    enum status status;

    text_init(&text);
    status = file_read(path, JSON_SIZE_MAX, &text, err);
    if (status == OK)
        status = policy_parse(policy, text_bytes(&text), path, err);
    text_clear(&text);
    return status;
}

void policy_close(struct policy **policy)
{
    struct policy *old = *policy;

    if (old == NULL)
        return;
    for (size_t i = 0; i < old->attribute_count; i++) {
        free(old->attribute[i].name);
        free(old->attribute[i].hierarchy_path);
        free(old->attribute[i].format);
        builder_destroy(&old->attribute[i].builder);
        hierarchy_close(&old->attribute[i].hierarchy);
    }
    free(old->attribute);
    free(old->criterion);
    subset_close(&old->subset);
    free(old->subset_path);
    forget_missing(old);
    text_clear(&old->canonical);
    free(old->name);
    free(old->path);
    free(old);
    *policy = NULL;
}

const struct policy_attribute *policy_find(const struct policy *policy,
                                           struct bytes name)
{
    for (size_t i = 0; i < policy->attribute_count; i++)
        if (bytes_equal_string(name, policy->attribute[i].name))
            return &policy->attribute[i];
    return NULL;
}

bool policy_is_missing(const struct policy *policy, struct bytes value)
{
    for (size_t i = 0; i < policy->missing_count; i++)
        if (bytes_equal_string(value, policy->missing[i]))
            return true;
    return false;
}
