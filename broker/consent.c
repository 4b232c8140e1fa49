#include "broker/consent.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "common/encoding.h"
#include "common/json.h"
#include "common/json_keys.h"

/* ---- names ---- */

static const char *const status_names[] = {
#define STATUS_NAME(name, id) [CONSENT_STATUS_##id] = (name),
    CONSENT_STATUS_TABLE(STATUS_NAME)
#undef STATUS_NAME
};

static const char *const type_names[] = {
    [CONSENT_TYPE_DENY] = "deny", [CONSENT_TYPE_PERMIT] = "permit"};

const char *consent_status_name(enum consent_status status)
{
    assert(status < CONSENT_STATUS_COUNT);
    return status_names[status];
}

bool consent_status_parse(struct bytes name, enum consent_status *status)
{
    for (unsigned i = 0; i < CONSENT_STATUS_COUNT; i++)
        if (bytes_equal_string(name, status_names[i])) {
            *status = (enum consent_status)i;
            return true;
        }
    return false;
}

const char *consent_type_name(enum consent_type type)
{
    assert(type <= CONSENT_TYPE_PERMIT);
    return type_names[type];
}

bool consent_type_parse(struct bytes name, enum consent_type *type)
{
    for (unsigned i = 0; i <= CONSENT_TYPE_PERMIT; i++)
        if (bytes_equal_string(name, type_names[i])) {
            *type = (enum consent_type)i;
            return true;
        }
    return false;
}

enum consent_type consent_type_other(enum consent_type type)
{
    return type == CONSENT_TYPE_DENY ? CONSENT_TYPE_PERMIT : CONSENT_TYPE_DENY;
}

bool consent_subject_valid(struct bytes subject)
{
    uint8_t bytes[(CONSENT_SUBJECT_SIZE - 1) / 2];

    return hex_decode(subject, bytes, sizeof bytes);
}

/* ---- making one ---- */

void consent_init(struct consent *consent)
{
    *consent = (struct consent){.status = CONSENT_STATUS_INACTIVE,
                                .base = CONSENT_TYPE_DENY};
    arena_init(&consent->arena, CONSENT_MEMORY_MAX);
}

void consent_clear(struct consent *consent)
{
    arena_clear(&consent->arena);
    consent_init(consent);
}

struct consent_rule *consent_add_rule(struct consent *consent,
                                      enum consent_type type, size_t depth,
                                      struct error *err)
{
    struct consent_rule *rule;
    enum status status = OK;

    if (depth >= CONSENT_DEPTH_MAX)
        status = error_set(err, E_LIMIT,
                           "rules within rules, expected at most %d levels",
                           CONSENT_DEPTH_MAX);
    else if (consent->rule_count == CONSENT_RULES_MAX)
        status = error_set(err, E_LIMIT, "too many rules, expected at most %d",
                           CONSENT_RULES_MAX);
    if (status != OK)
        return NULL;
    rule = ARENA_ZEROED(&consent->arena, struct consent_rule, 1, "rules", err);
    if (rule == NULL)
        return NULL;
    rule->type = type;
    rule->period = PERIOD_ALWAYS;
    consent->rule_count++;
    return rule;
}

enum status consent_reserve_recipients(struct consent *consent,
                                       struct consent_rule *rule, size_t count,
                                       struct error *err)
{
    assert(rule->recipient == NULL);
    if (count > CONSENT_ACTORS_MAX)
        return error_set(err, E_LIMIT, "%zu actors, expected at most %d", count,
                         CONSENT_ACTORS_MAX);
    rule->recipient = ARENA_ZEROED(&consent->arena, const char *, count,
                                   "recipients of a rule", err);
    return rule->recipient == NULL ? err->status : OK;
}

enum status consent_add_recipient(struct consent *consent,
                                  struct consent_rule *rule, const char *name,
                                  struct error *err)
{
    size_t place = 0;
    char *copy;

    assert(rule->recipient != NULL);
    assert(identity_name_valid(bytes_of_string(name)));
    while (place < rule->recipient_count &&
           strcmp(rule->recipient[place], name) < 0)
        place++;
    if (place < rule->recipient_count &&
        strcmp(rule->recipient[place], name) == 0)
        return OK;
    copy = arena_string(&consent->arena, bytes_of_string(name),
                        "recipients of a rule", err);
    if (copy == NULL)
        return err->status;
    memmove(&rule->recipient[place + 1], &rule->recipient[place],
            (rule->recipient_count - place) * sizeof rule->recipient[0]);
    rule->recipient[place] = copy;
    rule->recipient_count++;
    rule->actors_listed = true;
    return OK;
}

/* ---- writing ----
 *
 * All strings are of characters that JSON writes as they are, and the members
 * stand here in the order of their names, so that this is the RFC 8785 form. */

static enum status write_period(struct period period, struct text *out,
                                struct error *err)
{
    const char *comma = "";

    if (period.start_ms == PERIOD_UNBEGUN && period.end_ms == PERIOD_ENDLESS)
        return OK;
    if (text_append_string(out, "\"period\":{", err) != OK)
        return err->status;
    if (period.end_ms != PERIOD_ENDLESS) {
        if (text_printf(out, err, "\"end_ms\":%" PRId64, period.end_ms) != OK)
            return err->status;
        comma = ",";
    }
    if (period.start_ms != PERIOD_UNBEGUN &&
        text_printf(out, err, "%s\"start_ms\":%" PRId64, comma,
                    period.start_ms) != OK)
        return err->status;
    return text_append_string(out, "},", err);
}

/* One string of a list, the brackets around it included. */
static enum status write_item(const char *list, const char *item, bool first,
                              struct text *out, struct error *err)
{
    if (first && text_printf(out, err, "\"%s\":[", list) != OK)
        return err->status;
    return text_printf(out, err, "%s\"%s\"", first ? "" : ",", item);
}

static enum status write_purposes(const struct consent_rule *rule,
                                  struct text *out, struct error *err)
{
    bool first = true;

    if (!rule->purposes_listed)
        return OK;
    assert(rule->purposes.set != 0);
    for (unsigned i = 0; i < PURPOSE_COUNT; i++) {
        if (!purposes_have(rule->purposes, (enum purpose)i))
            continue;
        if (write_item("purposes", purpose_code((enum purpose)i), first, out,
                       err) != OK)
            return err->status;
        first = false;
    }
    return text_append_string(out, "],", err);
}

static enum status write_recipients(const struct consent_rule *rule,
                                    struct text *out, struct error *err)
{
    if (rule->recipient_count == 0)
        return OK;
    for (size_t i = 0; i < rule->recipient_count; i++)
        if (write_item("recipients", rule->recipient[i], i == 0, out, err) !=
            OK)
            return err->status;
    return text_append_string(out, "],", err);
}

static enum status write_rule(const struct consent_rule *rule, struct text *out,
                              struct error *err)
{
    const struct consent_rule *exception = rule->exception;

    if (text_append_string(out, "{", err) != OK)
        return err->status;
    if (exception != NULL) {
        if (text_append_string(out, "\"exceptions\":[", err) != OK)
            return err->status;
        for (; exception != NULL; exception = exception->next)
            if (write_rule(exception, out, err) != OK ||
                text_append_string(out, exception->next != NULL ? "," : "],",
                                   err) != OK)
                return err->status;
    }
    if (rule->other_actors &&
        text_append_string(out, "\"other_actors\":true,", err) != OK)
        return err->status;
    if (write_period(rule->period, out, err) != OK ||
        write_purposes(rule, out, err) != OK ||
        write_recipients(rule, out, err) != OK)
        return err->status;
    return text_printf(out, err, "\"type\":\"%s\"}",
                       consent_type_name(rule->type));
}

static const char before_says[] = "{\"consent\":1,\"says\":";
static const char before_subject[] = ",\"subject\":\"";
static const char behind_subject[] = "\"}";

static enum status write_says(const struct consent *consent, struct text *out,
                              struct error *err)
{
    if (text_printf(out, err, "{\"base\":\"%s\",\"rule\":",
                    consent_type_name(consent->base)) != OK ||
        write_rule(consent->rule, out, err) != OK)
        return err->status;
    return text_printf(out, err, ",\"status\":\"%s\"}",
                       consent_status_name(consent->status));
}

enum status consent_write(const struct consent *consent, struct text *out,
                          struct error *err)
{
    assert(consent->rule != NULL);
    assert(consent_subject_valid(bytes_of_string(consent->subject)));
    if (text_append_string(out, before_says, err) != OK ||
        write_says(consent, out, err) != OK)
        return err->status;
    return text_printf(out, err, "%s%s%s", before_subject, consent->subject,
                       behind_subject);
}

struct bytes consent_says(struct bytes reduced)
{
    size_t before = sizeof before_says - 1;
    size_t behind = sizeof before_subject - 1 + CONSENT_SUBJECT_SIZE - 1 +
                    sizeof behind_subject - 1;

    assert(reduced.size > before + behind);
    assert(memcmp(reduced.data, before_says, before) == 0);
    return bytes_of(reduced.data + before, reduced.size - before - behind);
}

/* ---- reading ---- */

/* Where a rule is put while it is read. */
struct place {
    struct consent *consent;
    enum consent_type type;
    struct consent_rule *rule;
    size_t depth;
};

static enum status read_rule(struct consent *consent,
                             const struct json_value *value, size_t depth,
                             struct consent_rule **rule, struct error *err);

/* A member of a period. */
static enum status take_instant(const struct json_key *key,
                                const struct json_value *value, void *target,
                                struct error *err)
{
    int64_t instant;

    if (!json_integer(value, &instant) || instant < PERIOD_FIRST_MS ||
        instant > PERIOD_LAST_MS)
        return json_refuse(key, value, "is another number", err);
    memcpy((char *)target + key->offset, &instant, sizeof instant);
    return OK;
}

static enum status take_period(const struct json_key *key,
                               const struct json_value *value, void *target,
                               struct error *err)
{
    static const struct json_key keys[] = {
        {.name = "end_ms",
         .kind = JSON_NUMBER,
         .expected = "milliseconds since 1970, in years 1 to 9999",
         .take = take_instant,
         .offset = offsetof(struct period, end_ms)},
        {.name = "start_ms",
         .kind = JSON_NUMBER,
         .expected = "milliseconds since 1970, in years 1 to 9999",
         .take = take_instant,
         .offset = offsetof(struct period, start_ms)},
    };
    struct place *place = target;
    struct period *period = &place->rule->period;

    if (json_take_object(value, keys, sizeof keys / sizeof keys[0], period,
                         err) != OK)
        return err->status;
    if (period->start_ms >= period->end_ms)
        return json_refuse(key, value, "ends before it starts", err);
    return OK;
}

static enum status take_purposes(const struct json_key *key,
                                 const struct json_value *value, void *target,
                                 struct error *err)
{
    struct consent_rule *rule = ((struct place *)target)->rule;
    enum purpose purpose;

    for (const struct json_value *item = json_first(value); item != NULL;
         item = json_next(item)) {
        if (json_kind(item) != JSON_STRING ||
            !purpose_find(bytes_of_string(json_string(item)), &purpose))
            return json_refuse(key, item, "has another item", err);
        purposes_add(&rule->purposes, purpose);
    }
    rule->purposes_listed = json_length(value) > 0;
    return OK;
}

static enum status take_recipients(const struct json_key *key,
                                   const struct json_value *value, void *target,
                                   struct error *err)
{
    struct place *place = target;

    if (consent_reserve_recipients(place->consent, place->rule,
                                   json_length(value), err) != OK)
        return err->status;
    for (const struct json_value *item = json_first(value); item != NULL;
         item = json_next(item)) {
        if (json_kind(item) != JSON_STRING ||
            !identity_name_valid(bytes_of_string(json_string(item))))
            return json_refuse(key, item, "has another item", err);
        if (consent_add_recipient(place->consent, place->rule,
                                  json_string(item), err) != OK)
            return err->status;
    }
    return OK;
}

static enum status take_other_actors(const struct json_key *key,
                                     const struct json_value *value,
                                     void *target, struct error *err)
{
    struct consent_rule *rule = ((struct place *)target)->rule;

    if (!json_boolean(value))
        return json_refuse(key, value, "is false", err);
    rule->other_actors = true;
    rule->actors_listed = true;
    return OK;
}

static enum status take_exceptions(const struct json_key *key,
                                   const struct json_value *value, void *target,
                                   struct error *err)
{
    struct place *place = target;
    struct consent_rule **next = &place->rule->exception;

    for (const struct json_value *item = json_first(value); item != NULL;
         item = json_next(item)) {
        if (read_rule(place->consent, item, place->depth + 1, next, err) != OK)
            return err->status;
        if (place->rule->type == (*next)->type)
            return json_refuse(key, item, "has a rule of the rule's own type",
                               err);
        next = &(*next)->next;
    }
    return OK;
}

static enum status take_type(const struct json_key *key,
                             const struct json_value *value, void *target,
                             struct error *err)
{
    struct place *place = target;

    if (!consent_type_parse(bytes_of_string(json_string(value)), &place->type))
        return json_refuse(key, value, "is another word", err);
    return OK;
}

static enum status read_rule(struct consent *consent,
                             const struct json_value *value, size_t depth,
                             struct consent_rule **rule, struct error *err)
{
    static const struct json_key keys[] = {
        {.name = "type",
         .kind = JSON_STRING,
         .expected = "\"deny\" or \"permit\"",
         .take = take_type,
         .required = true},
        {.name = "exceptions",
         .kind = JSON_ARRAY,
         .expected = "rules of the other type",
         .take = take_exceptions},
        {.name = "other_actors",
         .kind = JSON_BOOLEAN,
         .expected = "true",
         .take = take_other_actors},
        {.name = "period",
         .kind = JSON_OBJECT,
         .expected = "an object with start_ms and end_ms",
         .take = take_period},
        {.name = "purposes",
         .kind = JSON_ARRAY,
         .expected = "codes of purposes",
         .take = take_purposes},
        {.name = "recipients",
         .kind = JSON_ARRAY,
         .expected = "names of organisations",
         .take = take_recipients},
    };
    struct place place = {.consent = consent, .depth = depth};

    if (json_kind(value) != JSON_OBJECT)
        return error_set(err, E_INPUT,
                         "line %u: a rule is %s, expected an object",
                         json_line(value), json_kind_name(json_kind(value)));
    /* A rule knows its type before its exceptions are read. */
    if (json_take_member(value, &keys[0], &place, err) != OK)
        return err->status;
    place.rule = consent_add_rule(consent, place.type, depth, err);
    if (place.rule == NULL)
        return err->status;
    *rule = place.rule;
    return json_take_object(value, keys, sizeof keys / sizeof keys[0], &place,
                            err);
}

static enum status take_version(const struct json_key *key,
                                const struct json_value *value, void *target,
                                struct error *err)
{
    int64_t version;

    (void)target;
    if (!json_integer(value, &version) || version != 1)
        return error_set(err, E_VERSION,
                         "\"%s\": not in this version, expected 1", key->name);
    return OK;
}

static enum status take_base(const struct json_key *key,
                             const struct json_value *value, void *target,
                             struct error *err)
{
    struct consent *consent = target;

    if (!consent_type_parse(bytes_of_string(json_string(value)),
                            &consent->base))
        return json_refuse(key, value, "is another word", err);
    return OK;
}

static enum status take_rule(const struct json_key *key,
                             const struct json_value *value, void *target,
                             struct error *err)
{
    struct consent *consent = target;

    (void)key;
    return read_rule(consent, value, 0, &consent->rule, err);
}

static enum status take_status(const struct json_key *key,
                               const struct json_value *value, void *target,
                               struct error *err)
{
    struct consent *consent = target;

    if (!consent_status_parse(bytes_of_string(json_string(value)),
                              &consent->status))
        return json_refuse(key, value, "is another word", err);
    return OK;
}

static enum status take_says(const struct json_key *key,
                             const struct json_value *value, void *target,
                             struct error *err)
{
    static const struct json_key keys[] = {
        {.name = "base",
         .kind = JSON_STRING,
         .expected = "\"deny\" or \"permit\"",
         .take = take_base,
         .required = true},
        {.name = "rule",
         .kind = JSON_OBJECT,
         .expected = "a rule",
         .take = take_rule,
         .required = true},
        {.name = "status",
         .kind = JSON_STRING,
         .expected = "a status of FHIR R4's Consent",
         .take = take_status,
         .required = true},
    };

    (void)key;
    return json_take_object(value, keys, sizeof keys / sizeof keys[0], target,
                            err);
}

static enum status take_subject(const struct json_key *key,
                                const struct json_value *value, void *target,
                                struct error *err)
{
    struct consent *consent = target;
    struct bytes subject = bytes_of_string(json_string(value));

    if (!consent_subject_valid(subject))
        return json_refuse(key, value, "is something else", err);
    memcpy(consent->subject, subject.data, CONSENT_SUBJECT_SIZE);
    return OK;
}

static enum status read_members(struct consent *consent,
                                const struct json_value *root,
                                struct error *err)
{
    static const struct json_key keys[] = {
        {.name = "consent",
         .kind = JSON_NUMBER,
         .expected = "1, the version of this format",
         .take = take_version,
         .required = true},
        {.name = "says",
         .kind = JSON_OBJECT,
         .expected = "an object",
         .take = take_says,
         .required = true},
        {.name = "subject",
         .kind = JSON_STRING,
         .expected = "32 lower-case hex digits",
         .take = take_subject,
         .required = true},
    };

    if (json_kind(root) != JSON_OBJECT)
        return error_set(err, E_INPUT, "%s, expected an object",
                         json_kind_name(json_kind(root)));
    return json_take_object(root, keys, sizeof keys / sizeof keys[0], consent,
                            err);
}

/* What was read has one spelling: the one that was read? */
static enum status check_spelling(const struct consent *consent,
                                  struct bytes text, struct error *err)
{
    struct text written;
    size_t same = 0;
    enum status status;

    text_init(&written);
    status = text_reserve(&written, text.size, err);
    if (status == OK)
        status = consent_write(consent, &written, err);
    if (status == OK && !bytes_equal(text_bytes(&written), text)) {
        while (same < text.size && same < written.size &&
               text.data[same] == (uint8_t)written.data[same])
            same++;
        status = error_set(err, E_INPUT,
                           "byte %zu is not as in the canonical form, expected "
                           "that form",
                           same + 1);
    }
    text_clear(&written);
    return status;
}

enum status consent_read(struct consent *consent, struct bytes text,
                         struct error *err)
{
    struct json *json = NULL;
    enum status status = OK;

    assert(consent->rule == NULL);
    if (text.size > CONSENT_SIZE_MAX)
        status = error_set(err, E_LIMIT, "%zu bytes, expected at most %u",
                           text.size, CONSENT_SIZE_MAX);
    if (status == OK)
        status = json_parse(&json, text, err);
    if (status == OK)
        status = read_members(consent, json_root(json), err);
    if (status == OK)
        status = check_spelling(consent, text, err);
    json_destroy(&json);
    if (status == OK)
        return OK;
    consent_clear(consent);
    return error_wrap(err, "reduced consent");
}
