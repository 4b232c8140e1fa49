#include "anonymizer/table_refusal.h"

#include "anonymizer/subset.h"
#include "anonymizer/table_coder.h"
#include "anonymizer/table_hierarchy.h"
#include "anonymizer/value_order.h"
#include "common/json.h"

static bool has_model(const struct policy *policy, size_t attribute,
                      enum privacy_model model)
{
    for (size_t i = 0; i < policy->criterion_count; i++)
        if (policy->criterion[i].attribute == attribute &&
            policy->criterion[i].model == model)
            return true;
    return false;
}

static bool lacks_row(const struct policy *policy, size_t attribute,
                      struct bytes text)
{
    const struct value_order order = {policy, &policy->attribute[attribute]};

    /* What is built has a row for whatever it is built over. */
    return policy->attribute[attribute].builder == NULL &&
           has_model(policy, attribute, MODEL_T_CLOSENESS_HIERARCHICAL) &&
           value_row(&order, text) == HIERARCHY_NONE;
}

static bool lacks_order(const struct policy *policy, size_t attribute,
                        struct bytes text)
{
    const struct policy_attribute *asked = &policy->attribute[attribute];
    const struct value_order order = {policy, asked};

    return (asked->builder == NULL || asked->type != TYPE_ORDINAL) &&
           has_model(policy, attribute, MODEL_T_CLOSENESS_ORDERED) &&
           !value_is_ordered(&order, text);
}

bool table_place_is_known(const struct policy *policy, size_t attribute,
                          struct bytes text)
{
    return table_value_refused(policy, attribute, text) == NULL &&
           !lacks_row(policy, attribute, text) &&
           !lacks_order(policy, attribute, text);
}

/* ---- in words ---- */

static enum status refuse_value(const struct policy *policy,
                                const struct coded_column *column,
                                const char *name, struct bytes text,
                                uint64_t line, struct error *err)
{
    const char *why = table_value_refused(policy, column->attribute, text);
    const char *attribute = policy->attribute[column->attribute].name;

    if (why == NULL)
        return OK;
    return error_set(err, E_INPUT, "%s: line %ju, column %s: the value %s",
                     name, (uintmax_t)line, json_quote(attribute).text, why);
}

static enum status refuse_quasi(const struct policy *policy,
                                const struct coded_column *column,
                                const char *name, struct bytes text,
                                uint64_t line, struct error *err)
{
    const char *attribute = policy->attribute[column->attribute].name;

    if (column->hierarchy == NULL ||
        hierarchy_find(column->hierarchy, text) != HIERARCHY_NONE)
        return refuse_value(policy, column, name, text, line, err);
    if (!policy_is_missing(policy, text))
        return error_set(err, E_INPUT,
                         "%s: line %ju, column %s: the value has no row in its "
                         "hierarchy",
                         name, (uintmax_t)line, json_quote(attribute).text);
    if (column->missing_row == HIERARCHY_NONE)
        return error_set(err, E_INPUT,
                         "%s: line %ju, column %s: a missing value, "
                         "for which its hierarchy has no row",
                         name, (uintmax_t)line, json_quote(attribute).text);
    return OK;
}

static enum status refuse_sensitive(const struct policy *policy,
                                    const struct coded_column *column,
                                    const char *name, struct bytes text,
                                    uint64_t line, struct error *err)
{
    const char *attribute = policy->attribute[column->attribute].name;
    const char *what =
        policy_is_missing(policy, text) ? "a missing value" : "the value";

    if (refuse_value(policy, column, name, text, line, err) != OK)
        return err->status;
    if (lacks_row(policy, column->attribute, text))
        return error_set(err, E_INPUT,
                         "%s: line %ju, column %s: %s has no row in its "
                         "hierarchy, which t-closeness-hierarchical needs",
                         name, (uintmax_t)line, json_quote(attribute).text,
                         what);
    if (lacks_order(policy, column->attribute, text))
        return error_set(
            err, E_INPUT,
            "%s: line %ju, column %s: %s has no place in the order of its "
            "type, which t-closeness-ordered needs",
            name, (uintmax_t)line, json_quote(attribute).text, what);
    return OK;
}

enum status table_refuse_row(const struct coding *coding, const char *name,
                             const struct csv_batch *batch, size_t row,
                             uint64_t number, uint64_t line, uint8_t *unquoted,
                             struct error *err)
{
    const struct policy *policy = coding->policy;
    bool is_member =
        policy->subset == NULL || subset_contains(policy->subset, number);
    struct bytes subject;

    for (size_t q = 0; q < coding->quasi_count; q++) {
        const struct coded_column *column = &coding->quasi[q];

        if (refuse_quasi(policy, column, name,
                         csv_batch_value(batch, row, column->column, unquoted),
                         line, err) != OK)
            return err->status;
    }
    for (size_t s = 0; is_member && s < coding->sensitive_count; s++) {
        const struct coded_column *column = &coding->sensitive[s];

        if (refuse_sensitive(
                policy, column, name,
                csv_batch_value(batch, row, column->column, unquoted), line,
                err) != OK)
            return err->status;
    }
    if (coding->subject_column == NO_COLUMN)
        return OK;
    subject = csv_batch_value(batch, row, coding->subject_column, unquoted);
    if (subject.size == 0 || policy_is_missing(policy, subject))
        return error_set(err, E_INPUT,
                         "%s: line %ju: the subject column is empty; each row "
                         "must say whose it is",
                         name, (uintmax_t)line);
    return OK;
}
