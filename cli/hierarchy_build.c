#include "cli/hierarchy_build.h"

#include <assert.h>
#include <string.h>
#include <unistd.h>

#include "anonymizer/csv.h"
#include "anonymizer/hierarchy.h"
#include "anonymizer/policy.h"
#include "anonymizer/table.h"
#include "cli/command.h"
#include "common/files.h"
#include "common/json.h"
#include "common/limits.h"
#include "common/text.h"

/* What messages call the policy that is made of the command line. */
#define FROM_OPTIONS "--builder"

/* ---- a policy ---- */

/* The description, from the command line or a file. */
static enum status read_description(const char *builder, struct json **json,
                                    struct error *err)
{
    struct text text;
    enum status status = OK;

    text_init(&text);
    if (builder[0] == '@')
        status = file_read(builder + 1, JSON_SIZE_MAX, &text, err);
    else
        status = text_append_string(&text, builder, err);
    if (status == OK) {
        status = json_parse(json, text_bytes(&text), err);
        if (status != OK)
            status = error_wrap(err, "%s",
                                builder[0] == '@' ? builder + 1 : FROM_OPTIONS);
    }
    text_clear(&text);
    return status;
}

static enum status add_attribute(struct json_value *root,
                                 const struct hierarchy_request *request,
                                 const struct json_value *description,
                                 struct error *err)
{
    struct json_value *attributes, *attribute;

    if (json_add_object(root, "attributes", &attributes, err) != OK ||
        json_add_object(attributes, request->column, &attribute, err) != OK ||
        json_add_string(attribute, "role", "quasi-identifying", err) != OK ||
        json_add_copy(attribute, "hierarchy", description, err) != OK)
        return err->status;
    if (request->type != NULL &&
        json_add_string(attribute, "type", request->type, err) != OK)
        return err->status;
    return request->format == NULL
               ? OK
               : json_add_string(attribute, "format", request->format, err);
}

static enum status fill_policy(struct json_value *root,
                               const struct hierarchy_request *request,
                               const struct json_value *description,
                               struct error *err)
{
    struct json_value *privacy, *model;

    if (json_add_integer(root, "policy", 1, err) != OK ||
        add_attribute(root, request, description, err) != OK ||
        json_add_array(root, "privacy", &privacy, err) != OK ||
        json_add_object(privacy, NULL, &model, err) != OK ||
        json_add_string(model, "model", "k-anonymity", err) != OK ||
        json_add_integer(model, "k", 1, err) != OK)
        return err->status;
    return OK;
}

static enum status make_policy(struct policy **policy,
                               const struct hierarchy_request *request,
                               struct error *err)
{
    struct json *description = NULL, *json = NULL;
    struct text text;
    enum status status = read_description(request->builder, &description, err);

    text_init(&text);
    if (status == OK && json_kind(json_root(description)) != JSON_OBJECT)
        status = error_set(err, E_INPUT,
                           FROM_OPTIONS ": it is %s, expected an object",
                           json_kind_name(json_kind(json_root(description))));
    if (status == OK)
        status = json_create(&json, err);
    if (status == OK)
        status = fill_policy(json_edit_root(json), request,
                             json_root(description), err);
    if (status == OK)
        status = json_print(json_root(json), &text, err);
    if (status == OK)
        status = policy_parse(policy, text_bytes(&text), FROM_OPTIONS, err);
    text_clear(&text);
    json_destroy(&json);
    json_destroy(&description);
    return status;
}

/* The policy's attribute, whose hierarchy must be one that is built. */
static enum status find_attribute(const struct policy *policy,
                                  const char *column,
                                  const struct policy_attribute **attribute,
                                  struct error *err)
{
    *attribute = policy_find(policy, bytes_of_string(column));
    if (*attribute == NULL)
        return error_set(err, E_INPUT, "%s: has no attribute %s", policy->path,
                         json_quote(column).text);
    if ((*attribute)->builder == NULL)
        return error_set(err, E_INPUT,
                         "%s: %s has no hierarchy that is built, expected an "
                         "object with \"build\"",
                         policy->path, json_quote(column).text);
    return OK;
}

/* ---- the file ---- */

static enum status print_rows(const struct hierarchy *hierarchy,
                              struct text *out, struct error *err)
{
    uint32_t levels = hierarchy_levels(hierarchy);
    enum status status = OK;

    for (uint32_t row = 0; row < hierarchy_rows(hierarchy); row++)
        for (uint32_t i = 0; status == OK && i < levels; i++) {
            uint32_t node = hierarchy_node(hierarchy, i, row);

            status = csv_append_field(out, hierarchy_label(hierarchy, i, node),
                                      ';', err);
            if (status == OK)
                status =
                    text_append_string(out, i + 1 < levels ? ";" : "\n", err);
        }
    return status;
}

static enum status write_output(const char *output, struct bytes text,
                                struct error *err)
{
    struct new_file *file = NULL;
    enum status status;

    if (strcmp(output, "-") == 0)
        return descriptor_write(STDOUT_FILENO, text, "standard output", err);
    status = new_file_create(&file, output, 0666, err);
    if (status == OK)
        status = descriptor_write(new_file_descriptor(file), text, output, err);
    if (status == OK)
        return new_file_publish(&file, err);
    new_file_discard(&file);
    return status;
}

static enum status write_hierarchy(const struct hierarchy *hierarchy,
                                   const char *output, struct error *err)
{
    struct text text;
    enum status status;

    text_init(&text);
    status = print_rows(hierarchy, &text, err);
    if (status == OK)
        status = write_output(output, text_bytes(&text), err);
    text_clear(&text);
    return status;
}

/* ---- the whole ---- */

/* The column alone, of all rows, by the reader of tables. */
static enum status read_column(struct table **table,
                               const struct policy *policy,
                               const struct policy_attribute *attribute,
                               const char *path, struct error *err)
{
    struct policy_attribute alone = *attribute;
    struct policy only = *policy;
    const char *name;
    int fd = -1;
    enum status status;

    alone.role = ROLE_QUASI_IDENTIFYING;
    only.attribute = &alone;
    only.attribute_count = 1;
    only.criterion_count = 0;
    only.unlisted_remove = true;
    only.subset = NULL;
    only.has_subset = false;
    status = command_open_input(path, true, &fd, &name, err);
    if (status == OK)
        status = table_read(table, &only, fd, name, 1, NULL, err);
    if (fd >= 0)
        close(fd);
    return status;
}

/* The output may be none of the files that it is made of. */
static enum status check_output(const struct hierarchy_request *request,
                                struct error *err)
{
    const char *output = request->output;

    if (strcmp(output, "-") == 0)
        return OK;
    if (strcmp(request->table, "-") == 0 ? file_is_open_as(output, STDIN_FILENO)
                                         : file_same(output, request->table))
        return error_set(err, E_INPUT, "%s: output and table are the same file",
                         output);
    if (request->policy != NULL && file_same(output, request->policy))
        return error_set(err, E_INPUT,
                         "%s: output and policy are the same file", output);
    if (request->builder != NULL && request->builder[0] == '@' &&
        file_same(output, request->builder + 1))
        return error_set(err, E_INPUT,
                         "%s: output and builder are the same file", output);
    return OK;
}

enum status hierarchy_build(const struct hierarchy_request *request,
                            struct error *err)
{
    const struct policy_attribute *attribute;
    struct policy *policy = NULL;
    struct table *table = NULL;
    enum status status = check_output(request, err);

    assert((request->policy == NULL) != (request->builder == NULL));
    if (status == OK)
        status = request->policy != NULL
                     ? policy_open(&policy, request->policy, err)
                     : make_policy(&policy, request, err);
    if (status == OK)
        status = find_attribute(policy, request->column, &attribute, err);
    if (status == OK)
        status = read_column(&table, policy, attribute, request->table, err);
    if (status == OK)
        status =
            write_hierarchy(table->quasi[0].hierarchy, request->output, err);
    table_destroy(&table);
    policy_close(&policy);
    return status;
}
