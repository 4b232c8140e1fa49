/*
 * cli/command_verify.c - `anchorite verify`: is this the release that its
 * certificate speaks of, and was it right to make it?  Three files, no network.
 */
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include "anonymizer/attestation.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/verify_report.h"

static const char help[] =
    "usage: anchorite verify RELEASE CERTIFICATE --trust TRUST [--json]\n\n"
    "Is RELEASE what CERTIFICATE says, and was it released as it should be?  "
    "Needs no\nnetwork: these three files are all.  TRUST names the ledger's "
    "nodes and the roots\nof the certificates; it must come by another road "
    "than the other two.  \"-\" is\nstandard input.\n\n"
    "What is printed comes in three groups: what was recomputed from the file, "
    "what is\nproven by the ledger to who trusts TRUST, and what rests on the "
    "word of a signer,\nwho is named.\n\n"
    "  -t, --trust TRUST   whom to believe (JSON)\n"
    "  -j, --json          print one JSON object\n"
    "  -h, --help          this text\n\n"
    "Example:\n"
    "  anchorite verify release.csv release.csv.certificate.json -t "
    "trust.json\n\n"
    "Exit code 0: all checks passed; 1: one failed, and is named.\n";

struct options {
    const char *trust;
    const char *release;
    const char *certificate;
    bool json;
};

static const struct option_row rows[] = {
    {"trust", 't', OPTION_AT(TEXT, struct options, trust)},
    {"json", 'j', OPTION_AT(FLAG, struct options, json)},
};

static const struct options_table known = {help, rows,
                                           sizeof rows / sizeof *rows};

/* False: *exit_code is to be returned, all has been said. */
static bool parse_options(int argc, char **argv, struct options *options,
                          int *exit_code)
{
    struct operands operands;

    *options = (struct options){.trust = NULL};
    if (!options_parse(&known, argc, argv, options, &operands, exit_code))
        return false;
    if (options->trust == NULL)
        command_misuse(argv[0], "--trust is missing");
    else if (operands.count != 2)
        command_misuse(argv[0], "a release and its certificate, not %d files",
                       operands.count);
    else {
        options->release = operands.at[0];
        options->certificate = operands.at[1];
        return true;
    }
    return false;
}

static enum status print_json(const struct verify_report *report,
                              const struct error *no, struct error *err)
{
    struct json *json = NULL;
    enum status status = json_create(&json, err);

    if (status == OK && no != NULL)
        status = verify_report_no_json(report->findings->failed, no,
                                       json_edit_root(json), err);
    else if (status == OK)
        status = verify_report_json(report, json_edit_root(json), err);
    if (status == OK)
        status = command_print_json(json, err);
    json_destroy(&json);
    return status;
}

static enum status print_yes(const struct verify_report *report, bool json,
                             struct error *err)
{
    enum status status = OK;

    if (json)
        status = print_json(report, NULL, err);
    else {
        verify_report_text(report, stdout);
        status = command_finish_output(err);
    }
    if (status == OK && report->trust->demo)
        fputs("This is a demonstration: all keys were on one machine, and "
              "whoever has that\nmachine can make any certificate.\n",
              stderr);
    return status;
}

/* The no goes to standard error in any case. */
static enum status print_no(const struct verify_report *report, bool json,
                            struct error *err)
{
    const struct error no = *err;

    if (json && print_json(report, &no, err) != OK)
        return err->status;
    *err = no;
    return error_wrap(err, "%s is not verified", report->file);
}

static enum status verify(const struct options *options, struct error *err)
{
    struct attestation *attestation = NULL;
    struct attestation_findings findings;
    struct recheck_result *result = NULL;
    struct trust *trust = NULL;
    const char *name = NULL;
    int release = -1;
    enum status status = trust_load(&trust, options->trust, err);

    if (status == OK)
        status = attestation_load(&attestation, options->certificate, err);
    if (status == OK)
        status =
            command_open_input(options->release, true, &release, &name, err);
    if (status == OK) {
        struct verify_report report = {.attestation = attestation,
                                       .trust = trust,
                                       .findings = &findings,
                                       .file = name};

        status = attestation_verify(attestation, trust, &findings, err);
        if (status == OK)
            status = attestation_recount(attestation, release, name, NULL,
                                         &findings, &result, err);
        report.result = result;
        if (status == OK)
            status = print_yes(&report, options->json, err);
        else if (status == E_NO)
            status = print_no(&report, options->json, err);
    }
    if (release >= 0)
        close(release);
    recheck_destroy(&result);
    attestation_destroy(&attestation);
    trust_destroy(&trust);
    return status;
}

int command_verify(int argc, char **argv)
{
    struct options options;
    struct error err;
    int exit_code;

    if (!parse_options(argc, argv, &options, &exit_code))
        return exit_code;
    error_init(&err);
    if (verify(&options, &err) != OK)
        return command_fail(&err);
    return status_exit_code(OK);
}
