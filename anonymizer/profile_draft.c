#include "anonymizer/profile_draft.h"

#include <stdlib.h>

#include "anonymizer/profile_hierarchy.h"
#include "common/limits.h"

#define K 5
#define K_SMALL 2
#define SUPPRESSION_LIMIT 0.05

/* ---- hierarchies ---- */

/* column-03-zip-code.csv: what a file name may hold anywhere. */
static enum status name_file(char **file, const char *column, size_t index,
                             struct error *err)
{
    char folded[SUGGESTION_NAME_MAX + 1];
    struct text name;

    profile_name_fold(bytes_of_string(column), folded, sizeof folded);
    text_init(&name);
    if (text_printf(&name, err, "column-%02zu", index + 1) != OK)
        goto done;
    for (const char *at = folded; *at != '\0'; at++) {
        bool plain = (*at >= 'a' && *at <= 'z') || (*at >= '0' && *at <= '9');

        if ((at == folded || *at == ' ') &&
            text_append(&name, "-", 1, err) != OK)
            goto done;
        if (plain && text_append(&name, at, 1, err) != OK)
            goto done;
    }
    while (name.data[name.size - 1] == '-')
        name.size--;
    if (text_append_string(&name, ".csv", err) != OK)
        goto done;
    *file = string_copy(name.data);
    text_clear(&name);
    return *file != NULL ? OK : error_memory(err, "the name of a file");
done:
    text_clear(&name);
    return err->status;
}

static enum status make_column(struct profile_draft_column *draft,
                               const struct profile_column *column,
                               const struct profile_about *about, size_t index,
                               struct error *err)
{
    if (profile_hierarchy_draft(&draft->hierarchy, &draft->levels, column,
                                about, err) != OK)
        return error_wrap(err, "the hierarchy of column %zu", index + 1);
    draft->level_min = about->over_89 ? 1 : 0;
    return draft->levels > 2 ? name_file(&draft->file, column->name, index, err)
                             : OK;
}

/* ---- a lattice that is searched soon ---- */

static double lattice_of(const struct profile_draft *draft)
{
    double lattice = 1;

    for (size_t i = 0; i < draft->count; i++)
        if (draft->at[i].levels > 0)
            lattice *= draft->at[i].levels - draft->at[i].level_min;
    return lattice;
}

/* The attribute with most levels left, the last one among equals. */
static struct profile_draft_column *widest(struct profile_draft *draft)
{
    struct profile_draft_column *widest = NULL;
    uint32_t most = 1;

    for (size_t i = 0; i < draft->count; i++) {
        uint32_t left = draft->at[i].levels - draft->at[i].level_min;

        if (draft->at[i].levels > 0 && left > 1 && left >= most) {
            most = left;
            widest = &draft->at[i];
        }
    }
    return widest;
}

static void narrow(struct profile_draft *draft)
{
    while ((draft->lattice = lattice_of(draft)) > PROFILE_LATTICE_MAX) {
        struct profile_draft_column *column = widest(draft);

        if (column->level_min++ == 0)
            draft->narrowed++;
    }
}

enum status profile_draft_make(struct profile_draft *draft,
                               const struct profile_columns *columns,
                               const struct profile_about *about,
                               const struct profile_roles *roles,
                               struct error *err)
{
    enum status status = OK;

    *draft = (struct profile_draft){.count = 0};
    draft->at = calloc(columns->count, sizeof *draft->at);
    if (draft->at == NULL)
        return error_memory(err, "the draft of a policy");
    draft->count = columns->count;
    for (size_t i = 0; i < draft->count; i++)
        text_init(&draft->at[i].hierarchy);
    for (size_t i = 0; i < draft->count && status == OK; i++)
        if (roles->at[i].role == ROLE_QUASI_IDENTIFYING)
            status =
                make_column(&draft->at[i], &columns->at[i], &about[i], i, err);
    if (status == OK)
        narrow(draft);
    else
        profile_draft_clear(draft);
    return status;
}

void profile_draft_clear(struct profile_draft *draft)
{
    for (size_t i = 0; i < draft->count; i++) {
        free(draft->at[i].file);
        text_clear(&draft->at[i].hierarchy);
    }
    free(draft->at);
    *draft = (struct profile_draft){.count = 0};
}

/* ---- the policy ---- */

static enum status add_table(struct json_value *policy, struct error *err)
{
    static const char *const tokens[] = {
#define MISSING_TOKEN(token) token,
        PROFILE_MISSING_TABLE(MISSING_TOKEN)
#undef MISSING_TOKEN
    };
    struct json_value *table, *missing;

    if (json_add_object(policy, "table", &table, err) != OK ||
        json_add_array(table, "missing", &missing, err) != OK)
        return err->status;
    for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++)
        if (json_add_string(missing, NULL, tokens[i], err) != OK)
            return err->status;
    return OK;
}

/* What a policy's types read: a date in another spelling is a text to them. */
static const char *policy_type(const struct profile_about *about,
                               const struct profile_draft_column *draft)
{
    switch (about->type) {
    case PROFILE_INTEGER:
    case PROFILE_DECIMAL:
        return profile_type_name(about->type);
    case PROFILE_DATE:
        return about->date == DATE_FORMAT_ISO && !about->date_has_time
                   ? "date"
                   : "string";
    case PROFILE_ORDINAL:
        return draft->file != NULL ? "ordinal" : "string";
    default:
        return "string";
    }
}

static enum status add_attribute(struct json_value *attributes,
                                 const struct profile_column *column,
                                 const struct profile_about *about,
                                 const struct profile_role *role,
                                 const struct profile_draft_column *draft,
                                 struct error *err)
{
    bool quasi = role->role == ROLE_QUASI_IDENTIFYING;
    struct json_value *attribute;

    if (json_add_object(attributes, column->name, &attribute, err) != OK ||
        json_add_string(attribute, "role", attribute_role_name(role->role),
                        err) != OK)
        return err->status;
    if ((quasi || role->role == ROLE_SENSITIVE) &&
        json_add_string(attribute, "type", policy_type(about, draft), err) !=
            OK)
        return err->status;
    if (draft->file != NULL &&
        json_add_string(attribute, "hierarchy", draft->file, err) != OK)
        return err->status;
    if (quasi && draft->level_min > 0)
        return json_add_integer(attribute, "min_level", draft->level_min, err);
    return OK;
}

static enum status add_k(struct json_value *privacy, uint64_t rows,
                         struct error *err)
{
    struct json_value *model;

    if (json_add_object(privacy, NULL, &model, err) != OK ||
        json_add_string(model, "model", "k-anonymity", err) != OK)
        return err->status;
    return json_add_integer(model, "k", rows < PROFILE_ROWS_SMALL ? K_SMALL : K,
                            err);
}

/* Beside a value that more than half of the rows have, two different ones in
 * each class are too much to ask for to begin with. */
static bool can_be_diverse(const struct profile_column *column, uint64_t rows)
{
    for (uint32_t i = 0; i < column->dictionary.code_count; i++)
        if (column->rows[i] > rows / 2)
            return false;
    return true;
}

static enum status add_diversity(struct json_value *privacy, const char *name,
                                 struct error *err)
{
    struct json_value *model;

    if (json_add_object(privacy, NULL, &model, err) != OK ||
        json_add_string(model, "model", "distinct-l-diversity", err) != OK ||
        json_add_string(model, "attribute", name, err) != OK)
        return err->status;
    return json_add_integer(model, "l", 2, err);
}

static enum status add_privacy(struct json_value *policy,
                               const struct profile_columns *columns,
                               const struct profile_roles *roles,
                               struct error *err)
{
    struct json_value *privacy;
    size_t models = 1;

    if (json_add_array(policy, "privacy", &privacy, err) != OK ||
        add_k(privacy, columns->rows, err) != OK)
        return err->status;
    for (size_t i = 0; i < columns->count && models < CRITERIA_MAX; i++) {
        if (roles->at[i].role != ROLE_SENSITIVE ||
            !can_be_diverse(&columns->at[i], columns->rows))
            continue;
        if (add_diversity(privacy, columns->at[i].name, err) != OK)
            return err->status;
        models++;
    }
    return OK;
}

enum status profile_draft_policy(const struct profile_draft *draft,
                                 const struct profile_columns *columns,
                                 const struct profile_about *about,
                                 const struct profile_roles *roles,
                                 struct json_value *policy, struct error *err)
{
    struct json_value *attributes;

    if (json_add_integer(policy, "policy", 1, err) != OK ||
        json_add_string(policy, "name", "draft", err) != OK ||
        json_add_string(policy, "description",
                        "A draft by anchorite profile: each role and each "
                        "hierarchy is a guess, to be read before it is used.",
                        err) != OK ||
        add_table(policy, err) != OK ||
        json_add_object(policy, "attributes", &attributes, err) != OK)
        return err->status;
    for (size_t i = 0; i < columns->count; i++)
        if (add_attribute(attributes, &columns->at[i], &about[i], &roles->at[i],
                          &draft->at[i], err) != OK)
            return err->status;
    if (add_privacy(policy, columns, roles, err) != OK)
        return err->status;
    if (json_add_number(policy, "suppression_limit", SUPPRESSION_LIMIT, err) !=
        OK)
        return err->status;
    return json_add_string(policy, "suppressed_rows", "drop", err);
}
