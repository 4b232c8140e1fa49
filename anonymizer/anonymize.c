#include "anonymizer/anonymize.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "anonymizer/criterion.h"
#include "anonymizer/evaluator.h"
#include "anonymizer/lattice.h"
#include "anonymizer/metric.h"
#include "anonymizer/release.h"
#include "anonymizer/search.h"
#include "anonymizer/shuffle.h"
#include "anonymizer/table.h"
#include "anonymizer/table_hierarchy.h"
#include "common/limits.h"

static const struct states_row stage_rows[] = {ANONYMIZE_STAGES(STATES_ROW)};
static const struct states_table stages =
    STATES_TABLE("anonymization", stage_rows);

/* Where the table comes from: a file, or where `stream` is not NULL, that. */
struct input {
    int fd;
    const struct csv_stream *stream;
    const char *name;
};

/* Where the release goes.  In random order, with a seed: then `scratch` takes
 * it first. */
struct output {
    int fd;
    const char *name;
    const struct shuffle_seed *seed;
    int scratch;
};

/* One run, from table to table. */
struct run {
    struct states stage;
    const struct policy *policy; /* from the table on: `complete` */
    struct policy complete;
    const struct anonymize_options *options;
    struct input input;
    struct output output;
    struct table *table;
    struct lattice *lattice;
    struct criteria *criteria;
    struct metric *metric;
    struct problem problem;
    struct search_result found;
    bool *suppressed; /* [tuple] */
};

const char *anonymize_stage_name(enum anonymize_stage stage)
{
    return stage_rows[stage].name;
}

static void report_stage(const struct run *run)
{
    if (run->options->on_stage != NULL)
        run->options->on_stage((enum anonymize_stage)run->stage.now,
                               run->options->context);
}

static void enter(struct run *run, enum anonymize_stage stage)
{
    states_move(&run->stage, stage);
    report_stage(run);
}

/* ---- figures ---- */

static void count_class(struct class_figures *figures, uint64_t size)
{
    /* Of the population alone. */
    if (size == 0)
        return;
    figures->count++;
    figures->uniques += size == 1;
    if (figures->count == 1 || size < figures->min)
        figures->min = size;
    if (size > figures->max)
        figures->max = size;
}

static void finish_figures(struct class_figures *figures)
{
    double released = (double)(figures->rows - figures->suppressed);

    if (figures->count == 0)
        return;
    figures->average = released / (double)figures->count;
    figures->risk_highest = 1 / (double)figures->min;
    figures->risk_average = (double)figures->count / released;
}

/* Classes of the input: its distinct tuples, less those that say nothing. */
static void figures_before(const struct run *run, struct class_figures *figures)
{
    static const uint8_t bottom[QUASI_IDENTIFIERS_MAX];
    const struct table *table = run->table;

    *figures = (struct class_figures){.rows = table->rows};
    for (uint32_t t = 0; t < table->tuple_count; t++)
        if (lattice_all_star(run->lattice, bottom,
                             run->lattice->key + t * run->lattice->words))
            figures->suppressed += table->tuple_rows[t];
        else
            count_class(figures, table->tuple_rows[t]);
    finish_figures(figures);
}

/* Of the output, in which dropped rows are not. */
static void figures_after(const struct run *run, const struct classes *classes,
                          const bool *lost, struct class_figures *figures)
{
    uint64_t suppressed = run->found.verdict.suppressed;

    *figures = (struct class_figures){.rows = run->table->rows,
                                      .suppressed = suppressed};
    if (run->policy->drop_suppressed) {
        figures->rows -= suppressed;
        figures->suppressed = 0;
    }
    for (uint32_t c = 0; c < classes->count; c++)
        if (!lost[c])
            count_class(figures, classes->size[c]);
    finish_figures(figures);
}

/* ---- stages ---- */

static enum status search(struct run *run, struct error *err)
{
    const struct anonymize_options *options = run->options;
    const struct search_limit limit = {.seconds = run->policy->search_seconds,
                                       .seed = options->seed,
                                       .elapsed = options->elapsed,
                                       .context = options->context};
    const struct search_options with = {
        .threads = options->threads,
        .cancel = options->cancel,
        .limit = run->policy->strategy == SEARCH_TIME_LIMITED ? &limit : NULL,
        .on_progress = options->on_progress,
        .context = options->context};

    return search_with(&run->found, &run->problem, &with, err);
}

static enum status search_stage(struct run *run,
                                struct anonymize_result *result,
                                struct error *err)
{
    const struct policy *policy = run->policy;
    struct problem *problem = &run->problem;
    struct evaluator *evaluator = NULL;
    const struct classes *classes;
    const bool *lost;
    enum status status;

    enter(run, STAGE_SEARCH);
    status = lattice_create(&run->lattice, policy, run->table, err);
    if (status == OK)
        status = criteria_create(&run->criteria, policy, run->table, err);
    if (status == OK)
        status = metric_create(&run->metric, policy, run->table, run->lattice,
                               run->criteria->class_size_min, err);
    if (status == OK)
        status =
            classes_bottom(&problem->bottom, run->table, run->lattice, err);
    if (status != OK)
        return status;
    problem->table = run->table;
    problem->lattice = run->lattice;
    problem->criteria = run->criteria;
    problem->metric = run->metric;
    problem->suppressed_max =
        (uint64_t)floor(policy->suppression_limit * (double)run->table->rows);
    status = search(run, err);
    if (status != OK)
        return status;
    figures_before(run, &result->before);
    run->suppressed = calloc(run->table->tuple_count, sizeof *run->suppressed);
    if (run->suppressed == NULL)
        return error_memory(err, "the rows to suppress");
    status = evaluator_create(&evaluator, problem, err);
    if (status != OK)
        return status;
    evaluator_expand(evaluator, run->found.level, &run->found.verdict,
                     run->suppressed, &classes, &lost);
    figures_after(run, classes, lost, &result->after);
    evaluator_destroy(&evaluator);
    return OK;
}

/* What the search found, in the policy's terms. */
static enum status report(const struct run *run,
                          struct anonymize_result *result, struct error *err)
{
    const struct policy *policy = run->policy;
    const struct search_result *found = &run->found;

    result->level = calloc(policy->attribute_count, sizeof *result->level);
    result->attribute_score =
        calloc(policy->attribute_count, sizeof *result->attribute_score);
    result->score = calloc(run->metric->score_count, sizeof *result->score);
    result->bound = calloc(run->metric->score_count, sizeof *result->bound);
    if (result->level == NULL || result->attribute_score == NULL ||
        result->score == NULL || result->bound == NULL)
        return error_memory(err, "the result");
    for (size_t q = 0; q < run->table->quasi_count; q++) {
        size_t attribute = run->table->quasi[q].attribute;

        result->level[attribute] = found->level[q];
        result->attribute_score[attribute] = found->verdict.attribute_score[q];
    }
    result->score_count = run->metric->score_count;
    memcpy(result->score, found->verdict.score,
           result->score_count * sizeof *result->score);
    memcpy(result->bound, found->bound,
           result->score_count * sizeof *result->bound);
    /* A score that meets the bound is the best, however it was found. */
    result->optimal =
        found->end == SEARCH_FINISHED ||
        metric_compare(run->metric, found->bound, found->verdict.score) == 0;
    result->timed_out = found->end == SEARCH_TIME_OVER;
    result->rows = run->table->rows;
    result->suppressed = found->verdict.suppressed;
    result->checked = found->judged;
    result->lattice_size = run->lattice->size;
    result->kept_sensitive = false;
    for (size_t a = 0; a < policy->attribute_count; a++)
        if (policy->attribute[a].role == ROLE_SENSITIVE &&
            !policy->drop_suppressed && result->suppressed > 0)
            result->kept_sensitive = true;
    return OK;
}

/* How often each value stands in the input: a dropped row cannot be counted in
 * the file. */
static enum status values_claim(const struct sensitive_attribute *sensitive,
                                uint32_t tuple_count,
                                struct recheck_values *values,
                                struct error *err)
{
    const struct histograms *histograms = &sensitive->histograms;
    struct recheck_value *value =
        calloc((size_t)sensitive->value_count + 1, sizeof *value);

    if (value == NULL)
        return error_memory(err, "the values of a sensitive attribute");
    for (uint32_t v = 0; v < sensitive->value_count; v++)
        value[v].text = dictionary_text(&sensitive->dictionary, v);
    for (uint64_t i = 0; i < histograms->begin[tuple_count]; i++)
        value[histograms->value[i]].rows += histograms->number[i];
    *values = (struct recheck_values){.attribute = sensitive->attribute,
                                      .value = value,
                                      .count = sensitive->value_count};
    return OK;
}

/* The finished file is read again by code that has no part in the above. */
static enum status recheck_stage(struct run *run,
                                 struct anonymize_result *result,
                                 struct error *err)
{
    const struct output *output = &run->output;
    struct recheck_claim claim = {.rows = result->rows,
                                  .suppressed = result->suppressed,
                                  .level = result->level,
                                  .delimiter = run->table->delimiter};
    const struct recheck_population population = {run->input.fd,
                                                  run->input.name};
    struct recheck_values values[SENSITIVE_MAX] = {0};
    struct recheck_result *rechecked = NULL;
    enum status status = OK;

    enter(run, STAGE_RECHECK);
    claim.values = values;
    claim.population = &population;
    for (size_t s = 0; status == OK && s < run->table->sensitive_count; s++)
        status =
            values_claim(&run->table->sensitive[s], run->table->tuple_count,
                         &values[claim.values_count++], err);
    if (status == OK && lseek(output->fd, 0, SEEK_SET) != 0)
        status = error_set(err, E_IO, "%s: cannot be read back", output->name);
    if (status == OK)
        status =
            recheck_release(&rechecked, run->policy, output->fd, output->name,
                            &claim, run->options->cancel, err);
    if (status == OK) {
        result->after = rechecked->classes;
        result->rechecked = true;
    }
    recheck_destroy(&rechecked);
    for (size_t s = 0; s < claim.values_count; s++)
        free((void *)values[s].value);
    return status;
}

/* Two passes must see the same file. */
static enum status unchanged(const struct input *input,
                             const struct stat *before, struct error *err)
{
    struct stat now;

    if (fstat(input->fd, &now) != 0)
        return error_set(err, E_IO, "%s: cannot be looked at", input->name);
    if (now.st_size != before->st_size ||
        now.st_mtim.tv_sec != before->st_mtim.tv_sec ||
        now.st_mtim.tv_nsec != before->st_mtim.tv_nsec)
        return error_set(err, E_INPUT, "%s: changed while it was being read",
                         input->name);
    return OK;
}

static enum status read_table(struct run *run, struct error *err)
{
    const struct input *input = &run->input;

    if (input->stream != NULL)
        return table_read_stream(&run->table, run->policy, input->stream,
                                 input->name, run->options->cancel, err);
    return table_read(&run->table, run->policy, input->fd, input->name,
                      run->options->threads, run->options->cancel, err);
}

/* From here on hierarchies that were built are like those from files. */
static enum status complete_policy(struct run *run, struct error *err)
{
    enum status status =
        table_complete_policy(run->table, run->policy, &run->complete, err);

    if (status == OK)
        run->policy = &run->complete;
    return status;
}

static enum status write_table(const struct run *run, int to,
                               struct digest *digest, struct error *err)
{
    const struct input *input = &run->input;
    const struct release_plan plan = {.policy = run->policy,
                                      .table = run->table,
                                      .lattice = run->lattice,
                                      .level = run->found.level,
                                      .suppressed = run->suppressed,
                                      .threads = run->options->threads};

    if (input->stream != NULL)
        return release_write_stream(&plan, input->stream, input->name, to,
                                    run->output.name, run->options->cancel,
                                    digest, err);
    return release_write(&plan, input->fd, input->name, to, run->output.name,
                         run->options->cancel, digest, err);
}

static enum status write_stage(struct run *run, struct digest *digest,
                               struct error *err)
{
    const struct output *output = &run->output;
    const struct shuffle_input shuffled = {.fd = output->scratch,
                                           .name = output->name,
                                           .delimiter = run->table->delimiter,
                                           .held_max = SHUFFLE_HELD_MAX};
    enum status status;

    enter(run, STAGE_WRITE);
    if (output->seed == NULL)
        return write_table(run, output->fd, digest, err);
    status = write_table(run, output->scratch, digest, err);
    return status == OK
               ? shuffle_table(output->seed, &shuffled, output->fd,
                               output->name, run->options->cancel, digest, err)
               : status;
}

static enum status run_stages(struct run *run, struct anonymize_result *result,
                              struct error *err)
{
    bool is_file = run->input.stream == NULL;
    struct stat before;
    enum status status;

    states_init(&run->stage, &stages, STAGE_READ, NULL, NULL);
    report_stage(run);
    if (is_file && fstat(run->input.fd, &before) != 0)
        return error_set(err, E_IO, "%s: cannot be looked at", run->input.name);
    status = read_table(run, err);
    if (status == OK)
        status = complete_policy(run, err);
    if (status == OK)
        status = search_stage(run, result, err);
    if (status == OK)
        status = report(run, result, err);
    if (status == OK && !is_file && result->suppressed == result->rows)
        status = error_set(err, E_NO,
                           "%s: all %" PRIu64 " rows would be suppressed, and "
                           "nothing be left to release",
                           run->input.name, result->rows);
    if (status == OK)
        status = write_stage(run, &result->output_digest, err);
    if (status == OK && is_file)
        status = unchanged(&run->input, &before, err);
    if (status == OK && !run->options->no_recheck)
        status = recheck_stage(run, result, err);
    return status;
}

static enum status anonymize(struct anonymize_result **out, struct run *run,
                             struct error *err)
{
    struct anonymize_result *result = calloc(1, sizeof *result);
    enum status status;

    *out = NULL;
    if (result == NULL)
        return error_memory(err, "the result");
    status = run_stages(run, result, err);
    if (status != OK)
        enter(run, STAGE_FAILED);
    else
        enter(run, result->rechecked ? STAGE_RECHECKED : STAGE_WRITTEN);
    classes_clear(&run->problem.bottom);
    free(run->suppressed);
    metric_destroy(&run->metric);
    criteria_destroy(&run->criteria);
    lattice_destroy(&run->lattice);
    table_destroy(&run->table);
    free(run->complete.attribute);
    if (status != OK)
        anonymize_destroy(&result);
    *out = result;
    return status;
}

enum status anonymize_table(struct anonymize_result **result,
                            const struct policy *policy, int input,
                            const char *input_name, int output,
                            const char *output_name,
                            const struct anonymize_options *options,
                            struct error *err)
{
    struct run run = {.policy = policy,
                      .options = options,
                      .input = {.fd = input, .name = input_name},
                      .output = {.fd = output, .name = output_name}};

    return anonymize(result, &run, err);
}

enum status
anonymize_stream(struct anonymize_result **result, const struct policy *policy,
                 const struct csv_stream *input, const char *input_name,
                 int scratch, int output, const char *output_name,
                 const struct shuffle_seed *seed,
                 const struct anonymize_options *options, struct error *err)
{
    /* Its parts are borrowed: it is not closed. */
    struct policy dropping = *policy;
    struct run run = {.policy = &dropping,
                      .options = options,
                      .input = {.fd = -1, .stream = input, .name = input_name},
                      .output = {.fd = output,
                                 .name = output_name,
                                 .seed = seed,
                                 .scratch = scratch}};

    assert(seed != NULL && !options->no_recheck);
    dropping.drop_suppressed = true;
    return anonymize(result, &run, err);
}

void anonymize_destroy(struct anonymize_result **handle)
{
    struct anonymize_result *result = *handle;

    if (result == NULL)
        return;
    free(result->level);
    free(result->attribute_score);
    free(result->score);
    free(result->bound);
    free(result);
    *handle = NULL;
}
