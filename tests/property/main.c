/*
 * tests/property/main.c - random small tables: the engine must give what the
 * oracle gives.
 *
 *     property [--seed N] [--cases N] [--case N] [--command PATH]
 *
 * Cases go through the library, every tenth through the built command if its
 * path is given.  --case replays that one alone.  A case that differs is cut
 * down to fewer rows that still differ, its folder is kept, and the run ends
 * with exit code 1.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/property/trial.h"

#define CASES_DEFAULT 8000

/* Trials that may be spent on cutting down one case. */
#define SHRINK_TRIALS_MAX 600

#define COMMAND_EVERY 10

struct options {
    uint64_t seed, cases, only;
    bool only_one;
    const char *command;
};

static uint64_t number_of(const char *text)
{
    char *end;
    uint64_t number = strtoull(text, &end, 10);

    if (*text == '\0' || *end != '\0') {
        fprintf(stderr, "property: not a number: %s\n", text);
        exit(2);
    }
    return number;
}

static struct options parse_options(int argc, char **argv)
{
    static const struct option names[] = {
        {"seed", required_argument, NULL, 's'},
        {"cases", required_argument, NULL, 'n'},
        {"case", required_argument, NULL, 'c'},
        {"command", required_argument, NULL, 'b'},
        {NULL, 0, NULL, 0},
    };
    struct options options = {.seed = (uint64_t)time(NULL),
                              .cases = CASES_DEFAULT};
    int option;

    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        switch (option) {
        case 's':
            options.seed = number_of(optarg);
            break;
        case 'n':
            options.cases = number_of(optarg);
            break;
        case 'c':
            options.only = number_of(optarg);
            options.only_one = true;
            break;
        case 'b':
            options.command = optarg;
            break;
        default:
            exit(2);
        }
    }
    return options;
}

/* In memory where there is a file system for that. */
static char *make_folder(void)
{
    static char folder[64];

    snprintf(folder, sizeof folder, "%s/anchorite-property-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (mkdtemp(folder) == NULL) {
        perror(folder);
        exit(3);
    }
    return folder;
}

static void remove_folder(const char *folder)
{
    static const char *const names[] = {
        "input.csv",   "policy.json", "expected.csv",
        "release.csv", "report.json", "messages.txt",
    };
    char path[128], name[32];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    for (size_t i = 0; i < SAMPLE_COLUMNS_MAX; i++) {
        sample_hierarchy_name(i, name);
        snprintf(path, sizeof path, "%s/%s", folder, name);
        unlink(path);
    }
    rmdir(folder);
}

/* Take rows out as long as some trial still differs without one. */
static void shrink(const struct trial *trial, const struct options *options,
                   uint64_t number, struct sample *sample)
{
    bool *taken = calloc(sample->task.row_count, sizeof *taken);
    size_t trials = 0, rows = sample->task.row_count;
    struct text report;

    if (taken == NULL)
        abort();
    text_init(&report);
    for (size_t row = rows; row-- > 0 && trials < SHRINK_TRIALS_MAX;) {
        struct sample smaller;

        if (sample->task.row_count == 1)
            break;
        taken[row] = true;
        sample_init(&smaller, options->seed, number);
        for (size_t i = rows; i-- > 0;)
            if (taken[i])
                sample_remove_row(&smaller, i);
        trials++;
        text_reset(&report);
        taken[row] = !trial_run(trial, &smaller, &report);
        sample_clear(&smaller);
        if (taken[row]) {
            sample_clear(sample);
            sample_init(sample, options->seed, number);
            for (size_t i = rows; i-- > 0;)
                if (taken[i])
                    sample_remove_row(sample, i);
        }
    }
    text_clear(&report);
    free(taken);
}

static bool run_case(const struct trial *trial, const struct options *options,
                     uint64_t number)
{
    struct sample sample;
    struct text report;
    bool same;

    sample_init(&sample, options->seed, number);
    text_init(&report);
    same = trial_run(trial, &sample, &report);
    if (!same) {
        printf("case %" PRIu64 " differs (seed %" PRIu64 ", %zu rows):\n%s",
               number, options->seed, sample.task.row_count, report.data);
        shrink(trial, options, number, &sample);
        text_reset(&report);
        trial_run(trial, &sample, &report);
        printf("cut down to %zu rows, in %s:\n%s", sample.task.row_count,
               trial->folder, report.data);
        printf("again: make property SEED=%" PRIu64 " CASE=%" PRIu64 "\n",
               options->seed, number);
    }
    text_clear(&report);
    sample_clear(&sample);
    return same;
}

int main(int argc, char **argv)
{
    struct options options = parse_options(argc, argv);
    uint64_t first = options.only_one ? options.only : 0;
    uint64_t last = options.only_one ? options.only + 1 : options.cases;
    struct trial trial = {.folder = make_folder()};

    printf("property: seed %" PRIu64 "\n", options.seed);
    fflush(stdout);
    for (uint64_t number = first; number < last; number++) {
        trial.command = number % COMMAND_EVERY == 0 ? options.command : NULL;
        if (!run_case(&trial, &options, number))
            return 1;
    }
    remove_folder(trial.folder);
    printf("property: %" PRIu64 " cases, no difference\n", last - first);
    return 0;
}
