/* What a certificate proves to whom trusts a log and some roots. */
#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "anonymizer/attestation_internal.h"

/* ---- names, and saying no ---- */

const char *attestation_check_name(enum attestation_check check)
{
    static const char *const name[] = {
#define CHECK_NAME(id, name, sentence) [id] = (name),
        ATTESTATION_CHECKS(CHECK_NAME)
#undef CHECK_NAME
    };

    assert((unsigned)check < ATTESTATION_CHECK_COUNT);
    return name[check];
}

const char *attestation_check_sentence(enum attestation_check check)
{
    static const char *const sentences[] = {
#define CHECK_SENTENCE(id, name, sentence) [id] = (sentence),
        ATTESTATION_CHECKS(CHECK_SENTENCE)
#undef CHECK_SENTENCE
    };

    assert((unsigned)check < ATTESTATION_CHECK_COUNT);
    return sentences[check];
}

enum status attestation_no(struct attestation_findings *findings,
                           enum attestation_check check, struct error *err,
                           const char *format, ...)
{
    char words[ERROR_TEXT_MAX];
    va_list arguments;

    findings->failed = check;
    va_start(arguments, format);
    vsnprintf(words, sizeof words, format, arguments);
    va_end(arguments);
    return error_set(err, E_NO, "%s: %s", attestation_check_name(check), words);
}

enum status attestation_doubt(struct attestation_findings *findings,
                              enum attestation_check check, const char *where,
                              struct error *err)
{
    if (err->status == E_INPUT || err->status == E_REFUSED ||
        err->status == E_LIMIT)
        err->status = E_NO;
    findings->failed = check;
    return error_wrap(err, "%s: %s", attestation_check_name(check), where);
}

/* ---- what the checks look at ---- */

struct examination {
    const struct attestation *attestation;
    const struct trust *trust;
    struct attestation_findings *findings;
    char id[ATTESTATION_STEPS][DIGEST_HEX_SIZE];
    /* When permit, release and certificate were signed, both included. */
    int64_t from_ms, to_ms;
};

static const struct entry *entry_of(const struct examination *examination,
                                    enum attestation_step step)
{
    return &examination->attestation->proof[step]->entry;
}

/* A text of the payload; "", which equals none, if it has no such text. */
static const char *payload_text(const struct entry *entry, const char *name)
{
    const struct json_value *value = json_member(entry->payload, name);

    if (value == NULL || json_kind(value) != JSON_STRING)
        return "";
    return json_string(value);
}

static bool payload_number(const struct entry *entry, const char *name,
                           uint64_t *number)
{
    const struct json_value *value = json_member(entry->payload, name);
    int64_t whole;

    if (value == NULL || json_kind(value) != JSON_NUMBER ||
        !json_integer(value, &whole) || whole < 0)
        return false;
    *number = (uint64_t)whole;
    return true;
}

static const struct certificate *
find_signer(const struct attestation *attestation, const char *id)
{
    for (size_t i = 0; i < attestation->signer_count; i++)
        if (strcmp(certificate_id(attestation->signer[i]), id) == 0)
            return attestation->signer[i];
    return NULL;
}

static bool is_of(const struct certificate *certificate,
                  enum identity_role role, const char *organisation)
{
    const struct certificate_subject *subject =
        certificate_subject(certificate);

    return !subject->is_authority && subject->role == role &&
           (organisation == NULL ||
            strcmp(subject->organisation, organisation) == 0);
}

/* ---- the envelope ---- */

/* That this anonymizer is one to be believed is for the signers' check to
 * say; until then nothing but the file's own word is known. */
static enum status check_certificate(struct examination *examination,
                                     struct error *err)
{
    const struct attestation *attestation = examination->attestation;
    struct attestation_findings *findings = examination->findings;
    const char *id = attestation->envelope.signature[0].by;
    const struct certificate *signer = find_signer(attestation, id);

    if (signer == NULL || !is_of(signer, IDENTITY_ANONYMIZER, NULL))
        return attestation_no(findings, CHECK_CERTIFICATE, err,
                              "it is signed by %s, who is no anonymizer that "
                              "it names",
                              id);
    if (dsse_verify(&attestation->envelope, signer, err) != OK)
        return attestation_doubt(findings, CHECK_CERTIFICATE,
                                 certificate_subject(signer)->name, err);
    findings->anonymizer = signer;
    return OK;
}

/* ---- the log ---- */

static enum status check_log(struct examination *examination, struct error *err)
{
    struct attestation_findings *findings = examination->findings;

    for (size_t i = 0; i < ATTESTATION_STEPS; i++) {
        const struct proof *proof = examination->attestation->proof[i];

        if (proof_verify_next(proof, examination->trust, &findings->checkpoint,
                              err) != OK)
            return attestation_doubt(
                findings, CHECK_LOG,
                attestation_step_name((enum attestation_step)i), err);
        digest_hex(&proof->entry.id, examination->id[i]);
    }
    return OK;
}

static enum status check_verdict(struct examination *examination,
                                 struct error *err)
{
    for (size_t i = 0; i < ATTESTATION_STEPS; i++) {
        const struct proof_parts *parts =
            &examination->attestation->proof[i]->parts;

        if (parts->verdict != VERDICT_VALID)
            return attestation_no(
                examination->findings, CHECK_VERDICT, err,
                "the nodes' verdict on the %s is %s",
                attestation_step_name((enum attestation_step)i),
                entry_verdict_name(parts->verdict));
    }
    return OK;
}

/* ---- the chain ---- */

static enum status check_order(const struct examination *examination,
                               struct error *err)
{
    struct proof *const *proof = examination->attestation->proof;

    for (size_t i = 1; i < ATTESTATION_STEPS; i++)
        if (proof[i]->parts.index <= proof[i - 1]->parts.index ||
            proof[i]->parts.block < proof[i - 1]->parts.block ||
            strcmp(proof[i]->entry.channel, proof[0]->entry.channel) != 0)
            return attestation_no(
                examination->findings, CHECK_CHAIN, err,
                "the %s does not stand behind the %s",
                attestation_step_name((enum attestation_step)i),
                attestation_step_name((enum attestation_step)(i - 1)));
    return OK;
}

/* What entries say of the log's size was so when they came into it. */
static enum status check_sizes(const struct examination *examination,
                               struct error *err)
{
    struct attestation_findings *findings = examination->findings;
    struct proof *const *proof = examination->attestation->proof;
    uint64_t size;

    if (!payload_number(&proof[STEP_PERMIT]->entry, "size", &size) ||
        size > proof[STEP_PERMIT]->parts.index)
        return attestation_no(findings, CHECK_CHAIN, err,
                              "the permit's size lies behind the permit");
    if (!payload_number(&proof[STEP_RELEASE]->entry, "checked",
                        &findings->checked) ||
        findings->checked > proof[STEP_RELEASE]->parts.index)
        return attestation_no(findings, CHECK_CHAIN, err,
                              "consent was checked up to a size behind the "
                              "release");
    return OK;
}

static enum status check_chain(struct examination *examination,
                               struct error *err)
{
    static const enum entry_type type[ATTESTATION_STEPS] = {
        ENTRY_REQUEST, ENTRY_APPROVE, ENTRY_PERMIT, ENTRY_RELEASE};
    enum status status;

    for (size_t i = 0; i < ATTESTATION_STEPS; i++) {
        enum attestation_step step = (enum attestation_step)i;
        const struct entry *entry = entry_of(examination, step);

        if (entry->type != type[i])
            return attestation_no(examination->findings, CHECK_CHAIN, err,
                                  "in place of the %s is an entry of type %s",
                                  attestation_step_name(step),
                                  entry_type_name(entry->type));
        /* Each names the one before by the word for it. */
        if (i > 0 &&
            strcmp(payload_text(entry, attestation_step_name(
                                           (enum attestation_step)(i - 1))),
                   examination->id[i - 1]) != 0)
            return attestation_no(
                examination->findings, CHECK_CHAIN, err,
                "the %s names another %s than this",
                attestation_step_name(step),
                attestation_step_name((enum attestation_step)(i - 1)));
    }
    status = check_order(examination, err);
    if (status == OK)
        status = check_sizes(examination, err);
    return status;
}

/* ---- statements ---- */

static enum status open_commitment(const struct examination *examination,
                                   enum attestation_check check,
                                   enum attestation_step step,
                                   const char *member,
                                   const struct attested_statement *statement,
                                   struct error *err)
{
    const char *hex = payload_text(entry_of(examination, step), member);

    if (commitment_check(&statement->salt, statement->text, hex, err) != OK)
        return attestation_doubt(examination->findings, check,
                                 attestation_step_name(step), err);
    return OK;
}

static enum status check_terms(struct examination *examination,
                               struct error *err)
{
    const struct attestation *attestation = examination->attestation;

    for (size_t i = 0; i < ATTESTATION_STEPS; i++)
        if (open_commitment(examination, CHECK_TERMS, (enum attestation_step)i,
                            "terms", &attestation->terms, err) != OK)
            return err->status;
    if (strcmp(payload_text(entry_of(examination, STEP_REQUEST), "dataset"),
               attestation->terms_said.dataset) != 0)
        return attestation_no(examination->findings, CHECK_TERMS, err,
                              "the request is for another dataset");
    return OK;
}

static enum status check_commitments(struct examination *examination,
                                     struct error *err)
{
    const struct attestation *attestation = examination->attestation;
    const struct attested_permit *permit = &attestation->permit_said;
    const struct entry *entry = entry_of(examination, STEP_PERMIT);
    struct attestation_findings *findings = examination->findings;
    uint64_t expires = 0, size = 0;

    if (open_commitment(examination, CHECK_COMMITMENTS, STEP_PERMIT,
                        "commitment", &attestation->permit, err) != OK ||
        open_commitment(examination, CHECK_COMMITMENTS, STEP_RELEASE,
                        "commitment", &attestation->outcome, err) != OK)
        return err->status;
    if (!payload_number(entry, "expires", &expires) ||
        !payload_number(entry, "size", &size) || expires != permit->expires ||
        size != permit->size)
        return attestation_no(findings, CHECK_COMMITMENTS, err,
                              "the permit's entry has another end or size than "
                              "its statement");
    if (strcmp(attestation->outcome_said.permit,
               examination->id[STEP_PERMIT]) != 0)
        return attestation_no(findings, CHECK_COMMITMENTS, err,
                              "the release statement names another permit");
    return OK;
}

/* ---- signers ---- */

/* What the cosignatures and the permit say of the time.  False if both cannot
 * be. */
static bool find_time(struct examination *examination)
{
    struct attestation_findings *findings = examination->findings;
    uint64_t expires = examination->attestation->permit_said.expires;
    const struct trusted_checkpoint *checkpoint = &findings->checkpoint;
    uint64_t from = expires > PERMIT_LASTS_MS ? expires - PERMIT_LASTS_MS : 0;
    uint64_t to = expires;

    findings->cosigned_by = 0;
    for (size_t i = 0; i < examination->trust->node_count; i++)
        if (checkpoint->signed_by[i] &&
            checkpoint->signed_at[i] > findings->cosigned_by)
            findings->cosigned_by = checkpoint->signed_at[i];
    findings->in_time = findings->cosigned_by < expires / 1000;
    /* The second in which it was cosigned went on for 999 ms, and the clock of
     * who leads may be ahead of the others'. */
    if (findings->in_time &&
        findings->cosigned_by * 1000 + 999 + BUS_CLOCK_SKEW_MS < expires)
        to = findings->cosigned_by * 1000 + 999 + BUS_CLOCK_SKEW_MS;
    examination->from_ms = (int64_t)from;
    examination->to_ms = (int64_t)to;
    return from <= to;
}

/* Does the chain hold at some time from `from_ms` to the end of the time that
 * is known?  It is asked for the latest one at which nothing of it has ended.
 */
static enum status check_chain_of(const struct examination *examination,
                                  const struct certificate *const chain[3],
                                  int64_t from_ms, struct error *err)
{
    int64_t at = examination->to_ms, first, last;

    for (size_t i = 0; i < 3; i++) {
        certificate_validity(chain[i], &first, &last);
        at = last < at ? last : at;
    }
    if (at < from_ms)
        return error_set(err, E_REFUSED,
                         "it, its authority or the root had ended before");
    return certificate_check_chain(chain[0], chain[1], chain[2], at, err);
}

/* Is there an authority of the signer's organisation and a trusted root with
 * which it does? */
static enum status check_signer(const struct examination *examination,
                                enum attestation_step step,
                                const struct certificate *certificate,
                                struct error *err)
{
    const struct attestation *attestation = examination->attestation;
    const struct certificate_subject *subject =
        certificate_subject(certificate);
    int64_t from_ms =
        step == STEP_PERMIT || step == STEP_RELEASE ? examination->from_ms : 0;
    bool tried = false;
    struct error why;

    error_init(&why);
    for (size_t i = 0; i < attestation->authority_count; i++)
        for (size_t j = 0; j < examination->trust->root_count; j++) {
            const struct certificate *chain[] = {certificate,
                                                 attestation->authority[i],
                                                 examination->trust->root[j]};

            if (strcmp(certificate_subject(chain[1])->organisation,
                       subject->organisation) != 0)
                continue;
            if (check_chain_of(examination, chain, from_ms, &why) == OK)
                return OK;
            tried = true;
            if (why.status != E_REFUSED) {
                *err = why;
                return error_wrap(err, "%s", subject->name);
            }
        }
    return attestation_no(
        examination->findings, CHECK_SIGNERS, err,
        "%s: %s of %s does not lead to a trusted root: %s",
        attestation_step_name(step), subject->name, subject->organisation,
        tried ? why.text : "there is no authority of this organisation");
}

/* All who have signed this entry. */
static enum status check_signers_of(const struct examination *examination,
                                    enum attestation_step step,
                                    struct error *err)
{
    const struct entry *entry = entry_of(examination, step);

    for (size_t i = 0; i < entry->signature_count; i++) {
        const struct certificate *signer =
            find_signer(examination->attestation, entry->signature[i].by);

        if (signer == NULL)
            return attestation_no(
                examination->findings, CHECK_SIGNERS, err,
                "the %s is signed by %s, whose certificate is "
                "not there",
                attestation_step_name(step), entry->signature[i].by);
        if (check_signer(examination, step, signer, err) != OK)
            return err->status;
    }
    return OK;
}

static enum status check_asker(const struct examination *examination,
                               struct error *err)
{
    const struct attested_terms *terms = &examination->attestation->terms_said;
    struct attestation_findings *findings = examination->findings;
    const struct certificate *asker = findings->institute;

    if (!is_of(asker, IDENTITY_RESEARCH_INSTITUTE, NULL) &&
        !is_of(asker, IDENTITY_INSURER, NULL))
        return attestation_no(findings, CHECK_SIGNERS, err,
                              "the request is of neither a research institute "
                              "nor an insurer");
    if (strcmp(certificate_id(asker), terms->recipient) != 0 ||
        strcmp(certificate_subject(asker)->organisation, terms->organisation) !=
            0)
        return attestation_no(findings, CHECK_SIGNERS, err,
                              "the terms name another recipient than who "
                              "asked");
    return OK;
}

static bool has_signed(const struct entry *entry, const char *id)
{
    for (size_t i = 0; i < entry->signature_count; i++)
        if (strcmp(entry->signature[i].by, id) == 0)
            return true;
    return false;
}

/* The release's own endorsement: AND('H.custodian', 'H.broker',
 * 'H.anonymizer'), its author the broker, H the organisation of all. */
static enum status check_endorsers(const struct examination *examination,
                                   const char *organisation, struct error *err)
{
    struct attestation_findings *findings = examination->findings;
    const struct entry *entry = entry_of(examination, STEP_RELEASE);
    bool custodian = false;

    for (size_t i = 0; i < entry->signature_count; i++)
        custodian |=
            is_of(find_signer(examination->attestation, entry->signature[i].by),
                  IDENTITY_CUSTODIAN, organisation);
    if (!custodian)
        return attestation_no(findings, CHECK_SIGNERS, err,
                              "the release is endorsed by no custodian of %s",
                              organisation);
    if (!has_signed(entry, certificate_id(findings->anonymizer)) ||
        !is_of(findings->anonymizer, IDENTITY_ANONYMIZER, organisation))
        return attestation_no(findings, CHECK_SIGNERS, err,
                              "the release is not endorsed by the anonymizer "
                              "that signed the certificate, of %s",
                              organisation);
    return OK;
}

static enum status check_roles(const struct examination *examination,
                               struct error *err)
{
    struct attestation_findings *findings = examination->findings;
    const struct certificate *releaser = find_signer(
        examination->attestation, entry_of(examination, STEP_RELEASE)->author);
    const char *organisation;

    if (check_asker(examination, err) != OK)
        return err->status;
    if (!is_of(findings->custodian, IDENTITY_CUSTODIAN, NULL))
        return attestation_no(findings, CHECK_SIGNERS, err,
                              "the approval is of no custodian");
    organisation = certificate_subject(findings->custodian)->organisation;
    if (!is_of(findings->broker, IDENTITY_BROKER, organisation))
        return attestation_no(findings, CHECK_SIGNERS, err,
                              "the permit is of no broker of %s", organisation);
    if (!is_of(releaser, IDENTITY_BROKER, organisation))
        return attestation_no(findings, CHECK_SIGNERS, err,
                              "the release is of no broker of %s",
                              organisation);
    return check_endorsers(examination, organisation, err);
}

static enum status check_signers(struct examination *examination,
                                 struct error *err)
{
    const struct attestation *attestation = examination->attestation;
    struct attestation_findings *findings = examination->findings;

    if (!find_time(examination))
        return attestation_no(findings, CHECK_SIGNERS, err,
                              "the checkpoint was cosigned more than a day "
                              "before the permit's end, when there was no "
                              "permit yet");
    for (size_t i = 0; i < ATTESTATION_STEPS; i++)
        if (check_signers_of(examination, (enum attestation_step)i, err) != OK)
            return err->status;
    findings->institute =
        find_signer(attestation, entry_of(examination, STEP_REQUEST)->author);
    findings->custodian =
        find_signer(attestation, entry_of(examination, STEP_APPROVE)->author);
    findings->broker =
        find_signer(attestation, entry_of(examination, STEP_PERMIT)->author);
    return check_roles(examination, err);
}

static enum status check_signatures(struct examination *examination,
                                    struct error *err)
{
    for (size_t i = 0; i < ATTESTATION_STEPS; i++) {
        enum attestation_step step = (enum attestation_step)i;
        const struct entry *entry = entry_of(examination, step);

        for (size_t j = 0; j < entry->signature_count; j++) {
            const struct entry_signature *signature = &entry->signature[j];
            const struct certificate *signer =
                find_signer(examination->attestation, signature->by);

            if (public_key_verify(certificate_key(signer), entry->bytes,
                                  bytes_of(signature->bytes, signature->size),
                                  err) != OK)
                return attestation_doubt(examination->findings,
                                         CHECK_SIGNATURES,
                                         attestation_step_name(step), err);
        }
    }
    return OK;
}

/* ---- what was permitted, and what came of it ---- */

static enum status check_permit(struct examination *examination,
                                struct error *err)
{
    const struct attestation *attestation = examination->attestation;
    const struct attested_outcome *outcome = &attestation->outcome_said;

    if (outcome->rows > attestation->permit_said.count)
        return attestation_no(examination->findings, CHECK_PERMIT, err,
                              "%ju rows of %ju permitted subjects",
                              (uintmax_t)outcome->rows,
                              (uintmax_t)attestation->permit_said.count);
    return OK;
}

/* Exactly the quasi-identifiers, within the policy's bounds. */
static enum status check_levels(const struct examination *examination,
                                struct error *err)
{
    const struct policy *policy = examination->attestation->policy;
    const struct json_value *levels =
        examination->attestation->outcome_said.levels;
    size_t count = 0;

    for (size_t i = 0; i < policy->attribute_count; i++) {
        const struct policy_attribute *attribute = &policy->attribute[i];
        const struct json_value *level = json_member(levels, attribute->name);

        if (attribute->role != ROLE_QUASI_IDENTIFYING)
            continue;
        count++;
        if (level == NULL || json_number(level) < attribute->level_min ||
            json_number(level) > attribute->level_max)
            return attestation_no(examination->findings, CHECK_POLICY, err,
                                  "the level of %s is outside of the policy's "
                                  "bounds",
                                  json_quote(attribute->name).text);
    }
    if (json_length(levels) != count)
        return attestation_no(examination->findings, CHECK_POLICY, err,
                              "levels of %zu attributes, the policy has %zu "
                              "quasi-identifiers",
                              json_length(levels), count);
    return OK;
}

static enum status check_policy(struct examination *examination,
                                struct error *err)
{
    const struct attestation *attestation = examination->attestation;
    const struct attested_outcome *outcome = &attestation->outcome_said;
    struct attestation_findings *findings = examination->findings;
    char hex[DIGEST_HEX_SIZE];
    struct digest digest;

    digest_parts(&digest, &attestation->policy_text, 1);
    digest_hex(&digest, hex);
    if (strcmp(hex, attestation->terms_said.policy) != 0)
        return attestation_no(findings, CHECK_POLICY, err,
                              "the terms are for policy %s, this is %s",
                              attestation->terms_said.policy, hex);
    if (strcmp(hex, outcome->policy) != 0)
        return attestation_no(findings, CHECK_POLICY, err,
                              "the release statement is for policy %s, this "
                              "is %s",
                              outcome->policy, hex);
    if (outcome->suppressed > outcome->rows ||
        (double)outcome->suppressed >
            floor(attestation->policy->suppression_limit *
                  (double)outcome->rows))
        return attestation_no(findings, CHECK_POLICY, err,
                              "%ju of %ju rows were dropped, more than the "
                              "policy allows",
                              (uintmax_t)outcome->suppressed,
                              (uintmax_t)outcome->rows);
    return check_levels(examination, err);
}

static enum status check_release(struct examination *examination,
                                 struct error *err)
{
    const struct attestation *attestation = examination->attestation;
    const struct attested_outcome *outcome = &attestation->outcome_said;

    if (strcmp(attestation->release, outcome->release) != 0 ||
        strcmp(attestation->subject, outcome->release) != 0)
        return attestation_no(examination->findings, CHECK_RELEASE, err,
                              "the release statement is of another release");
    if (strcmp(attestation->output, outcome->output) != 0)
        return attestation_no(examination->findings, CHECK_RELEASE, err,
                              "the release statement is of a file with another "
                              "SHA-256");
    return OK;
}

enum status attestation_verify(const struct attestation *attestation,
                               const struct trust *trust,
                               struct attestation_findings *findings,
                               struct error *err)
{
    static enum status (*const checks[])(struct examination *,
                                         struct error *) = {
        [CHECK_CERTIFICATE] = check_certificate,
        [CHECK_LOG] = check_log,
        [CHECK_VERDICT] = check_verdict,
        [CHECK_CHAIN] = check_chain,
        [CHECK_TERMS] = check_terms,
        [CHECK_COMMITMENTS] = check_commitments,
        [CHECK_SIGNERS] = check_signers,
        [CHECK_SIGNATURES] = check_signatures,

        [CHECK_PERMIT] = check_permit,
        [CHECK_POLICY] = check_policy,
        [CHECK_RELEASE] = check_release,
    };
    struct examination examination = {
        .attestation = attestation, .trust = trust, .findings = findings};

    static_assert(COUNT_OF(checks) == ATTESTATION_RECOUNTED,
                  "every check that needs no file is made");
    *findings =
        (struct attestation_findings){.failed = ATTESTATION_CHECK_COUNT};
    for (size_t i = 0; i < COUNT_OF(checks); i++)
        if (checks[i](&examination, err) != OK)
            return err->status;
    return OK;
}
