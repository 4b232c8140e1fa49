/*
 * cli/command_anonymize.c - `anchorite anonymize`: options in, a release and
 * its figures out.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "anonymizer/anonymize.h"
#include "anonymizer/policy.h"
#include "cli/command.h"
#include "cli/options.h"
#include "common/files.h"
#include "common/process.h"

/* Stages that take time. */
#define STAGES (STAGE_RECHECK + 1)

static const char help[] =
    "usage: anchorite anonymize --policy POLICY INPUT --output OUTPUT\n"
    "                           [--json] [--threads N] [--seed N] "
    "[--no-recheck]\n\n"
    "Generalizes the quasi-identifiers of the table INPUT, and suppresses "
    "rows, so\nthat the policy holds with the least loss; writes OUTPUT.  "
    "The result is the\nproven optimum of all full-domain transformations.  "
    "\"-\" is standard input or\noutput.\n\n"
    "  -p, --policy POLICY   what the release must satisfy (JSON)\n"
    "  -o, --output OUTPUT   where the release goes; it appears only when it\n"
    "                        is complete and checked\n"
    "  -j, --json            print one JSON object with all figures\n"
    "  -t, --threads N       threads (default: all cores)\n"
    "  -s, --seed N          what a time-limited search draws from (default: "
    "0)\n"
    "      --no-recheck      do not read the finished release again to prove "
    "the\n"
    "                        policy a second time with other code\n"
    "  -h, --help            this text\n\n"
    "Example:\n"
    "  anchorite anonymize -p policies/hospital-k5.json patients.csv "
    "-o release.csv\n\n"
    "Exit code 1: no transformation satisfies the policy; nothing is "
    "written.\n";

struct options {
    const char *policy;
    const char *input;
    const char *output;
    bool json;
    bool no_recheck;
    uint64_t threads;
    uint64_t seed;
};

/* Wall time of each stage. */
struct stopwatch {
    struct timespec begin[STAGES + 1];
    bool begun[STAGES + 1];
    bool terminal;
    struct timespec told; /* when progress was last shown */
};

/* ---- options ---- */

static const struct option_row rows[] = {
    {"policy", 'p', OPTION_AT(TEXT, struct options, policy)},
    {"output", 'o', OPTION_AT(TEXT, struct options, output)},
    {"json", 'j', OPTION_AT(FLAG, struct options, json)},
    {"threads", 't', OPTION_AT(NUMBER, struct options, threads), .min = 1,
     .max = THREADS_MAX, .words = " wants"},
    {"seed", 's', OPTION_AT(NUMBER, struct options, seed), .min = 0,
     .max = INT64_MAX, .words = " wants"},
    {"no-recheck", 0, OPTION_AT(FLAG, struct options, no_recheck)},
};

static const struct options_table known = {help, rows,
                                           sizeof rows / sizeof *rows};

/* False: *exit_code is to be returned, all has been said. */
static bool parse_options(int argc, char **argv, struct options *options,
                          int *exit_code)
{
    struct operands operands;

    *options = (struct options){.threads = process_cores(THREADS_MAX)};
    if (!options_parse(&known, argc, argv, options, &operands, exit_code))
        return false;
    options->input = operands.at[0];
    if (options->policy == NULL)
        command_misuse(argv[0], "--policy is missing");
    else if (options->output == NULL)
        command_misuse(argv[0], "--output is missing");
    else if (operands.count == 0)
        command_misuse(argv[0], "the input table is missing");
    else if (operands.count > 1)
        command_misuse(argv[0], "one input table, not %d", operands.count);
    else if (options->json && strcmp(options->output, "-") == 0)
        command_misuse(argv[0], "--json and --output - both want standard "
                                "output");
    else
        return true;
    return false;
}

/* ---- time ---- */

static void on_stage(enum anonymize_stage stage, void *context)
{
    struct stopwatch *watch = context;
    int at = stage < STAGES ? (int)stage : STAGES;

    clock_gettime(CLOCK_MONOTONIC, &watch->begin[at]);
    watch->begun[at] = true;
    if (!watch->terminal)
        return;
    fputs("\r\033[K", stderr);
    if (at < STAGES)
        fprintf(stderr, "%s ...", anonymize_stage_name(stage));
}

static double between(const struct timespec *from, const struct timespec *to)
{
    return (double)(to->tv_sec - from->tv_sec) +
           (double)(to->tv_nsec - from->tv_nsec) / 1e9;
}

/* Since the search began. */
static double elapsed(void *context)
{
    const struct stopwatch *watch = context;
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return between(&watch->begin[STAGE_SEARCH], &now);
}

/* For a person who waits: at most every tenth of a second. */
static void on_progress(const struct search_progress *progress, void *context)
{
    struct stopwatch *watch = context;
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    if (between(&watch->told, &now) < 0.1)
        return;
    watch->told = now;
    fprintf(stderr, "\r\033[Ksearch ... %" PRIu64 " checked, ",
            progress->judged);
    if (progress->found)
        fprintf(stderr, "best %.6g, ", progress->score[0]);
    fprintf(stderr, "none below %.6g", progress->bound[0]);
}

static double seconds(const struct stopwatch *watch, int stage)
{
    const struct timespec *from = &watch->begin[stage], *to;
    int next = stage + 1;

    while (next < STAGES && !watch->begun[next])
        next++;
    to = &watch->begin[next];
    return between(from, to);
}

/* ---- figures as JSON ---- */

static enum status add_classes(struct json_value *root,
                               const struct class_figures *figures,
                               struct error *err)
{
    struct json_value *classes = NULL;
    enum status status = json_add_object(root, "classes", &classes, err);

    if (status == OK)
        status =
            json_add_integer(classes, "count", (int64_t)figures->count, err);
    if (status == OK)
        status = json_add_integer(classes, "min", (int64_t)figures->min, err);
    if (status == OK)
        status = json_add_integer(classes, "max", (int64_t)figures->max, err);
    if (status == OK)
        status = json_add_number(classes, "average", figures->average, err);
    return status;
}

static enum status add_risk(struct json_value *parent, const char *key,
                            const struct class_figures *figures,
                            struct error *err)
{
    struct json_value *risk = NULL;
    enum status status = json_add_object(parent, key, &risk, err);

    if (status == OK)
        status = json_add_number(risk, "highest", figures->risk_highest, err);
    if (status == OK)
        status = json_add_number(risk, "average", figures->risk_average, err);
    if (status == OK)
        status = json_add_integer(risk, "sample_uniques",
                                  (int64_t)figures->uniques, err);
    return status;
}

/* {"age": 3, ...} of the quasi-identifiers. */
static enum status add_levels(struct json_value *root,
                              const struct policy *policy,
                              const struct anonymize_result *result,
                              struct error *err)
{
    bool has_scores = policy->aggregate != AGGREGATE_NONE;
    struct json_value *levels = NULL, *scores = NULL;
    enum status status = json_add_object(root, "levels", &levels, err);

    if (status == OK && has_scores)
        status = json_add_object(root, "scores", &scores, err);
    for (size_t a = 0; status == OK && a < policy->attribute_count; a++) {
        const struct policy_attribute *attribute = &policy->attribute[a];

        if (attribute->role != ROLE_QUASI_IDENTIFYING)
            continue;
        status =
            json_add_integer(levels, attribute->name, result->level[a], err);
        if (status == OK && has_scores)
            status = json_add_number(scores, attribute->name,
                                     result->attribute_score[a], err);
    }
    return status;
}

/* One number, or the list that the rank aggregate compares. */
static enum status add_score(struct json_value *root, const char *key,
                             const struct policy *policy, const double *score,
                             size_t count, struct error *err)
{
    struct json_value *list = NULL;
    enum status status;

    if (policy->aggregate != AGGREGATE_RANK)
        return json_add_number(root, key, score[0], err);
    status = json_add_array(root, key, &list, err);
    for (size_t i = 0; status == OK && i < count; i++)
        status = json_add_number(list, NULL, score[i], err);
    return status;
}

/* How a time-limited search ended, and how far off it may be. */
static enum status add_search(struct json_value *root,
                              const struct policy *policy,
                              const struct anonymize_result *result,
                              uint64_t seed, struct error *err)
{
    struct json_value *search = NULL;

    if (policy->strategy != SEARCH_TIME_LIMITED)
        return OK;
    if (json_add_object(root, "search", &search, err) != OK ||
        json_add_string(search, "ended_by",
                        result->timed_out ? "time"
                        : result->optimal ? "proof"
                                          : "work",
                        err) != OK ||
        json_add_integer(search, "seed", (int64_t)seed, err) != OK ||
        add_score(search, "bound", policy, result->bound, result->score_count,
                  err) != OK)
        return err->status;
    if (policy->aggregate == AGGREGATE_RANK)
        return OK;
    return json_add_number(search, "gap", result->score[0] - result->bound[0],
                           err);
}

static enum status add_metric(struct json_value *root,
                              const struct policy *policy, struct error *err)
{
    enum status status = json_add_string(
        root, "metric", quality_metric_name(policy->metric), err);

    if (status != OK || policy->aggregate == AGGREGATE_NONE)
        return status;
    return json_add_string(root, "aggregate", aggregate_name(policy->aggregate),
                           err);
}

static enum status add_seconds(struct json_value *root,
                               const struct stopwatch *watch, struct error *err)
{
    struct json_value *object = NULL;
    enum status status = json_add_object(root, "seconds", &object, err);

    for (int stage = 0; status == OK && stage < STAGES; stage++)
        if (watch->begun[stage])
            status = json_add_number(
                object, anonymize_stage_name((enum anonymize_stage)stage),
                seconds(watch, stage), err);
    return status;
}

static enum status add_digest(struct json_value *root, const char *key,
                              const struct digest *digest, struct error *err)
{
    char hex[DIGEST_HEX_SIZE];

    digest_hex(digest, hex);
    return json_add_string(root, key, hex, err);
}

static enum status fill_json(struct json_value *root,
                             const struct policy *policy,
                             const struct anonymize_result *result,
                             const struct stopwatch *watch, uint64_t seed,
                             struct error *err)
{
    struct json_value *risk = NULL;

    if (json_add_integer(root, "rows", (int64_t)result->rows, err) != OK ||
        json_add_integer(root, "suppressed", (int64_t)result->suppressed,
                         err) != OK ||
        add_classes(root, &result->after, err) != OK ||
        add_levels(root, policy, result, err) != OK ||
        json_add_boolean(root, "optimal", result->optimal, err) != OK ||
        add_score(root, "score", policy, result->score, result->score_count,
                  err) != OK ||
        add_search(root, policy, result, seed, err) != OK ||
        add_metric(root, policy, err) != OK ||
        json_add_number(root, "lattice", result->lattice_size, err) != OK ||
        json_add_integer(root, "checked", (int64_t)result->checked, err) !=
            OK ||
        json_add_boolean(root, "rechecked", result->rechecked, err) != OK ||
        add_digest(root, "output_sha256", &result->output_digest, err) != OK ||
        add_digest(root, "policy_sha256", &policy->digest, err) != OK ||
        json_add_object(root, "risk", &risk, err) != OK ||
        add_risk(risk, "before", &result->before, err) != OK ||
        add_risk(risk, "after", &result->after, err) != OK ||
        add_seconds(root, watch, err) != OK)
        return err->status;
    return OK;
}

static enum status print_json(const struct policy *policy,
                              const struct anonymize_result *result,
                              const struct stopwatch *watch, uint64_t seed,
                              struct error *err)
{
    struct json *json = NULL;
    enum status status = json_create(&json, err);

    if (status == OK)
        status =
            fill_json(json_edit_root(json), policy, result, watch, seed, err);
    if (status == OK)
        status = command_print_json(json, err);
    json_destroy(&json);
    return status;
}

/* ---- figures for people ---- */

/* What messages call the release. */
static const char *output_name(const struct options *options)
{
    bool standard = strcmp(options->output, "-") == 0;

    return standard ? "standard output" : options->output;
}

static void print_risk_line(FILE *out, const char *when,
                            const struct class_figures *figures)
{
    fprintf(out,
            "  %-8s %10" PRIu64 " classes of %" PRIu64 " to %" PRIu64
            " rows; highest risk %.4f, average %.4f, %" PRIu64 " unique\n",
            when, figures->count, figures->min, figures->max,
            figures->risk_highest, figures->risk_average, figures->uniques);
}

static void print_text(FILE *out, const struct options *options,
                       const struct policy *policy,
                       const struct anonymize_result *result)
{
    double share = (double)result->suppressed / (double)result->rows;

    command_print_harmless(out, output_name(options));
    fprintf(out, ": %" PRIu64 " rows, %" PRIu64 " suppressed (%.2f %%)\n",
            result->rows, result->suppressed, 100 * share);
    print_risk_line(out, "before", &result->before);
    print_risk_line(out, "after", &result->after);
    fprintf(out, "  %s", quality_metric_name(policy->metric));
    if (policy->aggregate != AGGREGATE_NONE)
        fprintf(out, " (%s)", aggregate_name(policy->aggregate));
    fprintf(out, " %.10g, the %s of %.10g transformations%s\n",
            result->score[0], result->optimal ? "least" : "best that was found",
            result->lattice_size,
            result->rechecked ? "; policy proven again from the file" : "");
    if (!result->optimal)
        fprintf(out, "  not proven: %.10g is the least that there could be%s\n",
                result->bound[0],
                result->timed_out ? "; time ended the search, so that another "
                                    "run may find another"
                                  : "");
    fputs("  levels:", out);
    for (size_t a = 0; a < policy->attribute_count; a++)
        if (policy->attribute[a].role == ROLE_QUASI_IDENTIFYING) {
            fputc(' ', out);
            command_print_harmless(out, policy->attribute[a].name);
            fprintf(out, " %" PRIu32, result->level[a]);
        }
    fputc('\n', out);
}

/* A few suppressed rows stand out as a group smaller than k: their sensitive
 * cells are known of fewer people than the policy promises. */
static void warn_small_remainder(const struct policy *policy,
                                 const struct anonymize_result *result)
{
    uint32_t k = 0;

    for (size_t i = 0; i < policy->criterion_count; i++)
        if (policy->criterion[i].k > k)
            k = policy->criterion[i].k;
    if (result->kept_sensitive && result->suppressed > 0 &&
        result->suppressed < k)
        fprintf(stderr,
                "anchorite: warning: %" PRIu64 " suppressed rows, fewer than "
                "k = %" PRIu32 ", keep their sensitive cells; "
                "\"suppressed_rows\": \"drop\" in the policy leaves them "
                "out\n",
                result->suppressed, k);
}

/* ---- the run ---- */

/* Where the release is written to before it is known to be good. */
struct target {
    struct new_file *file; /* NULL: standard output */
    int fd;
};

static enum status open_target(const char *path, struct target *target,
                               struct error *err)
{
    enum status status;

    *target = (struct target){.fd = -1};
    command_cancel(); /* before there is anything that must not stay */
    if (strcmp(path, "-") == 0)
        return temporary_open(&target->fd, err);
    status = new_file_create(&target->file, path, 0666, err);
    if (status == OK)
        target->fd = new_file_descriptor(target->file);
    return status;
}

static enum status copy_to_output(int fd, struct error *err)
{
    uint8_t block[65536];
    size_t got = 0;
    enum status status = OK;

    if (lseek(fd, 0, SEEK_SET) != 0)
        return error_set(err, E_IO, "the release cannot be read back");
    do {
        status =
            descriptor_read(fd, block, sizeof block, &got, "the release", err);
        if (status == OK)
            status = descriptor_write(STDOUT_FILENO, bytes_of(block, got),
                                      "standard output", err);
    } while (status == OK && got > 0);
    return status;
}

static enum status check_cancel(struct error *err)
{
    if (atomic_load(command_cancel()))
        return error_set(err, E_CANCELLED, "interrupted");
    return OK;
}

static void close_target(struct target *target)
{
    if (target->file == NULL && target->fd >= 0)
        close(target->fd);
    new_file_discard(&target->file);
}

/* The output may be none of the files that go into it, nor the one into which
 * the figures are printed. */
static enum status refuse_overwriting(const struct options *options,
                                      const struct policy *policy,
                                      struct error *err)
{
    const char *output = options->output, *same = NULL;
    bool standard_input = strcmp(options->input, "-") == 0;

    if (strcmp(output, "-") == 0)
        return OK;
    if (standard_input ? file_is_open_as(output, STDIN_FILENO)
                       : file_same(output, options->input))
        same = "input";
    if (file_same(output, options->policy))
        same = "policy";
    for (size_t a = 0; a < policy->attribute_count; a++)
        if (policy->attribute[a].hierarchy_path != NULL &&
            file_same(output, policy->attribute[a].hierarchy_path))
            same = "a hierarchy of the policy";
    if (policy->subset_path != NULL && file_same(output, policy->subset_path))
        same = "the subset of the policy";
    if (file_is_open_as(output, STDOUT_FILENO))
        same = "standard output";
    if (same == NULL)
        return OK;
    return error_set(err, E_INPUT, "%s: output and %s are the same file",
                     output, same);
}

static enum status print_figures(const struct options *options,
                                 const struct policy *policy,
                                 const struct anonymize_result *result,
                                 const struct stopwatch *watch,
                                 struct error *err)
{
    if (options->json)
        return print_json(policy, result, watch, options->seed, err);
    print_text(strcmp(options->output, "-") == 0 ? stderr : stdout, options,
               policy, result);
    return command_finish_output(err);
}

/* The file appears last of all, when nothing else can fail: a failed run leaves
 * none.  The figures stand on standard output by then; the exit code says
 * whether they are of a release. */
static enum status publish(const struct options *options,
                           const struct policy *policy,
                           const struct anonymize_result *result,
                           const struct stopwatch *watch, struct target *target,
                           struct error *err)
{
    enum status status = check_cancel(err);

    if (status == OK)
        status = target->file != NULL ? new_file_sync(target->file, err)
                                      : copy_to_output(target->fd, err);
    if (status == OK)
        status = print_figures(options, policy, result, watch, err);
    if (status == OK && target->file != NULL)
        status = check_cancel(err);
    if (status == OK && target->file != NULL)
        status = new_file_publish(&target->file, err);
    return status;
}

static enum status run(const struct options *options,
                       const struct policy *policy, int input,
                       const char *input_name, struct target *target,
                       struct error *err)
{
    struct stopwatch watch = {.terminal = isatty(STDERR_FILENO) == 1};
    struct anonymize_options engine = {.threads = (unsigned)options->threads,
                                       .no_recheck = options->no_recheck,
                                       .cancel = command_cancel(),
                                       .on_stage = on_stage,
                                       .on_progress =
                                           watch.terminal ? on_progress : NULL,
                                       .context = &watch,
                                       .seed = options->seed,
                                       .elapsed = elapsed};
    struct anonymize_result *result = NULL;
    enum status status =
        anonymize_table(&result, policy, input, input_name, target->fd,
                        output_name(options), &engine, err);

    if (status == OK)
        status = publish(options, policy, result, &watch, target, err);
    if (status == OK)
        warn_small_remainder(policy, result);
    anonymize_destroy(&result);
    return status;
}

int command_anonymize(int argc, char **argv)
{
    struct options options;
    struct policy *policy = NULL;
    struct target target = {.fd = -1};
    const char *input_name = NULL;
    struct error err;
    int input = -1, exit_code;
    enum status status;

    if (!parse_options(argc, argv, &options, &exit_code))
        return exit_code;
    error_init(&err);
    status = policy_open(&policy, options.policy, &err);
    if (status == OK)
        status =
            command_open_input(options.input, true, &input, &input_name, &err);
    if (status == OK)
        status = refuse_overwriting(&options, policy, &err);
    if (status == OK)
        status = open_target(options.output, &target, &err);
    if (status == OK)
        status = run(&options, policy, input, input_name, &target, &err);
    close_target(&target);
    if (input >= 0)
        close(input);
    policy_close(&policy);
    return status == OK ? status_exit_code(OK) : command_fail(&err);
}
