#include "cli/consent_grant.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "broker/fhir_consent.h"
#include "broker/period.h"
#include "broker/purpose.h"
#include "cli/comma_list.h"
#include "common/clock.h"
#include "common/encoding.h"
#include "common/identity.h"
#include "common/json.h"
#include "common/sign.h"

#define HL7 "http://terminology.hl7.org/CodeSystem/"
#define GRANT_RANDOM_SIZE 16
/* "2025-01-02T03:04:05Z" */
#define TIME_SIZE 32

static enum status add_coding(struct json_value *list, const char *system,
                              const char *code, struct error *err)
{
    struct json_value *coding;
    enum status status = json_add_object(list, NULL, &coding, err);

    if (status == OK)
        status = json_add_string(coding, "system", system, err);
    if (status == OK)
        status = json_add_string(coding, "code", code, err);
    return status;
}

/* "key": {"coding": [{...}]} */
static enum status add_concept(struct json_value *object, const char *key,
                               const char *system, const char *code,
                               struct error *err)
{
    struct json_value *concept, *list;
    enum status status = json_add_object(object, key, &concept, err);

    if (status == OK)
        status = json_add_array(concept, "coding", &list, err);
    if (status == OK)
        status = add_coding(list, system, code, err);
    return status;
}

/* "key": {"identifier": {"system", "value"}} */
static enum status add_identified(struct json_value *object, const char *key,
                                  const char *system, const char *value,
                                  struct error *err)
{
    struct json_value *reference, *identifier;
    enum status status = json_add_object(object, key, &reference, err);

    if (status == OK)
        status = json_add_object(reference, "identifier", &identifier, err);
    if (status == OK)
        status = json_add_string(identifier, "system", system, err);
    if (status == OK)
        status = json_add_string(identifier, "value", value, err);
    return status;
}

/* ---- the rule ---- */

static enum status add_purpose(void *context, const char *code,
                               struct error *err)
{
    struct json_value *list = context;
    enum purpose purpose;

    if (!purpose_find(bytes_of_string(code), &purpose) ||
        purpose == PURPOSE_OTHER_REASON || purpose == PURPOSE_UNDECIDED)
        return error_set(err, E_USAGE,
                         "--purpose: expected HRESCH or codes of DUO, as in "
                         "DUO:0000042");
    return add_coding(list,
                      purpose == PURPOSE_HRESCH ? PURPOSE_REASON_SYSTEM
                                                : PURPOSE_DUO_SYSTEM,
                      code, err);
}

static enum status add_recipient(void *context, const char *organisation,
                                 struct error *err)
{
    struct json_value *list = context, *actor;
    enum status status;

    if (!identity_name_valid(bytes_of_string(organisation)))
        return error_set(err, E_USAGE,
                         "--recipient: expected names of organisations");
    status = json_add_object(list, NULL, &actor, err);
    if (status == OK)
        status =
            add_concept(actor, "role", HL7 "v3-ParticipationType", "PRCP", err);
    if (status == OK)
        status = add_identified(actor, "reference", CONSENT_ORGANISATION_SYSTEM,
                                organisation, err);
    return status;
}

static enum status add_period(struct json_value *rule, const char *until,
                              struct error *err)
{
    struct json_value *period;
    struct period time;
    struct error why;
    enum status status;

    if (period_parse_time(until, &time, &why) != OK)
        return error_set(err, E_USAGE,
                         "--until: expected a day, as in "
                         "2030-12-31");
    if (time.end_ms <= (int64_t)clock_now_ms())
        return error_set(err, E_USAGE, "--until: is over already");
    status = json_add_object(rule, "period", &period, err);
    if (status == OK)
        status = json_add_string(period, "end", until, err);
    return status;
}

static enum status add_rule(struct json_value *root,
                            const struct consent_grant *grant,
                            struct error *err)
{
    struct json_value *rule, *list;
    enum status status = json_add_object(root, "provision", &rule, err);

    if (status == OK)
        status = json_add_string(rule, "type", "permit", err);
    if (status == OK && grant->until != NULL)
        status = add_period(rule, grant->until, err);
    if (status == OK && grant->recipients != NULL) {
        status = json_add_array(rule, "actor", &list, err);
        if (status == OK)
            status = comma_list_each(grant->recipients, add_recipient, list,
                                     "--recipient", err);
    }
    if (status == OK)
        status = json_add_array(rule, "purpose", &list, err);
    if (status == OK)
        status = comma_list_each(grant->purposes, add_purpose, list,
                                 "--purpose", err);
    return status;
}

/* ---- the resource ---- */

static enum status add_id(struct json_value *root, struct error *err)
{
    uint8_t random[GRANT_RANDOM_SIZE];
    char hex[2 * GRANT_RANDOM_SIZE + 1];
    enum status status = random_secret(random, sizeof random, err);

    if (status != OK)
        return status;
    hex_encode(bytes_of(random, sizeof random), hex);
    return json_add_string(root, "id", hex, err);
}

static enum status add_time(struct json_value *root, struct error *err)
{
    time_t now = (time_t)(clock_now_ms() / 1000);
    char text[TIME_SIZE];
    struct tm parts;

    if (gmtime_r(&now, &parts) == NULL ||
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        return error_set(err, E_SYSTEM, "the clock shows no date");
    return json_add_string(root, "dateTime", text, err);
}

static enum status add_all(struct json_value *root,
                           const struct consent_grant *grant, struct error *err)
{
    struct json_value *category, *concept, *list;
    enum status status = json_add_string(root, "resourceType", "Consent", err);

    if (status == OK)
        status = add_id(root, err);
    if (status == OK)
        status = json_add_string(root, "status", "active", err);
    if (status == OK)
        status =
            add_concept(root, "scope", HL7 "consentscope", "research", err);
    if (status == OK)
        status = json_add_array(root, "category", &category, err);
    if (status == OK)
        status = json_add_object(category, NULL, &concept, err);
    if (status == OK)
        status = json_add_array(concept, "coding", &list, err);
    if (status == OK)
        status = add_coding(list, HL7 "consentcategorycodes", "research", err);
    if (status == OK)
        status =
            add_identified(root, "patient", grant->system, grant->patient, err);
    if (status == OK)
        status = add_time(root, err);
    if (status == OK)
        status =
            add_concept(root, "policyRule", HL7 "v3-ActCode", "OPTIN", err);
    if (status == OK)
        status = add_rule(root, grant, err);
    return status;
}

enum status consent_grant_write(const struct consent_grant *grant,
                                struct text *out, struct error *err)
{
    struct json *json = NULL;
    enum status status = json_create(&json, err);

    if (status == OK)
        status = add_all(json_edit_root(json), grant, err);
    if (status == OK)
        status = json_print_canonical(json_root(json), out, err);
    json_destroy(&json);
    return status;
}
