#include "anonymizer/recheck.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "anonymizer/csv.h"
#include "anonymizer/hierarchy.h"
#include "anonymizer/recheck_distance.h"
#include "anonymizer/recheck_diversity.h"
#include "anonymizer/recheck_sort.h"
#include "anonymizer/recheck_tally.h"
#include "anonymizer/recheck_texts.h"
#include "anonymizer/value_order.h"
#include "common/json.h"

/* Code of a quasi-identifier's `*`: the first text that it is told of. */
#define CODE_STAR 0

/* A column that is counted: a quasi-identifier or a sensitive attribute. */
struct column {
    size_t attribute; /* index into policy.attribute */
    size_t field;     /* index into a record */
    struct recheck_texts texts;
    bool *is_label; /* per code, only under a claim: a label of its level? */
    struct recheck_whole whole; /* if a model compares and it is known */
};

/* One table that is being counted. */
struct recount {
    const struct policy *policy;
    const char *name; /* of the table, for errors */
    const struct recheck_claim *claim;
    struct column column[RECHECK_COLUMNS_MAX]; /* quasi-identifiers first */
    size_t quasi_count;
    size_t column_count;
    struct recheck_tally tally;

    /* For the histogram of one class, each with room for all codes of the
     * column that has most. */
    uint32_t *code_rows; /* per code; all 0 between two classes */
    uint32_t *code;      /* those that are not 0 */
    uint64_t *number;    /* of each of them */
    uint64_t *count;     /* sorted */
    uint64_t *spare;

    uint64_t mislabelled; /* rows with a cell that is no label */
    size_t mislabelled_column;
};

/* ---- columns ---- */

static const char *column_name(const struct recount *recount, size_t column)
{
    return recount->policy->attribute[recount->column[column].attribute].name;
}

static size_t field_find(const struct csv_record *header, const char *name)
{
    size_t i = 0;

    while (i < header->count &&
           !bytes_equal_string(header->field[i].value, name))
        i++;
    return i;
}

/* Add a column to those that are counted. */
static enum status column_add(struct recount *recount, size_t attribute,
                              size_t field, struct error *err)
{
    const struct policy *policy = recount->policy;
    struct column *column = &recount->column[recount->column_count];
    uint32_t star;
    enum status status;

    assert(recount->column_count < RECHECK_COLUMNS_MAX);
    column->attribute = attribute;
    column->field = field;
    recount->column_count++;
    status = recheck_texts_init(&column->texts, err);
    if (status == OK &&
        policy->attribute[attribute].role == ROLE_QUASI_IDENTIFYING) {
        status = recheck_texts_code(
            &column->texts, bytes_of_string(HIERARCHY_STAR), &star, err);
        assert(status != OK || star == CODE_STAR);
    }
    if (status != OK)
        return status;
    return recheck_texts_join(&column->texts, policy->missing,
                              policy->missing_count, err);
}

/* Add all attributes of a role; each must be a column of the table. */
static enum status columns_add(struct recount *recount, enum role role,
                               const struct csv_record *header,
                               struct error *err)
{
    const struct policy *policy = recount->policy;

    for (size_t i = 0; i < policy->attribute_count; i++) {
        size_t field = field_find(header, policy->attribute[i].name);
        enum status status;

        if (policy->attribute[i].role != role)
            continue;
        if (field == header->count)
            return error_set(err, E_INPUT,
                             "%s: line 1: there is no column %s, which the "
                             "policy names",
                             recount->name,
                             json_quote(policy->attribute[i].name).text);
        if (role == ROLE_INSENSITIVE)
            continue;
        status = column_add(recount, i, field, err);
        if (status != OK)
            return status;
    }
    return OK;
}

/* A table whose first line holds data has names that are values of a record,
 * which no error may repeat. */
static enum status header_check(const struct recount *recount,
                                const struct csv_record *header,
                                struct error *err)
{
    const struct policy *policy = recount->policy;

    for (size_t i = 0; i < policy->attribute_count; i++)
        if (field_find(header, policy->attribute[i].name) < header->count)
            return OK;
    return error_set(err, E_INPUT,
                     "%s: line 1: not one column that the policy names, "
                     "expected a line with their names",
                     recount->name);
}

static enum status unremoved_add(struct recheck_result *result,
                                 struct bytes name, struct error *err)
{
    char *copy = strndup((const char *)name.data, name.size);

    if (copy == NULL)
        return error_memory(err, "the names of columns");
    result->unremoved[result->unremoved_count++] = copy;
    return OK;
}

/* Columns that the policy removes, and those that it does not know. */
static enum status other_columns_check(const struct recount *recount,
                                       struct recheck_result *result,
                                       const struct csv_record *header,
                                       struct error *err)
{
    const struct policy *policy = recount->policy;

    result->unremoved = calloc(header->count, sizeof *result->unremoved);
    if (result->unremoved == NULL)
        return error_memory(err, "the names of columns");
    for (size_t i = 0; i < header->count; i++) {
        struct bytes name = header->field[i].value;
        const struct policy_attribute *attribute = policy_find(policy, name);
        char words[CSV_COLUMN_WORDS_SIZE];
        enum status status = OK;

        if (attribute == NULL && !policy->unlisted_remove)
            return error_set(err, E_INPUT,
                             "%s: line 1: the policy does not name %s",
                             recount->name, csv_column_words(header, i, words));
        if (attribute == NULL || attribute->role == ROLE_SUBJECT ||
            attribute->role == ROLE_IDENTIFYING)
            status = unremoved_add(result, name, err);
        if (status != OK)
            return status;
    }
    return OK;
}

static enum status columns_bind(struct recount *recount,
                                struct recheck_result *result,
                                const struct csv_record *header,
                                struct error *err)
{
    enum status status = header_check(recount, header, err);

    if (status == OK)
        status = other_columns_check(recount, result, header, err);
    if (status == OK)
        status = columns_add(recount, ROLE_QUASI_IDENTIFYING, header, err);
    recount->quasi_count = recount->column_count;
    if (status == OK)
        status = columns_add(recount, ROLE_SENSITIVE, header, err);
    if (status == OK)
        status = columns_add(recount, ROLE_INSENSITIVE, header, err);
    return status;
}

/* ---- rows ---- */

static enum status cancel_check(atomic_bool *cancel, struct error *err)
{
    if (cancel != NULL && atomic_load_explicit(cancel, memory_order_relaxed))
        return error_set(err, E_CANCELLED, "interrupted");
    return OK;
}

static enum status row_add(struct recount *recount,
                           const struct csv_record *record, struct error *err)
{
    uint32_t codes[RECHECK_COLUMNS_MAX];
    enum status status = OK;

    for (size_t i = 0; status == OK && i < recount->column_count; i++) {
        struct column *column = &recount->column[i];

        status = recheck_texts_code(
            &column->texts, record->field[column->field].value, &codes[i], err);
    }
    if (status == OK)
        status = recheck_tally_add(&recount->tally, codes, err);
    if (status != OK)
        return error_wrap(err, "%s: line %" PRIu64, recount->name,
                          record->line);
    return OK;
}

static enum status rows_read(struct recount *recount, struct csv_reader *reader,
                             atomic_bool *cancel, struct error *err)
{
    const struct csv_record *record;
    enum status status;

    for (;;) {
        status = csv_next(reader, &record, err);
        if (status == OK)
            status = cancel_check(cancel, err);
        if (status != OK || record == NULL)
            break;
        status = row_add(recount, record, err);
        if (status != OK)
            break;
    }
    if (status != OK)
        return status;
    /* A release may have dropped all rows; the claim says how many. */
    if (recount->tally.rows == 0 && recount->claim == NULL)
        return error_set(err, E_INPUT, "%s: no rows behind the header",
                         recount->name);
    return recheck_tally_finish(&recount->tally, err);
}

static enum status table_read(struct recount *recount,
                              struct recheck_result *result, int fd,
                              atomic_bool *cancel, struct error *err)
{
    struct csv_reader *reader = NULL;
    struct csv_options options = {.delimiter = recount->policy->delimiter};
    enum status status;

    if (recount->claim != NULL && recount->claim->delimiter != 0)
        options.delimiter = recount->claim->delimiter;
    status = csv_open(&reader, fd, recount->name, options, err);
    if (status == OK)
        status = columns_bind(recount, result, csv_header(reader), err);
    if (status == OK)
        status = recheck_tally_init(&recount->tally, recount->column_count,
                                    recount->quasi_count, err);
    if (status == OK)
        status = rows_read(recount, reader, cancel, err);
    csv_close(&reader);
    return status;
}

/* ---- labels under a claim ---- */

static void labels_mark(struct column *column,
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
    struct column *column = &recount->column[index];
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

static enum status claim_prepare(struct recount *recount, struct error *err)
{
    enum status status = OK;

    if (recount->claim == NULL)
        return OK;
    for (size_t i = 0; status == OK && i < recount->quasi_count; i++)
        status = labels_find(recount, i, err);
    return status;
}

/* ---- the whole table, for models that compare with it ---- */

/* A model by a hierarchy of which there is but the digest. */
static bool lacks_hierarchy(const struct policy *policy,
                            const struct privacy_criterion *criterion)
{
    const struct policy_attribute *attribute;

    if (criterion->model != MODEL_T_CLOSENESS_ORDERED &&
        criterion->model != MODEL_T_CLOSENESS_HIERARCHICAL)
        return false;
    attribute = &policy->attribute[criterion->attribute];
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
    struct column *column = &recount->column[index];

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
                     recount->name, column_name(recount, index));
}

/* Values that occur in dropped rows alone have no code yet. */
static enum status values_code(struct column *column,
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
    struct column *column = &recount->column[index];
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
    struct column *column = &recount->column[index];
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

/* Codes that occur in their order; each must have a place. */
static enum status codes_order(struct recount *recount, size_t index,
                               struct ordering *ordering, struct error *err)
{
    struct recheck_whole *whole = &recount->column[index].whole;

    for (size_t i = 0; i < whole->distinct; i++)
        if (!value_is_ordered(&ordering->order,
                              ordering->text[whole->order[i]]))
            return error_set(err, E_INPUT,
                             "%s: column %s: a value has no place in the order "
                             "of its type, which t-closeness-ordered needs",
                             recount->name, column_name(recount, index));
    qsort_r(whole->order, whole->distinct, sizeof *whole->order, compare_codes,
            ordering);
    return OK;
}

/* Codes that occur by their rows in the hierarchy; each must have one. */
static enum status codes_place(struct recount *recount, size_t index,
                               const struct ordering *ordering,
                               struct error *err)
{
    struct column *column = &recount->column[index];
    struct recheck_whole *whole = &column->whole;

    whole->hierarchy = ordering->order.attribute->hierarchy;
    whole->row =
        calloc((size_t)column->texts.code_count + 1, sizeof *whole->row);
    whole->flow = recheck_flow_create(hierarchy_rows(whole->hierarchy));
    if (whole->row == NULL || whole->flow == NULL)
        return error_memory(err, "the hierarchy of a column");
    for (size_t i = 0; i < whole->distinct; i++) {
        uint32_t code = whole->order[i];

        whole->row[code] = value_row(&ordering->order, ordering->text[code]);
        if (whole->row[code] == HIERARCHY_NONE)
            return error_set(err, E_INPUT,
                             "%s: column %s: a value has no row in its "
                             "hierarchy, which t-closeness-hierarchical needs",
                             recount->name, column_name(recount, index));
    }
    return OK;
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

/* What models need to know of values but how many there are. */
static enum status whole_arrange(struct recount *recount, size_t index,
                                 struct error *err)
{
    const struct policy *policy = recount->policy;
    struct column *column = &recount->column[index];
    struct recheck_whole *whole = &column->whole;
    size_t codes = column->texts.code_count;
    struct ordering ordering = {{policy, &policy->attribute[column->attribute]},
                                calloc(codes + 1, sizeof *ordering.text)};
    enum status status = OK;

    whole->order = calloc(codes + 1, sizeof *whole->order);
    whole->scratch = calloc(codes + 1, sizeof *whole->scratch);
    if (ordering.text == NULL || whole->order == NULL ||
        whole->scratch == NULL) {
        free(ordering.text);
        return error_memory(err, "the values of a column");
    }
    recheck_texts_list(&column->texts, ordering.text);
    for (uint32_t code = 0; code < codes; code++)
        if (whole->number[code] > 0)
            whole->order[whole->distinct++] = code;
    if (is_judged_by(recount, column->attribute, MODEL_T_CLOSENESS_ORDERED))
        status = codes_order(recount, index, &ordering, err);
    if (status == OK && is_judged_by(recount, column->attribute,
                                     MODEL_T_CLOSENESS_HIERARCHICAL))
        status = codes_place(recount, index, &ordering, err);
    free(ordering.text);
    return status;
}

/* Rows that were dropped are unknown to who has but the file. */
static bool whole_is_known(const struct recount *recount)
{
    return recount->claim != NULL || !recount->policy->drop_suppressed ||
           recount->policy->suppression_limit == 0;
}

static enum status wholes_find(struct recount *recount, struct error *err)
{
    enum status status = OK;

    if (!whole_is_known(recount))
        return OK;
    for (size_t i = recount->quasi_count;
         status == OK && i < recount->column_count; i++)
        if (is_compared(recount->policy, recount->column[i].attribute)) {
            status = whole_find(recount, i, err);
            if (status == OK)
                status = whole_arrange(recount, i, err);
        }
    return status;
}

/* ---- classes ---- */

/* Rows first..end-1 of the sorted tuples. */
struct class {
    size_t first;
    size_t end;
    uint64_t rows;
};

static struct class class_at(const struct recheck_tally *tally, size_t first)
{
    struct class class = {first, first, 0};

    while (class.end < recheck_tally_size(tally) &&
           recheck_tally_same(tally, first, class.end))
        class.rows += recheck_tally_count(tally, class.end++);
    return class;
}

static bool class_is_suppressed(const struct recount *recount,
                                const struct class *class)
{
    for (size_t i = 0; i < recount->quasi_count; i++)
        if (recheck_tally_code(&recount->tally, class->first, i) != CODE_STAR)
            return false;
    return recount->quasi_count > 0;
}

static void class_include(struct class_figures *figures,
                          const struct class *class)
{
    if (figures->count == 0 || class->rows < figures->min)
        figures->min = class->rows;
    if (class->rows > figures->max)
        figures->max = class->rows;
    figures->count++;
    figures->uniques += class->rows == 1;
}

static void class_labels_check(struct recount *recount,
                               const struct class *class)
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

/* The counts of one sensitive attribute in one class, descending, and in
 * *part by their codes. */
static struct recheck_histogram histogram_of(struct recount *recount,
                                             size_t column,
                                             const struct class *class,
                                             struct recheck_part *part)
{
    size_t distinct = 0;

    for (size_t i = class->first; i < class->end; i++) {
        uint32_t code = recheck_tally_code(&recount->tally, i, column);

        if (recount->code_rows[code] == 0)
            recount->code[distinct++] = code;
        recount->code_rows[code] += recheck_tally_count(&recount->tally, i);
    }
    /* Ascending order of the complements is descending order of the counts. */
    for (size_t i = 0; i < distinct; i++) {
        recount->number[i] = recount->code_rows[recount->code[i]];
        recount->count[i] = ~recount->number[i];
        recount->code_rows[recount->code[i]] = 0;
    }
    recheck_sort(recount->count, recount->spare, distinct, 1);
    for (size_t i = 0; i < distinct; i++)
        recount->count[i] = ~recount->count[i];
    *part = (struct recheck_part){class->rows, distinct, recount->code,
                                  recount->number};
    return (struct recheck_histogram){recount->count, distinct, class->rows};
}

/* Note how one class stands to one model. */
static void criterion_include(struct criterion_figures *figures,
                              enum privacy_model model, bool holds,
                              double value)
{
    bool larger_is_worse =
        model == MODEL_RECURSIVE_CL_DIVERSITY || privacy_model_compares(model);

    if (isnan(figures->value) ||
        (larger_is_worse ? value > figures->value : value < figures->value))
        figures->value = value;
    figures->violating += !holds;
}

static void class_judge_size(const struct policy *policy,
                             struct recheck_result *result,
                             const struct class *class)
{
    for (size_t i = 0; i < policy->criterion_count; i++) {
        const struct privacy_criterion *criterion = &policy->criterion[i];

        if (criterion->model == MODEL_K_ANONYMITY)
            criterion_include(&result->criterion[i], criterion->model,
                              class->rows >= criterion->k, (double)class->rows);
    }
}

static void class_judge_values(const struct policy *policy,
                               struct recheck_result *result,
                               const struct column *column,
                               const struct recheck_histogram *histogram,
                               const struct recheck_part *part)
{
    for (size_t i = 0; i < policy->criterion_count; i++) {
        const struct privacy_criterion *criterion = &policy->criterion[i];
        double value;
        bool holds;

        if (criterion->model == MODEL_K_ANONYMITY ||
            criterion->attribute != column->attribute ||
            !result->criterion[i].judged)
            continue;
        holds = privacy_model_compares(criterion->model)
                    ? recheck_distance_holds(criterion, &column->whole, part,
                                             &value)
                    : recheck_diversity_holds(criterion, histogram, &value);
        criterion_include(&result->criterion[i], criterion->model, holds,
                          value);
    }
}

static void class_judge(struct recount *recount, struct recheck_result *result,
                        const struct class *class)
{
    class_include(&result->classes, class);
    class_judge_size(recount->policy, result, class);
    for (size_t i = recount->quasi_count; i < recount->column_count; i++) {
        struct recheck_part part;
        struct recheck_histogram histogram =
            histogram_of(recount, i, class, &part);
        struct diversity_figures *figures =
            &result->diversity[i - recount->quasi_count];

        recheck_diversity_include(figures, &histogram);
        class_judge_values(recount->policy, result, &recount->column[i],
                           &histogram, &part);
    }
    if (recount->claim != NULL)
        class_labels_check(recount, class);
}

static enum status classes_judge(struct recount *recount,
                                 struct recheck_result *result,
                                 atomic_bool *cancel, struct error *err)
{
    struct class_figures *classes = &result->classes;
    size_t size = recheck_tally_size(&recount->tally);
    struct class class;

    classes->rows = recount->tally.rows;
    for (size_t i = 0; i < size; i = class.end) {
        enum status status = cancel_check(cancel, err);

        if (status != OK)
            return status;
        class = class_at(&recount->tally, i);
        if (class_is_suppressed(recount, &class))
            classes->suppressed += class.rows;
        else
            class_judge(recount, result, &class);
    }
    return OK;
}

/* ---- the result ---- */

static enum status scratch_create(struct recount *recount, struct error *err)
{
    size_t codes = 1;

    for (size_t i = recount->quasi_count; i < recount->column_count; i++)
        if (recount->column[i].texts.code_count > codes)
            codes = recount->column[i].texts.code_count;
    recount->code_rows = calloc(codes, sizeof *recount->code_rows);
    recount->code = calloc(codes, sizeof *recount->code);
    recount->number = calloc(codes, sizeof *recount->number);
    recount->count = calloc(codes, sizeof *recount->count);
    recount->spare = calloc(codes, sizeof *recount->spare);
    if (recount->code_rows == NULL || recount->code == NULL ||
        recount->number == NULL || recount->count == NULL ||
        recount->spare == NULL)
        return error_memory(err, "the counts of a class");
    return OK;
}

/* Room for the figures; calloc(0) may be NULL, so there is always one. */
static enum status figures_create(const struct recount *recount,
                                  struct recheck_result *result,
                                  struct error *err)
{
    size_t sensitive = recount->column_count - recount->quasi_count;
    size_t criteria = recount->policy->criterion_count;

    result->diversity = calloc(sensitive + 1, sizeof *result->diversity);
    result->criterion = calloc(criteria + 1, sizeof *result->criterion);
    if (result->diversity == NULL || result->criterion == NULL)
        return error_memory(err, "the figures of a table");
    result->criterion_count = criteria;
    for (size_t i = 0; i < criteria; i++) {
        const struct privacy_criterion *criterion =
            &recount->policy->criterion[i];

        result->criterion[i].value = NAN;
        result->criterion[i].judged =
            !privacy_model_compares(criterion->model) ||
            (whole_is_known(recount) &&
             !lacks_hierarchy(recount->policy, criterion));
    }
    for (size_t i = 0; i < sensitive; i++) {
        const struct column *column =
            &recount->column[recount->quasi_count + i];
        struct diversity_figures *figures = &result->diversity[i];

        figures->attribute = column->attribute;
        figures->recursive_c = calloc((size_t)column->texts.code_count + 1,
                                      sizeof *figures->recursive_c);
        if (figures->recursive_c == NULL)
            return error_memory(err, "the figures of a table");
        result->diversity_count++;
    }
    return OK;
}

/* The policy's limit for a table of so many rows: multiplied as double, then
 * cut off, as the search does it. */
static uint64_t suppression_limit(const struct policy *policy, uint64_t rows)
{
    return (uint64_t)floor(policy->suppression_limit * (double)rows);
}

static void figures_finish(const struct policy *policy,
                           struct recheck_result *result)
{
    struct class_figures *classes = &result->classes;

    if (classes->count > 0) {
        double released = (double)(classes->rows - classes->suppressed);

        classes->average = released / (double)classes->count;
        classes->risk_highest = 1.0 / (double)classes->min;
        classes->risk_average = (double)classes->count / released;
    }
    result->suppressed_max = suppression_limit(policy, classes->rows);
    result->satisfied = classes->suppressed <= result->suppressed_max &&
                        result->unremoved_count == 0;
    for (size_t i = 0; i < result->criterion_count; i++) {
        struct criterion_figures *figures = &result->criterion[i];

        figures->satisfied = figures->judged && figures->violating == 0;
        if (isinf(figures->value))
            figures->value = NAN;
        result->satisfied = result->satisfied && figures->satisfied;
    }
}

static void recount_destroy(struct recount **recount)
{
    struct recount *old = *recount;

    *recount = NULL;
    if (old == NULL)
        return;
    for (size_t i = 0; i < old->column_count; i++) {
        recheck_texts_clear(&old->column[i].texts);
        free(old->column[i].is_label);
        free(old->column[i].whole.number);
        free(old->column[i].whole.order);
        free(old->column[i].whole.row);
        free(old->column[i].whole.flow);
        free(old->column[i].whole.scratch);
    }
    recheck_tally_clear(&old->tally);
    free(old->code_rows);
    free(old->code);
    free(old->number);
    free(old->count);
    free(old->spare);
    free(old);
}

void recheck_destroy(struct recheck_result **result)
{
    struct recheck_result *old = *result;

    *result = NULL;
    if (old == NULL)
        return;
    for (size_t i = 0; i < old->diversity_count; i++)
        free(old->diversity[i].recursive_c);
    for (size_t i = 0; i < old->unremoved_count; i++)
        free(old->unremoved[i]);
    free(old->diversity);
    free(old->criterion);
    free(old->unremoved);
    free(old);
}

/* Count the table into *result.  Takes nothing: the caller destroys both. */
static enum status recount_run(struct recount *recount,
                               struct recheck_result *result, int fd,
                               atomic_bool *cancel, struct error *err)
{
    enum status status = table_read(recount, result, fd, cancel, err);

    if (status == OK)
        status = claim_prepare(recount, err);
    if (status == OK)
        status = wholes_find(recount, err);
    if (status == OK)
        status = scratch_create(recount, err);
    if (status == OK)
        status = figures_create(recount, result, err);
    if (status == OK)
        status = classes_judge(recount, result, cancel, err);
    if (status == OK)
        figures_finish(recount->policy, result);
    return status;
}

/* ---- the claim ---- */

static enum status claim_check_rows(const struct recount *recount,
                                    const struct class_figures *classes,
                                    struct error *err)
{
    const struct recheck_claim *claim = recount->claim;
    bool drop = recount->policy->drop_suppressed;
    uint64_t dropped = drop ? claim->suppressed : 0;
    uint64_t limit = suppression_limit(recount->policy, claim->rows);

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
        return error_set(
            err, E_SYSTEM, "%s: recheck: %" PRIu64 " classes break %s%s%s",
            recount->name, result->criterion[i].violating,
            privacy_model_name(criterion->model), has_attribute ? " of " : "",
            has_attribute ? policy->attribute[criterion->attribute].name : "");
    }
    return OK;
}

static enum status claim_check(const struct recount *recount,
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
        return error_set(err, E_SYSTEM,
                         "%s: recheck: %" PRIu64
                         " rows have a cell that is no label of "
                         "its level, one of them in column %s",
                         recount->name, recount->mislabelled,
                         column_name(recount, recount->mislabelled_column));
    return claim_check_models(recount, result, err);
}

static enum status recheck(struct recheck_result **result,
                           const struct policy *policy, int fd,
                           const char *name, const struct recheck_claim *claim,
                           atomic_bool *cancel, struct error *err)
{
    struct recount *recount = calloc(1, sizeof *recount);
    struct recheck_result *fresh = calloc(1, sizeof *fresh);
    enum status status;

    if (recount == NULL || fresh == NULL) {
        status = error_memory(err, "a recheck");
        goto done;
    }
    recount->policy = policy;
    recount->name = name;
    recount->claim = claim;
    status = recount_run(recount, fresh, fd, cancel, err);
    if (status == OK && claim != NULL)
        status = claim_check(recount, fresh, err);
    if (status == OK) {
        *result = fresh;
        fresh = NULL;
    }
done:
    recount_destroy(&recount);
    recheck_destroy(&fresh);
    return status;
}

enum status recheck_table(struct recheck_result **result,
                          const struct policy *policy, int fd, const char *name,
                          atomic_bool *cancel, struct error *err)
{
    return recheck(result, policy, fd, name, NULL, cancel, err);
}

enum status recheck_release(struct recheck_result **result,
                            const struct policy *policy, int fd,
                            const char *name, const struct recheck_claim *claim,
                            atomic_bool *cancel, struct error *err)
{
    assert(claim != NULL && !policy->without_hierarchies);
    return recheck(result, policy, fd, name, claim, cancel, err);
}
