#include <assert.h>
#include <string.h>

#include "common/note.h"
#include "ledger/rules_internal.h"

/* ---- role x type ---- */

#define MAY(id) (UINT32_C(1) << IDENTITY_##id)

#define STAFF                                                                  \
    (MAY(DOCTOR) | MAY(NURSE) | MAY(PHARMACIST) | MAY(DIETITIAN) |             \
     MAY(RADIOGRAPHER))

static const uint32_t may_write[ENTRY_TYPE_COUNT] = {
    [ENTRY_DATASET] = MAY(CUSTODIAN),
    [ENTRY_CONSENT] = MAY(BROKER) | MAY(PATIENT),
    [ENTRY_WITHDRAW] = MAY(BROKER) | MAY(PATIENT),
    [ENTRY_ERASE] = MAY(CUSTODIAN),
    [ENTRY_REQUEST] = MAY(RESEARCH_INSTITUTE) | MAY(INSURER),
    [ENTRY_APPROVE] = MAY(CUSTODIAN),
    [ENTRY_REJECT] = MAY(CUSTODIAN),
    [ENTRY_PERMIT] = MAY(BROKER),
    [ENTRY_RELEASE] = MAY(BROKER),
    [ENTRY_ACCESS] = MAY(BROKER) | MAY(ANONYMIZER) | MAY(CUSTODIAN) | STAFF,
    [ENTRY_ENROL] = MAY(HOSPITAL_MANAGER) | MAY(GOVERNOR),
    [ENTRY_REVOKE] = MAY(HOSPITAL_MANAGER) | MAY(GOVERNOR),
    [ENTRY_MEMBER] = MAY(GOVERNOR),
};

bool rules_role_may(enum identity_role role, enum entry_type type)
{
    assert(role < IDENTITY_ROLE_COUNT && type < ENTRY_TYPE_COUNT);
    return (may_write[type] >> role & 1) != 0;
}

/* ---- the rules of the types ---- */

static bool same_terms(const struct entry *entry,
                       const struct referred *referred)
{
    return strcmp(rules_text(entry, "terms"), referred->terms) == 0;
}

static enum status judge_request(const struct rules_context *context,
                                 const struct entry *entry,
                                 enum entry_verdict *verdict, struct error *err)
{
    struct referred dataset;
    enum status status =
        rules_look_up(context, rules_text(entry, "dataset"), &dataset, err);

    if (status == OK && (!dataset.found || dataset.type != ENTRY_DATASET))
        *verdict = VERDICT_AGAINST_RULE;
    return status;
}

/* Approve and reject: once, by a custodian of the dataset's organisation,
 * which the request's state carries. */
static enum status judge_answer(const struct rules_context *context,
                                const struct entry *entry,
                                const struct certificate_subject *author,
                                enum entry_verdict *verdict, struct error *err)
{
    struct referred request;
    bool revoked = false;
    enum status status =
        rules_look_up(context, rules_text(entry, "request"), &request, err);

    if (status == OK && entry->type == ENTRY_APPROVE)
        status = rules_rests_on_revoked(context, &request, STORE_NONE, &revoked,
                                        err);
    if (status != OK)
        return status;
    if (!request.found || request.type != ENTRY_REQUEST || request.used ||
        revoked || strcmp(request.organisation, author->organisation) != 0 ||
        (entry->type == ENTRY_APPROVE && !same_terms(entry, &request)))
        *verdict = VERDICT_AGAINST_RULE;
    return OK;
}

static enum status judge_permit(const struct rules_context *context,
                                const struct entry *entry,
                                const struct certificate_subject *author,
                                enum entry_verdict *verdict, struct error *err)
{
    uint64_t expires = rules_number(entry, "expires");
    struct referred approve;
    bool revoked;
    enum status status =
        rules_look_up(context, rules_text(entry, "approve"), &approve, err);

    if (status == OK)
        status = rules_rests_on_revoked(context, &approve, STORE_NONE, &revoked,
                                        err);
    if (status != OK)
        return status;
    if (!approve.found || approve.type != ENTRY_APPROVE || approve.used ||
        revoked || strcmp(approve.organisation, author->organisation) != 0 ||
        !same_terms(entry, &approve) ||
        rules_number(entry, "size") > context->position ||
        expires <= context->time_ms ||
        expires - context->time_ms > (uint64_t)RULES_PERMIT_MS)
        *verdict = VERDICT_AGAINST_RULE;
    return OK;
}

/* Does a narrowing entry of the organisation stand at or behind `checked`? */
static enum status is_stale(const struct rules_context *context,
                            const char *organisation, uint64_t checked,
                            bool *stale, struct error *err)
{
    char key[STATE_KEY_MAX];
    struct text value;
    uint64_t version;
    enum status status;

    text_init(&value);
    rules_make_key(key, "narrowed", organisation);
    status = ledger_store_get(context->store, key, &value, &version, err);
    *stale = version != STORE_NONE && version >= checked;
    text_clear(&value);
    return status;
}

/* A revocation at or behind `checked` narrows: the broker looks again.  One
 * before it he has seen, and proposes all the same. */
static enum status judge_release(const struct rules_context *context,
                                 const struct entry *entry,
                                 const struct certificate_subject *author,
                                 enum entry_verdict *verdict, struct error *err)
{
    uint64_t checked = rules_number(entry, "checked");
    struct referred permit;
    bool stale = false, revoked, released = false;
    enum status status =
        rules_look_up(context, rules_text(entry, "permit"), &permit, err);

    if (status == OK)
        status =
            rules_rests_on_revoked(context, &permit, checked, &revoked, err);
    if (status == OK && permit.approval[0] != '\0')
        status = rules_is_used(context, permit.approval, &released, err);
    if (status != OK)
        return status;
    if (!permit.found || permit.type != ENTRY_PERMIT || permit.used ||
        released || revoked ||
        strcmp(permit.organisation, author->organisation) != 0 ||
        !same_terms(entry, &permit) || permit.number <= context->time_ms ||
        checked > context->position) {
        *verdict = VERDICT_AGAINST_RULE;
        return OK;
    }
    status = is_stale(context, author->organisation, checked, &stale, err);
    if (stale)
        *verdict = VERDICT_STALE;
    return status;
}

/* A manager acts for his own organisation, a governor for all. */
static bool acts_for(const struct certificate_subject *author,
                     const char *organisation)
{
    return author->role == IDENTITY_GOVERNOR ||
           strcmp(author->organisation, organisation) == 0;
}

bool rules_own_failure(enum status status)
{
    return status != OK && status != E_INPUT && status != E_LIMIT &&
           status != E_REFUSED;
}

/* Who may enrol whom: a governor acts for all organisations, so that only a
 * governor may make another. */
static bool may_enrol(const struct certificate_subject *author,
                      const struct certificate_subject *subject)
{
    return acts_for(author, subject->organisation) &&
           (subject->role != IDENTITY_GOVERNOR ||
            author->role == IDENTITY_GOVERNOR);
}

static enum status judge_enrol(const struct rules_context *context,
                               const struct entry *entry,
                               const struct certificate_subject *author,
                               enum entry_verdict *verdict, struct error *err)
{
    struct certificate *certificate = NULL;
    const struct registered *known = NULL;
    struct error refusal;
    enum status status;

    error_init(&refusal);
    status = certificate_parse_pem(
        &certificate, bytes_of_string(rules_text(entry, "certificate")),
        &refusal);
    if (status == OK)
        status = genesis_check_certificate(context->genesis, certificate,
                                           (int64_t)context->time_ms, &refusal);
    if (rules_own_failure(status)) {
        *err = refusal;
    } else if (status != OK) {
        *verdict = VERDICT_AGAINST_RULE;
        status = OK;
    } else {
        status = registry_find(context->registry, certificate_id(certificate),
                               &known, err);
        if (status == OK &&
            (known != NULL ||
             !may_enrol(author, certificate_subject(certificate))))
            *verdict = VERDICT_AGAINST_RULE;
    }
    certificate_destroy(&certificate);
    return status;
}

static enum status judge_revoke(const struct rules_context *context,
                                const struct entry *entry,
                                const struct certificate_subject *author,
                                enum entry_verdict *verdict, struct error *err)
{
    const struct registered *known = NULL;
    enum status status = registry_find(
        context->registry, rules_text(entry, "certificate"), &known, err);

    if (status == OK &&
        (known == NULL || known->revoked ||
         !acts_for(author,
                   certificate_subject(known->certificate)->organisation)))
        *verdict = VERDICT_AGAINST_RULE;
    return status;
}

static enum status judge_member(const struct entry *entry,
                                enum entry_verdict *verdict, struct error *err)
{
    struct note_verifier cosigner = {0};
    struct error refusal;
    enum status status;

    error_init(&refusal);
    status = note_verifier_parse(
        &cosigner, bytes_of_string(rules_text(entry, "cosigner")), &refusal);
    note_verifier_clear(&cosigner);
    if (rules_own_failure(status)) {
        *err = refusal;
        return status;
    }
    if (status != OK || rules_number(entry, "node") < 1)
        *verdict = VERDICT_AGAINST_RULE;
    return OK;
}

static enum status judge_type(const struct rules_context *context,
                              const struct entry *entry,
                              const struct certificate_subject *author,
                              enum entry_verdict *verdict, struct error *err)
{
    switch (entry->type) {
    case ENTRY_REQUEST:
        return judge_request(context, entry, verdict, err);
    case ENTRY_APPROVE:
    case ENTRY_REJECT:
        return judge_answer(context, entry, author, verdict, err);
    case ENTRY_PERMIT:
        return judge_permit(context, entry, author, verdict, err);
    case ENTRY_RELEASE:
        return judge_release(context, entry, author, verdict, err);
    case ENTRY_ENROL:
        return judge_enrol(context, entry, author, verdict, err);
    case ENTRY_REVOKE:
        return judge_revoke(context, entry, author, verdict, err);
    case ENTRY_MEMBER:
        return judge_member(entry, verdict, err);
    case ENTRY_DATASET:
    case ENTRY_CONSENT:
    case ENTRY_WITHDRAW:
    case ENTRY_ERASE:
    case ENTRY_ACCESS:
        return OK; /* what the payload's form says is all */
    case ENTRY_TYPE_COUNT:
        break;
    }
    assert(false && "a type without a rule");
    return OK;
}

/* ---- versions that were read ---- */

static enum status judge_reads(const struct rules_context *context,
                               const struct entry *entry,
                               enum entry_verdict *verdict, struct error *err)
{
    const struct json_value *reads = json_member(entry->payload, "reads");
    const struct json_value *read = reads == NULL ? NULL : json_first(reads);
    struct text value;
    enum status status = OK;

    text_init(&value);
    for (; status == OK && read != NULL; read = json_next(read)) {
        uint64_t stored = STORE_NONE;

        status = ledger_store_get(context->store,
                                  json_string(json_member(read, "key")), &value,
                                  &stored, err);
        if (stored != rules_number_of(json_member(read, "version")))
            *verdict = VERDICT_STALE;
    }
    text_clear(&value);
    return status;
}

/* ---- signers ---- */

struct signers {
    const struct certificate_subject *subject[ENTRY_SIGNATURES_MAX];
    size_t count; /* the author is the first */
};

static bool valid_at(const struct rules_context *context,
                     const struct registered *registered)
{
    int64_t time_ms = (int64_t)context->time_ms;

    return registered->validity.from_ms <= time_ms &&
           time_ms <= registered->validity.to_ms;
}

/* All signers must be known before anything else is said of them. */
static enum status judge_signers(const struct rules_context *context,
                                 const struct entry *entry,
                                 bool signatures_hold, struct signers *signers,
                                 enum entry_verdict *verdict, struct error *err)
{
    bool expired = false, revoked = false, unknown = false;

    signers->subject[0] = NULL;
    signers->count = entry->signature_count;
    for (size_t i = 0, next = 1; i < entry->signature_count; i++) {
        const struct registered *found = NULL;
        bool author = strcmp(entry->signature[i].by, entry->author) == 0;

        if (registry_find(context->registry, entry->signature[i].by, &found,
                          err) != OK)
            return err->status;
        if (found == NULL) {
            unknown = true;
            continue;
        }
        signers->subject[author ? 0 : next++] =
            certificate_subject(found->certificate);
        expired |= !valid_at(context, found);
        revoked |= found->revoked;
    }
    if (unknown)
        *verdict = VERDICT_UNKNOWN_SIGNER;
    else if (!signatures_hold)
        *verdict = VERDICT_BAD_SIGNATURE;
    else if (expired)
        *verdict = VERDICT_EXPIRED;
    else if (revoked)
        *verdict = VERDICT_REVOKED;
    return OK;
}

/* Membership of nodes is the nodes' own affair: k of them must sign. */
static bool enough_nodes(const struct rules_context *context,
                         const struct entry *entry)
{
    size_t nodes = 0;

    for (size_t i = 0; i < entry->signature_count; i++)
        for (size_t n = 0; n < context->genesis->node_count; n++)
            nodes +=
                strcmp(entry->signature[i].by,
                       certificate_id(context->genesis->node[n].certificate)) ==
                0;
    return nodes >= genesis_quorum(context->genesis);
}

static bool endorsed(const struct rules_context *context,
                     const struct entry *entry, const struct signers *signers)
{
    const struct endorsement *endorsement =
        context->genesis->endorsement[entry->type];

    if (entry->type == ENTRY_MEMBER && !enough_nodes(context, entry))
        return false;
    return endorsement == NULL ||
           endorsement_met(endorsement, signers->subject, signers->count);
}

/* ---- the judgement, in the order of docs/protocol.md ---- */

enum status rules_judge(const struct rules_context *context,
                        const struct entry *entry, bool signatures_hold,
                        enum entry_verdict *verdict, struct error *err)
{
    struct signers signers;
    uint64_t before;
    enum status status;

    *verdict = VERDICT_VALID;
    status =
        judge_signers(context, entry, signatures_hold, &signers, verdict, err);
    if (status != OK || *verdict != VERDICT_VALID)
        return status;
    /* entry_parse() has seen the author's own signature. */
    assert(signers.subject[0] != NULL);
    status =
        ledger_store_find_nonce(context->store, entry->nonce, &before, err);
    if (status != OK)
        return status;
    if (before != STORE_NONE)
        *verdict = VERDICT_CONFLICT;
    else if (!rules_role_may(signers.subject[0]->role, entry->type))
        *verdict = VERDICT_FORBIDDEN;
    else if (!rules_payload_has_form(entry))
        *verdict = VERDICT_AGAINST_RULE;
    if (*verdict == VERDICT_VALID)
        status = judge_type(context, entry, signers.subject[0], verdict, err);
    if (status == OK && *verdict == VERDICT_VALID)
        status = judge_reads(context, entry, verdict, err);
    if (status == OK && *verdict == VERDICT_VALID &&
        !endorsed(context, entry, &signers))
        *verdict = VERDICT_NOT_ENDORSED;
    return status;
}
