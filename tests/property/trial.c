#include "tests/property/trial.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "anonymizer/anonymize.h"
#include "common/json.h"
#include "tests/property/cells.h"

#define PATH_SIZE 512

/* What must come out. */
struct expectation {
    bool found;
    size_t level[ORACLE_QI_MAX];
    struct oracle_verdict verdict;
    struct oracle *oracle;
    struct oracle_table release;
    struct oracle_figures before, after;
};

static void differs(struct text *report, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void differs(struct text *report, const char *format, ...)
{
    char line[1024];
    struct error err;
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (text_append_string(report, line, &err) != OK ||
        text_append_string(report, "\n", &err) != OK)
        abort();
}

static void count_differs(struct text *report, const char *what, uint64_t got,
                          uint64_t expected)
{
    if (got != expected)
        differs(report, "%s: %" PRIu64 ", expected %" PRIu64, what, got,
                expected);
}

/* Exactly: both sides compute the formulas of oracle.h in their order. */
static void number_differs(struct text *report, const char *what, double got,
                           double expected)
{
    if (got != expected)
        differs(report, "%s: %.17g, expected %.17g", what, got, expected);
}

/* ---- what is expected ---- */

static void expect(struct expectation *expected, const struct oracle_task *task)
{
    struct oracle_table input;

    memset(expected, 0, sizeof *expected);
    expected->oracle = oracle_create(task);
    oracle_input(task, &input);
    oracle_count(task, &input, &expected->before);
    oracle_table_clear(&input);
    expected->found =
        oracle_search(expected->oracle, expected->level, &expected->verdict);
    if (!expected->found)
        return;
    oracle_release(expected->oracle, expected->level, &expected->release);
    /* Of the file: rows that were left out are not counted. */
    oracle_count(task, &expected->release, &expected->after);
}

static void expectation_clear(struct expectation *expected)
{
    oracle_destroy(&expected->oracle);
    oracle_table_clear(&expected->release);
}

/* ---- files ---- */

static void path_of(const struct trial *trial, const char *name,
                    char path[PATH_SIZE])
{
    if (snprintf(path, PATH_SIZE, "%s/%s", trial->folder, name) >= PATH_SIZE)
        abort();
}

static void write_file(const struct trial *trial, const char *name,
                       const struct text *text)
{
    char path[PATH_SIZE];
    FILE *file;

    path_of(trial, name, path);
    file = fopen(path, "wb");
    if (file == NULL || fwrite(text->data, 1, text->size, file) != text->size ||
        fclose(file) != 0) {
        perror(path);
        exit(3);
    }
}

static void read_file(const struct trial *trial, const char *name,
                      struct text *text)
{
    char path[PATH_SIZE], block[4096];
    struct error err;
    size_t got;
    FILE *file;

    path_of(trial, name, path);
    file = fopen(path, "rb");
    if (file == NULL)
        return;
    while ((got = fread(block, 1, sizeof block, file)) > 0)
        if (text_append(text, block, got, &err) != OK)
            abort();
    fclose(file);
}

static void write_files(const struct trial *trial, const struct sample *sample,
                        const struct expectation *expected)
{
    struct text text;
    char name[32];

    text_init(&text);
    sample_write_table(sample, &text);
    write_file(trial, "input.csv", &text);
    text_reset(&text);
    sample_write_policy(sample, &text);
    write_file(trial, "policy.json", &text);
    for (size_t i = 0; i < sample->task.column_count; i++) {
        if (sample->column[i].domain == NULL)
            continue;
        text_reset(&text);
        sample_write_hierarchy(sample, i, &text);
        sample_hierarchy_name(i, name);
        write_file(trial, name, &text);
    }
    text_reset(&text);
    sample_write_subset(sample, &text);
    write_file(trial, "rows.csv", &text);
    text_reset(&text);
    if (expected->found)
        sample_write_cells(sample, &expected->release, &text);
    write_file(trial, "expected.csv", &text);
    text_clear(&text);
}

/* ---- the released table ---- */

static void compare_header(const struct sample *sample,
                           const struct oracle_table *expected,
                           const struct cells *cells, struct text *report)
{
    for (size_t i = 0; i < expected->column_count; i++)
        if (strcmp(cells->cell[i], sample->column[expected->column[i]].name) !=
            0)
            differs(report, "release: column %zu has another name", i + 1);
}

static void compare_release(const struct sample *sample,
                            const struct expectation *expected,
                            const struct text *release, struct text *report)
{
    const struct oracle_table *table = &expected->release;
    struct cells cells;
    size_t width = table->column_count;

    if (!cells_parse(&cells, release->data, release->size, sample->delimiter,
                     sample->newline))
        differs(report, "release: not CSV in the manner of the input");
    else if (cells.column_count != width)
        differs(report, "release: %zu columns, expected %zu",
                cells.column_count, width);
    else if (cells.record_count - 1 != table->row_count)
        differs(report, "release: %zu rows, expected %zu",
                cells.record_count - 1, table->row_count);
    else {
        compare_header(sample, table, &cells, report);
        for (size_t i = 0; i < table->row_count * width; i++)
            if (strcmp(cells.cell[width + i], table->cell[i]) != 0) {
                differs(report,
                        "release: row %zu column %zu: '%s', expected '%s'",
                        i / width + 1, i % width + 1, cells.cell[width + i],
                        table->cell[i]);
                break;
            }
    }
    cells_clear(&cells);
}

/* ---- through the library ---- */

static void compare_figures(const char *what, const struct class_figures *got,
                            const struct oracle_figures *expected,
                            struct text *report)
{
    size_t kept = expected->rows - expected->suppressed;
    double count = (double)expected->count;
    size_t before = report->size;

    count_differs(report, "rows", got->rows, expected->rows);
    count_differs(report, "suppressed", got->suppressed, expected->suppressed);
    count_differs(report, "classes", got->count, expected->count);
    count_differs(report, "smallest class", got->min, expected->min);
    count_differs(report, "largest class", got->max, expected->max);
    count_differs(report, "uniques", got->uniques, expected->uniques);
    number_differs(report, "average class", got->average,
                   kept > 0 ? (double)kept / count : 0);
    number_differs(report, "highest risk", got->risk_highest,
                   kept > 0 ? 1 / (double)expected->min : 0);
    number_differs(report, "average risk", got->risk_average,
                   kept > 0 ? count / (double)kept : 0);
    if (report->size > before)
        differs(report, "  (those were figures of the %s)", what);
}

static void compare_attributes(const struct sample *sample,
                               const struct expectation *expected,
                               const struct policy *policy,
                               const struct anonymize_result *got,
                               struct text *report)
{
    size_t d = 0;

    for (size_t i = 0; i < sample->task.column_count; i++) {
        const struct policy_attribute *attribute;
        size_t at;
        char what[64];

        if (sample->column[i].role != ROLE_QUASI_IDENTIFYING)
            continue;
        attribute =
            policy_find(policy, bytes_of_string(sample->column[i].name));
        if (attribute == NULL) {
            differs(report, "policy_find does not know column %zu", i + 1);
            return;
        }
        at = (size_t)(attribute - policy->attribute);
        snprintf(what, sizeof what, "level of column %zu", i + 1);
        count_differs(report, what, got->level[at], expected->level[d]);
        snprintf(what, sizeof what, "cost of column %zu", i + 1);
        number_differs(report, what, got->attribute_score[at],
                       expected->verdict.cost[d]);
        d++;
    }
}

static void compare_result(const struct sample *sample,
                           const struct expectation *expected,
                           const struct policy *policy,
                           const struct anonymize_result *got,
                           struct text *report)
{
    const struct oracle_verdict *verdict = &expected->verdict;

    count_differs(report, "score_count", got->score_count,
                  verdict->score_count);
    for (size_t i = 0;
         i < got->score_count && got->score_count == verdict->score_count; i++)
        number_differs(report, "score", got->score[i], verdict->score[i]);
    compare_attributes(sample, expected, policy, got, report);
    count_differs(report, "rows", got->rows, sample->task.row_count);
    count_differs(report, "suppressed", got->suppressed,
                  verdict->figures.suppressed);
    number_differs(report, "lattice_size", got->lattice_size,
                   oracle_lattice_size(expected->oracle));
    count_differs(report, "rechecked", got->rechecked, !sample->no_recheck);
    compare_figures("input", &got->before, &expected->before, report);
    compare_figures("release", &got->after, &expected->after, report);
}

static void compare_digest(const struct text *release,
                           const struct digest *digest, struct text *report)
{
    struct digest own;
    struct error err;

    if (digest_bytes(&own, text_bytes(release), &err) != OK)
        differs(report, "digest_bytes: %s", err.text);
    else if (memcmp(own.byte, digest->byte, DIGEST_SIZE) != 0)
        differs(report, "the digest is not that of the release");
}

/* Anonymize with so many threads; the release is appended to `release`. */
static void run_engine(const struct trial *trial, const struct sample *sample,
                       const struct expectation *expected, unsigned threads,
                       struct text *release, struct text *report)
{
    struct anonymize_options options = {.threads = threads,
                                        .no_recheck = sample->no_recheck};
    char policy_path[PATH_SIZE], input_path[PATH_SIZE], output_path[PATH_SIZE];
    struct anonymize_result *result = NULL;
    struct policy *policy = NULL;
    enum status status;
    struct error err;
    int input, output;

    error_init(&err);
    path_of(trial, "policy.json", policy_path);
    path_of(trial, "input.csv", input_path);
    path_of(trial, "release.csv", output_path);
    input = open(input_path, O_RDONLY | O_CLOEXEC);
    output = open(output_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (input < 0 || output < 0) {
        perror(trial->folder);
        exit(3);
    }
    status = policy_open(&policy, policy_path, &err);
    if (status == OK)
        status = anonymize_table(&result, policy, input, "input.csv", output,
                                 "release.csv", &options, &err);
    close(input);
    close(output);
    if (status != (expected->found ? OK : E_NO)) {
        differs(report, "%u threads: %s (%s), expected %s", threads,
                status_words(status), err.text,
                expected->found ? "a release" : "an honest no");
    } else if (status == OK) {
        read_file(trial, "release.csv", release);
        compare_result(sample, expected, policy, result, report);
        compare_release(sample, expected, release, report);
        compare_digest(release, &result->output_digest, report);
    }
    anonymize_destroy(&result);
    policy_close(&policy);
}

static void run_library(const struct trial *trial, const struct sample *sample,
                        const struct expectation *expected, struct text *report)
{
    struct text release[2];

    for (unsigned i = 0; i < 2; i++) {
        text_init(&release[i]);
        run_engine(trial, sample, expected, i + 1, &release[i], report);
    }
    if (!bytes_equal(text_bytes(&release[0]), text_bytes(&release[1])))
        differs(report, "one thread and two write different bytes");
    for (unsigned i = 0; i < 2; i++)
        text_clear(&release[i]);
}

/* ---- through the command ---- */

/* Run the command; what it prints goes to report.json and messages.txt.
 * Returns its exit code, -1 if it was killed. */
static int run_command(const struct trial *trial, const struct sample *sample)
{
    char policy[PATH_SIZE], input[PATH_SIZE], output[PATH_SIZE];
    char json[PATH_SIZE], messages[PATH_SIZE];
    char command[] = "anchorite", verb[] = "anonymize", p[] = "--policy";
    char o[] = "--output", j[] = "--json", t[] = "--threads", two[] = "2";
    char n[] = "--no-recheck";
    char *arguments[] = {command,
                         verb,
                         p,
                         policy,
                         o,
                         output,
                         j,
                         t,
                         two,
                         input,
                         sample->no_recheck ? n : NULL,
                         NULL};
    posix_spawn_file_actions_t actions;
    int flags = O_WRONLY | O_CREAT | O_TRUNC, status;
    pid_t child;

    path_of(trial, "policy.json", policy);
    path_of(trial, "input.csv", input);
    path_of(trial, "release.csv", output);
    path_of(trial, "report.json", json);
    path_of(trial, "messages.txt", messages);
    unlink(output);
    if (posix_spawn_file_actions_init(&actions) != 0 ||
        posix_spawn_file_actions_addopen(&actions, 1, json, flags, 0600) != 0 ||
        posix_spawn_file_actions_addopen(&actions, 2, messages, flags, 0600) !=
            0)
        abort();
    errno =
        posix_spawn(&child, trial->command, &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (errno != 0) {
        perror(trial->command);
        exit(3);
    }
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            abort();
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The number at a path of keys, such as "classes", "min"; NaN if it is not
 * there. */
static double number_at(const struct json_value *value, const char *key,
                        const char *inner)
{
    if (value != NULL && json_kind(value) == JSON_OBJECT)
        value = json_member(value, key);
    if (inner != NULL)
        return value == NULL ? strtod("nan", NULL)
                             : number_at(value, inner, NULL);
    return value == NULL || json_kind(value) != JSON_NUMBER
               ? strtod("nan", NULL)
               : json_number(value);
}

static void compare_json_score(const struct json_value *root,
                               const struct sample *sample,
                               const struct oracle_verdict *verdict,
                               struct text *report)
{
    const struct json_value *score = json_member(root, "score");
    size_t i = 0;

    if (sample->task.aggregate != AGGREGATE_RANK) {
        number_differs(report, "json score", number_at(root, "score", NULL),
                       verdict->score[0]);
        return;
    }
    if (score == NULL || json_kind(score) != JSON_ARRAY ||
        json_length(score) != verdict->score_count) {
        differs(report, "json score: no list of %zu", verdict->score_count);
        return;
    }
    for (score = json_first(score); score != NULL; score = json_next(score))
        number_differs(report, "json score",
                       json_kind(score) == JSON_NUMBER ? json_number(score)
                                                       : -1,
                       verdict->score[i++]);
}

static void compare_json_risk(const struct json_value *root, const char *when,
                              const struct oracle_figures *expected,
                              struct text *report)
{
    const struct json_value *risk = json_member(root, "risk");
    size_t kept = expected->rows - expected->suppressed;

    if (risk == NULL || json_kind(risk) != JSON_OBJECT) {
        differs(report, "json risk: not there");
        return;
    }
    number_differs(report, "json sample uniques",
                   number_at(risk, when, "sample_uniques"),
                   (double)expected->uniques);
    number_differs(report, "json highest risk",
                   number_at(risk, when, "highest"),
                   kept > 0 ? 1 / (double)expected->min : 0);
    number_differs(report, "json average risk",
                   number_at(risk, when, "average"),
                   kept > 0 ? (double)expected->count / (double)kept : 0);
}

static void compare_json_columns(const struct json_value *root,
                                 const struct sample *sample,
                                 const struct expectation *expected,
                                 struct text *report)
{
    size_t d = 0;

    for (size_t i = 0; i < sample->task.column_count; i++) {
        const char *name = sample->column[i].name;

        if (sample->column[i].role != ROLE_QUASI_IDENTIFYING)
            continue;
        number_differs(report, "json level", number_at(root, "levels", name),
                       (double)expected->level[d]);
        if (quality_metric_aggregate(sample->task.metric) != AGGREGATE_NONE)
            number_differs(report, "json cost", number_at(root, "scores", name),
                           expected->verdict.cost[d]);
        d++;
    }
}

static void compare_json(const struct json_value *root,
                         const struct sample *sample,
                         const struct expectation *expected,
                         const struct text *release, struct text *report)
{
    const struct oracle_figures *after = &expected->after;
    const struct json_value *digest, *optimal;
    char hex[DIGEST_HEX_SIZE];
    struct digest own;
    struct error err;

    if (json_kind(root) != JSON_OBJECT) {
        differs(report, "json: no object");
        return;
    }
    number_differs(report, "json rows", number_at(root, "rows", NULL),
                   (double)sample->task.row_count);
    number_differs(report, "json suppressed",
                   number_at(root, "suppressed", NULL),
                   (double)expected->verdict.figures.suppressed);
    number_differs(report, "json classes", number_at(root, "classes", "count"),
                   (double)after->count);
    number_differs(report, "json smallest", number_at(root, "classes", "min"),
                   (double)after->min);
    number_differs(report, "json largest", number_at(root, "classes", "max"),
                   (double)after->max);
    number_differs(report, "json lattice", number_at(root, "lattice", NULL),
                   oracle_lattice_size(expected->oracle));
    compare_json_score(root, sample, &expected->verdict, report);
    compare_json_columns(root, sample, expected, report);
    compare_json_risk(root, "before", &expected->before, report);
    compare_json_risk(root, "after", after, report);
    optimal = json_member(root, "optimal");
    if (optimal == NULL || json_kind(optimal) != JSON_BOOLEAN ||
        !json_boolean(optimal))
        differs(report, "json optimal: not true");
    if (digest_bytes(&own, text_bytes(release), &err) != OK)
        abort();
    digest_hex(&own, hex);
    digest = json_member(root, "output_sha256");
    if (digest == NULL || json_kind(digest) != JSON_STRING ||
        strcmp(json_string(digest), hex) != 0)
        differs(report, "json output_sha256: not that of the release");
}

static void run_cli(const struct trial *trial, const struct sample *sample,
                    const struct expectation *expected, struct text *report)
{
    struct text release, printed;
    struct json *json = NULL;
    struct error err;
    int code = run_command(trial, sample);

    text_init(&release);
    text_init(&printed);
    read_file(trial, "release.csv", &release);
    read_file(trial, "report.json", &printed);
    if (code != (expected->found ? 0 : 1)) {
        differs(report, "exit code %d, expected %d", code,
                expected->found ? 0 : 1);
    } else if (!expected->found) {
        if (release.size > 0)
            differs(report, "a release in spite of the no");
    } else if (json_parse(&json, text_bytes(&printed), &err) != OK) {
        differs(report, "the report: %s", err.text);
    } else {
        compare_release(sample, expected, &release, report);
        compare_json(json_root(json), sample, expected, &release, report);
    }
    json_destroy(&json);
    text_clear(&release);
    text_clear(&printed);
}

bool trial_run(const struct trial *trial, const struct sample *sample,
               struct text *report)
{
    struct expectation expected;
    size_t before = report->size;

    expect(&expected, &sample->task);
    write_files(trial, sample, &expected);
    if (trial->command != NULL)
        run_cli(trial, sample, &expected, report);
    else
        run_library(trial, sample, &expected, report);
    expectation_clear(&expected);
    return report->size == before;
}
