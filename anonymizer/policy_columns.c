#include "anonymizer/policy_columns.h"

#include "common/json.h"

static enum status check_attributes(const struct policy *policy,
                                    const struct csv_record *header,
                                    const char *name, bool nameless,
                                    struct error *err)
{
    for (size_t a = 0; a < policy->attribute_count; a++) {
        const struct policy_attribute *attribute = &policy->attribute[a];
        bool found = nameless && attribute->role == ROLE_IDENTIFYING;

        for (size_t c = 0; c < header->count && !found; c++)
            found = bytes_equal_string(header->field[c].value, attribute->name);
        if (!found)
            return error_set(err, E_INPUT,
                             "%s: line %u: attribute %s: the table %s has no "
                             "such column",
                             policy->path, attribute->line,
                             json_quote(attribute->name).text, name);
    }
    return OK;
}

enum status policy_bind_columns(const struct policy *policy,
                                const struct csv_record *header,
                                const char *name, bool nameless,
                                size_t *attribute, struct error *err)
{
    enum status status = check_attributes(policy, header, name, nameless, err);

    for (size_t c = 0; status == OK && c < header->count; c++) {
        const struct policy_attribute *found =
            policy_find(policy, header->field[c].value);
        char words[CSV_COLUMN_WORDS_SIZE];

        attribute[c] = NO_ATTRIBUTE;
        if (found != NULL)
            attribute[c] = (size_t)(found - policy->attribute);
        else if (!policy->unlisted_remove)
            status = error_set(err, E_INPUT,
                               "%s: %s: the policy %s does not name it; "
                               "give it a role there, or set \"unlisted\": "
                               "\"remove\"",
                               name, csv_column_words(header, c, words),
                               policy->path);
    }
    return status;
}
