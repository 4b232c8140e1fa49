#include "anonymizer/recheck_internal.h"

#include <assert.h>
#include <stdlib.h>

#include "anonymizer/builder.h"
#include "anonymizer/hierarchy.h"
#include "anonymizer/value_order.h"

/* A model by a hierarchy of which there is but the digest. */
static bool lacks_hierarchy(const struct policy *policy,
                            const struct privacy_criterion *criterion)
{
    const struct policy_attribute *attribute;

    if (criterion->model != MODEL_T_CLOSENESS_ORDERED &&
        criterion->model != MODEL_T_CLOSENESS_HIERARCHICAL)
        return false;
    attribute = &policy->attribute[criterion->attribute];
    if (attribute->builder != NULL)
        return false;
    if (criterion->model == MODEL_T_CLOSENESS_HIERARCHICAL)
        return attribute->hierarchy == NULL;
    return attribute->type == TYPE_ORDINAL && attribute->hierarchy == NULL;
}

static bool is_compared(const struct policy *policy, size_t attribute)
{
    for (size_t i = 0; i < policy->criterion_count; i++)
        if (policy->criterion[i].attribute == attribute &&
            privacy_model_compares(policy->criterion[i].model))
            return true;
    return false;
}

/* As the file shows it, suppressed rows included. */
static void whole_count(struct recount *recount, size_t index)
{
    struct recheck_column *column = &recount->column[index];

    for (size_t i = 0; i < recheck_tally_size(&recount->tally); i++)
        column->whole.number[recheck_tally_code(&recount->tally, i, index)] +=
            recheck_tally_count(&recount->tally, i);
    column->whole.rows = recount->tally.rows;
}

static const struct recheck_values *
claimed_values(const struct recheck_claim *claim, size_t attribute)
{
    for (size_t i = 0; i < claim->values_count; i++)
        if (claim->values[i].attribute == attribute)
            return &claim->values[i];
    assert(false && "a claim without the values of a judged attribute");
    return NULL;
}

static enum status values_disagree(const struct recount *recount, size_t index,
                                   struct error *err)
{
    return error_set(err, E_SYSTEM,
                     "%s: recheck: the values of column %s are not what is "
                     "claimed of the input",
                     recount->name, recheck_column_name(recount, index));
}

/* Values that occur in dropped rows alone have no code yet. */
static enum status values_code(struct recheck_column *column,
                               const struct recheck_values *values,
                               uint32_t *code, struct error *err)
{
    enum status status = OK;

    for (size_t i = 0; status == OK && i < values->count; i++)
        status = recheck_texts_code(&column->texts, values->value[i].text,
                                    &code[i], err);
    return status;
}

/* Instead of what the file shows, which was counted, what is claimed of the
 * input: no less of any value, and all of its rows. */
static enum status whole_claim(struct recount *recount, size_t index,
                               const struct recheck_values *values,
                               const uint32_t *code, struct error *err)
{
    struct recheck_column *column = &recount->column[index];
    struct recheck_whole *whole = &column->whole;
    uint64_t rows = 0;

    for (size_t i = 0; i < values->count; i++) {
        if (values->value[i].rows < whole->number[code[i]])
            return values_disagree(recount, index, err);
        whole->rows -= whole->number[code[i]];
        whole->number[code[i]] = values->value[i].rows;
        rows += values->value[i].rows;
    }
    /* What is left of the file's rows has a value that nobody claimed. */
    if (whole->rows != 0 || rows != recount->claim->rows)
        return values_disagree(recount, index, err);
    whole->rows = rows;
    return OK;
}

static enum status whole_find(struct recount *recount, size_t index,
                              struct error *err)
{
    struct recheck_column *column = &recount->column[index];
    const struct recheck_claim *claim = recount->claim;
    const struct recheck_values *values =
        claim != NULL && recount->policy->drop_suppressed
            ? claimed_values(claim, column->attribute)
            : NULL;
    size_t count = values == NULL ? 0 : values->count;
    uint32_t *code = calloc(count + 1, sizeof *code);
    enum status status = OK;

    if (code == NULL)
        return error_memory(err, "the values of a column");
    if (values != NULL)
        status = values_code(column, values, code, err);
    if (status == OK) {
        column->whole.number = calloc((size_t)column->texts.code_count + 1,
                                      sizeof *column->whole.number);
        if (column->whole.number == NULL)
            status = error_memory(err, "the values of a column");
    }
    if (status == OK)
        whole_count(recount, index);
    if (status == OK && values != NULL)
        status = whole_claim(recount, index, values, code, err);
    free(code);
    return status;
}

/* What values are compared by. */
struct ordering {
    struct value_order order;
    struct bytes *text; /* per code: one of its texts */
};

static int compare_codes(const void *a, const void *b, void *context)
{
    const struct ordering *ordering = context;

    return value_compare(&ordering->order, ordering->text[*(const uint32_t *)a],
                         ordering->text[*(const uint32_t *)b]);
}

/* Values that occur in their order.  *found is false if one has no place. */
static enum status values_order(struct recheck_whole *whole,
                                struct ordering *ordering, bool *found,
                                struct error *err)
{
    *found = ordering->order.attribute->type != TYPE_ORDINAL ||
             ordering->order.attribute->hierarchy != NULL;
    for (size_t i = 0; *found && i < whole->distinct; i++)
        *found =
            value_is_ordered(&ordering->order, ordering->text[whole->value[i]]);
    if (!*found)
        return OK;
    qsort_r(whole->value, whole->distinct, sizeof *whole->value, compare_codes,
            ordering);
    whole->order = recheck_order_create(whole);
    return whole->order == NULL ? error_memory(err, "the order of a column")
                                : OK;
}

/* Values that occur by their rows in the hierarchy.  *found is false if one has
 * none. */
static enum status values_place(struct recheck_column *column,
                                const struct ordering *ordering, bool *found,
                                struct error *err)
{
    struct recheck_whole *whole = &column->whole;

    whole->hierarchy = ordering->order.attribute->hierarchy;
    *found = whole->hierarchy != NULL;
    if (!*found)
        return OK;
    whole->row =
        calloc((size_t)column->texts.code_count + 1, sizeof *whole->row);
    if (whole->row == NULL)
        return error_memory(err, "the hierarchy of a column");
    for (size_t i = 0; *found && i < whole->distinct; i++) {
        uint32_t code = whole->value[i];

        whole->row[code] = value_row(&ordering->order, ordering->text[code]);
        *found = whole->row[code] != HIERARCHY_NONE;
    }
    if (!*found)
        return OK;
    whole->tree = recheck_tree_create(whole);
    return whole->tree == NULL ? error_memory(err, "the hierarchy of a column")
                               : OK;
}

/* Is the attribute judged by this model?  Not without the hierarchy. */
static bool is_judged_by(const struct recount *recount, size_t attribute,
                         enum privacy_model model)
{
    const struct policy *policy = recount->policy;

    for (size_t i = 0; i < policy->criterion_count; i++)
        if (policy->criterion[i].attribute == attribute &&
            policy->criterion[i].model == model &&
            !lacks_hierarchy(policy, &policy->criterion[i]))
            return true;
    return false;
}

/* Texts have an order by their bytes, which means nothing unless a model says
 * that it does. */
static bool has_order(const struct policy_attribute *attribute)
{
    return attribute->type != TYPE_STRING &&
           (attribute->type != TYPE_ORDINAL || attribute->hierarchy != NULL);
}

static bool has_tree(const struct policy_attribute *attribute)
{
    const struct hierarchy *hierarchy = attribute->hierarchy;

    return hierarchy != NULL &&
           hierarchy_nodes(hierarchy, hierarchy_levels(hierarchy) - 1) == 1;
}

/* By order and hierarchy: what a model asks for must be there, what figures
 * take may be. */
static enum status whole_arrange_by(struct recount *recount, size_t index,
                                    struct ordering *ordering,
                                    struct error *err)
{
    struct recheck_column *column = &recount->column[index];
    const struct policy_attribute *attribute = ordering->order.attribute;
    bool all = recount->claim == NULL, found = true;
    bool by_order =
        is_judged_by(recount, column->attribute, MODEL_T_CLOSENESS_ORDERED);
    bool by_tree = is_judged_by(recount, column->attribute,
                                MODEL_T_CLOSENESS_HIERARCHICAL);
    enum status status = OK;

    if (by_order || (all && has_order(attribute)))
        status = values_order(&column->whole, ordering, &found, err);
    if (status == OK && by_order && !found)
        return error_set(err, E_INPUT,
                         "%s: column %s: a value has no place in the order of "
                         "its type, which t-closeness-ordered needs",
                         recount->name, recheck_column_name(recount, index));
    if (status == OK && (by_tree || (all && has_tree(attribute))))
        status = values_place(column, ordering, &found, err);
    if (status == OK && by_tree && !found)
        return error_set(err, E_INPUT,
                         "%s: column %s: a value has no row in its hierarchy, "
                         "which t-closeness-hierarchical needs",
                         recount->name, recheck_column_name(recount, index));
    return status;
}

/* What of a type is none, or has no place, leaves them all without a
 * hierarchy. */
static bool values_fit(const struct recheck_whole *whole,
                       const struct ordering *ordering)
{
    const struct policy_attribute *attribute = ordering->order.attribute;

    for (size_t i = 0; i < whole->distinct; i++) {
        struct bytes text = ordering->text[whole->value[i]];

        if (!policy_is_missing(ordering->order.policy, text) &&
            (!value_is_typed(&ordering->order, text) ||
             builder_refuses(attribute->builder, text) != NULL))
            return false;
    }
    return whole->distinct > 0;
}

/* The hierarchy that the policy describes, over the values that occur. */
static enum status values_build(struct recheck_whole *whole,
                                const struct ordering *ordering,
                                struct error *err)
{
    const struct policy_attribute *attribute = ordering->order.attribute;
    struct builder_value *value;
    enum status status;

    if (!values_fit(whole, ordering))
        return OK;
    value = calloc(whole->distinct, sizeof *value);
    if (value == NULL)
        return error_memory(err, "the hierarchy of a column");
    for (size_t i = 0; i < whole->distinct; i++) {
        struct bytes text = ordering->text[whole->value[i]];

        value[i] = (struct builder_value){
            text, whole->number[whole->value[i]],
            policy_is_missing(ordering->order.policy, text)};
    }
    status = builder_build(&whole->built, attribute->builder, value,
                           whole->distinct, err);
    free(value);
    return status;
}

/* What there is to know of values but how many there are. */
static enum status whole_arrange(struct recount *recount, size_t index,
                                 struct error *err)
{
    const struct policy *policy = recount->policy;
    struct recheck_column *column = &recount->column[index];
    struct recheck_whole *whole = &column->whole;
    size_t codes = column->texts.code_count;
    struct ordering ordering = {{policy, &policy->attribute[column->attribute]},
                                calloc(codes + 1, sizeof *ordering.text)};
    struct policy_attribute described = *ordering.order.attribute;
    enum status status = OK;

    whole->value = calloc(codes + 1, sizeof *whole->value);
    if (ordering.text == NULL || whole->value == NULL) {
        free(ordering.text);
        return error_memory(err, "the values of a column");
    }
    recheck_texts_list(&column->texts, ordering.text);
    for (uint32_t code = 0; code < codes; code++)
        if (whole->number[code] > 0)
            whole->value[whole->distinct++] = code;
    if (described.builder != NULL && described.hierarchy == NULL) {
        status = values_build(whole, &ordering, err);
        described.hierarchy = whole->built;
        ordering.order.attribute = &described;
    }
    if (status == OK)
        status = whole_arrange_by(recount, index, &ordering, err);
    free(ordering.text);
    return status;
}

bool recheck_rows_are_known(const struct recount *recount)
{
    return recount->claim != NULL || !recount->policy->drop_suppressed ||
           recount->policy->suppression_limit == 0;
}

bool recheck_whole_is_known(const struct recount *recount,
                            const struct privacy_criterion *criterion)
{
    return recheck_rows_are_known(recount) &&
           !lacks_hierarchy(recount->policy, criterion);
}

enum status recheck_whole_find(struct recount *recount, struct error *err)
{
    enum status status = OK;

    for (size_t i = recount->quasi_count;
         status == OK && i < recount->column_count; i++)
        if (recount->claim == NULL ||
            is_compared(recount->policy, recount->column[i].attribute)) {
            status = whole_find(recount, i, err);
            if (status == OK)
                status = whole_arrange(recount, i, err);
        }
    return status;
}

void recheck_whole_clear(struct recheck_whole *whole)
{
    free(whole->number);
    free(whole->value);
    free(whole->row);
    hierarchy_close(&whole->built);
    recheck_order_destroy(&whole->order);
    recheck_tree_destroy(&whole->tree);
    *whole = (struct recheck_whole){0};
}
