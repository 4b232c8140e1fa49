#include "anonymizer/policy_internal.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

#include "anonymizer/builder.h"
#include "anonymizer/hierarchy.h"
#include "anonymizer/moment.h"
#include "common/encoding.h"
#include "common/files.h"
#include "common/json_keys.h"
#include "common/text.h"

/* json_take_word stores an unsigned; the lists below follow the enums. */
_Static_assert(sizeof(enum role) == sizeof(unsigned) &&
                   sizeof(enum value_type) == sizeof(unsigned),
               "an enum is stored as an unsigned");

static const struct json_word roles[] = {
    [ROLE_SUBJECT] = {"subject", false},
    [ROLE_IDENTIFYING] = {"identifying", false},
    [ROLE_QUASI_IDENTIFYING] = {"quasi-identifying", false},
    [ROLE_SENSITIVE] = {"sensitive", false},
    [ROLE_INSENSITIVE] = {"insensitive", false},
    {NULL, false},
};

static const struct json_word types[] = {
    [TYPE_STRING] = {"string", false},   [TYPE_ORDINAL] = {"ordinal", false},
    [TYPE_INTEGER] = {"integer", false}, [TYPE_DECIMAL] = {"decimal", false},
    [TYPE_DATE] = {"date", false},       {NULL, false},
};

const char *attribute_role_name(enum role role)
{
    return roles[role].name;
}

#define HIERARCHY_KEY "hierarchy"
#define FORMAT_KEY "format"

static enum status take_format(const struct json_key *key,
                               const struct json_value *value, void *target,
                               struct error *err)
{
    if (!moment_format_valid(bytes_of_string(json_string(value))))
        return json_refuse(key, value, "is something else", err);
    return json_take_string(key, value, target, err);
}

static const struct json_key attribute_keys[] = {
    {.name = "role",
     .kind = JSON_STRING,
     .expected = "the name of a role",
     .take = json_take_word,
     .required = true,
     .offset = offsetof(struct policy_attribute, role),
     .word = roles},
    {.name = "type",
     .kind = JSON_STRING,
     .expected = "the name of a type",
     .take = json_take_word,
     .offset = offsetof(struct policy_attribute, type),
     .word = types},
    {.name = FORMAT_KEY,
     .kind = JSON_STRING,
     .expected = "yyyy, MM, dd, then HH, mm, ss as far as there are, in any "
                 "order, with no other letters and no digits between them",
     .take = take_format,
     .offset = offsetof(struct policy_attribute, format)},
    {.name = HIERARCHY_KEY, /* open_hierarchy */
     .kind = JSON_STRING,
     .expected = "the name of a CSV file",
     .take = policy_take_nothing},
    {.name = "min_level",
     .kind = JSON_NUMBER,
     .expected = "a whole number from 0 on",
     .take = json_take_count,
     .offset = offsetof(struct policy_attribute, level_min),
     .max = HIERARCHY_LEVELS_MAX},
    {.name = "max_level",
     .kind = JSON_NUMBER,
     .expected = "a whole number from 0 on",
     .take = json_take_count,
     .offset = offsetof(struct policy_attribute, level_max),
     .max = HIERARCHY_LEVELS_MAX},
    {.name = "weight",
     .kind = JSON_NUMBER,
     .expected = "a number from 0 on",
     .take = json_take_number,
     .offset = offsetof(struct policy_attribute, weight),
     .max = DBL_MAX},
};

enum status policy_file_beside(void *context, const char *name,
                               struct text *path, struct text *bytes,
                               struct error *err)
{
    const char *const *policy_path = context;
    enum status status = path_beside(*policy_path, name, path, err);

    return status == OK ? file_read(path->data, HIERARCHY_SIZE_MAX, bytes, err)
                        : status;
}

static enum status read_hierarchy(struct policy_attribute *attribute,
                                  const char *name,
                                  const struct policy_files *files,
                                  struct digest *digest, struct error *err)
{
    struct text path, bytes;
    enum status status;

    if (name[0] == '\0')
        return error_set(err, E_INPUT, "no name, expected that of a CSV file");
    text_init(&path);
    text_init(&bytes);
    /* Read once: what is digested is what is used. */
    status = files->read(files->context, name, &path, &bytes, err);
    if (status == OK)
        status = digest_bytes(digest, text_bytes(&bytes), err);
    if (status == OK) {
        attribute->hierarchy_path = string_copy(path.data);
        if (attribute->hierarchy_path == NULL)
            status = error_memory(err, "the name of a file");
    }
    if (status == OK)
        status = hierarchy_parse(&attribute->hierarchy, text_bytes(&bytes),
                                 path.data, err);
    text_clear(&bytes);
    text_clear(&path);
    return status;
}

static enum status take_digest(const struct json_key *key,
                               const struct json_value *value, void *target,
                               struct error *err)
{
    struct digest *digest = target;

    if (!hex_decode(bytes_of_string(json_string(value)), digest->byte,
                    DIGEST_SIZE))
        return json_refuse(key, value, "is something else", err);
    return OK;
}

enum status policy_read_digest(const struct json_value *object,
                               struct digest *digest, struct error *err)
{
    static const struct json_key keys[] = {
        {.name = "sha256",
         .kind = JSON_STRING,
         .expected = "64 lower-case hex digits",
         .take = take_digest,
         .required = true},
    };

    return json_take_object(object, keys, COUNT_OF(keys), digest, err);
}

bool policy_hierarchy_is_built(const struct json_value *hierarchy)
{
    return json_kind(hierarchy) == JSON_OBJECT &&
           json_member(hierarchy, "build") != NULL;
}

/* Read, digest and check the file that the member `hierarchy` names, or take
 * the digest that stands in its place, or the description of a built one. */
static enum status open_hierarchy(const struct policy *policy,
                                  struct policy_attribute *attribute,
                                  const struct json_value *hierarchy,
                                  const struct policy_files *files,
                                  struct digest *digest, struct error *err)
{
    enum status status;

    if (policy_hierarchy_is_built(hierarchy) ||
        (files->read != NULL && json_kind(hierarchy) == JSON_OBJECT)) {
        status = builder_read(&attribute->builder, hierarchy, policy, attribute,
                              err);
        return status == OK ? OK
                            : error_wrap(err, "hierarchy of %s",
                                         json_quote(attribute->name).text);
    }
    status = files->read == NULL
                 ? policy_read_digest(hierarchy, digest, err)
                 : read_hierarchy(attribute, json_string(hierarchy), files,
                                  digest, err);
    if (status != OK)
        return error_wrap(err, "line %u: hierarchy of %s", json_line(hierarchy),
                          json_quote(attribute->name).text);
    return OK;
}

static enum status take_keys(const struct json_value *member,
                             const struct policy_files *files,
                             struct policy_attribute *attribute,
                             struct error *err)
{
    const struct json_value *hierarchy = json_member(member, HIERARCHY_KEY);
    struct json_key keys[COUNT_OF(attribute_keys)];
    bool object = files->read == NULL ||
                  (hierarchy != NULL && json_kind(hierarchy) == JSON_OBJECT);

    memcpy(keys, attribute_keys, sizeof keys);
    for (size_t i = 0; object && i < COUNT_OF(keys); i++)
        if (strcmp(keys[i].name, HIERARCHY_KEY) == 0) {
            keys[i].kind = JSON_OBJECT;
            keys[i].expected = "an object with the digest of a CSV file";
        }
    return json_take_object(member, keys, COUNT_OF(keys), attribute, err);
}

static enum status check_format(const struct policy_attribute *attribute,
                                const struct json_value *object,
                                struct error *err)
{
    const struct json_value *format = json_member(object, FORMAT_KEY);

    if (format == NULL || attribute->type == TYPE_DATE)
        return OK;
    return error_set(err, E_INPUT,
                     "line %u: %s has the type %s: \"format\" is only for "
                     "dates",
                     json_line(format), json_quote(attribute->name).text,
                     types[attribute->type].name);
}

/* A key that has no meaning for this role was meant for another attribute, or
 * the role is wrong: both must be told. */
static enum status check_role_keys(const struct policy_attribute *attribute,
                                   const struct json_value *object,
                                   struct error *err)
{
    static const struct {
        const char *key;
        bool sensitive_too;
    } generalizing[] = {{HIERARCHY_KEY, true},
                        {"min_level", false},
                        {"max_level", false},
                        {"weight", false}};

    if (attribute->role == ROLE_QUASI_IDENTIFYING)
        return OK;
    for (size_t i = 0; i < COUNT_OF(generalizing); i++) {
        const struct json_value *member =
            json_member(object, generalizing[i].key);

        if (member != NULL && !(generalizing[i].sensitive_too &&
                                attribute->role == ROLE_SENSITIVE))
            return error_set(
                err, E_INPUT,
                "line %u: %s has the role %s: \"%s\" is only for "
                "quasi-identifying%s attributes",
                json_line(member), json_quote(attribute->name).text,
                attribute_role_name(attribute->role), generalizing[i].key,
                generalizing[i].sensitive_too ? " and sensitive" : "");
    }
    return OK;
}

static enum status check_levels(const struct policy_attribute *attribute,
                                const struct json_value *object,
                                uint32_t levels, struct error *err)
{
    uint32_t top = levels - 1;
    const struct json_value *min = json_member(object, "min_level");
    const struct json_value *max = json_member(object, "max_level");

    if (min != NULL && attribute->level_min > top)
        return error_set(err, E_INPUT,
                         "line %u: \"min_level\" of %s is %u, expected at most "
                         "%u, the top of its hierarchy",
                         json_line(min), json_quote(attribute->name).text,
                         attribute->level_min, top);
    if (max != NULL && attribute->level_max > top)
        return error_set(err, E_INPUT,
                         "line %u: \"max_level\" of %s is %u, expected at most "
                         "%u, the top of its hierarchy",
                         json_line(max), json_quote(attribute->name).text,
                         attribute->level_max, top);
    if (attribute->level_min > attribute->level_max)
        return error_set(err, E_INPUT,
                         "line %u: \"min_level\" of %s is %u, expected at most "
                         "its \"max_level\", %u",
                         json_line(min), json_quote(attribute->name).text,
                         attribute->level_min, attribute->level_max);
    return OK;
}

/* Without a hierarchy there are the value and `*`; of one that is not here, no
 * more is known than what all have. */
static uint32_t levels_of(const struct policy_attribute *attribute,
                          bool has_hierarchy)
{
    if (attribute->hierarchy != NULL)
        return hierarchy_levels(attribute->hierarchy);
    return has_hierarchy ? HIERARCHY_LEVELS_MAX : 2;
}

static enum status read_attribute(struct policy *policy,
                                  const struct json_value *member,
                                  const struct policy_files *files,
                                  struct digest *digest, struct error *err)
{
    struct policy_attribute *attribute =
        &policy->attribute[policy->attribute_count];
    const struct json_value *hierarchy;

    if (json_kind(member) != JSON_OBJECT)
        return error_set(err, E_INPUT,
                         "line %u: attribute %s is %s, expected an object",
                         json_line(member), json_quote(json_key(member)).text,
                         json_kind_name(json_kind(member)));
    if (json_key(member)[0] == '\0')
        return error_set(err, E_INPUT,
                         "line %u: an attribute without name, expected that "
                         "of a column",
                         json_line(member));
    *attribute = (struct policy_attribute){
        .level_max = LEVEL_UNLIMITED, .weight = 1, .line = json_line(member)};
    attribute->name = string_copy(json_key(member));
    if (attribute->name == NULL)
        return error_memory(err, "an attribute");
    policy->attribute_count++;
    if (take_keys(member, files, attribute, err) != OK ||
        check_format(attribute, member, err) != OK ||
        check_role_keys(attribute, member, err) != OK)
        return err->status;
    hierarchy = json_member(member, HIERARCHY_KEY);
    attribute->has_hierarchy = hierarchy != NULL;
    if (hierarchy != NULL &&
        open_hierarchy(policy, attribute, hierarchy, files, digest, err) != OK)
        return err->status;
    return check_levels(attribute, member,
                        levels_of(attribute, hierarchy != NULL), err);
}

/* How many there are of each role. */
static enum status check_roles(const struct policy *policy, unsigned line,
                               struct error *err)
{
    const struct policy_attribute *subject = NULL;
    size_t quasi = 0, sensitive = 0;

    for (size_t i = 0; i < policy->attribute_count; i++) {
        const struct policy_attribute *attribute = &policy->attribute[i];

        quasi += attribute->role == ROLE_QUASI_IDENTIFYING;
        sensitive += attribute->role == ROLE_SENSITIVE;
        if (attribute->role != ROLE_SUBJECT)
            continue;
        if (subject != NULL)
            return error_set(err, E_INPUT,
                             "line %u: %s is a second subject, expected at "
                             "most one (%s on line %u)",
                             attribute->line, json_quote(attribute->name).text,
                             json_quote(subject->name).text, subject->line);
        subject = attribute;
    }
    if (quasi == 0)
        return error_set(err, E_INPUT,
                         "line %u: no attribute is quasi-identifying, expected "
                         "at least one: classes are made of them",
                         line);
    if (quasi > QUASI_IDENTIFIERS_MAX)
        return error_set(err, E_LIMIT,
                         "line %u: %zu attributes are quasi-identifying, "
                         "expected at most %d",
                         line, quasi, QUASI_IDENTIFIERS_MAX);
    if (sensitive > SENSITIVE_MAX)
        return error_set(err, E_LIMIT,
                         "line %u: %zu attributes are sensitive, expected at "
                         "most %d",
                         line, sensitive, SENSITIVE_MAX);
    return OK;
}

/* digest[i] is of the file of attribute i's hierarchy. */
enum status policy_read_attributes(struct policy *policy,
                                   const struct json_value *attributes,
                                   const struct policy_files *files,
                                   struct digest *digest, struct error *err)
{
    size_t count = json_length(attributes);

    policy->attribute =
        calloc(count > 0 ? count : 1, sizeof *policy->attribute);
    if (policy->attribute == NULL)
        return error_memory(err, "the attributes");
    for (const struct json_value *member = json_first(attributes);
         member != NULL; member = json_next(member))
        if (read_attribute(policy, member, files,
                           &digest[policy->attribute_count], err) != OK)
            return err->status;
    return check_roles(policy, json_line(attributes), err);
}
