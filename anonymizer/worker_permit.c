#include "anonymizer/worker_permit.h"

#include <string.h>

#include "anonymizer/policy_bundle.h"
#include "common/encoding.h"
#include "common/json.h"

void worker_permit_ids(const struct worker_package *package,
                       struct digest id[PERMIT_STEPS])
{
    id[PERMIT_REQUEST] = package->request;
    id[PERMIT_APPROVE] = package->approve;
    id[PERMIT_PERMIT] = package->permit;
}

static enum status refuse(struct error *err, const char *why)
{
    return error_set(err, E_REFUSED, "the permit: %s", why);
}

static const struct entry *entry_of(const struct permit_case *given,
                                    enum permit_step step)
{
    return &given->proofs->proof[step]->entry;
}

/* "" where there is none, which nothing is equal to. */
static const char *payload_text(const struct entry *entry, const char *key)
{
    const struct json_value *value = json_member(entry->payload, key);

    return value != NULL && json_kind(value) == JSON_STRING ? json_string(value)
                                                            : "";
}

static bool payload_is(const struct entry *entry, const char *key,
                       uint64_t number)
{
    const struct json_value *value = json_member(entry->payload, key);
    int64_t said = 0;

    return value != NULL && json_kind(value) == JSON_NUMBER &&
           json_integer(value, &said) && said >= 0 && (uint64_t)said == number;
}

static bool payload_names(const struct entry *entry, const char *key,
                          const struct digest *id)
{
    char hex[DIGEST_HEX_SIZE];

    digest_hex(id, hex);
    return strcmp(payload_text(entry, key), hex) == 0;
}

/* ---- the entries ---- */

static enum status check_entries(const struct permit_case *given,
                                 struct error *err)
{
    struct digest id[PERMIT_STEPS];

    worker_permit_ids(given->package, id);
    if (memcmp(&id[PERMIT_PERMIT], given->permit, sizeof *id) != 0)
        return refuse(err, "its package is about another one");
    return worker_proofs_check(given->proofs, given->trust, id, PERMIT_STEPS,
                               err);
}

static enum status check_chain(const struct permit_case *given,
                               struct error *err)
{
    static const enum entry_type type[PERMIT_STEPS] = {
        ENTRY_REQUEST, ENTRY_APPROVE, ENTRY_PERMIT};
    const struct entry *request = entry_of(given, PERMIT_REQUEST),
                       *approve = entry_of(given, PERMIT_APPROVE),
                       *permit = entry_of(given, PERMIT_PERMIT);

    for (unsigned i = 0; i < PERMIT_STEPS; i++)
        if (entry_of(given, i)->type != type[i])
            return error_set(err, E_REFUSED,
                             "the permit: its %s is an entry of another type",
                             entry_type_name(type[i]));
    if (!payload_names(approve, "request", &request->id))
        return refuse(err, "the approval is of another request");
    if (!payload_names(permit, "approve", &approve->id))
        return refuse(err, "it is for another approval");
    if (strcmp(permit->author, given->broker) != 0)
        return refuse(err, "another broker has signed it");
    return OK;
}

/* ---- what they stand for ---- */

static enum status check_opens(const struct opened_statement *opened,
                               const char *commitment, const char *what,
                               struct error *err)
{
    enum status status =
        commitment_check(&opened->salt, opened->text, commitment, err);

    if (status == E_NO)
        status =
            error_set(err, E_REFUSED,
                      "the permit: %s is not what the entry stands for", what);
    return status;
}

static enum status check_terms(const struct permit_case *given,
                               struct worker_terms *terms, struct error *err)
{
    const struct entry *request = entry_of(given, PERMIT_REQUEST);
    const char *commitment = payload_text(request, "terms");
    enum status status;

    for (unsigned i = 0; i < PERMIT_STEPS; i++)
        if (strcmp(payload_text(entry_of(given, i), "terms"), commitment) != 0)
            return refuse(err, "its terms are not those of the request");
    status = check_opens(&given->package->terms, commitment, "its terms", err);
    if (status == OK)
        status = worker_terms_parse(terms, given->package->terms.text, err);
    if (status != OK)
        return status;
    if (!payload_names(request, "dataset", &terms->dataset))
        return refuse(err, "its terms are about another dataset");
    if (strcmp(request->author, terms->recipient) != 0)
        return refuse(err, "its terms name another recipient");
    return OK;
}

static enum status check_statement(const struct permit_case *given,
                                   struct worker_permitted *permitted,
                                   struct error *err)
{
    const struct entry *permit = entry_of(given, PERMIT_PERMIT);
    enum status status =
        check_opens(&given->package->permitted,
                    payload_text(permit, "commitment"), "its statement", err);

    if (status == OK)
        status = worker_permitted_parse(permitted,
                                        given->package->permitted.text, err);
    if (status != OK)
        return status;
    if (!payload_is(permit, "expires", permitted->expires))
        return refuse(err, "its entry names another end");
    if (!payload_is(permit, "size", permitted->size))
        return refuse(err, "its entry names another size of the log");
    if (given->now_ms >= permitted->expires)
        return refuse(err, "it has expired");
    return OK;
}

static enum status check_list(const struct permit_case *given,
                              const struct worker_permitted *permitted,
                              struct error *err)
{
    struct digest root;
    enum status status = permitted_root(given->list, given->seed, &root, err);

    if (status != OK)
        return status;
    if (given->list.size / PERMITTED_ITEM_SIZE != permitted->count)
        return refuse(err, "the list of subjects has another length");
    if (memcmp(&root, &permitted->root, sizeof root) != 0)
        return refuse(err, "the list of subjects has another root");
    return OK;
}

static enum status check_policy(const struct permit_case *given,
                                struct worker_permit *permit, struct error *err)
{
    enum status status =
        policy_bundle_open(&permit->policy, given->package->bundle, err);

    if (status == OK && memcmp(&permit->policy->digest, &permit->terms.policy,
                               DIGEST_SIZE) != 0)
        status = refuse(err, "the policy is another one");
    return status;
}

enum status worker_permit_check(struct worker_permit *permit,
                                const struct permit_case *given,
                                struct error *err)
{
    enum status status;

    *permit = (struct worker_permit){.policy = NULL};
    status = check_entries(given, err);
    if (status == OK)
        status = check_chain(given, err);
    if (status == OK)
        status = check_terms(given, &permit->terms, err);
    if (status == OK)
        status = check_statement(given, &permit->permitted, err);
    if (status == OK)
        status = check_list(given, &permit->permitted, err);
    if (status == OK)
        status = check_policy(given, permit, err);
    if (status != OK)
        worker_permit_clear(permit);
    return status;
}

void worker_permit_clear(struct worker_permit *permit)
{
    policy_close(&permit->policy);
}
