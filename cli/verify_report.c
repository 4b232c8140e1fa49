#include "cli/verify_report.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "cli/check_report.h"
#include "cli/command.h"

/* Whole numbers that JSON holds exactly. */
#define JSON_WHOLE_MAX (UINT64_C(1) << 53)

/* ---- times ---- */

#define TIME_SIZE 32

/* RFC 3339 in UTC.  False for what no calendar of four digits has: a node may
 * sign any number. */
static bool format_time(uint64_t ms, char out[TIME_SIZE])
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    size_t size;

    if (gmtime_r(&seconds, &tm) == NULL || tm.tm_year + 1900 > 9999)
        return false;
    size = strftime(out, TIME_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out + size, TIME_SIZE - size, ".%03uZ", (unsigned)(ms % 1000));
    return size > 0;
}

static bool format_seconds(uint64_t seconds, char out[TIME_SIZE])
{
    return seconds <= UINT64_MAX / 1000 && format_time(seconds * 1000, out);
}

/* ---- for programs ---- */

static enum status add_whole(struct json_value *object, const char *key,
                             uint64_t number, struct error *err)
{
    if (number > JSON_WHOLE_MAX)
        return error_set(err, E_LIMIT, "%s: beyond 2^53", key);
    return json_add_integer(object, key, (int64_t)number, err);
}

static enum status add_time(struct json_value *object, const char *key,
                            bool known, const char *time, struct error *err)
{
    return known ? json_add_string(object, key, time, err)
                 : json_add_null(object, key, err);
}

/* The names of the checks from `first` to the one before `end`. */
static enum status add_checks(struct json_value *object, unsigned first,
                              unsigned end, struct error *err)
{
    struct json_value *list;
    enum status status = json_add_array(object, "checks", &list, err);

    for (unsigned i = first; status == OK && i < end; i++)
        status = json_add_string(
            list, NULL, attestation_check_name((enum attestation_check)i), err);
    return status;
}

static enum status add_recomputed(struct json_value *root,
                                  const struct verify_report *report,
                                  struct error *err)
{
    const struct class_figures *classes = &report->result->classes;
    struct json_value *object, *table, *risk;

    if (json_add_object(root, "recomputed", &object, err) != OK ||
        add_checks(object, ATTESTATION_RECOUNTED, ATTESTATION_CHECK_COUNT,
                   err) != OK ||
        json_add_string(object, "output_sha256", report->attestation->output,
                        err) != OK ||
        json_add_object(object, "table", &table, err) != OK ||
        check_report_json(report->attestation->policy, report->result, table,
                          err) != OK ||
        json_add_object(object, "risk", &risk, err) != OK ||
        json_add_number(risk, "highest", classes->risk_highest, err) != OK ||
        json_add_number(risk, "average", classes->risk_average, err) != OK ||
        add_whole(risk, "sample_uniques", classes->uniques, err) != OK)
        return err->status;
    return OK;
}

static enum status add_entries(struct json_value *proven,
                               const struct attestation *attestation,
                               struct error *err)
{
    struct json_value *object;
    char id[DIGEST_HEX_SIZE];

    for (unsigned i = 0; i < ATTESTATION_STEPS; i++) {
        const struct proof *proof = attestation->proof[i];

        digest_hex(&proof->entry.id, id);
        if (json_add_object(proven,
                            attestation_step_name((enum attestation_step)i),
                            &object, err) != OK ||
            json_add_string(object, "id", id, err) != OK ||
            add_whole(object, "index", proof->parts.index, err) != OK ||
            add_whole(object, "block", proof->parts.block, err) != OK ||
            json_add_string(object, "author", proof->entry.author, err) != OK)
            return err->status;
    }
    return OK;
}

static enum status add_cosigned(struct json_value *proven,
                                const struct verify_report *report,
                                struct error *err)
{
    const struct trusted_checkpoint *trusted = &report->findings->checkpoint;
    char root[DIGEST_HEX_SIZE], time[TIME_SIZE];
    bool known = format_seconds(report->findings->cosigned_by, time);
    struct json_value *list;

    digest_hex(&trusted->checkpoint.root, root);
    if (json_add_string(proven, "origin", trusted->checkpoint.origin, err) !=
            OK ||
        add_whole(proven, "size", trusted->checkpoint.size, err) != OK ||
        json_add_string(proven, "root", root, err) != OK ||
        json_add_integer(proven, "quorum", report->trust->quorum, err) != OK ||
        add_time(proven, "cosigned_at", known, time, err) != OK ||
        json_add_array(proven, "cosigned_by", &list, err) != OK)
        return err->status;
    for (size_t i = 0; i < report->trust->node_count; i++)
        if (trusted->signed_by[i] &&
            json_add_string(list, NULL, report->trust->node[i].name, err) != OK)
            return err->status;
    return OK;
}

static enum status add_proven(struct json_value *root,
                              const struct verify_report *report,
                              struct error *err)
{
    const struct attestation *attestation = report->attestation;
    char expires[TIME_SIZE];
    bool known = format_time(attestation->permit_said.expires, expires);
    struct json_value *proven;

    if (json_add_object(root, "proven", &proven, err) != OK ||
        add_checks(proven, 0, ATTESTATION_RECOUNTED, err) != OK ||
        add_cosigned(proven, report, err) != OK ||
        add_entries(proven, attestation, err) != OK ||
        json_add_copy(proven, "terms", json_root(attestation->terms_json),
                      err) != OK ||
        add_whole(proven, "permitted", attestation->permit_said.count, err) !=
            OK ||
        add_time(proven, "expires", known, expires, err) != OK ||
        json_add_boolean(proven, "cosigned_before_end",
                         report->findings->in_time, err) != OK)
        return err->status;
    return OK;
}

static enum status add_witness(struct json_value *attested, const char *role,
                               const struct certificate *certificate,
                               struct json_value **out, struct error *err)
{
    const struct certificate_subject *subject =
        certificate_subject(certificate);

    if (json_add_object(attested, role, out, err) != OK ||
        json_add_string(*out, "name", subject->name, err) != OK ||
        json_add_string(*out, "organisation", subject->organisation, err) !=
            OK ||
        json_add_string(*out, "certificate", certificate_id(certificate),
                        err) != OK)
        return err->status;
    return OK;
}

/* Models that compare with what is not there. */
static enum status add_attested_models(struct json_value *anonymizer,
                                       const struct verify_report *report,
                                       struct error *err)
{
    const struct policy *policy = report->attestation->policy;
    struct json_value *models;
    enum status status = json_add_array(anonymizer, "models", &models, err);

    for (size_t i = 0; status == OK && i < policy->criterion_count; i++)
        if (!report->result->criterion[i].judged)
            status = json_add_string(
                models, NULL, privacy_model_name(policy->criterion[i].model),
                err);
    return status;
}

static enum status add_attested(struct json_value *root,
                                const struct verify_report *report,
                                struct error *err)
{
    const struct attested_outcome *outcome = &report->attestation->outcome_said;
    struct json_value *attested, *broker, *anonymizer, *risk;

    if (json_add_object(root, "attested", &attested, err) != OK ||
        add_witness(attested, "broker", report->findings->broker, &broker,
                    err) != OK ||
        add_whole(broker, "consent_evaluated_at",
                  report->attestation->permit_said.size, err) != OK ||
        add_whole(broker, "consent_checked_up_to", report->findings->checked,
                  err) != OK ||
        add_witness(attested, "anonymizer", report->findings->anonymizer,
                    &anonymizer, err) != OK ||
        add_whole(anonymizer, "rows", outcome->rows, err) != OK ||
        add_whole(anonymizer, "dropped", outcome->suppressed, err) != OK ||
        add_attested_models(anonymizer, report, err) != OK ||
        json_add_boolean(anonymizer, "optimal",
                         report->attestation->policy->strategy ==
                             SEARCH_OPTIMAL,
                         err) != OK ||
        json_add_copy(anonymizer, "levels", outcome->levels, err) != OK ||
        json_add_object(anonymizer, "risk_before", &risk, err) != OK ||
        json_add_number(risk, "highest", outcome->before.risk_highest, err) !=
            OK ||
        json_add_number(risk, "average", outcome->before.risk_average, err) !=
            OK ||
        add_whole(risk, "sample_uniques", outcome->before.uniques, err) != OK)
        return err->status;
    return OK;
}

enum status verify_report_json(const struct verify_report *report,
                               struct json_value *root, struct error *err)
{
    if (json_add_boolean(root, "verified", true, err) != OK ||
        json_add_string(root, "release", report->attestation->release, err) !=
            OK ||
        add_recomputed(root, report, err) != OK ||
        add_proven(root, report, err) != OK ||
        add_attested(root, report, err) != OK ||
        json_add_boolean(root, "demo", report->trust->demo, err) != OK)
        return err->status;
    return OK;
}

enum status verify_report_no_json(enum attestation_check failed,
                                  const struct error *why,
                                  struct json_value *root, struct error *err)
{
    if (json_add_boolean(root, "verified", false, err) != OK ||
        json_add_string(root, "failed", attestation_check_name(failed), err) !=
            OK ||
        json_add_string(root, "why", why->text, err) != OK)
        return err->status;
    return OK;
}

/* ---- for people ---- */

static void print_checks(FILE *out, unsigned first, unsigned end)
{
    for (unsigned i = first; i < end; i++)
        fprintf(out, "  %-12s %s\n",
                attestation_check_name((enum attestation_check)i),
                attestation_check_sentence((enum attestation_check)i));
}

static void print_recomputed(FILE *out, const struct verify_report *report)
{
    const struct class_figures *classes = &report->result->classes;

    fputs("\nrecomputed from the file:\n", out);
    print_checks(out, ATTESTATION_RECOUNTED, ATTESTATION_CHECK_COUNT);
    fprintf(out, "\n  SHA-256     %s\n", report->attestation->output);
    check_report_figures(report->attestation->policy, report->result, out);
    fprintf(out,
            "\n  risk        highest %.6g, average %.6g, %" PRIu64
            " unique rows\n",
            classes->risk_highest, classes->risk_average, classes->uniques);
}

static void print_signers(FILE *out, const struct verify_report *report)
{
    const char *comma = "";

    for (size_t i = 0; i < report->trust->node_count; i++)
        if (report->findings->checkpoint.signed_by[i]) {
            fprintf(out, "%s%s", comma, report->trust->node[i].name);
            comma = ", ";
        }
}

static void print_person(FILE *out, const struct certificate *certificate)
{
    const struct certificate_subject *subject =
        certificate_subject(certificate);

    fprintf(out, "%s, %s of %s", subject->name,
            identity_role_name(subject->role), subject->organisation);
}

static void print_terms(FILE *out, const struct attested_terms *terms)
{
    const char *comma = "";

    fprintf(out, "  dataset     %s\n  purpose     ", terms->dataset);
    for (const struct json_value *purpose = json_first(terms->purposes);
         purpose != NULL; purpose = json_next(purpose)) {
        fputs(comma, out);
        command_print_harmless(out, json_string(purpose));
        comma = ", ";
    }
    fprintf(out, "\n  policy      %s\n", terms->policy);
}

static void print_times(FILE *out, const struct verify_report *report)
{
    char expires[TIME_SIZE] = "a time beyond our calendar";
    char cosigned[TIME_SIZE] = "a time beyond our calendar";

    if (format_time(report->attestation->permit_said.expires, expires) &&
        format_seconds(report->findings->cosigned_by, cosigned) &&
        report->findings->in_time)
        fprintf(out,
                "  time        cosigned by %s, before the permit ended, at "
                "%s\n",
                cosigned, expires);
    else
        fprintf(out,
                "  time        the permit ended at %s, the cosignatures are "
                "of %s:\n"
                "              that the release came before the end is the "
                "nodes' verdict\n",
                expires, cosigned);
}

static void print_proven(FILE *out, const struct verify_report *report)
{
    const struct attestation_findings *findings = report->findings;
    const struct attestation *attestation = report->attestation;
    const struct certificate *who[] = {
        [STEP_REQUEST] = findings->institute,
        [STEP_APPROVE] = findings->custodian,
        [STEP_PERMIT] = findings->broker,
        [STEP_RELEASE] = findings->anonymizer,
    };

    fprintf(out, "\nproven by log %s to who trusts ",
            findings->checkpoint.checkpoint.origin);
    print_signers(out, report);
    fprintf(out, " (%u of %zu must agree):\n", (unsigned)report->trust->quorum,
            report->trust->node_count);
    print_checks(out, 0, ATTESTATION_RECOUNTED);
    fputs("\n", out);
    for (unsigned i = 0; i < ATTESTATION_STEPS; i++) {
        fprintf(out, "  %-11s position %ju, ",
                attestation_step_name((enum attestation_step)i),
                (uintmax_t)attestation->proof[i]->parts.index);
        print_person(out, who[i]);
        fputs(i == STEP_RELEASE ? ", with custodian and broker\n" : "\n", out);
    }
    print_terms(out, &attestation->terms_said);
    fprintf(out, "  permitted   %ju subjects\n",
            (uintmax_t)attestation->permit_said.count);
    print_times(out, report);
}

/* What the file does not show. */
static void print_attested_models(FILE *out, const struct verify_report *report)
{
    const struct policy *policy = report->attestation->policy;

    for (size_t i = 0; i < policy->criterion_count; i++) {
        const struct privacy_criterion *criterion = &policy->criterion[i];

        if (report->result->criterion[i].judged)
            continue;
        fprintf(out, "    %s of ", privacy_model_name(criterion->model));
        command_print_harmless(out,
                               policy->attribute[criterion->attribute].name);
        fputs(" holds;\n", out);
    }
}

static void print_attested(FILE *out, const struct verify_report *report)
{
    const struct attested_outcome *outcome = &report->attestation->outcome_said;
    const struct attestation *attestation = report->attestation;

    fputs("\nattested, that is: believed on the word of who signed it:\n  ",
          out);
    print_person(out, report->findings->broker);
    fprintf(out,
            ":\n"
            "    every permitted subject had consented to this, by the first "
            "%ju entries of\n"
            "    the log; nothing had changed that in the first %ju\n  ",
            (uintmax_t)attestation->permit_said.size,
            (uintmax_t)report->findings->checked);
    print_person(out, report->findings->anonymizer);
    fprintf(out,
            ":\n"
            "    the rows are of permitted subjects alone; of %ju rows %ju "
            "were dropped;\n",
            (uintmax_t)outcome->rows, (uintmax_t)outcome->suppressed);
    print_attested_models(out, report);
    fprintf(out,
            "    before, the highest risk was %.6g, the average %.6g, and %ju "
            "rows were unique;\n"
            "    no transformation with less loss satisfies the policy\n",
            outcome->before.risk_highest, outcome->before.risk_average,
            (uintmax_t)outcome->before.uniques);
}

void verify_report_text(const struct verify_report *report, FILE *out)
{
    command_print_harmless(out, report->file);
    fprintf(out, " is release %s, as its certificate says.\n",
            report->attestation->release);
    print_recomputed(out, report);
    print_proven(out, report);
    print_attested(out, report);
}
