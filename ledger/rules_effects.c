#include "ledger/rules_internal.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static enum status apply_enrol(const struct rules_context *context,
                               const struct entry *entry, struct error *err)
{
    struct certificate *certificate = NULL;
    enum status status = certificate_parse_pem(
        &certificate, bytes_of_string(rules_text(entry, "certificate")), err);

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
    const char *id = rules_text(entry, "certificate");
    const struct certificate_subject *subject;
    const struct registered *known = NULL;
    enum status status = registry_find(context->registry, id, &known, err);

    if (status != OK)
        return status;
    subject = certificate_subject(known->certificate);
    status = registry_revoke(context->registry, id, context->position, err);
    if (status == OK && rules_role_may(subject->role, ENTRY_APPROVE))
        status = rules_mark(context, "narrowed", subject->organisation, err);
    if (!rules_role_may(subject->role, ENTRY_REQUEST))
        return status;
    for (size_t i = 0; status == OK && i < authorities->count; i++)
        status = rules_mark(
            context, "narrowed",
            certificate_subject(authorities->item[i])->organisation, err);
    return status;
}

/* A request is for the organisation of its dataset to answer; what follows
 * takes over from the entry before it what it rests on. */
static enum status apply_step(const struct rules_context *context,
                              const struct entry *entry, const char *reference,
                              struct error *err)
{
    const char *referred = rules_text(entry, reference);
    const char *terms = rules_text(entry, "terms");
    struct referred step;
    enum status status = rules_look_up(context, referred, &step, err);

    if (status != OK)
        return status;
    memcpy(step.terms, terms, strlen(terms) + 1);
    step.number = 0;
    if (entry->type == ENTRY_REQUEST)
        memcpy(step.recipient, entry->author, sizeof step.recipient);
    if (entry->type == ENTRY_APPROVE)
        memcpy(step.custodian, entry->author, sizeof step.custodian);
    if (entry->type == ENTRY_PERMIT) {
        step.number = rules_number(entry, "expires");
        memcpy(step.approval, referred, strlen(referred) + 1);
    }
    /* A dataset can be requested, an approval be permitted, again and again. */
    if (entry->type == ENTRY_APPROVE || entry->type == ENTRY_RELEASE)
        status = rules_mark(context, "used", referred, err);
    if (status == OK && entry->type == ENTRY_RELEASE)
        status = rules_mark(context, "used", step.approval, err);
    return status == OK ? rules_remember(context, entry, &step, err) : status;
}

static enum status apply_dataset(const struct rules_context *context,
                                 const struct entry *entry,
                                 const char *organisation, struct error *err)
{
    struct referred step = {0};

    memcpy(step.organisation, organisation, strlen(organisation) + 1);
    return rules_remember(context, entry, &step, err);
}

/* Who the nodes are is on record here; genesis.json says who they were at
 * first. */
static enum status apply_member(const struct rules_context *context,
                                const struct entry *entry, struct error *err)
{
    char key[STATE_KEY_MAX], node[32];
    struct text value;
    enum status status;

    snprintf(node, sizeof node, "%ju", (uintmax_t)rules_number(entry, "node"));
    rules_make_key(key, "member", node);
    text_init(&value);
    status = rules_append_string(&value, rules_text(entry, "action"), err);
    if (status == OK)
        status =
            rules_append_string(&value, rules_text(entry, "cosigner"), err);
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
        return rules_mark(context, "narrowed", organisation, err);
    case ENTRY_REQUEST:
        return apply_step(context, entry, "dataset", err);
    case ENTRY_APPROVE:
        return apply_step(context, entry, "request", err);
    case ENTRY_REJECT:
        status = rules_mark(context, "used", rules_text(entry, "request"), err);
        return status == OK ? rules_mark(context, "narrowed", organisation, err)
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
