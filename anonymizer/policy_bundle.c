#include "anonymizer/policy_bundle.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "anonymizer/policy_internal.h"
#include "common/files.h"
#include "common/json_keys.h"

/* What messages call the policy inside. */
#define INSIDE "policy"

static enum status check_size(size_t size, struct error *err)
{
    if (size > POLICY_BUNDLE_SIZE_MAX)
        return error_set(err, E_LIMIT,
                         "a policy bundle of %zu bytes, the limit is %u", size,
                         POLICY_BUNDLE_SIZE_MAX);
    return OK;
}

/* What is sent is sent to a vault, whose rows have no numbers. */
static enum status check_subset(const struct policy *policy, struct error *err)
{
    if (!policy->has_subset)
        return OK;
    return error_set(err, E_INPUT,
                     "\"subset\" names rows by their places in a file, and "
                     "the rows of a vault have none: expected a policy without "
                     "it, and a dataset that is the sample");
}

/* ---- packing ---- */

struct packing {
    const char *path; /* of the policy; the context of policy_file_beside */
    struct json_value *files;
    size_t size; /* of all texts so far */
};

/* Read a file of the policy once, however many attributes name it. */
static enum status pack_file(void *context, const char *name, struct text *path,
                             struct text *bytes, struct error *err)
{
    struct packing *packing = context;
    const struct json_value *packed = json_member(packing->files, name);
    const char *string;
    enum status status;

    if (packed != NULL) {
        string = json_string(packed);
        status = path_beside(packing->path, name, path, err);
        return status == OK ? text_append_string(bytes, string, err) : status;
    }
    status = policy_file_beside(&packing->path, name, path, bytes, err);
    if (status != OK)
        return status;
    packing->size += bytes->size;
    if (check_size(packing->size, err) != OK)
        return error_wrap(err, "%s", path->data);
    /* NUL is in no JSON and no hierarchy, which its reader will say of it. */
    if (memchr(bytes->data, '\0', bytes->size) != NULL)
        return OK;
    status = json_add_string(packing->files, name, bytes->data, err);
    return status == OK ? OK : error_wrap(err, "%s", path->data);
}

/* The policy's text and its files, all of which have been read as a policy. */
static enum status pack_policy(const char *path, struct json *json,
                               struct error *err)
{
    struct json_value *root = json_edit_root(json);
    struct packing packing = {.path = path};
    const struct policy_files files = {pack_file, &packing};
    struct policy *policy = NULL;
    struct text text;
    enum status status;

    text_init(&text);
    status = file_read(path, POLICY_BUNDLE_SIZE_MAX, &text, err);
    packing.size = text.size;
    if (status == OK)
        status = json_add_integer(root, "bundle", 1, err);
    if (status == OK)
        status = json_add_object(root, "files", &packing.files, err);
    if (status == OK)
        status = policy_read(&policy, text_bytes(&text), path, &files, err);
    if (status == OK && check_subset(policy, err) != OK)
        status = error_wrap(err, "%s", path);
    if (status == OK)
        status = json_add_string(root, "policy", text.data, err);
    policy_close(&policy);
    text_clear(&text);
    return status;
}

enum status policy_bundle_pack(const char *path, struct text *out,
                               struct error *err)
{
    struct json *json = NULL;
    struct text bundle;
    enum status status;

    text_init(&bundle);
    status = json_create(&json, err);
    if (status == OK)
        status = pack_policy(path, json, err);
    if (status == OK)
        status = json_print_canonical(json_root(json), &bundle, err);
    if (status == OK && check_size(bundle.size, err) != OK)
        status = error_wrap(err, "%s", path);
    if (status == OK)
        status = text_append(out, bundle.data, bundle.size, err);
    text_clear(&bundle);
    json_destroy(&json);
    return status;
}

/* ---- opening ---- */

struct opening {
    const struct json_value *policy;
    const struct json_value *files;
    bool *used; /* [file] */
};

static enum status take_policy(const struct json_key *key,
                               const struct json_value *value, void *target,
                               struct error *err)
{
    struct opening *opening = target;

    (void)key, (void)err;
    opening->policy = value;
    return OK;
}

static enum status take_files(const struct json_key *key,
                              const struct json_value *value, void *target,
                              struct error *err)
{
    struct opening *opening = target;

    for (const struct json_value *file = json_first(value); file != NULL;
         file = json_next(file))
        if (json_kind(file) != JSON_STRING)
            return json_refuse(key, file, "has another value among them", err);
    opening->files = value;
    return OK;
}

static const struct json_key bundle_keys[] = {
    {.name = "bundle",
     .kind = JSON_NUMBER,
     .expected = "1, the format of this version",
     .take = json_take_version,
     .min = 1,
     .required = true},
    {.name = "files",
     .kind = JSON_OBJECT,
     .expected = "an object with the text of each file",
     .take = take_files,
     .required = true},
    {.name = "policy",
     .kind = JSON_STRING,
     .expected = "the text of a policy",
     .take = take_policy,
     .required = true},
};

static enum status find_file(void *context, const char *name, struct text *path,
                             struct text *bytes, struct error *err)
{
    struct opening *opening = context;
    const struct json_value *file = json_first(opening->files);
    size_t i = 0;
    enum status status;

    while (file != NULL && strcmp(json_key(file), name) != 0) {
        file = json_next(file);
        i++;
    }
    if (file == NULL)
        return error_set(err, E_INPUT, "the bundle has no file %s",
                         json_quote(name).text);
    opening->used[i] = true;
    status = text_append_string(path, json_quote(name).text, err);
    return status == OK ? text_append_string(bytes, json_string(file), err)
                        : status;
}

static enum status check_used(const struct opening *opening, struct error *err)
{
    size_t i = 0;

    for (const struct json_value *file = json_first(opening->files);
         file != NULL; file = json_next(file))
        if (!opening->used[i++])
            return error_set(err, E_INPUT,
                             "has the file %s, which its policy does not name",
                             json_quote(json_key(file)).text);
    return OK;
}

static enum status open_inside(struct policy **policy, const struct json *json,
                               struct bytes bundle, struct error *err)
{
    struct opening opening = {0};
    const struct policy_files files = {find_file, &opening};
    size_t count;
    enum status status = json_take_root(json_root(json), bundle_keys,
                                        COUNT_OF(bundle_keys), &opening, err);

    if (status == OK)
        status = json_check_canonical(json_root(json), bundle, err);
    if (status != OK)
        return status;
    count = json_length(opening.files);
    opening.used = calloc(count > 0 ? count : 1, sizeof *opening.used);
    if (opening.used == NULL)
        return error_memory(err, "a policy bundle");
    status = policy_read(policy, bytes_of_string(json_string(opening.policy)),
                         INSIDE, &files, err);
    if (status == OK)
        status = check_used(&opening, err);
    if (status == OK)
        status = check_subset(*policy, err);
    free(opening.used);
    return status;
}

enum status policy_bundle_open(struct policy **policy, struct bytes bundle,
                               struct error *err)
{
    struct policy *made = NULL;
    struct json *json = NULL;
    enum status status;

    *policy = NULL;
    status = check_size(bundle.size, err);
    if (status != OK)
        return status;
    status = json_parse(&json, bundle, err);
    if (status == OK)
        status = open_inside(&made, json, bundle, err);
    json_destroy(&json);
    if (status != OK) {
        policy_close(&made);
        return error_wrap(err, "policy bundle");
    }
    *policy = made;
    return OK;
}
