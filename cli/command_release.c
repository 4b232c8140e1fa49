/*
 * cli/command_release.c - `anchorite release`: the custodian has an approved
 * request released; the institute fetches what came of it.
 */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/options.h"
#include "cli/release_drive.h"
#include "cli/release_fetch.h"
#include "cli/session.h"
#include "common/json.h"

static const char help[] =
    "usage: anchorite release REQUEST --dir DIR [--json]\n"
    "       anchorite release fetch RELEASE --output F --dir DIR "
    "[--certificate G]\n"
    "                               [--organisation ORG] [--json]\n\n"
    "Releases what was approved: the broker looks who has consented, the "
    "anonymizer\nmakes the table of those alone, the custodian's signature is "
    "given to the entry\nthat stands for it once that is right, and when a "
    "quorum of nodes has it, it is\npublished.  Interrupted, it goes on when "
    "it is said again.  fetch is for the\ninstitute that asked, and for nobody "
    "else; each fetch and each refusal of one is\nrecorded.  What a fetched "
    "release proves: anchorite verify F G --trust TRUST.\n\n"
    "  -o, --output F           where the table goes\n"
    "      --certificate G      where its certificate goes "
    "(F.certificate.json)\n"
    "      --organisation ORG   whose anonymizer has it (the only "
    "one)\n" SESSION_OPTION_HELP(
        SESSION_CUSTODIAN "; fetch:\n                           "
                          " " SESSION_INSTITUTE) "  -j, --json               "
                                                 "print one JSON object\n"
                                                 "  -h, --help               "
                                                 "this text\n\n"
                                                 "Example:\n"
                                                 "  anchorite release 5f3c... "
                                                 "--dir /tmp/demo\n"
                                                 "  anchorite release fetch "
                                                 "08d1... --output release.csv "
                                                 "--dir /tmp/demo\n\n"
                                                 "Exit code 1: the policy "
                                                 "cannot be met; 4: nobody has "
                                                 "consented, or no "
                                                 "right.\n";

struct options {
    struct session_options session;
    const char *operand;
    const char *output, *certificate, *organisation;
    bool fetches;
    bool json;
};

/* Members are printed as lines or as one object. */
static enum status print_result(const struct options *options,
                                const char *const (*member)[2], size_t count,
                                struct error *err)
{
    struct json *json = NULL;
    enum status status;

    if (!options->json) {
        for (size_t i = 0; i < count; i++) {
            printf("%-13s", member[i][0]);
            command_print_harmless(stdout, member[i][1]);
            putchar('\n');
        }
        return command_finish_output(err);
    }
    status = json_create(&json, err);
    for (size_t i = 0; status == OK && i < count; i++)
        status = json_add_string(json_edit_root(json), member[i][0],
                                 member[i][1], err);
    if (status == OK)
        status = command_print_json(json, err);
    json_destroy(&json);
    return status;
}

static enum status drive(const struct options *options,
                         const struct session *session, struct error *err)
{
    struct release_result result;
    enum status status = release_drive(session, options->operand, &result, err);
    const char *const members[][2] = {{"request", options->operand},
                                      {"release", result.release}};

    return status == OK ? print_result(options, members, 2, err) : status;
}

static enum status fetch(const struct options *options,
                         const struct session *session, struct error *err)
{
    const char *certificate = options->certificate;
    struct text beside;
    enum status status = OK;

    text_init(&beside);
    if (certificate == NULL) {
        status =
            text_printf(&beside, err, "%s.certificate.json", options->output);
        certificate = beside.data;
    }
    if (status == OK)
        status = release_fetch(session, options->organisation, options->operand,
                               options->output, certificate, err);
    if (status == OK) {
        const char *const members[][2] = {{"release", options->operand},
                                          {"output", options->output},
                                          {"certificate", certificate}};

        status = print_result(options, members, 3, err);
    }
    text_clear(&beside);
    return status;
}

static enum status run(const struct options *options, struct error *err)
{
    struct session session;
    enum status status = session_open_with(
        &session, &options->session,
        options->fetches ? IDENTITY_RESEARCH_INSTITUTE : IDENTITY_CUSTODIAN,
        err);

    if (status == OK)
        status = options->fetches ? fetch(options, &session, err)
                                  : drive(options, &session, err);
    session_close(&session);
    return status;
}

/* ---- the command ---- */

static const struct option_row rows[] = {
    {"output", 'o', OPTION_AT(TEXT, struct options, output)},
    {"certificate", 0, OPTION_AT(TEXT, struct options, certificate)},
    {"organisation", 0, OPTION_AT(TEXT, struct options, organisation)},
    SESSION_OPTION_ROWS(struct options),
    {"json", 'j', OPTION_AT(FLAG, struct options, json)},
};

static const struct options_table known = {help, rows,
                                           sizeof rows / sizeof *rows};

static bool fits(const char *command, struct options *options,
                 const struct operands *operands)
{
    options->fetches =
        operands->count > 0 && strcmp(operands->at[0], "fetch") == 0;
    if (operands->count != 1 + options->fetches)
        command_misuse(command, options->fetches
                                    ? "fetch: one release is expected"
                                    : "one request, or fetch and a release, "
                                      "is expected");
    else if (options->fetches && options->output == NULL)
        command_misuse(command, "fetch: --output is missing");
    else if (!options->fetches &&
             (options->output != NULL || options->certificate != NULL ||
              options->organisation != NULL))
        command_misuse(command, "--output, --certificate and --organisation "
                                "are for fetch");
    else
        return session_options_fit(command, &options->session);
    return false;
}

int command_release(int argc, char **argv)
{
    struct options options = {.session.timeout_ms = SESSION_TIMEOUT_MS};
    struct operands operands;
    struct error err;
    int exit_code;

    if (!options_parse(&known, argc, argv, &options, &operands, &exit_code))
        return exit_code;
    if (!fits(argv[0], &options, &operands))
        return exit_code;
    options.operand = operands.at[operands.count - 1];
    error_init(&err);
    return run(&options, &err) == OK ? status_exit_code(OK)
                                     : command_fail(&err);
}
