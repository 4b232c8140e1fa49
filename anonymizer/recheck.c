#include "anonymizer/recheck.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "anonymizer/csv.h"
#include "anonymizer/hierarchy.h"
#include "anonymizer/recheck_diversity.h"
#include "anonymizer/recheck_internal.h"
#include "anonymizer/recheck_sort.h"
#include "common/json.h"

/* ---- columns ---- */

const char *recheck_column_name(const struct recount *recount, size_t column)
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
    struct recheck_column *column = &recount->column[recount->column_count];
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
        struct recheck_column *column = &recount->column[i];

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

/* ---- classes ---- */

struct recheck_class recheck_class_at(const struct recheck_tally *tally,
                                      size_t first)
{
    struct recheck_class class = {first, first, 0};

    while (class.end < recheck_tally_size(tally) &&
           recheck_tally_same(tally, first, class.end))
        class.rows += recheck_tally_count(tally, class.end++);
    return class;
}

bool recheck_class_is_suppressed(const struct recount *recount,
                                 const struct recheck_class *class)
{
    for (size_t i = 0; i < recount->quasi_count; i++)
        if (recheck_tally_code(&recount->tally, class->first, i) != CODE_STAR)
            return false;
    return recount->quasi_count > 0;
}

static void class_include(struct class_figures *figures,
                          const struct recheck_class *class)
{
    if (figures->count == 0 || class->rows < figures->min)
        figures->min = class->rows;
    if (class->rows > figures->max)
        figures->max = class->rows;
    figures->count++;
    figures->uniques += class->rows == 1;
}

/* The counts of one sensitive attribute in one class, descending, and in
 * *part by their codes. */
static struct recheck_histogram histogram_of(struct recount *recount,
                                             size_t column,
                                             const struct recheck_class *class,
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

/* Rows that a model asks of a class by its size alone; 0: none. */
static uint64_t rows_asked(const struct recount *recount,
                           const struct privacy_criterion *criterion)
{
    uint64_t rows =
        recount->claim != NULL ? recount->claim->rows : recount->tally.rows;

    if (criterion->model == MODEL_K_ANONYMITY)
        return criterion->k;
    if (criterion->model == MODEL_K_MAP && criterion->map != K_MAP_SUBSET &&
        recheck_rows_are_known(recount))
        return recheck_map_k(criterion, rows);
    return 0;
}

static void class_judge_size(const struct recount *recount,
                             struct recheck_result *result,
                             const struct recheck_class *class)
{
    for (size_t i = 0; i < result->criterion_count; i++)
        if (recount->asked[i] > 0)
            criterion_include(
                &result->criterion[i], recount->policy->criterion[i].model,
                class->rows >= recount->asked[i], (double)class->rows);
}

static void class_judge_values(const struct policy *policy,
                               struct recheck_result *result,
                               const struct recheck_column *column,
                               const struct recheck_histogram *histogram,
                               const struct recheck_part *part)
{
    for (size_t i = 0; i < policy->criterion_count; i++) {
        const struct privacy_criterion *criterion = &policy->criterion[i];
        double value;
        bool holds;

        if (criterion->attribute != column->attribute ||
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
                        const struct recheck_class *class)
{
    class_include(&result->classes, class);
    class_judge_size(recount, result, class);
    for (size_t i = recount->quasi_count; i < recount->column_count; i++) {
        struct recheck_part part;
        struct recheck_histogram histogram =
            histogram_of(recount, i, class, &part);
        struct diversity_figures *figures =
            &result->diversity[i - recount->quasi_count];

        recheck_diversity_include(figures, &histogram);
        if (result->distance != NULL && recount->column[i].whole.number != NULL)
            recheck_distance_include(
                &result->distance[i - recount->quasi_count],
                &recount->column[i].whole, &part);
        class_judge_values(recount->policy, result, &recount->column[i],
                           &histogram, &part);
    }
    if (recount->claim != NULL)
        recheck_claim_labels(recount, class);
}

static enum status classes_judge(struct recount *recount,
                                 struct recheck_result *result,
                                 atomic_bool *cancel, struct error *err)
{
    struct class_figures *classes = &result->classes;
    size_t size = recheck_tally_size(&recount->tally);
    struct recheck_class class;

    classes->rows = recount->tally.rows;
    for (size_t i = 0; i < size; i = class.end) {
        enum status status = cancel_check(cancel, err);

        if (status != OK)
            return status;
        class = recheck_class_at(&recount->tally, i);
        if (recheck_class_is_suppressed(recount, &class)) {
            classes->suppressed += class.rows;
            continue;
        }
        class_judge(recount, result, &class);
        if (recount->of_sample)
            status = recheck_sample_add(&recount->sample, class.rows, err);
        if (status != OK)
            return status;
    }
    return OK;
}

/* Models of all classes together, when all are known. */
static enum status sample_judge(struct recount *recount,
                                struct recheck_result *result,
                                struct error *err)
{
    const struct policy *policy = recount->policy;
    enum status status = OK;

    if (recount->of_sample)
        status = recheck_sample_sort(&recount->sample, err);
    for (size_t i = 0; status == OK && i < policy->criterion_count; i++) {
        struct criterion_figures *figures = &result->criterion[i];

        if (privacy_model_is_of_sample(policy->criterion[i].model))
            figures->violating = !recheck_sample_holds(
                &recount->sample, &policy->criterion[i], &figures->value);
    }
    return status;
}

/* Which models are there, and can the table be what they say it is?  Rows that
 * were dropped are in none of these figures. */
static enum status sample_prepare(struct recount *recount, struct error *err)
{
    const struct policy *policy = recount->policy;

    for (size_t i = 0; i < policy->criterion_count; i++) {
        const struct privacy_criterion *criterion = &policy->criterion[i];

        recount->of_sample |= privacy_model_is_of_sample(criterion->model);
        if (criterion->model == MODEL_POPULATION_UNIQUENESS &&
            (double)recount->tally.rows > criterion->population)
            return error_set(err, E_INPUT,
                             "%s: %" PRIu64 " rows, expected a sample of the "
                             "policy's population of %.0f",
                             recount->name, recount->tally.rows,
                             criterion->population);
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

/* Does the table, with what is claimed of it, say whether the model holds? */
static bool is_judged(const struct recount *recount,
                      const struct privacy_criterion *criterion)
{
    if (privacy_model_needs_population(criterion))
        return recount->claim != NULL;
    if (criterion->model == MODEL_K_MAP)
        return recheck_rows_are_known(recount);
    return !privacy_model_compares(criterion->model) ||
           recheck_whole_is_known(recount, criterion);
}

/* Room for the figures; calloc(0) may be NULL, so there is always one. */
static enum status figures_create(struct recount *recount,
                                  struct recheck_result *result,
                                  struct error *err)
{
    size_t sensitive = recount->column_count - recount->quasi_count;
    size_t criteria = recount->policy->criterion_count;

    result->diversity = calloc(sensitive + 1, sizeof *result->diversity);
    result->criterion = calloc(criteria + 1, sizeof *result->criterion);
    if (recount->claim == NULL)
        result->distance = calloc(sensitive + 1, sizeof *result->distance);
    if (result->diversity == NULL || result->criterion == NULL ||
        (recount->claim == NULL && result->distance == NULL))
        return error_memory(err, "the figures of a table");
    result->criterion_count = criteria;
    for (size_t i = 0; i < criteria; i++) {
        const struct privacy_criterion *criterion =
            &recount->policy->criterion[i];

        result->criterion[i].value = NAN;
        result->criterion[i].judged = is_judged(recount, criterion);
        recount->asked[i] = rows_asked(recount, criterion);
    }
    for (size_t i = 0; i < sensitive; i++) {
        const struct recheck_column *column =
            &recount->column[recount->quasi_count + i];
        struct diversity_figures *figures = &result->diversity[i];

        figures->attribute = column->attribute;
        if (result->distance != NULL)
            result->distance[i] =
                (struct distance_figures){NAN, NAN, NAN, NAN, NAN};
        figures->recursive_c = calloc((size_t)column->texts.code_count + 1,
                                      sizeof *figures->recursive_c);
        if (figures->recursive_c == NULL)
            return error_memory(err, "the figures of a table");
        result->diversity_count++;
    }
    return OK;
}

uint64_t recheck_suppression_limit(const struct policy *policy, uint64_t rows)
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
    result->suppressed_max = recheck_suppression_limit(policy, classes->rows);
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
        recheck_whole_clear(&old->column[i].whole);
    }
    recheck_tally_clear(&old->tally);
    recheck_sample_clear(&old->sample);
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
    free(old->distance);
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
        status = recheck_claim_prepare(recount, err);
    if (status == OK)
        status = recheck_whole_find(recount, err);
    if (status == OK)
        status = scratch_create(recount, err);
    if (status == OK)
        status = figures_create(recount, result, err);
    if (status == OK)
        status = sample_prepare(recount, err);
    if (status == OK)
        status = classes_judge(recount, result, cancel, err);
    if (status == OK)
        status = sample_judge(recount, result, err);
    if (status == OK)
        status = recheck_population(recount, result, cancel, err);
    if (status == OK)
        figures_finish(recount->policy, result);
    return status;
}

/* ---- from outside ---- */

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
        status = recheck_claim_check(recount, fresh, err);
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
