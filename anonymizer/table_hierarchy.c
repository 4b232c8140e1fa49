#include "anonymizer/table_hierarchy.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "anonymizer/builder.h"
#include "anonymizer/value_order.h"
#include "common/json.h"

/* ---- one value ---- */

static const char *type_words(enum value_type type)
{
    switch (type) {
    case TYPE_INTEGER:
        return "is no whole number of 64 bits, which its type asks for";
    case TYPE_DECIMAL:
        return "is no decimal number, which its type asks for";
    case TYPE_DATE:
        return "is no date in the format that the policy gives";
    case TYPE_STRING:
    case TYPE_ORDINAL:
        break;
    }
    assert(false && "all texts are of this type");
    return NULL;
}

const char *table_value_refused(const struct policy *policy, size_t attribute,
                                struct bytes value)
{
    const struct policy_attribute *asked = &policy->attribute[attribute];
    const struct value_order order = {policy, asked};
    bool any = asked->type == TYPE_STRING || asked->type == TYPE_ORDINAL;

    if ((any && asked->builder == NULL) || policy_is_missing(policy, value))
        return NULL;
    if (!value_is_typed(&order, value))
        return type_words(asked->type);
    return asked->builder == NULL ? NULL
                                  : builder_refuses(asked->builder, value);
}

/* ---- all values ---- */

static enum status check_level(const struct policy *policy,
                               const struct policy_attribute *attribute,
                               const char *key, uint32_t level, uint32_t top,
                               struct error *err)
{
    if (level <= top)
        return OK;
    return error_set(err, E_INPUT,
                     "%s: line %u: \"%s\" of %s is %u, expected at most %u, "
                     "the top of the hierarchy that was built",
                     policy->path, attribute->line, key,
                     json_quote(attribute->name).text, level, top);
}

/* What the policy's reader could not see yet. */
static enum status check_levels(const struct policy *policy,
                                const struct policy_attribute *attribute,
                                const struct hierarchy *hierarchy,
                                struct error *err)
{
    uint32_t top = hierarchy_levels(hierarchy) - 1;
    enum status status = check_level(policy, attribute, "min_level",
                                     attribute->level_min, top, err);

    if (status == OK && attribute->level_max != LEVEL_UNLIMITED)
        status = check_level(policy, attribute, "max_level",
                             attribute->level_max, top, err);
    return status;
}

/* From the values of a dictionary and in how many rows they are. */
static enum status build(struct table *table, const struct policy *policy,
                         size_t index, const struct dictionary *dictionary,
                         const uint64_t *rows, struct error *err)
{
    const struct policy_attribute *attribute = &policy->attribute[index];
    uint32_t count = dictionary->code_count;
    struct builder_value *value = calloc((size_t)count + 1, sizeof *value);
    enum status status;

    if (value == NULL)
        return error_memory(err, "the values of an attribute");
    for (uint32_t v = 0; v < count; v++) {
        struct bytes text = dictionary_text(dictionary, v);

        value[v] = (struct builder_value){text, rows[v],
                                          policy_is_missing(policy, text)};
    }
    status = builder_build(&table->built[index], attribute->builder, value,
                           count, err);
    free(value);
    if (status != OK)
        return error_wrap(err, "%s: hierarchy of %s", policy->path,
                          json_quote(attribute->name).text);
    return check_levels(policy, attribute, table->built[index], err);
}

static enum status build_quasi(struct table *table, const struct policy *policy,
                               size_t quasi,
                               const struct dictionary *dictionary,
                               struct error *err)
{
    const uint32_t *of_tuple = table->tuple_population != NULL
                                   ? table->tuple_population
                                   : table->tuple_rows;
    uint64_t *rows = calloc((size_t)dictionary->code_count + 1, sizeof *rows);
    enum status status;

    if (rows == NULL)
        return error_memory(err, "the values of an attribute");
    for (size_t t = 0; t < table->tuple_count; t++)
        rows[table->value[t * table->quasi_count + quasi]] += of_tuple[t];
    status = build(table, policy, table->quasi[quasi].attribute, dictionary,
                   rows, err);
    free(rows);
    return status;
}

static enum status make_flat(struct quasi_identifier *quasi,
                             const struct dictionary *dictionary,
                             struct error *err)
{
    struct bytes *texts = calloc(quasi->value_count, sizeof *texts);
    enum status status;

    if (texts == NULL)
        return error_memory(err, "the values of an attribute");
    for (uint32_t v = 0; v < quasi->value_count; v++)
        texts[v] = dictionary_text(dictionary, v);
    status = hierarchy_flat(&quasi->flat, texts, quasi->value_count, err);
    free(texts);
    quasi->hierarchy = quasi->flat;
    return status;
}

enum status table_make_hierarchy(struct table *table,
                                 const struct policy *policy, size_t index,
                                 const struct dictionary *dictionary,
                                 struct error *err)
{
    struct quasi_identifier *quasi = &table->quasi[index];
    enum status status;

    quasi->value_count = dictionary->code_count;
    quasi->row = calloc(quasi->value_count, sizeof *quasi->row);
    if (quasi->row == NULL)
        return error_memory(err, "the values of an attribute");
    if (policy->attribute[quasi->attribute].builder == NULL) {
        status = make_flat(quasi, dictionary, err);
    } else {
        status = build_quasi(table, policy, index, dictionary, err);
        quasi->hierarchy = table->built[quasi->attribute];
    }
    for (uint32_t v = 0; status == OK && v < quasi->value_count; v++) {
        quasi->row[v] =
            hierarchy_find(quasi->hierarchy, dictionary_text(dictionary, v));
        assert(quasi->row[v] != HIERARCHY_NONE);
    }
    return status;
}

enum status table_build_sensitive(struct table *table,
                                  const struct policy *policy, size_t index,
                                  struct error *err)
{
    const struct sensitive_attribute *sensitive = &table->sensitive[index];
    const struct histograms *histograms = &sensitive->histograms;
    uint64_t *rows;
    enum status status;

    if (policy->attribute[sensitive->attribute].builder == NULL)
        return OK;
    rows = calloc((size_t)sensitive->dictionary.code_count + 1, sizeof *rows);
    if (rows == NULL)
        return error_memory(err, "the values of an attribute");
    for (uint64_t i = 0; i < histograms->begin[table->tuple_count]; i++)
        rows[histograms->value[i]] += histograms->number[i];
    status = build(table, policy, sensitive->attribute, &sensitive->dictionary,
                   rows, err);
    free(rows);
    return status;
}

enum status table_complete_policy(const struct table *table,
                                  const struct policy *policy,
                                  struct policy *complete, struct error *err)
{
    size_t count = policy->attribute_count;

    *complete = *policy;
    complete->attribute = calloc(count, sizeof *complete->attribute);
    if (complete->attribute == NULL)
        return error_memory(err, "the attributes");
    memcpy(complete->attribute, policy->attribute,
           count * sizeof *complete->attribute);
    for (size_t i = 0; i < count; i++)
        if (table->built[i] != NULL)
            complete->attribute[i].hierarchy = table->built[i];
    return OK;
}
