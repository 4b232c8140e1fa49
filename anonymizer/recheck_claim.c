#include "anonymizer/recheck_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "anonymizer/hierarchy.h"

/* ---- labels ---- */

static void labels_mark(struct recheck_column *column,
                        const struct hierarchy *hierarchy, uint32_t level)
{
    uint32_t nodes = hierarchy_nodes(hierarchy, level);

    for (uint32_t node = 0; node < nodes; node++) {
        uint32_t code = recheck_texts_find(
            &column->texts, hierarchy_label(hierarchy, level, node));

        if (code != RECHECK_TEXTS_NONE)
            column->is_label[code] = true;
    }
}

/* Which texts of a quasi-identifier are labels of the claimed level? */
static enum status labels_find(struct recount *recount, size_t index,
                               struct error *err)
{
    struct recheck_column *column = &recount->column[index];
    const struct policy_attribute *attribute =
        &recount->policy->attribute[column->attribute];
    uint32_t level = recount->claim->level[column->attribute];
    uint32_t levels = attribute->hierarchy == NULL
                          ? 2
                          : hierarchy_levels(attribute->hierarchy);

    if (level >= levels)
        return error_set(err, E_SYSTEM,
                         "%s: recheck: column %s: level %" PRIu32
                         " is claimed, there are %" PRIu32 " levels",
                         recount->name, attribute->name, level, levels);
    if (level < attribute->level_min || level > attribute->level_max)
        return error_set(err, E_SYSTEM,
                         "%s: recheck: column %s: level %" PRIu32
                         " is claimed, which the policy does not allow",
                         recount->name, attribute->name, level);
    column->is_label =
        calloc(column->texts.code_count, sizeof *column->is_label);
    if (column->is_label == NULL)
        return error_memory(err, "the labels of a column");
    if (attribute->hierarchy != NULL)
        labels_mark(column, attribute->hierarchy, level);
    else if (level == 0)
        memset(column->is_label, true, column->texts.code_count);
    else
        column->is_label[CODE_STAR] = true;
    return OK;
}

enum status recheck_claim_prepare(struct recount *recount, struct error *err)
{
    enum status status = OK;

    if (recount->claim == NULL)
        return OK;
    for (size_t i = 0; status == OK && i < recount->quasi_count; i++)
        status = labels_find(recount, i, err);
    return status;
}

void recheck_claim_labels(struct recount *recount,
                          const struct recheck_class *class)
{
    for (size_t i = 0; i < recount->quasi_count; i++) {
        uint32_t code = recheck_tally_code(&recount->tally, class->first, i);

        if (recount->column[i].is_label[code])
            continue;
        recount->mislabelled += class->rows;
        recount->mislabelled_column = i;
        return;
    }
}

/* ---- the whole claim ---- */

static enum status claim_check_rows(const struct recount *recount,
                                    const struct class_figures *classes,
                                    struct error *err)
{
    const struct recheck_claim *claim = recount->claim;
    bool drop = recount->policy->drop_suppressed;
    uint64_t dropped = drop ? claim->suppressed : 0;
    uint64_t limit = recheck_suppression_limit(recount->policy, claim->rows);

    if (claim->suppressed > claim->rows ||
        classes->rows != claim->rows - dropped)
        return error_set(err, E_SYSTEM,
                         "%s: recheck: %" PRIu64 " rows, claimed are %" PRIu64
                         " with %" PRIu64 " dropped",
                         recount->name, classes->rows, claim->rows, dropped);
    if (classes->suppressed != claim->suppressed - dropped)
        return error_set(
            err, E_SYSTEM,
            "%s: recheck: %" PRIu64 " suppressed rows, claimed are %" PRIu64,
            recount->name, classes->suppressed, claim->suppressed - dropped);
    if (claim->suppressed > limit)
        return error_set(err, E_SYSTEM,
                         "%s: recheck: %" PRIu64
                         " suppressed rows, the policy allows %" PRIu64,
                         recount->name, claim->suppressed, limit);
    return OK;
}

static enum status claim_check_models(const struct recount *recount,
                                      const struct recheck_result *result,
                                      struct error *err)
{
    const struct policy *policy = recount->policy;

    for (size_t i = 0; i < result->criterion_count; i++) {
        const struct privacy_criterion *criterion = &policy->criterion[i];
        bool has_attribute = criterion->attribute != NO_ATTRIBUTE;

        if (result->criterion[i].satisfied)
            continue;
        if (privacy_model_is_of_sample(criterion->model))
            return error_set(
                err, E_SYSTEM, "%s: recheck: the classes together break %s",
                recount->name, privacy_model_name(criterion->model));
        return error_set(
            err, E_SYSTEM, "%s: recheck: %" PRIu64 " classes break %s%s%s",
            recount->name, result->criterion[i].violating,
            privacy_model_name(criterion->model), has_attribute ? " of " : "",
            has_attribute ? policy->attribute[criterion->attribute].name : "");
    }
    return OK;
}

enum status recheck_claim_check(const struct recount *recount,
                                const struct recheck_result *result,
                                struct error *err)
{
    enum status status;

    if (result->unremoved_count > 0)
        return error_set(err, E_SYSTEM,
                         "%s: recheck: column %s is there, which the policy "
                         "removes",
                         recount->name, result->unremoved[0]);
    status = claim_check_rows(recount, &result->classes, err);
    if (status != OK)
        return status;
    if (recount->mislabelled > 0)
        return error_set(
            err, E_SYSTEM,
            "%s: recheck: %" PRIu64 " rows have a cell that is no label of "
            "its level, one of them in column %s",
            recount->name, recount->mislabelled,
            recheck_column_name(recount, recount->mislabelled_column));
    return claim_check_models(recount, result, err);
}
