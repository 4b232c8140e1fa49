#include "ledger/rules_internal.h"

#include <assert.h>
#include <string.h>

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

bool rules_payload_has_form(const struct entry *entry)
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

const char *rules_text(const struct entry *entry, const char *name)
{
    return json_string(json_member(entry->payload, name));
}

uint64_t rules_number_of(const struct json_value *value)
{
    int64_t number = 0;
    bool whole = json_integer(value, &number);

    assert(whole && number >= 0);
    return (uint64_t)number;
}

uint64_t rules_number(const struct entry *entry, const char *name)
{
    return rules_number_of(json_member(entry->payload, name));
}
