#include "ledger/rules.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/encoding.h"
#include "common/note.h"

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

/* ---- what a payload must hold ---- */

enum member_form {
    FORM_COMMITMENT, /* 64 hex digits */
    FORM_REFERENCE,  /* the id of an entry, 64 hex digits */
    FORM_CERTIFICATE_ID,
    FORM_SIZE, /* a whole number from 0 */
    FORM_TEXT, /* 1 to PAYLOAD_TEXT_MAX bytes */
    FORM_PEM,  /* a text; the rule of enrol reads it */
    FORM_ACTION
};

/* A reason, a key of the state, a cosigner's key. */
#define PAYLOAD_TEXT_MAX 256

struct member_rule {
    enum entry_type type;
    enum member_form form;
    const char *name;
};

static const struct member_rule member_rules[] = {
    {ENTRY_DATASET, FORM_COMMITMENT, "commitment"},
    {ENTRY_CONSENT, FORM_COMMITMENT, "commitment"},
    {ENTRY_WITHDRAW, FORM_COMMITMENT, "commitment"},
    {ENTRY_ERASE, FORM_COMMITMENT, "commitment"},
    {ENTRY_REQUEST, FORM_REFERENCE, "dataset"},
    {ENTRY_REQUEST, FORM_COMMITMENT, "terms"},
    {ENTRY_APPROVE, FORM_REFERENCE, "request"},
    {ENTRY_APPROVE, FORM_COMMITMENT, "terms"},
    {ENTRY_REJECT, FORM_REFERENCE, "request"},
    {ENTRY_PERMIT, FORM_REFERENCE, "approve"},
    {ENTRY_PERMIT, FORM_COMMITMENT, "terms"},
    {ENTRY_PERMIT, FORM_COMMITMENT, "commitment"},
    {ENTRY_PERMIT, FORM_SIZE, "size"},
    {ENTRY_PERMIT, FORM_SIZE, "expires"},
    {ENTRY_RELEASE, FORM_REFERENCE, "permit"},
    {ENTRY_RELEASE, FORM_COMMITMENT, "terms"},
    {ENTRY_RELEASE, FORM_COMMITMENT, "commitment"},
    {ENTRY_RELEASE, FORM_SIZE, "checked"},
    {ENTRY_ACCESS, FORM_COMMITMENT, "commitment"},
    {ENTRY_ACCESS, FORM_SIZE, "count"},
    {ENTRY_ENROL, FORM_PEM, "certificate"},
    {ENTRY_REVOKE, FORM_CERTIFICATE_ID, "certificate"},
    {ENTRY_REVOKE, FORM_TEXT, "reason"},
    {ENTRY_MEMBER, FORM_SIZE, "node"},
    {ENTRY_MEMBER, FORM_ACTION, "action"},
    {ENTRY_MEMBER, FORM_TEXT, "cosigner"},
};

static bool is_hex(const struct json_value *value, size_t digits)
{
    const char *text;

    if (json_kind(value) != JSON_STRING)
        return false;
    text = json_string(value);
    return strlen(text) == digits && strspn(text, "0123456789abcdef") == digits;
}

static bool has_form(const struct json_value *value, enum member_form form)
{
    int64_t number;
    size_t size;

    switch (form) {
    case FORM_COMMITMENT:
    case FORM_REFERENCE:
        return is_hex(value, 2 * (size_t)DIGEST_SIZE);
    case FORM_CERTIFICATE_ID:
        return is_hex(value, CERTIFICATE_ID_SIZE - 1);
    case FORM_SIZE:
        return json_kind(value) == JSON_NUMBER &&
               json_integer(value, &number) && number >= 0;
    case FORM_TEXT:
    case FORM_PEM:
        if (json_kind(value) != JSON_STRING)
            return false;
        size = strlen(json_string(value));
        return size > 0 && (form == FORM_PEM || size <= PAYLOAD_TEXT_MAX);
    case FORM_ACTION:
        return json_kind(value) == JSON_STRING &&
               (strcmp(json_string(value), "add") == 0 ||
                strcmp(json_string(value), "remove") == 0);
    }
    assert(false && "a form without a rule");
    return false;
}

/* A list of {"key", "version"}. */
static bool reads_have_form(const struct json_value *reads)
{
    if (json_kind(reads) != JSON_ARRAY || json_length(reads) > RULES_READS_MAX)
        return false;
    for (const struct json_value *read = json_first(reads); read != NULL;
         read = json_next(read)) {
        const struct json_value *key, *version;

        if (json_kind(read) != JSON_OBJECT || json_length(read) != 2)
            return false;
        key = json_member(read, "key");
        version = json_member(read, "version");
        if (key == NULL || version == NULL || !has_form(key, FORM_TEXT) ||
            !has_form(version, FORM_SIZE))
            return false;
    }
    return true;
}

/* Exactly the members of the type, and perhaps "reads". */
static bool payload_has_form(const struct entry *entry)
{
    const struct json_value *reads = json_member(entry->payload, "reads");
    size_t members = reads != NULL;

    if (reads != NULL && !reads_have_form(reads))
        return false;
    for (size_t i = 0; i < sizeof member_rules / sizeof member_rules[0]; i++) {
        const struct member_rule *rule = &member_rules[i];
        const struct json_value *value;

        if (rule->type != entry->type)
            continue;
        value = json_member(entry->payload, rule->name);
        if (value == NULL || !has_form(value, rule->form))
            return false;
        members++;
    }
    return json_length(entry->payload) == members;
}

static const char *payload_text(const struct entry *entry, const char *name)
{
    return json_string(json_member(entry->payload, name));
}

/* Of what has FORM_SIZE. */
static uint64_t number_of(const struct json_value *value)
{
    int64_t number = 0;
    bool whole = json_integer(value, &number);

    assert(whole && number >= 0);
    return (uint64_t)number;
}

static uint64_t payload_number(const struct entry *entry, const char *name)
{
    return number_of(json_member(entry->payload, name));
}

/* ---- references ----
 * State "entry/<id>" of a valid entry that others may refer to:
 *
 *     type || be64(number of the type: a permit's expiry) || organisation || 0
 *     || terms || 0 || recipient || 0 || custodian || 0 || approval || 0
 *
 * organisation is that of the dataset; recipient and custodian are the
 * certificates of who requested and who approved, empty before that was done;
 * approval is the id of the approve entry that a permit rests on.
 * "used/<id>" is there once the entry was followed.  A permit follows an
 * approval without using it up, since consents may change and another permit be
 * needed; a release does, so that there is one for each approval. */

struct referred {
    enum entry_type type;
    uint64_t number;
    char organisation[IDENTITY_NAME_MAX + 1];
    char terms[2 * DIGEST_SIZE + 1];
    char recipient[CERTIFICATE_ID_SIZE];
    char custodian[CERTIFICATE_ID_SIZE];
    char approval[2 * DIGEST_SIZE + 1];
    bool found;
    bool used;
};

/* A kind, a slash and the longest name. */
#define STATE_KEY_MAX 128

static void make_key(char key[STATE_KEY_MAX], const char *kind,
                     const char *name)
{
    int size = snprintf(key, STATE_KEY_MAX, "%s/%s", kind, name);

    assert(size > 0 && size < STATE_KEY_MAX);
}

/* The string in front of *rest, NUL included. */
static bool take_string(struct bytes *rest, char *out, size_t out_size)
{
    size_t size = strnlen((const char *)rest->data, rest->size) + 1;

    if (size > rest->size || size > out_size)
        return false;
    memcpy(out, rest->data, size);
    *rest = bytes_of(rest->data + size, rest->size - size);
    return true;
}

/* False for what we did not write. */
static bool decode_referred(struct bytes value, struct referred *referred)
{
    struct bytes rest;

    if (value.size < 9 || value.data[0] >= ENTRY_TYPE_COUNT)
        return false;
    referred->type = (enum entry_type)value.data[0];
    referred->number = get_be64(value.data + 1);
    rest = bytes_of(value.data + 9, value.size - 9);
    referred->found = true;
    return take_string(&rest, referred->organisation,
                       sizeof referred->organisation) &&
           take_string(&rest, referred->terms, sizeof referred->terms) &&
           take_string(&rest, referred->recipient,
                       sizeof referred->recipient) &&
           take_string(&rest, referred->custodian,
                       sizeof referred->custodian) &&
           take_string(&rest, referred->approval, sizeof referred->approval) &&
           rest.size == 0;
}

static enum status altered(const char *what, struct error *err)
{
    return error_set(err, E_INPUT,
                     "the state of %s is not what was written; the database "
                     "was altered",
                     what);
}

static enum status is_used(const struct rules_context *context, const char *id,
                           bool *used, struct error *err)
{
    char key[STATE_KEY_MAX];
    struct text value;
    uint64_t version;
    enum status status;

    text_init(&value);
    make_key(key, "used", id);
    status = ledger_store_get(context->store, key, &value, &version, err);
    *used = version != STORE_NONE;
    text_clear(&value);
    return status;
}

static enum status look_up(const struct rules_context *context, const char *id,
                           struct referred *referred, struct error *err)
{
    char key[STATE_KEY_MAX];
    struct text value;
    uint64_t version;
    enum status status;

    *referred = (struct referred){0};
    text_init(&value);
    make_key(key, "entry", id);
    status = ledger_store_get(context->store, key, &value, &version, err);
    if (status == OK && version != STORE_NONE &&
        !decode_referred(text_bytes(&value), referred))
        status = altered("an entry", err);
    if (status == OK)
        status = is_used(context, id, &referred->used, err);
    text_clear(&value);
    return status;
}

/* Was a certificate that it rests on revoked by an entry before `size`? */
static enum status rests_on_revoked(const struct rules_context *context,
                                    const struct referred *referred,
                                    uint64_t size, bool *revoked,
                                    struct error *err)
{
    const char *id[] = {referred->recipient, referred->custodian};

    *revoked = false;
    for (size_t i = 0; i < sizeof id / sizeof id[0]; i++) {
        const struct registered *found = NULL;

        if (id[i][0] == '\0')
            continue;
        if (registry_find(context->registry, id[i], &found, err) != OK)
            return err->status;
        if (found == NULL)
            return altered("an entry", err);
        *revoked |= found->revoked && found->revoked_at < size;
    }
    return OK;
}

static enum status append_string(struct text *out, const char *string,
                                 struct error *err)
{
    return text_append(out, string, strlen(string) + 1, err);
}

/* `step` says all but type and terms, which are the entry's own. */
static enum status remember(const struct rules_context *context,
                            const struct entry *entry,
                            const struct referred *step, struct error *err)
{
    char key[STATE_KEY_MAX], hex[DIGEST_HEX_SIZE];
    uint8_t head[9] = {(uint8_t)entry->type};
    struct text value;
    enum status status;

    digest_hex(&entry->id, hex);
    make_key(key, "entry", hex);
    put_be64(head + 1, step->number);
    text_init(&value);
    status = text_append(&value, head, sizeof head, err);
    if (status == OK)
        status = append_string(&value, step->organisation, err);
    if (status == OK)
        status = append_string(&value, step->terms, err);
    if (status == OK)
        status = append_string(&value, step->recipient, err);
    if (status == OK)
        status = append_string(&value, step->custodian, err);
    if (status == OK)
        status = append_string(&value, step->approval, err);
    if (status == OK)
        status = ledger_store_put(context->store, key, text_bytes(&value),
                                  context->position, err);
    text_clear(&value);
    return status;
}

static enum status mark(const struct rules_context *context, const char *kind,
                        const char *name, struct error *err)
{
    char key[STATE_KEY_MAX];

    make_key(key, kind, name);
    return ledger_store_put(context->store, key, bytes_of(NULL, 0),
                            context->position, err);
}

/* ---- the rules of the types ---- */

static bool same_terms(const struct entry *entry,
                       const struct referred *referred)
{
    return strcmp(payload_text(entry, "terms"), referred->terms) == 0;
}

static enum status judge_request(const struct rules_context *context,
                                 const struct entry *entry,
                                 enum entry_verdict *verdict, struct error *err)
{
    struct referred dataset;
    enum status status =
        look_up(context, payload_text(entry, "dataset"), &dataset, err);

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
        look_up(context, payload_text(entry, "request"), &request, err);

    if (status == OK && entry->type == ENTRY_APPROVE)
        status = rests_on_revoked(context, &request, STORE_NONE, &revoked, err);
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
    uint64_t expires = payload_number(entry, "expires");
    struct referred approve;
    bool revoked;
    enum status status =
        look_up(context, payload_text(entry, "approve"), &approve, err);

    if (status == OK)
        status = rests_on_revoked(context, &approve, STORE_NONE, &revoked, err);
    if (status != OK)
        return status;
    if (!approve.found || approve.type != ENTRY_APPROVE || approve.used ||
        revoked || strcmp(approve.organisation, author->organisation) != 0 ||
        !same_terms(entry, &approve) ||
        payload_number(entry, "size") > context->position ||
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
    make_key(key, "narrowed", organisation);
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
    uint64_t checked = payload_number(entry, "checked");
    struct referred permit;
    bool stale = false, revoked, released = false;
    enum status status =
        look_up(context, payload_text(entry, "permit"), &permit, err);

    if (status == OK)
        status = rests_on_revoked(context, &permit, checked, &revoked, err);
    if (status == OK && permit.approval[0] != '\0')
        status = is_used(context, permit.approval, &released, err);
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

/* A failure of this node, about which others know nothing, is no reason to
 * find an entry wrong. */
static bool is_our_own(enum status status)
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
        &certificate, bytes_of_string(payload_text(entry, "certificate")),
        &refusal);
    if (status == OK)
        status = genesis_check_certificate(context->genesis, certificate,
                                           (int64_t)context->time_ms, &refusal);
    if (is_our_own(status)) {
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
        context->registry, payload_text(entry, "certificate"), &known, err);

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
        &cosigner, bytes_of_string(payload_text(entry, "cosigner")), &refusal);
    note_verifier_clear(&cosigner);
    if (is_our_own(status)) {
        *err = refusal;
        return status;
    }
    if (status != OK || payload_number(entry, "node") < 1)
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
        if (stored != number_of(json_member(read, "version")))
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
    else if (!payload_has_form(entry))
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

/* ---- effects ---- */

static enum status apply_enrol(const struct rules_context *context,
                               const struct entry *entry, struct error *err)
{
    struct certificate *certificate = NULL;
    enum status status = certificate_parse_pem(
        &certificate, bytes_of_string(payload_text(entry, "certificate")), err);

    if (status == OK)
        status = registry_enrol(context->registry, certificate,
                                context->position, err);
    certificate_destroy(&certificate);
    return status;
}

/* Who could be a recipient narrows what everybody may release; a custodian
 * narrows what rests on his approval. */
static enum status apply_revoke(const struct rules_context *context,
                                const struct entry *entry, struct error *err)
{
    const struct genesis_certificates *authorities =
        &context->genesis->authorities;
    const char *id = payload_text(entry, "certificate");
    const struct certificate_subject *subject;
    const struct registered *known = NULL;
    enum status status = registry_find(context->registry, id, &known, err);

    if (status != OK)
        return status;
    subject = certificate_subject(known->certificate);
    status = registry_revoke(context->registry, id, context->position, err);
    if (status == OK && rules_role_may(subject->role, ENTRY_APPROVE))
        status = mark(context, "narrowed", subject->organisation, err);
    if (!rules_role_may(subject->role, ENTRY_REQUEST))
        return status;
    for (size_t i = 0; status == OK && i < authorities->count; i++)
        status =
            mark(context, "narrowed",
                 certificate_subject(authorities->item[i])->organisation, err);
    return status;
}

/* A request is for the organisation of its dataset to answer; what follows
 * takes over from the entry before it what it rests on. */
static enum status apply_step(const struct rules_context *context,
                              const struct entry *entry, const char *reference,
                              struct error *err)
{
    const char *referred = payload_text(entry, reference);
    const char *terms = payload_text(entry, "terms");
    struct referred step;
    enum status status = look_up(context, referred, &step, err);

    if (status != OK)
        return status;
    memcpy(step.terms, terms, strlen(terms) + 1);
    step.number = 0;
    if (entry->type == ENTRY_REQUEST)
        memcpy(step.recipient, entry->author, sizeof step.recipient);
    if (entry->type == ENTRY_APPROVE)
        memcpy(step.custodian, entry->author, sizeof step.custodian);
    if (entry->type == ENTRY_PERMIT) {
        step.number = payload_number(entry, "expires");
        memcpy(step.approval, referred, strlen(referred) + 1);
    }
    /* A dataset can be requested, an approval be permitted, again and again. */
    if (entry->type == ENTRY_APPROVE || entry->type == ENTRY_RELEASE)
        status = mark(context, "used", referred, err);
    if (status == OK && entry->type == ENTRY_RELEASE)
        status = mark(context, "used", step.approval, err);
    return status == OK ? remember(context, entry, &step, err) : status;
}

static enum status apply_dataset(const struct rules_context *context,
                                 const struct entry *entry,
                                 const char *organisation, struct error *err)
{
    struct referred step = {0};

    memcpy(step.organisation, organisation, strlen(organisation) + 1);
    return remember(context, entry, &step, err);
}

/* Who the nodes are is on record here; genesis.json says who they were at
 * first. */
static enum status apply_member(const struct rules_context *context,
                                const struct entry *entry, struct error *err)
{
    char key[STATE_KEY_MAX], node[32];
    struct text value;
    enum status status;

    snprintf(node, sizeof node, "%ju",
             (uintmax_t)payload_number(entry, "node"));
    make_key(key, "member", node);
    text_init(&value);
    status = append_string(&value, payload_text(entry, "action"), err);
    if (status == OK)
        status = append_string(&value, payload_text(entry, "cosigner"), err);
    if (status == OK)
        status = ledger_store_put(context->store, key, text_bytes(&value),
                                  context->position, err);
    text_clear(&value);
    return status;
}

enum status rules_apply(const struct rules_context *context,
                        const struct entry *entry, struct error *err)
{
    const struct registered *author = NULL;
    const char *organisation;
    enum status status =
        registry_find(context->registry, entry->author, &author, err);

    if (status != OK)
        return status;
    assert(author != NULL);
    organisation = certificate_subject(author->certificate)->organisation;
    switch (entry->type) {
    case ENTRY_DATASET:
        return apply_dataset(context, entry, organisation, err);
    case ENTRY_CONSENT:
    case ENTRY_WITHDRAW:
    case ENTRY_ERASE:
        return mark(context, "narrowed", organisation, err);
    case ENTRY_REQUEST:
        return apply_step(context, entry, "dataset", err);
    case ENTRY_APPROVE:
        return apply_step(context, entry, "request", err);
    case ENTRY_REJECT:
        status = mark(context, "used", payload_text(entry, "request"), err);
        return status == OK ? mark(context, "narrowed", organisation, err)
                            : status;
    case ENTRY_PERMIT:
        return apply_step(context, entry, "approve", err);
    case ENTRY_RELEASE:
        return apply_step(context, entry, "permit", err);
    case ENTRY_ENROL:
        return apply_enrol(context, entry, err);
    case ENTRY_REVOKE:
        return apply_revoke(context, entry, err);
    case ENTRY_MEMBER:
        return apply_member(context, entry, err);
    case ENTRY_ACCESS:
        return OK;
    case ENTRY_TYPE_COUNT:
        break;
    }
    assert(false && "a type without an effect");
    return OK;
}
