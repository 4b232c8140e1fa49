/*
 * datasets/main.c - anchorite-hospital: a synthetic hospital's table,
 * hierarchies and consents.
 */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/error.h"
#include "common/files.h"
#include "common/limits.h"
#include "common/number.h"
#include "datasets/hospital.h"
#include "datasets/hospital_consents.h"
#include "datasets/hospital_hierarchies.h"
#include "datasets/hospital_table.h"
#include "datasets/output.h"

#define PATIENTS_DEFAULT 10000

static const char usage[] =
    "anchorite-hospital - a hospital that does not exist, for trying things "
    "out\n"
    "\n"
    "  anchorite-hospital table        patients and visits, as CSV\n"
    "  anchorite-hospital consents     their FHIR R4 Consent resources, as "
    "NDJSON\n"
    "  anchorite-hospital hierarchies  how the table's columns generalize\n"
    "\n"
    "table and consents:\n"
    "  -n, --patients N   so many patients, 1 to 999999999 (10000)\n"
    "  -s, --seed S       another hospital for each whole number (1)\n"
    "      --first I      the first patient's number (1)\n"
    "  -o, --output F     into the file F, which appears whole; - is standard\n"
    "                     output (-)\n"
    "table:\n"
    "      --visits MAX   up to so many visits, and rows, of a patient, 1 to "
    "99 (1)\n"
    "      --days N       all visits on the first N days from 2022-01-01 on,\n"
    "                     1 to 1096 (1096)\n"
    "consents:\n"
    "      --mix LIST     percent of the patients of each kind\n"
    "                     (" CONSENT_MIX_DEFAULT ")\n"
    "hierarchies:\n"
    "  -d, --dir DIR      folder for the files, made if it is not there\n"
    "  -h, --help         this text\n"
    "\n"
    "The same options give the same bytes.  Patient I is the same whatever is\n"
    "generated with it: --first 5001 --patients 10 are ten rows of a longer\n"
    "table.  Give table and consents the same seed.\n"
    "\n"
    "Examples:\n"
    "  anchorite-hospital table --patients 20000 --output hospital.csv\n"
    "  anchorite-hospital hierarchies --dir hierarchies\n"
    "  anchorite-hospital consents --patients 20000 --output consents.ndjson\n"
    "  anchorite-hospital table --patients 100 --days 1 --seed 5 | head\n"
    "\n"
    "Exit code: 0 done, 2 wrong usage or a place that cannot be written to,\n"
    "3 writing failed.\n";

enum option_id {
    OPTION_FIRST = 256,
    OPTION_VISITS,
    OPTION_DAYS,
    OPTION_MIX,
};

struct settings {
    struct hospital_options hospital;
    struct patient_range range;
    const char *mix;
    const char *output; /* NULL: standard output */
    const char *dir;    /* NULL: not given */
    bool help;
};

/* A subcommand and the options it takes, as getopt's characters or ids. */
struct command {
    const char *name;
    enum status (*run)(const struct settings *settings, struct error *err);
    int option[8]; /* ends with 0 */
};

/* ---- the subcommands ---- */

static enum status run_table(const struct settings *settings, struct error *err)
{
    struct hospital *hospital = NULL;
    struct output *output = NULL;
    enum status status;

    status = hospital_create(&hospital, settings->hospital, err);
    if (status == OK)
        status = output_open(&output, settings->output, err);
    if (status == OK)
        status = hospital_table_write(hospital, settings->range, output, err);
    if (status == OK)
        status = output_publish(&output, err);
    output_discard(&output);
    hospital_destroy(&hospital);
    return status;
}

static enum status run_consents(const struct settings *settings,
                                struct error *err)
{
    struct hospital *hospital = NULL;
    struct output *output = NULL;
    struct consent_mix mix;
    enum status status;

    if (consent_mix_parse(settings->mix, &mix, err) != OK)
        return error_wrap(err, "--mix");
    status = hospital_create(&hospital, settings->hospital, err);
    if (status == OK)
        status = output_open(&output, settings->output, err);
    if (status == OK)
        status = hospital_consents_write(hospital, &mix, settings->range,
                                         output, err);
    if (status == OK)
        status = output_publish(&output, err);
    output_discard(&output);
    hospital_destroy(&hospital);
    return status;
}

static enum status run_hierarchies(const struct settings *settings,
                                   struct error *err)
{
    if (settings->dir == NULL)
        return error_set(err, E_USAGE, "hierarchies needs --dir DIR");
    return hospital_hierarchies_write(settings->dir, err);
}

static const struct command commands[] = {
    {"table",
     run_table,
     {'n', 's', 'o', OPTION_FIRST, OPTION_VISITS, OPTION_DAYS}},
    {"consents", run_consents, {'n', 's', 'o', OPTION_FIRST, OPTION_MIX}},
    {"hierarchies", run_hierarchies, {'d'}},
};

/* ---- options ---- */

static const struct option options[] = {
    {"patients", required_argument, NULL, 'n'},
    {"seed", required_argument, NULL, 's'},
    {"first", required_argument, NULL, OPTION_FIRST},
    {"output", required_argument, NULL, 'o'},
    {"visits", required_argument, NULL, OPTION_VISITS},
    {"days", required_argument, NULL, OPTION_DAYS},
    {"mix", required_argument, NULL, OPTION_MIX},
    {"dir", required_argument, NULL, 'd'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static const char *option_name(int id)
{
    size_t i = 0;

    while (options[i].val != id)
        i++;
    return options[i].name;
}

static enum status read_count(int id, const char *text, uint32_t max,
                              uint32_t *count, struct error *err)
{
    uint64_t number;

    if (!number_parse_unsigned(bytes_of_string(text), 1, max, &number))
        return error_set(err, E_USAGE,
                         "--%s: expected a whole number from 1 to %u",
                         option_name(id), (unsigned)max);
    *count = (uint32_t)number;
    return OK;
}

static enum status read_seed(const char *text, uint64_t *seed,
                             struct error *err)
{
    if (!number_parse_unsigned(bytes_of_string(text), 0, UINT64_MAX, seed))
        return error_set(err, E_USAGE,
                         "--seed: expected a whole number from 0 to 2^64 - 1");
    return OK;
}

static enum status read_option(struct settings *settings, int id,
                               const char *text, struct error *err)
{
    switch (id) {
    case 'n':
        return read_count(id, text, HOSPITAL_PATIENTS_MAX,
                          &settings->range.count, err);
    case OPTION_FIRST:
        return read_count(id, text, HOSPITAL_PATIENTS_MAX,
                          &settings->range.first, err);
    case OPTION_VISITS:
        return read_count(id, text, HOSPITAL_VISITS_MAX,
                          &settings->hospital.visits, err);
    case OPTION_DAYS:
        return read_count(id, text, HOSPITAL_DAYS, &settings->hospital.days,
                          err);
    case 's':
        return read_seed(text, &settings->hospital.seed, err);
    case 'o':
        settings->output = text;
        break;
    case OPTION_MIX:
        settings->mix = text;
        break;
    case 'd':
        settings->dir = text;
        break;
    }
    return OK;
}

static bool takes(const struct command *command, int id)
{
    for (size_t i = 0; command->option[i] != 0; i++)
        if (command->option[i] == id)
            return true;
    return false;
}

/* getopt's own complaint, in our words. */
static enum status refuse_option(char **argv, int complaint, struct error *err)
{
    const char *word = argv[optind - 1];

    if (complaint == ':')
        return error_set(err, E_USAGE, "%s needs a value", word);
    return error_set(err, E_USAGE, "there is no option %s", word);
}

static enum status read_options(struct settings *settings,
                                const struct command *command, int argc,
                                char **argv, struct error *err)
{
    int id;

    while ((id = getopt_long(argc, argv, ":n:s:o:d:h", options, NULL)) != -1) {
        if (id == '?' || id == ':')
            return refuse_option(argv, id, err);
        if (id == 'h') {
            settings->help = true;
            return OK;
        }
        if (!takes(command, id))
            return error_set(err, E_USAGE, "%s takes no --%s", command->name,
                             option_name(id));
        if (read_option(settings, id, optarg, err) != OK)
            return err->status;
    }
    if (optind < argc)
        return error_set(err, E_USAGE, "%s takes options only, not \"%s\"",
                         command->name, argv[optind]);
    if (settings->range.count >
        HOSPITAL_PATIENTS_MAX - settings->range.first + 1)
        return error_set(err, E_USAGE,
                         "--first and --patients lead beyond patient %u",
                         HOSPITAL_PATIENTS_MAX);
    return OK;
}

/* NULL if there is no such subcommand. */
static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static enum status print_usage(struct error *err)
{
    if (fputs(usage, stdout) == EOF || fflush(stdout) != 0)
        return error_set_errno(err, E_IO, errno, "standard output");
    return OK;
}

static enum status run(int argc, char **argv, struct error *err)
{
    struct settings settings = {
        .hospital = {.seed = 1, .days = HOSPITAL_DAYS, .visits = 1},
        .range = {.first = 1, .count = PATIENTS_DEFAULT},
        .mix = CONSENT_MIX_DEFAULT,
    };
    const struct command *command;

    if (argc < 2)
        return error_set(err, E_USAGE, "a subcommand is missing; try --help");
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return print_usage(err);
    command = find_command(argv[1]);
    if (command == NULL)
        return error_set(err, E_USAGE,
                         "there is no subcommand \"%s\", only table, consents "
                         "and hierarchies",
                         argv[1]);
    if (read_options(&settings, command, argc - 1, argv + 1, err) != OK)
        return err->status;
    return settings.help ? print_usage(err) : command->run(&settings, err);
}

int main(int argc, char **argv)
{
    struct error err;
    enum status status;

    error_init(&err);
    status = standard_descriptors_occupy(&err);
    if (status == OK)
        status = run(argc, argv, &err);
    if (status != OK)
        fprintf(stderr, "anchorite-hospital: %s\n", err.text);
    return status_exit_code(status);
}
